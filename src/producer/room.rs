//! What records on the way take of a producer's limits: bytes, and places for their reports.

use std::ops::{AddAssign, SubAssign};

use crate::producer::flow::{Budget, Credit, Ends, Patience, Refused};

/// What is kept about a record beside its bytes, roughly: its tag, and its share of a batch.
const OVERHEAD: usize = 32;

/// The most that a lane takes in advance, in bytes.
const MOST_IN_ADVANCE: usize = 16 * 1024;

/// What a record took of the limits, or may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) bytes: usize,
    pub(crate) records: usize,
}

impl Taken {
    #[inline]
    pub(crate) fn covers(self, other: Taken) -> bool {
        self.bytes >= other.bytes && self.records >= other.records
    }

    fn times(self, count: usize) -> Taken {
        Taken { bytes: self.bytes.saturating_mul(count), records: self.records.saturating_mul(count) }
    }
}

impl AddAssign for Taken {
    fn add_assign(&mut self, other: Taken) {
        self.bytes += other.bytes;
        self.records += other.records;
    }
}

impl SubAssign for Taken {
    #[inline]
    fn sub_assign(&mut self, other: Taken) {
        self.bytes -= other.bytes;
        self.records -= other.records;
    }
}

/// The limits of a producer.
pub(crate) struct Room {
    bytes: Budget,
    /// Records whose report has not been handed over; only where there are reports.
    unreported: Option<Credit>,
}

impl Room {
    pub(crate) fn new(bytes: Budget, unreported: Option<Credit>) -> Self {
        Room { bytes, unreported }
    }

    /// What a record of this length takes; all the bytes there are, if it is larger.
    #[inline]
    pub(crate) fn for_record(&self, encoded_len: usize) -> Taken {
        let bytes = self.bytes.amount_for(encoded_len + OVERHEAD);
        Taken { bytes, records: usize::from(self.unreported.is_some()) }
    }

    /// Takes it if it is there.
    pub(crate) fn try_take(&self, wanted: Taken) -> bool {
        if !self.bytes.try_take(wanted.bytes) {
            return false;
        }
        let all = self.unreported.as_ref().is_none_or(|slots| slots.try_take(wanted.records));
        if !all {
            self.bytes.give_back(wanted.bytes);
        }
        all
    }

    /// Takes it, and waits for the bytes and for the slots as patiently as is said for each.
    pub(crate) fn take(
        &self,
        wanted: Taken,
        patience: &Patience<'_>,
        patience_for_slots: &Patience<'_>,
        ends: Ends<'_>,
        make_room: impl Fn(),
    ) -> Result<Taken, Refused> {
        let bytes = self.bytes.take(wanted.bytes, patience, ends, &make_room)?;
        let records = match &self.unreported {
            None => 0,
            Some(slots) => slots
                .take(wanted.records, patience_for_slots, ends, &make_room)
                .inspect_err(|_| self.bytes.give_back(bytes))?,
        };
        Ok(Taken { bytes, records })
    }

    pub(crate) fn give_back(&self, taken: Taken) {
        if taken.bytes > 0 {
            self.bytes.give_back(taken.bytes);
        }
        if let Some(slots) = self.unreported.as_ref().filter(|_| taken.records > 0) {
            slots.give_back(taken.records);
        }
    }

    /// Whether somebody waits for it.
    #[inline]
    pub(crate) fn is_wanted(&self) -> bool {
        self.bytes.is_wanted() || self.unreported.as_ref().is_some_and(Credit::is_wanted)
    }

    pub(crate) fn bytes_in_use(&self) -> usize {
        self.bytes.in_use()
    }
}

/// What a lane took for the records that are likely to follow, so that not each append has to ask. Never more than
/// half of what its open batch holds, and given back with it: a shard that is seldom written to holds nothing.
#[derive(Default)]
pub(crate) struct Advance(Taken);

impl Advance {
    /// Pays for one record, where the batch has so many; says whether there was enough.
    #[inline]
    pub(crate) fn pay(&mut self, price: Taken, batched: u64, room: &Room) -> bool {
        let paid = self.0.covers(price) || self.refill(price, batched, room);
        if paid {
            self.0 -= price;
        }
        paid
    }

    #[cold]
    fn refill(&mut self, price: Taken, batched: u64, room: &Room) -> bool {
        let most = MOST_IN_ADVANCE / price.bytes.max(1);
        let ahead = usize::try_from(batched / 2).map_or(most, |half| half.min(most));
        let taken =
            [1 + ahead, 1].map(|count| price.times(count)).into_iter().find(|some| room.try_take(*some));
        if let Some(taken) = taken {
            self.0 += taken;
        }
        taken.is_some()
    }

    pub(crate) fn give_back(&mut self, room: &Room) {
        room.give_back(std::mem::take(&mut self.0));
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(bytes: usize, records: usize) -> Room {
        Room::new(Budget::new(bytes, None), Some(Credit::new(records)))
    }

    #[test]
    fn what_is_in_advance_is_at_most_half_of_the_batch_and_comes_back() {
        let (room, mut advance) = (room(1 << 20, 1000), Advance::default());
        let price = room.for_record(68);
        for batched in 0..200 {
            assert!(advance.pay(price, batched, &room));
            let paid = price.times(batched as usize + 1);
            assert_eq!(room.bytes_in_use(), paid.bytes + advance.bytes());
            assert!(advance.bytes() <= paid.bytes / 2 && advance.bytes() <= MOST_IN_ADVANCE);
        }
        assert!(advance.bytes() > 0);
        advance.give_back(&room);
        assert_eq!((room.bytes_in_use(), advance.bytes()), (price.bytes * 200, 0));
    }

    #[test]
    fn the_last_room_is_given_out_record_by_record() {
        let (room, mut advance) = (room(1050, 1000), Advance::default());
        let price = room.for_record(68);
        let taken = (0..20).take_while(|batched| advance.pay(price, *batched, &room)).count();
        assert_eq!((taken, advance.bytes(), room.bytes_in_use()), (10, 0, 1000));
    }

    #[test]
    fn slots_are_taken_with_the_bytes_or_not_at_all() {
        let (room, mut advance) = (room(1 << 20, 3), Advance::default());
        let price = room.for_record(68);
        let taken = (0..20).take_while(|batched| advance.pay(price, *batched, &room)).count();
        assert_eq!((taken, room.bytes_in_use()), (3, 300));
    }
}
