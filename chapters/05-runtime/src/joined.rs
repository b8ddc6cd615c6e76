//! Long tail: namespaces that a spec names by their files are looked at before anything is made (config-linux.md, "Namespaces": "The
//! runtime MUST generate an error if path is not associated with a namespace of type").

use crate::plan::{Process, namespace_kind, word};
use crate::{Error, Result};
use kernel::Strace;
use oci_spec::runtime::{LinuxNamespaceType, Spec};
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The first that is not what the spec says it is.
pub fn check(spec: &Spec) -> Result<()> {
    let namespaces = spec.linux().as_ref().and_then(|linux| linux.namespaces().as_ref());
    for (index, namespace) in namespaces.into_iter().flatten().enumerate() {
        if let Some(path) = namespace.path().as_ref().filter(|path| !path.as_os_str().is_empty()) {
            check_file(&format!("linux.namespaces[{index}].path"), namespace.typ(), path)?;
        }
    }
    Ok(())
}

/// By the child, which has joined them: whether the user namespace that it is in forbids setgroups(2). A /proc that came with mounts
/// of others may not show the child to itself: then the call is made, and fails if it is forbidden. One that is not the kernel's is
/// refused: a forged "deny" would leave our own further groups to the container.
pub fn keep_denied_groups(process: &mut Process) -> Result<()> {
    match chroot::read_proc("self/setgroups") {
        Ok(word) if word.trim() == "deny" => process.keep_groups(),
        Err(error) if error.kind() != chroot::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

fn check_file(place: &str, kind: LinuxNamespaceType, path: &Path) -> Result<()> {
    let failed = |error: kernel::SysError| Error::invalid(format!("{place}: {error}"));
    let file = File::open(path).strace(|| format!("open({path:?}, O_RDONLY|O_CLOEXEC)")).map_err(failed)?;
    let number = file.metadata().strace(|| format!("fstat({path:?})")).map_err(failed)?.ino();
    // A file of another kind, or of no namespace at all.
    if kernel::namespace_kind(&file).ok() != Some(namespace_kind(kind).bits()) {
        let kind = word(&kind);
        return Err(Error::invalid(format!("{place} {path:?}: must be the file of a {kind} namespace")));
    }
    let is_of = |process: &str| {
        std::fs::metadata(format!("/proc/{process}/ns/mnt")).is_ok_and(|file| file.ino() == number)
    };
    if kind == LinuxNamespaceType::Mount && (is_of("self") || is_of("1")) {
        let why = "is the host's, whose root would become the container's: leave the path out";
        return Err(Error::invalid(format!("{place} {path:?}: {why}")));
    }
    Ok(())
}
