//! The bridge on the real kernel: containers that reach each other, their gateway and the world, and nothing left behind.
//!
//! A machine of these tests is a thread with a network namespace of its own; the host is one too. An ordinary user's tests run in a user namespace.
#![forbid(unsafe_code)]
#![cfg(target_os = "linux")]

mod as_root;

use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::process::Command;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use network::{
    Bridge, Endpoint, ErrorKind, Found, attach, bridge_plan, bridge_rules, detach, ensure_bridge,
    remove_bridge,
};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Pid, gettid};

/// A network namespace with nothing but a loopback link, and a thread that works in it.
struct Machine {
    thread: Pid,
    namespace: OwnedFd,
    work: Sender<Box<dyn FnOnce() + Send>>,
}

impl Machine {
    fn new() -> Machine {
        let (work, queue) = channel::<Box<dyn FnOnce() + Send>>();
        let (ready, made) = channel();
        std::thread::spawn(move || {
            unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace");
            let namespace = fs::File::open("/proc/thread-self/ns/net").unwrap();
            ready.send((gettid(), namespace.into())).unwrap();
            queue.iter().for_each(|work| work());
        });
        let (thread, namespace) = made.recv().unwrap();
        Machine { thread, namespace, work }
    }

    /// Runs `work` there and gives back what it returns.
    fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let (answer, answered) = channel();
        let send = move || drop(answer.send(work()));
        self.work.send(Box::new(send)).unwrap();
        answered.recv().expect("the work to be done without a panic")
    }

    fn shell(&self, script: &str) -> String {
        let script = script.to_owned();
        self.run(move || {
            let output = Command::new("sh").args(["-ec", &script]).output().unwrap();
            assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        })
    }

    fn attach(&self, bridge: &Bridge, container: &Machine, last: u8) -> Result<Endpoint, network::Error> {
        let (bridge, namespace) = (bridge.clone(), container.namespace.try_clone().unwrap());
        let [a, b, c, _] = bridge.subnet.first().octets();
        self.run(move || attach(&bridge, namespace.as_fd(), Ipv4Addr::new(a, b, c, last)))
    }

    fn ensure(&self) -> Result<Bridge, network::Error> {
        self.run(|| ensure_bridge("coracle0"))
    }

    /// All links, those that are up with their IPv4 addresses, and all rules.
    fn inventory(&self) -> String {
        self.shell("ls /proc/sys/net/ipv4/conf; ip -brief -4 address show up | awk '{print $1, $3}'; nft list ruleset")
    }

    /// Answers one connection with the address that it saw its caller under.
    fn listen(&self, address: Ipv4Addr) -> u16 {
        let listener = self.run(move || TcpListener::bind((address, 0)).unwrap());
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut stream, peer) = listener.accept().unwrap();
            stream.write_all(peer.ip().to_string().as_bytes()).unwrap();
        });
        port
    }

    /// Connects, and returns what the other side saw of us. A lost packet is sent again after a second, which is too late here.
    fn call(&self, address: Ipv4Addr, port: u16) -> std::io::Result<String> {
        self.run(move || {
            let target = SocketAddr::new(IpAddr::V4(address), port);
            let mut stream = TcpStream::connect_timeout(&target, Duration::from_millis(900))?;
            let mut seen = String::new();
            stream.read_to_string(&mut seen).map(|_| seen)
        })
    }
}

/// A cable between the host (203.0.113.1) and a machine outside (203.0.113.2).
fn outside_of(host: &Machine) -> Machine {
    let outside = Machine::new();
    let thread = outside.thread;
    host.shell(&format!(
        "ip link add up0 type veth peer name eth0 netns {thread}; ip address add 203.0.113.1/24 dev up0; ip link set up0 up"
    ));
    outside.shell("ip address add 203.0.113.2/24 dev eth0; ip link set eth0 up; ip route add 172.16.0.0/12 via 203.0.113.1");
    outside
}

#[test]
fn containers_reach_each_other_their_gateway_and_the_world() {
    if as_root::again("containers_reach_each_other_their_gateway_and_the_world") {
        return;
    }
    let (host, one, two) = (Machine::new(), Machine::new(), Machine::new());
    let outside = outside_of(&host);
    let bridge = host.ensure().unwrap();
    assert_eq!(bridge.subnet.to_string(), "172.17.0.0/16");
    let first = host.attach(&bridge, &one, 2).unwrap();
    let second = host.attach(&bridge, &two, 3).unwrap();
    assert_eq!(first.mac.to_string(), "02:42:ac:11:00:02");

    let port = two.listen(second.address);
    assert_eq!(one.call(second.address, port).unwrap(), "172.17.0.2");
    let port = host.listen(bridge.gateway);
    assert_eq!(one.call(bridge.gateway, port).unwrap(), "172.17.0.2");
    let world = Ipv4Addr::new(203, 0, 113, 2);
    let port = outside.listen(world);
    assert_eq!(one.call(world, port).unwrap(), "203.0.113.1", "masqueraded as the host");
    let port = one.listen(first.address);
    assert!(outside.call(first.address, port).is_err(), "nobody outside reaches a container");

    insta::assert_snapshot!(one.shell(
        "ip -brief address | sed 's/@if[0-9]*/@PEER/; s/ *$//'; ip route; cat /proc/sys/net/ipv6/conf/eth0/disable_ipv6"
    ));
}

#[test]
fn the_kernel_has_the_rules_that_we_print() {
    if as_root::again("the_kernel_has_the_rules_that_we_print") {
        return;
    }
    let host = Machine::new();
    let bridge = host.ensure().unwrap();
    assert_eq!(host.shell("nft list ruleset"), bridge_rules(&bridge).to_string());
}

#[test]
fn ensuring_twice_or_after_half_a_job_comes_to_the_same() {
    if as_root::again("ensuring_twice_or_after_half_a_job_comes_to_the_same") {
        return;
    }
    let host = Machine::new();
    let bridge = host.ensure().unwrap();
    let inventory = host.inventory();
    for damage in [
        "true",
        "nft flush ruleset",
        "ip address flush dev coracle0",
        "ip link set coracle0 down",
        "ip link delete coracle0",
        "nft delete chain ip coracle-coracle0 forward",
        "ip link delete coracle0; nft flush ruleset; ip link add coracle0 type bridge",
    ] {
        host.shell(damage);
        assert_eq!(host.ensure().unwrap(), bridge, "after {damage}");
        assert_eq!(host.inventory(), inventory, "after {damage}");
    }
}

/// A kill -9 between any two steps of making it.
#[test]
fn a_bridge_that_was_half_made_is_removed() {
    if as_root::again("a_bridge_that_was_half_made_is_removed") {
        return;
    }
    let host = Machine::new();
    let before = host.inventory();
    let bridge = Bridge::new("coracle0", "172.17.0.0/16".parse().unwrap());
    let plan = bridge_plan(&bridge, &Found::default());
    let links: Vec<String> =
        plan.iter().map(|op| op.to_string()).filter(|op| op.starts_with("ip ")).collect();
    for done in 1..=links.len() {
        host.shell(&links[..done].join("; "));
        host.run(|| remove_bridge("coracle0")).unwrap();
        assert_eq!(host.inventory(), before, "after {}", links[done - 1]);
    }
}

#[test]
fn a_bridge_is_removed_with_its_rules_and_twice_is_no_error() {
    if as_root::again("a_bridge_is_removed_with_its_rules_and_twice_is_no_error") {
        return;
    }
    let (host, container) = (Machine::new(), Machine::new());
    let before = host.inventory();
    let bridge = host.ensure().unwrap();
    let endpoint = host.attach(&bridge, &container, 2).unwrap();
    for _ in 0..2 {
        let endpoint = endpoint.clone();
        host.run(move || detach(&endpoint)).unwrap();
    }
    for _ in 0..2 {
        host.run(|| remove_bridge("coracle0")).unwrap();
    }
    assert_eq!(host.inventory(), before);
}

#[test]
fn a_bridge_avoids_subnets_in_use_and_keeps_the_one_it_has() {
    if as_root::again("a_bridge_avoids_subnets_in_use_and_keeps_the_one_it_has") {
        return;
    }
    let host = Machine::new();
    host.shell("ip link add d0 type bridge; ip address add 172.17.9.1/24 dev d0; ip link set d0 up");
    assert_eq!(host.ensure().unwrap().subnet.to_string(), "172.18.0.0/16");
    host.shell("ip address flush dev coracle0; ip address add 10.1.2.1/24 dev coracle0");
    let bridge = host.ensure().unwrap();
    assert_eq!(
        (bridge.subnet.to_string(), bridge.gateway.to_string()),
        ("10.1.2.0/24".into(), "10.1.2.1".into())
    );
}

#[test]
fn a_container_may_connect_at_once() {
    if as_root::again("a_container_may_connect_at_once") {
        return;
    }
    let host = Machine::new();
    let bridge = host.ensure().unwrap();
    for last in 2..32 {
        let container = Machine::new();
        host.attach(&bridge, &container, last).unwrap();
        let port = host.listen(bridge.gateway);
        container.call(bridge.gateway, port).expect("an answer to the first packet");
    }
}

#[test]
fn a_bridge_of_an_administrator_is_used_and_stays() {
    if as_root::again("a_bridge_of_an_administrator_is_used_and_stays") {
        return;
    }
    let host = Machine::new();
    host.shell(
        "ip link add coracle0 type bridge; ip address add 10.1.2.1/24 dev coracle0; ip link set coracle0 up",
    );
    let before = host.inventory();
    assert_eq!(host.ensure().unwrap().subnet.to_string(), "10.1.2.0/24");
    assert_ne!(host.inventory(), before);
    host.run(|| remove_bridge("coracle0")).unwrap();
    assert_eq!(host.inventory(), before);
}

#[test]
fn a_failed_attach_leaves_nothing() {
    if as_root::again("a_failed_attach_leaves_nothing") {
        return;
    }
    let (host, container) = (Machine::new(), Machine::new());
    let bridge = host.ensure().unwrap();
    let inventory = host.inventory();
    container.shell(
        "ip link set lo up; ip address add 192.0.2.2/24 dev lo; ip route add default via 192.0.2.2 dev lo",
    );
    let error = host.attach(&bridge, &container, 2).unwrap_err();
    insta::assert_snapshot!(error.to_string(), @"netlink(ip route add default via 172.17.0.1) = -1 EEXIST (File exists)");
    assert_eq!(host.inventory(), inventory);

    let other = Machine::new();
    other.shell("ip link add eth0 type bridge");
    host.attach(&bridge, &other, 2).unwrap_err();
    assert_eq!(host.inventory(), inventory);
}

#[test]
fn a_bridge_that_somebody_removed_is_made_again() {
    if as_root::again("a_bridge_that_somebody_removed_is_made_again") {
        return;
    }
    let (host, container) = (Machine::new(), Machine::new());
    let bridge = host.ensure().unwrap();
    host.shell("ip link delete coracle0");
    let endpoint = host.attach(&bridge, &container, 2).unwrap();
    let port = host.listen(bridge.gateway);
    assert_eq!(container.call(bridge.gateway, port).unwrap(), endpoint.address.to_string());
}

#[test]
fn a_name_taken_by_another_link_is_refused() {
    if as_root::again("a_name_taken_by_another_link_is_refused") {
        return;
    }
    let host = Machine::new();
    host.shell("ip link add coracle0 type veth peer name other");
    let inventory = host.inventory();
    let error = host.ensure().unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string()),
        (ErrorKind::NameTaken, "existing interface coracle0 is not a bridge".into())
    );
    assert_eq!(host.run(|| remove_bridge("coracle0")).unwrap_err().kind(), ErrorKind::NameTaken);
    assert_eq!(host.inventory(), inventory);
}

#[test]
fn without_the_right_it_says_which() {
    if as_root::again("without_the_right_it_says_which") {
        return;
    }
    let host = Machine::new();
    let error = host.run(|| {
        kernel::capset(&kernel::CapabilityWords::default()).unwrap(); // of this thread alone
        ensure_bridge("coracle0")
    });
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    insta::assert_snapshot!(error.to_string(), @"netlink(ip link add name coracle0 mtu 1500 address 02:42:ac:11:00:01 group 1668248161 type bridge) = -1 EPERM (Operation not permitted): this needs CAP_NET_ADMIN");
}
