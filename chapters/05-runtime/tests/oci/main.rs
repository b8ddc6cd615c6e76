//! coracle-oci as its callers meet it. Needs root, and busybox.
#![forbid(unsafe_code)]

mod added;
mod asked;
mod callers;
mod confinement;
mod cri;
mod criu;
mod entry;
mod fields;
mod hooks;
mod inject;
mod life;
mod limits;
mod mounts;
mod net_devices;
mod ranges;
mod selinux;
mod site;
mod table;
mod verbs;
