//! Long tail: Docker's default profile in the words of the OCI runtime spec, as a config.json carries it.

use super::{Action, Arch, Comparison, Condition, Rule};
use crate::{CapSet, default_profile};
use oci_spec::runtime::{
    Arch as OciArch, LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompArgBuilder,
    LinuxSeccompBuilder, LinuxSeccompOperator, LinuxSyscall, LinuxSyscallBuilder,
};

/// Docker's seccomp profile for a container with these capabilities, by name; names of none are passed over.
pub fn default_seccomp(capabilities: &[String]) -> LinuxSeccomp {
    let held = capabilities.iter().filter_map(|name| CapSet::from_names([name]).ok());
    let profile = default_profile(held.fold(CapSet::default(), |held, one| CapSet(held.0 | one.0)));
    let (action, errno) = words(profile.default_action);
    let builder = LinuxSeccompBuilder::default()
        .default_action(action)
        .default_errno_ret(errno.expect("it refuses with an errno"))
        .architectures(profile.architectures.iter().map(|arch| architecture(*arch)).collect::<Vec<_>>())
        .syscalls(profile.rules.iter().map(rule).collect::<Vec<_>>());
    builder.build().expect("every required field is set")
}

fn words(action: Action) -> (LinuxSeccompAction, Option<u32>) {
    match action {
        Action::Allow => (LinuxSeccompAction::ScmpActAllow, None),
        Action::Errno(errno) => (LinuxSeccompAction::ScmpActErrno, Some(errno.into())),
        other => unreachable!("the default profile has no {other:?}"),
    }
}

fn architecture(arch: Arch) -> OciArch {
    match arch {
        Arch::X86_64 => OciArch::ScmpArchX86_64,
        Arch::X32 => OciArch::ScmpArchX32,
        Arch::I386 => OciArch::ScmpArchX86,
        Arch::Aarch64 => OciArch::ScmpArchAarch64,
        Arch::Arm => OciArch::ScmpArchArm,
    }
}

fn rule(rule: &Rule) -> LinuxSyscall {
    let (action, errno) = words(rule.action);
    let mut builder = LinuxSyscallBuilder::default().names(rule.names.clone()).action(action);
    if let Some(errno) = errno {
        builder = builder.errno_ret(errno);
    }
    if !rule.conditions.is_empty() {
        builder = builder.args(rule.conditions.iter().map(argument).collect::<Vec<_>>());
    }
    builder.build().expect("every required field is set")
}

/// Of a masked comparison, `value` is the mask, and `valueTwo` what is compared with.
fn argument(condition: &Condition) -> LinuxSeccompArg {
    let (operator, value, second) = match condition.comparison {
        Comparison::MaskedEqual { mask } => (LinuxSeccompOperator::ScmpCmpMaskedEq, mask, condition.value),
        Comparison::Equal => (LinuxSeccompOperator::ScmpCmpEq, condition.value, 0),
        Comparison::Less => (LinuxSeccompOperator::ScmpCmpLt, condition.value, 0),
        other => unreachable!("the default profile does not compare by {other:?}"),
    };
    let builder = LinuxSeccompArgBuilder::default().index(condition.index as usize).op(operator);
    builder.value(value).value_two(second).build().expect("every required field is set")
}
