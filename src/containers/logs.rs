//! Logs: the json-file read back, followed, cut by time and number of lines.

mod files;

use std::borrow::Cow;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use serde::Deserialize;

use super::Container;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use files::LogFiles;

/// What of the log is wanted. Times are nanoseconds since 1970.
#[derive(Clone, Debug, Default)]
pub struct LogsOptions {
    /// Wait for more until the container ends.
    pub follow: bool,
    /// Send standard output.
    pub stdout: bool,
    /// Send standard error.
    pub stderr: bool,
    /// Nothing older.
    pub since: Option<i64>,
    /// Nothing newer.
    pub until: Option<i64>,
    /// Put the time before each line.
    pub timestamps: bool,
    /// Only so many last lines.
    pub tail: Option<usize>,
    /// Put the log driver's extra attributes before each line.
    pub details: bool,
}

/// The chosen lines, as chunks of whole frames (8-byte header and line; only the lines for a terminal). When following,
/// `next` waits; about once a second it returns an empty chunk, so that its caller can see whether anybody still listens.
pub struct Logs {
    /// The container has a terminal: lines are not framed.
    pub raw: bool,
    options: LogsOptions,
    container: Arc<Container>,
    files: LogFiles,
    /// Tells of changes in the container's folder: lines, rotations, the end. None when not following.
    changes: Option<Inotify>,
    finished: bool,
}

/// One line of Docker's json-file.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    log: Cow<'a, str>,
    #[serde(borrow)]
    stream: Cow<'a, str>,
    #[serde(borrow)]
    time: Cow<'a, str>,
}

/// Chunks are about this long: enough to make a write worth its system call.
const CHUNK: usize = 32 * 1024;

impl Engine {
    /// Reads a container's log.
    pub fn logs(&self, reference: &str, options: &LogsOptions) -> Result<Logs> {
        if !options.stdout && !options.stderr {
            let message = "Bad parameters: you must choose at least one stream";
            return Err(Error::new(ErrorKind::InvalidParameter, message));
        }
        let container = self.container(reference)?;
        let (raw, driver) = {
            let inside = container.inside();
            let driver = inside.record.host_config.log_config.kind.clone();
            (inside.record.config.tty, driver)
        };
        if driver == "none" {
            let message = "configured logging driver does not support reading";
            return Err(Error::new(ErrorKind::NotSupported, message));
        }
        let folder = self.container_folder(&container.id);
        // Watched before the first read, so that no line falls between the two.
        let changes = if options.follow { Some(watch(&folder)?) } else { None };
        let path = folder.join(format!("{}-json.log", container.id));
        let files = LogFiles::open(path, options.tail).map_err(Error::system)?;
        Ok(Logs { raw, options: options.clone(), container, files, changes, finished: false })
    }
}

fn watch(folder: &Path) -> Result<Inotify> {
    let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).map_err(Error::system)?;
    let wanted = AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_MOVED_TO | AddWatchFlags::IN_DELETE_SELF;
    inotify.add_watch(folder, wanted).map_err(Error::system)?;
    Ok(inotify)
}

impl Iterator for Logs {
    type Item = Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.finished {
            return None;
        }
        let chunk = self.next_chunk();
        match &chunk {
            Err(_) => self.finished = true,
            Ok(chunk) if chunk.is_empty() && self.finished => return None,
            Ok(_) => {}
        }
        Some(chunk)
    }
}

impl Logs {
    fn next_chunk(&mut self) -> Result<Vec<u8>> {
        // Asked before reading: what the container wrote before its end is in the file by then.
        let runs = self.container.inside().runs();
        let mut chunk = self.read_chunk()?;
        if !chunk.is_empty() || self.finished {
            return Ok(chunk);
        }
        match &self.changes {
            Some(changes) if runs => {
                wait_for_change(changes)?;
                chunk = self.read_chunk()?;
            }
            _ => self.finished = true,
        }
        self.finished |= self.options.until.is_some_and(|until| now() > until);
        Ok(chunk)
    }

    fn read_chunk(&mut self) -> Result<Vec<u8>> {
        let mut chunk = Vec::new();
        while chunk.len() < CHUNK && !self.finished {
            let Some(line) = self.files.next_line().map_err(Error::system)? else {
                break;
            };
            // A line that is no JSON was cut by a crash of the machine: what follows it is whole.
            let Ok(line) = serde_json::from_slice::<Line<'_>>(line) else {
                continue;
            };
            match self.options.verdict(&line) {
                Verdict::Send => append(&mut chunk, &line, &self.options, self.raw),
                Verdict::Skip => {}
                Verdict::TooLate => self.finished = true,
            }
        }
        Ok(chunk)
    }
}

/// Waits for a change, a second at most.
fn wait_for_change(changes: &Inotify) -> Result<()> {
    let mut descriptors = [PollFd::new(changes.as_fd(), PollFlags::POLLIN)];
    match poll(&mut descriptors, PollTimeout::from(1000u16)) {
        Ok(0) | Err(nix::errno::Errno::EINTR) => Ok(()),
        Ok(_) => changes.read_events().map(drop).map_err(Error::system),
        Err(error) => Err(Error::system(error)),
    }
}

enum Verdict {
    Send,
    Skip,
    TooLate,
}

impl LogsOptions {
    fn verdict(&self, line: &Line<'_>) -> Verdict {
        if self.since.is_some() || self.until.is_some() {
            let time = line.time.parse::<jiff::Timestamp>().map_or(0, |time| time.as_nanosecond() as i64);
            if self.until.is_some_and(|until| time > until) {
                return Verdict::TooLate;
            }
            if self.since.is_some_and(|since| time < since) {
                return Verdict::Skip;
            }
        }
        let wanted = if line.stream == "stderr" { self.stderr } else { self.stdout };
        if wanted { Verdict::Send } else { Verdict::Skip }
    }
}

fn append(chunk: &mut Vec<u8>, line: &Line<'_>, options: &LogsOptions, raw: bool) {
    let start = chunk.len();
    if !raw {
        chunk.extend([if line.stream == "stderr" { 2 } else { 1 }, 0, 0, 0, 0, 0, 0, 0]);
    }
    if options.timestamps {
        chunk.extend(with_nine_digits(&line.time).bytes());
        chunk.push(b' ');
    }
    if options.details {
        // The attributes themselves: we write none, as dockerd does without `--log-opt labels=`.
        chunk.push(b' ');
    }
    chunk.extend(line.log.bytes());
    if !raw {
        let length = (chunk.len() - start - 8) as u32;
        chunk[start + 4..start + 8].copy_from_slice(&length.to_be_bytes());
    }
}

/// Docker's clients are shown nine digits even where the file has dropped trailing zeros.
fn with_nine_digits(time: &str) -> String {
    match time.parse::<jiff::Timestamp>() {
        Ok(time) => format!("{time:.9}"),
        Err(_) => time.to_owned(),
    }
}

fn now() -> i64 {
    jiff::Timestamp::now().as_nanosecond() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(time: &'static str) -> Line<'static> {
        Line { log: "hello\n".into(), stream: "stdout".into(), time: time.into() }
    }

    #[test]
    fn frames_carry_time_and_length() {
        let mut chunk = Vec::new();
        let options = LogsOptions { timestamps: true, ..LogsOptions::default() };
        append(&mut chunk, &line("2026-01-01T00:00:00.5Z"), &options, false);
        assert_eq!(chunk, b"\x01\0\0\0\0\0\0\x252026-01-01T00:00:00.500000000Z hello\n");
    }

    #[test]
    fn lines_are_chosen_by_stream_and_time() {
        let both =
            LogsOptions { stdout: true, stderr: false, since: Some(1_000_000_000), ..LogsOptions::default() };
        assert!(matches!(both.verdict(&line("1970-01-01T00:00:00Z")), Verdict::Skip));
        assert!(matches!(both.verdict(&line("1970-01-01T00:00:01Z")), Verdict::Send));
        let until = LogsOptions { stdout: true, until: Some(0), ..LogsOptions::default() };
        assert!(matches!(until.verdict(&line("1970-01-01T00:00:01Z")), Verdict::TooLate));
    }
}
