//! Unpacks the layers of an image whose blobs are in the store: after a load, or when a snapshot is missing.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use images::{Digest, Image, Store};

use crate::{Error, Expected, Ingestion, Result, Snapshots, Stage, chain_ids};

/// Layers that are unpacked at the same time. Each keeps two processors busy.
const PARALLEL: usize = 2;

/// Unpacks whatever is missing of an image's layers (after `skopeo copy … oci:images`, or when a folder was lost).
pub fn ensure_unpacked(store: &Store, snapshots: &Snapshots, image: &Image) -> Result<()> {
    unpack_image(store, snapshots, image, &|_, _, _| true)
}

/// The same, telling how many bytes of which layer (by diff id) are unpacked out of how many; false gives up.
pub(crate) fn unpack_image(
    store: &Store,
    snapshots: &Snapshots,
    image: &Image,
    watch: &(dyn Fn(&Digest, u64, u64) -> bool + Sync),
) -> Result<()> {
    let diff_ids = &image.config.rootfs.diff_ids;
    let chain = chain_ids(diff_ids);
    let layers = image.manifest.layers.iter().zip(diff_ids).zip(chain);
    let mut missing: Vec<Expected<'_>> = layers
        .map(|((blob, diff_id), chain_id)| Expected { blob, diff_id: *diff_id, chain_id })
        .filter(|layer| !snapshots.has(&layer.chain_id))
        .collect();
    // A layer may come twice in one image, but never twice in one place.
    missing.dedup_by_key(|layer| layer.chain_id);
    let unpack = |layer: Expected<'_>| {
        let watch = |stage| match stage {
            Stage::Unpacking(current) => watch(&layer.diff_id, current, layer.blob.size),
            _ => true,
        };
        Ingestion { store, snapshots, expected: Some(layer), watch: &watch }.run_stored(layer.blob)
    };
    in_parallel(PARALLEL, &missing, unpack)
}

/// Does `work` on all items, on a few threads; after an error nothing further is begun. Returns the first error in the items' order.
pub fn in_parallel<T: Copy + Sync, E: From<Error> + Send>(
    threads: usize,
    items: &[T],
    work: impl Fn(T) -> std::result::Result<(), E> + Sync,
) -> std::result::Result<(), E> {
    let next = AtomicUsize::new(0);
    let failed: Mutex<Option<(usize, E)>> = Mutex::new(None);
    let worker = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return };
            if let Err(error) = work(*item) {
                next.store(items.len(), Ordering::Relaxed);
                let mut failed = failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                if failed.as_ref().is_none_or(|(first, _)| at < *first) {
                    *failed = Some((at, error));
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads.min(items.len()) {
            scope.spawn(worker);
        }
    });
    match failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        Some((_, error)) => Err(error),
        None => Ok(()),
    }
}
