//! The spec to begin with: what `coracle-oci spec` writes.

use crate::{Error, Result, spec_from_json};
use oci_spec::runtime::{
    LinuxIdMappingBuilder, LinuxNamespaceBuilder, LinuxNamespaceType, LinuxResources, Spec,
};

/// A shell with few privileges in the root `rootfs`. For an ordinary user, given their user and group id, in a user namespace
/// in which they are root, and without device rules, for which they have no cgroup.
pub fn default_spec(rootless: Option<(u32, u32)>) -> Result<Spec> {
    let mut spec = spec_from_json(include_bytes!("default_spec.json"))?;
    let Some((user, group)) = rootless else {
        return Ok(spec);
    };
    let mut linux = spec.linux().clone().unwrap_or_default();
    let map = |outside| {
        let map = LinuxIdMappingBuilder::default().container_id(0u32).host_id(outside).size(1u32);
        Ok::<_, Error>(vec![map.build().map_err(Error::system)?])
    };
    linux.set_uid_mappings(Some(map(user)?));
    linux.set_gid_mappings(Some(map(group)?));
    let namespace = LinuxNamespaceBuilder::default().typ(LinuxNamespaceType::User).build();
    let mut namespaces = linux.namespaces().clone().unwrap_or_default();
    namespaces.push(namespace.map_err(Error::system)?);
    linux.set_namespaces(Some(namespaces));
    linux.set_resources(None::<LinuxResources>);
    // Group 5, whom terminals belong to elsewhere, is nobody in a namespace of one group.
    let mut mounts = spec.mounts().clone().unwrap_or_default();
    for mount in &mut mounts {
        if let Some(words) = mount.options().clone() {
            mount.set_options(Some(words.into_iter().filter(|word| word != "gid=5").collect()));
        }
    }
    spec.set_mounts(Some(mounts));
    spec.set_linux(Some(linux));
    Ok(spec)
}
