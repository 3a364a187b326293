/*
 * One thread and one epoll set for all: the reports of a producer, the records of a consumer and those of a reader.
 *
 *     poll_loop URL STREAM SUBSCRIPTION COUNT
 *
 * Appends COUNT records and ends when each was reported, consumed and read. Linux only.
 */

#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "hstreamdb.h"

#define PATIENCE_MS 30000

enum source { PRODUCER, CONSUMER, READER, SOURCES };

struct loop {
    hstream_producer_t *producer;
    hstream_appender_t *appender;
    hstream_consumer_t *consumer;
    hstream_reader_t *reader;
    size_t got[SOURCES];
};

static hstream_code_t open_all(struct loop *loop, hstream_client_t *client, char **names, hstream_error_t **err)
{
    hstream_producer_options_t *producing = hstream_producer_options_new();
    hstream_reader_options_t *reading = hstream_reader_options_new();
    hstream_code_t code = hstream_producer_options_set(producing, "report.polling", "true", err);
    if (code == HSTREAM_OK)
        code = hstream_reader_options_set(reading, "from", "latest", err);
    if (code == HSTREAM_OK)
        code = hstream_producer_new(client, producing, &loop->producer, err);
    if (code == HSTREAM_OK)
        code = hstream_producer_open(loop->producer, names[0], NULL, &loop->appender, err);
    if (code == HSTREAM_OK)
        code = hstream_consumer_new(client, names[1], NULL, NULL, &loop->consumer, err);
    if (code == HSTREAM_OK) /* otherwise the first poll would */
        code = hstream_consumer_start(loop->consumer, err);
    if (code == HSTREAM_OK)
        code = hstream_reader_open_stream(client, names[0], reading, NULL, &loop->reader, err);
    hstream_reader_options_free(reading);
    hstream_producer_options_free(producing);
    return code;
}

static hstream_code_t watch(const struct loop *loop, int set)
{
    const int fds[SOURCES] = {hstream_producer_event_fd(loop->producer), hstream_consumer_event_fd(loop->consumer),
                              hstream_reader_event_fd(loop->reader)};
    for (uint32_t source = 0; source < SOURCES; source++) {
        struct epoll_event event = {.events = EPOLLIN, .data = {.u32 = source}};
        if (epoll_ctl(set, EPOLL_CTL_ADD, fds[source], &event) != 0)
            return HSTREAM_ERR_RESOURCES;
    }
    return HSTREAM_OK;
}

/* Gets what is there without waiting. A descriptor stays readable while there is more. */
static hstream_code_t serve(struct loop *loop, uint32_t source, hstream_error_t **err)
{
    hstream_deliveries_t *reports = NULL;
    hstream_batch_t *batch = NULL;
    hstream_code_t code;
    if (source == PRODUCER)
        code = hstream_producer_poll(loop->producer, 100, HSTREAM_NO_WAIT, NULL, &reports, err);
    else if (source == CONSUMER)
        code = hstream_consumer_poll(loop->consumer, 100, HSTREAM_NO_WAIT, NULL, &batch, err);
    else
        code = hstream_reader_read(loop->reader, 100, HSTREAM_NO_WAIT, NULL, &batch, err);
    for (size_t i = 0; i < hstream_deliveries_count(reports); i++)
        code = hstream_deliveries_code(reports, i) == HSTREAM_OK ? code : hstream_deliveries_code(reports, i);
    loop->got[source] += hstream_deliveries_count(reports) + hstream_batch_count(batch);
    if (code == HSTREAM_OK && source == CONSUMER && batch)
        code = hstream_consumer_ack_batch(loop->consumer, batch, err);
    hstream_batch_free(batch);
    hstream_deliveries_free(reports);
    return code;
}

static hstream_code_t run(struct loop *loop, int set, size_t wanted, hstream_error_t **err)
{
    hstream_code_t code = HSTREAM_OK;
    for (size_t i = 0; i < wanted && code == HSTREAM_OK; i++)
        code = hstream_appender_append_raw(loop->appender, NULL, 0, "tick", 4, i, HSTREAM_NO_WAIT, NULL, err);
    while (code == HSTREAM_OK &&
           (loop->got[PRODUCER] < wanted || loop->got[CONSUMER] < wanted || loop->got[READER] < wanted)) {
        struct epoll_event events[SOURCES];
        int ready = epoll_wait(set, events, SOURCES, PATIENCE_MS);
        if (ready <= 0)
            return HSTREAM_ERR_TIMEOUT;
        for (int i = 0; i < ready && code == HSTREAM_OK; i++)
            code = serve(loop, events[i].data.u32, err);
    }
    return code;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: poll_loop URL STREAM SUBSCRIPTION COUNT\n");
        return 2;
    }
    struct loop loop = {0};
    hstream_client_options_t *options = hstream_client_options_new();
    hstream_client_t *client = NULL;
    hstream_error_t *err = NULL;
    int set = epoll_create1(EPOLL_CLOEXEC);

    hstream_code_t code = hstream_client_options_set_url(options, argv[1], &err);
    if (code == HSTREAM_OK)
        code = hstream_client_connect(options, NULL, &client, &err);
    if (code == HSTREAM_OK)
        code = open_all(&loop, client, argv + 2, &err);
    if (code == HSTREAM_OK)
        code = watch(&loop, set);
    if (code == HSTREAM_OK)
        code = run(&loop, set, strtoul(argv[4], NULL, 10), &err);
    if (code == HSTREAM_OK) /* the consumer's acks; the others have nothing left */
        code = hstream_consumer_close(loop.consumer, PATIENCE_MS, NULL, &err);
    if (code == HSTREAM_OK)
        printf("%zu reported, %zu consumed, %zu read\n", loop.got[PRODUCER], loop.got[CONSUMER], loop.got[READER]);
    else
        fprintf(stderr, "poll_loop: %s\n", err ? hstream_error_message(err, NULL) : hstream_code_description(code));

    if (set >= 0)
        close(set);
    hstream_reader_free(loop.reader);
    hstream_consumer_free(loop.consumer);
    hstream_appender_free(loop.appender);
    hstream_producer_free(loop.producer);
    hstream_error_free(err);
    hstream_client_free(client);
    hstream_client_options_free(options);
    return code == HSTREAM_OK ? 0 : 1;
}
