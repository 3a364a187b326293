//! Requests of a fetch, with the ids that they ack.

use bytes::Bytes;
use prost::Message;

use crate::codec::encoded_id::EncodedId;
use crate::codec::received::IdRun;
use crate::proto::StreamingFetchRequest;

const REQUEST_ACKS: u8 = 0x1a;

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
    let mut id = EncodedId::new(REQUEST_ACKS, run.get(0));
    for _ in 0..run.count {
        request.extend_from_slice(id.as_bytes());
        id.advance();
    }
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
