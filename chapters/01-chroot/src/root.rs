//! What a container's root is made of.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A folder as it is, or an overlay that the child mounts in its own mount namespace, so that the host never sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Root {
    /// A root file system in a folder.
    Folder(PathBuf),
    /// Layers under a writable folder.
    Overlay {
        /// Read-only layers, the topmost first.
        lower: Vec<PathBuf>,
        /// Where changes go.
        upper: PathBuf,
        /// Overlayfs's own folder, on the same file system as `upper`.
        work: PathBuf,
    },
}
