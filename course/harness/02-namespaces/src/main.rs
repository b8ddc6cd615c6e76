//! What the checks of exercise 02 run: a caller of `namespaces::spawn` that does as it is told.
//!
//! Standard input is a socket on which the caller speaks with the checks, standard output one for the child. The kernel
//! says to the checks who sent each message; what a message claims beyond that, they look up in /proc.
#![forbid(unsafe_code)]

use kernel::SysError;
use namespaces::{Child, Error, Failure, FailureKind, IdMap, SpawnPlan, map_text, spawn};
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{Id, WaitPidFlag, waitid, waitpid};
use nix::unistd::Pid;
use std::convert::Infallible;
use std::fs::File;
use std::io::{Write, stdin, stdout};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio, exit};

fn main() {
    let mut words = std::env::args();
    let name = words.next().unwrap_or_default();
    let words: Vec<String> = words.collect();
    if ["newuidmap", "newgidmap"].contains(&name.as_str()) {
        return helper(&name, &words);
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["map-text", maps] => {
            let maps: Vec<IdMap> = serde_json::from_str(maps).expect("the checks write maps");
            ask(stdout(), &map_text(&maps));
        }
        ["spawn", plan] => caller(&serde_json::from_str(plan).expect("the checks write a plan"), None),
        ["spawn", plan, group] => {
            let group = File::open(group).expect("the checks have made the group");
            caller(&serde_json::from_str(plan).expect("the checks write a plan"), Some(group.as_fd()));
        }
        ["spawn-beside-another", plan] => {
            let another = another();
            caller(&serde_json::from_str(plan).expect("the checks write a plan"), None);
            ask(stdin(), &format!("ended {:?}", waitpid(another, None)));
        }
        ["spawn-with-helpers", folder, refusing, plan] => {
            let mut again = Command::new("/proc/self/exe");
            let error = again.env("PATH", folder).env("REFUSING", refusing).args(["spawn", plan]).exec();
            panic!("/proc/self/exe: {error}");
        }
        ["nothing"] => {}
        ["program"] => {
            let code = ask(stdout(), "running");
            exit(code.parse().unwrap_or(1));
        }
        _ => panic!("the checks say what to do"),
    }
}

/// Sends a message and waits for what shall be done; at the end of the socket nobody is there to say it.
fn ask(socket: impl AsFd, message: &str) -> String {
    let socket = UnixDatagram::from(socket.as_fd().try_clone_to_owned().expect("the socket is open"));
    let mut answer = vec![0; 1 << 18];
    let answered = socket.send(message.as_bytes()).and_then(|_| socket.recv(&mut answer));
    match answered {
        Ok(length @ 1..) => String::from_utf8_lossy(&answer[..length]).into_owned(),
        _ => exit(0),
    }
}

/// The caller's side, step by step.
fn caller(plan: &SpawnPlan, group: Option<BorrowedFd<'_>>) {
    let before = |pid: Pid| match ask(stdin(), &format!("before {pid}")).as_str() {
        "give up" => Err(Error::other("the caller gives up")),
        "give up, not permitted" => {
            Err(Error::call("the caller gives up", SysError::new("nothing()", Errno::EPERM)))
        }
        _ => Ok(()),
    };
    // No end of a line: it stays in our memory until we end, and a copy of it in the child's.
    print!("kept back");
    match spawn(plan, group, before, inside) {
        Ok(child) => follow(child),
        Err(error) => {
            ask(stdin(), &format!("refused {:?}: {error}", error.kind()));
        }
    }
}

/// In the place of newuidmap(1) and newgidmap(1): one of them refuses, and tells what it was given after the number of a process.
fn helper(name: &str, words: &[String]) {
    if std::env::var("REFUSING").is_ok_and(|refusing| refusing == name) {
        let map = words.get(1..).unwrap_or_default().join(" ");
        eprintln!("{name} was given: {map};");
        exit(1);
    }
}

/// An older child of the caller's, which has ended and was not waited for.
fn another() -> Pid {
    let mut command = Command::new("/proc/self/exe");
    let child = command.arg("nothing").stdin(Stdio::null()).stdout(Stdio::null()).spawn();
    let pid = Pid::from_raw(child.expect("this program can be started").id() as i32);
    waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT).expect("it ends");
    pid
}

fn follow(child: Child) {
    let pid = child.pid;
    ask(stdin(), &format!("spawned {pid} {}", child.pidfd.as_raw_fd()));
    let message = match child.executed() {
        Ok((pid, _pidfd)) => format!("executed {pid}"),
        Err(failure) => {
            format!("failed {}", serde_json::to_string(&failure).expect("a failure can be written"))
        }
    };
    ask(stdin(), &message);
    ask(stdin(), &format!("ended {:?}", waitpid(pid, None)));
}

/// The child's side: it becomes a program, or fails with the words that it is given, or writes them itself and ends.
fn inside(says: BorrowedFd<'_>) -> Result<Infallible, Failure> {
    let mut order = ask(stdout(), "inside");
    if order == "leave the network" {
        // In the new one nobody has brought up anything.
        unshare(CloneFlags::CLONE_NEWNET).expect("the child is root of its user namespace");
        order = ask(stdout(), "inside");
    }
    match order.split_once(' ') {
        Some(("fail", words)) => return Err(Failure::new(FailureKind::NotExecutable, words)),
        Some(("mumble", words)) => {
            let says = says.try_clone_to_owned().expect("the pipe is open");
            File::from(says).write_all(words.as_bytes()).expect("somebody reads it");
            kernel::exit_now(1)
        }
        Some(("deny", words)) => return Err(Failure::new(FailureKind::PermissionDenied, words)),
        _ => {}
    }
    let error = Command::new("/proc/self/exe").arg("program").exec();
    Err(Failure::new(FailureKind::System, format_args!("/proc/self/exe: {error}")))
}
