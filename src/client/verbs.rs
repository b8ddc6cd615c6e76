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
    Entry {
        names,
        verb: AnyVerb::of::<V>(),
    }
}

/// The groups of the long forms, with what they manage.
pub const GROUPS: &[(&str, &str)] = &[
    ("container", "Manage containers"),
    ("image", "Manage images"),
    ("system", "Manage the engine"),
];

/// All verbs, as the help lists them.
pub const VERBS: &[Entry] = &[
    entry::<run::Run>(&["run", "container run"]),
    entry::<run::Create>(&["create", "container create"]),
    entry::<attaching::Start>(&["start", "container start"]),
    entry::<attaching::Attach>(&["attach", "container attach"]),
    entry::<exec::Exec>(&["exec", "container exec"]),
    entry::<pull::Pull>(&["pull", "image pull"]),
    entry::<listing_containers::List>(&["ps", "container ls", "container list", "container ps"]),
    entry::<listing_images::List>(&["images", "image ls", "image list"]),
    entry::<inspection::Inspect>(&["inspect"]),
    entry::<inspection::InspectContainer>(&["container inspect"]),
    entry::<inspection::InspectImage>(&["image inspect"]),
    entry::<system::Info>(&["info", "system info"]),
    entry::<system::Version>(&["version"]),
];

/// Finds the verb that `words` begin with; says under which name, and how many words that is.
pub fn find(words: &[String]) -> Option<(&'static Entry, &'static str, usize)> {
    let first = words.first()?;
    let both = words
        .get(1)
        .map(|second| format!("{first} {second}"))
        .unwrap_or_default();
    let matches = |name: &&&str| **name == first.as_str() || **name == both.as_str();
    let found = VERBS
        .iter()
        .find_map(|entry| entry.names.iter().find(matches).map(|name| (entry, *name)));
    found.map(|(entry, name)| (entry, name, name.split(' ').count()))
}
