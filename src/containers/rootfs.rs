//! Looking into a container's root while nothing is mounted: the layers are searched as overlayfs would.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Component, Path, PathBuf};

use privileges::user;

use crate::error::{Error, ErrorKind, Result};

/// More than a passwd file has, and less than what would hurt to read.
const FILE_LIMIT: u64 = 8 << 20;

/// How many links lead to a file before it is called a loop (path_resolution(7)).
const LINK_LIMIT: u32 = 40;

/// What a path leads to in the topmost layer that knows it.
fn find(layers: &[&Path], path: &Path) -> io::Result<Option<PathBuf>> {
    Ok(find_merged(layers, path)?.map(|(found, _)| found))
}

/// The same, and the folders, topmost first, that overlayfs would merge there. No link leads out of the layers: each is
/// followed from their root, never by the kernel.
pub fn find_merged(layers: &[&Path], path: &Path) -> io::Result<Option<(PathBuf, Vec<PathBuf>)>> {
    let mut left: Vec<PathBuf> = components(path);
    let mut here = PathBuf::new();
    let mut folders: Vec<PathBuf> = layers.iter().map(|layer| layer.to_path_buf()).collect();
    let mut links = 0;
    while let Some(name) = left.pop() {
        if name.as_os_str() == ".." {
            here.pop();
            folders = descend_all(layers, &here)?;
            continue;
        }
        let Some((found, below)) = descend(&folders, name.as_os_str())? else {
            return Ok(None);
        };
        if found.symlink_metadata()?.is_symlink() {
            links += 1;
            if links > LINK_LIMIT {
                return Err(io::Error::other("too many levels of symbolic links"));
            }
            let target = fs::read_link(&found)?;
            if target.is_absolute() {
                here = PathBuf::new();
            }
            folders = descend_all(layers, &here)?;
            left.extend(components(&target));
            continue;
        }
        here.push(&name);
        if left.is_empty() {
            return Ok(Some((found, below)));
        }
        folders = below;
    }
    Ok(folders.first().cloned().map(|first| (first, folders)))
}

/// The components of a path, the first last; what climbs is kept, since a link may do so within the root.
fn components(path: &Path) -> Vec<PathBuf> {
    let kept = |part: &Component<'_>| matches!(part, Component::Normal(_) | Component::ParentDir);
    path.components().rev().filter(kept).map(|part| PathBuf::from(part.as_os_str())).collect()
}

/// The folders, topmost first, that overlayfs would merge at a relative path without links.
fn descend_all(layers: &[&Path], path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders: Vec<PathBuf> = layers.iter().map(|layer| layer.to_path_buf()).collect();
    for name in path.iter() {
        folders = descend(&folders, name)?.map(|(_, below)| below).unwrap_or_default();
    }
    Ok(folders)
}

/// One step down: what the topmost layer has under the name, and the folders that are merged there.
pub fn descend(folders: &[PathBuf], name: &OsStr) -> io::Result<Option<(PathBuf, Vec<PathBuf>)>> {
    let mut merged = Vec::new();
    for folder in folders {
        let candidate = folder.join(name);
        let found = match candidate.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            result => result?,
        };
        let whiteout = found.file_type().is_char_device() && found.rdev() == 0;
        if whiteout || (!merged.is_empty() && !found.is_dir()) {
            break;
        }
        let folder_goes_on = found.is_dir() && !is_opaque(&candidate);
        merged.push(candidate);
        if !folder_goes_on {
            break;
        }
    }
    Ok(merged.first().cloned().map(|first| (first, merged)))
}

/// An opaque folder hides what the layers below have in it (overlayfs.rst, "whiteouts and opaque directories").
fn is_opaque(folder: &Path) -> bool {
    ["trusted.overlay.opaque", "user.overlay.opaque"].iter().any(|name| {
        let mut value = [0; 1];
        rustix::fs::lgetxattr(folder, *name, &mut value[..]).is_ok_and(|length| length == 1 && value == *b"y")
    })
}

/// A file of the container's root as text; empty when there is none.
fn read_text(layers: &[&Path], path: &str) -> Result<String> {
    let Some(found) = find(layers, Path::new(path)).map_err(Error::system)? else {
        return Ok(String::new());
    };
    let is_file = found.symlink_metadata().map_err(Error::system)?.is_file();
    if !is_file {
        return Ok(String::new());
    }
    let mut bytes = Vec::new();
    File::open(&found)
        .and_then(|file| file.take(FILE_LIMIT).read_to_end(&mut bytes))
        .map_err(Error::system)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Who `USER` or `--user` is in this container: its own passwd and group files decide.
pub fn resolve_user(upper: &Path, lower: &[PathBuf], wanted: &str, groups: &[String]) -> Result<user::User> {
    let layers: Vec<&Path> = std::iter::once(upper).chain(lower.iter().map(PathBuf::as_path)).collect();
    let (passwd, group) = (read_text(&layers, "etc/passwd")?, read_text(&layers, "etc/group")?);
    user::resolve(wanted, groups, &passwd, &group)
        .map_err(|error| Error::because(ErrorKind::System, error.to_string(), error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// Two layers, the upper one first, with links that would lead out of them if the kernel followed them.
    fn layers() -> (tempfile::TempDir, Vec<PathBuf>) {
        let folder = tempfile::tempdir().expect("a folder");
        let layers: Vec<PathBuf> = ["upper", "lower"].map(|name| folder.path().join(name)).into();
        for layer in &layers {
            fs::create_dir_all(layer.join("etc/own")).expect("a folder");
        }
        fs::write(layers[0].join("etc/own/above"), "").expect("a file");
        fs::write(layers[1].join("etc/own/below"), "").expect("a file");
        symlink("/etc", layers[1].join("absolute")).expect("a link");
        symlink("../../../../../etc", layers[0].join("climbing")).expect("a link");
        symlink("loop", layers[0].join("loop")).expect("a link");
        (folder, layers)
    }

    #[test]
    fn no_path_leads_out_of_the_layers() {
        let (_folder, layers) = layers();
        let roots: Vec<&Path> = layers.iter().map(PathBuf::as_path).collect();
        let found =
            |path: &str| find_merged(&roots, Path::new(path)).expect("read").map(|(_, merged)| merged);
        let own = [layers[0].join("etc/own"), layers[1].join("etc/own")];
        for path in [
            "etc/own",
            "/etc/own",
            "/absolute/own",
            "/climbing/own",
            "/../../etc/own",
            "/absolute/../etc/own",
        ] {
            assert_eq!(found(path).as_deref(), Some(&own[..]), "{path}");
        }
        // They are on every host.
        for path in ["/etc/passwd", "/absolute/passwd", "/climbing/passwd", "/proc"] {
            assert_eq!(found(path), None, "{path}");
        }
        assert_eq!(found("/").as_deref(), Some(&layers[..]));
        find_merged(&roots, Path::new("/loop")).expect_err("a loop");
    }
}
