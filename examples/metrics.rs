//! A client's metrics as Prometheus reads them.
//!
//! It sends some records around on a server of its own, in this process, and prints what a program would serve at
//! `/metrics`.

use std::fmt::{Display, Write};
use std::time::{Duration, SystemTime};

use hstreamdb::dev_server::DevServer;
use hstreamdb::{
    Client, ClientConfig, Compression, ConsumerConfig, Metric, Metrics, Record, StartAt, StreamOptions,
    SubscriptionOptions,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = DevServer::start()?;
    let config = ClientConfig::new(server.url()).on_event(|event| eprintln!("{event}"));
    let client = Client::connect(config)?;
    client.create_stream("quakes", StreamOptions::new())?;
    client.create_subscription("alarm", "quakes", SubscriptionOptions::new().start(StartAt::Earliest))?;
    client.append("quakes", &[Record::raw("a"), Record::raw("b")], Compression::none())?;
    let consumer = client.consumer("alarm", ConsumerConfig::new())?;
    let batch = consumer.poll(1, Duration::from_secs(10))?.ok_or("no record came")?;
    consumer.ack_batch(&batch)?;
    print!("{}", prometheus(&client.metrics()));
    client.close(Duration::from_secs(10))?;
    Ok(())
}

/// The metrics in the text format of Prometheus.
pub fn prometheus(metrics: &Metrics) -> String {
    let mut text = Text::default();
    for metric in Metric::ALL {
        let (kind, suffix) = if metric.is_counter() { ("counter", "_total") } else { ("gauge", "") };
        text.family(&format!("{}{suffix}", metric.name()), kind, metric.help());
        text.sample("", &[], metrics.total(*metric));
    }
    of_nodes(&mut text, metrics);
    of_consumers(&mut text, metrics);
    text.family("certificate_expires_seconds", "gauge", "Until when certificates are valid, since 1970.");
    for (of, expires) in
        [("client", metrics.client_certificate_expires), ("server", metrics.server_certificate_expires)]
    {
        if let Some(since) = expires.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok()) {
            text.sample("", &[("of", of)], since.as_secs());
        }
    }
    text.text
}

fn of_nodes(text: &mut Text, metrics: &Metrics) {
    text.family("node_up", "gauge", "1 unless the node failed and has not answered since.");
    for node in &metrics.nodes {
        text.sample("", &[("address", &node.address)], u8::from(!node.in_trouble));
    }
    text.family("node_failures_total", "counter", "Calls to the node that failed.");
    for node in &metrics.nodes {
        text.sample("", &[("address", &node.address)], node.failures);
    }
    text.family("node_in_flight", "gauge", "Calls that wait for the node's answer.");
    for node in &metrics.nodes {
        text.sample("", &[("address", &node.address)], node.in_flight);
    }
    text.family("node_latency_seconds", "summary", "How long calls to the node took.");
    for node in &metrics.nodes {
        let (address, latency) = (("address", node.address.as_str()), node.latency);
        for (quantile, time) in [("0.5", latency.p50), ("0.9", latency.p90), ("0.99", latency.p99)] {
            text.sample("", &[address, ("quantile", quantile)], time.as_secs_f64());
        }
        text.sample("_sum", &[address], latency.sum.as_secs_f64());
        text.sample("_count", &[address], latency.count);
    }
}

fn of_consumers(text: &mut Text, metrics: &Metrics) {
    text.family("consumer_unacked", "gauge", "Records that the consumer received and that were not acked.");
    for consumer in &metrics.consumers {
        let labels = [("subscription", consumer.subscription.as_str()), ("consumer", consumer.name.as_str())];
        text.sample("", &labels, consumer.unacked);
    }
    text.family("consumer_last_record_age_seconds", "gauge", "When records came last to the consumer.");
    for consumer in &metrics.consumers {
        let labels = [("subscription", consumer.subscription.as_str()), ("consumer", consumer.name.as_str())];
        if let Some(age) = consumer.last_record_age {
            text.sample("", &labels, age.as_secs_f64());
        }
    }
}

/// Families of samples, each with its two lines of explanation.
#[derive(Default)]
struct Text {
    text: String,
    family: String,
}

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.family = format!("hstream_{name}");
        let help = help.replace('\\', r"\\").replace('\n', r"\n");
        let family = &self.family;
        writeln!(self.text, "# HELP {family} {help}\n# TYPE {family} {kind}").expect("strings take all");
    }

    fn sample(&mut self, suffix: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<_> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        writeln!(self.text, "{}{suffix}{labels} {value}", self.family).expect("strings take all");
    }
}

/// A label's value: three characters can't stand there as they are.
fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}
