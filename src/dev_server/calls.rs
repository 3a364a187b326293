//! Calls that are answered in parts: how they begin, and who can end them.

use std::sync::Arc;

use parking_lot::Mutex;
use tonic::codegen::BoxStream;
use tonic::metadata::MetadataMap;
use tonic::{Response, Status};

use super::node::Node;
use super::orders::Order;
use super::outbox::{Ending, Outbox, outbox};

/// All calls that are being answered in parts.
#[derive(Debug, Default)]
pub(super) struct OpenCalls(Mutex<Vec<Arc<OpenCall>>>);

/// One of them, as long as it lasts.
#[derive(Debug)]
struct OpenCall {
    rpc: &'static str,
    /// What it is about; empty until that is known.
    subject: Mutex<String>,
    ending: Ending,
}

impl OpenCalls {
    fn enter(&self, rpc: &'static str, ending: Ending) -> Arc<OpenCall> {
        let call = Arc::new(OpenCall { rpc, subject: Mutex::default(), ending });
        self.0.lock().push(Arc::clone(&call));
        call
    }

    fn leave(&self, call: &Arc<OpenCall>) {
        self.0.lock().retain(|each| !Arc::ptr_eq(each, call));
    }

    /// Ends the calls of this name, of one subject or of all, with this status. Returns how many.
    pub(super) fn end(&self, rpc: &str, subject: Option<&str>, status: &Status) -> usize {
        let mut calls = self.0.lock();
        let before = calls.len();
        calls.retain(|call| {
            let fits = call.rpc == rpc && subject.is_none_or(|subject| *call.subject.lock() == subject);
            if fits {
                call.ending.end(Err(status.clone()));
            }
            !fits
        });
        before - calls.len()
    }
}

/// A call to be answered in parts, as its work sees it.
pub(super) struct Answering<T> {
    pub(super) node: Node,
    pub(super) outbox: Outbox<T>,
    call: Arc<OpenCall>,
}

impl<T> Answering<T> {
    /// Tells what the call is about, and carries out what was ordered to happen before such a call.
    pub(super) async fn about(&self, subject: &str) -> Result<Option<Order>, Status> {
        subject.clone_into(&mut self.call.subject.lock());
        let no_metadata = MetadataMap::new();
        let order = self.node.cluster.orders.take(self.call.rpc, subject, self.node.id, &no_metadata);
        if let Some(order) = &order {
            order.before(self.outbox.closed()).await?;
        }
        Ok(order)
    }
}

/// Begins an answer in parts: the outcome of `work` is the status of the call, unless it is ended
/// otherwise before.
///
/// Response headers come with the first part or with the status, unless they are wanted early.
pub(super) async fn answer_in_parts<T, F>(
    node: &Node,
    rpc: &'static str,
    work: impl FnOnce(Answering<T>) -> F,
) -> Result<Response<BoxStream<T>>, Status>
where
    T: Send + Unpin + 'static,
    F: Future<Output = Result<(), Status>> + Send + 'static,
{
    let (outbox, answers) = outbox();
    let call = node.cluster.calls.enter(rpc, outbox.ending());
    let working = work(Answering { node: node.clone(), outbox: outbox.clone(), call: Arc::clone(&call) });
    let node_inside = node.clone();
    tokio::spawn(async move {
        let outcome = node_inside.life.run(working).await;
        node_inside.cluster.calls.leave(&call);
        outbox.end(outcome);
    });
    let answers = answers.with_plain_errors(node.cluster.has_plain_errors());
    if node.cluster.switches.early_headers.is_on() {
        return Ok(Response::new(Box::pin(answers)));
    }
    Ok(Response::new(Box::pin(answers.started().await?)))
}
