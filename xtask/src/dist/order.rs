//! The runtime's executable, in which what a start executes lies side by side.
//!
//! Most of what a start has resident are its executable's own pages: the kernel maps what its cache holds around each page that
//! is touched. A sixth of the functions run, strewn over all of the code. So the runtime is built with its symbols, does its work
//! under a tracer, and is linked once more with the functions that ran in front.

use super::symbols::{self, Function};
use super::trace::Tracer;
use super::{AS_RELEASED, Architecture, output, succeed, target_folder};
use crate::{Result, root};
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The runtime's binary.
pub const NAME: &str = "coracle-oci";
/// The file beside the archives with the names of its functions that were entered.
pub const FILE: &str = "coracle-oci.order";

/// The names of the functions that a start enters, in this machine's executable, a line each. None where nothing can be traced, which
/// is said.
///
/// Two traces differ in a few: a random seed decides which keys of a hash table are compared, and who is first which of two waits. So
/// the names are kept with a release, and whoever makes it again takes them.
pub fn traced() -> String {
    traced_names().unwrap_or_else(|why| {
        eprintln!("xtask: {NAME} is made without an order of its functions: {why}");
        String::new()
    })
}

fn traced_names() -> Result<String> {
    if cfg!(not(target_arch = "x86_64")) {
        return Err("runs are traced on x86_64 alone".into());
    }
    let executable = Architecture::own()?.with_symbols()?;
    let functions = symbols::functions(&executable)?;
    let entered = trace(&executable, &functions)?;
    Ok(symbols::at(&functions, &entered).iter().map(|name| format!("{name}\n")).collect())
}

/// Builds the runtime as it is released, with these functions in front; where the executable lies.
pub fn build(architecture: &Architecture, names: &str) -> Result<PathBuf> {
    let names: BTreeSet<&str> = names.lines().collect();
    if names.is_empty() {
        return architecture.compile(&[]);
    }
    let functions = symbols::functions(&architecture.with_symbols()?)?;
    let name_of = if architecture.is_native() { str::to_owned } else { symbols::without_hash };
    let lines = symbols::called(&functions, &names, name_of).join("\n");
    let order = write(architecture, &(lines + "\n"))?;
    architecture.compile(&linked_by(architecture, &order)?)
}

/// The file is named for what it says, since cargo links anew only if arguments change; and from the workspace's root, where cargo
/// calls rustc, since arguments are part of the hashes in names.
fn write(architecture: &Architecture, lines: &str) -> Result<PathBuf> {
    let file = architecture.built("order");
    let failed = |error: std::io::Error| format!("{}: {error}", file.display());
    fs::write(&file, lines).map_err(failed)?;
    let digest = output(Command::new("sha256sum").arg(&file))?;
    let named = file.with_extension(digest.get(..16).unwrap_or_default());
    fs::rename(&file, &named).map_err(failed)?;
    remove_others(&named);
    Ok(named.strip_prefix(root()).map_or(named.clone(), Path::to_owned))
}

/// Those of earlier traces, which nobody links by any more.
fn remove_others(named: &Path) {
    let folder = named.parent().and_then(|folder| fs::read_dir(folder).ok());
    for file in folder.into_iter().flatten().flatten().map(|entry| entry.path()) {
        if file.file_stem() == named.file_stem() && file != named {
            let _ = fs::remove_file(file);
        }
    }
}

/// What rustc is told so that it links in this order. GNU's linker, with which foreign executables are made, knows no such file;
/// Rust's own does.
fn linked_by(architecture: &Architecture, order: &Path) -> Result<Vec<String>> {
    let order = format!("-Wl,--symbol-ordering-file={}", order.display());
    let mut arguments = vec![order, "-Wl,--no-warn-symbol-ordering".into()];
    if !architecture.is_native() {
        let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]))?;
        let own = Architecture::own()?.target;
        let linker = format!("-B{}/lib/rustlib/{own}/bin/gcc-ld", sysroot.trim());
        arguments.extend([linker, "-fuse-ld=lld".into()]);
    }
    Ok(arguments.into_iter().flat_map(|argument| ["-C".into(), format!("link-arg={argument}")]).collect())
}

impl Architecture {
    fn with_symbols(&self) -> Result<PathBuf> {
        self.compile(&["-C", "strip=none"].map(str::to_owned))
    }

    /// Builds the runtime with these arguments of rustc, which hold for its last crate alone.
    fn compile(&self, arguments: &[String]) -> Result<PathBuf> {
        let mut cargo = self.cargo("rustc");
        cargo.args(AS_RELEASED).args(["--package", "runtime", "--bin", NAME, "--"]).args(arguments);
        succeed(&mut cargo)?;
        Ok(self.built(NAME))
    }
}

/// The addresses of the functions that are entered by what callers ask of a runtime.
fn trace(executable: &Path, functions: &[Function]) -> Result<BTreeSet<u64>> {
    let scene = Scene::new(executable)?;
    let mut tracer = Tracer::new(functions.iter().map(|function| function.address));
    for verb in [
        &["run", "--bundle", "short", ID][..],
        &["create", "--bundle", "long", ID],
        &["start", ID],
        &["exec", ID, "/busybox", "true"],
        &["delete", "--force", ID],
    ] {
        tracer.run(&scene.runtime(verb))?;
    }
    tracer.finish()
}

/// The container that is run to be traced.
const ID: &str = "coracle-order";

/// A folder with two bundles, one of a program that ends and one of a program that stays, and the containers' states.
struct Scene {
    folder: PathBuf,
    executable: PathBuf,
    /// One trace at a time in this folder; closed, it is unlocked.
    _lock: fs::File,
}

impl Scene {
    /// Makes the folder anew. As root first as root does it, then, where no such container can be made, as an ordinary user.
    fn new(executable: &Path) -> Result<Scene> {
        let folder = target_folder().join("order");
        let lock =
            fs::File::create(folder.with_extension("lock")).and_then(|file| file.lock().map(|()| file));
        let lock = lock.map_err(|error| format!("{}: {error}", folder.with_extension("lock").display()))?;
        let scene = Scene { folder, executable: executable.to_owned(), _lock: lock };
        scene.clear(); // what one that was interrupted has left
        let busybox = output(Command::new("sh").args(["-c", "command -v busybox"]))
            .map_err(|_| "busybox is not installed: apt-get install busybox-static".to_owned())?;
        let mut failure = String::new();
        for rootless in [&[][..], &["--rootless"]] {
            scene.bundle("short", rootless, busybox.trim(), &["/busybox", "true"])?;
            scene.bundle("long", rootless, busybox.trim(), &["/busybox", "sleep", "600"])?;
            match output(&mut scene.runtime(&["run", "--bundle", "short", ID])) {
                Ok(_) => return Ok(scene),
                Err(why) => failure = why,
            }
        }
        Err(format!("no container can be made here: {failure}"))
    }

    fn bundle(&self, name: &str, rootless: &[&str], busybox: &str, args: &[&str]) -> Result<()> {
        let folder = self.folder.join(name);
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("rootfs")).map_err(failed)?;
        fs::copy(busybox, folder.join("rootfs/busybox")).map_err(failed)?;
        output(self.runtime(&["spec", "--bundle", name]).args(rootless))?;
        let file = folder.join("config.json");
        let text = fs::read(&file).map_err(failed)?;
        let mut configuration: serde_json::Value =
            serde_json::from_slice(&text).map_err(|error| error.to_string())?;
        configuration["process"]["args"] = json!(args);
        configuration["process"]["terminal"] = json!(false);
        fs::write(file, configuration.to_string()).map_err(failed)
    }

    fn runtime(&self, arguments: &[&str]) -> Command {
        let mut runtime = Command::new(&self.executable);
        runtime.arg("--root").arg(self.folder.join("state")).args(arguments).current_dir(&self.folder);
        runtime
    }

    /// Removes the container, if there is one, and the folder.
    fn clear(&self) {
        if self.folder.exists() {
            let _ = self.runtime(&["delete", "--force", ID]).stderr(Stdio::null()).status();
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.clear();
    }
}
