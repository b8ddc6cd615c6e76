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
            let file = |step: &Op| match step {
                Op::Write(write) => write.file.clone(),
                Op::Devices(_) => String::new(),
            };
            let memory = steps.iter().position(|step| file(step) == "memory.limit_in_bytes");
            let both = steps.iter().position(|step| file(step) == "memory.memsw.limit_in_bytes");
            if let (Some(memory), Some(both)) = (memory, both) {
                steps.swap(memory, both);
            }
        }
        steps.iter().try_for_each(|step| create::carry_out(self, step))
    }

    /// On v1 the limit of memory is never above that of memory and swap: which is raised first depends on what they are.
    fn must_raise_swap_first(&self, limits: &Limits) -> bool {
        let limit = self.v1_folder("memory").map(|folder| folder.join("memory.memsw.limit_in_bytes"));
        let limit = limit.and_then(|path| files::read(&path).ok()).and_then(|text| text.trim().parse().ok());
        let (Some(now), Some(memory)) = (limit, limits.memory) else { return false };
        memory < 0 || i128::from(memory) > now
    }
}
