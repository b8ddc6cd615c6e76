//! Finds a sequence of keys, such as ctrl-p ctrl-q, in what a terminal's user types. Pure.

/// How far the sequence has been typed.
#[derive(Debug, Default)]
pub struct DetachKeys {
    keys: Vec<u8>,
    /// How many of them have been typed and are held back.
    typed: usize,
}

impl DetachKeys {
    /// An empty sequence is never found.
    pub fn new(keys: Vec<u8>) -> DetachKeys {
        DetachKeys { keys, typed: 0 }
    }

    /// Appends to `passed` what is meant for the process. True: the sequence is complete, what came after it is dropped.
    pub fn filter(&mut self, input: &[u8], passed: &mut Vec<u8>) -> bool {
        if self.keys.is_empty() {
            passed.extend_from_slice(input);
            return false;
        }
        for byte in input {
            if *byte != self.keys[self.typed] {
                // What was held back was no detach sequence after all; this key may begin one.
                passed.extend_from_slice(&self.keys[..self.typed]);
                self.typed = 0;
            }
            if *byte == self.keys[self.typed] {
                self.typed += 1;
            } else {
                passed.push(*byte);
            }
            if self.typed == self.keys.len() {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(chunks: &[&[u8]]) -> (Vec<u8>, bool) {
        let mut keys = DetachKeys::new(vec![16, 17]);
        let mut passed = Vec::new();
        for chunk in chunks {
            if keys.filter(chunk, &mut passed) {
                return (passed, true);
            }
        }
        (passed, false)
    }

    #[test]
    fn the_sequence_is_found_across_reads() {
        assert_eq!(typed(&[b"ls\n\x10\x11rest"]), (b"ls\n".to_vec(), true));
        assert_eq!(typed(&[b"a\x10", b"\x11"]), (b"a".to_vec(), true));
    }

    #[test]
    fn what_is_no_sequence_is_passed_on() {
        assert_eq!(typed(&[b"a\x10", b"b"]), (b"a\x10b".to_vec(), false));
        assert_eq!(typed(&[b"\x11\x11"]), (b"\x11\x11".to_vec(), false));
        assert_eq!(typed(&[b"\x10\x10\x11"]), (b"\x10".to_vec(), true));
    }

    #[test]
    fn no_keys_pass_everything() {
        let mut passed = Vec::new();
        assert!(!DetachKeys::default().filter(b"\x10\x11", &mut passed));
        assert_eq!(passed, b"\x10\x11");
    }
}
