//! An ordinary caller: one who was given a group, and one who was not. Root has nobody call.

use super::groups::{GROUP, created};
use super::plans::limits;
use crate::checks::site::Site;
use crate::checks::trial::Trial;
use crate::checks::{Fault, Stage};
use serde_json::{Value, json};

/// A group that belongs to the caller.
pub fn given(stage: &Stage) -> Result<String, Fault> {
    let stage = stage.of_an_ordinary_caller()?;
    let site = Site::make()?;
    site.give_to(stage.uid, stage.gid)?;
    let mut trial = created(&stage, &site, json!({}))?;
    trial.caller_says("made", "who-was-given-nothing")?;
    if !site.below(GROUP).exists() {
        let seen = format!("below {} are: {}", site.path(), site.groups().join(" "));
        return Err(Fault::new("a group in the one that was given", seen, "who-was-given-nothing"));
    }
    Ok(format!("user {} has a group in {}", stage.uid, site.path()))
}

/// Nothing is made, nothing can be limited, and it is said how that can be changed.
pub fn given_nothing(stage: &Stage) -> Result<String, Fault> {
    let stage = stage.of_an_ordinary_caller()?;
    let start = |said: Value| {
        let said = limits(said).to_string();
        Trial::start(&stage, &["create", "/sys/fs/cgroup", "", "", "/course", &said])
    };
    start(json!({}))?.caller_says("made", "who-was-given-nothing")?;
    let refused = start(json!({ "memory": 1 << 24 }))?.caller_says("refused", "who-was-given-nothing")?.text;
    if refused.contains("memory") && refused.contains("Delegate=yes") {
        return Ok(refused.chars().take(100).collect());
    }
    Err(Fault::new("memory cannot be limited, and how a group is given", refused, "who-was-given-nothing"))
}
