//! Release archives: the engine and its runtime as static binaries, one archive an architecture, the same bytes each time.

pub mod order;
mod symbols;
mod trace;

use crate::setup::is_installed;
use crate::{Result, root};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[derive(clap::Args)]
pub struct Arguments {
    /// Only this architecture: x86_64 or aarch64; may be repeated
    #[arg(long, value_name = "ARCH")]
    arch: Vec<String>,
    /// Where the archives and their digests are put
    #[arg(long, value_name = "DIR", default_value = "target/dist")]
    out: PathBuf,
    /// The coracle-oci.order of a release that is made again; without it, a new trace
    #[arg(long, value_name = "FILE")]
    order: Option<PathBuf>,
}

/// An architecture that is released, and what compiles and runs programs for it on another one.
pub struct Architecture {
    /// Its name, as `uname -m` says it.
    pub name: &'static str,
    /// Rust's name for it.
    pub target: &'static str,
    /// A linker, which is a C compiler with a static C library: its program, and its Debian packages.
    pub linker: (&'static str, &'static str),
    /// What runs its programs elsewhere: a program, and its Debian package.
    pub emulator: (&'static str, &'static str),
}

/// Those that are released.
pub const ARCHITECTURES: [Architecture; 2] = [
    Architecture {
        name: "x86_64",
        target: "x86_64-unknown-linux-gnu",
        linker: ("x86_64-linux-gnu-gcc", "gcc-x86-64-linux-gnu libc6-dev-amd64-cross"),
        emulator: ("qemu-x86_64-static", "qemu-user-static"),
    },
    Architecture {
        name: "aarch64",
        target: "aarch64-unknown-linux-gnu",
        linker: ("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu libc6-dev-arm64-cross"),
        emulator: ("qemu-aarch64-static", "qemu-user-static"),
    },
];

/// What goes into an archive beside the binaries.
const DOCUMENTS: [&str; 3] = ["LICENSE", "README.md", "CHANGELOG.md"];
const BINARIES: [&str; 2] = ["coracle", order::NAME];
/// What a first build does not wait for.
pub const FEATURES: &str = "runtime/systemd";
/// What cargo is told to build something as it is released.
const AS_RELEASED: [&str; 3] = ["--release", "--features", FEATURES];

/// Builds the archives.
pub fn run(arguments: &Arguments) -> Result<()> {
    let known = |name: &String| ARCHITECTURES.iter().any(|architecture| architecture.name == name);
    if let Some(name) = arguments.arch.iter().find(|name| !known(name)) {
        return Err(format!("--arch {name}: Coracle is released for x86_64 and aarch64"));
    }
    let wanted = |name: &str| arguments.arch.is_empty() || arguments.arch.iter().any(|arch| arch == name);
    let wanted: Vec<_> = ARCHITECTURES.iter().filter(|architecture| wanted(architecture.name)).collect();
    // What is missing is said of all before the first is built.
    if let Some(why) = wanted.iter().find_map(|architecture| architecture.missing()) {
        return Err(why);
    }
    let out = root().join(&arguments.out);
    std::fs::create_dir_all(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    let order = arguments.order.as_ref().map_or_else(
        || Ok(order::traced()),
        |file| std::fs::read_to_string(file).map_err(|error| format!("--order {}: {error}", file.display())),
    )?;
    write(&out.join(order::FILE), &order)?;
    let mut digests = String::new();
    for architecture in wanted {
        let archive = architecture.archive(&out, &order)?;
        let digest = output(Command::new("sha256sum").arg(&archive).current_dir(&out))?;
        print!("{digest}");
        let _ = write!(digests, "{digest}");
    }
    write(&out.join("SHA256SUMS"), &digests)
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// What a release is held to: made once more with its order, the archives are the same bytes; unpacked elsewhere, each binary says its
/// version.
pub fn test() -> Result<()> {
    let [first, second] = ["first", "second"].map(|out| Path::new("target/dist-test").join(out));
    let order = root().join(&first).join(order::FILE);
    let [first, second] =
        [(first, None), (second, Some(order))].map(|(out, order)| Arguments { arch: Vec::new(), out, order });
    run(&first)?;
    run(&second)?;
    let digests = |out: &Path| {
        std::fs::read_to_string(root().join(out).join("SHA256SUMS")).map_err(|error| error.to_string())
    };
    if digests(&first.out)? != digests(&second.out)? {
        return Err("an archive that is made a second time differs".into());
    }
    let out = root().join(&first.out);
    for architecture in &ARCHITECTURES {
        let name = architecture.file_name();
        succeed(Command::new("tar").args(["-xzf", &format!("{name}.tar.gz")]).current_dir(&out))?;
        for binary in BINARIES {
            let version = output(architecture.program(&out.join(&name).join(binary)).arg("--version"))?;
            if !version.contains(env!("CARGO_PKG_VERSION")) {
                return Err(format!("{name}/{binary} --version: {version:?}"));
            }
        }
    }
    std::fs::remove_dir_all(root().join("target/dist-test")).map_err(|error| error.to_string())
}

impl Architecture {
    /// This machine's.
    pub fn own() -> Result<&'static Architecture> {
        let own = ARCHITECTURES.iter().find(|architecture| architecture.is_native());
        own.ok_or_else(|| format!("Coracle is not released for {}", std::env::consts::ARCH))
    }

    fn is_native(&self) -> bool {
        self.name == std::env::consts::ARCH
    }

    /// What is missing to compile for it, and the remedy.
    pub fn missing(&self) -> Option<String> {
        let targets = output(Command::new("rustup").args(["target", "list", "--installed"]));
        if !self.is_native() && !targets.is_ok_and(|targets| targets.contains(self.target)) {
            return Some(format!("{0} is not installed: rustup target add {0}", self.target));
        }
        let (linker, packages) = self.linker;
        (!self.is_native() && !is_installed(linker))
            .then(|| format!("{linker} is not installed: apt-get install {packages}"))
    }

    /// Cargo, told to compile for it, and to run its programs.
    pub fn cargo(&self, verb: &str) -> Command {
        let mut cargo = Command::new("cargo");
        cargo.args([verb, "--locked", "--target", self.target]).current_dir(root());
        if !self.is_native() {
            let variable = self.target.to_uppercase().replace('-', "_");
            cargo.env(format!("CARGO_TARGET_{variable}_LINKER"), self.linker.0);
            cargo.env(format!("CARGO_TARGET_{variable}_RUNNER"), self.emulator.0);
            // The crates that contain C ask for a compiler by this name.
            cargo.env(format!("CC_{}", self.target.replace('-', "_")), self.linker.0);
        }
        cargo
    }

    /// A program of it, run by an emulator if it must be.
    fn program(&self, path: &Path) -> Command {
        if self.is_native() {
            return Command::new(path);
        }
        let mut emulator = Command::new(self.emulator.0);
        emulator.arg(path);
        emulator
    }

    /// The name of its archive, without an ending, and of the folder in it.
    fn file_name(&self) -> String {
        format!("coracle-{}-linux-{}", env!("CARGO_PKG_VERSION"), self.name)
    }

    /// Builds the engine as it is released; where the executable lies.
    pub fn engine(&self) -> Result<PathBuf> {
        succeed(self.cargo("build").args(AS_RELEASED).args(["--bin", "coracle"]))?;
        Ok(self.built("coracle"))
    }

    /// Where cargo puts a binary for it.
    fn built(&self, name: &str) -> PathBuf {
        target_folder().join(self.target).join("release").join(name)
    }

    /// Builds the binaries and packs them; the archive's name in `out`.
    fn archive(&self, out: &Path, order: &str) -> Result<String> {
        let binaries = [self.engine()?, order::build(self, order)?];
        let name = self.file_name();
        let folder = out.join(&name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for file in binaries.into_iter().chain(DOCUMENTS.iter().map(|name| root().join(name))) {
            let copy = folder.join(file.file_name().unwrap_or_default());
            std::fs::copy(&file, copy).map_err(|error| format!("{}: {error}", file.display()))?;
        }
        let archive = format!("{name}.tar.gz");
        let packed = pack(out, &name, &archive);
        let _ = std::fs::remove_dir_all(&folder);
        packed.map(|()| archive)
    }
}

/// One commit gives one archive, byte for byte: no order of a folder, no time of day, no user is in it.
fn pack(out: &Path, folder: &str, archive: &str) -> Result<()> {
    let committed = output(Command::new("git").args(["log", "-1", "--format=%ct"]).current_dir(root()))?;
    let time = format!("--mtime=@{}", committed.trim());
    let owner = ["--owner=0", "--group=0", "--numeric-owner", "--mode=u=rwX,go=rX"];
    let mut tar = Command::new("tar");
    tar.args(["--sort=name", "--format=ustar", &time]).args(owner);
    succeed(tar.args(["--use-compress-program=gzip -9n", "-cf", archive, folder]).current_dir(out))
}

/// Where cargo puts what it builds.
fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}")) }
}

fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{command:?} cannot be started: {error}"))?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", output.status));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("{command:?}: {error}"))
}
