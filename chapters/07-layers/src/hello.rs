//! The image `hello`: no file of the repository, no download. Its one layer holds the executable that makes it.

use std::fs::{File, Metadata};
use std::io::{BufRead, Read};
use std::os::unix::fs::MetadataExt;

use jiff::Timestamp;

use crate::pack::plain_header;
use crate::{Error, Ingestion, Result, Snapshots};
use images::{Descriptor, Digest, Hasher, Image, ImageConfig, Platform, Reference, RunConfig, Store, media};

/// The label by which the image is known.
pub const HELLO_LABEL: &str = "org.coracle.hello";

/// `hello:latest`, made of `/proc/self/exe` if it is not there or holds another executable. An image of that name that is not ours
/// (without the label `org.coracle.hello`) is left alone and returned.
pub fn hello(store: &Store, snapshots: &Snapshots) -> Result<Image> {
    let name = Reference::parse("hello:latest")?;
    let present = store.resolve("hello:latest").ok();
    if let Some(image) = &present {
        let ours = image.config.config.labels.contains_key(HELLO_LABEL);
        // Hashing eight megabytes takes a few milliseconds, and never errs as times and sizes do.
        if !ours
            || (image.config.rootfs.diff_ids == [digest(layer()?)?]
                && snapshots.lower_dirs(&image.config.rootfs.diff_ids).is_ok())
        {
            return Ok(image.clone());
        }
    }
    let ingest = store.ingest();
    let layer = Ingestion { store, snapshots, expected: None, watch: &|_| true }.run(layer()?)?;
    let held = snapshots.hold(&[layer.diff_id]);
    let blob = Descriptor { media_type: media::OCI_LAYER.into(), ..layer.blob };
    let manifest = store.compose(&config(layer.diff_id, executable()?.1), vec![blob])?;
    store.tag(&name, &manifest)?;
    if let Some(old) = present {
        // Only if no container's image and no other name holds on to it: then it would be a dangling image of an old build.
        if store.resolve(&old.id.to_string()).is_ok_and(|image| image.names.is_empty()) {
            store.remove(&old.id)?;
        }
    }
    drop((held, ingest));
    Ok(store.load(&manifest)?)
}

fn config(diff_id: Digest, executable: Metadata) -> ImageConfig {
    let platform = Platform::host();
    let mut config = ImageConfig {
        // The same executable makes the same image, which is as old as it is.
        created: Timestamp::from_second(executable.mtime()).ok().map(|built| built.to_string()),
        architecture: platform.architecture,
        variant: platform.variant,
        os: platform.os,
        config: RunConfig {
            cmd: Some(vec!["/hello".into()]),
            labels: [(HELLO_LABEL.to_string(), "true".to_string())].into(),
            ..Default::default()
        },
        ..Default::default()
    };
    config.rootfs.diff_ids.push(diff_id);
    config
}

/// The layer, a plain tar: one file, `/hello`. Compressing it would take longer than anything else here.
fn layer() -> Result<impl Read> {
    let (executable, metadata) = executable()?;
    let size = metadata.len();
    let mut header = plain_header(0o755, size);
    header.set_path("hello")?;
    header.set_cksum();
    let padding = size.wrapping_neg() % 512;
    let head = std::io::Cursor::new(header.as_bytes().to_vec());
    Ok(head.chain(executable.take(size)).chain(std::io::repeat(0).take(padding + 1024)))
}

fn executable() -> Result<(File, Metadata)> {
    let path = "/proc/self/exe";
    let open = |e| Error::system(format!("open({path:?})"), e);
    let executable = File::open(path).map_err(open)?;
    let metadata = executable.metadata().map_err(open)?;
    Ok((executable, metadata))
}

fn digest(content: impl Read) -> Result<Digest> {
    let mut hasher = Hasher::default();
    let mut reader = std::io::BufReader::with_capacity(crate::stream::PIECE, content);
    loop {
        let there = reader.fill_buf()?;
        if there.is_empty() {
            return Ok(hasher.finish());
        }
        hasher.update(there);
        let length = there.len();
        reader.consume(length);
    }
}
