//! Where the hierarchies are mounted: one of v2, one for each controller of v1, or both (cgroups(7)).

use std::path::PathBuf;

/// One hierarchy of v1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hierarchy {
    /// What it is called: its controllers (`cpu,cpuacct`), or `name=systemd`.
    pub name: String,
    /// Where it is mounted.
    pub mount: PathBuf,
}

impl Hierarchy {
    /// Whether this controller is bound to it.
    pub fn has(&self, controller: &str) -> bool {
        self.name.split(',').any(|own| own == controller)
    }
}

/// The hierarchies of this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// Where v2 is mounted.
    pub unified: Option<PathBuf>,
    /// The controllers that v2 has to give.
    pub unified_controllers: Vec<String>,
    /// The hierarchies of v1.
    pub v1: Vec<Hierarchy>,
    /// The caller's own cgroup of v2, where it may be written by an ordinary user.
    pub delegated: Option<String>,
}

impl Layout {
    /// Whether v2 is all there is.
    pub fn is_unified(&self) -> bool {
        self.unified.is_some() && self.v1.is_empty()
    }

    /// The cgroup that an ordinary user was given, below the hierarchy's mount point.
    pub fn delegated(&self) -> Option<String> {
        self.delegated.clone()
    }

    /// The hierarchy of v1 that a controller is bound to.
    pub fn hierarchy(&self, controller: &str) -> Option<&Hierarchy> {
        self.v1.iter().find(|hierarchy| hierarchy.has(controller))
    }

    /// From the text of /proc/self/mountinfo (proc(5)).
    pub fn from_mountinfo(text: &str) -> Layout {
        let mut layout = Layout::default();
        for line in text.lines() {
            let Some((left, right)) = line.split_once(" - ") else {
                continue;
            };
            let mount = left.split(' ').nth(4).map(PathBuf::from);
            let mut right = right.split(' ');
            let (kind, options) = (right.next(), right.nth(1).unwrap_or_default());
            match (kind, mount) {
                (Some("cgroup2"), Some(mount)) if layout.unified.is_none() => layout.unified = Some(mount),
                (Some("cgroup"), Some(mount)) => {
                    let words = options.split(',').filter(|word| !is_option(word));
                    let name = words.collect::<Vec<_>>().join(",");
                    if layout.v1.iter().all(|hierarchy| hierarchy.name != name) {
                        layout.v1.push(Hierarchy { name, mount });
                    }
                }
                _ => {}
            }
        }
        layout
    }
}

/// Words of a v1 mount that are no controller.
fn is_option(word: &str) -> bool {
    let options = [
        "rw",
        "ro",
        "xattr",
        "noprefix",
        "clone_children",
        "cpuset_v2_mode",
        "seclabel",
        "relatime",
        "release_agent",
    ];
    options
        .iter()
        .any(|option| word == *option || word.starts_with(&format!("{option}=")))
}

#[cfg(target_os = "linux")]
impl Layout {
    /// What this machine has, as the calling process sees it.
    pub fn detect() -> Layout {
        let mountinfo = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let mut layout = Layout::from_mountinfo(&mountinfo);
        if let Some(mount) = &layout.unified {
            let controllers = std::fs::read_to_string(mount.join("cgroup.controllers")).unwrap_or_default();
            layout.unified_controllers = controllers.split_whitespace().map(String::from).collect();
            layout.delegated = own_group(mount);
        }
        layout
    }
}

/// The caller's own group of v2, if an ordinary user may make groups in it.
#[cfg(target_os = "linux")]
fn own_group(mount: &std::path::Path) -> Option<String> {
    use nix::unistd::{AccessFlags, access, geteuid};
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = groups
        .lines()
        .find_map(|line| line.strip_prefix("0::"))?
        .to_string();
    let folder = mount.join(path.trim_start_matches('/'));
    let writable = access(&folder, AccessFlags::W_OK).is_ok()
        && access(&folder.join("cgroup.procs"), AccessFlags::W_OK).is_ok();
    (!geteuid().is_root() && writable).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hybrid_machine() {
        let text = "29 28 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n\
                    37 28 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd\n\
                    38 28 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate\n";
        let layout = Layout::from_mountinfo(text);
        assert_eq!(
            layout.v1.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(),
            ["cpu,cpuacct", "name=systemd"]
        );
        assert_eq!(layout.unified, Some("/sys/fs/cgroup/unified".into()));
        assert!(
            !layout.is_unified()
                && layout.hierarchy("cpuacct").is_some()
                && layout.hierarchy("memory").is_none()
        );
    }
}
