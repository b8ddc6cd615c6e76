//! The spec to begin with: what `coracle-oci spec` writes.

use crate::{Error, Result, spec_from_json};
use oci_spec::runtime::{
    Linux, LinuxIdMappingBuilder, LinuxNamespaceBuilder, LinuxNamespaceType, LinuxResources, Mount, Spec,
};

/// A shell with few privileges in the root `rootfs`. For an ordinary user, given their user and group id, in a user namespace
/// in which they are root, and without device rules, for which they have no cgroup.
pub fn default_spec(rootless: Option<(u32, u32)>) -> Result<Spec> {
    let mut spec = spec_from_json(include_bytes!("default_spec.json"))?;
    if let Some((user, group)) = rootless {
        let mut linux = spec.linux().clone().unwrap_or_default();
        add_user_namespace(&mut linux, user, group)?;
        linux.set_resources(None::<LinuxResources>);
        spec.set_linux(Some(linux));
        spec.mounts_mut().iter_mut().flatten().for_each(forget_terminals_group);
    }
    Ok(spec)
}

fn add_user_namespace(linux: &mut Linux, user: u32, group: u32) -> Result<()> {
    let map = |outside| {
        let map = LinuxIdMappingBuilder::default().container_id(0u32).host_id(outside).size(1u32);
        Ok::<_, Error>(vec![map.build().map_err(Error::system)?])
    };
    linux.set_uid_mappings(Some(map(user)?));
    linux.set_gid_mappings(Some(map(group)?));
    let namespace = LinuxNamespaceBuilder::default().typ(LinuxNamespaceType::User).build();
    let namespace = namespace.map_err(Error::system)?;
    linux.namespaces_mut().get_or_insert_default().push(namespace);
    Ok(())
}

/// Group 5, whom terminals belong to elsewhere, is nobody in a namespace of one group.
fn forget_terminals_group(mount: &mut Mount) {
    if let Some(words) = mount.options_mut() {
        words.retain(|word| word != "gid=5");
    }
}
