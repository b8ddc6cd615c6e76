//! The same in words.

use super::{Answers, IdMaps, lines};
use models::{NOBODY, OwnerRefused};

pub fn text(state: &IdMaps) -> Vec<String> {
    let answers = state.answers();
    let process = lines(&state.process_map()).join("; ");
    let mount = state.mount_map().map_or("none".to_owned(), |map| lines(&map).join("; "));
    let maps = format!("The process's map: {process}. The mount's map: {mount}.");
    if state.guess.is_none() {
        let question = "Choose maps and a file, and predict whose the file is for the process.".to_owned();
        return vec![question, maps, format!("The file's owner on the disk: {}.", state.on_disk())];
    }
    let name = |id: Option<u32>| id.map_or("nobody at all".to_owned(), |id| id.to_string());
    let way = format!(
        "The file's owner: {} on the disk, {} for the kernel, {} for the process.",
        state.on_disk(),
        name(answers.owner),
        answers.seen
    );
    vec![
        answer(state, answers),
        maps,
        way,
        format!("{} makes a file: {}.", who(state, "Its"), made(answers)),
        format!("{} writes the old one, which only its owner may: {}.", who(state, "Its"), written(answers)),
    ]
}

fn answer(state: &IdMaps, answers: Answers) -> String {
    let verdict = if state.guess == Some(answers.kind()) { "Right" } else { "Not so" };
    let why = match (answers.seen, answers.owner) {
        (_, None) => "since the mount has no id for the owner on the disk".to_owned(),
        (NOBODY, Some(owner)) => format!("since it has no id for the kernel's {owner}"),
        (_, Some(owner)) => format!("which is its id for the kernel's {owner}"),
    };
    format!("{verdict}: the process sees {}, {why}.", answers.seen)
}

/// As whom the process acts: the root, or the user, of whoever is named.
pub fn who(state: &IdMaps, whose: &str) -> String {
    if state.is_ordinary { format!("{whose} user {}", state.who()) } else { format!("{whose} root") }
}

/// What becomes of a file that the process makes.
pub fn made(answers: Answers) -> String {
    match answers.kept {
        Ok(id) => format!("{id} on the disk"),
        Err(refused) => self::refused(refused).to_owned(),
    }
}

/// Whether the file that is there may be written.
pub fn written(answers: Answers) -> String {
    answers.writes.map_or_else(|refused| self::refused(refused).to_owned(), |()| "it may".to_owned())
}

fn refused(refused: OwnerRefused) -> &'static str {
    match refused {
        OwnerRefused::NoSuchId => "EINVAL: it has no such id",
        OwnerRefused::NotKept => "EOVERFLOW: the mount has no id",
        OwnerRefused::NotYours => "EACCES: the file is another's",
    }
}
