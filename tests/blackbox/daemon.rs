//! The daemon's own manners: one per data root, stale sockets, modes, what it leaves, what it refuses.

use crate::harness::{Engine, Who, run};
use crate::needs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

#[test]
fn a_second_daemon_on_the_same_root_is_refused() {
    needs!(root);
    let engine = Engine::start();
    let said = run(&mut engine.daemon_command(&[]));
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.stderr.contains("data"), "the error names the folder: {}", said.stderr);
    assert!(
        said.stderr.contains("stop it (coracle daemon stop), or choose another --data-root"),
        "{}",
        said.stderr
    );
    engine.coracle(&["version"]).expect(0);
    engine.finish();
}

#[test]
fn one_folder_cannot_be_both_roots() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("both");
    let socket = format!("unix://{}", folder.path().join("sock").display());
    let mut daemon = std::process::Command::new(env!("CARGO_BIN_EXE_coracle"));
    let said = run(daemon
        .arg("daemon")
        .arg("--data-root")
        .arg(&root)
        .arg("--exec-root")
        .arg(&root)
        .args(["--host", &socket]));
    assert_eq!(said.code, 1, "{said:?}");
    let expected = "cannot be both the data root and the exec root: choose another --exec-root\n";
    assert!(said.stderr.ends_with(expected), "{}", said.stderr);
}

#[test]
fn a_stale_socket_is_replaced() {
    needs!(root);
    let mut engine = Engine::start();
    engine.kill_daemon();
    assert!(engine.folder().join("api.sock").exists(), "kill -9 leaves the socket");
    engine.start_daemon();
    engine.finish();
}

#[test]
fn the_socket_is_for_its_owner_and_group() {
    needs!(root);
    let engine = Engine::start();
    let metadata = std::fs::metadata(engine.folder().join("api.sock")).expect("the socket");
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.mode() & 0o777, 0o660);
    let groups = std::fs::read_to_string("/etc/group").expect("/etc/group");
    let docker =
        groups.lines().find_map(|line| line.strip_prefix("docker:x:")?.split(':').next()?.parse().ok());
    assert_eq!(metadata.gid(), docker.unwrap_or(0), "the group is docker if there is one");
    engine.finish();
}

#[test]
fn hosts_that_are_not_served_are_refused() {
    needs!(root);
    let engine = Engine::start();
    let said = run(&mut engine.daemon_command(&["--host", "tcp://127.0.0.1:0"]));
    assert_ne!(said.code, 0);
    assert!(said.stderr.contains("tcp://127.0.0.1:0"), "the error names the host: {}", said.stderr);
    engine.finish();
}

#[test]
fn a_daemon_that_stops_takes_its_socket_and_pidfile_along() {
    needs!(root);
    let mut engine = Engine::start();
    assert_eq!(engine.stop_daemon(), 0);
    for name in ["api.sock", "pid"] {
        assert!(!engine.folder().join(name).exists(), "{name} is left behind");
    }
    engine.start_daemon();
    engine.finish();
}

#[test]
fn containers_outlive_their_daemon() {
    needs!(root);
    needs!("docker");
    let mut engine = Engine::start();
    engine.import_busybox();
    engine.docker(&["run", "--detach", "--name", "outlives", "busybox", "sleep", "1000"]).expect(0);
    assert_eq!(engine.stop_daemon(), 0);
    engine.start_daemon();
    assert_eq!(engine.docker(&["exec", "outlives", "echo", "still here"]).expect(0).line(), "still here");
    engine.finish();
}

#[test]
fn daemon_stop_says_what_it_did_and_what_runs_on() {
    needs!(root);
    needs!("docker");
    let mut engine = Engine::start();
    engine.import_busybox();
    let host = engine.host();
    let stop = ["daemon", "stop", "--host", &host];
    let stopped = |engine: &mut Engine, code: i32| {
        let said = run(&mut engine.own_command(&stop)).expect(code);
        (said.stdout, said.stderr)
    };
    assert_eq!(stopped(&mut engine, 0), ("The daemon has stopped.\n".into(), String::new()));
    assert_eq!(engine.wait_for_daemon(), 0);
    let socket = engine.folder().join("api.sock").display().to_string();
    let refusal = format!("coracle daemon: no daemon listens on {socket}\n");
    assert_eq!(stopped(&mut engine, 1), (String::new(), refusal.clone()));
    for (count, words) in [
        (1, "1 container runs on, and the next daemon will find it"),
        (2, "2 containers run on, and the next daemon will find them"),
    ] {
        engine.start_daemon();
        engine.docker(&["run", "-d", "busybox", "sleep", "1000"]).expect(0);
        assert_eq!(stopped(&mut engine, 0).0, format!("The daemon has stopped; {words}.\n"), "{count}");
        assert_eq!(engine.wait_for_daemon(), 0);
    }
    engine.start_daemon();
    assert_eq!(engine.docker(&["ps", "--quiet"]).expect(0).stdout.lines().count(), 2);
    // One that was killed leaves its socket, which nobody listens on.
    engine.kill_daemon();
    assert_eq!(stopped(&mut engine, 1), (String::new(), refusal));
    engine.start_daemon();
    engine.finish();
}

#[test]
fn an_ordinary_users_daemon_starts_on_demand_and_is_stopped() {
    needs!(root);
    let engine = Engine::start_as(Who::CoracleRootless);
    let runtime = engine.folder().join("run");
    run(engine.user_command("mkdir").args(["-m", "700"]).arg(&runtime)).expect(0);
    let binary = engine.folder().join("coracle").display().to_string();
    let own = |words: &[&str]| run(engine.user_command(&binary).env("XDG_RUNTIME_DIR", &runtime).args(words));
    // Several at once make one daemon.
    let ask = || own(&["info", "--format", "{{.DockerRootDir}}"]).expect(0).stdout;
    let said: Vec<String> = std::thread::scope(|scope| {
        let clients = [(); 4].map(|()| scope.spawn(ask));
        clients.map(|client| client.join().expect("a client")).into()
    });
    let data = engine.folder().join(".local/share/coracle").display().to_string();
    assert!(said.iter().all(|root| root.trim_end() == data), "{said:?}");
    assert_eq!(own(&["ps"]).expect(0).stdout.lines().count(), 1);
    assert_eq!(own(&["daemon", "stop"]).expect(0).stdout, "The daemon has stopped.\n");
    let said = own(&["daemon", "stop"]).expect(1);
    assert!(said.stderr.starts_with("coracle daemon: no daemon listens on "), "{}", said.stderr);
    assert!(
        !engine.folder().join("coracle").is_dir() || !engine.folder().join("coracle/coracle.sock").exists()
    );
    engine.finish();
}
