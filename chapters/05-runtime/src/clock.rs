//! The time, as Docker and runc write it.

/// Now, in RFC 3339 with nanoseconds: `2026-01-01T00:00:00.000000000Z`.
pub fn now() -> String {
    format!("{:.9}", jiff::Timestamp::now())
}
