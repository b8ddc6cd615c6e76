//! `save`, `load` and `import`: images as tar archives.

use super::daemon_calls::Daemon;
use super::failure::{Error, ErrorKind, Result};
use super::flags::{MANY, Verb};
use super::progress;
use super::reference::typed;
use indicatif::ProgressDrawTarget;
use std::fs::{File, OpenOptions};
use std::io::{IsTerminal, Read, Write, copy, stdin, stdout};
use std::ops::RangeInclusive;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Flags of `save`.
#[derive(clap::Args)]
pub struct Save {
    /// Write to a file, instead of STDOUT
    #[arg(short, long, value_name = "string")]
    output: Option<String>,
    #[arg(long, hide = true)]
    platform: Option<String>,
}

impl Verb for Save {
    const USAGE: &'static str = "save [OPTIONS] IMAGE [IMAGE...]";
    const ABOUT: &'static str = "Save one or more images to a tar archive (streamed to STDOUT by default)";
    const ARGUMENTS: RangeInclusive<usize> = 1..=MANY;

    fn run(self, arguments: &[String], daemon: &Daemon) -> Result<()> {
        refuse_platform(&self.platform)?;
        let query: Vec<(&str, &str)> = arguments.iter().map(|name| ("names", name.as_str())).collect();
        let Some(path) = &self.output else {
            if stdout().is_terminal() {
                let advice = "Use the -o flag or redirect";
                return Err(Error::usage(format!("cowardly refusing to save to a terminal. {advice}")));
            }
            copy(&mut daemon.open("/images/get", &query)?, &mut stdout().lock())?;
            return Ok(());
        };
        let mut draft = Draft::new(Path::new(path))?;
        copy(&mut daemon.open("/images/get", &query)?, &mut draft.file)?;
        draft.keep()
    }
}

/// A file that appears under its name only when it is whole, and not at all after an error.
struct Draft {
    file: File,
    draft: PathBuf,
    path: PathBuf,
}

impl Draft {
    fn new(path: &Path) -> Result<Draft> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let failed = |error: Error| Error::new(ErrorKind::Local, format!("failed to save image: {error}"));
        std::fs::metadata(folder).map_err(|error| {
            let cause = Error::file("stat", &folder.display().to_string(), &error);
            failed(Error::new(ErrorKind::Local, format!("invalid output path: {cause}")))
        })?;
        if path.is_dir() {
            return Err(failed(Error::usage(format!("cannot write to a directory: {}", path.display()))));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let draft = folder.join(format!(".tmp-{name}.{}", std::process::id()));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft);
        let file = file.map_err(|error| failed(Error::file("open", &draft.display().to_string(), &error)))?;
        Ok(Draft { file, draft, path: path.to_path_buf() })
    }

    fn keep(self) -> Result<()> {
        self.file.sync_all()?;
        let renamed = std::fs::rename(&self.draft, &self.path);
        renamed.map_err(|error| Error::file("rename", &self.path.display().to_string(), &error))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Gone already when it was kept.
        let _ = std::fs::remove_file(&self.draft);
    }
}

/// Flags of `load`.
#[derive(clap::Args)]
pub struct Load {
    /// Read from tar archive file, instead of STDIN
    #[arg(short, long, value_name = "string")]
    input: Option<String>,
    #[arg(long, hide = true)]
    platform: Option<String>,
    /// Suppress the load output
    #[arg(short, long)]
    quiet: bool,
}

impl Verb for Load {
    const USAGE: &'static str = "load [OPTIONS]";
    const ABOUT: &'static str = "Load an image from a tar archive or STDIN";
    const ARGUMENTS: RangeInclusive<usize> = 0..=0;

    fn run(self, _arguments: &[String], daemon: &Daemon) -> Result<()> {
        refuse_platform(&self.platform)?;
        let mut archive = match self.input.as_deref() {
            None | Some("") if stdin().is_terminal() => {
                return Err(Error::usage("requested load from stdin, but stdin is empty"));
            }
            None | Some("") => standard_input()?,
            Some(path) => open(path)?,
        };
        let quiet = if self.quiet || !stdout().is_terminal() { "1" } else { "0" };
        let mut answer = daemon.post_stream("/images/load", &[("quiet", quiet)], &mut archive)?;
        match answer.header("content-type").is_some_and(|kind| kind.starts_with("application/json")) {
            true => show(answer),
            false => {
                copy(&mut answer, &mut stdout().lock())?;
                Ok(())
            }
        }
    }
}

/// Flags of `import`.
#[derive(clap::Args)]
pub struct Import {
    /// Apply Dockerfile instruction to the created image
    #[arg(short, long, value_name = "list")]
    change: Vec<String>,
    /// Set commit message for imported image
    #[arg(short, long, value_name = "string", default_value = "", hide_default_value = true)]
    message: String,
    /// Set platform if server is multi-platform capable
    #[arg(long, value_name = "string", default_value = "", hide_default_value = true)]
    platform: String,
}

impl Verb for Import {
    const USAGE: &'static str = "import [OPTIONS] file|- [REPOSITORY[:TAG]]";
    const ABOUT: &'static str = "Import the contents from a tarball to create a filesystem image";
    const ARGUMENTS: RangeInclusive<usize> = 1..=2;

    fn run(self, arguments: &[String], daemon: &Daemon) -> Result<()> {
        let mut archive = match arguments[0].as_str() {
            "-" => standard_input()?,
            url if url.starts_with("http://") || url.starts_with("https://") => {
                return Err(Error::not_supported("import from a URL"));
            }
            path => open(path)?,
        };
        let name = arguments.get(1).map(String::as_str).unwrap_or_default();
        if !name.is_empty() {
            typed(name)?;
        }
        let mut query =
            vec![("fromSrc", "-"), ("repo", name), ("message", &self.message), ("platform", &self.platform)];
        query.extend(self.change.iter().map(|change| ("changes", change.as_str())));
        show(daemon.post_stream("/images/create", &query, &mut archive)?)
    }
}

fn show(messages: impl Read) -> Result<()> {
    let terminal = stdout().is_terminal().then(ProgressDrawTarget::stdout);
    progress::show(messages, &mut stdout() as &mut dyn Write, terminal)
}

fn open(path: &str) -> Result<File> {
    let file = File::open(path).map_err(|error| Error::file("open", path, &error))?;
    if file.metadata()?.is_dir() {
        let error = std::io::Error::from(std::io::ErrorKind::IsADirectory);
        return Err(Error::file("read", path, &error));
    }
    Ok(file)
}

/// Unbuffered: what comes in large pieces is passed on in large pieces.
fn standard_input() -> Result<File> {
    use std::os::fd::AsFd;
    Ok(File::from(stdin().as_fd().try_clone_to_owned()?))
}

fn refuse_platform(platform: &Option<String>) -> Result<()> {
    match platform {
        Some(_) => Err(Error::not_supported("--platform")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_only_seen_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image.tar");
        let entries = || std::fs::read_dir(folder.path()).unwrap().count();
        drop(Draft::new(&path).unwrap());
        assert_eq!(entries(), 0);
        Draft::new(&path).unwrap().keep().unwrap();
        assert!(path.exists());
        assert_eq!(entries(), 1);
        let error = Draft::new(Path::new("/nosuch/x")).err().unwrap().to_string();
        assert_eq!(
            error,
            "failed to save image: invalid output path: stat /nosuch: no such file or directory"
        );
    }
}
