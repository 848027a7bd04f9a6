//! Passes over all pairs that only count: how many candidates there are, and how many pairs each set of rules excludes.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::eligibility::{Rules, Verdict};
use super::problem::{Observer, Stopped};
use super::score::{Scores, Sheet};
use crate::domain::policy::HardRule;
use crate::domain::run::Stage;

/// Mentees that one task looks at.
const ROWS: usize = 16;
/// Mentors looked at together: a row of them stays in the nearest cache.
const COLUMNS: usize = 4_096;
/// Mentors that one task looks at where only some mentors are counted.
const FEW_COLUMNS: usize = 1_024;
/// How many times dearer a pair is by itself than in a row.
const DEARER: usize = 16;

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

    /// Counts one pair.
    fn count(&mut self, verdict: Verdict) {
        self.count_set(verdict.broken(), 1);
    }

    /// Counts `pairs` that all break the same rules.
    fn count_set(&mut self, rules: Rules, pairs: u64) {
        if rules.is_empty() {
            self.candidates += pairs;
        }
        for rule in rules.iter() {
            self.excluded[rule as usize - 1] += pairs;
        }
        if let Some(rule) = rules.sole() {
            self.alone[rule as usize - 1] += pairs;
        }
    }
}

/// Pairs by the set of rules they break: the fastest way to count very many.
struct Histogram {
    by_rules: Vec<u64>,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { by_rules: vec![0; Rules::SETS] }
    }
}

impl Histogram {
    fn count(&mut self, verdict: Verdict) {
        self.by_rules[verdict.broken().index()] += 1;
    }

    fn and(mut self, other: &Self) -> Self {
        for (mine, theirs) in self.by_rules.iter_mut().zip(&other.by_rules) {
            *mine += theirs;
        }
        self
    }

    fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for (index, pairs) in self.by_rules.iter().enumerate().filter(|(_, pairs)| **pairs > 0) {
            tally.count_set(Rules::at(index), *pairs);
        }
        tally
    }
}

/// Counts all pairs.
pub(super) fn count_all(
    scores: &Scores<'_>,
    mentees: usize,
    mentors: usize,
    observer: &dyn Observer,
) -> Result<Tally, Stopped> {
    let done = AtomicU64::new(0);
    let total = mentees as u64;
    observer.progress(Stage::Score, 0, total);
    let histogram = tasks(mentees)
        .into_par_iter()
        .try_fold(Histogram::default, |mut histogram, rows| {
            if observer.is_cancelled() {
                return Err(Stopped);
            }
            let counted = rows.len() as u64;
            let mut sheet = Sheet::default();
            for columns in blocks(mentors, COLUMNS) {
                for row in rows.clone() {
                    for verdict in scores.row(row, columns.clone(), &mut sheet) {
                        histogram.count(*verdict);
                    }
                }
            }
            observer.progress(Stage::Score, done.fetch_add(counted, Ordering::Relaxed) + counted, total);
            Ok(histogram)
        })
        .try_reduce(Histogram::default, |a, b| Ok(a.and(&b)))?;
    Ok(histogram.tally())
}

/// Counts the pairs of each of `mentees` with all mentors but herself, in the order given.
pub(super) fn count_rows(
    scores: &Scores<'_>,
    mentees: &[usize],
    mentors: usize,
    observer: &dyn Observer,
) -> Result<Vec<Tally>, Stopped> {
    let count = |mentee: &usize| {
        if observer.is_cancelled() {
            return Err(Stopped);
        }
        let mut histogram = Histogram::default();
        let mut sheet = Sheet::default();
        for columns in blocks(mentors, COLUMNS) {
            for verdict in scores.row(*mentee, columns, &mut sheet) {
                if !verdict.broken().contains(HardRule::SamePerson) {
                    histogram.count(*verdict);
                }
            }
        }
        Ok(histogram.tally())
    };
    mentees.par_iter().map(count).collect()
}

/// Counts the pairs of each of `mentors` (ascending) with all mentees but herself, in the order given.
pub(super) fn count_columns(
    scores: &Scores<'_>,
    mentees: usize,
    mentors: &[usize],
    observer: &dyn Observer,
) -> Result<Vec<Tally>, Stopped> {
    let last = mentors.last().map_or(0, |last| last + 1);
    let count = |columns: Range<usize>| {
        let first = mentors.partition_point(|mentor| *mentor < columns.start);
        let end = mentors.partition_point(|mentor| *mentor < columns.end);
        let wanted = &mentors[first..end];
        let mut tallies = vec![Tally::default(); wanted.len()];
        let mut sheet = Sheet::default();
        let add = |tally: &mut Tally, verdict: Verdict| {
            if !verdict.broken().contains(HardRule::SamePerson) {
                tally.count(verdict);
            }
        };
        for row in 0..if wanted.is_empty() { 0 } else { mentees } {
            if row % ROWS == 0 && observer.is_cancelled() {
                return Err(Stopped);
            }
            if wanted.len() * DEARER < columns.len() {
                for (mentor, tally) in wanted.iter().zip(&mut tallies) {
                    add(tally, scores.verdict(row, *mentor));
                }
            } else {
                let verdicts = scores.row(row, columns.clone(), &mut sheet);
                for (mentor, tally) in wanted.iter().zip(&mut tallies) {
                    add(tally, verdicts[mentor - columns.start]);
                }
            }
        }
        Ok(tallies)
    };
    let blocks: Vec<Range<usize>> = blocks(last, FEW_COLUMNS).collect();
    let counted: Vec<Vec<Tally>> = blocks.into_par_iter().map(count).collect::<Result<_, Stopped>>()?;
    Ok(counted.concat())
}

fn tasks(mentees: usize) -> Vec<Range<usize>> {
    (0..mentees).step_by(ROWS).map(|from| from..mentees.min(from + ROWS)).collect()
}

fn blocks(mentors: usize, columns: usize) -> impl Iterator<Item = Range<usize>> {
    (0..mentors).step_by(columns).map(move |from| from..mentors.min(from + columns))
}
