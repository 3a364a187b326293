"""Consumers of subscriptions, and readers that have none. Both are polled."""

from ._calls import call, made, options
from ._errors import Error
from ._library import ffi, lib, milliseconds
from ._library import name as c_name
from ._records import records_of
from ._types import ids_to_c

CLOSE_TIMEOUT = 30  # seconds


class Consumer:
    """Records come at least once: those that are not acked in time come again. Any thread may use it."""

    def __init__(self, client, name, subscription_id, processing_func):
        settings = options("consumer", name=name)
        what = [client, c_name(subscription_id), settings, ffi.NULL]
        self._consumer = made("consumer", lib.hstream_consumer_free, lib.hstream_consumer_new, *what)
        self._process = processing_func
        self._is_stopped = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def start(self):
        """Calls `processing_func(ack_fun, stop_fun, records)` batch by batch, in this thread, and returns when that has
        called `stop_fun`, or another thread has closed the consumer. Acks have reached the server then."""
        self._is_stopped = False
        try:
            call(lib.hstream_consumer_start, self._consumer)
            while not self._is_stopped:
                records = self.poll()
                if records:
                    self._process(self.ack, self.stop, records)
        except Error as error:
            if error.code != lib.HSTREAM_ERR_CLOSED:
                raise
            return
        call(lib.hstream_consumer_stop, self._consumer, milliseconds(CLOSE_TIMEOUT), ffi.NULL)

    def stop(self):
        """Has `start` return after this batch."""
        self._is_stopped = True

    def poll(self, max_records=1000, timeout=None):
        """A list of records, as soon as there are any; an empty one if none came within `timeout` seconds."""
        what = [self._consumer, max_records, milliseconds(timeout), ffi.NULL]
        batch = made("batch", lib.hstream_batch_free, lib.hstream_consumer_poll, *what)
        return records_of(batch) if batch else []

    def ack(self, record_ids):
        """Says that records are done with. It does not wait; `close` does."""
        ids = list(record_ids)
        call(lib.hstream_consumer_ack, self._consumer, ids_to_c(ids), len(ids))

    def event_fd(self):
        """A descriptor that is readable while `poll` has something; -1 where there is none."""
        return lib.hstream_consumer_event_fd(self._consumer)

    def close(self, timeout=CLOSE_TIMEOUT):
        """Leaves the subscription. If it succeeds, the server has all acks."""
        call(lib.hstream_consumer_close, self._consumer, milliseconds(timeout), ffi.NULL)

    @property
    def ended(self):
        return lib.hstream_consumer_state(self._consumer) == lib.HSTREAM_STATE_CLOSED


class StreamReader:
    """Reads a stream from its earliest record on; one thread at a time."""

    def __init__(self, client, stream_name, settings):
        what = [client, c_name(stream_name), options("reader", **settings), ffi.NULL]
        self._reader = made("reader", lib.hstream_reader_free, lib.hstream_reader_open_stream, *what)
        self.ended = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __iter__(self):
        while not self.ended:
            yield from self.poll()

    def poll(self, max_records=1000, timeout=None):
        """A list of records; an empty one if none came in time, or when all is read, and then `ended` is true."""
        what = [self._reader, max_records, milliseconds(timeout), ffi.NULL]
        try:
            batch = made("batch", lib.hstream_batch_free, lib.hstream_reader_read, *what)
        except Error as error:
            if error.code != lib.HSTREAM_END:
                raise
            self.ended = True
            return []
        return records_of(batch) if batch else []

    def event_fd(self):
        """A descriptor that is readable while `poll` has something; -1 where there is none."""
        return lib.hstream_reader_event_fd(self._reader)

    def close(self, timeout=CLOSE_TIMEOUT):
        call(lib.hstream_reader_close, self._reader, milliseconds(timeout), ffi.NULL)
