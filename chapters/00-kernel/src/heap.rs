//! Long tail: the C library's heap: kept small in processes that live long (mallopt(3), malloc_trim(3)).

use nix::libc;

/// Lets all threads share one arena: otherwise each thread that ever allocated keeps a heap of its own.
pub fn limit_arenas() {
    // SAFETY: mallopt only sets a parameter of the allocator, under the allocator's own lock.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
}

/// Gives free memory back to the kernel: after a pull, and when a daemon has nothing to do.
pub fn trim_heap() {
    // SAFETY: malloc_trim releases only memory that is free, under the allocator's own lock.
    unsafe { libc::malloc_trim(0) };
}
