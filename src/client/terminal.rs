//! The user's terminal: raw while a container owns it, put back whatever happens.

use super::failure::{Error, ErrorKind, Result};
use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};
use std::io::{IsTerminal, stdin, stdout};
use std::os::fd::AsFd;

/// While this lives, the terminal of standard input passes every key on. Dropped on every way out, panics included;
/// signals that would end the process are read by the session instead, so that they come this way too.
pub struct Raw {
    before: Termios,
}

impl Raw {
    /// Switches the terminal over; none when standard input is no terminal.
    pub fn enter() -> Result<Option<Raw>> {
        if !stdin().is_terminal() {
            return Ok(None);
        }
        let failed = |errno: nix::errno::Errno| {
            let reason = errno.desc().to_lowercase();
            Error::new(ErrorKind::Local, format!("unable to set IO streams as raw terminal: {reason}"))
        };
        let before = tcgetattr(stdin()).map_err(failed)?;
        let mut raw = before.clone();
        cfmakeraw(&mut raw);
        tcsetattr(stdin(), SetArg::TCSADRAIN, &raw).map_err(failed)?;
        Ok(Some(Raw { before }))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // A terminal that is gone needs no mending.
        let _ = tcsetattr(stdin(), SetArg::TCSADRAIN, &self.before);
    }
}

/// Rows and columns of the terminal that output goes to; none when there is no terminal, or it has no size.
pub fn size() -> Option<(u16, u16)> {
    let size = rustix::termios::tcgetwinsize(stdout().as_fd()).ok()?;
    (size.ws_row > 0 || size.ws_col > 0).then_some((size.ws_row, size.ws_col))
}

/// A container's terminal cannot be driven from a pipe.
pub fn check_input(attach_stdin: bool, tty: bool) -> Result<()> {
    if attach_stdin && tty && !stdin().is_terminal() {
        return Err(Error::new(ErrorKind::Local, "the input device is not a TTY"));
    }
    Ok(())
}

/// The keys that leave a container running and end the session.
pub struct DetachKeys {
    keys: Vec<u8>,
    matched: usize,
}

impl DetachKeys {
    /// `ctrl-p,ctrl-q`: letters, or `ctrl-` and one of `a-z@[\]^_`. Empty means Docker's default.
    pub fn parse(text: &str) -> Result<DetachKeys> {
        let text = if text.is_empty() { "ctrl-p,ctrl-q" } else { text };
        let key = |key: &str| match key.strip_prefix("ctrl-").map(str::as_bytes) {
            Some([letter @ b'a'..=b'z']) => Some(letter - b'a' + 1),
            Some(b"@") => Some(0),
            Some([sign @ b'['..=b'_']) => Some(sign - b'[' + 27),
            _ => key.bytes().next().filter(|_| key.len() == 1),
        };
        let unknown = |key| Error::usage(format!("invalid detach keys ({text}): Unknown character: '{key}'"));
        let keys =
            text.split(',').map(|word| key(word).ok_or_else(|| unknown(word))).collect::<Result<Vec<_>>>()?;
        Ok(DetachKeys { keys, matched: 0 })
    }

    /// What of `input` the container gets, and whether the keys are complete. Keys that may still become the sequence are
    /// held back.
    pub fn filter(&mut self, input: &[u8]) -> (Vec<u8>, bool) {
        let mut passed = Vec::with_capacity(input.len());
        for byte in input {
            if self.keys.get(self.matched) == Some(byte) {
                self.matched += 1;
                if self.matched == self.keys.len() {
                    return (passed, true);
                }
                continue;
            }
            passed.extend_from_slice(&self.keys[..self.matched]);
            self.matched = usize::from(self.keys.first() == Some(byte));
            if self.matched == 0 {
                passed.push(*byte);
            } else if self.keys.len() == 1 {
                return (passed, true);
            }
        }
        (passed, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detach_keys_are_held_back_until_they_are_decided() {
        let mut keys = DetachKeys::parse("").unwrap();
        assert_eq!(keys.filter(b"ab\x10"), (b"ab".to_vec(), false));
        assert_eq!(keys.filter(b"c"), (b"\x10c".to_vec(), false));
        assert_eq!(keys.filter(b"\x10\x10\x11later"), (b"\x10".to_vec(), true));
    }

    #[test]
    fn detach_keys_have_names() {
        assert_eq!(DetachKeys::parse("ctrl-@,x,ctrl-],ctrl-_").unwrap().keys, [0, b'x', 29, 31]);
        let error = DetachKeys::parse("ctrl-1").err().unwrap().to_string();
        assert_eq!(error, "invalid detach keys (ctrl-1): Unknown character: 'ctrl-1'");
    }
}
