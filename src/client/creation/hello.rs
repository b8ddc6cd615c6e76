//! The `hello` image, which compares where it runs with where it was called from.

use super::Flags;
use images::Reference;

/// Whether a reference names the built-in image.
pub fn is_hello(reference: &Reference) -> bool {
    reference.familiar() == "hello:latest"
}

/// Tells it our namespaces, and gives it no network unless one was asked for: it needs none, and starts faster.
pub fn prepare(flags: &mut Flags) {
    flags.process.env.insert(0, format!("CORACLE_CALLER={}", namespaces()));
    if flags.network.network.is_empty() {
        flags.network.network.push("none".to_string());
    }
}

/// `cgroup:4026531835 ipc:4026531839 …`, in alphabetical order.
fn namespaces() -> String {
    let entries = std::fs::read_dir("/proc/self/ns").into_iter().flatten().flatten();
    let mut found: Vec<String> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            // `pid_for_children` and its like are not namespaces that we are in.
            let target = std::fs::read_link(entry.path()).ok().filter(|_| !name.contains('_'))?;
            let inode = target.to_str()?.split_once('[')?.1.trim_end_matches(']').to_string();
            Some(format!("{name}:{inode}"))
        })
        .collect();
    found.sort();
    found.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_namespaces_are_named_by_inode() {
        let text = namespaces();
        assert!(text.split(' ').any(|word| word.starts_with("mnt:4")), "{text}");
        assert!(!text.contains("children"), "{text}");
    }
}
