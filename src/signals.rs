//! Threads of this crate never run the host's signal handlers.

/// Runs `spawn` with all signals blocked on this thread, so that the threads it starts have them blocked
/// from birth: the host's handlers then run on the host's threads, and a peer that goes away can't end
/// the process by SIGPIPE. The synchronous ones (SIGSEGV and its like) stay open: they report faults of
/// the thread itself.
#[cfg(unix)]
pub(crate) fn blocked<T>(spawn: impl FnOnce() -> T) -> T {
    use nix::sys::signal::{SigSet, SigmaskHow, Signal};

    let mut signals = SigSet::all();
    for synchronous in [
        Signal::SIGSEGV,
        Signal::SIGBUS,
        Signal::SIGFPE,
        Signal::SIGILL,
        Signal::SIGTRAP,
        Signal::SIGABRT,
        Signal::SIGSYS,
    ] {
        signals.remove(synchronous);
    }
    // Fails for an invalid `how` only.
    let before = signals.thread_swap_mask(SigmaskHow::SIG_BLOCK).ok();
    let spawned = spawn();
    if let Some(before) = before {
        let _ = before.thread_set_mask();
    }
    spawned
}

#[cfg(not(unix))]
pub(crate) fn blocked<T>(spawn: impl FnOnce() -> T) -> T {
    spawn()
}

#[cfg(all(test, unix))]
mod tests {
    use nix::sys::signal::{SigSet, Signal};

    #[test]
    fn threads_are_born_with_signals_blocked_and_the_caller_is_left_alone() {
        let before = SigSet::thread_get_mask().unwrap();
        let thread = super::blocked(|| std::thread::spawn(|| SigSet::thread_get_mask().unwrap()));
        let inside = thread.join().unwrap();
        assert!(inside.contains(Signal::SIGINT) && inside.contains(Signal::SIGPIPE));
        assert!(!inside.contains(Signal::SIGSEGV));
        assert_eq!(SigSet::thread_get_mask().unwrap(), before);
    }
}
