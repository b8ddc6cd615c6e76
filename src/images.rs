//! What the engine does with images: one file per verb over the chapters 06 to 08.

use std::io::{Read, Write};

use crate::engine::Engine;
use crate::error::Result;

/// One line of Docker's progress stream (`{"status":…,"progressDetail":{…},"id":…}`), as plain data.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Which layer, or the tag for `Pulling from …`.
    pub id: Option<String>,
    /// Docker's words: `Downloading`, `Pull complete`.
    pub status: String,
    /// Bytes so far and in all.
    pub amount: Option<(u64, u64)>,
    /// `docker load`'s form: `{"stream":"Loaded image: …\n"}`.
    pub stream: bool,
}

/// Who is told of progress; called from several threads, false asks to give up (the client has gone).
pub type Sink<'a> = &'a (dyn Fn(Progress) -> bool + Sync);

/// A registry's credentials, out of `X-Registry-Auth`.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// User name.
    pub username: String,
    /// Password.
    pub password: String,
    /// A token instead of both.
    pub identity_token: String,
}

impl Engine {
    // image_list(all: bool, filters) -> Vec<api::ImageSummary>; image_inspect(name) -> api::ImageInspect;
    // image_history(name) -> Vec<api::ImageHistoryItem>; image_remove(name, force, prune) -> Vec<api::ImageDeleteItem>

    /// Pulls `image[:tag|@digest]`.
    pub fn pull(
        &self,
        _image: &str,
        _platform: Option<&str>,
        _credentials: Option<&Credentials>,
        _sink: Sink<'_>,
    ) -> Result<()> {
        todo!()
    }

    /// Loads a `docker save` or OCI archive, gzipped or not.
    pub fn load(&self, _archive: &mut dyn Read, _quiet: bool, _sink: Sink<'_>) -> Result<()> {
        todo!()
    }

    /// Writes images as `docker save` does.
    pub fn save(&self, _names: &[String], _archive: &mut dyn Write) -> Result<()> {
        todo!()
    }

    /// Makes an image with one layer from a root file system's tar; returns nothing, its id is the last progress line.
    pub fn import(
        &self,
        _archive: &mut dyn Read,
        _repository: Option<&str>,
        _changes: &[String],
        _message: &str,
        _sink: Sink<'_>,
    ) -> Result<()> {
        todo!()
    }

    /// Gives an image a further name.
    pub fn image_tag(&self, _image: &str, _repository: &str, _tag: Option<&str>) -> Result<()> {
        todo!()
    }
}
