//! Long tail: the hooks that come after a container was made: when it has started, and when it is no more.

use super::store::Entry;
use crate::plan::{Hook, Hooks, State};
use crate::{Result, hooks};

/// The command was executed. When a hook fails the container is stopped (runtime.md, "Lifecycle", step 9).
pub fn after_start(entry: &Entry) -> Result<()> {
    if !entry.record.has_later_hooks {
        return Ok(());
    }
    let hooks = Hooks::of(&entry.spec()?)?;
    let ran = hooks::run("poststart", &hooks.poststart, &entry.state("running"));
    if let (Err(_), Some(process)) = (&ran, entry.record.process) {
        let _ = crate::destroy(process, None);
    }
    ran
}

/// Those that run when the container is no more, read while it is known.
pub fn of_the_end(entry: &Entry) -> Vec<Hook> {
    if !entry.record.has_later_hooks {
        return Vec::new();
    }
    entry.spec().and_then(|spec| Hooks::of(&spec)).map(|hooks| hooks.poststop).unwrap_or_default()
}

/// The container is no more. A hook that fails is a warning, and the next one runs all the same (step 13).
pub fn after_end(hooks: Vec<Hook>, state: &State) {
    for hook in hooks {
        if let Err(error) = hooks::run("poststop", &[hook], state) {
            eprintln!("coracle-oci: warning: {error}");
        }
    }
}
