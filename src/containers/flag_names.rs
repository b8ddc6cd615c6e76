//! The flag behind each field of a create request: who typed `--pid host` has never heard of `HostConfig.PidMode`.

use crate::error::{Error, ErrorKind};

/// The fields whose flag is not their own name in lower case with hyphens.
const OTHERWISE: [(&str, &str); 21] = [
    ("BlkioDeviceReadBps", "device-read-bps"),
    ("BlkioDeviceReadIOps", "device-read-iops"),
    ("BlkioDeviceWriteBps", "device-write-bps"),
    ("BlkioDeviceWriteIOps", "device-write-iops"),
    ("CgroupnsMode", "cgroupns"),
    ("CpuRealtimePeriod", "cpu-rt-period"),
    ("CpuRealtimeRuntime", "cpu-rt-runtime"),
    ("DeviceCgroupRules", "device-cgroup-rule"),
    ("Devices", "device"),
    ("IpcMode", "ipc"),
    ("Links", "link"),
    ("NanoCpus", "cpus"),
    ("NetworkMode", "network"),
    ("PidMode", "pid"),
    ("PortBindings", "publish"),
    ("PublishAllPorts", "publish-all"),
    ("RestartPolicy", "restart"),
    ("StorageOpt", "storage-opt"),
    ("Sysctls", "sysctl"),
    ("UTSMode", "uts"),
    ("UsernsMode", "userns"),
];

/// Fields that no flag sets.
const WITHOUT_FLAG: [&str; 10] = [
    "Cgroup",
    "CpuCount",
    "CpuPercent",
    "DeviceRequests",
    "IOMaximumBandwidth",
    "IOMaximumIOps",
    "KernelMemory",
    "KernelMemoryTCP",
    "MaskedPaths",
    "ReadonlyPaths",
];

/// `--pid (HostConfig.PidMode)`, or the field alone.
pub fn named(field: &str) -> String {
    if WITHOUT_FLAG.contains(&field) {
        return format!("HostConfig.{field}");
    }
    let otherwise = OTHERWISE.iter().find(|(name, _)| *name == field);
    let flag = otherwise.map_or_else(|| hyphenated(field), |(_, flag)| (*flag).to_owned());
    format!("--{flag} (HostConfig.{field})")
}

/// A field that is refused until it is written.
pub fn not_supported(field: &str) -> Error {
    Error::not_supported(named(field))
}

/// A limit that nothing can hold, and what would make it hold.
pub fn without_cgroup(field: &str) -> Error {
    let message = format!(
        "{} cannot be honoured: no cgroup is delegated to this user. With cgroup v2 and systemd: stop the daemon \
         (coracle daemon stop), then start it by `systemd-run --user --scope -p Delegate=yes coracle daemon`",
        named(field)
    );
    Error::new(ErrorKind::NotSupported, message)
}

/// What an ordinary user's engine cannot do.
pub fn only_for_root(field: &str) -> Error {
    let message = format!("{} cannot be honoured: only root's daemon can do it", named(field));
    Error::new(ErrorKind::NotSupported, message)
}

/// `CapAdd` is `cap-add`.
fn hyphenated(field: &str) -> String {
    let mut flag = String::new();
    for (index, letter) in field.char_indices() {
        if letter.is_ascii_uppercase() && index > 0 {
            flag.push('-');
        }
        flag.push(letter.to_ascii_lowercase());
    }
    flag
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each flag that is named exists: our own client's flags are docker's.
    #[test]
    fn every_field_that_can_be_refused_has_its_flag() {
        let fields = serde_json::to_value(api::HostConfig::default()).expect("plain data");
        let run = crate::client::help_of("run").expect("a verb");
        for field in fields.as_object().expect("an object").keys() {
            let named = named(field);
            let Some(flag) = named.strip_prefix("--").and_then(|rest| rest.split(' ').next()) else {
                continue;
            };
            let is_set_by_another = crate::containers::validate::HONOURED.contains(&field.as_str());
            assert!(is_set_by_another || run.contains(&format!("--{flag} ")), "{field}: no flag --{flag}");
        }
    }
}
