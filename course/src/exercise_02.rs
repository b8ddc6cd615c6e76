//! Table: exercise 02, core: what is taken out of the chapter, what must be true, and what helps.

mod births;
mod plans;
mod steps;
mod words;

use crate::exercise::{Check, Exercise, Hint, Hole};

/// The core of chapter 02.
pub const EXERCISE: Exercise = Exercise {
    number: "02",
    chapter: "02-namespaces",
    task: "Make a process in namespaces of its own: the two sides of `spawn`, and the pipes between them.",
    holes: HOLES,
    harness: (
        include_str!("../harness/02-namespaces/Cargo.toml"),
        include_str!("../harness/02-namespaces/src/main.rs"),
    ),
    checks: CHECKS,
    hints: HINTS,
};

const fn hole(file: &'static str, item: &'static str, task: &'static str) -> Hole {
    Hole { file, item, task }
}

const HOLES: &[Hole] = &[
    hole(
        "maps.rs",
        "map_text",
        "write a range a line: the first id inside, the first outside, how many (Who is who)",
    ),
    hole(
        "spawn.rs",
        "spawn",
        "make both pipes and the process, and let each side close what is the other's (Two processes and two pipes)",
    ),
    hole("spawn.rs", "pipe", "make a pipe that execve(2) closes (Two processes and two pipes)"),
    hole(
        "spawn.rs",
        "clone",
        "turn the plan's namespaces into flags, but for two kinds, and call clone3 (One clone3)",
    ),
    hole(
        "spawn.rs",
        "release_when_ready",
        "write the maps, let the caller do its part, and send the byte; or leave nothing (The parent's side)",
    ),
    hole(
        "spawn.rs",
        "write_maps",
        "write uid_map, setgroups and gid_map in the order that the kernel asks for (The parent's side)",
    ),
    hole("spawn.rs", "wait_for_release", "wait for the byte, and end without it (The child's side)"),
    hole(
        "spawn.rs",
        "become_inner",
        "wait, enter, run the closure; a failure goes into the pipe as JSON (The child's side)",
    ),
    hole(
        "inner.rs",
        "enter",
        "join, become root, make what the clone could not make, take the names, bring lo up (The child's side)",
    ),
    hole(
        "inner.rs",
        "become_root",
        "take group 0 and then user 0, real, effective and saved (The child's side)",
    ),
    hole("inner.rs", "take_names", "set the host and the domain name, where there is one (The child's side)"),
    hole(
        "spawn.rs",
        "Child::executed",
        "read to the end of the pipe: nothing is success, JSON is a failure, to which knobs::advised adds advice (What the caller gets)",
    ),
];

const fn check(
    name: &'static str,
    contract: &'static str,
    observe: fn(&crate::checks::Stage) -> Result<String, crate::checks::Fault>,
) -> Check {
    Check { name, contract, is_of_the_long_tail: false, observe }
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
        "an id map that the kernel refuses is told with the call, and nothing is left",
        steps::a_map_is_refused,
    ),
    check(
        "the-parent-dies",
        "a child whose caller has died before the release ends by itself",
        steps::the_parent_dies,
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
            "advice",
            "where a setting forbids user namespaces, what was not permitted is told with the setting, and nothing else is",
            words::advice,
        )
    },
];

const fn hint(name: &'static str, text: &'static str) -> Hint {
    Hint { name, text }
}

const HINTS: &[Hint] = &[
    hint(
        "a-hole",
        "this function is still a hole, and everything after it waits for it; `cargo course start` lists the holes in the page's order",
    ),
    hint("not-begun", "`spawn` must come to `before_release`, in the parent, while the child waits"),
    hint("not-our-fault", "the checks themselves met an error: cargo course doctor"),
    hint(
        "release",
        "the child runs its closure when it has read one byte from its pipe, and has entered its namespaces without an error",
    ),
    hint(
        "inside-first",
        "a line of a map reads: the first id INSIDE, the first id OUTSIDE, how many; the kernel refuses ids that are not the caller's to give",
    ),
    hint(
        "flags-from-the-plan",
        "the flags of clone3 are the bits of `plan.new`, and no others: bits() of Namespaces are those of clone(2)",
    ),
    hint(
        "pid-by-the-clone",
        "a process never changes its PID namespace: only a child is born into a new one, so it must be among the flags of the clone itself",
    ),
    hint(
        "cgroup-by-the-child",
        "the cgroup namespace is left out of the clone and made by the child, by unshare, after the release",
    ),
    hint(
        "time-for-children",
        "the time namespace is left out of the clone: clocks::make_time_namespace makes it, in `enter` where there is a user namespace",
    ),
    hint(
        "setgroups-first",
        "an ordinary user writes `deny` to /proc/PID/setgroups before gid_map; the kernel has refused gid_map otherwise since CVE-2014-8989",
    ),
    hint(
        "setgroups-of-root",
        "root may keep setgroups: it is denied only for a caller who is not root and maps one group",
    ),
    hint(
        "become-root",
        "after the release the child takes group 0 and then user 0 of its new user namespace; until then it is somebody whom no map mentions",
    ),
    hint(
        "only-a-new-root",
        "become root only where a user namespace was made: in the caller's own, the child stays who it is",
    ),
    hint("your-own-child", "the number and the descriptor are those which clone3 has returned to the parent"),
    hint(
        "names-in-the-child",
        "the names belong to the child's UTS namespace: set them in the child, after the clone",
    ),
    hint("loopback-up", "a new network has one device, which is down: bring_loopback_up, in the child"),
    hint("maps-before-release", "write the maps and call `before_release` first, and send the byte last"),
    hint(
        "release-last",
        "the byte is the last thing that the parent does, and to read it the first that the child does; reading blocks until there is a byte or nobody can write any more",
    ),
    hint(
        "close-the-other-end",
        "the parent has kept a copy of the end by which the child speaks, so the pipe never ends: drop (released, says) in the parent's arm",
    ),
    hint(
        "close-on-exec",
        "the program has inherited the pipe, so the pipe ends only when the program does: O_CLOEXEC closes it at execve",
    ),
    hint(
        "wait-for-it",
        "a child that ends stays as a zombie until its parent waits for it: drop the pipe, then waitpid",
    ),
    hint(
        "end-without-the-byte",
        "the end of the file without a byte means that the parent has given up: the child ends, and runs nothing",
    ),
    hint(
        "child-keeps-release",
        "the child has kept a copy of the end by which it is released, so its pipe never ends: drop (release, last_words) in the child's arm",
    ),
    hint(
        "name-the-call",
        "an error names the call, its arguments and the errno: `.strace(…)` and `Error::call` do it",
    ),
    hint(
        "words-into-the-pipe",
        "a failure is written as JSON into the pipe `says`, whole, and only then does the child end",
    ),
    hint(
        "read-the-words",
        "`executed` reads to the end: nothing is success, anything else is a `Failure` in JSON, of the kind that was sent",
    ),
    hint(
        "advise",
        "knobs::advised is for a failure of the kind PermissionDenied of a child that has a new user namespace, and for no other",
    ),
];
