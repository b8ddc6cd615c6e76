//! Our executable, safe from the container's processes (CVE-2019-5736).

use crate::Result;
use std::path::PathBuf;

/// Stub
pub fn own_executable() -> Result<PathBuf> {
    Ok("/proc/self/exe".into())
}
