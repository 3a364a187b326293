"""cffi takes the header after the preprocessor, and calls what is declared there: cffi_header.py HEADER LIBRARY"""

import subprocess
import sys
import tempfile
from pathlib import Path

import cffi

header, library = sys.argv[1:]
with tempfile.TemporaryDirectory() as empty:
    # cffi knows what these two have.
    for name in ("stddef.h", "stdint.h"):
        Path(empty, name).touch()
    macros = ["-DHSTREAM_HAS_DEV_SERVER", "-DHSTREAM_API=", "-U__GNUC__"]
    command = ["cc", "-E", "-P", "-nostdinc", "-I", empty, *macros, header]
    declarations = subprocess.run(command, check=True, capture_output=True, text=True).stdout
ffi = cffi.FFI()
ffi.cdef(declarations)
hstream = ffi.dlopen(library)
assert ffi.sizeof("hstream_record_id_t") == 24 and ffi.sizeof("hstream_offset_t") == 40
assert ffi.string(hstream.hstream_version_string()).count(b".") == 2
options = hstream.hstream_client_options_new()
error = ffi.new("hstream_error_t **")
assert hstream.hstream_client_options_set_url(options, b"ftp://host", error) == 1
assert b"ftp" in ffi.string(hstream.hstream_error_message(error[0], ffi.NULL))
hstream.hstream_error_free(error[0])
hstream.hstream_client_options_free(options)
assert hstream.hstream_live_handles() == 0
