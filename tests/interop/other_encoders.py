"""Makes batches as other encoders than the Python client write them, bad ones too.

Usage: other_encoders.py OUT_DIR

The messages are built with the published stubs, the compression is Python's
zlib and zstandard. Each run gives the same files.
"""

import argparse
import zlib

from fixture_files import Fixture, expected_record, write_fixtures

import HStream.Server.HStreamApi_pb2 as pb
import zstandard
from google.protobuf.struct_pb2 import Struct

GZIP_CONTAINER = 31
NONE, GZIP, ZSTD = (pb.CompressionType.Value(name) for name in ("None", "Gzip", "Zstd"))
RAW = pb.HStreamRecordHeader.Flag.Value("RAW")

PAYLOADS = [b"repeated " * 20, b"\x00\xff", b""]


def record(payload, flag=RAW, key="", attributes=None):
    header = pb.HStreamRecordHeader(flag=flag, key=key, attributes=attributes)
    return pb.HStreamRecord(header=header, payload=payload)


def raw_batch():
    return serialized([record(payload) for payload in PAYLOADS])


def serialized(records):
    return pb.BatchHStreamRecords(records=records).SerializeToString()


def batched(payload, batch_size, compression=NONE):
    return pb.BatchedRecord(
        compressionType=compression, batchSize=batch_size, payload=payload
    ).SerializeToString()


def compressed_fixture(file, compression, payload):
    number = {"gzip": GZIP, "zstd": ZSTD}[compression]
    return Fixture(
        file,
        compression,
        [expected_record(payload) for payload in PAYLOADS],
        batched(payload, len(PAYLOADS), number),
    )


def bad_fixture(file, batched_record, compression="none"):
    return Fixture(file, compression, [], batched_record, error=True)


def gzip_member(data):
    compressor = zlib.compressobj(wbits=GZIP_CONTAINER)
    return compressor.compress(data) + compressor.flush()


def gzip_flushed_but_not_finished(data):
    compressor = zlib.compressobj(wbits=GZIP_CONTAINER)
    return compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)


def zstd_frame(data, states_size):
    frame = zstandard.ZstdCompressor(write_content_size=states_size).compress(data)
    has_size = zstandard.frame_content_size(frame) == len(data)
    assert has_size == states_size
    return frame


def halves(data):
    middle = len(data) // 2
    return data[:middle], data[middle:]


def gzip_fixtures():
    batch = raw_batch()
    members = b"".join(gzip_member(half) for half in halves(batch))
    return [
        compressed_fixture("gzip-not-finished.bin", "gzip", gzip_flushed_but_not_finished(batch)),
        compressed_fixture("gzip-two-members.bin", "gzip", members),
    ]


def zstd_fixtures():
    batch = raw_batch()
    frames = b"".join(zstd_frame(half, states_size=True) for half in halves(batch))
    return [
        compressed_fixture("zstd-with-size.bin", "zstd", zstd_frame(batch, states_size=True)),
        compressed_fixture("zstd-without-size.bin", "zstd", zstd_frame(batch, states_size=False)),
        compressed_fixture("zstd-two-frames.bin", "zstd", frames),
    ]


def header_fixtures():
    document = Struct()
    document.update({"a": 1})
    headless = pb.HStreamRecord(payload=document.SerializeToString())
    attributes = {"origin": "sensor-1", "größe": "你好 🚀"}
    with_attributes = record(b"payload", key="key-1", attributes=attributes)
    return [
        Fixture(
            "no-header.bin", "none", [expected_record({"a": 1})], batched(serialized([headless]), 1)
        ),
        Fixture(
            "attributes.bin",
            "none",
            [expected_record(b"payload", "key-1", attributes)],
            batched(serialized([with_attributes]), 1),
        ),
    ]


def bad_fixtures():
    batch = raw_batch()
    unknown_flag = serialized([record(b"payload", flag=7)])
    return [
        bad_fixture("unknown-flag.bin", batched(unknown_flag, 1)),
        bad_fixture("batch-size-too-large.bin", batched(batch, len(PAYLOADS) + 1)),
        bad_fixture("batch-size-too-small.bin", batched(batch, len(PAYLOADS) - 1)),
        bad_fixture("unknown-compression.bin", batched(batch, len(PAYLOADS), 9), "unknown"),
        bad_fixture("not-protobuf.bin", batched(b"\xff\xff\xff", 1)),
        bad_fixture("not-gzip.bin", batched(batch, len(PAYLOADS), GZIP), "gzip"),
        bad_fixture("not-zstd.bin", batched(batch, len(PAYLOADS), ZSTD), "zstd"),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out_dir", metavar="OUT_DIR")
    arguments = parser.parse_args()
    fixtures = gzip_fixtures() + zstd_fixtures() + header_fixtures() + bad_fixtures()
    write_fixtures(arguments.out_dir, fixtures)


if __name__ == "__main__":
    main()
