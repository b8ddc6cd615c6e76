//! The engine of an ordinary user to whom root gave nothing: the same verbs, one id, no network but loopback, no limits without a
//! delegated cgroup.

use crate::harness::{Engine, Registry, Said, Who, is_root, on_a_terminal, piped, run, wait_until};
use crate::needs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

/// Both clients, since each has its own way to an exit code.
const CLIENTS: [fn(&Engine, &[&str]) -> Command; 2] = [Engine::docker_command, Engine::coracle_command];

fn with_busybox(test: impl FnOnce(&mut Engine)) {
    let mut engine = Engine::start_as(Who::CoracleRootless);
    engine.import_busybox();
    test(&mut engine);
    engine.finish();
}

/// `docker run --rm` of a shell's script.
#[track_caller]
fn shell(engine: &Engine, flags: &[&str], script: &str) -> Said {
    engine.docker(&[&["run", "--rm"], flags, &["busybox", "sh", "-c", script]].concat())
}

#[test]
fn a_command_ends_with_dockers_codes() {
    needs!("docker");
    with_busybox(|engine| {
        let cases: &[(&[&str], i32)] = &[
            (&["busybox", "true"], 0),
            (&["busybox", "sh", "-c", "exit 5"], 5),
            (&["--pull", "never", "nosuch", "true"], 125),
            (&["-w", "relative", "busybox", "true"], 125),
            (&["busybox", "/etc/not-executable"], 126),
            (&["busybox", "nosuch"], 127),
        ];
        for client in CLIENTS {
            for (words, code) in cases {
                run(&mut client(engine, &[&["run", "--rm"], *words].concat())).expect(*code);
            }
        }
    });
}

#[test]
fn an_image_is_saved_and_loaded() {
    needs!("docker");
    with_busybox(|engine| {
        let tar = engine.folder().join("saved.tar").display().to_string();
        engine.docker(&["save", "--output", &tar, "busybox:latest"]).expect(0);
        engine.docker(&["rmi", "busybox:latest"]).expect(0);
        engine.coracle(&["run", "--pull", "never", "busybox", "true"]).expect(125);
        engine.docker(&["load", "--input", &tar]).expect(0);
        assert_eq!(shell(engine, &[], "echo loaded").expect(0).line(), "loaded");
    });
}

#[test]
fn binds_tmpfs_and_a_root_that_cannot_be_written() {
    needs!("docker");
    with_busybox(|engine| {
        let shared = engine.folder().join("shared");
        run(engine.user_command("mkdir").arg(&shared)).expect(0);
        let bind = format!("{}:/shared", shared.display());
        shell(engine, &["-v", &bind], "echo from inside > /shared/file").expect(0);
        let file = shared.join("file");
        assert_eq!(std::fs::read_to_string(&file).expect("the file"), "from inside\n");
        let owner = std::fs::metadata(engine.folder()).expect("the folder").uid();
        assert_eq!(
            std::fs::metadata(&file).expect("the file").uid(),
            owner,
            "root inside is the user outside"
        );
        let made = engine.folder().join("made/for/it");
        shell(engine, &["-v", &format!("{}:/made", made.display())], "touch /made/file").expect(0);
        assert_eq!(std::fs::metadata(made.join("file")).expect("the file").uid(), owner);
        // The client's code for whatever says "permission denied".
        let said = shell(engine, &["-v", "/nobody-may-make-this:/made"], "true").expect(126);
        let refusal = "error while creating mount source path '/nobody-may-make-this': \
                       mkdir /nobody-may-make-this: permission denied";
        assert!(said.stderr.contains(refusal), "{}", said.stderr);
        let said =
            shell(engine, &["-v", &format!("{bind}:ro")], "cat /shared/file; touch /shared/other").expect(1);
        assert_eq!(said.stdout, "from inside\n");
        assert!(said.stderr.contains("Read-only file system"), "{}", said.stderr);
        let said = shell(
            engine,
            &["--read-only", "--tmpfs", "/scratch"],
            "echo kept > /scratch/x; cat /scratch/x; touch /y",
        );
        assert_eq!(said.stdout, "kept\n");
        assert!(said.code != 0 && said.stderr.contains("Read-only file system"), "{said:?}");
    });
}

#[test]
fn environment_folder_and_name() {
    needs!("docker");
    with_busybox(|engine| {
        let flags = ["-e", "BOAT=small", "-w", "/home/guest", "--hostname", "boat"];
        let said = shell(engine, &flags, "echo $BOAT; pwd; hostname; id -u").expect(0);
        assert_eq!(said.stdout, "small\n/home/guest\nboat\n0\n");
        // Whoever runs the tests may have been given further ids; the user that root takes for it has none.
        if is_root() {
            let said = shell(engine, &["-u", "1000:1000"], "true").expect(125);
            assert!(said.stderr.contains("1000"), "an id that is not mapped is named: {}", said.stderr);
        }
    });
}

#[test]
fn a_container_lives_and_dies() {
    needs!("docker");
    with_busybox(|engine| {
        let script = "trap 'echo asked; exit 3' TERM; echo ready; while :; do sleep 0.01; done";
        engine.docker(&["run", "-d", "--name", "life", "busybox", "sh", "-c", script]).expect(0);
        wait_until("it is ready", || engine.docker(&["logs", "life"]).stdout == "ready\n");
        assert_eq!(
            engine.docker(&["ps", "--format", "{{.Names}} {{.State}}"]).expect(0).line(),
            "life running"
        );
        for client in CLIENTS {
            let said = run(&mut client(engine, &["exec", "life", "sh", "-c", "id -u; exit 6"])).expect(6);
            assert_eq!(said.line(), "0");
            run(&mut client(engine, &["exec", "life", "nosuch"])).expect(126);
        }
        engine.docker(&["stop", "life"]).expect(0);
        let state = ["inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", "life"];
        assert_eq!(engine.docker(&state).expect(0).line(), "exited 3");
        assert_eq!(engine.coracle(&["logs", "life"]).expect(0).stdout, "ready\nasked\n");
        engine.docker(&["start", "life"]).expect(0);
        engine.docker(&["kill", "life"]).expect(0);
        assert_eq!(engine.docker(&["wait", "life"]).expect(0).line(), "137");
        engine.docker(&["rm", "life"]).expect(0);
        assert_eq!(engine.docker(&["ps", "--all", "--quiet"]).expect(0).stdout, "");
    });
}

#[test]
fn processes_that_are_left_end_with_the_first() {
    needs!("docker");
    with_busybox(|engine| {
        // Without a cgroup it is the PID namespace that ends them.
        shell(engine, &[], "sleep 1000 & (sleep 1000 &) ; exit 4").expect(4);
        engine.docker(&["run", "-d", "--name", "host", "busybox", "sleep", "1000"]).expect(0);
        engine.docker(&["exec", "-d", "host", "sleep", "1000"]).expect(0);
        engine.docker(&["rm", "--force", "host"]).expect(0);
    });
}

#[test]
fn containers_are_adopted_after_a_kill_of_the_daemon() {
    needs!("docker");
    with_busybox(|engine| {
        let script = "i=0; while [ ! -e /tmp/end ]; do echo $i; i=$((i+1)); sleep 0.01; done; exit 7";
        engine.docker(&["run", "-d", "--name", "outlives", "busybox", "sh", "-c", script]).expect(0);
        engine.docker(&["run", "-d", "--name", "ends", "busybox", "sh", "-c", "sleep 0.2; exit 8"]).expect(0);
        engine.kill_daemon();
        std::thread::sleep(std::time::Duration::from_millis(300)); // poll: the second container ends unheard
        engine.start_daemon();
        assert_eq!(engine.docker(&["wait", "ends"]).expect(0).line(), "8");
        engine.docker(&["exec", "outlives", "touch", "/tmp/end"]).expect(0);
        assert_eq!(engine.docker(&["wait", "outlives"]).expect(0).line(), "7");
        let logged = engine.docker(&["logs", "outlives"]).expect(0).stdout;
        let counted: String = (0..logged.lines().count()).map(|line| format!("{line}\n")).collect();
        assert_eq!(logged, counted, "the log has a gap");
    });
}

#[test]
fn limits_are_refused_by_name_without_a_delegated_cgroup() {
    needs!(root);
    needs!("docker");
    with_busybox(|engine| {
        for (flag, value, field) in [
            ("-m", "64m", "--memory (HostConfig.Memory)"),
            ("--cpus", "0.5", "--cpus (HostConfig.NanoCpus)"),
            ("--pids-limit", "20", "--pids-limit (HostConfig.PidsLimit)"),
        ] {
            for client in CLIENTS {
                let said =
                    run(&mut client(engine, &["run", "--rm", flag, value, "busybox", "true"])).expect(125);
                let expected = format!("{field} cannot be honoured: no cgroup is delegated to this user");
                assert!(said.stderr.contains(&expected), "{}", said.stderr);
                assert!(
                    said.stderr.contains("systemd-run --user --scope -p Delegate=yes"),
                    "{}",
                    said.stderr
                );
            }
        }
    });
}

#[test]
fn info_says_what_an_ordinary_user_gets() {
    needs!(root);
    needs!("docker");
    with_busybox(|engine| {
        let said = engine.docker(&["info"]).expect(0);
        let everything = format!("{}{}", said.stdout, said.stderr);
        for part in ["rootless", "loopback", "user.coracle.owner", "no cgroup is delegated to this user"] {
            assert!(everything.contains(part), "info does not say {part:?}: {everything}");
        }
        assert_eq!(
            shell(engine, &[], "ls /sys/class/net; ping -c 1 -W 1 127.0.0.1 >/dev/null").expect(0).line(),
            "lo"
        );
    });
}

#[test]
fn streams_and_a_terminal() {
    needs!("docker");
    needs!("script");
    with_busybox(|engine| {
        for client in CLIENTS {
            let said = piped(client(engine, &["run", "--rm", "-i", "busybox", "wc", "-c"]), &[b'x'; 100_000])
                .expect(0);
            assert_eq!(said.line(), "100000");
            let words =
                ["run", "--rm", "-it", "busybox", "sh", "-c", "tty; read word; echo got $word; exit 9"];
            let said = on_a_terminal(&client(engine, &words), "/dev/pts/0", b"typed\n").expect(9);
            assert!(said.stdout.contains("got typed"), "{}", said.stdout);
        }
    });
}

#[test]
fn the_hosts_network_is_shared_and_ports_are_refused() {
    needs!(root);
    needs!("docker");
    with_busybox(|engine| {
        let namespace = engine.namespace().expect("the test runs as root").path();
        let theirs = std::fs::read_link(namespace).expect("a network namespace").display().to_string();
        let network = |flags: &[&str]| shell(engine, flags, "readlink /proc/self/ns/net").expect(0).stdout;
        assert_eq!(network(&["--network", "host"]).trim_end(), theirs);
        assert_ne!(network(&[]).trim_end(), theirs);
        let said = shell(engine, &["-p", "8080:80"], "true").expect(125);
        assert!(said.stderr.contains("not supported"), "{}", said.stderr);
        // CVE-2023-25809: the host's /sys is shown then, and the cgroups below are the user's own.
        let mounts = shell(engine, &["--network", "host"], "cat /proc/self/mountinfo").expect(0).stdout;
        let cgroups: Vec<&str> = mounts.lines().filter(|line| line.contains(" - cgroup")).collect();
        let writable =
            |line: &&str| !line.split(' ').nth(5).unwrap_or_default().split(',').any(|word| word == "ro");
        assert!(!cgroups.is_empty() && !cgroups.iter().any(writable), "{mounts}");
    });
}

#[test]
fn volumes_without_a_name_are_filled_and_removed() {
    needs!("docker");
    with_busybox(|engine| {
        let said = shell(engine, &["-v", "/home"], "ls /home; touch /home/file").expect(0);
        assert_eq!(said.stdout, "guest\n");
        let left =
            std::fs::read_dir(engine.folder().join("data/volumes")).expect("the folder of volumes").count();
        assert_eq!(left, 0);
    });
}

#[test]
fn an_image_is_pulled() {
    needs!(root);
    needs!("docker-registry");
    needs!("skopeo");
    let engine = Engine::start_as(Who::CoracleRootless);
    {
        let registry = Registry::start(engine.namespace().expect("root"), &engine.folder().join("registry"));
        let reference = registry.put_busybox("busybox:v1");
        engine.docker(&["pull", "--quiet", &reference]).expect(0);
        let said = engine.coracle(&["run", "--rm", &reference, "/bin/busybox", "echo", "hi"]).expect(0);
        assert_eq!(said.line(), "hi");
    }
    engine.finish();
}

#[test]
fn a_kernel_that_forbids_it_is_told_by_its_knob() {
    needs!(root);
    needs!("docker");
    let engine = Engine::start_after(Who::CoracleRootless, "echo 0 > /proc/sys/user/max_user_namespaces");
    engine.import_busybox();
    for client in [Engine::docker, Engine::coracle] {
        let said = client(&engine, &["run", "--rm", "busybox", "true"]).expect(125);
        assert!(said.stderr.contains("sysctl -w user.max_user_namespaces=15000"), "{}", said.stderr);
    }
    engine.finish();
}

#[test]
fn files_of_other_owners_are_roots_and_remember_whose_they_were() {
    needs!(root);
    needs!("docker");
    with_busybox(|engine| {
        let tar = engine.folder().join("owned.tar");
        write_owned(&tar);
        engine.docker(&["import", &tar.display().to_string(), "owned:v1"]).expect(0);
        let said = engine.docker(&["create", "--name", "owned", "owned:v1", "/nothing"]).expect(0);
        assert_eq!(said.stderr, "");
        let found = find(&engine.folder().join("data/snapshots"), "theirs").expect("the layer is unpacked");
        let owner = std::fs::metadata(engine.folder()).expect("the folder").uid();
        assert_eq!(std::fs::metadata(&found).expect("the file").uid(), owner);
        let mut value = [0; 32];
        let length =
            rustix::fs::getxattr(&found, "user.coracle.owner", &mut value[..]).expect("the attribute");
        assert_eq!(&value[..length], b"1000:50");
        // What is saved is what was imported, whoever unpacked it.
        let saved = engine.folder().join("saved.tar").display().to_string();
        engine.docker(&["save", "--output", &saved, "owned:v1"]).expect(0);
        assert!(owners_in(&saved).contains(&(1000, 50)), "{:?}", owners_in(&saved));
    });
}

/// A tar file with one file of a user and a group that are not root.
fn write_owned(path: &std::path::Path) {
    let mut tar = tar::Builder::new(std::fs::File::create(path).expect("a tar file"));
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_uid(1000);
    header.set_gid(50);
    header.set_size(5);
    tar.append_data(&mut header, "theirs", &b"mine\n"[..]).expect("a file in the tar file");
    tar.finish().expect("the tar file's end");
}

/// The first file of this name below a folder.
fn find(folder: &std::path::Path, name: &str) -> Option<std::path::PathBuf> {
    for entry in std::fs::read_dir(folder).ok()?.flatten() {
        let path = entry.path();
        if entry.file_name() == name {
            return Some(path);
        }
        if let Some(found) =
            entry.file_type().is_ok_and(|kind| kind.is_dir()).then(|| find(&path, name)).flatten()
        {
            return Some(found);
        }
    }
    None
}

/// The owners of all files of all layers of a saved image.
fn owners_in(saved: &str) -> Vec<(u64, u64)> {
    let mut owners = Vec::new();
    let mut archive = tar::Archive::new(std::fs::File::open(saved).expect("the saved image"));
    for entry in archive.entries().expect("a tar file") {
        let mut layer = tar::Archive::new(entry.expect("an entry"));
        for file in layer.entries().into_iter().flatten().map_while(Result::ok) {
            let header = file.header();
            owners.push((header.uid().unwrap_or(0), header.gid().unwrap_or(0)));
        }
    }
    owners
}
