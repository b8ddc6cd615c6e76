//! Where the checks are carried out: which program, and by whom it is called.

use super::process::Process;
use super::{Fault, Language};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::unistd::{getegid, geteuid};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

/// The id of nobody and of nobody's group, on every distribution.
const NOBODY: u32 = 65534;

/// Where the checks are carried out.
pub struct Stage {
    /// The program that was linked with the participant's crate.
    pub program: PathBuf,
    /// Who calls.
    pub uid: u32,
    /// Their group.
    pub gid: u32,
    /// Whether they have many ids to give away: root has them, unless it is root of a small user namespace.
    pub has_many_ids: bool,
    /// What the program says.
    pub language: &'static Language,
    /// The program's copy in memory, if its caller is not who we are.
    copy: Option<File>,
}

impl Stage {
    /// With ourselves as the caller.
    pub fn new(program: PathBuf, language: &'static Language) -> Stage {
        let has_many_ids = geteuid().is_root() && ["uid_map", "gid_map"].iter().all(|map| has_all(map));
        let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
        Stage { program, uid, gid, has_many_ids, language, copy: None }
    }

    /// Whether the caller may map a group without giving up setgroups.
    pub fn is_root(&self) -> bool {
        self.uid == 0
    }

    /// The same with a caller who is not root: root has nobody call. Its program lies in memory, since root's folders are not
    /// everybody's.
    pub fn of_an_ordinary_caller(&self) -> Result<Stage, Fault> {
        let program = self.program.clone();
        if !self.is_root() {
            return Ok(Stage::new(program, self.language));
        }
        let mut copy = File::from(memfd_create("program", MFdFlags::MFD_CLOEXEC)?);
        std::io::copy(&mut File::open(&program)?, &mut copy)?;
        let copy = Some(copy);
        Ok(Stage { program, uid: NOBODY, gid: NOBODY, has_many_ids: false, language: self.language, copy })
    }

    /// The program, started by the caller.
    pub fn command(&self) -> Command {
        let Some(copy) = &self.copy else { return Command::new(&self.program) };
        let mut command = Command::new(format!("/proc/self/fd/{}", copy.as_raw_fd()));
        command.uid(self.uid).gid(self.gid);
        command
    }
}

/// Why nobody can be had who is not root, if so.
pub fn no_ordinary_caller(stage: &Stage) -> Option<String> {
    if stage.is_root() && !stage.has_many_ids {
        return Some(
            "you are root of a user namespace that knows no other user; check as an ordinary user too".into(),
        );
    }
    // A setting that is in an ordinary user's way is not in root's.
    let is = |setting: &str, value: &str| {
        std::fs::read_to_string(format!("/proc/sys/{setting}")).is_ok_and(|text| text.trim() == value)
    };
    let forbids = is("kernel/unprivileged_userns_clone", "0")
        || is("kernel/apparmor_restrict_unprivileged_userns", "1");
    let why = "this machine keeps user namespaces from ordinary users: cargo course doctor, as one of them";
    (stage.is_root() && forbids).then(|| why.into())
}

/// Whether our user namespace knows every id.
fn has_all(map: &str) -> bool {
    let ranges = Process::this().map(map).unwrap_or_default();
    ranges.iter().any(|range| range.first() == Some(&0) && range.last() == Some(&u32::MAX))
}
