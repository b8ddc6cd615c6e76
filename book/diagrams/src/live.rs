//! The reader's own containers beside what was planned for them: a table that is computed of what the engine hands to the page.

use crate::diagram::Diagram;
use crate::drawing::escaped;
use crate::{MountPlan, Spawn};
use chroot::MountOp;
use namespaces::SpawnPlan;
use serde::Deserialize;

/// What the engine answers.
#[derive(Deserialize)]
struct Answer {
    #[serde(default = "Vec::new")]
    containers: Vec<Container>,
    /// It did not answer, or refused.
    refused: Option<String>,
}

/// A container that runs.
#[derive(Deserialize)]
struct Container {
    id: String,
    name: String,
    image: String,
    facts: Option<Facts>,
    /// It cannot be looked at.
    refused: Option<String>,
}

/// What is known of it.
#[derive(Deserialize)]
struct Facts {
    pid: u32,
    plan: Plan,
    kernel: Kernel,
}

/// What was planned for it, by chapters 01 and 02.
#[derive(Deserialize)]
pub struct Plan {
    /// The steps that made its root.
    pub root: Vec<MountOp>,
    /// Its namespaces and ids.
    pub spawn: SpawnPlan,
}

/// What the kernel reports, in the words of its own files.
#[derive(Deserialize, Default)]
pub struct Kernel {
    /// /proc/PID/mountinfo.
    pub mountinfo: String,
    /// The links of /proc/PID/ns, `mnt:[4026531841]`; without those that may not be read.
    pub namespaces: Vec<String>,
    /// Those of the process that made it.
    pub callers: Vec<String>,
    /// /proc/PID/uid_map.
    pub uid_map: String,
    /// /proc/PID/gid_map.
    pub gid_map: String,
    /// Its numbers, from this namespace of processes to its own (NSpid).
    pub numbers: Option<String>,
}

/// Something planned, and what the kernel reports of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What was planned.
    pub planned: String,
    /// What is.
    pub kernel: String,
    /// How they stand to each other.
    pub verdict: Verdict,
}

/// How a plan and the kernel's report stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// What was planned is so.
    AsPlanned,
    /// It is not so.
    Differs,
    /// The report says nothing of it, or the plan does not.
    Unsaid,
}

impl Verdict {
    /// Of something that the kernel does report.
    pub fn of(is_as_planned: bool) -> Verdict {
        if is_as_planned { Verdict::AsPlanned } else { Verdict::Differs }
    }

    fn word(self) -> &'static str {
        match self {
            Verdict::AsPlanned => "yes",
            Verdict::Differs => "no",
            Verdict::Unsaid => "",
        }
    }
}

/// What is shown below a diagram: what the engine answered, and which container, by its id.
pub fn html(diagram: &str, answer: &str, chosen: &str) -> String {
    // Where strings are put together that have escapes: none is longer than the whole.
    let mut unescaped = vec![0; answer.len()];
    let read = serde_json_core::from_str_escaped::<Answer>(answer, &mut unescaped);
    let Answer { containers, refused } = read.map(|(answer, _)| answer).unwrap_or_else(|error| Answer {
        containers: Vec::new(),
        refused: Some(format!("what the engine says is not understood: {error}")),
    });
    let shown = containers.iter().find(|one| one.id == chosen).or(containers.first());
    let mut html = String::new();
    for container in &containers {
        let is_shown = shown.is_some_and(|shown| shown.id == container.id);
        html.push_str(&button(&container.id, &container.name, &format!(" aria-pressed=\"{is_shown}\"")));
    }
    html.push_str(&button("", "Ask again", ""));
    let words = match (&refused, shown) {
        (Some(refused), _) => refused.clone(),
        (None, None) => "None of your containers runs. Start one, and ask again.".to_owned(),
        (None, Some(container)) => said_of(container),
    };
    html.push_str(&format!("<p role=\"status\">{}</p>", escaped(&words)));
    if let Some(facts) = shown.and_then(|container| container.facts.as_ref()) {
        html.push_str(&table(&beside(diagram, &facts.plan, &facts.kernel)));
    }
    html
}

fn beside(diagram: &str, plan: &Plan, kernel: &Kernel) -> Vec<Row> {
    match diagram {
        MountPlan::NAME => MountPlan::beside(plan, kernel),
        _ => Spawn::beside(plan, kernel),
    }
}

/// A container to choose; without an id, all are asked for again.
fn button(id: &str, label: &str, state: &str) -> String {
    let (id, label) = (escaped(id), escaped(label));
    format!("<button type=\"button\" data-live=\"{id}\"{state}>{label}</button> ")
}

fn said_of(container: &Container) -> String {
    let Container { name, image, facts, refused, .. } = container;
    match (facts, refused) {
        (Some(facts), _) => format!("{name}, of {image}, is process {} here.", facts.pid),
        (None, refused) => format!("{name}: {}.", refused.as_deref().unwrap_or("nothing is known of it")),
    }
}

fn table(rows: &[Row]) -> String {
    let mut html = String::from(
        "<div class=\"rows\" tabindex=\"0\" role=\"region\" aria-label=\"Planned, and reported\"><table><thead><tr>\
         <th scope=\"col\">planned</th><th scope=\"col\">the kernel reports</th><th scope=\"col\">so?</th></tr></thead><tbody>",
    );
    for Row { planned, kernel, verdict } in rows {
        let class = if *verdict == Verdict::Differs { " class=\"differs\"" } else { "" };
        let (planned, kernel) = (escaped(planned), escaped(kernel));
        html.push_str(&format!(
            "<tr{class}><td>{planned}</td><td>{kernel}</td><td>{}</td></tr>",
            verdict.word()
        ));
    }
    html + "</tbody></table></div>"
}
