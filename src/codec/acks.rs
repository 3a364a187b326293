//! Requests of a fetch, with the ids that they ack.

use bytes::Bytes;
use prost::Message;

use crate::codec::received::IdRun;
use crate::proto::StreamingFetchRequest;

const REQUEST_ACKS: u8 = 0x1a;
const ID_SHARD: u8 = 0x08;
const ID_BATCH: u8 = 0x10;
const ID_INDEX: u8 = 0x18;

/// The request without acks, which all others begin with.
pub(crate) fn begin(subscription: &str, consumer: &str) -> Bytes {
    StreamingFetchRequest {
        subscription_id: subscription.to_owned(),
        consumer_name: consumer.to_owned(),
        ack_ids: Vec::new(),
    }
    .encode_to_vec()
    .into()
}

/// A request that acks these.
pub(crate) fn request(begin: &[u8], acks: &[IdRun]) -> Bytes {
    let count: usize = acks.iter().map(|run| run.count as usize).sum();
    // Some 25 bytes an id.
    let mut request = Vec::with_capacity(begin.len() + 28 * count);
    request.extend_from_slice(begin);
    acks.iter().for_each(|run| write_run(run, &mut request));
    request.into()
}

fn write_run(run: &IdRun, request: &mut Vec<u8>) {
    // All ids of a run begin alike. Fields that are zero are left out, as the generated code does.
    let mut alike = Vec::with_capacity(24);
    write_field(ID_SHARD, run.shard_id, &mut alike);
    write_field(ID_BATCH, run.batch_id, &mut alike);
    let mut index = Vec::with_capacity(8);
    for place in 0..run.count {
        index.clear();
        write_field(ID_INDEX, run.get(place).batch_index.into(), &mut index);
        // Shorter than 128 bytes, so its length is one.
        request.extend_from_slice(&[REQUEST_ACKS, (alike.len() + index.len()) as u8]);
        request.extend_from_slice(&alike);
        request.extend_from_slice(&index);
    }
}

fn write_field(tag: u8, value: u64, buffer: &mut Vec<u8>) {
    if value == 0 {
        return;
    }
    buffer.push(tag);
    let mut rest = value;
    while rest >= 0x80 {
        buffer.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    buffer.push(rest as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto;

    #[test]
    fn requests_are_those_of_the_generated_code() {
        let runs = [
            IdRun { shard_id: u64::MAX, batch_id: u64::MAX, first: u32::MAX - 1, count: 2 },
            IdRun { shard_id: 0, batch_id: 0, first: 0, count: 1 },
            IdRun { shard_id: 5, batch_id: 300, first: 126, count: 3 },
        ];
        let ids = runs.iter().flat_map(|run| (0..run.count).map(|place| run.get(place)));
        let generated = StreamingFetchRequest {
            subscription_id: "s".into(),
            consumer_name: "c".into(),
            ack_ids: ids.map(proto::RecordId::from).collect(),
        };
        assert_eq!(request(&begin("s", "c"), &runs), generated.encode_to_vec());
        assert_eq!(request(&begin("s", "c"), &[]), begin("s", "c"));
    }
}
