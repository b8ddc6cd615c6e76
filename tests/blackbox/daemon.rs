//! The daemon's own manners: one per data root, stale sockets, modes, what it leaves, what it refuses.

use crate::harness::{Engine, run};
use crate::needs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

#[test]
fn a_second_daemon_on_the_same_root_is_refused() {
    needs!(root);
    let engine = Engine::start();
    let said = run(&mut engine.daemon_command(&[]));
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.stderr.contains("data"), "the error names the folder: {}", said.stderr);
    engine.coracle(&["version"]).expect(0);
    engine.finish();
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
