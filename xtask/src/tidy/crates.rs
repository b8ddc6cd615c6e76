//! What the manifests show: the order of the chapters, and a purpose for every dependency.

use super::Breach;
use crate::{Result, root};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Checks the workspace's manifests.
pub fn check() -> Result<Vec<Breach>> {
    let mut breaches = order_of_chapters(&metadata()?);
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).map_err(|error| error.to_string())?;
    breaches.extend(purposes(&manifest));
    Ok(breaches)
}

fn metadata() -> Result<Value> {
    let output = Command::new("cargo")
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .map_err(|error| format!("cargo cannot be started: {error}"))?;
    serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))
}

/// Chapter N depends only on chapters below N, and no chapter on the engine.
fn order_of_chapters(metadata: &Value) -> Vec<Breach> {
    let packages = metadata["packages"].as_array().cloned().unwrap_or_default();
    let chapter_of = |manifest: &str| {
        Some(Path::new(manifest).parent()?.strip_prefix(root().join("chapters")).ok()?.to_path_buf())
    };
    let mut breaches = Vec::new();
    for package in &packages {
        let manifest = package["manifest_path"].as_str().unwrap_or_default();
        let Some(chapter) = chapter_of(manifest) else {
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let Some(path) = dependency["path"].as_str() else {
                continue;
            };
            let below = chapter_of(&format!("{path}/Cargo.toml")).filter(|other| *other < chapter);
            let is_for_tests =
                dependency["kind"] == "dev" && Path::new(path).starts_with(root().join("tests"));
            if below.is_none() && !is_for_tests {
                let file = PathBuf::from("chapters").join(&chapter).join("Cargo.toml");
                let remedy =
                    format!("depends on {}: a chapter depends only on chapters below it", dependency["name"]);
                breaches.push(Breach { file, line: 0, remedy });
            }
        }
    }
    breaches
}

/// A dependency is a decision: its line says what it is for.
fn purposes(manifest: &str) -> Vec<Breach> {
    let mut section = "";
    let mut breaches = Vec::new();
    for (index, line) in manifest.lines().enumerate() {
        if line.starts_with('[') {
            section = line;
        }
        let declares =
            section == "[workspace.dependencies]" && line.contains(" = ") && !line.starts_with('#');
        if declares && !line.contains("path = ") && !line.contains(" # ") {
            let remedy = "say behind the dependency what it is for: `name = … # purpose`".to_string();
            breaches.push(Breach { file: "Cargo.toml".into(), line: index + 1, remedy });
        }
    }
    breaches
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_dependency_without_a_purpose_is_a_breach() {
        let manifest = "[workspace.dependencies]\nserde = \"1\" # JSON\ntar = \"0.4\"\n";
        let breaches = super::purposes(manifest);
        assert_eq!(breaches.iter().map(|breach| breach.line).collect::<Vec<_>>(), [3]);
    }
}
