//! The flags that are handed to CRIU. Most allow what it refuses for safety: each container has one thing of that kind, without the flag
//! its checkpoint fails in CRIU's own words and it runs on, and with it, it goes on with the thing.

use super::{Site, count, counts_on, eventually, site, skip};
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};
use serde_json::json;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Stdio;

/// A container that runs, and has counted to something.
fn counting(site: &Site) {
    site.ok(&["run", "-d", "ID"]);
    eventually("it counts", || count(site) > 2);
}

/// What CRIU says to a checkpoint; the container counts on.
fn refused(site: &Site, flags: &[&str]) -> String {
    let words = [&["checkpoint"], flags, &["--image-path", "refused", "ID"]].concat();
    let error = site.refused(&words);
    assert!(error.contains("checkpoint: CRIU failed: "), "{error}");
    counts_on(site, count(site));
    std::fs::read_to_string(site.folder.join("refused/dump.log")).unwrap()
}

/// With the flags of the two it goes on from where it was.
fn goes_on(site: &Site, checkpoint: &[&str], restore: &[&str]) {
    site.ok(&[&["checkpoint"], checkpoint, &["--image-path", "images", "ID"]].concat());
    let before = count(site);
    site.ok(&[&["restore", "-d"], restore, &["--image-path", "images", "ID"]].concat());
    counts_on(site, before);
}

/// The host's flock(1), which busybox may lack, with its libraries as Debian has them; whether they are there.
fn add_flock(site: &Site) -> bool {
    let library = "/lib/x86_64-linux-gnu/libc.so.6";
    let files = ["/usr/bin/flock", "/lib64/ld-linux-x86-64.so.2", library].map(Path::new);
    if let Some(missing) = files.iter().find(|path| !path.exists()) {
        skip("oci::criu::a_lock_on_a_file", &format!("there is no {}", missing.display()));
        return false;
    }
    for path in files {
        let copy = site.folder.join("rootfs").join(path.strip_prefix("/").unwrap());
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        std::fs::copy(path, copy).unwrap();
    }
    true
}

const COUNT: &str = "while true; do i=$((i+1)); echo $i >> /count; sleep 0.1; done";

#[test]
fn a_lock_on_a_file() {
    let Some(site) = site("lock", &format!("exec 9>/lock; /usr/bin/flock 9; {COUNT}")) else { return };
    if !add_flock(&site) {
        return;
    }
    counting(&site);
    let log = refused(&site, &[]);
    assert!(log.contains("--file-locks"), "{log}");
    goes_on(&site, &["--file-locks"], &["--file-locks"]);
    let (code, ..) = site.run(&["exec", "ID", "/usr/bin/flock", "--nonblock", "/lock", "true"]);
    assert_eq!(code, 1, "somebody else has the lock");
    site.ok(&["delete", "--force", "ID"]);
}

/// A file that lost its name while it was open, but has another.
#[test]
fn a_file_without_its_name() {
    let script = "exec 9>>/name; echo one >&9; busybox ln /name /other; busybox rm /name; ";
    let Some(site) = site("unlinked", &format!("{script}{COUNT}")) else { return };
    counting(&site);
    let log = refused(&site, &[]);
    assert!(log.contains("link-remap"), "{log}");
    goes_on(&site, &["--link-remap"], &[]);
    site.ok(&["exec", "ID", "sh", "-c", "echo two >> /proc/1/fd/9"]);
    let other = std::fs::read_to_string(site.folder.join("rootfs/other")).unwrap();
    assert_eq!(other, "one\ntwo\n");
    assert!(!site.folder.join("rootfs/name").exists());
    site.ok(&["delete", "--force", "ID"]);
}

/// What one process says to another is heard by it, before and after.
#[test]
fn a_connection() {
    let server = "sleep 1000 | busybox nc -l -p 80 > /count &";
    let client = "until busybox nc 127.0.0.1 80; do sleep 0.1; done";
    let numbers = "while true; do i=$((i+1)); echo $i; sleep 0.1; done";
    let Some(site) = site("connection", &format!("{server} {numbers} | {{ {client}; }}")) else { return };
    counting(&site);
    let log = refused(&site, &[]);
    assert!(log.contains("--tcp-established"), "{log}");
    goes_on(&site, &["--tcp-established"], &["--tcp-established"]);
    site.ok(&["delete", "--force", "ID"]);
}

/// A connection that nobody has accepted is left out; the one who asked for it is told at his next word.
#[test]
fn a_connection_on_its_way() {
    // States of proc_net_tcp(5): 0A listens, 01 is connected, as the kernel does it for whoever listens.
    let table = "cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | busybox grep -q";
    let server =
        format!("busybox nc -l -p 80 & until {table} ':0050 .* 0A '; do sleep 0.05; done; kill -STOP $!;");
    let client =
        format!("sleep 1000 | busybox nc 127.0.0.1 80 & until {table} ':0050 01 '; do sleep 0.05; done;");
    let Some(site) = site("in-flight", &format!("{server} {client} {COUNT}")) else { return };
    counting(&site);
    let log = refused(&site, &["--tcp-established"]);
    assert!(log.contains("In-flight connection"), "{log}");
    goes_on(&site, &["--tcp-established", "--tcp-skip-in-flight"], &["--tcp-established"]);
    site.ok(&["delete", "--force", "ID"]);
}

/// Not even `--shell-job` lets CRIU find such a terminal again: the container runs on.
#[test]
fn a_terminal_of_somebody_outside() {
    let Some(site) = site("terminal", COUNT) else { return };
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = openpt(flags).unwrap();
    unlockpt(&master).unwrap();
    let mut run = site.command(&["run", "-d", &site.id]);
    run.stdin(ioctl_tiocgptpeer(&master, flags).unwrap()).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(run.status().unwrap().success());
    let error = site.refused(&["checkpoint", "--shell-job", "--image-path", "images", "ID"]);
    assert!(
        error.contains("a terminal of the host's: give the container one by process.terminal"),
        "{error}"
    );
    counts_on(&site, count(&site));
    site.ok(&["delete", "--force", "ID"]);
}

/// It is connected to a socket of somebody who is no process of the container's.
#[test]
fn a_socket_whose_other_end_is_outside() {
    let Some(mut site) = site("socket", COUNT) else { return };
    // Sockets are found by their network namespace.
    let namespaces = site.spec["linux"]["namespaces"].as_array_mut().unwrap();
    namespaces.retain(|namespace| namespace["type"] != "network");
    // It is connected anew by its name, which must be the same inside.
    let folder = site.folder.join("sockets");
    std::fs::create_dir(&folder).unwrap();
    let bind = json!({"destination": folder, "source": folder, "options": ["bind"]});
    site.spec["mounts"].as_array_mut().unwrap().push(bind);
    site.write();
    let outside = UnixDatagram::bind(folder.join("outside")).unwrap();
    let inside = UnixDatagram::unbound().unwrap();
    inside.connect(folder.join("outside")).unwrap();
    let mut run = site.command(&["run", "-d", &site.id]);
    run.stdin(OwnedFd::from(inside)).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(run.status().unwrap().success());
    eventually("it counts", || count(&site) > 2);
    let log = refused(&site, &[]);
    assert!(log.contains("--ext-unix-sk"), "{log}");
    site.ok(&["checkpoint", "--ext-unix-sk", "--image-path", "images", "ID"]);
    let before = count(&site);
    site.ok(&["restore", "-d", "--ext-unix-sk", "--image-path", "images", "ID"]);
    counts_on(&site, before);
    drop(outside);
    site.ok(&["delete", "--force", "ID"]);
}

/// Pages that are written anew take no room where they were before.
#[test]
fn pages_of_an_earlier_image() {
    use std::os::unix::fs::MetadataExt;
    let Some(site) = site("pages", COUNT) else { return };
    counting(&site);
    site.ok(&["checkpoint", "--pre-dump", "--image-path", "before", "ID"]);
    let room = || {
        let files = std::fs::read_dir(site.folder.join("before")).unwrap().flatten();
        let pages = files.filter(|file| file.file_name().to_string_lossy().starts_with("pages-"));
        pages.map(|file| file.metadata().unwrap().blocks()).sum::<u64>()
    };
    let at_first = room();
    goes_on(&site, &["--parent-path", "../before", "--auto-dedup"], &["--auto-dedup"]);
    assert!(room() < at_first, "{} of {at_first} blocks", room());
    site.ok(&["delete", "--force", "ID"]);
}
