/* Connects to a cluster, creates a stream, appends one record and prints its id: append hstream://HOST[:PORT] */

#include <inttypes.h>
#include <stdio.h>

#include "hstreamdb.h"

int main(int argc, char **argv)
{
    hstream_client_options_t *options = hstream_client_options_new();
    hstream_client_t *client = NULL;
    hstream_error_t *err = NULL;
    hstream_record_id_t id;

    hstream_code_t code = hstream_client_options_set_url(options, argc > 1 ? argv[1] : "hstream://127.0.0.1", &err);
    if (code == HSTREAM_OK)
        code = hstream_client_connect(options, NULL, &client, &err);
    if (code == HSTREAM_OK)
        code = hstream_client_create_stream(client, "greetings", NULL, NULL, NULL, &err);
    if (code == HSTREAM_OK)
        code = hstream_client_append_raw(client, "greetings", "world", HSTREAM_NTS, "hello", 5, NULL, &id, &err);
    if (code == HSTREAM_OK)
        printf("%" PRIu64 "-%" PRIu64 "-%" PRIu32 "\n", id.shard_id, id.batch_id, id.batch_index);
    else
        fprintf(stderr, "append: %s\n", hstream_error_message(err, NULL));

    hstream_error_free(err);
    hstream_client_free(client);
    hstream_client_options_free(options);
    return code == HSTREAM_OK ? 0 : 1;
}
