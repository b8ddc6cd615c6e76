//! Which functions programs enter: a breakpoint at the first byte of each, which goes when it is met.
//!
//! Children are traced as well, since they have their parents' memory and so the breakpoints, until they execute something else.

use crate::Result;
use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::c_void;
use std::process::{Command, Stdio};

/// What is to be met, and what was.
pub struct Tracer {
    /// Where functions begin, with what stood there.
    starts: BTreeMap<u64, u8>,
    entered: BTreeSet<u64>,
}

/// `int3`, after which the instruction pointer stands behind it.
const BREAKPOINT: u8 = 0xcc;

/// Stops before it executes its arguments, so that it can be seized: PTRACE_TRACEME, by the child itself, would need unsafe code.
const STOPPED: &str = "kill -STOP $$; exec \"$@\"";

impl Tracer {
    pub fn new(starts: impl IntoIterator<Item = u64>) -> Tracer {
        let starts = starts.into_iter().map(|start| (start, BREAKPOINT)).collect();
        Tracer { starts, entered: BTreeSet::new() }
    }

    /// Runs a program until it ends. Children that go on are served by the next `run`, and by `finish`.
    pub fn run(&mut self, program: &Command) -> Result<()> {
        let mut shell = Command::new("sh");
        shell.args(["-c", STOPPED, "sh"]).arg(program.get_program()).args(program.get_args());
        shell.stdin(Stdio::null()).stdout(Stdio::null());
        program.get_current_dir().map(|folder| shell.current_dir(folder));
        let child = shell.spawn().map_err(|error| format!("sh cannot be started: {error}"))?;
        let pid = Pid::from_raw(child.id().cast_signed());
        let traced = self.seize(pid).and_then(|()| self.serve(Some(pid)));
        match traced.map_err(|errno| format!("ptrace: {errno}"))? {
            Some(0) => Ok(()),
            Some(code) => Err(format!("{program:?}: exit code {code}")),
            None => Err(format!("{program:?}: it was killed")),
        }
    }

    /// Waits for the children that are left; the addresses of the functions that were entered.
    pub fn finish(mut self) -> Result<BTreeSet<u64>> {
        self.serve(None).map_err(|errno| format!("ptrace: {errno}"))?;
        Ok(self.entered)
    }

    fn seize(&self, pid: Pid) -> nix::Result<()> {
        waitpid(pid, Some(WaitPidFlag::WUNTRACED))?;
        let children =
            Options::PTRACE_O_TRACECLONE | Options::PTRACE_O_TRACEFORK | Options::PTRACE_O_TRACEVFORK;
        ptrace::seize(pid, Options::PTRACE_O_TRACEEXEC | Options::PTRACE_O_EXITKILL | children)?;
        nix::sys::signal::kill(pid, Signal::SIGCONT)
    }

    /// Serves every stop until this process ends, whose exit code it tells; without one, until nobody is left.
    fn serve(&mut self, program: Option<Pid>) -> nix::Result<Option<i32>> {
        loop {
            // Of this thread alone: a child of another one is not ours to reap.
            let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
            match waitpid(None, Some(flags)) {
                Ok(WaitStatus::Exited(pid, code)) if Some(pid) == program => return Ok(Some(code)),
                Ok(WaitStatus::Signaled(pid, ..)) if Some(pid) == program => return Ok(None),
                // The shell has executed the program, or the program a copy of itself.
                Ok(WaitStatus::PtraceEvent(pid, _, libc::PTRACE_EVENT_EXEC)) if Some(pid) == program => {
                    gone(self.arm(pid).and_then(|()| ptrace::cont(pid, None)))?;
                }
                Ok(WaitStatus::PtraceEvent(pid, _, libc::PTRACE_EVENT_EXEC)) => {
                    gone(ptrace::detach(pid, None))?
                }
                Ok(WaitStatus::PtraceEvent(pid, ..)) => gone(ptrace::cont(pid, None))?,
                Ok(WaitStatus::Stopped(pid, signal)) => gone(self.stopped(pid, signal))?,
                Ok(_) | Err(Errno::EINTR) => {}
                Err(Errno::ECHILD) if program.is_none() => return Ok(None),
                Err(errno) => return Err(errno),
            }
        }
    }

    /// Puts the breakpoints into a program that has not executed an instruction yet.
    fn arm(&mut self, pid: Pid) -> nix::Result<()> {
        for (start, byte) in &mut self.starts {
            *byte = exchange(pid, *start, BREAKPOINT)?;
        }
        Ok(())
    }

    /// Takes a breakpoint away and lets its function run, or hands on a signal that means something else.
    fn stopped(&mut self, pid: Pid, signal: Signal) -> nix::Result<()> {
        let met = if signal == Signal::SIGTRAP { Some(breakpoint(pid)?) } else { None };
        let Some((start, byte)) = met.and_then(|start| Some((start, *self.starts.get(&start)?))) else {
            return ptrace::cont(pid, signal);
        };
        self.entered.insert(start);
        exchange(pid, start, byte)?;
        go_back(pid, start)?;
        ptrace::cont(pid, None)
    }
}

/// Puts a byte into a process's code; the one that stood there.
fn exchange(pid: Pid, address: u64, byte: u8) -> nix::Result<u8> {
    let address = address as *mut c_void;
    let mut word = ptrace::read(pid, address)?.to_ne_bytes();
    let old = std::mem::replace(&mut word[0], byte);
    ptrace::write(pid, address, libc::c_long::from_ne_bytes(word)).map(|()| old)
}

/// The breakpoint behind which a process stands.
#[cfg(target_arch = "x86_64")]
fn breakpoint(pid: Pid) -> nix::Result<u64> {
    Ok(ptrace::getregs(pid)?.rip.wrapping_sub(1))
}

#[cfg(target_arch = "x86_64")]
fn go_back(pid: Pid, start: u64) -> nix::Result<()> {
    let mut registers = ptrace::getregs(pid)?;
    registers.rip = start;
    ptrace::setregs(pid, registers)
}

#[cfg(not(target_arch = "x86_64"))]
fn breakpoint(_: Pid) -> nix::Result<u64> {
    Err(Errno::ENOSYS)
}

#[cfg(not(target_arch = "x86_64"))]
fn go_back(_: Pid, _: u64) -> nix::Result<()> {
    Err(Errno::ENOSYS)
}

/// A process that was killed meanwhile needs nothing more; its end is told as well.
fn gone(outcome: nix::Result<()>) -> nix::Result<()> {
    if outcome == Err(Errno::ESRCH) { Ok(()) } else { outcome }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::symbols;

    #[test]
    fn an_order_has_the_functions_that_a_program_and_its_children_enter() {
        if cfg!(not(target_arch = "x86_64")) {
            return skipped::skip(
                "an_order_has_the_functions_that_a_program_and_its_children_enter",
                "breakpoints are x86_64's",
            );
        }
        let this = std::env::current_exe().unwrap();
        let functions = symbols::functions(&this).unwrap();
        let mut tracer = Tracer::new(functions.iter().map(|function| function.address));
        tracer.run(Command::new(&this).arg("--list")).unwrap();
        let entered = tracer.finish().unwrap();
        let names = symbols::at(&functions, &entered);
        assert!(names.contains("main"), "{names:?}");
        let is_for_tests = |name: &&str| name.contains("go_back");
        assert!(functions.iter().any(|function| is_for_tests(&function.name.as_str())));
        assert!(!names.iter().any(is_for_tests), "{names:?}");
        assert!(entered.len() * 2 < functions.len(), "{} of {}", entered.len(), functions.len());
    }

    #[test]
    fn an_order_is_not_made_of_a_program_that_fails() {
        let why = Tracer::new([]).run(&Command::new("false")).unwrap_err();
        assert!(why.contains("exit code 1"), "{why}");
    }
}
