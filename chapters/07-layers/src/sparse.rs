//! Long tail: files with holes, in the four ways that GNU tar has written them (GNU tar manual, "Storing Sparse Files").

use std::io::BufRead;

use tar::{EntryType, GnuExtSparseHeader, GnuSparseHeader};

use crate::members::{Member, Members};
use crate::{Error, ErrorKind, Result};

/// More pieces than this in one file are refused.
const PIECES_LIMIT: u64 = 1 << 16;

/// A file's real size, and the pieces of it that are no holes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sparse {
    /// In bytes, holes included.
    pub real_size: u64,
    /// Offset and length, in bytes, in order; the stream holds just these, one behind the other.
    pub pieces: Vec<(u64, u64)>,
}

/// The map of a member that has one; `members` stands at the beginning of its content, and behind the map afterwards.
pub(crate) fn read<R: BufRead>(member: &Member, members: &mut Members<R>) -> Result<Option<Sparse>> {
    let sparse = if member.header.entry_type() == EntryType::GNUSparse {
        old_gnu(member, members)?
    } else if member.record("GNU.sparse.major") == Some(b"1") {
        within_content(member, members)?
    } else if member.record("GNU.sparse.map").is_some() || member.record("GNU.sparse.numblocks").is_some() {
        within_records(member)?
    } else {
        return Ok(None);
    };
    check(&sparse)?;
    Ok(Some(sparse))
}

fn old_gnu<R: BufRead>(member: &Member, members: &mut Members<R>) -> Result<Sparse> {
    let header = member.header.as_gnu().ok_or_else(invalid)?;
    let mut sparse = Sparse { real_size: header.real_size().map_err(|_| invalid())?, pieces: Vec::new() };
    let mut add = |pieces: &[GnuSparseHeader]| {
        for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
            let (offset, length) = (piece.offset(), piece.length());
            sparse.pieces.push((offset.map_err(|_| invalid())?, length.map_err(|_| invalid())?));
        }
        if sparse.pieces.len() as u64 > PIECES_LIMIT { Err(invalid()) } else { Ok(()) }
    };
    add(&header.sparse)?;
    let mut more = header.is_extended();
    while more {
        let mut block = GnuExtSparseHeader::new();
        block.as_mut_bytes().copy_from_slice(&members.block()?);
        add(block.sparse())?;
        more = block.is_extended();
    }
    Ok(sparse)
}

/// Version 1.0: decimal numbers, one a line, padded to a whole block, stand before the data.
fn within_content<R: BufRead>(member: &Member, members: &mut Members<R>) -> Result<Sparse> {
    let mut read = 0;
    let count = line(members, &mut read)?;
    if count > PIECES_LIMIT {
        return Err(invalid());
    }
    let mut pieces = Vec::new();
    for _ in 0..count {
        pieces.push((line(members, &mut read)?, line(members, &mut read)?));
    }
    let padding = usize::try_from(read.wrapping_neg() % 512).unwrap_or(0);
    std::io::Read::read_exact(members, &mut vec![0; padding])?;
    Ok(Sparse { real_size: member.number("GNU.sparse.realsize")?.ok_or_else(invalid)?, pieces })
}

fn line<R: BufRead>(members: &mut Members<R>, read: &mut u64) -> Result<u64> {
    let mut number: u64 = 0;
    loop {
        let digit = *members.fill_buf()?.first().ok_or_else(invalid)?;
        members.consume(1);
        *read += 1;
        number = match digit {
            b'\n' => return Ok(number),
            b'0'..=b'9' => {
                let digit = u64::from(digit - b'0');
                number.checked_mul(10).and_then(|n| n.checked_add(digit)).ok_or_else(invalid)?
            }
            _ => return Err(invalid()),
        };
    }
}

/// Versions 0.1 (one record of numbers with commas) and 0.0 (a record for each number).
fn within_records(member: &Member) -> Result<Sparse> {
    let number =
        |bytes: &[u8]| std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok()).ok_or_else(invalid);
    let numbers: Vec<u64> = match member.record("GNU.sparse.map") {
        Some(b"") => Vec::new(),
        Some(map) => map.split(|b| *b == b',').map(number).collect::<Result<_>>()?,
        None => {
            let keys = ["GNU.sparse.offset", "GNU.sparse.numbytes"];
            let records = member.pax.iter().filter(|(key, _)| keys.contains(&key.as_str()));
            records.map(|(_, value)| number(value)).collect::<Result<_>>()?
        }
    };
    if !numbers.len().is_multiple_of(2) {
        return Err(invalid());
    }
    let pieces = numbers.chunks(2).map(|pair| (pair[0], pair[1])).collect();
    Ok(Sparse { real_size: member.number("GNU.sparse.size")?.ok_or_else(invalid)?, pieces })
}

/// Pieces are in order, do not overlap, and lie within the file.
fn check(sparse: &Sparse) -> Result<()> {
    let mut end = 0;
    for (offset, length) in &sparse.pieces {
        if *offset < end {
            return Err(invalid());
        }
        end = offset.checked_add(*length).ok_or_else(invalid)?;
    }
    if end > sparse.real_size || sparse.real_size > i64::MAX as u64 { Err(invalid()) } else { Ok(()) }
}

fn invalid() -> Error {
    Error::new(ErrorKind::InvalidLayer, "invalid tar: a sparse file's map makes no sense")
}
