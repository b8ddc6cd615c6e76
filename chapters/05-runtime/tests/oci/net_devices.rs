//! Network devices of the host that a container is given, in a network namespace of the test's own.

use super::site::Site;
use serde_json::{Value, json};
use std::process::Command;

/// A container that tells which devices it has; None where this test cannot run.
fn site(name: &str, devices: Value) -> Option<Site> {
    let mut site = Site::new(name, "ip -o addr show; ip -o link show")?;
    std::os::unix::fs::symlink("busybox", site.folder.join("rootfs/bin/ip")).unwrap();
    site.spec["linux"]["netDevices"] = devices;
    site.write();
    Some(site)
}

/// What a script says in a new network namespace, in which $RUNTIME is the runtime.
fn in_new_network(site: &Site, script: &str) -> String {
    let mut command = Command::new("unshare");
    let script = format!("set -e; ip link set lo up; {}", script.replace("ID", &site.id));
    command.args(["--net", "sh", "-c", &script]).current_dir(&site.folder);
    command.env("RUNTIME", format!("{} --root {}/state", site.executable.display(), site.folder.display()));
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).to_string();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

#[test]
fn a_device_gets_another_name_and_keeps_the_addresses_that_were_to_stay() {
    let devices = json!({"out0": {"name": "web%d"}, "out1": {}});
    let Some(site) = site("devices", devices) else { return };
    let said = in_new_network(
        &site,
        "ip link add out0 type veth peer name loose0; ip link add out1 type veth peer name loose1
        ip addr add 10.9.8.7/24 broadcast 10.9.8.255 dev out0; ip addr add 10.9.8.8/24 dev out0
        ip addr add fd00::7/64 dev out0; ip addr add 169.254.9.9/16 scope link dev out0
        ip addr add 10.9.7.7/24 dev out0 valid_lft 1000 preferred_lft 1000
        $RUNTIME run ID; ! ip link show dev out0 2> /dev/null; ! ip link show dev out1 2> /dev/null",
    );
    for line in
        ["web0    inet 10.9.8.7/24 brd 10.9.8.255", "web0    inet 10.9.8.8/24", "web0    inet6 fd00::7/64"]
    {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert!(!said.contains("169.254.9.9") && !said.contains("10.9.7.7"), "neither was to stay: {said}");
    for name in ["web0@", "out1@"] {
        let link = said.lines().find(|line| line.contains(name) && line.contains("mtu")).unwrap();
        assert!(link.contains(",UP"), "it is up: {link}");
    }
    site.nothing_is_left();
}

#[test]
fn a_namespace_that_is_joined_keeps_the_device_and_a_name_that_is_taken_is_refused() {
    let Some(mut site) = site("joined-devices", json!({"out0": {"name": "lo"}})) else { return };
    let namespaces = site.spec["linux"]["namespaces"].as_array_mut().unwrap();
    let network = namespaces.iter_mut().find(|one| one["type"] == "network").unwrap();
    network["path"] = "/proc/OTHER/ns/net".into();
    site.write();
    let said = in_new_network(
        &site,
        "ip link add out0 type veth peer name loose0; unshare --net sleep 100 & other=$!
        trap 'kill $other' EXIT; until [ \"$(readlink /proc/$other/ns/net)\" != \"$(readlink /proc/self/ns/net)\" ]; do :; done
        cp config.json before; sed s/OTHER/$other/ before > config.json
        $RUNTIME run ID 2>&1 && exit 1; ip -o link show dev out0 | sed s/^/still:/
        sed \"s/OTHER/$other/; s/\\\"name\\\":\\\"lo\\\"/\\\"name\\\":\\\"other\\\"/\" before > config.json
        $RUNTIME run ID; nsenter --net=/proc/$other/ns/net ip -o link show dev other | sed s/^/stays:/
        $RUNTIME run ID 2>&1 && exit 1; true",
    );
    let refusal = "linux.netDevices.out0: the network namespace of the container has a device \"lo\" already";
    assert!(said.contains(refusal) && said.contains("still:") && said.contains("stays:"), "{said}");
    assert!(said.contains("linux.netDevices.out0: there is no such device on the host"), "{said}");
    site.nothing_is_left();
}
