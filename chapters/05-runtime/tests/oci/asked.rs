//! Filters that ask: the listener and the container's state go to whoever listens.

use crate::site::{Site, eventually};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use serde_json::{Value, json};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixListener;

#[test]
fn whoever_listens_is_asked() {
    let script = "mkdir /x 2> /said; echo > /done; sleep 100";
    let Some(mut site) = Site::new("asked", script) else {
        return;
    };
    let path = site.folder.join("agent");
    site.spec["linux"]["seccomp"] = json!({
        "defaultAction": "SCMP_ACT_ALLOW",
        "listenerPath": path,
        "listenerMetadata": "a mark",
        "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_NOTIFY"}],
    });
    site.spec["annotations"] = json!({"key": "value"});
    site.write();
    assert!(site.refused(&["run", "ID"]).contains("linux.seccomp.listenerPath: connect("));
    let agent = UnixListener::bind(&path).unwrap();
    for no_new_privileges in [true, false] {
        site.spec["process"]["noNewPrivileges"] = no_new_privileges.into();
        site.write();
        site.ok(&["run", "-d", "ID"]);
        let (told, listener) = received(&agent);
        let state: Value = serde_json::from_str(&site.ok(&["state", "ID"])).unwrap();
        assert_eq!(told["fds"], json!(["seccompFd"]));
        assert_eq!((&told["metadata"], &told["pid"]), (&json!("a mark"), &state["pid"]));
        assert_eq!((&told["state"]["status"], &told["state"]["pid"]), (&json!("creating"), &state["pid"]));
        for field in ["id", "bundle", "ociVersion", "annotations"] {
            assert_eq!(told["state"][field], state[field], "{field}");
        }
        // It waits for an answer; that there is nobody any more is one.
        let inside = site.folder.join("rootfs");
        is_asked(&listener);
        assert!(!inside.join("done").exists());
        drop(listener);
        eventually("it is answered", || inside.join("done").exists());
        let said = std::fs::read_to_string(inside.join("said")).unwrap();
        assert!(said.contains("Function not implemented"), "{said}");
        std::fs::remove_file(inside.join("done")).unwrap();
        site.ok(&["exec", "-d", "--pid-file", "pid", "ID", "sh", "-c", "mkdir /y; echo > /done"]);
        let (told, listener) = received(&agent);
        let pid: i32 = std::fs::read_to_string(site.folder.join("pid")).unwrap().parse().unwrap();
        assert_eq!(told["pid"], pid);
        assert_eq!((&told["state"]["status"], &told["state"]["pid"]), (&json!("running"), &state["pid"]));
        is_asked(&listener);
        drop(listener);
        eventually("it is answered", || inside.join("done").exists());
        std::fs::remove_file(inside.join("done")).unwrap();
        site.ok(&["delete", "--force", "ID"]);
    }
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let Some(mut site) = Site::new("unasked", "true") else {
        return;
    };
    let mut refused = |seccomp: Value| {
        site.spec["linux"]["seccomp"] = seccomp;
        site.write();
        site.refused(&["run", "ID"])
    };
    let rule = |name: &str| json!([{"names": [name], "action": "SCMP_ACT_NOTIFY"}]);
    let cases = [
        (json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": rule("mkdir")}), "listenerPath is missing"),
        (json!({"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "x"}), "listenerMetadata without"),
        (json!({"defaultAction": "SCMP_ACT_NOTIFY", "listenerPath": "/x"}), "defaultAction: not every call"),
        (
            json!({"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/x", "syscalls": rule("sendmsg")}),
            "sendmsg is made by this runtime itself",
        ),
    ];
    for (seccomp, expected) in cases {
        let said = refused(seccomp);
        assert!(said.contains(expected), "{said}");
    }
}

/// Until a call waits for an answer.
fn is_asked(listener: &OwnedFd) {
    let mut ready = [PollFd::new(listener, PollFlags::IN)];
    let limit = Timespec { tv_sec: 10, tv_nsec: 0 };
    assert_eq!(poll(&mut ready, Some(&limit)).unwrap(), 1, "nothing is asked");
}

/// What the next one who connects sends: a state, and a listener.
fn received(agent: &UnixListener) -> (Value, OwnedFd) {
    let (socket, _) = agent.accept().unwrap();
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut text = [0; 4096];
    let mut parts = [std::io::IoSliceMut::new(&mut text)];
    let length = recvmsg(&socket, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC).unwrap().bytes;
    let listener = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    let listener = listener.unwrap();
    let what = std::fs::read_link(format!("/proc/self/fd/{}", listener.as_raw_fd())).unwrap();
    assert_eq!(what.to_str(), Some("anon_inode:seccomp notify"));
    (serde_json::from_slice(&text[..length]).unwrap(), listener)
}
