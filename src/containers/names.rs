//! What containers are called: ids, given and made-up names, and what a reference may mean.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Container;
use crate::error::{Error, ErrorKind, Result};

/// All containers, by id and by name.
#[derive(Default)]
pub struct Names {
    by_id: BTreeMap<String, Arc<Container>>,
    ids: BTreeMap<String, String>,
}

impl Names {
    /// Every container, in the order of its id.
    pub fn all(&self) -> Vec<Arc<Container>> {
        self.by_id.values().cloned().collect()
    }

    /// Whether no container has the name, in Docker's words when one has.
    pub fn ensure_free(&self, name: &str) -> Result<()> {
        let Some(id) = self.ids.get(name) else {
            return Ok(());
        };
        Err(Error::new(
            ErrorKind::Conflict,
            format!(
                "Conflict. The container name \"/{name}\" is already in use by container \"{id}\". \
                 You have to remove (or rename) that container to be able to reuse that name."
            ),
        ))
    }

    /// Takes a name for a container that is about to be made, so that two creates cannot have it both.
    pub fn reserve(&mut self, name: &str, id: &str) -> Result<()> {
        self.ensure_free(name)?;
        self.ids.insert(name.to_owned(), id.to_owned());
        Ok(())
    }

    /// Gives a name back.
    pub fn release(&mut self, name: &str) {
        self.ids.remove(name);
    }

    /// A made-up name that nobody has.
    pub fn invent(&self) -> String {
        let mut name = invented_name();
        while self.ids.contains_key(&name) {
            name.push(char::from(b'0' + random_bytes::<1>()[0] % 10));
        }
        name
    }

    /// Adds a container whose name is reserved.
    pub fn insert(&mut self, name: &str, container: Arc<Container>) {
        self.ids.insert(name.to_owned(), container.id.clone());
        self.by_id.insert(container.id.clone(), container);
    }

    /// Forgets a container and its name.
    pub fn remove(&mut self, id: &str) {
        self.by_id.remove(id);
        self.ids.retain(|_, owner| owner != id);
    }

    /// What a client means: a whole id, a name (with or without its slash), or the beginning of one id.
    pub fn find(&self, reference: &str) -> Result<Arc<Container>> {
        if let Some(container) = self.by_id.get(reference) {
            return Ok(container.clone());
        }
        let name = reference.strip_prefix('/').unwrap_or(reference);
        if let Some(container) = self.ids.get(name).and_then(|id| self.by_id.get(id)) {
            return Ok(container.clone());
        }
        let missing = || Error::new(ErrorKind::NotFound, format!("No such container: {reference}"));
        if reference.is_empty() {
            return Err(missing());
        }
        let from_here = self.by_id.range(reference.to_owned()..);
        let mut matching = from_here.take_while(|(id, _)| id.starts_with(reference));
        match (matching.next(), matching.next()) {
            (Some((_, container)), None) => Ok(container.clone()),
            (None, _) => Err(missing()),
            _ => Err(Error::new(
                ErrorKind::InvalidParameter,
                format!("Multiple IDs found with provided prefix: {reference}"),
            )),
        }
    }
}

/// Refuses a name that Docker would, in its words.
pub fn validate(name: &str) -> Result<&str> {
    let bare = name.strip_prefix('/').unwrap_or(name);
    let mut characters = bare.chars();
    let first = characters.next().is_some_and(|first| first.is_ascii_alphanumeric());
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if first && bare.len() > 1 && characters.all(legal) {
        return Ok(bare);
    }
    Err(Error::new(
        ErrorKind::InvalidParameter,
        format!("Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"),
    ))
}

/// A new id: 64 random hexadecimal digits, never all decimal in the first twelve (a host name must not look like a number).
pub fn random_id() -> String {
    loop {
        let id: String = random_bytes::<32>().iter().map(|byte| format!("{byte:02x}")).collect();
        if id[..12].bytes().any(|digit| digit.is_ascii_alphabetic()) {
            return id;
        }
    }
}

fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // A read of up to 256 bytes is never cut short once the pool is ready (getrandom(2)), and fails on no kernel we run on.
    let read = rustix::rand::getrandom(&mut bytes[..], rustix::rand::GetRandomFlags::empty());
    assert_eq!(read.expect("getrandom"), N, "getrandom was cut short");
    bytes
}

fn invented_name() -> String {
    let [mood, person] = random_bytes::<2>();
    format!("{}_{}", MOODS[usize::from(mood) % MOODS.len()], SAILORS[usize::from(person) % SAILORS.len()])
}

const MOODS: [&str; 64] = [
    "able", "airy", "amber", "apt", "bold", "brave", "breezy", "bright", "brisk", "calm", "candid", "cheery",
    "civil", "clear", "clever", "cosy", "daring", "deft", "eager", "early", "easy", "fair", "festive",
    "fleet", "fond", "frank", "fresh", "gentle", "glad", "grand", "hale", "handy", "happy", "hardy",
    "honest", "jaunty", "jolly", "keen", "kind", "lively", "loyal", "lucid", "mellow", "merry", "mild",
    "modest", "neat", "nimble", "noble", "patient", "placid", "plucky", "quiet", "rapid", "ready", "serene",
    "sound", "spry", "steady", "sunny", "tidy", "upbeat", "warm", "wise",
];

/// People who crossed water in small craft, or taught others how to find their way over it.
const SAILORS: [&str; 48] = [
    "amundsen",
    "baret",
    "barents",
    "beaufort",
    "bligh",
    "bowditch",
    "brendan",
    "cabot",
    "chichester",
    "colvin",
    "cook",
    "cousteau",
    "crowninshield",
    "davis",
    "dias",
    "drake",
    "earle",
    "erikson",
    "fitzroy",
    "flinders",
    "gatty",
    "gould",
    "grace",
    "halley",
    "harrison",
    "heyerdahl",
    "hornell",
    "hudson",
    "joyon",
    "knox",
    "leif",
    "lewis",
    "macarthur",
    "magellan",
    "maury",
    "mercator",
    "moitessier",
    "nansen",
    "pidgeon",
    "piailug",
    "pytheas",
    "shackleton",
    "slocum",
    "sumner",
    "tabarly",
    "tupaia",
    "vespucci",
    "zheng",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_refused_in_dockers_words() {
        assert_eq!(validate("/one").expect("legal"), "one");
        for name in ["not a name", "-", "a", "", "ä1", "_x"] {
            let error = validate(name).expect_err("illegal");
            assert_eq!(
                error.to_string(),
                format!("Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")
            );
        }
    }

    #[test]
    fn invented_names_are_legal_and_ids_are_long() {
        for _ in 0..50 {
            assert!(validate(&invented_name()).is_ok());
            assert_eq!(random_id().len(), 64);
        }
    }
}
