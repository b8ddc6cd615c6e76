//! What becomes of a thread's capabilities when it executes a program (capabilities(7); `cap_bprm_creds_from_file` in
//! security/commoncap.c).

/// A thread's five sets, bit n for capability n.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sets {
    /// What a file can give, at most.
    pub bounding: u64,
    /// What is kept by a file that names it as inheritable.
    pub inheritable: u64,
    /// What is kept by a file that names nothing.
    pub ambient: u64,
    /// What the thread may make effective.
    pub permitted: u64,
    /// What the kernel checks.
    pub effective: u64,
}

/// Who executes. The real and the effective user are the same: what becomes of two that differ, kernels have changed their mind
/// about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Thread {
    /// Its user; 0 is root.
    pub user: u32,
    /// Its sets.
    pub sets: Sets,
    /// Root is nobody special (`SECBIT_NOROOT`).
    pub no_root: bool,
    /// No execve gives it more (`PR_SET_NO_NEW_PRIVS`).
    pub no_new_privs: bool,
}

/// What is executed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Executable {
    /// The capabilities that it names; `None` where it has no such attribute.
    pub names: Option<FileCapabilities>,
    /// Its owner, if its setuid bit is set.
    pub set_user: Option<u32>,
}

/// The attribute `security.capability` of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileCapabilities {
    /// What it gives, out of the bounding set.
    pub permitted: u64,
    /// What it keeps of what is inheritable.
    pub inheritable: u64,
    /// Whether all of that is effective at once: one bit, and no set.
    pub is_effective: bool,
}

/// `EPERM`: the file wants its capabilities to be effective at once, and one that it gives is not in the bounding set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotPermitted;

/// The new program, and where its permitted capabilities come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Executed {
    /// Its effective user.
    pub user: u32,
    /// Its sets.
    pub sets: Sets,
    /// The file counted as if it named every capability, since root is who executes, or whom the file makes.
    pub is_as_root: bool,
    /// What is permitted is effective at once.
    pub is_effective: bool,
    /// What came out of the bounding set.
    pub given: u64,
    /// What was kept of the inheritable one.
    pub kept: u64,
    /// What there would be more without `no_new_privs`.
    pub withheld: u64,
}

/// Executes a file that any user may execute, on a mount that is not `nosuid`, by a thread that nobody traces.
pub fn execute(thread: &Thread, file: &Executable) -> Result<Executed, NotPermitted> {
    let old = thread.sets;
    let user = file.set_user.filter(|_| !thread.no_new_privs).unwrap_or(thread.user);
    let names = file.names.unwrap_or_default();
    if names.is_effective && names.permitted & !old.bounding & !(old.inheritable & names.inheritable) != 0 {
        return Err(NotPermitted);
    }
    // A setuid file of root's that names capabilities gives an ordinary user those alone.
    let is_root = thread.user == 0 || (user == 0 && file.names.is_none());
    let is_as_root = is_root && !thread.no_root;
    let (given, kept) = match is_as_root {
        true => (old.bounding, old.inheritable),
        false => (old.bounding & names.permitted, old.inheritable & names.inheritable),
    };
    let limit = if thread.no_new_privs { old.permitted } else { u64::MAX };
    let ambient = if file.names.is_some() || user != thread.user { 0 } else { old.ambient };
    let permitted = (given | kept) & limit | ambient;
    let is_effective = names.is_effective || (is_as_root && user == 0);
    let effective = if is_effective { permitted } else { ambient };
    let sets = Sets { ambient, permitted, effective, ..old };
    let withheld = (given | kept) & !permitted;
    Ok(Executed { user, sets, is_as_root, is_effective, given, kept, withheld })
}
