//! The proof that the long tail is one: in a copy of the workspace each of its functions panics, and what the book shows still runs.

use crate::Defect;
use crate::sources::{Chapter, SourceFile, Sources};
use std::path::Path;
use std::process::Command;
use syn::visit::{self, Visit};

/// What no copy needs: what was built, and the past.
const LEFT_OUT: &[&str] = &["target", ".git"];

/// What must still pass, as arguments of cargo: the sessions that the pages show, and the exercises, answered by the chapters.
const SESSIONS: [&str; 5] = ["test", "--quiet", "--locked", "--package", "transcripts"];
const ANSWERS: [&str; 5] = ["test", "--quiet", "--locked", "--package", "course"];
const ANSWER: &str = "the_answer_is_the_starter_filled";

/// A chapter that puts those below it together, and the modules of their long tails that its first container asks for: its devices,
/// the options of its mounts, what is hidden in it and what is read-only, its user's home, and a signal to it. All else panics there too.
const ASKED: [(&str, &[(&str, &str)]); 1] = [(
    "runtime",
    &[
        ("chroot", "nodes"),
        ("chroot", "options"),
        ("chroot", "masks"),
        ("chroot", "read_only"),
        ("chroot", "present"),
        ("privileges", "user"),
        ("kernel", "pidfd"),
    ],
)];

/// Copies the workspace below `target/long-tail`, makes the long tails of these chapters panic, and runs there what the book shows of
/// them.
/// Returns what was proven.
pub fn prove(workspace: &Path, packages: &[String]) -> Result<String, Vec<Defect>> {
    let refused = |error: String| vec![Defect::new("target/long-tail", 1, error)];
    let folder = workspace.join("target/long-tail");
    let (copy, target) = (folder.join("workspace"), folder.join("target"));
    let copied = || -> std::io::Result<()> {
        if copy.exists() {
            std::fs::remove_dir_all(&copy)?;
        }
        copy_folder(workspace, &copy)
    };
    copied().map_err(|error| refused(error.to_string()))?;
    let sources = Sources::read(&copy)?;
    check_asked(&sources)?;
    let is_told = |package: &str| packages.iter().any(|one| one == package);
    let tail: Vec<&SourceFile> =
        sources.files.iter().filter(|file| file.is_long_tail && is_told(&file.package)).collect();
    let (asked, rest): (Vec<&SourceFile>, Vec<&SourceFile>) = tail.iter().partition(|file| is_asked(file));
    // First what asks for more than the chapters below show by themselves; then nothing of their long tails is left.
    let mut functions = make_panic(&copy, &rest).map_err(refused)?;
    for chapter in sources.chapters.iter().filter(|chapter| is_told(&chapter.package) && asks(chapter)) {
        let sessions = format!("chapter_{}", number(&chapter.folder));
        let test = ["test", "--quiet", "--locked", "--package", "transcripts", "--test", &sessions];
        run(&test, &copy, &target).map_err(refused)?;
        run(&[&ANSWERS[..], &[&answer_of(chapter)]].concat(), &copy, &target).map_err(refused)?;
    }
    functions += make_panic(&copy, &asked).map_err(refused)?;
    for chapter in sources.chapters.iter().filter(|chapter| !is_told(&chapter.package) || asks(chapter)) {
        leave_out_sessions(&copy, &chapter.folder).map_err(|error| refused(error.to_string()))?;
    }
    run(&SESSIONS, &copy, &target).map_err(refused)?;
    let answered: Vec<String> =
        sources.chapters.iter().filter(|chapter| asks(chapter)).map(answer_of).collect();
    let left_out: Vec<&str> = answered.iter().flat_map(|answer| ["--skip", answer]).collect();
    run(&[&ANSWERS[..], &[ANSWER, "--"], &left_out].concat(), &copy, &target).map_err(refused)?;
    let modules = tail.len();
    Ok(format!(
        "{functions} functions of {modules} modules of long tail panic in a copy, and the sessions of these chapters and the exercises' answers pass there\n"
    ))
}

/// Whether a chapter asks for parts of long tails below it.
fn asks(chapter: &Chapter) -> bool {
    ASKED.iter().any(|(package, _)| chapter.package == *package)
}

/// Whether some chapter asks for this module.
fn is_asked(file: &SourceFile) -> bool {
    let mut asked = ASKED.iter().flat_map(|(_, modules)| *modules);
    asked.any(|(package, module)| file.package == *package && file.module == *module)
}

/// What is asked for is there, and is long tail.
fn check_asked(sources: &Sources) -> Result<(), Vec<Defect>> {
    let is_there = |package: &str, module: &str| {
        sources.files_of(package).any(|file| file.module == module && file.is_long_tail)
    };
    let asked = ASKED.iter().flat_map(|(_, modules)| *modules);
    let defects: Vec<Defect> = asked
        .filter(|(package, module)| !is_there(package, module))
        .map(|(package, module)| {
            let remedy = format!("{package}::{module} is no module of a long tail: correct `ASKED`");
            Defect::new("book/builder/src/proof.rs", 1, remedy)
        })
        .collect();
    if defects.is_empty() { Ok(()) } else { Err(defects) }
}

/// Makes the functions of these files panic; returns how many.
fn make_panic(copy: &Path, files: &[&SourceFile]) -> Result<usize, String> {
    let mut functions = 0;
    for file in files {
        let (text, count) = panicking(file).map_err(|error| error.to_string())?;
        std::fs::write(copy.join(&file.path), text).map_err(|error| error.to_string())?;
        functions += count;
    }
    Ok(functions)
}

/// A chapter that is still to be told as a whole stands on the long tails of those below it where nobody has looked yet.
fn leave_out_sessions(copy: &Path, chapter: &Path) -> std::io::Result<()> {
    let file = format!("book/transcripts/tests/chapter_{}.rs", number(chapter));
    match std::fs::remove_file(copy.join(file)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The test of a chapter's exercise, if it has one.
fn answer_of(chapter: &Chapter) -> String {
    format!("{ANSWER}::exercise_{}", number(&chapter.folder))
}

/// `05`, of `chapters/05-runtime`.
fn number(chapter: &Path) -> String {
    let folder = chapter.file_name().unwrap_or_default().to_string_lossy();
    folder.split('-').next().unwrap_or_default().to_string()
}

fn run(arguments: &[&str], copy: &Path, target: &Path) -> Result<(), String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments).current_dir(copy).env("CARGO_TARGET_DIR", target);
    // A session that differs is no session to be recorded.
    cargo.env("INSTA_UPDATE", "no").env("RUST_BACKTRACE", "0").env_remove("INSTA_WORKSPACE_ROOT");
    match cargo.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("the book calls a function of a long tail, see above: put it on the main path and tell it, or do not call it there".into()),
        Err(error) => Err(format!("cargo cannot be started: {error}")),
    }
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if LEFT_OUT.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// The file with a panic at the beginning of each of its functions, and how many these are. Constant ones are left: they are computed
/// while the code is compiled, and are data.
fn panicking(file: &SourceFile) -> syn::Result<(String, usize)> {
    let mut bodies = Bodies { module: file.module.clone(), found: Vec::new() };
    bodies.visit_file(&syn::parse_file(&file.text)?);
    let mut lines: Vec<String> = file.text.lines().map(String::from).collect();
    // From the end, so that what is put in moves nothing that is still to be done.
    for (line, column, name) in bodies.found.iter().rev() {
        // Behind a condition that the compiler does not know, so that what follows is still code that is reached.
        let panic = format!(" if std::hint::black_box(true) {{ panic!(\"long tail: {name}\"); }} ");
        let at = lines[line - 1].char_indices().nth(*column).map_or(lines[line - 1].len(), |(at, _)| at);
        lines[line - 1].insert_str(at, &panic);
    }
    Ok((lines.join("\n") + "\n", bodies.found.len()))
}

/// Where the bodies of functions begin, after their brace: the line from 1, the column from 0, and whose it is.
struct Bodies {
    module: String,
    found: Vec<(usize, usize, String)>,
}

impl Bodies {
    fn add(&mut self, signature: &syn::Signature, body: &syn::Block) {
        if signature.constness.is_none() {
            let end = body.brace_token.span.open().end();
            self.found.push((end.line, end.column, format!("{}::{}", self.module, signature.ident)));
        }
    }
}

impl<'ast> Visit<'ast> for Bodies {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !crate::items::is_test(&item.attrs) {
            self.add(&item.sig, &item.block);
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !crate::items::is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn every_function_but_constants_and_tests_panics() {
        let folder = tempfile::tempdir().unwrap();
        let text = "//! Long tail: x.\npub fn one() -> u8 { 1 }\nconst fn two() -> u8 {\n    2\n}\nimpl S {\n    fn ö(&self) -> impl Iterator<Item = u8> {\n        fn inner() {}\n        [1].into_iter()\n    }\n}\n#[cfg(test)]\nmod tests {\n    fn three() {}\n}\n";
        let path = folder.path().join("chapters/01-one/src/tail.rs");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        let sources = Sources::read(folder.path()).unwrap();
        let (text, count) = panicking(&sources.files[0]).unwrap();
        assert_eq!(count, 3);
        let panic = |name: &str| {
            format!(" if std::hint::black_box(true) {{ panic!(\"long tail: tail::{name}\"); }} ")
        };
        assert!(text.contains(&format!("pub fn one() -> u8 {{{} 1 }}", panic("one"))), "{text}");
        assert!(text.contains(&format!("Item = u8> {{{}\n", panic("ö"))), "{text}");
        assert!(text.contains("    fn three() {}") && text.contains("u8 {\n    2\n"), "{text}");
    }

    #[test]
    fn a_copy_has_no_past() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for path in [".git/HEAD", "target/debug/x", "chapters/01/target.rs", ".cargo/config.toml"] {
            let path: PathBuf = from.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        // Some keep what they build elsewhere.
        std::os::unix::fs::symlink(to.path(), from.path().join("chapters/target")).unwrap();
        copy_folder(from.path(), &to.path().join("copy")).unwrap();
        let is_there = |path: &str| to.path().join("copy").join(path).exists();
        assert!(is_there("chapters/01/target.rs") && is_there(".cargo/config.toml"));
        assert!(!is_there(".git") && !is_there("target"));
    }
}
