//! The answers of one streaming call: a short queue, and how it ends.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::Stream;
use tonic::Status;

use super::errors;
use super::life::stopping;

/// As many messages as the real server queues for one stream.
const QUEUED: usize = 64;

type Outcome = Result<(), Status>;

/// The side that sends. Clones send to the same call.
#[derive(Debug)]
pub(super) struct Outbox<T> {
    queue: mpsc::Sender<T>,
    ending: Ending,
}

impl<T> Clone for Outbox<T> {
    fn clone(&self) -> Self {
        Outbox { queue: self.queue.clone(), ending: self.ending.clone() }
    }
}

/// How to end a call, whatever it answers with. Clones end the same call.
#[derive(Clone, Debug)]
pub(super) struct Ending(Arc<Mutex<Option<oneshot::Sender<Outcome>>>>);

impl Ending {
    /// Ends the call, once what is queued has gone out. Only the first end counts.
    pub(super) fn end(&self, outcome: Outcome) {
        if let Some(end) = self.0.lock().take() {
            // Fails if nobody listens any more, who then needs no end.
            let _ = end.send(outcome);
        }
    }
}

/// Why a message was not taken.
pub(super) enum NotSent<T> {
    /// The queue is full; the message comes back.
    Full(T),
    /// The call is over.
    Over,
}

impl<T> Outbox<T> {
    pub(super) fn try_send(&self, message: T) -> Result<(), NotSent<T>> {
        self.queue.try_send(message).map_err(|error| match error {
            mpsc::error::TrySendError::Full(message) => NotSent::Full(message),
            mpsc::error::TrySendError::Closed(_) => NotSent::Over,
        })
    }

    /// Waits for a place in the queue. None if the call is over.
    pub(super) async fn reserve(&self) -> Option<mpsc::Permit<'_, T>> {
        self.queue.reserve().await.ok()
    }

    /// Ends the call, once what is queued has gone out. Only the first end counts.
    pub(super) fn end(&self, outcome: Outcome) {
        self.ending.end(outcome);
    }

    pub(super) fn ending(&self) -> Ending {
        self.ending.clone()
    }

    /// Waits until the call is over, whoever ended it.
    pub(super) async fn closed(&self) {
        self.queue.closed().await;
    }
}

/// The side that the transport reads.
#[derive(Debug)]
pub(super) struct Answers<T> {
    /// An item that was waited for before there was a response to put it in.
    first: Option<T>,
    queue: mpsc::Receiver<T>,
    end: oneshot::Receiver<Outcome>,
    ended: bool,
    /// Whether errors go out as the bare text of older servers.
    plain_errors: bool,
}

pub(super) fn outbox<T>() -> (Outbox<T>, Answers<T>) {
    let (queue, messages) = mpsc::channel(QUEUED);
    let (end, ending) = oneshot::channel();
    let outbox = Outbox { queue, ending: Ending(Arc::new(Mutex::new(Some(end)))) };
    let answers = Answers { first: None, queue: messages, end: ending, ended: false, plain_errors: false };
    (outbox, answers)
}

impl<T: Unpin> Answers<T> {
    pub(super) fn with_plain_errors(self, plain_errors: bool) -> Self {
        Answers { plain_errors, ..self }
    }

    /// Waits for the first message or the end. The real server sends no response headers before, so
    /// there must be no response either.
    pub(super) async fn started(mut self) -> Result<Self, Status> {
        let first = std::future::poll_fn(|context| Pin::new(&mut self).poll_next(context)).await;
        self.first = first.transpose()?;
        Ok(self)
    }
}

impl<T: Unpin> Stream for Answers<T> {
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        if let Poll::Ready(Some(message)) = self.queue.poll_recv(context) {
            return Poll::Ready(Some(Ok(message)));
        }
        let Poll::Ready(outcome) = Pin::new(&mut self.end).poll(context) else { return Poll::Pending };
        // Whatever was queued between the two looks goes first.
        if let Ok(message) = self.queue.try_recv() {
            let (end, ending) = oneshot::channel();
            let _ = end.send(outcome.unwrap_or(Ok(())));
            self.end = ending;
            return Poll::Ready(Some(Ok(message)));
        }
        self.ended = true;
        match outcome {
            Ok(Ok(())) => Poll::Ready(None),
            Ok(Err(status)) if self.plain_errors => Poll::Ready(Some(Err(errors::bare(&status)))),
            Ok(Err(status)) => Poll::Ready(Some(Err(status))),
            // All senders went without a word.
            Err(_) => Poll::Ready(Some(Err(stopping()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn next(answers: &mut Answers<u32>) -> Poll<Option<Result<u32, tonic::Code>>> {
        Pin::new(answers)
            .poll_next(&mut Context::from_waker(Waker::noop()))
            .map(|item| item.map(|item| item.map_err(|status| status.code())))
    }

    #[test]
    fn what_is_queued_goes_out_before_the_end() {
        let (outbox, mut answers) = outbox();
        assert!(next(&mut answers).is_pending());
        assert!(outbox.try_send(1).is_ok());
        outbox.end(Err(Status::aborted("")));
        outbox.end(Ok(()));
        assert_eq!(next(&mut answers), Poll::Ready(Some(Ok(1))));
        assert_eq!(next(&mut answers), Poll::Ready(Some(Err(tonic::Code::Aborted))));
        assert_eq!(next(&mut answers), Poll::Ready(None));
    }

    /// Server behaviour, section 1.2.
    #[test]
    fn a_queue_takes_64_messages() {
        let (outbox, answers) = outbox();
        let taken = (0..1000).take_while(|message| outbox.try_send(*message).is_ok()).count();
        assert_eq!(taken, 64);
        drop(answers);
        assert!(matches!(outbox.try_send(1), Err(NotSent::Over)));
    }
}
