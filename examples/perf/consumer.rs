//! Records received and acked.

use std::time::Duration;

use hstreamdb::ConsumerConfig;

use crate::measure::{Measured, THROUGHPUT, measure};
use crate::raw;
use crate::setup::Setup;
use crate::table::{Family, Group, Row};

static FAMILY: Family = Family { name: "consumer", units: THROUGHPUT };

pub(crate) fn groups(setup: &Setup) -> Vec<Group<'_>> {
    [(100, "100 B"), (1024, "1 KiB")].map(|(size, name)| group(setup, size, name)).into()
}

fn group<'a>(setup: &'a Setup, size: usize, name: &str) -> Group<'a> {
    let count = setup.count(if size == 100 { 4_000_000 } else { 600_000 });
    let subscription = format!("size-{size}");
    let same = subscription.clone();
    let mut rows = vec![
        Row::new("raw, not decoded", move || raw::consume(&setup.url, &same, count).figures(size)),
        Row::new("library, decoded", move || consume(setup, &subscription, size, count).figures(size)),
    ];
    if let Some(python) = &setup.peers.python_consumer {
        // It is slow, and a part says as much.
        let arguments =
            [setup.url.clone(), format!("size-{size}"), size.to_string(), (count / 50).to_string()];
        rows.push(Row::new("Python", move || python.measure(&arguments).figures(size)));
    }
    let ratios = vec![("library, decoded", "raw, not decoded"), ("library, decoded", "Python")];
    Group { family: &FAMILY, shape: format!("{name}, 1,000 a batch, with acks"), rows, ratios }
}

/// Polled, looked at and acked.
pub(crate) fn consume(setup: &Setup, subscription: &str, size: usize, count: usize) -> Measured {
    const LONGEST: Duration = Duration::from_secs(10);
    let consumer = setup.client().consumer(subscription, ConsumerConfig::new()).expect("a consumer");
    consumer.poll(1, LONGEST).expect("the first record");
    measure(|| {
        let mut received = 0;
        let mut bytes = 0;
        while received < count {
            let batch = consumer.poll(usize::MAX, LONGEST).expect("a poll").expect("records");
            bytes += batch.iter().map(|record| record.payload().len()).sum::<usize>();
            consumer.ack_batch(&batch).expect("an ack");
            received += batch.len();
        }
        assert_eq!(bytes, received * size);
        received
    })
}
