//! The consumer's own thread, where there is a callback.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};

use crate::consumer::handle::{Consumer, Owner};
use crate::consumer::life::Shared;
use crate::error::{Error, ErrorKind, Result};
use crate::received::Batch;
use crate::test_panic;
use crate::wait::Wait;

/// What a callback wants after a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Go on. With auto-ack, the whole batch is acked.
    Processed,
    /// Go on, and leave the batch unacked whatever the options say.
    Keep,
    /// As `Processed`, and then stop the consumer.
    Stop,
}

/// What is called for each batch, and once at the end.
pub(crate) trait Handler: Send + 'static {
    fn batch(&mut self, consumer: &Consumer, batch: &Batch) -> Next;

    /// With why it failed, if it did.
    fn ended(&mut self, _failure: Option<&Error>) {}
}

impl<F: FnMut(&Consumer, &Batch) -> Next + Send + 'static> Handler for F {
    fn batch(&mut self, consumer: &Consumer, batch: &Batch) -> Next {
        self(consumer, batch)
    }
}

/// Decodes batches and hands them to the callback, one at a time.
pub(crate) struct Dispatch<H> {
    shared: Arc<Shared>,
    /// Weak, so that dropping the last handle ends the consumer although it runs.
    owner: Weak<Owner>,
    handler: H,
}

impl<H: Handler> Dispatch<H> {
    pub(crate) fn new(shared: Arc<Shared>, owner: Weak<Owner>, handler: H) -> Self {
        Dispatch { shared, owner, handler }
    }

    pub(crate) fn run(mut self) {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.deliver_until_ended()));
        let panicked =
            || Error::new(ErrorKind::Panic, "the callback thread of a consumer panicked; this is a bug");
        let failure = outcome.unwrap_or_else(|_| Err(panicked())).err();
        if let Some(error) = &failure {
            self.shared.fail(error.clone());
        }
        self.shared.stop_fetch();
        let told = catch_unwind(AssertUnwindSafe(|| self.handler.ended(failure.as_ref())));
        if told.is_err() {
            tracing::error!(subscription = self.shared.subscription, "a consumer's last callback panicked");
        }
    }

    fn deliver_until_ended(&mut self) -> Result<()> {
        let most = self.shared.settings.callback_records;
        loop {
            let batch = match self.shared.take(most, Wait::forever().until()) {
                Ok(Some(batch)) => batch,
                Ok(None) => continue,
                // The end, as asked or not.
                Err(_) => return self.shared.failure().map_or(Ok(()), Err),
            };
            test_panic::point("callback", &self.shared.subscription);
            let Some(owner) = self.owner.upgrade() else { return Ok(()) };
            let consumer = Consumer::of(owner);
            let next = catch_unwind(AssertUnwindSafe(|| self.handler.batch(&consumer, &batch)));
            let next = next.map_err(|_| {
                let message = "a consumer's callback panicked; the batch it had is not acked";
                Error::new(ErrorKind::Panic, message)
            })?;
            if self.shared.settings.auto_ack && next != Next::Keep {
                self.shared.ack(batch.runs())?;
            }
            if next == Next::Stop {
                self.shared.stop_delivering();
            }
        }
    }
}
