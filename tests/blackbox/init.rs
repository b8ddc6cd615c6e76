//! `--init`: a first process that hands on signals and reaps what nobody else does.

use crate::harness::{Engine, Who, on_a_terminal, wait_until};
use crate::needs;

fn with_busybox(who: Who, test: impl FnOnce(&mut Engine)) {
    let mut engine = Engine::start_as(who);
    engine.import_busybox();
    test(&mut engine);
    engine.finish();
}

/// The states of the container's processes, in one line: Z is a zombie.
const STATES: &str = "grep -h ^State: /proc/[0-9]*/status | tr -d '\\n'";

/// Leaves a process without a parent that ends at once.
const ORPHAN: &str = "(true & exec sleep 0)";

#[test]
fn orphans_are_reaped() {
    needs!(root);
    needs!("docker");
    with_busybox(Who::Coracle, |engine| {
        engine.docker(&["run", "-d", "--init", "--name", "with", "busybox", "sleep", "1000"]).expect(0);
        engine.docker(&["run", "-d", "--name", "without", "busybox", "sleep", "1000"]).expect(0);
        let has_zombie = |name: &str| {
            engine.docker(&["exec", name, "sh", "-c", STATES]).expect(0).stdout.contains("zombie")
        };
        for name in ["with", "without"] {
            engine.docker(&["exec", name, "sh", "-c", &format!("setsid sh -c '{ORPHAN}'")]).expect(0);
        }
        wait_until("sleep, which knows of no children, has a zombie", || has_zombie("without"));
        wait_until("the first process has none", || !has_zombie("with"));
        engine.docker(&["rm", "-f", "with", "without"]).expect(0);
    });
}

#[test]
fn every_signal_reaches_the_command() {
    needs!(root);
    needs!("docker");
    with_busybox(Who::Coracle, |engine| {
        // sleep handles none: as the first process it would outlive SIGTERM.
        for (signal, code) in [("TERM", "143"), ("HUP", "129"), ("RTMIN+3", "165")] {
            engine.docker(&["run", "-d", "--init", "--name", "one", "busybox", "sleep", "1000"]).expect(0);
            engine.docker(&["kill", "-s", signal, "one"]).expect(0);
            assert_eq!(engine.docker(&["wait", "one"]).expect(0).line(), code, "{signal}");
            engine.docker(&["rm", "one"]).expect(0);
        }
    });
}

#[test]
fn a_terminal_belongs_to_the_command() {
    needs!(root);
    needs!("docker");
    needs!("script");
    with_busybox(Who::Coracle, |engine| {
        for client in [Engine::docker_command, Engine::coracle_command] {
            let script = "trap 'echo interrupted; exit 3' INT; echo ready; read line; echo got $line";
            let command = ["run", "--rm", "-it", "--init", "busybox", "sh", "-c", script];
            let said = on_a_terminal(&client(engine, &command), "ready", b"word\n").expect(0);
            assert!(said.stdout.contains("got word"), "{}", said.stdout);
            let said = on_a_terminal(&client(engine, &command), "ready", b"\x03").expect(3);
            assert_eq!(said.stdout.matches("interrupted").count(), 1, "{}", said.stdout);
        }
    });
}

#[test]
fn what_cannot_be_executed_is_named() {
    needs!("docker");
    with_busybox(Who::Coracle, |engine| {
        let said = engine.docker(&["run", "--rm", "--init", "busybox", "nosuch"]).expect(127);
        assert_eq!(said.stderr, "init: nosuch: No such file or directory\n");
        let said = engine.docker(&["run", "--rm", "--init", "busybox", "/etc/passwd"]).expect(126);
        assert_eq!(said.stderr, "init: /etc/passwd: Permission denied\n");
    });
}

#[test]
fn it_is_the_first_process_only_where_there_is_one() {
    needs!(root);
    needs!("docker");
    for who in [Who::Coracle, Who::CoracleRootless] {
        with_busybox(who, |engine| {
            let first = |flags: &[&str], path: &str| {
                let command = [&["run", "--rm", "--init"], flags, &["busybox", "cat", path]].concat();
                engine.docker(&command).expect(0).line().to_owned()
            };
            assert_eq!(first(&[], "/proc/1/comm"), "docker-init");
            assert_eq!(first(&["--pid", "host"], "/proc/self/comm"), "cat");
            let script = "touch /sbin/docker-init; echo x > /sbin/docker-init; cat /proc/1/comm";
            let said = engine.docker(&["run", "--rm", "--init", "busybox", "sh", "-c", script]).expect(0);
            assert!(said.stderr.contains("Read-only file system"), "{}", said.stderr);
            assert_eq!(said.line(), "docker-init");
        });
    }
}
