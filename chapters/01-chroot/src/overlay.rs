//! An overlay of layers as a root: mounted by the child itself, so that the host never sees it.

use crate::{Error, Result};
use kernel::Strace;
use nix::errno::Errno;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// Mounts an overlay, not yet attached anywhere; `lower` begins with the topmost layer.
///
/// Rootless, overlayfs keeps its marks in `user.overlay.*` attributes (`userxattr`, Linux 5.11).
pub fn mount(lower: &[PathBuf], upper: &Path, work: &Path, rootless: bool) -> Result<OwnedFd> {
    let purpose = |error| Error::call(format_args!("the overlay over {}", upper.display()), error);
    let context = rustix::mount::fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC);
    let context = context
        .strace(|| "fsopen(\"overlay\", FSOPEN_CLOEXEC)".into())
        .map_err(purpose)?;
    let set = |key: &str, value: &Path| {
        let call = || format!("fsconfig(overlay, FSCONFIG_SET_STRING, {key:?}, {value:?}, 0)");
        rustix::mount::fsconfig_set_string(&context, key, value).strace(call)
    };
    set("source", Path::new("overlay")).map_err(purpose)?;
    set_layers(&set, lower).map_err(purpose)?;
    set("upperdir", upper).map_err(purpose)?;
    set("workdir", work).map_err(purpose)?;
    if rootless {
        rustix::mount::fsconfig_set_flag(&context, "userxattr")
            .strace(|| "fsconfig(overlay, FSCONFIG_SET_FLAG, \"userxattr\")".into())
            .map_err(purpose)?;
    }
    create(&context).map_err(purpose)
}

/// One layer an option (`lowerdir+`, Linux 6.5), so that their number is not bounded by a page; else all in one.
fn set_layers<F>(set: &F, lower: &[PathBuf]) -> kernel::Result<()>
where
    F: Fn(&str, &Path) -> kernel::Result<()>,
{
    for (index, layer) in lower.iter().enumerate() {
        match set("lowerdir+", layer) {
            Err(error) if index == 0 && error.errno() == Errno::EINVAL => {
                return set_layers_in_one(set, lower);
            }
            result => result?,
        }
    }
    Ok(())
}

fn set_layers_in_one<F>(set: &F, lower: &[PathBuf]) -> kernel::Result<()>
where
    F: Fn(&str, &Path) -> kernel::Result<()>,
{
    let escaped = lower
        .iter()
        .map(|layer| layer.display().to_string().replace(':', "\\:"));
    set("lowerdir", Path::new(&escaped.collect::<Vec<_>>().join(":")))
}

fn create(context: impl AsFd) -> kernel::Result<OwnedFd> {
    rustix::mount::fsconfig_create(&context).strace(|| "fsconfig(overlay, FSCONFIG_CMD_CREATE)".into())?;
    rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())
        .strace(|| "fsmount(overlay)".into())
}
