//! Exhibit: the plan carried out by paths. Between the check of a path and its use somebody exchanges it for a link; and what
//! the image calls /dev/null, /proc or /sys is believed. Other runtimes did so: CVE-2019-16884, CVE-2019-19921, CVE-2021-30465,
//! CVE-2023-27561, CVE-2023-28642, CVE-2024-45310, CVE-2025-31133; `tests/cve` tries each on this and on the library.
//!
//! `naive_mounts PLAN.json COMMAND [ARGUMENT]...` runs a command in the root that a plan in JSON describes.
#![forbid(unsafe_code)]

use chroot::{Mount, MountOp, Root, What};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use std::error::Error;
use std::fs::{OpenOptions, create_dir_all, read_to_string};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};

/// Runs the command.
pub fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, plan, command, rest @ ..] = arguments.as_slice() else {
        return Err("usage: naive_mounts PLAN.json COMMAND [ARGUMENT]...".into());
    };
    chroot::borrow_namespaces()?;
    apply(&serde_json::from_str::<Vec<MountOp>>(&read_to_string(plan)?)?)?;
    Err(std::process::Command::new(command).args(rest).exec().into())
}

/// What `chroot::apply` does, as one would write it first.
pub fn apply(steps: &[MountOp]) -> Result<(), Box<dyn Error>> {
    let mut root = PathBuf::from("/");
    for step in steps {
        match step {
            MountOp::CutOff(_) => {
                mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)?
            }
            MountOp::Root { root: Root::Folder(folder), .. } => {
                bind(folder, folder)?;
                root.clone_from(folder);
            }
            MountOp::Mount(one) => mount_one(&root, one)?,
            MountOp::PivotRoot => {
                std::env::set_current_dir(&root)?;
                nix::unistd::pivot_root(".", ".")?;
                umount2(".", MntFlags::MNT_DETACH)?;
                std::env::set_current_dir("/")?;
            }
            MountOp::Mask(path) if path.exists() => bind(Path::new("/dev/null"), path)?,
            _ => {}
        }
    }
    Ok(())
}

fn mount_one(root: &Path, one: &Mount) -> Result<(), Box<dyn Error>> {
    let place = root.join(one.destination.strip_prefix("/")?);
    check(root, &place)?;
    let is_file = matches!(&one.what, What::Bind { source, .. } if source.is_file());
    create_dir_all(if is_file { place.parent().unwrap_or(&place) } else { &place })?;
    if is_file {
        OpenOptions::new().append(true).create(true).open(&place)?;
    }
    check(root, &place)?;
    match &one.what {
        What::Bind { source, .. } => bind(source, &place),
        What::Filesystem { fstype, source } => {
            Ok(mount(Some(source.as_str()), &place, Some(fstype.as_str()), MsFlags::empty(), None::<&str>)?)
        }
        What::Detached(_) | What::Symlink { .. } | What::Remount => Ok(()),
    }
}

/// The part of the path that exists must lead nowhere but into the root: when it is looked at.
fn check(root: &Path, place: &Path) -> Result<(), Box<dyn Error>> {
    let there = place.ancestors().find_map(|path| path.canonicalize().ok()).unwrap_or_default();
    if there.starts_with(root) { Ok(()) } else { Err(format!("{} leads out", place.display()).into()) }
}

fn bind(source: &Path, place: &Path) -> Result<(), Box<dyn Error>> {
    Ok(mount(Some(source), place, None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>)?)
}
