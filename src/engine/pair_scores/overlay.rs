//! Changes to a few listed pairs of a tile of scores.

use std::ops::Range;

/// Those of some pairs, given by mentee and mentor in ascending order, that belong to the mentees `rows`.
pub(super) fn of_rows<'p>(pairs: &'p [(u32, u32)], rows: &Range<usize>) -> &'p [(u32, u32)] {
    let from = pairs.partition_point(|pair| (pair.0 as usize) < rows.start);
    let count = pairs[from..].partition_point(|pair| (pair.0 as usize) < rows.end);
    &pairs[from..from + count]
}

/// Applies `change` to each listed pair in a tile. `pairs` are given by mentee and mentor in ascending order.
pub(super) fn change_listed<T>(
    pairs: &[(u32, u32)],
    rows: &Range<usize>,
    cols: &Range<usize>,
    tile: &mut [T],
    change: impl Fn(&mut T),
) {
    for &(mentee, mentor) in of_rows(pairs, rows) {
        if cols.contains(&(mentor as usize)) {
            change(&mut tile[(mentee as usize - rows.start) * cols.len() + mentor as usize - cols.start]);
        }
    }
}
