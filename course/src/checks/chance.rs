//! Numbers that nobody guesses.

/// A number that nobody guesses, in this range.
pub fn some(low: u64, range: u64) -> u64 {
    let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    low + (time.as_nanos() as u64 ^ u64::from(std::process::id()).wrapping_mul(0x9e37_79b9_7f4a_7c15)) % range
}
