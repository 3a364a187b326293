"""Values: those of the published client, and offsets."""

import enum
from typing import Dict, NamedTuple, Optional, Union

from ._library import ffi, lib


class TimeStamp(NamedTuple):
    seconds: int
    nanos: int


class Stream(NamedTuple):
    name: str
    replication_factor: int


class Shard(NamedTuple):
    id: int
    stream_name: str
    start: int
    end: int
    epoch: int
    is_active: bool = True


class Subscription(NamedTuple):
    subscription_id: str
    stream_name: str
    ack_timeout: int
    max_unacks: int


class RecordId(NamedTuple):
    shard_id: int
    batch_id: int
    batch_index: int


class RecordHeader(NamedTuple):
    publish_time: TimeStamp
    key: Optional[str]
    attributes: Dict[str, str]


class Record(NamedTuple):
    id: RecordId
    header: RecordHeader
    payload: Union[bytes, dict]


class SpecialOffset(enum.IntEnum):
    EARLIEST = 0
    LATEST = 1


class ShardOffset:
    """Where a named reader begins: one of the three. The time is in milliseconds since 1970."""

    def __init__(self, specialOffset=None, recordOffset=None, timestampOffset=None):
        if [specialOffset, recordOffset, timestampOffset].count(None) != 2:
            raise ValueError("an offset is one of earliest or latest, a record id, and a time")
        self.specialOffset, self.recordOffset, self.timestampOffset = specialOffset, recordOffset, timestampOffset

    def to_c(self):
        offset = ffi.new("hstream_offset_t *")
        if self.recordOffset is not None:
            lib.hstream_offset_at_record(ids_to_c([self.recordOffset]), offset)
        elif self.timestampOffset is not None:
            lib.hstream_offset_at_time(self.timestampOffset, 0, offset)
        elif self.specialOffset == SpecialOffset.EARLIEST:
            lib.hstream_offset_earliest(offset)
        else:
            lib.hstream_offset_latest(offset)
        return offset


def ids_to_c(ids):
    """An array of record ids."""
    array = ffi.new("hstream_record_id_t[]", len(ids))
    for place, value in zip(array, ids):
        place.shard_id, place.batch_id, place.batch_index = value
    return array


def id_from_c(value):
    return RecordId(value.shard_id, value.batch_id, value.batch_index)
