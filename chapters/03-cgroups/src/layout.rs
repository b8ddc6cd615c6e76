//! Where the hierarchies are mounted: one of v2, one for each controller of v1, or both (cgroups(7)).

#[cfg(target_os = "linux")]
use crate::{Result, delegation, files, v1_groups};
#[cfg(target_os = "linux")]
use nix::sys::statfs::{CGROUP2_SUPER_MAGIC, statfs};
use std::path::{Path, PathBuf};

/// Where v2 is mounted on nearly every machine that has nothing else; on others there is a folder with a mount for each hierarchy.
#[cfg(target_os = "linux")]
const USUAL_PLACE: &str = "/sys/fs/cgroup";

/// One hierarchy of v1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hierarchy {
    /// What it is called: its controllers (`cpu,cpuacct`), or `name=systemd`.
    pub name: String,
    /// Where it is mounted.
    pub mount: PathBuf,
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
    /// The cgroup of v2 that an ordinary user was given: their own, if they may make groups in it.
    pub delegated: Option<String>,
    /// Memory and swap can be limited together.
    pub accounts_swap: bool,
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

    /// From the text of /proc/self/mountinfo (proc(5)).
    pub fn from_mountinfo(text: &str) -> Layout {
        let mounts: Vec<Mount> = text.lines().filter_map(Mount::parse).collect();
        let mut layout = Layout::default();
        let groups = mounts.iter().filter(|mount| mount.kind.starts_with("cgroup"));
        for mount in groups.filter(|mount| !mount.is_hidden(&mounts)) {
            match mount.kind {
                "cgroup2" if layout.unified.is_none() => layout.unified = Some(mount.point.into()),
                "cgroup" => layout.add_v1(mount.options, mount.point),
                _ => {}
            }
        }
        layout
    }
}

/// A line of mountinfo.
struct Mount<'a> {
    id: &'a str,
    parent: &'a str,
    point: &'a str,
    kind: &'a str,
    options: &'a str,
}

impl Mount<'_> {
    fn parse(line: &str) -> Option<Mount<'_>> {
        let (left, right) = line.split_once(" - ")?;
        let (mut left, mut right) = (left.split(' '), right.split(' '));
        Some(Mount {
            id: left.next()?,
            parent: left.next()?,
            point: left.nth(2)?,
            kind: right.next()?,
            options: right.nth(1)?,
        })
    }

    /// Whether another mount lies on it, or on the path to it: it is in the list, but nobody can reach it.
    fn is_hidden(&self, all: &[Mount<'_>]) -> bool {
        let mut below = vec![self.id];
        while let Some(mount) = all.iter().find(|mount| Some(&mount.id) == below.last())
            && !below.contains(&mount.parent)
        {
            below.push(mount.parent);
        }
        let is_under = |mount: &Mount<'_>| Path::new(self.point).starts_with(mount.point);
        all.iter().any(|mount| !below.contains(&mount.id) && below.contains(&mount.parent) && is_under(mount))
    }
}

#[cfg(target_os = "linux")]
impl Layout {
    /// What this machine has, as far as the calling process may use it: an ordinary user has what was delegated to them. A table
    /// that cannot be read is an error; taken for an empty one, it would leave groups behind and containers without limits.
    pub fn detect() -> Result<Layout> {
        let mut layout = mounted()?;
        let is_root = kernel::is_root();
        if !is_root {
            delegation::keep_what_was_given(&mut layout)?;
        }
        let top = layout.delegated.as_deref().or(is_root.then_some("/"));
        if let (Some(mount), Some(top)) = (&layout.unified, top) {
            let controllers = files::read(&files::below(mount, top).join("cgroup.controllers"))?;
            layout.unified_controllers = controllers.split_whitespace().map(String::from).collect();
        }
        // The topmost group of v2 has no files to look for; a kernel without swap has no list of it.
        let has_swap = Path::new("/proc/swaps").exists();
        layout.accounts_swap =
            if layout.v1.is_empty() { has_swap } else { v1_groups::accounts_swap(&layout) };
        Ok(layout)
    }
}

/// The hierarchies that are mounted. Where the usual place has v2, that is all there is: one call tells it, and the table of all mounts,
/// which has a line for each mount of every container, need not be read.
#[cfg(target_os = "linux")]
fn mounted() -> Result<Layout> {
    if statfs(USUAL_PLACE).is_ok_and(|found| found.filesystem_type() == CGROUP2_SUPER_MAGIC) {
        return Ok(Layout { unified: Some(USUAL_PLACE.into()), ..Layout::default() });
    }
    Ok(Layout::from_mountinfo(&files::read("/proc/self/mountinfo".as_ref())?))
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

    /// As in a mount namespace of one's own that shall see v2 alone; and on a machine that moved its mounts into the root that
    /// came later, where nothing is hidden.
    #[test]
    fn what_is_mounted_over_is_not_there() {
        let text = "1 1 0:2 / / rw - rootfs none rw\n\
                    22 30 0:20 / /sys rw - sysfs sysfs rw\n\
                    28 22 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
                    29 28 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n\
                    38 28 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n\
                    30 1 254:0 / / rw - ext4 /dev/vda rw\n";
        assert_eq!(Layout::from_mountinfo(text).v1.len(), 1);
        let layout =
            Layout::from_mountinfo(&format!("{text}50 28 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"));
        assert!(layout.is_unified());
        assert_eq!(layout.unified, Some("/sys/fs/cgroup".into()));
    }
}
