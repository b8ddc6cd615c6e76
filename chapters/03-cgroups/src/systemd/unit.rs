//! Long tail: which unit of systemd a container's group is, and what units may be called (systemd.unit(5)). Pure.

use serde::{Deserialize, Serialize};

/// Bytes of a unit's name, its ending included.
const NAME_MAX: usize = 255;

/// A scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// `docker-box.scope`
    pub name: String,
    /// The slice that it is in: `system.slice`.
    pub slice: String,
    /// It is made by the caller's own systemd, not by the machine's.
    pub of_user: bool,
}

impl Unit {
    /// What `slice:prefix:name` means, which is runc's form: the scope `prefix-name.scope` in the slice. Without a slice it is in the
    /// one where containers are.
    ///
    /// The slice is its caller's own, and is taken as it is or refused; in the name, what no unit's name may have is escaped.
    pub fn named(path: &str, of_user: bool) -> Result<Unit, String> {
        let parts: Vec<&str> = path.split(':').collect();
        let [slice, prefix, name] = parts[..] else {
            return Err(format!("{path:?} is not slice:prefix:name, as \"system.slice:docker:box\""));
        };
        if name.is_empty() || name.ends_with(".slice") {
            return Err(format!("{path:?}: a scope cannot be called {name:?}: only a scope holds processes"));
        }
        let slice = if slice.is_empty() { usual_slice(of_user) } else { slice };
        check_slice(slice)?;
        let prefix = if prefix.is_empty() { String::new() } else { escaped(prefix) + "-" };
        let name = format!("{prefix}{}.scope", escaped(name));
        match name.len() {
            ..=NAME_MAX => Ok(Unit { name, slice: slice.into(), of_user }),
            length => Err(format!("{path:?}: a unit's name has at most {NAME_MAX} bytes, this one {length}")),
        }
    }

    /// The one of a container that is given none.
    pub fn usual(container: &str, of_user: bool) -> Result<Unit, String> {
        Unit::named(&format!(":coracle-oci:{container}"), of_user)
    }
}

fn usual_slice(of_user: bool) -> &'static str {
    if of_user { "user.slice" } else { "system.slice" }
}

/// The characters of units' names. The backslash begins what is escaped, by us or by our caller.
fn is_valid(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b":-_.\\".contains(&byte)
}

/// As systemd-escape(1) does it, but for the dash, which has no meaning in a scope's name.
fn escaped(text: &str) -> String {
    let escape = |byte: u8| match is_valid(byte) {
        true => char::from(byte).to_string(),
        false => format!("\\x{byte:02x}"),
    };
    text.bytes().map(escape).collect()
}

/// In a slice's name each dash leads one slice further down: `a-b.slice` is in `a.slice` (systemd.slice(5)).
fn check_slice(slice: &str) -> Result<(), String> {
    let wrong = |why: &str| Err(format!("{slice:?} is no slice: {why}"));
    let Some(name) = slice.strip_suffix(".slice") else {
        return wrong("it does not end with .slice");
    };
    if let Some(byte) = name.bytes().find(|byte| !is_valid(*byte)) {
        return wrong(&format!("{:?} is not allowed in it", char::from(byte)));
    }
    if slice.len() > NAME_MAX {
        return wrong(&format!("it has more than {NAME_MAX} bytes"));
    }
    // `-.slice` is the topmost one.
    if name != "-" && name.split('-').any(str::is_empty) {
        return wrong("a part of its name is empty");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(path: &str) -> Result<(String, String), String> {
        Unit::named(path, false).map(|unit| (unit.slice, unit.name))
    }

    #[test]
    fn a_path_of_three_parts_is_a_scope_in_a_slice() {
        let unit = |slice: &str, name: &str| Ok((slice.to_string(), name.to_string()));
        assert_eq!(named("machine-a.slice:libpod:box"), unit("machine-a.slice", "libpod-box.scope"));
        assert_eq!(named(":docker:box"), unit("system.slice", "docker-box.scope"));
        assert_eq!(named("-.slice::box"), unit("-.slice", "box.scope"));
        assert_eq!(Unit::usual("box", true).unwrap().slice, "user.slice");
    }

    #[test]
    fn what_no_name_may_have_is_escaped() {
        assert_eq!(named(":a/b:c+d@é.x_y").unwrap().1, r"a\x2fb-c\x2bd\x40\xc3\xa9.x_y.scope");
        assert_eq!(named(r"::already\x2bso").unwrap().1, r"already\x2bso.scope");
    }

    #[test]
    fn what_is_no_unit_is_refused_by_name() {
        let refusals =
            ["/a/b", "a:b", "a:b:c:d", "::", ":x:y.slice", "user:x:y", "a--b.slice:x:y", "-a.slice:x:y"];
        let long = format!("::{}", "x".repeat(250));
        let slices = ["a/b.slice:x:y", ".slice:x:y", "a b.slice:x:y", &long];
        let said: Vec<String> =
            refusals.iter().chain(&slices).map(|path| Unit::named(path, false).unwrap_err()).collect();
        insta::assert_snapshot!(said.join("\n"));
    }
}
