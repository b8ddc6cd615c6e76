//! What a pull, a load or an import tells while it works, in Docker's words.

use images::Digest;

/// One piece of news. `layer` is a layer's short digest (12 digits).
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the variants' names are Docker's words; amounts are bytes so far and in all")]
pub enum Progress {
    /// `Pulling from library/busybox`, with the tag as its id.
    PullingFrom {
        repository: String,
        version: String,
    },
    PullingFsLayer {
        layer: String,
    },
    Waiting {
        layer: String,
    },
    Downloading {
        layer: String,
        current: u64,
        total: u64,
    },
    /// `Retrying in 5 seconds`.
    Retrying {
        layer: String,
        seconds: u64,
    },
    VerifyingChecksum {
        layer: String,
    },
    DownloadComplete {
        layer: String,
    },
    Extracting {
        layer: String,
        current: u64,
        total: u64,
    },
    PullComplete {
        layer: String,
    },
    AlreadyExists {
        layer: String,
    },
    /// `Digest: sha256:…`.
    Digest(Digest),
    /// `Status: Downloaded newer image for busybox:latest`, or that it is up to date.
    Status(String),
    /// `Loading layer`, of `docker load`.
    LoadingLayer {
        layer: String,
        current: u64,
        total: u64,
    },
    /// `Loaded image: busybox:latest` or `Loaded image ID: sha256:…`: a line of text (`stream`), no status.
    Loaded(String),
}

impl Progress {
    /// Docker's `status` of it.
    pub fn status(&self) -> String {
        match self {
            Progress::PullingFrom { repository, .. } => format!("Pulling from {repository}"),
            Progress::PullingFsLayer { .. } => "Pulling fs layer".into(),
            Progress::Waiting { .. } => "Waiting".into(),
            Progress::Downloading { .. } => "Downloading".into(),
            Progress::Retrying { seconds: 1, .. } => "Retrying in 1 second".into(),
            Progress::Retrying { seconds, .. } => format!("Retrying in {seconds} seconds"),
            Progress::VerifyingChecksum { .. } => "Verifying Checksum".into(),
            Progress::DownloadComplete { .. } => "Download complete".into(),
            Progress::Extracting { .. } => "Extracting".into(),
            Progress::PullComplete { .. } => "Pull complete".into(),
            Progress::AlreadyExists { .. } => "Already exists".into(),
            Progress::Digest(digest) => format!("Digest: {digest}"),
            Progress::Status(text) => format!("Status: {text}"),
            Progress::LoadingLayer { .. } => "Loading layer".into(),
            Progress::Loaded(text) => text.clone(),
        }
    }

    /// Docker's `id` of it.
    pub fn id(&self) -> Option<&str> {
        match self {
            Progress::PullingFrom { version, .. } => Some(version),
            Progress::PullingFsLayer { layer }
            | Progress::Waiting { layer }
            | Progress::Downloading { layer, .. }
            | Progress::Retrying { layer, .. }
            | Progress::VerifyingChecksum { layer }
            | Progress::DownloadComplete { layer }
            | Progress::Extracting { layer, .. }
            | Progress::PullComplete { layer }
            | Progress::AlreadyExists { layer }
            | Progress::LoadingLayer { layer, .. } => Some(layer),
            Progress::Digest(_) | Progress::Status(_) | Progress::Loaded(_) => None,
        }
    }

    /// Bytes so far and in all.
    pub fn amount(&self) -> Option<(u64, u64)> {
        match *self {
            Progress::Downloading { current, total, .. }
            | Progress::Extracting { current, total, .. }
            | Progress::LoadingLayer { current, total, .. } => Some((current, total)),
            _ => None,
        }
    }
}

/// Who is told; called from several threads. False asks to give up: the client has gone.
pub type Sink<'a> = &'a (dyn Fn(Progress) -> bool + Sync);
