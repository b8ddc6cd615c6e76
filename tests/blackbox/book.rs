//! `coracle book`: the site on loopback, and the reader's own containers in its diagrams, as the kernel has them.

use crate::harness::{Engine, Who, run};
use crate::needs;
use diagram_browser::Browser;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use skipped::skip;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// `coracle book` under way, and the link that it printed.
struct Shown {
    server: Child,
    link: String,
}

impl Shown {
    fn start(mut command: Command, arguments: &[&str]) -> Shown {
        command.arg("book").args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut server = command.spawn().expect("coracle book");
        let mut link = String::new();
        BufReader::new(server.stdout.as_mut().expect("piped")).read_line(&mut link).expect("a link");
        assert!(link.starts_with("http://127.0.0.1:"), "{link}");
        Shown { server, link: link.trim_end().to_owned() }
    }

    /// `127.0.0.1:PORT`
    fn host(&self) -> &str {
        self.link.split('/').nth(2).expect("a host")
    }

    fn token(&self) -> &str {
        self.link.split_once("?token=").map_or("", |(_, token)| token)
    }

    /// The status and the body of an answer.
    fn get(&self, target: &str, host: &str) -> (String, String) {
        let mut stream = TcpStream::connect(self.host()).expect("it listens");
        write!(stream, "GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n").expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        (head.split(' ').nth(1).unwrap_or_default().to_owned(), body.to_owned())
    }

    fn containers(&self) -> Value {
        let (status, body) = self.get(&format!("/live/containers?token={}", self.token()), self.host());
        assert_eq!(status, "200", "{body}");
        serde_json::from_str(&body).expect("JSON")
    }

    /// Ctrl-C, and the exit code.
    fn interrupt(mut self) -> Option<i32> {
        kill(Pid::from_raw(self.server.id() as i32), Signal::SIGINT).expect("kill");
        self.server.wait().expect("wait").code()
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A folder that looks like a built book.
fn small_site() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("index.html"), "<p>book").expect("a page");
    // The ordinary user reads it as well.
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("chmod");
    folder
}

fn proc(pid: &Value, file: &str) -> String {
    fs::read_to_string(format!("/proc/{pid}/{file}")).expect("/proc")
}

#[test]
fn a_book_that_is_not_built_is_an_error_with_its_remedy() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_coracle"));
    let said = run(command.args(["book", "--dir"]).arg(folder.path())).expect(1);
    let expected =
        format!("there is no built book in {}: build it with `cargo xtask book`", folder.path().display());
    assert!(said.stderr.contains(&expected), "{}", said.stderr);
}

#[test]
fn the_book_is_served_without_a_daemon_and_shows_no_container_unless_told_to() {
    let site = small_site();
    let mut command = Command::new(env!("CARGO_BIN_EXE_coracle"));
    command.env("CORACLE_HOST", "unix:///nowhere/socket");
    let shown = Shown::start(command, &["--dir", site.path().to_str().expect("UTF-8")]);
    // One that says nothing, as browsers open them, keeps nobody from an answer.
    let _silent = TcpStream::connect(shown.host()).expect("it listens");
    assert_eq!(shown.get("/", shown.host()), ("200".into(), "<p>book".into()));
    assert_eq!(shown.get("/", "attacker.example").0, "421");
    assert_eq!(shown.get("/live/containers", shown.host()).0, "403");
    assert_eq!(shown.get("/live/containers?token=", shown.host()).0, "403");
    assert_eq!(shown.interrupt(), Some(130));
}

#[test]
fn containers_are_shown_as_planned_and_as_the_kernel_has_them() {
    needs!(root);
    needs!("docker");
    for who in [Who::Coracle, Who::CoracleRootless] {
        let engine = Engine::start_as(who);
        let site = small_site();
        engine.import_busybox();
        let id = engine.docker(&["run", "-d", "--read-only", "busybox", "sleep", "1000"]).expect(0);
        let dir = site.path().to_str().expect("UTF-8");
        let shown = Shown::start(engine.client_of_the_test(), &["--live", "--dir", dir]);
        assert_eq!(shown.token().len(), 32);
        assert_eq!(shown.get("/live/containers?token=0", shown.host()).0, "403");
        let found = shown.containers();
        let [container] = found["containers"].as_array().expect("a list").as_slice() else {
            panic!("{found}");
        };
        assert_eq!((&container["id"], &container["refused"]), (&json!(id.line()), &Value::Null));
        let (facts, kernel) = (&container["facts"], &container["facts"]["kernel"]);
        assert_eq!(kernel["mountinfo"], proc(&facts["pid"], "mountinfo"));
        assert_eq!(kernel["uid_map"], proc(&facts["pid"], "uid_map"));
        let own = fs::read_link(format!("/proc/{}/ns/pid", facts["pid"])).expect("/proc");
        assert!(kernel["namespaces"].as_array().expect("a list").contains(&json!(own)), "{kernel}");
        assert_eq!(
            facts["plan"]["root"].as_array().and_then(|steps| steps.last()),
            Some(&json!("ReadOnlyRoot"))
        );
        let has_user = facts["plan"]["spawn"]["new"].as_array().expect("a list").contains(&json!("USER"));
        assert_eq!(has_user, who == Who::CoracleRootless);
        assert_eq!(shown.interrupt(), Some(130));
        engine.finish();
    }
}

/// What a page shows below a diagram is what /proc says, for a container that was started by this very engine.
#[test]
fn a_page_shows_the_readers_own_containers() {
    needs!(root);
    needs!("docker");
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    let axe = fs::read_to_string(target.join("npm/node_modules/axe-core/axe.min.js"));
    if let Some(missing) = diagram_browser::missing().or(axe.is_err().then_some("axe-core")) {
        return skip(crate::test_name!(), &format!("{missing} is not installed: cargo xtask setup"));
    }
    if !target.join("book/index.html").is_file() {
        return skip(crate::test_name!(), "the book is not built: cargo xtask book");
    }
    let engine = Engine::start();
    engine.import_busybox();
    let run = |name: &str, flags: &[&str]| {
        let words = [&["run", "-d", "--name", name], flags, &["busybox", "sleep", "1000"]].concat();
        let id = engine.docker(&words).expect(0).line().to_owned();
        let pid = engine.docker(&["inspect", "--format", "{{.State.Pid}}", &id]).expect(0).line().to_owned();
        (id, pid)
    };
    let containers = [run("plain", &[]), run("sealed", &["--read-only", "--network", "none", "-v", "/srv"])];
    let shown = Shown::start(engine.client_of_the_test(), &["--live"]);
    let browser = Browser::start();
    browser.open(&shown.link);
    assert_eq!(
        browser.run("return location.search", &[]),
        json!(""),
        "the token does not stay in the address"
    );
    for (page, diagram) in [("01-chroot.html", "mount-plan"), ("02-namespaces.html", "spawn")] {
        browser.open(&format!("http://{}/{page}", shown.host()));
        let live = format!("coracle-diagram[name={diagram}] .live");
        browser
            .run(&format!("document.querySelector('coracle-diagram[name={diagram}]').scrollIntoView()"), &[]);
        browser.wait_for(&format!("return document.querySelector('{live}') !== null"));
        assert_eq!(
            browser.run(&format!("return document.querySelector('{live} table')"), &[]),
            Value::Null,
            "nobody asked"
        );
        browser.click(&format!("{live} button"));
        for (id, pid) in &containers {
            browser.wait_for(&format!(
                "return document.querySelector('{live} button[data-live=\"{id}\"]') !== null"
            ));
            browser.click(&format!("{live} button[data-live='{id}']"));
            browser.wait_for(&format!(
                "return document.querySelector('{live} button[aria-pressed=true]').dataset.live === '{id}'"
            ));
            let script = format!(
                "return [...document.querySelectorAll('{live} tbody tr')].map(row => [...row.cells].map(cell => cell.textContent))"
            );
            let rows: Vec<[String; 3]> = serde_json::from_value(browser.run(&script, &[])).expect("rows");
            match diagram {
                "mount-plan" => mounts_are_those_of(pid, &rows),
                _ => namespaces_are_those_of(pid, &rows),
            }
        }
        looks_well(&browser, &live, axe.as_ref().expect("axe-core"));
    }
    let console = browser.log("browser");
    assert!(console.is_empty(), "{console:#?}");
    drop(browser);
    assert_eq!(shown.interrupt(), Some(130));
    engine.finish();
}

/// Every mount of the process has its row, and every row of a mount is one of the process.
fn mounts_are_those_of(pid: &str, rows: &[[String; 3]]) {
    let mountinfo = fs::read_to_string(format!("/proc/{pid}/mountinfo")).expect("/proc");
    let mut mounts: Vec<String> = mountinfo
        .lines()
        .map(|line| {
            let (mount, filesystem) = line.split_once(" - ").expect("mountinfo");
            let words: Vec<&str> = mount.split(' ').collect();
            let fstype = filesystem.split(' ').next().unwrap_or_default();
            format!("{}  {fstype}  {}  {}", words[4], words[5], words[6..].join(" ")).trim_end().to_owned()
        })
        .collect();
    let mut shown: Vec<String> =
        rows.iter().map(|row| row[1].clone()).filter(|kernel| kernel.starts_with('/')).collect();
    mounts.sort();
    mounts.dedup();
    shown.sort();
    shown.dedup();
    assert_eq!(shown, mounts);
    assert!(rows.iter().all(|row| row[2] != "no"), "{rows:#?}");
    assert!(rows.iter().filter(|row| row[2] == "yes").count() > 10, "{rows:#?}");
}

fn namespaces_are_those_of(pid: &str, rows: &[[String; 3]]) {
    for (kind, what) in
        [("mnt", "mounts"), ("pid", "process numbers"), ("net", "network"), ("user", "users and groups")]
    {
        let own = fs::read_link(format!("/proc/{pid}/ns/{kind}")).expect("/proc").display().to_string();
        let of_kind = |row: &&[String; 3]| row[0].starts_with(what);
        let row = rows.iter().find(of_kind).expect("a row for each kind");
        assert!(row[1].starts_with(&own) && row[2] == "yes", "{own}: {row:?}");
    }
    assert!(rows.iter().all(|row| row[2] != "no"), "{rows:#?}");
    let last = rows.last().expect("rows");
    assert_eq!(last[1], format!("its numbers, from outside in: {pid}, 1"));
}

/// The table fits a narrow screen and can be read by everybody, in both themes; a picture of each is kept beside those of the diagrams.
fn looks_well(browser: &Browser, live: &str, axe: &str) {
    let pictures = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/diagrams");
    fs::create_dir_all(&pictures).expect("a folder for pictures");
    browser.prefer("screen", &[("prefers-reduced-motion", "reduce")]);
    browser.run(&format!("if (!window.axe) {{ {axe} }}"), &[]);
    for (theme, width) in [("light", 1200), ("dark", 320)] {
        browser.resize(width, 1);
        browser.run("document.documentElement.dataset.theme = arguments[0]", &[json!(theme)]);
        browser.run(&format!("document.querySelector('{live}').scrollIntoView()"), &[]);
        let page = browser.run("return document.documentElement.scrollWidth", &[]);
        assert!(page.as_u64() <= Some(u64::from(width)), "{live} makes the page {page} wide at {width}");
        let check = "const done = arguments[1];
            axe.run(arguments[0], { preload: false }).then(found => done(found.violations.map(one => one.id)))";
        assert_eq!(browser.run_async(check, &[json!(live)]), json!([]), "{live} {theme}");
        let name: String = live.chars().filter(|letter| letter.is_ascii_alphanumeric()).collect();
        fs::write(pictures.join(format!("{name}-{theme}-{width}.png")), picture(browser, live))
            .expect("a picture");
    }
}

/// What a selector finds as a picture, PNG.
fn picture(browser: &Browser, selector: &str) -> Vec<u8> {
    let place = "const box = document.querySelector(arguments[0]).getBoundingClientRect();
        return { x: box.x + scrollX, y: box.y + scrollY, width: box.width, height: box.height, scale: 1 };";
    let clip = browser.run(place, &[json!(selector)]);
    browser.picture_of(&clip)
}
