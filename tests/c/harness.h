/* For the tests that have a server in this process: connections, streams, and what the process looks like from
 * outside. */

#ifndef HARNESS_H
#define HARNESS_H

#include <dirent.h>
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

static inline hstream_client_t *client_at(const char *url)
{
    hstream_client_options_t *options = hstream_client_options_new();
    hstream_client_t *client = NULL;
    OK(hstream_client_options_set_url(options, url, NULL));
    OK(hstream_client_connect(options, NULL, &client, NULL));
    hstream_client_options_free(options);
    return client;
}

/* A stream with a subscription of the same name, from the earliest record on. */
static inline void make_stream(hstream_client_t *client, const char *name)
{
    hstream_subscription_options_t *subscription = hstream_subscription_options_new();
    OK(hstream_subscription_options_set_start(subscription, HSTREAM_OFFSET_EARLIEST));
    OK(hstream_client_create_stream(client, name, NULL, NULL, NULL, NULL));
    OK(hstream_client_create_subscription(client, name, name, subscription, NULL, NULL, NULL));
    hstream_subscription_options_free(subscription);
}

static inline void append_one(hstream_client_t *client, const char *stream)
{
    OK(hstream_client_append_raw(client, stream, NULL, 0, "x", 1, NULL, NULL, NULL));
}

/* The threads of this process; -1 where they can't be counted. */
static inline int thread_count(void)
{
    DIR *directory = opendir("/proc/self/task");
    int count = 0;
    if (directory == NULL)
        return -1;
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory))
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

/* A number that several threads change. */
struct counter {
    pthread_mutex_t lock;
    size_t value;
};

#define COUNTER {PTHREAD_MUTEX_INITIALIZER, 0}

static inline void add(struct counter *counter, size_t more)
{
    pthread_mutex_lock(&counter->lock);
    counter->value += more;
    pthread_mutex_unlock(&counter->lock);
}

static inline size_t value_of(struct counter *counter)
{
    pthread_mutex_lock(&counter->lock);
    size_t value = counter->value;
    pthread_mutex_unlock(&counter->lock);
    return value;
}

#endif
