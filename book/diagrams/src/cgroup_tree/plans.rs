//! What chapter 03 writes for the tree.

use super::{CgroupTree, path};
use cgroups::{Hierarchy, Layout, Limits, Op, plan};

impl CgroupTree {
    /// The limits of a group, as a caller of chapter 03 says them.
    pub fn limits(&self, one: usize) -> Limits {
        let settings = &self.groups[one];
        let memory = settings.memory.map(|megabytes| (megabytes << 20) as i64);
        Limits {
            memory,
            memory_swap: memory,
            cpu_shares: settings.shares,
            cpu_quota: settings.quota.map(|percent| i64::from(percent) * 1000),
            cpu_period: settings.quota.map(|_| 100_000),
            ..Limits::default()
        }
    }

    /// The machine: its controllers are bound to version 2, or each to a hierarchy of version 1.
    pub fn layout(&self) -> Layout {
        let controllers = ["memory", "cpu"];
        let mount =
            |name: &str| Hierarchy { name: name.into(), mount: format!("/sys/fs/cgroup/{name}").into() };
        match self.is_v1 {
            true => Layout { v1: controllers.map(mount).to_vec(), accounts_swap: true, ..Layout::default() },
            false => Layout {
                unified: Some("/sys/fs/cgroup".into()),
                unified_controllers: controllers.map(String::from).to_vec(),
                accounts_swap: true,
                ..Layout::default()
            },
        }
    }

    /// The files that are written for a group, each with its value.
    pub fn files(&self, one: usize) -> Vec<(String, String)> {
        let steps = plan(&self.layout(), &self.limits(one)).unwrap_or_default();
        let file = |step: Op| match step {
            Op::Write(write) => {
                let hierarchy = write.controller.map_or(String::new(), |controller| format!("{controller}/"));
                Some((format!("{hierarchy}{}/{}", path(one), write.file), write.value))
            }
            Op::Devices(_) => None,
        };
        steps.into_iter().filter_map(file).collect()
    }

    /// The weight that is written for it, or that the kernel gives to a group of which nothing is said.
    pub fn weight(&self, one: usize) -> u64 {
        let written = self
            .files(one)
            .into_iter()
            .find(|(file, _)| file.ends_with("cpu.weight") || file.ends_with("cpu.shares"));
        let value = written.and_then(|(_, value)| value.parse().ok());
        value.unwrap_or(if self.is_v1 { 1024 } else { 100 })
    }
}
