//! The little that a registry client needs to know of URLs (RFC 3986).

/// `http://127.0.0.1:5000` of `http://127.0.0.1:5000/v2/`: who answers.
pub(crate) fn origin(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    &url[..end]
}

/// Whether two URLs have the same scheme, host and port: only then may one's credentials go to the other.
pub(crate) fn same_origin(one: &str, other: &str) -> bool {
    let plain = |url: &str| {
        let origin = origin(url).to_ascii_lowercase();
        let default = if origin.starts_with("https://") { ":443" } else { ":80" };
        origin.strip_suffix(default).map(String::from).unwrap_or(origin)
    };
    plain(one) == plain(other)
}

/// Where a Location header leads from `base`; None if it is neither HTTP nor HTTPS, or goes from HTTPS down to HTTP.
pub(crate) fn follow(base: &str, location: &str) -> Option<String> {
    let url = if location.contains("://") {
        location.to_string()
    } else if let Some(rest) = location.strip_prefix("//") {
        format!("{}://{rest}", base.split("://").next()?)
    } else if location.starts_with('/') {
        format!("{}{location}", origin(base))
    } else {
        let path = base.split(['?', '#']).next()?;
        format!("{}/{location}", path.rsplit_once('/').map_or(path, |(folder, _)| folder))
    };
    let secure = |url: &str| url.to_ascii_lowercase().starts_with("https://");
    let plain = url.to_ascii_lowercase().starts_with("http://");
    (secure(&url) || (plain && !secure(base))).then_some(url)
}

/// A value in a query: everything but unreserved characters becomes `%XX`.
pub(crate) fn escape(value: &str) -> String {
    let mut escaped = String::new();
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => escaped.push(byte.into()),
            other => escaped.push_str(&format!("%{other:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_only_to_http_and_never_down() {
        let base = "https://r.io/v2/x/blobs/1?a=b";
        assert_eq!(follow(base, "/other").as_deref(), Some("https://r.io/other"));
        assert_eq!(follow(base, "2").as_deref(), Some("https://r.io/v2/x/blobs/2"));
        assert_eq!(follow(base, "//cdn.io/2").as_deref(), Some("https://cdn.io/2"));
        assert_eq!(follow(base, "HTTPS://cdn.io/2").as_deref(), Some("HTTPS://cdn.io/2"));
        assert_eq!(follow(base, "http://cdn.io/2"), None);
        assert_eq!(follow(base, "file:///etc/passwd"), None);
        assert_eq!(
            follow("http://127.0.0.1:5000/v2/", "http://127.0.0.1/x").as_deref(),
            Some("http://127.0.0.1/x")
        );
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        assert!(same_origin("https://R.io/a", "https://r.io:443/b?c"));
        assert!(!same_origin("https://r.io/a", "http://r.io/a"));
        assert!(!same_origin("http://r.io:5000/a", "http://r.io:5001/a"));
        assert!(!same_origin("https://r.io/a", "https://r.io.evil.io/a"));
        assert_eq!(escape("repository:a/b:pull"), "repository%3Aa%2Fb%3Apull");
    }
}
