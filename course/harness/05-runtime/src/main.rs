//! What the checks of exercise 05 run: the participant's `coracle-oci`, and what is done in the containers that it makes.
//!
//! Standard input is a socket on which a container's process speaks with the checks. Whose words these are says the kernel.
#![forbid(unsafe_code)]

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::SigSet;
use nix::sys::socket::{MsgFlags, recv, send};
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, pause};
use runtime::{Bundle, Stdio};
use std::ffi::OsString;
use std::io::{BufRead, IoSliceMut, Write, stderr, stdin, stdout};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::path::Path;
use std::process::{Command, ExitCode, exit};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let texts: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
    match texts.as_slice() {
        ["oci", ..] => runtime::oci::main(&["oci"], words.into_iter().skip(1)),
        ["create", folder, group] => create(Path::new(folder), group),
        ["follow"] => follow("started"),
        ["added"] => follow("added"),
        ["linger"] => linger(),
        ["shout"] => shout(),
        ["say", word] => say(word),
        ["hold"] => hold(),
        ["hook", fifo, code] => hook(fifo, code.parse().expect("the checks write numbers")),
        _ => panic!("the checks say what to do"),
    }
}

/// Sends a message and waits for what shall be done; at the end of the socket nobody is there to say it.
fn ask(message: &str) -> String {
    // By its number: a copy would be one more file that the checks find open.
    let socket = stdin().as_raw_fd();
    let mut answer = vec![0; 1 << 16];
    let said = send(socket, message.as_bytes(), MsgFlags::empty());
    match said.and_then(|_| recv(socket, &mut answer, MsgFlags::empty())) {
        Ok(length @ 1..) => String::from_utf8_lossy(&answer[..length]).into_owned(),
        _ => exit(0),
    }
}

/// Makes a container as the engine does, by one call and without a command line, and ends it.
fn create(folder: &Path, group: &str) -> ExitCode {
    let json = std::fs::read(folder.join("config.json")).expect("the checks write files");
    let copy = |stream: BorrowedFd<'_>| stream.try_clone_to_owned().expect("a standard stream is open");
    let bundle = Bundle {
        id: "course".into(),
        spec: runtime::spec_from_json(&json).expect("the checks write what is right"),
        root: chroot::Root::Folder(folder.join("rootfs")),
        cgroup: Some(group.into()),
        preserved_descriptors: 0,
        folder: folder.into(),
        rootless: !nix::unistd::geteuid().is_root(),
        keeps_keyring: false,
    };
    let streams = [copy(stdin().as_fd()), copy(stdout().as_fd()), copy(stderr().as_fd())];
    match runtime::create(&bundle, Stdio::Files(streams)) {
        Ok(mut created) => {
            created.destroy();
            let _ = waitpid(Pid::from_raw(created.identity.pid), None);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// A container's process. Signals wait: they are seen in its status, and do nothing to it.
fn follow(begun: &str) -> ! {
    SigSet::all().thread_block().expect("signals can be blocked");
    let (mut said, mut memory) = (begun.to_string(), vec![]);
    loop {
        let order = ask(&said);
        std::hint::black_box(&memory);
        said = match order.split_once(' ') {
            Some(("exit", code)) => exit(code.parse().expect("the checks write numbers")),
            // What takes the kernel a while to take back.
            Some(("grow", mebibytes)) => {
                let mebibytes: usize = mebibytes.parse().expect("the checks write numbers");
                memory = vec![1u8; mebibytes << 20];
                "grown".into()
            }
            Some(("reach", pid)) => {
                reach(Pid::from_raw(pid.parse().expect("the checks write numbers"))).into()
            }
            Some(("leave", "child")) => {
                let child = Command::new("/program").arg("linger").spawn();
                child.map_or_else(|error| format!("refused {error}"), |_| "left".into())
            }
            _ => panic!("{order}: the checks say what to do"),
        };
    }
}

/// Whether the kernel lets us look into another process. (Where nothing is: who may not look is told that first.)
fn reach(pid: Pid) -> &'static str {
    let remote = [RemoteIoVec { base: 1, len: 1 }];
    match process_vm_readv(pid, &mut [IoSliceMut::new(&mut [0])], &remote) {
        Err(Errno::EPERM | Errno::ESRCH) => "denied",
        _ => "reached",
    }
}

/// Repeats what is typed, in capital letters: a terminal alone would repeat it as it is.
fn shout() -> ExitCode {
    for line in stdin().lock().lines().map_while(Result::ok) {
        println!("{}", line.to_uppercase());
        stdout().flush().expect("a terminal can be written to");
    }
    ExitCode::SUCCESS
}

/// One word on standard output, and another as an error.
fn say(word: &str) -> ExitCode {
    println!("{word}");
    eprintln!("not {word}");
    ExitCode::SUCCESS
}

/// Holds namespaces of its own, for others to join.
fn hold() -> ! {
    let kinds = CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET;
    if let Err(errno) = unshare(kinds) {
        eprintln!("unshare({kinds:?}): {errno}");
        exit(1)
    }
    follow("held")
}

fn linger() -> ! {
    loop {
        pause();
    }
}

/// Takes until somebody has opened the other end of a FIFO and closed it.
fn hook(fifo: &str, code: u8) -> ExitCode {
    match std::fs::read(fifo) {
        Ok(_) => ExitCode::from(code),
        Err(error) => {
            eprintln!("{fifo}: {error}");
            ExitCode::FAILURE
        }
    }
}
