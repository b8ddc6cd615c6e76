//! Stage: the facts of `hello`, in the order in which the chapters build a container.

use super::{capabilities, cgroup, mounts};

/// The kinds of namespaces, as /proc/self/ns names them.
pub const NAMESPACES: &[&str] = &["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"];

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The folder of the chapter that built it.
    pub chapter: &'static str,
    /// What it is about.
    pub name: &'static str,
    /// How it is.
    pub value: String,
}

/// All of them; `caller` is what [`super::CALLER`] tells.
pub fn all(caller: &str) -> Vec<Fact> {
    let status = read("/proc/self/status");
    let fact = |chapter, name, value| Fact { chapter, name, value };
    let mut facts = vec![
        fact("01-chroot", "root", mounts::root()),
        fact("01-chroot", "mounts", mounts::mounts()),
        fact("02-namespaces", "process", process(std::process::id(), &field(&status, "PPid"))),
        fact("02-namespaces", "hostname", read("/proc/sys/kernel/hostname").trim().into()),
    ];
    facts.extend(NAMESPACES.iter().map(|kind| {
        let name = if *kind == "mnt" { "mount" } else { kind };
        fact("02-namespaces", name, compared(kind, caller))
    }));
    facts.extend([
        fact("02-namespaces", "users", users(&read("/proc/self/uid_map"))),
        fact("03-cgroups", "cgroup", cgroup::path(&read("/proc/self/cgroup"))),
        fact("03-cgroups", "limits", cgroup::limits()),
        fact("04-privileges", "capabilities", capabilities::named(&field(&status, "CapEff"))),
        fact("04-privileges", "seccomp", seccomp(&status)),
        fact("04-privileges", "rlimits", rlimits(&read("/proc/self/limits"))),
        fact("05-runtime", "runs as", runs_as(&status)),
        fact("07-layers", "layers", mounts::layers()),
        fact("10-network", "links", links(&read("/proc/self/net/dev"))),
    ]);
    facts
}

/// The text of a file, empty where it cannot be read.
pub fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// The number of one of our namespaces: that of `mnt:[4026531841]`.
pub fn namespace(kind: &str) -> Option<String> {
    let link = std::fs::read_link(format!("/proc/self/ns/{kind}")).ok()?;
    Some(number(link.to_str()?).to_string())
}

fn number(text: &str) -> &str {
    text.trim_start_matches(|letter: char| !letter.is_ascii_digit()).trim_end_matches(']')
}

fn compared(kind: &str, caller: &str) -> String {
    let Some(own) = namespace(kind) else {
        return "not known to this kernel".into();
    };
    let of_kind = |other: &&str| other.split_once(':').is_some_and(|(of, _)| of == kind);
    match caller.split(' ').find(of_kind).map(number) {
        Some(other) if other == own => format!("{own}  shared with the caller"),
        Some(other) => format!("{own}  the caller is in {other}"),
        None => own,
    }
}

fn process(pid: u32, parent: &str) -> String {
    match (pid, parent) {
        (1, _) => "pid 1, the first of its PID namespace".into(),
        (pid, "0") => format!("pid {pid}, its parent is outside"),
        (pid, parent) => format!("pid {pid}, its parent is {parent}"),
    }
}

fn field(status: &str, name: &str) -> String {
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or("not known").trim().to_string()
}

fn runs_as(status: &str) -> String {
    let id = |name: &str| field(status, name).split_whitespace().next().unwrap_or("not known").to_string();
    let folder = std::env::current_dir();
    let folder = folder.map_or_else(|error| error.to_string(), |path| format!("in {}", path.display()));
    format!("uid {}, gid {}, {folder}", id("Uid"), id("Gid"))
}

/// How many ids there are, if there are several ranges and all are the same in the user namespace around this one, as where an
/// engine has one of its own.
fn ids_of_around(map: &str) -> Option<u64> {
    let count = |line: &str| match line.split_whitespace().collect::<Vec<_>>().as_slice() {
        [inside, outside, count] if inside == outside => count.parse::<u64>().ok(),
        _ => None,
    };
    let counts: Option<Vec<u64>> = map.lines().map(count).collect();
    counts.filter(|counts| counts.len() > 1).map(|counts| counts.iter().sum())
}

fn users(map: &str) -> String {
    if let Some(count) = ids_of_around(map) {
        return format!("{count}, as in the user namespace around it");
    }
    let ranges = map.lines().map(|line| match line.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["0", "0", "4294967295"] => "the same as on the host".into(),
        [inside, outside, "1"] => format!("uid {inside} is {outside} outside"),
        [inside, outside, count] => {
            format!("{count} uids from {inside} are those from {outside} outside")
        }
        _ => "not known".to_string(),
    });
    ranges.collect::<Vec<_>>().join(", ")
}

fn seccomp(status: &str) -> String {
    let mode = match field(status, "Seccomp").as_str() {
        "0" => "no filter".into(),
        "2" => {
            let count = field(status, "Seccomp_filters").parse().unwrap_or(1);
            format!("mode 2, {}", plural(count, "filter", "filters"))
        }
        mode => format!("mode {mode}"),
    };
    let setuid = if field(status, "NoNewPrivs") == "1" { "gives no" } else { "may give" };
    format!("{mode}; a setuid program {setuid} privileges")
}

fn rlimits(limits: &str) -> String {
    let soft = |name: &str| {
        let line = limits.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_whitespace().next()).unwrap_or("not known").to_string()
    };
    format!("{} open files, {} processes", soft("Max open files"), soft("Max processes"))
}

fn links(devices: &str) -> String {
    let name = |line: &str| Some(line.split_once(':')?.0.trim().to_string());
    let mut links: Vec<String> = devices.lines().skip(2).filter_map(name).collect();
    links.sort();
    if links.is_empty() { "none".into() } else { links.join(" ") }
}

/// `1 layer`, `2 layers`
pub fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_in_words() {
        assert_eq!(users("         0       1000          1\n"), "uid 0 is 1000 outside");
        assert_eq!(users("0 0 1\n1 1 65536\n"), "65537, as in the user namespace around it");
        assert_eq!(
            users("0 1000 1\n1 100000 65536\n"),
            "uid 0 is 1000 outside, 65536 uids from 1 are those from 100000 outside"
        );
        assert_eq!(
            seccomp("NoNewPrivs:\t0\nSeccomp:\t2\nSeccomp_filters:\t1\n"),
            "mode 2, 1 filter; a setuid program may give privileges"
        );
        assert_eq!(links("Inter-|\n face |\n    lo: 0\n  eth0: 1\n"), "eth0 lo");
    }

    #[test]
    fn the_callers_namespaces_with_and_without_brackets() {
        let own = namespace("mnt").unwrap();
        for caller in [format!("pid:1 mnt:{own}"), format!("pid:[1] mnt:[{own}]")] {
            assert!(compared("mnt", &caller).ends_with("shared with the caller"), "{caller}");
            assert!(compared("pid", &caller).ends_with("the caller is in 1"), "{caller}");
        }
        assert_eq!(compared("mnt", ""), own);
    }
}
