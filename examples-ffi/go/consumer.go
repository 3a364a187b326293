package hstreamdb

/*
#include <hstreamdb.h>
*/
import "C"

import (
	"context"
	"io"
	"unsafe"
)

// A Consumer receives the records of a subscription. They come at least once: those that are not acked in time come
// again.
type Consumer struct {
	*handle[*C.hstream_consumer_t]
}

// NewConsumer joins a subscription.
func (c *Client) NewConsumer(ctx context.Context, subscription string, options Options) (*Consumer, error) {
	settings := C.hstream_consumer_options_new()
	defer C.hstream_consumer_options_free(settings)
	set := func(key, value *C.char, err **C.hstream_error_t) C.hstream_code_t {
		return C.hstream_consumer_options_set(settings, key, value, err)
	}
	if err := setAll(set, options); err != nil {
		return nil, err
	}
	text := cText(subscription)
	defer text.free()
	var out *C.hstream_consumer_t
	err := c.call(ctx, func(client *C.hstream_client_t, call *C.hstream_call_t) error {
		var failed *C.hstream_error_t
		return failure(C.hstream_consumer_new(client, text.ptr, settings, call, &out, &failed), failed)
	})
	if err != nil {
		return nil, err
	}
	return &Consumer{newHandle(out, func(ptr *C.hstream_consumer_t) { C.hstream_consumer_free(ptr) })}, nil
}

// Poll waits for records, and returns up to max of them. Several goroutines may poll: each record goes to one.
func (c *Consumer) Poll(ctx context.Context, max int) ([]Received, error) {
	var records []Received
	err := c.use(func(consumer *C.hstream_consumer_t) error {
		return waiting(ctx, func(w wait) error {
			var out *C.hstream_batch_t
			var failed *C.hstream_error_t
			err := failure(C.hstream_consumer_poll(consumer, C.uint32_t(max), w.timeout, w.cancel, &out, &failed), failed)
			if err != nil {
				return err
			}
			records, err = received(out)
			return emptyHanded(err, len(records))
		})
	})
	return records, err
}

// Ack says that records are done with. It does not wait: Close does.
func (c *Consumer) Ack(records ...Received) error {
	if len(records) == 0 {
		return nil
	}
	ids := make([]RecordID, len(records))
	for i := range records {
		ids[i] = records[i].ID
	}
	return c.use(func(consumer *C.hstream_consumer_t) error {
		var failed *C.hstream_error_t
		first := (*C.hstream_record_id_t)(unsafe.Pointer(&ids[0]))
		return failure(C.hstream_consumer_ack(consumer, first, C.size_t(len(ids)), &failed), failed)
	})
}

// Close leaves the subscription. If there is no error, the server has all acks.
func (c *Consumer) Close(ctx context.Context) error {
	return c.close(func(consumer *C.hstream_consumer_t) error {
		return closing(ctx, func(w wait) error {
			var failed *C.hstream_error_t
			return failure(C.hstream_consumer_close(consumer, w.timeout, w.cancel, &failed), failed)
		})
	})
}

// A Reader reads a stream without a subscription. One goroutine at a time reads.
type Reader struct {
	*handle[*C.hstream_reader_t]
}

// NewReader reads all shards of a stream from the earliest record on. The options' keys are those of readers, as
// "until": "latest", without which it follows.
func (c *Client) NewReader(ctx context.Context, stream string, options Options) (*Reader, error) {
	settings := C.hstream_reader_options_new()
	defer C.hstream_reader_options_free(settings)
	set := func(key, value *C.char, err **C.hstream_error_t) C.hstream_code_t {
		return C.hstream_reader_options_set(settings, key, value, err)
	}
	if err := setAll(set, options); err != nil {
		return nil, err
	}
	text := cText(stream)
	defer text.free()
	var out *C.hstream_reader_t
	err := c.call(ctx, func(client *C.hstream_client_t, call *C.hstream_call_t) error {
		var failed *C.hstream_error_t
		return failure(C.hstream_reader_open_stream(client, text.ptr, settings, call, &out, &failed), failed)
	})
	if err != nil {
		return nil, err
	}
	return &Reader{newHandle(out, func(ptr *C.hstream_reader_t) { C.hstream_reader_free(ptr) })}, nil
}

// Read waits for records, and returns up to max of them; io.EOF when all is read.
func (r *Reader) Read(ctx context.Context, max int) ([]Received, error) {
	var records []Received
	err := r.use(func(reader *C.hstream_reader_t) error {
		return waiting(ctx, func(w wait) error {
			var out *C.hstream_batch_t
			var failed *C.hstream_error_t
			result := C.hstream_reader_read(reader, C.uint32_t(max), w.timeout, w.cancel, &out, &failed)
			err := failure(result, failed)
			if result == C.HSTREAM_END {
				return io.EOF
			}
			if err != nil {
				return err
			}
			records, err = received(out)
			return emptyHanded(err, len(records))
		})
	})
	return records, err
}

// Close ends the reader.
func (r *Reader) Close(ctx context.Context) error {
	return r.close(func(reader *C.hstream_reader_t) error {
		return closing(ctx, func(w wait) error {
			var failed *C.hstream_error_t
			return failure(C.hstream_reader_close(reader, w.timeout, w.cancel, &failed), failed)
		})
	})
}
