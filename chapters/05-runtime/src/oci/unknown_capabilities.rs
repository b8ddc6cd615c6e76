//! Long tail: capabilities that nobody here knows, of a newer kernel or misspelt, or that nobody here has: a warning, and the container
//! goes without (config.md, "Linux Process": "MUST be logged as a warning").

use crate::{Error, Result, spec_from_json};
use oci_spec::runtime::Spec;
use privileges::CapSet;
use serde_json::Value;

/// A name, and where it is.
type Unknown = (String, String);

/// A config.json that was `refused`: what is left of it when unknown capabilities are taken out, if there are some.
pub fn read_without(json: &[u8], refused: Error) -> Result<(Spec, Vec<u8>)> {
    let Some((json, unknown)) = without_unknown(json) else { return Err(refused) };
    let spec = spec_from_json(&json)?;
    // runc's words, and where.
    let (mut names, places): (Vec<_>, Vec<_>) = unknown.into_iter().unzip();
    names.sort();
    names.dedup();
    let (names, places) = (names.join(" "), places.join(", "));
    eprintln!("coracle-oci: warning: ignoring unknown or unavailable capabilities: [{names}] ({places})");
    Ok((spec, json))
}

/// Those that the caller does not have.
pub fn warn_of(missing: CapSet) {
    let names: Vec<&str> = missing.names().collect();
    eprintln!(
        "coracle-oci: warning: ignoring unknown or unavailable capabilities: [{}] (whoever calls has not got them)",
        names.join(" ")
    );
}

/// The text without them, and what they were; None if there are none.
fn without_unknown(json: &[u8]) -> Option<(Vec<u8>, Vec<Unknown>)> {
    let mut document: Value = serde_json::from_slice(json).ok()?;
    let sets = document.pointer_mut("/process/capabilities")?.as_object_mut()?;
    let known: Vec<&str> = privileges::all_capabilities().collect();
    let mut unknown = Vec::new();
    for (set, names) in sets {
        for (index, name) in names.as_array().into_iter().flatten().enumerate() {
            if !is_known(&known, name) {
                let name = name.as_str().unwrap_or_default().to_string();
                unknown.push((name, format!("process.capabilities.{set}[{index}]")));
            }
        }
        names.as_array_mut()?.retain(|name| is_known(&known, name));
    }
    let json = serde_json::to_vec(&document).ok()?;
    (!unknown.is_empty()).then_some((json, unknown))
}

/// What is no text at all is another sort of mistake.
fn is_known(known: &[&str], name: &Value) -> bool {
    name.as_str().is_none_or(|name| known.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_taken_out_and_named() {
        let json =
            r#"{"process": {"capabilities": {"bounding": ["CAP_KILL", "CAP_TEST"], "ambient": ["CAP_X"]}}}"#;
        let (json, unknown) = without_unknown(json.as_bytes()).unwrap();
        let expected = r#"{"process":{"capabilities":{"bounding":["CAP_KILL"],"ambient":[]}}}"#;
        assert_eq!(String::from_utf8(json).unwrap(), expected);
        let places =
            [("CAP_TEST", "process.capabilities.bounding[1]"), ("CAP_X", "process.capabilities.ambient[0]")];
        assert_eq!(unknown, places.map(|(name, place)| (name.into(), place.into())));
        assert!(without_unknown(br#"{"process": {"capabilities": {"bounding": ["CAP_KILL"]}}}"#).is_none());
    }
}
