//! A container's namespaces and ids beside the plan that made them.

use super::KINDS;
use crate::live::{Kernel, Row, Verdict};
use namespaces::{IdMap, Namespaces, SpawnPlan, map_text};

/// Each kind of namespace, the ids, and the process's numbers.
pub fn rows(plan: &SpawnPlan, kernel: &Kernel) -> Vec<Row> {
    let mut rows: Vec<Row> =
        KINDS.iter().map(|(name, kind, what)| namespace(plan, kernel, name, *kind, what)).collect();
    if plan.new.contains(Namespaces::USER) {
        rows.push(ids("uid_map", &plan.uid_map, &kernel.uid_map));
        rows.push(ids("gid_map", &plan.gid_map, &kernel.gid_map));
    }
    rows.push(numbers(plan, kernel.numbers.as_deref().unwrap_or_default()));
    rows
}

fn namespace(plan: &SpawnPlan, kernel: &Kernel, name: &str, kind: Namespaces, what: &str) -> Row {
    let joined = plan.join.iter().find(|join| join.kind == kind);
    let planned = match joined {
        Some(join) => format!("{what}: that of {}", join.path.display()),
        None if plan.new.contains(kind) => format!("{what}: its own"),
        None => format!("{what}: the caller's"),
    };
    let (own, caller) = (name_of(&kernel.namespaces, name), name_of(&kernel.callers, name));
    let (Some(own), Some(caller)) = (own, caller) else {
        return Row { planned, kernel: "may not be read by you".to_owned(), verdict: Verdict::Unsaid };
    };
    let (text, verdict) = match joined {
        Some(_) => (own.to_owned(), Verdict::Unsaid),
        None if own == caller => {
            (format!("{own}, and so is the caller"), Verdict::of(!plan.new.contains(kind)))
        }
        None => (format!("{own}; the caller is in {caller}"), Verdict::of(plan.new.contains(kind))),
    };
    Row { planned, kernel: text, verdict }
}

fn name_of<'a>(namespaces: &'a [String], kind: &str) -> Option<&'a str> {
    let is_of_kind = |name: &&str| name.split(':').next() == Some(kind);
    namespaces.iter().map(String::as_str).find(is_of_kind)
}

/// The kernel writes the columns of its table with more spaces than were written to it.
fn ids(file: &str, planned: &[IdMap], kernel: &str) -> Row {
    let words = |text: &str| {
        let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        lines.collect::<Vec<_>>().join(", ")
    };
    let (planned, kernel) = (words(&map_text(planned)), words(kernel));
    let verdict = Verdict::of(planned == kernel);
    Row { planned: format!("{file}: {planned}"), kernel, verdict }
}

fn numbers(plan: &SpawnPlan, numbers: &str) -> Row {
    let numbers: Vec<&str> = numbers.split_whitespace().collect();
    let kernel = format!("its numbers, from outside in: {}", numbers.join(", "));
    if !plan.new.contains(Namespaces::PID) {
        return Row { planned: "a number of the caller's".to_owned(), kernel, verdict: Verdict::Unsaid };
    }
    let is_first = numbers.len() > 1 && numbers.last() == Some(&"1");
    Row { planned: "process 1 inside".to_owned(), kernel, verdict: Verdict::of(is_first) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernel(own: &[&str]) -> Kernel {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Kernel {
            namespaces: names(own),
            callers: names(&["user:[1]", "pid:[1]", "net:[1]"]),
            uid_map: "         0       1000          1\n".to_owned(),
            gid_map: "         0          0          1\n".to_owned(),
            numbers: Some("77\t1".to_owned()),
            ..Kernel::default()
        }
    }

    #[test]
    fn what_is_as_planned_and_what_differs() {
        let map = vec![IdMap::root_is(1000)];
        let new = Namespaces::USER | Namespaces::PID;
        let plan = SpawnPlan { new, uid_map: map.clone(), gid_map: map, ..SpawnPlan::default() };
        let kernel = kernel(&["user:[2]", "pid:[1]", "net:[1]", "uts:[3]"]);
        let row = |row: Row| format!("{} | {} | {:?}", row.planned, row.kernel, row.verdict);
        let rows: Vec<String> = rows(&plan, &kernel).into_iter().map(row).collect();
        for expected in [
            "users and groups: its own | user:[2]; the caller is in user:[1] | AsPlanned",
            "process numbers: its own | pid:[1], and so is the caller | Differs",
            "network: the caller's | net:[1], and so is the caller | AsPlanned",
            "host name: the caller's | may not be read by you | Unsaid",
            "uid_map: 0 1000 1 | 0 1000 1 | AsPlanned",
            "gid_map: 0 1000 1 | 0 0 1 | Differs",
            "process 1 inside | its numbers, from outside in: 77, 1 | AsPlanned",
        ] {
            assert!(rows.iter().any(|row| row == expected), "{expected} is none of {rows:#?}");
        }
    }
}
