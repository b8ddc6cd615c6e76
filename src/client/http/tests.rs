//! Requests and answers over a real socket.

use super::*;
use std::io::Seek;

/// What a daemon reads and answers, over a real socket; the answer comes in pieces of `size` bytes.
fn exchange(request: Request<'_>, answer: &[u8], size: usize) -> (Result<Response>, String) {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let exchange = send(ours, None, request).unwrap();
    let mut read = vec![0; 1 << 20];
    let count = theirs.read(&mut read).unwrap();
    answer.chunks(size).for_each(|piece| theirs.write_all(piece).unwrap());
    drop(theirs);
    (exchange.response(), String::from_utf8_lossy(&read[..count]).into_owned())
}

fn get() -> Request<'static> {
    Request { method: "GET", target: "/v1.50/x".into(), headers: Vec::new(), body: Body::Empty }
}

fn body_of(answer: &[u8]) -> std::result::Result<String, String> {
    let answers = [1, 7, answer.len()].map(|size| {
        let bytes = exchange(get(), answer, size).0.and_then(Response::bytes);
        bytes.map(|bytes| String::from_utf8(bytes).unwrap()).map_err(|error| error.to_string())
    });
    assert!(answers.iter().all(|text| *text == answers[0]), "cuts make a difference: {answers:?}");
    answers[0].clone()
}

#[test]
fn bodies_end_in_three_ways() {
    assert_eq!(body_of(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok, more"), Ok("ok".into()));
    assert_eq!(body_of(b"HTTP/1.1 200 OK\r\n\r\nuntil the end"), Ok("until the end".into()));
    let chunked =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n";
    assert_eq!(body_of(chunked), Ok("abc0123456789".into()));
    assert_eq!(body_of(b"HTTP/1.1 204 No Content\r\n\r\n"), Ok(String::new()));
    assert_eq!(
        body_of(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!"),
        Ok("!".into())
    );
}

#[test]
fn broken_answers_are_errors() {
    let cut = "unexpected EOF";
    assert_eq!(body_of(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"), Err(cut.into()));
    assert_eq!(body_of(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc"), Err(cut.into()));
    assert!(body_of(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n").is_err());
    assert!(body_of(b"SSH-2.0-OpenSSH\r\n").is_err());
    assert!(body_of(b"HTTP/1.1 200").is_err());
}

#[test]
fn requests_say_how_long_they_are() {
    let json = Request { method: "POST", body: Body::Json(b"{}".to_vec()), ..get() };
    let (_, read) = exchange(json, b"", 1);
    assert!(read.contains("\r\nContent-Length: 2\r\n") && read.ends_with("\r\n\r\n{}"), "{read}");
    let mut reader = tempfile::tempfile().unwrap();
    reader.write_all(b"tar").unwrap();
    reader.rewind().unwrap();
    let stream = Request { method: "POST", body: Body::Stream(&mut reader), ..get() };
    let (_, read) = exchange(stream, b"", 1);
    assert!(read.ends_with("\r\n\r\n3\r\ntar\r\n0\r\n\r\n"), "{read}");
}

#[test]
fn a_connection_taken_over_keeps_what_came_early() {
    let upgrade = Request { method: "POST", body: Body::Upgrade, ..get() };
    let (response, read) = exchange(upgrade, b"HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\nearly", 100);
    assert!(read.contains("\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"), "{read}");
    let upgraded = response.unwrap().upgraded();
    let mut stream = upgraded.stream;
    let mut late = String::new();
    stream.read_to_string(&mut late).unwrap();
    assert_eq!(upgraded.already_read, b"early");
}

#[test]
fn an_early_refusal_is_read_although_the_body_was_not() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let daemon = std::thread::spawn(move || {
        let mut head = [0; 64];
        theirs.read_exact(&mut head).unwrap();
        theirs.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno").unwrap();
    });
    let mut body = File::open("/dev/zero").unwrap();
    let request = Request { method: "POST", body: Body::Stream(&mut body), ..get() };
    let response = send(ours, None, request).and_then(Exchange::response).unwrap();
    daemon.join().unwrap();
    assert_eq!(response.status, 400);
    assert_eq!(response.bytes().unwrap(), b"no");
}
