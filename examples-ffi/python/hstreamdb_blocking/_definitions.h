/* Made of include/hstreamdb.h; changes made here are lost. */
#define HSTREAM_VERSION_MAJOR 0
#define HSTREAM_VERSION_MINOR 1
#define HSTREAM_VERSION_PATCH 0
#define HSTREAM_VERSION_NUMBER 1000
#define HSTREAM_ABI_VERSION 1
#define HSTREAM_OK 0
#define HSTREAM_ERR_INVALID_ARGUMENT 1
#define HSTREAM_ERR_NULL_ARGUMENT 2
#define HSTREAM_ERR_TIMEOUT 3
#define HSTREAM_ERR_INTERRUPTED 4
#define HSTREAM_ERR_CLOSED 5
#define HSTREAM_ERR_UNAVAILABLE 6
#define HSTREAM_ERR_QUEUE_FULL 7
#define HSTREAM_ERR_WOULD_DEADLOCK 8
#define HSTREAM_ERR_FORKED 9
#define HSTREAM_ERR_PANIC 10
#define HSTREAM_ERR_RESOURCES 11
#define HSTREAM_ERR_UTF8 12
#define HSTREAM_ERR_JSON 13
#define HSTREAM_ERR_TLS 14
#define HSTREAM_ERR_DECODE 15
#define HSTREAM_ERR_COMPRESSION 16
#define HSTREAM_ERR_UNSUPPORTED 17
#define HSTREAM_ERR_BUFFER_TOO_SMALL 18
#define HSTREAM_ERR_ABI_MISMATCH 19
#define HSTREAM_ERR_INVALID_STATE 20
#define HSTREAM_ERR_ABORTED 21
#define HSTREAM_ERR_RECORD_TOO_LARGE 22
#define HSTREAM_END 23
#define HSTREAM_ERR_BUSY 24
#define HSTREAM_ERR_CONFIG 25
#define HSTREAM_ERR_SHUTTING_DOWN 26
#define HSTREAM_ERR_PROTOCOL 27
#define HSTREAM_ERR_UNKNOWN_OPTION 28
#define HSTREAM_ERR_GRPC_CANCELLED 101
#define HSTREAM_ERR_GRPC_UNKNOWN 102
#define HSTREAM_ERR_GRPC_INVALID_ARGUMENT 103
#define HSTREAM_ERR_GRPC_DEADLINE_EXCEEDED 104
#define HSTREAM_ERR_GRPC_NOT_FOUND 105
#define HSTREAM_ERR_GRPC_ALREADY_EXISTS 106
#define HSTREAM_ERR_GRPC_PERMISSION_DENIED 107
#define HSTREAM_ERR_GRPC_RESOURCE_EXHAUSTED 108
#define HSTREAM_ERR_GRPC_FAILED_PRECONDITION 109
#define HSTREAM_ERR_GRPC_ABORTED 110
#define HSTREAM_ERR_GRPC_OUT_OF_RANGE 111
#define HSTREAM_ERR_GRPC_UNIMPLEMENTED 112
#define HSTREAM_ERR_GRPC_INTERNAL 113
#define HSTREAM_ERR_GRPC_UNAVAILABLE 114
#define HSTREAM_ERR_GRPC_DATA_LOSS 115
#define HSTREAM_ERR_GRPC_UNAUTHENTICATED 116
#define HSTREAM_ERR_STREAM_NOT_FOUND 200
#define HSTREAM_ERR_STREAM_EXISTS 201
#define HSTREAM_ERR_STREAM_FOUND_SUBSCRIPTION 202
#define HSTREAM_ERR_STREAM_INVALID_REPLICA_FACTOR 203
#define HSTREAM_ERR_STREAM_INVALID_OBJECT_IDENTIFIER 204
#define HSTREAM_ERR_STREAM_INVALID_SHARD_COUNT 205
#define HSTREAM_ERR_STREAM_EMPTY_BATCHED_RECORD 206
#define HSTREAM_ERR_STREAM_INVALID_RECORD_SIZE 207
#define HSTREAM_ERR_STREAM_INVALID_OFFSET 208
#define HSTREAM_ERR_STREAM_INVALID_RECORD_ID 209
#define HSTREAM_ERR_STREAM_SHARD_NOT_EXISTS 210
#define HSTREAM_ERR_SUBSCRIPTION_NOT_FOUND 300
#define HSTREAM_ERR_SUBSCRIPTION_EXISTS 301
#define HSTREAM_ERR_SUBSCRIPTION_CREATION_ON_NONEXISTENT_STREAM 302
#define HSTREAM_ERR_SUBSCRIPTION_INVALID_OFFSET 303
#define HSTREAM_ERR_SUBSCRIPTION_INVALID_OBJECT_IDENTIFIER 304
#define HSTREAM_ERR_SUBSCRIPTION_FOUND_ACTIVE_CONSUMERS 305
#define HSTREAM_ERR_QUERY_NOT_FOUND 400
#define HSTREAM_ERR_QUERY_EXISTS 401
#define HSTREAM_ERR_QUERY_INVALID_SQL 402
#define HSTREAM_ERR_QUERY_FOUND_ASSOCIATED_VIEW 403
#define HSTREAM_ERR_QUERY_INVALID_OBJECT_IDENTIFIER 404
#define HSTREAM_ERR_QUERY_STILL_RUNNING 405
#define HSTREAM_ERR_QUERY_NOT_RUNNING 406
#define HSTREAM_ERR_QUERY_NOT_TERMINATED 407
#define HSTREAM_ERR_QUERY_ALREADY_TERMINATED 408
#define HSTREAM_ERR_VIEW_NOT_FOUND 500
#define HSTREAM_ERR_VIEW_EXISTS 501
#define HSTREAM_ERR_VIEW_INVALID_SQL 502
#define HSTREAM_ERR_VIEW_INVALID_OBJECT_IDENTIFIER 503
#define HSTREAM_ERR_CONNECTOR_NOT_FOUND 600
#define HSTREAM_ERR_CONNECTOR_EXISTS 601
#define HSTREAM_ERR_CONNECTOR_INVALID_TYPE 602
#define HSTREAM_ERR_CONNECTOR_INVALID_OBJECT_IDENTIFIER 603
#define HSTREAM_ERR_CONNECTOR_CHECK_FAILED 604
#define HSTREAM_ERR_CONNECTOR_UNIMPLEMENTED 605
#define HSTREAM_ERR_CONNECTOR_INVALID_STATUS 606
#define HSTREAM_ERR_WRONG_SERVER 800
#define HSTREAM_ERR_SHARD_READER_INVALID_OBJECT_IDENTIFIER 900
#define HSTREAM_ERR_SHARD_READER_CONFLICT_OFFSET 901
#define HSTREAM_ERR_SHARD_READER_TOO_MANY_SHARDS 902
#define HSTREAM_ERR_SHARD_READER_DATA_LOSS_GAP 903
#define HSTREAM_ERR_SHARD_READER_ACCESS_GAP 904
#define HSTREAM_ERR_SHARD_READER_NOT_IN_CONFIG_GAP 905
#define HSTREAM_ERR_SHARD_READER_UNKNOWN_GAP 906
#define HSTREAM_CATEGORY_OTHER 0
#define HSTREAM_CATEGORY_CALLER 1
#define HSTREAM_CATEGORY_TRANSIENT 2
#define HSTREAM_CATEGORY_NOT_FOUND 3
#define HSTREAM_CATEGORY_EXISTS 4
#define HSTREAM_CATEGORY_DENIED 5
#define HSTREAM_CATEGORY_STATE 6
#define HSTREAM_CATEGORY_TIMEOUT 7
#define HSTREAM_CATEGORY_ENDED 8
#define HSTREAM_CATEGORY_INTERNAL 9
#define HSTREAM_FOREVER -1
#define HSTREAM_NO_WAIT 0
#define HSTREAM_LOG_OFF 0
#define HSTREAM_LOG_ERROR 1
#define HSTREAM_LOG_WARN 2
#define HSTREAM_LOG_INFO 3
#define HSTREAM_LOG_DEBUG 4
#define HSTREAM_LOG_TRACE 5
#define HSTREAM_EVENT_NODE_LOST 1
#define HSTREAM_EVENT_RECONNECTING 2
#define HSTREAM_EVENT_RECONNECTED 3
#define HSTREAM_EVENT_CONSUMER_STATE 4
#define HSTREAM_EVENT_SHARD_STOPPED 5
#define HSTREAM_EVENT_ACKS_UNSENT 6
#define HSTREAM_EVENT_TLS_RELOAD_FAILED 7
#define HSTREAM_EVENT_CLUSTER_CHANGED 8
#define HSTREAM_EVENT_BAD_BATCH 9
#define HSTREAM_EVENT_ACKS_OVERDUE 10
#define HSTREAM_SUBJECT_CLIENT 1
#define HSTREAM_SUBJECT_PRODUCER 2
#define HSTREAM_SUBJECT_CONSUMER 3
#define HSTREAM_SUBJECT_READER 4
#define HSTREAM_METRIC_CALLS 1
#define HSTREAM_METRIC_FAILURES 2
#define HSTREAM_METRIC_RETRIES 3
#define HSTREAM_METRIC_RECONNECTS 4
#define HSTREAM_METRIC_RECORDS_OUT 5
#define HSTREAM_METRIC_BYTES_OUT 6
#define HSTREAM_METRIC_BATCHES_OUT 7
#define HSTREAM_METRIC_RECORDS_IN 8
#define HSTREAM_METRIC_BYTES_IN 9
#define HSTREAM_METRIC_BATCHES_IN 10
#define HSTREAM_METRIC_QUEUED_RECORDS 11
#define HSTREAM_METRIC_QUEUED_BYTES 12
#define HSTREAM_METRIC_UNACKED 13
#define HSTREAM_METRIC_PENDING_ACKS 14
#define HSTREAM_METRIC_CALL_LATENCY_SUM_US 15
#define HSTREAM_METRIC_CALL_LATENCY_COUNT 16
#define HSTREAM_METRIC_NODES 17
#define HSTREAM_METRIC_NODES_IN_TROUBLE 18
#define HSTREAM_METRIC_EVENTS_DROPPED 19
#define HSTREAM_METRIC_REFRESHES 20
#define HSTREAM_DELETE_FORCE 1
#define HSTREAM_DELETE_IGNORE_MISSING 2
#define HSTREAM_RECORD_ID_TEXT_SIZE 64
#define HSTREAM_OFFSET_EARLIEST 0
#define HSTREAM_OFFSET_LATEST 1
#define HSTREAM_OFFSET_RECORD 2
#define HSTREAM_OFFSET_TIME 3
#define HSTREAM_OFFSET_STRICT 1
#define HSTREAM_RECORD_JSON 0
#define HSTREAM_RECORD_RAW 1
#define HSTREAM_TYPE_ABSENT 0
#define HSTREAM_TYPE_NULL 1
#define HSTREAM_TYPE_BOOL 2
#define HSTREAM_TYPE_NUMBER 3
#define HSTREAM_TYPE_STRING 4
#define HSTREAM_TYPE_LIST 5
#define HSTREAM_TYPE_OBJECT 6
#define HSTREAM_COMPRESSION_NONE 0
#define HSTREAM_COMPRESSION_GZIP 1
#define HSTREAM_COMPRESSION_ZSTD 2
#define HSTREAM_LEVEL_DEFAULT 2147483647
#define HSTREAM_REPORTS_ALL 0
#define HSTREAM_REPORTS_FAILURES 1
#define HSTREAM_REPORTS_NONE 2
#define HSTREAM_FAILURE_ABORT_QUEUED 0
#define HSTREAM_FAILURE_STOP 1
#define HSTREAM_FAILURE_CONTINUE 2
#define HSTREAM_RECREATED_FAIL 0
#define HSTREAM_RECREATED_REROUTE 1
#define HSTREAM_NODE_STARTING 0
#define HSTREAM_NODE_RUNNING 1
#define HSTREAM_NODE_UNAVAILABLE 2
#define HSTREAM_NODE_DEAD 3
#define HSTREAM_RESOURCE_STREAM 0
#define HSTREAM_RESOURCE_SUBSCRIPTION 1
#define HSTREAM_RESOURCE_SHARD 2
#define HSTREAM_RESOURCE_SHARD_READER 3
#define HSTREAM_RESOURCE_CONNECTOR 4
#define HSTREAM_RESOURCE_QUERY 5
#define HSTREAM_RESOURCE_VIEW 6
#define HSTREAM_BAD_BATCH_REPORT 0
#define HSTREAM_BAD_BATCH_FAIL 1
#define HSTREAM_BAD_BATCH_RAW 2
#define HSTREAM_PROCESSED 0
#define HSTREAM_KEEP 1
#define HSTREAM_STOP 2
#define HSTREAM_WAITING_CONNECTION 0
#define HSTREAM_WAITING_ACKS 1
#define HSTREAM_WAITING_BUFFER 2
#define HSTREAM_WAITING_RECORDS 3
#define HSTREAM_STATE_IDLE 0
#define HSTREAM_STATE_CONNECTING 1
#define HSTREAM_STATE_RUNNING 2
#define HSTREAM_STATE_RECONNECTING 3
#define HSTREAM_STATE_STOPPED 4
#define HSTREAM_STATE_CLOSED 5
#define HSTREAM_STATE_FAILED 6
typedef struct hstream_append_options_t hstream_append_options_t;
typedef struct hstream_appender_t hstream_appender_t;
typedef struct hstream_batch_t hstream_batch_t;
typedef struct hstream_call_t hstream_call_t;
typedef struct hstream_cancel_t hstream_cancel_t;
typedef struct hstream_client_options_t hstream_client_options_t;
typedef struct hstream_client_t hstream_client_t;
typedef struct hstream_cluster_t hstream_cluster_t;
typedef struct hstream_consumer_infos_t hstream_consumer_infos_t;
typedef struct hstream_consumer_options_t hstream_consumer_options_t;
typedef struct hstream_consumer_t hstream_consumer_t;
typedef struct hstream_deliveries_t hstream_deliveries_t;
typedef struct hstream_error_t hstream_error_t;
typedef struct hstream_event_t hstream_event_t;
typedef struct hstream_hrecord_t hstream_hrecord_t;
typedef struct hstream_node_t hstream_node_t;
typedef struct hstream_producer_options_t hstream_producer_options_t;
typedef struct hstream_producer_t hstream_producer_t;
typedef struct hstream_reader_options_t hstream_reader_options_t;
typedef struct hstream_reader_t hstream_reader_t;
typedef struct hstream_record_t hstream_record_t;
typedef struct hstream_runtime_options_t hstream_runtime_options_t;
typedef struct hstream_shard_t hstream_shard_t;
typedef struct hstream_shards_t hstream_shards_t;
typedef struct hstream_stream_options_t hstream_stream_options_t;
typedef struct hstream_stream_t hstream_stream_t;
typedef struct hstream_streams_t hstream_streams_t;
typedef struct hstream_strings_t hstream_strings_t;
typedef struct hstream_subscription_options_t hstream_subscription_options_t;
typedef struct hstream_subscription_t hstream_subscription_t;
typedef struct hstream_subscriptions_t hstream_subscriptions_t;
typedef struct hstream_trim_points_t hstream_trim_points_t;
typedef int32_t hstream_code_t;
typedef void (*hstream_thread_fn)(int32_t starts, const char *name, void * user_data);
typedef void (*hstream_release_fn)(void *user_data);
typedef int32_t (*hstream_interrupt_fn)(void *user_data);
typedef void (*hstream_event_fn)(const struct hstream_event_t *event, void * user_data);
typedef void (*hstream_log_fn)(int32_t level, int64_t time_ms, const char *target, const char *message, size_t message_len, void * user_data);
typedef struct hstream_record_id_t { uint64_t shard_id; uint64_t batch_id; uint32_t batch_index; uint32_t reserved; } hstream_record_id_t;
typedef struct hstream_offset_t { int32_t kind; uint32_t flags; int64_t timestamp_ms; struct hstream_record_id_t record; } hstream_offset_t;
typedef void (*hstream_delivery_fn)(const struct hstream_deliveries_t *deliveries, void * user_data);
typedef int32_t (*hstream_batch_fn)(const struct hstream_batch_t *batch, const struct hstream_error_t * error, void * user_data);
const char *hstream_version_string(void);
uint32_t hstream_version_number(void);
uint32_t hstream_abi_version(void);
hstream_code_t hstream_check_abi(uint32_t header_abi);
const char *hstream_build_info(void);
const char *hstream_options_schema_json(void);
const char *hstream_code_name(int32_t code);
const char *hstream_code_description(int32_t code);
int32_t hstream_code_category(int32_t code);
int32_t hstream_code_is_retryable(int32_t code);
uint64_t hstream_live_handles(void);
hstream_code_t hstream_shutdown(int64_t timeout_ms, struct hstream_error_t ** err);
void hstream_string_free(char * text);
struct hstream_runtime_options_t * hstream_runtime_options_new(void);
void hstream_runtime_options_free(struct hstream_runtime_options_t * runtime_options);
hstream_code_t hstream_runtime_options_set_worker_threads(struct hstream_runtime_options_t *runtime_options, uint32_t count);
hstream_code_t hstream_runtime_options_set_compression_threads(struct hstream_runtime_options_t *runtime_options, uint32_t count);
hstream_code_t hstream_runtime_options_set_thread_name(struct hstream_runtime_options_t *runtime_options, const char *prefix);
hstream_code_t hstream_runtime_options_set_stack_size(struct hstream_runtime_options_t *runtime_options, size_t bytes);
hstream_code_t hstream_runtime_options_set_thread_hook(struct hstream_runtime_options_t *runtime_options, hstream_thread_fn callback, void * user_data, hstream_release_fn release);
hstream_code_t hstream_runtime_options_set(struct hstream_runtime_options_t *runtime_options, const char *key, const char *value, struct hstream_error_t ** err);
hstream_code_t hstream_init(const struct hstream_runtime_options_t * runtime_options, struct hstream_error_t ** err);
void hstream_error_free(struct hstream_error_t * error);
struct hstream_error_t * hstream_error_clone(const struct hstream_error_t *error);
hstream_code_t hstream_error_code(const struct hstream_error_t *error);
const char *hstream_error_message(const struct hstream_error_t *error, size_t * len);
int32_t hstream_error_server_code(const struct hstream_error_t *error);
const char *hstream_error_server_name(const struct hstream_error_t *error, size_t * len);
const char *hstream_error_extra_json(const struct hstream_error_t *error, size_t * len);
int32_t hstream_error_grpc_status(const struct hstream_error_t *error);
const char *hstream_error_operation(const struct hstream_error_t *error, size_t * len);
const char *hstream_error_address(const struct hstream_error_t *error, size_t * len);
uint32_t hstream_error_attempts(const struct hstream_error_t *error);
int32_t hstream_error_is_retryable(const struct hstream_error_t *error);
int32_t hstream_error_is_ambiguous(const struct hstream_error_t *error);
hstream_code_t hstream_error_to_json(const struct hstream_error_t *error, char **text, size_t * text_len);
struct hstream_call_t * hstream_call_new(void);
void hstream_call_free(struct hstream_call_t * call);
hstream_code_t hstream_call_set_timeout_ms(struct hstream_call_t *call, int64_t timeout_ms);
hstream_code_t hstream_call_set_cancel(struct hstream_call_t *call, struct hstream_cancel_t * cancel);
hstream_code_t hstream_call_set_interrupt_check(struct hstream_call_t *call, hstream_interrupt_fn check, void * user_data);
hstream_code_t hstream_call_add_metadata(struct hstream_call_t *call, const char *name, const void *value, size_t value_len, struct hstream_error_t ** err);
hstream_code_t hstream_call_set_node(struct hstream_call_t *call, const char * address, struct hstream_error_t ** err);
void hstream_call_clear(struct hstream_call_t *call);
hstream_code_t hstream_cancel_new(struct hstream_cancel_t **out, struct hstream_error_t ** err);
void hstream_cancel_free(struct hstream_cancel_t * cancel);
void hstream_cancel_trigger(struct hstream_cancel_t *cancel);
int32_t hstream_cancel_is_triggered(struct hstream_cancel_t *cancel);
void hstream_cancel_reset(struct hstream_cancel_t *cancel);
int32_t hstream_cancel_write_fd(struct hstream_cancel_t *cancel);
struct hstream_client_options_t * hstream_client_options_new(void);
struct hstream_client_options_t * hstream_client_options_clone(const struct hstream_client_options_t *client_options);
void hstream_client_options_free(struct hstream_client_options_t * client_options);
hstream_code_t hstream_client_options_set_url(struct hstream_client_options_t *client_options, const char *url, struct hstream_error_t ** err);
hstream_code_t hstream_client_options_set_user_agent(struct hstream_client_options_t *client_options, const char *suffix, struct hstream_error_t ** err);
hstream_code_t hstream_client_options_set_request_timeout_ms(struct hstream_client_options_t *client_options, int64_t timeout_ms);
hstream_code_t hstream_client_options_set_connect_timeout_ms(struct hstream_client_options_t *client_options, int64_t timeout_ms);
hstream_code_t hstream_client_options_set_retry(struct hstream_client_options_t *client_options, uint32_t max_attempts, int64_t first_backoff_ms, int64_t max_backoff_ms);
hstream_code_t hstream_client_options_set_refresh_ms(struct hstream_client_options_t *client_options, int64_t age_ms);
hstream_code_t hstream_client_options_set_max_receive_bytes(struct hstream_client_options_t *client_options, uint64_t bytes);
hstream_code_t hstream_client_options_set_tls_ca_file(struct hstream_client_options_t *client_options, const char *path, struct hstream_error_t ** err);
hstream_code_t hstream_client_options_set_tls_ca_pem(struct hstream_client_options_t *client_options, const void *pem, size_t pem_len, struct hstream_error_t ** err);
hstream_code_t hstream_client_options_set_tls_identity_files(struct hstream_client_options_t *client_options, const char *cert_path, const char *key_path, struct hstream_error_t ** err);
hstream_code_t hstream_client_options_set_tls_identity_pem(struct hstream_client_options_t *client_options, const void *cert, size_t cert_len, const void *key, size_t key_len, struct hstream_error_t ** err);
hstream_code_t hstream_client_options_set_tls_server_name(struct hstream_client_options_t *client_options, const char *name, struct hstream_error_t ** err);
hstream_code_t hstream_client_options_set_basic_auth(struct hstream_client_options_t *client_options, const char *user, const void * password, size_t password_len, struct hstream_error_t ** err);
hstream_code_t hstream_client_options_set_auth_token(struct hstream_client_options_t *client_options, const void * token, size_t token_len, struct hstream_error_t ** err);
hstream_code_t hstream_client_options_set_plaintext_auth(struct hstream_client_options_t *client_options, int32_t allowed);
hstream_code_t hstream_client_options_add_metadata(struct hstream_client_options_t *client_options, const char *name, const void * value, size_t value_len, struct hstream_error_t ** err);
hstream_code_t hstream_client_options_map_address(struct hstream_client_options_t *client_options, const char *advertised, const char *reachable, struct hstream_error_t ** err);
hstream_code_t hstream_client_options_set_lazy_connect(struct hstream_client_options_t *client_options, int32_t on);
hstream_code_t hstream_client_options_set_keepalive_ms(struct hstream_client_options_t *client_options, int64_t interval_ms, int64_t timeout_ms);
hstream_code_t hstream_client_options_set_tcp_keepalive_ms(struct hstream_client_options_t *client_options, int64_t idle_ms, int64_t user_timeout_ms);
hstream_code_t hstream_client_options_set_windows(struct hstream_client_options_t *client_options, uint64_t stream_bytes, uint64_t connection_bytes);
hstream_code_t hstream_client_options_set_interrupt(struct hstream_client_options_t *client_options, struct hstream_cancel_t * cancel, hstream_interrupt_fn check, void * user_data);
hstream_code_t hstream_client_options_set_event_callback(struct hstream_client_options_t *client_options, hstream_event_fn callback, void * user_data, hstream_release_fn release);
hstream_code_t hstream_client_options_set_buffer_bytes(struct hstream_client_options_t *client_options, uint64_t bytes);
hstream_code_t hstream_client_options_set_append_compression(struct hstream_client_options_t *client_options, int32_t kind, int32_t level);
hstream_code_t hstream_client_options_set(struct hstream_client_options_t *client_options, const char *key, const char *value, struct hstream_error_t ** err);
hstream_code_t hstream_client_options_get(const struct hstream_client_options_t *client_options, const char *key, char **text, size_t * text_len, struct hstream_error_t ** err);
hstream_code_t hstream_client_connect(const struct hstream_client_options_t * client_options, const struct hstream_call_t * call, struct hstream_client_t **out, struct hstream_error_t ** err);
hstream_code_t hstream_client_close(struct hstream_client_t *client, int64_t timeout_ms, const struct hstream_cancel_t * cancel, struct hstream_error_t ** err);
void hstream_client_free(struct hstream_client_t * client);
hstream_code_t hstream_client_echo(struct hstream_client_t *client, const char *message, const struct hstream_call_t * call, char **text, size_t * text_len, struct hstream_error_t ** err);
hstream_code_t hstream_client_refresh(struct hstream_client_t *client, const struct hstream_call_t * call, struct hstream_error_t ** err);
hstream_code_t hstream_client_reload_tls(struct hstream_client_t *client, struct hstream_error_t ** err);
hstream_code_t hstream_client_set_auth_token(struct hstream_client_t *client, const void *token, size_t token_len, struct hstream_error_t ** err);
hstream_code_t hstream_client_set_basic_auth(struct hstream_client_t *client, const char *user, const void * password, size_t password_len, struct hstream_error_t ** err);
hstream_code_t hstream_log_set_callback(int32_t max_level, hstream_log_fn callback, void * user_data, hstream_release_fn release, struct hstream_error_t ** err);
hstream_code_t hstream_log_set_level(int32_t max_level);
const char *hstream_log_level_name(int32_t level);
uint64_t hstream_log_dropped(void);
int32_t hstream_event_kind(const struct hstream_event_t *event);
int32_t hstream_event_subject_kind(const struct hstream_event_t *event);
const char *hstream_event_subject(const struct hstream_event_t *event, size_t * len);
int32_t hstream_event_state(const struct hstream_event_t *event);
const char *hstream_event_address(const struct hstream_event_t *event, size_t * len);
const struct hstream_error_t * hstream_event_error(const struct hstream_event_t *event);
int64_t hstream_event_time_ms(const struct hstream_event_t *event);
hstream_code_t hstream_event_to_json(const struct hstream_event_t *event, char **text, size_t * text_len);
hstream_code_t hstream_client_metrics_json(struct hstream_client_t *client, char **text, size_t * text_len, struct hstream_error_t ** err);
uint64_t hstream_client_metric(struct hstream_client_t *client, int32_t metric);
struct hstream_stream_options_t * hstream_stream_options_new(void);
void hstream_stream_options_free(struct hstream_stream_options_t * stream_options);
hstream_code_t hstream_stream_options_set_replication_factor(struct hstream_stream_options_t *stream_options, uint32_t factor);
hstream_code_t hstream_stream_options_set_shard_count(struct hstream_stream_options_t *stream_options, uint32_t count);
hstream_code_t hstream_stream_options_set_backlog_seconds(struct hstream_stream_options_t *stream_options, uint32_t seconds);
hstream_code_t hstream_stream_options_set(struct hstream_stream_options_t *stream_options, const char *key, const char *value, struct hstream_error_t ** err);
hstream_code_t hstream_client_create_stream(struct hstream_client_t *client, const char *name, const struct hstream_stream_options_t * stream_options, const struct hstream_call_t * call, struct hstream_stream_t ** out, struct hstream_error_t ** err);
hstream_code_t hstream_client_list_streams(struct hstream_client_t *client, const char * prefix, const struct hstream_call_t * call, struct hstream_streams_t **out, struct hstream_error_t ** err);
hstream_code_t hstream_client_get_stream(struct hstream_client_t *client, const char *name, const struct hstream_call_t * call, struct hstream_stream_t **out, struct hstream_error_t ** err);
hstream_code_t hstream_client_delete_stream(struct hstream_client_t *client, const char *name, uint32_t flags, const struct hstream_call_t * call, struct hstream_error_t ** err);
hstream_code_t hstream_client_stream_exists(struct hstream_client_t *client, const char *name, const struct hstream_call_t * call, int32_t *exists, struct hstream_error_t ** err);
void hstream_streams_free(struct hstream_streams_t * streams);
size_t hstream_streams_count(const struct hstream_streams_t *streams);
const struct hstream_stream_t * hstream_streams_at(const struct hstream_streams_t *streams, size_t index);
void hstream_stream_free(struct hstream_stream_t * stream);
struct hstream_stream_t * hstream_stream_clone(const struct hstream_stream_t *stream);
const char *hstream_stream_name(const struct hstream_stream_t *stream, size_t * len);
uint32_t hstream_stream_replication_factor(const struct hstream_stream_t *stream);
uint32_t hstream_stream_shard_count(const struct hstream_stream_t *stream);
uint32_t hstream_stream_backlog_seconds(const struct hstream_stream_t *stream);
int64_t hstream_stream_creation_time_ms(const struct hstream_stream_t *stream);
hstream_code_t hstream_stream_to_json(const struct hstream_stream_t *stream, char **text, size_t * text_len);
hstream_code_t hstream_client_list_shards(struct hstream_client_t *client, const char *stream, const struct hstream_call_t * call, struct hstream_shards_t **out, struct hstream_error_t ** err);
hstream_code_t hstream_client_shard_for_key(struct hstream_client_t *client, const char *stream, const void * key, size_t key_len, const struct hstream_call_t * call, uint64_t *shard_id, struct hstream_error_t ** err);
hstream_code_t hstream_client_tail_record_id(struct hstream_client_t *client, const char *stream, uint64_t shard_id, const struct hstream_call_t * call, struct hstream_record_id_t *tail, struct hstream_error_t ** err);
void hstream_shards_free(struct hstream_shards_t * shards);
size_t hstream_shards_count(const struct hstream_shards_t *shards);
const struct hstream_shard_t * hstream_shards_at(const struct hstream_shards_t *shards, size_t index);
const struct hstream_shard_t * hstream_shards_find_key(const struct hstream_shards_t *shards, const void * key, size_t key_len);
void hstream_shard_free(struct hstream_shard_t * shard);
struct hstream_shard_t * hstream_shard_clone(const struct hstream_shard_t *shard);
uint64_t hstream_shard_id(const struct hstream_shard_t *shard);
const char *hstream_shard_stream_name(const struct hstream_shard_t *shard, size_t * len);
const char *hstream_shard_start_key(const struct hstream_shard_t *shard, size_t * len);
const char *hstream_shard_end_key(const struct hstream_shard_t *shard, size_t * len);
uint64_t hstream_shard_epoch(const struct hstream_shard_t *shard);
int32_t hstream_shard_is_active(const struct hstream_shard_t *shard);
void hstream_key_hash(const void * key, size_t key_len, uint8_t *hash);
hstream_code_t hstream_record_id_format(const struct hstream_record_id_t *value, char * buffer, size_t capacity, size_t * needed);
hstream_code_t hstream_record_id_parse(const void *text, size_t text_len, struct hstream_record_id_t *value, struct hstream_error_t ** err);
int32_t hstream_record_id_compare(const struct hstream_record_id_t *a, const struct hstream_record_id_t *b);
void hstream_offset_earliest(struct hstream_offset_t *value);
void hstream_offset_latest(struct hstream_offset_t *value);
void hstream_offset_at_record(const struct hstream_record_id_t *record, struct hstream_offset_t *value);
void hstream_offset_at_time(int64_t timestamp_ms, uint32_t flags, struct hstream_offset_t *value);
hstream_code_t hstream_record_new_raw(const void * payload, size_t payload_len, const void * key, size_t key_len, struct hstream_record_t **out, struct hstream_error_t ** err);
hstream_code_t hstream_record_new_json(const void *json, size_t json_len, const void * key, size_t key_len, struct hstream_record_t **out, struct hstream_error_t ** err);
hstream_code_t hstream_record_new_hrecord(const struct hstream_hrecord_t *hrecord, const void * key, size_t key_len, struct hstream_record_t **out, struct hstream_error_t ** err);
struct hstream_record_t * hstream_record_clone(const struct hstream_record_t *record);
void hstream_record_free(struct hstream_record_t * record);
hstream_code_t hstream_record_set_key(struct hstream_record_t *record, const void * key, size_t key_len, struct hstream_error_t ** err);
hstream_code_t hstream_record_set_attribute(struct hstream_record_t *record, const char *name, const void *value, size_t value_len, struct hstream_error_t ** err);
int32_t hstream_record_remove_attribute(struct hstream_record_t *record, const char *name);
int32_t hstream_record_kind(const struct hstream_record_t *record);
hstream_code_t hstream_record_code(const struct hstream_record_t *record);
const void * hstream_record_payload(const struct hstream_record_t *record, size_t *len);
const char *hstream_record_key(const struct hstream_record_t *record, size_t * len);
size_t hstream_record_attribute_count(const struct hstream_record_t *record);
const char *hstream_record_attribute_name_at(const struct hstream_record_t *record, size_t index, size_t * len);
const char *hstream_record_attribute_value_at(const struct hstream_record_t *record, size_t index, size_t * len);
const char *hstream_record_attribute(const struct hstream_record_t *record, const char *name, int32_t * present, size_t * len);
hstream_code_t hstream_record_id(const struct hstream_record_t *record, struct hstream_record_id_t *value);
int64_t hstream_record_publish_time_ms(const struct hstream_record_t *record);
size_t hstream_record_size(const struct hstream_record_t *record);
hstream_code_t hstream_record_to_json(const struct hstream_record_t *record, char **text, size_t * text_len, struct hstream_error_t ** err);
hstream_code_t hstream_record_to_hrecord(const struct hstream_record_t *record, struct hstream_hrecord_t **out, struct hstream_error_t ** err);
struct hstream_hrecord_t * hstream_hrecord_new(void);
hstream_code_t hstream_hrecord_from_json(const void *json, size_t json_len, struct hstream_hrecord_t **out, struct hstream_error_t ** err);
hstream_code_t hstream_hrecord_to_json(const struct hstream_hrecord_t *hrecord, char **text, size_t * text_len, struct hstream_error_t ** err);
struct hstream_hrecord_t * hstream_hrecord_clone(const struct hstream_hrecord_t *hrecord);
void hstream_hrecord_free(struct hstream_hrecord_t * hrecord);
size_t hstream_hrecord_field_count(const struct hstream_hrecord_t *hrecord);
const char *hstream_hrecord_field_name_at(const struct hstream_hrecord_t *hrecord, size_t index, size_t * len);
int32_t hstream_hrecord_type(const struct hstream_hrecord_t *hrecord, const char *field);
hstream_code_t hstream_hrecord_set_null(struct hstream_hrecord_t *hrecord, const char *field, struct hstream_error_t ** err);
hstream_code_t hstream_hrecord_set_bool(struct hstream_hrecord_t *hrecord, const char *field, int32_t value, struct hstream_error_t ** err);
hstream_code_t hstream_hrecord_set_number(struct hstream_hrecord_t *hrecord, const char *field, double value, struct hstream_error_t ** err);
hstream_code_t hstream_hrecord_set_string(struct hstream_hrecord_t *hrecord, const char *field, const void *value, size_t value_len, struct hstream_error_t ** err);
hstream_code_t hstream_hrecord_set_json(struct hstream_hrecord_t *hrecord, const char *field, const void *json, size_t json_len, struct hstream_error_t ** err);
hstream_code_t hstream_hrecord_get_bool(const struct hstream_hrecord_t *hrecord, const char *field, int32_t *value);
hstream_code_t hstream_hrecord_get_number(const struct hstream_hrecord_t *hrecord, const char *field, double *value);
const char *hstream_hrecord_get_string(const struct hstream_hrecord_t *hrecord, const char *field, size_t * len);
hstream_code_t hstream_hrecord_get_json(const struct hstream_hrecord_t *hrecord, const char *field, char **text, size_t * text_len, struct hstream_error_t ** err);
int32_t hstream_hrecord_remove(struct hstream_hrecord_t *hrecord, const char *field);
struct hstream_append_options_t * hstream_append_options_new(void);
void hstream_append_options_free(struct hstream_append_options_t * append_options);
hstream_code_t hstream_append_options_set_compression(struct hstream_append_options_t *append_options, int32_t kind, int32_t level);
hstream_code_t hstream_append_options_set(struct hstream_append_options_t *append_options, const char *key, const char *value, struct hstream_error_t ** err);
hstream_code_t hstream_client_append(struct hstream_client_t *client, const char *stream, const struct hstream_record_t *const *records, size_t count, const struct hstream_append_options_t * append_options, const struct hstream_call_t * call, struct hstream_record_id_t * ids, hstream_code_t * codes, struct hstream_error_t ** err);
hstream_code_t hstream_client_append_raw(struct hstream_client_t *client, const char *stream, const void * key, size_t key_len, const void * payload, size_t payload_len, const struct hstream_call_t * call, struct hstream_record_id_t * value, struct hstream_error_t ** err);
hstream_code_t hstream_client_append_json(struct hstream_client_t *client, const char *stream, const void * key, size_t key_len, const void *json, size_t json_len, const struct hstream_call_t * call, struct hstream_record_id_t * value, struct hstream_error_t ** err);
hstream_code_t hstream_client_append_to_shard(struct hstream_client_t *client, const char *stream, uint64_t shard_id, const struct hstream_record_t *const *records, size_t count, const struct hstream_append_options_t * append_options, const struct hstream_call_t * call, struct hstream_record_id_t * ids, struct hstream_error_t ** err);
struct hstream_producer_options_t * hstream_producer_options_new(void);
struct hstream_producer_options_t * hstream_producer_options_clone(const struct hstream_producer_options_t *producer_options);
void hstream_producer_options_free(struct hstream_producer_options_t * producer_options);
hstream_code_t hstream_producer_options_set_batch_records(struct hstream_producer_options_t *producer_options, uint32_t count);
hstream_code_t hstream_producer_options_set_batch_bytes(struct hstream_producer_options_t *producer_options, uint64_t bytes);
hstream_code_t hstream_producer_options_set_linger_ms(struct hstream_producer_options_t *producer_options, int64_t age_ms);
hstream_code_t hstream_producer_options_set_buffer_bytes(struct hstream_producer_options_t *producer_options, uint64_t bytes);
hstream_code_t hstream_producer_options_set_buffer_records(struct hstream_producer_options_t *producer_options, uint64_t count);
hstream_code_t hstream_producer_options_set_compression(struct hstream_producer_options_t *producer_options, int32_t kind, int32_t level);
hstream_code_t hstream_producer_options_set_delivery_timeout_ms(struct hstream_producer_options_t *producer_options, int64_t timeout_ms);
hstream_code_t hstream_producer_options_set_retry(struct hstream_producer_options_t *producer_options, int32_t max_retries, int64_t first_backoff_ms, int64_t max_backoff_ms);
hstream_code_t hstream_producer_options_set_retry_ambiguous(struct hstream_producer_options_t *producer_options, int32_t on);
hstream_code_t hstream_producer_options_set_workers(struct hstream_producer_options_t *producer_options, uint32_t count);
hstream_code_t hstream_producer_options_set_in_flight_per_shard(struct hstream_producer_options_t *producer_options, uint32_t batches);
hstream_code_t hstream_producer_options_set_failure_policy(struct hstream_producer_options_t *producer_options, int32_t policy);
hstream_code_t hstream_producer_options_set_recreated_stream(struct hstream_producer_options_t *producer_options, int32_t policy);
hstream_code_t hstream_producer_options_set_spread_keyless(struct hstream_producer_options_t *producer_options, int32_t on);
hstream_code_t hstream_producer_options_set_reports(struct hstream_producer_options_t *producer_options, int32_t which);
hstream_code_t hstream_producer_options_set_report_records(struct hstream_producer_options_t *producer_options, int32_t which);
hstream_code_t hstream_producer_options_set_report_polling(struct hstream_producer_options_t *producer_options, int32_t on);
hstream_code_t hstream_producer_options_set_delivery_callback(struct hstream_producer_options_t *producer_options, hstream_delivery_fn callback, void * user_data, hstream_release_fn release);
hstream_code_t hstream_producer_options_set(struct hstream_producer_options_t *producer_options, const char *key, const char *value, struct hstream_error_t ** err);
hstream_code_t hstream_producer_new(struct hstream_client_t *client, const struct hstream_producer_options_t * producer_options, struct hstream_producer_t **out, struct hstream_error_t ** err);
hstream_code_t hstream_producer_open(struct hstream_producer_t *producer, const char *stream, const struct hstream_call_t * call, struct hstream_appender_t **out, struct hstream_error_t ** err);
hstream_code_t hstream_producer_flush(struct hstream_producer_t *producer, int64_t timeout_ms, const struct hstream_cancel_t * cancel, uint64_t * written, uint64_t * failed, uint64_t * unknown, struct hstream_error_t ** err);
hstream_code_t hstream_producer_poll(struct hstream_producer_t *producer, uint32_t max_reports, int64_t timeout_ms, const struct hstream_cancel_t * cancel, struct hstream_deliveries_t **out, struct hstream_error_t ** err);
hstream_code_t hstream_producer_stats_json(struct hstream_producer_t *producer, char **text, size_t * text_len);
int32_t hstream_producer_event_fd(struct hstream_producer_t *producer);
uint64_t hstream_producer_pending_records(struct hstream_producer_t *producer);
uint64_t hstream_producer_pending_bytes(struct hstream_producer_t *producer);
void hstream_producer_begin_close(struct hstream_producer_t *producer);
hstream_code_t hstream_producer_close(struct hstream_producer_t *producer, int64_t timeout_ms, const struct hstream_cancel_t * cancel, uint64_t * written, uint64_t * failed, uint64_t * unknown, struct hstream_error_t ** err);
void hstream_producer_free(struct hstream_producer_t * producer);
hstream_code_t hstream_appender_append(struct hstream_appender_t *appender, const struct hstream_record_t *record, uint64_t tag, int64_t timeout_ms, const struct hstream_cancel_t * cancel, struct hstream_error_t ** err);
hstream_code_t hstream_appender_append_raw(struct hstream_appender_t *appender, const void * key, size_t key_len, const void * payload, size_t payload_len, uint64_t tag, int64_t timeout_ms, const struct hstream_cancel_t * cancel, struct hstream_error_t ** err);
hstream_code_t hstream_appender_append_json(struct hstream_appender_t *appender, const void * key, size_t key_len, const void *json, size_t json_len, uint64_t tag, int64_t timeout_ms, const struct hstream_cancel_t * cancel, struct hstream_error_t ** err);
hstream_code_t hstream_appender_append_to_shard(struct hstream_appender_t *appender, uint64_t shard_id, const struct hstream_record_t *record, uint64_t tag, int64_t timeout_ms, const struct hstream_cancel_t * cancel, struct hstream_error_t ** err);
hstream_code_t hstream_appender_append_records(struct hstream_appender_t *appender, const struct hstream_record_t *const *records, const uint64_t * tags, size_t count, int64_t timeout_ms, const struct hstream_cancel_t * cancel, size_t * accepted, struct hstream_error_t ** err);
hstream_code_t hstream_appender_append_packed(struct hstream_appender_t *appender, const void *payloads, const size_t *payload_ends, const void * keys, const size_t * key_ends, const uint64_t * tags, size_t count, int64_t timeout_ms, const struct hstream_cancel_t * cancel, size_t * accepted, struct hstream_error_t ** err);
hstream_code_t hstream_appender_append_wait(struct hstream_appender_t *appender, const struct hstream_record_t *record, int64_t timeout_ms, const struct hstream_cancel_t * cancel, struct hstream_record_id_t * value, struct hstream_error_t ** err);
hstream_code_t hstream_appender_flush(struct hstream_appender_t *appender, int64_t timeout_ms, const struct hstream_cancel_t * cancel, uint64_t * written, uint64_t * failed, uint64_t * unknown, struct hstream_error_t ** err);
hstream_code_t hstream_appender_flush_shard(struct hstream_appender_t *appender, uint64_t shard_id, int64_t timeout_ms, const struct hstream_cancel_t * cancel, uint64_t * written, uint64_t * failed, uint64_t * unknown, struct hstream_error_t ** err);
hstream_code_t hstream_appender_flush_key(struct hstream_appender_t *appender, const void * key, size_t key_len, int64_t timeout_ms, const struct hstream_cancel_t * cancel, uint64_t * written, uint64_t * failed, uint64_t * unknown, struct hstream_error_t ** err);
hstream_code_t hstream_appender_resume(struct hstream_appender_t *appender, uint64_t shard_id, struct hstream_error_t ** err);
const char *hstream_appender_stream_name(struct hstream_appender_t *appender, size_t * len);
void hstream_appender_free(struct hstream_appender_t * appender);
void hstream_deliveries_free(struct hstream_deliveries_t * deliveries);
struct hstream_deliveries_t * hstream_deliveries_ref(const struct hstream_deliveries_t *deliveries);
size_t hstream_deliveries_count(const struct hstream_deliveries_t *deliveries);
uint64_t hstream_deliveries_tag(const struct hstream_deliveries_t *deliveries, size_t index);
hstream_code_t hstream_deliveries_code(const struct hstream_deliveries_t *deliveries, size_t index);
hstream_code_t hstream_deliveries_record_id(const struct hstream_deliveries_t *deliveries, size_t index, struct hstream_record_id_t *value);
const struct hstream_error_t * hstream_deliveries_error(const struct hstream_deliveries_t *deliveries, size_t index);
const char *hstream_deliveries_stream_name(const struct hstream_deliveries_t *deliveries, size_t index, size_t * len);
uint64_t hstream_deliveries_shard_id(const struct hstream_deliveries_t *deliveries, size_t index);
const struct hstream_record_t * hstream_deliveries_record(const struct hstream_deliveries_t *deliveries, size_t index);
const uint64_t * hstream_deliveries_tags(const struct hstream_deliveries_t *deliveries);
const int32_t * hstream_deliveries_codes(const struct hstream_deliveries_t *deliveries);
const struct hstream_record_id_t * hstream_deliveries_record_ids(const struct hstream_deliveries_t *deliveries);
struct hstream_subscription_options_t * hstream_subscription_options_new(void);
void hstream_subscription_options_free(struct hstream_subscription_options_t * subscription_options);
hstream_code_t hstream_subscription_options_set_ack_timeout_seconds(struct hstream_subscription_options_t *subscription_options, int32_t seconds);
hstream_code_t hstream_subscription_options_set_max_unacked_records(struct hstream_subscription_options_t *subscription_options, int32_t count);
hstream_code_t hstream_subscription_options_set_start(struct hstream_subscription_options_t *subscription_options, int32_t where);
hstream_code_t hstream_subscription_options_set(struct hstream_subscription_options_t *subscription_options, const char *key, const char *value, struct hstream_error_t ** err);
hstream_code_t hstream_client_create_subscription(struct hstream_client_t *client, const char *id, const char *stream, const struct hstream_subscription_options_t * subscription_options, const struct hstream_call_t * call, struct hstream_subscription_t ** out, struct hstream_error_t ** err);
hstream_code_t hstream_client_list_subscriptions(struct hstream_client_t *client, const char * prefix, const struct hstream_call_t * call, struct hstream_subscriptions_t **out, struct hstream_error_t ** err);
hstream_code_t hstream_client_get_subscription(struct hstream_client_t *client, const char *id, const struct hstream_call_t * call, struct hstream_subscription_t **out, struct hstream_error_t ** err);
hstream_code_t hstream_client_delete_subscription(struct hstream_client_t *client, const char *id, uint32_t flags, const struct hstream_call_t * call, struct hstream_error_t ** err);
hstream_code_t hstream_client_subscription_exists(struct hstream_client_t *client, const char *id, const struct hstream_call_t * call, int32_t *exists, struct hstream_error_t ** err);
hstream_code_t hstream_client_list_consumers(struct hstream_client_t *client, const char *subscription_id, const struct hstream_call_t * call, struct hstream_consumer_infos_t **out, struct hstream_error_t ** err);
hstream_code_t hstream_client_subscription_lag(struct hstream_client_t *client, const char *subscription_id, const struct hstream_call_t * call, char **text, size_t * text_len, struct hstream_error_t ** err);
void hstream_subscriptions_free(struct hstream_subscriptions_t * subscriptions);
size_t hstream_subscriptions_count(const struct hstream_subscriptions_t *subscriptions);
const struct hstream_subscription_t * hstream_subscriptions_at(const struct hstream_subscriptions_t *subscriptions, size_t index);
void hstream_subscription_free(struct hstream_subscription_t * subscription);
struct hstream_subscription_t * hstream_subscription_clone(const struct hstream_subscription_t *subscription);
const char *hstream_subscription_id(const struct hstream_subscription_t *subscription, size_t * len);
const char *hstream_subscription_stream_name(const struct hstream_subscription_t *subscription, size_t * len);
int32_t hstream_subscription_ack_timeout_seconds(const struct hstream_subscription_t *subscription);
int32_t hstream_subscription_max_unacked_records(const struct hstream_subscription_t *subscription);
int32_t hstream_subscription_start(const struct hstream_subscription_t *subscription);
int64_t hstream_subscription_creation_time_ms(const struct hstream_subscription_t *subscription);
size_t hstream_subscription_checkpoint_count(const struct hstream_subscription_t *subscription);
hstream_code_t hstream_subscription_checkpoint_at(const struct hstream_subscription_t *subscription, size_t index, uint64_t *shard_id, uint64_t *batch_id);
hstream_code_t hstream_subscription_to_json(const struct hstream_subscription_t *subscription, char **text, size_t * text_len);
void hstream_consumer_infos_free(struct hstream_consumer_infos_t * consumer_infos);
size_t hstream_consumer_infos_count(const struct hstream_consumer_infos_t *consumer_infos);
const char *hstream_consumer_infos_name(const struct hstream_consumer_infos_t *consumer_infos, size_t index, size_t * len);
const char *hstream_consumer_infos_uri(const struct hstream_consumer_infos_t *consumer_infos, size_t index, size_t * len);
const char *hstream_consumer_infos_user_agent(const struct hstream_consumer_infos_t *consumer_infos, size_t index, size_t * len);
hstream_code_t hstream_client_describe_cluster(struct hstream_client_t *client, const struct hstream_call_t * call, struct hstream_cluster_t **out, struct hstream_error_t ** err);
hstream_code_t hstream_client_lookup_shard(struct hstream_client_t *client, uint64_t shard_id, const struct hstream_call_t * call, struct hstream_node_t **out, struct hstream_error_t ** err);
hstream_code_t hstream_client_lookup_key(struct hstream_client_t *client, const void * key, size_t key_len, const struct hstream_call_t * call, struct hstream_node_t **out, struct hstream_error_t ** err);
hstream_code_t hstream_client_lookup_subscription(struct hstream_client_t *client, const char *id, const struct hstream_call_t * call, struct hstream_node_t **out, struct hstream_error_t ** err);
hstream_code_t hstream_client_lookup_resource(struct hstream_client_t *client, int32_t kind, const char *id, const struct hstream_call_t * call, struct hstream_node_t **out, struct hstream_error_t ** err);
void hstream_cluster_free(struct hstream_cluster_t * cluster);
const char *hstream_cluster_protocol_version(const struct hstream_cluster_t *cluster, size_t * len);
uint64_t hstream_cluster_uptime_seconds(const struct hstream_cluster_t *cluster);
size_t hstream_cluster_node_count(const struct hstream_cluster_t *cluster);
const struct hstream_node_t * hstream_cluster_node_at(const struct hstream_cluster_t *cluster, size_t index);
hstream_code_t hstream_cluster_to_json(const struct hstream_cluster_t *cluster, char **text, size_t * text_len);
void hstream_node_free(struct hstream_node_t * node);
struct hstream_node_t * hstream_node_clone(const struct hstream_node_t *node);
uint32_t hstream_node_id(const struct hstream_node_t *node);
const char *hstream_node_host(const struct hstream_node_t *node, size_t * len);
uint32_t hstream_node_port(const struct hstream_node_t *node);
const char *hstream_node_version(const struct hstream_node_t *node, size_t * len);
const char *hstream_node_commit(const struct hstream_node_t *node, size_t * len);
int32_t hstream_node_state(const struct hstream_node_t *node);
hstream_code_t hstream_client_create_shard_reader(struct hstream_client_t *client, const char *reader_id, const char *stream, uint64_t shard_id, const struct hstream_offset_t *where, uint32_t wait_ms, const struct hstream_call_t * call, struct hstream_error_t ** err);
hstream_code_t hstream_client_create_key_reader(struct hstream_client_t *client, const char *reader_id, const char *stream, const void * key, size_t key_len, const struct hstream_offset_t *where, uint32_t wait_ms, const struct hstream_call_t * call, struct hstream_error_t ** err);
hstream_code_t hstream_client_read_shard(struct hstream_client_t *client, const char *reader_id, uint32_t max_batches, const struct hstream_call_t * call, struct hstream_batch_t **out, struct hstream_error_t ** err);
hstream_code_t hstream_client_list_shard_readers(struct hstream_client_t *client, const struct hstream_call_t * call, struct hstream_strings_t **out, struct hstream_error_t ** err);
hstream_code_t hstream_client_lookup_shard_reader(struct hstream_client_t *client, const char *reader_id, const struct hstream_call_t * call, struct hstream_node_t **out, struct hstream_error_t ** err);
hstream_code_t hstream_client_delete_shard_reader(struct hstream_client_t *client, const char *reader_id, uint32_t flags, const struct hstream_call_t * call, struct hstream_error_t ** err);
void hstream_strings_free(struct hstream_strings_t * strings);
size_t hstream_strings_count(const struct hstream_strings_t *strings);
const char *hstream_strings_at(const struct hstream_strings_t *strings, size_t index, size_t * len);
hstream_code_t hstream_client_trim_stream(struct hstream_client_t *client, const char *stream, const struct hstream_offset_t *upto, const struct hstream_call_t * call, struct hstream_error_t ** err);
hstream_code_t hstream_client_trim_shard(struct hstream_client_t *client, const char *stream, uint64_t shard_id, const struct hstream_offset_t *upto, const struct hstream_call_t * call, struct hstream_error_t ** err);
hstream_code_t hstream_client_trim_shards(struct hstream_client_t *client, const char *stream, const struct hstream_record_id_t *ids, size_t ids_count, const struct hstream_call_t * call, struct hstream_trim_points_t ** out, struct hstream_error_t ** err);
void hstream_trim_points_free(struct hstream_trim_points_t * trim_points);
size_t hstream_trim_points_count(const struct hstream_trim_points_t *trim_points);
hstream_code_t hstream_trim_points_at(const struct hstream_trim_points_t *trim_points, size_t index, uint64_t *shard_id, struct hstream_record_id_t *value);
struct hstream_consumer_options_t * hstream_consumer_options_new(void);
struct hstream_consumer_options_t * hstream_consumer_options_clone(const struct hstream_consumer_options_t *consumer_options);
void hstream_consumer_options_free(struct hstream_consumer_options_t * consumer_options);
hstream_code_t hstream_consumer_options_set_name(struct hstream_consumer_options_t *consumer_options, const char *name, struct hstream_error_t ** err);
hstream_code_t hstream_consumer_options_set_callback(struct hstream_consumer_options_t *consumer_options, hstream_batch_fn callback, void * user_data, hstream_release_fn release);
hstream_code_t hstream_consumer_options_set_callback_records(struct hstream_consumer_options_t *consumer_options, uint32_t max_records);
hstream_code_t hstream_consumer_options_set_auto_ack(struct hstream_consumer_options_t *consumer_options, int32_t on);
hstream_code_t hstream_consumer_options_set_bad_batch(struct hstream_consumer_options_t *consumer_options, int32_t policy);
hstream_code_t hstream_consumer_options_set_ack_batch(struct hstream_consumer_options_t *consumer_options, uint32_t count, int64_t age_ms);
hstream_code_t hstream_consumer_options_set_prefetch(struct hstream_consumer_options_t *consumer_options, uint64_t records, uint64_t bytes);
hstream_code_t hstream_consumer_options_set_max_batch_bytes(struct hstream_consumer_options_t *consumer_options, uint64_t bytes);
hstream_code_t hstream_consumer_options_set_reconnect(struct hstream_consumer_options_t *consumer_options, int64_t first_backoff_ms, int64_t max_backoff_ms);
hstream_code_t hstream_consumer_options_set(struct hstream_consumer_options_t *consumer_options, const char *key, const char *value, struct hstream_error_t ** err);
hstream_code_t hstream_consumer_new(struct hstream_client_t *client, const char *subscription_id, const struct hstream_consumer_options_t * consumer_options, const struct hstream_call_t * call, struct hstream_consumer_t **out, struct hstream_error_t ** err);
hstream_code_t hstream_consumer_start(struct hstream_consumer_t *consumer, struct hstream_error_t ** err);
hstream_code_t hstream_consumer_poll(struct hstream_consumer_t *consumer, uint32_t max_records, int64_t timeout_ms, const struct hstream_cancel_t * cancel, struct hstream_batch_t **out, struct hstream_error_t ** err);
hstream_code_t hstream_consumer_run(struct hstream_consumer_t *consumer, int64_t timeout_ms, const struct hstream_cancel_t * cancel, struct hstream_error_t ** err);
hstream_code_t hstream_consumer_ack(struct hstream_consumer_t *consumer, const struct hstream_record_id_t *ids, size_t ids_count, struct hstream_error_t ** err);
hstream_code_t hstream_consumer_ack_up_to(struct hstream_consumer_t *consumer, const struct hstream_record_id_t *last, struct hstream_error_t ** err);
hstream_code_t hstream_consumer_ack_record(struct hstream_consumer_t *consumer, const struct hstream_record_t *record, struct hstream_error_t ** err);
hstream_code_t hstream_consumer_ack_batch(struct hstream_consumer_t *consumer, const struct hstream_batch_t *batch, struct hstream_error_t ** err);
hstream_code_t hstream_consumer_flush_acks(struct hstream_consumer_t *consumer, int64_t timeout_ms, const struct hstream_cancel_t * cancel, struct hstream_error_t ** err);
uint64_t hstream_consumer_pending_acks(struct hstream_consumer_t *consumer);
uint64_t hstream_consumer_unacked_records(struct hstream_consumer_t *consumer);
int64_t hstream_consumer_oldest_unacked_ms(struct hstream_consumer_t *consumer);
int32_t hstream_consumer_waiting_for(struct hstream_consumer_t *consumer);
int32_t hstream_consumer_event_fd(struct hstream_consumer_t *consumer);
hstream_code_t hstream_consumer_stop(struct hstream_consumer_t *consumer, int64_t timeout_ms, const struct hstream_cancel_t * cancel, struct hstream_error_t ** err);
hstream_code_t hstream_consumer_close(struct hstream_consumer_t *consumer, int64_t timeout_ms, const struct hstream_cancel_t * cancel, struct hstream_error_t ** err);
void hstream_consumer_free(struct hstream_consumer_t * consumer);
const char *hstream_consumer_name(struct hstream_consumer_t *consumer, size_t * len);
const char *hstream_consumer_subscription_id(struct hstream_consumer_t *consumer, size_t * len);
int32_t hstream_consumer_state(struct hstream_consumer_t *consumer);
struct hstream_error_t * hstream_consumer_last_error(struct hstream_consumer_t *consumer);
struct hstream_reader_options_t * hstream_reader_options_new(void);
struct hstream_reader_options_t * hstream_reader_options_clone(const struct hstream_reader_options_t *reader_options);
void hstream_reader_options_free(struct hstream_reader_options_t * reader_options);
hstream_code_t hstream_reader_options_set_from(struct hstream_reader_options_t *reader_options, const struct hstream_offset_t *where);
hstream_code_t hstream_reader_options_set_position(struct hstream_reader_options_t *reader_options, const char *position, struct hstream_error_t ** err);
hstream_code_t hstream_reader_options_set_until(struct hstream_reader_options_t *reader_options, const struct hstream_offset_t *where);
hstream_code_t hstream_reader_options_set_max_batches(struct hstream_reader_options_t *reader_options, uint64_t count);
hstream_code_t hstream_reader_options_set_buffer_bytes(struct hstream_reader_options_t *reader_options, uint64_t bytes);
hstream_code_t hstream_reader_options_set_buffer_records(struct hstream_reader_options_t *reader_options, uint64_t count);
hstream_code_t hstream_reader_options_set_max_batch_bytes(struct hstream_reader_options_t *reader_options, uint64_t bytes);
hstream_code_t hstream_reader_options_set_label(struct hstream_reader_options_t *reader_options, const char *label, struct hstream_error_t ** err);
hstream_code_t hstream_reader_options_set_callback(struct hstream_reader_options_t *reader_options, hstream_batch_fn callback, void * user_data, hstream_release_fn release);
hstream_code_t hstream_reader_options_set_callback_records(struct hstream_reader_options_t *reader_options, uint32_t max_records);
hstream_code_t hstream_reader_options_set_reopen(struct hstream_reader_options_t *reader_options, int64_t first_backoff_ms, int64_t max_backoff_ms);
hstream_code_t hstream_reader_options_set(struct hstream_reader_options_t *reader_options, const char *key, const char *value, struct hstream_error_t ** err);
hstream_code_t hstream_reader_open_shard(struct hstream_client_t *client, const char *stream, uint64_t shard_id, const struct hstream_reader_options_t * reader_options, const struct hstream_call_t * call, struct hstream_reader_t **out, struct hstream_error_t ** err);
hstream_code_t hstream_reader_open_stream(struct hstream_client_t *client, const char *stream, const struct hstream_reader_options_t * reader_options, const struct hstream_call_t * call, struct hstream_reader_t **out, struct hstream_error_t ** err);
hstream_code_t hstream_reader_open_single_shard(struct hstream_client_t *client, const char *stream, const struct hstream_reader_options_t * reader_options, const struct hstream_call_t * call, struct hstream_reader_t **out, struct hstream_error_t ** err);
hstream_code_t hstream_reader_open_key(struct hstream_client_t *client, const char *stream, const void * key, size_t key_len, const struct hstream_reader_options_t * reader_options, const struct hstream_call_t * call, struct hstream_reader_t **out, struct hstream_error_t ** err);
hstream_code_t hstream_reader_start(struct hstream_reader_t *reader, struct hstream_error_t ** err);
hstream_code_t hstream_reader_stop(struct hstream_reader_t *reader, int64_t timeout_ms, const struct hstream_cancel_t * cancel, struct hstream_error_t ** err);
hstream_code_t hstream_reader_read(struct hstream_reader_t *reader, uint32_t max_records, int64_t timeout_ms, const struct hstream_cancel_t * cancel, struct hstream_batch_t **out, struct hstream_error_t ** err);
hstream_code_t hstream_reader_position(struct hstream_reader_t *reader, uint64_t shard_id, struct hstream_record_id_t *value);
hstream_code_t hstream_reader_position_text(struct hstream_reader_t *reader, char **text, size_t * text_len, struct hstream_error_t ** err);
int32_t hstream_reader_event_fd(struct hstream_reader_t *reader);
hstream_code_t hstream_reader_close(struct hstream_reader_t *reader, int64_t timeout_ms, const struct hstream_cancel_t * cancel, struct hstream_error_t ** err);
void hstream_reader_free(struct hstream_reader_t * reader);
void hstream_batch_free(struct hstream_batch_t * batch);
struct hstream_batch_t * hstream_batch_ref(const struct hstream_batch_t *batch);
size_t hstream_batch_count(const struct hstream_batch_t *batch);
const struct hstream_record_t * hstream_batch_at(const struct hstream_batch_t *batch, size_t index);
const struct hstream_record_id_t * hstream_batch_ids(const struct hstream_batch_t *batch);
const int32_t * hstream_batch_kinds(const struct hstream_batch_t *batch);
const int32_t * hstream_batch_codes(const struct hstream_batch_t *batch);
hstream_code_t hstream_batch_payloads(const struct hstream_batch_t *batch, const void *const **pointers, const size_t **lengths);
hstream_code_t hstream_batch_keys(const struct hstream_batch_t *batch, const void *const **pointers, const size_t **lengths);
const int64_t * hstream_batch_publish_times_ms(const struct hstream_batch_t *batch);
