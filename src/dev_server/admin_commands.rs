//! SendAdminCommand: the commands of the server's own command line, and its tables.

use serde_json::{Value, json};
use tonic::Status;

use super::arguments::Arguments;
use super::connectors;
use super::lookups;
use super::node::Node;
use super::queries;
use super::stats::Rate;
use super::stats_calls::subscription_values;
use super::subscriptions::Deletion;
use super::{admin, errors};
use crate::proto::{self, ResourceType, SpecialOffset, StreamStats, SubscriptionStats};

const USAGE: &str =
    "usage: server <status|init|ready|lookup|stream|sub|stats|reset-stats|view|query|connector|meta> ...";
const LOOKUP: &str =
    "usage: server lookup <stream|subscription|query|view|connector|shard|shard-reader> <id>";
const STREAM: &str =
    "usage: server stream <list|describe S|create S [-r N] [-b SEC] [-s SHARDS]|delete S [-f]>";
const SUB: &str = "usage: server sub <list|describe ID|create ID --stream S [--ack-timeout N] \
     [--max-unacked-records N] [--offset earliest|latest]|delete ID [-f]|deleteall [-f]>";
const STATS: &str = "usage: server stats <category> <name> [-i INTERVAL]... [-p PERCENTILE]...";

/// What the command line tool of the real server takes, where nothing else is said.
const BACKLOG: u32 = 7 * 24 * 3600;
const ACK_TIMEOUT: i32 = 60;
const MAX_UNACKED: i32 = 10_000;

/// The answer to a command, on its way to JSON.
enum Reply {
    Table(Vec<String>, Vec<Vec<String>>),
    Plain(String),
    Error(String),
}

impl Reply {
    fn ok() -> Self {
        Reply::Plain("OK".to_owned())
    }

    fn table<const N: usize>(headers: [&str; N], rows: Vec<[String; N]>) -> Self {
        Reply::Table(headers.map(str::to_owned).into(), rows.into_iter().map(Vec::from).collect())
    }

    fn json(self) -> Value {
        match self {
            Reply::Table(headers, rows) => {
                json!({ "content": { "headers": headers, "rows": rows }, "type": "table" })
            }
            Reply::Plain(text) => json!({ "content": text, "type": "plain" }),
            Reply::Error(text) => json!({ "content": text, "type": "error" }),
        }
    }
}

/// Of the node that is asked; nobody looks whether it owns what it changes.
pub(super) async fn send_admin_command(
    node: Node,
    request: proto::AdminCommandRequest,
) -> Result<proto::AdminCommandResponse, Status> {
    let words: Vec<&str> = request.command.split_whitespace().collect();
    let reply = match words.as_slice() {
        ["server", command, rest @ ..] => run(&node, command, rest).await?,
        _ => return Err(bad(USAGE)),
    };
    Ok(proto::AdminCommandResponse { result: reply.json().to_string() })
}

fn bad(usage: &str) -> Status {
    Status::internal(format!("Parsing admin command error: invalid argument ({usage})"))
}

async fn run(node: &Node, command: &str, rest: &[&str]) -> Result<Reply, Status> {
    match (command, rest) {
        ("status", []) => status(node),
        ("init", []) => Ok(Reply::Plain("Server successfully received init signal".to_owned())),
        ("ready", []) => Ok(Reply::Plain("Cluster is ready".to_owned())),
        ("lookup", [kind, id]) => lookup(node, kind, id),
        ("lookup", _) => Err(bad(LOOKUP)),
        ("stream", rest) => stream(node, rest),
        ("sub", rest) => sub(node, rest).await,
        ("stats", rest) => stats(node, rest),
        ("reset-stats", []) => {
            node.cluster.state().stats.forget_node(node.id);
            Ok(Reply::ok())
        }
        ("view", ["list"]) => Ok(Reply::table(["View ID", "Status", "Created Time", "SQL"], Vec::new())),
        ("query", rest) => query(rest),
        ("connector", rest) => connector(rest),
        ("meta", _) => Ok(Reply::Error("the development server has no store of metadata".to_owned())),
        _ => Err(bad(USAGE)),
    }
}

fn status(node: &Node) -> Result<Reply, Status> {
    let described = lookups::describe_cluster(node, ())?;
    let row = |each: &proto::ServerNodeStatus| {
        let of_node = each.node.as_ref()?;
        let state = proto::NodeState::try_from(each.state).ok()?;
        let address = format!("{}:{}", of_node.host, of_node.port);
        Some([of_node.id.to_string(), state.as_str_name().to_owned(), address])
    };
    let rows = described.server_nodes_status.iter().filter_map(row).collect();
    Ok(Reply::table(["Node ID", "State", "Address"], rows))
}

fn lookup(node: &Node, kind: &str, id: &str) -> Result<Reply, Status> {
    let resource = match kind {
        "stream" => ResourceType::ResStream,
        "subscription" => ResourceType::ResSubscription,
        "query" => ResourceType::ResQuery,
        "view" => ResourceType::ResView,
        "connector" => ResourceType::ResConnector,
        "shard" => ResourceType::ResShard,
        "shard-reader" => ResourceType::ResShardReader,
        _ => return Err(bad(LOOKUP)),
    };
    let request = proto::LookupResourceRequest { res_type: resource as i32, res_id: id.to_owned() };
    let found = lookups::lookup_resource(node, request)?;
    let row = [id.to_owned(), found.host, found.port.to_string()];
    Ok(Reply::table(["Resource ID", "Host", "Port"], vec![row]))
}

fn stream(node: &Node, words: &[&str]) -> Result<Reply, Status> {
    let rows = |streams: Vec<proto::Stream>| {
        let row = |stream: proto::Stream| [stream.stream_name, stream.replication_factor.to_string()];
        Reply::table(["Stream Name", "Replication Factor"], streams.into_iter().map(row).collect())
    };
    match words {
        ["list"] => Ok(rows(node.cluster.state().list_streams(""))),
        ["describe", name] => {
            let found = admin::get_stream(node, proto::GetStreamRequest { name: (*name).to_owned() })?;
            Ok(rows(found.stream.into_iter().collect()))
        }
        ["create", name, rest @ ..] => {
            let given = Arguments::parse(rest, &["-r", "-b", "-s"], &[]).ok_or_else(|| bad(STREAM))?;
            let number = |flag, default| given.number(flag, default).ok_or_else(|| bad(STREAM));
            let stream = proto::Stream {
                stream_name: (*name).to_owned(),
                replication_factor: number("-r", 1)?,
                backlog_duration: number("-b", BACKLOG)?,
                shard_count: number("-s", 1)?,
                creation_time: None,
            };
            admin::create_stream(node, stream).map(|_| Reply::ok())
        }
        ["delete", name, rest @ ..] => {
            let given = Arguments::parse(rest, &[], &["-f"]).ok_or_else(|| bad(STREAM))?;
            let stream_name = (*name).to_owned();
            let request =
                proto::DeleteStreamRequest { stream_name, ignore_non_exist: false, force: given.has("-f") };
            admin::delete_stream(node, request).map(|()| Reply::ok())
        }
        _ => Err(bad(STREAM)),
    }
}

async fn sub(node: &Node, words: &[&str]) -> Result<Reply, Status> {
    match words {
        ["list"] => {
            let row = |sub: proto::Subscription| {
                let created = created_ms(&sub);
                [sub.subscription_id, sub.stream_name, created]
            };
            let rows = node.cluster.state().list_subscriptions("").into_iter().map(row).collect();
            Ok(Reply::table(["Subscription ID", "Stream Name", "CreatedTime"], rows))
        }
        ["describe", id] => describe_sub(node, id),
        ["create", id, rest @ ..] => create_sub(node, id, rest),
        ["delete", id, rest @ ..] => {
            let given = Arguments::parse(rest, &[], &["-f"]).ok_or_else(|| bad(SUB))?;
            delete_sub(node, id, given.has("-f")).await?;
            Ok(Reply::ok())
        }
        ["deleteall", rest @ ..] => {
            let given = Arguments::parse(rest, &[], &["-f"]).ok_or_else(|| bad(SUB))?;
            let ids: Vec<String> = node.cluster.state().subscriptions.keys().cloned().collect();
            for id in ids {
                delete_sub(node, &id, given.has("-f")).await?;
            }
            Ok(Reply::ok())
        }
        _ => Err(bad(SUB)),
    }
}

fn describe_sub(node: &Node, id: &str) -> Result<Reply, Status> {
    let found = node.cluster.state().get_subscription(node.id, id).and_then(|found| found.subscription);
    let sub = found.ok_or_else(|| errors::subscription_not_found(id))?;
    let offset = SpecialOffset::try_from(sub.offset).map_or("", |offset| offset.as_str_name());
    let row = [
        sub.subscription_id.clone(),
        sub.stream_name.clone(),
        sub.ack_timeout_seconds.to_string(),
        sub.max_unacked_records.to_string(),
        created_ms(&sub),
        offset.to_owned(),
    ];
    let headers = ["Subscription ID", "Stream Name", "Timeout", "Max Unacked", "CreatedTime", "Sub Offset"];
    Ok(Reply::table(headers, vec![row]))
}

fn create_sub(node: &Node, id: &str, words: &[&str]) -> Result<Reply, Status> {
    let named = ["--stream", "--ack-timeout", "--max-unacked-records", "--offset"];
    let given = Arguments::parse(words, &named, &[]).ok_or_else(|| bad(SUB))?;
    let offset = match given.text("--offset").unwrap_or("latest") {
        "earliest" => SpecialOffset::Earliest,
        "latest" => SpecialOffset::Latest,
        _ => return Err(bad(SUB)),
    };
    let number = |flag, default| given.number(flag, default).ok_or_else(|| bad(SUB));
    let subscription = proto::Subscription {
        subscription_id: id.to_owned(),
        stream_name: given.text("--stream").ok_or_else(|| bad(SUB))?.to_owned(),
        ack_timeout_seconds: number("--ack-timeout", ACK_TIMEOUT)?,
        max_unacked_records: number("--max-unacked-records", MAX_UNACKED)?,
        offset: offset as i32,
        creation_time: None,
    };
    admin::create_subscription(node, subscription).map(|_| Reply::ok())
}

async fn delete_sub(node: &Node, id: &str, force: bool) -> Result<(), Status> {
    let deletion = node.cluster.state().delete_subscription(node.id, id, force)?;
    if let Deletion::Under(done) = deletion {
        done.wait().await;
    }
    Ok(())
}

fn created_ms(sub: &proto::Subscription) -> String {
    let time = sub.creation_time.unwrap_or_default();
    (time.seconds.saturating_mul(1000) + i64::from(time.nanos) / 1_000_000).to_string()
}

fn query(words: &[&str]) -> Result<Reply, Status> {
    match words {
        ["list"] => {
            let headers = ["Query ID", "Status", "Created Time", "SQL"];
            Ok(Reply::table(headers, Vec::new()))
        }
        ["status" | "describe" | "resume", id] => Err(queries::query_not_found(id)),
        _ => Err(bad("usage: server query <list|status ID|describe ID|resume ID>")),
    }
}

fn connector(words: &[&str]) -> Result<Reply, Status> {
    match words {
        ["list"] => Ok(Reply::table(["Connector Name", "Status"], Vec::new())),
        ["delete", _] => Ok(Reply::ok()),
        ["describe" | "resume", name] => Err(connectors::connector_not_found(name)),
        _ => Err(bad("usage: server connector <list|describe NAME|resume NAME|delete NAME>")),
    }
}

fn stats(node: &Node, words: &[&str]) -> Result<Reply, Status> {
    let [category, name, rest @ ..] = words else { return Err(bad(STATS)) };
    let given = Arguments::parse(rest, &["-i", "-p"], &[]).ok_or_else(|| bad(STATS))?;
    match *category {
        "stream_counter" => stream_counter(node, name),
        "stream" => stream_rates(node, name, &given),
        "subscription_counter" => subscription_counter(node, name),
        // Of these a real server counts what does not happen here.
        "subscription" | "handle" | "connector_counter" | "query_counter" | "view_counter" => {
            let subject = category.trim_end_matches("_counter");
            Ok(Reply::Table(vec![format!("{subject}_id"), (*name).to_owned()], Vec::new()))
        }
        "server_histogram" => {
            let percentiles = given.all("-p").map(percentile).collect::<Option<Vec<_>>>();
            let mut headers = vec!["server_histogram".to_owned()];
            headers.extend(percentiles.ok_or_else(|| bad(STATS))?);
            Ok(Reply::Table(headers, Vec::new()))
        }
        _ => Err(bad(STATS)),
    }
}

/// `0.5` as `p50`.
fn percentile(text: &str) -> Option<String> {
    let part: f64 = text.parse().ok()?;
    (0.0..=1.0).contains(&part).then(|| format!("p{}", part * 100.0))
}

fn stream_counter(node: &Node, name: &str) -> Result<Reply, Status> {
    let place = match name {
        "append_in_bytes" => StreamStats::AppendInBytes,
        "append_in_records" => StreamStats::AppendInRecords,
        "append_total" => StreamStats::AppendTotal,
        "append_failed" => StreamStats::AppendFailed,
        "read_in_bytes" => StreamStats::ReadInBytes,
        "read_in_batches" => StreamStats::ReadInBatches,
        _ => return Err(bad(STATS)),
    } as usize;
    let state = node.cluster.state();
    let row = |(stream, counts): (&str, &[u64; 6])| [stream.to_owned(), counts[place].to_string()];
    Ok(Reply::table(["stream_name", name], state.stats.stream_counts(node.id).map(row).collect()))
}

fn subscription_counter(node: &Node, name: &str) -> Result<Reply, Status> {
    let stat = match name {
        "send_out_bytes" => SubscriptionStats::SendOutBytes,
        "send_out_records" => SubscriptionStats::SendOutRecords,
        "send_out_records_failed" => SubscriptionStats::SendOutRecordsFailed,
        "resend_records" => SubscriptionStats::ResendRecords,
        "resend_records_failed" => SubscriptionStats::ResendRecordsFailed,
        "received_acks" => SubscriptionStats::ReceivedAcks,
        "request_messages" => SubscriptionStats::RequestMessages,
        "response_messages" => SubscriptionStats::ResponseMessages,
        "checklist_size" => SubscriptionStats::ChecklistSize,
        _ => return Err(bad(STATS)),
    };
    let row = |(id, count): (String, u64)| [id, count.to_string()];
    Ok(Reply::table(
        ["subscription_id", name],
        subscription_values(node, stat).into_iter().map(row).collect(),
    ))
}

fn stream_rates(node: &Node, name: &str, given: &Arguments<'_>) -> Result<Reply, Status> {
    let rate = Rate::named(name).ok_or_else(|| bad(STATS))?;
    let mut intervals: Vec<&str> = given.all("-i").collect();
    if intervals.is_empty() {
        intervals = vec!["1min", "5min", "10min"];
    }
    let ms = intervals.iter().map(|text| interval_ms(text)).collect::<Option<Vec<_>>>();
    let ms = ms.ok_or_else(|| bad(STATS))?;
    let mut headers = vec!["stream_name".to_owned()];
    headers.extend(intervals.iter().map(|interval| format!("{name}_{interval}")));
    let now = node.cluster.now().since_1970.as_secs();
    let state = node.cluster.state();
    let row = |stream: &str| {
        let rates = state.stats.rates(node.id, stream, rate, now, &ms).unwrap_or_default();
        std::iter::once(stream.to_owned()).chain(rates.iter().map(f64::to_string)).collect()
    };
    let rows = state.stats.stream_counts(node.id).map(|(stream, _)| row(stream)).collect();
    Ok(Reply::Table(headers, rows))
}

/// `500ms`, `10s`, `1min`, `1h`.
fn interval_ms(text: &str) -> Option<i32> {
    let unit_at = text.find(|each: char| !each.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit_at);
    let factor = match unit {
        "ms" => 1,
        "s" | "sec" => 1000,
        "min" => 60_000,
        "h" | "hour" => 3_600_000,
        _ => return None,
    };
    number.parse::<i32>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_have_units() {
        for (text, ms) in [("500ms", 500), ("10s", 10_000), ("1min", 60_000), ("1h", 3_600_000)] {
            assert_eq!(interval_ms(text), Some(ms));
        }
        for bad in ["", "min", "5", "1week", "99999999999min", "600000h"] {
            assert_eq!(interval_ms(bad), None, "{bad}");
        }
        assert_eq!(percentile("0.5").as_deref(), Some("p50"));
        assert_eq!(percentile("7"), None);
    }

    /// Server behaviour, section 12.
    #[test]
    fn answers_are_json_text_of_three_types() {
        let table = Reply::table(["A", "B"], vec![["1".to_owned(), "2".to_owned()]]);
        let expected = r#"{"content":{"headers":["A","B"],"rows":[["1","2"]]},"type":"table"}"#;
        assert_eq!(table.json().to_string(), expected);
        assert_eq!(Reply::ok().json().to_string(), r#"{"content":"OK","type":"plain"}"#);
        assert_eq!(Reply::Error("no".to_owned()).json().to_string(), r#"{"content":"no","type":"error"}"#);
    }
}
