//! Long tail: an overlay of layers as a root: mounted by the child itself, so that the host never sees it.

use crate::{Error, Result, trees};
use kernel::Strace;
use nix::errno::Errno;
use nix::mount::MsFlags;
use rustix::fs::{Mode, OFlags};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags};
use std::borrow::Cow;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Bytes that fsconfig(2) takes as one value, its final zero included.
const VALUE_MAX: usize = 256;

/// Mounts an overlay over its own upper folder, and returns its root; `lower` begins with the topmost layer.
///
/// Rootless, overlayfs keeps its marks in `user.overlay.*` attributes (`userxattr`, Linux 5.11). Where the kernel does not
/// take one layer at a time (`lowerdir+`, Linux 6.5), all must fit into the page that mount(2) takes: about 200 layers.
pub fn mount(lower: &[PathBuf], upper: &Path, work: &Path, rootless: bool) -> Result<OwnedFd> {
    let purpose = |error| Error::call(format_args!("the overlay over {}", upper.display()), error);
    let folders = Folders::open(lower, upper, work, rootless).map_err(purpose)?;
    match folders.mount_by_layer() {
        // Older kernels take any key, and find only in the end that there is no `lowerdir+`.
        Err(error) if error.errno() == Errno::EINVAL => folders.mount_at_once(upper).map_err(purpose),
        tree => {
            let tree = tree.map_err(purpose)?;
            trees::attach_on_host(&tree, upper)?;
            Ok(tree)
        }
    }
}

/// The folders of an overlay, by names that overlayfs takes as they are.
struct Folders<'a> {
    lower: Vec<Name<'a>>,
    upper: Name<'a>,
    work: Name<'a>,
    rootless: bool,
}

/// A path; or, where it is too long or has bytes that mean something to overlayfs, that of a descriptor of it.
struct Name<'a> {
    path: Cow<'a, Path>,
    _open: Option<OwnedFd>,
}

impl<'a> Name<'a> {
    fn of(path: &'a Path) -> kernel::Result<Name<'a>> {
        let bytes = path.as_os_str().as_bytes();
        if bytes.len() < VALUE_MAX && !bytes.iter().any(|byte| b"\\:,".contains(byte)) {
            return Ok(Name { path: path.into(), _open: None });
        }
        Name::by_descriptor(path)
    }

    fn by_descriptor(path: &Path) -> kernel::Result<Name<'static>> {
        let folder = open_folder(path)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
        Ok(Name { path: path.into(), _open: Some(folder) })
    }
}

fn open_folder(path: &Path) -> kernel::Result<OwnedFd> {
    rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .strace(|| format!("open({path:?}, O_PATH|O_DIRECTORY)"))
}

impl<'a> Folders<'a> {
    fn open(
        lower: &'a [PathBuf],
        upper: &'a Path,
        work: &'a Path,
        rootless: bool,
    ) -> kernel::Result<Folders<'a>> {
        Ok(Folders {
            lower: lower.iter().map(|layer| Name::of(layer)).collect::<kernel::Result<_>>()?,
            upper: Name::of(upper)?,
            work: Name::of(work)?,
            rootless,
        })
    }

    /// By the new mount API, one layer an option, so that their number is not bounded by a page. Not yet attached anywhere.
    fn mount_by_layer(&self) -> kernel::Result<OwnedFd> {
        let context = rustix::mount::fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)
            .strace(|| "fsopen(\"overlay\", FSOPEN_CLOEXEC)".into())?;
        let set = |key: &str, value: &Path| {
            let call = || format!("fsconfig(overlay, FSCONFIG_SET_STRING, {key:?}, {value:?}, 0)");
            rustix::mount::fsconfig_set_string(&context, key, value).strace(call)
        };
        set("source", Path::new("overlay"))?;
        for layer in &self.lower {
            set("lowerdir+", &layer.path)?;
        }
        set("upperdir", &self.upper.path)?;
        set("workdir", &self.work.path)?;
        if self.rootless {
            rustix::mount::fsconfig_set_flag(&context, "userxattr")
                .strace(|| "fsconfig(overlay, FSCONFIG_SET_FLAG, \"userxattr\")".into())?;
        }
        rustix::mount::fsconfig_create(&context)
            .strace(|| "fsconfig(overlay, FSCONFIG_CMD_CREATE)".into())?;
        rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())
            .strace(|| "fsmount(overlay)".into())
    }

    /// By mount(2), all layers in one string: short names of descriptors, so that many fit.
    fn mount_at_once(&self, place: &Path) -> kernel::Result<OwnedFd> {
        let short = |name: &Name| Name::by_descriptor(&name.path);
        let lower: Vec<Name> = self.lower.iter().map(short).collect::<kernel::Result<_>>()?;
        let (upper, work) = (short(&self.upper)?, short(&self.work)?);
        let layers: Vec<_> = lower.iter().map(|layer| layer.path.to_string_lossy()).collect();
        let mut data = format!(
            "lowerdir={},upperdir={},workdir={}",
            layers.join(":"),
            upper.path.display(),
            work.path.display()
        );
        if self.rootless {
            data.push_str(",userxattr");
        }
        nix::mount::mount(Some("overlay"), place, Some("overlay"), MsFlags::empty(), Some(data.as_str()))
            .strace(|| format!("mount(\"overlay\", {place:?}, \"overlay\", 0, {data:?})"))?;
        open_folder(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_mount_as_older_kernels_want_it() {
        if !nix::unistd::geteuid().is_root() {
            return;
        }
        let folder = std::env::temp_dir().join(format!("overlay-{}", std::process::id()));
        let named = |name: &str| {
            std::fs::create_dir_all(folder.join(name)).unwrap();
            folder.join(name)
        };
        let (lower, upper, work) = (vec![named("a:b"), named("c")], named("upper"), named("work"));
        std::fs::write(folder.join("a:b/file"), "text").unwrap();
        // Of this thread alone: the mount ends with it.
        let seen = std::thread::spawn(move || {
            nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).unwrap();
            crate::apply::cut_off(crate::Propagation::RPRIVATE).unwrap();
            let folders = Folders::open(&lower, &upper, &work, false).unwrap();
            let root = folders.mount_at_once(&upper).unwrap();
            std::fs::read_to_string(format!("/proc/thread-self/fd/{}/file", root.as_raw_fd())).unwrap()
        });
        assert_eq!(seen.join().unwrap(), "text");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
