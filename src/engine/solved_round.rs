//! A solved round that answers questions: what decisions would change, and what other mentors or mentees of a person would
//! cost.
//!
//! Input: the snapshot of a run that succeeded, its matches and its certificate. Output: a [`SolvedRound`], which owns all
//! that the answers need and does not compute it again: scores of all pairs, and an optimum with its prices.
//!
//! Every answer is about a run that follows the solved one with the changed decisions: among equal results the one that moves
//! the fewest people, and with a stability of the policy the one with the greatest sum of score and kept pairs. The solved run
//! itself is such an optimum: what a better one would gain in score, it would lose in kept pairs.
//!
//! For BEST_TOTAL an answer starts from the kept optimum ([`assign_from`](super::assign::assign_from)); alternates are shortest
//! paths in its residual network ([`super::what_if`]). For FAIREST and STABLE, for a round whose scores do not fit the memory, and where the direction of
//! pairs needs a search, the round is solved anew.
//!
//! Invariant: no number with private points leaves this module. Costs are in shown points, and one that would be negative is 0.
//! Alternates are selected by their exact costs, and listed by what is shown.

mod answer;
mod kept_optimum;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::civil::Date;

use self::answer::Difference;
pub use self::answer::{Effect, Move, RoundAlternate, WhatIfAnswer};
use self::kept_optimum::KeptOptimum;
use super::decisions::{Decisions, sorted};
use super::encode::{AnswersUsed, Round};
use super::observer::{Observer, Stopped};
use super::round::{Assigned, NoOutcome, Options, RunCertificate, assigned};
use super::score::Scores;
use super::wishes::{DecisionCheck, worth};
use super::{explain, explain_pair, pool};
use crate::domain::decision_conflict::{ConflictCause, DecisionConflict};
use crate::domain::explanation::ReasonCode;
use crate::domain::name::ProfileRef;
use crate::domain::policy::{HardRule, Objective};
use crate::domain::review::DecisionKind;
use crate::domain::run::{Match, RoundNumbers, Side};
use crate::domain::snapshot::{FollowedRun, FrozenDecision, Participant, Snapshot};

/// Bytes of a participant in memory, about: her profile, and her name in the index.
const BYTES_PER_PARTICIPANT: usize = 2_000;

/// Shown scores of pairs that are no matches of the run.
type NewScores = HashMap<(u32, u32), u16>;

/// A solved round.
#[derive(Debug)]
pub struct SolvedRound {
    snapshot: Arc<Snapshot>,
    first_days: Vec<Date>,
    options: Options,
    index: Index,
    /// The pairs of the run, sorted.
    pairs: Vec<(u32, u32)>,
    /// Their shown scores.
    shown: HashMap<(u32, u32), u16>,
    /// The run in numbers.
    numbers: RoundNumbers,
    /// `None` if questions are answered by solving the round anew.
    optimum: Option<KeptOptimum>,
}

/// The people of a round by name and by position.
#[derive(Debug, Default)]
struct Index {
    positions: HashMap<ProfileRef, (Option<u32>, Option<u32>)>,
    mentees: Vec<ProfileRef>,
    mentors: Vec<ProfileRef>,
    /// Place of each person in the snapshot.
    participants: HashMap<ProfileRef, usize>,
}

impl Index {
    fn of(round: &Round<'_>) -> Self {
        let names = |side: &[u32]| side.iter().map(|at| round.people[*at as usize].profile.clone()).collect();
        let people = round.people.iter().map(|one| (one.profile.clone(), (one.mentee, one.mentor)));
        let participants = round.snapshot.participants.iter().map(|one| one.profile.clone()).zip(0..);
        Self {
            positions: people.collect(),
            mentees: names(&round.mentees),
            mentors: names(&round.mentors),
            participants: participants.collect(),
        }
    }

    fn pair(&self, mentee: &ProfileRef, mentor: &ProfileRef) -> Option<(u32, u32)> {
        self.positions.get(mentee)?.0.zip(self.positions.get(mentor)?.1)
    }

    fn names(&self, (mentee, mentor): (u32, u32)) -> (&ProfileRef, &ProfileRef) {
        (&self.mentees[mentee as usize], &self.mentors[mentor as usize])
    }
}

impl SolvedRound {
    /// Prepares the questions about a run of `snapshot`. Returns `None` if a match is not a pair of the snapshot.
    pub fn new(
        snapshot: Arc<Snapshot>,
        matches: &[Match],
        certificate: &RunCertificate,
        options: &Options,
        observer: &dyn Observer,
    ) -> Result<Option<Self>, Stopped> {
        pool::on_threads(options.threads, || Self::prepare(snapshot, matches, certificate, options, observer))
    }

    fn prepare(
        snapshot: Arc<Snapshot>,
        matches: &[Match],
        certificate: &RunCertificate,
        options: &Options,
        observer: &dyn Observer,
    ) -> Result<Option<Self>, Stopped> {
        let frozen = Arc::clone(&snapshot);
        let mut round = Round::encode(&frozen, observer)?;
        let index = Index::of(&round);
        let placed = |one: &Match| Some((index.pair(&one.mentee, &one.mentor)?, one.score));
        let Some(shown) = matches.iter().map(placed).collect::<Option<HashMap<_, _>>>() else {
            return Ok(None);
        };
        let pairs = sorted(&shown.keys().copied().collect::<Vec<_>>());
        let first_days = round.calendar.first_days().to_vec();
        // Vetoes are decisions that a question may release: here they are masks, not a rule.
        round.release_vetoes();
        let decisions = placed_decisions(&index, &snapshot.decisions);
        let optimum = if snapshot.objective() == Objective::BestTotal && !snapshot.has_bounds() {
            let worth = worth(&snapshot);
            let prices = &certificate.evidence;
            KeptOptimum::of(&round, &decisions, (&pairs, worth), prices, options.most_kept, observer)?
        } else {
            None
        };
        let options = *options;
        let numbers = RoundNumbers::of(&pairs, &|pair| shown.get(pair).copied());
        Ok(Some(Self { snapshot, first_days, options, index, pairs, shown, numbers, optimum }))
    }

    /// Size in bytes, about.
    pub fn bytes(&self) -> usize {
        let optimum = self.optimum.as_ref().map_or(0, KeptOptimum::bytes);
        optimum + self.snapshot.participants.len() * BYTES_PER_PARTICIPANT
    }

    /// What a run that follows this one would give if `add` were decided and the decisions `release` were released, which are
    /// named by their pairs.
    pub fn what_if(
        &self,
        add: &[FrozenDecision],
        release: &[(ProfileRef, ProfileRef)],
        observer: &dyn Observer,
    ) -> Result<WhatIfAnswer, Stopped> {
        pool::on_threads(self.options.threads, || {
            let is_released = |one: &&FrozenDecision| {
                !release.iter().any(|(mentee, mentor)| one.pair() == (mentee, mentor))
            };
            let kept = self.snapshot.decisions.iter().filter(is_released);
            let mut decisions: Vec<FrozenDecision> = kept.chain(add).cloned().collect();
            decisions.sort();
            match self.solved_with(&decisions, observer)? {
                Err(conflicts) => Ok(WhatIfAnswer::Conflicts(conflicts)),
                Ok((after, is_exact)) => {
                    let new = self.new_scores(after.iter(), observer)?;
                    Ok(WhatIfAnswer::Effect(self.effect(&after, &new, is_exact)))
                }
            }
        })
    }

    /// Up to `limit` other partners of a person on one side, those of the least cost to the whole round, listed by what is
    /// shown of the cost. `None` if the person does not take part on that side, or if the objective has no alternates: a pin
    /// is not possible with STABLE.
    pub fn alternates(
        &self,
        person: &ProfileRef,
        side: Side,
        limit: usize,
        observer: &dyn Observer,
    ) -> Result<Option<Vec<RoundAlternate>>, Stopped> {
        let Some(&(as_mentee, as_mentor)) = self.index.positions.get(person) else { return Ok(None) };
        let position = match side {
            Side::Mentee => as_mentee,
            Side::Mentor => as_mentor,
        };
        let Some(at) = position.filter(|_| self.snapshot.objective() != Objective::Stable) else {
            return Ok(None);
        };
        pool::on_threads(self.options.threads, || {
            let mut found = match &self.optimum {
                Some(optimum) => self.nearest(optimum, (at, side), limit, observer)?,
                None => self.best_scored((at, side), limit, observer)?,
            };
            found.sort_by(|a, b| a.shown_order().cmp(&b.shown_order()));
            Ok(Some(found))
        })
    }

    /// The pairs of the round with other decisions, and whether no result is better; or every conflict.
    fn solved_with(
        &self,
        decisions: &[FrozenDecision],
        observer: &dyn Observer,
    ) -> Result<Result<Assigned, Vec<DecisionConflict>>, Stopped> {
        if let Some(optimum) = &self.optimum {
            let placed = placed_decisions(&self.index, decisions);
            let open_rules = |pair| Ok(self.open_rules(pair));
            let check = DecisionCheck {
                decisions,
                objective: Objective::BestTotal,
                position: &|mentee, mentor| self.index.pair(mentee, mentor),
                open_rules: &open_rules,
            };
            let conflicts = check.conflicts(&optimum.whole(), observer)?;
            if !conflicts.is_empty() {
                return Ok(Err(conflicts));
            }
            if let Some(found) = optimum.solve(&placed, &self.pairs, observer)? {
                return Ok(Ok(found));
            }
        }
        let snapshot = Snapshot {
            decisions: decisions.to_vec(),
            follows: Some(self.followed()),
            ..(*self.snapshot).clone()
        };
        match assigned(&snapshot, self.options.most_kept, observer) {
            Ok((pairs, is_exact)) => Ok(Ok((pairs, is_exact))),
            Err(NoOutcome::Decisions(conflicts)) => Ok(Err(conflicts)),
            // The run kept the quotas, so that the decisions are in their way, or the search has ended before.
            Err(NoOutcome::Quotas(reasons)) => {
                let is_open = reasons.iter().any(|reason| reason.code == ReasonCode::QuotasNotFound);
                let cause = if is_open { ConflictCause::NotFound } else { ConflictCause::BoundsUnmet };
                Ok(Err(vec![DecisionConflict { cause, decisions: decisions.to_vec() }]))
            }
            // A question has no budget.
            Err(NoOutcome::Stopped | NoOutcome::Budget(_)) => Err(Stopped),
        }
    }

    /// The solved run, as one that is followed.
    fn followed(&self) -> FollowedRun {
        let names = |pair: &(u32, u32)| {
            let (mentee, mentor) = self.index.names(*pair);
            (mentee.clone(), mentor.clone())
        };
        FollowedRun {
            number: 0,
            result_digest: String::new(),
            repaired: self.snapshot.follows.as_ref().is_some_and(|followed| followed.repaired),
            pairs: self.pairs.iter().map(names).collect(),
        }
    }

    /// The rules on open answers that exclude a pair.
    fn open_rules(&self, pair: (u32, u32)) -> Vec<HardRule> {
        let (mentee, mentor) = self.index.names(pair);
        let part = self.part([mentee, mentor].into_iter());
        let open = AnswersUsed::Open;
        let found = explain_pair(&part, Some(&self.first_days), open, mentee, mentor);
        found.map_or_else(Vec::new, |found| found.broken_rules.into_iter().map(|(rule, _)| rule).collect())
    }

    /// The part of the snapshot with some people, without decisions.
    fn part<'a>(&self, people: impl Iterator<Item = &'a ProfileRef>) -> Snapshot {
        let places = people.filter_map(|one| self.index.participants.get(one).copied());
        let mut places: Vec<usize> = places.collect();
        places.sort_unstable();
        places.dedup();
        let participants: Vec<Participant> =
            places.into_iter().map(|at| self.snapshot.participants[at].clone()).collect();
        let Snapshot { start_date, end_date, freeze_time, policy, organisations, .. } = &*self.snapshot;
        Snapshot {
            start_date: *start_date,
            end_date: *end_date,
            freeze_time: *freeze_time,
            policy: policy.clone(),
            organisations: organisations.clone(),
            participants,
            decisions: Vec::new(),
            follows: None,
        }
    }

    /// The shown scores of those of some pairs that are no matches of the run.
    fn new_scores<'a>(
        &self,
        pairs: impl Iterator<Item = &'a (u32, u32)>,
        observer: &dyn Observer,
    ) -> Result<NewScores, Stopped> {
        let unknown: BTreeSet<(u32, u32)> =
            pairs.filter(|pair| !self.shown.contains_key(pair)).copied().collect();
        if unknown.is_empty() {
            return Ok(NewScores::new());
        }
        let people = unknown.iter().flat_map(|pair| <[&ProfileRef; 2]>::from(self.index.names(*pair)));
        let part = self.part(people);
        let (open, days) = (AnswersUsed::Open, Some(self.first_days.as_slice()));
        let round = Round::encode_where(&part, open, days, |_| true, observer)?;
        let scores = Scores::new(&round, observer)?;
        let positions = super::wishes::Positions::of(&round);
        let mut shown = NewScores::new();
        for pair in unknown {
            observer.check()?;
            let (mentee, mentor) = self.index.names(pair);
            if let Some((mentee, mentor)) = positions.pair(mentee, mentor) {
                let score = explain::shown_score(&round, &scores, mentee as usize, mentor as usize);
                shown.insert(pair, score);
            }
        }
        Ok(shown)
    }

    /// The effect of a result instead of the solved one.
    fn effect(&self, after: &[(u32, u32)], new: &NewScores, is_exact: bool) -> Effect {
        let difference = Difference::between(&self.pairs, after);
        let shown = |pair: &(u32, u32)| self.shown.get(pair).or_else(|| new.get(pair)).copied();
        Effect {
            before: self.numbers,
            after: RoundNumbers::of(after, &shown),
            moves: difference.moves(&self.pairs, after, &|pair| self.index.names(pair)),
            is_exact,
        }
    }

    /// The alternates of a person by shortest paths from the kept optimum.
    fn nearest(
        &self,
        optimum: &KeptOptimum,
        (at, side): (u32, Side),
        limit: usize,
        observer: &dyn Observer,
    ) -> Result<Vec<RoundAlternate>, Stopped> {
        let mut found = Vec::new();
        for one in optimum.alternates((at, side), limit, observer)? {
            let forced = (one.mentee, one.mentor);
            let after = match optimum.exchanged(&one) {
                Some(after) => Some((after, true)),
                // The change is too long to be listed, or it uses both directions of a pair: solved anew.
                None => self.pinned(forced, observer)?,
            };
            found.extend(after.map(|after| (forced, after)));
        }
        self.listed(&found, observer)
    }

    /// The alternates of a person among the pairs of the best shown scores, each solved anew.
    fn best_scored(
        &self,
        (at, side): (u32, Side),
        limit: usize,
        observer: &dyn Observer,
    ) -> Result<Vec<RoundAlternate>, Stopped> {
        let round = Round::encode(&self.snapshot, observer)?;
        let scores = Scores::new(&round, observer)?;
        let others = match side {
            Side::Mentee => self.index.mentors.len(),
            Side::Mentor => self.index.mentees.len(),
        };
        let mut candidates = Vec::new();
        for other in 0..u32::try_from(others).unwrap_or(u32::MAX) {
            observer.check()?;
            let pair = if side == Side::Mentee { (at, other) } else { (other, at) };
            let (mentee, mentor) = (pair.0 as usize, pair.1 as usize);
            if !self.shown.contains_key(&pair) && scores.verdict(mentee, mentor).is_candidate() {
                candidates.push((explain::shown_score(&round, &scores, mentee, mentor), pair));
            }
        }
        candidates.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut found = Vec::new();
        for (_, pair) in candidates.into_iter().take(limit) {
            found.extend(self.pinned(pair, observer)?.map(|after| (pair, after)));
        }
        self.listed(&found, observer)
    }

    /// The result with a pair that is pinned; `None` if it cannot be.
    fn pinned(&self, pair: (u32, u32), observer: &dyn Observer) -> Result<Option<Assigned>, Stopped> {
        let (mentee, mentor) = self.index.names(pair);
        let pin = FrozenDecision {
            mentee: mentee.clone(),
            mentor: mentor.clone(),
            kind: DecisionKind::Pin,
            name: String::new(),
        };
        let decisions: Vec<FrozenDecision> = self.snapshot.decisions.iter().cloned().chain([pin]).collect();
        Ok(self.solved_with(&decisions, observer)?.ok())
    }

    /// What is shown of alternates, each with the result that it would give.
    fn listed(
        &self,
        found: &[((u32, u32), Assigned)],
        observer: &dyn Observer,
    ) -> Result<Vec<RoundAlternate>, Stopped> {
        let new = self.new_scores(found.iter().flat_map(|(_, (after, _))| after), observer)?;
        let one = |(pair, (after, is_exact)): &((u32, u32), Assigned)| {
            let Effect { before, after: then, moves, .. } = self.effect(after, &new, *is_exact);
            let (mentee, mentor) = self.index.names(*pair);
            RoundAlternate {
                mentee: mentee.clone(),
                mentor: mentor.clone(),
                score: new.get(pair).copied().unwrap_or_default(),
                points: before.total_score.saturating_sub(then.total_score),
                people: before.matched_mentees.saturating_sub(then.matched_mentees),
                moves,
                is_exact: *is_exact,
            }
        };
        Ok(found.iter().map(one).collect())
    }
}

/// Decisions by position, without those that have no effect.
fn placed_decisions(index: &Index, decisions: &[FrozenDecision]) -> Decisions {
    let of = |kind: DecisionKind| {
        let some = decisions.iter().filter(|one| one.kind == kind);
        let placed: Vec<(u32, u32)> = some.filter_map(|one| index.pair(&one.mentee, &one.mentor)).collect();
        sorted(&placed)
    };
    Decisions { pins: of(DecisionKind::Pin), vetoes: of(DecisionKind::Veto) }
}
