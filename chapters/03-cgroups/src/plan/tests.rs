//! Plans for the three kinds of machines, and what is refused by name.

use super::*;
use crate::{DeviceValue, DiskLimits, FurtherLimits, Hierarchy, RdmaLimit, default_device_rules};

fn limits() -> Limits {
    let disk = |value| DeviceValue { major: 254, minor: 0, value };
    Limits {
        memory: Some(64 << 20),
        memory_swap: Some(128 << 20),
        memory_reservation: Some(32 << 20),
        cpu_quota: Some(50_000),
        cpu_period: Some(100_000),
        cpu_burst: Some(20_000),
        cpu_shares: Some(512),
        pids: Some(20),
        cpuset_cpus: Some("0".into()),
        disks: DiskLimits {
            weight: Some(300),
            read_bytes: vec![disk(1 << 20)],
            write_operations: vec![disk(100), disk(0)],
            ..DiskLimits::default()
        },
        hugetlb: [("2MB".into(), 4 << 20)].into(),
        devices: default_device_rules().into_iter().take(4).collect(),
        ..Limits::default()
    }
}

fn unified(controllers: &[&str]) -> Layout {
    Layout {
        unified: Some("/sys/fs/cgroup".into()),
        unified_controllers: controllers.iter().map(|name| name.to_string()).collect(),
        accounts_swap: true,
        ..Layout::default()
    }
}

fn all_unified() -> Layout {
    unified(&["memory", "cpu", "cpuset", "pids", "io", "hugetlb"])
}

fn hybrid() -> Layout {
    let names = ["memory", "cpu,cpuacct", "cpuset", "pids", "devices", "blkio"];
    let v1 =
        names.map(|name| Hierarchy { name: name.into(), mount: format!("/sys/fs/cgroup/{name}").into() });
    Layout { v1: v1.to_vec(), ..unified(&["hugetlb"]) }
}

/// A step a line.
fn text(steps: Vec<Op>) -> String {
    let line = |step: Op| match step {
        Op::Write(Write { controller, file, value, otherwise }) => {
            let place = controller.map_or(String::new(), |controller| format!("{controller}/"));
            let otherwise = match otherwise {
                Otherwise::Refuse => String::new(),
                other => format!("    or {other:?}"),
            };
            format!("{place}{file} <- {value}{otherwise}\n")
        }
        Op::Devices(rules) => rules
            .iter()
            .map(|rule| format!("devices: {} {rule}\n", if rule.allow { "allow" } else { "deny" }))
            .collect(),
    };
    steps.into_iter().map(line).collect()
}

fn refused(layout: &Layout, limits: Limits) -> String {
    plan(layout, &limits).unwrap_err()
}

#[test]
fn on_v2() {
    insta::assert_snapshot!(text(plan(&all_unified(), &limits()).unwrap()));
}

#[test]
fn on_v1_with_a_v2_beside_it() {
    insta::assert_snapshot!(text(plan(&hybrid(), &limits()).unwrap()));
}

/// What v1 alone can, on v1; and what both can.
#[test]
fn limits_that_few_machines_have() {
    let rdma = RdmaLimit { handles: Some(3), objects: Some(10_000) };
    let objects = RdmaLimit { handles: None, objects: Some(1000) };
    let of_rdma = FurtherLimits {
        rdma: [("mlx5_1".into(), rdma), ("rxe0".into(), objects)].into(),
        ..FurtherLimits::default()
    };
    let both = Limits { further: of_rdma.clone(), ..Limits::default() };
    let v2 = text(plan(&unified(&["rdma"]), &both).unwrap());
    let further = FurtherLimits {
        realtime_runtime: Some(950_000),
        realtime_period: Some(1_000_000),
        kernel_tcp: Some(1 << 20),
        network_class: Some(0x10_0001),
        network_priorities: vec![("eth0".into(), 500), ("eth1".into(), 1000)],
        ..of_rdma
    };
    let all = Limits { further, ..Limits::default() };
    let names = ["cpu,cpuacct", "memory", "net_cls,net_prio", "rdma"];
    let v1 =
        names.map(|name| Hierarchy { name: name.into(), mount: format!("/sys/fs/cgroup/{name}").into() });
    let v1 = Layout { v1: v1.to_vec(), ..Layout::default() };
    insta::assert_snapshot!(text(plan(&v1, &all).unwrap()) + &v2);
}

#[test]
fn zero_is_not_said_and_minus_one_is_no_limit() {
    let zero = Limits {
        memory: Some(0),
        memory_swap: Some(0),
        memory_reservation: Some(0),
        cpu_quota: Some(0),
        cpu_period: Some(0),
        cpu_shares: Some(0),
        pids: Some(0),
        cpuset_cpus: Some(String::new()),
        ..Limits::default()
    };
    assert_eq!(plan(&all_unified(), &zero).unwrap(), []);
    assert_eq!(plan(&hybrid(), &zero).unwrap(), []);
    let unlimited = Limits {
        memory: Some(-1),
        memory_swap: Some(-1),
        cpu_quota: Some(-1),
        pids: Some(-1),
        ..Limits::default()
    };
    insta::assert_snapshot!(
        text(plan(&all_unified(), &unlimited).unwrap()) + &text(plan(&hybrid(), &unlimited).unwrap())
    );
}

/// The kernel refuses a share for a group that is idle.
#[test]
fn an_idle_group_has_no_share() {
    let limits = Limits { cpu_idle: Some(1), cpu_shares: Some(512), ..Limits::default() };
    assert_eq!(text(plan(&all_unified(), &limits).unwrap()), "cpu.idle <- 1\n");
    assert_eq!(text(plan(&hybrid(), &limits).unwrap()), "cpu/cpu.idle <- 1\n");
}

#[test]
fn what_cannot_be_limited_is_named() {
    let memory = |bytes| Limits { memory: Some(bytes), ..Limits::default() };
    let swap = |memory, memory_swap| Limits { memory, memory_swap: Some(memory_swap), ..Limits::default() };
    let file =
        |name: &str| Limits { unified: [(name.to_string(), "1".to_string())].into(), ..Limits::default() };
    let further = |further| Limits { further, ..Limits::default() };
    let no_killer = further(FurtherLimits { oom_kill_disable: true, ..FurtherLimits::default() });
    let (class, priorities) = (Some(1), vec![("eth0".into(), 1)]);
    let runtime = || further(FurtherLimits { realtime_runtime: Some(1), ..FurtherLimits::default() });
    let tcp = || further(FurtherLimits { kernel_tcp: Some(1), ..FurtherLimits::default() });
    let class = || further(FurtherLimits { network_class: class, ..FurtherLimits::default() });
    let priorities =
        || further(FurtherLimits { network_priorities: priorities.clone(), ..FurtherLimits::default() });
    let rdma = [("mlx5_1".into(), RdmaLimit { handles: Some(1), objects: None })].into();
    let rdma = further(FurtherLimits { rdma, ..FurtherLimits::default() });
    let refusals = [
        refused(&Layout::default(), memory(1 << 20)),
        refused(&unified(&["pids"]), Limits { cpu_shares: Some(2), ..Limits::default() }),
        refused(
            &unified(&["pids"]),
            Limits { disks: DiskLimits { weight: Some(10), ..DiskLimits::default() }, ..Limits::default() },
        ),
        refused(&all_unified(), swap(None, 1)),
        refused(&all_unified(), swap(Some(2), 1)),
        refused(&hybrid(), swap(Some(2), 1)),
        refused(&all_unified(), no_killer),
        refused(&all_unified(), file("../memory.max")),
        refused(&all_unified(), file("rdma.max")),
        refused(&hybrid(), file("memory.high")),
        refused(&all_unified(), runtime()),
        refused(&all_unified(), tcp()),
        refused(&all_unified(), class()),
        refused(&hybrid(), class()),
        refused(&all_unified(), priorities()),
        refused(&hybrid(), priorities()),
        refused(&all_unified(), rdma),
    ];
    insta::assert_snapshot!(refusals.join("\n"));
}

#[test]
fn without_swap_accounting_memory_is_limited_alone() {
    for layout in [all_unified(), hybrid()] {
        let without = Layout { accounts_swap: false, ..layout.clone() };
        assert_eq!(warnings(&layout, &limits()), [""; 0]);
        assert_eq!(warnings(&without, &limits()).len(), 1);
        let (with, without) = (plan(&layout, &limits()).unwrap(), plan(&without, &limits()).unwrap());
        assert_eq!(with.len(), without.len() + 1);
    }
}
