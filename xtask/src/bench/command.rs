//! Runs other programs: timed, bounded, and with what they said when they fail.

use crate::Result;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::fs::File;
use std::io::{Read, Seek};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// No single command takes longer than this; one that does is killed, and the bench fails.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs the command, which must succeed, and returns how long that took from before the fork to after the wait.
pub fn timed(command: &mut Command) -> Result<Duration> {
    at_once(std::slice::from_mut(command))
}

/// Starts all commands without waiting in between, and returns how long it took until the last had ended. All must succeed.
pub fn at_once(commands: &mut [Command]) -> Result<Duration> {
    // What they say goes to memory: a pipe would have to be read meanwhile, and a container can hold it open.
    let complaints: Vec<File> = commands.iter().map(|_| memory_file()).collect::<Result<_>>()?;
    for (command, complaint) in commands.iter_mut().zip(&complaints) {
        let stderr = complaint.try_clone().map_err(|error| error.to_string())?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
    }
    let start = Instant::now();
    let children: Vec<Child> = commands.iter_mut().map(spawn).collect::<Result<_>>()?;
    let statuses: Vec<ExitStatus> = children.into_iter().map(wait).collect::<Result<_>>()?;
    let elapsed = start.elapsed();
    for ((command, status), complaint) in commands.iter().zip(statuses).zip(complaints) {
        check(command, status, complaint)?;
    }
    Ok(elapsed)
}

/// Runs the command, which must succeed, and returns what it wrote to standard output.
pub fn output(command: &mut Command) -> Result<String> {
    let (complaint, mut said) = (memory_file()?, memory_file()?);
    let clone = |file: &File| file.try_clone().map_err(|error| error.to_string());
    command.stdin(Stdio::null()).stdout(clone(&said)?).stderr(clone(&complaint)?);
    let status = wait(spawn(command)?)?;
    check(command, status, complaint)?;
    read_whole(&mut said)
}

/// Starts a command; the error names it.
pub fn spawn(command: &mut Command) -> Result<Child> {
    command.spawn().map_err(|error| format!("{command:?} cannot be started: {error}"))
}

/// Waits for the child, at most as long as a command may take.
fn wait(mut child: Child) -> Result<ExitStatus> {
    let pid = Pid::from_child(&child);
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).map_err(|error| format!("pidfd_open: {error}"))?;
    let limit = Timespec { tv_sec: LIMIT.as_secs() as i64, tv_nsec: 0 };
    let ended = poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&limit));
    if ended.map_err(|error| format!("poll: {error}"))? == 0 {
        let _ = child.kill(); // the limit is what is reported
        let _ = child.wait();
        return Err(format!("process {} was killed after {} s", child.id(), LIMIT.as_secs()));
    }
    child.wait().map_err(|error| format!("wait: {error}"))
}

fn check(command: &Command, status: ExitStatus, mut complaint: File) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {status}\n{}", read_whole(&mut complaint)?.trim_end()))
}

fn memory_file() -> Result<File> {
    let file = memfd_create("said", MemfdFlags::CLOEXEC).map_err(|error| format!("memfd_create: {error}"))?;
    Ok(File::from(file))
}

fn read_whole(file: &mut File) -> Result<String> {
    let mut bytes = Vec::new();
    file.rewind().and_then(|()| file.read_to_end(&mut bytes)).map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
