//! Long tail: from a line and a column of a JSON text to the path of the value there, which is what a user looks for. Pure.

/// A list, of which so many values have begun; or an object, with the key whose value is next.
enum Level {
    List(usize),
    Object(String),
}

/// The path of what ends at this place, `process.rlimits[0].type`, as far as the text is JSON up to there. Lines and columns are
/// counted from one, as serde_json counts them.
pub fn path_at(json: &[u8], line: usize, column: usize) -> String {
    let mut levels: Vec<Level> = Vec::new();
    let mut text = Text { json: &json[..offset(json, line, column)], next: 0 };
    while let Some(byte) = text.byte() {
        match byte {
            b'{' => levels.push(Level::Object(String::new())),
            b'[' => levels.push(Level::List(0)),
            b'}' | b']' => {
                levels.pop();
            }
            b',' => match levels.last_mut() {
                Some(Level::List(index)) => *index += 1,
                Some(Level::Object(key)) => key.clear(),
                None => {}
            },
            b'"' => {
                let string = text.string();
                if let Some(Level::Object(key)) = levels.last_mut()
                    && key.is_empty()
                {
                    *key = string;
                }
            }
            _ => {}
        }
    }
    levels.iter().fold(String::new(), |path, level| match level {
        Level::List(index) => format!("{path}[{index}]"),
        Level::Object(key) if path.is_empty() || key.is_empty() => path + key,
        Level::Object(key) => format!("{path}.{key}"),
    })
}

fn offset(json: &[u8], line: usize, column: usize) -> usize {
    let before: usize =
        json.split_inclusive(|byte| *byte == b'\n').take(line.saturating_sub(1)).map(<[u8]>::len).sum();
    (before + column).min(json.len())
}

struct Text<'a> {
    json: &'a [u8],
    next: usize,
}

impl Text<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = self.json.get(self.next).copied();
        self.next += 1;
        byte
    }

    /// What follows a quotation mark, up to the next one.
    fn string(&mut self) -> String {
        let start = self.next;
        while let Some(byte) = self.byte() {
            match byte {
                b'\\' => drop(self.byte()),
                b'"' => break,
                _ => {}
            }
        }
        let end = (self.next - 1).clamp(start, self.json.len());
        String::from_utf8_lossy(&self.json[start..end]).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use crate::spec_from_json;

    #[test]
    fn errors_name_the_path() {
        let refused = |json: &str| spec_from_json(json.as_bytes()).unwrap_err().to_string();
        let place = |json: &str| refused(json).split(": ").next().unwrap().to_string();
        let process =
            |rest: &str| format!("{{\"ociVersion\": \"1.2.0\", \"process\": {{\"cwd\": \"/\", {rest}}}}}");
        assert_eq!(place(&process("\n\"terminal\": 7")), "process.terminal");
        assert_eq!(place(&process("\"args\": [\"sh\", \"a,\\\"b\", 3]")), "process.args[2]");
        let limits = "\"rlimits\": [{\"type\": \"RLIMIT_CORE\", \"soft\": 0, \"hard\": 0},\n {\"type\": \"RLIMIT_X\"}]";
        assert_eq!(place(&process(limits)), "process.rlimits[1].type");
        assert!(refused("").starts_with("EOF while parsing"));
        let text = process("\"user\": {\"uid\": -1}");
        for length in 0..text.len() {
            refused(&text[..length]);
        }
    }
}
