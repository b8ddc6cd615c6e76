//! The cases.

use crate::site::*;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use supervisor::{AttachOptions, Event, FailureKind, Kind, Launch, LaunchError};

/// Each with its name.
pub const CASES: &[(&str, fn())] = &[
    ("output_is_logged_and_attached", output_is_logged_and_attached),
    ("exit_codes_and_signals", exit_codes_and_signals),
    ("a_command_that_is_not_there", a_command_that_is_not_there),
    ("a_wrong_architecture_is_output", a_wrong_architecture_is_output),
    ("stdin_is_closed_once", stdin_is_closed_once),
    ("an_end_of_input_detaches_when_stdin_stays_open", an_end_of_input_detaches_when_stdin_stays_open),
    ("a_terminal_with_size_and_detach_keys", a_terminal_with_size_and_detach_keys),
    ("a_client_that_vanishes_disturbs_nobody", a_client_that_vanishes_disturbs_nobody),
    ("a_slow_client_gets_everything", a_slow_client_gets_everything),
    ("a_daemon_that_dies_before_the_start", a_daemon_that_dies_before_the_start),
    ("a_daemon_that_dies_after_the_start", a_daemon_that_dies_after_the_start),
    ("a_supervisor_that_is_killed_leaves_a_container_to_destroy", a_killed_supervisor),
    ("an_added_process", an_added_process),
    ("memory_of_a_supervisor", memory_of_a_supervisor),
];

fn output_is_logged_and_attached() {
    let site = Site::new("echo out; echo err >&2; printf last");
    let (connection, _) = site.launch().unwrap();
    let mut client = attach(&connection, &everything(), b"");
    connection.start().unwrap();
    assert_eq!(unframed(&rest(&mut client)), ["", "out\nlast", "err\n"]);
    assert_eq!(exit_of(&connection).code, 0);
    assert!(site.logged().contains("out\n"), "{}", site.logged());
    assert!(site.logged().ends_with("last"));
    assert!(supervisor::read_exit(&site.run_dir).unwrap().is_some());
}

fn exit_codes_and_signals() {
    let site = Site::new("exit 7");
    assert_eq!(exit_of(&site.start().0).code, 7);
    let site = Site::new("sleep 100");
    let (connection, _) = site.start();
    connection.signal(9).unwrap();
    let exit = exit_of(&connection);
    assert_eq!((exit.code, exit.signal, exit.oom_killed), (137, Some(9), false));
}

fn a_command_that_is_not_there() {
    let mut site = Site::new("");
    site.spec["process"]["args"] = serde_json::json!(["nosuch"]);
    let Err(LaunchError::Failed(failure)) = site.launch() else { panic!("launched") };
    assert_eq!(failure.kind, FailureKind::CommandNotFound);
    assert_eq!(failure.message, "exec: \"nosuch\": executable file not found in $PATH");
    site.spec["process"]["args"] = serde_json::json!(["/etc"]);
    let Err(LaunchError::Failed(failure)) = site.launch() else { panic!("launched") };
    assert_eq!(failure.kind.exit_code(), 126);
}

fn a_wrong_architecture_is_output() {
    let mut site = Site::new("");
    let path = site.folder.join("root/bin/arm");
    std::fs::write(&path, b"\x7fELF\x02\x01\x01 not for this machine").unwrap();
    assert!(Command::new("chmod").arg("755").arg(&path).status().unwrap().success());
    site.spec["process"]["args"] = serde_json::json!(["arm"]);
    assert_eq!(exit_of(&site.start().0).code, 1);
    assert_eq!(site.logged(), "exec /bin/arm: exec format error\n");
}

fn stdin_is_closed_once() {
    let mut site = Site::new("cat; echo done");
    (site.launch.open_stdin, site.launch.stdin_once) = (true, true);
    let (connection, _) = site.start();
    let mut client = attach(&connection, &everything(), b"early ");
    client.write_all(b"late\n").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(unframed(&rest(&mut client))[1], "early late\ndone\n");
    assert_eq!(exit_of(&connection).code, 0);
}

fn an_end_of_input_detaches_when_stdin_stays_open() {
    let mut site = Site::new("read line; echo got $line; read line; echo got $line");
    site.launch.open_stdin = true;
    let (connection, _) = site.start();
    for word in ["one", "two"] {
        let mut client = attach(&connection, &everything(), b"");
        client.write_all(format!("{word}\n").as_bytes()).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        rest(&mut client);
    }
    exit_of(&connection);
    assert_eq!(site.logged(), "got one\ngot two\n");
}

fn a_terminal_with_size_and_detach_keys() {
    let mut site = Site::new("tty; stty size; ls -l /dev/console; read line; stty size; sleep 100");
    (site.launch.terminal, site.launch.open_stdin, site.launch.console_size) = (true, true, Some((91, 17)));
    site.spec["process"]["terminal"] = true.into();
    let (connection, _) = site.launch().unwrap();
    let options = AttachOptions { framed: false, ..everything() };
    let mut client = attach(&connection, &options, b"");
    connection.start().unwrap();
    let mut seen = Vec::new();
    let mut see = |client: &mut std::os::unix::net::UnixStream, text: &str| {
        while !String::from_utf8_lossy(&seen).contains(text) {
            let mut byte = [0];
            client.read_exact(&mut byte).unwrap();
            seen.push(byte[0]);
        }
    };
    see(&mut client, "/dev/pts/0\r\n17 91\r\n");
    see(&mut client, "136,");
    connection.resize(80, 25).unwrap();
    client.write_all(b"go\n").unwrap();
    see(&mut client, "25 80\r\n");
    client.write_all(b"\x10\x11").unwrap();
    rest(&mut client);
    assert_eq!(connection.next_event().unwrap(), Some(Event::Detached));
    connection.signal(9).unwrap();
    assert_eq!(exit_of(&connection).code, 137);
}

fn a_client_that_vanishes_disturbs_nobody() {
    let mut site = Site::new("while read line; do echo $line; done");
    (site.launch.open_stdin, site.launch.stdin_once) = (true, false);
    let (connection, _) = site.start();
    let mut stays = attach(&connection, &everything(), b"");
    for _ in 0..20 {
        let mut goes = attach(&connection, &everything(), b"");
        goes.write_all(b"x\n").unwrap();
        drop(goes);
    }
    stays.write_all(b"end\n").unwrap();
    let mut seen = Vec::new();
    while seen.windows(2).filter(|two| two == b"x\n").count() < 20 {
        let mut byte = [0];
        stays.read_exact(&mut byte).unwrap();
        seen.push(byte[0]);
    }
    connection.signal(9).unwrap();
    assert_eq!(exit_of(&connection).code, 137);
    assert_eq!(site.logged().matches("x\n").count(), 20, "what they typed counts");
}

fn a_slow_client_gets_everything() {
    let site = Site::new("yes 0123456789 | head -n 200000");
    let (connection, _) = site.launch().unwrap();
    let mut client = attach(&connection, &everything(), b"");
    connection.start().unwrap();
    // Far more than the buffers between us hold: the process waits for its slowest reader.
    std::thread::sleep(std::time::Duration::from_millis(200)); // poll: that nothing happens has no event
    assert!(supervisor::read_exit(&site.run_dir).unwrap().is_none());
    assert_eq!(unframed(&rest(&mut client))[1].len(), 200_000 * 11);
    assert_eq!(exit_of(&connection).code, 0);
    assert_eq!(site.logged().len(), 200_000 * 11);
}

/// What the process of the next case does: launches, and dies without a word.
pub fn abandon(run_dir: &Path) -> ExitCode {
    let launch: Launch =
        serde_json::from_slice(&std::fs::read(run_dir.join("launch.json")).unwrap()).unwrap();
    let (connection, identity) = supervisor::launch(run_dir, &launch).unwrap();
    if run_dir.join("start").exists() {
        connection.start().unwrap();
    }
    println!("{}", identity.pid);
    std::process::abort()
}

fn abandoned(site: &Site) -> i32 {
    serde_json::from_value::<oci_spec::runtime::Spec>(site.spec.clone())
        .unwrap()
        .save(site.run_dir.join("config.json"))
        .unwrap();
    std::fs::write(site.run_dir.join("launch.json"), serde_json::to_vec(&site.launch).unwrap()).unwrap();
    let output = Command::new("/proc/self/exe")
        .arg("abandon")
        .arg(&site.run_dir)
        .stderr(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).trim().parse().unwrap()
}

fn a_daemon_that_dies_before_the_start() {
    let site = Site::new("sleep 100");
    let pid = abandoned(&site);
    eventually("the container is destroyed", || !Path::new(&format!("/proc/{pid}")).exists());
    eventually("its supervisor has ended", || supervisor::connect(&site.run_dir).unwrap().is_none());
}

fn a_daemon_that_dies_after_the_start() {
    let site = Site::new("echo before; sleep 0.3; echo after; exit 5");
    std::fs::write(site.run_dir.join("start"), "").unwrap();
    let pid = abandoned(&site);
    let connection = supervisor::connect(&site.run_dir).unwrap().expect("it lives on");
    assert!(
        matches!(connection.next_event().unwrap(), Some(Event::Created(identity)) if identity.pid == pid)
    );
    assert!(matches!(connection.next_event().unwrap(), Some(Event::Started { .. })));
    assert_eq!(exit_of(&connection).code, 5);
    assert_eq!(site.logged(), "before\nafter\n");
    assert_eq!(connection.next_event().unwrap(), None);
}

fn a_killed_supervisor() {
    let site = Site::new("sleep 100");
    let (connection, identity) = site.start();
    let supervisors = supervisors_of(&site.run_dir.to_string_lossy());
    assert_eq!(supervisors.len(), 1);
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(supervisors[0]), nix::sys::signal::SIGKILL).unwrap();
    assert_eq!(connection.next_event().unwrap(), None);
    assert!(identity.open().unwrap().is_some(), "the container outlives it");
    supervisor::destroy(&site.run_dir).unwrap();
    eventually("the container is destroyed", || identity.open().unwrap().is_none());
}

/// A site for one more process in the container of another.
fn addition(site: &Site, target: supervisor::Identity, script: &str) -> Site {
    let mut added = Site::new("");
    let mut process = site.spec["process"].clone();
    process["args"] = serde_json::json!(["sh", "-c", script]);
    let Kind::Container { cgroup, .. } = &site.launch.kind else { unreachable!() };
    added.launch.kind = Kind::Exec {
        container: site.launch.id.clone(),
        target,
        cgroup: cgroup.clone(),
        process: serde_json::from_value(process).unwrap(),
        seccomp: None,
    };
    added
}

fn an_added_process() {
    let site = Site::new("sleep 100");
    let (container, target) = site.start();
    let mut added = addition(&site, target, "echo in $$; cat; exit 3");
    (added.launch.open_stdin, added.launch.stdin_once, added.launch.log) = (true, true, None);
    let (connection, _) = added.launch().unwrap();
    let mut client = attach(&connection, &everything(), b"input\n");
    client.shutdown(Shutdown::Write).unwrap();
    connection.start().unwrap();
    let output = unframed(&rest(&mut client));
    assert!(output[1].starts_with("in ") && output[1].ends_with("input\n"), "{output:?}");
    assert_eq!(exit_of(&connection).code, 3);
    container.signal(9).unwrap();
    assert_eq!(exit_of(&container).code, 137);
}

/// Proportional: what many supervisors share counts once. The limit is for a release build.
fn memory_of_a_supervisor() {
    let sites: Vec<Site> = (0..20).map(|_| Site::new("sleep 100")).collect();
    let started: Vec<_> = sites.iter().map(Site::start).collect();
    let pss = |pid: i32| -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
        let line = text.lines().find(|line| line.starts_with("Pss:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let pids = sites.iter().flat_map(|site| supervisors_of(&site.run_dir.to_string_lossy()));
    let all: Vec<u64> = pids.map(pss).collect();
    let mean = all.iter().sum::<u64>() / all.len() as u64;
    println!("a supervisor: {mean} KiB (PSS over {})", all.len());
    assert!(cfg!(debug_assertions) || mean < 1024, "{all:?}");
    for (connection, _) in &started {
        connection.signal(9).unwrap();
        exit_of(connection);
    }
}
