"""Calls a server's RPCs one by one and compares its answers with its rules.

Usage: raw_calls.py HOST:PORT [--only TEXT]

Each check is named for the rule and cites the section of the server behaviour
reference. The calls use grpcio and the published stubs, and go to one node of a
cluster, but for those that belong to the owner of what they are about.
"""

import argparse
import functools
import gzip
import json
import queue
import re
import sys
import threading
import time
import uuid

import grpc
import HStream.Server.HStreamApi_pb2 as pb
import HStream.Server.HStreamApi_pb2_grpc as pb_grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import StatusCode

SERVICE = "hstream.server.HStreamApi"
ANY = object()
DEADLINE = 10
# A consumer gets its shards on a tick of one second.
FIRST_RECORD_WITHIN = 5
SILENCE = 2
MAX_RECORD_SIZE = 1_048_576
MAX_MESSAGE_SIZE = 4_194_304
MAX_HASH = 2**128 - 1
EARLIEST, LATEST = pb.SpecialOffset.Value("EARLIEST"), pb.SpecialOffset.Value("LATEST")
NONE, GZIP = pb.CompressionType.Value("None"), pb.CompressionType.Value("Gzip")
RAW = pb.HStreamRecordHeader.Flag.Value("RAW")
LENGTH_RULE = "The length must be between 1 and 255 characters."
LETTER_RULE = "The first character of a name must be a letter"
REPLICATION_RULE = "Stream replication factor should greater than zero."

CHECKS = []


def rule(section):
    def register(check):
        CHECKS.append((check.__name__, section, check))
        return check

    return register


# ---- assertions ----


class Wrong(Exception):
    pass


def expect(condition, message):
    if not condition:
        raise Wrong(message)


def equal(found, expected, what):
    expect(found == expected, f"{what} is {found!r} instead of {expected!r}")


def failure_of(call):
    try:
        answer = call()
    except grpc.RpcError as error:
        return error.code(), error.details()
    raise Wrong(f"success instead of an error: {str(answer)[:200]!r}")


def json_error(failure, status, error, message, extra=ANY):
    code, text = failure
    try:
        body = json.loads(text)
    except ValueError:
        raise Wrong(f"not JSON: {code} {text!r}") from None
    expect(isinstance(body, dict), f"not a JSON object: {text!r}")
    equal(set(body), {"error", "extra", "message"}, "set of JSON keys")
    equal((code, body["error"], body["message"]), (status, error, message), "error")
    if extra is not ANY:
        equal(body["extra"], extra, "extra")


def plain_error(failure, status, text=ANY):
    code, found = failure
    equal(code, status, f"status (text {found!r})")
    if text is not ANY:
        equal(found, text, "text")


def bad_name(failure, error, extra):
    json_error(failure, StatusCode.INVALID_ARGUMENT, error, "InvalidObjectIdentifier", extra)


def bad_names(call, error):
    """call takes the name."""
    for name, extra in [
        ("", LENGTH_RULE),
        ("x" * 256, LENGTH_RULE),
        ("1abc", LETTER_RULE),
        ("_abc", LETTER_RULE),
        ("a/b.c", "Illegal character '/' found"),
    ]:
        bad_name(failure_of(lambda: call(name)), error, extra)


def in_milliseconds(timestamp):
    expect(timestamp.nanos % 1_000_000 == 0, f"{timestamp.nanos} ns are no whole milliseconds")
    return timestamp.seconds * 1000 + timestamp.nanos // 1_000_000


def recent(timestamp):
    expect(abs(timestamp.seconds - time.time()) < 60, f"{timestamp.seconds} s is not now")


# ---- the server under test ----


def unique(prefix="raw"):
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


# The field that names what the owner is looked up for.
OWNED = {
    "GetSubscription": ("ResSubscription", "id"),
    "DeleteSubscription": ("ResSubscription", "subscriptionId"),
    "ListConsumers": ("ResSubscription", "subscriptionId"),
    "ReadShard": ("ResShardReader", "readerId"),
    "DeleteShardReader": ("ResShardReader", "readerId"),
    "CreateQuery": ("ResQuery", "queryName"),
    "CreateQueryWithNamespace": ("ResQuery", "queryName"),
    "GetQuery": ("ResQuery", "id"),
    "DeleteQuery": ("ResQuery", "id"),
    "ResumeQuery": ("ResQuery", "id"),
    "TerminateQuery": ("ResQuery", "queryId"),
    "CreateConnector": ("ResConnector", "name"),
    "DeleteConnector": ("ResConnector", "name"),
    "PauseConnector": ("ResConnector", "name"),
    "ResumeConnector": ("ResConnector", "name"),
}


class Server:
    def __init__(self, address):
        self.address = address
        self.channel = self.connect(address)
        self.stub = pb_grpc.HStreamApiStub(self.channel)
        self.others = {}

    def connect(self, address):
        return grpc.insecure_channel(
            address,
            options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)],
        )

    def __getattr__(self, rpc):
        """A unary RPC with a deadline, at the node that has to answer it."""
        if rpc not in OWNED:
            return functools.partial(getattr(self.stub, rpc), timeout=DEADLINE)
        kind, field = OWNED[rpc]

        def call(request):
            stub = self.owner(kind, getattr(request, field))
            return getattr(stub, rpc)(request, timeout=DEADLINE)

        return call

    def owner(self, kind, name):
        """The stub of the node that owns this; of any, if the name is none."""
        request = pb.LookupResourceRequest(resType=pb.ResourceType.Value(kind), resId=name)
        try:
            node = self.stub.LookupResource(request, timeout=DEADLINE)
        except grpc.RpcError as error:
            expect(error.code() == StatusCode.INVALID_ARGUMENT, f"look-up: {error.code()}")
            return self.stub
        return self.stub_of(node)

    def stub_of(self, node):
        address = f"{node.host}:{node.port}"
        if address not in self.others:
            self.others[address] = pb_grpc.HStreamApiStub(self.connect(address))
        return self.others[address]

    def create_stream(self, shards=1, name=None):
        name = name or unique()
        self.CreateStream(pb.Stream(streamName=name, replicationFactor=1, shardCount=shards))
        return name

    def shards(self, stream):
        return list(self.ListShards(pb.ListShardsRequest(streamName=stream)).shards)

    def stream_with_shard(self):
        stream = self.create_stream()
        return stream, self.shards(stream)[0].shardId

    def append(self, stream, shard, payloads=(b"record",), **batch):
        request = pb.AppendRequest(
            streamName=stream, shardId=shard, records=batched(payloads, **batch)
        )
        return list(self.Append(request).recordIds)

    def subscribe(self, stream, offset=EARLIEST, ack_timeout=60, max_unacked=10000):
        name = unique("sub")
        self.CreateSubscription(subscription_of(name, stream, offset, ack_timeout, max_unacked))
        return name

    def fetch(self, subscription, consumer="consumer", **options):
        return Fetch(self.owner("ResSubscription", subscription), subscription, consumer, **options)

    def create_reader(self, stream, shard, offset, timeout=200):
        name = unique("reader")
        self.CreateShardReader(reader_of(name, stream, shard, offset, timeout))
        return name

    def read(self, reader, max_batches):
        request = pb.ReadShardRequest(readerId=reader, maxRecords=max_batches)
        return list(self.ReadShard(request).receivedRecords)

    def own_node(self):
        return self.DescribeCluster(Empty()).serverNodes[0]


def batched(payloads, compression=NONE, **fields):
    records = [
        pb.HStreamRecord(header=pb.HStreamRecordHeader(flag=RAW), payload=payload)
        for payload in payloads
    ]
    payload = pb.BatchHStreamRecords(records=records).SerializeToString()
    if compression == GZIP:
        payload = gzip.compress(payload)
    defaults = {"compressionType": compression, "batchSize": len(records), "payload": payload}
    return pb.BatchedRecord(**{**defaults, **fields})


def payloads_of(record):
    data = record.payload
    if record.compressionType == GZIP:
        data = gzip.decompress(data)
    return [r.payload for r in pb.BatchHStreamRecords.FromString(data).records]


def subscription_of(name, stream, offset=EARLIEST, ack_timeout=60, max_unacked=10000):
    return pb.Subscription(
        subscriptionId=name,
        streamName=stream,
        ackTimeoutSeconds=ack_timeout,
        maxUnackedRecords=max_unacked,
        offset=offset,
    )


def special(offset):
    return pb.ShardOffset(specialOffset=offset)


def reader_of(name, stream, shard, offset=special(EARLIEST), timeout=200):
    return pb.CreateShardReaderRequest(
        streamName=stream, shardId=shard, shardOffset=offset, readerId=name, timeout=timeout
    )


class Fetch:
    """One StreamingFetch call; its responses are drained by a thread."""

    def __init__(self, stub, subscription, consumer, first=None, metadata=None, open_now=True):
        self.opening = first or pb.StreamingFetchRequest(
            subscriptionId=subscription, consumerName=consumer
        )
        self.requests = queue.Queue()
        self.events = queue.Queue()
        if open_now:
            self.requests.put(self.opening)
        self.call = stub.StreamingFetch(iter(self.requests.get, None), metadata=metadata)
        threading.Thread(target=self.drain, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.half_close()
        self.call.cancel()

    def drain(self):
        try:
            for response in self.call:
                self.events.put(response.receivedRecords)
        except grpc.RpcError:
            pass
        self.events.put((self.call.code(), self.call.details()))

    def event(self, within):
        try:
            return self.events.get(timeout=within)
        except queue.Empty:
            raise Wrong(f"nothing came within {within} s") from None

    def batch(self, within=FIRST_RECORD_WITHIN):
        event = self.event(within)
        expect(isinstance(event, pb.ReceivedRecord), f"the call ended: {event}")
        return event

    def end(self, within=FIRST_RECORD_WITHIN):
        event = self.event(within)
        expect(isinstance(event, tuple), f"a batch came: {event}")
        return event

    def silent(self, seconds=SILENCE):
        try:
            event = self.events.get(timeout=seconds)
        except queue.Empty:
            return
        raise Wrong(f"something came: {event}")

    def ack(self, ids):
        self.requests.put(
            pb.StreamingFetchRequest(
                subscriptionId=self.opening.subscriptionId,
                consumerName=self.opening.consumerName,
                ackIds=ids,
            )
        )

    def half_close(self):
        self.requests.put(None)


def eventually(condition, message, within=3):
    """The server sees the end of a consumer a little later."""
    end = time.monotonic() + within
    while not condition():
        expect(time.monotonic() < end, message)
        time.sleep(0.05)


def consumers(server, subscription):
    request = pb.ListConsumersRequest(subscriptionId=subscription)
    return list(server.ListConsumers(request).consumers)


def wait_for_consumers(server, subscription, count):
    eventually(
        lambda: len(consumers(server, subscription)) == count, f"there are not {count} consumers"
    )


# ---- 1: transport ----


@rule("1.1")
def unregistered_rpcs_are_unimplemented(server):
    calls = {
        "PauseQuery": pb.PauseQueryRequest(id="q"),
        "RegisterSchema": pb.Schema(owner="s"),
        "GetSchema": pb.GetSchemaRequest(owner="s"),
        "UnregisterSchema": pb.UnregisterSchemaRequest(owner="s"),
    }
    for rpc, request in calls.items():
        failure = failure_of(lambda: getattr(server, rpc)(request))
        plain_error(failure, StatusCode.UNIMPLEMENTED, f"No such handler: /{SERVICE}/{rpc}")


@rule("1.1")
def unknown_rpc_is_unimplemented(server):
    failure = failure_of(lambda: server.channel.unary_unary(f"/{SERVICE}/NoSuchRpc")(b"", timeout=5))
    plain_error(failure, StatusCode.UNIMPLEMENTED, f"No such handler: /{SERVICE}/NoSuchRpc")


@rule("1.1")
def undecodable_request_is_internal(server):
    call = server.channel.unary_unary(f"/{SERVICE}/Echo")
    plain_error(failure_of(lambda: call(b"\x0a\xff", timeout=5)), StatusCode.INTERNAL)


@rule("1.2")
def message_over_4_mib_is_refused(server):
    message = pb.EchoRequest(msg="x" * MAX_MESSAGE_SIZE)
    plain_error(failure_of(lambda: server.Echo(message)), StatusCode.RESOURCE_EXHAUSTED)


@rule("1.2")
def message_just_under_4_mib_is_taken(server):
    text = "x" * (MAX_MESSAGE_SIZE - 100)
    equal(len(server.Echo(pb.EchoRequest(msg=text)).msg), len(text), "length of the echo")


@rule("1.3")
def fetch_headers_come_with_the_first_record(server):
    stream, shard = server.stream_with_shard()
    with server.fetch(server.subscribe(stream)) as fetch:
        arrived = threading.Event()
        wait = lambda: (fetch.call.initial_metadata(), arrived.set())
        threading.Thread(target=wait, daemon=True).start()
        expect(not arrived.wait(SILENCE), "headers came before any record")
        server.append(stream, shard)
        fetch.batch()
        expect(arrived.wait(1), "no headers with the first record")


# ---- 5: streams ----


@rule("5")
def echo_answers_the_text(server):
    equal(server.Echo(pb.EchoRequest(msg="grüße 你好")).msg, "grüße 你好", "echo")
    equal(server.Echo(pb.EchoRequest()).msg, "", "echo of nothing")


@rule("5")
def create_stream_echoes_with_creation_time(server):
    request = pb.Stream(
        streamName=unique(),
        replicationFactor=3,
        backlogDuration=86400,
        shardCount=2,
        creationTime=Timestamp(seconds=1),
    )
    answer = server.CreateStream(request)
    recent(answer.creationTime)
    answer.creationTime.CopyFrom(request.creationTime)
    equal(answer, request, "answer")


@rule("5")
def create_stream_keeps_zero_backlog(server):
    request = pb.Stream(streamName=unique(), replicationFactor=1, shardCount=1)
    equal(server.CreateStream(request).backlogDuration, 0, "backlog")


@rule("3.1")
def create_stream_checks_the_name(server):
    bad_names(
        lambda name: server.CreateStream(
            pb.Stream(streamName=name, replicationFactor=1, shardCount=1)
        ),
        204,
    )


@rule("3.1")
def names_are_unicode_and_counted_in_code_points(server):
    name = ("ä" + uuid.uuid4().hex + "你好" * 128)[:255]
    equal(server.create_stream(name=name), name, "name")
    server.DeleteStream(pb.DeleteStreamRequest(streamName=name))


@rule("3.2")
def create_stream_refuses_zero_replicas_first(server):
    failure = failure_of(lambda: server.CreateStream(pb.Stream(streamName=unique())))
    json_error(
        failure, StatusCode.INVALID_ARGUMENT, 203, "InvalidReplicaFactor", REPLICATION_RULE
    )


@rule("3.2")
def create_stream_refuses_zero_shards(server):
    request = pb.Stream(streamName=unique(), replicationFactor=1)
    failure = failure_of(lambda: server.CreateStream(request))
    json_error(failure, StatusCode.INVALID_ARGUMENT, 205, "InvalidShardCount", REPLICATION_RULE)


@rule("5")
def create_stream_refuses_an_existing_name(server):
    stream = server.create_stream()
    failure = failure_of(lambda: server.create_stream(name=stream))
    json_error(failure, StatusCode.ALREADY_EXISTS, 201, "StreamExists", stream)


@rule("5")
def get_stream_tells_what_was_created(server):
    request = pb.Stream(
        streamName=unique(), replicationFactor=2, backlogDuration=60, shardCount=3
    )
    created = server.CreateStream(request)
    found = server.GetStream(pb.GetStreamRequest(name=request.streamName)).stream
    found.creationTime.CopyFrom(created.creationTime)
    equal(found, created, "stream")


@rule("5")
def get_stream_of_a_missing_one_is_not_found(server):
    name = unique()
    failure = failure_of(lambda: server.GetStream(pb.GetStreamRequest(name=name)))
    json_error(failure, StatusCode.NOT_FOUND, 200, "StreamNotFound", name)


@rule("3.1")
def stream_rpcs_check_the_name(server):
    bad_names(lambda name: server.GetStream(pb.GetStreamRequest(name=name)), 204)
    bad_names(lambda name: server.DeleteStream(pb.DeleteStreamRequest(streamName=name)), 204)
    bad_names(lambda name: server.ListShards(pb.ListShardsRequest(streamName=name)), 204)
    bad_names(
        lambda name: server.ListStreamsWithPrefix(pb.ListStreamsWithPrefixRequest(prefix=name)),
        204,
    )


@rule("5")
def list_streams_has_each_stream_with_its_fields(server):
    streams = {server.create_stream(shards) for shards in (1, 2)}
    listed = {s.streamName: s for s in server.ListStreams(pb.ListStreamsRequest()).streams}
    expect(streams <= set(listed), "a stream is not listed")
    for name in streams:
        found = server.GetStream(pb.GetStreamRequest(name=name)).stream
        equal(listed[name], found, "listed stream")


@rule("5")
def list_streams_with_prefix_filters(server):
    prefix = unique("prefix")
    for name in (prefix, prefix + "-1", unique("x" + prefix)):
        server.create_stream(name=name)
    answer = server.ListStreamsWithPrefix(pb.ListStreamsWithPrefixRequest(prefix=prefix))
    equal({s.streamName for s in answer.streams}, {prefix, prefix + "-1"}, "listed")


@rule("5")
def delete_stream_of_a_missing_one(server):
    name = unique()
    request = pb.DeleteStreamRequest(streamName=name)
    json_error(
        failure_of(lambda: server.DeleteStream(request)),
        StatusCode.NOT_FOUND,
        200,
        "StreamNotFound",
        name,
    )
    server.DeleteStream(pb.DeleteStreamRequest(streamName=name, ignoreNonExist=True))


@rule("5")
def deleted_stream_is_gone_and_its_shards_unavailable(server):
    stream, shard = server.stream_with_shard()
    server.DeleteStream(pb.DeleteStreamRequest(streamName=stream))
    failure = failure_of(lambda: server.GetStream(pb.GetStreamRequest(name=stream)))
    json_error(failure, StatusCode.NOT_FOUND, 200, "StreamNotFound", stream)
    plain_error(failure_of(lambda: server.append(stream, shard)), StatusCode.UNAVAILABLE)


@rule("5")
def delete_stream_with_subscription_needs_force(server):
    stream = server.create_stream()
    server.subscribe(stream)
    failure = failure_of(lambda: server.DeleteStream(pb.DeleteStreamRequest(streamName=stream)))
    json_error(
        failure, StatusCode.FAILED_PRECONDITION, 202, "Stream still has subscription", None
    )


def archive(server):
    """A stream with one record and a subscription, deleted by force."""
    stream, shard = server.stream_with_shard()
    server.append(stream, shard, [b"backlog"])
    subscription = server.subscribe(stream)
    server.DeleteStream(pb.DeleteStreamRequest(streamName=stream, force=True))
    return stream, shard, subscription


@rule("5")
def force_deleted_stream_is_not_listed_and_its_name_free(server):
    stream, _, _ = archive(server)
    listed = [s.streamName for s in server.ListStreams(pb.ListStreamsRequest()).streams]
    expect(stream not in listed, "it is listed")
    expect(not any("__archive__" in name for name in listed), "an archive is listed")
    server.create_stream(name=stream)


@rule("5")
def subscription_of_an_archived_stream_shows_it(server):
    stream, _, subscription = archive(server)
    listed = server.ListSubscriptions(pb.ListSubscriptionsRequest()).subscription
    names = [s.streamName for s in listed if s.subscriptionId == subscription]
    equal(names, ["__deleted_stream__"], "listed stream name")
    found = server.GetSubscription(pb.GetSubscriptionRequest(id=subscription)).subscription
    expect(found.streamName.startswith(f"__archive__{stream}"), f"raw name {found.streamName}")


@rule("5")
def archived_stream_takes_no_new_subscription(server):
    stream, _, _ = archive(server)
    failure = failure_of(lambda: server.subscribe(stream))
    json_error(failure, StatusCode.FAILED_PRECONDITION, 302, "NonExistentStream", stream)


@rule("5")
def archived_stream_delivers_its_backlog_and_takes_appends(server):
    stream, shard, subscription = archive(server)
    with server.fetch(subscription) as fetch:
        equal(payloads_of(fetch.batch().record), [b"backlog"], "payloads")
        server.append(stream, shard, [b"later"])
        equal(payloads_of(fetch.batch().record), [b"later"], "payloads")


# ---- 6: append ----


def append_request(server, records):
    stream, shard = server.stream_with_shard()
    return pb.AppendRequest(streamName=stream, shardId=shard, records=records)


@rule("6")
def append_refuses_an_empty_batch(server):
    for records in (None, batched([b"x"], batchSize=0), batched([b"x"], payload=b"")):
        request = append_request(server, records)
        json_error(
            failure_of(lambda: server.Append(request)),
            StatusCode.INVALID_ARGUMENT,
            206,
            "BatchedRecord shouldn't be Nothing",
            None,
        )


def batch_of_encoded_size(size):
    batch = pb.BatchedRecord(batchSize=1, payload=b"x" * size)
    batch.payload = b"x" * (2 * size - batch.ByteSize())
    equal(batch.ByteSize(), size, "size of the batch")
    return batch


@rule("6")
def append_refuses_more_than_the_maximum_size(server):
    request = append_request(server, batch_of_encoded_size(MAX_RECORD_SIZE + 1))
    json_error(
        failure_of(lambda: server.Append(request)),
        StatusCode.INVALID_ARGUMENT,
        207,
        "Record size exceeds the maximum size limit",
        MAX_RECORD_SIZE + 1,
    )


@rule("6")
def append_takes_exactly_the_maximum_size(server):
    server.Append(append_request(server, batch_of_encoded_size(MAX_RECORD_SIZE)))


@rule("6")
def append_answers_one_id_per_record(server):
    stream, shard = server.stream_with_shard()
    request = pb.AppendRequest(streamName=stream, shardId=shard, records=batched([b"a", b"b", b"c"]))
    answer = server.Append(request)
    equal((answer.streamName, answer.shardId), (stream, shard), "echo")
    equal({i.shardId for i in answer.recordIds}, {shard}, "shards")
    equal(len({i.batchId for i in answer.recordIds}), 1, "number of batches")
    equal([i.batchIndex for i in answer.recordIds], [0, 1, 2], "indexes")


@rule("4.3")
def batch_ids_start_at_epoch_two_and_are_consecutive(server):
    stream, shard = server.stream_with_shard()
    batch_ids = [server.append(stream, shard)[0].batchId for _ in range(3)]
    equal(batch_ids, [8589934593, 8589934594, 8589934595], "batch ids")


@rule("6")
def append_trusts_the_batch_size(server):
    stream, shard = server.stream_with_shard()
    equal(len(server.append(stream, shard, [b"one"], batchSize=3)), 3, "ids for too large a size")
    equal(len(server.append(stream, shard, [b"a", b"b"], batchSize=1)), 1, "ids for too small a size")


@rule("6")
def append_does_not_decode(server):
    stream, shard = server.stream_with_shard()
    server.append(stream, shard, payload=b"\xff\xff\xff", compressionType=9)


@rule("6")
def append_does_not_check_the_stream_name(server):
    _, shard = server.stream_with_shard()
    request = pb.AppendRequest(streamName="no such/stream", shardId=shard, records=batched([b"x"]))
    equal(server.Append(request).streamName, "no such/stream", "echoed name")


@rule("2.4")
def append_to_an_unknown_shard_is_unavailable(server):
    failure = failure_of(lambda: server.append(server.create_stream(), 1))
    plain_error(failure, StatusCode.UNAVAILABLE, "requested identifier does not exist")


# ---- 4, 7: shards ----


@rule("4.2")
def shards_cover_the_key_space(server):
    for count in (1, 2, 3, 4, 5, 16):
        width = MAX_HASH // count
        expected = [(i * width, (i + 1) * width - 1) for i in range(count)]
        expected[-1] = (expected[-1][0], MAX_HASH)
        shards = server.shards(server.create_stream(count))
        found = sorted((int(s.startHashRangeKey), int(s.endHashRangeKey)) for s in shards)
        equal(found, expected, f"ranges of {count} shards")


@rule("4.2")
def list_shards_is_sorted_by_name_text(server):
    orders = {
        4: [0, 2, 3, 1],
        5: [0, 2, 3, 4, 1],
        8: [0, 3, 4, 5, 6, 7, 1, 2],
        16: [0, 5, 6, 7, 8, 9, 1, 10, 11, 12, 13, 14, 15, 2, 3, 4],
    }
    for count, order in orders.items():
        starts = [int(s.startHashRangeKey) for s in server.shards(server.create_stream(count))]
        equal([start // (MAX_HASH // count) for start in starts], order, f"order of {count} shards")


@rule("4.2")
def shards_show_stream_count_as_epoch_and_activity(server):
    stream = server.create_stream(4)
    for shard in server.shards(stream):
        equal((shard.streamName, shard.epoch, shard.isActive), (stream, 4, True), "shard")


@rule("4.1")
def shard_ids_are_unique_over_streams(server):
    ids = [s.shardId for _ in range(3) for s in server.shards(server.create_stream(4))]
    equal(len(set(ids)), 12, "number of different ids")


@rule("4.1")
def shard_ids_carry_the_time(server):
    _, shard = server.stream_with_shard()
    created = (shard >> 24) + 1577808000
    expect(abs(created - time.time()) < 60, f"{shard} says {created} s")


@rule("2.6")
def list_shards_of_a_missing_stream_is_unavailable(server):
    failure = failure_of(lambda: server.shards(unique()))
    plain_error(failure, StatusCode.UNAVAILABLE, "requested identifier does not exist")


def tail(server, shard, stream="ignored"):
    request = pb.GetTailRecordIdRequest(streamName=stream, shardId=shard)
    return server.GetTailRecordId(request).tailRecordId


@rule("7")
def tail_is_the_last_batch_with_index_zero(server):
    stream, shard = server.stream_with_shard()
    equal(tail(server, shard).batchId, 8589934592, "tail of an empty shard")
    last = server.append(stream, shard, [b"a", b"b"])[-1]
    expected = pb.RecordId(shardId=shard, batchId=last.batchId, batchIndex=0)
    equal(tail(server, shard), expected, "tail")


@rule("7")
def tail_of_an_unknown_shard_is_not_found(server):
    failure = failure_of(lambda: tail(server, 1, server.create_stream()))
    json_error(
        failure, StatusCode.NOT_FOUND, 0, "ShardNotFound", "Shard with id 1 is not found."
    )


# ---- 9: subscriptions ----


@rule("9")
def create_subscription_echoes_with_creation_time(server):
    request = subscription_of(unique("sub"), server.create_stream(), LATEST, 0, 0)
    answer = server.CreateSubscription(request)
    recent(answer.creationTime)
    answer.ClearField("creationTime")
    equal(answer, request, "answer")


@rule("3.1")
def create_subscription_checks_id_then_stream_name(server):
    stream = server.create_stream()
    bad_names(lambda name: server.CreateSubscription(subscription_of(name, stream)), 304)
    bad_names(lambda name: server.CreateSubscription(subscription_of(unique(), name)), 204)
    both = failure_of(lambda: server.CreateSubscription(subscription_of("1", "1")))
    bad_name(both, 304, LETTER_RULE)


@rule("9")
def create_subscription_needs_the_stream(server):
    stream = unique()
    failure = failure_of(lambda: server.subscribe(stream))
    json_error(failure, StatusCode.FAILED_PRECONDITION, 302, "NonExistentStream", stream)


@rule("9")
def create_subscription_refuses_an_unknown_offset(server):
    stream = server.create_stream()
    failure = failure_of(lambda: server.subscribe(stream, offset=7))
    json_error(failure, StatusCode.INVALID_ARGUMENT, 303, "InvalidSubscriptionOffset", None)


@rule("9")
def create_subscription_refuses_an_existing_id(server):
    stream = server.create_stream()
    name = server.subscribe(stream)
    failure = failure_of(lambda: server.CreateSubscription(subscription_of(name, stream)))
    json_error(failure, StatusCode.ALREADY_EXISTS, 301, "SubscriptionExists", name)


@rule("9")
def get_subscription_tells_what_was_created(server):
    request = subscription_of(unique("sub"), server.create_stream(), LATEST, 5, 50)
    created = server.CreateSubscription(request)
    answer = server.GetSubscription(pb.GetSubscriptionRequest(id=request.subscriptionId))
    answer.subscription.creationTime.CopyFrom(created.creationTime)
    equal(answer.subscription, created, "subscription")
    equal(len(answer.offsets), 0, "number of offsets before any fetch")


@rule("9")
def missing_subscription_is_not_found(server):
    name = unique("sub")
    calls = [
        lambda: server.GetSubscription(pb.GetSubscriptionRequest(id=name)),
        lambda: server.DeleteSubscription(pb.DeleteSubscriptionRequest(subscriptionId=name)),
        lambda: consumers(server, name),
    ]
    for call in calls:
        json_error(failure_of(call), StatusCode.NOT_FOUND, 300, "SubscriptionNotFound", name)


@rule("9")
def list_subscriptions_has_each_with_its_fields(server):
    name = server.subscribe(server.create_stream(), ack_timeout=7, max_unacked=70)
    listed = server.ListSubscriptions(pb.ListSubscriptionsRequest()).subscription
    found = server.GetSubscription(pb.GetSubscriptionRequest(id=name)).subscription
    equal([s for s in listed if s.subscriptionId == name], [found], "listed")


@rule("9")
def list_subscriptions_with_prefix_filters(server):
    stream, prefix = server.create_stream(), unique("prefix")
    for name in (prefix, prefix + "-1", unique("x" + prefix)):
        server.CreateSubscription(subscription_of(name, stream))
    request = pb.ListSubscriptionsWithPrefixRequest(prefix=prefix)
    listed = server.ListSubscriptionsWithPrefix(request).subscription
    equal({s.subscriptionId for s in listed}, {prefix, prefix + "-1"}, "listed")


@rule("3.1")
def list_subscriptions_with_prefix_checks_the_prefix(server):
    bad_names(
        lambda name: server.ListSubscriptionsWithPrefix(
            pb.ListSubscriptionsWithPrefixRequest(prefix=name)
        ),
        304,
    )


def exists(server, name):
    request = pb.CheckSubscriptionExistRequest(subscriptionId=name)
    return server.CheckSubscriptionExist(request).exists


@rule("9")
def check_subscription_exist_answers_without_name_check(server):
    equal(exists(server, server.subscribe(server.create_stream())), True, "existence")
    equal(exists(server, unique()), False, "existence of a made-up one")
    equal(exists(server, "1 bad.name"), False, "existence of a bad name")


@rule("9")
def delete_subscription_deletes(server):
    name = server.subscribe(server.create_stream())
    server.DeleteSubscription(pb.DeleteSubscriptionRequest(subscriptionId=name))
    equal(exists(server, name), False, "existence")


@rule("3.1")
def delete_subscription_checks_the_id(server):
    bad_names(
        lambda name: server.DeleteSubscription(pb.DeleteSubscriptionRequest(subscriptionId=name)),
        304,
    )


@rule("9")
def delete_subscription_with_consumers_needs_force(server):
    name = server.subscribe(server.create_stream())
    with server.fetch(name):
        wait_for_consumers(server, name, 1)
        request = pb.DeleteSubscriptionRequest(subscriptionId=name)
        json_error(
            failure_of(lambda: server.DeleteSubscription(request)),
            StatusCode.FAILED_PRECONDITION,
            305,
            "FoundActiveConsumers",
            "Subscription still has active consumers",
        )


@rule("10.9")
def force_delete_ends_consumers_and_then_it_is_gone(server):
    name = server.subscribe(server.create_stream())
    with server.fetch(name) as fetch:
        wait_for_consumers(server, name, 1)
        server.DeleteSubscription(pb.DeleteSubscriptionRequest(subscriptionId=name, force=True))
        json_error(fetch.end(), StatusCode.ABORTED, 0, "SubscriptionIsDeleting", f'"{name}"')
    with server.fetch(name) as fetch:
        json_error(fetch.end(), StatusCode.NOT_FOUND, 300, "SubscriptionNotFound", name)


@rule("9")
def recreated_subscription_starts_afresh(server):
    stream, shard = server.stream_with_shard()
    server.append(stream, shard, [b"again"])
    name = server.subscribe(stream)
    with server.fetch(name) as fetch:
        fetch.ack(fetch.batch().recordIds)
    wait_for_consumers(server, name, 0)
    server.DeleteSubscription(pb.DeleteSubscriptionRequest(subscriptionId=name))
    server.CreateSubscription(subscription_of(name, stream))
    with server.fetch(name) as fetch:
        equal(payloads_of(fetch.batch().record), [b"again"], "payloads")


@rule("9")
def list_consumers_is_empty_before_any_fetch(server):
    equal(consumers(server, server.subscribe(server.create_stream())), [], "consumers")


@rule("1.4")
def list_consumers_shows_peer_and_no_user_agent(server):
    name = server.subscribe(server.create_stream())
    with server.fetch(name, "reader-1"):
        wait_for_consumers(server, name, 1)
        (consumer,) = consumers(server, name)
        equal((consumer.name, consumer.userAgent), ("reader-1", ""), "name and agent")
        expect(consumer.uri.startswith(("ipv4:", "ipv6:")), f"uri {consumer.uri!r}")


@rule("1.4")
def list_consumers_shows_forwarded_address_and_proxy_agent(server):
    name = server.subscribe(server.create_stream())
    metadata = [("x-forwarded-for", "10.1.2.3"), ("proxy-agent", "proxy/1.0")]
    with server.fetch(name, "reader-1", metadata=metadata):
        wait_for_consumers(server, name, 1)
        expected = pb.Consumer(name="reader-1", uri="10.1.2.3", userAgent="proxy/1.0")
        equal(consumers(server, name), [expected], "consumers")


# ---- 10: fetching ----


@rule("10.1")
def fetch_of_an_unknown_subscription_is_not_found(server):
    name = unique("sub")
    with server.fetch(name) as fetch:
        json_error(fetch.end(), StatusCode.NOT_FOUND, 300, "SubscriptionNotFound", name)


@rule("10.1")
def fetch_closed_before_the_first_message_is_cancelled(server):
    name = server.subscribe(server.create_stream())
    with server.fetch(name, open_now=False) as fetch:
        fetch.half_close()
        json_error(
            fetch.end(), StatusCode.CANCELLED, 0, "StreamReadClose", "Consumer is closed"
        )


@rule("10.1")
def fetch_refuses_a_consumer_name_in_use(server):
    name = server.subscribe(server.create_stream())
    with server.fetch(name, "twin"):
        wait_for_consumers(server, name, 1)
        with server.fetch(name, "twin") as second:
            json_error(second.end(), StatusCode.ALREADY_EXISTS, 0, "ConsumerExists", "twin")


@rule("10.1")
def fetch_takes_an_empty_consumer_name(server):
    name = server.subscribe(server.create_stream())
    with server.fetch(name, ""):
        wait_for_consumers(server, name, 1)
        with server.fetch(name, "") as second:
            json_error(second.end(), StatusCode.ALREADY_EXISTS, 0, "ConsumerExists", "")


@rule("10.1")
def acks_of_the_first_message_are_ignored(server):
    stream, shard = server.stream_with_shard()
    ids = server.append(stream, shard)
    name = server.subscribe(stream, ack_timeout=2)
    with server.fetch(name) as fetch:
        fetch.batch()
    wait_for_consumers(server, name, 0)
    first = pb.StreamingFetchRequest(subscriptionId=name, consumerName="second", ackIds=ids)
    with server.fetch(name, first=first) as fetch:
        equal(list(fetch.batch(within=6).recordIds), ids, "redelivered ids")


@rule("10.3")
def fetch_delivers_batches_as_appended(server):
    stream, shard = server.stream_with_shard()
    appended = [batched([b"a", b"b"], GZIP), batched([b"c"])]
    ids = []
    for batch in appended:
        request = pb.AppendRequest(streamName=stream, shardId=shard, records=batch)
        ids.append(list(server.Append(request).recordIds))
    with server.fetch(server.subscribe(stream)) as fetch:
        for batch, batch_ids in zip(appended, ids):
            received = fetch.batch()
            equal(list(received.recordIds), batch_ids, "ids")
            received.record.ClearField("publishTime")
            equal(received.record, batch, "batch")


@rule("4.4")
def publish_time_is_the_stores_in_milliseconds(server):
    stream, shard = server.stream_with_shard()
    server.append(stream, shard, publishTime=Timestamp(seconds=1, nanos=1))
    with server.fetch(server.subscribe(stream)) as fetch:
        published = fetch.batch().record.publishTime
        recent(published)
        in_milliseconds(published)


@rule("9")
def latest_subscription_starts_after_the_tail_of_its_creation(server):
    stream, shard = server.stream_with_shard()
    server.append(stream, shard, [b"before"])
    name = server.subscribe(stream, offset=LATEST)
    server.append(stream, shard, [b"between creation and fetch"])
    with server.fetch(name) as fetch:
        payloads = payloads_of(fetch.batch().record)
        equal(payloads, [b"between creation and fetch"], "payloads")


def checkpoint(server, subscription):
    answer = server.GetSubscription(pb.GetSubscriptionRequest(id=subscription))
    return {offset.shardId: offset.batchId for offset in answer.offsets}


@rule("10.5")
def half_close_ends_ok_after_the_acks_before_it(server):
    stream, shard = server.stream_with_shard()
    ids = server.append(stream, shard)
    name = server.subscribe(stream)
    with server.fetch(name) as fetch:
        fetch.ack(fetch.batch().recordIds)
        fetch.half_close()
        equal(fetch.end()[0], StatusCode.OK, "status")
    equal(checkpoint(server, name), {shard: ids[0].batchId}, "checkpoint")
    wait_for_consumers(server, name, 0)


@rule("10.5")
def checkpoint_moves_over_whole_batches_only(server):
    stream, shard = server.stream_with_shard()
    first, second = server.append(stream, shard, [b"a", b"b"]), server.append(stream, shard, [b"c"])
    name = server.subscribe(stream)
    with server.fetch(name) as fetch:
        fetch.batch(), fetch.batch()
        equal(checkpoint(server, name), {shard: 0}, "checkpoint before any ack")
        fetch.ack([first[1]] + second)
        time.sleep(0.5)
        equal(checkpoint(server, name), {shard: 0}, "checkpoint with a gap")
        fetch.ack([first[0]])
        eventually(
            lambda: checkpoint(server, name) == {shard: second[0].batchId}, "it does not move"
        )


@rule("10.5")
def odd_acks_are_ignored(server):
    stream, shard = server.stream_with_shard()
    ids = server.append(stream, shard)
    with server.fetch(server.subscribe(stream)) as fetch:
        fetch.batch()
        never = pb.RecordId(shardId=shard, batchId=ids[0].batchId + 100)
        beyond = pb.RecordId(shardId=shard, batchId=ids[0].batchId, batchIndex=9)
        for acked in (ids, ids, [never], [beyond], []):
            fetch.ack(acked)
        server.append(stream, shard, [b"next"])
        equal(payloads_of(fetch.batch().record), [b"next"], "payloads")


@rule("10.5")
def ack_for_a_foreign_shard_kills_the_call(server):
    stream = server.create_stream()
    _, foreign = server.stream_with_shard()
    with server.fetch(server.subscribe(stream)) as fetch:
        fetch.silent(0.5)
        fetch.ack([pb.RecordId(shardId=foreign, batchId=8589934593)])
        code, text = fetch.end()
        equal(code, StatusCode.UNKNOWN, "status")
        expect(text.startswith("UnKnown exception: "), f"text {text!r}")


@rule("10.4")
def unacked_records_come_again_without_the_acked_ones(server):
    stream, shard = server.stream_with_shard()
    ids = server.append(stream, shard, [b"a", b"b", b"c"], compression=GZIP)
    with server.fetch(server.subscribe(stream, ack_timeout=1)) as fetch:
        fetch.batch()
        fetch.ack([ids[1]])
        again = fetch.batch()
        equal(list(again.recordIds), [ids[0], ids[2]], "ids")
        equal((again.record.compressionType, again.record.batchSize), (GZIP, 2), "batch")
        equal(payloads_of(again.record), [b"a", b"c"], "payloads")
        fetch.ack(again.recordIds)
        fetch.silent()


@rule("10.2")
def second_consumer_of_one_shard_is_idle_and_takes_over(server):
    stream, shard = server.stream_with_shard()
    name = server.subscribe(stream)
    with server.fetch(name, "first") as first:
        server.append(stream, shard, [b"1"])
        first.batch()
        with server.fetch(name, "second") as second:
            wait_for_consumers(server, name, 2)
            server.append(stream, shard, [b"2"])
            equal(payloads_of(first.batch().record), [b"2"], "payloads")
            second.silent(0.5)
            first.half_close()
            first.end()
            server.append(stream, shard, [b"3"])
            equal(payloads_of(second.batch().record), [b"3"], "payloads")


@rule("10.6")
def full_window_stops_delivery_until_acks(server):
    stream, shard = server.stream_with_shard()
    with server.fetch(server.subscribe(stream, max_unacked=1)) as fetch:
        server.append(stream, shard, [b"1"])
        first = fetch.batch()
        server.append(stream, shard, [b"2"])
        fetch.silent()
        fetch.ack(first.recordIds)
        equal(payloads_of(fetch.batch().record), [b"2"], "payloads")


@rule("10.6")
def zero_window_delivers_nothing(server):
    stream, shard = server.stream_with_shard()
    server.append(stream, shard)
    with server.fetch(server.subscribe(stream, max_unacked=0)) as fetch:
        fetch.silent()


@rule("10.8")
def cancelled_consumer_frees_its_name(server):
    name = server.subscribe(server.create_stream())
    with server.fetch(name, "again") as fetch:
        wait_for_consumers(server, name, 1)
        fetch.call.cancel()
        wait_for_consumers(server, name, 0)
    with server.fetch(name, "again"):
        wait_for_consumers(server, name, 1)


# ---- 11: cluster ----


@rule("11.1")
def describe_cluster_names_the_answering_node(server):
    answer = server.DescribeCluster(Empty())
    equal(answer.protocolVersion, "0.1.0", "protocol version")
    node = answer.serverNodes[0]
    expect(node.host and 0 < node.port < 65536, f"node {node}")
    expect(node.version.version and not node.version.version.startswith("v"), f"version {node}")
    running = pb.NodeState.Value("Running")
    states = {s.node.id: s.state for s in answer.serverNodesStatus}
    equal(states.get(node.id), running, "state")


@rule("1.7")
def advertised_address_can_be_called(server):
    node = server.own_node()
    other = Server(f"{node.host}:{node.port}")
    equal(other.Echo(pb.EchoRequest(msg="here")).msg, "here", "echo")
    other.channel.close()


@rule("11.2")
def lookups_echo_and_never_miss(server):
    nodes = list(server.DescribeCluster(Empty()).serverNodes)
    shard = server.LookupShard(pb.LookupShardRequest(shardId=12))
    equal(shard.shardId, 12, "shard id")
    name = unique("none")
    subscription = server.LookupSubscription(pb.LookupSubscriptionRequest(subscriptionId=name))
    equal(subscription.subscriptionId, name, "subscription id")
    reader = server.LookupShardReader(pb.LookupShardReaderRequest(readerId=name))
    equal(reader.readerId, name, "reader id")
    key_node = server.LookupKey(pb.LookupKeyRequest(partitionKey="你好"))
    for node in (shard.serverNode, subscription.serverNode, reader.serverNode, key_node):
        expect(node in nodes, f"{node} is not in the cluster")


def lookup(server, kind, name):
    kind = pb.ResourceType.Value(kind) if isinstance(kind, str) else kind
    return server.LookupResource(pb.LookupResourceRequest(resType=kind, resId=name))


@rule("11.2")
def lookup_resource_is_sticky_and_needs_no_resource(server):
    for kind in ("ResStream", "ResSubscription", "ResShard", "ResShardReader"):
        name = unique("none")
        equal(lookup(server, kind, name), lookup(server, kind, name), "node")


@rule("11.2")
def lookup_resource_agrees_with_the_older_lookups(server):
    name = unique("none")
    subscription = server.LookupSubscription(pb.LookupSubscriptionRequest(subscriptionId=name))
    equal(lookup(server, "ResSubscription", name), subscription.serverNode, "node")
    reader = server.LookupShardReader(pb.LookupShardReaderRequest(readerId=name))
    equal(lookup(server, "ResShardReader", name), reader.serverNode, "node")


@rule("11.2")
def lookup_resource_refuses_an_unknown_type(server):
    failure = failure_of(lambda: lookup(server, 99, "name"))
    json_error(failure, StatusCode.INVALID_ARGUMENT, 0, "InvalidResourceType")


@rule("3.1")
def lookup_resource_checks_the_id_with_a_code_by_type(server):
    codes = {
        "ResStream": 204,
        "ResSubscription": 304,
        "ResShard": 0,
        "ResShardReader": 900,
        "ResConnector": 603,
        "ResQuery": 404,
        "ResView": 503,
    }
    for kind, code in codes.items():
        bad_name(failure_of(lambda: lookup(server, kind, "")), code, LENGTH_RULE)
        illegal = "Illegal character '.' found"
        bad_name(failure_of(lambda: lookup(server, kind, "a.b")), code, illegal)


@rule("3.1")
def lookup_resource_takes_ids_that_start_with_a_digit(server):
    for name in ("123", "_x", "-x"):
        lookup(server, "ResShard", name)


@rule("11.2")
def lookup_of_a_missing_view_is_not_found(server):
    failure = failure_of(lambda: lookup(server, "ResView", unique("view")))
    json_error(failure, StatusCode.NOT_FOUND, 400, "ViewNotFound")


# ---- 8: readers ----


@rule("8.1")
def create_reader_echoes(server):
    stream, shard = server.stream_with_shard()
    request = reader_of(unique("reader"), stream, shard, timeout=100)
    answer = server.CreateShardReader(request)
    equal(answer.SerializeToString(), request.SerializeToString(), "answer")


@rule("8.1")
def create_reader_checks_id_then_stream_name(server):
    _, shard = server.stream_with_shard()
    bad_names(lambda name: server.CreateShardReader(reader_of(name, "stream", shard)), 900)
    bad_names(lambda name: server.CreateShardReader(reader_of(unique(), name, shard)), 204)


@rule("8.1")
def create_reader_needs_an_offset(server):
    stream, shard = server.stream_with_shard()
    for offset in (None, pb.ShardOffset()):
        request = reader_of(unique("reader"), stream, shard, offset)
        json_error(
            failure_of(lambda: server.CreateShardReader(request)),
            StatusCode.INVALID_ARGUMENT,
            208,
            "InvalidShardOffset",
            "Invalid shard offset",
        )


@rule("4.5")
def create_reader_refuses_an_unknown_special_offset(server):
    stream, shard = server.stream_with_shard()
    failure = failure_of(lambda: server.create_reader(stream, shard, special(7)))
    json_error(
        failure, StatusCode.INVALID_ARGUMENT, 208, "InvalidShardOffset", "UnKnownShardOffset"
    )


@rule("8.1")
def create_reader_refuses_an_existing_id(server):
    stream, shard = server.stream_with_shard()
    name = server.create_reader(stream, shard, special(EARLIEST))
    failure = failure_of(lambda: server.CreateShardReader(reader_of(name, stream, shard)))
    extra = f"ShardReader with id {name} already exists."
    json_error(failure, StatusCode.ALREADY_EXISTS, 0, "ShardReaderExists", extra)


@rule("8.1")
def create_reader_refuses_an_unknown_shard(server):
    failure = failure_of(lambda: server.create_reader(unique(), 1, special(EARLIEST)))
    json_error(failure, StatusCode.NOT_FOUND, 0, "ShardNotFound")


@rule("8.1")
def create_reader_does_not_check_the_stream(server):
    _, shard = server.stream_with_shard()
    server.create_reader(unique("none"), shard, special(EARLIEST))


@rule("4.5")
def create_reader_refuses_a_record_of_another_shard(server):
    stream, shard = server.stream_with_shard()
    offset = pb.ShardOffset(recordOffset=pb.RecordId(shardId=1, batchId=2, batchIndex=3))
    failure = failure_of(lambda: server.create_reader(stream, shard, offset))
    extra = (
        f"shardId {shard} doesn't match with recordId RecordId "
        "{recordIdShardId = 1, recordIdBatchId = 2, recordIdBatchIndex = 3}"
    )
    json_error(failure, StatusCode.INVALID_ARGUMENT, 901, "ConflictShardReaderOffset", extra)


@rule("8.2")
def read_shard_counts_batches_and_goes_on(server):
    stream, shard = server.stream_with_shard()
    ids = [server.append(stream, shard, [b"a", b"b"]) for _ in range(3)]
    reader = server.create_reader(stream, shard, special(EARLIEST))
    found = [list(batch.recordIds) for batch in server.read(reader, 2)]
    found += [list(batch.recordIds) for batch in server.read(reader, 2)]
    equal(found, ids, "ids")


@rule("8.2")
def read_shard_returns_stored_batches(server):
    stream, shard = server.stream_with_shard()
    appended = batched([b"a"], GZIP)
    server.Append(pb.AppendRequest(streamName=stream, shardId=shard, records=appended))
    (batch,) = server.read(server.create_reader(stream, shard, special(EARLIEST)), 1)
    recent(batch.record.publishTime)
    in_milliseconds(batch.record.publishTime)
    batch.record.ClearField("publishTime")
    equal(batch.record, appended, "batch")


@rule("8.2")
def read_shard_waits_the_whole_time_out_unless_filled(server):
    stream, shard = server.stream_with_shard()
    server.append(stream, shard)
    server.append(stream, shard)
    reader = server.create_reader(stream, shard, special(EARLIEST), timeout=1000)
    equal(timed(lambda: server.read(reader, 1), 0, 0.8), 1, "batches when filled")
    equal(timed(lambda: server.read(reader, 2), 0.9, 3), 1, "batches when not filled")
    equal(timed(lambda: server.read(reader, 2), 0.9, 3), 0, "batches at the tail")


def timed(read, at_least, at_most):
    start = time.monotonic()
    count = len(read())
    elapsed = time.monotonic() - start
    expect(at_least <= elapsed <= at_most, f"it took {elapsed:.2f} s")
    return count


@rule("8.2")
def read_shard_with_time_out_zero_does_not_wait(server):
    stream, shard = server.stream_with_shard()
    reader = server.create_reader(stream, shard, special(EARLIEST), timeout=0)
    equal(timed(lambda: server.read(reader, 10), 0, 0.5), 0, "batches")


@rule("3.2")
def read_shard_of_zero_records_is_empty(server):
    stream, shard = server.stream_with_shard()
    server.append(stream, shard)
    reader = server.create_reader(stream, shard, special(EARLIEST))
    equal(server.read(reader, 0), [], "batches")


@rule("8.2")
def read_shard_of_an_unknown_reader(server):
    failure = failure_of(lambda: server.read(unique("reader"), 1))
    json_error(
        failure, StatusCode.FAILED_PRECONDITION, 0, "EmptyShardReader", "ShardReaderNotExists"
    )


def first_payload(server, stream, shard, offset):
    reader = server.create_reader(stream, shard, offset)
    return payloads_of(server.read(reader, 1)[0].record)


@rule("8.1")
def reader_offset_latest_is_resolved_at_creation(server):
    stream, shard = server.stream_with_shard()
    server.append(stream, shard, [b"before"])
    reader = server.create_reader(stream, shard, special(LATEST))
    server.append(stream, shard, [b"after"])
    equal([payloads_of(b.record) for b in server.read(reader, 10)], [[b"after"]], "payloads")


@rule("4.5")
def reader_offset_record_gives_the_whole_batch(server):
    stream, shard = server.stream_with_shard()
    server.append(stream, shard, [b"0"])
    ids = server.append(stream, shard, [b"a", b"b"])
    offset = pb.ShardOffset(recordOffset=ids[1])
    equal(first_payload(server, stream, shard, offset), [b"a", b"b"], "payloads")


@rule("4.5")
def reader_offset_timestamp_finds_the_first_at_or_after(server):
    stream, shard = server.stream_with_shard()
    server.append(stream, shard, [b"old"])
    time.sleep(0.05)
    server.append(stream, shard, [b"new"])
    batches = server.read(server.create_reader(stream, shard, special(EARLIEST)), 2)
    published = in_milliseconds(batches[1].record.publishTime)
    offset = pb.ShardOffset(
        timestampOffset=pb.TimestampOffset(timestampInMs=published, strictAccuracy=True)
    )
    equal(first_payload(server, stream, shard, offset), [b"new"], "payloads")


@rule("8.4")
def list_readers_has_each_until_deleted(server):
    stream, shard = server.stream_with_shard()
    reader = server.create_reader(stream, shard, special(EARLIEST))
    listed = lambda: server.ListShardReaders(pb.ListShardReadersRequest()).readerId
    expect(reader in listed(), "it is not listed")
    server.DeleteShardReader(pb.DeleteShardReaderRequest(readerId=reader))
    expect(reader not in listed(), "it is still listed")
    failure = failure_of(lambda: server.read(reader, 1))
    json_error(
        failure, StatusCode.FAILED_PRECONDITION, 0, "EmptyShardReader", "ShardReaderNotExists"
    )


@rule("8.3")
def delete_of_a_missing_reader_is_one_of_three_errors(server):
    request = pb.DeleteShardReaderRequest(readerId=unique("reader"))
    code, text = failure_of(lambda: server.DeleteShardReader(request))
    known = (StatusCode.UNKNOWN, StatusCode.FAILED_PRECONDITION, StatusCode.NOT_FOUND)
    expect(code in known, f"{code} {text!r}")


@rule("8.3")
def delete_reader_checks_the_id(server):
    bad_names(
        lambda name: server.DeleteShardReader(pb.DeleteShardReaderRequest(readerId=name)), 900
    )


# ---- 7: trimming ----


def stream_special(offset):
    return pb.StreamOffset(specialOffset=offset)


def at_time(milliseconds):
    return pb.TimestampOffset(timestampInMs=milliseconds, strictAccuracy=True)


def read_shard_stream(server, shard, **fields):
    """The batches of a bounded read, flat."""
    request = pb.ReadShardStreamRequest(readerId="label", shardId=shard, **fields)
    answers = server.stub.ReadShardStream(request, timeout=DEADLINE)
    return [batch for answer in answers for batch in answer.receivedRecords]


def remaining(server, shard):
    batches = read_shard_stream(server, shard, until=special(LATEST))
    return [payload for batch in batches for payload in payloads_of(batch.record)]


def filled(server, payloads=(b"1", b"2", b"3")):
    """A stream of one shard with a batch for each payload."""
    stream, shard = server.stream_with_shard()
    return stream, shard, [server.append(stream, shard, [payload])[0] for payload in payloads]


@rule("7")
def trim_shard_takes_the_batch_of_the_record_too(server):
    _, shard, ids = filled(server)
    point = pb.ShardOffset(recordOffset=ids[1])
    for _ in range(2):
        server.TrimShard(pb.TrimShardRequest(streamName="ignored", shardId=shard, trimPoint=point))
        equal(remaining(server, shard), [b"3"], "what is left")


@rule("7")
def trim_shard_refuses_no_point_unknown_shards_and_beyond_the_tail(server):
    _, shard, ids = filled(server)
    failure = failure_of(lambda: server.TrimShard(pb.TrimShardRequest(shardId=shard)))
    extra = "invalid trim point: Nothing"
    json_error(failure, StatusCode.INVALID_ARGUMENT, 208, "InvalidTrimPoint", extra)
    request = pb.TrimShardRequest(shardId=1, trimPoint=special(EARLIEST))
    failure = failure_of(lambda: server.TrimShard(request))
    extra = "Shard with id 1 is not found."
    json_error(failure, StatusCode.NOT_FOUND, 0, "ShardNotFound", extra)
    beyond = pb.RecordId(shardId=shard, batchId=ids[-1].batchId + 1)
    request = pb.TrimShardRequest(shardId=shard, trimPoint=pb.ShardOffset(recordOffset=beyond))
    failure = failure_of(lambda: server.TrimShard(request))
    plain_error(failure, StatusCode.INVALID_ARGUMENT, "argument or return value too big")


def trim_stream(stream, point):
    return pb.TrimStreamRequest(streamName=stream, trimPoint=point)


@rule("7")
def trim_stream_takes_all_shards_up_to_the_point(server):
    stream = server.create_stream(2)
    shards = [shard.shardId for shard in server.shards(stream)]
    for shard in shards:
        server.append(stream, shard, [b"old"])
    server.TrimStream(trim_stream(stream, stream_special(EARLIEST)))
    equal([remaining(server, shard) for shard in shards], [[b"old"], [b"old"]], "after the earliest")
    server.TrimStream(trim_stream(stream, stream_special(LATEST)))
    equal([remaining(server, shard) for shard in shards], [[], []], "after the latest")


@rule("7")
def trim_stream_refuses_bad_names_no_point_and_missing_streams(server):
    bad_names(lambda name: server.TrimStream(trim_stream(name, stream_special(EARLIEST))), 204)
    stream, _, _ = filled(server)
    failure = failure_of(lambda: server.TrimStream(trim_stream(stream, None)))
    extra = "invalid trim point: Nothing"
    json_error(failure, StatusCode.INVALID_ARGUMENT, 208, "InvalidTrimPoint", extra)
    name = unique()
    failure = failure_of(lambda: server.TrimStream(trim_stream(name, stream_special(EARLIEST))))
    extra = f'stream "{name}" is not found.'
    json_error(failure, StatusCode.NOT_FOUND, 200, "StreamNotFound", extra)
    late = pb.StreamOffset(timestampOffset=at_time(2**62))
    failure = failure_of(lambda: server.TrimStream(trim_stream(stream, late)))
    plain_error(failure, StatusCode.INVALID_ARGUMENT, "argument or return value too big")


# ---- 8: readers without creation ----


@rule("8.5")
def read_shard_stream_ends_at_until_and_at_its_maximum(server):
    _, shard, ids = filled(server)
    until = pb.ShardOffset(recordOffset=ids[1])
    found = [batch.recordIds[0] for batch in read_shard_stream(server, shard, until=until)]
    equal(found, ids[:2], "ids up to the end")
    found = [batch.recordIds[0] for batch in read_shard_stream(server, shard, maxReadBatches=1)]
    equal(found, ids[:1], "ids of one batch")


@rule("8.5")
def read_shard_stream_sends_up_to_ten_batches_a_message(server):
    _, shard, _ = filled(server, [b"x"] * 12)
    request = pb.ReadShardStreamRequest(shardId=shard, until=special(LATEST))
    answers = list(server.stub.ReadShardStream(request, timeout=DEADLINE))
    equal([len(answer.receivedRecords) for answer in answers], [10, 2], "batches by message")


@rule("8.5")
def read_shard_stream_follows_without_until(server):
    stream, shard, _ = filled(server, [b"old"])
    call = server.stub.ReadShardStream(pb.ReadShardStreamRequest(shardId=shard), timeout=DEADLINE)
    equal(payloads_of(next(call).receivedRecords[0].record), [b"old"], "payloads")
    server.append(stream, shard, [b"new"])
    equal(payloads_of(next(call).receivedRecords[0].record), [b"new"], "payloads")
    call.cancel()


@rule("8.5")
def read_shard_stream_refuses_unknown_shards_and_backward_ranges(server):
    _, shard, ids = filled(server)
    failure = failure_of(lambda: read_shard_stream(server, 1))
    extra = "Shard with id 1 is not found."
    json_error(failure, StatusCode.NOT_FOUND, 0, "ShardNotFound", extra)
    backward = {"from": special(LATEST), "until": special(LATEST)}
    failure = failure_of(lambda: read_shard_stream(server, shard, **backward))
    last = ids[-1].batchId
    extra = f"startLSN({last + 1}) should less than and equal to endLSN({last})"
    json_error(failure, StatusCode.INVALID_ARGUMENT, 901, "ConflictShardReaderOffset", extra)
    unknown = {"from": special(7)}
    failure = failure_of(lambda: read_shard_stream(server, shard, **unknown))
    extra = "UnKnownShardOffset"
    json_error(failure, StatusCode.INVALID_ARGUMENT, 208, "InvalidShardOffset", extra)


def read_single(server, stream):
    request = pb.ReadSingleShardStreamRequest(streamName=stream, until=special(LATEST))
    answers = server.stub.ReadSingleShardStream(request, timeout=DEADLINE)
    return [batch for answer in answers for batch in answer.receivedRecords]


@rule("8.5")
def read_single_shard_stream_needs_exactly_one_shard(server):
    stream, _, ids = filled(server)
    equal([batch.recordIds[0] for batch in read_single(server, stream)], ids, "ids")
    failure = failure_of(lambda: read_single(server, unique()))
    plain_error(failure, StatusCode.INTERNAL, "requested identifier does not exist")
    wide = server.create_stream(2)
    failure = failure_of(lambda: read_single(server, wide))
    extra = f'Stream "{wide}" has more than one shard'
    json_error(failure, StatusCode.INVALID_ARGUMENT, 902, "TooManyShardCount", extra)


def read_stream(server, stream, **fields):
    request = pb.ReadStreamRequest(streamName=stream, **fields)
    answers = server.stub.ReadStream(request, timeout=DEADLINE)
    return [batch for answer in answers for batch in answer.receivedRecords]


@rule("8.5")
def read_stream_has_all_shards_each_in_order(server):
    stream = server.create_stream(3)
    shards = [shard.shardId for shard in server.shards(stream)]
    appended = {shard: [server.append(stream, shard)[0] for _ in range(5)] for shard in shards}
    found = {shard: [] for shard in shards}
    for batch in read_stream(server, stream, until=stream_special(LATEST)):
        found[batch.recordIds[0].shardId].append(batch.recordIds[0])
    equal(found, appended, "ids by shard")
    few = read_stream(server, stream, maxReadBatches=4)
    equal(len(few), 4, "number of batches")


@rule("8.5")
def read_stream_skips_empty_ranges_and_misses_streams_as_internal(server):
    stream = server.create_stream(2)
    nothing = {"from": stream_special(LATEST), "until": stream_special(LATEST)}
    equal(read_stream(server, stream, **nothing), [], "batches")
    failure = failure_of(lambda: read_stream(server, unique()))
    plain_error(failure, StatusCode.INTERNAL, "requested identifier does not exist")
    unknown = {"from": stream_special(7)}
    failure = failure_of(lambda: read_stream(server, stream, **unknown))
    extra = "InvalidShardOffset"
    json_error(failure, StatusCode.INVALID_ARGUMENT, 208, "InvalidShardOffset", extra)


def keyed(key, payload):
    header = pb.HStreamRecordHeader(flag=RAW, key=key)
    return pb.HStreamRecord(header=header, payload=payload)


def append_keyed(server, stream, shard, records):
    payload = pb.BatchHStreamRecords(records=records).SerializeToString()
    batch = pb.BatchedRecord(batchSize=len(records), payload=payload)
    server.Append(pb.AppendRequest(streamName=stream, shardId=shard, records=batch))


class KeyRead:
    """A ReadStreamByKey call, a round at a time."""

    def __init__(self, server, **first):
        self.requests = queue.Queue()
        self.requests.put(pb.ReadStreamByKeyRequest(**first))
        self.call = server.stub.ReadStreamByKey(iter(self.requests.get, None), timeout=DEADLINE)

    def ask(self, count):
        self.requests.put(pb.ReadStreamByKeyRequest(readRecordCount=count))

    def round(self, count):
        payloads = []
        while len(payloads) < count:
            answer = next(self.call)
            equal(len(answer.recordIds), len(answer.receivedRecords), "number of ids")
            payloads += [record.payload for record in answer.receivedRecords]
        return payloads

    def end(self):
        try:
            for answer in self.call:
                raise Wrong(f"something came: {answer}")
        except grpc.RpcError:
            pass
        return self.call.code(), self.call.details()


@rule("8.6")
def read_stream_by_key_sends_the_records_of_the_key_by_credit(server):
    stream, shard = server.stream_with_shard()
    for i in range(3):
        records = [keyed("k", b"%d" % i), keyed("K", b"no"), keyed("k", b"%d+" % i)]
        append_keyed(server, stream, shard, records)
    read = KeyRead(server, streamName=stream, key="k", readRecordCount=4)
    equal(read.round(4), [b"0", b"0+", b"1", b"1+"], "first round")
    read.ask(0)
    read.ask(100)
    equal(read.round(2), [b"2", b"2+"], "second round")
    equal(read.end()[0], StatusCode.OK, "status at the end")


@rule("8.6")
def read_stream_by_key_ends_well_on_half_close(server):
    stream, shard = server.stream_with_shard()
    append_keyed(server, stream, shard, [keyed("k", b"1"), keyed("k", b"2")])
    read = KeyRead(server, streamName=stream, key="k", readRecordCount=1)
    read.round(1)
    read.requests.put(None)
    equal(read.end()[0], StatusCode.OK, "status")


@rule("8.6")
def read_stream_by_key_refuses_what_can_not_be_read(server):
    name = unique()
    failure = KeyRead(server, streamName=name, key="k", readRecordCount=1).end()
    extra = f'Stream "{name}" is not exist.'
    json_error(failure, StatusCode.NOT_FOUND, 200, "StreamNotFound", extra)
    stream, shard, _ = filled(server)
    first = {"streamName": stream, "key": "k", "readRecordCount": 1, "from": special(LATEST)}
    code, text = KeyRead(server, **first).end()
    equal((code, json.loads(text)["error"]), (StatusCode.INVALID_ARGUMENT, 901), "backward range")
    nothing = server.stub.ReadStreamByKey(iter([]), timeout=DEADLINE)
    extra = "Client is closed for bistreamReader"
    failure = failure_of(lambda: list(nothing))
    json_error(failure, StatusCode.CANCELLED, 0, "StreamReadClose", extra)
    append_keyed(server, stream, shard, [pb.HStreamRecord(payload=b"no header")])
    failure = KeyRead(server, streamName=stream, key="k", readRecordCount=9).end()
    message = "HStreamRecord doesn't have a header."
    json_error(failure, StatusCode.INVALID_ARGUMENT, 0, message, None)


# ---- 11: ownership ----


@rule("11.2")
def another_node_than_the_owner_refuses(server):
    nodes = list(server.DescribeCluster(Empty()).serverNodes)
    name = server.subscribe(server.create_stream())
    own = lookup(server, "ResSubscription", name)
    for node in nodes:
        if node.id == own.id:
            continue
        stub = server.stub_of(node)
        for call in (
            lambda: stub.GetSubscription(pb.GetSubscriptionRequest(id=name)),
            lambda: stub.ListConsumers(pb.ListConsumersRequest(subscriptionId=name)),
            lambda: stub.DeleteSubscription(pb.DeleteSubscriptionRequest(subscriptionId=name)),
        ):
            extra = "Subscription is bound to a different node"
            failure = failure_of(call)
            json_error(failure, StatusCode.FAILED_PRECONDITION, 800, "WrongServer", extra)


# ---- 12: statistics and admin commands ----


def stat(server, **kind):
    request = pb.GetStatsRequest(stats=[pb.StatType(**kind)])
    return server.GetStats(request)


@rule("12")
def get_stats_counts_appends_by_stream(server):
    stream, shard = server.stream_with_shard()
    server.append(stream, shard, [b"a", b"b"])
    for name, count in [("AppendInRecords", 2), ("AppendTotal", 1), ("AppendFailed", 0)]:
        (value,) = stat(server, streamStat=pb.StreamStats.Value(name)).statsValues
        equal(value.statValues[stream], count, name)


@rule("12")
def get_stats_of_nothing_is_refused_and_of_the_unknown_an_error_inside(server):
    for request in (pb.GetStatsRequest(), pb.GetStatsRequest(stats=[pb.StatType()])):
        failure = failure_of(lambda: server.GetStats(request))
        json_error(failure, StatusCode.INVALID_ARGUMENT, 0, "InvalidStatsType")
    answer = stat(server, streamStat=99)
    equal([error.message for error in answer.errors], ["invalid stat type Left 99"], "errors")
    for kind in ({"connStat": 0}, {"queryStat": 0}, {"viewStat": 0}, {"subStat": 0}):
        equal(len(stat(server, **kind).statsValues), 1, "number of values")


@rule("12")
def time_series_are_rates_by_interval(server):
    stream, shard = server.stream_with_shard()
    server.append(stream, shard, [b"x"] * 6)
    intervals = pb.StatsIntervalVals(intervals=[60_000, 600_000])
    request = pb.PerStreamTimeSeriesStatsRequest(
        method="append_in_records", streamName=stream, intervals=intervals
    )
    equal(list(server.PerStreamTimeSeriesStats(request).stats.vals), [0.1, 0.01], "rates")
    request = pb.PerStreamTimeSeriesStatsAllRequest(method="append_in_records", intervals=intervals)
    equal(list(server.PerStreamTimeSeriesStatsAll(request).stats[stream].vals), [0.1, 0.01], "rates")
    without = pb.PerStreamTimeSeriesStatsAllRequest(method="appends")
    equal(len(server.PerStreamTimeSeriesStatsAll(without).stats), 0, "streams without intervals")
    request.intervals.intervals[:] = [600_001]
    failure = failure_of(lambda: server.PerStreamTimeSeriesStatsAll(request))
    json_error(failure, StatusCode.INVALID_ARGUMENT, 0, "InvalidStatsInterval")


def admin(server, command):
    return json.loads(server.SendAdminCommand(pb.AdminCommandRequest(command=command)).result)


@rule("12")
def admin_commands_answer_with_tables_and_plain_text(server):
    status = admin(server, "server status")
    equal(status["content"]["headers"], ["Node ID", "State", "Address"], "headers")
    node = server.own_node()
    row = [str(node.id), "Running", f"{node.host}:{node.port}"]
    equal(status["content"]["rows"][0], row, "first row")
    stream = unique()
    created = admin(server, f"server stream create {stream} -s 2")
    equal(created, {"content": "OK", "type": "plain"}, "answer")
    equal(len(server.shards(stream)), 2, "number of shards")
    described = admin(server, f"server stream describe {stream}")
    equal(described["content"]["rows"], [[stream, "1"]], "rows")
    name = unique("sub")
    admin(server, f"server sub create {name} --stream {stream}")
    expect(exists(server, name), "the subscription does not exist")
    admin(server, f"server sub delete {name} -f")
    admin(server, f"server stream delete {stream}")


@rule("12")
def bad_admin_commands_are_internal_with_their_usage(server):
    for command in ("", "status", "server", "server nonsense", "server stream create"):
        code, text = failure_of(lambda: admin(server, command))
        equal(code, StatusCode.INTERNAL, "status")
        begin = "Parsing admin command error: invalid argument ("
        expect(text.startswith(begin), f"text {text!r}")


# ---- 13: queries, views, connectors ----


@rule("13")
def lists_of_queries_views_and_connectors_are_empty(server):
    equal(len(server.ListQueries(pb.ListQueriesRequest()).queries), 0, "queries")
    equal(len(server.ListViews(pb.ListViewsRequest()).views), 0, "views")
    equal(len(server.ListConnectors(pb.ListConnectorsRequest()).connectors), 0, "connectors")


@rule("13")
def calls_about_missing_queries_are_not_found(server):
    calls = {
        "GetQuery": lambda name: pb.GetQueryRequest(id=name),
        "DeleteQuery": lambda name: pb.DeleteQueryRequest(id=name),
        "TerminateQuery": lambda name: pb.TerminateQueryRequest(queryId=name),
    }
    name = unique("query")
    for rpc, request in calls.items():
        call = getattr(server, rpc)
        bad_names(lambda bad: call(request(bad)), 404)
        failure = failure_of(lambda: call(request(name)))
        json_error(failure, StatusCode.NOT_FOUND, 400, "QueryNotFound", name)
    failure = failure_of(lambda: server.ResumeQuery(pb.ResumeQueryRequest(id=name)))
    json_error(failure, StatusCode.NOT_FOUND, 400, "QueryNotFound", name)


@rule("13")
def create_query_checks_name_then_sql(server):
    bad_names(lambda name: server.CreateQuery(pb.CreateQueryRequest(queryName=name)), 404)
    name = unique("query")
    failure = failure_of(lambda: server.CreateQuery(pb.CreateQueryRequest(queryName=name)))
    extra = "Empty Sql statement."
    json_error(failure, StatusCode.INVALID_ARGUMENT, 402, "InvalidQuerySql", extra)
    request = pb.CreateQueryWithNamespaceRequest(queryName=name, namespace="n")
    failure = failure_of(lambda: server.CreateQueryWithNamespace(request))
    json_error(failure, StatusCode.INVALID_ARGUMENT, 402, "InvalidQuerySql", extra)


def not_here(failure):
    code, text = failure
    equal(code, StatusCode.UNIMPLEMENTED, f"status (text {text!r})")
    expect(text.startswith("the development server has no "), f"text {text!r}")


@rule("13")
def what_needs_sql_is_not_here(server):
    sql = "SELECT * FROM v;"
    not_here(failure_of(lambda: server.ExecuteQuery(pb.CommandQuery(stmt_text=sql))))
    not_here(failure_of(lambda: server.ParseSql(pb.ParseSqlRequest(sql=sql))))
    not_here(failure_of(lambda: server.ExecuteViewQuery(pb.ExecuteViewQueryRequest(sql=sql))))
    request = pb.ExecuteViewQueryWithNamespaceRequest(sql=sql, namespace="n")
    not_here(failure_of(lambda: server.ExecuteViewQueryWithNamespace(request)))
    request = pb.CreateQueryRequest(queryName=unique("query"), sql=sql)
    not_here(failure_of(lambda: server.CreateQuery(request)))


@rule("13")
def missing_views_have_the_number_of_queries(server):
    bad_names(lambda name: server.GetView(pb.GetViewRequest(viewId=name)), 503)
    bad_names(lambda name: server.DeleteView(pb.DeleteViewRequest(viewId=name)), 503)
    name = unique("view")
    for call in (
        lambda: server.GetView(pb.GetViewRequest(viewId=name)),
        lambda: server.DeleteView(pb.DeleteViewRequest(viewId=name)),
    ):
        json_error(failure_of(call), StatusCode.NOT_FOUND, 400, "ViewNotFound", name)
    server.DeleteView(pb.DeleteViewRequest(viewId=name, ignoreNonExist=True))


@rule("13")
def create_connector_checks_name_type_and_target(server):
    def request(name, kind, target):
        return pb.CreateConnectorRequest(name=name, type=kind, target=target, config="{}")

    bad_names(lambda name: server.CreateConnector(request(name, "SINK", "mysql")), 603)
    name = unique("connector")
    failure = failure_of(lambda: server.CreateConnector(request(name, "x", "mysql")))
    json_error(failure, StatusCode.INVALID_ARGUMENT, 602, "InvalidConnectorType")
    failure = failure_of(lambda: server.CreateConnector(request(name, "SINK", "x")))
    json_error(failure, StatusCode.UNIMPLEMENTED, 605, "ConnectorUnimplemented")
    not_here(failure_of(lambda: server.CreateConnector(request(name, "SINK", "mysql"))))
    spec = pb.GetConnectorSpecRequest(type="x", target="mysql")
    failure = failure_of(lambda: server.GetConnectorSpec(spec))
    json_error(failure, StatusCode.INVALID_ARGUMENT, 602, "InvalidConnectorType")
    spec = pb.GetConnectorSpecRequest(type="SOURCE", target="mysql")
    not_here(failure_of(lambda: server.GetConnectorSpec(spec)))


@rule("13")
def calls_about_missing_connectors_are_not_found_but_deleting_is_fine(server):
    name = unique("connector")
    for call in (
        lambda: server.GetConnector(pb.GetConnectorRequest(name=name)),
        lambda: server.GetConnectorLogs(pb.GetConnectorLogsRequest(name=name)),
        lambda: server.PauseConnector(pb.PauseConnectorRequest(name=name)),
        lambda: server.ResumeConnector(pb.ResumeConnectorRequest(name=name)),
    ):
        json_error(failure_of(call), StatusCode.NOT_FOUND, 600, "ConnectorNotFound", name)
    server.DeleteConnector(pb.DeleteConnectorRequest(name=name))
    bad_names(lambda bad: server.DeleteConnector(pb.DeleteConnectorRequest(name=bad)), 603)
    bad_names(lambda bad: server.GetConnector(pb.GetConnectorRequest(name=bad)), 603)


@rule("1.8")
def every_rpc_of_the_stubs_is_called_here(server):
    source = open(__file__, encoding="utf-8").read()
    rpcs = [method.name for method in pb.DESCRIPTOR.services_by_name["HStreamApi"].methods]
    missing = [rpc for rpc in rpcs if not re.search(rf'\b(server|stub)\.{rpc}\b|"{rpc}": ', source)]
    equal(missing, [], "calls without a check")


# ---- command line ----


def run(server, only):
    passed = failed = 0
    for name, section, check in CHECKS:
        if only not in name:
            continue
        try:
            check(server)
        except Wrong as wrong:
            problem = str(wrong)
        except grpc.RpcError as error:
            problem = f"unexpected {error.code()} {error.details()!r}"
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
        else:
            print(f"ok {name}", flush=True)
            passed += 1
            continue
        print(f"FAIL {name}: {problem} (section {section})", flush=True)
        failed += 1
    print(f"{passed} passed, {failed} failed")
    return failed == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address", metavar="HOST:PORT")
    parser.add_argument("--only", default="", metavar="TEXT", help="checks with TEXT in their name")
    arguments = parser.parse_args()
    sys.exit(0 if run(Server(arguments.address), arguments.only) else 1)


if __name__ == "__main__":
    main()
