//! Table: exercise 03.

use crate::laws::{Exercise, First};

pub const EXERCISE: Exercise = Exercise {
    number: "03",
    chapter: "03-cgroups",
    checks: 15,
    checks_of_the_main_path: 9,
    first: First {
        check: "memory-and-swap",
        section: "Memory and swap",
        file: "plan.rs",
        item: "memory",
        task: "plan memory.max, memory.low and memory.swap.max",
    },
    unit_tests: 27,
    wrong: 16,
    cheats: 6,
};
