//! The engine of an ordinary user to whom root has given ranges of ids: the files of an image keep their owners, and so do those
//! that a container makes; whatever the owner, all of it can be removed again.

use crate::harness::{Engine, Said, Who, is_root, wait_until};
use crate::needs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

fn with_busybox(test: impl FnOnce(&mut Engine)) {
    let mut engine = Engine::start_as(Who::CoracleRanges);
    engine.import_busybox();
    test(&mut engine);
    engine.finish();
}

/// `docker run --rm` of a shell's script.
#[track_caller]
fn shell(engine: &Engine, flags: &[&str], script: &str) -> Said {
    engine.docker(&[&["run", "--rm"], flags, &["busybox", "sh", "-c", script]].concat())
}

/// The host's number of a container's id, from 1 on.
fn outside(file: &str, id: u32) -> u32 {
    let text = std::fs::read_to_string(file).expect("ranges of ids");
    let line = text.lines().find_map(|line| line.strip_prefix("coracle-ranges:")).expect("the user's range");
    line.split(':').next().and_then(|first| first.parse::<u32>().ok()).expect("subuid(5)") + id - 1
}

/// User and group of a file on the host.
fn owner(path: &Path) -> (u32, u32) {
    let file = path.symlink_metadata().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    (file.uid(), file.gid())
}

/// 1000:50, as the host sees it.
fn guest_and_staff() -> (u32, u32) {
    (outside("/etc/subuid", 1000), outside("/etc/subgid", 50))
}

/// A file of a user and group, one of somebody whom nobody can be, a pipe, a link, and a folder that only its owner may enter.
fn write_owned(path: &Path) {
    let mut tar = tar::Builder::new(std::fs::File::create(path).expect("a tar file"));
    let mut add = |name: &str, kind: tar::EntryType, mode: u32, owner: (u64, u64)| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(owner.0);
        header.set_gid(owner.1);
        header.set_size(0);
        match kind {
            tar::EntryType::Symlink => tar.append_link(&mut header, name, "theirs"),
            _ => tar.append_data(&mut header, name, std::io::empty()),
        }
        .expect("an entry");
    };
    add("theirs", tar::EntryType::Regular, 0o4750, (1000, 50));
    add("link", tar::EntryType::Symlink, 0o777, (1000, 50));
    add("pipe", tar::EntryType::Fifo, 0o600, (1000, 50));
    add("closed/", tar::EntryType::Directory, 0o700, (1000, 50));
    add("closed/inside", tar::EntryType::Regular, 0o600, (1000, 50));
    add("nobodys", tar::EntryType::Regular, 0o644, (4_000_000_000, 4_000_000_000));
    tar.finish().expect("the tar file's end");
}

/// The first file of this name below a folder.
fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    entries.map(|entry| entry.path()).find_map(|path| {
        if path.ends_with(name) {
            return Some(path);
        }
        let is_folder = path.symlink_metadata().is_ok_and(|file| file.is_dir());
        is_folder.then(|| find(&path, name)).flatten()
    })
}

/// Owners and modes in a saved image's layers, by name.
fn saved(engine: &Engine, image: &str) -> Vec<(String, u64, u64, u32)> {
    let path = engine.folder().join("saved.tar");
    engine.docker(&["save", "--output", &path.display().to_string(), image]).expect(0);
    let mut found = Vec::new();
    let mut archive = tar::Archive::new(std::fs::File::open(path).expect("the saved image"));
    for entry in archive.entries().expect("a tar file") {
        let mut layer = tar::Archive::new(entry.expect("an entry"));
        for file in layer.entries().into_iter().flatten().map_while(Result::ok) {
            let (header, name) = (file.header(), file.path().expect("a path").display().to_string());
            let ids = (header.uid().expect("a user"), header.gid().expect("a group"));
            found.push((name, ids.0, ids.1, header.mode().expect("a mode")));
        }
    }
    found
}

#[test]
fn the_owners_of_an_images_files_are_kept() {
    needs!(root);
    needs!("docker");
    needs!("newuidmap");
    with_busybox(|engine| {
        let tar = engine.folder().join("owned.tar");
        write_owned(&tar);
        engine.docker(&["import", &tar.display().to_string(), "owned:v1"]).expect(0);
        let snapshots = engine.folder().join("data/snapshots");
        let file = |name: &str| find(&snapshots, name).unwrap_or_else(|| panic!("{name} is unpacked"));
        for name in ["theirs", "link", "pipe", "closed", "closed/inside"] {
            assert_eq!(owner(&file(name)), guest_and_staff(), "{name}");
        }
        let mode = |name: &str| file(name).metadata().expect("its mode").permissions().mode() & 0o7777;
        assert_eq!(mode("theirs"), 0o4750, "its owner keeps the set-user-id bit");
        // Whom no map mentions stays root, and is remembered.
        assert_eq!(owner(&file("nobodys")), owner(engine.folder()));
        let owners = saved(engine, "owned:v1");
        let entry = |name: &str| owners.iter().find(|entry| entry.0 == name).cloned();
        assert_eq!(entry("theirs"), Some(("theirs".into(), 1000, 50, 0o4750)));
        assert_eq!(entry("nobodys"), Some(("nobodys".into(), 4_000_000_000, 4_000_000_000, 0o644)));
        engine.docker(&["rmi", "owned:v1", "busybox:latest"]).expect(0);
        assert_eq!(std::fs::read_dir(&snapshots).expect("the folder").count(), 0, "a layer is left");
    });
}

#[test]
fn users_of_a_container_are_different_users() {
    needs!(root);
    needs!("docker");
    needs!("newuidmap");
    with_busybox(|engine| {
        assert_eq!(shell(engine, &["--user", "1000:50"], "id -u; id -g").expect(0).stdout, "1000\n50\n");
        let said = shell(engine, &["--user", "guest", "--group-add", "7"], "id -G").expect(0);
        assert_eq!(said.line(), "1000 7 50");
        // What package managers and su do: another user, other groups, and back.
        let script = "busybox su guest -c 'id -G; touch /tmp/theirs; cat /root/x'; \
                      busybox chown 33:33 /tmp/theirs && stat -c %u:%g /tmp/theirs; cat /proc/self/setgroups";
        let said = shell(engine, &[], script).expect(0);
        assert_eq!(said.stdout, "1000 50\n33:33\nallow\n");
        assert!(said.stderr.contains("Permission denied"), "root's folder is closed: {}", said.stderr);
        // Root of the container is the user, on the host as well.
        let shared = engine.folder().join("shared");
        crate::harness::run(engine.user_command("mkdir").arg(&shared)).expect(0);
        let bind = format!("{}:/shared", shared.display());
        let script = "touch /shared/roots /shared/guests; busybox chown 1000:50 /shared/guests";
        shell(engine, &["-v", &bind], script).expect(0);
        assert_eq!(owner(&shared.join("roots")), owner(engine.folder()));
        assert_eq!(owner(&shared.join("guests")), guest_and_staff());
        let said = shell(engine, &["-v", "/:/host"], "touch /host/etc/subuid-of-us").expect(1);
        assert!(said.stderr.contains("Permission denied"), "{}", said.stderr);
        let said = shell(engine, &["-u", "70000"], "true").expect(125);
        assert!(said.stderr.contains("70000"), "an id that is not mapped is named: {}", said.stderr);
    });
}

#[test]
fn what_others_made_is_removed() {
    needs!(root);
    needs!("docker");
    needs!("newuidmap");
    with_busybox(|engine| {
        let script = "mkdir -m 700 /home/guest/mine /data/mine; echo x > /home/guest/mine/x; echo x > /data/mine/x; \
                      chmod 0 /home/guest/mine /data/mine";
        let prepare = "chmod 777 /data /home/guest; exec busybox su guest -c \"$0\"";
        let words = ["run", "--name", "made", "-v", "/data", "busybox", "sh", "-c", prepare, script];
        engine.docker(&words).expect(0);
        let made = find(&engine.folder().join("data/containers"), "home/guest/mine").expect("it is there");
        assert_eq!(owner(&made).0, guest_and_staff().0);
        let volumes = engine.folder().join("data/volumes");
        assert_eq!(owner(&find(&volumes, "_data/mine").expect("in the volume")).0, guest_and_staff().0);
        engine.docker(&["rm", "--force", "--volumes", "made"]).expect(0);
        assert_eq!(std::fs::read_dir(&volumes).expect("the volumes").count(), 0);
    });
}

#[test]
fn a_new_daemon_has_power_over_the_containers_that_it_finds() {
    needs!(root);
    needs!("docker");
    needs!("newuidmap");
    with_busybox(|engine| {
        engine
            .docker(&["run", "-d", "--name", "outlives", "-u", "guest", "busybox", "sleep", "1000"])
            .expect(0);
        for _ in 0..2 {
            engine.kill_daemon();
            engine.start_daemon();
            let said = engine.docker(&["exec", "-u", "1000:50", "outlives", "id", "-u"]).expect(0);
            assert_eq!(said.line(), "1000");
            engine.docker(&["exec", "-u", "0", "outlives", "busybox", "chown", "33:33", "/tmp"]).expect(0);
        }
        assert_eq!(engine.stop_daemon(), 0, "{}", engine.log());
        engine.start_daemon();
        engine.docker(&["kill", "outlives"]).expect(0);
        assert_eq!(engine.docker(&["wait", "outlives"]).expect(0).line(), "137");
        engine.docker(&["start", "outlives"]).expect(0);
        engine.docker(&["rm", "--force", "outlives"]).expect(0);
        wait_until("nothing runs", || engine.docker(&["ps", "-q"]).stdout.is_empty());
    });
}

#[test]
fn the_engine_says_which_ids_there_are() {
    needs!(root);
    needs!("docker");
    needs!("newuidmap");
    with_busybox(|engine| {
        let said = engine.docker(&["info"]).expect(0);
        let user = Who::CoracleRanges.user().uid;
        let line =
            format!("User ids: 0 is {user} of this host, and 65536 more are the user's in /etc/subuid");
        assert!(said.stdout.contains(&line), "{}", said.stdout);
        assert!(said.stdout.contains("rootless") && !said.stderr.contains("one id"), "{said:?}");
        let hello = engine.coracle(&["run", "--rm", "hello"]).expect(0).stdout;
        let line = hello.lines().find(|line| line.contains(" users ")).expect("a line about users");
        assert!(line.ends_with("65537, as in the user namespace around it"), "{line}");
    });
}

/// A namespace around the daemon in which newuidmap can do nothing.
#[test]
fn helpers_that_fail_leave_one_id() {
    needs!(root);
    needs!("docker");
    needs!("newuidmap");
    assert!(is_root());
    let engine = Engine::start_after(Who::CoracleRanges, "true");
    engine.import_busybox();
    assert_eq!(shell(&engine, &[], "id -u").expect(0).line(), "0");
    let said = engine.docker(&["info"]).expect(0);
    assert!(
        said.stderr.contains("containers run with one id") && said.stderr.contains("newuidmap: "),
        "{}",
        said.stderr
    );
    assert!(engine.log().contains("containers have one id"), "{}", engine.log());
    engine.finish();
}
