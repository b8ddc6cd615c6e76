//! Containers over HTTP: what is in the query and the body becomes an engine's call, and its result an answer.

use hyper::StatusCode;
use hyper::body::Bytes;
use tokio::sync::mpsc;

use super::body::Body;
use super::error::{Answered, Failure};
use super::request::{Answer, Call, Live, Response, empty, json, ok, streamed};
use super::threads::blocking;
use super::{shapes, streams};
use crate::containers::Change;
use crate::containers::attach::AttachRequest;
use crate::containers::list::ListOptions;
use crate::containers::logs::{Logs, LogsOptions};
use crate::containers::wait::{WaitCondition, WaitResult};

/// `GET /containers/json`
pub fn list(call: &Call) -> Answered<Response> {
    let options = ListOptions {
        all: call.query.flag("all"),
        limit: call.query.number::<i64>("limit")?.and_then(|limit| limit.try_into().ok()).unwrap_or(0),
        size: call.query.flag("size"),
        filters: call.query.filters()?,
    };
    let mut containers = call.engine.list(&options)?;
    shapes::summaries(call.version, &mut containers);
    ok(&containers)
}

/// `POST /containers/create`
pub fn create(call: &Call) -> Answered<Response> {
    let mut request: api::ContainerCreateRequest = call.required_json()?;
    shapes::create(call.version, &mut request);
    let platform = call.query.text("platform").filter(|_| call.speaks(41));
    let created = call.engine.create(call.query.text("name"), platform, &request)?;
    Ok(json(StatusCode::CREATED, &created))
}

/// `GET /containers/{id}/json`
pub fn inspect(call: &Call) -> Answered<Response> {
    let mut container = call.engine.inspect(&call.name, call.query.flag("size"))?;
    shapes::inspect(call.version, &mut container);
    ok(&container)
}

/// `POST /containers/{id}/start`
pub fn start(call: &Call) -> Answered<Response> {
    // A few bytes, `{}` or `null`, are what some clients send for nothing.
    if call.body.len() > 4 {
        let message = "starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24";
        return Err(Failure::invalid(message));
    }
    call.query.refuse(&["checkpoint", "checkpoint-dir"])?;
    changed(call.engine.start(&call.name)?)
}

/// `POST /containers/{id}/stop`
pub fn stop(call: &Call) -> Answered<Response> {
    let (signal, timeout) = signal_and_timeout(call)?;
    changed(call.engine.stop(&call.name, signal, timeout)?)
}

/// `POST /containers/{id}/restart`
pub fn restart(call: &Call) -> Answered<Response> {
    let (signal, timeout) = signal_and_timeout(call)?;
    call.engine.restart(&call.name, signal, timeout)?;
    empty(StatusCode::NO_CONTENT)
}

/// `POST /containers/{id}/kill`
pub fn kill(call: &Call) -> Answered<Response> {
    call.engine.kill(&call.name, call.query.text("signal"))?;
    empty(StatusCode::NO_CONTENT)
}

/// `POST /containers/{id}/pause`
pub fn pause(call: &Call) -> Answered<Response> {
    call.engine.pause(&call.name)?;
    empty(StatusCode::NO_CONTENT)
}

/// `POST /containers/{id}/unpause`
pub fn unpause(call: &Call) -> Answered<Response> {
    call.engine.unpause(&call.name)?;
    empty(StatusCode::NO_CONTENT)
}

/// `POST /containers/{id}/rename`
pub fn rename(call: &Call) -> Answered<Response> {
    call.engine.rename(&call.name, call.query.text("name").unwrap_or_default())?;
    empty(StatusCode::NO_CONTENT)
}

/// `POST /containers/{id}/resize`
pub fn resize(call: &Call) -> Answered<Response> {
    let (width, height) = size(call)?;
    call.engine.resize(&call.name, width, height)?;
    empty(StatusCode::OK)
}

/// `DELETE /containers/{id}`
pub fn remove(call: &Call) -> Answered<Response> {
    call.query.refuse(&["link"])?;
    call.engine.remove(&call.name, call.query.flag("force"), call.query.flag("v"))?;
    empty(StatusCode::NO_CONTENT)
}

/// `POST /containers/{id}/wait`: the headers go out at once, since the docker client starts the container only when it has
/// them; the body comes with the end.
pub fn wait(live: Live) -> Answer {
    Box::pin(async move {
        let condition = match live.call.query.text("condition") {
            None | Some("not-running") => WaitCondition::NotRunning,
            Some("next-exit") => WaitCondition::NextExit,
            Some("removed") => WaitCondition::Removed,
            Some(other) => return Err(Failure::invalid(format!("invalid condition: {other:?}"))),
        };
        let (engine, name) = (live.call.engine, live.call.name);
        let end = blocking(move || Ok(engine.wait(&name, condition)?)).await?;
        let (answer, pieces) = mpsc::channel(1);
        tokio::task::spawn_local(async move {
            if let Some(Ok(result)) = streams::while_heard(&answer, end).await {
                // A client that has gone needs no answer.
                let _ = answer.send(Ok(waited(result))).await;
            }
        });
        Ok(streamed("application/json", Body::Pieces(None, pieces)))
    })
}

/// `GET /containers/{id}/logs`
pub fn logs(live: Live) -> Answer {
    Box::pin(async move {
        let call = live.call;
        let options = LogsOptions {
            follow: call.query.flag("follow"),
            stdout: call.query.flag("stdout"),
            stderr: call.query.flag("stderr"),
            since: call.query.time("since")?,
            until: call.query.time("until")?,
            timestamps: call.query.flag("timestamps"),
            // `all`, and everything else that is no number.
            tail: call.query.text("tail").and_then(|tail| tail.parse().ok()),
            details: call.query.flag("details"),
        };
        let (engine, name) = (call.engine.clone(), call.name.clone());
        let logs = blocking(move || Ok(engine.logs(&name, &options)?)).await?;
        let content_type = call.stream_type(logs.raw);
        Ok(streamed(content_type, streams::begin("logs", move |feed| copy(logs, feed))?))
    })
}

/// A log that is followed yields an empty chunk now and then, so that a client which has gone is noticed.
fn copy(logs: Logs, feed: &mut streams::Feed) -> Answered<()> {
    for chunk in logs {
        let chunk = chunk?;
        let there = if chunk.is_empty() { !feed.is_closed() } else { feed.send(chunk) };
        if !there {
            break;
        }
    }
    Ok(())
}

/// `POST /containers/{id}/attach`
pub fn attach(live: Live) -> Answer {
    Box::pin(async move {
        let query = &live.call.query;
        let request = AttachRequest {
            logs: query.flag("logs"),
            stream: query.flag("stream"),
            stdin: query.flag("stdin"),
            stdout: query.flag("stdout"),
            stderr: query.flag("stderr"),
            detach_keys: query.text("detachKeys").map(str::to_owned),
        };
        let (engine, name) = (live.call.engine.clone(), live.call.name.clone());
        let ticket = blocking(move || Ok(engine.attach(&name, &request)?)).await?;
        match live.take_over(ticket).await {}
    })
}

/// What the engine did becomes 204, or 304 where there was nothing to do.
fn changed(change: Change) -> Answered<Response> {
    empty(match change {
        Change::Done => StatusCode::NO_CONTENT,
        Change::NotModified => StatusCode::NOT_MODIFIED,
    })
}

/// Clients older than version 1.42 have no signal to say.
fn signal_and_timeout(call: &Call) -> Answered<(Option<&str>, Option<i64>)> {
    let signal = call.query.text("signal").filter(|_| call.speaks(42));
    Ok((signal, call.query.number("t")?))
}

/// Width and height of a terminal, in characters.
pub fn size(call: &Call) -> Answered<(u16, u16)> {
    let side = |name: &str| {
        let missing = || Failure::invalid(format!("invalid value for {name}: parsing \"\": invalid syntax"));
        call.query.number(name)?.ok_or_else(missing)
    };
    Ok((side("w")?, side("h")?))
}

fn waited(result: WaitResult) -> Bytes {
    let response = api::ContainerWaitResponse {
        status_code: result.status_code,
        error: result.error.map(|message| api::WaitError { message }),
    };
    let mut line = serde_json::to_vec(&response).unwrap_or_default();
    line.push(b'\n');
    line.into()
}
