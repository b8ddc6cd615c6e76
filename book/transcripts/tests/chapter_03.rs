//! The sessions of chapter 03: by root, where cgroup v2 is all there is. Elsewhere the virtual machine runs them.
#![forbid(unsafe_code)]

mod record;

use nix::unistd::geteuid;
use skipped::skip;
use std::path::Path;
use std::sync::Mutex;

const PACKAGES: &[&str] = &["chroot", "namespaces", "cgroups"];

static ONE: Mutex<()> = Mutex::new(());

/// Records a session, if this machine is one on which it says what the page says.
fn record(name: &str, commands: &[&str]) {
    let is_v2_alone = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
    if !geteuid().is_root() || !is_v2_alone {
        return skip(
            &format!("transcripts::{name}"),
            "it needs root, and cgroup v2 alone: cargo xtask vm test",
        );
    }
    // Sessions share the group above theirs, and find what a machine's first process has done before anybody logs in.
    let _one_at_a_time = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    std::fs::write("/sys/fs/cgroup/cgroup.subtree_control", "+cpuset +cpu +io +memory +pids")
        .expect("every controller that containers use");
    record::record(PACKAGES, name, commands);
}

#[test]
fn without_limits_nobody_stops_it() {
    record(
        "cgroups-hog",
        &[
            "cargo xtask rootfs target/rootfs",
            "cargo run -q -p namespaces -- target/rootfs sh -c 'yes | head -c 60m | tail -c 60m | wc -c'",
            "touch target/rootfs/dev/null",
            "cargo run -q -p namespaces -- target/rootfs sh -c 'for n in $(seq 100); do sleep 9 & done; set -- /proc/[0-9]*; echo $# processes'",
        ],
    );
}

#[test]
fn limits_hold() {
    record(
        "cgroups-run",
        &[
            "cargo xtask rootfs target/rootfs",
            "cargo run -q -p cgroups -- --memory 16m target/rootfs sh -c '(yes | head -c 60m | tail -c 60m) | wc -c'",
            "touch target/rootfs/dev/null",
            "cargo run -q -p cgroups -- --pids 8 target/rootfs sh -c 'for n in $(seq 100); do sleep 9 & done'; echo $?",
            "cargo run -q -p cgroups -- --memory 16m target/rootfs sh -c 'yes | head -c 60m > /big; wc -c /big; rm /big'",
            "cargo run -q -p cgroups -- --cpuset 4000 target/rootfs; echo $?",
        ],
    );
}

#[test]
fn seen_from_outside() {
    record(
        "cgroups-outside",
        &[
            "cargo xtask rootfs target/rootfs",
            "cargo run -q -p cgroups -- --memory 16m --pids 8 --cpus 0.2 target/rootfs sh -c 'while :; do :; done' & engine=$!",
            "group=/sys/fs/cgroup/coracle/$engine",
            "for try in $(seq 100); do grep -q . $group/cgroup.procs 2>/dev/null && break; sleep 0.1; done",
            "cat /proc/$(cat $group/cgroup.procs)/cgroup",
            "cd $group; grep . memory.max memory.swap.max pids.max cpu.max ../cgroup.subtree_control; cd - >/dev/null",
            "sleep 2; awk '/nr_throttled/ {print ($2 > 5) ? \"throttled\" : \"free\"}' $group/cpu.stat",
            "echo 1 > $group/cgroup.freeze; until grep 'frozen 1' $group/cgroup.events; do sleep 0.1; done",
            "echo 1 > $group/cgroup.kill; wait $engine || echo ended with $?",
            "[ -e $group ] || echo its group is gone",
        ],
    );
}

#[test]
fn the_calls_of_the_plan() {
    record(
        "cgroups-strace",
        &[
            "cargo xtask rootfs target/rootfs",
            "strace -a1 -y -qq -e signal=none -e trace=mkdir,write,clone3,rmdir \\\n    target/*/debug/cgroups --memory 16m --cpu-shares 512 target/rootfs /bin/true 2>&1 | grep cgroup",
        ],
    );
}

#[test]
fn nobody_raises_their_own_limit() {
    record(
        "cgroups-view",
        &[
            "cargo xtask rootfs target/rootfs",
            "cargo run -q -p cgroups --example naive_view -- target/rootfs",
            "cargo run -q -p cgroups -- --memory 16m target/rootfs sh -c 'echo max > /sys/fs/cgroup/memory.max'",
            "cargo run -q -p cgroups -- --memory 16m target/rootfs sh -c 'cat /proc/self/cgroup /sys/fs/cgroup/memory.max'",
        ],
    );
}
