//! A container's group of processes, in every hierarchy.

use crate::{Error, Layout, Limits, Op, Result, device_program, files, plan};
use kernel::Strace;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long the kernel may take to freeze a group: a process in a system call is frozen when it returns.
const PATIENCE: Duration = Duration::from_secs(10);

/// A group: one folder in v2, and one in each hierarchy of v1.
#[derive(Debug)]
pub struct Cgroup {
    unified: Option<(PathBuf, OwnedFd)>,
    /// By hierarchy's name.
    v1: Vec<(String, PathBuf)>,
}

impl Cgroup {
    /// Makes the group at this path below each hierarchy's mount point, and limits it. On failure nothing is left of it.
    pub fn create(layout: &Layout, path: &str, limits: &Limits) -> Result<Cgroup> {
        let steps = plan(layout, limits).map_err(Error::not_supported)?;
        if layout.unified.is_none() && layout.v1.is_empty() {
            return Err(Error::not_supported(
                "no cgroup hierarchy is mounted; as root: mount -t cgroup2 none /sys/fs/cgroup",
            ));
        }
        let made = make_folders(layout, path).and_then(|()| Cgroup::open(layout, path));
        let limited = made.and_then(|cgroup| {
            steps
                .iter()
                .try_for_each(|step| cgroup.carry_out(step))
                .map(|()| cgroup)
        });
        if limited.is_err() {
            // The error that is returned says more than one of removing what was half made.
            let _ = folders(layout, path)
                .iter()
                .try_for_each(|folder| files::remove(folder));
        }
        limited
    }

    /// The group at a path, which somebody made.
    pub fn open(layout: &Layout, path: &str) -> Result<Cgroup> {
        let below = |mount: &Path| mount.join(path.trim_start_matches('/'));
        let unified = match &layout.unified {
            Some(mount) => open_folder(&below(mount))?,
            None => None,
        };
        let v1 = layout
            .v1
            .iter()
            .map(|hierarchy| (hierarchy.name.clone(), below(&hierarchy.mount)))
            .collect();
        Ok(Cgroup { unified, v1 })
    }

    /// The folder of v2, for a process that is born into it (clone3(2), CLONE_INTO_CGROUP).
    pub fn unified_fd(&self) -> Option<BorrowedFd<'_>> {
        self.unified.as_ref().map(|(_, descriptor)| descriptor.as_fd())
    }

    /// Moves a process into the groups of v1, which no process can be born into.
    pub fn add(&self, pid: i32) -> Result<()> {
        self.v1
            .iter()
            .try_for_each(|(_, folder)| files::write(&folder.join("cgroup.procs"), &pid.to_string()))
    }

    /// The numbers of the processes inside, as the caller sees them.
    pub fn pids(&self) -> Result<Vec<i32>> {
        let Some(folder) = self.any_folder() else {
            return Ok(Vec::new());
        };
        let path = folder.join("cgroup.procs");
        let text = std::fs::read_to_string(&path)
            .strace(|| format!("read({path:?})"))
            .map_err(|error| Error::call("cgroup", error))?;
        Ok(text.lines().filter_map(|line| line.parse().ok()).collect())
    }

    /// Kills every process inside.
    pub fn kill(&self) -> Result<()> {
        if let Some((folder, _)) = &self.unified {
            return files::write(&folder.join("cgroup.kill"), "1");
        }
        // Without v2, those that were made meanwhile are found in the next round.
        let deadline = Instant::now() + PATIENCE;
        loop {
            let pids = self.pids().unwrap_or_default();
            if pids.is_empty() || Instant::now() > deadline {
                return Ok(());
            }
            for pid in pids {
                let _ = nix::sys::signal::kill(
                    nix::unistd::Pid::from_raw(pid),
                    nix::sys::signal::Signal::SIGKILL,
                );
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Stops every process inside where it is, and returns when they have stopped.
    pub fn freeze(&self) -> Result<()> {
        self.set_frozen(true)
    }

    /// Lets them go on.
    pub fn thaw(&self) -> Result<()> {
        self.set_frozen(false)
    }

    /// Whether they are stopped.
    pub fn is_frozen(&self) -> bool {
        match (&self.unified, self.v1_folder("freezer")) {
            (Some((folder, _)), _) => files::keyed(&folder.join("cgroup.events"), "frozen") == Some(1),
            (None, Some(folder)) => std::fs::read_to_string(folder.join("freezer.state"))
                .is_ok_and(|state| state.trim() == "FROZEN"),
            (None, None) => false,
        }
    }

    fn set_frozen(&self, frozen: bool) -> Result<()> {
        let (file, value) = match (&self.unified, self.v1_folder("freezer")) {
            (Some((folder, _)), _) => (folder.join("cgroup.freeze"), if frozen { "1" } else { "0" }),
            (None, Some(folder)) => (
                folder.join("freezer.state"),
                if frozen { "FROZEN" } else { "THAWED" },
            ),
            (None, None) => {
                return Err(Error::not_supported(
                    "no freezer is mounted: processes cannot be paused",
                ));
            }
        };
        files::write(&file, value)?;
        let deadline = Instant::now() + PATIENCE;
        while self.is_frozen() != frozen {
            if Instant::now() > deadline {
                let _ = files::write(&file, if frozen { "0" } else { "1" });
                return Err(Error::not_supported(format_args!(
                    "{}: some process does not stop",
                    file.display()
                )));
            }
            std::thread::sleep(Duration::from_micros(500));
        }
        Ok(())
    }

    /// How many processes were killed because memory ran out.
    pub fn oom_kills(&self) -> u64 {
        let unified = self
            .unified
            .as_ref()
            .and_then(|(folder, _)| files::keyed(&folder.join("memory.events"), "oom_kill"));
        let v1 = || {
            self.v1_folder("memory")
                .and_then(|folder| files::keyed(&folder.join("memory.oom_control"), "oom_kill"))
        };
        unified.or_else(v1).unwrap_or(0)
    }

    /// Removes the group from every hierarchy; it must be empty, or about to be.
    pub fn remove(&self) -> Result<()> {
        self.v1.iter().try_for_each(|(_, folder)| files::remove(folder))?;
        self.unified
            .as_ref()
            .map_or(Ok(()), |(folder, _)| files::remove(folder))
    }

    fn any_folder(&self) -> Option<&Path> {
        let v1 = || {
            self.v1_folder("pids")
                .or_else(|| self.v1.first().map(|(_, folder)| folder.as_path()))
        };
        self.unified
            .as_ref()
            .map(|(folder, _)| folder.as_path())
            .or_else(v1)
    }

    fn v1_folder(&self, controller: &str) -> Option<&Path> {
        let has = |name: &str| name.split(',').any(|own| own == controller);
        self.v1
            .iter()
            .find(|(name, _)| has(name))
            .map(|(_, folder)| folder.as_path())
    }

    fn carry_out(&self, step: &Op) -> Result<()> {
        match step {
            Op::Write {
                controller,
                file,
                value,
                optional,
            } => {
                let folder = match controller {
                    Some(controller) => self.v1_folder(controller),
                    None => self.unified.as_ref().map(|(folder, _)| folder.as_path()),
                };
                let Some(path) = folder.map(|folder| folder.join(file)) else {
                    return Ok(());
                };
                if *optional && !path.exists() {
                    Ok(())
                } else {
                    files::write(&path, value)
                }
            }
            Op::Devices(rules) => {
                let Some(descriptor) = self.unified_fd() else {
                    return Ok(());
                };
                kernel::attach_device_program(descriptor, &device_program(rules))
                    .map_err(|error| Error::call("device rules", error))
            }
        }
    }
}

fn folders(layout: &Layout, path: &str) -> Vec<PathBuf> {
    let mounts = layout
        .v1
        .iter()
        .map(|hierarchy| &hierarchy.mount)
        .chain(&layout.unified);
    mounts
        .map(|mount| mount.join(path.trim_start_matches('/')))
        .collect()
}

fn open_folder(folder: &Path) -> Result<Option<(PathBuf, OwnedFd)>> {
    match std::fs::File::open(folder) {
        Ok(file) => Ok(Some((folder.to_path_buf(), file.into()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        failed => failed
            .strace(|| format!("open({folder:?}, O_RDONLY)"))
            .map(|_| None)
            .map_err(|error| Error::call("cgroup", error)),
    }
}

fn make_folders(layout: &Layout, path: &str) -> Result<()> {
    for hierarchy in &layout.v1 {
        // A new cpuset is empty, and no process can be in an empty one: it begins with what the one above has.
        let inherit = |folder: &Path| {
            if hierarchy.has("cpuset") {
                inherit_cpuset(folder)
            } else {
                Ok(())
            }
        };
        files::make(&hierarchy.mount, path, inherit)?;
    }
    let Some(mount) = &layout.unified else {
        return Ok(());
    };
    enable_controllers(layout, mount, path)?;
    files::make(mount, path, |_| Ok(()))
}

fn inherit_cpuset(folder: &Path) -> Result<()> {
    let above = folder.parent().unwrap_or(folder);
    for file in ["cpuset.cpus", "cpuset.mems"] {
        let path = above.join(file);
        let value = std::fs::read_to_string(&path)
            .strace(|| format!("read({path:?})"))
            .map_err(|error| Error::call("cgroup", error))?;
        files::write(&folder.join(file), value.trim())?;
    }
    Ok(())
}

/// On v2 a controller reaches a group only if every group above passes it on (cgroup.subtree_control).
fn enable_controllers(layout: &Layout, mount: &Path, path: &str) -> Result<()> {
    let wanted = ["cpuset", "cpu", "io", "memory", "pids"];
    let names: Vec<String> = wanted
        .iter()
        .filter(|name| layout.unified_controllers.iter().any(|own| own == *name))
        .map(|name| format!("+{name}"))
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    let above = path
        .trim_matches('/')
        .rsplit_once('/')
        .map_or("", |(above, _)| above);
    files::make(mount, above, |_| Ok(()))?;
    let mut folder = mount.to_path_buf();
    pass_on(&folder, &names)?;
    for name in above.split('/').filter(|name| !name.is_empty()) {
        folder.push(name);
        pass_on(&folder, &names)?;
    }
    Ok(())
}

fn pass_on(folder: &Path, names: &[String]) -> Result<()> {
    let file = folder.join("cgroup.subtree_control");
    let passed = std::fs::read_to_string(&file).unwrap_or_default();
    let missing: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| !passed.split_whitespace().any(|own| own == &name[1..]))
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        files::write(&file, &missing.join(" "))
    }
}
