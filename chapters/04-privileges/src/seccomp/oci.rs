//! Long tail: a profile from the words of the OCI runtime spec (config-linux.md, "Seccomp").

use super::{Action, Arch, Comparison, Condition, Profile, Rule};
use oci_spec::runtime::{
    Arch as OciArch, LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompOperator, LinuxSyscall,
};

/// EPERM: what a forbidden call answers when the profile names no errno.
const EPERM: u16 = 1;

/// No such call.
const ENOSYS: u16 = 38;

/// By which a filter's listener is handed over, and the command's readiness told, once the filter holds.
const OURS: [&str; 2] = ["sendmsg", "write"];

/// Translates a profile; the error names the JSON path of what cannot be.
pub fn profile(seccomp: &LinuxSeccomp) -> Result<Profile, String> {
    let path = "linux.seccomp";
    let flags = seccomp.flags().iter().flatten().try_fold(0, |flags, flag| {
        let word = serde_json::to_value(flag).unwrap_or_default();
        Ok::<u64, String>(
            flags
                | flag_bit(word.as_str().unwrap_or_default())
                    .ok_or_else(|| format!("{path}.flags: {word} is not supported"))?,
        )
    })?;
    let default_action =
        action(seccomp.default_action(), seccomp.default_errno_ret(), &format!("{path}.defaultAction"))?;
    if default_action == Action::Notify {
        return Err(format!(
            "{path}.defaultAction: not every call can be asked about: name those that shall be"
        ));
    }
    let rules = seccomp.syscalls().iter().flatten().enumerate();
    let rules = rules
        .map(|(index, rule)| self::rules(rule, &format!("{path}.syscalls[{index}]")))
        .collect::<Result<Vec<_>, _>>()?
        .concat();
    let named = seccomp.architectures().iter().flatten();
    // Of the others no call ever comes on the processors that we run on: there is nothing to judge.
    let mut architectures = named.filter_map(|arch| self::arch(*arch)).collect::<Vec<_>>();
    // As libseccomp does: the caller's own architecture is always judged.
    architectures.extend(Arch::native().filter(|native| !architectures.contains(native)));
    // As runc does for every profile that refuses what it does not name.
    let beyond = (!matches!(default_action, Action::Allow | Action::Log)).then_some(Action::Errno(ENOSYS));
    Ok(Profile { default_action, beyond, architectures, rules, flags })
}

/// `SECCOMP_FILTER_FLAG_TSYNC` has no meaning for a process with one thread, and is accepted as such.
fn flag_bit(word: &str) -> Option<u64> {
    match word {
        "SECCOMP_FILTER_FLAG_TSYNC" => Some(0),
        "SECCOMP_FILTER_FLAG_LOG" => Some(2),
        "SECCOMP_FILTER_FLAG_SPEC_ALLOW" => Some(4),
        "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV" => Some(32),
        _ => None,
    }
}

/// The rule; or one for each condition where two are on the same argument: then it is enough that one of them holds, as with
/// runc and crun.
fn rules(rule: &LinuxSyscall, path: &str) -> Result<Vec<Rule>, String> {
    let conditions = rule
        .args()
        .iter()
        .flatten()
        .map(|argument| condition(argument, path))
        .collect::<Result<Vec<_>, _>>()?;
    let names = rule.names();
    if names.is_empty() {
        return Err(format!("{path}.names: must name at least one call"));
    }
    let action = action(rule.action(), rule.errno_ret(), &format!("{path}.action"))?;
    if let Some(name) = names.iter().find(|name| action == Action::Notify && OURS.contains(&name.as_str())) {
        return Err(format!(
            "{path}.action: {name} is made by this runtime itself before anybody can be asked"
        ));
    }
    let with = |conditions| Rule { names: names.clone(), action, conditions };
    let is_twice = |index| conditions.iter().filter(|one| one.index == index).count() > 1;
    Ok(if conditions.iter().any(|one| is_twice(one.index)) {
        conditions.into_iter().map(|one| with(vec![one])).collect()
    } else {
        vec![with(conditions)]
    })
}

fn action(action: LinuxSeccompAction, errno: Option<u32>, path: &str) -> Result<Action, String> {
    let takes_errno = matches!(action, LinuxSeccompAction::ScmpActErrno | LinuxSeccompAction::ScmpActTrace);
    if let Some(errno) = errno.filter(|_| !takes_errno) {
        return Err(format!("{path} {action}: no errno goes with it, and {errno} is given: leave that out"));
    }
    let errno = u16::try_from(errno.unwrap_or(EPERM.into()))
        .map_err(|_| format!("{path}: no errno is that large"))?;
    Ok(match action {
        LinuxSeccompAction::ScmpActKill | LinuxSeccompAction::ScmpActKillThread => Action::KillThread,
        LinuxSeccompAction::ScmpActKillProcess => Action::KillProcess,
        LinuxSeccompAction::ScmpActTrap => Action::Trap,
        LinuxSeccompAction::ScmpActErrno => Action::Errno(errno),
        LinuxSeccompAction::ScmpActTrace => Action::Trace(errno),
        LinuxSeccompAction::ScmpActLog => Action::Log,
        LinuxSeccompAction::ScmpActAllow => Action::Allow,
        LinuxSeccompAction::ScmpActNotify => Action::Notify,
    })
}

fn condition(argument: &LinuxSeccompArg, path: &str) -> Result<Condition, String> {
    let index = argument.index() as u32;
    if index > 5 {
        return Err(format!("{path}.args.index: {index}, but a system call has six arguments, from 0"));
    }
    let (value, second) = (argument.value(), argument.value_two());
    let simple = |comparison| Condition { index, comparison, value };
    Ok(match argument.op() {
        LinuxSeccompOperator::ScmpCmpNe => simple(Comparison::NotEqual),
        LinuxSeccompOperator::ScmpCmpLt => simple(Comparison::Less),
        LinuxSeccompOperator::ScmpCmpLe => simple(Comparison::LessOrEqual),
        LinuxSeccompOperator::ScmpCmpEq => simple(Comparison::Equal),
        LinuxSeccompOperator::ScmpCmpGe => simple(Comparison::GreaterOrEqual),
        LinuxSeccompOperator::ScmpCmpGt => simple(Comparison::Greater),
        // Here `value` is the mask, and `valueTwo` what is compared with.
        LinuxSeccompOperator::ScmpCmpMaskedEq => Condition {
            index,
            comparison: Comparison::MaskedEqual { mask: value },
            value: second.unwrap_or_default(),
        },
    })
}

fn arch(arch: OciArch) -> Option<Arch> {
    match arch {
        OciArch::ScmpArchNative => Arch::native(),
        OciArch::ScmpArchX86_64 => Some(Arch::X86_64),
        OciArch::ScmpArchX32 => Some(Arch::X32),
        OciArch::ScmpArchX86 => Some(Arch::I386),
        OciArch::ScmpArchAarch64 => Some(Arch::Aarch64),
        OciArch::ScmpArchArm => Some(Arch::Arm),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_on_one_argument_are_alternatives() {
        let profile = |second: u32| {
            let equal =
                |index, value| serde_json::json!({"index": index, "value": value, "op": "SCMP_CMP_EQ"});
            let seccomp = serde_json::json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
                {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "args": [equal(0, 1), equal(second, 2)]}
            ]});
            super::profile(&serde_json::from_value(seccomp).unwrap()).unwrap()
        };
        let counts = |profile: Profile| -> Vec<usize> {
            profile.rules.iter().map(|rule| rule.conditions.len()).collect()
        };
        assert_eq!(counts(profile(1)), [2]);
        assert_eq!(counts(profile(0)), [1, 1]);
    }
}
