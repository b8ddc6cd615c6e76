//! Hooks of all six kinds: in their order, in their namespaces, with the state on their standard input; and what a failure does.

use super::site::{Site, eventually};
use serde_json::{Value, json};
use std::process::Stdio;

const KINDS: [&str; 6] =
    ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"];

/// A shell on the host; the container's root has one at the same place.
fn hook(script: &str) -> Value {
    json!({"path": "/bin/sh", "args": ["sh", "-c", script], "env": ["PATH=/bin:/usr/bin"]})
}

/// A hook that leaves its kind, its state and its mount namespace in a file that is the same inside and outside.
fn recording(site: &Site, kind: &str) -> Value {
    let folder =
        if kind == "startContainer" { "/".into() } else { format!("{}/rootfs/", site.folder.display()) };
    let namespace = "/proc/self/ns/mnt";
    hook(&format!(
        "s=$(cat); n=$(readlink {namespace}); r=no; [ -e {folder}proc/self ] && r=yes; \
         echo \"{{\\\"kind\\\": \\\"{kind}\\\", \\\"state\\\": $s, \\\"mnt\\\": \\\"$n\\\", \\\"mounted\\\": \\\"$r\\\"}}\" >> {folder}record"
    ))
}

fn records(site: &Site) -> Vec<Value> {
    let text = std::fs::read_to_string(site.folder.join("rootfs/record")).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

fn with_hooks(name: &str, script: &str, change: impl Fn(&mut Value)) -> Option<Site> {
    let mut site = Site::new(name, script)?;
    std::os::unix::fs::symlink("busybox", site.folder.join("rootfs/bin/readlink")).unwrap();
    let lists = KINDS.map(|kind| (kind.to_string(), json!([recording(&site, kind)])));
    site.spec["hooks"] = Value::Object(lists.into_iter().collect());
    site.spec["annotations"] = json!({"org.example.key": "value"});
    change(&mut site.spec["hooks"]);
    site.write();
    Some(site)
}

fn kinds(site: &Site) -> Vec<String> {
    records(site).iter().map(|record| record["kind"].as_str().unwrap().into()).collect()
}

#[test]
fn each_at_its_time_in_its_place_with_the_state() {
    let Some(site) = with_hooks("hooks", "echo > /started; sleep 100", |_| {}) else { return };
    site.ok(&["create", "--pid-file", "pid", "ID"]);
    assert_eq!(kinds(&site), KINDS[..3]);
    site.ok(&["start", "ID"]);
    assert_eq!(kinds(&site), KINDS[..5], "the fifth before start returns");
    site.ok(&["delete", "--force", "ID"]);
    assert_eq!(kinds(&site), KINDS);
    let records = records(&site);
    let statuses: Vec<&str> = records.iter().map(|one| one["state"]["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["creating", "creating", "creating", "created", "running", "stopped"]);
    let pid: i32 = std::fs::read_to_string(site.folder.join("pid")).unwrap().parse().unwrap();
    let own = std::fs::read_link("/proc/self/ns/mnt").unwrap().display().to_string();
    for (index, record) in records.iter().enumerate() {
        let state = &record["state"];
        assert_eq!(state["pid"], json!(if index == 5 { 0 } else { pid }), "{record}");
        assert_eq!((&state["id"], &state["bundle"]), (&json!(site.id), &json!(site.folder)), "{record}");
        assert_eq!(state["annotations"]["org.example.key"], "value");
        let is_inside = index == 2 || index == 3;
        assert_eq!(record["mnt"] == json!(own), !is_inside, "{record}");
        // /proc is mounted before createContainer, which sees the container's mounts; the host's hooks do not.
        assert_eq!(record["mounted"] == "yes", is_inside, "{record}");
    }
}

#[test]
fn a_hook_of_create_that_fails_leaves_nothing_but_the_work_of_poststop() {
    for (kind, index) in [("prestart", 1), ("createRuntime", 2), ("createContainer", 3)] {
        let fails =
            |hooks: &mut Value| hooks[kind].as_array_mut().unwrap().push(hook("echo because >&2; exit 3"));
        let Some(site) = with_hooks(&format!("fails-{kind}"), "true", fails) else { return };
        for verb in ["create", "run"] {
            let refusal = site.refused(&[verb, "ID"]);
            let expected = format!("error running {kind} hook #1 (/bin/sh): exit status: 3, output: because");
            assert!(
                refusal.starts_with(&format!("coracle-oci: error: {verb} failed: "))
                    && refusal.ends_with(&expected),
                "{refusal}"
            );
            site.nothing_is_left();
            let expected: Vec<&str> = KINDS[..index].iter().chain(&KINDS[5..]).copied().collect();
            assert_eq!(kinds(&site), expected);
            std::fs::remove_file(site.folder.join("rootfs/record")).unwrap();
        }
    }
}

#[test]
fn a_hook_of_start_that_fails_stops_the_container() {
    for kind in ["startContainer", "poststart"] {
        let name = format!("fails-{kind}");
        let Some(mut site) = with_hooks(&name, "echo > /started; sleep 100", |_| {}) else { return };
        let started = site.folder.join("rootfs/started");
        // After the start it has a command that does something; before, it will never.
        let wait = format!("[ {kind} = startContainer ] || while ! [ -e {} ]; do :; done", started.display());
        site.spec["hooks"][kind] = json!([hook(&format!("{wait}; exit 4")), hook("exit 5")]);
        site.write();
        site.ok(&["create", "ID"]);
        let refusal = site.refused(&["start", "ID"]);
        assert!(
            refusal.contains(&format!("error running {kind} hook #0 (/bin/sh): exit status: 4")),
            "{refusal}"
        );
        eventually("it is stopped", || site.status() == "stopped");
        assert_eq!(started.exists(), kind == "poststart");
        site.ok(&["delete", "ID"]);
        site.nothing_is_left();
        assert_eq!(kinds(&site).last().unwrap(), "poststop");
    }
}

#[test]
fn a_hook_after_the_end_that_fails_is_a_warning() {
    let fails = |hooks: &mut Value| hooks["poststop"].as_array_mut().unwrap().insert(1, hook("exit 6"));
    let Some(site) = with_hooks("poststop", "true", fails) else { return };
    let (code, _, stderr) = site.run(&["run", "ID"]);
    assert_eq!(code, 0);
    assert!(stderr.contains("warning: error running poststop hook #1 (/bin/sh): exit status: 6"), "{stderr}");
    assert_eq!(kinds(&site), KINDS, "the next one ran all the same");
}

#[test]
fn a_hook_that_does_not_end_is_killed_and_may_look_at_its_container() {
    let slow = |hooks: &mut Value| {
        hooks["createRuntime"] = json!([{"path": "/bin/sleep", "args": ["sleep", "100"], "timeout": 1}])
    };
    let Some(mut site) = with_hooks("timeout", "true", slow) else { return };
    assert!(site.refused(&["create", "ID"]).contains("timeout of 1s"));
    // The command that makes the container holds its lock: to look at it takes none.
    let look = format!(
        "{0} --root {1}/state state {2} > {1}/seen",
        site.executable.display(),
        site.folder.display(),
        site.id
    );
    site.spec["hooks"] = json!({"createRuntime": [hook(&look)]});
    site.write();
    site.ok(&["create", "ID"]);
    let seen: Value = serde_json::from_slice(&std::fs::read(site.folder.join("seen")).unwrap()).unwrap();
    assert_eq!(seen["status"], "creating");
    site.ok(&["delete", "ID"]);
}

/// Whoever makes a container holds its lock, and so does the process that is being made, as long as hooks run.
#[test]
fn a_kill_while_hooks_run_leaves_what_a_delete_finds() {
    for kind in ["createRuntime", "createContainer"] {
        let Some(mut site) = Site::new(&format!("kill-{kind}"), "true") else { return };
        let reached = site.folder.join("reached");
        let script = format!("echo $$ > {}; exec sleep 1000", reached.display());
        site.spec["hooks"] = json!({kind: [hook(&script)]});
        site.write();
        let mut create = site.command(&["create", &site.id]).stdout(Stdio::null()).spawn().unwrap();
        let number =
            || std::fs::read_to_string(&reached).ok().and_then(|text| text.trim().parse::<i32>().ok());
        eventually("the hook runs", || number().is_some());
        create.kill().unwrap();
        create.wait().unwrap();
        let mut start = site.command(&["start", &site.id]).stderr(Stdio::null()).spawn().unwrap();
        eventually("start does not wait for ever", || start.try_wait().unwrap().is_some());
        assert!(!start.wait().unwrap().success());
        site.ok(&["delete", "--force", "ID"]);
        site.nothing_is_left();
        // The runtime's hook is nobody's child any more; the container's was in its PID namespace, and has ended with that.
        if kind == "createRuntime" {
            let hook = rustix::process::Pid::from_raw(number().unwrap()).unwrap();
            rustix::process::kill_process(hook, rustix::process::Signal::KILL).unwrap();
        }
        site.processes_end().unwrap();
    }
}

#[test]
fn what_is_wrong_is_refused_before_anything_is_made() {
    let Some(mut site) = Site::new("wrong", "true") else { return };
    for (wrong, why) in [
        (json!({"path": "bin/true"}), "hooks.poststop[0].path \"bin/true\": must be an absolute path"),
        (
            json!({"path": "/x", "timeout": 0}),
            "hooks.poststop[0].timeout 0: must be a number of seconds greater than zero",
        ),
        (json!({"path": "/x", "env": ["X"]}), "hooks.poststop[0].env \"X\": must be NAME=value"),
    ] {
        site.spec["hooks"] = json!({"poststop": [wrong]});
        site.write();
        assert!(site.refused(&["create", "ID"]).ends_with(why), "{why}");
        site.nothing_is_left();
    }
}

#[test]
fn a_hook_in_the_container_has_the_environment_of_its_process_unless_it_names_one() {
    let Some(mut site) = Site::new("hook-env", "true") else { return };
    site.spec["process"]["env"] = json!(["PATH=/bin", "WHOSE=the process"]);
    let says = |script: &str| json!({"path": "/bin/sh", "args": ["sh", "-c", script]});
    let mut named = says("echo second: $WHOSE $OWN >> /said");
    named["env"] = json!(["OWN=the hook"]);
    let outside = says(&format!("echo outside: $WHOSE $HOME > {}/rootfs/said", site.folder.display()));
    site.spec["hooks"] =
        json!({"createRuntime": [outside], "startContainer": [says("echo first: $WHOSE >> /said"), named]});
    site.write();
    site.ok(&["run", "ID"]);
    let said = std::fs::read_to_string(site.folder.join("rootfs/said")).unwrap();
    assert_eq!(said, "outside:\nfirst: the process\nsecond: the hook\n");
}
