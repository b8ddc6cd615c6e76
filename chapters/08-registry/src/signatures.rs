//! The shapes that others build on, while the bodies are written.
#![allow(missing_docs, unused_variables, clippy::todo)]
use crate::*;
use images::{Digest, Image, Platform, Reference, Store};
use layers::Snapshots;

/// Who we are towards a registry.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    pub username: String,
    pub password: String,
    /// An OAuth2 refresh token instead of both.
    pub identity_token: String,
}

/// What to pull, and into what.
pub struct Pull<'a> {
    pub store: &'a Store,
    pub snapshots: &'a Snapshots,
    pub reference: &'a Reference,
    /// None: this machine's.
    pub platform: Option<&'a Platform>,
    pub credentials: Option<&'a Credentials>,
    /// Registries (`host:port` or a network `10.0.0.0/8`) that may be spoken to in plain HTTP, besides 127.0.0.0/8 and localhost.
    pub insecure: &'a [String],
}

/// What came of it.
#[derive(Debug)]
pub struct Pulled {
    pub image: Image,
    /// Of the manifest, or of the manifest list it was chosen from.
    pub digest: Digest,
    /// The store had it already under this name.
    pub up_to_date: bool,
}

/// Pulls an image. When the sink returns false it ends with `Cancelled`. Nothing half-made is left in either case.
pub fn pull(request: &Pull<'_>, sink: Sink<'_>) -> Result<Pulled> {
    todo!()
}
