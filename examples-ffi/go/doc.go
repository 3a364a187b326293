// Package hstreamdb is a client for HStreamDB, over the C library libhstreamdb.
//
// Every call that may wait takes a context. It returns when the context ends, and no other call does: each has a
// cancel object of its own. Nothing is lost then but what the documentation of the call says. What is asked for by
// several goroutines at once, on any value of this package, is served.
//
// The library is found by pkg-config; while programs run, it has to be where the loader looks, or LD_LIBRARY_PATH
// names its directory. There are no callbacks: consumers, readers and reports of producers are polled, one goroutine
// or several for each. A call that waits takes an operating system thread meanwhile.
//
// Close tells how it ended and lets go at once. What is not closed is freed by the garbage collector: a producer gives
// up what it has not written then, and a consumer acks that it has not sent.
package hstreamdb
