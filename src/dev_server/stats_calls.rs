//! The calls that tell what a node has counted.

use std::collections::HashMap;

use tonic::{Code, Status};

use super::errors;
use super::node::Node;
use super::stats::{LONGEST_INTERVAL_MS, Rate};
use crate::proto::stat_type::Stat;
use crate::proto::{
    self, CacheStoreStats, ConnectorStats, ErrorCode, QueryStats, StreamStats, SubscriptionStats, ViewStats,
};

type Answer<T> = Result<T, Status>;

pub(super) fn get_stats(node: &Node, request: proto::GetStatsRequest) -> Answer<proto::GetStatsResponse> {
    let mut wanted: Vec<Stat> = Vec::new();
    for stat in request.stats.into_iter().filter_map(|stat| stat.stat) {
        if !wanted.contains(&stat) {
            wanted.push(stat);
        }
    }
    if wanted.is_empty() {
        return Err(invalid_stats_type("no stats type is given"));
    }
    let mut answer = proto::GetStatsResponse::default();
    for stat in wanted {
        let stat_type = Some(proto::StatType { stat: Some(stat) });
        match values(node, stat) {
            Some(stat_values) => answer.stats_values.push(proto::StatValue { stat_type, stat_values }),
            None => {
                let message = format!("invalid stat type Left {}", number(stat));
                answer.errors.push(proto::StatError { stat_type, message });
            }
        }
    }
    Ok(answer)
}

fn number(stat: Stat) -> i32 {
    let (Stat::StreamStat(number)
    | Stat::SubStat(number)
    | Stat::ConnStat(number)
    | Stat::QueryStat(number)
    | Stat::ViewStat(number)
    | Stat::CacheStoreStat(number)) = stat;
    number
}

/// By name of stream or subscription. None for a number that means nothing; of connectors, queries, views
/// and the cache there is nothing to tell.
fn values(node: &Node, stat: Stat) -> Option<HashMap<String, i64>> {
    let none = HashMap::new();
    match stat {
        Stat::StreamStat(number) => {
            let place = StreamStats::try_from(number).ok()? as usize;
            let state = node.cluster.state();
            Some(
                state.stats.stream_counts(node.id).map(|(name, counts)| entry(name, counts[place])).collect(),
            )
        }
        Stat::SubStat(number) => {
            let stat = SubscriptionStats::try_from(number).ok()?;
            Some(subscription_values(node, stat).into_iter().map(|(id, count)| entry(&id, count)).collect())
        }
        Stat::ConnStat(number) => ConnectorStats::try_from(number).ok().map(|_| none),
        Stat::QueryStat(number) => QueryStats::try_from(number).ok().map(|_| none),
        Stat::ViewStat(number) => ViewStats::try_from(number).ok().map(|_| none),
        Stat::CacheStoreStat(number) => CacheStoreStats::try_from(number).ok().map(|_| none),
    }
}

/// One statistic of all subscriptions that this node had to do with.
pub(super) fn subscription_values(node: &Node, stat: SubscriptionStats) -> Vec<(String, u64)> {
    let state = node.cluster.state();
    let counts = state.stats.subscription_counts(node.id);
    let value = |id: &str, counts: &[u64; 9]| match stat {
        // What is delivered and waits for acks, now; all others are counted up.
        SubscriptionStats::ChecklistSize => state.unacked_batches(node.id, id),
        _ => counts[stat as usize],
    };
    counts.map(|(id, counts)| (id.to_owned(), value(id, counts))).collect()
}

fn entry(name: &str, count: u64) -> (String, i64) {
    (name.to_owned(), i64::try_from(count).unwrap_or(i64::MAX))
}

pub(super) fn per_stream_time_series_stats(
    node: &Node,
    request: proto::PerStreamTimeSeriesStatsRequest,
) -> Answer<proto::PerStreamTimeSeriesStatsResponse> {
    let rate = rate(&request.method)?;
    let Some(intervals) = request.intervals else {
        return Ok(proto::PerStreamTimeSeriesStatsResponse::default());
    };
    let now = node.cluster.now().since_1970.as_secs();
    let state = node.cluster.state();
    let rates = state.stats.rates(node.id, &request.stream_name, rate, now, &intervals.intervals);
    let stats = rates.map(|vals| proto::StatsDoubleVals { vals });
    Ok(proto::PerStreamTimeSeriesStatsResponse { stats })
}

pub(super) fn per_stream_time_series_stats_all(
    node: &Node,
    request: proto::PerStreamTimeSeriesStatsAllRequest,
) -> Answer<proto::PerStreamTimeSeriesStatsAllResponse> {
    let rate = rate(&request.method)?;
    let Some(intervals) = request.intervals else {
        return Ok(proto::PerStreamTimeSeriesStatsAllResponse::default());
    };
    let intervals = intervals.intervals;
    if let Some(long) = intervals.iter().find(|ms| i64::from(**ms) > LONGEST_INTERVAL_MS) {
        let (error, extra) = (ErrorCode::InternalError, format!("interval {long} ms is too long"));
        return Err(errors::json(Code::InvalidArgument, error, "InvalidStatsInterval", extra));
    }
    let now = node.cluster.now().since_1970.as_secs();
    let state = node.cluster.state();
    let names = state.stats.stream_counts(node.id).map(|(name, _)| name);
    let rates = |name| state.stats.rates(node.id, name, rate, now, &intervals);
    let stats =
        names.filter_map(|name| Some((name.to_owned(), proto::StatsDoubleVals { vals: rates(name)? })));
    Ok(proto::PerStreamTimeSeriesStatsAllResponse { stats: stats.collect() })
}

fn rate(method: &str) -> Answer<Rate> {
    Rate::named(method).ok_or_else(|| invalid_stats_type(&format!("unknown method {method}")))
}

fn invalid_stats_type(extra: &str) -> Status {
    errors::json(Code::InvalidArgument, ErrorCode::InternalError, "InvalidStatsType", extra)
}
