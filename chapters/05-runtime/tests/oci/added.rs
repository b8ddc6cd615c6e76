//! `exec`, flag by flag.

use super::site::{Site, receive_descriptor};
use serde_json::json;
use std::os::unix::net::UnixListener;

#[test]
fn what_an_added_process_is_given() {
    let Some(mut site) = Site::new("added", "sleep 100") else { return };
    site.spec["process"]["noNewPrivileges"] = false.into();
    site.spec["process"]["capabilities"]["bounding"] = json!(["CAP_KILL"]);
    site.write();
    site.ok(&["run", "-d", "ID"]);
    let status = |flags: &[&str], field: &str| {
        let words = [&["exec"], flags, &["ID", "cat", "/proc/self/status"]].concat();
        let said = site.ok(&words);
        let line = said.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        line.trim().to_string()
    };
    let environment =
        site.ok(&["exec", "-e", "TERM=dumb", "--env", "TERM=vt100", "ID", "cat", "/proc/self/environ"]);
    let terms: Vec<&str> = environment.split('\0').filter(|entry| entry.starts_with("TERM=")).collect();
    assert_eq!(terms, ["TERM=vt100"], "the last one, in the place of the container's own");
    assert_eq!(status(&[], "NoNewPrivs:"), "0");
    assert_eq!(status(&["--no-new-privs"], "NoNewPrivs:"), "1");
    assert_eq!(status(&["-u", "7:8", "-g", "9", "--additional-gids", "10"], "Groups:"), "9 10");
    let bounding = |flags: &[&str]| u64::from_str_radix(&status(flags, "CapBnd:"), 16).unwrap();
    // CAP_KILL is 5, CAP_NET_BIND_SERVICE 10.
    assert_eq!((bounding(&[]), bounding(&["--cap", "CAP_NET_BIND_SERVICE"])), (1 << 5, 1 << 5 | 1 << 10));
    let refused = site.refused(&["exec", "--cap", "CAP_NOSUCH", "ID", "true"]);
    assert!(refused.contains("NOSUCH"), "{refused}");
    site.ok(&["delete", "-f", "ID"]);
}

#[test]
fn an_added_process_that_is_not_waited_for() {
    let Some(site) = Site::new("detached", "sleep 100") else { return };
    site.ok(&["run", "-d", "ID"]);
    site.ok(&["exec", "-d", "--pid-file", "pid", "ID", "sleep", "50"]);
    let pid = std::fs::read_to_string(site.folder.join("pid")).unwrap();
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap();
    assert_eq!(line, b"sleep\x0050\0");
    let listed = site.ok(&["ps", "-f", "json", "ID"]);
    assert!(listed.contains(&pid), "{pid}: {listed}");
    site.ok(&["delete", "-f", "ID"]);
    assert!(!std::path::Path::new(&format!("/proc/{pid}/root")).exists(), "it ended with the container");
}

#[test]
fn an_added_process_has_a_terminal_and_descriptors_of_its_own() {
    let Some(site) = Site::new("terminal", "sleep 100") else { return };
    site.ok(&["run", "-d", "ID"]);
    let listener = UnixListener::bind(site.folder.join("console")).unwrap();
    site.ok(&["exec", "--tty", "-d", "--console-socket", "console", "ID", "sh", "-c", "tty; read end"]);
    let (socket, _) = listener.accept().unwrap();
    let master = receive_descriptor(&socket);
    let mut said = String::new();
    while !said.ends_with('\n') {
        let mut buffer = [0; 100];
        let length = rustix::io::read(&master, &mut buffer).unwrap();
        said += &String::from_utf8_lossy(&buffer[..length]);
    }
    assert_eq!(said, "/dev/pts/0\r\n");
    let refused = site.refused(&["exec", "--console-socket", "console", "ID", "true"]);
    assert!(refused.ends_with("cannot use a console socket if the container has no terminal"), "{refused}");
    std::fs::write(site.folder.join("three"), "three\n").unwrap();
    let program = site.executable.display();
    let script =
        format!("exec {program} --root state exec --preserve-fds 1 {} cat /proc/self/fd/3 3< three", site.id);
    let output =
        std::process::Command::new("sh").args(["-c", &script]).current_dir(&site.folder).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "three\n", "{output:?}");
    // What is not open at the beginning is a file of ours later: the container's lock.
    let script = format!("exec {program} --root state exec --preserve-fds 1 {} true 3<&-", site.id);
    let output =
        std::process::Command::new("sh").args(["-c", &script]).current_dir(&site.folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.ends_with("--preserve-fds: descriptor 3 is not open\n"), "{said}");
    site.ok(&["delete", "-f", "ID"]);
}

#[test]
fn an_added_process_goes_into_a_group_below_the_containers() {
    let Some(site) = Site::new("group", "sleep 100") else { return };
    site.ok(&["run", "-d", "ID"]);
    let own = format!("coracle-oci-{}", site.id);
    let layout = cgroups::Layout::detect().expect("the hierarchies are told");
    let mounts: Vec<_> = layout.v1.iter().map(|one| &one.mount).chain(&layout.unified).collect();
    for mount in &mounts {
        let below = mount.join(&own).join("below");
        std::fs::create_dir(&below).unwrap();
        // A new group of v1's cpuset has no processors.
        for file in ["cpuset.cpus", "cpuset.mems"] {
            if let Ok(value) = std::fs::read(mount.join(&own).join(file))
                && below.join("cgroup.clone_children").exists()
            {
                std::fs::write(below.join(file), value).unwrap();
            }
        }
    }
    site.ok(&["exec", "-d", "--cgroup", "/below", "--pid-file", "pid", "ID", "sleep", "50"]);
    let pid = std::fs::read_to_string(site.folder.join("pid")).unwrap();
    let groups = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let those: Vec<&str> = groups.lines().filter(|line| line.ends_with("/below")).collect();
    assert_eq!(those.len(), mounts.len(), "{groups}");
    assert!(site.ok(&["ps", "-f", "json", "ID"]).contains(&pid), "those below are the container's");
    // In one hierarchy of v1 alone: in the others it is where the container is.
    if let Some(one) = layout.hierarchy("memory") {
        site.ok(&["exec", "-d", "--cgroup", "memory,pids:below", "--pid-file", "two", "ID", "sleep", "50"]);
        let pid = std::fs::read_to_string(site.folder.join("two")).unwrap();
        let groups = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
        let below: Vec<&str> = groups.lines().filter(|line| line.ends_with("/below")).collect();
        let expected = if one.has("pids") { 1 } else { 2 };
        assert_eq!(below.len(), expected, "{groups}");
        let at_home = groups.lines().filter(|line| line.ends_with(&own)).count();
        assert_eq!(at_home, mounts.len() - expected, "{groups}");
    }
    for (wrong, why) in [
        (&["../other"][..], "must be the path of a group below the container's own"),
        (&["memory:a:b"], "must be the path of a group below the container's own"),
        (&[":below"], "must have each controller once before the colon"),
        (&["memory,memory:below"], "must have each controller once before the colon"),
        (&["memory:below", "below"], "must have controllers before it"),
        (&["nosuch:below"], "the controller nosuch has no hierarchy of cgroup v1 here"),
        (&["other"], "there is no such group in"),
    ] {
        let flags = wrong.iter().flat_map(|text| ["--cgroup", text]);
        let words: Vec<&str> = ["exec"].into_iter().chain(flags).chain(["ID", "true"]).collect();
        let said = site.refused(&words);
        assert!(said.contains(why), "{wrong:?}: {said}");
    }
    site.ok(&["delete", "-f", "ID"]);
}

#[test]
fn a_container_without_a_cgroup_says_what_it_cannot() {
    let Some(mut site) = Site::new("rootless", "sleep 100") else { return };
    site.spec["linux"].as_object_mut().unwrap().remove("resources");
    site.write();
    site.ok(&["--rootless", "true", "run", "-d", "ID"]);
    for verb in ["pause", "ps", "events"] {
        let refused = site.refused(&[verb, "ID"]);
        assert!(refused.starts_with(&format!("coracle-oci: error: {verb} needs a cgroup")), "{refused}");
    }
    assert!(site.refused(&["update", "--pids-limit", "5", "ID"]).contains("linux.cgroupsPath"));
    site.ok(&["delete", "-f", "ID"]);
}
