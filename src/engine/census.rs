//! Passes over all pairs that only count: how many candidates there are, and how many pairs each set of rules excludes.

mod sums;

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use self::sums::{BITS, LANES, Sums};
use super::eligibility::Rules;
use super::encode::Round;
use super::problem::{Observer, Stopped};
use super::score::{Plane, Scores};
use crate::domain::policy::HardRule;
use crate::domain::run::Stage;

/// Mentees that one task looks at.
const ROWS: usize = 16;
/// Mentors looked at together: a row of them stays in the nearest cache.
const COLUMNS: usize = 4_096;
/// Mentors that one task looks at where only some mentors are counted.
const FEW_COLUMNS: usize = 1_024;
/// Marks a pair that breaks no rule: a bit above those of the rules.
const CANDIDATE: u16 = 1 << (BITS - 1);

/// Counts of the pairs of someone, or of everyone.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    /// Pairs that break no rule.
    pub(super) candidates: u64,
    /// Pairs that break a rule, alone or with others.
    excluded: [u64; HardRule::ALL.len()],
    /// Pairs that break a rule and nothing else.
    alone: [u64; HardRule::ALL.len()],
}

impl Tally {
    /// Pairs that break `rule`, alone or with others.
    pub(super) fn excluded_by(&self, rule: HardRule) -> u64 {
        self.excluded[rule as usize - 1]
    }

    /// Pairs that break `rule` and nothing else.
    pub(super) fn excluded_only_by(&self, rule: HardRule) -> u64 {
        self.alone[rule as usize - 1]
    }

    /// The counts of every rule by its bit, and of the mark of a candidate.
    fn of(any: &[u64; BITS], alone: &[u64; BITS]) -> Self {
        let by_rule = |bits: &[u64; BITS]| HardRule::ALL.map(|rule| bits[rule as usize - 1]);
        Self { candidates: any[BITS - 1], excluded: by_rule(any), alone: by_rule(alone) }
    }

    fn and(mut self, other: &Self) -> Self {
        self.candidates += other.candidates;
        for at in 0..HardRule::ALL.len() {
            self.excluded[at] += other.excluded[at];
            self.alone[at] += other.alone[at];
        }
        self
    }
}

/// The counts of a round.
#[derive(Debug)]
pub(super) struct Census {
    /// Of all pairs.
    pub(super) all: Tally,
    /// Of each mentee asked for, with all mentors but herself.
    pub(super) of_mentees: Vec<Tally>,
    /// Of each mentor asked for, with all mentees but herself.
    pub(super) of_mentors: Vec<Tally>,
}

/// Counts all pairs, and those of some people by themselves: `mentees` and `mentors`, both ascending.
pub(super) fn count(
    scores: &Scores<'_>,
    round: &Round<'_>,
    mentees: &[usize],
    mentors: &[usize],
    observer: &dyn Observer,
) -> Result<Census, Stopped> {
    let (all, of_mentees) = count_rows(scores, round, mentees, observer)?;
    let of_mentors = count_columns(scores, round.mentees.len(), mentors, observer)?;
    Ok(Census { all, of_mentees, of_mentors })
}

/// Counts all pairs, row by row.
fn count_rows(
    scores: &Scores<'_>,
    round: &Round<'_>,
    singled_out: &[usize],
    observer: &dyn Observer,
) -> Result<(Tally, Vec<Tally>), Stopped> {
    let (mentees, mentors) = (round.mentees.len(), round.mentors.len());
    let done = AtomicU64::new(0);
    let counted = |tile: &mut Vec<i16>, rows: Range<usize>| {
        let first = singled_out.partition_point(|mentee| *mentee < rows.start);
        let end = singled_out.partition_point(|mentee| *mentee < rows.end);
        let singled_out = &singled_out[first..end];
        let mut sums = Sums::default();
        let mut own = vec![(Sums::default(), Sums::default()); singled_out.len()];
        for columns in blocks(mentors, COLUMNS) {
            if observer.is_cancelled() {
                return Err(Stopped);
            }
            fill(scores, rows.clone(), columns.clone(), tile);
            sums.add(tile.iter().map(|rules| marked(*rules)));
            for (mentee, (any, alone)) in singled_out.iter().zip(&mut own) {
                let row = (mentee - rows.start) * columns.len();
                let row = &tile[row..row + columns.len()];
                any.add(row.iter().map(|rules| of_others(*rules)));
                alone.add(row.iter().map(|rules| sole(of_others(*rules))));
            }
        }
        let before = done.fetch_add(rows.len() as u64, Ordering::Relaxed);
        observer.progress(Stage::Explain, before + rows.len() as u64, mentees as u64);
        let own = own.iter_mut().map(|(any, alone)| Tally::of(&any.in_all(), &alone.in_all()));
        Ok((Tally::of(&sums.in_all(), &[0; BITS]), own.collect::<Vec<Tally>>()))
    };
    let counted: Vec<(Tally, Vec<Tally>)> =
        blocks(mentees, ROWS).into_par_iter().map_init(Vec::new, counted).collect::<Result<_, Stopped>>()?;
    let all = counted.iter().fold(Tally::default(), |sum, (tally, _)| sum.and(tally));
    Ok((all, counted.into_iter().flat_map(|(_, own)| own).collect()))
}

/// Counts the pairs of each of `mentors` with all mentees but herself.
fn count_columns(
    scores: &Scores<'_>,
    mentees: usize,
    mentors: &[usize],
    observer: &dyn Observer,
) -> Result<Vec<Tally>, Stopped> {
    let last = mentors.last().map_or(0, |last| last + 1);
    let count = |tile: &mut Vec<i16>, columns: Range<usize>| {
        let first = mentors.partition_point(|mentor| *mentor < columns.start);
        let end = mentors.partition_point(|mentor| *mentor < columns.end);
        let wanted = &mentors[first..end];
        let mut sums = vec![(Sums::default(), Sums::default()); wanted.len().div_ceil(LANES)];
        for rows in blocks(if wanted.is_empty() { 0 } else { mentees }, ROWS) {
            if observer.is_cancelled() {
                return Err(Stopped);
            }
            fill(scores, rows, columns.clone(), tile);
            for row in tile.chunks_exact(columns.len()) {
                for (wanted, (any, alone)) in wanted.chunks(LANES).zip(&mut sums) {
                    let rules = wanted.iter().map(|mentor| of_others(row[mentor - columns.start]));
                    any.add(rules.clone());
                    alone.add(rules.map(sole));
                }
            }
        }
        let tallies = wanted.chunks(LANES).zip(&mut sums).flat_map(|(wanted, (any, alone))| {
            let (any, alone) = (any.by_lane(), alone.by_lane());
            (0..wanted.len()).map(move |lane| Tally::of(&any[lane], &alone[lane]))
        });
        Ok(tallies.collect::<Vec<Tally>>())
    };
    let counted: Vec<Vec<Tally>> = blocks(last, FEW_COLUMNS)
        .into_par_iter()
        .map_init(Vec::new, count)
        .collect::<Result<_, Stopped>>()?;
    Ok(counted.concat())
}

/// The broken rules of a tile, row by row.
fn fill(scores: &Scores<'_>, rows: Range<usize>, columns: Range<usize>, tile: &mut Vec<i16>) {
    tile.resize(rows.len() * columns.len(), 0);
    scores.fill(rows, columns, Plane::Rules, tile);
}

/// Broken rules, with the mark of a candidate if there are none.
fn marked(rules: i16) -> u16 {
    rules.cast_unsigned() | if rules == 0 { CANDIDATE } else { 0 }
}

/// The same; nothing for one person with herself.
fn of_others(rules: i16) -> u16 {
    let same_person = Rules::of(HardRule::SamePerson).bits();
    if rules.cast_unsigned() & same_person == 0 { marked(rules) } else { 0 }
}

/// The only bit that is set, if there is exactly one.
fn sole(bits: u16) -> u16 {
    if bits & bits.wrapping_sub(1) == 0 { bits } else { 0 }
}

fn blocks(people: usize, size: usize) -> Vec<Range<usize>> {
    (0..people).step_by(size).map(|from| from..people.min(from + size)).collect()
}
