"""A blocking client for HStreamDB, over the C library libhstreamdb.

The names, parameters and units are those of the published client `hstreamdb` 0.5.0, without `async`. What differs on
purpose:

- flushes wait, with `timeout` in seconds, and count; `size_trigger` counts encoded bytes; a producer with both triggers
  0 sends whenever a shard is idle, and one with a negative `time_trigger` by flush alone;
- compression is `gzip` or `zstd`, by default at the library's level; a negative `retry_count` means until the
  library's delivery time-out of 120 s;
- a client looks at its cluster by itself, a consumer connects again after a loss.

Clients, producers, consumers and readers work in any thread, and are context managers. Ctrl-C and other signal handlers
run while the main thread waits. After a fork, what was made before raises `Error` with the code FORKED: make clients in
the child. With asyncio, wait for `event_fd()` to be readable and poll with no time-out; `aio` does that.
"""

from ._errors import Error
from ._client import HStreamDBClient, insecure_client, secure_client
from ._consumer import Consumer
from ._library import live_handles
from ._producer import AppendPayload, BufferedProducer, Counts
from ._types import (
    Record,
    RecordHeader,
    RecordId,
    Shard,
    ShardOffset,
    SpecialOffset,
    Stream,
    Subscription,
    TimeStamp,
)

__all__ = [
    "AppendPayload",
    "BufferedProducer",
    "Consumer",
    "Counts",
    "Error",
    "HStreamDBClient",
    "Record",
    "RecordHeader",
    "RecordId",
    "Shard",
    "ShardOffset",
    "SpecialOffset",
    "Stream",
    "Subscription",
    "TimeStamp",
    "insecure_client",
    "live_handles",
    "secure_client",
]
