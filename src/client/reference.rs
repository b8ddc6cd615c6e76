//! Image names as users see them: what Docker Hub's default name parts hide.

use super::failure::{Error, Result};
use images::Reference;

/// Reads what a user typed for an image. The chapter's words are the daemon's; docker's client also names the culprit.
pub fn typed(text: &str) -> Result<Reference> {
    Reference::parse(text).map_err(|error| {
        let path = parts(text).0;
        let path = if path.contains('/') { path.to_string() } else { format!("library/{path}") };
        let culprit = format!("repository name ({path}) must");
        Error::usage(error.to_string().replace("repository name must", &culprit))
    })
}

/// `docker.io/library/busybox:latest` -> `busybox:latest`.
pub fn familiar(name: &str) -> &str {
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    name.strip_prefix("library/").filter(|rest| !rest.contains('/')).unwrap_or(name)
}

/// Name, tag and digest of a reference; a port of a registry is no tag.
pub fn parts(reference: &str) -> (&str, Option<&str>, Option<&str>) {
    let (rest, digest) = match reference.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (reference, None),
    };
    match rest.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag), digest),
        _ => (rest, None, digest),
    }
}

/// Twelve digits of an id, without its algorithm.
pub fn short_id(id: &str) -> &str {
    let digits = id.split_once(':').map_or(id, |(_, digits)| digits);
    digits.get(..12).unwrap_or(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capital_letter_is_refused_with_its_name() {
        let refusal = |text| typed(text).unwrap_err().to_string();
        let lowercase = "must be lowercase";
        assert_eq!(
            refusal("Foo:1"),
            format!("invalid reference format: repository name (library/Foo) {lowercase}")
        );
        assert_eq!(refusal("a@b"), "invalid reference format");
    }

    #[test]
    fn names_in_parts() {
        assert_eq!(parts("busybox"), ("busybox", None, None));
        assert_eq!(parts("localhost:5000/a"), ("localhost:5000/a", None, None));
        assert_eq!(parts("localhost:5000/a:1@sha256:00"), ("localhost:5000/a", Some("1"), Some("sha256:00")));
        assert_eq!(short_id("sha256:0123456789abcdef"), "0123456789ab");
    }
}
