"""What the module promises beside the published client's manners. python -m unittest tests.test_bindings"""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
import unittest

import hstreamdb_blocking as hstreamdb
from hstreamdb_blocking import BufferedProducer, Error, ShardOffset, SpecialOffset
from hstreamdb_blocking.aio import batches

from .server import steered

SOON = 60


class Told(BufferedProducer.AppendCallback):
    def __init__(self):
        self.succeeded, self.failed = [], []

    def on_success(self, stream_name, payloads, stream_keyid):
        self.succeeded += [(stream_name, stream_keyid, *payload) for payload in payloads]

    def on_fail(self, stream_name, payloads, stream_keyid, e):
        self.failed += [(payload, e) for payload in payloads]


class Bindings(unittest.TestCase):
    def setUp(self):
        self.url, self.order = self.enterContext(steered())
        self.client = hstreamdb.insecure_client(url=self.url)
        self.client.create_stream("events", shard_count=2)
        self.client.create_subscription("events", "events", offset=SpecialOffset.EARLIEST)

    def script(self, text):
        """A process of its own, with the URL; its standard output is for `readline`."""
        source = "import hstreamdb_blocking as hstreamdb, os, signal, sys\nurl = sys.argv[1]\n" + textwrap.dedent(text)
        process = subprocess.Popen(
            [sys.executable, "-u", "-c", source, self.url],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        # Whatever happens, it does not outlive the test.
        watchdog = threading.Timer(SOON, process.kill)
        watchdog.start()
        for cleanup in (process.communicate, process.kill, watchdog.cancel):
            self.addCleanup(cleanup)
        return process

    def assert_succeeds(self, process):
        output, errors = process.communicate()
        self.assertEqual((process.returncode, errors), (0, ""), output)

    def received(self, count):
        with self.client.new_consumer(None, "events") as consumer:
            records = []
            while len(records) < count:
                got = consumer.poll(timeout=SOON)
                self.assertTrue(got, "nothing came in time")
                consumer.ack(record.id for record in got)
                records += got
        return records

    def test_ten_thousand_records_come_back(self):
        told = Told()
        with self.client.new_producer(told, time_trigger=0.01, compresstype="zstd") as producer:
            for number in range(10_000):
                producer.append("events", str(number), key=f"key-{number % 7}", timeout=SOON)
        self.assertEqual(len(told.succeeded), 10_000)
        self.assertFalse(told.failed)
        records = self.received(10_000)
        self.assertEqual({int(record.payload) for record in records}, set(range(10_000)))
        by_key = {}
        for record in records:
            by_key.setdefault(record.header.key, []).append(int(record.payload))
        self.assertEqual(len(by_key), 7)
        self.assertTrue(all(numbers == sorted(numbers) for numbers in by_key.values()))

    def test_flushes_count_and_report(self):
        told = Told()
        producer = self.client.new_producer(told, time_trigger=-1)
        producer.append("events", {"a": 1}, key="k")
        producer.append("events", b"\0\xff")
        self.assertEqual(producer.flush_by_key("events", "k").written + producer.flushall().written, 2)
        self.assertCountEqual([(stream, *rest) for stream, _, *rest in told.succeeded],
                              [("events", {"a": 1}, "k"), ("events", b"\0\xff", "")])
        self.assertIn(told.succeeded[0][1], [shard.id for shard in self.client.list_shards("events")])
        producer.close()
        with self.assertRaises(Error) as raised:
            producer.append("events", "late")
        self.assertEqual(raised.exception.name, "CLOSED")
        producer.wait(SOON)
        producer.wait_and_close(SOON)

    def test_a_callback_must_not_wait_for_itself(self):
        raised = []

        class Flushes(Told):
            def on_success(self, *_):
                try:
                    producer.flushall()
                except Error as error:
                    raised.append(error.name)

        producer = self.client.new_producer(Flushes())
        producer.append("events", "x")
        producer.wait_and_close(SOON)
        self.assertEqual(raised, ["WOULD_DEADLOCK"])

    def test_a_consumer_is_stopped_in_its_function_and_closed_from_elsewhere(self):
        self.client.append("events", ["a", "b"])
        received = []

        def process(ack, stop, records):
            received.extend(record.payload for record in records)
            ack(record.id for record in records)
            if len(received) == 2:
                stop()

        consumer = self.client.new_consumer("me", "events", process)
        consumer.start()
        self.assertEqual(received, [b"a", b"b"])
        closer = threading.Timer(0.1, consumer.close)
        closer.start()
        consumer.start()
        closer.join()
        self.assertTrue(consumer.ended)

    def test_readers_read_on_and_end(self):
        ids = self.client.append("events", ["a", {"n": [1, None]}], key="k", compresstype="gzip")
        with self.client.read_stream("events", until="latest") as reader:
            records = list(reader)
        self.assertEqual([record.id for record in records], ids)
        self.assertEqual([record.payload for record in records], [b"a", {"n": [1, None]}])
        self.assertGreater(records[0].header.publish_time.seconds, 1_600_000_000)
        start = ShardOffset(recordOffset=ids[0])
        with self.client.with_reader("events", "mine", start, 0, stream_key="k") as reader:
            self.assertEqual([record.id for record in reader.read(10)], ids)
        with self.assertRaises(Error) as raised:
            self.client.read_reader("mine", 1)
        self.assertEqual(raised.exception.name, "GRPC_NOT_FOUND")

    def test_errors_say_what_failed(self):
        with self.assertRaises(Error) as raised:
            self.client.delete_stream("nothing")
        error = raised.exception
        self.assertEqual((error.name, error.code, error.server_name), ("STREAM_NOT_FOUND", 200, "StreamNotFound"))
        self.assertFalse(error.is_retryable or error.is_ambiguous)
        with self.assertRaises(ValueError):
            self.client.delete_stream("events\0")
        with self.assertRaises(ValueError):
            hstreamdb.secure_client(url=self.url)
        with self.assertRaises(TypeError):
            self.client.append("events", [1])

    def test_ctrl_c_ends_a_wait_and_other_signals_do_not(self):
        process = self.script("""
            handled = []
            def handler(*_):
                handled.append(1)
                print("handled")
            signal.signal(signal.SIGUSR1, handler)
            client = hstreamdb.insecure_client(url=url)
            consumer = client.new_consumer(None, "events")
            try:
                print("waiting")
                consumer.poll()
                sys.exit("it came back")
            except KeyboardInterrupt:
                print("interrupted")
            assert len(handled) == 5, handled
            client.append("events", ["x"])
            records = consumer.poll(timeout=60)
            assert [record.payload for record in records] == [b"x"], records
            consumer.ack(record.id for record in records)
            consumer.close()
            client.close()
        """)
        self.assertEqual(process.stdout.readline(), "waiting\n")
        for _ in range(5):
            process.send_signal(signal.SIGUSR1)
            self.assertEqual(process.stdout.readline(), "handled\n")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.stdout.readline(), "interrupted\n")
        self.assert_succeeds(process)

    def test_a_close_that_ctrl_c_has_ended_can_be_made_again(self):
        self.order("delay Append 600000")
        process = self.script("""
            class Told(hstreamdb.BufferedProducer.AppendCallback):
                def on_success(self, stream_name, payloads, stream_keyid):
                    print([payload.payload for payload in payloads])
                def on_fail(self, stream_name, payloads, stream_keyid, e):
                    print("failed", e)
            client = hstreamdb.insecure_client(url=url)
            producer = client.new_producer(Told(), retry_count=-1)
            producer.append("events", "x")
            try:
                print("closing")
                producer.wait_and_close()
                sys.exit("it came back")
            except KeyboardInterrupt:
                print("interrupted")
            print(producer.wait_and_close(60).unknown)
        """)
        self.assertEqual(process.stdout.readline(), "closing\n")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.stdout.readline(), "interrupted\n")
        self.order("clear")
        self.order("cut_calls Append * 14")
        self.assertEqual(process.stdout.readline(), "[b'x']\n")
        self.assertEqual(process.stdout.readline(), "0\n")
        self.assert_succeeds(process)

    def test_an_event_loop_waits_for_descriptors(self):
        async def consume(consumer):
            received = []
            async for records in batches(consumer, 10):
                consumer.ack(record.id for record in records)
                received += [record.payload for record in records]
                if len(received) == 100:
                    return received

        async def produce():
            for number in range(100):
                self.client.append("events", [str(number)], key="k")
                await asyncio.sleep(0)

        async def both(consumer):
            waiting = asyncio.create_task(consume(consumer))
            await asyncio.sleep(0)
            self.assertFalse(waiting.done())
            await produce()
            return await asyncio.wait_for(waiting, SOON)

        with self.client.new_consumer(None, "events") as consumer:
            self.assertEqual(asyncio.run(both(consumer)), [str(number).encode() for number in range(100)])

    def test_a_forked_child_makes_its_own_client(self):
        process = self.script("""
            client = hstreamdb.insecure_client(url=url)
            client.append("events", ["parent"])
            child = os.fork()
            if child == 0:
                try:
                    client.append("events", ["never"])
                    os._exit(2)
                except hstreamdb.Error as error:
                    assert error.name == "FORKED", error.name
                del client
                with hstreamdb.insecure_client(url=url) as own:
                    own.append("events", ["child"])
                    with own.new_producer() as producer:
                        producer.append("events", "child's producer")
                os._exit(0)
            _, status = os.waitpid(child, 0)
            assert status == 0, status
            client.append("events", ["parent again"])
        """)
        self.assert_succeeds(process)
        payloads = sorted(record.payload for record in self.received(4))
        self.assertEqual(payloads, [b"child", b"child's producer", b"parent", b"parent again"])

    def test_what_is_buffered_at_the_end_of_the_process_is_written(self):
        self.assert_succeeds(self.script("""
            client = hstreamdb.insecure_client(url=url)
            producer = client.new_producer(time_trigger=600)
            for number in range(100):
                producer.append("events", str(number))
        """))
        self.assertEqual(len(self.received(100)), 100)

    def test_what_is_forgotten_is_freed(self):
        self.assert_succeeds(self.script("""
            import gc
            client = hstreamdb.insecure_client(url=url)
            consumer, reader = client.new_consumer(None, "events"), client.read_stream("events")
            consumer.poll(timeout=0)
            producer = client.new_producer()
            producer.append("events", "x")
            producer.wait_and_close(60)
            del client, consumer, reader, producer
            gc.collect()
            assert hstreamdb.live_handles() == 1, "that of signals alone"
        """))


if __name__ == "__main__":
    unittest.main()
