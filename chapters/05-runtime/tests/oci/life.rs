//! A container's life, from `create` to `delete`, and what may come between.

use super::site::{Site, eventually, receive_descriptor};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

#[test]
fn the_life_of_a_container() {
    let Some(site) = Site::new("life", "echo started > /started; sleep 100") else {
        return;
    };
    site.ok(&["create", "--pid-file", "pid", "ID"]);
    assert_eq!(site.status(), "created");
    assert!(!site.folder.join("rootfs/started").exists(), "it waits");
    let pid: i32 = std::fs::read_to_string(site.folder.join("pid")).unwrap().parse().unwrap();
    assert!(Path::new(&format!("/proc/{pid}")).exists());
    assert_eq!(site.refused(&["create", "ID"]), "coracle-oci: error: container with given ID already exists");
    site.ok(&["start", "ID"]);
    eventually("it has started", || site.folder.join("rootfs/started").exists());
    assert_eq!(site.status(), "running");
    assert_eq!(
        site.refused(&["start", "ID"]),
        "coracle-oci: error: cannot start an already running container"
    );
    assert_eq!(site.ok(&["list", "-q"]).trim(), site.id);
    let refusal =
        format!("coracle-oci: error: cannot delete container {} that is not stopped: running", site.id);
    assert_eq!(site.refused(&["delete", "ID"]), refusal);
    site.ok(&["kill", "ID", "SIGKILL"]);
    eventually("it has stopped", || site.status() == "stopped");
    assert_eq!(site.refused(&["kill", "ID"]), "coracle-oci: error: container not running");
    assert_eq!(
        site.refused(&["start", "ID"]),
        "coracle-oci: error: cannot start a container that has stopped"
    );
    site.ok(&["delete", "ID"]);
    assert_eq!(site.refused(&["state", "ID"]), "coracle-oci: error: container does not exist");
    assert_eq!(site.refused(&["delete", "ID"]), "coracle-oci: error: container does not exist");
    site.ok(&["delete", "--force", "ID"]);
}

#[test]
fn run_returns_output_and_exit_code() {
    let Some(site) = Site::new("run", "echo out; echo err >&2; exit 7") else {
        return;
    };
    assert_eq!(site.run(&["run", "ID"]), (7, "out\n".into(), "err".into()));
    site.nothing_is_left();
}

#[test]
fn a_container_that_cannot_be_made_leaves_nothing() {
    let Some(mut site) = Site::new("fails", "") else {
        return;
    };
    let mut fails = |args: Value, expected: &str| {
        site.spec["process"]["args"] = args;
        site.write();
        for verb in ["create", "run"] {
            let expected =
                format!("coracle-oci: error: {verb} failed: unable to start container process: {expected}");
            assert_eq!(site.refused(&[verb, "ID"]), expected);
            site.nothing_is_left();
        }
    };
    fails(json!(["nosuch"]), r#"exec: "nosuch": executable file not found in $PATH"#);
    fails(json!(["/nosuch"]), r#"exec: "/nosuch": stat /nosuch: no such file or directory"#);
    fails(json!(["/etc"]), r#"exec: "/etc": permission denied"#);
    site.spec["vm"] = json!({"kernel": {"path": "/vmlinuz"}});
    site.write();
    assert!(site.refused(&["run", "ID"]).ends_with("vm is not supported"));
    assert!(
        site.refused(&["run", "--no-pivot", "ID"])
            .starts_with("coracle-oci: error: --no-pivot is not supported: ")
    );
    assert_eq!(site.refused(&["run", "../x"]), "coracle-oci: error: invalid container ID format");
    site.nothing_is_left();
}

#[test]
fn a_working_directory_is_made_and_never_outside() {
    let Some(mut site) = Site::new("cwd", "pwd") else {
        return;
    };
    site.spec["process"]["cwd"] = "/new/folder".into();
    site.write();
    assert_eq!(site.ok(&["run", "ID"]), "/new/folder\n");
    // CVE-2024-21626: a descriptor of the host's that was left open.
    for number in 3..12 {
        site.spec["process"]["cwd"] = format!("/proc/self/fd/{number}").into();
        site.write();
        let (code, stdout, stderr) = site.run(&["run", "ID"]);
        assert!(code != 0 && stdout.is_empty(), "{number}: {stdout} {stderr}");
    }
}

#[test]
fn one_more_process() {
    let Some(site) = Site::new("exec", "sleep 100") else {
        return;
    };
    site.ok(&["run", "-d", "ID"]);
    let (code, stdout, _) =
        site.run(&["exec", "-e", "X=y", "--cwd", "/tmp", "ID", "sh", "-c", "echo $X; pwd; exit 4"]);
    assert_eq!((code, stdout.as_str()), (4, "y\n/tmp\n"));
    assert_eq!(site.ok(&["exec", "-u", "7:8", "ID", "id"]), "uid=7 gid=8\n");
    let refusal = "coracle-oci: error: exec failed: unable to start container process: ";
    let nosuch = site.run(&["exec", "ID", "nosuch"]);
    assert_eq!(
        (nosuch.0, nosuch.2),
        (255, format!("{refusal}exec: \"nosuch\": executable file not found in $PATH"))
    );
    let missing = site.refused(&["exec", "--cwd", "/nosuch", "ID", "true"]);
    assert!(
        missing.ends_with(r#"chdir to cwd ("/nosuch") set in config.json failed: no such file or directory"#),
        "{missing}"
    );
    site.ok(&["delete", "-f", "ID"]);
    assert_eq!(site.refused(&["exec", "ID", "true"]), "coracle-oci: error: container does not exist");
}

#[test]
fn a_terminal_goes_to_the_console_socket() {
    use std::os::unix::net::UnixListener;
    let Some(mut site) = Site::new("console", "tty; stty size") else {
        return;
    };
    site.spec["process"]["terminal"] = true.into();
    site.spec["process"]["consoleSize"] = json!({"height": 17, "width": 91});
    site.write();
    let refusal = "cannot allocate tty if the container is detached without setting a console socket";
    assert!(site.refused(&["create", "ID"]).ends_with(refusal));
    let listener = UnixListener::bind(site.folder.join("console")).unwrap();
    site.ok(&["create", "--console-socket", "console", "ID"]);
    let (socket, _) = listener.accept().unwrap();
    let master = receive_descriptor(&socket);
    site.ok(&["start", "ID"]);
    let mut seen = String::new();
    eventually("it has written", || {
        let mut buffer = [0; 100];
        if let Ok(length) = rustix::io::read(&master, &mut buffer) {
            seen += &String::from_utf8_lossy(&buffer[..length]);
        }
        seen.ends_with("17 91\r\n")
    });
    assert_eq!(seen, "/dev/pts/0\r\n17 91\r\n");
    site.ok(&["delete", "-f", "ID"]);
}

/// As a `create` leaves it that is killed when the process waits, before others may start it.
#[test]
fn a_container_that_was_not_finished_is_not_started() {
    let Some(site) = Site::new("unfinished", "sleep 100") else {
        return;
    };
    site.ok(&["create", "ID"]);
    let folder = site.folder.join("state").join(&site.id);
    std::fs::rename(folder.join("start"), folder.join("start.new")).unwrap();
    assert_eq!(site.status(), "creating");
    let refusal = "coracle-oci: error: cannot start a container in the creating state";
    assert_eq!(site.refused(&["start", "ID"]), refusal);
    site.ok(&["delete", "--force", "ID"]);
    site.nothing_is_left();
}

/// One that dies is not one that runs, however busy the machine is.
#[test]
fn what_was_killed_can_be_deleted_at_once() {
    let Some(site) = Site::new("killed-a-moment-ago", "sleep 100") else { return };
    let mut busy: Vec<_> = (0..4)
        .map(|_| {
            std::process::Command::new("sh")
                .args(["-c", "i=0; while [ $i -lt 5000000 ]; do i=$((i+1)); done"])
                .spawn()
                .unwrap()
        })
        .collect();
    let rounds = (0..40).find_map(|_| {
        site.ok(&["run", "-d", "ID"]);
        site.ok(&["kill", "ID", "KILL"]);
        let (code, _, stderr) = site.run(&["delete", "ID"]);
        (code != 0).then_some(stderr)
    });
    for child in &mut busy {
        child.kill().and_then(|()| child.wait()).unwrap();
    }
    assert_eq!(rounds, None);
    site.nothing_is_left();
}

/// Whoever is killed while making a container leaves nothing that `delete --force` does not find.
#[test]
fn a_kill_at_any_moment() {
    let Some(site) = Site::new("killed", "sleep 100") else {
        return;
    };
    // From the beginning until after its end, however slow this machine is.
    let begun = Instant::now();
    site.ok(&["create", "ID"]);
    let takes = begun.elapsed();
    site.ok(&["delete", "--force", "ID"]);
    for delay in (0..60).map(|step| takes * step / 45) {
        let mut child =
            site.command(&["create", &site.id]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(delay); // poll: the moment is the test's subject
        let _ = child.kill();
        let _ = child.wait();
        site.ok(&["delete", "--force", "ID"]);
        assert_eq!(site.processes_end(), Ok(()), "{delay:?}");
        assert_eq!(site.what_is_left(), None, "{delay:?}");
    }
}

/// CVE-2019-5736: a process of the container runs what it was made by, another opens that, and writes it when nobody runs it any
/// more. (While somebody does, ETXTBSY would hide what the test is about.)
#[test]
fn our_executable_cannot_be_written() {
    let Some(site) = Site::new("exe", "mkfifo /gate; echo > /ready; while true; do sleep 1; done") else {
        return;
    };
    site.ok(&["run", "-d", "ID"]);
    let inside = site.folder.join("rootfs");
    eventually("it is ready", || inside.join("ready").exists());
    // Runs our executable inside, as far as writing its error into the pipe.
    site.ok(&["exec", "-d", "ID", "/proc/self/exe", "--log", "/gate", "state", "nosuch"]);
    let attack = "for p in /proc/[0-9]*; do read n < $p/comm; [ $n = exe ] && exec 3< $p/exe; done
        cat /gate > /dev/null; while [ -e $p/nosuch ]; do :; done; sleep 0.2
        (echo harm > /proc/self/fd/3) 2> /result.new; echo done >> /result.new; mv /result.new /result";
    site.ok(&["exec", "-d", "ID", "sh", "-c", attack]);
    eventually("it has tried", || inside.join("result").exists());
    let result = std::fs::read_to_string(inside.join("result")).unwrap();
    assert!(result.contains("Read-only file system"), "{result}");
    assert_eq!(
        std::fs::read(&site.executable).unwrap(),
        std::fs::read(env!("CARGO_BIN_EXE_coracle-oci")).unwrap()
    );
}

/// What another command was at work on is removed while we wait, and one of the same name is there when it has ended.
#[test]
fn a_lock_is_held_on_what_has_the_name_now() {
    use nix::fcntl::{Flock, FlockArg};
    use std::os::unix::fs::MetadataExt;
    let Some(site) = Site::new("locked", "sleep 100") else { return };
    site.ok(&["run", "-d", "ID"]);
    let folder = site.folder.join("state").join(&site.id);
    let lock = || {
        let file = std::fs::File::open(&folder).unwrap();
        let inode = file.metadata().unwrap().ino();
        (Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| errno).unwrap(), inode)
    };
    let (first, inode) = lock();
    let mut kill = site.command(&["kill", &site.id, "KILL"]).spawn().unwrap();
    let waits_for = |inode: u64| {
        let (pid, inode) = (format!(" {} ", kill.id()), format!(":{inode} "));
        let locks = std::fs::read_to_string("/proc/locks").unwrap();
        locks.lines().any(|line| line.contains("-> FLOCK") && line.contains(&pid) && line.contains(&inode))
    };
    eventually("it waits for the first", || waits_for(inode));
    let away = site.folder.join("away");
    std::fs::rename(&folder, &away).unwrap();
    assert!(std::process::Command::new("cp").arg("-a").args([&away, &folder]).status().unwrap().success());
    let (second, inode) = lock();
    drop(first);
    eventually("it waits for the second", || waits_for(inode));
    assert_eq!(site.status(), "running");
    drop(second);
    assert!(kill.wait().unwrap().success());
    eventually("it has ended", || site.status() == "stopped");
    site.ok(&["delete", "ID"]);
}
