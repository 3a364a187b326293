package hstreamdb

/*
#include <hstreamdb.h>
*/
import "C"

import (
	"context"
	"time"
)

// A wait is what a context is to the C library: a time-out, and an object that ends the one call it is given to.
type wait struct {
	timeout C.int64_t
	cancel  *C.hstream_cancel_t
}

// waiting calls a function for as long as the context allows, and not at all if it has ended.
func waiting(ctx context.Context, call func(wait) error) error {
	if err := ctx.Err(); err != nil {
		return &Error{Code: errInterrupted, Message: err.Error(), ended: err}
	}
	return closing(ctx, call)
}

// closing calls a function also after the context's deadline, with no time to wait: what is closed late is closed all
// the same. So it is the time-out that a deadline becomes, and the cancel object serves cancellation alone.
func closing(ctx context.Context, call func(wait) error) error {
	w := wait{timeout: C.HSTREAM_FOREVER}
	if deadline, bounded := ctx.Deadline(); bounded {
		// Rounded up, so that it does not end before the context does.
		w.timeout = C.int64_t(max(0, (time.Until(deadline)+time.Millisecond-1)/time.Millisecond))
	}
	if ctx.Done() == nil {
		return call(w)
	}
	var failed *C.hstream_error_t
	if err := failure(C.hstream_cancel_new(&w.cancel, &failed), failed); err != nil {
		return err
	}
	defer C.hstream_cancel_free(w.cancel)
	triggered := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		if ctx.Err() == context.Canceled {
			C.hstream_cancel_trigger(w.cancel)
		}
		close(triggered)
	})
	err := call(w)
	if !stop() {
		<-triggered // A trigger must not meet the free.
	}
	return endedBy(ctx, err)
}

// calling is the same for calls to a server. Without a deadline the client's default bounds them.
func calling(ctx context.Context, call func(*C.hstream_call_t) error) error {
	return waiting(ctx, func(w wait) error {
		settings := C.hstream_call_new()
		defer C.hstream_call_free(settings)
		if w.timeout != C.HSTREAM_FOREVER {
			if err := failure(C.hstream_call_set_timeout_ms(settings, w.timeout), nil); err != nil {
				return err
			}
		}
		if err := failure(C.hstream_call_set_cancel(settings, w.cancel), nil); err != nil {
			return err
		}
		return call(settings)
	})
}
