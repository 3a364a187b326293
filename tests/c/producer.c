/* What producers do with each record, whatever happens: against servers in this process that fail as ordered. */

#define _POSIX_C_SOURCE 200809L

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

/* Waits for what must happen. */
#define UNTIL(condition)                                                                                               \
    do {                                                                                                               \
        for (int waited = 0; waited < LONG_MS && !(condition); waited += 5)                                            \
            nap(5);                                                                                                    \
        CHECK(condition);                                                                                              \
    } while (0)

/* What a server answers to what it will never take. */
#define FOR_GOOD "Append 3 not this one"
/* And when it will later. */
#define FOR_NOW "Append UNAVAILABLE times=always not now"

static hstream_dev_server_t *server;
static hstream_client_t *client;

static hstream_client_t *client_of(hstream_dev_server_t *of)
{
    hstream_client_options_t *options = hstream_client_options_new();
    hstream_client_t *made = NULL;
    OK(hstream_client_options_set_url(options, hstream_dev_server_url(of, NULL), NULL));
    OK(hstream_client_connect(options, NULL, &made, NULL));
    hstream_client_options_free(options);
    return made;
}

/* A new stream; its name is good until the next one. */
static const char *stream_on(hstream_client_t *on, uint32_t shards)
{
    static char name[32];
    static int number;
    hstream_stream_options_t *options = hstream_stream_options_new();
    snprintf(name, sizeof name, "stream-%d", ++number);
    OK(hstream_stream_options_set_shard_count(options, shards));
    OK(hstream_client_create_stream(on, name, options, NULL, NULL, NULL));
    hstream_stream_options_free(options);
    return name;
}

static void order(const char *key, const char *value)
{
    OK(hstream_dev_server_set(server, key, value, NULL));
}

/* ---- Reports ------------------------------------------------------------------------------------------- */

#define MOST 100000

struct reports {
    pthread_mutex_t lock;
    hstream_producer_t *producer;
    hstream_appender_t *appender;
    unsigned char seen[MOST]; /* how often each tag was reported */
    hstream_record_id_t ids[MOST];
    uint64_t shards[16];
    size_t calls, written, failed, aborted, ambiguous, lent, released, shard_count;
    /* For the first calls, instead of the test's own thread. */
    void (*then)(struct reports *, const hstream_deliveries_t *);
    hstream_code_t codes[8];
    int held; /* the callback waits as long as it is */
    int inside;
};

static struct reports *reports_new(void)
{
    struct reports *reports = (struct reports *)calloc(1, sizeof *reports);
    if (reports == NULL)
        abort();
    pthread_mutex_init(&reports->lock, NULL);
    return reports;
}

static void reports_free(struct reports *reports)
{
    pthread_mutex_destroy(&reports->lock);
    free(reports);
}

static void release(void *user_data)
{
    struct reports *reports = (struct reports *)user_data;
    pthread_mutex_lock(&reports->lock);
    reports->released++;
    pthread_mutex_unlock(&reports->lock);
}

static size_t read_size(struct reports *reports, const size_t *field)
{
    pthread_mutex_lock(&reports->lock);
    size_t value = *field;
    pthread_mutex_unlock(&reports->lock);
    return value;
}

static int read_int(struct reports *reports, const int *field)
{
    pthread_mutex_lock(&reports->lock);
    int value = *field;
    pthread_mutex_unlock(&reports->lock);
    return value;
}

static void hold(struct reports *reports, int held)
{
    pthread_mutex_lock(&reports->lock);
    reports->held = held;
    pthread_mutex_unlock(&reports->lock);
}

static void note_shard(struct reports *reports, uint64_t shard)
{
    for (size_t i = 0; i < reports->shard_count; i++)
        if (reports->shards[i] == shard)
            return;
    if (reports->shard_count < 16)
        reports->shards[reports->shard_count++] = shard;
}

static void note(struct reports *reports, const hstream_deliveries_t *deliveries)
{
    pthread_mutex_lock(&reports->lock);
    reports->calls++;
    for (size_t i = 0; i < hstream_deliveries_count(deliveries); i++) {
        uint64_t tag = hstream_deliveries_tag(deliveries, i);
        hstream_code_t code = hstream_deliveries_code(deliveries, i);
        const hstream_error_t *error = hstream_deliveries_error(deliveries, i);
        if (CHECK(tag < MOST))
            reports->seen[tag]++;
        CHECK((error == NULL) == (code == HSTREAM_OK));
        if (code == HSTREAM_OK) {
            reports->written++;
            OK(hstream_deliveries_record_id(deliveries, i, &reports->ids[tag]));
        } else if (hstream_error_is_ambiguous(error)) {
            reports->ambiguous++;
        } else if (code == HSTREAM_ERR_ABORTED) {
            reports->aborted++;
        } else {
            reports->failed++;
        }
        reports->lent += hstream_deliveries_record(deliveries, i) != NULL;
        note_shard(reports, hstream_deliveries_shard_id(deliveries, i));
    }
    pthread_mutex_unlock(&reports->lock);
}

static void on_delivery(const hstream_deliveries_t *deliveries, void *user_data)
{
    struct reports *reports = (struct reports *)user_data;
    pthread_mutex_lock(&reports->lock);
    reports->inside = 1;
    pthread_mutex_unlock(&reports->lock);
    while (read_int(reports, &reports->held))
        nap(1);
    note(reports, deliveries);
    if (reports->then)
        reports->then(reports, deliveries);
    pthread_mutex_lock(&reports->lock);
    reports->inside = 0;
    pthread_mutex_unlock(&reports->lock);
}

/* All of the first tags were reported once, and no other was. */
static int once_each(struct reports *reports, size_t count)
{
    pthread_mutex_lock(&reports->lock);
    size_t all = reports->written + reports->failed + reports->aborted + reports->ambiguous;
    int good = all == count;
    for (size_t tag = 0; tag < count; tag++)
        good = good && reports->seen[tag] == 1;
    pthread_mutex_unlock(&reports->lock);
    return good;
}

/* The first records that were written stand in their shards as they were appended. */
static int in_order(struct reports *reports, size_t count)
{
    hstream_record_id_t last[16] = {{0}};
    int good = 1;
    pthread_mutex_lock(&reports->lock);
    for (size_t tag = 0; tag < count; tag++) {
        const hstream_record_id_t *id = &reports->ids[tag];
        for (size_t i = 0; i < reports->shard_count; i++) {
            if (reports->shards[i] != id->shard_id)
                continue;
            good = good && (last[i].shard_id == 0 || hstream_record_id_compare(&last[i], id) < 0);
            last[i] = *id;
        }
    }
    pthread_mutex_unlock(&reports->lock);
    return good;
}

/* Options with quick retries, whose reports go to the callback if there are some. Batches go by hand. */
static hstream_producer_options_t *options_for(struct reports *reports)
{
    hstream_producer_options_t *options = hstream_producer_options_new();
    OK(hstream_producer_options_set_linger_ms(options, -1));
    OK(hstream_producer_options_set_retry(options, -1, 2, 20));
    if (reports)
        OK(hstream_producer_options_set_delivery_callback(options, on_delivery, reports, release));
    return options;
}

static hstream_producer_t *make(hstream_client_t *on, hstream_producer_options_t *options)
{
    hstream_producer_t *producer = NULL;
    OK(hstream_producer_new(on, options, &producer, NULL));
    hstream_producer_options_free(options);
    return producer;
}

static hstream_appender_t *open_stream(hstream_producer_t *producer, const char *stream)
{
    hstream_appender_t *appender = NULL;
    OK(hstream_producer_open(producer, stream, NULL, &appender, NULL));
    return appender;
}

static hstream_code_t append(hstream_appender_t *appender, uint64_t tag, int64_t timeout_ms)
{
    char key[16];
    int len = snprintf(key, sizeof key, "key-%d", (int)(tag % 7));
    return hstream_appender_append_raw(appender, key, (size_t)len, "payload", 7, tag, timeout_ms, NULL, NULL);
}

static hstream_code_t flush(hstream_producer_t *producer, int64_t timeout_ms)
{
    return hstream_producer_flush(producer, timeout_ms, NULL, NULL, NULL, NULL, NULL);
}

static hstream_code_t end(hstream_producer_t *producer, int64_t timeout_ms)
{
    return hstream_producer_close(producer, timeout_ms, NULL, NULL, NULL, NULL, NULL);
}

/* ---- Each record is reported once ---------------------------------------------------------------------- */

enum ending { FLUSH, CLOSE, FREE };

static void one_report(const char *fault, const char *value, enum ending ending, int64_t timeout_ms)
{
    struct reports *reports = reports_new();
    hstream_producer_options_t *options = options_for(reports);
    OK(hstream_producer_options_set_batch_records(options, 3));
    hstream_producer_t *producer = make(client, options);
    hstream_appender_t *appender = open_stream(producer, stream_on(client, 2));

    if (fault)
        order(fault, value);
    for (uint64_t tag = 0; tag < 20; tag++)
        CHECK(append(appender, tag, LONG_MS) == HSTREAM_OK);
    if (ending == FLUSH)
        OK(flush(producer, timeout_ms));
    if (ending == CLOSE)
        CODE(timeout_ms < LONG_MS ? HSTREAM_ERR_TIMEOUT : HSTREAM_OK, end(producer, timeout_ms));
    if (ending != FREE)
        CHECK(once_each(reports, 20));
    hstream_producer_free(producer);
    CHECK(once_each(reports, 20) && in_order(reports, 20) && reports->released == 1);
    CHECK(fault || ending == FREE || reports->written == 20);
    hstream_appender_free(appender);
    order("clear", "");
    reports_free(reports);
}

static void each_record_is_reported_once(void)
{
    one_report(NULL, NULL, FLUSH, LONG_MS);
    one_report(NULL, NULL, CLOSE, LONG_MS);
    one_report(NULL, NULL, FREE, 0);
    one_report("refuse", FOR_GOOD, FLUSH, LONG_MS);
    one_report("refuse", FOR_GOOD, CLOSE, LONG_MS);
    one_report("refuse", FOR_GOOD, FREE, 0);
    one_report("refuse", FOR_NOW, CLOSE, 50);
    one_report("refuse", FOR_NOW, FREE, 0);
    one_report("refuse", "Append UNAVAILABLE times=3 not now", FLUSH, LONG_MS);
    one_report("refuse_after", "Append UNAVAILABLE times=2 written all the same", FLUSH, LONG_MS);
    one_report("never_answer", "Append times=always", CLOSE, 50);
    one_report("never_answer", "Append times=always", FREE, 0);
    one_report("delay", "Append 30 times=always", FLUSH, LONG_MS);
}

/* The same on a server that is killed while it has the records. */
static void records_on_a_killed_server(void)
{
    hstream_dev_server_t *killed = NULL;
    struct reports *reports = reports_new();
    OK(hstream_dev_server_start(1, &killed, NULL));
    hstream_client_t *on = client_of(killed);
    hstream_producer_t *producer = make(on, options_for(reports));
    hstream_appender_t *appender = open_stream(producer, stream_on(on, 1));

    OK(hstream_dev_server_set(killed, "never_answer", "Append times=always", NULL));
    for (uint64_t tag = 0; tag < 5; tag++)
        OK(append(appender, tag, 0));
    CODE(HSTREAM_ERR_TIMEOUT, flush(producer, 20));
    OK(hstream_dev_server_set(killed, "kill_node", "0", NULL));
    for (uint64_t tag = 5; tag < 9; tag++)
        OK(append(appender, tag, 0));
    CODE(HSTREAM_ERR_TIMEOUT, flush(producer, 50));
    CHECK(hstream_producer_pending_records(producer) == 9 && reports->calls == 0);
    CODE(HSTREAM_ERR_TIMEOUT, end(producer, 50));
    /* What was sent may be written; the rest never went. */
    CHECK(once_each(reports, 9) && reports->ambiguous >= 5 && reports->written == 0);
    CHECK(hstream_producer_pending_records(producer) == 0 && hstream_producer_pending_bytes(producer) == 0);
    CHECK(hstream_producer_event_fd(producer) == -1); /* reports are not polled */
    char *stats = NULL;
    size_t stats_len = 0;
    OK(hstream_producer_stats_json(producer, &stats, &stats_len));
    CHECK(strlen(stats) == stats_len && strstr(stats, "\"pending_records\":0") && strstr(stats, "\"accepted\":"));
    hstream_string_free(stats);
    hstream_producer_free(producer);
    hstream_appender_free(appender);
    hstream_client_free(on);
    hstream_dev_server_free(killed);
    reports_free(reports);
}

/* A time-out of a flush, and an interrupted close, lose nothing. */
static void time_outs_lose_nothing(void)
{
    struct reports *reports = reports_new();
    hstream_producer_t *producer = make(client, options_for(reports));
    hstream_appender_t *appender = open_stream(producer, stream_on(client, 1));
    hstream_cancel_t *cancel = NULL;
    uint64_t written = 7, failed = 7, unknown = 7;

    OK(hstream_cancel_new(&cancel, NULL));
    order("refuse", FOR_NOW);
    for (uint64_t tag = 0; tag < 3; tag++)
        OK(append(appender, tag, 0));
    CODE(HSTREAM_ERR_TIMEOUT, hstream_producer_flush(producer, 50, NULL, &written, &failed, &unknown, NULL));
    CHECK(written == 0 && failed == 0 && unknown == 0 && hstream_producer_pending_records(producer) == 3);
    hstream_cancel_trigger(cancel);
    CODE(HSTREAM_ERR_INTERRUPTED, hstream_producer_flush(producer, -1, cancel, NULL, NULL, NULL, NULL));
    CODE(HSTREAM_ERR_INTERRUPTED, hstream_producer_close(producer, -1, cancel, NULL, NULL, NULL, NULL));
    CODE(HSTREAM_ERR_CLOSED, append(appender, 3, -1));
    CHECK(reports->calls == 0 && hstream_producer_pending_records(producer) == 3);
    order("clear", "");
    OK(hstream_producer_close(producer, LONG_MS, NULL, &written, &failed, &unknown, NULL));
    CHECK(written == 3 && failed == 0 && unknown == 0 && once_each(reports, 3));
    hstream_producer_free(producer);
    hstream_appender_free(appender);
    hstream_cancel_free(cancel);
    reports_free(reports);
}

static void closing_takes_no_more_and_can_be_repeated(void)
{
    struct reports *reports = reports_new();
    hstream_producer_t *producer = make(client, options_for(reports));
    hstream_appender_t *appender = open_stream(producer, stream_on(client, 1)), *other = NULL;
    hstream_record_t *record = NULL;
    size_t accepted = 7, end_of_payload = 1;
    uint64_t written = 7;

    OK(hstream_record_new_raw("x", 1, NULL, 0, &record, NULL));
    const hstream_record_t *records[] = {record};
    OK(append(appender, 0, 0));
    hstream_producer_begin_close(producer); /* sends what is there */
    CODE(HSTREAM_ERR_CLOSED, append(appender, 1, -1));
    CODE(HSTREAM_ERR_CLOSED, hstream_appender_append(appender, record, 1, -1, NULL, NULL));
    CODE(HSTREAM_ERR_CLOSED, hstream_appender_append_wait(appender, record, -1, NULL, NULL, NULL));
    CODE(HSTREAM_ERR_CLOSED, hstream_appender_append_records(appender, records, NULL, 1, -1, NULL, &accepted, NULL));
    CHECK(accepted == 0);
    CODE(HSTREAM_ERR_CLOSED, hstream_appender_append_packed(appender, "x", &end_of_payload, NULL, NULL, NULL, 1, -1, NULL,
                                                            &accepted, NULL));
    CHECK(accepted == 0);
    CODE(HSTREAM_ERR_CLOSED, hstream_producer_open(producer, "stream-1", NULL, &other, NULL));
    UNTIL(read_size(reports, &reports->written) == 1);
    OK(hstream_producer_close(producer, LONG_MS, NULL, &written, NULL, NULL, NULL));
    CHECK(written <= 1 && once_each(reports, 1));
    OK(hstream_producer_close(producer, 0, NULL, &written, NULL, NULL, NULL));
    CHECK(written == 0);
    hstream_producer_begin_close(producer);
    OK(flush(producer, 0));
    hstream_producer_free(producer);
    hstream_appender_free(appender);
    hstream_record_free(record);
    reports_free(reports);
}

/* ---- After a failure ----------------------------------------------------------------------------------- */

/* Appends again what failed, from the callback. */
static void append_again(struct reports *reports, const hstream_deliveries_t *deliveries)
{
    for (size_t i = 0; i < hstream_deliveries_count(deliveries); i++) {
        const hstream_record_t *record = hstream_deliveries_record(deliveries, i);
        if (hstream_deliveries_code(deliveries, i) == HSTREAM_OK)
            continue;
        size_t len = 0;
        int32_t present = 0;
        CHECK(memcmp(hstream_record_payload(record, &len), "payload", 7) == 0 && len == 7);
        CHECK(strcmp(hstream_record_key(record, NULL), "the key") == 0);
        CHECK(strcmp(hstream_record_attribute(record, "colour", &present, NULL), "blue") == 0 && present);
        /* They are reported again, by another tag. */
        OK(hstream_appender_append(reports->appender, record, hstream_deliveries_tag(deliveries, i) + 10, -1, NULL,
                                   NULL));
    }
}

static void what_failed_goes_first_when_it_is_appended_again(void)
{
    struct reports *reports = reports_new();
    hstream_producer_options_t *options = options_for(reports);
    OK(hstream_producer_options_set_batch_records(options, 2));
    hstream_producer_t *producer = make(client, options);
    hstream_appender_t *appender = open_stream(producer, stream_on(client, 1));
    hstream_record_t *record = NULL;

    OK(hstream_record_new_raw("payload", 7, "the key", 7, &record, NULL));
    OK(hstream_record_set_attribute(record, "colour", "blue", HSTREAM_NTS, NULL));
    reports->appender = appender;
    reports->then = append_again;
    /* The first batch waits long enough for all to be behind it; the second fails. */
    order("delay", "Append 100");
    order("refuse", FOR_GOOD);
    for (uint64_t tag = 0; tag < 6; tag++)
        OK(hstream_appender_append(appender, record, tag, -1, NULL, NULL));
    UNTIL(read_size(reports, &reports->failed) == 2);
    /* It may have to wait until the failures have been reported, and comes behind them. */
    OK(hstream_appender_append(appender, record, 6, LONG_MS, NULL, NULL));
    OK(flush(producer, LONG_MS));
    OK(end(producer, LONG_MS));
    CHECK(reports->failed == 2 && reports->aborted == 2 && reports->written == 7 && reports->lent == 4);
    /* Written in the order in which they were appended first. */
    hstream_record_id_t last = {0};
    for (uint64_t tag = 0; tag < 7; tag++) {
        int again = reports->seen[tag + 10];
        CHECK(reports->seen[tag] == 1 && again == (tag >= 2 && tag < 6));
        const hstream_record_id_t *id = &reports->ids[again ? tag + 10 : tag];
        CHECK(id->shard_id != 0 && (tag == 0 || hstream_record_id_compare(&last, id) < 0));
        last = *id;
    }
    hstream_producer_free(producer);
    hstream_appender_free(appender);
    hstream_record_free(record);
    reports_free(reports);
}

static void a_stopped_shard_is_resumed(void)
{
    struct reports *reports = reports_new();
    hstream_producer_options_t *options = options_for(reports);
    OK(hstream_producer_options_set_failure_policy(options, HSTREAM_FAILURE_STOP));
    hstream_producer_t *producer = make(client, options);
    hstream_appender_t *appender = open_stream(producer, stream_on(client, 1));

    for (uint64_t round = 0; round < 2; round++) {
        order("refuse", FOR_GOOD);
        OK(append(appender, round * 2, 0));
        OK(flush(producer, LONG_MS));
        CODE(HSTREAM_ERR_INVALID_STATE, append(appender, 9, -1));
        CODE(HSTREAM_ERR_INVALID_ARGUMENT, hstream_appender_resume(appender, 1, NULL));
        CODE(HSTREAM_ERR_INVALID_STATE, append(appender, 9, -1));
        OK(hstream_appender_resume(appender, round == 0 ? 0 : reports->shards[0], NULL));
        OK(append(appender, round * 2 + 1, 0));
        OK(flush(producer, LONG_MS));
    }
    CHECK(once_each(reports, 4) && reports->failed == 2 && reports->written == 2);
    hstream_producer_free(producer);
    hstream_appender_free(appender);
    reports_free(reports);
}

static void by_another_policy_a_failure_stops_nothing(void)
{
    struct reports *reports = reports_new();
    hstream_producer_options_t *options = options_for(reports);
    OK(hstream_producer_options_set(options, "failure.policy", "continue", NULL));
    OK(hstream_producer_options_set(options, "batch.records", "1", NULL));
    hstream_producer_t *producer = make(client, options);
    hstream_appender_t *appender = open_stream(producer, stream_on(client, 1));
    uint64_t written = 0, failed = 0, unknown = 7;

    order("refuse", FOR_GOOD);
    for (uint64_t tag = 0; tag < 10; tag++)
        OK(append(appender, tag, 0));
    OK(hstream_producer_flush(producer, LONG_MS, NULL, &written, &failed, &unknown, NULL));
    CHECK(once_each(reports, 10) && reports->failed == 1 && reports->written == 9);
    CHECK(written + failed <= 10 && unknown == 0);
    hstream_producer_free(producer);
    hstream_appender_free(appender);
    reports_free(reports);
}

/* How flush and close count: what they waited for. */
static void flush_and_close_count(void)
{
    hstream_producer_options_t *options = options_for(NULL);
    OK(hstream_producer_options_set_retry_ambiguous(options, 0));
    hstream_producer_t *producer = make(client, options);
    hstream_appender_t *appender = open_stream(producer, stream_on(client, 1));
    uint64_t written = 7, failed = 7, unknown = 7;

    for (uint64_t tag = 0; tag < 4; tag++)
        OK(append(appender, tag, 0));
    OK(hstream_appender_flush(appender, LONG_MS, NULL, &written, &failed, &unknown, NULL));
    CHECK(written == 4 && failed == 0 && unknown == 0);
    order("refuse", FOR_GOOD);
    for (uint64_t tag = 0; tag < 3; tag++)
        OK(append(appender, tag, 0));
    OK(hstream_producer_flush(producer, LONG_MS, NULL, &written, &failed, &unknown, NULL));
    CHECK(written == 0 && failed == 3 && unknown == 0);
    order("refuse_after", "Append UNAVAILABLE request or connection timed out");
    OK(append(appender, 0, LONG_MS));
    OK(append(appender, 1, LONG_MS));
    OK(hstream_producer_close(producer, LONG_MS, NULL, &written, &failed, &unknown, NULL));
    CHECK(written + failed + unknown == 2 && failed == 0);
    order("clear", "");
    hstream_producer_free(producer);
    hstream_appender_free(appender);
}

/* ---- Which reports, and what they lend ----------------------------------------------------------------- */

static void failures_alone_are_reported(void)
{
    struct reports *reports = reports_new();
    hstream_producer_options_t *options = options_for(reports);
    OK(hstream_producer_options_set_reports(options, HSTREAM_REPORTS_FAILURES));
    OK(hstream_producer_options_set_report_records(options, HSTREAM_REPORTS_NONE));
    hstream_producer_t *producer = make(client, options);
    hstream_appender_t *appender = open_stream(producer, stream_on(client, 1));
    uint64_t written = 0;

    OK(append(appender, 5, 0));
    OK(hstream_producer_flush(producer, LONG_MS, NULL, &written, NULL, NULL, NULL));
    CHECK(written == 1 && reports->calls == 0 && hstream_producer_pending_records(producer) == 0);
    order("refuse", FOR_GOOD);
    OK(append(appender, 0, 0));
    OK(flush(producer, LONG_MS));
    CHECK(once_each(reports, 1) && reports->failed == 1 && reports->lent == 0);
    hstream_producer_free(producer);
    hstream_appender_free(appender);
    reports_free(reports);
}

static void what_was_written_is_lent_where_that_is_asked_for(void)
{
    struct reports *reports = reports_new();
    hstream_producer_options_t *options = options_for(reports);
    OK(hstream_producer_options_set_report_records(options, HSTREAM_REPORTS_ALL));
    OK(hstream_producer_options_set_in_flight_per_shard(options, 2));
    OK(hstream_producer_options_set_spread_keyless(options, 1));
    OK(hstream_producer_options_set_batch_records(options, 1));
    hstream_producer_t *producer = make(client, options);
    hstream_appender_t *appender = open_stream(producer, stream_on(client, 4));

    for (uint64_t tag = 0; tag < 8; tag++)
        OK(hstream_appender_append_raw(appender, NULL, 0, "x", 1, tag, LONG_MS, NULL, NULL));
    OK(end(producer, LONG_MS));
    CHECK(once_each(reports, 8) && reports->written == 8 && reports->lent == 8);
    CHECK(reports->shard_count == 4); /* without keys, to all in turn */
    hstream_producer_free(producer);
    hstream_appender_free(appender);
    reports_free(reports);
}

/* ---- Polling ------------------------------------------------------------------------------------------- */

/* Takes this many reports. */
static void poll_all(hstream_producer_t *producer, struct reports *reports, size_t count)
{
    for (size_t got = 0; got < count;) {
        hstream_deliveries_t *deliveries = NULL;
        if (!OK(hstream_producer_poll(producer, 2, LONG_MS, NULL, &deliveries, NULL)) || !CHECK(deliveries != NULL))
            return;
        got += hstream_deliveries_count(deliveries);
        note(reports, deliveries);
        hstream_deliveries_free(deliveries);
    }
}

static void polled_reports_bound_what_is_accepted(void)
{
    struct reports *reports = reports_new();
    hstream_producer_options_t *options = options_for(NULL);
    OK(hstream_producer_options_set_report_polling(options, 1));
    OK(hstream_producer_options_set_buffer_records(options, 4));
    hstream_producer_t *producer = make(client, options);
    hstream_appender_t *appender = open_stream(producer, stream_on(client, 1));
    hstream_deliveries_t *deliveries = (hstream_deliveries_t *)&failures;

    for (uint64_t tag = 0; tag < 4; tag++)
        OK(append(appender, tag, 0));
    OK(flush(producer, LONG_MS)); /* handed to the queue is reported */
    CODE(HSTREAM_ERR_QUEUE_FULL, append(appender, 4, -1));
    CODE(HSTREAM_ERR_QUEUE_FULL, append(appender, 4, LONG_MS));
    struct pollfd asked = {.fd = hstream_producer_event_fd(producer), .events = POLLIN};
    CHECK(asked.fd >= 0 && poll(&asked, 1, LONG_MS) == 1);
    poll_all(producer, reports, 4);
    /* A shard whose failure was not polled yet takes nothing, and nobody waits for what only he can do. */
    order("refuse", FOR_GOOD);
    OK(append(appender, 4, 0));
    OK(flush(producer, LONG_MS));
    CODE(HSTREAM_ERR_QUEUE_FULL, append(appender, 5, -1));
    poll_all(producer, reports, 1);
    OK(append(appender, 5, 0));
    OK(append(appender, 6, 0));
    OK(end(producer, LONG_MS));
    poll_all(producer, reports, 2); /* still there */
    CHECK(once_each(reports, 7) && reports->failed == 1);
    CODE(HSTREAM_ERR_CLOSED, hstream_producer_poll(producer, 1, -1, NULL, &deliveries, NULL));
    CHECK(deliveries == (hstream_deliveries_t *)&failures);
    hstream_producer_free(producer);
    hstream_appender_free(appender);
    reports_free(reports);
}

static void reports_that_nobody_polls_go_with_the_producer(void)
{
    for (int closed = 0; closed < 2; closed++) {
        hstream_producer_options_t *options = options_for(NULL);
        hstream_deliveries_t *kept = NULL;
        OK(hstream_producer_options_set_report_polling(options, 1));
        hstream_producer_t *producer = make(client, options);
        hstream_appender_t *appender = open_stream(producer, stream_on(client, 1));
        for (uint64_t tag = 0; tag < 5; tag++)
            OK(append(appender, tag, 0));
        OK(flush(producer, LONG_MS));
        OK(hstream_producer_poll(producer, 2, 0, NULL, &kept, NULL));
        if (closed)
            OK(end(producer, LONG_MS));
        hstream_producer_free(producer);
        hstream_appender_free(appender);
        CHECK(hstream_deliveries_count(kept) == 2 && hstream_deliveries_tags(kept)[1] == 1);
        hstream_deliveries_free(kept);
    }
}

/* ---- In its own callback ------------------------------------------------------------------------------- */

static void wait_for_itself(struct reports *reports, const hstream_deliveries_t *deliveries)
{
    hstream_record_t *record = NULL;
    (void)deliveries;
    reports->then = NULL;
    OK(hstream_record_new_raw("x", 1, NULL, 0, &record, NULL));
    reports->codes[0] = flush(reports->producer, -1);
    reports->codes[1] = hstream_appender_flush(reports->appender, -1, NULL, NULL, NULL, NULL, NULL);
    reports->codes[2] = hstream_appender_append_wait(reports->appender, record, -1, NULL, NULL, NULL);
    reports->codes[3] = end(reports->producer, -1);
    reports->codes[4] = HSTREAM_OK;
    /* Never waits: sooner or later there is no room. */
    for (uint64_t tag = 1; reports->codes[4] == HSTREAM_OK && tag < 1000; tag++)
        reports->codes[4] = append(reports->appender, tag, -1);
    hstream_record_free(record);
}

static void what_would_wait_for_the_callback_says_so(void)
{
    struct reports *reports = reports_new();
    hstream_producer_options_t *options = options_for(reports);
    OK(hstream_producer_options_set_buffer_records(options, 8));
    hstream_producer_t *producer = make(client, options);
    hstream_appender_t *appender = open_stream(producer, stream_on(client, 1));
    reports->producer = producer;
    reports->appender = appender;
    reports->then = wait_for_itself;
    OK(append(appender, 0, 0));
    OK(flush(producer, LONG_MS));
    for (int i = 0; i < 4; i++)
        CODE(HSTREAM_ERR_WOULD_DEADLOCK, reports->codes[i]);
    CODE(HSTREAM_ERR_QUEUE_FULL, reports->codes[4]);
    OK(end(producer, LONG_MS));
    hstream_producer_free(producer);
    hstream_appender_free(appender);
    CHECK(reports->written > 1 && reports->written <= 9 && once_each(reports, reports->written));
    reports_free(reports);
}

static void free_itself(struct reports *reports, const hstream_deliveries_t *deliveries)
{
    (void)deliveries;
    reports->then = NULL;
    for (uint64_t tag = 1; tag < 5; tag++)
        OK(append(reports->appender, tag, 0));
    hstream_producer_free(reports->producer);
    reports->codes[0] = append(reports->appender, 9, 0);
}

static void a_free_in_the_callback_is_deferred(void)
{
    struct reports *reports = reports_new();
    hstream_producer_t *producer = make(client, options_for(reports));
    reports->producer = producer;
    reports->appender = open_stream(producer, stream_on(client, 1));
    reports->then = free_itself;
    OK(append(reports->appender, 0, 0));
    flush(producer, 0); /* to send it */
    UNTIL(read_size(reports, &reports->released) == 1);
    CODE(HSTREAM_ERR_CLOSED, reports->codes[0]);
    CHECK(once_each(reports, 5));
    hstream_producer_free(producer); /* ignored */
    hstream_appender_free(reports->appender);
    reports_free(reports);
}

/* ---- The warning --------------------------------------------------------------------------------------- */

struct lines {
    pthread_mutex_t lock;
    int warned;
};

static void on_line(int32_t level, int64_t time_ms, const char *target, const char *message, size_t message_len,
                    void *user_data)
{
    struct lines *lines = (struct lines *)user_data;
    (void)time_ms, (void)target, (void)message_len;
    pthread_mutex_lock(&lines->lock);
    lines->warned += level == HSTREAM_LOG_WARN && strstr(message, "a producer was freed") != NULL &&
                     strstr(message, "3 records") != NULL;
    pthread_mutex_unlock(&lines->lock);
}

static void a_free_without_close_warns_of_what_is_lost(void)
{
    struct lines lines = {.lock = PTHREAD_MUTEX_INITIALIZER};
    OK(hstream_log_set_callback(HSTREAM_LOG_WARN, on_line, &lines, NULL, NULL));
    order("never_answer", "Append times=always");
    for (int closed = 1; closed >= 0; closed--) {
        hstream_producer_t *producer = make(client, options_for(NULL));
        hstream_appender_t *appender = open_stream(producer, stream_on(client, 1));
        for (uint64_t tag = 0; tag < 3; tag++)
            OK(append(appender, tag, 0));
        if (closed)
            CODE(HSTREAM_ERR_TIMEOUT, end(producer, 0)); /* which has told the caller */
        hstream_producer_free(producer);
        hstream_appender_free(appender);
    }
    order("clear", "");
    OK(hstream_log_set_callback(HSTREAM_LOG_OFF, NULL, NULL, NULL, NULL)); /* all lines are there by now */
    CHECK(lines.warned == 1);
}

/* ---- Full ---------------------------------------------------------------------------------------------- */

static void *trigger_soon(void *data)
{
    nap(30);
    hstream_cancel_trigger((hstream_cancel_t *)data);
    return NULL;
}

static void blocked_appends_end_and_accept_nothing(void)
{
    hstream_producer_options_t *options = options_for(NULL);
    OK(hstream_producer_options_set_buffer_bytes(options, 1000));
    hstream_producer_t *producer = make(client, options);
    hstream_appender_t *appender = open_stream(producer, stream_on(client, 1));
    hstream_cancel_t *cancel = NULL;
    hstream_record_t *record = NULL;
    pthread_t thread;
    char payload[400] = "x";
    size_t accepted = 7, ends[] = {100, 200, 300, 400};

    OK(hstream_cancel_new(&cancel, NULL));
    OK(hstream_record_new_raw(payload, sizeof payload, NULL, 0, &record, NULL));
    const hstream_record_t *records[] = {record, record, record, record};
    order("refuse", FOR_NOW);
    /* Two of them fit. */
    CODE(HSTREAM_ERR_QUEUE_FULL, hstream_appender_append_records(appender, records, NULL, 4, 0, NULL, &accepted, NULL));
    CHECK(accepted == 2 && hstream_producer_pending_records(producer) == 2);
    CODE(HSTREAM_ERR_TIMEOUT, hstream_appender_append(appender, record, 0, 20, NULL, NULL));
    CODE(HSTREAM_ERR_TIMEOUT,
         hstream_appender_append_records(appender, records, NULL, 4, 20, NULL, &accepted, NULL));
    CHECK(accepted == 0);
    CHECK(pthread_create(&thread, NULL, trigger_soon, cancel) == 0);
    CODE(HSTREAM_ERR_INTERRUPTED, hstream_appender_append(appender, record, 0, -1, cancel, NULL));
    pthread_join(thread, NULL);
    CODE(HSTREAM_ERR_INTERRUPTED,
         hstream_appender_append_records(appender, records, NULL, 4, -1, cancel, &accepted, NULL));
    CHECK(accepted == 0 && hstream_producer_pending_records(producer) == 2);
    /* The smaller ones fit as far as there is room. */
    hstream_code_t code =
        hstream_appender_append_packed(appender, payload, ends, NULL, NULL, NULL, 4, -1, cancel, &accepted, NULL);
    CODE(HSTREAM_ERR_INTERRUPTED, code);
    CHECK(accepted < 4 && hstream_producer_pending_records(producer) == 2 + accepted);
    CHECK(hstream_producer_pending_bytes(producer) <= 1000);
    order("clear", "");
    OK(hstream_appender_append_records(appender, records, NULL, 4, LONG_MS, NULL, &accepted, NULL));
    CHECK(accepted == 4);
    OK(end(producer, LONG_MS));
    hstream_producer_free(producer);
    hstream_appender_free(appender);
    hstream_cancel_free(cancel);
    hstream_record_free(record);
}

static void a_slow_callback_delays_its_own_producer_alone(void)
{
    struct reports *reports = reports_new();
    hstream_producer_options_t *options = options_for(reports);
    OK(hstream_producer_options_set_buffer_records(options, 8));
    OK(hstream_producer_options_set_batch_records(options, 1));
    hstream_producer_t *producer = make(client, options);
    const char *stream = stream_on(client, 2);
    hstream_appender_t *appender = open_stream(producer, stream);
    hstream_producer_t *other = make(client, options_for(NULL));
    hstream_appender_t *other_appender = open_stream(other, stream);

    hold(reports, 1);
    for (uint64_t tag = 0; tag < 8; tag++)
        OK(append(appender, tag, 0));
    UNTIL(read_int(reports, &reports->inside));
    CODE(HSTREAM_ERR_QUEUE_FULL, append(appender, 8, 0));
    CODE(HSTREAM_ERR_TIMEOUT, append(appender, 8, 20));
    CODE(HSTREAM_ERR_TIMEOUT, flush(producer, 20));
    OK(append(other_appender, 0, 0));
    OK(end(other, LONG_MS));
    hold(reports, 0);
    OK(append(appender, 8, LONG_MS));
    OK(end(producer, LONG_MS));
    CHECK(once_each(reports, 9) && reports->written == 9);
    hstream_producer_free(producer);
    hstream_producer_free(other);
    hstream_appender_free(appender);
    hstream_appender_free(other_appender);
    reports_free(reports);
}

/* All producers of a client share what it may hold. */
static void producers_share_the_budget_of_their_client(void)
{
    hstream_client_options_t *options = hstream_client_options_new();
    hstream_client_t *small = NULL;
    char payload[600] = "x";
    OK(hstream_client_options_set_url(options, hstream_dev_server_url(server, NULL), NULL));
    OK(hstream_client_options_set_buffer_bytes(options, 1000));
    OK(hstream_client_options_set_append_compression(options, HSTREAM_COMPRESSION_GZIP, 9));
    OK(hstream_client_connect(options, NULL, &small, NULL));
    hstream_client_options_free(options);
    const char *stream = stream_on(small, 1);
    hstream_producer_t *first = make(small, options_for(NULL)), *second = make(small, options_for(NULL));
    hstream_appender_t *one = open_stream(first, stream), *other = open_stream(second, stream);

    order("refuse", FOR_NOW);
    OK(hstream_appender_append_raw(one, NULL, 0, payload, sizeof payload, 0, 0, NULL, NULL));
    CODE(HSTREAM_ERR_QUEUE_FULL,
         hstream_appender_append_raw(other, NULL, 0, payload, sizeof payload, 0, 0, NULL, NULL));
    order("clear", "");
    OK(hstream_appender_append_raw(other, NULL, 0, payload, sizeof payload, 0, LONG_MS, NULL, NULL));
    OK(end(first, LONG_MS));
    OK(end(second, LONG_MS));
    OK(hstream_client_append_raw(small, stream, NULL, 0, payload, sizeof payload, NULL, NULL, NULL));
    hstream_producer_free(first);
    hstream_producer_free(second);
    hstream_appender_free(one);
    hstream_appender_free(other);
    hstream_client_free(small);
}

static void what_the_server_can_never_take_is_refused_at_once(void)
{
    struct reports *reports = reports_new();
    hstream_producer_t *producer = make(client, options_for(reports));
    hstream_appender_t *appender = open_stream(producer, stream_on(client, 1));
    size_t accepted = 7, ends[] = {1, 1100001, 1100002};
    char *payload = (char *)calloc(1, 1100002);

    CODE(HSTREAM_ERR_RECORD_TOO_LARGE,
         hstream_appender_append_raw(appender, NULL, 0, payload, 1100000, 9, -1, NULL, NULL));
    CODE(HSTREAM_ERR_RECORD_TOO_LARGE,
         hstream_appender_append_packed(appender, payload, ends, NULL, NULL, NULL, 3, -1, NULL, &accepted, NULL));
    CHECK(accepted == 1 && hstream_producer_pending_records(producer) == 1);
    OK(end(producer, LONG_MS));
    CHECK(once_each(reports, 1));
    hstream_producer_free(producer);
    hstream_appender_free(appender);
    reports_free(reports);

    /* What is larger than all of the buffer goes alone. */
    hstream_producer_options_t *options = options_for(NULL);
    uint64_t written = 0;
    OK(hstream_producer_options_set_buffer_bytes(options, 100));
    producer = make(client, options);
    appender = open_stream(producer, "stream-1");
    for (uint64_t tag = 0; tag < 3; tag++)
        OK(hstream_appender_append_raw(appender, NULL, 0, payload, 1000, tag, LONG_MS, NULL, NULL));
    CHECK(hstream_producer_pending_bytes(producer) <= 100);
    OK(hstream_producer_close(producer, LONG_MS, NULL, &written, NULL, NULL, NULL));
    CHECK(written <= 3 && hstream_producer_pending_records(producer) == 0);
    hstream_producer_free(producer);
    hstream_appender_free(appender);
    free(payload);
}

/* ---- Streams created anew ------------------------------------------------------------------------------ */

static void records_for_a_stream_created_anew(int32_t policy)
{
    struct reports *reports = reports_new();
    hstream_producer_options_t *options = options_for(reports);
    OK(hstream_producer_options_set_recreated_stream(options, policy));
    hstream_producer_t *producer = make(client, options);
    const char *stream = stream_on(client, 1);
    hstream_appender_t *appender = open_stream(producer, stream), *anew = NULL;

    OK(append(appender, 0, 0));
    OK(hstream_client_delete_stream(client, stream, HSTREAM_DELETE_FORCE, NULL, NULL));
    OK(hstream_client_create_stream(client, stream, NULL, NULL, NULL, NULL));
    OK(flush(producer, LONG_MS));
    if (policy == HSTREAM_RECREATED_FAIL) {
        CHECK(reports->failed == 1);
        CODE(HSTREAM_ERR_INVALID_STATE, append(appender, 1, -1));
        OK(hstream_producer_open(producer, stream, NULL, &anew, NULL));
        OK(append(anew, 1, LONG_MS));
        hstream_appender_free(anew);
    } else {
        CHECK(reports->written == 1);
        OK(append(appender, 1, LONG_MS));
    }
    OK(end(producer, LONG_MS));
    CHECK(once_each(reports, 2));
    hstream_producer_free(producer);
    hstream_appender_free(appender);
    reports_free(reports);
}

/* ---- Many threads -------------------------------------------------------------------------------------- */

#define THREADS 64
#define EACH 1000

struct writer {
    pthread_t thread;
    hstream_appender_t *appender;
    uint64_t first;
    size_t accepted;
};

static void *write_until_closed(void *data)
{
    struct writer *writer = (struct writer *)data;
    hstream_code_t code = HSTREAM_OK;
    while (writer->accepted < EACH && (code = append(writer->appender, writer->first + writer->accepted, -1)) == HSTREAM_OK)
        writer->accepted++;
    CHECK(code == HSTREAM_OK || code == HSTREAM_ERR_CLOSED);
    return NULL;
}

static void many_threads_append_while_another_closes(void)
{
    static struct writer writers[THREADS];
    struct reports *reports = reports_new();
    hstream_producer_options_t *options = options_for(reports);
    OK(hstream_producer_options_set_linger_ms(options, 0));
    OK(hstream_producer_options_set_buffer_records(options, 500));
    hstream_producer_t *producer = make(client, options);
    hstream_appender_t *appender = open_stream(producer, stream_on(client, 3));
    size_t accepted = 0;

    for (size_t i = 0; i < THREADS; i++) {
        writers[i] = (struct writer){.appender = appender, .first = i * EACH};
        CHECK(pthread_create(&writers[i].thread, NULL, write_until_closed, &writers[i]) == 0);
    }
    UNTIL(read_size(reports, &reports->written) > 1000);
    OK(end(producer, LONG_MS));
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(writers[i].thread, NULL);
        accepted += writers[i].accepted;
        for (size_t tag = 0; tag < EACH; tag++)
            if (reports->seen[writers[i].first + tag] != (tag < writers[i].accepted))
                CHECK(!"a record was not reported once, or reported and not accepted");
    }
    CHECK(accepted > 1000 && reports->written == accepted && reports->failed == 0);
    hstream_producer_free(producer);
    hstream_appender_free(appender);
    reports_free(reports);
}

int main(void)
{
    if (!OK(hstream_dev_server_start(1, &server, NULL)))
        return 1;
    client = client_of(server);
    uint64_t before = hstream_live_handles();
    each_record_is_reported_once();
    records_on_a_killed_server();
    time_outs_lose_nothing();
    closing_takes_no_more_and_can_be_repeated();
    what_failed_goes_first_when_it_is_appended_again();
    a_stopped_shard_is_resumed();
    by_another_policy_a_failure_stops_nothing();
    flush_and_close_count();
    failures_alone_are_reported();
    what_was_written_is_lent_where_that_is_asked_for();
    polled_reports_bound_what_is_accepted();
    reports_that_nobody_polls_go_with_the_producer();
    what_would_wait_for_the_callback_says_so();
    a_free_in_the_callback_is_deferred();
    a_free_without_close_warns_of_what_is_lost();
    blocked_appends_end_and_accept_nothing();
    a_slow_callback_delays_its_own_producer_alone();
    producers_share_the_budget_of_their_client();
    what_the_server_can_never_take_is_refused_at_once();
    records_for_a_stream_created_anew(HSTREAM_RECREATED_FAIL);
    records_for_a_stream_created_anew(HSTREAM_RECREATED_REROUTE);
    many_threads_append_while_another_closes();
    CHECK(hstream_live_handles() == before);
    hstream_client_free(client);
    hstream_dev_server_free(server);
    CHECK(hstream_live_handles() == 0);
    return failures != 0;
}
