//! What every exercise promises: to those who are right, to those who are wrong, and to those who cheat.

pub use crate::mutants::mutants_of_the_answer_are_found_out;
use crate::participant::{self, Observed, Participant, Who, course, everybody, patches, printed, workspace};
use std::path::Path;
use std::process::Command;

/// What is particular to an exercise.
pub struct Exercise {
    /// Its number.
    pub number: &'static str,
    /// The folder in `chapters/`.
    pub chapter: &'static str,
    /// How many checks there are, and how many of them do without the long tail.
    pub checks: usize,
    pub checks_of_the_main_path: usize,
    /// The first hole.
    pub first: First,
    /// How many tests lie in the chapter's sources.
    pub unit_tests: usize,
    /// At least as many patches are there.
    pub wrong: usize,
    pub cheats: usize,
}

/// The hole that is met first, and the check that meets it.
pub struct First {
    pub check: &'static str,
    pub section: &'static str,
    pub file: &'static str,
    pub item: &'static str,
    pub task: &'static str,
}

impl Exercise {
    /// Its crate's name.
    pub fn package(&self) -> &'static str {
        self.chapter.split_once('-').expect("a chapter is called NN-name").1
    }
}

fn failed(results: &[Observed]) -> Vec<&Observed> {
    results.iter().filter(|result| result.has_failed()).collect()
}

pub fn the_starter_compiles_and_fails_every_check_for_its_holes(exercise: &Exercise) {
    let (number, first) = (exercise.number, &exercise.first);
    let starter = Participant::starter(number);
    for (who, results) in starter.observe(&everybody()) {
        assert!(results.len() >= exercise.checks, "{results:#?}");
        for result in results.iter().filter(|result| !result.unchecked) {
            assert!(!result.held && result.hint == "a-hole", "{who:?}: {result:#?}");
        }
    }
    let output = course(&["check", number], &starter.folder);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && text.contains(&format!("a hole: {}", first.task)), "{text}");
    let place = format!("  where     src/{} {}\n", first.file, first.item);
    assert!(text.contains(&place), "{text}");
    let (before, _) = text.split_once(" functions are still holes").expect("how many holes are left is said");
    let words: Vec<&str> = before.rsplitn(4, ' ').collect();
    assert!(words[0] == words[2] && words[0].parse::<usize>().is_ok_and(|holes| holes > 1), "{text}");
    let hint = |_| printed(course(&["hint", number], &starter.folder));
    let hints: Vec<String> = (0..4).map(hint).collect();
    assert!(hints[0].starts_with(&format!("`{}`, hint 1 of 3", first.check)), "{hints:?}");
    assert!(hints[0].contains(&format!("read \"{}\"", first.section)), "{hints:?}");
    assert!(hints[1].contains("still a hole"), "{hints:?}");
    let remedy = format!("in src/{}, {}: what the book's own calls, in this order: ", first.file, first.item);
    assert!(hints[2].contains(&remedy), "{hints:?}");
    assert!(hints[3].contains("there is no hint after the third"), "{hints:?}");
    let (_, page) = hints[3].split_once("book/src/").expect("the page is named");
    let (page, line) = page.split_once(", line ").expect("and the line");
    let line: usize = line.split(',').next().and_then(|line| line.parse().ok()).expect("a number");
    let page = std::fs::read_to_string(workspace().join("book/src").join(page)).expect("a page");
    let heading = page.lines().nth(line - 1).expect("a line");
    assert_eq!(heading.trim_start_matches('#').trim(), first.section);
    let diff = printed(course(&["diff", number], &starter.folder));
    assert!(diff.starts_with("0 of ") && diff.contains("differ from the starter"), "{diff}");
}

/// The book's proof of what is long tail runs this in a copy of the workspace in which the long tail panics.
pub fn the_answer_is_the_starter_filled(exercise: &Exercise) {
    let answer = Participant::answer(exercise.number);
    for (who, results) in answer.observe_main_path(&everybody()) {
        assert!(results.len() >= exercise.checks_of_the_main_path, "{who:?}: {results:#?}");
        assert!(failed(&results).is_empty(), "{who:?}: {:#?}", failed(&results));
    }
}

pub fn everything_holds_of_the_chapter(exercise: &Exercise) {
    let number = exercise.number;
    let answer = Participant::answer(number);
    let whos: Vec<Who> = everybody().into_iter().chain([Who::SmallRoot]).collect();
    for (who, results) in answer.observe(&whos) {
        assert!(failed(&results).is_empty(), "{who:?}: {:#?}", failed(&results));
    }
    let text = printed(course(&["check", number], &answer.folder));
    let unchecked = text.lines().filter(|line| line.trim().starts_with("not checked: ")).count();
    assert!(text.contains(&format!("All {} hold", exercise.checks - unchecked)), "{text}");
    let hint = printed(course(&["hint", number], &answer.folder));
    assert!(hint.contains("No check has failed"), "{hint}");
    let source = answer.folder.join("src").join(exercise.first.file);
    let text = std::fs::read_to_string(&source).expect("a source");
    std::fs::write(&source, text + "// Mine.\n").expect("the folder is ours");
    let diff = printed(course(&["diff", number], &answer.folder));
    assert!(
        diff.contains("\n+// Mine.\n") && diff.contains("1 of ") && diff.contains("from the answer"),
        "{diff}"
    );
    let again = course(&["start", number], &answer.folder);
    assert!(!again.status.success(), "what a participant wrote is not overwritten");
}

pub fn a_folder_is_a_project_that_is_built_offline(exercise: &Exercise) {
    let answer = Participant::answer(exercise.number);
    let target = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(workspace())
        .output()
        .expect("cargo runs this test");
    let metadata: serde_json::Value = serde_json::from_slice(&target.stdout).expect("metadata is JSON");
    let target = metadata["target_directory"].as_str().expect("a folder").to_string() + "/course/target";
    let cargo = |words: &[&str]| {
        let output = Command::new("cargo")
            .args(words)
            .current_dir(&answer.folder)
            .env("CARGO_TARGET_DIR", &target)
            .output();
        printed(output.expect("cargo runs this test"))
    };
    let tests = cargo(&["test", "--quiet", "--lib"]);
    assert!(tests.contains(&format!("test result: ok. {} passed", exercise.unit_tests)), "{tests}");
    // The alias of the participant's own configuration, which leads to the workspace.
    let aliases = cargo(&["--list"]);
    assert!(aliases.lines().any(|line| line.trim().starts_with("course ")), "{aliases}");
}

pub fn every_wrong_solution_fails_in_its_own_way(exercise: &Exercise) {
    let patches = patches(exercise.chapter, "wrong");
    assert!(patches.len() >= exercise.wrong);
    let everybody = everybody();
    for patch in patches {
        let wrong = Participant::answer(exercise.number);
        wrong.patch(&patch.path);
        let (check, hint) = (patch.must("Fails"), patch.must("Hint"));
        // Who meets it first may differ: what an ordinary user does is not what root does.
        let is_meant = |result: &Observed| check.split(" or ").any(|one| one == result.check);
        assert!(!patch.must("Misconception").is_empty());
        for (who, mut results) in wrong.to_the_first_failure(&everybody) {
            let is_seen = match (patch.must("Seen by"), who) {
                ("everybody", _) | ("root", Who::Root) | ("ordinary", Who::Ordinary) => true,
                ("root" | "ordinary", _) => false,
                (other, _) => panic!("{}: {other}: everybody, root or ordinary", patch.path.display()),
            };
            let is_seen = is_seen && !results.iter().any(|result| result.unchecked && is_meant(result));
            let failure = results.pop().filter(participant::Observed::has_failed);
            let is_it = failure.as_ref().is_some_and(|first| is_meant(first) && first.hint == hint);
            assert!(
                is_it || !is_seen && failure.is_none(),
                "{}, {who:?}: {failure:#?}",
                patch.path.display()
            );
        }
    }
}

pub fn other_solutions_are_right_as_well(exercise: &Exercise) {
    let patches = patches(exercise.chapter, "second");
    assert!(!patches.is_empty());
    for patch in patches {
        let second = Participant::answer(exercise.number);
        second.patch(&patch.path);
        for (who, results) in second.observe(&everybody()) {
            assert!(
                failed(&results).is_empty(),
                "{}, {who:?}: {:#?}",
                patch.path.display(),
                failed(&results)
            );
        }
    }
}

pub fn cheats_fail(exercise: &Exercise) {
    let patches = patches(exercise.chapter, "cheats");
    assert!(patches.len() >= exercise.cheats);
    for patch in patches {
        let cheat = Participant::answer(exercise.number);
        cheat.patch(&patch.path);
        if let Some(why) = patch.field("Refused") {
            let error = cheat.build().expect_err("the cheat is refused");
            assert!(error.contains(why), "{}: {error}", patch.path.display());
            continue;
        }
        // What is not made cannot be missed by those who could make none.
        let is_seen = |who: &Who| *who == Who::Root || patch.field("Seen by") != Some("root");
        let whos: Vec<Who> = everybody().into_iter().filter(is_seen).collect();
        for (who, mut results) in cheat.to_the_first_failure(&whos) {
            let failure = results.pop().filter(Observed::has_failed).expect("the cheat fails");
            let is_named = patch.must("Fails").split(" or ").any(|check| check == failure.check);
            assert!(is_named, "{}, {who:?}: {failure:#?}", patch.path.display());
        }
    }
}

/// It adds up: the whole engine runs a container with the participant's crate in the place of the chapter's.
pub fn the_engine_names_the_participant(exercise: &Exercise) {
    let _alone = participant::alone("engine");
    let answer = Participant::answer(exercise.number);
    let report = printed(course(&["run", "--mine", exercise.number], &answer.folder));
    let line = |words: &[&str]| report.lines().any(|line| line.split_whitespace().eq(words.iter().copied()));
    assert!(line(&[exercise.chapter, "written", "by", "somebody"]), "{report}");
    assert!(report.contains("pid 1, the first of its PID namespace"), "{report}");
    nothing_is_left();
}

/// No folder, and no process that was started from the engine that was built.
fn nothing_is_left() {
    let names = |folder: &Path| {
        let entries = std::fs::read_dir(folder).expect("a folder").flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    let folders = names(&std::env::temp_dir());
    assert!(!folders.iter().any(|name| name.starts_with("coracle-mine-")), "{folders:?}");
    for pid in names(Path::new("/proc")) {
        let program = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
        let is_ours = program.iter().any(|part| part == "course") && program.ends_with("debug/coracle");
        assert!(!is_ours, "process {pid} runs {}", program.display());
    }
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("our mounts");
    assert!(!mounts.contains("coracle-mine-"), "{mounts}");
}
