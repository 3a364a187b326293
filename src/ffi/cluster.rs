//! The cluster: its nodes, and which of them has what.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr;

use serde_json::{Value, json};

use crate::admin::{ClusterInfo, Node, NodeState, ResourceKind};
use crate::ffi::boundary::{self, Failure, Outcome, given};
use crate::ffi::bytes::{self, Text};
use crate::ffi::call::hstream_call_t;
use crate::ffi::client::hstream_client_t;
use crate::ffi::error::hstream_error_t;
use crate::ffi::handles;
use crate::ffi::status::*;

/// The node waits for the cluster to be set up.
pub const HSTREAM_NODE_STARTING: i32 = 0;
/// The node serves.
pub const HSTREAM_NODE_RUNNING: i32 = 1;
/// The node can't serve; no server so far says so.
pub const HSTREAM_NODE_UNAVAILABLE: i32 = 2;
/// The others have missed the node for some seconds.
pub const HSTREAM_NODE_DEAD: i32 = 3;

/// A stream, by its name.
pub const HSTREAM_RESOURCE_STREAM: i32 = 0;
/// A subscription, by its id.
pub const HSTREAM_RESOURCE_SUBSCRIPTION: i32 = 1;
/// A shard, by its id in decimals.
pub const HSTREAM_RESOURCE_SHARD: i32 = 2;
/// A named reader, by its id.
pub const HSTREAM_RESOURCE_SHARD_READER: i32 = 3;
/// A connector, by its name.
pub const HSTREAM_RESOURCE_CONNECTOR: i32 = 4;
/// A query, by its id.
pub const HSTREAM_RESOURCE_QUERY: i32 = 5;
/// A view, by its name.
pub const HSTREAM_RESOURCE_VIEW: i32 = 6;

/// A node of the cluster.
#[derive(Clone)]
pub struct hstream_node_t {
    node: Node,
    host: Text,
    version: Text,
    commit: Text,
}

/// What a node says of its cluster.
pub struct hstream_cluster_t {
    info: ClusterInfo,
    protocol_version: Text,
    nodes: Box<[hstream_node_t]>,
}

impl From<Node> for hstream_node_t {
    fn from(node: Node) -> Self {
        hstream_node_t {
            host: Text::new(node.host()),
            version: Text::new(node.version()),
            commit: Text::new(node.commit()),
            node,
        }
    }
}

impl From<ClusterInfo> for hstream_cluster_t {
    fn from(info: ClusterInfo) -> Self {
        hstream_cluster_t {
            protocol_version: Text::new(info.protocol_version()),
            nodes: info.nodes().iter().cloned().map(hstream_node_t::from).collect(),
            info,
        }
    }
}

/// -1 if nobody said.
fn state_number(state: Option<NodeState>) -> i32 {
    match state {
        None => -1,
        Some(NodeState::Starting) => HSTREAM_NODE_STARTING,
        Some(NodeState::Running) => HSTREAM_NODE_RUNNING,
        Some(NodeState::Unavailable) => HSTREAM_NODE_UNAVAILABLE,
        Some(NodeState::Dead) => HSTREAM_NODE_DEAD,
    }
}

fn resource_kind(kind: i32) -> Outcome<ResourceKind> {
    Ok(match kind {
        HSTREAM_RESOURCE_STREAM => ResourceKind::Stream,
        HSTREAM_RESOURCE_SUBSCRIPTION => ResourceKind::Subscription,
        HSTREAM_RESOURCE_SHARD => ResourceKind::Shard,
        HSTREAM_RESOURCE_SHARD_READER => ResourceKind::ShardReader,
        HSTREAM_RESOURCE_CONNECTOR => ResourceKind::Connector,
        HSTREAM_RESOURCE_QUERY => ResourceKind::Query,
        HSTREAM_RESOURCE_VIEW => ResourceKind::View,
        other => return Err(Failure::invalid(format!("`kind` is {other}, which is no kind of resource"))),
    })
}

fn node_json(node: &Node) -> Value {
    json!({
        "id": node.id(),
        "host": node.host(),
        "port": node.port(),
        "version": node.version(),
        "commit": node.commit(),
        "state": state_number(node.state()),
    })
}

/// Gets the cluster as one of its nodes sees it, with nodes that are dead.
///
/// May be NULL: `call`, `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_cluster_free`.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: UNAVAILABLE, TIMEOUT, INTERRUPTED, CLOSED.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_describe_cluster(
    client: *mut hstream_client_t,
    call: Option<&hstream_call_t>,
    out: Option<&mut MaybeUninit<*mut hstream_cluster_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        let out = given(out, "out")?;
        let info = client.within(call)?.describe_cluster()?;
        out.write(handles::give(info.into()));
        Ok(())
    })
}

/// Gets the node that appends to a shard go to, computed from the nodes that live now; the shard need not exist.
///
/// May be NULL: `call`, `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_node_free`.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: UNAVAILABLE, TIMEOUT, INTERRUPTED, CLOSED.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_lookup_shard(
    client: *mut hstream_client_t,
    shard_id: u64,
    call: Option<&hstream_call_t>,
    out: Option<&mut MaybeUninit<*mut hstream_node_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        let out = given(out, "out")?;
        let node = client.within(call)?.lookup_shard(shard_id)?;
        out.write(handles::give(node.into()));
        Ok(())
    })
}

/// Gets the node that the ring of the cluster has for a text. It has nothing to do with the shard that records with
/// this key go to: see `hstream_client_shard_for_key`.
///
/// May be NULL: `key`, `call`, `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_node_free`.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: UNSUPPORTED by servers before 0.16.1, UNAVAILABLE, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_lookup_key(
    client: *mut hstream_client_t,
    key: *const c_void,
    key_len: usize,
    call: Option<&hstream_call_t>,
    out: Option<&mut MaybeUninit<*mut hstream_node_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `key` is NULL or as long as `key_len` says, as the rules for callers say.
        let key = unsafe { bytes::optional_data(key, key_len, "key") }?;
        let key = bytes::utf8(key, "key")?;
        let out = given(out, "out")?;
        let node = client.within(call)?.lookup_key(key)?;
        out.write(handles::give(node.into()));
        Ok(())
    })
}

/// Gets the node that serves a subscription. It leaves an entry in the cluster's meta store for any id, whether there is
/// such a subscription or not; `hstream_client_subscription_exists` finds that out.
///
/// May be NULL: `call`, `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_node_free`.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: INVALID_ARGUMENT, UNAVAILABLE, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_lookup_subscription(
    client: *mut hstream_client_t,
    id: *const c_char,
    call: Option<&hstream_call_t>,
    out: Option<&mut MaybeUninit<*mut hstream_node_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `id` is NULL or a NUL-terminated text, as the rules for callers say.
        let id = unsafe { bytes::text(id, "id") }?;
        let out = given(out, "out")?;
        let node = client.within(call)?.lookup_subscription(id)?;
        out.write(handles::give(node.into()));
        Ok(())
    })
}

/// Gets the node that has something; `kind` is one of HSTREAM_RESOURCE_*. The server writes down what it decides when it
/// is first asked, also for things that do not exist: each id leaves an entry in the cluster's meta store for good, and
/// is pinned to that node as long as it lives.
///
/// May be NULL: `call`, `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_node_free`.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: INVALID_ARGUMENT, QUERY_NOT_FOUND for no such view, UNAVAILABLE, TIMEOUT, INTERRUPTED,
/// CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_lookup_resource(
    client: *mut hstream_client_t,
    kind: i32,
    id: *const c_char,
    call: Option<&hstream_call_t>,
    out: Option<&mut MaybeUninit<*mut hstream_node_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `id` is NULL or a NUL-terminated text, as the rules for callers say.
        let id = unsafe { bytes::text(id, "id") }?;
        let out = given(out, "out")?;
        let node = client.within(call)?.lookup_resource(resource_kind(kind)?, id)?;
        out.write(handles::give(node.into()));
        Ok(())
    })
}

/// Frees a description with its nodes.
///
/// May be NULL: `cluster`.
///
/// **Ownership**: `cluster` is gone after it.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_cluster_free(cluster: *mut hstream_cluster_t) {
    boundary::quiet((), || {
        // SAFETY: `cluster` is NULL or the caller's, and is freed once, as the rules for callers say.
        drop(unsafe { handles::take(cluster) });
    });
}

/// Returns the version of the protocol; servers so far all say "0.1.0".
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `cluster`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_cluster_protocol_version(
    cluster: Option<&hstream_cluster_t>,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    let len = bytes::zeroed(len);
    boundary::quiet(c"".as_ptr(), || {
        let Some(cluster) = cluster else { return c"".as_ptr() };
        cluster.protocol_version.lend(len)
    })
}

/// Returns for how long the cluster has been there; 0 if unknown.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_cluster_uptime_seconds(cluster: Option<&hstream_cluster_t>) -> u64 {
    boundary::quiet(0, || {
        let Some(cluster) = cluster else { return 0 };
        cluster.info.uptime_seconds()
    })
}

/// Returns the number of nodes, with those that are dead.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_cluster_node_count(cluster: Option<&hstream_cluster_t>) -> usize {
    boundary::quiet(0, || {
        let Some(cluster) = cluster else { return 0 };
        cluster.nodes.len()
    })
}

/// Returns a node, by id; NULL beyond the last.
///
/// **Ownership**: The result is borrowed from `cluster`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_cluster_node_at(
    cluster: Option<&hstream_cluster_t>,
    index: usize,
) -> *const hstream_node_t {
    boundary::quiet(ptr::null(), || {
        let Some(cluster) = cluster else { return ptr::null() };
        cluster.nodes.get(index).map_or(ptr::null(), ptr::from_ref)
    })
}

/// Writes everything about it as one JSON object. Keys are only added.
///
/// May be NULL: `text_len`.
///
/// **Ownership**: `*text` is yours, to be freed with `hstream_string_free`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: NULL_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_cluster_to_json(
    cluster: Option<&hstream_cluster_t>,
    text: Option<&mut MaybeUninit<*mut c_char>>,
    text_len: Option<&mut MaybeUninit<usize>>,
) -> hstream_code_t {
    boundary::run(None, || {
        let cluster = given(cluster, "cluster")?;
        let text = given(text, "text")?;
        let json = json!({
            "protocol_version": cluster.info.protocol_version(),
            "uptime_seconds": cluster.info.uptime_seconds(),
            "nodes": cluster.info.nodes().iter().map(node_json).collect::<Vec<_>>(),
        });
        bytes::give_text(&json.to_string(), text, text_len)
    })
}

/// Frees a node's description.
///
/// May be NULL: `node`.
///
/// **Ownership**: `node` is gone after it.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_node_free(node: *mut hstream_node_t) {
    boundary::quiet((), || {
        // SAFETY: `node` is NULL or the caller's, and is freed once, as the rules for callers say.
        drop(unsafe { handles::take(node) });
    });
}

/// Copies a description: to keep an element of a list.
///
/// **Ownership**: The result is yours, to be freed with `hstream_node_free`; NULL if there is none.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_node_clone(node: Option<&hstream_node_t>) -> *mut hstream_node_t {
    boundary::quiet(ptr::null_mut(), || {
        let Some(node) = node else { return ptr::null_mut() };
        handles::give(node.clone())
    })
}

/// Returns its id.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_node_id(node: Option<&hstream_node_t>) -> u32 {
    boundary::quiet(0, || {
        let Some(node) = node else { return 0 };
        node.node.id()
    })
}

/// Returns the host that the cluster tells clients to connect to.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `node`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_node_host(
    node: Option<&hstream_node_t>,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    let len = bytes::zeroed(len);
    boundary::quiet(c"".as_ptr(), || {
        let Some(node) = node else { return c"".as_ptr() };
        node.host.lend(len)
    })
}

/// Returns the port there.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_node_port(node: Option<&hstream_node_t>) -> u32 {
    boundary::quiet(0, || {
        let Some(node) = node else { return 0 };
        node.node.port()
    })
}

/// Returns its version; servers before 0.15.2 tell only that of the node that answered, "" for others.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `node`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_node_version(
    node: Option<&hstream_node_t>,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    let len = bytes::zeroed(len);
    boundary::quiet(c"".as_ptr(), || {
        let Some(node) = node else { return c"".as_ptr() };
        node.version.lend(len)
    })
}

/// Returns what it was built from, as far as it says.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `node`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_node_commit(
    node: Option<&hstream_node_t>,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    let len = bytes::zeroed(len);
    boundary::quiet(c"".as_ptr(), || {
        let Some(node) = node else { return c"".as_ptr() };
        node.commit.lend(len)
    })
}

/// Returns how it is: one of HSTREAM_NODE_*, -1 of a node that was only looked up.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_node_state(node: Option<&hstream_node_t>) -> i32 {
    boundary::quiet(-1, || {
        let Some(node) = node else { return -1 };
        state_number(node.node.state())
    })
}
