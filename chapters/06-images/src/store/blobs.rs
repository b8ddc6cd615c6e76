//! Blobs on their way in: a temporary file that its writer has locked, checked, then renamed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::Store;
use crate::{Descriptor, Digest, Error, ErrorKind, Hasher, Result};

/// A blob in the making. Dropped unfinished, it leaves nothing.
#[derive(Debug)]
pub struct Writer {
    /// Locked (flock) as long as it is written: [`remove_stale`] takes only files whose writer is gone.
    file: File,
    path: PathBuf,
    blobs: PathBuf,
    hasher: Hasher,
    size: u64,
}

impl Store {
    /// Begins a blob of any size.
    pub fn writer(&self) -> Result<Writer> {
        let (file, path) = self.temporary_file()?;
        Ok(Writer { file, path, blobs: self.dir.join("blobs/sha256"), hasher: Hasher::default(), size: 0 })
    }

    /// Temporary name, one sync, rename: whoever looks sees the old content or the new, whole.
    pub(super) fn replace_file(&self, path: &Path, content: &[u8]) -> Result<()> {
        let (mut file, temporary) = self.temporary_file()?;
        let written = file
            .write_all(content)
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&temporary, path));
        written.map_err(|e| {
            let _ = fs::remove_file(&temporary);
            Error::system(format!("write({path:?})"), e)
        })
    }

    fn temporary_file(&self) -> Result<(File, PathBuf)> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = self.dir.join("ingest").join(name);
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(&path);
        let file = file.map_err(|e| Error::system(format!("open({path:?}, O_CREAT)"), e))?;
        file.lock().map_err(|e| Error::system(format!("flock({path:?}, LOCK_EX)"), e))?;
        Ok((file, path))
    }
}

impl Writer {
    /// How many bytes have been written.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Checks digest and size, and gives the blob its name. Its data is not yet synced: the caller syncs the file system
    /// (once a layer) before the first name points to it.
    pub fn finish(self, expected: &Descriptor) -> Result<()> {
        if self.size != expected.size {
            let message = format!("{}: expected {} bytes, got {}", expected.digest, expected.size, self.size);
            return Err(Error::new(ErrorKind::DigestMismatch, message));
        }
        let (wanted, found) = (expected.digest, self.publish(Some(expected.digest))?);
        debug_assert_eq!(wanted, found);
        Ok(())
    }

    /// Gives the blob the name that its content has, whatever it is.
    pub fn finish_any(self, media_type: &str) -> Result<Descriptor> {
        let size = self.size;
        Ok(Descriptor::new(media_type, self.publish(None)?, size))
    }

    fn publish(mut self, expected: Option<Digest>) -> Result<Digest> {
        let found = std::mem::take(&mut self.hasher).finish();
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            // As dockerd words it.
            let message = format!("filesystem layer verification failed for digest {expected}");
            return Err(Error::new(ErrorKind::DigestMismatch, message));
        }
        let path = self.blobs.join(found.hex());
        fs::rename(&self.path, &path)
            .map_err(|e| Error::system(format!("rename({:?}, {path:?})", self.path), e))?;
        self.path = PathBuf::new();
        Ok(found)
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes temporary files that no living writer has locked.
pub(super) fn remove_stale(folder: &Path) -> Result<()> {
    let entries = fs::read_dir(folder).map_err(|e| Error::system(format!("open({folder:?})"), e))?;
    for entry in entries.flatten() {
        if File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}
