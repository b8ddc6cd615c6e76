//! What was measured: a row for each piece of work, a column for each contender; the table and the JSON.

use super::targets::{self, Target};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// All samples of one suite.
#[derive(Default)]
pub struct Report {
    rows: Vec<Row>,
}

struct Row {
    work: String,
    unit: Unit,
    /// By contender, in the order in which they were measured.
    cells: Vec<(String, Vec<f64>)>,
}

/// What the samples of a row count.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds.
    Time,
    /// Megabytes of 1,048,576 bytes.
    Memory,
    /// Just how many.
    Count,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Unit::Time => "ms",
            Unit::Memory => "MB",
            Unit::Count => "",
        }
    }
}

impl Report {
    /// Adds one sample.
    pub fn add(&mut self, work: &str, unit: Unit, contender: &str, sample: f64) {
        let row = match self.rows.iter().position(|row| row.work == work) {
            Some(index) => &mut self.rows[index],
            None => {
                self.rows.push(Row { work: work.into(), unit, cells: Vec::new() });
                self.rows.last_mut().expect("just pushed")
            }
        };
        match row.cells.iter_mut().find(|(name, _)| name == contender) {
            Some((_, samples)) => samples.push(sample),
            None => row.cells.push((contender.into(), vec![sample])),
        }
    }

    /// Adds a duration.
    pub fn time(&mut self, work: &str, contender: &str, sample: std::time::Duration) {
        self.add(work, Unit::Time, contender, sample.as_secs_f64() * 1000.0);
    }

    /// The middle one of the samples, if there are any.
    pub fn median(&self, work: &str, contender: &str) -> Option<f64> {
        let row = self.rows.iter().find(|row| row.work == work)?;
        let (_, samples) = row.cells.iter().find(|(name, _)| name == contender)?;
        median(samples)
    }

    /// The contenders measured at this work, but for ours.
    pub fn peers(&self, work: &str) -> impl Iterator<Item = &str> {
        let cells = self.rows.iter().find(|row| row.work == work).map(|row| &row.cells);
        let names = cells.into_iter().flatten().map(|(name, _)| name.as_str());
        names.filter(|name| !name.starts_with(targets::OURS))
    }

    /// The medians of every row, and what they come to against the targets of the suite.
    pub fn print(&self, suite: &str) -> String {
        let mut text = String::new();
        for row in &self.rows {
            let _ = writeln!(text, "{}", row.work);
            for (contender, samples) in &row.cells {
                let middle = median(samples).unwrap_or(f64::NAN);
                let spread = spread(samples);
                let _ = writeln!(text, "  {contender:<24} {middle:>9.2} {:<2}  {spread}", row.unit.name());
            }
        }
        let verdicts = targets::of(suite).filter_map(|target| self.verdict(target));
        let verdicts: String = verdicts.map(|line| format!("  {line}\n")).collect();
        if !verdicts.is_empty() {
            let _ = write!(
                text,
                "\n{:<86} {:>7} {:>9} {:>7}\n{verdicts}",
                "Ratios in this run", "ours", "required", "goal"
            );
        }
        text
    }

    fn verdict(&self, target: &Target) -> Option<String> {
        let value = target.measured(self)?;
        let limit = |limit: Option<f64>| limit.map_or("-".to_owned(), |limit| format!("{limit:.2}"));
        let met = target.required.or(target.goal).is_none_or(|required| value <= required);
        let verdict = if met { "met" } else { "MISSED" };
        let (required, goal) = (limit(target.required), limit(target.goal));
        Some(format!("{:<84} {value:>7.2} {required:>9} {goal:>7}  {verdict}", target.to_string()))
    }

    /// Everything, samples included.
    pub fn json(&self, suite: &str) -> Value {
        let rows = self.rows.iter().map(|row| {
            let cells: BTreeMap<_, _> = row
                .cells
                .iter()
                .map(|(name, samples)| (name, json!({ "median": median(samples), "samples": samples })))
                .collect();
            json!({ "work": row.work, "unit": row.unit.name(), "contenders": cells })
        });
        let ratios = targets::of(suite).filter_map(|target| {
            let value = target.measured(self)?;
            let what = target.to_string();
            Some(json!({ "what": what, "measured": value, "required": target.required, "goal": target.goal }))
        });
        json!({ "rows": rows.collect::<Vec<_>>(), "ratios": ratios.collect::<Vec<_>>() })
    }
}

fn sorted(samples: &[f64]) -> Vec<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

fn median(samples: &[f64]) -> Option<f64> {
    let sorted = sorted(samples);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(sorted[middle]),
        _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
    }
}

/// From the fastest to the slowest, and how many there were.
fn spread(samples: &[f64]) -> String {
    match sorted(samples).as_slice() {
        [] | [_] => String::new(),
        [first, .., last] => format!("({first:.2} to {last:.2}, n={})", samples.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle_or_between_the_two_middles() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn a_ratio_is_of_medians_and_held_against_its_target() {
        let mut report = Report::default();
        for (ours, theirs) in [(2.0, 4.0), (1.0, 4.0), (90.0, 4.0)] {
            report.add("run", Unit::Time, "coracle", ours);
            report.add("run", Unit::Time, "crun", theirs);
        }
        let text = report.print("runtime");
        assert!(text.contains("run: ours / crun"), "{text}");
        assert!(text.contains("0.50"), "{text}");
        assert!(text.contains("met"), "{text}");
    }
}
