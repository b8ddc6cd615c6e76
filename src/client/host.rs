//! Which daemon to talk to: `-H`, `CORACLE_HOST`, `DOCKER_HOST`, or our own, started on demand.

use super::failure::{Error, ErrorKind, Result};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// A daemon's address.
#[derive(Clone, Debug, PartialEq)]
pub struct Host {
    /// The path of its Unix socket.
    pub socket: PathBuf,
    /// Nobody named it, so that it is ours to start.
    pub on_demand: bool,
}

impl Host {
    /// Takes the first address named: by flag, by environment; else the default of this user.
    pub fn choose(flag: Option<&str>) -> Result<Host> {
        let named = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        match flag
            .map(str::to_string)
            .or_else(|| named("CORACLE_HOST"))
            .or_else(|| named("DOCKER_HOST"))
        {
            Some(address) => Ok(Host {
                socket: parse(&address)?,
                on_demand: false,
            }),
            None => Ok(Host {
                socket: run_folder()?.join("coracle.sock"),
                on_demand: true,
            }),
        }
    }

    /// The address as users write it.
    pub fn address(&self) -> String {
        format!("unix://{}", self.socket.display())
    }
}

/// `unix:///run/coracle/coracle.sock` or a bare path -> the socket's path.
fn parse(address: &str) -> Result<PathBuf> {
    match address.split_once("://") {
        Some(("unix", path)) if !path.is_empty() => Ok(PathBuf::from(path)),
        Some((scheme, _)) => Err(Error::not_supported(format!("a {scheme}:// host"))),
        None if address.starts_with('/') => Ok(PathBuf::from(address)),
        None => Err(Error::usage(format!("unable to parse docker host `{address}`"))),
    }
}

/// The daemon's run directory for this user, as `coracle daemon` chooses it; made when it is missing.
pub fn run_folder() -> Result<PathBuf> {
    let user = nix::unistd::geteuid();
    if user.is_root() {
        return Ok(PathBuf::from("/run/coracle"));
    }
    if let Some(folder) = std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty()) {
        return Ok(PathBuf::from(folder).join("coracle"));
    }
    private_folder(&PathBuf::from(format!("/tmp/coracle-{user}")), user.as_raw())
}

/// Makes a folder below a directory that anyone may write to, and trusts an existing one only if nobody else could have
/// made it or can look into it: otherwise another user would own the socket that we send our commands to.
fn private_folder(folder: &Path, user: u32) -> Result<PathBuf> {
    match std::fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            return Err(Error::file("mkdir", &folder.display().to_string(), &error));
        }
        _ => {}
    }
    let found = std::fs::symlink_metadata(folder)
        .map_err(|error| Error::file("lstat", &folder.display().to_string(), &error))?;
    if found.is_dir() && found.uid() == user && found.mode() & 0o077 == 0 {
        return Ok(folder.to_path_buf());
    }
    let reason = "it must be a folder of your own with mode 0700; set XDG_RUNTIME_DIR, or remove it";
    Err(Error::new(
        ErrorKind::Local,
        format!("coracle: {} is not safe to use: {reason}", folder.display()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn an_address_is_a_unix_socket() {
        assert_eq!(parse("unix:///run/x.sock").unwrap(), PathBuf::from("/run/x.sock"));
        assert_eq!(parse("/run/x.sock").unwrap(), PathBuf::from("/run/x.sock"));
        assert_eq!(
            parse("tcp://1.2.3.4:2375").unwrap_err().to_string(),
            "coracle: a tcp:// host is not supported yet"
        );
        assert!(parse("nonsense").is_err());
    }

    #[test]
    fn a_private_folder_is_nobody_elses() {
        let parent = tempfile::tempdir().unwrap();
        let user = nix::unistd::geteuid().as_raw();
        let folder = parent.path().join("made");
        assert_eq!(private_folder(&folder, user).unwrap(), folder);
        assert_eq!(private_folder(&folder, user).unwrap(), folder);
        assert!(
            private_folder(&folder, user + 1).is_err(),
            "another user's folder"
        );

        std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o755)).unwrap();
        assert!(private_folder(&folder, user).is_err(), "others can look into it");

        let link = parent.path().join("link");
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o700)).unwrap();
        symlink(&folder, &link).unwrap();
        assert!(private_folder(&link, user).is_err(), "a link");
    }
}
