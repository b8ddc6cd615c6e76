//! Attacks on what a process is given: its terminal, its privileges, its view of cgroups.

use crate::attackers::exchanging;
use crate::containers::{Container, copy};
use crate::roots::{By, Scene};
use crate::{Case, rounds};
use rustix::fs::{XattrFlags, setxattr};
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

pub const CASES: &[Case] = &[
    ("cve_2022_29162_capabilities_that_come_back", capabilities_that_come_back),
    ("cve_2023_25809_cgroups_below_a_read_only_sys", cgroups_below_a_read_only_sys),
    ("cve_2025_52565_a_console_of_something_else", a_console_of_something_else),
    ("cve_2025_52881_a_write_to_another_proc", a_write_to_another_proc),
];

/// What the exhibit's command says, run as this user in an image.
fn naively(user: &str, image: &Path, words: &[&str]) -> String {
    let mut command = Command::new("/proc/self/exe");
    let output = command.args(["--exhibit", "privileges", user]).arg(image).args(words).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A set of /proc/PID/status, such as `CapPrm`.
fn set(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect(name);
    u64::from_str_radix(line.trim_start_matches(':').trim(), 16).unwrap()
}

/// A file has a capability for whoever has it inheritable: nobody should, just because the container's root has it.
fn capabilities_that_come_back(folder: &Path) {
    const NET_RAW: u64 = 1 << 13;
    let mut container = Container::new(folder);
    copy("/proc/self/exe", &container.image.join("ping"));
    // `struct vfs_cap_data`, revision 2: nothing permitted to everybody, CAP_NET_RAW to whoever has it inheritable.
    let data: Vec<u8> =
        [0x0200_0000, 0, NET_RAW as u32, 0, 0].iter().flat_map(|word: &u32| word.to_le_bytes()).collect();
    setxattr(container.image.join("ping"), "security.capability", &data, XattrFlags::empty()).unwrap();
    let status = ["/ping", "--attack", "read", "/proc/self/status"];
    // The exhibit's image needs a /proc to write to and to read from.
    let with_proc = bound_proc(&container.image, || naively("1000", &container.image, &status));
    assert_eq!(set(&with_proc, "CapPrm"), NET_RAW, "the exhibit falls");
    container.spec["process"]["user"]["uid"] = 1000.into();
    container.spec["process"]["noNewPrivileges"] = false.into();
    container.spec["process"]["args"] = serde_json::json!(status);
    let said = container.ok(&["run", "ID"]);
    assert_eq!((set(&said, "CapInh"), set(&said, "CapPrm")), (0, 0));
    container.spec["process"]["user"]["uid"] = 0.into();
    container.does(&["wait"]);
    container.ok(&["run", "-d", "ID"]);
    container.wait_for("ready");
    let [a, b, c, d] = status;
    let said = container.ok(&["exec", "--user", "1000", "--cap", "CAP_NET_RAW", "ID", a, b, c, d]);
    assert_eq!((set(&said, "CapInh"), set(&said, "CapPrm")), (0, 0));
}

/// The host's /proc in an image, for as long as something runs.
fn bound_proc<T>(image: &Path, during: impl FnOnce() -> T) -> T {
    use nix::mount::{MntFlags, MsFlags, mount, umount2};
    let (place, none) = (image.join("proc"), None::<&str>);
    mount(Some("/proc"), &place, none, MsFlags::MS_BIND, none).unwrap();
    let outcome = during();
    umount2(&place, MntFlags::MNT_DETACH).unwrap();
    outcome
}

/// The host's /sys is bound read-only, and its cgroups below are not.
fn cgroups_below_a_read_only_sys(folder: &Path) {
    let mut scene = Scene::new(folder);
    fs::create_dir(scene.image.join("sys")).unwrap();
    scene.filesystem("proc", "/proc");
    scene.mounts.push(crate::naive_view::sys());
    assert!(scene.seen(By::Ours, &["cgroups"])[0].starts_with("/sys/fs/cgroup"), "the exhibit falls");
    // What the engine gives to an ordinary user on the host's network.
    let options = ["rbind", "nosuid", "noexec", "nodev", "rro"].map(String::from);
    scene.mounts[1].options = chroot::parse_options(&options);
    assert_eq!(scene.seen(By::Ours, &["cgroups"]), [""]);
    // What the runtime shows of cgroups to a container without a group: nothing of the host's.
    scene.mounts.truncate(1);
    scene.filesystem("sysfs", "/sys");
    let hybrid =
        cgroups::Layout::from_mountinfo("31 23 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory");
    scene.mounts.extend(cgroups::view(&hybrid, None, Path::new("/sys/fs/cgroup"), Default::default()));
    let seen = scene.seen(By::Ours, &["cgroups", "type /sys/fs/cgroup"]);
    assert_eq!(seen, ["", "0x1021994"], "an empty tmpfs, and no hierarchy");
}

/// Inside, the terminal's name leads to a file of the kernel's.
fn a_console_of_something_else(folder: &Path) {
    let image_of_exhibit = folder.join("exhibit");
    fs::create_dir(&image_of_exhibit).unwrap();
    let mut scene = Scene::new(&image_of_exhibit);
    scene.filesystem("proc", "/proc");
    let kernels = "/proc/sys/kernel/ostype";
    fs::create_dir(scene.image.join("dev/pts")).unwrap();
    (0..256).for_each(|number| symlink(kernels, scene.image.join(format!("dev/pts/{number}"))).unwrap());
    let seen = scene.seen(By::NaiveConsole, &["read /dev/console"]);
    assert_eq!(seen, ["Linux"], "the exhibit falls");
    // Beside us somebody exchanges the mounted devpts for such a folder.
    let mut container = Container::new(folder);
    let dev = container.image.join("dev");
    for name in ["pts", "fake"] {
        fs::create_dir(dev.join(name)).unwrap();
    }
    (0..4).for_each(|number| symlink(kernels, dev.join(format!("fake/{number}"))).unwrap());
    symlink("../fake/ptmx", dev.join("fake/ptmx")).unwrap();
    symlink("pts/ptmx", dev.join("ptmx")).unwrap();
    container.spec["process"]["terminal"] = true.into();
    container.spec["mounts"]
        .as_array_mut()
        .unwrap()
        .retain(|mount| ["/proc", "/dev/pts"].iter().any(|kept| mount["destination"] == *kept));
    container.does(&["nothing"]);
    let listener = UnixListener::bind(folder.join("console")).unwrap();
    listener.set_nonblocking(true).unwrap();
    let made = exchanging(&dev.join("pts"), &dev.join("fake"), || {
        (0..rounds())
            .filter(|_| {
                console_of(&container, &listener).is_some_and(|kind| {
                    assert_eq!(kind, "devpts");
                    true
                })
            })
            .count()
    });
    println!("    of {} consoles {made} were made", rounds());
    assert!(made > 0, "all were refused");
}

/// The type of the file system that is seen at /dev/console of a new container; none: it was refused.
fn console_of(container: &Container, listener: &UnixListener) -> Option<String> {
    let (code, _) = container.oci(&["create", "--console-socket", "console", "ID"]);
    // Whoever never took the terminals would have the next connection wait, and keep descriptors on their way.
    while listener.accept().is_ok() {}
    let kind = (code == 0).then(|| {
        let mounts = fs::read_to_string(format!("/proc/{}/mountinfo", container.pid())).unwrap();
        let line = mounts.lines().find(|line| line.contains(" /dev/console ")).unwrap_or_default();
        line.split_once(" - ").unwrap_or_default().1.split(' ').next().unwrap_or_default().to_string()
    });
    container.ok(&["delete", "--force", "ID"]);
    kind
}

/// The image's own /proc leads the write of the oom score to another file.
fn a_write_to_another_proc(folder: &Path) {
    let mut container = Container::new(folder);
    let victim = container.image.join("victim");
    let fake = container.image.join("proc/self");
    fs::create_dir(&fake).unwrap();
    fs::write(&victim, "untouched").unwrap();
    symlink("/victim", fake.join("oom_score_adj")).unwrap();
    naively("0", &container.image, &["/attacker", "--attack", "nothing"]);
    assert_eq!(fs::read_to_string(&victim).unwrap(), "500", "the exhibit falls");
    fs::write(&victim, "untouched").unwrap();
    container.spec["mounts"] = serde_json::json!([]);
    container.spec["process"]["oomScoreAdj"] = 500.into();
    container.does(&["wait"]);
    container.ok(&["run", "-d", "ID"]);
    container.wait_for("ready");
    let score = |pid: &str| fs::read_to_string(format!("/proc/{pid}/oom_score_adj")).unwrap();
    assert_eq!(score(&container.pid()).trim(), "500");
    container.spec["process"]["oomScoreAdj"] = 700.into();
    fs::write(folder.join("process.json"), container.spec["process"].to_string()).unwrap();
    container.ok(&["exec", "-d", "--pid-file", "pid", "--process", "process.json", "ID"]);
    assert_eq!(score(&fs::read_to_string(folder.join("pid")).unwrap()).trim(), "700");
    assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
}
