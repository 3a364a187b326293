"""Runs all checks of published software against the development server.

Usage: clusters.py PROGRAM

PROGRAM is hstream-dev-server. It is started with one node and with three; each
time raw_calls.py calls every RPC of the stubs, and peer.py goes its journey, on
three nodes with the node that it uses killed on the way.
"""

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
SCHEME = "hstream://"


@contextmanager
def cluster(program, nodes):
    """The URLs of the nodes and the address of the control port."""
    arguments = ["--port", "0", "--control-port", "0", "--json", "--nodes", str(nodes)]
    server = subprocess.Popen([program, *arguments], stdout=subprocess.PIPE, text=True)
    try:
        urls = [json.loads(server.stdout.readline())["url"] for _ in range(nodes)]
        yield urls, json.loads(server.stdout.readline())["control"]
    finally:
        server.terminate()
        status = server.wait(timeout=10)
    if status != 0:
        sys.exit(f"clusters.py: the server ended with {status}")


def check(nodes, script, *arguments):
    command = [sys.executable, str(HERE / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"clusters.py: {script} on {nodes} node(s):\n{done.stdout}{done.stderr}")
    lines = [line for line in done.stdout.splitlines() if line.startswith(("ok ", '{"ok"'))]
    print(f"{script} on {nodes} node(s): {len(lines)} checks passed", flush=True)


def main():
    (program,) = sys.argv[1:]
    for nodes in (1, 3):
        with cluster(program, nodes) as (urls, control):
            check(nodes, "raw_calls.py", urls[0].removeprefix(SCHEME))
            steer = ["--control", control] if nodes > 1 else []
            check(nodes, "peer.py", "journey", urls[0], "--readers", *steer)


if __name__ == "__main__":
    main()
