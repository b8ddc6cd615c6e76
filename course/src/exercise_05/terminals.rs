//! A container with a terminal, whose master comes to us.

use super::site::Site;
use crate::checks::chance::some;
use crate::checks::process::Process;
use crate::checks::trial::PATIENCE;
use crate::checks::{Fault, Stage};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Instant;

const HINT: &str = "a-terminal";

/// Its streams are a terminal of its own devpts, of the size that was asked for, which is its session's and its console; what is
/// typed on the master arrives.
pub fn terminal(stage: &Stage) -> Result<String, Fault> {
    let mut site = Site::new(stage, &["pid"])?;
    let (columns, rows) = (some(20, 100), some(10, 50));
    site.spec["process"]["args"] = json!(["/program", "shout"]);
    site.spec["process"]["terminal"] = json!(true);
    site.spec["process"]["consoleSize"] = json!({ "height": rows, "width": columns });
    site.spec["mounts"] = devices();
    let (socket, pid_file) = (site.folder.join("console"), site.folder.join("pid"));
    let listener = listen(stage, &socket)?;
    let [socket, pid] = [&socket, &pid_file].map(|path| path.display().to_string());
    site.ok(&["create", "--console-socket", &socket, "--pid-file", &pid, "ID"], HINT)?;
    let mut master = master(&listener)?;
    site.ok(&["start", "ID"], "until-the-end")?;
    let process = site.number(&pid_file)?;
    // Whoever answers is the command.
    answers(&mut master, &format!("word-{}", site.id))?;
    streams(process)?;
    let size = rustix::termios::tcgetwinsize(&master).map_err(std::io::Error::from)?;
    if (u64::from(size.ws_col), u64::from(size.ws_row)) != (columns, rows) {
        let seen = format!("{} columns and {} rows", size.ws_col, size.ws_row);
        return Err(Fault::new(format!("{columns} columns and {rows} rows"), seen, HINT));
    }
    Ok(format!("a terminal of {columns} columns and {rows} rows"))
}

/// Of an added process. Who names no socket is in front of it themselves.
pub fn of_an_added_process(stage: &Stage) -> Result<(), Fault> {
    let mut site = Site::new(stage, &["pid"])?;
    site.spec["mounts"] = devices();
    site.started()?;
    let (word, hint) = (site.id.clone(), "in-front-of-a-terminal");
    let done = site.run(&["exec", "--tty", "ID", "/program", "say", &word], hint)?;
    match done.code {
        0 if done.out == format!("{word}\r\nnot {word}\r\n") => Ok(()),
        0 => Err(Fault::new(
            format!("{word} and \"not {word}\", as a terminal has them"),
            format!("{:?}", done.out),
            hint,
        )),
        _ => Err(Fault::new("`exec --tty` succeeds", done.spelled(), hint)),
    }
}

/// Mounts, among which are terminals.
fn devices() -> Value {
    json!([
        { "destination": "/dev", "type": "tmpfs", "options": ["mode=0755"] },
        { "destination": "/dev/pts", "type": "devpts", "options": ["newinstance", "ptmxmode=0666", "mode=0620"] },
    ])
}

/// A socket to which the caller of the program may connect.
fn listen(stage: &Stage, path: &Path) -> Result<UnixListener, Fault> {
    let listener = UnixListener::bind(path)?;
    std::os::unix::fs::chown(path, Some(stage.uid), Some(stage.gid))?;
    // `create` has returned before we ask: whatever was not sent by then will not be.
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The descriptor that was sent.
fn master(listener: &UnixListener) -> Result<File, Fault> {
    let none = |why: String| Fault::new("the master of a terminal is sent to the console socket", why, HINT);
    let (stream, _) = listener.accept().map_err(|error| none(error.to_string()))?;
    stream.set_nonblocking(true)?;
    received(&stream)?.map(File::from).ok_or_else(|| none("nothing was sent".into()))
}

fn received(stream: &UnixStream) -> Result<Option<OwnedFd>, Fault> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut text = [0; 64];
    let mut parts = [IoSliceMut::new(&mut text)];
    match rustix::net::recvmsg(stream, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC) {
        Err(rustix::io::Errno::AGAIN) => return Ok(None),
        result => result.map_err(std::io::Error::from)?,
    };
    let rights = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    Ok(rights)
}

/// All three are one terminal, and it controls the session.
fn streams(process: Process) -> Result<(), Fault> {
    let mut open = process.open_files()?;
    open.sort_by_key(|file| file.number);
    let described: Vec<String> = open.iter().map(|file| format!("{} {}", file.number, file.target)).collect();
    let is_terminal =
        |target: &str| target.rsplit('/').next().is_some_and(|name| name.parse::<u32>().is_ok());
    let are_it = open.len() == 3
        && open.iter().zip(0..).all(|(file, number)| {
            file.number == number && file.target == open[0].target && is_terminal(&file.target)
        });
    if !are_it {
        return Err(Fault::new(
            "0, 1 and 2 are one terminal, and all that is open",
            described.join(", "),
            HINT,
        ));
    }
    let stat = process.read("stat")?;
    // Field 7; the name, which is field 2, may hold whatever it likes (proc_pid_stat(5)).
    let controls = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(4)).unwrap_or_default();
    if controls == "0" {
        return Err(Fault::new("a terminal that controls the session", "tty_nr 0", HINT));
    }
    if !process.read("mountinfo")?.lines().any(|line| line.split(' ').nth(4) == Some("/dev/console")) {
        return Err(Fault::new("the terminal is bound on /dev/console", "nothing is", HINT));
    }
    Ok(())
}

/// What is typed comes back from the command, which changes it.
fn answers(master: &mut File, word: &str) -> Result<(), Fault> {
    master.write_all(format!("{word}\n").as_bytes())?;
    let (expected, mut said) = (word.to_uppercase(), String::new());
    let deadline = Instant::now() + PATIENCE;
    while !said.contains(&expected) {
        let left = PollTimeout::try_from(deadline.saturating_duration_since(Instant::now()));
        let mut ready = [PollFd::new(master.as_fd(), PollFlags::POLLIN)];
        if poll(&mut ready, left.unwrap_or(PollTimeout::ZERO))? == 0 {
            return Err(Fault::new(format!("{expected} on the terminal"), format!("{said:?}"), HINT));
        }
        let mut bytes = [0; 256];
        match master.read(&mut bytes) {
            // EIO: nobody has the other side open any more.
            Ok(0) | Err(_) => {
                return Err(Fault::new(
                    format!("{expected} on the terminal"),
                    format!("{said:?}, and its end"),
                    HINT,
                ));
            }
            Ok(length) => said.push_str(&String::from_utf8_lossy(&bytes[..length])),
        }
    }
    Ok(())
}
