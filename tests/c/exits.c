/* Ends the process with everything open: exits.c MODE, where the mode says from where. The exit code is 7, or what
 * went wrong. What is not flushed is lost; nothing hangs and nothing crashes. */

#define _POSIX_C_SOURCE 200809L

#include <unistd.h>

#include "harness.h"

enum { EXIT_CODE = 7 };

static hstream_client_t *client;
static hstream_producer_t *producer;
static hstream_appender_t *appender;
static hstream_consumer_t *consumer, *polled;
static hstream_reader_t *reader;
static hstream_cancel_t *cancel;
static int exits_in_callback;

static void on_delivery(const hstream_deliveries_t *deliveries, void *user_data)
{
    (void)deliveries, (void)user_data;
    if (exits_in_callback)
        exit(failures ? 1 : EXIT_CODE);
}

static int32_t on_batch(const hstream_batch_t *batch, const hstream_error_t *error, void *user_data)
{
    (void)batch, (void)error, (void)user_data;
    return HSTREAM_KEEP;
}

static void on_line(int32_t level, int64_t time_ms, const char *target, const char *message, size_t message_len,
                    void *user_data)
{
    (void)level, (void)time_ms, (void)target, (void)message, (void)message_len, (void)user_data;
}

static void open_all(const char *url)
{
    hstream_producer_options_t *producing = hstream_producer_options_new();
    hstream_consumer_options_t *consuming = hstream_consumer_options_new();

    OK(hstream_log_set_callback(HSTREAM_LOG_TRACE, on_line, NULL, NULL, NULL));
    client = client_at(url);
    make_stream(client, "left-open");
    OK(hstream_client_create_subscription(client, "polled", "left-open", NULL, NULL, NULL, NULL));
    OK(hstream_producer_options_set_delivery_callback(producing, on_delivery, NULL, NULL));
    OK(hstream_producer_options_set_compression(producing, HSTREAM_COMPRESSION_GZIP, HSTREAM_LEVEL_DEFAULT));
    OK(hstream_producer_new(client, producing, &producer, NULL));
    OK(hstream_producer_open(producer, "left-open", NULL, &appender, NULL));
    OK(hstream_consumer_options_set_callback(consuming, on_batch, NULL, NULL));
    OK(hstream_consumer_new(client, "left-open", consuming, NULL, &consumer, NULL));
    OK(hstream_consumer_start(consumer, NULL));
    OK(hstream_consumer_new(client, "polled", NULL, NULL, &polled, NULL));
    OK(hstream_reader_open_stream(client, "left-open", NULL, NULL, &reader, NULL));
    OK(hstream_cancel_new(&cancel, NULL));
    hstream_producer_options_free(producing);
    hstream_consumer_options_free(consuming);
}

/* A thread that is inside when the process ends. */
static void *wait_for_nothing(void *data)
{
    hstream_batch_t *batch = NULL;
    (void)data;
    /* The exit of another thread does not wait for this one, so whatever comes back is fine. */
    (void)!hstream_consumer_poll(polled, 1, -1, NULL, &batch, NULL);
    return NULL;
}

static void *exit_here(void *data)
{
    (void)data;
    exit(failures ? 1 : EXIT_CODE);
}

/* Handlers of an exit may call, as destructors of global objects do: all works as before. */
static void call_at_exit(void)
{
    if (hstream_client_refresh(client, NULL, NULL) != HSTREAM_OK)
        _exit(2);
    if (hstream_appender_append_raw(appender, NULL, 0, "x", 1, 0, LONG_MS, NULL, NULL) != HSTREAM_OK)
        _exit(3);
    if (hstream_producer_close(producer, LONG_MS, NULL, NULL, NULL, NULL, NULL) != HSTREAM_OK)
        _exit(4);
    hstream_client_free(client);
}

static pthread_key_t late;
static int refused;

/* The destructors of a thread's storage run again and again, as long as there is something; from the third time on
 * there is nothing of the library's any more. What could wait is refused then, and what is only read is answered. */
static void call_late(void *data)
{
    int *times = (int *)data;
    hstream_error_t *err = NULL;

    if (++*times < 3) {
        CHECK(pthread_setspecific(late, times) == 0);
        return;
    }
    CODE(HSTREAM_ERR_SHUTTING_DOWN, hstream_client_refresh(client, NULL, &err));
    CHECK(hstream_error_code(err) == HSTREAM_ERR_SHUTTING_DOWN);
    CHECK(strstr(hstream_error_message(err, NULL), "the calling thread is ending") != NULL);
    hstream_error_free(err);
    CHECK(strcmp(hstream_appender_stream_name(appender, NULL), "left-open") == 0);
    refused = 1;
}

static void *call_and_end(void *data)
{
    CHECK(pthread_setspecific(late, data) == 0);
    OK(hstream_client_refresh(client, NULL, NULL));
    return NULL;
}

static void call_in_a_thread_that_ends(void)
{
    int times = 0;
    pthread_t thread;

    CHECK(pthread_key_create(&late, call_late) == 0);
    CHECK(pthread_create(&thread, NULL, call_and_end, &times) == 0);
    CHECK(pthread_join(thread, NULL) == 0 && refused);
    OK(hstream_client_refresh(client, NULL, NULL));
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    hstream_dev_server_t *server = NULL;
    pthread_t waiting, ending;

    /* A process that hangs at its end is one that has failed. */
    alarm(60);
    if (!OK(hstream_dev_server_start(1, &server, NULL)))
        return 1;
    open_all(hstream_dev_server_url(server, NULL));
    CHECK(pthread_create(&waiting, NULL, wait_for_nothing, NULL) == 0);
    exits_in_callback = strcmp(mode, "callback") == 0;
    for (int i = 0; i < 100; i++)
        OK(hstream_appender_append_raw(appender, NULL, 0, "x", 1, 0, LONG_MS, NULL, NULL));
    if (exits_in_callback)
        pause();
    if (strcmp(mode, "thread") == 0) {
        CHECK(pthread_create(&ending, NULL, exit_here, NULL) == 0);
        pause();
    }
    if (strcmp(mode, "handler") == 0)
        CHECK(atexit(call_at_exit) == 0);
    if (strcmp(mode, "storage") == 0)
        call_in_a_thread_that_ends();
    return failures ? 1 : EXIT_CODE;
}
