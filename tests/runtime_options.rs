//! Options of the process's threads: in a process of its own, and in one test, as they hold for all of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hstreamdb::dev_server::DevServer;
use hstreamdb::{
    Client, Compression, ConsumerConfig, ErrorKind, Next, ProducerConfig, Record, RuntimeOptions, StartAt,
    StreamOptions, SubscriptionOptions, ThreadEvent,
};

const SOON: Duration = Duration::from_secs(30);

/// How often threads of each name have started and ended.
type Seen = Arc<Mutex<BTreeMap<String, (u32, u32)>>>;

fn options(seen: &Seen) -> RuntimeOptions {
    let seen = seen.clone();
    let options = RuntimeOptions::new().worker_threads(3).thread_name("app").stack_size(16 << 20);
    options.thread_hook(move |event, name| {
        let mut seen = seen.lock().unwrap();
        let (starts, ends) = seen.entry(name.to_owned()).or_default();
        match event {
            ThreadEvent::Starts => *starts += 1,
            ThreadEvent::Ends => *ends += 1,
        }
    })
}

fn names(seen: &Seen, part: &str) -> usize {
    seen.lock().unwrap().keys().filter(|name| name.contains(part)).count()
}

/// Takes more than the 2 MiB that threads have without options.
#[inline(never)]
fn use_the_stack() -> u8 {
    let large = std::hint::black_box([1_u8; 3 << 20]);
    large[std::hint::black_box(1 << 20)]
}

fn use_everything(url: &str, name: &str) {
    let client = Client::connect(url).unwrap();
    client.create_stream(name, StreamOptions::new()).unwrap();
    let options = SubscriptionOptions::new().start(StartAt::Earliest);
    client.create_subscription(name, name, options).unwrap();
    let config = ProducerConfig::new().compression(Compression::gzip()).on_delivery(|_| {
        assert_eq!(use_the_stack(), 1);
    });
    let producer = client.producer(config).unwrap();
    producer.append(name, &Record::raw(vec![b'x'; 1000])).unwrap();
    assert_eq!(producer.close(SOON).unwrap().written, 1);
    let consumer = client.consumer(name, ConsumerConfig::new()).unwrap();
    consumer
        .run(|consumer, batch| {
            consumer.ack_batch(batch).unwrap();
            Next::Stop
        })
        .unwrap();
}

#[test]
fn options_hold_for_all_threads_of_the_process_and_for_later_starts() {
    let server = DevServer::start().unwrap();
    let seen = Seen::default();
    assert_eq!(
        hstreamdb::init(RuntimeOptions::new().stack_size(1)).unwrap_err().kind(),
        ErrorKind::InvalidArgument
    );
    // Before there is a client, they may be set as often as wanted.
    hstreamdb::init(RuntimeOptions::new()).unwrap();
    hstreamdb::init(options(&seen)).unwrap();
    for round in 0..2 {
        seen.lock().unwrap().clear();
        use_everything(&server.url(), &format!("round-{round}"));
        assert_eq!((names(&seen, "app-io-") >= 3, names(&seen, "app-cb-")), (true, 2), "{seen:?}");
        assert!(names(&seen, "app-z-") >= 1 && names(&seen, "hstream") == 0, "{seen:?}");
        for (name, (starts, ends)) in &*seen.lock().unwrap() {
            // The one that stops the others may itself still be on its way out.
            assert!(starts == ends || name == "app-stop", "{name}: {starts} and {ends}");
        }
    }
    let client = Client::connect(server.url()).unwrap();
    let late = hstreamdb::init(RuntimeOptions::new()).unwrap_err();
    assert_eq!(late.kind(), ErrorKind::InvalidState, "{late}");
    drop(client);
    hstreamdb::init(RuntimeOptions::new()).unwrap();
    seen.lock().unwrap().clear();
    Client::connect(server.url()).unwrap().echo("x").unwrap();
    assert_eq!(seen.lock().unwrap().len(), 0, "the hook is gone");
    assert_eq!(Arc::strong_count(&seen), 1, "and so is what it had");
}
