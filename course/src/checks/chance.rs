//! Numbers that nobody could have written down before.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// One of `range` numbers from `low` on. Two that follow each other have nothing in common: what is a part of a part would else be
/// the whole of it now and then, and hide what a check is to see.
pub fn some(low: u64, range: u64) -> u64 {
    low + RandomState::new().build_hasher().finish() % range
}
