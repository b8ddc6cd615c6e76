//! Addresses, names and ports in flags of `run` and `create`.

use crate::client::failure::{Error, Result};
use api::PortBinding;

type Parsed<T> = std::result::Result<T, String>;

/// `name:address`, `name=address`, `name:[address]`, `name:host-gateway` -> `name:address`.
pub fn extra_host(text: &str) -> Parsed<String> {
    let pair = text.split_once('=').or_else(|| text.split_once(':'));
    let (name, address) = pair.ok_or_else(|| format!("bad format for add-host: {text:?}"))?;
    if name.is_empty() || name.contains(':') {
        return Err(format!("bad format for add-host: {text:?}"));
    }
    let address = address.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(address);
    if address != "host-gateway" && address.parse::<std::net::IpAddr>().is_err() {
        return Err(format!("invalid IP address in add-host: {address:?}"));
    }
    Ok(format!("{name}:{address}"))
}

/// An IP address.
pub fn address(text: &str) -> Parsed<String> {
    let parsed = text.trim().parse::<std::net::IpAddr>();
    parsed
        .map(|address| address.to_string())
        .map_err(|_| format!("IP address is not correctly formatted: {text}"))
}

/// A published port.
#[derive(Clone, Debug)]
pub struct Published {
    /// `80/tcp`
    pub container: String,
    /// Where the host listens; no port means any free one.
    pub host: PortBinding,
}

/// `[[address:]port:]port[/protocol]`, either port a range.
pub fn published(text: &str) -> Parsed<Vec<Published>> {
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (host, container) = ports.rsplit_once(':').unwrap_or(("", ports));
    let (address, port) = host.rsplit_once(':').unwrap_or(("", host));
    let address = address.trim_start_matches('[').trim_end_matches(']');
    if !address.is_empty() {
        address.parse::<std::net::IpAddr>().map_err(|_| format!("invalid IP address: {address}"))?;
    }
    let protocol = protocol.to_lowercase();
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return Err(format!("invalid proto: {protocol}"));
    }
    let inside = range(container).ok_or_else(|| format!("invalid containerPort: {container}"))?;
    let outside: Vec<String> = match port {
        "" => inside.clone().map(|_| String::new()).collect(),
        // Any free port of the range will do for a single port inside.
        port if inside.len() == 1 && range(port).is_some() => vec![port.to_string()],
        port => range(port)
            .ok_or_else(|| format!("invalid hostPort: {port}"))?
            .map(|port| port.to_string())
            .collect(),
    };
    if inside.len() != outside.len() {
        return Err(format!("invalid ranges specified for container and host Ports: {container} and {port}"));
    }
    let published = |(port, host): (u16, String)| Published {
        container: format!("{port}/{protocol}"),
        host: PortBinding { host_ip: address.to_string(), host_port: host },
    };
    Ok(inside.zip(outside).map(published).collect())
}

/// `80` or `80-90`, upwards.
fn range(text: &str) -> Option<std::ops::RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let range = first.parse().ok()?..=last.parse().ok()?;
    (!range.is_empty()).then_some(range)
}

/// A network's name; of the long form `name=x,…` only the name is understood.
pub fn network(text: &str) -> Parsed<String> {
    if !text.contains('=') {
        return Ok(text.to_string());
    }
    match text.split(',').map(|field| field.split_once('=')).collect::<Vec<_>>()[..] {
        [Some(("name", name))] => Ok(name.to_string()),
        _ => Err("options of a network are not supported yet".into()),
    }
}

/// Everything that several values of a flag mean. Docker looks at ports once all flags are read, so that its error is not one of usage.
pub fn each<T>(values: &[String], parse: fn(&str) -> Parsed<Vec<T>>) -> Result<Vec<T>> {
    let parsed = values.iter().map(|text| parse(text)).collect::<Parsed<Vec<_>>>();
    Ok(parsed.map_err(Error::usage)?.into_iter().flatten().collect())
}

/// `8000-8002/udp` -> each port.
pub fn exposed(text: &str) -> Parsed<Vec<String>> {
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let range = range(ports)
        .ok_or_else(|| format!("invalid range format for --expose: {text}, error: {}", wrong_range(ports)))?;
    Ok(range.map(|port| format!("{port}/{}", protocol.to_lowercase())).collect())
}

/// What Go's strconv says of the part that is no port, or docker of a range that goes backwards.
fn wrong_range(ports: &str) -> String {
    let is_number = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    let mut parts = ports.split('-').take(2);
    match parts.clone().find(|part| !is_number(part)) {
        Some(part) => format!("strconv.ParseUint: parsing {part:?}: invalid syntax"),
        None => match parts.find(|part| part.parse::<u16>().is_err()) {
            Some(part) => format!("strconv.ParseUint: parsing {part:?}: value out of range"),
            None => format!("invalid range specified for port: {ports}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_in_dockers_words() {
        let refusals = [
            extra_host("name").unwrap_err(),
            extra_host("name:nowhere").unwrap_err(),
            address("x").unwrap_err(),
            published("http").unwrap_err(),
            published("80/foo").unwrap_err(),
            published("1-2:1-3").unwrap_err(),
            published("1.2.3:80:80").unwrap_err(),
            exposed("90-80").unwrap_err(),
            network("name=a,ip=1.2.3.4").unwrap_err(),
        ];
        insta::assert_snapshot!(refusals.join("\n"));
    }

    #[test]
    fn values_are_normalized() {
        assert_eq!(extra_host("a=[::1]"), Ok("a:::1".into()));
        assert_eq!(exposed("80-81").unwrap(), ["80/tcp", "81/tcp"]);
        let port = &published("[::1]:8080:80").unwrap()[0];
        assert_eq!((port.container.as_str(), port.host.host_ip.as_str()), ("80/tcp", "::1"));
        assert_eq!(port.host.host_port, "8080");
        let ports = published("90-91:80-81/udp").unwrap();
        assert_eq!(
            ports.iter().map(|port| port.container.as_str()).collect::<Vec<_>>(),
            ["80/udp", "81/udp"]
        );
    }
}
