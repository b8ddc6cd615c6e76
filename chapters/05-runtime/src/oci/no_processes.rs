//! Long tail: a limit of no processes. Up to 1.2 the specification has 0 for "not set"; since 1.3 what is not set is left out, and
//! 0 is a limit (config-linux.md, "PIDs"). Of 1 it differs in nothing but that nobody could join: so 1 is set, as by runc.

use oci_spec::runtime::Spec;
use serde_json::Value;

/// Takes a limit of 0 for what it says. What was understood of a file has 0 where there is none, too: its bytes tell them apart.
pub fn take(spec: &mut Spec, json: &[u8]) {
    let resources = spec.linux_mut().as_mut().and_then(|linux| linux.resources_mut().as_mut());
    if let Some(pids) = resources.and_then(|resources| resources.pids_mut().as_mut())
        && pids.limit() == 0
        && is_a_limit(json)
    {
        pids.set_limit(1);
    }
}

fn is_a_limit(json: &[u8]) -> bool {
    let document: Value = serde_json::from_slice(json).unwrap_or_default();
    let minor = |version: &str| version.split(['.', '-', '+']).nth(1)?.parse::<u32>().ok();
    let is_since_it_is_one = document["ociVersion"].as_str().and_then(minor).is_some_and(|minor| minor >= 3);
    is_since_it_is_one && document.pointer("/linux/resources/pids/limit").is_some_and(|limit| *limit == 0)
}

#[cfg(test)]
mod tests {
    use super::is_a_limit;

    #[test]
    fn the_version_says_what_0_is() {
        let with = |version: &str, pids: &str| {
            let json =
                format!(r#"{{"ociVersion": "{version}", "linux": {{"resources": {{"pids": {pids}}}}}}}"#);
            is_a_limit(json.as_bytes())
        };
        for version in ["1.3.0", "1.3.0-rc.1", "1.12.0"] {
            assert!(with(version, r#"{"limit": 0}"#), "{version}");
        }
        assert!(!with("1.2.1", r#"{"limit": 0}"#));
        assert!(!with("1.0.2-dev", r#"{"limit": 0}"#));
        assert!(!with("1.3.0", "{}"));
        assert!(!with("1.3.0", r#"{"limit": -1}"#));
    }
}
