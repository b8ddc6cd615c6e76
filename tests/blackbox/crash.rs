//! `kill -9` of the daemon at random moments, spread over every transition of a container's state.
//!
//! What a client was told stays true; containers run on, their logs go on, and exit codes that fell in between are reported.

use crate::harness::{Engine, Said, Who, is_installed, wait_until};
use crate::needs;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use std::process::{Child, Stdio};
use std::time::Duration;

/// How many kills the short tier makes; the long one multiplies it.
const KILLS: u32 = 100;

/// What provokes a transition, and checks what must hold afterwards.
type Transition = fn(&mut Round);

/// The transitions, each with what provokes it and what must hold when the next daemon answers.
const TRANSITIONS: &[(&str, Transition)] = &[
    ("absent -> created", |round| round.create()),
    ("created -> running", |round| round.start()),
    ("running, writing logs", |round| round.write_logs()),
    ("running -> exited", |round| round.exit()),
    ("running -> stopped", |round| round.stop()),
    ("running -> killed", |round| round.kill()),
    ("running -> paused -> running", |round| round.pause()),
    ("exec in a running one", |round| round.exec()),
    ("exited -> running", |round| round.start_again()),
    ("exited -> removed", |round| round.remove()),
    ("running -> removed by force", |round| round.remove_by_force()),
    ("exited -> removed by itself (--rm)", |round| round.remove_itself()),
];

#[test]
fn seeded_kills_of_the_daemon_lose_and_leave_nothing() {
    needs!(root);
    needs!("docker");
    survives(Who::Coracle, TRANSITIONS, KILLS);
}

/// Without a cgroup nothing can be paused, and what is left of a container ends with its PID namespace alone.
#[test]
fn an_ordinary_users_daemon_is_killed_as_well() {
    needs!(root);
    needs!("docker");
    let possible: Vec<_> =
        TRANSITIONS.iter().copied().filter(|(transition, _)| !transition.contains("paused")).collect();
    survives(Who::CoracleRootless, &possible, possible.len() as u32);
}

/// Each of another runtime's verbs is a process that may outlive the daemon.
#[test]
fn a_daemon_is_killed_while_another_runtime_is_at_work() {
    needs!(root);
    needs!("docker");
    needs!("runc");
    let engine = Engine::start_with(&["--add-runtime", "runc=runc", "--default-runtime", "runc"], None);
    survive(engine, TRANSITIONS, 2 * TRANSITIONS.len() as u32);
}

fn survives(who: Who, transitions: &[(&'static str, Transition)], kills: u32) {
    survive(Engine::start_as(who), transitions, kills);
}

fn survive(mut engine: Engine, transitions: &[(&'static str, Transition)], kills: u32) {
    engine.import_busybox();
    let mut random = Random(number("CORACLE_SEED", 1));
    let kills = kills * number("CORACLE_FACTOR", 1) as u32;
    let mut counted = BTreeMap::new();
    for kill in 0..kills {
        let (name, transition) = transitions[kill as usize % transitions.len()];
        let mut round = Round { engine: &mut engine, random: &mut random, name: format!("round{kill}") };
        transition(&mut round);
        *counted.entry(name).or_insert(0) += 1;
    }
    for (transition, kills) in &counted {
        println!("{kills:4} kills: {transition}");
    }
    assert_eq!(counted.values().sum::<u32>(), kills);
    engine.finish();
}

/// Whether a daemon is there to see it or not, a container ends with its supervisor, with all of its processes.
#[test]
fn a_supervisor_that_is_killed_takes_its_container_along() {
    needs!(root);
    needs!("docker");
    let mut engines = vec![Engine::start_as(Who::Coracle), Engine::start_as(Who::CoracleRootless)];
    if is_installed("runc") {
        engines.push(Engine::start_with(&["--add-runtime", "runc=runc", "--default-runtime", "runc"], None));
    }
    for mut engine in engines {
        engine.import_busybox();
        let script = "sleep 1000 & (sleep 1000 &); echo ready; exec sleep 1000";
        for watched in [true, false] {
            let run = ["run", "-d", "--name", "bereft", "busybox", "sh", "-c", script];
            let id = engine.docker(&run).expect(0).line().to_owned();
            wait_until("it is ready", || engine.docker(&["logs", "bereft"]).stdout == "ready\n");
            if !watched {
                engine.kill_daemon();
            }
            kill(supervisor_of(&id), Signal::SIGKILL).expect("it lives");
            if !watched {
                engine.start_daemon();
            }
            assert_eq!(engine.docker(&["wait", "bereft"]).expect(0).line(), "137");
            assert_eq!(engine.docker(&["logs", "bereft"]).expect(0).stdout, "ready\n");
            engine.docker(&["start", "bereft"]).expect(0);
            engine.docker(&["rm", "--force", "bereft"]).expect(0);
        }
        engine.finish();
    }
}

#[test]
fn an_exec_whose_supervisor_is_killed_has_an_exit_code() {
    needs!(root);
    needs!("docker");
    let engine = Engine::start();
    engine.import_busybox();
    engine.docker(&["run", "-d", "--name", "host", "busybox", "sleep", "1000"]).expect(0);
    for client in [Engine::docker_command, Engine::coracle_command] {
        let mut command = client(&engine, &["exec", "host", "sh", "-c", "echo ready; exec sleep 2000"]);
        let running =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the client starts");
        let sessions = engine.folder().join("exec/exec");
        let is_running = || engine.docker(&["exec", "host", "ps"]).stdout.contains("sleep 2000");
        wait_until("the command runs", is_running);
        let session = std::fs::read_dir(&sessions).expect("sessions").flatten().find(|session| {
            std::fs::read_to_string(session.path().join("launch.json"))
                .is_ok_and(|launch| launch.contains("2000"))
        });
        kill(supervisor_of(&session.expect("the session").path().display().to_string()), Signal::SIGKILL)
            .expect("it lives");
        let said = Said::from(running.wait_with_output().expect("the client ends")).expect(137);
        assert_eq!(said.stdout, "ready\n");
        wait_until("the command ends with its supervisor", || !is_running());
    }
    engine.docker(&["exec", "host", "true"]).expect(0);
    engine.finish();
}

/// The process whose command line is that of the supervisor of a container, or of a session, by its id or folder.
fn supervisor_of(id: &str) -> Pid {
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
    let pid = processes.filter_map(|process| {
        let command = std::fs::read_to_string(process.path().join("cmdline")).ok()?;
        let pid = process.file_name().to_string_lossy().parse().ok()?;
        (command.starts_with("supervise\0") && command.contains(id)).then(|| Pid::from_raw(pid))
    });
    pid.last().expect("a supervisor")
}

/// One kill: a container, a moment, and what must hold afterwards.
struct Round<'a> {
    engine: &'a mut Engine,
    random: &'a mut Random,
    name: String,
}

impl Round<'_> {
    fn create(&mut self) {
        let name = self.name.clone();
        let said = self.kill_during(&["create", "--name", &name, "busybox", "true"], 20);
        if said.code == 0 {
            assert_eq!(self.status(), "created", "an acknowledged container is lost");
        }
        self.remove_if_there();
    }

    fn start(&mut self) {
        let name = self.name.clone();
        self.docker(&["create", "--name", &name, "busybox", "sh", "-c", "echo up; exec sleep 1000"])
            .expect(0);
        let said = self.kill_during(&["start", &name], 40);
        if said.code == 0 {
            assert_eq!(self.status(), "running", "an acknowledged start is lost");
            wait_until("the container's output is logged", || self.docker(&["logs", &name]).stdout == "up\n");
        } else {
            let status = self.status();
            assert!(
                ["created", "running", "exited"].contains(&status.as_str()),
                "after an interrupted start: {status}"
            );
        }
        self.remove_if_there();
    }

    fn write_logs(&mut self) {
        let name = self.name.clone();
        let count = "i=0; while [ $i -lt 200 ]; do echo $i; i=$((i+1)); sleep 0.001; done; exit 5";
        self.docker(&["run", "--detach", "--name", &name, "busybox", "sh", "-c", count]).expect(0);
        self.kill_after_a_moment(200);
        assert_eq!(self.docker(&["wait", &name]).expect(0).line(), "5");
        let expected: String = (0..200).map(|line| format!("{line}\n")).collect();
        assert_eq!(self.docker(&["logs", &name]).expect(0).stdout, expected, "the log has a gap");
        self.remove_if_there();
    }

    fn exit(&mut self) {
        let name = self.name.clone();
        self.docker(&["run", "--detach", "--name", &name, "busybox", "sh", "-c", "sleep 0.03; exit 7"])
            .expect(0);
        self.kill_after_a_moment(60);
        assert_eq!(self.docker(&["wait", &name]).expect(0).line(), "7", "an exit code is lost");
        assert_eq!(self.status(), "exited");
        self.remove_if_there();
    }

    fn stop(&mut self) {
        let name = self.run_sleeping("trap 'exit 3' TERM; echo ready; while :; do sleep 0.01; done");
        self.kill_during(&["stop", &name], 40);
        self.docker(&["stop", &name]).expect(0);
        let code = self.docker(&["wait", &name]).expect(0);
        assert_eq!(code.line(), "3", "the code with which it obeyed is lost");
        self.remove_if_there();
    }

    fn kill(&mut self) {
        let name = self.run_sleeping("echo ready; exec sleep 1000");
        self.kill_during(&["kill", &name], 20);
        if self.status() == "running" {
            self.docker(&["kill", &name]);
        }
        assert_eq!(self.docker(&["wait", &name]).expect(0).line(), "137");
        self.remove_if_there();
    }

    fn pause(&mut self) {
        let name = self.run_sleeping("echo ready; exec sleep 1000");
        let said = self.kill_during(&["pause", &name], 20);
        let status = self.status();
        assert!(said.code != 0 || status == "paused", "an acknowledged pause is lost: {status}");
        if status == "paused" {
            self.docker(&["unpause", &name]).expect(0);
        }
        assert_eq!(self.docker(&["exec", &name, "echo", "alive"]).expect(0).line(), "alive");
        self.remove_if_there();
    }

    fn exec(&mut self) {
        let name = self.run_sleeping("echo ready; exec sleep 1000");
        self.kill_during(&["exec", &name, "sh", "-c", "sleep 0.01; echo done"], 40);
        assert_eq!(self.status(), "running", "an exec took its container down");
        assert_eq!(self.docker(&["exec", &name, "echo", "again"]).expect(0).line(), "again");
        self.remove_if_there();
    }

    fn start_again(&mut self) {
        let name = self.name.clone();
        self.docker(&["run", "--name", &name, "busybox", "sh", "-c", "echo once; exit 4"]).expect(4);
        let said = self.kill_during(&["start", &name], 40);
        if said.code == 0 {
            assert_eq!(self.docker(&["wait", &name]).expect(0).line(), "4");
        }
        self.remove_if_there();
    }

    fn remove(&mut self) {
        let name = self.name.clone();
        self.docker(&["run", "--name", &name, "busybox", "true"]).expect(0);
        let said = self.kill_during(&["rm", &name], 20);
        assert!(said.code != 0 || !self.exists(), "a removed container came back");
        self.remove_if_there();
    }

    fn remove_by_force(&mut self) {
        let name = self.run_sleeping("echo ready; exec sleep 1000");
        let said = self.kill_during(&["rm", "--force", &name], 40);
        assert!(said.code != 0 || !self.exists(), "a removed container came back");
        self.remove_if_there();
    }

    fn remove_itself(&mut self) {
        let name = self.name.clone();
        self.kill_during(&["run", "--rm", "--name", &name, "busybox", "sleep", "0.02"], 120);
        // Killed before the start was acknowledged, it is a created container, which --rm does not concern.
        wait_until("it has removed itself", || !self.exists() || self.status() == "created");
        self.remove_if_there();
    }

    /// Starts a container that says `ready`, and waits until it has.
    fn run_sleeping(&mut self, script: &str) -> String {
        let name = self.name.clone();
        self.docker(&["run", "--detach", "--name", &name, "busybox", "sh", "-c", script]).expect(0);
        wait_until("the container is ready", || self.docker(&["logs", &name]).stdout == "ready\n");
        name
    }

    /// Starts a client, kills the daemon within so many milliseconds, and starts another daemon.
    fn kill_during(&mut self, arguments: &[&str], within: u64) -> Said {
        let mut command = self.engine.docker_command(arguments);
        let client: Child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the client starts");
        self.kill_after_a_moment(within);
        client.wait_with_output().expect("the client ends").into()
    }

    fn kill_after_a_moment(&mut self, within: u64) {
        std::thread::sleep(Duration::from_micros(self.random.below(within * 1000))); // poll: the moment is the seed's
        self.engine.kill_daemon();
        self.engine.start_daemon();
    }

    fn docker(&self, arguments: &[&str]) -> Said {
        self.engine.docker(arguments)
    }

    fn exists(&self) -> bool {
        self.docker(&["inspect", "--type", "container", &self.name]).code == 0
    }

    fn status(&self) -> String {
        self.docker(&["inspect", "--format", "{{.State.Status}}", &self.name]).line().to_string()
    }

    fn remove_if_there(&mut self) {
        if self.exists() {
            self.docker(&["rm", "--force", &self.name]).expect(0);
        }
        assert!(!self.exists());
    }
}

/// A small generator, so that a seed repeats a failure exactly (xorshift64*).
pub struct Random(pub u64);

impl Random {
    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) % bound
    }
}

/// A number from the environment, as `cargo xtask long` sets it.
pub fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}
