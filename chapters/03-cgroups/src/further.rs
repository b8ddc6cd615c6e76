//! Long tail: limits that need a hierarchy, a device or a kernel that few machines have: real-time processes, swappiness, packets,
//! RDMA, buffers of TCP. Most of them v1 had and v2 has not.

use crate::plan::{Write, write};
use crate::{Layout, v1};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The limits; what is absent is not limited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FurtherLimits {
    /// Microseconds of processor time that real-time processes have in each real-time period; -1 is no limit. v1 alone, in a
    /// kernel with CONFIG_RT_GROUP_SCHED, where they have none in a new group.
    pub realtime_runtime: Option<i64>,
    /// Microseconds.
    pub realtime_period: Option<u64>,
    /// How readily memory is swapped out, 0 to 100; v1 alone.
    pub memory_swappiness: Option<u64>,
    /// Processes wait for memory where they would be killed; v1 alone.
    pub oom_kill_disable: bool,
    /// Bytes of the kernel's buffers for TCP; v1 alone.
    pub kernel_tcp: Option<i64>,
    /// The mark of every packet, `0xAAAABBBB` for class AAAA:BBBB; v1 alone (admin-guide/cgroup-v1/net_cls.rst).
    pub network_class: Option<u32>,
    /// The priority of packets by the device that they leave by; v1 alone (admin-guide/cgroup-v1/net_prio.rst).
    pub network_priorities: Vec<(String, u32)>,
    /// The use of RDMA devices, by their names.
    pub rdma: BTreeMap<String, RdmaLimit>,
}

/// What may be used of one RDMA device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RdmaLimit {
    /// How many handles.
    pub handles: Option<u32>,
    /// How many objects.
    pub objects: Option<u32>,
}

/// The steps that set what v1 alone can; the error names the field of the spec and what can be done instead.
pub fn v1_steps(layout: &Layout, limits: &FurtherLimits) -> Result<Vec<Write>, String> {
    let mut steps = Vec::new();
    // The period first: a new group has no runtime, which fits into any.
    let realtime = [
        ("cpu.rt_period_us", limits.realtime_period.map(|period| period.to_string())),
        ("cpu.rt_runtime_us", limits.realtime_runtime.map(|runtime| runtime.to_string())),
    ];
    steps.extend(on(layout, "cpu", &realtime, NO_REALTIME)?);
    let tcp = [("memory.kmem.tcp.limit_in_bytes", limits.kernel_tcp.map(|bytes| bytes.to_string()))];
    steps.extend(on(layout, "memory", &tcp, NO_TCP)?);
    let class = [("net_cls.classid", limits.network_class.map(|class| class.to_string()))];
    steps.extend(on(layout, "net_cls", &class, no_network(layout, NO_CLASS).as_str())?);
    let priority =
        |(device, priority): &(String, u32)| ("net_prio.ifpriomap", Some(format!("{device} {priority}")));
    let priorities: Vec<_> = limits.network_priorities.iter().map(priority).collect();
    steps.extend(on(layout, "net_prio", &priorities, no_network(layout, NO_PRIORITY).as_str())?);
    Ok(steps)
}

const NO_REALTIME: &str = "linux.resources.cpu.realtimeRuntime, realtimePeriod: cgroup v2 does not limit real-time processes by \
    themselves: leave them out, and limit all of them by cpu.quota";
const NO_TCP: &str = "linux.resources.memory.kernelTCP: cgroup v2 counts buffers of TCP as memory: leave it out, and set memory.limit";
const NO_CLASS: &str = "linux.resources.network.classID: the net_cls controller";
const NO_PRIORITY: &str = "linux.resources.network.priorities: the net_prio controller";

/// v2 looks at the packets' group where they are sorted, instead of marking them where they are made.
fn no_network(layout: &Layout, what: &str) -> String {
    if layout.is_unified() {
        return format!(
            "{what} is cgroup v1's: leave it out, and let nft know the packets by their group (nft(8), \"socket cgroupv2\")"
        );
    }
    format!(
        "{what} is mounted nowhere here; as root: mkdir /sys/fs/cgroup/net; mount -t cgroup -o net_cls,net_prio none \
         /sys/fs/cgroup/net"
    )
}

/// What is given for the files of a controller of v1; the error, where something is and it is not there.
fn on(
    layout: &Layout,
    controller: &str,
    files: &[(&str, Option<String>)],
    refusal: &str,
) -> Result<Vec<Write>, String> {
    let given = files.iter().filter_map(|(file, value)| Some((*file, value.as_ref()?)));
    let writes: Vec<Write> = given.map(|(file, value)| v1::on(controller, write(file, value))).collect();
    let is_there = layout.hierarchy(controller).is_some();
    if is_there || writes.is_empty() { Ok(writes) } else { Err(refusal.to_string()) }
}

/// A line for each device, which both versions take (admin-guide/cgroup-v2.rst, "RDMA Interface Files").
pub fn rdma(limits: &FurtherLimits) -> Vec<Write> {
    let line = |(device, limit): (&String, &RdmaLimit)| {
        let counts = [("hca_handle", limit.handles), ("hca_object", limit.objects)];
        let given = counts.iter().filter_map(|(key, count)| count.map(|count| format!(" {key}={count}")));
        write("rdma.max", format_args!("{device}{}", given.collect::<String>()))
    };
    limits.rdma.iter().map(line).collect()
}
