//! Table: exercise 02, core: what is taken out of the chapter, what must be true, and what helps.

mod births;
mod hints;
mod language;
mod plans;
mod rarely;
mod steps;
mod uidmap;
mod words;

use crate::checks::{group, stage};
use crate::exercise::{Check, Exercise, Harness, Hole};

/// The core of chapter 02.
pub const EXERCISE: Exercise = Exercise {
    number: "02",
    chapter: "02-namespaces",
    task: "Make a process in namespaces of its own: the two sides of `spawn`, and the pipes between them.",
    holes: HOLES,
    harness: Harness {
        manifest: include_str!("../harness/02-namespaces/Cargo.toml"),
        source: include_str!("../harness/02-namespaces/src/main.rs"),
        language: language::LANGUAGE,
    },
    checks: CHECKS,
    // A map of one id says that its maker is root already, and root is asked for some things alone.
    less_without_root: &[
        "only-what-is-asked",
        "id-maps",
        "root-inside",
        "loopback",
        "a-failed-entry",
        "an-ordinary-caller",
        "clocks",
    ],
    hints: hints::HINTS,
};

const fn hole(file: &'static str, item: &'static str, task: &'static str, section: &'static str) -> Hole {
    Hole { file, item, task, section }
}

const HOLES: &[Hole] = &[
    hole(
        "maps.rs",
        "map_text",
        "write a range a line: the first id inside, the first outside, how many",
        "Who is who",
    ),
    hole(
        "spawn.rs",
        "spawn",
        "make both pipes, do what holds only for processes made afterwards (inner::before_clone), make the process, and let each side close what is the other's",
        "Two processes and two pipes",
    ),
    hole("spawn.rs", "pipe", "make a pipe that execve(2) closes", "Two processes and two pipes"),
    hole(
        "spawn.rs",
        "clone",
        "turn the plan's namespaces into flags, but for two kinds, and call clone3",
        "One clone3",
    ),
    hole(
        "spawn.rs",
        "release_when_ready",
        "write the maps, let the caller do its part, and send the byte; or leave nothing",
        "The parent's side",
    ),
    hole(
        "spawn.rs",
        "write_maps",
        "write uid_map, setgroups and gid_map in the order that the kernel asks for",
        "The parent's side",
    ),
    hole("spawn.rs", "wait_for_release", "wait for the byte, and end without it", "The child's side"),
    hole(
        "spawn.rs",
        "become_inner",
        "wait, enter, run the closure; a failure goes into the pipe as JSON",
        "The child's side",
    ),
    hole(
        "inner.rs",
        "enter",
        "join, become root, make what the clone could not make, take the names, bring lo up",
        "The child's side",
    ),
    hole(
        "inner.rs",
        "become_root",
        "take group 0 and then user 0, real, effective and saved",
        "The child's side",
    ),
    hole(
        "inner.rs",
        "take_names",
        "set the host and the domain name, where there is one",
        "The child's side",
    ),
    hole(
        "spawn.rs",
        "Child::executed",
        "read to the end of the pipe: nothing is success, JSON is a failure, to which knobs::advised adds advice",
        "What the caller gets",
    ),
];

const fn check(
    name: &'static str,
    contract: &'static str,
    observe: fn(&crate::checks::Stage) -> Result<String, crate::checks::Fault>,
) -> Check {
    Check { name, contract, is_of_the_long_tail: false, obstacle: |_| None, observe }
}

const CHECKS: &[Check] = &[
    check("map-text", "an id map's text is what the kernel reads, a range a line", births::map_text),
    check(
        "all-namespaces",
        "the child is in a new namespace of every kind that the plan names",
        births::all_namespaces,
    ),
    check(
        "only-what-is-asked",
        "what the plan does not name is shared with the caller",
        births::only_what_is_asked,
    ),
    check(
        "id-maps",
        "the kernel holds the maps of the plan, and groups can be given up only as it is safe",
        births::id_maps,
    ),
    check(
        "root-inside",
        "the child is root of its user namespace, by user and by group",
        births::root_inside,
    ),
    check(
        "process-one",
        "the child is process 1, its caller's own child, and the one that `Child` tells of",
        births::process_one,
    ),
    check("names", "the child's machine has the plan's names, and ours keeps its own", births::names),
    check(
        "loopback",
        "the child's network has one device, by which it can speak to itself",
        births::loopback,
    ),
    check(
        "the-parent-first",
        "nothing of the child runs before the maps are written and the caller is ready",
        steps::the_parent_first,
    ),
    check(
        "a-program-runs",
        "the caller learns at once that the child has become its program, which inherits no pipe",
        steps::a_program_runs,
    ),
    check(
        "giving-up",
        "when the caller gives up, the child has never run, and not even a zombie is left",
        steps::giving_up,
    ),
    check(
        "a-map-is-refused",
        "an id map that the kernel refuses, of users or of groups, is told with the call, and nothing is left",
        steps::a_map_is_refused,
    ),
    check(
        "the-parent-dies",
        "a child whose caller has died before the release ends by itself",
        steps::the_parent_dies,
    ),
    check(
        "killed-meanwhile",
        "a child that is killed while it waits is no error of `spawn`: how it has ended tells",
        steps::killed_meanwhile,
    ),
    check(
        "last-words",
        "a failure of the closure comes back whole: its kind and its words",
        words::last_words,
    ),
    check(
        "a-failed-entry",
        "what fails on the way into the namespaces comes back in the same way",
        words::a_failed_entry,
    ),
    Check {
        is_of_the_long_tail: true,
        ..check(
            "a-forbidden-entry",
            "what is not permitted on the way comes back as such, by its kind",
            words::a_forbidden_entry,
        )
    },
    check(
        "its-own-end",
        "of the pipes child and caller hold one end each, and nothing that the caller had buffered is written by the child",
        words::its_own_end,
    ),
    Check {
        is_of_the_long_tail: true,
        ..check(
            "advice",
            "where a setting forbids user namespaces, what was not permitted is told with the setting, and nothing else is",
            words::advice,
        )
    },
    Check {
        obstacle: stage::no_ordinary_caller,
        ..check(
            "an-ordinary-caller",
            "a caller who is not root gives up setgroups, and gets every kind as well",
            rarely::ordinary_caller,
        )
    },
    Check {
        is_of_the_long_tail: true,
        obstacle: stage::no_ordinary_caller,
        ..check(
            "more-ids-than-ones-own",
            "who is not root has more ids than their own written by newuidmap and newgidmap",
            steps::more_ids_than_ones_own,
        )
    },
    check(
        "clocks",
        "the clocks of a new time namespace are set as the plan says, with and without a user namespace, or it is said why not",
        rarely::clocks,
    ),
    Check {
        obstacle: group::no_group,
        ..check(
            "into-a-cgroup",
            "the child is born in the cgroup that `spawn` is given, and its cgroup namespace begins where it is when it is released",
            rarely::group,
        )
    },
    Check {
        is_of_the_long_tail: true,
        ..check(
            "joins",
            "namespaces that the plan joins by their paths are the child's, and own what is made beside them",
            rarely::joins,
        )
    },
    Check {
        is_of_the_long_tail: true,
        obstacle: group::no_group,
        ..check(
            "beside-others-into-a-cgroup",
            "a child that is made beside a user namespace that is joined is born in the cgroup that `spawn` is given, too",
            rarely::group_by_the_usher,
        )
    },
];
