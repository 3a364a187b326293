//! The one door to a server.

use std::error::Error as _;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tonic::Status;
use tonic::client::Grpc;
use tonic_prost::ProstCodec;

use crate::cluster::duplex::Duplex;
use crate::cluster::endpoint::Address;
use crate::cluster::members::{Members, address_of};
use crate::cluster::pool::Pool;
use crate::cluster::retry::{Backoff, Effect, Failure, Verdict, judge};
use crate::cluster::routing::{Route, Routes, Target};
use crate::cluster::rpc::{self, Rpc};
use crate::cluster::settings::ClusterSettings;
use crate::error::{Error, ErrorKind, Result, status};
use crate::proto;

/// How long a call may take and how often it may be tried.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) deadline: Option<Instant>,
    /// `None`: until the deadline.
    pub(crate) max_attempts: Option<u32>,
    pub(crate) backoff: Backoff,
    /// Whether a write whose outcome is unknown may be sent again.
    pub(crate) send_twice: bool,
}

/// The cluster, as seen from here. Its futures run on the private runtime.
pub(crate) struct Cluster {
    settings: ClusterSettings,
    pool: Pool,
    members: Mutex<Members>,
    routes: Mutex<Routes>,
    /// Held by the one that looks at the cluster; the others go on with what is known.
    refreshing: tokio::sync::Mutex<()>,
}

impl Cluster {
    pub(crate) fn new(settings: ClusterSettings) -> Self {
        Cluster {
            pool: Pool::new(),
            members: Mutex::new(Members::new(settings.seeds.clone())),
            routes: Mutex::default(),
            refreshing: tokio::sync::Mutex::default(),
            settings,
        }
    }

    pub(crate) fn settings(&self) -> &ClusterSettings {
        &self.settings
    }

    /// Asks one node after the other what the cluster looks like, the seeds last. One pass: it ends with
    /// the first answer, or with the last failure.
    pub(crate) async fn refresh(&self, deadline: Option<Instant>) -> Result<proto::DescribeClusterResponse> {
        let _turn = self.refreshing.lock().await;
        let start = fastrand::usize(..);
        let candidates = self.members.lock().candidates(start, Instant::now());
        let mut last = None;
        for node in candidates {
            match self.attempt(&node, (), self.time_for(deadline, self.settings.lookup_timeout)).await {
                Ok(answer) => {
                    self.take_over(&answer)?;
                    return Ok(answer);
                }
                Err(failure) => {
                    self.note(&node, &failure);
                    last = Some(failure.into_error());
                }
            }
        }
        match last {
            Some(error) if error.kind() != ErrorKind::Server => {
                let message = format!("no node of the cluster could be reached; the last, {error}");
                Err(Error::new(ErrorKind::Unavailable, message))
            }
            Some(refusal) => Err(refusal),
            None => Err(Error::protocol("there are no nodes to ask")),
        }
    }

    fn take_over(&self, answer: &proto::DescribeClusterResponse) -> Result<()> {
        let mut members = self.members.lock();
        members.update(answer, Instant::now())?;
        self.pool.retain(|node| members.knows(node));
        self.routes.lock().retain(|node| members.knows(node));
        Ok(())
    }

    /// Looks at the cluster again if what we know is old or doubtful, unless somebody does so already.
    /// Failing changes nothing: the old view serves on.
    async fn refresh_if(&self, wanted: bool) {
        if wanted && self.refreshing.try_lock().is_ok() {
            let soon = Instant::now().checked_add(self.settings.connect_timeout);
            if let Err(error) = self.refresh(soon).await {
                tracing::debug!(%error, "the cluster could not be looked at");
            }
        }
    }

    fn is_stale(&self) -> bool {
        !self.members.lock().is_fresh(Instant::now(), self.settings.refresh_age)
    }

    /// Calls the node that the target asks for, and again as the plan allows.
    ///
    /// # Errors
    ///
    /// The last failure, with node and attempts. Of a write, it says whether the write may have happened.
    pub(crate) async fn call<R: Rpc>(&self, target: Target, request: R, plan: Plan) -> Result<R::Response> {
        let mut attempts = 0;
        let mut maybe_applied = false;
        self.refresh_if(self.is_stale()).await;
        loop {
            attempts += 1;
            let failure = match self.try_once(&target, &request, plan).await {
                Ok(response) => return Ok(response),
                Err(failure) => failure,
            };
            let verdict = judge(&failure, R::EFFECT, plan.send_twice);
            tracing::debug!(rpc = R::NAME, attempts, ?verdict, error = %failure.error(), "an attempt failed");
            maybe_applied |= R::EFFECT == Effect::Writes && may_be_applied(&failure);
            let describe = |error: Error| {
                let error = error.doing(R::NAME, request.subject()).after_attempts(attempts);
                if maybe_applied { error.ambiguous() } else { error }
            };
            if verdict == Verdict::GiveUp || plan.max_attempts.is_some_and(|most| attempts >= most) {
                return Err(describe(failure.into_error()));
            }
            if let Some(needs) = request.needs()
                && let Some(gone) = self.find_gone(needs, &failure, attempts, plan).await
            {
                return Err(describe(gone));
            }
            let pause = match verdict {
                Verdict::LookUpAgain if attempts == 1 => Duration::ZERO,
                _ => plan.backoff.delay(attempts, fastrand::f64()),
            };
            if plan.deadline.is_some_and(|deadline| Instant::now() + pause >= deadline) {
                return Err(describe(time_is_up(failure.error())));
            }
            tokio::time::sleep(pause).await;
            self.refresh_if(!matches!(failure, Failure::Refused(_)) || verdict == Verdict::LookUpAgain).await;
        }
    }

    /// One attempt at any node.
    pub(crate) async fn ask_any<R: Rpc>(&self, request: R, plan: Plan) -> Result<R::Response, Failure> {
        self.try_once(&Target::Any, &request, plan).await
    }

    async fn try_once<R: Rpc>(
        &self,
        target: &Target,
        request: &R,
        plan: Plan,
    ) -> Result<R::Response, Failure> {
        let (node, route) = self.node_for(target, plan.deadline).await?;
        let time = self.time_for(plan.deadline, self.settings.attempt_timeout);
        let outcome = self.attempt(&node, request.clone(), time).await;
        match &outcome {
            Ok(_) => self.members.lock().well(&node),
            Err(failure) => {
                self.note(&node, failure);
                if let Some(route) = route.filter(|_| puts_route_in_doubt(failure)) {
                    self.routes.lock().invalidate(target, &route);
                }
            }
        }
        outcome
    }

    /// The node to ask, and the look-up that named it.
    async fn node_for(
        &self,
        target: &Target,
        deadline: Option<Instant>,
    ) -> Result<(Address, Option<Route>), Failure> {
        if *target == Target::Any {
            return Ok((self.members.lock().pick(Instant::now()), None));
        }
        let known = self.routes.lock().get(target);
        let route = match known {
            Some(route) => route,
            None => self.look_up(target, deadline).await?,
        };
        Ok((route.node.clone(), Some(route)))
    }

    /// Asks who owns it, also if we seem to know.
    async fn look_up(&self, target: &Target, deadline: Option<Instant>) -> Result<Route, Failure> {
        let node = self.members.lock().pick(Instant::now());
        let time = self.time_for(deadline, self.settings.lookup_timeout);
        let found = match target {
            // Nobody owns it.
            Target::Any => return Ok(self.routes.lock().put(Target::Any, node)),
            Target::Shard(id) => {
                let request = proto::LookupShardRequest { shard_id: *id };
                self.attempt(&node, request, time).await.map(|answer| answer.server_node)
            }
            Target::Subscription(id) => {
                let request = proto::LookupSubscriptionRequest { subscription_id: id.clone() };
                self.attempt(&node, request, time).await.map(|answer| answer.server_node)
            }
        };
        let owner = found.map_err(|failure| {
            self.note(&node, &failure);
            // A look-up without an answer means that the call itself was never sent.
            match failure {
                Failure::Unknown(error) => Failure::NotSent(error),
                other => other,
            }
        })?;
        let owner = owner.ok_or_else(|| Error::protocol("a look-up named no node"));
        let owner = owner.and_then(|owner| address_of(&owner)).map_err(Failure::Refused)?;
        Ok(self.routes.lock().put(target.clone(), owner))
    }

    /// Opens the fetch of a subscription on the node that owns it. The owner is looked up each time:
    /// another node would start a second copy of the subscription.
    pub(crate) async fn open_fetch(
        &self,
        subscription: &str,
        first: proto::StreamingFetchRequest,
    ) -> Result<Duplex<proto::StreamingFetchRequest, proto::StreamingFetchResponse>, Failure> {
        self.refresh_if(self.is_stale()).await;
        let target = Target::Subscription(subscription.to_owned());
        let route = self.look_up(&target, None).await?;
        let connected = Pool::dedicated(&route.node, &self.settings).await;
        let channel = connected.inspect_err(|failure| self.note(&route.node, failure))?;
        let grpc = self.grpc(channel);
        Ok(Duplex::open(grpc, rpc::streaming_fetch(), route.node, first))
    }

    /// What a failed stream says about the node it was on.
    pub(crate) fn note_lost(&self, node: &Address) {
        self.members.lock().in_trouble(node, Instant::now());
    }

    async fn attempt<R: Rpc>(
        &self,
        node: &Address,
        request: R,
        time: Duration,
    ) -> Result<R::Response, Failure> {
        let channel = self.pool.unary(node, &self.settings).map_err(Failure::NotSent)?;
        let mut grpc = self.grpc(channel);
        let call = async {
            grpc.ready().await.map_err(|error| Status::from_error(error.into()))?;
            grpc.unary(tonic::Request::new(request), R::path(), ProstCodec::default()).await
        };
        match tokio::time::timeout(time, call).await {
            Ok(Ok(response)) => Ok(response.into_inner()),
            Ok(Err(status)) => Err(failure(status, node)),
            Err(_) => {
                let message = format!("no answer within {time:?}");
                Err(Failure::Unknown(Error::new(ErrorKind::Timeout, message).at_node(node)))
            }
        }
    }

    fn grpc(&self, channel: tonic::transport::Channel) -> Grpc<tonic::transport::Channel> {
        Grpc::new(channel).max_decoding_message_size(self.settings.max_receive_bytes)
    }

    fn note(&self, node: &Address, failure: &Failure) {
        if !matches!(failure, Failure::Refused(_)) {
            self.members.lock().in_trouble(node, Instant::now());
        }
    }

    fn time_for(&self, deadline: Option<Instant>, most: Duration) -> Duration {
        deadline.map_or(most, |deadline| deadline.saturating_duration_since(Instant::now()).min(most))
    }
}

/// Whether a write may have happened although the attempt failed.
fn may_be_applied(failure: &Failure) -> bool {
    match failure {
        Failure::NotSent(_) => false,
        Failure::Unknown(_) => true,
        // The server's store may have timed out, or the answer could not be read.
        Failure::Refused(error) => [
            status::UNAVAILABLE,
            status::INTERNAL,
            status::UNKNOWN,
            status::DEADLINE_EXCEEDED,
            status::CANCELLED,
        ]
        .iter()
        .any(|status| error.has_status(*status)),
    }
}

fn puts_route_in_doubt(failure: &Failure) -> bool {
    match failure {
        Failure::NotSent(_) | Failure::Unknown(_) => true,
        Failure::Refused(error) => {
            error.has_status(status::UNAVAILABLE) || error.has_code(proto::ErrorCode::WrongServer)
        }
    }
}

fn time_is_up(last: &Error) -> Error {
    if last.kind() == ErrorKind::Timeout {
        return last.clone();
    }
    let mut error =
        Error::new(ErrorKind::Timeout, format!("time is up; the last attempt ended with: {last}"));
    if !last.node().is_empty() {
        error = error.at_node(last.node());
    }
    error
}

/// Tells a server's answer from a broken connection: only the latter has a cause on this side.
pub(crate) fn failure(status: Status, node: &Address) -> Failure {
    let mut cause = status.source();
    let Some(outer) = cause else {
        return Failure::Refused(Error::from_server(status.code() as i32, status.message()).at_node(node));
    };
    let mut innermost = outer;
    let mut connected = true;
    while let Some(error) = cause {
        connected &= !error.is::<tonic::ConnectError>();
        innermost = error;
        cause = error.source();
    }
    if connected {
        let error = Error::new(ErrorKind::Unavailable, format!("the connection was lost: {innermost}"));
        Failure::Unknown(error.at_node(node).with_source(status))
    } else {
        let error = Error::new(ErrorKind::Unavailable, format!("no connection could be made: {innermost}"));
        Failure::NotSent(error.at_node(node).with_source(status))
    }
}
