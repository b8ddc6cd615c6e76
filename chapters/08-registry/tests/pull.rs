//! Pulls from registries that behave and from those that do not.
#![forbid(unsafe_code)]
#![cfg(target_os = "linux")]

mod scripted;

use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use images::{Descriptor, Digest, Index, Platform, Reference, media};
use registry::{Credentials, ErrorKind};
use scripted::{Asked, Place, Registry, content, says, tar};

fn noise(seed: u32, length: usize) -> Vec<u8> {
    let mut state = seed;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect()
}

fn is_layer(asked: &Asked, layer: &Descriptor) -> bool {
    asked.path.ends_with(&layer.digest.to_string())
}

#[test]
fn an_image_comes_with_all_its_layers_and_only_once() {
    let tars: Vec<Vec<u8>> = (0..5).map(|n| tar(&format!("f{n}"), &noise(n, 300_000))).collect();
    let image = content(&tars);
    let digest = image.manifest.digest;
    let registry = Registry::start(move |asked| image.reply(asked));
    let (place, name) = (Place::new(), registry.name("app:1"));
    let pulled = place.pull(&name).unwrap();
    assert_eq!((pulled.digest, pulled.up_to_date), (digest, false));
    let folders = place.snapshots.lower_dirs(&pulled.image.config.rootfs.diff_ids).unwrap();
    assert_eq!(std::fs::read(folders[0].join("f4")).unwrap(), noise(4, 300_000));
    // Five layers, the config, the manifest as it came and in OCI's words.
    assert_eq!(place.left(), [8, 0, 5]);
    let told = place.told.lock().unwrap().clone();
    assert_eq!(told[0], "1 Pulling from app");
    assert_eq!(told.iter().filter(|line| line.ends_with("Waiting")).count(), 2);
    for word in ["Pulling fs layer", "Verifying Checksum", "Download complete", "Pull complete"] {
        assert_eq!(told.iter().filter(|line| line.ends_with(word)).count(), 5, "{word}");
    }
    assert_eq!(told[told.len() - 2], format!(" Digest: {digest}"));
    assert_eq!(told[told.len() - 1], format!(" Status: Downloaded newer image for {name}"));

    let asked = registry.paths().len();
    assert!(place.pull(&name).unwrap().up_to_date);
    assert_eq!(registry.paths().len() - asked, 2, "the version and the manifest");
    let pinned = format!("{}@{digest}", registry.name("app"));
    assert_eq!(place.pull(&pinned).unwrap().image.id, pulled.image.id);
    assert_eq!(place.store.resolve(&pinned).unwrap().names.len(), 2);

    // A snapshot that was lost is unpacked from the blob; nothing is fetched.
    place.snapshots.remove_unused(|| Ok(vec![])).unwrap();
    let asked = registry.paths().len();
    place.pull(&name).unwrap();
    assert_eq!((registry.paths().len() - asked, place.left()), (2, [8, 0, 5]));
}

#[test]
fn a_list_gives_this_machine_s_image() {
    let mut image = content(&[tar("f", b"x")]);
    let good = Descriptor { platform: Some(Platform::host()), ..image.manifest.clone() };
    let other = Platform { architecture: "s390x".into(), os: "linux".into(), variant: None };
    let bad = Descriptor { platform: Some(other), ..Descriptor::of(media::DOCKER_MANIFEST, b"other") };
    let index = |manifests| {
        let media_type = Some(media::DOCKER_INDEX.into());
        serde_json::to_vec(&Index {
            schema_version: 2,
            media_type,
            manifests,
            annotations: Default::default(),
        })
        .unwrap()
    };
    let list = index(vec![bad.clone(), good]);
    let digest = Digest::of(&list);
    image.paths.insert("/v2/app/manifests/list".into(), (media::DOCKER_INDEX.into(), list));
    image.paths.insert("/v2/app/manifests/none".into(), (media::DOCKER_INDEX.into(), index(vec![bad])));
    let registry = Registry::start(move |asked| image.reply(asked));
    let place = Place::new();
    let pulled = place.pull(&registry.name("app:list")).unwrap();
    assert_eq!(pulled.digest, digest);
    let names: Vec<String> = pulled.image.names.iter().map(Reference::to_string).collect();
    assert_eq!(names, [registry.name("app:list"), registry.name(&format!("app@{digest}"))]);
    let refusal = place.pull(&registry.name("app:none")).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        format!("no matching manifest for {} in the manifest list entries", Platform::host())
    );
}

#[test]
fn a_connection_that_breaks_is_taken_up_where_it_broke() {
    let image = content(&[tar("f", &noise(1, 2_000_000))]);
    let layer = image.layers[0].clone();
    let (whole, breaks) = (layer.clone(), Mutex::new(0));
    let registry = Registry::start(move |asked| {
        let mut reply = image.reply(asked);
        let mut breaks = breaks.lock().unwrap();
        if is_layer(asked, &whole) && *breaks < 2 {
            *breaks += 1;
            reply.cut = Some(600_000);
        }
        reply
    });
    let place = Place::new();
    place.pull(&registry.name("app:1")).unwrap();
    let asked = registry.asked.lock().unwrap();
    let from: Vec<usize> =
        asked.iter().filter(|asked| is_layer(asked, &layer)).map(|asked| asked.from).collect();
    assert_eq!(from, [0, 600_000, 1_200_000]);
    let told = place.told.lock().unwrap();
    assert!(told.iter().any(|line| line.ends_with("Retrying in 1 second")), "{told:?}");
}

#[test]
fn what_is_wrong_is_said_and_leaves_nothing() {
    type Damage = fn(&mut scripted::Says);
    let cases: [(&str, Damage); 4] = [
        ("cut", |reply| reply.cut = Some(reply.body.len() / 2)),
        ("other bytes", |reply| reply.body[20] ^= 1),
        ("gone", |reply| {
            *reply = says(404, r#"{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown to registry"}]}"#)
        }),
        ("not allowed", |reply| *reply = says(403, "")),
    ];
    let mut refusals = String::new();
    for (case, spoil) in cases {
        let image = content(&[tar("f", &noise(1, 500_000))]);
        let layer = image.layers[0].clone();
        let digest = layer.digest;
        let registry = Registry::start(move |asked| {
            let mut reply = image.reply(asked);
            if is_layer(asked, &layer) {
                spoil(&mut reply);
            }
            reply
        });
        let place = Place::new();
        let refusal = place.pull(&registry.name("app:1")).unwrap_err();
        place.store.collect().unwrap();
        assert_eq!(place.left(), [0, 0, 0], "{case}");
        let text = refusal
            .to_string()
            .replace(&digest.to_string(), "DIGEST")
            .replace(&registry.address.to_string(), "REGISTRY");
        refusals += &format!("{case}: {:?}: {text}\n", refusal.kind());
    }
    insta::assert_snapshot!(refusals);
}

#[test]
fn documents_of_the_wrong_kind_are_refused() {
    let mut image = content(&[tar("../evil", b"x")]);
    let config = r#"{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"DIGEST","size":2}"#;
    let digest = Digest::of(b"{}").to_string();
    let documents: [(&str, &str, String); 8] = [
        (
            "schema1",
            "application/vnd.docker.distribution.manifest.v1+prettyjws",
            r#"{"schemaVersion":1,"fsLayers":[]}"#.into(),
        ),
        ("html", "text/html", "<html>".into()),
        (
            "both",
            media::OCI_INDEX,
            format!(r#"{{"schemaVersion":2,"manifests":[],"layers":[],"config":{config}}}"#),
        ),
        (
            "artifact",
            media::OCI_MANIFEST,
            format!(r#"{{"schemaVersion":2,"layers":[],"config":{}}}"#, config.replace("image.config", "x")),
        ),
        (
            "odd layer",
            media::OCI_MANIFEST,
            format!(
                r#"{{"schemaVersion":2,"config":{config},"layers":[{{"mediaType":"text/plain","digest":"DIGEST","size":1}}]}}"#
            ),
        ),
        (
            "large config",
            media::OCI_MANIFEST,
            format!(r#"{{"schemaVersion":2,"layers":[],"config":{}}}"#, config.replace(":2}", ":99999999}")),
        ),
        (
            "config without layers",
            media::OCI_MANIFEST,
            format!(
                r#"{{"schemaVersion":2,"config":{config},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"DIGEST","size":1}}]}}"#
            ),
        ),
        ("huge", media::OCI_MANIFEST, " ".repeat(9 << 20)),
    ];
    image.paths.insert(format!("/v2/app/blobs/{digest}"), (String::new(), b"{}".to_vec()));
    for (name, kind, text) in &documents {
        let path = format!("/v2/app/manifests/{}", name.replace(' ', "-"));
        image.paths.insert(path, (kind.to_string(), text.replace("DIGEST", &digest).into()));
    }
    let lie = format!("/v2/app/manifests/{digest}");
    image.paths.insert(lie, (media::DOCKER_MANIFEST.into(), b"{ }".to_vec()));
    let registry = Registry::start(move |asked| image.reply(asked));
    let mut refusals = String::new();
    let versions = documents.iter().map(|(name, ..)| format!(":{}", name.replace(' ', "-")));
    for version in versions.chain([format!("@{digest}"), ":1".into(), ":nosuch".into()]) {
        let place = Place::new();
        let refusal = place.pull(&registry.name(&format!("app{version}"))).unwrap_err();
        place.store.collect().unwrap();
        assert_eq!(place.left(), [0, 0, 0], "{version}");
        let text = refusal.to_string().replace(&registry.address.to_string(), "REGISTRY");
        refusals += &format!("{version}: {:?}: {text}\n", refusal.kind());
    }
    insta::assert_snapshot!(refusals.replace(&digest, "DIGEST"));
}

#[test]
fn a_stalled_pull_ends_when_whoever_asked_goes() {
    let image = content(&[tar("f", &noise(1, 500_000))]);
    let layer = image.layers[0].clone();
    let registry = Registry::start(move |asked| {
        let mut reply = image.reply(asked);
        if is_layer(asked, &layer) {
            (reply.cut, reply.stall) = (Some(100_000), true);
        }
        reply
    });
    let place = Place::new();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let pulling = scope.spawn(|| place.pull(&registry.name("app:1")));
        // Not before it hangs on the layer.
        while !registry.paths().last().is_some_and(|path| path.contains("blobs"))
            && begun.elapsed() < Duration::from_secs(20)
        {
            std::thread::yield_now();
        }
        place.cancelled.store(true, Ordering::Relaxed);
        assert_eq!(pulling.join().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
    });
    assert!(begun.elapsed() < Duration::from_secs(20));
    place.store.collect().unwrap();
    assert_eq!(place.left(), [0, 0, 0]);
}

#[test]
fn credentials_do_not_follow_a_redirect() {
    let image = content(&[tar("f", b"x")]);
    let blobs = image.paths.clone();
    // Another port is another host.
    let cdn = Registry::start(move |asked| says(200, blobs[asked.path.as_str()].1.clone()));
    let elsewhere = cdn.address;
    let registry = Registry::start(move |asked| match &asked.authorization {
        None => says(401, "").with("WWW-Authenticate", "Basic realm=\"r\""),
        Some(_) if asked.path.contains("/blobs/") => {
            says(307, "").with("Location", &format!("http://{elsewhere}{}", asked.path))
        }
        Some(_) => image.reply(asked),
    });
    let me = Credentials { username: "me".into(), password: "secret".into(), ..Credentials::default() };
    Place::new().pull_as(&registry.name("app:1"), Some(&me)).unwrap();
    let asked = cdn.asked.lock().unwrap();
    assert_eq!(asked.len(), 2);
    assert!(asked.iter().all(|asked| asked.authorization.is_none()), "{asked:?}");
    let refusal = Place::new().pull(&registry.name("app:1")).unwrap_err();
    assert_eq!(
        (refusal.kind(), refusal.to_string()),
        (
            ErrorKind::Denied,
            format!("Head \"http://{}/v2/app/manifests/1\": no basic auth credentials", registry.address)
        )
    );
}

#[test]
fn nobody_there_reads_as_dockerd_says_it() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refusal = Place::new().pull(&format!("{free}/app:1")).unwrap_err();
    assert_eq!(refusal.kind(), ErrorKind::Unavailable);
    assert_eq!(
        refusal.to_string(),
        format!("Get \"http://{free}/v2/\": dial tcp {free}: connect: connection refused")
    );
}
