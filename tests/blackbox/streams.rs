//! Standard streams: pipes, terminals, attach, detach, resize.

use crate::harness::{Engine, Said, on_a_terminal, piped, run, wait_until};
use crate::needs;
use std::process::{Command, Stdio};

fn with_busybox(test: impl FnOnce(&Engine)) {
    let engine = Engine::start();
    engine.import_busybox();
    test(&engine);
    engine.finish();
}

#[test]
fn a_pipe_goes_in_and_its_end_is_seen() {
    needs!(root);
    needs!("docker");
    with_busybox(|engine| {
        let large: Vec<u8> = (0..3_000_000u32).map(|byte| (byte % 251) as u8).collect();
        for client in [Engine::docker_command, Engine::coracle_command] {
            let counted =
                piped(client(engine, &["run", "--rm", "-i", "busybox", "wc", "-c"]), &large).expect(0);
            assert_eq!(counted.line(), "3000000");
            let said =
                piped(client(engine, &["run", "--rm", "-i", "busybox", "cat"]), b"one\ntwo\n").expect(0);
            assert_eq!(said.stdout, "one\ntwo\n");
        }
    });
}

#[test]
fn output_without_end_is_not_lost_and_not_mixed() {
    needs!(root);
    needs!("docker");
    with_busybox(|engine| {
        let script = "i=0; while [ $i -lt 5000 ]; do echo out$i; echo err$i >&2; i=$((i+1)); done";
        for client in [Engine::docker_command, Engine::coracle_command] {
            let said = run(&mut client(engine, &["run", "--rm", "busybox", "sh", "-c", script])).expect(0);
            assert_eq!(said.stdout.lines().count(), 5000);
            assert_eq!(said.stdout.lines().last(), Some("out4999"));
            assert_eq!(said.stderr.lines().last(), Some("err4999"));
        }
    });
}

#[test]
fn a_terminal_is_one_and_has_the_clients_size() {
    needs!(root);
    needs!("docker");
    needs!("script");
    with_busybox(|engine| {
        for client in [Engine::docker_command, Engine::coracle_command] {
            let command = client(
                engine,
                &[
                    "run",
                    "--rm",
                    "-it",
                    "busybox",
                    "sh",
                    "-c",
                    "tty; stty size; echo ready; read word; echo got $word; exit 9",
                ],
            );
            let said = on_a_terminal(&command, "ready", b"typed\n").expect(9);
            assert!(
                said.stdout.contains("/dev/pts/0") && said.stdout.contains("got typed"),
                "{}",
                said.stdout
            );
        }
    });
}

#[test]
fn detach_keys_leave_the_container_running() {
    needs!(root);
    needs!("docker");
    needs!("script");
    with_busybox(|engine| {
        for (name, client) in [
            ("stock", Engine::docker_command as fn(&Engine, &[&str]) -> Command),
            ("own", Engine::coracle_command),
        ] {
            let command = client(engine, &["run", "-it", "--name", name, "busybox", "sh"]);
            on_a_terminal(&command, "/ #", b"\x10\x11").expect(0);
            let status = engine.docker(&["inspect", "--format", "{{.State.Status}}", name]).expect(0);
            assert_eq!(status.line(), "running");
        }
    });
}

#[test]
fn attach_joins_a_running_container() {
    needs!(root);
    needs!("docker");
    with_busybox(|engine| {
        let script = "read line; echo got $line; exit 4";
        engine.docker(&["run", "-d", "-i", "--name", "echoing", "busybox", "sh", "-c", script]).expect(0);
        piped(engine.docker_command(&["attach", "echoing"]), b"this\n").expect(4);
        // What the client shows of the last moment is its own affair: dockerd's users see as much, or as little.
        assert_eq!(engine.docker(&["logs", "echoing"]).expect(0).stdout, "got this\n");
    });
}

#[test]
fn signals_reach_the_container() {
    needs!(root);
    needs!("docker");
    with_busybox(|engine| {
        for client in [Engine::docker_command, Engine::coracle_command] {
            let script = "trap 'echo interrupted; exit 5' INT; echo ready; while :; do sleep 0.01; done";
            let mut command = client(engine, &["run", "--name", "trapping", "busybox", "sh", "-c", script]);
            let running =
                command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the client starts");
            wait_until("the container is ready", || engine.docker(&["logs", "trapping"]).stdout == "ready\n");
            // nsenter replaces itself by the client, so its pid is the client's.
            nix::sys::signal::kill(
                nix::unistd::Pid::from_raw(running.id() as i32),
                nix::sys::signal::Signal::SIGINT,
            )
            .expect("kill");
            let said = Said::from(running.wait_with_output().expect("the client ends")).expect(5);
            assert_eq!(said.stdout, "ready\ninterrupted\n");
            engine.docker(&["rm", "trapping"]).expect(0);
        }
    });
}

#[test]
fn logs_follow_until_the_container_ends() {
    needs!(root);
    needs!("docker");
    with_busybox(|engine| {
        let script = "for i in 1 2 3 4 5; do echo line $i; sleep 0.05; done";
        engine.docker(&["run", "-d", "--name", "counting", "busybox", "sh", "-c", script]).expect(0);
        let followed = engine.docker(&["logs", "--follow", "counting"]).expect(0);
        assert_eq!(followed.stdout, "line 1\nline 2\nline 3\nline 4\nline 5\n");
        assert_eq!(engine.coracle(&["logs", "--follow", "counting"]).expect(0), followed);
        let stamped = engine.docker(&["logs", "--timestamps", "counting"]).expect(0);
        assert!(
            stamped.stdout.lines().all(|line| line.len() > 31 && line.as_bytes()[10] == b'T'),
            "{}",
            stamped.stdout
        );
    });
}

#[test]
fn exec_has_streams_and_a_terminal_too() {
    needs!(root);
    needs!("docker");
    needs!("script");
    with_busybox(|engine| {
        engine.docker(&["run", "-d", "--name", "host", "busybox", "sleep", "1000"]).expect(0);
        for client in [Engine::docker_command, Engine::coracle_command] {
            let said = piped(client(engine, &["exec", "-i", "host", "cat"]), b"through exec").expect(0);
            assert_eq!(said.stdout, "through exec");
            let command = client(engine, &["exec", "-it", "host", "sh", "-c", "tty; exit 6"]);
            let said = on_a_terminal(&command, "/dev/pts/", b"").expect(6);
            assert!(said.stdout.contains("/dev/pts/"), "{}", said.stdout);
        }
    });
}
