//! Long tail: shares and rates of disks, as v1's `blkio` and v2's `io` are told.

use crate::plan::{Otherwise, Write, write};
use crate::{DeviceValue, Limits};

/// For v2.
pub fn v2(limits: &Limits) -> Vec<Write> {
    let mut steps = Vec::new();
    // The BFQ scheduler has a file of its own, in v1's unit; its own scale is the one that users mean.
    let weight = limits.blkio_weight.filter(|weight| *weight > 0).map(u64::from);
    steps.extend(weight.map(|weight| Write {
        otherwise: Otherwise::Use("io.weight".into(), io_weight(weight).to_string()),
        ..write("io.bfq.weight", weight)
    }));
    steps.extend(limits.blkio_weight_devices.iter().map(|device| write("io.bfq.weight", device)));
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
pub fn v1(limits: &Limits) -> Vec<Write> {
    let mut steps = Vec::new();
    // Which of the two a kernel has depends on the scheduler that it was built with.
    let either = |plain: &str, bfq: &str, value: String| Write {
        otherwise: Otherwise::Use(bfq.into(), value.clone()),
        ..write(plain, value)
    };
    let weight = limits.blkio_weight.filter(|weight| *weight > 0);
    steps.extend(weight.map(|weight| either("blkio.weight", "blkio.bfq.weight", weight.to_string())));
    let devices = limits.blkio_weight_devices.iter();
    steps.extend(
        devices.map(|device| either("blkio.weight_device", "blkio.bfq.weight_device", device.to_string())),
    );
    for (file, _, devices) in rates(limits) {
        steps.extend(devices.iter().map(|device| write(format!("blkio.throttle.{file}"), device)));
    }
    steps.into_iter().map(|write| crate::v1::on("blkio", write)).collect()
}

/// Each rate with its file of v1 and its key of v2's `io.max`.
fn rates(limits: &Limits) -> [(&'static str, &'static str, &[DeviceValue]); 4] {
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
