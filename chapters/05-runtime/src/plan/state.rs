//! What is told of a container to programs that are not ours: to hooks, and to whoever is asked by a filter.

use oci_spec::runtime::Spec;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A container's state, as the specification has it (runtime.md, "State").
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// The version of the specification.
    pub oci_version: String,
    /// The container.
    pub id: String,
    /// `creating`, `created`, `running`, `stopped`
    pub status: &'static str,
    /// Its first process, as the host numbers it; 0: there is none.
    pub pid: i32,
    /// Where its config.json is.
    pub bundle: PathBuf,
    /// The annotations of that.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl State {
    /// Of a container that has no process yet.
    pub fn new(spec: &Spec, id: &str, bundle: PathBuf) -> State {
        State {
            oci_version: spec.version().clone(),
            id: id.into(),
            status: "creating",
            pid: 0,
            bundle,
            annotations: spec.annotations().clone().unwrap_or_default().into_iter().collect(),
        }
    }
}
