//! Attacks on the making of a root: chapter 01.

use crate::attackers::exchanging;
use crate::roots::{By, PROC, Scene, seen_by};
use crate::{Case, rounds};
use chroot::{Device, DeviceKind};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

pub const CASES: &[Case] = &[
    ("cve_2019_16884_a_volume_over_proc", a_volume_over_proc),
    ("cve_2019_19921_roots_that_are_exchanged", roots_that_are_exchanged),
    ("cve_2021_30465_links_exchanged_during_mounts", links_exchanged_during_mounts),
    ("cve_2023_27561_and_28642_proc_and_sys_as_links", proc_and_sys_as_links),
    ("cve_2024_45310_files_made_outside", files_made_outside),
    ("cve_2025_31133_masks_made_of_something_else", masks_made_of_something_else),
];

/// Runs rounds of a race; the number of the round in which the attacker won, and what was seen then.
fn won(scene: &Scene, by: By, looks: &[&str], has_won: impl Fn(&[String]) -> bool) -> Option<usize> {
    let plan = scene.plan();
    // That the exhibit falls is a matter of time, not of rounds.
    let rounds = if by == By::Exhibit { 10 * rounds() } else { rounds() };
    (1..=rounds).find(|_| has_won(&seen_by(by, &plan, looks)))
}

/// An image says `VOLUME /proc`: what its files contain is then believed by whoever writes labels there.
fn a_volume_over_proc(folder: &Path) {
    let mut scene = Scene::new(folder);
    let volume = scene.folder("volume");
    fs::write(volume.join("version"), "whatever").unwrap();
    scene.filesystem("proc", "/proc");
    for destination in ["/proc", "/proc/", "/tmp/../proc", "/proc/self/attr"] {
        scene.bind(&volume, destination);
        let seen = scene.seen(By::Exhibit, &["type /proc", "read /proc/version"]);
        assert!(seen[0] != PROC || destination == "/proc/self/attr", "{destination}: {seen:?}");
        let seen = scene.seen(By::Ours, &["type /proc"]);
        assert!(
            seen[0].starts_with("refused: /proc") && seen[0].contains("cannot be mounted"),
            "{destination}: {seen:?}"
        );
        scene.mounts.pop();
    }
    // A link of the image leads there as well.
    symlink("../proc/sys", scene.image.join("tmp/way")).unwrap();
    scene.bind(&volume, "/tmp/way");
    assert!(
        scene.seen(By::Ours, &["type /proc"])[0].contains("cannot be mounted because it is inside /proc")
    );
}

/// Somebody who shares the root exchanges /proc for another folder between the mount and the mask: the mask lies on nothing.
fn roots_that_are_exchanged(folder: &Path) {
    let mut scene = Scene::new(folder);
    scene.filesystem("proc", "/proc");
    scene.masked = vec!["/proc/version".into()];
    scene.devices = vec![null()];
    // The device is there from a first run: the exhibit makes none.
    assert_eq!(scene.seen(By::Ours, &["type /proc", "read /proc/version"]), [PROC, ""]);
    let other = scene.image.join("other");
    fs::create_dir_all(&other).unwrap();
    fs::write(other.join("version"), "").unwrap();
    fs::write(scene.image.join("proc/version"), "").unwrap();
    // The folder that is not the procfs has an empty file there, a mask is empty as well: text comes only from the kernel.
    let looks = ["read /proc/version", "read /other/version"];
    let is_unmasked = |seen: &[String]| seen.iter().any(|line| line.starts_with("Linux version"));
    exchanging(&scene.image.join("proc"), &other, || {
        let round = won(&scene, By::Exhibit, &looks, is_unmasked).expect("the exhibit falls");
        println!("    the exhibit fell in round {round}");
        assert_eq!(won(&scene, By::Ours, &looks, is_unmasked), None);
    });
}

/// The place of a first volume is exchanged for a link to where the host keeps the second one, which thereby becomes whatever
/// the attacker wants.
fn links_exchanged_during_mounts(folder: &Path) {
    let mut scene = Scene::new(folder);
    let (evil, kept, shared) = (scene.folder("evil"), scene.folder("kept"), scene.folder("shared"));
    fs::write(evil.join("text"), "the attacker's").unwrap();
    fs::write(kept.join("text"), "the host's").unwrap();
    fs::create_dir(shared.join("place")).unwrap();
    symlink(&kept, shared.join("link")).unwrap();
    scene.bind(&shared, "/vol");
    scene.bind(&evil, "/vol/place");
    scene.bind(&kept, "/seen");
    let looks = ["read /seen/text"];
    let is_exchanged = |seen: &[String]| seen[0] == "the attacker's";
    exchanging(&shared.join("place"), &shared.join("link"), || {
        let round = won(&scene, By::Exhibit, &looks, is_exchanged).expect("the exhibit falls");
        println!("    the exhibit fell in round {round}");
        assert_eq!(won(&scene, By::Ours, &looks, is_exchanged), None);
    });
}

/// The image has /proc as a link into a volume that is mounted later: then nothing at /proc is the kernel's.
fn proc_and_sys_as_links(folder: &Path) {
    for (name, fstype, magic) in [("proc", "proc", PROC), ("sys", "sysfs", "0x62656572")] {
        let folder = folder.join(name);
        fs::create_dir(&folder).unwrap();
        let mut scene = Scene::new(&folder);
        let volume = scene.folder("volume");
        fs::create_dir(volume.join("fake")).unwrap();
        fs::create_dir(scene.image.join("vol/fake")).unwrap();
        let _ = fs::remove_dir(scene.image.join(name));
        symlink("vol/fake", scene.image.join(name)).unwrap();
        let place = format!("/{name}");
        scene.filesystem(fstype, &place);
        scene.bind(&volume, "/vol");
        let look = format!("type {place}");
        let seen = scene.seen(By::Exhibit, &[&look]);
        assert!(!seen[0].starts_with("refused") && seen[0] != magic, "{seen:?}");
        let seen = scene.seen(By::Ours, &[&look]);
        assert_eq!(
            seen,
            [format!("refused: {place}: must be mounted on ordinary directory: no link may lead there")]
        );
    }
}

/// The folder in which a file is made as a mount's place is exchanged for a link to a folder of the host's.
fn files_made_outside(folder: &Path) {
    let mut scene = Scene::new(folder);
    let (outside, shared) = (scene.folder("outside"), scene.folder("shared"));
    let text = scene.folder.join("secret");
    fs::create_dir(shared.join("folder")).unwrap();
    symlink(&outside, shared.join("link")).unwrap();
    scene.bind(&shared, "/vol");
    scene.bind(&text, "/vol/folder/file");
    let made_outside = |_: &[String]| {
        let _ = fs::remove_file(shared.join("folder/file"));
        fs::remove_file(outside.join("file")).is_ok()
    };
    exchanging(&shared.join("folder"), &shared.join("link"), || {
        let round = won(&scene, By::Exhibit, &[], made_outside).expect("the exhibit falls");
        println!("    the exhibit fell in round {round}");
        assert_eq!(won(&scene, By::Ours, &[], made_outside), None);
    });
}

/// The image has something else as /dev/null: it would be seen, and could be written, where a mask shall be.
fn masks_made_of_something_else(folder: &Path) {
    let mut scene = Scene::new(folder);
    scene.filesystem("proc", "/proc");
    scene.masked = vec!["/proc/version".into()];
    let null = scene.image.join("dev/null");
    let looks = ["read /proc/version"];
    // What the attacker wants to be writable is there where the mask should be.
    symlink("/proc/sys/kernel/ostype", &null).unwrap();
    assert_eq!(scene.seen(By::Exhibit, &looks), ["Linux"]);
    assert_eq!(scene.seen(By::Ours, &looks), ["refused: /dev/null: this is not the null device"]);
    // Absent, it is no reason to go without masks.
    fs::remove_file(&null).unwrap();
    assert!(scene.seen(By::Ours, &looks)[0].starts_with("refused: /dev/null"));
    // Exchanged while we look.
    let target = scene.image.join("dev/link");
    symlink("/proc/sys/kernel/ostype", &target).unwrap();
    scene.devices = vec![self::null()];
    assert_eq!(scene.seen(By::Ours, &looks), [""]);
    scene.devices.clear();
    let is_unmasked = |seen: &[String]| !(seen[0].is_empty() || seen[0].starts_with("refused: /dev/null"));
    exchanging(&null, &target, || {
        let round = won(&scene, By::Exhibit, &looks, |seen| seen[0] == "Linux").expect("the exhibit falls");
        println!("    the exhibit fell in round {round}");
        assert_eq!(won(&scene, By::Ours, &looks, is_unmasked), None);
    });
}

fn null() -> Device {
    let (kind, mode) = (DeviceKind::Character, 0o666);
    Device { path: "/dev/null".into(), kind, major: 1, minor: 3, mode, uid: 0, gid: 0 }
}
