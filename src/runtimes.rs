//! Which OCI runtimes containers may be run by: our own, and those that the daemon was told of (`--add-runtime`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use supervisor::OtherRuntime;

use crate::containers::Record;
use crate::daemon::config_file::ConfigFile;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};

/// The name of our own: chapter 05, in the supervisor itself.
pub const OWN: &str = "coracle";

/// The runtimes by name, and whose name is taken when a client says none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runtimes {
    default: String,
    others: BTreeMap<String, Program>,
}

/// What is executed for another runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Program {
    path: PathBuf,
    arguments: Vec<String>,
}

impl Runtimes {
    /// Of `NAME=PATH` each, what the file says besides, and the default's name. A program without a slash is looked for in `PATH`.
    pub fn new(added: &[String], default: Option<&str>, file: &ConfigFile) -> Result<Runtimes> {
        let mut others = BTreeMap::new();
        for word in added {
            let place = format!("--add-runtime {word}");
            let Some((name, program)) = word.split_once('=') else {
                return invalid(format!("{place}: write NAME=PATH"));
            };
            add(&mut others, &place, name, program, &[])?;
        }
        for (name, runtime) in &file.runtimes {
            add(&mut others, &format!("runtimes.{name}"), name, &runtime.path, &runtime.arguments)?;
        }
        let default = match (default, &file.default_runtime) {
            (Some(_), Some(_)) => {
                return invalid("default-runtime: it is in the file, and a flag as well".to_owned());
            }
            (flag, file) => flag.or(file.as_deref()).unwrap_or(OWN).to_owned(),
        };
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
        let own = api::RuntimeInfo { path: "coracle-oci".to_owned(), runtime_args: None };
        let info = |program: &Program| api::RuntimeInfo {
            path: program.path.display().to_string(),
            runtime_args: Some(program.arguments.clone()).filter(|words| !words.is_empty()),
        };
        let others = self.others.iter().map(|(name, program)| (name.clone(), info(program)));
        others.chain([(OWN.to_owned(), own)]).collect()
    }

    /// The program of another runtime; none: it is our own. A name that is nobody's is refused in Docker's words.
    fn program(&self, name: &str) -> Result<Option<&Program>> {
        match self.others.get(name) {
            _ if name == OWN => Ok(None),
            Some(program) => Ok(Some(program)),
            None => invalid(format!("unknown or invalid runtime name: {name}")),
        }
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
        let runtime = |program: &Program| OtherRuntime {
            path: program.path.clone(),
            arguments: program.arguments.clone(),
            root: self.runtime_states().join(name),
        };
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

/// `place` is where it stands, for who has to mend it.
fn add(
    others: &mut BTreeMap<String, Program>,
    place: &str,
    name: &str,
    program: &str,
    arguments: &[String],
) -> Result<()> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if !name.bytes().all(is_word) || name.starts_with(['.', '-']) || name.is_empty() {
        let why = "a name has letters, digits, '.', '_' and '-', and begins with one of the first two";
        return invalid(format!("{place}: {why}"));
    }
    if name == OWN {
        return invalid(format!("{place}: the runtime name '{OWN}' is reserved"));
    }
    let Some(path) = find(program) else {
        return invalid(format!("{place}: there is no program {program:?}; name it by its absolute path"));
    };
    match others.insert(name.to_owned(), Program { path, arguments: arguments.to_vec() }) {
        None => Ok(()),
        Some(_) => invalid(format!("{place}: another runtime has this name already")),
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
    use crate::daemon::config_file::Runtime;

    fn runtimes(added: &[&str], default: Option<&str>) -> std::result::Result<Runtimes, String> {
        let added: Vec<String> = added.iter().map(|word| (*word).to_owned()).collect();
        let known = Runtimes::new(&added, default, &ConfigFile::default());
        known.map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_wrong_with_a_flag_is_said() {
        for (words, default, why) in [
            (&["sh"][..], None, "write NAME=PATH"),
            (&["sh="], None, "no program \"\""),
            (&["=/bin/sh"], None, "a name has letters"),
            (&["../x=/bin/sh"], None, "a name has letters"),
            (&["coracle=/bin/sh"], None, "'coracle' is reserved"),
            (&["x=/etc/passwd"], None, "no program \"/etc/passwd\""),
            (&["x=bin/sh"], None, "absolute path"),
            (&["x=/bin/sh", "x=/bin/cat"], None, "--add-runtime x=/bin/cat: another runtime has this name"),
            (&[], Some("x"), "specified default runtime 'x' does not exist"),
        ] {
            let refusal = runtimes(words, default).expect_err("refused");
            assert!(refusal.contains(why), "{refusal}");
        }
    }

    #[test]
    fn a_file_adds_arguments_and_contradicts_no_flag() {
        let runtime = Runtime { path: "/bin/sh".to_owned(), arguments: vec!["-e".to_owned()] };
        let runtimes = [("x".to_owned(), runtime)].into();
        let file = ConfigFile { default_runtime: Some("x".to_owned()), runtimes };
        let known = Runtimes::new(&[], None, &file).expect("legal");
        assert_eq!(known.default_name(), "x");
        assert_eq!(known.described()["x"].runtime_args.as_deref(), Some(&["-e".to_owned()][..]));
        assert!(
            Runtimes::new(&[], Some("x"), &file)
                .is_err_and(|error| error.to_string().contains("a flag as well"))
        );
        let added = ["x=/bin/cat".to_owned()];
        assert!(
            Runtimes::new(&added, None, &file)
                .is_err_and(|error| error.to_string().starts_with("runtimes.x: "))
        );
    }

    #[test]
    fn the_default_is_ours_until_it_is_told_otherwise() {
        let known = runtimes(&["shell=/bin/sh", "path=sh"], None).expect("legal");
        assert!(
            known.has_others() && known.program("path").expect("known").expect("other").path.is_absolute()
        );
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
