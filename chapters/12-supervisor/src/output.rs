//! What the process writes: read from its pipes or its terminal, logged, and handed to every attached client.

use crate::clients::Client;

use crate::json_log::Lines;
use crate::log_file::Log;
use rustix::io::Errno;
use std::os::fd::OwnedFd;

/// How much is read at once; what one client that does not read can make the others wait for is this and its socket's buffer.
const CHUNK: usize = 16 * 1024;

/// One stream that the process writes.
pub struct Stream {
    /// 1: standard output or the terminal; 2: standard error.
    pub number: u8,
    /// Our end; None at end of file.
    pub source: Option<OwnedFd>,
    lines: Lines,
}

/// All that it writes.
pub struct Output {
    /// Its streams.
    pub streams: Vec<Stream>,
    log: Option<Log>,
    /// Reused, so that a supervisor's memory stays small.
    chunk: Vec<u8>,
    records: Vec<u8>,
}

impl Output {
    /// From our ends of the pipes, or the terminal's master alone; none may block.
    pub fn new(sources: Vec<OwnedFd>, log: Option<Log>) -> Output {
        let stream = |(index, source)| Stream {
            number: index as u8 + 1,
            source: Some(source),
            lines: Lines::new(if index == 0 { "stdout" } else { "stderr" }),
        };
        Output {
            streams: sources.into_iter().enumerate().map(stream).collect(),
            log,
            chunk: vec![0; CHUNK],
            records: Vec::new(),
        }
    }

    /// Whether there is nothing more to come.
    pub fn is_over(&self) -> bool {
        self.streams.iter().all(|stream| stream.source.is_none())
    }

    /// Reads one chunk of one stream and passes it on. False: there is nothing to read now.
    pub fn pass_on(&mut self, index: usize, clients: &mut [Client]) -> bool {
        let stream = &mut self.streams[index];
        let Some(source) = &stream.source else {
            return false;
        };
        let length = match rustix::io::read(source, &mut self.chunk[..]) {
            Err(Errno::AGAIN | Errno::INTR) => return false,
            // A terminal's master has no end of file: EIO when its last user has closed it.
            Ok(0) | Err(_) => {
                stream.source = None;
                return false;
            }
            Ok(length) => length,
        };
        let bytes = &self.chunk[..length];
        for client in clients {
            client.output(stream.number, bytes);
        }
        if let Some(log) = &mut self.log {
            stream.lines.push(bytes, &runtime::now(), &mut self.records);
            let _ = log.append(&self.records);
            self.records.clear();
        }
        true
    }

    /// Nothing more will be read: lines that were begun are logged as they are.
    pub fn finish(&mut self) {
        for stream in &mut self.streams {
            stream.source = None;
            stream.lines.finish(&runtime::now(), &mut self.records);
        }
        if let Some(log) = &mut self.log {
            let _ = log.append(&self.records);
        }
    }
}
