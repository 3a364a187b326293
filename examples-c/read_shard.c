/* Reads one shard to its end and prints the payloads, then the position to go on behind:
 * read_shard hstream://HOST[:PORT] STREAM SHARD [POSITION] */

#include <stdio.h>
#include <stdlib.h>

#include "hstreamdb.h"

/* Reads until the end, or until nothing has come for ten seconds. */
static hstream_code_t print_all(hstream_reader_t *reader, hstream_error_t **err)
{
    for (;;) {
        hstream_batch_t *batch = NULL;
        hstream_code_t code = hstream_reader_read(reader, 1000, 10000, NULL, &batch, err);
        if (code != HSTREAM_OK || batch == NULL)
            return code;
        for (size_t i = 0; i < hstream_batch_count(batch); i++) {
            size_t len;
            const void *payload = hstream_record_payload(hstream_batch_at(batch, i), &len);
            fwrite(payload, 1, len, stdout);
            putchar('\n');
        }
        hstream_batch_free(batch);
    }
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc > 5) {
        fprintf(stderr, "usage: read_shard hstream://HOST[:PORT] STREAM SHARD [POSITION]\n");
        return 2;
    }
    hstream_client_options_t *options = hstream_client_options_new();
    hstream_reader_options_t *reading = hstream_reader_options_new();
    hstream_client_t *client = NULL;
    hstream_reader_t *reader = NULL;
    hstream_error_t *err = NULL;
    char *position = NULL;

    hstream_code_t code = hstream_client_options_set_url(options, argv[1], &err);
    if (code == HSTREAM_OK)
        code = hstream_client_connect(options, NULL, &client, &err);
    if (code == HSTREAM_OK)
        code = hstream_reader_options_set(reading, "until", "latest", &err);
    if (code == HSTREAM_OK && argc > 4)
        code = hstream_reader_options_set_position(reading, argv[4], &err);
    if (code == HSTREAM_OK)
        code = hstream_reader_open_shard(client, argv[2], strtoull(argv[3], NULL, 10), reading, NULL, &reader, &err);
    if (code == HSTREAM_OK)
        code = print_all(reader, &err);
    if (code == HSTREAM_END) {
        hstream_error_free(err);
        code = hstream_reader_position_text(reader, &position, NULL, &err);
    } else if (code == HSTREAM_OK) {
        code = HSTREAM_ERR_TIMEOUT; /* nothing came any more, and no end */
    }
    if (code == HSTREAM_OK)
        printf("position: %s\n", position);
    else
        fprintf(stderr, "read_shard: %s\n", err ? hstream_error_message(err, NULL) : hstream_code_description(code));

    hstream_string_free(position);
    hstream_error_free(err);
    hstream_reader_free(reader);
    hstream_client_free(client);
    hstream_reader_options_free(reading);
    hstream_client_options_free(options);
    return code == HSTREAM_OK ? 0 : 1;
}
