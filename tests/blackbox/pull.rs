//! Pulling from a real registry, and everything that can be wrong with what it sends.

use crate::harness::{Engine, Registry, run};
use crate::needs;
use std::path::PathBuf;

/// An engine and, in the same network namespace, an empty registry.
fn with_registry(test: impl FnOnce(&Engine, &Registry)) {
    let engine = Engine::start();
    {
        let namespace = engine.namespace().expect("the test runs as root");
        let registry = Registry::start(namespace, &engine.folder().join("registry"));
        test(&engine, &registry);
    }
    engine.finish();
}

fn image_files(engine: &Engine) -> Vec<PathBuf> {
    let blobs = engine.folder().join("data/images/blobs/sha256");
    let mut files: Vec<_> =
        std::fs::read_dir(blobs).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.extend(
        std::fs::read_dir(engine.folder().join("data/snapshots"))
            .into_iter()
            .flatten()
            .flatten()
            .map(|e| e.path()),
    );
    files.sort();
    files
}

#[test]
fn an_image_is_pulled_and_run() {
    needs!(root);
    needs!("docker-registry");
    needs!("skopeo");
    with_registry(|engine, registry| {
        let reference = registry.put_busybox("busybox:v1");
        let said = engine.docker(&["pull", &reference]).expect(0);
        assert!(
            said.stdout.contains(&format!("Status: Downloaded newer image for {reference}")),
            "{}",
            said.stdout
        );
        let again = engine.docker(&["pull", &reference]).expect(0);
        assert!(
            again.stdout.contains(&format!("Status: Image is up to date for {reference}")),
            "{}",
            again.stdout
        );
        assert_eq!(
            engine.docker(&["run", "--rm", &reference, "/bin/busybox", "echo", "hi"]).expect(0).line(),
            "hi"
        );
        engine.coracle(&["pull", &reference]).expect(0);
    });
}

#[test]
fn the_store_is_a_layout_that_skopeo_opens() {
    needs!(root);
    needs!("docker-registry");
    needs!("skopeo");
    with_registry(|engine, registry| {
        let reference = registry.put_busybox("busybox:v1");
        engine.docker(&["pull", "--quiet", &reference]).expect(0);
        let layout = format!("oci:{}:{reference}", engine.folder().join("data/images").display());
        let mut skopeo = std::process::Command::new("skopeo");
        let inspected = run(skopeo.args(["inspect", "--raw", &layout])).expect(0);
        assert!(inspected.stdout.contains("layers"), "{}", inspected.stdout);
    });
}

#[test]
fn what_is_not_there_is_named() {
    needs!(root);
    needs!("docker-registry");
    with_registry(|engine, _| {
        let said = engine.docker(&["pull", "127.0.0.1:5000/nosuch:v1"]).expect(1);
        assert!(said.stderr.contains("127.0.0.1:5000/nosuch:v1 not found"), "{}", said.stderr);
        let down = engine.docker(&["pull", "127.0.0.1:5999/nosuch:v1"]).expect(1);
        assert!(
            down.stderr.contains("127.0.0.1:5999") && down.stderr.contains("connection refused"),
            "{}",
            down.stderr
        );
        assert_eq!(image_files(engine), Vec::<PathBuf>::new());
    });
}

#[test]
fn an_image_of_another_machine_is_named() {
    needs!(root);
    needs!("docker-registry");
    needs!("skopeo");
    with_registry(|engine, registry| {
        let reference = registry.put_busybox("busybox:v1");
        let foreign = if cfg!(target_arch = "s390x") { "linux/amd64" } else { "linux/s390x" };
        for client in [Engine::docker, Engine::coracle] {
            // There is but one to be had, so that it is pulled all the same.
            let said = client(engine, &["pull", "--platform", foreign, &reference]).expect(0);
            let warning = format!(
                "WARNING: image with reference {reference} was found but does not provide the specified platform ({foreign})"
            );
            assert!(said.stdout.contains(&warning), "{}", said.stdout);
            client(engine, &["rmi", &reference]).expect(0);
            let said =
                client(engine, &["run", "--rm", "--platform", foreign, &reference, "true"]).expect(125);
            assert!(said.stderr.contains(&format!("the specified platform ({foreign})")), "{}", said.stderr);
        }
        for client in [Engine::docker, Engine::coracle] {
            let words = ["run", "--rm", "--pull", "never", "--platform", foreign, &reference, "true"];
            let said = client(engine, &words).expect(125);
            assert!(said.stderr.contains(foreign), "{}", said.stderr);
            client(engine, &["run", "--rm", "--platform", "nosuch", &reference, "true"]).expect(125);
        }
        assert_eq!(engine.docker(&["ps", "--all", "--quiet"]).expect(0).stdout, "");
    });
}

/// Changes the largest blob, a layer, as a broken disk or a hostile registry would; nothing of it may stay.
fn damaged(damage: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut error = String::new();
    with_registry(|engine, registry| {
        let reference = registry.put_busybox("busybox:v1");
        let layer = registry.blobs().remove(0);
        let mut bytes = std::fs::read(&layer).expect("the layer");
        damage(&mut bytes);
        std::fs::write(&layer, bytes).expect("the layer");
        error = engine.docker(&["pull", &reference]).expect(1).stderr;
        assert_eq!(image_files(engine), Vec::<PathBuf>::new(), "a part of the image is kept");
        assert_eq!(engine.docker(&["images", "--quiet"]).expect(0).stdout, "");
    });
    error
}

#[test]
fn a_layer_with_a_flipped_byte_is_refused() {
    needs!(root);
    needs!("docker-registry");
    needs!("skopeo");
    let error = damaged(|bytes| {
        let last = bytes.len() - 5;
        bytes[last] ^= 1;
    });
    assert!(error.contains("sha256:") || error.contains("corrupt"), "the error names the digest: {error}");
}

#[test]
fn a_truncated_layer_is_refused() {
    needs!(root);
    needs!("docker-registry");
    needs!("skopeo");
    let error = damaged(|bytes| bytes.truncate(bytes.len() / 2));
    assert!(!error.is_empty());
}

#[test]
fn a_manifest_that_is_no_images_is_refused() {
    needs!(root);
    needs!("docker-registry");
    needs!("skopeo");
    with_registry(|engine, registry| {
        registry.put_busybox("chart:v1");
        let reference = registry.put_artifact("chart:helm");
        let said = engine.docker(&["pull", &reference]).expect(1);
        assert!(said.stderr.contains("application/vnd.cncf.helm.config.v1+json"), "{}", said.stderr);
    });
}

#[test]
fn an_interrupted_pull_leaves_nothing() {
    needs!(root);
    needs!("docker-registry");
    needs!("skopeo");
    with_registry(|engine, registry| {
        let reference = registry.put_busybox("busybox:v1");
        for milliseconds in [0, 5, 10, 20, 40, 80] {
            let mut client = engine
                .docker_command(&["pull", &reference])
                .stdout(std::process::Stdio::null())
                .spawn()
                .expect("docker");
            std::thread::sleep(std::time::Duration::from_millis(milliseconds)); // poll: the moment is the test's subject
            let pid = nix::unistd::Pid::from_raw(client.id() as i32);
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT);
            client.wait().expect("docker ends");
        }
        engine.docker(&["pull", &reference]).expect(0);
        engine.docker(&["rmi", &reference]).expect(0);
        crate::harness::wait_until("nothing of the image is left", || image_files(engine).is_empty());
    });
}

#[test]
fn save_and_load_go_round_with_skopeo() {
    needs!(root);
    needs!("skopeo");
    let engine = Engine::start();
    engine.import_busybox();
    let tar = engine.folder().join("saved.tar").display().to_string();
    engine.docker(&["save", "--output", &tar, "busybox:latest"]).expect(0);
    let mut skopeo = std::process::Command::new("skopeo");
    let inspected = run(skopeo.args(["inspect", &format!("docker-archive:{tar}")])).expect(0);
    assert!(inspected.stdout.contains("\"Os\": \"linux\""), "{}", inspected.stdout);
    let again = engine.folder().join("again.tar").display().to_string();
    let mut skopeo = std::process::Command::new("skopeo");
    skopeo.args(["copy", "--insecure-policy", "--quiet", &format!("docker-archive:{tar}")]);
    run(skopeo.arg(format!("docker-archive:{again}:again:v1"))).expect(0);
    engine.docker(&["load", "--input", &again]).expect(0);
    assert_eq!(engine.docker(&["run", "--rm", "again:v1", "echo", "loaded"]).expect(0).line(), "loaded");
    engine.finish();
}
