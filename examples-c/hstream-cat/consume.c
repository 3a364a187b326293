/* -C: a subscription's records on standard output. What is out is acked, and nothing else. */

#define _POSIX_C_SOURCE 200809L

#include <string.h>
#include <time.h>

#include "cat.h"

#define MOST_AT_ONCE 1000
#define LOOK_MS 250 /* how often -e looks for the end */

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static uint32_t room(const struct app *app, uint64_t printed)
{
    uint64_t left = app->count ? app->count - printed : MOST_AT_ONCE;
    return left < MOST_AT_ONCE ? (uint32_t)left : MOST_AT_ONCE;
}

/* Records that can't be read are not acked: they come again, perhaps to somebody who can. */
static int ack(hstream_consumer_t *consumer, const hstream_batch_t *batch)
{
    hstream_error_t *err = NULL;
    for (size_t i = 0; i < hstream_batch_count(batch); i++) {
        const hstream_record_t *record = hstream_batch_at(batch, i);
        if (hstream_record_code(record) == HSTREAM_OK &&
            !ok(hstream_consumer_ack_record(consumer, record, &err), &err, "ack"))
            return 0;
    }
    return 1;
}

/* How far the subscription is behind as the server tells it, to be freed with hstream_string_free; NULL if it can't. */
static char *get_lag(struct app *app)
{
    char *lag = NULL;
    return hstream_client_subscription_lag(app->client, app->subject, app->call, &lag, NULL, NULL) == HSTREAM_OK ? lag
                                                                                                                 : NULL;
}

/* Records that were sent to another consumer, or to one that has gone, come again after the ack time-out only. */
static int tell_rest(const char *lag)
{
    const char *batches = lag ? value_of(lag, "batches") : "";
    if (batches[0] >= '1' && batches[0] <= '9')
        fprintf(stderr, PROGRAM ": nothing came any more, but up to %.*s batches are not acked; they may come again\n",
                (int)strspn(batches, "0123456789"), batches);
    return 1;
}

/* The end of -e: all is acked, or nothing has come for so long over a connection. */
static int is_at_end(struct app *app, hstream_consumer_t *consumer, int64_t *quiet_since)
{
    hstream_error_t *err = NULL;
    if (!ok(hstream_consumer_flush_acks(consumer, FAREWELL_MS, app->cancel, &err), &err, "acks"))
        return 0;
    if (hstream_consumer_waiting_for(consumer) == HSTREAM_WAITING_CONNECTION)
        *quiet_since = now_ms();
    char *lag = get_lag(app);
    int is_over = lag && strncmp(value_of(lag, "caught_up"), "true", 4) == 0;
    if (!is_over && now_ms() - *quiet_since >= app->idle_ms)
        is_over = tell_rest(lag);
    hstream_string_free(lag);
    return is_over;
}

static int copy(struct app *app, hstream_consumer_t *consumer)
{
    uint64_t printed = 0;
    int64_t quiet_since = now_ms();
    while (app->count == 0 || printed < app->count) {
        hstream_error_t *err = NULL;
        hstream_batch_t *batch = NULL;
        int64_t patience = app->to_end ? LOOK_MS : HSTREAM_FOREVER;
        hstream_code_t code =
            hstream_consumer_poll(consumer, room(app, printed), patience, app->cancel, &batch, &err);
        if (!ok(code, &err, app->subject))
            return 0;
        if (!batch) {
            if (is_at_end(app, consumer, &quiet_since))
                return 1;
            continue;
        }
        printed += hstream_batch_count(batch);
        int good = print_batch(app, batch) && ack(consumer, batch);
        hstream_batch_free(batch);
        if (!good)
            return 0;
        quiet_since = now_ms();
    }
    return 1;
}

static int open_consumer(struct app *app, hstream_consumer_t **consumer)
{
    hstream_error_t *err = NULL;
    if (app->temporary_of &&
        !ok(hstream_client_create_subscription(app->client, app->subject, app->temporary_of, app->subscription_options,
                                               app->call, NULL, &err),
            &err, app->subject)) {
        app->temporary_of = NULL; /* not ours to delete */
        return 0;
    }
    return ok(hstream_consumer_new(app->client, app->subject, app->consumer_options, app->call, consumer, &err), &err,
              app->subject);
}

/* Sends the acks that are left, also after a signal. */
static int leave(struct app *app, hstream_consumer_t *consumer)
{
    hstream_error_t *err = NULL;
    int good = !consumer || ok(hstream_consumer_close(consumer, FAREWELL_MS, NULL, &err), &err, "closing");
    hstream_consumer_free(consumer);
    if (app->temporary_of)
        good &= ok(hstream_client_delete_subscription(app->client, app->subject, HSTREAM_DELETE_FORCE, NULL, &err), &err,
                   app->subject);
    return good;
}

int consume(struct app *app)
{
    hstream_consumer_t *consumer = NULL;
    int good = open_consumer(app, &consumer) && copy(app, consumer);
    good = leave(app, consumer) && (good || reader_has_gone());
    return good && app->problems == 0 ? EXIT_GOOD : EXIT_BAD;
}
