//! The exercises hold what they promise. What is particular to each is a table; the laws are the same for all.
#![forbid(unsafe_code)]

mod exercise_02;
mod exercise_03;
mod exercise_04;
mod exercise_05;
mod laws;
mod machinery;
mod mutants;
mod participant;

/// A test for each law and each exercise. Those of a law follow each other, so that what runs side by side is of different exercises:
/// an exercise has one participant at a time.
macro_rules! tests {
    ($($law:ident)*) => { $(
        mod $law {
            tests! { $law: exercise_02 exercise_03 exercise_04 exercise_05 }
        }
    )* };
    ($law:ident: $($exercise:ident)*) => { $(
        #[test]
        fn $exercise() {
            crate::laws::$law(&crate::$exercise::EXERCISE)
        }
    )* };
}

tests! {
    the_starter_compiles_and_fails_every_check_for_its_holes
    the_answer_is_the_starter_filled
    everything_holds_of_the_chapter
    a_folder_is_a_project_that_is_built_offline
    every_wrong_solution_fails_in_its_own_way
    other_solutions_are_right_as_well
    cheats_fail
    the_engine_names_the_participant
    mutants_of_the_answer_are_found_out
}
