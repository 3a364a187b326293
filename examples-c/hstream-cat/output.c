/* Records on standard output: by a format, or as JSON objects, one on a line. */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cat.h"

static const char DIRECTIVES[] = "skihTSlK%n";

/* What goes wrong with a format is told before a record is taken. */
int check_format(const char *format)
{
    for (const char *at = format; *at; at++) {
        if (*at != '%')
            continue;
        if (!at[1] || !strchr(DIRECTIVES, at[1]))
            return complain(format, "a format has %s %k %i %S %T %h %l %K %n %% and text");
        at++;
    }
    return 1;
}

static void print_id(const hstream_record_t *record)
{
    char text[HSTREAM_RECORD_ID_TEXT_SIZE];
    hstream_record_id_t id;
    if (hstream_record_id(record, &id) == HSTREAM_OK &&
        hstream_record_id_format(&id, text, sizeof text, NULL) == HSTREAM_OK)
        fputs(text, stdout);
}

static uint64_t shard_of(const hstream_record_t *record)
{
    hstream_record_id_t id = {0};
    return hstream_record_id(record, &id) == HSTREAM_OK ? id.shard_id : 0;
}

static void print_attributes(const hstream_record_t *record)
{
    size_t count = hstream_record_attribute_count(record);
    for (size_t i = 0; i < count; i++) {
        size_t len;
        printf("%s%s=", i ? "," : "", hstream_record_attribute_name_at(record, i, NULL));
        const char *value = hstream_record_attribute_value_at(record, i, &len);
        fwrite(value, 1, len, stdout);
    }
}

/* The payload, or a record of JSON as text. Freed with hstream_string_free if *owned. */
static const void *payload_of(const hstream_record_t *record, size_t *len, char **owned)
{
    *owned = NULL;
    if (hstream_record_kind(record) == HSTREAM_RECORD_JSON &&
        hstream_record_to_json(record, owned, len, NULL) == HSTREAM_OK)
        return *owned;
    return hstream_record_payload(record, len);
}

static void print_directive(const hstream_record_t *record, char directive, const void *payload, size_t len)
{
    size_t key_len;
    const char *key = hstream_record_key(record, &key_len);
    switch (directive) {
    case 's': fwrite(payload, 1, len, stdout); break;
    case 'l': printf("%zu", len); break;
    case 'k': fwrite(key, 1, key_len, stdout); break;
    case 'K': printf("%zu", key_len); break;
    case 'i': print_id(record); break;
    case 'S': printf("%" PRIu64, shard_of(record)); break;
    case 'T': printf("%" PRId64, hstream_record_publish_time_ms(record)); break;
    case 'h': print_attributes(record); break;
    case 'n': putchar('\n'); break;
    default: putchar(directive);
    }
}

static void print_escape(char letter)
{
    static const char names[] = "ntr0", meant[] = {'\n', '\t', '\r', '\0'};
    const char *found = letter ? strchr(names, letter) : NULL;
    putchar(found ? meant[found - names] : letter);
}

static void print_formatted(const hstream_record_t *record, const char *format)
{
    char *owned;
    size_t len;
    const void *payload = payload_of(record, &len, &owned);
    for (const char *at = format; *at; at++) {
        if (*at == '%')
            print_directive(record, *++at, payload, len);
        else if (*at == '\\' && at[1])
            print_escape(*++at);
        else
            putchar(*at);
    }
    hstream_string_free(owned);
}

static void print_json(const hstream_record_t *record)
{
    char *owned;
    size_t len;
    const void *payload = payload_of(record, &len, &owned);
    fputs("{\"id\":\"", stdout);
    print_id(record);
    printf("\",\"shard_id\":%" PRIu64 ",\"publish_time_ms\":%" PRId64, shard_of(record),
           hstream_record_publish_time_ms(record));
    size_t key_len;
    const char *key = hstream_record_key(record, &key_len);
    fputs(",\"key\":", stdout);
    print_json_text(stdout, key, key_len);
    fputs(",\"attributes\":{", stdout);
    for (size_t i = 0; i < hstream_record_attribute_count(record); i++) {
        size_t name_len, value_len;
        const char *name = hstream_record_attribute_name_at(record, i, &name_len);
        const char *value = hstream_record_attribute_value_at(record, i, &value_len);
        if (i)
            putchar(',');
        print_json_text(stdout, name, name_len);
        putchar(':');
        print_json_text(stdout, value, value_len);
    }
    fputs("},", stdout);
    if (owned) {
        fputs("\"json\":", stdout);
        fwrite(payload, 1, len, stdout);
    } else {
        print_json_bytes(stdout, "payload", payload, len);
    }
    fputs("}\n", stdout);
    hstream_string_free(owned);
}

static int tell_unreadable(struct app *app, const hstream_record_t *record)
{
    char text[HSTREAM_RECORD_ID_TEXT_SIZE] = "";
    hstream_record_id_t id;
    if (hstream_record_id(record, &id) == HSTREAM_OK)
        (void)!hstream_record_id_format(&id, text, sizeof text, NULL);
    app->problems++;
    return complain(text, hstream_code_description(hstream_record_code(record)));
}

/* A record that can't be read is told, and left out. */
int print_batch(struct app *app, const hstream_batch_t *batch)
{
    for (size_t i = 0; i < hstream_batch_count(batch); i++) {
        const hstream_record_t *record = hstream_batch_at(batch, i);
        if (hstream_record_code(record) != HSTREAM_OK)
            tell_unreadable(app, record);
        else if (app->json)
            print_json(record);
        else
            print_formatted(record, app->format);
    }
    return flush_output();
}

static int has_gone;

/* What is acked must be out. That nobody reads any more ends the program, and is no failure. */
int flush_output(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 1;
    has_gone = has_gone || errno == EPIPE;
    return has_gone ? 0 : complain("standard output", strerror(errno));
}

int reader_has_gone(void)
{
    return has_gone;
}
