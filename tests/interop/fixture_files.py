"""Writes fixture files and the index.json that says what is in each."""

import base64
import json
import os
from dataclasses import dataclass
from pathlib import Path

# The C encoder writes maps in random order; this one keeps theirs.
os.environ["PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"] = "python"


@dataclass
class Fixture:
    file: str
    compression: str
    records: list
    batched_record: bytes
    error: bool = False


def expected_record(payload, key="", attributes=None):
    if isinstance(payload, str):
        payload = payload.encode()
    is_raw = isinstance(payload, bytes)
    return {
        "key": key,
        "kind": "raw" if is_raw else "json",
        "payload": base64.b64encode(payload).decode() if is_raw else as_doubles(payload),
        "attributes": attributes or {},
    }


def as_doubles(document):
    """Struct knows no integers."""
    return json.loads(json.dumps(document), parse_int=float)


def write_fixtures(directory, fixtures):
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    for fixture in fixtures:
        (directory / fixture.file).write_bytes(fixture.batched_record)
    entries = ",\n".join(index_entry(fixture) for fixture in fixtures)
    (directory / "index.json").write_text(f"[\n{entries}\n]\n", encoding="utf-8")


def index_entry(fixture):
    head = {"file": fixture.file, "compression": fixture.compression}
    if fixture.error:
        head["error"] = True
    records = ",\n  ".join(json.dumps(record, ensure_ascii=False) for record in fixture.records)
    opening = json.dumps(head)[:-1]
    return f'{opening}, "records": [\n  {records}\n]}}' if records else f'{opening}, "records": []}}'
