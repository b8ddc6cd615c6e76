//! A machine on which much is going on: what a runtime reads of it grows, and should not make it slow.

use super::arena::{RUN_FOLDER, mount_fresh};
use crate::Result;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use std::fs;
use std::path::{Path, PathBuf};

/// How many mounts there are besides the machine's own.
const MOUNTS: usize = 5_000;

/// How many cgroups.
const CGROUPS: usize = 2_000;

/// What there is much of.
#[derive(Clone, Copy, Debug)]
pub enum Crowd {
    /// Mounts in the caller's mount namespace, of which every container's namespace begins as a copy.
    Mounts,
    /// Cgroups beside the containers' own.
    Cgroups,
}

/// A crowd that is there; it goes when this is dropped.
pub struct Gathered(Crowd, PathBuf);

/// Makes them.
pub fn gather(crowd: Crowd, token: &str) -> Result<Gathered> {
    let folder = match crowd {
        Crowd::Mounts => Path::new(RUN_FOLDER).join("crowd"),
        Crowd::Cgroups => Path::new("/sys/fs/cgroup").join(token).join("crowd"),
    };
    let made = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(&folder).map_err(made)?;
    let gathered = Gathered(crowd, folder.clone());
    match crowd {
        Crowd::Mounts => {
            // One that all others lie on, so that they go with it.
            mount_fresh("tmpfs", &folder.to_string_lossy())?;
            for number in 0..MOUNTS {
                let place = folder.join(number.to_string());
                fs::create_dir(&place).map_err(made)?;
                mount(Some(&place), &place, None::<&str>, MsFlags::MS_BIND, None::<&str>)
                    .map_err(|errno| format!("{}: {errno}", place.display()))?;
            }
        }
        Crowd::Cgroups => {
            for number in 0..CGROUPS {
                fs::create_dir(folder.join(number.to_string())).map_err(made)?;
            }
        }
    }
    Ok(gathered)
}

impl Drop for Gathered {
    fn drop(&mut self) {
        let Gathered(crowd, folder) = self;
        let gone = match crowd {
            Crowd::Mounts => umount2(folder.as_path(), MntFlags::MNT_DETACH).map_err(std::io::Error::from),
            Crowd::Cgroups => {
                (0..CGROUPS).try_for_each(|number| fs::remove_dir(folder.join(number.to_string())))
            }
        };
        // The arena takes away what is left of it.
        if let Err(error) = gone.and_then(|()| fs::remove_dir(&*folder)) {
            eprintln!("bench: {}: {error}", folder.display());
        }
    }
}
