"""Consumes and acks records with the published Python client; prints RECORDS SECONDS CPU_SECONDS.

Usage: consume.py URL SUBSCRIPTION SIZE COUNT
"""

import asyncio
import logging
import sys
import time

import hstreamdb


async def consume(client, subscription, size, count):
    received, started, cpu = 0, None, None

    async def process(ack, stop, records):
        nonlocal received, started, cpu
        records = list(records)
        if started is None:
            # Connections and look-ups are not counted.
            started, cpu = time.perf_counter(), time.process_time()
            return
        assert sum(len(record.payload) for record in records) == size * len(records)
        received += len(records)
        await ack(record.id for record in records)
        if received >= count:
            await stop()

    await client.new_consumer("perf", subscription, process).start()
    return received, time.perf_counter() - started, time.process_time() - cpu


async def main():
    url, subscription, size, count = sys.argv[1:]
    async with await hstreamdb.insecure_client(url=url) as client:
        print(*await consume(client, subscription, int(size), int(count)))


if __name__ == "__main__":
    # The client sends None for an empty request, which works but is logged.
    logging.getLogger("grpc._common").setLevel(logging.CRITICAL)
    asyncio.run(main())
