"""Clients: streams, appends, subscriptions, named readers."""

import contextlib
from pathlib import Path

from ._calls import call, interrupt, made, options
from ._consumer import Consumer, StreamReader
from ._errors import checked
from ._library import data, ffi, lib, milliseconds, name as c_name, taken, text
from ._producer import BufferedProducer
from ._records import new_record, records_of
from ._types import Shard, SpecialOffset, Stream, Subscription, id_from_c

CLOSE_TIMEOUT = 30  # seconds


def insecure_client(host="127.0.0.1", port=6570, url=None):
    """Connects without TLS. `url` is hstream://host[:port], several hosts by comma, and overrides the others."""
    return HStreamDBClient(_client_options(url or _url("hstream", host, port), "hstream://"))


def secure_client(
    host="127.0.0.1",
    port=6570,
    url=None,
    is_creds_file=False,
    root_certificates=None,
    private_key=None,
    certificate_chain=None,
):
    """Connects with TLS. `url` is hstreams://host[:port]. The last three are PEM bytes, or paths if `is_creds_file`; no
    roots means those of the system."""
    settings = _client_options(url or _url("hstreams", host, port), "hstreams://")
    if root_certificates is not None:
        call(lib.hstream_client_options_set_tls_ca_pem, settings, *data(_pem(root_certificates, is_creds_file)))
    if (private_key is None) != (certificate_chain is None):
        raise ValueError("a private key goes with its certificate chain")
    if private_key is not None:
        identity = [*data(_pem(certificate_chain, is_creds_file)), *data(_pem(private_key, is_creds_file))]
        call(lib.hstream_client_options_set_tls_identity_pem, settings, *identity)
    return HStreamDBClient(settings)


def _url(scheme, host, port):
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _client_options(url, scheme):
    if not url.startswith(scheme):
        raise ValueError(f"the URL of this client begins with {scheme}: {url}")
    settings = options("client", url=url)
    interrupt.set_on(settings)
    return settings


def _pem(value, is_path):
    return Path(value).read_bytes() if is_path else value


class HStreamDBClient:
    """A connection to a cluster, by insecure_client or secure_client."""

    def __init__(self, settings):
        self._client = made("client", lib.hstream_client_free, lib.hstream_client_connect, settings, ffi.NULL)
        self._waits = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self, timeout=CLOSE_TIMEOUT):
        """Closes it and what was made with it: producers flush, consumers send their acks."""
        call(lib.hstream_client_close, self._client, milliseconds(timeout), ffi.NULL)

    def init_cluster_info(self):
        """Looks at the cluster again now."""
        call(lib.hstream_client_refresh, self._client, ffi.NULL)

    def metrics_json(self):
        out, length = ffi.new("char **"), ffi.new("size_t *")
        call(lib.hstream_client_metrics_json, self._client, out, length)
        return taken(out, length)

    # ---- Streams, shards, appending ----

    def create_stream(self, name, replication_factor=1, backlog=0, shard_count=1):
        """The backlog is in seconds, 0 = for ever."""
        settings = ffi.gc(lib.hstream_stream_options_new(), lib.hstream_stream_options_free)
        checked(lib.hstream_stream_options_set_replication_factor(settings, replication_factor))
        checked(lib.hstream_stream_options_set_backlog_seconds(settings, backlog))
        checked(lib.hstream_stream_options_set_shard_count(settings, shard_count))
        call(lib.hstream_client_create_stream, self._client, c_name(name), settings, ffi.NULL, ffi.NULL)

    def delete_stream(self, name, ignore_non_exist=False, force=False):
        flags = _deletion(force) | (lib.HSTREAM_DELETE_IGNORE_MISSING if ignore_non_exist else 0)
        call(lib.hstream_client_delete_stream, self._client, c_name(name), flags, ffi.NULL)

    def list_streams(self):
        listed = self._list("streams", lib.hstream_client_list_streams, ffi.NULL)
        return iter([
            Stream(text(lib.hstream_stream_name, stream), lib.hstream_stream_replication_factor(stream))
            for stream in listed
        ])

    def list_shards(self, stream_name):
        return [
            Shard(
                lib.hstream_shard_id(shard),
                text(lib.hstream_shard_stream_name, shard),
                int(text(lib.hstream_shard_start_key, shard)),
                int(text(lib.hstream_shard_end_key, shard)),
                lib.hstream_shard_epoch(shard),
                bool(lib.hstream_shard_is_active(shard)),
            )
            for shard in self._list("shards", lib.hstream_client_list_shards, c_name(stream_name))
        ]

    def _list(self, kind, function, what):
        """The elements of a C list, with the list that lends them alive."""
        listed = made(kind, getattr(lib, f"hstream_{kind}_free"), function, self._client, what, ffi.NULL)
        at = getattr(lib, f"hstream_{kind}_at")
        for index in range(getattr(lib, f"hstream_{kind}_count")(listed)):
            yield at(listed, index)

    def append(self, name, payloads, key=None, compresstype=None, compresslevel=None):
        """Writes bytes, str (raw, UTF-8) and dicts (JSON), all with one key, and waits; the record ids, in order. One may
        be written twice if its outcome is not known, but is not lost."""
        records = [new_record(payload, key) for payload in payloads]
        settings = options("append", compression_kind=compresstype, compression_level=compresslevel)
        ids = ffi.new("hstream_record_id_t[]", len(records))
        array = ffi.new("const hstream_record_t *[]", records)
        arguments = [array, len(records), settings, ffi.NULL, ids, ffi.NULL]
        call(lib.hstream_client_append, self._client, c_name(name), *arguments)
        return [id_from_c(value) for value in ids]

    def new_producer(
        self,
        append_callback=None,
        size_trigger=0,
        time_trigger=0,
        workers=1,
        retry_count=0,
        retry_max_delay=60,
        compresstype=None,
        compresslevel=None,
    ):
        return BufferedProducer(
            self._client,
            append_callback,
            size_trigger,
            time_trigger,
            workers,
            retry_count,
            retry_max_delay,
            compresstype,
            compresslevel,
        )

    # ---- Subscriptions and consumers ----

    def create_subscription(
        self, subscription_id, stream_name, ack_timeout=600, max_unacks=10000, offset=SpecialOffset.LATEST
    ):
        """The ack time-out is in seconds."""
        settings = options(
            "subscription",
            ack_timeout_seconds=ack_timeout,
            max_unacked_records=max_unacks,
            start=SpecialOffset(offset).name.lower(),
        )
        what = [c_name(subscription_id), c_name(stream_name), settings, ffi.NULL, ffi.NULL]
        call(lib.hstream_client_create_subscription, self._client, *what)

    def list_subscriptions(self):
        listed = self._list("subscriptions", lib.hstream_client_list_subscriptions, ffi.NULL)
        return iter([
            Subscription(
                text(lib.hstream_subscription_id, subscription),
                text(lib.hstream_subscription_stream_name, subscription),
                lib.hstream_subscription_ack_timeout_seconds(subscription),
                lib.hstream_subscription_max_unacked_records(subscription),
            )
            for subscription in listed
        ])

    def does_subscription_exist(self, subscription_id):
        exists = ffi.new("int32_t *")
        call(lib.hstream_client_subscription_exists, self._client, c_name(subscription_id), ffi.NULL, exists)
        return bool(exists[0])

    def delete_subscription(self, subscription_id, force=False):
        call(lib.hstream_client_delete_subscription, self._client, c_name(subscription_id), _deletion(force), ffi.NULL)

    def new_consumer(self, name, subscription_id, processing_func=None):
        """`processing_func(ack_fun, stop_fun, records)` is called by `start`; without it, poll."""
        return Consumer(self._client, name, subscription_id, processing_func)

    # ---- Readers ----

    def create_reader(self, stream_name, reader_id, shard_offset, timeout, shard_id=None, stream_key=None):
        """A named reader on the server. The time-out, the longest that a read waits there, is in milliseconds."""
        rest = [shard_offset.to_c(), timeout, ffi.NULL]
        if shard_id is not None:
            what = [c_name(reader_id), c_name(stream_name), shard_id, *rest]
            call(lib.hstream_client_create_shard_reader, self._client, *what)
        else:
            what = [c_name(reader_id), c_name(stream_name), *data(stream_key), *rest]
            call(lib.hstream_client_create_key_reader, self._client, *what)
        self._waits[reader_id] = timeout

    def read_reader(self, reader_id, max_records):
        """An iterator of records; the number counts batches. One for which the answer was lost is not read again."""
        settings = ffi.gc(lib.hstream_call_new(), lib.hstream_call_free)
        # A reader of another client may wait as long as that one said.
        checked(lib.hstream_call_set_timeout_ms(settings, self._waits.get(reader_id, 60_000) + 30_000))
        what = [c_name(reader_id), max_records, settings]
        batch = made("batch", lib.hstream_batch_free, lib.hstream_client_read_shard, self._client, *what)
        return iter(records_of(batch))

    def delete_reader(self, reader_id):
        call(lib.hstream_client_delete_shard_reader, self._client, c_name(reader_id), 0, ffi.NULL)
        self._waits.pop(reader_id, None)

    @contextlib.contextmanager
    def with_reader(self, stream_name, reader_id, shard_offset, timeout, shard_id=None, stream_key=None):
        """Created, then deleted whatever happens; has `read(max_records)`."""
        self.create_reader(stream_name, reader_id, shard_offset, timeout, shard_id, stream_key)
        try:
            yield _NamedReader(self, reader_id)
        finally:
            self.delete_reader(reader_id)

    def read_stream(self, stream_name, **settings):
        """Reads all shards of a stream, and follows it; settings are options of readers with `_` for `.`, as
        until="latest"."""
        return StreamReader(self._client, stream_name, settings)


class _NamedReader:
    def __init__(self, client, reader_id):
        self._client, self._reader_id = client, reader_id

    def read(self, max_records):
        return self._client.read_reader(self._reader_id, max_records)


def _deletion(force):
    return lib.HSTREAM_DELETE_FORCE if force else 0
