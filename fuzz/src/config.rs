//! A config.json, or what claims to be one.

use cgroups::Layout;
use runtime::{Bundle, spec_from_json, spec_to_json};

/// Whatever the bytes are, the answer is a plan or an error that says something; the plan is the same each time, and the same when
/// the spec was written and read again.
pub fn law(bytes: &[u8]) {
    let Ok(spec) = spec_from_json(bytes) else { return };
    let written = spec_to_json(&spec).expect("what was read can be written");
    let again = spec_from_json(&written).expect("what was written can be read");
    assert_eq!(planned(spec), planned(again));
}

fn planned(spec: oci_spec::runtime::Spec) -> Result<String, String> {
    let layout = Layout::from_mountinfo("31 23 0:28 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw");
    let bundle = bundle(spec);
    let plan = runtime::plan::plan(&bundle, &layout).map_err(|error| error.to_string());
    if let Err(message) = &plan {
        assert!(!message.trim().is_empty());
    }
    plan.map(|plan| format!("{plan:?}"))
}

fn bundle(spec: oci_spec::runtime::Spec) -> Bundle {
    Bundle {
        id: "box".into(),
        spec,
        root: chroot::Root::Folder("/bundle/rootfs".into()),
        cgroup: Some("/box".into()),
        preserved_descriptors: 0,
        folder: "/bundle".into(),
        keeps_keyring: false,
        rootless: false,
    }
}
