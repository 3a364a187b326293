//! Which records of a batch are reported, and with what tags.

/// Tags of the records of a batch, by place. Those without one have no report: somebody waits for each of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tags {
    tags: Vec<u64>,
    /// The places of those without, in order.
    untold: Vec<u32>,
}

impl Tags {
    pub(crate) fn reserve(&mut self, count: usize) {
        self.tags.reserve(count);
    }

    #[inline]
    pub(crate) fn push(&mut self, tag: u64) {
        self.tags.push(tag);
    }

    /// The record at this place, which comes behind all others, is not reported.
    pub(crate) fn leave_out(&mut self, place: u32) {
        self.untold.push(place);
    }

    /// The tags of those that are reported, in order.
    pub(crate) fn as_slice(&self) -> &[u64] {
        &self.tags
    }

    /// Where the record of a report stands in the batch.
    pub(crate) fn place(&self, report: usize) -> usize {
        // Each one before it that is left out moves it on by one.
        self.untold
            .iter()
            .fold(report, |place, untold| if *untold as usize <= place { place + 1 } else { place })
    }

    pub(crate) fn is_told(&self, place: usize) -> bool {
        self.untold.iter().all(|untold| *untold as usize != place)
    }

    /// Those of a part of the batch, by the places of its records, in order.
    pub(crate) fn of_part(&self, places: &[u32]) -> Self {
        let mut part = Tags::default();
        for (new, place) in (0..).zip(places) {
            match self.untold.binary_search(place) {
                Ok(_) => part.leave_out(new),
                // Where nobody is told of any record, there are no tags.
                Err(before) => part.tags.extend(self.tags.get(*place as usize - before)),
            }
        }
        part
    }
}

impl From<Vec<u64>> for Tags {
    fn from(tags: Vec<u64>) -> Self {
        Tags { tags, untold: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_skip_the_records_that_are_left_out() {
        let mut tags = Tags::default();
        tags.leave_out(0);
        tags.push(11);
        tags.leave_out(2);
        tags.leave_out(3);
        tags.push(14);
        tags.push(15);
        let places =
            |tags: &Tags| (0..tags.as_slice().len()).map(|report| tags.place(report)).collect::<Vec<_>>();
        assert_eq!((tags.as_slice(), places(&tags)), (&[11, 14, 15][..], vec![1, 4, 5]));
        assert_eq!((0..6).filter(|place| tags.is_told(*place)).collect::<Vec<_>>(), [1, 4, 5]);
        let part = tags.of_part(&[0, 3, 4, 5]);
        assert_eq!((part.as_slice(), places(&part)), (&[14, 15][..], vec![2, 3]));
        assert!(Tags::default().of_part(&[0, 1]).as_slice().is_empty());
    }
}
