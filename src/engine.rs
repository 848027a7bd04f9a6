//! The engine: a frozen round in, the best assignment with its proof and its reasons out. Pure: no database, no clock,
//! no async, no input or output.
//!
//! The way of a round: [`encode`] turns profiles into bits and small numbers, [`score`] judges every pair under the hard
//! rules of [`eligibility`] and the criteria of the policy (cached by [`pair_scores`] where there is room), [`objective`] finds the best
//! assignment by [`assign`], [`fairest`] or [`stable`], [`certify`] proves it with code of its own, and reasons are given
//! for every match and for everyone without one.
//!
//! Around it, on any [`problem`], also with scores that a caller brings ([`pair_scores`]): [`decisions`] (pins and vetoes) and [`quota`] (floors
//! and ceilings of groups), which [`constrained`] puts together, [`what_if`] (the cost of any pair, alternates), [`repair`]
//! (few changes after publication) and [`diagnose`] (who cannot all be served, whom to recruit). Problems that callers bring
//! reach them; rounds do not yet. [`cpu`] chooses vector instructions.
//!
//! Everything is integer arithmetic, and people are ordered by a hash of their names: the same round gives the same bytes
//! on any machine, for any number of threads and any order of its people.

pub mod assign;
pub mod certificate;
pub mod certify;
pub mod constrained;
pub mod cpu;
pub mod decisions;
pub mod diagnose;
pub mod eligibility;
pub mod encode;
mod exclusion_counts;
mod explain;
pub mod fairest;
pub mod groups;
pub mod objective;
pub mod objective_value;
pub mod observer;
pub mod pair_scores;
pub mod pool;
pub mod problem;
pub mod quota;
pub mod repair;
pub mod score;
pub mod stable;
mod summary;
#[cfg(test)]
mod tests;
mod unmatched;
pub mod what_if;

use std::cmp::Reverse;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use self::assign::SolverStatistics;
use self::encode::Round;
pub use self::explain::explain_pair;
use self::objective::{Check, Evidence, Solution};
use self::observer::{Observer, Stopped};
use self::pair_scores::{CachedScores, ScoreCache};
use self::problem::{Demand, Problem, Seats};
use self::score::{Preferred, Scores};
use self::stable::Sides;
use crate::clock::Stopwatch;
use crate::domain::policy::Objective;
use crate::domain::run::{Match, Proof, RunSummary, Stage, Unmatched};
use crate::domain::snapshot::Snapshot;

/// Version of the engine: changes whenever the same round may give another result.
pub const ENGINE_VERSION: &str = "6";

/// How the engine is to run. Nothing here changes the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Threads of a pool of its own; `None` takes the current rayon pool.
    pub threads: Option<usize>,
    /// Bytes in which scores may be kept, 2 per pair: a round with more pairs computes its scores anew in every pass.
    pub most_kept: usize,
}

impl Default for Options {
    /// The current pool, and 2 GiB for scores: enough for 50,000 mentees and 20,000 mentors.
    fn default() -> Self {
        Self { threads: None, most_kept: 2 << 30 }
    }
}

/// What comes out of a round.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The matches, best score first, then by mentee and mentor.
    pub matches: Vec<Match>,
    /// Everyone without a match, mentees first, then by profile.
    pub unmatched: Vec<Unmatched>,
    /// The run in numbers, with its proof.
    pub summary: RunSummary,
    /// What proves the optimum, for anybody to check. Prices are in the engine's order of people: see [`Round::encode`].
    pub evidence: Evidence,
    /// Work of the solver, in numbers that do not depend on the machine.
    pub counters: SolverStatistics,
}

impl Outcome {
    /// SHA-256 of the result in hexadecimal: matches, unmatched, summary without its times, evidence.
    pub fn digest(&self) -> String {
        let timeless = RunSummary { stage_micros: Vec::new(), ..self.summary.clone() };
        let whole = (&self.matches, &self.unmatched, &timeless, &self.evidence);
        hex::encode(Sha256::digest(json(&whole)))
    }
}

#[expect(clippy::expect_used, reason = "plain data with string keys always serialises")]
fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain data serialises")
}

/// Solves a round. The only error is that `observer` asked to stop.
///
/// If the proof fails, which would be a defect, the outcome says so in its summary; it must not be used.
pub fn solve(snapshot: &Snapshot, options: &Options, observer: &dyn Observer) -> Result<Outcome, Stopped> {
    pool::on_threads(options.threads, || run(snapshot, options.most_kept, observer))
}

fn run(snapshot: &Snapshot, most_kept: usize, observer: &dyn Observer) -> Result<Outcome, Stopped> {
    let mut times = Times::new(observer);
    let round = times.stage(Stage::Encode, |observer| Round::encode(snapshot, observer))?;
    let (mentees, mentors) = (demands(&round), seats(&round));
    let (scores, cache) = times.stage(Stage::Score, |observer| {
        let scores = Scores::new(&round, observer)?;
        let cache = match snapshot.policy.objective {
            // Its solver reads what either side thinks of the other.
            Objective::Stable => None,
            _ => ScoreCache::compute(&scores, mentees.len(), mentors.len(), most_kept, observer)?,
        };
        Ok((scores, cache))
    })?;
    let problem = Problem { mentees: &mentees, mentors: &mentors, scores: &scores, coverage_first: true };
    let (by_mentees, by_mentors) = (Preferred::by_mentees(&scores), Preferred::by_mentors(&scores));
    let sides = Some(Sides { mentees: &by_mentees, mentors: Some(&by_mentors) });
    let objective = snapshot.policy.objective;
    let cached = cache.map(|cache| CachedScores::new(&scores, mentors.len(), cache));
    let to_solve = Problem { scores: cached.as_ref().map_or(problem.scores, |cached| cached), ..problem };
    let solution =
        times.stage(Stage::Assign, |observer| objective::solve(&to_solve, objective, sides, observer))?;
    let Solution { pairs, evidence, .. } = &solution;
    let (mut proof, blocking_pairs) = times.stage(Stage::Certify, |observer| {
        let check = objective::check(&problem, pairs, evidence, sides, observer)?;
        let Check { proved, primal, dual, candidates, blocking_pairs, .. } = check;
        // Whom people have named stays private: where it does not decide, it is not counted either.
        let blocking_pairs = match objective {
            Objective::Stable => blocking_pairs,
            _ => objective::blocking_pairs(&to_solve, pairs, None, observer)?,
        };
        Ok((Proof { proved, primal, dual, candidates_checked: candidates }, blocking_pairs))
    })?;
    let (matches, unmatched, tally) = times.stage(Stage::Explain, |observer| {
        let (matches, agree) = describe(&round, &scores, pairs, observer)?;
        let (unmatched, tally) = unmatched::unmatched(&round, &scores, pairs, observer)?;
        // The dense pass, the certifier's sweep and the judgement criterion by criterion must all tell the same.
        proof.proved &= agree && tally.candidates == proof.candidates_checked;
        Ok((matches, unmatched, tally))
    })?;
    let mut summary = summary::summarise(&round, &matches, &tally, proof, observer)?;
    summary.objective = objective;
    summary.blocking_pairs = blocking_pairs;
    summary.price_of_fairness = solution.price_of_fairness().map(i64::unsigned_abs);
    summary.stage_micros = times.micros;
    let Solution { evidence, counters, .. } = solution;
    Ok(Outcome { matches, unmatched, summary, evidence, counters })
}

/// Runs the stages one by one, and keeps what each took.
struct Times<'a> {
    observer: &'a dyn Observer,
    micros: Vec<(Stage, i64)>,
}

impl<'a> Times<'a> {
    fn new(observer: &'a dyn Observer) -> Self {
        Self { observer, micros: Vec::new() }
    }

    fn stage<T>(
        &mut self,
        stage: Stage,
        work: impl FnOnce(&dyn Observer) -> Result<T, Stopped>,
    ) -> Result<T, Stopped> {
        if self.observer.is_cancelled() {
            return Err(Stopped);
        }
        self.observer.progress(stage, 0, 0);
        let _span = tracing::info_span!("stage", stage = stage.as_str()).entered();
        let watch = Stopwatch::start();
        let result = work(&Within { observer: self.observer, stage });
        let micros = watch.micros();
        tracing::debug!(duration.micros = micros, "stage ended");
        self.micros.push((stage, micros));
        result
    }
}

/// Reports whatever a stage does as that stage's progress: the solver scores pairs too, but a run never steps back.
struct Within<'a> {
    observer: &'a dyn Observer,
    stage: Stage,
}

impl Observer for Within<'_> {
    fn progress(&self, _: Stage, done: u64, total: u64) {
        self.observer.progress(self.stage, done, total);
    }

    fn is_cancelled(&self) -> bool {
        self.observer.is_cancelled()
    }
}

/// What the mentees of a round want: the waitlisted are served first.
fn demands(round: &Round<'_>) -> Vec<Demand> {
    let demand = |at: &u32| {
        let content = round.people[*at as usize].content;
        Demand {
            tier: u8::from(!round.is_waitlisted(content)),
            wanted: content.mentee_request.map_or(1, |request| request.mentors_wanted.clamp(1, 2)),
            pinned: 0,
        }
    };
    round.mentees.iter().map(demand).collect()
}

/// What the mentors of a round offer.
fn seats(round: &Round<'_>) -> Vec<Seats> {
    let seats = |at: &u32| {
        let offer = round.people[*at as usize].content.mentor_offer;
        let (min, max) = offer.map_or((0, 0), |offer| (offer.min_mentees, offer.max_mentees));
        Seats { min: u32::from(min.min(max)), max: u32::from(max) }
    };
    round.mentors.iter().map(seats).collect()
}

/// All matches with their reasons, and whether judging each once more agrees with the scores that were solved.
fn describe(
    round: &Round<'_>,
    scores: &Scores<'_>,
    pairs: &[(u32, u32)],
    observer: &dyn Observer,
) -> Result<(Vec<Match>, bool), Stopped> {
    let describe = |(mentee, mentor): &(u32, u32)| {
        if observer.is_cancelled() {
            return Err(Stopped);
        }
        Ok(explain::describe_match(round, scores, *mentee as usize, *mentor as usize))
    };
    let described = pairs.par_iter().map(describe).collect::<Result<Vec<(Match, bool)>, Stopped>>()?;
    let agree = described.iter().all(|(_, agrees)| *agrees);
    let mut matches: Vec<Match> = described.into_iter().map(|(pair, _)| pair).collect();
    matches.par_sort_unstable_by_key(|pair| Reverse(pair.score));
    for equals in matches.chunk_by_mut(|one, next| one.score == next.score) {
        if observer.is_cancelled() {
            return Err(Stopped);
        }
        equals.sort_unstable_by(|a, b| a.mentee.cmp(&b.mentee).then_with(|| a.mentor.cmp(&b.mentor)));
    }
    Ok((matches, agree))
}
