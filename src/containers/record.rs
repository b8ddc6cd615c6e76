//! What is known of a container at rest: container.json, written so that a kill at any instant loses nothing.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use supervisor::states::State;

/// The name of the file in the container's folder.
const FILE: &str = "container.json";

/// A container at rest.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// 64 hexadecimal digits.
    pub id: String,
    /// Without Docker's leading slash.
    pub name: String,
    /// When it was created, RFC 3339 with nanoseconds.
    pub created: String,
    /// The image's id, `sha256:…`.
    pub image_id: String,
    /// The image's layers by the digest of their uncompressed tar, the lowest first.
    pub layers: Vec<images::Digest>,
    /// The command and its arguments: the entrypoint and the command joined.
    pub command: Vec<String>,
    /// What the client asked for and the image's defaults, merged.
    pub config: api::ContainerConfig,
    /// The host's side of it.
    pub host_config: api::HostConfig,
    /// Folders of volumes without a name, and where they appear.
    pub volumes: Vec<AnonymousVolume>,
    /// How it was when this was written.
    pub state: State,
}

/// A folder that `VOLUME` in an image, or `-v /path`, gave to a container.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AnonymousVolume {
    /// 64 hexadecimal digits: the folder under `volumes`.
    pub name: String,
    /// Where it appears in the container.
    pub destination: String,
}

impl Record {
    /// Reads the file of a container's folder.
    pub fn read(folder: &Path) -> io::Result<Record> {
        Ok(serde_json::from_slice(&fs::read(folder.join(FILE))?)?)
    }

    /// Writes it: a temporary name, one sync, renamed. A reader sees the old file or the new one, never a part.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let temporary = folder.join("container.json.tmp");
        let written = (|| {
            let mut file = File::create(&temporary)?;
            file.write_all(&serde_json::to_vec(self)?)?;
            file.sync_data()?;
            fs::rename(&temporary, folder.join(FILE))
        })();
        if written.is_err() {
            // The disk is full, most likely: half a file would only make it fuller.
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    /// Docker's short form of the id.
    pub fn short_id(&self) -> &str {
        &self.id[..12]
    }
}
