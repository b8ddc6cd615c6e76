//! Where the binary begins: before the C library, if it has to execute itself again.

use super::site::{Site, is_installed, skip};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// Its first system calls, by their names.
fn first_calls(site: &Site, user: u32, words: &[&str]) -> Vec<String> {
    let mut strace = Command::new("strace");
    let ours = site.command(words);
    strace.arg(ours.get_program()).args(ours.get_args());
    strace.current_dir(&site.folder).uid(user).stdin(Stdio::null());
    let text = String::from_utf8(strace.output().unwrap().stderr).unwrap();
    let calls = text.lines().filter_map(|line| {
        let (name, rest) = line.split_once('(')?;
        let (_, result) = rest.rsplit_once(" = ")?;
        Some(format!("{name} {}", result.split(' ').take(2).collect::<Vec<_>>().join(" ")))
    });
    calls.take_while(|call| !call.starts_with("brk")).collect()
}

#[test]
fn what_makes_a_process_is_executed_again_before_the_c_library_begins() {
    let name = "what_makes_a_process_is_executed_again_before_the_c_library_begins";
    if !is_installed("strace") {
        return skip(name, "needs strace");
    }
    let Some(site) = Site::new("entry", "true") else { return };
    let again =
        ["execve 0", "faccessat 0", "open_tree 3", "mount_setattr 0", "execveat 0", "faccessat -1 EROFS"];
    for verb in ["create", "run", "exec"] {
        assert_eq!(first_calls(&site, 0, &[verb, "--nosuch"]), again, "{verb}");
    }
    assert_eq!(first_calls(&site, 0, &["state", "runs"]), ["execve 0"], "it makes nothing");
    // Who may not write the file goes another way, and the C library's is open to them.
    assert_eq!(first_calls(&site, 65534, &["run", "--nosuch"]), ["execve 0", "faccessat -1 EACCES"]);
}
