//! What `--format` can be, and rows printed by it: a table, JSON lines, or a template.

use super::failure::{Error, ErrorKind, Result};
use super::template::{Mode, Template, TemplateError};
use serde_json::{Map, Value};
use std::io::Write;

/// A listing's shape.
pub struct Listing<'a> {
    /// The template for `table` alone.
    pub default: &'a str,
    /// Column titles by field.
    pub titles: &'a [(&'a str, &'a str)],
}

/// A row: its fields by name, in alphabetical order, and labels for `.Label "key"`.
#[derive(Default)]
pub struct Row {
    /// The fields.
    pub fields: Map<String, Value>,
    /// The labels.
    pub labels: Map<String, Value>,
}

impl Row {
    /// A row of text fields.
    pub fn new(fields: impl IntoIterator<Item = (&'static str, String)>) -> Row {
        let mut fields: Vec<(String, Value)> =
            fields.into_iter().map(|(name, text)| (name.to_string(), text.into())).collect();
        fields.sort_by(|one, other| one.0.cmp(&other.0));
        Row { fields: fields.into_iter().collect(), labels: Map::new() }
    }
}

/// Prints `rows` as `format` says: empty, `table`, `table TEMPLATE`, `json`, or a template.
pub fn print(output: &mut impl Write, listing: &Listing<'_>, format: &str, rows: &[Row]) -> Result<()> {
    let table = match format {
        "" | "table" => Some(listing.default),
        format => format.strip_prefix("table ").map(str::trim_start),
    };
    let source = unescape(table.unwrap_or(if format == "json" { "{{json .}}" } else { format }));
    let template = Template::parse(&source).map_err(parsing)?;
    let titles = listing.titles.iter().map(|(field, title)| (field.to_string(), Value::from(*title)));
    let titles = Row { fields: titles.collect(), ..Row::default() };
    // Rendered even when it is not shown: a field that does not exist is an error without rows, too.
    let header = line(&template, &source, &titles, Mode::Headers)?;
    // Docker's rows escape what HTML would not take, where its other JSON does not.
    let escapes = source == "{{json .}}";
    let mut lines = Vec::new();
    for row in rows {
        let text = line(&template, &source, row, Mode::Values)?;
        lines.push(if escapes { escape_html(&text) } else { text });
    }
    if table.is_none() {
        lines.iter().try_for_each(|line| writeln!(output, "{line}"))?;
        return Ok(());
    }
    lines.insert(0, header);
    output.write_all(align(&lines, 10).as_bytes())?;
    Ok(())
}

fn escape_html(json: &str) -> String {
    json.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e")
}

fn line(template: &Template, source: &str, row: &Row, mode: Mode) -> Result<String> {
    let mut fields = row.fields.clone();
    // Not among the fields unless it is asked for, so that `json .` does not show it.
    if source.contains(".Label ") {
        fields.insert("Label".into(), Value::Object(row.labels.clone()));
    }
    template.render(&Value::Object(fields), mode).map_err(executing)
}

fn parsing(error: TemplateError) -> Error {
    Error::new(ErrorKind::Local, format!("failed to parse template: {error}"))
}

fn executing(error: TemplateError) -> Error {
    // A row is an object of fields, not a map with keys.
    let text = match error.to_string().split_once("map has no entry for key ") {
        Some((before, key)) => format!("{before}can't evaluate field {}", key.trim_matches('"')),
        None => error.to_string(),
    };
    Error::new(ErrorKind::Local, format!("failed to execute template: {text}"))
}

/// Docker reads `\t` and `\n` in a format that the shell has left as they are.
fn unescape(format: &str) -> String {
    format.replace("\\t", "\t").replace("\\n", "\n")
}

/// Columns as Go's tabwriter sets them for Docker: at least `least` wide, three blanks between, the last one unpadded.
pub fn align(lines: &[String], least: usize) -> String {
    let cells: Vec<Vec<&str>> = lines.iter().map(|line| line.split('\t').collect()).collect();
    let columns = cells.iter().map(Vec::len).max().unwrap_or(0);
    let mut widths = vec![0; columns];
    for row in &cells {
        for (width, cell) in widths.iter_mut().zip(&row[..row.len() - 1]) {
            *width = (*width).max(cell.chars().count() + 3).max(least);
        }
    }
    let mut text = String::new();
    for row in &cells {
        let (last, padded) = row.split_last().expect("a split has at least one part");
        for (cell, width) in padded.iter().zip(&widths) {
            text.push_str(&format!("{cell:<width$}"));
        }
        text.push_str(last);
        text.push('\n');
    }
    text
}

/// `text` at most `length` characters long, ending in `…` when it was cut.
pub fn ellipsis(text: &str, length: usize) -> String {
    match text.chars().count() <= length {
        true => text.to_string(),
        false => text.chars().take(length - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: Listing<'_> =
        Listing { default: "{{.ID}}\t{{.Name}}", titles: &[("ID", "CONTAINER ID"), ("Name", "NAMES")] };

    fn printed(format: &str) -> String {
        let row = |id: &str, name: &str| Row {
            labels: [("a".to_string(), Value::from(id))].into_iter().collect(),
            ..Row::new([("Name", name.to_string()), ("ID", id.to_string())])
        };
        let rows = [row("1", "boat"), row("0123456789ab", "é")];
        let mut output = Vec::new();
        match print(&mut output, &LISTING, format, &rows) {
            Ok(()) => String::from_utf8(output).unwrap(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn formats() {
        let formats = [
            "",
            "table {{.Name}}\\t{{.ID}}",
            "json",
            "{{.ID}}:{{.Name}}",
            "{{.Label \"a\"}}",
            "{{.Nosuch}}",
            "{{x}}",
        ];
        let text: String =
            formats.map(|format| format!("--format '{format}'\n{}\n", printed(format))).concat();
        insta::assert_snapshot!(text);
    }

    #[test]
    fn long_text_ends_in_an_ellipsis() {
        assert_eq!(ellipsis("0123456789", 10), "0123456789");
        assert_eq!(ellipsis("0123456789a", 10), "012345678…");
    }
}
