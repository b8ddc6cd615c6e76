//! What is asked, field by field, and what is answered.

use super::*;

/// Everything that can be asked for, field by field, by the numbers of rpc.proto.
#[test]
fn a_request_with_everything() {
    let everything = Options {
        images: 5,
        work: Some(6),
        log_file: "dump.log",
        pid: Some(300),
        root: "/bundle/rootfs".into(),
        leave_running: true,
        external_sockets: true,
        tcp_established: true,
        tcp_skip_in_flight: true,
        link_remap: true,
        evasive_devices: true,
        shell_job: true,
        file_locks: true,
        page_server: Some(("::1".into(), 27277)),
        parent: Some("../before".into()),
        auto_deduplication: true,
        external_mounts: vec![("/data".into(), "/srv/data".into())],
        cgroup_roots: vec![(String::new(), "/x".into())],
        inherited: vec![("pipe:[7]".into(), 1)],
        sibling: true,
        external: vec!["file[1f:2a]".into()],
        joined: vec![("uts", "/proc/9/ns/uts".into())],
        cgroups: CgroupMode::Full,
        empty_network: true,
        freezer: Some("/sys/fs/cgroup/x".into()),
        lazy_pages: true,
        config_file: Some("/etc/criu/x.conf".into()),
        lsm_profile: Some("apparmor:x".into()),
        nftables: true,
    };
    insta::assert_snapshot!(told(request(Verb::Dump, &everything).encoded()));
}

#[test]
fn a_request_with_little() {
    let little = Options { images: 3, log_file: "restore.log", root: "/r".into(), ..Options::default() };
    insta::assert_snapshot!(told(request(Verb::Restore, &little).encoded()));
}

/// A line for each field; a text is one whose bytes can be printed, anything else is a message.
fn told(bytes: &[u8]) -> String {
    tell(bytes, 0).unwrap()
}

fn tell(bytes: &[u8], depth: usize) -> Option<String> {
    let mut text = String::new();
    for (field, value) in wire::fields(bytes)? {
        let margin = "    ".repeat(depth);
        text += &match value {
            Value::Number(number) => format!("{margin}{field}: {number}\n"),
            Value::Bytes(bytes) if bytes.iter().all(|byte| (b' '..=b'~').contains(byte)) => {
                format!("{margin}{field}: {:?}\n", String::from_utf8_lossy(bytes))
            }
            Value::Bytes(bytes) => format!("{margin}{field}:\n{}", tell(bytes, depth + 1)?),
        };
    }
    Some(text)
}

fn answer(kind: u64, success: bool, more: impl FnOnce(&mut Message)) -> Option<Reply> {
    let mut message = Message::default();
    message.number(1, kind);
    message.number(2, success.into());
    more(&mut message);
    reply(message.encoded())
}

#[test]
fn answers_are_understood() {
    let done = answer(Verb::Dump as u64, true, |_| {});
    assert_eq!(done, Some(Reply::Done { features: (false, false) }));
    let features = answer(Verb::Features as u64, true, |message| {
        let mut features = Message::default();
        features.flag(2, true);
        message.message(8, &features);
    });
    assert_eq!(features, Some(Reply::Done { features: (false, true) }));
    let failed = answer(Verb::Restore as u64, false, |message| message.text(9, "no such thing"));
    assert_eq!(failed, Some(Reply::Failed { why: Some("no such thing".into()) }));
    let notice = answer(NOTICE, true, |message| {
        let mut notice = Message::default();
        notice.text(1, "post-restore");
        notice.number(2, 300);
        message.message(5, &notice);
    });
    assert_eq!(notice, Some(Reply::Notice { script: "post-restore".into(), pid: Some(300) }));
    // That it was killed is the end of the socket, which is an empty message.
    assert_eq!(reply(b""), None);
}
