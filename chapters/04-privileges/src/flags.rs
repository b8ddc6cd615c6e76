//! Stage: the flags of the chapter's binary, as docker's.

use namespaces::{Failure, FailureKind, Namespaces, SpawnPlan};
use privileges::{CapSet, Capabilities, Rlimit, all_capabilities, default_capabilities};
use std::ffi::OsString;

/// Chapter 04: runs a command in a root and in namespaces, with the privileges that Docker leaves to a container.
///
/// That is: fourteen capabilities, a seccomp filter, a session keyring of its own, and no way to get more by execve.
#[derive(clap::Parser)]
#[command(name = "privileges", override_usage = "privileges [OPTIONS] [ROOTFS] [COMMAND [ARGUMENT]...]")]
pub struct Arguments {
    /// A capability that it has besides, as CAP_SYS_ADMIN; or ALL
    #[arg(long, value_name = "NAME")]
    cap_add: Vec<String>,
    /// A capability that it has not; or ALL, before others are added
    #[arg(long, value_name = "NAME")]
    cap_drop: Vec<String>,
    /// Without a filter
    #[arg(long)]
    pub no_filter: bool,
    /// The user, by number
    #[arg(long, value_name = "UID", default_value_t = 0)]
    pub user: u32,
    /// A limit, soft and hard, as RLIMIT_NOFILE=64
    #[arg(long, value_name = "NAME=NUMBER", value_parser = limit)]
    pub ulimit: Vec<Rlimit>,
    /// A folder with a root file system (the built-in one if it is left out), then the command (/hello)
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ROOTFS, COMMAND, ARGUMENT")]
    pub words: Vec<OsString>,
}

impl Arguments {
    /// Docker's default, less what is dropped, and what is added: root has them at once, and another user may only have them
    /// by executing a file that gives them.
    pub fn sets(&self) -> Result<Capabilities, Failure> {
        let (dropped, added) = (named(&self.cap_drop)?, named(&self.cap_add)?);
        let bounding = CapSet(default_capabilities().0 & !dropped.0 | added.0);
        let own = if self.user == 0 { bounding } else { CapSet::default() };
        Ok(Capabilities { bounding, effective: own, permitted: own, ..Capabilities::default() })
    }

    /// Chapter 02's, all new.
    pub fn namespaces(&self) -> SpawnPlan {
        SpawnPlan {
            new: Namespaces::all(),
            hostname: Some("coracle".into()),
            ..namespaces::everything_new(Vec::new())
        }
    }
}

/// None that its caller is a member of shall be the command's. Where the user namespace forbids to leave them, they stay.
pub fn groups() -> Result<Option<Vec<u32>>, Failure> {
    let word = std::fs::read_to_string("/proc/self/setgroups");
    let word = word
        .map_err(|error| Failure::new(FailureKind::System, format_args!("/proc/self/setgroups: {error}")))?;
    Ok((word.trim() == "allow").then(Vec::new))
}

fn named(names: &[String]) -> Result<CapSet, Failure> {
    if names.iter().any(|name| name == "ALL") {
        return Ok(all());
    }
    let unknown = |name| Failure::new(FailureKind::Invalid, format_args!("{name} is no capability"));
    CapSet::from_names(names).map_err(unknown)
}

fn all() -> CapSet {
    CapSet::from_names(all_capabilities()).expect("these are capabilities")
}

fn limit(text: &str) -> Result<Rlimit, String> {
    let parsed = text.split_once('=').and_then(|(kind, number)| Some((kind, number.parse().ok()?)));
    let (kind, number) = parsed.ok_or("not of the form RLIMIT_NOFILE=64")?;
    Ok(Rlimit { kind: kind.into(), soft: number, hard: number })
}
