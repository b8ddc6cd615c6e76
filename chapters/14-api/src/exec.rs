//! Commands in a running container.

use serde::{Deserialize, Serialize};

/// The body of `POST /containers/{id}/exec`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ExecCreateRequest {
    /// `User`
    pub user: String,
    /// `Privileged`
    pub privileged: bool,
    /// `Tty`
    pub tty: bool,
    /// `ConsoleSize`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console_size: Option<[u16; 2]>,
    /// `AttachStdin`
    pub attach_stdin: bool,
    /// `AttachStderr`
    pub attach_stderr: bool,
    /// `AttachStdout`
    pub attach_stdout: bool,
    /// `DetachKeys`
    pub detach_keys: String,
    /// `Env`
    pub env: Option<Vec<String>>,
    /// `WorkingDir`
    pub working_dir: String,
    /// `Cmd`
    pub cmd: Option<Vec<String>>,
}

/// What it answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ExecCreateResponse {
    /// `Id`
    pub id: String,
}

/// The body of `POST /exec/{id}/start`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ExecStartRequest {
    /// `Detach`
    pub detach: bool,
    /// `Tty`
    pub tty: bool,
    /// `ConsoleSize`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console_size: Option<[u16; 2]>,
}

/// What `GET /exec/{id}/json` answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ExecInspectResponse {
    /// `ID`
    #[serde(rename = "ID")]
    pub id: String,
    /// `Running`
    pub running: bool,
    /// `ExitCode`
    pub exit_code: Option<i64>,
    /// `ProcessConfig`
    pub process_config: ExecProcessConfig,
    /// `OpenStdin`
    pub open_stdin: bool,
    /// `OpenStderr`
    pub open_stderr: bool,
    /// `OpenStdout`
    pub open_stdout: bool,
    /// `CanRemove`
    pub can_remove: bool,
    /// `ContainerID`
    #[serde(rename = "ContainerID")]
    pub container_id: String,
    /// `DetachKeys`
    pub detach_keys: String,
    /// `Pid`
    pub pid: i64,
}

/// What an exec runs; its names are the only ones that begin small.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExecProcessConfig {
    /// Whether it has a terminal.
    pub tty: bool,
    /// The program.
    pub entrypoint: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Whether it has every privilege.
    pub privileged: bool,
    /// As whom it runs.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user: String,
}
