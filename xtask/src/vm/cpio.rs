//! An archive as the kernel unpacks it into its first root file system: cpio's "newc" format
//! (driver-api/early-userspace/buffer-format.rst).

use crate::Result;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Component, Path, PathBuf};

const FOLDER: u32 = 0o040755;
const LINK: u32 = 0o120777;
const REGULAR: u32 = 0o100000;
/// The name that ends an archive.
const END: &str = "TRAILER!!!";

/// An archive that is being written.
pub struct Archive<W: Write> {
    out: W,
    /// What is in it already.
    made: BTreeSet<PathBuf>,
}

impl Archive<BufWriter<File>> {
    /// A new one in a file.
    pub fn create(path: &Path) -> Result<Archive<BufWriter<File>>> {
        let file = File::create(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Archive::new(BufWriter::new(file)))
    }
}

impl<W: Write> Archive<W> {
    fn new(out: W) -> Archive<W> {
        Archive { out, made: BTreeSet::new() }
    }

    /// A folder, and those above it.
    pub fn folder(&mut self, path: &Path) -> Result<()> {
        let mut whole = PathBuf::new();
        for part in path.components().filter(|part| *part != Component::RootDir) {
            whole.push(part);
            if self.made.insert(whole.clone()) {
                self.entry(&whole, FOLDER, &[])?;
            }
        }
        Ok(())
    }

    /// A file with this mode (`0o755`) and content.
    pub fn file(&mut self, path: &Path, mode: u32, content: &[u8]) -> Result<()> {
        self.within_folder(path, REGULAR | mode, content)
    }

    /// A symbolic link.
    pub fn link(&mut self, path: &Path, target: &str) -> Result<()> {
        self.within_folder(path, LINK, target.as_bytes())
    }

    /// A file of the host, at the place where it is; once, however often it is asked for.
    pub fn add_from_host(&mut self, path: &Path) -> Result<()> {
        self.copy(path, path)
    }

    /// The content of one file of the host at the place of another.
    pub fn copy(&mut self, place: &Path, content: &Path) -> Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let place = with_real_folder(place)?;
        if self.made.contains(relative(&place)) {
            return Ok(());
        }
        let read = || Ok((fs::metadata(content)?.permissions().mode() & 0o7777, fs::read(content)?));
        let (mode, bytes) =
            read().map_err(|error: std::io::Error| format!("{}: {error}", content.display()))?;
        self.file(&place, mode, &bytes)
    }

    /// Ends the archive.
    pub fn finish(mut self) -> Result<()> {
        self.entry(Path::new(END), 0, &[])?;
        self.out.flush().map_err(|error| error.to_string())
    }

    fn within_folder(&mut self, path: &Path, mode: u32, content: &[u8]) -> Result<()> {
        self.folder(path.parent().unwrap_or(path))?;
        self.made.insert(relative(path).to_path_buf());
        self.entry(relative(path), mode, content)
    }

    /// A header of thirteen numbers in hexadecimal, the name, the content; both are padded to four bytes.
    fn entry(&mut self, path: &Path, mode: u32, content: &[u8]) -> Result<()> {
        let name = path.to_str().ok_or_else(|| format!("{}: not UTF-8", path.display()))?;
        // Its own inode number; one link; all else, owner, time and device, is zero.
        let inode = self.made.len() as u32;
        let numbers = [inode, mode, 0, 0, 1, 0, content.len() as u32, 0, 0, 0, 0, name.len() as u32 + 1, 0];
        let mut header = String::from("070701");
        header.extend(numbers.iter().map(|number| format!("{number:08x}")));
        header.push_str(name);
        header.push('\0');
        let padding = |length: usize| &[0u8; 3][..length.wrapping_neg() % 4];
        let parts = [header.as_bytes(), padding(header.len()), content, padding(content.len())];
        parts.iter().try_for_each(|part| self.out.write_all(part)).map_err(|error| error.to_string())
    }
}

fn relative(path: &Path) -> &Path {
    path.strip_prefix("/").unwrap_or(path)
}

/// Where a file is when the links on the way to it are followed (`/lib` is one to `/usr/lib`), but with its own name.
fn with_real_folder(path: &Path) -> Result<PathBuf> {
    let folder = path.parent().unwrap_or(path);
    let real = folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(real.join(path.file_name().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn another_program_reads_it() {
        let mut archive = Archive::new(Vec::new());
        archive.file(Path::new("/a/b/file"), 0o640, b"seven b").unwrap();
        archive.link(Path::new("/a/link"), "b/file").unwrap();
        archive.entry(Path::new(END), 0, &[]).unwrap();
        let mut busybox = Command::new("busybox");
        let listing = busybox.args(["cpio", "-tv"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let Ok(mut listing) = listing else {
            return skipped::skip("xtask::another_program_reads_it", "busybox is not installed");
        };
        listing.stdin.take().unwrap().write_all(&archive.out).unwrap();
        let listing = String::from_utf8(listing.wait_with_output().unwrap().stdout).unwrap();
        let line = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            // A link's size is not always shown.
            let size = if line.starts_with('l') { "-" } else { words[2] };
            format!("{} {size} {}", words[0], words[5..].join(" "))
        };
        assert_eq!(
            listing.lines().map(line).collect::<Vec<_>>(),
            ["drwxr-xr-x 0 a", "drwxr-xr-x 0 a/b", "-rw-r----- 7 a/b/file", "lrwxrwxrwx - a/link -> b/file"]
        );
    }
}
