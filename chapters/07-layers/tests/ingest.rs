//! A layer on its way in: what is wrong with it is said, and leaves nothing; what is right survives.
#![forbid(unsafe_code)]
#![cfg(target_os = "linux")]

mod scene;

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use images::{Descriptor, Digest, media};
use layers::{ErrorKind, Expected, Ingestion, Stage, chain_ids};
use scene::{Scene, Tar, gzip};

fn layer() -> Vec<u8> {
    let noise: String =
        (0..40_000u32).map(|n| char::from(b'a' + (n.wrapping_mul(2_654_435_761) >> 28) as u8)).collect();
    Tar::default().folder("etc").file("etc/passwd", "root").file("noise", &noise).bytes()
}

/// Brings `sent` in as the layer that `blob` and `tar` are.
fn bring(scene: &Scene, blob: &[u8], tar: &[u8], sent: &[u8]) -> layers::Result<Vec<Stage>> {
    let descriptor = Descriptor::of(media::OCI_LAYER_GZIP, blob);
    let diff_id = Digest::of(tar);
    let stages = std::sync::Mutex::new(Vec::new());
    let watch = |stage| {
        stages.lock().unwrap().push(stage);
        true
    };
    let expected = Some(Expected { blob: &descriptor, diff_id, chain_id: diff_id });
    let ingestion = Ingestion { store: &scene.store, snapshots: &scene.snapshots, expected, watch: &watch };
    ingestion.run(sent)?;
    Ok(stages.into_inner().unwrap())
}

#[test]
fn comes_in_gzipped_or_plain() {
    let tar = layer();
    for blob in [gzip(&tar), tar.clone()] {
        let scene = Scene::new();
        let stages = bring(&scene, &blob, &tar, &blob).unwrap();
        let verified = stages.iter().position(|stage| *stage == Stage::Verified).unwrap();
        assert_eq!(stages[verified - 1], Stage::Verifying);
        assert_eq!(stages[verified - 2], Stage::Reading(blob.len() as u64));
        let folders = scene.snapshots.lower_dirs(&[Digest::of(&tar)]).unwrap();
        assert_eq!(fs::read_to_string(folders[0].join("etc/passwd")).unwrap(), "root");
        assert_eq!(scene.snapshots.size(&Digest::of(&tar)).unwrap(), 40_004);
        assert_eq!(scene.left(), [1, 0, 1]);
    }
}

#[test]
fn what_is_wrong_leaves_nothing() {
    let (tar, other) = (layer(), Tar::default().file("x", "y").bytes());
    let blob = gzip(&tar);
    let evil = Tar::default().file("good", "x").file("../evil", "x").bytes();
    let cut_tar = gzip(&tar[..tar.len() / 2]);
    let zstd = b"\x28\xb5\x2f\xfd and so on".to_vec();
    let (other_blob, evil_blob) = (gzip(&other), gzip(&evil));
    let noise = b"not a tar at all, but long enough for one header: ".repeat(20);
    type Case<'a> = (&'a str, &'a [u8], &'a [u8], &'a [u8]);
    let cases: Vec<Case> = vec![
        ("truncated", &blob, &tar, &blob[..blob.len() / 2]),
        ("empty", &blob, &tar, b""),
        ("truncated within", &cut_tar, &tar, &cut_tar),
        ("longer", &blob[..blob.len() - 1], &tar, &blob),
        ("another blob of the same size", &blob, &tar, &tar[..blob.len()]),
        ("wrong digest", &other_blob, &tar, &blob),
        ("wrong diff id", &blob, &other, &blob),
        ("evil", &evil_blob, &evil, &evil_blob),
        ("zstd", &zstd, &tar, &zstd),
        ("no tar", &noise, &noise, &noise),
    ];
    let mut refusals = String::new();
    for (name, blob, tar, sent) in cases {
        let scene = Scene::new();
        let refusal = bring(&scene, blob, tar, sent).expect_err(name);
        assert_eq!(scene.left(), [0, 0, 0], "{name}");
        let text = refusal.to_string();
        let digests = text.split("sha256:").count() - 1;
        refusals += &format!(
            "{name}: {:?}, {digests} digests: {}\n",
            refusal.kind(),
            text.split("sha256:").next().unwrap()
        );
    }
    insta::assert_snapshot!(refusals);
}

#[test]
fn whoever_asked_may_go_at_any_step() {
    let tar = layer();
    let blob = gzip(&tar);
    let descriptor = Descriptor::of(media::OCI_LAYER_GZIP, &blob);
    let diff_id = Digest::of(&tar);
    for step in 0.. {
        let scene = Scene::new();
        let steps = AtomicUsize::new(0);
        let watch = |_| steps.fetch_add(1, Ordering::SeqCst) != step;
        let expected = Some(Expected { blob: &descriptor, diff_id, chain_id: diff_id });
        let ingestion =
            Ingestion { store: &scene.store, snapshots: &scene.snapshots, expected, watch: &watch };
        match ingestion.run(&blob[..]) {
            Ok(_) => return assert!(step > 2, "only {step} steps"),
            Err(refusal) => assert_eq!(refusal.kind(), ErrorKind::Cancelled),
        }
        assert_eq!(scene.left(), [0, 0, 0], "step {step}");
    }
}

#[test]
fn killed_unpackers_are_cleared_away_and_living_ones_are_not() {
    let scene = Scene::new();
    let dir = scene.dir.path().join("snapshots");
    fs::create_dir_all(dir.join("new-1-1/diff/deep/er")).unwrap();
    fs::create_dir_all(dir.join("old-1-2")).unwrap();
    fs::create_dir_all(dir.join("new-1-3")).unwrap();
    let living = fs::File::open(dir.join("new-1-3")).unwrap();
    living.lock().unwrap();
    layers::Snapshots::open(&dir, layers::Ownership::True).unwrap();
    let left: Vec<_> = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["new-1-3"]);
}

#[test]
fn only_what_nobody_uses_or_holds_is_removed() {
    let scene = Scene::new();
    let tars: Vec<Vec<u8>> =
        ["1", "2", "3"].iter().map(|text| Tar::default().file("f", text).bytes()).collect();
    let ids: Vec<Digest> = tars.iter().map(|tar| Digest::of(tar)).collect();
    for tar in &tars {
        bring(&scene, tar, tar, tar).unwrap();
    }
    let hold = scene.snapshots.hold(&[ids[1]]);
    let again = scene.snapshots.hold(&[ids[1]]);
    drop(again);
    assert_eq!(scene.snapshots.remove_unused(|| Ok(vec![ids[0]])).unwrap(), [ids[2]]);
    drop(hold);
    assert_eq!(scene.snapshots.remove_unused(|| Ok(vec![ids[0]])).unwrap(), [ids[1]]);
    assert!(scene.snapshots.has(&ids[0]) && !scene.snapshots.has(&ids[1]));
    let missing = scene.snapshots.lower_dirs(&ids[..2]).unwrap_err();
    assert_eq!(missing.to_string(), format!("layer {} is not unpacked", chain_ids(&ids[..2])[1]));
}
