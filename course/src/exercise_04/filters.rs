//! What the compiler's programs answer, for numbers that change from run to run.

use super::machine::{Call, Filter};
use super::words;
use crate::checks::chance::some;
use crate::checks::{Fault, Stage};
use serde_json::{Value, json};

/// The chapter's own table, for profiles that name everything.
const CALLS: &str = include_str!("../../../chapters/04-privileges/src/seccomp/tables/x86_64.txt");

pub const X86_64: u32 = 0xc000_003e;
pub const I386: u32 = 0x4000_0003;
pub const X32_BIT: u32 = 0x4000_0000;
const ALLOW: u32 = 0x7fff_0000;
const KILL: u32 = 0x8000_0000;
const EPERM: u32 = errno(1);
const ENOSYS: u32 = errno(38);

const fn errno(number: u32) -> u32 {
    0x0005_0000 | number
}

/// A profile of 64-bit x86 that refuses what no rule names.
fn profile(rules: &Value) -> Value {
    json!({ "default_action": { "Errno": 1 }, "beyond": null, "architectures": ["X86_64"], "rules": rules, "flags": 0 })
}

fn rule(names: &[&str], action: &Value, conditions: &[Value]) -> Value {
    json!({ "names": names, "action": action, "conditions": conditions })
}

/// That an argument is this.
fn equal(index: u32, value: u64) -> Value {
    json!({ "index": index, "comparison": "Equal", "value": value })
}

/// A call of 64-bit x86.
fn call(number: u32, arguments: [u64; 2]) -> Call {
    Call { audit: X86_64, number, arguments }
}

fn spelled(answer: Option<(u32, usize)>) -> String {
    match answer.map(|(value, _)| value) {
        None => "a program that the kernel refuses".into(),
        Some(ALLOW) => "allowed".into(),
        Some(KILL) => "the end of the process".into(),
        Some(value) if value >> 16 == 5 => format!("errno {}", value & 0xffff),
        Some(value) => format!("{value:#x}"),
    }
}

fn expect(filter: &Filter, call: Call, expected: u32, hint: &'static str) -> Result<(), Fault> {
    let seen = filter.answer(call);
    if seen.is_some_and(|(value, _)| value == expected) {
        return Ok(());
    }
    let (call, expected) = (words::call(call), spelled(Some((expected, 0))));
    let expected = format!("{call}: {expected}; the profile says: {}", words::profile(filter.profile()));
    Err(Fault::new(expected, spelled(seen), hint))
}

/// Two that are allowed, one that answers otherwise, and all around them.
pub fn by_number(stage: &Stage) -> Result<String, Fault> {
    let own = some(2, 100);
    let rules = json!([
        rule(&["read", "close", "lseek"], &json!("Allow"), &[]),
        rule(&["poll"], &json!({ "Errno": own }), &[])
    ]);
    let filter = Filter::of(stage, &profile(&rules))?;
    for number in 0..500 {
        let expected = match number {
            0 | 3 | 8 => ALLOW,
            7 => errno(own as u32),
            _ => EPERM,
        };
        expect(&filter, call(number, [0, 0]), expected, "where-a-range-ends")?;
    }
    expect(&filter, Call { audit: I386, ..call(0, [0, 0]) }, KILL, "where-a-range-ends")?;
    // `waitpid` is a call of 32 bits.
    let rules = json!([rule(&["read", "waitpid", "close"], &json!("Allow"), &[])]);
    let filter = Filter::of(stage, &profile(&rules))?;
    for (number, expected) in [(0, ALLOW), (3, ALLOW), (7, EPERM)] {
        expect(&filter, call(number, [0, 0]), expected, "names-of-others")?;
    }
    Ok(format!("close is allowed, poll answers {own}, stat is refused"))
}

/// One without conditions decides; else the first that holds.
pub fn which_rule(stage: &Stage) -> Result<String, Fault> {
    let (value, one, two) = (some(1, 1 << 40), some(2, 50), some(60, 30));
    let (first, second) = (json!({ "Errno": one }), json!({ "Errno": two }));
    let rules = json!([
        rule(&["read", "write"], &first, &[equal(0, value)]),
        rule(&["read"], &second, &[equal(1, 7)]),
        rule(&["write"], &json!("Allow"), &[]),
        rule(&["write"], &second, &[]),
        rule(&["lseek"], &first, &[]),
        rule(&["lseek"], &second, &[equal(0, value)])
    ]);
    let filter = Filter::of(stage, &profile(&rules))?;
    let hint = "the-first-that-holds";
    expect(&filter, call(0, [value, 7]), errno(one as u32), hint)?;
    expect(&filter, call(0, [value ^ 1, 7]), errno(two as u32), hint)?;
    expect(&filter, call(0, [value ^ 1, 8]), EPERM, hint)?;
    expect(&filter, call(1, [value, 7]), ALLOW, "without-conditions-decides")?;
    expect(&filter, call(1, [0, 0]), ALLOW, "without-conditions-decides")?;
    expect(&filter, call(8, [0, 0]), errno(one as u32), "without-conditions-decides")?;
    expect(&filter, call(8, [value, 0]), errno(one as u32), "without-conditions-decides")?;
    Ok("the first that holds, and the one without conditions".into())
}

/// Two conditions of one rule, on both halves of their arguments.
pub fn all_conditions(stage: &Stage) -> Result<String, Fault> {
    let (left, right) = (some(1, 1 << 40) | 1, some(1, 1 << 20));
    let rules = json!([rule(&["lseek"], &json!("Allow"), &[equal(0, left), equal(1, right)])]);
    let filter = Filter::of(stage, &profile(&rules))?;
    let hint = "all-must-hold";
    expect(&filter, call(8, [left, right]), ALLOW, hint)?;
    // With a lower half of 0, a jump into the middle of the next condition finds there what it asks for.
    for arguments in [
        [left >> 32 << 32, right],
        [left ^ 1, right],
        [left, right ^ 1],
        [left ^ 1 << 40, right],
        [left, right ^ 1 << 32],
        [0, 0],
    ] {
        expect(&filter, call(8, arguments), EPERM, hint)?;
    }
    Ok("both conditions hold, or the call is refused".into())
}

/// The same number is another call, and an argument has half as many bits.
pub fn architectures(stage: &Stage) -> Result<String, Fault> {
    let low = some(1, 1000);
    let mut profile = profile(&json!([rule(&["read"], &json!("Allow"), &[equal(1, low | 1 << 32)])]));
    profile["architectures"] = json!(["X86_64", "I386"]);
    let filter = Filter::of(stage, &profile)?;
    let i386 = |number, second| Call { audit: I386, ..call(number, [0, second]) };
    let hint = "an-architecture-by-itself";
    expect(&filter, i386(3, low), ALLOW, hint)?;
    expect(&filter, i386(0, low), EPERM, hint)?;
    expect(&filter, call(0, [0, low | 1 << 32]), ALLOW, hint)?;
    expect(&filter, call(0, [0, low]), EPERM, hint)?;
    expect(&filter, call(3, [0, low]), EPERM, hint)?;
    Ok("read is 0 for 64 bits and 3 for 32".into())
}

/// Beyond the last that is named; and x32, which is not of this profile.
pub fn newer(stage: &Stage) -> Result<String, Fault> {
    let mut profile = profile(&json!([rule(&["read", "close", "lseek"], &json!("Allow"), &[])]));
    profile["beyond"] = json!({ "Errno": 38 });
    let filter = Filter::of(stage, &profile)?;
    let hint = "beyond-the-last";
    for (number, expected) in [(0, ALLOW), (4, EPERM), (7, EPERM), (8, ALLOW), (9, ENOSYS), (9999, ENOSYS)] {
        expect(&filter, call(number, [0, 0]), expected, hint)?;
    }
    expect(&filter, call(X32_BIT, [0, 0]), KILL, "a-door-beside")?;
    expect(&filter, call(X32_BIT | 9, [0, 0]), KILL, "a-door-beside")?;
    profile["architectures"] = json!(["X86_64", "X32"]);
    let filter = Filter::of(stage, &profile)?;
    for (number, expected) in
        [(3, ALLOW), (9, ENOSYS), (X32_BIT | 3, ALLOW), (X32_BIT | 4, EPERM), (X32_BIT | 9, ENOSYS)]
    {
        expect(&filter, call(number, [0, 0]), expected, "a-door-beside")?;
    }
    profile["architectures"] = json!(["X86_64", "I386"]);
    let filter = Filter::of(stage, &profile)?;
    for (number, expected) in [(6, ALLOW), (8, EPERM), (19, ALLOW), (20, ENOSYS)] {
        expect(&filter, Call { audit: I386, ..call(number, [0, 0]) }, expected, hint)?;
    }
    Ok("call 9 does not exist, and x32 ends the process".into())
}

/// Every call of 64-bit x86, by number.
fn calls() -> Vec<(&'static str, u32)> {
    CALLS
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(name, number)| Some((name, number.parse().ok()?)))
        .collect()
}

/// No two neighbours with the same verdict: more ranges than a conditional jump has reach.
fn striped(stage: &Stage) -> Result<(Filter, u64), Fault> {
    let own = some(2, 100);
    let names = |odd: u32| {
        calls().into_iter().filter(|(_, number)| number % 2 == odd).map(|(name, _)| name).collect::<Vec<_>>()
    };
    let rules =
        json!([rule(&names(0), &json!("Allow"), &[]), rule(&names(1), &json!({ "Errno": own }), &[])]);
    Ok((Filter::of(stage, &profile(&rules))?, own))
}

/// Each of its calls, and around the longest jump that there is.
pub fn far_jumps(stage: &Stage) -> Result<String, Fault> {
    let (filter, own) = striped(stage)?;
    for (_, number) in calls() {
        let expected = if number % 2 == 0 { ALLOW } else { errno(own as u32) };
        expect(&filter, call(number, [0, 0]), expected, "a-jump-is-a-byte")?;
    }
    // With one condition the half before a jump has an odd number of instructions, with two an even one.
    let conditions = [equal(0, some(1, 1 << 40)), equal(1, some(1, 1 << 40))];
    for conditions in [&conditions[..1], &conditions] {
        (236..264).step_by(2).try_for_each(|count| nearly_far(stage, count, conditions))?;
    }
    Ok(format!("{} calls, {} instructions", calls().len(), filter.length()))
}

/// Of the first so many calls every second one is allowed, and read, whose number is 0, on conditions.
fn nearly_far(stage: &Stage, count: u32, conditions: &[Value]) -> Result<(), Fault> {
    let even = calls().into_iter().filter(|(_, number)| (2..count).contains(number) && number % 2 == 0);
    let names: Vec<&str> = even.map(|(name, _)| name).collect();
    let allow = json!("Allow");
    let rules = json!([rule(&["read"], &allow, conditions), rule(&names, &allow, &[])]);
    let filter = Filter::of(stage, &profile(&rules))?;
    for number in 1..count {
        let expected = if number % 2 == 0 { ALLOW } else { EPERM };
        expect(&filter, call(number, [0, 0]), expected, "a-jump-is-a-byte")?;
    }
    Ok(())
}

/// How far it is to the answer.
pub fn short_way(stage: &Stage) -> Result<String, Fault> {
    let (filter, _) = striped(stage)?;
    let steps =
        |(_, number): (_, u32)| filter.answer(call(number, [0, 0])).map_or(usize::MAX, |(_, steps)| steps);
    let longest = calls().into_iter().map(steps).max().unwrap_or_default();
    if longest > 24 {
        return Err(Fault::new("at most 24 instructions for a call", longest.to_string(), "halve-it"));
    }
    Ok(format!("at most {longest} of {} instructions", filter.length()))
}

/// A program in which all are allowed is short.
pub fn neighbours(stage: &Stage) -> Result<String, Fault> {
    let names: Vec<&str> =
        calls().into_iter().filter(|(_, number)| *number < 300).map(|(name, _)| name).collect();
    let filter = Filter::of(stage, &profile(&json!([rule(&names, &json!("Allow"), &[])])))?;
    expect(&filter, call(299, [0, 0]), ALLOW, "neighbours-are-one")?;
    expect(&filter, call(300, [0, 0]), EPERM, "neighbours-are-one")?;
    if filter.length() > 20 {
        let seen = format!("{} instructions", filter.length());
        return Err(Fault::new(
            "at most 20 instructions for one range of 300 calls",
            seen,
            "neighbours-are-one",
        ));
    }
    let value = some(1, 1 << 40);
    let rules = json!([
        rule(&["read"], &json!("Allow"), &[equal(0, value)]),
        rule(&["write"], &json!("Allow"), &[equal(0, value ^ 1)])
    ]);
    let different = Filter::of(stage, &profile(&rules))?;
    for (number, argument, expected) in
        [(0, value, ALLOW), (0, value ^ 1, EPERM), (1, value, EPERM), (1, value ^ 1, ALLOW)]
    {
        expect(&different, call(number, [argument, 0]), expected, "the-whole-verdict")?;
    }
    Ok(format!("{} instructions for 300 calls", filter.length()))
}
