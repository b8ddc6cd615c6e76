//! Go's text/template, as far as `--format` needs it: pipelines, if, with, range, variables, and Docker's functions.

mod evaluate;
mod functions;
mod lexer;
mod parser;
mod text;

use serde_json::Value;
use std::fmt;

/// A parsed template.
#[derive(Debug)]
pub struct Template {
    nodes: Vec<parser::Node>,
    source: String,
}

/// Why a template cannot be read or applied, in the words of Go's package.
#[derive(Debug, PartialEq)]
pub struct TemplateError(pub String);

/// What differs between rendering an object and rendering a table's header line.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Mode {
    /// Fields are values.
    #[default]
    Values,
    /// Fields are column titles, which Docker's functions leave alone.
    Headers,
}

impl Template {
    /// Reads a template.
    pub fn parse(source: &str) -> Result<Template, TemplateError> {
        let nodes = parser::parse(source)?;
        Ok(Template { nodes, source: source.to_string() })
    }

    /// Applies it to `dot`.
    pub fn render(&self, dot: &Value, mode: Mode) -> Result<String, TemplateError> {
        evaluate::render(&self.nodes, &self.source, dot, mode)
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "template: {}", self.0)
    }
}

impl std::error::Error for TemplateError {}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn render(template: &str) -> String {
        let dot = json!({
            "Name": "/boat", "Id": "0123456789ab", "Size": 42, "Ok": true, "Off": false, "None": null,
            "Args": ["-c", "echo <hi>"], "Labels": {"b": "2", "a": "1"}, "Empty": [], "Ratio": 0.5,
            "State": {"Pid": 7, "Status": "running"}, "Nets": {"bridge": {"IP": "172.17.0.2"}},
        });
        match Template::parse(template).and_then(|parsed| parsed.render(&dot, Mode::Values)) {
            Ok(text) => text,
            Err(error) => error.to_string(),
        }
    }

    fn all(templates: &[&str]) -> String {
        templates.iter().map(|template| format!("{template}\n  {:?}\n", render(template))).collect()
    }

    #[test]
    fn values() {
        insta::assert_snapshot!(all(&[
            "plain",
            "{{.Name}} {{ .State.Pid }} {{.Ratio}} {{.Ok}}",
            "{{.Args}} {{.Labels}} {{.None}} {{.Empty}}",
            "{{json .Args}} {{json .Labels}} {{json .Name}}",
            "{{.Labels.a}} {{index .Labels \"b\"}} {{index .Args 1}} {{index .Labels \"nosuch\"}}",
            "a {{- .Size -}} b {{/* nothing */}}c",
            "{{\"\\t\\\"q\\\"\"}}{{`raw\\n`}}{{'x'}}",
        ]));
    }

    #[test]
    fn control() {
        insta::assert_snapshot!(all(&[
            "{{if .Off}}yes{{else if .Empty}}maybe{{else}}no{{end}}",
            "{{with .State}}{{.Status}} {{$.Name}}{{end}}{{with .None}}x{{else}}y{{end}}",
            "{{range .Args}}[{{.}}]{{end}}{{range .Empty}}x{{else}}none{{end}}",
            "{{range $index, $arg := .Args}}{{$index}}={{$arg}};{{end}}",
            "{{range $name, $net := .Nets}}{{$name}} {{$net.IP}}{{end}}",
            "{{range .Labels}}{{.}}{{end}}",
            "{{$x := .Size}}{{if .Ok}}{{$x = 1}}{{end}}{{$x}}",
            "{{range .Args}}{{break}}{{end}}{{range .Args}}{{continue}}never{{end}}",
        ]));
    }

    #[test]
    fn functions() {
        insta::assert_snapshot!(all(&[
            "{{len .Args}} {{len .Name}} {{slice .Id 0 4}}",
            "{{eq .State.Status \"running\"}} {{ne .Size 42}} {{lt 1 2}} {{ge .Size 43}} {{eq .Size 1 42}}",
            "{{and .Ok .Off}} {{or .Off .Name}} {{not .Off}}",
            "{{printf \"%s|%5d|%-4s|%q|%v|%x|%05.1f|%%\" .Name .Size \"ab\" .Id .Args 255 .Ratio}}",
            "{{print 1 2 \"a\" \"b\" 3}} {{println .Size}}",
            "{{.Name | upper | printf \"%s!\"}} {{join .Args \",\"}} {{json (split \"a,b\" \",\")}}",
            "{{title \"ab cd\"}} {{lower \"AB\"}} {{pad \"x\" 1 2}}| {{truncate .Id 3}}",
            "{{(index .Nets \"bridge\").IP}}",
        ]));
    }

    #[test]
    fn refusals() {
        insta::assert_snapshot!(all(&[
            "{{.Nosuch}}",
            "{{.State.Nosuch}}",
            "{{nosuch .Name}}",
            "{{.",
            "{{if .Ok}}",
            "{{end}}",
            "{{index .Args 9}}",
            "{{.Name.Sub}}",
            "{{\"open}}",
            "{{len 3}}",
            "{{template \"x\"}}",
            "{{eq .Name 3}}",
            "{{$nosuch}}",
        ]));
    }

    #[test]
    fn header_functions_leave_titles_alone() {
        let titles = json!({"ID": "CONTAINER ID"});
        let parsed = Template::parse("{{lower .ID}} {{json .ID}} {{truncate .ID 3}}").unwrap();
        assert_eq!(parsed.render(&titles, Mode::Headers).unwrap(), "CONTAINER ID CONTAINER ID CONTAINER ID");
    }
}
