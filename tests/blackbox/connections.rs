//! Connections: taken over with and without an upgrade, used before, half closed, abandoned, cut.

use crate::harness::{Engine, wait_until};
use crate::needs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: tcp\r\n";

fn with_busybox(test: impl FnOnce(&mut Engine)) {
    let mut engine = Engine::start();
    engine.import_busybox();
    test(&mut engine);
    engine.finish();
}

fn connect(engine: &Engine) -> UnixStream {
    let stream = UnixStream::connect(engine.folder().join("api.sock")).expect("the socket");
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).expect("a timeout");
    stream
}

fn send(stream: &mut UnixStream, request: &str, headers: &str, body: &str) {
    let length = body.len();
    let typed = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
    let head = format!("{request} HTTP/1.1\r\nHost: x\r\n{headers}{typed}Content-Length: {length}\r\n\r\n");
    stream.write_all((head + body).as_bytes()).expect("the daemon reads");
}

/// Reads until `end` has come.
fn read_to(stream: &mut UnixStream, end: &str) -> String {
    let mut read = Vec::new();
    let mut byte = [0];
    while !read.ends_with(end.as_bytes()) {
        stream.read_exact(&mut byte).expect("more");
        read.extend(byte);
    }
    String::from_utf8_lossy(&read).into_owned()
}

fn read_to_end(stream: &mut UnixStream) -> Vec<u8> {
    let mut read = Vec::new();
    stream.read_to_end(&mut read).expect("the rest");
    read
}

/// A request on a connection of its own; its body.
fn ask(engine: &Engine, request: &str, body: &str) -> String {
    let mut stream = connect(engine);
    send(&mut stream, request, "Connection: close\r\n", body);
    let answer = String::from_utf8_lossy(&read_to_end(&mut stream)).into_owned();
    answer.split_once("\r\n\r\n").expect("an answer").1.to_owned()
}

/// One frame of a stream that carries several.
fn frame(text: &str) -> Vec<u8> {
    let mut frame = vec![1, 0, 0, 0, 0, 0, 0, text.len() as u8];
    frame.extend(text.as_bytes());
    frame
}

/// A created `cat` by the name `cat`.
fn create_cat(engine: &Engine) {
    engine.docker(&["create", "-i", "--name", "cat", "--network", "none", "busybox", "cat"]).expect(0);
}

#[test]
fn who_asks_for_no_upgrade_is_attached_too() {
    needs!(root);
    needs!("docker");
    with_busybox(|engine| {
        for headers in ["", UPGRADE] {
            create_cat(engine);
            let mut stream = connect(engine);
            send(&mut stream, "POST /containers/cat/attach?stream=1&stdin=1&stdout=1", headers, "");
            let head = read_to(&mut stream, "\r\n\r\n");
            let status = if headers.is_empty() { "200 OK" } else { "101 UPGRADED" };
            assert!(head.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{head}");
            ask(engine, "POST /containers/cat/start", "");
            stream.write_all(b"hello\n").expect("it listens");
            stream.shutdown(Shutdown::Write).expect("to say no more");
            assert_eq!(read_to_end(&mut stream), frame("hello\n"));
            engine.docker(&["rm", "-f", "cat"]).expect(0);
        }
    });
}

#[test]
fn what_comes_behind_the_request_is_input_on_a_used_connection_too() {
    needs!(root);
    needs!("docker");
    with_busybox(|engine| {
        create_cat(engine);
        let mut stream = connect(engine);
        send(&mut stream, "GET /_ping", "", "");
        read_to(&mut stream, "\r\n\r\nOK");
        // One write: the daemon's parser reads past the request.
        let request =
            format!("POST /containers/cat/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: x\r\n{UPGRADE}");
        stream.write_all(format!("{request}\r\nearly\n").as_bytes()).expect("it listens");
        read_to(&mut stream, "\r\n\r\n");
        ask(engine, "POST /containers/cat/start", "");
        stream.shutdown(Shutdown::Write).expect("to say no more");
        assert_eq!(read_to_end(&mut stream), frame("early\n"));
    });
}

#[test]
fn an_exec_by_hand() {
    needs!(root);
    needs!("docker");
    with_busybox(|engine| {
        engine
            .docker(&["run", "-d", "--name", "host", "--network", "none", "busybox", "sleep", "1000"])
            .expect(0);
        let body = r#"{"Cmd":["echo","hello"],"AttachStdout":true}"#;
        let created = ask(engine, "POST /containers/host/exec", body);
        let id = created.split('"').nth(3).expect("an id").to_owned();
        let mut stream = connect(engine);
        send(&mut stream, &format!("POST /exec/{id}/start"), "", "{}");
        read_to(&mut stream, "\r\n\r\n");
        assert_eq!(read_to_end(&mut stream), frame("hello\n"));
        let again = ask(engine, &format!("POST /exec/{id}/start"), "{}");
        assert!(again.contains("has already run") || again.contains("is already running"), "{again}");
    });
}

#[test]
fn a_wait_answers_before_the_container_starts() {
    needs!(root);
    needs!("docker");
    with_busybox(|engine| {
        engine
            .docker(&["create", "--name", "four", "--network", "none", "busybox", "sh", "-c", "exit 4"])
            .expect(0);
        let mut stream = connect(engine);
        send(&mut stream, "POST /containers/four/wait?condition=next-exit", "", "");
        assert!(read_to(&mut stream, "\r\n\r\n").starts_with("HTTP/1.1 200 "));
        ask(engine, "POST /containers/four/start", "");
        assert!(read_to(&mut stream, "\r\n0\r\n\r\n").contains("{\"StatusCode\":4}\n"));
    });
}

#[test]
fn a_client_that_says_no_more_gets_its_answer() {
    needs!(root);
    let engine = Engine::start();
    let mut stream = connect(&engine);
    stream.write_all(b"GET /version HTTP/1.0\r\n\r\n").expect("it listens");
    stream.shutdown(Shutdown::Write).expect("to say no more");
    assert!(read_to_end(&mut stream).starts_with(b"HTTP/1.0 200 OK"));
    engine.finish();
}

#[test]
fn a_refused_body_is_read_to_its_end() {
    needs!(root);
    let engine = Engine::start();
    let mut stream = connect(&engine);
    // More than the socket holds: its writer would be cut off, and not see the answer.
    send(&mut stream, "POST /images/create?fromSrc=-", "Connection: close\r\n", &"x".repeat(4 << 20));
    let answer = String::from_utf8_lossy(&read_to_end(&mut stream)).into_owned();
    assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
    assert!(answer.contains("{\"message\":"), "{answer}");
    engine.finish();
}

#[test]
fn nothing_is_kept_for_clients_that_have_gone() {
    needs!(root);
    needs!("docker");
    with_busybox(|engine| {
        engine
            .docker(&["run", "-d", "--name", "quiet", "--network", "none", "busybox", "sleep", "1000"])
            .expect(0);
        let descriptors = |engine: &Engine| -> i64 {
            let info: serde_json::Value = serde_json::from_str(&ask(engine, "GET /info", "")).expect("JSON");
            info["NFd"].as_i64().expect("a number") + info["NEventsListener"].as_i64().expect("a number")
        };
        let before = descriptors(engine);
        let requests =
            ["GET /containers/quiet/logs?follow=1&stdout=1", "GET /events", "POST /containers/quiet/wait"];
        let clients: Vec<UnixStream> = requests
            .iter()
            .cycle()
            .take(30)
            .map(|request| {
                let mut stream = connect(engine);
                send(&mut stream, request, "", "");
                read_to(&mut stream, "\r\n\r\n");
                stream
            })
            .collect();
        assert!(descriptors(engine) >= before + 40, "thirty clients are served");
        drop(clients);
        wait_until("every client is forgotten", || descriptors(engine) <= before + 2);
    });
}

#[test]
fn a_daemon_ends_though_clients_listen() {
    needs!(root);
    let mut engine = Engine::start();
    let mut listener = connect(&engine);
    send(&mut listener, "GET /events", "", "");
    read_to(&mut listener, "\r\n\r\n");
    let idle = connect(&engine);
    let asked = Instant::now();
    assert_eq!(engine.stop_daemon(), 0);
    assert!(asked.elapsed() < Duration::from_secs(4), "it waits for nobody");
    drop(idle);
    engine.start_daemon();
    engine.finish();
}
