"""Produces records with the published Python client; prints RECORDS SECONDS CPU_SECONDS.

Usage: produce.py URL STREAM SIZE COUNT append|buffered
"""

import asyncio
import logging
import sys
import time

import hstreamdb

RECORDS_A_LIST = 1000
BATCH_BYTES = 1_048_576 - 4096


async def append_lists(client, stream, payload, count):
    payloads = [payload] * RECORDS_A_LIST
    written = 0
    while written < count:
        written += len(list(await client.append(stream, payloads)))
    return written


class Written(hstreamdb.BufferedProducer.AppendCallback):
    def __init__(self):
        self.count = 0

    def on_success(self, stream_name, payloads, stream_keyid):
        self.count += len(payloads)

    def on_fail(self, stream_name, payloads, stream_keyid, e):
        print(f"produce.py: {len(payloads)} records failed: {e}", file=sys.stderr)


async def append_buffered(client, stream, payload, count):
    written = Written()
    # The trigger counts payloads alone; the rest of a record is 10 bytes or so.
    trigger = BATCH_BYTES * len(payload) // (len(payload) + 10)
    producer = client.new_producer(append_callback=written, size_trigger=trigger)
    for _ in range(count):
        await producer.append(stream, payload)
    await producer.wait_and_close()
    return written.count


async def main():
    url, stream, size, count, via = sys.argv[1:]
    payload = b"x" * int(size)
    produce = {"append": append_lists, "buffered": append_buffered}[via]
    async with await hstreamdb.insecure_client(url=url) as client:
        # Connections and look-ups are not counted.
        await client.append(stream, [payload])
        started, cpu = time.perf_counter(), time.process_time()
        records = await produce(client, stream, payload, int(count))
        print(records, time.perf_counter() - started, time.process_time() - cpu)


if __name__ == "__main__":
    # The client sends None for an empty request, which works but is logged.
    logging.getLogger("grpc._common").setLevel(logging.CRITICAL)
    asyncio.run(main())
