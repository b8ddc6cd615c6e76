//! Long tail: settings of the kernel that take user namespaces from ordinary users, and the commands that give them back.

use crate::Failure;

/// A setting of the kernel that takes user namespaces from ordinary users.
#[derive(Debug, Clone, Copy)]
pub struct Knob {
    name: &'static str,
    forbids: &'static str,
    allows: &'static str,
}

/// Linux's own, Debian's and Ubuntu's.
const KNOBS: [Knob; 3] = [
    knob("user.max_user_namespaces", "0", "15000"),
    knob("kernel.unprivileged_userns_clone", "0", "1"),
    knob("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
];

const fn knob(name: &'static str, forbids: &'static str, allows: &'static str) -> Knob {
    Knob { name, forbids, allows }
}

impl Knob {
    /// Which knob it is, and the command that turns it.
    pub fn advice(self) -> String {
        let Knob { name, forbids, allows } = self;
        format!(
            "this kernel keeps user namespaces from ordinary users ({name} is {forbids}); as root: sysctl -w {name}={allows}"
        )
    }
}

/// The first knob that forbids user namespaces.
pub fn forbidding_knob() -> Option<Knob> {
    let forbids = |knob: &Knob| {
        let text = std::fs::read_to_string(format!("/proc/sys/{}", knob.name.replace('.', "/")));
        text.is_ok_and(|text| text.trim() == knob.forbids)
    };
    KNOBS.into_iter().find(forbids)
}

/// AppArmor lets a user namespace be made, and then gives it no rights: what was not permitted is told with the knob.
pub fn advised(mut failure: Failure) -> Failure {
    if let Some(knob) = forbidding_knob() {
        failure.message = format!("{} ({})", knob.advice(), failure.message);
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_names_the_knob_and_the_command() {
        let advice: String = KNOBS.into_iter().map(|knob| knob.advice() + "\n").collect();
        insta::assert_snapshot!(advice);
    }
}
