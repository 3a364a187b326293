/*
 * Appends events, keeps those that could not be written in a file, and appends them again at the next start.
 *
 *     spool URL STREAM SPOOL [FILE]
 *
 * FILE has a JSON object on each line, whose `id` becomes the record's key. The stream must be there. SPOOL has a
 * line for each record: its key, a tab, its JSON. What is spooled loses its place among the others. Nothing is lost
 * if the program is killed, but some may be written twice then. Exits with 1 if anything else fails, with 2 if the
 * command line makes no sense.
 */

#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "hstreamdb.h"

#define DEFAULT_FILE "examples/data/earthquakes.ndjson"
#define PATIENCE_MS 60000
#define DELIVERY_MS 10000 /* a server that is away for longer costs the records a way round */

/* The file, to whose end failures are written while what it had before is appended again. */
struct spool {
    const char *path;
    FILE *file;
    long before; /* the bytes it had at the start */
    size_t written, spooled;
    int broken; /* the file itself failed, and records are lost */
};

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "spool: %s: %s\n", what, why);
    return 0;
}

/* Says what went wrong, if something did, and frees the error. */
static int ok(hstream_code_t code, hstream_error_t **err, const char *what)
{
    if (code == HSTREAM_OK)
        return 1;
    fail(what, hstream_error_message(*err, NULL));
    hstream_error_free(*err);
    *err = NULL;
    return 0;
}

/* ---- The spool ----------------------------------------------------------------------------------------- */

static int open_spool(struct spool *spool)
{
    spool->file = fopen(spool->path, "a");
    if (!spool->file || fseek(spool->file, 0, SEEK_END) != 0 || (spool->before = ftell(spool->file)) < 0)
        return fail(spool->path, strerror(errno));
    return 1;
}

static int keep(struct spool *spool, const hstream_record_t *record)
{
    hstream_error_t *err = NULL;
    char *json = NULL;
    if (!ok(hstream_record_to_json(record, &json, NULL, &err), &err, "a record"))
        return 0;
    int printed = fprintf(spool->file, "%s\t%s\n", hstream_record_key(record, NULL), json);
    hstream_string_free(json);
    return printed > 0 || fail(spool->path, strerror(errno));
}

/* Called on the producer's own thread, batch by batch. Failures lend their records. */
static void on_delivery(const hstream_deliveries_t *deliveries, void *user_data)
{
    struct spool *spool = user_data;
    size_t count = hstream_deliveries_count(deliveries);
    for (size_t i = 0; i < count; i++) {
        if (hstream_deliveries_code(deliveries, i) == HSTREAM_OK) {
            spool->written++;
        } else {
            spool->spooled++;
            spool->broken |= !keep(spool, hstream_deliveries_record(deliveries, i));
        }
    }
    if (fflush(spool->file) != 0)
        spool->broken = !fail(spool->path, strerror(errno)) || spool->broken;
}

/* Takes out what was there before, all of which is written by now or stands behind it once more. */
static int finish(struct spool *spool)
{
    char rest[4096], buffer[4096];
    size_t got;
    int good = !spool->broken;

    if (fclose(spool->file) != 0)
        good = fail(spool->path, strerror(errno));
    spool->file = NULL;
    if (snprintf(rest, sizeof rest, "%s.new", spool->path) >= (int)sizeof rest)
        return fail(spool->path, "too long a name");
    FILE *from = fopen(spool->path, "r"), *to = fopen(rest, "w");
    good = good && from && to && fseek(from, spool->before, SEEK_SET) == 0;
    while (good && (got = fread(buffer, 1, sizeof buffer, from)) > 0)
        good = fwrite(buffer, 1, got, to) == got;
    good = good && !ferror(from) && fflush(to) == 0 && fsync(fileno(to)) == 0;
    if (from)
        fclose(from);
    if (to && fclose(to) != 0)
        good = 0;
    good = good && rename(rest, spool->path) == 0;
    return good || fail(spool->path, strerror(errno));
}

/* ---- Appending ----------------------------------------------------------------------------------------- */

static int append_event(hstream_appender_t *appender, const char *json, size_t len, const char *where)
{
    hstream_error_t *err = NULL;
    hstream_hrecord_t *event = NULL;
    size_t id_len = 0;

    int good = ok(hstream_hrecord_from_json(json, len, &event, &err), &err, where);
    if (good) {
        const char *id = hstream_hrecord_get_string(event, "id", &id_len);
        hstream_code_t code =
            hstream_appender_append_json(appender, id, id_len, json, len, 0, PATIENCE_MS, NULL, &err);
        good = ok(code, &err, where);
    }
    hstream_hrecord_free(event);
    return good;
}

static int append_spooled(hstream_appender_t *appender, const char *line, size_t len, const char *where)
{
    hstream_error_t *err = NULL;
    const char *tab = memchr(line, '\t', len);
    if (!tab)
        return fail(where, "there is no tab");
    size_t key_len = (size_t)(tab - line);
    hstream_code_t code = hstream_appender_append_json(appender, line, key_len, tab + 1, len - key_len - 1, 0,
                                                       PATIENCE_MS, NULL, &err);
    return ok(code, &err, where);
}

/* Appends the lines of a file up to a place in it; -1 is its end. */
static int append_lines(hstream_appender_t *appender, const char *name, long up_to,
                        int (*append)(hstream_appender_t *, const char *, size_t, const char *))
{
    FILE *file = fopen(name, "r");
    char *line = NULL, where[512];
    size_t room = 0, number = 0;
    ssize_t len;
    long read = 0;
    int good = 1;

    while (good && file && (up_to < 0 || read < up_to) && (len = getline(&line, &room, file)) > 0) {
        read += len;
        snprintf(where, sizeof where, "%s, line %zu", name, ++number);
        good = append(appender, line, (size_t)len, where);
    }
    if (!file || ferror(file))
        good = fail(name, strerror(errno));
    free(line);
    if (file)
        fclose(file);
    return good;
}

static int run(hstream_client_t *client, const char *stream, const char *file, struct spool *spool)
{
    hstream_error_t *err = NULL;
    hstream_producer_t *producer = NULL;
    hstream_appender_t *appender = NULL;
    hstream_producer_options_t *options = hstream_producer_options_new();

    int good = hstream_producer_options_set_delivery_timeout_ms(options, DELIVERY_MS) == HSTREAM_OK &&
               hstream_producer_options_set_delivery_callback(options, on_delivery, spool, NULL) == HSTREAM_OK;
    good = good && ok(hstream_producer_new(client, options, &producer, &err), &err, "a producer") &&
           ok(hstream_producer_open(producer, stream, NULL, &appender, &err), &err, stream) &&
           append_lines(appender, spool->path, spool->before, append_spooled) &&
           append_lines(appender, file, -1, append_event);
    /* What is not settled in time is reported as well, and so it is spooled. */
    if (producer)
        ok(hstream_producer_close(producer, PATIENCE_MS, NULL, NULL, NULL, NULL, &err), &err, "closing");
    hstream_producer_free(producer);
    hstream_appender_free(appender);
    hstream_producer_options_free(options);
    return good;
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc > 5) {
        fprintf(stderr, "usage: spool URL STREAM SPOOL [FILE]\n");
        return 2;
    }
    struct spool spool = {.path = argv[3]};
    hstream_error_t *err = NULL;
    hstream_client_t *client = NULL;
    hstream_client_options_t *options = hstream_client_options_new();

    int good = open_spool(&spool) && ok(hstream_client_options_set_url(options, argv[1], &err), &err, argv[1]) &&
               ok(hstream_client_connect(options, NULL, &client, &err), &err, argv[1]) &&
               run(client, argv[2], argc > 4 ? argv[4] : DEFAULT_FILE, &spool) && finish(&spool);
    if (spool.file)
        fclose(spool.file);
    hstream_client_free(client);
    hstream_client_options_free(options);
    if (good)
        printf("%zu events written, %zu spooled\n", spool.written, spool.spooled);
    return good ? 0 : 1;
}
