//! Table: exercise 05, core: what is taken out of the chapter, what must be true, and what helps.

mod additions;
mod births;
mod groups;
mod hints;
mod lives;
mod plans;
mod site;
mod terminals;
mod watched;

use crate::checks::{Fault, Language, Stage, knob};
use crate::exercise::{Check, Exercise, Harness, Hole};

/// The core of chapter 05.
pub const EXERCISE: Exercise = Exercise {
    number: "05",
    chapter: "05-runtime",
    task: "Make a container of a bundle that waits to be started, know it again in the next command, add a process to it, and leave nothing of it.",
    holes: HOLES,
    harness: Harness {
        manifest: include_str!("../harness/05-runtime/Cargo.toml"),
        source: include_str!("../harness/05-runtime/src/main.rs"),
        language: LANGUAGE,
    },
    checks: CHECKS,
    // Nobody but root looks into a process that is still our executable; and in a user namespace the kernel does not uncover what
    // lies below a mount.
    less_without_root: &["descriptors", "mounts"],
    hints: hints::HINTS,
};

const LANGUAGE: Language = Language {
    caller: &[],
    child: &[
        ("started", "the container's command runs"),
        ("added", "the added process runs"),
        ("grown", "the command has taken memory"),
        ("left", "the command has made a process of its own"),
        ("held", "namespaces are held for others to join"),
        ("denied", "the container's process was kept from another"),
        ("reached", "the container's process looked into another"),
        ("refused", "the command could make no process of its own"),
    ],
    diagnosis: |_| None,
};

const fn hole(file: &'static str, item: &'static str, task: &'static str, section: &'static str) -> Hole {
    Hole { file, item, task, section }
}

const HOLES: &[Hole] = &[
    hole(
        "plan.rs",
        "take_namespaces",
        "say which namespaces are made and which are joined, the user namespace first",
        "The namespaces",
    ),
    hole("plan/root.rs", "what", "say whether a mount is a bind, a remount or a file system", "The root"),
    hole(
        "gate.rs",
        "named",
        "make two FIFOs, and open both ends of each before the child exists",
        "In one process, or in two",
    ),
    hole(
        "gate.rs",
        "open_named",
        "open the gate of a child that another process made, without waiting",
        "In one process, or in two",
    ),
    hole("gate.rs", "Gate::say_and_wait", "say one byte, and wait for one", "What is said"),
    hole("gate.rs", "Keeper::start", "write the byte, and listen until the end of the file", "What is said"),
    hole(
        "create.rs",
        "create_with_gate",
        "plan, make the cgroup, and spawn; if that fails, the cgroup goes as well",
        "The parent",
    ),
    hole(
        "identity.rs",
        "Identity::open",
        "open a pidfd, and only then look whether the number still means this process",
        "Which process",
    ),
    hole(
        "child.rs",
        "Child::take_descriptors",
        "take the standard streams, and close what is not promised or needed until execve",
        "Inside",
    ),
    hole(
        "oci/store.rs",
        "Entry::status",
        "ask five questions, each to something that cannot lie",
        "A folder for each",
    ),
    hole(
        "oci/making.rs",
        "Making::make",
        "make the container, and record its process before it goes on",
        "create",
    ),
    hole(
        "oci/ending.rs",
        "Kill::run",
        "send the signal to the process that was recorded, if it has not ended",
        "kill",
    ),
    hole("created.rs", "destroy", "end the first process, wait for it, and then end the group", "delete"),
    hole("exec.rs", "exec", "join two namespaces here and the others in the child", "One more process"),
];

const fn check(
    name: &'static str,
    contract: &'static str,
    observe: fn(&Stage) -> Result<String, Fault>,
) -> Check {
    Check { name, contract, is_of_the_long_tail: false, obstacle: knob::no_root, observe }
}

/// One that asks for more of the file, or of the command line, than the main path does.
const fn of_the_long_tail(
    name: &'static str,
    contract: &'static str,
    observe: fn(&Stage) -> Result<String, Fault>,
) -> Check {
    Check { is_of_the_long_tail: true, ..check(name, contract, observe) }
}

/// One for which the container has a cgroup: whichever version the machine has.
const fn of_a_group(
    name: &'static str,
    contract: &'static str,
    observe: fn(&Stage) -> Result<String, Fault>,
) -> Check {
    Check { obstacle: groups::no_group, ..of_the_long_tail(name, contract, observe) }
}

const CHECKS: &[Check] = &[
    check("waits", "`create` ends while the container's process waits", births::waits),
    check(
        "descriptors",
        "what the caller had open is closed before the wait, but for what was promised",
        births::descriptors,
    ),
    check("starts", "`start` lets the process that waited become the command", births::starts),
    check(
        "start-once",
        "nobody is started twice, and no `start` waits for somebody who is gone",
        lives::start_once,
    ),
    check("ended", "a process that has ended is nobody's, as a zombie and afterwards", lives::ended),
    check(
        "missing-command",
        "a command that is not there is an error of `create`, and nothing is left",
        births::missing_command,
    ),
    check(
        "no-program",
        "what execve(2) refuses is said by the container, which has started",
        births::no_program,
    ),
    check("namespaces", "exactly the namespaces that are listed are the container's own", plans::namespaces),
    Check {
        obstacle: plans::no_joining,
        ..of_the_long_tail("joined", "namespaces with a path are joined, and are not new", plans::joined)
    },
    Check {
        obstacle: plans::no_joining_user,
        ..of_the_long_tail(
            "owner-first",
            "the user namespace is joined first, and gives the right to the others",
            plans::owner_first,
        )
    },
    of_the_long_tail(
        "asked-first",
        "what only the machine can tell is asked before anything is made",
        plans::asked_first,
    ),
    check("mounts", "a mount is a bind or a file system, by its options and then by its type", plans::mounts),
    of_the_long_tail("remount", "a remount changes what is mounted already", plans::remounted),
    of_the_long_tail(
        "terminal",
        "a terminal is the container's own, and its master its caller's",
        terminals::terminal,
    ),
    of_the_long_tail(
        "start-waits",
        "`start` returns when the command is executed, or says what kept it from that",
        births::start_waits,
    ),
    check("abandoned", "whose maker is killed before the start ends, too", births::abandoned),
    check(
        "recorded",
        "a `create` that is killed leaves nothing that `delete --force` does not find",
        births::recorded_first,
    ),
    check("status", "the status is asked of what is there", lives::status),
    check("same-process", "a number that means another process now is left alone", lives::same_process),
    check("kill", "a signal reaches the first process, by name and by number", lives::signalled),
    check("delete", "`delete` waits for the end, and takes force where the command runs", lives::deleted),
    check("run", "`run` is all of it, and ends with the command's code", lives::run),
    check("exec", "an added process is in every namespace of the container", additions::added),
    of_the_long_tail(
        "exec-as-first",
        "an added process has what is promised, and what the container's others have",
        additions::as_the_first,
    ),
    Check {
        obstacle: watched::no_watching,
        ..of_the_long_tail(
            "exec-closed",
            "nobody in the container looks into an added process that is not yet its command",
            watched::born_closed,
        )
    },
    check("exec-refused", "what cannot be added is told, with the code 255", additions::refused),
    of_a_group("group", "the process is born in its group, which goes with it", groups::in_its_group),
    of_a_group("the-rest", "`delete` ends what the first process has left behind", groups::the_rest),
    of_a_group("kill-all", "`kill --all` reaches every process of the group", groups::signalled_all),
    of_a_group("exec-group", "an added process is limited as the container is", additions::in_the_group),
    of_a_group("paused", "what stands still is paused, and can be ended", groups::paused),
];
