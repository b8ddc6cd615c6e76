//! Images as files: our own round trip, and what skopeo thinks of it.
#![forbid(unsafe_code)]
#![cfg(target_os = "linux")]

mod scene;

use std::process::Command;

use images::{Image, Reference};
use layers::{Import, Progress, import, load, save};
use scene::{Scene, Tar, gzip, listing};

fn rootfs() -> Vec<u8> {
    Tar::default().folder("bin").file("bin/tool", "#!tool").symlink("sh", "bin/tool").bytes()
}

fn imported(scene: &Scene, name: &str) -> Image {
    let name = Reference::parse(name).unwrap();
    let changes = ["CMD [\"sh\"]".to_string(), "ENV A=b".to_string()];
    let details = Import { name: Some(&name), changes: &changes, message: "made for a test", platform: None };
    import(&scene.store, &scene.snapshots, &gzip(&rootfs())[..], &details, &|_| true).unwrap()
}

fn saved(scene: &Scene, names: &[&str]) -> Vec<u8> {
    let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
    let mut archive = Vec::new();
    save(&scene.store, &names, &mut archive).unwrap();
    archive
}

/// Loads into a scene of its own; returns the scene, the images, and what was told.
fn loaded(archive: &[u8]) -> (Scene, layers::Result<Vec<Image>>, Vec<String>) {
    let scene = Scene::new();
    let told = std::sync::Mutex::new(Vec::new());
    let sink = |news: Progress| {
        if let Progress::Loaded(text) = news {
            told.lock().unwrap().push(text);
        }
        true
    };
    let images = load(&scene.store, &scene.snapshots, archive, &sink);
    (scene, images, told.into_inner().unwrap())
}

fn names(image: &Image) -> Vec<String> {
    image.names.iter().map(Reference::familiar).collect()
}

fn files(scene: &Scene, image: &Image) -> String {
    listing(&scene.snapshots.lower_dirs(&image.config.rootfs.diff_ids).unwrap()[0])
}

#[test]
fn an_import_has_what_it_was_told() {
    let scene = Scene::new();
    let image = imported(&scene, "tool:1");
    assert_eq!(names(&image), ["tool:1"]);
    assert_eq!(image.config.config.cmd, Some(vec!["sh".into()]));
    assert_eq!((image.config.comment.as_str(), image.config.os.as_str()), ("made for a test", "linux"));
    assert!(files(&scene, &image).contains("sh: -> bin/tool"));
    let bad =
        import(&scene.store, &scene.snapshots, &b"garbage"[..], &Import::default(), &|_| true).unwrap_err();
    assert_eq!(bad.to_string(), "Error processing tar file(exit status 1): unexpected EOF");
    assert_eq!(scene.left(), [3, 0, 1]);
}

#[test]
fn what_is_saved_loads_the_same() {
    let scene = Scene::new();
    let image = imported(&scene, "tool:1");
    scene.store.tag(&Reference::parse("tool:2").unwrap(), &image.descriptor).unwrap();
    let archive = saved(&scene, &["tool"]);
    for archive in [gzip(&archive), archive] {
        let (other, images, told) = loaded(&archive);
        let images = images.unwrap();
        assert_eq!(told, ["Loaded image: tool:1", "Loaded image: tool:2"]);
        assert_eq!(
            (images.len(), images[0].id, images[0].descriptor.digest),
            (1, image.id, image.descriptor.digest)
        );
        assert_eq!(names(&images[0]), ["tool:1", "tool:2"]);
        assert_eq!(files(&other, &images[0]), files(&scene, &image));
        assert_eq!(other.left(), [3, 0, 1], "the archive's own documents are not kept");
    }
    let (_, images, told) = loaded(&saved(&scene, &[&image.id.short()]));
    assert_eq!(told, [format!("Loaded image ID: {}", image.id)]);
    assert!(images.unwrap()[0].names.is_empty());
    let refusal = save(&scene.store, &["nosuch".into()], Vec::new()).unwrap_err();
    assert_eq!(refusal.to_string(), "No such image: nosuch:latest");
}

#[test]
fn an_old_archive_loads() {
    let tar = rootfs();
    let diff_id = images::Digest::of(&tar);
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","config":{{"Cmd":["sh"]}},"rootfs":{{"type":"layers","diff_ids":["{diff_id}","{diff_id}"]}}}}"#
    );
    let manifest = r#"[{"Config":"c.json","RepoTags":["old:1","127.0.0.1:5000/old:2"],"Layers":["a/layer.tar","b/layer.tar"]}]"#;
    let text = String::from_utf8(tar).unwrap();
    // As dockers before 25 write it: the same layer the second time as a link, the manifest last.
    let archive = Tar::default()
        .folder("a/")
        .file("a/layer.tar", &text)
        .symlink("b/layer.tar", "../a/layer.tar")
        .file("c.json", &config)
        .file("manifest.json", manifest)
        .bytes();
    let (scene, images, told) = loaded(&archive);
    let images = images.unwrap();
    assert_eq!(told, ["Loaded image: old:1", "Loaded image: 127.0.0.1:5000/old:2"]);
    assert_eq!(images[0].id, images::Digest::of(config.as_bytes()));
    assert_eq!(scene.snapshots.lower_dirs(&images[0].config.rootfs.diff_ids).unwrap().len(), 2);
}

#[test]
fn bad_archives_leave_nothing() {
    let manifest = |layers: &str| {
        let manifest = format!(r#"[{{"Config":"c.json","RepoTags":null,"Layers":[{layers}]}}]"#);
        Tar::default()
            .file("c.json", r#"{"rootfs":{"type":"layers"}}"#)
            .file("manifest.json", &manifest)
            .bytes()
    };
    let archives = [
        Tar::default().bytes(),
        b"garbage".to_vec(),
        b"no tar, but as long as a header of one would be ".repeat(20),
        manifest(""),
        manifest(r#""nosuch.tar""#),
        manifest(r#""c.json""#),
        Tar::default().file("manifest.json", "{").bytes(),
        Tar::default().file("../manifest.json", "[]").bytes(),
        Tar::default().file("index.json", "{}").bytes(),
    ];
    let mut refusals = String::new();
    for archive in &archives {
        let (scene, images, _) = loaded(archive);
        match images {
            Ok(images) => refusals += &format!("{} images\n", images.len()),
            Err(refusal) => {
                refusals += &format!(
                    "{:?}: {}\n",
                    refusal.kind(),
                    refusal.to_string().split("sha256:").next().unwrap()
                );
                assert_eq!(scene.left(), [0, 0, 0]);
            }
        }
    }
    insta::assert_snapshot!(refusals);
}

fn skopeo(arguments: &[&str]) -> String {
    let output =
        Command::new("skopeo").args(arguments).output().expect("skopeo is installed by `cargo xtask setup`");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn skopeo_reads_the_store_and_what_is_saved() {
    let scene = Scene::new();
    let image = imported(&scene, "tool:1");
    let at = |file: &str| scene.dir.path().join(file).display().to_string();
    let diff_id = image.config.rootfs.diff_ids[0].to_string();

    let inside = skopeo(&["inspect", "--config", &format!("oci:{}:docker.io/library/tool:1", at("images"))]);
    assert!(inside.contains(&diff_id), "{inside}");

    std::fs::write(at("saved.tar"), saved(&scene, &["tool:1"])).unwrap();
    let as_docker = skopeo(&["inspect", "--config", &format!("docker-archive:{}:tool:1", at("saved.tar"))]);
    assert!(as_docker.contains(&diff_id), "{as_docker}");
    // It unpacks such an archive, and gives the files away.
    if scene::is_root() {
        let as_oci = skopeo(&["inspect", "--config", &format!("oci-archive:{}", at("saved.tar"))]);
        assert!(as_oci.contains(&diff_id), "{as_oci}");
    } else {
        skipped::skip(
            "layers::skopeo_reads_what_is_saved as OCI",
            "skopeo unpacks an OCI archive only as root",
        );
    }

    // What skopeo writes, in both formats, is read.
    for (kind, name) in [("docker-archive", "back:1"), ("oci-archive", "back:1")] {
        let file = at(kind);
        skopeo(&[
            "copy",
            &format!("oci:{}:docker.io/library/tool:1", at("images")),
            &format!("{kind}:{file}:{name}"),
        ]);
        let (other, images, told) = loaded(&std::fs::read(&file).unwrap());
        assert_eq!(told, ["Loaded image: back:1"], "{kind}");
        assert_eq!(files(&other, &images.unwrap()[0]), files(&scene, &image), "{kind}");
    }

    // An image that skopeo puts into the store is unpacked when it is needed.
    skopeo(&[
        "copy",
        &format!("docker-archive:{}", at("docker-archive")),
        &format!("oci:{}:guest:1", at("images")),
    ]);
    let guest = scene.store.resolve("guest:1").unwrap();
    layers::ensure_unpacked(&scene.store, &scene.snapshots, &guest).unwrap();
    assert_eq!(files(&scene, &guest), files(&scene, &image));
}

#[test]
fn hello_is_this_executable() {
    let scene = Scene::new();
    let image = layers::hello(&scene.store, &scene.snapshots).unwrap();
    let again = layers::hello(&scene.store, &scene.snapshots).unwrap();
    assert_eq!((image.id, names(&again)), (again.id, vec!["hello:latest".to_string()]));
    let folder = scene.snapshots.lower_dirs(&image.config.rootfs.diff_ids).unwrap().remove(0);
    let own = std::fs::read("/proc/self/exe").unwrap();
    assert!(std::fs::read(folder.join("hello")).unwrap() == own);
    // A lost snapshot is made again.
    scene.snapshots.remove_unused(|| Ok(vec![])).unwrap();
    layers::hello(&scene.store, &scene.snapshots).unwrap();
    assert!(folder.join("hello").exists());
    assert_eq!(scene.left(), [3, 0, 1]);
}
