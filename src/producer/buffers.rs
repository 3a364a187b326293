//! Memory of batches, used again.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

/// Smaller ones are no trouble to the allocator.
const WORTH_KEEPING: usize = 64 << 10;

/// How many lie here at most: one that grows, one that is sent, and some for other shards.
const MOST: usize = 4;

/// Buffers that batches were in.
#[derive(Clone, Default)]
pub(crate) struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

impl Buffers {
    /// An empty buffer with room for this much at least.
    pub(crate) fn take(&self, capacity: usize) -> Vec<u8> {
        if capacity >= WORTH_KEEPING
            && let Some(mut buffer) = self.0.lock().pop()
        {
            buffer.reserve(capacity);
            return buffer;
        }
        Vec::with_capacity(capacity)
    }

    /// The buffer as bytes that can be shared; it comes back when nobody has them any more.
    pub(crate) fn share(&self, bytes: Vec<u8>) -> Bytes {
        if bytes.capacity() < WORTH_KEEPING {
            return bytes.into();
        }
        Bytes::from_owner(Lent { bytes, home: self.clone() })
    }
}

struct Lent {
    bytes: Vec<u8>,
    home: Buffers,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut buffer = std::mem::take(&mut self.bytes);
        buffer.clear();
        let mut free = self.home.0.lock();
        if free.len() < MOST {
            free.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_buffers_come_back_empty_and_never_too_many() {
        let buffers = Buffers::default();
        let shared: Vec<_> = (0..2 * MOST).map(|_| buffers.share(vec![7; WORTH_KEEPING])).collect();
        let clone = shared[0].clone();
        drop(shared);
        assert_eq!(buffers.0.lock().len(), MOST);
        let again = buffers.take(2 * WORTH_KEEPING);
        assert!(again.is_empty() && again.capacity() >= 2 * WORTH_KEEPING);
        assert_eq!((clone.len(), buffers.0.lock().len()), (WORTH_KEEPING, MOST - 1));
        drop(buffers.share(vec![7; 10]));
        assert_eq!(buffers.0.lock().len(), MOST - 1, "small ones are not kept");
    }
}
