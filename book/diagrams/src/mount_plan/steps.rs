//! A plan's steps as short lines.

use chroot::{Attributes, Mount, MountOp, Propagation, Root, What};

/// A line for each step, with the number of steps up to its end; links that follow each other share one.
pub fn lines(plan: &[MountOp]) -> Vec<(String, usize)> {
    let mut lines: Vec<(String, usize)> = Vec::new();
    let mut links = 0;
    for (index, step) in plan.iter().enumerate() {
        let is_link = matches!(step, MountOp::Symlink { .. });
        links = if is_link { links + 1 } else { 0 };
        if links > 1 {
            lines.pop();
        }
        let text = if is_link { format!("Symlink  {links} links below /dev") } else { line(step) };
        lines.push((text, index + 1));
    }
    lines
}

fn line(step: &MountOp) -> String {
    match step {
        MountOp::CutOff(propagation) => format!("CutOff  {}", word(*propagation)),
        MountOp::Root { root: Root::Folder(folder), .. } => format!("Root  the folder {}", folder.display()),
        MountOp::Root { root: Root::Overlay { lower, .. }, rootless } => {
            let marks = if *rootless { ", userxattr" } else { "" };
            format!("Root  an overlay of {} layers{marks}", lower.len())
        }
        MountOp::Mount(mount) => self::mount(mount),
        MountOp::Node(device) => format!("Node  {}", device.path.display()),
        MountOp::BindNode(device) => format!("BindNode  the host's {}", device.path.display()),
        MountOp::Symlink { path, .. } => format!("Symlink  {}", path.display()),
        MountOp::Label(label) => format!("Label  {label}"),
        MountOp::PivotRoot => "PivotRoot".to_owned(),
        MountOp::Mask(path) => format!("Mask  {}", path.display()),
        MountOp::ReadOnly(path) => format!("ReadOnly  {}", path.display()),
        MountOp::ReadOnlyRoot => "ReadOnlyRoot".to_owned(),
    }
}

fn mount(mount: &Mount) -> String {
    let place = mount.destination.display();
    match &mount.what {
        What::Filesystem { fstype, .. } => {
            let words: Vec<&str> = [
                (Attributes::RDONLY, "ro"),
                (Attributes::NOSUID, "nosuid"),
                (Attributes::NODEV, "nodev"),
                (Attributes::NOEXEC, "noexec"),
            ]
            .iter()
            .filter(|(bit, _)| mount.options.attributes.set & bit != 0)
            .map(|(_, word)| *word)
            .collect();
            format!("Mount  {fstype} on {place}  {}", words.join(","))
        }
        What::Bind { source, .. } => {
            let propagation = mount.options.propagation.map(word).unwrap_or("as cut off");
            format!("Mount  bind {} to {place}  {propagation}", source.display())
        }
        What::Symlink { target } => format!("Mount  a link {place} to {}", target.display()),
        What::Detached(copy) => format!("Mount  {} on {place}", copy.display()),
        What::Remount => format!("Mount  {place} again"),
    }
}

fn word(propagation: Propagation) -> &'static str {
    match (propagation.flag, propagation.recursive) {
        (Propagation::SHARED, true) => "rshared",
        (Propagation::SHARED, false) => "shared",
        (Propagation::SLAVE, true) => "rslave",
        (Propagation::SLAVE, false) => "slave",
        (Propagation::UNBINDABLE, _) => "unbindable",
        (_, true) => "rprivate",
        (_, false) => "private",
    }
}
