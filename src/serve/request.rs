//! A request on its way to its handler, and the answers that handlers make.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use api::Version;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{HeaderMap, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::body::{self, Body};
use super::connection::Context;
use super::error::{Answered, Failure};
use super::query::Query;
use super::takeover::{MULTIPLEXED_STREAM, RAW_STREAM};
use crate::engine::Engine;

pub type Response = hyper::Response<Body>;

/// What an asynchronous handler returns.
pub type Answer = Pin<Box<dyn Future<Output = Answered<Response>>>>;

/// A request, as most handlers need it.
pub struct Call {
    pub engine: Arc<Engine>,
    /// The version that the client speaks.
    pub version: Version,
    /// What stands in the path for `{id}` or `{name}`.
    pub name: String,
    pub query: Query,
    pub headers: HeaderMap,
    /// All of the body, bounded by [`body::LONGEST`]; empty for handlers that get it as a stream.
    pub body: Bytes,
}

/// A request whose handler streams, or takes the connection over.
pub struct Live {
    pub call: Call,
    pub incoming: Incoming,
    pub context: Rc<Context>,
}

impl Call {
    /// The body as JSON; an empty one is as good as `{}`.
    pub fn json<T: DeserializeOwned + Default>(&self) -> Answered<T> {
        self.check_json()?;
        if self.body.is_empty() {
            return Ok(T::default());
        }
        api::from_request(&self.body).map_err(|error| Failure::invalid(format!("invalid JSON: {error}")))
    }

    /// The same, for calls that mean nothing without one.
    pub fn required_json<T: DeserializeOwned + Default>(&self) -> Answered<T> {
        self.check_json()?;
        if self.body.is_empty() {
            return Err(Failure::invalid("invalid JSON: got EOF while reading request body"));
        }
        self.json()
    }

    /// Docker insists on the right type of a body that is there.
    fn check_json(&self) -> Answered<()> {
        let said = self.headers.get(CONTENT_TYPE).map_or("", |value| value.to_str().unwrap_or("?"));
        let kind = said.split(';').next().unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case("application/json") || (said.is_empty() && self.body.is_empty()) {
            return Ok(());
        }
        let message = format!("unsupported Content-Type header ({said}): must be 'application/json'");
        Err(Failure::invalid(message))
    }

    /// Whether the client speaks `1.minor` or a newer version.
    pub fn speaks(&self, minor: u32) -> bool {
        self.version >= Version { major: 1, minor }
    }

    /// What a stream of output is called.
    pub fn stream_type(&self, raw: bool) -> &'static str {
        if raw || !self.speaks(42) { RAW_STREAM } else { MULTIPLEXED_STREAM }
    }
}

impl Live {
    /// Reads the whole body, for handlers that stream only their answer.
    pub async fn read_body(&mut self) -> Answered<()> {
        self.call.body = body::collect(&mut self.incoming).await?;
        Ok(())
    }
}

/// An answer in JSON, with a newline behind it, as Go's encoder does.
pub fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(mut bytes) => {
            bytes.push(b'\n');
            whole(status, "application/json", bytes)
        }
        Err(error) => {
            tracing::error!(%error, "an answer has no JSON");
            whole(StatusCode::INTERNAL_SERVER_ERROR, "application/json", Vec::new())
        }
    }
}

/// The most frequent answer: 200, and JSON.
pub fn ok(value: &impl Serialize) -> Answered<Response> {
    Ok(json(StatusCode::OK, value))
}

/// An answer without a body.
pub fn empty(status: StatusCode) -> Answered<Response> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    Ok(response)
}

/// An answer with all of its body.
pub fn whole(status: StatusCode, content_type: &'static str, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::whole(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// An answer whose body is still being made.
pub fn streamed(content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
