//! Long tail: the socket on which another runtime hands over the master of a terminal that it has made (`--console-socket`).

use crate::{Failure, packets};
use kernel::{Strace, SysError};
use rustix::fs::{Mode, OFlags};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, listen};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

const NAME: &str = "console.sock";

/// It listens.
pub struct Console {
    listener: OwnedFd,
    folder: OwnedFd,
}

impl Console {
    /// Listens in a folder.
    pub fn listen(folder: &Path) -> Result<Console, Failure> {
        Console::try_listen(folder).map_err(|error| Failure::system(&error))
    }

    fn try_listen(folder: &Path) -> Result<Console, SysError> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = rustix::fs::open(folder, flags, Mode::empty());
        let folder = opened.strace(|| format!("open({folder:?}, O_PATH)"))?;
        // The runtime has sent everything when it is done, so that nobody ever waits here.
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let listener = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
            .strace(|| "socket(AF_UNIX, SOCK_STREAM)".into())?;
        let console = Console { listener, folder };
        let address = SocketAddrUnix::new(console.path()).strace(|| "an address".into())?;
        bind(&console.listener, &address)
            .and_then(|()| listen(&console.listener, 1))
            .strace(|| format!("bind({:?})", console.path()))?;
        Ok(console)
    }

    /// How the runtime finds it. A Unix address has 107 bytes at most, and the folder may lie deeper.
    pub fn path(&self) -> PathBuf {
        format!("/proc/{}/fd/{}/{NAME}", std::process::id(), self.folder.as_raw_fd()).into()
    }

    /// What a runtime that is done has sent.
    pub fn terminal(&self, size: Option<(u16, u16)>) -> Result<OwnedFd, Failure> {
        let accepted = packets::retried(|| accept_with(&self.listener, SocketFlags::CLOEXEC));
        let connection = accepted.strace(|| "accept4(console socket)".into());
        let connection = connection.map_err(|error| Failure::system(&error))?;
        let master = runtime::receive_terminal(&connection)?;
        if let Some(size) = size {
            runtime::set_terminal_size(&master, size)?;
        }
        Ok(master)
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        let _ = rustix::fs::unlinkat(&self.folder, NAME, rustix::fs::AtFlags::empty());
    }
}
