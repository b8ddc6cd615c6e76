//! What the checks of exercise 03 run: a caller of `cgroups::Cgroup` that does as it is told.
//!
//! Standard input is a socket on which the caller speaks with the checks. What it says that it has made, they look up in the
//! hierarchy itself.
#![forbid(unsafe_code)]

use cgroups::{Cgroup, Error, Layout, Limits, plan};
use std::io::stdin;
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::process::exit;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["plan", controllers, limits] => planned(&layout("/sys/fs/cgroup", None, controllers), &read(limits)),
        ["create", mount, given, controllers, path, limits] => {
            let given = (!given.is_empty()).then_some(*given);
            let layout = layout(mount, given, controllers);
            match Cgroup::create(&layout, path, &read(limits)) {
                Ok(cgroup) => follow(&cgroup),
                Err(error) => drop(ask(&refused(&error))),
            }
        }
        _ => panic!("the checks say what to do"),
    }
}

fn read(limits: &str) -> Limits {
    serde_json::from_str(limits).expect("the checks write limits")
}

/// A machine on which v2 is all there is, and a group of it that we were given.
fn layout(mount: &str, given: Option<&str>, controllers: &str) -> Layout {
    Layout {
        unified: Some(mount.into()),
        unified_controllers: controllers.split_whitespace().map(String::from).collect(),
        delegated: given.map(String::from),
        accounts_swap: true,
        ..Layout::default()
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

fn planned(layout: &Layout, limits: &Limits) {
    match plan(layout, limits) {
        Ok(steps) => {
            ask(&format!("planned {}", serde_json::to_string(&steps).expect("steps can be written")))
        }
        Err(refusal) => ask(&format!("refused {refusal}")),
    };
}

fn refused(error: &Error) -> String {
    format!("refused {:?}: {error}", error.kind())
}

/// What is done with a group, order by order.
fn follow(cgroup: &Cgroup) {
    let mut said = "made".to_string();
    loop {
        let (done, outcome) = match ask(&said).as_str() {
            "kill" => ("killed", cgroup.kill()),
            "remove" => ("removed", cgroup.remove()),
            other => panic!("{other}: the checks say what to do"),
        };
        said = outcome.map_or_else(|error| refused(&error), |()| done.to_string());
    }
}
