//! Where a registry is, and whether it may be spoken to without proof of who it is.

use std::net::IpAddr;

/// The registry that `docker.io` means.
const DOCKER_HUB: &str = "registry-1.docker.io";

/// The bases to try, in order, and whether the registry must prove who it is. HTTPS for all; this machine (127.0.0.0/8, ::1,
/// `localhost`) and those of `insecure` (hosts with their port, or networks `10.0.0.0/8`) need no good certificate and may
/// speak plain HTTP, as with Docker.
pub(crate) fn bases(domain: &str, insecure: &[String]) -> (Vec<String>, bool) {
    let host = if domain == "docker.io" { DOCKER_HUB } else { domain };
    let trusted = is_loopback(host) || insecure.iter().any(|rule| matches(rule, host));
    let https = format!("https://{host}");
    if trusted { (vec![https, format!("http://{host}")], false) } else { (vec![https], true) }
}

fn address(host: &str) -> Option<IpAddr> {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None => host.split(':').next()?,
    };
    if name == "localhost" { Some(IpAddr::from([127, 0, 0, 1])) } else { name.parse().ok() }
}

fn is_loopback(host: &str) -> bool {
    address(host).is_some_and(|address| address.is_loopback())
}

fn matches(rule: &str, host: &str) -> bool {
    let network = rule
        .split_once('/')
        .and_then(|(base, bits)| Some((base.parse::<IpAddr>().ok()?, bits.parse::<u32>().ok()?)));
    match (network, address(host)) {
        (Some((IpAddr::V4(base), bits @ 0..=32)), Some(IpAddr::V4(address))) => {
            let shift = |ip: std::net::Ipv4Addr| u64::from(ip.to_bits()) >> (32 - bits);
            shift(base) == shift(address)
        }
        (Some((IpAddr::V6(base), bits @ 1..=128)), Some(IpAddr::V6(address))) => {
            base.to_bits() >> (128 - bits) == address.to_bits() >> (128 - bits)
        }
        (Some(_), _) => false,
        (None, _) => rule == host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_and_named_ones_may_be_insecure() {
        let insecure = ["10.0.0.0/8".to_string(), "lab.local:5000".to_string(), "fd00::/8".to_string()];
        let insecure = |host: &str| !bases(host, &insecure).1;
        let hosts = [
            "127.0.0.1:5000",
            "127.9.9.9",
            "localhost:80",
            "[::1]:5000",
            "10.1.2.3:5000",
            "lab.local:5000",
            "[fd12::1]:1",
        ];
        assert!(hosts.iter().all(|host| insecure(host)));
        let hosts = [
            "docker.io",
            "11.0.0.1",
            "lab.local",
            "localhost.evil.io",
            "127.0.0.1.evil.io:5000",
            "[fe80::1]",
        ];
        assert!(!hosts.iter().any(|host| insecure(host)));
        assert_eq!(bases("docker.io", &[]), (vec!["https://registry-1.docker.io".into()], true));
        assert_eq!(bases("127.0.0.1:5000", &[]).0, ["https://127.0.0.1:5000", "http://127.0.0.1:5000"]);
    }
}
