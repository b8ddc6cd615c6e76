//! The diagrams of the book: the chapters' own functions, asked and drawn.
//!
//! A diagram is a state of plain data. An event makes another state of it; the drawing, the controls and the words that say the
//! same are functions of the state. So a snapshot covers a drawing without a browser, and a page's script carries events only.
#![forbid(unsafe_code)]

mod capability_sets;
mod cgroup_tree;
mod controls;
mod diagram;
mod drawing;
mod id_maps;
mod live;
mod mount_plan;
mod seccomp_filter;
mod spawn;

pub use capability_sets::{CapabilitySets, Has, Names, Set, Switch};
pub use cgroup_tree::{CgroupTree, Runs, Settings};
pub use controls::{Choice, Control, Kind};
pub use diagram::{Diagram, content, next};
pub use id_maps::{IdMaps, Mount, Process, Seen};
pub use live::{Kernel, Plan, Row, Verdict, html as live};
pub use mount_plan::{MountPlan, Side, carried_out, root_spec};
pub use seccomp_filter::{Answer, Arguments, By, Made, SeccompFilter, Whose};
pub use spawn::{Caller, Maps, Outcome, Spawn};
