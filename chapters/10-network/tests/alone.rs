//! The chapter's binary in a network namespace of its own: what it runs, what it says, and that nothing stays. An ordinary user's is
//! in a user namespace as well.
#![forbid(unsafe_code)]
#![cfg(target_os = "linux")]

mod as_root;

/// What a script says; `$NETWORK` is the binary. The bridge's name holds a process id, which is left out.
fn shell(script: &str) -> String {
    let script =
        format!("(ip link set lo up; {script}) 2>&1 | sed 's/coracle-[0-9]*/coracle-PID/g; s/ *$//'");
    let output = as_root::unshare()
        .args(["--net", "sh", "-c", &script])
        .env("NETWORK", env!("CARGO_BIN_EXE_network"))
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The binary's containers have more ids than the one that is root in an ordinary user's namespace.
fn is_root(test: &str) -> bool {
    let is_root = nix::unistd::geteuid().is_root();
    if !is_root {
        skipped::skip(&format!("network::{test}"), "it needs root");
    }
    is_root
}

const LEFT: &str = "ip -brief link; nft list ruleset";

#[test]
fn a_command_has_eth0_and_nothing_stays() {
    if !is_root("a_command_has_eth0_and_nothing_stays") {
        return;
    }
    let command = "sh -c 'ip -o -4 address | cut -c1-40; ip route; exit 7'";
    insta::assert_snapshot!(shell(&format!("$NETWORK {command}; echo $?; {LEFT}")));
}

#[test]
fn a_missing_command_is_said_and_nothing_stays() {
    if !is_root("a_missing_command_is_said_and_nothing_stays") {
        return;
    }
    insta::assert_snapshot!(shell(&format!("$NETWORK nosuch; echo $?; {LEFT}")));
}

#[test]
fn a_signal_ends_the_container_and_nothing_stays() {
    if !is_root("a_signal_ends_the_container_and_nothing_stays") {
        return;
    }
    let until_connected = "for try in $(seq 1000); do ip link | grep -q veth && break; sleep 0.01; done";
    let script = format!("$NETWORK sleep 100 & {until_connected}; kill $!; wait $!; echo $?; {LEFT}");
    insta::assert_snapshot!(shell(&script));
}

#[test]
fn the_plan_is_printed_as_commands() {
    insta::assert_snapshot!(shell("$NETWORK --plan"));
}
