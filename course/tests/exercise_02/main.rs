//! Exercise 02 holds what it promises: to those who are right, to those who are wrong, and to those who cheat.
#![forbid(unsafe_code)]

mod mutants;
mod participant;

use participant::{Observed, Participant, Who, course, everybody, patches, printed, workspace};
use std::path::Path;
use std::process::Command;

fn failed(results: &[Observed]) -> Vec<&Observed> {
    results.iter().filter(|result| result.has_failed()).collect()
}

#[test]
fn the_starter_compiles_and_fails_every_check_for_its_holes() {
    let starter = Participant::new(false);
    for who in everybody() {
        let results = starter.observe(who);
        assert!(results.len() >= 20, "{results:#?}");
        for result in results.iter().filter(|result| !result.unchecked) {
            assert!(!result.held && result.hint == "a-hole", "{who:?}: {result:#?}");
        }
    }
    let output = course(&["check", "02"], &starter.folder);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && text.contains("a hole: write a range a line"), "{text}");
    let hint = |_| printed(course(&["hint", "02"], &starter.folder));
    let hints: Vec<String> = (0..4).map(hint).collect();
    assert!(hints[0].starts_with("`map-text`, hint 1 of 3"), "{hints:?}");
    assert!(hints[0].contains("read \"Who is who\"") && hints[1].contains("still a hole"), "{hints:?}");
    assert!(hints[2].contains("in src/maps.rs, map_text: write a range a line"), "{hints:?}");
    assert_eq!(hints[2], hints[3]);
    let diff = printed(course(&["diff", "02"], &starter.folder));
    assert!(diff.starts_with("0 of ") && diff.contains("differ from the starter"), "{diff}");
}

/// The book's proof of what is long tail runs this in a copy of the workspace in which the long tail panics.
#[test]
fn the_answer_is_the_starter_filled() {
    let answer = Participant::new(true);
    for who in everybody() {
        let results = answer.observe_main_path(who);
        assert!(results.len() >= 18 && failed(&results).is_empty(), "{who:?}: {:#?}", failed(&results));
    }
}

#[test]
fn everything_holds_of_the_chapter() {
    let answer = Participant::new(true);
    for who in everybody().into_iter().chain([Who::SmallRoot]) {
        let results = answer.observe(who);
        assert!(failed(&results).is_empty(), "{who:?}: {:#?}", failed(&results));
    }
    let text = printed(course(&["check", "02"], &answer.folder));
    let unchecked = text.lines().filter(|line| line.trim().starts_with("not checked: ")).count();
    assert!(text.contains(&format!("All {} hold", 20 - unchecked)), "{text}");
    let hint = printed(course(&["hint", "02"], &answer.folder));
    assert!(hint.contains("No check has failed"), "{hint}");
    let maps = answer.folder.join("src/maps.rs");
    let text = std::fs::read_to_string(&maps).expect("a source");
    std::fs::write(&maps, text + "// Mine.\n").expect("the folder is ours");
    let diff = printed(course(&["diff", "02"], &answer.folder));
    assert!(
        diff.contains("\n+// Mine.\n") && diff.contains("1 of ") && diff.contains("from the answer"),
        "{diff}"
    );
    let again = course(&["start", "02"], &answer.folder);
    assert!(!again.status.success(), "what a participant wrote is not overwritten");
}

/// A hint is for what the participant has now, not for an older check's failure.
#[test]
fn what_does_not_compile_is_hinted_at_as_such() {
    let starter = Participant::new(false);
    assert!(!course(&["check", "02"], &starter.folder).status.success());
    let maps = starter.folder.join("src/maps.rs");
    let text = std::fs::read_to_string(&maps).expect("a source");
    std::fs::write(&maps, format!("{text}fn broken( {{\n")).expect("the folder is ours");
    assert!(!course(&["check", "02"], &starter.folder).status.success());
    let hint = printed(course(&["hint", "02"], &starter.folder));
    assert!(hint.contains("did not compile") && !hint.contains("map-text"), "{hint}");
    std::fs::write(&maps, text).expect("the folder is ours");
    assert!(!course(&["check", "02"], &starter.folder).status.success());
    let hint = printed(course(&["hint", "02"], &starter.folder));
    assert!(hint.starts_with("`map-text`, hint 1 of 3"), "{hint}");
}

#[test]
fn a_folder_is_a_project_that_is_built_offline() {
    let answer = Participant::new(true);
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
    assert!(tests.contains("test result: ok. 2 passed"), "{tests}");
    // The alias of the participant's own configuration, which leads to the workspace.
    let aliases = cargo(&["--list"]);
    assert!(aliases.lines().any(|line| line.trim().starts_with("course ")), "{aliases}");
}

#[test]
fn every_wrong_solution_fails_in_its_own_way() {
    let patches = patches("wrong");
    assert!(patches.len() >= 19);
    let everybody = everybody();
    for patch in patches {
        let wrong = Participant::new(true);
        wrong.patch(&patch.path);
        let (check, hint) = (patch.must("Fails"), patch.must("Hint"));
        // Who meets it first may differ: what an ordinary user does is not what root does.
        let is_meant = |result: &Observed| check.split(" or ").any(|one| one == result.check);
        assert!(!patch.must("Misconception").is_empty());
        for who in &everybody {
            let is_seen = match (patch.must("Seen by"), who) {
                ("everybody", _) | ("root", Who::Root) | ("ordinary", Who::Ordinary) => true,
                ("root" | "ordinary", _) => false,
                (other, _) => panic!("{}: {other}: everybody, root or ordinary", patch.path.display()),
            };
            let mut results = wrong.to_the_first_failure(*who);
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

#[test]
fn other_solutions_are_right_as_well() {
    for patch in patches("second") {
        let second = Participant::new(true);
        second.patch(&patch.path);
        for who in everybody() {
            let results = second.observe(who);
            assert!(
                failed(&results).is_empty(),
                "{}, {who:?}: {:#?}",
                patch.path.display(),
                failed(&results)
            );
        }
    }
}

#[test]
fn cheats_fail() {
    let patches = patches("cheats");
    assert!(patches.len() >= 8);
    for patch in patches {
        let cheat = Participant::new(true);
        cheat.patch(&patch.path);
        if let Some(why) = patch.field("Refused") {
            let error = cheat.build().expect_err("the cheat is refused");
            assert!(error.contains(why), "{}: {error}", patch.path.display());
            continue;
        }
        for who in everybody() {
            let failure = cheat.first_failure(who).expect("the cheat fails");
            let is_named = patch.must("Fails").split(" or ").any(|check| check == failure.check);
            assert!(is_named, "{}, {who:?}: {failure:#?}", patch.path.display());
        }
    }
}

#[test]
fn a_checker_that_was_edited_is_made_anew() {
    let starter = Participant::new(false);
    let program = starter.build().expect("the starter compiles");
    let target =
        program.ancestors().find(|folder| folder.ends_with("course")).expect("it lies in the course's");
    std::fs::write(target.join("harness-02/src/main.rs"), "fn main() {}").expect("the target folder is ours");
    let mark = starter.folder.join("course.json");
    let text = std::fs::read_to_string(&mark).expect("the folder's mark");
    std::fs::write(&mark, text.replace("\"held\": []", "\"held\": [\"map-text\"]"))
        .expect("the folder is ours");
    assert!(!course(&["check", "02"], &starter.folder).status.success());
    let text = std::fs::read_to_string(&mark).expect("the folder's mark");
    assert!(text.contains("\"held\": []"), "{text}");
}

/// It adds up: the whole engine runs a container with the participant's crate in the place of the chapter's.
#[test]
fn the_engine_names_the_participant() {
    let answer = Participant::new(true);
    let report = printed(course(&["run", "--mine", "02"], &answer.folder));
    let line = |words: &[&str]| report.lines().any(|line| line.split_whitespace().eq(words.iter().copied()));
    assert!(line(&["02-namespaces", "written", "by", "somebody"]), "{report}");
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

/// Where `start` puts it unless told otherwise: cargo reads the workspace's configuration there as well.
#[test]
fn a_folder_below_the_workspace_is_a_project_too() {
    let folder = workspace().join(format!("coursework/test-{}", std::process::id()));
    let course = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_course"));
        printed(command.args(words).output().expect("it was built"))
    };
    course(&["start", "02", "--folder", &folder.display().to_string()]);
    let cargo = |words: &[&str]| {
        Command::new("cargo").args(words).current_dir(&folder).output().expect("cargo runs this")
    };
    let (metadata, list) = (cargo(&["metadata", "--format-version", "1"]), cargo(&["course", "list"]));
    std::fs::remove_dir_all(&folder).expect("a folder");
    // Others' folders may lie beside it.
    let _ = std::fs::remove_dir(workspace().join("coursework"));
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    assert!(list.status.success(), "{}", String::from_utf8_lossy(&list.stderr));
}
