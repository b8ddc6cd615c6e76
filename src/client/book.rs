//! `book`: the built book on loopback, and in its diagrams, if the reader wants it, the reader's own containers.

mod answers;
mod live;
mod server;

use super::daemon_calls::Daemon;
use super::failure::{Error, ErrorKind, Result};
use super::flags::Verb;
use answers::Site;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// Flags of `book`.
#[derive(clap::Args)]
pub struct Book {
    /// The folder of the built book (found below target, if it was built here)
    #[arg(long, value_name = "path")]
    dir: Option<PathBuf>,
    /// Let the diagrams show your own running containers, to whoever has the link
    #[arg(long)]
    live: bool,
    /// The port on loopback; 0 is one that is free
    #[arg(long, value_name = "number", default_value_t = 0, hide_default_value = true)]
    port: u16,
}

impl Verb for Book {
    const USAGE: &'static str = "book [OPTIONS]";
    const ABOUT: &'static str = "Show the book, and in its diagrams your own containers";
    const ARGUMENTS: RangeInclusive<usize> = 0..=0;

    fn run(self, _arguments: &[String], daemon: &Daemon) -> Result<()> {
        let folder = self.dir.map_or_else(find, Ok)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port))
            .map_err(|error| Error::file("listen on", &format!("127.0.0.1:{}", self.port), &error))?;
        let port = listener.local_addr()?.port();
        let token = self.live.then(token);
        let site = Site::open(&folder, port, token.clone())?;
        match token {
            Some(token) => println!("http://127.0.0.1:{port}/?token={token}"),
            None => println!("http://127.0.0.1:{port}/"),
        }
        server::serve(listener, |head| site.answer(head, || live::containers(daemon)))
    }
}

/// The file by which a built book is known.
const INDEX: &str = "index.html";

/// The book as `cargo xtask book` builds it: below this folder, or beside the executable, which lies below target as well.
fn find() -> Result<PathBuf> {
    let executable = std::env::current_exe()?;
    let above = executable.ancestors().skip(1).map(|folder| folder.join("book"));
    let places = std::iter::once(PathBuf::from("target/book")).chain(above);
    places.into_iter().find(|folder| folder.join(INDEX).is_file()).ok_or_else(|| not_built(None))
}

fn not_built(folder: Option<&Path>) -> Error {
    let place = folder.map_or("target/book".into(), |folder| folder.display().to_string());
    let remedy =
        "build it with `cargo xtask book` in the folder of the source, or say where it is with --dir";
    Error::new(ErrorKind::Local, format!("coracle: there is no built book in {place}: {remedy}"))
}

/// 128 random bits, which nobody guesses.
fn token() -> String {
    let mut bytes = [0; 16];
    // So few are never cut short, and it fails on no kernel that we run on (getrandom(2)).
    let read = rustix::rand::getrandom(&mut bytes[..], rustix::rand::GetRandomFlags::empty());
    assert_eq!(read.expect("getrandom"), bytes.len(), "getrandom was cut short");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
