//! A second Rust library in a program that has libhstreamdb: it panics, and catches that.

/// Returns 7 if a panic was caught.
#[unsafe(no_mangle)]
pub extern "C" fn other_library() -> i32 {
    let caught = std::panic::catch_unwind(|| -> i32 { panic!("on purpose") });
    caught.unwrap_or(7)
}
