//! Long tail: `checkpoint` and `restore`, by an installed CRIU: what both are told, and how CRIU is asked.

mod available;
mod checkpoint;
mod outside;
mod request;
mod restore;
mod restored;
mod wire;
mod worker;

pub use checkpoint::Checkpoint;
pub use restore::Restore;

use crate::plan::Bundle;
use crate::{Error, ErrorKind, Result};
use clap::Args;
use kernel::Strace;
use request::{CgroupMode, Options, Reply};
use std::fs::{DirBuilder, File};
use std::os::fd::AsRawFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The flags of both.
#[derive(Args)]
struct Flags {
    /// The folder of the images
    #[arg(long, value_name = "DIR", default_value = "checkpoint")]
    image_path: PathBuf,
    /// The folder of CRIU's log and other files [default: that of the images]
    #[arg(long, value_name = "DIR")]
    work_path: Option<PathBuf>,
    /// TCP connections may be established
    #[arg(long)]
    tcp_established: bool,
    /// Unix sockets may have their other ends outside
    #[arg(long)]
    ext_unix_sk: bool,
    /// Its session may be somebody's outside
    #[arg(long)]
    shell_job: bool,
    /// Files may be locked
    #[arg(long)]
    file_locks: bool,
    /// What becomes of the cgroups inside
    #[arg(long, value_name = "MODE", default_value = "ignore")]
    manage_cgroups_mode: CgroupMode,
    /// A namespace that is made anew, with nothing in it; the network's always is
    #[arg(long, value_name = "KIND", value_parser = ["network"])]
    empty_ns: Vec<String>,
    /// Pages that are in an earlier image no longer take room there
    #[arg(long)]
    auto_dedup: bool,
    /// Memory is left where it is until it is asked for
    #[arg(long)]
    lazy_pages: bool,
}

/// The folders of a checkpoint, open for CRIU.
struct Folders {
    images: File,
    work: Option<File>,
    log: PathBuf,
}

impl Folders {
    /// Hands them to CRIU, for as long as they are open here.
    fn tell(&self, options: &mut Options) {
        options.images = self.images.as_raw_fd();
        options.work = self.work.as_ref().map(File::as_raw_fd);
    }
}

impl Flags {
    /// Opens the folder of the images, and makes and opens that of the log, as they are seen from this root.
    fn open_folders(&self, root: &Path, log_file: &str) -> Result<Folders> {
        let work = self.work_path.as_deref();
        work.map(make_folder).transpose()?;
        let open = |folder: &Path| {
            let whole = folder.canonicalize().strace(|| format!("realpath({folder:?})"))?;
            open_folder(&root.join(whole.strip_prefix("/").unwrap_or(&whole)))
        };
        Ok(Folders {
            images: open(&self.image_path)?,
            work: work.map(open).transpose()?,
            log: work.unwrap_or(&self.image_path).join(log_file),
        })
    }

    /// What CRIU is told in both cases.
    fn options(&self, log_file: &'static str, bundle: &Bundle, root: &Path) -> Options {
        let annotations = bundle.spec.annotations().as_ref();
        // As under runc: an empty one is none.
        let config = annotations.and_then(|all| all.get("org.criu.config")).filter(|file| !file.is_empty());
        Options {
            log_file,
            root: root.to_path_buf(),
            external_sockets: self.ext_unix_sk,
            tcp_established: self.tcp_established,
            shell_job: self.shell_job,
            file_locks: self.file_locks,
            auto_deduplication: self.auto_dedup,
            cgroups: self.manage_cgroups_mode,
            // What a network is made of is not the container's, but of whoever gives it one, as under runc.
            empty_network: true,
            lazy_pages: self.lazy_pages,
            config_file: config.cloned(),
            nftables: !is_in_path("iptables-restore"),
            ..Options::default()
        }
    }

    /// What is needed of the machine, asked before anything is made.
    fn check(&self, verb: &str, program: &str) -> Result<()> {
        available::check(verb, program)?;
        let missing = |what: &str| {
            let why = format!("{verb} {what}");
            Err(Error::new(ErrorKind::NotSupported, why))
        };
        if !is_in_path("tar") {
            return missing("needs tar, by which CRIU saves file systems in memory: install GNU tar");
        }
        if self.lazy_pages && !worker::features(program)?.1 {
            return missing(
                "--lazy-pages: this kernel does not let CRIU answer for memory (userfaultfd): leave it out",
            );
        }
        Ok(())
    }
}

fn is_in_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn make_folder(folder: &Path) -> Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    Ok(made.strace(|| format!("mkdir({folder:?}, 0700)"))?)
}

fn open_folder(folder: &Path) -> Result<File> {
    Ok(File::open(folder).strace(|| format!("open({folder:?}, O_RDONLY)"))?)
}

/// What CRIU has said at the end; if it failed, with the last errors of its log.
fn done(verb: &str, reply: Reply, log: &Path) -> Result<()> {
    let Reply::Failed { why } = reply else { return Ok(()) };
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let errors = available::errors(&text);
    let last = errors[errors.len().saturating_sub(3)..].join("; ");
    let told = if last.is_empty() { why.unwrap_or_else(|| "it does not say why".into()) } else { last };
    Err(Error::system(format!("{verb}: CRIU failed: {told} (its log is {})", log.display())))
}
