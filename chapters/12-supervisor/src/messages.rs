//! What is said between a daemon and a supervisor, and the files that both read.
//!
//! ```text
//!   daemon                                supervisor                        container's first process
//!     │ writes launch.json, config.json       │
//!     │ spawns `supervise RUN_DIR`, fd 0 ────▶│ clone3 ────────────────────────▶│ mounts, privileges
//!     │◀───────────────────────────── Created │◀─────────────────────── "ready" │ waits
//!     │ attaches the network by pid           │                                 │
//!     │ Attach + the client's socket ────────▶│                                 │
//!     │ Start ───────────────────────────────▶│ a byte ────────────────────────▶│ execve
//!     │◀──────────────────── Started | Failed │◀─── end of file, or the error   │
//!     │ Attach, Resize, Signal ──────────────▶│                                 │ runs
//!     │                                       │◀──────────────────── pidfd      │ ends
//!     │                                       │ drains, writes exit.json, removes the cgroup
//!     │◀────────────────────────────── Exited │ delivers what clients have not read yet
//!     │◀───────────────────────── end of file │ ends
//! ```
//!
//! A container of another runtime ([`Launch::runtime`]) is made by its `create`, and executes its command by its `start`.
//!
//! Before `Started` the supervisor lives only as long as the connection on its descriptor 0: at end of file it destroys
//! the container. After it, it lives as long as the container, whoever connects to `control.sock` and whoever vanishes.
//! A connection to `control.sock` is first told `Created`, then `Started`.
//!
//! One message is one JSON document in one packet of a `SOCK_SEQPACKET` socket, at most [`MESSAGE_MAX`] bytes.

use runtime::Identity;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The version of all that is in this file. A supervisor outlives the daemon that started it, and so may meet a newer one.
pub const VERSION: u32 = 1;

/// The longest message, bytes.
pub const MESSAGE_MAX: usize = 16 * 1024;

/// What a supervisor is to run: `launch.json`. A container's OCI spec lies beside it in `config.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Launch {
    /// [`VERSION`].
    pub version: u32,
    /// The container's id; of an exec session, its own.
    pub id: String,
    /// A container, or one more process in one that runs.
    pub kind: Kind,
    /// A pseudo-terminal instead of three pipes.
    pub terminal: bool,
    /// Its first size: columns and rows.
    pub console_size: Option<(u16, u16)>,
    /// Keep the process's standard input open for clients; otherwise it is /dev/null.
    pub open_stdin: bool,
    /// Close it when the first client that was attached to it has finished.
    pub stdin_once: bool,
    /// Where its output is written.
    pub log: Option<LogFile>,
    /// Who makes it, or has made the container; none: chapter 05.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<OtherRuntime>,
}

/// Another OCI runtime, with runc's command line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherRuntime {
    /// Its executable.
    pub path: PathBuf,
    /// What its command line begins with, before any of ours.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// The folder in which it keeps its states.
    pub root: PathBuf,
}

/// What to make.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A container from `config.json`.
    Container {
        /// What its root is made of.
        root: chroot::Root,
        /// The cgroup to make, below the cgroup mount points: `/coracle/ID`. None: no cgroup at all.
        cgroup: Option<String>,
    },
    /// A process in a container that runs.
    Exec {
        /// The container's id.
        container: String,
        /// The container's first process.
        target: Identity,
        /// The container's cgroup.
        cgroup: Option<String>,
        /// What to run, and as whom.
        process: Box<oci_spec::runtime::Process>,
        /// The container's own filter, `linux.seccomp` of its spec: what it keeps from its first process it keeps from this one.
        seccomp: Option<Box<oci_spec::runtime::LinuxSeccomp>>,
    },
}

/// A log in Docker's json-file format.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LogFile {
    /// The newest file; older ones are PATH.1, PATH.2, …
    pub path: PathBuf,
    /// Bytes after which a new file is begun.
    pub max_size: Option<u64>,
    /// How many files to keep, the newest included.
    pub max_file: u32,
}

/// From a daemon.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Execute the command. Answered by `Started` or `Failed`.
    Start,
    /// The descriptor that comes with the message is a client's socket: connect it. A second one, a memfd, holds what the
    /// client had sent already when its socket was handed over.
    Attach(AttachOptions),
    /// The terminal's new size.
    Resize {
        /// Columns.
        width: u16,
        /// Rows.
        height: u16,
    },
    /// Send a signal to the first process.
    Signal(i32),
}

/// How to serve an attached client.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct AttachOptions {
    /// What the client sends becomes the process's input.
    pub stdin: bool,
    /// Send it standard output.
    pub stdout: bool,
    /// Send it standard error.
    pub stderr: bool,
    /// Each chunk of output is preceded by `[stream, 0, 0, 0, length: 4 bytes big-endian]`; false: raw bytes.
    pub framed: bool,
    /// The keys that end the connection, looked for on a terminal only. Empty: none.
    pub detach_keys: Vec<u8>,
}

/// To every connected daemon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The process exists, with all its namespaces, and waits.
    Created(Identity),
    /// It executes the command since this time, RFC 3339 with nanoseconds.
    Started {
        /// When.
        at: String,
    },
    /// It does not; nothing is left of it.
    Failed(Failure),
    /// A client used its detach keys.
    Detached,
    /// It has ended; `exit.json` is written and the cgroup removed.
    Exited(Exit),
}

/// Why a container could not be made or its command not be executed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// Which kind, for the exit code.
    pub kind: FailureKind,
    /// In runc's words: what follows "unable to start container process: ".
    pub message: String,
    /// They are another runtime's, and whole.
    #[serde(default)]
    pub whole: bool,
}

/// The kinds of failure that Docker's exit codes distinguish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// No such command: 127.
    CommandNotFound,
    /// It may not be executed: 126.
    CommandNotExecutable,
    /// The request asks for what is not supported.
    NotSupported,
    /// The request makes no sense.
    Invalid,
    /// Anything else: 128.
    System,
}

impl Failure {
    /// The kernel refused something.
    pub fn system(message: &impl std::fmt::Display) -> Failure {
        Failure { kind: FailureKind::System, message: message.to_string(), whole: false }
    }
}

impl From<runtime::Error> for Failure {
    fn from(error: runtime::Error) -> Failure {
        use runtime::ErrorKind;
        let kind = match error.kind() {
            ErrorKind::CommandNotFound => FailureKind::CommandNotFound,
            ErrorKind::CommandNotExecutable => FailureKind::CommandNotExecutable,
            ErrorKind::NotSupported => FailureKind::NotSupported,
            ErrorKind::Invalid => FailureKind::Invalid,
            ErrorKind::NoSuchContainer | ErrorKind::Conflict | ErrorKind::System => FailureKind::System,
        };
        Failure { kind, message: error.to_string(), whole: false }
    }
}

impl FailureKind {
    /// The exit code that `docker run` reports for it.
    pub fn exit_code(self) -> i32 {
        match self {
            FailureKind::CommandNotFound => 127,
            FailureKind::CommandNotExecutable => 126,
            _ => 128,
        }
    }
}

/// How a process ended: `exit.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Exit {
    /// 0 to 255; 128 + n for signal n.
    pub code: i32,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// The kernel killed something in its cgroup for want of memory.
    pub oom_killed: bool,
    /// When, RFC 3339 with nanoseconds.
    pub finished_at: String,
}
