"""Writes two records to a stream and gets them back by way of a subscription: quickstart.py URL"""

import sys
import time

import hstreamdb_blocking as hstreamdb


def travel(url):
    name = f"quickstart-{time.time_ns()}"
    with hstreamdb.insecure_client(url=url) as client:
        client.create_stream(name)
        client.create_subscription(name, name, offset=hstreamdb.SpecialOffset.EARLIEST)
        with client.new_producer() as producer:
            producer.append(name, "hello")
            producer.append(name, {"to": "the world"})
        with client.new_consumer(None, name) as consumer:
            got = 0
            while got < 2:
                records = consumer.poll()
                for record in records:
                    print(record.id, record.payload)
                consumer.ack(record.id for record in records)
                got += len(records)
        client.delete_subscription(name, force=True)
        client.delete_stream(name, force=True)


if __name__ == "__main__":
    travel(*sys.argv[1:] or ["hstream://127.0.0.1:6570"])
