"""A development server in a process of its own; HSTREAM_DEV_SERVER names the program, if it is not in the PATH."""

import contextlib
import json
import os
import socket
import subprocess


@contextlib.contextmanager
def steered():
    """The URL of a new one, and a function that has it fail in some way."""
    program = os.environ.get("HSTREAM_DEV_SERVER", "hstream-dev-server")
    options = ["--port", "0", "--control-port", "0", "--json"]
    process = subprocess.Popen([program, *options], stdout=subprocess.PIPE, text=True)
    try:
        url = json.loads(process.stdout.readline())["url"]
        host, port = json.loads(process.stdout.readline())["control"].rsplit(":", 1)
        with socket.create_connection((host, int(port))) as control, control.makefile("rw") as lines:

            def order(command):
                print(command, file=lines, flush=True)
                answer = lines.readline()
                assert answer.startswith("ok"), f"{command}: {answer}"

            yield url, order
    finally:
        process.terminate()
        process.stdout.close()
        process.wait(timeout=10)


@contextlib.contextmanager
def server():
    """The URL of a new one."""
    with steered() as (url, _):
        yield url
