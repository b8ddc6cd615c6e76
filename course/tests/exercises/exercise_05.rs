//! Table: exercise 05.

use crate::laws::{Exercise, First};

pub const EXERCISE: Exercise = Exercise {
    number: "05",
    chapter: "05-runtime",
    checks: 31,
    checks_of_the_main_path: 18,
    first: First {
        check: "waits",
        section: "In one process, or in two",
        file: "gate.rs",
        item: "named",
        task: "make two FIFOs",
    },
    unit_tests: 49,
    wrong: 52,
    cheats: 7,
};
