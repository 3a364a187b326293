/* -L: asks for nodes, streams with their shards, subscriptions with their consumers and how far they are behind. How they
 * are shown is in list_text.c and list_json.c. */

#include "cat.h"
#include "list.h"

static int list_nodes(struct app *app, const struct view *view)
{
    hstream_cluster_t *cluster = NULL;
    hstream_error_t *err = NULL;
    int good = ok(hstream_client_describe_cluster(app->client, app->call, &cluster, &err), &err, "cluster");
    if (good)
        view->cluster(cluster);
    hstream_cluster_free(cluster);
    return good;
}

/* What was deleted since the list was made is left out. */
static int is_gone(hstream_code_t code)
{
    return hstream_code_category(code) == HSTREAM_CATEGORY_NOT_FOUND;
}

static int list_stream(struct app *app, const struct view *view, const hstream_stream_t *stream, size_t *shown)
{
    hstream_shards_t *shards = NULL;
    hstream_error_t *err = NULL;
    const char *name = hstream_stream_name(stream, NULL);
    hstream_code_t code = hstream_client_list_shards(app->client, name, app->call, &shards, &err);
    if (code == HSTREAM_OK)
        view->stream(stream, shards, (*shown)++);
    hstream_shards_free(shards);
    if (!is_gone(code))
        return ok(code, &err, name);
    hstream_error_free(err);
    return 1;
}

static int list_streams(struct app *app, const struct view *view)
{
    hstream_streams_t *streams = NULL;
    hstream_error_t *err = NULL;
    size_t shown = 0;
    int good = ok(hstream_client_list_streams(app->client, NULL, app->call, &streams, &err), &err, "streams");
    size_t count = hstream_streams_count(streams);
    if (good)
        view->streams(count);
    for (size_t i = 0; good && i < count; i++)
        good = list_stream(app, view, hstream_streams_at(streams, i), &shown);
    hstream_streams_free(streams);
    return good;
}

/* A lag that can't be told is no failure: the stream was deleted by force, or the server is old. */
static int list_subscription(struct app *app, const struct view *view, const hstream_subscription_t *subscription,
                             size_t *shown)
{
    hstream_consumer_infos_t *infos = NULL;
    hstream_error_t *err = NULL, *why = NULL;
    char *lag = NULL;
    const char *id = hstream_subscription_id(subscription, NULL);
    hstream_code_t code = hstream_client_list_consumers(app->client, id, app->call, &infos, &err);
    if (code == HSTREAM_OK) {
        (void)!hstream_client_subscription_lag(app->client, id, app->call, &lag, NULL, &why);
        view->subscription(subscription, infos, lag, hstream_error_message(why, NULL), (*shown)++);
    }
    hstream_string_free(lag);
    hstream_error_free(why);
    hstream_consumer_infos_free(infos);
    if (!is_gone(code))
        return ok(code, &err, id);
    hstream_error_free(err);
    return 1;
}

static int list_subscriptions(struct app *app, const struct view *view)
{
    hstream_subscriptions_t *list = NULL;
    hstream_error_t *err = NULL;
    size_t shown = 0;
    int good = ok(hstream_client_list_subscriptions(app->client, NULL, app->call, &list, &err), &err, "subscriptions");
    size_t count = hstream_subscriptions_count(list);
    if (good)
        view->subscriptions(count);
    for (size_t i = 0; good && i < count; i++)
        good = list_subscription(app, view, hstream_subscriptions_at(list, i), &shown);
    hstream_subscriptions_free(list);
    return good;
}

int list_all(struct app *app)
{
    const struct view *view = app->json ? &JSON_VIEW : &TEXT_VIEW;
    int good = list_nodes(app, view) && list_streams(app, view) && list_subscriptions(app, view);
    if (good)
        view->end();
    good &= flush_output() || reader_has_gone();
    return good ? EXIT_GOOD : EXIT_BAD;
}
