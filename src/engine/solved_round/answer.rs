//! Answers about a solved round, in the names and the shown points of the round.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::decision_conflict::DecisionConflict;
use crate::domain::name::ProfileRef;
use crate::domain::run::{RoundNumbers, ScoreRange};

/// The answer to a what-if question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhatIfAnswer {
    /// The decisions cannot be kept. The list holds every conflict.
    Conflicts(Vec<DecisionConflict>),
    /// What a run with these decisions would change.
    Effect(Effect),
}

/// What another result would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// The solved run in numbers.
    pub before: RoundNumbers,
    /// The other result in numbers.
    pub after: RoundNumbers,
    /// Every mentee whose mentors differ, by name.
    pub moves: Vec<Move>,
    /// Whether no result with these decisions is better. If not, the other result is the best one found: two people may not
    /// mentor each other, and the search for directions ended before.
    pub is_exact: bool,
}

/// A mentee whose mentors differ between two results.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Move {
    /// The mentee.
    pub mentee: ProfileRef,
    /// Her mentors in the solved run, by name.
    pub before: Vec<ProfileRef>,
    /// Her mentors in the other result, by name.
    pub after: Vec<ProfileRef>,
}

/// A pair outside the result, with what choosing it would cost the whole round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundAlternate {
    /// The pair's mentee.
    pub mentee: ProfileRef,
    /// The pair's mentor.
    pub mentor: ProfileRef,
    /// Shown score of the pair.
    pub score: u16,
    /// Shown points of the round that are lost; 0 if there would be more of them.
    pub points: u64,
    /// Mentees who would lose their match.
    pub people: u64,
    /// Every mentee whose mentors would differ, by name.
    pub moves: Vec<Move>,
    /// Whether no result with the pair is better.
    pub is_exact: bool,
}

impl RoundAlternate {
    /// The order in which alternates are listed: it depends on shown numbers and names alone.
    pub(super) fn shown_order(&self) -> impl Ord + '_ {
        (self.people, self.points, std::cmp::Reverse(self.score), &self.mentee, &self.mentor)
    }
}

impl RoundNumbers {
    /// The numbers of pairs with these shown scores. `pairs` are sorted.
    pub(super) fn of(pairs: &[(u32, u32)], shown: &dyn Fn(&(u32, u32)) -> Option<u16>) -> Self {
        let mut scores: Vec<u16> = pairs.iter().map(|pair| shown(pair).unwrap_or_default()).collect();
        scores.sort_unstable();
        Self {
            matches: pairs.len() as u64,
            matched_mentees: pairs.chunk_by(|one, other| one.0 == other.0).count() as u64,
            total_score: scores.iter().map(|score| u64::from(*score)).sum(),
            scores: ScoreRange::of_sorted(&scores),
        }
    }
}

/// The mentees whose mentors differ between two results.
pub(super) struct Difference(BTreeSet<u32>);

impl Difference {
    /// Compares two results, both sorted.
    pub(super) fn between(before: &[(u32, u32)], after: &[(u32, u32)]) -> Self {
        let ended = before.iter().filter(|pair| after.binary_search(pair).is_err());
        let begun = after.iter().filter(|pair| before.binary_search(pair).is_err());
        Self(ended.chain(begun).map(|pair| pair.0).collect())
    }

    /// These mentees with their mentors before and after, by name.
    pub(super) fn moves<'a>(
        &self,
        before: &[(u32, u32)],
        after: &[(u32, u32)],
        names: &dyn Fn((u32, u32)) -> (&'a ProfileRef, &'a ProfileRef),
    ) -> Vec<Move> {
        let mut moves: BTreeMap<&ProfileRef, [Vec<ProfileRef>; 2]> = BTreeMap::new();
        for (side, pairs) in [before, after].into_iter().enumerate() {
            for mentee in &self.0 {
                let from = pairs.partition_point(|pair| pair.0 < *mentee);
                for pair in pairs[from..].iter().take_while(|pair| pair.0 == *mentee) {
                    let (mentee, mentor) = names(*pair);
                    moves.entry(mentee).or_default()[side].push(mentor.clone());
                }
            }
        }
        let one = |(mentee, [mut before, mut after]): (&ProfileRef, [Vec<ProfileRef>; 2])| {
            before.sort();
            after.sort();
            Move { mentee: mentee.clone(), before, after }
        };
        moves.into_iter().map(one).collect()
    }
}
