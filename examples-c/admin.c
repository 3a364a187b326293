/*
 * Looks after a cluster: its nodes, a stream with its shards, a subscription with its lag, and trimming.
 *
 *     admin hstream://HOST[:PORT] NAME
 *
 * Creates a stream and a subscription of that name, and deletes them again.
 */

#include <inttypes.h>
#include <stdio.h>

#include "hstreamdb.h"

/* One call after the other; the first that fails is told. */
#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        hstream_code_t code_ = (call);                                                                                 \
        if (code_ != HSTREAM_OK)                                                                                       \
            return code_;                                                                                              \
    } while (0)

static hstream_code_t show_nodes(hstream_client_t *client, hstream_error_t **err)
{
    hstream_cluster_t *cluster = NULL;
    TRY(hstream_client_describe_cluster(client, NULL, &cluster, err));
    for (size_t i = 0; i < hstream_cluster_node_count(cluster); i++) {
        const hstream_node_t *node = hstream_cluster_node_at(cluster, i);
        printf("node %" PRIu32 ": %s:%" PRIu32 " %s\n", hstream_node_id(node), hstream_node_host(node, NULL),
               hstream_node_port(node), hstream_node_state(node) == HSTREAM_NODE_RUNNING ? "runs" : "does not run");
    }
    hstream_cluster_free(cluster);
    return HSTREAM_OK;
}

static hstream_code_t create(hstream_client_t *client, const char *name, hstream_error_t **err)
{
    hstream_stream_options_t *options = hstream_stream_options_new();
    hstream_code_t code = hstream_stream_options_set_shard_count(options, 2);
    if (code == HSTREAM_OK)
        code = hstream_stream_options_set_backlog_seconds(options, 86400);
    if (code == HSTREAM_OK)
        code = hstream_client_create_stream(client, name, options, NULL, NULL, err);
    hstream_stream_options_free(options);
    if (code == HSTREAM_OK)
        code = hstream_client_create_subscription(client, name, name, NULL, NULL, NULL, err);
    return code;
}

static hstream_code_t show_streams(hstream_client_t *client, const char *prefix, hstream_error_t **err)
{
    hstream_streams_t *streams = NULL;
    TRY(hstream_client_list_streams(client, prefix, NULL, &streams, err));
    for (size_t i = 0; i < hstream_streams_count(streams); i++) {
        const hstream_stream_t *stream = hstream_streams_at(streams, i);
        printf("stream %s: %" PRIu32 " shards, records kept for %" PRIu32 " s\n", hstream_stream_name(stream, NULL),
               hstream_stream_shard_count(stream), hstream_stream_backlog_seconds(stream));
    }
    hstream_streams_free(streams);
    return HSTREAM_OK;
}

static hstream_code_t show_shards(hstream_client_t *client, const char *stream, hstream_error_t **err)
{
    hstream_shards_t *shards = NULL;
    TRY(hstream_client_list_shards(client, stream, NULL, &shards, err));
    const hstream_shard_t *owner = hstream_shards_find_key(shards, "a key", HSTREAM_NTS);
    for (size_t i = 0; i < hstream_shards_count(shards); i++) {
        const hstream_shard_t *shard = hstream_shards_at(shards, i);
        printf("shard %" PRIu64 "%s\n", hstream_shard_id(shard), shard == owner ? ": has `a key`" : "");
    }
    hstream_shards_free(shards);
    return HSTREAM_OK;
}

/* Records up to and with this one are gone afterwards. */
static hstream_code_t append_and_trim(hstream_client_t *client, const char *stream, hstream_error_t **err)
{
    hstream_record_id_t id;
    hstream_offset_t upto;
    TRY(hstream_client_append_raw(client, stream, "a key", HSTREAM_NTS, "old", 3, NULL, &id, err));
    TRY(hstream_client_append_raw(client, stream, "a key", HSTREAM_NTS, "new", 3, NULL, NULL, err));
    hstream_offset_at_record(&id, &upto);
    return hstream_client_trim_shard(client, stream, id.shard_id, &upto, NULL, err);
}

static hstream_code_t show_lag(hstream_client_t *client, const char *subscription, hstream_error_t **err)
{
    char *lag = NULL;
    TRY(hstream_client_subscription_lag(client, subscription, NULL, &lag, NULL, err));
    printf("lag: %s\n", lag);
    hstream_string_free(lag);
    return HSTREAM_OK;
}

static hstream_code_t run(const char *url, const char *name, hstream_client_t **client, hstream_error_t **err)
{
    hstream_client_options_t *options = hstream_client_options_new();
    hstream_code_t code = hstream_client_options_set_url(options, url, err);
    if (code == HSTREAM_OK)
        code = hstream_client_connect(options, NULL, client, err);
    hstream_client_options_free(options);
    TRY(code);
    TRY(show_nodes(*client, err));
    TRY(create(*client, name, err));
    TRY(show_streams(*client, name, err));
    TRY(show_shards(*client, name, err));
    TRY(append_and_trim(*client, name, err));
    TRY(show_lag(*client, name, err));
    TRY(hstream_client_delete_subscription(*client, name, 0, NULL, err));
    return hstream_client_delete_stream(*client, name, 0, NULL, err);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: admin hstream://HOST[:PORT] NAME\n");
        return 2;
    }
    hstream_client_t *client = NULL;
    hstream_error_t *err = NULL;
    hstream_code_t code = run(argv[1], argv[2], &client, &err);
    if (code != HSTREAM_OK)
        fprintf(stderr, "admin: %s\n", err ? hstream_error_message(err, NULL) : hstream_code_description(code));
    hstream_error_free(err);
    hstream_client_free(client);
    return code == HSTREAM_OK ? 0 : 1;
}
