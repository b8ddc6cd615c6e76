//! How many threads this process has: one, wherever a process is made.

use std::os::unix::fs::MetadataExt;

/// The number of threads of this process; each is a folder of /proc/self/task (proc(5)).
///
/// Where /proc cannot be read the answer is 2: "not known to be alone".
pub fn thread_count() -> u64 {
    std::fs::metadata("/proc/self/task").map_or(2, |metadata| metadata.nlink().saturating_sub(2).max(1))
}
