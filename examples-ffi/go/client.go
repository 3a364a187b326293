package hstreamdb

/*
#include <stdlib.h>
#include <hstreamdb.h>
*/
import "C"

import (
	"context"
	"unsafe"
)

// Options are settings by text; hstream_options_schema_json lists the keys.
type Options map[string]string

// A Client is a connection to a cluster.
type Client struct {
	*handle[*C.hstream_client_t]
}

// Connect connects to a URL, hstream:// or hstreams://, several hosts by comma.
func Connect(ctx context.Context, url string, options Options) (*Client, error) {
	settings := C.hstream_client_options_new()
	defer C.hstream_client_options_free(settings)
	set := func(key, value *C.char, err **C.hstream_error_t) C.hstream_code_t {
		return C.hstream_client_options_set(settings, key, value, err)
	}
	if err := setAll(set, Options{"url": url}, options); err != nil {
		return nil, err
	}
	var out *C.hstream_client_t
	err := calling(ctx, func(call *C.hstream_call_t) error {
		var failed *C.hstream_error_t
		return failure(C.hstream_client_connect(settings, call, &out, &failed), failed)
	})
	if err != nil {
		return nil, err
	}
	return &Client{newHandle(out, func(ptr *C.hstream_client_t) { C.hstream_client_free(ptr) })}, nil
}

// Close closes the client and what was made with it: producers flush, and consumers send their acks, for as long as
// the context allows. Calls on them end.
func (c *Client) Close(ctx context.Context) error {
	return c.close(func(client *C.hstream_client_t) error {
		return closing(ctx, func(w wait) error {
			var failed *C.hstream_error_t
			return failure(C.hstream_client_close(client, w.timeout, w.cancel, &failed), failed)
		})
	})
}

// call makes a call to the server.
func (c *Client) call(ctx context.Context, call func(*C.hstream_client_t, *C.hstream_call_t) error) error {
	return c.use(func(client *C.hstream_client_t) error {
		return calling(ctx, func(settings *C.hstream_call_t) error { return call(client, settings) })
	})
}

// CreateStream creates a stream of so many shards.
func (c *Client) CreateStream(ctx context.Context, name string, shards int) error {
	text := cText(name)
	defer text.free()
	options := C.hstream_stream_options_new()
	defer C.hstream_stream_options_free(options)
	if err := failure(C.hstream_stream_options_set_shard_count(options, C.uint32_t(shards)), nil); err != nil {
		return err
	}
	return c.call(ctx, func(client *C.hstream_client_t, call *C.hstream_call_t) error {
		var failed *C.hstream_error_t
		return failure(C.hstream_client_create_stream(client, text.ptr, options, call, nil, &failed), failed)
	})
}

// DeleteStream deletes a stream; by force also one that has subscriptions.
func (c *Client) DeleteStream(ctx context.Context, name string, force bool) error {
	text := cText(name)
	defer text.free()
	return c.call(ctx, func(client *C.hstream_client_t, call *C.hstream_call_t) error {
		var failed *C.hstream_error_t
		return failure(C.hstream_client_delete_stream(client, text.ptr, deletion(force), call, &failed), failed)
	})
}

// Streams returns the names of all streams, sorted.
func (c *Client) Streams(ctx context.Context) ([]string, error) {
	var names []string
	err := c.call(ctx, func(client *C.hstream_client_t, call *C.hstream_call_t) error {
		var failed *C.hstream_error_t
		var list *C.hstream_streams_t
		err := failure(C.hstream_client_list_streams(client, nil, call, &list, &failed), failed)
		defer C.hstream_streams_free(list)
		for i := range C.hstream_streams_count(list) {
			names = append(names, C.GoString(C.hstream_stream_name(C.hstream_streams_at(list, i), nil)))
		}
		return err
	})
	return names, err
}

// CreateSubscription creates a subscription to a stream from its earliest record on. The options' keys are those of
// subscriptions, as "start": "latest".
func (c *Client) CreateSubscription(ctx context.Context, id, stream string, options Options) error {
	settings := C.hstream_subscription_options_new()
	defer C.hstream_subscription_options_free(settings)
	set := func(key, value *C.char, err **C.hstream_error_t) C.hstream_code_t {
		return C.hstream_subscription_options_set(settings, key, value, err)
	}
	if err := setAll(set, Options{"start": "earliest"}, options); err != nil {
		return err
	}
	idText, streamText := cText(id), cText(stream)
	defer idText.free()
	defer streamText.free()
	return c.call(ctx, func(client *C.hstream_client_t, call *C.hstream_call_t) error {
		var failed *C.hstream_error_t
		result := C.hstream_client_create_subscription(client, idText.ptr, streamText.ptr, settings, call, nil, &failed)
		return failure(result, failed)
	})
}

// DeleteSubscription deletes a subscription; by force also one that has consumers.
func (c *Client) DeleteSubscription(ctx context.Context, id string, force bool) error {
	text := cText(id)
	defer text.free()
	return c.call(ctx, func(client *C.hstream_client_t, call *C.hstream_call_t) error {
		var failed *C.hstream_error_t
		return failure(C.hstream_client_delete_subscription(client, text.ptr, deletion(force), call, &failed), failed)
	})
}

// Append writes one record and waits until it is written. It may be written twice if its outcome is not known, but is
// not lost.
func (c *Client) Append(ctx context.Context, stream string, record Record) (RecordID, error) {
	text := cText(stream)
	defer text.free()
	var id C.hstream_record_id_t
	err := c.call(ctx, func(client *C.hstream_client_t, call *C.hstream_call_t) error {
		var failed *C.hstream_error_t
		key, keyLen := data(record.Key)
		payload, payloadLen := data(record.Payload)
		if record.JSON {
			return failure(C.hstream_client_append_json(client, text.ptr, key, keyLen, payload, payloadLen, call, &id, &failed), failed)
		}
		return failure(C.hstream_client_append_raw(client, text.ptr, key, keyLen, payload, payloadLen, call, &id, &failed), failed)
	})
	return recordID(id), err
}

func deletion(force bool) C.uint32_t {
	if force {
		return C.HSTREAM_DELETE_FORCE
	}
	return 0
}

// setAll sets options by text; later ones count.
func setAll(set func(key, value *C.char, err **C.hstream_error_t) C.hstream_code_t, all ...Options) error {
	for _, options := range all {
		for key, value := range options {
			keyText, valueText := cText(key), cText(value)
			var failed *C.hstream_error_t
			err := failure(set(keyText.ptr, valueText.ptr, &failed), failed)
			keyText.free()
			valueText.free()
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// A text is a string for C.
type text struct{ ptr *C.char }

func cText(s string) text { return text{C.CString(s)} }

func (t text) free() { C.free(unsafe.Pointer(t.ptr)) }

// data is what C takes of bytes; they are copied before the call returns.
func data[T string | []byte](bytes T) (unsafe.Pointer, C.size_t) {
	switch bytes := any(bytes).(type) {
	case string:
		return unsafe.Pointer(unsafe.StringData(bytes)), C.size_t(len(bytes))
	case []byte:
		return unsafe.Pointer(unsafe.SliceData(bytes)), C.size_t(len(bytes))
	}
	return nil, 0
}
