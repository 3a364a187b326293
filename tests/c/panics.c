/* Bugs of the library, made on purpose by names that the feature `test-panic` knows: they are codes, what they met is
 * out of use, and all else goes on. */

#define _POSIX_C_SOURCE 200809L

#include "harness.h"

#define IN_CALL "panic-in-call"
#define IN_APPEND "panic-in-append"
#define IN_CALLBACK "panic-in-callback"
#define IN_WORKER "panic-in-worker"

static struct counter reported = COUNTER, ended = COUNTER, told = COUNTER;

static void on_delivery(const hstream_deliveries_t *deliveries, void *user_data)
{
    (void)user_data;
    add(&reported, hstream_deliveries_count(deliveries));
}

static int32_t on_batch(const hstream_batch_t *batch, const hstream_error_t *error, void *user_data)
{
    (void)user_data;
    CHECK(batch == NULL && hstream_error_code(error) == HSTREAM_ERR_PANIC);
    add(&ended, 1);
    return HSTREAM_PROCESSED;
}

static void on_line(int32_t level, int64_t time_ms, const char *target, const char *message, size_t message_len,
                    void *user_data)
{
    (void)time_ms, (void)target, (void)message_len, (void)user_data;
    add(&told, level == HSTREAM_LOG_ERROR && strstr(message, "caught a panic") != NULL);
}

/* ---- In a call --------------------------------------------------------------------------------------------- */

static void a_client_is_out_of_use_after_a_call(const char *url)
{
    hstream_client_t *client = client_at(url);
    hstream_error_t *err = NULL;
    char *text = (char *)&failures;

    OK(hstream_log_set_callback(HSTREAM_LOG_ERROR, on_line, NULL, NULL, NULL));
    CODE(HSTREAM_ERR_PANIC, hstream_client_echo(client, IN_CALL, NULL, &text, NULL, &err));
    CHECK(text == (char *)&failures && hstream_error_code(err) == HSTREAM_ERR_PANIC);
    CHECK(strstr(hstream_error_message(err, NULL), "on purpose") != NULL);
    CHECK(hstream_code_category(HSTREAM_ERR_PANIC) == HSTREAM_CATEGORY_INTERNAL);
    hstream_error_free(err);
    OK(hstream_log_set_callback(HSTREAM_LOG_OFF, NULL, NULL, NULL, NULL));
    CHECK(value_of(&told) == 1);
    CODE(HSTREAM_ERR_PANIC, hstream_client_echo(client, "x", NULL, &text, NULL, NULL));
    CODE(HSTREAM_ERR_PANIC, hstream_client_refresh(client, NULL, &err));
    CHECK(strstr(hstream_error_message(err, NULL), "client") != NULL);
    hstream_error_free(err);
    OK(hstream_client_close(client, LONG_MS, NULL, NULL));
    hstream_client_free(client);
}

/* An append is a call around which less is done than around others. */
static void an_appender_is_out_of_use_and_its_producer_is_not(hstream_client_t *client)
{
    hstream_producer_t *producer = NULL;
    hstream_appender_t *broken = NULL, *whole = NULL;
    hstream_record_t *record = NULL;
    hstream_error_t *err = NULL;

    OK(hstream_record_new_raw("x", 1, NULL, 0, &record, NULL));
    OK(hstream_producer_new(client, NULL, &producer, NULL));
    OK(hstream_producer_open(producer, IN_APPEND, NULL, &broken, NULL));
    OK(hstream_producer_open(producer, IN_APPEND, NULL, &whole, NULL));
    CODE(HSTREAM_ERR_PANIC, hstream_appender_append(broken, record, 0, LONG_MS, NULL, &err));
    CHECK(strstr(hstream_error_message(err, NULL), "on purpose") != NULL);
    hstream_error_free(err);
    CODE(HSTREAM_ERR_PANIC, hstream_appender_append_raw(broken, NULL, 0, "x", 1, 0, LONG_MS, NULL, NULL));
    OK(hstream_appender_append_raw(whole, NULL, 0, "x", 1, 0, LONG_MS, NULL, NULL));
    OK(hstream_producer_close(producer, LONG_MS, NULL, NULL, NULL, NULL, NULL));
    hstream_appender_free(broken);
    hstream_appender_free(whole);
    hstream_producer_free(producer);
    hstream_record_free(record);
}

static void the_others_are_out_of_use_as_well(hstream_client_t *client)
{
    hstream_producer_t *producer = NULL;
    hstream_appender_t *appender = NULL;
    hstream_consumer_t *consumer = NULL;
    hstream_reader_t *reader = NULL;
    hstream_batch_t *batch = NULL;

    make_stream(client, IN_CALL);
    make_stream(client, IN_APPEND);
    append_one(client, IN_CALL);
    OK(hstream_producer_new(client, NULL, &producer, NULL));
    CODE(HSTREAM_ERR_PANIC, hstream_producer_open(producer, IN_CALL, NULL, &appender, NULL));
    CODE(HSTREAM_ERR_PANIC, hstream_producer_open(producer, "well", NULL, &appender, NULL));
    CODE(HSTREAM_ERR_PANIC, hstream_producer_flush(producer, LONG_MS, NULL, NULL, NULL, NULL, NULL));
    OK(hstream_producer_close(producer, LONG_MS, NULL, NULL, NULL, NULL, NULL));
    hstream_producer_free(producer);
    an_appender_is_out_of_use_and_its_producer_is_not(client);
    OK(hstream_consumer_new(client, IN_CALL, NULL, NULL, &consumer, NULL));
    for (int i = 0; i < 2; i++)
        CODE(HSTREAM_ERR_PANIC, hstream_consumer_poll(consumer, 1, LONG_MS, NULL, &batch, NULL));
    OK(hstream_consumer_close(consumer, LONG_MS, NULL, NULL));
    hstream_consumer_free(consumer);
    OK(hstream_reader_open_stream(client, IN_CALL, NULL, NULL, &reader, NULL));
    for (int i = 0; i < 2; i++)
        CODE(HSTREAM_ERR_PANIC, hstream_reader_read(reader, 1, LONG_MS, NULL, &batch, NULL));
    OK(hstream_reader_close(reader, LONG_MS, NULL, NULL));
    hstream_reader_free(reader);
}

/* ---- On a callback thread ---------------------------------------------------------------------------------- */

static void a_producer(hstream_client_t *client, const char *stream, size_t reports)
{
    hstream_producer_options_t *options = hstream_producer_options_new();
    hstream_producer_t *producer = NULL;
    hstream_appender_t *appender = NULL;
    hstream_code_t code = HSTREAM_OK;
    size_t before = value_of(&reported);

    OK(hstream_producer_options_set_delivery_callback(options, on_delivery, NULL, NULL));
    OK(hstream_producer_new(client, options, &producer, NULL));
    hstream_producer_options_free(options);
    OK(hstream_producer_open(producer, stream, NULL, &appender, NULL));
    OK(hstream_appender_append_raw(appender, NULL, 0, "x", 1, 0, LONG_MS, NULL, NULL));
    CODE(HSTREAM_ERR_PANIC, hstream_producer_flush(producer, LONG_MS, NULL, NULL, NULL, NULL, NULL));
    code = hstream_appender_append_raw(appender, NULL, 0, "x", 1, 0, -1, NULL, NULL);
    CODE(HSTREAM_ERR_PANIC, code);
    CHECK(hstream_producer_pending_records(producer) == 0);
    OK(hstream_producer_close(producer, LONG_MS, NULL, NULL, NULL, NULL, NULL));
    hstream_appender_free(appender);
    hstream_producer_free(producer);
    CHECK(value_of(&reported) == before + reports);
}

static void a_consumer_with_a_callback(hstream_client_t *client, const char *stream)
{
    hstream_consumer_options_t *options = hstream_consumer_options_new();
    hstream_consumer_t *consumer = NULL;
    size_t before = value_of(&ended);

    OK(hstream_consumer_options_set_callback(options, on_batch, NULL, NULL));
    OK(hstream_consumer_new(client, stream, options, NULL, &consumer, NULL));
    hstream_consumer_options_free(options);
    CODE(HSTREAM_ERR_PANIC, hstream_consumer_run(consumer, LONG_MS, NULL, NULL));
    CHECK(value_of(&ended) == before + 1 && hstream_consumer_state(consumer) == HSTREAM_STATE_FAILED);
    CODE(HSTREAM_ERR_PANIC, hstream_consumer_start(consumer, NULL));
    OK(hstream_consumer_close(consumer, LONG_MS, NULL, NULL));
    hstream_consumer_free(consumer);
}

static void a_reader_with_a_callback(hstream_client_t *client, const char *stream)
{
    hstream_reader_options_t *options = hstream_reader_options_new();
    hstream_reader_t *reader = NULL;
    size_t before = value_of(&ended);

    OK(hstream_reader_options_set_callback(options, on_batch, NULL, NULL));
    OK(hstream_reader_open_stream(client, stream, options, NULL, &reader, NULL));
    hstream_reader_options_free(options);
    OK(hstream_reader_start(reader, NULL));
    UNTIL(value_of(&ended) == before + 1);
    OK(hstream_reader_stop(reader, LONG_MS, NULL, NULL));
    CODE(HSTREAM_ERR_PANIC, hstream_reader_start(reader, NULL));
    OK(hstream_reader_close(reader, LONG_MS, NULL, NULL));
    hstream_reader_free(reader);
}

/* ---- On an I/O worker ---------------------------------------------------------------------------------------- */

static void what_waits_for_a_worker_is_told(hstream_client_t *client)
{
    hstream_consumer_t *consumer = NULL;
    hstream_reader_t *reader = NULL;
    hstream_batch_t *batch = NULL;

    OK(hstream_consumer_new(client, IN_WORKER, NULL, NULL, &consumer, NULL));
    for (int i = 0; i < 2; i++)
        CODE(HSTREAM_ERR_PANIC, hstream_consumer_poll(consumer, 1, LONG_MS, NULL, &batch, NULL));
    OK(hstream_consumer_close(consumer, LONG_MS, NULL, NULL));
    hstream_consumer_free(consumer);
    OK(hstream_reader_open_stream(client, IN_WORKER, NULL, NULL, &reader, NULL));
    for (int i = 0; i < 2; i++)
        CODE(HSTREAM_ERR_PANIC, hstream_reader_read(reader, 1, LONG_MS, NULL, &batch, NULL));
    OK(hstream_reader_close(reader, LONG_MS, NULL, NULL));
    hstream_reader_free(reader);
}

int main(void)
{
    hstream_dev_server_t *server = NULL;

    if (!OK(hstream_dev_server_start(1, &server, NULL)))
        return 1;
    const char *url = hstream_dev_server_url(server, NULL);
    hstream_client_t *client = client_at(url);
    make_stream(client, "well");
    a_client_is_out_of_use_after_a_call(url);
    the_others_are_out_of_use_as_well(client);
    make_stream(client, IN_CALLBACK);
    append_one(client, IN_CALLBACK);
    a_producer(client, IN_CALLBACK, 0);
    a_consumer_with_a_callback(client, IN_CALLBACK);
    a_reader_with_a_callback(client, IN_CALLBACK);
    make_stream(client, IN_WORKER);
    append_one(client, IN_WORKER);
    a_producer(client, IN_WORKER, 1);
    what_waits_for_a_worker_is_told(client);
    /* The rest of the process has taken no harm. */
    append_one(client, "well");
    OK(hstream_client_refresh(client, NULL, NULL));
    hstream_client_free(client);
    hstream_dev_server_free(server);
    CHECK(hstream_live_handles() == 0);
    return failures != 0;
}
