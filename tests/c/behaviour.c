/* What the functions do, against a server in this process. With the argument "fork": what a child may do; with
 * "log": a line for the log. */

#define _POSIX_C_SOURCE 200809L

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static const char *url;

static hstream_client_t *connected(void)
{
    hstream_client_options_t *options = hstream_client_options_new();
    hstream_client_t *client = NULL;
    OK(hstream_client_options_set_url(options, url, NULL));
    OK(hstream_client_options_set_user_agent(options, "behaviour/1", NULL));
    OK(hstream_client_connect(options, NULL, &client, NULL));
    hstream_client_options_free(options);
    return client;
}

/* A stream with a subscription of the same name, from the earliest record on. */
static void create(hstream_client_t *client, const char *name, uint32_t shards)
{
    hstream_stream_options_t *stream = hstream_stream_options_new();
    hstream_subscription_options_t *subscription = hstream_subscription_options_new();
    OK(hstream_stream_options_set_shard_count(stream, shards));
    OK(hstream_subscription_options_set_start(subscription, HSTREAM_OFFSET_EARLIEST));
    OK(hstream_subscription_options_set_ack_timeout_seconds(subscription, 30));
    OK(hstream_client_create_stream(client, name, stream, NULL, NULL, NULL));
    OK(hstream_client_create_subscription(client, name, name, subscription, NULL, NULL, NULL));
    hstream_subscription_options_free(subscription);
    hstream_stream_options_free(stream);
}

/* ---- Options as text ------------------------------------------------------------------------------------- */

static void streams_by_text(hstream_client_t *client)
{
    hstream_stream_options_t *options = hstream_stream_options_new();
    hstream_stream_t *stream = NULL;
    hstream_error_t *err = NULL;

    OK(hstream_stream_options_set(options, "replication.factor", "2", NULL));
    OK(hstream_stream_options_set(options, "shard.count", "3", NULL));
    OK(hstream_stream_options_set(options, "backlog.seconds", "86400", NULL));
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_stream_options_set(options, "shard.count", "0", NULL));
    CODE(HSTREAM_ERR_UNKNOWN_OPTION, hstream_stream_options_set(options, "backlog.second", "1", &err));
    CHECK(strstr(hstream_error_message(err, NULL), "`backlog.seconds`") != NULL);
    hstream_error_free(err);
    OK(hstream_client_create_stream(client, "by-text", options, NULL, &stream, NULL));
    CHECK(hstream_stream_replication_factor(stream) == 2);
    CHECK(hstream_stream_shard_count(stream) == 3);
    CHECK(hstream_stream_backlog_seconds(stream) == 86400);
    hstream_stream_free(stream);
    hstream_stream_options_free(options);
}

static void options_by_text(hstream_client_t *client)
{
    hstream_subscription_options_t *options = hstream_subscription_options_new();
    hstream_consumer_options_t *consuming = hstream_consumer_options_new();
    hstream_subscription_t *subscription = NULL;
    hstream_consumer_t *consumer = NULL;
    hstream_batch_t *batch = NULL;
    hstream_error_t *err = NULL;

    streams_by_text(client);
    OK(hstream_client_append_raw(client, "by-text", NULL, 0, "some", 4, NULL, NULL, NULL));
    OK(hstream_subscription_options_set(options, "ack.timeout.seconds", "45", NULL));
    OK(hstream_subscription_options_set(options, "max.unacked.records", "77", NULL));
    OK(hstream_subscription_options_set(options, "start", "earliest", NULL));
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_subscription_options_set(options, "start", "1-2-3", NULL));
    CODE(HSTREAM_ERR_UNKNOWN_OPTION, hstream_subscription_options_set(options, "ack.timeout", "45", &err));
    CHECK(strstr(hstream_error_message(err, NULL), "`ack.timeout.seconds`") != NULL);
    hstream_error_free(err);
    OK(hstream_client_create_subscription(client, "by-text", "by-text", options, NULL, &subscription, NULL));
    CHECK(hstream_subscription_ack_timeout_seconds(subscription) == 45);
    CHECK(hstream_subscription_max_unacked_records(subscription) == 77);
    CHECK(hstream_subscription_start(subscription) == HSTREAM_OFFSET_EARLIEST);
    hstream_subscription_free(subscription);
    hstream_subscription_options_free(options);

    OK(hstream_consumer_options_set(consuming, "name", "by-text", NULL));
    OK(hstream_consumer_options_set(consuming, "auto.ack", "true", NULL));
    OK(hstream_consumer_options_set_reconnect(consuming, 10, 20));
    CODE(HSTREAM_ERR_CONFIG, hstream_consumer_options_set_reconnect(consuming, 20, 10));
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_consumer_options_set(consuming, "prefetch.bytes", "0", NULL));
    OK(hstream_consumer_new(client, "by-text", consuming, NULL, &consumer, NULL));
    CHECK(strcmp(hstream_consumer_name(consumer, NULL), "by-text") == 0);
    OK(hstream_consumer_poll(consumer, 1, LONG_MS, NULL, &batch, NULL));
    CHECK(hstream_batch_count(batch) == 1 && hstream_consumer_unacked_records(consumer) == 1);
    hstream_batch_free(batch);
    OK(hstream_consumer_poll(consumer, 1, 0, NULL, &batch, NULL)); /* acks the one before */
    CHECK(batch == NULL && hstream_consumer_unacked_records(consumer) == 0);
    OK(hstream_consumer_close(consumer, LONG_MS, NULL, NULL));
    hstream_consumer_free(consumer);
    /* Contradictions are found when they are used. */
    OK(hstream_consumer_options_set(consuming, "reconnect.first.backoff.ms", "30", NULL));
    CODE(HSTREAM_ERR_CONFIG, hstream_consumer_new(client, "by-text", consuming, NULL, &consumer, NULL));
    hstream_consumer_options_free(consuming);
}

/* ---- Answers ------------------------------------------------------------------------------------------- */

static void streams_and_errors(hstream_client_t *client)
{
    hstream_stream_t *stream = NULL, *kept = NULL;
    hstream_streams_t *streams = NULL;
    hstream_shards_t *shards = NULL;
    hstream_subscription_t *subscription = NULL;
    hstream_subscriptions_t *subscriptions = NULL;
    hstream_error_t *err = NULL, *copy;
    int32_t exists = 7;
    uint64_t shard = 0;
    char *text = NULL;
    size_t len = 0;

    create(client, "answers", 3);
    OK(hstream_client_echo(client, "are you there?", NULL, &text, &len, NULL));
    CHECK(len == 14 && strcmp(text, "are you there?") == 0);
    hstream_string_free(text);
    OK(hstream_client_refresh(client, NULL, NULL));

    OK(hstream_client_get_stream(client, "answers", NULL, &stream, &err));
    CHECK(err == NULL);
    CHECK(hstream_stream_shard_count(stream) == 3 && hstream_stream_replication_factor(stream) == 1);
    CHECK(hstream_stream_backlog_seconds(stream) == 0 && hstream_stream_creation_time_ms(stream) > 0);
    OK(hstream_stream_to_json(stream, &text, NULL));
    CHECK(strstr(text, "\"name\":\"answers\"") != NULL);
    hstream_string_free(text);
    hstream_stream_free(stream);

    OK(hstream_client_list_streams(client, "ans", NULL, &streams, NULL));
    CHECK(hstream_streams_count(streams) == 1 && hstream_streams_at(streams, 1) == NULL);
    kept = hstream_stream_clone(hstream_streams_at(streams, 0));
    hstream_streams_free(streams);
    CHECK(strcmp(hstream_stream_name(kept, &len), "answers") == 0 && len == 7);
    hstream_stream_free(kept);

    OK(hstream_client_stream_exists(client, "answers", NULL, &exists, NULL));
    CHECK(exists == 1);
    OK(hstream_client_stream_exists(client, "nothing", NULL, &exists, NULL));
    CHECK(exists == 0);

    OK(hstream_client_list_shards(client, "answers", NULL, &shards, NULL));
    CHECK(hstream_shards_count(shards) == 3);
    const hstream_shard_t *found = hstream_shards_find_key(shards, "hello", HSTREAM_NTS);
    OK(hstream_client_shard_for_key(client, "answers", "hello", 5, NULL, &shard, NULL));
    CHECK(found != NULL && hstream_shard_id(found) == shard && hstream_shard_is_active(found));
    CHECK(strcmp(hstream_shard_start_key(hstream_shards_at(shards, 0), NULL), "0") == 0);
    CHECK(strcmp(hstream_shard_end_key(hstream_shards_at(shards, 2), NULL),
                 "340282366920938463463374607431768211455") == 0);
    CHECK(strcmp(hstream_shard_stream_name(found, NULL), "answers") == 0);
    hstream_record_id_t tail;
    OK(hstream_client_tail_record_id(client, "answers", shard, NULL, &tail, NULL));
    hstream_shards_free(shards);

    OK(hstream_client_get_subscription(client, "answers", NULL, &subscription, NULL));
    CHECK(hstream_subscription_ack_timeout_seconds(subscription) == 30);
    CHECK(hstream_subscription_max_unacked_records(subscription) == 10000);
    CHECK(hstream_subscription_start(subscription) == HSTREAM_OFFSET_EARLIEST);
    CHECK(strcmp(hstream_subscription_stream_name(subscription, NULL), "answers") == 0);
    OK(hstream_subscription_to_json(subscription, &text, NULL));
    hstream_string_free(text);
    hstream_subscription_free(subscription);
    OK(hstream_client_list_subscriptions(client, NULL, NULL, &subscriptions, NULL));
    CHECK(hstream_subscriptions_count(subscriptions) >= 1);
    CHECK(*hstream_subscription_id(hstream_subscriptions_at(subscriptions, 0), NULL) != 0);
    hstream_subscriptions_free(subscriptions);
    OK(hstream_client_subscription_exists(client, "answers", NULL, &exists, NULL));
    CHECK(exists == 1);

    stream = (hstream_stream_t *)&failures;
    CODE(HSTREAM_ERR_STREAM_NOT_FOUND, hstream_client_get_stream(client, "nothing", NULL, &stream, &err));
    CHECK(stream == (hstream_stream_t *)&failures); /* left alone */
    copy = hstream_error_clone(err);
    hstream_error_free(err);
    CHECK(hstream_error_code(copy) == HSTREAM_ERR_STREAM_NOT_FOUND && hstream_error_server_code(copy) == 200);
    CHECK(strcmp(hstream_error_server_name(copy, NULL), "StreamNotFound") == 0);
    CHECK(strstr(hstream_error_message(copy, NULL), "nothing") != NULL);
    CHECK(strcmp(hstream_error_operation(copy, NULL), "GetStream") == 0);
    CHECK(*hstream_error_address(copy, NULL) != 0 && hstream_error_attempts(copy) == 1);
    CHECK(hstream_error_grpc_status(copy) == 5 && !hstream_error_is_retryable(copy));
    CHECK(!hstream_error_is_ambiguous(copy));
    OK(hstream_error_to_json(copy, &text, NULL));
    CHECK(strstr(text, "\"name\":\"STREAM_NOT_FOUND\"") != NULL);
    hstream_string_free(text);
    hstream_error_free(copy);

    CODE(HSTREAM_ERR_STREAM_EXISTS, hstream_client_create_stream(client, "answers", NULL, NULL, NULL, NULL));
    CODE(HSTREAM_ERR_UTF8, hstream_client_get_stream(client, "\xff", NULL, &stream, NULL));
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_client_delete_stream(client, "answers", 4, NULL, NULL));
    CODE(HSTREAM_ERR_STREAM_FOUND_SUBSCRIPTION, hstream_client_delete_stream(client, "answers", 0, NULL, NULL));
    OK(hstream_client_delete_subscription(client, "answers", 0, NULL, NULL));
    OK(hstream_client_delete_stream(client, "answers", 0, NULL, NULL));
    CODE(HSTREAM_ERR_STREAM_NOT_FOUND, hstream_client_delete_stream(client, "answers", 0, NULL, NULL));
    OK(hstream_client_delete_stream(client, "answers", HSTREAM_DELETE_IGNORE_MISSING, NULL, NULL));
}

/* ---- Appending at once, and consuming by poll ---------------------------------------------------------- */

static void append_some(hstream_client_t *client, const char *name, int count)
{
    for (int i = 0; i < count; i++)
        OK(hstream_client_append_raw(client, name, NULL, 0, "some", 4, NULL, NULL, NULL));
}

/* The descriptor is readable while a poll would return something, and not otherwise. */
static void wait_by_descriptor(hstream_client_t *client, hstream_consumer_t *consumer)
{
    struct pollfd asked = {.fd = hstream_consumer_event_fd(consumer), .events = POLLIN};
    hstream_batch_t *batch = NULL;

    CHECK(asked.fd >= 0 && hstream_consumer_event_fd(consumer) == asked.fd && poll(&asked, 1, 0) == 0);
    append_some(client, "polled", 3);
    for (size_t got = 0; got < 3;) {
        if (!CHECK(poll(&asked, 1, LONG_MS) == 1))
            return;
        OK(hstream_consumer_poll(consumer, 1, 0, NULL, &batch, NULL));
        if (!CHECK(batch != NULL))
            return;
        CHECK(hstream_consumer_unacked_records(consumer) == 1);
        nap(2);
        CHECK(hstream_consumer_oldest_unacked_ms(consumer) > 0);
        OK(hstream_consumer_ack_up_to(consumer, &hstream_batch_ids(batch)[0], NULL));
        CHECK(hstream_consumer_unacked_records(consumer) == 0);
        got += hstream_batch_count(batch);
        hstream_batch_free(batch);
    }
    CHECK(poll(&asked, 1, 0) == 0);
}

static void append_and_poll(hstream_client_t *client)
{
    hstream_record_t *records[3] = {NULL};
    hstream_record_id_t ids[3], id;
    hstream_code_t codes[3];
    hstream_append_options_t *options = hstream_append_options_new();
    hstream_consumer_t *consumer = NULL;
    hstream_batch_t *batch = NULL;
    hstream_record_t *kept = NULL;
    hstream_consumer_infos_t *infos = NULL;
    char text[HSTREAM_RECORD_ID_TEXT_SIZE];
    size_t needed = 0, got = 0;
    uint64_t shard = 0;

    create(client, "polled", 2);
    OK(hstream_record_new_raw("one", 3, "key-1", HSTREAM_NTS, &records[0], NULL));
    OK(hstream_record_set_attribute(records[0], "colour", "blue", HSTREAM_NTS, NULL));
    OK(hstream_record_new_json("{\"n\":2}", HSTREAM_NTS, NULL, 0, &records[1], NULL));
    OK(hstream_record_new_raw(NULL, 0, "hello", 5, &records[2], NULL));
    OK(hstream_append_options_set_compression(options, HSTREAM_COMPRESSION_GZIP, HSTREAM_LEVEL_DEFAULT));
    OK(hstream_client_append(client, "polled", (const hstream_record_t *const *)records, 3, options, NULL, ids, codes,
                             NULL));
    CHECK(codes[0] == HSTREAM_OK && codes[2] == HSTREAM_OK && ids[0].shard_id != 0 && ids[0].reserved == 0);
    CODE(HSTREAM_ERR_STREAM_NOT_FOUND,
         hstream_client_append(client, "nothing", (const hstream_record_t *const *)records, 3, NULL, NULL, ids, codes,
                               NULL));
    CHECK(codes[1] == HSTREAM_ERR_STREAM_NOT_FOUND && ids[1].shard_id == 0);
    OK(hstream_client_append_raw(client, "polled", NULL, 0, "raw", 3, NULL, &id, NULL));
    OK(hstream_record_id_format(&id, text, sizeof text, &needed));
    CHECK(strlen(text) + 1 == needed);
    OK(hstream_record_id_parse(text, HSTREAM_NTS, &ids[0], NULL));
    CHECK(hstream_record_id_compare(&id, &ids[0]) == 0);
    OK(hstream_client_append_json(client, "polled", "key-1", 5, "{}", 2, NULL, NULL, NULL));
    CODE(HSTREAM_ERR_JSON, hstream_client_append_json(client, "polled", NULL, 0, "[1]", 3, NULL, NULL, NULL));
    OK(hstream_client_shard_for_key(client, "polled", "key-1", 5, NULL, &shard, NULL));
    OK(hstream_client_append_to_shard(client, "polled", shard, (const hstream_record_t *const *)records, 3, options,
                                      NULL, ids, NULL));
    CHECK(ids[0].shard_id == shard && ids[2].batch_index == 2);
    for (int i = 0; i < 3; i++)
        hstream_record_free(records[i]);
    hstream_append_options_free(options);

    CODE(HSTREAM_ERR_SUBSCRIPTION_NOT_FOUND, hstream_consumer_new(client, "nothing", NULL, NULL, &consumer, NULL));
    OK(hstream_consumer_new(client, "polled", NULL, NULL, &consumer, NULL));
    CHECK(hstream_consumer_state(consumer) == HSTREAM_STATE_IDLE);
    CHECK(strcmp(hstream_consumer_subscription_id(consumer, NULL), "polled") == 0);
    CHECK(*hstream_consumer_name(consumer, NULL) != 0);
    CODE(HSTREAM_ERR_INVALID_STATE, hstream_consumer_run(consumer, 0, NULL, NULL));
    while (got < 8) {
        batch = NULL;
        if (!OK(hstream_consumer_poll(consumer, 2, LONG_MS, NULL, &batch, NULL)) || !CHECK(batch != NULL))
            break;
        size_t count = hstream_batch_count(batch);
        CHECK(count == 1 || count == 2);
        const hstream_record_id_t *batch_ids = hstream_batch_ids(batch);
        const int32_t *kinds = hstream_batch_kinds(batch), *batch_codes = hstream_batch_codes(batch);
        const void *const *payloads, *const *keys;
        const size_t *payload_lengths, *key_lengths;
        OK(hstream_batch_payloads(batch, &payloads, &payload_lengths));
        OK(hstream_batch_keys(batch, &keys, &key_lengths));
        for (size_t i = 0; i < count; i++) {
            const hstream_record_t *record = hstream_batch_at(batch, i);
            size_t len, key_len;
            const void *payload = hstream_record_payload(record, &len);
            const char *key = hstream_record_key(record, &key_len);
            CHECK(len == payload_lengths[i] && memcmp(payload, payloads[i], len) == 0);
            CHECK(key_len == key_lengths[i] && memcmp(key, keys[i], key_len) == 0);
            CHECK(hstream_record_kind(record) == kinds[i] && batch_codes[i] == HSTREAM_OK);
            OK(hstream_record_id(record, &id));
            CHECK(hstream_record_id_compare(&id, &batch_ids[i]) == 0);
            CHECK(hstream_record_publish_time_ms(record) == hstream_batch_publish_times_ms(batch)[i]);
            if (len == 3 && memcmp(payload, "one", 3) == 0 && !kept)
                kept = hstream_record_clone(record);
        }
        if (got == 0) /* each of the ways to ack */
            OK(hstream_consumer_ack_record(consumer, hstream_batch_at(batch, 0), NULL));
        OK(hstream_consumer_ack(consumer, batch_ids, count, NULL));
        got += count;
        hstream_batch_free(batch);
    }
    CHECK(hstream_consumer_state(consumer) == HSTREAM_STATE_RUNNING);
    OK(hstream_client_list_consumers(client, "polled", NULL, &infos, NULL));
    CHECK(hstream_consumer_infos_count(infos) == 1);
    CHECK(strcmp(hstream_consumer_infos_name(infos, 0, NULL), hstream_consumer_name(consumer, NULL)) == 0);
    hstream_consumer_infos_free(infos);

    batch = (hstream_batch_t *)&failures;
    OK(hstream_consumer_poll(consumer, 10, 20, NULL, &batch, NULL));
    CHECK(batch == NULL); /* nothing came, which is no error */
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_consumer_poll(consumer, 0, 0, NULL, &batch, NULL));
    id.shard_id = 12345;
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_consumer_ack(consumer, &id, 1, NULL));
    OK(hstream_consumer_flush_acks(consumer, LONG_MS, NULL, NULL));
    CHECK(hstream_consumer_pending_acks(consumer) == 0);
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_consumer_ack_up_to(consumer, &id, NULL));
    CHECK(hstream_consumer_unacked_records(consumer) == 0 && hstream_consumer_oldest_unacked_ms(consumer) == 0);
    CHECK(hstream_consumer_waiting_for(consumer) == HSTREAM_WAITING_RECORDS);
    wait_by_descriptor(client, consumer);
    OK(hstream_consumer_stop(consumer, LONG_MS, NULL, NULL));
    CHECK(hstream_consumer_state(consumer) == HSTREAM_STATE_STOPPED);
    CODE(HSTREAM_ERR_INVALID_STATE, hstream_consumer_poll(consumer, 1, 0, NULL, &batch, NULL));
    OK(hstream_consumer_start(consumer, NULL));
    OK(hstream_consumer_close(consumer, LONG_MS, NULL, NULL));
    OK(hstream_consumer_close(consumer, LONG_MS, NULL, NULL));
    CODE(HSTREAM_ERR_CLOSED, hstream_consumer_poll(consumer, 1, 0, NULL, &batch, NULL));
    CHECK(hstream_consumer_last_error(consumer) == NULL);
    hstream_consumer_free(consumer);
    hstream_consumer_free(consumer); /* ignored */

    /* It outlives its batch and its consumer. */
    CHECK(strcmp(hstream_record_key(kept, NULL), "key-1") == 0);
    int32_t present = 0;
    CHECK(strcmp(hstream_record_attribute(kept, "colour", &present, NULL), "blue") == 0 && present == 1);
    OK(hstream_record_id(kept, &id));
    OK(hstream_record_set_key(kept, "other", HSTREAM_NTS, NULL));
    CHECK(strcmp(hstream_record_key(kept, NULL), "other") == 0);
    hstream_record_free(kept);
}

/* ---- Named readers, trimming, the cluster ---------------------------------------------------------------- */

static size_t read_once(hstream_client_t *client, const char *reader, uint32_t max_batches)
{
    hstream_batch_t *batch = NULL;
    if (!OK(hstream_client_read_shard(client, reader, max_batches, NULL, &batch, NULL)))
        return 0;
    size_t count = hstream_batch_count(batch);
    hstream_batch_free(batch);
    return count;
}

static void named_readers(hstream_client_t *client)
{
    hstream_offset_t where;
    hstream_record_id_t ids[3];
    hstream_strings_t *strings = NULL;
    hstream_node_t *node = NULL;
    hstream_batch_t *batch = NULL;
    uint64_t shard = 0;
    size_t len = 0;

    create(client, "read", 2);
    for (int i = 0; i < 3; i++)
        OK(hstream_client_append_raw(client, "read", NULL, 0, "raw", 3, NULL, &ids[i], NULL));
    OK(hstream_client_shard_for_key(client, "read", NULL, 0, NULL, &shard, NULL));
    hstream_offset_earliest(&where);
    OK(hstream_client_create_shard_reader(client, "r-shard", "read", shard, &where, 0, NULL, NULL));
    CODE(HSTREAM_ERR_GRPC_ALREADY_EXISTS,
         hstream_client_create_shard_reader(client, "r-shard", "read", shard, &where, 0, NULL, NULL));
    CODE(HSTREAM_ERR_INVALID_ARGUMENT,
         hstream_client_create_shard_reader(client, "r-long", "read", shard, &where, 2147483648u, NULL, NULL));
    CODE(HSTREAM_ERR_NULL_ARGUMENT,
         hstream_client_create_shard_reader(client, "r-null", "read", shard, NULL, 0, NULL, NULL));
    CODE(HSTREAM_ERR_GRPC_NOT_FOUND,
         hstream_client_create_shard_reader(client, "r-none", "read", 7, &where, 0, NULL, NULL));
    hstream_offset_at_record(&ids[1], &where);
    OK(hstream_client_create_key_reader(client, "r-record", "read", NULL, 0, &where, 20, NULL, NULL));
    ids[0].shard_id = 7;
    hstream_offset_at_record(&ids[0], &where);
    CODE(HSTREAM_ERR_SHARD_READER_CONFLICT_OFFSET,
         hstream_client_create_key_reader(client, "r-foreign", "read", NULL, 0, &where, 0, NULL, NULL));
    hstream_offset_at_time(0, HSTREAM_OFFSET_STRICT, &where);
    OK(hstream_client_create_key_reader(client, "r-time", "read", "", 0, &where, 0, NULL, NULL));
    hstream_offset_at_time(0, 8, &where);
    CODE(HSTREAM_ERR_INVALID_ARGUMENT,
         hstream_client_create_key_reader(client, "r-flags", "read", "", 0, &where, 0, NULL, NULL));
    hstream_offset_latest(&where);
    OK(hstream_client_create_key_reader(client, "r-latest", "read", "", 0, &where, 0, NULL, NULL));
    where.kind = 9;
    CODE(HSTREAM_ERR_INVALID_ARGUMENT,
         hstream_client_create_key_reader(client, "r-kind", "read", "", 0, &where, 0, NULL, NULL));

    OK(hstream_client_list_shard_readers(client, NULL, &strings, NULL));
    CHECK(hstream_strings_count(strings) == 4);
    CHECK(strcmp(hstream_strings_at(strings, 0, &len), "r-latest") == 0 && len == 8);
    CHECK(strcmp(hstream_strings_at(strings, 3, NULL), "r-time") == 0);
    CHECK(*hstream_strings_at(strings, 4, &len) == 0 && len == 0);
    hstream_strings_free(strings);
    OK(hstream_client_lookup_shard_reader(client, "r-time", NULL, &node, NULL));
    CHECK(hstream_node_id(node) == 1 && hstream_node_state(node) == -1);
    hstream_node_free(node);

    CHECK(read_once(client, "r-shard", 1) == 1 && read_once(client, "r-shard", 0) == 2);
    CHECK(read_once(client, "r-shard", 1) == 0);
    CHECK(read_once(client, "r-time", 0) == 3 && read_once(client, "r-latest", 0) == 0);
    OK(hstream_client_read_shard(client, "r-record", 0, NULL, &batch, NULL));
    CHECK(hstream_batch_count(batch) == 2);
    CHECK(hstream_record_id_compare(&hstream_batch_ids(batch)[0], &ids[1]) == 0);
    hstream_batch_free(batch);
    CODE(HSTREAM_ERR_GRPC_NOT_FOUND, hstream_client_read_shard(client, "r-none", 0, NULL, &batch, NULL));

    OK(hstream_client_delete_shard_reader(client, "r-shard", 0, NULL, NULL));
    OK(hstream_client_delete_shard_reader(client, "r-record", 0, NULL, NULL));
    OK(hstream_client_delete_shard_reader(client, "r-time", 0, NULL, NULL));
    OK(hstream_client_delete_shard_reader(client, "r-latest", 0, NULL, NULL));
    CODE(HSTREAM_ERR_GRPC_NOT_FOUND, hstream_client_delete_shard_reader(client, "r-time", 0, NULL, NULL));
    OK(hstream_client_delete_shard_reader(client, "r-time", HSTREAM_DELETE_IGNORE_MISSING, NULL, NULL));
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_client_delete_shard_reader(client, "r-time", 8, NULL, NULL));
}

static void trimming(hstream_client_t *client)
{
    hstream_offset_t where;
    hstream_record_id_t ids[4], id;
    hstream_trim_points_t *points = NULL;
    uint64_t shard = 0;

    create(client, "trimmed", 1);
    for (int i = 0; i < 4; i++)
        OK(hstream_client_append_raw(client, "trimmed", NULL, 0, "raw", 3, NULL, &ids[i], NULL));
    OK(hstream_client_trim_shards(client, "trimmed", &ids[1], 2, NULL, &points, NULL));
    CHECK(hstream_trim_points_count(points) == 1);
    OK(hstream_trim_points_at(points, 0, &shard, &id));
    CHECK(shard == ids[0].shard_id && hstream_record_id_compare(&id, &ids[1]) == 0);
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_trim_points_at(points, 1, &shard, &id));
    hstream_trim_points_free(points);
    OK(hstream_client_trim_shards(client, "trimmed", NULL, 0, NULL, NULL, NULL));
    CODE(HSTREAM_ERR_STREAM_NOT_FOUND, hstream_client_trim_shards(client, "nothing", ids, 1, NULL, NULL, NULL));
    hstream_offset_at_record(&ids[1], &where);
    OK(hstream_client_trim_shard(client, "trimmed", shard, &where, NULL, NULL));
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_client_trim_shard(client, "trimmed", 7, &where, NULL, NULL));
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_client_trim_stream(client, "trimmed", &where, NULL, NULL));
    hstream_offset_earliest(&where);
    OK(hstream_client_create_shard_reader(client, "left", "trimmed", shard, &where, 0, NULL, NULL));
    CHECK(read_once(client, "left", 0) == 2);
    CODE(HSTREAM_ERR_GRPC_NOT_FOUND, hstream_client_trim_shard(client, "trimmed", 7, &where, NULL, NULL));
    hstream_offset_latest(&where);
    OK(hstream_client_trim_stream(client, "trimmed", &where, NULL, NULL));
    CODE(HSTREAM_ERR_STREAM_NOT_FOUND, hstream_client_trim_stream(client, "nothing", &where, NULL, NULL));
    OK(hstream_client_delete_shard_reader(client, "left", 0, NULL, NULL));
}

static void cluster(hstream_client_t *client)
{
    hstream_cluster_t *cluster = NULL;
    hstream_node_t *node = NULL, *kept;
    char *text = NULL;
    size_t len = 0;

    OK(hstream_client_describe_cluster(client, NULL, &cluster, NULL));
    CHECK(strcmp(hstream_cluster_protocol_version(cluster, &len), "0.1.0") == 0 && len == 5);
    CHECK(hstream_cluster_uptime_seconds(cluster) < 3600);
    CHECK(hstream_cluster_node_count(cluster) == 1 && hstream_cluster_node_at(cluster, 1) == NULL);
    OK(hstream_cluster_to_json(cluster, &text, &len));
    CHECK(strlen(text) == len && strstr(text, "\"protocol_version\":\"0.1.0\"") != NULL);
    hstream_string_free(text);
    kept = hstream_node_clone(hstream_cluster_node_at(cluster, 0));
    hstream_cluster_free(cluster);
    CHECK(hstream_node_id(kept) == 1 && hstream_node_state(kept) == HSTREAM_NODE_RUNNING);
    CHECK(strcmp(hstream_node_host(kept, NULL), "127.0.0.1") == 0 && hstream_node_port(kept) > 0);
    CHECK(*hstream_node_version(kept, NULL) != 0 && *hstream_node_commit(kept, NULL) != 0);

    OK(hstream_client_lookup_shard(client, 7, NULL, &node, NULL));
    CHECK(hstream_node_port(node) == hstream_node_port(kept) && hstream_node_state(node) == -1);
    hstream_node_free(node);
    OK(hstream_client_lookup_key(client, "key", 3, NULL, &node, NULL));
    hstream_node_free(node);
    OK(hstream_client_lookup_subscription(client, "read", NULL, &node, NULL));
    hstream_node_free(node);
    OK(hstream_client_lookup_resource(client, HSTREAM_RESOURCE_SUBSCRIPTION, "read", NULL, &node, NULL));
    hstream_node_free(node);
    CODE(HSTREAM_ERR_QUERY_NOT_FOUND,
         hstream_client_lookup_resource(client, HSTREAM_RESOURCE_VIEW, "read", NULL, &node, NULL));
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_client_lookup_resource(client, 7, "read", NULL, &node, NULL));
    hstream_node_free(kept);

    OK(hstream_client_subscription_lag(client, "read", NULL, &text, &len, NULL));
    CHECK(strlen(text) == len && strstr(text, "\"subscription_id\":\"read\"") != NULL);
    CHECK(strstr(text, "\"loaded\":false") != NULL && strstr(text, "\"tail_batch_id\":") != NULL);
    hstream_string_free(text);
    CODE(HSTREAM_ERR_SUBSCRIPTION_NOT_FOUND,
         hstream_client_subscription_lag(client, "nothing", NULL, &text, NULL, NULL));
}

/* ---- The producer, with a callback --------------------------------------------------------------------- */

struct reports {
    hstream_producer_t *producer;
    size_t calls, written, failed, released;
    uint64_t tags; /* a bit for each */
    hstream_code_t flush, close;
    hstream_deliveries_t *kept;
    int free_producer;
};

static void on_release(void *user_data)
{
    ++*(size_t *)user_data;
}

static void release_reports(void *user_data)
{
    ((struct reports *)user_data)->released++;
}

static void on_delivery(const hstream_deliveries_t *deliveries, void *user_data)
{
    struct reports *reports = (struct reports *)user_data;
    reports->calls++;
    for (size_t i = 0; i < hstream_deliveries_count(deliveries); i++) {
        if (hstream_deliveries_code(deliveries, i) == HSTREAM_OK)
            reports->written++;
        else
            reports->failed++;
        reports->tags |= (uint64_t)1 << hstream_deliveries_tag(deliveries, i);
    }
    if (reports->calls == 1 && reports->producer) {
        reports->flush = hstream_producer_flush(reports->producer, -1, NULL, NULL, NULL, NULL, NULL);
        reports->close = hstream_producer_close(reports->producer, -1, NULL, NULL, NULL, NULL, NULL);
    }
    hstream_deliveries_free(reports->kept);
    reports->kept = hstream_deliveries_ref(deliveries);
    if (reports->free_producer) {
        reports->free_producer = 0;
        hstream_producer_free(reports->producer);
    }
}

static hstream_producer_t *producer_with(hstream_client_t *client, struct reports *reports, int64_t linger_ms)
{
    hstream_producer_options_t *options = hstream_producer_options_new();
    hstream_producer_t *producer = NULL;
    OK(hstream_producer_options_set_linger_ms(options, linger_ms));
    OK(hstream_producer_options_set_delivery_callback(options, on_delivery, reports, release_reports));
    OK(hstream_producer_new(client, options, &producer, NULL));
    hstream_producer_options_free(options);
    CHECK(reports->released == 0);
    return producer;
}

static void produce(hstream_client_t *client)
{
    struct reports reports = {0};
    hstream_producer_t *producer = producer_with(client, &reports, -1);
    hstream_appender_t *appender = NULL, *again = NULL;
    hstream_record_t *record = NULL;
    hstream_record_id_t id;
    uint64_t written = 7, failed = 7, unknown = 7, shard = 0;
    size_t accepted = 7;

    create(client, "produced", 2);
    reports.producer = producer;
    CODE(HSTREAM_ERR_STREAM_NOT_FOUND, hstream_producer_open(producer, "nothing", NULL, &appender, NULL));
    OK(hstream_producer_open(producer, "produced", NULL, &appender, NULL));
    OK(hstream_producer_open(producer, "produced", NULL, &again, NULL));
    CHECK(strcmp(hstream_appender_stream_name(again, NULL), "produced") == 0);
    hstream_appender_free(again);
    hstream_appender_free(again); /* ignored */
    OK(hstream_record_new_raw("r", 1, "key-1", 5, &record, NULL));
    OK(hstream_client_shard_for_key(client, "produced", "hello", 5, NULL, &shard, NULL));

    OK(hstream_appender_append(appender, record, 0, -1, NULL, NULL));
    OK(hstream_appender_append_raw(appender, "hello", 5, "raw", 3, 1, 0, NULL, NULL));
    OK(hstream_appender_append_json(appender, NULL, 0, "{\"a\":[1]}", HSTREAM_NTS, 2, LONG_MS, NULL, NULL));
    OK(hstream_appender_append_to_shard(appender, shard, record, 3, 0, NULL, NULL));
    const hstream_record_t *records[] = {record, record, record};
    uint64_t tags[] = {4, 5, 6};
    OK(hstream_appender_append_records(appender, records, tags, 3, LONG_MS, NULL, &accepted, NULL));
    CHECK(accepted == 3);
    records[1] = NULL;
    CODE(HSTREAM_ERR_NULL_ARGUMENT,
         hstream_appender_append_records(appender, records, tags, 3, 0, NULL, &accepted, NULL));
    CHECK(accepted == 1);
    size_t payload_ends[] = {3, 3, 8}, key_ends[] = {1, 3, 3};
    uint64_t packed_tags[] = {7, 8, 9};
    OK(hstream_appender_append_packed(appender, "onethree", payload_ends, "abb", key_ends, packed_tags, 3, 0, NULL,
                                      &accepted, NULL));
    CHECK(accepted == 3);
    size_t bad_ends[] = {3, 1};
    CODE(HSTREAM_ERR_INVALID_ARGUMENT,
         hstream_appender_append_packed(appender, "abc", bad_ends, NULL, NULL, NULL, 2, 0, NULL, &accepted, NULL));
    CHECK(accepted <= 1);
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_appender_append_to_shard(appender, 1, record, 0, 0, NULL, NULL));
    CODE(HSTREAM_ERR_JSON, hstream_appender_append_json(appender, NULL, 0, "[", 1, 0, 0, NULL, NULL));
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_appender_append(appender, record, 0, -2, NULL, NULL));
    CHECK(hstream_producer_pending_records(producer) >= 11 && hstream_producer_pending_bytes(producer) > 0);

    OK(hstream_appender_flush_key(appender, "hello", 5, LONG_MS, NULL, NULL, NULL, NULL, NULL));
    OK(hstream_appender_flush_shard(appender, shard, LONG_MS, NULL, NULL, NULL, NULL, NULL));
    OK(hstream_appender_flush(appender, LONG_MS, NULL, &written, &failed, &unknown, NULL));
    CHECK(failed == 0 && unknown == 0);
    CHECK((reports.tags & 0x3ff) == 0x3ff && reports.failed == 0);
    CODE(HSTREAM_ERR_WOULD_DEADLOCK, reports.flush);
    CODE(HSTREAM_ERR_WOULD_DEADLOCK, reports.close);
    CHECK(hstream_producer_pending_records(producer) == 0);

    size_t before = reports.written;
    OK(hstream_appender_append_wait(appender, record, LONG_MS, NULL, &id, NULL));
    CHECK(id.shard_id != 0);
    OK(hstream_appender_append_raw(appender, NULL, 0, "last", 4, 10, 0, NULL, NULL));
    OK(hstream_producer_close(producer, LONG_MS, NULL, &written, &failed, &unknown, NULL));
    CHECK(failed == 0 && unknown == 0 && reports.written > before);
    OK(hstream_producer_close(producer, LONG_MS, NULL, NULL, NULL, NULL, NULL));
    CODE(HSTREAM_ERR_CLOSED, hstream_appender_append(appender, record, 0, -1, NULL, NULL));
    CHECK(hstream_deliveries_count(reports.kept) > 0);
    OK(hstream_deliveries_record_id(reports.kept, 0, &id));
    CHECK(hstream_deliveries_shard_id(reports.kept, 0) == id.shard_id);
    CHECK(strcmp(hstream_deliveries_stream_name(reports.kept, 0, NULL), "produced") == 0);
    CHECK(hstream_deliveries_error(reports.kept, 0) == NULL && hstream_deliveries_record(reports.kept, 0) == NULL);
    hstream_deliveries_free(reports.kept);
    hstream_producer_free(producer);
    hstream_producer_free(producer); /* ignored */
    CHECK(reports.released == 1);
    CODE(HSTREAM_ERR_CLOSED, hstream_appender_append(appender, record, 0, 0, NULL, NULL));
    hstream_appender_free(appender);
    hstream_record_free(record);
}

/* What was not sent when the producer is freed is reported, and lent back. */
static void free_with_records(hstream_client_t *client)
{
    struct reports reports = {0};
    hstream_producer_t *producer = producer_with(client, &reports, -1);
    hstream_appender_t *appender = NULL;

    OK(hstream_producer_open(producer, "produced", NULL, &appender, NULL));
    OK(hstream_appender_append_raw(appender, "key-1", 5, "lost", 4, 5, 0, NULL, NULL));
    hstream_producer_free(producer);
    CHECK(reports.failed + reports.written == 1 && reports.tags == 1 << 5 && reports.released == 1);
    if (reports.failed) {
        size_t len = 0;
        const hstream_record_t *record = hstream_deliveries_record(reports.kept, 0);
        CHECK(memcmp(hstream_record_payload(record, &len), "lost", 4) == 0 && len == 4);
        CHECK(strcmp(hstream_record_key(record, NULL), "key-1") == 0);
        CHECK(hstream_error_code(hstream_deliveries_error(reports.kept, 0)) ==
              hstream_deliveries_codes(reports.kept)[0]);
    }
    hstream_deliveries_free(reports.kept);
    hstream_appender_free(appender);
}

static void free_in_delivery_callback(hstream_client_t *client)
{
    struct reports reports = {0};
    hstream_producer_t *producer = producer_with(client, &reports, 0);
    hstream_appender_t *appender = NULL;

    OK(hstream_producer_open(producer, "produced", NULL, &appender, NULL));
    reports.producer = producer;
    reports.free_producer = 1;
    reports.calls = 1;
    OK(hstream_appender_append_raw(appender, NULL, 0, "x", 1, 1, 0, NULL, NULL));
    for (int i = 0; i < 1000 && !*(volatile size_t *)&reports.released; i++)
        nap(10);
    CHECK(reports.released == 1 && reports.written == 1);
    CODE(HSTREAM_ERR_CLOSED, hstream_appender_append_raw(appender, NULL, 0, "x", 1, 1, 0, NULL, NULL));
    hstream_deliveries_free(reports.kept);
    hstream_appender_free(appender);
}

static void poll_reports(hstream_client_t *client)
{
    hstream_producer_options_t *options = hstream_producer_options_new();
    hstream_producer_t *producer = NULL;
    hstream_appender_t *appender = NULL;
    hstream_deliveries_t *deliveries = NULL;
    uint64_t next = 0;

    OK(hstream_producer_options_set_report_polling(options, 1));
    OK(hstream_producer_options_set_linger_ms(options, -1));
    OK(hstream_producer_new(client, options, &producer, NULL));
    OK(hstream_producer_open(producer, "produced", NULL, &appender, NULL));
    OK(hstream_producer_poll(producer, 5, 0, NULL, &deliveries, NULL));
    CHECK(deliveries == NULL);
    for (uint64_t i = 0; i < 10; i++)
        OK(hstream_appender_append_raw(appender, "key-1", 5, "x", 1, i, 0, NULL, NULL));
    /* Only to send them. */
    hstream_code_t flushed = hstream_producer_flush(producer, 0, NULL, NULL, NULL, NULL, NULL);
    CHECK(flushed == HSTREAM_OK || flushed == HSTREAM_ERR_TIMEOUT);
    while (next < 10) {
        if (!OK(hstream_producer_poll(producer, 3, LONG_MS, NULL, &deliveries, NULL)) || !CHECK(deliveries != NULL))
            break;
        size_t count = hstream_deliveries_count(deliveries);
        CHECK(count >= 1 && count <= 3);
        for (size_t i = 0; i < count; i++) {
            CHECK(hstream_deliveries_tags(deliveries)[i] == next++);
            CHECK(hstream_deliveries_record_ids(deliveries)[i].shard_id != 0);
        }
        hstream_deliveries_free(deliveries);
    }
    hstream_producer_begin_close(producer);
    CODE(HSTREAM_ERR_CLOSED, hstream_appender_append_raw(appender, NULL, 0, "x", 1, 0, 0, NULL, NULL));
    OK(hstream_producer_close(producer, LONG_MS, NULL, NULL, NULL, NULL, NULL));
    hstream_producer_free(producer);
    hstream_appender_free(appender);

    OK(hstream_producer_options_set_delivery_callback(options, on_delivery, NULL, NULL));
    CODE(HSTREAM_ERR_CONFIG, hstream_producer_new(client, options, &producer, NULL));
    hstream_producer_options_free(options);
    OK(hstream_producer_new(client, NULL, &producer, NULL));
    CODE(HSTREAM_ERR_INVALID_STATE, hstream_producer_poll(producer, 1, 0, NULL, &deliveries, NULL));
    hstream_producer_free(producer);
}

/* ---- The consumer, with a callback --------------------------------------------------------------------- */

struct batches {
    hstream_consumer_t *consumer;
    size_t records, last_calls, failed_ends, released, wanted;
    hstream_code_t close;
    int free_consumer, stop;
};

static void release_batches(void *user_data)
{
    ((struct batches *)user_data)->released++;
}

static int32_t on_batch(const hstream_batch_t *batch, const hstream_error_t *error, void *user_data)
{
    struct batches *batches = (struct batches *)user_data;
    if (!batch) {
        batches->last_calls++;
        batches->failed_ends += error != NULL;
        return 12345;
    }
    batches->records += hstream_batch_count(batch);
    batches->close = hstream_consumer_close(batches->consumer, -1, NULL, NULL);
    OK(hstream_consumer_ack_batch(batches->consumer, batch, NULL));
    if (batches->free_consumer) {
        hstream_consumer_free(batches->consumer);
        return HSTREAM_PROCESSED;
    }
    return batches->stop && batches->records >= batches->wanted ? HSTREAM_STOP : HSTREAM_KEEP;
}

static hstream_consumer_t *consumer_with(hstream_client_t *client, const char *name, struct batches *batches)
{
    hstream_consumer_options_t *options = hstream_consumer_options_new();
    hstream_consumer_t *consumer = NULL;
    OK(hstream_consumer_options_set_callback(options, on_batch, batches, release_batches));
    OK(hstream_consumer_options_set_callback_records(options, 4));
    OK(hstream_consumer_new(client, name, options, NULL, &consumer, NULL));
    hstream_consumer_options_free(options);
    batches->consumer = consumer;
    return consumer;
}

static void consume_by_callback(hstream_client_t *client)
{
    struct batches batches = {.wanted = 5, .stop = 1};
    hstream_consumer_t *consumer;
    hstream_batch_t *batch;

    create(client, "called", 1);
    append_some(client, "called", 5);
    consumer = consumer_with(client, "called", &batches);
    CODE(HSTREAM_ERR_INVALID_STATE, hstream_consumer_poll(consumer, 1, 0, NULL, &batch, NULL));
    OK(hstream_consumer_run(consumer, LONG_MS, NULL, NULL));
    CHECK(batches.records == 5 && batches.last_calls == 1 && batches.failed_ends == 0);
    CODE(HSTREAM_ERR_WOULD_DEADLOCK, batches.close);
    /* Once more: there is another last call. */
    append_some(client, "called", 2);
    batches.wanted = 7;
    OK(hstream_consumer_start(consumer, NULL));
    CODE(HSTREAM_ERR_INVALID_STATE, hstream_consumer_start(consumer, NULL));
    OK(hstream_consumer_run(consumer, LONG_MS, NULL, NULL));
    CHECK(batches.records == 7 && batches.last_calls == 2);
    OK(hstream_consumer_close(consumer, LONG_MS, NULL, NULL));
    CHECK(batches.released == 0);
    hstream_consumer_free(consumer);
    CHECK(batches.released == 1 && batches.last_calls == 2);
}

static void free_in_batch_callback(hstream_client_t *client)
{
    struct batches batches = {.free_consumer = 1};

    append_some(client, "called", 1);
    OK(hstream_consumer_start(consumer_with(client, "called", &batches), NULL));
    for (int i = 0; i < 1000 && !*(volatile size_t *)&batches.released; i++)
        nap(10);
    CHECK(batches.released == 1 && batches.records >= 1 && batches.last_calls == 1);
}

/* A free without a close ends the callbacks as well, and waits for the one that runs. */
static void free_while_running(hstream_client_t *client)
{
    struct batches batches = {.wanted = 1000};
    hstream_consumer_t *consumer = consumer_with(client, "called", &batches);

    OK(hstream_consumer_start(consumer, NULL));
    append_some(client, "called", 3);
    hstream_consumer_free(consumer);
    size_t records = batches.records;
    CHECK(batches.released == 1 && batches.last_calls == 1);
    nap(50);
    CHECK(batches.records == records);
}

/* ---- Ending waits -------------------------------------------------------------------------------------- */

struct waiting {
    hstream_consumer_t *consumer;
    hstream_cancel_t *cancel;
    hstream_code_t code;
};

static void *wait_for_records(void *data)
{
    struct waiting *waiting = (struct waiting *)data;
    hstream_batch_t *batch = NULL;
    do {
        hstream_batch_free(batch);
        batch = NULL;
        waiting->code = hstream_consumer_poll(waiting->consumer, 100, -1, waiting->cancel, &batch, NULL);
    } while (waiting->code == HSTREAM_OK);
    return NULL;
}

static void end_waits(hstream_client_t *client)
{
    struct waiting waiting = {0};
    hstream_call_t *call = hstream_call_new();
    hstream_stream_t *stream;
    pthread_t thread;

    create(client, "waits", 1);
    OK(hstream_cancel_new(&waiting.cancel, NULL));
    OK(hstream_consumer_new(client, "waits", NULL, NULL, &waiting.consumer, NULL));
    CHECK(pthread_create(&thread, NULL, wait_for_records, &waiting) == 0);
    nap(100);
    hstream_cancel_trigger(waiting.cancel);
    CHECK(pthread_join(thread, NULL) == 0);
    CODE(HSTREAM_ERR_INTERRUPTED, waiting.code);
    CHECK(hstream_cancel_is_triggered(waiting.cancel));

    /* One that was triggered before counts as well. */
    OK(hstream_call_set_cancel(call, waiting.cancel));
    hstream_batch_t *none = NULL;
    CODE(HSTREAM_ERR_INTERRUPTED, hstream_consumer_poll(waiting.consumer, 1, -1, waiting.cancel, &none, NULL));
    hstream_cancel_reset(waiting.cancel);
    OK(hstream_call_set_timeout_ms(call, LONG_MS));
    OK(hstream_client_get_stream(client, "waits", call, &stream, NULL));
    hstream_stream_free(stream);
    hstream_call_clear(call);
    hstream_call_free(call);

    /* A close elsewhere ends a wait, too. */
    CHECK(pthread_create(&thread, NULL, wait_for_records, &waiting) == 0);
    nap(100);
    OK(hstream_consumer_close(waiting.consumer, LONG_MS, NULL, NULL));
    CHECK(pthread_join(thread, NULL) == 0);
    CODE(HSTREAM_ERR_CLOSED, waiting.code);
    hstream_consumer_free(waiting.consumer);

    /* A close that is interrupted can be called again. */
    hstream_batch_t *batch = NULL;
    OK(hstream_consumer_new(client, "waits", NULL, NULL, &waiting.consumer, NULL));
    OK(hstream_consumer_poll(waiting.consumer, 1, 100, NULL, &batch, NULL));
    hstream_batch_free(batch);
    hstream_cancel_trigger(waiting.cancel);
    CODE(HSTREAM_ERR_INTERRUPTED, hstream_consumer_close(waiting.consumer, LONG_MS, waiting.cancel, NULL));
    OK(hstream_consumer_close(waiting.consumer, LONG_MS, NULL, NULL));
    CODE(HSTREAM_ERR_CLOSED, hstream_consumer_poll(waiting.consumer, 1, 0, NULL, &batch, NULL));
    hstream_consumer_free(waiting.consumer);
    hstream_cancel_free(waiting.cancel);
    hstream_cancel_free(waiting.cancel); /* ignored */
}

/* ---- Options, credentials, certificates ---------------------------------------------------------------- */

static void options_and_credentials(hstream_client_t *client)
{
    hstream_client_options_t *options = hstream_client_options_new();
    hstream_client_t *other = NULL;
    hstream_error_t *err = NULL;
    char *text = NULL;
    size_t len = 0;

    /* By text, and back; secrets stay inside. */
    OK(hstream_client_options_set(options, "url", "hstream://nobody:1", NULL));
    OK(hstream_client_options_set(options, "request.timeout.ms", "20000", NULL));
    OK(hstream_client_options_get(options, "request.timeout.ms", &text, &len, NULL));
    CHECK(len == 5 && strcmp(text, "20000") == 0);
    hstream_string_free(text);
    CODE(HSTREAM_ERR_UNKNOWN_OPTION, hstream_client_options_set(options, "request.timeuot.ms", "1", &err));
    CHECK(strstr(hstream_error_message(err, NULL), "`request.timeout.ms`") != NULL);
    hstream_error_free(err);
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_client_options_set(options, "lazy.connect", "maybe", NULL));
    CODE(HSTREAM_ERR_UNKNOWN_OPTION, hstream_client_options_get(options, "nothing", &text, NULL, NULL));
    OK(hstream_client_options_set_basic_auth(options, "me", "secret", HSTREAM_NTS, NULL));
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_client_options_set_basic_auth(options, "m:e", "x", 1, NULL));
    OK(hstream_client_options_get(options, "basic.auth.password", &text, NULL, NULL));
    CHECK(strcmp(text, "***") == 0);
    hstream_string_free(text);

    OK(hstream_client_options_set_keepalive_ms(options, 600000, 20000));
    OK(hstream_client_options_set_tcp_keepalive_ms(options, 10000, -1));
    OK(hstream_client_options_set_windows(options, 1 << 20, 16 << 20));
    CODE(HSTREAM_ERR_CONFIG, hstream_client_options_set_windows(options, 1 << 20, 1 << 20));
    OK(hstream_client_options_add_metadata(options, "request-id", "7", 1, NULL));
    OK(hstream_client_options_add_metadata(options, "bytes-bin", "\0\1", 2, NULL));
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_client_options_add_metadata(options, "a b", "7", 1, NULL));
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_client_options_map_address(options, "a:1", "b:x", NULL));
    OK(hstream_client_options_map_address(options, "nobody:1", strstr(url, "//") + 2, NULL));

    /* Credentials are not sent in the clear unless that is asked for. */
    CODE(HSTREAM_ERR_CONFIG, hstream_client_connect(options, NULL, &other, NULL));
    OK(hstream_client_options_set_plaintext_auth(options, 1));
    OK(hstream_client_connect(options, NULL, &other, NULL));
    OK(hstream_client_echo(other, "mapped", NULL, &text, NULL, NULL));
    hstream_string_free(text);
    OK(hstream_client_set_basic_auth(other, "you", NULL, 0, NULL));
    OK(hstream_client_set_auth_token(other, "bWU6c2VjcmV0", HSTREAM_NTS, NULL));
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_client_set_auth_token(other, "\n", 1, NULL));
    CODE(HSTREAM_ERR_NULL_ARGUMENT, hstream_client_set_auth_token(other, NULL, 1, NULL));
    OK(hstream_client_refresh(other, NULL, NULL));
    hstream_client_free(other);
    CODE(HSTREAM_ERR_CONFIG, hstream_client_set_auth_token(client, "bWU6c2VjcmV0", HSTREAM_NTS, NULL));
    CODE(HSTREAM_ERR_CONFIG, hstream_client_set_basic_auth(client, "me", "secret", 6, NULL));
    OK(hstream_client_options_set_auth_token(options, "bWU6c2VjcmV0", HSTREAM_NTS, NULL));
    CODE(HSTREAM_ERR_CONFIG, hstream_client_connect(options, NULL, &other, NULL)); /* a user and a token */
    hstream_client_options_free(options);

    /* Files are read by the connect, what comes from memory is looked at by the setter. */
    options = hstream_client_options_new();
    OK(hstream_client_options_set_url(options, "hstreams://127.0.0.1:1", NULL));
    CODE(HSTREAM_ERR_TLS, hstream_client_options_set_tls_ca_pem(options, "no PEM", HSTREAM_NTS, NULL));
    CODE(HSTREAM_ERR_TLS, hstream_client_options_set_tls_identity_pem(options, "no", 2, "PEM", 3, NULL));
    CODE(HSTREAM_ERR_TLS, hstream_client_options_set_tls_server_name(options, "no name", NULL));
    OK(hstream_client_options_set_tls_server_name(options, "example.org", NULL));
    OK(hstream_client_options_set_tls_identity_files(options, "no-cert.pem", "no-key.pem", NULL));
    OK(hstream_client_options_set_tls_ca_file(options, "no-such-file.pem", NULL));
    CODE(HSTREAM_ERR_TLS, hstream_client_connect(options, NULL, &other, &err));
    CHECK(strstr(hstream_error_message(err, NULL), "no-such-file.pem") != NULL);
    hstream_error_free(err);
    hstream_client_options_free(options);
    OK(hstream_client_reload_tls(client, NULL)); /* there is nothing to read */

    /* A lazy client finds out with its first call. */
    options = hstream_client_options_new();
    OK(hstream_client_options_set_url(options, "hstream://127.0.0.1:1", NULL));
    OK(hstream_client_options_set_lazy_connect(options, 1));
    OK(hstream_client_options_set_request_timeout_ms(options, 300));
    OK(hstream_client_connect(options, NULL, &other, NULL));
    CHECK(hstream_client_refresh(other, NULL, NULL) != HSTREAM_OK);
    hstream_client_free(other);
    hstream_client_options_free(options);
}

/* ---- Waits that ask ------------------------------------------------------------------------------------ */

struct question {
    pthread_t thread;
    pthread_mutex_t lock;
    int asked, ends_at;
    int elsewhere;
};

static int32_t on_interrupt(void *user_data)
{
    struct question *question = (struct question *)user_data;
    pthread_mutex_lock(&question->lock);
    int number = ++question->asked;
    if (!pthread_equal(pthread_self(), question->thread))
        question->elsewhere++;
    pthread_mutex_unlock(&question->lock);
    return number >= question->ends_at;
}

static hstream_cancel_t *in_handler;

static void on_signal(int signal)
{
    (void)signal;
    hstream_cancel_trigger(in_handler);
}

static int asked(struct question *question)
{
    pthread_mutex_lock(&question->lock);
    int number = question->asked;
    pthread_mutex_unlock(&question->lock);
    return number;
}

struct asking {
    hstream_consumer_t *consumer;
    struct question *question;
    hstream_code_t code;
};

static void *wait_and_ask(void *data)
{
    struct asking *asking = (struct asking *)data;
    hstream_batch_t *batch = NULL;
    asking->question->thread = pthread_self();
    asking->code = hstream_consumer_poll(asking->consumer, 1, LONG_MS, NULL, &batch, NULL);
    hstream_batch_free(batch);
    return NULL;
}

static void ask_on_interrupt(hstream_client_t *client)
{
    hstream_client_options_t *options = hstream_client_options_new();
    hstream_client_t *asking_client = NULL;
    hstream_cancel_t *cancel = NULL;
    struct question question = {.lock = PTHREAD_MUTEX_INITIALIZER, .ends_at = 3};
    struct asking asking = {.question = &question};
    pthread_t thread;

    create(client, "asked", 1);
    OK(hstream_cancel_new(&cancel, NULL));
    int descriptor = hstream_cancel_write_fd(cancel);
    CHECK(descriptor >= 0 && hstream_cancel_write_fd(cancel) == descriptor);
    CHECK(write(descriptor, "x", 1) == 1 && hstream_cancel_is_triggered(cancel));
    hstream_cancel_reset(cancel);
    CHECK(!hstream_cancel_is_triggered(cancel));

    OK(hstream_client_options_set_url(options, url, NULL));
    OK(hstream_client_options_set_interrupt(options, cancel, on_interrupt, &question));
    OK(hstream_client_connect(options, NULL, &asking_client, NULL));
    hstream_client_options_free(options);
    OK(hstream_consumer_new(asking_client, "asked", NULL, NULL, &asking.consumer, NULL));

    /* Two triggers that are not meant, one by the descriptor, and one that is; no reset between. */
    CHECK(pthread_create(&thread, NULL, wait_and_ask, &asking) == 0);
    nap(200);
    CHECK(asked(&question) == 0);
    hstream_cancel_trigger(cancel);
    for (int i = 0; i < 500 && asked(&question) < 1; i++)
        nap(10);
    CHECK(write(descriptor, "x", 1) == 1);
    for (int i = 0; i < 500 && asked(&question) < 2; i++)
        nap(10);
    nap(50);
    CHECK(asked(&question) == 2);
    struct sigaction action, before;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    in_handler = cancel;
    CHECK(sigaction(SIGUSR1, &action, &before) == 0 && raise(SIGUSR1) == 0);
    CHECK(sigaction(SIGUSR1, &before, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CODE(HSTREAM_ERR_INTERRUPTED, asking.code);
    CHECK(question.elsewhere == 0 && asked(&question) == 3);

    /* It loses nothing: what comes is got, though the object is triggered all the time. */
    question.ends_at = 1000;
    append_some(client, "asked", 1);
    CHECK(pthread_create(&thread, NULL, wait_and_ask, &asking) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    OK(asking.code);

    /* A call that has a function or an object of its own asks that. */
    struct question own = {.thread = pthread_self(), .lock = PTHREAD_MUTEX_INITIALIZER, .ends_at = 1};
    hstream_call_t *call = hstream_call_new();
    hstream_cancel_t *other = NULL;
    question.thread = pthread_self();
    OK(hstream_client_refresh(asking_client, NULL, NULL));
    OK(hstream_call_set_interrupt_check(call, on_interrupt, &own));
    CODE(HSTREAM_ERR_INTERRUPTED, hstream_client_refresh(asking_client, call, NULL));
    CHECK(own.asked == 1 && own.elsewhere == 0 && question.elsewhere == 0);
    OK(hstream_cancel_new(&other, NULL));
    OK(hstream_call_set_cancel(call, other));
    OK(hstream_client_refresh(asking_client, call, NULL));
    OK(hstream_call_set_interrupt_check(call, NULL, NULL));
    hstream_cancel_trigger(other);
    CODE(HSTREAM_ERR_INTERRUPTED, hstream_client_refresh(asking_client, call, NULL));
    CHECK(own.asked == 1);
    hstream_call_free(call);
    hstream_cancel_free(other);

    OK(hstream_consumer_close(asking.consumer, LONG_MS, NULL, NULL));
    hstream_consumer_free(asking.consumer);
    hstream_client_free(asking_client);
    hstream_cancel_free(cancel);
}

/* ---- The log ------------------------------------------------------------------------------------------- */

struct lines {
    pthread_mutex_t lock;
    int count, twice, wrong, released;
    int held;
    hstream_code_t inside;
};

static int held(struct lines *lines)
{
    pthread_mutex_lock(&lines->lock);
    int held = lines->held;
    pthread_mutex_unlock(&lines->lock);
    return held;
}

static void hold(struct lines *lines, int held)
{
    pthread_mutex_lock(&lines->lock);
    lines->held = held;
    pthread_mutex_unlock(&lines->lock);
}

static void on_line(int32_t level, int64_t time_ms, const char *target, const char *message, size_t message_len,
                    void *user_data)
{
    struct lines *lines = (struct lines *)user_data;
    pthread_mutex_lock(&lines->lock);
    lines->count++;
    lines->twice += strstr(message, "freed twice") != NULL && level == HSTREAM_LOG_ERROR;
    lines->wrong += strncmp(target, "hstreamdb", 9) != 0 || time_ms <= 0 || strlen(message) != message_len;
    lines->inside = hstream_log_set_callback(HSTREAM_LOG_OFF, NULL, NULL, NULL, NULL);
    pthread_mutex_unlock(&lines->lock);
    while (held(lines))
        nap(1);
}

static void on_lines_release(void *user_data)
{
    ((struct lines *)user_data)->released++;
}

static void log_lines(void)
{
    struct lines lines = {.lock = PTHREAD_MUTEX_INITIALIZER}, more = {.lock = PTHREAD_MUTEX_INITIALIZER};
    hstream_cancel_t *cancel = NULL;

    OK(hstream_cancel_new(&cancel, NULL));
    hstream_cancel_free(cancel);
    OK(hstream_log_set_callback(HSTREAM_LOG_ERROR, on_line, &lines, on_lines_release, NULL));
    hstream_cancel_free(cancel);
    hstream_cancel_free(cancel);
    OK(hstream_log_set_level(HSTREAM_LOG_OFF));
    hstream_cancel_free(cancel);
    OK(hstream_log_set_level(HSTREAM_LOG_WARN));
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_log_set_callback(6, on_line, &more, on_lines_release, NULL));
    CHECK(more.released == 0 && lines.released == 0);
    /* The one before has got its lines when it is replaced. */
    OK(hstream_log_set_callback(HSTREAM_LOG_ERROR, on_line, &more, on_lines_release, NULL));
    CHECK(lines.count == 2 && lines.twice == 2 && lines.wrong == 0 && lines.released == 1);
    CODE(HSTREAM_ERR_WOULD_DEADLOCK, lines.inside);

    /* A slow one loses lines, and delays nobody. */
    hold(&more, 1);
    for (int i = 0; i < 1200; i++)
        hstream_cancel_free(cancel);
    hold(&more, 0);
    OK(hstream_log_set_callback(HSTREAM_LOG_OFF, NULL, NULL, NULL, NULL));
    CHECK(more.released == 1 && more.wrong == 0 && more.count >= 1024);
    CHECK(hstream_log_dropped() > 0 && hstream_log_dropped() + (uint64_t)more.twice == 1200);
    hstream_cancel_free(cancel);
    CHECK(lines.count == 2);
}

/* ---- Events and metrics -------------------------------------------------------------------------------- */

struct events {
    pthread_mutex_t lock;
    hstream_client_t *client;
    int count, wrong, lost, released, only_listen, free_client;
    int32_t states[8];
    int state_count;
    char address[64];
    hstream_code_t error, close;
};

static void on_event(const hstream_event_t *event, void *user_data)
{
    struct events *events = (struct events *)user_data;
    char *json = NULL;
    size_t subject_len = 99, address_len = 99, json_len = 0;
    const char *subject = hstream_event_subject(event, &subject_len);
    const char *address = hstream_event_address(event, &address_len);
    OK(hstream_event_to_json(event, &json, &json_len));
    pthread_mutex_lock(&events->lock);
    events->count++;
    events->wrong += strlen(subject) != subject_len || strlen(address) != address_len || json[0] != '{' ||
                     strlen(json) != json_len || hstream_event_time_ms(event) <= 0;
    if (hstream_event_kind(event) == HSTREAM_EVENT_CONSUMER_STATE) {
        events->wrong += hstream_event_subject_kind(event) != HSTREAM_SUBJECT_CONSUMER ||
                         strcmp(subject, "watched") != 0 || events->state_count == 8;
        events->states[events->state_count++ % 8] = hstream_event_state(event);
    } else {
        events->wrong += hstream_event_state(event) != -1;
    }
    if (hstream_event_kind(event) == HSTREAM_EVENT_NODE_LOST) {
        events->wrong += hstream_event_subject_kind(event) != HSTREAM_SUBJECT_CLIENT || subject_len != 0;
        events->lost++;
        events->error = hstream_error_code(hstream_event_error(event));
        snprintf(events->address, sizeof events->address, "%s", address);
    }
    hstream_client_t *client = events->client;
    int free_client = events->free_client;
    events->free_client = 0;
    pthread_mutex_unlock(&events->lock);
    hstream_string_free(json);
    if (client)
        events->close = hstream_client_close(client, 0, NULL, NULL);
    if (free_client)
        hstream_client_free(client);
}

static void on_events_release(void *user_data)
{
    ((struct events *)user_data)->released++;
}

static hstream_client_t *watched(struct events *events, const char *where, int lazy)
{
    hstream_client_options_t *options = hstream_client_options_new();
    hstream_client_t *client = NULL;
    OK(hstream_client_options_set_url(options, where, NULL));
    OK(hstream_client_options_set_lazy_connect(options, lazy));
    OK(hstream_client_options_set_event_callback(options, on_event, events, on_events_release));
    OK(hstream_client_connect(options, NULL, &client, NULL));
    hstream_client_options_free(options);
    CHECK(events->released == 0);
    pthread_mutex_lock(&events->lock);
    events->client = events->only_listen ? NULL : client;
    pthread_mutex_unlock(&events->lock);
    return client;
}

static hstream_consumer_t *watched_consumer(hstream_client_t *client)
{
    hstream_consumer_t *consumer = NULL;
    hstream_batch_t *batch = NULL;
    append_some(client, "watched", 1);
    OK(hstream_consumer_new(client, "watched", NULL, NULL, &consumer, NULL));
    OK(hstream_consumer_poll(consumer, 1, LONG_MS, NULL, &batch, NULL));
    CHECK(hstream_batch_count(batch) == 1);
    hstream_batch_free(batch);
    return consumer;
}

static void events(hstream_client_t *client)
{
    struct events told = {.lock = PTHREAD_MUTEX_INITIALIZER}, freed = told, inside = told, lost = told, never = told;
    const int32_t expected[] = {HSTREAM_STATE_CONNECTING, HSTREAM_STATE_RUNNING, HSTREAM_STATE_STOPPED,
                                HSTREAM_STATE_CLOSED};
    create(client, "watched", 1);

    /* All is told before the close returns, and nothing after it. */
    hstream_client_t *watching = watched(&told, url, 0);
    hstream_consumer_t *consumer = watched_consumer(watching);
    OK(hstream_client_close(watching, LONG_MS, NULL, NULL));
    CHECK(told.state_count == 4 && memcmp(told.states, expected, sizeof expected) == 0 && told.wrong == 0);
    CODE(HSTREAM_ERR_WOULD_DEADLOCK, told.close);
    CHECK(told.released == 1);
    hstream_consumer_free(consumer);
    hstream_client_free(watching);
    CHECK(told.state_count == 4 && told.released == 1);

    /* The free of the client ends its events, and not its consumers. */
    freed.only_listen = 1;
    watching = watched(&freed, url, 0);
    consumer = watched_consumer(watching);
    hstream_client_free(watching);
    int count = freed.count;
    CHECK(freed.released == 1 && count <= 2);
    CHECK(hstream_consumer_state(consumer) == HSTREAM_STATE_RUNNING);
    OK(hstream_consumer_close(consumer, LONG_MS, NULL, NULL));
    CHECK(freed.count == count);
    hstream_consumer_free(consumer);

    /* Freed in its own callback, which is the last then. */
    inside.free_client = 1;
    watching = watched(&inside, url, 0);
    OK(hstream_consumer_new(watching, "watched", NULL, NULL, &consumer, NULL));
    OK(hstream_consumer_start(consumer, NULL));
    for (int i = 0; i < 1000 && !*(volatile int *)&inside.released; i++)
        nap(10);
    CHECK(inside.released == 1 && inside.count == 1);
    OK(hstream_consumer_close(consumer, LONG_MS, NULL, NULL));
    hstream_consumer_free(consumer);
    CHECK(inside.count == 1);

    /* A node that is not there. */
    hstream_call_t *call = hstream_call_new();
    OK(hstream_call_set_timeout_ms(call, 300));
    watching = watched(&lost, "hstream://127.0.0.1:1", 1);
    CHECK(hstream_client_refresh(watching, call, NULL) != HSTREAM_OK);
    CHECK(hstream_client_refresh(watching, call, NULL) != HSTREAM_OK);
    CHECK(hstream_client_metric(watching, HSTREAM_METRIC_NODES_IN_TROUBLE) == 1);
    OK(hstream_client_close(watching, LONG_MS, NULL, NULL));
    CHECK(lost.lost == 1 && lost.wrong == 0 && strcmp(lost.address, "127.0.0.1:1") == 0);
    CODE(HSTREAM_ERR_UNAVAILABLE, lost.error);
    hstream_client_free(watching);
    hstream_call_free(call);

    /* Taken away again, it is released and never called. */
    hstream_client_options_t *options = hstream_client_options_new();
    OK(hstream_client_options_set_event_callback(options, on_event, &never, on_events_release));
    OK(hstream_client_options_set_event_callback(options, NULL, &never, on_events_release));
    CHECK(never.released == 1);
    hstream_client_options_free(options);
    CHECK(never.released == 1 && never.count == 0);
}

static void metrics(hstream_client_t *client)
{
    /* The cluster is not looked at again meanwhile. */
    OK(hstream_client_refresh(client, NULL, NULL));
    uint64_t calls = hstream_client_metric(client, HSTREAM_METRIC_CALLS);
    uint64_t records = hstream_client_metric(client, HSTREAM_METRIC_RECORDS_OUT);
    char *text = NULL;
    size_t len = 0;

    for (int i = 0; i < 3; i++) {
        OK(hstream_client_echo(client, "x", NULL, &text, NULL, NULL));
        hstream_string_free(text);
    }
    CHECK(hstream_client_metric(client, HSTREAM_METRIC_CALLS) == calls + 3);
    CHECK(hstream_client_metric(client, HSTREAM_METRIC_CALL_LATENCY_COUNT) == calls + 3);
    append_some(client, "watched", 2);
    CHECK(hstream_client_metric(client, HSTREAM_METRIC_RECORDS_OUT) == records + 2);
    CHECK(hstream_client_metric(client, HSTREAM_METRIC_NODES) == 1);
    CHECK(hstream_client_metric(client, 0) == 0 && hstream_client_metric(client, 12345) == 0);
    OK(hstream_client_metrics_json(client, &text, &len, NULL));
    CHECK(strlen(text) == len && strstr(text, "\"records_out\":") != NULL);
    CHECK(strstr(text, "\"state\":\"well\"") != NULL && strstr(text, url + strlen("hstream://")) != NULL);
    hstream_string_free(text);
    CODE(HSTREAM_ERR_NULL_ARGUMENT, hstream_client_metrics_json(client, NULL, NULL, NULL));
}

/* ---- The end of all ------------------------------------------------------------------------------------ */

/* Threads whose names begin so; -1 where they can't be looked at. */
static int threads_of(const char *name)
{
    DIR *directory = opendir("/proc/self/task");
    struct dirent *entry;
    int count = 0;
    if (directory == NULL)
        return -1;
    while ((entry = readdir(directory)) != NULL) {
        char path[300], comm[32] = "";
        snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
        FILE *file = fopen(path, "r");
        if (file == NULL)
            continue;
        if (fgets(comm, sizeof comm, file) != NULL && strncmp(comm, name, strlen(name)) == 0)
            count++;
        fclose(file);
    }
    closedir(directory);
    return count;
}

static void shut_down(void)
{
    hstream_client_t *client = connected();
    hstream_producer_t *producer = NULL;
    hstream_appender_t *appender = NULL;
    struct question question = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct asking asking = {.question = &question};
    pthread_t thread;

    create(client, "shut", 1);
    OK(hstream_producer_new(client, NULL, &producer, NULL));
    OK(hstream_producer_open(producer, "shut", NULL, &appender, NULL));
    OK(hstream_appender_append_raw(appender, NULL, 0, "x", 1, 0, -1, NULL, NULL));
    OK(hstream_consumer_new(client, "asked", NULL, NULL, &asking.consumer, NULL));
    hstream_client_free(client); /* what was made with it is open all the same */
    CHECK(pthread_create(&thread, NULL, wait_and_ask, &asking) == 0);
    nap(200);
    CHECK(threads_of("hstream-io-") != 0);
    OK(hstream_shutdown(LONG_MS, NULL));
    CHECK(threads_of("hstream-io-") <= 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CODE(HSTREAM_ERR_CLOSED, asking.code);
    CODE(HSTREAM_ERR_CLOSED, hstream_appender_append_raw(appender, NULL, 0, "x", 1, 0, -1, NULL, NULL));
    OK(hstream_shutdown(0, NULL));

    /* A new client starts afresh, while the handles of before are there. */
    client = connected();
    OK(hstream_client_append_raw(client, "shut", NULL, 0, "y", 1, NULL, NULL, NULL));
    hstream_appender_free(appender);
    hstream_producer_free(producer);
    hstream_consumer_free(asking.consumer);
    OK(hstream_client_refresh(client, NULL, NULL));
    hstream_client_free(client);
}

/* ---- Settings of single calls -------------------------------------------------------------------------- */

static void settings_of_calls(void)
{
    hstream_dev_server_t *server = NULL;
    hstream_client_options_t *options = hstream_client_options_new();
    hstream_client_t *client = NULL;
    hstream_consumer_t *consumer = NULL;
    hstream_call_t *call = hstream_call_new();
    hstream_error_t *err = NULL;
    hstream_batch_t *batch = NULL;
    char *text = NULL;
    char hosts[256], *second;

    if (!OK(hstream_dev_server_start(2, &server, NULL)))
        return;
    OK(hstream_client_options_set_url(options, hstream_dev_server_url(server, NULL), NULL));
    OK(hstream_client_connect(options, NULL, &client, NULL));
    create(client, "called", 1);

    OK(hstream_dev_server_set(server, "refuse", "Append 5 with=tenant=blue times=always", NULL));
    OK(hstream_call_add_metadata(call, "tenant", "blue", HSTREAM_NTS, NULL));
    OK(hstream_call_add_metadata(call, "trace-bin", "\0\377", 2, NULL));
    CHECK(hstream_client_append_raw(client, "called", NULL, 0, "x", 1, call, NULL, NULL) != HSTREAM_OK);
    OK(hstream_client_append_raw(client, "called", NULL, 0, "x", 1, NULL, NULL, NULL));
    OK(hstream_dev_server_set(server, "clear", "", NULL));
    OK(hstream_dev_server_set(server, "refuse", "GetSubscription 5 with=tenant=blue", NULL));
    CHECK(hstream_consumer_new(client, "called", NULL, call, &consumer, NULL) != HSTREAM_OK);
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_call_add_metadata(call, "a b", "x", 1, &err));
    CHECK(strstr(hstream_error_message(err, NULL), "a b") != NULL);
    hstream_error_free(err);
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_call_add_metadata(call, "a", "\n", 1, NULL));

    /* The second node of "hstream://host:port,host:port". */
    hstream_call_clear(call);
    snprintf(hosts, sizeof hosts, "%s", hstream_dev_server_url(server, NULL));
    second = strrchr(hosts, ',') + 1;
    OK(hstream_call_set_node(call, second, NULL));
    OK(hstream_dev_server_set(server, "refuse", "Echo 5 node=1 times=always nobody here", NULL));
    for (int i = 0; i < 4; i++) {
        CHECK(hstream_client_echo(client, "x", call, &text, NULL, &err) != HSTREAM_OK);
        CHECK(strcmp(hstream_error_address(err, NULL), second) == 0);
        hstream_error_free(err);
    }
    OK(hstream_call_set_node(call, NULL, NULL));
    OK(hstream_dev_server_set(server, "clear", "", NULL));
    OK(hstream_client_echo(client, "x", call, &text, NULL, NULL));
    hstream_string_free(text);
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_call_set_node(call, "host:0", NULL));

    /* A consumer is not bound to what it was made with. */
    OK(hstream_call_set_node(call, second, NULL));
    if (hstream_consumer_new(client, "called", NULL, call, &consumer, NULL) != HSTREAM_OK)
        OK(hstream_consumer_new(client, "called", NULL, NULL, &consumer, NULL));
    OK(hstream_consumer_poll(consumer, 1, LONG_MS, NULL, &batch, NULL));
    CHECK(batch != NULL);
    hstream_batch_free(batch);
    OK(hstream_consumer_close(consumer, LONG_MS, NULL, NULL));
    hstream_consumer_free(consumer);
    hstream_call_free(call);
    hstream_client_options_free(options);
    hstream_client_free(client);
    hstream_dev_server_free(server);
}

/* ---- Orders of frees ----------------------------------------------------------------------------------- */

static void free_in_any_order(void)
{
    for (int order = 0; order < 6; order++) {
        hstream_client_t *client = connected();
        hstream_producer_t *producer = NULL;
        hstream_appender_t *appender = NULL;
        hstream_consumer_t *consumer = NULL;
        size_t released = 0;
        hstream_producer_options_t *options = hstream_producer_options_new();

        OK(hstream_producer_options_set_delivery_callback(options, on_delivery, &released, on_release));
        hstream_producer_options_free(options);
        CHECK(released == 1); /* nothing was made with it */
        OK(hstream_producer_new(client, NULL, &producer, NULL));
        OK(hstream_producer_open(producer, "produced", NULL, &appender, NULL));
        OK(hstream_consumer_new(client, "produced", NULL, NULL, &consumer, NULL));
        for (int i = 0; i < 3; i++) {
            if (i == order % 3) {
                hstream_client_free(client);
                hstream_client_free(client); /* ignored */
            }
            if (i == (order / 2 + 1) % 3) {
                hstream_appender_free(appender);
                hstream_producer_free(producer);
            }
            if (i == order / 2 % 3) {
                /* Children go on without the client's handle. */
                hstream_batch_t *batch = NULL;
                OK(hstream_consumer_poll(consumer, 1, 10, NULL, &batch, NULL));
                hstream_batch_free(batch);
                hstream_consumer_free(consumer);
            }
        }
    }
    /* A closed client takes its children along. */
    hstream_client_t *client = connected();
    hstream_producer_t *producer = NULL;
    hstream_appender_t *appender = NULL;
    OK(hstream_producer_new(client, NULL, &producer, NULL));
    OK(hstream_producer_open(producer, "produced", NULL, &appender, NULL));
    OK(hstream_client_close(client, LONG_MS, NULL, NULL));
    OK(hstream_client_close(client, LONG_MS, NULL, NULL));
    CODE(HSTREAM_ERR_CLOSED, hstream_appender_append_raw(appender, NULL, 0, "x", 1, 0, -1, NULL, NULL));
    CODE(HSTREAM_ERR_CLOSED, hstream_client_refresh(client, NULL, NULL));
    hstream_client_free(client);
    hstream_producer_free(producer);
    hstream_appender_free(appender);
}

/* ---- Fork ---------------------------------------------------------------------------------------------- */

static void fork_with_handles(hstream_client_t *client)
{
    hstream_producer_t *producer = NULL;
    hstream_cancel_t *cancel = NULL;
    int status = 0;

    create(client, "produced", 1);
    OK(hstream_producer_new(client, NULL, &producer, NULL));
    OK(hstream_cancel_new(&cancel, NULL));
    CHECK(hstream_cancel_write_fd(cancel) >= 0);
    struct lines lines = {.lock = PTHREAD_MUTEX_INITIALIZER}, fresh_lines = {.lock = PTHREAD_MUTEX_INITIALIZER};
    hstream_cancel_t *freed = NULL;
    OK(hstream_cancel_new(&freed, NULL));
    hstream_cancel_free(freed);
    OK(hstream_log_set_callback(HSTREAM_LOG_ERROR, on_line, &lines, on_lines_release, NULL));
    hstream_cancel_free(freed);
    pid_t child = fork();
    if (child == 0) {
        hstream_error_t *err = NULL;
        CODE(HSTREAM_ERR_FORKED, hstream_client_refresh(client, NULL, &err));
        CHECK(strstr(hstream_error_message(err, NULL), "was made before a fork; make a new one in the child") != NULL);
        hstream_error_free(err);
        CODE(HSTREAM_ERR_FORKED, hstream_producer_close(producer, -1, NULL, NULL, NULL, NULL, NULL));
        CHECK(hstream_producer_pending_records(producer) == 0);
        hstream_cancel_trigger(cancel);
        CHECK(hstream_cancel_write_fd(cancel) == -1);
        hstream_cancel_free(cancel);
        hstream_producer_free(producer);
        hstream_client_free(client);
        CHECK(hstream_live_handles() == 0);
        hstream_client_t *fresh = connected();
        OK(hstream_client_append_raw(fresh, "produced", NULL, 0, "child", 5, NULL, NULL, NULL));
        OK(hstream_client_close(fresh, LONG_MS, NULL, NULL));
        /* The log begins anew. */
        OK(hstream_log_set_callback(HSTREAM_LOG_DEBUG, on_line, &fresh_lines, on_lines_release, NULL));
        OK(hstream_log_set_callback(HSTREAM_LOG_OFF, NULL, NULL, NULL, NULL));
        CHECK(fresh_lines.released == 1 && lines.released == 0);
        OK(hstream_shutdown(LONG_MS, NULL));
        hstream_client_free(fresh);
        CHECK(hstream_live_handles() == 0);
        _exit(failures != 0);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(!hstream_cancel_is_triggered(cancel));
    OK(hstream_log_set_callback(HSTREAM_LOG_OFF, NULL, NULL, NULL, NULL));
    CHECK(lines.twice == 1 && lines.released == 1);
    OK(hstream_client_append_raw(client, "produced", NULL, 0, "parent", 6, NULL, NULL, NULL));
    hstream_cancel_free(cancel);
    hstream_producer_free(producer);
}

int main(int argc, char **argv)
{
    hstream_dev_server_t *server = NULL;
    if (!OK(hstream_dev_server_start(1, &server, NULL)))
        return 1;
    url = hstream_dev_server_url(server, NULL);
    hstream_client_t *client = connected();
    uint64_t before = hstream_live_handles();
    CHECK(before == 2);
    if (argc > 1 && strcmp(argv[1], "fork") == 0) {
        fork_with_handles(client);
    } else if (argc > 1 && strcmp(argv[1], "log") == 0) {
        hstream_cancel_t *cancel = NULL;
        OK(hstream_cancel_new(&cancel, NULL));
        hstream_cancel_free(cancel);
        hstream_cancel_free(cancel); /* ignored, and told */
    } else {
        options_by_text(client);
        streams_and_errors(client);
        append_and_poll(client);
        named_readers(client);
        trimming(client);
        cluster(client);
        produce(client);
        free_with_records(client);
        free_in_delivery_callback(client);
        poll_reports(client);
        consume_by_callback(client);
        free_in_batch_callback(client);
        free_while_running(client);
        end_waits(client);
        settings_of_calls();
        free_in_any_order();
        options_and_credentials(client);
        ask_on_interrupt(client);
        log_lines();
        events(client);
        metrics(client);
        shut_down();
        CODE(HSTREAM_ERR_CLOSED, hstream_client_refresh(client, NULL, NULL));
    }
    CHECK(hstream_live_handles() == before);
    hstream_client_free(client);
    hstream_dev_server_free(server);
    hstream_dev_server_free(server); /* ignored */
    CHECK(hstream_live_handles() == 0);
    return failures != 0;
}
