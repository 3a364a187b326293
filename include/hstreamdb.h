/*
 * hstreamdb.h: the C interface of libhstreamdb, a client for HStreamDB.
 *
 * Generated from the sources of the library; changes made here are lost.
 *
 * How to read it
 *
 *   Functions are called hstream_<type>_<verb>; the type is that of the first parameter. Types end in _t,
 *   functions that you write in _fn, constants are HSTREAM_<GROUP>_<NAME>. The words that follow hold for
 *   all functions and are not said again.
 *
 * Handles
 *
 *   All handles are opaque. Three kinds:
 *     long-lived   client, producer, appender, consumer, reader, cancel, dev_server: any thread, any number at once
 *     builders     *_options, call, record, hrecord: changed by one thread at a time, and not read meanwhile
 *     results      error, event, stream, shard, subscription, batch, deliveries, cluster, node, lists: never
 *                  change, any thread
 *   Who gets a handle by way of `out`, or from _new, _clone or _ref, frees it with the _free of its type.
 *   A returned `const T *` is borrowed: it lives as long as the object it came from, and is not freed.
 *   _free(NULL) does nothing; no _free fails or waits for the network, but it waits for a running callback
 *   of its handle. Frees may come in any order. Freeing a long-lived handle twice is ignored and logged;
 *   freeing anything else twice is undefined, as with free(). No call may start on a handle once its _free
 *   has started; calls already inside end with CLOSED. Options are copied when they are used. What is given
 *   to a function is copied before it returns; "may be NULL" is said of each parameter that may, and for
 *   others NULL is never undefined, but gives HSTREAM_ERR_NULL_ARGUMENT, or 0, "" or NULL where a function
 *   returns no code.
 *
 * Errors
 *
 *   What can fail returns a hstream_code_t, HSTREAM_OK (0) on success. The set is open: have a default
 *   branch. `err` may be NULL; else it is always written: NULL on success, or an error object with a text
 *   that is yours to free. Other out parameters are written on success only, but for `accepted`, `needed`,
 *   `ids`, `codes`, and the counts of a flush, which always are. The headings "Errors" name the codes that
 *   are worth knowing, without their prefix HSTREAM_ERR_.
 *
 * Texts, bytes, numbers
 *
 *   Names in are NUL-terminated UTF-8. Data in is a pointer and a length; HSTREAM_NTS as the length says
 *   "NUL-terminated", NULL with the length 0 is empty. Texts out are NUL-terminated, never NULL, and may hold
 *   NUL themselves: the length counts. Texts handed out as `char **` are freed with hstream_string_free.
 *   Truth values are 0 and 1. Times are milliseconds since 1970, UTC. Of time-outs, -1 (HSTREAM_FOREVER) is
 *   without limit and 0 (HSTREAM_NO_WAIT) does not wait. Time-outs are for a whole call, retries included.
 *
 * Waiting
 *
 *   Calls to a server take a `call`: NULL for the client's defaults, or an object with a time-out and a
 *   cancel object. Other functions that wait take `timeout_ms` and `cancel`. hstream_cancel_trigger may be
 *   called from any thread and from signal handlers; what waits then returns HSTREAM_ERR_INTERRUPTED.
 *   With a function to ask (hstream_call_set_interrupt_check), only those calls end whose own thread is told so.
 *   hstream_client_options_set_interrupt sets both for all that is made with a client.
 *   The library installs no signal handler, and blocks signals on its own threads.
 *
 * Callbacks
 *
 *   They run on a thread of their handle, that of the log on a thread of its own, one at a time and in order,
 *   with all signals blocked; a function that a wait asks runs on the thread that waits. `user_data` is passed
 *   through; `release`, if there is one, is called exactly once, when nothing will call the function any more:
 *   when the options and all handles made with them are gone, on any thread. Arguments are lent for the time of
 *   the call; _ref and _clone keep them. A callback may block, which delays its handle alone, and may call
 *   everything; a flush, close or wait on its own handle gives HSTREAM_ERR_WOULD_DEADLOCK, and a free of its own
 *   handle is deferred until it has returned. It must return normally: no exception, no longjmp. After _close or
 *   _free of a handle has returned, no callback of it runs; so don't hold a lock that the callback takes while
 *   calling them.
 *
 * Fork
 *
 *   In the child, handles made before give HSTREAM_ERR_FORKED and can be freed; make new ones.
 */

#ifndef HSTREAMDB_H
#define HSTREAMDB_H

#include <stddef.h>
#include <stdint.h>

#ifndef HSTREAM_API
#if defined(_WIN32)
#define HSTREAM_API __declspec(dllimport)
#elif defined(__GNUC__)
#define HSTREAM_API __attribute__((visibility("default")))
#else
#define HSTREAM_API
#endif
#endif

/* Functions of the library throw nothing. */
#if defined(__cplusplus) && __cplusplus >= 201103L
#define HSTREAM_NOEXCEPT noexcept
#else
#define HSTREAM_NOEXCEPT
#endif

/* The result must be looked at. */
#if defined(__GNUC__)
#define HSTREAM_MUST_USE __attribute__((warn_unused_result))
#else
#define HSTREAM_MUST_USE
#endif

/* The parameter may be NULL. */
#if defined(__clang__)
#define HSTREAM_NULLABLE _Nullable
#else
#define HSTREAM_NULLABLE
#endif

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang diagnostic ignored "-Wnullability-completeness"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* No pointer may be NULL that is not HSTREAM_NULLABLE. */
#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

/** The version of this header: its first number. */
#define HSTREAM_VERSION_MAJOR 0
/** The second number. */
#define HSTREAM_VERSION_MINOR 1
/** The third number. */
#define HSTREAM_VERSION_PATCH 0
/** The version as one number: 1000003 is 1.0.3, and 2001 is 0.2.1. */
#define HSTREAM_VERSION_NUMBER 1000
/** What programs and library must agree on; see `hstream_check_abi`. */
#define HSTREAM_ABI_VERSION 1
/** The version as text. */
#define HSTREAM_VERSION_STRING "0.1.0"

/** "NUL-terminated", as the length of data. */
#define HSTREAM_NTS SIZE_MAX


/** Success. */
#define HSTREAM_OK 0
/** A value is out of range or malformed. */
#define HSTREAM_ERR_INVALID_ARGUMENT 1
/** A parameter that is needed is NULL. */
#define HSTREAM_ERR_NULL_ARGUMENT 2
/** The caller's time was up. */
#define HSTREAM_ERR_TIMEOUT 3
/** A cancel object was triggered. */
#define HSTREAM_ERR_INTERRUPTED 4
/** The handle is closed or closing. */
#define HSTREAM_ERR_CLOSED 5
/** No node could be reached. */
#define HSTREAM_ERR_UNAVAILABLE 6
/** The producer's buffer is full and waiting was not wanted. */
#define HSTREAM_ERR_QUEUE_FULL 7
/** A wait on a handle from its own callback. */
#define HSTREAM_ERR_WOULD_DEADLOCK 8
/** The handle was made before a fork. */
#define HSTREAM_ERR_FORKED 9
/** A bug in this library, caught; the handle is out of use. */
#define HSTREAM_ERR_PANIC 10
/** No thread, descriptor or memory could be had. */
#define HSTREAM_ERR_RESOURCES 11
/** A text that must be UTF-8 is not. */
#define HSTREAM_ERR_UTF8 12
/** Not JSON, not an object, or a number that a double cannot hold. */
#define HSTREAM_ERR_JSON 13
/** Certificates, names, handshakes. */
#define HSTREAM_ERR_TLS 14
/** Received bytes cannot be decoded. */
#define HSTREAM_ERR_DECODE 15
/** Compressing or decompressing failed, or this build lacks it. */
#define HSTREAM_ERR_COMPRESSION 16
/** The server is too old, or this build or platform cannot do it. */
#define HSTREAM_ERR_UNSUPPORTED 17
/** The caller's buffer is too small; the size needed was written. */
#define HSTREAM_ERR_BUFFER_TOO_SMALL 18
/** The header and the library do not fit. */
#define HSTREAM_ERR_ABI_MISMATCH 19
/** The right call at the wrong time. */
#define HSTREAM_ERR_INVALID_STATE 20
/** The record was not sent: close, free, or a failure before it in its shard. */
#define HSTREAM_ERR_ABORTED 21
/** A record is over the server's limit on its own. */
#define HSTREAM_ERR_RECORD_TOO_LARGE 22
/** All is read. */
#define HSTREAM_END 23
/** Another thread is inside a function that serves one caller at a time. */
#define HSTREAM_ERR_BUSY 24
/** Options contradict each other. */
#define HSTREAM_ERR_CONFIG 25
/** The process or the library is going down. */
#define HSTREAM_ERR_SHUTTING_DOWN 26
/** The server said something impossible. */
#define HSTREAM_ERR_PROTOCOL 27
/** There is no option of this name. */
#define HSTREAM_ERR_UNKNOWN_OPTION 28
/** The server cancelled the call. */
#define HSTREAM_ERR_GRPC_CANCELLED 101
/** The server failed for an unknown reason. */
#define HSTREAM_ERR_GRPC_UNKNOWN 102
/** The server refused an argument. */
#define HSTREAM_ERR_GRPC_INVALID_ARGUMENT 103
/** The server ran out of time. */
#define HSTREAM_ERR_GRPC_DEADLINE_EXCEEDED 104
/** The server does not have it. */
#define HSTREAM_ERR_GRPC_NOT_FOUND 105
/** The server has it already. */
#define HSTREAM_ERR_GRPC_ALREADY_EXISTS 106
/** The server does not allow it. */
#define HSTREAM_ERR_GRPC_PERMISSION_DENIED 107
/** A limit of the server. */
#define HSTREAM_ERR_GRPC_RESOURCE_EXHAUSTED 108
/** Something must be changed on the server first. */
#define HSTREAM_ERR_GRPC_FAILED_PRECONDITION 109
/** The server aborted the call. */
#define HSTREAM_ERR_GRPC_ABORTED 110
/** The server says: out of range. */
#define HSTREAM_ERR_GRPC_OUT_OF_RANGE 111
/** The server does not have this call. */
#define HSTREAM_ERR_GRPC_UNIMPLEMENTED 112
/** A fault inside the server. */
#define HSTREAM_ERR_GRPC_INTERNAL 113
/** The server cannot serve this now. */
#define HSTREAM_ERR_GRPC_UNAVAILABLE 114
/** The server lost data. */
#define HSTREAM_ERR_GRPC_DATA_LOSS 115
/** The server wants credentials. */
#define HSTREAM_ERR_GRPC_UNAUTHENTICATED 116
/** The server: stream not found. */
#define HSTREAM_ERR_STREAM_NOT_FOUND 200
/** The server: stream exists. */
#define HSTREAM_ERR_STREAM_EXISTS 201
/** The server: stream found subscription. */
#define HSTREAM_ERR_STREAM_FOUND_SUBSCRIPTION 202
/** The server: stream invalid replica factor. */
#define HSTREAM_ERR_STREAM_INVALID_REPLICA_FACTOR 203
/** The server: stream invalid object identifier. */
#define HSTREAM_ERR_STREAM_INVALID_OBJECT_IDENTIFIER 204
/** The server: stream invalid shard count. */
#define HSTREAM_ERR_STREAM_INVALID_SHARD_COUNT 205
/** The server: stream empty batched record. */
#define HSTREAM_ERR_STREAM_EMPTY_BATCHED_RECORD 206
/** The server: stream invalid record size. */
#define HSTREAM_ERR_STREAM_INVALID_RECORD_SIZE 207
/** The server: stream invalid offset. */
#define HSTREAM_ERR_STREAM_INVALID_OFFSET 208
/** The server: stream invalid record id. */
#define HSTREAM_ERR_STREAM_INVALID_RECORD_ID 209
/** The server: stream shard not exists. */
#define HSTREAM_ERR_STREAM_SHARD_NOT_EXISTS 210
/** The server: subscription not found. */
#define HSTREAM_ERR_SUBSCRIPTION_NOT_FOUND 300
/** The server: subscription exists. */
#define HSTREAM_ERR_SUBSCRIPTION_EXISTS 301
/** The server: subscription creation on non existent stream. */
#define HSTREAM_ERR_SUBSCRIPTION_CREATION_ON_NONEXISTENT_STREAM 302
/** The server: subscription invalid offset. */
#define HSTREAM_ERR_SUBSCRIPTION_INVALID_OFFSET 303
/** The server: subscription invalid object identifier. */
#define HSTREAM_ERR_SUBSCRIPTION_INVALID_OBJECT_IDENTIFIER 304
/** The server: subscription found active consumers. */
#define HSTREAM_ERR_SUBSCRIPTION_FOUND_ACTIVE_CONSUMERS 305
/** The server: query not found. */
#define HSTREAM_ERR_QUERY_NOT_FOUND 400
/** The server: query exists. */
#define HSTREAM_ERR_QUERY_EXISTS 401
/** The server: query invalid SQL. */
#define HSTREAM_ERR_QUERY_INVALID_SQL 402
/** The server: query found associated view. */
#define HSTREAM_ERR_QUERY_FOUND_ASSOCIATED_VIEW 403
/** The server: query invalid object identifier. */
#define HSTREAM_ERR_QUERY_INVALID_OBJECT_IDENTIFIER 404
/** The server: query still running. */
#define HSTREAM_ERR_QUERY_STILL_RUNNING 405
/** The server: query not running. */
#define HSTREAM_ERR_QUERY_NOT_RUNNING 406
/** The server: query not terminated. */
#define HSTREAM_ERR_QUERY_NOT_TERMINATED 407
/** The server: query already terminated. */
#define HSTREAM_ERR_QUERY_ALREADY_TERMINATED 408
/** The server: view not found. */
#define HSTREAM_ERR_VIEW_NOT_FOUND 500
/** The server: view exists. */
#define HSTREAM_ERR_VIEW_EXISTS 501
/** The server: view invalid SQL. */
#define HSTREAM_ERR_VIEW_INVALID_SQL 502
/** The server: view invalid object identifier. */
#define HSTREAM_ERR_VIEW_INVALID_OBJECT_IDENTIFIER 503
/** The server: connector not found. */
#define HSTREAM_ERR_CONNECTOR_NOT_FOUND 600
/** The server: connector exists. */
#define HSTREAM_ERR_CONNECTOR_EXISTS 601
/** The server: connector invalid type. */
#define HSTREAM_ERR_CONNECTOR_INVALID_TYPE 602
/** The server: connector invalid object identifier. */
#define HSTREAM_ERR_CONNECTOR_INVALID_OBJECT_IDENTIFIER 603
/** The server: connector check failed. */
#define HSTREAM_ERR_CONNECTOR_CHECK_FAILED 604
/** The server: connector unimplemented. */
#define HSTREAM_ERR_CONNECTOR_UNIMPLEMENTED 605
/** The server: connector invalid status. */
#define HSTREAM_ERR_CONNECTOR_INVALID_STATUS 606
/** The server: wrong server. */
#define HSTREAM_ERR_WRONG_SERVER 800
/** The server: shard reader invalid object identifier. */
#define HSTREAM_ERR_SHARD_READER_INVALID_OBJECT_IDENTIFIER 900
/** The server: shard reader conflict offset. */
#define HSTREAM_ERR_SHARD_READER_CONFLICT_OFFSET 901
/** The server: shard reader too many shards. */
#define HSTREAM_ERR_SHARD_READER_TOO_MANY_SHARDS 902
/** The server: shard reader data loss gap. */
#define HSTREAM_ERR_SHARD_READER_DATA_LOSS_GAP 903
/** The server: shard reader access gap. */
#define HSTREAM_ERR_SHARD_READER_ACCESS_GAP 904
/** The server: shard reader not in config gap. */
#define HSTREAM_ERR_SHARD_READER_NOT_IN_CONFIG_GAP 905
/** The server: shard reader unknown gap. */
#define HSTREAM_ERR_SHARD_READER_UNKNOWN_GAP 906
/** Not known to this library. */
#define HSTREAM_CATEGORY_OTHER 0
/** The call itself is wrong; the same call fails again. */
#define HSTREAM_CATEGORY_CALLER 1
/** It may work later. */
#define HSTREAM_CATEGORY_TRANSIENT 2
/** The thing does not exist. */
#define HSTREAM_CATEGORY_NOT_FOUND 3
/** The thing exists already. */
#define HSTREAM_CATEGORY_EXISTS 4
/** Not allowed. */
#define HSTREAM_CATEGORY_DENIED 5
/** Something must be changed first, by somebody. */
#define HSTREAM_CATEGORY_STATE 6
/** Time was up, or the wait was interrupted. */
#define HSTREAM_CATEGORY_TIMEOUT 7
/** The handle is closed, or all is delivered. */
#define HSTREAM_CATEGORY_ENDED 8
/** Broken data, or a bug. */
#define HSTREAM_CATEGORY_INTERNAL 9
/** "Without limit", as a time-out. */
#define HSTREAM_FOREVER -1
/** "Don't wait", as a time-out. */
#define HSTREAM_NO_WAIT 0
/** Nothing. */
#define HSTREAM_LOG_OFF 0
/** What went wrong and was not told otherwise. */
#define HSTREAM_LOG_ERROR 1
/** And what may go wrong. */
#define HSTREAM_LOG_WARN 2
/** And what happens rarely. */
#define HSTREAM_LOG_INFO 3
/** And what happens often. */
#define HSTREAM_LOG_DEBUG 4
/** Everything. */
#define HSTREAM_LOG_TRACE 5
/** A node does not answer any more. Told once, until it has answered again. */
#define HSTREAM_EVENT_NODE_LOST 1
/** A consumer lost its connection, or got none, and goes on trying. Told once, until it has one. */
#define HSTREAM_EVENT_RECONNECTING 2
/** It is over: a node that was lost has answered, or a consumer has a connection again. */
#define HSTREAM_EVENT_RECONNECTED 3
/** A consumer does something else than before. */
#define HSTREAM_EVENT_CONSUMER_STATE 4
/** A failure stopped one shard of a producer. */
#define HSTREAM_EVENT_SHARD_STOPPED 5
/** A consumer was closed or stopped, and the server may not have all of its acks. */
#define HSTREAM_EVENT_ACKS_UNSENT 6
/** Certificate files have changed and can't be used; the old ones stay. */
#define HSTREAM_EVENT_TLS_RELOAD_FAILED 7
/** The cluster has other nodes than before. */
#define HSTREAM_EVENT_CLUSTER_CHANGED 8
/** A consumer received a batch that it can't read. */
#define HSTREAM_EVENT_BAD_BATCH 9
/** Records were not acked within the subscription's time-out, and are delivered again. */
#define HSTREAM_EVENT_ACKS_OVERDUE 10
/** An event is about the client as a whole. */
#define HSTREAM_SUBJECT_CLIENT 1
/** About a producer; the subject is the stream. */
#define HSTREAM_SUBJECT_PRODUCER 2
/** About a consumer; the subject is the subscription. */
#define HSTREAM_SUBJECT_CONSUMER 3
/** About a reader; the subject is the stream. */
#define HSTREAM_SUBJECT_READER 4
/** Calls to nodes that have ended, with look-ups and retries; not the fetches of consumers. */
#define HSTREAM_METRIC_CALLS 1
/** Calls that failed or were given up. */
#define HSTREAM_METRIC_FAILURES 2
/** Calls that were made again because they had failed. */
#define HSTREAM_METRIC_RETRIES 3
/** Connections of consumers that were made again after a loss. */
#define HSTREAM_METRIC_RECONNECTS 4
/** Records that the server said it has written. */
#define HSTREAM_METRIC_RECORDS_OUT 5
/** Bytes of their payloads, as sent. */
#define HSTREAM_METRIC_BYTES_OUT 6
/** The batches that they went in. */
#define HSTREAM_METRIC_BATCHES_OUT 7
/** Records that consumers received, repeated ones counted again. */
#define HSTREAM_METRIC_RECORDS_IN 8
/** Bytes of their payloads, as received. */
#define HSTREAM_METRIC_BYTES_IN 9
/** The batches that they came in. */
#define HSTREAM_METRIC_BATCHES_IN 10
/** Records that producers have accepted and not reported yet. */
#define HSTREAM_METRIC_QUEUED_RECORDS 11
/** Bytes of the producers' buffers in use. */
#define HSTREAM_METRIC_QUEUED_BYTES 12
/** Records that consumers received since they started and that were not acked. */
#define HSTREAM_METRIC_UNACKED 13
/** Acks that have not been sent. */
#define HSTREAM_METRIC_PENDING_ACKS 14
/** Microseconds that all calls took together. */
#define HSTREAM_METRIC_CALL_LATENCY_SUM_US 15
/** The calls of that sum. */
#define HSTREAM_METRIC_CALL_LATENCY_COUNT 16
/** Nodes of the cluster; those of the URL until it is known. */
#define HSTREAM_METRIC_NODES 17
/** Nodes that failed and have not answered since. */
#define HSTREAM_METRIC_NODES_IN_TROUBLE 18
/** Events that the callback did not get because it was slow. */
#define HSTREAM_METRIC_EVENTS_DROPPED 19
/** How often the cluster was looked at. */
#define HSTREAM_METRIC_REFRESHES 20
/** Delete although somebody uses it. */
#define HSTREAM_DELETE_FORCE 1
/** It is no error if it is not there. */
#define HSTREAM_DELETE_IGNORE_MISSING 2
/** Room enough for the text of any record id, its terminator included. */
#define HSTREAM_RECORD_ID_TEXT_SIZE 64
/** Begin with the first record that is kept. */
#define HSTREAM_OFFSET_EARLIEST 0
/** Begin behind the last record. */
#define HSTREAM_OFFSET_LATEST 1
/** Begin with a record. */
#define HSTREAM_OFFSET_RECORD 2
/** Begin with the first record stored at or after a time. */
#define HSTREAM_OFFSET_TIME 3
/** The time is meant to the millisecond; else the server may begin some minutes earlier, with less effort. */
#define HSTREAM_OFFSET_STRICT 1
/** The payload is a JSON object. */
#define HSTREAM_RECORD_JSON 0
/** The payload is any bytes. */
#define HSTREAM_RECORD_RAW 1
/** There is no such field. */
#define HSTREAM_TYPE_ABSENT 0
/** `null`. */
#define HSTREAM_TYPE_NULL 1
/** `true` or `false`. */
#define HSTREAM_TYPE_BOOL 2
/** A number: a double. */
#define HSTREAM_TYPE_NUMBER 3
/** A text. */
#define HSTREAM_TYPE_STRING 4
/** A list of values. */
#define HSTREAM_TYPE_LIST 5
/** An object in the object. */
#define HSTREAM_TYPE_OBJECT 6
/** Not compressed. */
#define HSTREAM_COMPRESSION_NONE 0
/** gzip: what all clients of HStreamDB read. */
#define HSTREAM_COMPRESSION_GZIP 1
/** Zstandard: faster at the same size; not read by the published Java and Python clients. */
#define HSTREAM_COMPRESSION_ZSTD 2
/** The usual level of a compression. */
#define HSTREAM_LEVEL_DEFAULT 2147483647
/** Report all records. */
#define HSTREAM_REPORTS_ALL 0
/** Report those that were not, or perhaps not, written. */
#define HSTREAM_REPORTS_FAILURES 1
/** Report none. */
#define HSTREAM_REPORTS_NONE 2
/**
 * After a failure, what is queued behind it on its shard is given up, and the shard takes records again when the
 * reports of all that have been handed over.
 */
#define HSTREAM_FAILURE_ABORT_QUEUED 0

/** The same, but the shard takes records again only after `hstream_appender_resume`. */
#define HSTREAM_FAILURE_STOP 1
/** What is queued behind a failure goes on. */
#define HSTREAM_FAILURE_CONTINUE 2
/** Records for a stream that was deleted and created anew fail. */
#define HSTREAM_RECREATED_FAIL 0
/** They go to the shards of the new stream, by their keys. */
#define HSTREAM_RECREATED_REROUTE 1
/** The node waits for the cluster to be set up. */
#define HSTREAM_NODE_STARTING 0
/** The node serves. */
#define HSTREAM_NODE_RUNNING 1
/** The node can't serve; no server so far says so. */
#define HSTREAM_NODE_UNAVAILABLE 2
/** The others have missed the node for some seconds. */
#define HSTREAM_NODE_DEAD 3
/** A stream, by its name. */
#define HSTREAM_RESOURCE_STREAM 0
/** A subscription, by its id. */
#define HSTREAM_RESOURCE_SUBSCRIPTION 1
/** A shard, by its id in decimals. */
#define HSTREAM_RESOURCE_SHARD 2
/** A named reader, by its id. */
#define HSTREAM_RESOURCE_SHARD_READER 3
/** A connector, by its name. */
#define HSTREAM_RESOURCE_CONNECTOR 4
/** A query, by its id. */
#define HSTREAM_RESOURCE_QUERY 5
/** A view, by its name. */
#define HSTREAM_RESOURCE_VIEW 6
/** The records of a batch that can't be read are handed out with the code of the reason, and can be acked. */
#define HSTREAM_BAD_BATCH_REPORT 0
/** The consumer fails. */
#define HSTREAM_BAD_BATCH_FAIL 1
/** As HSTREAM_BAD_BATCH_REPORT, and the payload of each of the records is that of the batch, as it was received. */
#define HSTREAM_BAD_BATCH_RAW 2
/** Go on; with auto-ack, the whole batch is acked. */
#define HSTREAM_PROCESSED 0
/** Go on, and leave the batch unacked. */
#define HSTREAM_KEEP 1
/** Processed, and no more: the consumer or reader stops. */
#define HSTREAM_STOP 2
/** It has no connection. */
#define HSTREAM_WAITING_CONNECTION 0
/** It has as many unacked records as the subscription allows. */
#define HSTREAM_WAITING_ACKS 1
/** What was received has to be polled first, or the callback has to return. */
#define HSTREAM_WAITING_BUFFER 2
/** There are none for it. */
#define HSTREAM_WAITING_RECORDS 3
/** Not started. */
#define HSTREAM_STATE_IDLE 0
/** Connecting for the first time. */
#define HSTREAM_STATE_CONNECTING 1
/** Connected; records come when there are some. */
#define HSTREAM_STATE_RUNNING 2
/** The connection was lost, and is being made again. */
#define HSTREAM_STATE_RECONNECTING 3
/** Stopped; it can be started again. */
#define HSTREAM_STATE_STOPPED 4
/** Closed. */
#define HSTREAM_STATE_CLOSED 5
/** Ended by an error. */
#define HSTREAM_STATE_FAILED 6
/**
 * Options of appends without a producer.
 */
typedef struct hstream_append_options_t hstream_append_options_t;

/**
 * Appends to one stream through a producer.
 */
typedef struct hstream_appender_t hstream_appender_t;

/**
 * Received records. Read them from any thread; they never change.
 */
typedef struct hstream_batch_t hstream_batch_t;

/**
 * Settings of single calls: a time-out, a cancel object, metadata, the node to ask. Any number of calls may use
 * one at once.
 */
typedef struct hstream_call_t hstream_call_t;

/**
 * Ends the calls that it is given to. The trigger may be called in signal handlers.
 */
typedef struct hstream_cancel_t hstream_cancel_t;

/**
 * Options of a client. They are copied when a client is made.
 */
typedef struct hstream_client_options_t hstream_client_options_t;

/**
 * A connection to a cluster.
 */
typedef struct hstream_client_t hstream_client_t;

/**
 * What a node says of its cluster.
 */
typedef struct hstream_cluster_t hstream_cluster_t;

/**
 * The consumers of a subscription, as the server sees them.
 */
typedef struct hstream_consumer_infos_t hstream_consumer_infos_t;

/**
 * Options of a consumer. They are copied when a consumer is made.
 */
typedef struct hstream_consumer_options_t hstream_consumer_options_t;

/**
 * One consumer of a subscription.
 */
typedef struct hstream_consumer_t hstream_consumer_t;

/**
 * Reports of some records of one batch. Read them from any thread; they never change.
 */
typedef struct hstream_deliveries_t hstream_deliveries_t;

#if defined(HSTREAM_HAS_DEV_SERVER)
/**
 * An HStreamDB server in this process, in memory.
 */
typedef struct hstream_dev_server_t hstream_dev_server_t;
#endif

/**
 * Why a call failed. Read it from any thread; it never changes.
 */
typedef struct hstream_error_t hstream_error_t;

/**
 * Something that operators may want to know. Lent to a callback; read it there, from any thread.
 */
typedef struct hstream_event_t hstream_event_t;

/**
 * A JSON object: field names to values, sorted by name.
 */
typedef struct hstream_hrecord_t hstream_hrecord_t;

/**
 * A node of the cluster.
 */
typedef struct hstream_node_t hstream_node_t;

/**
 * Options of a producer. They are copied when a producer is made.
 */
typedef struct hstream_producer_options_t hstream_producer_options_t;

/**
 * Appends records to any number of streams, in batches, in the background.
 */
typedef struct hstream_producer_t hstream_producer_t;

/**
 * Options of a reader. They are copied when a reader is opened.
 */
typedef struct hstream_reader_options_t hstream_reader_options_t;

/**
 * Reads a stream without a subscription.
 */
typedef struct hstream_reader_t hstream_reader_t;

/**
 * A record: a payload with its key and attributes, and of a received one where and when it was stored.
 */
typedef struct hstream_record_t hstream_record_t;

/**
 * How the threads are that all clients of the process have in common.
 */
typedef struct hstream_runtime_options_t hstream_runtime_options_t;

/**
 * One shard of a stream: an ordered log that holds a range of key hashes.
 */
typedef struct hstream_shard_t hstream_shard_t;

/**
 * The shards of a stream, sorted by range.
 */
typedef struct hstream_shards_t hstream_shards_t;

/**
 * How a stream is created.
 */
typedef struct hstream_stream_options_t hstream_stream_options_t;

/**
 * A stream, as the server describes it.
 */
typedef struct hstream_stream_t hstream_stream_t;

/**
 * Streams, sorted by name.
 */
typedef struct hstream_streams_t hstream_streams_t;

/**
 * Texts, sorted.
 */
typedef struct hstream_strings_t hstream_strings_t;

/**
 * How a subscription is created.
 */
typedef struct hstream_subscription_options_t hstream_subscription_options_t;

/**
 * A subscription: a position in each shard of a stream, moved on by acks.
 */
typedef struct hstream_subscription_t hstream_subscription_t;

/**
 * Subscriptions, sorted by id.
 */
typedef struct hstream_subscriptions_t hstream_subscriptions_t;

/**
 * Shards, and the records before which they were trimmed.
 */
typedef struct hstream_trim_points_t hstream_trim_points_t;

/**
 * What every function that can fail returns. New codes may come: have a default branch.
 */
typedef int32_t hstream_code_t;

/**
 * Is told that a thread of the library starts (1) or ends (0), on that thread: `name` is lent for the time of the
 * call. It must be quick, and not call the library.
 *
 * May be NULL: `user_data`.
 */
typedef void (*hstream_thread_fn)(int32_t starts,
                                  const char *name,
                                  void *HSTREAM_NULLABLE user_data);

/**
 * Frees `user_data`. Called exactly once, when nothing will call the callback any more, on any thread.
 *
 * May be NULL: `user_data`.
 */
typedef void (*hstream_release_fn)(void *user_data);

/**
 * Says whether a wait ends when its cancel object is triggered: 0 goes on waiting. It is asked on the thread
 * that waits, by each that does, and may be asked more often than the object is triggered.
 *
 * May be NULL: `user_data`.
 */
typedef int32_t (*hstream_interrupt_fn)(void *user_data);

/**
 * Gets what operators may want to know of a client, on its callback thread. `event` is lent for the time of the
 * call.
 *
 * May be NULL: `user_data`.
 */
typedef void (*hstream_event_fn)(const struct hstream_event_t *event,
                                 void *HSTREAM_NULLABLE user_data);

/**
 * Gets a line of the log, on the thread of the log: its level, when it was, in milliseconds since 1970, and what
 * it is about. `target` and `message` are lent for the time of the call.
 *
 * May be NULL: `user_data`.
 */
typedef void (*hstream_log_fn)(int32_t level,
                               int64_t time_ms,
                               const char *target,
                               const char *message,
                               size_t message_len,
                               void *HSTREAM_NULLABLE user_data);

/**
 * The id of a stored record.
 */
typedef struct hstream_record_id_t {
    /**
     * The shard that holds the record.
     */
    uint64_t shard_id;
    /**
     * The batch, as the log numbered it.
     */
    uint64_t batch_id;
    /**
     * Position in the batch, from 0.
     */
    uint32_t batch_index;
    /**
     * 0 on output, and ignored on input.
     */
    uint32_t reserved;
} hstream_record_id_t;

/**
 * Where reading begins, or trimming ends. Fill it with the functions hstream_offset_*.
 */
typedef struct hstream_offset_t {
    /**
     * One of HSTREAM_OFFSET_EARLIEST, _LATEST, _RECORD, _TIME.
     */
    int32_t kind;
    /**
     * 0 or HSTREAM_OFFSET_STRICT.
     */
    uint32_t flags;
    /**
     * Of a time.
     */
    int64_t timestamp_ms;
    /**
     * Of a record.
     */
    struct hstream_record_id_t record;
} hstream_offset_t;

/**
 * Gets the reports of records of one batch, on the producer's callback thread.
 * `deliveries` is lent for the time of the call.
 *
 * May be NULL: `user_data`.
 */
typedef void (*hstream_delivery_fn)(const struct hstream_deliveries_t *deliveries,
                                    void *HSTREAM_NULLABLE user_data);

/**
 * Gets records, on the callback thread of the consumer or reader; `batch` and `error` are lent for the time of the
 * call. Returns HSTREAM_PROCESSED, HSTREAM_KEEP or HSTREAM_STOP. The last call has a NULL `batch`: with a NULL
 * `error` if delivery ended as asked, or all is read, else with why it failed; what it returns does not matter.
 *
 * May be NULL: `batch`, `error`, `user_data`.
 */
typedef int32_t (*hstream_batch_fn)(const struct hstream_batch_t *batch,
                                    const struct hstream_error_t *HSTREAM_NULLABLE error,
                                    void *HSTREAM_NULLABLE user_data);

/**
 * Returns the version of the library, such as "0.3.1".
 *
 * **Ownership**: The result is static.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_version_string(void) HSTREAM_NOEXCEPT;

/**
 * Returns the version as a number: major * 1,000,000 + minor * 1,000 + patch.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
uint32_t hstream_version_number(void) HSTREAM_NOEXCEPT;

/**
 * Returns the version of the binary interface: libraries with the same number can stand in for each other.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
uint32_t hstream_abi_version(void) HSTREAM_NOEXCEPT;

/**
 * Says whether a header fits this library: pass HSTREAM_ABI_VERSION.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: ABI_MISMATCH.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_check_abi(uint32_t header_abi) HSTREAM_NOEXCEPT;

/**
 * Returns how the library was built, as JSON: its version, features and target. Keys are only added.
 *
 * **Ownership**: The result is static.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_build_info(void) HSTREAM_NOEXCEPT;

/**
 * Returns all options that can be set by text, as JSON, by what they are options of: {"client": [{"key", "type",
 * "range", "default", "text"}, ...], "producer": [...], "append": [...], "subscription": [...],
 * "consumer": [...], "reader": [...], "runtime": [...]}. Keys are only added.
 *
 * **Ownership**: The result is static.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_options_schema_json(void) HSTREAM_NOEXCEPT;

/**
 * Returns the name of a code without its prefix, such as "STREAM_NOT_FOUND"; "UNKNOWN" for other numbers.
 *
 * **Ownership**: The result is static.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_code_name(int32_t code) HSTREAM_NOEXCEPT;

/**
 * Returns one English line about a code.
 *
 * **Ownership**: The result is static.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_code_description(int32_t code) HSTREAM_NOEXCEPT;

/**
 * Returns what can be done about a code: HSTREAM_CATEGORY_*.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int32_t hstream_code_category(int32_t code) HSTREAM_NOEXCEPT;

/**
 * Returns 1 if trying the same again later may help, else 0.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int32_t hstream_code_is_retryable(int32_t code) HSTREAM_NOEXCEPT;

/**
 * Returns how many handles have not been freed: 0 when all is. For tests of leaks.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
uint64_t hstream_live_handles(void) HSTREAM_NOEXCEPT;

/**
 * Closes all clients, producers and consumers of the process within the time, and ends the threads that they
 * have in common. The handles are CLOSED and still to be freed; a new client starts afresh. The callback of the
 * log stays.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: until `timeout_ms`.
 * **Errors**: TIMEOUT if something was given up; all is closed all the same. WOULD_DEADLOCK in a callback.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_shutdown(int64_t timeout_ms,
                                struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Frees a text that a function handed out as `char **`.
 *
 * May be NULL: `text`, `None`.
 *
 * **Ownership**: `text` is gone after it.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_string_free(char *HSTREAM_NULLABLE text) HSTREAM_NOEXCEPT;

/**
 * Makes options, all default.
 *
 * **Ownership**: The result is yours, to be freed with `hstream_runtime_options_free`; NULL if there is none.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
struct hstream_runtime_options_t *HSTREAM_NULLABLE hstream_runtime_options_new(void) HSTREAM_NOEXCEPT;

/**
 * Frees options. What was set with them stays in force.
 *
 * May be NULL: `runtime_options`.
 *
 * **Ownership**: `runtime_options` is gone after it.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_runtime_options_free(struct hstream_runtime_options_t *HSTREAM_NULLABLE runtime_options) HSTREAM_NOEXCEPT;

/**
 * Sets how many threads do the I/O, up to 1,024; default 1, which 0 stands for as well. More are slower on small
 * machines.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_runtime_options_set_worker_threads(struct hstream_runtime_options_t *runtime_options,
                                                          uint32_t count) HSTREAM_NOEXCEPT;

/**
 * Sets how many threads compress batches, up to 1,024; default one less than there are cores, at least one, which 0
 * stands for as well. They are started by the first producer that compresses.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_runtime_options_set_compression_threads(struct hstream_runtime_options_t *runtime_options,
                                                               uint32_t count) HSTREAM_NOEXCEPT;

/**
 * Sets how the names of threads begin, in up to 32 printable ASCII characters; default "hstream", which an empty
 * text stands for as well. Linux shows 15 characters of the whole name.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_runtime_options_set_thread_name(struct hstream_runtime_options_t *runtime_options,
                                                       const char *prefix) HSTREAM_NOEXCEPT;

/**
 * Sets the stack of threads that run callbacks, in bytes from 65,536 to 1,073,741,824; default 2 MiB, which 0
 * stands for as well.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_runtime_options_set_stack_size(struct hstream_runtime_options_t *runtime_options,
                                                      size_t bytes) HSTREAM_NOEXCEPT;

/**
 * Has a function called on each thread of the library when it starts and when it ends: to register threads with
 * the host's virtual machine. Calls come from several threads at once. NULL removes it.
 *
 * May be NULL: `callback`, `user_data`, `release`.
 *
 * **Ownership**: `user_data` is the library's until it is released, if there is a function: when these options
 * are freed and other ones are in force.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: NULL_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_runtime_options_set_thread_hook(struct hstream_runtime_options_t *runtime_options,
                                                       hstream_thread_fn HSTREAM_NULLABLE callback,
                                                       void *HSTREAM_NULLABLE user_data,
                                                       hstream_release_fn HSTREAM_NULLABLE release) HSTREAM_NOEXCEPT;

/**
 * Sets an option by text: "worker.threads", "thread.name", "stack.size"; `hstream_options_schema_json` says what
 * they take.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: UNKNOWN_OPTION, INVALID_ARGUMENT, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_runtime_options_set(struct hstream_runtime_options_t *runtime_options,
                                           const char *key,
                                           const char *value,
                                           struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Sets how the threads are that all clients of the process have in common; with NULL, back to the defaults. It
 * starts none, and is only needed for something else than the defaults. What is set holds for good, also when
 * all has been shut down in between.
 *
 * May be NULL: `runtime_options`, `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: INVALID_STATE if the threads run already, as they do once there was a client.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_init(const struct hstream_runtime_options_t *HSTREAM_NULLABLE runtime_options,
                            struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Frees an error object.
 *
 * May be NULL: `error`.
 *
 * **Ownership**: `error` is gone after it.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_error_free(struct hstream_error_t *HSTREAM_NULLABLE error) HSTREAM_NOEXCEPT;

/**
 * Copies an error object: to keep one that was lent.
 *
 * **Ownership**: The result is yours, to be freed with `hstream_error_free`; NULL if there is none.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
struct hstream_error_t *HSTREAM_NULLABLE hstream_error_clone(const struct hstream_error_t *error) HSTREAM_NOEXCEPT;

/**
 * Returns the code; HSTREAM_OK for NULL.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_error_code(const struct hstream_error_t *error) HSTREAM_NOEXCEPT;

/**
 * Returns one line for people, which names the thing that it is about.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `error`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_error_message(const struct hstream_error_t *error,
                                  size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Returns the server's own code; -1 if it sent none.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int32_t hstream_error_server_code(const struct hstream_error_t *error) HSTREAM_NOEXCEPT;

/**
 * Returns the server's own name for it, such as "ShardNotFound"; "" if there is none.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `error`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_error_server_name(const struct hstream_error_t *error,
                                      size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Returns what the server adds, as JSON; "" if nothing.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `error`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_error_extra_json(const struct hstream_error_t *error,
                                     size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Returns the gRPC status; -1 if it is not from a server.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int32_t hstream_error_grpc_status(const struct hstream_error_t *error) HSTREAM_NOEXCEPT;

/**
 * Returns what was attempted; "" if it never got that far.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `error`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_error_operation(const struct hstream_error_t *error,
                                    size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Returns the node that answered or failed, as host:port; "" if none was involved.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `error`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_error_address(const struct hstream_error_t *error,
                                  size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Returns how many tries were made.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
uint32_t hstream_error_attempts(const struct hstream_error_t *error) HSTREAM_NOEXCEPT;

/**
 * Returns 1 if trying the same again later may help, else 0.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int32_t hstream_error_is_retryable(const struct hstream_error_t *error) HSTREAM_NOEXCEPT;

/**
 * Returns 1 if the write may have happened all the same, else 0.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int32_t hstream_error_is_ambiguous(const struct hstream_error_t *error) HSTREAM_NOEXCEPT;

/**
 * Writes everything about an error as one JSON object. Keys are only added.
 *
 * May be NULL: `text_len`.
 *
 * **Ownership**: `*text` is yours, to be freed with `hstream_string_free`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: NULL_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_error_to_json(const struct hstream_error_t *error,
                                     char **text,
                                     size_t *HSTREAM_NULLABLE text_len) HSTREAM_NOEXCEPT;

/**
 * Makes settings for calls, all default.
 *
 * **Ownership**: The result is yours, to be freed with `hstream_call_free`; NULL if there is none.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
struct hstream_call_t *HSTREAM_NULLABLE hstream_call_new(void) HSTREAM_NOEXCEPT;

/**
 * Frees settings. Calls that have started do not need them any more.
 *
 * May be NULL: `call`.
 *
 * **Ownership**: `call` is gone after it.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_call_free(struct hstream_call_t *HSTREAM_NULLABLE call) HSTREAM_NOEXCEPT;

/**
 * Sets how long a whole call may take, retries and look-ups included: -1 is without limit.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_call_set_timeout_ms(struct hstream_call_t *call,
                                           int64_t timeout_ms) HSTREAM_NOEXCEPT;

/**
 * Sets the object that can end calls made with this; NULL takes it away.
 *
 * May be NULL: `cancel`.
 *
 * **Ownership**: The settings keep what they need of `cancel`.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: NULL_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_call_set_cancel(struct hstream_call_t *call,
                                       struct hstream_cancel_t *HSTREAM_NULLABLE cancel) HSTREAM_NOEXCEPT;

/**
 * Has a function asked on the thread that waits, which holds no lock, whenever the cancel object is triggered:
 * 0 goes on waiting and loses nothing, anything else ends the call with INTERRUPTED. The object needs no reset
 * then. The object is that of this call, or else of the client. NULL takes the function away.
 *
 * May be NULL: `check`, `user_data`.
 *
 * **Ownership**: `user_data` stays yours, and must outlive the calls.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: NULL_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_call_set_interrupt_check(struct hstream_call_t *call,
                                                hstream_interrupt_fn HSTREAM_NULLABLE check,
                                                void *HSTREAM_NULLABLE user_data) HSTREAM_NOEXCEPT;

/**
 * Adds gRPC metadata that goes with calls made with this. A name that ends in "-bin" takes any bytes, others
 * printable ASCII. One name may be added several times.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT for a name or a value that can't be sent, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_call_add_metadata(struct hstream_call_t *call,
                                         const char *name,
                                         const void *value,
                                         size_t value_len,
                                         struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Has calls made with this ask one node, "host" or "host:port", and no other: nothing is looked up, and what
 * fails is tried again there. A node that is not the owner of something says so with an error. NULL takes it
 * away.
 *
 * May be NULL: `address`, `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT for what is no address, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_call_set_node(struct hstream_call_t *call,
                                     const char *HSTREAM_NULLABLE address,
                                     struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Sets everything back to its default.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_call_clear(struct hstream_call_t *call) HSTREAM_NOEXCEPT;

/**
 * Makes a cancel object. It starts no thread.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_cancel_free`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: RESOURCES.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_cancel_new(struct hstream_cancel_t **out,
                                  struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Frees a cancel object. Calls that use it hold a reference; a trigger must not race with it.
 *
 * May be NULL: `cancel`.
 *
 * **Ownership**: `cancel` is gone after it.
 * **Threads**: any, once.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_cancel_free(struct hstream_cancel_t *HSTREAM_NULLABLE cancel) HSTREAM_NOEXCEPT;

/**
 * Ends the calls that have this object, and those that will, until it is reset: they return INTERRUPTED.
 * It takes no lock, allocates nothing and keeps errno.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, in any signal handler.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_cancel_trigger(struct hstream_cancel_t *cancel) HSTREAM_NOEXCEPT;

/**
 * Returns 1 from a trigger until the reset, else 0.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int32_t hstream_cancel_is_triggered(struct hstream_cancel_t *cancel) HSTREAM_NOEXCEPT;

/**
 * Makes it ready again.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_cancel_reset(struct hstream_cancel_t *cancel) HSTREAM_NOEXCEPT;

/**
 * Returns a descriptor that triggers the object when something is written to it, as event loops and
 * interpreters do; -1 where there is none. It does not block, and is the same at each call.
 *
 * **Ownership**: The descriptor is the object's: don't close it, nor use it after the free.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int32_t hstream_cancel_write_fd(struct hstream_cancel_t *cancel) HSTREAM_NOEXCEPT;

/**
 * Makes options, all default: a server at 127.0.0.1:6570.
 *
 * **Ownership**: The result is yours, to be freed with `hstream_client_options_free`; NULL if there is
 * none.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
struct hstream_client_options_t *HSTREAM_NULLABLE hstream_client_options_new(void) HSTREAM_NOEXCEPT;

/**
 * Copies options.
 *
 * **Ownership**: The result is yours, to be freed with `hstream_client_options_free`; NULL if there is
 * none.
 * **Threads**: any, while it is not changed.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
struct hstream_client_options_t *HSTREAM_NULLABLE hstream_client_options_clone(const struct hstream_client_options_t *client_options) HSTREAM_NOEXCEPT;

/**
 * Frees options.
 *
 * May be NULL: `client_options`.
 *
 * **Ownership**: `client_options` is gone after it.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_client_options_free(struct hstream_client_options_t *HSTREAM_NULLABLE client_options) HSTREAM_NOEXCEPT;

/**
 * Sets the cluster: hstream://host[:port][,host[:port]]... Each host is a node to ask about the others.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_options_set_url(struct hstream_client_options_t *client_options,
                                              const char *url,
                                              struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Sets the application's name, which is sent behind this library's own.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_options_set_user_agent(struct hstream_client_options_t *client_options,
                                                     const char *suffix,
                                                     struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Sets how long a call may take that has no limit of its own: default 30,000, -1 is without limit.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_options_set_request_timeout_ms(struct hstream_client_options_t *client_options,
                                                             int64_t timeout_ms) HSTREAM_NOEXCEPT;

/**
 * Sets how long connecting to one address may take: default 3,000.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_options_set_connect_timeout_ms(struct hstream_client_options_t *client_options,
                                                             int64_t timeout_ms) HSTREAM_NOEXCEPT;

/**
 * Sets how often a call is tried, and the pauses between: default 6, 100 and 5,000. The pause is doubled
 * each time up to the longest, and shortened by chance by up to a half.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT, CONFIG.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_options_set_retry(struct hstream_client_options_t *client_options,
                                                uint32_t max_attempts,
                                                int64_t first_backoff_ms,
                                                int64_t max_backoff_ms) HSTREAM_NOEXCEPT;

/**
 * Sets the age at which the view of the cluster is looked at again by the next call: default 30,000.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_options_set_refresh_ms(struct hstream_client_options_t *client_options,
                                                     int64_t age_ms) HSTREAM_NOEXCEPT;

/**
 * Sets the largest message that is accepted: default 64 MiB.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_options_set_max_receive_bytes(struct hstream_client_options_t *client_options,
                                                            uint64_t bytes) HSTREAM_NOEXCEPT;

/**
 * Trusts the certificates in this PEM file instead of the system's. It is read when a client connects, and
 * again for new connections when it has changed.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: UTF8, UNSUPPORTED without TLS.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_options_set_tls_ca_file(struct hstream_client_options_t *client_options,
                                                      const char *path,
                                                      struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * The same from memory.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: TLS if there is no certificate in it, UNSUPPORTED without TLS.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_options_set_tls_ca_pem(struct hstream_client_options_t *client_options,
                                                     const void *pem,
                                                     size_t pem_len,
                                                     struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Shows this certificate with its chain to servers that ask for one. The key is PKCS#8, PKCS#1 or SEC1, both
 * are PEM files. They are read when a client connects, and again for new connections when they have changed.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: UTF8, UNSUPPORTED without TLS.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_options_set_tls_identity_files(struct hstream_client_options_t *client_options,
                                                             const char *cert_path,
                                                             const char *key_path,
                                                             struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * The same from memory.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: TLS if there is no certificate or key in it, UNSUPPORTED without TLS.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_options_set_tls_identity_pem(struct hstream_client_options_t *client_options,
                                                           const void *cert,
                                                           size_t cert_len,
                                                           const void *key,
                                                           size_t key_len,
                                                           struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Sets the name that servers must have a certificate for, where it isn't the one they are dialled by.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: TLS for what is no name, UTF8, UNSUPPORTED without TLS.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_options_set_tls_server_name(struct hstream_client_options_t *client_options,
                                                          const char *name,
                                                          struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Sends these credentials with every call; over connections without TLS only if
 * `hstream_client_options_set_plaintext_auth` allows it, else connecting fails with CONFIG.
 *
 * May be NULL: `password`, `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT for a user with a colon, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_options_set_basic_auth(struct hstream_client_options_t *client_options,
                                                     const char *user,
                                                     const void *HSTREAM_NULLABLE password,
                                                     size_t password_len,
                                                     struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * The same with a token as servers have it in their configuration: base64 of user:password. There can be a
 * token or a user, not both. An empty one takes it away.
 *
 * May be NULL: `token`, `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT for what is not printable ASCII.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_options_set_auth_token(struct hstream_client_options_t *client_options,
                                                     const void *HSTREAM_NULLABLE token,
                                                     size_t token_len,
                                                     struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Sets whether credentials may be sent without TLS, where everybody on the way can read them: default 0.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_options_set_plaintext_auth(struct hstream_client_options_t *client_options,
                                                         int32_t allowed) HSTREAM_NOEXCEPT;

/**
 * Adds gRPC metadata to every call. A name that ends in -bin takes any bytes, others printable ASCII.
 *
 * May be NULL: `value`, `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_options_add_metadata(struct hstream_client_options_t *client_options,
                                                   const char *name,
                                                   const void *HSTREAM_NULLABLE value,
                                                   size_t value_len,
                                                   struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Dials `reachable` where the cluster names `advertised`, both as host[:port]: for nodes behind a NAT or in
 * containers. With TLS, the name to verify stays the advertised one. More calls add more.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_options_map_address(struct hstream_client_options_t *client_options,
                                                  const char *advertised,
                                                  const char *reachable,
                                                  struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Sets whether connecting returns without asking a server: default 0. The first call finds out then.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_options_set_lazy_connect(struct hstream_client_options_t *client_options,
                                                       int32_t on) HSTREAM_NOEXCEPT;

/**
 * Sets the interval of HTTP/2 pings, -1 is none, and how long their answers may take: default -1 and 20,000.
 * Servers close connections that ping more often than every five minutes.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_options_set_keepalive_ms(struct hstream_client_options_t *client_options,
                                                       int64_t interval_ms,
                                                       int64_t timeout_ms) HSTREAM_NOEXCEPT;

/**
 * Sets how long a connection is idle before the kernel asks the peer, and how long what was sent may go
 * unacknowledged before the connection is given up (on Linux alone): default 30,000 each, -1 leaves it to the
 * system.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_options_set_tcp_keepalive_ms(struct hstream_client_options_t *client_options,
                                                           int64_t idle_ms,
                                                           int64_t user_timeout_ms) HSTREAM_NOEXCEPT;

/**
 * Sets the HTTP/2 receive windows of each call and of a connection: default 2 MiB and 32 MiB. The second must
 * be ten times the first at least, or connections end when small messages wait unread.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT, CONFIG.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_options_set_windows(struct hstream_client_options_t *client_options,
                                                  uint64_t stream_bytes,
                                                  uint64_t connection_bytes) HSTREAM_NOEXCEPT;

/**
 * Sets what may end all calls on the client and on what is made with it that have no cancel object themselves:
 * an object, and a function that is asked when it is triggered, as for `hstream_call_set_interrupt_check`. NULL
 * takes them away.
 *
 * May be NULL: `cancel`, `check`, `user_data`.
 *
 * **Ownership**: The options keep what they need of `cancel`. `user_data` stays yours, and must outlive the
 * client and what is made with it.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: NULL_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_options_set_interrupt(struct hstream_client_options_t *client_options,
                                                    struct hstream_cancel_t *HSTREAM_NULLABLE cancel,
                                                    hstream_interrupt_fn HSTREAM_NULLABLE check,
                                                    void *HSTREAM_NULLABLE user_data) HSTREAM_NOEXCEPT;

/**
 * Has events told to a function, on a thread of the client: nodes that are lost, consumers that connect anew, and
 * so on. The client never waits for it: of events that come while 1,024 are waiting, none is told, and they are
 * counted (HSTREAM_METRIC_EVENTS_DROPPED). NULL takes it away. `release` frees `user_data` when nothing will call
 * the function any more; not if this function fails, or without a function.
 *
 * After `hstream_client_close` or `hstream_client_free` of the client it is not called any more, also not for
 * producers and consumers that are still there. In it, `hstream_client_close` gives WOULD_DEADLOCK.
 *
 * May be NULL: `callback`, `user_data`, `release`.
 *
 * **Ownership**: `user_data` is the options' until it is released.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: NULL_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_options_set_event_callback(struct hstream_client_options_t *client_options,
                                                         hstream_event_fn HSTREAM_NULLABLE callback,
                                                         void *HSTREAM_NULLABLE user_data,
                                                         hstream_release_fn HSTREAM_NULLABLE release) HSTREAM_NOEXCEPT;

/**
 * Sets how many bytes of records all producers of the client may have on the way together, beside what each of
 * them may: default 0, which is no limit. Appends wait for room.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: NULL_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_options_set_buffer_bytes(struct hstream_client_options_t *client_options,
                                                       uint64_t bytes) HSTREAM_NOEXCEPT;

/**
 * Sets how appends without a producer are compressed where the call does not say it: HSTREAM_COMPRESSION_*, with
 * a level (gzip 0 to 9, zstd 1 to 22) or HSTREAM_LEVEL_DEFAULT. Default not at all.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT, COMPRESSION if this build lacks it.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_options_set_append_compression(struct hstream_client_options_t *client_options,
                                                             int32_t kind,
                                                             int32_t level) HSTREAM_NOEXCEPT;

/**
 * Sets an option by text; `hstream_options_schema_json` lists the keys and what they take. What contradicts
 * other options is found when a client connects.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: UNKNOWN_OPTION, INVALID_ARGUMENT, TLS, UTF8, UNSUPPORTED for TLS in a build without.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_options_set(struct hstream_client_options_t *client_options,
                                          const char *key,
                                          const char *value,
                                          struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Gets an option as text; secrets come as ***.
 *
 * May be NULL: `text_len`, `err`.
 *
 * **Ownership**: `*text` is yours, to be freed with `hstream_string_free`.
 * **Threads**: any, while it is not changed.
 * **Blocking**: no.
 * **Errors**: UNKNOWN_OPTION, UTF8, UNSUPPORTED for TLS in a build without.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_options_get(const struct hstream_client_options_t *client_options,
                                          const char *key,
                                          char **text,
                                          size_t *HSTREAM_NULLABLE text_len,
                                          struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Connects to a cluster, by asking the hosts of its URL in random order until one answers. With NULL for
 * options, to the server at 127.0.0.1:6570.
 *
 * May be NULL: `client_options`, `call`, `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_client_free`.
 * **Threads**: any.
 * **Blocking**: until the call's time-out.
 * **Errors**: INVALID_ARGUMENT, CONFIG, UNAVAILABLE, TIMEOUT, INTERRUPTED, RESOURCES.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_connect(const struct hstream_client_options_t *HSTREAM_NULLABLE client_options,
                                      const struct hstream_call_t *HSTREAM_NULLABLE call,
                                      struct hstream_client_t **out,
                                      struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Closes a client with all that was made with it: calls that are blocked end at once with CLOSED,
 * producers send what they hold and consumers their acks within the time. Closing twice is fine. Events are told
 * as long as there is time.
 *
 * May be NULL: `cancel`, `err`.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: until `timeout_ms`.
 * **Errors**: TIMEOUT if something was given up; it is closed all the same. INTERRUPTED. WOULD_DEADLOCK.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_close(struct hstream_client_t *client,
                                    int64_t timeout_ms,
                                    const struct hstream_cancel_t *HSTREAM_NULLABLE cancel,
                                    struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Frees a client. Calls that are blocked on it end with CLOSED; producers and consumers go on. Events are not told
 * any more; in the event callback itself, that call is the last.
 *
 * May be NULL: `client`.
 *
 * **Ownership**: `client` is gone after it.
 * **Threads**: any, once.
 * **Blocking**: until a running event callback has returned; the last handle of all waits up to 2 s for the I/O thread to end.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_client_free(struct hstream_client_t *HSTREAM_NULLABLE client) HSTREAM_NOEXCEPT;

/**
 * Sends a text to a node and gets it back: a sign of life.
 *
 * May be NULL: `call`, `text_len`, `err`.
 *
 * **Ownership**: `*text` is yours, to be freed with `hstream_string_free`.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: UNAVAILABLE, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_echo(struct hstream_client_t *client,
                                   const char *message,
                                   const struct hstream_call_t *HSTREAM_NULLABLE call,
                                   char **text,
                                   size_t *HSTREAM_NULLABLE text_len,
                                   struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Looks at the cluster again now. Calls do so by themselves when a node fails, and now and then.
 *
 * May be NULL: `call`, `err`.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: UNAVAILABLE, TIMEOUT, INTERRUPTED, CLOSED.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_refresh(struct hstream_client_t *client,
                                      const struct hstream_call_t *HSTREAM_NULLABLE call,
                                      struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Reads the certificate files again, for new connections. They are also read again when they have changed. If
 * they can't be used, the old ones stay.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: TLS, UNSUPPORTED without TLS.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_reload_tls(struct hstream_client_t *client,
                                         struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Sends this token from now on: base64 of user:password. Calls on the way are not touched.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT; CONFIG without TLS, if that was not allowed.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_set_auth_token(struct hstream_client_t *client,
                                             const void *token,
                                             size_t token_len,
                                             struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Sends these credentials from now on. Calls on the way are not touched.
 *
 * May be NULL: `password`, `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT for a user with a colon, UTF8; CONFIG without TLS, if that was not allowed.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_client_set_basic_auth(struct hstream_client_t *client,
                                             const char *user,
                                             const void *HSTREAM_NULLABLE password,
                                             size_t password_len,
                                             struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Has the lines of the library's log up to a level given to a function, on a thread of the log that is started
 * by the first line. The library never waits for the function: lines that come while 1,024 are waiting are lost.
 * What the function itself makes the library do is not logged. NULL removes the function. Replaced or removed, it
 * is not called any more when this returns, and it has got the lines of before. While there is none, lines go to
 * stderr as the environment variable HSTREAM_LOG says: the name of a level, or levels by target, as in
 * "hstreamdb::cluster=debug,warn", where the longest target that a line's begins with decides.
 *
 * May be NULL: `callback`, `user_data`, `release`, `err`.
 *
 * **Ownership**: `user_data` is the library's until it is released, if there is a function and all went well.
 * **Threads**: any.
 * **Blocking**: until the function that was there before has returned.
 * **Errors**: INVALID_ARGUMENT. WOULD_DEADLOCK in the function itself. INVALID_STATE in a Rust program that has
 * its own subscriber of `tracing`.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_log_set_callback(int32_t max_level,
                                        hstream_log_fn HSTREAM_NULLABLE callback,
                                        void *HSTREAM_NULLABLE user_data,
                                        hstream_release_fn HSTREAM_NULLABLE release,
                                        struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Sets up to which level lines are told: HSTREAM_LOG_*. It holds until a function is set or removed.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, also the function that gets the lines.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_log_set_level(int32_t max_level) HSTREAM_NOEXCEPT;

/**
 * Returns the name of a level, such as "WARN"; "UNKNOWN" for other numbers.
 *
 * **Ownership**: The result is static.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_log_level_name(int32_t level) HSTREAM_NOEXCEPT;

/**
 * Returns how many lines were lost because the function was slow.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
uint64_t hstream_log_dropped(void) HSTREAM_NOEXCEPT;

/**
 * Returns what happened: HSTREAM_EVENT_*. New ones may come.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int32_t hstream_event_kind(const struct hstream_event_t *event) HSTREAM_NOEXCEPT;

/**
 * Returns what the event is about: HSTREAM_SUBJECT_*.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int32_t hstream_event_subject_kind(const struct hstream_event_t *event) HSTREAM_NOEXCEPT;

/**
 * Returns the stream or the subscription; "" for the client.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `event`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_event_subject(const struct hstream_event_t *event,
                                  size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Returns what a consumer is doing now, HSTREAM_STATE_*, in events of HSTREAM_EVENT_CONSUMER_STATE; -1 in others.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int32_t hstream_event_state(const struct hstream_event_t *event) HSTREAM_NOEXCEPT;

/**
 * Returns the node, as host:port; "" if it has to do with none.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `event`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_event_address(const struct hstream_event_t *event,
                                  size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Returns why, if something failed; NULL if not.
 *
 * **Ownership**: The result is borrowed from `event`; `hstream_error_clone` keeps it.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const struct hstream_error_t *HSTREAM_NULLABLE hstream_event_error(const struct hstream_event_t *event) HSTREAM_NOEXCEPT;

/**
 * Returns when it happened, in milliseconds since 1970.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int64_t hstream_event_time_ms(const struct hstream_event_t *event) HSTREAM_NOEXCEPT;

/**
 * Writes everything about an event as one JSON object, with a line for people as its `message`. Keys are only
 * added.
 *
 * May be NULL: `text_len`.
 *
 * **Ownership**: `*text` is yours, to be freed with `hstream_string_free`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: NULL_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_event_to_json(const struct hstream_event_t *event,
                                     char **text,
                                     size_t *HSTREAM_NULLABLE text_len) HSTREAM_NOEXCEPT;

/**
 * Writes what the client, its producers and its consumers have counted, and what they do, as one JSON object. It
 * asks no server. Keys are only added; what is not known is null:
 *
 *   totals        an object with each HSTREAM_METRIC_* by its name in small letters
 *   nodes         for each node: address, state ("well" or "in_trouble"), last_success_age_ms, last_error,
 *                 in_flight, calls, failures, latency_us
 *   producers     for each: pending_records, pending_bytes
 *   consumers     for each: subscription, name, state, last_record_age_ms, records, bytes, unacked,
 *                 pending_acks, reconnects
 *   view_age_ms   when the cluster was looked at last
 *   tls           client_certificate_expires_ms, server_certificate_expires_ms, since 1970
 *
 * latency_us has count, sum, p50, p90, p99 and max, in microseconds.
 *
 * May be NULL: `text_len`, `err`.
 *
 * **Ownership**: `*text` is yours, to be freed with `hstream_string_free`.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: NULL_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_metrics_json(struct hstream_client_t *client,
                                           char **text,
                                           size_t *HSTREAM_NULLABLE text_len,
                                           struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Returns one number, HSTREAM_METRIC_*; 0 for others.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
uint64_t hstream_client_metric(struct hstream_client_t *client,
                               int32_t metric) HSTREAM_NOEXCEPT;

/**
 * Makes options, all default: one shard, one copy, kept for ever.
 *
 * **Ownership**: The result is yours, to be freed with `hstream_stream_options_free`; NULL if there is
 * none.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
struct hstream_stream_options_t *HSTREAM_NULLABLE hstream_stream_options_new(void) HSTREAM_NOEXCEPT;

/**
 * Frees options.
 *
 * May be NULL: `stream_options`.
 *
 * **Ownership**: `stream_options` is gone after it.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_stream_options_free(struct hstream_stream_options_t *HSTREAM_NULLABLE stream_options) HSTREAM_NOEXCEPT;

/**
 * Sets how many copies of each record the store keeps: default 1.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_stream_options_set_replication_factor(struct hstream_stream_options_t *stream_options,
                                                             uint32_t factor) HSTREAM_NOEXCEPT;

/**
 * Sets how many shards it has, for good: default 1.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_stream_options_set_shard_count(struct hstream_stream_options_t *stream_options,
                                                      uint32_t count) HSTREAM_NOEXCEPT;

/**
 * Sets how long records are kept: default 0, which is for ever.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: NULL_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_stream_options_set_backlog_seconds(struct hstream_stream_options_t *stream_options,
                                                          uint32_t seconds) HSTREAM_NOEXCEPT;

/**
 * Sets any option by text. The keys are the names of the setters with dots, and `hstream_options_schema_json`
 * lists them with what they take.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: UNKNOWN_OPTION, INVALID_ARGUMENT, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_stream_options_set(struct hstream_stream_options_t *stream_options,
                                          const char *key,
                                          const char *value,
                                          struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Creates a stream. A call that timed out may have left a stream with fewer shards.
 *
 * May be NULL: `stream_options`, `call`, `out`, `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_stream_free`.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: STREAM_EXISTS, INVALID_ARGUMENT, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_create_stream(struct hstream_client_t *client,
                                            const char *name,
                                            const struct hstream_stream_options_t *HSTREAM_NULLABLE stream_options,
                                            const struct hstream_call_t *HSTREAM_NULLABLE call,
                                            struct hstream_stream_t **HSTREAM_NULLABLE out,
                                            struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Lists the streams whose name begins so, sorted by name; NULL or "" lists all.
 *
 * May be NULL: `prefix`, `call`, `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_streams_free`.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: UNAVAILABLE, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_list_streams(struct hstream_client_t *client,
                                           const char *HSTREAM_NULLABLE prefix,
                                           const struct hstream_call_t *HSTREAM_NULLABLE call,
                                           struct hstream_streams_t **out,
                                           struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Gets a stream by name.
 *
 * May be NULL: `call`, `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_stream_free`.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: STREAM_NOT_FOUND, INVALID_ARGUMENT, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_get_stream(struct hstream_client_t *client,
                                         const char *name,
                                         const struct hstream_call_t *HSTREAM_NULLABLE call,
                                         struct hstream_stream_t **out,
                                         struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Deletes a stream with its records. HSTREAM_DELETE_FORCE: also one with subscriptions, which keep
 * delivering what was there. HSTREAM_DELETE_IGNORE_MISSING: one that is not there is no error.
 *
 * May be NULL: `call`, `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: STREAM_NOT_FOUND, STREAM_FOUND_SUBSCRIPTION, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_delete_stream(struct hstream_client_t *client,
                                            const char *name,
                                            uint32_t flags,
                                            const struct hstream_call_t *HSTREAM_NULLABLE call,
                                            struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Says whether there is a stream of this name: 1 or 0.
 *
 * May be NULL: `call`, `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: INVALID_ARGUMENT, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_stream_exists(struct hstream_client_t *client,
                                            const char *name,
                                            const struct hstream_call_t *HSTREAM_NULLABLE call,
                                            int32_t *exists,
                                            struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Frees a list with its elements.
 *
 * May be NULL: `streams`.
 *
 * **Ownership**: `streams` is gone after it.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_streams_free(struct hstream_streams_t *HSTREAM_NULLABLE streams) HSTREAM_NOEXCEPT;

/**
 * Returns the number of elements.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
size_t hstream_streams_count(const struct hstream_streams_t *streams) HSTREAM_NOEXCEPT;

/**
 * Returns an element; NULL beyond the last.
 *
 * **Ownership**: The result is borrowed from `streams`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const struct hstream_stream_t *HSTREAM_NULLABLE hstream_streams_at(const struct hstream_streams_t *streams,
                                                  size_t index) HSTREAM_NOEXCEPT;

/**
 * Frees a stream's description; the stream stays.
 *
 * May be NULL: `stream`.
 *
 * **Ownership**: `stream` is gone after it.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_stream_free(struct hstream_stream_t *HSTREAM_NULLABLE stream) HSTREAM_NOEXCEPT;

/**
 * Copies a description: to keep an element of a list.
 *
 * **Ownership**: The result is yours, to be freed with `hstream_stream_free`; NULL if there is none.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
struct hstream_stream_t *HSTREAM_NULLABLE hstream_stream_clone(const struct hstream_stream_t *stream) HSTREAM_NOEXCEPT;

/**
 * Returns its name.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `stream`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_stream_name(const struct hstream_stream_t *stream,
                                size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Returns how many copies of each record the store keeps.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
uint32_t hstream_stream_replication_factor(const struct hstream_stream_t *stream) HSTREAM_NOEXCEPT;

/**
 * Returns how many shards it has.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
uint32_t hstream_stream_shard_count(const struct hstream_stream_t *stream) HSTREAM_NOEXCEPT;

/**
 * Returns how long records are kept; 0 is for ever.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
uint32_t hstream_stream_backlog_seconds(const struct hstream_stream_t *stream) HSTREAM_NOEXCEPT;

/**
 * Returns when it was created, in milliseconds since 1970; 0 if unknown.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int64_t hstream_stream_creation_time_ms(const struct hstream_stream_t *stream) HSTREAM_NOEXCEPT;

/**
 * Writes everything about it as one JSON object. Keys are only added.
 *
 * May be NULL: `text_len`.
 *
 * **Ownership**: `*text` is yours, to be freed with `hstream_string_free`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: NULL_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_stream_to_json(const struct hstream_stream_t *stream,
                                      char **text,
                                      size_t *HSTREAM_NULLABLE text_len) HSTREAM_NOEXCEPT;

/**
 * Lists the shards of a stream, sorted by key range, as the server has them now.
 *
 * May be NULL: `call`, `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_shards_free`.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: STREAM_NOT_FOUND, INVALID_ARGUMENT, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_list_shards(struct hstream_client_t *client,
                                          const char *stream,
                                          const struct hstream_call_t *HSTREAM_NULLABLE call,
                                          struct hstream_shards_t **out,
                                          struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Gets the shard that records with this key go to.
 *
 * May be NULL: `key`, `call`, `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: STREAM_NOT_FOUND, INVALID_ARGUMENT, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_shard_for_key(struct hstream_client_t *client,
                                            const char *stream,
                                            const void *HSTREAM_NULLABLE key,
                                            size_t key_len,
                                            const struct hstream_call_t *HSTREAM_NULLABLE call,
                                            uint64_t *shard_id,
                                            struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Gets the position of a shard's tail: at or behind its last record, with the index 0.
 *
 * May be NULL: `call`, `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: GRPC_NOT_FOUND, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_tail_record_id(struct hstream_client_t *client,
                                             const char *stream,
                                             uint64_t shard_id,
                                             const struct hstream_call_t *HSTREAM_NULLABLE call,
                                             struct hstream_record_id_t *tail,
                                             struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Frees a list with its elements.
 *
 * May be NULL: `shards`.
 *
 * **Ownership**: `shards` is gone after it.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_shards_free(struct hstream_shards_t *HSTREAM_NULLABLE shards) HSTREAM_NOEXCEPT;

/**
 * Returns the number of elements.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
size_t hstream_shards_count(const struct hstream_shards_t *shards) HSTREAM_NOEXCEPT;

/**
 * Returns an element; NULL beyond the last.
 *
 * **Ownership**: The result is borrowed from `shards`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const struct hstream_shard_t *HSTREAM_NULLABLE hstream_shards_at(const struct hstream_shards_t *shards,
                                                size_t index) HSTREAM_NOEXCEPT;

/**
 * Returns the shard that records with this key go to, without asking a server; NULL if there is none.
 *
 * May be NULL: `key`.
 *
 * **Ownership**: The result is borrowed from `shards`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const struct hstream_shard_t *HSTREAM_NULLABLE hstream_shards_find_key(const struct hstream_shards_t *shards,
                                                      const void *HSTREAM_NULLABLE key,
                                                      size_t key_len) HSTREAM_NOEXCEPT;

/**
 * Frees a shard's description.
 *
 * May be NULL: `shard`.
 *
 * **Ownership**: `shard` is gone after it.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_shard_free(struct hstream_shard_t *HSTREAM_NULLABLE shard) HSTREAM_NOEXCEPT;

/**
 * Copies a description: to keep an element of a list.
 *
 * **Ownership**: The result is yours, to be freed with `hstream_shard_free`; NULL if there is none.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
struct hstream_shard_t *HSTREAM_NULLABLE hstream_shard_clone(const struct hstream_shard_t *shard) HSTREAM_NOEXCEPT;

/**
 * Returns its id, unique in the cluster.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
uint64_t hstream_shard_id(const struct hstream_shard_t *shard) HSTREAM_NOEXCEPT;

/**
 * Returns the stream it belongs to.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `shard`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_shard_stream_name(const struct hstream_shard_t *shard,
                                      size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Returns the first key hash of its range, as a decimal number of up to 128 bits.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `shard`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_shard_start_key(const struct hstream_shard_t *shard,
                                    size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Returns the last key hash of its range, inclusive, as a decimal number.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `shard`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_shard_end_key(const struct hstream_shard_t *shard,
                                  size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Returns its epoch: the stream's shard count at its creation.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
uint64_t hstream_shard_epoch(const struct hstream_shard_t *shard) HSTREAM_NOEXCEPT;

/**
 * Returns 1 if it takes appends, else 0.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int32_t hstream_shard_is_active(const struct hstream_shard_t *shard) HSTREAM_NOEXCEPT;

/**
 * Writes the hash that decides where a key goes: 16 bytes, the most significant first. `hash` has room for
 * 16 bytes. A key that is not UTF-8 goes nowhere: then nothing is written.
 *
 * May be NULL: `key`.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_key_hash(const void *HSTREAM_NULLABLE key,
                      size_t key_len,
                      uint8_t *hash) HSTREAM_NOEXCEPT;

/**
 * Writes a record id as "shard-batch-index", with its terminator. HSTREAM_RECORD_ID_TEXT_SIZE is always
 * enough; the size needed is written in any case.
 *
 * May be NULL: `buffer`, `needed`.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: BUFFER_TOO_SMALL.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_record_id_format(const struct hstream_record_id_t *value,
                                        char *HSTREAM_NULLABLE buffer,
                                        size_t capacity,
                                        size_t *HSTREAM_NULLABLE needed) HSTREAM_NOEXCEPT;

/**
 * Reads a record id from its text.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_record_id_parse(const void *text,
                                       size_t text_len,
                                       struct hstream_record_id_t *value,
                                       struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Compares two record ids by shard, batch and index: -1, 0 or 1. NULL comes first. Ids of different shards
 * have no order; between them it only serves for sorting.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int32_t hstream_record_id_compare(const struct hstream_record_id_t *a,
                                  const struct hstream_record_id_t *b) HSTREAM_NOEXCEPT;

/**
 * Sets an offset to the first record that is kept.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_offset_earliest(struct hstream_offset_t *value) HSTREAM_NOEXCEPT;

/**
 * Sets an offset to the place behind the last record.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_offset_latest(struct hstream_offset_t *value) HSTREAM_NOEXCEPT;

/**
 * Sets an offset to a record. Of NULL it becomes one that is refused where it is used.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_offset_at_record(const struct hstream_record_id_t *record,
                              struct hstream_offset_t *value) HSTREAM_NOEXCEPT;

/**
 * Sets an offset to the first record stored at or after a time. `flags` is HSTREAM_OFFSET_STRICT, or 0 for one that may be
 * some minutes earlier, which is less effort for the server.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_offset_at_time(int64_t timestamp_ms,
                            uint32_t flags,
                            struct hstream_offset_t *value) HSTREAM_NOEXCEPT;

/**
 * Makes a record of any bytes; none at all is fine.
 *
 * May be NULL: `payload`, `key`, `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_record_free`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: UTF8 of the key, INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_record_new_raw(const void *HSTREAM_NULLABLE payload,
                                      size_t payload_len,
                                      const void *HSTREAM_NULLABLE key,
                                      size_t key_len,
                                      struct hstream_record_t **out,
                                      struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Makes a record of a JSON object.
 *
 * May be NULL: `key`, `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_record_free`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: JSON, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_record_new_json(const void *json,
                                       size_t json_len,
                                       const void *HSTREAM_NULLABLE key,
                                       size_t key_len,
                                       struct hstream_record_t **out,
                                       struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Makes a record of an hrecord, which is copied.
 *
 * May be NULL: `key`, `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_record_free`.
 * **Threads**: any, while `hrecord` is not changed.
 * **Blocking**: no.
 * **Errors**: JSON, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_record_new_hrecord(const struct hstream_hrecord_t *hrecord,
                                          const void *HSTREAM_NULLABLE key,
                                          size_t key_len,
                                          struct hstream_record_t **out,
                                          struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Copies a record with its payload, also one that was lent; a received one keeps its id and time.
 *
 * **Ownership**: The result is yours, to be freed with `hstream_record_free`; NULL if there is none.
 * **Threads**: any, while it is not changed.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
struct hstream_record_t *HSTREAM_NULLABLE hstream_record_clone(const struct hstream_record_t *record) HSTREAM_NOEXCEPT;

/**
 * Frees a record.
 *
 * May be NULL: `record`.
 *
 * **Ownership**: `record` is gone after it.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_record_free(struct hstream_record_t *HSTREAM_NULLABLE record) HSTREAM_NOEXCEPT;

/**
 * Sets the partition key; empty is none.
 *
 * May be NULL: `key`, `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: UTF8, INVALID_STATE for a lent one.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_record_set_key(struct hstream_record_t *record,
                                      const void *HSTREAM_NULLABLE key,
                                      size_t key_len,
                                      struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Sets an attribute: a name and a text that travel beside the payload.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: UTF8, INVALID_STATE for a lent one.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_record_set_attribute(struct hstream_record_t *record,
                                            const char *name,
                                            const void *value,
                                            size_t value_len,
                                            struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Takes an attribute out; returns 1 if it was there, else 0.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int32_t hstream_record_remove_attribute(struct hstream_record_t *record,
                                        const char *name) HSTREAM_NOEXCEPT;

/**
 * Returns how the payload is to be read: HSTREAM_RECORD_JSON or HSTREAM_RECORD_RAW.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, while it is not changed.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int32_t hstream_record_kind(const struct hstream_record_t *record) HSTREAM_NOEXCEPT;

/**
 * Returns HSTREAM_OK, or why a received record can't be read: DECODE, COMPRESSION. It can be acked all the
 * same.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, while it is not changed.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_record_code(const struct hstream_record_t *record) HSTREAM_NOEXCEPT;

/**
 * Returns the payload: the bytes of a raw record, the encoded Struct of a JSON one.
 *
 * **Ownership**: The result is borrowed from `record`.
 * **Threads**: any, while it is not changed.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const void *HSTREAM_NULLABLE hstream_record_payload(const struct hstream_record_t *record,
                                   size_t *len) HSTREAM_NOEXCEPT;

/**
 * Returns the partition key; "" if there is none.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `record`.
 * **Threads**: any, while it is not changed.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_record_key(const struct hstream_record_t *record,
                               size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Returns the number of attributes.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, while it is not changed.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
size_t hstream_record_attribute_count(const struct hstream_record_t *record) HSTREAM_NOEXCEPT;

/**
 * Returns the name of an attribute, in sorted order; "" beyond the last.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `record`.
 * **Threads**: any, while it is not changed.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_record_attribute_name_at(const struct hstream_record_t *record,
                                             size_t index,
                                             size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Returns the value of an attribute, in the order of the names; "" beyond the last.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `record`.
 * **Threads**: any, while it is not changed.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_record_attribute_value_at(const struct hstream_record_t *record,
                                              size_t index,
                                              size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Returns the value of an attribute; "" if there is none. `present` says which: 1 or 0.
 *
 * May be NULL: `present`, `len`.
 *
 * **Ownership**: The result is borrowed from `record`.
 * **Threads**: any, while it is not changed.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_record_attribute(const struct hstream_record_t *record,
                                     const char *name,
                                     int32_t *HSTREAM_NULLABLE present,
                                     size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Gets the id of a received record.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, while it is not changed.
 * **Blocking**: no.
 * **Errors**: INVALID_STATE for one that was not received.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_record_id(const struct hstream_record_t *record,
                                 struct hstream_record_id_t *value) HSTREAM_NOEXCEPT;

/**
 * Returns when the server stored a received record, in milliseconds since 1970; 0 if unknown.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, while it is not changed.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int64_t hstream_record_publish_time_ms(const struct hstream_record_t *record) HSTREAM_NOEXCEPT;

/**
 * Returns the encoded size, which is what limits count.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, while it is not changed.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
size_t hstream_record_size(const struct hstream_record_t *record) HSTREAM_NOEXCEPT;

/**
 * Writes the JSON object in the payload.
 *
 * May be NULL: `text_len`, `err`.
 *
 * **Ownership**: `*text` is yours, to be freed with `hstream_string_free`.
 * **Threads**: any, while it is not changed.
 * **Blocking**: no.
 * **Errors**: INVALID_STATE for a raw record, DECODE, JSON for NaN and infinities.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_record_to_json(const struct hstream_record_t *record,
                                      char **text,
                                      size_t *HSTREAM_NULLABLE text_len,
                                      struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Reads the JSON object in the payload.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_hrecord_free`.
 * **Threads**: any, while it is not changed.
 * **Blocking**: no.
 * **Errors**: INVALID_STATE for a raw record, DECODE.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_record_to_hrecord(const struct hstream_record_t *record,
                                         struct hstream_hrecord_t **out,
                                         struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Makes an empty object.
 *
 * **Ownership**: The result is yours, to be freed with `hstream_hrecord_free`; NULL if there is none.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
struct hstream_hrecord_t *HSTREAM_NULLABLE hstream_hrecord_new(void) HSTREAM_NOEXCEPT;

/**
 * Reads a JSON object. Integers that a double can't hold exactly are refused rather than rounded.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_hrecord_free`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: JSON, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_hrecord_from_json(const void *json,
                                         size_t json_len,
                                         struct hstream_hrecord_t **out,
                                         struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Writes it as JSON. Whole numbers come without a fraction.
 *
 * May be NULL: `text_len`, `err`.
 *
 * **Ownership**: `*text` is yours, to be freed with `hstream_string_free`.
 * **Threads**: any, while it is not changed.
 * **Blocking**: no.
 * **Errors**: JSON for NaN and infinities.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_hrecord_to_json(const struct hstream_hrecord_t *hrecord,
                                       char **text,
                                       size_t *HSTREAM_NULLABLE text_len,
                                       struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Copies it.
 *
 * **Ownership**: The result is yours, to be freed with `hstream_hrecord_free`; NULL if there is none.
 * **Threads**: any, while it is not changed.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
struct hstream_hrecord_t *HSTREAM_NULLABLE hstream_hrecord_clone(const struct hstream_hrecord_t *hrecord) HSTREAM_NOEXCEPT;

/**
 * Frees it.
 *
 * May be NULL: `hrecord`.
 *
 * **Ownership**: `hrecord` is gone after it.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_hrecord_free(struct hstream_hrecord_t *HSTREAM_NULLABLE hrecord) HSTREAM_NOEXCEPT;

/**
 * Returns the number of fields.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, while it is not changed.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
size_t hstream_hrecord_field_count(const struct hstream_hrecord_t *hrecord) HSTREAM_NOEXCEPT;

/**
 * Returns the name of a field, in sorted order; "" beyond the last.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `hrecord`.
 * **Threads**: any, while it is not changed.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_hrecord_field_name_at(const struct hstream_hrecord_t *hrecord,
                                          size_t index,
                                          size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Returns the type of a field: HSTREAM_TYPE_*.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: any, while it is not changed.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int32_t hstream_hrecord_type(const struct hstream_hrecord_t *hrecord,
                             const char *field) HSTREAM_NOEXCEPT;

/**
 * Sets a field to null.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_hrecord_set_null(struct hstream_hrecord_t *hrecord,
                                        const char *field,
                                        struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Sets a field to false or true: 0 or 1.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: UTF8, INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_hrecord_set_bool(struct hstream_hrecord_t *hrecord,
                                        const char *field,
                                        int32_t value,
                                        struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Sets a field to a number. NaN and infinities can be appended, but are no JSON.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_hrecord_set_number(struct hstream_hrecord_t *hrecord,
                                          const char *field,
                                          double value,
                                          struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Sets a field to a text.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_hrecord_set_string(struct hstream_hrecord_t *hrecord,
                                          const char *field,
                                          const void *value,
                                          size_t value_len,
                                          struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Sets a field to any JSON value: a list, an object, or something simpler.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: JSON, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_hrecord_set_json(struct hstream_hrecord_t *hrecord,
                                        const char *field,
                                        const void *json,
                                        size_t json_len,
                                        struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Gets a truth value: 0 or 1.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: any, while it is not changed.
 * **Blocking**: no.
 * **Errors**: INVALID_STATE if it is absent or of another type, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_hrecord_get_bool(const struct hstream_hrecord_t *hrecord,
                                        const char *field,
                                        int32_t *value) HSTREAM_NOEXCEPT;

/**
 * Gets a number.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: any, while it is not changed.
 * **Blocking**: no.
 * **Errors**: INVALID_STATE if it is absent or of another type, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_hrecord_get_number(const struct hstream_hrecord_t *hrecord,
                                          const char *field,
                                          double *value) HSTREAM_NOEXCEPT;

/**
 * Returns a text; "" if the field is absent or of another type, so ask for the type first.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `hrecord`.
 * **Threads**: any, while it is not changed.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_hrecord_get_string(const struct hstream_hrecord_t *hrecord,
                                       const char *field,
                                       size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Writes the value of a field as JSON.
 *
 * May be NULL: `text_len`, `err`.
 *
 * **Ownership**: `*text` is yours, to be freed with `hstream_string_free`.
 * **Threads**: any, while it is not changed.
 * **Blocking**: no.
 * **Errors**: INVALID_STATE if it is absent, JSON for NaN and infinities, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_hrecord_get_json(const struct hstream_hrecord_t *hrecord,
                                        const char *field,
                                        char **text,
                                        size_t *HSTREAM_NULLABLE text_len,
                                        struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Takes a field out; returns 1 if it was there, else 0.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int32_t hstream_hrecord_remove(struct hstream_hrecord_t *hrecord,
                               const char *field) HSTREAM_NOEXCEPT;

/**
 * Makes options, all default: as the client's options say.
 *
 * **Ownership**: The result is yours, to be freed with `hstream_append_options_free`; NULL if there is
 * none.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
struct hstream_append_options_t *HSTREAM_NULLABLE hstream_append_options_new(void) HSTREAM_NOEXCEPT;

/**
 * Frees options.
 *
 * May be NULL: `append_options`.
 *
 * **Ownership**: `append_options` is gone after it.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_append_options_free(struct hstream_append_options_t *HSTREAM_NULLABLE append_options) HSTREAM_NOEXCEPT;

/**
 * Sets the compression: HSTREAM_COMPRESSION_*, with a level (gzip 0 to 9, zstd 1 to 22) or
 * HSTREAM_LEVEL_DEFAULT. Default is `hstream_client_options_set_append_compression` of the client.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT, COMPRESSION if this build lacks it.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_append_options_set_compression(struct hstream_append_options_t *append_options,
                                                      int32_t kind,
                                                      int32_t level) HSTREAM_NOEXCEPT;

/**
 * Sets any option by text: compression.kind (none, gzip, zstd) and compression.level (a number, or default).
 *
 * May be NULL: `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: UNKNOWN_OPTION, INVALID_ARGUMENT, COMPRESSION if this build lacks it, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_append_options_set(struct hstream_append_options_t *append_options,
                                          const char *key,
                                          const char *value,
                                          struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Appends records and waits until they are written. They go to the shards of their keys, in as few batches
 * as possible. A batch whose outcome is unknown is sent again, so a record may be written twice, but is
 * not lost. `ids` and `codes` have room for `count` elements and are always written: what became of each
 * record.
 *
 * May be NULL: `append_options`, `call`, `ids`, `codes`, `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: the first failure: OK only if all are written. STREAM_NOT_FOUND, RECORD_TOO_LARGE, TIMEOUT,
 * CLOSED.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_append(struct hstream_client_t *client,
                                     const char *stream,
                                     const struct hstream_record_t *const *records,
                                     size_t count,
                                     const struct hstream_append_options_t *HSTREAM_NULLABLE append_options,
                                     const struct hstream_call_t *HSTREAM_NULLABLE call,
                                     struct hstream_record_id_t *HSTREAM_NULLABLE ids,
                                     hstream_code_t *HSTREAM_NULLABLE codes,
                                     struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Appends one record of any bytes and waits until it is written; a batch whose outcome is unknown is sent
 * again.
 *
 * May be NULL: `key`, `payload`, `call`, `value`, `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: STREAM_NOT_FOUND, RECORD_TOO_LARGE, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_append_raw(struct hstream_client_t *client,
                                         const char *stream,
                                         const void *HSTREAM_NULLABLE key,
                                         size_t key_len,
                                         const void *HSTREAM_NULLABLE payload,
                                         size_t payload_len,
                                         const struct hstream_call_t *HSTREAM_NULLABLE call,
                                         struct hstream_record_id_t *HSTREAM_NULLABLE value,
                                         struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Appends one JSON object and waits until it is written; a batch whose outcome is unknown is sent again.
 *
 * May be NULL: `key`, `call`, `value`, `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: JSON, STREAM_NOT_FOUND, RECORD_TOO_LARGE, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_append_json(struct hstream_client_t *client,
                                          const char *stream,
                                          const void *HSTREAM_NULLABLE key,
                                          size_t key_len,
                                          const void *json,
                                          size_t json_len,
                                          const struct hstream_call_t *HSTREAM_NULLABLE call,
                                          struct hstream_record_id_t *HSTREAM_NULLABLE value,
                                          struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Appends records to a shard of the caller's choice, whatever their keys, as one batch: all or nothing.
 * `ids` has room for `count` elements and is always written, with zeros if nothing was.
 *
 * May be NULL: `append_options`, `call`, `ids`, `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: RECORD_TOO_LARGE if they do not fit into a batch together, GRPC_NOT_FOUND, TIMEOUT,
 * INTERRUPTED, CLOSED.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_append_to_shard(struct hstream_client_t *client,
                                              const char *stream,
                                              uint64_t shard_id,
                                              const struct hstream_record_t *const *records,
                                              size_t count,
                                              const struct hstream_append_options_t *HSTREAM_NULLABLE append_options,
                                              const struct hstream_call_t *HSTREAM_NULLABLE call,
                                              struct hstream_record_id_t *HSTREAM_NULLABLE ids,
                                              struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Makes options, all default: batches go as soon as their shard is idle, nothing is reported.
 *
 * **Ownership**: The result is yours, to be freed with `hstream_producer_options_free`; NULL if there is
 * none.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
struct hstream_producer_options_t *HSTREAM_NULLABLE hstream_producer_options_new(void) HSTREAM_NOEXCEPT;

/**
 * Copies options; a callback's user data is shared.
 *
 * **Ownership**: The result is yours, to be freed with `hstream_producer_options_free`; NULL if there is
 * none.
 * **Threads**: any, while it is not changed.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
struct hstream_producer_options_t *HSTREAM_NULLABLE hstream_producer_options_clone(const struct hstream_producer_options_t *producer_options) HSTREAM_NOEXCEPT;

/**
 * Frees options. The callback's user data is released when the producers made with them are gone as well.
 *
 * May be NULL: `producer_options`.
 *
 * **Ownership**: `producer_options` is gone after it.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_producer_options_free(struct hstream_producer_options_t *HSTREAM_NULLABLE producer_options) HSTREAM_NOEXCEPT;

/**
 * Sets the most records in a batch: default 0, which is no limit but that of the bytes.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: NULL_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_producer_options_set_batch_records(struct hstream_producer_options_t *producer_options,
                                                          uint32_t count) HSTREAM_NOEXCEPT;

/**
 * Sets the most encoded bytes in a batch, before compression: default 0, which is 1,044,480, the most.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_producer_options_set_batch_bytes(struct hstream_producer_options_t *producer_options,
                                                        uint64_t bytes) HSTREAM_NOEXCEPT;

/**
 * Sets when a batch that is not full goes. 0, the default: as soon as its shard has nothing in flight, and
 * the next one grows meanwhile. More: at this age. -1: never by itself, a flush sends it.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_producer_options_set_linger_ms(struct hstream_producer_options_t *producer_options,
                                                      int64_t age_ms) HSTREAM_NOEXCEPT;

/**
 * Sets how many bytes of records may be on the way: default 64 MiB. Appends wait for room. A shard that is written to
 * keeps room for the records that are likely to follow, 16 KiB at most, until its open batch is sent.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_producer_options_set_buffer_bytes(struct hstream_producer_options_t *producer_options,
                                                         uint64_t bytes) HSTREAM_NOEXCEPT;

/**
 * Sets how many records may be on the way, with those whose report was not handed over: default 1,000,000.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_producer_options_set_buffer_records(struct hstream_producer_options_t *producer_options,
                                                           uint64_t count) HSTREAM_NOEXCEPT;

/**
 * Sets how batches are compressed: HSTREAM_COMPRESSION_*, with a level (gzip 0 to 9, zstd 1 to 22) or
 * HSTREAM_LEVEL_DEFAULT. Default not at all.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT, COMPRESSION if this build lacks it.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_producer_options_set_compression(struct hstream_producer_options_t *producer_options,
                                                        int32_t kind,
                                                        int32_t level) HSTREAM_NOEXCEPT;

/**
 * Sets how long after its first record a batch is given up: default 120,000; -1 is never.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_producer_options_set_delivery_timeout_ms(struct hstream_producer_options_t *producer_options,
                                                                int64_t timeout_ms) HSTREAM_NOEXCEPT;

/**
 * Sets how often a batch is tried again, and the pauses between: default -1, which is until the delivery
 * time-out, 100 and 5,000.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT, CONFIG.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_producer_options_set_retry(struct hstream_producer_options_t *producer_options,
                                                  int32_t max_retries,
                                                  int64_t first_backoff_ms,
                                                  int64_t max_backoff_ms) HSTREAM_NOEXCEPT;

/**
 * Sets whether a batch is sent again when nobody knows whether it was written. 1, the default: rather
 * twice than not at all. 0: such records are reported as unknown.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_producer_options_set_retry_ambiguous(struct hstream_producer_options_t *producer_options,
                                                            int32_t on) HSTREAM_NOEXCEPT;

/**
 * Sets the most appends in flight over all shards: default 64.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_producer_options_set_workers(struct hstream_producer_options_t *producer_options,
                                                    uint32_t count) HSTREAM_NOEXCEPT;

/**
 * Sets the most appends in flight on one shard: default 1, which keeps the order. With more, the batches of a
 * shard are written in any order, and so are the records of one key.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_producer_options_set_in_flight_per_shard(struct hstream_producer_options_t *producer_options,
                                                                uint32_t batches) HSTREAM_NOEXCEPT;

/**
 * Sets what happens on a shard after one of its batches has failed for good: HSTREAM_FAILURE_*, default
 * HSTREAM_FAILURE_ABORT_QUEUED, which writes nothing behind a failure before its report was handed over, and
 * lets what failed be appended again in its place.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_producer_options_set_failure_policy(struct hstream_producer_options_t *producer_options,
                                                           int32_t policy) HSTREAM_NOEXCEPT;

/**
 * Sets what happens to records for a stream that was deleted and created anew, and whose shards are therefore
 * gone: HSTREAM_RECREATED_*. Default HSTREAM_RECREATED_FAIL: they fail, and so do further appends with the same
 * appender; one that is opened after that is of the new stream.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_producer_options_set_recreated_stream(struct hstream_producer_options_t *producer_options,
                                                             int32_t policy) HSTREAM_NOEXCEPT;

/**
 * Sets whether records without a key go to all shards in turn, instead of to the one that the empty key hashes
 * to: default 0, as in all other clients.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_producer_options_set_spread_keyless(struct hstream_producer_options_t *producer_options,
                                                           int32_t on) HSTREAM_NOEXCEPT;

/**
 * Sets what is reported, where reports are called back or polled: HSTREAM_REPORTS_*, default all.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_producer_options_set_reports(struct hstream_producer_options_t *producer_options,
                                                    int32_t which) HSTREAM_NOEXCEPT;

/**
 * Sets which reports lend their records back, to be kept elsewhere or appended again: HSTREAM_REPORTS_*, default
 * HSTREAM_REPORTS_FAILURES. Lent records keep their room in the buffer until their report is handed over.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_producer_options_set_report_records(struct hstream_producer_options_t *producer_options,
                                                           int32_t which) HSTREAM_NOEXCEPT;

/**
 * Sets whether reports are kept until `hstream_producer_poll` takes them: default 0.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_producer_options_set_report_polling(struct hstream_producer_options_t *producer_options,
                                                           int32_t on) HSTREAM_NOEXCEPT;

/**
 * Has reports delivered to a function, batch by batch, on a thread of the producer. `release` frees
 * `user_data` when nothing will call the function any more; not if this function fails.
 *
 * May be NULL: `user_data`, `release`.
 *
 * **Ownership**: `user_data` is the options' until it is released.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: NULL_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_producer_options_set_delivery_callback(struct hstream_producer_options_t *producer_options,
                                                              hstream_delivery_fn callback,
                                                              void *HSTREAM_NULLABLE user_data,
                                                              hstream_release_fn HSTREAM_NULLABLE release) HSTREAM_NOEXCEPT;

/**
 * Sets any option by text. The keys are the names of the setters with dots, and `hstream_options_schema_json`
 * lists them with what they take.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: UNKNOWN_OPTION, INVALID_ARGUMENT, COMPRESSION if this build lacks it, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_producer_options_set(struct hstream_producer_options_t *producer_options,
                                            const char *key,
                                            const char *value,
                                            struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Makes a producer. What is said of repeated and lost records at `hstream_appender_append` holds here.
 *
 * May be NULL: `producer_options`, `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_producer_free`.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT, CONFIG, CLOSED, RESOURCES.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_producer_new(struct hstream_client_t *client,
                                    const struct hstream_producer_options_t *HSTREAM_NULLABLE producer_options,
                                    struct hstream_producer_t **out,
                                    struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Opens one stream of the producer, which looks up its shards. Opening it again gives another handle to
 * the same batches. Of `call`, what ends the wait counts: the look-up is the producer's own.
 *
 * May be NULL: `call`, `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_appender_free`.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: STREAM_NOT_FOUND, INVALID_ARGUMENT, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_producer_open(struct hstream_producer_t *producer,
                                     const char *stream,
                                     const struct hstream_call_t *HSTREAM_NULLABLE call,
                                     struct hstream_appender_t **out,
                                     struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Sends what is buffered for all streams, and waits until everything appended before is settled and
 * reported. `written`, `failed` and `unknown` say how it ended.
 *
 * May be NULL: `cancel`, `written`, `failed`, `unknown`, `err`.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: until `timeout_ms`.
 * **Errors**: TIMEOUT, INTERRUPTED; they lose nothing. WOULD_DEADLOCK in its own callback.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_producer_flush(struct hstream_producer_t *producer,
                                      int64_t timeout_ms,
                                      const struct hstream_cancel_t *HSTREAM_NULLABLE cancel,
                                      uint64_t *HSTREAM_NULLABLE written,
                                      uint64_t *HSTREAM_NULLABLE failed,
                                      uint64_t *HSTREAM_NULLABLE unknown,
                                      struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Gets up to `max_reports` reports, where they are polled; NULL when none came in time.
 *
 * May be NULL: `cancel`, `err`.
 *
 * **Ownership**: `*out` is NULL or yours, to be freed with `hstream_deliveries_free`.
 * **Threads**: any, several at once.
 * **Blocking**: until `timeout_ms`.
 * **Errors**: INVALID_STATE if reports are not polled, INVALID_ARGUMENT for 0 reports, INTERRUPTED, CLOSED after
 * the last report of a closed producer.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_producer_poll(struct hstream_producer_t *producer,
                                     uint32_t max_reports,
                                     int64_t timeout_ms,
                                     const struct hstream_cancel_t *HSTREAM_NULLABLE cancel,
                                     struct hstream_deliveries_t **out,
                                     struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Gets what the producer has done so far and what it holds, as JSON: accepted, written, failed, unknown,
 * pending_records, pending_bytes, batch_records, batch_bytes, wire_bytes, retries, append_latency_us,
 * delivery_latency_us, and shards, of which each has stream, shard_id, node, pending_records, queued_bytes,
 * oldest_age_us and retries. Distributions have count, sum, p50, p90, p99 and max. Keys are only added.
 *
 * May be NULL: `text_len`.
 *
 * **Ownership**: `*text` is yours, to be freed with `hstream_string_free`.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: NULL_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_producer_stats_json(struct hstream_producer_t *producer,
                                           char **text,
                                           size_t *HSTREAM_NULLABLE text_len) HSTREAM_NOEXCEPT;

/**
 * Returns a descriptor that is readable while `hstream_producer_poll` would return at once, for event loops; -1 if
 * reports are not polled, or where there are no descriptors. It stays readable while there is a rest of a batch of
 * which `max_reports` took a part.
 *
 * **Ownership**: It is the producer's: only to be waited for, and not to be read or closed.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int32_t hstream_producer_event_fd(struct hstream_producer_t *producer) HSTREAM_NOEXCEPT;

/**
 * Returns how many records are accepted and not reported yet.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
uint64_t hstream_producer_pending_records(struct hstream_producer_t *producer) HSTREAM_NOEXCEPT;

/**
 * Returns how many bytes of the buffer are in use.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
uint64_t hstream_producer_pending_bytes(struct hstream_producer_t *producer) HSTREAM_NOEXCEPT;

/**
 * Accepts no more records: appends end with CLOSED. What is buffered is sent.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_producer_begin_close(struct hstream_producer_t *producer) HSTREAM_NOEXCEPT;

/**
 * Accepts no more records, sends what is there, and waits until all is settled and reported. What is not
 * settled in time is given up: reported as ABORTED if it was never sent, else as ambiguous. After it no
 * callback runs. `written`, `failed` and `unknown` say how the records ended that it waited for: those that had
 * not been reported when it was called; `hstream_producer_stats_json` counts all. Closing twice is fine.
 *
 * May be NULL: `cancel`, `written`, `failed`, `unknown`, `err`.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: until `timeout_ms`.
 * **Errors**: TIMEOUT if records were given up; it is closed all the same. INTERRUPTED, after which it can
 * be called again. WOULD_DEADLOCK in its own callback.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_producer_close(struct hstream_producer_t *producer,
                                      int64_t timeout_ms,
                                      const struct hstream_cancel_t *HSTREAM_NULLABLE cancel,
                                      uint64_t *HSTREAM_NULLABLE written,
                                      uint64_t *HSTREAM_NULLABLE failed,
                                      uint64_t *HSTREAM_NULLABLE unknown,
                                      struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Frees a producer. Without a close before, it is closed with a time-out of 0, with a warning of what was
 * lost. In its own callback it is deferred until that has returned.
 *
 * May be NULL: `producer`.
 *
 * **Ownership**: `producer` is gone after it.
 * **Threads**: any, once.
 * **Blocking**: until a running callback of it has returned.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_producer_free(struct hstream_producer_t *HSTREAM_NULLABLE producer) HSTREAM_NOEXCEPT;

/**
 * Appends a record to the shard of its key. OK is accepted, not written: the report says what became of
 * it, and brings the tag back. Records of one shard are written in the order in which their appends
 * returned. A batch whose outcome is unknown is sent again by default, so a record may be written twice,
 * but is not lost. `timeout_ms` is for waiting for room: 0 is QUEUE_FULL at once, -1 without limit.
 *
 * May be NULL: `cancel`, `err`.
 *
 * **Ownership**: The record is copied.
 * **Threads**: any, several at once.
 * **Blocking**: until `timeout_ms`.
 * **Errors**: QUEUE_FULL, TIMEOUT, INTERRUPTED, CLOSED, RECORD_TOO_LARGE; INVALID_STATE if its shard is stopped
 * after a failure, or the stream was created anew. Then it was not accepted, and has no report.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_appender_append(struct hstream_appender_t *appender,
                                       const struct hstream_record_t *record,
                                       uint64_t tag,
                                       int64_t timeout_ms,
                                       const struct hstream_cancel_t *HSTREAM_NULLABLE cancel,
                                       struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Appends a record of any bytes, as `hstream_appender_append`.
 *
 * May be NULL: `key`, `payload`, `cancel`, `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: any, several at once.
 * **Blocking**: until `timeout_ms`.
 * **Errors**: QUEUE_FULL, TIMEOUT, INTERRUPTED, CLOSED, RECORD_TOO_LARGE, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_appender_append_raw(struct hstream_appender_t *appender,
                                           const void *HSTREAM_NULLABLE key,
                                           size_t key_len,
                                           const void *HSTREAM_NULLABLE payload,
                                           size_t payload_len,
                                           uint64_t tag,
                                           int64_t timeout_ms,
                                           const struct hstream_cancel_t *HSTREAM_NULLABLE cancel,
                                           struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Appends a JSON object, as `hstream_appender_append`.
 *
 * May be NULL: `key`, `cancel`, `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: any, several at once.
 * **Blocking**: until `timeout_ms`.
 * **Errors**: JSON, QUEUE_FULL, TIMEOUT, INTERRUPTED, CLOSED, RECORD_TOO_LARGE, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_appender_append_json(struct hstream_appender_t *appender,
                                            const void *HSTREAM_NULLABLE key,
                                            size_t key_len,
                                            const void *json,
                                            size_t json_len,
                                            uint64_t tag,
                                            int64_t timeout_ms,
                                            const struct hstream_cancel_t *HSTREAM_NULLABLE cancel,
                                            struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Appends a record to a shard of the caller's choice, whatever its key, as `hstream_appender_append`.
 *
 * May be NULL: `cancel`, `err`.
 *
 * **Ownership**: The record is copied.
 * **Threads**: any, several at once.
 * **Blocking**: until `timeout_ms`.
 * **Errors**: INVALID_ARGUMENT if the stream has no such shard, QUEUE_FULL, TIMEOUT, INTERRUPTED, CLOSED,
 * RECORD_TOO_LARGE.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_appender_append_to_shard(struct hstream_appender_t *appender,
                                                uint64_t shard_id,
                                                const struct hstream_record_t *record,
                                                uint64_t tag,
                                                int64_t timeout_ms,
                                                const struct hstream_cancel_t *HSTREAM_NULLABLE cancel,
                                                struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Appends records in order, and stops at the first that is not accepted. `accepted` says how many were,
 * also after a failure. Without tags each has the tag 0. The time-out is for all together.
 *
 * May be NULL: `tags`, `cancel`, `accepted`, `err`.
 *
 * **Ownership**: The records are copied.
 * **Threads**: any, several at once.
 * **Blocking**: until `timeout_ms`.
 * **Errors**: as `hstream_appender_append`, of the first not accepted.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_appender_append_records(struct hstream_appender_t *appender,
                                               const struct hstream_record_t *const *records,
                                               const uint64_t *HSTREAM_NULLABLE tags,
                                               size_t count,
                                               int64_t timeout_ms,
                                               const struct hstream_cancel_t *HSTREAM_NULLABLE cancel,
                                               size_t *HSTREAM_NULLABLE accepted,
                                               struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Appends raw records out of one buffer, in order, and stops at the first that is not accepted. The
 * payload of each ends at its place in `payload_ends` and begins where the one before ended; the keys
 * likewise, if there are any. Without tags each has the tag 0. The time-out is for all together.
 *
 * May be NULL: `keys`, `key_ends`, `tags`, `cancel`, `accepted`, `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: any, several at once.
 * **Blocking**: until `timeout_ms`.
 * **Errors**: as `hstream_appender_append`, of the first not accepted; INVALID_ARGUMENT if ends go down.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_appender_append_packed(struct hstream_appender_t *appender,
                                              const void *payloads,
                                              const size_t *payload_ends,
                                              const void *HSTREAM_NULLABLE keys,
                                              const size_t *HSTREAM_NULLABLE key_ends,
                                              const uint64_t *HSTREAM_NULLABLE tags,
                                              size_t count,
                                              int64_t timeout_ms,
                                              const struct hstream_cancel_t *HSTREAM_NULLABLE cancel,
                                              size_t *HSTREAM_NULLABLE accepted,
                                              struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Appends a record by way of the batches, and waits for its id: for programs with many threads. It has no
 * other report.
 *
 * May be NULL: `cancel`, `value`, `err`.
 *
 * **Ownership**: The record is copied.
 * **Threads**: any, several at once.
 * **Blocking**: until `timeout_ms`.
 * **Errors**: as `hstream_appender_append`; TIMEOUT and INTERRUPTED are ambiguous once it was accepted.
 * WOULD_DEADLOCK in the producer's own callback.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_appender_append_wait(struct hstream_appender_t *appender,
                                            const struct hstream_record_t *record,
                                            int64_t timeout_ms,
                                            const struct hstream_cancel_t *HSTREAM_NULLABLE cancel,
                                            struct hstream_record_id_t *HSTREAM_NULLABLE value,
                                            struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Sends what is buffered for this stream, and waits until everything appended to it before is settled and
 * reported. `written`, `failed` and `unknown` say how it ended.
 *
 * May be NULL: `cancel`, `written`, `failed`, `unknown`, `err`.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: until `timeout_ms`.
 * **Errors**: TIMEOUT, INTERRUPTED; they lose nothing. WOULD_DEADLOCK in the producer's own callback.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_appender_flush(struct hstream_appender_t *appender,
                                      int64_t timeout_ms,
                                      const struct hstream_cancel_t *HSTREAM_NULLABLE cancel,
                                      uint64_t *HSTREAM_NULLABLE written,
                                      uint64_t *HSTREAM_NULLABLE failed,
                                      uint64_t *HSTREAM_NULLABLE unknown,
                                      struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Does the same for one shard.
 *
 * May be NULL: `cancel`, `written`, `failed`, `unknown`, `err`.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: until `timeout_ms`.
 * **Errors**: INVALID_ARGUMENT if the stream has no such shard, TIMEOUT, INTERRUPTED, WOULD_DEADLOCK.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_appender_flush_shard(struct hstream_appender_t *appender,
                                            uint64_t shard_id,
                                            int64_t timeout_ms,
                                            const struct hstream_cancel_t *HSTREAM_NULLABLE cancel,
                                            uint64_t *HSTREAM_NULLABLE written,
                                            uint64_t *HSTREAM_NULLABLE failed,
                                            uint64_t *HSTREAM_NULLABLE unknown,
                                            struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Does the same for the shard of a key.
 *
 * May be NULL: `key`, `cancel`, `written`, `failed`, `unknown`, `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: any, several at once.
 * **Blocking**: until `timeout_ms`.
 * **Errors**: TIMEOUT, INTERRUPTED, WOULD_DEADLOCK, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_appender_flush_key(struct hstream_appender_t *appender,
                                          const void *HSTREAM_NULLABLE key,
                                          size_t key_len,
                                          int64_t timeout_ms,
                                          const struct hstream_cancel_t *HSTREAM_NULLABLE cancel,
                                          uint64_t *HSTREAM_NULLABLE written,
                                          uint64_t *HSTREAM_NULLABLE failed,
                                          uint64_t *HSTREAM_NULLABLE unknown,
                                          struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Has a shard that was stopped by a failure take records again; 0 is all shards of the stream. Only
 * HSTREAM_FAILURE_STOP stops them; on others it does nothing.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT if the stream has no such shard.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_appender_resume(struct hstream_appender_t *appender,
                                       uint64_t shard_id,
                                       struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Returns the stream.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `appender`.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_appender_stream_name(struct hstream_appender_t *appender,
                                         size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Frees an appender. What was appended is still sent and reported.
 *
 * May be NULL: `appender`.
 *
 * **Ownership**: `appender` is gone after it.
 * **Threads**: any, once.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_appender_free(struct hstream_appender_t *HSTREAM_NULLABLE appender) HSTREAM_NOEXCEPT;

/**
 * Frees reports, or one reference to them.
 *
 * May be NULL: `deliveries`.
 *
 * **Ownership**: `deliveries` is gone after it.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_deliveries_free(struct hstream_deliveries_t *HSTREAM_NULLABLE deliveries) HSTREAM_NOEXCEPT;

/**
 * Returns the reports once more: to keep those that were lent to a callback.
 *
 * **Ownership**: The result is yours, to be freed with `hstream_deliveries_free`; NULL if there is none.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
struct hstream_deliveries_t *HSTREAM_NULLABLE hstream_deliveries_ref(const struct hstream_deliveries_t *deliveries) HSTREAM_NOEXCEPT;

/**
 * Returns the number of reports.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
size_t hstream_deliveries_count(const struct hstream_deliveries_t *deliveries) HSTREAM_NOEXCEPT;

/**
 * Returns what the caller gave the record when it was appended; 0 beyond the last.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
uint64_t hstream_deliveries_tag(const struct hstream_deliveries_t *deliveries,
                                size_t index) HSTREAM_NOEXCEPT;

/**
 * Returns HSTREAM_OK if the record was written, or why not; INVALID_ARGUMENT beyond the last.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_deliveries_code(const struct hstream_deliveries_t *deliveries,
                                       size_t index) HSTREAM_NOEXCEPT;

/**
 * Gets the id of a record that was written.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT beyond the last, INVALID_STATE if it was not written.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_deliveries_record_id(const struct hstream_deliveries_t *deliveries,
                                            size_t index,
                                            struct hstream_record_id_t *value) HSTREAM_NOEXCEPT;

/**
 * Returns why a record was not written; NULL if it was.
 *
 * **Ownership**: The result is borrowed from `deliveries`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const struct hstream_error_t *HSTREAM_NULLABLE hstream_deliveries_error(const struct hstream_deliveries_t *deliveries,
                                                       size_t index) HSTREAM_NOEXCEPT;

/**
 * Returns the stream that a record was appended to; "" beyond the last.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `deliveries`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_deliveries_stream_name(const struct hstream_deliveries_t *deliveries,
                                           size_t index,
                                           size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Returns the shard that a record went to, or should have gone to; 0 beyond the last.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
uint64_t hstream_deliveries_shard_id(const struct hstream_deliveries_t *deliveries,
                                     size_t index) HSTREAM_NOEXCEPT;

/**
 * Returns a record, to be appended again or kept elsewhere; NULL where it is not lent. By default those that were
 * not written are; `hstream_producer_options_set_report_records` says otherwise.
 *
 * **Ownership**: The result is borrowed from `deliveries`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const struct hstream_record_t *HSTREAM_NULLABLE hstream_deliveries_record(const struct hstream_deliveries_t *deliveries,
                                                         size_t index) HSTREAM_NOEXCEPT;

/**
 * Returns the tags of all.
 *
 * **Ownership**: The result is borrowed from `deliveries`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const uint64_t *HSTREAM_NULLABLE hstream_deliveries_tags(const struct hstream_deliveries_t *deliveries) HSTREAM_NOEXCEPT;

/**
 * Returns the codes of all.
 *
 * **Ownership**: The result is borrowed from `deliveries`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const int32_t *HSTREAM_NULLABLE hstream_deliveries_codes(const struct hstream_deliveries_t *deliveries) HSTREAM_NOEXCEPT;

/**
 * Returns the ids of all: zeros where the code is not HSTREAM_OK.
 *
 * **Ownership**: The result is borrowed from `deliveries`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const struct hstream_record_id_t *HSTREAM_NULLABLE hstream_deliveries_record_ids(const struct hstream_deliveries_t *deliveries) HSTREAM_NOEXCEPT;

/**
 * Makes options, all default: 600 s to ack, 10,000 unacked records, from the latest record on.
 *
 * **Ownership**: The result is yours, to be freed with `hstream_subscription_options_free`; NULL if there
 * is none.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
struct hstream_subscription_options_t *HSTREAM_NULLABLE hstream_subscription_options_new(void) HSTREAM_NOEXCEPT;

/**
 * Frees options.
 *
 * May be NULL: `subscription_options`.
 *
 * **Ownership**: `subscription_options` is gone after it.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_subscription_options_free(struct hstream_subscription_options_t *HSTREAM_NULLABLE subscription_options) HSTREAM_NOEXCEPT;

/**
 * Sets how long a delivered record may stay unacked before it is delivered again: default 600.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_subscription_options_set_ack_timeout_seconds(struct hstream_subscription_options_t *subscription_options,
                                                                    int32_t seconds) HSTREAM_NOEXCEPT;

/**
 * Sets how many delivered records may be unacked, of all consumers together: default 10,000.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_subscription_options_set_max_unacked_records(struct hstream_subscription_options_t *subscription_options,
                                                                    int32_t count) HSTREAM_NOEXCEPT;

/**
 * Sets where it starts: HSTREAM_OFFSET_EARLIEST, or HSTREAM_OFFSET_LATEST, which is the default.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_subscription_options_set_start(struct hstream_subscription_options_t *subscription_options,
                                                      int32_t where) HSTREAM_NOEXCEPT;

/**
 * Sets any option by text. The keys are the names of the setters with dots, and `hstream_options_schema_json`
 * lists them with what they take.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: UNKNOWN_OPTION, INVALID_ARGUMENT, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_subscription_options_set(struct hstream_subscription_options_t *subscription_options,
                                                const char *key,
                                                const char *value,
                                                struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Creates a subscription to a stream. Its start is fixed now: what is appended between this call and the
 * first consumer is delivered.
 *
 * May be NULL: `subscription_options`, `call`, `out`, `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_subscription_free`.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: SUBSCRIPTION_EXISTS, SUBSCRIPTION_CREATION_ON_NONEXISTENT_STREAM, INVALID_ARGUMENT, TIMEOUT,
 * CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_create_subscription(struct hstream_client_t *client,
                                                  const char *id,
                                                  const char *stream,
                                                  const struct hstream_subscription_options_t *HSTREAM_NULLABLE subscription_options,
                                                  const struct hstream_call_t *HSTREAM_NULLABLE call,
                                                  struct hstream_subscription_t **HSTREAM_NULLABLE out,
                                                  struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Lists the subscriptions whose id begins so, sorted by id; NULL or "" lists all.
 *
 * May be NULL: `prefix`, `call`, `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_subscriptions_free`.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: UNAVAILABLE, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_list_subscriptions(struct hstream_client_t *client,
                                                 const char *HSTREAM_NULLABLE prefix,
                                                 const struct hstream_call_t *HSTREAM_NULLABLE call,
                                                 struct hstream_subscriptions_t **out,
                                                 struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Gets a subscription by its id, with its checkpoints.
 *
 * May be NULL: `call`, `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_subscription_free`.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: SUBSCRIPTION_NOT_FOUND, INVALID_ARGUMENT, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_get_subscription(struct hstream_client_t *client,
                                               const char *id,
                                               const struct hstream_call_t *HSTREAM_NULLABLE call,
                                               struct hstream_subscription_t **out,
                                               struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Deletes a subscription. HSTREAM_DELETE_FORCE: also one with consumers. HSTREAM_DELETE_IGNORE_MISSING:
 * one that is not there is no error.
 *
 * May be NULL: `call`, `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: SUBSCRIPTION_NOT_FOUND, SUBSCRIPTION_FOUND_ACTIVE_CONSUMERS, TIMEOUT, INTERRUPTED, CLOSED,
 * UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_delete_subscription(struct hstream_client_t *client,
                                                  const char *id,
                                                  uint32_t flags,
                                                  const struct hstream_call_t *HSTREAM_NULLABLE call,
                                                  struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Says whether there is a subscription of this id: 1 or 0.
 *
 * May be NULL: `call`, `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: INVALID_ARGUMENT, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_subscription_exists(struct hstream_client_t *client,
                                                  const char *id,
                                                  const struct hstream_call_t *HSTREAM_NULLABLE call,
                                                  int32_t *exists,
                                                  struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Lists the consumers that are connected to a subscription now.
 *
 * May be NULL: `call`, `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_consumer_infos_free`.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: SUBSCRIPTION_NOT_FOUND, INVALID_ARGUMENT, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_list_consumers(struct hstream_client_t *client,
                                             const char *subscription_id,
                                             const struct hstream_call_t *HSTREAM_NULLABLE call,
                                             struct hstream_consumer_infos_t **out,
                                             struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Writes how far a subscription is behind its stream, as one JSON object: "loaded", whether somebody has consumed since
 * its node started, without which there are no checkpoints; "shards", each with "shard_id", "tail_batch_id", which is at
 * or behind its last batch, "checkpoint_batch_id", up to which all is acked, or null, "caught_up", whether for certain all
 * is acked, and "batches", how many are not at most, or null where it can't be said; "caught_up" and "batches" of all
 * shards together. It is no snapshot. Keys are only added.
 *
 * May be NULL: `call`, `text_len`, `err`.
 *
 * **Ownership**: `*text` is yours, to be freed with `hstream_string_free`.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: SUBSCRIPTION_NOT_FOUND, INVALID_STATE if its stream was deleted by force, UNSUPPORTED by
 * servers before 0.16.0, INVALID_ARGUMENT, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_subscription_lag(struct hstream_client_t *client,
                                               const char *subscription_id,
                                               const struct hstream_call_t *HSTREAM_NULLABLE call,
                                               char **text,
                                               size_t *HSTREAM_NULLABLE text_len,
                                               struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Frees a list with its elements.
 *
 * May be NULL: `subscriptions`.
 *
 * **Ownership**: `subscriptions` is gone after it.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_subscriptions_free(struct hstream_subscriptions_t *HSTREAM_NULLABLE subscriptions) HSTREAM_NOEXCEPT;

/**
 * Returns the number of elements.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
size_t hstream_subscriptions_count(const struct hstream_subscriptions_t *subscriptions) HSTREAM_NOEXCEPT;

/**
 * Returns an element; NULL beyond the last.
 *
 * **Ownership**: The result is borrowed from `subscriptions`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const struct hstream_subscription_t *HSTREAM_NULLABLE hstream_subscriptions_at(const struct hstream_subscriptions_t *subscriptions,
                                                              size_t index) HSTREAM_NOEXCEPT;

/**
 * Frees a subscription's description; the subscription stays.
 *
 * May be NULL: `subscription`.
 *
 * **Ownership**: `subscription` is gone after it.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_subscription_free(struct hstream_subscription_t *HSTREAM_NULLABLE subscription) HSTREAM_NOEXCEPT;

/**
 * Copies a description: to keep an element of a list.
 *
 * **Ownership**: The result is yours, to be freed with `hstream_subscription_free`; NULL if there is none.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
struct hstream_subscription_t *HSTREAM_NULLABLE hstream_subscription_clone(const struct hstream_subscription_t *subscription) HSTREAM_NOEXCEPT;

/**
 * Returns its id.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `subscription`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_subscription_id(const struct hstream_subscription_t *subscription,
                                    size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Returns the stream it delivers; "__deleted_stream__" in lists when that was deleted by force.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `subscription`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_subscription_stream_name(const struct hstream_subscription_t *subscription,
                                             size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Returns how long a delivered record may stay unacked before it is delivered again.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int32_t hstream_subscription_ack_timeout_seconds(const struct hstream_subscription_t *subscription) HSTREAM_NOEXCEPT;

/**
 * Returns how many delivered records may be unacked, of all consumers together.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int32_t hstream_subscription_max_unacked_records(const struct hstream_subscription_t *subscription) HSTREAM_NOEXCEPT;

/**
 * Returns where it started: HSTREAM_OFFSET_EARLIEST or HSTREAM_OFFSET_LATEST.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int32_t hstream_subscription_start(const struct hstream_subscription_t *subscription) HSTREAM_NOEXCEPT;

/**
 * Returns when it was created, in milliseconds since 1970; 0 if unknown.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int64_t hstream_subscription_creation_time_ms(const struct hstream_subscription_t *subscription) HSTREAM_NOEXCEPT;

/**
 * Returns the number of checkpoints: only `hstream_client_get_subscription` has some.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
size_t hstream_subscription_checkpoint_count(const struct hstream_subscription_t *subscription) HSTREAM_NOEXCEPT;

/**
 * Gets a checkpoint: a shard, and its last batch up to which all is acked, 0 for none.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT beyond the last.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_subscription_checkpoint_at(const struct hstream_subscription_t *subscription,
                                                  size_t index,
                                                  uint64_t *shard_id,
                                                  uint64_t *batch_id) HSTREAM_NOEXCEPT;

/**
 * Writes everything about it as one JSON object. Keys are only added.
 *
 * May be NULL: `text_len`.
 *
 * **Ownership**: `*text` is yours, to be freed with `hstream_string_free`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: NULL_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_subscription_to_json(const struct hstream_subscription_t *subscription,
                                            char **text,
                                            size_t *HSTREAM_NULLABLE text_len) HSTREAM_NOEXCEPT;

/**
 * Frees a list.
 *
 * May be NULL: `consumer_infos`.
 *
 * **Ownership**: `consumer_infos` is gone after it.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_consumer_infos_free(struct hstream_consumer_infos_t *HSTREAM_NULLABLE consumer_infos) HSTREAM_NOEXCEPT;

/**
 * Returns the number of consumers.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
size_t hstream_consumer_infos_count(const struct hstream_consumer_infos_t *consumer_infos) HSTREAM_NOEXCEPT;

/**
 * Returns a consumer's name; "" beyond the last.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `consumer_infos`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_consumer_infos_name(const struct hstream_consumer_infos_t *consumer_infos,
                                        size_t index,
                                        size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Returns where a consumer connects from; "" beyond the last.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `consumer_infos`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_consumer_infos_uri(const struct hstream_consumer_infos_t *consumer_infos,
                                       size_t index,
                                       size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Returns what a consumer says it is; "" beyond the last.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `consumer_infos`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_consumer_infos_user_agent(const struct hstream_consumer_infos_t *consumer_infos,
                                              size_t index,
                                              size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Gets the cluster as one of its nodes sees it, with nodes that are dead.
 *
 * May be NULL: `call`, `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_cluster_free`.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: UNAVAILABLE, TIMEOUT, INTERRUPTED, CLOSED.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_describe_cluster(struct hstream_client_t *client,
                                               const struct hstream_call_t *HSTREAM_NULLABLE call,
                                               struct hstream_cluster_t **out,
                                               struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Gets the node that appends to a shard go to, computed from the nodes that live now; the shard need not exist.
 *
 * May be NULL: `call`, `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_node_free`.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: UNAVAILABLE, TIMEOUT, INTERRUPTED, CLOSED.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_lookup_shard(struct hstream_client_t *client,
                                           uint64_t shard_id,
                                           const struct hstream_call_t *HSTREAM_NULLABLE call,
                                           struct hstream_node_t **out,
                                           struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Gets the node that the ring of the cluster has for a text. It has nothing to do with the shard that records with
 * this key go to: see `hstream_client_shard_for_key`.
 *
 * May be NULL: `key`, `call`, `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_node_free`.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: UNSUPPORTED by servers before 0.16.1, UNAVAILABLE, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_lookup_key(struct hstream_client_t *client,
                                         const void *HSTREAM_NULLABLE key,
                                         size_t key_len,
                                         const struct hstream_call_t *HSTREAM_NULLABLE call,
                                         struct hstream_node_t **out,
                                         struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Gets the node that serves a subscription. It leaves an entry in the cluster's meta store for any id, whether there is
 * such a subscription or not; `hstream_client_subscription_exists` finds that out.
 *
 * May be NULL: `call`, `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_node_free`.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: INVALID_ARGUMENT, UNAVAILABLE, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_lookup_subscription(struct hstream_client_t *client,
                                                  const char *id,
                                                  const struct hstream_call_t *HSTREAM_NULLABLE call,
                                                  struct hstream_node_t **out,
                                                  struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Gets the node that has something; `kind` is one of HSTREAM_RESOURCE_*. The server writes down what it decides when it
 * is first asked, also for things that do not exist: each id leaves an entry in the cluster's meta store for good, and
 * is pinned to that node as long as it lives.
 *
 * May be NULL: `call`, `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_node_free`.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: INVALID_ARGUMENT, QUERY_NOT_FOUND for no such view, UNAVAILABLE, TIMEOUT, INTERRUPTED,
 * CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_lookup_resource(struct hstream_client_t *client,
                                              int32_t kind,
                                              const char *id,
                                              const struct hstream_call_t *HSTREAM_NULLABLE call,
                                              struct hstream_node_t **out,
                                              struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Frees a description with its nodes.
 *
 * May be NULL: `cluster`.
 *
 * **Ownership**: `cluster` is gone after it.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_cluster_free(struct hstream_cluster_t *HSTREAM_NULLABLE cluster) HSTREAM_NOEXCEPT;

/**
 * Returns the version of the protocol; servers so far all say "0.1.0".
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `cluster`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_cluster_protocol_version(const struct hstream_cluster_t *cluster,
                                             size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Returns for how long the cluster has been there; 0 if unknown.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
uint64_t hstream_cluster_uptime_seconds(const struct hstream_cluster_t *cluster) HSTREAM_NOEXCEPT;

/**
 * Returns the number of nodes, with those that are dead.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
size_t hstream_cluster_node_count(const struct hstream_cluster_t *cluster) HSTREAM_NOEXCEPT;

/**
 * Returns a node, by id; NULL beyond the last.
 *
 * **Ownership**: The result is borrowed from `cluster`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const struct hstream_node_t *HSTREAM_NULLABLE hstream_cluster_node_at(const struct hstream_cluster_t *cluster,
                                                     size_t index) HSTREAM_NOEXCEPT;

/**
 * Writes everything about it as one JSON object. Keys are only added.
 *
 * May be NULL: `text_len`.
 *
 * **Ownership**: `*text` is yours, to be freed with `hstream_string_free`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: NULL_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_cluster_to_json(const struct hstream_cluster_t *cluster,
                                       char **text,
                                       size_t *HSTREAM_NULLABLE text_len) HSTREAM_NOEXCEPT;

/**
 * Frees a node's description.
 *
 * May be NULL: `node`.
 *
 * **Ownership**: `node` is gone after it.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_node_free(struct hstream_node_t *HSTREAM_NULLABLE node) HSTREAM_NOEXCEPT;

/**
 * Copies a description: to keep an element of a list.
 *
 * **Ownership**: The result is yours, to be freed with `hstream_node_free`; NULL if there is none.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
struct hstream_node_t *HSTREAM_NULLABLE hstream_node_clone(const struct hstream_node_t *node) HSTREAM_NOEXCEPT;

/**
 * Returns its id.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
uint32_t hstream_node_id(const struct hstream_node_t *node) HSTREAM_NOEXCEPT;

/**
 * Returns the host that the cluster tells clients to connect to.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `node`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_node_host(const struct hstream_node_t *node,
                              size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Returns the port there.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
uint32_t hstream_node_port(const struct hstream_node_t *node) HSTREAM_NOEXCEPT;

/**
 * Returns its version; servers before 0.15.2 tell only that of the node that answered, "" for others.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `node`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_node_version(const struct hstream_node_t *node,
                                 size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Returns what it was built from, as far as it says.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `node`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_node_commit(const struct hstream_node_t *node,
                                size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Returns how it is: one of HSTREAM_NODE_*, -1 of a node that was only looked up.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int32_t hstream_node_state(const struct hstream_node_t *node) HSTREAM_NOEXCEPT;

/**
 * Creates a named reader of one shard. It is a thing of the cluster, as streams are: any client reads by its id,
 * and it stays until it is deleted. Its position is in the memory of one node alone: when that node stops, the next
 * read begins again at `where`, on the node that has it then. Latest and times become a position now. `wait_ms` is how
 * long a read may wait on the server to be filled; 0 is not at all, 2147483647 the most.
 *
 * May be NULL: `call`, `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: GRPC_ALREADY_EXISTS for an id that is taken, GRPC_NOT_FOUND for no such shard,
 * SHARD_READER_CONFLICT_OFFSET for a record of another shard, INVALID_ARGUMENT, TIMEOUT, INTERRUPTED,
 * CLOSED, UTF8. If the error is ambiguous, the reader may be there.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_create_shard_reader(struct hstream_client_t *client,
                                                  const char *reader_id,
                                                  const char *stream,
                                                  uint64_t shard_id,
                                                  const struct hstream_offset_t *where,
                                                  uint32_t wait_ms,
                                                  const struct hstream_call_t *HSTREAM_NULLABLE call,
                                                  struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Creates a named reader of the shard that records with this key go to, with all else that is in that shard. NULL is
 * the empty key, which is that of records without one. Else as `hstream_client_create_shard_reader`.
 *
 * May be NULL: `key`, `call`, `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: GRPC_ALREADY_EXISTS for an id that is taken, STREAM_NOT_FOUND, SHARD_READER_CONFLICT_OFFSET
 * for a record of another shard, INVALID_ARGUMENT, TIMEOUT, INTERRUPTED, CLOSED, UTF8. If the error is
 * ambiguous, the reader may be there.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_create_key_reader(struct hstream_client_t *client,
                                                const char *reader_id,
                                                const char *stream,
                                                const void *HSTREAM_NULLABLE key,
                                                size_t key_len,
                                                const struct hstream_offset_t *where,
                                                uint32_t wait_ms,
                                                const struct hstream_call_t *HSTREAM_NULLABLE call,
                                                struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Reads on by a named reader: up to `max_batches` batches as they were appended, 0 for 100, all of their records in
 * one batch; an empty one if there was nothing. If the reader starts with a record, its whole batch is read: leave out
 * those before it. Fewer are asked for if so many might not fit into an answer, and 1000 at most. A read that is not
 * filled takes all of the reader's `wait_ms`, so allow the call more than that.
 *
 * The position moves when the server reads: if the error is ambiguous, records may have been read that did not arrive,
 * and this reader does not read them again; so the call is not made again by itself.
 *
 * May be NULL: `call`, `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_batch_free`.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: GRPC_NOT_FOUND for no such reader; SHARD_READER_DATA_LOSS_GAP, _ACCESS_GAP,
 * _NOT_IN_CONFIG_GAP and _UNKNOWN_GAP, behind which the next read goes on; INVALID_ARGUMENT, TIMEOUT,
 * INTERRUPTED, CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_read_shard(struct hstream_client_t *client,
                                         const char *reader_id,
                                         uint32_t max_batches,
                                         const struct hstream_call_t *HSTREAM_NULLABLE call,
                                         struct hstream_batch_t **out,
                                         struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Lists the ids of all named readers of the cluster, sorted.
 *
 * May be NULL: `call`, `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_strings_free`.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: UNAVAILABLE, TIMEOUT, INTERRUPTED, CLOSED.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_list_shard_readers(struct hstream_client_t *client,
                                                 const struct hstream_call_t *HSTREAM_NULLABLE call,
                                                 struct hstream_strings_t **out,
                                                 struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Gets the node that has a named reader. It leaves an entry in the cluster's meta store for any id, whether there is
 * such a reader or not.
 *
 * May be NULL: `call`, `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_node_free`.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: INVALID_ARGUMENT, UNAVAILABLE, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_lookup_shard_reader(struct hstream_client_t *client,
                                                  const char *reader_id,
                                                  const struct hstream_call_t *HSTREAM_NULLABLE call,
                                                  struct hstream_node_t **out,
                                                  struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Deletes a named reader. HSTREAM_DELETE_IGNORE_MISSING: one that is not there is no error.
 *
 * May be NULL: `call`, `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: GRPC_NOT_FOUND for no such reader, however the server puts it; INVALID_ARGUMENT, TIMEOUT,
 * INTERRUPTED, CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_delete_shard_reader(struct hstream_client_t *client,
                                                  const char *reader_id,
                                                  uint32_t flags,
                                                  const struct hstream_call_t *HSTREAM_NULLABLE call,
                                                  struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Frees a list with its elements.
 *
 * May be NULL: `strings`.
 *
 * **Ownership**: `strings` is gone after it.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_strings_free(struct hstream_strings_t *HSTREAM_NULLABLE strings) HSTREAM_NOEXCEPT;

/**
 * Returns the number of elements.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
size_t hstream_strings_count(const struct hstream_strings_t *strings) HSTREAM_NOEXCEPT;

/**
 * Returns an element; "" beyond the last.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `strings`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_strings_at(const struct hstream_strings_t *strings,
                               size_t index,
                               size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Drops all records of a stream up to an offset, and what is there: the latest drops all that the stream has, a time
 * also the first record that was stored then or later. Whole batches go; readers and subscriptions skip what is gone.
 * Shards are trimmed one by one: after an error some may be trimmed already.
 *
 * May be NULL: `call`, `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: STREAM_NOT_FOUND, INVALID_ARGUMENT for the offset of a record, GRPC_INVALID_ARGUMENT for a
 * time after all records, UNSUPPORTED by servers before 0.16.1, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_trim_stream(struct hstream_client_t *client,
                                          const char *stream,
                                          const struct hstream_offset_t *upto,
                                          const struct hstream_call_t *HSTREAM_NULLABLE call,
                                          struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Drops all records of a shard up to an offset, and what is there: of a record its whole batch.
 *
 * May be NULL: `call`, `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: GRPC_NOT_FOUND for no such shard, INVALID_ARGUMENT for a record of another shard,
 * GRPC_INVALID_ARGUMENT for what is behind all records, UNSUPPORTED by servers before 0.16.1, TIMEOUT,
 * INTERRUPTED, CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_trim_shard(struct hstream_client_t *client,
                                         const char *stream,
                                         uint64_t shard_id,
                                         const struct hstream_offset_t *upto,
                                         const struct hstream_call_t *HSTREAM_NULLABLE call,
                                         struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Drops what is before these records: of several in a shard the smallest counts, and its batch stays whole. Ids of
 * batch 0 stand for the earliest record and trim nothing. The answer has the id that counted for each shard, sorted by
 * shard. Shards are trimmed one by one: after an error some may be trimmed already.
 *
 * May be NULL: `call`, `out`, `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_trim_points_free`.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: STREAM_NOT_FOUND, STREAM_SHARD_NOT_EXISTS for a shard of another stream,
 * STREAM_INVALID_RECORD_ID for a record behind all, UNSUPPORTED by servers before 0.17.0, TIMEOUT,
 * INTERRUPTED, CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_client_trim_shards(struct hstream_client_t *client,
                                          const char *stream,
                                          const struct hstream_record_id_t *ids,
                                          size_t ids_count,
                                          const struct hstream_call_t *HSTREAM_NULLABLE call,
                                          struct hstream_trim_points_t **HSTREAM_NULLABLE out,
                                          struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Frees a list.
 *
 * May be NULL: `trim_points`.
 *
 * **Ownership**: `trim_points` is gone after it.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_trim_points_free(struct hstream_trim_points_t *HSTREAM_NULLABLE trim_points) HSTREAM_NOEXCEPT;

/**
 * Returns the number of shards that were trimmed.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
size_t hstream_trim_points_count(const struct hstream_trim_points_t *trim_points) HSTREAM_NOEXCEPT;

/**
 * Gets an element: a shard, and the record before which it was trimmed.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT beyond the last.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_trim_points_at(const struct hstream_trim_points_t *trim_points,
                                      size_t index,
                                      uint64_t *shard_id,
                                      struct hstream_record_id_t *value) HSTREAM_NOEXCEPT;

/**
 * Makes options, all default: a generated name, records by poll, acks by hand.
 *
 * **Ownership**: The result is yours, to be freed with `hstream_consumer_options_free`; NULL if there is
 * none.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
struct hstream_consumer_options_t *HSTREAM_NULLABLE hstream_consumer_options_new(void) HSTREAM_NOEXCEPT;

/**
 * Copies options; a callback's user data is shared.
 *
 * **Ownership**: The result is yours, to be freed with `hstream_consumer_options_free`; NULL if there is
 * none.
 * **Threads**: any, while it is not changed.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
struct hstream_consumer_options_t *HSTREAM_NULLABLE hstream_consumer_options_clone(const struct hstream_consumer_options_t *consumer_options) HSTREAM_NOEXCEPT;

/**
 * Frees options. The callback's user data is released when the consumers made with them are gone as well.
 *
 * May be NULL: `consumer_options`.
 *
 * **Ownership**: `consumer_options` is gone after it.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_consumer_options_free(struct hstream_consumer_options_t *HSTREAM_NULLABLE consumer_options) HSTREAM_NOEXCEPT;

/**
 * Sets the consumer's name, unique among those of the subscription: default generated. A server that has not missed a
 * lost connection yet keeps the name taken: the consumer waits for it then, and so do acks. With a generated name it
 * comes back at once, with a number behind the name.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_consumer_options_set_name(struct hstream_consumer_options_t *consumer_options,
                                                 const char *name,
                                                 struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Has records delivered to a function, on a thread of the consumer, instead of polled; NULL takes it away.
 * `release` frees `user_data` when nothing will call the function any more; not if this function fails.
 *
 * May be NULL: `callback`, `user_data`, `release`.
 *
 * **Ownership**: `user_data` is the options' until it is released.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: NULL_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_consumer_options_set_callback(struct hstream_consumer_options_t *consumer_options,
                                                     hstream_batch_fn HSTREAM_NULLABLE callback,
                                                     void *HSTREAM_NULLABLE user_data,
                                                     hstream_release_fn HSTREAM_NULLABLE release) HSTREAM_NOEXCEPT;

/**
 * Sets the most records that a callback gets at once: default 10,000.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_consumer_options_set_callback_records(struct hstream_consumer_options_t *consumer_options,
                                                             uint32_t max_records) HSTREAM_NOEXCEPT;

/**
 * Sets whether a batch is acked when the callback returns HSTREAM_PROCESSED or HSTREAM_STOP, or at the
 * next poll: default 0.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_consumer_options_set_auto_ack(struct hstream_consumer_options_t *consumer_options,
                                                     int32_t on) HSTREAM_NOEXCEPT;

/**
 * Sets what becomes of a batch that can't be read: HSTREAM_BAD_BATCH_*. Default HSTREAM_BAD_BATCH_REPORT.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_consumer_options_set_bad_batch(struct hstream_consumer_options_t *consumer_options,
                                                      int32_t policy) HSTREAM_NOEXCEPT;

/**
 * Sets when acks are sent: when there are so many, or the oldest is so old. Default 100 and 100 ms.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_consumer_options_set_ack_batch(struct hstream_consumer_options_t *consumer_options,
                                                      uint32_t count,
                                                      int64_t age_ms) HSTREAM_NOEXCEPT;

/**
 * Sets how much may be received before it is polled: default 100,000 records and 32 MiB; 0 is refused. A consumer
 * that is full stops reading, and then the server delivers nothing to the subscription's other consumers either: the
 * better bound is that of the subscription's unacked records. There is no pause: `hstream_consumer_stop`, and
 * `hstream_consumer_start` later, are one that the other consumers do not feel.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_consumer_options_set_prefetch(struct hstream_consumer_options_t *consumer_options,
                                                     uint64_t records,
                                                     uint64_t bytes) HSTREAM_NOEXCEPT;

/**
 * Sets the largest batch that is decompressed: default 64 MiB. Records of a larger one have the code
 * DECODE.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_consumer_options_set_max_batch_bytes(struct hstream_consumer_options_t *consumer_options,
                                                            uint64_t bytes) HSTREAM_NOEXCEPT;

/**
 * Sets the pauses between attempts to connect again: the first, doubled each time up to the longest, each shortened by
 * chance by up to a half. Default 100 and 10,000. There is no last attempt.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT, CONFIG if the longest is less than the first.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_consumer_options_set_reconnect(struct hstream_consumer_options_t *consumer_options,
                                                      int64_t first_backoff_ms,
                                                      int64_t max_backoff_ms) HSTREAM_NOEXCEPT;

/**
 * Sets any option but the callback by text. The keys are the names of the setters with dots, and
 * `hstream_options_schema_json` lists them with what they take.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: UNKNOWN_OPTION, INVALID_ARGUMENT, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_consumer_options_set(struct hstream_consumer_options_t *consumer_options,
                                            const char *key,
                                            const char *value,
                                            struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Makes a consumer of a subscription, which must exist. It begins with the first poll, or with
 * `hstream_consumer_start`. `call` is for looking that up, and not for what the consumer does later.
 *
 * May be NULL: `consumer_options`, `call`, `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_consumer_free`.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: SUBSCRIPTION_NOT_FOUND, INVALID_ARGUMENT, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_consumer_new(struct hstream_client_t *client,
                                    const char *subscription_id,
                                    const struct hstream_consumer_options_t *HSTREAM_NULLABLE consumer_options,
                                    const struct hstream_call_t *HSTREAM_NULLABLE call,
                                    struct hstream_consumer_t **out,
                                    struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Begins, or goes on after a stop. A consumer without callback does so by itself at the first poll.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: INVALID_STATE if it delivers to its callback already, CLOSED, RESOURCES, why it failed.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_consumer_start(struct hstream_consumer_t *consumer,
                                      struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Gets up to `max_records` records, as soon as there are any; NULL when none came in time. Several threads
 * may poll: each record goes to one of them.
 *
 * May be NULL: `cancel`, `err`.
 *
 * **Ownership**: `*out` is NULL or yours, to be freed with `hstream_batch_free`.
 * **Threads**: any, several at once.
 * **Blocking**: until `timeout_ms`.
 * **Errors**: CLOSED, INTERRUPTED, INVALID_STATE if it was stopped or has a callback, why it failed.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_consumer_poll(struct hstream_consumer_t *consumer,
                                     uint32_t max_records,
                                     int64_t timeout_ms,
                                     const struct hstream_cancel_t *HSTREAM_NULLABLE cancel,
                                     struct hstream_batch_t **out,
                                     struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Begins delivery to the callback, if it has not begun, and waits until the consumer is stopped, closed or
 * failed. OK if it was stopped as asked.
 *
 * May be NULL: `cancel`, `err`.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: until `timeout_ms`.
 * **Errors**: INVALID_STATE without a callback, TIMEOUT, INTERRUPTED (it goes on then), WOULD_DEADLOCK,
 * why it failed.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_consumer_run(struct hstream_consumer_t *consumer,
                                    int64_t timeout_ms,
                                    const struct hstream_cancel_t *HSTREAM_NULLABLE cancel,
                                    struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Acks records: they are not delivered again. Acking one again is harmless.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT if one is of a shard that this consumer was given nothing of; then none is
 * acked. CLOSED.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_consumer_ack(struct hstream_consumer_t *consumer,
                                    const struct hstream_record_id_t *ids,
                                    size_t ids_count,
                                    struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Acks all records of a shard that were handed out, up to and with this one.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT if this consumer was given no record of its shard, CLOSED.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_consumer_ack_up_to(struct hstream_consumer_t *consumer,
                                          const struct hstream_record_id_t *last,
                                          struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Acks one received record.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: INVALID_STATE for one that was not received, INVALID_ARGUMENT, CLOSED.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_consumer_ack_record(struct hstream_consumer_t *consumer,
                                           const struct hstream_record_t *record,
                                           struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Acks all records of a batch.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT, CLOSED.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_consumer_ack_batch(struct hstream_consumer_t *consumer,
                                          const struct hstream_batch_t *batch,
                                          struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Waits until all acks have been sent. The server confirms none; a close makes sure.
 *
 * May be NULL: `cancel`, `err`.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: until `timeout_ms`.
 * **Errors**: TIMEOUT, INTERRUPTED; they lose nothing.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_consumer_flush_acks(struct hstream_consumer_t *consumer,
                                           int64_t timeout_ms,
                                           const struct hstream_cancel_t *HSTREAM_NULLABLE cancel,
                                           struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Returns how many acks have not been sent.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
uint64_t hstream_consumer_pending_acks(struct hstream_consumer_t *consumer) HSTREAM_NOEXCEPT;

/**
 * Returns how many records were handed out and not acked. Those count no more that the server delivers again,
 * because the subscription's ack time-out is over.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
uint64_t hstream_consumer_unacked_records(struct hstream_consumer_t *consumer) HSTREAM_NOEXCEPT;

/**
 * Returns for how many milliseconds the oldest of these has waited for its ack; 0 if there are none.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int64_t hstream_consumer_oldest_unacked_ms(struct hstream_consumer_t *consumer) HSTREAM_NOEXCEPT;

/**
 * Returns why no records come, where none come: HSTREAM_WAITING_*. New ones may come.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int32_t hstream_consumer_waiting_for(struct hstream_consumer_t *consumer) HSTREAM_NOEXCEPT;

/**
 * Returns a descriptor that is readable while `hstream_consumer_poll` would return at once, for event loops; -1
 * where there is none. The consumer must have been started.
 *
 * **Ownership**: It is the consumer's: only to be waited for, and not to be read or closed.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int32_t hstream_consumer_event_fd(struct hstream_consumer_t *consumer) HSTREAM_NOEXCEPT;

/**
 * Stops delivery, sends the acks and gives the shards back; `hstream_consumer_start` begins again. In its
 * own callback it is a request, which takes effect when that returns.
 *
 * May be NULL: `cancel`, `err`.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: until `timeout_ms`.
 * **Errors**: TIMEOUT, INTERRUPTED, CLOSED, UNAVAILABLE if the acks were not taken, why it failed.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_consumer_stop(struct hstream_consumer_t *consumer,
                                     int64_t timeout_ms,
                                     const struct hstream_cancel_t *HSTREAM_NULLABLE cancel,
                                     struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Stops, and ends the consumer for good. After it no callback runs; if it succeeds, the server has all
 * acks. Closing twice is fine.
 *
 * May be NULL: `cancel`, `err`.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: until `timeout_ms`.
 * **Errors**: TIMEOUT if acks were given up; it is closed all the same. INTERRUPTED; WOULD_DEADLOCK in its
 * own callback.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_consumer_close(struct hstream_consumer_t *consumer,
                                      int64_t timeout_ms,
                                      const struct hstream_cancel_t *HSTREAM_NULLABLE cancel,
                                      struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Frees a consumer. Without a close before, it is cancelled: acks that were not sent are lost, with a
 * warning. In its own callback it is deferred until that has returned.
 *
 * May be NULL: `consumer`.
 *
 * **Ownership**: `consumer` is gone after it.
 * **Threads**: any, once.
 * **Blocking**: until a running callback of it has returned.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_consumer_free(struct hstream_consumer_t *HSTREAM_NULLABLE consumer) HSTREAM_NOEXCEPT;

/**
 * Returns its name.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `consumer`.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_consumer_name(struct hstream_consumer_t *consumer,
                                  size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Returns the subscription.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `consumer`.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_consumer_subscription_id(struct hstream_consumer_t *consumer,
                                             size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;

/**
 * Returns what it is doing: HSTREAM_STATE_*.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int32_t hstream_consumer_state(struct hstream_consumer_t *consumer) HSTREAM_NOEXCEPT;

/**
 * Returns why it failed, or why it lost its connection last.
 *
 * **Ownership**: The result is yours, to be freed with `hstream_error_free`; NULL if there is none.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
struct hstream_error_t *HSTREAM_NULLABLE hstream_consumer_last_error(struct hstream_consumer_t *consumer) HSTREAM_NOEXCEPT;

/**
 * Makes options, all default: from the earliest record, and on as records come.
 *
 * **Ownership**: The result is yours, to be freed with `hstream_reader_options_free`; NULL if there is
 * none.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
struct hstream_reader_options_t *HSTREAM_NULLABLE hstream_reader_options_new(void) HSTREAM_NOEXCEPT;

/**
 * Copies options; a callback's user data is shared.
 *
 * **Ownership**: The result is yours, to be freed with `hstream_reader_options_free`; NULL if there is
 * none.
 * **Threads**: any, while it is not changed.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
struct hstream_reader_options_t *HSTREAM_NULLABLE hstream_reader_options_clone(const struct hstream_reader_options_t *reader_options) HSTREAM_NOEXCEPT;

/**
 * Frees options. The callback's user data is released when the readers opened with them are gone as well.
 *
 * May be NULL: `reader_options`.
 *
 * **Ownership**: `reader_options` is gone after it.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_reader_options_free(struct hstream_reader_options_t *HSTREAM_NULLABLE reader_options) HSTREAM_NOEXCEPT;

/**
 * Sets the first record: default the earliest that is kept. A record is one of the shard that is read, and can't be
 * set for a whole stream.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_reader_options_set_from(struct hstream_reader_options_t *reader_options,
                                               const struct hstream_offset_t *where) HSTREAM_NOEXCEPT;

/**
 * Has a reader go on behind what an earlier one of the same stream has handed out: `position` is what
 * `hstream_reader_position_text` said of that. Shards that it does not name begin as
 * `hstream_reader_options_set_from` says; "" names none.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_reader_options_set_position(struct hstream_reader_options_t *reader_options,
                                                   const char *position,
                                                   struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Sets the last record, inclusive. Default there is none, and the reader goes on as records come; for one of a key it
 * is the latest. The latest is the last that there is when the reader is opened, and a time the one at which the
 * server stored a batch.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_reader_options_set_until(struct hstream_reader_options_t *reader_options,
                                                const struct hstream_offset_t *where) HSTREAM_NOEXCEPT;

/**
 * Sets the most batches to read, as they were appended, of all shards together: default 0, which is no limit.
 * Readers of one key have no such limit.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: NULL_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_reader_options_set_max_batches(struct hstream_reader_options_t *reader_options,
                                                      uint64_t count) HSTREAM_NOEXCEPT;

/**
 * Sets how many bytes may be received before they are read: default 32 MiB; 0 is refused. A message of the server may
 * go over it.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_reader_options_set_buffer_bytes(struct hstream_reader_options_t *reader_options,
                                                       uint64_t bytes) HSTREAM_NOEXCEPT;

/**
 * Sets how many records may be received before they are read: default 100,000; 0 is refused. A message of the server
 * may go over it.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_reader_options_set_buffer_records(struct hstream_reader_options_t *reader_options,
                                                         uint64_t count) HSTREAM_NOEXCEPT;

/**
 * Sets the largest batch that is decompressed: default 64 MiB. Records of a larger one have the code DECODE.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_reader_options_set_max_batch_bytes(struct hstream_reader_options_t *reader_options,
                                                          uint64_t bytes) HSTREAM_NOEXCEPT;

/**
 * Sets what the server calls the reader in its log.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: NULL_ARGUMENT, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_reader_options_set_label(struct hstream_reader_options_t *reader_options,
                                                const char *label,
                                                struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Has records delivered to a function, on a thread of the reader, from `hstream_reader_start` on, instead of read;
 * NULL takes it away. HSTREAM_KEEP of it is as HSTREAM_PROCESSED: readers ack nothing. `release` frees `user_data`
 * when nothing will call the function any more; not if this function fails.
 *
 * May be NULL: `callback`, `user_data`, `release`.
 *
 * **Ownership**: `user_data` is the options' until it is released.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: NULL_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_reader_options_set_callback(struct hstream_reader_options_t *reader_options,
                                                   hstream_batch_fn HSTREAM_NULLABLE callback,
                                                   void *HSTREAM_NULLABLE user_data,
                                                   hstream_release_fn HSTREAM_NULLABLE release) HSTREAM_NOEXCEPT;

/**
 * Sets the most records that a callback gets at once: default 10,000.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_reader_options_set_callback_records(struct hstream_reader_options_t *reader_options,
                                                           uint32_t max_records) HSTREAM_NOEXCEPT;

/**
 * Sets the pauses between attempts to open a read again that was lost: the first, doubled each time up to the longest, each shortened by
 * chance by up to a half. Default 100 and 10,000. There is no last attempt.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT, CONFIG if the longest is less than the first.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_reader_options_set_reopen(struct hstream_reader_options_t *reader_options,
                                                 int64_t first_backoff_ms,
                                                 int64_t max_backoff_ms) HSTREAM_NOEXCEPT;

/**
 * Sets any option but the callback by text. The keys are the names of the setters with dots, and
 * `hstream_options_schema_json` lists them with what they take.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: What is given is copied.
 * **Threads**: one at a time, and no other function on it meanwhile.
 * **Blocking**: no.
 * **Errors**: UNKNOWN_OPTION, INVALID_ARGUMENT, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_reader_options_set(struct hstream_reader_options_t *reader_options,
                                          const char *key,
                                          const char *value,
                                          struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Opens a reader of one shard of a stream. `call` is for looking up what there is, and not for what the reader does
 * later. Records are read with `hstream_reader_read`; with a callback in the options, they are delivered to it from
 * `hstream_reader_start` on.
 *
 * May be NULL: `reader_options`, `call`, `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_reader_free`.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: STREAM_NOT_FOUND, INVALID_ARGUMENT for no such shard, INVALID_STATE for a position of another stream,
 * CONFIG, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_reader_open_shard(struct hstream_client_t *client,
                                         const char *stream,
                                         uint64_t shard_id,
                                         const struct hstream_reader_options_t *HSTREAM_NULLABLE reader_options,
                                         const struct hstream_call_t *HSTREAM_NULLABLE call,
                                         struct hstream_reader_t **out,
                                         struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Opens a reader of all shards of a stream: records of one shard come in their order, those of different shards in
 * any. Else as `hstream_reader_open_shard`.
 *
 * May be NULL: `reader_options`, `call`, `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_reader_free`.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: STREAM_NOT_FOUND, INVALID_ARGUMENT for options that begin or end with a record, INVALID_STATE for a
 * position of another stream, CONFIG, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_reader_open_stream(struct hstream_client_t *client,
                                          const char *stream,
                                          const struct hstream_reader_options_t *HSTREAM_NULLABLE reader_options,
                                          const struct hstream_call_t *HSTREAM_NULLABLE call,
                                          struct hstream_reader_t **out,
                                          struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Opens a reader of the shard of a stream that has no more than one. Else as `hstream_reader_open_shard`.
 *
 * May be NULL: `reader_options`, `call`, `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_reader_free`.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: STREAM_NOT_FOUND, INVALID_ARGUMENT for a stream of more shards, INVALID_STATE for a position of
 * another stream, CONFIG, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_reader_open_single_shard(struct hstream_client_t *client,
                                                const char *stream,
                                                const struct hstream_reader_options_t *HSTREAM_NULLABLE reader_options,
                                                const struct hstream_call_t *HSTREAM_NULLABLE call,
                                                struct hstream_reader_t **out,
                                                struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Opens a reader of the records of one key, which the server picks out; NULL is the empty key, which is that of
 * records without one. Unless the options say otherwise, it ends with the last record that there is now. Else as
 * `hstream_reader_open_shard`.
 *
 * May be NULL: `key`, `reader_options`, `call`, `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_reader_free`.
 * **Threads**: any, several at once.
 * **Blocking**: until the call's time-out.
 * **Errors**: STREAM_NOT_FOUND, INVALID_ARGUMENT for a limit of batches, INVALID_STATE for a position of another
 * stream, CONFIG, TIMEOUT, INTERRUPTED, CLOSED, UTF8. Of a server before v0.16.1, the first read gives UNSUPPORTED.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_reader_open_key(struct hstream_client_t *client,
                                       const char *stream,
                                       const void *HSTREAM_NULLABLE key,
                                       size_t key_len,
                                       const struct hstream_reader_options_t *HSTREAM_NULLABLE reader_options,
                                       const struct hstream_call_t *HSTREAM_NULLABLE call,
                                       struct hstream_reader_t **out,
                                       struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Begins to deliver to the callback, or goes on after a stop, behind what was delivered. The last call of the callback
 * has a NULL batch: when all is read, after a stop or close, or with why it failed; after another start there is
 * another.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: INVALID_STATE without a callback or while it delivers already, CLOSED, RESOURCES, why it failed.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_reader_start(struct hstream_reader_t *reader,
                                    struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Delivers no more to the callback, and waits until it has returned; nothing is lost, and `hstream_reader_start` goes
 * on. In the callback itself it is a request, which takes effect when that returns. Stopping twice is fine.
 *
 * May be NULL: `cancel`, `err`.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: until `timeout_ms`.
 * **Errors**: INVALID_STATE without a callback; TIMEOUT and INTERRUPTED while the callback runs, which is then its last
 * call but for the one that tells the end.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_reader_stop(struct hstream_reader_t *reader,
                                   int64_t timeout_ms,
                                   const struct hstream_cancel_t *HSTREAM_NULLABLE cancel,
                                   struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Reads up to `max_records` records, as soon as there are any; NULL when none came in time. END when all is read, and
 * from then on; `*out` is as it was then.
 *
 * May be NULL: `cancel`, `err`.
 *
 * **Ownership**: `*out` is NULL or yours, to be freed with `hstream_batch_free`.
 * **Threads**: any, one at a time.
 * **Blocking**: until `timeout_ms`.
 * **Errors**: END (HSTREAM_END), BUSY while another thread reads, CLOSED, INTERRUPTED, INVALID_STATE with a callback,
 * INVALID_ARGUMENT, why it failed.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_reader_read(struct hstream_reader_t *reader,
                                   uint32_t max_records,
                                   int64_t timeout_ms,
                                   const struct hstream_cancel_t *HSTREAM_NULLABLE cancel,
                                   struct hstream_batch_t **out,
                                   struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Gets the last record of a shard that was handed out, by this reader or by the one whose position it was given.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: INVALID_STATE before the first record.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_reader_position(struct hstream_reader_t *reader,
                                       uint64_t shard_id,
                                       struct hstream_record_id_t *value) HSTREAM_NOEXCEPT;

/**
 * Gets the position in all shards as a text, to be kept; `hstream_reader_options_set_position` goes on behind it. It
 * is "" before the first record.
 *
 * May be NULL: `text_len`, `err`.
 *
 * **Ownership**: `*text` is yours, to be freed with `hstream_string_free`.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: RESOURCES.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_reader_position_text(struct hstream_reader_t *reader,
                                            char **text,
                                            size_t *HSTREAM_NULLABLE text_len,
                                            struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Returns a descriptor that is readable while `hstream_reader_read` would return at once, for event loops; -1 where
 * there is none.
 *
 * **Ownership**: It is the reader's: only to be waited for, and not to be read or closed.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
int32_t hstream_reader_event_fd(struct hstream_reader_t *reader) HSTREAM_NOEXCEPT;

/**
 * Ends a reader for good, and whoever reads from it. After it no callback runs. Closing twice is fine.
 *
 * May be NULL: `cancel`, `err`.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any, several at once.
 * **Blocking**: until a running callback of it has returned, which no time-out cuts short, but `cancel` does.
 * **Errors**: INTERRUPTED; it is closed all the same, and closing again waits again. WOULD_DEADLOCK in its own
 * callback; it is not closed then.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_reader_close(struct hstream_reader_t *reader,
                                    int64_t timeout_ms,
                                    const struct hstream_cancel_t *HSTREAM_NULLABLE cancel,
                                    struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;

/**
 * Closes and frees a reader. In its own callback it is deferred until that has returned.
 *
 * May be NULL: `reader`.
 *
 * **Ownership**: `reader` is gone after it.
 * **Threads**: any, once.
 * **Blocking**: until a running callback of it has returned.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_reader_free(struct hstream_reader_t *HSTREAM_NULLABLE reader) HSTREAM_NOEXCEPT;

/**
 * Frees a batch, or one reference to it. Its records are gone with the last.
 *
 * May be NULL: `batch`.
 *
 * **Ownership**: `batch` is gone after it.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_batch_free(struct hstream_batch_t *HSTREAM_NULLABLE batch) HSTREAM_NOEXCEPT;

/**
 * Returns the batch once more: to keep one that was lent to a callback.
 *
 * **Ownership**: The result is yours, to be freed with `hstream_batch_free`; NULL if there is none.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
struct hstream_batch_t *HSTREAM_NULLABLE hstream_batch_ref(const struct hstream_batch_t *batch) HSTREAM_NOEXCEPT;

/**
 * Returns the number of records.
 *
 * **Ownership**: Nothing changes hands.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
size_t hstream_batch_count(const struct hstream_batch_t *batch) HSTREAM_NOEXCEPT;

/**
 * Returns a record, in the order of arrival; NULL beyond the last.
 *
 * **Ownership**: The result is borrowed from `batch`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const struct hstream_record_t *HSTREAM_NULLABLE hstream_batch_at(const struct hstream_batch_t *batch,
                                                size_t index) HSTREAM_NOEXCEPT;

/**
 * Returns the ids of all records, as an array that can be passed to `hstream_consumer_ack`.
 *
 * **Ownership**: The result is borrowed from `batch`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const struct hstream_record_id_t *HSTREAM_NULLABLE hstream_batch_ids(const struct hstream_batch_t *batch) HSTREAM_NOEXCEPT;

/**
 * Returns the kinds of all records: HSTREAM_RECORD_*.
 *
 * **Ownership**: The result is borrowed from `batch`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const int32_t *HSTREAM_NULLABLE hstream_batch_kinds(const struct hstream_batch_t *batch) HSTREAM_NOEXCEPT;

/**
 * Returns of all records whether they can be read: HSTREAM_OK, DECODE, COMPRESSION.
 *
 * **Ownership**: The result is borrowed from `batch`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const int32_t *HSTREAM_NULLABLE hstream_batch_codes(const struct hstream_batch_t *batch) HSTREAM_NOEXCEPT;

/**
 * Gets the payloads of all records. They do not end with NUL.
 *
 * **Ownership**: The arrays and what they point to are borrowed from `batch`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: NULL_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_batch_payloads(const struct hstream_batch_t *batch,
                                      const void *const **pointers,
                                      const size_t **lengths) HSTREAM_NOEXCEPT;

/**
 * Gets the partition keys of all records. They do not end with NUL.
 *
 * **Ownership**: The arrays and what they point to are borrowed from `batch`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: NULL_ARGUMENT.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_batch_keys(const struct hstream_batch_t *batch,
                                  const void *const **pointers,
                                  const size_t **lengths) HSTREAM_NOEXCEPT;

/**
 * Returns when the server stored each record, in milliseconds since 1970; 0 if unknown.
 *
 * **Ownership**: The result is borrowed from `batch`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const int64_t *HSTREAM_NULLABLE hstream_batch_publish_times_ms(const struct hstream_batch_t *batch) HSTREAM_NOEXCEPT;

#if defined(HSTREAM_HAS_DEV_SERVER)
/**
 * Starts a cluster of so many nodes on free ports of the loopback interface.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: `*out` is yours, to be freed with `hstream_dev_server_free`.
 * **Threads**: any.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT, RESOURCES.
 * **Since**: 0.1.
 */
HSTREAM_API HSTREAM_MUST_USE
hstream_code_t hstream_dev_server_start(uint32_t nodes,
                                        struct hstream_dev_server_t **out,
                                        struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;
#endif

#if defined(HSTREAM_HAS_DEV_SERVER)
/**
 * Returns the URL to connect to.
 *
 * May be NULL: `len`.
 *
 * **Ownership**: The result is borrowed from `dev_server`.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
const char *hstream_dev_server_url(struct hstream_dev_server_t *dev_server,
                                   size_t *HSTREAM_NULLABLE len) HSTREAM_NOEXCEPT;
#endif

#if defined(HSTREAM_HAS_DEV_SERVER)
/**
 * Orders failures and changes speeds, by name: what `hstream-dev-server --help` lists for its control port.
 *
 * `"refuse"` with `"Append 14 times=2 server is unavailable"`, `"assignment_tick"` with `"10"`, and so on.
 *
 * May be NULL: `err`.
 *
 * **Ownership**: `key` and `value` are copied.
 * **Threads**: any, several at once.
 * **Blocking**: no.
 * **Errors**: INVALID_ARGUMENT, with what is taken; what the order itself meets.
 * **Since**: 0.1.
 */
HSTREAM_API
hstream_code_t hstream_dev_server_set(struct hstream_dev_server_t *dev_server,
                                      const char *key,
                                      const char *value,
                                      struct hstream_error_t **HSTREAM_NULLABLE err) HSTREAM_NOEXCEPT;
#endif

#if defined(HSTREAM_HAS_DEV_SERVER)
/**
 * Stops the server; what it stored is gone.
 *
 * May be NULL: `dev_server`.
 *
 * **Ownership**: `dev_server` is gone after it.
 * **Threads**: any, once.
 * **Blocking**: until it has stopped, 3 s at most.
 * **Errors**: none.
 * **Since**: 0.1.
 */
HSTREAM_API
void hstream_dev_server_free(struct hstream_dev_server_t *HSTREAM_NULLABLE dev_server) HSTREAM_NOEXCEPT;
#endif

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#ifdef __cplusplus
} /* extern "C" */
#endif

#if defined(__clang__)
#pragma clang diagnostic pop
#endif

#endif /* HSTREAMDB_H */
