//! Exhibit: chroot(2) alone is no wall. Root climbs out of it with a second chroot and `..` (chroot(2), "NOTES").
//!
//! `chroot_escape chroot DIR` goes into DIR by chroot, then escapes; `chroot_escape plan DIR` tries the same from a root that
//! the chapter's plan made. What the process sees as its root in the end is printed: `outside` or `inside`.
#![forbid(unsafe_code)]

use chroot::{RootSpec, apply, plan};
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, way, directory] = arguments.as_slice() else {
        return Err("usage: chroot_escape chroot|plan DIR".into());
    };
    chroot::borrow_namespaces()?;
    std::fs::write(Path::new(directory).join("inside"), "")?;
    match way.as_str() {
        "chroot" => {
            std::os::unix::fs::chroot(directory)?;
            std::env::set_current_dir("/")?;
        }
        "plan" => apply(&plan(&RootSpec::folder(directory.into())))?,
        other => return Err(format!("{other}: chroot or plan").into()),
    }
    escape()?;
    println!("{}", if Path::new("/inside").exists() { "inside" } else { "outside" });
    Ok(())
}

/// The working directory is left outside of a second, deeper root; from there `..` leads past the first one.
fn escape() -> std::io::Result<()> {
    std::fs::create_dir_all("/deeper")?;
    std::os::unix::fs::chroot("/deeper")?;
    for _ in 0..64 {
        std::env::set_current_dir("..")?;
    }
    std::os::unix::fs::chroot(".")
}
