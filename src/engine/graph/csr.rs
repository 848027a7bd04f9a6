//! Compressed sparse rows (CSR): entries of many rows in one array, and the counting sort that builds them.
//!
//! Input: parts, each a slice of items, and a function that returns the row and the entry of an item. Output: the
//! entries by row; within a row the order of the items remains. Time O(items + rows) with two passes over the items.
//! Memory: the entries, and 8 bytes per row twice.
//!
//! [`Csr::group`] runs in one thread, since each entry is one read and one write at an unpredictable address. A caller that
//! has the items by range of rows calls [`counting_sort`] for all ranges in parallel.

use crate::engine::observer::{Observer, Stopped};

/// Entries that are filled or sorted between two calls of the observer.
const INTERVAL: usize = 1 << 17;

/// Entries by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine) struct Csr<T> {
    /// `starts[row]..starts[row + 1]` are the entries of a row.
    starts: Vec<usize>,
    entries: Vec<T>,
}

impl<T> Default for Csr<T> {
    /// No rows.
    fn default() -> Self {
        Self { starts: vec![0], entries: Vec::new() }
    }
}

impl<T> Csr<T> {
    /// Rows whose entries are in order already. `starts` ascends from 0 to the number of entries.
    pub(in crate::engine) fn new(starts: Vec<usize>, entries: Vec<T>) -> Self {
        debug_assert!(starts.first() == Some(&0) && starts.last() == Some(&entries.len()));
        Self { starts, entries }
    }

    /// The entries of all rows, row after row.
    pub(in crate::engine) fn entries(&self) -> &[T] {
        &self.entries
    }

    /// The entries of a row.
    pub(in crate::engine) fn row(&self, row: usize) -> &[T] {
        &self.entries[self.starts[row]..self.starts[row + 1]]
    }

    /// Every row with its position.
    pub(in crate::engine) fn rows(&self) -> impl Iterator<Item = (u32, &[T])> + Clone {
        (0_u32..).zip(self.starts.windows(2)).map(|(row, ends)| (row, &self.entries[ends[0]..ends[1]]))
    }

    /// Every row, to be changed.
    pub(in crate::engine) fn rows_mut(&mut self) -> Vec<&mut [T]> {
        let mut rows = Vec::with_capacity(self.len());
        let mut rest = self.entries.as_mut_slice();
        for ends in self.starts.windows(2) {
            let (row, after) = rest.split_at_mut(ends[1] - ends[0]);
            rows.push(row);
            rest = after;
        }
        rows
    }

    /// Number of rows.
    pub(in crate::engine) fn len(&self) -> usize {
        self.starts.len() - 1
    }
}

impl<T: Copy> Csr<T> {
    /// Groups items by row. Each part is a key and a slice of items; `place` returns the row and the entry of an item.
    /// `empty` fills the array before the entries are written.
    pub(in crate::engine) fn group<'i, K: Copy, I: 'i>(
        rows: usize,
        empty: T,
        parts: impl Iterator<Item = (K, &'i [I])> + Clone,
        place: impl Fn(K, &I) -> (usize, T),
        observer: &dyn Observer,
    ) -> Result<Self, Stopped> {
        let mut starts = vec![0; rows + 1];
        let mut entries = blank(parts.clone().map(|(_, items)| items.len()).sum(), empty, observer)?;
        counting_sort(parts, place, (&mut starts[1..], &mut entries), 0, observer)?;
        Ok(Self { starts, entries })
    }

    /// The transposition: an entry that `place` moves from `row` to another row becomes the entry that `place` returns.
    pub(in crate::engine) fn transposed(
        &self,
        rows: usize,
        empty: T,
        place: impl Fn(u32, &T) -> (usize, T),
        observer: &dyn Observer,
    ) -> Result<Self, Stopped> {
        Self::group(rows, empty, self.rows(), place, observer)
    }
}

/// Sorts items into consecutive rows. `ends` holds zeros and receives the end of each row; the first row begins at `start`.
/// `entries` receives the entries of these rows alone, so the entry at `start` is `entries[0]`.
pub(in crate::engine) fn counting_sort<'i, K: Copy, I: 'i, T: Copy>(
    parts: impl Iterator<Item = (K, &'i [I])> + Clone,
    place: impl Fn(K, &I) -> (usize, T),
    (ends, entries): (&mut [usize], &mut [T]),
    start: usize,
    observer: &dyn Observer,
) -> Result<(), Stopped> {
    for (key, items) in in_intervals(parts.clone(), observer) {
        for item in items? {
            ends[place(key, item).0] += 1;
        }
    }
    let mut next = Vec::with_capacity(ends.len());
    let mut end = start;
    for count in ends.iter_mut() {
        next.push(end - start);
        end += *count;
        *count = end;
    }
    for (key, items) in in_intervals(parts, observer) {
        for item in items? {
            let (row, entry) = place(key, item);
            let slot = &mut next[row];
            entries[*slot] = entry;
            *slot += 1;
        }
    }
    Ok(())
}

/// The parts, with a call of the observer before the first and then at least every [`INTERVAL`] items.
fn in_intervals<'i, K: Copy, I: 'i>(
    parts: impl Iterator<Item = (K, &'i [I])>,
    observer: &dyn Observer,
) -> impl Iterator<Item = (K, Result<&'i [I], Stopped>)> {
    let mut left = 0_usize;
    parts.flat_map(|(key, items)| items.chunks(INTERVAL).map(move |items| (key, items))).map(
        move |(key, items)| {
            let Some(less) = left.checked_sub(items.len()) else {
                left = INTERVAL;
                return (key, observer.check().map(|()| items));
            };
            left = less;
            (key, Ok(items))
        },
    )
}

/// Entries that a caller overwrites. The memory is touched block by block, because the first access to new memory takes
/// time.
pub(in crate::engine) fn blank<T: Copy>(
    len: usize,
    empty: T,
    observer: &dyn Observer,
) -> Result<Vec<T>, Stopped> {
    let mut blank = Vec::with_capacity(len);
    while blank.len() < len {
        observer.check()?;
        blank.resize(len.min(blank.len() + INTERVAL), empty);
    }
    Ok(blank)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::engine::observer::Unobserved;

    proptest! {
        #[test]
        fn every_item_is_in_its_row_in_the_order_of_the_items(
            parts in vec(vec((0..6_usize, any::<u8>()), 0..20), 0..8),
        ) {
            let keyed = (0_u32..).zip(parts.iter().map(Vec::as_slice));
            let place = |key: u32, &(row, value): &(usize, u8)| (row, (key, value));
            let csr = Csr::group(6, (0, 0), keyed.clone(), place, &Unobserved).unwrap();
            prop_assert_eq!(csr.len(), 6);
            for at in 0..6 {
                let items = keyed.clone().flat_map(|(key, items)| items.iter().map(move |item| (key, item)));
                let expected: Vec<_> =
                    items.filter(|(_, item)| item.0 == at).map(|(key, item)| (key, item.1)).collect();
                prop_assert_eq!(csr.row(at), expected);
            }
        }

        #[test]
        fn a_matrix_is_the_transposition_of_its_transposition(rows in vec(vec(0..5_u32, 0..6), 0..6)) {
            let starts = rows.iter().scan(0, |end, row| { *end += row.len(); Some(*end) });
            let starts: Vec<usize> = std::iter::once(0).chain(starts).collect();
            let mut sorted = rows.clone();
            for row in &mut sorted {
                row.sort_unstable();
            }
            let csr = Csr::new(starts, sorted.concat());
            let place = |row: u32, &column: &u32| (column as usize, row);
            let columns = csr.transposed(5, 0, place, &Unobserved).unwrap();
            prop_assert_eq!(columns.transposed(csr.len(), 0, place, &Unobserved).unwrap(), csr);
        }
    }
}
