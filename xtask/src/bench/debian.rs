//! The image that is pulled: Debian as one gzip layer of about 93 MB, and a registry on loopback that has it.

use super::arena::{Arena, cache};
use super::command;
use super::engines::Place;
use crate::Result;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How the image is called at the registry.
pub const REFERENCE: &str = "127.0.0.1:5000/debian:bench";

/// Where Docker clients find the layer of [`REFERENCE`] by its digest.
pub fn layer_url() -> Result<String> {
    let layer = manifest()?["layers"][0]["digest"].as_str().map(str::to_owned);
    layer
        .map(|digest| format!("http://127.0.0.1:5000/v2/debian/blobs/{digest}"))
        .ok_or_else(|| format!("{}: no layer", layout().display()))
}

/// An OCI layout, kept from one bench to the next.
fn layout() -> PathBuf {
    cache().join("debian")
}

/// Makes the layout, unless it is there: this takes debootstrap a network and half a minute.
pub fn prepare() -> Result<()> {
    if layout().exists() {
        return Ok(());
    }
    println!("bench: making the Debian image, once (debootstrap)");
    let unfinished = cache().join(format!("debian-unfinished-{}", std::process::id()));
    let made = make_layout(&unfinished).and_then(|()| {
        fs::rename(unfinished.join("layout"), layout())
            .map_err(|error| format!("{}: {error}", layout().display()))
    });
    let _ = fs::remove_dir_all(&unfinished); // the outcome counts more
    made
}

/// A minimal Debian with the packages that it was made of, which is what brings it to its size.
fn make_layout(folder: &Path) -> Result<()> {
    let (rootfs, layout) = (folder.join("rootfs"), folder.join("layout"));
    fs::create_dir_all(layout.join("blobs/sha256"))
        .map_err(|error| format!("{}: {error}", layout.display()))?;
    let mut debootstrap = Command::new("debootstrap");
    debootstrap.args(["--variant=minbase", "bookworm"]).arg(&rootfs);
    let log = fs::File::create(folder.join("log")).map_err(|error| error.to_string())?;
    // Longer than a measured command may take, and nothing is measured yet.
    let status = debootstrap
        .stdin(Stdio::null())
        .stdout(log)
        .status()
        .map_err(|error| format!("debootstrap: {error}"))?;
    if !status.success() {
        let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
        return Err(format!("{debootstrap:?}: {status}\n{log}"));
    }
    let script =
        "tar --numeric-owner --sort=name -C rootfs -c . | tee >(sha256sum > diff-id) | gzip -n > layer";
    command::timed(Command::new("bash").args(["-ec", script]).current_dir(folder))?;
    let diff_id = fs::read_to_string(folder.join("diff-id")).map_err(|error| error.to_string())?;
    let diff_id = format!("sha256:{}", diff_id.split_whitespace().next().unwrap_or_default());
    let layer = add_blob(&layout, &folder.join("layer"), "application/vnd.oci.image.layer.v1.tar+gzip")?;
    write_documents(folder, &layout, &layer, &diff_id)
}

fn write_documents(folder: &Path, layout: &Path, layer: &Value, diff_id: &str) -> Result<()> {
    let add_document = |document: Value, kind: &str| {
        let path = folder.join("document");
        fs::write(&path, document.to_string()).map_err(|error| error.to_string())?;
        add_blob(layout, &path, kind)
    };
    let config = json!({
        "architecture": if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" },
        "os": "linux",
        "config": { "Cmd": ["bash"], "Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] },
        "rootfs": { "type": "layers", "diff_ids": [diff_id] },
    });
    let config = add_document(config, "application/vnd.oci.image.config.v1+json")?;
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({ "schemaVersion": 2, "mediaType": kind, "config": config, "layers": [layer] });
    let manifest = add_document(manifest, kind)?;
    let write = |name: &str, document: Value| {
        fs::write(layout.join(name), document.to_string()).map_err(|error| format!("{name}: {error}"))
    };
    write("index.json", json!({ "schemaVersion": 2, "manifests": [manifest] }))?;
    write("oci-layout", json!({ "imageLayoutVersion": "1.0.0" }))
}

/// Moves a file under its digest, and returns its descriptor.
fn add_blob(layout: &Path, file: &Path, kind: &str) -> Result<Value> {
    let sum = command::output(Command::new("sha256sum").arg(file))?;
    let digest = sum.split_whitespace().next().unwrap_or_default().to_owned();
    let size = fs::metadata(file).map_err(|error| error.to_string())?.len();
    fs::rename(file, layout.join("blobs/sha256").join(&digest)).map_err(|error| error.to_string())?;
    Ok(json!({ "mediaType": kind, "digest": format!("sha256:{digest}"), "size": size }))
}

fn manifest() -> Result<Value> {
    let read = |path: PathBuf| -> Result<Value> {
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
    };
    let index = read(layout().join("index.json"))?;
    let digest = index["manifests"][0]["digest"].as_str().unwrap_or_default().replace(':', "/");
    read(layout().join("blobs").join(digest))
}

/// Starts a registry in this place's network namespace, and pushes the image to it.
pub fn start_registry(arena: &Arena, place: &Place) -> Result<Child> {
    let storage = arena.folder.join("registry");
    let config = arena.folder.join("registry.yml");
    let text = format!(
        "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
         storage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '127.0.0.1:5000'}}\n",
        storage.display()
    );
    fs::write(&config, text).map_err(|error| format!("{}: {error}", config.display()))?;
    place.inside(|| {
        let mut registry = Command::new("docker-registry");
        registry.arg("serve").arg(&config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let registry = command::spawn(&mut registry)?;
        let mut push = Command::new("skopeo");
        push.args(["copy", "--dest-tls-verify=false"]).arg(format!("oci:{}", layout().display()));
        push.arg(format!("docker://{REFERENCE}"));
        until_it_succeeds(|| command::timed(&mut push))?;
        Ok(registry)
    })
}

/// The image as `docker save` writes it.
pub fn write_archive(path: &Path) -> Result<()> {
    let mut skopeo = Command::new("skopeo");
    skopeo.arg("copy").arg(format!("oci:{}", layout().display()));
    skopeo.arg(format!("docker-archive:{}:{REFERENCE}", path.display()));
    command::timed(&mut skopeo).map(|_| ())
}

/// Repeats what fails until a server is ready, at most half a minute.
pub fn until_it_succeeds<T>(mut work: impl FnMut() -> Result<T>) -> Result<T> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match work() {
            Err(error) if Instant::now() > deadline => return Err(error),
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
            done => return done,
        }
    }
}
