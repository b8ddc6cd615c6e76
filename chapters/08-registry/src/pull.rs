//! The way of a pull: find the registry, ask for the manifest, get the config, then the layers; give the image its name.

use std::io::Read;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use images::{
    CONFIG_LIMIT, Descriptor, Digest, Document, Image, ImageConfig, Index, Manifest, Platform, Reference,
    Store, media,
};
use layers::{Expected, Snapshots, chain_ids, in_parallel};
use ureq::Agent;

use crate::client::{self, Trust};
use crate::layer::pull_layer;
use crate::protocol::{Credentials, Session, Want};
use crate::{Error, ErrorKind, Progress, Result, Sink, endpoint};

/// Layers that come in at the same time: Docker's default.
const PARALLEL: usize = 3;
/// How often it is looked whether whoever asked has gone.
const LOOK: Duration = Duration::from_millis(100);

/// What to pull, and into what.
pub struct Pull<'a> {
    /// Takes manifests, configs and blobs.
    pub store: &'a Store,
    /// Takes the unpacked layers.
    pub snapshots: &'a Snapshots,
    /// What.
    pub reference: &'a Reference,
    /// For which machine; None: this one.
    pub platform: Option<&'a Platform>,
    /// Who we are.
    pub credentials: Option<&'a Credentials>,
    /// Registries (`host:port`, or a network `10.0.0.0/8`) that need no good certificate and may speak plain HTTP, besides this
    /// machine.
    pub insecure: &'a [String],
    /// Whether whoever asked has gone; looked at ten times a second, from another thread.
    pub cancelled: &'a (dyn Fn() -> bool + Sync),
}

/// What came of it.
#[derive(Debug)]
pub struct Pulled {
    /// The image, in the store and unpacked.
    pub image: Image,
    /// Of the manifest, or of the manifest list it was chosen from.
    pub digest: Digest,
    /// The store had it already under this name.
    pub up_to_date: bool,
}

/// Pulls an image. Ends with `Cancelled` when the sink returns false or `cancelled` returns true. Nothing half-made is left in any case;
/// layers that were complete before an error stay, and a further pull begins with them.
pub fn pull(request: &Pull<'_>, sink: Sink<'_>) -> Result<Pulled> {
    let (agent, mut session) = connect(request)?;
    let ended = watched(request, &agent, || {
        let tag = request.reference.version();
        sink(Progress::PullingFrom { repository: request.reference.path.clone(), version: tag });
        let found = find(request, &agent, &mut session)?;
        fetch(request, &agent, &session, found, sink)
    });
    if ended.is_err() {
        // What came whole, a config say, is of no use without the rest. That it could not be removed is not what the caller
        // must hear: the next collection tries again.
        let _ = request.store.collect();
    }
    match ended {
        // Whatever error it came out as: it was our own doing.
        Err(_) if (request.cancelled)() => Err(Error::new(ErrorKind::Cancelled, "context canceled")),
        ended => ended,
    }
}

/// Runs `work`; ends all its connections when whoever asked goes away meanwhile.
fn watched<T>(request: &Pull<'_>, agent: &Agent, work: impl FnOnce() -> T) -> T {
    let (done, wait) = channel::<()>();
    let watch = move || {
        while wait.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
            if (request.cancelled)() {
                return agent.clone().shutdown();
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(watch);
        let result = work();
        drop(done);
        result
    })
}

/// The first base that answers as a registry; if none does, the last one's error counts, as with Docker.
fn connect(request: &Pull<'_>) -> Result<(Agent, Session)> {
    let (bases, strict) = endpoint::bases(&request.reference.domain, request.insecure);
    let trust = if strict { Trust::Certificate } else { Trust::Anyone };
    let agent = client::agent(&request.reference.domain, trust);
    let mut last = Error::new(ErrorKind::Unavailable, "no registry");
    for base in bases {
        let credentials = request.credentials.cloned();
        let mut session =
            Session { base, reference: request.reference.clone(), credentials, authorization: None };
        match client::ask(&agent, &mut session, Want::Version) {
            Ok(_) => return Ok((agent, session)),
            Err(error) if error.kind() == ErrorKind::Unavailable => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

/// A manifest as it came, and the documents that led to it.
struct Found {
    /// The digest that the name means: the index's, if there was one.
    digest: Digest,
    descriptor: Descriptor,
    bytes: Vec<u8>,
    manifest: Manifest,
}

fn find(request: &Pull<'_>, agent: &Agent, session: &mut Session) -> Result<Found> {
    let (bytes, content_type) = document(agent, session, request.reference.version())?;
    let digest = Digest::of(&bytes);
    check_digest(request.reference.digest.unwrap_or(digest), digest)?;
    match Document::parse(&bytes, content_type.as_deref())? {
        Document::Manifest(manifest) => found(digest, bytes, content_type, manifest),
        Document::Index(index) => {
            let (bytes, content_type) = choose(request, agent, session, &index)?;
            match Document::parse(&bytes, content_type.as_deref())? {
                Document::Manifest(manifest) => found(digest, bytes, content_type, manifest),
                Document::Index(_) => {
                    Err(Error::new(ErrorKind::Invalid, "a manifest list within a manifest list"))
                }
            }
        }
    }
}

fn choose(
    request: &Pull<'_>,
    agent: &Agent,
    session: &mut Session,
    index: &Index,
) -> Result<(Vec<u8>, Option<String>)> {
    let platform = request.platform.cloned().unwrap_or_else(Platform::host);
    let chosen = platform.select(&index.manifests)?;
    let (bytes, content_type) = document(agent, session, chosen.digest.to_string())?;
    check_digest(chosen.digest, Digest::of(&bytes))?;
    Ok((bytes, content_type))
}

fn document(agent: &Agent, session: &mut Session, version: String) -> Result<(Vec<u8>, Option<String>)> {
    let reply = client::ask(agent, session, Want::Manifest(version))?.reply;
    Ok((reply.body, reply.content_type))
}

fn check_digest(expected: Digest, found: Digest) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    // As Docker words it.
    Err(Error::new(ErrorKind::Invalid, format!("manifest verification failed for digest {expected}")))
}

fn found(digest: Digest, bytes: Vec<u8>, content_type: Option<String>, manifest: Manifest) -> Result<Found> {
    let named = manifest.media_type.clone().or(content_type).filter(|name| name == media::DOCKER_MANIFEST);
    let media_type = named.unwrap_or_else(|| media::OCI_MANIFEST.into());
    let runs = ["", media::OCI_CONFIG, media::DOCKER_CONFIG, "application/octet-stream"];
    if !runs.contains(&manifest.config.media_type.as_str()) {
        let message = format!("it is no image: its config is a {:?}", manifest.config.media_type);
        return Err(Error::new(ErrorKind::NotSupported, message));
    }
    let is_layer =
        |name: &str| name.starts_with("application/vnd.oci.image.layer.") || name.contains(".rootfs.");
    if let Some(layer) = manifest.layers.iter().find(|layer| !is_layer(&layer.media_type)) {
        let message = format!("layer {} is a {:?}, which is not supported", layer.digest, layer.media_type);
        return Err(Error::new(ErrorKind::NotSupported, message));
    }
    Ok(Found { digest, descriptor: Descriptor::of(&media_type, &bytes), bytes, manifest })
}

fn fetch(
    request: &Pull<'_>,
    agent: &Agent,
    session: &Session,
    found: Found,
    sink: Sink<'_>,
) -> Result<Pulled> {
    let (store, snapshots, reference) = (request.store, request.snapshots, request.reference);
    let ingest = store.ingest();
    let config = config(request, agent, session, &found.manifest)?;
    let diff_ids = &config.rootfs.diff_ids;
    let chain = chain_ids(diff_ids);
    let held = snapshots.hold(&chain);
    let known = store.resolve(&reference.to_string()).ok().map(|image| image.id);
    let layers: Vec<Expected<'_>> = found
        .manifest
        .layers
        .iter()
        .zip(diff_ids)
        .zip(&chain)
        .map(|((blob, diff_id), chain_id)| Expected { blob, diff_id: *diff_id, chain_id: *chain_id })
        .collect();
    let missing = announce(request, &layers, known == Some(found.manifest.config.digest), sink);
    let early = (!missing.is_empty()).then(|| snapshots.write_early());
    in_parallel(PARALLEL, &missing, |layer| pull_layer(request, agent, session, layer, sink))?;
    drop(early);

    name(request, &found)?;
    drop((held, ingest));
    let image = store.load(&found.descriptor)?;
    let up_to_date = missing.is_empty() && known == Some(image.id);
    sink(Progress::Digest(found.digest));
    let outcome = if up_to_date { "Image is up to date" } else { "Downloaded newer image" };
    sink(Progress::Status(format!("{outcome} for {}", reference.familiar())));
    Ok(Pulled { image, digest: found.digest, up_to_date })
}

/// Only now does the image exist for anybody else: under its tag, and under the digest that the registry knows it by.
fn name(request: &Pull<'_>, found: &Found) -> Result<()> {
    let (store, reference) = (request.store, request.reference);
    store.put(&found.descriptor.media_type, &found.bytes)?;
    if reference.digest.is_none() {
        store.tag(reference, &found.descriptor)?;
    }
    Ok(store.tag(&reference.at_digest(found.digest), &found.descriptor)?)
}

/// Tells of all layers, as Docker does, and returns those of which something is missing.
fn announce<'a>(
    request: &Pull<'_>,
    layers: &[Expected<'a>],
    known: bool,
    sink: Sink<'_>,
) -> Vec<Expected<'a>> {
    let complete =
        |layer: &Expected<'_>| request.store.has(layer.blob) && request.snapshots.has(&layer.chain_id);
    let missing: Vec<Expected<'a>> = layers.iter().filter(|layer| !complete(layer)).copied().collect();
    if known && missing.is_empty() {
        return missing;
    }
    for layer in layers {
        let id = layer.blob.digest.short();
        sink(if complete(layer) {
            Progress::AlreadyExists { layer: id }
        } else {
            Progress::PullingFsLayer { layer: id }
        });
    }
    for layer in missing.iter().skip(PARALLEL) {
        sink(Progress::Waiting { layer: layer.blob.digest.short() });
    }
    missing
}

fn config(request: &Pull<'_>, agent: &Agent, session: &Session, manifest: &Manifest) -> Result<ImageConfig> {
    let blob = &manifest.config;
    let bytes = if request.store.has(blob) {
        request.store.read(blob, CONFIG_LIMIT)?
    } else {
        let bytes = download(agent, session, blob)?;
        request.store.put(&blob.media_type, &bytes)?;
        bytes
    };
    let config = ImageConfig::parse(&bytes)?;
    if config.os != "linux" && !config.os.is_empty() {
        // As Docker words it.
        let message = format!("image operating system {:?} cannot be used on this platform", config.os);
        return Err(Error::new(ErrorKind::NotSupported, message));
    }
    if config.rootfs.diff_ids.len() != manifest.layers.len() {
        return Err(Error::new(ErrorKind::Invalid, "layers from manifest don't match image configuration"));
    }
    Ok(config)
}

fn download(agent: &Agent, session: &Session, blob: &Descriptor) -> Result<Vec<u8>> {
    if blob.size > CONFIG_LIMIT {
        return Err(Error::new(ErrorKind::Invalid, format!("config {} is larger than 8 MiB", blob.digest)));
    }
    let failure = std::cell::RefCell::new(None);
    let mut bytes = Vec::new();
    let mut reader = crate::blob::BlobReader::new(agent, session, blob, &|_| true, &failure);
    if let Err(error) = reader.read_to_end(&mut bytes) {
        return Err(failure.take().unwrap_or_else(|| Error::new(ErrorKind::Unavailable, error.to_string())));
    }
    if Digest::of(&bytes) != blob.digest {
        let message = format!("image config verification failed for digest {}", blob.digest);
        return Err(Error::new(ErrorKind::Invalid, message));
    }
    Ok(bytes)
}
