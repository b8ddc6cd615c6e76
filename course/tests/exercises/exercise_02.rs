//! Table: exercise 02.

use crate::laws::{Exercise, First};

pub const EXERCISE: Exercise = Exercise {
    number: "02",
    chapter: "02-namespaces",
    checks: 25,
    checks_of_the_main_path: 20,
    first: First {
        check: "map-text",
        section: "Who is who",
        file: "maps.rs",
        item: "map_text",
        task: "write a range a line",
    },
    unit_tests: 7,
    wrong: 58,
    cheats: 8,
};
