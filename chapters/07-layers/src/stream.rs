//! Carries bytes from one thread to the next in large pieces that are used again: memory stays the same whatever a layer's size.

use std::io::{self, BufRead, Read, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Large enough that handing over costs nothing, small enough to stay in the processor's cache.
pub(crate) const PIECE: usize = 256 << 10;
/// Pieces that may wait between two threads.
const DEPTH: usize = 4;

/// A way from one thread to another. The reader sees the end when the writer has called [`Source::finish`]; a writer that
/// vanishes before looks like a stream that breaks off.
pub(crate) fn pipe() -> (Source, Drain) {
    let (full, arriving) = sync_channel(DEPTH);
    let (empty, returning) = sync_channel(DEPTH + 2);
    (Source { full, returning, made: 0 }, Drain { arriving, empty, piece: Vec::new(), at: 0, ended: false })
}

/// The end that is written to.
pub(crate) struct Source {
    full: SyncSender<Vec<u8>>,
    returning: Receiver<Vec<u8>>,
    made: usize,
}

/// The end that is read from.
pub(crate) struct Drain {
    arriving: Receiver<Vec<u8>>,
    empty: SyncSender<Vec<u8>>,
    piece: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Source {
    /// An empty piece, [`PIECE`] long, to be filled.
    pub(crate) fn piece(&mut self) -> io::Result<Vec<u8>> {
        // One is being filled, one is being read, the others wait.
        if self.made < DEPTH + 2 {
            self.made += 1;
            return Ok(vec![0; PIECE]);
        }
        let mut piece = self.returning.recv().map_err(|_| stopped())?;
        piece.resize(PIECE, 0);
        Ok(piece)
    }

    /// Hands a filled piece over; waits when the other side is behind.
    pub(crate) fn send(&mut self, piece: Vec<u8>) -> io::Result<()> {
        self.full.send(piece).map_err(|_| stopped())
    }

    /// Says that this was all.
    pub(crate) fn finish(self) -> io::Result<()> {
        self.full.send(Vec::new()).map_err(|_| stopped())
    }
}

impl BufRead for Drain {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.piece.len() && !self.ended {
            let used = std::mem::replace(&mut self.piece, self.arriving.recv().map_err(|_| stopped())?);
            self.at = 0;
            self.ended = self.piece.is_empty();
            if used.capacity() > 0 {
                // The writer may be through and gone.
                let _ = self.empty.send(used);
            }
        }
        Ok(&self.piece[self.at..])
    }

    fn consume(&mut self, amount: usize) {
        self.at += amount;
    }
}

impl Read for Drain {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let amount = self.fill_buf()?.len().min(into.len());
        into[..amount].copy_from_slice(&self.piece[self.at..self.at + amount]);
        self.consume(amount);
        Ok(amount)
    }
}

/// Reads until the piece is full or the stream ends; returns how much there is.
pub(crate) fn fill(reader: &mut impl Read, piece: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < piece.len() {
        match reader.read(&mut piece[filled..]) {
            Ok(0) => break,
            Ok(amount) => filled += amount,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => (),
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

/// The other side has stopped: its own error says why.
pub(crate) fn stopped() -> io::Error {
    io::Error::other(Stopped)
}

/// Whether an error says no more than [`stopped`].
pub(crate) fn is_stopped(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Stopped>())
}

#[derive(Debug)]
struct Stopped;

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the other side of a stream has stopped")
    }
}

impl std::error::Error for Stopped {}

/// Counts what passes.
pub(crate) struct Counted<R> {
    reader: R,
    count: u64,
}

impl<R> Counted<R> {
    /// Starts at 0.
    pub(crate) fn new(reader: R) -> Counted<R> {
        Counted { reader, count: 0 }
    }

    /// Bytes so far.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.count += amount as u64;
        self.reader.consume(amount);
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let amount = self.reader.read(into)?;
        self.count += amount as u64;
        Ok(amount)
    }
}

impl Write for Source {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut piece = self.piece()?;
        let amount = bytes.len().min(piece.len());
        piece[..amount].copy_from_slice(&bytes[..amount]);
        piece.truncate(amount);
        if amount > 0 {
            self.send(piece)?;
        }
        Ok(amount)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carries_everything_in_order() {
        let (mut source, mut drain) = pipe();
        let bytes: Vec<u8> = (0..3 * PIECE * DEPTH + 17).map(|n| (n % 251) as u8).collect();
        let arrived = std::thread::scope(|scope| {
            let reader = scope.spawn(move || {
                let mut arrived = Vec::new();
                drain.read_to_end(&mut arrived).map(|_| arrived)
            });
            for part in bytes.chunks(PIECE - 1) {
                source.write_all(part).unwrap();
            }
            source.finish().unwrap();
            reader.join().unwrap().unwrap()
        });
        assert_eq!(arrived, bytes);
    }

    #[test]
    fn a_side_that_vanishes_stops_the_other() {
        let (source, mut drain) = pipe();
        drop(source);
        assert!(is_stopped(&drain.fill_buf().unwrap_err()));
        let (mut source, drain) = pipe();
        drop(drain);
        assert!(is_stopped(&source.write_all(b"x").unwrap_err()));
    }
}
