//! Which system calls a process may make: a profile in words, compiled to the classic BPF that the kernel runs at each call.
//!
//! Pure: the compiler makes a [`Program`], which [`crate::apply()`] loads.

mod compare;
mod compile;
mod in_spec;
mod oci;
mod tables;

pub use compile::compile;
pub use in_spec::default_seccomp;
pub use oci::profile;
pub use tables::{Arch, Table, number};

use serde::{Deserialize, Serialize};

/// One instruction of classic BPF (linux/filter.h).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instruction {
    /// The operation.
    pub code: u16,
    /// How many instructions to skip when a comparison holds.
    pub jt: u8,
    /// How many to skip when it does not.
    pub jf: u8,
    /// The operand.
    pub k: u32,
}

/// A filter as the kernel takes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// The instructions.
    pub instructions: Vec<Instruction>,
    /// `SECCOMP_FILTER_FLAG_*` of seccomp(2).
    pub flags: u64,
}

/// `SECCOMP_FILTER_FLAG_NEW_LISTENER`
const NEW_LISTENER: u64 = 8;

impl Program {
    /// Whether somebody is asked what becomes of some calls.
    pub fn asks(&self) -> bool {
        self.flags & NEW_LISTENER != 0
    }
}

/// What becomes of a system call (seccomp(2), "SECCOMP_RET_*").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Action {
    /// The process ends as by SIGSYS.
    KillProcess,
    /// The thread ends as by SIGSYS.
    KillThread,
    /// The thread gets a SIGSYS.
    Trap,
    /// The call fails with this errno.
    Errno(u16),
    /// A tracer decides.
    Trace(u16),
    /// Whoever holds the filter's listener decides (seccomp_unotify(2)).
    Notify,
    /// The call is made, and logged.
    Log,
    /// The call is made.
    Allow,
}

impl Action {
    /// The number that the filter returns.
    pub fn value(self) -> u32 {
        match self {
            Action::KillProcess => 0x8000_0000,
            Action::KillThread => 0,
            Action::Trap => 0x0003_0000,
            Action::Errno(errno) => 0x0005_0000 | u32::from(errno),
            Action::Trace(data) => 0x7ff0_0000 | u32::from(data),
            Action::Notify => 0x7fc0_0000,
            Action::Log => 0x7ffc_0000,
            Action::Allow => 0x7fff_0000,
        }
    }
}

/// How an argument is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `==`
    Equal,
    /// `>=`
    GreaterOrEqual,
    /// `>`
    Greater,
    /// `(argument & mask) ==`
    MaskedEqual {
        /// The bits that are looked at.
        mask: u64,
    },
}

/// A condition on one of a call's six arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Which argument, from 0.
    pub index: u32,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what.
    pub value: u64,
}

/// What becomes of some system calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Their names; those that an architecture does not have are passed over.
    pub names: Vec<String>,
    /// What becomes of them.
    pub action: Action,
    /// When all of these hold; always when there are none.
    pub conditions: Vec<Condition>,
}

/// A whole profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// What becomes of calls that no rule names.
    pub default_action: Action,
    /// What becomes of calls with numbers beyond all that the rules name: they are newer than the profile, and a program that
    /// tries one must hear that it does not exist, or it will not fall back. None: as every other.
    pub beyond: Option<Action>,
    /// The architectures whose calls are judged; a call of another one ends the process.
    pub architectures: Vec<Arch>,
    /// The rules. Among those for one call the first without conditions decides, else the first whose conditions hold.
    pub rules: Vec<Rule>,
    /// `SECCOMP_FILTER_FLAG_*`.
    pub flags: u64,
}
