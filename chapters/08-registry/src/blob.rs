//! A blob as one stream, over as many connections as it takes.

use std::cell::RefCell;
use std::io::{self, Read};
use std::time::Duration;

use images::Descriptor;
use ureq::Agent;

use crate::protocol::{Session, Want};
use crate::{Error, ErrorKind, Result, client};

/// Connections that may break before a blob is given up.
const ATTEMPTS: u64 = 4;

/// Reads a blob to its end; where a connection breaks off, the next one goes on.
pub(crate) struct BlobReader<'a> {
    agent: &'a Agent,
    session: Session,
    blob: &'a Descriptor,
    stream: Option<Box<dyn Read + Send>>,
    received: u64,
    broken: u64,
    /// Told before it waits for so many seconds; false gives up.
    retrying: &'a dyn Fn(u64) -> bool,
    /// Why reading failed: an `io::Error` would lose what kind of refusal it was.
    failure: &'a RefCell<Option<Error>>,
}

impl<'a> BlobReader<'a> {
    pub(crate) fn new(
        agent: &'a Agent,
        session: &Session,
        blob: &'a Descriptor,
        retrying: &'a dyn Fn(u64) -> bool,
        failure: &'a RefCell<Option<Error>>,
    ) -> BlobReader<'a> {
        let session = session.clone();
        BlobReader { agent, session, blob, stream: None, received: 0, broken: 0, retrying, failure }
    }

    fn open(&mut self) -> Result<()> {
        let answer =
            client::ask(self.agent, &mut self.session, Want::Blob(self.blob.clone(), self.received))?;
        let mut stream =
            answer.stream.ok_or_else(|| Error::new(ErrorKind::Unavailable, "an answer without a blob"))?;
        // A registry that knows no ranges begins anew.
        if answer.reply.status == 200 && self.received > 0 {
            let skipped = io::copy(&mut (&mut stream).take(self.received), &mut io::sink());
            if skipped.ok() != Some(self.received) {
                return Err(Error::new(ErrorKind::Unavailable, "unexpected EOF"));
            }
        }
        self.stream = Some(stream);
        Ok(())
    }

    fn fail(&self, error: Error) -> io::Error {
        *self.failure.borrow_mut() = Some(error.clone());
        io::Error::other(error)
    }

    /// Waits a little longer each time.
    fn retry(&mut self, error: Error) -> io::Result<()> {
        self.stream = None;
        self.broken += 1;
        // What the registry refuses now it will refuse again.
        if error.kind() != ErrorKind::Unavailable || self.broken >= ATTEMPTS {
            return Err(self.fail(error));
        }
        for _ in 0..self.broken * 10 {
            if !(self.retrying)(self.broken) {
                return Err(self.fail(Error::new(ErrorKind::Cancelled, "context canceled")));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }
}

impl Read for BlobReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // What comes beyond the size that was promised is not even read.
        let left = self.blob.size - self.received;
        let wanted = into.len().min(left.try_into().unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        loop {
            let error = match self.stream.as_mut().map(|stream| stream.read(&mut into[..wanted])) {
                Some(Ok(length @ 1..)) => {
                    self.received += length as u64;
                    return Ok(length);
                }
                // As Docker has it.
                Some(Ok(_) | Err(_)) => Error::new(ErrorKind::Unavailable, "unexpected EOF"),
                None => match self.open() {
                    Ok(()) => continue,
                    Err(error) => error,
                },
            };
            self.retry(error)?;
        }
    }
}
