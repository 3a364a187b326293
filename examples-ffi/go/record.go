package hstreamdb

/*
#include <hstreamdb.h>
*/
import "C"

import (
	"fmt"
	"time"
	"unsafe"
)

// A Record is what is written. Records with one key keep their order.
type Record struct {
	Key     string
	Payload []byte
	JSON    bool // Whether the payload is a JSON object as text; else it is raw bytes.
}

// A RecordID says where a record is: shard, batch, place in the batch.
type RecordID struct {
	ShardID    uint64
	BatchID    uint64
	BatchIndex uint32
	_          uint32 // Of the C type, of which arrays are handed over as they are.
}

func (id RecordID) String() string {
	return fmt.Sprintf("%d-%d-%d", id.ShardID, id.BatchID, id.BatchIndex)
}

func recordID(id C.hstream_record_id_t) RecordID {
	return *(*RecordID)(unsafe.Pointer(&id))
}

// A Received is a record that was read.
type Received struct {
	Record
	ID        RecordID
	Published time.Time
	// Err is why the record can't be read, if it can't. It can be acked all the same.
	Err error
}

// received copies the records of a batch, column by column, and frees it.
func received(batch *C.hstream_batch_t) ([]Received, error) {
	defer C.hstream_batch_free(batch)
	count := int(C.hstream_batch_count(batch))
	if count == 0 {
		return nil, nil
	}
	var payloads, keys *unsafe.Pointer
	var payloadLens, keyLens *C.size_t
	if err := failure(C.hstream_batch_payloads(batch, &payloads, &payloadLens), nil); err != nil {
		return nil, err
	}
	if err := failure(C.hstream_batch_keys(batch, &keys, &keyLens), nil); err != nil {
		return nil, err
	}
	ids := unsafe.Slice((*RecordID)(unsafe.Pointer(C.hstream_batch_ids(batch))), count)
	kinds := unsafe.Slice(C.hstream_batch_kinds(batch), count)
	codes := unsafe.Slice(C.hstream_batch_codes(batch), count)
	times := unsafe.Slice(C.hstream_batch_publish_times_ms(batch), count)
	records := make([]Received, count)
	for i := range records {
		r := &records[i]
		r.ID, r.Published = ids[i], time.UnixMilli(int64(times[i]))
		r.Key = string(column(keys, keyLens, count, i))
		r.Payload = append([]byte{}, column(payloads, payloadLens, count, i)...)
		if Code(codes[i]) != ok {
			r.Err = Code(codes[i])
		} else if kinds[i] == C.HSTREAM_RECORD_JSON {
			r.JSON = true
			if r.Payload, r.Err = jsonOf(C.hstream_batch_at(batch, C.size_t(i))); r.Err != nil {
				r.Payload = nil
			}
		}
	}
	return records, nil
}

// column is one value of a column, in C's memory.
func column(pointers *unsafe.Pointer, lens *C.size_t, count, i int) []byte {
	pointer := unsafe.Slice(pointers, count)[i]
	return unsafe.Slice((*byte)(pointer), int(unsafe.Slice(lens, count)[i]))
}

func jsonOf(record *C.hstream_record_t) ([]byte, error) {
	var text *C.char
	var textLen C.size_t
	var failed *C.hstream_error_t
	if err := failure(C.hstream_record_to_json(record, &text, &textLen, &failed), failed); err != nil {
		return nil, err
	}
	defer C.hstream_string_free(text)
	return C.GoBytes(unsafe.Pointer(text), C.int(textLen)), nil
}
