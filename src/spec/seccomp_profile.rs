//! A seccomp profile in Docker's format: the OCI spec's, with rules that hold only for some architectures, capabilities or kernels.

use oci_spec::runtime::{LinuxSeccomp, LinuxSeccompArg};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::{Error, ErrorKind, Result};

/// The words are moby's (`profiles/seccomp`), the rest is the OCI spec's `linux.seccomp`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    default_action: String,
    default_errno_ret: Option<u32>,
    #[serde(default)]
    architectures: Vec<String>,
    #[serde(default)]
    arch_map: Vec<Family>,
    #[serde(default)]
    flags: Vec<String>,
    listener_path: Option<String>,
    listener_metadata: Option<String>,
    #[serde(default)]
    syscalls: Vec<Rule>,
}

/// An architecture, and those whose programs run on it, too.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Family {
    architecture: String,
    #[serde(default)]
    sub_architectures: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    #[serde(default)]
    name: String,
    #[serde(default)]
    names: Vec<String>,
    action: String,
    errno_ret: Option<u32>,
    args: Option<Vec<LinuxSeccompArg>>,
    includes: Option<Condition>,
    excludes: Option<Condition>,
}

/// When a rule holds.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Condition {
    #[serde(default)]
    arches: Vec<String>,
    #[serde(default)]
    caps: Vec<String>,
    min_kernel: Option<String>,
}

/// Where a profile is to be used.
pub struct Place<'a> {
    /// The container's capabilities, by name.
    pub capabilities: &'a [String],
    /// The kernel's major and minor version.
    pub kernel: (u32, u32),
}

/// The rules of a profile that hold here.
pub fn parse(text: &str, place: &Place<'_>) -> Result<LinuxSeccomp> {
    let profile: Profile = serde_json::from_str(text).map_err(undecodable)?;
    let both = |one: &str, other: &str| {
        invalid(format!(
            "'{one}' and '{other}' were specified in the seccomp profile, use either '{one}' or '{other}'"
        ))
    };
    if !profile.architectures.is_empty() && !profile.arch_map.is_empty() {
        return Err(both("architectures", "archMap"));
    }
    let mut syscalls = Vec::new();
    for rule in &profile.syscalls {
        if !rule.name.is_empty() && !rule.names.is_empty() {
            return Err(both("name", "names"));
        }
        if holds(rule, place)? {
            let single = Some(&rule.name).filter(|name| !name.is_empty());
            let names: Vec<&String> = rule.names.iter().chain(single).collect();
            syscalls.push(without_nulls(json!({
                "names": names, "action": rule.action, "errnoRet": rule.errno_ret, "args": rule.args,
            })));
        }
    }
    let own = profile.arch_map.iter().find(|family| family.architecture == OWN_ARCHITECTURE);
    let family = own.into_iter().flat_map(|family| {
        std::iter::once(&family.architecture).chain(family.sub_architectures.iter().flatten())
    });
    let architectures: Vec<&String> = profile.architectures.iter().chain(family).collect();
    let spec = without_nulls(json!({
        "defaultAction": profile.default_action, "defaultErrnoRet": profile.default_errno_ret,
        "architectures": architectures, "flags": profile.flags, "listenerPath": profile.listener_path,
        "listenerMetadata": profile.listener_metadata, "syscalls": syscalls,
    }));
    serde_json::from_value(spec).map_err(undecodable)
}

#[cfg(target_arch = "aarch64")]
const OWN_ARCHITECTURE: &str = "SCMP_ARCH_AARCH64";
#[cfg(not(target_arch = "aarch64"))]
const OWN_ARCHITECTURE: &str = "SCMP_ARCH_X86_64";

/// What Go calls this machine's architecture.
const GO_ARCHITECTURE: &str = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };

/// All that is included must be so, and nothing of what is excluded.
fn holds(rule: &Rule, place: &Place<'_>) -> Result<bool> {
    let held = |name: &String| place.capabilities.contains(name);
    let is_here = |name: &String| name == GO_ARCHITECTURE;
    let is_new =
        |version: &Option<String>| version.as_deref().map(|text| reaches(place.kernel, text)).transpose();
    let none = Condition::default();
    let (includes, excludes) =
        (rule.includes.as_ref().unwrap_or(&none), rule.excludes.as_ref().unwrap_or(&none));
    let excluded = excludes.arches.iter().any(is_here)
        || excludes.caps.iter().any(held)
        || is_new(&excludes.min_kernel)? == Some(true);
    let included = (includes.arches.is_empty() || includes.arches.iter().any(is_here))
        && includes.caps.iter().all(held)
        && is_new(&includes.min_kernel)? != Some(false);
    Ok(included && !excluded)
}

/// Whether the kernel is `4.8` or newer.
fn reaches(kernel: (u32, u32), text: &str) -> Result<bool> {
    let number = |part: Option<&str>| part.and_then(|digits| digits.parse::<u32>().ok());
    let mut parts = text.split('.');
    match (number(parts.next()), number(parts.next())) {
        (Some(major), Some(minor)) => Ok(kernel >= (major, minor)),
        _ => Err(invalid(format!("Decoding seccomp profile failed: invalid kernel version: {text}"))),
    }
}

fn without_nulls(mut value: Value) -> Value {
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    value
}

fn undecodable(error: serde_json::Error) -> Error {
    let message = format!("Decoding seccomp profile failed: {error}");
    Error::because(ErrorKind::InvalidParameter, message, error)
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidParameter, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(profile: Value, capabilities: &[&str]) -> Result<Vec<String>> {
        let capabilities: Vec<String> = capabilities.iter().map(|name| (*name).to_owned()).collect();
        let place = Place { capabilities: &capabilities, kernel: (5, 14) };
        let profile = parse(&profile.to_string(), &place)?;
        Ok(profile.syscalls().iter().flatten().flat_map(|rule| rule.names().clone()).collect())
    }

    #[test]
    fn rules_hold_for_architectures_capabilities_and_kernels() {
        let rule = |name: &str, condition: Value| {
            let mut rule = json!({"names": [name], "action": "SCMP_ACT_ALLOW"});
            rule.as_object_mut().unwrap().extend(condition.as_object().unwrap().clone());
            rule
        };
        let profile = json!({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
            rule("read", json!({})),
            rule("mount", json!({"includes": {"caps": ["CAP_SYS_ADMIN"]}})),
            rule("clone3", json!({"excludes": {"caps": ["CAP_SYS_ADMIN"]}})),
            rule("ptrace", json!({"includes": {"minKernel": "4.8"}})),
            rule("newer", json!({"includes": {"minKernel": "7.0"}})),
            rule("arch_prctl", json!({"includes": {"arches": [GO_ARCHITECTURE]}})),
            rule("s390_pci_mmio_read", json!({"includes": {"arches": ["s390x"]}})),
            rule("elsewhere", json!({"excludes": {"arches": [GO_ARCHITECTURE]}})),
            {"name": "write", "action": "SCMP_ACT_ALLOW"},
        ]});
        assert_eq!(
            parsed(profile.clone(), &[]).unwrap(),
            ["read", "clone3", "ptrace", "arch_prctl", "write"]
        );
        let admin = parsed(profile, &["CAP_SYS_ADMIN"]).unwrap();
        assert_eq!(admin, ["read", "mount", "ptrace", "arch_prctl", "write"]);
    }

    #[test]
    fn what_is_wrong_is_said_in_dockers_words() {
        let rule = json!({"name": "a", "names": ["b"], "action": "SCMP_ACT_ALLOW"});
        let profiles = [
            json!({}),
            json!({"defaultAction": "SCMP_ACT_NONE"}),
            json!({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"], "archMap": [{"architecture": "SCMP_ARCH_X86"}]}),
            json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]}),
            json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"name": "a", "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "x"}}]}),
        ];
        let refusal = |profile| parsed(profile, &[]).expect_err("refused").to_string() + "\n";
        insta::assert_snapshot!(profiles.map(refusal).concat());
    }
}
