//! Names to addresses, by our own hand: a static binary cannot load the C library's NSS plugins.
//!
//! An address is itself, `localhost` is this machine, then /etc/hosts (hosts(5)), then the name servers of /etc/resolv.conf
//! (resolv.conf(5)) over UDP, and over TCP when an answer does not fit.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};

/// What /etc/resolv.conf says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Servers {
    pub(crate) addresses: Vec<SocketAddr>,
    search: Vec<String>,
    /// Names with fewer dots are tried with the search domains first.
    ndots: usize,
    timeout: Duration,
    attempts: u32,
}

impl Servers {
    /// Reads resolv.conf's text; without a name server it is this machine.
    pub(crate) fn parse(text: &str) -> Servers {
        let timeout = Duration::from_secs(5);
        let mut servers =
            Servers { addresses: Vec::new(), search: Vec::new(), ndots: 1, timeout, attempts: 2 };
        for line in text.lines() {
            let mut words = line.split(['#', ';']).next().unwrap_or_default().split_whitespace();
            match words.next() {
                Some("nameserver") => {
                    // An address with a scope (fe80::1%eth0) needs an interface's index: left out.
                    let address = words.next().and_then(|word| word.parse::<IpAddr>().ok());
                    servers.addresses.extend(address.map(|address| SocketAddr::new(address, 53)));
                }
                Some("search" | "domain") => {
                    servers.search = words.map(|w| w.trim_end_matches('.').to_string()).collect()
                }
                Some("options") => words.for_each(|option| servers.option(option)),
                _ => (),
            }
        }
        servers.addresses.truncate(3);
        if servers.addresses.is_empty() {
            servers.addresses.push(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 53));
        }
        servers
    }

    fn option(&mut self, option: &str) {
        let Some((name, value)) = option.split_once(':') else {
            return;
        };
        let Ok(value) = value.parse::<u32>() else { return };
        match name {
            "ndots" => self.ndots = value.min(15) as usize,
            "timeout" => self.timeout = Duration::from_secs(value.clamp(1, 30).into()),
            "attempts" => self.attempts = value.clamp(1, 5),
            _ => (),
        }
    }

    /// The names to ask for, in order.
    fn candidates(&self, host: &str) -> Vec<String> {
        if let Some(absolute) = host.strip_suffix('.') {
            return vec![absolute.to_string()];
        }
        let searched =
            self.search.iter().filter(|domain| !domain.is_empty()).map(|domain| format!("{host}.{domain}"));
        let bare = std::iter::once(host.to_string());
        if host.matches('.').count() >= self.ndots {
            bare.chain(searched).collect()
        } else {
            searched.chain(bare).collect()
        }
    }
}

/// All addresses of `host`. Its error reads like Go's: `lookup nosuch.invalid on 10.0.0.1:53: no such host`.
pub(crate) fn lookup(host: &str) -> io::Result<Vec<IpAddr>> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(vec![address]);
    }
    let lower = host.trim_end_matches('.').to_ascii_lowercase();
    let known = in_hosts(&fs::read_to_string("/etc/hosts").unwrap_or_default(), &lower);
    if !known.is_empty() {
        return Ok(known);
    }
    if lower == "localhost" || lower.ends_with(".localhost") {
        return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    lookup_at(&Servers::parse(&fs::read_to_string("/etc/resolv.conf").unwrap_or_default()), host)
}

/// The addresses of /etc/hosts' text for a name.
fn in_hosts(text: &str, host: &str) -> Vec<IpAddr> {
    let address = |line: &str| {
        let mut words = line.split('#').next()?.split_whitespace();
        let address: IpAddr = words.next()?.parse().ok()?;
        words.any(|name| name.eq_ignore_ascii_case(host)).then_some(address)
    };
    text.lines().filter_map(address).collect()
}

/// Asks the servers, candidate by candidate.
pub(crate) fn lookup_at(servers: &Servers, host: &str) -> io::Result<Vec<IpAddr>> {
    let mut last = io::Error::other(format!("lookup {host}: no such host"));
    for candidate in servers.candidates(host) {
        // First tries over all servers, then second tries.
        for server in (0..servers.attempts).flat_map(|_| &servers.addresses) {
            match ask(*server, &candidate, servers.timeout) {
                Ok(Some(addresses)) if !addresses.is_empty() => return Ok(addresses),
                Ok(Some(_)) => {
                    last = io::Error::other(format!("lookup {host} on {server}: no such host"));
                    break;
                }
                // It cannot say; the next one may.
                Ok(None) => last = io::Error::other(format!("lookup {host} on {server}: server misbehaving")),
                Err(e) => last = io::Error::other(format!("lookup {host} on {server}: {}", reason(&e))),
            }
        }
    }
    Err(last)
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "i/o timeout".into(),
        _ => crate::client::plain(error),
    }
}

/// Asks one server for both kinds of address. None: it had no answer to give; an empty list: there is no such name.
fn ask(server: SocketAddr, host: &str, timeout: Duration) -> io::Result<Option<Vec<IpAddr>>> {
    let socket = UdpSocket::bind(SocketAddr::new(unspecified(server), 0))?;
    // Connected, so that only this server's packets come in.
    socket.connect(server)?;
    let queries = [query(host, RecordType::A)?, query(host, RecordType::AAAA)?];
    for query in &queries {
        socket.send(&query.to_vec().map_err(io::Error::other)?)?;
    }
    let (deadline, mut replies) = (Instant::now() + timeout, [None, None]);
    let mut packet = [0; 4096];
    while replies.iter().any(Option::is_none) {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        socket.set_read_timeout(Some(left))?;
        let length = socket.recv(&mut packet)?;
        let Ok(reply) = Message::from_vec(&packet[..length]) else {
            continue;
        };
        if let Some(place) = queries.iter().position(|query| answers(query, &reply)) {
            let whole =
                if reply.metadata.truncation { ask_tcp(server, &queries[place], timeout)? } else { reply };
            replies[place] = Some(whole);
        }
    }
    Ok(addresses(replies.iter().flatten()))
}

fn unspecified(server: SocketAddr) -> IpAddr {
    if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() }
}

fn query(host: &str, kind: RecordType) -> io::Result<Message> {
    let mut name = Name::from_ascii(host).map_err(io::Error::other)?;
    name.set_fqdn(true);
    // The id is random, as is the port: an answer cannot be guessed from outside (RFC 5452).
    let mut id = [0; 2];
    fs::File::open("/dev/urandom")?.read_exact(&mut id)?;
    let mut message = Message::new(u16::from_ne_bytes(id), MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name, kind));
    Ok(message)
}

/// Whether this is the reply to this query, by id and question.
fn answers(query: &Message, reply: &Message) -> bool {
    reply.metadata.message_type == MessageType::Response
        && reply.metadata.id == query.metadata.id
        && reply.queries == query.queries
}

/// RFC 7766: the same message, after its length.
fn ask_tcp(server: SocketAddr, query: &Message, timeout: Duration) -> io::Result<Message> {
    let mut stream = TcpStream::connect_timeout(&server, timeout)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    let bytes = query.to_vec().map_err(io::Error::other)?;
    let length = u16::try_from(bytes.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes()[..], &bytes].concat())?;
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut bytes = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut bytes)?;
    let reply = Message::from_vec(&bytes).map_err(io::Error::other)?;
    if answers(query, &reply) { Ok(reply) } else { Err(io::Error::other("an answer to another question")) }
}

fn addresses<'a>(replies: impl Iterator<Item = &'a Message>) -> Option<Vec<IpAddr>> {
    let mut addresses = Vec::new();
    for reply in replies {
        match reply.metadata.response_code {
            ResponseCode::NoError | ResponseCode::NXDomain => (),
            _ => return None,
        }
        // A recursive server gives the records at the end of a chain of aliases along with it.
        addresses.extend(reply.answers.iter().filter_map(|record| match &record.data {
            RData::A(address) => Some(IpAddr::from(address.0)),
            RData::AAAA(address) => Some(IpAddr::from(address.0)),
            _ => None,
        }));
    }
    Some(addresses)
}

#[cfg(test)]
#[path = "resolver_tests.rs"]
mod tests;
