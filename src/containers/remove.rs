//! Remove and rename: what is done to a container that rests.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use supervisor::states::{Event, Refusal, State};

use super::{Container, names, wait};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};

impl Engine {
    /// Removes a container, with its anonymous volumes when `volumes`, killing it first when `force`.
    pub fn remove(&self, reference: &str, force: bool, volumes: bool) -> Result<()> {
        let container = self.container(reference)?;
        let _action = container.action();
        if container.inside().runs() {
            if !force {
                return Err(container.inside().cannot_remove_while_it_runs());
            }
            self.kill_unless_ended(&container)?;
        }
        self.take_apart(&container, volumes)
    }

    /// Removes a container that ended and asked for that (`--rm`), with its volumes.
    pub fn remove_ended(&self, container: &Container) {
        let _action = container.action();
        if container.inside().runs() || container.inside().gone {
            return;
        }
        if let Err(error) = self.take_apart(container, true) {
            tracing::warn!(container = container.id, %error, "a container could not remove itself");
        }
    }

    fn take_apart(&self, container: &Container, volumes: bool) -> Result<()> {
        container.inside().begin_removal(&container.id)?;
        if let Err(error) = self.delete_files(container, volumes) {
            let message = format!(
                "container {}: driver \"overlay2\" failed to remove root filesystem: {error}",
                container.id
            );
            // It is being removed since just now, so this cannot be refused.
            let _ = container.inside().apply(Event::RemovalFailed(message.clone()));
            return Err(Error::because(ErrorKind::System, message, error));
        }
        self.names().remove(&container.id);
        self.forget_sessions(&container.id);
        let mut inside = container.inside();
        inside.gone = true;
        inside.drop_pending();
        let code = inside.last_code;
        inside.tell_of_removal(code.into());
        self.tell(&inside, "destroy", &[]);
        Ok(())
    }

    fn delete_files(&self, container: &Container, volumes: bool) -> io::Result<()> {
        let folder = self.container_folder(&container.id);
        // Renamed first: after a crash half way, what is left is known for what it is.
        let removed = removed_name(&folder);
        match fs::rename(&folder, &removed) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => remove_tree(&removed)?,
        }
        remove_tree(&self.run_folder(&container.id))?;
        if volumes {
            for volume in &container.inside().record.volumes.clone() {
                remove_tree(&self.places.data_root.join("volumes").join(&volume.name))?;
            }
        }
        Ok(())
    }

    /// Gives a container another name.
    pub fn rename(&self, reference: &str, name: &str) -> Result<()> {
        if name.is_empty() {
            return Err(Error::new(ErrorKind::InvalidParameter, "Neither old nor new names may be empty"));
        }
        let cannot =
            |error: Error| Error::new(error.kind(), format!("Error when allocating new name: {error}"));
        let container = self.container(reference)?;
        let _action = container.action();
        let absolute = if name.starts_with('/') { name.to_owned() } else { format!("/{name}") };
        let name = names::validate(&absolute).map_err(cannot)?;
        let mut names = self.names();
        let mut inside = container.inside();
        if inside.record.name == name {
            let message = "Renaming a container with the same name as its current name";
            return Err(Error::new(ErrorKind::InvalidParameter, message));
        }
        names.reserve(name, &container.id).map_err(cannot)?;
        let old = std::mem::replace(&mut inside.record.name, name.to_owned());
        if let Err(error) = inside.record.write(&self.container_folder(&container.id)) {
            inside.record.name = old;
            names.release(name);
            return Err(Error::system(error));
        }
        names.release(&old);
        self.tell(&inside, "rename", &[("oldName", format!("/{old}"))]);
        Ok(())
    }
}

impl super::Inside {
    fn cannot_remove_while_it_runs(&self) -> Error {
        let id = &self.record.id;
        let message = match self.state() {
            State::Paused(_) => format!(
                "You cannot remove a paused container {id}. \
                 Unpause and then stop the container before attempting removal or force remove"
            ),
            _ => format!(
                "You cannot remove a running container {id}. \
                 Stop the container before attempting removal or force remove"
            ),
        };
        Error::new(ErrorKind::Conflict, message)
    }

    fn begin_removal(&mut self, id: &str) -> Result<()> {
        if !matches!(self.state(), State::Removing | State::Dead { .. }) {
            self.last_code = wait::exit_code(self.state());
        }
        self.apply(Event::RemovalBegan).map_err(|refusal| match refusal {
            Refusal::Running => self.cannot_remove_while_it_runs(),
            _ => Error::new(ErrorKind::Conflict, format!("removal of container {id} is already in progress")),
        })
    }
}

/// The name of a container's folder while it is deleted.
pub fn removed_name(folder: &Path) -> PathBuf {
    folder.with_extension("removed")
}

/// Deletes a folder with all that is in it; nothing there is as good.
///
/// Overlayfs leaves a folder without any permission behind (`work/work`), which stops an ordinary user.
pub fn remove_tree(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open_up(folder)?;
            fs::remove_dir_all(folder)
        }
        result => result,
    }
}

fn open_up(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_up(&entry.path())?;
        }
    }
    Ok(())
}

/// Makes a folder that only the engine's user may enter.
pub fn make_private(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}
