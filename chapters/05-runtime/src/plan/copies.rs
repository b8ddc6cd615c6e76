//! Long tail: which binds are copied before there is a process: those whose owners are seen as others, and what another process
//! has mounted in a namespace of its own.

use super::id_maps::{IdMapped, id_mapped};
use crate::Result;
use chroot::{MountOp, What};
use namespaces::SpawnPlan;
use oci_spec::runtime::Spec;
use std::path::{Component, Path, PathBuf};

/// A bind of the root's plan that is copied beforehand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Copied {
    /// Its files have other owners.
    IdMapped(IdMapped),
    /// It is another process's.
    Seen(SeenElsewhere),
}

/// A bind of `/proc/PID/root/…`: not what is mounted here, but what that process sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenElsewhere {
    /// Which step of the root's plan.
    pub step: usize,
    /// The process.
    pub process: i32,
    /// The path, below the root that it has.
    pub path: PathBuf,
}

impl Copied {
    /// Which step of the root's plan.
    pub fn step(&self) -> usize {
        match self {
            Copied::IdMapped(mapped) => mapped.step,
            Copied::Seen(seen) => seen.step,
        }
    }
}

/// Those of a spec, in the plan that was made of it. One that is both is copied as the host has it.
pub fn copied(spec: &Spec, steps: &[MountOp], spawn: &SpawnPlan) -> Result<Vec<Copied>> {
    let mut copied: Vec<Copied> = id_mapped(spec, steps, spawn)?.into_iter().map(Copied::IdMapped).collect();
    for (step, of_plan) in steps.iter().enumerate() {
        let MountOp::Mount(mount) = of_plan else { continue };
        let What::Bind { source, .. } = &mount.what else { continue };
        if let Some((process, path)) = seen_by(source)
            && copied.iter().all(|one| one.step() != step)
        {
            copied.push(Copied::Seen(SeenElsewhere { step, process, path }));
        }
    }
    Ok(copied)
}

/// `/proc/42/root/dev/shm` is /dev/shm as process 42 has it.
fn seen_by(source: &Path) -> Option<(i32, PathBuf)> {
    let mut parts = source.components();
    let mut next = || parts.next().map(Component::as_os_str);
    if (next()?, next()?) != ("/".as_ref(), "proc".as_ref()) {
        return None;
    }
    let process = next()?.to_str()?.parse().ok()?;
    (next()? == "root").then(|| (process, Path::new("/").join(parts.as_path())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_process_sees_is_told_by_its_path() {
        let seen = |path: &str| {
            seen_by(Path::new(path)).map(|(process, path)| (process, path.display().to_string()))
        };
        assert_eq!(seen("/proc/42/root/dev/shm"), Some((42, "/dev/shm".into())));
        assert_eq!(seen("/proc/42/root"), Some((42, "/".into())));
        for path in ["/proc/self/root/dev", "/proc/42/cwd", "/proc", "proc/42/root", "/srv/42/root/x"] {
            assert_eq!(seen(path), None, "{path}");
        }
    }
}
