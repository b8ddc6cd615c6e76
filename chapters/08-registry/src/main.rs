//! The container so far, from a registry: pulled, unpacked while it comes in, and run.
#![forbid(unsafe_code)]

#[path = "../../06-images/src/alone.rs"]
mod alone;
mod telling;

use alone::{Result, Scratch};
use chroot::{Root, hello};
use images::{Reference, Store};
use layers::{Ownership, Snapshots};
use std::path::PathBuf;
use std::process::ExitCode;

/// Chapter 08: pulls an image from a registry and runs it.
#[derive(clap::Parser)]
#[command(name = "registry")]
struct Arguments {
    /// Keep what was pulled here, for the next time
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The image; without one, the built-in `hello`, which no registry is asked for
    image: Option<String>,
    /// A command and its arguments, instead of the image's
    #[arg(trailing_var_arg = true)]
    command: Vec<String>,
}

fn main() -> ExitCode {
    if hello::is_face(&std::env::args_os().next().unwrap_or_default()) {
        print!("{}", hello::report());
        return ExitCode::SUCCESS;
    }
    run(clap::Parser::parse()).unwrap_or_else(|error| {
        eprintln!("registry: {error}");
        alone::exit_code(error.as_ref())
    })
}

fn run(arguments: Arguments) -> Result<ExitCode> {
    let scratch = Scratch::new()?;
    let data = arguments.data.unwrap_or_else(|| scratch.0.clone());
    let (store, snapshots) = (
        Store::open(data.join("images"))?,
        Snapshots::open(data.join("snapshots"), Ownership::of(!nix::unistd::geteuid().is_root()))?,
    );
    let image = match &arguments.image {
        Some(name) => telling::pull(&store, &snapshots, &Reference::parse(name)?)?,
        None => layers::hello(&store, &snapshots)?,
    };
    let lower = snapshots.lower_dirs(&image.config.rootfs.diff_ids)?;
    let (upper, work) = (scratch.0.join("diff"), scratch.0.join("work"));
    std::fs::create_dir(&upper)?;
    std::fs::create_dir(&work)?;
    alone::run(Root::Overlay { lower, upper, work }, &image.config.config, arguments.command)
}
