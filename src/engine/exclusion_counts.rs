//! Counts the candidates and the pairs that each hard rule excludes, in one pass over all pairs.
//!
//! Input: the scores of a round, and the positions of the people to count separately. Output: counts of all pairs, and of
//! each of these people. A pair of one person with herself counts in the total only.
//! Cost: one dense pass over the rules, `mentees x mentors`; memory about 200 bytes per mentor counted, for every thread.

mod bit_counts;

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use self::bit_counts::{BITS, BitCounts, LANES};
use super::eligibility::Rules;
use super::encode::Round;
use super::observer::{Observer, Stopped};
use super::pool::Workspaces;
use super::score::{Plane, Rows, Scores};
use crate::domain::policy::HardRule;
use crate::domain::run::Stage;

/// Mentees of one task.
const ROWS_PER_TASK: usize = 32;
/// Mentors of one block: a row of a block fits the first-level cache.
const BLOCK_COLUMNS: usize = 16_384;
/// Bit of a pair that breaks no rule, above the bits of the rules.
const CANDIDATE: u16 = 1 << (BITS - 1);

/// Counts of the pairs of one person or of a whole round.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RuleCounts {
    /// Pairs that break no rule.
    pub(super) candidates: u64,
    /// Pairs that break a rule, alone or with others.
    excluded: [u64; HardRule::ALL.len()],
    /// Pairs that break this rule alone.
    alone: [u64; HardRule::ALL.len()],
}

impl RuleCounts {
    /// Pairs that break `rule`, alone or with others.
    pub(super) fn excluded_by(&self, rule: HardRule) -> u64 {
        self.excluded[rule as usize - 1]
    }

    /// Pairs that break `rule` alone.
    pub(super) fn excluded_only_by(&self, rule: HardRule) -> u64 {
        self.alone[rule as usize - 1]
    }

    /// Counts from counts per bit.
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

/// Exclusion counts of a round.
#[derive(Debug)]
pub(super) struct ExclusionCounts {
    /// Counts of all pairs.
    pub(super) all: RuleCounts,
    /// Counts of each given mentee, with all mentors except herself.
    pub(super) of_mentees: Vec<RuleCounts>,
    /// Counts of each given mentor, with all mentees except herself.
    pub(super) of_mentors: Vec<RuleCounts>,
}

/// Counts all pairs, and separately the pairs of the people at the positions `mentees` and `mentors`, both ascending.
pub(super) fn count(
    scores: &Scores<'_>,
    round: &Round<'_>,
    mentees: &[usize],
    mentors: &[usize],
    observer: &dyn Observer,
) -> Result<ExclusionCounts, Stopped> {
    let total = round.mentees.len() as u64;
    let done = AtomicU64::new(0);
    let columns = blocks(round.mentors.len(), BLOCK_COLUMNS);
    // Lanes of the given mentors. A lane never crosses the boundary of a block, because a task fills one block at a time.
    let lanes: Vec<(Range<usize>, &[usize])> = columns
        .iter()
        .flat_map(|block| in_range(mentors, block).chunks(LANES).map(|lane| (block.clone(), lane)))
        .collect();
    let of_lanes = Workspaces::default();
    let of_rows = |tile: &mut Vec<i16>, rows: Range<usize>| {
        let mentees = in_range(mentees, &rows);
        let mut all = BitCounts::default();
        let mut own = vec![PersonCounts::default(); mentees.len()];
        let mut plane = Rows::new(scores, rows.clone(), Plane::Rules);
        for block in &columns {
            observer.check()?;
            tile.resize(rows.len() * block.len(), 0);
            plane.fill(block.clone(), tile);
            all.add(tile.iter().map(|rules| marked(*rules)));
            for (mentee, own) in mentees.iter().zip(&mut own) {
                let from = (mentee - rows.start) * block.len();
                own.add(tile[from..from + block.len()].iter().copied());
            }
            let here = lanes.partition_point(|(of, _)| of.start < block.start)
                ..lanes.partition_point(|(of, _)| of.start <= block.start);
            if here.is_empty() {
                continue;
            }
            let add = |sums: &mut Vec<PersonCounts>| {
                for ((_, lane), sums) in lanes[here.clone()].iter().zip(&mut sums[here]) {
                    for row in tile.chunks_exact(block.len()) {
                        sums.add(lane.iter().map(|mentor| row[mentor - block.start]));
                    }
                }
            };
            of_lanes.add(|| vec![PersonCounts::default(); lanes.len()], add);
        }
        let before = done.fetch_add(rows.len() as u64, Ordering::Relaxed);
        observer.progress(Stage::Explain, before + rows.len() as u64, total);
        let own = own.iter_mut().map(PersonCounts::total);
        Ok((RuleCounts::of(&all.total(), &[0; BITS]), own.collect::<Vec<RuleCounts>>()))
    };
    let counted: Vec<(RuleCounts, Vec<RuleCounts>)> = blocks(round.mentees.len(), ROWS_PER_TASK)
        .into_par_iter()
        .map_init(Vec::new, of_rows)
        .collect::<Result<_, Stopped>>()?;
    let by_lane = |mut sums: Vec<PersonCounts>| -> Vec<RuleCounts> {
        let counts = lanes.iter().zip(&mut sums).flat_map(|((_, lane), sums)| sums.by_lane(lane.len()));
        counts.collect()
    };
    let of_mentors = of_lanes
        .into_all()
        .into_iter()
        .map(by_lane)
        .reduce(|one, other| one.into_iter().zip(&other).map(|(one, other)| one.and(other)).collect());
    Ok(ExclusionCounts {
        all: counted.iter().fold(RuleCounts::default(), |sum, (counts, _)| sum.and(counts)),
        of_mentees: counted.into_iter().flat_map(|(_, own)| own).collect(),
        // Without mentees no task has added anything.
        of_mentors: of_mentors.unwrap_or_else(|| vec![RuleCounts::default(); mentors.len()]),
    })
}

/// Counts of the pairs of one mentee, or of up to [`LANES`] mentors, with other people.
#[derive(Debug, Clone, Default)]
struct PersonCounts {
    any: BitCounts,
    alone: BitCounts,
}

impl PersonCounts {
    fn add(&mut self, rules: impl ExactSizeIterator<Item = i16> + Clone) {
        self.any.add(rules.clone().map(of_others));
        self.alone.add(rules.map(|rules| only_bit(of_others(rules))));
    }

    fn total(&mut self) -> RuleCounts {
        RuleCounts::of(&self.any.total(), &self.alone.total())
    }

    fn by_lane(&mut self, lanes: usize) -> Vec<RuleCounts> {
        let (any, alone) = (self.any.by_lane(), self.alone.by_lane());
        any.iter().zip(&alone).take(lanes).map(|(any, alone)| RuleCounts::of(any, alone)).collect()
    }
}

/// Bits of the broken rules, or the bit of a candidate if no rule is broken.
fn marked(rules: i16) -> u16 {
    rules.cast_unsigned() | if rules == 0 { CANDIDATE } else { 0 }
}

/// The same bits, but none for the pair of a person with herself.
fn of_others(rules: i16) -> u16 {
    let same_person = Rules::of(HardRule::SamePerson).bits();
    if rules.cast_unsigned() & same_person == 0 { marked(rules) } else { 0 }
}

/// The bits, if exactly one bit is set; otherwise 0.
fn only_bit(bits: u16) -> u16 {
    if bits & bits.wrapping_sub(1) == 0 { bits } else { 0 }
}

/// The positions of `people` (ascending) that lie in a range.
fn in_range<'a>(people: &'a [usize], range: &Range<usize>) -> &'a [usize] {
    let first = people.partition_point(|at| *at < range.start);
    let end = people.partition_point(|at| *at < range.end);
    &people[first..end]
}

/// Consecutive ranges of at most `size` positions.
fn blocks(people: usize, size: usize) -> Vec<Range<usize>> {
    (0..people).step_by(size).map(|from| from..people.min(from + size)).collect()
}
