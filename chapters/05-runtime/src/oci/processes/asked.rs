//! Long tail: what the flags of `exec` change in a container's own process, and the process and the group that they may name instead.

use crate::document::from_json;
use crate::{Error, Result, created};
use cgroups::Cgroup;
use clap::Args;
use kernel::Strace;
use oci_spec::runtime::{Capability, LinuxCapabilities, Process, User};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What shall be otherwise than it is for the container's first process.
#[derive(Args, Default, PartialEq)]
pub struct Asked {
    /// Read the whole process from this file instead
    #[arg(short, long, value_name = "FILE")]
    process: Option<PathBuf>,
    /// Its working directory
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
    /// NAME=value for its environment
    #[arg(short, long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// `UID[:GID]`
    #[arg(short, long, value_name = "UID[:GID]")]
    user: Option<String>,
    /// Further groups
    #[arg(short = 'g', long, value_name = "GID")]
    additional_gids: Vec<u32>,
    /// A further capability
    #[arg(short, long, value_name = "NAME")]
    cap: Vec<String>,
    /// No execve gives it more privileges
    #[arg(long)]
    no_new_privs: bool,
    /// A cgroup below the container's own, which must be there; of v1, perhaps for some controllers alone
    #[arg(long, value_name = "[CONTROLLERS:]PATH")]
    pub cgroup: Vec<String>,
    /// Its SELinux label
    #[arg(long, value_name = "LABEL")]
    process_label: Option<String>,
    /// Its AppArmor profile
    #[arg(long, value_name = "PROFILE")]
    apparmor: Option<String>,
}

/// The whole process, from a file.
fn read(path: &Path) -> Result<Process> {
    let bytes = std::fs::read(path).strace(|| format!("read({path:?})"))?;
    from_json(&bytes).map_err(|error| Error::invalid(format!("{}: {error}", path.display())))
}

/// A group that the container's processes have made below its own: in all hierarchies, or in those of some controllers of v1.
pub fn group_below(own: Option<&str>, asked: &[String]) -> Result<Cgroup> {
    let own = own.ok_or_else(|| Error::not_supported("--cgroup, in a container without a cgroup,"))?;
    let mut cgroup = created::open_cgroup(own)?;
    for (controller, path) in groups(asked)? {
        cgroup = match controller {
            Some(controller) => cgroup.with_group_below(controller, path)?,
            None => created::open_cgroup(&format!("{own}/{path}"))?,
        };
    }
    match cgroup.missing_in(&created::hierarchies(own)?) {
        Some(place) => {
            Err(Error::invalid(format!("--cgroup {asked:?}: there is no such group in {place:?}")))
        }
        None => Ok(cgroup),
    }
}

/// Which controllers, or all, and the path.
fn groups(asked: &[String]) -> Result<Vec<(Option<&str>, &str)>> {
    let (mut groups, mut seen) = (Vec::new(), BTreeSet::new());
    for text in asked {
        let wrong = |why: &str| Err(Error::invalid(format!("--cgroup {text:?}: {why}")));
        let (controllers, path) = match text.split_once(':') {
            Some((controllers, path)) => (Some(controllers), path.trim_matches('/')),
            None => (None, text.trim_matches('/')),
        };
        if path.contains(':') || path.split('/').any(|part| part == "..") {
            return wrong("must be the path of a group below the container's own");
        }
        let Some(controllers) = controllers else {
            groups.push((None, path));
            if asked.len() == 1 {
                continue;
            } else {
                return wrong("must have controllers before it, as memory:below");
            }
        };
        for controller in controllers.split(',') {
            if controller.is_empty() || !seen.insert(controller) {
                return wrong("must have each controller once before the colon");
            }
            groups.push((Some(controller), path));
        }
    }
    Ok(groups)
}

impl Asked {
    /// The process as it is asked for.
    pub fn change(&self, process: Process) -> Result<Process> {
        match &self.process {
            Some(path) => {
                let mut asked: Process = read(path)?;
                // Where it does not say, it may do what the container may.
                let own = asked.capabilities().clone().or_else(|| process.capabilities().clone());
                asked.set_capabilities(own);
                Ok(asked)
            }
            None => self.changed(process),
        }
    }

    fn changed(&self, mut process: Process) -> Result<Process> {
        if let Some(folder) = &self.cwd {
            process.set_cwd(folder.clone());
        }
        let mut environment = process.env().clone().unwrap_or_default();
        for entry in &self.env {
            // In the place of one of the same name, which a program might find first.
            let name = |entry: &str| entry.split('=').next().map(String::from);
            environment.retain(|own| name(own) != name(entry));
            environment.push(entry.clone());
        }
        process.set_env(Some(environment));
        // Callers hand on what they have, if it is nothing as well: the container's own holds.
        if let Some(label) = self.process_label.as_ref().filter(|label| !label.is_empty()) {
            process.set_selinux_label(Some(label.clone()));
        }
        if let Some(profile) = self.apparmor.as_ref().filter(|profile| !profile.is_empty()) {
            process.set_apparmor_profile(Some(profile.clone()));
        }
        if self.no_new_privs {
            process.set_no_new_privileges(Some(true));
        }
        if self.user.is_some() || !self.additional_gids.is_empty() {
            let user = self.user(process.user())?;
            process.set_user(user);
        }
        if !self.cap.is_empty() {
            let capabilities =
                self.capabilities(process.capabilities().clone().unwrap_or_else(no_capabilities))?;
            process.set_capabilities(Some(capabilities));
        }
        Ok(process)
    }

    fn user(&self, of_container: &User) -> Result<User> {
        let mut user = of_container.clone();
        if let Some(text) = &self.user {
            let number = |text: &str| {
                text.parse::<u32>().map_err(|_| Error::invalid(format!("user {text:?} is no number")))
            };
            let (uid, gid) = text.split_once(':').unwrap_or((text, "0"));
            user.set_uid(number(uid)?);
            user.set_gid(number(gid)?);
        }
        if !self.additional_gids.is_empty() {
            user.set_additional_gids(Some(self.additional_gids.clone()));
        }
        Ok(user)
    }

    /// Into all sets but the ambient one.
    fn capabilities(&self, mut sets: LinuxCapabilities) -> Result<LinuxCapabilities> {
        let parse = |name: &String| serde_json::from_value::<Capability>(name.clone().into());
        let more: Vec<Capability> = self
            .cap
            .iter()
            .map(parse)
            .collect::<Result<_, _>>()
            .map_err(|error| Error::invalid(error.to_string()))?;
        let with = |set: &Option<oci_spec::runtime::Capabilities>| {
            let mut set = set.clone().unwrap_or_default();
            set.extend(more.iter().copied());
            Some(set)
        };
        let (bounding, effective, permitted) =
            (with(sets.bounding()), with(sets.effective()), with(sets.permitted()));
        sets.set_bounding(bounding);
        sets.set_effective(effective);
        sets.set_permitted(permitted);
        Ok(sets)
    }
}

/// The crate's own default are three.
fn no_capabilities() -> LinuxCapabilities {
    let mut sets = LinuxCapabilities::default();
    sets.set_bounding(None).set_effective(None).set_permitted(None).set_inheritable(None).set_ambient(None);
    sets
}
