//! The engine itself over HTTP.

use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, HeaderValue, PRAGMA};

use super::error::Answered;
use super::request::{Call, Response, ok, whole};
use super::shapes;

/// `GET` and `HEAD /_ping`
pub fn ping(_: &Call) -> Answered<Response> {
    let mut response = whole(StatusCode::OK, "text/plain; charset=utf-8", b"OK".to_vec());
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store, must-revalidate"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert("Builder-Version", HeaderValue::from_static("1"));
    headers.insert("Swarm", HeaderValue::from_static("inactive"));
    Ok(response)
}

/// `GET /version`
pub fn version(call: &Call) -> Answered<Response> {
    ok(&call.engine.version())
}

/// `GET /info`
pub fn info(call: &Call) -> Answered<Response> {
    let mut info = call.engine.info();
    shapes::info(call.version, &mut info);
    ok(&info)
}
