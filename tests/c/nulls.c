/* Calls functions with NULL and 0 for everything: none may crash, each has the code that is documented. */

#include <stdio.h>
#include <string.h>

#include "hstreamdb.h"

static int failures;

#define NULL_ARGUMENT(call) expect((call), HSTREAM_ERR_NULL_ARGUMENT, #call)
#define ZERO(call) expect((long long)(call), 0, #call)
#define NOTHING(call) expect((call) == NULL, 1, #call)
#define EMPTY(call) expect((long long)strlen(call), 0, #call)

static void expect(long long got, long long wanted, const char *call)
{
    if (got != wanted) {
        fprintf(stderr, "%s is %lld, not %lld\n", call, got, wanted);
        failures++;
    }
}

static void library(void)
{
    expect(hstream_check_abi(HSTREAM_ABI_VERSION), HSTREAM_OK, "check_abi");
    expect(hstream_check_abi(0xffffffffu), HSTREAM_ERR_ABI_MISMATCH, "check_abi");
    expect(hstream_version_number(), HSTREAM_VERSION_NUMBER, "version_number");
    expect(hstream_abi_version(), HSTREAM_ABI_VERSION, "abi_version");
    expect(strcmp(hstream_version_string(), HSTREAM_VERSION_STRING), 0, "version_string");
    expect(hstream_build_info()[0], '{', "build_info");
    expect(hstream_options_schema_json()[0], '{', "options_schema_json");
    expect(strcmp(hstream_code_name(-7), "UNKNOWN"), 0, "code_name");
    expect(strcmp(hstream_code_name(HSTREAM_ERR_CONNECTOR_CHECK_FAILED), "CONNECTOR_CHECK_FAILED"), 0, "code_name");
    expect(strlen(hstream_code_description(12345)) > 0, 1, "code_description");
    expect(hstream_code_category(0), HSTREAM_CATEGORY_OTHER, "code_category");
    ZERO(hstream_code_is_retryable(0));
    hstream_string_free(NULL);
}

static void logs(void)
{
    expect(hstream_log_set_callback(HSTREAM_LOG_OFF, NULL, NULL, NULL, NULL), HSTREAM_OK, "no callback");
    expect(hstream_log_set_callback(9, NULL, NULL, NULL, NULL), HSTREAM_ERR_INVALID_ARGUMENT, "level 9");
    expect(hstream_log_set_level(-1), HSTREAM_ERR_INVALID_ARGUMENT, "level -1");
    expect(hstream_log_set_level(HSTREAM_LOG_OFF), HSTREAM_OK, "level 0");
    expect(strcmp(hstream_log_level_name(HSTREAM_LOG_WARN), "WARN"), 0, "log_level_name");
    expect(strcmp(hstream_log_level_name(-1), "UNKNOWN"), 0, "log_level_name");
    ZERO(hstream_log_dropped());
    expect(hstream_shutdown(0, NULL), HSTREAM_OK, "nothing to shut down");
    expect(hstream_shutdown(-2, NULL), HSTREAM_ERR_INVALID_ARGUMENT, "-2 ms");
}

static void events(void)
{
    ZERO(hstream_event_kind(NULL));
    ZERO(hstream_event_subject_kind(NULL));
    EMPTY(hstream_event_subject(NULL, NULL));
    expect(hstream_event_state(NULL), -1, "event_state");
    EMPTY(hstream_event_address(NULL, NULL));
    NOTHING(hstream_event_error(NULL));
    ZERO(hstream_event_time_ms(NULL));
    NULL_ARGUMENT(hstream_event_to_json(NULL, NULL, NULL));
}

static void runtime(void)
{
    hstream_runtime_options_t *options = hstream_runtime_options_new();

    NULL_ARGUMENT(hstream_runtime_options_set_worker_threads(NULL, 0));
    NULL_ARGUMENT(hstream_runtime_options_set_compression_threads(NULL, 0));
    NULL_ARGUMENT(hstream_runtime_options_set_thread_name(NULL, NULL));
    NULL_ARGUMENT(hstream_runtime_options_set_thread_name(options, NULL));
    NULL_ARGUMENT(hstream_runtime_options_set_stack_size(NULL, 0));
    NULL_ARGUMENT(hstream_runtime_options_set_thread_hook(NULL, NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_runtime_options_set(NULL, NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_runtime_options_set(options, NULL, NULL, NULL));
    expect(hstream_runtime_options_set_worker_threads(options, 0), HSTREAM_OK, "0 threads");
    expect(hstream_runtime_options_set_stack_size(options, 0), HSTREAM_OK, "0 bytes");
    expect(hstream_runtime_options_set_thread_hook(options, NULL, NULL, NULL), HSTREAM_OK, "no hook");
    expect(hstream_init(NULL, NULL), HSTREAM_OK, "init");
    hstream_runtime_options_free(options);
    hstream_runtime_options_free(NULL);
}

static void errors(void)
{
    hstream_error_free(NULL);
    NOTHING(hstream_error_clone(NULL));
    expect(hstream_error_code(NULL), HSTREAM_OK, "error_code");
    EMPTY(hstream_error_message(NULL, NULL));
    expect(hstream_error_server_code(NULL), -1, "error_server_code");
    EMPTY(hstream_error_server_name(NULL, NULL));
    EMPTY(hstream_error_extra_json(NULL, NULL));
    expect(hstream_error_grpc_status(NULL), -1, "error_grpc_status");
    EMPTY(hstream_error_operation(NULL, NULL));
    EMPTY(hstream_error_address(NULL, NULL));
    ZERO(hstream_error_attempts(NULL));
    ZERO(hstream_error_is_retryable(NULL));
    ZERO(hstream_error_is_ambiguous(NULL));
    NULL_ARGUMENT(hstream_error_to_json(NULL, NULL, NULL));
}

static void calls(void)
{
    hstream_call_free(NULL);
    NULL_ARGUMENT(hstream_call_set_timeout_ms(NULL, 0));
    NULL_ARGUMENT(hstream_call_set_cancel(NULL, NULL));
    NULL_ARGUMENT(hstream_call_set_interrupt_check(NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_call_add_metadata(NULL, NULL, NULL, 0, NULL));
    NULL_ARGUMENT(hstream_call_set_node(NULL, NULL, NULL));
    hstream_call_clear(NULL);
    NULL_ARGUMENT(hstream_cancel_new(NULL, NULL));
    hstream_cancel_free(NULL);
    hstream_cancel_trigger(NULL);
    ZERO(hstream_cancel_is_triggered(NULL));
    hstream_cancel_reset(NULL);
    expect(hstream_cancel_write_fd(NULL), -1, "cancel_write_fd");
}

static void clients(void)
{
    char *text;
    hstream_client_t *client;

    hstream_client_options_free(NULL);
    NOTHING(hstream_client_options_clone(NULL));
    NULL_ARGUMENT(hstream_client_options_set_url(NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_client_options_set_user_agent(NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_client_options_set_request_timeout_ms(NULL, 0));
    NULL_ARGUMENT(hstream_client_options_set_connect_timeout_ms(NULL, 0));
    NULL_ARGUMENT(hstream_client_options_set_retry(NULL, 0, 0, 0));
    NULL_ARGUMENT(hstream_client_options_set_refresh_ms(NULL, 0));
    NULL_ARGUMENT(hstream_client_options_set_max_receive_bytes(NULL, 0));
    NULL_ARGUMENT(hstream_client_options_set_tls_ca_file(NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_client_options_set_tls_ca_pem(NULL, NULL, 0, NULL));
    NULL_ARGUMENT(hstream_client_options_set_tls_identity_files(NULL, NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_client_options_set_tls_identity_pem(NULL, NULL, 0, NULL, 0, NULL));
    NULL_ARGUMENT(hstream_client_options_set_tls_server_name(NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_client_options_set_basic_auth(NULL, NULL, NULL, 0, NULL));
    NULL_ARGUMENT(hstream_client_options_set_auth_token(NULL, NULL, 0, NULL));
    NULL_ARGUMENT(hstream_client_options_set_plaintext_auth(NULL, 0));
    NULL_ARGUMENT(hstream_client_options_add_metadata(NULL, NULL, NULL, 0, NULL));
    NULL_ARGUMENT(hstream_client_options_map_address(NULL, NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_client_options_set_lazy_connect(NULL, 0));
    NULL_ARGUMENT(hstream_client_options_set_keepalive_ms(NULL, 0, 0));
    NULL_ARGUMENT(hstream_client_options_set_tcp_keepalive_ms(NULL, 0, 0));
    NULL_ARGUMENT(hstream_client_options_set_windows(NULL, 0, 0));
    NULL_ARGUMENT(hstream_client_options_set_buffer_bytes(NULL, 0));
    NULL_ARGUMENT(hstream_client_options_set_append_compression(NULL, 0, 0));
    NULL_ARGUMENT(hstream_client_options_set_interrupt(NULL, NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_client_options_set(NULL, NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_client_options_get(NULL, NULL, NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_client_reload_tls(NULL, NULL));
    NULL_ARGUMENT(hstream_client_set_auth_token(NULL, NULL, 0, NULL));
    NULL_ARGUMENT(hstream_client_set_basic_auth(NULL, NULL, NULL, 0, NULL));
    NULL_ARGUMENT(hstream_client_connect(NULL, NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_client_close(NULL, 0, NULL, NULL));
    hstream_client_free(NULL);
    NULL_ARGUMENT(hstream_client_echo(NULL, NULL, NULL, &text, NULL, NULL));
    NULL_ARGUMENT(hstream_client_refresh(NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_client_options_set_event_callback(NULL, NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_client_metrics_json(NULL, NULL, NULL, NULL));
    ZERO(hstream_client_metric(NULL, HSTREAM_METRIC_CALLS));

    hstream_client_options_t *options = hstream_client_options_new();
    hstream_call_t *call = hstream_call_new();
    hstream_error_t *err = NULL;
    NULL_ARGUMENT(hstream_client_options_set_url(options, NULL, &err));
    expect(strstr(hstream_error_message(err, NULL), "`url`") != NULL, 1, "the parameter's name");
    hstream_error_free(err);
    expect(hstream_client_options_set_connect_timeout_ms(options, 0), HSTREAM_ERR_INVALID_ARGUMENT, "0 ms");
    expect(hstream_client_options_set_retry(options, 0, 0, 0), HSTREAM_ERR_INVALID_ARGUMENT, "0 attempts");
    expect(hstream_client_options_set_refresh_ms(options, 0), HSTREAM_ERR_INVALID_ARGUMENT, "0 ms");
    expect(hstream_client_options_set_max_receive_bytes(options, 0), HSTREAM_ERR_INVALID_ARGUMENT, "0 bytes");
    NULL_ARGUMENT(hstream_client_options_set_tls_ca_file(options, NULL, NULL));
    NULL_ARGUMENT(hstream_client_options_set_tls_ca_pem(options, NULL, 1, NULL));
    NULL_ARGUMENT(hstream_client_options_set_tls_identity_files(options, "cert.pem", NULL, NULL));
    NULL_ARGUMENT(hstream_client_options_set_tls_identity_pem(options, "", 0, NULL, 1, NULL));
    NULL_ARGUMENT(hstream_client_options_set_tls_server_name(options, NULL, NULL));
    NULL_ARGUMENT(hstream_client_options_set_basic_auth(options, NULL, NULL, 0, NULL));
    NULL_ARGUMENT(hstream_client_options_set_auth_token(options, NULL, 1, NULL));
    expect(hstream_client_options_set_auth_token(options, NULL, 0, NULL), HSTREAM_OK, "no token");
    NULL_ARGUMENT(hstream_client_options_add_metadata(options, NULL, NULL, 0, NULL));
    NULL_ARGUMENT(hstream_client_options_map_address(options, "a:1", NULL, NULL));
    NULL_ARGUMENT(hstream_client_options_set(options, "url", NULL, NULL));
    NULL_ARGUMENT(hstream_client_options_set(options, NULL, "x", NULL));
    NULL_ARGUMENT(hstream_client_options_get(options, "url", NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_client_options_get(options, NULL, &text, NULL, NULL));
    expect(hstream_client_options_set_interrupt(options, NULL, NULL, NULL), HSTREAM_OK, "no interrupt");
    expect(hstream_client_options_set_event_callback(options, NULL, NULL, NULL), HSTREAM_OK, "no callback");
    expect(hstream_client_options_set_keepalive_ms(options, 0, 0), HSTREAM_ERR_INVALID_ARGUMENT, "0 ms");
    expect(hstream_client_options_set_tcp_keepalive_ms(options, 0, 0), HSTREAM_ERR_INVALID_ARGUMENT, "0 ms");
    expect(hstream_client_options_set_windows(options, 0, 0), HSTREAM_ERR_INVALID_ARGUMENT, "0 bytes");
    expect(hstream_client_options_set_plaintext_auth(options, -1), HSTREAM_ERR_INVALID_ARGUMENT, "-1 as truth");
    expect(hstream_client_options_set_lazy_connect(options, 2), HSTREAM_ERR_INVALID_ARGUMENT, "2 as truth");
    expect(hstream_client_options_set_url(options, "hstream://127.0.0.1:1", NULL), HSTREAM_OK, "a URL");
    expect(hstream_call_set_timeout_ms(call, 0), HSTREAM_OK, "0 ms");
    NULL_ARGUMENT(hstream_call_add_metadata(call, NULL, "x", 1, NULL));
    NULL_ARGUMENT(hstream_call_add_metadata(call, "x", NULL, 1, NULL));
    expect(hstream_call_set_node(call, NULL, NULL), HSTREAM_OK, "any node");
    expect(hstream_client_connect(options, call, &client, NULL) != HSTREAM_OK, 1, "nobody is there");
    hstream_call_free(call);
    hstream_client_options_free(options);
}

static void streams(void)
{
    int32_t exists;
    uint64_t shard;
    unsigned char hash[16];
    hstream_streams_t *list;
    hstream_stream_t *stream;
    hstream_shards_t *shards;
    hstream_record_id_t id;

    hstream_stream_options_free(NULL);
    NULL_ARGUMENT(hstream_stream_options_set_replication_factor(NULL, 0));
    NULL_ARGUMENT(hstream_stream_options_set_shard_count(NULL, 0));
    NULL_ARGUMENT(hstream_stream_options_set_backlog_seconds(NULL, 0));
    NULL_ARGUMENT(hstream_stream_options_set(NULL, NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_client_create_stream(NULL, NULL, NULL, NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_client_list_streams(NULL, NULL, NULL, &list, NULL));
    NULL_ARGUMENT(hstream_client_get_stream(NULL, NULL, NULL, &stream, NULL));
    NULL_ARGUMENT(hstream_client_delete_stream(NULL, NULL, 0, NULL, NULL));
    NULL_ARGUMENT(hstream_client_stream_exists(NULL, NULL, NULL, &exists, NULL));
    hstream_streams_free(NULL);
    ZERO(hstream_streams_count(NULL));
    NOTHING(hstream_streams_at(NULL, 0));
    hstream_stream_free(NULL);
    NOTHING(hstream_stream_clone(NULL));
    EMPTY(hstream_stream_name(hstream_streams_at(NULL, 7), NULL));
    ZERO(hstream_stream_replication_factor(NULL));
    ZERO(hstream_stream_shard_count(NULL));
    ZERO(hstream_stream_backlog_seconds(NULL));
    ZERO(hstream_stream_creation_time_ms(NULL));
    NULL_ARGUMENT(hstream_stream_to_json(NULL, NULL, NULL));

    NULL_ARGUMENT(hstream_client_list_shards(NULL, NULL, NULL, &shards, NULL));
    NULL_ARGUMENT(hstream_client_shard_for_key(NULL, NULL, NULL, 0, NULL, &shard, NULL));
    NULL_ARGUMENT(hstream_client_tail_record_id(NULL, NULL, 0, NULL, &id, NULL));
    hstream_shards_free(NULL);
    ZERO(hstream_shards_count(NULL));
    NOTHING(hstream_shards_at(NULL, 0));
    NOTHING(hstream_shards_find_key(NULL, NULL, 0));
    hstream_shard_free(NULL);
    NOTHING(hstream_shard_clone(NULL));
    ZERO(hstream_shard_id(NULL));
    EMPTY(hstream_shard_stream_name(NULL, NULL));
    EMPTY(hstream_shard_start_key(NULL, NULL));
    EMPTY(hstream_shard_end_key(NULL, NULL));
    ZERO(hstream_shard_epoch(NULL));
    ZERO(hstream_shard_is_active(NULL));
    hstream_key_hash(NULL, 0, NULL);
    hstream_key_hash(NULL, 0, hash);
    expect(hash[0], 0xd4, "the hash of no key");
    NULL_ARGUMENT(hstream_record_id_format(NULL, NULL, 0, NULL));
    NULL_ARGUMENT(hstream_record_id_parse(NULL, 0, &id, NULL));
    ZERO(hstream_record_id_compare(NULL, NULL));
}

static void offsets_and_trimming(void)
{
    hstream_record_id_t id = {0};
    hstream_offset_t offset = {HSTREAM_OFFSET_EARLIEST, 0, 0, {0}};
    hstream_trim_points_t *points;
    uint64_t shard;

    hstream_offset_earliest(NULL);
    hstream_offset_latest(NULL);
    hstream_offset_at_record(NULL, NULL);
    hstream_offset_at_record(&id, NULL);
    hstream_offset_at_time(0, 0, NULL);
    hstream_offset_at_record(NULL, &offset);
    expect(offset.kind, -1, "an offset to no record");
    NULL_ARGUMENT(hstream_client_trim_stream(NULL, NULL, NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_client_trim_shard(NULL, NULL, 0, NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_client_trim_shards(NULL, NULL, NULL, 0, NULL, &points, NULL));
    hstream_trim_points_free(NULL);
    ZERO(hstream_trim_points_count(NULL));
    NULL_ARGUMENT(hstream_trim_points_at(NULL, 0, &shard, &id));
}

static void cluster(void)
{
    hstream_cluster_t *cluster;
    hstream_node_t *node;
    char *text;

    NULL_ARGUMENT(hstream_client_describe_cluster(NULL, NULL, &cluster, NULL));
    NULL_ARGUMENT(hstream_client_lookup_shard(NULL, 0, NULL, &node, NULL));
    NULL_ARGUMENT(hstream_client_lookup_key(NULL, NULL, 0, NULL, &node, NULL));
    NULL_ARGUMENT(hstream_client_lookup_subscription(NULL, NULL, NULL, &node, NULL));
    NULL_ARGUMENT(hstream_client_lookup_resource(NULL, 0, NULL, NULL, &node, NULL));
    NULL_ARGUMENT(hstream_client_subscription_lag(NULL, NULL, NULL, &text, NULL, NULL));
    hstream_cluster_free(NULL);
    EMPTY(hstream_cluster_protocol_version(NULL, NULL));
    ZERO(hstream_cluster_uptime_seconds(NULL));
    ZERO(hstream_cluster_node_count(NULL));
    NOTHING(hstream_cluster_node_at(NULL, 0));
    NULL_ARGUMENT(hstream_cluster_to_json(NULL, &text, NULL));
    hstream_node_free(NULL);
    NOTHING(hstream_node_clone(NULL));
    ZERO(hstream_node_id(NULL));
    EMPTY(hstream_node_host(NULL, NULL));
    ZERO(hstream_node_port(NULL));
    EMPTY(hstream_node_version(NULL, NULL));
    EMPTY(hstream_node_commit(NULL, NULL));
    expect(hstream_node_state(NULL), -1, "node_state");
}

static void named_readers(void)
{
    hstream_batch_t *batch;
    hstream_strings_t *strings;
    hstream_node_t *node;

    NULL_ARGUMENT(hstream_client_create_shard_reader(NULL, NULL, NULL, 0, NULL, 0, NULL, NULL));
    NULL_ARGUMENT(hstream_client_create_key_reader(NULL, NULL, NULL, NULL, 0, NULL, 0, NULL, NULL));
    NULL_ARGUMENT(hstream_client_read_shard(NULL, NULL, 0, NULL, &batch, NULL));
    NULL_ARGUMENT(hstream_client_list_shard_readers(NULL, NULL, &strings, NULL));
    NULL_ARGUMENT(hstream_client_lookup_shard_reader(NULL, NULL, NULL, &node, NULL));
    NULL_ARGUMENT(hstream_client_delete_shard_reader(NULL, NULL, 0, NULL, NULL));
    hstream_strings_free(NULL);
    ZERO(hstream_strings_count(NULL));
    EMPTY(hstream_strings_at(NULL, 0, NULL));
}

static void records(void)
{
    hstream_record_t *record;
    hstream_hrecord_t *hrecord;
    hstream_record_id_t id;
    int32_t flag;
    double number;
    char *text;
    size_t len;

    NULL_ARGUMENT(hstream_record_new_raw(NULL, 0, NULL, 0, NULL, NULL));
    NULL_ARGUMENT(hstream_record_new_raw(NULL, 1, NULL, 0, &record, NULL));
    NULL_ARGUMENT(hstream_record_new_json(NULL, 0, NULL, 0, &record, NULL));
    NULL_ARGUMENT(hstream_record_new_hrecord(NULL, NULL, 0, &record, NULL));
    NOTHING(hstream_record_clone(NULL));
    hstream_record_free(NULL);
    NULL_ARGUMENT(hstream_record_set_key(NULL, NULL, 0, NULL));
    NULL_ARGUMENT(hstream_record_set_attribute(NULL, NULL, NULL, 0, NULL));
    ZERO(hstream_record_remove_attribute(NULL, NULL));
    expect(hstream_record_kind(NULL), HSTREAM_RECORD_RAW, "record_kind");
    NULL_ARGUMENT(hstream_record_code(NULL));
    expect(hstream_record_payload(NULL, &len) != NULL && len == 0, 1, "record_payload");
    EMPTY(hstream_record_key(NULL, NULL));
    ZERO(hstream_record_attribute_count(NULL));
    EMPTY(hstream_record_attribute_name_at(NULL, 0, NULL));
    EMPTY(hstream_record_attribute_value_at(NULL, 0, NULL));
    EMPTY(hstream_record_attribute(NULL, NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_record_id(NULL, &id));
    ZERO(hstream_record_publish_time_ms(NULL));
    ZERO(hstream_record_size(NULL));
    NULL_ARGUMENT(hstream_record_to_json(NULL, &text, NULL, NULL));
    NULL_ARGUMENT(hstream_record_to_hrecord(NULL, &hrecord, NULL));

    /* Nothing at all is a fine record. */
    expect(hstream_record_new_raw(NULL, 0, NULL, 0, &record, NULL), HSTREAM_OK, "an empty record");
    NULL_ARGUMENT(hstream_record_set_attribute(record, NULL, NULL, 0, NULL));
    NULL_ARGUMENT(hstream_record_set_attribute(record, "a", NULL, 0, NULL));
    EMPTY(hstream_record_attribute(record, NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_record_id(record, NULL));
    hstream_record_free(record);

    NULL_ARGUMENT(hstream_hrecord_from_json(NULL, 0, &hrecord, NULL));
    NULL_ARGUMENT(hstream_hrecord_to_json(NULL, &text, NULL, NULL));
    NOTHING(hstream_hrecord_clone(NULL));
    hstream_hrecord_free(NULL);
    ZERO(hstream_hrecord_field_count(NULL));
    EMPTY(hstream_hrecord_field_name_at(NULL, 0, NULL));
    ZERO(hstream_hrecord_type(NULL, NULL));
    NULL_ARGUMENT(hstream_hrecord_set_null(NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_hrecord_set_bool(NULL, NULL, 0, NULL));
    NULL_ARGUMENT(hstream_hrecord_set_number(NULL, NULL, 0, NULL));
    NULL_ARGUMENT(hstream_hrecord_set_string(NULL, NULL, NULL, 0, NULL));
    NULL_ARGUMENT(hstream_hrecord_set_json(NULL, NULL, NULL, 0, NULL));
    NULL_ARGUMENT(hstream_hrecord_get_bool(NULL, NULL, &flag));
    NULL_ARGUMENT(hstream_hrecord_get_number(NULL, NULL, &number));
    EMPTY(hstream_hrecord_get_string(NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_hrecord_get_json(NULL, NULL, &text, NULL, NULL));
    ZERO(hstream_hrecord_remove(NULL, NULL));

    hrecord = hstream_hrecord_new();
    NULL_ARGUMENT(hstream_hrecord_set_null(hrecord, NULL, NULL));
    NULL_ARGUMENT(hstream_hrecord_set_string(hrecord, "a", NULL, 0, NULL));
    NULL_ARGUMENT(hstream_hrecord_get_number(hrecord, "a", NULL));
    ZERO(hstream_hrecord_type(hrecord, NULL));
    hstream_hrecord_free(hrecord);
}

static void producers(void)
{
    hstream_append_options_free(NULL);
    NULL_ARGUMENT(hstream_append_options_set_compression(NULL, 0, 0));
    NULL_ARGUMENT(hstream_append_options_set(NULL, NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_client_append(NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_client_append_raw(NULL, NULL, NULL, 0, NULL, 0, NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_client_append_json(NULL, NULL, NULL, 0, NULL, 0, NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_client_append_to_shard(NULL, NULL, 0, NULL, 0, NULL, NULL, NULL, NULL));

    hstream_producer_options_free(NULL);
    NOTHING(hstream_producer_options_clone(NULL));
    NULL_ARGUMENT(hstream_producer_options_set_batch_records(NULL, 0));
    NULL_ARGUMENT(hstream_producer_options_set_batch_bytes(NULL, 0));
    NULL_ARGUMENT(hstream_producer_options_set_linger_ms(NULL, 0));
    NULL_ARGUMENT(hstream_producer_options_set_buffer_bytes(NULL, 0));
    NULL_ARGUMENT(hstream_producer_options_set_buffer_records(NULL, 0));
    NULL_ARGUMENT(hstream_producer_options_set_compression(NULL, 0, 0));
    NULL_ARGUMENT(hstream_producer_options_set_delivery_timeout_ms(NULL, 0));
    NULL_ARGUMENT(hstream_producer_options_set_retry(NULL, 0, 0, 0));
    NULL_ARGUMENT(hstream_producer_options_set_retry_ambiguous(NULL, 0));
    NULL_ARGUMENT(hstream_producer_options_set_workers(NULL, 0));
    NULL_ARGUMENT(hstream_producer_options_set_in_flight_per_shard(NULL, 0));
    NULL_ARGUMENT(hstream_producer_options_set_failure_policy(NULL, 0));
    NULL_ARGUMENT(hstream_producer_options_set_recreated_stream(NULL, 0));
    NULL_ARGUMENT(hstream_producer_options_set_spread_keyless(NULL, 0));
    NULL_ARGUMENT(hstream_producer_options_set_reports(NULL, 0));
    NULL_ARGUMENT(hstream_producer_options_set_report_records(NULL, 0));
    NULL_ARGUMENT(hstream_producer_options_set_report_polling(NULL, 0));
    NULL_ARGUMENT(hstream_producer_options_set_delivery_callback(NULL, NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_producer_options_set(NULL, NULL, NULL, NULL));

    hstream_producer_t *producer;
    hstream_appender_t *appender;
    hstream_deliveries_t *deliveries;
    uint64_t written = 7;
    NULL_ARGUMENT(hstream_producer_new(NULL, NULL, &producer, NULL));
    NULL_ARGUMENT(hstream_producer_open(NULL, NULL, NULL, &appender, NULL));
    NULL_ARGUMENT(hstream_producer_flush(NULL, 0, NULL, &written, NULL, NULL, NULL));
    ZERO(written);
    NULL_ARGUMENT(hstream_producer_poll(NULL, 0, 0, NULL, &deliveries, NULL));
    ZERO(hstream_producer_pending_records(NULL));
    ZERO(hstream_producer_pending_bytes(NULL));
    NULL_ARGUMENT(hstream_producer_stats_json(NULL, NULL, NULL));
    expect(hstream_producer_event_fd(NULL), -1, "event_fd");
    hstream_producer_begin_close(NULL);
    NULL_ARGUMENT(hstream_producer_close(NULL, 0, NULL, NULL, NULL, NULL, NULL));
    hstream_producer_free(NULL);

    size_t accepted = 7;
    NULL_ARGUMENT(hstream_appender_append(NULL, NULL, 0, 0, NULL, NULL));
    NULL_ARGUMENT(hstream_appender_append_raw(NULL, NULL, 0, NULL, 0, 0, 0, NULL, NULL));
    NULL_ARGUMENT(hstream_appender_append_json(NULL, NULL, 0, NULL, 0, 0, 0, NULL, NULL));
    NULL_ARGUMENT(hstream_appender_append_to_shard(NULL, 0, NULL, 0, 0, NULL, NULL));
    NULL_ARGUMENT(hstream_appender_append_records(NULL, NULL, NULL, 0, 0, NULL, &accepted, NULL));
    ZERO(accepted);
    NULL_ARGUMENT(hstream_appender_append_packed(NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_appender_append_wait(NULL, NULL, 0, NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_appender_flush(NULL, 0, NULL, NULL, NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_appender_flush_shard(NULL, 0, 0, NULL, NULL, NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_appender_resume(NULL, 0, NULL));
    NULL_ARGUMENT(hstream_appender_flush_key(NULL, NULL, 0, 0, NULL, NULL, NULL, NULL, NULL));
    EMPTY(hstream_appender_stream_name(NULL, NULL));
    hstream_appender_free(NULL);

    hstream_record_id_t id;
    hstream_deliveries_free(NULL);
    NOTHING(hstream_deliveries_ref(NULL));
    ZERO(hstream_deliveries_count(NULL));
    ZERO(hstream_deliveries_tag(NULL, 0));
    NULL_ARGUMENT(hstream_deliveries_code(NULL, 0));
    NULL_ARGUMENT(hstream_deliveries_record_id(NULL, 0, &id));
    NOTHING(hstream_deliveries_error(NULL, 0));
    EMPTY(hstream_deliveries_stream_name(NULL, 0, NULL));
    ZERO(hstream_deliveries_shard_id(NULL, 0));
    NOTHING(hstream_deliveries_record(NULL, 0));
    NOTHING(hstream_deliveries_tags(NULL));
    NOTHING(hstream_deliveries_codes(NULL));
    NOTHING(hstream_deliveries_record_ids(NULL));
}

static void consumers(void)
{
    hstream_subscription_options_free(NULL);
    NULL_ARGUMENT(hstream_subscription_options_set_ack_timeout_seconds(NULL, 0));
    NULL_ARGUMENT(hstream_subscription_options_set_max_unacked_records(NULL, 0));
    NULL_ARGUMENT(hstream_subscription_options_set_start(NULL, 0));
    NULL_ARGUMENT(hstream_subscription_options_set(NULL, NULL, NULL, NULL));
    hstream_subscriptions_t *list;
    hstream_subscription_t *subscription;
    hstream_consumer_infos_t *infos;
    int32_t exists;
    uint64_t number;
    NULL_ARGUMENT(hstream_client_create_subscription(NULL, NULL, NULL, NULL, NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_client_list_subscriptions(NULL, NULL, NULL, &list, NULL));
    NULL_ARGUMENT(hstream_client_get_subscription(NULL, NULL, NULL, &subscription, NULL));
    NULL_ARGUMENT(hstream_client_delete_subscription(NULL, NULL, 0, NULL, NULL));
    NULL_ARGUMENT(hstream_client_subscription_exists(NULL, NULL, NULL, &exists, NULL));
    NULL_ARGUMENT(hstream_client_list_consumers(NULL, NULL, NULL, &infos, NULL));
    hstream_subscriptions_free(NULL);
    ZERO(hstream_subscriptions_count(NULL));
    NOTHING(hstream_subscriptions_at(NULL, 0));
    hstream_subscription_free(NULL);
    NOTHING(hstream_subscription_clone(NULL));
    EMPTY(hstream_subscription_id(NULL, NULL));
    EMPTY(hstream_subscription_stream_name(NULL, NULL));
    ZERO(hstream_subscription_ack_timeout_seconds(NULL));
    ZERO(hstream_subscription_max_unacked_records(NULL));
    ZERO(hstream_subscription_start(NULL));
    ZERO(hstream_subscription_creation_time_ms(NULL));
    ZERO(hstream_subscription_checkpoint_count(NULL));
    NULL_ARGUMENT(hstream_subscription_checkpoint_at(NULL, 0, &number, &number));
    NULL_ARGUMENT(hstream_subscription_to_json(NULL, NULL, NULL));
    hstream_consumer_infos_free(NULL);
    ZERO(hstream_consumer_infos_count(NULL));
    EMPTY(hstream_consumer_infos_name(NULL, 0, NULL));
    EMPTY(hstream_consumer_infos_uri(NULL, 0, NULL));
    EMPTY(hstream_consumer_infos_user_agent(NULL, 0, NULL));

    hstream_consumer_options_free(NULL);
    NOTHING(hstream_consumer_options_clone(NULL));
    NULL_ARGUMENT(hstream_consumer_options_set_name(NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_consumer_options_set_callback(NULL, NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_consumer_options_set_callback_records(NULL, 0));
    NULL_ARGUMENT(hstream_consumer_options_set_auto_ack(NULL, 0));
    NULL_ARGUMENT(hstream_consumer_options_set_bad_batch(NULL, 0));
    NULL_ARGUMENT(hstream_consumer_options_set_ack_batch(NULL, 0, 0));
    NULL_ARGUMENT(hstream_consumer_options_set_prefetch(NULL, 0, 0));
    NULL_ARGUMENT(hstream_consumer_options_set_max_batch_bytes(NULL, 0));
    NULL_ARGUMENT(hstream_consumer_options_set_reconnect(NULL, 0, 0));
    NULL_ARGUMENT(hstream_consumer_options_set(NULL, NULL, NULL, NULL));
    hstream_consumer_t *consumer;
    hstream_batch_t *batch;
    NULL_ARGUMENT(hstream_consumer_new(NULL, NULL, NULL, NULL, &consumer, NULL));
    NULL_ARGUMENT(hstream_consumer_start(NULL, NULL));
    NULL_ARGUMENT(hstream_consumer_poll(NULL, 0, 0, NULL, &batch, NULL));
    NULL_ARGUMENT(hstream_consumer_run(NULL, 0, NULL, NULL));
    NULL_ARGUMENT(hstream_consumer_ack(NULL, NULL, 0, NULL));
    NULL_ARGUMENT(hstream_consumer_ack_record(NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_consumer_ack_batch(NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_consumer_flush_acks(NULL, 0, NULL, NULL));
    NULL_ARGUMENT(hstream_consumer_ack_up_to(NULL, NULL, NULL));
    ZERO(hstream_consumer_pending_acks(NULL));
    ZERO(hstream_consumer_unacked_records(NULL));
    ZERO(hstream_consumer_oldest_unacked_ms(NULL));
    expect(hstream_consumer_waiting_for(NULL), HSTREAM_WAITING_CONNECTION, "waiting_for");
    expect(hstream_consumer_event_fd(NULL), -1, "event_fd");
    NULL_ARGUMENT(hstream_consumer_stop(NULL, 0, NULL, NULL));
    NULL_ARGUMENT(hstream_consumer_close(NULL, 0, NULL, NULL));
    hstream_consumer_free(NULL);
    EMPTY(hstream_consumer_name(NULL, NULL));
    EMPTY(hstream_consumer_subscription_id(NULL, NULL));
    expect(hstream_consumer_state(NULL), HSTREAM_STATE_CLOSED, "consumer_state");
    NOTHING(hstream_consumer_last_error(NULL));

    const void *const *pointers;
    const size_t *lengths;
    hstream_batch_free(NULL);
    NOTHING(hstream_batch_ref(NULL));
    ZERO(hstream_batch_count(NULL));
    NOTHING(hstream_batch_at(NULL, 0));
    NOTHING(hstream_batch_ids(NULL));
    NOTHING(hstream_batch_kinds(NULL));
    NOTHING(hstream_batch_codes(NULL));
    NULL_ARGUMENT(hstream_batch_payloads(NULL, &pointers, &lengths));
    NULL_ARGUMENT(hstream_batch_keys(NULL, &pointers, &lengths));
    NOTHING(hstream_batch_publish_times_ms(NULL));
}

static void readers(void)
{
    hstream_reader_options_t *options = hstream_reader_options_new();
    hstream_reader_t *reader;
    hstream_batch_t *batch;
    hstream_record_id_t id;
    char *text;

    hstream_reader_options_free(NULL);
    NOTHING(hstream_reader_options_clone(NULL));
    NULL_ARGUMENT(hstream_reader_options_set_from(NULL, NULL));
    NULL_ARGUMENT(hstream_reader_options_set_from(options, NULL));
    NULL_ARGUMENT(hstream_reader_options_set_position(NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_reader_options_set_position(options, NULL, NULL));
    NULL_ARGUMENT(hstream_reader_options_set_until(NULL, NULL));
    NULL_ARGUMENT(hstream_reader_options_set_until(options, NULL));
    NULL_ARGUMENT(hstream_reader_options_set_max_batches(NULL, 0));
    NULL_ARGUMENT(hstream_reader_options_set_buffer_bytes(NULL, 0));
    NULL_ARGUMENT(hstream_reader_options_set_buffer_records(NULL, 0));
    NULL_ARGUMENT(hstream_reader_options_set_max_batch_bytes(NULL, 0));
    NULL_ARGUMENT(hstream_reader_options_set_label(NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_reader_options_set_label(options, NULL, NULL));
    NULL_ARGUMENT(hstream_reader_options_set_callback(NULL, NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_reader_options_set_callback_records(NULL, 0));
    NULL_ARGUMENT(hstream_reader_options_set_reopen(NULL, 0, 0));
    NULL_ARGUMENT(hstream_reader_options_set(NULL, NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_reader_options_set(options, NULL, NULL, NULL));
    NULL_ARGUMENT(hstream_reader_options_set(options, "from", NULL, NULL));
    expect(hstream_reader_options_set_max_batches(options, 0), HSTREAM_OK, "0 batches");
    expect(hstream_reader_options_set_callback(options, NULL, NULL, NULL), HSTREAM_OK, "no callback");
    hstream_reader_options_free(options);
    NULL_ARGUMENT(hstream_reader_open_shard(NULL, NULL, 0, NULL, NULL, &reader, NULL));
    NULL_ARGUMENT(hstream_reader_open_stream(NULL, NULL, NULL, NULL, &reader, NULL));
    NULL_ARGUMENT(hstream_reader_open_single_shard(NULL, NULL, NULL, NULL, &reader, NULL));
    NULL_ARGUMENT(hstream_reader_open_key(NULL, NULL, NULL, 0, NULL, NULL, &reader, NULL));
    NULL_ARGUMENT(hstream_reader_start(NULL, NULL));
    NULL_ARGUMENT(hstream_reader_stop(NULL, 0, NULL, NULL));
    NULL_ARGUMENT(hstream_reader_read(NULL, 0, 0, NULL, &batch, NULL));
    NULL_ARGUMENT(hstream_reader_position(NULL, 0, &id));
    NULL_ARGUMENT(hstream_reader_position_text(NULL, &text, NULL, NULL));
    expect(hstream_reader_event_fd(NULL), -1, "event_fd");
    NULL_ARGUMENT(hstream_reader_close(NULL, 0, NULL, NULL));
    hstream_reader_free(NULL);
}

#ifdef HSTREAM_HAS_DEV_SERVER
static void servers(void)
{
    hstream_dev_server_t *server;
    NULL_ARGUMENT(hstream_dev_server_start(0, NULL, NULL));
    expect(hstream_dev_server_start(0, &server, NULL), HSTREAM_ERR_INVALID_ARGUMENT, "no nodes");
    EMPTY(hstream_dev_server_url(NULL, NULL));
    NULL_ARGUMENT(hstream_dev_server_set(NULL, NULL, NULL, NULL));
    hstream_dev_server_free(NULL);
}
#endif

int main(void)
{
    library();
    logs();
    events();
    runtime();
    errors();
    calls();
    clients();
    streams();
    offsets_and_trimming();
    cluster();
    named_readers();
    records();
    producers();
    consumers();
    readers();
#ifdef HSTREAM_HAS_DEV_SERVER
    servers();
#endif
    ZERO(hstream_live_handles());
    return failures != 0;
}
