//! What all rows need to know.

use std::time::Duration;

use hstreamdb::{Client, ProducerConfig, Record};

use crate::measure::{Measured, measure};
use crate::peers::Peers;

/// How long anything may take at the end.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Setup {
    pub(crate) url: String,
    /// Only to see that it works: a thousandth of everything.
    pub(crate) quick: bool,
    pub(crate) peers: Peers,
}

impl Setup {
    /// How many of something to do, if it is to be so many.
    pub(crate) fn count(&self, count: usize) -> usize {
        if self.quick { count.div_ceil(1000) } else { count }
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(self.url.as_str()).expect("a client").within(PATIENCE)
    }

    /// Produces so many records, these again and again, and waits until all are written.
    pub(crate) fn produce(
        &self,
        config: ProducerConfig,
        stream: &str,
        records: &[Record],
        count: usize,
    ) -> Measured {
        let producer = self.client().producer(config).expect("a producer");
        let appender = producer.appender(stream).expect("an appender");
        measure(|| {
            for record in records.iter().cycle().take(count) {
                appender.append(record).expect("an append");
            }
            let counts = producer.close(PATIENCE).expect("all settled");
            count - (counts.failed + counts.unknown) as usize
        })
    }
}
