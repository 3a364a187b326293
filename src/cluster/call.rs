//! The one door to a server.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use parking_lot::Mutex;
use tonic::Status;
use tonic::client::Grpc;
use tonic::metadata::MetadataMap;

use crate::cluster::credentials::{Credentials, Metadata};
use crate::cluster::describe::ClusterAnswer;
use crate::cluster::duplex::Duplex;
use crate::cluster::endpoint::{Address, Security};
use crate::cluster::exchange::Wire;
use crate::cluster::members::{Change, Members, address_of};
use crate::cluster::node_stats::NodeStats;
use crate::cluster::pool::Pool;
use crate::cluster::retry::{Backoff, Effect, Failure, Verdict, judge};
use crate::cluster::routing::{Route, Routes, Target};
use crate::cluster::rpc::{Rpc, StreamCall};
use crate::cluster::settings::ClusterSettings;
use crate::cluster::version::{self, OLDEST, Version};
use crate::counters::Counters;
use crate::error::{Error, ErrorKind, Result, status};
use crate::event::{Event, EventKind};
use crate::events::{Events, Unlogged};
use crate::metrics::NodeMetrics;
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
    /// The clock of the deadline.
    pub(crate) now: fn() -> Instant,
}

impl Plan {
    /// The time until the deadline, and no more than this.
    fn time_left(&self, most: Duration) -> Duration {
        let left = |deadline: Instant| deadline.saturating_duration_since((self.now)());
        self.deadline.map_or(most, |deadline| left(deadline).min(most))
    }

    /// Whether there is no time for a pause and another attempt.
    fn ends_within(&self, pause: Duration) -> bool {
        self.deadline.is_some_and(|deadline| (self.now)() + pause >= deadline)
    }
}

/// The cluster, as seen from here. Its futures run on the private runtime.
///
/// Clones share all that is known, and differ in what goes with their calls, and in whom they ask.
#[derive(Clone)]
pub(crate) struct Cluster {
    known: Arc<Known>,
    /// Goes with each call, besides what the settings say.
    metadata: Vec<Metadata>,
    /// The one node to ask.
    only: Option<Address>,
}

/// What is known of the cluster, and how to get there.
struct Known {
    settings: Arc<ClusterSettings>,
    pool: Pool,
    /// They can be replaced while calls are made.
    credentials: Mutex<Option<Credentials>>,
    /// Whether a call with these credentials has been answered.
    welcome: AtomicBool,
    /// Of the node that described the cluster last.
    version: Mutex<Option<Version>>,
    members: Mutex<Members>,
    routes: Mutex<Routes>,
    events: Arc<Events>,
    stats: NodeStats,
    counters: Counters,
    /// Held by the one that looks at the cluster; the others go on with what is known.
    refreshing: tokio::sync::Mutex<()>,
}

impl Cluster {
    pub(crate) fn new(settings: ClusterSettings, events: Events) -> Self {
        let events = Arc::new(events);
        let known = Known {
            pool: Pool::new(&events),
            events,
            stats: NodeStats::default(),
            counters: Counters::default(),
            members: Mutex::new(Members::new(settings.seeds.clone())),
            routes: Mutex::default(),
            refreshing: tokio::sync::Mutex::default(),
            credentials: Mutex::new(settings.credentials.clone()),
            welcome: AtomicBool::new(false),
            version: Mutex::default(),
            settings: Arc::new(settings),
        };
        Cluster { known: Arc::new(known), metadata: Vec::new(), only: None }
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
        *self.known.credentials.lock() = Some(credentials);
        self.known.welcome.store(false, Ordering::Relaxed);
    }

    /// Reads certificates again, for new connections.
    #[cfg(feature = "tls")]
    pub(crate) fn reload_tls(&self) -> Result<()> {
        self.known.settings.tls.as_ref().map_or(Ok(()), |tls| tls.reload())
    }

    pub(crate) fn events(&self) -> &Events {
        &self.known.events
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.known.counters
    }

    /// How many nodes there are, and how many are in trouble.
    pub(crate) fn node_counts(&self) -> (usize, usize) {
        self.known.members.lock().counts()
    }

    pub(crate) fn node_metrics(&self) -> Vec<NodeMetrics> {
        let states = self.known.members.lock().states();
        self.known.stats.snapshot(states, Instant::now())
    }

    pub(crate) fn view_age(&self) -> Option<Duration> {
        self.known.members.lock().refreshed().map(|refreshed| refreshed.elapsed())
    }

    /// Until when the client's certificate is valid, and the one that a server showed last.
    pub(crate) fn certificates_expire(&self) -> (Option<SystemTime>, Option<SystemTime>) {
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.known.settings.tls {
            return tls.expiry();
        }
        (None, None)
    }

    pub(crate) fn settings(&self) -> &ClusterSettings {
        &self.known.settings
    }

    /// Asks one node after the other what the cluster looks like, the seeds last. One pass: it ends with
    /// the first answer, or with the last failure.
    pub(crate) async fn refresh(&self, deadline: Option<Instant>) -> Result<ClusterAnswer> {
        let _turn = self.known.refreshing.lock().await;
        let start = fastrand::usize(..);
        let candidates = match &self.only {
            Some(node) => vec![node.clone()],
            None => self.known.members.lock().candidates(start, Instant::now()),
        };
        let mut last = None;
        for node in candidates {
            let most = self.known.settings.lookup_timeout;
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            match self.attempt(&node, (), left.map_or(most, |left| left.min(most))).await {
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
        let mut members = self.known.members.lock();
        let change = members.update(answer, Instant::now())?;
        self.known.pool.retain(|node| members.knows(node));
        self.known.routes.lock().retain(|node| members.knows(node));
        self.known.stats.retain(|node| members.remembers(node));
        self.known.counters.refreshes.add(1);
        let event = |change: Change| Event::of_client(EventKind::ClusterChanged).saying(change.to_string());
        let news = change.map(|change| self.known.events.put(event(change)));
        drop(members);
        news.iter().for_each(Unlogged::log);
        Ok(())
    }

    fn check_version(&self, answer: &ClusterAnswer) -> Result<()> {
        let version = answer.version().as_deref().and_then(Version::parse);
        *self.known.version.lock() = version;
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
        if wanted && self.only.is_none() && self.known.refreshing.try_lock().is_ok() {
            let soon = Instant::now().checked_add(self.known.settings.connect_timeout);
            if let Err(error) = self.refresh(soon).await {
                tracing::debug!(%error, "the cluster could not be looked at");
            }
        }
    }

    fn is_welcome(&self) -> bool {
        self.known.welcome.load(Ordering::Relaxed)
    }

    fn is_stale(&self) -> bool {
        !self.known.members.lock().is_fresh(Instant::now(), self.known.settings.refresh_age)
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
            maybe_applied |= is_in_doubt(R::EFFECT, &failure);
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
                // Whatever an earlier attempt may have written is gone with it.
                return Err(gone.doing(R::NAME, request.subject()).after_attempts(attempts));
            }
            let pause = match verdict {
                Verdict::LookUpAgain if attempts == 1 => Duration::ZERO,
                _ => plan.backoff.delay(attempts, fastrand::f64()),
            };
            if plan.ends_within(pause) {
                return Err(describe(time_is_up(failure.error())));
            }
            self.known.counters.retries.add(1);
            tokio::time::sleep(pause).await;
            request.tried_again();
            self.refresh_if(!matches!(failure, Failure::Refused(_)) || verdict == Verdict::LookUpAgain).await;
        }
    }

    /// One attempt at any node.
    pub(crate) async fn ask_any<R: Rpc>(&self, request: R, plan: Plan) -> Result<R::Response, Failure> {
        self.try_once(&Target::Any, &request, plan).await
    }

    /// One attempt.
    pub(crate) async fn try_once<R: Rpc>(
        &self,
        target: &Target,
        request: &R,
        plan: Plan,
    ) -> Result<R::Response, Failure> {
        let (node, route) = self.node_for(target, plan.time_left(self.known.settings.lookup_timeout)).await?;
        let most = match R::EFFECT {
            // There is no second attempt, and the server may wait as long as it was told to.
            Effect::Takes => Duration::MAX,
            Effect::Reads | Effect::Writes => self.known.settings.attempt_timeout,
        };
        let outcome = self.attempt(&node, request.clone(), plan.time_left(most)).await;
        match &outcome {
            Ok(_) => self.note_answer(&node),
            Err(failure) => {
                self.note(&node, failure);
                if let Some(route) = route.filter(|_| puts_route_in_doubt(failure)) {
                    self.known.routes.lock().invalidate(target, &route);
                }
            }
        }
        outcome
    }

    /// The node to ask, and the look-up that named it, which may take so long.
    async fn node_for(&self, target: &Target, time: Duration) -> Result<(Address, Option<Route>), Failure> {
        if let Some(node) = &self.only {
            return Ok((node.clone(), None));
        }
        if *target == Target::Any {
            return Ok((self.known.members.lock().pick(Instant::now()), None));
        }
        let known = self.known.routes.lock().get(target);
        let route = match known {
            Some(route) => route,
            None => self.look_up(target, time).await?,
        };
        Ok((route.node.clone(), Some(route)))
    }

    /// Asks who owns it, also if we seem to know.
    async fn look_up(&self, target: &Target, time: Duration) -> Result<Route, Failure> {
        let node = self.known.members.lock().pick(Instant::now());
        let found = match target {
            // Nobody owns it.
            Target::Any => return Ok(self.known.routes.lock().put(Target::Any, node)),
            Target::Shard(id) => {
                let request = proto::LookupShardRequest { shard_id: *id };
                self.attempt(&node, request, time).await.map(|answer| answer.server_node)
            }
            Target::Subscription(id) => {
                let request = proto::LookupSubscriptionRequest { subscription_id: id.clone() };
                self.attempt(&node, request, time).await.map(|answer| answer.server_node)
            }
            Target::Reader(id) => {
                let request = proto::LookupShardReaderRequest { reader_id: id.clone() };
                self.attempt(&node, request, time).await.map(|answer| answer.server_node)
            }
        };
        let owner = found.map_err(|failure| {
            self.note(&node, &failure);
            // A look-up without an answer, or without one yet, means that the call itself was never sent.
            match failure {
                Failure::Unknown(error) => Failure::NotSent(error),
                Failure::Refused(error) if error.has_status(status::UNAVAILABLE) => Failure::NotSent(error),
                other => other,
            }
        })?;
        let owner = owner.ok_or_else(|| Error::protocol("a look-up named no node"));
        let owner = owner.and_then(|owner| address_of(&owner)).map_err(Failure::Refused)?;
        Ok(self.known.routes.lock().put(target.clone(), owner))
    }

    /// Opens the fetch of a subscription on the node that owns it. The owner is looked up each time:
    /// another node would start a second copy of the subscription.
    pub(crate) async fn open_fetch(&self, subscription: &str, first: Bytes) -> Result<Duplex, Failure> {
        self.refresh_if(self.is_stale()).await;
        let target = Target::Subscription(subscription.to_owned());
        let route = self.look_up(&target, self.known.settings.lookup_timeout).await?;
        self.open_stream(StreamCall::Fetch, route.node, first).await
    }

    /// Opens a read of a shard, on the node where its appends go; others would serve it as well. A look-up that
    /// proves to be stale is dropped.
    pub(crate) async fn open_read(
        &self,
        stream: StreamCall,
        shard_id: u64,
        first: Bytes,
    ) -> Result<Duplex, Failure> {
        self.refresh_if(self.is_stale()).await;
        let target = Target::Shard(shard_id);
        let (node, route) = self.node_for(&target, self.known.settings.lookup_timeout).await?;
        let opened = self.open_stream(stream, node, first).await;
        if let (Err(failure), Some(route)) = (&opened, route)
            && puts_route_in_doubt(failure)
        {
            self.known.routes.lock().invalidate(&target, &route);
        }
        opened
    }

    /// A read was lost: the shard is looked up before it is opened again.
    pub(crate) fn forget_route(&self, shard_id: u64) {
        self.known.routes.lock().forget(&Target::Shard(shard_id));
    }

    /// A call of its own connection.
    async fn open_stream(&self, stream: StreamCall, node: Address, first: Bytes) -> Result<Duplex, Failure> {
        let connected = self.known.pool.dedicated(&node, &self.known.settings).await;
        let channel = connected.map_err(|failure| {
            self.note(&node, &failure);
            self.explain(stream.name(), &node, failure)
        })?;
        let mut metadata = self.metadata();
        if let Ok(agent) = self.known.settings.user_agent.parse() {
            // What servers show of a consumer; they do not look at user-agent.
            metadata.insert("proxy-agent", agent);
        }
        Ok(Duplex::open(self.grpc(channel), stream.path(), metadata, node, first))
    }

    /// Says more of a stream's failure.
    pub(crate) fn explain_stream(&self, stream: StreamCall, node: &Address, failure: Failure) -> Failure {
        self.explain(stream.name(), node, failure)
    }

    /// The node that a shard's appends go to, as far as it has been looked up; else empty.
    pub(crate) fn known_owner(&self, shard_id: u64) -> String {
        let route = self.known.routes.lock().get(&Target::Shard(shard_id));
        route.map_or_else(String::new, |route| route.node.to_string())
    }

    /// What a failed stream, or a call without answer, says about the node it was on.
    pub(crate) fn note_lost(&self, node: &Address, error: &Error) {
        let event = || Event::of_client(EventKind::NodeLost).at_node(node).because_of(error);
        let mut members = self.known.members.lock();
        // Others are asked by name alone, and nobody chooses among them.
        let lost = members.knows(node) && members.in_trouble(node, Instant::now());
        let news = lost.then(|| self.known.events.put(event()));
        drop(members);
        news.iter().for_each(Unlogged::log);
    }

    fn note_answer(&self, node: &Address) {
        let event = || Event::of_client(EventKind::Reconnected).at_node(node);
        let mut members = self.known.members.lock();
        let news = members.well(node).then(|| self.known.events.put(event()));
        drop(members);
        news.iter().for_each(Unlogged::log);
    }

    /// One call to one node, counted.
    async fn attempt<R: Rpc>(
        &self,
        node: &Address,
        request: R,
        time: Duration,
    ) -> Result<R::Response, Failure> {
        let carries = request.carries();
        let underway = self.known.stats.begin(node, &self.known.counters);
        let outcome = self.attempt_uncounted(node, request, time).await;
        match &outcome {
            Ok(_) => {
                underway.succeeded();
                if let Some((records, bytes)) = carries {
                    self.known.counters.sent.add_batch(records, bytes);
                }
            }
            Err(failure) => underway.failed(failure.error()),
        }
        outcome
    }

    async fn attempt_uncounted<R: Rpc>(
        &self,
        node: &Address,
        request: R,
        time: Duration,
    ) -> Result<R::Response, Failure> {
        let channel = self.known.pool.unary(node, &self.known.settings).map_err(Failure::NotSent)?;
        let max_receive_bytes = self.known.settings.max_receive_bytes;
        let wire = Wire { channel, metadata: self.metadata(), max_receive_bytes };
        match tokio::time::timeout(time, request.exchange(wire)).await {
            Ok(Ok(response)) => {
                self.known.welcome.store(true, Ordering::Relaxed);
                Ok(response)
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
                self.known.version.lock().map_or("an unknown version".into(), |version| version.to_string());
            let message = format!("it needs a server of version {since} or newer, this one is of {version}");
            return Failure::Refused(Error::new(ErrorKind::Unsupported, message).at_node(error.node()));
        }
        // A server with tokens cancels calls without one on plaintext connections, and says no more.
        if error.has_status(status::CANCELLED)
            && self.known.settings.security == Security::Plaintext
            && !self.is_welcome()
        {
            let given = if self.known.credentials.lock().is_some() {
                "those given are wrong"
            } else {
                "none are given"
            };
            let message =
                format!("cancelled by the server, which is how it refuses credentials without TLS; {given}");
            return Failure::Refused(error.clone().saying(message));
        }
        failure
    }

    /// The commonest trouble of all: the cluster names addresses that can't be reached from here.
    fn explain_unreachable(&self, node: &Address, error: &Error) -> Error {
        if error.kind() != ErrorKind::Unavailable
            || self.only.is_some()
            || self.known.settings.seeds.contains(node)
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
        match self.known.pool.take_refusal(node) {
            Some(refusal) => Failure::NotSent(Error::new(ErrorKind::Tls, refusal).at_node(node)),
            None => failure,
        }
    }

    /// What goes with every call.
    fn metadata(&self) -> MetadataMap {
        let mut map = MetadataMap::new();
        let metadata = self.known.settings.metadata.iter().chain(&self.metadata);
        metadata.for_each(|metadata| metadata.put_into(&mut map));
        if let Some(credentials) = &*self.known.credentials.lock() {
            credentials.put_into(&mut map);
        }
        map
    }

    fn grpc(&self, channel: tonic::transport::Channel) -> Grpc<tonic::transport::Channel> {
        Grpc::new(channel).max_decoding_message_size(self.known.settings.max_receive_bytes)
    }

    fn note(&self, node: &Address, failure: &Failure) {
        if !matches!(failure, Failure::Refused(_)) {
            self.note_lost(node, failure.error());
        }
    }
}

/// Whether an attempt that failed may have done at the server what it was for.
fn is_in_doubt(effect: Effect, failure: &Failure) -> bool {
    match effect {
        Effect::Reads => false,
        Effect::Writes => may_be_applied(failure),
        Effect::Takes => may_be_taken(failure),
    }
}

/// Whether something may have been taken that did not arrive. The server's own errors say that nothing was; an
/// answer over the size limit was taken for certain.
fn may_be_taken(failure: &Failure) -> bool {
    let error = failure.error();
    let is_the_servers_own = error.server().is_some_and(|server| server.code().is_some());
    !is_the_servers_own && (may_be_applied(failure) || error.has_status(status::OUT_OF_RANGE))
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
