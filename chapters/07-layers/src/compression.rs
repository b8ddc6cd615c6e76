//! How a layer is packed, told by its first bytes: media types lie more often than magic numbers do.

use std::io::{self, BufRead, Read};

use flate2::bufread::MultiGzDecoder;

use crate::{Error, ErrorKind, Result};

/// A layer's packing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// None: a tar.
    Plain,
    /// RFC 1952, maybe of several members.
    Gzip,
}

impl Compression {
    /// What begins like `head` (six bytes are enough). Packings that are not read yet are refused by name.
    pub fn detect(head: &[u8]) -> Result<Compression> {
        let unsupported: &[(&[u8], &str)] = &[
            (b"\x28\xb5\x2f\xfd", "zstd"),
            (b"BZh", "bzip2"),
            (b"\xfd7zXZ\0", "xz"),
            (b"\x04\x22\x4d\x18", "lz4"),
        ];
        if let Some((_, name)) = unsupported.iter().find(|(magic, _)| head.starts_with(magic)) {
            let message = format!("{name} compression is not supported: only gzip and plain tar are");
            return Err(Error::new(ErrorKind::NotSupported, message));
        }
        Ok(if head.starts_with(b"\x1f\x8b") { Compression::Gzip } else { Compression::Plain })
    }
}

/// The plain bytes of a stream, gzipped or not.
pub enum Unpacked<R: BufRead> {
    /// It was plain.
    Plain(R),
    /// It was gzipped.
    Gzip(Box<MultiGzDecoder<R>>),
}

impl<R: BufRead> Unpacked<R> {
    /// Looks at the first bytes and chooses.
    pub fn new(mut packed: R) -> Result<Unpacked<R>> {
        Ok(match Compression::detect(packed.fill_buf()?)? {
            Compression::Plain => Unpacked::Plain(packed),
            Compression::Gzip => Unpacked::Gzip(Box::new(MultiGzDecoder::new(packed))),
        })
    }
}

impl<R: BufRead> Unpacked<R> {
    /// The stream below.
    pub(crate) fn packed(&self) -> &R {
        match self {
            Unpacked::Plain(plain) => plain,
            Unpacked::Gzip(gzip) => gzip.get_ref(),
        }
    }
}

impl<R: BufRead> Read for Unpacked<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Unpacked::Plain(plain) => plain.read(into),
            Unpacked::Gzip(gzip) => gzip.read(into),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn reads_plain_gzip_and_members() {
        let gzip = |text: &str| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        };
        for packed in [b"ab".to_vec(), gzip("ab"), [gzip("a"), gzip("b")].concat()] {
            let mut text = String::new();
            Unpacked::new(&packed[..]).unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "ab");
        }
        let cut = &gzip("ab")[..15];
        let refusal = Unpacked::new(cut).unwrap().read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(Error::from(refusal).to_string(), "unexpected EOF");
    }

    #[test]
    fn refuses_by_name() {
        let refusal = Compression::detect(b"\x28\xb5\x2f\xfd rest").unwrap_err();
        assert_eq!(refusal.kind(), ErrorKind::NotSupported);
        assert!(refusal.to_string().starts_with("zstd compression is not supported"));
    }
}
