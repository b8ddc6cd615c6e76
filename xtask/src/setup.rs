//! Installs what the tests need beyond Rust, gcc and git, and says what for. Nothing is installed twice.

use crate::{Result, vm};
use std::path::Path;
use std::process::{Command, Stdio};

/// A program that the tests use: its Debian package, and what it is for.
const PROGRAMS: &[(&str, &str, &str)] = &[
    ("ip", "iproute2", "network namespaces of the tests' own"),
    ("nft", "nftables", "seeing that no rule is left behind"),
    ("busybox", "busybox-static", "a real image, made offline"),
    ("skopeo", "skopeo", "filling a registry; opening our image store"),
    ("docker-registry", "docker-registry", "a real registry to pull from"),
    (
        "dockerd",
        "docker.io",
        "the peer that we are held equal to, a caller of coracle-oci, and a docker client where there is none",
    ),
    ("runc", "runc", "the peer of coracle-oci"),
    ("crun", "crun", "the peer of coracle-oci"),
    ("podman", "podman", "a caller of coracle-oci"),
    ("ctr", "containerd", "a caller of coracle-oci"),
    ("curl", "curl", "speaking gRPC to containerd, as Kubernetes does"),
    ("criu", "criu", "checkpoint and restore by coracle-oci"),
    ("apparmor_parser", "apparmor", "loading AppArmor's profiles in the virtual machine"),
    ("secilc", "secilc", "compiling a policy of SELinux there"),
    ("strace", "strace", "looking at the system calls of a start"),
    ("seccomp.h", "libseccomp-dev", "the peer of our seccomp compiler"),
    ("useradd", "passwd", "the ordinary users of the rootless tests"),
    ("newuidmap", "uidmap", "id maps of more than one id for an ordinary user"),
    ("qemu-system-x86_64", "qemu-system-x86", "the virtual machine with cgroup v2 alone"),
    ("qemu-system-aarch64", "qemu-system-arm", "the virtual machine of another architecture"),
    ("mke2fs", "e2fsprogs", "the machines' disks"),
    ("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu", "tests of what differs on aarch64, and its release"),
    ("aarch64-linux-gnu/lib/libc.a", "libc6-dev-arm64-cross", "the same"),
    ("qemu-aarch64-static", "qemu-user-static", "running those tests"),
    ("chromium", "chromium", "the browser that shows the book's diagrams"),
    ("chromedriver", "chromium-driver", "driving that browser from outside"),
];

/// Where programs are looked for besides PATH: an ordinary user's PATH lacks the system's. And headers and libraries of C.
const SYSTEM_FOLDERS: &[&str] =
    &["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin", "/usr/include", "/usr"];

/// The target of the book's diagrams.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Installs the missing programs by apt, as root; otherwise says which command would.
pub fn run() -> Result<()> {
    let missing: Vec<_> = PROGRAMS.iter().filter(|(program, ..)| !is_installed(program)).collect();
    if missing.is_empty() {
        println!("setup: every program that the tests use is installed");
        return other_tools();
    }
    for (program, package, purpose) in &missing {
        println!("setup: {program} (Debian package {package}) is missing: {purpose}");
    }
    let packages: Vec<&str> = missing.iter().map(|(_, package, _)| *package).collect();
    if !is_root() || !is_installed("apt-get") {
        println!("setup: run as root: apt-get install --no-install-recommends {}", packages.join(" "));
        println!("setup: the tests that need them will be named as skipped");
        return other_tools();
    }
    without_starting_servers(|| {
        apt(&["update", "-qq"])?;
        let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends"];
        arguments.extend(packages);
        apt(&arguments)
    })?;
    other_tools()
}

/// Whether a program is found in PATH or the system's folders.
pub fn is_installed(program: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':')
        .chain(SYSTEM_FOLDERS.iter().copied())
        .any(|folder| Path::new(folder).join(program).is_file())
}

/// Whether this process may install packages and make users.
pub fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

fn apt(arguments: &[&str]) -> Result<()> {
    println!("setup: apt-get {}", arguments.join(" "));
    let status = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(Stdio::null())
        .status()
        .map_err(|error| format!("apt-get cannot be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("apt-get {}: {status}", arguments.join(" "))) }
}

/// Debian's server packages ask `policy-rc.d` whether they may start; the tests start their own.
fn without_starting_servers(install: impl FnOnce() -> Result<()>) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let policy = Path::new("/usr/sbin/policy-rc.d");
    if policy.exists() {
        return install();
    }
    std::fs::write(policy, "#!/bin/sh\nexit 101\n")
        .map_err(|error| format!("{}: {error}", policy.display()))?;
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(policy, executable).map_err(|error| format!("{}: {error}", policy.display()))?;
    let outcome = install();
    std::fs::remove_file(policy).map_err(|error| format!("{}: {error}", policy.display()))?;
    outcome
}

/// What the accessibility of the book's pages is checked with.
const AXE: &str = "axe-core@4.10.3";

/// axe-core is a script from npm, kept where the tests look for it.
fn axe_core() -> Result<()> {
    let folder = crate::root().join("target/npm");
    if folder.join("node_modules/axe-core/axe.min.js").exists() {
        return Ok(());
    }
    if !is_installed("npm") {
        println!("setup: npm is not installed: the test that needs {AXE} will be named as skipped");
        return Ok(());
    }
    println!("setup: npm install {AXE}: what a browser knows of accessibility, tested");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries", "1"]);
    fetch(npm.args(["--prefix", ".", AXE]).current_dir(&folder));
    Ok(())
}

/// Runs what needs a network. Without one the tests that miss its result are named as skipped, and all others run.
fn fetch(command: &mut Command) {
    let outcome = match command.status() {
        Ok(status) if status.success() => return,
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    };
    println!("setup: {command:?}: {outcome}: the tests that need it will be named as skipped");
}

/// What comes from elsewhere than Debian: the targets, axe-core, and cargo-deny.
fn other_tools() -> Result<()> {
    // Without rustup the steps that need one are skipped by name.
    let targets = ["target", "add", WASM_TARGET, "aarch64-unknown-linux-gnu"];
    let _ = Command::new("rustup").args(targets).stderr(Stdio::null()).status();
    axe_core()?;
    virtual_machine();
    cargo_deny();
    Ok(())
}

/// The kernel of the machines in which tests run on cgroup v2 alone, the systemd of one of them, and the kernel of another
/// architecture. Without them their steps are skipped by name.
fn virtual_machine() {
    if !is_installed("apt-get") {
        return;
    }
    let hosts = || vm::kernel::fetch(vm::guest::usual()).and_then(|()| vm::systemd::fetch());
    let hosts = if cfg!(target_arch = "x86_64") { hosts() } else { Ok(()) };
    for error in [hosts, vm::kernel::fetch(vm::guest::other())].into_iter().filter_map(Result::err) {
        println!("setup: {error}");
    }
}

fn cargo_deny() {
    cargo_tool("cargo-deny", "cargo-deny", "it keeps licences, sources and duplicates in check");
}

/// What only the long tier uses. The version is part of the result: it decides which mutants there are.
pub fn cargo_mutants() {
    cargo_tool("cargo-mutants", "cargo-mutants@27.1.0", "it lists the mutants of an exercise's answer");
}

/// A tool from crates.io is large, so it is built once.
fn cargo_tool(program: &str, package: &str, purpose: &str) {
    if is_installed(program) || Command::new(program).arg("--version").output().is_ok() {
        return;
    }
    println!("setup: cargo install {package}: {purpose}");
    // The workspace's configuration makes every binary static; a tool is built outside of it.
    let mut cargo = Command::new("cargo");
    fetch(cargo.args(["install", "--quiet", "--locked", package]).current_dir(std::env::temp_dir()));
}
