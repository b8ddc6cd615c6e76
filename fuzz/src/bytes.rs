//! Choices made by bytes: the same for the same bytes, and after their end always the first.

/// Bytes that are read one after the other.
#[derive(Debug)]
pub struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    /// From the first on.
    pub fn new(bytes: &'a [u8]) -> Bytes<'a> {
        Bytes(bytes)
    }

    /// Whether there are more.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    /// A number less than `count`, which is at most 256.
    pub fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count
    }

    /// One of these.
    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// Yes or no.
    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// A number whose halves are near an end, more often than not.
    pub fn number(&mut self) -> u64 {
        let mut half = || match self.byte() {
            byte @ 0..=15 => u64::from(byte & 3),
            byte @ 16..=31 => 0xffff_ffff - u64::from(byte & 3),
            byte @ 32..=47 => 0x8000_0000 - u64::from(byte & 1),
            byte => u64::from(byte) << (byte & 24),
        };
        half() << 32 | half()
    }
}
