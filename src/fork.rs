//! Whether this process is still the one that made a handle: threads do not survive a fork.

use std::sync::atomic::{AtomicU32, Ordering};

static GENERATION: AtomicU32 = AtomicU32::new(0);

/// Raised by every fork on the way from the process that first used this crate to this one.
pub(crate) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// Called in the child, between fork and return: one atomic and nothing else.
#[cfg(feature = "ffi")]
pub(crate) fn raise() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}
