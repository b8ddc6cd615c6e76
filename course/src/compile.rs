//! Builds the program that the checks run, and makes sure of what it is made of.

use crate::Result;
use crate::exercise::Exercise;
use crate::folder::{read_file, recall, work, workspace, write_file, write_if_changed};
use crate::program::{cargo, executable};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// Links the participant's crate with the harness, and returns the program.
pub fn build(exercise: &Exercise, folder: &Path) -> Result<PathBuf> {
    recall(folder)?;
    let folder = folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()))?;
    let project = work().join(format!("harness-{}", exercise.number));
    lay_out(exercise, &folder, &project)?;
    refuse_build_scripts(exercise, &project)?;
    let build = ["build", "--offline", "--message-format", "json-render-diagnostics"];
    let program = executable(&mut cargo(&project, &build)).map_err(|error| format!("your crate: {error}"))?;
    own_sources(exercise, &folder, &project, &program)?;
    Ok(program)
}

/// The harness's project: as in the workspace, but with the participant's crate in the place of the chapter's.
fn lay_out(exercise: &Exercise, folder: &Path, project: &Path) -> Result<()> {
    let (manifest, source) = (exercise.harness.manifest, exercise.harness.source);
    let root = read_file(&workspace().join("Cargo.toml"))?;
    let (_, shared) =
        root.split_once("\n[workspace.package]").ok_or("the workspace's manifest has no package section")?;
    let (shared, _) = shared.split_once("\n[package]").ok_or("the workspace's manifest has no package")?;
    let absolute = shared.replace("path = \"", &format!("path = \"{}/", workspace().display()));
    let chapter = workspace().join("chapters").join(exercise.chapter);
    let theirs = absolute.replace(&format!("{:?}", chapter), &format!("{folder:?}"));
    write_if_changed(
        &project.join("Cargo.toml"),
        &format!("{manifest}\n[workspace]\n\n[workspace.package]{theirs}"),
    )?;
    write_if_changed(&project.join("src/main.rs"), source)?;
    write_file(&project.join("Cargo.lock"), &read_file(&workspace().join("Cargo.lock"))?)
}

/// What a build script does happens before anybody looks.
fn refuse_build_scripts(exercise: &Exercise, project: &Path) -> Result<()> {
    let output =
        cargo(project, &["metadata", "--offline", "--format-version", "1"]).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("cargo cannot be started: {error}"))?;
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| "cargo cannot read your Cargo.toml; what it says is above".to_string())?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    // The chapters below may have what they need.
    let chapters = workspace().join("chapters");
    let is_ours = |package: &Value| {
        package["manifest_path"].as_str().is_some_and(|path| Path::new(path).starts_with(&chapters))
    };
    for package in packages.filter(|package| package["source"].is_null() && !is_ours(package)) {
        let targets = package["targets"].as_array().into_iter().flatten();
        let mut kinds = targets.flat_map(|target| target["kind"].as_array().into_iter().flatten());
        if kinds.any(|kind| kind == "custom-build" || kind == "proc-macro") {
            let name = package["name"].as_str().unwrap_or_default();
            return Err(format!(
                "{name} has a build script or a macro crate: exercise {} needs none",
                exercise.number
            ));
        }
    }
    Ok(())
}

/// The compiler says which files it read: those of the participant, of the harness, and of the chapters below.
fn own_sources(exercise: &Exercise, folder: &Path, project: &Path, program: &Path) -> Result<()> {
    let chapters = workspace().join("chapters");
    let entries = std::fs::read_dir(&chapters).map_err(|error| format!("{}: {error}", chapters.display()))?;
    let below =
        entries.flatten().filter(|entry| entry.file_name().to_string_lossy().as_ref() < exercise.chapter);
    let mut allowed: Vec<PathBuf> = below.map(|entry| entry.path()).collect();
    allowed.extend([folder.to_path_buf(), project.to_path_buf()]);
    let text = read_file(&program.with_extension("d"))?;
    for path in paths_of(&text) {
        let path = path.canonicalize().unwrap_or(path);
        let is_allowed = allowed
            .iter()
            .filter_map(|folder| folder.canonicalize().ok())
            .any(|folder| path.starts_with(folder));
        if !is_allowed {
            return Err(format!(
                "{} was compiled into it: write your own, on top of the chapters below {}",
                path.display(),
                exercise.number
            ));
        }
    }
    Ok(())
}

/// The files of `program: file file …`; a space in a name is escaped.
fn paths_of(rule: &str) -> Vec<PathBuf> {
    let files = rule.lines().filter_map(|line| Some(line.split_once(": ")?.1)).collect::<Vec<_>>().join(" ");
    let files = files.replace("\\ ", "\0");
    files.split_whitespace().map(|file| PathBuf::from(file.replace('\0', " "))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_names_its_files() {
        let paths = paths_of("/t/harness: /a/main.rs /b\\ c/lib.rs\n");
        assert_eq!(paths, [Path::new("/a/main.rs"), Path::new("/b c/lib.rs")]);
    }
}
