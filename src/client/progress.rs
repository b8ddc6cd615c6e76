//! The stream of JSON messages with which a daemon tells how a pull, a load or an import gets on.

use super::failure::{Error, ErrorKind, Result};
use super::units::human_size;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};

/// Shows messages as they come. On a terminal each layer has a line that is redrawn; elsewhere a line is printed once for
/// every change that is no mere count. An error among them ends it.
pub fn show(messages: impl Read, output: &mut dyn Write, terminal: Option<ProgressDrawTarget>) -> Result<()> {
    let mut lines = terminal.map(Lines::new);
    for line in BufReader::new(messages).lines() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let message: Value = serde_json::from_str(&line).map_err(|error| {
            Error::new(ErrorKind::Connection, format!("malformed message {line:?}: {error}"))
        })?;
        if let Some(error) = failure(&message) {
            return Err(error);
        }
        match &mut lines {
            Some(lines) => lines.show(&message),
            None => print(output, &message)?,
        }
    }
    Ok(())
}

fn failure(message: &Value) -> Option<Error> {
    let detail = &message["errorDetail"];
    let text = detail["message"].as_str().or(message["error"].as_str())?;
    let status = detail["code"].as_u64().and_then(|code| u16::try_from(code).ok()).filter(|code| *code != 0);
    Some(Error::new(ErrorKind::Daemon(status.unwrap_or(500)), text))
}

fn print(output: &mut dyn Write, message: &Value) -> Result<()> {
    if counts(message).is_some() {
        return Ok(());
    }
    if let Some(stream) = message["stream"].as_str() {
        output.write_all(stream.as_bytes())?;
        return Ok(());
    }
    let status = message["status"].as_str();
    match (status, message["id"].as_str().filter(|id| !id.is_empty())) {
        (Some(status), Some(id)) => writeln!(output, "{id}: {status}")?,
        (Some(status), None) => writeln!(output, "{status}")?,
        // `aux` messages are for programs.
        (None, _) => {}
    }
    Ok(())
}

/// How much of how much; the total may be unknown.
fn counts(message: &Value) -> Option<(u64, u64)> {
    let detail = &message["progressDetail"];
    let count = |name: &str| detail[name].as_u64().unwrap_or(0);
    (count("current") > 0 || count("total") > 0).then(|| (count("current"), count("total")))
}

/// Lines on a terminal.
struct Lines {
    all: MultiProgress,
    by_id: HashMap<String, ProgressBar>,
}

impl Lines {
    fn new(target: ProgressDrawTarget) -> Lines {
        Lines { all: MultiProgress::with_draw_target(target), by_id: HashMap::new() }
    }

    fn show(&mut self, message: &Value) {
        let text = message["status"].as_str().or(message["stream"].as_str()).unwrap_or_default().trim_end();
        if text.is_empty() {
            return;
        }
        let Some(id) = message["id"].as_str().filter(|id| !id.is_empty()) else {
            // Nothing is to be done about a terminal that cannot be written to.
            let _ = self.all.println(text);
            return;
        };
        let line = self.by_id.entry(id.to_string()).or_insert_with(|| {
            let style =
                ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
            self.all.add(ProgressBar::no_length().with_style(style))
        });
        line.set_message(format!("{id}: {text}{}", counts(message).map(bar).unwrap_or_default()));
        line.tick();
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.by_id.values().for_each(ProgressBar::abandon);
    }
}

/// ` [=====>    ]  5.1MB/9.3MB`
fn bar((current, total): (u64, u64)) -> String {
    const WIDTH: u64 = 50;
    let size = |bytes: u64| human_size(bytes as f64, 4);
    if total == 0 || current > total {
        return format!(" {}", size(current));
    }
    let done = (current * WIDTH / total) as usize;
    let head = if done < WIDTH as usize { ">" } else { "" };
    let left = (WIDTH as usize).saturating_sub(done + head.len());
    format!(" [{}{head}{}] {}/{}", "=".repeat(done), " ".repeat(left), size(current), size(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_terminal_counts_are_left_out() {
        let messages = concat!(
            r#"{"status":"Pulling from library/busybox","id":"latest"}"#,
            "\r\n",
            r#"{"status":"Pulling fs layer","progressDetail":{},"id":"0123"}"#,
            "\r\n",
            r#"{"status":"Downloading","progressDetail":{"current":1,"total":9},"progress":"[>]","id":"0123"}"#,
            "\r\n",
            r#"{"status":"Status: Downloaded"}"#,
            "\r\n",
            r#"{"stream":"Loaded image: x\n"}"#,
            "\r\n",
            r#"{"errorDetail":{"message":"no"},"error":"no"}"#,
        );
        let mut output = Vec::new();
        let error = show(messages.as_bytes(), &mut output, None).unwrap_err();
        assert_eq!(error.to_string(), "no");
        insta::assert_snapshot!(String::from_utf8(output).unwrap());
    }

    #[test]
    fn bars() {
        let bars = [(0, 100), (50, 100), (100, 100), (7, 0), (1_500_000, 9_000_000)].map(bar);
        insta::assert_snapshot!(bars.join("\n"));
    }
}
