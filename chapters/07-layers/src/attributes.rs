//! Owners, modes, times and extended attributes, in the order that the kernel needs: a change of owner clears setuid bits and file
//! capabilities, so the owner comes first, then attributes, then the mode; the time comes last.
//!
//! An ordinary user cannot give files away. Then all files are the user's own (root, seen from a container that maps the user to
//! 0), and what the layer said is kept in extended attributes of the file itself:
//!
//! | attribute | value |
//! |---|---|
//! | `user.coracle.owner` | `uid:gid`, unless it is `0:0` |
//! | `user.coracle.device` | `c 1:3` or `b 8:0`, of a device that became an empty file |
//! | `user.coracle.xattr.NAME` | an attribute that only root may set, such as `security.capability` |
//!
//! Links and pipes can have no `user.` attributes (xattr(7)): what they would keep is lost.
//!
//! Root of a user namespace stands between: files get those owners that the namespace has, and file capabilities, which hold in
//! there alone (capabilities(7), "Namespaced file capabilities"). What it cannot set is kept in the same way.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Gid, Mode, Timespec, Timestamps, Uid, XattrFlags};
use rustix::io::Errno;

use crate::entry::Attributes;
use crate::{Error, Result};

/// Who unpacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// Root: files get their owners.
    True,
    /// Root of a user namespace: files get their owners as far as these are in its id maps; others stay root's.
    Mapped,
    /// An ordinary user: files stay the user's.
    Squashed,
}

impl Ownership {
    /// The attribute by which overlayfs knows a folder that hides all below (with `userxattr` for an ordinary user).
    pub(crate) fn opaque(self) -> &'static str {
        match self {
            Ownership::True => "trusted.overlay.opaque",
            Ownership::Mapped | Ownership::Squashed => "user.overlay.opaque",
        }
    }

    /// Of who is root of the machine, or an ordinary user with one id.
    pub fn of(rootless: bool) -> Ownership {
        if rootless { Ownership::Squashed } else { Ownership::True }
    }

    fn may_set(self, xattr: &str) -> bool {
        xattr.starts_with("user.") || self == Ownership::Mapped && xattr == "security.capability"
    }

    /// Makes a file its owner's; false if it cannot be, and stays root's. A call that fails is an error.
    fn give(self, owner: (u32, u32), chown: impl FnOnce() -> rustix::io::Result<()>) -> Result<bool> {
        if self == Ownership::Squashed {
            return Ok(owner == (0, 0));
        }
        match chown() {
            // No such id in this namespace.
            Err(Errno::INVAL) if self == Ownership::Mapped => Ok(false),
            done => {
                done.map(|()| true).map_err(|e| Error::system(format!("chown({}, {})", owner.0, owner.1), e))
            }
        }
    }

    /// The extended attributes that a file gets. `is_given`: it belongs to its owner already.
    fn xattrs(self, attributes: &Attributes, is_given: bool) -> Vec<(String, Vec<u8>)> {
        if self == Ownership::True {
            return attributes.xattrs.clone();
        }
        let kept = attributes.xattrs.iter().map(|(name, value)| {
            let name = if self.may_set(name) { name.clone() } else { format!("user.coracle.xattr.{name}") };
            (name, value.clone())
        });
        let owner = (attributes.uid, attributes.gid);
        let owner =
            (!is_given).then(|| ("user.coracle.owner".into(), format!("{}:{}", owner.0, owner.1).into()));
        kept.chain(owner).collect()
    }
}

/// All attributes of a new file.
pub(crate) fn set_on_file(file: BorrowedFd<'_>, attributes: &Attributes, ownership: Ownership) -> Result<()> {
    let (uid, gid) = owner(attributes);
    let is_given =
        ownership.give((attributes.uid, attributes.gid), || match (attributes.uid, attributes.gid) {
            (0, 0) => Ok(()),
            _ => rustix::fs::fchown(file, uid, gid),
        })?;
    for (name, value) in ownership.xattrs(attributes, is_given) {
        let set = rustix::fs::fsetxattr(file, &name, &value, XattrFlags::empty());
        tolerate(&name, set, ownership)?;
    }
    rustix::fs::fchmod(file, Mode::from_raw_mode(attributes.mode))
        .map_err(|e| Error::system("fchmod()", e))?;
    rustix::fs::futimens(file, &times(attributes)).map_err(|e| Error::system("futimens()", e))
}

/// Owner and extended attributes of a new folder, link, pipe or device.
pub(crate) fn set_owner(
    folder: &OwnedFd,
    name: &[u8],
    attributes: &Attributes,
    ownership: Ownership,
) -> Result<()> {
    let (uid, gid) = owner(attributes);
    let is_given = ownership.give((attributes.uid, attributes.gid), || {
        rustix::fs::chownat(folder, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)
    })?;
    for (key, value) in ownership.xattrs(attributes, is_given) {
        let set = rustix::fs::lsetxattr(place(folder, name), &key, &value, XattrFlags::empty());
        // EPERM is the kernel's answer for a `user.` attribute of a link or a pipe.
        let set = if set == Err(Errno::PERM) && ownership != Ownership::True { Ok(()) } else { set };
        tolerate(&key, set, ownership)?;
    }
    Ok(())
}

/// Mode and time of a folder, a pipe or a device: `name` must be no link.
pub(crate) fn set_mode_and_time(folder: &OwnedFd, name: &[u8], attributes: &Attributes) -> Result<()> {
    let mode = Mode::from_raw_mode(attributes.mode);
    rustix::fs::chmodat(folder, name, mode, AtFlags::empty()).map_err(|e| Error::system("fchmodat()", e))?;
    set_time(folder, name, attributes)
}

/// The time alone: all that a link has of its own.
pub(crate) fn set_time(folder: &OwnedFd, name: &[u8], attributes: &Attributes) -> Result<()> {
    let set = rustix::fs::utimensat(folder, name, &times(attributes), AtFlags::SYMLINK_NOFOLLOW);
    set.map_err(|e| Error::system("utimensat()", e))
}

/// Lets a folder hide everything that layers below have in it.
pub(crate) fn make_opaque(folder: &OwnedFd, name: &[u8], ownership: Ownership) -> Result<()> {
    let set = rustix::fs::lsetxattr(place(folder, name), ownership.opaque(), b"y", XattrFlags::empty());
    set.map_err(|e| Error::system(format!("lsetxattr({}, \"y\")", ownership.opaque()), e))
}

/// There is no lsetxattrat before Linux 6.13: the way through /proc leads to the same file, whatever its path is by now.
fn place(folder: &OwnedFd, name: &[u8]) -> Vec<u8> {
    [format!("/proc/self/fd/{}/", folder.as_raw_fd()).as_bytes(), name].concat()
}

/// A file system without extended attributes loses `user.` ones, of which no program depends; losing any other is an error.
fn tolerate(name: &str, set: rustix::io::Result<()>, ownership: Ownership) -> Result<()> {
    match set {
        Err(Errno::OPNOTSUPP) if name.starts_with("user.") || ownership == Ownership::Squashed => Ok(()),
        set => set.map_err(|e| Error::system(format!("setxattr({name})"), e)),
    }
}

fn owner(attributes: &Attributes) -> (Option<Uid>, Option<Gid>) {
    (Some(Uid::from_raw(attributes.uid)), Some(Gid::from_raw(attributes.gid)))
}

fn times(attributes: &Attributes) -> Timestamps {
    let (seconds, nanoseconds) = attributes.modified;
    let time = Timespec { tv_sec: seconds, tv_nsec: nanoseconds.into() };
    Timestamps { last_access: time, last_modification: time }
}
