//! What a container shares with its host, and what it may do to it: `--privileged`, `--device`, `--pid`, `--sysctl`, `--cgroup-parent` and
//! their kin. Those that dockerd can do on any machine are compared with it in `parity.txt`.

use crate::harness::{Engine, Said, Who, wait_until};
use crate::needs;
use std::path::Path;

#[track_caller]
fn shell(engine: &Engine, flags: &[&str], script: &str) -> Said {
    engine.docker(&[&["run", "--rm"], flags, &["busybox", "sh", "-c", script]].concat())
}

fn with_busybox(who: Who, test: impl FnOnce(&mut Engine)) {
    let mut engine = Engine::start_as(who);
    engine.import_busybox();
    test(&mut engine);
    engine.finish();
}

/// The capabilities in hand of whoever reads this.
const EFFECTIVE: &str = "grep CapEff /proc/self/status";

#[test]
fn a_privileged_container_may_do_what_its_daemon_may() {
    needs!(root);
    needs!("docker");
    with_busybox(Who::Coracle, |engine| {
        let own = std::fs::read_to_string("/proc/self/status").expect("status");
        let own = own.lines().find(|line| line.starts_with("CapEff")).expect("a line");
        let privileged = &["--privileged"];
        assert_eq!(shell(engine, privileged, EFFECTIVE).expect(0).line(), own);
        assert_eq!(
            shell(engine, privileged, "grep Seccomp: /proc/self/status").expect(0).line(),
            "Seccomp:\t0"
        );
        let script = "mount -t tmpfs none /tmp && touch /proc/sys/net/ipv4/ip_forward && grep -c ' ro[ ,]' /proc/mounts";
        assert_eq!(shell(engine, privileged, script).expect(1).line(), "0", "nothing is read-only");
        let devices = shell(engine, privileged, "cd /dev; stat -c '%n %t:%T' kmsg null tty").expect(0).stdout;
        assert_eq!(devices, "kmsg 1:b\nnull 1:3\ntty 5:0\n");
        assert_eq!(shell(engine, &["--privileged", "--cap-drop", "ALL"], EFFECTIVE).expect(0).line(), own);
        // One more process may do more than the container.
        engine.docker(&["run", "-d", "--name", "plain", "busybox", "sleep", "1000"]).expect(0);
        engine.docker(&["exec", "plain", "mount", "-t", "tmpfs", "none", "/tmp"]).expect(1);
        let said = engine.docker(&["exec", "--privileged", "plain", "sh", "-c", EFFECTIVE]).expect(0);
        assert_eq!(said.line(), own);
        engine.docker(&["rm", "-f", "plain"]).expect(0);
    });
}

#[test]
fn processes_that_share_the_hosts_numbers_end_with_their_container() {
    needs!(root);
    needs!("docker");
    with_busybox(Who::Coracle, |engine| {
        let said = shell(engine, &["--pid", "host"], "sleep 1357 & echo $!").expect(0);
        let left = format!("/proc/{}", said.line());
        wait_until("the process in the background ends", || !Path::new(&left).exists());
        engine.docker(&["run", "-d", "--name", "first", "busybox", "sleep", "1000"]).expect(0);
        let said =
            shell(engine, &["--pid", "container:first"], "sleep 1357 & tr '\\0' ' ' < /proc/1/cmdline")
                .expect(0);
        assert_eq!(said.line(), "sleep 1000");
        wait_until("only the first process is left", || {
            engine.docker(&["exec", "first", "sh", "-c", "grep -q '135[7]' /proc/[0-9]*/cmdline"]).code == 1
        });
        engine.docker(&["rm", "-f", "first"]).expect(0);
        let said = shell(engine, &["--pid", "container:first"], "true").expect(125);
        assert!(said.stderr.contains("No such container: first"), "{}", said.stderr);
    });
}

#[test]
fn memory_is_shared_with_a_container_that_offers_it() {
    needs!(root);
    needs!("docker");
    with_busybox(Who::Coracle, |engine| {
        let sleeps = |name: &str, ipc: &str| {
            engine
                .docker(&[
                    "run",
                    "-d",
                    "--name",
                    name,
                    "--ipc",
                    ipc,
                    "--shm-size",
                    "1m",
                    "busybox",
                    "sleep",
                    "1000",
                ])
                .expect(0);
        };
        sleeps("offering", "shareable");
        let joined = &["--ipc", "container:offering"];
        let said = shell(engine, joined, "echo shared > /dev/shm/file; readlink /proc/self/ns/ipc; grep -c ' /dev/shm tmpfs .*size=1024k' /proc/mounts").expect(0);
        let own =
            engine.docker(&["exec", "offering", "sh", "-c", "readlink /proc/self/ns/ipc; echo 1"]).expect(0);
        assert_eq!(
            said.stdout, own.stdout,
            "one namespace, and one file system of the size that was asked for"
        );
        assert_eq!(engine.docker(&["exec", "offering", "cat", "/dev/shm/file"]).expect(0).line(), "shared");
        // It outlives whoever offered it, and can be joined by way of whoever joined it.
        sleeps("second", "container:offering");
        engine.docker(&["rm", "-f", "offering"]).expect(0);
        assert_eq!(
            shell(engine, &["--ipc", "container:second"], "cat /dev/shm/file").expect(0).line(),
            "shared"
        );
        sleeps("closed", "private");
        engine.docker(&["create", "--name", "idle", "--ipc", "shareable", "busybox", "true"]).expect(0);
        let refusals = [
            ("closed", "non-shareable IPC (hint: use IpcMode:shareable"),
            ("idle", " is not running"),
            ("offering", "No such container: offering"),
        ];
        for (name, why) in refusals {
            let said = shell(engine, &["--ipc", &format!("container:{name}")], "true").expect(125);
            assert!(said.stderr.contains(why), "{}", said.stderr);
        }
        engine.docker(&["rm", "-f", "second", "closed", "idle"]).expect(0);
    });
}

#[test]
fn settings_of_the_machine_are_not_a_containers_to_change() {
    needs!(root);
    needs!("docker");
    with_busybox(Who::Coracle, |engine| {
        let forwarding = || std::fs::read_to_string("/proc/sys/net/ipv4/ip_forward").expect("a sysctl");
        let before = forwarding();
        let other = if before.trim() == "0" { "1" } else { "0" };
        let sysctl = format!("net.ipv4.ip_forward={other}");
        let said = shell(engine, &["--network", "host", "--sysctl", &sysctl], "true").expect(125);
        assert!(said.stderr.contains("not allowed in host network namespace"), "{}", said.stderr);
        let said = shell(engine, &["--ipc", "host", "--sysctl", "kernel.shmmni=77"], "true").expect(125);
        assert!(said.stderr.contains("not allowed in the hosts ipc namespace"), "{}", said.stderr);
        let said = shell(engine, &["--sysctl", &sysctl], "cat /proc/sys/net/ipv4/ip_forward").expect(0);
        assert_eq!((said.line(), forwarding()), (other, before));
        assert_eq!(engine.docker(&["ps", "--all", "--quiet"]).expect(0).stdout, "");
    });
}

#[test]
fn a_seccomp_profile_of_ones_own_decides() {
    needs!(root);
    needs!("docker");
    with_busybox(Who::Coracle, |engine| {
        let file = |name: &str, text: &str| {
            let path = engine.folder().join(name);
            std::fs::write(&path, text).expect("a profile");
            format!("seccomp={}", path.display())
        };
        let rule = r#"{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}"#;
        let no_folders =
            file("folders.json", &format!(r#"{{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{rule}]}}"#));
        let broken = file("broken.json", r#"{"defaultAction": "SCMP_ACT_SOMETIMES"}"#);
        for client in [Engine::docker, Engine::coracle] {
            let run = |profile: &str| {
                client(engine, &["run", "--rm", "--security-opt", profile, "busybox", "mkdir", "/x"])
            };
            assert!(run(&no_folders).expect(1).stderr.contains("Function not implemented"));
            let said = run(&broken).expect(125);
            assert!(
                said.stderr.contains("Decoding seccomp profile failed: unknown variant"),
                "{}",
                said.stderr
            );
            run("seccomp=unconfined").expect(0);
        }
        // One more process in the container has its filter.
        engine
            .docker(&[
                "run",
                "-d",
                "--name",
                "filtered",
                "--security-opt",
                &no_folders,
                "busybox",
                "sleep",
                "1000",
            ])
            .expect(0);
        engine.docker(&["exec", "filtered", "mkdir", "/x"]).expect(1);
        engine.docker(&["rm", "-f", "filtered"]).expect(0);
    });
}

#[test]
fn a_group_and_a_disk_are_found_in_the_kernels_files() {
    needs!(root);
    needs!("docker");
    with_busybox(Who::Coracle, |engine| {
        let parent = format!("{}-parent", engine.folder().file_name().expect("a name").display());
        let said = shell(engine, &["--cgroup-parent", &parent], "cat /proc/self/cgroup").expect(0);
        let group = format!("/{parent}/");
        assert!(said.stdout.lines().any(|line| line.contains(&group)), "{}", said.stdout);
        // The container's own group is gone; what it was made in stays, as Docker leaves it.
        let left = crate::harness::leftovers::cgroups(&parent);
        assert!(!left.is_empty());
        for folder in left {
            std::fs::remove_dir(&folder).expect("an empty group");
        }
        let said = shell(engine, &["--device-read-bps", "/dev/nosuch:1mb"], "true").expect(127);
        assert!(said.stderr.contains("disk /dev/nosuch: no such file or directory"), "{}", said.stderr);
        let said = shell(engine, &["--device-write-iops", "/dev/null:5"], "true").expect(125);
        assert!(said.stderr.contains("disk /dev/null: not a block device"), "{}", said.stderr);
    });
}

#[test]
fn an_ordinary_user_shares_what_is_theirs() {
    needs!(root);
    needs!("docker");
    with_busybox(Who::CoracleRootless, |engine| {
        let said = shell(engine, &["--privileged"], "mount -t tmpfs none /tmp && echo mounted").expect(0);
        assert_eq!(said.line(), "mounted");
        let said = shell(engine, &["--pid", "host"], "test $$ -gt 2 && echo shared").expect(0);
        assert_eq!(said.line(), "shared");
        let said = shell(engine, &["--device", "/dev/fuse"], "true").expect(125);
        let refusal = "--device (HostConfig.Devices) cannot be honoured: only root's daemon can do it";
        assert!(said.stderr.contains(refusal), "{}", said.stderr);
        let said = shell(engine, &["--cgroup-parent", "/mine"], "true").expect(125);
        assert!(
            said.stderr.contains("--cgroup-parent (HostConfig.CgroupParent) cannot be honoured"),
            "{}",
            said.stderr
        );
    });
}
