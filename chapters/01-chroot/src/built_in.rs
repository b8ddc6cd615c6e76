//! x
pub fn built_in_rootfs() {}
