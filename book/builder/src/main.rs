//! Builds the book: `cargo xtask book build | serve | check [--long-tail]`.
#![forbid(unsafe_code)]

use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask book", about = "The book, woven from the chapters' own code")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Build the site into target/book (what happens when nothing is said)
    Build,
    /// Build it, and show it on loopback; what is changed is built again when a page is asked for
    Serve {
        /// The port
        #[arg(long, default_value_t = 3000)]
        port: u16,
    },
    /// Build it, and say how much of each chapter's code it shows
    Check {
        /// Prove that the long tail of each chapter that is told as a whole is one: in a copy its functions panic, and its sessions
        /// still run
        #[arg(long)]
        long_tail: bool,
    },
}

fn main() -> ExitCode {
    let workspace = workspace();
    let outcome = match Arguments::parse().command.unwrap_or(Command::Build) {
        Command::Build => book::build(&workspace).map(|built| println!("{}", built.site.display())),
        Command::Serve { port } => book::serve(&workspace, port),
        Command::Check { long_tail } => check(&workspace, long_tail),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(defects) => {
            for defect in &defects {
                eprintln!("{defect}");
            }
            eprintln!("book: {} defects", defects.len());
            ExitCode::FAILURE
        }
    }
}

fn check(workspace: &Path, long_tail: bool) -> Result<(), Vec<book::Defect>> {
    let built = book::build(workspace)?;
    print!("{}", built.report);
    if long_tail {
        print!("{}", book::prove(workspace, &built.whole)?);
    }
    Ok(())
}

/// The folder above `book/builder`.
fn workspace() -> PathBuf {
    let builder = Path::new(env!("CARGO_MANIFEST_DIR"));
    builder.ancestors().nth(2).expect("the builder lies in the workspace").to_path_buf()
}
