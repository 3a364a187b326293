"""Records there and back: bytes and str are raw, a dict is a JSON record."""

import json

from ._calls import call
from ._errors import checked, failure
from ._library import data, ffi, lib, taken, text
from ._types import Record, RecordHeader, TimeStamp, id_from_c


def encoded(payload):
    """The bytes of a payload, and whether they are JSON."""
    if isinstance(payload, dict):
        return json.dumps(payload).encode(), True
    if isinstance(payload, str):
        return payload.encode(), False
    if isinstance(payload, (bytes, bytearray, memoryview)):
        return bytes(payload), False
    raise TypeError(f"a payload is bytes, str or dict, not {type(payload).__name__}")


def new_record(payload, key):
    content, is_json = encoded(payload)
    function = lib.hstream_record_new_json if is_json else lib.hstream_record_new_raw
    out = ffi.new("hstream_record_t **")
    call(function, *data(content), *data(key), out)
    return ffi.gc(out[0], lib.hstream_record_free)


def payload_of(record):
    """The payload of a C record, as bytes or dict."""
    if lib.hstream_record_kind(record) == lib.HSTREAM_RECORD_JSON:
        out, length = ffi.new("char **"), ffi.new("size_t *")
        call(lib.hstream_record_to_json, record, out, length)
        return json.loads(taken(out, length))
    length = ffi.new("size_t *")
    pointer = lib.hstream_record_payload(record, length)
    return bytes(ffi.buffer(pointer, length[0]))


def attributes_of(record):
    return {
        text(lib.hstream_record_attribute_name_at, record, index): text(
            lib.hstream_record_attribute_value_at, record, index
        )
        for index in range(lib.hstream_record_attribute_count(record))
    }


def _column(function, batch):
    """The values of a column, as memory that lives as long as the batch."""
    pointers, lengths = ffi.new("const void *const **"), ffi.new("const size_t **")
    checked(function(batch, pointers, lengths))
    return lambda index: ffi.buffer(pointers[0][index], lengths[0][index])


def records_of(batch):
    """All records of a C batch, column by column. One that can't be read raises."""
    count = lib.hstream_batch_count(batch)
    if count == 0:
        return []
    payload, key = _column(lib.hstream_batch_payloads, batch), _column(lib.hstream_batch_keys, batch)
    ids, kinds = lib.hstream_batch_ids(batch), lib.hstream_batch_kinds(batch)
    codes, times = lib.hstream_batch_codes(batch), lib.hstream_batch_publish_times_ms(batch)
    records = []
    for index in range(count):
        if codes[index] != lib.HSTREAM_OK:
            raise failure(codes[index])
        record = lib.hstream_batch_at(batch, index)
        is_raw = kinds[index] == lib.HSTREAM_RECORD_RAW
        seconds, milliseconds = divmod(times[index], 1000)
        header = RecordHeader(
            TimeStamp(seconds, milliseconds * 1_000_000), bytes(key(index)).decode(), attributes_of(record)
        )
        content = bytes(payload(index)) if is_raw else payload_of(record)
        records.append(Record(id_from_c(ids[index]), header, content))
    return records
