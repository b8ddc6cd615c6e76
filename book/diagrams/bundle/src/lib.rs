//! The diagrams as files that a page can use from any place, `file://` included: a classic script for each diagram with its module
//! inside, the script of the element, the styles, and the stills.
#![forbid(unsafe_code)]

mod module;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use diagrams::{CapabilitySets, CgroupTree, Diagram, IdMaps, MountPlan, SeccompFilter, Spawn};
use std::error::Error;
use std::fmt::Write;
use std::path::Path;

/// Bytes that a module may have when it is compressed.
pub const BUDGET: usize = 60 << 10;

/// What all modules together may have.
pub const BUDGET_OF_ALL: usize = 250 << 10;

/// The module that shows the reader's own containers below a diagram.
const LIVE: &str = "live";

/// A module that was bundled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundled {
    /// Its name.
    pub name: &'static str,
    /// Bytes of its module.
    pub module: usize,
    /// Bytes of its module, compressed by gzip.
    pub compressed: usize,
}

/// The element's script and the styles.
const PAGE: &[(&str, &str)] = &[
    ("diagrams.js", include_str!("../../page/diagrams.js")),
    (
        "diagrams.css",
        concat!(include_str!("../../page/diagrams.css"), include_str!("../../page/drawing.css")),
    ),
];

/// Builds every diagram and writes its files into a folder; an error when one is over its budget.
pub fn bundle(workspace: &Path, folder: &Path) -> Result<Vec<Bundled>, Box<dyn Error>> {
    std::fs::create_dir_all(folder)?;
    let modules = module::build(workspace)?;
    let bundled = [
        write::<MountPlan>(&modules, folder)?,
        write::<Spawn>(&modules, folder)?,
        write::<IdMaps>(&modules, folder)?,
        write::<CapabilitySets>(&modules, folder)?,
        write::<SeccompFilter>(&modules, folder)?,
        write::<CgroupTree>(&modules, folder)?,
        write_module(&modules, folder, LIVE, "coracleLive({ show: wasm_bindgen.show });")?,
    ];
    for (name, text) in PAGE {
        std::fs::write(folder.join(name), text)?;
    }
    for one in &bundled {
        if one.compressed > BUDGET {
            return Err(format!("{}: {} bytes compressed, at most {BUDGET}", one.name, one.compressed).into());
        }
    }
    let all: usize = bundled.iter().map(|one| one.compressed).sum();
    if all > BUDGET_OF_ALL {
        return Err(format!("all diagrams: {all} bytes compressed, at most {BUDGET_OF_ALL}").into());
    }
    Ok(bundled.to_vec())
}

fn write<D: Diagram>(modules: &Path, folder: &Path) -> Result<Bundled, Box<dyn Error>> {
    std::fs::write(folder.join(format!("{}.svg", D::NAME)), still_file::<D>())?;
    let functions = "{ show: wasm_bindgen.show, next: wasm_bindgen.next }";
    write_module(modules, folder, D::NAME, &format!("coracleDiagram(\"{}\", {functions});", D::NAME))
}

/// `ready` is what the script says to the page once the module can be used.
fn write_module(
    modules: &Path,
    folder: &Path,
    name: &'static str,
    ready: &str,
) -> Result<Bundled, Box<dyn Error>> {
    let (glue, module) = module::bind(&modules.join(format!("{name}.wasm")))?;
    std::fs::write(folder.join(format!("{name}.js")), script(&glue, &module, ready)?)?;
    Ok(Bundled { name, module: module.len(), compressed: compressed(&module)? })
}

/// A script that needs no other file: a page that was opened from a disk may not fetch any.
fn script(glue: &str, module: &[u8], ready: &str) -> Result<String, std::fmt::Error> {
    let mut script = String::from("(function () {\n");
    script.push_str(glue);
    writeln!(script, "\nvar text = atob(\"{}\");", BASE64_STANDARD.encode(module))?;
    writeln!(
        script,
        "var bytes = Uint8Array.from(text, function (letter) {{ return letter.charCodeAt(0); }});"
    )?;
    writeln!(script, "wasm_bindgen({{ module_or_path: bytes }}).then(function () {{")?;
    writeln!(script, "    {ready}\n}});\n}})();")?;
    Ok(script)
}

fn compressed(bytes: &[u8]) -> std::io::Result<usize> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}

/// The drawing as a file of its own.
fn still_file<D: Diagram>() -> String {
    let style = include_str!("../../page/drawing.css").replace("coracle-diagram svg", "svg");
    D::default().svg().replacen('\n', &format!("\n<style>\n{style}</style>\n"), 1)
}

/// A page's HTML with the stills in the place of its diagrams, so that the first paint does not wait, and the element's script and
/// styles, found below `folder`. A page without diagrams is returned as it is.
pub fn embed(page: &str, folder: &str) -> String {
    let mut html = page.to_owned();
    for (name, still) in stills() {
        let empty = format!("<coracle-diagram name=\"{name}\"></coracle-diagram>");
        html = html.replace(&empty, &format!("<coracle-diagram name=\"{name}\">{still}</coracle-diagram>"));
    }
    if html == page {
        return html;
    }
    let head = format!(
        "<link rel=\"stylesheet\" href=\"{folder}diagrams.css\">\n<script defer src=\"{folder}diagrams.js\"></script>\n</head>"
    );
    html.replacen("</head>", &head, 1)
}

/// What each diagram's element shows before anything runs.
fn stills() -> [(&'static str, String); 6] {
    [
        (MountPlan::NAME, diagrams::content::<MountPlan>("", true)),
        (Spawn::NAME, diagrams::content::<Spawn>("", true)),
        (IdMaps::NAME, diagrams::content::<IdMaps>("", true)),
        (CapabilitySets::NAME, diagrams::content::<CapabilitySets>("", true)),
        (SeccompFilter::NAME, diagrams::content::<SeccompFilter>("", true)),
        (CgroupTree::NAME, diagrams::content::<CgroupTree>("", true)),
    ]
}
