//! Table: every verb, under all the names that docker gives it.

use super::flags::AnyVerb;
use super::*;

/// A verb's names and what it does. The first name is the one that its own help uses.
pub struct Entry {
    /// `ps`, `container ls`, …
    pub names: &'static [&'static str],
    /// Its flags and behaviour.
    pub verb: AnyVerb,
}

const fn entry<V: flags::Verb>(names: &'static [&'static str]) -> Entry {
    Entry { names, verb: AnyVerb::of::<V>() }
}

/// The groups of the long forms, with what they manage.
pub const GROUPS: &[(&str, &str)] =
    &[("container", "Manage containers"), ("image", "Manage images"), ("system", "Manage the engine")];

/// What docker's command line has and ours does not: told apart from a misspelt verb.
pub const NOT_YET: &[&str] = &[
    "build",
    "builder",
    "buildx",
    "checkpoint",
    "commit",
    "compose",
    "config",
    "context",
    "cp",
    "diff",
    "export",
    "login",
    "logout",
    "manifest",
    "network",
    "node",
    "plugin",
    "push",
    "search",
    "secret",
    "service",
    "stack",
    "stats",
    "swarm",
    "trust",
    "update",
    "volume",
];

/// All verbs, as the help lists them.
pub const VERBS: &[Entry] = &[
    entry::<run::Run>(&["run", "container run"]),
    entry::<run::Create>(&["create", "container create"]),
    entry::<attaching::Start>(&["start", "container start"]),
    entry::<attaching::Attach>(&["attach", "container attach"]),
    entry::<exec::Exec>(&["exec", "container exec"]),
    entry::<lifecycle::Stop>(&["stop", "container stop"]),
    entry::<lifecycle::Kill>(&["kill", "container kill"]),
    entry::<lifecycle::Restart>(&["restart", "container restart"]),
    entry::<lifecycle::Remove>(&["rm", "container rm", "container remove"]),
    entry::<lifecycle::Rename>(&["rename", "container rename"]),
    entry::<lifecycle::Pause>(&["pause", "container pause"]),
    entry::<lifecycle::Unpause>(&["unpause", "container unpause"]),
    entry::<lifecycle::Wait>(&["wait", "container wait"]),
    entry::<logs::Logs>(&["logs", "container logs"]),
    entry::<listing_containers::List>(&["ps", "container ls", "container list", "container ps"]),
    entry::<watching::Top>(&["top", "container top"]),
    entry::<watching::Port>(&["port", "container port"]),
    entry::<inspection::Inspect>(&["inspect"]),
    entry::<inspection::InspectContainer>(&["container inspect"]),
    entry::<inspection::InspectImage>(&["image inspect"]),
    entry::<pull::Pull>(&["pull", "image pull"]),
    entry::<listing_images::List>(&["images", "image ls", "image list"]),
    entry::<names_of_images::Remove>(&["rmi", "image rm", "image remove"]),
    entry::<names_of_images::Tag>(&["tag", "image tag"]),
    entry::<names_of_images::History>(&["history", "image history"]),
    entry::<archives::Import>(&["import", "image import"]),
    entry::<archives::Load>(&["load", "image load"]),
    entry::<archives::Save>(&["save", "image save"]),
    entry::<watching::Events>(&["events", "system events"]),
    entry::<system::Info>(&["info", "system info"]),
    entry::<version::Version>(&["version"]),
    entry::<book::Book>(&["book"]),
];

/// Finds the verb that `words` begin with; says under which name, and how many words that is.
pub fn find(words: &[String]) -> Option<(&'static Entry, &'static str, usize)> {
    let first = words.first()?;
    let both = words.get(1).map(|second| format!("{first} {second}")).unwrap_or_default();
    let matches = |name: &&&str| **name == first.as_str() || **name == both.as_str();
    let found = VERBS.iter().find_map(|entry| entry.names.iter().find(matches).map(|name| (entry, *name)));
    found.map(|(entry, name)| (entry, name, name.split(' ').count()))
}
