"""What event_loop.c does, by ctypes and selectors: python3 event_loop.py LIBRARY URL

The cluster at URL has a stream `events` and a subscription of that name, and
nothing in them.
"""

import ctypes
import selectors
import sys
from ctypes import POINTER, byref, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p

RECORDS = 20
SOON = 30

SIGNATURES = {
    "hstream_client_options_new": (c_void_p, []),
    "hstream_client_options_set_url": (c_int32, [c_void_p, c_char_p, c_void_p]),
    "hstream_client_options_free": (None, [c_void_p]),
    "hstream_client_connect": (c_int32, [c_void_p, c_void_p, POINTER(c_void_p), c_void_p]),
    "hstream_client_free": (None, [c_void_p]),
    "hstream_reader_open_stream": (c_int32, [c_void_p, c_char_p, c_void_p, c_void_p, POINTER(c_void_p), c_void_p]),
    "hstream_reader_event_fd": (c_int32, [c_void_p]),
    "hstream_reader_read": (c_int32, [c_void_p, c_uint32, c_int64, c_void_p, POINTER(c_void_p), c_void_p]),
    "hstream_reader_free": (None, [c_void_p]),
    "hstream_consumer_new": (c_int32, [c_void_p, c_char_p, c_void_p, c_void_p, POINTER(c_void_p), c_void_p]),
    "hstream_consumer_start": (c_int32, [c_void_p, c_void_p]),
    "hstream_consumer_event_fd": (c_int32, [c_void_p]),
    "hstream_consumer_poll": (c_int32, [c_void_p, c_uint32, c_int64, c_void_p, POINTER(c_void_p), c_void_p]),
    "hstream_consumer_free": (None, [c_void_p]),
    "hstream_producer_options_new": (c_void_p, []),
    "hstream_producer_options_set": (c_int32, [c_void_p, c_char_p, c_char_p, c_void_p]),
    "hstream_producer_options_free": (None, [c_void_p]),
    "hstream_producer_new": (c_int32, [c_void_p, c_void_p, POINTER(c_void_p), c_void_p]),
    "hstream_producer_open": (c_int32, [c_void_p, c_char_p, c_void_p, POINTER(c_void_p), c_void_p]),
    "hstream_producer_event_fd": (c_int32, [c_void_p]),
    "hstream_producer_poll": (c_int32, [c_void_p, c_uint32, c_int64, c_void_p, POINTER(c_void_p), c_void_p]),
    "hstream_producer_free": (None, [c_void_p]),
    "hstream_appender_append_raw": (
        c_int32,
        [c_void_p, c_char_p, c_size_t, c_char_p, c_size_t, c_uint64, c_int64, c_void_p, c_void_p],
    ),
    "hstream_appender_free": (None, [c_void_p]),
    "hstream_batch_count": (c_size_t, [c_void_p]),
    "hstream_batch_free": (None, [c_void_p]),
    "hstream_deliveries_count": (c_size_t, [c_void_p]),
    "hstream_deliveries_free": (None, [c_void_p]),
    "hstream_code_name": (c_char_p, [c_int32]),
    "hstream_live_handles": (c_uint64, []),
}


class Library:
    """The functions without their prefix; those that return a code raise."""

    def __init__(self, path):
        library = ctypes.CDLL(path)
        for name, (result, arguments) in SIGNATURES.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
            short = name.removeprefix("hstream_")
            setattr(self, short, self.checked(short, function) if result is c_int32 else function)

    def checked(self, name, function):
        def call(*arguments):
            code = function(*arguments)
            if code != 0 and not name.endswith("event_fd"):
                raise RuntimeError(f"{name}: {self.code_name(code).decode()}")
            return code

        return call

    def made(self, function, *arguments):
        """What a function hands out by its last parameter but one."""
        out = c_void_p()
        function(*arguments, byref(out), None)
        return out


def connected(library, url):
    options = library.client_options_new()
    library.client_options_set_url(options, url.encode(), None)
    client = library.made(library.client_connect, options, None)
    library.client_options_free(options)
    return client


def polled_producer(library, client):
    options = library.producer_options_new()
    library.producer_options_set(options, b"report.polling", b"true", None)
    producer = library.made(library.producer_new, client, options)
    library.producer_options_free(options)
    return producer


def serve(selector, wanted):
    """Gets what the selector says is there, until so much of each has come."""
    counts = {key.data: 0 for key in selector.get_map().values()}
    while any(count < wanted for count in counts.values()):
        ready = selector.select(SOON)
        assert ready, f"nothing came any more, after {counts}"
        for key, _ in ready:
            counts[key.data] += key.data()
    assert all(count == wanted for count in counts.values()), counts
    assert not selector.select(0), "all was got"


def main(path, url):
    library = Library(path)
    client = connected(library, url)
    reader = library.made(library.reader_open_stream, client, b"events", None, None)
    consumer = library.made(library.consumer_new, client, b"events", None, None)
    library.consumer_start(consumer, None)
    producer = polled_producer(library, client)
    appender = library.made(library.producer_open, producer, b"events", None)

    def source(poll, handle, count_of, free):
        def get():
            got = library.made(poll, handle, 3, 0, None)
            count = count_of(got)
            free(got)
            assert 1 <= count <= 3
            return count

        return get

    selector = selectors.DefaultSelector()
    for descriptor, get in [
        (library.reader_event_fd(reader),
         source(library.reader_read, reader, library.batch_count, library.batch_free)),
        (library.consumer_event_fd(consumer),
         source(library.consumer_poll, consumer, library.batch_count, library.batch_free)),
        (library.producer_event_fd(producer),
         source(library.producer_poll, producer, library.deliveries_count, library.deliveries_free)),
    ]:
        selector.register(descriptor, selectors.EVENT_READ, get)
    assert not selector.select(0), "there is nothing yet"
    for _ in range(RECORDS):
        library.appender_append_raw(appender, None, 0, b"x", 1, 0, SOON * 1000, None, None)
    serve(selector, RECORDS)

    selector.close()
    library.reader_free(reader)
    library.consumer_free(consumer)
    library.appender_free(appender)
    library.producer_free(producer)
    library.client_free(client)
    assert library.live_handles() == 0
    print(f"{RECORDS} of each")


if __name__ == "__main__":
    main(*sys.argv[1:])
