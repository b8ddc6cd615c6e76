//! An ordinary user's container, in a scope that their own systemd makes.

use super::machine::systemctl;
use super::site::{eventually, skip};
use serde_json::{Value, json};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Whose systemd the machine of the tests can start.
const USER: u32 = 1000;

/// A bundle of theirs.
struct Bundle {
    folder: PathBuf,
    id: String,
    /// They call as root of a user namespace, which is they outside.
    as_root: bool,
}

impl Bundle {
    /// None where there is no such user, or their systemd does not come.
    fn new(name: &str, as_root: bool) -> Option<Bundle> {
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let is_there = passwd.lines().any(|line| line.split(':').nth(2) == Some(&USER.to_string()));
        if !Path::new("/run/systemd/system").exists() || !nix::unistd::geteuid().is_root() || !is_there {
            skip(&format!("systemd::{name}"), "needs systemd as first process, root, and a user 1000");
            return None;
        }
        systemctl(&["start", &format!("user@{USER}.service")]);
        let id = format!("systemd-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(&id);
        for name in ["bin", "etc", "proc", "dev", "sys", "tmp"] {
            std::fs::create_dir_all(folder.join("rootfs").join(name)).unwrap();
        }
        for (from, to) in
            [("/usr/bin/busybox", "rootfs/bin/sleep"), (env!("CARGO_BIN_EXE_coracle-oci"), "coracle-oci")]
        {
            assert!(Command::new("cp").arg(from).arg(folder.join(to)).status().unwrap().success());
        }
        Some(Bundle { folder, id, as_root })
    }

    fn write(&self, resources: Value) {
        let caller = if self.as_root { 0 } else { USER };
        let mut spec = serde_json::to_value(runtime::default_spec(Some((caller, caller))).unwrap()).unwrap();
        spec["process"]["args"] = json!(["/bin/sleep", "100"]);
        spec["process"]["terminal"] = false.into();
        spec["linux"]["cgroupsPath"] = json!(format!("app.slice:box:{}", self.id));
        spec["linux"]["resources"] = resources;
        std::fs::write(self.folder.join("config.json"), spec.to_string()).unwrap();
        let theirs = Command::new("chown").arg("-R").arg(format!("{USER}:{USER}")).arg(&self.folder).status();
        assert!(theirs.unwrap().success());
        chown(&self.folder, Some(USER), Some(USER)).unwrap();
    }

    /// What a program says that they run; it must succeed.
    fn said(&self, program: &[&str], words: &[&str]) -> String {
        let number = USER.to_string();
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid", &number, "--regid", &number, "--clear-groups", "--"])
            .args(program)
            .args(words);
        command.env("XDG_RUNTIME_DIR", format!("/run/user/{USER}")).current_dir(&self.folder);
        // Whoever is detached keeps what it inherits.
        let errors = std::fs::File::create(self.folder.join("errors")).unwrap();
        let output = std::fs::File::create(self.folder.join("output")).unwrap();
        let status = command.stdin(Stdio::null()).stdout(output).stderr(errors).status().unwrap();
        let [output, errors] =
            ["output", "errors"].map(|name| std::fs::read_to_string(self.folder.join(name)).unwrap());
        assert!(status.success(), "{program:?} {words:?}: {status} {errors}");
        output.trim().to_string()
    }

    fn oci(&self, words: &[&str]) -> String {
        let root = self.folder.join("state").display().to_string();
        let executable = self.folder.join("coracle-oci").display().to_string();
        let before: &[&str] = if self.as_root { &["unshare", "--user", "--map-root-user"] } else { &[] };
        let program = [before, &[&executable]].concat();
        self.said(&program, &[&["--root", &root, "--systemd-cgroup"], words].concat())
    }

    fn show(&self, properties: &str) -> String {
        let unit = format!("box-{}.scope", self.id);
        self.said(&["systemctl"], &["--user", "show", &unit, "--property", properties])
    }
}

impl Drop for Bundle {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn a_users_systemd_makes_the_scope() {
    let Some(bundle) = Bundle::new("rootless", false) else { return };
    lives_in_a_scope(&bundle);
}

/// As podman calls its runtime for an ordinary user.
#[test]
fn and_so_it_does_for_root_of_a_user_namespace() {
    let Some(bundle) = Bundle::new("nested", true) else { return };
    lives_in_a_scope(&bundle);
}

fn lives_in_a_scope(bundle: &Bundle) {
    bundle.write(json!({"memory": {"limit": 64 << 20}, "pids": {"limit": 30}}));
    bundle.oci(&["run", "-d", &bundle.id]);
    let group =
        format!("/user.slice/user-{USER}.slice/user@{USER}.service/app.slice/box-{}.scope", bundle.id);
    let said = bundle.show("ControlGroup,MemoryMax,TasksMax,ActiveState");
    let lines =
        [&format!("ControlGroup={group}")[..], "MemoryMax=67108864", "TasksMax=30", "ActiveState=active"];
    for line in lines {
        assert!(said.lines().any(|other| other == line), "{line}: {said}");
    }
    let folder = Path::new("/sys/fs/cgroup").join(&group[1..]);
    let file = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap().trim().to_string();
    assert_eq!([file("memory.max"), file("pids.max")], ["67108864", "30"]);
    bundle.oci(&["update", "--pids-limit", "20", &bundle.id]);
    assert_eq!(bundle.show("TasksMax"), "TasksMax=20");
    bundle.oci(&["pause", &bundle.id]);
    assert!(bundle.oci(&["state", &bundle.id]).contains("paused"));
    bundle.oci(&["delete", "--force", &bundle.id]);
    assert_eq!(bundle.show("LoadState"), "LoadState=not-found");
    eventually("its group is gone", || !folder.exists());
}
