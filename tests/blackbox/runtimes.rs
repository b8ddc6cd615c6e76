//! Other OCI runtimes under our engine: runc, crun, and our own as if it were somebody else's.

use crate::harness::{Engine, Said, coracle_binary, leftovers, on_a_terminal, piped, run, wait_until};
use crate::needs;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

/// An engine whose containers are another runtime's. `program` is what a shell executes.
struct Other {
    engine: Engine,
    _folder: tempfile::TempDir,
}

/// A view of cgroup v2 alone: crun knows no machine that has v1 beside it.
const V2_ALONE: &str = "mount -t cgroup2 none /sys/fs/cgroup";

impl Other {
    fn start(program: &str, before: Option<&str>) -> Other {
        let folder = tempfile::tempdir().expect("a folder");
        let script = folder.path().join("other");
        std::fs::write(&script, format!("#!/bin/sh\nexec {program} \"$@\"\n")).expect("a script");
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("chmod");
        let added = format!("other={}", script.display());
        let engine = Engine::start_with(&["--add-runtime", &added, "--default-runtime", "other"], before);
        engine.import_busybox();
        Other { engine, _folder: folder }
    }

    fn docker(&self, arguments: &[&str]) -> Said {
        self.engine.docker(arguments)
    }

    /// What comes out when `docker run --rm` runs a shell script.
    fn run(&self, script: &str, code: i32) -> String {
        self.docker(&["run", "--rm", "busybox", "sh", "-c", script]).expect(code).stdout
    }

    fn does_everything(mut self) {
        self.lives();
        self.pauses();
        self.is_limited();
        self.is_adopted();
        self.engine.finish();
    }

    /// What every runtime does.
    fn lives(&self) {
        assert_eq!(self.run("echo out; echo err >&2; exit 7", 7), "out\n");
        let said = piped(self.engine.docker_command(&["run", "--rm", "-i", "busybox", "cat"]), b"typed");
        assert_eq!(said.expect(0).stdout, "typed");
        let reads = words("run --rm -it busybox sh -c", "tty; read x; echo got $x");
        let terminal = self.engine.docker_command(&reads);
        let said = on_a_terminal(&terminal, "/dev/pts/0", b"this\n").expect(0);
        assert!(said.stdout.contains("got this"), "{said:?}");
        // Nothing of what its makers block is blocked for it, and it has what the engine makes for every container.
        let script = "grep SigBlk /proc/self/status; grep -c $(hostname) /etc/hosts; ls -d /dev/shm; \
                      ip -4 address show dev eth0 | grep -c inet";
        assert_eq!(self.run(script, 0), "SigBlk:\t0000000000000000\n1\n/dev/shm\n1\n");
        let named = words("run --rm --domainname of-ours busybox cat", "/proc/sys/kernel/domainname");
        assert_eq!(self.docker(&named).expect(0).line(), "of-ours");
        let limited =
            "run --rm --read-only --user guest --cap-drop all --ulimit nofile=100:200 busybox sh -c";
        let said = self.docker(&words(limited, "id -u; ulimit -n; echo > /x"));
        assert_eq!(said.expect(1).stdout, "1000\n100\n");
        let privileged = words("run --rm --privileged busybox grep CapBnd", "/proc/self/status");
        let own = std::fs::read_to_string("/proc/self/status").expect("status");
        let said = self.docker(&privileged).expect(0);
        assert!(own.contains(said.line()), "all that its daemon may have, and no more: {said:?}");
        let said = self.docker(&["run", "--rm", "busybox", "nosuch"]);
        assert!(
            said.stderr.contains("OCI runtime create failed: ") && said.stderr.contains("not found in $PATH"),
            "{said:?}"
        );
        self.docker(&["run", "-d", "--name", "one", "busybox", "sh", "-c", ENDS_WHEN_ASKED]).expect(0);
        let inspected =
            self.docker(&["inspect", "--format", "{{.HostConfig.Runtime}} {{.State.Status}}", "one"]);
        assert_eq!(inspected.line(), "other running");
        self.executes();
        self.ends();
    }

    /// More processes in `one`.
    fn executes(&self) {
        let said = self.docker(&words("exec -w /bin -e X=1 -u 5:6 one sh -c", "id -u; echo $X; pwd"));
        assert_eq!(said.expect(0).stdout, "5\n1\n/bin\n");
        self.docker(&["exec", "one", "sh", "-c", "exit 9"]).expect(9);
        // One that ends at once, and loses nothing of what it says.
        for number in 0..10 {
            let number = number.to_string();
            assert_eq!(self.docker(&["exec", "one", "echo", &number]).expect(0).line(), number);
        }
        let said = piped(self.engine.docker_command(&["exec", "-i", "one", "cat"]), b"typed");
        assert_eq!(said.expect(0).stdout, "typed");
        let terminal = self.engine.docker_command(&words("exec -it one sh -c", "tty; read x; exit $x"));
        on_a_terminal(&terminal, "/dev/pts/", b"5\n").expect(5);
        let said = self.docker(&["exec", "one", "nosuch"]);
        assert!(said.code == 126 || said.code == 127, "{said:?}");
        assert!(
            [&said.stdout, &said.stderr].iter().any(|text| text.contains("not found in $PATH")),
            "{said:?}"
        );
    }

    /// The ways in which `one` ends.
    fn ends(&self) {
        wait_until("it is ready", || self.docker(&["logs", "one"]).stdout == "ready\n");
        self.docker(&["stop", "one"]).expect(0);
        assert_eq!(self.docker(&["wait", "one"]).line(), "3");
        assert_eq!(self.docker(&["logs", "one"]).stdout, "ready\nasked\n");
        self.docker(&["start", "one"]).expect(0);
        self.docker(&["kill", "one"]).expect(0);
        assert_eq!(self.docker(&["wait", "one"]).line(), "137");
        self.docker(&["start", "one"]).expect(0);
        self.docker(&["rm", "--force", "one"]).expect(0);
    }

    fn pauses(&self) {
        self.docker(&["run", "-d", "--name", "two", "busybox", "sleep", "1000"]).expect(0);
        self.docker(&["pause", "two"]).expect(0);
        assert_eq!(self.docker(&["inspect", "--format", "{{.State.Status}}", "two"]).line(), "paused");
        self.docker(&["unpause", "two"]).expect(0);
        self.docker(&["exec", "two", "true"]).expect(0);
        self.docker(&["pause", "two"]).expect(0);
        // Who kills the frozen thaws them.
        self.docker(&["rm", "--force", "two"]).expect(0);
    }

    fn is_limited(&self) {
        let run = ["run", "--name", "three", "--memory", "16m", "--memory-swap", "16m", "busybox"];
        self.docker(&[&run[..], &["sh", "-c", "x=x; while true; do x=$x$x; done"]].concat()).expect(137);
        assert_eq!(self.docker(&["inspect", "--format", "{{.State.OOMKilled}}", "three"]).line(), "true");
    }

    /// A daemon that is killed finds everything again.
    fn is_adopted(&mut self) {
        self.docker(&["run", "-d", "--name", "four", "busybox", "sh", "-c", ENDS_WHEN_ASKED]).expect(0);
        self.docker(&["run", "-d", "--name", "five", "busybox", "sleep", "1000"]).expect(0);
        self.docker(&["pause", "five"]).expect(0);
        wait_until("it is ready", || self.docker(&["logs", "four"]).stdout == "ready\n");
        self.engine.kill_daemon();
        self.engine.start_daemon();
        let states = self.docker(&["inspect", "--format", "{{.State.Status}}", "four", "five"]);
        assert_eq!(states.stdout, "running\npaused\n");
        assert_eq!(self.docker(&["exec", "four", "echo", "again"]).expect(0).line(), "again");
        self.docker(&["unpause", "five"]).expect(0);
        self.docker(&["stop", "four"]).expect(0);
        assert_eq!(self.docker(&["wait", "four"]).line(), "3");
        assert_eq!(self.docker(&["logs", "four"]).stdout, "ready\nasked\n");
    }
}

/// The words of a line, and a last one.
fn words<'a>(line: &'a str, last: &'a str) -> Vec<&'a str> {
    line.split(' ').chain([last]).collect()
}

const ENDS_WHEN_ASKED: &str = "trap 'echo asked; exit 3' TERM; echo ready; while :; do sleep 0.01; done";

#[test]
fn runc_runs_what_we_plan() {
    needs!(root);
    needs!("docker");
    needs!("script");
    needs!("runc");
    Other::start("runc", None).does_everything();
}

#[test]
fn our_own_runtime_by_its_command_line_does_what_it_does_from_within() {
    needs!(root);
    needs!("docker");
    needs!("script");
    Other::start(&format!("{} oci", coracle_binary()), None).does_everything();
}

/// Without a cgroup, since it cannot make one where it does not see all of them; what needs one it refuses in its own words.
#[test]
fn crun_runs_what_we_plan() {
    needs!(root);
    needs!("docker");
    needs!("script");
    needs!("crun");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("daemon.json");
    let text = r#"{"runtimes": {"other": {"path": "crun", "runtimeArgs": ["--cgroup-manager=disabled"]}}, "default-runtime": "other"}"#;
    std::fs::write(&file, text).expect("daemon.json");
    let engine = Engine::start_with(&["--config-file", &file.display().to_string()], Some(V2_ALONE));
    engine.import_busybox();
    let other = Other { engine, _folder: folder };
    other.lives();
    other.docker(&["run", "-d", "--name", "six", "busybox", "sleep", "1000"]).expect(0);
    let said = other.docker(&["pause", "six"]).expect(1);
    assert!(
        said.stderr.contains("Cannot pause container six: cannot pause the container without a cgroup"),
        "{said:?}"
    );
    other.engine.finish();
}

/// A runtime that never comes back: its supervisor's end is its own, and the client hears of it.
#[test]
fn a_runtime_that_hangs_ends_with_its_supervisor() {
    needs!(root);
    needs!("docker");
    needs!("runc");
    let hangs = r#"sh -c 'case "$*" in *" create "*) exec sleep 1000;; esac; exec runc "$@"' sh"#;
    let other = Other::start(hangs, None);
    let mut command = other.engine.docker_command(&["run", "--name", "seven", "busybox", "true"]);
    let client = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the client starts");
    let token = other.engine.folder().display().to_string();
    let in_namespace = || leftovers::processes(&token, other.engine.namespace());
    wait_until("it hangs", || in_namespace().iter().any(|line| line.contains("sleep 1000")));
    let supervisor = in_namespace().into_iter().find(|line| line.contains(" supervise supervise "));
    let pid = supervisor.expect("a supervisor").split(' ').next().and_then(|pid| pid.parse().ok());
    kill(Pid::from_raw(pid.expect("a number")), Signal::SIGKILL).expect("it lives");
    let said = Said::from(client.wait_with_output().expect("the client ends")).expect(125);
    assert!(said.stderr.contains("the supervisor ended without an answer"), "{said:?}");
    other.engine.finish();
}

#[test]
fn a_runtime_that_is_nobodys_is_refused_in_dockers_words() {
    needs!(root);
    needs!("docker");
    let other = Other::start("false", None);
    let said = other.docker(&["run", "--runtime", "nosuch", "busybox", "true"]).expect(125);
    assert!(
        said.stderr.contains("Error response from daemon: unknown or invalid runtime name: nosuch"),
        "{said:?}"
    );
    let said = other.docker(&["create", "--ipc", "container:x", "busybox"]).expect(1);
    assert!(said.stderr.contains("--ipc container:… with --runtime other is not supported"), "{said:?}");
    // One that does nothing but fail.
    let said = other.docker(&["run", "busybox", "true"]).expect(125);
    assert!(said.stderr.contains("create: exit status: 1, and no error in its log"), "{said:?}");
    assert_eq!(
        other.docker(&["run", "--rm", "--runtime", "coracle", "busybox", "echo", "ours"]).expect(0).line(),
        "ours"
    );
    let said = other.docker(&[
        "info",
        "--format",
        "{{.DefaultRuntime}} {{range $name, $_ := .Runtimes}}{{$name}} {{end}}",
    ]);
    assert_eq!(said.expect(0).line(), "other coracle other");
    let said = run(&mut other.engine.daemon_command(&["--add-runtime", "x=/nosuch"]));
    assert!(
        said.code == 1 && said.stderr.contains("--add-runtime x=/nosuch: there is no program \"/nosuch\""),
        "{said:?}"
    );
    other.engine.finish();
}
