//! Roots made from a plan, by the exhibit or by chapter 01, and what is seen in them.

use crate::{naive_console, naive_mounts, naive_view};
use chroot::{Device, Mount, MountOp, MountOptions, Propagation, Root, RootSpec, What};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Who makes a root.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum By {
    Exhibit,
    NaiveConsole,
    Ours,
}

/// `PROC_SUPER_MAGIC` (statfs(2)), as [`seen`] prints it.
pub const PROC: &str = "0x9fa0";

/// A folder with an image, and what shall be mounted in it.
pub struct Scene {
    pub folder: PathBuf,
    pub image: PathBuf,
    pub mounts: Vec<Mount>,
    pub masked: Vec<PathBuf>,
    pub devices: Vec<Device>,
}

impl Scene {
    pub fn new(folder: &Path) -> Scene {
        let image = folder.join("image");
        for name in ["dev", "etc", "proc", "tmp", "vol", "seen"] {
            fs::create_dir_all(image.join(name)).unwrap();
        }
        fs::write(folder.join("secret"), "the host's").unwrap();
        let (folder, mounts) = (folder.to_path_buf(), Vec::new());
        Scene { folder, image, mounts, masked: Vec::new(), devices: Vec::new() }
    }

    /// A folder of the host's.
    pub fn folder(&self, name: &str) -> PathBuf {
        let path = self.folder.join(name);
        fs::create_dir_all(&path).unwrap();
        path
    }

    pub fn bind(&mut self, source: &Path, destination: &str) {
        self.add(What::Bind { source: source.into(), recursive: true }, destination);
    }

    pub fn filesystem(&mut self, fstype: &str, destination: &str) {
        self.add(What::Filesystem { fstype: fstype.into(), source: fstype.into() }, destination);
    }

    fn add(&mut self, what: What, destination: &str) {
        let options = MountOptions::default();
        self.mounts.push(Mount { destination: destination.into(), what, options });
    }

    /// The plan, in a file.
    pub fn plan(&self) -> PathBuf {
        let spec = RootSpec {
            root: Root::Folder(self.image.clone()),
            mounts: self.mounts.clone(),
            devices: self.devices.clone(),
            masked_paths: self.masked.clone(),
            readonly_paths: Vec::new(),
            readonly: false,
            propagation: Propagation::RPRIVATE,
            rootless: false,
        };
        let path = self.folder.join("plan.json");
        fs::write(&path, serde_json::to_string(&chroot::plan(&spec)).unwrap()).unwrap();
        path
    }

    /// Makes the root, and looks at what is seen in it: a line each, or `refused: …`.
    pub fn seen(&self, by: By, looks: &[&str]) -> Vec<String> {
        seen_by(by, &self.plan(), looks)
    }
}

/// The same, with a plan that was written before.
pub fn seen_by(by: By, plan: &Path, looks: &[&str]) -> Vec<String> {
    let mut command = Command::new("/proc/self/exe");
    let output = command.args(["--in-root", &format!("{by:?}")]).arg(plan).args(looks).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(String::from).collect()
}

/// In a process of its own: makes the root, and looks.
pub fn look(by: &str, plan: &Path, looks: &[&str]) -> ExitCode {
    let steps: Vec<MountOp> = serde_json::from_str(&fs::read_to_string(plan).unwrap()).unwrap();
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).unwrap();
    let made = match by {
        "Ours" => chroot::apply(&steps).map_err(|error| error.to_string()),
        "NaiveConsole" => naive_console::enter(&steps).map_err(|error| error.to_string()),
        _ => naive_mounts::apply(&steps).map_err(|error| error.to_string()),
    };
    match made {
        Err(error) => println!("refused: {error}"),
        Ok(()) => looks.iter().for_each(|look| println!("{}", seen(look))),
    }
    ExitCode::SUCCESS
}

/// `type PATH`, the number of its file system; `read PATH`, its first line; `cgroups`, the hierarchies that can be written.
fn seen(look: &str) -> String {
    if look == "cgroups" {
        return naive_view::writable().join(" ");
    }
    let (verb, path) = look.split_once(' ').unwrap();
    let seen = match verb {
        "type" => nix::sys::statfs::statfs(path)
            .map(|found| format!("{:#x}", found.filesystem_type().0))
            .map_err(|errno| errno.into()),
        _ => fs::read(path)
            .map(|bytes| String::from_utf8_lossy(&bytes).lines().next().unwrap_or_default().to_string()),
    };
    seen.unwrap_or_else(|error: std::io::Error| format!("error: {error}"))
}
