package hstreamdb

/*
#cgo noescape hstream_appender_append_packed
#cgo nocallback hstream_appender_append_packed
#cgo noescape hstream_appender_append_raw
#cgo nocallback hstream_appender_append_raw
#include <hstreamdb.h>
*/
import "C"

import (
	"context"
	"unsafe"
)

// A Producer batches records of any number of streams in the background.
type Producer struct {
	*handle[*C.hstream_producer_t]
}

// Counts say how the records ended that a flush or close waited for.
type Counts struct {
	Written, Failed, Unknown uint64
}

// A Report says what became of one record.
type Report struct {
	Tag uint64 // What was given with the record.
	ID  RecordID
	Err error // Why it was not written, or nil.
}

// NewProducer makes a producer. Its reports wait for Poll, unless the options say "report.polling": "false".
func (c *Client) NewProducer(options Options) (*Producer, error) {
	settings := C.hstream_producer_options_new()
	defer C.hstream_producer_options_free(settings)
	set := func(key, value *C.char, err **C.hstream_error_t) C.hstream_code_t {
		return C.hstream_producer_options_set(settings, key, value, err)
	}
	if err := setAll(set, Options{"report.polling": "true"}, options); err != nil {
		return nil, err
	}
	var out *C.hstream_producer_t
	err := c.use(func(client *C.hstream_client_t) error {
		var failed *C.hstream_error_t
		return failure(C.hstream_producer_new(client, settings, &out, &failed), failed)
	})
	if err != nil {
		return nil, err
	}
	return &Producer{newHandle(out, func(ptr *C.hstream_producer_t) { C.hstream_producer_free(ptr) })}, nil
}

// Poll waits for up to max reports. After the last report of a closed producer it returns ErrClosed.
func (p *Producer) Poll(ctx context.Context, max int) ([]Report, error) {
	var reports []Report
	err := p.use(func(producer *C.hstream_producer_t) error {
		return waiting(ctx, func(w wait) error {
			var out *C.hstream_deliveries_t
			var failed *C.hstream_error_t
			err := failure(C.hstream_producer_poll(producer, C.uint32_t(max), w.timeout, w.cancel, &out, &failed), failed)
			reports = reported(out)
			return emptyHanded(err, len(reports))
		})
	})
	return reports, err
}

// reported copies reports, and frees what C has of them.
func reported(deliveries *C.hstream_deliveries_t) []Report {
	defer C.hstream_deliveries_free(deliveries)
	reports := make([]Report, int(C.hstream_deliveries_count(deliveries)))
	if len(reports) == 0 {
		return nil
	}
	tags := unsafe.Slice(C.hstream_deliveries_tags(deliveries), len(reports))
	ids := unsafe.Slice((*RecordID)(unsafe.Pointer(C.hstream_deliveries_record_ids(deliveries))), len(reports))
	for i := range reports {
		reports[i] = Report{Tag: uint64(tags[i]), ID: ids[i]}
		if failed := C.hstream_deliveries_error(deliveries, C.size_t(i)); failed != nil {
			reports[i].Err = describe(failed)
		}
	}
	return reports
}

// emptyHanded makes a time-out of a poll that has got nothing in time.
func emptyHanded(err error, count int) error {
	if err == nil && count == 0 {
		return &Error{Code: ErrTimeout, Message: "nothing came in time"}
	}
	return err
}

// counted calls a C function that waits, and says how records ended.
func counted(ctx context.Context, how func(context.Context, func(wait) error) error, call func(w wait, written, failed, unknown *C.uint64_t, err **C.hstream_error_t) C.hstream_code_t) (Counts, error) {
	var written, failed, unknown C.uint64_t
	err := how(ctx, func(w wait) error {
		var err *C.hstream_error_t
		result := call(w, &written, &failed, &unknown, &err)
		return failure(result, err)
	})
	return Counts{uint64(written), uint64(failed), uint64(unknown)}, err
}

// Flush sends what is buffered, and waits until all that was appended before is settled. A context that ends it loses
// nothing.
func (p *Producer) Flush(ctx context.Context) (counts Counts, err error) {
	err = p.use(func(producer *C.hstream_producer_t) (err error) {
		counts, err = counted(ctx, waiting, func(w wait, written, failed, unknown *C.uint64_t, e **C.hstream_error_t) C.hstream_code_t {
			return C.hstream_producer_flush(producer, w.timeout, w.cancel, written, failed, unknown, e)
		})
		return err
	})
	return counts, err
}

// Close accepts no more records, and waits until all are settled. At the context's deadline the rest is given up; a
// context that is cancelled leaves the producer to be closed again. Reports that were not polled are dropped: poll in
// another goroutine until ErrClosed, or rely on the counts.
func (p *Producer) Close(ctx context.Context) (counts Counts, err error) {
	err = p.close(func(producer *C.hstream_producer_t) (err error) {
		counts, err = counted(ctx, closing, func(w wait, written, failed, unknown *C.uint64_t, e **C.hstream_error_t) C.hstream_code_t {
			return C.hstream_producer_close(producer, w.timeout, w.cancel, written, failed, unknown, e)
		})
		return err
	})
	return counts, err
}

// PendingRecords counts records that are accepted and not yet reported.
func (p *Producer) PendingRecords() (count uint64, err error) {
	err = p.use(func(producer *C.hstream_producer_t) error {
		count = uint64(C.hstream_producer_pending_records(producer))
		return nil
	})
	return count, err
}

// An Appender is one stream of a producer.
type Appender struct {
	*handle[*C.hstream_appender_t]
}

// Open opens a stream, and looks up its shards.
func (p *Producer) Open(ctx context.Context, stream string) (*Appender, error) {
	text := cText(stream)
	defer text.free()
	var out *C.hstream_appender_t
	err := p.use(func(producer *C.hstream_producer_t) error {
		return calling(ctx, func(call *C.hstream_call_t) error {
			var failed *C.hstream_error_t
			return failure(C.hstream_producer_open(producer, text.ptr, call, &out, &failed), failed)
		})
	})
	if err != nil {
		return nil, err
	}
	return &Appender{newHandle(out, func(ptr *C.hstream_appender_t) { C.hstream_appender_free(ptr) })}, nil
}

// Append puts a record into a batch, and waits for room only. The tag comes back with its report.
func (a *Appender) Append(ctx context.Context, record Record, tag uint64) error {
	return a.use(func(appender *C.hstream_appender_t) error {
		return waiting(ctx, func(w wait) error {
			var failed *C.hstream_error_t
			key, keyLen := data(record.Key)
			payload, payloadLen := data(record.Payload)
			if record.JSON {
				return failure(C.hstream_appender_append_json(appender, key, keyLen, payload, payloadLen, C.uint64_t(tag), w.timeout, w.cancel, &failed), failed)
			}
			return failure(C.hstream_appender_append_raw(appender, key, keyLen, payload, payloadLen, C.uint64_t(tag), w.timeout, w.cancel, &failed), failed)
		})
	})
}

// AppendAll appends raw records by one call, which is what many small ones need. The first has the given tag, each
// other one more than that before it. It returns how many were accepted, which is not all if there is an error.
func (a *Appender) AppendAll(ctx context.Context, records []Record, firstTag uint64) (int, error) {
	packed, err := pack(records, firstTag)
	if err != nil || len(records) == 0 {
		return 0, err
	}
	var accepted C.size_t
	err = a.use(func(appender *C.hstream_appender_t) error {
		return waiting(ctx, func(w wait) error {
			var failed *C.hstream_error_t
			result := C.hstream_appender_append_packed(appender,
				unsafe.Pointer(&packed.payloads[0]), &packed.payloadEnds[0], unsafe.Pointer(&packed.keys[0]), &packed.keyEnds[0],
				&packed.tags[0], C.size_t(len(records)), w.timeout, w.cancel, &accepted, &failed)
			return failure(result, failed)
		})
	})
	return int(accepted), err
}

// Packed records are slices without pointers, which C takes as they are.
type packedRecords struct {
	payloads, keys       []byte
	payloadEnds, keyEnds []C.size_t
	tags                 []C.uint64_t
}

func pack(records []Record, firstTag uint64) (p packedRecords, err error) {
	for i, record := range records {
		if record.JSON {
			return p, &Error{Code: ErrInvalidArgument, Message: "a JSON record among those that are appended together"}
		}
		p.payloads = append(p.payloads, record.Payload...)
		p.payloadEnds = append(p.payloadEnds, C.size_t(len(p.payloads)))
		p.keys = append(p.keys, record.Key...)
		p.keyEnds = append(p.keyEnds, C.size_t(len(p.keys)))
		p.tags = append(p.tags, C.uint64_t(firstTag)+C.uint64_t(i))
	}
	// So that there is a first byte to point at.
	p.payloads, p.keys = append(p.payloads, 0), append(p.keys, 0)
	return p, nil
}

// AppendWait appends through the batch, and waits until the record is written. If the context ends it, the record may
// be written all the same: see Error.Ambiguous. A producer that serves for this alone needs no reports, which the option
// "reports": "none" says.
func (a *Appender) AppendWait(ctx context.Context, record Record) (RecordID, error) {
	var id C.hstream_record_id_t
	made, err := newRecord(record)
	if err != nil {
		return RecordID{}, err
	}
	defer C.hstream_record_free(made)
	err = a.use(func(appender *C.hstream_appender_t) error {
		return waiting(ctx, func(w wait) error {
			var failed *C.hstream_error_t
			return failure(C.hstream_appender_append_wait(appender, made, w.timeout, w.cancel, &id, &failed), failed)
		})
	})
	return recordID(id), err
}

func newRecord(record Record) (*C.hstream_record_t, error) {
	var out *C.hstream_record_t
	var failed *C.hstream_error_t
	key, keyLen := data(record.Key)
	payload, payloadLen := data(record.Payload)
	if record.JSON {
		return out, failure(C.hstream_record_new_json(payload, payloadLen, key, keyLen, &out, &failed), failed)
	}
	result := C.hstream_record_new_raw(payload, payloadLen, key, keyLen, &out, &failed)
	return out, failure(result, failed)
}

// Close lets go of the stream. What was appended is still written.
func (a *Appender) Close() {
	a.release()
}
