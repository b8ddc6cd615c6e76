//! What a second process sees that enters the namespaces of the first.

use crate::Result;
use crate::checks::Fault;
use nix::sched::{CloneFlags, setns};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::process::Command;

/// What is seen inside.
#[derive(Debug, Serialize, Deserialize)]
pub struct Sight {
    /// The groups of the process, by their paths in its own namespace.
    pub groups: String,
    /// The name of the machine.
    pub host_name: String,
    /// Its NIS domain.
    pub domain_name: String,
    /// The devices of the network.
    pub links: Vec<String>,
    /// Whether somebody who speaks to themselves is heard, or why not.
    pub loopback: String,
}

/// Looks by a process of its own, since nobody gets out of a user namespace again.
pub fn at(pid: i32, hint: &'static str) -> Result<Sight, Fault> {
    let output = Command::new(std::env::current_exe()?).args(["look", &pid.to_string()]).output()?;
    serde_json::from_slice(&output.stdout).map_err(|_| {
        let error = String::from_utf8_lossy(&output.stderr).trim().to_string();
        Fault::new("another process can enter the namespaces", error, hint)
    })
}

/// In that process: enters, looks, and prints what it sees.
pub fn run(pid: i32) -> Result<()> {
    enter(pid)?;
    let name = nix::sys::utsname::uname().map_err(|error| error.to_string())?;
    let devices = std::fs::read_to_string("/proc/thread-self/net/dev").map_err(|error| error.to_string())?;
    let link = |line: &str| Some(line.split_once(':')?.0.trim().to_string());
    let groups = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).map_err(|error| error.to_string())?;
    let sight = Sight {
        groups,
        host_name: name.nodename().to_string_lossy().into_owned(),
        domain_name: name.domainname().to_string_lossy().into_owned(),
        links: devices.lines().filter_map(link).collect(),
        loopback: speak_to_ourselves().map_or_else(|error| error.to_string(), |()| "works".into()),
    };
    println!("{}", serde_json::to_string(&sight).expect("plain data can be written"));
    Ok(())
}

/// The user namespace first: it gives the right to the others. One that is our own cannot be entered, nor need it.
fn enter(pid: i32) -> Result<()> {
    let kinds = [
        ("user", CloneFlags::CLONE_NEWUSER),
        ("cgroup", CloneFlags::CLONE_NEWCGROUP),
        ("uts", CloneFlags::CLONE_NEWUTS),
        ("net", CloneFlags::CLONE_NEWNET),
    ];
    let path = |owner: &str, kind: &str| format!("/proc/{owner}/ns/{kind}");
    let mut files = Vec::new();
    for (kind, flag) in kinds {
        let theirs = path(&pid.to_string(), kind);
        let link = |path: &str| std::fs::read_link(path).map_err(|error| format!("{path}: {error}"));
        if link(&theirs)? != link(&path("self", kind))? {
            files.push((File::open(&theirs).map_err(|error| format!("{theirs}: {error}"))?, flag, kind));
        }
    }
    for (file, flag, kind) in files {
        setns(file, flag).map_err(|error| format!("setns of {kind}: {error}"))?;
    }
    Ok(())
}

fn speak_to_ourselves() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    TcpStream::connect(listener.local_addr()?).map(drop)
}
