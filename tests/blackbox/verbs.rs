//! Each verb of the stock docker client, once with success and once with failure.

use crate::harness::{Engine, run};
use crate::needs;

#[test]
fn run_prints_and_returns_the_commands_exit_code() {
    needs!(root);
    needs!("docker");
    let engine = Engine::start();
    engine.import_busybox();
    let said =
        engine.docker(&["run", "--rm", "busybox", "sh", "-c", "echo out; echo err >&2; exit 7"]).expect(7);
    assert_eq!((said.stdout.as_str(), said.stderr.as_str()), ("out\n", "err\n"));
    engine.finish();
}

#[test]
fn rm_takes_volumes_without_a_name_along_when_told_so() {
    needs!(root);
    needs!("docker");
    let mut engine = Engine::start();
    engine.import_busybox();
    let volumes = |engine: &Engine| {
        let folders = std::fs::read_dir(engine.folder().join("data/volumes")).expect("the folder of volumes");
        folders.flatten().count()
    };
    let run =
        ["run", "--name", "with", "-v", "/home", "busybox", "sh", "-c", "echo kept > /home/file; ls /home"];
    for client in [Engine::docker, Engine::coracle] {
        let said = client(&engine, &run).expect(0);
        assert_eq!(said.stdout, "file\nguest\n", "a volume begins with what the image has there");
        assert_eq!(volumes(&engine), 1);
        client(&engine, &["rm", "--volumes", "with"]).expect(0);
        assert_eq!(volumes(&engine), 0);
        client(&engine, &[&["run", "--rm"], &run[1..]].concat()).expect(0);
        assert_eq!(volumes(&engine), 0);
    }
    engine.docker(&run).expect(0);
    engine.docker(&["rm", "with"]).expect(0);
    assert_eq!(volumes(&engine), 1, "it may be wanted yet");
    // As long as nobody can name it, it is the next daemon's to clean up.
    assert_eq!(engine.stop_daemon(), 0);
    engine.start_daemon();
    assert_eq!(volumes(&engine), 0);
    engine.finish();
}

#[test]
fn who_waits_for_a_container_that_removes_itself_learns_its_code_or_that_it_is_gone() {
    needs!(root);
    needs!("docker");
    let engine = Engine::start();
    engine.import_busybox();
    for _ in 0..10 {
        engine.docker(&["run", "-d", "--rm", "--name", "brief", "busybox", "sleep", "1000"]).expect(0);
        engine.docker(&["kill", "brief"]).expect(0);
        let said = engine.docker(&["wait", "brief"]);
        assert!(said.stdout == "137\n" || said.stderr.contains("No such container: brief"), "{said:?}");
        crate::harness::wait_until("it is gone", || engine.docker(&["inspect", "brief"]).code != 0);
    }
    engine.finish();
}

/// What needs no daemon: help in docker's ways, and words that are no verb, or not yet.
#[test]
fn a_word_that_is_no_verb_is_told_apart_from_one_to_come() {
    let coracle = |words: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_coracle"));
        run(command.args(words).env("CORACLE_HOST", "unix:///nowhere/socket"))
    };
    for (asked, usage) in [
        (&["help"][..], "Usage:  coracle [OPTIONS] COMMAND\n"),
        (&["-h"], "Usage:  coracle [OPTIONS] COMMAND\n"),
        (&["help", "run"], "Usage:  coracle run [OPTIONS] IMAGE"),
        (&["help", "image"], "Usage:  coracle image COMMAND\n"),
        (&["help", "oci"], "Run containers from bundles"),
    ] {
        let said = coracle(asked).expect(0);
        assert!(said.stdout.starts_with(usage), "{asked:?}: {}", said.stdout);
    }
    assert_eq!(coracle(&["network", "ls"]).expect(1).stderr, "coracle network is not supported yet\n");
    assert!(coracle(&["rnu"]).expect(1).stderr.starts_with("coracle: unknown command: coracle rnu\n"));
    assert_eq!(coracle(&["load", "-i", "/tmp"]).expect(1).stderr, "read /tmp: is a directory\n");
}
