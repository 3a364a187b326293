//! Statistics: counters and rates of each node.

use std::collections::HashMap;

use proto::stat_type::Stat;
use tonic::Code;

use crate::support::*;

async fn values(client: &mut Client, stat: Stat) -> HashMap<String, i64> {
    let stats = vec![proto::StatType { stat: Some(stat) }];
    let answer = client.get_stats(proto::GetStatsRequest { stats }).await.unwrap().into_inner();
    assert!(answer.errors.is_empty());
    answer.stats_values.into_iter().next().unwrap().stat_values
}

fn value(number: i64) -> HashMap<String, i64> {
    HashMap::from([("s".to_owned(), number)])
}

#[test]
fn appends_and_reads_are_counted_by_the_node_that_served_them() {
    let server = fast().nodes(2).start().unwrap();
    run(async {
        let mut clients = clients(&server).await;
        let shard = create_stream(&mut clients[0], "s", 1).await[0];
        append(&mut clients[0], shard, 3).await;
        append(&mut clients[0], shard, 2).await;
        let too_large =
            proto::BatchedRecord { batch_size: 1, payload: vec![0; 1 << 20].into(), ..Default::default() };
        append_batch(&mut clients[0], "s", shard, too_large).await.unwrap_err();
        let request = proto::ReadShardStreamRequest {
            shard_id: shard,
            until: latest(),
            stream_name: "s".into(),
            ..Default::default()
        };
        collect(clients[0].read_shard_stream(request).await).await.unwrap();
        let bytes = batch((0..3).map(|n| record("", &n.to_string())).collect()).payload.len()
            + batch((0..2).map(|n| record("", &n.to_string())).collect()).payload.len();
        for (stat, expected) in [
            (proto::StreamStats::AppendInBytes, bytes as i64),
            (proto::StreamStats::AppendInRecords, 5),
            (proto::StreamStats::AppendTotal, 3),
            (proto::StreamStats::AppendFailed, 1),
            (proto::StreamStats::ReadInBytes, bytes as i64),
            (proto::StreamStats::ReadInBatches, 2),
        ] {
            assert_eq!(
                values(&mut clients[0], Stat::StreamStat(stat as i32)).await,
                value(expected),
                "{stat:?}"
            );
        }
        let other = values(&mut clients[1], Stat::StreamStat(proto::StreamStats::AppendTotal as i32)).await;
        assert!(other.is_empty(), "the other node had nothing to do with it");
    });
}

#[test]
fn deliveries_and_acks_are_counted_until_the_subscription_is_deleted() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let shard = create_stream(&mut client, "s", 1).await[0];
        client.create_subscription(subscription("sub", "s", 1)).await.unwrap();
        append(&mut client, shard, 3).await;
        let mut fetch = Fetch::open(&client, "sub", "c").await;
        let received = fetch.receive().await;
        fetch.ack(received.record_ids[..2].to_vec()).await;
        let again = fetch.receive().await;
        assert_eq!(again.record_ids.len(), 1);
        use proto::SubscriptionStats as S;
        for (stat, expected) in [
            (S::SendOutRecords, 3),
            (S::ResendRecords, 1),
            (S::ReceivedAcks, 2),
            (S::RequestMessages, 1),
            (S::ResponseMessages, 2),
            (S::ChecklistSize, 1),
            (S::SendOutRecordsFailed, 0),
        ] {
            let values = values(&mut client, Stat::SubStat(stat as i32)).await;
            assert_eq!(values, HashMap::from([("sub".to_owned(), expected)]), "{stat:?}");
        }
        let delete = proto::DeleteSubscriptionRequest { subscription_id: "sub".into(), force: true };
        client.delete_subscription(delete).await.unwrap();
        assert!(values(&mut client, Stat::SubStat(0)).await.is_empty());
    });
}

#[test]
fn statistics_are_told_once_each_and_unknown_ones_as_errors() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let all = |stats: &[Option<Stat>]| proto::GetStatsRequest {
            stats: stats.iter().map(|stat| proto::StatType { stat: *stat }).collect(),
        };
        for nothing in [&[][..], &[None]] {
            let status = client.get_stats(all(nothing)).await.unwrap_err();
            let (code, error, name, _) = parts(&status);
            assert_eq!((code, error, name.as_str()), (Code::InvalidArgument, 0, "InvalidStatsType"));
        }
        let asked = [
            Some(Stat::StreamStat(0)),
            Some(Stat::StreamStat(0)),
            Some(Stat::StreamStat(99)),
            Some(Stat::ConnStat(2)),
            Some(Stat::QueryStat(0)),
            Some(Stat::ViewStat(0)),
            Some(Stat::CacheStoreStat(8)),
            Some(Stat::SubStat(-1)),
            None,
        ];
        let answer = client.get_stats(all(&asked)).await.unwrap().into_inner();
        assert_eq!(answer.stats_values.len(), 5);
        let errors: Vec<_> = answer.errors.iter().map(|error| error.message.as_str()).collect();
        assert_eq!(errors, ["invalid stat type Left 99", "invalid stat type Left -1"]);
    });
}

#[test]
fn rates_are_told_by_interval() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let shard = create_stream(&mut client, "s", 1).await[0];
        append(&mut client, shard, 6).await;
        let intervals = |intervals: &[i32]| Some(proto::StatsIntervalVals { intervals: intervals.to_vec() });
        let one = |method: &str, stream: &str, intervals| proto::PerStreamTimeSeriesStatsRequest {
            method: method.into(),
            stream_name: stream.into(),
            intervals,
        };
        let request = one("append_in_records", "s", intervals(&[60_000, 600_000]));
        let stats = client.per_stream_time_series_stats(request).await.unwrap().into_inner().stats.unwrap();
        assert_eq!(stats.vals, [0.1, 0.01]);
        let unset = one("appends", "s", None);
        assert!(client.per_stream_time_series_stats(unset).await.unwrap().into_inner().stats.is_none());
        let unknown = one("nonsense", "s", None);
        let status = client.per_stream_time_series_stats(unknown).await.unwrap_err();
        assert_eq!(parts(&status).2, "InvalidStatsType");
        let all = |intervals| proto::PerStreamTimeSeriesStatsAllRequest {
            method: "append_in_requests".into(),
            intervals,
        };
        let answer =
            client.per_stream_time_series_stats_all(all(intervals(&[60_000]))).await.unwrap().into_inner();
        assert_eq!(answer.stats["s"].vals, [1.0 / 60.0]);
        let answer = client.per_stream_time_series_stats_all(all(None)).await.unwrap().into_inner();
        assert!(answer.stats.is_empty());
        let status = client.per_stream_time_series_stats_all(all(intervals(&[600_001]))).await.unwrap_err();
        assert_eq!(parts(&status).2, "InvalidStatsInterval");
    });
}
