//! Long tail: running hooks, one after the other, until one fails.

use crate::gate::Gate;
use crate::plan::{Hook, Hooks, State};
use crate::{Error, Result};
use kernel::Strace;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::MemfdFlags;
use rustix::process::Signal;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How much of what a failed hook has written is told.
const TOLD_MAX: u64 = 4096;

/// Runs the hooks of one point, whose name is `point`, each with the state on its standard input.
pub fn run(point: &str, hooks: &[Hook], state: &State) -> Result<()> {
    hooks.iter().enumerate().try_for_each(|numbered| run_numbered(point, numbered, state))
}

/// Runs one of them, which is known by its number.
pub fn run_numbered(point: &str, (index, hook): (usize, &Hook), state: &State) -> Result<()> {
    run_one(hook, state).map_err(|why| {
        let path = hook.path.display();
        Error::system(format!("error running {point} hook #{index} ({path}): {why}"))
    })
}

/// Those at the station where the child waits with its mounts made: on the host, by the runtime.
pub fn run_on_host(hooks: &Hooks, state: &State) -> Result<()> {
    run("prestart", &hooks.prestart, state)?;
    run("createRuntime", &hooks.create_runtime, state)
}

/// The hooks of a container, in the hands of its first process.
#[derive(Debug)]
pub struct ChildHooks {
    hooks: Hooks,
    state: State,
}

impl ChildHooks {
    /// Those of a container; none, if there is nothing for the child to do.
    pub fn new(hooks: &Hooks, state: &State) -> Option<ChildHooks> {
        let has_some = hooks.run_before_pivot() || !hooks.start_container.is_empty();
        has_some.then(|| ChildHooks { hooks: hooks.clone(), state: state.clone() })
    }

    /// How the host numbers this process, as long as its /proc is in sight.
    pub fn learn_own_number(&mut self) -> Result<()> {
        let link = std::fs::read_link("/proc/self").strace(|| "readlink(\"/proc/self\")".into())?;
        let number = link.to_str().and_then(|text| text.parse().ok());
        self.state.pid = number.ok_or_else(|| Error::system("/proc/self leads to no process"))?;
        Ok(())
    }

    /// Everything is mounted: first those that the runtime runs, then those that are run here. `says` is the pipe to it.
    pub fn run_before_pivot(&self, gate: &Gate, says: BorrowedFd<'_>) -> Result<()> {
        if !self.hooks.run_before_pivot() {
            return Ok(());
        }
        end_with_parent(says)?;
        if !gate.wait_for_hooks() {
            kernel::exit_now(1);
        }
        run("createContainer", &self.hooks.create_container, &self.state)?;
        end_at_signal(None)
    }

    /// The last before the command is executed.
    pub fn run_before_command(&self) -> Result<()> {
        let state = State { status: "created", ..self.state.clone() };
        run("startContainer", &self.hooks.start_container, &state)
    }
}

/// Hooks may take long, and until they are done this process has copies of its parent's descriptors: of a lock, that would outlive
/// whoever holds it. Through a FIFO, of which it holds both ends, it would never learn that nobody is left to tell it to go on.
fn end_with_parent(says: BorrowedFd<'_>) -> Result<()> {
    end_at_signal(Some(Signal::KILL))?;
    // A parent that died before that gave no signal; but it alone could read what is said.
    let mut pipe = [PollFd::new(&says, PollFlags::empty())];
    rustix::event::poll(&mut pipe, Some(&Timespec::default())).strace(|| "poll(says)".into())?;
    if pipe[0].revents().contains(PollFlags::ERR) {
        kernel::exit_now(1);
    }
    Ok(())
}

fn end_at_signal(signal: Option<Signal>) -> Result<()> {
    rustix::process::set_parent_process_death_signal(signal)
        .strace(|| format!("prctl(PR_SET_PDEATHSIG, {signal:?})"))?;
    Ok(())
}

/// Files in memory instead of pipes: a hook may read nothing, write much, or leave a process behind that keeps them open.
fn run_one(hook: &Hook, state: &State) -> Result<()> {
    let mut input = memory_file()?;
    let json = serde_json::to_vec(state).map_err(Error::system)?;
    input.write_all(&json).and_then(|()| input.rewind()).strace(|| "write(memfd)".into())?;
    let output = memory_file()?;
    let copy = || output.try_clone().strace(|| "dup(memfd)".into());
    let mut command = Command::new(&hook.path);
    if let Some((name, rest)) = hook.arguments.split_first() {
        command.arg0(name).args(rest);
    }
    command.env_clear().envs(hook.environment.iter().filter_map(|entry| entry.split_once('=')));
    command
        .process_group(0)
        .stdin(Stdio::from(input))
        .stdout(Stdio::from(copy()?))
        .stderr(Stdio::from(copy()?));
    let child = command.spawn().strace(|| format!("execve({:?})", hook.path))?;
    wait(child, hook.timeout, output)
}

fn memory_file() -> Result<File> {
    let file = rustix::fs::memfd_create("hook", MemfdFlags::CLOEXEC);
    Ok(file.strace(|| "memfd_create(\"hook\", MFD_CLOEXEC)".into())?.into())
}

fn wait(mut child: Child, timeout: Option<Duration>, mut output: File) -> Result<()> {
    if let Some(timeout) = timeout
        && !ends_within(&child, timeout)?
    {
        // Its group: what it has started would outlive it, and the container.
        let group = rustix::process::Pid::from_child(&child);
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
        let _ = child.wait();
        return Err(Error::system(format!(
            "it was not done within its timeout of {timeout:?}, and was killed"
        )));
    }
    let status = child.wait().strace(|| "waitid(a hook)".into())?;
    if status.success() {
        return Ok(());
    }
    let mut said = Vec::new();
    let _ = output.rewind().and_then(|()| (&output).take(TOLD_MAX).read_to_end(&mut said));
    Err(Error::system(format!("{status}, output: {}", String::from_utf8_lossy(&said).trim())))
}

fn ends_within(child: &Child, timeout: Duration) -> Result<bool> {
    let pid = rustix::process::Pid::from_child(child);
    let pidfd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty());
    let pidfd = pidfd.strace(|| format!("pidfd_open({})", child.id()))?;
    let deadline = Instant::now() + timeout;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        match rustix::event::poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&left)) {
            Err(rustix::io::Errno::INTR) => {}
            result => return Ok(result.strace(|| "poll(a hook)".into())? == 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn shell(script: &str) -> Hook {
        Hook {
            path: "/bin/sh".into(),
            arguments: ["hook", "-c", script].map(String::from).into(),
            environment: vec!["X=of the hook".into()],
            timeout: None,
        }
    }

    fn state() -> State {
        State {
            oci_version: "1.2.0".into(),
            id: "box".into(),
            status: "creating",
            pid: 7,
            bundle: "/bundle".into(),
            annotations: BTreeMap::new(),
        }
    }

    #[test]
    fn a_hook_reads_the_state_and_has_its_own_environment_alone() {
        // The state has no end of line, so that read(1) fails, having read it.
        let script = r#"read state; echo "$X, $HOME, $state"; exit 3"#;
        let error = run("prestart", &[shell(script)], &state()).unwrap_err().to_string();
        let state = r#"{"ociVersion":"1.2.0","id":"box","status":"creating","pid":7,"bundle":"/bundle"}"#;
        assert!(error.ends_with(&format!("output: of the hook, , {state}")), "{error}");
    }

    #[test]
    fn the_first_failure_is_told_and_the_rest_does_not_run() {
        let hooks = [shell("exit 0"), shell("echo why >&2; exit 3"), shell("exit 4")];
        let error = run("createRuntime", &hooks, &state()).unwrap_err().to_string();
        assert_eq!(error, "error running createRuntime hook #1 (/bin/sh): exit status: 3, output: why");
        let missing = Hook { path: "/nosuch".into(), ..shell("") };
        let error = run("poststop", &[missing], &state()).unwrap_err().to_string();
        assert!(error.contains("execve(\"/nosuch\")") && error.contains("ENOENT"), "{error}");
    }

    #[test]
    fn a_hook_that_takes_too_long_is_killed_with_what_it_started() {
        let file = std::env::temp_dir().join(format!("slow-hook-{}", std::process::id()));
        let script = format!("sleep 100 & echo $! >{}; wait", file.display());
        let slow = Hook { timeout: Some(Duration::from_millis(500)), ..shell(&script) };
        let error = run("poststart", &[slow], &state()).unwrap_err().to_string();
        assert!(error.contains("timeout of 500ms"), "{error}");
        let left = format!("/proc/{}/stat", std::fs::read_to_string(&file).unwrap().trim());
        std::fs::remove_file(file).unwrap();
        // Whoever inherits it may wait for it later.
        let lives = || std::fs::read_to_string(&left).is_ok_and(|stat| !stat.contains(") Z"));
        let deadline = Instant::now() + Duration::from_secs(10);
        while lives() {
            assert!(Instant::now() < deadline, "what a hook has started lives on");
            std::thread::yield_now();
        }
    }
}
