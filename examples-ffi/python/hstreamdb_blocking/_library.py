"""The C library: where it is, what it declares, and how its calls are made."""

import os
import subprocess
from pathlib import Path

from cffi import FFI

ffi = FFI()
# The preprocessed header; a test compares it with include/hstreamdb.h.
ffi.cdef((Path(__file__).parent / "_definitions.h").read_text())


def _candidates():
    """The file that HSTREAMDB_LIBRARY names, else what pkg-config knows, else what the loader finds."""
    named = os.environ.get("HSTREAMDB_LIBRARY")
    if named:
        return [named]
    names = ["libhstreamdb.so"]
    try:
        asked = ["pkg-config", "--variable=libdir", "hstreamdb"]
        directory = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
        if directory:
            names.insert(0, os.path.join(directory, names[0]))
    except (OSError, subprocess.CalledProcessError):
        pass
    return [*names, "libhstreamdb.so.0.1"]


def _load():
    failures = []
    for name in _candidates():
        try:
            return ffi.dlopen(name)
        except OSError as error:
            failures.append(str(error))
    raise ImportError("libhstreamdb is not found: " + "; ".join(failures))


lib = _load()
if lib.hstream_check_abi(lib.HSTREAM_ABI_VERSION) != lib.HSTREAM_OK:
    raise ImportError(f"libhstreamdb {ffi.string(lib.hstream_version_string()).decode()} is another ABI")


def live_handles():
    """How many clients, producers and so on are not freed yet."""
    return lib.hstream_live_handles()


def milliseconds(seconds):
    """A time-out for C; None is without limit."""
    return lib.HSTREAM_FOREVER if seconds is None else max(0, round(seconds * 1000))


def data(value):
    """Pointer and length of a str, of bytes, or of None."""
    if value is None:
        return ffi.NULL, 0
    value = value.encode() if isinstance(value, str) else value
    return ffi.from_buffer(value), len(value)


def text(function, *arguments):
    """A text that a C function lends."""
    length = ffi.new("size_t *")
    return ffi.unpack(function(*arguments, length), length[0]).decode()


def name(value):
    """A name, which C takes NUL-terminated."""
    if "\0" in value:
        raise ValueError(f"a name with a NUL in it: {value!r}")
    return ffi.new("char[]", value.encode())


def taken(out, length):
    """A text that is ours, as str."""
    try:
        return ffi.unpack(out[0], length[0]).decode()
    finally:
        lib.hstream_string_free(out[0])
