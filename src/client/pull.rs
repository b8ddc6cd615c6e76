//! `pull`: an image from a registry.

use super::daemon_calls::Daemon;
use super::failure::{Error, Result};
use super::flags::Verb;
use super::{progress, reference};
use images::Reference;
use indicatif::ProgressDrawTarget;
use std::io::{IsTerminal, Write, sink, stderr, stdout};
use std::ops::RangeInclusive;

/// Flags of `pull`.
#[derive(clap::Args)]
pub struct Pull {
    #[arg(short, long, hide = true)]
    all_tags: bool,
    #[arg(long, hide = true, default_value = "true")]
    disable_content_trust: bool,
    /// Set platform if server is multi-platform capable
    #[arg(long, value_name = "string", default_value = "", hide_default_value = true)]
    platform: String,
    /// Suppress verbose output
    #[arg(short, long)]
    quiet: bool,
}

/// Where progress is shown.
pub enum Progress {
    /// `pull` itself.
    OnOutput,
    /// `run`, whose standard output is the container's.
    OnError,
    /// Nowhere.
    Hidden,
}

impl Verb for Pull {
    const USAGE: &'static str = "pull [OPTIONS] NAME[:TAG|@DIGEST]";
    const ABOUT: &'static str = "Download an image from a registry";
    const ARGUMENTS: RangeInclusive<usize> = 1..=1;

    fn run(self, arguments: &[String], daemon: &Daemon) -> Result<()> {
        if self.all_tags {
            return Err(Error::not_supported("--all-tags"));
        }
        if !self.disable_content_trust {
            return Err(Error::not_supported("--disable-content-trust=false"));
        }
        let name = &arguments[0];
        let wanted = reference::typed(name)?;
        let (_, tag, digest) = reference::parts(name);
        if !self.quiet && tag.is_none() && digest.is_none() {
            println!("Using default tag: latest");
        }
        let shown = if self.quiet { Progress::Hidden } else { Progress::OnOutput };
        pull(daemon, &wanted, &self.platform, shown)?;
        println!("{wanted}");
        Ok(())
    }
}

/// Has the daemon pull an image, and shows how it gets on.
pub fn pull(daemon: &Daemon, reference: &Reference, platform: &str, shown: Progress) -> Result<()> {
    let name = format!("{}/{}", reference.domain, reference.path);
    let query = [("fromImage", name.as_str()), ("tag", &reference.version()), ("platform", platform)];
    let messages = daemon.post("/images/create", &query)?;
    let (writer, terminal): (&mut dyn Write, _) = match shown {
        Progress::Hidden => (&mut sink(), None),
        Progress::OnOutput => (&mut stdout(), stdout().is_terminal().then(ProgressDrawTarget::stdout)),
        Progress::OnError => (&mut stderr(), stderr().is_terminal().then(ProgressDrawTarget::stderr)),
    };
    progress::show(messages, writer, terminal)
}
