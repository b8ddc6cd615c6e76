//! What a registry asks for with a 401: the WWW-Authenticate header (RFC 9110, section 11.6.1).

use std::collections::BTreeMap;

/// One way to authenticate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// User name and password, in every request.
    Basic,
    /// A token from elsewhere (Docker's "token authentication").
    Bearer { realm: String, service: String, scope: Option<String> },
}

impl Challenge {
    /// The best of all challenges in these headers: Bearer before Basic.
    pub(crate) fn choose(headers: &[String]) -> Option<Challenge> {
        let challenges: Vec<(String, BTreeMap<String, String>)> =
            headers.iter().flat_map(|h| parse(h)).collect();
        let bearer = challenges.iter().find(|(scheme, p)| scheme == "bearer" && p.contains_key("realm"));
        let basic = challenges.iter().find(|(scheme, _)| scheme == "basic");
        if let Some((_, parameters)) = bearer {
            let get = |key: &str| parameters.get(key).cloned();
            let (realm, service) = (get("realm").unwrap_or_default(), get("service").unwrap_or_default());
            return Some(Challenge::Bearer { realm, service, scope: get("scope") });
        }
        basic.map(|_| Challenge::Basic)
    }
}

/// Splits a header into challenges: a scheme, then `key="value"` pairs with commas between; another scheme may follow.
fn parse(header: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let mut challenges: Vec<(String, BTreeMap<String, String>)> = Vec::new();
    let mut rest = header.trim_start_matches([' ', ',']);
    while !rest.is_empty() {
        let end = rest.find([' ', ',', '=']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let after = after.trim_start_matches(' ');
        match after.strip_prefix('=') {
            Some(value) => {
                let (value, after) = parameter(value.trim_start_matches(' '));
                if let Some((_, parameters)) = challenges.last_mut() {
                    parameters.insert(word.to_ascii_lowercase(), value);
                }
                rest = after;
            }
            None => {
                challenges.push((word.to_ascii_lowercase(), BTreeMap::new()));
                rest = after;
            }
        }
        rest = rest.trim_start_matches([' ', ',']);
    }
    challenges
}

/// A value, quoted or not, and what follows it.
fn parameter(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ']).unwrap_or(text.len());
        return (text[..end].to_string(), &text[end..]);
    };
    let (mut value, mut escaped) = (String::new(), false);
    for (at, c) in quoted.char_indices() {
        match c {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return (value, &quoted[at + 1..]),
            c => {
                value.push(c);
                escaped = false;
            }
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chooses_bearer_with_its_parameters() {
        let choose =
            |headers: &[&str]| Challenge::choose(&headers.iter().map(|h| h.to_string()).collect::<Vec<_>>());
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#;
        let bearer = |scope: Option<&str>| Challenge::Bearer {
            realm: "https://auth.docker.io/token".into(),
            service: "registry.docker.io".into(),
            scope: scope.map(String::from),
        };
        assert_eq!(choose(&[hub]), Some(bearer(Some("repository:a/b:pull,push"))));
        let both =
            r#"Basic realm="x", Bearer realm = "https://auth.docker.io/token" , service=registry.docker.io"#;
        assert_eq!(choose(&[both]), Some(bearer(None)));
        assert_eq!(choose(&["Basic realm=\"a \\\"b\\\", c\""]), Some(Challenge::Basic));
        assert_eq!(choose(&["Digest realm=\"x\"", "basic"]), Some(Challenge::Basic));
        assert_eq!(choose(&["Negotiate"]), None);
        assert_eq!(choose(&["=,=\"", "Bearer"]), None);
    }
}
