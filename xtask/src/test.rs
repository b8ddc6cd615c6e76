//! The short tier: what every change must pass, below 30 minutes on two cores.

use crate::setup::{self, is_installed, is_root};
use crate::steps::Steps;
use crate::{Result, book, dist, root, tidy, users, vm};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(clap::Args)]
pub struct Arguments {
    /// Do not install anything: skip by name what is missing
    #[arg(long)]
    no_setup: bool,
    /// Run only the steps whose name contains this
    #[arg(long)]
    only: Option<String>,
}

/// The crates whose pure parts must compile for the browser: the book's diagrams run them.
const PURE_CRATES: &[&str] = &[
    "chroot",
    "namespaces",
    "cgroups",
    "privileges",
    "runtime",
    "images",
    "layers",
    "registry",
    "network",
    "supervisor",
    "api",
    "models",
    "diagrams",
];

/// What waits for large dependencies is tested in steps of its own.
const APART: &[&str] = &["--exclude", "book", "--exclude", "diagram-browser", "--exclude", "diagram-bundle"];

/// Runs the short tier and prints a summary.
pub fn run(arguments: &Arguments) -> Result<()> {
    if !arguments.no_setup {
        setup::run()?;
    }
    steps(|name| arguments.only.as_ref().is_none_or(|only| name.contains(only.as_str())))
}

/// Runs what the short tier has for the book: its sessions and models, its diagrams, its builder, its pages in a browser.
pub fn book_alone() -> Result<()> {
    let mut steps = Steps::default();
    let packages = ["--package", "transcripts", "--package", "models", "--package", "diagrams"];
    let sessions = [&["test", "--locked", "--no-fail-fast"], &packages[..]].concat();
    steps.command("the book's sessions, models and drawings", cargo(&sessions));
    diagrams(&mut steps, "diagrams");
    book(&mut steps, "book");
    steps.summary()
}

fn steps(wanted: impl Fn(&str) -> bool) -> Result<()> {
    let mut steps = Steps::default();
    for (name, step) in STEPS {
        if wanted(name) {
            step(&mut steps, name);
        }
    }
    steps.summary()
}

type Step = fn(&mut Steps, &str);

const STEPS: &[(&str, Step)] = &[
    ("format", |steps, name| steps.command(name, cargo(&["fmt", "--all", "--check"]))),
    ("tidy", |steps, name| steps.check(name, tidy::run)),
    ("clippy", |steps, name| {
        let rest = &["--features", dist::FEATURES, "--all-targets", "--locked", "--", "-D", "warnings"];
        steps.command(name, cargo(&[&["clippy", "--workspace"], APART, rest].concat()));
    }),
    ("what is only in releases", |steps, name| {
        let packages =
            ["--package", "cgroups", "--package", "runtime", "--features", dist::FEATURES, "--locked"];
        steps.command(name, cargo(&[&["test"][..], &packages, &["--lib", "systemd"]].concat()));
    }),
    ("deny", deny),
    ("documentation", |steps, name| {
        let rest = &["--no-deps", "--document-private-items"];
        let command = cargo(&[&["doc", "--workspace"], APART, rest].concat());
        steps.command(name, command.env("RUSTDOCFLAGS", "-D warnings"));
    }),
    ("wasm32", wasm32),
    ("chapters", chapters),
    ("aarch64", aarch64),
    ("containers on aarch64 in a virtual machine", foreign_machine),
    ("coursework", coursework),
    ("diagrams", diagrams),
    ("book", book),
    ("engine", |steps, name| {
        steps.command(name, cargo(&["test", "--locked", "--package", "coracle", "--bins"]))
    }),
    ("black box", black_box),
    ("cgroup v2 in a virtual machine", virtual_machine),
    ("hello as this user", |steps, name| steps.check(name, hello_as_this_user)),
    ("hello as an ordinary user", hello_as_ordinary_user),
];

fn cargo(arguments: &[&str]) -> &'static mut Command {
    // A step's command lives as long as the run: there are about ten of them.
    let command = Box::leak(Box::new(Command::new("cargo")));
    command.args(arguments).current_dir(root())
}

fn chapters(steps: &mut Steps, name: &str) {
    let skipped = fresh_list("chapters");
    if is_root() {
        steps.check("an ordinary user with ranges of ids for the chapters", users::user_with_ranges);
    }
    let what = &["test", "--locked", "--workspace", "--no-fail-fast"];
    let rest = &["--exclude", "coracle", "--exclude", "course"];
    let tests = cargo(&[what, rest, APART, &["--", "--test-threads=2"]].concat());
    steps.command(name, tests.env("CORACLE_SKIPPED", &skipped));
    name_skipped(steps, &skipped);
}

/// What differs between architectures, compiled for another one and run by an emulator of its processor: tables and numbers of
/// system calls, layouts of the kernel's structures. The calls themselves are this kernel's.
fn aarch64(steps: &mut Steps, name: &str) {
    let foreign = dist::ARCHITECTURES.iter().find(|architecture| architecture.name == "aarch64");
    let foreign = foreign.expect("it is released");
    if std::env::consts::ARCH == foreign.name {
        return steps.skip(name, "this machine is one: the other steps have tested it");
    }
    let (emulator, package) = foreign.emulator;
    if let Some(why) = foreign.missing() {
        return steps.skip(name, &why);
    }
    if !is_installed(emulator) {
        return steps.skip(name, &format!("{emulator} is not installed: apt-get install {package}"));
    }
    let mut tests = foreign.cargo("test");
    for package in ["kernel", "namespaces", "cgroups", "privileges"] {
        tests.args(["--package", package]);
    }
    steps.command(name, tests.args(["--lib", "--no-fail-fast"]));
}

/// The builder's own tests, the book, and the book in a browser: they wait for mdBook to compile, and nothing else does.
fn book(steps: &mut Steps, name: &str) {
    let style = ["clippy", "--locked", "--package", "book", "--all-targets", "--", "-D", "warnings"];
    steps.command("the book's builder, clippy", cargo(&style));
    let tests = [
        "test",
        "--locked",
        "--package",
        "book",
        "--bins",
        "--lib",
        "--test",
        "refusals",
        "--test",
        "commands",
    ];
    steps.command("the book's builder, tests", cargo(&tests));
    if !has_wasm_target() {
        return steps
            .skip(name, "the diagrams' target is not installed: rustup target add wasm32-unknown-unknown");
    }
    steps.command(name, cargo(&["run", "--quiet", "--locked", "--package", "book", "--", "check"]));
    let proof = ["run", "--quiet", "--locked", "--package", "book", "--", "check", "--long-tail"];
    steps.command("the book's long tail", cargo(&proof));
    let in_machine = "the book's long tail in a virtual machine";
    match vm::guest::usual().missing() {
        Some(why) => steps.skip(in_machine, &why),
        None => steps.check(in_machine, || vm::sessions(&book::copy_without_long_tail())),
    }
    let skipped = fresh_list("pages");
    let pages = ["test", "--locked", "--package", "book", "--test", "pages"];
    steps.command("the book in a browser", cargo(&pages).env("CORACLE_SKIPPED", &skipped));
    name_skipped(steps, &skipped);
}

/// The diagrams as a page loads them, in a browser; an error when one is over its budget.
fn diagrams(steps: &mut Steps, name: &str) {
    if !has_wasm_target() {
        return steps.skip(name, "the target is not installed: rustup target add wasm32-unknown-unknown");
    }
    let packages = ["--locked", "--package", "diagram-bundle", "--package", "diagram-browser"];
    let style = [&["clippy"], &packages[..], &["--all-targets", "--", "-D", "warnings"]].concat();
    steps.command("the diagrams' bundle, clippy", cargo(&style));
    let bundle = ["run", "--quiet", "--locked", "--package", "diagram-bundle", "--", "target/diagrams"];
    steps.command("the diagrams' budget", cargo(&bundle));
    let skipped = fresh_list("diagrams");
    let tests = [&["test"], &packages[..], &["--", "--test-threads=2"]].concat();
    steps.command(name, cargo(&tests).env("CORACLE_SKIPPED", &skipped));
    name_skipped(steps, &skipped);
}

/// A file for what is skipped; for everybody, since tests that are run again as another user write into it, too.
fn fresh_list(name: &str) -> PathBuf {
    let list = root().join(format!("target/skipped-{name}"));
    let made = std::fs::write(&list, "");
    let _ = made.and_then(|()| std::fs::set_permissions(&list, Permissions::from_mode(0o666)));
    list
}

/// What the tests wrote down as skipped, and why.
fn name_skipped(steps: &mut Steps, list: &Path) {
    for line in std::fs::read_to_string(list).unwrap_or_default().lines() {
        let (test, why) = line.split_once(": ").unwrap_or((line, "no reason given"));
        steps.skip(test, why);
    }
}

fn has_wasm_target() -> bool {
    let targets =
        Command::new("rustup").args(["target", "list", "--installed"]).output().map(|output| output.stdout);
    targets.is_ok_and(|targets| String::from_utf8_lossy(&targets).contains(setup::WASM_TARGET))
}

fn deny(steps: &mut Steps, name: &str) {
    if Command::new("cargo-deny").arg("--version").output().is_err() {
        return steps.skip(name, "cargo-deny is not installed: cargo install cargo-deny");
    }
    steps.command(
        name,
        cargo(&["deny", "--offline", "check", "--hide-inclusion-graph", "licenses", "bans", "sources"]),
    );
}

fn wasm32(steps: &mut Steps, name: &str) {
    if !has_wasm_target() {
        return steps.skip(name, "the target is not installed: rustup target add wasm32-unknown-unknown");
    }
    let mut command = Command::new("cargo");
    command.args(["check", "--locked", "--lib", "--target", setup::WASM_TARGET]).current_dir(root());
    for package in PURE_CRATES {
        command.args(["--package", package]);
    }
    steps.command(name, &mut command);
}

/// The exercises: their starters, answers, wrong solutions and cheats, as this user and as an ordinary one.
fn coursework(steps: &mut Steps, name: &str) {
    let skipped = fresh_list("exercises");
    if is_root() {
        steps.check("an ordinary user for the exercises", || users::ordinary_user().map(drop));
    }
    steps.command(name, cargo(&["test", "--locked", "--package", "course"]).env("CORACLE_SKIPPED", &skipped));
    name_skipped(steps, &skipped);
}

/// Drives the engine from outside. What had to be skipped is written to a file by the tests, and named in the summary.
fn black_box(steps: &mut Steps, name: &str) {
    let skipped = fresh_list("tests");
    if is_root() {
        let both = || users::ordinary_user().and_then(|_| users::user_with_ranges());
        steps.check("ordinary users for the tests, with and without ranges of ids", both);
    }
    let mut command = Command::new("cargo");
    command.args([
        "test",
        "--locked",
        "--package",
        "coracle",
        "--test",
        "blackbox",
        "--",
        "--test-threads=2",
    ]);
    steps.command(name, command.current_dir(root()).env("CORACLE_SKIPPED", &skipped));
    name_skipped(steps, &skipped);
}

/// What matters on cgroup v2, and under each security module.
fn virtual_machine(steps: &mut Steps, name: &str) {
    in_machine(steps, name, "in the virtual machine", vm::guest::usual());
}

/// Containers as another architecture's kernel makes them, by calls of its processor.
fn foreign_machine(steps: &mut Steps, name: &str) {
    in_machine(steps, name, "on aarch64", vm::guest::other());
}

/// What the tests skip there as well is named as they name it.
fn in_machine(steps: &mut Steps, name: &str, place: &str, guest: &'static vm::guest::Guest) {
    if let Some(why) = guest.missing() {
        return steps.skip(name, &why);
    }
    let mut skipped = Vec::new();
    steps.check(name, || vm::test(guest, None, |test, why| skipped.push((test.to_owned(), why.to_owned()))));
    for (test, why) in skipped {
        steps.skip(&format!("{test}, {place}"), &why);
    }
}

/// Builds the release binary, which the README's first command runs, and returns where it lies.
fn release_binary() -> Result<PathBuf> {
    let status = cargo(&["build", "--release", "--locked", "--package", "coracle"]).status();
    if !status.is_ok_and(|status| status.success()) {
        return Err("cargo build --release failed".into());
    }
    let built = [
        "target/x86_64-unknown-linux-gnu/release/coracle",
        "target/aarch64-unknown-linux-gnu/release/coracle",
    ];
    let found = built.iter().map(|path| root().join(path)).find(|path| path.exists());
    found.ok_or_else(|| format!("cargo built none of {built:?}"))
}

/// What a newcomer does, with a daemon that is started on demand, and then what ends it.
const RUN_HELLO: &str = r#""$0" run --rm hello; code=$?; "$0" daemon stop && exit $code"#;

/// Root's engine has its places in the system's folders, where somebody's containers may be: this run sees empty ones instead.
const PLACES_OF_ITS_OWN: &str = r#"mount -t tmpfs tmpfs /var/lib && mount -t tmpfs tmpfs /run && exec "$@""#;

/// Runs `hello` by the binary; `before` are the words that come before its command line.
fn hello(mut before: Command, binary: &Path) -> Result<()> {
    let scratch = Scratch::new()?;
    before.args(["sh", "-c", RUN_HELLO]).arg(binary);
    before.env("XDG_RUNTIME_DIR", scratch.folder("run")?).env("XDG_DATA_HOME", scratch.folder("data")?);
    match before.env_remove("DOCKER_HOST").env_remove("CORACLE_HOST").status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("run hello, or daemon stop: {status}")),
        Err(error) => Err(format!("{:?} cannot be started: {error}", before.get_program())),
    }
}

fn hello_as_this_user() -> Result<()> {
    let mut before = Command::new(if is_root() { "unshare" } else { "env" });
    if is_root() {
        before.args(["--mount", "sh", "-c", PLACES_OF_ITS_OWN, "sh"]);
    }
    hello(before, &release_binary()?)
}

fn hello_as_ordinary_user(steps: &mut Steps, name: &str) {
    if !is_root() {
        return steps.skip(name, "this run is an ordinary user's already");
    }
    if !is_installed("setpriv") {
        return steps.skip(name, "setpriv (package util-linux) is not installed");
    }
    steps.check(name, || {
        let copy = users::ordinary_user()?.join("coracle");
        std::fs::copy(release_binary()?, &copy).map_err(|error| format!("{}: {error}", copy.display()))?;
        let outcome = hello(users::as_ordinary_user()?, &copy);
        let _ = std::fs::remove_file(copy);
        outcome
    });
}

/// A private folder that goes away with its owner.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Scratch> {
        let path = std::env::temp_dir().join(format!("coracle-hello-{}", std::process::id()));
        open_folder(&path)?;
        Ok(Scratch(path))
    }

    fn folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.0.join(name);
        open_folder(&path)?;
        Ok(path)
    }
}

/// The ordinary user writes into it as well.
fn open_folder(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let made = std::fs::create_dir(path);
    let opened = made.and_then(|()| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)));
    opened.map_err(|error| format!("{}: {error}", path.display()))
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
