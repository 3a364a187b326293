"""Calls that may wait, and signals meanwhile.

All clients have one cancel object, which a signal triggers through its descriptor. Whatever thread waits is then asked
by `_check`: entering Python runs the handlers of pending signals, in the main thread. If one raises, as that of Ctrl-C
does, the call ends and raises the same; if not, the call goes on and has lost nothing.
"""

import os
import signal
import threading

from ._errors import checked, failure
from ._library import ffi, lib

_kept = threading.local()


def _keep(_kind, exception, _traceback):
    _kept.exception = exception


@ffi.callback("int32_t(void *)", error=1, onerror=_keep)
def _check(_):
    return 0


class _Interrupt:
    """The cancel object, and the descriptor that triggers it; a forked child makes its own."""

    def __init__(self):
        self._make()
        os.register_at_fork(after_in_child=self._make_again)

    def _make(self):
        out = ffi.new("hstream_cancel_t **")
        checked(lib.hstream_cancel_new(out, ffi.NULL))
        self.cancel = ffi.gc(out[0], lib.hstream_cancel_free)
        self._fd = lib.hstream_cancel_write_fd(self.cancel)

    def _make_again(self):
        inherited = self._fd
        self._make()
        before = signal.set_wakeup_fd(-1)
        signal.set_wakeup_fd(self._fd if before == inherited else before, warn_on_full_buffer=False)

    def arm(self):
        """Has signals trigger it, if nobody else, as an event loop, is told of them."""
        if self._fd < 0 or threading.current_thread() is not threading.main_thread():
            return
        before = signal.set_wakeup_fd(self._fd, warn_on_full_buffer=False)
        if before not in (-1, self._fd):
            signal.set_wakeup_fd(before)

    def set_on(self, options):
        checked(lib.hstream_client_options_set_interrupt(options, self.cancel, _check, ffi.NULL))


interrupt = _Interrupt()


def call(function, *arguments):
    """Calls a function whose last parameter is `err`; what may wait goes on through signals."""
    error = ffi.new("hstream_error_t **")
    interrupt.arm()
    _kept.exception = None
    code = function(*arguments, error)
    exception, _kept.exception = _kept.exception, None
    if exception is not None:
        lib.hstream_error_free(error[0])
        raise exception
    if code != lib.HSTREAM_OK:
        raise failure(code, error[0])


def made(kind, free, function, *arguments):
    """What a function hands out by its last parameter but one; None for NULL."""
    out = ffi.new(f"hstream_{kind}_t **")
    try:
        call(function, *arguments, out)
    finally:
        # Also if a signal's handler raised when it was there.
        owned = ffi.gc(out[0], free) if out[0] != ffi.NULL else None
    return owned


def options(kind, **settings):
    """Options with keys as hstream_options_schema_json lists them, `_` for `.`; None is the default."""
    made = ffi.gc(getattr(lib, f"hstream_{kind}_options_new")(), getattr(lib, f"hstream_{kind}_options_free"))
    setter = getattr(lib, f"hstream_{kind}_options_set")
    for key, value in settings.items():
        if value is not None:
            value = str(value).lower() if isinstance(value, bool) else str(value)
            call(setter, made, key.replace("_", ".").encode(), value.encode())
    return made


def counts_of(function, *arguments, timeout_ms):
    """Calls a function that waits, and says how records ended: written, failed, unknown."""
    counts = [ffi.new("uint64_t *") for _ in range(3)]
    call(function, *arguments, timeout_ms, ffi.NULL, *counts)
    return [count[0] for count in counts]
