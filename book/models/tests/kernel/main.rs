//! The models against the kernel: random steps, maps and filters, in namespaces and threads of the test's own.
#![forbid(unsafe_code)]

#[path = "../../../../chapters/01-chroot/tests/alone/mod.rs"]
mod alone;
mod capabilities;
mod filters;
mod groups;
mod id_maps;
mod mountinfo;
mod owners;
mod random;

use models::{Kind, World};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, setns, unshare};
use random::{Random, Step};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

/// How many random worlds are compared, each after every one of its steps.
const WORLDS: u64 = 1_000;

/// How many steps a world takes.
const STEPS: usize = 16;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("--observe") => return observe(),
        Some("--busy") => return groups::busy(),
        Some("--hold") => return groups::hold(),
        Some(capabilities::TELL) => return capabilities::tell(),
        _ => {}
    }
    if !may_make_namespaces() {
        println!("test kernel ... skipped: this user may not make namespaces");
        return ExitCode::SUCCESS;
    }
    alone::main(&[
        ("mounts_travel_as_the_model_says", mounts_travel_as_the_model_says),
        ("filters_answer_as_the_model_says", filters::filters_answer_as_the_model_says),
        ("processors_are_divided_as_the_model_says", groups::processors_are_divided_as_the_model_says),
        ("memory_runs_out_as_the_model_says", groups::memory_runs_out_as_the_model_says),
        ("id_maps_are_taken_as_the_model_says", id_maps::id_maps_are_taken_as_the_model_says),
        ("owners_are_seen_as_the_model_says", owners::owners_are_seen_as_the_model_says),
        (
            "capabilities_go_through_execve_as_the_model_says",
            capabilities::capabilities_go_through_execve_as_the_model_says,
        ),
    ])
}

fn may_make_namespaces() -> bool {
    let mut command = Command::new("/proc/self/exe");
    command.arg("--observe").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().unwrap().success()
}

/// A process in a user and mount namespace of its own that does nothing, until its input ends.
fn observe() -> ExitCode {
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS).unwrap();
    std::io::stdout().write_all(b"!\n").unwrap();
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    ExitCode::SUCCESS
}

/// A mount namespace of this process's own; an ordinary user becomes root of a user namespace for it.
fn own_namespace() {
    let (user, group) = (nix::unistd::geteuid(), nix::unistd::getegid());
    if user.is_root() {
        return unshare(CloneFlags::CLONE_NEWNS).unwrap();
    }
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS).unwrap();
    std::fs::write("/proc/self/uid_map", format!("0 {user} 1")).unwrap();
    std::fs::write("/proc/self/setgroups", "deny").unwrap();
    std::fs::write("/proc/self/gid_map", format!("0 {group} 1")).unwrap();
}

fn mounts_travel_as_the_model_says(folder: &Path) {
    own_namespace();
    change("/".as_ref(), MsFlags::MS_PRIVATE | MsFlags::MS_REC).unwrap();
    let (mut steps, mut copies) = (0, 0);
    for seed in 1..=WORLDS {
        let mut random = Random::new(seed);
        let mut pair = Pair::new(folder);
        let mut told = Vec::new();
        let mut prepared =
            if seed % 10 == 0 { random::a_group_that_is_passed_over() } else { Vec::new() }.into_iter();
        for _ in 0..STEPS {
            let step = prepared.next().unwrap_or_else(|| random.step(&pair.model, pair.places.len()));
            told.push(step.clone());
            pair.take(&step);
            let (model, kernel) = pair.views();
            assert_eq!(model, kernel, "world {seed} after {told:#?}");
            (steps, copies) = (steps + 1, copies + kernel.iter().map(Vec::len).sum::<usize>());
            if kernel.iter().any(|rows| rows.len() > 60) {
                break;
            }
        }
        pair.end();
    }
    println!("{WORLDS} worlds, {steps} steps, {copies} rows of mountinfo");
    assert!(copies > 10 * WORLDS as usize, "the worlds are too small to show anything");
}

/// Where a namespace is held: by its file, or by a process in a user namespace that lives in it.
enum Place {
    Own(File),
    Observer(Child),
}

/// A world of the model, and the same one in the kernel.
struct Pair {
    model: World,
    places: Vec<Place>,
    folder: PathBuf,
    filesystems: usize,
}

impl Pair {
    fn new(folder: &Path) -> Pair {
        let none = None::<&str>;
        mount(Some("base"), folder, Some("tmpfs"), MsFlags::empty(), none).unwrap();
        change(folder, MsFlags::MS_PRIVATE).unwrap();
        let own = Place::Own(File::open("/proc/self/ns/mnt").unwrap());
        Pair { model: World::new("base"), places: vec![own], folder: folder.into(), filesystems: 0 }
    }

    fn enter(&self, namespace: usize) {
        let Place::Own(file) = &self.places[namespace] else {
            panic!("nothing is done where is only observed")
        };
        setns(file, CloneFlags::CLONE_NEWNS).unwrap();
    }

    /// A folder of a namespace, made where it is missing.
    fn place(&self, path: &str) -> PathBuf {
        let place = self.folder.join(path);
        std::fs::create_dir_all(&place).unwrap();
        place
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Mount { namespace, at } => {
                self.enter(*namespace);
                self.filesystems += 1;
                let name = format!("fs{}", self.filesystems);
                let place = self.place(at);
                mount(Some(name.as_str()), &place, Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
                // A tmpfs begins private or shared with what it is mounted on, as every mount does.
                self.model.mount(*namespace, at, &name);
            }
            Step::Bind { namespace, from, to, recursive } => {
                self.enter(*namespace);
                let (source, target) = (self.place(from), self.place(to));
                let flags = MsFlags::MS_BIND | if *recursive { MsFlags::MS_REC } else { MsFlags::empty() };
                mount(Some(&source), &target, None::<&str>, flags, None::<&str>).unwrap();
                self.model.bind(*namespace, from, to, *recursive);
            }
            Step::Set { namespace, at, kind, recursive } => {
                self.enter(*namespace);
                let place = self.place(at);
                let flags = flag(*kind) | if *recursive { MsFlags::MS_REC } else { MsFlags::empty() };
                same(self.model.set(*namespace, at, *kind, *recursive), change(&place, flags));
            }
            Step::Unshare { of } => {
                self.enter(*of);
                unshare(CloneFlags::CLONE_NEWNS).unwrap();
                self.places.push(Place::Own(File::open("/proc/self/ns/mnt").unwrap()));
                self.model.new_namespace(*of, false);
            }
            Step::Observe { of } => {
                self.enter(*of);
                self.places.push(Place::Observer(observer()));
                self.model.new_namespace(*of, true);
            }
        }
    }

    /// Every namespace's mounts, as the model and as the kernel tells them.
    fn views(&self) -> (Vec<Vec<models::Row>>, Vec<Vec<models::Row>>) {
        let model = (0..self.places.len()).map(|namespace| self.model.rows(namespace)).collect();
        let kernel = (0..self.places.len()).map(|namespace| {
            let path = match &self.places[namespace] {
                Place::Own(_) => {
                    self.enter(namespace);
                    "/proc/self/mountinfo".to_owned()
                }
                Place::Observer(child) => format!("/proc/{}/mountinfo", child.id()),
            };
            mountinfo::rows(&std::fs::read_to_string(path).unwrap(), &self.folder)
        });
        (mountinfo::renumbered(model), mountinfo::renumbered(kernel.collect()))
    }

    fn end(mut self) {
        self.enter(0);
        // What was mounted over the base lies on top of it.
        while umount2(&self.folder, MntFlags::MNT_DETACH).is_ok() {}
        for place in &mut self.places {
            if let Place::Observer(child) = place {
                drop(child.stdin.take());
                assert!(child.wait().unwrap().success());
            }
        }
    }
}

fn observer() -> Child {
    let mut command = Command::new("/proc/self/exe");
    let mut child = command.arg("--observe").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    child
}

fn change(place: &Path, flags: MsFlags) -> nix::Result<()> {
    mount(None::<&str>, place, None::<&str>, flags, None::<&str>)
}

fn flag(kind: Kind) -> MsFlags {
    match kind {
        Kind::Private => MsFlags::MS_PRIVATE,
        Kind::Slave => MsFlags::MS_SLAVE,
        Kind::Shared => MsFlags::MS_SHARED,
    }
}

fn same(model: Result<(), models::NotAMount>, kernel: nix::Result<()>) {
    assert_eq!(model.is_err(), kernel.is_err(), "{model:?}, {kernel:?}");
    assert!(matches!(kernel, Ok(()) | Err(nix::errno::Errno::EINVAL)), "{kernel:?}");
}
