/*
 * What a producer and a client count: stats hstream://HOST[:PORT] STREAM COUNT
 *
 * Appends COUNT records, and prints the producer's statistics, some numbers of the client, and all that it knows as JSON.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "hstreamdb.h"

#define PATIENCE_MS 30000

static hstream_code_t append(hstream_producer_t *producer, const char *stream, unsigned long count,
                             hstream_error_t **err)
{
    hstream_appender_t *appender = NULL;
    hstream_code_t code = hstream_producer_open(producer, stream, NULL, &appender, err);
    for (unsigned long i = 0; i < count && code == HSTREAM_OK; i++)
        code = hstream_appender_append_raw(appender, NULL, 0, "count me", 8, i, PATIENCE_MS, NULL, err);
    if (code == HSTREAM_OK)
        code = hstream_producer_flush(producer, PATIENCE_MS, NULL, NULL, NULL, NULL, err);
    hstream_appender_free(appender);
    return code;
}

/* Counts, sizes of batches, latencies with percentiles, retries, and what each shard holds. */
static hstream_code_t print_producer(hstream_producer_t *producer)
{
    char *text = NULL;
    hstream_code_t code = hstream_producer_stats_json(producer, &text, NULL);
    if (code == HSTREAM_OK)
        printf("producer: %s\n", text);
    hstream_string_free(text);
    return code;
}

/* Single numbers cost no allocation: for a program that samples them often. */
static void print_numbers(hstream_client_t *client)
{
    uint64_t calls = hstream_client_metric(client, HSTREAM_METRIC_CALL_LATENCY_COUNT);
    uint64_t sum_us = hstream_client_metric(client, HSTREAM_METRIC_CALL_LATENCY_SUM_US);
    printf("records out: %" PRIu64 "\n", hstream_client_metric(client, HSTREAM_METRIC_RECORDS_OUT));
    printf("retries: %" PRIu64 "\n", hstream_client_metric(client, HSTREAM_METRIC_RETRIES));
    printf("mean latency: %" PRIu64 " us of %" PRIu64 " calls\n", calls ? sum_us / calls : 0, calls);
}

/* Everything, by node, producer, consumer and reader. */
static hstream_code_t print_client(hstream_client_t *client, hstream_error_t **err)
{
    char *text = NULL;
    hstream_code_t code = hstream_client_metrics_json(client, &text, NULL, err);
    if (code == HSTREAM_OK)
        printf("client: %s\n", text);
    hstream_string_free(text);
    return code;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: stats hstream://HOST[:PORT] STREAM COUNT\n");
        return 2;
    }
    hstream_client_options_t *options = hstream_client_options_new();
    hstream_producer_options_t *producing = hstream_producer_options_new();
    hstream_client_t *client = NULL;
    hstream_producer_t *producer = NULL;
    hstream_error_t *err = NULL;

    hstream_code_t code = hstream_client_options_set_url(options, argv[1], &err);
    if (code == HSTREAM_OK)
        code = hstream_client_connect(options, NULL, &client, &err);
    if (code == HSTREAM_OK)
        code = hstream_producer_options_set(producing, "reports", "none", &err);
    if (code == HSTREAM_OK)
        code = hstream_producer_new(client, producing, &producer, &err);
    if (code == HSTREAM_OK)
        code = append(producer, argv[2], strtoul(argv[3], NULL, 10), &err);
    if (code == HSTREAM_OK)
        code = print_producer(producer);
    if (code == HSTREAM_OK)
        print_numbers(client);
    if (code == HSTREAM_OK)
        code = print_client(client, &err);
    if (code != HSTREAM_OK)
        fprintf(stderr, "stats: %s\n", err ? hstream_error_message(err, NULL) : hstream_code_description(code));

    hstream_producer_free(producer);
    hstream_error_free(err);
    hstream_client_free(client);
    hstream_producer_options_free(producing);
    hstream_client_options_free(options);
    return code == HSTREAM_OK ? 0 : 1;
}
