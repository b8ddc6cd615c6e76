//! Containers under AppArmor's default profile, where the kernel has AppArmor: `cargo xtask vm test` boots one that has.

use crate::harness::{Engine, Said, skip};
use crate::{needs, test_name};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

const PROFILES: &str = "/sys/kernel/security/apparmor/profiles";

/// Under this one nothing can be written to /tmp.
const OWN: &str = "profile coracle-blackbox flags=(attach_disconnected,mediate_deleted) {
    file, capability, network, umount, signal, ptrace,
    deny /tmp/** w,
}
";

fn parser(words: &[&str], profile: &str) {
    let mut parser =
        Command::new("apparmor_parser").args(words).stdin(Stdio::piped()).spawn().expect("a parser");
    parser.stdin.take().expect("a pipe").write_all(profile.as_bytes()).expect("written");
    assert!(parser.wait().expect("an end").success());
}

fn is_usable() -> bool {
    let enabled = std::fs::read_to_string("/sys/module/apparmor/parameters/enabled");
    let parser =
        ["/usr/sbin", "/sbin"].iter().any(|folder| Path::new(folder).join("apparmor_parser").exists());
    enabled.is_ok_and(|word| word.starts_with('Y')) && Path::new(PROFILES).exists() && parser
}

const NOT_HERE: &str = "needs AppArmor and apparmor_parser: cargo xtask vm test runs it";

#[track_caller]
fn shell(engine: &Engine, flags: &[&str], script: &str) -> Said {
    engine.docker(&[&["run", "--rm"], flags, &["busybox", "sh", "-c", script]].concat())
}

/// Everything that another lock keeps as well is opened, so that the profile is the one that holds.
const OPEN: &[&str] =
    &["--cap-add=ALL", "--security-opt", "seccomp=unconfined", "--security-opt", "systempaths=unconfined"];

/// The kernel has one set of profiles, and a test takes a profile away that another one starts containers with.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

#[test]
fn the_default_profile_denies_what_dockers_does() {
    needs!(root);
    needs!("docker");
    if !is_usable() {
        return skip(test_name!(), NOT_HERE);
    }
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let engine = Engine::start();
    engine.import_busybox();
    let denied = |script: &str| {
        let said = shell(&engine, OPEN, script);
        assert!(said.code != 0, "{script}: {said:?}");
        said.stderr.contains("ermission denied")
    };
    let current = "cat /proc/self/attr/current";
    assert_eq!(shell(&engine, &[], current).expect(0).line(), "docker-default (enforce)");
    for script in [
        "echo h >/proc/sysrq-trigger",
        "mount -t tmpfs none /tmp",
        "cat /proc/kcore",
        "echo 1 >/proc/sys/kernel/panic",
        "echo 1 >/proc/irq/default_smp_affinity",
    ] {
        assert!(denied(script), "{script}");
    }
    // Only a privileged container finds /sys writable, and has this profile if it asks for it.
    let privileged = ["--privileged", "--security-opt", "apparmor=docker-default"];
    let said = shell(&engine, &privileged, "echo 0 >/sys/kernel/mm/ksm/run");
    assert!(said.code != 0 && said.stderr.contains("ermission denied"), "{said:?}");
    shell(&engine, &privileged, "echo 0 >/sys/fs/cgroup/cgroup.procs").expect(0);
    shell(&engine, &["--privileged"], "echo 0 >/sys/kernel/mm/ksm/run").expect(0);
    // Its own processes, its own file system and what shared memory may take are its own to write.
    let own = "echo 5 >/proc/self/oom_score_adj && cat /proc/sys/kernel/shmmax >/proc/sys/kernel/shmmax && \
               echo x >/tmp/x && umount /dev/mqueue && kill -0 1 && ls /sys/fs/cgroup >/dev/null";
    shell(&engine, OPEN, own).expect(0);
    // Without the profile it is as open as it was made.
    let open = [OPEN, &["--security-opt", "apparmor=unconfined"]].concat();
    shell(&engine, &open, "mount -t tmpfs none /tmp").expect(0);
    assert_eq!(shell(&engine, &["--privileged"], current).expect(0).line(), "unconfined");
    engine.finish();
}

#[test]
fn a_profile_of_ones_own_holds_for_added_processes_too() {
    needs!(root);
    needs!("docker");
    if !is_usable() {
        return skip(test_name!(), NOT_HERE);
    }
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let engine = Engine::start();
    engine.import_busybox();
    parser(&["--replace", "--skip-cache"], OWN);
    let info = engine.docker(&["info", "--format", "{{.SecurityOptions}}"]).expect(0);
    assert!(info.line().contains("name=apparmor"), "{info:?}");
    let option = ["--security-opt", "apparmor=coracle-blackbox"];
    let run = [&["run", "-d", "--name", "held"], &option[..], &["busybox", "sleep", "1000"]].concat();
    engine.docker(&run).expect(0);
    engine.docker(&["run", "-d", "--name", "plain", "busybox", "sleep", "1000"]).expect(0);
    let profile = |name: &str| {
        engine.docker(&["inspect", "--format", "{{.AppArmorProfile}}", name]).expect(0).line().to_owned()
    };
    assert_eq!([profile("held"), profile("plain")], ["coracle-blackbox", "docker-default"]);
    let said = engine.docker(&["exec", "held", "sh", "-c", "echo x >/tmp/x"]).expect(1);
    assert!(said.stderr.contains("ermission denied"), "{said:?}");
    let said = engine.docker(&["exec", "--privileged", "held", "cat", "/proc/self/attr/current"]).expect(0);
    assert_eq!(said.line(), "coracle-blackbox (enforce)", "not even a privileged one leaves it");
    // A container is stopped by processes without a profile, which may send it signals.
    engine.docker(&["stop", "-t", "5", "plain"]).expect(0);
    // Somebody takes the default profile away: the next container gets it again.
    parser(&["--remove"], "profile docker-default { }\n");
    engine.docker(&["start", "plain"]).expect(0);
    let said = engine.docker(&["exec", "plain", "cat", "/proc/self/attr/current"]).expect(0);
    assert_eq!(said.line(), "docker-default (enforce)");
    let said = engine.docker(&["run", "--rm", "--security-opt", "apparmor=nosuch", "busybox", "true"]);
    assert!(said.code != 0 && said.stderr.contains("the AppArmor profile \"nosuch\""), "{said:?}");
    engine.docker(&["rm", "-f", "held", "plain"]).expect(0);
    engine.finish();
}

#[test]
fn what_no_module_holds_to_is_refused() {
    needs!(root);
    needs!("docker");
    let engine = Engine::start();
    engine.import_busybox();
    let run = |option: &str| shell(&engine, &["--security-opt", option], "echo ran");
    assert_eq!(run("label=disable").expect(0).line(), "ran");
    assert_eq!(run("apparmor=unconfined").expect(0).line(), "ran");
    let said = run("label=type:container_t").expect(125);
    assert!(said.stderr.contains("--security-opt label=type:container_t"), "{said:?}");
    if !is_usable() {
        let said = run("apparmor=mine").expect(125);
        assert!(
            said.stderr.contains("AppArmor is not enabled here, or apparmor_parser is not installed"),
            "{said:?}"
        );
    }
    engine.finish();
}
