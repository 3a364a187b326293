/* With an argument not all orders are tried, but each of so many.
 *
 * Who owns what: handles freed twice, in every order, before their children and from their own callbacks; callbacks
 * that run while their handle is closed or freed; the process as it was after all that. */

#define _POSIX_C_SOURCE 200809L

#include "harness.h"

static hstream_dev_server_t *server;
static const char *url;

static void append_some(hstream_client_t *client, const char *stream)
{
    for (int i = 0; i < 10; i++)
        append_one(client, stream);
}

/* ---- What is made and freed -------------------------------------------------------------------------------- */

enum kind { CLIENT, PRODUCER, APPENDER, CONSUMER, READER, CANCEL, KINDS };

struct handles {
    hstream_client_t *client;
    hstream_producer_t *producer;
    hstream_appender_t *appender;
    hstream_consumer_t *consumer;
    hstream_reader_t *reader;
    hstream_cancel_t *cancel;
};

static void open_all(struct handles *it)
{
    it->client = client_at(url);
    OK(hstream_producer_new(it->client, NULL, &it->producer, NULL));
    OK(hstream_producer_open(it->producer, "owned", NULL, &it->appender, NULL));
    OK(hstream_consumer_new(it->client, "owned", NULL, NULL, &it->consumer, NULL));
    OK(hstream_reader_open_stream(it->client, "owned", NULL, NULL, &it->reader, NULL));
    OK(hstream_cancel_new(&it->cancel, NULL));
}

static void free_one(const struct handles *it, int kind)
{
    switch (kind) {
    case CLIENT: hstream_client_free(it->client); break;
    case PRODUCER: hstream_producer_free(it->producer); break;
    case APPENDER: hstream_appender_free(it->appender); break;
    case CONSUMER: hstream_consumer_free(it->consumer); break;
    case READER: hstream_reader_free(it->reader); break;
    default: hstream_cancel_free(it->cancel); break;
    }
}

/* What is left works on, whatever was freed before. */
static void use_what_is_left(const struct handles *it, const int *freed)
{
    hstream_batch_t *batch = NULL;
    if (!freed[APPENDER] && !freed[PRODUCER])
        OK(hstream_appender_append_raw(it->appender, NULL, 0, "x", 1, 0, LONG_MS, NULL, NULL));
    if (!freed[CONSUMER])
        OK(hstream_consumer_poll(it->consumer, 1, 0, NULL, &batch, NULL));
    hstream_batch_free(batch);
    batch = NULL;
    if (!freed[READER])
        OK(hstream_reader_read(it->reader, 1, 0, NULL, &batch, NULL));
    hstream_batch_free(batch);
}

/* The next order of the numbers, or 0 after the last. */
static int next_order(int *order, int count)
{
    int i = count - 2, j = count - 1;
    while (i >= 0 && order[i] > order[i + 1])
        i--;
    if (i < 0)
        return 0;
    while (order[j] < order[i])
        j--;
    int kept = order[i];
    order[i] = order[j], order[j] = kept;
    for (int low = i + 1, high = count - 1; low < high; low++, high--)
        kept = order[low], order[low] = order[high], order[high] = kept;
    return 1;
}

/* Every order, or each of so many. */
static void handles_are_freed_in_every_order(int each)
{
    int order[] = {CLIENT, PRODUCER, APPENDER, CONSUMER, READER};
    for (int number = 0, more = 1; more; number++, more = next_order(order, READER + 1)) {
        struct handles it;
        if (number % each != 0)
            continue;
        int freed[KINDS] = {0};
        open_all(&it);
        free_one(&it, CANCEL);
        for (int i = 0; i < READER + 1; i++) {
            free_one(&it, order[i]);
            freed[order[i]] = 1;
            if (order[i] == CLIENT)
                use_what_is_left(&it, freed);
        }
        CHECK(hstream_live_handles() == 1);
    }
}

static struct counter told = COUNTER;

static void on_line(int32_t level, int64_t time_ms, const char *target, const char *message, size_t message_len,
                    void *user_data)
{
    (void)time_ms, (void)target, (void)message_len, (void)user_data;
    add(&told, level == HSTREAM_LOG_ERROR && strstr(message, "freed twice") != NULL);
}

/* It is ignored, and told. */
static void each_long_lived_handle_is_freed_twice(void)
{
    struct handles it;
    hstream_dev_server_t *other = NULL;

    open_all(&it);
    OK(hstream_dev_server_start(1, &other, NULL));
    OK(hstream_log_set_callback(HSTREAM_LOG_ERROR, on_line, NULL, NULL, NULL));
    for (int kind = 0; kind < KINDS; kind++) {
        free_one(&it, kind);
        free_one(&it, kind);
    }
    hstream_dev_server_free(other);
    hstream_dev_server_free(other);
    OK(hstream_log_set_callback(HSTREAM_LOG_OFF, NULL, NULL, NULL, NULL)); /* all lines are there by now */
    CHECK(value_of(&told) == KINDS + 1);
    CHECK(hstream_live_handles() == 1);
}

/* ---- Callbacks --------------------------------------------------------------------------------------------- */

/* What a callback sees of itself. */
struct watch {
    pthread_mutex_t lock;
    pthread_t thread;
    size_t calls, inside, together, threads, released, after_release;
    /* Freed in the first call. */
    int frees;
    struct handles it;
    /* What calls that would wait for the callback say there. */
    hstream_code_t flush, close;
};

static void watch_new(struct watch *watch)
{
    memset(watch, 0, sizeof *watch);
    pthread_mutex_init(&watch->lock, NULL);
}

static size_t seen(struct watch *watch, const size_t *field)
{
    pthread_mutex_lock(&watch->lock);
    size_t value = *field;
    pthread_mutex_unlock(&watch->lock);
    return value;
}

static size_t begin(struct watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    size_t number = ++watch->calls;
    watch->together += watch->inside++ > 0;
    watch->after_release += watch->released > 0;
    if (number == 1)
        watch->thread = pthread_self();
    watch->threads += !pthread_equal(watch->thread, pthread_self());
    pthread_mutex_unlock(&watch->lock);
    return number;
}

static void end(struct watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    watch->inside--;
    pthread_mutex_unlock(&watch->lock);
}

static void on_release(void *user_data)
{
    struct watch *watch = (struct watch *)user_data;
    pthread_mutex_lock(&watch->lock);
    watch->released++;
    CHECK(watch->inside == 0);
    pthread_mutex_unlock(&watch->lock);
}

static void on_delivery(const hstream_deliveries_t *deliveries, void *user_data)
{
    struct watch *watch = (struct watch *)user_data;
    CHECK(deliveries != NULL);
    if (begin(watch) == 1 && watch->it.producer) {
        watch->flush = hstream_producer_flush(watch->it.producer, -1, NULL, NULL, NULL, NULL, NULL);
        watch->close = hstream_producer_close(watch->it.producer, -1, NULL, NULL, NULL, NULL, NULL);
        if (watch->frees)
            hstream_producer_free(watch->it.producer);
    }
    nap(1);
    end(watch);
}

static int32_t on_consumed(const hstream_batch_t *batch, const hstream_error_t *error, void *user_data)
{
    struct watch *watch = (struct watch *)user_data;
    CHECK(error == NULL);
    if (begin(watch) == 1 && batch && watch->it.consumer) {
        watch->flush = hstream_consumer_run(watch->it.consumer, -1, NULL, NULL);
        watch->close = hstream_consumer_close(watch->it.consumer, -1, NULL, NULL);
        if (watch->frees)
            hstream_consumer_free(watch->it.consumer);
    }
    nap(1);
    end(watch);
    return HSTREAM_KEEP;
}

static int32_t on_read(const hstream_batch_t *batch, const hstream_error_t *error, void *user_data)
{
    struct watch *watch = (struct watch *)user_data;
    CHECK(error == NULL);
    if (begin(watch) == 1 && batch && watch->it.reader) {
        watch->close = hstream_reader_close(watch->it.reader, -1, NULL, NULL);
        if (watch->frees)
            hstream_reader_free(watch->it.reader);
    }
    nap(1);
    end(watch);
    return HSTREAM_PROCESSED;
}

static void on_event(const hstream_event_t *event, void *user_data)
{
    struct watch *watch = (struct watch *)user_data;
    CHECK(event != NULL);
    if (begin(watch) == 1) {
        watch->close = hstream_client_close(watch->it.client, -1, NULL, NULL);
        if (watch->frees)
            hstream_client_free(watch->it.client);
    }
    end(watch);
}

static void open_producer(hstream_client_t *client, struct watch *watch)
{
    hstream_producer_options_t *options = hstream_producer_options_new();
    OK(hstream_producer_options_set_delivery_callback(options, on_delivery, watch, on_release));
    OK(hstream_producer_options_set_batch_records(options, 1));
    OK(hstream_producer_new(client, options, &watch->it.producer, NULL));
    OK(hstream_producer_open(watch->it.producer, "owned", NULL, &watch->it.appender, NULL));
    hstream_producer_options_free(options);
}

static void open_consumer(hstream_client_t *client, struct watch *watch)
{
    hstream_consumer_options_t *options = hstream_consumer_options_new();
    OK(hstream_consumer_options_set_callback(options, on_consumed, watch, on_release));
    OK(hstream_consumer_options_set_callback_records(options, 1));
    OK(hstream_consumer_new(client, "many", options, NULL, &watch->it.consumer, NULL));
    hstream_consumer_options_free(options);
}

static void open_reader(hstream_client_t *client, struct watch *watch)
{
    hstream_reader_options_t *options = hstream_reader_options_new();
    OK(hstream_reader_options_set_callback(options, on_read, watch, on_release));
    OK(hstream_reader_options_set_callback_records(options, 1));
    OK(hstream_reader_open_stream(client, "many", options, NULL, &watch->it.reader, NULL));
    hstream_reader_options_free(options);
}

/* Never two at once, always on one thread, and none after the end. */
static void was_called_as_promised(struct watch *watch)
{
    size_t calls = seen(watch, &watch->calls);
    CHECK(calls > 0 && watch->inside == 0 && watch->together == 0 && watch->threads == 0);
    CHECK(watch->released == 1 && watch->after_release == 0);
    nap(5);
    CHECK(seen(watch, &watch->calls) == calls);
    pthread_mutex_destroy(&watch->lock);
}

/* Closed in one half of the rounds, and freed alone in the other, while the callback has more to come. */
static void no_callback_runs_after_a_close_or_free(hstream_client_t *client)
{
    for (int round = 0; round < 10; round++) {
        int closes = round % 2;
        struct watch producing, consuming, reading;
        watch_new(&producing);
        watch_new(&consuming);
        watch_new(&reading);
        open_producer(client, &producing);
        open_consumer(client, &consuming);
        open_reader(client, &reading);
        /* The callbacks leave their handles alone. */
        hstream_producer_t *producer = producing.it.producer;
        hstream_consumer_t *consumer = consuming.it.consumer;
        hstream_reader_t *reader = reading.it.reader;
        producing.it.producer = NULL;
        consuming.it.consumer = NULL;
        reading.it.reader = NULL;

        OK(hstream_consumer_start(consumer, NULL));
        OK(hstream_reader_start(reader, NULL));
        append_some(client, "many"); /* what those before had does not come again so soon */
        for (int i = 0; i < 20; i++)
            OK(hstream_appender_append_raw(producing.it.appender, NULL, 0, "x", 1, 0, LONG_MS, NULL, NULL));
        UNTIL(seen(&producing, &producing.calls) > 0);
        UNTIL(seen(&consuming, &consuming.calls) > 0);
        UNTIL(seen(&reading, &reading.calls) > 0);
        if (closes) {
            OK(hstream_producer_close(producer, LONG_MS, NULL, NULL, NULL, NULL, NULL));
            OK(hstream_consumer_close(consumer, LONG_MS, NULL, NULL));
            OK(hstream_reader_close(reader, LONG_MS, NULL, NULL));
            CHECK(producing.inside == 0 && consuming.inside == 0 && reading.inside == 0);
        }
        hstream_producer_free(producer);
        CHECK(producing.inside == 0 && producing.calls == 20);
        hstream_appender_free(producing.it.appender);
        hstream_consumer_free(consumer);
        CHECK(consuming.inside == 0);
        hstream_reader_free(reader);
        CHECK(reading.inside == 0);
        was_called_as_promised(&producing);
        was_called_as_promised(&consuming);
        was_called_as_promised(&reading);
    }
}

/* What would wait for the callback says so in it, a free there is deferred, and the release comes after it. */
static void handles_are_freed_from_their_own_callbacks(hstream_client_t *client)
{
    struct watch producing, consuming, reading, watching;
    hstream_client_options_t *options = hstream_client_options_new();

    watch_new(&producing);
    watch_new(&consuming);
    watch_new(&reading);
    watch_new(&watching);
    producing.frees = consuming.frees = reading.frees = watching.frees = 1;
    open_producer(client, &producing);
    open_consumer(client, &consuming);
    open_reader(client, &reading);
    OK(hstream_appender_append_raw(producing.it.appender, NULL, 0, "x", 1, 0, LONG_MS, NULL, NULL));
    append_some(client, "many");
    OK(hstream_consumer_start(consuming.it.consumer, NULL));
    OK(hstream_reader_start(reading.it.reader, NULL));
    /* A node that is not there is an event. */
    OK(hstream_client_options_set_url(options, "hstream://127.0.0.1:1", NULL));
    OK(hstream_client_options_set_lazy_connect(options, 1));
    OK(hstream_client_options_set_request_timeout_ms(options, 300));
    OK(hstream_client_options_set_event_callback(options, on_event, &watching, on_release));
    OK(hstream_client_connect(options, NULL, &watching.it.client, NULL));
    hstream_client_options_free(options);
    CHECK(hstream_client_refresh(watching.it.client, NULL, NULL) != HSTREAM_OK);

    UNTIL(seen(&producing, &producing.released) == 1);
    UNTIL(seen(&consuming, &consuming.released) == 1);
    UNTIL(seen(&reading, &reading.released) == 1);
    UNTIL(seen(&watching, &watching.released) == 1);
    CODE(HSTREAM_ERR_WOULD_DEADLOCK, producing.flush);
    CODE(HSTREAM_ERR_WOULD_DEADLOCK, producing.close);
    CODE(HSTREAM_ERR_WOULD_DEADLOCK, consuming.flush);
    CODE(HSTREAM_ERR_WOULD_DEADLOCK, consuming.close);
    CODE(HSTREAM_ERR_WOULD_DEADLOCK, reading.close);
    CODE(HSTREAM_ERR_WOULD_DEADLOCK, watching.close);
    hstream_appender_free(producing.it.appender);
    was_called_as_promised(&producing);
    was_called_as_promised(&consuming);
    was_called_as_promised(&reading);
    was_called_as_promised(&watching);
}

/* The options of a callback and what was made with them are one unit: the last of them releases. */
static void release_is_called_once_by_the_last(hstream_client_t *client)
{
    struct watch watch;
    hstream_consumer_options_t *options = hstream_consumer_options_new(), *copy;
    hstream_consumer_t *first = NULL, *second = NULL;

    watch_new(&watch);
    OK(hstream_consumer_options_set_callback(options, on_consumed, &watch, on_release));
    copy = hstream_consumer_options_clone(options);
    OK(hstream_consumer_new(client, "many", options, NULL, &first, NULL));
    OK(hstream_consumer_new(client, "owned", copy, NULL, &second, NULL));
    hstream_consumer_options_free(options);
    hstream_consumer_free(first);
    hstream_consumer_options_free(copy);
    CHECK(watch.released == 0);
    hstream_consumer_free(second);
    CHECK(watch.released == 1 && watch.calls == 0);
    pthread_mutex_destroy(&watch.lock);
}

/* ---- The log ------------------------------------------------------------------------------------------------- */

static struct counter stop = COUNTER;

static void *make_lines(void *data)
{
    hstream_cancel_t *freed = (hstream_cancel_t *)data;
    while (value_of(&stop) == 0)
        hstream_cancel_free(freed); /* ignored, and told */
    return NULL;
}

static void on_any_line(int32_t level, int64_t time_ms, const char *target, const char *message, size_t message_len,
                        void *user_data)
{
    struct watch *watch = (struct watch *)user_data;
    (void)level, (void)time_ms, (void)target, (void)message, (void)message_len;
    begin(watch);
    end(watch);
}

static void a_log_callback_is_replaced_and_removed_under_load(void)
{
    hstream_cancel_t *cancel = NULL;
    pthread_t threads[2];
    size_t lines = 0;

    OK(hstream_cancel_new(&cancel, NULL));
    hstream_cancel_free(cancel);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&threads[i], NULL, make_lines, cancel) == 0);
    for (int round = 0; round < 20; round++) {
        struct watch one, other;
        watch_new(&one);
        watch_new(&other);
        OK(hstream_log_set_callback(HSTREAM_LOG_ERROR, on_any_line, &one, on_release, NULL));
        UNTIL(seen(&one, &one.calls) > 0);
        OK(hstream_log_set_callback(HSTREAM_LOG_ERROR, on_any_line, &other, on_release, NULL));
        CHECK(one.inside == 0 && one.released == 1);
        UNTIL(seen(&other, &other.calls) > 0);
        OK(hstream_log_set_callback(HSTREAM_LOG_OFF, NULL, NULL, NULL, NULL));
        CHECK(other.inside == 0 && other.released == 1);
        lines += one.calls + other.calls;
        CHECK(one.after_release == 0 && other.after_release == 0 && one.together == 0 && other.together == 0);
    }
    add(&stop, 1);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(lines >= 40);
}

int main(int argc, char **argv)
{
    int threads = thread_count();

    if (!OK(hstream_dev_server_start(1, &server, NULL)))
        return 1;
    url = hstream_dev_server_url(server, NULL);
    hstream_client_t *client = client_at(url);
    make_stream(client, "owned");
    make_stream(client, "many");
    for (int i = 0; i < 3; i++)
        append_some(client, "many");
    hstream_client_free(client);
    int with_server = thread_count();

    handles_are_freed_in_every_order(argc > 1 ? atoi(argv[1]) : 1);
    CHECK(thread_count() == with_server);
    each_long_lived_handle_is_freed_twice();
    CHECK(thread_count() == with_server);
    client = client_at(url);
    no_callback_runs_after_a_close_or_free(client);
    handles_are_freed_from_their_own_callbacks(client);
    release_is_called_once_by_the_last(client);
    a_log_callback_is_replaced_and_removed_under_load();
    hstream_client_free(client);
    CHECK(hstream_live_handles() == 1);
    UNTIL(thread_count() == with_server);
    hstream_dev_server_free(server);
    CHECK(hstream_live_handles() == 0);
    UNTIL(thread_count() == threads);
    return failures != 0;
}
