/* One epoll set waits for the records of a reader and of a consumer and for the reports of a producer: a descriptor is
 * readable while there is something to get, and not otherwise. Linux only. */

#define _POSIX_C_SOURCE 200809L

#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "check.h"

#define RECORDS 20

enum source { READER, CONSUMER, PRODUCER, SOURCES };

static hstream_client_t *client;
static hstream_reader_t *reader;
static hstream_consumer_t *consumer;
static hstream_producer_t *producer;
static hstream_appender_t *appender;

static void open_all(const char *url)
{
    hstream_client_options_t *options = hstream_client_options_new();
    hstream_subscription_options_t *subscription = hstream_subscription_options_new();
    hstream_consumer_options_t *consuming = hstream_consumer_options_new();
    hstream_producer_options_t *producing = hstream_producer_options_new();

    OK(hstream_client_options_set_url(options, url, NULL));
    OK(hstream_client_connect(options, NULL, &client, NULL));
    OK(hstream_client_create_stream(client, "loop", NULL, NULL, NULL, NULL));
    OK(hstream_subscription_options_set(subscription, "start", "earliest", NULL));
    OK(hstream_client_create_subscription(client, "loop", "loop", subscription, NULL, NULL, NULL));
    OK(hstream_reader_open_stream(client, "loop", NULL, NULL, &reader, NULL));
    OK(hstream_consumer_options_set(consuming, "auto.ack", "true", NULL));
    OK(hstream_consumer_new(client, "loop", consuming, NULL, &consumer, NULL));
    OK(hstream_consumer_start(consumer, NULL));
    OK(hstream_producer_options_set_report_polling(producing, 1));
    OK(hstream_producer_new(client, producing, &producer, NULL));
    OK(hstream_producer_open(producer, "loop", NULL, &appender, NULL));
    hstream_producer_options_free(producing);
    hstream_consumer_options_free(consuming);
    hstream_subscription_options_free(subscription);
    hstream_client_options_free(options);
}

static int watch_all(void)
{
    int fds[SOURCES] = {
        hstream_reader_event_fd(reader),
        hstream_consumer_event_fd(consumer),
        hstream_producer_event_fd(producer),
    };
    int set = epoll_create1(EPOLL_CLOEXEC);
    for (uint32_t source = 0; source < SOURCES; source++) {
        struct epoll_event event = {.events = EPOLLIN, .data = {.u32 = source}};
        CHECK(fds[source] >= 0 && epoll_ctl(set, EPOLL_CTL_ADD, fds[source], &event) == 0);
    }
    return set;
}

/* Gets up to three things of a source, without waiting: there must be some. */
static size_t get(enum source source)
{
    hstream_batch_t *batch = NULL;
    hstream_deliveries_t *deliveries = NULL;
    if (source == READER)
        OK(hstream_reader_read(reader, 3, 0, NULL, &batch, NULL));
    else if (source == CONSUMER)
        OK(hstream_consumer_poll(consumer, 3, 0, NULL, &batch, NULL));
    else
        OK(hstream_producer_poll(producer, 3, 0, NULL, &deliveries, NULL));
    size_t count = hstream_batch_count(batch) + hstream_deliveries_count(deliveries);
    CHECK(count >= 1 && count <= 3);
    hstream_batch_free(batch);
    hstream_deliveries_free(deliveries);
    return count;
}

static int is_complete(const size_t *counts, size_t wanted)
{
    return counts[READER] == wanted && counts[CONSUMER] == wanted && counts[PRODUCER] == wanted;
}

/* Gets what the set says is there, until so much of each has come. */
static void serve(int set, size_t *counts, size_t wanted)
{
    while (!is_complete(counts, wanted)) {
        struct epoll_event events[SOURCES];
        int ready = epoll_wait(set, events, SOURCES, LONG_MS);
        if (!CHECK(ready > 0))
            return;
        for (int i = 0; i < ready; i++)
            counts[events[i].data.u32] += get((enum source)events[i].data.u32);
    }
    struct epoll_event event;
    CHECK(epoll_wait(set, &event, 1, 0) == 0); /* all was got */
}

/* What is over can be got at once as well: the end. */
static void ends_are_readable(int set)
{
    struct epoll_event events[SOURCES];
    hstream_batch_t *batch = NULL;
    hstream_deliveries_t *deliveries = NULL;

    OK(hstream_reader_close(reader, 0, NULL, NULL));
    CHECK(epoll_wait(set, events, SOURCES, LONG_MS) == 1 && events[0].data.u32 == READER);
    CODE(HSTREAM_ERR_CLOSED, hstream_reader_read(reader, 1, 0, NULL, &batch, NULL));
    OK(hstream_consumer_close(consumer, LONG_MS, NULL, NULL));
    CHECK(epoll_wait(set, events, SOURCES, LONG_MS) == 2);
    CODE(HSTREAM_ERR_CLOSED, hstream_consumer_poll(consumer, 1, 0, NULL, &batch, NULL));
    OK(hstream_producer_close(producer, LONG_MS, NULL, NULL, NULL, NULL, NULL));
    CODE(HSTREAM_ERR_CLOSED, hstream_producer_poll(producer, 1, 0, NULL, &deliveries, NULL));
}

int main(void)
{
    hstream_dev_server_t *server = NULL;
    size_t counts[SOURCES] = {0};
    struct epoll_event event;

    if (!OK(hstream_dev_server_start(1, &server, NULL)))
        return 1;
    open_all(hstream_dev_server_url(server, NULL));
    int set = watch_all();
    CHECK(epoll_wait(set, &event, 1, 0) == 0);
    for (size_t round = 1; round <= 3; round++) {
        for (int i = 0; i < RECORDS; i++)
            OK(hstream_appender_append_raw(appender, NULL, 0, "x", 1, 0, LONG_MS, NULL, NULL));
        serve(set, counts, round * RECORDS);
    }
    ends_are_readable(set);
    close(set);
    hstream_reader_free(reader);
    hstream_consumer_free(consumer);
    hstream_appender_free(appender);
    hstream_producer_free(producer);
    hstream_client_free(client);
    hstream_dev_server_free(server);
    CHECK(hstream_live_handles() == 0);
    return failures != 0;
}
