//! Texts and bytes: those of C, borrowed for a call; ours, lent or handed out.

use std::ffi::{CStr, c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::time::SystemTime;

use crate::ffi::boundary::{Failure, Outcome};
use crate::ffi::status::HSTREAM_ERR_RESOURCES;

/// Says "NUL-terminated" where a length is asked for.
///
/// cbindgen:ignore
pub const HSTREAM_NTS: usize = usize::MAX;

/// Where a length goes, if it is wanted.
pub(crate) type LenOut<'a> = Option<&'a mut MaybeUninit<usize>>;

/// A name: NUL-terminated UTF-8.
///
/// # Safety
///
/// `pointer` is NULL or points to a NUL-terminated text that stays as it is for `'a`.
pub(crate) unsafe fn text<'a>(pointer: *const c_char, name: &'static str) -> Outcome<&'a str> {
    // SAFETY: as the caller promises.
    unsafe { optional_text(pointer, name) }?.ok_or_else(|| Failure::null(name))
}

/// The same where NULL is allowed.
///
/// # Safety
///
/// As [`text`].
pub(crate) unsafe fn optional_text<'a>(
    pointer: *const c_char,
    name: &'static str,
) -> Outcome<Option<&'a str>> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: it is not NULL, and NUL-terminated as the caller promises.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_str().map(Some).map_err(|_| Failure::utf8(name))
}

/// Bytes with a length, or NUL-terminated if that is [`HSTREAM_NTS`]; NULL with the length 0 is empty.
///
/// # Safety
///
/// `pointer` is NULL or points to `len` bytes (a NUL-terminated text for [`HSTREAM_NTS`]) that stay as they
/// are for `'a`.
pub(crate) unsafe fn data<'a>(pointer: *const c_void, len: usize, name: &'static str) -> Outcome<&'a [u8]> {
    if pointer.is_null() {
        return if len == 0 { Ok(&[]) } else { Err(Failure::null(name)) };
    }
    if len == HSTREAM_NTS {
        // SAFETY: it is not NULL, and NUL-terminated as the caller promises with this length.
        return Ok(unsafe { CStr::from_ptr(pointer.cast()) }.to_bytes());
    }
    if isize::try_from(len).is_err() {
        return Err(Failure::invalid(format!("`{name}` is longer than anything can be")));
    }
    // SAFETY: it is not NULL and points to so many bytes, as the caller promises.
    Ok(unsafe { std::slice::from_raw_parts(pointer.cast(), len) })
}

/// The same where NULL is allowed and is empty, whatever the length says.
///
/// # Safety
///
/// As [`data`].
pub(crate) unsafe fn optional_data<'a>(
    pointer: *const c_void,
    len: usize,
    name: &'static str,
) -> Outcome<&'a [u8]> {
    let len = if pointer.is_null() && len == HSTREAM_NTS { 0 } else { len };
    // SAFETY: as the caller promises.
    unsafe { data(pointer, len, name) }
}

pub(crate) fn utf8<'a>(bytes: &'a [u8], name: &'static str) -> Outcome<&'a str> {
    std::str::from_utf8(bytes).map_err(|_| Failure::utf8(name))
}

/// An array of the caller's. NULL is fine if it has no elements.
///
/// # Safety
///
/// `pointer` is NULL or points to `count` elements that stay as they are for `'a`.
pub(crate) unsafe fn array<'a, T>(pointer: *const T, count: usize, name: &'static str) -> Outcome<&'a [T]> {
    if count == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() {
        return Err(Failure::null(name));
    }
    if count.checked_mul(size_of::<T>()).is_none_or(|bytes| isize::try_from(bytes).is_err()) {
        return Err(Failure::invalid(format!("`{name}` has more elements than anything can have")));
    }
    // SAFETY: it is not NULL and points to so many elements, as the caller promises.
    Ok(unsafe { std::slice::from_raw_parts(pointer, count) })
}

/// An array of the caller's that is filled; empty for NULL.
///
/// # Safety
///
/// `pointer` is NULL or points to room for `count` elements that nobody else uses for `'a`.
pub(crate) unsafe fn room<'a, T>(pointer: *mut T, count: usize) -> &'a mut [MaybeUninit<T>] {
    if pointer.is_null() || count.checked_mul(size_of::<T>()).is_none_or(|n| isize::try_from(n).is_err()) {
        return &mut [];
    }
    // SAFETY: it is not NULL and has room for so many elements, as the caller promises.
    unsafe { std::slice::from_raw_parts_mut(pointer.cast(), count) }
}

/// The same value in all places.
pub(crate) fn fill<T: Copy>(room: &mut [MaybeUninit<T>], value: T) {
    for place in room {
        place.write(value);
    }
}

/// A text of ours, with its terminator. It may hold NUL, so its length counts.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    bytes: Box<[u8]>,
}

impl Text {
    pub(crate) fn new(text: &str) -> Self {
        let mut bytes = Vec::with_capacity(text.len() + 1);
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(0);
        Text { bytes: bytes.into() }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.bytes.len() - 1]
    }

    /// Lends it: it lives as long as the object that has it.
    pub(crate) fn lend(&self, len: LenOut<'_>) -> *const c_char {
        write(len, self.bytes.len() - 1);
        self.bytes.as_ptr().cast()
    }
}

/// Lends bytes; never NULL.
pub(crate) fn lend_bytes(bytes: &[u8], len: LenOut<'_>) -> *const c_void {
    write(len, bytes.len());
    if bytes.is_empty() { c"".as_ptr().cast() } else { bytes.as_ptr().cast() }
}

/// The same place, with a length of 0 in it until something is lent.
pub(crate) fn zeroed(len: LenOut<'_>) -> LenOut<'_> {
    let len = len?;
    len.write(0);
    Some(len)
}

/// Writes where a caller wants it.
pub(crate) fn write<T>(out: Option<&mut MaybeUninit<T>>, value: T) {
    if let Some(out) = out {
        out.write(value);
    }
}

/// Hands out a text, to be freed with `hstream_string_free`.
pub(crate) fn give_text(text: &str, out: &mut MaybeUninit<*mut c_char>, len: LenOut<'_>) -> Outcome {
    // SAFETY: any size may be asked for.
    let memory = unsafe { libc::malloc(text.len() + 1) }.cast::<u8>();
    if memory.is_null() {
        return Err(Failure::refused(HSTREAM_ERR_RESOURCES, "no memory for a text"));
    }
    // SAFETY: there is room for the text, and nobody else has it.
    unsafe { ptr::copy_nonoverlapping(text.as_ptr(), memory, text.len()) };
    // SAFETY: the terminator's place is within what was allocated.
    let end = unsafe { memory.add(text.len()) };
    // SAFETY: as above.
    unsafe { end.write(0) };
    out.write(memory.cast());
    write(len, text.len());
    Ok(())
}

/// Frees a text that was handed out.
///
/// # Safety
///
/// `text` is NULL or comes from [`give_text`], and is freed once.
pub(crate) unsafe fn free_text(text: *mut c_char) {
    // SAFETY: it comes from `malloc` in `give_text`, or is NULL.
    unsafe { libc::free(text.cast()) };
}

/// Milliseconds since 1970, 0 if unknown.
pub(crate) fn millis(time: Option<SystemTime>) -> i64 {
    let Some(time) = time else { return 0 };
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |millis| -millis),
    }
}

/// A descriptor as C has it, -1 for none.
pub(crate) fn descriptor(descriptor: crate::Result<std::os::fd::BorrowedFd<'_>>) -> i32 {
    use std::os::fd::AsRawFd;
    descriptor.map_or(-1, |descriptor| descriptor.as_raw_fd())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::boundary::Cause;

    #[test]
    fn null_and_lengths_are_as_the_rules_say() {
        // SAFETY: NULL is allowed.
        let outcome = unsafe { text(ptr::null(), "name") };
        assert!(matches!(outcome.unwrap_err().cause(), Cause::Null("name")));
        // SAFETY: a NUL-terminated literal.
        let outcome = unsafe { text(c"\xff".as_ptr(), "name") };
        assert!(matches!(outcome.unwrap_err().cause(), Cause::Utf8("name")));
        // SAFETY: NULL is allowed.
        assert_eq!(unsafe { data(ptr::null(), 0, "key") }.unwrap(), b"");
        // SAFETY: NULL is allowed.
        assert!(unsafe { data(ptr::null(), 1, "key") }.is_err());
        // SAFETY: NULL is allowed.
        assert_eq!(unsafe { optional_data(ptr::null(), HSTREAM_NTS, "key") }.unwrap(), b"");
        // SAFETY: a NUL-terminated literal.
        assert_eq!(unsafe { data(c"abc".as_ptr().cast(), HSTREAM_NTS, "key") }.unwrap(), b"abc");
        // SAFETY: so many bytes are there.
        assert_eq!(unsafe { data(c"abc".as_ptr().cast(), 2, "key") }.unwrap(), b"ab");
        // SAFETY: it is refused unseen.
        assert!(unsafe { data(c"abc".as_ptr().cast(), usize::MAX - 1, "key") }.is_err());
    }

    #[test]
    fn texts_go_out_with_length_and_terminator() {
        let inner_nul = Text::new("a\0b");
        let mut len = MaybeUninit::uninit();
        let lent = inner_nul.lend(Some(&mut len));
        // SAFETY: written by `lend`.
        assert_eq!(unsafe { len.assume_init() }, 3);
        // SAFETY: it ends with NUL.
        assert_eq!(unsafe { CStr::from_ptr(lent) }, c"a");
        let (mut out, mut len) = (MaybeUninit::uninit(), MaybeUninit::uninit());
        give_text("xyz", &mut out, Some(&mut len)).unwrap();
        // SAFETY: written by `give_text`.
        let text = unsafe { out.assume_init() };
        // SAFETY: it ends with NUL.
        assert_eq!(unsafe { CStr::from_ptr(text) }, c"xyz");
        // SAFETY: it is ours.
        unsafe { free_text(text) };
    }
}
