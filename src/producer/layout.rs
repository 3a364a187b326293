//! The shards of a stream, with a lane for each; and what becomes of them when the stream is created anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::error::{Error, Result};
use crate::producer::batch::SealedBatch;
use crate::producer::core::Core;
use crate::producer::keys::KeyCache;
use crate::producer::lane::Lane;
use crate::producer::worker::ShardWorker;
use crate::shard::{ShardMap, hash_key};

/// The lanes of a stream as it was when it was looked up: one a shard, in the order of the shards' ranges.
pub(crate) struct Layout {
    stream: Arc<str>,
    shards: ShardMap,
    lanes: Vec<Arc<Lane>>,
    keys: KeyCache,
    /// Where the next record without a key goes, if those are spread.
    turn: AtomicUsize,
    /// Whether the stream had other shards before.
    is_successor: bool,
}

impl Layout {
    pub(crate) fn new(stream: Arc<str>, shards: ShardMap, lane: impl FnMut(u64) -> Arc<Lane>) -> Self {
        let lanes = shards.shards().iter().map(crate::Shard::id).map(lane).collect();
        let (keys, turn) = (KeyCache::default(), AtomicUsize::new(0));
        Layout { stream, shards, lanes, keys, turn, is_successor: false }
    }

    pub(crate) fn is_successor(&self) -> bool {
        self.is_successor
    }

    pub(crate) fn lanes(&self) -> &[Arc<Lane>] {
        &self.lanes
    }

    /// The lane of a key.
    #[inline]
    pub(crate) fn for_key(&self, key: &str, spread_keyless: bool) -> Result<&Arc<Lane>> {
        if let [only] = self.lanes.as_slice() {
            // All keys go there.
            return Ok(only);
        }
        if spread_keyless && key.is_empty() {
            return self.next_in_turn();
        }
        let position = self.keys.position(key, || self.shards.position(hash_key(key)));
        position.map(|position| &self.lanes[position]).ok_or_else(|| {
            Error::protocol(format!("no shard of the stream `{}` takes the key `{key}`", self.stream))
        })
    }

    fn next_in_turn(&self) -> Result<&Arc<Lane>> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let active = || self.shards.shards().iter().zip(&self.lanes).filter(|(shard, _)| shard.is_active());
        let lane = active().nth(turn % active().count().max(1)).map(|(_, lane)| lane);
        lane.ok_or_else(|| Error::protocol(format!("the stream `{}` has no active shard", self.stream)))
    }

    /// The lane of a shard.
    pub(crate) fn of_shard(&self, shard_id: u64) -> Result<&Arc<Lane>> {
        let lane = self.lanes.iter().find(|lane| lane.shard_id() == shard_id);
        lane.ok_or_else(|| {
            Error::invalid_argument(format!("the stream `{}` has no shard {shard_id}", self.stream))
        })
    }

    pub(crate) fn has_shard(&self, shard_id: u64) -> bool {
        self.lanes.iter().any(|lane| lane.shard_id() == shard_id)
    }

    /// Whether anything is, or may come to be, on its way here. Asked of a layout that nobody is given any more;
    /// if the answer is no, its workers end.
    fn is_used(self: &Arc<Self>) -> bool {
        // In this order: only who has the layout can append.
        let used = Arc::strong_count(self) > 1 || self.lanes.iter().any(|lane| lane.pending() > 0);
        if !used {
            self.lanes.iter().for_each(|lane| lane.close(None));
        }
        used
    }

    /// Takes over a batch of a shard that is gone: its records go to the shards of their keys.
    pub(crate) fn take_over(&self, core: &Arc<Core>, from: &Arc<Lane>, batch: SealedBatch) {
        let nowhere = self.lanes.len();
        let place = |encoded: &[u8]| {
            self.shards.position(hash_key(crate::codec::record::key_of(encoded))).unwrap_or(nowhere)
        };
        for (position, part) in batch.take_apart(|_, encoded| place(encoded)) {
            match self.lanes.get(position) {
                Some(lane) => lane.take_over(part, || ShardWorker::spawn(core, lane)),
                None => {
                    let error = Error::protocol("no shard of the new stream takes the record's key");
                    core.settle(from, part, Err(error), false);
                }
            }
        }
    }
}

/// One stream of a producer, through all its lives.
pub(crate) struct StreamLanes {
    pub(crate) name: Arc<str>,
    lives: Mutex<Lives>,
}

#[derive(Default)]
struct Lives {
    /// The last is the one that counts; those before it are there until their records are settled, and as long
    /// as somebody may append to them.
    layouts: Vec<Arc<Layout>>,
    /// Whether the last is gone as well.
    is_stale: bool,
}

impl StreamLanes {
    pub(crate) fn new(name: Arc<str>) -> Self {
        StreamLanes { name, lives: Mutex::default() }
    }

    /// The layout to append to, if the stream need not be looked up.
    pub(crate) fn current(&self) -> Option<Arc<Layout>> {
        let lives = self.lives.lock();
        lives.layouts.last().filter(|_| !lives.is_stale).cloned()
    }

    /// The layout with these shards: the one that is there, if they have not changed.
    pub(crate) fn layout_of(&self, shards: ShardMap, new: impl FnOnce(ShardMap) -> Layout) -> Arc<Layout> {
        let mut lives = self.lives.lock();
        if let Some(last) = lives.layouts.last() {
            let same = shards.shards().iter().all(|shard| last.has_shard(shard.id()));
            if same && last.lanes().len() == shards.shards().len() {
                lives.is_stale = false;
                return lives.layouts[lives.layouts.len() - 1].clone();
            }
        }
        let layout = Layout { is_successor: !lives.layouts.is_empty(), ..new(shards) };
        lives.layouts.retain(Layout::is_used);
        lives.layouts.push(Arc::new(layout));
        lives.is_stale = false;
        lives.layouts[lives.layouts.len() - 1].clone()
    }

    /// This shard is gone; if it is one of the current ones, the stream must be looked up.
    pub(crate) fn forget(&self, shard_id: u64) {
        let mut lives = self.lives.lock();
        lives.is_stale |= lives.layouts.last().is_some_and(|layout| layout.has_shard(shard_id));
    }

    /// All lanes that may have records on the way.
    pub(crate) fn lanes(&self) -> Vec<Arc<Lane>> {
        self.lives.lock().layouts.iter().flat_map(|layout| layout.lanes().iter().cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shard::tests::cut;

    fn layout(shards: ShardMap) -> Layout {
        let lane = |_| unreachable!("streams without shards");
        Layout::new("s".into(), ShardMap::new(shards.shards()[..0].to_vec()), lane)
    }

    #[test]
    fn a_stream_is_looked_up_again_only_when_its_current_shards_are_gone() {
        let stream = StreamLanes::new("s".into());
        assert!(stream.current().is_none());
        stream.layout_of(cut(1), layout);
        assert!(stream.current().is_some());
        stream.forget(77);
        assert!(stream.current().is_some(), "an old life");
    }
}
