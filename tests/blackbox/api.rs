//! The API spoken by hand: what no well-behaved client sends.

use crate::harness::Engine;
use crate::needs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

/// Sends bytes as they are, and returns the status and the body of the answer.
fn ask(engine: &Engine, request: &[u8]) -> (u16, String) {
    let mut stream = UnixStream::connect(engine.folder().join("api.sock")).expect("the socket");
    stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).expect("a timeout");
    // A server that refuses early may close before it has read everything.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_string()).unwrap_or_default();
    (status, body)
}

fn get(engine: &Engine, path: &str) -> (u16, String) {
    ask(engine, format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes())
}

fn post(engine: &Engine, path: &str, body: &str) -> (u16, String) {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    ask(engine, format!("{head}{body}").as_bytes())
}

#[test]
fn versions_are_negotiated_and_refused() {
    needs!(root);
    let engine = Engine::start();
    for path in ["/_ping", "/v1.24/_ping", "/v1.50/_ping"] {
        assert_eq!(get(&engine, path).0, 200, "{path}");
    }
    let (status, body) = get(&engine, "/v1.23/version");
    assert_eq!(status, 400);
    assert!(body.contains("client version 1.23 is too old. Minimum supported API version is 1.24"), "{body}");
    let (status, body) = get(&engine, "/v1.99/version");
    assert_eq!(status, 400);
    assert!(body.contains("client version 1.99 is too new. Maximum supported API version is 1.50"), "{body}");
    assert_eq!(get(&engine, "/nosuch"), (404, "{\"message\":\"page not found\"}\n".into()));
    engine.finish();
}

#[test]
fn malformed_and_oversized_bodies_are_refused() {
    needs!(root);
    let engine = Engine::start();
    let (status, body) = post(&engine, "/v1.41/containers/create", "{ this is not JSON");
    assert_eq!(status, 400, "{body}");
    let (status, body) = post(&engine, "/v1.41/containers/create", "");
    assert_eq!(status, 400, "{body}");
    let (status, body) = post(&engine, "/v1.41/containers/create", "{\"Image\": 7}");
    assert_eq!(status, 400, "{body}");
    let enormous = format!("{{\"Image\":\"{}\"}}", "x".repeat(64 << 20));
    let (status, body) = post(&engine, "/v1.41/containers/create", &enormous);
    assert!(status == 413, "{status} {body}");
    assert_eq!(get(&engine, "/_ping").0, 200, "the daemon lives");
    engine.finish();
}

#[test]
fn what_is_not_built_yet_says_so() {
    needs!(root);
    let engine = Engine::start();
    for path in ["/v1.41/swarm/init", "/v1.41/build", "/v1.41/volumes/create", "/v1.41/networks/create"] {
        let (status, body) = post(&engine, path, "{}");
        assert_eq!(status, 501, "{path}: {body}");
        assert!(body.contains("not supported"), "{path}: {body}");
    }
    engine.finish();
}

#[test]
fn fields_that_are_not_supported_are_refused_by_name() {
    needs!(root);
    needs!("docker");
    let engine = Engine::start();
    engine.import_busybox();
    let create = |field: &str| {
        post(
            &engine,
            "/v1.41/containers/create",
            &format!("{{\"Image\":\"busybox\",\"HostConfig\":{{{field}}}}}"),
        )
    };
    for (field, value) in
        [("VolumesFrom", "[\"x\"]"), ("Links", "[\"x:y\"]"), ("DeviceRequests", "[{\"Count\":1}]")]
    {
        let (status, body) = create(&format!("\"{field}\":{value}"));
        assert!(status >= 400, "{field} is accepted: {body}");
        assert!(body.contains(field), "the error does not name {field}: {body}");
    }
    engine.finish();
}

#[test]
fn clients_that_leave_early_disturb_nobody() {
    needs!(root);
    needs!("docker");
    let engine = Engine::start();
    engine.import_busybox();
    engine
        .docker(&[
            "run",
            "-d",
            "--name",
            "talking",
            "busybox",
            "sh",
            "-c",
            "while :; do echo talking; sleep 0.001; done",
        ])
        .expect(0);
    let attach = "POST /v1.41/containers/talking/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
    let follow = "GET /v1.41/containers/talking/logs?follow=1&stdout=1 HTTP/1.1\r\nHost: x\r\n\r\n";
    for request in [
        attach,
        follow,
        "GET /v1.41/events HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /v1.41/containers/talking/wait HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        for _ in 0..10 {
            let mut stream = UnixStream::connect(engine.folder().join("api.sock")).expect("the socket");
            stream.write_all(request.as_bytes()).expect("the request");
        }
    }
    assert_eq!(engine.docker(&["exec", "talking", "echo", "alive"]).expect(0).line(), "alive");
    engine.finish();
}
