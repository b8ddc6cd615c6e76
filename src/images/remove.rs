//! Removing images: a name, or the image with all its names, in Docker's order and words.

use images::{Digest, Image, Reference};

use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};

/// One line of what `docker rmi` reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removed {
    /// A name was taken away.
    Untagged(String),
    /// An image or a layer is gone: its digest.
    Deleted(String),
}

/// Why an image stays: a container needs it.
struct User {
    container: String,
    runs: bool,
}

impl Engine {
    /// Removes a name, and with its last name the image; an id removes the image with all its names.
    pub fn image_remove(&self, name: &str, force: bool) -> Result<Vec<Removed>> {
        let image = self.store.resolve(name)?;
        let mut removed = Vec::new();
        let by_name = Reference::parse(name).ok().filter(|reference| image.names.contains(reference));
        let tags = image.names.iter().filter(|name| name.digest.is_none()).count();
        match by_name {
            Some(reference) if tags > 1 => self.untag(&image, &reference, &mut removed)?,
            by_name => {
                self.check_removable(&image, by_name.as_ref(), force)?;
                for name in &image.names {
                    self.untag(&image, name, &mut removed)?;
                }
                self.delete_image(&image, &mut removed)?;
            }
        }
        Ok(removed)
    }

    fn untag(&self, image: &Image, name: &Reference, removed: &mut Vec<Removed>) -> Result<()> {
        self.store.untag(name)?;
        removed.push(Removed::Untagged(name.familiar()));
        self.tell_of_image("untag", &image.id.to_string(), &name.familiar());
        Ok(())
    }

    fn delete_image(&self, image: &Image, removed: &mut Vec<Removed>) -> Result<()> {
        self.store.remove(&image.id)?;
        removed.push(Removed::Deleted(image.id.to_string()));
        self.tell_of_image("delete", &image.id.to_string(), &image.id.to_string());
        let layers = self.remove_unused_layers()?;
        removed.extend(layers.iter().rev().map(|layer| Removed::Deleted(layer.to_string())));
        Ok(())
    }

    /// Removes the unpacked layers that nobody needs, and returns their chain ids.
    pub fn remove_unused_layers(&self) -> Result<Vec<Digest>> {
        Ok(self.snapshots.remove_unused(|| self.needed_layers())?)
    }

    /// The chain ids of every layer that an image or a container is made of.
    fn needed_layers(&self) -> layers::Result<Vec<Digest>> {
        let images = self.store.images().map_err(layers::Error::from)?;
        let mut needed: Vec<Digest> = Vec::new();
        for image in images {
            needed.extend(layers::chain_ids(&image.config.rootfs.diff_ids));
        }
        for container in self.names().all() {
            needed.extend(layers::chain_ids(&container.inside().record.layers));
        }
        Ok(needed)
    }

    fn check_removable(&self, image: &Image, by_name: Option<&Reference>, force: bool) -> Result<()> {
        let id = image.id.short();
        let conflict = |message: String| Err(Error::new(ErrorKind::Conflict, format!("conflict: {message}")));
        let tags = image.names.iter().filter(|name| name.digest.is_none()).count();
        if by_name.is_none() && tags > 1 && !force {
            return conflict(format!(
                "unable to delete {id} (must be forced) - image is referenced in multiple repositories"
            ));
        }
        let Some(user) = self.user_of(&image.id) else {
            return Ok(());
        };
        let container = &user.container;
        match by_name {
            Some(name) if !force => conflict(format!(
                "unable to remove repository reference \"{}\" (must force) - \
                 container {container} is using its referenced image {id}",
                name.familiar_name()
            )),
            _ if user.runs => conflict(format!(
                "unable to delete {id} (cannot be forced) - image is being used by running container {container}"
            )),
            None if !force => conflict(format!(
                "unable to delete {id} (must be forced) - image is being used by stopped container {container}"
            )),
            _ => Ok(()),
        }
    }

    /// A container made of the image, one that runs if there is any.
    fn user_of(&self, image: &Digest) -> Option<User> {
        let mut found = None;
        for container in self.names().all() {
            let inside = container.inside();
            if inside.record.image_id == image.to_string() {
                let user = User { container: inside.record.short_id().to_owned(), runs: inside.runs() };
                if user.runs {
                    return Some(user);
                }
                found = Some(user);
            }
        }
        found
    }
}
