//! The members of a tar stream, with the names and sizes that GNU and pax extensions give them (`tar(5)`, pax(1)).
//!
//! The tar crate reads headers; walking the stream is done here, so that extensions have a limit, sparse files stay sparse, and
//! content goes from the stream's own buffer to its file without a copy.

use std::io::{self, BufRead, Read};

use tar::{EntryType, Header, PaxExtensions};

use crate::sparse::{self, Sparse};
use crate::{Error, ErrorKind, Result};

const BLOCK: u64 = 512;
/// Long names and pax records of one member, in bytes. Linux paths end at 4,096, extended attributes at 64 KiB each.
const EXTENSION_LIMIT: u64 = 1 << 20;

/// One member: its header and what extensions say beyond it.
#[derive(Debug, Clone)]
pub struct Member {
    /// As it stands in the stream.
    pub header: Header,
    /// The name.
    pub path: Vec<u8>,
    /// What a symbolic or hard link points to.
    pub link: Vec<u8>,
    /// Bytes of content that follow in the stream.
    pub size: u64,
    /// pax records, by key.
    pub pax: Vec<(String, Vec<u8>)>,
    /// Where the content belongs, for a file with holes.
    pub sparse: Option<Sparse>,
}

impl Member {
    /// A pax record's value.
    pub fn record(&self, key: &str) -> Option<&[u8]> {
        // The last one counts (pax(1)).
        self.pax.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_slice())
    }

    pub(crate) fn number(&self, key: &str) -> Result<Option<u64>> {
        let Some(value) = self.record(key) else {
            return Ok(None);
        };
        let number = std::str::from_utf8(value).ok().and_then(|text| text.trim().parse().ok());
        number.map(Some).ok_or_else(|| invalid(&format!("pax record {key} is no number")))
    }
}

/// A tar stream, read member by member.
#[derive(Debug)]
pub struct Members<R> {
    input: R,
    /// Bytes of the current member's content that nobody has read yet, and the padding behind it.
    content: u64,
    padding: u64,
}

impl<R: BufRead> Members<R> {
    /// Starts at the beginning of `input`.
    pub fn new(input: R) -> Members<R> {
        Members { input, content: 0, padding: 0 }
    }

    /// The next member; None at the end of the archive.
    pub fn next(&mut self) -> Result<Option<Member>> {
        let (mut path, mut link, mut pax) = (None, None, Vec::new());
        loop {
            self.skip_rest()?;
            let Some(header) = self.header()? else {
                return Ok(None);
            };
            let size = header.entry_size().map_err(|e| invalid(&e.to_string()))?;
            match header.entry_type() {
                EntryType::GNULongName => path = Some(self.long_name(size)?),
                EntryType::GNULongLink => link = Some(self.long_name(size)?),
                EntryType::XHeader => pax = self.records(size)?,
                // Defaults for a whole archive, which git writes for its commit: Docker passes over them too.
                EntryType::XGlobalHeader => drop(self.extension(size)?),
                _ => return self.member(header, path, link, pax).map(Some),
            }
        }
    }

    fn member(
        &mut self,
        header: Header,
        path: Option<Vec<u8>>,
        link: Option<Vec<u8>>,
        pax: Vec<(String, Vec<u8>)>,
    ) -> Result<Member> {
        let mut member = Member { header, path: Vec::new(), link: Vec::new(), size: 0, pax, sparse: None };
        let owned = |value: Option<&[u8]>| value.map(<[u8]>::to_vec);
        member.path = owned(member.record("GNU.sparse.name"))
            .or_else(|| owned(member.record("path")))
            .or(path)
            .unwrap_or_else(|| member.header.path_bytes().into_owned());
        member.link = owned(member.record("linkpath"))
            .or(link)
            .unwrap_or_else(|| member.header.link_name_bytes().unwrap_or_default().into_owned());
        let in_header = member.header.entry_size().map_err(|e| invalid(&e.to_string()))?;
        member.size = member.number("size")?.unwrap_or(in_header);
        // Links and folders carry no content, whatever their size field says.
        if !carries_content(member.header.entry_type()) {
            member.size = 0;
        }
        (self.content, self.padding) = (member.size, member.size.wrapping_neg() % BLOCK);
        let before = self.content;
        member.sparse = sparse::read(&member, self)?;
        // A sparse map within the content is no content.
        member.size -= before - self.content;
        Ok(member)
    }

    fn header(&mut self) -> Result<Option<Header>> {
        let mut header = Header::new_old();
        if self.input.fill_buf()?.is_empty() {
            return Ok(None);
        }
        self.input.read_exact(header.as_mut_bytes())?;
        let bytes = header.as_bytes();
        if bytes.iter().all(|b| *b == 0) {
            return Ok(None);
        }
        let sum = |bytes: &[u8]| bytes.iter().map(|b| u32::from(*b)).sum::<u32>();
        if header.cksum().ok() != Some(sum(&bytes[..148]) + sum(&bytes[156..]) + 8 * u32::from(b' ')) {
            return Err(Error::new(ErrorKind::InvalidLayer, "archive/tar: invalid tar header"));
        }
        fill_blanks(&mut header);
        Ok(Some(header))
    }

    /// One more block of an old GNU sparse map.
    pub(crate) fn block(&mut self) -> Result<[u8; BLOCK as usize]> {
        let mut block = [0; BLOCK as usize];
        self.input.read_exact(&mut block)?;
        Ok(block)
    }

    fn extension(&mut self, size: u64) -> Result<Vec<u8>> {
        if size > EXTENSION_LIMIT {
            return Err(invalid("an extended header is larger than 1 MiB"));
        }
        (self.content, self.padding) = (size, size.wrapping_neg() % BLOCK);
        let mut bytes = vec![0; size as usize];
        self.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn long_name(&mut self, size: u64) -> Result<Vec<u8>> {
        let mut name = self.extension(size)?;
        name.truncate(name.iter().position(|b| *b == 0).unwrap_or(name.len()));
        Ok(name)
    }

    fn records(&mut self, size: u64) -> Result<Vec<(String, Vec<u8>)>> {
        let bytes = self.extension(size)?;
        let records = PaxExtensions::new(&bytes).map(|record| {
            let record = record.map_err(|e| invalid(&e.to_string()))?;
            let key = record.key().map_err(|_| invalid("a pax key is not UTF-8"))?;
            Ok((key.to_string(), record.value_bytes().to_vec()))
        });
        records.collect()
    }

    fn skip_rest(&mut self) -> Result<()> {
        let mut rest = self.content + self.padding;
        (self.content, self.padding) = (0, 0);
        while rest > 0 {
            let there = self.input.fill_buf()?.len().min(rest.try_into().unwrap_or(usize::MAX));
            if there == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            self.input.consume(there);
            rest -= there as u64;
        }
        Ok(())
    }

    /// Reads on to the end of the stream: whoever makes it must be able to finish, and to hash all of it.
    pub fn drain(mut self) -> Result<()> {
        loop {
            let there = self.input.fill_buf()?.len();
            if there == 0 {
                return Ok(());
            }
            self.input.consume(there);
        }
    }
}

/// The current member's content.
impl<R: BufRead> BufRead for Members<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.content == 0 {
            return Ok(&[]);
        }
        let buffer = self.input.fill_buf()?;
        if buffer.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(&buffer[..buffer.len().min(self.content.try_into().unwrap_or(usize::MAX))])
    }

    fn consume(&mut self, amount: usize) {
        self.content -= amount as u64;
        self.input.consume(amount);
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let buffer = self.fill_buf()?;
        let amount = buffer.len().min(into.len());
        into[..amount].copy_from_slice(&buffer[..amount]);
        self.consume(amount);
        Ok(amount)
    }
}

/// A number left blank is 0, as for Go's reader, which made most of the layers there are.
fn fill_blanks(header: &mut Header) {
    let old = header.as_old_mut();
    let short = [&mut old.mode, &mut old.uid, &mut old.gid].map(|field| &mut field[..]);
    let long = [&mut old.size, &mut old.mtime].map(|field| &mut field[..]);
    for field in short.into_iter().chain(long) {
        if field.iter().all(|b| matches!(b, 0 | b' ')) {
            field[0] = b'0';
        }
    }
}

fn carries_content(kind: EntryType) -> bool {
    !matches!(
        kind,
        EntryType::Link
            | EntryType::Symlink
            | EntryType::Char
            | EntryType::Block
            | EntryType::Directory
            | EntryType::Fifo
    )
}

fn invalid(reason: &str) -> Error {
    Error::new(ErrorKind::InvalidLayer, format!("invalid tar: {reason}"))
}
