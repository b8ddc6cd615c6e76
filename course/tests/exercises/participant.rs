//! A participant: a folder with a crate in it, which is checked as root and as an ordinary user.

use serde_json::Value;
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The ordinary user whom `cargo xtask test` makes.
const ORDINARY_USER: &str = "coracle-test";

/// Who runs the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Root,
    Ordinary,
    /// Root of a user namespace with one id, as in somebody's container.
    SmallRoot,
}

/// Whom this run can be: root is both, if the ordinary user is there.
pub fn everybody() -> Vec<Who> {
    if !nix::unistd::geteuid().is_root() {
        skipped::skip("the exercise as root", "it needs root");
        return vec![Who::Ordinary];
    }
    if home().is_none() {
        skipped::skip("the exercise as an ordinary user", "there is no user coracle-test");
        return vec![Who::Root];
    }
    vec![Who::Root, Who::Ordinary]
}

fn home() -> Option<PathBuf> {
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    let line = passwd.lines().find(|line| line.split(':').next() == Some(ORDINARY_USER))?;
    line.split(':').nth(5).map(PathBuf::from)
}

/// The workspace.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the course lies in it").to_path_buf()
}

/// The coursework's command line.
pub fn course(words: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_course"));
    command.args(words).arg("--folder").arg(folder).output().expect("the command is built")
}

/// What a command printed, if it succeeded.
#[track_caller]
pub fn printed(output: Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A place where one can be at a time, in all processes, for as long as the file is open.
pub fn alone(name: &str) -> File {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name).with_extension("lock");
    let file = File::create(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    file.lock().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    file
}

/// A participant, who is the only one of an exercise for as long as this lives: the next one's program takes the place of this one's.
pub struct Participant {
    pub folder: PathBuf,
    exercise: &'static str,
    _alone: File,
}

impl Participant {
    /// With the starter of an exercise, by its number.
    pub fn starter(exercise: &'static str) -> Participant {
        Participant::new(exercise, &[])
    }

    /// With its answer.
    pub fn answer(exercise: &'static str) -> Participant {
        Participant::new(exercise, &["--answer"])
    }

    /// Always in the same folder: to the compiler it is the same crate, of which it compiles again what has changed.
    fn new(exercise: &'static str, words: &[&str]) -> Participant {
        let name = format!("participant-{exercise}");
        let alone = alone(&name);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder).expect("our own folder");
        }
        printed(course(&[&["start", exercise, "--name", "somebody"], words].concat(), &folder));
        Participant { folder, exercise, _alone: alone }
    }

    /// Applies a patch of the exercise's.
    pub fn patch(&self, patch: &Path) {
        let text = std::fs::read_to_string(patch).expect("a patch");
        let text = text.replace("WORKSPACE", &workspace().display().to_string());
        let here = self.folder.join("the.patch");
        std::fs::write(&here, text).expect("our own folder");
        let mut git = Command::new("git");
        // A line of the neighbourhood is enough: what else changes in the chapter is not the patch's business.
        git.args(["apply", "-C1", "the.patch"]).current_dir(&self.folder);
        // Our folder is no part of any repository.
        git.env("GIT_CEILING_DIRECTORIES", self.folder.parent().expect("a folder has a parent"));
        let output = git.env_remove("GIT_DIR").output().expect("git is needed to have this at all");
        let error = String::from_utf8_lossy(&output.stderr);
        let remedy = "the chapter has changed, so make the patch anew";
        assert!(output.status.success(), "{}: {error}: {remedy}", patch.display());
        std::fs::remove_file(here).expect("our own file");
    }

    /// The program that the checks run, or why there is none.
    pub fn build(&self) -> Result<PathBuf, String> {
        let output = course(&["build", self.exercise], &self.folder);
        match output.status.success() {
            true => Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    /// Builds, and lets these observe everything.
    #[track_caller]
    pub fn observe(&self, whos: &[Who]) -> Vec<(Who, Vec<Observed>)> {
        self.observe_with(whos, &[])
    }

    /// What does without the chapter's long tail.
    #[track_caller]
    pub fn observe_main_path(&self, whos: &[Who]) -> Vec<(Who, Vec<Observed>)> {
        self.observe_with(whos, &["--which", "main-path"])
    }

    /// What is told first to those whose crate is wrong: the first check that fails, if one does, after everything before it.
    #[track_caller]
    pub fn to_the_first_failure(&self, whos: &[Who]) -> Vec<(Who, Vec<Observed>)> {
        self.observe_with(whos, &["--which", "to-the-first-failure"])
    }

    /// All at the same time: most of it is waiting.
    #[track_caller]
    fn observe_with(&self, whos: &[Who], words: &[&str]) -> Vec<(Who, Vec<Observed>)> {
        let program = &self.build().unwrap_or_else(|error| panic!("{error}"));
        let words = &[&["observe", self.exercise], words].concat()[..];
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                whos.iter().map(|who| (*who, scope.spawn(|| observed(*who, program, words)))).collect();
            let result = |thread: std::thread::ScopedJoinHandle<'_, _>| match thread.join() {
                Ok(observed) => observed,
                Err(panic) => std::panic::resume_unwind(panic),
            };
            threads.into_iter().map(|(who, thread)| (who, result(thread))).collect()
        })
    }
}

fn observed(who: Who, program: &Path, words: &[&str]) -> Vec<Observed> {
    let output = match who {
        Who::Ordinary if nix::unistd::geteuid().is_root() => observe_as_ordinary_user(program, words),
        Who::SmallRoot => {
            let mut unshare = Command::new("unshare");
            unshare.args(["--user", "--map-root-user", env!("CARGO_BIN_EXE_course")]);
            unshare.args(words).arg(program).output()
        }
        _ => Command::new(env!("CARGO_BIN_EXE_course")).args(words).arg(program).output(),
    };
    let text = printed(output.expect("the command is built"));
    let results: Value = serde_json::from_str(&text).expect("the results are JSON");
    results.as_array().expect("a list").iter().map(Observed::new).collect()
}

/// Root's files are not everybody's: both programs are copied, by processes of their own, so that none is busy when it starts.
fn observe_as_ordinary_user(program: &Path, words: &[&str]) -> std::io::Result<Output> {
    let folder = tempfile::Builder::new().prefix("course-").tempdir_in(home().expect("asked for before"))?;
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
    let copy = |from: &Path, name: &str| {
        let to = folder.path().join(name);
        let status = Command::new("install").args(["-m", "755"]).arg(from).arg(&to).status();
        assert!(status.is_ok_and(|status| status.success()), "{}", from.display());
        to
    };
    let (course, program) =
        (copy(Path::new(env!("CARGO_BIN_EXE_course")), "course"), copy(program, "program"));
    let mut command = Command::new("setpriv");
    command.args(["--reuid", ORDINARY_USER, "--regid", ORDINARY_USER, "--clear-groups", "--"]).env_clear();
    command.arg(course).args(words).arg(program).current_dir(folder.path()).output()
}

/// What became of a check.
#[derive(Debug)]
pub struct Observed {
    pub check: String,
    pub held: bool,
    /// Whether it could not be looked at, here and by this caller.
    pub unchecked: bool,
    pub hint: String,
    /// What was seen, for those who read a test's failure.
    pub _seen: String,
}

impl Observed {
    /// Whether it was looked at and is wrong.
    pub fn has_failed(&self) -> bool {
        !self.held && !self.unchecked
    }

    fn new(value: &Value) -> Observed {
        let text = |field: &str| value[field].as_str().unwrap_or_default().to_string();
        Observed {
            check: text("check"),
            held: value["outcome"] == "held",
            unchecked: value["outcome"] == "unchecked",
            hint: text("hint"),
            _seen: text("seen"),
        }
    }
}

/// The patches of a kind that a chapter's exercise has, with the fields that begin them.
pub fn patches(chapter: &str, kind: &str) -> Vec<Patch> {
    let folder = workspace().join("chapters").join(chapter).join("exercise").join(kind);
    let entries = std::fs::read_dir(&folder).expect("the exercise has patches").flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| Patch { text: std::fs::read_to_string(&path).expect("a patch"), path })
        .collect()
}

/// A patch of the answer.
pub struct Patch {
    pub path: PathBuf,
    text: String,
}

impl Patch {
    /// What a field of its head says.
    pub fn field(&self, name: &str) -> Option<&str> {
        let head = self.text.split("\n--- ").next().unwrap_or_default();
        head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// What a field says that must be there.
    #[track_caller]
    pub fn must(&self, name: &str) -> &str {
        self.field(name)
            .unwrap_or_else(|| panic!("{}: say `{name}: …` before the patch", self.path.display()))
    }
}
