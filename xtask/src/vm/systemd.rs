//! A second machine, in which systemd is process 1: for what asks it for cgroups.
//!
//! Its root is a disk with Debian's packages, unpacked beside what cargo builds and never installed: apt is asked for all that systemd
//! needs on a machine where nothing is. What cargo built comes in the initramfs. A service runs the tests, and ends the machine.

use super::contents::{self, Executable, Initramfs};
use super::{choice, cpio, guest, kernel, machine};
use crate::{Result, root, setup, users};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// systemd, its bus, also that of a user, and what changes to a user.
const PACKAGES: [&str; 6] =
    ["usr-is-merged", "systemd", "dbus", "dbus-user-session", "libpam-systemd", "util-linux"];

/// The tests, in parts, since each has its time; and how cargo is asked for them.
const TESTS: [(&str, &[&str]); 3] =
    [("systemd", &["scopes::"]), ("systemd", &["refusals::"]), ("systemd", &["ordinary::"])];
const TEST_BINARIES: [&str; 8] =
    ["test", "--no-run", "--package", "runtime", "--features", "runtime/systemd", "--test", "systemd"];

/// Where the files of Debian's packages lie.
fn tree() -> PathBuf {
    root().join("target/vm/systemd")
}

/// What this machine needs beside the other one's, and is not here.
pub fn missing() -> Option<String> {
    (!tree().exists()).then(|| "the systemd of the tests' machine is missing: cargo xtask setup".into())
}

/// Downloads and unpacks the packages, unless they are here.
pub fn fetch() -> Result<()> {
    if tree().exists() {
        return Ok(());
    }
    println!(
        "setup: apt-get download {}, and what they need: the tests' machine with systemd, not installed but unpacked",
        PACKAGES.join(" ")
    );
    let unfinished =
        kernel::folder(guest::usual())?.join(format!("systemd-unfinished-{}", std::process::id()));
    let fetched = download(&unfinished)
        .and_then(|()| unpack(&unfinished.join("archives"), &unfinished.join("tree")))
        .and_then(|()| fs::rename(unfinished.join("tree"), tree()).map_err(|error| error.to_string()));
    let _ = fs::remove_dir_all(&unfinished); // the outcome counts more
    fetched
}

/// apt resolves what is needed where it is told that nothing is installed.
fn download(folder: &Path) -> Result<()> {
    make_folder(&folder.join("archives/partial"))?;
    let nothing = folder.join("status");
    write(&nothing, "")?;
    let mut apt = Command::new("apt-get");
    apt.args(["install", "-qq", "-y", "--download-only", "--no-install-recommends"]);
    for (option, value) in [
        ("Dir::State::status", nothing.display().to_string()),
        ("Dir::Cache::archives", folder.join("archives").display().to_string()),
        // The folder is ours, and apt's own user cannot write there.
        ("APT::Sandbox::User", "root".into()),
        // No lock of the host's is taken, since nothing of the host's is changed.
        ("Debug::NoLocking", "1".into()),
    ] {
        apt.args(["-o", &format!("{option}={value}")]);
    }
    kernel::output(apt.args(PACKAGES)).map(drop)
}

/// The folders of old are links into /usr, which tar must follow.
fn unpack(archives: &Path, tree: &Path) -> Result<()> {
    for name in ["bin", "sbin", "lib", "lib64"] {
        make_folder(&tree.join("usr").join(name))?;
        let link = symlink(Path::new("usr").join(name), tree.join(name));
        link.map_err(|error| format!("{name}: {error}"))?;
    }
    let entries = fs::read_dir(archives).map_err(|error| format!("{}: {error}", archives.display()))?;
    let packages = entries.flatten().map(|entry| entry.path());
    for package in packages.filter(|path| path.extension().is_some_and(|extension| extension == "deb")) {
        let script = r#"dpkg-deb --fsys-tarfile "$1" | tar --extract --keep-directory-symlink --no-same-owner --directory "$2""#;
        let mut shell = Command::new("bash");
        shell.args(["-o", "pipefail", "-c", script, "unpack"]).arg(package).arg(tree);
        kernel::output(&mut shell)?;
    }
    Ok(())
}

/// What the packages' scripts would have written, anew for each run: users, and how they are let in; and what this machine is for.
fn configure(tree: &Path) -> Result<()> {
    for (path, content) in configuration() {
        let path = tree.join(path);
        make_folder(path.parent().unwrap_or(tree))?;
        write(&path, &content)?;
    }
    for folder in ["proc", "sys", "dev", "run", "tmp", "root", "var/tmp"] {
        make_folder(&tree.join(folder))?;
    }
    for (target, path) in
        [("/usr/bin/busybox", "usr/bin/sh"), ("coracle.target", "etc/systemd/system/default.target")]
    {
        let path = tree.join(path);
        let _ = fs::remove_file(&path); // of the last run
        symlink(target, &path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

fn configuration() -> [(&'static str, String); 10] {
    let user = users::ORDINARY_USER;
    let passwd = format!(
        "root:x:0:0:root:/root:/bin/sh\nmessagebus:x:100:100::/nonexistent:/bin/false\n{user}:x:1000:1000::/tmp:/bin/sh\n\
         nobody:x:65534:65534::/:/bin/false\n"
    );
    let group = format!("root:x:0:\ntty:x:5:\nmessagebus:x:100:\n{user}:x:1000:\nnogroup:x:65534:\n");
    let denied =
        ["auth", "account", "password", "session"].map(|what| format!("{what} required pam_deny.so\n"));
    // Whoever systemd lets in has not been asked for a password.
    let let_in =
        "account required pam_permit.so\nsession required pam_permit.so\nsession optional pam_systemd.so\n";
    let delegated = "[Service]\nDelegate=cpu cpuset io memory pids\n";
    [
        ("etc/machine-id", "c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0\n".into()),
        ("etc/hostname", "vm\n".into()),
        ("etc/passwd", passwd),
        ("etc/group", group),
        ("etc/pam.d/other", denied.concat()),
        ("etc/pam.d/systemd-user", let_in.into()),
        ("etc/systemd/system/user@.service.d/delegate.conf", delegated.into()),
        ("etc/systemd/system/coracle.service", include_str!("systemd/coracle.service").into()),
        ("etc/systemd/system/coracle.target", include_str!("systemd/coracle.target").into()),
        ("machine/main", include_str!("systemd/main.sh").into()),
    ]
}

fn make_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, content: &str) -> Result<()> {
    fs::write(path, content).map_err(|error| format!("{}: {error}", path.display()))
}

/// Runs the tests; `skipped` is told of each that could not run even there, and why.
pub fn test(only: Option<&str>, skipped: impl FnMut(&str, &str)) -> Result<()> {
    let guest = guest::usual();
    let files = super::files(guest)?;
    let executables = contents::build(guest, &root(), &TEST_BINARIES)?;
    write_initramfs(&files.initramfs, &executables, only)?;
    configure(&tree())?;
    make_root(&files.disk)?;
    machine::make_empty(&files.swap, machine::SWAP_SIZE)?;
    super::watch(&files, super::security::USUAL, skipped)
}

fn write_initramfs(path: &Path, executables: &[Executable], only: Option<&str>) -> Result<()> {
    let guest = guest::usual();
    let mut archive: Initramfs = cpio::Archive::create(path)?;
    for folder in ["/root", "/proc", "/dev"] {
        archive.folder(Path::new(folder))?;
    }
    let busybox = Path::new("/usr/bin/busybox");
    archive.copy(busybox, &contents::find("busybox").ok_or("busybox is not installed")?)?;
    archive.link(Path::new("/bin/sh"), "/usr/bin/busybox")?;
    archive.file(Path::new("/init"), 0o755, include_bytes!("systemd/init"))?;
    contents::add_modules(&mut archive, guest)?;
    for executable in executables {
        contents::add_executable(&mut archive, guest, executable)?;
    }
    let parts = if only.is_some() { &TESTS[..1] } else { &TESTS };
    let script = choice::script(executables, only, &root(), parts);
    archive.file(Path::new("/machine/run"), 0o755, script.as_bytes())?;
    let mut list = format!("{}\n/machine/run\n", busybox.display());
    list.extend(executables.iter().map(|executable| format!("{}\n", executable.path.display())));
    archive.file(Path::new("/machine/files"), 0o644, list.as_bytes())?;
    archive.finish()
}

/// The disk. Its files are root's there, whoever has unpacked them.
fn make_root(disk: &Path) -> Result<()> {
    machine::make_empty(disk, machine::DISK_SIZE)?;
    let mut mke2fs = Command::new(if setup::is_root() { "env" } else { "unshare" });
    if !setup::is_root() {
        mke2fs.args(["--user", "--map-root-user"]);
    }
    mke2fs.args(["/usr/sbin/mke2fs", "-q", "-t", "ext4", "-m", "0", "-O", "^has_journal", "-d"]).arg(tree());
    kernel::output(mke2fs.arg(disk)).map(drop)
}
