//! How a stream's key space is cut, the order in which shards are listed, and their ids.

/// The hash ranges of `count` shards, both ends inclusive, by number.
///
/// The width is `(2^128 - 1) / count`, and not `2^128 / count`; the last shard takes what is left.
pub(super) fn cut(count: u32) -> impl Iterator<Item = (u128, u128)> {
    let width = u128::MAX / u128::from(count.max(1));
    (0..count).map(move |index| {
        let start = u128::from(index) * width;
        (start, if index + 1 == count { u128::MAX } else { start + (width - 1) })
    })
}

/// The ranges in the order in which the server lists them: that of their shards' names as text.
pub(super) fn listed(count: u32) -> Vec<(u128, u128)> {
    let mut ranges: Vec<_> = cut(count).collect();
    ranges.sort_by_cached_key(|(start, end)| format!("shard-{start}-{end}"));
    ranges
}

/// 2020-01-01 in the server's arithmetic, from where shard ids count the seconds.
const ID_EPOCH_SECONDS: u64 = 1_577_808_000;

/// The id of a shard made at this time since 1970, with this much chance.
pub(super) fn shard_id(since_1970: std::time::Duration, chance: u16) -> u64 {
    let seconds = since_1970.as_secs().saturating_sub(ID_EPOCH_SECONDS) & 0xff_ffff_ffff;
    let fraction = u64::from(since_1970.subsec_nanos() >> 24) << 16;
    (seconds << 24) | fraction | u64::from(chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Server behaviour, section 4.2.
    #[test]
    fn ranges_are_cut_as_the_server_cuts_them() {
        assert_eq!(cut(1).collect::<Vec<_>>(), [(0, u128::MAX)]);
        assert_eq!(
            cut(2).collect::<Vec<_>>(),
            [
                (0, 170141183460469231731687303715884105726),
                (170141183460469231731687303715884105727, 340282366920938463463374607431768211455)
            ]
        );
        let three: Vec<_> = cut(3).collect();
        assert_eq!(three[1].0, 113427455640312821154458202477256070485);
        assert_eq!(three[2], (226854911280625642308916404954512140970, u128::MAX));
        let starts: Vec<_> = cut(4).map(|range| range.0).collect();
        assert_eq!(
            starts,
            [
                0,
                85070591730234615865843651857942052863,
                170141183460469231731687303715884105726,
                255211775190703847597530955573826158589
            ]
        );
    }

    #[test]
    fn ranges_cover_the_key_space_without_gap_or_overlap() {
        for count in [1, 2, 3, 5, 7, 16, 500] {
            let ranges: Vec<_> = cut(count).collect();
            assert_eq!(ranges.len(), count as usize);
            assert_eq!((ranges[0].0, ranges[ranges.len() - 1].1), (0, u128::MAX));
            assert!(ranges.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0));
        }
        assert_eq!(cut(0).count(), 0);
    }

    /// Server behaviour, section 4.2.
    #[test]
    fn shards_are_listed_in_the_order_of_their_names_as_text() {
        let order = |count: u32| -> Vec<usize> {
            let by_number: Vec<_> = cut(count).collect();
            let position = |range| by_number.iter().position(|each| *each == range);
            listed(count).into_iter().filter_map(position).collect()
        };
        assert_eq!(order(4), [0, 2, 3, 1]);
        assert_eq!(order(5), [0, 2, 3, 4, 1]);
        assert_eq!(order(8), [0, 3, 4, 5, 6, 7, 1, 2]);
        assert_eq!(order(16), [0, 5, 6, 7, 8, 9, 1, 10, 11, 12, 13, 14, 15, 2, 3, 4]);
    }

    /// Server behaviour, section 4.1.
    #[test]
    fn shard_ids_are_seconds_then_fraction_then_chance() {
        let time = std::time::Duration::new(1_577_808_000 + 5, 999_999_999);
        assert_eq!(shard_id(time, 0xabcd), (5 << 24) | (59 << 16) | 0xabcd);
        assert_eq!(shard_id(std::time::Duration::ZERO, 7), 7);
    }
}
