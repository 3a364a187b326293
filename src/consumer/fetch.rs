//! The task that keeps a StreamingFetch open.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::admin::subscriptions::{Subscription, owner_of};
use crate::cluster::Plan;
use crate::cluster::duplex::Duplex;
use crate::cluster::retry::Failure;
use crate::codec::acks;
use crate::codec::received::RawBatch;
use crate::consumer::life::{ConsumerState, Shared};
use crate::error::{Error, ErrorKind, Result, status};
use crate::proto;

/// How often a consumer's name may be taken before it has ever run: our own dead predecessor may hold it
/// for a moment.
const NAME_ATTEMPTS: u32 = 5;

/// How often in a row a server may cancel at once: that is also how it refuses credentials without TLS.
const CANCELLED_ATTEMPTS: u32 = 8;
const AT_ONCE: Duration = Duration::from_secs(1);

pub(crate) struct FetchLoop {
    shared: Arc<Shared>,
    /// Attempts since records last came.
    attempts: u32,
    /// Those in a row that the server cancelled at once.
    cancelled: u32,
    /// Whether the name is ours: if it is taken, it is by a connection of ours that the server has not missed yet.
    owns_name: bool,
    /// How often a generated name has been given up for another.
    renames: u32,
    /// What all requests begin with.
    names: Bytes,
}

/// How a connection ended.
enum Ended {
    /// We asked for the end, and the server saw everything that we sent before.
    Stopped,
    Lost(Failure),
}

impl FetchLoop {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let names = acks::begin(&shared.subscription, &shared.settings.name);
        let owns_name = shared.settings.has_unique_name;
        FetchLoop { shared, attempts: 0, cancelled: 0, owns_name, renames: 0, names }
    }

    /// Runs until it is stopped, or fails for good. Returns why.
    pub(crate) async fn run(mut self) -> Result<()> {
        loop {
            if self.shared.stopping.is_closed() && self.shared.acks.len() == 0 {
                return Ok(());
            }
            self.attempts += 1;
            let begun = Instant::now();
            let failure = match self.connect_and_serve().await {
                Ok(Ended::Stopped) => {
                    self.shared.acks.confirm();
                    return Ok(());
                }
                Ok(Ended::Lost(failure)) => {
                    self.shared.acks.send_again(Instant::now());
                    failure
                }
                Err(failure) => failure,
            };
            let was_cancelled = failure.error().has_status(status::CANCELLED) && begun.elapsed() < AT_ONCE;
            self.cancelled = if was_cancelled { self.cancelled + 1 } else { 0 };
            if let Some(error) = self.give_up(&failure) {
                return Err(error);
            }
            let error = failure.into_error();
            if error.has_status(status::ALREADY_EXISTS) && self.shared.settings.has_unique_name {
                self.rename();
            }
            tracing::debug!(subscription = self.shared.subscription, attempts = self.attempts, %error, "reconnecting");
            self.shared.note_loss(error);
            let pause = self.shared.settings.backoff.delay(self.attempts, fastrand::f64());
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.shared.stopping.closed(), if !self.shared.stopping.is_closed() => {}
            }
        }
    }

    /// The server has not missed a connection of ours, and will not as long as it has nothing to send there: for
    /// ever, if it waits for acks. Under another name these reach it, as it takes them from any consumer of the
    /// subscription. A name that the user gave stays: somebody else may have it.
    fn rename(&mut self) {
        self.renames += 1;
        let name = format!("{}-{}", self.shared.settings.name, self.renames);
        self.names = acks::begin(&self.shared.subscription, &name);
    }

    /// The error to end with, if there is no use in going on.
    fn give_up(&self, failure: &Failure) -> Option<Error> {
        let Failure::Refused(error) = failure else { return None };
        let give_up = match error.server().map_or(status::INTERNAL, |server| server.grpc_status()) {
            status::NOT_FOUND
            | status::INVALID_ARGUMENT
            | status::PERMISSION_DENIED
            | status::UNAUTHENTICATED
            | status::RESOURCE_EXHAUSTED
            | status::UNIMPLEMENTED => true,
            status::FAILED_PRECONDITION => !error.has_code(proto::ErrorCode::WrongServer),
            status::ABORTED => error.server().is_some_and(|server| server.name() == "SubscriptionIsDeleting"),
            status::CANCELLED => self.cancelled >= CANCELLED_ATTEMPTS,
            status::ALREADY_EXISTS => !self.owns_name && self.attempts >= NAME_ATTEMPTS,
            // It is another subscription.
            _ => error.kind() == ErrorKind::InvalidState,
        };
        let subject = format!("of subscription {}", self.shared.subscription);
        give_up.then(|| error.clone().doing("StreamingFetch", Some(subject)).after_attempts(self.attempts))
    }

    async fn connect_and_serve(&mut self) -> Result<Ended, Failure> {
        let first = self.names.clone();
        let shared = self.shared.clone();
        let mut fetch = tokio::select! {
            fetch = self.open(first) => fetch?,
            // With nothing to send, there is no use in a connection.
            () = shared.stopping.closed(), if shared.acks.len() == 0 => return Ok(Ended::Stopped),
        };
        self.shared.set_state(ConsumerState::Running);
        let begun = Instant::now();
        let ended = self.serve(&mut fetch).await;
        if begun.elapsed() >= AT_ONCE {
            // Servers say nothing when they take a consumer on, but refuse one at once.
            (self.attempts, self.owns_name) = (1, true);
        }
        if let Ended::Lost(Failure::NotSent(error) | Failure::Unknown(error)) = &ended {
            self.shared.cluster.note_lost(fetch.node(), error);
        }
        Ok(ended)
    }

    /// Opens the fetch. Ids of another subscription of that name would make the server break it, again and again.
    async fn open(&self, first: Bytes) -> Result<Duplex, Failure> {
        let cluster = &self.shared.cluster;
        let fetch = cluster.open_fetch(&self.shared.subscription, first).await?;
        if self.shared.acks.knows_any() {
            self.check_is_the_same().await?;
        }
        Ok(fetch)
    }

    async fn check_is_the_same(&self) -> Result<(), Failure> {
        let Shared { cluster, subscription, terms, .. } = &*self.shared;
        let request = proto::GetSubscriptionRequest { id: subscription.clone() };
        let plan = Plan {
            deadline: None,
            max_attempts: Some(1),
            backoff: self.shared.settings.backoff,
            send_twice: false,
            now: Instant::now,
        };
        let answer = cluster.try_once(&owner_of(subscription), &request, plan).await?;
        let found = Subscription::described(answer).map_err(Failure::Unknown)?;
        if found.created() == terms.created {
            return Ok(());
        }
        let message = format!("the subscription `{subscription}` was deleted and created anew");
        Err(Failure::Refused(Error::new(ErrorKind::InvalidState, message)))
    }

    /// Receives batches and sends acks, until the connection is lost, or the consumer is to stop.
    async fn serve(&mut self, fetch: &mut Duplex) -> Ended {
        let Some(requests) = fetch.requests() else { return Ended::Stopped };
        let shared = self.shared.clone();
        // Taken and not sent yet: waiting for a place must not keep us from receiving.
        let mut outgoing = None;
        let mut can_send = true;
        while !shared.stopping.is_closed() {
            tokio::select! {
                // Acks first: the server goes on by them.
                biased;
                () = shared.stopping.closed() => {}
                place = requests.reserve(), if outgoing.is_some() => match place {
                    Ok(place) => place.send(outgoing.take().unwrap_or_default()),
                    // The call is over; how, the responses tell.
                    Err(_) => (outgoing, can_send) = (None, false),
                },
                () = shared.acks.wait_until_due(), if can_send && outgoing.is_none() => {
                    outgoing = self.next_acks();
                }
                () = shared.next_overdue() => shared.warn_of_overdue(Instant::now()),
                received = next(&shared, fetch) => match received {
                    Ok(Some(message)) => {
                        if let Err(error) = self.receive(&message) {
                            return Ended::Lost(Failure::Unknown(error));
                        }
                    }
                    Ok(None) => return Ended::Lost(server_ended()),
                    Err(failure) => return Ended::Lost(failure),
                },
            }
        }
        self.finish(fetch, requests, outgoing).await
    }

    fn receive(&mut self, message: &Bytes) -> Result<()> {
        self.attempts = 0;
        self.owns_name = true;
        if let Some(batch) = RawBatch::of_fetch(message)? {
            let (records, bytes) = (batch.ids.len(), batch.payload.len());
            self.shared.counts.receive(records, bytes, Instant::now());
            self.shared.cluster.counters().received.add_batch(records, bytes);
            batch.ids.runs(0..records).for_each(|run| self.shared.acks.allow(run.shard_id));
            self.shared.buffer.push(batch);
            self.shared.note_change();
        }
        Ok(())
    }

    /// Sends the last acks and half-closes; the server's end of the call then says that it has seen them.
    /// What it still delivers meanwhile comes again later.
    async fn finish(
        &self,
        fetch: &mut Duplex,
        requests: mpsc::Sender<Bytes>,
        mut outgoing: Option<Bytes>,
    ) -> Ended {
        while let Some(request) = outgoing.take().or_else(|| self.next_acks()) {
            tokio::select! {
                place = requests.reserve() => match place {
                    Ok(place) => place.send(request),
                    Err(_) => return Ended::Lost(drain(fetch).await.unwrap_or_else(server_ended)),
                },
                ended = drain(fetch) => return Ended::Lost(ended.unwrap_or_else(server_ended)),
            }
        }
        drop(requests);
        fetch.finish_sending();
        match drain(fetch).await {
            Some(failure) if !answers_half_close(&failure) => Ended::Lost(failure),
            _ => Ended::Stopped,
        }
    }

    /// A request with the acks that wait, if there are any.
    fn next_acks(&self) -> Option<Bytes> {
        self.shared.acks.take(Instant::now()).map(|runs| acks::request(&self.names, &runs))
    }
}

/// Whether a status is one by which servers end a call that the client has half-closed. Which one depends on
/// how they were built: OK, UNKNOWN, CANCELLED; or ABORTED, when the consumer was dropped meanwhile. Others
/// were on their way before.
fn answers_half_close(failure: &Failure) -> bool {
    match failure {
        Failure::Refused(error) => [status::UNKNOWN, status::CANCELLED, status::ABORTED]
            .iter()
            .any(|status| error.has_status(*status)),
        Failure::NotSent(_) | Failure::Unknown(_) => false,
    }
}

/// The next response, once there is room for it.
async fn next(shared: &Shared, fetch: &mut Duplex) -> Result<Option<Bytes>, Failure> {
    shared.buffer.room().await;
    fetch.next().await
}

/// Reads to the end of the call. `None`: it ended with OK.
async fn drain(fetch: &mut Duplex) -> Option<Failure> {
    loop {
        match fetch.next().await {
            Ok(Some(_)) => {}
            Ok(None) => return None,
            Err(failure) => return Some(failure),
        }
    }
}

fn server_ended() -> Failure {
    Failure::Unknown(Error::new(ErrorKind::Unavailable, "the server ended the fetch"))
}
