//! Long tail: hooks, programs of others that run at six points of a container's life (config.md, "POSIX-platform Hooks").

use crate::{Error, Result};
use oci_spec::runtime::Spec;
use std::path::PathBuf;
use std::time::Duration;

/// All hooks of a container, in the order in which their points come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hooks {
    /// The namespaces and mounts are made; by the runtime, on the host. (An old name for the next.)
    pub prestart: Vec<Hook>,
    /// The same.
    pub create_runtime: Vec<Hook>,
    /// Then; in the container's namespaces, but with the host's files still in sight.
    pub create_container: Vec<Hook>,
    /// Before the command is executed, in its root, with its privileges.
    pub start_container: Vec<Hook>,
    /// After it was; by the runtime, on the host.
    pub poststart: Vec<Hook>,
    /// The container is no more; by the runtime, on the host.
    pub poststop: Vec<Hook>,
}

/// One program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// Where it is; absolute.
    pub path: PathBuf,
    /// Its arguments, the name that it is called by first.
    pub arguments: Vec<String>,
    /// All of its environment, `NAME=value`.
    pub environment: Vec<String>,
    /// How long it may take.
    pub timeout: Option<Duration>,
}

impl Hooks {
    /// Those of a spec.
    pub fn of(spec: &Spec, hooks: &oci_spec::runtime::Hooks) -> Result<Hooks> {
        #[allow(deprecated, reason = "it is still what Docker's own network hook is")]
        let prestart = hooks.prestart();
        Ok(Hooks {
            prestart: list("prestart", prestart)?,
            create_runtime: list("createRuntime", hooks.create_runtime())?,
            create_container: list("createContainer", hooks.create_container())?,
            start_container: list("startContainer", &in_container(spec, hooks.start_container()))?,
            poststart: list("poststart", hooks.poststart())?,
            poststop: list("poststop", hooks.poststop())?,
        })
    }

    /// Whether some run while the container is made, between its mounts and its root.
    pub fn run_before_pivot(&self) -> bool {
        let lists = [&self.prestart, &self.create_runtime, &self.create_container];
        lists.iter().any(|list| !list.is_empty())
    }
}

/// Those that run in the container as its process will have, as under runc, its environment where they name none. (The others get
/// none: the runtime's own is not theirs to see.)
fn in_container(
    spec: &Spec,
    hooks: &Option<Vec<oci_spec::runtime::Hook>>,
) -> Option<Vec<oci_spec::runtime::Hook>> {
    let environment = spec.process().as_ref().and_then(|process| process.env().clone());
    let mut hooks = hooks.clone();
    for hook in hooks.iter_mut().flatten().filter(|hook| hook.env().is_none()) {
        hook.set_env(environment.clone());
    }
    hooks
}

fn list(name: &str, hooks: &Option<Vec<oci_spec::runtime::Hook>>) -> Result<Vec<Hook>> {
    let numbered = hooks.iter().flatten().enumerate();
    numbered.map(|(index, hook)| one(&format!("hooks.{name}[{index}]"), hook)).collect()
}

fn one(place: &str, hook: &oci_spec::runtime::Hook) -> Result<Hook> {
    let path = hook.path();
    if !path.is_absolute() {
        return Err(Error::invalid(format!("{place}.path {path:?}: must be an absolute path")));
    }
    let environment = hook.env().clone().unwrap_or_default();
    if let Some(entry) = environment.iter().find(|entry| !entry.contains('=')) {
        return Err(Error::invalid(format!("{place}.env {entry:?}: must be NAME=value")));
    }
    let timeout = match hook.timeout() {
        None => None,
        Some(seconds @ 1..) => Some(Duration::from_secs(seconds as u64)),
        Some(seconds) => {
            let why = format!("{place}.timeout {seconds}: must be a number of seconds greater than zero");
            return Err(Error::invalid(why));
        }
    };
    let arguments = hook.args().clone().unwrap_or_default();
    Ok(Hook { path: path.clone(), arguments, environment, timeout })
}
