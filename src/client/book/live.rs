//! The reader's containers as JSON: what was planned, and what the kernel reports. Nothing is compared here; the diagrams do that.
//!
//! The plan is made again from what the container's supervisor was given, by the function that made it then.

use super::super::daemon_calls::{Daemon, encode};
use super::super::failure::{Error, ErrorKind, Result};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// The files of /proc/PID/ns, as namespaces(7) names them.
const KINDS: [&str; 8] = ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"];

/// Every container that runs.
pub fn containers(daemon: &Daemon) -> Result<Vec<u8>> {
    let list = daemon.get("/containers/json", &[])?;
    let containers: Vec<Value> =
        list.as_array().into_iter().flatten().map(|one| container(daemon, one)).collect();
    Ok(json!({ "containers": containers }).to_string().into_bytes())
}

/// One of them; what keeps it from being looked at is said in its place, since the others can be.
fn container(daemon: &Daemon, listed: &Value) -> Value {
    let id = listed["Id"].as_str().unwrap_or_default();
    let name = listed["Names"][0].as_str().unwrap_or_default().trim_start_matches('/');
    let mut container = json!({ "id": id, "name": name, "image": listed["Image"] });
    match facts(daemon, id) {
        Ok(facts) => container["facts"] = facts,
        Err(error) => container["refused"] = error.to_string().into(),
    }
    container
}

fn facts(daemon: &Daemon, id: &str) -> Result<Value> {
    let inspected = daemon.get(&format!("/containers/{}/json", encode(id)), &[])?;
    let pid = inspected["State"]["Pid"].as_i64().unwrap_or_default();
    let process = PathBuf::from(format!("/proc/{pid}"));
    let status = read(&process.join("status"))?;
    let supervisor = PathBuf::from(format!("/proc/{}", field(&status, "PPid:").unwrap_or_default()));
    let plan = plan(&supervisor, id)?;
    Ok(json!({
        "pid": pid,
        "plan": { "root": plan.root, "spawn": plan.spawn },
        "kernel": {
            "mountinfo": read(&process.join("mountinfo"))?,
            "namespaces": namespaces(&process),
            "callers": namespaces(&supervisor),
            "uid_map": read(&process.join("uid_map"))?,
            "gid_map": read(&process.join("gid_map"))?,
            "numbers": field(&status, "NSpid:"),
        },
    }))
}

/// What the supervisor planned: its command line names the folder of what it was given.
fn plan(supervisor: &Path, id: &str) -> Result<runtime::plan::Plan> {
    let command = fs::read(supervisor.join("cmdline")).unwrap_or_default();
    let words: Vec<&str> =
        command.split(|byte| *byte == 0).filter_map(|word| std::str::from_utf8(word).ok()).collect();
    let [_, "supervise", folder, ..] = words[..] else {
        return Err(refused("no supervisor of Coracle's made it, so there is no plan to compare"));
    };
    let bundle = supervisor::bundle(Path::new(folder)).map_err(|failure| refused(&failure.message))?;
    if bundle.id != id {
        return Err(refused("it has ended, and another container has its number"));
    }
    let layout = cgroups::Layout::detect().map_err(|error| refused(&error.to_string()))?;
    runtime::plan::plan(&bundle, &layout).map_err(|error| refused(&error.to_string()))
}

fn refused(why: &str) -> Error {
    Error::new(ErrorKind::Local, why)
}

/// Which namespaces a process is in, `mnt:[4026531841]`; without those that may not be read.
fn namespaces(process: &Path) -> Vec<String> {
    let name = |kind: &&str| fs::read_link(process.join("ns").join(kind)).ok();
    KINDS.iter().filter_map(name).map(|link| link.to_string_lossy().into_owned()).collect()
}

/// The rest of a line of /proc/PID/status.
fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| Error::file("open", &path.display().to_string(), &error))
}
