//! Solves one round: encode, score, assign, certify, explain, summarise.
//!
//! Input: the snapshot of a round. Output: an [`Outcome`], which depends on the snapshot alone. Three computations of the
//! candidates and scores must agree, or the outcome is not proved: the dense pass, the certifier and the explanations. Matched
//! and unmatched people must add up to the enrolments, or the outcome is not proved either. What people read of the outcome
//! is computed from open answers (`shown`); the values of the proof contain private points and are in the
//! [`RunCertificate`] only.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::assign::SolverStatistics;
use super::digest::ResultParts;
use super::encode::Round;
use super::limited::Unmet;
use super::objective::Check;
use super::observer::{Observer, Stopped};
use super::pair_scores::{CachedScores, PairScores, ScoreCache};
use super::pinned_problem::{NoSolution, PinError, PinnedProblem};
use super::problem::{Demand, Problem, Seats};
use super::round_quotas::{OwnLimits, RoundQuotas, unmet};
use super::score::{Preferred, Scores};
use super::shown::{Shown, shown};
use super::solution::{Evidence, Solution};
use super::stable::PreferenceLists;
use super::wishes::Positions;
use super::{digest, exclusion_counts, explain, pool, wishes};
use crate::clock::Stopwatch;
use crate::domain::decision_conflict::{ConflictCause, DecisionConflict};
use crate::domain::explanation::Reason;
use crate::domain::leaf::Seals;
use crate::domain::name::{OrganisationId, ProfileRef};
use crate::domain::policy::Objective;
use crate::domain::run::{Digests, Match, Proof, RunSummary, Stage, Unmatched};
use crate::domain::snapshot::Snapshot;

/// Version of the engine. It changes whenever the same round may give another result.
pub const ENGINE_VERSION: &str = "11";

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
    /// Everyone without a match, as coordinators read it: mentees, mentors, people without a role, each by profile.
    pub unmatched: Vec<Unmatched>,
    /// The same people as the manager of each person's organisation reads it.
    pub unmatched_for_managers: Vec<Unmatched>,
    /// Numbers of the run for coordinators.
    pub summary: RunSummary,
    /// Numbers for the manager of each organisation that takes part.
    pub summaries: BTreeMap<OrganisationId, RunSummary>,
    /// Proof of the optimum. It contains private points and never leaves the service.
    pub certificate: RunCertificate,
    /// SolveContext of the solver, in units that do not depend on the machine.
    pub counters: SolverStatistics,
    /// First days of the calendar, see [`explain_pair`](super::explain_pair). They follow from the snapshot.
    pub first_days: Vec<Date>,
}

impl Outcome {
    /// The digests of the run of `snapshot` that has this outcome.
    pub fn digests(&self, snapshot: &Snapshot, seals: &Seals) -> Digests {
        let certificate = self.certificate.to_bytes();
        let parts = ResultParts {
            matches: &self.matches,
            unmatched: &self.unmatched,
            unmatched_for_managers: &self.unmatched_for_managers,
            summary: &self.summary,
            summaries: &self.summaries,
            certificate: Some(&certificate),
        };
        digest::digests(&parts, snapshot, seals)
    }
}

/// The stored proof of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunCertificate {
    /// Proof that a third party could check. Prices are in the order of people of [`Round::encode`].
    pub evidence: Evidence,
    /// Value of the assignment under the lexicographic weights.
    pub primal: i128,
    /// Upper bound from the dual prices.
    pub dual: i128,
    /// Candidates that the proof covers.
    pub candidates_checked: u64,
}

impl RunCertificate {
    /// The certificate as it is stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        json(self)
    }
}

#[expect(clippy::expect_used, reason = "plain data with string keys always serialises")]
fn json(certificate: &RunCertificate) -> Vec<u8> {
    serde_json::to_vec(certificate).expect("plain data serialises")
}

/// Why a round has no outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoOutcome {
    /// Decisions of the round cannot be kept. The list holds every conflict.
    Decisions(Vec<DecisionConflict>),
    /// No assignment keeps the quotas. The reasons name no private answer and no limit of an organisation's own.
    Quotas(Vec<Reason>),
    /// A repair needs more changes than its budget: so many.
    Budget(u64),
    /// The observer stopped the operation.
    Stopped,
}

impl From<Stopped> for NoOutcome {
    fn from(Stopped: Stopped) -> Self {
        Self::Stopped
    }
}

impl From<PinError> for NoOutcome {
    fn from(error: PinError) -> Self {
        match error {
            // The conflicts are listed before.
            PinError::Refused(_) => Self::Decisions(Vec::new()),
            PinError::Stopped(stopped) => stopped.into(),
        }
    }
}

/// Solves a round.
///
/// A result without a proof and without a bound ([`Standing::Unproved`](crate::domain::run::Standing::Unproved)) is a defect of
/// the engine: it must not be used.
pub fn solve(snapshot: &Snapshot, options: &Options, observer: &dyn Observer) -> Result<Outcome, NoOutcome> {
    pool::on_threads(options.threads, || run(snapshot, options.most_kept, observer))
}

/// Repairs a result: `snapshot` is the round as it is now, and the run that it follows is the published one, marked as
/// repaired. The outcome serves as many people as possible, by tier, with as many minimum places and second mentors as
/// possible; among such results it changes the fewest pairs, and of these it has the greatest total score. All three are
/// proved, and [`verify`] checks them, unless limits of the exchange leave a gap. Pins and vetoes are kept.
///
/// A pair is changed if it is no match any more although both people still take part. If more pairs than `budget` would be
/// changed, there is no outcome, but the number of changes that are needed; with a gap, that the best repair found needs.
pub fn repair_round(
    snapshot: &Snapshot,
    budget: Option<u64>,
    options: &Options,
    observer: &dyn Observer,
) -> Result<Outcome, NoOutcome> {
    let outcome = solve(snapshot, options, observer)?;
    let needed = outcome.summary.followed.map_or(0, |followed| followed.changed);
    if budget.is_some_and(|budget| needed > budget) { Err(NoOutcome::Budget(needed)) } else { Ok(outcome) }
}

fn run(snapshot: &Snapshot, most_kept: usize, observer: &dyn Observer) -> Result<Outcome, NoOutcome> {
    let mut timer = StageTimer::new(observer);
    let round = timer.stage(Stage::Encode, |observer| Round::encode(snapshot, observer))?;
    let (mentees, mentors) = (round.demands(), round.seats());
    let wishes = wishes::wishes(&round);
    let (scores, cache) = timer.stage(Stage::Score, |observer| {
        let scores = Scores::new(&round, observer)?;
        let problem = whole(&mentees, &mentors, &scores);
        let conflicts = wishes::conflicts(&round, &problem, observer)?;
        if !conflicts.is_empty() {
            return Err(NoOutcome::Decisions(conflicts));
        }
        expect_nested(&round)?;
        let cache = match snapshot.objective() {
            // The solver of this objective reads the scores of each side separately, which the cache does not hold.
            Objective::Stable => None,
            _ => ScoreCache::compute(&scores, mentees.len(), mentors.len(), most_kept, observer)?,
        };
        Ok((scores, cache))
    })?;
    let problem = whole(&mentees, &mentors, &scores);
    let (by_mentees, by_mentors) = (Preferred::by_mentees(&scores), Preferred::by_mentors(&scores));
    let preferences = Some(PreferenceLists { mentees: &by_mentees, mentors: Some(&by_mentors) });
    let objective = snapshot.objective();
    let cached = cache.map(|cache| CachedScores::new(&scores, mentors.len(), cache));
    let to_solve = Problem { scores: cached.as_ref().map_or(problem.scores, |cached| cached), ..problem };
    let solution = timer.stage(Stage::Assign, |observer| {
        let pinned = PinnedProblem::new(&to_solve, &wishes, observer)?;
        pinned.solve(objective, preferences, observer).map_err(|no| no_outcome(&round, no, observer))
    })?;
    let Solution { pairs, evidence, .. } = &solution;
    let check = timer.stage(Stage::Certify, |observer| {
        let pinned = PinnedProblem::new(&problem, &wishes, observer)?;
        Ok::<_, NoOutcome>(pinned.check(pairs, evidence, preferences, observer)?)
    })?;
    let shown = timer.stage(Stage::Explain, |observer| {
        let both = (pairs.as_slice(), wishes.pins.as_slice());
        let (matches, agree) = explain::describe_matches(&round, &scores, both, observer)?;
        let candidates = exclusion_counts::candidates(&scores, &round, observer)?;
        // The dense pass, the certifier and the explanations must agree.
        let agree = agree && candidates == check.candidates;
        let proof = Proof::new(check.proved, check.people_gap);
        let proof = if agree { proof } else { Proof::default() };
        shown(&round, (pairs, &wishes), matches, proof, observer)
    })?;
    let Shown { matches, unmatched, unmatched_for_managers, mut summary, summaries } = shown;
    if let Some(whole) = &mut summary.whole_round {
        whole.stage_micros = timer.micros;
    }
    let Check { primal, dual, candidates, .. } = check;
    let Solution { evidence, counters, .. } = solution;
    let certificate = RunCertificate { evidence, primal, dual, candidates_checked: candidates };
    let first_days = round.calendar.first_days().to_vec();
    Ok(Outcome {
        matches,
        unmatched,
        unmatched_for_managers,
        summary,
        summaries,
        certificate,
        counters,
        first_days,
    })
}

/// Pairs by position, sorted, and whether no assignment is better.
pub(super) type Assigned = (Vec<(u32, u32)>, bool);

/// A best assignment of a round, without proof and reasons.
pub(super) fn assigned(
    snapshot: &Snapshot,
    most_kept: usize,
    observer: &dyn Observer,
) -> Result<Assigned, NoOutcome> {
    let round = Round::encode(snapshot, observer)?;
    let (mentees, mentors) = (round.demands(), round.seats());
    let wishes = wishes::wishes(&round);
    let scores = Scores::new(&round, observer)?;
    let problem = whole(&mentees, &mentors, &scores);
    let conflicts = wishes::conflicts(&round, &problem, observer)?;
    if !conflicts.is_empty() {
        return Err(NoOutcome::Decisions(conflicts));
    }
    expect_nested(&round)?;
    let objective = snapshot.objective();
    let cache = match objective {
        Objective::Stable => None,
        _ => ScoreCache::compute(&scores, mentees.len(), mentors.len(), most_kept, observer)?,
    };
    let cached = cache.map(|cache| CachedScores::new(&scores, mentors.len(), cache));
    let to_solve = Problem { scores: cached.as_ref().map_or(problem.scores, |cached| cached), ..problem };
    let (by_mentees, by_mentors) = (Preferred::by_mentees(&scores), Preferred::by_mentors(&scores));
    let preferences = Some(PreferenceLists { mentees: &by_mentees, mentors: Some(&by_mentors) });
    let pinned = PinnedProblem::new(&to_solve, &wishes, observer)?;
    let solution = pinned.solve(objective, preferences, observer);
    let solution = solution.map_err(|no| no_outcome(&round, no, observer))?;
    let is_exact = !solution.evidence.leaves_gap();
    Ok((solution.pairs, is_exact))
}

fn whole<'a>(mentees: &'a [Demand], mentors: &'a [Seats], scores: &'a dyn PairScores) -> Problem<'a> {
    Problem { mentees, mentors, scores, coverage_first: true }
}

/// Refuses a round whose quotas overlap.
fn expect_nested(round: &Round<'_>) -> Result<(), NoOutcome> {
    match RoundQuotas::of(round, OwnLimits::Hidden) {
        Ok(_) => Ok(()),
        Err(overlap) => Err(NoOutcome::Quotas(vec![overlap.reason()])),
    }
}

/// Why a round has no outcome. Decisions are named if its quotas can be met without them.
fn no_outcome(round: &Round<'_>, no: NoSolution, observer: &dyn Observer) -> NoOutcome {
    let NoSolution::Unmet(why) = no else { return NoOutcome::Stopped };
    let decisions = &round.snapshot.decisions;
    let told = || {
        // Decisions are a cause only where it is proved that no result keeps the quotas.
        let is_proved = matches!(why, Unmet::Cut(..) | Unmet::Together);
        let may_be_decisions = is_proved && !decisions.is_empty();
        if may_be_decisions && unmet::possible_without_decisions(round.snapshot, observer)? {
            let (cause, decisions) = (ConflictCause::BoundsUnmet, decisions.clone());
            return Ok::<_, Stopped>(NoOutcome::Decisions(vec![DecisionConflict { cause, decisions }]));
        }
        Ok(NoOutcome::Quotas(unmet::reasons_of(round, &why, observer)?))
    };
    told().unwrap_or(NoOutcome::Stopped)
}

/// Checks the stored matches of a round against its certificate, from scratch. Returns what the certificate proves of
/// them: the optimum, a bound of the best result found, or nothing.
pub fn verify(
    snapshot: &Snapshot,
    matches: &[(ProfileRef, ProfileRef)],
    certificate: &RunCertificate,
    options: &Options,
    observer: &dyn Observer,
) -> Result<Proof, Stopped> {
    pool::on_threads(options.threads, || {
        let round = Round::encode(snapshot, observer)?;
        let scores = Scores::new(&round, observer)?;
        let Some(mut pairs) = positions(&round, matches) else { return Ok(Proof::default()) };
        pairs.sort_unstable();
        let (mentees, mentors) = (round.demands(), round.seats());
        let problem = whole(&mentees, &mentors, &scores);
        let wishes = wishes::wishes(&round);
        let pinned = PinnedProblem::if_possible(&problem, &wishes, observer)?;
        let Some(pinned) = pinned else { return Ok(Proof::default()) };
        let (by_mentees, by_mentors) = (Preferred::by_mentees(&scores), Preferred::by_mentors(&scores));
        let preferences = Some(PreferenceLists { mentees: &by_mentees, mentors: Some(&by_mentors) });
        let check = pinned.check(&pairs, &certificate.evidence, preferences, observer)?;
        let Check { proved, people_gap, primal, dual, candidates, .. } = check;
        let is_as_stored = (primal, dual, candidates)
            == (certificate.primal, certificate.dual, certificate.candidates_checked);
        let is_of_objective = certificate.evidence.objective() == snapshot.objective();
        Ok(if is_as_stored && is_of_objective { Proof::new(proved, people_gap) } else { Proof::default() })
    })
}

/// The positions of matched people; `None` if one of them does not take part in the role of her match.
fn positions(round: &Round<'_>, matches: &[(ProfileRef, ProfileRef)]) -> Option<Vec<(u32, u32)>> {
    let positions = Positions::of(round);
    matches.iter().map(|(mentee, mentor)| positions.pair(mentee, mentor)).collect()
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

    fn stage<T, E: From<Stopped>>(
        &mut self,
        stage: Stage,
        work: impl FnOnce(&dyn Observer) -> Result<T, E>,
    ) -> Result<T, E> {
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
