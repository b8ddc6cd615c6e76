//! Long tail: the facts of `hello`, read from /proc.

use super::{CALLER, cgroup};
use std::collections::BTreeSet;

/// The kinds of namespaces, as /proc/self/ns names them.
pub const NAMESPACES: &[&str] = &["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"];

/// The names of the capabilities by number (capabilities(7)).
const CAPABILITIES: &[&str] = &[
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

/// `(chapter, name, fact)`, in the order in which the chapters build a container.
pub fn all() -> Vec<(&'static str, &'static str, String)> {
    let status = read("/proc/self/status");
    let mut facts = vec![("01-chroot", "root", root()), ("01-chroot", "mounts", mounts())];
    facts.push((
        "02-namespaces",
        "process",
        format!("pid {}, parent {}", std::process::id(), field(&status, "PPid")),
    ));
    facts.push((
        "02-namespaces",
        "hostname",
        read("/proc/sys/kernel/hostname").trim().into(),
    ));
    facts.extend(
        NAMESPACES
            .iter()
            .map(|kind| ("02-namespaces", *kind, compared(kind))),
    );
    facts.push(("02-namespaces", "users", users()));
    facts.push(("03-cgroups", "cgroup", cgroup::path()));
    facts.push(("03-cgroups", "limits", cgroup::limits()));
    facts.push((
        "04-privileges",
        "capabilities",
        capabilities(&field(&status, "CapEff")),
    ));
    facts.push(("04-privileges", "seccomp", seccomp(&status)));
    facts.push(("04-privileges", "rlimits", rlimits()));
    facts.push((
        "05-runtime",
        "runs as",
        format!(
            "uid {}, gid {}, {}",
            id(&status, "Uid"),
            id(&status, "Gid"),
            working_directory()
        ),
    ));
    facts.push(("07-layers", "root's make", layers()));
    facts.push(("10-network", "links", links()));
    facts
}

/// The text of a file, empty where it cannot be read.
pub fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// `mnt:[4026531841]`
pub fn namespace(kind: &str) -> Option<String> {
    let link = std::fs::read_link(format!("/proc/self/ns/{kind}")).ok()?;
    Some(link.to_string_lossy().into_owned())
}

fn compared(kind: &str) -> String {
    let Some(own) = namespace(kind) else {
        return "not known to this kernel".into();
    };
    let caller = std::env::var(CALLER).unwrap_or_default();
    let number = |text: &str| {
        text.split_once(':')
            .map(|(_, inode)| inode.trim_matches(['[', ']']).to_string())
    };
    match caller
        .split(' ')
        .find(|other| other.starts_with(&format!("{kind}:")))
        .and_then(number)
    {
        Some(other) if number(&own).as_ref() == Some(&other) => format!("{own}, the caller's"),
        Some(other) => format!("{own}, the caller's is [{other}]"),
        None => own,
    }
}

fn field(status: &str, name: &str) -> String {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or("not known").trim().to_string()
}

fn id(status: &str, name: &str) -> String {
    field(status, name)
        .split_whitespace()
        .next()
        .unwrap_or("not known")
        .to_string()
}

fn working_directory() -> String {
    std::env::current_dir().map_or_else(|error| error.to_string(), |path| format!("in {}", path.display()))
}

/// The fields of a line of /proc/self/mountinfo that matter here: mount point, options, type, options of the file system.
fn mount_lines() -> Vec<[String; 4]> {
    let line = |line: &str| {
        let (left, right) = line.split_once(" - ")?;
        let (left, right): (Vec<_>, Vec<_>) = (left.split(' ').collect(), right.split(' ').collect());
        Some([
            left.get(4)?.to_string(),
            left.get(5)?.to_string(),
            right.first()?.to_string(),
            right.get(2)?.to_string(),
        ])
    };
    read("/proc/self/mountinfo").lines().filter_map(line).collect()
}

fn root() -> String {
    let entries = std::fs::read_dir("/").into_iter().flatten().flatten();
    let names: BTreeSet<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    format!("/ holds {}", names.into_iter().collect::<Vec<_>>().join(" "))
}

fn mounts() -> String {
    let mounts = mount_lines();
    let (masks, others): (Vec<_>, Vec<_>) =
        mounts.iter().partition(|[place, ..]| place.starts_with("/proc/"));
    let places: Vec<&str> = others
        .iter()
        .map(|[place, ..]| place.as_str())
        .filter(|place| *place != "/")
        .collect();
    format!(
        "{} over {}",
        plural(mounts.len(), "mount"),
        if places.is_empty() {
            "/".into()
        } else {
            places.join(" ")
        }
    ) + &masked(masks.len())
}

fn masked(count: usize) -> String {
    if count == 0 {
        String::new()
    } else {
        format!(", and {count} that mask or protect parts of /proc")
    }
}

fn layers() -> String {
    match mount_lines().into_iter().find(|[place, ..]| place == "/") {
        Some([_, options, kind, data]) if kind == "overlay" => {
            let layers = data
                .split(',')
                .filter(|option| option.starts_with("lowerdir+="))
                .count();
            let layers = layers.max(
                data.split(',')
                    .find_map(|option| option.strip_prefix("lowerdir="))
                    .map_or(0, |list| list.split(':').count()),
            );
            format!(
                "overlay of {} and a writable one, {options}",
                plural(layers, "layer")
            )
        }
        Some([_, options, kind, _]) => format!("a folder on {kind}, {options}"),
        None => "not known".into(),
    }
}

fn users() -> String {
    let map = read("/proc/self/uid_map");
    let lines = map
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let ranges = lines.map(|range| match range.as_slice() {
        ["0", "0", "4294967295"] => "as on the host".to_string(),
        [inside, outside, "1"] => format!("uid {inside} here is uid {outside} outside"),
        [inside, outside, count] => {
            format!("{count} uids from {inside} here are those from {outside} outside")
        }
        _ => "not known".to_string(),
    });
    ranges.collect::<Vec<_>>().join(", ")
}

fn capabilities(effective: &str) -> String {
    let set = u64::from_str_radix(effective, 16).unwrap_or(0);
    let names = |of: u64| {
        CAPABILITIES
            .iter()
            .enumerate()
            .filter(move |(bit, _)| of >> bit & 1 == 1)
            .map(|(_, name)| *name)
    };
    match names(set).count() {
        0 => "none".into(),
        count if count >= CAPABILITIES.len() => "all, over what this user namespace owns".into(),
        count if count > 20 => format!("{count}, all but {}", names(!set).collect::<Vec<_>>().join(" ")),
        count => format!("{count}: {}", names(set).collect::<Vec<_>>().join(" ")),
    }
}

fn seccomp(status: &str) -> String {
    let mode = match field(status, "Seccomp").as_str() {
        "0" => "no filter".into(),
        "2" => format!(
            "filter mode, {}",
            plural(field(status, "Seccomp_filters").parse().unwrap_or(1), "filter")
        ),
        other => format!("mode {other}"),
    };
    let kept = if field(status, "NoNewPrivs") == "1" {
        "no new privileges"
    } else {
        "new privileges by setuid allowed"
    };
    format!("{mode}; {kept}")
}

fn rlimits() -> String {
    let limits = read("/proc/self/limits");
    let soft = |name: &str| {
        let line = limits.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_whitespace().next())
            .unwrap_or("not known")
            .to_string()
    };
    format!(
        "{} open files, {} processes",
        soft("Max open files"),
        soft("Max processes")
    )
}

fn links() -> String {
    let entries = std::fs::read_dir("/sys/class/net")
        .into_iter()
        .flatten()
        .flatten();
    let mut links: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    if links.is_empty() {
        let devices = read("/proc/net/dev");
        links = devices
            .lines()
            .skip(2)
            .filter_map(|line| Some(line.split_once(':')?.0.trim().to_string()))
            .collect();
    }
    links.sort();
    if links.is_empty() {
        "none to be seen".into()
    } else {
        links.join(" ")
    }
}

/// `1 layer`, `2 layers`
pub fn plural(count: usize, what: &str) -> String {
    if count == 1 {
        format!("1 {what}")
    } else {
        format!("{count} {what}s")
    }
}
