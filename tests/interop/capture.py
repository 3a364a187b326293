"""Stores the batches that the published Python client appends.

Usage: capture.py OUT_DIR

A server in this process answers the client's calls and keeps what it appends.
Except for the time stamp in gzip headers each run gives the same files.
"""

import argparse
import asyncio
import logging
from dataclasses import dataclass
from typing import Optional

from fixture_files import Fixture, expected_record, write_fixtures

import grpc
import HStream.Server.HStreamApi_pb2 as pb
import hstreamdb

SERVICE = "hstream.server.HStreamApi"
STREAM = "captured"
SHARD_ID = 7


@dataclass
class Case:
    file: str
    payloads: list
    key: Optional[str] = None
    compression: Optional[str] = None


DOCUMENTS = [
    {},
    {"n": 1, "negative": -2.5, "big": 2**53, "text": "plain", "yes": True, "none": None},
    {"grüße": "你好 🚀", "": "empty name", "quoted": '"\\\n\t'},
    {"nested": {"list": [1, 2.5, None, True, [], {}, [[{"deep": [False]}]]], "object": {"a": {"b": {}}}}},
]

MIXED = [
    [f"raw-{i}".encode() + b"\x00\xff", f"text-{i} é", {"n": i, "nested": {"list": [i, None]}}][i % 3]
    for i in range(300)
]

CASES = [
    Case("raw.bin", [b"hello", b"\x00\xff\xfe", bytes(range(256))]),
    Case("str.bin", ["hello", "grüße 你好 🚀"], key="你好"),
    Case("json.bin", DOCUMENTS),
    Case("empty.bin", [b""]),
    Case("gzip.bin", [b"hello " * 200, b"\x00\xff", "text"], key="key-1", compression="gzip"),
    Case("gzip-json.bin", DOCUMENTS * 3, compression="gzip"),
    Case("many.bin", MIXED, key="key-1"),
]


class RecordingServer:
    """Knows one stream with one shard."""

    def __init__(self):
        self.appended = []
        self.server = grpc.aio.server()
        answers = {
            "DescribeCluster": self.describe_cluster,
            "ListShards": self.list_shards,
            "LookupShard": self.lookup_shard,
            "Append": self.append,
        }
        handlers = {
            rpc: grpc.unary_unary_rpc_method_handler(answer) for rpc, answer in answers.items()
        }
        self.server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler(SERVICE, handlers)]
        )
        port = self.server.add_insecure_port("127.0.0.1:0")
        self.node = pb.ServerNode(id=1, host="127.0.0.1", port=port)

    @property
    def url(self):
        return f"hstream://{self.node.host}:{self.node.port}"

    async def describe_cluster(self, _request, _context):
        return pb.DescribeClusterResponse(serverNodes=[self.node]).SerializeToString()

    async def list_shards(self, _request, _context):
        shard = pb.Shard(
            streamName=STREAM,
            shardId=SHARD_ID,
            startHashRangeKey="0",
            endHashRangeKey=str(2**128 - 1),
            epoch=1,
            isActive=True,
        )
        return pb.ListShardsResponse(shards=[shard]).SerializeToString()

    async def lookup_shard(self, _request, _context):
        return pb.LookupShardResponse(shardId=SHARD_ID, serverNode=self.node).SerializeToString()

    async def append(self, request_bytes, _context):
        request = pb.AppendRequest.FromString(request_bytes)
        # So that the part taken out below is byte for byte what was sent.
        assert request.SerializeToString() == request_bytes
        self.appended.append(request.records.SerializeToString())
        ids = [
            pb.RecordId(shardId=SHARD_ID, batchId=len(self.appended), batchIndex=i)
            for i in range(request.records.batchSize)
        ]
        return pb.AppendResponse(
            streamName=STREAM, shardId=SHARD_ID, recordIds=ids
        ).SerializeToString()


async def capture():
    recorder = RecordingServer()
    await recorder.server.start()
    async with await hstreamdb.insecure_client(url=recorder.url) as client:
        for case in CASES:
            await client.append(
                STREAM, case.payloads, key=case.key, compresstype=case.compression
            )
    await recorder.server.stop(None)
    return [fixture_of(case, batch) for case, batch in zip(CASES, recorder.appended, strict=True)]


def fixture_of(case, batched_record):
    return Fixture(
        file=case.file,
        compression=case.compression or "none",
        records=[expected_record(payload, case.key or "") for payload in case.payloads],
        batched_record=batched_record,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out_dir", metavar="OUT_DIR")
    arguments = parser.parse_args()
    # The client sends None for an empty request, which works but is logged.
    logging.getLogger("grpc._common").setLevel(logging.CRITICAL)
    write_fixtures(arguments.out_dir, asyncio.run(capture()))


if __name__ == "__main__":
    main()
