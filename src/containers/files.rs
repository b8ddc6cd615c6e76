//! The files that Docker writes for a container and binds into it: /etc/hosts, /etc/hostname, /etc/resolv.conf.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;

use super::Record;
use crate::error::{Error, Result};

/// Docker's own first lines of /etc/hosts.
const HOSTS: &str = "127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
ff00::0\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
";

/// What a container asks when its host has no name server but on loopback, which is another one inside.
const PUBLIC_NAME_SERVERS: [&str; 2] = ["8.8.8.8", "8.8.4.4"];

/// Writes the three files into a container's folder. They are made anew at each start, so they need no sync.
pub fn write(folder: &Path, record: &Record, address: Option<Ipv4Addr>) -> Result<()> {
    let on_host = record.host_config.network_mode == "host";
    let host_file = |path: &str| match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        result => result.map_err(Error::system),
    };
    let first = if on_host { host_file("/etc/hosts")? } else { HOSTS.to_owned() };
    let write = |name: &str, text: String| fs::write(folder.join(name), text).map_err(Error::system);
    write("hosts", hosts(first, record, address))?;
    write("hostname", format!("{}\n", record.config.hostname))?;
    write("resolv.conf", resolv_conf(&host_file("/etc/resolv.conf")?, record, on_host))
}

fn hosts(mut text: String, record: &Record, address: Option<Ipv4Addr>) -> String {
    for extra in record.host_config.extra_hosts.iter().flatten() {
        // `name:address`; an IPv6 address has colons, a name has none.
        if let Some((name, address)) = extra.split_once(':') {
            text.push_str(&format!("{address}\t{name}\n"));
        }
    }
    if let Some(address) = address {
        let (host, domain) = (&record.config.hostname, &record.config.domainname);
        let full = if domain.is_empty() { host.clone() } else { format!("{host}.{domain} {host}") };
        text.push_str(&format!("{address}\t{full}\n"));
    }
    text
}

/// The host's file with what the container wants instead. Its comments are kept unless something is replaced, as Docker does.
fn resolv_conf(host: &str, record: &Record, on_host: bool) -> String {
    let config = &record.host_config;
    let own = |list: &Option<Vec<String>>| list.clone().filter(|list| !list.is_empty());
    let (servers, search, options) = (own(&config.dns), own(&config.dns_search), own(&config.dns_options));
    if servers.is_none() && search.is_none() && options.is_none() && (on_host || !has_loopback_server(host)) {
        return host.to_owned();
    }
    let of_host = |keyword: &str| words_of(host, keyword);
    let servers = servers.unwrap_or_else(|| {
        let found: Vec<String> =
            of_host("nameserver").into_iter().filter(|s| on_host || !is_loopback(s)).collect();
        if found.is_empty() { PUBLIC_NAME_SERVERS.map(String::from).to_vec() } else { found }
    });
    let mut text = String::new();
    let mut line = |keyword: &str, words: &[String]| {
        if !words.is_empty() {
            text.push_str(&format!("{keyword} {}\n", words.join(" ")));
        }
    };
    let search = search.unwrap_or_else(|| of_host("search"));
    // A single dot means: no search list at all.
    line("search", if search == ["."] { &[] } else { &search });
    servers.iter().for_each(|server| line("nameserver", std::slice::from_ref(server)));
    line("options", &options.unwrap_or_else(|| of_host("options")));
    text
}

fn words_of(text: &str, keyword: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some(keyword)).then_some(words)
    });
    lines.flatten().map(String::from).collect()
}

fn has_loopback_server(text: &str) -> bool {
    let servers = words_of(text, "nameserver");
    servers.is_empty() || servers.iter().any(|server| is_loopback(server))
}

fn is_loopback(server: &str) -> bool {
    server.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
