package hstreamdb

/*
#include <hstreamdb.h>
*/
import "C"

import (
	"context"
	"errors"
)

// A Code says what went wrong; errors.Is finds it in errors of this package. The set is open.
type Code int32

// The codes that programs ask for most; the others are in hstreamdb.h.
const (
	ErrInvalidArgument      Code = C.HSTREAM_ERR_INVALID_ARGUMENT
	ErrTimeout              Code = C.HSTREAM_ERR_TIMEOUT
	ErrClosed               Code = C.HSTREAM_ERR_CLOSED
	ErrUnavailable          Code = C.HSTREAM_ERR_UNAVAILABLE
	ErrQueueFull            Code = C.HSTREAM_ERR_QUEUE_FULL
	ErrRecordTooLarge       Code = C.HSTREAM_ERR_RECORD_TOO_LARGE
	ErrUnknownOption        Code = C.HSTREAM_ERR_UNKNOWN_OPTION
	ErrStreamNotFound       Code = C.HSTREAM_ERR_STREAM_NOT_FOUND
	ErrStreamExists         Code = C.HSTREAM_ERR_STREAM_EXISTS
	ErrSubscriptionNotFound Code = C.HSTREAM_ERR_SUBSCRIPTION_NOT_FOUND
	ErrSubscriptionExists   Code = C.HSTREAM_ERR_SUBSCRIPTION_EXISTS

	ok             Code = C.HSTREAM_OK
	errInterrupted Code = C.HSTREAM_ERR_INTERRUPTED
)

func (c Code) Error() string {
	return C.GoString(C.hstream_code_description(C.int32_t(c)))
}

// An Error is what calls of this package return. A call that its context has ended is also, by errors.Is,
// context.Canceled or context.DeadlineExceeded.
type Error struct {
	Code       Code
	Message    string // One line for people.
	ServerName string // The server's own name of the error, if it sent one.
	Address    string // The node that answered or failed.
	Retryable  bool   // Whether trying again may help.
	Ambiguous  bool   // Whether what was to be written may have been written all the same.

	ended error
}

func (e *Error) Error() string { return e.Message }

// Is says whether the target is this error's code.
func (e *Error) Is(target error) bool {
	code, isCode := target.(Code)
	return isCode && code == e.Code
}

// Unwrap returns what the context said, if it has ended the call.
func (e *Error) Unwrap() error { return e.ended }

func code(err error) Code {
	var known *Error
	if errors.As(err, &known) {
		return known.Code
	}
	return ok
}

// failure makes an error of what a call returned, and frees what C has of it.
func failure(result C.hstream_code_t, err *C.hstream_error_t) error {
	defer C.hstream_error_free(err)
	if result == C.HSTREAM_OK {
		return nil
	}
	if err == nil {
		return &Error{Code: Code(result), Message: Code(result).Error()}
	}
	return describe(err)
}

func describe(err *C.hstream_error_t) *Error {
	return &Error{
		Code:       Code(C.hstream_error_code(err)),
		Message:    C.GoString(C.hstream_error_message(err, nil)),
		ServerName: C.GoString(C.hstream_error_server_name(err, nil)),
		Address:    C.GoString(C.hstream_error_address(err, nil)),
		Retryable:  C.hstream_error_is_retryable(err) != 0,
		Ambiguous:  C.hstream_error_is_ambiguous(err) != 0,
	}
}

// endedBy adds what the context said to an error, where it was the context that ended the call.
func endedBy(ctx context.Context, err error) error {
	var known *Error
	if !errors.As(err, &known) {
		return err
	}
	_, bounded := ctx.Deadline()
	switch {
	case known.Code == errInterrupted:
		known.ended = ctx.Err()
	case known.Code == ErrTimeout && bounded:
		known.ended = context.DeadlineExceeded
	}
	return err
}
