/*
 * Waits for records until a signal comes.
 *
 *     interrupt hstream://HOST[:PORT] SUBSCRIPTION
 *
 * SIGUSR1 is looked at and waited on; SIGINT ends the wait, and what was received is acked all the same.
 */

#define _POSIX_C_SOURCE 200809L

#include <signal.h>
#include <stdio.h>

#include "hstreamdb.h"

#define FAREWELL_MS 10000

static hstream_cancel_t *cancel;
static volatile sig_atomic_t is_over, signals;

/* The trigger may be called here: it takes no lock and allocates nothing. */
static void on_signal(int number)
{
    signals = signals + 1;
    if (number == SIGINT)
        is_over = 1;
    hstream_cancel_trigger(cancel);
}

/* Run by the thread that waits: 0 waits on. It holds no lock, so it may do anything. An object that was triggered stays
 * so, and later waits ask as well: what was seen before needs no word. */
static int32_t check(void *user_data)
{
    sig_atomic_t *seen = user_data;
    if (!is_over && signals != *seen) {
        printf("still waiting\n");
        fflush(stdout);
    }
    *seen = signals;
    return is_over;
}

static hstream_code_t print_records(hstream_consumer_t *consumer, size_t *count, hstream_error_t **err)
{
    for (;;) {
        hstream_batch_t *batch = NULL;
        /* Without a cancel object of its own a wait is ended by the client's. */
        hstream_code_t code = hstream_consumer_poll(consumer, 100, HSTREAM_FOREVER, NULL, &batch, err);
        if (code == HSTREAM_OK && batch)
            code = hstream_consumer_ack_batch(consumer, batch, err);
        *count += hstream_batch_count(batch);
        if (batch)
            printf("%zu records\n", *count);
        fflush(stdout);
        hstream_batch_free(batch);
        if (code != HSTREAM_OK)
            return code;
    }
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: interrupt hstream://HOST[:PORT] SUBSCRIPTION\n");
        return 2;
    }
    struct sigaction action = {.sa_handler = on_signal};
    hstream_client_options_t *options = hstream_client_options_new();
    hstream_client_t *client = NULL;
    hstream_consumer_t *consumer = NULL;
    hstream_error_t *err = NULL;
    size_t count = 0;
    sig_atomic_t seen = 0;

    hstream_code_t code = hstream_cancel_new(&cancel, &err);
    if (code == HSTREAM_OK && (sigaction(SIGINT, &action, NULL) != 0 || sigaction(SIGUSR1, &action, NULL) != 0))
        code = HSTREAM_ERR_RESOURCES;
    if (code == HSTREAM_OK)
        code = hstream_client_options_set_url(options, argv[1], &err);
    if (code == HSTREAM_OK)
        code = hstream_client_options_set_interrupt(options, cancel, check, &seen);
    if (code == HSTREAM_OK)
        code = hstream_client_connect(options, NULL, &client, &err);
    if (code == HSTREAM_OK)
        code = hstream_consumer_new(client, argv[2], NULL, NULL, &consumer, &err);
    if (code == HSTREAM_OK)
        code = print_records(consumer, &count, &err);
    if (code == HSTREAM_ERR_INTERRUPTED) {
        hstream_error_free(err);
        is_over = 0;
        hstream_cancel_reset(cancel); /* so that the farewell is not ended as well */
        code = hstream_consumer_close(consumer, FAREWELL_MS, NULL, &err);
    }
    if (code == HSTREAM_OK)
        printf("interrupted after %zu records\n", count);
    else
        fprintf(stderr, "interrupt: %s\n", err ? hstream_error_message(err, NULL) : hstream_code_description(code));

    /* No trigger may come while the object is freed. */
    signal(SIGINT, SIG_DFL);
    signal(SIGUSR1, SIG_IGN);
    hstream_consumer_free(consumer);
    hstream_error_free(err);
    hstream_client_free(client);
    hstream_client_options_free(options);
    hstream_cancel_free(cancel);
    return code == HSTREAM_OK ? 0 : 1;
}
