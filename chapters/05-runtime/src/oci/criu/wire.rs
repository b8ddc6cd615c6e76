//! Long tail: what is said to CRIU and by it, in the encoding of protocol buffers (its sources' images/rpc.proto). Pure.
//!
//! Of that encoding CRIU needs two kinds of field: a number, and bytes with their length before them, which are a text or another
//! message. A key, the field's number and its kind, stands before each.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

const NUMBER: u64 = 0;
const BYTES: u64 = 2;

/// A message that is being written, field by field.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Message(Vec<u8>);

impl Message {
    /// A number, or a choice by its number.
    pub fn number(&mut self, field: u64, value: u64) {
        push(&mut self.0, field << 3 | NUMBER);
        push(&mut self.0, value);
    }

    /// Said only if it is true: what is absent is false.
    pub fn flag(&mut self, field: u64, value: bool) {
        if value {
            self.number(field, 1);
        }
    }

    /// A text, or a path.
    pub fn text(&mut self, field: u64, text: impl AsRef<OsStr>) {
        self.bytes(field, text.as_ref().as_bytes());
    }

    /// A message in this one.
    pub fn message(&mut self, field: u64, message: &Message) {
        self.bytes(field, &message.0);
    }

    /// What is sent.
    pub fn encoded(&self) -> &[u8] {
        &self.0
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        push(&mut self.0, field << 3 | BYTES);
        push(&mut self.0, bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }
}

/// Seven bits a byte, the lowest first; the eighth says that more follow.
fn push(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A field of a message that was received.
#[derive(Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A number.
    Number(u64),
    /// A text or a message.
    Bytes(&'a [u8]),
}

/// The fields of a message, each with its number; None if it is none. Of a field that comes twice the last one counts.
pub fn fields(mut rest: &[u8]) -> Option<Vec<(u64, Value<'_>)>> {
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let key = take_number(&mut rest)?;
        let value = match key & 7 {
            NUMBER => Value::Number(take_number(&mut rest)?),
            BYTES => {
                let length = usize::try_from(take_number(&mut rest)?).ok()?;
                let (bytes, after) = rest.split_at_checked(length)?;
                rest = after;
                Value::Bytes(bytes)
            }
            _ => return None,
        };
        fields.push((key >> 3, value));
    }
    Some(fields)
}

fn take_number(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (first, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the encoding's own description (protobuf.dev, "Encoding").
    #[test]
    fn numbers_texts_and_messages() {
        let mut inner = Message::default();
        inner.number(1, 150);
        let mut outer = Message::default();
        outer.message(3, &inner);
        outer.text(2, "testing");
        outer.flag(4, false);
        assert_eq!(outer.encoded(), b"\x1a\x03\x08\x96\x01\x12\x07testing");
        let fields = fields(outer.encoded()).unwrap();
        assert_eq!(fields, [(3, Value::Bytes(&b"\x08\x96\x01"[..])), (2, Value::Bytes(&b"testing"[..]))]);
    }

    #[test]
    fn what_is_cut_off_or_endless_is_no_message() {
        let bytes = b"\x1a\x03\x08\x96\x01";
        (1..bytes.len()).for_each(|length| assert_eq!(fields(&bytes[..length]), None, "{length}"));
        assert_eq!(fields(&[0xff; 20]), None);
        assert_eq!(fields(b"\x0d\0\0\0\0"), None, "a kind that CRIU does not use");
    }
}
