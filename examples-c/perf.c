/* Produces records as fast as it can; prints how many were written, and the seconds and CPU seconds it took:
 * perf URL STREAM SIZE RECORDS_A_BATCH COUNT call|callback|packed
 * 0 records a batch are as many as fit. Each call appends one record, or with `packed` 64 of them. */

#define _POSIX_C_SOURCE 200809L

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "hstreamdb.h"

enum { PACKED = 64, CLOSE_MS = 60000 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void count_records(const hstream_deliveries_t *deliveries, void *user_data)
{
    uint64_t *reported = user_data;
    size_t count = hstream_deliveries_count(deliveries);
    for (size_t i = 0; i < count; i++)
        *reported += hstream_deliveries_tag(deliveries, i);
}

static hstream_code_t append_singly(hstream_appender_t *appender, const char *payload, size_t size, uint64_t count,
                                    hstream_error_t **err)
{
    hstream_code_t code = HSTREAM_OK;
    for (uint64_t i = 0; i < count && code == HSTREAM_OK; i++)
        code = hstream_appender_append_raw(appender, NULL, 0, payload, size, 1, -1, NULL, err);
    return code;
}

static hstream_code_t append_packed(hstream_appender_t *appender, const char *payloads, size_t size, uint64_t count,
                                    hstream_error_t **err)
{
    size_t ends[PACKED];
    for (size_t i = 0; i < PACKED; i++)
        ends[i] = (i + 1) * size;
    hstream_code_t code = HSTREAM_OK;
    while (count > 0 && code == HSTREAM_OK) {
        size_t some = count < PACKED ? (size_t)count : PACKED;
        code = hstream_appender_append_packed(appender, payloads, ends, NULL, NULL, NULL, some, -1, NULL, NULL, err);
        count -= some;
    }
    return code;
}

int main(int argc, char **argv)
{
    if (argc != 7) {
        fprintf(stderr, "usage: perf URL STREAM SIZE RECORDS_A_BATCH COUNT call|callback|packed\n");
        return 2;
    }
    size_t size = strtoull(argv[3], NULL, 10);
    uint64_t count = strtoull(argv[5], NULL, 10), reported = 0, failed = 0, unknown = 0;
    int with_callback = strcmp(argv[6], "callback") == 0, packed = strcmp(argv[6], "packed") == 0;
    char *payloads = malloc(PACKED * size + 1);
    hstream_client_options_t *options = hstream_client_options_new();
    hstream_producer_options_t *producer_options = hstream_producer_options_new();
    hstream_client_t *client = NULL;
    hstream_producer_t *producer = NULL;
    hstream_appender_t *appender = NULL;
    hstream_error_t *err = NULL;
    if (payloads == NULL || options == NULL || producer_options == NULL)
        return 1;
    memset(payloads, 'x', PACKED * size);

    hstream_code_t code = hstream_client_options_set_url(options, argv[1], &err);
    if (code == HSTREAM_OK)
        code = hstream_client_connect(options, NULL, &client, &err);
    if (code == HSTREAM_OK)
        code = hstream_producer_options_set_batch_records(producer_options, (uint32_t)strtoul(argv[4], NULL, 10));
    if (code == HSTREAM_OK && with_callback)
        code = hstream_producer_options_set_delivery_callback(producer_options, count_records, &reported, NULL);
    if (code == HSTREAM_OK)
        code = hstream_producer_new(client, producer_options, &producer, &err);
    if (code == HSTREAM_OK)
        code = hstream_producer_open(producer, argv[2], NULL, &appender, &err);

    double started = now(), cpu_before = cpu();
    if (code == HSTREAM_OK)
        code = (packed ? append_packed : append_singly)(appender, payloads, size, count, &err);
    if (code == HSTREAM_OK)
        code = hstream_producer_close(producer, CLOSE_MS, NULL, NULL, &failed, &unknown, &err);
    uint64_t written = with_callback ? reported : count - failed - unknown;
    if (code == HSTREAM_OK)
        printf("%" PRIu64 " %f %f\n", written, now() - started, cpu() - cpu_before);
    else
        fprintf(stderr, "perf: %s\n", hstream_error_message(err, NULL));

    hstream_appender_free(appender);
    hstream_producer_free(producer);
    hstream_client_free(client);
    hstream_producer_options_free(producer_options);
    hstream_client_options_free(options);
    hstream_error_free(err);
    free(payloads);
    return code == HSTREAM_OK ? 0 : 1;
}
