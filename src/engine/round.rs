//! Solves one round: encode, score, assign, certify, explain, summarise.
//!
//! Input: the snapshot of a round. Output: an [`Outcome`], which depends on the snapshot alone. Three computations of the
//! candidates and scores must agree, or the outcome is not proved: the dense pass, the certifier and the explanations. Matched
//! and unmatched people must add up to the enrolments, or the outcome is not proved either.

use sha2::{Digest, Sha256};

use super::assign::SolverStatistics;
use super::encode::Round;
use super::objective::{self, Check, Evidence, Solution};
use super::observer::{Observer, Stopped};
use super::pair_scores::{CachedScores, ScoreCache};
use super::problem::Problem;
use super::score::{Preferred, Scores};
use super::stable::PreferenceLists;
use super::{explain, headcount, pool, summary, unmatched};
use crate::clock::Stopwatch;
use crate::domain::policy::Objective;
use crate::domain::run::{Match, Proof, RunSummary, Stage, Unmatched};
use crate::domain::snapshot::Snapshot;

/// Version of the engine. It changes whenever the same round may give another result.
pub const ENGINE_VERSION: &str = "7";

/// Resources of the engine. No option changes the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Number of threads of a new pool; `None` selects the current rayon pool.
    pub threads: Option<usize>,
    /// Maximum size of the score cache in bytes, 2 per pair. A round with more pairs computes its scores again in every
    /// pass.
    pub most_kept: usize,
}

impl Default for Options {
    /// The current pool and a score cache of 2 GiB, which suffices for 50,000 mentees and 20,000 mentors.
    fn default() -> Self {
        Self { threads: None, most_kept: 2 << 30 }
    }
}

/// Result of a round.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The matches, best score first, then by mentee and mentor.
    pub matches: Vec<Match>,
    /// Everyone without a match: mentees, mentors, people without a role, each by profile.
    pub unmatched: Vec<Unmatched>,
    /// Numbers of the run, with its proof.
    pub summary: RunSummary,
    /// Proof of the optimum, which a third party can check. Prices are in the order of people of [`Round::encode`].
    pub evidence: Evidence,
    /// SolveContext of the solver, in units that do not depend on the machine.
    pub counters: SolverStatistics,
}

impl Outcome {
    /// SHA-256 in hexadecimal of the matches, the unmatched, the summary without its times, and the evidence.
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

/// Solves a round. The only error is that `observer` stopped the operation.
///
/// A failed proof is a defect of the engine. The summary of the outcome reports it, and the outcome must not be used.
pub fn solve(snapshot: &Snapshot, options: &Options, observer: &dyn Observer) -> Result<Outcome, Stopped> {
    pool::on_threads(options.threads, || run(snapshot, options.most_kept, observer))
}

fn run(snapshot: &Snapshot, most_kept: usize, observer: &dyn Observer) -> Result<Outcome, Stopped> {
    let mut timer = StageTimer::new(observer);
    let round = timer.stage(Stage::Encode, |observer| Round::encode(snapshot, observer))?;
    let (mentees, mentors) = (round.demands(), round.seats());
    let (scores, cache) = timer.stage(Stage::Score, |observer| {
        let scores = Scores::new(&round, observer)?;
        let cache = match snapshot.policy.objective {
            // The solver of this objective reads the scores of each side separately, which the cache does not hold.
            Objective::Stable => None,
            _ => ScoreCache::compute(&scores, mentees.len(), mentors.len(), most_kept, observer)?,
        };
        Ok((scores, cache))
    })?;
    let problem = Problem { mentees: &mentees, mentors: &mentors, scores: &scores, coverage_first: true };
    let (by_mentees, by_mentors) = (Preferred::by_mentees(&scores), Preferred::by_mentors(&scores));
    let preferences = Some(PreferenceLists { mentees: &by_mentees, mentors: Some(&by_mentors) });
    let objective = snapshot.policy.objective;
    let cached = cache.map(|cache| CachedScores::new(&scores, mentors.len(), cache));
    let to_solve = Problem { scores: cached.as_ref().map_or(problem.scores, |cached| cached), ..problem };
    let solution = timer
        .stage(Stage::Assign, |observer| objective::solve(&to_solve, objective, preferences, observer))?;
    let Solution { pairs, evidence, .. } = &solution;
    let (mut proof, blocking_pairs) = timer.stage(Stage::Certify, |observer| {
        let check = objective::check(&problem, pairs, evidence, preferences, observer)?;
        let Check { proved, primal, dual, candidates, blocking_pairs, .. } = check;
        // Preference lists are private. An objective that ignores them must not count blocking pairs by them.
        let blocking_pairs = match objective {
            Objective::Stable => blocking_pairs,
            _ => objective::blocking_pairs(&to_solve, pairs, None, observer)?,
        };
        Ok((Proof { proved, primal, dual, candidates_checked: candidates }, blocking_pairs))
    })?;
    let (matches, unmatched, counts) = timer.stage(Stage::Explain, |observer| {
        let (matches, agree) = explain::describe_matches(&round, &scores, pairs, observer)?;
        let (unmatched, counts) = unmatched::unmatched(&round, &scores, pairs, observer)?;
        // The dense pass, the certifier and the explanations must agree.
        proof.proved &= agree && counts.candidates == proof.candidates_checked;
        proof.proved &= headcount::adds_up(snapshot, &matches, &unmatched, observer)?;
        Ok((matches, unmatched, counts))
    })?;
    let mut summary = summary::summarise(&round, &matches, &counts, proof, observer)?;
    summary.objective = objective;
    summary.blocking_pairs = blocking_pairs;
    summary.price_of_fairness = solution.price_of_fairness().map(i64::unsigned_abs);
    summary.stage_micros = timer.micros;
    let Solution { evidence, counters, .. } = solution;
    Ok(Outcome { matches, unmatched, summary, evidence, counters })
}

/// Runs the stages in sequence, and records the time of each.
struct StageTimer<'a> {
    observer: &'a dyn Observer,
    micros: Vec<(Stage, i64)>,
}

impl<'a> StageTimer<'a> {
    fn new(observer: &'a dyn Observer) -> Self {
        Self { observer, micros: Vec::new() }
    }

    fn stage<T>(
        &mut self,
        stage: Stage,
        work: impl FnOnce(&dyn Observer) -> Result<T, Stopped>,
    ) -> Result<T, Stopped> {
        self.observer.check()?;
        self.observer.progress(stage, 0, 0);
        let _span = tracing::info_span!("stage", stage = stage.as_str()).entered();
        let watch = Stopwatch::start();
        let result = work(&StageObserver { observer: self.observer, stage });
        let micros = watch.micros();
        tracing::debug!(duration.micros = micros, "stage ended");
        self.micros.push((stage, micros));
        result
    }
}

/// Reports all progress as progress of one stage. The solver scores pairs too, but the stage of a run must never go back.
struct StageObserver<'a> {
    observer: &'a dyn Observer,
    stage: Stage,
}

impl Observer for StageObserver<'_> {
    fn progress(&self, _: Stage, done: u64, total: u64) {
        self.observer.progress(self.stage, done, total);
    }

    fn is_cancelled(&self) -> bool {
        self.observer.is_cancelled()
    }
}
