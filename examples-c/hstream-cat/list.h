/* How -L shows what there is. `index` counts what was shown of a kind before. `lag` is JSON, or NULL and then there is a
 * reason why. */

#ifndef HSTREAM_CAT_LIST_H
#define HSTREAM_CAT_LIST_H

#include "hstreamdb.h"

struct view {
    void (*cluster)(const hstream_cluster_t *cluster);
    void (*streams)(size_t count);
    void (*stream)(const hstream_stream_t *stream, const hstream_shards_t *shards, size_t index);
    void (*subscriptions)(size_t count);
    void (*subscription)(const hstream_subscription_t *subscription, const hstream_consumer_infos_t *infos,
                         const char *lag, const char *why, size_t index);
    void (*end)(void);
};

extern const struct view TEXT_VIEW, JSON_VIEW;

#endif
