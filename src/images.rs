//! What the engine does with images: the verbs over the chapters 06 to 08.

mod list;
pub mod remove;

use std::io::{Read, Write};

use images::{Image, Platform, Reference};
pub use layers::{Progress, Sink};
pub use registry::Credentials;

use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};

/// The name of the image that is made of the engine's own executable when it is first asked for.
const HELLO: &str = "hello:latest";

/// Whether an image, which a client calls `name`, is for the machine that it asks for.
pub fn check_platform(image: &Image, wanted: Option<&str>, name: &str) -> Result<()> {
    let Some(wanted) = parse_platform(wanted)? else {
        return Ok(());
    };
    let actual = image.config.platform();
    if wanted.normalized() == actual.normalized() {
        return Ok(());
    }
    let message = format!(
        "image with reference {name} was found but does not provide the specified platform ({wanted}): actual: {actual}"
    );
    Err(Error::new(ErrorKind::NotFound, message))
}

impl Engine {
    /// Pulls `image[:tag|@digest]`. The sink is told everything that Docker's progress stream has, `Digest` and `Status` included.
    pub fn pull(
        &self,
        image: &str,
        platform: Option<&str>,
        credentials: Option<&Credentials>,
        sink: Sink<'_>,
    ) -> Result<()> {
        if is_hello(image) {
            let hello = layers::hello(&self.store, &self.snapshots)?;
            if hello.config.config.labels.contains_key(layers::HELLO_LABEL) {
                check_platform(&hello, platform, HELLO)?;
                sink(Progress::Status(format!("{HELLO} is part of coracle: there is nothing to pull")));
                return Ok(());
            }
        }
        let reference = Reference::parse(image)?;
        let platform = parse_platform(platform)?;
        let request = registry::Pull {
            store: &self.store,
            snapshots: &self.snapshots,
            reference: &reference,
            platform: platform.as_ref(),
            credentials,
            insecure: &[],
            cancelled: &|| false,
        };
        self.or_tidied(registry::pull(&request, sink))?;
        self.tell_of_image("pull", &reference.familiar(), &reference.familiar_name());
        Ok(())
    }

    /// What is to be said to a client that pulled an image for one machine and got it for another: a repository with one
    /// manifest has nothing else to give.
    pub fn platform_warning(&self, name: &str, platform: Option<&str>) -> Option<String> {
        let image = self.store.resolve(name).ok()?;
        check_platform(&image, platform, name).err().map(|error| format!("WARNING: {error}"))
    }

    /// Loads a `docker save` or OCI archive, gzipped or not; `Loaded image: …` comes through the sink.
    pub fn load(&self, archive: &mut dyn Read, sink: Sink<'_>) -> Result<()> {
        for image in self.or_tidied(layers::load(&self.store, &self.snapshots, archive, sink))? {
            let name = image.names.first().map_or(image.id.to_string(), Reference::familiar);
            self.tell_of_image("load", &image.id.to_string(), &name);
        }
        Ok(())
    }

    /// Takes away what came in for an image that did not come to be.
    fn or_tidied<T, E>(&self, result: std::result::Result<T, E>) -> Result<T>
    where
        Error: From<E>,
    {
        result.map_err(|error| {
            let tidied = match self.store.collect() {
                Ok(()) => self.remove_unused_layers().map(drop),
                Err(error) => Err(Error::system(error)),
            };
            if let Err(error) = tidied {
                tracing::warn!(%error, "parts of an image that is not there stay");
            }
            error.into()
        })
    }

    /// Refuses what [`Engine::save`] would, before the first byte of its answer.
    pub fn check_save(&self, names: &[String]) -> Result<()> {
        for name in names {
            self.store.resolve(name).map_err(|error| match error.kind() {
                // Docker names the image here as it was typed.
                images::ErrorKind::NotFound => {
                    Error::new(ErrorKind::NotFound, format!("No such image: {name}"))
                }
                _ => error.into(),
            })?;
        }
        Ok(())
    }

    /// Writes images as `docker save` does.
    pub fn save(&self, names: &[String], archive: &mut dyn Write) -> Result<()> {
        self.check_save(names)?;
        layers::save(&self.store, names, archive)?;
        for name in names {
            self.tell_of_image("save", name, name);
        }
        Ok(())
    }

    /// Makes an image with one layer from a root file system's tar, named `(repository, tag)`, and returns its id.
    pub fn import(
        &self,
        archive: &mut dyn Read,
        (repository, tag): (Option<&str>, Option<&str>),
        changes: &[String],
        message: &str,
        platform: Option<&str>,
        sink: Sink<'_>,
    ) -> Result<String> {
        let name =
            repository.map(|name| Reference::parse_parts(name, tag.unwrap_or_default())).transpose()?;
        let platform = parse_platform(platform)?;
        let import = layers::Import { name: name.as_ref(), changes, message, platform: platform.as_ref() };
        let image = self.or_tidied(layers::import(&self.store, &self.snapshots, archive, &import, sink))?;
        let id = image.id.to_string();
        self.tell_of_image("import", &id, &name.map_or(id.clone(), |name| name.familiar()));
        Ok(id)
    }

    /// Gives an image a further name.
    pub fn image_tag(&self, image: &str, repository: &str, tag: Option<&str>) -> Result<()> {
        let found = self.store.resolve(image)?;
        let name = Reference::parse_parts(repository, tag.unwrap_or_default())?;
        self.store.tag(&name, &found.descriptor)?;
        self.tell_of_image("tag", &found.id.to_string(), &name.familiar());
        Ok(())
    }

    /// The image that a container is to be made of. `hello` needs no registry: it is this executable.
    pub fn image_for_container(&self, name: &str) -> Result<Image> {
        if is_hello(name) {
            Ok(layers::hello(&self.store, &self.snapshots)?)
        } else {
            Ok(self.store.resolve(name)?)
        }
    }

    fn tell_of_image(&self, action: &str, id: &str, name: &str) {
        let attributes = [("name".to_owned(), name.to_owned())].into();
        self.events.publish("image", action, id, attributes);
    }
}

fn is_hello(name: &str) -> bool {
    Reference::parse(name).is_ok_and(|reference| reference.familiar() == HELLO)
}

fn parse_platform(platform: Option<&str>) -> Result<Option<Platform>> {
    Ok(platform.filter(|text| !text.is_empty()).map(str::parse).transpose()?)
}

impl From<images::Error> for Error {
    fn from(error: images::Error) -> Error {
        use images::ErrorKind as Kind;
        let kind = match error.kind() {
            Kind::InvalidReference | Kind::InvalidDocument => ErrorKind::InvalidParameter,
            Kind::NotFound => ErrorKind::NotFound,
            Kind::NotSupported => ErrorKind::NotSupported,
            Kind::Conflict => ErrorKind::Conflict,
            Kind::DigestMismatch | Kind::System => ErrorKind::System,
        };
        Error::because(kind, error.to_string(), error)
    }
}

impl From<layers::Error> for Error {
    fn from(error: layers::Error) -> Error {
        use layers::ErrorKind as Kind;
        let kind = match error.kind() {
            Kind::InvalidLayer | Kind::InvalidParameter => ErrorKind::InvalidParameter,
            Kind::NotFound => ErrorKind::NotFound,
            Kind::NotSupported => ErrorKind::NotSupported,
            Kind::DigestMismatch | Kind::Cancelled | Kind::System => ErrorKind::System,
        };
        Error::because(kind, error.to_string(), error)
    }
}

impl From<registry::Error> for Error {
    fn from(error: registry::Error) -> Error {
        use registry::ErrorKind as Kind;
        let kind = match error.kind() {
            // Docker answers 404 for what a registry denies, too: it may not say whether it exists.
            Kind::NotFound | Kind::Denied => ErrorKind::NotFound,
            Kind::NotSupported => ErrorKind::NotSupported,
            Kind::Unavailable | Kind::Invalid | Kind::Cancelled | Kind::System => ErrorKind::System,
        };
        Error::because(kind, error.to_string(), error)
    }
}
