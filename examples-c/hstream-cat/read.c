/* -R: the records of a stream, of one shard or of one key on standard output, without a subscription. */

#include <string.h>

#include "cat.h"

#define MOST_AT_ONCE 1000

static int set_range(struct app *app)
{
    hstream_error_t *err = NULL;
    const char *from = app->from && app->from[0] == '@' ? app->from + 1 : app->from;
    if (from && !ok(hstream_reader_options_set(app->reader_options, "from", from, &err), &err, "-o"))
        return 0;
    return !app->to_end || ok(hstream_reader_options_set(app->reader_options, "until", "latest", &err), &err, "-e");
}

static int open_reader(struct app *app, hstream_reader_t **reader)
{
    hstream_error_t *err = NULL;
    hstream_code_t code;
    if (app->key)
        code = hstream_reader_open_key(app->client, app->subject, app->key, strlen(app->key), app->reader_options,
                                       app->call, reader, &err);
    else if (app->has_shard)
        code = hstream_reader_open_shard(app->client, app->subject, app->shard, app->reader_options, app->call, reader,
                                         &err);
    else
        code = hstream_reader_open_stream(app->client, app->subject, app->reader_options, app->call, reader, &err);
    return ok(code, &err, app->subject);
}

/* A shard that ends before -o begins has nothing to read. */
static int copy(struct app *app, hstream_reader_t *reader)
{
    uint64_t printed = 0;
    while (app->count == 0 || printed < app->count) {
        hstream_error_t *err = NULL;
        hstream_batch_t *batch = NULL;
        uint64_t left = app->count ? app->count - printed : MOST_AT_ONCE;
        uint32_t room = left < MOST_AT_ONCE ? (uint32_t)left : MOST_AT_ONCE;
        hstream_code_t code = hstream_reader_read(reader, room, HSTREAM_FOREVER, app->cancel, &batch, &err);
        if (code == HSTREAM_END || (app->to_end && code == HSTREAM_ERR_SHARD_READER_CONFLICT_OFFSET)) {
            hstream_error_free(err);
            return 1;
        }
        if (!ok(code, &err, app->subject))
            return 0;
        printed += hstream_batch_count(batch);
        int good = print_batch(app, batch);
        hstream_batch_free(batch);
        if (!good)
            return 0;
    }
    return 1;
}

/* Where -X reader.position=TEXT goes on. */
static void tell_position(hstream_reader_t *reader)
{
    char *position = NULL;
    if (hstream_reader_position_text(reader, &position, NULL, NULL) == HSTREAM_OK)
        fprintf(stderr, PROGRAM ": position: %s\n", position);
    hstream_string_free(position);
}

int read_records(struct app *app)
{
    hstream_reader_t *reader = NULL;
    int good = set_range(app) && open_reader(app, &reader) && (copy(app, reader) || reader_has_gone());
    if (reader && app->verbose && !reader_has_gone())
        tell_position(reader);
    hstream_reader_free(reader);
    return good && app->problems == 0 ? EXIT_GOOD : EXIT_BAD;
}
