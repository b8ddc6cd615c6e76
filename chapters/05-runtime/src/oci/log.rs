//! What goes wrong is said: on standard error for whoever reads it, and in the log for whoever called: containerd takes its
//! message from there.

use super::General;
use std::io::Write;

/// An error, in both places; with `--debug` in the log's form always.
pub fn report(general: &General, error: &crate::Error) {
    let message = error.to_string();
    eprintln!("coracle-oci: error: {message}");
    if general.log.is_some() || general.debug {
        write(general, "error", &message);
    }
}

/// A line in the log; without one, on standard error.
pub fn write(general: &General, level: &str, message: &str) {
    let time = crate::clock::now();
    let line = match general.log_format.as_str() {
        "json" => serde_json::json!({"level": level, "msg": message, "time": time}).to_string(),
        _ => format!("time=\"{time}\" level={level} msg={message:?}"),
    };
    let Some(path) = &general.log else {
        eprintln!("{line}");
        return;
    };
    let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
    if let Err(error) = file.and_then(|mut file| writeln!(file, "{line}")) {
        eprintln!("coracle-oci: warning: {}: {error}", path.display());
    }
}
