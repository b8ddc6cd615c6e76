//! The engine's own executable as an OCI runtime: `coracle oci`, with runc's command line.

use crate::harness::{Said, busybox_tar, run};
use crate::needs;
use std::path::Path;
use std::process::Command;

#[test]
fn the_engine_is_an_oci_runtime_too() {
    needs!(root);
    let bundle = tempfile::tempdir().expect("a folder");
    let rootfs = bundle.path().join("rootfs");
    std::fs::create_dir(&rootfs).expect("the rootfs");
    let tar = std::fs::File::open(busybox_tar()).expect("busybox");
    tar::Archive::new(tar).unpack(&rootfs).expect("unpacked");
    oci(bundle.path(), &["spec"]).expect(0);
    change_command(&bundle.path().join("config.json"), "echo inside $$; exit 3");

    let id = format!("face{}", std::process::id());
    let said = oci(bundle.path(), &["run", &id]).expect(3);
    assert_eq!(said.line(), "inside 1");
    let said = oci(bundle.path(), &["state", &id]).expect(1);
    assert_eq!(said.stderr, "coracle-oci: error: container does not exist\n");
    assert_eq!(
        std::fs::read_dir(bundle.path().join("state")).expect("the root").count(),
        0,
        "a state is left"
    );
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("mounts");
    for point in mounts.lines().filter_map(|line| line.split(' ').nth(4)).map(Path::new) {
        assert!(!point.starts_with(bundle.path()), "a mount is left: {}", point.display());
        let group = point.join(format!("coracle-oci-{id}"));
        assert!(!group.exists(), "a cgroup is left: {}", group.display());
    }
}

fn oci(bundle: &Path, words: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coracle"));
    run(command.arg("oci").arg("--root").arg(bundle.join("state")).args(words).current_dir(bundle))
}

fn change_command(config: &Path, script: &str) {
    let text = std::fs::read(config).expect("config.json");
    let mut spec: serde_json::Value = serde_json::from_slice(&text).expect("config.json is JSON");
    spec["process"]["args"] = serde_json::json!(["sh", "-c", script]);
    spec["process"]["terminal"] = false.into();
    std::fs::write(config, spec.to_string()).expect("config.json is written");
}
