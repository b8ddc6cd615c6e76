//! The words for mounts, and what they do in the container's own table of mounts.

use super::site::Site;
use serde_json::{Value, json};
use std::process::{Command, Stdio};

/// The container's table of mounts when these mounts are added; each line without the fields that are numbers.
fn table(name: &str, mounts: Value) -> Option<Vec<String>> {
    let mut site = Site::new(name, "cat /proc/self/mountinfo")?;
    let all = site.spec["mounts"].as_array_mut().unwrap();
    all.extend(mounts.as_array().unwrap().iter().cloned());
    site.write();
    let said = site.ok(&["run", "ID"]);
    Some(said.lines().map(|line| line.splitn(5, ' ').last().unwrap().to_string()).collect())
}

/// A mount's own options, and those of its file system.
fn options<'a>(table: &'a [String], place: &str) -> (&'a str, &'a str) {
    let line = table.iter().rfind(|line| line.starts_with(&format!("{place} "))).expect(place);
    (line.split(' ').nth(1).unwrap(), line.rsplit(' ').next().unwrap())
}

fn tmpfs(place: &str, words: &[&str]) -> Value {
    json!({"destination": place, "type": "tmpfs", "source": "tmpfs", "options": words})
}

#[test]
fn words_for_attributes_and_for_file_systems() {
    let mounts = json!([
        tmpfs("/m1", &["sync", "dirsync", "lazytime", "mand", "silent", "iversion", "nosuid", "nodev"]),
        tmpfs("/m2", &["sync", "async", "lazytime", "nolazytime", "mand", "nomand", "noiversion", "loud", "defaults"]),
        tmpfs("/m3", &["noatime", "nodiratime", "nosymfollow", "noexec", "ro", "mode=700"]),
        tmpfs("/m4", &["noatime", "atime", "nodiratime", "diratime", "noexec", "exec", "nosuid", "suid", "nodev", "dev"]),
        tmpfs("/m5", &["strictatime"]),
        tmpfs("/m6", &["strictatime", "nostrictatime", "nosymfollow", "symfollow"]),
        // The one that is there gets other attributes, and its own stay what they are.
        tmpfs("/m7", &["nosuid"]),
        {"destination": "/m7", "type": "tmpfs", "source": "x", "options": ["remount", "bind", "ro", "noexec"]},
    ]);
    let Some(table) = table("words", mounts) else { return };
    let (own, system) = options(&table, "/m1");
    assert_eq!(own, "rw,nosuid,nodev,relatime");
    for word in ["sync", "dirsync", "lazytime", "mand"] {
        assert!(system.split(',').any(|one| one == word), "{word}: {system}");
    }
    let (own, system) = options(&table, "/m2");
    assert_eq!((own, system.split(',').next()), ("rw,relatime", Some("rw")));
    assert!(!system.contains("sync") && !system.contains("mand") && !system.contains("lazytime"), "{system}");
    let (own, system) = options(&table, "/m3");
    assert_eq!(own, "ro,noexec,noatime,nodiratime,nosymfollow");
    assert!(system.starts_with("ro") && system.contains("mode=700"), "{system}");
    assert_eq!(options(&table, "/m4").0, "rw,relatime");
    assert_eq!(options(&table, "/m5").0, "rw");
    assert_eq!(options(&table, "/m6").0, "rw,relatime");
    assert_eq!(options(&table, "/m7").0, "ro,nosuid,noexec,relatime");
}

/// Each word with an r holds for the mounts below as well; the topmost may be otherwise than those.
#[test]
fn words_for_everything_below() {
    let Some(mut site) = Site::new("recursive", "cat /proc/self/mountinfo") else { return };
    let source = site.folder.join("source");
    let bind = |place: &str, words: &[&str]| {
        let words = [&["rbind"][..], words].concat();
        json!({"destination": place, "source": source, "options": words})
    };
    let mounts = [
        bind("/b1", &["rro", "rnosuid", "rnodev", "rnoexec", "rnoatime", "rnodiratime", "rnosymfollow"]),
        bind(
            "/b2",
            &[
                "rro",
                "rrw",
                "rnosuid",
                "rsuid",
                "rnodev",
                "rdev",
                "rnoexec",
                "rexec",
                "rnosymfollow",
                "rsymfollow",
            ],
        ),
        bind("/b3", &["rnoatime", "ratime", "rnodiratime", "rdiratime"]),
        bind("/b4", &["rstrictatime"]),
        bind("/b5", &["rstrictatime", "rnostrictatime", "rnorelatime"]),
        // A bind is as writable as its source: rw does not make it more so.
        bind("/b6", &["rro", "rw"]),
        bind("/b7", &["ro", "rrelatime"]),
    ];
    site.spec["mounts"].as_array_mut().unwrap().extend(mounts);
    site.write();
    let script = "mkdir -p source; mount -t tmpfs tmpfs source; mkdir source/below; mount -t tmpfs tmpfs source/below; exec $RUNTIME run $ID";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script]).current_dir(&site.folder).stdin(Stdio::null());
    command.env("ID", &site.id);
    command.env("RUNTIME", format!("{} --root {}/state", site.executable.display(), site.folder.display()));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout);
    let table: Vec<String> =
        said.lines().map(|line| line.splitn(5, ' ').last().unwrap().to_string()).collect();
    let expected = [
        (
            "/b1",
            "ro,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow",
            "ro,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow",
        ),
        ("/b2", "rw,relatime", "rw,relatime"),
        ("/b3", "rw,relatime", "rw,relatime"),
        ("/b4", "rw", "rw"),
        ("/b5", "rw,relatime", "rw,relatime"),
        ("/b6", "ro,relatime", "ro,relatime"),
        ("/b7", "ro,relatime", "rw,relatime"),
    ];
    for (place, own, below) in expected {
        assert_eq!(options(&table, place).0, own, "{place}");
        assert_eq!(options(&table, &format!("{place}/below")).0, below, "{place}/below");
    }
}

/// "Path values for bind mounts are either absolute or relative to the bundle" (config.md, "Mounts").
#[test]
fn a_relative_source_is_the_bundles_wherever_the_runtime_is_called() {
    let Some(mut site) = Site::new("relative", "cat seen/word") else { return };
    std::fs::create_dir(site.folder.join("source")).unwrap();
    std::fs::write(site.folder.join("source/word"), "found\n").unwrap();
    let mounts = site.spec["mounts"].as_array_mut().unwrap();
    // A relative destination is one below the root.
    mounts.push(json!({"destination": "seen", "source": "source", "options": ["bind", "ro"]}));
    site.write();
    let mut command = site.command(&["run", "--bundle"]);
    let output = command.arg(&site.folder).arg(&site.id).current_dir("/").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "found\n", "{output:?}");
}

/// The namespace stays whose it is, with what is mounted in it; nothing of it is seen by the host.
#[test]
fn a_mount_namespace_that_is_there_is_joined() {
    let Some(mut site) = Site::new("joined-mounts", "ls -l /proc/self/ns/mnt; echo > /made; sleep 100")
    else {
        return;
    };
    let namespaces = site.spec["linux"]["namespaces"].as_array_mut().unwrap();
    let place = namespaces.iter().position(|one| one["type"] == "mount").unwrap();
    let mut refused = |path: &str| {
        site.spec["linux"]["namespaces"][place]["path"] = path.into();
        site.write();
        let said = site.refused(&["run", "ID"]);
        site.nothing_is_left();
        said
    };
    let named = format!("linux.namespaces[{place}].path ");
    let said = refused("/proc/self/ns/net");
    assert!(said.contains(&named) && said.ends_with("must be the file of a mount namespace"), "{said}");
    let said = refused("/proc/self/ns/mnt");
    assert!(said.contains(&named) && said.contains("is the host's"), "{said}");
    assert!(refused("/nosuch").contains("open(\"/nosuch\", O_RDONLY|O_CLOEXEC) = -1 ENOENT"));
    // The holder of a namespace, who says when it is made.
    let script = "mount -t tmpfs mark /mnt; echo; exec sleep 100";
    let mut holder = Command::new("unshare");
    holder.args(["--mount", "sh", "-c", script]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut holder = holder.spawn().unwrap();
    let mut byte = [0];
    std::io::Read::read_exact(holder.stdout.as_mut().unwrap(), &mut byte).unwrap();
    let file = format!("/proc/{}/ns/mnt", holder.id());
    site.spec["linux"]["namespaces"][place]["path"] = file.as_str().into();
    site.write();
    site.ok(&["run", "-d", "ID"]);
    let pid: Value = serde_json::from_str(&site.ok(&["state", "ID"])).unwrap();
    let of = |path: String| std::fs::read_link(path).unwrap();
    assert_eq!(of(format!("/proc/{}/ns/mnt", pid["pid"])), of(file));
    super::site::eventually("it runs in its root", || site.folder.join("rootfs/made").exists());
    let added = site.ok(&["exec", "ID", "sh", "-c", "echo /*"]);
    assert!(added.contains("/made") && !added.contains("/usr"), "{added}");
    site.ok(&["delete", "-f", "ID"]);
    let _ = holder.kill();
    let _ = holder.wait();
    site.nothing_is_left();
}

/// As `ip netns` keeps one, and the plugins of Kubernetes: bound to a file, which then has the name of its place.
#[test]
fn a_network_namespace_that_is_bound_to_a_file_is_joined() {
    let Some(mut site) = Site::new("bound-network", "ls -l /proc/self/ns/net") else { return };
    let bound = site.folder.join("bound");
    let namespaces = site.spec["linux"]["namespaces"].as_array_mut().unwrap();
    let network = namespaces.iter_mut().find(|one| one["type"] == "network").unwrap();
    network["path"] = bound.display().to_string().into();
    site.write();
    // The mount is the shell's alone, and ends with it.
    let script = "touch bound; unshare --net=bound true; stat -L -c %i bound; exec \"$@\"";
    let run = site.command(&["run", &site.id]);
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-e", "-c", script, "sh"]).arg(run.get_program()).args(run.get_args());
    let output = command.current_dir(&site.folder).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let (number, shown) = said.split_once('\n').unwrap();
    assert!(shown.contains(&format!("net:[{number}]")), "{said}{}", String::from_utf8_lossy(&output.stderr));
    site.nothing_is_left();
}
