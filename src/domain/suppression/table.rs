//! Release of a table: which cells and totals are published, such that no withheld cell follows from the published ones.
//!
//! Input: cells and totals, each with the people whom it counts by organisation. Output: a [`Release`].
//! Invariants: (1) every published cell and total, and what remains of a published total without its published cells, is
//! about enough people; (2) no withheld cell is a linear combination of published cells and totals.
//! Method: withhold what is too small, then, as long as an invariant is broken, withhold the smallest published cell of a
//! total that breaks the invariant, or the total itself. Each step withholds one thing more, so that the method ends.
//! Cost: `O(cells² · totals)` per step.

use std::collections::BTreeMap;

use super::{Statistic, statistic};
use crate::domain::name::OrganisationId;

/// A cell: the people whom it counts, by organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    /// Number of people of each organisation.
    pub people: BTreeMap<OrganisationId, u64>,
}

/// A total of some cells: a row, a column, or the whole table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Total {
    /// Positions of the cells that the total adds up.
    pub cells: Vec<usize>,
}

/// Which cells and totals of a table are published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// For each cell, whether it is published.
    pub cells: Vec<bool>,
    /// For each total, whether it is published.
    pub totals: Vec<bool>,
}

/// Decides which cells and totals of a table are published.
pub fn release(cells: &[Cell], totals: &[Total]) -> Release {
    let mut release = Release {
        cells: cells.iter().map(|cell| is_enough(&by_organisation([cell]))).collect(),
        totals: totals
            .iter()
            .map(|total| is_enough(&by_organisation(total.cells.iter().filter_map(|at| cells.get(*at)))))
            .collect(),
    };
    while let Some(total) = weak_total(cells, totals, &release) {
        let published = totals[total].cells.iter().copied().filter(|at| release.cells[*at]);
        // An empty cell hides nothing: a further cell must have people, if one has.
        let size = |at: usize| cells[at].people.values().sum::<u64>();
        match published.min_by_key(|at| (size(*at) == 0, size(*at), *at)) {
            Some(cell) => release.cells[cell] = false,
            None => release.totals[total] = false,
        }
    }
    release
}

/// A published total that breaks an invariant: its remainder is about too few people, or it helps to derive a withheld
/// cell.
fn weak_total(cells: &[Cell], totals: &[Total], release: &Release) -> Option<usize> {
    let withheld = |total: &Total| -> Vec<usize> {
        total.cells.iter().copied().filter(|at| !release.cells[*at]).collect()
    };
    let published = || totals.iter().enumerate().filter(|(at, _)| release.totals[*at]);
    let too_small = published().find(|(_, total)| {
        let rest = withheld(total);
        !is_enough(&by_organisation(rest.iter().map(|at| &cells[*at])))
    });
    if let Some((at, _)) = too_small {
        return Some(at);
    }
    let remainders: Vec<Vec<usize>> = published().map(|(_, total)| withheld(total)).collect();
    let derived = derivable(cells.len(), &remainders)?;
    published().find(|(_, total)| total.cells.contains(&derived)).map(|(at, _)| at)
}

/// Whether a number about these people, counted by organisation, may be published.
fn is_enough(people: &[u64]) -> bool {
    statistic(0, people.iter().copied()) != Statistic::Withheld
}

/// People of some cells by organisation.
fn by_organisation<'a>(cells: impl IntoIterator<Item = &'a Cell>) -> Vec<u64> {
    let mut sums: BTreeMap<&OrganisationId, u64> = BTreeMap::new();
    for (organisation, people) in cells.into_iter().flat_map(|cell| &cell.people) {
        *sums.entry(organisation).or_default() += people;
    }
    sums.into_values().collect()
}

/// A cell that is a linear combination of the given sums of cells.
///
/// Gauss–Jordan elimination over the integers modulo a prime: in reduced form, a row with a single entry is such a cell,
/// and every such cell has such a row.
fn derivable(cells: usize, sums: &[Vec<usize>]) -> Option<usize> {
    let mut rows: Vec<Vec<u64>> = sums
        .iter()
        .map(|sum| {
            let mut row = vec![0; cells];
            for at in sum {
                row[*at] = 1;
            }
            row
        })
        .collect();
    let mut reduced = 0;
    for column in 0..cells {
        let Some(pivot) = (reduced..rows.len()).find(|at| rows[*at][column] != 0) else { continue };
        rows.swap(reduced, pivot);
        let scale = inverse(rows[reduced][column]);
        let row: Vec<u64> = rows[reduced].iter().map(|entry| times(*entry, scale)).collect();
        for (at, other) in rows.iter_mut().enumerate() {
            let factor = other[column];
            if at != reduced && factor != 0 {
                for (entry, own) in other.iter_mut().zip(&row) {
                    *entry = (*entry + PRIME - times(factor, *own)) % PRIME;
                }
            }
        }
        rows[reduced] = row;
        reduced += 1;
    }
    let only_entry = |row: &Vec<u64>| {
        let mut entries = row.iter().enumerate().filter(|(_, entry)| **entry != 0).map(|(at, _)| at);
        entries.next().filter(|_| entries.next().is_none())
    };
    rows.iter().take(reduced).find_map(only_entry)
}

/// The Mersenne prime `2^61 - 1`.
const PRIME: u64 = (1 << 61) - 1;

fn times(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b) % u128::from(PRIME);
    u64::try_from(product).unwrap_or_default()
}

/// The inverse by Fermat's little theorem.
fn inverse(of: u64) -> u64 {
    let (mut result, mut base, mut exponent) = (1, of, PRIME - 2);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = times(result, base);
        }
        base = times(base, base);
        exponent >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn cell(people: &[u64]) -> Cell {
        let named = |(at, people): (usize, &u64)| (format!("wim-{at}").parse().unwrap(), *people);
        Cell { people: people.iter().enumerate().filter(|(_, people)| **people > 0).map(named).collect() }
    }

    fn total(cells: &[usize]) -> Total {
        Total { cells: cells.to_vec() }
    }

    #[test]
    fn a_single_small_cell_takes_a_second_one_with_it() {
        let cells = [cell(&[9, 9, 9]), cell(&[1]), cell(&[6, 6, 6]), cell(&[8, 8, 8])];
        let release = release(&cells, &[total(&[0, 1, 2, 3])]);
        assert_eq!(release.cells, [true, false, false, true], "the smallest other cell is withheld too");
        assert_eq!(release.totals, [true]);
    }

    #[test]
    fn cells_that_only_rows_and_columns_together_reveal_are_protected() {
        // Withheld cells without a cycle: the last column gives cell 5, which gives cell 4 by the second row, and so on.
        let ample = || cell(&[20, 20, 20]);
        let mut cells: Vec<Cell> = (0..9).map(|_| ample()).collect();
        for small in [0, 1, 4, 5] {
            cells[small] = cell(&[1, 1, 1]);
        }
        let rows = [total(&[0, 1, 2]), total(&[3, 4, 5]), total(&[6, 7, 8])];
        let columns = [total(&[0, 3, 6]), total(&[1, 4, 7]), total(&[2, 5, 8])];
        let totals: Vec<Total> = rows.into_iter().chain(columns).collect();
        let release = release(&cells, &totals);
        assert_eq!(recovered(&cells, &totals, &release), BTreeSet::new());
    }

    #[test]
    fn a_table_whose_cells_are_all_ample_is_published_whole() {
        let cells = [cell(&[9, 9, 9]), cell(&[7]), cell(&[])];
        let release = release(&cells, &[total(&[0, 1, 2])]);
        assert_eq!((release.cells, release.totals), (vec![true; 3], vec![true]));
    }

    /// The withheld cells that an attacker finds who subtracts published sums from each other until nothing new comes up.
    /// A sum is the set of its cells: from two sums of which one contains the other she has their difference, and from two
    /// disjoint sums their union.
    fn recovered(cells: &[Cell], totals: &[Total], release: &Release) -> BTreeSet<usize> {
        let set = |cells: &[usize]| cells.iter().fold(0_u32, |set, at| set | 1 << at);
        let published = (0..cells.len()).filter(|at| release.cells[*at]).map(|at| 1_u32 << at);
        let sums =
            totals.iter().zip(&release.totals).filter(|(_, shown)| **shown).map(|(t, _)| set(&t.cells));
        let mut known: BTreeSet<u32> = published.chain(sums).collect();
        loop {
            let all: Vec<u32> = known.iter().copied().collect();
            for a in &all {
                for b in &all {
                    if a & b == *b {
                        known.insert(a & !b);
                    } else if a & b == 0 {
                        known.insert(a | b);
                    }
                }
            }
            known.remove(&0);
            if known.len() == all.len() {
                break;
            }
        }
        (0..cells.len()).filter(|at| !release.cells[*at] && known.contains(&(1 << at))).collect()
    }

    /// The sums that the attacker finds by one subtraction of published cells from a published total.
    fn remainders_are_ample(cells: &[Cell], totals: &[Total], release: &Release) -> bool {
        totals.iter().zip(&release.totals).filter(|(_, shown)| **shown).all(|(total, _)| {
            let rest = total.cells.iter().filter(|at| !release.cells[**at]).map(|at| &cells[*at]);
            is_enough(&by_organisation(rest))
        })
    }

    fn tables() -> impl Strategy<Value = (Vec<Cell>, Vec<Total>)> {
        let people = proptest::collection::vec(prop_oneof![Just(0_u64), 0..4_u64, 0..30_u64], 4);
        let grid = (1..4_usize, 1..4_usize).prop_flat_map(move |(rows, columns)| {
            let cells = proptest::collection::vec(people.clone(), rows * columns);
            (Just(rows), Just(columns), cells)
        });
        grid.prop_map(|(rows, columns, people)| {
            let row = |row: usize| total(&(0..columns).map(|at| row * columns + at).collect::<Vec<_>>());
            let column = |at: usize| total(&(0..rows).map(|row| row * columns + at).collect::<Vec<_>>());
            let whole = total(&(0..rows * columns).collect::<Vec<_>>());
            let totals = (0..rows).map(row).chain((0..columns).map(column)).chain([whole]).collect();
            (people.iter().map(|people| cell(people)).collect(), totals)
        })
    }

    proptest! {
        #[test]
        fn an_attacker_who_subtracts_recovers_no_withheld_cell((cells, totals) in tables()) {
            let release = release(&cells, &totals);
            prop_assert_eq!(recovered(&cells, &totals, &release), BTreeSet::new());
            prop_assert!(remainders_are_ample(&cells, &totals, &release));
            for (cell, shown) in cells.iter().zip(&release.cells) {
                prop_assert!(!shown || is_enough(&by_organisation([cell])));
            }
        }
    }
}
