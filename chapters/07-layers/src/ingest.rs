//! A layer on its way in, in one pass: three threads, each as fast as its own work allows.
//!
//! ```text
//! source ──▶ blob file, SHA-256 ──▶ gunzip, SHA-256 of the tar ──▶ unpack
//!            the calling thread     second thread                  third thread
//! ```
//!
//! What is unpacked is not trusted until both digests are known: until then it lies under a temporary name.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ScopedJoinHandle};

use images::{Descriptor, Digest, Hasher, Store, Writer};

use crate::attributes::Ownership;
use crate::compression::Unpacked;
use crate::entry::wrong_diff_id;
use crate::snapshots::{LayerRecord, Staged};
use crate::stream::{self, Drain, Source};
use crate::unpack::unpack_buffered;
use crate::{Error, Result, Snapshots};

/// Where a layer goes, and how it is followed.
pub struct Ingestion<'a> {
    /// Takes the blob.
    pub store: &'a Store,
    /// Takes the files.
    pub snapshots: &'a Snapshots,
    /// What the layer must be. None: whatever it is, it is the lowest layer of an image that is being made.
    pub expected: Option<Expected<'a>>,
    /// Told of every step; false gives up.
    pub watch: &'a (dyn Fn(Stage) -> bool + Sync),
}

/// What an image says of one of its layers.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The blob, as the manifest has it.
    pub blob: &'a Descriptor,
    /// The digest of its tar, as the config has it.
    pub diff_id: Digest,
    /// The chain that it is the top of.
    pub chain_id: Digest,
}

/// How far a layer is. Amounts are bytes of the blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// So much has been read.
    Reading(u64),
    /// All has been read, the blob is being checked.
    Verifying,
    /// The blob is what it should be.
    Verified,
    /// All has been read, and so much of it is unpacked.
    Unpacking(u64),
}

/// What came in.
#[derive(Debug, Clone)]
pub struct Ingested {
    /// The blob.
    pub blob: Descriptor,
    /// The digest of its tar.
    pub diff_id: Digest,
}

impl Ingestion<'_> {
    /// Reads a layer from `source` to its end, stores and unpacks it. On any error, neither blob nor files are left.
    pub fn run(&self, source: impl Read) -> Result<Ingested> {
        let staged = self.snapshots.stage()?;
        let (folder, ownership) = (staged.diff(), self.snapshots.ownership);
        let read_all = AtomicBool::new(false);
        let (to_gunzip, from_source) = stream::pipe();
        let (to_unpack, from_gunzip) = stream::pipe();
        let (blob, diff_id, size) = thread::scope(|scope| {
            let diff_id = scope.spawn(|| self.gunzip(from_source, to_unpack, &read_all));
            let size = scope.spawn(|| unpack(from_gunzip, &folder, ownership));
            let writer = self.read(source, to_gunzip);
            // The threads go on for a while: the blob is checked meanwhile.
            let blob = writer.and_then(|writer| self.finish_blob(writer));
            read_all.store(true, Ordering::Relaxed);
            (blob, join(diff_id), join(size))
        });
        let stored = blob.as_ref().ok().map(|blob| blob.digest);
        let done = first_cause(blob, diff_id, size).and_then(|(blob, diff_id, size)| {
            self.publish(staged, LayerRecord { diff_id, size })?;
            Ok(Ingested { blob, diff_id })
        });
        if let (Err(_), Some(digest)) = (&done, stored) {
            // The blob is what it was called, and yet no layer.
            self.store.discard(&digest)?;
        }
        done
    }

    /// Unpacks a layer whose blob is in the store already.
    pub fn run_stored(&self, blob: &Descriptor) -> Result<()> {
        let staged = self.snapshots.stage()?;
        let (folder, ownership) = (staged.diff(), self.snapshots.ownership);
        let source = BufReader::with_capacity(stream::PIECE, self.store.blob(&blob.digest)?);
        let (to_unpack, from_gunzip) = stream::pipe();
        let (diff_id, size) = thread::scope(|scope| {
            let size = scope.spawn(|| unpack(from_gunzip, &folder, ownership));
            (self.gunzip(source, to_unpack, &AtomicBool::new(true)), join(size))
        });
        let (_, diff_id, size) = first_cause(Ok(()), diff_id, size)?;
        self.publish(staged, LayerRecord { diff_id, size })
    }

    /// Stores a blob whose files are unpacked already.
    pub fn run_blob_only(&self, mut source: impl Read) -> Result<()> {
        let mut writer = self.store.writer()?;
        let mut piece = vec![0; stream::PIECE];
        loop {
            match stream::fill(&mut source, &mut piece)? {
                0 => break,
                filled => writer.write_all(&piece[..filled])?,
            }
            self.tell(Stage::Reading(writer.size()))?;
        }
        self.finish_blob(writer)?;
        self.snapshots.sync()
    }

    fn publish(&self, staged: Staged<'_>, record: LayerRecord) -> Result<()> {
        let chain_id = match self.expected {
            Some(expected) if expected.diff_id != record.diff_id => {
                return Err(wrong_diff_id(&expected.diff_id, &record.diff_id));
            }
            Some(expected) => expected.chain_id,
            None => record.diff_id,
        };
        staged.publish(&chain_id, &record)
    }

    fn read(&self, mut source: impl Read, mut to_gunzip: Source) -> io::Result<Writer> {
        let mut writer = self.store.writer().map_err(Error::from)?;
        loop {
            let mut piece = to_gunzip.piece()?;
            let filled = stream::fill(&mut source, &mut piece)?;
            if filled == 0 {
                to_gunzip.finish()?;
                return Ok(writer);
            }
            piece.truncate(filled);
            writer.write_all(&piece)?;
            self.tell(Stage::Reading(writer.size()))?;
            to_gunzip.send(piece)?;
        }
    }

    fn finish_blob(&self, writer: Writer) -> io::Result<Descriptor> {
        self.tell(Stage::Verifying)?;
        let blob = match self.expected {
            Some(expected) => writer.finish(expected.blob).map(|()| expected.blob.clone()),
            None => writer.finish_any(images::media::OCI_LAYER),
        };
        let blob = blob.map_err(Error::from)?;
        if let Err(gone) = self.tell(Stage::Verified) {
            self.store.discard(&blob.digest).map_err(Error::from)?;
            return Err(gone);
        }
        Ok(blob)
    }

    fn gunzip(
        &self,
        from_source: impl BufRead,
        mut to_unpack: Source,
        read_all: &AtomicBool,
    ) -> io::Result<Digest> {
        let mut plain = Unpacked::new(stream::Counted::new(from_source))?;
        let mut hasher = Hasher::default();
        loop {
            let mut piece = to_unpack.piece()?;
            let filled = stream::fill(&mut plain, &mut piece)?;
            if filled == 0 {
                to_unpack.finish()?;
                return Ok(hasher.finish());
            }
            piece.truncate(filled);
            hasher.update(&piece);
            to_unpack.send(piece)?;
            if read_all.load(Ordering::Relaxed) {
                self.tell(Stage::Unpacking(plain.packed().count()))?;
            }
        }
    }

    fn tell(&self, stage: Stage) -> io::Result<()> {
        if (self.watch)(stage) { Ok(()) } else { Err(Error::cancelled().into()) }
    }
}

fn unpack(tar: Drain, folder: &std::path::Path, ownership: Ownership) -> io::Result<u64> {
    unpack_buffered(tar, folder, ownership).map_err(io::Error::from)
}

fn join<T>(thread: ScopedJoinHandle<'_, io::Result<T>>) -> io::Result<T> {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The results of all three, or the error of the first that did not only stop because another had.
fn first_cause<A, B, C>(a: io::Result<A>, b: io::Result<B>, c: io::Result<C>) -> Result<(A, B, C)> {
    match (a, b, c) {
        (Ok(a), Ok(b), Ok(c)) => Ok((a, b, c)),
        (a, b, c) => {
            let errors = [a.err(), b.err(), c.err()].into_iter().flatten();
            let (followed, causes): (Vec<_>, Vec<_>) = errors.partition(stream::is_stopped);
            Err(causes.into_iter().chain(followed).next().map_or_else(Error::cancelled, Error::from))
        }
    }
}
