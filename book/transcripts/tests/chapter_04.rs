//! The sessions of chapter 04.
#![forbid(unsafe_code)]

mod record;

use record::record;

const PACKAGES: &[&str] = &["chroot", "namespaces", "privileges"];

#[test]
fn the_container_s_root_undoes_what_was_done() {
    record(
        PACKAGES,
        "privileges-all",
        &[
            "cargo xtask rootfs target/rootfs",
            "cargo run -q -p namespaces -- target/rootfs grep CapEff /proc/self/status",
            "cargo run -q -p namespaces -- target/rootfs sh -c 'umount /proc && ls -A /proc && echo nothing is there'",
            "cargo run -q -p namespaces -- target/rootfs sh -c 'mount -t tmpfs mine /bin && echo mounted'",
        ],
    );
}

#[test]
fn few_are_left() {
    record(
        PACKAGES,
        "privileges-run",
        &[
            "cargo xtask rootfs target/rootfs",
            "cargo run -q -p privileges -- target/rootfs grep CapEff /proc/self/status",
            "cargo run -q -p privileges -- target/rootfs umount /proc",
            "cargo run -q -p privileges -- target/rootfs hostname other",
            "cargo run -q -p privileges -- --cap-add CAP_SYS_ADMIN target/rootfs sh -c 'hostname other && hostname'",
            "cargo run -q -p privileges -- --no-filter target/rootfs hostname other",
            "cargo run -q -p privileges -- --ulimit RLIMIT_NOFILE=64 target/rootfs sh -c 'ulimit -n'",
            "cargo run -q -p privileges -- --cap-add CAP_EVERYTHING target/rootfs true; echo $?",
        ],
    );
}

#[test]
fn seen_from_outside() {
    record(
        PACKAGES,
        "privileges-outside",
        &[
            "cargo xtask rootfs target/rootfs",
            "cargo run -q -p privileges -- target/rootfs sleep 60 & engine=$!",
            "for try in $(seq 100); do container=$(pgrep -P $engine) && [ \"$(cat /proc/$container/comm)\" = sleep ] && break; sleep 0.1; done",
            "grep -E '^(Cap|NoNewPrivs|Seccomp)' /proc/$container/status",
            "kill -9 $container; wait $engine || echo ended with $?",
        ],
    );
}

#[test]
fn the_calls_in_their_order() {
    record(
        PACKAGES,
        "privileges-strace",
        &[
            "cargo xtask rootfs target/rootfs",
            "rm -f target/calls.*",
            "strace -ff -qq -e signal=none -e trace=keyctl,prctl,capset,seccomp,setresgid,setresuid,pivot_root -o target/calls \\\n    target/*/debug/privileges target/rootfs /bin/true",
            "cat target/calls.* | grep -v -e CAPBSET -e GET_NAME | sed 's/\\(.\\{46\\}\\).\\+/\\1…/'",
            "cat target/calls.* | grep -c CAPBSET_DROP",
        ],
    );
}

#[test]
fn a_new_user_namespace_has_them_all_again() {
    record(
        PACKAGES,
        "privileges-unshare",
        &[
            "cargo xtask rootfs target/rootfs",
            "cargo run -q -p privileges -- --no-filter target/rootfs busybox unshare -Ur grep CapEff /proc/self/status",
            "cargo run -q -p privileges -- target/rootfs busybox unshare -Ur grep CapEff /proc/self/status",
        ],
    );
}
