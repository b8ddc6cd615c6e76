//! Docker's framing of two streams in one: a head of eight bytes (stream, three zeros, length in big endian), then data.

/// Takes a multiplexed stream apart, however it was cut by the socket.
#[derive(Default)]
pub struct Frames {
    head: Vec<u8>,
    left: usize,
    stream: u8,
}

/// Standard output's number in a frame's head.
pub const STDOUT: u8 = 1;
/// Standard error's number.
pub const STDERR: u8 = 2;
/// An error of the daemon itself, sent in the middle of a stream.
pub const SYSTEM_ERROR: u8 = 3;

impl Frames {
    /// Gives each piece of data in `bytes` to `sink`, with its stream.
    pub fn feed<E>(
        &mut self,
        mut bytes: &[u8],
        mut sink: impl FnMut(u8, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        while !bytes.is_empty() {
            if self.left == 0 {
                let (head, rest) = bytes.split_at(bytes.len().min(8 - self.head.len()));
                self.head.extend_from_slice(head);
                bytes = rest;
                if let [stream, _, _, _, a, b, c, d] = self.head[..] {
                    self.stream = stream;
                    self.left = u32::from_be_bytes([a, b, c, d]) as usize;
                    self.head.clear();
                }
                continue;
            }
            let (data, rest) = bytes.split_at(bytes.len().min(self.left));
            sink(self.stream, data)?;
            self.left -= data.len();
            bytes = rest;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_anywhere_make_no_difference() {
        let stream = b"\x01\0\0\0\0\0\0\x03out\x02\0\0\0\0\0\0\x01e\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\x02!\n";
        for size in 1..stream.len() {
            let mut frames = Frames::default();
            let (mut out, mut err) = (Vec::new(), Vec::new());
            for piece in stream.chunks(size) {
                let sink = |stream, data: &[u8]| -> Result<(), ()> {
                    if stream == STDOUT {
                        out.extend_from_slice(data)
                    } else {
                        err.extend_from_slice(data)
                    }
                    Ok(())
                };
                frames.feed(piece, sink).unwrap();
            }
            assert_eq!((out.as_slice(), err.as_slice()), (b"out!\n".as_slice(), b"e".as_slice()));
        }
    }
}
