//! A place in the hierarchy of cgroup v2 in which groups can be made for a check, with the controllers that there are.

use super::group;
use nix::unistd::geteuid;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A group of ours, to which every controller that can be had is passed on. When it is dropped, it is gone with all below.
pub struct Site {
    mount: PathBuf,
    folder: PathBuf,
    /// What was not passed on before.
    added: Vec<String>,
}

/// Those that a container's limits need, by their names.
const CONTROLLERS: [&str; 6] = ["cpuset", "cpu", "io", "memory", "pids", "hugetlb"];

/// How long a group may be busy after its last process was killed.
const PATIENCE: Duration = Duration::from_secs(5);

impl Site {
    /// Below the topmost group for root, and below our own for everybody else.
    pub fn make() -> io::Result<Site> {
        let missing = || io::Error::other("there is no cgroup of v2");
        let mount = group::mounted().ok_or_else(missing)?;
        let above = if geteuid().is_root() { mount.clone() } else { group::ours().ok_or_else(missing)? };
        let folder = above.join(group::name("site"));
        fs::create_dir(&folder)?;
        let mut site = Site { mount, folder, added: Vec::new() };
        let (has, passes) = (words(&above, "cgroup.controllers"), words(&above, "cgroup.subtree_control"));
        for controller in CONTROLLERS.iter().filter(|one| has.iter().any(|own| own == **one)) {
            let is_new = !passes.iter().any(|own| own == controller);
            // Where a group has processes of its own it cannot; then there is less to be checked.
            let file = above.join("cgroup.subtree_control");
            if is_new && fs::write(file, format!("+{controller}")).is_ok() {
                site.added.push(controller.to_string());
            }
        }
        Ok(site)
    }

    /// Lets somebody make groups in it, and move processes about.
    pub fn give_to(&self, uid: u32, gid: u32) -> io::Result<()> {
        for file in ["", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"] {
            std::os::unix::fs::chown(self.folder.join(file), Some(uid), Some(gid))?;
        }
        Ok(())
    }

    /// Where the hierarchy is mounted.
    pub fn mount(&self) -> String {
        self.mount.display().to_string()
    }

    /// The group, as the kernel calls it.
    pub fn path(&self) -> String {
        format!("/{}", self.folder.strip_prefix(&self.mount).unwrap_or(&self.folder).display())
    }

    /// The folder of a group below.
    pub fn below(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// What reaches it.
    pub fn controllers(&self) -> Vec<String> {
        words(&self.folder, "cgroup.controllers")
    }

    /// The names of the groups in it.
    pub fn groups(&self) -> Vec<String> {
        let names = folders(&self.folder)
            .into_iter()
            .filter_map(|folder| folder.file_name().map(|name| name.to_owned()));
        names.map(|name| name.to_string_lossy().into_owned()).collect()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = fs::write(self.folder.join("cgroup.kill"), "1");
        remove(&self.folder, Instant::now() + PATIENCE);
        let above = self.folder.parent().unwrap_or(&self.mount);
        for controller in &self.added {
            let _ = fs::write(above.join("cgroup.subtree_control"), format!("-{controller}"));
        }
    }
}

fn remove(folder: &Path, deadline: Instant) {
    folders(folder).iter().for_each(|below| remove(below, deadline));
    while fs::remove_dir(folder).is_err_and(|error| error.kind() == io::ErrorKind::ResourceBusy)
        && Instant::now() < deadline
    {
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(|path| path.is_dir()).collect()
}

/// The words of a file of a group.
pub fn words(folder: &Path, file: &str) -> Vec<String> {
    let text = fs::read_to_string(folder.join(file)).unwrap_or_default();
    text.split_whitespace().map(String::from).collect()
}
