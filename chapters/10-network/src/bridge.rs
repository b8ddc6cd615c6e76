//! The bridge and its endpoints in the kernel: made, found again, removed.

use std::hash::{BuildHasher, RandomState};
use std::net::Ipv4Addr;
use std::os::fd::BorrowedFd;
use std::thread;

use kernel::Strace;
use nix::errno::Errno;
use nix::sched::{CloneFlags, setns};

use crate::{Bridge, Endpoint, Error, Found, LinkOp, Subnet, Table, links, nftables};
use crate::{bridge_plan, bridge_rules, cable_plan, choose_subnet, container_plan, table_name};

/// Makes the bridge, its rules and forwarding what they should be, whatever of them is there already: nothing, half of it (a
/// daemon was killed on the way), or all (it was restarted). An existing bridge keeps the address that it has; a new one gets
/// the first of Docker's pools that no route of this host overlaps with.
///
/// # Errors
/// [`NameTaken`](crate::ErrorKind::NameTaken) by a link that is no bridge, [`NoFreeSubnet`](crate::ErrorKind::NoFreeSubnet),
/// [`PermissionDenied`](crate::ErrorKind::PermissionDenied). What was made on the way is removed.
pub fn ensure_bridge(name: &str) -> Result<Bridge, Error> {
    let found = links::find_bridge(name)?;
    let bridge = match found.address {
        Some((gateway, prefix)) => {
            Bridge { name: name.to_owned(), subnet: Subnet::containing(gateway, prefix), gateway }
        }
        None => Bridge::new(name, choose_subnet(&taken_subnets()?)?),
    };
    complete(&bridge, &found)?;
    Ok(bridge)
}

/// What this host has routes to, and its name servers, which may be reached by the default route alone.
fn taken_subnets() -> Result<Vec<Subnet>, Error> {
    let mut taken = links::routed_subnets()?;
    let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default(); // without it there is none to avoid
    let servers = text.lines().filter_map(|line| line.strip_prefix("nameserver")?.trim().parse().ok());
    taken.extend(servers.map(|server| Subnet::containing(server, 32)));
    Ok(taken)
}

/// Adds what is missing. A bridge that was there before stays when this fails.
fn complete(bridge: &Bridge, found: &Found) -> Result<(), Error> {
    let completed =
        links::execute(&bridge_plan(bridge, found), None).and_then(|()| enforce(&bridge_rules(bridge)));
    if completed.is_err() && !found.link {
        let _ = delete_link(&bridge.name); // the first failure says more than this one would
    }
    Ok(completed?)
}

/// Replacing a table takes the kernel 10 ms, looking at it less than one.
fn enforce(rules: &Table) -> kernel::Result<()> {
    if nftables::is_in_force(rules)? {
        return Ok(());
    }
    nftables::replace_table(rules)
}

/// Removes the bridge and its rules; one that is not there is no error. Endpoints that are left lose their connection. A bridge
/// that an administrator made and we only used stays.
///
/// # Errors
/// [`PermissionDenied`](crate::ErrorKind::PermissionDenied), [`NameTaken`](crate::ErrorKind::NameTaken) when the link is no bridge.
pub fn remove_bridge(name: &str) -> Result<(), Error> {
    if links::find_bridge(name)?.ours {
        delete_link(name)?;
    }
    Ok(nftables::delete_table(&table_name(name))?)
}

/// Gives the container in the network namespace `container` (an open `/proc/PID/ns/net`) this address on the bridge: `eth0`
/// with the address, a default route, and up. A bridge that somebody removed is made again. A failure leaves nothing.
///
/// Nothing has to be undone when the container ends: the cable dies with its network namespace.
///
/// # Errors
/// The step that failed, as an `ip` command with the kernel's answer.
pub fn attach(bridge: &Bridge, container: BorrowedFd, address: Ipv4Addr) -> Result<Endpoint, Error> {
    let endpoint = Endpoint::new(bridge, &unique_link_name(), address);
    plug_in(bridge, &endpoint, container)?;
    let plan = container_plan(&endpoint);
    let configured = inside(container, || links::execute(&plan, None))
        .and_then(|()| links::await_up(&endpoint.host_link))
        .and_then(|()| links::await_up(&bridge.name));
    if configured.is_err() {
        let _ = detach(&endpoint); // the first failure says more than this one would
    }
    configured?;
    Ok(endpoint)
}

fn plug_in(bridge: &Bridge, endpoint: &Endpoint, container: BorrowedFd) -> Result<(), Error> {
    let plan = cable_plan(bridge, endpoint);
    match links::execute(&plan, Some(container)) {
        Err(error) if error.errno() == Errno::ENODEV => {
            complete(bridge, &links::find_bridge(&bridge.name)?)?;
            Ok(links::execute(&plan, Some(container))?)
        }
        done => Ok(done?),
    }
}

/// Unplugs a container that runs on. A cable that is not there is no error.
///
/// # Errors
/// [`PermissionDenied`](crate::ErrorKind::PermissionDenied).
pub fn detach(endpoint: &Endpoint) -> Result<(), Error> {
    delete_link(&endpoint.host_link)
}

fn delete_link(name: &str) -> Result<(), Error> {
    match links::execute(&[LinkOp::Delete { link: name.to_owned() }], None) {
        Err(error) if error.errno() == Errno::ENODEV => Ok(()),
        done => Ok(done?),
    }
}

/// A name that no other link has: the kernel needs a while to remove the cable of a container that has ended, so a name
/// made from its address or id might still be in use when the next one has that.
fn unique_link_name() -> String {
    let random = RandomState::new().hash_one(()); // seeded by the system for each thread, then counted up
    format!("veth{:011x}", random & 0xfff_ffff_ffff)
}

/// Runs `work` in another network namespace. A thread that has entered one cannot be trusted to find its way back, so it is a
/// fresh one, which ends with the work.
fn inside<T: Send>(
    namespace: BorrowedFd,
    work: impl FnOnce() -> kernel::Result<T> + Send,
) -> kernel::Result<T> {
    let enter_and_work = || {
        setns(namespace, CloneFlags::CLONE_NEWNET)
            .strace(|| "setns(/proc/PID/ns/net, CLONE_NEWNET)".to_owned())?;
        work()
    };
    let thread = thread::Builder::new().name("in netns".to_owned()).stack_size(256 * 1024);
    thread::scope(|scope| {
        let thread =
            thread.spawn_scoped(scope, enter_and_work).strace(|| "clone(CLONE_THREAD)".to_owned())?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
