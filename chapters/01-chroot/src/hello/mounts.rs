//! Stage: the root and the mounts of `hello`, by /proc/self/mountinfo (proc_pid_mountinfo(5)).

use super::facts::{plural, read};

/// The fields of a line of mountinfo that matter here.
struct Line<'a> {
    place: &'a str,
    options: &'a str,
    fstype: &'a str,
    data: &'a str,
}

fn parse(text: &str) -> Vec<Line<'_>> {
    text.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Line<'_>> {
    let (left, right) = line.split_once(" - ")?;
    let (mut left, mut right) = (left.split(' ').skip(4), right.split(' '));
    Some(Line { place: left.next()?, options: left.next()?, fstype: right.next()?, data: right.nth(1)? })
}

/// What the root holds, and how it can be used.
pub fn root() -> String {
    let entries = std::fs::read_dir("/").into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    format!("{}: {}", access(&read("/proc/self/mountinfo")), names.join(" "))
}

fn access(mountinfo: &str) -> &'static str {
    let root = parse(mountinfo).into_iter().rfind(|line| line.place == "/");
    match root {
        Some(line) if line.options.split(',').any(|option| option == "ro") => "read-only",
        Some(_) => "writable",
        None => "not known",
    }
}

/// Where something is mounted; masks are counted.
pub fn mounts() -> String {
    listed(&read("/proc/self/mountinfo"))
}

fn listed(mountinfo: &str) -> String {
    let lines = parse(mountinfo);
    let protects =
        |line: &&Line<'_>| line.place.starts_with("/proc/") || line.place.starts_with("/sys/firmware");
    let (masks, others): (Vec<_>, Vec<_>) = lines.iter().partition(protects);
    let shown = |line: &&&Line<'_>| !line.place.starts_with("/sys/fs/cgroup/");
    let places: Vec<&str> = others.iter().filter(shown).map(|line| line.place).collect();
    let mut text = format!("{}: {}", lines.len(), places.join(" "));
    if !masks.is_empty() {
        let them = plural(masks.len(), "mask or protection", "masks and protections");
        text.push_str(&format!(", and {them} of kernel files"));
    }
    text
}

/// What the root is made of.
pub fn layers() -> String {
    made_of(&read("/proc/self/mountinfo"))
}

fn made_of(mountinfo: &str) -> String {
    match parse(mountinfo).into_iter().rfind(|line| line.place == "/") {
        Some(Line { fstype: "overlay", data, .. }) => {
            let one_each = data.split(',').filter(|option| option.starts_with("lowerdir+=")).count();
            let at_once = data.split(',').find_map(|option| option.strip_prefix("lowerdir="));
            let count = one_each + at_once.map_or(0, |list| list.split(':').count());
            format!("the root is an overlay of {} under a writable one", plural(count, "layer", "layers"))
        }
        Some(line) => format!("none: the root is a folder on {}", line.fstype),
        None => "not known".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTAINER: &str = "\
30 29 0:40 / / ro,relatime - overlay overlay rw,lowerdir+=/l2,lowerdir+=/l1,upperdir=/u,workdir=/w
31 30 0:41 / /proc rw,nosuid - proc proc rw
32 30 0:42 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k
33 31 0:42 /null /proc/kcore rw,nosuid - tmpfs tmpfs rw,size=65536k
";

    #[test]
    fn a_container_as_its_mountinfo_shows_it() {
        assert_eq!(access(CONTAINER), "read-only");
        assert_eq!(listed(CONTAINER), "4: / /proc /dev, and 1 mask or protection of kernel files");
        assert_eq!(made_of(CONTAINER), "the root is an overlay of 2 layers under a writable one");
    }
}
