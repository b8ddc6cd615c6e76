//! Files read as glibc reads them; a server of our own answers, fails, or says that it needs TCP.

use std::net::TcpListener;

use hickory_proto::rr::Record;
use hickory_proto::rr::rdata::{A, AAAA};

use super::*;

#[test]
fn reads_resolv_conf() {
    let text = "# comment\nnameserver 10.0.0.1 ; x\nnameserver fe80::1%eth0\nnameserver ::1\nsearch a.b. c\noptions ndots:2 timeout:1 attempts:9 rotate\n";
    insta::assert_debug_snapshot!(Servers::parse(text));
    let servers = Servers::parse(text);
    assert_eq!(servers.candidates("x.y"), ["x.y.a.b", "x.y.c", "x.y"]);
    assert_eq!(servers.candidates("x.y.z"), ["x.y.z", "x.y.z.a.b", "x.y.z.c"]);
    assert_eq!(servers.candidates("x."), ["x"]);
    assert_eq!(Servers::parse("").addresses, ["127.0.0.1:53".parse().unwrap()]);
}

#[test]
fn reads_hosts() {
    let text = "127.0.0.1 localhost\n10.0.0.2\tregistry Registry.local # other\n::2 registry\nbad registry\n";
    let found: Vec<String> = in_hosts(text, "registry").iter().map(IpAddr::to_string).collect();
    assert_eq!(found, ["10.0.0.2", "::2"]);
    assert!(in_hosts(text, "other").is_empty());
}

#[test]
fn an_address_needs_no_lookup() {
    assert_eq!(lookup("[::1]").unwrap(), [IpAddr::from(Ipv6Addr::LOCALHOST)]);
    assert_eq!(lookup("10.1.2.3").unwrap(), ["10.1.2.3".parse::<IpAddr>().unwrap()]);
}

/// The reply to a query: an address for `good.test`, no such name for any other.
fn reply(query: &Message) -> Message {
    let mut reply = Message::response(query.metadata.id, OpCode::Query);
    reply.add_queries(query.queries.clone());
    let question = &query.queries[0];
    if question.name().to_ascii() == "good.test." {
        let data = match question.query_type() {
            RecordType::A => RData::A(A::new(10, 0, 0, 9)),
            _ => RData::AAAA(AAAA::new(0, 0, 0, 0, 0, 0, 0, 9)),
        };
        reply.add_answer(Record::from_rdata(question.name().clone(), 60, data));
    } else {
        reply.metadata.response_code = ResponseCode::NXDomain;
    }
    reply
}

/// A name server on loopback that answers `packets` UDP packets, after a forged one, and over TCP when `truncated`.
fn server(packets: usize, truncated: bool) -> (SocketAddr, std::thread::JoinHandle<()>) {
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = udp.local_addr().unwrap();
    let tcp = TcpListener::bind(address).unwrap();
    let serve = move || {
        for _ in 0..packets {
            let mut packet = [0; 512];
            let (length, client) = udp.recv_from(&mut packet).unwrap();
            let query = Message::from_vec(&packet[..length]).unwrap();
            let mut forged = reply(&query);
            forged.metadata.id ^= 1;
            forged.answers.clear();
            let mut short = reply(&query);
            short.metadata.truncation = truncated;
            for message in [forged, short] {
                udp.send_to(&message.to_vec().unwrap(), client).unwrap();
            }
            if truncated {
                let (mut stream, _) = tcp.accept().unwrap();
                let mut bytes = vec![0; length + 2];
                stream.read_exact(&mut bytes).unwrap();
                let whole = reply(&Message::from_vec(&bytes[2..]).unwrap()).to_vec().unwrap();
                stream.write_all(&(whole.len() as u16).to_be_bytes()).unwrap();
                stream.write_all(&whole).unwrap();
            }
        }
    };
    (address, std::thread::spawn(serve))
}

#[test]
fn asks_a_server() {
    for truncated in [false, true] {
        let (address, thread) = server(2, truncated);
        let servers = Servers { addresses: vec![address], ..Servers::parse("") };
        let found: Vec<String> =
            lookup_at(&servers, "good.test").unwrap().iter().map(IpAddr::to_string).collect();
        assert_eq!(found, ["10.0.0.9", "::9"]);
        thread.join().unwrap();
    }
}

#[test]
fn says_what_is_wrong() {
    let (address, thread) = server(2, false);
    let servers = Servers { addresses: vec![address], ..Servers::parse("") };
    let refusal = lookup_at(&servers, "bad.test").unwrap_err().to_string();
    assert_eq!(refusal, format!("lookup bad.test on {address}: no such host"));
    thread.join().unwrap();
    // Nobody listens there any more: the kernel says so at once.
    let refusal = lookup_at(&servers, "good.test").unwrap_err().to_string();
    assert_eq!(refusal, format!("lookup good.test on {address}: connection refused"));
}
