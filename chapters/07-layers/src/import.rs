//! `docker import`: an image of one layer, out of a root file system's tar.

use std::io::{BufRead, BufReader, Read};

use images::{Descriptor, History, Image, ImageConfig, Platform, Reference, RunConfig, Store, media};

use crate::compression::Compression;
use crate::instructions;
use crate::{Error, Ingestion, Progress, Result, Sink, Snapshots, Stage, stream};

/// What an import adds to the bare tar.
#[derive(Debug, Clone, Default)]
pub struct Import<'a> {
    /// The image's name; without one it is found by its id.
    pub name: Option<&'a Reference>,
    /// Dockerfile instructions: `CMD ["sh"]`.
    pub changes: &'a [String],
    /// A remark for the history.
    pub message: &'a str,
    /// Which machine it is for; None: this one.
    pub platform: Option<&'a Platform>,
}

/// Imports a tar, gzipped or not.
pub fn import(
    store: &Store,
    snapshots: &Snapshots,
    tar: impl Read,
    import: &Import<'_>,
    sink: Sink<'_>,
) -> Result<Image> {
    let mut run = RunConfig::default();
    for change in import.changes {
        instructions::apply(change, &mut run)?;
    }
    let ingest = store.ingest();
    let mut tar = BufReader::with_capacity(stream::PIECE, tar);
    let compression = Compression::detect(tar.fill_buf()?)?;
    let watch = |stage| match stage {
        Stage::Reading(current) => sink(Progress::LoadingLayer { layer: String::new(), current, total: 0 }),
        _ => true,
    };
    let layer =
        Ingestion { store, snapshots, expected: None, watch: &watch }.run(tar).map_err(Error::processing)?;
    let held = snapshots.hold(&[layer.diff_id]);
    let media_type = match compression {
        Compression::Plain => media::OCI_LAYER,
        Compression::Gzip => media::OCI_LAYER_GZIP,
    };
    let blob = Descriptor { media_type: media_type.into(), ..layer.blob };
    let mut config = config(import, run);
    config.rootfs.diff_ids.push(layer.diff_id);
    let manifest = store.compose(&config, vec![blob])?;
    match import.name {
        Some(name) => store.tag(name, &manifest)?,
        None => store.keep_unnamed(&manifest)?,
    }
    drop((held, ingest));
    Ok(store.load(&manifest)?)
}

fn config(import: &Import<'_>, config: RunConfig) -> ImageConfig {
    let created = Some(jiff::Timestamp::now().to_string());
    let platform = import.platform.cloned().unwrap_or_else(Platform::host);
    let message = if import.message.is_empty() { "Imported from -" } else { import.message };
    ImageConfig {
        created: created.clone(),
        architecture: platform.architecture,
        variant: platform.variant,
        os: platform.os,
        comment: message.into(),
        config,
        history: vec![History { created, comment: message.into(), ..Default::default() }],
        ..Default::default()
    }
}
