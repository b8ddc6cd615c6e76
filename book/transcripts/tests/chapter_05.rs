//! The sessions of chapter 05, in the order of its pages, typed into one shell: of an ordinary user's containers, which are the same
//! when root makes them. Each begins with a bundle of its own, so that it can be typed after any other one.
#![forbid(unsafe_code)]

mod in_order;

use in_order::Session;

const PACKAGES: &[&str] = &["chroot", "namespaces", "runtime"];

/// A short name for the binary with a folder of its own for what it knows, and a bundle that no session before has changed.
const BUNDLE: [&str; 4] = [
    "oci() { cargo run -q -p runtime -- --root target/run --rootless true \"$@\"; }",
    "rm -rf target/bundle target/run",
    "cargo xtask rootfs target/bundle/rootfs",
    "oci spec --rootless --bundle target/bundle",
];

/// No terminal, since nobody is there to hold its other end; and a command that stays for longer than a page is read.
const SLEEP: &str = "sed -i 's/\"terminal\": true/\"terminal\": false/; s/\"sh\"/\"sleep\", \"600\"/' target/bundle/config.json";

/// Until a container has ended which nobody waited for: but not for ever, if a reader has no such container.
const UNTIL_STOPPED: &str =
    "for try in $(seq 100); do oci state one | grep stopped && break; sleep 0.1; done";

#[test]
fn what_a_reader_sees_who_types_everything_in_order() {
    let sessions = [
        a_container_whose_engine_is_killed_is_known_to_nobody(),
        a_bundle_is_a_folder_and_a_file(),
        from_create_to_delete(),
        what_can_be_known_is_said_by_create_and_the_rest_by_nobody(),
        whoever_waits_may_be_killed(),
        a_working_directory_outside_is_refused(),
        before_its_start_and_after_it(),
        a_terminal_is_the_container_s_own(),
        an_added_process_may_be_our_own_program(),
        a_promise_that_is_not_kept_is_refused(),
        what_callers_read(),
        start_in_a_dozen_calls(),
        what_a_file_may_not_say(),
    ];
    in_order::record(PACKAGES, &["05"], &sessions);
}

fn with_bundle(name: &'static str, commands: &[&'static str]) -> Session {
    Session { name, commands: [&BUNDLE, commands].concat() }
}

fn a_container_whose_engine_is_killed_is_known_to_nobody() -> Session {
    Session {
        name: "runtime-orphan",
        commands: vec![
            "cargo build -q -p namespaces",
            "rm -rf target/bundle target/run",
            "cargo xtask rootfs target/bundle/rootfs",
            "cargo run -q -p namespaces -- target/bundle/rootfs sleep 600 & engine=$!",
            "for try in $(seq 100); do container=$(pgrep -P $engine) && [ \"$(cat /proc/$container/comm)\" = sleep ] && break; sleep 0.1; done",
            "kill -9 $engine; wait $engine 2>/dev/null || echo the engine ended with $?",
            "cat /proc/$container/comm",
            "kill -9 $container",
        ],
    }
}

fn a_bundle_is_a_folder_and_a_file() -> Session {
    with_bundle(
        "runtime-bundle",
        &[
            "ls target/bundle",
            "sed -n '/\"namespaces\"/,/]/p' target/bundle/config.json | tr -d ' \\n'; echo",
            "sed -i 's/\"cwd\": \"\\/\"/\"cwd\": \"home\"/' target/bundle/config.json",
            "oci run --bundle target/bundle one; echo ended with $?; ls target/run",
        ],
    )
}

fn from_create_to_delete() -> Session {
    with_bundle(
        "runtime-life",
        &[
            SLEEP,
            "oci create --bundle target/bundle one",
            "oci state one | grep -e '\"pid\"' -e status",
            "ls target/run/one",
            "oci start one; ls target/run/one",
            "oci exec one ps",
            "oci delete one",
            "oci kill one KILL",
            UNTIL_STOPPED,
            "oci delete one; ls target/run",
        ],
    )
}

fn what_can_be_known_is_said_by_create_and_the_rest_by_nobody() -> Session {
    with_bundle(
        "runtime-no-command",
        &[
            "sed -i 's/\"terminal\": true/\"terminal\": false/; s/\"sh\"/\"nothing\"/' target/bundle/config.json",
            "oci create --bundle target/bundle one; echo create ended with $?",
            "printf '\\0' > target/bundle/rootfs/bin/empty; chmod +x target/bundle/rootfs/bin/empty",
            "sed -i 's/\"nothing\"/\"empty\"/' target/bundle/config.json",
            "oci create --bundle target/bundle one; echo create ended with $?",
            "oci start one; echo start ended with $?",
            UNTIL_STOPPED,
            "oci delete one; ls target/run",
        ],
    )
}

fn whoever_waits_may_be_killed() -> Session {
    with_bundle(
        "runtime-killed",
        &[
            SLEEP,
            "oci create --bundle target/bundle --pid-file target/pid one",
            "kill -9 $(cat target/pid)",
            UNTIL_STOPPED,
            "oci start one; echo ended with $?",
            "oci delete one; ls target/run",
        ],
    )
}

fn a_working_directory_outside_is_refused() -> Session {
    with_bundle(
        "runtime-leaked-folder",
        &[
            "sed -i 's/\"terminal\": true/\"terminal\": false/; s/\"sh\"/\"pwd\"/' target/bundle/config.json",
            "oci run --bundle target/bundle one",
            "sed -i 's/\"cwd\": \"\\/\"/\"cwd\": \"\\/proc\\/self\\/fd\\/7\"/' target/bundle/config.json",
            "oci run --bundle target/bundle one 7</; echo ended with $?",
            "oci run --bundle target/bundle --preserve-fds 5 one 3</ 4</ 5</ 6</ 7</; echo ended with $?",
        ],
    )
}

fn before_its_start_and_after_it() -> Session {
    with_bundle(
        "runtime-outside",
        &[
            SLEEP,
            "oci create --bundle target/bundle --pid-file target/pid one",
            "awk '/^(NSpid|NoNewPrivs)/ {print $1, $NF}' /proc/$(cat target/pid)/status",
            "oci start one; cat /proc/$(cat target/pid)/comm",
            "oci delete --force one; ls target/run",
        ],
    )
}

fn a_terminal_is_the_container_s_own() -> Session {
    with_bundle(
        "runtime-terminal",
        &[
            SLEEP,
            "oci run --detach --bundle target/bundle one",
            "oci exec one busybox tty",
            "in_terminal() { script -qec \"stty cols 100 rows 30; \\\n    cargo run -q -p runtime -- --root target/run exec --tty one $1\" /dev/null; }",
            "in_terminal 'busybox tty'",
            "in_terminal 'busybox stty size'",
            "is_there() { [ -e target/code ] || oci exec one ps | grep -q 'sleep 500'; }",
            "until_end() { until [ -e target/code ]; do sleep 0.1; done; }",
            "ctrl_c() { until is_there; do sleep 0.1; done; printf '\\003'; until_end; }",
            "rm -f target/code",
            "ctrl_c | { in_terminal 'sleep 500'; echo $? > target/code; }; echo; cat target/code",
            "oci delete --force one; ls target/run",
        ],
    )
}

fn an_added_process_may_be_our_own_program() -> Session {
    with_bundle(
        "runtime-executable",
        &[
            SLEEP,
            "oci run --detach --bundle target/bundle one",
            "oci exec one sh -c 'echo process $$, user $(id -u), host $(hostname)'",
            "oci exec one /proc/self/exe --help | head -1",
            "oci delete --force one; ls target/run",
        ],
    )
}

fn a_promise_that_is_not_kept_is_refused() -> Session {
    with_bundle(
        "runtime-descriptors",
        &[
            "sed -i 's/\"terminal\": true/\"terminal\": false/; s/\"sh\"/\"cat\", \"\\/proc\\/self\\/fd\\/3\"/' target/bundle/config.json",
            "echo from outside > target/note",
            "oci run --bundle target/bundle --preserve-fds 1 one 3< target/note",
            "oci run --bundle target/bundle --preserve-fds 2 one 3< target/note 4<&-; echo ended with $?",
            "oci run --bundle target/bundle one 3< target/note; echo ended with $?",
        ],
    )
}

fn what_callers_read() -> Session {
    with_bundle(
        "runtime-callers",
        &[
            SLEEP,
            "oci run --detach --bundle target/bundle one",
            "rm -f target/log",
            "oci --log target/log --log-format json exec two true; echo ended with $?",
            "cut -d, -f1,2 target/log",
            "oci exec one sh -c 'exit 3'; echo ended with $?",
            "oci kill one RTMAX+1; echo ended with $?",
            "oci kill --everything one; echo ended with $?",
            "oci delete --force one; ls target/run",
        ],
    )
}

fn start_in_a_dozen_calls() -> Session {
    with_bundle(
        "runtime-start",
        &[
            SLEEP,
            "oci create --bundle target/bundle one",
            "strace -qq -e trace=openat,flock,poll,ppoll,write,unlink -o target/calls \\\n    target/*/debug/coracle-oci --root target/run start one",
            "grep -e run/one -e flock -e POLLIN -e '\".\"' target/calls | sed 's/\\(.\\{74\\}\\).\\+/\\1…/'",
            "oci delete --force one; ls target/run",
        ],
    )
}

fn what_a_file_may_not_say() -> Session {
    with_bundle(
        "runtime-refused",
        &[
            "sed -i 's/\"terminal\": true/\"terminal\": false/; s/\"sh\"/\"echo\", \"it runs\"/' target/bundle/config.json",
            "cp target/bundle/config.json target/good.json",
            "with() { sed \"$1\" target/good.json > target/bundle/config.json; oci run --bundle target/bundle one; }",
            "with 's/\"soft\": 1024/\"soft\": \"many\"/' 2>&1 | cut -d: -f4-",
            "with 's/\"soft\": 1024/\"soft\": 2048/' 2>&1 | cut -d: -f4-",
            "with 's/\"namespaces\"/\"intelRdt\": {}, \"namespaces\"/' 2>&1 | cut -d: -f4-",
            "with 's/\"namespaces\"/\"intelRtd\": {}, \"namespaces\"/'",
            "ls target/run",
        ],
    )
}
