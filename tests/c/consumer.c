/* Acks are certain: over closes, over losses of the connection, by their age, and whoever gave them. Against a server
 * in this process whose subscriptions begin anew when they are told to. */

#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <string.h>

#include "check.h"

#define SHORT_MS 300

static hstream_dev_server_t *server;

/* A stream with a subscription of the same name, and as many records in it. */
static void create(hstream_client_t *client, const char *name, int records)
{
    hstream_subscription_options_t *subscription = hstream_subscription_options_new();
    OK(hstream_subscription_options_set_start(subscription, HSTREAM_OFFSET_EARLIEST));
    OK(hstream_client_create_stream(client, name, NULL, NULL, NULL, NULL));
    OK(hstream_client_create_subscription(client, name, name, subscription, NULL, NULL, NULL));
    hstream_subscription_options_free(subscription);
    for (int i = 0; i < records; i++)
        OK(hstream_client_append_raw(client, name, NULL, 0, "x", 1, NULL, NULL, NULL));
}

static hstream_consumer_t *consumer_of(hstream_client_t *client, const char *name, uint32_t ack_records, int64_t ack_ms)
{
    hstream_consumer_options_t *options = hstream_consumer_options_new();
    hstream_consumer_t *consumer = NULL;
    OK(hstream_consumer_options_set_ack_batch(options, ack_records, ack_ms));
    OK(hstream_consumer_new(client, name, options, NULL, &consumer, NULL));
    hstream_consumer_options_free(options);
    return consumer;
}

/* Polls so many records, and acks all but so many of them at the end. */
static void take(hstream_consumer_t *consumer, size_t records, size_t unacked)
{
    for (size_t taken = 0; taken < records;) {
        hstream_batch_t *batch = NULL;
        OK(hstream_consumer_poll(consumer, records - taken, LONG_MS, NULL, &batch, NULL));
        if (!CHECK(batch != NULL))
            return;
        size_t count = hstream_batch_count(batch), left = records - unacked - taken;
        if (taken < records - unacked)
            OK(hstream_consumer_ack(consumer, hstream_batch_ids(batch), count < left ? count : left, NULL));
        taken += count;
        hstream_batch_free(batch);
    }
}

static void order(const char *what, const char *value)
{
    OK(hstream_dev_server_set(server, what, value, NULL));
}

/* The subscription begins anew, and so many records come to whoever consumes then. */
static void check_left(hstream_client_t *client, const char *name, size_t records)
{
    char value[64];
    hstream_batch_t *batch = NULL;
    hstream_consumer_t *consumer = NULL;

    snprintf(value, sizeof value, "%s 14 restarting", name);
    order("fail_subscription", value);
    OK(hstream_consumer_new(client, name, NULL, NULL, &consumer, NULL));
    take(consumer, records, records);
    OK(hstream_consumer_poll(consumer, 1, SHORT_MS, NULL, &batch, NULL));
    check(batch == NULL, name, __LINE__, "more is left");
    hstream_batch_free(batch);
    OK(hstream_consumer_close(consumer, LONG_MS, NULL, NULL));
    hstream_consumer_free(consumer);
}

static void acks_survive_a_close(hstream_client_t *client)
{
    create(client, "closed", 6);
    /* They would not go by themselves. */
    hstream_consumer_t *consumer = consumer_of(client, "closed", 1000, LONG_MS);
    take(consumer, 6, 2);
    CHECK(hstream_consumer_pending_acks(consumer) == 4 && hstream_consumer_unacked_records(consumer) == 2);
    OK(hstream_consumer_close(consumer, LONG_MS, NULL, NULL));
    CHECK(hstream_consumer_pending_acks(consumer) == 0);
    CHECK(hstream_consumer_state(consumer) == HSTREAM_STATE_CLOSED);
    hstream_consumer_free(consumer);
    check_left(client, "closed", 2);
}

/* Whether they were sent before the connection was lost or not. */
static void acks_survive_a_loss(hstream_client_t *client)
{
    for (int sent = 0; sent < 2; sent++) {
        const char *name = sent ? "lost-sent" : "lost-unsent";
        create(client, name, 6);
        hstream_consumer_t *consumer = consumer_of(client, name, sent ? 1 : 1000, sent ? 0 : LONG_MS);
        take(consumer, 6, 0);
        order("break_connections", name);
        OK(hstream_consumer_close(consumer, LONG_MS, NULL, NULL));
        hstream_consumer_free(consumer);
        check_left(client, name, 0);
    }
}

static void consuming_goes_on_over_losses(hstream_client_t *client)
{
    create(client, "goes-on", 0);
    hstream_consumer_t *consumer = consumer_of(client, "goes-on", 100, 10);
    OK(hstream_consumer_start(consumer, NULL));
    static const char *const losses[][2] = {
        {"break_connections", "goes-on"}, {"cut_consumers", "goes-on 14 gone"}, {"cut_consumers", "goes-on 0"},
        {"fail_subscription", "goes-on 13 failed"}, {"stop_node", "0"}, {"kill_node", "0"},
    };
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        OK(hstream_client_append_raw(client, "goes-on", NULL, 0, "x", 1, NULL, NULL, NULL));
        take(consumer, 1, 0);
        OK(hstream_consumer_flush_acks(consumer, LONG_MS, NULL, NULL));
        order(losses[i][0], losses[i][1]);
        if (strstr(losses[i][0], "node"))
            order("restart_node", "0");
    }
    OK(hstream_client_append_raw(client, "goes-on", NULL, 0, "x", 1, NULL, NULL, NULL));
    hstream_batch_t *batch = NULL;
    /* Or one whose ack was lost with its node. */
    OK(hstream_consumer_poll(consumer, 10, LONG_MS, NULL, &batch, NULL));
    CHECK(batch != NULL);
    OK(hstream_consumer_ack_batch(consumer, batch, NULL));
    hstream_batch_free(batch);
    /* That one may have been received before the loss. */
    for (int i = 0; i < LONG_MS && hstream_consumer_state(consumer) != HSTREAM_STATE_RUNNING; i++)
        nap(1);
    CHECK(hstream_consumer_state(consumer) == HSTREAM_STATE_RUNNING);
    hstream_error_t *error = hstream_consumer_last_error(consumer);
    CHECK(error != NULL);
    hstream_error_free(error);
    OK(hstream_consumer_close(consumer, LONG_MS, NULL, NULL));
    hstream_consumer_free(consumer);
}

/* One ack goes by its age. */
static void an_ack_is_sent_by_its_age(hstream_client_t *client)
{
    create(client, "aged", 1);
    hstream_consumer_t *consumer = consumer_of(client, "aged", 100, 50);
    take(consumer, 1, 0);
    for (int i = 0; i < 1000 && hstream_consumer_pending_acks(consumer) > 0; i++)
        nap(10);
    CHECK(hstream_consumer_pending_acks(consumer) == 0);
    OK(hstream_consumer_close(consumer, LONG_MS, NULL, NULL));
    hstream_consumer_free(consumer);
    check_left(client, "aged", 0);
}

/* A close whose server is gone says that acks are in doubt, in time. */
static void a_close_without_a_server_says_so(hstream_client_t *client)
{
    hstream_error_t *err = NULL;
    create(client, "gone", 2);
    hstream_consumer_t *consumer = consumer_of(client, "gone", 1000, LONG_MS);
    take(consumer, 2, 0);
    order("kill_node", "0");
    CODE(HSTREAM_ERR_TIMEOUT, hstream_consumer_close(consumer, SHORT_MS, NULL, &err));
    CHECK(err != NULL && strstr(hstream_error_message(err, NULL), "2 were not sent") != NULL);
    hstream_error_free(err);
    CHECK(hstream_consumer_state(consumer) == HSTREAM_STATE_CLOSED);
    hstream_consumer_free(consumer);
    order("restart_node", "0");
    check_left(client, "gone", 2);
}

/* ---- A callback --------------------------------------------------------------------------------------- */

struct acks {
    size_t records, ended;
};

static int32_t ack_some(const hstream_batch_t *batch, const hstream_error_t *error, void *user_data)
{
    struct acks *acks = (struct acks *)user_data;
    if (!batch) {
        CHECK(error == NULL);
        acks->ended++;
        return HSTREAM_PROCESSED;
    }
    acks->records += hstream_batch_count(batch);
    return acks->records >= 6 ? HSTREAM_STOP : HSTREAM_PROCESSED;
}

/* What the callback has processed is acked by itself, also the last batch, which stops the consumer. */
static void what_a_callback_has_processed_is_acked(hstream_client_t *client)
{
    struct acks acks = {0};
    hstream_consumer_options_t *options = hstream_consumer_options_new();
    hstream_consumer_t *consumer = NULL;

    create(client, "auto", 6);
    OK(hstream_consumer_options_set_callback(options, ack_some, &acks, NULL));
    OK(hstream_consumer_options_set_callback_records(options, 4));
    OK(hstream_consumer_options_set_auto_ack(options, 1));
    OK(hstream_consumer_options_set_ack_batch(options, 1000, LONG_MS));
    OK(hstream_consumer_new(client, "auto", options, NULL, &consumer, NULL));
    hstream_consumer_options_free(options);
    OK(hstream_consumer_run(consumer, LONG_MS, NULL, NULL));
    CHECK(acks.records == 6 && acks.ended == 1);
    OK(hstream_consumer_close(consumer, LONG_MS, NULL, NULL));
    hstream_consumer_free(consumer);
    check_left(client, "auto", 0);
}

/* ---- A free and a close at the same time -------------------------------------------------------------- */

struct slow {
    pthread_mutex_t lock;
    int steps; /* of the callback: 1 when it has begun, 2 when it returns */
    hstream_consumer_t *consumer;
};

static int steps_of(struct slow *slow, int more)
{
    pthread_mutex_lock(&slow->lock);
    int steps = slow->steps += more;
    pthread_mutex_unlock(&slow->lock);
    return steps;
}

static int32_t take_long(const hstream_batch_t *batch, const hstream_error_t *error, void *user_data)
{
    struct slow *slow = (struct slow *)user_data;
    (void)error;
    if (!batch)
        return HSTREAM_PROCESSED;
    steps_of(slow, 1);
    nap(SHORT_MS);
    steps_of(slow, 1);
    return HSTREAM_PROCESSED;
}

static void *close_it(void *argument)
{
    struct slow *slow = (struct slow *)argument;
    hstream_code_t code = hstream_consumer_close(slow->consumer, LONG_MS, NULL, NULL);
    CHECK(code == HSTREAM_OK || code == HSTREAM_ERR_CLOSED || code == HSTREAM_ERR_TIMEOUT);
    CHECK(steps_of(slow, 0) == 2);
    return NULL;
}

/* Whichever of them waits for the callback, the other one does as well. */
static void no_callback_runs_after_a_free(hstream_client_t *client)
{
    struct slow slow = {PTHREAD_MUTEX_INITIALIZER, 0, NULL};
    pthread_t thread;
    hstream_consumer_options_t *options = hstream_consumer_options_new();

    create(client, "slow", 1);
    OK(hstream_consumer_options_set_callback(options, take_long, &slow, NULL));
    OK(hstream_consumer_new(client, "slow", options, NULL, &slow.consumer, NULL));
    hstream_consumer_options_free(options);
    OK(hstream_consumer_start(slow.consumer, NULL));
    for (int i = 0; i < LONG_MS && steps_of(&slow, 0) == 0; i++)
        nap(1);
    CHECK(pthread_create(&thread, NULL, close_it, &slow) == 0);
    nap(SHORT_MS / 3);
    hstream_consumer_free(slow.consumer);
    CHECK(steps_of(&slow, 0) == 2);
    CHECK(pthread_join(thread, NULL) == 0);
}

int main(void)
{
    hstream_client_options_t *options = hstream_client_options_new();
    hstream_client_t *client = NULL;

    if (!OK(hstream_dev_server_start(1, &server, NULL)))
        return 1;
    order("assignment_tick", "10");
    order("failure_detection", "20");
    OK(hstream_client_options_set_url(options, hstream_dev_server_url(server, NULL), NULL));
    OK(hstream_client_connect(options, NULL, &client, NULL));
    hstream_client_options_free(options);
    acks_survive_a_close(client);
    acks_survive_a_loss(client);
    consuming_goes_on_over_losses(client);
    an_ack_is_sent_by_its_age(client);
    what_a_callback_has_processed_is_acked(client);
    no_callback_runs_after_a_free(client);
    a_close_without_a_server_says_so(client);
    OK(hstream_client_close(client, LONG_MS, NULL, NULL));
    hstream_client_free(client);
    hstream_dev_server_free(server);
    CHECK(hstream_live_handles() == 0);
    return failures != 0;
}
