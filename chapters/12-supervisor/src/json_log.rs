//! Lines of output as Docker's json-file log writes them, from chunks as they come out of a pipe. Pure.
//!
//! A line is `{"log":"hello\n","stream":"stdout","time":"2026-01-01T00:00:00.000000000Z"}`. One longer than 16 KiB becomes
//! several records, of which only the last has the `\n` and all have the time of the first. A last line without `\n` is
//! written at the end of the stream.

/// The most bytes of output in one record.
pub const RECORD_MAX: usize = 16 * 1024;

/// Cuts one stream into records.
#[derive(Debug)]
pub struct Lines {
    stream: &'static str,
    /// The beginning of a line whose end has not come yet; below [`RECORD_MAX`].
    begun: Vec<u8>,
    /// The time of the line's first record, when that is written already.
    first_part: Option<String>,
}

impl Lines {
    /// For `stdout` or `stderr`.
    pub fn new(stream: &'static str) -> Lines {
        Lines { stream, begun: Vec::new(), first_part: None }
    }

    /// Takes a chunk, and appends the records that it completes to `records`.
    pub fn push(&mut self, mut chunk: &[u8], now: &str, records: &mut Vec<u8>) {
        while !chunk.is_empty() {
            let room = RECORD_MAX - self.begun.len();
            let newline = chunk.iter().take(room).position(|byte| *byte == b'\n');
            let (part, rest) = chunk.split_at(newline.map_or(room.min(chunk.len()), |index| index + 1));
            chunk = rest;
            if newline.is_none() && part.len() < room {
                self.begun.extend_from_slice(part);
                return;
            }
            let time = self.first_part.take().unwrap_or_else(|| now.to_string());
            write_record(&[&self.begun, part], self.stream, &time, records);
            self.begun.clear();
            if newline.is_none() {
                self.first_part = Some(time);
            }
        }
    }

    /// The stream has ended: a line that was begun is complete.
    pub fn finish(&mut self, now: &str, records: &mut Vec<u8>) {
        if !self.begun.is_empty() {
            let time = self.first_part.take().unwrap_or_else(|| now.to_string());
            write_record(&[&self.begun], self.stream, &time, records);
            self.begun = Vec::new();
        }
    }
}

fn write_record(parts: &[&[u8]], stream: &str, time: &str, records: &mut Vec<u8>) {
    records.extend_from_slice(b"{\"log\":\"");
    match parts {
        [begun, rest] if !begun.is_empty() => escape(&[*begun, *rest].concat(), records),
        _ => parts.iter().for_each(|part| escape(part, records)),
    }
    records.extend_from_slice(b"\",\"stream\":\"");
    records.extend_from_slice(stream.as_bytes());
    records.extend_from_slice(b"\",\"time\":\"");
    records.extend_from_slice(time.as_bytes());
    records.extend_from_slice(b"\"}\n");
}

/// A JSON string's inside as Go's encoder writes it: HTML's `<`, `>`, `&` and the line separators that JavaScript
/// stumbles over are escaped, each byte that is not UTF-8 becomes U+FFFD.
fn escape(bytes: &[u8], json: &mut Vec<u8>) {
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            escape_character(character, json);
        }
        for _ in chunk.invalid() {
            json.extend_from_slice(b"\\ufffd");
        }
    }
}

fn escape_character(character: char, json: &mut Vec<u8>) {
    match character {
        '"' => json.extend_from_slice(b"\\\""),
        '\\' => json.extend_from_slice(b"\\\\"),
        '\n' => json.extend_from_slice(b"\\n"),
        '\r' => json.extend_from_slice(b"\\r"),
        '\0'..' ' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
            json.extend_from_slice(format!("\\u{:04x}", u32::from(character)).as_bytes());
        }
        other => json.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(chunks: &[&[u8]]) -> String {
        let mut lines = Lines::new("stdout");
        let mut out = Vec::new();
        for (index, chunk) in chunks.iter().enumerate() {
            lines.push(chunk, &format!("T{index}"), &mut out);
        }
        lines.finish("TEND", &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_is_a_record_however_it_is_chunked() {
        let whole = r#"{"log":"hello\n","stream":"stdout","time":"T0"}"#.to_string() + "\n";
        assert_eq!(records(&[b"hello\n"]), whole);
        assert_eq!(records(&[b"hel", b"lo\n"]), whole.replace("T0", "T1"));
    }

    #[test]
    fn a_last_line_without_newline_is_written_at_the_end() {
        assert_eq!(
            records(&[b"a\nb"]),
            concat!(
                r#"{"log":"a\n","stream":"stdout","time":"T0"}"#,
                "\n",
                r#"{"log":"b","stream":"stdout","time":"TEND"}"#,
                "\n"
            )
        );
    }

    /// What dockerd 20.10 wrote for the same bytes.
    #[test]
    fn escapes_are_those_of_go() {
        let odd = "tab\there <a&b> \"q\" \\ \u{1} \u{7f} ".as_bytes();
        let odd = [odd, b"\xff ", "\u{2028} é\r\n".as_bytes()].concat();
        let expected = r#"tab\u0009here \u003ca\u0026b\u003e \"q\" \\ \u0001 "#.to_string()
            + "\u{7f}"
            + r#" \ufffd \u2028 é\r\n"#;
        assert!(records(&[&odd]).contains(&expected), "{}", records(&[&odd]));
    }

    #[test]
    fn a_character_split_between_chunks_stays_whole() {
        assert!(records(&[b"\xc3", b"\xa9\n"]).contains("é\\n"));
    }

    #[test]
    fn a_long_line_is_split_at_sixteen_kibibytes_and_keeps_the_first_time() {
        let long = [vec![b'x'; 2 * RECORD_MAX + 5], b"\n".to_vec()].concat();
        for size in [1000, RECORD_MAX, 4 * RECORD_MAX] {
            let mut lines = Lines::new("stderr");
            let mut out = Vec::new();
            long.chunks(size).for_each(|chunk| lines.push(chunk, "T", &mut out));
            let lengths: Vec<usize> =
                String::from_utf8(out).unwrap().lines().map(|line| line.matches('x').count()).collect();
            assert_eq!(lengths, [RECORD_MAX, RECORD_MAX, 5], "chunks of {size}");
        }
    }

    #[test]
    fn output_is_never_lost_or_reordered() {
        let text: Vec<u8> =
            (0..100_000u32).map(|i| if i % 977 == 0 { b'\n' } else { b'a' + (i % 26) as u8 }).collect();
        let mut back = Vec::new();
        for line in records(&text.chunks(333).collect::<Vec<_>>()).lines() {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            back.extend_from_slice(record["log"].as_str().unwrap().as_bytes());
        }
        assert_eq!(back, text);
    }
}
