//! One layer's way from the registry into the store and into its snapshot, with what Docker tells about it.

use std::cell::RefCell;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use layers::{Expected, Ingestion, Progress, Sink, Stage};
use ureq::Agent;

use crate::blob::BlobReader;
use crate::protocol::Session;
use crate::pull::Pull;
use crate::{Error, ErrorKind, Result};

/// Amounts are told no more often than this, as by Docker.
const INTERVAL: Duration = Duration::from_millis(100);

/// Pulls what is missing of a layer: its blob, its files, or both.
pub(crate) fn pull_layer(
    request: &Pull<'_>,
    agent: &Agent,
    session: &Session,
    layer: Expected<'_>,
    sink: Sink<'_>,
) -> Result<()> {
    let id = || layer.blob.digest.short();
    let told = Mutex::new(Instant::now());
    let watch = |stage| watch(stage, layer, &told, request, sink);
    let ingestion = Ingestion {
        store: request.store,
        snapshots: request.snapshots,
        expected: Some(layer),
        watch: &watch,
    };
    let failure = RefCell::new(None);
    let retrying = |seconds| !(request.cancelled)() && sink(Progress::Retrying { layer: id(), seconds });
    let source = || BlobReader::new(agent, session, layer.blob, &retrying, &failure);
    let done = match (request.store.has(layer.blob), request.snapshots.has(&layer.chain_id)) {
        (true, true) => Ok(()),
        (true, false) => ingestion.run_stored(layer.blob),
        (false, true) => ingestion.run_blob_only(source()),
        (false, false) => ingestion.run(source()).map(drop),
    };
    done.map_err(|error| failure.take().unwrap_or_else(|| registering(error)))?;
    sink(Progress::PullComplete { layer: id() });
    Ok(())
}

fn watch(
    stage: Stage,
    layer: Expected<'_>,
    told: &Mutex<Instant>,
    request: &Pull<'_>,
    sink: Sink<'_>,
) -> bool {
    if (request.cancelled)() {
        return false;
    }
    let (id, total) = (layer.blob.digest.short(), layer.blob.size);
    match stage {
        Stage::Reading(current) => {
            current < total && !due(told) || sink(Progress::Downloading { layer: id, current, total })
        }
        Stage::Verifying => sink(Progress::VerifyingChecksum { layer: id }),
        Stage::Verified => sink(Progress::DownloadComplete { layer: id }),
        Stage::Unpacking(current) => {
            current < total && !due(told) || sink(Progress::Extracting { layer: id, current, total })
        }
    }
}

fn due(told: &Mutex<Instant>) -> bool {
    let mut told = told.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let due = told.elapsed() >= INTERVAL;
    if due {
        *told = Instant::now();
    }
    due
}

/// An error of the layer's content, in dockerd's words.
fn registering(error: layers::Error) -> Error {
    match error.kind() {
        layers::ErrorKind::InvalidLayer => {
            Error::new(ErrorKind::Invalid, format!("failed to register layer: {error}"))
        }
        _ => error.into(),
    }
}
