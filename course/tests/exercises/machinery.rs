//! What holds of every exercise since the machinery is one: tried on one of them.

use crate::participant::{Participant, course, printed, workspace};
use std::process::Command;

/// The one that it is tried on.
const EXERCISE: &str = "02";

/// A hint is for what the participant has now, not for an older check's failure.
#[test]
fn what_does_not_compile_is_hinted_at_as_such() {
    let starter = Participant::starter(EXERCISE);
    assert!(!course(&["check", EXERCISE], &starter.folder).status.success());
    let maps = starter.folder.join("src/maps.rs");
    let text = std::fs::read_to_string(&maps).expect("a source");
    std::fs::write(&maps, format!("{text}fn broken( {{\n")).expect("the folder is ours");
    assert!(!course(&["check", EXERCISE], &starter.folder).status.success());
    let hint = printed(course(&["hint", EXERCISE], &starter.folder));
    assert!(hint.contains("did not compile") && !hint.contains("map-text"), "{hint}");
    std::fs::write(&maps, text).expect("the folder is ours");
    assert!(!course(&["check", EXERCISE], &starter.folder).status.success());
    let hint = printed(course(&["hint", EXERCISE], &starter.folder));
    assert!(hint.starts_with("`map-text`, hint 1 of 3"), "{hint}");
}

#[test]
fn a_checker_that_was_edited_is_made_anew() {
    let starter = Participant::starter(EXERCISE);
    let program = starter.build().expect("the starter compiles");
    let target =
        program.ancestors().find(|folder| folder.ends_with("course")).expect("it lies in the course's");
    std::fs::write(target.join("harness-02/src/main.rs"), "fn main() {}").expect("the target folder is ours");
    let mark = starter.folder.join("course.json");
    let text = std::fs::read_to_string(&mark).expect("the folder's mark");
    std::fs::write(&mark, text.replace("\"held\": []", "\"held\": [\"map-text\"]"))
        .expect("the folder is ours");
    assert!(!course(&["check", EXERCISE], &starter.folder).status.success());
    let text = std::fs::read_to_string(&mark).expect("the folder's mark");
    assert!(text.contains("\"held\": []"), "{text}");
}

/// Where `start` puts it unless told otherwise: cargo reads the workspace's configuration there as well.
#[test]
fn a_folder_below_the_workspace_is_a_project_too() {
    let folder = workspace().join(format!("coursework/test-{}", std::process::id()));
    let course = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_course"));
        printed(command.args(words).output().expect("it was built"))
    };
    course(&["start", EXERCISE, "--folder", &folder.display().to_string()]);
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
