//! Trimming.

use tonic::Code;

use crate::support::*;

async fn read_all(client: &mut Client, shard_id: u64) -> Vec<u64> {
    let request = proto::ReadShardStreamRequest { shard_id, until: latest(), ..Default::default() };
    let messages = collect(client.read_shard_stream(request).await).await.unwrap();
    messages.iter().flat_map(|message| numbers(&message.received_records)).collect()
}

async fn filled(client: &mut Client, shards: u32, batches: usize) -> Vec<u64> {
    let shards = create_stream(client, "s", shards).await;
    for _ in 0..batches {
        for shard in &shards {
            append(client, *shard, 2).await;
        }
    }
    shards
}

#[test]
fn trim_stream_checks_name_then_point_then_existence() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let mut refusal = async |name: &str, trim_point| {
            let request = proto::TrimStreamRequest { stream_name: name.into(), trim_point };
            client.trim_stream(request).await.unwrap_err()
        };
        let name = refusal("1s", None).await;
        assert_eq!(parts(&name).1, 204);
        let point = refusal("none", None).await;
        is_json(&point, Code::InvalidArgument, 208, "InvalidTrimPoint", "invalid trim point: Nothing");
        let missing = refusal("none", of_stream(0)).await;
        is_json(&missing, Code::NotFound, 200, "StreamNotFound", "stream \"none\" is not found.");
    });
}

#[test]
fn trim_stream_takes_all_shards_up_to_and_with_the_point() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let shards = filled(&mut client, 2, 3).await;
        let trim = |trim_point| proto::TrimStreamRequest { stream_name: "s".into(), trim_point };
        client.trim_stream(trim(of_stream(0))).await.unwrap();
        assert_eq!(read_all(&mut client, shards[0]).await, [1, 2, 3], "the earliest is nothing");
        let late = client.trim_stream(trim(stream_at_time(i64::MAX))).await.unwrap_err();
        is_plain(&late, Code::InvalidArgument, "argument or return value too big");
        let empty = Some(proto::StreamOffset::default());
        assert_eq!(client.trim_stream(trim(empty)).await.unwrap_err().code(), Code::Unknown);
        client.trim_stream(trim(stream_at_time(0))).await.unwrap();
        for shard in &shards {
            assert_eq!(
                read_all(&mut client, *shard).await,
                [2, 3],
                "the first at or after the time goes too"
            );
        }
        client.trim_stream(trim(of_stream(1))).await.unwrap();
        for shard in &shards {
            assert!(read_all(&mut client, *shard).await.is_empty());
        }
        let next = append(&mut client, shards[0], 1).await;
        assert_eq!(next[0].batch_id, FIRST + 3, "numbers go on");
    });
}

#[test]
fn trim_shard_takes_whole_batches_and_ignores_the_stream() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let shard = filled(&mut client, 1, 3).await[0];
        let trim = |shard_id, trim_point| proto::TrimShardRequest {
            stream_name: "whatever/it is".into(),
            shard_id,
            trim_point,
        };
        let unset = client.trim_shard(trim(7, None)).await.unwrap_err();
        is_json(&unset, Code::InvalidArgument, 208, "InvalidTrimPoint", "invalid trim point: Nothing");
        let unknown = client.trim_shard(trim(7, earliest())).await.unwrap_err();
        is_json(&unknown, Code::NotFound, 0, "ShardNotFound", "Shard with id 7 is not found.");
        for _ in 0..2 {
            client.trim_shard(trim(shard, at_record(999, FIRST + 1))).await.unwrap();
            assert_eq!(read_all(&mut client, shard).await, [3]);
        }
        let beyond = client.trim_shard(trim(shard, at_record(shard, FIRST + 3))).await.unwrap_err();
        is_plain(&beyond, Code::InvalidArgument, "argument or return value too big");
    });
}

#[test]
fn trim_shards_leaves_the_batches_of_the_smallest_ids() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let shards = filled(&mut client, 3, 4).await;
        let id = |shard: usize, number: u64, index: u32| {
            format!("{}-{}-{index}", shards[shard], EMPTY_TAIL + number)
        };
        let record_ids =
            vec![id(0, 3, 1), id(0, 4, 0), id(0, 3, 0), id(1, 5, 0), format!("{}-0-0", shards[2])];
        let request = proto::TrimShardsRequest { stream_name: "s".into(), record_ids };
        let points = client.trim_shards(request).await.unwrap().into_inner().trim_points;
        assert_eq!(points.len(), 2, "batch 0 is the earliest, and no point");
        assert_eq!(points[&shards[0]], id(0, 3, 0));
        assert_eq!(read_all(&mut client, shards[0]).await, [3, 4]);
        assert!(read_all(&mut client, shards[1]).await.is_empty(), "one after the tail takes all");
        assert_eq!(read_all(&mut client, shards[2]).await, [1, 2, 3, 4]);
    });
}

#[test]
fn trim_shards_refuses_each_mistake_in_its_way() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let shard = filled(&mut client, 1, 1).await[0];
        let mut call = async |name: &str, ids: &[String]| {
            let request = proto::TrimShardsRequest { stream_name: name.into(), record_ids: ids.to_vec() };
            client.trim_shards(request).await.map(tonic::Response::into_inner)
        };
        assert_eq!(parts(&call("", &[]).await.unwrap_err()).1, 204);
        assert!(call("none", &[]).await.unwrap().trim_points.is_empty(), "nothing to do, even there");
        let unreadable = call("none", &["1-2".to_owned()]).await.unwrap_err();
        let (code, error, name, extra) = parts(&unreadable);
        assert_eq!((code, error, name.as_str()), (Code::InvalidArgument, 209, "InvalidRecordId"));
        assert_eq!(extra.as_array().unwrap().len(), 1);
        let missing = call("none", &["1-2-3".to_owned()]).await.unwrap_err();
        is_plain(&missing, Code::Internal, "requested identifier does not exist");
        let foreign = call("s", &["1-2-3".to_owned()]).await.unwrap_err();
        let extra = "shard 1 doesn't belong to stream \"s\"";
        is_json(&foreign, Code::InvalidArgument, 210, "ShardNotExists", extra);
        let text = format!("{shard}-{}-0", FIRST + 2);
        let (code, error, _, extra) = parts(&call("s", std::slice::from_ref(&text)).await.unwrap_err());
        assert_eq!((code, error), (Code::InvalidArgument, 209));
        let begins = format!("recordId {text} is beyond the tail of log: ");
        assert!(extra.as_str().unwrap().starts_with(&begins), "{extra}");
    });
}

#[test]
fn what_is_trimmed_under_a_subscription_is_passed_over_and_its_progress_goes_on() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let shard = filled(&mut client, 1, 3).await[0];
        client.create_subscription(subscription("sub", "s", 60)).await.unwrap();
        let trim_point = at_record(shard, FIRST + 1);
        let request = proto::TrimShardRequest { stream_name: "s".into(), shard_id: shard, trim_point };
        client.trim_shard(request).await.unwrap();
        let mut fetch = Fetch::open(&client, "sub", "c").await;
        let received = fetch.receive().await;
        assert_eq!(received.record_ids[0].batch_id, FIRST + 2);
        fetch.ack(received.record_ids).await;
        until("a checkpoint", || {
            let mut client = client.clone();
            async move {
                let request = proto::GetSubscriptionRequest { id: "sub".into() };
                let found = client.get_subscription(request).await.unwrap().into_inner();
                found.offsets[0].batch_id == FIRST + 2
            }
        })
        .await;
    });
}
