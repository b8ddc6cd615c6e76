//! Long tail: what CRIU is asked for, as plain data, and how it answers (rpc.proto: `criu_req`, `criu_opts`, `criu_resp`). Pure.

use super::wire::{self, Message, Value};
use std::path::PathBuf;

/// What it shall do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Write a container's processes into images, and end them unless they are to run on.
    Dump = 1,
    /// Make them anew.
    Restore = 2,
    /// Write their memory alone; they run on.
    PreDump = 4,
    /// Say what it and this kernel can do together.
    Features = 9,
}

/// What becomes of the groups of v1 and v2 that the processes are in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum CgroupMode {
    #[default]
    /// CRIU does nothing: the container's group is made by us, with the limits of its config.json
    Ignore = 0,
    /// CRIU makes those that are missing, and gives them what they had
    Soft = 3,
    /// CRIU gives all what they had
    Full = 4,
    /// CRIU makes all, and fails if one is there
    Strict = 5,
}

/// How it shall do so. Descriptors are ours: CRIU opens them through our /proc/PID/fd, but for `inherited`, which are its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The folder of the images.
    pub images: i32,
    /// The folder of its log and other files; that of the images if there is none.
    pub work: Option<i32>,
    /// Its log, in that folder.
    pub log_file: &'static str,
    /// The container's first process.
    pub pid: Option<i32>,
    /// The container's root, as CRIU sees it.
    pub root: PathBuf,
    /// They run on afterwards.
    pub leave_running: bool,
    /// A Unix socket may have its other end outside.
    pub external_sockets: bool,
    /// A TCP connection may be established.
    pub tcp_established: bool,
    /// A TCP connection that nobody has accepted yet is left out.
    pub tcp_skip_in_flight: bool,
    /// An open file that has lost its name, but not all names, gets one more.
    pub link_remap: bool,
    /// A device whose path leads nowhere any more is opened by its number.
    pub evasive_devices: bool,
    /// They may belong to a session of somebody outside.
    pub shell_job: bool,
    /// They may hold locks on files.
    pub file_locks: bool,
    /// Where pages go in place of a file.
    pub page_server: Option<(String, u16)>,
    /// The folder of an earlier image of their memory, relative to that of the images.
    pub parent: Option<PathBuf>,
    /// Pages that are in an earlier image no longer take room there.
    pub auto_deduplication: bool,
    /// Mounts of the host's files: in a dump the place inside and a name, in a restore that name and the host's path.
    pub external_mounts: Vec<(PathBuf, PathBuf)>,
    /// Where the groups are that CRIU makes others below: controllers' names, none for v2, and a path.
    pub cgroup_roots: Vec<(String, String)>,
    /// What is already open, by the name that it has in the images.
    pub inherited: Vec<(String, i32)>,
    /// The first process becomes a child of CRIU's parent.
    pub sibling: bool,
    /// What is not theirs, in CRIU's words.
    pub external: Vec<String>,
    /// Namespaces of others, by CRIU's names for their kinds.
    pub joined: Vec<(&'static str, PathBuf)>,
    /// What becomes of cgroups.
    pub cgroups: CgroupMode,
    /// The network namespace is made, but nothing in it.
    pub empty_network: bool,
    /// The folder of the group that is frozen meanwhile.
    pub freezer: Option<PathBuf>,
    /// Memory is left where it is until it is asked for.
    pub lazy_pages: bool,
    /// CRIU's own file of options; what it says wins.
    pub config_file: Option<String>,
    /// `TYPE:NAME`
    pub lsm_profile: Option<String>,
    /// Their network is locked meanwhile by nf_tables, where CRIU would call iptables.
    pub nftables: bool,
}

/// `CLONE_NEWNET`, the only namespace that CRIU can leave empty.
const NETWORK: u64 = 0x4000_0000;

/// `criu_network_lock_method`
const NFTABLES: u64 = 2;

/// CRIU's most talkative level but for its developers' own.
const LOG_LEVEL: u64 = 4;

/// The request.
pub fn request(verb: Verb, options: &Options) -> Message {
    let mut request = Message::default();
    request.number(1, verb as u64);
    request.message(2, &encode(options));
    request
}

/// The question whether memory can be tracked, and whether it can be left behind.
pub fn features_request() -> Message {
    let (mut request, mut features) = (Message::default(), Message::default());
    features.flag(1, true);
    features.flag(2, true);
    request.number(1, Verb::Features as u64);
    request.message(5, &features);
    request
}

/// What is answered to a notice: go on, or do not.
pub fn notice_answer(done: bool) -> Message {
    let mut request = Message::default();
    request.number(1, NOTICE);
    request.number(3, done.into());
    request
}

fn encode(options: &Options) -> Message {
    let mut message = Message::default();
    message.number(1, options.images as u64);
    message.number(9, LOG_LEVEL);
    message.text(10, options.log_file);
    message.flag(12, true); // notices
    message.text(13, &options.root);
    message.number(34, options.cgroups as u64);
    message.flag(50, true); // a terminal's master comes to us
    for (field, value, is_asked) in [(38, NETWORK, options.empty_network), (64, NFTABLES, options.nftables)] {
        if is_asked {
            message.number(field, value);
        }
    }
    encode_flags(&mut message, options);
    encode_optional(&mut message, options);
    encode_lists(&mut message, options);
    message
}

fn encode_flags(message: &mut Message, options: &Options) {
    for (field, value) in [
        (3, options.leave_running),
        (4, options.external_sockets),
        (5, options.tcp_established),
        (6, options.evasive_devices),
        (7, options.shell_job),
        (8, options.file_locks),
        (15, options.parent.is_some()), // memory is tracked
        (16, options.auto_deduplication),
        (18, options.link_remap),
        (26, options.sibling),
        (46, options.tcp_skip_in_flight),
        (48, options.lazy_pages),
    ] {
        message.flag(field, value);
    }
}

fn encode_optional(message: &mut Message, options: &Options) {
    let numbers = [(2, options.pid), (17, options.work)];
    numbers.iter().for_each(|(field, value)| {
        value.iter().for_each(|value| message.number(*field, *value as u64));
    });
    options.parent.iter().for_each(|parent| message.text(14, parent));
    options.freezer.iter().for_each(|folder| message.text(44, folder));
    options.config_file.iter().for_each(|file| message.text(51, file));
    options.lsm_profile.iter().for_each(|profile| message.text(53, profile));
    if let Some((address, port)) = &options.page_server {
        let mut server = Message::default();
        server.text(1, address);
        server.number(2, (*port).into());
        message.message(11, &server);
    }
}

fn encode_lists(message: &mut Message, options: &Options) {
    let mut pair = |field, first: &std::ffi::OsStr, second: &std::ffi::OsStr| {
        let mut pair = Message::default();
        pair.text(1, first);
        pair.text(2, second);
        message.message(field, &pair);
    };
    for (key, value) in &options.external_mounts {
        pair(23, key.as_ref(), value.as_ref());
    }
    for (controllers, path) in &options.cgroup_roots {
        pair(25, controllers.as_ref(), path.as_ref());
    }
    for (kind, path) in &options.joined {
        pair(39, kind.as_ref(), path.as_ref());
    }
    for (key, descriptor) in &options.inherited {
        let mut inherited = Message::default();
        inherited.text(1, key);
        inherited.number(2, *descriptor as u64);
        message.message(27, &inherited);
    }
    options.external.iter().for_each(|external| message.text(37, external));
}

const NOTICE: u64 = 6;

/// What CRIU says.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    /// It has come to a point, by its name for scripts, and waits for an answer.
    Notice {
        /// The point.
        script: String,
        /// The first process that it is making.
        pid: Option<i32>,
    },
    /// It has done what was asked.
    Done {
        /// Memory can be tracked, and left behind; of a question for features.
        features: (bool, bool),
    },
    /// It has not.
    Failed {
        /// Its first error, where it tells one.
        why: Option<String>,
    },
}

/// What bytes say; None if they are no answer.
pub fn reply(bytes: &[u8]) -> Option<Reply> {
    let fields = wire::fields(bytes)?;
    let inner = |field| match find(&fields, field) {
        Some(Value::Bytes(bytes)) => wire::fields(bytes),
        _ => None,
    };
    let text = |value: Option<&Value<'_>>| match value {
        Some(Value::Bytes(bytes)) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    };
    if number(&fields, 2)? == 0 {
        return Some(Reply::Failed { why: text(find(&fields, 9)) });
    }
    if number(&fields, 1)? == NOTICE {
        let notice = inner(5)?;
        let pid = number(&notice, 2).and_then(|pid| i32::try_from(pid).ok());
        return Some(Reply::Notice { script: text(find(&notice, 1))?, pid });
    }
    let features = inner(8).unwrap_or_default();
    let has = |field| number(&features, field) == Some(1);
    Some(Reply::Done { features: (has(1), has(2)) })
}

fn find<'a, 'b>(fields: &'a [(u64, Value<'b>)], number: u64) -> Option<&'a Value<'b>> {
    fields.iter().rev().find(|(own, _)| *own == number).map(|(_, value)| value)
}

fn number(fields: &[(u64, Value<'_>)], field: u64) -> Option<u64> {
    match find(fields, field) {
        Some(Value::Number(number)) => Some(*number),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
