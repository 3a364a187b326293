/*
 * Appends events through the buffered producer, and counts what became of them.
 *
 *     buffered_append URL STREAM [FILE]
 *
 * FILE has a JSON object on each line, whose `id` becomes the record's key. The stream must be there. Exits with 1
 * if an event was not written, with 2 if the command line makes no sense.
 */

#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "hstreamdb.h"

#define DEFAULT_FILE "examples/data/earthquakes.ndjson"
#define PATIENCE_MS 60000

struct outcomes {
    size_t written, batches;
    size_t failed_line; /* the first that was not written */
    char problem[256];
};

/* Says what went wrong, if something did, and frees the error. */
static int ok(hstream_code_t code, hstream_error_t **err, const char *what)
{
    if (code == HSTREAM_OK)
        return 1;
    fprintf(stderr, "buffered_append: %s: %s\n", what, hstream_error_message(*err, NULL));
    hstream_error_free(*err);
    *err = NULL;
    return 0;
}

/* Called on the producer's own thread, batch by batch. */
static void on_delivery(const hstream_deliveries_t *deliveries, void *user_data)
{
    struct outcomes *outcomes = user_data;
    size_t count = hstream_deliveries_count(deliveries);
    for (size_t i = 0; i < count; i++) {
        if (hstream_deliveries_code(deliveries, i) == HSTREAM_OK) {
            outcomes->written++;
        } else if (!outcomes->failed_line) {
            outcomes->failed_line = hstream_deliveries_tag(deliveries, i);
            snprintf(outcomes->problem, sizeof outcomes->problem, "%s",
                     hstream_error_message(hstream_deliveries_error(deliveries, i), NULL));
        }
    }
    outcomes->batches++;
}

/* Being accepted is not being written: the report says what became of it, and brings the number of the line back. */
static int append(hstream_appender_t *appender, const char *line, size_t len, size_t number)
{
    char what[64];
    hstream_error_t *err = NULL;
    hstream_hrecord_t *event = NULL;
    hstream_record_t *record = NULL;
    size_t id_len = 0;

    snprintf(what, sizeof what, "line %zu", number);
    int good = ok(hstream_hrecord_from_json(line, len, &event, &err), &err, what);
    if (good) {
        const char *id = hstream_hrecord_get_string(event, "id", &id_len);
        good = ok(hstream_record_new_hrecord(event, id, id_len, &record, &err), &err, what);
    }
    if (good)
        good = ok(hstream_appender_append(appender, record, number, PATIENCE_MS, NULL, &err), &err, what);
    hstream_record_free(record);
    hstream_hrecord_free(event);
    return good;
}

static int append_lines(hstream_appender_t *appender, const char *name)
{
    FILE *file = fopen(name, "r");
    char *line = NULL;
    size_t room = 0, number = 0;
    ssize_t len;
    int good = file != NULL;

    while (good && (len = getline(&line, &room, file)) > 0)
        good = append(appender, line, (size_t)len, ++number);
    if (!file || ferror(file)) {
        fprintf(stderr, "buffered_append: %s: %s\n", name, strerror(errno));
        good = 0;
    }
    free(line);
    if (file)
        fclose(file);
    return good;
}

static int run(hstream_client_t *client, const char *stream, const char *file, struct outcomes *outcomes)
{
    hstream_error_t *err = NULL;
    hstream_producer_t *producer = NULL;
    hstream_appender_t *appender = NULL;
    hstream_producer_options_t *options = hstream_producer_options_new();

    int good = ok(hstream_producer_options_set(options, "compression.kind", "gzip", &err), &err, "compression");
    if (good && hstream_producer_options_set_delivery_callback(options, on_delivery, outcomes, NULL) != HSTREAM_OK)
        good = 0;
    good = good && ok(hstream_producer_new(client, options, &producer, &err), &err, "a producer") &&
           ok(hstream_producer_open(producer, stream, NULL, &appender, &err), &err, stream) &&
           append_lines(appender, file) &&
           ok(hstream_producer_close(producer, PATIENCE_MS, NULL, NULL, NULL, NULL, &err), &err, "closing");
    /* After it no callback runs. */
    hstream_producer_free(producer);
    hstream_appender_free(appender);
    hstream_producer_options_free(options);
    return good;
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: buffered_append URL STREAM [FILE]\n");
        return 2;
    }
    struct outcomes outcomes = {0};
    hstream_error_t *err = NULL;
    hstream_client_t *client = NULL;
    hstream_client_options_t *options = hstream_client_options_new();

    int good = ok(hstream_client_options_set_url(options, argv[1], &err), &err, argv[1]) &&
               ok(hstream_client_connect(options, NULL, &client, &err), &err, argv[1]) &&
               run(client, argv[2], argc > 3 ? argv[3] : DEFAULT_FILE, &outcomes);
    hstream_client_free(client);
    hstream_client_options_free(options);
    if (good && outcomes.failed_line) {
        fprintf(stderr, "buffered_append: line %zu: %s\n", outcomes.failed_line, outcomes.problem);
        good = 0;
    }
    if (good)
        printf("%zu events written in %zu batches\n", outcomes.written, outcomes.batches);
    return good ? 0 : 1;
}
