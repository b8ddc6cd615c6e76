//! The answer's mutants, as cargo-mutants gives them: at least 95 of a hundred are found out by the checks, and who is not is known.

use crate::laws::Exercise;
use crate::participant::{Observed, Participant, course, everybody, printed, workspace};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// As many of a hundred viable mutants must be found out.
const SHARE: usize = 95;

/// What cargo-mutants says of a mutant.
#[derive(Deserialize)]
struct Mutant {
    name: String,
    file: String,
    function: Option<Function>,
    span: Span,
    replacement: String,
}

#[derive(Deserialize)]
struct Function {
    function_name: String,
}

#[derive(Deserialize)]
struct Span {
    start: Place,
    end: Place,
}

#[derive(Deserialize)]
struct Place {
    line: usize,
    column: usize,
}

impl Mutant {
    /// Below the chapter's `src`.
    fn file_name(&self) -> &str {
        self.file.rsplit_once("src/").map_or(&self.file, |(_, below)| below)
    }

    /// The line changes when something above does: it is not part of the name by which a survivor is known.
    fn known_as(&self) -> String {
        let (_, what) = self.name.split_once(": ").unwrap_or(("", &self.name));
        format!("{}: {what}", self.file_name())
    }

    fn apply(&self, source: &str) -> String {
        let offset = |place: &Place| {
            let before: usize = source.split_inclusive('\n').take(place.line - 1).map(str::len).sum();
            let letters = source[before..].chars().take(place.column - 1);
            before + letters.map(char::len_utf8).sum::<usize>()
        };
        let (start, end) = (offset(&self.span.start), offset(&self.span.end));
        format!("{}{}{}", &source[..start], self.replacement, &source[end..])
    }
}

/// The mutants of those functions that the starter leaves as holes.
fn mutants(exercise: &Exercise) -> Vec<Mutant> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let listing = printed(course(&["start", exercise.number], &folder.path().join("starter")));
    let holes: BTreeSet<(&str, &str)> = listing
        .lines()
        .filter_map(|line| line.trim().strip_prefix("src/")?.split_once(' '))
        .map(|(file, item)| (file, item.trim()))
        .collect();
    let mut cargo = Command::new("cargo");
    cargo.args(["mutants", "--list", "--json", "--package", exercise.package()]).current_dir(workspace());
    let listed = printed(cargo.output().expect("cargo runs this test"));
    let all: Vec<Mutant> = serde_json::from_str(&listed).expect("cargo-mutants lists in JSON");
    let is_of_a_hole = |mutant: &Mutant| {
        let function = mutant.function.as_ref().map_or("", |function| function.function_name.as_str());
        holes.contains(&(mutant.file_name(), function))
    };
    all.into_iter().filter(is_of_a_hole).collect()
}

/// The committed list: how many mutants were counted, and of each that survives, why.
#[derive(Default)]
struct Known {
    viable: usize,
    /// What is no mistake: nothing can find it out, so it is not counted.
    equivalent: BTreeSet<String>,
    /// What is one, and is not found out.
    survivors: BTreeSet<String>,
}

fn known(exercise: &Exercise) -> Known {
    let path = workspace().join("chapters").join(exercise.chapter).join("exercise/survivors.txt");
    let text = std::fs::read_to_string(&path).expect("the list of survivors");
    let mut known = Known::default();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.split(" | ").collect::<Vec<_>>().as_slice() {
            ["viable", count] => known.viable = count.parse().expect("a number"),
            ["equivalent", what @ .., _why] => drop(known.equivalent.insert(what.join(" | "))),
            ["survives", what @ .., _why] => drop(known.survivors.insert(what.join(" | "))),
            _ => panic!("{line:?}: write `equivalent | what | why`, or `survives | what | why`"),
        }
    }
    known
}

pub fn mutants_of_the_answer_are_found_out(exercise: &Exercise) {
    if std::env::var_os("CORACLE_MUTANTS").is_none() {
        let why = "a program is built for each: cargo xtask long --only mutants";
        return skipped::skip(&format!("course::mutants of exercise {}", exercise.number), why);
    }
    let answer = Participant::answer(exercise.number);
    let (mut viable, mut survivors, mut met) = (0, BTreeSet::new(), BTreeMap::new());
    for mutant in mutants(exercise) {
        // Two of the same words in one function are told apart by their order.
        let count: &mut usize = met.entry(mutant.known_as()).or_default();
        *count += 1;
        let name =
            if *count == 1 { mutant.known_as() } else { format!("{}, no. {count}", mutant.known_as()) };
        let path = answer.folder.join("src").join(mutant.file_name());
        let source = std::fs::read_to_string(&path).expect("a source of the answer");
        std::fs::write(&path, mutant.apply(&source)).expect("the folder is ours");
        let fate = fate(&answer);
        println!("{fate:<9} {name}");
        viable += usize::from(fate != "unviable");
        if fate == "survives" {
            survivors.insert(name);
        }
        std::fs::write(&path, source).expect("the folder is ours");
    }
    let known = known(exercise);
    let listed: BTreeSet<String> = known.survivors.union(&known.equivalent).cloned().collect();
    assert_eq!(survivors, listed, "left: who survives; right: the list, which gives a reason for each");
    viable -= known.equivalent.len();
    let found_out = viable - known.survivors.len();
    println!(
        "{found_out} of {viable} viable mutants are found out; {} are no mistakes",
        known.equivalent.len()
    );
    assert!(viable >= known.viable, "{viable} viable mutants, and there were {}", known.viable);
    assert!(found_out * 100 >= viable * SHARE, "too many survive");
}

fn fate(answer: &Participant) -> &'static str {
    if answer.build().is_err() {
        return "unviable";
    }
    let observed = answer.to_the_first_failure(&everybody());
    let is_found_out = observed.iter().any(|(_, results)| results.last().is_some_and(Observed::has_failed));
    if is_found_out { "found out" } else { "survives" }
}

#[test]
fn a_mutant_changes_what_it_says() {
    let place = |line, column| Place { line, column };
    let mutant = Mutant {
        name: "a/src/b.rs:2:5: replace f -> u8 with 0".into(),
        file: "a/src/b.rs".into(),
        function: None,
        span: Span { start: place(2, 5), end: place(2, 6) },
        replacement: "0".into(),
    };
    assert_eq!(mutant.apply("fn f() -> u8 { // –\n    1\n}\n"), "fn f() -> u8 { // –\n    0\n}\n");
    assert_eq!(mutant.known_as(), "b.rs: replace f -> u8 with 0");
    assert!(Path::new(&mutant.file).ends_with(mutant.file_name()));
}
