//! The container so far, from an image: its config says what runs, with which environment, folder and user.
#![forbid(unsafe_code)]

mod alone;

use alone::{Result, Scratch};
use chroot::{Root, hello};
use images::{ImageConfig, Reference, Store};
use std::path::PathBuf;
use std::process::ExitCode;

/// Chapter 06: runs what an image of an OCI layout is made for, as its config says. Its files are a root of your own or the built-in
/// one: layers are unpacked in chapter 07.
#[derive(clap::Parser)]
#[command(name = "images")]
struct Arguments {
    /// The OCI layout, made by skopeo or by `coracle`; one with a single image is made if it is left out
    #[arg(long, value_name = "DIR")]
    layout: Option<PathBuf>,
    /// The image's name or id in there
    #[arg(long, value_name = "NAME", default_value = "hello")]
    image: String,
    /// The root file system; the built-in one if it is left out
    #[arg(long, value_name = "DIR")]
    rootfs: Option<PathBuf>,
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
        eprintln!("images: {error}");
        alone::exit_code(error.as_ref())
    })
}

fn run(arguments: Arguments) -> Result<ExitCode> {
    let scratch = Scratch::new()?;
    let built_in = scratch.0.join("rootfs");
    let rootfs =
        arguments.rootfs.map_or_else(|| chroot::built_in_rootfs(&built_in).map(|()| built_in.clone()), Ok)?;
    let store = Store::open(arguments.layout.clone().unwrap_or_else(|| scratch.0.join("images")))?;
    if arguments.layout.is_none() {
        let mut config = ImageConfig::default();
        config.config.cmd = Some(vec!["/hello".into()]);
        store.tag(&Reference::parse("hello")?, &store.compose(&config, Vec::new())?)?;
    }
    let image = store.resolve(&arguments.image)?;
    alone::run(Root::Folder(std::path::absolute(rootfs)?), &image.config.config, arguments.command)
}
