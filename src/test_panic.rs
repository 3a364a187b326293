//! Panics on purpose, so that tests see what becomes of them. Only with the feature `test-panic`.

/// Panics if what is worked on has the name that asks for it: `panic-in-` and this place.
#[cfg(feature = "test-panic")]
pub(crate) fn point(place: &str, name: &str) {
    if name.strip_prefix("panic-in-") == Some(place) {
        panic!("on purpose, in a {place}");
    }
}

#[cfg(not(feature = "test-panic"))]
#[inline]
pub(crate) fn point(_place: &str, _name: &str) {}
