"""A development server in a process of its own; HSTREAM_DEV_SERVER names the program, if it is not in the PATH."""

import contextlib
import json
import os
import subprocess


@contextlib.contextmanager
def server():
    """The URL of a new one."""
    program = os.environ.get("HSTREAM_DEV_SERVER", "hstream-dev-server")
    process = subprocess.Popen([program, "--port", "0", "--json"], stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        process.stdout.close()
        process.wait(timeout=10)
