//! The first process of a container, and any further one: command, environment, user, privileges.

use std::collections::HashSet;
use std::str::FromStr;

use oci_spec::runtime::{
    Capabilities, Capability, LinuxCapabilities, LinuxSeccomp, PosixRlimit, PosixRlimitBuilder,
    PosixRlimitType, Process, User,
};
use privileges::user;
use supervisor::INIT_PATH;

use super::seccomp_profile::{self, Place};
use super::{Facts, Request, apparmor_profile, has_init};
use crate::containers::Record;
use crate::error::{Error, ErrorKind, Result};

/// Where commands are looked for when the image does not say.
const DEFAULT_PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What Docker lets a container's root do of all that root may (capabilities(7)).
const DEFAULT_CAPABILITIES: [&str; 14] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FSETID",
    "CAP_FOWNER",
    "CAP_MKNOD",
    "CAP_NET_RAW",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETFCAP",
    "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE",
    "CAP_SYS_CHROOT",
    "CAP_KILL",
    "CAP_AUDIT_WRITE",
];

/// The container's first process.
pub fn process(request: &Request<'_>) -> Result<Process> {
    let (config, host) = (&request.record.config, &request.record.host_config);
    let mut process = Process::default();
    process
        .set_terminal(Some(config.tty))
        .set_user(oci_user(request.user))
        .set_args(Some(command(request.record)))
        .set_env(Some(environment(request.record, config.tty, &[], request.user)))
        .set_cwd(working_folder(&config.working_dir).into())
        .set_capabilities(Some(capabilities(host, host.privileged, request.user.uid)?))
        .set_rlimits(rlimits(host)?)
        .set_no_new_privileges(Some(no_new_privileges(host)))
        .set_apparmor_profile(apparmor_profile(host, request.facts))
        .set_oom_score_adj(oom_score_adj(host, request.facts));
    Ok(process)
}

/// The command, or that which starts it.
fn command(record: &Record) -> Vec<String> {
    let command = record.command.iter().cloned();
    match has_init(&record.host_config) {
        true => [INIT_PATH, "--"].map(str::to_owned).into_iter().chain(command).collect(),
        false => command.collect(),
    }
}

/// One more process in a container that runs.
pub fn exec_process(
    record: &Record,
    asked: &api::ExecCreateRequest,
    user: &user::User,
    facts: &Facts,
) -> Result<Process> {
    let host = &record.host_config;
    let folder = if asked.working_dir.is_empty() { &record.config.working_dir } else { &asked.working_dir };
    let mut process = Process::default();
    process
        .set_terminal(Some(asked.tty))
        .set_user(oci_user(user))
        .set_args(asked.cmd.clone())
        .set_env(Some(environment(record, asked.tty, asked.env.as_deref().unwrap_or_default(), user)))
        .set_cwd(working_folder(folder).into())
        .set_capabilities(Some(capabilities(host, host.privileged || asked.privileged, user.uid)?))
        .set_rlimits(rlimits(host)?)
        .set_no_new_privileges(Some(no_new_privileges(host)))
        // Docker's rule: exec --privileged does not leave the container's profile.
        .set_apparmor_profile(apparmor_profile(host, facts))
        .set_oom_score_adj(None);
    Ok(process)
}

/// How likely the kernel kills it first when memory runs out. Docker sets the neutral 0, which an ordinary user may not
/// when they stand higher themselves.
fn oom_score_adj(host: &api::HostConfig, facts: &Facts) -> Option<i32> {
    let score = i32::try_from(host.oom_score_adj).ok()?;
    Some(score).filter(|score| facts.rootless.is_none() || *score != 0)
}

fn working_folder(folder: &str) -> &str {
    if folder.is_empty() { "/" } else { folder }
}

fn oci_user(user: &user::User) -> User {
    let mut made = User::default();
    made.set_uid(user.uid).set_gid(user.gid).set_additional_gids(Some(user.groups.clone()));
    made
}

/// Docker's own variables, then the container's, then those of this process; a later one replaces an earlier of its name.
/// One that was asked for without a value is taken out.
fn environment(record: &Record, terminal: bool, more: &[String], user: &user::User) -> Vec<String> {
    let mut variables: Vec<String> =
        vec![DEFAULT_PATH.to_owned(), format!("HOSTNAME={}", record.config.hostname)];
    if terminal {
        variables.push("TERM=xterm".to_owned());
    }
    for variable in record.config.env.iter().flatten().chain(more) {
        set_variable(&mut variables, variable);
    }
    if !variables.iter().any(|variable| variable.starts_with("HOME=")) {
        variables.push(format!("HOME={}", if user.home.is_empty() { "/" } else { &user.home }));
    }
    variables
}

fn set_variable(variables: &mut Vec<String>, variable: &str) {
    let name = variable.split('=').next().unwrap_or_default();
    let place = variables.iter().position(|own| own.split('=').next() == Some(name));
    match (place, variable.contains('=')) {
        (Some(place), true) => variables[place] = variable.to_owned(),
        (Some(place), false) => drop(variables.remove(place)),
        (None, true) => variables.push(variable.to_owned()),
        (None, false) => {}
    }
}

/// `--cap-add` and `--cap-drop` over Docker's default. Who is not root gets none in hand, only as the most they may reach.
fn capabilities(host: &api::HostConfig, privileged: bool, uid: u32) -> Result<LinuxCapabilities> {
    let all = || privileges::all_capabilities().map(str::to_owned).collect();
    let names = if privileged { all() } else { own_capabilities(host)? };
    // What nobody here can have is not asked for: other runtimes fail then.
    let numbers = privileges::all_capabilities().zip(0..);
    let can_be_had: HashSet<&str> =
        numbers.filter_map(|(name, number)| kernel::is_in_bounding_set(number)?.then_some(name)).collect();
    let names = names.iter().filter(|name| can_be_had.contains(name.as_str()));
    // oci-spec knows the names without their prefix.
    let one = |name: &String| Capability::from_str(name.trim_start_matches("CAP_")).map_err(Error::system);
    let set: Capabilities = names.map(one).collect::<Result<_>>()?;
    let in_hand = if uid == 0 { set.clone() } else { HashSet::new() };
    let mut capabilities = LinuxCapabilities::default();
    capabilities
        .set_bounding(Some(set))
        .set_effective(Some(in_hand.clone()))
        .set_permitted(Some(in_hand))
        .set_inheritable(Some(HashSet::new()))
        .set_ambient(Some(HashSet::new()));
    Ok(capabilities)
}

/// The names that remain, checked in Docker's words.
pub fn capability_names(add: &[String], drop: &[String]) -> Result<Vec<String>> {
    let add = normalized(add, "CapAdd")?;
    let drop = normalized(drop, "CapDrop")?;
    let all = || privileges::all_capabilities().map(str::to_owned).collect::<Vec<String>>();
    let has_all = |names: &[String]| names.iter().any(|name| name == ALL);
    let mut names: Vec<String> = match (has_all(&add), has_all(&drop)) {
        (true, _) => all(),
        (false, true) => Vec::new(),
        (false, false) => DEFAULT_CAPABILITIES.map(String::from).to_vec(),
    };
    names.retain(|name| !drop.contains(name));
    for name in add.into_iter().filter(|name| name != ALL) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

const ALL: &str = "ALL";

fn normalized(names: &[String], list: &str) -> Result<Vec<String>> {
    let one = |name: &String| {
        let upper = name.to_ascii_uppercase();
        if upper == ALL {
            return Ok(upper);
        }
        let full = if upper.starts_with("CAP_") { upper } else { format!("CAP_{upper}") };
        if privileges::all_capabilities().any(|known| known == full) {
            return Ok(full);
        }
        let message = format!("invalid {list}: unknown capability: \"{full}\"");
        Err(Error::new(ErrorKind::InvalidParameter, message))
    };
    names.iter().map(one).collect()
}

fn rlimits(host: &api::HostConfig) -> Result<Option<Vec<PosixRlimit>>> {
    let one = |ulimit: &api::Ulimit| {
        let kind = rlimit_kind(&ulimit.name)?;
        // -1 is no limit, which the kernel writes as its largest number.
        let limit = PosixRlimitBuilder::default().typ(kind).soft(ulimit.soft as u64).hard(ulimit.hard as u64);
        limit.build().map_err(Error::system)
    };
    let limits: Vec<PosixRlimit> = host.ulimits.iter().flatten().map(one).collect::<Result<_>>()?;
    Ok((!limits.is_empty()).then_some(limits))
}

/// `nofile` is RLIMIT_NOFILE.
pub fn rlimit_kind(name: &str) -> Result<PosixRlimitType> {
    PosixRlimitType::from_str(&format!("RLIMIT_{}", name.to_ascii_uppercase()))
        .map_err(|_| Error::new(ErrorKind::InvalidParameter, format!("invalid ulimit type: {name}")))
}

fn no_new_privileges(host: &api::HostConfig) -> bool {
    host.security_opt.iter().flatten().any(|option| is_no_new_privileges(option) == Some(true))
}

/// What `no-new-privileges`, `no-new-privileges=false` and their older spelling with a colon say; none: it is another option.
pub fn is_no_new_privileges(option: &str) -> Option<bool> {
    match option.strip_prefix("no-new-privileges")? {
        "" => Some(true),
        rest => rest.strip_prefix([':', '='])?.parse().ok(),
    }
}

/// Docker's profile for the container's capabilities, one of its own, or none: a privileged container goes without unless it asks.
pub fn seccomp(host: &api::HostConfig, facts: &Facts) -> Result<Option<LinuxSeccomp>> {
    let asked = host
        .security_opt
        .iter()
        .flatten()
        .find_map(|option| option.strip_prefix("seccomp").and_then(|rest| rest.strip_prefix(['=', ':'])));
    match asked {
        Some("unconfined") => Ok(None),
        None if host.privileged => Ok(None),
        None | Some("builtin") => Ok(Some(privileges::default_seccomp(&own_capabilities(host)?))),
        Some(profile) => {
            let place = Place { capabilities: &own_capabilities(host)?, kernel: facts.kernel };
            seccomp_profile::parse(profile, &place).map(Some)
        }
    }
}

fn own_capabilities(host: &api::HostConfig) -> Result<Vec<String>> {
    let list = |names: &Option<Vec<String>>| names.clone().unwrap_or_default();
    capability_names(&list(&host.cap_add), &list(&host.cap_drop))
}
