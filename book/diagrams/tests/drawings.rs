//! What is drawn and said in some states, and that a state, its link and its events agree.
#![forbid(unsafe_code)]

use chroot::{Attributes, Device, DeviceKind, Mount, MountOp, MountOptions, Propagation, Root, What};
use diagrams::{
    CapabilitySets, CgroupTree, Diagram, IdMaps, Kernel, MountPlan, Plan, SeccompFilter, Spawn, content,
    live, next,
};
use namespaces::{IdMap, Join, Namespaces, SpawnPlan, TimeOffset};

fn drawn<D: Diagram>(link: &str) -> String {
    let state = D::from_link(link);
    format!("{}\n\n{}", state.text().join("\n"), state.svg())
}

#[test]
fn mount_plans() {
    for link in [
        "",
        "rprivate.on-host.one",
        "rslave.on-host.both",
        "layers.read-only.rootless.rshared.inside",
        "rootless.rshared.inside.both",
        "rslave.after-0",
        "rootless.rslave.after-6",
    ] {
        insta::assert_snapshot!(format!("mount_plan_{link}"), drawn::<MountPlan>(link));
    }
}

#[test]
fn spawns() {
    for link in [
        "",
        "root.user.net.uts.ipc.cgroup.it-runs",
        "user.it-runs",
        "map-range.no-map",
        "net.uts.ipc.cgroup.time.it-runs",
    ] {
        insta::assert_snapshot!(format!("spawn_{link}"), drawn::<Spawn>(link));
    }
}

#[test]
fn id_maps() {
    for link in [
        "",
        "sees-root",
        "host.as-33.sees-another",
        "range.sees-root",
        "range.system.owner-0.sees-root",
        "range.folder.as-33.sees-root",
        "range.folder.owner-0.sees-nobody",
        "own-and-range.owner-100033.as-33.sees-another",
    ] {
        insta::assert_snapshot!(format!("id_maps_{link}"), drawn::<IdMaps>(link));
    }
}

#[test]
fn capability_sets() {
    for link in [
        "",
        "is-effective",
        "no-new-privs.is-effective",
        "bounding.has-nothing",
        "names-nothing.setuid.is-effective",
        "ambient.setuid.is-permitted",
        "ambient.names-nothing.no-new-privs.is-effective",
        "inheritable.i.is-permitted",
        "root.permitted.names-nothing.is-effective",
        "root.names-nothing.no-root.is-effective",
        "root.bounding.p.no-new-privs.has-nothing",
    ] {
        insta::assert_snapshot!(format!("capability_sets_{link}"), drawn::<CapabilitySets>(link));
    }
}

#[test]
fn cgroup_trees() {
    for link in [
        "",
        "most-web",
        "shares-1024.most-web",
        "v1.shares-1024.jobs.shares-4096.most-one",
        "quota-10.jobs.quota-50.two.idle.most-one",
        "jobs.memory-64.two.holds-40.one-asks",
        "jobs.memory-64.one.memory-32.one-asks",
    ] {
        insta::assert_snapshot!(format!("cgroup_tree_{link}"), drawn::<CgroupTree>(link));
    }
}

#[test]
fn seccomp_filters() {
    for link in [
        "",
        "eperm.end",
        "clone.namespace.allowed.end",
        "docker.end",
        "docker.clone.high.end",
        "docker.x32.new.end",
        "i386.step.step",
    ] {
        insta::assert_snapshot!(format!("seccomp_filter_{link}"), drawn::<SeccompFilter>(link));
    }
}

/// What page 04b says: the kernel executes thirteen instructions before it refuses mount.
#[test]
fn a_tree_is_searched_in_few_steps() {
    assert_eq!(SeccompFilter::from_link("docker.end").steps, 13);
}

#[test]
fn what_a_page_shows() {
    insta::assert_snapshot!("content", content::<MountPlan>("rslave.on-host", false));
    assert!(!content::<Spawn>("", true).contains("data-event=\"reset\""), "a still has no controls");
}

/// Every state that three events lead to has a link that leads to it, and its own drawing says so.
fn states_have_links<D: Diagram + std::fmt::Debug>() {
    let mut states = vec![D::default()];
    for _ in 0..3 {
        for state in states.clone() {
            for (_, event) in D::EVENTS {
                let later = state.clone().apply(*event);
                if !states.contains(&later) {
                    states.push(later);
                }
            }
        }
    }
    assert!(states.len() > 30, "{}", states.len());
    for state in &states {
        assert_eq!(D::from_link(&state.link()), *state);
        let events = state.controls().into_iter().flat_map(|control| control.choices);
        for choice in events {
            assert!(D::event(choice.event).is_some(), "{} is no event", choice.event);
        }
    }
}

#[test]
fn every_state_has_a_link() {
    states_have_links::<MountPlan>();
    states_have_links::<Spawn>();
    states_have_links::<IdMaps>();
    states_have_links::<CapabilitySets>();
    states_have_links::<SeccompFilter>();
    states_have_links::<CgroupTree>();
    assert_eq!(next::<MountPlan>("rslave.on-host.both", "layers"), "layers.rslave.on-host");
    assert_eq!(next::<MountPlan>("rslave.on-host.both", "reset"), "");
    assert_eq!(next::<Spawn>("no such words.<script>", "root"), "root");
}

/// Two containers, of which one cannot be looked at; and what is said when there is nothing to show.
#[test]
fn the_readers_own_containers() {
    let facts = r#"{"pid": 77,
        "plan": {"root": [{"CutOff": {"flag": 262144, "recursive": true}}, {"Root": {"root": {"folder": "/r"}, "rootless": false}}],
            "spawn": {"new": ["PID"], "join": [], "uid_map": [], "gid_map": [], "time_offsets": []}},
        "kernel": {"mountinfo": "1 0 8:1 /r / rw - ext4 <disk> rw\n", "namespaces": ["pid:[2]"], "callers": ["pid:[1]"],
            "uid_map": "0 0 1", "gid_map": "0 0 1", "numbers": "77 1"}}"#;
    let answer = format!(
        r#"{{"containers": [{{"id": "a", "name": "one", "image": "<i>", "facts": {facts}}},
            {{"id": "b", "name": "two", "image": "i", "refused": "it has ended"}}]}}"#
    );
    for diagram in ["mount-plan", "spawn"] {
        insta::assert_snapshot!(
            format!("live_{diagram}"),
            live(diagram, &answer, "").replace("<tr", "\n<tr")
        );
    }
    let said = |answer: &str, chosen: &str| {
        let html = live("spawn", answer, chosen);
        html.split("<p role=\"status\">").nth(1).unwrap_or_default().to_owned()
    };
    assert_eq!(said(&answer, "b"), "two: it has ended.</p>");
    assert_eq!(
        said(r#"{"containers": []}"#, ""),
        "None of your containers runs. Start one, and ask again.</p>"
    );
    assert_eq!(said(r#"{"refused": "no <daemon>"}"#, ""), "no &lt;daemon&gt;</p>");
    assert!(said("nonsense", "").starts_with("what the engine says is not understood: "));
}

/// The engine writes with serde_json, and the module reads with something smaller: steps of every kind, letters that JSON escapes,
/// numbers at their ends, and what is not there.
#[test]
fn whatever_the_engine_writes_is_read() {
    let odd = "/a \"b\"\\040\n\u{1}ä🛶/<c>";
    let number = u64::MAX;
    let device =
        |kind| Device { path: odd.into(), kind, major: number, minor: 0, mode: u32::MAX, uid: 0, gid: 7 };
    let options = MountOptions {
        attributes: Attributes { set: number, clear: 0 },
        propagation: Some(Propagation { flag: Propagation::SHARED, recursive: false }),
        data: vec![odd.into(), String::new()],
        copy_up: true,
        ..MountOptions::default()
    };
    let mounts = [
        What::Filesystem { fstype: "proc".into(), source: odd.into() },
        What::Bind { source: odd.into(), recursive: true },
        What::Detached(odd.into()),
        What::Symlink { target: odd.into() },
        What::Remount,
    ];
    let mount = |what| MountOp::Mount(Mount { destination: odd.into(), what, options: options.clone() });
    let overlay = Root::Overlay { lower: vec![odd.into(), odd.into()], upper: odd.into(), work: odd.into() };
    let mut root = vec![
        MountOp::CutOff(Propagation::RPRIVATE),
        MountOp::Root { root: overlay, rootless: true },
        MountOp::Root { root: Root::Folder(odd.into()), rootless: false },
        MountOp::Node(device(DeviceKind::Character)),
        MountOp::Node(device(DeviceKind::Block)),
        MountOp::BindNode(device(DeviceKind::Pipe)),
        MountOp::Symlink { path: odd.into(), target: odd.into() },
        MountOp::PivotRoot,
        MountOp::Mask(odd.into()),
        MountOp::ReadOnly(odd.into()),
        MountOp::ReadOnlyRoot,
    ];
    root.extend(mounts.map(mount));
    let spawn = SpawnPlan {
        new: Namespaces::all(),
        join: vec![Join { kind: Namespaces::NET, path: odd.into() }],
        uid_map: vec![IdMap::ALL],
        hostname: Some(odd.into()),
        time_offsets: vec![TimeOffset { clock: odd.into(), seconds: i64::MIN, nanoseconds: u32::MAX }],
        ..SpawnPlan::default()
    };
    let facts = serde_json::json!({
        "pid": u32::MAX, "plan": { "root": root, "spawn": spawn }, "newer": [{ "and": null }, 0.5],
        "kernel": { "mountinfo": odd, "namespaces": [odd], "callers": [], "uid_map": "", "gid_map": odd, "numbers": null },
    });
    let one = serde_json::json!({ "id": odd, "name": "n", "image": odd, "facts": facts });
    let answer = serde_json::json!({ "containers": [one] }).to_string();
    let plan = Plan { root, spawn };
    let kernel = Kernel {
        mountinfo: odd.into(),
        namespaces: vec![odd.into()],
        gid_map: odd.into(),
        ..Kernel::default()
    };
    let names =
        [(MountPlan::NAME, MountPlan::beside(&plan, &kernel)), (Spawn::NAME, Spawn::beside(&plan, &kernel))];
    for (name, rows) in names {
        assert!(rows.len() > 8, "{rows:?}");
        let html = live(name, &answer, "");
        assert_eq!(html.matches("<tr").count(), rows.len() + 1, "{html}");
        for row in rows {
            let cells = [row.planned, row.kernel].map(|text| format!("<td>{}</td>", escaped(&text)));
            assert!(html.contains(&cells.concat()), "{cells:?} are not in {html}");
        }
    }
}

fn escaped(text: &str) -> String {
    [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;")]
        .iter()
        .fold(text.to_owned(), |text, (letter, name)| text.replace(letter, name))
}
