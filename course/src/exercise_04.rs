//! Table: exercise 04, core: what is taken out of the chapter, what must be true, and what helps.

mod filters;
mod hints;
mod machine;
mod processes;
mod words;

use crate::checks::{Fault, Language, Stage, knob};
use crate::exercise::{Check, Exercise, Harness, Hole};

/// The core of chapter 04.
pub const EXERCISE: Exercise = Exercise {
    number: "04",
    chapter: "04-privileges",
    task: "Give privileges away in an order in which it can be done, and compile the filter that refuses system calls.",
    holes: HOLES,
    harness: Harness {
        manifest: include_str!("../harness/04-privileges/Cargo.toml"),
        source: include_str!("../harness/04-privileges/src/main.rs"),
        language: LANGUAGE,
    },
    checks: CHECKS,
    less_without_root: &["filter-first"],
    hints: hints::HINTS,
};

const LANGUAGE: Language = Language {
    caller: &[
        ("set", "`CapSet::from_names` returns a set"),
        ("compiled", "`compile` returns a program"),
        ("refused", "an error is returned"),
        ("executed", "`apply` returns, and the process executes a program"),
        ("tried", "the program goes on after a system call"),
    ],
    child: &[],
    diagnosis,
};

/// To lower the bounding set takes a capability, which a user other than root has no more.
fn diagnosis(text: &str) -> Option<&'static str> {
    text.contains("PR_CAPBSET_DROP").then_some("the-ceiling-first")
}

const fn hole(file: &'static str, item: &'static str, task: &'static str, section: &'static str) -> Hole {
    Hole { file, item, task, section }
}

const HOLES: &[Hole] = &[
    hole(
        "capability.rs",
        "CapSet::from_names",
        "set the bit of each name's number; the first that is none is the error",
        "Root in pieces",
    ),
    hole("capability.rs", "CapSet::contains", "say whether a number's bit is set", "Root in pieces"),
    hole(
        "apply.rs",
        "apply_and_hand_over",
        "take the steps in an order that holds; the filter has two places",
        "The order",
    ),
    hole("apply.rs", "available", "leave out of each set what we are not permitted", "Lowering the ceiling"),
    hole(
        "apply.rs",
        "drop_from_bounding",
        "drop each capability that the kernel knows and the plan does not name",
        "Lowering the ceiling",
    ),
    hole(
        "apply.rs",
        "become_user",
        "set the ids, keeping capabilities for the moment where there are sets to cut",
        "Becoming the user",
    ),
    hole("apply.rs", "set_ids", "set the groups, the group and the user, in this order", "Becoming the user"),
    hole(
        "apply.rs",
        "set_capabilities",
        "empty the ambient set, write three sets at once, and raise what shall be ambient",
        "The sets",
    ),
    hole(
        "seccomp/compile.rs",
        "verdicts_of",
        "say for each number that a rule names what becomes of the call",
        "The compiler",
    ),
    hole(
        "seccomp/compile.rs",
        "section",
        "collect where ranges start, load the number, and put the tree behind it",
        "The compiler",
    ),
    hole("seccomp/compile.rs", "ranges", "join neighbours that have the same verdict", "The compiler"),
    hole("seccomp/compile.rs", "tree", "halve the ranges by comparisons until one is left", "The compiler"),
    hole(
        "seccomp/compile.rs",
        "leaf",
        "return the action, after the alternatives if there are some",
        "Arguments",
    ),
    hole(
        "seccomp/compile.rs",
        "alternative",
        "put all conditions before the return of the action, and let one that fails jump behind it",
        "Arguments",
    ),
];

const fn check(
    name: &'static str,
    contract: &'static str,
    observe: fn(&Stage) -> Result<String, Fault>,
) -> Check {
    Check { name, contract, is_of_the_long_tail: false, obstacle: |_| None, observe }
}

/// One for which a process gives something away.
const fn of_a_process(
    name: &'static str,
    contract: &'static str,
    observe: fn(&Stage) -> Result<String, Fault>,
) -> Check {
    Check { obstacle: knob::no_root, ..check(name, contract, observe) }
}

/// One for which it becomes another user.
const fn of_another_user(
    name: &'static str,
    contract: &'static str,
    observe: fn(&Stage) -> Result<String, Fault>,
) -> Check {
    Check { obstacle: processes::nobody_else, ..check(name, contract, observe) }
}

const CHECKS: &[Check] = &[
    check("named", "names become bits, and a name that is none is said", processes::named),
    of_a_process("ceiling", "the bounding set is what was left, after execve too", processes::ceiling),
    of_a_process("no-more", "with no_new_privs no execve gives more", processes::no_more),
    of_a_process("unsaid", "without sets in the plan nothing is taken", processes::unsaid),
    of_a_process("what-is-there", "what the caller has not is left out", processes::what_is_there),
    of_another_user("another-user", "all ids and groups are the other user's", processes::another_user),
    of_another_user(
        "no-groups",
        "an empty list takes all groups, and the group is set without a list too",
        processes::no_groups,
    ),
    of_another_user("ambient", "the ambient set arrives at another user's program", processes::ambient),
    of_a_process(
        "ambient-goes",
        "what the caller had ambient and the plan has not is gone",
        processes::ambient_goes,
    ),
    check("by-number", "each call gets the verdict of its number", filters::by_number),
    check(
        "which-rule",
        "the rule without conditions decides, else the first that holds",
        filters::which_rule,
    ),
    check("all-conditions", "a rule holds when all of its conditions do", filters::all_conditions),
    check("architectures", "each architecture is judged by its own numbers", filters::architectures),
    check("newer", "beyond the last named call is what the profile says of newer ones", filters::newer),
    check("far-jumps", "a tree that is wider than a jump still answers rightly", filters::far_jumps),
    check("short-way", "the answer is found by halving", filters::short_way),
    check("neighbours", "neighbours with the same verdict are one range", filters::neighbours),
    of_a_process("filter-last", "with no_new_privs the filter is loaded last", processes::filter_last),
    of_a_process(
        "filter-first",
        "without it, the filter is loaded while that is allowed",
        processes::filter_first,
    ),
    of_a_process(
        "what-comes-along",
        "limits and the umask are the plan's, whatever the filter says",
        processes::along,
    ),
    of_a_process("refused", "the kernel refuses the calls that the profile refuses", processes::refused),
    of_a_process("ended", "a call that ends the process ends it", processes::ended),
    of_a_process(
        "not-halfway",
        "what cannot be done is an error, before the program is executed",
        processes::not_halfway,
    ),
    Check {
        is_of_the_long_tail: true,
        ..of_a_process("listener", "the listener of a filter that asks is handed over", processes::listener)
    },
];
