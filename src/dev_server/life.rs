//! The life of one node, from one start to the next end.

use tokio::sync::watch;
use tonic::Status;

/// How a node lives. Clones are the same life.
#[derive(Clone, Debug)]
pub(super) struct Life(watch::Sender<Phase>);

/// In this order, and never back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Running,
    /// It takes no more connections, and ends its calls.
    Stopping,
    /// Its connections are broken.
    Dead,
}

impl Life {
    pub(super) fn new() -> Self {
        Life(watch::Sender::new(Phase::Running))
    }

    pub(super) fn stop(&self) {
        self.reach(Phase::Stopping);
    }

    pub(super) fn kill(&self) {
        self.reach(Phase::Dead);
    }

    fn reach(&self, phase: Phase) {
        self.0.send_if_modified(|now| {
            let further = phase > *now;
            *now = phase.max(*now);
            further
        });
    }

    /// Waits until it no longer runs.
    pub(super) async fn over(&self) {
        self.wait_for(Phase::Stopping).await;
    }

    /// Waits until its connections are to be broken.
    pub(super) async fn dead(&self) {
        self.wait_for(Phase::Dead).await;
    }

    async fn wait_for(&self, wanted: Phase) {
        // Fails when all senders are gone; this one isn't.
        let _ = self.0.subscribe().wait_for(|phase| *phase >= wanted).await;
    }

    /// Runs a call, for as long as the node lives.
    pub(super) async fn run<T>(&self, call: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
        tokio::select! {
            // Sees the end first: a dead node has no more effects.
            biased;
            () = self.over() => Err(stopping()),
            outcome = call => outcome,
        }
    }
}

pub(super) fn stopping() -> Status {
    Status::unavailable("the server is stopping")
}
