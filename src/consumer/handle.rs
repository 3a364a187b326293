//! The consumer, as its user holds it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::client::{Child, Client};
use crate::consumer::ack::runs_of;
use crate::consumer::config::ConsumerConfig;
#[cfg(feature = "ffi")]
use crate::consumer::dispatch::Handler;
use crate::consumer::dispatch::Next;
use crate::consumer::life::{ConsumerState, Shared, Terms, WaitingFor};
use crate::error::{Error, Result};
use crate::metrics::ChildMetrics;
use crate::received::Batch;
use crate::record_id::RecordId;
use crate::runtime::{Runtime, spawn_thread};
use crate::wait::{Until, Wait, wait};

/// How long the last handle waits for its acks to be taken.
const DROP_TIMEOUT: Duration = Duration::from_secs(5);

/// One consumer of a subscription.
///
/// Records are polled for, or delivered to a callback on a thread of the consumer. Acks are collected and
/// sent by count and age. The connection is made again after a loss, with acks that have not been sent kept; a
/// subscription that was deleted ends the consumer, also when another one of its name is there by then.
/// Clones are the same consumer, and any thread may use it. [`close`](Self::close) it to be sure of its acks;
/// dropping the last clone closes it within 5 s.
///
/// # When it is slower than its records
///
/// It reads on by itself until what it has received and not handed out reaches the bound of
/// [`prefetch`](ConsumerConfig::prefetch), and then no more until there is room. The server sends to all consumers of
/// a subscription from one loop that waits for each of them: so a consumer that is full soon stops its siblings as
/// well, and what is to be delivered again to them. [`waiting_for`](Self::waiting_for) tells
/// [`Buffer`](WaitingFor::Buffer) then. What keeps the siblings going is a bound that the server knows:
/// [`max_unacked_records`](crate::SubscriptionOptions::max_unacked_records) of the subscription, small enough for its
/// records to fit into the buffer of each consumer. But this too counts for all consumers together: at it, all wait
/// until somebody acks.
///
/// The protocol has no pause: one who does not poll, or whose callback does not return, is full sooner or later. To
/// pause, [`stop`](Self::stop), which gives the shards to the siblings at once, and [`start`](Self::start) later; the
/// records that were received and not acked come again after the ack time-out.
#[derive(Clone)]
pub struct Consumer {
    owner: Arc<Owner>,
}

/// Ends the consumer when nobody has it any more.
pub(crate) struct Owner {
    shared: Arc<Shared>,
    /// Goes last: closing needs it.
    runtime: Runtime,
}

impl Client {
    /// A consumer of a subscription. It begins with the first poll, or with
    /// [`start`](Consumer::start).
    ///
    /// # Errors
    ///
    /// There is no such subscription, an option is out of range, the client is closed.
    pub fn consumer(&self, subscription: &str, config: ConsumerConfig) -> Result<Consumer> {
        self.consumer_found_by(self, subscription, config)
    }

    /// The same, with the subscription looked for by the other handle, and all that comes later by this one.
    pub(crate) fn consumer_found_by(
        &self,
        finder: &Client,
        subscription: &str,
        config: ConsumerConfig,
    ) -> Result<Consumer> {
        let settings = config.check()?;
        let known = finder.get_subscription(subscription)?;
        let terms = Terms {
            created: known.created(),
            ack_timeout: known.ack_timeout(),
            max_unacked: u64::try_from(known.max_unacked_records()).unwrap_or(0),
        };
        // It goes where the subscription is: another node would start a second copy of it.
        let cluster = Arc::new(self.cluster().asking_only(None));
        let shared = Arc::new(Shared::new(subscription, terms, settings, cluster, self.spawner()));
        let owner = Arc::new(Owner { shared, runtime: self.runtime().clone() });
        let child: Arc<dyn Child> = owner.clone();
        self.adopt(Arc::downgrade(&child))?;
        Ok(Consumer { owner })
    }
}

impl Consumer {
    pub(crate) fn of(owner: Arc<Owner>) -> Self {
        Consumer { owner }
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.owner.shared
    }

    /// Its name, unique among the subscription's consumers. Where it was generated, the server may list the consumer
    /// with a number behind it: see [`ConsumerConfig::name`].
    pub fn name(&self) -> &str {
        &self.shared().settings.name
    }

    /// The subscription.
    pub fn subscription(&self) -> &str {
        &self.shared().subscription
    }

    /// What it is doing.
    pub fn state(&self) -> ConsumerState {
        self.shared().state()
    }

    /// Why it failed, or why it lost its connection last.
    pub fn last_error(&self) -> Option<Error> {
        self.shared().last_error()
    }

    /// Begins, or goes on after a stop. The first poll does so by itself.
    ///
    /// # Errors
    ///
    /// It is closed, or has failed.
    pub fn start(&self) -> Result<()> {
        self.shared().start().map(drop)
    }

    /// Begins, with batches delivered to this callback, on a thread of the consumer. A batch is delivered when
    /// the callback has returned from the one before it: that is the back-pressure.
    ///
    /// The callback may call everything of this library, and ack from any thread at any time. In it,
    /// [`stop`](Self::stop) is a request that takes effect when it returns, and [`close`](Self::close) ends
    /// with [`WouldDeadlock`](crate::ErrorKind::WouldDeadlock). A panic in it fails the consumer.
    ///
    /// # Errors
    ///
    /// It runs already, is closed, or has failed; its thread can't be started.
    pub fn start_with(&self, callback: impl FnMut(&Consumer, &Batch) -> Next + Send + 'static) -> Result<()> {
        self.shared().start_with(Arc::downgrade(&self.owner), callback)
    }

    /// The same, for a callback that is also told the end.
    #[cfg(feature = "ffi")]
    pub(crate) fn start_handler(&self, handler: impl Handler) -> Result<()> {
        self.shared().start_with(Arc::downgrade(&self.owner), handler)
    }

    /// [`start_with`](Self::start_with), and waits until the consumer has stopped: with a name, a subscription and a
    /// function, all in one.
    ///
    /// ```
    /// # fn main() -> hstreamdb::Result<()> {
    /// # #[cfg(feature = "dev-server")] {
    /// use hstreamdb::{Batch, Client, Consumer, ConsumerConfig, Next};
    ///
    /// fn processing_func(consumer: &Consumer, records: &Batch) -> Next {
    ///     for record in records.iter() {
    ///         println!("{}: {} bytes", record.id(), record.payload().len());
    ///     }
    ///     match consumer.ack_batch(records) {
    ///         Ok(()) => Next::Stop, // Or Next::Processed, which goes on.
    ///         Err(_) => Next::Keep,
    ///     }
    /// }
    ///
    /// # let server = hstreamdb::dev_server::DevServer::start()?;
    /// # let client = Client::connect(server.url())?;
    /// # client.create_stream("quakes", Default::default())?;
    /// # client.create_subscription("alarm", "quakes", Default::default())?;
    /// # client.append_one("quakes", &hstreamdb::Record::raw("5.3"))?;
    /// client.consumer("alarm", ConsumerConfig::new().name("worker-1"))?.run(processing_func)?;
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`start_with`](Self::start_with), and why it failed. The server may not have taken the last acks.
    pub fn run(&self, callback: impl FnMut(&Consumer, &Batch) -> Next + Send + 'static) -> Result<()> {
        self.start_with(callback)?;
        self.wait(Wait::forever())
    }

    /// Waits until the consumer has stopped, failed, or was closed.
    ///
    /// # Errors
    ///
    /// Why it failed; the server may not have taken the last acks; those of the wait.
    /// [`WouldDeadlock`](crate::ErrorKind::WouldDeadlock) in its own callback.
    pub fn wait(&self, limit: impl Into<Wait>) -> Result<()> {
        self.shared().wait_for_end(limit.into().until())
    }

    /// Up to `max` records, as soon as there are any; `None` if none came in time. A batch of the server is
    /// split where needed, without copying. Several threads may poll: each record goes to one of them.
    ///
    /// # Errors
    ///
    /// [`Closed`](crate::ErrorKind::Closed) after a close; [`InvalidState`](crate::ErrorKind::InvalidState) if it was
    /// stopped, or delivers to a callback; why it failed; [`Interrupted`](crate::ErrorKind::Interrupted).
    pub fn poll(&self, max: usize, limit: impl Into<Wait>) -> Result<Option<Batch>> {
        self.shared().poll(max, limit.into().until())
    }

    /// A descriptor that is readable while [`poll`](Self::poll) would return at once: for event loops. It is only to
    /// be waited for, and stays the consumer's. The consumer must have been [started](Self::start).
    ///
    /// # Errors
    ///
    /// [`Resources`](crate::ErrorKind::Resources).
    #[cfg(unix)]
    pub fn event_fd(&self) -> Result<std::os::fd::BorrowedFd<'_>> {
        self.shared().descriptor()
    }

    /// Acks records: they are not delivered again. Only ids that this consumer received may be acked; acking
    /// one again is harmless.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) if one is of a shard that this consumer was given no
    /// record of; then none is acked. [`Closed`](crate::ErrorKind::Closed).
    pub fn ack(&self, ids: &[RecordId]) -> Result<()> {
        self.shared().ack(runs_of(ids).into_iter())
    }

    /// Acks all records of a batch.
    ///
    /// # Errors
    ///
    /// As [`ack`](Self::ack).
    pub fn ack_batch(&self, batch: &Batch) -> Result<()> {
        self.shared().ack(batch.runs())
    }

    /// Acks all records of a shard that were handed out, up to and with this one.
    ///
    /// # Errors
    ///
    /// As [`ack`](Self::ack).
    pub fn ack_up_to(&self, last: RecordId) -> Result<()> {
        self.shared().ack_up_to(last)
    }

    /// How many records were handed out and not acked. The server delivers them again when the subscription's ack
    /// time-out is over; then they don't count any more, and an event tells.
    pub fn unacked_records(&self) -> u64 {
        self.shared().acks.unacked()
    }

    /// How long the oldest of these has waited for its ack; `None` if there are none.
    pub fn oldest_unacked(&self) -> Option<Duration> {
        self.shared().acks.oldest_unacked().map(|since| since.elapsed())
    }

    /// Why no records come, where none come.
    pub fn waiting_for(&self) -> WaitingFor {
        self.shared().waiting_for()
    }

    /// Waits until all acks have been sent. The server confirms none; [`close`](Self::close) makes sure.
    ///
    /// # Errors
    ///
    /// Those of the wait; they lose nothing.
    pub fn flush_acks(&self, limit: impl Into<Wait>) -> Result<()> {
        self.shared().acks.hurry();
        let limit = limit.into();
        let sent = async {
            tokio::select! {
                biased;
                () = self.shared().acks.wait_until_none() => Ok(()),
                () = self.shared().ending.closed() => Err(Error::closed("client")),
            }
        };
        wait(sent, limit.until()).map_err(|ended| ended.into_error("acks to be sent"))?
    }

    /// How many acks have not been sent.
    pub fn pending_acks(&self) -> usize {
        self.shared().acks.len()
    }

    /// Stops delivery, sends the acks, and gives the shards back, so that other consumers get them at once.
    /// Acks are taken until it returns. What was received and not handed out is delivered again later.
    /// [`start`](Self::start) begins again.
    ///
    /// # Errors
    ///
    /// The server may not have taken all acks: the connection was lost, or time was up. Why it failed before.
    pub fn stop(&self, limit: impl Into<Wait>) -> Result<()> {
        self.shared().stop(limit.into().until())
    }

    /// Stops, and ends the consumer for good. After it no callback runs. Closing twice is fine. If it
    /// succeeds, the server has taken all acks.
    ///
    /// # Errors
    ///
    /// As [`stop`](Self::stop); it is closed all the same. When the wait was interrupted it is not,
    /// and nothing is lost.
    /// [`WouldDeadlock`](crate::ErrorKind::WouldDeadlock) in its own callback.
    pub fn close(&self, limit: impl Into<Wait>) -> Result<()> {
        self.shared().close(limit.into().until())
    }

    /// The records as they come, one by one, without end: until the consumer is stopped or closed elsewhere,
    /// or fails.
    pub fn batches(&self) -> impl Iterator<Item = Result<Batch>> + '_ {
        std::iter::from_fn(move || {
            loop {
                match self.poll(usize::MAX, Wait::forever()) {
                    Ok(Some(batch)) => return Some(Ok(batch)),
                    Ok(None) => {}
                    Err(error) if error.is_closed() => return None,
                    Err(error) => return Some(Err(error)),
                }
            }
        })
    }
}

impl Child for Owner {
    fn end_waits(&self) {
        self.shared.ending.close();
    }

    fn close_within(&self, until: Until<'_>) -> Result<()> {
        self.shared.close(until)
    }

    fn metrics(&self) -> Option<ChildMetrics> {
        Some(ChildMetrics::Consumer(self.shared.metrics()))
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if !self.shared.is_callback_thread() {
            return close_for_good(&self.shared);
        }
        // The callback was the last to have it, and can't wait for itself: somebody else does.
        self.shared.stop_delivering();
        let (shared, runtime) = (self.shared.clone(), self.runtime.clone());
        let closer = spawn_thread("hstream-stop".into(), move || {
            close_for_good(&shared);
            drop(runtime);
        });
        if let Err(error) = closer {
            tracing::error!(%error, "a consumer could not be closed");
        }
    }
}

fn close_for_good(shared: &Shared) {
    if let Err(error) = shared.close(Wait::from(DROP_TIMEOUT).until()) {
        tracing::warn!(subscription = shared.subscription, %error, "a consumer was dropped with acks on the way");
    }
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer")
            .field("name", &self.name())
            .field("subscription", &self.subscription())
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
