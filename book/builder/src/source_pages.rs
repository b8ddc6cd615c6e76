//! The sources as pages of the site, a line an address: what a snippet links to, also without a network.

use crate::highlight::{escape, rust};
use crate::sources::{SourceFile, Sources};
use std::path::Path;

/// Writes every file that the book can show below `source/`.
pub fn write(site: &Path, sources: &Sources) -> std::io::Result<()> {
    for file in &sources.files {
        let path = site.join("source").join(format!("{}.html", file.path.display()));
        std::fs::create_dir_all(path.parent().unwrap_or(site))?;
        std::fs::write(path, html(file))?;
    }
    Ok(())
}

fn html(file: &SourceFile) -> String {
    let root = "../".repeat(file.path.iter().count());
    let name = escape(&file.path.display().to_string());
    let lines: Vec<String> = rust(&file.text)
        .iter()
        .enumerate()
        .map(|(index, line)| {
            let number = index + 1;
            format!("<span class=\"line\" id=\"L{number}\"><a class=\"number\" href=\"#L{number}\">{number}</a>{line}</span>")
        })
        .collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{name} - Coracle</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <link rel=\"stylesheet\" href=\"{root}book.css\"><script src=\"{root}book.js\"></script></head>\
         <body class=\"source\"><header><a class=\"title\" href=\"{root}index.html\">Coracle</a><button type=\"button\" class=\"theme\">light or dark</button></header>\
         <main><h1>{name}</h1><pre class=\"rust\" tabindex=\"0\"><code>{}</code></pre></main></body></html>\n",
        lines.join("\n")
    )
}
