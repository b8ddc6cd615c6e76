//! Attacks on processes that are added to a container: chapter 05.

use crate::containers::{Container, copy};
use crate::{Case, rounds};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

pub const CASES: &[Case] = &[
    ("cve_2016_9962_what_a_newcomer_has_open", what_a_newcomer_has_open),
    ("cve_2019_5736_the_executable_overwritten", the_executable_overwritten),
    ("cve_2024_21626_a_leaked_working_directory", a_leaked_working_directory),
];

const NOTHING: [&str; 3] = ["/attacker", "--attack", "nothing"];

/// A container whose first process does this, and has begun to.
fn attacked(folder: &Path, words: &[&str]) -> Container {
    let mut container = Container::new(folder);
    container.does(words);
    container.ok(&["run", "-d", "ID"]);
    container.wait_for("ready");
    container
}

/// The first process looks at each newcomer for something of the host's.
fn what_a_newcomer_has_open(folder: &Path) {
    let secret = folder.join("secret").display().to_string();
    let container = attacked(folder, &["watch", &secret]);
    let leak = container.image.join("leak");
    let exhibit = Path::new("/proc/self/exe");
    let round = (1..=10 * rounds()).find(|_| {
        container.add_naively(exhibit, "/", &NOTHING);
        leak.exists()
    });
    println!("    the exhibit fell in round {}", round.expect("the exhibit falls"));
    fs::remove_file(&leak).unwrap();
    let met = || container.wait_for("met").parse::<usize>().unwrap();
    let before = met();
    for _ in 0..rounds() {
        container.ok(&["exec", "ID", NOTHING[0], NOTHING[1], NOTHING[2]]);
        assert!(!leak.exists(), "{}", container.wait_for("leak"));
    }
    assert!(met() > before + rounds() / 2, "the attacker saw only {} of ours", met() - before);
}

/// The added command is the very executable that adds it; the first process keeps that, and writes it later.
fn the_executable_overwritten(folder: &Path) {
    let exhibit = folder.join("exhibit");
    copy("/proc/self/exe", &exhibit);
    let container = attacked(folder, &["overwrite"]);
    let mut rounds = (0..rounds()).filter(|_| !container.image.join("result").exists());
    rounds
        .by_ref()
        .for_each(|_| drop(container.add_naively(&exhibit, "/", &["/proc/self/exe", "--attack", "nothing"])));
    assert_eq!(container.wait_for("result"), "written");
    assert!(fs::read(&exhibit).unwrap().ends_with(b"harm"), "the exhibit was overwritten");
    drop(container);
    for name in ["ready", "result"] {
        fs::remove_file(folder.join("rootfs").join(name)).unwrap();
    }
    let container = attacked(folder, &["overwrite"]);
    for _ in 0..crate::rounds() {
        if container.image.join("result").exists() {
            break;
        }
        container.oci(&["exec", "ID", "/proc/self/exe", "--version"]);
    }
    assert_eq!(container.wait_for("result"), "Read-only file system (os error 30)");
    assert!(fs::read(&container.executable).unwrap() == fs::read(env!("CARGO_BIN_EXE_coracle-oci")).unwrap());
}

/// The working directory is a folder of the host's that is still open when it is entered.
fn a_leaked_working_directory(folder: &Path) {
    let mut container = attacked(folder, &["wait"]);
    let secret = format!("../../../../..{}/secret", folder.display());
    let read = ["/attacker", "--attack", "read", &secret];
    let folders: Vec<String> = (3..20).map(|number| format!("/proc/self/fd/{number}")).collect();
    symlink("/proc/self/fd/7", container.image.join("way")).unwrap();
    let leaks = |said: &str| said.contains("the host's");
    let exhibit = Path::new("/proc/self/exe");
    let fell = folders.iter().find(|folder| leaks(&container.add_naively(exhibit, folder, &read)));
    println!("    the exhibit fell by {}", fell.expect("the exhibit falls"));
    for folder in folders.iter().map(String::as_str).chain(["/way"]) {
        let (code, said) =
            container.oci(&["exec", "--cwd", folder, "ID", read[0], read[1], read[2], read[3]]);
        assert!(code == 255 && said.contains("exec failed"), "{folder}: {code} {said}");
    }
    container.ok(&["delete", "--force", "ID"]);
    container.does(&["read", &secret]);
    for folder in folders.iter().map(String::as_str).chain(["/way"]) {
        container.spec["process"]["cwd"] = folder.into();
        let (code, said) = container.oci(&["run", "ID"]);
        assert!(code != 0 && !leaks(&said), "{folder}: {code} {said}");
    }
}
