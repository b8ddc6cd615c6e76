//! Long tail: network devices of the host that a container is given (config-linux.md, "Network Devices").

use crate::{Error, Result};
use namespaces::{Namespaces, SpawnPlan};
use oci_spec::runtime::LinuxNetDevice;
use std::collections::HashMap;

/// The kernel's longest name of a device, without the zero at its end.
const NAME_MAX: usize = 15;

/// One device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetDevice {
    /// Its name on the host.
    pub outside: String,
    /// Its name in the container; with `%d` in it, the kernel puts there the first number that is free.
    pub inside: String,
}

/// Those of a spec, by their names on the host.
pub fn of(devices: &HashMap<String, LinuxNetDevice>, spawn: &SpawnPlan) -> Result<Vec<NetDevice>> {
    if !devices.is_empty() && !spawn.has(Namespaces::NET) {
        let why = "linux.netDevices: linux.namespaces must have a network namespace to which they are moved";
        return Err(Error::invalid(why));
    }
    let mut list = Vec::new();
    for (outside, device) in devices {
        let name = device.name().clone().filter(|name| !name.is_empty());
        let inside = name.unwrap_or_else(|| outside.clone());
        check(&format!("linux.netDevices {outside:?}"), outside, 0)?;
        check(&format!("linux.netDevices.{outside}.name {inside:?}"), &inside, 1)?;
        list.push(NetDevice { outside: outside.clone(), inside });
    }
    list.sort_by(|one, other| one.outside.cmp(&other.outside));
    let mut names: Vec<&str> =
        list.iter().map(|device| device.inside.as_str()).filter(|name| !name.contains('%')).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Error::invalid(format!("linux.netDevices: {:?} is the name of two", pair[0]))),
        None => Ok(list),
    }
}

/// What the kernel takes for a name (`dev_valid_name`), and at most so many `%d` in it.
fn check(place: &str, name: &str, templates: usize) -> Result<()> {
    let fits = |byte: u8| byte.is_ascii_graphic() && byte != b'/' && byte != b':';
    let is_name = !name.is_empty() && name.len() <= NAME_MAX && name != "." && name != "..";
    let is_template = name.matches('%').count() == name.matches("%d").count();
    if is_name && name.bytes().all(fits) && is_template && name.matches("%d").count() <= templates {
        return Ok(());
    }
    let end = if templates == 0 { "" } else { ", perhaps with one %d for a number" };
    Err(Error::invalid(format!(
        "{place}: must be a name of at most {NAME_MAX} letters, digits and signs{end}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn planned(devices: serde_json::Value) -> std::result::Result<Vec<NetDevice>, String> {
        let devices = serde_json::from_value(devices).unwrap();
        let spawn = SpawnPlan { new: Namespaces::NET, ..SpawnPlan::default() };
        of(&devices, &spawn).map_err(|error| error.to_string())
    }

    #[test]
    fn devices_keep_their_names_or_get_others() {
        let list = planned(json!({"eth1": {"name": "web%d"}, "eth0": {}, "eth2": {"name": ""}})).unwrap();
        let names: Vec<_> = list.iter().map(|one| (one.outside.as_str(), one.inside.as_str())).collect();
        assert_eq!(names, [("eth0", "eth0"), ("eth1", "web%d"), ("eth2", "eth2")]);
        assert_eq!(planned(json!({})), Ok(Vec::new()));
    }

    #[test]
    fn what_the_kernel_would_not_take_is_refused_by_its_path() {
        for (devices, place) in [
            (json!({"a/b": {}}), "linux.netDevices \"a/b\": "),
            (json!({"eth%d": {}}), "linux.netDevices \"eth%d\": "),
            (
                json!({"eth0": {"name": "sixteen-letters-"}}),
                "linux.netDevices.eth0.name \"sixteen-letters-\": ",
            ),
            (json!({"eth0": {"name": "a%d%d"}}), "linux.netDevices.eth0.name \"a%d%d\": "),
            (json!({"eth0": {"name": "a%s"}}), "linux.netDevices.eth0.name \"a%s\": "),
            (json!({"eth0": {"name": "a b"}}), "linux.netDevices.eth0.name \"a b\": "),
            (
                json!({"eth0": {"name": "x"}, "eth1": {"name": "x"}}),
                "linux.netDevices: \"x\" is the name of two",
            ),
        ] {
            let why = planned(devices).unwrap_err();
            assert!(why.starts_with(place), "{why}");
        }
        let devices = serde_json::from_value(json!({"eth0": {}})).unwrap();
        let why = of(&devices, &SpawnPlan::default()).unwrap_err().to_string();
        assert!(why.ends_with("must have a network namespace to which they are moved"), "{why}");
    }
}
