"""What calls raise."""

from ._library import ffi, lib, text


class Error(Exception):
    """A call failed. `code` is a number of hstreamdb.h, `name` its name there, as STREAM_NOT_FOUND."""

    def __init__(self, code, message, server_name="", address="", retryable=False, ambiguous=False, grpc_status=-1):
        super().__init__(message)
        self.code = code
        self.server_name = server_name
        self.address = address
        self.is_retryable = retryable
        self.grpc_status = grpc_status  # -1 if it is not from a server
        self.is_ambiguous = ambiguous  # what was to be written may have been written all the same

    @property
    def name(self):
        return ffi.string(lib.hstream_code_name(self.code)).decode()


def described(error):
    """An exception of an error object, which stays whose it is."""
    return Error(
        lib.hstream_error_code(error),
        text(lib.hstream_error_message, error),
        text(lib.hstream_error_server_name, error),
        text(lib.hstream_error_address, error),
        bool(lib.hstream_error_is_retryable(error)),
        bool(lib.hstream_error_is_ambiguous(error)),
        lib.hstream_error_grpc_status(error),
    )


def failure(code, error=ffi.NULL):
    """An exception of what a call returned; frees the error object."""
    if error == ffi.NULL:
        return Error(code, ffi.string(lib.hstream_code_description(code)).decode())
    try:
        return described(error)
    finally:
        lib.hstream_error_free(error)


def checked(code):
    """For functions that return a code and no more."""
    if code != lib.HSTREAM_OK:
        raise failure(code)
