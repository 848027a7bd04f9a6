//! Counts the candidates and the pairs that each hard rule excludes, in one pass over all pairs.
//!
//! Input: the scores of a round, and the positions of the people to count separately. Output: counts of all pairs, and for
//! each of these people the counts of her pairs, with everybody and without the members of her own organisation. A pair
//! of one person with herself counts in the total only.
//! Cost: one dense pass over the rules, `mentees x mentors`; memory about 400 bytes per mentor counted, for every thread.

mod bit_counts;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use self::bit_counts::{BITS, BitCounts, LANES};
use super::eligibility::Rules;
use super::encode::Round;
use super::encode::ties::as_u32;
use super::observer::{Observer, Stopped};
use super::pool::Workspaces;
use super::score::{Plane, Rows, Scores};
use crate::domain::name::OrganisationId;
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

/// Counts of the pairs of one person.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CountsOfPerson {
    /// Her pairs with everybody of the other side except herself.
    pub(super) all: RuleCounts,
    /// Of these, her pairs with people of other organisations.
    pub(super) foreign: RuleCounts,
}

impl CountsOfPerson {
    fn and(self, other: &Self) -> Self {
        Self { all: self.all.and(&other.all), foreign: self.foreign.and(&other.foreign) }
    }
}

/// Exclusion counts of a round.
#[derive(Debug)]
pub(super) struct ExclusionCounts {
    /// Counts of all pairs.
    pub(super) all: RuleCounts,
    /// Counts of each given mentee.
    pub(super) of_mentees: Vec<CountsOfPerson>,
    /// Counts of each given mentor.
    pub(super) of_mentors: Vec<CountsOfPerson>,
}

/// Number of pairs that break no rule: the candidates among all pairs of [`count`], without its other numbers.
pub(super) fn candidates(
    scores: &Scores<'_>,
    round: &Round<'_>,
    observer: &dyn Observer,
) -> Result<u64, Stopped> {
    let total = round.mentees.len() as u64;
    let done = AtomicU64::new(0);
    let columns = blocks(round.mentors.len(), BLOCK_COLUMNS);
    let of_rows = |tile: &mut Vec<i16>, rows: Range<usize>| {
        let mut plane = Rows::new(scores, rows.clone(), Plane::Rules);
        let mut candidates = 0;
        for block in &columns {
            observer.check()?;
            tile.resize(rows.len() * block.len(), 0);
            plane.fill(block.clone(), tile);
            candidates += zeros(tile);
        }
        let before = done.fetch_add(rows.len() as u64, Ordering::Relaxed);
        observer.progress(Stage::Explain, before + rows.len() as u64, total);
        Ok(candidates)
    };
    let counted = blocks(round.mentees.len(), ROWS_PER_TASK).into_par_iter().map_init(Vec::new, of_rows);
    counted.try_reduce(|| 0, |one, other| Ok(one + other))
}

/// Number of zeros. Chunks of fixed length, which the compiler turns into vector code.
fn zeros(numbers: &[i16]) -> u64 {
    let (chunks, rest) = numbers.as_chunks::<LANES>();
    let of = |numbers: &[i16]| numbers.iter().fold(0_u16, |sum, number| sum + u16::from(*number == 0));
    chunks.iter().map(|chunk| u64::from(of(chunk))).sum::<u64>() + u64::from(of(rest))
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
    let [home_of_mentee, home_of_mentor] = homes(round);
    // Lanes of the given mentors. A lane never crosses the boundary of a block, because a task fills one block at a time.
    let lanes: Vec<(Range<usize>, &[usize])> = columns
        .iter()
        .flat_map(|block| in_range(mentors, block).chunks(LANES).map(|lane| (block.clone(), lane)))
        .collect();
    let of_lanes = Workspaces::default();
    let of_rows = |tile: &mut Vec<i16>, rows: Range<usize>| {
        let mentees = in_range(mentees, &rows);
        let (home_of_row, homes) = (&home_of_mentee[rows.clone()], &home_of_mentor);
        let mut all = BitCounts::default();
        let mut own = vec![PersonCounts::default(); mentees.len()];
        let mut plane = Rows::new(scores, rows.clone(), Plane::Rules);
        for block in &columns {
            observer.check()?;
            tile.resize(rows.len() * block.len(), 0);
            plane.fill(block.clone(), tile);
            all.add_all(tile, marked);
            for (mentee, own) in mentees.iter().zip(&mut own) {
                let row = mentee - rows.start;
                let rules = &tile[row * block.len()..(row + 1) * block.len()];
                own.add(
                    rules
                        .iter()
                        .zip(&homes[block.clone()])
                        .map(|(rules, home)| (*rules, *home == home_of_row[row])),
                );
            }
            let here = lanes.partition_point(|(of, _)| of.start < block.start)
                ..lanes.partition_point(|(of, _)| of.start <= block.start);
            if here.is_empty() {
                continue;
            }
            let add = |sums: &mut Vec<PersonCounts>| {
                for ((_, lane), sums) in lanes[here.clone()].iter().zip(&mut sums[here]) {
                    for (row, home) in tile.chunks_exact(block.len()).zip(home_of_row) {
                        sums.add(
                            lane.iter().map(|mentor| (row[mentor - block.start], homes[*mentor] == *home)),
                        );
                    }
                }
            };
            of_lanes.add(|| vec![PersonCounts::default(); lanes.len()], add);
        }
        let before = done.fetch_add(rows.len() as u64, Ordering::Relaxed);
        observer.progress(Stage::Explain, before + rows.len() as u64, total);
        let own = own.iter_mut().map(PersonCounts::total);
        Ok((RuleCounts::of(&all.total(), &[0; BITS]), own.collect::<Vec<CountsOfPerson>>()))
    };
    let counted: Vec<(RuleCounts, Vec<CountsOfPerson>)> = blocks(round.mentees.len(), ROWS_PER_TASK)
        .into_par_iter()
        .map_init(Vec::new, of_rows)
        .collect::<Result<_, Stopped>>()?;
    let by_lane = |mut sums: Vec<PersonCounts>| -> Vec<CountsOfPerson> {
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
        of_mentors: of_mentors.unwrap_or_else(|| vec![CountsOfPerson::default(); mentors.len()]),
    })
}

/// The organisations of mentees and mentors, as numbers.
fn homes(round: &Round<'_>) -> [Vec<u32>; 2] {
    let mut numbers: HashMap<&OrganisationId, u32> = HashMap::new();
    let of_people: Vec<u32> = round
        .people
        .iter()
        .map(|person| {
            let next = as_u32(numbers.len());
            *numbers.entry(&person.profile.organisation).or_insert(next)
        })
        .collect();
    [&round.mentees, &round.mentors].map(|side| side.iter().map(|at| of_people[*at as usize]).collect())
}

/// Counts of the pairs of one mentee, or of up to [`LANES`] mentors, with other people.
#[derive(Debug, Clone, Default)]
struct PersonCounts {
    all: Counters,
    foreign: Counters,
}

impl PersonCounts {
    /// Adds the broken rules of pairs, each with whether the other person is of the same organisation.
    fn add(&mut self, pairs: impl ExactSizeIterator<Item = (i16, bool)> + Clone) {
        self.all.add(pairs.clone().map(|(rules, _)| of_others(rules)));
        self.foreign.add(pairs.map(|(rules, is_own)| if is_own { 0 } else { of_others(rules) }));
    }

    fn total(&mut self) -> CountsOfPerson {
        CountsOfPerson { all: self.all.total(), foreign: self.foreign.total() }
    }

    fn by_lane(&mut self, lanes: usize) -> Vec<CountsOfPerson> {
        let (all, foreign) = (self.all.by_lane(lanes), self.foreign.by_lane(lanes));
        all.into_iter().zip(foreign).map(|(all, foreign)| CountsOfPerson { all, foreign }).collect()
    }
}

/// Counts of bits, and of bits that are set alone.
#[derive(Debug, Clone, Default)]
struct Counters {
    any: BitCounts,
    alone: BitCounts,
}

impl Counters {
    fn add(&mut self, bits: impl ExactSizeIterator<Item = u16> + Clone) {
        self.any.add(bits.clone());
        self.alone.add(bits.map(only_bit));
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
