//! Where `async` ends: calls that block run on threads of their own.

use super::error::{Answered, Failure};

/// Runs what blocks on the runtime's pool. Should it panic, the client is told, and the daemon lives.
///
/// Who stops waiting (its client has gone) does not stop the work.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Answered<T> + Send + 'static) -> Answered<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(Failure::bug()))
}

/// Runs what blocks for as long as a client likes (a pull, a log that is followed) on a thread of its own, so that such work
/// never holds up others in the pool.
pub fn detached(name: &str, work: impl FnOnce() + Send + 'static) -> Answered<()> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map(drop).map_err(Failure::from)
}
