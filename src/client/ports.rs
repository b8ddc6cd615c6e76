//! Ports as `ps` shows them: sorted, runs of neighbours joined.

use serde_json::Value;

/// A port of a container, and where the host publishes it.
struct Port {
    private: u64,
    public: u64,
    address: String,
    protocol: String,
}

/// `0.0.0.0:80->8080/tcp, 9000-9002/tcp` from the list that the API gives.
pub fn displayable(ports: &Value) -> String {
    let mut ports: Vec<Port> = ports.as_array().into_iter().flatten().map(port).collect();
    ports.sort_by(|one, other| {
        let key = |port: &Port| (port.private, port.address.clone(), port.public, port.protocol.clone());
        key(one).cmp(&key(other))
    });
    let mut shown = Vec::new();
    let mut mappings = Vec::new();
    let mut runs: Vec<(String, u64, u64)> = Vec::new();
    for port in ports {
        if !port.address.is_empty() && port.public != port.private {
            let host = join_host(&port.address, port.public);
            mappings.push(format!("{host}->{}/{}", port.private, port.protocol));
            continue;
        }
        let key = if port.address.is_empty() {
            port.protocol
        } else {
            format!("{}/{}", port.address, port.protocol)
        };
        match runs.iter_mut().find(|(known, ..)| *known == key) {
            Some((_, _, last)) if port.private == *last + 1 => *last = port.private,
            Some((_, first, last)) => {
                shown.push(run(&key, *first, *last));
                (*first, *last) = (port.private, port.private);
            }
            None => runs.push((key, port.private, port.private)),
        }
    }
    shown.extend(runs.iter().map(|(key, first, last)| run(key, *first, *last)));
    shown.extend(mappings);
    shown.join(", ")
}

fn port(value: &Value) -> Port {
    let text = |field: &str| value[field].as_str().unwrap_or_default().to_string();
    let number = |field: &str| value[field].as_u64().unwrap_or_default();
    Port {
        private: number("PrivatePort"),
        public: number("PublicPort"),
        address: text("IP"),
        protocol: text("Type"),
    }
}

/// `[::]:80` for an IPv6 address, `0.0.0.0:80` otherwise.
pub fn join_host(address: &str, port: impl std::fmt::Display) -> String {
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

fn run(key: &str, first: u64, last: u64) -> String {
    let group = if first == last { first.to_string() } else { format!("{first}-{last}") };
    match key.split_once('/') {
        Some((address, protocol)) => format!("{}->{group}/{protocol}", join_host(address, &group)),
        None => format!("{group}/{key}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn neighbours_are_joined_and_mappings_follow() {
        let ports = json!([
            {"PrivatePort": 9001, "Type": "tcp"},
            {"PrivatePort": 9000, "Type": "tcp"},
            {"PrivatePort": 80, "PublicPort": 8080, "IP": "::", "Type": "tcp"},
            {"PrivatePort": 53, "PublicPort": 53, "IP": "0.0.0.0", "Type": "udp"},
            {"PrivatePort": 9005, "Type": "tcp"},
        ]);
        assert_eq!(displayable(&ports), "9000-9001/tcp, 0.0.0.0:53->53/udp, 9005/tcp, [::]:8080->80/tcp");
        assert_eq!(displayable(&Value::Null), "");
    }
}
