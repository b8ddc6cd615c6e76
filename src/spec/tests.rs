//! The specs of typical requests, whole, so that a change of any default is seen in review.

use super::*;
use api::{ContainerConfig, HostConfig, Ulimit};
use supervisor::states::State;

fn record(config: ContainerConfig, host_config: HostConfig) -> Record {
    Record {
        id: "0123456789ab".repeat(5),
        name: "one".to_owned(),
        created: "2026-01-01T00:00:00Z".to_owned(),
        image_id: String::new(),
        layers: Vec::new(),
        command: vec!["sh".to_owned()],
        config: ContainerConfig { hostname: "0123456789ab".to_owned(), ..config },
        host_config: HostConfig { cgroupns_mode: "private".to_owned(), ..host_config },
        volumes: Vec::new(),
        state: State::Created { failure: None },
    }
}

/// The spec as JSON; the filter is a table of its own, and sets have no order.
fn shown(record: &Record, user: &User, facts: &Facts) -> serde_json::Value {
    let machine = machine::Machine::default();
    let (folder, volumes) = (Path::new("/data/c"), Path::new("/data/volumes"));
    let request = Request { record, user, folder, volumes, facts, machine: &machine };
    let mut json = serde_json::to_value(spec(&request).expect("legal")).expect("JSON");
    let filtered = json["linux"].as_object_mut().and_then(|linux| linux.remove("seccomp")).is_some();
    json["linux"]["seccomp"] = filtered.into();
    for set in json["process"]["capabilities"].as_object_mut().into_iter().flatten().map(|(_, set)| set) {
        let list = set.as_array_mut().expect("a list");
        list.sort_by_key(|name| name.to_string());
    }
    json
}

fn root_facts() -> Facts {
    Facts {
        unified_cgroups: true,
        cgroup_parent: Some("/coracle".to_owned()),
        processors: 2,
        executable: "/usr/bin/coracle".into(),
        kernel: (5, 14),
        ..Facts::default()
    }
}

#[test]
fn without_a_flag() {
    let user = User { home: "/root".to_owned(), ..User::default() };
    let record = record(ContainerConfig::default(), HostConfig::default());
    insta::assert_json_snapshot!(shown(&record, &user, &root_facts()));
}

#[test]
fn with_many_flags() {
    let words = |list: &[&str]| Some(list.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>());
    let config = ContainerConfig {
        tty: true,
        env: words(&["A=1", "PATH=/bin", "HOSTNAME"]),
        working_dir: "/srv".to_owned(),
        domainname: "example.org".to_owned(),
        ..ContainerConfig::default()
    };
    let host = HostConfig {
        binds: words(&["/b:/in/b:ro", "/a:/in"]),
        tmpfs: Some([("/scratch".to_owned(), "exec,size=1m".to_owned())].into()),
        readonly_rootfs: true,
        memory: 64 << 20,
        memory_swap: 128 << 20,
        nano_cpus: 500_000_000,
        pids_limit: Some(20),
        cap_add: words(&["net_admin"]),
        cap_drop: words(&["CAP_CHOWN"]),
        security_opt: words(&["no-new-privileges", "seccomp=unconfined"]),
        network_mode: "host".to_owned(),
        init: Some(true),
        ulimits: Some(vec![Ulimit { name: "nofile".to_owned(), soft: 100, hard: -1 }]),
        ..HostConfig::default()
    };
    let user = User { uid: 405, gid: 100, groups: vec![100], home: "/dev/null".to_owned() };
    insta::assert_json_snapshot!(shown(&record(config, host), &user, &root_facts()));
}

/// Their container's linux and mounts, by the maps of both.
fn of_an_ordinary_user(map: &[IdMap]) -> [serde_json::Value; 2] {
    let why_one_id = (map.len() == 1).then(String::new);
    let (uid_map, gid_map) = (map.to_vec(), map.to_vec());
    let rootless = Rootless { user: 1000, group: 1000, uid_map, gid_map, why_one_id };
    let facts = Facts { rootless: Some(rootless), cgroup_parent: None, ..root_facts() };
    let record = record(ContainerConfig::default(), HostConfig::default());
    let whole = shown(&record, &User::default(), &facts);
    ["linux", "mounts"].map(|part| whole[part].clone())
}

#[test]
fn for_an_ordinary_user() {
    insta::assert_json_snapshot!(of_an_ordinary_user(&[IdMap::root_is(1000)]));
}

#[test]
fn for_an_ordinary_user_with_ranges_of_ids() {
    let range = IdMap { inside: 1, outside: 1, count: 65_536 };
    let [linux, mounts] = of_an_ordinary_user(&[IdMap::root_is(0), range]);
    let [one_id, _] = of_an_ordinary_user(&[IdMap::root_is(1000)]);
    let [root, others] = [(0, 1), (1, 65_536)]
        .map(|(id, size)| serde_json::json!({ "containerID": id, "hostID": id, "size": size }));
    let expected = serde_json::json!([root, others]);
    assert_eq!([&linux["uidMappings"], &linux["gidMappings"]], [&expected, &expected]);
    assert_eq!(linux["namespaces"], one_id["namespaces"]);
    let terminals =
        mounts.as_array().and_then(|mounts| mounts.iter().find(|mount| mount["type"] == "devpts"));
    let options = terminals.expect("it has terminals")["options"].to_string();
    assert!(options.contains("gid=5"), "the group tty is there: {options}");
}
