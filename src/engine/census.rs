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

/// Counts of pairs by the set of rules they break.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    by_rules: Vec<u64>,
    /// Best score of a candidate.
    pub(super) best_score: u16,
}

impl Default for Tally {
    fn default() -> Self {
        Self { by_rules: vec![0; Rules::SETS], best_score: 0 }
    }
}

impl Tally {
    /// Counts one pair.
    pub(super) fn count(&mut self, verdict: Verdict) {
        self.by_rules[verdict.broken().index()] += 1;
        if verdict.is_candidate() {
            self.best_score = self.best_score.max(verdict.score());
        }
    }

    /// Pairs that break no rule.
    pub(super) fn candidates(&self) -> u64 {
        self.by_rules[Rules::default().index()]
    }

    /// Pairs that break `rule`, alone or with others.
    pub(super) fn excluded_by(&self, rule: HardRule) -> u64 {
        let sets = self.by_rules.iter().enumerate();
        sets.filter(|(index, _)| Rules::at(*index).contains(rule)).map(|(_, pairs)| pairs).sum()
    }

    /// Pairs that break `rule` and nothing else.
    pub(super) fn excluded_only_by(&self, rule: HardRule) -> u64 {
        self.by_rules[Rules::of(rule).index()]
    }

    fn add(mut self, other: &Self) -> Self {
        for (mine, theirs) in self.by_rules.iter_mut().zip(&other.by_rules) {
            *mine += theirs;
        }
        self.best_score = self.best_score.max(other.best_score);
        self
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
    let tally = tasks(mentees)
        .into_par_iter()
        .try_fold(Tally::default, |mut tally, rows| {
            if observer.is_cancelled() {
                return Err(Stopped);
            }
            let counted = rows.len() as u64;
            let mut sheet = Sheet::default();
            for columns in blocks(mentors) {
                for row in rows.clone() {
                    for verdict in scores.row(row, columns.clone(), &mut sheet) {
                        tally.count(*verdict);
                    }
                }
            }
            observer.progress(Stage::Score, done.fetch_add(counted, Ordering::Relaxed) + counted, total);
            Ok(tally)
        })
        .try_reduce(Tally::default, |a, b| Ok(a.add(&b)))?;
    Ok(tally)
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
        let mut tally = Tally::default();
        let mut sheet = Sheet::default();
        for columns in blocks(mentors) {
            for verdict in scores.row(*mentee, columns, &mut sheet) {
                if !verdict.broken().contains(HardRule::SamePerson) {
                    tally.count(*verdict);
                }
            }
        }
        Ok(tally)
    };
    mentees.par_iter().map(count).collect()
}

/// Counts the pairs of each of `mentors` with all mentees but herself, in the order given.
pub(super) fn count_columns(
    scores: &Scores<'_>,
    mentees: usize,
    mentors: &[usize],
    observer: &dyn Observer,
) -> Result<Vec<Tally>, Stopped> {
    let count = |mentor: &usize| {
        let mut tally = Tally::default();
        for rows in tasks(mentees) {
            if observer.is_cancelled() {
                return Err(Stopped);
            }
            for row in rows {
                let verdict = scores.verdict(row, *mentor);
                if !verdict.broken().contains(HardRule::SamePerson) {
                    tally.count(verdict);
                }
            }
        }
        Ok(tally)
    };
    mentors.par_iter().map(count).collect()
}

fn tasks(mentees: usize) -> Vec<Range<usize>> {
    (0..mentees).step_by(ROWS).map(|from| from..mentees.min(from + ROWS)).collect()
}

fn blocks(mentors: usize) -> impl Iterator<Item = Range<usize>> {
    (0..mentors).step_by(COLUMNS).map(move |from| from..mentors.min(from + COLUMNS))
}
