//! Long tail: binds whose files are seen as somebody else's (config.md, "Mounts": uidMappings, gidMappings), and further groups in a new
//! user namespace.

use crate::{Error, Result};
use chroot::{MountOp, What};
use namespaces::{IdMap, SpawnPlan};
use oci_spec::runtime::Spec;
use std::path::Path;

/// A bind of the plan, and the maps by which the owners of its files are seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdMapped {
    /// Which step of the root's plan.
    pub step: usize,
    /// Users: inside is the file system's, outside what is seen.
    pub uid_map: Vec<IdMap>,
    /// The same for groups.
    pub gid_map: Vec<IdMap>,
    /// The mounts below it as well.
    pub recursive: bool,
}

/// Those of a spec, in the plan that was made of it.
pub fn id_mapped(spec: &Spec, steps: &[MountOp], spawn: &SpawnPlan) -> Result<Vec<IdMapped>> {
    let mut mapped = Vec::new();
    for (index, mount) in spec.mounts().iter().flatten().enumerate() {
        let has = |word: &str| mount.options().iter().flatten().any(|option| option == word);
        let given = (super::id_map(mount.uid_mappings()), super::id_map(mount.gid_mappings()));
        let (uid_map, gid_map) = match given {
            (users, groups) if users.is_empty() && groups.is_empty() => {
                if !(has("idmap") || has("ridmap")) {
                    continue;
                }
                // Without maps of its own, the container's.
                (spawn.uid_map.clone(), spawn.gid_map.clone())
            }
            given => given,
        };
        let refused =
            |why: &str| Err(Error::invalid(format!("mounts[{index}].uidMappings, gidMappings: {why}")));
        if uid_map.is_empty() || gid_map.is_empty() {
            return refused("both must be given, here or for a new user namespace in linux");
        }
        let destination = Path::new("/").join(mount.destination());
        let is_it = |step: &MountOp| {
            let MountOp::Mount(one) = step else { return false };
            one.destination == destination && matches!(one.what, What::Bind { .. })
        };
        match steps.iter().rposition(is_it) {
            Some(step) => mapped.push(IdMapped { step, uid_map, gid_map, recursive: has("ridmap") }),
            None => return refused("only a bind mount has the owners of another file system"),
        }
    }
    Ok(mapped)
}

/// Of a group that a new user namespace does not have the kernel would say EINVAL, and no more.
pub fn check_groups(privileges: &privileges::Plan, map: &[IdMap]) -> Result<()> {
    let is_mapped = |group: u32| {
        map.iter().any(|range| (range.inside..range.inside.saturating_add(range.count)).contains(&group))
    };
    match privileges.additional_gids.iter().flatten().find(|group| !is_mapped(**group)) {
        Some(group) => {
            Err(Error::invalid(format!("process.user.additionalGids: group {group} is not mapped")))
        }
        None => Ok(()),
    }
}
