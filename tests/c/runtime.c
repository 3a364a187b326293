/* Options of the process's threads, which must be set before anything runs. */

#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "hstreamdb.h"

#define LONG_MS 30000

static int failures;

#define CHECK(condition) check(!!(condition), #condition, __LINE__)
#define OK(call) CHECK((call) == HSTREAM_OK)

static int check(int good, const char *what, int line)
{
    if (!good) {
        fprintf(stderr, "line %d: %s\n", line, what);
        failures++;
    }
    return good;
}

static struct {
    pthread_mutex_t lock;
    int starts, ends, named, io, callback, log, released;
} seen = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void on_thread(int32_t starts, const char *name, void *user_data)
{
    CHECK(user_data == &seen);
    pthread_mutex_lock(&seen.lock);
    if (starts) {
        seen.starts++;
        seen.named += strncmp(name, "app-", 4) == 0;
        seen.io += strncmp(name, "app-io-", 7) == 0;
        seen.callback += strncmp(name, "app-cb-", 7) == 0;
        seen.log += strcmp(name, "app-log") == 0;
    } else {
        seen.ends++;
    }
    pthread_mutex_unlock(&seen.lock);
}

static void on_release(void *user_data)
{
    CHECK(user_data == &seen);
    seen.released++;
}

static void on_delivery(const hstream_deliveries_t *deliveries, void *user_data)
{
    (void)user_data;
    CHECK(hstream_deliveries_count(deliveries) == 1);
}

static void on_line(int32_t level, int64_t time_ms, const char *target, const char *message, size_t message_len,
                    void *user_data)
{
    (void)level, (void)time_ms, (void)target, (void)message, (void)message_len, (void)user_data;
}

static void use(const char *url, const char *stream)
{
    hstream_client_options_t *options = hstream_client_options_new();
    hstream_producer_options_t *reports = hstream_producer_options_new();
    hstream_client_t *client = NULL;
    hstream_producer_t *producer = NULL;
    hstream_appender_t *appender = NULL;

    OK(hstream_log_set_callback(HSTREAM_LOG_TRACE, on_line, NULL, NULL, NULL));
    OK(hstream_client_options_set_url(options, url, NULL));
    OK(hstream_client_connect(options, NULL, &client, NULL));
    hstream_client_options_free(options);
    CHECK(hstream_init(NULL, NULL) == HSTREAM_ERR_INVALID_STATE);
    OK(hstream_client_create_stream(client, stream, NULL, NULL, NULL, NULL));
    OK(hstream_producer_options_set_delivery_callback(reports, on_delivery, NULL, NULL));
    OK(hstream_producer_new(client, reports, &producer, NULL));
    hstream_producer_options_free(reports);
    OK(hstream_producer_open(producer, stream, NULL, &appender, NULL));
    OK(hstream_appender_append_raw(appender, NULL, 0, "x", 1, 0, -1, NULL, NULL));
    OK(hstream_producer_close(producer, LONG_MS, NULL, NULL, NULL, NULL, NULL));
    OK(hstream_log_set_callback(HSTREAM_LOG_OFF, NULL, NULL, NULL, NULL));
    hstream_appender_free(appender);
    hstream_producer_free(producer);
    OK(hstream_shutdown(LONG_MS, NULL));
    hstream_client_free(client);
}

int main(void)
{
    hstream_dev_server_t *server = NULL;
    hstream_runtime_options_t *options = hstream_runtime_options_new();
    hstream_error_t *err = NULL;

    OK(hstream_runtime_options_set_worker_threads(options, 2));
    OK(hstream_runtime_options_set_compression_threads(options, 2));
    CHECK(hstream_runtime_options_set_compression_threads(options, 5000) == HSTREAM_ERR_INVALID_ARGUMENT);
    CHECK(hstream_runtime_options_set_worker_threads(options, 5000) == HSTREAM_ERR_INVALID_ARGUMENT);
    OK(hstream_runtime_options_set_thread_name(options, "other"));
    CHECK(hstream_runtime_options_set_thread_name(options, "a\nb") == HSTREAM_ERR_INVALID_ARGUMENT);
    OK(hstream_runtime_options_set_stack_size(options, 1 << 20));
    CHECK(hstream_runtime_options_set_stack_size(options, 1) == HSTREAM_ERR_INVALID_ARGUMENT);
    OK(hstream_runtime_options_set(options, "thread.name", "app", NULL));
    CHECK(hstream_runtime_options_set(options, "thread.names", "app", &err) == HSTREAM_ERR_UNKNOWN_OPTION);
    CHECK(strstr(hstream_error_message(err, NULL), "`thread.name`") != NULL);
    hstream_error_free(err);
    OK(hstream_runtime_options_set_thread_hook(options, on_thread, &seen, on_release));
    OK(hstream_init(options, NULL));
    hstream_runtime_options_free(options);

    OK(hstream_dev_server_start(1, &server, NULL));
    for (int round = 0; round < 2; round++) {
        seen.starts = seen.ends = seen.named = seen.io = seen.callback = seen.log = 0;
        use(hstream_dev_server_url(server, NULL), round ? "second" : "first");
        pthread_mutex_lock(&seen.lock);
        CHECK(seen.io >= 2 && seen.callback == 1 && seen.log == 1 && seen.named == seen.starts);
        /* The one that stopped the others has ended as well: it was waited for. */
        CHECK(seen.starts == seen.ends);
        pthread_mutex_unlock(&seen.lock);
    }
    CHECK(seen.released == 0);
    OK(hstream_init(NULL, NULL));
    CHECK(seen.released == 1);
    hstream_dev_server_free(server);
    CHECK(hstream_live_handles() == 0);
    return failures != 0;
}
