//! Long tail: `ps`, a container's processes as the host numbers them.

use super::freezing::cgroup;
use super::printing::print;
use super::store::Store;
use crate::{Error, Result};
use clap::Args;
use kernel::Strace;
use std::process::{Command, Stdio};

#[derive(Args)]
pub struct Ps {
    /// A table, as ps(1) prints it, or JSON: a list of numbers
    #[arg(short, long, default_value = "table", value_parser = ["table", "json"])]
    format: String,
    /// The container
    id: String,
    /// Options for ps(1) [default: -ef]
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<String>,
}

impl Ps {
    pub fn run(&self, store: &Store) -> Result<u8> {
        let pids = cgroup(&store.look(&self.id)?, "ps")?.all_pids()?;
        if self.format == "json" {
            return print(&serde_json::json!(pids).to_string());
        }
        let default = ["-ef".to_string()];
        let options = if self.options.is_empty() { &default[..] } else { &self.options };
        let mut ps = Command::new("ps");
        let output = ps.args(options).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
        if let Err(error) = &output
            && error.kind() == std::io::ErrorKind::NotFound
        {
            let why = "ps: not found in $PATH: install it (procps), or ask for numbers with --format json";
            return Err(Error::invalid(why));
        }
        let output = output.strace(|| format!("execve(\"ps\", {options:?})"))?;
        if !output.status.success() {
            return Err(Error::system(format!("ps {}: {}", options.join(" "), output.status)));
        }
        print(&rows(&String::from_utf8_lossy(&output.stdout), &pids)?.join("\n"))
    }
}

/// The title, and the lines that are about these processes.
fn rows<'a>(table: &'a str, pids: &[i32]) -> Result<Vec<&'a str>> {
    let title = table.lines().next().unwrap_or_default();
    let column = title.split_whitespace().position(|name| name == "PID");
    let column = column.ok_or_else(|| Error::invalid("ps: its options must keep the column PID"))?;
    let is_inside = |line: &&str| {
        let pid = line.split_whitespace().nth(column).and_then(|word| word.parse().ok());
        pid.is_some_and(|pid: i32| pids.contains(&pid))
    };
    Ok(std::iter::once(title).chain(table.lines().skip(1).filter(is_inside)).collect())
}

#[cfg(test)]
mod tests {
    use super::rows;

    #[test]
    fn lines_of_other_processes_are_left_out() {
        let table = "UID   PID  CMD\nroot    7  seven 8\nroot    8  eight\nroot   70  seventy\n";
        assert_eq!(
            rows(table, &[7, 70]).unwrap(),
            ["UID   PID  CMD", "root    7  seven 8", "root   70  seventy"]
        );
        assert!(rows("CMD\nsh\n", &[7]).is_err());
    }
}
