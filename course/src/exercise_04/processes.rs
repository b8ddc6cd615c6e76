//! Processes that have given privileges away and executed a program, as /proc/PID/status shows them.

use crate::checks::chance::some;
use crate::checks::process::Process;
use crate::checks::trial::{PATIENCE, Trial};
use crate::checks::{Fault, Stage};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// What it takes to cut the sets and to become somebody (capabilities(7)): CAP_SETGID, CAP_SETUID and CAP_SETPCAP.
const TO_CHANGE: u64 = 1 << 6 | 1 << 7 | 1 << 8;
/// CAP_SETGID
const TO_CHOOSE_GROUPS: u64 = 1 << 6;
/// CAP_SETPCAP
const TO_CUT: u64 = 1 << 8;
/// CAP_SYS_ADMIN
const ADMIN: u64 = 1 << 21;

/// Why nobody else can be become, if so.
pub fn nobody_else(stage: &Stage) -> Option<String> {
    (!stage.has_many_ids).then(|| "it takes root to become another user".into())
}

/// A plan in which only this is said.
fn plan(said: Value) -> Value {
    let mut plan = json!({
        "capabilities": null, "no_new_privs": false, "seccomp": null, "rlimits": [], "uid": 0, "gid": 0,
        "additional_gids": null, "umask": null, "oom_score_adj": null, "keyring": null,
        "scheduling": { "scheduler": null, "io_priority": null, "personality": null, "memory_policy": null, "processors": null },
    });
    for (name, value) in said.as_object().into_iter().flatten() {
        plan[name] = value.clone();
    }
    plan
}

fn sets(bounding: u64, own: u64, ambient: u64) -> Value {
    json!({ "bounding": bounding, "effective": own, "permitted": own, "inheritable": ambient, "ambient": ambient })
}

/// A process that has applied the plans, executed a program, and waits.
struct Executed {
    trial: Trial,
    process: Process,
    /// Of the file that it opened.
    file: String,
}

impl Executed {
    fn start(
        stage: &Stage,
        profile: Option<&Value>,
        plans: &[Value],
        hint: &'static str,
    ) -> Result<Executed, Fault> {
        let mut trial = Executed::trial(stage, profile, plans)?;
        let message = trial.caller_says("executed", hint)?;
        let file = message.text.trim_start_matches("executed ").to_string();
        Ok(Executed { trial, process: Process(message.pid), file })
    }

    /// The same where the last plan cannot be carried out: nothing is executed.
    fn refused(stage: &Stage, plans: &[Value], hint: &'static str) -> Result<(), Fault> {
        let said = Executed::trial(stage, None, plans)?.caller_says("refused", hint)?.text;
        if said.starts_with("refused execve") {
            return Err(Fault::new("an error of `apply`", said, hint));
        }
        Ok(())
    }

    /// A process that is told of these plans.
    fn trial(stage: &Stage, profile: Option<&Value>, plans: &[Value]) -> Result<Trial, Fault> {
        let mut words = vec!["apply".to_string(), profile.map(Value::to_string).unwrap_or_default()];
        words.extend(plans.iter().map(Value::to_string));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let start = if stage.is_root() { Trial::start } else { Trial::start_within };
        start(stage, &words)
    }

    /// A line of its status.
    fn line(&self, name: &str) -> Result<String, Fault> {
        let status = self.process.read("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        Ok(line.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" "))
    }

    fn set(&self, name: &str) -> Result<u64, Fault> {
        Ok(u64::from_str_radix(&self.line(name)?, 16).unwrap_or_default())
    }

    fn expect_line(&self, name: &str, expected: &str, hint: &'static str) -> Result<(), Fault> {
        let seen = self.line(name)?;
        if seen == expected {
            return Ok(());
        }
        Err(Fault::new(format!("{name}: {expected}"), format!("{name}: {seen}"), hint))
    }

    fn expect_set(&self, name: &str, expected: u64, hint: &'static str) -> Result<(), Fault> {
        self.expect_line(name, &format!("{expected:016x}"), hint)
    }
}

/// What a process has to which nothing was done.
fn before(stage: &Stage) -> Result<Executed, Fault> {
    Executed::start(stage, None, &[], "not-our-fault")
}

/// Bits, and back.
pub fn named(stage: &Stage) -> Result<String, Fault> {
    let mut trial =
        Trial::start(stage, &["named", "CAP_SETPCAP", "CAP_CHOWN", "CAP_CHECKPOINT_RESTORE", "CAP_CHOWN"])?;
    let said = trial.caller_says("set", "a-bit-for-each")?.text;
    let expected = format!("set {} CAP_CHOWN CAP_SETPCAP CAP_CHECKPOINT_RESTORE", 1u64 | 1 << 8 | 1 << 40);
    if said != expected {
        return Err(Fault::new(expected, said, "a-bit-for-each"));
    }
    let mut trial = Trial::start(stage, &["named", "CAP_CHOWN", "CAP_COURSE"])?;
    let refused = trial.caller_says("refused", "a-bit-for-each")?.text;
    if refused != "refused CAP_COURSE" {
        return Err(Fault::new("the name that is none", refused, "a-bit-for-each"));
    }
    Ok(said)
}

/// Root that drops everything but the ceiling has the ceiling again after execve.
pub fn ceiling(stage: &Stage) -> Result<String, Fault> {
    let all = before(stage)?.set("CapBnd")?;
    let left = some(1, (1 << 40) - 1) & all & !TO_CHANGE;
    let executed = Executed::start(
        stage,
        None,
        &[plan(json!({ "capabilities": sets(left, 0, 0) }))],
        "lower-the-ceiling",
    )?;
    executed.expect_line("NoNewPrivs", "0", "the-switch")?;
    executed.expect_set("CapBnd", left, "lower-the-ceiling")?;
    executed.expect_set("CapEff", left, "lower-the-ceiling")?;
    executed.expect_set("CapInh", 0, "cut-the-sets")?;
    Ok(format!("CapBnd is {left:016x}"))
}

/// With the switch, execve gives nothing back.
pub fn no_more(stage: &Stage) -> Result<String, Fault> {
    let all = before(stage)?.set("CapBnd")?;
    let left = some(1, (1 << 40) - 1) & all;
    let own = left & some(1, (1 << 40) - 1);
    let said = json!({ "capabilities": sets(left, own, 0), "no_new_privs": true });
    let executed = Executed::start(stage, None, &[plan(said)], "cut-the-sets")?;
    executed.expect_line("NoNewPrivs", "1", "the-switch")?;
    executed.expect_set("CapBnd", left, "lower-the-ceiling")?;
    executed.expect_set("CapPrm", own, "cut-the-sets")?;
    executed.expect_set("CapEff", own, "cut-the-sets")?;
    Ok(format!("CapPrm is {own:016x} below a ceiling of {left:016x}"))
}

/// A plan that does not speak of sets.
pub fn unsaid(stage: &Stage) -> Result<String, Fault> {
    let before = before(stage)?;
    let (bounding, effective, filters) =
        (before.set("CapBnd")?, before.set("CapEff")?, before.line("Seccomp_filters")?);
    drop(before);
    let executed = Executed::start(stage, None, &[plan(json!({}))], "only-what-is-said")?;
    executed.expect_set("CapBnd", bounding, "only-what-is-said")?;
    executed.expect_set("CapEff", effective, "only-what-is-said")?;
    executed.expect_line("Seccomp_filters", &filters, "only-what-is-said")?;
    executed.expect_line("NoNewPrivs", "0", "the-switch")?;
    Ok(format!("CapBnd is still {bounding:016x}"))
}

/// Somebody with less is asked for all.
pub fn what_is_there(stage: &Stage) -> Result<String, Fault> {
    let all = before(stage)?.set("CapBnd")?;
    let left = (some(1, (1 << 40) - 1) | TO_CHANGE) & all & !ADMIN;
    // More is below the ceiling than is permitted, and less is effective.
    let mut less = sets(all, left, 0);
    less["effective"] = json!(TO_CHANGE);
    let less = plan(json!({ "capabilities": less }));
    let mut everything = sets(u64::MAX, u64::MAX, u64::MAX);
    everything["ambient"] = json!(0);
    let everything = plan(json!({ "capabilities": everything }));
    let executed = Executed::start(stage, None, &[less, everything], "what-we-have-not")?;
    executed.expect_set("CapBnd", left, "what-we-have-not")?;
    executed.expect_set("CapPrm", left, "what-we-have-not")?;
    executed.expect_set("CapInh", left, "cut-the-sets")?;
    Ok(format!("of everything, {left:016x} is there"))
}

/// Another user, with groups, and nothing else.
pub fn another_user(stage: &Stage) -> Result<String, Fault> {
    let (uid, gid, further) = (some(2000, 1000), some(4000, 1000), some(6000, 1000));
    let said = json!({
        "capabilities": sets(1, 0, 0), "uid": uid, "gid": gid, "additional_gids": [further, further + 1],
    });
    let executed = Executed::start(stage, None, &[plan(said)], "groups-first")?;
    let four = |id: u64| vec![id.to_string(); 4].join(" ");
    executed.expect_line("Groups", &format!("{further} {}", further + 1), "groups-first")?;
    executed.expect_line("Gid", &four(gid), "all-three-ids")?;
    executed.expect_line("Uid", &four(uid), "all-three-ids")?;
    executed.expect_set("CapPrm", 0, "cut-the-sets")?;
    executed.expect_set("CapBnd", 1, "lower-the-ceiling")?;
    Ok(format!("user {uid}, group {gid}"))
}

/// What arrives at another user's program.
pub fn ambient(stage: &Stage) -> Result<String, Fault> {
    let all = before(stage)?.set("CapBnd")?;
    // CAP_CHOWN is always among them: a set of none would arrive by itself.
    let own = some(1, (1 << 40) - 1) & all | 1;
    let kept = own & some(1, (1 << 40) - 1) | 1;
    let said = json!({ "capabilities": sets(own, own, kept), "uid": some(2000, 1000), "no_new_privs": true });
    let executed = Executed::start(stage, None, &[plan(said)], "keep-them-for-a-moment")?;
    for name in ["CapAmb", "CapPrm", "CapEff", "CapInh"] {
        executed.expect_set(name, kept, "ambient-at-the-end")?;
    }
    executed.expect_set("CapBnd", own, "lower-the-ceiling")?;
    Ok(format!("CapAmb is {kept:016x}"))
}

/// Another user whose caller has groups: with a list that is empty, and without one.
pub fn no_groups(stage: &Stage) -> Result<String, Fault> {
    let (uid, gid, further) = (some(2000, 1000), some(4000, 1000), some(6000, 1000));
    let before = plan(json!({ "additional_gids": [further, further + 1] }));
    let four = |id: u64| vec![id.to_string(); 4].join(" ");
    for (list, left) in [(json!([]), String::new()), (Value::Null, format!("{further} {}", further + 1))] {
        let then = plan(json!({ "uid": uid, "gid": gid, "additional_gids": list }));
        let executed = Executed::start(stage, None, &[before.clone(), then], "lists-and-groups")?;
        executed.expect_line("Groups", &left, "lists-and-groups")?;
        executed.expect_line("Gid", &four(gid), "lists-and-groups")?;
        executed.expect_line("Uid", &four(uid), "all-three-ids")?;
    }
    Ok(format!("group {gid}, and of {further} what the plan says"))
}

/// The caller has an ambient set, which its program would have as well.
pub fn ambient_goes(stage: &Stage) -> Result<String, Fault> {
    let all = before(stage)?.set("CapBnd")?;
    // What stays permitted and inheritable stays ambient, until somebody empties that set.
    let before = plan(json!({ "capabilities": sets(all, all, 1) }));
    let mut without = sets(all, all, 1);
    without["ambient"] = json!(0);
    let then = plan(json!({ "capabilities": without }));
    let executed = Executed::start(stage, None, &[before, then], "ambient-at-the-end")?;
    executed.expect_set("CapAmb", 0, "empty-it-first")?;
    executed.expect_set("CapInh", 1, "cut-the-sets")?;
    Ok("CapAmb is empty".into())
}

/// A profile for this machine that allows all but these.
fn profile(rules: &Value) -> Value {
    let native = if cfg!(target_arch = "aarch64") { "Aarch64" } else { "X86_64" };
    json!({ "default_action": "Allow", "beyond": null, "architectures": [native], "rules": rules, "flags": 0 })
}

/// A filter that refuses what comes before it.
pub fn filter_last(stage: &Stage) -> Result<String, Fault> {
    let refused =
        json!({ "names": ["capset", "setresuid", "setresgid"], "action": { "Errno": 1 }, "conditions": [] });
    let number: u32 = before(stage)?.line("Seccomp_filters")?.parse().unwrap_or_default();
    let said = json!({ "capabilities": sets(1, 1, 0), "no_new_privs": true });
    let executed =
        Executed::start(stage, Some(&profile(&json!([refused]))), &[plan(said)], "the-filter-last")?;
    executed.expect_line("NoNewPrivs", "1", "the-switch")?;
    executed.expect_line("Seccomp", "2", "load-the-filter")?;
    executed.expect_line("Seccomp_filters", &(number + 1).to_string(), "load-the-filter")?;
    Ok("a filter that refuses capset, and sets that were cut".into())
}

/// Without the switch it takes a capability, which goes.
pub fn filter_first(stage: &Stage) -> Result<String, Fault> {
    let somebody = stage.has_many_ids.then(|| some(2000, 1000));
    for uid in [0].into_iter().chain(somebody) {
        let said = plan(json!({ "capabilities": sets(1, 1, 0), "uid": uid }));
        let executed = Executed::start(stage, Some(&profile(&json!([]))), &[said], "without-the-switch")?;
        executed.expect_line("NoNewPrivs", "0", "the-switch")?;
        executed.expect_line("Seccomp", "2", "load-the-filter")?;
        executed.expect_set("CapBnd", 1, "lower-the-ceiling")?;
    }
    Ok("a filter, no switch, and one capability".into())
}

/// A limit and a umask; the filter refuses limits, which are read by the same call.
pub fn along(stage: &Stage) -> Result<String, Fault> {
    let (files, hint) = (some(64, 64), "what-comes-along");
    let is_written = json!({ "index": 2, "comparison": "NotEqual", "value": 0 });
    let rules = json!([
        { "names": ["setrlimit"], "action": { "Errno": 1 }, "conditions": [] },
        { "names": ["prlimit64"], "action": { "Errno": 1 }, "conditions": [is_written] },
    ]);
    let limit = json!({ "kind": "RLIMIT_NOFILE", "soft": files, "hard": files });
    let said = plan(json!({ "no_new_privs": true, "umask": 0o27, "rlimits": [limit] }));
    let executed = Executed::start(stage, Some(&profile(&rules)), &[said], hint)?;
    executed.expect_line("Umask", "0027", hint)?;
    let limits = executed.process.read("limits")?;
    let seen = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap_or_default();
    let seen = seen.split_whitespace().collect::<Vec<_>>().join(" ");
    if seen != format!("{files} {files} files") {
        return Err(Fault::new(format!("Max open files: {files} {files} files"), seen, hint));
    }
    Ok(format!("a umask of 0027, and {files} files"))
}

/// Calls that are made or not: where a file is read next says so, and the folder in which the process is.
pub fn refused(stage: &Stage) -> Result<String, Fault> {
    let place = some(1 << 33, 1 << 40);
    let condition = json!({ "index": 1, "comparison": "Equal", "value": place });
    let rules = json!([
        { "names": ["chdir"], "action": { "Errno": 1 }, "conditions": [] },
        { "names": ["lseek"], "action": { "Errno": 1 }, "conditions": [condition] },
    ]);
    let said = json!({ "no_new_privs": true });
    let mut executed = Executed::start(stage, Some(&profile(&rules)), &[plan(said)], "load-the-filter")?;
    let mut order = |text: String| {
        executed.trial.outer.say(&text);
        executed.trial.caller_says("tried", "load-the-filter").map(drop)
    };
    order("enter /proc".into())?;
    order(format!("seek {}", place ^ 1))?;
    order(format!("seek {place}"))?;
    let folder = std::fs::read_link(format!("/proc/{}/cwd", executed.process.0))?;
    if folder.as_os_str() != "/" {
        return Err(Fault::new("the process is in /", folder.display().to_string(), "load-the-filter"));
    }
    let information = executed.process.read(&format!("fdinfo/{}", executed.file))?;
    let position =
        information.lines().find_map(|line| line.strip_prefix("pos:")).unwrap_or_default().trim().to_string();
    if position != (place ^ 1).to_string() {
        let hint = if position == "0" { "when-none-holds" } else { "load-the-filter" };
        return Err(Fault::new(format!("pos: {}", place ^ 1), format!("pos: {position}"), hint));
    }
    Ok(format!("chdir and lseek to {place} were refused"))
}

/// A call that ends the process.
pub fn ended(stage: &Stage) -> Result<String, Fault> {
    let rules = json!([{ "names": ["chdir"], "action": "KillProcess", "conditions": [] }]);
    let said = json!({ "no_new_privs": true });
    let executed = Executed::start(stage, Some(&profile(&rules)), &[plan(said)], "load-the-filter")?;
    executed.trial.outer.say("enter /proc");
    let deadline = Instant::now() + PATIENCE;
    while executed.process.is_alive() {
        if Instant::now() > deadline {
            return Err(Fault::new("the process has ended", "it lives", "load-the-filter"));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok("the process has ended".into())
}

/// Plans of which one step cannot be done, whoever asks for it.
pub fn not_halfway(stage: &Stage) -> Result<String, Fault> {
    let all = before(stage)?.set("CapBnd")?;
    let without =
        |capability: u64| plan(json!({ "capabilities": sets(all & !capability, all & !capability, 0) }));
    let beyond_its_end = json!({ "instructions": [{ "code": 5, "jt": 0, "jf": 0, "k": 1 }], "flags": 0 });
    let mut not_inheritable = sets(all, all, 1);
    not_inheritable["inheritable"] = json!(0);
    let filter = plan(json!({ "no_new_privs": true, "seccomp": beyond_its_end }));
    let groups = plan(json!({ "additional_gids": [some(2000, 1000)] }));
    let ceiling = plan(json!({ "capabilities": sets(1, 1, 0) }));
    for (plans, hint) in [
        (vec![filter], "an-error-is-told"),
        (vec![without(TO_CHOOSE_GROUPS), groups], "an-error-is-told"),
        (vec![without(TO_CUT), ceiling], "an-error-is-told"),
        (vec![plan(json!({ "capabilities": not_inheritable }))], "ambient-at-the-end"),
        (vec![plan(json!({ "uid": u32::MAX }))], "nobodys-number"),
        (vec![plan(json!({ "gid": u32::MAX }))], "nobodys-number"),
    ] {
        Executed::refused(stage, &plans, hint)?;
    }
    Ok("six plans were refused, and no program was executed".into())
}

/// A filter that asks about a call, and a descriptor that the program still has.
pub fn listener(stage: &Stage) -> Result<String, Fault> {
    let asked = json!({ "names": ["chdir"], "action": "Notify", "conditions": [] });
    for no_new_privs in [true, false] {
        let said = plan(json!({ "no_new_privs": no_new_privs }));
        let executed =
            Executed::start(stage, Some(&profile(&json!([asked]))), &[said], "hand-the-listener-over")?;
        let files = executed.process.open_files()?;
        if !files.iter().any(|file| file.target == "anon_inode:seccomp notify") {
            let expected = format!("a listener is handed over, no_new_privs: {no_new_privs}");
            return Err(Fault::new(expected, "there is none", "hand-the-listener-over"));
        }
    }
    Ok("both places hand the listener over".into())
}
