//! The loopback device of a new network namespace is down: programs that speak to themselves want it up (netdevice(7)).

/// Brings `lo` up in the caller's network namespace.
pub fn bring_loopback_up() -> kernel::Result<()> {
    kernel::set_link_up(c"lo")
}
