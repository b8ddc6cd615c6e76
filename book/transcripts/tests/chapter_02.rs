//! The sessions of chapter 02.
#![forbid(unsafe_code)]

mod record;

use record::record;

const PACKAGES: &[&str] = &["chroot", "namespaces"];

#[test]
fn a_root_alone_lets_others_be_killed() {
    record(
        PACKAGES,
        "namespaces-kill",
        &[
            "cargo xtask rootfs target/rootfs",
            "sleep 60 & victim=$!",
            "cargo run -q -p chroot -- target/rootfs kill $victim",
            "wait $victim 2>/dev/null || echo ended with $?",
        ],
    );
}

#[test]
fn in_namespaces_there_is_nobody_to_kill() {
    record(
        PACKAGES,
        "namespaces-no-kill",
        &[
            "cargo xtask rootfs target/rootfs",
            "sleep 60 & victim=$!",
            "cargo run -q -p namespaces -- target/rootfs kill $victim",
            "kill $victim && echo it was still there",
        ],
    );
}

#[test]
fn everything_of_its_own() {
    record(
        PACKAGES,
        "namespaces-run",
        &[
            "cargo xtask rootfs target/rootfs",
            "cargo run -q -p namespaces -- target/rootfs sh -c 'echo process $$, user $(id -u), host $(hostname)'",
            "cargo run -q -p namespaces -- target/rootfs ps",
            "cargo run -q -p namespaces -- target/rootfs ip link show",
            "cargo run -q -p namespaces -- target/rootfs sh -c 'kill -9 $$; exit 42'; echo $?",
            "cargo run -q -p namespaces -- target/rootfs nothing; echo $?",
        ],
    );
}

#[test]
fn seen_from_outside() {
    record(
        PACKAGES,
        "namespaces-outside",
        &[
            "cargo xtask rootfs target/rootfs",
            "cargo run -q -p namespaces -- target/rootfs sleep 60 & engine=$!",
            "for try in $(seq 100); do container=$(pgrep -P $engine) && [ \"$(cat /proc/$container/comm)\" = sleep ] && break; sleep 0.1; done",
            "for kind in mnt pid net uts ipc user cgroup time; do readlink /proc/self/ns/$kind /proc/$container/ns/$kind; done",
            "awk '/^NSpid/ {print \"inside it is process\", $3}' /proc/$container/status",
            "kill $container; cat /proc/$container/comm",
            "kill -9 $container; wait $engine || echo ended with $?",
        ],
    );
}

#[test]
fn the_calls_of_both_sides() {
    record(
        PACKAGES,
        "namespaces-strace",
        &[
            "cargo xtask rootfs target/rootfs",
            "rm -f target/calls.*",
            "strace -ff -qq -e signal=none -e trace=clone3,setresuid,unshare,sethostname,ioctl,pivot_root -o target/calls \\\n    target/*/debug/namespaces target/rootfs /bin/true",
            "cat target/calls.*",
        ],
    );
}
