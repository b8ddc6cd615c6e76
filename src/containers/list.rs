//! List: `docker ps`, newest first, with its filters.

use std::sync::Arc;

use supervisor::states::State;

use super::{Container, Inside, wait};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::filters::{self, Filters};

/// Which containers are listed.
#[derive(Clone, Debug, Default)]
pub struct ListOptions {
    /// Those that do not run, too.
    pub all: bool,
    /// At most so many, the newest; 0 is no limit.
    pub limit: usize,
    /// Count how much they have written.
    pub size: bool,
    /// `--filter`.
    pub filters: Filters,
}

const FILTERS: [&str; 12] = [
    "ancestor", "before", "exited", "expose", "health", "id", "label", "name", "network", "publish", "since",
    "status",
];

impl Engine {
    /// Containers, the newest first.
    pub fn list(&self, options: &ListOptions) -> Result<Vec<api::ContainerSummary>> {
        filters::only(&options.filters, &FILTERS)?;
        let chosen = self.chosen(options)?;
        let mut summaries = Vec::new();
        for container in chosen {
            let mut summary = self.summary(&container.inside());
            if options.size {
                let record = container.inside().record.clone();
                let (rw, image) = self.sizes(&record)?;
                summary.size_rw = Some(rw);
                summary.size_root_fs = Some(rw + image);
            }
            summaries.push(summary);
        }
        Ok(summaries)
    }

    fn chosen(&self, options: &ListOptions) -> Result<Vec<Arc<Container>>> {
        let mut containers = self.names().all();
        containers
            .sort_by_cached_key(|container| std::cmp::Reverse(container.inside().record.created.clone()));
        let filters = &options.filters;
        let border = |name: &str| match filters::values(filters, name).last() {
            None => Ok(None),
            Some(reference) => {
                self.container(reference).map(|found| Some(found.inside().record.created.clone()))
            }
        };
        let (before, since) = (border("before")?, border("since")?);
        check_status(filters)?;
        let ancestors = self.ancestors(filters);
        // A state that was asked for is shown whether it runs or not; so is the last one that was created.
        let whatever = options.all
            || options.limit > 0
            || filters.contains_key("status")
            || filters.contains_key("exited");
        containers.retain(|container| {
            let inside = container.inside();
            let created = &inside.record.created;
            (whatever || inside.runs())
                && before.as_ref().is_none_or(|border| created < border)
                && since.as_ref().is_none_or(|border| created > border)
                && ancestors.as_ref().is_none_or(|images| images.contains(&inside.record.image_id))
                && inside.matches(filters)
        });
        if options.limit > 0 {
            containers.truncate(options.limit);
        }
        Ok(containers)
    }

    /// The ids of the images that `ancestor` names; an unknown one chooses nothing.
    fn ancestors(&self, filters: &Filters) -> Option<Vec<String>> {
        let names = filters.get("ancestor")?;
        let found = names.iter().filter_map(|name| self.store.resolve(name).ok());
        Some(found.map(|image| image.id.to_string()).collect())
    }

    fn summary(&self, inside: &Inside) -> api::ContainerSummary {
        let record = &inside.record;
        let created = record.created.parse::<jiff::Timestamp>().map_or(0, |time| time.as_second());
        let network = Engine::network_name(&record.host_config.network_mode).to_owned();
        api::ContainerSummary {
            id: record.id.clone(),
            names: vec![format!("/{}", record.name)],
            image: record.config.image.clone(),
            image_id: record.image_id.clone(),
            command: record.command.join(" "),
            created,
            labels: Some(record.config.labels.clone().unwrap_or_default()),
            state: inside.state().status().to_owned(),
            status: status(inside.state()),
            host_config: api::SummaryHostConfig {
                network_mode: record.host_config.network_mode.clone(),
                ..Default::default()
            },
            network_settings: api::SummaryNetworkSettings {
                networks: [(network, self.endpoint_settings(inside))].into(),
            },
            mounts: self.mount_points(record),
            ..Default::default()
        }
    }
}

const STATES: [&str; 7] = ["created", "restarting", "running", "removing", "paused", "exited", "dead"];

fn check_status(filters: &Filters) -> Result<()> {
    match filters::values(filters, "status").iter().find(|status| !STATES.contains(&status.as_str())) {
        None => Ok(()),
        Some(status) => {
            let message = format!("Invalid filter 'status={status}'");
            Err(Error::new(ErrorKind::InvalidParameter, message))
        }
    }
}

impl Inside {
    fn matches(&self, filters: &Filters) -> bool {
        let record = &self.record;
        let none = Default::default();
        let labels = record.config.labels.as_ref().unwrap_or(&none);
        let network = Engine::network_name(&record.host_config.network_mode);
        let exited = |code: &str| {
            matches!(self.state(), State::Exited { .. }) && code.parse() == Ok(wait::exit_code(self.state()))
        };
        filters::any(filters, "id", |id| record.id.starts_with(id))
            && filters::any(filters, "name", |name| name_matches(&record.name, name))
            && filters::any(filters, "status", |status| self.state().status() == status)
            && filters::any(filters, "exited", exited)
            && filters::any(filters, "network", |wanted| wanted == network)
            && filters::any(filters, "health", |health| health == "none")
            // No container publishes a port yet.
            && filters::any(filters, "publish", |_| false)
            && filters::any(filters, "expose", |port| self.exposes(port))
            && filters::labels(filters, labels)
    }

    fn exposes(&self, port: &str) -> bool {
        let full = if port.contains('/') { port.to_owned() } else { format!("{port}/tcp") };
        self.record.config.exposed_ports.as_ref().is_some_and(|ports| ports.contains_key(&full))
    }
}

/// Docker takes the value for a regular expression over `/name`; here it is a part of the name, with `^` and `$` for its ends.
fn name_matches(name: &str, wanted: &str) -> bool {
    let wanted = wanted.replacen("^/", "^", 1);
    let (wanted, from_start) = wanted.strip_prefix('^').map_or((wanted.as_str(), false), |rest| (rest, true));
    let wanted = wanted.strip_prefix('/').unwrap_or(wanted);
    let (wanted, to_end) = wanted.strip_suffix('$').map_or((wanted, false), |rest| (rest, true));
    match (from_start, to_end) {
        (true, true) => name == wanted,
        (true, false) => name.starts_with(wanted),
        (false, true) => name.ends_with(wanted),
        (false, false) => name.contains(wanted),
    }
}

/// `Up 3 minutes`, `Exited (0) 2 hours ago`, as Docker says it.
fn status(state: &State) -> String {
    match state {
        State::Created { .. } => "Created".to_owned(),
        State::Running(process) => format!("Up {}", since(&process.started_at)),
        State::Paused(process) => format!("Up {} (Paused)", since(&process.started_at)),
        State::Exited { exit, .. } => {
            format!("Exited ({}) {} ago", wait::exit_code(state), since(&exit.finished_at))
        }
        State::Removing => "Removal In Progress".to_owned(),
        State::Dead { .. } => "Dead".to_owned(),
    }
}

fn since(time: &str) -> String {
    let then = time.parse::<jiff::Timestamp>().unwrap_or_default();
    human_duration(jiff::Timestamp::now().as_second() - then.as_second())
}

/// Docker's words for a span of seconds (go-units, `HumanDuration`).
fn human_duration(seconds: i64) -> String {
    let (minutes, hours) = (seconds / 60, (seconds + 1800) / 3600);
    match () {
        () if seconds < 1 => "Less than a second".to_owned(),
        () if seconds == 1 => "1 second".to_owned(),
        () if seconds < 60 => format!("{seconds} seconds"),
        () if minutes == 1 => "About a minute".to_owned(),
        () if minutes < 60 => format!("{minutes} minutes"),
        () if hours == 1 => "About an hour".to_owned(),
        () if hours < 48 => format!("{hours} hours"),
        () if hours < 24 * 7 * 2 => format!("{} days", hours / 24),
        () if hours < 24 * 30 * 2 => format!("{} weeks", hours / 24 / 7),
        () if hours < 24 * 365 * 2 => format!("{} months", hours / 24 / 30),
        () => format!("{} years", hours / 24 / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_as_docker_does() {
        let told: Vec<String> =
            [0, 1, 59, 60, 119, 120, 3599, 3600, 5399, 5400, 86400 * 3, 86400 * 20, 86400 * 90, 86400 * 800]
                .map(human_duration)
                .to_vec();
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn names_are_found_by_a_part() {
        for (wanted, found) in
            [("w", true), ("^/two$", true), ("^two", true), ("o$", true), ("^w", false), ("/two", true)]
        {
            assert_eq!(name_matches("two", wanted), found, "{wanted}");
        }
    }
}
