/* What functions say that only hand out or take in a value: objects, attributes, options and descriptions come back
 * as they went in. */

#define _POSIX_C_SOURCE 200809L

#include "harness.h"

static int is(const char *text, const char *wanted)
{
    return strcmp(text, wanted) == 0;
}

static void the_library_is_the_one_of_the_header(void)
{
    CHECK(is(hstream_version_string(), HSTREAM_VERSION_STRING));
    CHECK(hstream_version_number() == HSTREAM_VERSION_NUMBER && hstream_abi_version() == HSTREAM_ABI_VERSION);
    OK(hstream_check_abi(HSTREAM_ABI_VERSION));
    CODE(HSTREAM_ERR_ABI_MISMATCH, hstream_check_abi(HSTREAM_ABI_VERSION + 1));
    CHECK(strstr(hstream_build_info(), "\"features\"") != NULL);
    CHECK(strstr(hstream_options_schema_json(), "\"linger.ms\"") != NULL);
    CHECK(is(hstream_log_level_name(HSTREAM_LOG_DEBUG), "DEBUG"));
    CHECK(hstream_code_is_retryable(HSTREAM_ERR_UNAVAILABLE) && !hstream_code_is_retryable(HSTREAM_ERR_UTF8));
}

static void objects_have_what_was_set(void)
{
    hstream_hrecord_t *object = hstream_hrecord_new(), *copy;
    int32_t truth = 7;
    double number = 0;
    char *json = NULL;
    size_t len = 0;

    OK(hstream_hrecord_set_bool(object, "flag", 1, NULL));
    OK(hstream_hrecord_set_number(object, "count", 3, NULL));
    OK(hstream_hrecord_set_string(object, "name", "Ada", HSTREAM_NTS, NULL));
    OK(hstream_hrecord_set_null(object, "none", NULL));
    OK(hstream_hrecord_set_json(object, "list", "[1,{}]", HSTREAM_NTS, NULL));
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_hrecord_set_bool(object, "flag", 2, NULL));
    CODE(HSTREAM_ERR_JSON, hstream_hrecord_set_json(object, "list", "[1", HSTREAM_NTS, NULL));
    CHECK(hstream_hrecord_field_count(object) == 5);
    CHECK(is(hstream_hrecord_field_name_at(object, 0, &len), "count") && len == 5);
    CHECK(is(hstream_hrecord_field_name_at(object, 5, &len), "") && len == 0);
    OK(hstream_hrecord_get_bool(object, "flag", &truth));
    CHECK(truth == 1);
    OK(hstream_hrecord_get_number(object, "count", &number));
    CHECK(number == 3);
    CHECK(hstream_hrecord_get_bool(object, "count", &truth) != HSTREAM_OK);
    CHECK(is(hstream_hrecord_get_string(object, "name", NULL), "Ada"));
    CHECK(hstream_hrecord_type(object, "list") == HSTREAM_TYPE_LIST);
    copy = hstream_hrecord_clone(object);
    CHECK(hstream_hrecord_remove(object, "list") == 1 && hstream_hrecord_remove(object, "list") == 0);
    CHECK(hstream_hrecord_field_count(object) == 4 && hstream_hrecord_field_count(copy) == 5);
    OK(hstream_hrecord_to_json(copy, &json, &len, NULL));
    CHECK(is(json, "{\"count\":3,\"flag\":true,\"list\":[1,{}],\"name\":\"Ada\",\"none\":null}") && strlen(json) == len);
    hstream_string_free(json);
    hstream_hrecord_free(object);
    hstream_hrecord_free(copy);
}

static void records_have_their_attributes(void)
{
    hstream_record_t *record = NULL;
    OK(hstream_record_new_raw("x", 1, NULL, 0, &record, NULL));
    size_t plain = hstream_record_size(record), len = 0;

    OK(hstream_record_set_attribute(record, "b", "two", 3, NULL));
    OK(hstream_record_set_attribute(record, "a", "one", 3, NULL));
    CHECK(hstream_record_attribute_count(record) == 2 && hstream_record_size(record) > plain);
    CHECK(is(hstream_record_attribute_name_at(record, 0, NULL), "a"));
    CHECK(is(hstream_record_attribute_value_at(record, 0, &len), "one") && len == 3);
    CHECK(is(hstream_record_attribute_value_at(record, 1, NULL), "two"));
    CHECK(is(hstream_record_attribute_name_at(record, 2, NULL), ""));
    CHECK(hstream_record_remove_attribute(record, "a") == 1 && hstream_record_remove_attribute(record, "a") == 0);
    CHECK(hstream_record_attribute_count(record) == 1);
    OK(hstream_record_code(record));
    hstream_record_free(record);
}

/* The value of an option, as text; good until the next call. */
static const char *option(const hstream_client_options_t *options, const char *key)
{
    static char value[64];
    char *text = NULL;
    OK(hstream_client_options_get(options, key, &text, NULL, NULL));
    snprintf(value, sizeof value, "%s", text);
    hstream_string_free(text);
    return value;
}

static void options_are_as_they_were_set(void)
{
    hstream_client_options_t *options = hstream_client_options_new(), *copy;
    OK(hstream_client_options_set_connect_timeout_ms(options, 1234));
    OK(hstream_client_options_set_max_receive_bytes(options, 100000));
    OK(hstream_client_options_set_refresh_ms(options, 4321));
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_client_options_set_connect_timeout_ms(options, 0));
    copy = hstream_client_options_clone(options);
    OK(hstream_client_options_set_refresh_ms(options, 1));
    CHECK(is(option(options, "refresh.ms"), "1"));
    hstream_client_options_free(options);
    CHECK(is(option(copy, "connect.timeout.ms"), "1234"));
    CHECK(is(option(copy, "max.receive.bytes"), "100000"));
    CHECK(is(option(copy, "refresh.ms"), "4321"));
    hstream_client_options_free(copy);
}

static void streams_are_made_as_the_options_say(hstream_client_t *client)
{
    hstream_stream_options_t *options = hstream_stream_options_new();
    hstream_stream_t *stream = NULL;
    hstream_shards_t *shards = NULL;

    OK(hstream_stream_options_set_replication_factor(options, 1));
    OK(hstream_stream_options_set_backlog_seconds(options, 3600));
    OK(hstream_stream_options_set_shard_count(options, 2));
    OK(hstream_client_create_stream(client, "described", options, NULL, &stream, NULL));
    CHECK(hstream_stream_backlog_seconds(stream) == 3600 && hstream_stream_replication_factor(stream) == 1);
    hstream_stream_free(stream);
    hstream_stream_options_free(options);

    OK(hstream_client_list_shards(client, "described", NULL, &shards, NULL));
    hstream_shard_t *kept = hstream_shard_clone(hstream_shards_at(shards, 1));
    uint64_t id = hstream_shard_id(hstream_shards_at(shards, 1));
    hstream_shards_free(shards);
    CHECK(hstream_shard_id(kept) == id && hstream_shard_epoch(kept) == 2);
    hstream_shard_free(kept);

    /* MD5 of the key: RFC 1321 has the one of "abc". */
    static const uint8_t wanted[16] = {0x90, 0x01, 0x50, 0x98, 0x3c, 0xd2, 0x4f, 0xb0,
                                       0xd6, 0x96, 0x3f, 0x7d, 0x28, 0xe1, 0x7f, 0x72};
    uint8_t hash[16] = {0};
    hstream_key_hash("abc", 3, hash);
    CHECK(memcmp(hash, wanted, sizeof hash) == 0);
}

static void subscriptions_are_made_as_the_options_say(hstream_client_t *client)
{
    hstream_subscription_options_t *options = hstream_subscription_options_new();
    hstream_subscription_t *subscription = NULL, *kept;
    uint64_t shard = 7, batch = 7;

    OK(hstream_subscription_options_set_max_unacked_records(options, 55));
    OK(hstream_client_create_subscription(client, "described", "described", options, NULL, &subscription, NULL));
    hstream_subscription_options_free(options);
    kept = hstream_subscription_clone(subscription);
    hstream_subscription_free(subscription);
    CHECK(hstream_subscription_max_unacked_records(kept) == 55 && is(hstream_subscription_id(kept, NULL), "described"));
    CHECK(hstream_subscription_creation_time_ms(kept) > 1600000000000);
    CHECK(hstream_subscription_checkpoint_count(kept) == 0);
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_subscription_checkpoint_at(kept, 0, &shard, &batch));
    CHECK(shard == 7 && batch == 7);
    hstream_subscription_free(kept);
}

/* Everything that limits a producer is kept: the batches are as small as they were asked for. */
static void a_copy_of_a_producers_options_is_as_good(hstream_client_t *client)
{
    hstream_producer_options_t *options = hstream_producer_options_new(), *copy;
    hstream_append_options_t *appending = hstream_append_options_new();
    hstream_record_t *record = NULL;
    hstream_producer_t *producer = NULL;
    hstream_appender_t *appender = NULL;
    hstream_deliveries_t *deliveries = NULL;

    OK(hstream_producer_options_set_batch_bytes(options, 1));
    OK(hstream_producer_options_set_workers(options, 1));
    OK(hstream_producer_options_set_report_polling(options, 1));
    copy = hstream_producer_options_clone(options);
    hstream_producer_options_free(options);
    OK(hstream_producer_new(client, copy, &producer, NULL));
    hstream_producer_options_free(copy);
    OK(hstream_producer_open(producer, "described", NULL, &appender, NULL));
    for (uint64_t tag = 0; tag < 3; tag++)
        OK(hstream_appender_append_raw(appender, NULL, 0, "x", 1, tag, LONG_MS, NULL, NULL));
    for (int i = 0; i < 3; i++) {
        OK(hstream_producer_poll(producer, 10, LONG_MS, NULL, &deliveries, NULL));
        CHECK(hstream_deliveries_count(deliveries) == 1);
        hstream_deliveries_free(deliveries);
    }
    OK(hstream_producer_close(producer, LONG_MS, NULL, NULL, NULL, NULL, NULL));
    hstream_appender_free(appender);
    hstream_producer_free(producer);

    OK(hstream_append_options_set(appending, "compression.kind", "gzip", NULL));
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_append_options_set(appending, "compression.kind", "lz4", NULL));
    CODE(HSTREAM_ERR_UNKNOWN_OPTION, hstream_append_options_set(appending, "compression", "gzip", NULL));
    OK(hstream_record_new_raw("x", 1, NULL, 0, &record, NULL));
    const hstream_record_t *records[] = {record};
    OK(hstream_client_append(client, "described", records, 1, appending, NULL, NULL, NULL, NULL));
    hstream_record_free(record);
    hstream_append_options_free(appending);
}

static void consumers_are_as_their_options_say(hstream_client_t *client)
{
    hstream_consumer_options_t *options = hstream_consumer_options_new();
    hstream_consumer_t *consumer = NULL;
    hstream_consumer_infos_t *infos = NULL;
    hstream_batch_t *batch = NULL, *kept;

    make_stream(client, "consumed");
    append_one(client, "consumed");
    OK(hstream_consumer_options_set_name(options, "named", NULL));
    OK(hstream_consumer_options_set_prefetch(options, 1, 1));
    OK(hstream_consumer_options_set_max_batch_bytes(options, 1 << 20));
    OK(hstream_consumer_options_set_bad_batch(options, HSTREAM_BAD_BATCH_FAIL));
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_consumer_options_set_bad_batch(options, 9));
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_consumer_options_set_prefetch(options, 0, 1));
    OK(hstream_consumer_new(client, "consumed", options, NULL, &consumer, NULL));
    hstream_consumer_options_free(options);
    CHECK(is(hstream_consumer_name(consumer, NULL), "named"));
    OK(hstream_consumer_poll(consumer, 1, LONG_MS, NULL, &batch, NULL));
    kept = hstream_batch_ref(batch);
    hstream_batch_free(batch);
    CHECK(hstream_batch_count(kept) == 1);
    OK(hstream_record_code(hstream_batch_at(kept, 0)));
    hstream_batch_free(kept);
    OK(hstream_client_list_consumers(client, "consumed", NULL, &infos, NULL));
    CHECK(is(hstream_consumer_infos_name(infos, 0, NULL), "named"));
    CHECK(*hstream_consumer_infos_uri(infos, 0, NULL) != 0 && *hstream_consumer_infos_uri(infos, 1, NULL) == 0);
    CHECK(is(hstream_consumer_infos_user_agent(infos, 1, NULL), ""));
    hstream_consumer_infos_free(infos);
    OK(hstream_consumer_close(consumer, LONG_MS, NULL, NULL));
    hstream_consumer_free(consumer);
}

static void errors_have_what_the_server_adds(hstream_client_t *client)
{
    hstream_error_t *err = NULL;
    size_t len = 7;
    CODE(HSTREAM_ERR_STREAM_NOT_FOUND, hstream_client_delete_stream(client, "nothing", 0, NULL, &err));
    const char *extra = hstream_error_extra_json(err, &len);
    CHECK(strlen(extra) == len && len > 0);
    CHECK(is(hstream_error_extra_json(NULL, &len), "") && len == 0);
    hstream_error_free(err);
}

int main(void)
{
    hstream_dev_server_t *server = NULL;

    the_library_is_the_one_of_the_header();
    objects_have_what_was_set();
    records_have_their_attributes();
    options_are_as_they_were_set();
    if (!OK(hstream_dev_server_start(1, &server, NULL)))
        return 1;
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_dev_server_set(server, "no-such-order", "1", NULL));
    hstream_client_t *client = client_at(hstream_dev_server_url(server, NULL));
    streams_are_made_as_the_options_say(client);
    subscriptions_are_made_as_the_options_say(client);
    a_copy_of_a_producers_options_is_as_good(client);
    consumers_are_as_their_options_say(client);
    errors_have_what_the_server_adds(client);
    hstream_client_free(client);
    hstream_dev_server_free(server);
    CHECK(hstream_live_handles() == 0);
    return failures != 0;
}
