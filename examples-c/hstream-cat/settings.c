/* Options of the library by text. The part before the first dot says whose they are; all others are the client's. */

#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "cat.h"

int make_settings(struct app *app)
{
    app->client_options = hstream_client_options_new();
    app->producer_options = hstream_producer_options_new();
    app->consumer_options = hstream_consumer_options_new();
    app->reader_options = hstream_reader_options_new();
    app->subscription_options = hstream_subscription_options_new();
    hstream_error_t *err = NULL;
    return made(app->client_options) && made(app->producer_options) && made(app->consumer_options) &&
           made(app->reader_options) && made(app->subscription_options) &&
           ok(hstream_client_options_set(app->client_options, "user.agent", PROGRAM, &err), &err, "user.agent") &&
           ok(hstream_client_options_set(app->client_options, "url", DEFAULT_URL, &err), &err, DEFAULT_URL) &&
           /* A subscription made for this run shows what is there, unless told otherwise. */
           ok(hstream_subscription_options_set(app->subscription_options, "start", "earliest", &err), &err, "start");
}

void free_settings(struct app *app)
{
    hstream_client_options_free(app->client_options);
    hstream_producer_options_free(app->producer_options);
    hstream_consumer_options_free(app->consumer_options);
    hstream_reader_options_free(app->reader_options);
    hstream_subscription_options_free(app->subscription_options);
}

/* What follows "prefix." in the key; NULL if it does not begin so. */
static const char *below(const char *key, const char *prefix)
{
    size_t len = strlen(prefix);
    return strncmp(key, prefix, len) == 0 && key[len] == '.' ? key + len + 1 : NULL;
}

static hstream_code_t set(struct app *app, const char *key, const char *value, hstream_error_t **err)
{
    const char *rest;
    if ((rest = below(key, "producer")))
        return hstream_producer_options_set(app->producer_options, rest, value, err);
    if ((rest = below(key, "consumer")))
        return hstream_consumer_options_set(app->consumer_options, rest, value, err);
    if ((rest = below(key, "reader")))
        return hstream_reader_options_set(app->reader_options, rest, value, err);
    if ((rest = below(key, "subscription")))
        return hstream_subscription_options_set(app->subscription_options, rest, value, err);
    rest = below(key, "client");
    return hstream_client_options_set(app->client_options, rest ? rest : key, value, err);
}

int set_pair(struct app *app, const char *pair)
{
    hstream_error_t *err = NULL;
    const char *equals = strchr(pair, '=');
    if (!equals)
        return complain(pair, "not of the form KEY=VALUE");
    char *key = strndup(pair, (size_t)(equals - pair));
    int good = made(key) && ok(set(app, key, equals + 1, &err), &err, key);
    free(key);
    return good;
}

/* A file keeps passwords out of the list of processes. */
int set_file(struct app *app, const char *path)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    int good = file != NULL;

    while (good && (len = getline(&line, &room, file)) > 0) {
        if (line[len - 1] == '\n')
            line[len - 1] = '\0';
        if (line[0] != '\0' && line[0] != '#')
            good = set_pair(app, line);
    }
    if (!file || ferror(file))
        good = complain(path, strerror(errno));
    free(line);
    if (file)
        fclose(file);
    return good;
}

/* KIND or KIND:LEVEL. */
int set_compression(struct app *app, const char *text)
{
    hstream_error_t *err = NULL;
    const char *colon = strchr(text, ':');
    char *kind = strndup(text, colon ? (size_t)(colon - text) : strlen(text));
    hstream_producer_options_t *options = app->producer_options;
    int good = made(kind) && ok(hstream_producer_options_set(options, "compression.kind", kind, &err), &err, "-z");
    if (good && colon)
        good = ok(hstream_producer_options_set(options, "compression.level", colon + 1, &err), &err, "-z");
    free(kind);
    return good;
}
