//! Gives privileges away, in an order in which it can be done, as the last thing before execve(2).
//!
//! What needs a privilege comes before it is dropped. The seccomp filter is the exception that decides its own place: loading
//! it takes CAP_SYS_ADMIN, unless no_new_privs is set; then it comes last, so that it need not allow what is done here.

use crate::{Capabilities, Error, Plan, Result, Scheduling, rlimits, scheduling};
use kernel::{CapabilityWords, Strace, capget, capset};
use nix::errno::Errno;
use rustix::process::{Gid, Uid};
use std::ffi::CString;
use std::os::fd::OwnedFd;

/// Leaves the calling thread, the process's only one, with what the plan says.
pub fn apply(plan: &Plan) -> Result<()> {
    apply_and_hand_over(plan, &|_| Err(Error::invalid("the filter asks, and there is nobody to be asked")))
}

/// The same with a filter that asks: `hand_over` gives its listener away at once, before it is asked what follows.
pub fn apply_and_hand_over(plan: &Plan, hand_over: &dyn Fn(OwnedFd) -> Result<()>) -> Result<()> {
    surroundings(plan)?;
    if plan.no_new_privs {
        nix::sys::prctl::set_no_new_privs()
            .strace(|| "prctl(PR_SET_NO_NEW_PRIVS, 1)".into())
            .map_err(|error| Error::call("no new privileges", error))?;
    } else {
        load_filter(plan, hand_over)?;
    }
    let capabilities = plan.capabilities.map(available).transpose()?;
    if let Some(capabilities) = &capabilities {
        drop_from_bounding(capabilities)?;
    }
    become_user(plan, capabilities.is_some())?;
    if let Some(capabilities) = &capabilities {
        set_capabilities(capabilities)?;
    }
    if plan.no_new_privs { load_filter(plan, hand_over) } else { Ok(()) }
}

/// What is no privilege, but may need one to be set.
fn surroundings(plan: &Plan) -> Result<()> {
    if let Some(name) = &plan.keyring {
        join_keyring(name)?;
    }
    rlimits::apply(&plan.rlimits)?;
    if plan.scheduling != Scheduling::default() {
        scheduling::apply(&plan.scheduling)?;
    }
    if let Some(umask) = plan.umask {
        nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(umask));
    }
    Ok(())
}

/// What the host itself may not do it cannot give: such capabilities are left out, as runc leaves them out.
fn available(wanted: Capabilities) -> Result<Capabilities> {
    let held = capget().map_err(|error| Error::call("capabilities", error))?.permitted;
    let of = |set: crate::CapSet| crate::CapSet(set.0 & held);
    Ok(Capabilities {
        bounding: of(wanted.bounding),
        effective: of(wanted.effective),
        permitted: of(wanted.permitted),
        inheritable: of(wanted.inheritable),
        ambient: of(wanted.ambient),
    })
}

/// The keys of whoever started us are not the container's (keyrings(7)). A kernel without keyrings has none to hide.
fn join_keyring(name: &str) -> Result<()> {
    let name = CString::new(name).map_err(|_| Error::invalid("a keyring's name holds no zero byte"))?;
    match kernel::join_session_keyring(&name) {
        Err(error) if matches!(error.errno(), Errno::ENOSYS | Errno::EDQUOT) => Ok(()),
        result => result.map_err(|error| Error::call("a session keyring", error)),
    }
}

fn load_filter(plan: &Plan, hand_over: &dyn Fn(OwnedFd) -> Result<()>) -> Result<()> {
    let Some(program) = &plan.seccomp else {
        return Ok(());
    };
    let instruction = |one: &crate::seccomp::Instruction| kernel::Instruction {
        code: one.code,
        jt: one.jt,
        jf: one.jf,
        k: one.k,
    };
    let instructions: Vec<_> = program.instructions.iter().map(instruction).collect();
    let purpose = |error| Error::call("seccomp", error);
    if program.asks() {
        let listener = kernel::load_seccomp_filter_with_listener(&instructions, program.flags);
        return hand_over(listener.map_err(purpose)?);
    }
    kernel::load_seccomp_filter(&instructions, program.flags).map_err(purpose)
}

fn drop_from_bounding(capabilities: &Capabilities) -> Result<()> {
    // Those that the kernel knows and we do not name are dropped as well.
    let known = (0..64).map_while(|number| Some((number, kernel::is_in_bounding_set(number)?)));
    for (number, _) in known.filter(|(number, held)| *held && !capabilities.bounding.contains(*number)) {
        kernel::drop_from_bounding_set(number).map_err(|error| Error::call("the bounding set", error))?;
    }
    Ok(())
}

/// Becomes the user. Leaving root would drop every capability, were they not kept for the moment (prctl(2), PR_SET_KEEPCAPS).
fn become_user(plan: &Plan, keep: bool) -> Result<()> {
    if plan.has_impossible_id() {
        return Err(Error::invalid(format_args!(
            "an id of user {}:{} is nobody's: {}",
            plan.uid,
            plan.gid,
            u32::MAX
        )));
    }
    let purpose = |error| Error::call(format_args!("user {}:{}", plan.uid, plan.gid), error);
    let keep_capabilities = |keep: bool| {
        let kept = nix::sys::prctl::set_keepcaps(keep);
        kept.strace(|| format!("prctl(PR_SET_KEEPCAPS, {keep})")).map_err(purpose)
    };
    if keep {
        keep_capabilities(true)?;
    }
    set_ids(plan).map_err(purpose)?;
    if keep { keep_capabilities(false) } else { Ok(()) }
}

/// The groups first: who is the user already may not set them any more.
fn set_ids(plan: &Plan) -> kernel::Result<()> {
    if let Some(groups) = &plan.additional_gids {
        let groups: Vec<Gid> = groups.iter().map(|gid| Gid::from_raw(*gid)).collect();
        let set = rustix::thread::set_thread_groups(&groups);
        set.strace(|| format!("setgroups({}, …)", groups.len()))?;
    }
    let (gid, uid) = (Gid::from_raw(plan.gid), Uid::from_raw(plan.uid));
    let group = rustix::thread::set_thread_res_gid(gid, gid, gid);
    group.strace(|| format!("setresgid({0}, {0}, {0})", plan.gid))?;
    let user = rustix::thread::set_thread_res_uid(uid, uid, uid);
    user.strace(|| format!("setresuid({0}, {0}, {0})", plan.uid))
}

fn set_capabilities(capabilities: &Capabilities) -> Result<()> {
    let purpose = |error| Error::call("capabilities", error);
    let Capabilities { effective, permitted, inheritable, ambient, .. } = capabilities;
    kernel::clear_ambient_set().map_err(purpose)?;
    capset(&CapabilityWords { effective: effective.0, permitted: permitted.0, inheritable: inheritable.0 })
        .map_err(purpose)?;
    (0..64)
        .filter(|number| ambient.contains(*number))
        .try_for_each(|number| kernel::raise_ambient(number).map_err(purpose))
}
