//! Readers that need no creation: ReadShardStream, ReadSingleShardStream, ReadStream.

use std::time::Duration;

use tonic::Code;

use crate::support::*;

fn of_shard(
    shard_id: u64,
    from: Option<proto::ShardOffset>,
    until: Option<proto::ShardOffset>,
    max_read_batches: u64,
) -> proto::ReadShardStreamRequest {
    proto::ReadShardStreamRequest {
        reader_id: "any label".into(),
        shard_id,
        from,
        max_read_batches,
        until,
        stream_name: "s".into(),
    }
}

/// The numbers in each message.
async fn read(client: &mut Client, request: proto::ReadShardStreamRequest) -> Vec<Vec<u64>> {
    let messages = collect(client.read_shard_stream(request).await).await.unwrap();
    messages.iter().map(|message| numbers(&message.received_records)).collect()
}

async fn refusal(client: &mut Client, request: proto::ReadShardStreamRequest) -> tonic::Status {
    collect(client.read_shard_stream(request).await).await.unwrap_err()
}

async fn filled(client: &mut Client, batches: usize) -> u64 {
    let shard = create_stream(client, "s", 1).await[0];
    for _ in 0..batches {
        append(client, shard, 2).await;
    }
    shard
}

#[test]
fn a_message_has_up_to_ten_batches_and_the_last_is_cut_to_fit() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let shard = filled(&mut client, 25).await;
        let messages = read(&mut client, of_shard(shard, None, latest(), 0)).await;
        assert_eq!(messages.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 5]);
        assert_eq!(messages.concat(), (1..=25).collect::<Vec<_>>());
        let messages = read(&mut client, of_shard(shard, earliest(), None, 13)).await;
        assert_eq!(messages.iter().map(Vec::len).collect::<Vec<_>>(), [10, 3]);
    });
}

#[test]
fn without_an_end_a_read_follows_what_comes() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let shard = filled(&mut client, 2).await;
        let mut reading =
            client.read_shard_stream(of_shard(shard, None, None, 0)).await.unwrap().into_inner();
        assert_eq!(numbers(&reading.message().await.unwrap().unwrap().received_records), [1, 2]);
        let waiting = tokio::time::timeout(Duration::from_millis(100), reading.message()).await;
        assert!(waiting.is_err(), "an idle stream sends nothing: {waiting:?}");
        append(&mut client, shard, 1).await;
        assert_eq!(numbers(&reading.message().await.unwrap().unwrap().received_records), [3]);
        let delete = proto::DeleteStreamRequest { stream_name: "s".into(), ..Default::default() };
        client.delete_stream(delete).await.unwrap();
        assert!(reading.message().await.unwrap().is_none(), "it ends well when the stream is deleted");
    });
}

#[test]
fn headers_of_a_read_come_with_its_first_batch() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let shard = filled(&mut client, 0).await;
        let mut other = client.clone();
        let opening = tokio::spawn(async move {
            other.read_shard_stream(of_shard(shard, None, None, 1)).await.unwrap().into_inner()
        });
        // That nothing comes is seen by waiting, and no other way.
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!opening.is_finished());
        append(&mut client, shard, 1).await;
        opening.await.unwrap().message().await.unwrap().unwrap();
    });
}

#[test]
fn an_end_is_part_of_the_read_and_fixed_when_it_begins() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let shard = filled(&mut client, 4).await;
        let mut all = async |from, until| read(&mut client, of_shard(shard, from, until, 0)).await.concat();
        assert_eq!(all(at_record(shard, FIRST + 1), at_record(shard, FIRST + 2)).await, [2, 3]);
        assert_eq!(all(None, latest()).await, [1, 2, 3, 4]);
        assert!(all(None, earliest()).await.is_empty());
        assert_eq!(all(at_time(0), at_time(i64::MAX)).await, [1, 2, 3, 4], "no batch is that late yet");
        let beyond = client
            .read_shard_stream(of_shard(shard, at_record(shard, FIRST + 3), at_record(shard, FIRST + 4), 0))
            .await;
        let mut beyond = beyond.unwrap().into_inner();
        beyond.message().await.unwrap().unwrap();
        append(&mut client, shard, 1).await;
        assert_eq!(numbers(&beyond.message().await.unwrap().unwrap().received_records), [5]);
        assert!(beyond.message().await.unwrap().is_none());
    });
}

#[test]
fn an_end_by_time_includes_a_batch_of_that_very_time() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let shard = filled(&mut client, 1).await;
        // The batches are to have different times, in milliseconds.
        tokio::time::sleep(Duration::from_millis(20)).await;
        append(&mut client, shard, 1).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        append(&mut client, shard, 1).await;
        let messages =
            collect(client.read_shard_stream(of_shard(shard, None, latest(), 0)).await).await.unwrap();
        let ms = |index: usize| {
            let record = messages[0].received_records[index].record.as_ref().unwrap();
            let time = record.publish_time.unwrap();
            time.seconds * 1000 + i64::from(time.nanos) / 1_000_000
        };
        let mut until = async |ms| read(&mut client, of_shard(shard, None, at_time(ms), 0)).await.concat();
        assert_eq!(until(ms(1)).await, [1, 2]);
        assert_eq!(until(ms(1) - 1).await, [1]);
        assert_eq!(until(ms(2)).await, [1, 2, 3]);
        let from = read(&mut client, of_shard(shard, at_time(ms(1)), at_time(ms(1)), 0)).await;
        assert_eq!(from.concat(), [2]);
    });
}

#[test]
fn reads_that_can_not_be_are_refused() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let shard = filled(&mut client, 1).await;
        let unknown = refusal(&mut client, of_shard(7, None, None, 0)).await;
        is_json(&unknown, Code::NotFound, 0, "ShardNotFound", "Shard with id 7 is not found.");
        let backwards = refusal(&mut client, of_shard(shard, latest(), latest(), 0)).await;
        let extra = format!("startLSN({}) should less than and equal to endLSN({FIRST})", FIRST + 1);
        is_json(&backwards, Code::InvalidArgument, 901, "ConflictShardReaderOffset", &extra);
        let foreign = refusal(&mut client, of_shard(shard, at_record(5, 6), None, 0)).await;
        let extra = format!(
            "shardId {shard} doesn't match with recordId RecordId {{recordIdShardId = 5, recordIdBatchId = 6, \
             recordIdBatchIndex = 0}}"
        );
        is_json(&foreign, Code::InvalidArgument, 901, "ConflictShardReaderOffset", &extra);
        let odd = refusal(&mut client, of_shard(shard, special(9), None, 0)).await;
        is_json(&odd, Code::InvalidArgument, 208, "InvalidShardOffset", "UnKnownShardOffset");
        let empty = Some(proto::ShardOffset::default());
        assert_eq!(refusal(&mut client, of_shard(shard, empty, None, 0)).await.code(), Code::Unknown);
    });
}

#[test]
fn a_single_shard_read_needs_a_stream_of_one_shard() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        filled(&mut client, 3).await;
        create_stream(&mut client, "wide", 2).await;
        let request = |name: &str| proto::ReadSingleShardStreamRequest {
            stream_name: name.into(),
            until: latest(),
            max_read_batches: 2,
            ..Default::default()
        };
        let messages = collect(client.read_single_shard_stream(request("s")).await).await.unwrap();
        assert_eq!(numbers(&messages[0].received_records), [1, 2]);
        let missing = collect(client.read_single_shard_stream(request("none")).await).await.unwrap_err();
        is_plain(&missing, Code::Internal, "requested identifier does not exist");
        let wide = collect(client.read_single_shard_stream(request("wide")).await).await.unwrap_err();
        let extra = "Stream \"wide\" has more than one shard";
        is_json(&wide, Code::InvalidArgument, 902, "TooManyShardCount", extra);
    });
}

#[test]
fn a_stream_read_has_all_shards_each_in_order() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let shards = create_stream(&mut client, "s", 3).await;
        for _ in 0..7 {
            for shard in &shards {
                append(&mut client, *shard, 1).await;
            }
        }
        let request = |max_read_batches| proto::ReadStreamRequest {
            stream_name: "s".into(),
            from: of_stream(0),
            until: of_stream(1),
            max_read_batches,
            ..Default::default()
        };
        let messages = collect(client.read_stream(request(0)).await).await.unwrap();
        assert!(messages.iter().all(|message| message.received_records.len() <= 10));
        let all: Vec<_> = messages.into_iter().flat_map(|message| message.received_records).collect();
        for shard in &shards {
            let of_shard = all.iter().filter(|batch| batch.record_ids[0].shard_id == *shard);
            assert_eq!(numbers(&of_shard.cloned().collect::<Vec<_>>()), [1, 2, 3, 4, 5, 6, 7]);
        }
        let messages = collect(client.read_stream(request(12)).await).await.unwrap();
        assert_eq!(messages.iter().map(|message| message.received_records.len()).sum::<usize>(), 12);
    });
}

#[test]
fn a_stream_read_skips_shards_without_anything_to_read() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        create_stream(&mut client, "s", 2).await;
        let request = |name: &str, from, until| proto::ReadStreamRequest {
            stream_name: name.into(),
            from,
            until,
            ..Default::default()
        };
        let none = collect(client.read_stream(request("s", of_stream(1), of_stream(1))).await).await;
        assert!(none.unwrap().is_empty(), "all shards end before they begin, and the call ends well");
        let missing = collect(client.read_stream(request("none", None, None)).await).await.unwrap_err();
        is_plain(&missing, Code::Internal, "requested identifier does not exist");
        let odd = collect(client.read_stream(request("s", of_stream(9), None)).await).await.unwrap_err();
        is_json(&odd, Code::InvalidArgument, 208, "InvalidShardOffset", "InvalidShardOffset");
    });
}

#[test]
fn any_node_serves_a_read() {
    let server = fast().nodes(3).start().unwrap();
    run(async {
        let mut clients = clients(&server).await;
        let shard = filled(&mut clients[0], 2).await;
        for client in &mut clients {
            assert_eq!(read(client, of_shard(shard, None, latest(), 0)).await, [[1, 2]]);
        }
    });
}
