//! A diagram's module: compiled for the browser, and bound to a script.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use wasm_bindgen_cli_support::Bindgen;

const TARGET: &str = "wasm32-unknown-unknown";

/// Compiles all diagrams, and returns the folder of their modules.
pub fn build(workspace: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from);
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--quiet", "--locked", "--package", "diagrams", "--bins", "--profile", "diagram"]);
    command.args(["--target", TARGET, "--target-dir"]).arg(&target).current_dir(workspace);
    let status = command.status()?;
    if !status.success() {
        return Err(format!("the diagrams cannot be compiled for {TARGET}: {status}").into());
    }
    Ok(target.join(TARGET).join("diagram"))
}

/// The script that speaks with a module, and the module without what only the binding needed.
pub fn bind(path: &Path) -> Result<(String, Vec<u8>), Box<dyn Error>> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(path).no_modules(true)?.typescript(false);
    let mut output = bindgen.generate_output()?;
    Ok((output.js().to_owned(), output.wasm_mut().emit_wasm()))
}
