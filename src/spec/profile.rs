//! The profile of AppArmor that a container is held to.

use super::Facts;

/// No profile at all.
pub const UNCONFINED: &str = "unconfined";

/// The one that is asked for, or Docker's default: a privileged container has none. Where AppArmor is not, nobody has one.
pub fn apparmor_profile(host: &api::HostConfig, facts: &Facts) -> Option<String> {
    let options = host.security_opt.iter().flatten();
    // The last one counts, as with dockerd.
    let asked =
        options.filter_map(|option| option.strip_prefix("apparmor")?.strip_prefix(['=', ':'])).next_back();
    let default = if host.privileged { UNCONFINED } else { privileges::DEFAULT_APPARMOR };
    facts.apparmor.then(|| asked.filter(|name| !name.is_empty()).unwrap_or(default).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_held_to_what() {
        let profile = |apparmor: bool, privileged: bool, options: &[&str]| {
            let security_opt = Some(options.iter().map(|option| (*option).to_owned()).collect());
            let host = api::HostConfig { privileged, security_opt, ..Default::default() };
            apparmor_profile(&host, &Facts { apparmor, ..Facts::default() })
        };
        let some = |name: &str| Some(name.to_owned());
        assert_eq!(profile(true, false, &[]), some("docker-default"));
        assert_eq!(profile(true, true, &[]), some("unconfined"));
        assert_eq!(profile(true, true, &["apparmor=mine"]), some("mine"));
        assert_eq!(profile(true, false, &["apparmor:mine", "apparmor=unconfined"]), some("unconfined"));
        assert_eq!(profile(false, false, &["apparmor=unconfined"]), None);
    }
}
