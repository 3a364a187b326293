//! All that the published Python client can do, this library can do, in Rust and in C: each name and each parameter
//! of its API has a line in `parity/python-api.tsv`, which says what stands for it here.
//!
//! `parity/published.txt` is what the published package says itself (`interop/signatures.py` asks it). The tables in
//! the docs are made of these lines: `HSTREAM_UPDATE_PARITY=1 cargo test --test parity` writes them anew.

#![allow(missing_docs)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hstreamdb::{
    Appender, Batch, BufferedProducer, Client, ClientConfig, Compression, Consumer, ConsumerConfig,
    DeleteOptions, Deliveries, Linger, NamedReader, NamedReaderOptions, Next, Offset, ProducerConfig,
    ReceivedRecord, Record, RecordId, Reports, Result, Shard, ShardMap, StartAt, Stream, StreamOptions,
    Subscription, SubscriptionOptions, TlsConfig,
};

/// A call, a type, a parameter or a field of the Python client, and what stands for it here.
struct Line {
    section: &'static str,
    name: &'static str,
    /// With its default; empty for the call or the type itself.
    parameter: &'static str,
    there: &'static str,
    rust: Vec<Item>,
    c: Vec<Item>,
    /// The option's table and its key.
    options: Vec<(&'static str, &'static str)>,
    here: &'static str,
}

/// `name`, or `name(part)` for a parameter, or `name.part` for a field.
#[derive(Clone, Copy)]
struct Item {
    text: &'static str,
    name: &'static str,
    part: Option<&'static str>,
}

impl Item {
    fn parse(text: &'static str) -> Item {
        let parts = text.split_once(['(', '.']);
        let (name, part) =
            parts.map_or((text, None), |(name, part)| (name, Some(part.trim_end_matches(')'))));
        Item { text, name, part }
    }
}

fn lines() -> Vec<Line> {
    let mut section = "";
    let mut lines = Vec::new();
    for text in include_str!("parity/python-api.tsv").lines() {
        if let Some(title) = text.strip_prefix("## ") {
            section = title;
        } else if !text.is_empty() && !text.starts_with('#') {
            lines.push(Line::parse(section, text));
        }
    }
    lines
}

impl Line {
    fn parse(section: &'static str, text: &'static str) -> Line {
        let fields: Vec<&str> = text.split('\t').collect();
        let &[name, parameter, there, rust, c, options, here] = &fields[..] else {
            panic!("not seven fields: {text}");
        };
        let items = |list: &'static str| list.split_whitespace().map(Item::parse).collect();
        let option = |text: &'static str| text.split_once(':').expect("a table and a key");
        let options = options.split_whitespace().map(option).collect();
        Line { section, name, parameter, there, rust: items(rust), c: items(c), options, here }
    }

    fn python(&self) -> String {
        format!("{}({})", self.name, self.parameter)
    }
}

/// The calls and types as Python writes them, put together from their lines.
fn signatures(lines: &[Line]) -> Vec<String> {
    let calls = lines.chunk_by(|line, next| line.name == next.name);
    let mut signatures: Vec<String> = calls
        .map(|lines| {
            assert!(lines[0].parameter.is_empty(), "the first line of {} is not the call's", lines[0].name);
            let parameters: Vec<&str> = lines[1..].iter().map(|line| line.parameter).collect();
            format!("{}({})", lines[0].name, parameters.join(", "))
        })
        .collect();
    signatures.sort_unstable();
    signatures
}

#[test]
fn no_name_and_no_parameter_of_the_published_client_is_left_out() {
    let mut published: Vec<&str> = include_str!("parity/published.txt").lines().collect();
    published.sort_unstable();
    assert_eq!(signatures(&lines()), published);
}

#[test]
fn everything_has_something_that_stands_for_it_in_rust_and_in_c() {
    for line in lines() {
        assert!(!line.rust.is_empty() && !line.c.is_empty(), "{}", line.python());
    }
}

/// Checks that there is such a function or variant when it is compiled; of a generic one, that it takes these types.
macro_rules! item {
    ($item:path) => {{
        let _ = $item;
    }};
    ($item:path as $type:ty) => {{
        let _: $type = $item;
    }};
}

macro_rules! items {
    ($($item:path $(as $type:ty)?),* $(,)?) => {
        [$({
            item!($item $(as $type)?);
            stringify!($item)
        }),*]
    };
}

macro_rules! types {
    ($($type:ident),* $(,)?) => {
        [$({
            #[allow(unused_imports)] // It has to exist, and is not needed.
            use hstreamdb::$type as _;
            stringify!($type)
        }),*]
    };
}

macro_rules! fields {
    ($($type:ident::$field:ident),* $(,)?) => {
        [$({
            let _ = |value: $type| value.$field;
            concat!(stringify!($type), "::", stringify!($field))
        }),*]
    };
}

/// All Rust items that the lines name: this does not compile when one is gone.
fn rust_items() -> BTreeSet<&'static str> {
    type Callback = fn(&Consumer, &Batch) -> Next;
    type Reads = fn(&NamedReader) -> Result<()>;
    let items = items![
        Appender::append,
        Appender::flush as fn(&_, Duration) -> _,
        Appender::flush_key as fn(&_, &str, Duration) -> _,
        Appender::flush_shard as fn(&_, u64, Duration) -> _,
        Batch::iter,
        BufferedProducer::append,
        BufferedProducer::appender,
        BufferedProducer::begin_close,
        BufferedProducer::close as fn(&_, Duration) -> _,
        BufferedProducer::flush as fn(&_, Duration) -> _,
        Client::append as fn(&_, &str, &[Record], Compression) -> _,
        Client::append_each as fn(&_, &str, &[Record], Compression) -> _,
        Client::append_one,
        Client::close as fn(&_, Duration) -> _,
        Client::connect as fn(ClientConfig) -> _,
        Client::consumer,
        Client::create_reader,
        Client::create_stream,
        Client::create_subscription,
        Client::delete_reader,
        Client::delete_stream,
        Client::delete_subscription,
        Client::list_shards,
        Client::list_streams,
        Client::list_subscriptions,
        Client::named_reader,
        Client::producer,
        Client::read_reader,
        Client::refresh,
        Client::subscription_exists,
        Client::with_reader as fn(&_, &str, &str, _, Reads) -> _,
        ClientConfig::append_compression as fn(_, Compression) -> _,
        ClientConfig::new as fn(String) -> _,
        ClientConfig::tls,
        ClientConfig::url as fn(_, String) -> _,
        Compression::gzip,
        Compression::none,
        Compression::with_level,
        Compression::zstd,
        Consumer::ack,
        Consumer::ack_batch,
        Consumer::ack_up_to,
        Consumer::run as fn(&_, Callback) -> _,
        Consumer::start_with as fn(&_, Callback) -> _,
        Consumer::stop as fn(&_, Duration) -> _,
        ConsumerConfig::name as fn(_, String) -> _,
        DeleteOptions::force,
        DeleteOptions::ignore_missing,
        Deliveries::error,
        Deliveries::records,
        Deliveries::shard_id,
        Deliveries::stream,
        Linger::ByHand,
        Linger::For,
        Linger::WhenIdle,
        NamedReader::read,
        NamedReaderOptions::key as fn(_, String) -> _,
        NamedReaderOptions::shard,
        NamedReaderOptions::start,
        NamedReaderOptions::timeout,
        Next::Stop,
        Offset::Earliest,
        Offset::Latest,
        Offset::NearTime,
        Offset::Record,
        Offset::Time,
        ProducerConfig::batch_bytes,
        ProducerConfig::compression as fn(_, Compression) -> _,
        ProducerConfig::lend_records,
        ProducerConfig::linger,
        ProducerConfig::on_delivery as fn(_, fn(&Deliveries)) -> _,
        ProducerConfig::retry as fn(_, u32, Duration, Duration) -> _,
        ProducerConfig::workers,
        ReceivedRecord::attributes,
        ReceivedRecord::id,
        ReceivedRecord::key,
        ReceivedRecord::kind,
        ReceivedRecord::payload,
        ReceivedRecord::publish_time,
        ReceivedRecord::to_hrecord,
        Record::hrecord,
        Record::json,
        Record::raw as fn(String) -> _,
        Record::with_key as fn(_, String) -> _,
        Reports::All,
        Shard::end,
        Shard::epoch,
        Shard::id,
        Shard::start,
        Shard::stream,
        ShardMap::shards,
        StartAt::Earliest,
        StartAt::Latest,
        Stream::name,
        Stream::replication_factor,
        StreamOptions::backlog,
        StreamOptions::replication_factor,
        StreamOptions::shard_count,
        Subscription::ack_timeout,
        Subscription::id,
        Subscription::max_unacked_records,
        Subscription::stream,
        SubscriptionOptions::ack_timeout,
        SubscriptionOptions::max_unacked_records,
        SubscriptionOptions::start,
        TlsConfig::ca_file as fn(_, String) -> _,
        TlsConfig::ca_pem as fn(_, String) -> _,
        TlsConfig::identity_files as fn(_, String, String) -> _,
        TlsConfig::identity_pem as fn(_, String, String) -> _,
    ];
    let types = types![
        Batch,
        ConsumerConfig,
        DeleteOptions,
        Deliveries,
        NamedReader,
        NamedReaderOptions,
        Next,
        Offset,
        ProducerConfig,
        ReceivedRecord,
        RecordId,
        Shard,
        StartAt,
        Stream,
        StreamOptions,
        Subscription,
        SubscriptionOptions,
    ];
    let fields = fields![RecordId::shard_id, RecordId::batch_id, RecordId::batch_index];
    items.into_iter().chain(types).chain(fields).collect()
}

#[test]
fn what_is_said_to_stand_for_it_in_rust_is_there() {
    let lines = lines();
    let named: BTreeSet<&str> = lines.iter().flat_map(|line| &line.rust).map(|item| item.name).collect();
    assert_eq!(named, rust_items());
}

/// The methods in the `impl` blocks of a type, from their names to where their bodies begin.
fn rust_signature(sources: &str, type_name: &str, method: &str) -> Option<String> {
    let head = format!("\nimpl {type_name} {{\n");
    let blocks = sources.split(&head).skip(1);
    let methods = blocks.filter_map(|block| block.split("\n}\n").next());
    let mut signatures = methods.flat_map(|block| block.split(" fn ").skip(1));
    let signature =
        signatures.find(|text| text.strip_prefix(method).is_some_and(|rest| rest.starts_with(['(', '<'])))?;
    Some(signature.split('{').next()?.to_owned())
}

fn rust_sources(directory: &Path) -> String {
    let mut sources = String::new();
    for entry in std::fs::read_dir(directory).expect("the directory can be read") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources.push_str(&rust_sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&std::fs::read_to_string(path).expect("a source"));
        }
    }
    sources
}

#[test]
fn parameters_in_rust_have_the_names_that_are_said() {
    let sources = rust_sources(&root().join("src"));
    for item in lines().iter().flat_map(|line| &line.rust) {
        let Some(parameter) = item.part else { continue };
        let (type_name, method) = item.name.split_once("::").expect("a method");
        let signature = rust_signature(&sources, type_name, method);
        let signature = signature.unwrap_or_else(|| panic!("no {} in the sources", item.name));
        assert!(words(&signature).contains(parameter), "{} in {signature}", item.text);
    }
}

#[test]
fn what_is_said_to_stand_for_it_in_c_is_in_the_header() {
    let header = without_comments(&read("include/hstreamdb.h"));
    let all = words(&header);
    for item in lines().iter().flat_map(|line| &line.c) {
        assert!(all.contains(item.name), "{}", item.name);
        let Some(part) = item.part else { continue };
        let declared = c_declaration(&header, item.name).unwrap_or_else(|| panic!("no {}", item.name));
        assert!(words(declared).contains(part), "{} in {declared}", item.text);
    }
}

/// The parameters of a function, or the fields of a struct.
fn c_declaration<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let function = header.split_once(&format!("{name}(")).and_then(|(_, rest)| rest.split(';').next());
    let fields =
        || header.split_once(&format!("struct {name} {{")).and_then(|(_, rest)| rest.split('}').next());
    function.or_else(fields)
}

fn without_comments(text: &str) -> String {
    let mut parts = text.split("/*");
    let mut code = parts.next().unwrap_or_default().to_owned();
    parts.for_each(|part| code.push_str(part.split_once("*/").expect("comments end").1));
    code
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').collect()
}

#[test]
fn option_keys_are_those_of_the_tables() {
    let schema: serde_json::Value = serde_json::from_str(&hstreamdb::options_schema_json()).expect("JSON");
    for line in lines() {
        for (table, key) in &line.options {
            let options = schema[table].as_array().unwrap_or_else(|| panic!("no table {table}"));
            assert!(options.iter().any(|option| option["key"] == *key), "{table}: {key}");
        }
    }
}

#[test]
fn the_docs_have_the_same_tables() {
    const DOCS: &str = "src/python_api.md";
    let docs = read(DOCS);
    let made = documented(&docs, &lines());
    if std::env::var_os("HSTREAM_UPDATE_PARITY").is_some() {
        std::fs::write(root().join(DOCS), made).expect("the docs can be written");
        return;
    }
    assert!(
        docs == made,
        "{DOCS} does not say what tests/parity/python-api.tsv says; write it anew with HSTREAM_UPDATE_PARITY=1 cargo \
         test --test parity"
    );
}

/// The docs, with the tables behind the headings of the sections made anew.
fn documented(docs: &str, lines: &[Line]) -> String {
    let mut docs = docs.to_owned();
    for section in lines.chunk_by(|line, next| line.section == next.section) {
        let heading = format!("\n# {}\n\n", section[0].section);
        let start = docs.find(&heading).unwrap_or_else(|| panic!("no{heading}")) + heading.len();
        let rows = docs[start..].split_inclusive('\n').take_while(|line| line.starts_with('|'));
        let end = start + rows.map(str::len).sum::<usize>();
        docs.replace_range(start..end, &table(section));
    }
    docs
}

fn table(lines: &[Line]) -> String {
    let mut table = String::from("| Python | there | Rust | C | options | here |\n");
    table.push_str("| --- | --- | --- | --- | --- | --- |\n");
    for line in lines {
        let python = match line.parameter {
            "" => format!("**`{}`**", line.name),
            parameter => format!("`{parameter}`"),
        };
        let rust = cell(line.rust.iter().map(|item| format!("[`{}`](crate::{})", item.text, item.name)));
        let c = cell(line.c.iter().map(|item| format!("`{}`", item.text)));
        let options = cell(line.options.iter().map(|(_, key)| format!("`{key}`")));
        writeln!(table, "| {python} | {} | {rust} | {c} | {options} | {} |", line.there, line.here)
            .expect("strings take all");
    }
    table
}

fn cell(things: impl Iterator<Item = String>) -> String {
    things.collect::<Vec<_>>().join(", ")
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).expect("a file of the repository")
}
