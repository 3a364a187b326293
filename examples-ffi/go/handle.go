package hstreamdb

/*
#include <hstreamdb.h>
*/
import "C"

import (
	"runtime"
	"sync"
)

// A handle is what a value of this package has of the C library. It is freed once, when nobody is inside a call on it.
type handle[P comparable] struct {
	inside sync.RWMutex
	ptr    P
	free   func(P)
}

func newHandle[P comparable](ptr P, free func(P)) *handle[P] {
	h := &handle[P]{ptr: ptr, free: free}
	runtime.SetFinalizer(h, (*handle[P]).release)
	return h
}

// use calls a function with the pointer, which lives until it returns.
func (h *handle[P]) use(call func(P) error) error {
	h.inside.RLock()
	defer h.inside.RUnlock()
	var none P
	if h.ptr == none {
		return &Error{Code: ErrClosed, Message: "it is closed"}
	}
	return call(h.ptr)
}

// release waits for the calls that are inside, so those have to be ended first.
func (h *handle[P]) release() {
	h.inside.Lock()
	defer h.inside.Unlock()
	var none P
	if h.ptr != none {
		h.free(h.ptr)
		h.ptr = none
		runtime.SetFinalizer(h, nil)
	}
}

// close frees what a C function has closed. An interrupted close has not closed, and can be tried again.
func (h *handle[P]) close(call func(P) error) error {
	err := h.use(call)
	if code(err) == ErrClosed {
		return nil
	}
	if code(err) != errInterrupted {
		h.release()
	}
	return err
}

// LiveHandles counts what the C library has of all clients, producers and so on that are not freed yet.
func LiveHandles() uint64 {
	return uint64(C.hstream_live_handles())
}
