//! `-v source:destination:mode`, read as Docker reads it.

use crate::error::{Error, ErrorKind, Result};

/// A folder or file of the host that appears in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bind {
    /// The host's path.
    pub source: String,
    /// The container's.
    pub destination: String,
    /// The mode as it was given: `ro,rslave`.
    pub mode: String,
    /// It can be written.
    pub writable: bool,
    /// How mounts below it travel between host and container; Docker's default is `rprivate`.
    pub propagation: String,
}

/// The modes that say how mounts travel (mount_namespaces(7)).
const PROPAGATIONS: [&str; 6] = ["private", "rprivate", "shared", "rshared", "slave", "rslave"];

/// Modes that ask for what this machine does anyway: without SELinux there is nothing to relabel, and a local bind
/// is as consistent as can be.
const WITHOUT_EFFECT: [&str; 6] = ["z", "Z", "nocopy", "consistent", "cached", "delegated"];

/// Parses one entry of `HostConfig.Binds`.
pub fn parse(text: &str) -> Result<Bind> {
    let parts: Vec<&str> = text.split(':').collect();
    let (source, destination, mode) = match parts[..] {
        [source, destination] => (source, destination, ""),
        [source, destination, mode] => (source, destination, mode),
        _ => return Err(invalid(format!("invalid volume specification: '{text}'"))),
    };
    if source.is_empty() || destination.is_empty() {
        return Err(invalid(format!("invalid volume specification: '{text}'")));
    }
    let (writable, propagation) = parse_mode(mode)?;
    if !source.starts_with('/') {
        return Err(named_volume(source));
    }
    let destination = clean(destination);
    check_destination(&destination, text)?;
    let mode = mode.to_owned();
    Ok(Bind { source: clean(source), destination, mode, writable, propagation })
}

/// Refuses a destination that Docker refuses.
pub fn check_destination(destination: &str, specification: &str) -> Result<()> {
    check_place(destination).map_err(|why| {
        invalid(format!(
            "invalid volume specification: '{specification}': invalid mount config for type \"bind\": {why}"
        ))
    })
}

/// Whether something can be mounted there, and else why not.
pub fn check_place(destination: &str) -> std::result::Result<(), String> {
    match destination {
        "/" => Err("invalid specification: destination can't be '/'".to_owned()),
        path if !path.starts_with('/') => {
            Err(format!("invalid mount path: '{path}' mount path must be absolute"))
        }
        _ => Ok(()),
    }
}

fn parse_mode(mode: &str) -> Result<(bool, String)> {
    let bad = || invalid(format!("invalid mode: {mode}"));
    let (mut writable, mut propagation) = (None, None);
    for word in mode.split(',').filter(|_| !mode.is_empty()) {
        match word {
            "ro" | "rw" if writable.is_none() => writable = Some(word == "rw"),
            _ if PROPAGATIONS.contains(&word) && propagation.is_none() => propagation = Some(word.to_owned()),
            _ if WITHOUT_EFFECT.contains(&word) => {}
            _ => return Err(bad()),
        }
    }
    Ok((writable.unwrap_or(true), propagation.unwrap_or_else(|| "rprivate".to_owned())))
}

fn named_volume(name: &str) -> Error {
    let legal = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let starts_well = name.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    if starts_well && name.len() > 1 && name.chars().all(legal) {
        return Error::not_supported(format!(
            "the named volume {name}: only paths of the host can be bound, volumes"
        ));
    }
    invalid(format!(
        "create {name}: \"{name}\" includes invalid characters for a local volume name, only \
         \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use absolute path"
    ))
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidParameter, message)
}

/// A path without empty, `.` and `..` components, as Go's `filepath.Clean` makes it.
pub fn clean(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            ".." if absolute => {}
            part => parts.push(part),
        }
    }
    match (absolute, parts.join("/")) {
        (true, joined) => format!("/{joined}"),
        (false, joined) if joined.is_empty() => ".".to_owned(),
        (false, joined) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binds_are_dockers() {
        let bind = parse("/a/../b/:/c/./d:ro,rslave").expect("legal");
        let expected = Bind {
            source: "/b".into(),
            destination: "/c/d".into(),
            mode: "ro,rslave".into(),
            writable: false,
            propagation: "rslave".into(),
        };
        assert_eq!(bind, expected);
        assert!(parse("/a:/b").expect("legal").writable);
    }

    #[test]
    fn refusals_are_dockers() {
        let refusals: Vec<String> =
            ["/a:/b:bogus", "/a:/b:ro,rw", "/a", "rel/path:/b", "/a:/", "/a:b", "volume:/b"]
                .map(|text| format!("{text} -> {}", parse(text).expect_err("refused")))
                .to_vec();
        insta::assert_snapshot!(refusals.join("\n"));
    }
}
