//! Long tail: which settings below /proc/sys are a container's own, because the kernel keeps one for each namespace. Any other is the
//! machine's, and is refused.

use crate::{Error, Result};
use namespaces::{Namespaces, SpawnPlan};
use std::collections::{BTreeMap, HashMap};

/// Kept for each IPC namespace (ipc_namespaces(7)), besides everything below `fs.mqueue.`.
const OF_IPC: [&str; 8] = [
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
];

/// What `linux.sysctl` asks for, as paths below /proc/sys; sorted, so that the same spec gives the same plan.
pub fn sysctls(asked: &HashMap<String, String>, spawn: &SpawnPlan) -> Result<Vec<(String, String)>> {
    let mut sysctls = Vec::new();
    // In their order by name, so that of several that are refused it is always the same one that is named.
    for (name, value) in asked.iter().collect::<BTreeMap<_, _>>() {
        let path = path(name)?;
        check(&path.replace('/', "."), name, spawn)?;
        sysctls.push((path, value.clone()));
    }
    sysctls.sort();
    Ok(sysctls)
}

/// `net.ipv4.ip_forward` is `net/ipv4/ip_forward`. In a name that has a slash first, dots are part of a name: `net/ipv4/conf/eth0.1/proxy_arp`.
fn path(name: &str) -> Result<String> {
    let is_path = name.find(['.', '/']).is_some_and(|first| name[first..].starts_with('/'));
    let swap = |letter| if letter == '.' { '/' } else { '.' };
    let path = match is_path {
        true => name.to_owned(),
        false => name.chars().map(|c| if matches!(c, '.' | '/') { swap(c) } else { c }).collect(),
    };
    match path.split('/').find(|part| matches!(*part, "" | "." | "..")) {
        None => Ok(path),
        Some(_) => Err(Error::invalid(format!("linux.sysctl: {name:?} is no name of a sysctl"))),
    }
}

fn check(dotted: &str, name: &str, spawn: &SpawnPlan) -> Result<()> {
    let refused = |why: &str| Err(Error::invalid(format!("linux.sysctl: sysctl {name:?} {why}")));
    match dotted {
        "kernel.hostname" => refused("is not allowed as it conflicts with the OCI \"hostname\" field"),
        "kernel.domainname" if spawn.has(Namespaces::UTS) => Ok(()),
        "kernel.domainname" => refused("is not allowed in the host's UTS namespace"),
        _ if dotted.starts_with("net.") && spawn.has(Namespaces::NET) => Ok(()),
        _ if dotted.starts_with("net.") => refused("not allowed in host network namespace"),
        _ if !(OF_IPC.contains(&dotted) || dotted.starts_with("fs.mqueue.")) => {
            refused("is not in a separate kernel namespace")
        }
        _ if spawn.has(Namespaces::IPC) => Ok(()),
        _ => refused("is not allowed in the hosts ipc namespace"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(name: &str, new: Namespaces) -> Result<String> {
        let asked = [(name.to_owned(), "1".to_owned())].into();
        let spawn = SpawnPlan { new, ..SpawnPlan::default() };
        Ok(sysctls(&asked, &spawn)?.remove(0).0)
    }

    #[test]
    fn names_become_paths() {
        let of = |name| planned(name, Namespaces::NET | Namespaces::IPC | Namespaces::UTS).expect(name);
        assert_eq!(of("net.ipv4.ip_forward"), "net/ipv4/ip_forward");
        assert_eq!(of("net.ipv4.conf.eth0/1.proxy_arp"), "net/ipv4/conf/eth0.1/proxy_arp");
        assert_eq!(of("net/ipv4/conf/eth0.1/proxy_arp"), "net/ipv4/conf/eth0.1/proxy_arp");
        assert_eq!(of("kernel.shmmax"), "kernel/shmmax");
        assert_eq!(of("fs.mqueue.msg_max"), "fs/mqueue/msg_max");
        assert_eq!(of("kernel.domainname"), "kernel/domainname");
    }

    #[test]
    fn what_is_the_machines_is_refused() {
        let none = Namespaces::empty();
        let all = Namespaces::NET | Namespaces::IPC | Namespaces::UTS;
        let cases = [
            ("net.ipv4.ip_forward", none),
            ("kernel.shmmax", none),
            ("kernel.domainname", none),
            ("kernel.hostname", all),
            ("kernel.panic", all),
            ("vm.swappiness", all),
            ("net/../kernel/panic", all),
            ("net..ip_forward", all),
            ("", all),
        ];
        let refusal = |(name, new)| planned(name, new).expect_err(name).to_string() + "\n";
        insta::assert_snapshot!(cases.map(refusal).concat());
    }
}
