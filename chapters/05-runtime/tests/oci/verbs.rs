//! The verbs beside a container's life: what is told of it, and what is changed.

use super::site::{Site, eventually, skip};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn a_container_is_paused_and_goes_on() {
    let script = "i=0; while true; do i=$((i+1)); echo $i > /count; done";
    let Some(site) = Site::new("pause", script) else { return };
    site.ok(&["run", "-d", "ID"]);
    let count = || std::fs::read_to_string(site.folder.join("rootfs/count")).unwrap_or_default();
    eventually("it counts", || !count().is_empty());
    assert_eq!(site.refused(&["resume", "ID"]), "coracle-oci: error: container not paused");
    site.ok(&["pause", "ID"]);
    assert_eq!(site.status(), "paused");
    let (before, after) = (count(), (count(), count()).1);
    assert_eq!(before, after, "it stands still");
    let refusal = "coracle-oci: error: cannot exec in a paused container (use --ignore-paused to override)";
    assert_eq!(site.refused(&["exec", "ID", "true"]), refusal);
    assert_eq!(site.refused(&["pause", "ID"]), "coracle-oci: error: container not running");
    let refusal = "coracle-oci: error: cannot start a container in the paused state";
    assert_eq!(site.refused(&["start", "ID"]), refusal);
    site.ok(&["resume", "ID"]);
    assert_eq!(site.status(), "running");
    let before = count();
    eventually("it counts on", || count() != before);
    site.ok(&["pause", "ID"]);
    site.ok(&["delete", "--force", "ID"]);
}

#[test]
fn a_process_that_is_added_to_a_paused_container_waits_with_it() {
    let Some(site) = Site::new("ignore-paused", "sleep 100") else { return };
    site.ok(&["run", "-d", "ID"]);
    site.ok(&["pause", "ID"]);
    let mut command = site.command(&["exec", "--ignore-paused", &site.id, "echo", "it went on"]);
    let added = command.stdout(Stdio::piped()).spawn().unwrap();
    let processes = || json_of(&site.ok(&["ps", "-f", "json", "ID"])).as_array().unwrap().len();
    eventually("it is in the group", || processes() == 2);
    // Whoever adds it does not keep others from letting the container go on.
    site.ok(&["resume", "ID"]);
    let output = added.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "it went on\n", "{output:?}");
    site.ok(&["delete", "--force", "ID"]);
}

/// v1 alone is a mount namespace without v2. There a process that is killed while it is frozen ends when it is thawed.
#[test]
fn a_paused_container_ends_on_v1_alone() {
    let Some(site) = Site::new("pause-v1", "sleep 100") else { return };
    let layout = cgroups::Layout::detect().expect("the hierarchies are told");
    let Some(unified) = layout.unified.as_ref().filter(|_| layout.hierarchy("freezer").is_some()) else {
        return skip("a_paused_container_ends_on_v1_alone", "there is no freezer of v1 beside v2");
    };
    let script = "umount $UNIFIED && grep -q cgroup2 /proc/mounts && exit 90; set -e
        for end in 'kill ID KILL' 'kill --all ID KILL' 'delete --force ID'; do
            $RUNTIME run -d ID > /dev/null; $RUNTIME pause ID
            $RUNTIME state ID | grep -q paused; $RUNTIME $end
            [ \"$end\" = 'delete --force ID' ] && break
            try=0; while ! $RUNTIME state ID | grep -q stopped; do try=$((try+1)); [ $try -lt 500 ]; sleep 0.01; done
            $RUNTIME delete ID
        done";
    let mut command = std::process::Command::new("unshare");
    command.args(["--mount", "sh", "-c", &script.replace("ID", &site.id)]).current_dir(&site.folder);
    command.env("UNIFIED", unified).stdin(Stdio::null());
    command.env("RUNTIME", format!("{} --root {}/state", site.executable.display(), site.folder.display()));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    site.nothing_is_left();
}

#[test]
fn processes_are_listed_and_all_of_them_get_a_signal() {
    let script = "trap 'echo $1 > /told-1' USR1; (trap 'echo > /told-2; exit' USR1; echo > /ready; while :; do sleep 0.05; done) & while :; do sleep 0.05; done";
    let Some(site) = Site::new("ps", script) else { return };
    site.ok(&["run", "-d", "ID"]);
    eventually("it is ready", || site.folder.join("rootfs/ready").exists());
    let pid = json_of(&site.ok(&["state", "ID"]))["pid"].clone();
    let pids = json_of(&site.ok(&["ps", "--format", "json", "ID"]));
    assert!(pids.as_array().unwrap().len() >= 2 && pids.as_array().unwrap().contains(&pid), "{pids}");
    let table = site.ok(&["ps", "ID"]);
    assert!(table.starts_with("UID ") && table.contains("while :; do"), "{table}");
    let table = site.ok(&["ps", "ID", "-o", "pid,comm"]);
    assert!(table.lines().count() >= 3 && table.contains(&pid.to_string()), "{table}");
    assert!(site.refused(&["ps", "ID", "-o", "comm"]).contains("the column PID"));
    site.ok(&["kill", "--all", "ID", "USR1"]);
    let told = |name: &str| site.folder.join("rootfs").join(name).exists();
    eventually("both were told", || told("told-1") && told("told-2"));
    site.ok(&["kill", "ID", "KILL"]);
    eventually("it has stopped", || site.status() == "stopped");
    assert_eq!(site.ok(&["ps", "--format", "json", "ID"]), "[]\n");
    let listed = json_of(&site.ok(&["list", "--format", "json"]));
    assert_eq!((&listed[0]["id"], &listed[0]["status"]), (&json!(site.id), &json!("stopped")));
    site.ok(&["delete", "ID"]);
}

#[test]
fn limits_are_updated_and_told() {
    let Some(mut site) = Site::new("update", "sleep 100") else { return };
    site.spec["linux"]["resources"]["memory"] = json!({"limit": 64 << 20});
    site.spec["linux"]["resources"]["pids"] = json!({"limit": 50});
    site.write();
    site.ok(&["run", "-d", "ID"]);
    let limits = || {
        let event = json_of(&site.ok(&["events", "--stats", "ID"]));
        assert_eq!((&event["type"], &event["id"]), (&json!("stats"), &json!(site.id)));
        let data = &event["data"];
        assert!(
            data["cpu"]["usage"]["total"].as_u64().unwrap() > 0 && data["pids"]["current"] == 1,
            "{data}"
        );
        let is_counted = std::path::Path::new("/proc/pressure/cpu").exists();
        assert_eq!(data["cpu"]["psi"]["some"]["avg10"].is_number(), is_counted, "{data}");
        assert_eq!(data["blkio"]["psi"]["full"]["total"].is_number(), is_counted, "{data}");
        (data["memory"]["usage"]["limit"].as_u64().unwrap(), data["pids"]["limit"].as_u64().unwrap())
    };
    assert_eq!(limits(), (64 << 20, 50));
    site.ok(&["update", "--memory", "128M", "--pids-limit", "7", "ID"]);
    assert_eq!(limits(), (128 << 20, 7));
    site.ok(&["update", "--memory", "32MiB", "ID"]);
    assert_eq!(limits(), (32 << 20, 7), "what is not said stays");
    std::fs::write(
        site.folder.join("resources"),
        json!({"pids": {"limit": 9}, "cpu": {"shares": 0}}).to_string(),
    )
    .unwrap();
    site.ok(&["update", "-r", "resources", "ID"]);
    assert_eq!(limits(), (32 << 20, 9));
    let refused = site.refused(&["update", "--cpuset-cpus", "4000", "--pids-limit", "5", "ID"]);
    assert!(refused.contains("cpuset.cpus"), "{refused}");
    assert_eq!(limits(), (32 << 20, 9), "a refused update changes nothing");
    site.ok(&["update", "--pids-limit", "-1", "ID"]);
    assert_eq!(limits(), (32 << 20, 0));
    let careful = json!({"memory": {"limit": 4096, "checkBeforeUpdate": true}});
    std::fs::write(site.folder.join("resources"), careful.to_string()).unwrap();
    assert!(site.refused(&["update", "-r", "resources", "ID"]).contains("checkBeforeUpdate"));
    for flag in ["--l3-cache-schema", "--mem-bw-schema"] {
        let said = site.refused(&["update", flag, "x", "ID"]);
        assert!(said.starts_with(&format!("coracle-oci: error: {flag} is not supported: ")), "{said}");
    }
    site.ok(&["delete", "-f", "ID"]);
}

#[test]
fn events_tell_of_the_end_of_memory() {
    let Some(mut site) = Site::new("oom", "read go < /gate; a=0123456789; while :; do a=$a$a; done") else {
        return;
    };
    site.spec["linux"]["resources"]["memory"] = json!({"limit": 16 << 20, "swap": 16 << 20});
    site.write();
    assert!(
        std::process::Command::new("mkfifo").arg(site.folder.join("rootfs/gate")).status().unwrap().success()
    );
    site.ok(&["run", "-d", "ID"]);
    let mut events =
        site.command(&["events", "--interval", "50ms", &site.id]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(events.stdout.take().unwrap()).lines().map(|line| json_of(&line.unwrap()));
    assert_eq!(lines.next().unwrap()["type"], "stats");
    std::fs::OpenOptions::new()
        .write(true)
        .open(site.folder.join("rootfs/gate"))
        .unwrap()
        .write_all(b"go\n")
        .unwrap();
    assert!(lines.any(|event| event["type"] == "oom" && event["id"] == json!(site.id)));
    assert!(events.wait().unwrap().success(), "it ends with the container");
    assert!(site.refused(&["events", "ID"]).ends_with("is not running"));
    site.ok(&["delete", "ID"]);
}

#[test]
fn descriptors_of_socket_activation_come_first() {
    let script = "echo $LISTEN_FDS $LISTEN_PID; cat <&3; cat <&4; ls /proc/self/fd | tr '\\n' ' '";
    let Some(site) = Site::new("descriptors", script) else { return };
    std::fs::write(site.folder.join("three"), "three\n").unwrap();
    std::fs::write(site.folder.join("four"), "four\n").unwrap();
    let run = |inner: &str| {
        let program = site.executable.display();
        let script =
            format!("exec 3< three 4< four; {inner} {program} --root state run --preserve-fds 1 {}", site.id);
        std::process::Command::new("sh").args(["-c", &script]).current_dir(&site.folder).output().unwrap()
    };
    let output = run("LISTEN_FDS=1 LISTEN_PID=$$ exec");
    // 3 and 4, and the one by which ls reads the folder.
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1 1\nthree\nfour\n0 1 2 3 4 5 ", "{output:?}");
    let output = run("LISTEN_FDS=1 LISTEN_PID=1 exec");
    assert!(
        String::from_utf8_lossy(&output.stdout).starts_with("\nthree\n"),
        "meant for another: {output:?}"
    );
    let refused = site.refused(&["run", "--preserve-fds", "40", "ID"]);
    assert!(refused.contains("--preserve-fds: descriptor"), "{refused}");
}

/// They are the container's. What its caller promises besides, an added process gets.
#[test]
fn an_added_process_gets_no_sockets_of_activation() {
    let Some(site) = Site::new("added-descriptors", "sleep 100") else { return };
    std::fs::write(site.folder.join("three"), "three\n").unwrap();
    site.ok(&["run", "-d", "ID"]);
    let added = |flags: &str, script: &str| {
        let (program, id) = (site.executable.display(), &site.id);
        let added = format!(
            "LISTEN_FDS=1 LISTEN_PID=$$ exec {program} --root state exec {flags} {id} sh -c '{script}'"
        );
        let script = format!("exec 3< three; {added}");
        let output =
            std::process::Command::new("sh").args(["-c", &script]).current_dir(&site.folder).output();
        String::from_utf8_lossy(&output.unwrap().stdout).into_owned()
    };
    // 3 is the one by which ls reads the folder.
    assert_eq!(added("", "echo +$LISTEN_FDS; ls /proc/self/fd | tr \"\\n\" \" \""), "+\n0 1 2 3 ");
    assert_eq!(added("--preserve-fds 1", "echo +$LISTEN_FDS; cat <&3"), "+\nthree\n");
    site.ok(&["delete", "--force", "ID"]);
    site.nothing_is_left();
}

/// A terminal of ours, in which a container runs in the foreground; it is made larger meanwhile.
#[test]
fn a_terminal_that_changes_its_size_is_told_of() {
    use rustix::pty::OpenptFlags;
    use rustix::termios::{Winsize, tcsetwinsize};
    let script = "trap 'stty size > /size.new; mv /size.new /size' WINCH; stty size > /first; while :; do sleep 0.05; done";
    let Some(mut site) = Site::new("resize", script) else { return };
    site.spec["process"]["terminal"] = true.into();
    site.write();
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = rustix::pty::openpt(flags).unwrap();
    rustix::pty::unlockpt(&master).unwrap();
    let slave = rustix::pty::ioctl_tiocgptpeer(&master, flags).unwrap();
    let resize = |rows, columns| {
        tcsetwinsize(&master, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    };
    resize(20, 70);
    // In a session whose terminal it is, or the kernel would tell nobody.
    let mut command = std::process::Command::new("setsid");
    command.args(["--ctty", "--wait"]).arg(&site.executable).arg("--root").arg(site.folder.join("state"));
    command.args(["run", &site.id]).current_dir(&site.folder);
    for set in [std::process::Command::stdin, std::process::Command::stdout, std::process::Command::stderr] {
        set(&mut command, Stdio::from(slave.try_clone().unwrap()));
    }
    let mut running = command.spawn().unwrap();
    let size =
        |name: &str| std::fs::read_to_string(site.folder.join("rootfs").join(name)).unwrap_or_default();
    eventually("it has the size of ours", || size("first") == "20 70\n");
    resize(33, 99);
    eventually("it has the new one", || size("size") == "33 99\n");
    site.ok(&["kill", "ID", "KILL"]);
    assert_eq!(running.wait().unwrap().code(), Some(128 + 9));
    site.nothing_is_left();
}

#[test]
fn what_there_is_not_is_refused_by_name() {
    let Some(site) = Site::new("refused", "true") else { return };
    let refused =
        |words: &[&str]| site.refused(words).strip_prefix("coracle-oci: error: ").unwrap().to_string();
    assert!(refused(&["--systemd-cgroup", "list"]).starts_with("--systemd-cgroup is not supported: "));
    assert_eq!(refused(&["pause", "ID"]), "container does not exist");
}

#[test]
fn the_log_says_what_was_done_and_what_was_not() {
    let Some(site) = Site::new("log", "true") else { return };
    site.refused(&["--log", "log", "--log-format", "json", "state", "nosuch"]);
    site.ok(&["--log", "log", "--log-format", "json", "--debug", "run", "ID"]);
    site.refused(&["--log", "log", "state", "nosuch"]);
    let said = site.refused(&["--debug", "state", "nosuch"]);
    assert!(
        said.contains("level=error msg=\"container does not exist\""),
        "without a log, beside the message: {said}"
    );
    let log = std::fs::read_to_string(site.folder.join("log")).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    let first = json_of(lines[0]);
    assert_eq!((&first["level"], &first["msg"]), (&json!("error"), &json!("container does not exist")));
    assert_eq!(json_of(lines[1])["level"], "debug");
    assert!(lines[2].ends_with("level=error msg=\"container does not exist\""), "{log}");
}

#[test]
fn a_kept_container_stays_until_it_is_deleted() {
    let Some(site) = Site::new("keep", "exit 5") else { return };
    assert_eq!(site.run(&["run", "--keep", "ID"]).0, 5);
    assert_eq!(site.status(), "stopped");
    site.ok(&["delete", "ID"]);
}

#[test]
fn other_commands_do_not_wait_for_the_one_that_runs_a_container() {
    let Some(site) = Site::new("beside", "echo > /started; sleep 100") else { return };
    let mut running = site.command(&["run", &site.id]).spawn().unwrap();
    eventually("it has started", || site.folder.join("rootfs/started").exists());
    assert_eq!(site.status(), "running");
    site.ok(&["exec", "ID", "true"]);
    site.ok(&["kill", "ID", "KILL"]);
    assert_eq!(running.wait().unwrap().code(), Some(128 + 9));
    site.nothing_is_left();
}
