//! Long tail: `restore`: a container is made of a bundle and of the processes that a checkpoint has written.

use super::super::exchange::Exchange;
use super::super::foreground::Foreground;
use super::super::later_hooks;
use super::super::making::Making;
use super::super::starting::{remove, undo};
use super::super::store::{Entry, Status, Store};
use super::checkpoint::CHECKPOINTED;
use super::request::Options;
use super::restored::{Criu, Planned, restored};
use super::{Flags, outside};
use crate::plan::{Bundle, plan};
use crate::{Created, Error, Result, Stdio, create};
use clap::Args;
use std::path::PathBuf;

const LOG_FILE: &str = "restore.log";

/// A file of every checkpoint.
const INVENTORY: &str = "inventory.img";

#[derive(Args)]
pub struct Restore {
    /// The container
    id: String,
    #[command(flatten)]
    flags: Flags,
    /// The folder with config.json
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    bundle: PathBuf,
    /// Do not wait for it
    #[arg(short, long)]
    detach: bool,
    /// Write the process's number to this file
    #[arg(long, value_name = "FILE")]
    pid_file: Option<PathBuf>,
    /// A Unix socket to which the terminal's master is sent
    #[arg(long, value_name = "SOCKET")]
    console_socket: Option<PathBuf>,
    /// Accepted: processes that lose their parent are never taken over here
    #[arg(long)]
    no_subreaper: bool,
    /// Not supported: a root that is not pivoted to can be left
    #[arg(long)]
    no_pivot: bool,
    /// Another profile than it had, as TYPE:NAME
    #[arg(long, value_name = "TYPE:NAME")]
    lsm_profile: Option<String>,
    /// Not supported: what was mounted has the label that it had
    #[arg(long, value_name = "CONTEXT")]
    lsm_mount_context: Option<String>,
}

impl Restore {
    /// `program` is what `--criu` names.
    pub fn run(&self, store: &Store, program: &str) -> Result<u8> {
        self.check_flags()?;
        let streams = self.find_images()?;
        self.flags.check("restore", program)?;
        self.make_room(store)?;
        let making = self.making();
        let (mut entry, bundle) = making.prepare(store)?;
        // Before the container exists, so that no signal is lost.
        let foreground = (!self.detach).then(Foreground::begin).transpose()?;
        let stdio = making.exchange.stdio(bundle.spec.process().as_ref(), foreground.as_ref());
        let made = stdio.and_then(|stdio| self.make(&mut entry, &bundle, (program, &streams), stdio));
        let created = match made.and_then(|created| making.exchange.tell(created.identity).map(|()| created))
        {
            Ok(created) => created,
            Err(error) => return Err(undo(entry, "restore", error)),
        };
        // Other commands may come while it runs.
        drop(entry);
        let Some(foreground) = foreground else { return Ok(0) };
        let code = foreground.wait(&created);
        match store.open(&self.id) {
            Ok(entry) if entry.record.process == Some(created.identity) => remove(entry)?,
            _ => {}
        }
        code
    }

    fn check_flags(&self) -> Result<()> {
        self.making().check()?;
        match &self.lsm_mount_context {
            Some(_) => {
                Err(Error::not_supported("--lsm-mount-context, another label than what was mounted had,"))
            }
            None => Ok(()),
        }
    }

    /// What the streams of the processes were, from a folder in which there is a checkpoint.
    fn find_images(&self) -> Result<Vec<String>> {
        let folder = &self.flags.image_path;
        if !folder.join(INVENTORY).is_file() {
            let why =
                format!("--image-path {folder:?}: no checkpoint is there, since {INVENTORY} is missing");
            return Err(Error::invalid(why));
        }
        outside::read_streams(folder)
    }

    /// What `create` is told.
    fn making(&self) -> Making {
        Making {
            id: self.id.clone(),
            bundle: self.bundle.clone(),
            exchange: Exchange {
                pid_file: self.pid_file.clone(),
                console_socket: self.console_socket.clone(),
                preserve_fds: 0,
            },
            no_pivot: self.no_pivot,
            no_new_keyring: false,
        }
    }

    /// runc forgets a container as soon as it is checkpointed, and its callers restore it at once. What is left of it here goes now.
    fn make_room(&self, store: &Store) -> Result<()> {
        match store.open(&self.id) {
            Ok(entry) if entry.status() == Status::Stopped && entry.folder.join(CHECKPOINTED).exists() => {
                remove(entry)
            }
            _ => Ok(()),
        }
    }

    fn make(
        &self,
        entry: &mut Entry,
        bundle: &Bundle,
        (program, streams): (&str, &[String]),
        stdio: Stdio,
    ) -> Result<Created> {
        let layout = create::layout_for(bundle)?;
        let plan = plan(bundle, &layout)?;
        outside::check(&plan, "restore")?;
        let root = entry.folder.join("root");
        let options = Options {
            evasive_devices: true,
            sibling: true,
            external_mounts: outside::mounts(&plan.root),
            inherited: outside::inherited_streams(streams),
            lsm_profile: self.lsm_profile.clone(),
            ..self.flags.options(LOG_FILE, bundle, &root)
        };
        let planned = Planned { bundle, layout: &layout, plan: &plan };
        let created = restored(entry, &planned, Criu { program, options, flags: &self.flags }, stdio)?;
        entry.record.has_later_hooks.then(|| later_hooks::after_start(entry)).transpose()?;
        Ok(created)
    }
}
