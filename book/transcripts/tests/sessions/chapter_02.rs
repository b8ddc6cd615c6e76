//! Table: the sessions of chapter 02, in the order of its pages.

use crate::Session;

pub const SESSIONS: &[Session] = &[
    Session {
        name: "namespaces-kill",
        commands: &[
            "cargo xtask rootfs target/rootfs",
            "sleep 60 & victim=$!",
            "cargo run -q -p chroot -- target/rootfs kill $victim",
            "wait $victim 2>/dev/null || echo ended with $?",
        ],
    },
    Session {
        name: "namespaces-run",
        commands: &[
            "cargo xtask rootfs target/rootfs",
            "cargo run -q -p namespaces -- target/rootfs sh -c 'echo process $$, user $(id -u), host $(hostname)'",
            "cargo run -q -p namespaces -- target/rootfs ps",
            "cargo run -q -p namespaces -- target/rootfs ip link show",
            "cargo run -q -p namespaces -- target/rootfs sh -c 'kill -9 $$; exit 42'; echo $?",
            "cargo run -q -p namespaces -- target/rootfs nothing; echo $?",
        ],
    },
    Session {
        name: "namespaces-outside",
        commands: &[
            "cargo xtask rootfs target/rootfs",
            "cargo run -q -p namespaces -- target/rootfs sleep 60 & engine=$!",
            "for try in $(seq 100); do container=$(pgrep -P $engine) && [ \"$(cat /proc/$container/comm)\" = sleep ] && break; sleep 0.1; done",
            "for kind in mnt pid net uts ipc user cgroup time; do readlink /proc/self/ns/$kind /proc/$container/ns/$kind; done",
            "awk '/^NSpid/ {print \"inside it is process\", $3}' /proc/$container/status",
            "kill $container; cat /proc/$container/comm",
            "kill -9 $container; wait $engine || echo ended with $?",
        ],
    },
    Session {
        name: "namespaces-strace",
        commands: &[
            "cargo xtask rootfs target/rootfs",
            "rm -f target/calls.*",
            "strace -ff -qq -e signal=none -e trace=clone3,setresuid,unshare,sethostname,ioctl,pivot_root -o target/calls \\\n    target/*/debug/namespaces target/rootfs /bin/true",
            "cat target/calls.*",
        ],
    },
    Session {
        name: "namespaces-no-kill",
        commands: &[
            "cargo xtask rootfs target/rootfs",
            "sleep 60 & victim=$!",
            "cargo run -q -p namespaces -- target/rootfs kill $victim",
            "kill $victim && echo it was still there",
        ],
    },
];
