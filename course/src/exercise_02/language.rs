//! What the harness of exercise 02 says.

use crate::checks::Language;

/// A caller of `spawn`, and its child.
pub const LANGUAGE: Language = Language {
    caller: &[
        ("before", "`before_release` is called in the parent"),
        ("spawned", "`spawn` returns without an error in the parent"),
        ("refused", "`spawn` returns an error in the parent"),
        ("executed", "`executed` returns without a failure in the parent"),
        ("failed", "`executed` returns the child's failure in the parent"),
        ("ended", "the child ends, and its parent can wait for it"),
    ],
    child: &[("inside", "the closure is called in the child"), ("running", "the child becomes its program")],
    diagnosis,
};

/// An error that names the file which the kernel did not take says more than the check does.
fn diagnosis(message: &str) -> Option<&'static str> {
    let is_refused = message.starts_with("refused") || message.starts_with("failed");
    let is_of_another_file = message.contains("/proc/self/") || message.contains("ENOENT");
    match () {
        () if message.contains("UserNamespacesForbidden") => Some("not-our-fault"),
        () if is_refused && message.contains("newuidmap") => Some("who-writes-the-maps"),
        () if is_refused && message.contains("_map") && is_of_another_file => Some("who-writes-the-maps"),
        () if is_refused && message.contains("gid_map") && message.contains("EPERM") => {
            Some("setgroups-first")
        }
        // The files of a process that has ended are root's: the child did not wait, failed, and is gone.
        () if is_refused && message.contains("_map") && message.contains("EACCES") => Some("release-last"),
        () if is_refused && message.contains("_map") => Some("inside-first"),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::diagnosis;

    #[test]
    fn the_errno_tells_what_a_map_was_refused_for() {
        let refused =
            |file: &str, errno: &str| diagnosis(&format!("refused System: write(\"{file}\") = -1 {errno}"));
        assert_eq!(refused("/proc/9/gid_map", "EPERM"), Some("setgroups-first"));
        assert_eq!(refused("/proc/9/uid_map", "EACCES"), Some("release-last"));
        assert_eq!(refused("/proc/9/uid_map", "EINVAL"), Some("inside-first"));
        assert_eq!(refused("/proc/self/uid_map", "EPERM"), Some("who-writes-the-maps"));
        assert_eq!(refused("/proc/9/ns/uid_map", "ENOENT"), Some("who-writes-the-maps"));
        let helper = "refused System: id maps of more than one's own id are written by newuidmap";
        assert_eq!(diagnosis(helper), Some("who-writes-the-maps"));
        assert_eq!(diagnosis("spawned 9 4, and no uid_map was refused by EACCES"), None);
    }
}
