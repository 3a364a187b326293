"""The buffered producer. Its reports are polled by a thread of its own, which calls the callback."""

import abc
import atexit
import itertools
import os
import sys
import threading
import traceback
import weakref
from typing import NamedTuple, Optional, Union

from ._calls import call, counts_of, made, options
from ._errors import Error, described, failure
from ._library import data, ffi, lib, milliseconds, text
from ._library import name as c_name
from ._records import encoded, payload_of

EXIT_TIMEOUT = 5  # seconds
NO_CAP_MS = 2**31 - 1


class AppendPayload(NamedTuple):
    payload: Union[bytes, dict]
    key: Optional[str]


class Counts(NamedTuple):
    """How the records ended that a call waited for."""

    written: int
    failed: int
    unknown: int


class BufferedProducer:
    """Batches records of any number of streams. Any thread may use it. A record may be written twice if its outcome is
    not known, but is not lost."""

    class AppendCallback(abc.ABC):
        """Told of records that ended together; in a thread of the producer, one call at a time."""

        @abc.abstractmethod
        def on_success(self, stream_name, payloads, stream_keyid): ...

        @abc.abstractmethod
        def on_fail(self, stream_name, payloads, stream_keyid, e): ...

    def __init__(
        self,
        client,
        append_callback,
        size_trigger,
        time_trigger,
        workers,
        retry_count,
        retry_max_delay,
        compresstype,
        compresslevel,
    ):
        cap = NO_CAP_MS if retry_max_delay < 0 else max(1, round(retry_max_delay * 1000))
        settings = options(
            "producer",
            batch_bytes=size_trigger if size_trigger > 0 else None,
            linger_ms=-1 if time_trigger < 0 else round(time_trigger * 1000),
            workers=workers,
            retry_max_retries=max(-1, retry_count),
            retry_first_backoff_ms=min(1000, cap),
            retry_max_backoff_ms=cap,
            compression_kind=compresstype,
            compression_level=compresslevel,
            reports="all" if append_callback else "none",
            report_records="all" if append_callback else None,
            report_polling=True if append_callback else None,
        )
        self._producer = made("producer", lib.hstream_producer_free, lib.hstream_producer_new, client, settings)
        self._lock = threading.Lock()
        self._appenders = {}
        self._appended = 0
        self._reporter = _Reporter(self._producer, append_callback) if append_callback else None
        _open.add(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wait_and_close()

    def append(self, stream_name, payload, key=None, timeout=None):
        """Puts bytes, a str (raw, UTF-8) or a dict (JSON) into a batch, and waits for room only, up to `timeout`
        seconds."""
        appender = self._appender(stream_name)
        content, is_json = encoded(payload)
        function = lib.hstream_appender_append_json if is_json else lib.hstream_appender_append_raw
        what = [appender, *data(key), *data(content), 0]
        # There is room nearly always, and then nothing to be interrupted.
        code = function(*what, lib.HSTREAM_NO_WAIT, ffi.NULL, ffi.NULL)
        if code != lib.HSTREAM_OK:
            call(function, *what, milliseconds(timeout), ffi.NULL)
        with self._lock:
            self._appended += 1

    def flush(self, stream_name, shard_id, timeout=None):
        """Sends what is buffered there, and waits until it is settled."""
        return self._flush(lib.hstream_appender_flush_shard, self._appender(stream_name), shard_id, timeout=timeout)

    def flush_by_key(self, stream_name, key=None, timeout=None):
        return self._flush(lib.hstream_appender_flush_key, self._appender(stream_name), *data(key), timeout=timeout)

    def flushall(self, timeout=None):
        """Sends all that is buffered, and waits until it is settled and the callback was told."""
        appended = self._appended
        counts = self._flush(lib.hstream_producer_flush, self._producer, timeout=timeout)
        if self._reporter:
            self._reporter.wait_for(appended, timeout)
        return counts

    def _flush(self, function, *what, timeout):
        if self._reporter:
            self._reporter.not_here()
        return Counts(*counts_of(function, *what, timeout_ms=milliseconds(timeout)))

    def close(self):
        """No more appends; what is buffered is sent. It does not wait."""
        lib.hstream_producer_begin_close(self._producer)

    def wait(self, timeout=None):
        """Until all is sent and reported."""
        return self.flushall(timeout)

    def wait_and_close(self, timeout=None):
        """Both. What is not written within `timeout` seconds is given up, reported and raised."""
        if self._reporter:
            self._reporter.not_here()
        try:
            what = [lib.hstream_producer_close, self._producer]
            counts = Counts(*counts_of(*what, timeout_ms=milliseconds(timeout)))
        except Error:
            self._ended()
            raise
        # What a signal's handler raised has left it open: it can be closed again.
        self._ended()
        return counts

    def _ended(self):
        _open.discard(self)
        if self._reporter:
            self._reporter.end()

    def _appender(self, stream_name):
        with self._lock:
            if stream_name not in self._appenders:
                what = [self._producer, c_name(stream_name), ffi.NULL]
                opened = made("appender", lib.hstream_appender_free, lib.hstream_producer_open, *what)
                self._appenders[stream_name] = opened
            return self._appenders[stream_name]


class _Reporter:
    """Polls reports and calls the callback, until the producer is closed and all is told."""

    def __init__(self, producer, callback):
        self._callback = callback
        self._reported = 0
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, args=[producer], daemon=True, name="hstreamdb-reports")
        self._thread.start()

    def _run(self, producer):
        while True:
            try:
                what = [producer, 1000, lib.HSTREAM_FOREVER, ffi.NULL]
                deliveries = made("deliveries", lib.hstream_deliveries_free, lib.hstream_producer_poll, *what)
            except Error:
                return  # closed, and no report is left
            if deliveries:
                self._tell(deliveries)

    def _tell(self, deliveries):
        count = lib.hstream_deliveries_count(deliveries)
        for (stream, shard, code), group in itertools.groupby(range(count), lambda i: _end_of(deliveries, i)):
            indexes = list(group)
            payloads = [_lent(lib.hstream_deliveries_record(deliveries, index)) for index in indexes]
            try:
                if code == lib.HSTREAM_OK:
                    self._callback.on_success(stream, payloads, shard)
                else:
                    error = described(lib.hstream_deliveries_error(deliveries, indexes[0]))
                    self._callback.on_fail(stream, payloads, shard, error)
            except Exception:
                traceback.print_exc()
        with self._changed:
            self._reported += count
            self._changed.notify_all()

    def wait_for(self, count, timeout):
        """Until so many records were told of: flushed ones are in the queue that this reads."""
        with self._changed:
            self._changed.wait_for(lambda: self._reported >= count or not self._thread.is_alive(), timeout)

    def end(self):
        self._thread.join()

    def not_here(self):
        if threading.current_thread() is self._thread:
            raise failure(lib.HSTREAM_ERR_WOULD_DEADLOCK)


def _end_of(deliveries, index):
    return (
        text(lib.hstream_deliveries_stream_name, deliveries, index),
        lib.hstream_deliveries_shard_id(deliveries, index),
        lib.hstream_deliveries_code(deliveries, index),
    )


def _lent(record):
    return AppendPayload(payload_of(record), text(lib.hstream_record_key, record))


# Producers that nobody has closed. The interpreter's end closes them while callbacks can still run.
_open = weakref.WeakSet()
os.register_at_fork(after_in_child=_open.clear)


@atexit.register
def _close_all():
    for producer in list(_open):
        try:
            producer.wait_and_close(EXIT_TIMEOUT)
        except Error as error:
            print(f"hstreamdb: a producer at exit: {error}", file=sys.stderr)
