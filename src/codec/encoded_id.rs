//! The bytes of record ids in messages. Those of a batch differ in their index alone, so what was written for one is
//! most of what there is to write, or to expect, for the next.

use crate::record_id::RecordId;

const ID_SHARD: u8 = 0x08;
const ID_BATCH: u8 = 0x10;
const ID_INDEX: u8 = 0x18;

/// Tag, length, and three numbers with their tags: two of 64 bits, one of 32.
const LONGEST: usize = 2 + 11 + 11 + 6;

/// An id as a field of a message. Numbers that are zero are left out, as all generated code does.
pub(crate) struct EncodedId {
    bytes: [u8; LONGEST],
    len: usize,
    /// Where the index begins, or would begin.
    index_at: usize,
    index: u32,
}

impl EncodedId {
    pub(crate) fn new(tag: u8, id: RecordId) -> Self {
        let mut encoded = EncodedId { bytes: [0; LONGEST], len: 2, index_at: 0, index: id.batch_index };
        encoded.bytes[0] = tag;
        encoded.put(ID_SHARD, id.shard_id);
        encoded.put(ID_BATCH, id.batch_id);
        encoded.index_at = encoded.len;
        encoded.put_index();
        encoded
    }

    #[inline]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// The same with the next index; after the largest comes 0.
    #[inline]
    pub(crate) fn advance(&mut self) {
        self.index = self.index.wrapping_add(1);
        if self.index & 0x7f == 0 || self.index == 1 {
            self.put_index();
        } else {
            // No carry: the number's first byte, after its tag.
            self.bytes[self.index_at + 1] += 1;
        }
    }

    fn put_index(&mut self) {
        self.len = self.index_at;
        self.put(ID_INDEX, self.index.into());
        // Shorter than 128 bytes, so its length is one.
        self.bytes[1] = (self.len - 2) as u8;
    }

    fn put(&mut self, tag: u8, number: u64) {
        if number == 0 {
            return;
        }
        self.push(tag);
        let mut rest = number;
        while rest >= 0x80 {
            self.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.push(rest as u8);
    }

    fn push(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::proto;

    #[test]
    fn each_is_what_the_generated_code_writes() {
        for (shard, batch) in [(0, 0), (5, 300), (u64::MAX, u64::MAX)] {
            for first in [0, 100, 16_300, (1 << 21) - 3, u32::MAX - 100] {
                let mut encoded = EncodedId::new(0x1a, RecordId::new(shard, batch, first));
                for place in 0..200 {
                    let id = RecordId::new(shard, batch, first.wrapping_add(place));
                    let message = proto::RecordId::from(id).encode_to_vec();
                    let field = [&[0x1a, message.len() as u8], &message[..]].concat();
                    assert_eq!(encoded.as_bytes(), field, "{id}");
                    encoded.advance();
                }
            }
        }
    }
}
