//! SIOCSIFFLAGS (netdevice(7)): a network device up, in one call and without netlink.

use crate::{Result, Strace};
use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use std::ffi::CStr;
use std::os::fd::AsRawFd;

/// Sets `IFF_UP` on a device of the caller's network namespace. Errors: ENODEV for no such device, EPERM, EINVAL for a name
/// of more than 15 bytes.
pub fn set_link_up(name: &CStr) -> Result<()> {
    let call = || format!("ioctl(socket, SIOCSIFFLAGS, {{ifr_name={name:?}, ifr_flags=IFF_UP}})");
    let bytes = name.to_bytes_with_nul();
    if bytes.len() > libc::IFNAMSIZ {
        return Err(Errno::EINVAL).strace(call);
    }
    let socket =
        socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None).strace(call)?;
    // SAFETY: ifreq is a name and a union of integers and addresses, for which all zeroes is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(bytes) {
        *to = *from as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
    // SAFETY: the call reads one ifreq, which outlives it; its name ends with a zero, its length was checked above.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &raw const request) };
    Errno::result(result).map(drop).strace(call)
}
