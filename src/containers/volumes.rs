//! Volumes without a name: a folder for each `VOLUME` of an image or `-v /path`, filled from the image.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, lchown, symlink};
use std::path::{Path, PathBuf};

use super::record::AnonymousVolume;
use super::{Record, names, rootfs};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::spec::binds;

impl Engine {
    /// Makes the folders of a container's volumes, except where something else is mounted already.
    pub fn make_volumes(&self, record: &mut Record) -> Result<()> {
        let asked: Vec<String> =
            record.config.volumes.iter().flatten().map(|(path, _)| binds::clean(path)).collect();
        let host = &record.host_config;
        let bound = host
            .binds
            .iter()
            .flatten()
            .filter_map(|text| binds::parse(text).ok())
            .map(|bind| bind.destination);
        let mounted = host.mounts.iter().flatten().map(|mount| binds::clean(&mount.target));
        let tmpfs = host.tmpfs.iter().flatten().map(|(path, _)| binds::clean(path));
        let taken: Vec<String> = bound.chain(mounted).chain(tmpfs).collect();
        let layers = self.snapshots.lower_dirs(&record.layers)?;
        for destination in asked.into_iter().filter(|path| !taken.contains(path)) {
            binds::check_destination(&destination, &destination)?;
            let volume = AnonymousVolume { name: names::random_id(), destination };
            record.volumes.push(volume.clone());
            let folder = self.places.data_root.join("volumes").join(&volume.name).join("_data");
            fs::create_dir_all(&folder).map_err(Error::system)?;
            fill(&layers, &volume.destination, &folder).map_err(Error::system)?;
        }
        Ok(())
    }

    /// The folders of a container's volumes.
    pub fn volume_folders(&self, record: &Record) -> Vec<PathBuf> {
        let volumes = self.places.data_root.join("volumes");
        record.volumes.iter().map(|volume| volumes.join(&volume.name)).collect()
    }
}

/// Copies what the image has at a path, so that a volume there begins with it.
fn fill(layers: &[PathBuf], path: &str, folder: &Path) -> io::Result<()> {
    let layers: Vec<&Path> = layers.iter().map(PathBuf::as_path).collect();
    let Some((found, merged)) = rootfs::find_merged(&layers, Path::new(path))? else {
        return Ok(());
    };
    let metadata = found.symlink_metadata()?;
    if !metadata.is_dir() {
        return Ok(());
    }
    copy_attributes(&metadata, folder)?;
    copy_folder(&merged, folder)
}

/// Copies the folders that overlayfs would merge, the topmost first, into one.
fn copy_folder(sources: &[PathBuf], target: &Path) -> io::Result<()> {
    let mut below: BTreeMap<std::ffi::OsString, Vec<PathBuf>> = BTreeMap::new();
    for source in sources {
        for entry in fs::read_dir(source)? {
            below.entry(entry?.file_name()).or_default();
        }
    }
    for name in below.keys() {
        let Some((found, merged)) = rootfs::descend(sources, name)? else {
            continue;
        };
        copy_entry(&found, &merged, &target.join(name))?;
    }
    Ok(())
}

fn copy_entry(found: &Path, merged: &[PathBuf], target: &Path) -> io::Result<()> {
    let metadata = found.symlink_metadata()?;
    let kind = metadata.file_type();
    if kind.is_dir() {
        fs::create_dir(target)?;
        copy_folder(merged, target)?;
    } else if kind.is_symlink() {
        symlink(fs::read_link(found)?, target)?;
        return lchown(target, Some(metadata.uid()), Some(metadata.gid()));
    } else if kind.is_file() {
        fs::copy(found, target)?;
    } else if kind.is_fifo() || kind.is_socket() || kind.is_block_device() || kind.is_char_device() {
        // A volume is for files; Docker copies devices, which nobody misses that has the image.
        return Ok(());
    }
    copy_attributes(&metadata, target)
}

fn copy_attributes(metadata: &fs::Metadata, target: &Path) -> io::Result<()> {
    if nix::unistd::geteuid().is_root() {
        lchown(target, Some(metadata.uid()), Some(metadata.gid()))?;
    }
    // After the owner, whose change takes the set-user-id bit away.
    fs::set_permissions(target, metadata.permissions())
}
