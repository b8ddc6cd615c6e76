//! The stock docker client interrupted by SIGINT in every phase of a verb: it ends, the engine goes on, nothing is left.

use crate::harness::{Engine, Registry, wait_until};
use crate::needs;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Milliseconds from the client's start to its interruption: some fall into each phase, however fast the machine is.
const MOMENTS: [u64; 12] = [0, 5, 10, 15, 20, 25, 30, 40, 50, 70, 100, 150];

/// A first process that obeys SIGINT.
const OBEDIENT: &str = "trap 'exit 5' INT; echo ready; while :; do sleep 0.01; done";

fn with_busybox(test: impl FnOnce(&Engine)) {
    let engine = Engine::start();
    engine.import_busybox();
    test(&engine);
    engine.finish();
}

fn start(engine: &Engine, arguments: &[&str]) -> Child {
    let mut command = engine.docker_command(arguments);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("docker")
}

/// Presses Ctrl-C, and again every half second, as people do: what comes before the container runs is nobody's to obey.
#[track_caller]
fn interrupt(mut client: Child) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while client.try_wait().expect("wait").is_none() {
        assert!(Instant::now() < deadline, "the client does not end");
        // nsenter replaces itself by the client, so its pid is the client's.
        kill(Pid::from_raw(client.id() as i32), Signal::SIGINT).expect("it is ours, and not reaped");
        let again = Instant::now() + Duration::from_millis(500);
        while Instant::now() < again && client.try_wait().expect("wait").is_none() {
            std::thread::sleep(Duration::from_millis(2)); // poll
        }
    }
}

fn after(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds)); // poll: the moment is the test's subject
}

/// Descriptors and listeners of the daemon.
fn kept(engine: &Engine) -> i64 {
    let said = engine.docker(&["info", "--format", "{{.NFd}} {{.NEventsListener}}"]).expect(0);
    said.line().split(' ').map(|number| number.parse::<i64>().expect("a number")).sum()
}

#[test]
fn a_run_that_is_interrupted_leaves_a_container_that_can_be_used() {
    needs!(root);
    needs!("docker");
    with_busybox(|engine| {
        let before = kept(engine);
        for moment in MOMENTS {
            let client = start(engine, &["run", "--name", "cut", "busybox", "sh", "-c", OBEDIENT]);
            after(moment);
            interrupt(client);
            if engine.docker(&["inspect", "--type", "container", "cut"]).code != 0 {
                continue;
            }
            // Whatever it was in the middle of: the container starts, answers and ends.
            engine.docker(&["start", "cut"]).expect(0);
            assert_eq!(engine.docker(&["exec", "cut", "echo", "alive"]).expect(0).line(), "alive");
            engine.docker(&["rm", "--force", "cut"]).expect(0);
        }
        wait_until("nothing is kept for clients that have gone", || kept(engine) <= before + 2);
    });
}

#[test]
fn a_run_that_removes_itself_does_so_when_it_is_interrupted() {
    needs!(root);
    needs!("docker");
    with_busybox(|engine| {
        for moment in MOMENTS {
            let client = start(engine, &["run", "--rm", "--name", "cut", "busybox", "sh", "-c", OBEDIENT]);
            after(moment);
            interrupt(client);
            // One that was not started has nothing to end by; docker's client leaves it to its user, here as with dockerd.
            wait_until("it is gone, or was never started", || {
                let state = engine.docker(&["inspect", "--format", "{{.State.Status}}", "cut"]);
                state.code != 0 || state.line() == "created"
            });
            engine.docker(&["rm", "--force", "cut"]);
        }
    });
}

#[test]
fn what_only_watches_ends_at_once_and_disturbs_nobody() {
    needs!(root);
    needs!("docker");
    with_busybox(|engine| {
        let script = "trap '' INT; while :; do echo talking; sleep 0.01; done";
        engine.docker(&["run", "-d", "--name", "talking", "busybox", "sh", "-c", script]).expect(0);
        let before = kept(engine);
        let verbs: [&[&str]; 5] = [
            &["wait", "talking"],
            &["logs", "--follow", "talking"],
            &["attach", "--sig-proxy=false", "talking"],
            &["exec", "talking", "sh", "-c", "exec sleep 0.2"],
            &["events"],
        ];
        for verb in verbs {
            for moment in [0, 10, 20, 40, 80] {
                let client = start(engine, verb);
                after(moment);
                interrupt(client);
            }
        }
        assert_eq!(engine.docker(&["exec", "talking", "echo", "alive"]).expect(0).line(), "alive");
        wait_until("nothing is kept for clients that have gone", || kept(engine) <= before + 2);
    });
}

#[test]
fn start_stop_and_remove_are_done_or_not_done() {
    needs!(root);
    needs!("docker");
    with_busybox(|engine| {
        for moment in [0, 5, 10, 20, 30, 50] {
            engine.docker(&["create", "--name", "cut", "busybox", "sh", "-c", OBEDIENT]).expect(0);
            let state =
                || engine.docker(&["inspect", "--format", "{{.State.Status}}", "cut"]).line().to_owned();
            for (verb, states) in [
                (&["start", "cut"][..], &["created", "running"][..]),
                (&["stop", "--timeout", "0", "cut"], &["created", "running", "exited"]),
                (&["rm", "cut"], &["created", "running", "exited", ""]),
            ] {
                let client = start(engine, verb);
                after(moment);
                interrupt(client);
                let found = state();
                assert!(states.contains(&found.as_str()), "after an interrupted {verb:?}: {found}");
            }
            if !state().is_empty() {
                engine.docker(&["rm", "--force", "cut"]).expect(0);
            }
        }
    });
}

#[test]
fn a_run_that_pulls_leaves_nothing_of_the_image() {
    needs!(root);
    needs!("docker");
    needs!("docker-registry");
    needs!("skopeo");
    let engine = Engine::start();
    {
        let namespace = engine.namespace().expect("the test runs as root");
        let registry = Registry::start(namespace, &engine.folder().join("registry"));
        let reference = registry.put_busybox("busybox:v1");
        for moment in MOMENTS {
            let client =
                start(&engine, &["run", "--rm", "--name", "cut", &reference, "/bin/busybox", "sleep", "0.1"]);
            after(moment);
            interrupt(client);
            engine.docker(&["rm", "--force", "cut"]);
            wait_until("the image is whole, or not there", || {
                let images = engine.docker(&["images", "--quiet", "--no-trunc"]).expect(0).stdout;
                let blobs = std::fs::read_dir(engine.folder().join("data/images/blobs/sha256"));
                !images.is_empty() || blobs.map_or(0, Iterator::count) == 0
            });
            if engine.docker(&["image", "inspect", &reference]).code == 0 {
                engine.docker(&["rmi", &reference]).expect(0);
            }
        }
    }
    engine.finish();
}
