//! Which OCI runtimes containers may be run by: our own, and those that the daemon was told of (`--add-runtime`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use supervisor::OtherRuntime;

use crate::containers::Record;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};

/// The name of our own: chapter 05, in the supervisor itself.
pub const OWN: &str = "coracle";

/// The runtimes by name, and whose name is taken when a client says none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runtimes {
    default: String,
    others: BTreeMap<String, PathBuf>,
}

impl Runtimes {
    /// Of `NAME=PATH` each, and the default's name. A program without a slash is looked for in `PATH`.
    pub fn new(added: &[String], default: Option<&str>) -> Result<Runtimes> {
        let others = added.iter().map(|word| one(word)).collect::<Result<BTreeMap<_, _>>>()?;
        let default = default.unwrap_or(OWN).to_owned();
        if default != OWN && !others.contains_key(&default) {
            return invalid(format!(
                "specified default runtime '{default}' does not exist: name it by --add-runtime {default}=PATH"
            ));
        }
        Ok(Runtimes { default, others })
    }

    /// Whether there is any but our own.
    pub fn has_others(&self) -> bool {
        !self.others.is_empty()
    }

    /// The one for who names none.
    pub fn default_name(&self) -> &str {
        &self.default
    }

    /// For `docker info`.
    pub fn described(&self) -> BTreeMap<String, api::RuntimeInfo> {
        let info = |path: &Path| api::RuntimeInfo { path: path.display().to_string(), runtime_args: None };
        let others = self.others.iter().map(|(name, path)| (name.clone(), info(path)));
        others.chain([(OWN.to_owned(), info(Path::new("coracle-oci")))]).collect()
    }

    /// The program of another runtime; none: it is our own. A name that is nobody's is refused in Docker's words.
    fn program(&self, name: &str) -> Result<Option<&Path>> {
        if name == OWN {
            return Ok(None);
        }
        let program = self.others.get(name).map(PathBuf::as_path);
        program.map_or_else(
            || invalid(format!("unknown or invalid runtime name: {name}")),
            |path| Ok(Some(path)),
        )
    }

    /// Completes what a client asks for, or refuses it.
    pub fn settle(&self, host: &mut api::HostConfig) -> Result<()> {
        if host.runtime.is_empty() {
            host.runtime = self.default.clone();
        }
        let other = self.program(&host.runtime)?;
        if other.is_some() && host.ipc_mode.starts_with("container:") {
            let name = &host.runtime;
            return Err(Error::new(
                ErrorKind::NotSupported,
                format!(
                    "--ipc container:… with --runtime {name} is not supported by coracle: use --runtime {OWN}"
                ),
            ));
        }
        Ok(())
    }
}

impl Engine {
    /// Who runs a container, if not ourselves.
    pub fn other_runtime(&self, record: &Record) -> Result<Option<OtherRuntime>> {
        let name = &record.host_config.runtime;
        let runtime =
            |path: &Path| OtherRuntime { path: path.to_owned(), root: self.runtime_states().join(name) };
        Ok(self.runtimes.program(name)?.map(runtime))
    }

    /// A folder for the states of each.
    fn runtime_states(&self) -> PathBuf {
        self.places.exec_root.join("runtimes")
    }

    /// What they keep without having a container: empty folders, and caches, whose names begin with a dot.
    pub fn remove_idle_runtime_states(&self) {
        for folder in self.runtimes.others.keys().map(|name| self.runtime_states().join(name)) {
            let mut names = std::fs::read_dir(&folder).into_iter().flatten().flatten();
            if names.all(|entry| entry.file_name().to_string_lossy().starts_with('.')) {
                // One that was never used has none.
                let _ = std::fs::remove_dir_all(&folder);
            }
        }
        let _ = std::fs::remove_dir(self.runtime_states());
    }
}

fn one(word: &str) -> Result<(String, PathBuf)> {
    let Some((name, program)) =
        word.split_once('=').filter(|(name, path)| !name.is_empty() && !path.is_empty())
    else {
        return invalid(format!("--add-runtime {word}: write NAME=PATH"));
    };
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if !name.bytes().all(is_word) || name.starts_with(['.', '-']) {
        return invalid(format!(
            "--add-runtime {word}: a name has letters, digits, '.', '_' and '-', and begins with one of the first two"
        ));
    }
    if name == OWN {
        return invalid(format!("--add-runtime {word}: the runtime name '{OWN}' is reserved"));
    }
    match find(program) {
        Some(path) => Ok((name.to_owned(), path)),
        None => {
            invalid(format!("--add-runtime {word}: there is no such program; name it by its absolute path"))
        }
    }
}

fn find(program: &str) -> Option<PathBuf> {
    let path = Path::new(program);
    if path.is_absolute() {
        return is_program(path).then(|| path.to_owned());
    }
    let folders = std::env::var_os("PATH").filter(|_| !program.contains('/'))?;
    std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

fn invalid<T>(message: String) -> Result<T> {
    Err(Error::new(ErrorKind::InvalidParameter, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtimes(added: &[&str], default: Option<&str>) -> std::result::Result<Runtimes, String> {
        let added: Vec<String> = added.iter().map(|word| (*word).to_owned()).collect();
        Runtimes::new(&added, default).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_wrong_with_a_flag_is_said() {
        for (words, default, why) in [
            (&["sh"][..], None, "write NAME=PATH"),
            (&["sh="], None, "write NAME=PATH"),
            (&["../x=/bin/sh"], None, "a name has letters"),
            (&["coracle=/bin/sh"], None, "'coracle' is reserved"),
            (&["x=/etc/passwd"], None, "no such program"),
            (&["x=bin/sh"], None, "absolute path"),
            (&[], Some("x"), "specified default runtime 'x' does not exist"),
        ] {
            let refusal = runtimes(words, default).expect_err("refused");
            assert!(refusal.contains(why), "{refusal}");
        }
    }

    #[test]
    fn the_default_is_ours_until_it_is_told_otherwise() {
        let known = runtimes(&["shell=/bin/sh", "path=sh"], None).expect("legal");
        assert!(known.has_others() && known.program("path").expect("known").expect("other").is_absolute());
        let settled = |known: &Runtimes, asked: &str| {
            let mut host = api::HostConfig { runtime: asked.to_owned(), ..Default::default() };
            known.settle(&mut host).map(|()| host.runtime).map_err(|error| error.to_string())
        };
        assert_eq!(settled(&known, "").as_deref(), Ok("coracle"));
        assert_eq!(settled(&known, "shell").as_deref(), Ok("shell"));
        assert_eq!(
            settled(&known, "nosuch").expect_err("refused"),
            "unknown or invalid runtime name: nosuch"
        );
        let other = runtimes(&["shell=/bin/sh"], Some("shell")).expect("legal");
        assert_eq!(settled(&other, "").as_deref(), Ok("shell"));
    }
}
