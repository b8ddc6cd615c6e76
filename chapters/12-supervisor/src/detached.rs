//! The chapter's commands: each a few calls of the library.

use std::error::Error;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use supervisor::{Event, Kind, Launch, LogFile, VERSION, connect, read_exit};

type Done = Result<ExitCode, Box<dyn Error>>;

/// Starts a command in a run directory of its own.
pub fn run(rootfs: Option<PathBuf>, command: Vec<String>) -> Done {
    let id = format!("supervisor-{}", std::process::id());
    let run_dir = std::env::temp_dir().join(&id);
    std::fs::DirBuilder::new().mode(0o700).create(&run_dir)?;
    let root = match rootfs {
        Some(folder) => std::path::absolute(folder)?,
        None => run_dir.join("rootfs"),
    };
    if root.starts_with(&run_dir) {
        chroot::built_in_rootfs(&root)?;
    }
    let ordinary = !nix::unistd::geteuid().is_root();
    let user = (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw());
    let mut spec = runtime::default_spec(ordinary.then_some(user))?;
    if let Some(mut process) = spec.process().clone() {
        process.set_args(Some(command)).set_terminal(Some(false));
        spec.set_process(Some(process));
    }
    spec.save(run_dir.join("config.json"))?;
    let launch = Launch {
        version: VERSION,
        kind: Kind::Container {
            root: chroot::Root::Folder(root),
            cgroup: (!ordinary).then(|| format!("/coracle/{id}")),
        },
        id,
        terminal: false,
        console_size: None,
        open_stdin: false,
        stdin_once: false,
        log: Some(LogFile { path: run_dir.join("log"), max_size: None, max_file: 1 }),
        runtime: None,
    };
    let started = supervisor::launch(&run_dir, &launch).and_then(|(connection, _)| connection.start());
    if let Err(error) = started {
        std::fs::remove_dir_all(&run_dir)?;
        return Err(error.into());
    }
    println!("{}", run_dir.display());
    Ok(ExitCode::SUCCESS)
}

/// Prints the log, each stream where it belongs.
pub fn logs(run_dir: &Path) -> Done {
    for line in std::fs::read_to_string(run_dir.join("log"))?.lines() {
        let record: serde_json::Value = serde_json::from_str(line)?;
        let text = record["log"].as_str().unwrap_or_default();
        if record["stream"] == "stderr" {
            eprint!("{text}");
        } else {
            print!("{text}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Sends a signal; a container that has ended is an error.
pub fn kill(run_dir: &Path, signal: &str) -> Done {
    let number = runtime::signals::parse(signal).ok_or_else(|| format!("unknown signal {signal}"))?;
    connect(run_dir)?.ok_or("the container does not run")?.signal(number)?;
    Ok(ExitCode::SUCCESS)
}

/// Waits for the supervisor to tell, or finds what it wrote before.
pub fn wait(run_dir: &Path) -> Done {
    if let Some(connection) = connect(run_dir)? {
        while !matches!(connection.next_event()?, Some(Event::Exited(_)) | None) {}
    }
    let exit =
        read_exit(run_dir)?.ok_or("the supervisor was killed: nobody knows how the container ended")?;
    std::fs::remove_dir_all(run_dir)?;
    Ok(ExitCode::from(exit.code as u8))
}
