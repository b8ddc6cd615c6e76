//! Limits in the kernel's own files. Which of them there are depends on the machine: where version 1 has the controllers, version 2
//! still has large pages to give.

use super::groups::{ABOVE, GROUP, TOP, created};
use crate::checks::site::{Site, words};
use crate::checks::{Fault, Stage, group};
use serde_json::{Value, json};

/// Why nothing can be limited here, if so.
pub fn no_controller(stage: &Stage) -> Option<String> {
    if let Some(why) = group::no_group(stage) {
        return Some(why);
    }
    let site = Site::make().ok()?;
    let why =
        "no controller of cgroup v2 can be passed on here: all are bound to v1, or nobody delegated them";
    (wanted(&site).is_empty()).then(|| why.into())
}

/// A limit for each controller that reaches the site: what is said, the file, and its text.
fn wanted(site: &Site) -> Vec<(&'static str, Value, String, String)> {
    let has = |name: &str| site.controllers().iter().any(|own| own == name);
    let number = 20 + u64::from(std::process::id() % 40);
    let memory = number << 20;
    let mut wanted = Vec::new();
    if has("memory") {
        wanted.push(("memory", json!(memory), "memory.max".into(), memory.to_string()));
    }
    if has("pids") {
        wanted.push(("pids", json!(number), "pids.max".into(), number.to_string()));
    }
    if has("cpu") {
        wanted.push((
            "cpu_quota",
            json!(number * 1000),
            "cpu.max".into(),
            format!("{} 100000", number * 1000),
        ));
    }
    if let Some(size) = pages().filter(|_| has("hugetlb")) {
        let bytes = (number % 7 + 1) * size.1;
        wanted.push((
            "hugetlb",
            json!({ size.0.clone(): bytes }),
            format!("hugetlb.{}.max", size.0),
            bytes.to_string(),
        ));
    }
    wanted
}

/// A size of large pages, as the files name it, and its bytes.
fn pages() -> Option<(String, u64)> {
    let entries = std::fs::read_dir("/sys/kernel/mm/hugepages").ok()?;
    let kilobytes = |name: &str| name.strip_prefix("hugepages-")?.strip_suffix("kB")?.parse::<u64>().ok();
    let mut sizes: Vec<u64> =
        entries.flatten().filter_map(|entry| kilobytes(&entry.file_name().to_string_lossy())).collect();
    sizes.sort_unstable();
    let size = *sizes.first()?;
    let name = if size >= 1 << 20 { format!("{}GB", size >> 20) } else { format!("{}MB", size >> 10) };
    Some((name, size << 10))
}

fn said(site: &Site) -> Value {
    let mut said = json!({});
    for (name, value, ..) in wanted(site) {
        said[name] = value;
    }
    said
}

/// Seen by cgroup.controllers of the group.
pub fn passed_on(stage: &Stage) -> Result<String, Fault> {
    let site = Site::make()?;
    let mut trial = created(stage, &site, said(&site))?;
    trial.caller_says("made", "pass-on-from-the-top")?;
    let (seen, expected) = (words(&site.below(GROUP), "cgroup.controllers"), site.controllers());
    if let Some(missing) = expected.iter().find(|one| !seen.contains(one)) {
        let seen = format!("cgroup.controllers: {}", seen.join(" "));
        return Err(Fault::new(format!("{missing} reaches the group"), seen, "pass-on-from-the-top"));
    }
    Ok(format!("{} reach the group", seen.join(", ")))
}

/// Seen by the files.
pub fn limits(stage: &Stage) -> Result<String, Fault> {
    let site = Site::make()?;
    let mut trial = created(stage, &site, said(&site))?;
    trial.caller_says("made", "write-what-is-planned")?;
    let mut seen = Vec::new();
    for (_, _, file, expected) in wanted(&site) {
        let text = std::fs::read_to_string(site.below(GROUP).join(&file)).unwrap_or_default();
        if text.trim() != expected {
            return Err(Fault::new(
                format!("{file}: {expected}"),
                format!("{file}: {}", text.trim()),
                "write-what-is-planned",
            ));
        }
        seen.push(format!("{file} is {expected}"));
    }
    Ok(seen.join(", "))
}

/// A depth that is no number, which every kernel refuses.
pub fn nothing_is_left(stage: &Stage) -> Result<String, Fault> {
    for was_there in [false, true] {
        let site = Site::make()?;
        if was_there {
            std::fs::create_dir_all(site.below(ABOVE))?;
        }
        let mut trial = created(stage, &site, json!({ "unified": { "cgroup.max.depth": "deep" } }))?;
        let refused = trial.caller_says("refused", "take-back-what-was-made")?.text;
        if !["cgroup.max.depth", "deep", "EINVAL"].iter().all(|word| refused.contains(word)) {
            return Err(Fault::new(
                "an error that names the file, the value and EINVAL",
                refused,
                "name-the-call",
            ));
        }
        let all = [TOP, ABOVE, GROUP];
        let left: Vec<&str> = all.into_iter().filter(|group| site.below(group).exists()).collect();
        let expected = if was_there { vec![TOP, ABOVE] } else { Vec::new() };
        if left != expected {
            let said = format!("the groups that were there before: {expected:?}");
            return Err(Fault::new(said, format!("{left:?}"), "take-back-what-was-made"));
        }
    }
    Ok("nothing is left but what was there before".into())
}

/// A file that no kernel has.
pub fn no_such_file(stage: &Stage) -> Result<String, Fault> {
    let site = Site::make()?;
    let mut trial = created(stage, &site, json!({ "unified": { "cgroup.course": "1" } }))?;
    let refused = trial.caller_says("refused", "only-what-is-there")?.text;
    if !(refused.contains("NotSupported") && refused.contains("cgroup.course")) {
        return Err(Fault::new("NotSupported, and the file's name", refused, "only-what-is-there"));
    }
    Ok(refused)
}
