//! Long tail: what `hello` prints, from inside a container: what makes it one, a fact a line, each with the chapter that built it.
//!
//! Everything is read from /proc/self and /sys/fs/cgroup, with nothing else in the root than this executable.

mod cgroup;
mod facts;

use std::ffi::OsStr;
use std::path::Path;

/// The variable in which a client tells its own namespaces, to be shown beside the container's: `mnt:[4026531841] pid:[…]`.
pub const CALLER: &str = "CORACLE_CALLER";

/// Whether this process was started as `/hello`.
pub fn is_face(program: &OsStr) -> bool {
    Path::new(program).file_name().is_some_and(|name| name == "hello")
}

/// The namespaces of this process, as [`CALLER`] tells them.
pub fn own_namespaces() -> String {
    facts::NAMESPACES
        .iter()
        .filter_map(|kind| facts::namespace(kind))
        .collect::<Vec<_>>()
        .join(" ")
}

/// The report.
pub fn report() -> String {
    let mut text = String::from("Hello from a container. What makes it one:\n\n");
    for (chapter, name, fact) in facts::all() {
        text.push_str(&format!("  {name:<12} {fact}  ({chapter})\n"));
    }
    text.push_str(
        "\nEach chapter is a folder of `chapters/`: read it, run it, and build the next one on top.\n",
    );
    text
}
