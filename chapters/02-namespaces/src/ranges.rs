//! Long tail: id maps of more than one's own id, for an ordinary user. newuidmap(1) and newgidmap(1) have the right to write them,
//! and compare them with /etc/subuid and /etc/subgid.

use crate::subordinate::{free_range, map_of, ranges_of, user_name};
use crate::{Error, IdMap, Result};
use nix::unistd::{Pid, getegid, geteuid};
use std::io;
use std::process::{Command, Stdio};

/// A program, and the file of ranges that it reads.
struct Helper {
    program: &'static str,
    file: &'static str,
    /// What usermod(8) calls its ranges.
    option: &'static str,
}

const USERS: Helper = Helper { program: "newuidmap", file: "/etc/subuid", option: "--add-subuids" };
const GROUPS: Helper = Helper { program: "newgidmap", file: "/etc/subgid", option: "--add-subgids" };

/// The maps of users and of groups that the caller may have: their own id as 0, then all that root has given them. Without ranges
/// of both kinds there is nothing to be had.
pub fn own_maps() -> Option<[Vec<IdMap>; 2]> {
    let name = own_name();
    let ranges = |helper: &Helper| ranges_of(&read(helper.file), name.as_deref(), geteuid().as_raw());
    let [users, groups] = [&USERS, &GROUPS].map(ranges);
    let has_both = !users.is_empty() && !groups.is_empty();
    has_both.then(|| [map_of(geteuid().as_raw(), &users), map_of(getegid().as_raw(), &groups)])
}

/// Lets the helpers write both maps of a process of ours. setgroups(2) stays allowed as far as newgidmap lets it: it forbids it
/// for a map of the user's own group alone.
///
/// Errors: a helper that is not installed; what a helper said, and with it whether this user was given anything.
pub fn write_by_helpers(pid: Pid, uid_map: &[IdMap], gid_map: &[IdMap]) -> Result<()> {
    USERS.write(pid, uid_map)?;
    GROUPS.write(pid, gid_map)
}

impl Helper {
    fn write(&self, pid: Pid, map: &[IdMap]) -> Result<()> {
        let mut command = Command::new(self.program);
        command.arg(pid.to_string()).stdin(Stdio::null());
        for IdMap { inside, outside, count } in map {
            command.args([inside, outside, count].map(u32::to_string));
        }
        let output = command.output().map_err(|error| self.not_started(&error))?;
        if output.status.success() {
            return Ok(());
        }
        Err(self.refused(&String::from_utf8_lossy(&output.stderr), map))
    }

    fn not_started(&self, error: &io::Error) -> Error {
        let program = self.program;
        match error.kind() {
            io::ErrorKind::NotFound => Error::other(format_args!(
                "id maps of more than one's own id are written by {program}, which is not installed; \
                 as root: apt-get install uidmap"
            )),
            _ => Error::other(format_args!("id maps: {program} cannot be started: {error}")),
        }
    }

    /// What the helper said stands for itself; who was given nothing at all learns how to be given something.
    fn refused(&self, said: &str, map: &[IdMap]) -> Error {
        let (said, text, name, user) = (said.trim(), read(self.file), own_name(), geteuid().as_raw());
        let said = if said.starts_with(self.program) {
            said.to_string()
        } else {
            format!("{}: {said}", self.program)
        };
        let was_given = !ranges_of(&text, name.as_deref(), user).is_empty();
        let remedy = match said.contains("not allowed") {
            _ if !was_given => self.advice(&text, &name.unwrap_or_else(|| user.to_string())),
            true => format!(" ({} gives this user other ranges)", self.file),
            false => String::new(),
        };
        let asked = crate::map_text(map).trim_end().replace('\n', ", ");
        Error::other(format_args!("id maps ({asked}): {said}{remedy}"))
    }

    fn advice(&self, text: &str, name: &str) -> String {
        let range = free_range(text);
        let last = range.first.saturating_add(range.count - 1);
        let Helper { file, option, .. } = self;
        format!(" ({file} has no line for {name}; as root: usermod {option} {}-{last} {name})", range.first)
    }
}

fn own_name() -> Option<String> {
    user_name(&read("/etc/passwd"), geteuid().as_raw()).map(String::from)
}

/// A file that is not there gives nobody anything.
fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
