//! Table: the sessions of chapter 01, in the order of its pages.

use crate::Session;

pub const SESSIONS: &[Session] = &[
    Session {
        name: "chroot-escape",
        commands: &[
            "mkdir -p target/jail",
            "cargo run -q -p chroot --example chroot_escape -- chroot target/jail",
        ],
    },
    Session {
        name: "chroot-run",
        commands: &[
            "cargo xtask rootfs target/rootfs",
            "cargo run -q -p chroot -- target/rootfs ls /",
            "cargo run -q -p chroot -- target/rootfs ls /home",
            "cargo run -q -p chroot -- target/rootfs touch /made-inside; ls target/rootfs/made-inside",
            "cargo run -q -p chroot -- target/rootfs nothing",
        ],
    },
    Session {
        name: "chroot-outside",
        commands: &[
            "cargo xtask rootfs target/rootfs",
            "cargo run -q -p chroot -- target/rootfs sleep 60 & sleeper=$!",
            "for try in $(seq 100); do [ \"$(cat /proc/$sleeper/comm)\" = sleep ] && break; sleep 0.1; done",
            "ls /proc/$sleeper/root/",
            "readlink /proc/self/ns/mnt /proc/$sleeper/ns/mnt /proc/self/ns/net /proc/$sleeper/ns/net",
            "cut -d' ' -f5 /proc/$sleeper/mountinfo | head -n 2",
            "grep -c target/rootfs /proc/self/mountinfo",
            "kill $sleeper",
        ],
    },
    Session {
        name: "chroot-strace",
        commands: &[
            "cargo xtask rootfs target/rootfs",
            "strace -qq -e signal=none -e trace=unshare,mount,open_tree,move_mount,openat2,fchdir,pivot_root,umount2,chdir \\\n    target/*/debug/chroot target/rootfs /bin/true",
        ],
    },
    Session {
        name: "chroot-fence",
        commands: &[
            "cargo xtask rootfs target/rootfs",
            "mkdir target/victim",
            "rmdir target/rootfs/proc; ln -s ../victim target/rootfs/proc",
            "unshare -rm sh -c 'mount --rbind /proc target/rootfs/proc; ls target/victim | grep -x self'",
            "cargo run -q -p chroot -- target/rootfs ls /victim/self/comm; ls -A target/victim",
            "rm -r target/rootfs target/victim",
        ],
    },
    Session {
        name: "chroot-no-escape",
        commands: &[
            "mkdir -p target/jail",
            "cargo run -q -p chroot --example chroot_escape -- plan target/jail",
        ],
    },
];
