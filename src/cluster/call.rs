//! The one door to a server.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tonic::Status;
use tonic::client::Grpc;
use tonic_prost::ProstCodec;

use crate::cluster::credentials::{Credentials, Metadata};
use crate::cluster::describe::ClusterAnswer;
use crate::cluster::duplex::Duplex;
use crate::cluster::endpoint::{Address, Security};
use crate::cluster::members::{Members, address_of};
use crate::cluster::pool::Pool;
use crate::cluster::retry::{Backoff, Effect, Failure, Verdict, judge};
use crate::cluster::routing::{Route, Routes, Target};
use crate::cluster::rpc::{self, Rpc};
use crate::cluster::settings::ClusterSettings;
use crate::cluster::version::{self, OLDEST, Version};
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
///
/// Clones share all that is known, and differ in what goes with their calls, and in whom they ask.
#[derive(Clone)]
pub(crate) struct Cluster {
    settings: Arc<ClusterSettings>,
    pool: Arc<Pool>,
    /// They can be replaced while calls are made.
    credentials: Arc<Mutex<Option<Credentials>>>,
    /// Whether a call with these credentials has been answered.
    welcome: Arc<AtomicBool>,
    /// Of the node that described the cluster last.
    version: Arc<Mutex<Option<Version>>>,
    members: Arc<Mutex<Members>>,
    routes: Arc<Mutex<Routes>>,
    /// Held by the one that looks at the cluster; the others go on with what is known.
    refreshing: Arc<tokio::sync::Mutex<()>>,
    /// Goes with each call, besides what the settings say.
    metadata: Vec<Metadata>,
    /// The one node to ask.
    only: Option<Address>,
}

impl Cluster {
    pub(crate) fn new(settings: ClusterSettings) -> Self {
        Cluster {
            pool: Arc::new(Pool::new()),
            members: Arc::new(Mutex::new(Members::new(settings.seeds.clone()))),
            routes: Arc::default(),
            refreshing: Arc::default(),
            credentials: Arc::new(Mutex::new(settings.credentials.clone())),
            welcome: Arc::default(),
            version: Arc::default(),
            settings: Arc::new(settings),
            metadata: Vec::new(),
            only: None,
        }
    }

    /// The same cluster, for calls that carry this too.
    pub(crate) fn carrying(&self, metadata: &[Metadata]) -> Self {
        let mut cluster = self.clone();
        cluster.metadata.extend_from_slice(metadata);
        cluster
    }

    /// The same cluster, of which only this node is asked, whoever owns what. `None` takes that back.
    pub(crate) fn asking_only(&self, node: Option<Address>) -> Self {
        Cluster { only: node, ..self.clone() }
    }

    /// Calls carry these from now on.
    pub(crate) fn set_credentials(&self, credentials: Credentials) {
        *self.credentials.lock() = Some(credentials);
        self.welcome.store(false, Ordering::Relaxed);
    }

    /// Reads certificates again, for new connections.
    #[cfg(feature = "tls")]
    pub(crate) fn reload_tls(&self) -> Result<()> {
        self.settings.tls.as_ref().map_or(Ok(()), |tls| tls.reload())
    }

    pub(crate) fn settings(&self) -> &ClusterSettings {
        &self.settings
    }

    /// Asks one node after the other what the cluster looks like, the seeds last. One pass: it ends with
    /// the first answer, or with the last failure.
    pub(crate) async fn refresh(&self, deadline: Option<Instant>) -> Result<ClusterAnswer> {
        let _turn = self.refreshing.lock().await;
        let start = fastrand::usize(..);
        let candidates = match &self.only {
            Some(node) => vec![node.clone()],
            None => self.members.lock().candidates(start, Instant::now()),
        };
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
            Some(error) if error.kind() == ErrorKind::Unavailable || error.kind() == ErrorKind::Timeout => {
                let message = format!("no node of the cluster could be reached; the last, {error}");
                Err(Error::new(ErrorKind::Unavailable, message))
            }
            Some(error) => Err(error.doing("DescribeCluster", None)),
            None => Err(Error::protocol("there are no nodes to ask")),
        }
    }

    fn take_over(&self, answer: &ClusterAnswer) -> Result<()> {
        self.check_version(answer)?;
        let mut members = self.members.lock();
        members.update(answer, Instant::now())?;
        self.pool.retain(|node| members.knows(node));
        self.routes.lock().retain(|node| members.knows(node));
        Ok(())
    }

    fn check_version(&self, answer: &ClusterAnswer) -> Result<()> {
        let version = answer.version().as_deref().and_then(Version::parse);
        *self.version.lock() = version;
        match version {
            Some(old) if old < OLDEST => {
                let message = format!("the server is of version {old}; this client needs {OLDEST} or newer");
                Err(Error::new(ErrorKind::Unsupported, message))
            }
            // Builds that do not say are taken as new.
            _ => Ok(()),
        }
    }

    /// Looks at the cluster again if what we know is old or doubtful, unless somebody does so already.
    /// Failing changes nothing: the old view serves on.
    async fn refresh_if(&self, wanted: bool) {
        if wanted && self.only.is_none() && self.refreshing.try_lock().is_ok() {
            let soon = Instant::now().checked_add(self.settings.connect_timeout);
            if let Err(error) = self.refresh(soon).await {
                tracing::debug!(%error, "the cluster could not be looked at");
            }
        }
    }

    fn is_welcome(&self) -> bool {
        self.welcome.load(Ordering::Relaxed)
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
            let verdict = match judge(&failure, R::EFFECT, plan.send_twice, self.is_welcome()) {
                // It would name a node that is not to be asked.
                Verdict::LookUpAgain if self.only.is_some() => Verdict::GiveUp,
                verdict => verdict,
            };
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
        if let Some(node) = &self.only {
            return Ok((node.clone(), None));
        }
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
        let connected = self.pool.dedicated(&route.node, &self.settings).await;
        let channel = connected.map_err(|failure| {
            self.note(&route.node, &failure);
            self.explain("StreamingFetch", &route.node, failure)
        })?;
        let mut metadata = self.request(()).into_parts().0;
        if let Ok(agent) = self.settings.user_agent.parse() {
            // What servers show of a consumer; they do not look at user-agent.
            metadata.insert("proxy-agent", agent);
        }
        Ok(Duplex::open(self.grpc(channel), rpc::streaming_fetch(), metadata, route.node, first))
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
            grpc.unary(self.request(request), R::path(), ProstCodec::default()).await
        };
        match tokio::time::timeout(time, call).await {
            Ok(Ok(response)) => {
                self.welcome.store(true, Ordering::Relaxed);
                Ok(response.into_inner())
            }
            Ok(Err(status)) => Err(self.explain(R::NAME, node, failure(status, node))),
            Err(_) => {
                let message = format!("no answer within {time:?}");
                Err(Failure::Unknown(Error::new(ErrorKind::Timeout, message).at_node(node)))
            }
        }
    }

    /// Says more of failures that say little.
    fn explain(&self, rpc: &str, node: &Address, failure: Failure) -> Failure {
        let error = match &failure {
            Failure::Refused(error) => error,
            Failure::NotSent(error) => return Failure::NotSent(self.explain_unreachable(node, error)),
            Failure::Unknown(_) => return self.explain_lost(node, failure),
        };
        if error.has_status(status::UNIMPLEMENTED)
            && let Some(since) = version::since(rpc)
        {
            let version =
                self.version.lock().map_or("an unknown version".into(), |version| version.to_string());
            let message = format!("it needs a server of version {since} or newer, this one is of {version}");
            return Failure::Refused(Error::new(ErrorKind::Unsupported, message).at_node(error.node()));
        }
        // A server with tokens cancels calls without one on plaintext connections, and says no more.
        if error.has_status(status::CANCELLED)
            && self.settings.security == Security::Plaintext
            && !self.is_welcome()
        {
            let given =
                if self.credentials.lock().is_some() { "those given are wrong" } else { "none are given" };
            let message =
                format!("cancelled by the server, which is how it refuses credentials without TLS; {given}");
            return Failure::Refused(error.clone().saying(message));
        }
        failure
    }

    /// The commonest trouble of all: the cluster names addresses that can't be reached from here.
    fn explain_unreachable(&self, node: &Address, error: &Error) -> Error {
        if error.kind() != ErrorKind::Unavailable || self.only.is_some() || self.settings.seeds.contains(node)
        {
            return error.clone();
        }
        let message = format!(
            "{}; the cluster names this address: if it can't be reached from here, see the server's option \
             advertised-address, or this client's option map.address",
            error.message()
        );
        error.clone().saying(message)
    }

    fn explain_lost(&self, node: &Address, failure: Failure) -> Failure {
        match self.pool.take_refusal(node) {
            Some(refusal) => Failure::NotSent(Error::new(ErrorKind::Tls, refusal).at_node(node)),
            None => failure,
        }
    }

    /// A request with what goes with every call.
    fn request<M>(&self, message: M) -> tonic::Request<M> {
        let mut request = tonic::Request::new(message);
        let map = request.metadata_mut();
        let metadata = self.settings.metadata.iter().chain(&self.metadata);
        metadata.for_each(|metadata| metadata.put_into(map));
        if let Some(credentials) = &*self.credentials.lock() {
            credentials.put_into(map);
        }
        request
    }

    fn grpc(&self, channel: tonic::transport::Channel) -> Grpc<tonic::transport::Channel> {
        Grpc::new(channel).max_decoding_message_size(self.settings.max_receive_bytes)
    }

    fn note(&self, node: &Address, failure: &Failure) {
        if !matches!(failure, Failure::Refused(_)) {
            let mut members = self.members.lock();
            // Others are asked by name alone, and nobody chooses among them.
            if members.knows(node) {
                members.in_trouble(node, Instant::now());
            }
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
    let Some(outer) = status.source() else {
        return Failure::Refused(Error::from_server(status.code() as i32, status.message()).at_node(node));
    };
    let cause = Cause::of(outer);
    let tls = cause.tls.clone().map(|message| Error::new(ErrorKind::Tls, message));
    let made = cause.connected;
    let error = tls.unwrap_or_else(|| {
        let what = if made { "the connection was lost" } else { "no connection could be made" };
        Error::new(ErrorKind::Unavailable, format!("{what}: {}", cause.innermost))
    });
    let error = error.at_node(node).with_source(status);
    if made && error.kind() != ErrorKind::Tls { Failure::Unknown(error) } else { Failure::NotSent(error) }
}

/// What a chain of causes says.
struct Cause {
    /// Whether there ever was a connection.
    connected: bool,
    innermost: String,
    /// What went wrong with TLS, if that was it.
    tls: Option<String>,
}

impl Cause {
    fn of(outer: &(dyn std::error::Error + 'static)) -> Self {
        let mut cause = Cause { connected: true, innermost: outer.to_string(), tls: None };
        let mut next = Some(outer);
        while let Some(error) = next {
            cause.connected &= !error.is::<tonic::ConnectError>();
            cause.innermost = error.to_string();
            // Some errors hide the cause that they were made of from `source`.
            let io = error.downcast_ref::<h2::Error>().and_then(h2::Error::get_io);
            let inside = io.or_else(|| error.downcast_ref()).and_then(io::Error::get_ref);
            let inside = inside.map(|inside| inside as &(dyn std::error::Error + 'static));
            for error in [Some(error), inside].into_iter().flatten() {
                cause.tls = cause.tls.or_else(|| explain_tls(error));
            }
            next = inside.filter(|_| error.source().is_none()).or(error.source());
        }
        cause
    }
}

#[cfg(feature = "tls")]
fn explain_tls(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    error.downcast_ref().map(crate::cluster::tls::explain)
}

#[cfg(not(feature = "tls"))]
fn explain_tls(_: &(dyn std::error::Error + 'static)) -> Option<String> {
    None
}
