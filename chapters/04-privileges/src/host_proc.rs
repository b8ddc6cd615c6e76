//! Long tail: what is set by writing to files of /proc, while that is still the host's.

use crate::{Error, Plan, Result};

/// Sets what the plan says by way of /proc. To be called before the container's root is entered: there, the container says
/// what /proc is, and would have the writes go elsewhere (CVE-2025-52881).
pub fn write_host_proc(plan: &Plan) -> Result<()> {
    plan.oom_score_adj.map_or(Ok(()), set_oom_score)
}

fn set_oom_score(score: i32) -> Result<()> {
    // Writing the value that is there already would still need a privilege when it is below zero.
    let now = std::fs::read_to_string("/proc/self/oom_score_adj");
    if now.is_ok_and(|text| text.trim() == score.to_string()) {
        return Ok(());
    }
    chroot::write_proc("self/oom_score_adj", &score.to_string())
        .map_err(|error| Error::of_root("the oom score", error))
}
