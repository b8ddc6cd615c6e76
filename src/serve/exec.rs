//! Exec sessions over HTTP.

use hyper::StatusCode;

use super::containers;
use super::error::Answered;
use super::request::{Answer, Call, Live, Response, empty, json, ok};
use super::threads::blocking;

/// `POST /containers/{id}/exec`
pub fn create(call: &Call) -> Answered<Response> {
    let mut request: api::ExecCreateRequest = call.required_json()?;
    if !call.speaks(42) {
        request.console_size = None;
    }
    let id = call.engine.exec_create(&call.name, &request)?;
    Ok(json(StatusCode::CREATED, &api::IdResponse { id }))
}

/// `POST /exec/{id}/start`: detached it answers when the command runs; otherwise the connection becomes its streams.
pub fn start(mut live: Live) -> Answer {
    Box::pin(async move {
        live.read_body().await?;
        let request: api::ExecStartRequest = live.call.json()?;
        let (engine, id) = (live.call.engine.clone(), live.call.name.clone());
        if request.detach {
            blocking(move || Ok(engine.exec_start_detached(&id, request.tty)?)).await?;
            return empty(StatusCode::OK);
        }
        // Height and width, which mean nothing without a terminal, nor to clients that could not say them.
        let size = request.console_size.filter(|_| request.tty && live.call.speaks(42));
        let size = size.map(|[height, width]| (width, height));
        let ticket = blocking(move || Ok(engine.exec_attach(&id, request.tty, size)?)).await?;
        match live.take_over(ticket).await {}
    })
}

/// `POST /exec/{id}/resize`
pub fn resize(call: &Call) -> Answered<Response> {
    let (width, height) = containers::size(call)?;
    call.engine.exec_resize(&call.name, width, height)?;
    empty(StatusCode::OK)
}

/// `GET /exec/{id}/json`
pub fn inspect(call: &Call) -> Answered<Response> {
    ok(&call.engine.exec_inspect(&call.name)?)
}
