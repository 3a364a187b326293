/* What readers do, against a server in this process: where they begin and end, who reads, and who is called. */

#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define MOST 64

static const char *url;

static hstream_client_t *connected(void)
{
    hstream_client_options_t *options = hstream_client_options_new();
    hstream_client_t *client = NULL;
    OK(hstream_client_options_set_url(options, url, NULL));
    OK(hstream_client_connect(options, NULL, &client, NULL));
    hstream_client_options_free(options);
    return client;
}

static void create(hstream_client_t *client, const char *name, uint32_t shards)
{
    hstream_stream_options_t *options = hstream_stream_options_new();
    OK(hstream_stream_options_set_shard_count(options, shards));
    OK(hstream_client_create_stream(client, name, options, NULL, NULL, NULL));
    hstream_stream_options_free(options);
}

/* Appends the numbers from `first` to before `end`, one by one; those of a key of their own are odd. */
static void fill(hstream_client_t *client, const char *stream, int first, int end, hstream_record_id_t *ids)
{
    for (int i = first; i < end; i++) {
        char text[16];
        int len = snprintf(text, sizeof text, "%d", i);
        OK(hstream_client_append_raw(client, stream, i % 2 ? "odd" : NULL, i % 2 ? 3 : 0, text, (size_t)len, NULL,
                                     ids ? &ids[i] : NULL, NULL));
    }
}

/* Options that end with the latest record. */
static hstream_reader_options_t *until_latest(void)
{
    hstream_reader_options_t *options = hstream_reader_options_new();
    hstream_offset_t latest;
    hstream_offset_latest(&latest);
    OK(hstream_reader_options_set_until(options, &latest));
    return options;
}

/* The numbers of a batch, behind those that are there. */
static size_t numbers_of(const hstream_batch_t *batch, int *numbers, size_t count)
{
    for (size_t i = 0; i < hstream_batch_count(batch) && count < MOST; i++) {
        char text[16] = {0};
        size_t len = 0;
        const void *payload = hstream_record_payload(hstream_batch_at(batch, i), &len);
        if (CHECK(len < sizeof text))
            memcpy(text, payload, len);
        numbers[count++] = atoi(text);
    }
    return count;
}

/* Reads up to so many records, or to the end. */
static size_t take(hstream_reader_t *reader, int *numbers, size_t most)
{
    size_t count = 0;
    while (count < most) {
        hstream_batch_t *batch = NULL;
        hstream_code_t code = hstream_reader_read(reader, (uint32_t)(most - count), LONG_MS, NULL, &batch, NULL);
        if (code == HSTREAM_END)
            break;
        if (!OK(code) || !CHECK(batch != NULL))
            break;
        count = numbers_of(batch, numbers, count);
        hstream_batch_free(batch);
    }
    return count;
}

/* Whether they are these, in order. */
static int are(const int *numbers, size_t count, int first, int end, int step)
{
    for (size_t i = 0; i < count; i++)
        if (numbers[i] != first + (int)i * step)
            return 0;
    return count == (size_t)((end - first + step - 1) / step);
}

/* ---- Begin, end, and what is in between ------------------------------------------------------------------ */

static void each_kind_reads_to_its_end(hstream_client_t *client)
{
    hstream_reader_options_t *options = until_latest();
    hstream_reader_t *reader = NULL;
    hstream_batch_t *batch = (hstream_batch_t *)&failures;
    hstream_error_t *err = NULL;
    int numbers[MOST];
    uint64_t shard = 0;

    create(client, "one", 1);
    create(client, "two", 2);
    fill(client, "one", 0, 12, NULL);
    fill(client, "two", 0, 12, NULL);

    OK(hstream_reader_open_single_shard(client, "one", options, NULL, &reader, NULL));
    fill(client, "one", 12, 14, NULL); /* behind what was the latest */
    CHECK(are(numbers, take(reader, numbers, MOST), 0, 12, 1));
    CODE(HSTREAM_END, hstream_reader_read(reader, 1, 0, NULL, &batch, &err));
    CODE(HSTREAM_END, hstream_reader_read(reader, 1, -1, NULL, &batch, NULL));
    CHECK(batch == (hstream_batch_t *)&failures && hstream_error_code(err) == HSTREAM_END);
    hstream_error_free(err);
    hstream_reader_free(reader);

    OK(hstream_client_shard_for_key(client, "two", "odd", 3, NULL, &shard, NULL));
    OK(hstream_reader_open_shard(client, "two", shard, options, NULL, &reader, NULL));
    size_t of_shard = take(reader, numbers, MOST);
    CHECK(of_shard == 6 || of_shard == 12); /* both keys may have one shard */
    hstream_reader_free(reader);
    OK(hstream_reader_open_stream(client, "two", options, NULL, &reader, NULL));
    CHECK(take(reader, numbers, MOST) == 12);
    hstream_reader_free(reader);
    OK(hstream_reader_open_key(client, "two", "odd", HSTREAM_NTS, NULL, NULL, &reader, NULL));
    CHECK(are(numbers, take(reader, numbers, MOST), 1, 12, 2));
    hstream_reader_free(reader);
    OK(hstream_reader_open_key(client, "two", NULL, 0, options, NULL, &reader, NULL));
    CHECK(are(numbers, take(reader, numbers, MOST), 0, 12, 2));
    hstream_reader_free(reader);
    hstream_reader_free(reader); /* ignored */
    hstream_reader_options_free(options);
}

static void a_reader_without_end_goes_on(hstream_client_t *client)
{
    hstream_reader_options_t *options = hstream_reader_options_new();
    hstream_reader_t *reader = NULL;
    hstream_batch_t *batch = (hstream_batch_t *)&failures;
    hstream_offset_t latest;
    int numbers[MOST];

    hstream_offset_latest(&latest);
    OK(hstream_reader_options_set_from(options, &latest));
    OK(hstream_reader_options_set_label(options, "the tail", NULL));
    OK(hstream_reader_open_stream(client, "one", options, NULL, &reader, NULL));
    hstream_reader_options_free(options);
    OK(hstream_reader_read(reader, 1, 20, NULL, &batch, NULL));
    CHECK(batch == NULL); /* nothing came, which is no error */
    fill(client, "one", 14, 17, NULL);
    CHECK(are(numbers, take(reader, numbers, 3), 14, 17, 1));
    hstream_reader_free(reader);
}

static void options_say_where_and_how_much(hstream_client_t *client)
{
    hstream_reader_options_t *options = hstream_reader_options_new(), *copy;
    hstream_reader_t *reader = NULL;
    hstream_record_id_t ids[10], last;
    hstream_offset_t where;
    int numbers[MOST];

    create(client, "bounded", 1);
    fill(client, "bounded", 0, 10, ids);
    hstream_offset_at_record(&ids[2], &where);
    OK(hstream_reader_options_set_from(options, &where));
    copy = hstream_reader_options_clone(options);
    hstream_offset_at_record(&ids[6], &where);
    OK(hstream_reader_options_set_until(options, &where));
    OK(hstream_reader_options_set_buffer_bytes(options, 1)); /* a message may go over it */
    OK(hstream_reader_options_set_buffer_records(options, 1));
    OK(hstream_reader_options_set_max_batch_bytes(options, 1 << 20));
    OK(hstream_reader_options_set_reopen(options, 10, 100));
    OK(hstream_reader_open_single_shard(client, "bounded", options, NULL, &reader, NULL));
    CHECK(are(numbers, take(reader, numbers, MOST), 2, 7, 1));
    OK(hstream_reader_position(reader, ids[0].shard_id, &last));
    CHECK(hstream_record_id_compare(&last, &ids[6]) == 0);
    CODE(HSTREAM_ERR_INVALID_STATE, hstream_reader_position(reader, 7, &last));
    hstream_reader_free(reader);
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_reader_open_stream(client, "bounded", options, NULL, &reader, NULL));

    /* The copy has what was set before. */
    OK(hstream_reader_options_set_max_batches(copy, 3));
    OK(hstream_reader_open_single_shard(client, "bounded", copy, NULL, &reader, NULL));
    CHECK(are(numbers, take(reader, numbers, MOST), 2, 5, 1));
    hstream_reader_free(reader);
    CODE(HSTREAM_ERR_INVALID_ARGUMENT,
         hstream_reader_open_key(client, "bounded", "odd", 3, copy, NULL, &reader, NULL));
    hstream_reader_options_free(copy);

    /* All of it by text. */
    char first[HSTREAM_RECORD_ID_TEXT_SIZE];
    OK(hstream_record_id_format(&ids[4], first, sizeof first, NULL));
    copy = hstream_reader_options_new();
    OK(hstream_reader_options_set(copy, "from", first, NULL));
    OK(hstream_reader_options_set(copy, "until", "latest", NULL));
    OK(hstream_reader_open_single_shard(client, "bounded", copy, NULL, &reader, NULL));
    CHECK(are(numbers, take(reader, numbers, MOST), 4, 10, 1));
    hstream_reader_free(reader);
    hstream_error_t *err = NULL;
    CODE(HSTREAM_ERR_UNKNOWN_OPTION, hstream_reader_options_set(copy, "form", "latest", &err));
    CHECK(strstr(hstream_error_message(err, NULL), "`from`") != NULL);
    hstream_error_free(err);
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_reader_options_set(copy, "from", "soon", NULL));
    hstream_reader_options_free(copy);
    hstream_reader_options_free(options);
}

static void reading_goes_on_behind_a_kept_position(hstream_client_t *client)
{
    hstream_reader_options_t *options = until_latest();
    hstream_reader_t *reader = NULL;
    char *position = NULL;
    size_t len = 7;
    int numbers[MOST];

    OK(hstream_reader_open_single_shard(client, "bounded", options, NULL, &reader, NULL));
    OK(hstream_reader_position_text(reader, &position, &len, NULL));
    CHECK(len == 0 && *position == 0);
    OK(hstream_reader_options_set_position(options, position, NULL)); /* is at the begin */
    hstream_string_free(position);
    CHECK(take(reader, numbers, 4) == 4);
    OK(hstream_reader_position_text(reader, &position, &len, NULL));
    CHECK(len == strlen(position) && len > 0);
    hstream_reader_free(reader);

    OK(hstream_reader_options_set_position(options, position, NULL));
    CODE(HSTREAM_ERR_INVALID_STATE, hstream_reader_open_stream(client, "two", options, NULL, &reader, NULL));
    OK(hstream_reader_open_single_shard(client, "bounded", options, NULL, &reader, NULL));
    CHECK(are(numbers, take(reader, numbers, MOST), 4, 10, 1));
    hstream_string_free(position);
    hstream_reader_free(reader);
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_reader_options_set_position(options, "1-2", NULL));
    hstream_reader_options_free(options);
}

static void what_is_not_there_is_told(hstream_client_t *client)
{
    hstream_reader_t *reader = (hstream_reader_t *)&failures;
    hstream_call_t *call = hstream_call_new();
    hstream_cancel_t *cancel = NULL;

    CODE(HSTREAM_ERR_STREAM_NOT_FOUND, hstream_reader_open_stream(client, "nothing", NULL, NULL, &reader, NULL));
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_reader_open_shard(client, "two", 7, NULL, NULL, &reader, NULL));
    CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_reader_open_single_shard(client, "two", NULL, NULL, &reader, NULL));
    CODE(HSTREAM_ERR_UTF8, hstream_reader_open_key(client, "two", "\xff", 1, NULL, NULL, &reader, NULL));
    CODE(HSTREAM_ERR_NULL_ARGUMENT, hstream_reader_open_stream(client, "two", NULL, NULL, NULL, NULL));
    OK(hstream_cancel_new(&cancel, NULL));
    hstream_cancel_trigger(cancel);
    OK(hstream_call_set_cancel(call, cancel));
    CODE(HSTREAM_ERR_INTERRUPTED, hstream_reader_open_stream(client, "two", NULL, call, &reader, NULL));
    CHECK(reader == (hstream_reader_t *)&failures); /* left alone */

    /* What is set for the opening alone ends no reads. */
    hstream_cancel_reset(cancel);
    OK(hstream_reader_open_single_shard(client, "one", NULL, call, &reader, NULL));
    hstream_cancel_trigger(cancel);
    int number[1];
    CHECK(take(reader, number, 1) == 1);
    hstream_reader_free(reader);
    hstream_call_free(call);
    hstream_cancel_free(cancel);
}

/* ---- Who reads, and for how long ------------------------------------------------------------------------- */

struct waiting {
    hstream_reader_t *reader;
    hstream_cancel_t *cancel;
    hstream_code_t code;
};

static void *wait_for_records(void *data)
{
    struct waiting *waiting = (struct waiting *)data;
    hstream_batch_t *batch = NULL;
    do { /* the one that looks whether this one reads may have its turn */
        waiting->code = hstream_reader_read(waiting->reader, 1, -1, waiting->cancel, &batch, NULL);
    } while (waiting->code == HSTREAM_ERR_BUSY);
    hstream_batch_free(batch);
    return NULL;
}

static int is_busy(hstream_reader_t *reader)
{
    for (int i = 0; i < 1000; i++) {
        hstream_batch_t *batch = NULL;
        hstream_code_t code = hstream_reader_read(reader, 1, 0, NULL, &batch, NULL);
        if (code == HSTREAM_ERR_BUSY)
            return 1;
        nap(5);
    }
    return 0;
}

static void one_thread_reads_and_others_end_it(hstream_client_t *client)
{
    struct waiting waiting = {0};
    pthread_t thread;

    create(client, "empty", 1);
    OK(hstream_cancel_new(&waiting.cancel, NULL));
    OK(hstream_reader_open_stream(client, "empty", NULL, NULL, &waiting.reader, NULL));
    CODE(HSTREAM_ERR_INVALID_STATE, hstream_reader_start(waiting.reader, NULL));
    CODE(HSTREAM_ERR_INVALID_STATE, hstream_reader_stop(waiting.reader, 0, NULL, NULL));
    CHECK(pthread_create(&thread, NULL, wait_for_records, &waiting) == 0);
    CHECK(is_busy(waiting.reader));
    hstream_cancel_trigger(waiting.cancel);
    CHECK(pthread_join(thread, NULL) == 0);
    CODE(HSTREAM_ERR_INTERRUPTED, waiting.code);

    hstream_cancel_reset(waiting.cancel);
    CHECK(pthread_create(&thread, NULL, wait_for_records, &waiting) == 0);
    CHECK(is_busy(waiting.reader));
    OK(hstream_reader_close(waiting.reader, 0, NULL, NULL));
    CHECK(pthread_join(thread, NULL) == 0);
    CODE(HSTREAM_ERR_CLOSED, waiting.code);
    OK(hstream_reader_close(waiting.reader, 0, NULL, NULL));
    wait_for_records(&waiting);
    CODE(HSTREAM_ERR_CLOSED, waiting.code);
    hstream_reader_free(waiting.reader);

    /* A free ends the reads that are inside. */
    OK(hstream_reader_open_stream(client, "empty", NULL, NULL, &waiting.reader, NULL));
    CHECK(pthread_create(&thread, NULL, wait_for_records, &waiting) == 0);
    CHECK(is_busy(waiting.reader));
    hstream_reader_free(waiting.reader);
    CHECK(pthread_join(thread, NULL) == 0);
    CODE(HSTREAM_ERR_CLOSED, waiting.code);
    hstream_cancel_free(waiting.cancel);
}

static void readers_go_on_without_their_client_and_end_when_it_is_closed(void)
{
    hstream_client_t *client = connected(), *closed = connected();
    hstream_reader_t *reader = NULL, *ended = NULL;
    hstream_batch_t *batch = NULL;
    int number[1];

    OK(hstream_reader_open_stream(client, "one", NULL, NULL, &reader, NULL));
    OK(hstream_reader_open_stream(closed, "one", NULL, NULL, &ended, NULL));
    hstream_client_free(client);
    CHECK(take(reader, number, 1) == 1);
    OK(hstream_client_close(closed, LONG_MS, NULL, NULL));
    CODE(HSTREAM_ERR_CLOSED, hstream_reader_read(ended, 1, -1, NULL, &batch, NULL));
    hstream_client_free(closed);
    hstream_reader_free(ended);
    hstream_reader_free(reader);
}

/* ---- With a callback --------------------------------------------------------------------------------------- */

struct called {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    hstream_reader_t *reader;
    int numbers[MOST];
    size_t count, largest, last_calls, failed_ends, released;
    hstream_code_t close, stop;
    int32_t returns;
    int held, inside, free_reader;
};

static struct called *called_new(void)
{
    struct called *called = (struct called *)calloc(1, sizeof *called);
    pthread_mutex_init(&called->lock, NULL);
    pthread_cond_init(&called->changed, NULL);
    return called;
}

static void called_free(struct called *called)
{
    CHECK(called->released == 1);
    pthread_cond_destroy(&called->changed);
    pthread_mutex_destroy(&called->lock);
    free(called);
}

static void release(void *user_data)
{
    struct called *called = (struct called *)user_data;
    pthread_mutex_lock(&called->lock);
    called->released++;
    pthread_cond_broadcast(&called->changed);
    pthread_mutex_unlock(&called->lock);
}

static int32_t on_batch(const hstream_batch_t *batch, const hstream_error_t *error, void *user_data)
{
    struct called *called = (struct called *)user_data;
    pthread_mutex_lock(&called->lock);
    if (!batch) {
        called->last_calls++;
        called->failed_ends += error != NULL;
        pthread_cond_broadcast(&called->changed);
        pthread_mutex_unlock(&called->lock);
        return 12345;
    }
    size_t count = hstream_batch_count(batch);
    called->largest = count > called->largest ? count : called->largest;
    called->count = numbers_of(batch, called->numbers, called->count);
    called->inside = 1;
    pthread_cond_broadcast(&called->changed);
    while (called->held)
        pthread_cond_wait(&called->changed, &called->lock);
    called->inside = 0;
    hstream_reader_t *reader = called->reader;
    int32_t returns = called->returns;
    pthread_mutex_unlock(&called->lock);

    called->close = hstream_reader_close(reader, -1, NULL, NULL);
    if (returns == HSTREAM_KEEP)
        called->stop = hstream_reader_stop(reader, -1, NULL, NULL);
    if (called->free_reader)
        hstream_reader_free(reader);
    return returns;
}

/* A field of it, seen under the lock. */
static size_t seen(struct called *called, const size_t *field)
{
    pthread_mutex_lock(&called->lock);
    size_t value = *field;
    pthread_mutex_unlock(&called->lock);
    return value;
}

/* Waits until a field has grown to so much at least. */
static int reaches(struct called *called, const size_t *field, size_t value)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += LONG_MS / 1000;
    pthread_mutex_lock(&called->lock);
    int late = 0;
    while (*field < value && !late)
        late = pthread_cond_timedwait(&called->changed, &called->lock, &end);
    size_t reached = *field;
    pthread_mutex_unlock(&called->lock);
    return reached >= value;
}

static void hold(struct called *called, int held)
{
    pthread_mutex_lock(&called->lock);
    called->held = held;
    pthread_cond_broadcast(&called->changed);
    pthread_mutex_unlock(&called->lock);
}

static hstream_reader_t *called_reader(hstream_client_t *client, const char *stream,
                                       hstream_reader_options_t *options, struct called *called)
{
    OK(hstream_reader_options_set_callback(options, on_batch, called, release));
    OK(hstream_reader_options_set_callback_records(options, 4));
    OK(hstream_reader_open_single_shard(client, stream, options, NULL, &called->reader, NULL));
    hstream_reader_options_free(options);
    return called->reader;
}

static void a_callback_gets_all_to_the_end(hstream_client_t *client)
{
    struct called *called = called_new();
    hstream_reader_t *reader = called_reader(client, "bounded", until_latest(), called);
    hstream_batch_t *batch = NULL;

    CODE(HSTREAM_ERR_INVALID_STATE, hstream_reader_read(reader, 1, 0, NULL, &batch, NULL));
    OK(hstream_reader_stop(reader, 0, NULL, NULL)); /* it has not begun */
    CHECK(seen(called, &called->last_calls) == 0);
    OK(hstream_reader_start(reader, NULL));
    CHECK(reaches(called, &called->last_calls, 1));
    CHECK(are(called->numbers, called->count, 0, 10, 1) && called->largest <= 4 && called->failed_ends == 0);
    CODE(HSTREAM_ERR_WOULD_DEADLOCK, called->close);
    CHECK(seen(called, &called->released) == 0);
    hstream_reader_free(reader);
    CHECK(called->last_calls == 1);
    called_free(called);
}

/* Once by what the callback returns, once by a stop in it, once from here. */
static void a_stopped_reader_goes_on_behind_what_was_delivered(hstream_client_t *client)
{
    struct called *called = called_new();
    hstream_reader_t *reader = called_reader(client, "bounded", hstream_reader_options_new(), called);

    called->returns = HSTREAM_STOP;
    OK(hstream_reader_start(reader, NULL));
    CHECK(reaches(called, &called->last_calls, 1));
    OK(hstream_reader_stop(reader, LONG_MS, NULL, NULL));
    size_t first = called->count;
    CHECK(first >= 1 && first <= 4);
    called->returns = HSTREAM_KEEP;
    OK(hstream_reader_start(reader, NULL));
    CHECK(reaches(called, &called->last_calls, 2));
    OK(hstream_reader_stop(reader, LONG_MS, NULL, NULL));
    OK(called->stop);
    CHECK(called->count > first && called->count <= first + 4 && called->count < 10);

    called->returns = HSTREAM_PROCESSED;
    hold(called, 1);
    size_t second = called->count;
    OK(hstream_reader_start(reader, NULL));
    CHECK(reaches(called, &called->count, second + 1));
    CODE(HSTREAM_ERR_INVALID_STATE, hstream_reader_start(reader, NULL));
    CODE(HSTREAM_ERR_TIMEOUT, hstream_reader_stop(reader, 20, NULL, NULL));
    hold(called, 0);
    OK(hstream_reader_stop(reader, LONG_MS, NULL, NULL));
    OK(hstream_reader_stop(reader, 0, NULL, NULL));
    CHECK(called->last_calls == 3);
    size_t third = called->count;
    fill(client, "bounded", 10, 12, NULL);
    CHECK(seen(called, &called->count) == third);

    OK(hstream_reader_start(reader, NULL));
    CHECK(reaches(called, &called->count, 12));
    OK(hstream_reader_close(reader, 0, NULL, NULL));
    CHECK(are(called->numbers, called->count, 0, 12, 1) && called->last_calls == 4 && called->failed_ends == 0);
    CODE(HSTREAM_ERR_CLOSED, hstream_reader_start(reader, NULL));
    hstream_reader_free(reader);
    called_free(called);
}

static void *trigger_soon(void *data)
{
    nap(20);
    hstream_cancel_trigger((hstream_cancel_t *)data);
    return NULL;
}

static void close_and_free_wait_for_the_callback(hstream_client_t *client)
{
    struct called *called = called_new();
    hstream_reader_t *reader = called_reader(client, "bounded", hstream_reader_options_new(), called);
    hstream_cancel_t *cancel = NULL;
    pthread_t thread;

    hold(called, 1);
    OK(hstream_reader_start(reader, NULL));
    CHECK(reaches(called, &called->count, 1));
    OK(hstream_cancel_new(&cancel, NULL));
    CHECK(pthread_create(&thread, NULL, trigger_soon, cancel) == 0);
    CODE(HSTREAM_ERR_INTERRUPTED, hstream_reader_close(reader, 0, cancel, NULL));
    CHECK(pthread_join(thread, NULL) == 0);
    hstream_cancel_free(cancel);
    CHECK(seen(called, &called->last_calls) == 0);
    hold(called, 0);
    OK(hstream_reader_close(reader, 0, NULL, NULL));
    CHECK(called->last_calls == 1 && !called->inside);
    hstream_reader_free(reader);
    called_free(called);

    called = called_new();
    reader = called_reader(client, "bounded", hstream_reader_options_new(), called);
    OK(hstream_reader_start(reader, NULL));
    hstream_reader_free(reader);
    CHECK(called->last_calls == 1 && called->released == 1);
    called_free(called);
}

static void a_free_in_the_callback_is_deferred(hstream_client_t *client)
{
    struct called *called = called_new();

    called->free_reader = 1;
    OK(hstream_reader_start(called_reader(client, "bounded", hstream_reader_options_new(), called), NULL));
    CHECK(reaches(called, &called->released, 1));
    CHECK(called->last_calls == 1 && called->failed_ends == 0 && called->count <= 4);
    called_free(called);
}

static void a_failed_reader_tells_its_callback_why(hstream_client_t *client)
{
    struct called *called = called_new();
    hstream_reader_t *reader;
    hstream_error_t *err = NULL;

    create(client, "doomed", 1);
    reader = called_reader(client, "doomed", hstream_reader_options_new(), called);
    OK(hstream_reader_start(reader, NULL));
    fill(client, "doomed", 0, 1, NULL);
    CHECK(reaches(called, &called->count, 1));
    OK(hstream_client_delete_stream(client, "doomed", 0, NULL, NULL));
    CHECK(reaches(called, &called->failed_ends, 1) && called->last_calls == 1);
    OK(hstream_reader_stop(reader, LONG_MS, NULL, NULL));
    CHECK(hstream_reader_start(reader, &err) != HSTREAM_OK && err != NULL);
    hstream_error_free(err);
    hstream_reader_free(reader);
    called_free(called);
}

static void options_share_user_data_until_the_last_of_them_goes(void)
{
    struct called *called = called_new();
    hstream_reader_options_t *options = hstream_reader_options_new(), *copy;

    CODE(HSTREAM_ERR_NULL_ARGUMENT, hstream_reader_options_set_callback(NULL, on_batch, called, release));
    OK(hstream_reader_options_set_callback(options, on_batch, called, release));
    copy = hstream_reader_options_clone(options);
    hstream_reader_options_free(options);
    CHECK(called->released == 0);
    OK(hstream_reader_options_set_callback(copy, NULL, NULL, NULL));
    called_free(called);
    hstream_reader_options_free(copy);
}

int main(void)
{
    hstream_dev_server_t *server = NULL;
    if (!OK(hstream_dev_server_start(1, &server, NULL)))
        return 1;
    url = hstream_dev_server_url(server, NULL);
    hstream_client_t *client = connected();
    uint64_t before = hstream_live_handles();

    each_kind_reads_to_its_end(client);
    a_reader_without_end_goes_on(client);
    options_say_where_and_how_much(client);
    reading_goes_on_behind_a_kept_position(client);
    what_is_not_there_is_told(client);
    one_thread_reads_and_others_end_it(client);
    readers_go_on_without_their_client_and_end_when_it_is_closed();
    a_callback_gets_all_to_the_end(client);
    a_stopped_reader_goes_on_behind_what_was_delivered(client);
    close_and_free_wait_for_the_callback(client);
    a_free_in_the_callback_is_deferred(client);
    a_failed_reader_tells_its_callback_why(client);
    options_share_user_data_until_the_last_of_them_goes();

    CHECK(hstream_live_handles() == before);
    hstream_client_free(client);
    hstream_dev_server_free(server);
    CHECK(hstream_live_handles() == 0);
    return failures != 0;
}
