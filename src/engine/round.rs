//! One round, from its snapshot to its outcome, stage by stage.

use sha2::{Digest, Sha256};

use super::assign::Counters;
use super::encode::Round;
use super::objective::{self, Check, Evidence, Solution};
use super::observer::{Observer, Stopped};
use super::pair_scores::{CachedScores, ScoreCache};
use super::problem::Problem;
use super::score::{Preferred, Scores};
use super::stable::Sides;
use super::{explain, pool, summary, unmatched};
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
    pub counters: Counters,
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
    let mut timer = StageTimer::new(observer);
    let round = timer.stage(Stage::Encode, |observer| Round::encode(snapshot, observer))?;
    let (mentees, mentors) = (round.demands(), round.seats());
    let (scores, cache) = timer.stage(Stage::Score, |observer| {
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
        timer.stage(Stage::Assign, |observer| objective::solve(&to_solve, objective, sides, observer))?;
    let Solution { pairs, evidence, .. } = &solution;
    let (mut proof, blocking_pairs) = timer.stage(Stage::Certify, |observer| {
        let check = objective::check(&problem, pairs, evidence, sides, observer)?;
        let Check { proved, primal, dual, candidates, blocking_pairs, .. } = check;
        // Whom people have named stays private: where it does not decide, it is not counted either.
        let blocking_pairs = match objective {
            Objective::Stable => blocking_pairs,
            _ => objective::blocking_pairs(&to_solve, pairs, None, observer)?,
        };
        Ok((Proof { proved, primal, dual, candidates_checked: candidates }, blocking_pairs))
    })?;
    let (matches, unmatched, counts) = timer.stage(Stage::Explain, |observer| {
        let (matches, agree) = explain::describe_matches(&round, &scores, pairs, observer)?;
        let (unmatched, counts) = unmatched::unmatched(&round, &scores, pairs, observer)?;
        // The dense pass, the certifier's sweep and the judgement criterion by criterion must all tell the same.
        proof.proved &= agree && counts.candidates == proof.candidates_checked;
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

/// Runs the stages one by one, and keeps what each took.
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

/// Reports whatever a stage does as that stage's progress: the solver scores pairs too, but a run never steps back.
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
