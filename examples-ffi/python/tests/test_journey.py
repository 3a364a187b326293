"""The same journey by this module and by the published client, on one server; what they find is compared.

python -m unittest tests.test_journey, where the package hstreamdb 0.5.0 is installed.
"""

import asyncio
import contextlib
import inspect
import unittest

import grpc
import hstreamdb as published
import hstreamdb_blocking as ours

from .server import server

# The published client cancels its call right after handing over an ack to the sender.
ACKS_LEAVE_WITHIN = 0.5


class Awaited:
    """Lends a blocking object the manners of the published one: what is awaited there."""

    def __init__(self, inner):
        self._inner = inner

    def __getattr__(self, name):
        value = getattr(self._inner, name)

        async def awaited(*arguments, **named):
            return value(*arguments, **named)

        return awaited

    def new_producer(self, **named):
        return Awaited(self._inner.new_producer(**named))

    def new_consumer(self, name, subscription_id, processing_func):
        def process(ack, stop, records):
            finish(processing_func(Awaited.function(ack), Awaited.function(stop), records))

        return Awaited(self._inner.new_consumer(name, subscription_id, process))

    @contextlib.asynccontextmanager
    async def with_reader(self, *arguments, **named):
        with self._inner.with_reader(*arguments, **named) as reader:
            yield Awaited(reader)

    @staticmethod
    def function(blocking):
        async def awaited(*arguments):
            return blocking(*arguments)

        return awaited


def finish(coroutine):
    """Runs a coroutine that waits for nothing but blocking calls."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("it waits for something else")


class Told:
    """An AppendCallback of either."""

    def __init__(self):
        self.ended = []

    def on_success(self, stream_name, payloads, stream_keyid):
        self.ended += [(stream_keyid, payload.key or "", comparable(payload.payload)) for payload in payloads]

    def on_fail(self, stream_name, payloads, stream_keyid, e):
        self.ended += [("failed", str(e))]


def comparable(payload):
    return payload.encode() if isinstance(payload, str) else payload


class Journey:
    def __init__(self, module, client, who, settle):
        self.module, self.client, self.settle = module, client, settle
        self.name = f"{who}-journey"
        self.reader = f"{who}-reader"
        self.found = []

    def note(self, what, value):
        self.found.append((what, value))

    async def failing(self, what, awaitable):
        try:
            await awaitable
            self.note(what, "no error")
        except grpc.aio.AioRpcError as error:
            self.note(what, error.code().value[0])
        except ours.Error as error:
            self.note(what, error.grpc_status)

    async def travel(self):
        await self.streams()
        await self.appends()
        await self.readers()
        await self.producer()
        await self.consumer()
        await self.ends()
        return self.found

    async def streams(self):
        await self.client.create_stream(self.name, replication_factor=1, backlog=3600, shard_count=3)
        await self.failing("a stream that exists", self.client.create_stream(self.name))
        streams = [stream for stream in await self.client.list_streams() if stream.name == self.name]
        self.note("streams", [stream.replication_factor for stream in streams])
        shards = sorted(await self.client.list_shards(self.name), key=lambda shard: shard.start)
        self.shards = [shard.id for shard in shards]
        self.note("shards", [(shard.start, shard.end, shard.stream_name == self.name) for shard in shards])
        await self.client.create_subscription(self.name, self.name, ack_timeout=60, max_unacks=500, offset=0)
        found = [s for s in await self.client.list_subscriptions() if s.subscription_id == self.name]
        self.note("subscriptions", [(s.stream_name == self.name, s.ack_timeout, s.max_unacks) for s in found])
        self.note("it exists", await self.client.does_subscription_exist(self.name))
        self.note("it does not", await self.client.does_subscription_exist("no-such-subscription"))

    async def appends(self):
        mixed = [b"raw \0\xff", "text grüße 你好", {"n": 1.5, "list": [1, None, True], "in": {"k": "v"}}]
        for options in ({}, {"key": "key-1", "compresstype": "gzip", "compresslevel": 1}):
            ids = list(await self.client.append(self.name, mixed, **options))
            self.note("ids", [(self.shards.index(i.shard_id), i.batch_index) for i in ids])
            self.note("one batch", len({i.batch_id for i in ids}))
            self.last = ids[-1]

    async def readers(self):
        offset = self.module.ShardOffset(specialOffset=0)
        await self.client.create_reader(self.name, self.reader, offset, timeout=100, stream_key="key-1")
        again = self.client.create_reader(self.name, self.reader, offset, timeout=100, stream_key="key-1")
        await self.failing("a reader that exists", again)
        records = list(await self.client.read_reader(self.reader, 10))
        self.note("read", [self.described(record) for record in records])
        self.note("the last", self.last == records[-1].id)
        self.note("read on", list(await self.client.read_reader(self.reader, 1)))
        await self.client.delete_reader(self.reader)
        latest = self.module.ShardOffset(specialOffset=1)
        async with self.client.with_reader(self.name, self.reader, latest, 0, shard_id=self.shards[0]) as reader:
            self.note("after the latest", list(await reader.read(10)))

    async def producer(self):
        told = Told()
        producer = self.client.new_producer(
            append_callback=told, size_trigger=1000, time_trigger=0.2, workers=2, retry_count=1, retry_max_delay=1
        )
        for number in range(50):
            await producer.append(self.name, f"{number:03}", key=f"key-{number % 5}")
        await producer.append(self.name, {"n": 50.0})
        await producer.flush_by_key(self.name, "key-1")
        await producer.flush(self.name, told_shard(self.shards, await self.shard_of_nothing()))
        await producer.flushall()
        await producer.wait_and_close()
        ended = [(self.shards.index(shard), *rest) for shard, *rest in told.ended]
        self.note("told", sorted(ended, key=str))

    async def shard_of_nothing(self):
        """The shard of the empty key, where a record of the producer's is."""
        ids = list(await self.client.append(self.name, ["of the empty key"]))
        return ids[0].shard_id

    async def consumer(self):
        received, wanted = [], 3 + 3 + 50 + 1 + 1

        async def process(ack, stop, records):
            records = list(records)
            received.extend(records)
            await ack(record.id for record in records)
            if len(received) >= wanted:
                await self.settle()
                await stop()

        await self.client.new_consumer("me", self.name, process).start()
        self.note("received", sorted([self.described(record) for record in received], key=str))
        times = [record.header.publish_time.seconds > 1_600_000_000 for record in received]
        self.note("times", times)

    def described(self, record):
        header = record.header
        shard = self.shards.index(record.id.shard_id)
        return (shard, header.key or "", sorted(dict(header.attributes).items()), record.payload)

    async def ends(self):
        await self.failing("a stream in use", self.client.delete_stream(self.name))
        await self.client.delete_subscription(self.name, force=True)
        self.note("it is gone", await self.client.does_subscription_exist(self.name))
        await self.failing("no such subscription", self.client.delete_subscription(self.name))
        await self.client.delete_stream(self.name, force=True)
        await self.failing("no such stream any more", self.client.delete_stream(self.name))
        await self.client.delete_stream(self.name, ignore_non_exist=True)
        await self.client.init_cluster_info()


def told_shard(shards, shard):
    assert shard in shards
    return shard


async def by_published(url):
    async with await published.insecure_client(url=url) as client:
        journey = Journey(published, client, "theirs", lambda: asyncio.sleep(ACKS_LEAVE_WITHIN))
        return await journey.travel()


async def by_ours(url):
    async def at_once():
        pass

    with ours.insecure_client(url=url) as client:
        return await Journey(ours, Awaited(client), "ours", at_once).travel()


class SameJourney(unittest.TestCase):
    maxDiff = None

    def test_both_find_the_same(self):
        with server() as url:
            theirs, mine = asyncio.run(by_published(url)), asyncio.run(by_ours(url))
        self.assertEqual([what for what, _ in theirs], [what for what, _ in mine])
        for (what, found), (_, same) in zip(theirs, mine):
            with self.subTest(what):
                self.assertEqual(found, same)
        self.assertGreater(len(theirs), 20)

    def test_names_parameters_and_defaults_are_the_published_ones(self):
        """But for the level of compression, where ours is the library's. What must be given there may be optional."""
        for owner, names in PUBLISHED.items():
            for name in names.split():
                theirs = parameters(getattr(owner(published), name))
                mine = parameters(getattr(owner(ours), name))
                with self.subTest(name):
                    self.assertEqual([name for name, _ in mine[: len(theirs)]], [name for name, _ in theirs])
                    defaults = [(a, b) for (_, a), (_, b) in zip(mine, theirs) if b is not inspect.Parameter.empty]
                    self.assertTrue(all(a == b for a, b in defaults), defaults)
                    # What ours has beside these may be left out.
                    self.assertNotIn(inspect.Parameter.empty, [default for _, default in mine[len(theirs) :]])


PUBLISHED = {
    lambda module: module: "insecure_client secure_client",
    lambda module: module.HStreamDBClient: """
        init_cluster_info create_stream delete_stream list_streams list_shards append new_producer
        create_subscription list_subscriptions does_subscription_exist delete_subscription new_consumer
        create_reader read_reader delete_reader with_reader""",
    lambda module: module.BufferedProducer: "append flush flush_by_key flushall close wait wait_and_close",
    lambda module: module.BufferedProducer.AppendCallback: "on_success on_fail",
}


def parameters(function):
    """Names and defaults, but for the level of compression."""
    all_of_them = inspect.signature(function).parameters.values()
    return [(p.name, "ours" if p.name == "compresslevel" else p.default) for p in all_of_them]


if __name__ == "__main__":
    unittest.main()
