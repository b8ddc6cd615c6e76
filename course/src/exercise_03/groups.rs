//! Groups without limits: made, killed and removed, and looked at in the hierarchy itself.

use super::plans::limits;
use crate::checks::process::Process;
use crate::checks::site::Site;
use crate::checks::trial::{PATIENCE, Trial};
use crate::checks::{Fault, Stage};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The group that is made, in others that are not there.
pub const GROUP: &str = "far/above/one";

/// Those, from the top.
pub const TOP: &str = "far";
pub const ABOVE: &str = "far/above";

/// Starts a caller that makes the group with these limits, in the site.
pub fn created(stage: &Stage, site: &Site, said: Value) -> Result<Trial, Fault> {
    let (path, controllers) = (format!("{}/{GROUP}", site.path()), site.controllers().join(" "));
    let words = ["create", &site.mount(), &site.path(), &controllers, &path, &limits(said).to_string()];
    Trial::start(stage, &words)
}

/// A group without limits.
fn made(stage: &Stage, site: &Site) -> Result<Trial, Fault> {
    let mut trial = created(stage, site, json!({}))?;
    trial.caller_says("made", "folders-from-the-top")?;
    Ok(trial)
}

/// Both folders, and no third.
pub fn the_folders(stage: &Stage) -> Result<String, Fault> {
    let site = Site::make()?;
    let _trial = made(stage, &site)?;
    let folder = site.below(GROUP);
    if !folder.join("cgroup.procs").exists() {
        let seen = format!("below {} are: {}", site.path(), site.groups().join(" "));
        return Err(Fault::new(format!("a group at {}", folder.display()), seen, "folders-from-the-top"));
    }
    Ok(folder.display().to_string())
}

/// A process of ours in a group.
fn sleeper(folder: &Path) -> Result<Child, Fault> {
    let mut command = Command::new("sleep");
    let child = command.arg("60").stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
    std::fs::write(folder.join("cgroup.procs"), child.id().to_string())?;
    Ok(child)
}

fn end(mut children: Vec<Child>) {
    for child in &mut children {
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// One in the group, and one in a group that it could have made itself.
pub fn killed(stage: &Stage) -> Result<String, Fault> {
    let site = Site::make()?;
    let mut trial = made(stage, &site)?;
    let below = site.below(GROUP).join("made-inside");
    std::fs::create_dir(&below)?;
    let children = vec![sleeper(&site.below(GROUP))?, sleeper(&below)?];
    trial.outer.say("kill");
    let said = trial.caller_says("killed", "kill-by-one-write");
    let processes: Vec<Process> = children.iter().map(|child| Process(child.id() as i32)).collect();
    let deadline = Instant::now() + PATIENCE;
    while processes.iter().any(|process| process.is_alive()) && Instant::now() < deadline && said.is_ok() {
        std::thread::sleep(Duration::from_millis(2));
    }
    let lives: Vec<bool> = processes.iter().map(|process| process.is_alive()).collect();
    end(children);
    said?;
    match lives.as_slice() {
        [false, false] => Ok("a process in the group and one in a group below ended".into()),
        [true, _] => Err(Fault::new("the group's process ends", "it lives", "kill-by-one-write")),
        _ => Err(Fault::new("the process in a group below ends", "it lives", "kill-by-one-write")),
    }
}

/// How long a process stays in a group that is being removed.
const BUSY: Duration = Duration::from_millis(300);

/// While a process is in it: it is waited for, and left alone.
fn removed_when_empty(stage: &Stage) -> Result<(), Fault> {
    let site = Site::make()?;
    let mut trial = made(stage, &site)?;
    let child = sleeper(&site.below(GROUP))?;
    let process = Process(child.id() as i32);
    trial.outer.say("remove");
    std::thread::sleep(BUSY);
    let is_alive = process.is_alive();
    end(vec![child]);
    if !is_alive {
        return Err(Fault::new("a process in the group is waited for", "it was killed", "busy-for-a-moment"));
    }
    trial.caller_says("removed", "busy-for-a-moment")?;
    Ok(())
}

/// With groups in it that its processes could have made.
pub fn removed(stage: &Stage) -> Result<String, Fault> {
    removed_when_empty(stage)?;
    let site = Site::make()?;
    let mut trial = made(stage, &site)?;
    std::fs::create_dir_all(site.below(GROUP).join("made/inside"))?;
    trial.outer.say("remove");
    trial.caller_says("removed", "those-below-first")?;
    if site.below(GROUP).exists() {
        return Err(Fault::new(
            "the group is gone",
            format!("{} is there", site.below(GROUP).display()),
            "those-below-first",
        ));
    }
    if !site.below(ABOVE).exists() {
        return Err(Fault::new("the group above stays", "it is gone", "those-below-first"));
    }
    Ok("the group and two below are gone, and the one above is there".into())
}
