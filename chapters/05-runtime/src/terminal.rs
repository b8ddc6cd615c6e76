//! A pseudo-terminal of the container's own devpts, made from inside, its master handed out.
//!
//! Made outside, its slave would be a file of the host's devpts, which no path inside the container leads to.

use crate::{Error, Result};
use kernel::Strace;
use rustix::fs::{Mode, OFlags, fstat, fstatfs};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};
use rustix::pty::OpenptFlags;
use rustix::termios::Winsize;
use std::io::IoSlice;
use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

/// `DEVPTS_SUPER_MAGIC` (statfs(2)).
const DEVPTS: i64 = 0x1cd1;

/// Where the child sends the master, and where the runtime gets it.
pub fn console_sockets() -> Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
        .strace(|| "socketpair(AF_UNIX, SOCK_STREAM)".into())?)
}

/// In the child, inside its root: makes the terminal, sends its master, makes its slave the session's terminal and the
/// process's standard streams, and binds it over /dev/console.
pub fn set_up(socket: &OwnedFd, size: Option<(u16, u16)>, console: bool) -> Result<()> {
    let master = open_master()?;
    if let Some(size) = size {
        set_terminal_size(&master, size)?;
    }
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let slave =
        rustix::pty::ioctl_tiocgptpeer(&master, flags).strace(|| "ioctl(master, TIOCGPTPEER)".into())?;
    if console {
        chroot::bind_console(&slave)?;
    }
    send(socket, &master)?;
    rustix::process::ioctl_tiocsctty(&slave).strace(|| "ioctl(slave, TIOCSCTTY)".into())?;
    become_standard_streams([&slave, &slave, &slave])
}

/// The image decides what /dev/ptmx is unless a devpts is mounted: believe only what the kernel says of the open file.
fn open_master() -> Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let master =
        rustix::fs::open("/dev/ptmx", flags, Mode::empty()).strace(|| "open(\"/dev/ptmx\")".into())?;
    let kind = fstatfs(&master).strace(|| "fstatfs(ptmx)".into())?.f_type;
    let device = fstat(&master).strace(|| "fstat(ptmx)".into())?.st_rdev;
    if kind as i64 != DEVPTS || device != rustix::fs::makedev(5, 2) {
        return Err(Error::system("/dev/ptmx is not the master of a devpts"));
    }
    rustix::pty::unlockpt(&master).strace(|| "ioctl(master, TIOCSPTLCK, 0)".into())?;
    Ok(master)
}

/// Columns and rows of a terminal.
pub fn set_terminal_size(master: &OwnedFd, (columns, rows): (u16, u16)) -> Result<()> {
    let size = Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 };
    Ok(rustix::termios::tcsetwinsize(master, size).strace(|| "ioctl(master, TIOCSWINSZ)".into())?)
}

/// Makes three descriptors 0, 1 and 2, which are inherited.
pub fn become_standard_streams([stdin, stdout, stderr]: [&OwnedFd; 3]) -> Result<()> {
    rustix::stdio::dup2_stdin(stdin).strace(|| "dup2(stdin, 0)".into())?;
    rustix::stdio::dup2_stdout(stdout).strace(|| "dup2(stdout, 1)".into())?;
    Ok(rustix::stdio::dup2_stderr(stderr).strace(|| "dup2(stderr, 2)".into())?)
}

/// One byte of message, because a descriptor does not travel alone. Its text is what runc sends: the terminal's name.
pub fn send(socket: &OwnedFd, master: &OwnedFd) -> Result<()> {
    let descriptors = [master.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&descriptors));
    let name = IoSlice::new(b"/dev/ptmx");
    rustix::net::sendmsg(socket, &[name], &mut control, SendFlags::NOSIGNAL)
        .strace(|| "sendmsg(console socket, SCM_RIGHTS)".into())?;
    Ok(())
}

/// The master that the child has sent.
pub fn receive(socket: &OwnedFd) -> Result<OwnedFd> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut name = [0; 64];
    let mut parts = [IoSliceMut::new(&mut name)];
    rustix::net::recvmsg(socket, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC)
        .strace(|| "recvmsg(console socket)".into())?;
    let master = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    master.ok_or_else(|| Error::system("the child sent no terminal"))
}
