//! Where a reader is, in all shards, and as text.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::record_id::RecordId;

/// The last record handed out of each shard. Its text form can be kept, and read again:
/// [`ReaderConfig::position`](crate::ReaderConfig::position) goes on behind these records.
///
/// The text is the records' ids, with commas between.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position {
    last: BTreeMap<u64, RecordId>,
}

impl Position {
    /// The last record handed out of a shard, if there was one.
    pub fn of_shard(&self, shard_id: u64) -> Option<RecordId> {
        self.last.get(&shard_id).copied()
    }

    /// All of them, by shard.
    pub fn iter(&self) -> impl Iterator<Item = RecordId> + '_ {
        self.last.values().copied()
    }

    /// This record has been handed out.
    pub(crate) fn advance(&mut self, id: RecordId) {
        self.last.insert(id.shard_id, id);
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, id) in self.last.values().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{id}")?;
        }
        Ok(())
    }
}

impl FromStr for Position {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut position = Position::default();
        for id in text.split(',').map(str::trim).filter(|id| !id.is_empty()) {
            let id: RecordId = id.parse()?;
            if position.last.insert(id.shard_id, id).is_some() {
                let message = format!("a position names the shard {} twice", id.shard_id);
                return Err(Error::invalid_argument(message));
            }
        }
        Ok(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_survives_as_text() {
        let mut position = Position::default();
        assert_eq!(
            (position.to_string().as_str(), "".parse::<Position>().unwrap()),
            ("", Position::default())
        );
        for id in [RecordId::new(9, 1, 2), RecordId::new(u64::MAX, 3, 4), RecordId::new(9, 5, 6)] {
            position.advance(id);
        }
        assert_eq!(position.to_string(), "9-5-6,18446744073709551615-3-4");
        assert_eq!(position.to_string().parse::<Position>().unwrap(), position);
        assert_eq!(position.of_shard(9), Some(RecordId::new(9, 5, 6)));
        for bad in ["1-2", "1-2-3,1-4-5", "1-2-3;4-5-6"] {
            assert!(bad.parse::<Position>().is_err(), "{bad}");
        }
    }
}
