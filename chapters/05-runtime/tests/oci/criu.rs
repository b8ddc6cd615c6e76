//! `checkpoint` and `restore` through the CRIU that is installed. Where it does not work with the kernel, it is refused; where it does
//! (in the virtual machine of `cargo xtask vm test`), containers go on from where they were.

mod flags;
mod refused;

use super::site::{Site, eventually, receive_descriptor, skip};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Why this machine's CRIU cannot do anything.
fn obstacle() -> Option<String> {
    let output = match Command::new("criu").arg("check").output() {
        Ok(output) => output,
        Err(error) => return Some(format!("criu: {error}")),
    };
    let says = String::from_utf8_lossy(&output.stderr).into_owned();
    (!output.status.success()).then(|| format!("criu check: {}", says.lines().next().unwrap_or_default()))
}

/// A container that can be checkpointed; None where none can.
fn site(name: &str, script: &str) -> Option<Site> {
    match obstacle() {
        Some(why) => {
            skip(&format!("oci::criu::{name}"), &why);
            None
        }
        None => Site::new(name, script),
    }
}

/// It adds lines, and nobody cuts the file: a checkpoint may come while it is open, and then CRIU wants it as it was.
const COUNTER: &str = "i=0; while true; do i=$((i+1)); echo $i >> /count; sleep 0.1; done";

fn numbers(file: &Path) -> Vec<u64> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().map(|line| line.parse().unwrap()).collect()
}

/// What it has counted to.
fn count(site: &Site) -> u64 {
    numbers(&site.folder.join("rootfs/count")).last().copied().unwrap_or_default()
}

/// It goes on from where it was, instead of from the beginning.
fn counts_on(site: &Site, from: u64) {
    eventually("it counts on", || count(site) > from);
    let numbers = numbers(&site.folder.join("rootfs/count"));
    assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "{numbers:?}");
}

#[test]
fn a_container_goes_on_from_where_it_was() {
    let Some(mut site) = site("counter", COUNTER) else { return };
    site.spec["linux"]["resources"]["memory"]["limit"] = json!(48 << 20);
    site.write();
    site.ok(&["run", "-d", "ID"]);
    eventually("it counts", || count(&site) > 2);
    site.ok(&["checkpoint", "--image-path", "images", "ID"]);
    assert_eq!(site.status(), "stopped");
    let before = count(&site);
    site.ok(&["delete", "ID"]);
    site.nothing_is_left();
    site.ok(&["restore", "-d", "--image-path", "images", "--pid-file", "pid", "ID"]);
    assert_eq!(site.status(), "running");
    counts_on(&site, before);
    let state: Value = serde_json::from_str(&site.ok(&["state", "ID"])).unwrap();
    let pid = std::fs::read_to_string(site.folder.join("pid")).unwrap();
    assert_eq!(state["pid"].to_string(), pid);
    assert_eq!(limit(&site), (48 << 20).to_string());
    // In its namespaces: its own group is the root of the hierarchy, and its loopback device is up and running.
    let inside = "cat /proc/self/cgroup /sys/class/net/lo/flags";
    assert_eq!(site.ok(&["exec", "ID", "sh", "-c", inside]), "0::/\n0x9\n");
    site.ok(&["kill", "ID", "KILL"]);
    eventually("it ends", || site.status() == "stopped");
    site.ok(&["delete", "ID"]);
}

fn limit(site: &Site) -> String {
    let path = format!("/sys/fs/cgroup/coracle-oci-{}/memory.max", site.id);
    std::fs::read_to_string(path).unwrap().trim().into()
}

/// A bind whose place is behind a link of the image, memory that was written before, and an id that is restored as it is after a
/// checkpoint, as runc's callers do it.
#[test]
fn a_container_runs_on_and_is_restored_later() {
    let script = "i=0; while true; do i=$((i+1)); echo $i >> /link/count; sleep 0.1; done";
    let Some(mut site) = site("leave-running", script) else { return };
    let root = site.folder.join("rootfs");
    std::fs::create_dir(root.join("real")).unwrap();
    std::os::unix::fs::symlink("real", root.join("link")).unwrap();
    // Where the test looks for it.
    std::fs::create_dir(site.folder.join("shared")).unwrap();
    let shared = site.folder.join("shared/count");
    let count = || numbers(&shared).last().copied().unwrap_or_default();
    let bind = json!({"destination": "/link", "source": site.folder.join("shared"), "options": ["bind"]});
    site.spec["mounts"].as_array_mut().unwrap().push(bind);
    site.write();
    site.ok(&["run", "-d", "ID"]);
    eventually("it counts", || count() > 2);
    site.ok(&["checkpoint", "--pre-dump", "--image-path", "before", "--work-path", "work", "ID"]);
    assert_eq!(site.status(), "running");
    assert!(site.folder.join("work/dump.log").exists() && !site.folder.join("before/dump.log").exists());
    let refused = site.refused(&["checkpoint", "--parent-path", "../nosuch", "--image-path", "images", "ID"]);
    assert!(
        refused.contains("--parent-path \"../nosuch\": there is no folder images/../nosuch"),
        "{refused}"
    );
    let after = ["--parent-path", "../before", "--image-path", "images", "--leave-running", "ID"];
    site.ok(&[&["checkpoint"][..], &after].concat());
    assert!(site.folder.join("images/parent").exists(), "it begins with what was written before");
    assert_eq!(site.status(), "running");
    let at_checkpoint: u64 = count();
    eventually("it runs on", || count() > at_checkpoint);
    let refused = site.refused(&["restore", "-d", "--image-path", "images", "ID"]);
    assert!(refused.contains("container with given ID already exists"), "{refused}");
    site.ok(&["checkpoint", "--image-path", "images-2", "ID"]);
    let at_checkpoint: u64 = count();
    site.ok(&["restore", "-d", "--image-path", "images-2", "ID"]);
    eventually("it counts on", || count() > at_checkpoint);
    site.ok(&["delete", "--force", "ID"]);
}

/// A pipe in, a pipe out, and a file of the host for errors; none of them is there any more when it is restored.
#[test]
fn streams_are_those_of_the_restore() {
    let script = "n=0; while read line; do n=$((n+1)); echo $n $line; echo $n >&2; done; exit 7";
    let Some(site) = site("streams", script) else { return };
    let start = |verb: &[&str], errors: &str| {
        // As a log is opened: of others CRIU expects that they are as long as they were.
        let errors =
            std::fs::File::options().append(true).create(true).open(site.folder.join(errors)).unwrap();
        let mut command = site.command(&[verb, &[&site.id]].concat());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors).spawn().unwrap()
    };
    let mut run = start(&["run"], "errors-1");
    assert_eq!(said(&mut run, "one"), "1 one\n");
    site.ok(&["checkpoint", "--image-path", "images", "ID"]);
    assert_eq!(run.wait().unwrap().code(), Some(128 + 9), "it was waited for");
    site.nothing_is_left();
    let mut restore = start(&["restore", "--image-path", "images"], "errors-2");
    let errors = |name: &str| std::fs::read_to_string(site.folder.join(name)).unwrap();
    assert_eq!(said(&mut restore, "two"), "2 two\n", "{}", errors("errors-2"));
    drop(restore.stdin.take());
    let code = restore.wait().unwrap().code();
    assert_eq!((code, errors("errors-1"), errors("errors-2")), (Some(7), "1\n".into(), "2\n".into()));
    site.nothing_is_left();
}

/// What it says to a line.
fn said(child: &mut Child, line: &str) -> String {
    writeln!(child.stdin.as_mut().unwrap(), "{line}").unwrap();
    let mut said = String::new();
    // Byte by byte: what comes after the line is for the next question.
    let mut out = BufReader::with_capacity(1, child.stdout.as_mut().unwrap());
    out.read_line(&mut said).unwrap();
    said
}

#[test]
fn a_terminal_comes_through_the_console_socket() {
    let Some(mut site) = site("console", "n=0; while read line; do n=$((n+1)); echo $n $line; done") else {
        return;
    };
    site.spec["process"]["terminal"] = true.into();
    site.write();
    let socket = site.folder.join("console");
    let listener = UnixListener::bind(&socket).unwrap();
    let terminal = |verb: &[&str], line: &str, answer: &str| {
        site.ok(&[verb, &["-d", "--console-socket", "console", "ID"]].concat());
        let (connection, _) = listener.accept().unwrap();
        let mut master = std::fs::File::from(receive_descriptor(&connection));
        writeln!(master, "{line}").unwrap();
        let mut out = BufReader::with_capacity(1, &master);
        let mut lines = (&mut out).lines().map_while(Result::ok);
        assert!(lines.any(|line| line == answer), "{answer}");
        master
    };
    let first = terminal(&["run"], "one", "1 one");
    let refused = site.refused(&["restore", "--image-path", "nosuch", "ID"]);
    assert!(refused.contains("no checkpoint is there, since inventory.img is missing"), "{refused}");
    site.ok(&["checkpoint", "--image-path", "images", "ID"]);
    drop(first);
    let _second = terminal(&["restore", "--image-path", "images"], "two", "2 two");
    site.ok(&["delete", "--force", "ID"]);
}

/// What CRIU refuses leaves the container as it was; and of a restore that fails, by a hook or by CRIU, nothing is left.
#[test]
fn a_failure_leaves_things_as_they_were() {
    let Some(mut site) = site("failure", COUNTER) else { return };
    let [told, fail] = ["told", "fail"].map(|name| site.folder.join(name));
    let hook = |point: &str| {
        let words = format!("echo {point} >> {}; test ! -e {}", told.display(), fail.display());
        json!([{"path": "/bin/sh", "args": ["sh", "-c", words]}])
    };
    let points = ["createRuntime", "poststart", "poststop"].map(|point| (point.to_string(), hook(point)));
    site.spec["hooks"] = points.into_iter().collect();
    site.write();
    site.ok(&["run", "-d", "ID"]);
    eventually("it counts", || count(&site) > 2);
    // Nobody listens there.
    let nowhere = ["--page-server", "127.0.0.1:1", "--image-path", "images", "ID"];
    let refused = site.refused(&[&["checkpoint"][..], &nowhere].concat());
    assert!(refused.contains("checkpoint: CRIU failed: "), "{refused}");
    assert!(refused.contains("(its log is images/dump.log)"), "{refused}");
    let log = std::fs::read_to_string(site.folder.join("images/dump.log")).unwrap();
    assert!(log.contains("Can't connect to server 127.0.0.1:1"), "{log}");
    assert_eq!(site.status(), "running");
    counts_on(&site, count(&site));
    site.ok(&["checkpoint", "--image-path", "images", "ID"]);
    let before = count(&site);
    site.ok(&["delete", "ID"]);
    let restore = ["restore", "-d", "--image-path", "images", "ID"];
    std::fs::write(&fail, "").unwrap();
    let refused = site.refused(&restore);
    assert!(refused.contains("restore failed: ") && refused.contains("createRuntime hook #0"), "{refused}");
    site.nothing_is_left();
    site.processes_end().unwrap();
    std::fs::remove_file(&fail).unwrap();
    let refused = site.refused(&[&["restore", "--lsm-profile", "selinux:x"], &restore[1..]].concat());
    assert!(refused.contains("CRIU failed: ") && refused.to_lowercase().contains("selinux"), "{refused}");
    site.nothing_is_left();
    std::fs::write(&told, "").unwrap();
    site.ok(&restore);
    counts_on(&site, before);
    assert_eq!(std::fs::read_to_string(&told).unwrap(), "createRuntime\npoststart\n");
    site.ok(&["delete", "--force", "ID"]);
    assert_eq!(std::fs::read_to_string(&told).unwrap(), "createRuntime\npoststart\npoststop\n");
}

/// A kill at a moment when CRIU has begun: what it was making ends with it, and the rest is known.
#[test]
fn a_restore_that_is_killed_leaves_what_a_delete_finds() {
    let Some(mut site) = site("killed", COUNTER) else { return };
    site.ok(&["run", "-d", "ID"]);
    site.ok(&["checkpoint", "--image-path", "images", "ID"]);
    site.ok(&["delete", "ID"]);
    let reached = site.folder.join("reached");
    let words = format!("echo $$ > {}; exec /usr/bin/busybox sleep 1000", reached.display());
    site.spec["hooks"] = json!({"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", words]}]});
    site.write();
    let mut restore = Ended(site.command(&["restore", "--image-path", "images", &site.id]).spawn().unwrap());
    let hook = || std::fs::read_to_string(&reached).ok().and_then(|text| text.trim().parse::<i32>().ok());
    eventually("its hook runs", || hook().is_some());
    assert_eq!(site.status(), "creating");
    restore.0.kill().unwrap();
    restore.0.wait().unwrap();
    site.ok(&["delete", "--force", "ID"]);
    site.nothing_is_left();
    site.processes_end().unwrap();
    let hook = rustix::process::Pid::from_raw(hook().unwrap()).unwrap();
    rustix::process::kill_process(hook, rustix::process::Signal::KILL).unwrap();
}

/// CRIU knows that the group is there, and leaves it the limits that it has.
#[test]
fn groups_may_be_left_to_criu() {
    let Some(mut site) = site("soft", COUNTER) else { return };
    site.spec["linux"]["resources"]["memory"]["limit"] = json!(48 << 20);
    site.write();
    site.ok(&["run", "-d", "ID"]);
    let mode = ["--manage-cgroups-mode", "soft", "--image-path", "images", "ID"];
    site.ok(&[&["checkpoint"][..], &mode].concat());
    site.ok(&["delete", "ID"]);
    site.ok(&[&["restore", "-d"][..], &mode].concat());
    assert_eq!(limit(&site), (48 << 20).to_string());
    assert_eq!(site.ok(&["exec", "ID", "cat", "/proc/self/cgroup"]), "0::/\n");
    site.ok(&["delete", "--force", "ID"]);
}

/// A namespace of others is not written, and is the same afterwards.
#[test]
fn a_network_of_others_is_joined_again() {
    let Some(mut site) = site("joined", COUNTER) else { return };
    let other = Command::new("unshare").args(["-n", "sleep", "1000"]).spawn().unwrap();
    let mut other = Ended(other);
    let path = format!("/proc/{}/ns/net", other.0.id());
    let own = std::fs::read_link("/proc/self/ns/net").unwrap();
    eventually("it has a network", || std::fs::read_link(&path).unwrap() != own);
    for namespace in site.spec["linux"]["namespaces"].as_array_mut().unwrap() {
        if namespace["type"] == "network" {
            namespace["path"] = path.clone().into();
        }
    }
    site.write();
    site.ok(&["run", "-d", "ID"]);
    site.ok(&["checkpoint", "--image-path", "images", "ID"]);
    site.ok(&["restore", "-d", "--image-path", "images", "ID"]);
    let state: Value = serde_json::from_str(&site.ok(&["state", "ID"])).unwrap();
    let of_container = std::fs::read_link(format!("/proc/{}/ns/net", state["pid"])).unwrap();
    assert_eq!(of_container, std::fs::read_link(&path).unwrap());
    site.ok(&["delete", "--force", "ID"]);
    let _ = other.0.kill();
}

/// A process of the test's own that ends with it.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Memory goes to a page-server, and comes from where it was left.
#[test]
fn memory_takes_other_ways() {
    let Some(site) = site("lazy", COUNTER) else { return };
    std::fs::create_dir(site.folder.join("images")).unwrap();
    let serve = |words: &[&str]| {
        let mut criu = Command::new("criu");
        criu.args(words).current_dir(&site.folder).stdout(Stdio::null()).stderr(Stdio::null());
        Ended(criu.spawn().unwrap())
    };
    site.ok(&["run", "-d", "ID"]);
    eventually("it counts", || count(&site) > 2);
    let mut server =
        serve(&["page-server", "--images-dir", "images", "--address", "127.0.0.1", "--port", "27278"]);
    eventually("it listens", || listens(27278));
    site.ok(&["checkpoint", "--page-server", "127.0.0.1:27278", "--image-path", "images", "ID"]);
    assert!(server.0.wait().unwrap().success(), "it has what it was sent");
    let before = count(&site);
    site.ok(&["restore", "-d", "--image-path", "images", "ID"]);
    counts_on(&site, before);
    let (mut ready, status) = std::io::pipe().unwrap();
    let words =
        ["--lazy-pages", "--page-server", "127.0.0.1:27279", "--status-fd", "0", "--image-path", "lazy"];
    let mut checkpoint = site.command(&[&["checkpoint"], &words[..], &[&site.id]].concat());
    // Descriptor 0, since the others of the test are not inherited.
    let mut checkpoint = checkpoint.stdin(status).spawn().unwrap();
    let mut byte = [1];
    std::io::Read::read_exact(&mut ready, &mut byte).unwrap();
    assert_eq!(byte, [0]);
    let before = count(&site);
    let mut daemon =
        serve(&["lazy-pages", "--page-server", "--address", "127.0.0.1", "--port", "27279", "-D", "lazy"]);
    eventually("it waits for a restore", || site.folder.join("lazy/lazy-pages.socket").exists());
    // The first one is there until its last page was fetched.
    let other = format!("{}-other", site.id);
    site.ok(&["restore", "-d", "--lazy-pages", "--image-path", "lazy", &other]);
    counts_on(&site, before);
    assert!(checkpoint.wait().unwrap().success());
    assert!(daemon.0.wait().unwrap().success());
    site.ok(&["delete", "--force", &other]);
    site.ok(&["delete", "ID"]);
}

fn listens(port: u16) -> bool {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    table.lines().any(|line| line.contains(&format!(":{port:04X} 00000000:0000 0A")))
}
