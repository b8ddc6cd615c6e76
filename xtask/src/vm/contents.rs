//! What is in the machine: a few of the host's programs with their libraries, the kernel's modules, and what cargo built.

use super::cpio::Archive;
use super::guest::Guest;
use super::{choice, kernel, modules, security};
use crate::{Result, root, users};
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// An archive that is written to a file.
pub type Initramfs = Archive<BufWriter<File>>;

/// What the machine is for.
pub enum Purpose<'a> {
    /// The tests whose name contains this.
    Test(Option<&'a str>),
    /// The sessions of the book's pages alone, in this workspace.
    Sessions(&'a Path),
    /// Somebody at a terminal.
    Shell,
    /// A command and its end.
    Command(&'a [String]),
}

/// What busybox has not, or not in full; its shell prefers its own. Those that the host has not are left out, and the tests
/// that need them say so.
const PROGRAMS: &[&str] = &[
    "apparmor_parser",
    "cp",
    "criu",
    "docker",
    "flock",
    "gzip",
    "ip",
    "mount",
    "nft",
    "nsenter",
    "secilc",
    "setpriv",
    "sh",
    "strace",
    "tar",
    "timeout",
    "umount",
    "unshare",
];

const PROGRAM_FOLDERS: &[&str] = &["/usr/local/bin", "/usr/bin", "/usr/sbin", "/bin", "/sbin"];

/// Where the sessions are that were recorded; and a folder on the way from the test's source to them.
pub const RECORDED: &str = "book/transcripts/sessions";
const RECORDS: &str = "book/transcripts/tests/record";

/// What cargo built.
pub struct Executable {
    /// The target's name.
    pub name: String,
    /// Whether it runs tests.
    pub is_test: bool,
    /// Where it is.
    pub path: PathBuf,
}

/// Writes the initramfs.
pub fn write(path: &Path, guest: &Guest, purpose: &Purpose<'_>) -> Result<()> {
    let workspace = if let Purpose::Sessions(copy) = purpose { copy.to_path_buf() } else { root() };
    let mut archive = Archive::create(path)?;
    add_system(&mut archive, guest)?;
    let mut executables = Vec::new();
    for arguments in choice::builds(guest, purpose) {
        executables.extend(build(guest, &workspace, arguments)?);
    }
    for executable in &executables {
        add_executable(&mut archive, guest, executable)?;
    }
    let script = match purpose {
        Purpose::Test(only) => {
            add_sessions(&mut archive, &workspace)?;
            choice::script(&executables, *only, &workspace, choice::tests(guest))
        }
        Purpose::Sessions(_) => {
            add_sessions(&mut archive, &workspace)?;
            choice::script(&executables, None, &workspace, choice::tests(guest))
        }
        Purpose::Command(words) => {
            let quoted = |word: &String| format!("'{}'", word.replace('\'', r"'\''"));
            words.iter().map(quoted).collect::<Vec<String>>().join(" ")
        }
        Purpose::Shell => return archive.finish(),
    };
    archive.file(Path::new("/machine/run"), 0o755, script.as_bytes())?;
    archive.finish()
}

/// What was recorded of the pages' sessions, where the test looks for it.
fn add_sessions(archive: &mut Initramfs, workspace: &Path) -> Result<()> {
    archive.folder(&workspace.join(RECORDS))?;
    let folder = workspace.join(RECORDED);
    let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    entries.flatten().try_for_each(|entry| archive.copy(&entry.path(), &entry.path()))
}

/// Builds, and reads from cargo's messages where the executables are. A workspace that is not ours is a copy, with what it built
/// beside it.
pub fn build(guest: &Guest, workspace: &Path, arguments: &[&str]) -> Result<Vec<Executable>> {
    let mut cargo = guest.cargo(arguments[0]);
    cargo.args(&arguments[1..]).arg("--message-format=json-render-diagnostics").current_dir(workspace);
    if workspace != root() {
        cargo.env("CARGO_TARGET_DIR", workspace.with_file_name("target"));
    }
    let output = cargo.stderr(Stdio::inherit()).output().map_err(|error| format!("cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!("{cargo:?}: {}", output.status));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    Ok(messages.lines().filter_map(executable).collect())
}

fn executable(message: &str) -> Option<Executable> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    Some(Executable {
        path: message["executable"].as_str()?.into(),
        name: message["target"]["name"].as_str()?.into(),
        is_test: message["profile"]["test"].as_bool()?,
    })
}

fn add_system(archive: &mut Initramfs, guest: &Guest) -> Result<()> {
    for (link, target) in
        [("/bin", "usr/bin"), ("/sbin", "usr/sbin"), ("/lib", "usr/lib"), ("/lib64", "usr/lib64")]
    {
        archive.link(Path::new(link), target)?;
    }
    for folder in [
        "/machine/root",
        "/machine/applets",
        "/proc",
        "/sys",
        "/dev",
        "/run",
        "/tmp",
        "/root",
        "/mnt",
        "/var/lib",
    ] {
        archive.folder(Path::new(folder))?;
    }
    let hosts = find("busybox").ok_or("busybox is not installed")?;
    let busybox = if guest.is_foreign() { kernel::busybox(guest) } else { hosts };
    archive.copy(Path::new("/usr/bin/busybox"), &busybox)?;
    archive.file(Path::new("/init"), 0o755, include_bytes!("init"))?;
    let users = format!(
        "root:x:0:0:root:/root:/bin/sh\n{user}:x:1000:1000::/tmp:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n",
        user = users::ORDINARY_USER
    );
    archive.file(Path::new("/etc/passwd"), 0o644, users.as_bytes())?;
    let groups = format!("root:x:0:\ntty:x:5:\n{}:x:1000:\nnogroup:x:65534:\n", users::ORDINARY_USER);
    archive.file(Path::new("/etc/group"), 0o644, groups.as_bytes())?;
    if guest.is_foreign() {
        archive.link(Path::new("/usr/bin/sh"), "busybox")?;
    } else {
        add_hosts_programs(archive)?;
    }
    add_modules(archive, guest)
}

fn add_hosts_programs(archive: &mut Initramfs) -> Result<()> {
    for program in PROGRAMS.iter().filter_map(|program| find(program)) {
        add_program(archive, &program)?;
    }
    security::add_files(archive)
}

/// Where the host has a program.
pub fn find(program: &str) -> Option<PathBuf> {
    PROGRAM_FOLDERS.iter().map(|folder| Path::new(folder).join(program)).find(|path| path.is_file())
}

/// A program of the host, and the libraries that it is linked with.
fn add_program(archive: &mut Initramfs, program: &Path) -> Result<()> {
    archive.add_from_host(program)?;
    // It fails for one that is linked with none.
    let listing = Command::new("ldd").arg(program).output().map_err(|error| format!("ldd: {error}"))?;
    let listing = String::from_utf8_lossy(&listing.stdout).into_owned();
    let libraries =
        listing.lines().filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')));
    libraries.map(Path::new).try_for_each(|library| archive.add_from_host(library))
}

/// The kernel's modules, and the order in which they are loaded.
pub fn add_modules(archive: &mut Initramfs, guest: &Guest) -> Result<()> {
    let mut order = String::new();
    for module in modules::in_order(&kernel::modules(guest)?)? {
        let name = module.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let place = format!("/machine/modules/{name}");
        let bytes = std::fs::read(&module).map_err(|error| format!("{}: {error}", module.display()))?;
        archive.file(Path::new(&place), 0o644, &bytes)?;
        order += &format!("{place}\n");
    }
    archive.file(Path::new("/machine/order"), 0o644, order.as_bytes())
}

/// One that cargo built, where cargo put it, since the tests know it by that; without what only a debugger reads.
pub fn add_executable(archive: &mut Initramfs, guest: &Guest, executable: &Executable) -> Result<()> {
    let stripped = kernel::folder(guest)?.join(format!("stripped-{}", std::process::id()));
    let strip =
        Command::new(guest.strip).args(["--strip-debug", "-o"]).arg(&stripped).arg(&executable.path).status();
    let content = if strip.is_ok_and(|status| status.success()) { &stripped } else { &executable.path };
    let added = archive.copy(&executable.path, content);
    let _ = std::fs::remove_file(&stripped); // it is in the archive, or the error says more
    added?;
    let path = executable.path.display().to_string();
    if executable.is_test {
        // Where tests of this target leave files of their own.
        let target = executable.path.ancestors().nth(3).unwrap_or(&executable.path);
        return archive.folder(&target.join("tmp"));
    }
    archive.link(&Path::new("/usr/local/bin").join(&executable.name), &path)
}
