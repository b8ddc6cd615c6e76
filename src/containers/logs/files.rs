//! A json-file log and its rotated predecessors, read as one.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A reader over `x.log.2`, `x.log.1`, `x.log`, oldest first, that follows while they are rotated.
pub struct LogFiles {
    path: PathBuf,
    /// The file being read; none when the container has not written yet.
    current: Option<BufReader<File>>,
    /// The line being read: without a newline at its end, it is still being written.
    line: Vec<u8>,
}

impl LogFiles {
    /// Opens the log at its beginning, or before its last `tail` lines.
    pub fn open(path: PathBuf, tail: Option<usize>) -> io::Result<LogFiles> {
        let mut files = existing(&path)?;
        let mut current = None;
        match tail {
            None => current = files.pop(),
            Some(mut wanted) => {
                // Newest first, until there are enough lines.
                for mut file in files {
                    let found = seek_before_last_lines(&mut file, wanted)?;
                    current = Some(file);
                    wanted -= found;
                    if wanted == 0 {
                        break;
                    }
                }
            }
        }
        Ok(LogFiles { path, current: current.map(BufReader::new), line: Vec::new() })
    }

    /// The next whole line, without waiting for one.
    pub fn next_line(&mut self) -> io::Result<Option<&[u8]>> {
        if self.line.ends_with(b"\n") {
            self.line.clear();
        }
        loop {
            if self.current.is_none() {
                self.current = existing(&self.path)?.pop().map(BufReader::new);
            }
            let Some(reader) = &mut self.current else {
                return Ok(None);
            };
            reader.read_until(b'\n', &mut self.line)?;
            if self.line.ends_with(b"\n") {
                return Ok(Some(&self.line));
            }
            let Some(newer) = newer_than(&self.path, reader.get_ref())? else {
                return Ok(None);
            };
            self.line.clear();
            self.current = Some(BufReader::new(newer));
        }
    }
}

/// The files that there are, newest first. In the middle of a rotation one of the numbers is missing.
fn existing(path: &Path) -> io::Result<Vec<File>> {
    let mut files = Vec::new();
    let mut missing = 0;
    for number in 0.. {
        let name = if number == 0 { path.to_path_buf() } else { numbered(path, number) };
        match File::open(name) {
            Ok(file) => files.push(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound && missing == 0 => missing += 1,
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            Err(error) => return Err(error),
        }
    }
    Ok(files)
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.to_path_buf().into_os_string();
    name.push(format!(".{number}"));
    name.into()
}

/// The file that was begun after this one was rotated away. A file that is gone altogether was older than all others.
fn newer_than(path: &Path, file: &File) -> io::Result<Option<File>> {
    let identity = |file: &File| file.metadata().map(|found| (found.dev(), found.ino()));
    let this = identity(file)?;
    let mut newer = None;
    for candidate in existing(path)? {
        if identity(&candidate)? == this {
            return Ok(newer);
        }
        newer = Some(candidate);
    }
    Ok(newer)
}

/// Moves to before the last `wanted` lines, or to the beginning; returns how many lines lie ahead.
fn seek_before_last_lines(file: &mut File, wanted: usize) -> io::Result<usize> {
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut found = 0;
    let mut block = vec![0; 32 * 1024];
    let mut at_end = true;
    if wanted == 0 {
        return Ok(0);
    }
    while end > 0 {
        let length = block.len().min(usize::try_from(end).unwrap_or(usize::MAX));
        end -= length as u64;
        file.seek(SeekFrom::Start(end))?;
        file.read_exact(&mut block[..length])?;
        for index in (0..length).rev().filter(|index| block[*index] == b'\n') {
            // The newline that ends the file ends its last line; every other one ends the line before a found one.
            let last = std::mem::take(&mut at_end);
            if !last {
                found += 1;
            }
            if found == wanted {
                file.seek(SeekFrom::Start(end + index as u64 + 1))?;
                return Ok(found);
            }
        }
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(found + usize::from(!at_end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(files: &mut LogFiles) -> String {
        let mut text = String::new();
        while let Some(line) = files.next_line().expect("read") {
            text.push_str(std::str::from_utf8(line).expect("text"));
        }
        text
    }

    #[test]
    fn rotated_files_are_read_as_one_and_from_their_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.log");
        std::fs::write(folder.path().join("x.log.2"), "1\n2\n").expect("write");
        std::fs::write(folder.path().join("x.log.1"), "3\n4\n").expect("write");
        std::fs::write(&path, "5\n").expect("write");
        let expected =
            ["", "5\n", "4\n5\n", "3\n4\n5\n", "2\n3\n4\n5\n", "1\n2\n3\n4\n5\n", "1\n2\n3\n4\n5\n"];
        for (tail, expected) in expected.iter().enumerate() {
            let mut files = LogFiles::open(path.clone(), Some(tail)).expect("open");
            assert_eq!(&all(&mut files), expected, "the last {tail}");
        }
        assert_eq!(all(&mut LogFiles::open(path, None).expect("open")), "1\n2\n3\n4\n5\n");
    }

    #[test]
    fn a_rotation_is_read_in_every_one_of_its_steps() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.log");
        let steps = [["", ".1", ".2"], ["", ".2", ".3"], [".1", ".2", ".3"]];
        for names in steps {
            for (name, text) in names.iter().zip(["3\n", "2\n", "1\n"]) {
                std::fs::write(format!("{}{name}", path.display()), text).expect("write");
            }
            let mut files = LogFiles::open(path.clone(), None).expect("open");
            assert_eq!(all(&mut files), "1\n2\n3\n", "{names:?}");
            for name in names {
                std::fs::remove_file(format!("{}{name}", path.display())).expect("remove");
            }
        }
    }

    #[test]
    fn a_line_is_whole_and_a_rotation_is_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.log");
        let mut files = LogFiles::open(path.clone(), None).expect("nothing yet is no error");
        assert_eq!(all(&mut files), "");
        std::fs::write(&path, "1\nhal").expect("write");
        assert_eq!(all(&mut files), "1\n");
        std::fs::write(&path, "1\nhalf\n").expect("write");
        assert_eq!(all(&mut files), "half\n");
        std::fs::rename(&path, folder.path().join("x.log.1")).expect("rename");
        std::fs::write(&path, "3\n").expect("write");
        assert_eq!(all(&mut files), "3\n");
    }
}
