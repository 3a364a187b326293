//! What calls cost in Rust, for a comparison with the same over the C ABI (`tests/c/instructions.c`), by callgrind.
//!
//! `instructions URL STREAM record|raw|packed|columns COUNT`, with `fill` besides, which makes the stream, its
//! subscription and the records that `columns` polls. All that counts is done by `measured_calls`.

use std::error::Error;

use hstreamdb::{
    Appender, Client, Compression, Consumer, ConsumerConfig, Linger, ProducerConfig, Record, StartAt,
    StreamOptions, SubscriptionOptions, Wait,
};

const SIZE: usize = 100;
const POLLED: usize = 1000;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, stream, how, count] = arguments.as_slice() else {
        return Err("usage: instructions URL STREAM record|raw|packed|columns|fill COUNT".into());
    };
    let (client, count) = (Client::connect(url.as_str())?, count.parse()?);
    match how.as_str() {
        "fill" => fill(&client, stream, count),
        "columns" => {
            let consumer = client.consumer(stream, ConsumerConfig::new())?;
            println!("{}", measured_calls(&Task::Columns(consumer, count))?);
            Ok(())
        }
        _ => append(&client, stream, how, count),
    }
}

fn fill(client: &Client, stream: &str, count: usize) -> Result<()> {
    client.create_stream(stream, StreamOptions::new())?;
    // None is acked.
    let shape = SubscriptionOptions::new().start(StartAt::Earliest).max_unacked_records(10_000_000);
    client.create_subscription(stream, stream, shape)?;
    let records = vec![Record::raw(vec![b'x'; SIZE]); POLLED];
    for _ in 0..count / POLLED {
        client.append(stream, &records, Compression::none())?;
    }
    Ok(())
}

fn append(client: &Client, stream: &str, how: &str, count: usize) -> Result<()> {
    let config = ProducerConfig::new()
        .linger(Linger::ByHand)
        .batch_records(POLLED as u32)
        .buffer_bytes(1 << 30)
        .buffer_records(10_000_000);
    let producer = client.producer(config)?;
    let appender = producer.appender(stream)?;
    let task = match how {
        "record" => Task::Record(appender, Record::raw(vec![b'x'; SIZE]), count),
        // From bytes of the caller's, as they come over the ABI, packed or not.
        _ => Task::Raw(appender, vec![b'x'; SIZE], count),
    };
    measured_calls(&task)?;
    producer.close(Wait::forever())?;
    Ok(())
}

enum Task {
    Record(Appender, Record, usize),
    Raw(Appender, Vec<u8>, usize),
    Columns(Consumer, usize),
}

#[inline(never)]
fn measured_calls(task: &Task) -> hstreamdb::Result<usize> {
    match task {
        Task::Record(appender, record, count) => {
            for tag in 0..*count {
                appender.append_tagged(record, tag as u64, Wait::forever())?;
            }
            Ok(0)
        }
        Task::Raw(appender, payload, count) => {
            for tag in 0..*count {
                appender.append_tagged(&Record::raw(payload.clone()), tag as u64, Wait::forever())?;
            }
            Ok(0)
        }
        Task::Columns(consumer, count) => poll(consumer, *count),
    }
}

fn poll(consumer: &Consumer, count: usize) -> hstreamdb::Result<usize> {
    let (mut sum, mut polled) = (0, 0);
    while polled < count {
        let Some(batch) = consumer.poll(POLLED, Wait::forever())? else { continue };
        for record in batch.iter() {
            let (id, payload) = (record.id(), record.payload());
            sum += id.batch_index as usize + payload.len() + record.key().len() + usize::from(payload[0]);
        }
        polled += batch.len();
    }
    Ok(sum)
}
