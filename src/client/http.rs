//! HTTP/1.1 over a blocking Unix socket: one connection a request, bodies both ways, and taking a connection over.
//!
//! A connection is never reused: the daemon is on this machine, so a new one costs some twenty microseconds, and a request
//! that was answered by a stream (logs, wait, attach) owns its connection anyway.

use super::failure::{Error, ErrorKind, Result};
use super::signals::Signals;
use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

/// The longest response head that is accepted, in bytes.
const LONGEST_HEAD: usize = 64 * 1024;

/// What is sent to the daemon.
pub struct Request<'a> {
    /// `GET`, `POST`, …
    pub method: &'a str,
    /// Path and query, already encoded.
    pub target: String,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// What follows the head.
    pub body: Body<'a>,
}

/// A request's body.
pub enum Body<'a> {
    /// None, not even an empty one.
    Empty,
    /// JSON, of a known length.
    Json(Vec<u8>),
    /// A stream of unknown length, sent in chunks.
    Stream(&'a mut File),
    /// The connection itself, once the daemon has switched protocols.
    Upgrade,
}

/// A response; reading it reads the body.
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    headers: Vec<(String, String)>,
    source: Source,
    framing: Framing,
}

/// A connection that speaks HTTP no more.
pub struct Upgraded {
    /// The connection.
    pub stream: UnixStream,
    /// What the daemon sent behind its answer, already read.
    pub already_read: Vec<u8>,
}

/// How a body ends.
#[derive(Debug)]
enum Framing {
    Length(u64),
    Chunked { left: u64, ended: bool },
    UntilClosed,
}

/// A request that was sent; its answer is still to be read. Several may be under way, each on its own connection.
pub struct Exchange(Source);

/// Sends `request`.
pub fn send(stream: UnixStream, signals: Option<Signals>, request: Request<'_>) -> Result<Exchange> {
    let mut source = Source { stream, signals, buffer: Vec::new(), start: 0 };
    send_request(&mut source, request)?;
    Ok(Exchange(source))
}

impl Exchange {
    /// Reads the head of the answer.
    pub fn response(self) -> Result<Response> {
        read_head(self.0)
    }
}

fn send_request(source: &mut Source, request: Request<'_>) -> Result<()> {
    let mut head = format!("{} {} HTTP/1.1\r\nHost: coracle\r\n", request.method, request.target);
    head.push_str(&format!("User-Agent: coracle/{}\r\n", env!("CARGO_PKG_VERSION")));
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    match request.body {
        Body::Empty if request.method == "POST" => head.push_str("Content-Length: 0\r\n\r\n"),
        Body::Empty => head.push_str("\r\n"),
        Body::Upgrade => head.push_str("Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n"),
        Body::Json(ref json) => {
            head.push_str(&format!(
                "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                json.len()
            ));
        }
        Body::Stream(_) => {
            head.push_str("Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n")
        }
    }
    let mut bytes = head.into_bytes();
    if let Body::Json(json) = &request.body {
        bytes.extend_from_slice(json);
    }
    match (source.write(&bytes)?, request.body) {
        (true, Body::Stream(reader)) => send_chunks(source, reader),
        _ => Ok(()),
    }
}

fn send_chunks(source: &mut Source, reader: &mut File) -> Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        if let Some(signals) = &source.signals {
            signals.wait_readable(reader.as_fd())?;
        }
        let count = reader.read(&mut buffer)?;
        let mut chunk = format!("{count:x}\r\n").into_bytes();
        chunk.extend_from_slice(&buffer[..count]);
        chunk.extend_from_slice(b"\r\n");
        if !source.write(&chunk)? || count == 0 {
            return Ok(());
        }
    }
}

fn read_head(mut source: Source) -> Result<Response> {
    loop {
        if let Some((length, status, headers)) = parse_head(source.buffered())? {
            source.consume(length);
            if status == 100 {
                continue;
            }
            let framing = framing(status, &headers);
            return Ok(Response { status, headers, source, framing });
        }
        if source.buffered().len() > LONGEST_HEAD {
            return Err(malformed("its head is too long"));
        }
        if source.read_more()? == 0 {
            return Err(malformed("the connection was closed before the answer"));
        }
    }
}

/// The head's length, status and headers, once `bytes` holds all of it.
type Head = (usize, u16, Vec<(String, String)>);

fn parse_head(bytes: &[u8]) -> Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(bytes) {
        Ok(httparse::Status::Partial) => Ok(None),
        Ok(httparse::Status::Complete(length)) => {
            let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
            let headers =
                response.headers.iter().map(|header| (header.name.to_lowercase(), text(header.value)));
            Ok(Some((length, response.code.unwrap_or_default(), headers.collect())))
        }
        Err(error) => Err(malformed(error)),
    }
}

fn malformed(why: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Connection, format!("error during connect: malformed HTTP response: {why}"))
}

fn framing(status: u16, headers: &[(String, String)]) -> Framing {
    let header = |name: &str| headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    if status == 204 || status == 304 {
        return Framing::Length(0);
    }
    if header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        return Framing::Chunked { left: 0, ended: false };
    }
    match header("content-length").and_then(|value| value.parse().ok()) {
        Some(length) => Framing::Length(length),
        None => Framing::UntilClosed,
    }
}

impl Response {
    /// A header's value; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The whole body.
    pub fn bytes(mut self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Takes the connection over after the daemon has switched protocols.
    pub fn upgraded(self) -> Upgraded {
        let already_read = self.source.buffered().to_vec();
        Upgraded { stream: self.source.stream, already_read }
    }

    fn next_chunk(&mut self) -> io::Result<u64> {
        let line = self.source.line()?;
        let digits = line.split(';').next().unwrap_or_default().trim();
        let size =
            u64::from_str_radix(digits, 16).map_err(|_| io::Error::from(malformed("a bad chunk size")))?;
        if size == 0 {
            while !self.source.line()?.is_empty() {}
        }
        Ok(size)
    }

    fn read_at_most(&mut self, target: &mut [u8], limit: u64) -> io::Result<usize> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).min(target.len());
        let count = self.source.read(&mut target[..limit])?;
        if count == 0 && limit > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "unexpected EOF"));
        }
        Ok(count)
    }
}

impl Read for Response {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        match self.framing {
            Framing::UntilClosed => self.source.read(target),
            Framing::Length(0) | Framing::Chunked { ended: true, .. } => Ok(0),
            Framing::Length(left) => {
                let count = self.read_at_most(target, left)?;
                self.framing = Framing::Length(left - count as u64);
                Ok(count)
            }
            Framing::Chunked { left: 0, .. } => {
                let left = self.next_chunk()?;
                self.framing = Framing::Chunked { left, ended: left == 0 };
                self.read(target)
            }
            Framing::Chunked { left, .. } => {
                let count = self.read_at_most(target, left)?;
                let left = left - count as u64;
                if left == 0 {
                    self.source.line()?;
                }
                self.framing = Framing::Chunked { left, ended: false };
                Ok(count)
            }
        }
    }
}

/// The connection with what was read ahead; a read ends early when a signal tells us to stop.
struct Source {
    stream: UnixStream,
    signals: Option<Signals>,
    buffer: Vec<u8>,
    start: usize,
}

impl Source {
    fn buffered(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Sends bytes; false when the daemon reads no more. One that refuses a request early answers before it has read all of
    /// it, and the answer says more than our `EPIPE`.
    fn write(&mut self, bytes: &[u8]) -> Result<bool> {
        match self.stream.write_all(bytes) {
            Ok(()) => Ok(true),
            Err(error)
                if matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) =>
            {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn read_more(&mut self) -> Result<usize> {
        if let Some(signals) = &self.signals {
            signals.wait_readable(self.stream.as_fd())?;
        }
        let old = self.buffer.len();
        self.buffer.resize(old + 16 * 1024, 0);
        let count = self.stream.read(&mut self.buffer[old..]);
        self.buffer.truncate(old + *count.as_ref().unwrap_or(&0));
        Ok(count?)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        self.read_until(b'\n', &mut line)?;
        let text = String::from_utf8_lossy(&line).into_owned();
        Ok(text.trim_end_matches(['\r', '\n']).to_string())
    }
}

impl BufRead for Source {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.buffered().is_empty() {
            self.buffer.clear();
            self.start = 0;
            self.read_more()?;
        }
        Ok(self.buffered())
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
    }
}

impl Read for Source {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(target.len());
        target[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
