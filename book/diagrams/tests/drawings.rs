//! What is drawn and said in some states, and that a state, its link and its events agree.
#![forbid(unsafe_code)]

use diagrams::{CgroupTree, Diagram, IdMaps, MountPlan, SeccompFilter, Spawn, content, live, next};

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
