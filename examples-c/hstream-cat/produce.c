/* -P: lines of standard input become records, and each one that does not is named. */

#define _POSIX_C_SOURCE 200809L

#include <inttypes.h>
#include <string.h>

#include "cat.h"

/* What becomes of the records. The callback has `lost` to itself until the producer is closed. */
struct sending {
    hstream_producer_t *producer;
    hstream_appender_t *appender;
    uint64_t taken, refused, lost;
};

static void tell_line(uint64_t number, const char *fate, const char *why)
{
    fprintf(stderr, PROGRAM ": line %" PRIu64 ": %s: %s\n", number, fate, why);
}

/* Called on the producer's own thread, for failures only. The tag is the number of the line. */
static void on_delivery(const hstream_deliveries_t *deliveries, void *user_data)
{
    struct sending *sending = user_data;
    for (size_t i = 0; i < hstream_deliveries_count(deliveries); i++) {
        const hstream_error_t *error = hstream_deliveries_error(deliveries, i);
        const char *fate = hstream_error_is_ambiguous(error) ? "may have been written" : "not written";
        tell_line(hstream_deliveries_tag(deliveries, i), fate, hstream_error_message(error, NULL));
        sending->lost++;
    }
}

/* Where the delimiter is, or NULL. */
static const char *find(const char *line, size_t len, const char *delimiter)
{
    size_t wanted = strlen(delimiter);
    for (size_t at = 0; at + wanted <= len; at++)
        if (memcmp(line + at, delimiter, wanted) == 0)
            return line + at;
    return NULL;
}

static hstream_code_t append(struct app *app, struct sending *sending, const char *line, size_t len,
                             hstream_error_t **err)
{
    const char *key = NULL, *value = line;
    size_t key_len = 0;
    const char *delimiter = app->key_delimiter ? find(line, len, app->key_delimiter) : NULL;
    if (delimiter) {
        key = line;
        key_len = (size_t)(delimiter - line);
        value = delimiter + strlen(app->key_delimiter);
    }
    size_t value_len = len - (size_t)(value - line);
    return (app->json ? hstream_appender_append_json : hstream_appender_append_raw)(
        sending->appender, key, key_len, value, value_len, sending->taken, HSTREAM_FOREVER, app->cancel, err);
}

/* A line that is refused is told, and those behind it are taken all the same. */
static void append_lines(struct app *app, struct sending *sending, struct lines *lines)
{
    char *line;
    size_t len;
    while ((app->count == 0 || sending->taken < app->count) && next_line(lines, &line, &len)) {
        hstream_error_t *err = NULL;
        sending->taken++;
        if (append(app, sending, line, len, &err) != HSTREAM_OK) {
            tell_line(sending->taken, "not written", hstream_error_message(err, NULL));
            sending->refused++;
        }
        hstream_error_free(err);
    }
}

static int start(struct app *app, struct sending *sending)
{
    hstream_error_t *err = NULL;
    hstream_producer_options_t *options = app->producer_options;
    return ok(hstream_producer_options_set_reports(options, HSTREAM_REPORTS_FAILURES), NULL, "reports") &&
           ok(hstream_producer_options_set_delivery_callback(options, on_delivery, sending, NULL), NULL, "reports") &&
           ok(hstream_producer_new(app->client, options, &sending->producer, &err), &err, "a producer") &&
           ok(hstream_producer_open(sending->producer, app->subject, app->call, &sending->appender, &err), &err,
              app->subject);
}

/* Everything taken is written or told when it returns. A signal shortens the wait. */
static int finish(struct app *app, struct sending *sending)
{
    hstream_error_t *err = NULL;
    uint64_t written = 0, failed = 0, unknown = 0;
    hstream_code_t code =
        hstream_producer_close(sending->producer, HSTREAM_FOREVER, app->cancel, &written, &failed, &unknown, &err);
    if (code == HSTREAM_ERR_INTERRUPTED) {
        hstream_error_free(err);
        code = hstream_producer_close(sending->producer, FAREWELL_MS, NULL, &written, &failed, &unknown, &err);
    }
    if (caught_signal())
        fprintf(stderr, PROGRAM ": stopped by a signal after line %" PRIu64 "\n", sending->taken);
    if (app->verbose)
        fprintf(stderr, PROGRAM ": %" PRIu64 " of %" PRIu64 " lines written\n",
                sending->taken - sending->refused - sending->lost, sending->taken);
    return ok(code, &err, "closing") && sending->refused == 0 && sending->lost == 0;
}

int produce(struct app *app)
{
    struct lines lines = {0};
    struct sending sending = {0};
    int good = start(app, &sending);

    if (good) {
        append_lines(app, &sending, &lines);
        good = finish(app, &sending) && !lines.failed;
    }
    hstream_appender_free(sending.appender);
    hstream_producer_free(sending.producer);
    free_lines(&lines);
    return good ? EXIT_GOOD : EXIT_BAD;
}
