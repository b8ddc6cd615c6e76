//! Long tail: `checkpoint`: a container's processes are written into a folder.

use super::super::store::{Entry, Status, Store};
use super::request::{Options, Verb, request};
use super::worker::{self, Notice};
use super::{Flags, outside};
use crate::plan::{Bundle, Plan, plan};
use crate::{Error, ErrorKind, Result, create, created};
use clap::Args;
use kernel::Strace;
use std::io::Write;
use std::path::{Path, PathBuf};

const LOG_FILE: &str = "dump.log";

/// A file in the folder of a container that has ended because it was checkpointed.
pub const CHECKPOINTED: &str = "checkpointed";

#[derive(Args)]
pub struct Checkpoint {
    /// The container
    id: String,
    #[command(flatten)]
    flags: Flags,
    /// The folder of an earlier image of its memory, relative to that of the images
    #[arg(long, value_name = "DIR")]
    parent_path: Option<PathBuf>,
    /// It runs on afterwards
    #[arg(long)]
    leave_running: bool,
    /// A descriptor to which a zero byte is written once memory that was left behind can be asked for
    #[arg(long, value_name = "FD")]
    status_fd: Option<i32>,
    /// Where its memory goes, in place of the folder: a criu page-server at ADDRESS:PORT
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = page_server)]
    page_server: Option<(String, u16)>,
    /// TCP connections that nobody has accepted yet are left out
    #[arg(long)]
    tcp_skip_in_flight: bool,
    /// An open file that was unlinked, but has other links, gets a name for CRIU, which the restore removes
    #[arg(long)]
    link_remap: bool,
    /// Write its memory alone; it runs on, and what it changes is written later
    #[arg(long)]
    pre_dump: bool,
}

fn page_server(text: &str) -> Result<(String, u16), String> {
    let parts = text.rsplit_once(':').map(|(address, port)| (address.trim_matches(['[', ']']), port.parse()));
    match parts {
        Some((address, Ok(port))) if !address.is_empty() && port != 0 => Ok((address.into(), port)),
        _ => Err("must be ADDRESS:PORT".into()),
    }
}

impl Checkpoint {
    /// `program` is what `--criu` names.
    pub fn run(&self, store: &Store, program: &str) -> Result<u8> {
        self.check_flags()?;
        let entry = store.open(&self.id)?;
        let status = entry.status();
        if !matches!(status, Status::Running | Status::Paused) {
            let why = format!("container cannot be checkpointed in {status} state");
            return Err(Error::new(ErrorKind::Conflict, why));
        }
        let (bundle, plan) = planned(&entry)?;
        outside::check(&plan, "checkpoint")?;
        self.flags.check("checkpoint", program)?;
        if (self.pre_dump || self.parent_path.is_some()) && !worker::features(program)?.0 {
            let why = "checkpoint --pre-dump, --parent-path: this kernel does not tell which memory has changed: leave them out";
            return Err(Error::new(ErrorKind::NotSupported, why));
        }
        super::make_folder(&self.flags.image_path)?;
        self.check_parent()?;
        self.dump(&entry, program, &bundle, &plan, status)?;
        Ok(0)
    }

    fn check_flags(&self) -> Result<()> {
        let parent = self.parent_path.as_ref().filter(|path| path.is_absolute());
        if let Some(path) = parent {
            let why = format!("--parent-path {path:?}: must be relative to --image-path");
            return Err(Error::invalid(why));
        }
        let Some(number) = self.status_fd else { return Ok(()) };
        if !self.flags.lazy_pages {
            return Err(Error::invalid("--status-fd: something is written to it only with --lazy-pages"));
        }
        status_file(number).map(drop)
    }

    fn check_parent(&self) -> Result<()> {
        let Some(parent) = &self.parent_path else { return Ok(()) };
        let folder = self.flags.image_path.join(parent);
        if folder.is_dir() {
            return Ok(());
        }
        let why = format!("--parent-path {parent:?}: there is no folder {}", folder.display());
        Err(Error::invalid(why))
    }

    fn dump(&self, entry: &Entry, program: &str, bundle: &Bundle, plan: &Plan, status: Status) -> Result<()> {
        let process = entry.process()?;
        let not_running = || Error::new(ErrorKind::Conflict, "container not running");
        let pidfd = process.open()?.ok_or_else(not_running)?;
        let mut options = self.options(entry, bundle, plan)?;
        let folders = self.flags.open_folders(Path::new("/"), LOG_FILE)?;
        folders.tell(&mut options);
        let verb = if self.pre_dump { Verb::PreDump } else { Verb::Dump };
        let asked = worker::ask(program, &request(verb, &options), |notice| self.notice(&notice));
        let dumped = asked.and_then(|reply| super::done("checkpoint", reply, &folders.log));
        if dumped.is_err() && status == Status::Running {
            // CRIU lets go on what it has stopped, unless it was killed itself.
            entry.cgroup()?.as_ref().map(created::let_end).transpose()?;
        }
        dumped?;
        if self.leave_running || self.pre_dump {
            return Ok(());
        }
        let path = entry.folder.join(CHECKPOINTED);
        std::fs::write(&path, "").strace(|| format!("write({path:?})"))?;
        entry.cgroup()?.as_ref().map(created::let_end).transpose()?;
        created::wait(&pidfd);
        Ok(())
    }

    fn options(&self, entry: &Entry, bundle: &Bundle, plan: &Plan) -> Result<Options> {
        let pid = entry.process()?.pid;
        let streams = outside::streams(pid)?;
        if !self.pre_dump {
            outside::write_streams(&self.flags.image_path, &streams)?;
        }
        let mut external = outside::external_files(&streams);
        external.extend(outside::external_namespaces(pid, &plan.spawn.join)?);
        let cgroup = entry.cgroup()?;
        let freezer = cgroup.as_ref().and_then(|cgroup| cgroup.freezer_folder()).map(PathBuf::from);
        Ok(Options {
            pid: Some(pid),
            leave_running: self.leave_running,
            page_server: self.page_server.clone(),
            parent: self.parent_path.clone(),
            tcp_skip_in_flight: self.tcp_skip_in_flight,
            link_remap: self.link_remap,
            external_mounts: outside::places(pid, outside::mounts(&plan.root))?,
            external,
            freezer,
            ..self.flags.options(LOG_FILE, bundle, &entry.record.rootfs)
        })
    }

    fn notice(&self, notice: &Notice) -> Result<()> {
        let Some(number) = self.status_fd.filter(|_| notice.script == "status-ready") else { return Ok(()) };
        Ok(status_file(number)?.write_all(&[0]).strace(|| format!("write({number}, \"\\0\")"))?)
    }
}

/// A descriptor that we have inherited, opened once more. Whoever handed in one that is only read has mistaken its number.
fn status_file(number: i32) -> Result<std::fs::File> {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}"));
    let mut lines = info.iter().flat_map(|text| text.lines());
    let flags = lines.find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| i32::from_str_radix(flags.trim(), 8).ok());
    let refused = |why: &dyn std::fmt::Display| Error::invalid(format!("--status-fd {number}: {why}"));
    match flags.map(|flags| flags & nix::libc::O_ACCMODE) {
        None => return Err(refused(&"it is not open")),
        Some(nix::libc::O_RDONLY) => return Err(refused(&"it is not open for writing")),
        Some(_) => {}
    }
    let open = std::fs::OpenOptions::new().write(true).open(format!("/proc/self/fd/{number}"));
    open.map_err(|error| refused(&error))
}

/// What was planned for a container when it was made.
fn planned(entry: &Entry) -> Result<(Bundle, Plan)> {
    let record = &entry.record;
    let bundle = Bundle {
        id: record.id.clone(),
        spec: entry.spec()?,
        root: chroot::Root::Folder(record.rootfs.clone()),
        cgroup: record.cgroup.clone(),
        preserved_descriptors: 0,
        folder: record.bundle.clone(),
        keeps_keyring: false,
        rootless: !kernel::is_root(),
    };
    let plan = plan(&bundle, &create::layout_for(&bundle)?)?;
    Ok((bundle, plan))
}
