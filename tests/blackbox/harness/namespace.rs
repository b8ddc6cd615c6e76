//! A network namespace of a test's own, held by a sleeping process.

use super::{is_root, run, wait_until};
use std::process::{Child, Command, Stdio};

/// A network namespace with nothing but a loopback device; it ends with its holder.
pub struct Namespace {
    holder: Child,
}

impl Namespace {
    /// Makes the namespace. An ordinary user has none to make: their commands run where the test runs.
    pub fn new() -> Option<Namespace> {
        if !is_root() {
            return None;
        }
        // Not `ip netns`: it remounts /sys and so hides the v1 hierarchies.
        let holder = Command::new("unshare")
            .args(["--net", "sh", "-c", "ip link set lo up && echo up && exec sleep 100000"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare (package util-linux)");
        let mut namespace = Namespace { holder };
        let mut said = [0; 3];
        std::io::Read::read_exact(namespace.holder.stdout.as_mut().expect("piped"), &mut said)
            .expect("the namespace comes up");
        wait_until("the loopback device is up", || {
            namespace.run("ip", &["-brief", "link"]).stdout.starts_with("lo")
        });
        Some(namespace)
    }

    /// The namespace's file, as `nsenter --net=` takes it.
    pub fn path(&self) -> String {
        format!("/proc/{}/ns/net", self.holder.id())
    }

    /// The process that holds the namespace.
    pub fn holder(&self) -> u32 {
        self.holder.id()
    }

    /// A command that will run inside.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", self.path())).arg("--").arg(program);
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) -> super::Said {
        run(self.command(program).args(arguments))
    }

    /// The links besides the loopback device, one name each.
    pub fn links(&self) -> Vec<String> {
        let said = self.run("ip", &["-brief", "link"]).expect(0);
        let names = said.stdout.lines().filter_map(|line| line.split_whitespace().next());
        names.filter(|name| *name != "lo").map(String::from).collect()
    }

    /// The packet filter's rules, empty when there are none.
    pub fn rules(&self) -> String {
        self.run("nft", &["list", "ruleset"]).expect(0).stdout
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
