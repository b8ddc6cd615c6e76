//! Table: exercise 03, core: what is taken out of the chapter, what must be true, and what helps.

mod files;
mod groups;
mod hints;
mod ordinary;
mod plans;

use crate::checks::{Fault, Language, Stage, group, stage};
use crate::exercise::{Check, Exercise, Harness, Hole};

/// The core of chapter 03.
pub const EXERCISE: Exercise = Exercise {
    number: "03",
    chapter: "03-cgroups",
    task: "Limit a group of processes: plan which file gets which value, and write them into a group that leaves nothing behind.",
    holes: HOLES,
    harness: Harness {
        manifest: include_str!("../harness/03-cgroups/Cargo.toml"),
        source: include_str!("../harness/03-cgroups/src/main.rs"),
        language: LANGUAGE,
    },
    checks: CHECKS,
    less_without_root: &[],
    hints: hints::HINTS,
};

const LANGUAGE: Language = Language {
    caller: &[
        ("planned", "`plan` returns steps"),
        ("refused", "an error is returned"),
        ("made", "`Cgroup::create` returns a group"),
        ("killed", "`kill` returns without an error"),
        ("removed", "`remove` returns without an error"),
    ],
    child: &[],
    diagnosis: |_| None,
};

const fn hole(file: &'static str, item: &'static str, task: &'static str, section: &'static str) -> Hole {
    Hole { file, item, task, section }
}

const HOLES: &[Hole] = &[
    hole(
        "plan.rs",
        "memory",
        "plan memory.max, memory.low and memory.swap.max, each if it is said",
        "Memory and swap",
    ),
    hole(
        "plan.rs",
        "swap",
        "take memory from memory and swap together, and refuse what makes no sense",
        "Memory and swap",
    ),
    hole(
        "plan.rs",
        "cpu",
        "plan cpu.idle, cpu.weight, cpu.max and cpu.max.burst, in the order that the kernel asks for",
        "Processor time",
    ),
    hole("plan.rs", "weight", "draw the straight line from shares to weights", "Processor time"),
    hole("plan.rs", "cpuset", "plan which processors and nodes, where they are said", "The rest"),
    hole("plan.rs", "pids", "plan how many processes; 0 is not said", "The rest"),
    hole(
        "create.rs",
        "Cgroup::create",
        "plan, make the folders, open the group and take the steps; on failure take back what was made",
        "Making the group",
    ),
    hole(
        "files.rs",
        "make",
        "make a group and those above it, and remember which of them are new",
        "Making the group",
    ),
    hole(
        "create.rs",
        "pass_on",
        "from the topmost group downwards, pass on what is missing of the controllers",
        "Controllers come from above",
    ),
    hole(
        "create.rs",
        "missing",
        "say `+name` of each wanted controller that a group does not pass on yet",
        "Controllers come from above",
    ),
    hole("files.rs", "try_write", "write a value by one call, to a file that is there", "The steps"),
    hole("cgroup.rs", "Cgroup::kill", "kill everything in the group and below by one write", "How it ends"),
    hole(
        "files.rs",
        "remove",
        "remove a group; while it is busy, first those below, and again until the deadline",
        "How it ends",
    ),
];

const fn check(
    name: &'static str,
    contract: &'static str,
    observe: fn(&Stage) -> Result<String, Fault>,
) -> Check {
    Check { name, contract, is_of_the_long_tail: false, obstacle: |_| None, observe }
}

/// One for which a group is made.
const fn of_a_group(
    name: &'static str,
    contract: &'static str,
    observe: fn(&Stage) -> Result<String, Fault>,
) -> Check {
    Check { obstacle: group::no_group, ..check(name, contract, observe) }
}

const CHECKS: &[Check] = &[
    check("memory-and-swap", "memory and swap together become a limit of each", plans::memory_and_swap),
    check("senseless-swap", "a limit of swap that makes no sense is refused", plans::senseless_swap),
    check("shares", "shares become a weight on a straight line, from end to end", plans::shares),
    check(
        "processor-time",
        "the files of a processor's time are written in the kernel's order",
        plans::processor_time,
    ),
    check(
        "the-rest",
        "processors, nodes and the number of processes are planned where they are said",
        plans::the_rest,
    ),
    check("unsaid", "0 is not said, and -1 is no limit", plans::unsaid),
    of_a_group("the-folders", "the group is made with those above it, at its path", groups::the_folders),
    of_a_group("killed", "killing ends every process of the group and of those below", groups::killed),
    of_a_group("removed", "removing takes the groups below, too, and nothing else", groups::removed),
    Check {
        obstacle: files::no_controller,
        is_of_the_long_tail: true,
        ..check(
            "passed-on",
            "every controller that is wanted reaches the group, through all above it",
            files::passed_on,
        )
    },
    Check {
        obstacle: files::no_controller,
        is_of_the_long_tail: true,
        ..check("limits-in-the-files", "the kernel's files have the limits", files::limits)
    },
    Check {
        is_of_the_long_tail: true,
        ..of_a_group(
            "nothing-is-left",
            "where the kernel refuses a value, the error says which, and nothing is left that was not there before",
            files::nothing_is_left,
        )
    },
    Check {
        is_of_the_long_tail: true,
        ..of_a_group(
            "no-such-file",
            "a limit whose file this kernel does not have is refused by its name",
            files::no_such_file,
        )
    },
    Check {
        obstacle: |checked| group::no_group(checked).or_else(|| stage::no_ordinary_caller(checked)),
        is_of_the_long_tail: true,
        ..check("given-a-group", "an ordinary user who was given a group makes theirs in it", ordinary::given)
    },
    Check {
        obstacle: stage::no_ordinary_caller,
        is_of_the_long_tail: true,
        ..check(
            "given-nothing",
            "an ordinary user who was given none can run without limits, and is told how to be given one",
            ordinary::given_nothing,
        )
    },
];
