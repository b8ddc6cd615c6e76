//! The machine on which the kernel runs filters (seccomp(2)), so that every call can be asked about and not only those that a process
//! survives.

use crate::checks::trial::Trial;
use crate::checks::{Fault, Stage};
use serde_json::Value;

/// A compiled filter: of each instruction its code, both of its jumps, and its operand; and the profile that it was made of.
pub struct Filter(Vec<[u32; 4]>, Value);

/// A call as a filter sees it: the architecture, the number, and the first two arguments.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    pub audit: u32,
    pub number: u32,
    pub arguments: [u64; 2],
}

impl Filter {
    /// What the participant's compiler makes of a profile.
    pub fn of(stage: &Stage, profile: &Value) -> Result<Filter, Fault> {
        let mut trial = Trial::start(stage, &["compile", &profile.to_string()])?;
        let text = trial.caller_says("compiled", "every-path-returns")?.text;
        let list: Value = serde_json::from_str(text.trim_start_matches("compiled ")).unwrap_or_default();
        let field = |one: &Value, name: &str| one[name].as_u64().unwrap_or_default() as u32;
        let instruction = |one: &Value| ["code", "jt", "jf", "k"].map(|name| field(one, name));
        Ok(Filter(list.as_array().into_iter().flatten().map(instruction).collect(), profile.clone()))
    }

    /// What it was made of.
    pub fn profile(&self) -> &Value {
        &self.1
    }

    /// How many instructions it has.
    pub fn length(&self) -> usize {
        self.0.len()
    }

    /// What it answers, and after how many instructions; none where the kernel would not have taken it.
    pub fn answer(&self, call: Call) -> Option<(u32, usize)> {
        let (mut at, mut accumulator, mut steps) = (0, 0, 0);
        loop {
            let [code, jt, jf, k] = *self.0.get(at)?;
            (at, steps) = (at + 1, steps + 1);
            let jump = |holds: bool| (if holds { jt } else { jf }) as usize;
            match code {
                0x20 => accumulator = word(call, k)?,
                0x54 => accumulator &= k,
                0x05 => at += k as usize,
                0x15 => at += jump(accumulator == k),
                0x25 => at += jump(accumulator > k),
                0x35 => at += jump(accumulator >= k),
                0x06 => return Some((k, steps)),
                _ => return None,
            }
        }
    }
}

/// A word of `struct seccomp_data`.
fn word(call: Call, at: u32) -> Option<u32> {
    match at {
        0 => Some(call.number),
        4 => Some(call.audit),
        16 | 24 => Some(call.arguments[(at as usize - 16) / 8] as u32),
        20 | 28 => Some((call.arguments[(at as usize - 20) / 8] >> 32) as u32),
        _ => None,
    }
}
