//! From an HTTP request to its handler, and back: version, path, body, and the headers that every answer has.

use std::convert::Infallible;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::Poll;

use api::{NEWEST_VERSION, OLDEST_VERSION, Version};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Request, StatusCode};

use super::body;
use super::connection::Context;
use super::error::{Answered, Failure};
use super::query::{self, Query};
use super::request::{Answer, Call, Live, Response};
use super::routes::{self, Handler};
use super::threads::blocking;
use crate::error::Error;

/// What every answer says of the engine. `Api-Version` is the newest that is spoken, whatever the client asked for.
pub const HEADERS: [(&str, &str); 4] = [
    ("Api-Version", "1.50"),
    ("Docker-Experimental", "false"),
    ("Ostype", "linux"),
    ("Server", concat!("Coracle/", env!("CARGO_PKG_VERSION"), " (linux)")),
];

/// Answers one request.
pub async fn answer(context: Rc<Context>, request: Request<Incoming>) -> Result<Response, Infallible> {
    let (method, target) = (request.method().clone(), request.uri().clone());
    let answered = route(context, request).await;
    let mut response = answered.unwrap_or_else(|failure| {
        if failure.status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(%method, %target, error = failure.message, "a call failed");
        }
        failure.response()
    });
    tracing::debug!(%method, %target, status = response.status().as_u16(), "answered");
    for (name, value) in HEADERS {
        if let Ok(name) = HeaderName::try_from(name) {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
    }
    Ok(response)
}

async fn route(context: Rc<Context>, request: Request<Incoming>) -> Answered<Response> {
    let (head, mut incoming) = request.into_parts();
    let path = query::decode(head.uri.path())?;
    let (version, path) = negotiate(&path)?;
    let (route, name) = routes::find(head.method.as_str(), path)
        .ok_or_else(|| Failure::new(StatusCode::NOT_FOUND, "page not found"))?;
    let mut call = Call {
        engine: context.engine.clone(),
        version,
        name: name.to_owned(),
        query: Query::parse(head.uri.query().unwrap_or_default())?,
        headers: head.headers,
        body: Bytes::new(),
    };
    context.endless.set(matches!(route.handler, Handler::Streams(_)));
    match route.handler {
        Handler::Plain(handler) => {
            call.body = body::collect(&mut incoming).await?;
            blocking(move || handler(&call)).await
        }
        Handler::Streams(handler) => {
            let live = Live { call, incoming, context };
            guarded(handler(live)).await
        }
        Handler::Later(operation) => {
            let what = format!("{operation} ({} {})", route.method, route.pattern);
            Err(Error::not_supported(what).into())
        }
    }
}

/// Takes `/v1.41` off a path, and refuses what is not spoken in dockerd's words. Without one, the newest is meant.
fn negotiate(path: &str) -> Answered<(Version, &str)> {
    let split = path.strip_prefix("/v").and_then(|rest| {
        let length = rest.find('/').unwrap_or(rest.len());
        let (version, rest) = rest.split_at(length);
        let digits = version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        (digits && !version.is_empty()).then_some((version, rest))
    });
    let Some((text, rest)) = split else {
        return Ok((NEWEST_VERSION, path));
    };
    // `/v2` is newer than everything, as dockerd sees it.
    let version = text.parse().or_else(|()| format!("{text}.0").parse());
    let version = version.map_err(|()| Failure::invalid(format!("invalid API version {text}")))?;
    if version < OLDEST_VERSION {
        return Err(Failure::invalid(format!(
            "client version {text} is too old. Minimum supported API version is {OLDEST_VERSION}, \
             please upgrade your client to a newer version"
        )));
    }
    if version > NEWEST_VERSION {
        return Err(Failure::invalid(format!(
            "client version {text} is too new. Maximum supported API version is {NEWEST_VERSION}"
        )));
    }
    Ok((version, rest))
}

/// A handler that panics on the runtime's own thread costs its client a 500, and nobody else anything.
async fn guarded(mut answer: Answer) -> Answered<Response> {
    poll_fn(|context| {
        catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context)))
            .unwrap_or_else(|_| Poll::Ready(Err(Failure::bug())))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_negotiated() {
        let told = |path: &str| match negotiate(path) {
            Ok((version, rest)) => format!("{path}: {version} {rest}"),
            Err(failure) => format!("{path}: {} {}", failure.status, failure.message),
        };
        let paths = [
            "/info",
            "/v1.24/info",
            "/v1.50/info",
            "/v1.23/info",
            "/v1.51/info",
            "/v2/info",
            "/v1.2.3/info",
            "/version",
            "/v1.41",
        ];
        insta::assert_snapshot!(paths.map(told).join("\n"));
    }

    #[test]
    fn the_newest_version_is_what_the_header_says() {
        assert_eq!(HEADERS[0].1, NEWEST_VERSION.to_string());
    }
}
