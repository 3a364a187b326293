/* Several threads that wait with one cancel object: without a function to ask all of them end, with one those that it
 * ends, and each is asked on its own thread. */

#define _POSIX_C_SOURCE 200809L

#include <unistd.h>

#include "harness.h"

enum { WAITERS = 4 };

struct waiter {
    pthread_mutex_t lock;
    pthread_t thread;
    hstream_client_t *client;
    hstream_call_t *call;
    int asked, elsewhere, ends, ended;
    hstream_code_t code;
};

static int seen(struct waiter *waiter, const int *field)
{
    pthread_mutex_lock(&waiter->lock);
    int value = *field;
    pthread_mutex_unlock(&waiter->lock);
    return value;
}

static void set(struct waiter *waiter, int *field, int value)
{
    pthread_mutex_lock(&waiter->lock);
    *field = value;
    pthread_mutex_unlock(&waiter->lock);
}

static int32_t on_interrupt(void *user_data)
{
    struct waiter *waiter = (struct waiter *)user_data;
    pthread_mutex_lock(&waiter->lock);
    waiter->asked++;
    waiter->elsewhere += !pthread_equal(waiter->thread, pthread_self());
    int ends = waiter->ends;
    pthread_mutex_unlock(&waiter->lock);
    return ends;
}

static void *wait_for_an_answer(void *data)
{
    struct waiter *waiter = (struct waiter *)data;
    char *text = NULL;
    pthread_mutex_lock(&waiter->lock);
    waiter->thread = pthread_self();
    pthread_mutex_unlock(&waiter->lock);
    waiter->code = hstream_client_echo(waiter->client, "x", waiter->call, &text, NULL, NULL);
    set(waiter, &waiter->ended, 1);
    return NULL;
}

static void begin(struct waiter *waiters, pthread_t *threads, hstream_client_t *client, hstream_cancel_t *cancel,
                  int asks)
{
    for (int i = 0; i < WAITERS; i++) {
        memset(&waiters[i], 0, sizeof waiters[i]);
        pthread_mutex_init(&waiters[i].lock, NULL);
        waiters[i].client = client;
        waiters[i].call = hstream_call_new();
        OK(hstream_call_set_timeout_ms(waiters[i].call, LONG_MS));
        OK(hstream_call_set_cancel(waiters[i].call, cancel));
        if (asks)
            OK(hstream_call_set_interrupt_check(waiters[i].call, on_interrupt, &waiters[i]));
        CHECK(pthread_create(&threads[i], NULL, wait_for_an_answer, &waiters[i]) == 0);
    }
}

static void end(struct waiter *waiter, pthread_t thread)
{
    CHECK(pthread_join(thread, NULL) == 0);
    CODE(HSTREAM_ERR_INTERRUPTED, waiter->code);
    CHECK(waiter->elsewhere == 0);
    hstream_call_free(waiter->call);
    pthread_mutex_destroy(&waiter->lock);
}

/* Whether it waits already or has yet to begin: the object stays triggered. */
static void all_waiters_end(hstream_client_t *client, hstream_cancel_t *cancel)
{
    struct waiter waiters[WAITERS];
    pthread_t threads[WAITERS];

    for (int by_descriptor = 0; by_descriptor < 2; by_descriptor++) {
        hstream_cancel_reset(cancel);
        begin(waiters, threads, client, cancel, 0);
        if (by_descriptor)
            CHECK(write(hstream_cancel_write_fd(cancel), "x", 1) == 1);
        else
            hstream_cancel_trigger(cancel);
        for (int i = 0; i < WAITERS; i++)
            end(&waiters[i], threads[i]);
    }
    hstream_cancel_reset(cancel);
}

static void each_waiter_asks_for_itself(hstream_client_t *client, hstream_cancel_t *cancel)
{
    struct waiter waiters[WAITERS];
    pthread_t threads[WAITERS];

    begin(waiters, threads, client, cancel, 1);
    hstream_cancel_trigger(cancel);
    for (int i = 0; i < WAITERS; i++)
        UNTIL(seen(&waiters[i], &waiters[i].asked) > 0);
    /* One after the other is told to end; those that were not go on, however often they are asked. */
    for (int i = 0; i < WAITERS; i++) {
        set(&waiters[i], &waiters[i].ends, 1);
        hstream_cancel_trigger(cancel);
        UNTIL(seen(&waiters[i], &waiters[i].ended));
        for (int other = i + 1; other < WAITERS; other++)
            CHECK(!seen(&waiters[other], &waiters[other].ended));
        end(&waiters[i], threads[i]);
    }
}

int main(void)
{
    hstream_dev_server_t *server = NULL;
    hstream_cancel_t *cancel = NULL;

    if (!OK(hstream_dev_server_start(1, &server, NULL)))
        return 1;
    hstream_client_t *client = client_at(hstream_dev_server_url(server, NULL));
    OK(hstream_cancel_new(&cancel, NULL));
    OK(hstream_dev_server_set(server, "never_answer", "Echo times=always", NULL));
    all_waiters_end(client, cancel);
    each_waiter_asks_for_itself(client, cancel);
    hstream_cancel_free(cancel);
    hstream_client_free(client);
    hstream_dev_server_free(server);
    CHECK(hstream_live_handles() == 0);
    return failures != 0;
}
