//! `diagram-bundle OUT`: writes the diagrams' files into a folder.
#![forbid(unsafe_code)]

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("usage: diagram-bundle OUT");
        return ExitCode::FAILURE;
    };
    let workspace = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.."));
    match diagram_bundle::bundle(workspace, Path::new(&folder)) {
        Ok(bundled) => {
            for one in bundled {
                println!("{}: {} bytes, {} compressed", one.name, one.module, one.compressed);
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("diagram-bundle: {error}");
            ExitCode::FAILURE
        }
    }
}
