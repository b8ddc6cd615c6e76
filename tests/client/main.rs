//! The client against a daemon that misbehaves: interrupted in every phase, and told what it cannot use.
//!
//! The daemon here is a thread that answers by a script, so that each phase can be held as long as a test needs.

#![forbid(unsafe_code)]

mod fake;

use fake::{Answer, Fake};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

struct Client {
    process: Child,
    cidfile: PathBuf,
}

/// Starts `coracle`; `CIDFILE` in its arguments is a path in the fake's folder.
fn coracle(fake: &Fake, arguments: &[&str]) -> Client {
    let cidfile = fake.folder().join("cid");
    let arguments = arguments.iter().map(|argument| argument.replace("CIDFILE", cidfile.to_str().unwrap()));
    let process = Command::new(env!("CARGO_BIN_EXE_coracle"))
        .args(arguments)
        .env("CORACLE_HOST", format!("unix://{}", fake.socket().display()))
        .env_remove("DOCKER_API_VERSION")
        // Held open by us, so that its input does not end.
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    Client { process, cidfile }
}

impl Client {
    fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = nix::unistd::Pid::from_raw(self.process.id() as i32);
        nix::sys::signal::kill(pid, signal).unwrap();
    }

    /// Its code and standard error, within five seconds.
    fn end(mut self) -> (Option<i32>, String) {
        let deadline = Instant::now() + Duration::from_secs(5);
        let input = self.process.stdin.take();
        while self.process.try_wait().unwrap().is_none() {
            if Instant::now() > deadline {
                self.process.kill().unwrap();
                panic!("the client hangs: {:?}", self.process.wait_with_output());
            }
            std::thread::sleep(Duration::from_millis(2)); // poll
        }
        drop(input);
        let Output { status, stderr, .. } = self.process.wait_with_output().unwrap();
        (status.code(), String::from_utf8(stderr).unwrap())
    }
}

/// Interrupts the command once the daemon was asked for `phase`, which `answer` answers; gives what was asked for.
fn interrupted(phase: &str, answer: Answer, arguments: &[&str]) -> Vec<String> {
    let fake = Fake::new(&[(phase, answer)]);
    let client = coracle(&fake, arguments);
    fake.wait_for(phase);
    client.signal(nix::sys::signal::Signal::SIGINT);
    fake.release();
    let cidfile = client.cidfile.clone();
    let (code, _) = client.end();
    assert_eq!(code, Some(130), "interrupted in {phase}");
    assert!(!cidfile.exists(), "a file is left of {phase}");
    fake.requests()
}

const RUN: &[&str] = &["run", "--rm", "--cidfile", "CIDFILE", "x"];

fn discards(requests: &[String]) -> bool {
    requests.last().is_some_and(|request| request.starts_with("DELETE /v1.50/containers/abc"))
}

#[test]
fn an_interrupt_before_anything_exists_just_ends() {
    interrupted("GET /_ping", Answer::Never, RUN);
    interrupted("GET /v1.50/containers/json", Answer::Never, &["ps"]);
    interrupted("POST /v1.50/images/load", Answer::Never, &["load"]);
}

#[test]
fn an_interrupted_pull_makes_no_container() {
    let create = ("POST /v1.50/containers/create", Answer::Status(404, r#"{"message":"No such image"}"#));
    let fake = Fake::new(&[create, ("POST /v1.50/images/create", Answer::Never)]);
    let client = coracle(&fake, RUN);
    fake.wait_for("POST /v1.50/images/create");
    client.signal(nix::sys::signal::Signal::SIGINT);
    assert_eq!(client.end(), (Some(130), "Unable to find image 'x:latest' locally\n".to_string()));
    assert_eq!(fake.requests().len(), 3);
}

#[test]
fn a_container_that_was_made_meanwhile_is_removed() {
    let requests = interrupted("POST /v1.50/containers/create", Answer::WhenReleased, RUN);
    assert!(discards(&requests), "{requests:?}");
}

#[test]
fn a_container_that_has_not_started_is_removed() {
    for phase in ["POST /v1.50/containers/abc/attach", "POST /v1.50/containers/abc/wait"] {
        let requests = interrupted(phase, Answer::Never, RUN);
        assert!(discards(&requests), "{phase}: {requests:?}");
    }
}

#[test]
fn signals_go_to_the_container_that_runs() {
    let fake = Fake::new(&[]);
    let client = coracle(&fake, &["run", "x"]);
    fake.wait_for("POST /v1.50/containers/abc/start");
    client.signal(nix::sys::signal::Signal::SIGTERM);
    fake.wait_for("POST /v1.50/containers/abc/kill?signal=TERM");
    fake.close_streams();
    assert_eq!(client.end(), (Some(42), String::new()));
}

#[test]
fn answers_that_are_not_http_are_errors() {
    let fake = Fake::new(&[("GET /v1.50/containers/json", Answer::Raw("nonsense\r\n\r\n"))]);
    let (code, text) = coracle(&fake, &["ps"]).end();
    assert_eq!(code, Some(1));
    assert!(text.starts_with("error during connect: malformed HTTP response"), "{text}");
    let fake = Fake::new(&[("GET /v1.50/containers/json", Answer::Status(500, r#"{"message":"no"}"#))]);
    assert_eq!(coracle(&fake, &["ps"]).end(), (Some(1), "Error response from daemon: no\n".to_string()));
}

#[test]
fn no_daemon_where_one_was_named_is_an_error() {
    let output = Command::new(env!("CARGO_BIN_EXE_coracle"))
        .args(["-H", "unix:///nosuch", "run", "x"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(125));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.starts_with("coracle: Cannot connect to the Coracle daemon at unix:///nosuch."), "{text}");
}
