"""Drives the published Python client hstreamdb; prints JSON lines on stdout.

    peer.py write URL STREAM --format F --compression C --count N [--key K] [--via V]
    peer.py read URL SUBSCRIPTION --count N [--timeout S]
    peer.py journey URL [--readers] [--control HOST:PORT]

URL is like hstream://127.0.0.1:6570. With --control, the control port of a
development server of several nodes, the node that the client is using is killed
on the way, and the journey goes on with the others.
"""

import argparse
import asyncio
import base64
import json
import logging
import sys
import uuid

import grpc
import hstreamdb
from hstreamdb import BufferedProducer, ShardOffset, SpecialOffset

# The client cancels its call right after handing over an ack to the sender.
ACKS_LEAVE_WITHIN = 0.5


def emit(**line):
    print(json.dumps(line, ensure_ascii=False), flush=True)


def id_text(record_id):
    return f"{record_id.shard_id}-{record_id.batch_id}-{record_id.batch_index}"


# ---- write ----


def raw_payload(i):
    return f"raw-{i}".encode() + b"\x00\xff"


def str_payload(i):
    return f"text-{i} grüße 你好"


def json_payload(i):
    return {"n": i, "text": f"text-{i} 你好", "nested": {"list": [1, 2.5, None, True]}}


PAYLOADS = {"raw": raw_payload, "str": str_payload, "json": json_payload}


async def write(arguments):
    payloads = [PAYLOADS[arguments.format](i) for i in range(arguments.count)]
    async with await hstreamdb.insecure_client(url=arguments.url) as client:
        if arguments.via == "append":
            ids = await write_by_append(client, arguments, payloads)
        else:
            ids = await write_by_producer(client, arguments, payloads)
    for n, record_id in enumerate(ids):
        emit(id=record_id, n=n)


async def write_by_append(client, arguments, payloads):
    compression = None if arguments.compression == "none" else arguments.compression
    ids = await client.append(
        arguments.stream, payloads, key=arguments.key, compresstype=compression
    )
    ids = [id_text(record_id) for record_id in ids]
    check(len(ids) == len(payloads), f"{len(ids)} ids for {len(payloads)} records")
    return ids


async def write_by_producer(client, arguments, payloads):
    producer = client.new_producer()
    for payload in payloads:
        await producer.append(arguments.stream, payload, key=arguments.key)
    await producer.wait_and_close()
    return [None] * len(payloads)


# ---- read ----


async def read(arguments):
    async with await hstreamdb.insecure_client(url=arguments.url) as client:
        name = unique("peer")
        records = await consume(
            client, name, arguments.subscription, arguments.count, arguments.timeout, emit_record
        )
    if len(records) < arguments.count:
        raise Failed(f"only {len(records)} of {arguments.count} records within {arguments.timeout} s")


async def consume(client, name, subscription, count, timeout, each=lambda record: None):
    """What came before the time-out, at most count records, all of it acked."""
    received = []

    async def process(ack, stop, records):
        batch = list(records)[: count - len(received)]
        for record in batch:
            each(record)
        received.extend(batch)
        await ack(record.id for record in batch)
        if len(received) >= count:
            await asyncio.sleep(ACKS_LEAVE_WITHIN)
            await stop()

    consumer = client.new_consumer(name, subscription, process)
    # The client takes the cancellation for its own stop, so that a time-out
    # shows only in the number of records.
    try:
        await asyncio.wait_for(consumer.start(), timeout)
    except asyncio.TimeoutError:
        pass
    return received


def emit_record(record):
    is_json = isinstance(record.payload, dict)
    emit(
        id=id_text(record.id),
        key=record.header.key or "",
        kind="json" if is_json else "raw",
        payload=record.payload if is_json else base64.b64encode(record.payload).decode(),
        attributes=dict(record.header.attributes),
    )


# ---- journey ----


class Failed(Exception):
    pass


def check(condition, message):
    if not condition:
        raise Failed(message)


def unique(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


async def until(happened, timeout=30):
    deadline = asyncio.get_running_loop().time() + timeout
    while not happened():
        check(asyncio.get_running_loop().time() < deadline, f"nothing within {timeout} s")
        await asyncio.sleep(0.01)


async def expect_status(status, call):
    try:
        await call
    except grpc.aio.AioRpcError as error:
        check(error.code() == status, f"{error.code()} {error.details()} instead of {status}")
        return
    raise Failed(f"success instead of {status}")


class Callback(BufferedProducer.AppendCallback):
    def __init__(self):
        self.succeeded = []
        self.failed = []

    def on_success(self, stream_name, payloads, stream_keyid):
        self.succeeded += [(stream_name, stream_keyid, p.key, p.payload) for p in payloads]

    def on_fail(self, stream_name, payloads, stream_keyid, e):
        self.failed.append(e)


class Control:
    """The control port of the development server."""

    def __init__(self, address):
        self.host, self.port = address.rsplit(":", 1)

    async def say(self, line):
        reader, writer = await asyncio.open_connection(self.host, int(self.port))
        writer.write(f"{line}\n".encode())
        answer = (await reader.readline()).decode().rstrip("\n")
        writer.close()
        check(answer == "ok" or answer.startswith("ok "), f"{line}: {answer}")
        return answer[3:]

    async def node_of(self, target):
        """The number of the node at HOST:PORT."""
        return (await self.say("get node_urls")).split(" ").index(f"hstream://{target}")


class Journey:
    """The steps run in the order of STEPS and build on one another."""

    def __init__(self, client, control=None):
        self.client = client
        self.control = control
        self.stream = unique("journey")
        self.subscription = unique("journey-sub")
        self.payloads = []

    async def create_stream(self):
        await self.client.create_stream(self.stream, backlog=3600, shard_count=3)
        await expect_status(
            grpc.StatusCode.ALREADY_EXISTS, self.client.create_stream(self.stream)
        )

    async def list_streams(self):
        streams = {s.name: s.replication_factor for s in await self.client.list_streams()}
        check(streams.get(self.stream) == 1, f"{self.stream} is not listed")

    async def list_shards(self):
        shards = sorted(await self.client.list_shards(self.stream), key=lambda shard: shard.start)
        check(len(shards) == 3, f"{len(shards)} shards")
        check(shards[0].start == 0 and shards[-1].end == 2**128 - 1, "key space is not covered")
        for left, right in zip(shards, shards[1:]):
            check(left.end + 1 == right.start, "gap or overlap between shards")
        check(all(s.stream_name == self.stream for s in shards), "wrong stream name in a shard")

    async def create_subscription(self):
        await self.client.create_subscription(
            self.subscription, self.stream, ack_timeout=60, offset=SpecialOffset.EARLIEST
        )

    async def list_subscriptions(self):
        found = [
            s for s in await self.client.list_subscriptions() if s.subscription_id == self.subscription
        ]
        expected = hstreamdb.Subscription(self.subscription, self.stream, 60, 10000)
        check(found == [expected], f"{found}")

    async def does_subscription_exist(self):
        check(await self.client.does_subscription_exist(self.subscription), "it does not exist")
        check(not await self.client.does_subscription_exist(unique("none")), "a made-up one exists")

    async def append_mixed(self):
        await self.append_and_remember([raw_payload(0), str_payload(1), json_payload(2)])

    async def append_gzip(self):
        payloads = [raw_payload(10), str_payload(11), json_payload(12)] * 20
        await self.append_and_remember(payloads, key="key-1", compresstype="gzip")

    async def append_and_remember(self, payloads, **options):
        ids = list(await self.client.append(self.stream, payloads, **options))
        check([i.batch_index for i in ids] == list(range(len(payloads))), f"ids {ids}")
        check(len({(i.shard_id, i.batch_id) for i in ids}) == 1, f"ids {ids}")
        self.payloads += payloads

    async def buffered_producer_flushed_by_hand(self):
        callback = Callback()
        producer = self.client.new_producer(append_callback=callback, workers=2)
        payloads = {key: [f"{key}-{i}" for i in range(10)] for key in ("hello", "你好", None)}
        for key, texts in payloads.items():
            for text in texts:
                await producer.append(self.stream, text, key=key)
        await producer.flush_by_key(self.stream, "hello")
        await producer.wait_and_close()
        sent = [text for texts in payloads.values() for text in texts]
        self.check_produced(callback, sent)

    async def buffered_producer_flushed_by_size(self):
        callback = Callback()
        producer = self.client.new_producer(append_callback=callback, size_trigger=64, retry_count=1)
        payloads = [raw_payload(i) for i in range(100, 150)]
        for payload in payloads:
            await producer.append(self.stream, payload, key="key-1")
        await producer.wait_and_close()
        self.check_produced(callback, payloads)

    async def buffered_producer_flushed_by_time(self):
        callback = Callback()
        producer = self.client.new_producer(append_callback=callback, time_trigger=0.1)
        await producer.append(self.stream, json_payload(200))
        await until(lambda: callback.succeeded or callback.failed)
        self.check_produced(callback, [json_payload(200)])
        await producer.wait_and_close()

    def check_produced(self, callback, payloads):
        check(not callback.failed, f"failed: {callback.failed}")
        produced = [payload for _, _, _, payload in callback.succeeded]
        check(same_payloads(produced, payloads), f"{len(produced)} of {len(payloads)} confirmed")
        self.payloads += payloads

    async def consumer(self):
        records = await consume(
            self.client, "consumer-1", self.subscription, len(self.payloads), timeout=20
        )
        received = [record.payload for record in records]
        check(len(records) == len(self.payloads), f"{len(records)} of {len(self.payloads)} records")
        check(same_payloads(received, self.payloads), "other payloads than appended")
        check(all(r.header.publish_time.seconds > 0 for r in records), "no publish time")

    async def acked_records_do_not_come_again(self):
        records = await consume(self.client, "consumer-2", self.subscription, 1, timeout=3)
        check(not records, f"{records}")

    async def reader(self):
        reader_id = unique("reader")
        earliest = ShardOffset(specialOffset=SpecialOffset.EARLIEST)
        await self.client.create_reader(
            self.stream, reader_id, earliest, timeout=200, stream_key="key-1"
        )
        first = list(await self.client.read_reader(reader_id, 1))
        rest = list(await self.client.read_reader(reader_id, 1000))
        check(len(first) == 60, f"{len(first)} records in the first batch")
        check(len(rest) >= 50, f"{len(rest)} records after it")
        check(first[-1].id < rest[0].id, "the reader did not go on")
        await self.client.delete_reader(reader_id)

    async def with_reader(self):
        latest = ShardOffset(specialOffset=SpecialOffset.LATEST)
        shard_id = (await self.client.list_shards(self.stream))[0].id
        async with self.client.with_reader(
            self.stream, unique("reader"), latest, 200, shard_id=shard_id
        ) as reader:
            records = list(await reader.read(10))
        check(not records, f"{len(records)} records after the latest")

    async def force_deletes(self):
        stream, subscription = unique("forced"), unique("forced-sub")
        await self.client.create_stream(stream)
        await self.client.create_subscription(
            subscription, stream, offset=SpecialOffset.EARLIEST
        )
        await self.client.append(stream, ["first"])
        received = asyncio.Event()

        async def process(ack, stop, records):
            received.set()

        consumer = asyncio.create_task(
            self.client.new_consumer("forced-consumer", subscription, process).start()
        )
        await asyncio.wait_for(received.wait(), 20)
        await expect_status(
            grpc.StatusCode.FAILED_PRECONDITION, self.client.delete_subscription(subscription)
        )
        await self.client.delete_stream(stream, force=True)
        await self.client.delete_subscription(subscription, force=True)
        await expect_status(grpc.StatusCode.ABORTED, asyncio.wait_for(consumer, 20))
        check(not await self.client.does_subscription_exist(subscription), "it still exists")

    async def node_in_use_is_killed(self):
        self.victim = self.client._current_target
        self.killed = await self.control.node_of(self.victim)
        await self.control.say(f"kill_node {self.killed}")
        streams = [stream.name for stream in await self.client.list_streams()]
        check(self.client._current_target != self.victim, "the client did not move")
        check(self.stream in streams, "a stream is gone")

    async def unary_calls_go_on(self):
        """All of them but Append, whose nodes the client never looks up again."""
        stream, subscription = unique("later"), unique("later-sub")
        await self.client.create_stream(stream, shard_count=2)
        check(len(await self.client.list_shards(stream)) == 2, "not 2 shards")
        await self.client.create_subscription(subscription, stream)
        check(await self.client.does_subscription_exist(subscription), "it does not exist")
        names = [s.subscription_id for s in await self.client.list_subscriptions()]
        check({subscription, self.subscription} <= set(names), f"listed: {names}")
        # Until the others miss the dead node they may send the client there.
        await self.when_missed()
        await self.client.delete_subscription(subscription)
        reader_id, shard = unique("reader"), (await self.client.list_shards(stream))[0].id
        earliest = ShardOffset(specialOffset=SpecialOffset.EARLIEST)
        await self.client.create_reader(stream, reader_id, earliest, 100, shard_id=shard)
        check(not list(await self.client.read_reader(reader_id, 1)), "records in an empty shard")
        await self.client.delete_reader(reader_id)
        await self.client.delete_stream(stream)

    async def when_missed(self):
        for _ in range(100):
            described = await self.client._stub.DescribeCluster(None)
            if self.victim not in [f"{node.host}:{node.port}" for node in described.serverNodes]:
                return
            await asyncio.sleep(0.1)
        raise Failed("the others never miss the killed node")

    async def subscription_goes_on_elsewhere(self):
        """A client that was not there before meets the acks of the one that was."""
        async with await hstreamdb.insecure_client(url=f"hstream://{self.client._current_target}") as fresh:
            await fresh.append(self.stream, ["after the kill"])
            records = await consume(fresh, "consumer-3", self.subscription, 1, timeout=20)
        check([r.payload for r in records] == [b"after the kill"], f"{records}")

    async def killed_node_comes_back(self):
        await self.control.say(f"restart_node {self.killed}")
        states = (await self.control.say("get running")).split(" ")
        check(states.count("no") == 0, f"states {states}")
        # It remembers where the node was that used to have the subscription.
        self.client._subscription_channels.clear()

    async def delete_subscription(self):
        await expect_status(
            grpc.StatusCode.FAILED_PRECONDITION, self.client.delete_stream(self.stream)
        )
        await self.client.delete_subscription(self.subscription, force=True)
        check(not await self.client.does_subscription_exist(self.subscription), "it still exists")

    async def delete_stream(self):
        await self.client.delete_stream(self.stream)
        names = [s.name for s in await self.client.list_streams()]
        check(self.stream not in names, "it is still listed")
        await expect_status(grpc.StatusCode.NOT_FOUND, self.client.delete_stream(self.stream))
        await self.client.delete_stream(self.stream, ignore_non_exist=True)

    STEPS = [
        create_stream,
        list_streams,
        list_shards,
        create_subscription,
        list_subscriptions,
        does_subscription_exist,
        append_mixed,
        append_gzip,
        buffered_producer_flushed_by_hand,
        buffered_producer_flushed_by_size,
        buffered_producer_flushed_by_time,
        consumer,
        acked_records_do_not_come_again,
        reader,
        with_reader,
        force_deletes,
        node_in_use_is_killed,
        unary_calls_go_on,
        subscription_goes_on_elsewhere,
        killed_node_comes_back,
        delete_subscription,
        delete_stream,
    ]
    READER_STEPS = [reader, with_reader]
    CLUSTER_STEPS = [
        node_in_use_is_killed,
        unary_calls_go_on,
        subscription_goes_on_elsewhere,
        killed_node_comes_back,
    ]


def same_payloads(left, right):
    return sorted(map(comparable, left)) == sorted(map(comparable, right))


def comparable(payload):
    if isinstance(payload, dict):
        return json.dumps(json.loads(json.dumps(payload), parse_int=float), sort_keys=True)
    return repr(payload.encode() if isinstance(payload, str) else payload)


async def journey(arguments):
    async with await hstreamdb.insecure_client(url=arguments.url) as client:
        travel = Journey(client, arguments.control and Control(arguments.control))
        for step in travel.STEPS:
            if step in travel.READER_STEPS and not arguments.readers:
                continue
            if step in travel.CLUSTER_STEPS and not arguments.control:
                continue
            try:
                await step(travel)
            except Failed as failure:
                raise Failed(f"{step.__name__}: {failure}") from None
            except grpc.aio.AioRpcError as error:
                raise Failed(f"{step.__name__}: {error.code()} {error.details()}") from None
            emit(ok=step.__name__)


# ---- command line ----


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)

    command = commands.add_parser("write")
    command.set_defaults(run=write)
    command.add_argument("url")
    command.add_argument("stream")
    command.add_argument("--format", choices=PAYLOADS, required=True)
    command.add_argument("--compression", choices=["none", "gzip"], default="none")
    command.add_argument("--count", type=int, required=True)
    command.add_argument("--key")
    command.add_argument("--via", choices=["append", "buffered"], default="append")

    command = commands.add_parser("read")
    command.set_defaults(run=read)
    command.add_argument("url")
    command.add_argument("subscription")
    command.add_argument("--count", type=int, required=True)
    command.add_argument("--timeout", type=float, default=30)

    command = commands.add_parser("journey")
    command.set_defaults(run=journey)
    command.add_argument("url")
    command.add_argument("--readers", action="store_true")
    command.add_argument("--control", metavar="HOST:PORT")

    arguments = parser.parse_args()
    if arguments.run is write and arguments.via == "buffered" and arguments.compression != "none":
        parser.error("the client's buffered producer ignores its compression setting")
    return arguments


def main():
    arguments = parse_arguments()
    # The client sends None for an empty request, which works but is logged.
    logging.getLogger("grpc._common").setLevel(logging.CRITICAL)
    try:
        asyncio.run(arguments.run(arguments))
    except Failed as failure:
        sys.exit(f"peer.py: {failure}")
    except grpc.aio.AioRpcError as error:
        sys.exit(f"peer.py: {error.code()} {error.details()}")


if __name__ == "__main__":
    main()
