//! `--log-driver` and `--log-opt`: where a container's output is written, and how much of it is kept.

use crate::error::{Error, ErrorKind, Result};

/// The limits of a json-file log.
#[derive(Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// Bytes after which a new file is begun.
    pub max_size: Option<u64>,
    /// How many files to keep.
    pub max_file: u32,
}

/// Reads `max-size` and `max-file`; refuses other drivers and options in Docker's words.
pub fn parse(log: &api::LogConfig) -> Result<LogOptions> {
    let mut options = LogOptions { max_size: None, max_file: 1 };
    match log.kind.as_str() {
        "" | "json-file" => {}
        "none" if log.config.iter().flatten().next().is_none() => return Ok(options),
        "none" => return invalid("log opts are not supported by the log driver none"),
        other => {
            return invalid(format!("error looking up logging plugin {other}: plugin \"{other}\" not found"));
        }
    }
    for (name, value) in log.config.iter().flatten() {
        match name.as_str() {
            "max-size" => options.max_size = size(value)?,
            "max-file" => options.max_file = count(value)?,
            name => return invalid(format!("unknown log opt '{name}' for json-file log driver")),
        }
    }
    Ok(options)
}

/// `10m` is ten million bytes, and `1.5kB` fifteen hundred; -1 is no limit.
fn size(text: &str) -> Result<Option<u64>> {
    if text == "-1" {
        return Ok(None);
    }
    let lower = text.to_ascii_lowercase();
    let unit = lower.find(|character: char| character.is_ascii_alphabetic()).unwrap_or(lower.len());
    let (number, unit) = lower.split_at(unit);
    let factor = match unit.strip_suffix('b').unwrap_or(unit).trim_end_matches('i') {
        "" => 1.0,
        "k" => 1e3,
        "m" => 1e6,
        "g" => 1e9,
        "t" => 1e12,
        "p" => 1e15,
        _ => 0.0,
    };
    match number.trim_end().parse::<f64>() {
        Ok(number) if number * factor >= 1.0 => Ok(Some((number * factor) as u64)),
        _ => unusable(&format!("invalid size: '{text}'")),
    }
}

fn count(text: &str) -> Result<u32> {
    match text.parse::<u32>() {
        Ok(0) => unusable("max-file cannot be less than 1"),
        Ok(count) => Ok(count),
        Err(_) => unusable(&format!("strconv.Atoi: parsing \"{text}\": invalid syntax")),
    }
}

fn unusable<T>(why: &str) -> Result<T> {
    invalid(format!("failed to initialize logging driver: {why}"))
}

fn invalid<T>(message: impl Into<String>) -> Result<T> {
    Err(Error::new(ErrorKind::InvalidParameter, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// go-units' FromHumanSize, which counts in thousands.
    #[test]
    fn sizes_are_dockers() {
        let cases = [
            ("10", 10),
            ("4k", 4000),
            ("4kB", 4000),
            ("4KiB", 4000),
            ("1.5m", 1_500_000),
            ("2 g", 2_000_000_000),
            ("1P", 1_000_000_000_000_000),
        ];
        for (text, bytes) in cases {
            assert_eq!(size(text).expect(text), Some(bytes), "{text}");
        }
        assert_eq!(size("-1").expect("no limit"), None);
        for text in ["", "k", "0", "many", "1x", "-5", "1kk"] {
            let error = size(text).expect_err(text).to_string();
            assert_eq!(error, format!("failed to initialize logging driver: invalid size: '{text}'"));
        }
    }
}
