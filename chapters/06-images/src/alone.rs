//! One container for the chapters of images: an image's config over some root, the command waited for, nothing left.
//! Chapters 07 and 08 bring this same file in, each with a root of its own.

use std::error::Error;
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::ExitCode;

use chroot::Root;
use images::RunConfig;
use nix::unistd::{Pid, getegid, geteuid};
use oci_spec::runtime::{Spec, UserBuilder};
use runtime::{Bundle, Stdio};

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Runs an image's command, or the one given instead, in `root`; returns its exit code.
pub fn run(root: Root, config: &RunConfig, command: Vec<String>) -> Result<ExitCode> {
    let bundle = Bundle {
        id: format!("image-{}", std::process::id()),
        spec: spec(config, command)?,
        root,
        cgroup: None,
        preserved_descriptors: 0,
        folder: "/".into(),
        keeps_keyring: false,
        rootless: !kernel::is_root(),
    };
    // What streams layers has threads; the last of them is on its way out.
    while kernel::thread_count() > 1 {
        std::thread::yield_now();
    }
    let mut created = runtime::create(&bundle, inherited()?)?;
    created.start()?;
    let code = namespaces::exit_code_of(Pid::from_raw(created.identity.pid));
    created.destroy();
    Ok(code)
}

/// A folder that goes when the value does: for what a reader has not asked to keep.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new() -> Result<Scratch> {
        let path = std::env::temp_dir().join(format!("coracle-chapter-{}", std::process::id()));
        std::fs::create_dir(&path)?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        use std::os::unix::fs::PermissionsExt;
        // overlayfs leaves a folder that nobody may enter. Of errors there is nobody to tell.
        let _ = std::fs::set_permissions(self.0.join("work/work"), PermissionsExt::from_mode(0o700));
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The image's config in the words of the OCI runtime.
fn spec(config: &RunConfig, command: Vec<String>) -> Result<Spec> {
    let rootless = (!geteuid().is_root()).then(|| (geteuid().as_raw(), getegid().as_raw()));
    let mut spec = runtime::default_spec(rootless)?;
    let arguments = arguments(config, command);
    if arguments.is_empty() {
        return Err("no command specified: neither the image nor the command line has one".into());
    }
    let user = user(&config.user)?;
    if let Some(process) = spec.process_mut() {
        let mut environment = process.env().clone().unwrap_or_default();
        environment
            .retain(|line| !config.env.iter().any(|own| own.split('=').next() == line.split('=').next()));
        environment.extend(config.env.iter().cloned());
        process.set_terminal(Some(false)).set_args(Some(arguments)).set_env(Some(environment)).set_user(user);
        if !config.working_dir.is_empty() {
            process.set_cwd(config.working_dir.clone().into());
        }
    }
    if let Some(root) = spec.root_mut() {
        root.set_readonly(Some(false));
    }
    Ok(spec)
}

/// An entrypoint stays before whatever is run; the command line replaces only the image's command.
fn arguments(config: &RunConfig, command: Vec<String>) -> Vec<String> {
    let command = if command.is_empty() { config.cmd.clone().unwrap_or_default() } else { command };
    config.entrypoint.iter().flatten().cloned().chain(command).collect()
}

fn user(text: &str) -> Result<oci_spec::runtime::User> {
    let (user, group) = text.split_once(':').unwrap_or((text, ""));
    let number = |word: &str| match word {
        "" => Ok(0u32),
        word => {
            word.parse().map_err(|_| format!("the user {text:?} is a name: only the engine looks names up"))
        }
    };
    Ok(UserBuilder::default().uid(number(user)?).gid(number(group)?).build()?)
}

fn inherited() -> io::Result<Stdio> {
    Ok(Stdio::Files([
        io::stdin().as_fd().try_clone_to_owned()?,
        io::stdout().as_fd().try_clone_to_owned()?,
        io::stderr().as_fd().try_clone_to_owned()?,
    ]))
}

/// As a shell has it: 127 for a command that is not there, 126 for one that cannot be executed.
pub fn exit_code(error: &(dyn Error + 'static)) -> ExitCode {
    match error.downcast_ref().map(runtime::Error::kind) {
        Some(runtime::ErrorKind::CommandNotFound) => ExitCode::from(127),
        Some(runtime::ErrorKind::CommandNotExecutable) => ExitCode::from(126),
        _ => ExitCode::FAILURE,
    }
}
