/*
 * Prints a subscription's records, and acks what is printed:
 *
 *     consume URL SUBSCRIPTION COUNT [callback]
 *
 * By poll, or by a callback. Ends after COUNT records.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hstreamdb.h"

#define PATIENCE_MS 30000

struct progress {
    size_t printed, wanted;
};

static void print_record(const hstream_record_t *record)
{
    size_t len;
    const void *payload = hstream_record_payload(record, &len);
    printf("%s: ", hstream_record_key(record, NULL));
    fwrite(payload, 1, len, stdout);
    putchar('\n');
}

/* ---- By poll ------------------------------------------------------------------------------------------- */

static hstream_code_t poll_and_ack(hstream_consumer_t *consumer, struct progress *progress, hstream_error_t **err)
{
    hstream_code_t code = HSTREAM_OK;
    while (code == HSTREAM_OK && progress->printed < progress->wanted) {
        hstream_batch_t *batch = NULL;
        uint32_t room = (uint32_t)(progress->wanted - progress->printed);
        code = hstream_consumer_poll(consumer, room, PATIENCE_MS, NULL, &batch, err);
        if (code == HSTREAM_OK && batch == NULL)
            return HSTREAM_ERR_TIMEOUT; /* nothing came: no failure, but here it is the end */
        size_t count = hstream_batch_count(batch);
        for (size_t i = 0; i < count; i++)
            print_record(hstream_batch_at(batch, i));
        progress->printed += count;
        if (code == HSTREAM_OK)
            code = hstream_consumer_ack_batch(consumer, batch, err);
        hstream_batch_free(batch);
    }
    return code;
}

/* ---- By callback --------------------------------------------------------------------------------------- */

/* On the consumer's own thread. The last call has no batch. What it answers with acks the batch. */
static int32_t on_batch(const hstream_batch_t *batch, const hstream_error_t *error, void *user_data)
{
    struct progress *progress = user_data;
    if (error)
        fprintf(stderr, "consume: %s\n", hstream_error_message(error, NULL));
    for (size_t i = 0; i < hstream_batch_count(batch); i++)
        print_record(hstream_batch_at(batch, i));
    progress->printed += hstream_batch_count(batch);
    return progress->printed < progress->wanted ? HSTREAM_PROCESSED : HSTREAM_STOP;
}

static hstream_code_t set_callback(hstream_consumer_options_t *options, struct progress *progress, hstream_error_t **err)
{
    hstream_code_t code = hstream_consumer_options_set_callback(options, on_batch, progress, NULL);
    if (code == HSTREAM_OK)
        code = hstream_consumer_options_set_callback_records(options, 1); /* so it can stop after any record */
    if (code == HSTREAM_OK)
        code = hstream_consumer_options_set(options, "auto.ack", "true", err);
    return code;
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc > 5 || (argc == 5 && strcmp(argv[4], "callback") != 0)) {
        fprintf(stderr, "usage: consume URL SUBSCRIPTION COUNT [callback]\n");
        return 2;
    }
    struct progress progress = {.wanted = strtoul(argv[3], NULL, 10)};
    hstream_client_options_t *options = hstream_client_options_new();
    hstream_consumer_options_t *consuming = hstream_consumer_options_new();
    hstream_client_t *client = NULL;
    hstream_consumer_t *consumer = NULL;
    hstream_error_t *err = NULL;

    hstream_code_t code = hstream_client_options_set_url(options, argv[1], &err);
    if (code == HSTREAM_OK)
        code = hstream_client_connect(options, NULL, &client, &err);
    if (code == HSTREAM_OK && argc == 5)
        code = set_callback(consuming, &progress, &err);
    if (code == HSTREAM_OK)
        code = hstream_consumer_new(client, argv[2], consuming, NULL, &consumer, &err);
    if (code == HSTREAM_OK)
        code = argc == 5 ? hstream_consumer_run(consumer, PATIENCE_MS, NULL, &err)
                         : poll_and_ack(consumer, &progress, &err);
    if (code == HSTREAM_OK) /* sends the acks */
        code = hstream_consumer_close(consumer, PATIENCE_MS, NULL, &err);
    if (code != HSTREAM_OK)
        fprintf(stderr, "consume: %s\n", err ? hstream_error_message(err, NULL) : hstream_code_description(code));

    hstream_consumer_free(consumer);
    hstream_error_free(err);
    hstream_client_free(client);
    hstream_consumer_options_free(consuming);
    hstream_client_options_free(options);
    return code == HSTREAM_OK ? 0 : 1;
}
