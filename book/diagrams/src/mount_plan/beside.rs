//! A container's mounts beside the plan that made them.

use super::steps;
use crate::live::{Row, Verdict};
use chroot::{Attributes, Mount, MountOp, Propagation, Root, What};

/// A line of /proc/PID/mountinfo: `id parent major:minor root place options [shared:N] [master:N]… - type source options`
struct Line<'a> {
    place: String,
    options: &'a str,
    peers: String,
    fstype: &'a str,
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Option<Line<'a>> {
        let (mount, filesystem) = line.split_once(" - ")?;
        let words: Vec<&str> = mount.split(' ').collect();
        let peers = words.get(6..)?.join(" ");
        Some(Line { place: plain(words[4]), options: words[5], peers, fstype: filesystem.split(' ').next()? })
    }

    fn has(&self, option: &str) -> bool {
        self.options.split(',').any(|other| other == option)
    }

    fn text(&self) -> String {
        let Line { place, options, peers, fstype } = self;
        format!("{place}  {fstype}  {options}  {peers}").trim_end().to_owned()
    }
}

/// The kernel writes spaces and the like in a path as `\040` (proc_pid_mountinfo(5)).
fn plain(path: &str) -> String {
    let mut plain = path.to_owned();
    for (escape, letter) in [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")] {
        plain = plain.replace(escape, letter);
    }
    plain
}

/// Each line of the plan with the mount that it made; and then the mounts of which the plan does not speak.
pub fn rows(plan: &[MountOp], mountinfo: &str) -> Vec<Row> {
    let lines: Vec<Line> = mountinfo.lines().filter_map(Line::parse).collect();
    let mut rows = Vec::new();
    for (planned, end) in steps::lines(plan) {
        let (kernel, verdict) = beside(&plan[end - 1], plan, &lines);
        rows.push(Row { planned: planned.replace("  ", " "), kernel, verdict });
    }
    let is_planned =
        |line: &&Line| plan.iter().any(|step| place(step).is_some_and(|place| place == line.place));
    for line in lines.iter().filter(|line| !is_planned(line)) {
        rows.push(Row { planned: String::new(), kernel: line.text(), verdict: Verdict::Unsaid });
    }
    rows
}

/// Where the mount is that a step makes.
fn place(step: &MountOp) -> Option<String> {
    let path = match step {
        MountOp::Root { .. } | MountOp::ReadOnlyRoot => return Some("/".to_owned()),
        MountOp::Mount(Mount { what: What::Symlink { .. }, .. }) => return None,
        MountOp::Mount(mount) => &mount.destination,
        MountOp::BindNode(device) => &device.path,
        MountOp::Mask(path) | MountOp::ReadOnly(path) => path,
        MountOp::CutOff(_) | MountOp::Node(_) | MountOp::Symlink { .. } => return None,
        MountOp::Label(_) | MountOp::PivotRoot => return None,
    };
    Some(path.display().to_string())
}

fn beside(step: &MountOp, plan: &[MountOp], lines: &[Line]) -> (String, Verdict) {
    if let MountOp::CutOff(propagation) = step {
        return cut_off(*propagation, plan, lines);
    }
    let Some(place) = place(step) else {
        return (String::new(), Verdict::Unsaid);
    };
    // The last one on a place is the one that is seen.
    let Some(line) = lines.iter().rfind(|line| line.place == place) else {
        return match step {
            // Nothing is hidden or protected that is not there.
            MountOp::Mask(_) | MountOp::ReadOnly(_) => ("no mount there".to_owned(), Verdict::Unsaid),
            _ => ("no mount there".to_owned(), Verdict::Differs),
        };
    };
    let is_so = match step {
        MountOp::Root { root: Root::Overlay { .. }, .. } => line.fstype == "overlay",
        MountOp::Mount(mount) => is_as_planned(mount, line),
        MountOp::ReadOnly(_) | MountOp::ReadOnlyRoot => line.has("ro"),
        _ => true,
    };
    (line.text(), Verdict::of(is_so))
}

/// What is not asked to follow the host's mounts, or to share its own, has no peers.
fn cut_off(propagation: Propagation, plan: &[MountOp], lines: &[Line]) -> (String, Verdict) {
    let peers = lines.iter().filter(|line| !line.peers.is_empty()).count();
    let text = format!("{} mounts, {peers} of them with peers", lines.len());
    let asked =
        |step: &&MountOp| matches!(step, MountOp::Mount(mount) if mount.options.propagation.is_some());
    let is_private = propagation.flag == Propagation::PRIVATE && !plan.iter().any(|step| asked(&step));
    (text, if is_private { Verdict::of(peers == 0) } else { Verdict::Unsaid })
}

fn is_as_planned(mount: &Mount, line: &Line) -> bool {
    let is_of_type = match &mount.what {
        What::Filesystem { fstype, .. } => fstype == line.fstype,
        _ => true,
    };
    let attributes = [
        (Attributes::RDONLY, "ro"),
        (Attributes::NOSUID, "nosuid"),
        (Attributes::NODEV, "nodev"),
        (Attributes::NOEXEC, "noexec"),
    ];
    let has = |(bit, word): &(u64, &str)| mount.options.attributes.set & bit == 0 || line.has(word);
    is_of_type && attributes.iter().all(has)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chroot::{MountOptions, RootSpec, plan};

    fn shown(mountinfo: &str) -> Vec<String> {
        let proc = What::Filesystem { fstype: "proc".into(), source: "proc".into() };
        let options = MountOptions {
            attributes: Attributes { set: Attributes::NOSUID, clear: 0 },
            ..MountOptions::default()
        };
        let spec = RootSpec {
            mounts: vec![Mount { destination: "/proc".into(), what: proc, options }],
            masked_paths: vec!["/proc/kcore".into(), "/proc/none".into()],
            readonly: true,
            ..RootSpec::folder("/root".into())
        };
        let row = |row: Row| format!("{} | {} | {:?}", row.planned, row.kernel, row.verdict);
        rows(&plan(&spec), mountinfo).into_iter().map(row).collect()
    }

    const AS_PLANNED: &str = "20 1 8:1 /root / ro,relatime - ext4 /dev/sda1 rw\n\
        21 20 0:5 / /proc rw,nosuid,nodev - proc proc rw\n22 21 0:6 /null /proc/kcore rw - devtmpfs udev rw\n\
        23 20 0:7 / /with\\040space rw - tmpfs tmpfs rw\n";

    #[test]
    fn what_is_as_planned() {
        assert_eq!(
            shown(AS_PLANNED),
            [
                "CutOff rprivate | 4 mounts, 0 of them with peers | AsPlanned",
                "Root the folder /root | /  ext4  ro,relatime | AsPlanned",
                "Mount proc on /proc nosuid | /proc  proc  rw,nosuid,nodev | AsPlanned",
                "PivotRoot |  | Unsaid",
                "Mask /proc/kcore | /proc/kcore  devtmpfs  rw | AsPlanned",
                "Mask /proc/none | no mount there | Unsaid",
                "ReadOnlyRoot | /  ext4  ro,relatime | AsPlanned",
                " | /with space  tmpfs  rw | Unsaid",
            ]
        );
    }

    #[test]
    fn what_differs() {
        let other = AS_PLANNED
            .replace("ro,", "rw,")
            .replace("nosuid,", "")
            .replace(" rw - tmpfs", " rw shared:3 - tmpfs");
        let differs: Vec<String> = shown(&other).into_iter().filter(|row| row.ends_with("Differs")).collect();
        assert_eq!(
            differs,
            [
                "CutOff rprivate | 4 mounts, 1 of them with peers | Differs",
                "Mount proc on /proc nosuid | /proc  proc  rw,nodev | Differs",
                "ReadOnlyRoot | /  ext4  rw,relatime | Differs",
            ]
        );
        assert!(shown("").contains(&"Mount proc on /proc nosuid | no mount there | Differs".to_owned()));
    }
}
