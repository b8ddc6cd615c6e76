//! What `plan` says, for numbers that change from run to run; what it should say is computed here once more.

use crate::checks::chance::some;
use crate::checks::trial::Trial;
use crate::checks::{Fault, Stage};
use serde_json::{Value, json};

/// A machine that has everything.
const EVERYTHING: &str = "cpuset cpu io memory pids hugetlb";

/// Limits in which only this is said.
pub fn limits(said: Value) -> Value {
    let mut limits = json!({
        "disks": { "weight_devices": [], "read_bytes": [], "write_bytes": [], "read_operations": [], "write_operations": [] },
        "hugetlb": {},
        "devices": [],
        "unified": {},
    });
    for (name, value) in said.as_object().into_iter().flatten() {
        limits[name] = value.clone();
    }
    limits
}

/// The steps as lines, `file value`.
fn planned(stage: &Stage, said: Value) -> Result<Vec<String>, Fault> {
    let mut trial = Trial::start(stage, &["plan", EVERYTHING, &limits(said).to_string()])?;
    let text = trial.caller_says("planned", "plan-what-is-said")?.text;
    let steps: Value = serde_json::from_str(text.trim_start_matches("planned ")).unwrap_or_default();
    let line = |step: &Value| {
        let word = |name: &str| step["Write"][name].as_str().unwrap_or("?").to_string();
        // A limit that is true anyway may be passed over where there is no such file; any other must be refused.
        let or = if step["Write"]["otherwise"] == "PassOver" {
            ", passed over where the file is missing"
        } else {
            ""
        };
        format!("{} {}{or}", word("file"), word("value"))
    };
    Ok(steps.as_array().into_iter().flatten().map(line).collect())
}

fn expect(stage: &Stage, said: Value, expected: &[String], hint: &'static str) -> Result<String, Fault> {
    let seen = planned(stage, said)?;
    if seen == expected {
        return Ok(seen.join(", "));
    }
    let said =
        |lines: &[String]| if lines.is_empty() { "nothing is written".into() } else { lines.join(", ") };
    Err(Fault::new(said(expected), said(&seen), hint))
}

/// The limit, what is spared, and the difference.
pub fn memory_and_swap(stage: &Stage) -> Result<String, Fault> {
    let (memory, swap, spared) = (some(1 << 24, 1 << 20), some(1 << 20, 1 << 19), some(1 << 16, 1 << 15));
    let line = |file: &str, value: u64| format!("memory.{file} {value}");
    let said = json!({ "memory": memory, "memory_swap": memory + swap, "memory_reservation": spared });
    let expected = [line("max", memory), line("low", spared), line("swap.max", swap)];
    expect(stage, said, &expected, "swap-is-a-difference")?;
    let none = json!({ "memory": memory, "memory_swap": memory });
    let nothing = line("swap.max", 0) + ", passed over where the file is missing";
    expect(stage, none, &[line("max", memory), nothing], "what-is-true-anyway")?;
    let unlimited = json!({ "memory": memory, "memory_swap": -1 });
    expect(
        stage,
        unlimited,
        &[line("max", memory), "memory.swap.max max, passed over where the file is missing".into()],
        "minus-one-is-no-limit",
    )?;
    expect(stage, json!({ "memory": memory }), &[line("max", memory)], "zero-is-not-said")
}

/// Without a limit of memory, and below it.
pub fn senseless_swap(stage: &Stage) -> Result<String, Fault> {
    let memory = some(1 << 24, 1 << 20);
    for said in [json!({ "memory_swap": memory }), json!({ "memory": memory, "memory_swap": memory - 1 })] {
        let mut trial = Trial::start(stage, &["plan", EVERYTHING, &limits(said.clone()).to_string()])?;
        let expected = format!("{said} is refused");
        let refused = trial.caller_says("refused", "refuse-senseless-swap");
        refused.map_err(|fault| Fault { expected, ..fault })?;
    }
    Ok("swap alone, and less than memory: refused".into())
}

/// Both ends, what is beyond them, and one between.
pub fn shares(stage: &Stage) -> Result<String, Fault> {
    let between = some(1025, 200_000);
    let line = |shares: u64| 1 + (shares - 2) * 9999 / 262_142;
    let cases = [(2, 1), (262_144, 10_000), (1, 1), (300_000, 10_000), (1024, 39), (between, line(between))];
    for (shares, weight) in cases {
        let expected = [format!("cpu.weight {weight}")];
        expect(stage, json!({ "cpu_shares": shares }), &expected, "a-straight-line")
            .map_err(|fault| Fault { expected: format!("{} of {shares} shares", fault.expected), ..fault })?;
    }
    Ok(format!("{between} shares become weight {}", line(between)))
}

/// A quota with and without its period; and an idle group.
pub fn processor_time(stage: &Stage) -> Result<String, Fault> {
    let (quota, period, burst) = (some(10_000, 9000), some(50_000, 9000), some(1000, 900));
    let max = |quota: &str, period: u64| format!("cpu.max {quota} {period}");
    let burst_line = format!("cpu.max.burst {burst}");
    let said = json!({ "cpu_quota": quota, "cpu_period": period, "cpu_burst": burst, "cpu_shares": 262_144 });
    let expected = ["cpu.weight 10000".into(), max(&quota.to_string(), period), burst_line];
    expect(stage, said, &expected, "the-kernels-order")?;
    let alone = json!({ "cpu_quota": quota });
    expect(stage, alone, &[max(&quota.to_string(), 100_000)], "quota-and-period")?;
    expect(stage, json!({ "cpu_period": period }), &[max("max", period)], "quota-and-period")?;
    expect(stage, json!({ "cpu_quota": -1 }), &[max("max", 100_000)], "minus-one-is-no-limit")?;
    let idle = json!({ "cpu_idle": 1, "cpu_shares": 512, "cpu_quota": quota });
    expect(stage, idle, &["cpu.idle 1".into(), max(&quota.to_string(), 100_000)], "the-kernels-order")
}

/// Which, and how many.
pub fn the_rest(stage: &Stage) -> Result<String, Fault> {
    let (processor, pids) = (some(0, 64), some(10, 1000));
    let said = json!({ "cpuset_cpus": format!("0,{processor}"), "cpuset_mems": "0", "pids": pids });
    let expected = [format!("cpuset.cpus 0,{processor}"), "cpuset.mems 0".into(), format!("pids.max {pids}")];
    expect(stage, said, &expected, "plan-what-is-said")
}

/// Nothing of it is a limit.
pub fn unsaid(stage: &Stage) -> Result<String, Fault> {
    let zero = json!({
        "memory": 0, "memory_swap": 0, "memory_reservation": 0, "cpu_quota": 0, "cpu_period": 0, "cpu_shares": 0,
        "pids": 0, "cpuset_cpus": "", "cpuset_mems": "",
    });
    expect(stage, zero, &[], "zero-is-not-said")?;
    let unlimited = json!({ "memory": -1, "pids": -1 });
    let lines =
        ["memory.max max", "memory.swap.max max, passed over where the file is missing", "pids.max max"]
            .map(String::from);
    expect(stage, unlimited, &lines, "minus-one-is-no-limit")
}
