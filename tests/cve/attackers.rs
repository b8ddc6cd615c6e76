//! Attackers beside us, who exchange what paths mean.

use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// Exchanges two names with each other, again and again, while `during` runs.
pub fn exchanging<T>(one: &Path, other: &Path, during: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let attacker = scope.spawn(|| {
            let mut times = 0_u64;
            while !done.load(Ordering::Relaxed) {
                // What is busy for a moment is exchanged in the next.
                times += u64::from(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).is_ok());
            }
            times
        });
        // Also when it panics: the attacker must not go on for ever.
        let ended = End(&done);
        let outcome = during();
        drop(ended);
        let times = attacker.join().unwrap();
        assert!(times > 100, "the attacker came to exchange only {times} times");
        outcome
    })
}

/// Tells the attacker that it is over.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
