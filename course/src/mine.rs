//! The whole engine, with the participant's crate in the place of the chapter's.
//!
//! Cargo can replace what comes from a registry, but not what lies in a workspace. So a second workspace is laid out, in which
//! everything is a link to the book's but one chapter.

use crate::Result;
use crate::exercise::Exercise;
use crate::folder::{Memory, command, read_file, recall, work, workspace, write_if_changed};
use crate::program::{cargo, executable};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// How long a new daemon may take until its socket answers.
const PATIENCE: Duration = Duration::from_secs(15);

/// Builds the engine, and runs a command line by it, with a daemon and in folders that are gone afterwards.
pub fn run(exercise: &Exercise, folder: &Path, words: &[String]) -> Result<bool> {
    let memory = recall(folder)?;
    let folder = folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()))?;
    let project = work().join("engine");
    lay_out(exercise, &folder, &project)?;
    eprintln!(
        "building the whole engine with {} in the place of chapters/{}: the first time this takes minutes{}",
        folder.display(),
        exercise.chapter,
        doubt(exercise, &folder, &memory)
    );
    let arguments =
        ["build", "--offline", "--package", "coracle", "--message-format", "json-render-diagnostics"];
    let built = executable(&mut cargo(&project, &arguments));
    let engine = built.map_err(|error| format!("the engine with your crate in it: {error}"))?;
    let daemon = Daemon::start(&engine)?;
    let status = daemon.client(&engine).args(words).status();
    status.map(|status| status.success()).map_err(|error| format!("{}: {error}", engine.display()))
}

/// Containers may run by what the checks have found wrong.
fn doubt(exercise: &Exercise, folder: &Path, memory: &Memory) -> String {
    let check = command("check", exercise, folder);
    match &memory.failed {
        _ if memory.did_not_compile => {
            format!("\nat the last check it did not compile: {check}")
        }
        Some(failed) => format!(
            "\nat the last check `{}` failed, so it may run and still be wrong: {check}",
            failed.check
        ),
        None if memory.held.is_empty() => format!("\nit was never checked: {check}"),
        None => String::new(),
    }
}

fn lay_out(exercise: &Exercise, folder: &Path, project: &Path) -> Result<()> {
    let chapters = project.join("chapters");
    let own = chapters.join(exercise.chapter);
    // For another exercise this chapter was a link to the book's, which is nobody's to write into.
    if own.is_symlink() {
        clear(&own);
    }
    std::fs::create_dir_all(&own).map_err(|error| format!("{}: {error}", own.display()))?;
    for name in folders(&workspace())?.iter().filter(|name| !["chapters", "target"].contains(&name.as_str()))
    {
        link(&workspace().join(name), &project.join(name))?;
    }
    for name in folders(&workspace().join("chapters"))?.iter().filter(|name| *name != exercise.chapter) {
        link(&workspace().join("chapters").join(name), &chapters.join(name))?;
    }
    link(&folder.join("src"), &own.join("src"))?;
    write_if_changed(&own.join("Cargo.toml"), &as_member(&read_file(&folder.join("Cargo.toml"))?))?;
    for name in ["Cargo.toml", "Cargo.lock"] {
        write_if_changed(&project.join(name), &read_file(&workspace().join(name))?)?;
    }
    Ok(())
}

/// The names of the folders in a folder, but for hidden ones.
fn folders(folder: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let folders = entries.flatten().filter(|entry| entry.path().is_dir());
    let names = folders.map(|entry| entry.file_name().to_string_lossy().into_owned());
    Ok(names.filter(|name| !name.starts_with('.')).collect())
}

/// Takes away a link, or the folder of the chapter that was somebody's before: it holds a link and a manifest.
fn clear(place: &Path) {
    let is_folder = std::fs::symlink_metadata(place).is_ok_and(|metadata| metadata.is_dir());
    let _ = if is_folder { std::fs::remove_dir_all(place) } else { std::fs::remove_file(place) };
}

/// A link that is there already may lead to another participant's folder.
fn link(target: &Path, place: &Path) -> Result<()> {
    if std::fs::read_link(place).is_ok_and(|old| old == target) {
        return Ok(());
    }
    clear(place);
    symlink(target, place).map_err(|error| format!("{}: {error}", place.display()))
}

/// A member takes from its workspace what the participant's project, which is one of its own, has to say itself.
fn as_member(manifest: &str) -> String {
    let mut is_member = true;
    let mut text = String::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_member = !line.starts_with("[workspace");
        }
        if is_member {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

/// A daemon in folders of its own, which end with it.
struct Daemon {
    folder: PathBuf,
    process: Child,
}

impl Daemon {
    fn start(engine: &Path) -> Result<Daemon> {
        let folder = std::env::temp_dir().join(format!("coracle-mine-{}", std::process::id()));
        std::fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut command = Command::new(engine);
        command.args(["daemon", "--log-level", "warn", "--bridge", "none"]);
        command.arg("--data-root").arg(folder.join("data")).arg("--exec-root").arg(folder.join("run"));
        let process = command.spawn().map_err(|error| format!("{}: {error}", engine.display()))?;
        let daemon = Daemon { folder, process };
        let deadline = Instant::now() + PATIENCE;
        while UnixStream::connect(daemon.socket()).is_err() {
            if Instant::now() > deadline {
                return Err(format!("your engine's daemon does not answer on {}", daemon.socket().display()));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(daemon)
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("run/coracle.sock")
    }

    fn client(&self, engine: &Path) -> Command {
        let mut command = Command::new(engine);
        command.arg("--host").arg(format!("unix://{}", self.socket().display()));
        command
    }
}

impl Drop for Daemon {
    /// It is asked to end, and does so in order.
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(self.process.id() as i32);
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_member_has_no_workspace_of_its_own() {
        let manifest = "[package]\nname = \"a\"\n\n[workspace]\n\n[workspace.package]\nversion = \"1\"\n[dependencies]\nb = \"1\"\n";
        assert_eq!(super::as_member(manifest), "[package]\nname = \"a\"\n\n[dependencies]\nb = \"1\"\n");
    }
}
