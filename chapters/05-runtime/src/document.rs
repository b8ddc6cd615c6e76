//! `config.json`, read and written: in one place, since the compiler makes anew what reads a type wherever it is asked to, and
//! this type is large.

use crate::{Error, Result, place};
use oci_spec::runtime::Spec;

/// Reads a config.json.
///
/// # Errors
/// [`Invalid`](crate::ErrorKind::Invalid): what is wrong, and where: its JSON path, and its line.
pub fn spec_from_json(json: &[u8]) -> Result<Spec> {
    serde_json::from_slice(json).map_err(|error| {
        let path = place::path_at(json, error.line(), error.column());
        Error::invalid(if path.is_empty() { error.to_string() } else { format!("{path}: {error}") })
    })
}

/// Writes one, on a single line.
///
/// # Errors
/// A path in it that is not UTF-8.
pub fn spec_to_json(spec: &Spec) -> Result<Vec<u8>> {
    serde_json::to_vec(spec).map_err(Error::system)
}
