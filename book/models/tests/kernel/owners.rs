//! Who owns a file for a process in a user namespace, through mounts with and without a map, and what is refused for that.

use crate::random::Random;
use kernel::{CapabilityWords, CloneArgs, Cloned};
use models::{NOBODY, OwnerRefused, Range, View, may_map};
use namespaces::IdMap;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sched::{CloneFlags, setns};
use nix::sys::stat::{Mode, fstatat};
use nix::unistd::{Gid, Uid, pipe, setresgid, setresuid};
use std::fs::{self, File, Permissions};
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

/// How many random cases are compared.
const CASES: u64 = 1_000;

/// Ids that meet each other's ranges often enough, and sometimes do not.
const IDS: [u32; 8] = [0, 1, 2, 3, 1000, 1001, 65_534, 100_000];

/// What a process was told: the owner that it sees, whether it may make a file, and write the one that is there.
type Told = (u32, Result<(), OwnerRefused>, Result<(), OwnerRefused>);

pub fn owners_are_seen_as_the_model_says(folder: &Path) {
    if !nix::unistd::geteuid().is_root() {
        // An ordinary user may map one id, and no mount of the host's.
        println!("owners: maps of more than one id, and those of mounts, are root's, who runs it as well");
        return;
    }
    let tree = chroot::detached_copy(folder, false).unwrap();
    match kernel::map_mount_ids(&tree, false, owner(&[(0, 0, 1)])).map_err(|error| error.errno()) {
        Ok(()) => {}
        Err(Errno::EINVAL | Errno::ENOSYS) => {
            return skipped::skip("owners_are_seen_as_the_model_says", "this file system takes no id maps");
        }
        Err(error) => panic!("{error}"),
    }
    let mut counts = [0; 6];
    for seed in 1..=CASES {
        let (process, mount, id, on_disk) = random_case(&mut Random::new(seed));
        let view = View { process: &process, mount: mount.as_deref() };
        let (told, kept) = ask(&folder.join("files"), &view, id, on_disk);
        let case = format!("case {seed}: {id} looks at a file of {on_disk} from {view:?}");
        assert_eq!(view.seen(on_disk), told.0, "{case}");
        assert_eq!(view.kept(id), told.1.map(|()| kept.unwrap_or_else(|| panic!("{case}"))), "{case}");
        assert_eq!(view.may_write(id, on_disk), told.2, "{case}");
        counts.iter_mut().zip(happened(told, on_disk)).for_each(|(count, here)| *count += u32::from(here));
    }
    println!("{CASES} cases, {counts:?}");
    assert!(counts.iter().all(|count| *count > 50), "the cases are too much alike: {counts:?}");
}

/// What there must be enough of: nobody, another name, each refusal, and a file that may be written.
fn happened(told: Told, on_disk: u32) -> [bool; 6] {
    let has = |refused| [told.1, told.2].contains(&Err(refused));
    [
        told.0 == NOBODY,
        told.0 != NOBODY && told.0 != on_disk,
        has(OwnerRefused::NoSuchId),
        has(OwnerRefused::NotKept),
        has(OwnerRefused::NotYours),
        told.2.is_ok(),
    ]
}

/// The process's map, the mount's, an id of the process, and an owner on the disk.
fn random_case(random: &mut Random) -> (Vec<Range>, Option<Vec<Range>>, u32, u32) {
    let process = map(random, &IDS);
    // A mount's map often leads to ids that the process has a name for.
    let for_kernel: Vec<u32> = process.iter().map(|range| range.1).chain(IDS).collect();
    let mount = (random.below(4) > 0).then(|| map(random, &for_kernel));
    let on_disk =
        mount.as_ref().map_or(for_kernel, |map| map.iter().map(|range| range.0).chain(IDS).collect());
    let inside: Vec<u32> = process.iter().map(|range| range.0).chain([0]).chain(IDS).collect();
    let (id, on_disk) = (nearby(random, &inside), nearby(random, &on_disk));
    (process, mount, id, on_disk)
}

/// One of some ids, of which the first ones are taken more often, or one that lies close behind it.
fn nearby(random: &mut Random, ids: &[u32]) -> u32 {
    let first = random.below(ids.len());
    ids[random.below(first + 1)] + [0, 0, 0, 1][random.below(4)]
}

fn map(random: &mut Random, outside: &[u32]) -> Vec<Range> {
    loop {
        let how_many = 1 + random.below(3);
        let mut range = || {
            let count = [1, 1, 2, 4, 1000, 65_536][random.below(6)];
            (IDS[random.below(5)], nearby(random, outside), count)
        };
        let ranges: Vec<Range> = (0..how_many).map(|_| range()).collect();
        if may_map(true, 0, &ranges).is_ok() {
            return ranges;
        }
    }
}

/// What the kernel tells a process of this view, and the owner on the disk of what it made.
fn ask(folder: &Path, view: &View<'_>, id: u32, on_disk: u32) -> (Told, Option<u32>) {
    fs::create_dir(folder).unwrap();
    fs::set_permissions(folder, Permissions::from_mode(0o777)).unwrap();
    // Where a mount has no name for a folder's owner, nobody makes anything in it.
    let of_folder = view.mount.map_or(0, |map| map[0].0);
    chown(folder, Some(of_folder), Some(of_folder)).unwrap();
    let file = folder.join("old");
    fs::write(&file, "").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    chown(&file, Some(on_disk), Some(on_disk)).unwrap();
    let owner = owner(view.process);
    let tree = chroot::detached_copy(folder, false).unwrap();
    if let Some(map) = view.mount {
        kernel::map_mount_ids(&tree, false, self::owner(map)).unwrap();
    }
    let told = of_a_child(|| look(&owner, &tree, id));
    drop(tree);
    let kept = fs::metadata(folder.join("new")).ok().map(|new| new.uid());
    fs::remove_dir_all(folder).unwrap();
    (told, kept)
}

/// A user namespace with this map, for users as for groups.
fn owner(map: &[Range]) -> OwnedFd {
    let map: Vec<IdMap> = map
        .iter()
        .map(|(inside, outside, count)| IdMap { inside: *inside, outside: *outside, count: *count })
        .collect();
    namespaces::user_namespace(&map, &map).unwrap()
}

/// What a process says that goes into a user namespace and cannot come back.
fn of_a_child(look: impl FnOnce() -> [i32; 3]) -> Told {
    let (read, write) = pipe().unwrap();
    let mut said = String::new();
    match kernel::clone3(&CloneArgs { flags: CloneFlags::empty(), cgroup: None }).unwrap() {
        Cloned::Child => {
            let text = look().map(|number| number.to_string()).join(" ");
            File::from(write).write_all(text.as_bytes()).unwrap();
            kernel::exit_now(0)
        }
        Cloned::Parent { pid, .. } => {
            drop(write);
            File::from(read).read_to_string(&mut said).unwrap();
            nix::sys::wait::waitpid(pid, None).unwrap();
        }
    }
    let numbers: Vec<i32> = said.split(' ').map(|number| number.parse().unwrap()).collect();
    let answer = |number: i32| match Errno::from_raw(number) {
        Errno::UnknownErrno => Ok(()),
        Errno::EINVAL => Err(OwnerRefused::NoSuchId),
        Errno::EOVERFLOW => Err(OwnerRefused::NotKept),
        Errno::EACCES => Err(OwnerRefused::NotYours),
        other => panic!("{other}"),
    };
    (numbers[0] as u32, answer(numbers[1]), answer(numbers[2]))
}

/// The owner that is seen, and the errno of making and of opening, or that of becoming the one who does it.
fn look(owner: &OwnedFd, tree: &OwnedFd, id: u32) -> [i32; 3] {
    setns(owner, CloneFlags::CLONE_NEWUSER).unwrap();
    let seen = fstatat(tree, "old", AtFlags::empty()).unwrap().st_uid as i32;
    let (user, group) = (Uid::from_raw(id), Gid::from_raw(id));
    if let Err(error) = setresgid(group, group, group).and_then(|()| setresuid(user, user, user)) {
        return [seen, error as i32, error as i32];
    }
    if id != 0 {
        // Whoever enters a user namespace has all of its powers, and keeps them if it was not its root.
        kernel::capset(&CapabilityWords::default()).unwrap();
    }
    let open = |name: &str, how: OFlag| {
        openat(tree.as_fd(), name, how, Mode::S_IRUSR | Mode::S_IWUSR).err().map_or(0, |error| error as i32)
    };
    [seen, open("new", OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_WRONLY), open("old", OFlag::O_WRONLY)]
}
