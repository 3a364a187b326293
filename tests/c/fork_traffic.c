/* Forks while records are on their way in and out: each child uses what it has inherited, frees it and makes its own;
 * the parent goes on as if nothing had happened. The argument is the number of forks, 50 without one. */

#define _POSIX_C_SOURCE 200809L

#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

#define STREAM "traffic"

static const char *url;

static struct {
    hstream_client_t *client;
    hstream_producer_t *producer;
    hstream_appender_t *appender;
    hstream_consumer_t *consumer;
    hstream_reader_t *reader;
    hstream_cancel_t *cancel;
    hstream_dev_server_t *server;
} it;

static struct counter reported = COUNTER, failed = COUNTER, received = COUNTER, stop = COUNTER;

static void on_delivery(const hstream_deliveries_t *deliveries, void *user_data)
{
    (void)user_data;
    for (size_t i = 0; i < hstream_deliveries_count(deliveries); i++)
        add(hstream_deliveries_code(deliveries, i) == HSTREAM_OK ? &reported : &failed, 1);
}

static int32_t on_batch(const hstream_batch_t *batch, const hstream_error_t *error, void *user_data)
{
    (void)user_data;
    CHECK(error == NULL);
    add(&received, hstream_batch_count(batch));
    return HSTREAM_PROCESSED;
}

static void open_all(void)
{
    hstream_producer_options_t *producing = hstream_producer_options_new();
    hstream_consumer_options_t *consuming = hstream_consumer_options_new();

    OK(hstream_producer_options_set_delivery_callback(producing, on_delivery, NULL, NULL));
    OK(hstream_producer_options_set_buffer_records(producing, 1000));
    OK(hstream_producer_new(it.client, producing, &it.producer, NULL));
    OK(hstream_producer_open(it.producer, STREAM, NULL, &it.appender, NULL));
    OK(hstream_consumer_options_set_callback(consuming, on_batch, NULL, NULL));
    OK(hstream_consumer_options_set_auto_ack(consuming, 1));
    OK(hstream_consumer_new(it.client, STREAM, consuming, NULL, &it.consumer, NULL));
    OK(hstream_consumer_start(it.consumer, NULL));
    OK(hstream_reader_open_stream(it.client, STREAM, NULL, NULL, &it.reader, NULL));
    OK(hstream_cancel_new(&it.cancel, NULL));
    hstream_producer_options_free(producing);
    hstream_consumer_options_free(consuming);
}

static void free_all(void)
{
    hstream_cancel_free(it.cancel);
    hstream_reader_free(it.reader);
    hstream_consumer_free(it.consumer);
    hstream_appender_free(it.appender);
    hstream_producer_free(it.producer);
    hstream_client_free(it.client);
}

static void *append_on_and_on(void *data)
{
    struct counter *accepted = (struct counter *)data;
    while (value_of(&stop) == 0) {
        if (!OK(hstream_appender_append_raw(it.appender, NULL, 0, "parent", 6, 0, LONG_MS, NULL, NULL)))
            break;
        add(accepted, 1);
    }
    return NULL;
}

/* Everything says so at once, whatever the parent's threads were doing when it was forked. */
static void inherited_handles_answer_forked(void)
{
    hstream_batch_t *batch = NULL;
    hstream_error_t *err = NULL;

    CODE(HSTREAM_ERR_FORKED, hstream_client_refresh(it.client, NULL, &err));
    CHECK(hstream_error_code(err) == HSTREAM_ERR_FORKED);
    hstream_error_free(err);
    CODE(HSTREAM_ERR_FORKED, hstream_appender_append_raw(it.appender, NULL, 0, "x", 1, 0, -1, NULL, NULL));
    CODE(HSTREAM_ERR_FORKED, hstream_producer_flush(it.producer, -1, NULL, NULL, NULL, NULL, NULL));
    CODE(HSTREAM_ERR_FORKED, hstream_consumer_stop(it.consumer, -1, NULL, NULL));
    CODE(HSTREAM_ERR_FORKED, hstream_reader_read(it.reader, 1, -1, NULL, &batch, NULL));
    CODE(HSTREAM_ERR_FORKED, hstream_client_close(it.client, -1, NULL, NULL));
    hstream_cancel_trigger(it.cancel);
    free_all();
    CHECK(hstream_live_handles() == 0);
    CHECK(thread_count() <= 1);
}

static void makes_its_own(void)
{
    hstream_client_t *own = client_at(url);
    hstream_producer_t *producer = NULL;
    hstream_appender_t *appender = NULL;
    hstream_record_t *record = NULL;
    hstream_record_id_t id = {0};

    OK(hstream_producer_new(own, NULL, &producer, NULL));
    OK(hstream_producer_open(producer, STREAM, NULL, &appender, NULL));
    OK(hstream_record_new_raw("child", 5, NULL, 0, &record, NULL));
    OK(hstream_appender_append_wait(appender, record, LONG_MS, NULL, &id, NULL));
    CHECK(id.shard_id != 0);
    hstream_record_free(record);
    OK(hstream_producer_close(producer, LONG_MS, NULL, NULL, NULL, NULL, NULL));
    hstream_appender_free(appender);
    hstream_producer_free(producer);
    hstream_client_free(own);
    CHECK(hstream_live_handles() == 0);
    CHECK(thread_count() <= 1);
}

static void fork_once(void)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        /* A child that waits for ever is one that has failed. */
        alarm(60);
        failures = 0;
        inherited_handles_answer_forked();
        makes_its_own();
        _exit(failures != 0);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(int argc, char **argv)
{
    size_t forks = argc > 1 ? strtoull(argv[1], NULL, 10) : 50;
    struct counter accepted = COUNTER;
    pthread_t threads[2];

    if (!OK(hstream_dev_server_start(1, &it.server, NULL)))
        return 1;
    url = hstream_dev_server_url(it.server, NULL);
    it.client = client_at(url);
    make_stream(it.client, STREAM);
    open_all();
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&threads[i], NULL, append_on_and_on, &accepted) == 0);
    for (size_t i = 0; i < forks; i++) {
        size_t before = value_of(&reported);
        fork_once();
        UNTIL(value_of(&reported) > before);
    }
    add(&stop, 1);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    OK(hstream_producer_close(it.producer, LONG_MS, NULL, NULL, NULL, NULL, NULL));
    CHECK(value_of(&reported) == value_of(&accepted) && value_of(&failed) == 0);
    /* What the children wrote is there as well. */
    UNTIL(value_of(&received) == value_of(&accepted) + forks);
    CHECK(!hstream_cancel_is_triggered(it.cancel));
    free_all();
    hstream_dev_server_free(it.server);
    CHECK(hstream_live_handles() == 0);
    return failures != 0;
}
