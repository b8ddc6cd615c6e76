//! Makes a participant's folder: a Cargo project of its own, made from the chapter, that builds without a network.

use crate::Result;
use crate::exercise::{Exercise, Hole};
use crate::folder::{self, Memory, command, read_file, workspace, write_file};
use crate::holes::dig;
use std::path::Path;

/// Fills an absent or empty folder with the starter, or with the answer, and says what to do next.
pub fn run(exercise: &Exercise, folder: &Path, answer: bool, name: Option<&str>) -> Result<()> {
    let user = std::env::var("USER").ok().filter(|user| !user.is_empty()).unwrap_or_else(|| "you".into());
    let name = name.unwrap_or(&user);
    if std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(format!(
            "{} is not empty, and nothing of yours is overwritten: go on there ({}), or name another with --folder",
            folder.display(),
            command("check", exercise, folder)
        ));
    }
    let chapter = workspace().join("chapters").join(exercise.chapter);
    for (path, text) in sources(exercise, &chapter, answer)? {
        write_file(&folder.join("src").join(path), &text)?;
    }
    for path in files(&chapter.join("src"))?.iter().filter(|path| !is_source(path)) {
        write_file(&folder.join("src").join(path), &read_file(&chapter.join("src").join(path))?)?;
    }
    write_file(&folder.join("Cargo.toml"), &manifest(&read_file(&chapter.join("Cargo.toml"))?, name)?)?;
    write_file(&folder.join("Cargo.lock"), &read_file(&workspace().join("Cargo.lock"))?)?;
    write_file(&folder.join(".cargo/config.toml"), &configuration(folder)?)?;
    write_file(&folder.join(".gitignore"), "/target\n")?;
    let memory = Memory { exercise: exercise.number.into(), ..Memory::default() };
    folder::write(folder, &memory)?;
    println!("{}: {}", folder.display(), exercise.task);
    if !answer {
        println!("Its {} holes, in the order in which the pages fill them:", exercise.holes.len());
        for hole in exercise.holes {
            println!("  src/{:<12} {}", hole.file, hole.item);
        }
    }
    println!("Next: {}, which names the hole that is run into first", command("check", exercise, folder));
    Ok(())
}

/// The chapter's sources by their path in `src`, with its holes.
pub fn sources(exercise: &Exercise, chapter: &Path, answer: bool) -> Result<Vec<(String, String)>> {
    let folder = chapter.join("src");
    let mut sources = Vec::new();
    for path in files(&folder)?.into_iter().filter(|path| is_source(path)) {
        let holes: Vec<&Hole> = exercise.holes.iter().filter(|hole| !answer && hole.file == path).collect();
        let text = dig(&without_marks(&read_file(&folder.join(&path))?), &holes)?;
        sources.push((path, text));
    }
    Ok(sources)
}

/// The book's marks in a source, by which a page shows a part of a function, say nothing to a participant.
fn without_marks(text: &str) -> String {
    let is_mark = |line: &str| {
        ["// ANCHOR: ", "// ANCHOR_END: "].iter().any(|mark| line.trim_start().starts_with(mark))
    };
    text.split_inclusive('\n').filter(|line| !is_mark(line)).collect()
}

/// The rest are data, and what the tests in the sources compare with.
fn is_source(path: &str) -> bool {
    path.ends_with(".rs")
}

/// The files in a folder and below, by their path in it, sorted.
fn files(folder: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            paths.extend(files(&entry.path())?.into_iter().map(|below| format!("{name}/{below}")));
        } else {
            paths.push(name);
        }
    }
    paths.sort();
    Ok(paths)
}

/// The chapter's manifest, with what it takes from the workspace's; the chapters below are where they are.
fn manifest(chapter: &str, name: &str) -> Result<String> {
    let root = read_file(&workspace().join("Cargo.toml"))?;
    let package = section(&root, "[workspace.package]");
    let used = |line: &&str| {
        line.split_once(" = ").is_some_and(|(name, _)| {
            chapter.contains(&format!("\n{name}.workspace"))
                || chapter.contains(&format!("\n{name} = {{ workspace"))
        })
    };
    let path = |line: &str| line.replace("path = \"", &format!("path = \"{}/", workspace().display()));
    let dependencies: Vec<String> =
        section(&root, "[workspace.dependencies]").lines().filter(used).map(path).collect();
    let own = without_tests(chapter);
    let own = own.replacen(
        "publish.workspace = true\n",
        &format!("publish.workspace = true\nauthors = [{name:?}]\n"),
        1,
    );
    Ok(format!(
        "{own}\n# While there are holes, much is unused; take this out when they are filled. A result that nobody looks at is a mistake even then.\n[lints.rust]\nunused = {{ level = \"allow\", priority = -1 }}\nunused_must_use = \"warn\"\n\n\
         # What the chapter takes from the book's workspace.\n[workspace]\n\n[workspace.package]\n{package}\n[workspace.dependencies]\n{}\n",
        dependencies.join("\n")
    ))
}

/// Its tests on the kernel are the chapter's own, and stay there; those in its sources come along.
fn without_tests(manifest: &str) -> String {
    let mut lines: Vec<&str> = manifest.lines().take_while(|line| *line != "[[test]]").collect();
    while lines.pop_if(|line| line.is_empty() || line.starts_with('#')).is_some() {}
    lines.join("\n") + "\n"
}

/// The lines of a section of a manifest, without comments and empty lines.
fn section(manifest: &str, title: &str) -> String {
    let lines = manifest.lines().skip_while(|line| *line != title).skip(1);
    let own = lines.take_while(|line| !line.starts_with('['));
    own.filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| format!("{line}\n")).collect()
}

/// The workspace's configuration, with our command, and without a network.
fn configuration(folder: &Path) -> Result<String> {
    let real = |path: &Path| path.canonicalize().map_err(|error| format!("{}: {error}", path.display()));
    let (folder, workspace) = (real(folder)?, real(&workspace())?);
    let text = read_file(&workspace.join(".cargo/config.toml"))?;
    let (build, _) = text.split_once("[alias]").unwrap_or((&text, ""));
    let end = ["--package", "course", "--"];
    let offline = "# Everything that is needed was fetched when the book's workspace was built.\n[net]\noffline = true\n";
    let Ok(below) = folder.strip_prefix(&workspace) else {
        let words = [
            &["run", "--quiet", "--manifest-path", &workspace.join("Cargo.toml").display().to_string()],
            &end[..],
        ];
        return Ok(format!("{build}[alias]\ncourse = {:?}\n\n{offline}", words.concat()));
    };
    // Cargo reads the workspace's configuration here, too: it would join lists, and prefers our word to the workspace's.
    // It splits a word of ours at spaces; a way up has none, but is right in the folder alone.
    let absolute = workspace.join("Cargo.toml").display().to_string();
    let way_up = "../".repeat(below.components().count()) + "Cargo.toml";
    let manifest = if absolute.contains(char::is_whitespace) { way_up } else { absolute };
    Ok(format!("[alias]\ncourse = \"run --quiet --manifest-path {manifest} {}\"\n\n{offline}", end.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_left_out_and_other_comments_stay() {
        let text = "fn f() {\n    // ANCHOR: a\n    // Why.\n    g();\n    // ANCHOR_END: a\n}\n";
        assert_eq!(without_marks(text), "fn f() {\n    // Why.\n    g();\n}\n");
    }
}
