//! Fields of the specification for Linux, seen from inside the container.

use super::site::Site;
use serde_json::{Value, json};

/// What the container prints when the spec is changed like this.
fn says(name: &str, script: &str, change: impl Fn(&mut Value)) -> Option<String> {
    let mut site = Site::new(name, script)?;
    change(&mut site.spec);
    site.write();
    Some(site.ok(&["run", "ID"]))
}

#[test]
fn the_scheduler_the_disks_priority_and_the_personality() {
    let script = "while read name value rest; do [ $name = policy ] && echo $rest; done < /proc/self/sched; \
                  cat /proc/self/personality; uname -m; read x < /proc/self/stat; echo $x";
    let change = |spec: &mut Value| {
        spec["process"]["scheduler"] = json!({"policy": "SCHED_BATCH", "nice": 7});
        spec["process"]["ioPriority"] = json!({"class": "IOPRIO_CLASS_IDLE", "priority": 0});
        spec["linux"]["personality"] = json!({"domain": "LINUX32"});
        spec["linux"]["maskedPaths"] = json!([]);
    };
    let Some(said) = says("scheduling", script, change) else { return };
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines.contains(&"00000008"), "{said}");
    assert!(lines.iter().any(|line| ["i686", "armv8l", "armv7l"].contains(line)), "{said}");
    // Field 19 is the nice value, 41 the policy (proc_pid_stat(5)).
    let stat: Vec<&str> = lines.last().unwrap().rsplit_once(") ").unwrap().1.split(' ').collect();
    assert_eq!((stat[19 - 3], stat[41 - 3]), ("7", "3"), "{said}");
}

#[test]
fn an_added_process_has_the_personality_and_its_own_processors() {
    let Some(mut site) = Site::new("affinity", "sleep 100") else { return };
    site.spec["linux"]["personality"] = json!({"domain": "LINUX32"});
    site.write();
    site.ok(&["run", "-d", "ID"]);
    let mut process = site.spec["process"].clone();
    process["args"] = json!(["sh", "-c", "cat /proc/self/personality; cat /proc/self/status"]);
    process["execCPUAffinity"] = json!({"initial": "0", "final": "0"});
    std::fs::write(site.folder.join("process.json"), process.to_string()).unwrap();
    let said = site.ok(&["exec", "--process", "process.json", "ID"]);
    assert!(said.starts_with("00000008\n") && said.contains("Cpus_allowed_list:\t0\n"), "{said}");
    process["execCPUAffinity"] = json!({"final": "7000"});
    std::fs::write(site.folder.join("process.json"), process.to_string()).unwrap();
    let refused = site.refused(&["exec", "--process", "process.json", "ID"]);
    assert!(refused.contains("sched_setaffinity(0, [7000])"), "{refused}");
    process["execCPUAffinity"] = json!({"final": 0});
    std::fs::write(site.folder.join("process.json"), process.to_string()).unwrap();
    let refused = site.refused(&["exec", "--process", "process.json", "ID"]);
    assert!(refused.contains("process.json: execCPUAffinity.final: invalid type"), "{refused}");
    site.ok(&["delete", "-f", "ID"]);
}

#[test]
fn the_roots_propagation() {
    let script =
        "while read a b c d point rest; do [ $point = / ] && echo $rest; done < /proc/self/mountinfo; true";
    for (word, mark) in
        [("private", "- "), ("slave", "master:"), ("shared", "shared:"), ("unbindable", "unbindable")]
    {
        let change = |spec: &mut Value| spec["linux"]["rootfsPropagation"] = word.into();
        let Some(said) = says(&format!("root-{word}"), script, change) else { return };
        let is_private = !["master:", "shared:", "unbindable"].iter().any(|other| said.contains(other));
        // A host whose mounts are private has nothing to follow.
        assert!(
            said.contains(mark) && (word != "private" || is_private) || word == "slave" && is_private,
            "{word}: {said}"
        );
    }
}

#[test]
fn clocks_sysctls_limits_and_what_a_file_gets() {
    let script = "cat /proc/sys/net/ipv4/ip_forward /proc/self/oom_score_adj; ulimit -n; umask; id -G; \
                  read up rest < /proc/uptime; [ ${up%.*} -gt 100000000 ] && echo later; ls -l /dev/mine";
    let change = |spec: &mut Value| {
        spec["linux"]["sysctl"] = json!({"net.ipv4.ip_forward": "1"});
        spec["linux"]["timeOffsets"] = json!({"boottime": {"secs": 100_000_000, "nanosecs": 0}});
        spec["linux"]["namespaces"].as_array_mut().unwrap().push(json!({"type": "time"}));
        spec["linux"]["devices"] = json!([
            {"path": "/dev/mine", "type": "c", "major": 1, "minor": 3, "fileMode": 0o640, "uid": 5, "gid": 6}
        ]);
        spec["process"]["oomScoreAdj"] = 77.into();
        spec["process"]["rlimits"] = json!([{"type": "RLIMIT_NOFILE", "soft": 333, "hard": 444}]);
        spec["process"]["user"]["umask"] = 0o027.into();
        spec["process"]["user"]["additionalGids"] = json!([7, 8]);
    };
    let Some(said) = says("values", script, change) else { return };
    let start = "1\n77\n333\n0027\n0 7 8\nlater\ncrw-r-----";
    assert!(said.starts_with(start) && said.contains(" 5 ") && said.contains(" 1,   3 "), "{said}");
}

#[test]
fn an_unknown_capability_is_a_warning_and_another_mistake_names_its_path() {
    let Some(mut site) = Site::new("capability", "echo fine") else { return };
    site.spec["process"]["capabilities"]["bounding"] = json!(["CAP_KILL", "CAP_TEST"]);
    site.write();
    let (code, stdout, stderr) = site.run(&["run", "ID"]);
    let warning =
        "ignoring unknown or unavailable capabilities: [CAP_TEST] (process.capabilities.bounding[1])";
    assert_eq!((code, stdout.as_str(), stderr), (0, "fine\n", format!("coracle-oci: warning: {warning}")));
    site.spec["process"]["rlimits"] = json!([{"type": "RLIMIT_TEST", "soft": 1, "hard": 1}]);
    site.spec["process"]["capabilities"]["bounding"] = json!([]);
    site.write();
    let refused = site.refused(&["create", "ID"]);
    assert!(
        refused.contains("config.json: process.rlimits[0].type: unknown variant `RLIMIT_TEST`"),
        "{refused}"
    );
    site.nothing_is_left();
}

#[test]
fn a_capability_that_the_caller_has_not_is_a_warning() {
    let Some(mut site) = Site::new("missing", "busybox grep CapPrm /proc/self/status") else { return };
    let both = json!(["CAP_KILL", "CAP_SYS_TIME"]);
    for set in ["bounding", "effective", "permitted"] {
        site.spec["process"]["capabilities"][set] = both.clone();
    }
    site.write();
    let runtime = site.command(&["run", &site.id]);
    let mut without = std::process::Command::new("setpriv");
    without.args(["--bounding-set", "-sys_time"]).arg(runtime.get_program()).args(runtime.get_args());
    let output = without.current_dir(&site.folder).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("ignoring unknown or unavailable capabilities: [CAP_SYS_TIME]"), "{said}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("CapPrm:\t{:016x}\n", 1 << 5));
    site.nothing_is_left();
}

#[test]
fn so_it_is_of_an_added_process() {
    let Some(site) = Site::new("missing-added", "sleep 100") else { return };
    site.ok(&["run", "-d", "ID"]);
    let added = site.command(&["exec", "--cap", "CAP_SYS_TIME", &site.id, "true"]);
    let mut without = std::process::Command::new("setpriv");
    without.args(["--bounding-set", "-sys_time"]).arg(added.get_program()).args(added.get_args());
    let output = without.current_dir(&site.folder).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("ignoring unknown or unavailable capabilities: [CAP_SYS_TIME]"), "{said}");
    site.ok(&["delete", "--force", "ID"]);
}

/// Nothing that its caller has, and nothing that setuid programs could give back.
#[test]
fn no_capabilities_are_none() {
    let Some(mut site) = Site::new("no-capabilities", "sleep 100") else { return };
    site.spec["process"].as_object_mut().unwrap().remove("capabilities");
    site.write();
    site.ok(&["run", "-d", "ID"]);
    let seen = |words: &[&str]| {
        let show = ["ID", "busybox", "grep", "-E", "^Cap(Prm|Eff|Bnd)", "/proc/self/status"];
        site.ok(&[&["exec"], words, &show].concat())
    };
    let all = |sets: u64| ["CapPrm", "CapEff", "CapBnd"].map(|set| format!("{set}:\t{sets:016x}\n")).concat();
    assert_eq!(seen(&[]), all(0));
    assert_eq!(seen(&["--cap", "CAP_KILL"]), all(1 << 5));
    site.ok(&["delete", "--force", "ID"]);
}

/// As `runc spec` wrote them until its inheritable ones were taken out (CVE-2022-29162).
#[test]
fn ambient_capabilities_that_are_not_inheritable_are_left_out() {
    let script = "grep -E '^Cap(Inh|Prm|Amb)' /proc/self/status";
    let change = |spec: &mut Value| {
        let kill = json!(["CAP_KILL"]);
        spec["process"]["capabilities"] =
            json!({"bounding": kill, "effective": kill, "permitted": kill, "ambient": kill});
    };
    let said = says("ambient", script, change);
    let sets = "CapInh:\t0000000000000000\nCapPrm:\t0000000000000020\nCapAmb:\t0000000000000000\n";
    assert!(said.as_ref().is_none_or(|said| said == sets), "{said:?}");
}

#[test]
fn files_of_a_bind_are_seen_as_somebody_elses() {
    let script = "ls -ln /seen; echo new > /seen/made";
    let with_maps = |spec: &mut Value, folder: &std::path::Path| {
        let map = json!([{"containerID": 0, "hostID": 0, "size": 1}, {"containerID": 7, "hostID": 1234, "size": 1}]);
        spec["mounts"].as_array_mut().unwrap().push(json!({
            "destination": "/seen", "source": folder, "options": ["rbind", "idmap", "rw"], "uidMappings": map, "gidMappings": map
        }));
    };
    let Some(mut site) = Site::new("idmap", script) else { return };
    let source = site.folder.join("source");
    std::fs::create_dir(&source).unwrap();
    std::fs::write(source.join("file"), "").unwrap();
    std::os::unix::fs::chown(source.join("file"), Some(7), Some(7)).unwrap();
    with_maps(&mut site.spec, &source);
    site.write();
    let said = site.ok(&["run", "ID"]);
    let words: Vec<&str> = said.lines().last().unwrap().split_whitespace().collect();
    assert_eq!((words[2], words[3], words[8]), ("1234", "1234", "file"), "{said}");
    assert_eq!(std::fs::read_to_string(source.join("made")).unwrap(), "new\n");
    site.nothing_is_left();
}

#[test]
fn files_of_a_bind_belong_to_root_of_a_user_namespace() {
    let Some(mut site) = Site::new("idmap-user", "ls -ln /seen; echo new > /seen/made") else { return };
    let source = site.folder.join("source");
    std::fs::create_dir(&source).unwrap();
    std::fs::write(source.join("file"), "").unwrap();
    let map = json!([{"containerID": 0, "hostID": 100_000, "size": 65536}]);
    for field in ["uidMappings", "gidMappings"] {
        site.spec["linux"][field] = map.clone();
    }
    site.spec["linux"]["namespaces"].as_array_mut().unwrap().push(json!({"type": "user"}));
    let mounts = site.spec["mounts"].as_array_mut().unwrap();
    mounts.push(json!({"destination": "/seen", "source": source, "options": ["bind", "idmap"]}));
    // Root of the namespace is a stranger in the rootfs, who may make nothing in it.
    std::fs::create_dir(site.folder.join("rootfs/seen")).unwrap();
    site.write();
    let said = site.ok(&["run", "ID"]);
    let words: Vec<&str> = said.lines().last().unwrap().split_whitespace().collect();
    assert_eq!((words[2], words[3]), ("0", "0"), "on the host it is root's: {said}");
    use std::os::unix::fs::MetadataExt;
    assert_eq!(std::fs::metadata(source.join("made")).unwrap().uid(), 0, "what root makes is root's there");
}

#[test]
fn names_of_the_container_and_where_its_memory_comes_from() {
    let script = "cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname; read area policy rest < /proc/self/numa_maps && echo $policy";
    let change = |spec: &mut Value| {
        spec["hostname"] = "box".into();
        spec["domainname"] = "example.org".into();
        if std::path::Path::new("/proc/self/numa_maps").exists() {
            spec["linux"]["memoryPolicy"] =
                json!({"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]});
        }
    };
    let Some(said) = says("names", script, change) else { return };
    assert!(said.starts_with("box\nexample.org\n"), "{said}");
    if !std::path::Path::new("/proc/self/numa_maps").exists() {
        return super::site::skip("names_of_the_container_and_where_its_memory_comes_from", "no NUMA");
    }
    assert!(said.ends_with("bind=static:0\n"), "{said}");
}

/// Each action but those that end the process, flags, comparisons, and an architecture that this machine is not.
#[test]
fn a_filter_answers_for_the_kernel() {
    let script = "mkdir /one 2>&1; umask 022; mkfifo /two 2>&1; sleep 0 2>&1; echo done";
    let change = |spec: &mut Value| {
        spec["linux"]["seccomp"] = json!({
            "defaultAction": "SCMP_ACT_ALLOW",
            "architectures": ["SCMP_ARCH_NATIVE", "SCMP_ARCH_RISCV64", "SCMP_ARCH_S390X", "SCMP_ARCH_LOONGARCH64"],
            "flags": ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"],
            // Nobody asks, so nobody need listen (config-linux.md: "this value is ignored").
            "listenerPath": "/nosuch/agent",
            "syscalls": [
                {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28},
                {"names": ["mknod", "mknodat", "nosuchcall"], "action": "SCMP_ACT_TRACE", "errnoRet": 3},
                {"names": ["getpid"], "action": "SCMP_ACT_LOG"},
                {"names": ["clock_nanosleep", "nanosleep"], "action": "SCMP_ACT_ERRNO", "args": [
                    {"index": 0, "value": 0xffff, "valueTwo": 0xfff0, "op": "SCMP_CMP_MASKED_EQ"}
                ]},
            ],
        });
    };
    let Some(said) = says("filter", script, change) else { return };
    let lines: Vec<&str> = said.lines().collect();
    // Nobody traces: the call does not exist.
    let expected = [
        "mkdir: can't create directory '/one': No space left on device",
        "mkfifo: /two: Function not implemented",
        "done",
    ];
    assert_eq!(lines, expected);
}

/// The document of features.md: each word of it is one that a config.json may have.
#[test]
fn the_features_are_those_that_a_file_may_have() {
    let Some(site) = Site::new("features", "true") else { return };
    let features: Value = serde_json::from_str(&site.ok(&["features"])).unwrap();
    let linux = &features["linux"];
    let words = |list: &Value| -> Vec<String> { serde_json::from_value(list.clone()).unwrap() };
    let read = |change: &dyn Fn(&mut Value)| {
        let mut spec = site.spec.clone();
        change(&mut spec);
        runtime::spec_from_json(spec.to_string().as_bytes()).map(drop).map_err(|error| error.to_string())
    };
    for word in words(&linux["seccomp"]["archs"]) {
        let seccomp = json!({"defaultAction": "SCMP_ACT_ALLOW", "architectures": [word]});
        assert_eq!(read(&|spec| spec["linux"]["seccomp"] = seccomp.clone()), Ok(()));
    }
    for word in words(&linux["seccomp"]["knownFlags"]) {
        let seccomp = json!({"defaultAction": "SCMP_ACT_ALLOW", "flags": [word]});
        assert_eq!(read(&|spec| spec["linux"]["seccomp"] = seccomp.clone()), Ok(()));
    }
    for word in words(&linux["seccomp"]["supportedFlags"]) {
        assert!(words(&linux["seccomp"]["knownFlags"]).contains(&word), "{word}");
    }
    for word in words(&linux["memoryPolicy"]["modes"]) {
        assert_eq!(read(&|spec| spec["linux"]["memoryPolicy"] = json!({"mode": word})), Ok(()));
    }
    for word in words(&linux["memoryPolicy"]["flags"]) {
        let policy = json!({"mode": "MPOL_BIND", "flags": [word]});
        assert_eq!(read(&|spec| spec["linux"]["memoryPolicy"] = policy.clone()), Ok(()));
    }
    for word in words(&linux["namespaces"]) {
        assert_eq!(read(&|spec| spec["linux"]["namespaces"] = json!([{"type": word}])), Ok(()));
    }
    assert_eq!(words(&linux["namespaces"]).len(), 8);
    let hooks = words(&features["hooks"]);
    assert_eq!(hooks.len(), 6);
    let options = words(&features["mountOptions"]);
    for word in ["rro", "idmap", "lazytime", "rnosymfollow", "tmpcopyup"] {
        assert!(options.iter().any(|own| own == word), "{word}");
    }
    assert_eq!(linux["cgroup"]["rdma"], true);
    assert_eq!(linux["intelRdt"], json!({"enabled": false, "schemata": false, "monitoring": false}));
}

#[test]
fn clocks_of_a_user_namespace() {
    let script =
        "read up rest < /proc/uptime; [ ${up%.*} -gt 100000000 ] && echo later; cat /proc/self/uid_map";
    let change = |spec: &mut Value| {
        let map = json!([{"containerID": 0, "hostID": 100_000, "size": 65536}]);
        spec["linux"]["timeOffsets"] = json!({"boottime": {"secs": 100_000_000, "nanosecs": 0}});
        for field in ["uidMappings", "gidMappings"] {
            spec["linux"][field] = map.clone();
        }
        let namespaces = spec["linux"]["namespaces"].as_array_mut().unwrap();
        namespaces.extend([json!({"type": "time"}), json!({"type": "user"})]);
    };
    let Some(said) = says("clocks", script, change) else { return };
    assert!(said.starts_with("later\n") && said.contains(" 100000 "), "{said}");
}
