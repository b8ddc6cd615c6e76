//! A daemon that answers by a script.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// How a request is answered.
#[derive(Clone, Copy)]
pub enum Answer {
    /// Not at all: the connection stays open.
    Never,
    /// As usual, but only after [`Fake::release`].
    WhenReleased,
    /// With a status and a body.
    Status(u16, &'static str),
    /// With these bytes.
    Raw(&'static str),
}

/// The daemon; it ends with the test.
pub struct Fake {
    folder: tempfile::TempDir,
    state: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    script: Vec<(String, Answer)>,
    inner: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    requests: Vec<String>,
    released: bool,
    /// Connections that stay open.
    held: Vec<UnixStream>,
    attached: Option<UnixStream>,
    waiting: Option<UnixStream>,
}

impl Fake {
    /// Answers requests whose line begins with a given text by the script, the others as a daemon would.
    pub fn new(script: &[(&str, Answer)]) -> Fake {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("sock")).unwrap();
        let script = script.iter().map(|(text, answer)| (text.to_string(), *answer)).collect();
        let state = Arc::new(Shared { script, ..Shared::default() });
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                std::thread::spawn(move || shared.serve(stream));
            }
        });
        Fake { folder, state }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("sock")
    }

    /// The request lines so far.
    pub fn requests(&self) -> Vec<String> {
        self.state.inner.lock().unwrap().requests.clone()
    }

    /// Waits until something was asked for, at most five seconds.
    pub fn wait_for(&self, text: &str) {
        let state = self.state.inner.lock().unwrap();
        let missing = |state: &mut State| !state.requests.iter().any(|request| request.starts_with(text));
        let (state, waited) =
            self.state.changed.wait_timeout_while(state, Duration::from_secs(5), missing).unwrap();
        assert!(!waited.timed_out(), "nobody asked for {text}: {:?}", state.requests);
    }

    /// Lets what was held back be answered.
    pub fn release(&self) {
        self.state.inner.lock().unwrap().released = true;
        self.state.changed.notify_all();
    }

    /// Ends the attached streams, and the container with code 42.
    pub fn close_streams(&self) {
        let mut state = self.state.inner.lock().unwrap();
        state.attached = None;
        if let Some(mut waiting) = state.waiting.take() {
            waiting.write_all(b"11\r\n{\"StatusCode\":42}\r\n0\r\n\r\n").unwrap();
        }
    }
}

impl Shared {
    fn serve(&self, mut stream: UnixStream) {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            if stream.read(&mut byte).unwrap_or(0) == 0 {
                return;
            }
            head.extend_from_slice(&byte);
        }
        let line = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_string();
        let line = line.trim_end_matches(" HTTP/1.1").to_string();
        let mut state = self.inner.lock().unwrap();
        state.requests.push(line.clone());
        self.changed.notify_all();
        let answer = self.script.iter().find(|(text, _)| line.starts_with(text)).map(|(_, answer)| *answer);
        match answer {
            Some(Answer::Never) => state.held.push(stream),
            Some(Answer::Status(status, body)) => respond(&mut stream, status, body),
            // A client that has given up is no failure of the daemon's.
            Some(Answer::Raw(text)) => drop(stream.write_all(text.as_bytes())),
            Some(Answer::WhenReleased) => {
                drop(self.changed.wait_while(state, |state| !state.released).unwrap());
                respond(&mut stream, 201, r#"{"Id":"abc","Warnings":[]}"#);
            }
            None => usual(&mut state, stream, &line),
        }
    }
}

fn respond(stream: &mut UnixStream, status: u16, body: &str) {
    let head = format!("HTTP/1.1 {status} X\r\nApi-Version: 1.50\r\nContent-Length: {}\r\n\r\n", body.len());
    // A client that has given up is no failure of the daemon's.
    let _ = stream.write_all((head + body).as_bytes());
}

fn usual(state: &mut State, mut stream: UnixStream, line: &str) {
    match line {
        line if line.contains("/attach") => {
            let _ = stream.write_all(b"HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
            state.attached = Some(stream);
        }
        line if line.contains("/wait") => {
            let _ = stream.write_all(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n");
            state.waiting = Some(stream);
        }
        line if line.contains("/create") => respond(&mut stream, 201, r#"{"Id":"abc","Warnings":[]}"#),
        _ => respond(&mut stream, 200, ""),
    }
}
