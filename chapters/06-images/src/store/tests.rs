//! The store from outside: names move, blobs go when nobody needs them, nothing is left by the unfinished.

use std::io::Write;

use super::*;
use crate::media;

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path().join("images")).unwrap();
    (dir, store)
}

fn image(store: &Store, content: &str) -> Descriptor {
    let mut writer = store.writer().unwrap();
    writer.write_all(content.as_bytes()).unwrap();
    let layer = writer.finish_any(media::OCI_LAYER).unwrap();
    let mut config = ImageConfig { os: "linux".into(), architecture: "amd64".into(), ..Default::default() };
    config.rootfs.diff_ids.push(layer.digest);
    store.compose(&config, vec![layer]).unwrap()
}

fn reference(text: &str) -> Reference {
    Reference::parse(text).unwrap()
}

fn names(store: &Store) -> Vec<Vec<String>> {
    let images = store.images().unwrap();
    images.iter().map(|image| image.names.iter().map(Reference::familiar).collect()).collect()
}

fn files(dir: &Path) -> usize {
    fs::read_dir(dir).unwrap().count()
}

#[test]
fn resolves_names_ids_and_prefixes() {
    let (_dir, store) = store();
    let one = image(&store, "one");
    store.tag(&reference("busybox"), &one).unwrap();
    store.tag(&reference("busybox").at_digest(one.digest), &one).unwrap();
    let id = store.resolve("busybox").unwrap().id;
    let pinned = format!("busybox:other@{}", one.digest);
    for text in
        ["busybox:latest", "docker.io/library/busybox", &id.to_string(), &id.hex(), &id.short(), &pinned]
    {
        assert_eq!(store.resolve(text).unwrap().id, id, "{text}");
    }
    let refusal = |text: &str| store.resolve(text).unwrap_err().to_string();
    assert_eq!(refusal("nosuch"), "No such image: nosuch:latest");
    assert_eq!(refusal(&"0".repeat(64)), format!("No such image: sha256:{}", "0".repeat(64)));
    assert_eq!(refusal("No/Such"), "invalid reference format: repository name must be lowercase");
}

#[test]
fn a_moved_name_leaves_a_dangling_image() {
    let (_dir, store) = store();
    let (one, two) = (image(&store, "one"), image(&store, "two"));
    store.tag(&reference("x"), &one).unwrap();
    store.tag(&reference("y"), &one).unwrap();
    store.tag(&reference("x"), &two).unwrap();
    assert_eq!(names(&store), [vec!["y:latest"], vec!["x:latest"]]);
    store.tag(&reference("y"), &two).unwrap();
    assert_eq!(names(&store), [vec![], vec!["x:latest", "y:latest"]]);
    store.tag(&reference("z"), &one).unwrap();
    assert_eq!(names(&store), [vec!["x:latest", "y:latest"], vec!["z:latest"]]);
    store.untag(&reference("z")).unwrap();
    assert_eq!(store.untag(&reference("z")).unwrap_err().to_string(), "No such image: z:latest");
}

#[test]
fn a_removed_image_takes_only_its_own_blobs() {
    let (_dir, store) = store();
    let (one, two) = (image(&store, "one"), image(&store, "two"));
    store.tag(&reference("x"), &one).unwrap();
    store.tag(&reference("y"), &two).unwrap();
    let blobs = store.dir().join("blobs/sha256");
    assert_eq!(files(&blobs), 6);
    let ingest = store.ingest();
    store.remove(&store.resolve("x").unwrap().id).unwrap();
    assert_eq!(files(&blobs), 6, "nothing is collected while something comes in");
    drop(ingest);
    assert_eq!(files(&blobs), 3);
    store.resolve("y").unwrap();
}

#[test]
fn what_is_unfinished_or_wrong_leaves_nothing() {
    let (_dir, store) = store();
    let ingest = store.dir().join("ingest");
    let write = |content: &str| {
        let mut writer = store.writer().unwrap();
        writer.write_all(content.as_bytes()).unwrap();
        writer
    };
    drop(write("gone"));
    let expected = Descriptor::of(media::OCI_LAYER, b"abc");
    let refusal = |content: &str| write(content).finish(&expected).unwrap_err();
    assert_eq!(refusal("abd").kind(), ErrorKind::DigestMismatch);
    assert!(refusal("abcd").to_string().ends_with("expected 3 bytes, got 4"));
    assert_eq!((files(&ingest), files(&store.dir().join("blobs/sha256"))), (0, 0));
    write("abc").finish(&expected).unwrap();
    assert!(store.has(&expected));

    let living = write("half");
    fs::write(ingest.join("1-0"), "of a killed writer").unwrap();
    Store::open(store.dir()).unwrap();
    assert_eq!(files(&ingest), 1, "only the dead writer's file goes");
    drop(living);
}

#[test]
fn a_damaged_blob_is_noticed() {
    let (_dir, store) = store();
    let one = image(&store, "one");
    store.tag(&reference("x"), &one).unwrap();
    let image = store.resolve("x").unwrap();
    fs::write(store.blob_path(&image.id), "{}").unwrap();
    assert_eq!(store.resolve("x").unwrap_err().kind(), ErrorKind::DigestMismatch);
    assert!(store.images().unwrap().is_empty());
}

#[test]
fn threads_lose_no_name() {
    let (_dir, store) = store();
    let one = image(&store, "one");
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (store, one) = (&store, &one);
            scope.spawn(move || {
                (0..10).for_each(|n| store.tag(&reference(&format!("x:{thread}-{n}")), one).unwrap())
            });
        }
    });
    assert_eq!(store.resolve("x:0-0").unwrap().names.len(), 40);
}
