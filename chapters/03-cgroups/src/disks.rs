//! Long tail: shares and rates of disks, as v1's `blkio` and v2's `io` are told.

use crate::plan::{Otherwise, Write, write};
use serde::{Deserialize, Serialize};

/// What of the disks may be used; what is absent or empty is not limited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskLimits {
    /// The share of the disks, 10 to 1000.
    pub weight: Option<u16>,
    /// The share of one disk.
    pub weight_devices: Vec<DeviceValue>,
    /// Bytes a second that are read from one disk.
    pub read_bytes: Vec<DeviceValue>,
    /// Bytes a second that are written to it.
    pub write_bytes: Vec<DeviceValue>,
    /// Reads a second.
    pub read_operations: Vec<DeviceValue>,
    /// Writes a second.
    pub write_operations: Vec<DeviceValue>,
}

/// A limit of one disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceValue {
    /// The disk's driver.
    pub major: u32,
    /// The driver's disk.
    pub minor: u32,
    /// The limit.
    pub value: u64,
}

impl std::fmt::Display for DeviceValue {
    /// As a line of v1: `254:0 1048576`.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{} {}", self.major, self.minor, self.value)
    }
}

/// For v2.
pub fn v2(limits: &DiskLimits) -> Vec<Write> {
    let mut steps = Vec::new();
    // The BFQ scheduler has a file of its own, in v1's unit; its own scale is the one that users mean.
    let weight = limits.weight.filter(|weight| *weight > 0).map(u64::from);
    steps.extend(weight.map(|weight| Write {
        otherwise: Otherwise::Use("io.weight".into(), io_weight(weight).to_string()),
        ..write("io.bfq.weight", weight)
    }));
    steps.extend(limits.weight_devices.iter().map(|device| write("io.bfq.weight", device)));
    for (_, key, devices) in rates(limits) {
        steps.extend(devices.iter().map(|device| {
            let DeviceValue { major, minor, value } = device;
            let value = if *value == 0 { "max".into() } else { value.to_string() };
            write("io.max", format_args!("{major}:{minor} {key}={value}"))
        }));
    }
    steps
}

/// For v1.
pub fn v1(limits: &DiskLimits) -> Vec<Write> {
    let mut steps = Vec::new();
    // Which of the two a kernel has depends on the scheduler that it was built with.
    let either = |plain: &str, bfq: &str, value: String| Write {
        otherwise: Otherwise::Use(bfq.into(), value.clone()),
        ..write(plain, value)
    };
    let weight = limits.weight.filter(|weight| *weight > 0);
    steps.extend(weight.map(|weight| either("blkio.weight", "blkio.bfq.weight", weight.to_string())));
    let devices = limits.weight_devices.iter();
    steps.extend(
        devices.map(|device| either("blkio.weight_device", "blkio.bfq.weight_device", device.to_string())),
    );
    for (file, _, devices) in rates(limits) {
        steps.extend(devices.iter().map(|device| write(format!("blkio.throttle.{file}"), device)));
    }
    steps.into_iter().map(|write| crate::v1::on("blkio", write)).collect()
}

/// Each rate with its file of v1 and its key of v2's `io.max`.
fn rates(limits: &DiskLimits) -> [(&'static str, &'static str, &[DeviceValue]); 4] {
    [
        ("read_bps_device", "rbps", &limits.read_bytes),
        ("write_bps_device", "wbps", &limits.write_bytes),
        ("read_iops_device", "riops", &limits.read_operations),
        ("write_iops_device", "wiops", &limits.write_operations),
    ]
}

/// A weight of v1, 10 to 1000, as one of v2, 1 to 10000.
fn io_weight(weight: u64) -> u64 {
    1 + (weight.clamp(10, 1000) - 10) * 9999 / 990
}
