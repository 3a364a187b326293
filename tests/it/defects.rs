//! What is broken in other clients' producers, and where it is tested that it is not here:
//!
//! | class | tests |
//! | --- | --- |
//! | records lost under concurrent append | `every_trigger_sends_each_record_once`; `buffered::concurrent_appends_arrive_once_each_and_in_order_per_key`; `producer_properties` |
//! | records or results lost at flush or close | `a_close_at_once_tells_each_outcome_once_whatever_the_server_does`; `buffered::what_is_appended_and_closed_at_once_is_written`; `buffered::a_close_counts_all_that_had_not_been_reported_when_it_was_called`; the models `everything_at_once`, `two_closes_and_a_flush`, `no_callback_runs_after_any_close` |
//! | append after or during close | `buffered::appends_race_a_close_and_are_either_refused_or_written`; the models `appends_race_a_close` and `appends_race_a_close_that_gives_up` |
//! | a failed batch poisons the shard | `buffered::a_failed_batch_does_not_spoil_its_shard`; the model `gates_open_again_after_failures` |
//! | wake-up and accounting errors in the byte window | the models `budget_*`; `producer_properties` |
//! | record larger than the window or than the server's limit | `a_record_passes_up_to_the_limit_also_through_a_window_that_is_smaller`; `append::a_record_passes_up_to_the_servers_limit_and_no_further` |
//! | order within a shard | `buffered::refusals_before_and_after_the_write_repeat_records_but_never_invert_them`; `failures::what_failed_is_appended_again_in_its_callback_ahead_of_all_who_wait`; the model `failures_are_repaired_by_the_callback_in_order` |
//! | stale shard or node cache | `owners_move_while_records_are_written`; `cluster::a_client_goes_on_when_a_node_dies_whichever_it_is`; `recreated`; the models `streams_created_anew_*` |
//! | seeds forgotten | `cluster::all_nodes_may_be_replaced_while_the_seed_stays` |
//! | empty payload lost | `producer_properties`, which compares all records with what is there; `append::every_compression_and_kind_of_record_comes_back_as_it_went` |
//! | no deadline, cannot cancel | `buffered::a_full_buffer_refuses_or_waits_as_the_caller_wants`; `waiting`; `dead_ends` |
//! | process-wide state | `options_of_one_producer_never_show_in_another`; `admin::options_of_one_call_never_show_in_the_next` |
//! | panic from inside the library | `codec::append`, whatever an append is answered with; `buffered::a_panic_in_a_callback_is_contained`; `producer_properties` |
//! | unbounded queues | `a_slow_callback_bounds_what_is_accepted`; `buffered::reports_can_be_polled_and_their_queue_is_bounded` |

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use hstreamdb::dev_server::DevServerOptions;
use hstreamdb::{Compression, ErrorKind, FailurePolicy, Linger, ProducerConfig, Record};

use crate::support::{Fixture, SOON};

/// A refusal for good.
const REFUSAL: &str = r#"{"error":206,"message":"EmptyBatchedRecord","extra":null}"#;

/// How often records ended how, by their tags: written or not.
type Outcomes = Arc<Mutex<BTreeMap<u64, Vec<bool>>>>;

fn reporting(config: ProducerConfig) -> (ProducerConfig, Outcomes) {
    let outcomes = Outcomes::default();
    let noted = outcomes.clone();
    let config = config.on_delivery(move |deliveries| {
        for delivered in deliveries.iter() {
            noted.lock().unwrap().entry(delivered.tag()).or_default().push(delivered.result().is_ok());
        }
    });
    (config, outcomes)
}

fn quick_retries() -> ProducerConfig {
    ProducerConfig::new().retry(None, Duration::from_millis(2), Duration::from_millis(20))
}

fn numbered(number: u64) -> Record {
    Record::raw(number.to_string()).with_key(format!("key-{}", number % 5))
}

#[test]
fn every_trigger_sends_each_record_once() {
    const THREADS: u64 = 4;
    const EACH: u64 = 100;
    let new = ProducerConfig::new;
    let by_hand = || new().linger(Linger::ByHand);
    let triggers = [
        ("idle shard", new()),
        ("age", new().linger(Linger::For(Duration::from_millis(1)))),
        ("records", by_hand().batch_records(3)),
        ("bytes", by_hand().batch_bytes(100)),
        ("full buffer", by_hand().buffer_bytes(600)),
        ("flush", by_hand()),
        ("several in flight", new().batch_records(2).in_flight_per_shard(4)),
        ("few places", new().batch_records(2).workers(1)),
    ];
    let fixture = Fixture::new();
    for (trigger, config) in triggers {
        let stream = fixture.stream(3);
        let (config, outcomes) = reporting(config);
        let producer = fixture.client.producer(config).unwrap();
        let appender = producer.appender(&stream).unwrap();
        thread::scope(|scope| {
            for by in 0..THREADS {
                let appender = &appender;
                scope.spawn(move || {
                    for number in (0..EACH).map(|number| by * EACH + number) {
                        appender.append_tagged(&numbered(number), number, SOON).unwrap();
                        if trigger == "flush" && number % 10 == by {
                            appender.flush(SOON).unwrap();
                        }
                    }
                });
            }
        });
        producer.close(SOON).unwrap();
        let outcomes = outcomes.lock().unwrap();
        assert!(outcomes.keys().copied().eq(0..THREADS * EACH), "{trigger}");
        assert!(outcomes.values().all(|told| *told == [true]), "{trigger}");
        let mut there: Vec<u64> = fixture
            .content(&stream, (THREADS * EACH) as usize)
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        there.sort_unstable();
        assert!(there.into_iter().eq(0..THREADS * EACH), "{trigger}");
    }
}

#[test]
fn a_close_at_once_tells_each_outcome_once_whatever_the_server_does() {
    const RECORDS: u64 = 20;
    for behaviour in ["answers", "is slow", "never answers", "refuses", "is unavailable", "is killed"] {
        let fixture = Fixture::new();
        let stream = fixture.stream(2);
        let (config, outcomes) = reporting(quick_retries().batch_records(3));
        let producer = fixture.client.producer(config).unwrap();
        let appender = producer.appender(&stream).unwrap();
        let always = || fixture.server.faults().next("Append").always();
        match behaviour {
            "is slow" => always().delay(Duration::from_millis(20)),
            "never answers" => always().never_answer(),
            "refuses" => always().refuse(3, REFUSAL),
            "is unavailable" => always().refuse(14, "server is unavailable"),
            "is killed" => fixture.server.kill_node(0).unwrap(),
            _ => {}
        }
        (0..RECORDS).for_each(|number| appender.append_tagged(&numbered(number), number, SOON).unwrap());
        let ends = matches!(behaviour, "answers" | "is slow" | "refuses");
        let closed = producer.close(if ends { SOON } else { Duration::from_millis(50) });
        assert_eq!(closed.is_ok(), ends, "{behaviour}: {closed:?}");
        assert!(closed.is_ok() || closed.is_err_and(|error| error.is_timeout()));
        let outcomes = outcomes.lock().unwrap();
        assert!(outcomes.keys().copied().eq(0..RECORDS), "{behaviour}: {outcomes:?}");
        let written = matches!(behaviour, "answers" | "is slow");
        assert!(outcomes.values().all(|told| *told == [written]), "{behaviour}: {outcomes:?}");
        assert_eq!((producer.pending_records(), producer.pending_bytes()), (0, 0));
    }
}

#[test]
fn a_record_passes_up_to_the_limit_also_through_a_window_that_is_smaller() {
    let fixture = Fixture::new();
    // The largest payload whose batch is as large as the server takes: a count, and the record with its length.
    let overhead = Record::raw(vec![0; 1_000_000]).encoded_len() - 1_000_000;
    let largest = 1_048_576 - 3 - 3 - overhead;
    for window in [1, 1000, 1 << 20, 64 << 20] {
        let stream = fixture.stream(1);
        let producer = fixture.client.producer(ProducerConfig::new().buffer_bytes(window)).unwrap();
        let appender = producer.appender(&stream).unwrap();
        for size in [largest - 1, largest] {
            appender.append_wait(&Record::raw(vec![7; size]), SOON).unwrap();
            appender.append(&Record::raw("small")).unwrap();
        }
        let refused = appender.append(&Record::raw(vec![7; largest + 1])).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::RecordTooLarge);
        assert_eq!(producer.close(SOON).unwrap().failed, 0);
        assert_eq!(producer.pending_bytes(), 0);
        let sizes: Vec<_> = fixture.content(&stream, 4).iter().map(String::len).collect();
        assert_eq!(sizes, [largest - 1, 5, largest, 5], "window of {window}");
    }
}

#[test]
fn owners_move_while_records_are_written() {
    let options = DevServerOptions::new().nodes(3).failure_detection(Duration::from_millis(50));
    let fixture = Fixture::with(options);
    let stream = fixture.stream(6);
    let (config, outcomes) = reporting(quick_retries().batch_records(5));
    let producer = fixture.client.producer(config).unwrap();
    let appender = producer.appender(&stream).unwrap();
    for number in 0..300 {
        if number % 100 == 50 {
            // Its shards move to the others, and back.
            fixture.server.kill_node(number as usize / 100).unwrap();
        }
        if number % 100 == 80 {
            fixture.server.restart_node(number as usize / 100).unwrap();
            fixture.server.faults().next("Append").times(2).not_owner();
        }
        appender.append_tagged(&numbered(number), number, SOON).unwrap();
    }
    assert_eq!(producer.close(SOON).unwrap().failed, 0);
    let outcomes = outcomes.lock().unwrap();
    assert!(outcomes.len() == 300 && outcomes.values().all(|told| *told == [true]), "{outcomes:?}");
}

#[test]
fn options_of_one_producer_never_show_in_another() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let special = ProducerConfig::new()
        .linger(Linger::ByHand)
        .batch_records(1)
        .buffer_bytes(100)
        .buffer_records(1)
        .compression(Compression::gzip())
        .failure_policy(FailurePolicy::Stop)
        .delivery_timeout(Duration::from_millis(50))
        .poll_reports();
    let special = fixture.client.producer(special).unwrap();
    let plain = fixture.client.producer(ProducerConfig::new()).unwrap();
    let [special_one, plain_one] = [&special, &plain].map(|producer| producer.appender(&stream).unwrap());
    fixture.server.faults().next("Append").refuse(3, REFUSAL);
    special_one.append(&numbered(0)).unwrap();
    special_one.flush(SOON).unwrap();
    // That the shard is stopped is told first, then that there is no room.
    assert_eq!(special_one.append(&numbered(1)).unwrap_err().kind(), ErrorKind::InvalidState);
    special_one.resume(None).unwrap();
    assert_eq!(special_one.append(&numbered(1)).unwrap_err().kind(), ErrorKind::QueueFull);
    special.poll(SOON).unwrap().unwrap();
    // The other one takes many, is not stopped, does not wait for a flush, and has nothing to poll.
    fixture.server.faults().next("Append").delay(Duration::from_millis(100));
    let deliveries: Vec<_> =
        (2..50).map(|number| plain_one.append_tracked(&numbered(number), SOON).unwrap()).collect();
    assert!(deliveries.iter().all(|delivery| delivery.wait(SOON).is_ok()));
    assert_eq!(plain.poll(SOON).unwrap_err().kind(), ErrorKind::InvalidState);
    assert_eq!(fixture.content(&stream, 48).len(), 48);
}

#[test]
fn a_slow_callback_bounds_what_is_accepted() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let (go, gone) = mpsc::channel::<()>();
    let config = ProducerConfig::new().buffer_records(10).on_delivery(move |_| {
        let _ = gone.recv();
    });
    let producer = fixture.client.producer(config).unwrap();
    let appender = producer.appender(&stream).unwrap();
    let patience = Duration::from_millis(50);
    let accepted =
        (0..100).take_while(|number| appender.append_tagged(&numbered(*number), 0, patience).is_ok());
    assert_eq!(accepted.count(), 10);
    drop(go);
    appender.append(&numbered(10)).unwrap();
    producer.close(SOON).unwrap();
    assert_eq!(fixture.content(&stream, 11).len(), 11);
}
