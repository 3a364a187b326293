/*
 * The whole journey of some events: from a file of JSON lines through a stream, and back to be looked at.
 *
 *     quickstart [--url URL] [--compression none|gzip|zstd] [FILE]
 *
 * Each line of FILE is an event with an `id` and a network, `properties.net`, which becomes the record's key:
 * so the events of one network keep their order. Without --url a server is started inside this process, if
 * the library has one. Exits with 1 if anything fails, with 2 if the command line makes no sense.
 */

#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "hstreamdb.h"

#define DEFAULT_FILE "examples/data/earthquakes.ndjson"
#define SHARDS 4
#define PATIENCE_MS 120000

struct event {
    char *json;
    size_t json_len;
    size_t line;
    char *id;
    size_t network;
    size_t ordinal; /* its place in the file */
    int seen;       /* how often it came back */
};

struct network {
    char *name;
    size_t events;
    size_t next; /* the least ordinal that may come next, so that order is kept */
};

struct journey {
    const char *url;
    const char *file;
    int32_t compression;
    int progress;

    struct event *events; /* in the order of the file */
    size_t count;
    size_t bytes;
    struct event **by_id;
    struct network *networks;
    size_t network_count;

    hstream_consumer_t *consumer;
    size_t written, write_batches;
    size_t read, acked;
    char problem[256]; /* what a callback has found */
};

/* ---- Small things -------------------------------------------------------------------------------------- */

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "quickstart: %s%s%s\n", what, *why ? ": " : "", why);
    return 0;
}

/* Says what went wrong, if something did, and frees the error: `err` is where the call has put it, if it has. */
static int ok(hstream_code_t code, hstream_error_t **err, const char *what)
{
    if (code == HSTREAM_OK)
        return 1;
    fail(what, err ? hstream_error_message(*err, NULL) : hstream_code_description(code));
    if (err)
        hstream_error_free(*err);
    return 0;
}

static char *copy(const char *text)
{
    char *copied = malloc(strlen(text) + 1);
    return copied ? strcpy(copied, text) : NULL;
}

/* Makes room for one more element; doubles what there is. */
static void *grown(void *array, size_t count, size_t size)
{
    if (count & (count - 1)) /* room is there until the next power of two */
        return array;
    return realloc(array, (count ? 2 * count : 1) * size);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void show_progress(const struct journey *journey, const char *what, size_t done)
{
    if (journey->progress)
        fprintf(stderr, "\r%s %zu of %zu%s", what, done, journey->count, done == journey->count ? "\n" : "");
}

/* ---- The file ------------------------------------------------------------------------------------------ */

static int find_network(struct journey *journey, const char *name, size_t *found)
{
    for (*found = 0; *found < journey->network_count; ++*found)
        if (strcmp(journey->networks[*found].name, name) == 0)
            return 1;
    struct network *networks = grown(journey->networks, journey->network_count, sizeof *networks);
    if (!networks)
        return fail("out of memory", "");
    journey->networks = networks;
    networks[*found] = (struct network){.name = copy(name)};
    if (!networks[*found].name)
        return fail("out of memory", "");
    journey->network_count++;
    return 1;
}

/* Finds out id and network of an event. */
static int look_at_event(struct journey *journey, struct event *event)
{
    char where[512];
    hstream_error_t *err = NULL;
    hstream_hrecord_t *record = NULL, *properties = NULL;
    char *text = NULL;
    size_t len = 0;
    int good = 0;

    snprintf(where, sizeof where, "%s, line %zu", journey->file, event->line);
    /* Numbers that a double can't hold are refused here as well. */
    if (!ok(hstream_hrecord_from_json(event->json, event->json_len, &record, &err), &err, where))
        goto end;
    if (hstream_hrecord_type(record, "id") != HSTREAM_TYPE_STRING) {
        fail(where, "the event has no id");
        goto end;
    }
    if (hstream_hrecord_type(record, "properties") == HSTREAM_TYPE_OBJECT &&
        (!ok(hstream_hrecord_get_json(record, "properties", &text, &len, &err), &err, where) ||
         !ok(hstream_hrecord_from_json(text, len, &properties, &err), &err, where)))
        goto end;
    event->id = copy(hstream_hrecord_get_string(record, "id", NULL));
    if (!event->id) {
        fail("out of memory", "");
        goto end;
    }
    /* "" if there is none */
    good = find_network(journey, hstream_hrecord_get_string(properties, "net", NULL), &event->network);
    if (good)
        journey->networks[event->network].events++;
end:
    hstream_string_free(text);
    hstream_hrecord_free(properties);
    hstream_hrecord_free(record);
    return good;
}

static int by_id(const void *a, const void *b)
{
    return strcmp((*(struct event *const *)a)->id, (*(struct event *const *)b)->id);
}

/* Sorts the events by id, to find them again. */
static int index_events(struct journey *journey)
{
    journey->by_id = malloc((journey->count ? journey->count : 1) * sizeof *journey->by_id);
    if (!journey->by_id)
        return fail("out of memory", "");
    for (size_t i = 0; i < journey->count; i++)
        journey->by_id[i] = &journey->events[i];
    qsort(journey->by_id, journey->count, sizeof *journey->by_id, by_id);
    for (size_t i = 1; i < journey->count; i++)
        if (by_id(&journey->by_id[i - 1], &journey->by_id[i]) == 0)
            return fail(journey->file, "two events have the same id");
    return 1;
}

static int read_file(struct journey *journey)
{
    FILE *file = fopen(journey->file, "r");
    char *line = NULL;
    size_t room = 0, number = 0;
    ssize_t len;
    int good = 0;

    if (!file)
        return fail(journey->file, strerror(errno));
    while ((len = getline(&line, &room, file)) >= 0) {
        number++;
        while (len > 0 && strchr("\r\n \t", line[len - 1]))
            line[--len] = 0;
        if (len == 0)
            continue;
        struct event *events = grown(journey->events, journey->count, sizeof *events);
        if (!events) {
            fail("out of memory", "");
            goto end;
        }
        journey->events = events;
        struct event *event = &events[journey->count];
        *event = (struct event){.json_len = (size_t)len, .line = number, .ordinal = journey->count};
        event->json = malloc((size_t)len + 1);
        if (!event->json) {
            fail("out of memory", "");
            goto end;
        }
        memcpy(event->json, line, (size_t)len + 1);
        journey->count++;
        journey->bytes += event->json_len;
        if (!look_at_event(journey, event))
            goto end;
    }
    good = ferror(file) ? fail(journey->file, strerror(errno)) : index_events(journey);
end:
    free(line);
    fclose(file);
    return good;
}

/* ---- There --------------------------------------------------------------------------------------------- */

/* On the producer's thread; the close below waits for the last call. */
static void on_delivery(const hstream_deliveries_t *deliveries, void *user_data)
{
    struct journey *journey = user_data;
    size_t count = hstream_deliveries_count(deliveries);

    for (size_t i = 0; i < count; i++) {
        if (hstream_deliveries_code(deliveries, i) == HSTREAM_OK)
            journey->written++;
        else if (!*journey->problem)
            snprintf(journey->problem, sizeof journey->problem, "line %zu was not written: %s",
                     journey->events[hstream_deliveries_tag(deliveries, i)].line,
                     hstream_error_message(hstream_deliveries_error(deliveries, i), NULL));
    }
    journey->write_batches++;
    show_progress(journey, "written", journey->written);
}

static int write_events(struct journey *journey, hstream_client_t *client, const char *stream)
{
    hstream_error_t *err = NULL;
    hstream_producer_options_t *options = hstream_producer_options_new();
    hstream_producer_t *producer = NULL;
    hstream_appender_t *appender = NULL;
    int good = 0;

    if (!ok(hstream_producer_options_set_compression(options, journey->compression, HSTREAM_LEVEL_DEFAULT), NULL,
            "setting the compression") ||
        !ok(hstream_producer_options_set_delivery_callback(options, on_delivery, journey, NULL), NULL,
            "setting the delivery callback") ||
        !ok(hstream_producer_new(client, options, &producer, &err), &err, "making a producer") ||
        !ok(hstream_producer_open(producer, stream, NULL, &appender, &err), &err, "opening the stream"))
        goto end;
    for (size_t i = 0; i < journey->count; i++) {
        const struct event *event = &journey->events[i];
        const char *key = journey->networks[event->network].name;
        char where[512];
        snprintf(where, sizeof where, "%s, line %zu", journey->file, event->line);
        if (!ok(hstream_appender_append_json(appender, key, HSTREAM_NTS, event->json, event->json_len, i,
                                             PATIENCE_MS, NULL, &err),
                &err, where))
            goto end;
    }
    if (!ok(hstream_producer_close(producer, PATIENCE_MS, NULL, NULL, NULL, NULL, &err), &err, "closing the producer"))
        goto end;
    good = !*journey->problem || fail(journey->problem, "");
end:
    hstream_appender_free(appender);
    hstream_producer_free(producer);
    hstream_producer_options_free(options);
    return good;
}

/* ---- And back ------------------------------------------------------------------------------------------ */

/* Looks at one record: a known event, for the first time, in its network, behind those that came before. */
static const char *look_at_record(struct journey *journey, const hstream_record_t *record)
{
    hstream_hrecord_t *fields = NULL;
    const char *problem = NULL;

    if (hstream_record_to_hrecord(record, &fields, NULL) != HSTREAM_OK)
        return "a record can't be read";
    struct event wanted = {.id = (char *)hstream_hrecord_get_string(fields, "id", NULL)}, *key = &wanted;
    struct event **found = bsearch(&key, journey->by_id, journey->count, sizeof *journey->by_id, by_id);
    hstream_hrecord_free(fields);
    if (!found)
        return "a record came that was not written";
    struct event *event = *found;
    struct network *network = &journey->networks[event->network];
    if (event->seen++)
        problem = "an event came twice";
    else if (strcmp(hstream_record_key(record, NULL), network->name) != 0)
        problem = "an event came with the key of another network";
    else if (event->ordinal < network->next)
        problem = "the events of a network came out of order";
    network->next = event->ordinal + 1;
    return problem;
}

/* On the consumer's thread; the run below waits for the last call. */
static int32_t on_batch(const hstream_batch_t *batch, const hstream_error_t *error, void *user_data)
{
    struct journey *journey = user_data;
    hstream_error_t *err = NULL;

    if (!batch) {
        if (error)
            snprintf(journey->problem, sizeof journey->problem, "%s", hstream_error_message(error, NULL));
        return HSTREAM_STOP;
    }
    size_t count = hstream_batch_count(batch);
    for (size_t i = 0; i < count && !*journey->problem; i++) {
        const char *problem = look_at_record(journey, hstream_batch_at(batch, i));
        if (problem)
            snprintf(journey->problem, sizeof journey->problem, "%s", problem);
    }
    if (!*journey->problem && hstream_consumer_ack_batch(journey->consumer, batch, &err) != HSTREAM_OK) {
        snprintf(journey->problem, sizeof journey->problem, "%s", hstream_error_message(err, NULL));
        hstream_error_free(err);
    }
    if (*journey->problem)
        return HSTREAM_STOP;
    journey->acked += count;
    journey->read += count;
    show_progress(journey, "read", journey->read);
    return journey->read < journey->count ? HSTREAM_PROCESSED : HSTREAM_STOP;
}

static int read_events(struct journey *journey, hstream_client_t *client, const char *subscription)
{
    hstream_error_t *err = NULL;
    hstream_consumer_options_t *options = hstream_consumer_options_new();
    int good = 0;

    if (ok(hstream_consumer_options_set_callback(options, on_batch, journey, NULL), NULL, "setting the callback") &&
        ok(hstream_consumer_new(client, subscription, options, NULL, &journey->consumer, &err), &err,
           "making a consumer") &&
        ok(hstream_consumer_run(journey->consumer, PATIENCE_MS, NULL, &err), &err, "consuming") &&
        ok(hstream_consumer_close(journey->consumer, PATIENCE_MS, NULL, &err), &err, "closing the consumer"))
        good = !*journey->problem || fail(journey->problem, "");
    hstream_consumer_free(journey->consumer);
    journey->consumer = NULL;
    hstream_consumer_options_free(options);
    return good;
}

/* ---- The whole ----------------------------------------------------------------------------------------- */

static int create(hstream_client_t *client, const char *name)
{
    hstream_error_t *err = NULL;
    hstream_stream_options_t *stream = hstream_stream_options_new();
    hstream_subscription_options_t *subscription = hstream_subscription_options_new();

    int good =
        ok(hstream_stream_options_set_shard_count(stream, SHARDS), NULL, "setting the shard count") &&
        ok(hstream_subscription_options_set_start(subscription, HSTREAM_OFFSET_EARLIEST), NULL, "setting the start") &&
        ok(hstream_subscription_options_set_ack_timeout_seconds(subscription, 30), NULL, "setting the ack time-out") &&
        ok(hstream_client_create_stream(client, name, stream, NULL, NULL, &err), &err, "creating the stream") &&
        ok(hstream_client_create_subscription(client, name, name, subscription, NULL, NULL, &err), &err,
           "creating the subscription");
    hstream_subscription_options_free(subscription);
    hstream_stream_options_free(stream);
    return good;
}

/* Deletes what was created, whatever there is of it. */
static int delete(hstream_client_t *client, const char *name)
{
    hstream_error_t *err = NULL;
    uint32_t flags = HSTREAM_DELETE_FORCE | HSTREAM_DELETE_IGNORE_MISSING;

    int good = ok(hstream_client_delete_subscription(client, name, flags, NULL, &err), &err, "deleting the subscription");
    return ok(hstream_client_delete_stream(client, name, flags, NULL, &err), &err, "deleting the stream") && good;
}

static int connect_to(const char *url, hstream_client_t **client)
{
    hstream_error_t *err = NULL;
    hstream_client_options_t *options = hstream_client_options_new();

    int good = ok(hstream_client_options_set_url(options, url, &err), &err, "the URL") &&
               ok(hstream_client_connect(options, NULL, client, &err), &err, "connecting");
    hstream_client_options_free(options);
    return good;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct network *)a)->name, ((const struct network *)b)->name);
}

static void summarize(struct journey *journey, double writing, double in_all)
{
    qsort(journey->networks, journey->network_count, sizeof *journey->networks, by_name);
    printf("%zu events of %zu networks:", journey->count, journey->network_count);
    for (size_t i = 0; i < journey->network_count; i++)
        printf("%s %s %zu", i ? "," : "", journey->networks[i].name, journey->networks[i].events);
    printf("\n%zu bytes of JSON in %zu batches, written in %.1f s; all read and acked after %.1f s\n",
           journey->bytes, journey->write_batches, writing, in_all);
    printf("%zu events written, %zu read, %zu acked\n", journey->written, journey->read, journey->acked);
}

static int travel(struct journey *journey)
{
    hstream_client_t *client = NULL;
#ifdef HSTREAM_HAS_DEV_SERVER
    hstream_dev_server_t *server = NULL;
    hstream_error_t *err = NULL;
#endif
    char name[64];
    int good = 0, created = 0;

    if (!read_file(journey))
        return 0;
#ifdef HSTREAM_HAS_DEV_SERVER
    if (!journey->url) {
        if (!ok(hstream_dev_server_start(1, &server, &err), &err, "starting a server"))
            goto end;
        journey->url = hstream_dev_server_url(server, NULL);
    }
#endif
    if (!connect_to(journey->url ? journey->url : "hstream://127.0.0.1", &client))
        goto end;
    snprintf(name, sizeof name, "quickstart-%ld-%ld", (long)time(NULL), (long)getpid());
    created = 1;
    if (!create(client, name))
        goto end;
    double start = now();
    if (!write_events(journey, client, name))
        goto end;
    double written = now();
    if (journey->count && !read_events(journey, client, name))
        goto end;
    double read = now();
    good = 1;
    created = 0;
    if (!delete(client, name))
        good = 0;
    else
        summarize(journey, written - start, read - start);
end:
    if (created && !delete(client, name))
        good = 0;
    hstream_client_free(client);
#ifdef HSTREAM_HAS_DEV_SERVER
    hstream_dev_server_free(server);
#endif
    return good;
}

static int usage(const char *why, const char *what)
{
    fprintf(stderr, "quickstart: %s%s\nusage: quickstart [--url URL] [--compression none|gzip|zstd] [FILE]\n", why, what);
    return 2;
}

int main(int argc, char **argv)
{
    struct journey journey = {.file = DEFAULT_FILE, .progress = isatty(2)};
    int files = 0;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--url") == 0 && i + 1 < argc) {
            journey.url = argv[++i];
        } else if (strcmp(argv[i], "--compression") == 0 && i + 1 < argc) {
            const char *kind = argv[++i];
            if (strcmp(kind, "none") == 0)
                journey.compression = HSTREAM_COMPRESSION_NONE;
            else if (strcmp(kind, "gzip") == 0)
                journey.compression = HSTREAM_COMPRESSION_GZIP;
            else if (strcmp(kind, "zstd") == 0)
                journey.compression = HSTREAM_COMPRESSION_ZSTD;
            else
                return usage("unknown compression ", kind);
        } else if (argv[i][0] == '-' || files++) {
            return usage("can't understand ", argv[i]);
        } else {
            journey.file = argv[i];
        }
    }
    int good = travel(&journey);

    for (size_t i = 0; i < journey.count; i++) {
        free(journey.events[i].json);
        free(journey.events[i].id);
    }
    for (size_t i = 0; i < journey.network_count; i++)
        free(journey.networks[i].name);
    free(journey.events);
    free(journey.by_id);
    free(journey.networks);
    return good ? 0 : 1;
}
