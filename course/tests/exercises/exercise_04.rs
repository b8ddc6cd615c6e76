//! Table: exercise 04.

use crate::laws::{Exercise, First};

pub const EXERCISE: Exercise = Exercise {
    number: "04",
    chapter: "04-privileges",
    checks: 24,
    checks_of_the_main_path: 23,
    first: First {
        check: "named",
        section: "Root in pieces",
        file: "capability.rs",
        item: "CapSet::from_names",
        task: "set the bit of each name's number",
    },
    unit_tests: 13,
    wrong: 44,
    cheats: 7,
};
