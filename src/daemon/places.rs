//! Where an engine lives: its data root, its exec root, its socket.

use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// The folders of one engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// What must survive a reboot: images, containers, volumes.
    pub data_root: PathBuf,
    /// What must not: sockets, pids. On a tmpfs, never synced.
    pub exec_root: PathBuf,
}

impl Places {
    /// The caller's default places: the system's for root, private ones for an ordinary user.
    ///
    /// Fails when the private folder under `/tmp` exists and is not the caller's alone.
    pub fn of_caller() -> io::Result<Places> {
        let uid = nix::unistd::geteuid();
        if uid.is_root() {
            return Ok(Places { data_root: "/var/lib/coracle".into(), exec_root: "/run/coracle".into() });
        }
        let exec_root = match absolute_variable("XDG_RUNTIME_DIR").filter(|folder| folder.is_dir()) {
            Some(folder) => folder.join("coracle"),
            None => private_folder(Path::new(&format!("/tmp/coracle-{uid}")), uid.as_raw())?,
        };
        let data_home = absolute_variable("XDG_DATA_HOME")
            .or_else(|| absolute_variable("HOME").map(|home| home.join(".local/share")))
            .unwrap_or_else(|| exec_root.join("data"));
        Ok(Places { data_root: data_home.join("coracle"), exec_root })
    }

    /// The socket of an engine with this exec root, unless it is told another.
    pub fn socket(&self) -> PathBuf {
        self.exec_root.join("coracle.sock")
    }

    /// Its pid file, unless it is told another.
    pub fn pidfile(&self) -> PathBuf {
        self.exec_root.join("coracle.pid")
    }
}

/// The XDG base directory specification: a relative path in these variables is to be ignored.
fn absolute_variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// A folder under a place where everybody may write. Somebody else may have made it first, to read our socket's
/// traffic or to have us follow a link: only a folder that is ours, and closed to others, is taken.
fn private_folder(path: &Path, uid: u32) -> io::Result<PathBuf> {
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let found = path.symlink_metadata()?;
    if found.is_dir() && found.uid() == uid && found.mode() & 0o077 == 0 {
        return Ok(path.to_owned());
    }
    let owner = found.uid();
    let mode = found.mode() & 0o7777;
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        format!(
            "{} is not a folder of yours alone (owner {owner}, mode {mode:o}); remove it or set XDG_RUNTIME_DIR",
            path.display()
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_private_folder_is_taken_only_when_it_is_ours_alone() {
        let parent = tempfile::tempdir().expect("a folder");
        let uid = nix::unistd::geteuid().as_raw();
        let path = parent.path().join("coracle");
        assert_eq!(private_folder(&path, uid).expect("made"), path);
        assert_eq!(private_folder(&path, uid).expect("found again"), path);
        assert!(private_folder(&path, uid + 1).is_err(), "somebody else's");
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&path, open).expect("chmod");
        assert!(private_folder(&path, uid).is_err(), "others may look in");
        let link = parent.path().join("link");
        symlink(parent.path(), &link).expect("a link");
        assert!(private_folder(&link, uid).is_err(), "a link");
    }
}
