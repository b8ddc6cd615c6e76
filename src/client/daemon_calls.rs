//! One daemon to call: the negotiated version, paths with queries, and its errors in Docker's words.

use super::failure::{Error, ErrorKind, Result};
use super::host::Host;
use super::http::{self, Body, Exchange, Request, Response, Upgraded};
use super::on_demand;
use super::signals::Signals;
use serde::Serialize;
use serde_json::Value;
use std::cell::OnceCell;
use std::fs::File;
use std::os::unix::net::UnixStream;

/// The newest API version that this client speaks.
pub const NEWEST_VERSION: &str = "1.50";

/// A daemon that commands are sent to.
pub struct Daemon {
    /// Its address.
    pub host: Host,
    /// Reads give up when one of these arrives; none while signals have their usual effect.
    signals: Option<Signals>,
    version: OnceCell<String>,
    /// Every request is told to standard error.
    debug: bool,
}

/// A query, as pairs that are encoded when they are sent. Empty values are left out, as Docker's client does.
pub type Query<'a> = &'a [(&'a str, &'a str)];

impl Daemon {
    /// A daemon at `host`; nothing is sent yet.
    pub fn new(host: Host, debug: bool) -> Result<Daemon> {
        Ok(Daemon { host, signals: Some(Signals::end()?), version: OnceCell::new(), debug })
    }

    /// The same daemon, for a caller that reads the signals itself.
    pub fn without_signals(&self) -> Daemon {
        Daemon { host: self.host.clone(), signals: None, version: self.version.clone(), debug: self.debug }
    }

    /// An error when a signal has come that ends a command.
    pub fn refuse_if_interrupted(&self) -> Result<()> {
        match self.signals.as_ref().and_then(Signals::pending_end) {
            Some(signal) => Err(Error::new(ErrorKind::Interrupted(signal), "")),
            None => Ok(()),
        }
    }

    /// A `GET` whose answer is JSON.
    pub fn get(&self, path: &str, query: Query<'_>) -> Result<Value> {
        json(self.call("GET", path, query, Vec::new(), Body::Empty)?)
    }

    /// A `GET` whose answer is a stream.
    pub fn open(&self, path: &str, query: Query<'_>) -> Result<Response> {
        self.call("GET", path, query, Vec::new(), Body::Empty)
    }

    /// A `POST` without a body.
    pub fn post(&self, path: &str, query: Query<'_>) -> Result<Response> {
        self.call("POST", path, query, Vec::new(), Body::Empty)
    }

    /// A `POST` of JSON.
    pub fn post_json(&self, path: &str, query: Query<'_>, body: &impl Serialize) -> Result<Response> {
        let body = serde_json::to_vec(body).map_err(std::io::Error::from)?;
        self.call("POST", path, query, Vec::new(), Body::Json(body))
    }

    /// A `POST` of a stream.
    pub fn post_stream(&self, path: &str, query: Query<'_>, body: &mut File) -> Result<Response> {
        self.call("POST", path, query, Vec::new(), Body::Stream(body))
    }

    /// A `DELETE`.
    pub fn delete(&self, path: &str, query: Query<'_>) -> Result<Response> {
        self.call("DELETE", path, query, Vec::new(), Body::Empty)
    }

    /// A `POST` that turns the connection into a stream both ways. `body`, when given, is JSON.
    pub fn upgrade(&self, path: &str, query: Query<'_>, body: Option<&Value>) -> Result<Upgraded> {
        let (headers, body) = match body {
            None => (Vec::new(), Body::Upgrade),
            Some(body) => {
                let headers = vec![("Connection", "Upgrade".to_string()), ("Upgrade", "tcp".to_string())];
                (headers, Body::Json(body.to_string().into_bytes()))
            }
        };
        let response = self.call("POST", path, query, headers, body)?;
        // Daemons older than protocol switching answer 200 and treat the connection alike.
        Ok(response.upgraded())
    }

    /// Sends one request below `/v1.xx` and reads the head of its answer.
    fn call<'a>(
        &self,
        method: &'a str,
        path: &str,
        query: Query<'_>,
        headers: Vec<(&'static str, String)>,
        body: Body<'a>,
    ) -> Result<Response> {
        let target = format!("/v{}{path}{}", self.version()?, encode_query(query));
        successful(self.send(Request { method, target, headers, body })?)
    }

    /// Sends a request without a body, to be answered by [`successful`]: several can be under way.
    pub fn begin(&self, method: &str, path: &str, query: Query<'_>) -> Result<Exchange> {
        let target = format!("/v{}{path}{}", self.version()?, encode_query(query));
        self.send(Request { method, target, headers: Vec::new(), body: Body::Empty })
    }

    fn send(&self, request: Request<'_>) -> Result<Exchange> {
        if self.debug {
            eprintln!("DEBUG: {} {} at {}", request.method, request.target, self.host.address());
        }
        http::send(self.connect()?, self.signals.clone(), request)
    }

    /// The version to speak: `DOCKER_API_VERSION`, else the older of ours and the daemon's.
    pub fn version(&self) -> Result<&str> {
        if let Some(version) = self.version.get() {
            return Ok(version);
        }
        let version = match std::env::var("DOCKER_API_VERSION") {
            Ok(version) if !version.is_empty() => version.trim_start_matches('v').to_string(),
            _ => older(self.ping()?.as_deref().unwrap_or("1.24"), NEWEST_VERSION).to_string(),
        };
        Ok(self.version.get_or_init(|| version))
    }

    /// Asks the daemon which version it speaks at most.
    fn ping(&self) -> Result<Option<String>> {
        let request =
            Request { method: "GET", target: "/_ping".into(), headers: Vec::new(), body: Body::Empty };
        let response = self.send(request)?.response()?;
        Ok(response.header("api-version").map(str::to_string))
    }

    fn connect(&self) -> Result<UnixStream> {
        match UnixStream::connect(&self.host.socket) {
            Ok(stream) => Ok(stream),
            Err(error) if self.host.on_demand && on_demand::is_absent(&error) => {
                on_demand::start(&self.host, &self.signals)
            }
            Err(error) => Err(unreachable(&self.host, &error)),
        }
    }
}

/// No daemon answers at `host`.
pub fn unreachable(host: &Host, error: &std::io::Error) -> Error {
    let address = host.address();
    let message = if error.kind() == std::io::ErrorKind::PermissionDenied {
        format!("permission denied while trying to connect to the Coracle daemon socket at {address}")
    } else {
        format!("Cannot connect to the Coracle daemon at {address}. Is the coracle daemon running?")
    };
    Error::new(ErrorKind::Connection, message)
}

/// The answer to a request; a status of 400 or more becomes an error.
pub fn successful(exchange: Exchange) -> Result<Response> {
    let response = exchange.response()?;
    match response.status {
        status if status < 400 => Ok(response),
        status => Err(daemon_error(status, &response.bytes()?)),
    }
}

/// The body of a successful answer, as JSON.
pub fn json(response: Response) -> Result<Value> {
    let bytes = response.bytes()?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Error::new(ErrorKind::Connection, format!("malformed answer: {error}")))
}

fn daemon_error(status: u16, body: &[u8]) -> Error {
    let told = serde_json::from_slice::<Value>(body).ok();
    let message = told.as_ref().and_then(|value| value["message"].as_str()).map(str::to_string);
    let message = message.unwrap_or_else(|| String::from_utf8_lossy(body).trim().to_string());
    Error::new(ErrorKind::Daemon(status), format!("Error response from daemon: {}", message.trim()))
}

fn older<'a>(one: &'a str, other: &'a str) -> &'a str {
    let numbers =
        |version: &str| -> Vec<u32> { version.split('.').filter_map(|part| part.parse().ok()).collect() };
    if numbers(one) < numbers(other) { one } else { other }
}

fn encode_query(query: Query<'_>) -> String {
    let pairs = query.iter().filter(|(_, value)| !value.is_empty());
    let encoded: Vec<String> = pairs.map(|(name, value)| format!("{name}={}", encode(value))).collect();
    if encoded.is_empty() { String::new() } else { format!("?{}", encoded.join("&")) }
}

/// Percent-encodes everything but unreserved characters (RFC 3986, section 2.3).
pub fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(byte as char),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert_eq!(older("1.9", "1.41"), "1.9");
        assert_eq!(older("1.51", "1.50"), "1.50");
    }

    #[test]
    fn queries_are_encoded_and_empty_values_left_out() {
        assert_eq!(encode_query(&[("name", "a b&c"), ("signal", ""), ("t", "5")]), "?name=a%20b%26c&t=5");
        assert_eq!(encode_query(&[]), "");
    }

    #[test]
    fn a_daemons_error_is_its_message() {
        let error = daemon_error(404, br#"{"message":"No such container: x"}"#);
        assert_eq!(error.to_string(), "Error response from daemon: No such container: x");
        assert_eq!(error.kind(), ErrorKind::Daemon(404));
        assert_eq!(daemon_error(500, b"plain\n").to_string(), "Error response from daemon: plain");
    }
}
