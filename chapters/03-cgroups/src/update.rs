//! Long tail: other limits for a group that has processes already.

use crate::{Cgroup, Error, Layout, Limits, Op, Result, create, files, plan};

impl Cgroup {
    /// Writes these limits over those that the group has; what is absent stays. Rules for devices stay always, as under runc.
    ///
    /// Errors: as for [`Cgroup::create`]. What was written before the one that was refused stays written: the caller, who
    /// knows the old limits, writes them again.
    pub fn update(&self, layout: &Layout, limits: &Limits) -> Result<()> {
        let limits = Limits { devices: Vec::new(), ..limits.clone() };
        let mut steps = plan(layout, &limits).map_err(Error::not_supported)?;
        if self.must_raise_swap_first(&limits) {
            exchange(&mut steps, "memory.limit_in_bytes", "memory.memsw.limit_in_bytes");
        }
        if self.must_lower_runtime_first(&limits) {
            exchange(&mut steps, "cpu.rt_period_us", "cpu.rt_runtime_us");
        }
        steps.iter().try_for_each(|step| create::carry_out(self, step))
    }

    /// Real-time processes never have more time in a period than that is long, nor more of it than the group above leaves: less
    /// time comes before another period, more of it afterwards.
    fn must_lower_runtime_first(&self, limits: &Limits) -> bool {
        let Some(runtime) = limits.further.realtime_runtime else { return false };
        self.number("cpu", "cpu.rt_runtime_us").is_some_and(|now| (0..now).contains(&i128::from(runtime)))
    }

    /// On v1 the limit of memory is never above that of memory and swap: which is raised first depends on what they are.
    fn must_raise_swap_first(&self, limits: &Limits) -> bool {
        let now = self.number("memory", "memory.memsw.limit_in_bytes");
        let (Some(now), Some(memory)) = (now, limits.memory) else { return false };
        memory < 0 || i128::from(memory) > now
    }

    /// What a file of a controller of v1 says.
    fn number(&self, controller: &str, file: &str) -> Option<i128> {
        let path = self.v1_folder(controller)?.join(file);
        files::read(&path).ok()?.trim().parse().ok()
    }
}

/// The steps for two files change places, if both are there.
fn exchange(steps: &mut [Op], one: &str, other: &str) {
    let place =
        |name: &str| steps.iter().position(|step| matches!(step, Op::Write(write) if write.file == name));
    if let (Some(one), Some(other)) = (place(one), place(other)) {
        steps.swap(one, other);
    }
}
