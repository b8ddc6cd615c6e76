//! One container and a bridge for it alone: both are made, the command is waited for, and nothing stays.

use network::{Bridge, Endpoint, Leases};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::{Pid, getegid, geteuid};
use runtime::{Bundle, Created, Stdio};
use std::error::Error;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::ExitCode;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Runs the command in a container, and returns its exit code.
pub fn run(rootfs: Option<PathBuf>, command: Vec<String>) -> Result<ExitCode> {
    // From here on a signal ends the container, not us, so that we can tidy up after it.
    let signals = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGCHLD];
    let signals: SigSet = signals.into_iter().collect();
    signals.thread_block()?;
    let built_in = std::env::temp_dir().join(format!("network-{}", std::process::id()));
    let made = rootfs.map_or_else(|| chroot::built_in_rootfs(&built_in).map(|()| built_in.clone()), Ok);
    let outcome =
        made.map_err(Box::from).and_then(|rootfs| connect_and_wait(&bundle(rootfs, command)?, &signals));
    match fs::remove_dir_all(&built_in) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => outcome,
    }
}

fn bundle(rootfs: PathBuf, command: Vec<String>) -> Result<Bundle> {
    let rootless = (!geteuid().is_root()).then(|| (geteuid().as_raw(), getegid().as_raw()));
    let mut spec = runtime::default_spec(rootless)?;
    if let Some(process) = spec.process_mut() {
        process.set_terminal(Some(false)).set_args(Some(command));
    }
    Ok(Bundle {
        id: format!("network-{}", std::process::id()),
        spec,
        root: chroot::Root::Folder(std::path::absolute(rootfs)?),
        cgroup: None,
        preserved_descriptors: 0,
        folder: "/".into(),
        keeps_keyring: false,
        rootless: !kernel::is_root(),
    })
}

/// The container's process exists, with its network namespace, before its command runs: that is when the cable is plugged in.
fn connect_and_wait(bundle: &Bundle, signals: &SigSet) -> Result<ExitCode> {
    let bridge = own_bridge()?;
    let created = runtime::create(bundle, inherited()?);
    let outcome = created.map_err(Box::from).and_then(|mut created| {
        let outcome = connect(bridge.as_ref(), &created).and_then(|endpoint| {
            let outcome = start_and_wait(&created, signals);
            // The kernel takes it away with the network namespace, but in its own time.
            endpoint.iter().try_for_each(network::detach)?;
            outcome
        });
        created.destroy();
        outcome
    });
    if let Some(bridge) = bridge {
        network::remove_bridge(&bridge.name)?;
    }
    outcome
}

fn bridge_name() -> String {
    format!("coracle-{}", std::process::id())
}

fn own_bridge() -> Result<Option<Bridge>> {
    if geteuid().is_root() {
        return Ok(Some(network::ensure_bridge(&bridge_name())?));
    }
    eprintln!("network: the loopback link only, since an ordinary user cannot make others");
    Ok(None)
}

fn connect(bridge: Option<&Bridge>, created: &Created) -> Result<Option<Endpoint>> {
    let Some(bridge) = bridge else { return Ok(None) };
    let mut leases = Leases::new(&bridge.name, "", bridge.subnet);
    let address = leases.allocate("the only one")?;
    let namespace = File::open(format!("/proc/{}/ns/net", created.identity.pid))?;
    let endpoint = network::attach(bridge, namespace.as_fd(), address)?;
    let Endpoint { prefix, gateway, .. } = &endpoint;
    eprintln!("network: eth0 has {address}/{prefix}, its gateway is {gateway} on {}", bridge.name);
    Ok(Some(endpoint))
}

fn start_and_wait(created: &Created, signals: &SigSet) -> Result<ExitCode> {
    let pid = Pid::from_raw(created.identity.pid);
    created.start()?;
    loop {
        match signals.wait()? {
            Signal::SIGCHLD => return Ok(namespaces::exit_code_of(pid)),
            Signal::SIGINT => {} // the terminal has sent it to the container too
            _ => kill(pid, Signal::SIGKILL)?,
        }
    }
}

fn inherited() -> io::Result<Stdio> {
    Ok(Stdio::Files([
        io::stdin().as_fd().try_clone_to_owned()?,
        io::stdout().as_fd().try_clone_to_owned()?,
        io::stderr().as_fd().try_clone_to_owned()?,
    ]))
}

/// As a shell has it: 127 for a command that is not there, 126 for one that cannot be executed.
pub fn exit_code(error: &(dyn Error + 'static)) -> ExitCode {
    match error.downcast_ref().map(runtime::Error::kind) {
        Some(runtime::ErrorKind::CommandNotFound) => ExitCode::from(127),
        Some(runtime::ErrorKind::CommandNotExecutable) => ExitCode::from(126),
        _ => ExitCode::FAILURE,
    }
}

/// What [`run`] would do on a host that uses none of Docker's subnets.
pub fn plan() -> String {
    let subnet = network::default_pools().next().expect("Docker has pools");
    let bridge = Bridge::new(&bridge_name(), subnet);
    let address = Leases::new(&bridge.name, "", subnet).allocate("the only one").expect("an empty subnet");
    let endpoint = Endpoint::new(&bridge, "veth0", address);
    let lines = |ops: Vec<network::LinkOp>| ops.iter().map(|op| format!("{op}\n")).collect::<String>();
    format!(
        "{}{}\n# in the container\n{}\n{}",
        lines(network::bridge_plan(&bridge, &network::Found::default())),
        lines(network::cable_plan(&bridge, &endpoint)),
        lines(network::container_plan(&endpoint)),
        network::bridge_rules(&bridge),
    )
}
