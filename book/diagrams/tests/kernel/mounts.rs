//! Every plan of the diagram, carried out by chapter 01 in a namespace of chapter 02, and a mount on either side.

use crate::mountinfo::{self, renumbered};
use chroot::{MountOp, Root, What};
use diagrams::{Diagram, MountPlan, Side, carried_out, root_spec};
use models::Row;
use namespaces::{Failure, FailureKind, IdMap, Namespaces, SpawnPlan, spawn};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use std::convert::Infallible;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::BorrowedFd;
use std::path::Path;

pub fn mounts_are_seen_as_drawn(folder: &Path) {
    let is_root = nix::unistd::geteuid().is_root();
    become_host(folder, is_root);
    let mut seen_by_both = 0;
    for mut state in states() {
        // An ordinary user is root of a user namespace here, but makes no device.
        if !state.rootless && !is_root {
            continue;
        }
        for mounted in [Side::Host, Side::Inside] {
            state.mounted = Some(mounted);
            let seen = kernel(folder, &state);
            assert_eq!(model(&state), seen, "{state:?}");
            let sees = |rows: &Vec<Row>| rows.iter().any(|row| row.filesystem == "new");
            seen_by_both += usize::from(seen.iter().all(sees));
        }
        // And after each of the steps on the way there.
        state.mounted = None;
        for done in 0..chroot::plan(&root_spec(&state)).len() {
            let step = MountPlan::from_link(&format!("{}.after-{done}", state.link()));
            assert_eq!(model(&step), kernel(folder, &step), "{step:?}");
        }
    }
    assert!(seen_by_both > 5, "{seen_by_both}");
}

fn states() -> impl Iterator<Item = MountPlan> {
    (0..24).map(|bits| MountPlan {
        layers: bits & 1 == 1,
        rootless: bits & 2 == 2,
        read_only: bits & 4 == 4,
        bind: Some(["rprivate", "rslave", "rshared"][bits / 8]),
        ..MountPlan::default()
    })
}

/// A host whose every mount is shared, with a store on srv, an empty box, and folders for layers.
fn become_host(folder: &Path, is_root: bool) {
    let (user, group) = (nix::unistd::geteuid(), nix::unistd::getegid());
    if is_root {
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
    } else {
        unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS).unwrap();
        fs::write("/proc/self/uid_map", format!("0 {user} 1")).unwrap();
        fs::write("/proc/self/setgroups", "deny").unwrap();
        fs::write("/proc/self/gid_map", format!("0 {group} 1")).unwrap();
    }
    propagation(MsFlags::MS_PRIVATE);
    mount(Some("disk"), folder, Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
    propagation(MsFlags::MS_SHARED);
    for name in ["srv", "box", "layers/app", "layers/base", "work"] {
        fs::create_dir_all(folder.join(name)).unwrap();
    }
    mount(Some("store"), &folder.join("srv"), Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
    fs::create_dir(folder.join("srv/new")).unwrap();
}

fn propagation(flag: MsFlags) {
    mount(None::<&str>, "/", None::<&str>, flag | MsFlags::MS_REC, None::<&str>).unwrap();
}

/// Both sides' mounts as the model tells them.
fn model(state: &MountPlan) -> Vec<Vec<Row>> {
    let mut world = carried_out(&state.steps_done(), state.rootless);
    match state.mounted {
        Some(Side::Host) => world.mount(0, "srv/new", "new"),
        Some(Side::Inside) => world.mount(1, "data/new", "new"),
        None => {}
    }
    let mut host = world.rows(0);
    host.retain(|row| row.path.starts_with("srv"));
    let mut container = world.rows(1);
    if !has_pivoted(state) {
        container.retain(is_of_the_test);
    }
    compared(vec![host, container])
}

/// Until the root is exchanged, the container sees all that the machine has mounted.
fn has_pivoted(state: &MountPlan) -> bool {
    state.steps_done().contains(&MountOp::PivotRoot)
}

fn is_of_the_test(row: &Row) -> bool {
    row.path.starts_with("srv") || row.path.starts_with("box")
}

/// Both sides' mounts as the kernel tells them.
fn kernel(folder: &Path, state: &MountPlan) -> Vec<Vec<Row>> {
    let mut spec = root_spec(state);
    let here = |path: &Path| folder.join(path.strip_prefix("/").unwrap());
    match &mut spec.root {
        Root::Folder(path) => *path = here(path),
        Root::Overlay { lower, upper, work } => {
            lower.iter_mut().chain([upper, work]).for_each(|path| *path = here(path));
        }
    }
    for mount in &mut spec.mounts {
        if let What::Bind { source, .. } = &mut mount.what {
            *source = here(source);
        }
    }
    let plan = &chroot::plan(&spec)[..state.steps_done().len()];
    let ((mut ready, says_ready), (waits, go)) = (pipe(), pipe());
    let child = |_: BorrowedFd<'_>| -> Result<Infallible, Failure> {
        drop(go.try_clone());
        chroot::apply(plan)?;
        if state.mounted == Some(Side::Inside) {
            mount_new(Path::new("/data/new"));
        }
        (&says_ready).write_all(&[1]).unwrap();
        let _ = (&waits).read(&mut [0]);
        Err(Failure::new(FailureKind::Invalid, "done"))
    };
    let child = spawn(&spawn_plan(state.rootless), None, |_| Ok(()), child).unwrap();
    drop(says_ready);
    let pid = child.pid;
    if ready.read(&mut [0]).unwrap() == 0 {
        panic!("{state:?}: {}", child.executed().unwrap_err());
    }
    if state.mounted == Some(Side::Host) {
        mount_new(&folder.join("srv/new"));
    }
    let read = |path: String| fs::read_to_string(path).unwrap();
    let host = mountinfo::rows(&read("/proc/self/mountinfo".into()), &folder.join("srv"));
    let root = if has_pivoted(state) { Path::new("") } else { folder };
    let mut container = mountinfo::rows(&read(format!("/proc/{pid}/mountinfo")), root);
    if !has_pivoted(state) {
        container.retain(is_of_the_test);
    }
    (&go).write_all(&[1]).unwrap();
    assert_eq!(child.executed().unwrap_err().message, "done");
    nix::sys::wait::waitpid(pid, None).unwrap();
    // Mounted by whomever, where the host sees it; otherwise there is nothing.
    let _ = nix::mount::umount(&folder.join("srv/new"));
    let below = |mut row: Row| {
        row.path = format!("srv/{}", row.path).trim_end_matches('/').to_owned();
        row.depth += 1;
        row
    };
    compared(vec![host.into_iter().map(below).collect(), container])
}

fn mount_new(place: &Path) {
    mount(Some("new"), place, Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
}

fn pipe() -> (File, File) {
    let (from, to) = nix::unistd::pipe().unwrap();
    (from.into(), to.into())
}

fn spawn_plan(rootless: bool) -> SpawnPlan {
    let new = Namespaces::MNT | Namespaces::PID;
    let maps = if rootless { vec![IdMap::root_is(0)] } else { Vec::new() };
    let new = if rootless { new | Namespaces::USER } else { new };
    SpawnPlan { new, uid_map: maps.clone(), gid_map: maps, ..SpawnPlan::default() }
}

/// What can be the same: where, which groups, and which of the mounts is the new one.
fn compared(sides: Vec<Vec<Row>>) -> Vec<Vec<Row>> {
    let row = |row: Row| {
        let name = if row.filesystem == "new" { "new" } else { "" };
        Row { filesystem: name.to_owned(), root: String::new(), ..row }
    };
    renumbered(sides.into_iter().map(|rows| rows.into_iter().map(row).collect()).collect())
}
