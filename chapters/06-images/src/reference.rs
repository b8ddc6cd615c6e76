//! What a user types for an image: `busybox` is `docker.io/library/busybox:latest`.

use std::fmt;

use crate::{Digest, Error, ErrorKind};

const DEFAULT_DOMAIN: &str = "docker.io";
const OFFICIAL: &str = "library/";

/// A complete name: where, what, and which. At least one of `tag` and `digest` is there.
///
/// The grammar and its quirks are those of Docker's distribution/reference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// The registry's host and port: `docker.io`, `127.0.0.1:5000`.
    pub domain: String,
    /// The repository there: `library/busybox`.
    pub path: String,
    /// A name that may move.
    pub tag: Option<String>,
    /// One content for ever.
    pub digest: Option<Digest>,
}

impl Reference {
    /// Parses what a user types; without a tag and a digest it is `:latest`.
    pub fn parse(text: &str) -> Result<Reference, Error> {
        let mut reference = Reference::parse_bare(text)?;
        if reference.tag.is_none() && reference.digest.is_none() {
            reference.tag = Some("latest".into());
        }
        Ok(reference)
    }

    /// A name and, apart from it, a tag or a digest (may be empty): the API's `fromImage` and `tag`, `repo` and `tag`.
    pub fn parse_parts(name: &str, tag_or_digest: &str) -> Result<Reference, Error> {
        let mut reference = Reference::parse_bare(name)?;
        if tag_or_digest.contains(':') {
            reference.digest = Some(tag_or_digest.parse()?);
        } else if !tag_or_digest.is_empty() {
            if !is_tag(tag_or_digest) {
                return Err(invalid(""));
            }
            reference.tag = Some(tag_or_digest.into());
        } else if reference.tag.is_none() && reference.digest.is_none() {
            reference.tag = Some("latest".into());
        }
        Ok(reference)
    }

    fn parse_bare(text: &str) -> Result<Reference, Error> {
        if Digest::from_hex(text).is_some() {
            let message =
                format!("invalid repository name ({text}), cannot specify 64-byte hexadecimal strings");
            return Err(Error::new(ErrorKind::InvalidReference, message));
        }
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest.parse::<Digest>().map_err(|_| invalid(""))?)),
            None => (text, None),
        };
        let (domain, remainder) = split_domain(name);
        let (path, tag) = match remainder.split_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (remainder.as_str(), None),
        };
        check_path(path, &domain)?;
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(invalid(""));
        }
        Ok(Reference { path: path.into(), tag: tag.map(String::from), digest, domain })
    }

    /// The name as a user would type it, without tag and digest: `busybox`, `127.0.0.1:5000/x`.
    pub fn familiar_name(&self) -> String {
        match (self.domain.as_str(), self.path.strip_prefix(OFFICIAL)) {
            (DEFAULT_DOMAIN, Some(official)) if !official.contains('/') => official.into(),
            (DEFAULT_DOMAIN, _) => self.path.clone(),
            _ => format!("{}/{}", self.domain, self.path),
        }
    }

    /// The familiar name with tag and digest: `busybox:latest`.
    pub fn familiar(&self) -> String {
        self.familiar_name() + &self.suffix()
    }

    /// What names the version towards a registry: the digest, or else the tag.
    pub fn version(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, tag) => tag.clone().unwrap_or_else(|| "latest".into()),
        }
    }

    /// The same repository at `digest`: an entry of Docker's `RepoDigests`.
    pub fn at_digest(&self, digest: Digest) -> Reference {
        Reference { tag: None, digest: Some(digest), ..self.clone() }
    }

    fn suffix(&self) -> String {
        let tag = self.tag.iter().map(|tag| format!(":{tag}"));
        tag.chain(self.digest.iter().map(|digest| format!("@{digest}"))).collect()
    }
}

impl fmt::Display for Reference {
    /// The full form: `docker.io/library/busybox:latest`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{}", self.domain, self.path, self.suffix())
    }
}

fn invalid(detail: &str) -> Error {
    Error::new(ErrorKind::InvalidReference, format!("invalid reference format{detail}"))
}

/// The first component is a host if it has a dot, a port, a capital letter, or is `localhost`.
fn split_domain(name: &str) -> (String, String) {
    let host = |part: &str| {
        part.contains(['.', ':']) || part == "localhost" || part.bytes().any(|b| b.is_ascii_uppercase())
    };
    let (domain, path) = match name.split_once('/') {
        Some((domain, path)) if host(domain) => (domain, path),
        _ => (DEFAULT_DOMAIN, name),
    };
    let domain = if domain == "index.docker.io" { DEFAULT_DOMAIN } else { domain };
    let official = domain == DEFAULT_DOMAIN && !path.contains('/');
    (domain.into(), if official { format!("{OFFICIAL}{path}") } else { path.into() })
}

fn check_path(path: &str, domain: &str) -> Result<(), Error> {
    if path.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(invalid(": repository name must be lowercase"));
    }
    if !is_domain(domain) || !path.split('/').all(is_path_component) {
        return Err(invalid(""));
    }
    if domain.len() + 1 + path.len() > 255 {
        let message = "repository name must not be more than 255 characters";
        return Err(Error::new(ErrorKind::InvalidReference, message));
    }
    Ok(())
}

/// Lowercase words joined by one `.`, one or two `_`, or any number of `-`.
fn is_path_component(component: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = component.as_bytes();
    if !(bytes.first().is_some_and(|b| word(*b)) && bytes.last().is_some_and(|b| word(*b))) {
        return false;
    }
    component
        .split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        .all(|joint| matches!(joint, "" | "." | "_" | "__") || joint.bytes().all(|b| b == b'-'))
}

/// A host name, an IPv4 address or a bracketed IPv6 address, and maybe a port.
fn is_domain(domain: &str) -> bool {
    let (host, port) = match domain.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, "")) => (address, None),
        Some((address, port)) => match port.strip_prefix(':') {
            Some(port) => (address, Some(port)),
            None => return false,
        },
        None => domain.split_once(':').map_or((domain, None), |(host, port)| (host, Some(port))),
    };
    let label = |label: &str| {
        let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        !label.is_empty() && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    let host_is_fine = match domain.starts_with('[') {
        true => !host.is_empty() && host.bytes().all(|b| b.is_ascii_hexdigit() || b == b':'),
        false => host.split('.').all(label),
    };
    host_is_fine && port.is_none_or(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
}

fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let bytes = tag.as_bytes();
    bytes.len() <= 128
        && bytes.first().is_some_and(|b| word(*b))
        && bytes.iter().all(|b| word(*b) || matches!(b, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn names_as_docker_reads_them() {
        let long = "a".repeat(250);
        let names = [
            "busybox",
            "busybox:1.36",
            "user/app",
            "docker.io/busybox",
            "index.docker.io/library/busybox",
            "127.0.0.1:5000/x",
            "localhost/x:y",
            "ghcr.io/a/b/c:v1",
            "[::1]:5000/x",
            "busybox@sha256:HEX",
            "busybox:1@sha256:HEX",
            "library/a/b",
            "a-b__c.d/e---f",
            "Localhost/x",
            "HEX",
            "BusyBox",
            "user/App",
            "",
            "/x",
            "x/",
            "a//b",
            "x:",
            "x:.y",
            "a_-b",
            "a..b",
            "-a",
            "x@sha256:12",
            "x@",
            "a b",
            "host:port/x",
            "-host.io/x",
            "x:y:z",
            "http://x/y",
            "é",
            &long,
        ];
        let line = |name: &&str| {
            let name = name.replace("HEX", HEX);
            match Reference::parse(&name) {
                Ok(r) => format!("{name} -> {r} -> {}", r.familiar()),
                Err(refusal) => format!("{name:?}: {refusal}"),
            }
        };
        insta::assert_snapshot!(names.iter().map(line).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn familiar_names_parse_back() {
        for name in ["busybox:latest", "user/app:1", "127.0.0.1:5000/x:latest"] {
            let reference = Reference::parse(name).unwrap();
            assert_eq!(reference.familiar(), name);
            assert_eq!(Reference::parse(&reference.to_string()).unwrap(), reference);
        }
    }

    #[test]
    fn a_tag_apart_may_be_a_digest() {
        let digest = format!("sha256:{HEX}");
        assert_eq!(Reference::parse_parts("busybox", &digest).unwrap().version(), digest);
        assert_eq!(Reference::parse_parts("busybox", "1").unwrap().familiar(), "busybox:1");
        assert_eq!(Reference::parse_parts("busybox:2", "").unwrap().familiar(), "busybox:2");
        assert_eq!(
            Reference::parse_parts("busybox", "a/b").unwrap_err().to_string(),
            "invalid reference format"
        );
    }
}
