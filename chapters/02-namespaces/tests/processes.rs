//! Processes in namespaces, as the kernel makes them.
#![forbid(unsafe_code)]

#[path = "../../01-chroot/tests/alone/mod.rs"]
mod alone;

use namespaces::{
    Child, Failure, FailureKind, IdMap, Join, Namespaces, SpawnPlan, TimeOffset, enter_user_namespace,
    everything_new, map_text, own_maps, spawn, user_namespace,
};
use nix::mount::MsFlags;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::convert::Infallible;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const CASES: &[alone::Case] = &[
    ("the_first_process_of_everything_new", the_first_process_of_everything_new),
    ("an_execve_is_the_end_of_the_pipe", an_execve_is_the_end_of_the_pipe),
    ("last_words_keep_their_kind", last_words_keep_their_kind),
    ("a_child_closes_what_it_does_not_need", a_child_closes_what_it_does_not_need),
    ("the_parent_comes_first", the_parent_comes_first),
    ("a_parent_that_gives_up_leaves_nothing", a_parent_that_gives_up_leaves_nothing),
    ("namespaces_are_joined", namespaces_are_joined),
    ("what_is_made_beside_a_joined_user_belongs_to_it", what_is_made_beside_a_joined_user_belongs_to_it),
    (
        "mounts_beside_a_joined_user_are_joined_whatever_their_proc_is",
        mounts_beside_a_joined_user_are_joined_whatever_their_proc_is,
    ),
    ("a_missing_namespace_is_named", a_missing_namespace_is_named),
    ("clocks_have_offsets", clocks_have_offsets),
    ("a_process_with_threads_is_refused", a_process_with_threads_is_refused),
    ("a_closed_knob_is_named", a_closed_knob_is_named),
    ("ranges_are_written_by_the_helpers", ranges_are_written_by_the_helpers),
    ("ranges_that_nobody_gave_are_refused", ranges_that_nobody_gave_are_refused),
    ("a_helper_that_is_missing_is_named", a_helper_that_is_missing_is_named),
];

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("--uptime") {
        print!("{}", fs::read_to_string("/proc/uptime").unwrap());
        return ExitCode::SUCCESS;
    }
    alone::main(CASES)
}

/// Every namespace, for root as well.
fn plan() -> SpawnPlan {
    SpawnPlan { new: Namespaces::all(), hostname: Some("box".into()), ..everything_new(Vec::new()) }
}

/// Runs a closure in a child, which says with its last words how it went: nothing but `done` is success.
fn inside(plan: &SpawnPlan, check: impl FnOnce() -> String) -> String {
    let child = |_: BorrowedFd<'_>| Err::<Infallible, _>(Failure::new(FailureKind::System, check()));
    let child = spawn(plan, None, |_| Ok(()), child).unwrap();
    let pid = child.pid;
    let said = child.executed().unwrap_err().message;
    assert_eq!(waitpid(pid, None).unwrap(), WaitStatus::Exited(pid, 1));
    said
}

fn the_first_process_of_everything_new(_: &Path) {
    let plan = SpawnPlan { domainname: Some("domain".into()), ..plan() };
    let said = inside(&plan, || {
        let lo = TcpListener::bind("127.0.0.1:0").unwrap();
        TcpStream::connect(lo.local_addr().unwrap()).unwrap();
        let name = nix::sys::utsname::uname().unwrap();
        let names = (name.nodename().to_str().unwrap(), name.domainname().to_str().unwrap());
        format!(
            "{:?}",
            (std::process::id(), nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw(), names)
        )
    });
    assert_eq!(said, "(1, 0, 0, (\"box\", \"domain\"))");
    assert_ne!(nix::unistd::gethostname().unwrap(), "box");
}

fn an_execve_is_the_end_of_the_pipe(_: &Path) {
    let child = |_: BorrowedFd<'_>| {
        let error = Command::new("/bin/sh").args(["-c", "exit 42"]).exec();
        Err(Failure::new(FailureKind::NotFound, error))
    };
    let (pid, _pidfd) =
        spawn(&plan(), None, |_| Ok(()), child).map(|child| child.executed().unwrap()).unwrap();
    assert_eq!(waitpid(pid, None).unwrap(), WaitStatus::Exited(pid, 42));
}

fn last_words_keep_their_kind(_: &Path) {
    for kind in [
        FailureKind::NotFound,
        FailureKind::NotExecutable,
        FailureKind::PermissionDenied,
        FailureKind::Invalid,
    ] {
        let last = Failure::new(kind, "a word that is long enough: ".to_string() + &"x".repeat(5000));
        let child = spawn(&plan(), None, |_| Ok(()), |_| Err(last.clone())).unwrap();
        assert_eq!(child.executed().unwrap_err(), last);
    }
}

/// A lock or the end of a pipe must not live on in the child.
fn a_child_closes_what_it_does_not_need(_: &Path) {
    let (kept, closed) = (fs::File::open("/dev/null").unwrap(), fs::File::open("/dev/null").unwrap());
    let (above, below) = (closed.try_clone().unwrap(), kept.as_raw_fd());
    let is_open = |fd: RawFd| Path::new(&format!("/proc/self/fd/{fd}")).exists();
    let child = |says: BorrowedFd<'_>| {
        let done = kernel::close_from(3, &[kept.as_fd(), says]);
        let open = [below, closed.as_raw_fd(), above.as_raw_fd()].map(is_open);
        Err::<Infallible, _>(Failure::new(FailureKind::System, format!("{done:?} {open:?}")))
    };
    let child = spawn(&SpawnPlan::default(), None, |_| Ok(()), child).unwrap();
    assert_eq!(child.executed().unwrap_err().message, "Ok(()) [true, false, false]");
}

fn the_parent_comes_first(folder: &Path) {
    let mark = folder.join("mark");
    let before = |_: Pid| {
        fs::write(&mark, "").unwrap();
        Ok(())
    };
    let child = |_: BorrowedFd<'_>| Err(Failure::new(FailureKind::System, mark.exists()));
    let child = spawn(&plan(), None, before, child).unwrap();
    assert_eq!(child.executed().unwrap_err().message, "true");
}

fn a_parent_that_gives_up_leaves_nothing(folder: &Path) {
    let (mark, mut born) = (folder.join("mark"), None);
    let before = |pid: Pid| {
        born = Some(pid);
        Err(namespaces::Error::other("no"))
    };
    let child = |_: BorrowedFd<'_>| {
        fs::write(&mark, "").unwrap();
        Err(Failure::new(FailureKind::System, "released"))
    };
    assert_eq!(spawn(&plan(), None, before, child).unwrap_err().to_string(), "no");
    assert!(!mark.exists());
    assert_eq!(waitpid(born.unwrap(), None), Err(nix::errno::Errno::ECHILD), "the child was waited for");
}

fn sleeping(plan: &SpawnPlan) -> Child {
    sleeping_after(plan, || ())
}

/// A child that is inside of its namespaces, has begun with this, and sleeps.
fn sleeping_after(plan: &SpawnPlan, begin: impl FnOnce()) -> Child {
    let (hears, says) = nix::unistd::pipe().unwrap();
    let child = |_: BorrowedFd<'_>| -> Result<Infallible, Failure> {
        begin();
        nix::unistd::write(&says, &[1]).unwrap();
        loop {
            nix::unistd::pause();
        }
    };
    let child = spawn(plan, None, |_| Ok(()), child).unwrap();
    assert_eq!(nix::unistd::read(&hears, &mut [0]), Ok(1));
    child
}

fn namespaces_are_joined(_: &Path) {
    let target = sleeping(&plan());
    let kinds = [
        ("user", Namespaces::USER),
        ("net", Namespaces::NET),
        ("uts", Namespaces::UTS),
        ("ipc", Namespaces::IPC),
    ];
    let path = |name: &str| PathBuf::from(format!("/proc/{}/ns/{name}", target.pid));
    let join = kinds.map(|(name, kind)| Join { kind, path: path(name) });
    let plan = SpawnPlan { join: join.into(), ..SpawnPlan::default() };
    let own = |name: &str| fs::read_link(format!("/proc/self/ns/{name}")).unwrap();
    let said = inside(&plan, || kinds.map(|(name, _)| own(name).display().to_string()).join(" "));
    let theirs = kinds.map(|(name, _)| fs::read_link(path(name)).unwrap().display().to_string()).join(" ");
    assert_eq!(said, theirs);
    end(&target);
}

/// Kills a child that sleeps; it was the last that there was.
fn end(target: &Child) {
    let others = waitpid(None, Some(WaitPidFlag::WNOHANG));
    assert_eq!(others, Ok(WaitStatus::StillAlive), "nobody else is left to be waited for");
    nix::sys::signal::kill(target.pid, nix::sys::signal::Signal::SIGKILL).unwrap();
    waitpid(target.pid, None).unwrap();
    assert_eq!(waitpid(None, None), Err(nix::errno::Errno::ECHILD));
}

/// As a container's are, in whose /proc nobody from outside finds themselves.
fn mounts_beside_a_joined_user_are_joined_whatever_their_proc_is(_: &Path) {
    let hide = || {
        nix::mount::mount(Some("hidden"), "/proc", Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
    };
    let target = sleeping_after(&plan(), hide);
    let of_target = |kind, name| Join { kind, path: format!("/proc/{}/ns/{name}", target.pid).into() };
    let join = vec![of_target(Namespaces::USER, "user"), of_target(Namespaces::MNT, "mnt")];
    let theirs = fs::read_link(&join[1].path).unwrap();
    let child = sleeping(&SpawnPlan { join, new: Namespaces::PID | Namespaces::UTS, ..SpawnPlan::default() });
    assert_eq!(fs::read_link(format!("/proc/{}/ns/mnt", child.pid)).unwrap(), theirs);
    for child in [child, target] {
        nix::sys::signal::kill(child.pid, nix::sys::signal::Signal::SIGKILL).unwrap();
        waitpid(child.pid, None).unwrap();
    }
    assert_eq!(waitpid(None, None), Err(nix::errno::Errno::ECHILD));
}

/// In namespaces that belong to another, names cannot be given, nothing can be mounted, and no device can be brought up.
fn what_is_made_beside_a_joined_user_belongs_to_it(_: &Path) {
    let target = sleeping(&plan());
    let of_target =
        |kind: Namespaces, name: &str| Join { kind, path: format!("/proc/{}/ns/{name}", target.pid).into() };
    let user = of_target(Namespaces::USER, "user");
    let joined = fs::read_link(&user.path).unwrap().display().to_string();
    let beside = SpawnPlan {
        new: Namespaces::all() - Namespaces::USER,
        join: vec![user.clone()],
        hostname: Some("beside".into()),
        time_offsets: vec![TimeOffset { clock: "boottime".into(), seconds: 1_000_000, nanoseconds: 0 }],
        ..SpawnPlan::default()
    };
    let said = inside(&beside, || {
        let clocks = fs::read_to_string("/proc/self/timens_offsets").unwrap();
        let boot = clocks.split_whitespace().skip_while(|word| *word != "boottime").nth(1);
        let user = fs::read_link("/proc/self/ns/user").unwrap().display().to_string();
        let mounted = nix::mount::mount(Some("t"), "/mnt", Some("tmpfs"), MsFlags::empty(), None::<&str>);
        let name = nix::unistd::gethostname().unwrap();
        format!("{} {name:?} {user} {boot:?} {mounted:?}", nix::unistd::getpid())
    });
    assert_eq!(said, format!("1 \"beside\" {joined} Some(\"1000000\") Ok(())"));
    // A PID namespace is joined by those who make the child, and an ordinary user is one of them only inside; mounts by the child.
    let join = vec![user.clone(), of_target(Namespaces::PID, "pid"), of_target(Namespaces::MNT, "mnt")];
    let mounts = fs::read_link(&join[2].path).unwrap().display().to_string();
    let second = SpawnPlan { join, new: Namespaces::UTS, ..SpawnPlan::default() };
    let said = inside(&second, || {
        format!("{} {}", nix::unistd::getpid(), fs::read_link("/proc/self/ns/mnt").unwrap().display())
    });
    assert_eq!(said, format!("2 {mounts}"));
    // What keeps the usher from it is told.
    let nowhere = Join { kind: Namespaces::NET, path: "/nowhere/net".into() };
    let refused = SpawnPlan { join: vec![user, nowhere], new: Namespaces::UTS, ..SpawnPlan::default() };
    let error =
        spawn(&refused, None, |_| Ok(()), |_| Err(Failure::new(FailureKind::System, ""))).unwrap_err();
    let error = error.to_string();
    assert!(
        error.starts_with("the usher: the namespace /nowhere/net: open(") && error.contains("ENOENT"),
        "{error}"
    );
    end(&target);
}

fn a_missing_namespace_is_named(_: &Path) {
    let join = vec![Join { kind: Namespaces::NET, path: "/nowhere/net".into() }];
    let said = inside(&SpawnPlan { join, ..SpawnPlan::default() }, || "joined".into());
    assert!(said.contains("/nowhere/net") && said.contains("ENOENT"), "{said}");
}

fn clocks_have_offsets(_: &Path) {
    let offset = TimeOffset { clock: "boottime".into(), seconds: 1_000_000, nanoseconds: 0 };
    let plan = SpawnPlan { time_offsets: vec![offset], ..plan() };
    let (ours, theirs) = nix::unistd::pipe().unwrap();
    let child = |_: BorrowedFd<'_>| {
        let error = Command::new("/proc/self/exe").arg("--uptime").stdout(theirs).exec();
        Err(Failure::new(FailureKind::NotFound, error))
    };
    spawn(&plan, None, |_| Ok(()), child).unwrap().executed().unwrap();
    let mut said = String::new();
    std::io::Read::read_to_string(&mut fs::File::from(ours), &mut said).unwrap();
    let uptime: f64 = said.split(' ').next().unwrap().parse().unwrap();
    assert!(uptime > 1_000_000.0, "{said}");
}

fn a_process_with_threads_is_refused(_: &Path) {
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || stopped.recv());
    let error = spawn(&plan(), None, |_| Ok(()), |_| Err(Failure::new(FailureKind::System, ""))).unwrap_err();
    assert!(error.to_string().contains("EBUSY"), "{error}");
    drop(stop);
    let _ = thread.join().unwrap();
}

/// Each user namespace has its own knob; the host's is left alone.
fn a_closed_knob_is_named(_: &Path) {
    let said = inside(&plan(), || {
        fs::write("/proc/sys/user/max_user_namespaces", "0").unwrap();
        let error =
            spawn(&plan(), None, |_| Ok(()), |_| Err(Failure::new(FailureKind::System, ""))).unwrap_err();
        format!("{:?}: {error}", error.kind())
    });
    assert!(said.starts_with("UserNamespacesForbidden: "), "{said}");
    assert!(said.contains("sysctl -w user.max_user_namespaces=15000"), "{said}");
}

/// The user to whom `cargo xtask test` gives ranges.
const HAS_RANGES: &str = "coracle-ranges";

/// Runs a case again, as this user and with this PATH: an execve makes the process one that its user owns.
fn again(case: &str, folder: &Path, user: &nix::unistd::User, path: &str) {
    let mut command = Command::new(folder.with_file_name("case"));
    command.args(["--case", case]).arg(folder).env("PATH", path);
    if nix::unistd::geteuid() != user.uid {
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    assert!(command.status().unwrap().success());
}

fn ranges_are_written_by_the_helpers(folder: &Path) {
    let own = nix::unistd::geteuid();
    let user = nix::unistd::User::from_name(HAS_RANGES).unwrap();
    let Some(user) = user.filter(|user| own.is_root() || own == user.uid) else {
        return skipped::skip(
            "namespaces::ranges_are_written_by_the_helpers",
            "needs root and the user coracle-ranges",
        );
    };
    if own.is_root() {
        std::os::unix::fs::chown(folder, Some(user.uid.as_raw()), Some(user.gid.as_raw())).unwrap();
        return again("ranges_are_written_by_the_helpers", folder, &user, "/usr/bin:/bin");
    }
    let [uid_map, gid_map] = own_maps().expect("this user has ranges");
    assert!(uid_map.len() > 1 && uid_map[0] == IdMap::root_is(own.as_raw()), "{uid_map:?}");
    let new = SpawnPlan { new: Namespaces::all(), uid_map, gid_map, ..SpawnPlan::default() };
    let said = inside(&new, || {
        let words = |file: &str| fs::read_to_string(format!("/proc/self/{file}")).unwrap();
        let words = |file: &str| words(file).split_whitespace().collect::<Vec<_>>().join(" ");
        nix::unistd::setgroups(&[nix::unistd::Gid::from_raw(5)]).unwrap();
        nix::unistd::setuid(1000.into()).unwrap();
        [words("uid_map"), words("gid_map"), words("setgroups")].join(" ")
    });
    let expected = map_text(&new.uid_map) + &map_text(&new.gid_map) + "allow";
    assert_eq!(said, expected.split_whitespace().collect::<Vec<_>>().join(" "));

    let namespace = user_namespace(&new.uid_map, &new.gid_map).unwrap();
    enter_user_namespace(&namespace).unwrap();
    assert!(nix::unistd::geteuid().is_root());
    let file = folder.join("theirs");
    fs::write(&file, "").unwrap();
    std::os::unix::fs::chown(&file, Some(1000), Some(50)).unwrap();
    // Who is root in there takes away what is another's.
    fs::remove_file(&file).unwrap();
}

fn too_much() -> namespaces::Error {
    let map = vec![
        IdMap::root_is(nix::unistd::geteuid().as_raw()),
        IdMap { inside: 1, outside: 4_000_000_000, count: 2 },
    ];
    let plan = SpawnPlan { uid_map: map.clone(), gid_map: map, ..plan() };
    spawn(&plan, None, |_| Ok(()), |_| Err(Failure::new(FailureKind::System, "released"))).unwrap_err()
}

fn ranges_that_nobody_gave_are_refused(_: &Path) {
    if nix::unistd::geteuid().is_root() || own_maps().is_some() {
        return;
    }
    if !Path::new("/usr/bin/newuidmap").exists() {
        return skipped::skip(
            "namespaces::ranges_that_nobody_gave_are_refused",
            "newuidmap is not installed",
        );
    }
    let error = too_much().to_string();
    assert!(error.starts_with("id maps (0 65534 1, 1 4000000000 2): newuidmap: "), "{error}");
    assert!(error.contains("/etc/subuid has no line for nobody; as root: usermod --add-subuids "), "{error}");
    assert!(user_namespace(&[IdMap { inside: 0, outside: 4_000_000_000, count: 1 }], &[]).is_err());
}

fn a_helper_that_is_missing_is_named(folder: &Path) {
    let own = nix::unistd::geteuid();
    if own.is_root() {
        return;
    }
    if std::env::var("PATH").unwrap() != "/nowhere" {
        let user = nix::unistd::User::from_uid(own).unwrap().unwrap();
        return again("a_helper_that_is_missing_is_named", folder, &user, "/nowhere");
    }
    let error = too_much().to_string();
    assert!(error.contains("newuidmap, which is not installed; as root: apt-get install uidmap"), "{error}");
}
