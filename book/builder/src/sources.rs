//! The chapters' sources: their crates, files, items and anchors, and which of their lines are the main path.

use crate::Defect;
use crate::anchors::{self, Anchor};
use crate::items::{self, Item};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Everything that the book can show.
#[derive(Debug, Default)]
pub struct Sources {
    /// The chapters, in reading order.
    pub chapters: Vec<Chapter>,
    /// Their files.
    pub files: Vec<SourceFile>,
}

/// A chapter's crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chapter {
    /// Its package: `chroot`.
    pub package: String,
    /// Its folder: `chapters/01-chroot`.
    pub folder: PathBuf,
}

/// A file of a chapter's crate.
#[derive(Debug)]
pub struct SourceFile {
    /// Relative to the workspace.
    pub path: PathBuf,
    /// The package that it belongs to.
    pub package: String,
    /// Its module: empty for the crate's root, `main` for its binary, `examples::name` for an exhibit.
    pub module: String,
    /// Its text.
    pub text: String,
    /// Its items.
    pub items: Vec<Item>,
    /// Its anchors.
    pub anchors: Vec<Anchor>,
    /// It lies beside the main path: its first line says `//! Long tail:`, or that of a module above.
    pub is_long_tail: bool,
    /// Nor is it told: its first line says `//! Stage:`, or that of a module above. The chapter's binary stands on it, its library does not.
    pub is_stage: bool,
}

impl Sources {
    /// Reads the chapters of a workspace.
    pub fn read(workspace: &Path) -> Result<Sources, Vec<Defect>> {
        let mut sources = Sources::default();
        let mut defects = Vec::new();
        for folder in folders(&workspace.join("chapters")) {
            let relative = Path::new("chapters").join(folder.file_name().unwrap_or_default());
            let name = relative.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let package =
                name.trim_start_matches(|character: char| character.is_ascii_digit() || character == '-');
            let package = package.replace('-', "_");
            for part in ["src", "examples"] {
                for path in rust_files(&folder.join(part)) {
                    let below = path.strip_prefix(workspace).unwrap_or(&path).to_path_buf();
                    match SourceFile::read(&path, below, &package, &relative) {
                        Ok(file) => sources.files.push(file),
                        Err(found) => defects.extend(found),
                    }
                }
            }
            sources.chapters.push(Chapter { package, folder: relative });
        }
        sources.mark("//! Long tail:", |file| file.is_long_tail = true);
        sources.mark("//! Stage:", |file| file.is_stage = true);
        if defects.is_empty() { Ok(sources) } else { Err(defects) }
    }

    /// Marks the modules whose first line begins with this, and those below them.
    fn mark(&mut self, beginning: &str, set: fn(&mut SourceFile)) {
        let says_so = |file: &&SourceFile| file.is_library() && file.text.starts_with(beginning);
        let marked: Vec<(String, String)> = self
            .files
            .iter()
            .filter(says_so)
            .map(|file| (file.package.clone(), file.module.clone()))
            .collect();
        let is_marked = |file: &SourceFile| {
            marked.iter().any(|(package, module)| {
                let below = file.module.strip_prefix(module.as_str());
                *package == file.package
                    && below.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
            })
        };
        self.files.iter_mut().filter(|file| is_marked(file)).for_each(set);
    }

    /// The file at a path.
    pub fn file(&self, path: &Path) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The files of a chapter.
    pub fn files_of<'a>(&'a self, package: &'a str) -> impl Iterator<Item = &'a SourceFile> {
        self.files.iter().filter(move |file| file.package == package)
    }

    /// What a path such as `chroot::Inside::new` or `chroot::plan::plan` names: the module may be left out. `chroot::Inside::*` is
    /// every member that a type
    /// has in its own file.
    pub fn find(&self, path: &str) -> Vec<(&SourceFile, &Item)> {
        let Some((package, rest)) = path.split_once("::") else {
            return Vec::new();
        };
        if let Some(owner) = rest.strip_suffix("::*") {
            let is_member = |item: &Item| {
                item.long_name.is_none() && item.name.rsplit_once("::").is_some_and(|(of, _)| of == owner)
            };
            let declares = |file: &SourceFile| file.items.iter().any(|item| item.name == owner);
            return self.matching(package, |file, item| is_member(item) && declares(file));
        }
        let written = self.matching(package, |_, item| item.long_name.as_deref() == Some(rest));
        if !written.is_empty() {
            return written;
        }
        let full = |file: &SourceFile, item: &Item| match file.module.as_str() {
            "" => item.name == rest,
            module => format!("{module}::{}", item.name) == rest,
        };
        let exact = self.matching(package, full);
        if exact.is_empty() { self.matching(package, |_, item| item.name == rest) } else { exact }
    }

    fn matching(
        &self,
        package: &str,
        wanted: impl Fn(&SourceFile, &Item) -> bool,
    ) -> Vec<(&SourceFile, &Item)> {
        let files = self.files.iter().filter(|file| file.package == package);
        let items = files.flat_map(|file| file.items.iter().map(move |item| (file, item)));
        items.filter(|(file, item)| wanted(file, item)).collect()
    }
}

impl SourceFile {
    fn read(path: &Path, below: PathBuf, package: &str, chapter: &Path) -> Result<SourceFile, Vec<Defect>> {
        let defect = |line, remedy: String| vec![Defect::new(&below, line, remedy)];
        let text = std::fs::read_to_string(path).map_err(|error| defect(1, error.to_string()))?;
        let items =
            items::of_file(&text).map_err(|error| defect(error.span().start().line, error.to_string()))?;
        let anchors = anchors::of_file(&below, &text)?;
        let module = module(below.strip_prefix(chapter).unwrap_or(&below));
        Ok(SourceFile {
            path: below,
            package: package.into(),
            module,
            text,
            items,
            anchors,
            is_long_tail: false,
            is_stage: false,
        })
    }

    /// Whether the file is of the library and of its main path.
    pub fn is_main_path(&self) -> bool {
        self.is_library() && !self.is_long_tail && !self.is_stage
    }

    /// Whether it is neither the binary nor an exhibit.
    pub fn is_library(&self) -> bool {
        self.module != "main" && !self.module.starts_with("examples::")
    }

    /// The lines that hold an item's code: no blank ones, no comments, no imports, no tests.
    pub fn code_lines(&self) -> BTreeSet<usize> {
        let lines: Vec<&str> = self.text.lines().collect();
        let is_code = |line: &usize| {
            let text = lines.get(line - 1).map_or("", |line| line.trim());
            !text.is_empty() && !text.starts_with("//")
        };
        self.items.iter().flat_map(|item| item.lines.clone()).filter(is_code).collect()
    }
}

/// `src/seccomp/compile.rs` is `seccomp::compile`, `src/lib.rs` the root, `examples/e.rs` is `examples::e`.
fn module(path: &Path) -> String {
    let path = path.strip_prefix("src").unwrap_or(path).with_extension("");
    let mut parts: Vec<String> = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    parts.pop_if(|last| last == "mod" || last == "lib");
    parts.join("::")
}

fn folders(above: &Path) -> Vec<PathBuf> {
    entries(above).into_iter().filter(|path| path.join("src").is_dir()).collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in entries(folder) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" {
            files.extend(rust_files(&path));
        } else if name.ends_with(".rs") && name != "tests.rs" && !name.ends_with("_tests.rs") {
            files.push(path);
        }
    }
    files
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_named_after_their_files() {
        let names = [
            "src/lib.rs",
            "src/plan.rs",
            "src/seccomp/mod.rs",
            "src/seccomp/compile.rs",
            "examples/escape.rs",
        ];
        let modules = names.map(|name| module(Path::new(name)));
        assert_eq!(modules, ["", "plan", "seccomp", "seccomp::compile", "examples::escape"]);
    }
}
