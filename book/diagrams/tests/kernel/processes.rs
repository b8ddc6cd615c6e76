//! Every plan of the diagram, spawned.

use diagrams::{Caller, Maps, Outcome, Spawn};
use namespaces::{Child, Failure, FailureKind, Namespaces, SpawnPlan, spawn};
use nix::sys::wait::waitpid;
use std::convert::Infallible;
use std::os::fd::BorrowedFd;
use std::path::Path;

pub fn processes_are_made_as_drawn(_: &Path) {
    let own = nix::unistd::geteuid();
    let caller = if own.is_root() { Caller::Root } else { Caller::Ordinary };
    let (mut plans, mut ran) = (0, 0);
    for bits in 0..256 {
        let new = Namespaces::all().iter().enumerate().filter(|(index, _)| bits >> index & 1 == 1);
        let new: Namespaces = new.map(|(_, kind)| kind).collect();
        // Without a user namespace there is nobody to map.
        let maps = if new.contains(Namespaces::USER) { 3 } else { 1 };
        for maps in &[Maps::Single, Maps::Range, Maps::All][..maps] {
            let state = Spawn { caller, new, maps: *maps, guess: None };
            let seen = spawned(&state);
            assert_eq!(state.outcome(), seen.0, "{state:?}: {}", seen.1);
            if seen.0 == Outcome::Runs {
                let uid = if new.contains(Namespaces::USER) { 0 } else { own.as_raw() };
                let name = if new.contains(Namespaces::UTS) { "coracle" } else { "the caller's" };
                let expected = format!("{} {uid} {name}", new.contains(Namespaces::PID));
                assert_eq!(seen.1, expected, "{state:?}");
                ran += 1;
            }
            plans += 1;
        }
    }
    assert!(plans == 512 && ran > 100, "{ran} of {plans} plans ran");
}

/// The plan of a state, for whoever runs this in the place of the diagram's ordinary user.
pub fn plan_of(state: &Spawn) -> SpawnPlan {
    let (mut plan, own) = (state.plan(), nix::unistd::geteuid().as_raw());
    for map in plan.uid_map.iter_mut().chain(&mut plan.gid_map).filter(|map| map.outside == 1000) {
        map.outside = own;
    }
    plan
}

/// How it ends, and the child's words: whether it is the first process, its user, and its host name.
fn spawned(state: &Spawn) -> (Outcome, String) {
    let plan = plan_of(state);
    let host = nix::unistd::gethostname().unwrap();
    let child = |_: BorrowedFd<'_>| {
        let name = nix::unistd::gethostname().unwrap();
        let name = if name == host { "the caller's".to_owned() } else { name.into_string().unwrap() };
        let words = format!("{} {} {name}", std::process::id() == 1, nix::unistd::geteuid());
        Err::<Infallible, _>(Failure::new(FailureKind::Invalid, words))
    };
    match spawn(&plan, None, |_| Ok(()), child) {
        Ok(child) => last_words(child),
        Err(error) if error.to_string().contains("id maps") => (Outcome::NoMap, error.to_string()),
        Err(error) => (Outcome::NoNamespaces, error.to_string()),
    }
}

fn last_words(child: Child) -> (Outcome, String) {
    let pid = child.pid;
    let failure = child.executed().unwrap_err();
    waitpid(pid, None).unwrap();
    let outcome = if failure.kind == FailureKind::Invalid { Outcome::Runs } else { Outcome::NoNamespaces };
    (outcome, failure.message)
}
