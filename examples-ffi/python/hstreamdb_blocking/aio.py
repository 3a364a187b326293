"""Consumers and readers in an event loop: it waits for their descriptor, and polls them with no time-out."""

import asyncio


async def batches(source, max_records=1000):
    """Lists of records of a Consumer or StreamReader, until it is closed or all is read."""
    while not source.ended:
        records = source.poll(max_records, timeout=0)
        if records:
            yield records
        elif not source.ended:
            await readable(source.event_fd())


async def readable(descriptor):
    """Waits until a descriptor is readable."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_reader(descriptor, lambda: ready.done() or ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)
