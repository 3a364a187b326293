/* -L for programs: one object with the keys cluster, streams and subscriptions. */

#include <inttypes.h>

#include "cat.h"
#include "list.h"

/* A text of the library; null if it has none. */
static void show_owned(hstream_code_t code, char *text)
{
    fputs(code == HSTREAM_OK ? text : "null", stdout);
    hstream_string_free(text);
}

static void show_field(const char *name, const char *text, size_t len)
{
    printf("\"%s\":", name);
    print_json_text(stdout, text, len);
}

static void show_cluster(const hstream_cluster_t *cluster)
{
    char *text = NULL;
    printf("{\"cluster\":");
    hstream_code_t code = hstream_cluster_to_json(cluster, &text, NULL);
    show_owned(code, text);
}

static void show_streams(size_t count)
{
    (void)count;
    printf(",\"streams\":[");
}

static void show_stream(const hstream_stream_t *stream, const hstream_shards_t *shards, size_t index)
{
    char *text = NULL;
    printf("%s{\"stream\":", index ? "," : "");
    hstream_code_t code = hstream_stream_to_json(stream, &text, NULL);
    show_owned(code, text);
    printf(",\"shards\":[");
    for (size_t i = 0; i < hstream_shards_count(shards); i++) {
        const hstream_shard_t *shard = hstream_shards_at(shards, i);
        printf("%s{\"shard_id\":%" PRIu64 ",\"start_key\":\"%s\",\"end_key\":\"%s\",\"active\":%s}", i ? "," : "",
               hstream_shard_id(shard), hstream_shard_start_key(shard, NULL), hstream_shard_end_key(shard, NULL),
               hstream_shard_is_active(shard) ? "true" : "false");
    }
    printf("]}");
}

static void show_subscriptions(size_t count)
{
    (void)count;
    printf("],\"subscriptions\":[");
}

static void show_consumer(const hstream_consumer_infos_t *infos, size_t i)
{
    size_t len;
    const char *text = hstream_consumer_infos_name(infos, i, &len);
    printf("%s{", i ? "," : "");
    show_field("name", text, len);
    text = hstream_consumer_infos_uri(infos, i, &len);
    putchar(',');
    show_field("uri", text, len);
    text = hstream_consumer_infos_user_agent(infos, i, &len);
    putchar(',');
    show_field("user_agent", text, len);
    putchar('}');
}

static void show_subscription(const hstream_subscription_t *subscription, const hstream_consumer_infos_t *infos,
                              const char *lag, const char *why, size_t index)
{
    (void)why;
    char *text = NULL;
    printf("%s{\"subscription\":", index ? "," : "");
    hstream_code_t code = hstream_subscription_to_json(subscription, &text, NULL);
    show_owned(code, text);
    printf(",\"lag\":%s,\"consumers\":[", lag ? lag : "null");
    for (size_t i = 0; i < hstream_consumer_infos_count(infos); i++)
        show_consumer(infos, i);
    printf("]}");
}

static void show_end(void)
{
    printf("]}\n");
}

const struct view JSON_VIEW = {show_cluster,       show_streams,      show_stream,
                               show_subscriptions, show_subscription, show_end};
