//! Long tail: groups that systemd makes. It wants to be the only one who writes in its tree (systemd.io/CGROUP_DELEGATION), so it is asked for
//! a scope: a unit that begins with a process that is there already (systemd.scope(5)). Below a scope that is delegated we may write.
//!
//! ```text
//! Unit::named ─▶ scope, limits: properties, plain data    the process exists, and waits
//!                StartTransientUnit ─▶ JobRemoved         systemd has made the group and put the process into it
//!                SetUnitProperties                        limits that systemd knows: it would set others back when it is reloaded
//!                the plan's files                         all limits: those that systemd does not know, and to the microsecond
//! ```

mod devices;
mod properties;
mod unit;

#[cfg(all(target_os = "linux", feature = "systemd"))]
mod bus;
#[cfg(all(target_os = "linux", not(feature = "systemd")))]
mod no_bus;
#[cfg(target_os = "linux")]
mod scope;

pub use properties::{Property, Value, limits, scope};
pub use unit::Unit;

#[cfg(target_os = "linux")]
pub use scope::{available, is_a_users, start, stop, update};

/// Whether this build can ask systemd at all: it has the cargo feature `systemd`.
pub const IS_BUILT_IN: bool = cfg!(feature = "systemd");
