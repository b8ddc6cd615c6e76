//! Volumes without a name: a folder for each `VOLUME` of an image or `-v /path`, filled from the image.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, lchown, symlink};
use std::path::{Path, PathBuf};

use super::record::AnonymousVolume;
use super::{Record, names, rootfs};
use nix::errno::Errno;

use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
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

/// Makes the folders that `-v` binds and that are not there yet, as Docker does; `--mount` asks for it by a word of its own.
pub fn make_sources(record: &Record) -> Result<()> {
    let host = &record.host_config;
    let binds = host.binds.iter().flatten().map(|text| binds::parse(text).map(|bind| bind.source));
    let wants = |mount: &&api::Mount| {
        mount.kind == "bind" && mount.bind_options.as_ref().is_some_and(|options| options.create_mountpoint)
    };
    let mounts = host.mounts.iter().flatten().filter(wants).map(|mount| Ok(mount.source.clone()));
    for source in binds.chain(mounts) {
        let source = source?;
        let made = match fs::exists(&source) {
            Ok(false) => fs::create_dir_all(&source),
            // What else is wrong with it is found when it is bound.
            _ => Ok(()),
        };
        made.map_err(|error| {
            let why = error.raw_os_error().map_or(Errno::EIO, Errno::from_raw).desc().to_lowercase();
            let message = format!("error while creating mount source path '{source}': mkdir {source}: {why}");
            Error::because(ErrorKind::System, message, error)
        })?;
    }
    Ok(())
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
