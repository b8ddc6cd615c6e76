//! Who does what before whom, and what is left when it does not come to that.

use super::plans::{born, everything, held, held_beside_another, of_an_ordinary_caller, outside, with};
use super::uidmap::Helpers;
use crate::checks::process::{OpenFile, Process};
use crate::checks::socket::Heard;
use crate::checks::trial::{PATIENCE, SILENCE, Trial};
use crate::checks::{Fault, Stage};
use serde_json::{Value, json};

/// The caller is held just before the release, and the child is listened to.
pub fn the_parent_first(stage: &Stage) -> Result<String, Fault> {
    let plan = everything(stage);
    let (mut trial, child) = held(stage, &plan)?;
    let outside = outside(stage);
    let written = (child.map("uid_map")?, child.map("gid_map")?);
    let count = plan["uid_map"][0]["count"].as_u64().unwrap_or(0) as u32;
    let expected = (vec![vec![0, outside.0, count]], vec![vec![0, outside.1, count]]);
    if written != expected {
        let seen = format!("{written:?}");
        return Err(Fault::new(format!("before_release finds {expected:?}"), seen, "maps-before-release"));
    }
    match trial.inner.hear(&["inside"], SILENCE)? {
        Heard::Silence if child.is_alive() => {}
        Heard::Silence | Heard::End => {
            return Err(Fault::new("the child waits", "the child has ended", "release-last"));
        }
        Heard::Message(_) => {
            let seen = "the child was in its closure while its caller was getting ready";
            return Err(Fault::new("the child waits for the release", seen, "release-last"));
        }
    }
    trial.outer.say("go on");
    trial.child_says("inside", "release")?;
    Ok(format!("{} waited until its maps were written, and then ran", child.0))
}

/// The program waits for us, and does not end before its caller knows of it.
pub fn a_program_runs(stage: &Stage) -> Result<String, Fault> {
    let mut born = born(stage, &everything(stage))?;
    born.trial.caller_says("spawned", "not-begun")?;
    born.trial.outer.say("go on");
    if let Heard::Message(early) = born.trial.outer.hear(&["executed", "failed"], SILENCE)? {
        let expected = "`executed` waits while the child is still in its closure";
        return Err(Fault::new(expected, early.text, "read-the-words"));
    }
    born.trial.inner.say("become the program");
    let program = born.trial.child_says("running", "release")?;
    if program.pid != born.child.0 {
        let seen = format!("the program is {}", program.pid);
        return Err(Fault::new(format!("{} becomes its program", born.child.0), seen, "your-own-child"));
    }
    let ours = Process::this().pipes()?;
    let is_new = |pipe: &OpenFile| !ours.iter().any(|own| own.target == pipe.target);
    if let Some(pipe) = born.child.pipes()?.into_iter().find(is_new) {
        let seen = format!("its descriptor {} is {}", pipe.number, pipe.target);
        return Err(Fault::new("the program inherits no pipe", seen, "close-on-exec"));
    }
    let hint = if born.trial.caller.keeps_waiting(born.trial.caller) {
        "close-the-other-end"
    } else {
        "read-the-words"
    };
    let executed = born.trial.caller_says("executed", hint)?;
    if executed.text != format!("executed {}", born.child.0) {
        return Err(Fault::new(format!("executed {}", born.child.0), executed.text, "your-own-child"));
    }
    born.trial.outer.say("go on");
    born.trial.inner.say("42");
    let ended = born.trial.caller_says("ended", "your-own-child")?.text;
    if !ended.contains("42") {
        return Err(Fault::new("the program ends with 42", ended, "your-own-child"));
    }
    Ok("`executed` returned while the program ran, which then ended with 42".into())
}

/// The caller's own step fails while the child waits: for a reason of its own, and as the kernel does not permit it.
pub fn giving_up(stage: &Stage) -> Result<String, Fault> {
    let mut left = String::new();
    for (order, kind) in [("give up", "System"), ("give up, not permitted", "PermissionDenied")] {
        left = gives_up(stage, order, kind)?;
    }
    Ok(left)
}

fn gives_up(stage: &Stage, order: &str, kind: &str) -> Result<String, Fault> {
    let (mut trial, child) = held_beside_another(stage, &everything(stage))?;
    trial.outer.say(order);
    let refused = trial.caller_says("refused", "end-without-the-byte").map_err(|fault| match fault.hint {
        // Only now: when it was held, the child may not have come to closing what is not its own.
        "end-without-the-byte" if child.keeps_waiting(child) => {
            Fault { hint: "child-keeps-release", ..fault }
        }
        "end-without-the-byte" if trial.caller.keeps_waiting(child) => {
            Fault { hint: "drop-before-waiting", ..fault }
        }
        _ => fault,
    })?;
    let refused = refused.text;
    if !refused.contains("the caller gives up") {
        return Err(Fault::new("spawn returns the error of before_release", refused, "maps-before-release"));
    }
    if !refused.starts_with(&format!("refused {kind}:")) {
        return Err(Fault::new(format!("it is of the kind {kind} still"), refused, "the-error-itself"));
    }
    match trial.inner.hear(&["inside", "kept back"], SILENCE)? {
        Heard::Message(message) if message.text.starts_with("kept back") => {
            let seen = "the child wrote to standard output what its caller had kept back";
            Err(Fault::new("the child ends, and does nothing else", seen, "exit-now"))
        }
        Heard::Message(_) => {
            let seen = "the child has run its closure";
            Err(Fault::new("the child runs nothing", seen, "end-without-the-byte"))
        }
        Heard::End | Heard::Silence => {
            nobody_elses_end_is_taken(&mut trial)?;
            nothing_is_left(&trial, child)
        }
    }
}

/// The caller's other child had ended before, and is the caller's to wait for.
fn nobody_elses_end_is_taken(trial: &mut Trial) -> Result<(), Fault> {
    trial.outer.say("go on");
    let ended = trial.caller_says("ended", "nobody-elses-end")?.text;
    let fault =
        || Fault::new("the caller can wait for a child of its own", ended.clone(), "nobody-elses-end");
    ended.contains("Exited").then_some(()).ok_or_else(fault)
}

/// Its caller is there, so that a zombie would be its caller's.
fn nothing_is_left(trial: &Trial, child: Process) -> Result<String, Fault> {
    let left = trial.caller.children();
    match left.first() {
        None => Ok("nothing is left of the child".to_string()),
        Some(process) if process.is_alive() => {
            Err(Fault::new("nothing is left", format!("{} lives", child.0), "end-without-the-byte"))
        }
        Some(process) => {
            Err(Fault::new("nothing is left", format!("{} is a zombie", process.0), "wait-for-it"))
        }
    }
}

/// Maps that nobody may write, of an id that is none: -1 means no user and no group to the kernel.
pub fn a_map_is_refused(stage: &Stage) -> Result<String, Fault> {
    let (user, group) = outside(stage);
    let mut told = String::new();
    for (map, outside) in [("uid_map", user), ("gid_map", group)] {
        let range = json!({ "inside": u32::MAX, "outside": outside, "count": 1 });
        let mut trial = refusing(stage, &with(everything(stage), map, json!([range])))?;
        told = trial.caller_says("refused", "maps-before-release")?.text;
        if !(told.contains(map) && told.contains("write(")) {
            return Err(Fault::new(format!("an error that names write(…{map}…)"), told, "name-the-call"));
        }
        nothing_is_left_of_any(&trial)?;
    }
    Ok(told)
}

/// An ordinary caller, and more ids than their own: by helpers of which there is none where the checks run, and then by ours.
pub fn more_ids_than_ones_own(stage: &Stage) -> Result<String, Fault> {
    let stage = of_an_ordinary_caller(stage)?;
    // In two places outside, so that it is seen which map is whose.
    let owns = [("newuidmap", stage.uid, 100_000), ("newgidmap", stage.gid, 200_000)];
    let [users, groups] = owns.map(|(_, own, more)| {
        json!([{ "inside": 0, "outside": own, "count": 1 }, { "inside": 1, "outside": more, "count": 10 }])
    });
    let plan = with(with(everything(&stage), "uid_map", users), "gid_map", groups);
    let mut trial = refusing(&stage, &plan)?;
    let refused = trial.caller_says("refused", "the-helpers").map_err(of_the_helpers)?.text;
    if !refused.contains("newuidmap") {
        return Err(Fault::new("an error that names newuidmap, which is not there", refused, "the-helpers"));
    }
    nothing_is_left_of_any(&trial)?;
    for (helper, own, more) in owns {
        let given = format!("{helper} was given: 0 {own} 1 1 {more} 10;");
        let told = told_by_a_helper(&stage, &plan, helper)?;
        if !told.contains(&given) {
            return Err(Fault::new(given, told, "the-helpers"));
        }
    }
    Ok(format!("both were asked, with their maps; where this check hid them: {refused}"))
}

/// What is said where both helpers are there, of which one refuses.
fn told_by_a_helper(stage: &Stage, plan: &Value, refusing: &str) -> Result<String, Fault> {
    let helpers = Helpers::make()?;
    let path = helpers.folder().display().to_string();
    let mut trial = Trial::start(stage, &["spawn-with-helpers", &path, refusing, &plan.to_string()])?;
    Ok(trial.caller_says("refused", "the-helpers").map_err(of_the_helpers)?.text)
}

/// A caller whose `spawn` is to fail before the release.
fn refusing(stage: &Stage, plan: &Value) -> Result<Trial, Fault> {
    Trial::start(stage, &["spawn", &plan.to_string()])
}

/// Maps that come to be written in another way.
fn of_the_helpers(fault: Fault) -> Fault {
    if fault.hint == "a-hole" { fault } else { Fault { hint: "the-helpers", ..fault } }
}

/// Of a child whose number nobody was told.
fn nothing_is_left_of_any(trial: &Trial) -> Result<String, Fault> {
    let children = trial.caller.children();
    nothing_is_left(trial, children.first().copied().unwrap_or(trial.caller))
}

/// The caller is killed while the child waits.
pub fn the_parent_dies(stage: &Stage) -> Result<String, Fault> {
    let (trial, child) = held(stage, &everything(stage))?;
    trial.kill_caller();
    if let Heard::Message(_) = trial.inner.hear(&["inside"], SILENCE)? {
        let seen = "the child has run its closure";
        return Err(Fault::new("the child runs nothing", seen, "end-without-the-byte"));
    }
    if !Trial::goes_away(child) {
        let seen = format!("it still waits after {} s", PATIENCE.as_secs());
        return Err(Fault::new("the child ends by itself", seen, "child-keeps-release"));
    }
    Ok("the child ended".into())
}

/// The child is killed by us while it waits: nobody reads the byte.
pub fn killed_meanwhile(stage: &Stage) -> Result<String, Fault> {
    let (mut trial, child) = held(stage, &everything(stage))?;
    if !Trial::kill_child(child) {
        return Err(Fault::new("the child can be killed", format!("{} lives", child.0), "your-own-child"));
    }
    for word in ["spawned", "executed"] {
        trial.outer.say("go on");
        trial.caller_says(word, "the-byte-may-be-lost")?;
    }
    trial.outer.say("go on");
    let ended = trial.caller_says("ended", "your-own-child")?.text;
    if !ended.contains("SIGKILL") {
        return Err(Fault::new("the child has ended by SIGKILL", ended, "your-own-child"));
    }
    Ok("its caller learns of SIGKILL by waiting for it".into())
}
