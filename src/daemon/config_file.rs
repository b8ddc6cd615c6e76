//! `--config-file`: what cannot be said by a flag, in the form of dockerd's daemon.json.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};

/// Its keys. Every other one of dockerd's is refused by name: a setting that is overlooked is worse than none.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ConfigFile {
    /// As `--default-runtime`.
    pub default_runtime: Option<String>,
    /// As `--add-runtime`, and with arguments.
    #[serde(default)]
    pub runtimes: BTreeMap<String, Runtime>,
}

/// A runtime and what its command line begins with.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runtime {
    /// An absolute path, or a name that is looked for in `PATH`.
    pub path: String,
    /// Such as `--cgroup-manager=disabled`.
    #[serde(default, rename = "runtimeArgs")]
    pub arguments: Vec<String>,
}

impl ConfigFile {
    /// Reads a file; without one there is nothing in it.
    pub fn read(path: Option<&Path>) -> Result<ConfigFile> {
        let Some(path) = path else { return Ok(ConfigFile::default()) };
        let refused = |why: String| {
            let message = format!("--config-file {}: {why}", path.display());
            Error::new(ErrorKind::InvalidParameter, message)
        };
        let text = std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
        parse(&text).map_err(refused)
    }
}

fn parse(text: &str) -> std::result::Result<ConfigFile, String> {
    serde_json::from_str(text).map_err(|error| {
        let remedy = if error.to_string().contains("unknown field") { "; give it as a flag" } else { "" };
        format!("{error}{remedy}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtimes_have_arguments_and_other_keys_are_refused_by_name() {
        let text = r#"{"default-runtime": "x", "runtimes": {"x": {"path": "/x", "runtimeArgs": ["--a"]}, "y": {"path": "y"}}}"#;
        let read = parse(text).expect("legal");
        assert_eq!(read.default_runtime.as_deref(), Some("x"));
        assert_eq!(read.runtimes["x"], Runtime { path: "/x".into(), arguments: vec!["--a".into()] });
        assert_eq!(read.runtimes["y"], Runtime { path: "y".into(), arguments: Vec::new() });
        for (text, why) in [
            (r#"{"debug": true}"#, "unknown field `debug`"),
            (
                r#"{"runtimes": {"x": {"runtimeType": "io.containerd.runc.v2"}}}"#,
                "unknown field `runtimeType`",
            ),
            (r#"{"runtimes": {"x": {}}}"#, "missing field `path`"),
            ("{", "EOF while parsing"),
        ] {
            let refusal = parse(text).expect_err("refused");
            assert!(refusal.contains(why), "{refusal}");
        }
    }
}
