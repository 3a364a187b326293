//! The client: a cluster, and everything that is made for it.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::closing::Closing;
use crate::cluster::credentials::{Credentials, Metadata};
use crate::cluster::endpoint::Address;
use crate::cluster::retry::Effect;
use crate::cluster::rpc::Rpc;
use crate::cluster::{Cluster, Plan, Target};
use crate::codec::compression::Compression;
use crate::config::{ClientConfig, check_plaintext_auth};
use crate::error::{Error, ErrorKind, Result};
use crate::events::Events;
use crate::metrics::ChildMetrics;
use crate::producer::flow::SharedBudget;
use crate::runtime::{Runtime, Spawner};
use crate::shard::ShardMap;
use crate::wait::{Ended, Until, Wait, wait};

/// A backstop behind the deadline that calls keep themselves: they report better what happened.
const GRACE: Duration = Duration::from_millis(500);

/// A connection to an HStreamDB cluster.
///
/// Clones are the same client, and cheap; all of its functions may be called from any thread, inside a
/// callback of this library, and inside a foreign async runtime (where they block like any blocking call).
/// It connects to nodes when it needs them, and knows the cluster by asking. Producers and consumers keep
/// what they need of it: they go on when the client is dropped, and end when it is closed.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    /// With what its calls carry, and whom they ask.
    cluster: Arc<Cluster>,
    limit: Wait,
    /// Ends the calls of some handles of the client, and not those of others.
    scope: Option<Arc<Closing>>,
}

pub(crate) struct Shared {
    runtime: Runtime,
    closing: Closing,
    children: Mutex<Vec<Weak<dyn Child>>>,
    /// Shards of streams that records were appended to without a producer.
    shards: Mutex<HashMap<String, Arc<ShardMap>>>,
    plaintext_auth: bool,
    /// What its producers may hold together, if there is a limit.
    buffer: Option<Arc<SharedBudget>>,
    /// Of appends that do not name one.
    append_compression: Compression,
}

/// What a client closes when it is closed.
pub(crate) trait Child: Send + Sync {
    /// Ends the calls that wait on it, and nothing else.
    fn end_waits(&self);

    fn close_within(&self, until: Until<'_>) -> Result<()>;

    /// What it tells of itself, if there is something.
    fn metrics(&self) -> Option<ChildMetrics>;
}

impl Client {
    /// Connects to the cluster of a URL, or of more detailed options.
    ///
    /// It asks the seeds in random order until one answers.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) for options that make no sense,
    /// [`Tls`](ErrorKind::Tls) for certificates that can't be used, [`Config`](ErrorKind::Config) for options that
    /// contradict each other, [`Unavailable`](ErrorKind::Unavailable) if no seed answers,
    /// [`Unsupported`](ErrorKind::Unsupported) for servers older than v0.15.0.
    pub fn connect(config: impl Into<ClientConfig>) -> Result<Client> {
        let config = config.into();
        let lazy = config.lazy;
        let client = Self::open(config)?;
        if !lazy {
            client.refresh()?;
        }
        Ok(client)
    }

    /// A client that has not connected yet.
    pub(crate) fn open(config: ClientConfig) -> Result<Client> {
        let settings = config.check()?;
        let shared = Shared {
            runtime: Runtime::acquire()?,
            closing: Closing::default(),
            children: Mutex::default(),
            shards: Mutex::default(),
            plaintext_auth: config.plaintext_auth,
            buffer: (config.buffer_bytes > 0).then(|| Arc::new(SharedBudget::new(config.buffer_bytes))),
            append_compression: config.append_compression,
        };
        let cluster = Arc::new(Cluster::new(settings, Events::start(config.on_event)?));
        let limit = config.request_timeout.map_or_else(Wait::forever, Wait::from);
        Ok(Client { shared: Arc::new(shared), cluster, limit, scope: None })
    }

    /// The same client for calls that may take so long, and may be ended by what the wait names:
    /// `client.within(Duration::from_secs(1)).get_stream("quakes")`.
    #[must_use]
    pub fn within(&self, limit: impl Into<Wait>) -> Client {
        Client { limit: limit.into(), ..self.clone() }
    }

    /// The same client for calls that carry this gRPC metadata too. A name that ends in `-bin` takes any bytes,
    /// others printable ASCII. What is made with it carries it as well: producers and consumers, for good.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) for a name or a value that can't be sent.
    pub fn with_metadata(&self, name: &str, value: impl AsRef<[u8]>) -> Result<Client> {
        Ok(self.carrying(&[Metadata::new(name, value.as_ref())?]))
    }

    /// The same client for calls that ask this node, `host[:port]`, and no other: nothing is looked up, and
    /// what fails is tried again there. A node that is not the owner of something says so with an error. So do
    /// the appends of a producer that is made with it; a consumer finds its node as always.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) for what is no address.
    pub fn at_node(&self, address: &str) -> Result<Client> {
        Ok(self.asking_only(Address::parse(address)?))
    }

    pub(crate) fn carrying(&self, metadata: &[Metadata]) -> Client {
        Client { cluster: Arc::new(self.cluster.carrying(metadata)), ..self.clone() }
    }

    pub(crate) fn asking_only(&self, node: Address) -> Client {
        Client { cluster: Arc::new(self.cluster.asking_only(Some(node))), ..self.clone() }
    }

    /// The same client for calls that also end when `scope` is closed.
    #[cfg(feature = "ffi")]
    pub(crate) fn scoped(&self, scope: Arc<Closing>) -> Client {
        Client { scope: Some(scope), ..self.clone() }
    }

    /// How long its calls may take.
    #[cfg(feature = "ffi")]
    pub(crate) fn limit(&self) -> &Wait {
        &self.limit
    }

    /// Looks at the cluster again now. Calls do so by themselves when a node fails, and now and then.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](ErrorKind::Unavailable) if no node answers.
    pub fn refresh(&self) -> Result<()> {
        let cluster = self.cluster.clone();
        let deadline = self.limit.deadline();
        self.run(deadline, async move { cluster.refresh(deadline).await.map(drop) })
    }

    /// Sends these credentials from now on. Any thread may rotate them; calls on the way are not touched.
    ///
    /// # Errors
    ///
    /// The user has a colon in it; the connection is not encrypted and the client was not told that this is fine.
    pub fn set_basic_auth(&self, user: &str, password: &[u8]) -> Result<()> {
        self.set_credentials(Credentials::basic(user, password)?)
    }

    /// Sends this token from now on: base64 of `user:password`.
    ///
    /// # Errors
    ///
    /// As [`set_basic_auth`](Self::set_basic_auth).
    pub fn set_auth_token(&self, token: &[u8]) -> Result<()> {
        self.set_credentials(Credentials::token(token)?)
    }

    fn set_credentials(&self, credentials: Credentials) -> Result<()> {
        check_plaintext_auth(self.cluster.settings().security, self.shared.plaintext_auth)?;
        self.cluster.set_credentials(credentials);
        Ok(())
    }

    /// Reads the certificate files again, for new connections. They are also read again when they have changed.
    ///
    /// # Errors
    ///
    /// They can't be used; the old ones stay.
    #[cfg(feature = "tls")]
    pub fn reload_tls(&self) -> Result<()> {
        self.cluster.reload_tls()
    }

    /// Closes the client and all producers and consumers made with it: calls that are blocked end at once
    /// with [`Closed`](ErrorKind::Closed), then producers send what they hold and consumers their acks,
    /// all within the given time. Closing twice is fine. Events are told as long as there is time; after it no
    /// event callback runs.
    ///
    /// # Errors
    ///
    /// The first of its children's errors: [`Timeout`](ErrorKind::Timeout) if something had to be given up;
    /// [`Interrupted`](ErrorKind::Interrupted), which loses nothing: it can be called again.
    /// [`WouldDeadlock`](ErrorKind::WouldDeadlock) in its own event callback; nothing is closed then.
    pub fn close(&self, limit: impl Into<Wait>) -> Result<()> {
        self.cluster.events().check_may_wait()?;
        let limit = limit.into();
        let until = limit.until();
        self.shared.closing.close();
        // They stay in the list: a close that was interrupted is called again.
        let children = self.shared.children.lock().clone();
        let children: Vec<_> = children.iter().filter_map(Weak::upgrade).collect();
        children.iter().for_each(|child| child.end_waits());
        let outcomes: Vec<_> = children.iter().map(|child| child.close_within(until)).collect();
        let told = self.cluster.events().stop(until);
        outcomes.into_iter().chain([told]).collect()
    }

    /// Ends the event callback and nothing else, as the free of a C program does.
    #[cfg(feature = "ffi")]
    pub(crate) fn stop_events(&self) {
        self.cluster.events().stop_now();
    }

    pub(crate) fn buffer(&self) -> Option<Arc<SharedBudget>> {
        self.shared.buffer.clone()
    }

    pub(crate) fn append_compression(&self) -> Compression {
        self.shared.append_compression
    }

    /// Makes one call, and waits for it.
    pub(crate) fn call<R: Rpc>(&self, target: Target, request: R) -> Result<R::Response> {
        self.call_as(self.plan(), target, request)
    }

    /// Creates something. When nobody knows whether it was created, the call is made again, and finds it there
    /// if it was: `existing` looks at what is there, and says whether it is what was asked for.
    pub(crate) fn create<R: Rpc, T: From<R::Response>>(
        &self,
        request: R,
        existing: impl FnOnce(&Client) -> Result<Option<T>>,
    ) -> Result<T> {
        let plan = Plan { send_twice: true, ..self.plan() };
        let error = match self.call_as(plan, Target::Any, request) {
            Ok(created) => return Ok(created.into()),
            Err(error) => error,
        };
        if !(error.is_already_exists() && error.is_ambiguous()) {
            return Err(error);
        }
        existing(&self.until(plan.deadline)).ok().flatten().ok_or(error)
    }

    /// The same client for the calls that follow in something that has one time for all of it.
    pub(crate) fn until(&self, deadline: Option<Instant>) -> Client {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        Client { limit: self.limit.clone().for_at_most(left), ..self.clone() }
    }

    /// The same client for calls that may take at least so long.
    pub(crate) fn with_at_least(&self, time: Duration) -> Client {
        Client { limit: self.limit.clone().for_at_least(time), ..self.clone() }
    }

    fn call_as<R: Rpc>(&self, plan: Plan, target: Target, request: R) -> Result<R::Response> {
        let cluster = self.cluster.clone();
        let subject = request.subject();
        let outcome = self.run(plan.deadline, async move { cluster.call(target, request, plan).await });
        outcome.map_err(|error| {
            let cut_short =
                matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Interrupted | ErrorKind::Closed);
            let error = error.doing(R::NAME, subject);
            // It may be on its way, whatever we stopped waiting for.
            if cut_short && R::EFFECT != Effect::Reads && error.attempts() == 0 {
                error.ambiguous()
            } else {
                error
            }
        })
    }

    /// How the calls of this handle are tried.
    pub(crate) fn plan(&self) -> Plan {
        let settings = self.cluster.settings();
        Plan {
            deadline: self.limit.deadline(),
            max_attempts: Some(settings.max_attempts),
            backoff: settings.backoff,
            send_twice: false,
            now: Instant::now,
        }
    }

    /// Runs something on the runtime, and waits for it until it is done, time is up, the wait is
    /// interrupted, or the client is closed.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        deadline: Option<Instant>,
        future: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        self.check_open()?;
        let task = self.shared.runtime.spawner().spawn(future);
        let either = async {
            tokio::select! {
                biased;
                outcome = task => outcome?,
                () = self.shared.closing.closed() => Err(Error::closed("client")),
                () = self.scope_closed() => Err(Error::closed("client")),
            }
        };
        let until = Until { deadline: deadline.map(|deadline| deadline + GRACE), ..self.limit.until() };
        wait(either, until).unwrap_or_else(|ended: Ended| Err(ended.into_error("the server")))
    }

    async fn scope_closed(&self) {
        match &self.scope {
            Some(scope) => scope.closed().await,
            None => std::future::pending().await,
        }
    }

    pub(crate) fn check_open(&self) -> Result<()> {
        if self.shared.closing.is_closed() { Err(Error::closed("client")) } else { Ok(()) }
    }

    pub(crate) fn cluster(&self) -> &Arc<Cluster> {
        &self.cluster
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.shared.runtime
    }

    pub(crate) fn spawner(&self) -> Spawner {
        self.shared.runtime.spawner()
    }

    /// Registers something that must be closed with the client.
    pub(crate) fn adopt(&self, child: Weak<dyn Child>) -> Result<()> {
        let mut children = self.shared.children.lock();
        // Under the lock, so that either close finds the child or the child finds the client closed.
        self.check_open()?;
        children.retain(|child| child.strong_count() > 0);
        children.push(child);
        Ok(())
    }

    /// What was made with this client and not closed.
    pub(crate) fn children(&self) -> Vec<Arc<dyn Child>> {
        self.shared.children.lock().iter().filter_map(Weak::upgrade).collect()
    }

    /// The shards of a stream, as looked up before or now.
    pub(crate) fn shards_of(&self, stream: &str) -> Result<Arc<ShardMap>> {
        if let Some(shards) = self.shared.shards.lock().get(stream) {
            return Ok(shards.clone());
        }
        let shards = Arc::new(self.look_up_shards(stream)?);
        self.shared.shards.lock().insert(stream.to_owned(), shards.clone());
        Ok(shards)
    }

    /// Forgets the shards of a stream: it may be another one by now.
    pub(crate) fn forget_shards_of(&self, stream: &str) {
        self.shared.shards.lock().remove(stream);
    }

    pub(crate) fn look_up_shards(&self, stream: &str) -> Result<ShardMap> {
        let (cluster, plan) = (self.cluster.clone(), self.plan());
        let name = stream.to_owned();
        self.run(plan.deadline, async move { cluster.shards_of(&name, plan).await })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = self.cluster.settings();
        let seeds: Vec<_> = settings.seeds.iter().map(ToString::to_string).collect();
        f.debug_struct("Client")
            .field("seeds", &seeds)
            .field("closed", &self.shared.closing.is_closed())
            .finish()
    }
}
