//! Logs that are rotated: what is kept, what a follower sees, what is refused.

use crate::harness::Engine;
use crate::needs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[test]
fn a_follower_sees_every_line_though_the_log_is_rotated() {
    needs!(root);
    needs!("docker");
    let engine = Engine::start();
    engine.import_busybox();
    let script = "i=0; while [ $i -lt 400 ]; do echo line $i; i=$((i+1)); sleep 0.003; done";
    let run = ["run", "-d", "--log-opt", "max-size=4k", "--log-opt", "max-file=3"];
    engine.docker(&[&run[..], &["--name", "rotated", "busybox", "sh", "-c", script]].concat()).expect(0);
    let expected: String = (0..400).map(|line| format!("line {line}\n")).collect();
    let followed = &engine;
    std::thread::scope(|scope| {
        let followers = [Engine::docker, Engine::coracle].map(|client| {
            scope.spawn(move || client(followed, &["logs", "--follow", "rotated"]).expect(0).stdout)
        });
        for follower in followers {
            assert_eq!(follower.join().expect("a follower"), expected);
        }
    });
    let kept = engine.docker(&["logs", "rotated"]).expect(0).stdout;
    assert!(expected.ends_with(&kept) && (50..150).contains(&kept.lines().count()), "{kept}");
    let tail = engine.docker(&["logs", "--tail", "70", "rotated"]).expect(0).stdout;
    let last: String = (330..400).map(|line| format!("line {line}\n")).collect();
    assert_eq!(tail, last, "the last lines lie in two files");
    let folder = engine.folder().join("data/containers");
    let container =
        std::fs::read_dir(folder).expect("containers").flatten().next().expect("the container").path();
    let mut logs: Vec<u64> = std::fs::read_dir(container)
        .expect("its folder")
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().contains("-json.log"))
        .map(|entry| entry.metadata().expect("a log").len())
        .collect();
    logs.sort_unstable();
    assert!(logs.len() == 3 && logs.iter().all(|size| *size <= 4096), "{logs:?}");
    engine.finish();
}

#[test]
fn a_follower_that_is_told_until_when_ends_then() {
    needs!(root);
    needs!("docker");
    let engine = Engine::start();
    engine.import_busybox();
    engine
        .docker(&["run", "-d", "--name", "quiet", "busybox", "sh", "-c", "echo once; exec sleep 1000"])
        .expect(0);
    for client in [Engine::docker, Engine::coracle] {
        let asked = SystemTime::now();
        let until = asked + Duration::from_secs(1);
        let until = until.duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64().to_string();
        let said = client(&engine, &["logs", "--follow", "--until", &until, "quiet"]).expect(0);
        assert_eq!(said.stdout, "once\n");
        let lasted = asked.elapsed().expect("time goes on");
        assert!(lasted > Duration::from_millis(900) && lasted < Duration::from_secs(5), "{lasted:?}");
    }
    engine.finish();
}

#[test]
fn log_options_that_make_no_sense_are_refused_by_name() {
    needs!(root);
    needs!("docker");
    let engine = Engine::start();
    engine.import_busybox();
    for (flags, expected) in [
        (&["--log-opt", "max-file=0"][..], "max-file cannot be less than 1"),
        (&["--log-opt", "max-size=many"], "invalid size: 'many'"),
        (&["--log-opt", "compress=true"], "compress"),
        (&["--log-driver", "syslog"], "syslog"),
    ] {
        let said = engine.docker(&[&["create"], flags, &["busybox", "true"]].concat()).expect(1);
        assert!(said.stderr.contains(expected), "{flags:?}: {}", said.stderr);
    }
    assert_eq!(engine.docker(&["ps", "--all", "--quiet"]).expect(0).stdout, "");
    engine
        .docker(&["run", "--name", "mute", "--log-driver", "none", "busybox", "echo", "unlogged"])
        .expect(0);
    let said = engine.docker(&["logs", "mute"]).expect(1);
    assert!(said.stderr.contains("configured logging driver does not support reading"), "{}", said.stderr);
    engine.finish();
}
