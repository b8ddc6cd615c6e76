//! The container so far, from an image with its layers: unpacked once, stacked by overlayfs under a folder of its own.
#![forbid(unsafe_code)]

#[path = "../../06-images/src/alone.rs"]
mod alone;

use alone::{Result, Scratch};
use chroot::{Root, hello};
use images::Store;
use layers::{Ownership, Snapshots};
use std::path::PathBuf;
use std::process::ExitCode;

/// Chapter 07: unpacks the layers of an image of an OCI layout, stacks them, and runs it. What it writes goes to a layer of its own,
/// and is gone afterwards.
#[derive(clap::Parser)]
#[command(name = "layers")]
struct Arguments {
    /// The OCI layout, made by skopeo or by `coracle`; one with the image `hello` is made if it is left out
    #[arg(long, value_name = "DIR")]
    layout: Option<PathBuf>,
    /// The image's name or id in there
    #[arg(long, value_name = "NAME", default_value = "hello")]
    image: String,
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
        eprintln!("layers: {error}");
        alone::exit_code(error.as_ref())
    })
}

fn run(arguments: Arguments) -> Result<ExitCode> {
    let scratch = Scratch::new()?;
    let store = Store::open(arguments.layout.clone().unwrap_or_else(|| scratch.0.join("images")))?;
    let snapshots =
        Snapshots::open(scratch.0.join("snapshots"), Ownership::of(!nix::unistd::geteuid().is_root()))?;
    if arguments.layout.is_none() {
        layers::hello(&store, &snapshots)?;
    }
    let image = store.resolve(&arguments.image)?;
    layers::ensure_unpacked(&store, &snapshots, &image)?;
    let lower = snapshots.lower_dirs(&image.config.rootfs.diff_ids)?;
    let (upper, work) = (scratch.0.join("diff"), scratch.0.join("work"));
    std::fs::create_dir(&upper)?;
    std::fs::create_dir(&work)?;
    alone::run(Root::Overlay { lower, upper, work }, &image.config.config, arguments.command)
}
