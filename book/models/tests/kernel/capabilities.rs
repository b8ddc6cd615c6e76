//! Which capabilities a program has: random threads execute a file that is theirs in random ways, and it reads its own sets.

use crate::random::Random;
use kernel::{CapabilityWords, CloneArgs, Cloned};
use models::{Executable, FileCapabilities, NotPermitted, Sets, Thread, execute};
use nix::errno::Errno;
use nix::fcntl::AtFlags;
use nix::mount::{MsFlags, mount};
use nix::sched::CloneFlags;
use nix::unistd::{execveat, pipe};
use privileges::{CapSet, Capabilities, Plan};
use rustix::fs::XattrFlags;
use rustix::thread::{CapabilitiesSecureBits, capabilities_secure_bits, set_capabilities_secure_bits};
use std::fs::{self, File, Permissions};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::ExitCode;

/// How many random cases are compared.
const CASES: u64 = 2_000;

/// The word by which this program tells its sets, and nothing more.
pub const TELL: &str = "--tell";

/// All that Linux names, up to CAP_CHECKPOINT_RESTORE.
const ALL: u64 = (1 << 41) - 1;

const ATTRIBUTE: &str = "security.capability";

pub fn capabilities_go_through_execve_as_the_model_says(folder: &Path) {
    const NAME: &str = "capabilities_go_through_execve_as_the_model_says";
    let held = kernel::capget().unwrap().permitted;
    if !nix::unistd::geteuid().is_root() || held & ALL != ALL {
        return skipped::skip(
            NAME,
            "root with every capability can be anybody with any, and nobody else can",
        );
    }
    crate::own_namespace();
    mount(Some("base"), folder, Some("tmpfs"), MsFlags::empty(), Some("mode=755")).unwrap();
    let path = folder.join("program");
    fs::copy("/proc/self/exe", &path).unwrap();
    match rustix::fs::setxattr(&path, ATTRIBUTE, &attribute(FileCapabilities::default()), XattrFlags::empty())
    {
        Err(rustix::io::Errno::OPNOTSUPP) => return skipped::skip(NAME, "tmpfs keeps no capabilities here"),
        set => set.unwrap(),
    }
    let program = OwnedFd::from(File::open(&path).unwrap());
    let mut counts = [0; 8];
    for seed in 1..=CASES {
        let (wanted, file) = random_case(&mut Random::new(seed));
        dress(&path, &file);
        let (thread, kernel) = of_a_child(&wanted, &program);
        let case = format!("case {seed}: {thread:x?} executes {file:x?}");
        assert_eq!(thread, wanted, "{case}");
        let model = execute(&thread, &file);
        let told = model.map(|new| (new.user, new.sets));
        assert_eq!(told, kernel.map(|new| (new.user, new.sets)), "{case}");
        if let Ok(new) = kernel {
            assert_eq!((new.no_root, new.no_new_privs), (thread.no_root, thread.no_new_privs), "{case}");
        }
        counts.iter_mut().zip(happened(&thread, model)).for_each(|(count, here)| *count += u32::from(here));
    }
    println!("{CASES} cases, {counts:?}");
    assert!(counts.iter().all(|count| *count > 50), "the cases are too much alike: {counts:?}");
}

/// What there must be enough of.
fn happened(thread: &Thread, model: Result<models::Executed, NotPermitted>) -> [bool; 8] {
    let new = model.unwrap_or_default();
    [
        model.is_err(),
        new.is_as_root && thread.user == 0,
        new.is_as_root && thread.user != 0,
        new.user != thread.user,
        new.withheld != 0,
        new.sets.ambient != 0,
        thread.sets.ambient != 0 && new.sets.ambient == 0,
        new.sets.permitted & !thread.sets.permitted != 0,
    ]
}

/// A thread as the kernel lets it be, and a file.
fn random_case(random: &mut Random) -> (Thread, Executable) {
    let bounding = set(random);
    let (inheritable, permitted) = (set(random), set(random));
    let ambient = set(random) & inheritable & permitted;
    let sets = Sets { bounding, inheritable, ambient, permitted, effective: set(random) & permitted };
    let mut one_in = |count| random.below(count) == 0;
    let thread =
        Thread { user: 1000 * u32::from(!one_in(3)), sets, no_root: one_in(4), no_new_privs: one_in(3) };
    let set_user = one_in(3).then(|| 1000 * u32::from(one_in(4)));
    let (has_names, is_effective) = (one_in(2), one_in(2));
    // What is effective at once is refused where all of it cannot be had, which chance would nearly always bring about.
    let outside = if one_in(2) { u64::MAX } else { bounding };
    let names = FileCapabilities { permitted: set(random) & outside, inheritable: set(random), is_effective };
    (thread, Executable { names: has_names.then_some(names), set_user })
}

/// Nothing, everything, a few, or any.
fn set(random: &mut Random) -> u64 {
    let half = |random: &mut Random| random.below(1 << 31) as u64;
    let any = (half(random) << 31 | half(random)) & ALL;
    match random.below(6) {
        0 => 0,
        1 => ALL,
        2 => 1 << random.below(41) | 1 << random.below(41),
        _ => any,
    }
}

/// Makes the file what it shall be. To change its owner takes away the bit and the attribute, so that comes first.
fn dress(path: &Path, file: &Executable) {
    chown(path, Some(file.set_user.unwrap_or(0)), Some(0)).unwrap();
    let mode = if file.set_user.is_some() { 0o4755 } else { 0o755 };
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    if let Some(names) = file.names {
        rustix::fs::setxattr(path, ATTRIBUTE, &attribute(names), XattrFlags::empty()).unwrap();
    }
}

/// `struct vfs_cap_data`, revision 2: the revision and the one bit, then the lower half of both sets, then the upper one.
fn attribute(names: FileCapabilities) -> Vec<u8> {
    let FileCapabilities { permitted, inheritable, is_effective } = names;
    let words = [
        0x0200_0000 | u32::from(is_effective),
        permitted as u32,
        inheritable as u32,
        (permitted >> 32) as u32,
        (inheritable >> 32) as u32,
    ];
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// What a child says of itself before it executes the program, and what the program says, or why there is none.
fn of_a_child(wanted: &Thread, program: &OwnedFd) -> (Thread, Result<Thread, NotPermitted>) {
    let (read, write) = pipe().unwrap();
    let mut said = String::new();
    match kernel::clone3(&CloneArgs { flags: CloneFlags::empty(), cgroup: None }).unwrap() {
        Cloned::Child => {
            rustix::stdio::dup2_stdout(&write).unwrap();
            become_one(wanted);
            tell();
            let no_variables: [&std::ffi::CStr; 0] = [];
            let flags = AtFlags::AT_EMPTY_PATH;
            let Err(error) = execveat(program, c"", &[c"program", c"--tell"], &no_variables, flags);
            println!("{}", error as i32);
            std::io::stdout().flush().unwrap();
            kernel::exit_now(0)
        }
        Cloned::Parent { pid, .. } => {
            drop(write);
            File::from(read).read_to_string(&mut said).unwrap();
            nix::sys::wait::waitpid(pid, None).unwrap();
        }
    }
    let (before, after) = said.split_once('\n').expect(&said);
    let after = after.trim();
    let refused = |number: i32| match Errno::from_raw(number) {
        Errno::EPERM => NotPermitted,
        other => panic!("{other}"),
    };
    (understood(before), after.parse().map_or_else(|_| Ok(understood(after)), |number| Err(refused(number))))
}

/// Becomes the thread. What is inheritable may lie outside of the bounding set only if it was there before.
fn become_one(wanted: &Thread) {
    let Sets { bounding, inheritable, ambient, permitted, effective } = wanted.sets;
    kernel::capset(&CapabilityWords { effective: ALL, permitted: ALL, inheritable }).unwrap();
    if wanted.no_root {
        set_capabilities_secure_bits(CapabilitiesSecureBits::NO_ROOT).unwrap();
    }
    let capabilities = Capabilities {
        bounding: CapSet(bounding),
        effective: CapSet(effective),
        permitted: CapSet(permitted),
        inheritable: CapSet(inheritable),
        ambient: CapSet(ambient),
    };
    let plan = Plan {
        capabilities: Some(capabilities),
        no_new_privs: wanted.no_new_privs,
        uid: wanted.user,
        ..Plan::default()
    };
    privileges::apply(&plan).unwrap();
}

/// Prints what this thread is: its effective user, its sets in the kernel's order, and both switches.
pub fn tell() -> ExitCode {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let user = line("Uid:").split_whitespace().nth(1).unwrap();
    let sets = ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"].map(|name| line(name).trim());
    let no_root = capabilities_secure_bits().unwrap().contains(CapabilitiesSecureBits::NO_ROOT);
    println!("{user} {} {} {}", sets.join(" "), u8::from(no_root), line("NoNewPrivs:").trim());
    std::io::stdout().flush().unwrap();
    ExitCode::SUCCESS
}

fn understood(said: &str) -> Thread {
    let words: Vec<&str> = said.split(' ').collect();
    let set = |index: usize| u64::from_str_radix(words[index], 16).unwrap();
    Thread {
        user: words[0].parse().unwrap(),
        sets: Sets {
            inheritable: set(1),
            permitted: set(2),
            effective: set(3),
            bounding: set(4),
            ambient: set(5),
        },
        no_root: words[6] == "1",
        no_new_privs: words[7] == "1",
    }
}
