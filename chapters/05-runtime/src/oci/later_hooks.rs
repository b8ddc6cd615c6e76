//! Long tail: the hooks that come after a container was made: when it has started, and when it is no more.

use super::store::Entry;
use crate::plan::Hooks;
use crate::{Result, hooks};

/// The command was executed. When a hook fails the container is stopped (runtime.md, "Lifecycle", step 9).
pub fn after_start(entry: &Entry) -> Result<()> {
    let hooks = hooks_of(entry)?;
    let ran = hooks::run("poststart", &hooks.poststart, &entry.state("running"));
    if let (Err(_), Some(process)) = (&ran, entry.record.process) {
        let _ = crate::destroy(process, None);
    }
    ran
}

/// Forgets the container, of which nothing else is left, and runs those that come then. One that fails is a warning, and the next one
/// runs all the same (step 13).
pub fn remove(entry: Entry) -> Result<()> {
    let hooks = hooks_of(&entry).map(|hooks| hooks.poststop).unwrap_or_default();
    let state = entry.state("stopped");
    entry.remove()?;
    for numbered in hooks.iter().enumerate() {
        if let Err(error) = hooks::run_numbered("poststop", numbered, &state) {
            eprintln!("coracle-oci: warning: {error}");
        }
    }
    Ok(())
}

fn hooks_of(entry: &Entry) -> Result<Hooks> {
    let spec = entry.spec()?;
    spec.hooks().as_ref().map_or_else(|| Ok(Hooks::default()), |hooks| Hooks::of(&spec, hooks))
}
