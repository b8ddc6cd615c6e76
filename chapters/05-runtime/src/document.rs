//! `config.json`, read and written: in one place, since the compiler makes anew what reads a type wherever it is asked to, and
//! this type is large.

use crate::{Error, Result, words};
use oci_spec::runtime::Spec;
use serde::de::DeserializeOwned;

/// Reads a config.json.
///
/// # Errors
/// [`Invalid`](crate::ErrorKind::Invalid): what is wrong, and where: its JSON path, and its line.
pub fn spec_from_json(json: &[u8]) -> Result<Spec> {
    from_json(json)
}

/// Reads it, or a part of it.
///
/// # Errors
/// [`Invalid`](crate::ErrorKind::Invalid), as of the whole; the path begins at the part.
pub(crate) fn from_json<T: DeserializeOwned>(json: &[u8]) -> Result<T> {
    match read(json) {
        Err(refused) if refused.to_string().contains("scheduler.flags[") => {
            words::read_respelt(json, refused, read)
        }
        read => read,
    }
}

fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let part = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        Error::invalid(if path == "." {
            error.inner().to_string()
        } else {
            format!("{path}: {}", error.inner())
        })
    })?;
    reader.end().map_err(|error| Error::invalid(error.to_string()))?;
    Ok(part)
}

/// Writes one, on a single line.
///
/// # Errors
/// A path in it that is not UTF-8.
pub fn spec_to_json(spec: &Spec) -> Result<Vec<u8>> {
    serde_json::to_vec(spec).map_err(Error::system)
}

#[cfg(test)]
mod tests {
    use super::spec_from_json;

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
        assert!(refused("{\"ociVersion\": \"1.2.0\"} more").starts_with("trailing characters"));
        let text = process("\"user\": {\"uid\": -1}");
        for length in 0..text.len() {
            refused(&text[..length]);
        }
    }
}
