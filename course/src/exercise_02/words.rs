//! What keeps a child from its program comes back to its caller.

use super::plans::{born, everything, held, with};
use crate::checks::process::{OpenFile, Process};
use crate::checks::socket::Heard;
use crate::checks::trial::{PATIENCE, SILENCE, Trial};
use crate::checks::{Fault, Stage, knob};
use serde_json::{Value, json};

/// The closure fails with words of ours, longer than a pipe holds at once.
pub fn last_words(stage: &Stage) -> Result<String, Fault> {
    let mut born = born(stage, &everything(stage))?;
    born.trial.caller_says("spawned", "not-begun")?;
    let words = format!("word {} {}", std::process::id(), "long ".repeat(15_000));
    born.trial.inner.say(&format!("fail {words}"));
    born.trial.outer.say("go on");
    let text = born.trial.caller_says("failed", "words-into-the-pipe")?.text;
    let failure: Value = serde_json::from_str(text.trim_start_matches("failed ")).unwrap_or(json!(text));
    if failure != json!({ "kind": "NotExecutable", "message": words }) {
        let seen: String = failure.to_string().chars().take(200).collect();
        return Err(Fault::new("NotExecutable, and the words of the closure", seen, "read-the-words"));
    }
    born.trial.outer.say("go on");
    let ended = born.trial.caller_says("ended", "words-into-the-pipe")?.text;
    if !ended.contains("Exited") {
        return Err(Fault::new("the child ends", ended, "words-into-the-pipe"));
    }
    if ended.ends_with(", 0))") {
        return Err(Fault::new("the child ends with 1, as what has failed", ended, "code-of-a-failure"));
    }
    words_that_are_no_failure(stage)?;
    Ok(format!("{} bytes of words, and their kind", words.len()))
}

/// The closure itself has written into the pipe that it was given, and has ended.
fn words_that_are_no_failure(stage: &Stage) -> Result<(), Fault> {
    let mut born = born(stage, &everything(stage))?;
    born.trial.caller_says("spawned", "not-begun")?;
    let words = format!("no failure {}", std::process::id());
    born.trial.inner.say(&format!("mumble {words}"));
    born.trial.outer.say("go on");
    let told = born.trial.caller_says("failed", "read-the-words")?.text;
    if told.contains(&words) {
        return Ok(());
    }
    Err(Fault::new(format!("a failure with what stood in the pipe: {words}"), told, "read-the-words"))
}

/// What both sides have open of their own; then a child that ends without having become a program.
pub fn its_own_end(stage: &Stage) -> Result<String, Fault> {
    let mut born = born(stage, &everything(stage))?;
    born.trial.caller_says("spawned", "not-begun")?;
    // The child's end for its words; the caller's end of the same, and the descriptor of the child.
    let kept = [
        ("the child keeps one: its end of the pipe of last words", born.child, 1),
        ("the caller keeps two: the child's pidfd, and its end of that pipe", born.trial.caller, 2),
    ];
    for (expected, process, most) in kept {
        let own = opened_by(process)?;
        if own.len() > most {
            let expected = format!("of the descriptors that spawn has opened, {expected}");
            return Err(Fault::new(expected, own.join(" "), "only-its-own-end"));
        }
    }
    born.trial.inner.say("fail these words");
    born.trial.outer.say("go on");
    born.trial.caller_says("failed", "words-into-the-pipe")?;
    match born.trial.inner.hear(&["kept back"], SILENCE)? {
        Heard::Message(_) => {
            let seen = "the child wrote to standard output what its caller had kept back";
            Err(Fault::new("the child ends, and does nothing else", seen, "exit-now"))
        }
        Heard::End | Heard::Silence => Ok("one end each, and the child ended without a sound".into()),
    }
}

/// What a process has open that neither we had when it was started nor it speaks on with us.
fn opened_by(process: Process) -> Result<Vec<String>, Fault> {
    let files = process.open_files()?;
    let inherited = Process::this().open_files()?;
    let is_given = |file: &&OpenFile| {
        let standard = files.iter().filter(|one| one.number <= 2);
        standard.chain(&inherited).any(|one| one.target == file.target)
    };
    Ok(files.iter().filter(|file| !is_given(file)).map(|file| file.target.clone()).collect())
}

/// The setting is closed when the child is there already, so that only its failure can tell of it.
pub fn advice(stage: &Stage) -> Result<String, Fault> {
    let single = json!([{ "inside": 0, "outside": 0, "count": 1 }]);
    let plan = with(with(everything(stage), "uid_map", single.clone()), "gid_map", single);
    let bare =
        with(with(with(plan.clone(), "uid_map", json!([])), "gid_map", json!([])), "new", json!(["UTS"]));
    advice_of_a_refused_clone(stage, &plan, &bare)?;
    for (order, plan, expected) in [("deny", &plan, true), ("fail", &plan, false), ("deny", &bare, false)] {
        let mut trial = Trial::start_within(stage, &["spawn", &plan.to_string()])?;
        trial.caller_says("before", "not-begun")?;
        knob::close(trial.caller.0)?;
        trial.outer.say("go on");
        trial.child_says("inside", "release")?;
        trial.caller_says("spawned", "not-begun")?;
        trial.inner.say(&format!("{order} these words"));
        trial.outer.say("go on");
        let text = trial.caller_says("failed", "words-into-the-pipe")?.text;
        let is_told = text.contains("sysctl -w user.max_user_namespaces=");
        if is_told != expected || !text.contains("these words") {
            let contract = if expected { "the setting, and the words" } else { "the words alone" };
            return Err(Fault::new(contract, text, "advise"));
        }
    }
    Ok("the command that opens the setting, where it is in the way".into())
}

/// Here the setting is closed from the beginning, and no UTS namespace may be had either: `spawn` fails with and without a user
/// namespace, by the clone or, where the child makes the other namespaces, by its last words.
fn advice_of_a_refused_clone(stage: &Stage, plan: &Value, bare: &Value) -> Result<(), Fault> {
    for (plan, expected) in [(plan, true), (bare, false)] {
        let text = refusal(Trial::start_within_closed(stage, &["spawn", &plan.to_string()])?)?;
        if text.contains("sysctl -w user.max_user_namespaces=") != expected || !text.contains("ENOSPC") {
            let contract = if expected { "the setting, and ENOSPC" } else { "ENOSPC alone" };
            return Err(Fault::new(contract, text, "advise-the-clone"));
        }
    }
    Ok(())
}

/// What is said of a child that does not come to its closure.
fn refusal(trial: Trial) -> Result<String, Fault> {
    loop {
        match trial.outer.hear(&["before", "spawned", "refused", "failed", "executed"], PATIENCE)? {
            Heard::Message(message)
                if ["before", "spawned"].iter().any(|word| message.text.starts_with(word)) =>
            {
                trial.outer.say("go on");
            }
            Heard::Message(message) => return Ok(message.text),
            Heard::End | Heard::Silence => {
                return Err(trial.silent("an error with ENOSPC", "advise-the-clone"));
            }
        }
    }
}

/// Names that are longer than the kernel takes; for who has many ids also maps in which there is no root to become.
pub fn a_failed_entry(stage: &Stage) -> Result<String, Fault> {
    let too_long = |name: &str| with(everything(stage), name, json!("n".repeat(65)));
    for (map, call) in [("gid_map", "setresgid"), ("uid_map", "setresuid")] {
        if stage.has_many_ids {
            let mut plan = everything(stage);
            plan[map][0]["inside"] = json!(1);
            fails_by(stage, &plan, (call, "EINVAL"), "System")?;
        }
    }
    fails_by(stage, &too_long("domainname"), ("setdomainname", "EINVAL"), "System")?;
    fails_by(stage, &too_long("hostname"), ("sethostname", "EINVAL"), "System")
}

/// A name for a UTS namespace that is not the child's own: the one that it has, should it be given all the same.
pub fn a_forbidden_entry(stage: &Stage) -> Result<String, Fault> {
    let own = nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned())?;
    let not_ours = with(with(everything(stage), "new", json!(["USER"])), "hostname", json!(own));
    let not_ours = with(not_ours, "domainname", json!(null));
    fails_by(stage, &not_ours, ("sethostname", "EPERM"), "PermissionDenied")
}

/// A plan whose child cannot enter says by which call, and of which kind that failure is.
pub fn fails_by(
    stage: &Stage,
    plan: &Value,
    (call, errno): (&str, &str),
    kind: &str,
) -> Result<String, Fault> {
    let (mut trial, _) = held(stage, plan)?;
    trial.outer.say("go on");
    trial.caller_says("spawned", "not-begun")?;
    trial.outer.say("go on");
    let told = trial.caller_says("failed", "words-into-the-pipe");
    let told = told.map_err(|fault| unless_it_went_on(&trial, call, fault))?.text;
    if !(told.contains(call) && told.contains(errno)) {
        let expected = format!("a failure that names {call} and {errno}");
        return Err(Fault::new(expected, told, "words-into-the-pipe"));
    }
    if !told.contains(kind) {
        return Err(Fault::new(format!("a failure of the kind {kind}"), told, "kind-of-the-error"));
    }
    Ok(told.chars().take(120).collect())
}

/// The child is in its closure, so what should have kept it from there was left out, or its error was.
fn unless_it_went_on(trial: &Trial, call: &str, fault: Fault) -> Fault {
    match trial.inner.hear(&["inside"], SILENCE) {
        Ok(Heard::Message(_)) if fault.hint != "a-hole" => {
            let seen = format!("the closure ran, although {call} must have failed");
            Fault { seen, hint: "every-error-of-enter", ..fault }
        }
        _ => fault,
    }
}
