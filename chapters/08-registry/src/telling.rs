//! A pull that tells on standard error what it does; for the chapter's binary.

use crate::alone::Result;
use images::{Reference, Store};
use layers::Snapshots;
use registry::{Progress, Pull};

/// Pulls an image.
pub fn pull(store: &Store, snapshots: &Snapshots, reference: &Reference) -> Result<images::Image> {
    let request = Pull {
        store,
        snapshots,
        reference,
        platform: None,
        credentials: None,
        insecure: &[],
        cancelled: &|| false,
    };
    let tell = |news: Progress| {
        if news.amount().is_none() {
            eprintln!("{}{}", news.id().map(|id| format!("{id}: ")).unwrap_or_default(), news.status());
        }
        true
    };
    Ok(registry::pull(&request, &tell)?.image)
}
