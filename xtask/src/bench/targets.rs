//! The ratios to be reached: one table, so that a target is changed in one place.

use super::report::Report;
use std::fmt;

/// The name under which our binaries are measured.
pub const OURS: &str = "coracle";

/// Our own command line against our own daemon, where the other rows use Docker's.
pub const OUR_CLIENT: &str = "coracle, own client";

/// A contender's figure, or a limit by itself.
#[derive(Clone, Copy)]
pub enum Against {
    /// The same work, done by this one.
    Peer(&'static str),
    /// The same work, done by the quickest of the others.
    BestPeer,
    /// Other work, done by us.
    OurOwn(&'static str),
    /// Nothing: the figure itself counts.
    Nothing,
}

/// A figure of ours, what it is held against, and how large it may be.
pub struct Target {
    suite: &'static str,
    work: &'static str,
    ours: &'static str,
    against: Against,
    /// What is required now.
    pub required: Option<f64>,
    /// What is aimed at.
    pub goal: Option<f64>,
}

const fn target(
    suite: &'static str,
    work: &'static str,
    against: Against,
    required: Option<f64>,
    goal: Option<f64>,
) -> Target {
    Target { suite, work, ours: OURS, against, required, goal }
}

/// The names of the rows, which the suites and this table share.
pub mod work {
    /// `run` of `true` by an OCI runtime.
    pub const OCI_RUN: &str = "run";
    /// The same in three commands.
    pub const OCI_CREATE_START_DELETE: &str = "create + start + delete";
    /// One more process in a container that runs.
    pub const OCI_EXEC: &str = "exec of true";
    pub const OCI_PEAK: &str = "the most memory that run has at once";
    pub const OCI_OWN: &str = "what run holds of its own (RssAnon)";
    pub const OCI_HELD: &str = "what a created container holds (PSS), average of 20";
    pub const OCI_RUN_100: &str = "100 times run --detach at once";
    pub const OCI_RUN_AMONG_MOUNTS: &str = "run beside 5,000 mounts";
    pub const OCI_RUN_AMONG_CGROUPS: &str = "run beside 2,000 cgroups";
    pub const RUN_BRIDGE: &str = "run --rm busybox true";
    pub const RUN_NONE: &str = "run --rm --network none busybox true";
    pub const EXEC: &str = "exec true";
    pub const VERSION: &str = "version (the client's floor)";
    pub const PS: &str = "ps -a with 200 containers";
    pub const RUN_20: &str = "20 times run -d at once";
    pub const REMOVE_20: &str = "rm -f of 20";
    pub const DAEMON_RSS: &str = "daemon's memory (RSS), 30 s after 200 runs and one pull";
    pub const SUPERVISOR_PSS: &str = "a supervisor's memory (PSS), average of 20";
    pub const SUPERVISOR_DIRTY: &str = "a supervisor's Private_Dirty, average of 20";
    pub const PULL: &str = "pull of the Debian image";
    pub const SAVE: &str = "save of the Debian image";
    pub const LOAD: &str = "load of the Debian image";
}

use Against::{BestPeer, Nothing, OurOwn, Peer};

static TARGETS: &[Target] = &[
    target("runtime", work::OCI_RUN, Peer("floor"), Some(2.0), None),
    target("runtime", work::OCI_RUN, Peer("crun"), Some(0.6), None),
    target("runtime", work::OCI_RUN, Peer("runc"), None, None),
    target("runtime", work::OCI_CREATE_START_DELETE, Peer("crun"), Some(0.6), None),
    target("runtime", work::OCI_CREATE_START_DELETE, Peer("runc"), None, None),
    target("runtime", work::OCI_EXEC, Peer("crun"), Some(0.6), None),
    target("runtime", work::OCI_RUN_100, Peer("crun"), Some(0.6), None),
    target("runtime", work::OCI_RUN_AMONG_MOUNTS, Peer("floor"), Some(2.0), None),
    // The kernel's copy of the mounts alone is more than half of what crun takes.
    target("runtime", work::OCI_RUN_AMONG_MOUNTS, Peer("crun"), None, None),
    target("runtime", work::OCI_RUN_AMONG_CGROUPS, Peer("floor"), Some(2.0), None),
    target("runtime", work::OCI_RUN_AMONG_CGROUPS, Peer("crun"), Some(0.6), None),
    target("runtime", work::OCI_PEAK, Peer("crun"), Some(1.0), None),
    target("runtime", work::OCI_OWN, Peer("crun"), Some(1.0), None),
    target("runtime", work::OCI_HELD, Nothing, Some(0.5), None),
    target("engine", work::RUN_BRIDGE, Peer("dockerd"), Some(0.40), Some(0.25)),
    target("engine", work::RUN_NONE, Peer("dockerd"), Some(0.35), Some(0.22)),
    target("engine", work::EXEC, Peer("dockerd"), None, Some(0.40)),
    target("engine", work::PS, Peer("dockerd"), None, None),
    target("engine", work::PS, OurOwn(work::VERSION), None, Some(1.3)),
    target("engine", work::RUN_20, BestPeer, None, Some(0.35)),
    target("engine", work::REMOVE_20, BestPeer, None, Some(0.35)),
    Target { ours: OUR_CLIENT, ..target("engine", work::RUN_NONE, Peer(OURS), None, Some(0.5)) },
    Target { ours: OUR_CLIENT, ..target("engine", work::VERSION, Peer(OURS), None, Some(0.5)) },
    Target { ours: OUR_CLIENT, ..target("engine", work::PS, Peer(OURS), None, Some(0.5)) },
    target("engine", work::DAEMON_RSS, Nothing, Some(14.0), None),
    target("engine", work::DAEMON_RSS, Peer("dockerd"), None, Some(0.08)),
    target("engine", work::SUPERVISOR_PSS, Nothing, Some(1.0), Some(0.6)),
    target("engine", work::SUPERVISOR_DIRTY, Nothing, None, Some(0.3)),
    target("images", work::PULL, Peer("dockerd"), Some(0.6), Some(0.40)),
    target("images", work::PULL, Peer("pipe"), None, Some(0.70)),
    target("images", work::LOAD, Peer("dockerd"), None, None),
    target("images", work::SAVE, Peer("dockerd"), None, None),
];

/// The targets of one suite.
pub fn of(suite: &str) -> impl Iterator<Item = &'static Target> {
    TARGETS.iter().filter(move |target| target.suite == suite)
}

impl Target {
    /// Our figure, divided by the other's; nothing if one of them was not measured.
    pub fn measured(&self, report: &Report) -> Option<f64> {
        let ours = report.median(self.work, self.ours)?;
        let divisor = match self.against {
            Peer(peer) => report.median(self.work, peer)?,
            BestPeer => {
                let medians = report.peers(self.work).filter_map(|peer| report.median(self.work, peer));
                medians.min_by(f64::total_cmp)?
            }
            OurOwn(work) => report.median(work, self.ours)?,
            Nothing => 1.0,
        };
        Some(ours / divisor)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let ours = if self.ours == OURS { "ours" } else { self.ours };
        write!(out, "{}: {ours}", self.work)?;
        match self.against {
            Peer(OURS) => write!(out, " / docker's client, same daemon"),
            Peer(peer) => write!(out, " / {peer}"),
            BestPeer => write!(out, " / best peer"),
            OurOwn(work) => write!(out, " / our {work}"),
            Nothing => write!(out, ", MB"),
        }
    }
}
