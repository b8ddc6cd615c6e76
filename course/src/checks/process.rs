//! A process as the kernel's files show it from outside (proc(5)).

use nix::libc;
use std::fs;
use std::io;
use std::path::Path;

/// The eight kinds of namespaces: the file in /proc/PID/ns that shows in which a process, or for clocks its program, is.
pub const NAMESPACES: [&str; 8] = ["cgroup", "ipc", "mnt", "net", "pid", "time_for_children", "user", "uts"];

/// Somebody else's process, or ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process(pub i32);

/// An open file of a process.
#[derive(Debug, Clone)]
pub struct OpenFile {
    /// Its number.
    pub number: i32,
    /// What it is: `pipe:[4711]`.
    pub target: String,
    /// Whether it can be written to.
    pub is_writable: bool,
}

impl Process {
    /// This process.
    pub fn this() -> Process {
        Process(std::process::id() as i32)
    }

    /// A file of the process.
    pub fn read(self, name: &str) -> io::Result<String> {
        let path = format!("/proc/{}/{name}", self.0);
        fs::read_to_string(&path).map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))
    }

    /// In which namespace of a kind it is: `net:[4026531833]`.
    pub fn namespace(self, kind: &str) -> io::Result<String> {
        let path = format!("/proc/{}/ns/{kind}", self.0);
        let link = fs::read_link(&path);
        let link = link.map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))?;
        Ok(link.to_string_lossy().into_owned())
    }

    /// The kinds of namespaces that it does not share with another.
    pub fn apart_from(self, other: Process) -> io::Result<Vec<&'static str>> {
        let mut apart = Vec::new();
        for kind in NAMESPACES {
            if self.namespace(kind)? != other.namespace(kind)? {
                apart.push(kind);
            }
        }
        Ok(apart)
    }

    /// The numbers of a line of its status.
    pub fn status(self, name: &str) -> io::Result<Vec<i64>> {
        let status = self.read("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        Ok(line.unwrap_or_default().split_whitespace().filter_map(|word| word.parse().ok()).collect())
    }

    /// The lines of an id map, as numbers.
    pub fn map(self, name: &str) -> io::Result<Vec<Vec<u32>>> {
        let numbers = |line: &str| line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        Ok(self.read(name)?.lines().map(numbers).collect())
    }

    /// Whether it is there at all, alive or as a zombie.
    pub fn exists(self) -> bool {
        Path::new(&format!("/proc/{}", self.0)).exists()
    }

    /// Whether it runs: a zombie does not.
    pub fn is_alive(self) -> bool {
        let status = self.read("status").unwrap_or_default();
        let state = status.lines().find_map(|line| line.strip_prefix("State:"));
        state.is_some_and(|state| !state.trim().starts_with(['Z', 'X']))
    }

    /// Its pipes.
    pub fn pipes(self) -> io::Result<Vec<OpenFile>> {
        let open = self.open_files()?;
        Ok(open.into_iter().filter(|file| file.target.starts_with("pipe:")).collect())
    }

    /// Everything that it has open.
    pub fn open_files(self) -> io::Result<Vec<OpenFile>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(format!("/proc/{}/fd", self.0))?.flatten() {
            let Ok(target) = fs::read_link(entry.path()) else { continue };
            let target = target.to_string_lossy().into_owned();
            let number = entry.file_name().to_string_lossy().parse().unwrap_or(-1);
            files.push(OpenFile { number, target, is_writable: self.is_writable(number)? });
        }
        Ok(files)
    }

    /// The access mode is in the last two bits of the flags, which are octal.
    fn is_writable(self, number: i32) -> io::Result<bool> {
        let information = self.read(&format!("fdinfo/{number}"))?;
        let flags = information.lines().find_map(|line| line.strip_prefix("flags:")).unwrap_or_default();
        Ok(u32::from_str_radix(flags.trim(), 8).unwrap_or(0) & 3 != 0)
    }

    /// The system call in which it waits, with the file that it reads; `None` of a call that is not one of waiting.
    pub fn waits_in(self) -> Option<String> {
        let line = self.read("syscall").ok()?;
        let mut words = line.split_whitespace();
        let call: i64 = words.next()?.parse().ok()?;
        let mut file = || {
            let number = u64::from_str_radix(words.next()?.trim_start_matches("0x"), 16).ok()?;
            fs::read_link(format!("/proc/{}/fd/{number}", self.0)).ok()
        };
        match call {
            libc::SYS_read => Some(format!("read of {}", file()?.display())),
            libc::SYS_wait4 => Some("wait4, for a child's end".into()),
            libc::SYS_waitid => Some("waitid, for a child's end".into()),
            _ => None,
        }
    }

    /// Whether it stands in open(2), as at a FIFO whose other end nobody has.
    pub fn opens(self) -> bool {
        let line = self.read("syscall").unwrap_or_default();
        line.split(' ').next() == Some(libc::SYS_openat.to_string().as_str())
    }

    /// Whether it can write into a pipe from which another process reads, which therefore does not end. One that does both
    /// itself waits for itself.
    pub fn keeps_waiting(self, reader: Process) -> bool {
        let theirs = reader.pipes().unwrap_or_default();
        let is_read = |target: &str| theirs.iter().any(|pipe| pipe.target == target && !pipe.is_writable);
        self.pipes().unwrap_or_default().iter().any(|pipe| pipe.is_writable && is_read(&pipe.target))
    }

    /// Its children, dead ones too.
    pub fn children(self) -> Vec<Process> {
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok().map(Process));
        pids.filter(|process| process.status("PPid").is_ok_and(|parent| parent == [i64::from(self.0)]))
            .collect()
    }
}
