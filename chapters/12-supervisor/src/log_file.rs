//! The file that a container's output goes to: appended, and begun anew when it has become too long.

use crate::LogFile;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A log that is being written.
pub struct Log {
    options: LogFile,
    file: File,
    /// Bytes in `file`.
    size: u64,
}

impl Log {
    /// Opens the newest file, at its end.
    pub fn open(options: &LogFile) -> io::Result<Log> {
        let file = open(&options.path)?;
        let size = file.metadata()?.len();
        Ok(Log { options: options.clone(), file, size })
    }

    /// Appends whole records. A disk that is full loses records, never the container: as under Docker. What of them was
    /// written is taken back, so that the next record, when there is room again, begins a line.
    pub fn append(&mut self, records: &[u8]) -> io::Result<()> {
        let length = records.len() as u64;
        if self.options.max_size.is_some_and(|most| self.size > 0 && self.size + length > most) {
            self.rotate()?;
        }
        match self.file.write_all(records) {
            Ok(()) => self.size += length,
            Err(error) => {
                self.file.set_len(self.size)?;
                return Err(error);
            }
        }
        Ok(())
    }

    /// PATH becomes PATH.1, which was PATH.2 …, and the oldest is forgotten.
    fn rotate(&mut self) -> io::Result<()> {
        for number in (1..self.options.max_file.max(1)).rev() {
            match std::fs::rename(self.numbered(number - 1), self.numbered(number)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        if self.options.max_file <= 1 {
            std::fs::remove_file(&self.options.path)?;
        }
        self.file = open(&self.options.path)?;
        self.size = 0;
        Ok(())
    }

    fn numbered(&self, number: u32) -> PathBuf {
        let mut path = self.options.path.clone().into_os_string();
        if number > 0 {
            path.push(format!(".{number}"));
        }
        path.into()
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o640).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_file_is_kept_short_and_the_oldest_forgotten() {
        let folder = std::env::temp_dir().join(format!("log-file-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let options = LogFile { path: folder.join("log"), max_size: Some(10), max_file: 3 };
        let mut log = Log::open(&options).unwrap();
        for record in ["one....\n", "two....\n", "three..\n", "four...\n"] {
            log.append(record.as_bytes()).unwrap();
        }
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert_eq!(
            [read("log"), read("log.1"), read("log.2"), read("log.3")],
            ["four...\n", "three..\n", "two....\n", ""]
        );
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
