//! What the checks of exercise 04 run: a process that gives its privileges away, executes itself, and then does as it is told.
//!
//! Standard input is a socket on which it speaks with the checks. What it has and what it did, they look up in the kernel's files.
#![forbid(unsafe_code)]

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::unistd::{Whence, chdir, lseek};
use privileges::{CapSet, Error, Plan, apply_and_hand_over, seccomp};
use std::io::stdin;
use std::os::fd::{AsFd, AsRawFd, IntoRawFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["named", names @ ..] => named(names),
        ["compile", profile] => compiled(profile),
        ["apply", profile, plans @ ..] => applied(profile, plans),
        ["follow"] => follow(),
        _ => panic!("the checks say what to do"),
    }
}

/// Sends a message and waits for what shall be done; at the end of the socket nobody is there to say it.
fn ask(message: &str) -> String {
    let socket = stdin().as_fd().try_clone_to_owned().expect("the socket is open");
    let socket = UnixDatagram::from(socket);
    let mut answer = vec![0; 1 << 16];
    match socket.send(message.as_bytes()).and_then(|_| socket.recv(&mut answer)) {
        Ok(length @ 1..) => String::from_utf8_lossy(&answer[..length]).into_owned(),
        _ => exit(0),
    }
}

fn named(names: &[&str]) {
    match CapSet::from_names(names) {
        Ok(set) => ask(&format!("set {} {}", set.0, set.names().collect::<Vec<_>>().join(" "))),
        Err(name) => ask(&format!("refused {name}")),
    };
}

fn program(profile: &str) -> seccomp::Program {
    seccomp::compile(&serde_json::from_str(profile).expect("the checks write profiles"))
}

fn compiled(profile: &str) {
    let program = serde_json::to_string(&program(profile).instructions).expect("instructions can be written");
    ask(&format!("compiled {program}"));
}

/// Applies one plan after the other, the last with the profile's filter if there is a profile.
fn applied(profile: &str, plans: &[&str]) {
    for (index, plan) in plans.iter().enumerate() {
        let mut plan: Plan = serde_json::from_str(plan).expect("the checks write plans");
        if index + 1 == plans.len() && !profile.is_empty() {
            plan.seccomp = Some(program(profile));
        }
        if let Err(error) = apply_and_hand_over(&plan, &keep) {
            ask(&format!("refused {:?}: {error}", error.kind()));
            return;
        }
    }
    // Whatever was this process's until now: only what outlives this is seen.
    let error = Command::new("/proc/self/exe").arg("follow").exec();
    ask(&format!("refused execve: {error}"));
}

/// Keeps a filter's listener, also through execve(2).
fn keep(listener: OwnedFd) -> Result<(), Error> {
    fcntl(&listener, FcntlArg::F_SETFD(FdFlag::empty())).expect("a descriptor has flags");
    let _ = listener.into_raw_fd();
    Ok(())
}

fn follow() {
    let file = memfd_create("file", MFdFlags::empty());
    let mut said = match &file {
        Ok(file) => format!("executed {}", file.as_raw_fd()),
        Err(errno) => format!("refused memfd_create: {errno}"),
    };
    loop {
        let order = ask(&said);
        said = format!("tried {:?}", tried(&order, file.as_ref().ok()));
    }
}

fn tried(order: &str, file: Option<&OwnedFd>) -> nix::Result<()> {
    match (order.split_once(' '), file) {
        (Some(("enter", folder)), _) => chdir(folder),
        (Some(("seek", offset)), Some(file)) => {
            lseek(file, offset.parse().expect("the checks write numbers"), Whence::SeekSet).map(drop)
        }
        _ => panic!("{order}: the checks say what to do"),
    }
}
