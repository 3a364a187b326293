/* Prints the payloads of all records of one key, which a callback gets: read_by_key hstream://HOST[:PORT] STREAM KEY */

#include <pthread.h>
#include <stdio.h>

#include "hstreamdb.h"

struct end {
    pthread_mutex_t lock;
    pthread_cond_t reached;
    int is_reached;
    hstream_error_t *why;
};

/* Runs on the reader's own thread. The last call has no batch. */
static int32_t on_batch(const hstream_batch_t *batch, const hstream_error_t *error, void *user_data)
{
    struct end *end = user_data;
    for (size_t i = 0; i < hstream_batch_count(batch); i++) {
        size_t len;
        const void *payload = hstream_record_payload(hstream_batch_at(batch, i), &len);
        fwrite(payload, 1, len, stdout);
        putchar('\n');
    }
    if (!batch) {
        pthread_mutex_lock(&end->lock);
        end->is_reached = 1;
        end->why = hstream_error_clone(error);
        pthread_cond_signal(&end->reached);
        pthread_mutex_unlock(&end->lock);
    }
    return HSTREAM_PROCESSED;
}

static void wait_for(struct end *end)
{
    pthread_mutex_lock(&end->lock);
    while (!end->is_reached)
        pthread_cond_wait(&end->reached, &end->lock);
    pthread_mutex_unlock(&end->lock);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: read_by_key hstream://HOST[:PORT] STREAM KEY\n");
        return 2;
    }
    struct end end = {.lock = PTHREAD_MUTEX_INITIALIZER, .reached = PTHREAD_COND_INITIALIZER};
    hstream_client_options_t *options = hstream_client_options_new();
    hstream_reader_options_t *reading = hstream_reader_options_new();
    hstream_client_t *client = NULL;
    hstream_reader_t *reader = NULL;
    hstream_error_t *err = NULL;

    hstream_code_t code = hstream_client_options_set_url(options, argv[1], &err);
    if (code == HSTREAM_OK)
        code = hstream_client_connect(options, NULL, &client, &err);
    if (code == HSTREAM_OK)
        code = hstream_reader_options_set_callback(reading, on_batch, &end, NULL);
    if (code == HSTREAM_OK)
        code = hstream_reader_open_key(client, argv[2], argv[3], HSTREAM_NTS, reading, NULL, &reader, &err);
    if (code == HSTREAM_OK)
        code = hstream_reader_start(reader, &err);
    if (code == HSTREAM_OK) {
        wait_for(&end);
        err = end.why;
        code = hstream_error_code(err);
    }
    if (code != HSTREAM_OK)
        fprintf(stderr, "read_by_key: %s\n", err ? hstream_error_message(err, NULL) : hstream_code_description(code));

    hstream_reader_free(reader);
    hstream_error_free(err);
    hstream_client_free(client);
    hstream_reader_options_free(reading);
    hstream_client_options_free(options);
    return code == HSTREAM_OK ? 0 : 1;
}
