/* -L for people. */

#include <inttypes.h>
#include <stdlib.h>

#include "cat.h"
#include "list.h"

static const char *state_name(int32_t state)
{
    static const char *const names[] = {"starting", "running", "unavailable", "dead"};
    return state >= 0 && state < 4 ? names[state] : "in an unknown state";
}

static void show_cluster(const hstream_cluster_t *cluster)
{
    size_t count = hstream_cluster_node_count(cluster);
    printf("cluster: protocol %s, up for %" PRIu64 " s\nnodes: %zu\n", hstream_cluster_protocol_version(cluster, NULL),
           hstream_cluster_uptime_seconds(cluster), count);
    for (size_t i = 0; i < count; i++) {
        const hstream_node_t *node = hstream_cluster_node_at(cluster, i);
        printf("  node %" PRIu32 " at %s:%" PRIu32 ", version %s, %s\n", hstream_node_id(node),
               hstream_node_host(node, NULL), hstream_node_port(node), hstream_node_version(node, NULL),
               state_name(hstream_node_state(node)));
    }
}

static void show_streams(size_t count)
{
    printf("streams: %zu\n", count);
}

static void show_stream(const hstream_stream_t *stream, const hstream_shards_t *shards, size_t index)
{
    (void)index;
    uint32_t backlog = hstream_stream_backlog_seconds(stream);
    printf("  stream %s, shards: %" PRIu32 ", copies: %" PRIu32 ", kept for ", hstream_stream_name(stream, NULL),
           hstream_stream_shard_count(stream), hstream_stream_replication_factor(stream));
    if (backlog)
        printf("%" PRIu32 " s\n", backlog);
    else
        printf("ever\n");
    for (size_t i = 0; i < hstream_shards_count(shards); i++) {
        const hstream_shard_t *shard = hstream_shards_at(shards, i);
        printf("    shard %" PRIu64 ", keys %s to %s%s\n", hstream_shard_id(shard), hstream_shard_start_key(shard, NULL),
               hstream_shard_end_key(shard, NULL), hstream_shard_is_active(shard) ? "" : ", not active");
    }
}

static void show_subscriptions(size_t count)
{
    printf("subscriptions: %zu\n", count);
}

static void show_lag(const char *lag, const char *why)
{
    const char *batches = lag ? value_of(lag, "batches") : "";
    if (!lag)
        printf("behind: unknown, %s\n", why);
    else if (value_of(lag, "caught_up")[0] == 't')
        printf("behind: nothing\n");
    else if (batches[0] >= '0' && batches[0] <= '9')
        printf("behind: %" PRIu64 " batches at most\n", (uint64_t)strtoull(batches, NULL, 10));
    else
        printf("behind: unknown, the server tells no acks\n");
}

static void show_subscription(const hstream_subscription_t *subscription, const hstream_consumer_infos_t *infos,
                              const char *lag, const char *why, size_t index)
{
    (void)index;
    printf("  subscription %s of %s, consumers: %zu, ", hstream_subscription_id(subscription, NULL),
           hstream_subscription_stream_name(subscription, NULL), hstream_consumer_infos_count(infos));
    show_lag(lag, why);
    for (size_t i = 0; i < hstream_consumer_infos_count(infos); i++)
        printf("    consumer %s from %s, %s\n", hstream_consumer_infos_name(infos, i, NULL),
               hstream_consumer_infos_uri(infos, i, NULL), hstream_consumer_infos_user_agent(infos, i, NULL));
}

static void show_end(void)
{
}

const struct view TEXT_VIEW = {show_cluster,       show_streams,      show_stream,
                               show_subscriptions, show_subscription, show_end};
