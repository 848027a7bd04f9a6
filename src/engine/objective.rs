//! Objectives: one entry point to solve a problem, and one to check a solution.
//!
//! All objectives take a [`Problem`] and return a [`Solution`]; they differ in method and proof. [`check`] verifies a
//! solution of any objective with the code of [`mod@certify`], which shares nothing with the solvers.

use std::collections::BTreeSet;

use super::assign::{SolverStatistics, assign, assign_from};
use super::certificate::Certificate;
use super::certify::{self, CertificateVerdict, Infeasible, Stability, certify, certify_within};
use super::directions;
use super::exchange::MatchBounds;
use super::fairest::{Fairest, Fairness, fairest_following};
use super::following::Following;
use super::groups::Quotas;
use super::observer::{CumulativeProgress, Observer, OffsetProgress, Stopped};
use super::pair_scores::{FORBIDDEN, MaskedScores, PairScores, ThresholdedScores};
use super::problem::Problem;
use super::solution::{Bounded, Evidence, Limited, LimitedProof, Solution};
use super::stable::{PreferenceLists, Stable, stable};
use crate::domain::policy::Objective;

/// Result of the check of a solution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Whether the assignment keeps all rules; if not, the first broken rule.
    pub feasible: Result<(), Infeasible>,
    /// Whether the assignment keeps all rules and is proved optimal at its objective.
    pub proved: bool,
    /// `dual - primal`; 0 for STABLE.
    pub gap: i128,
    /// Value of the assignment under the certificate's weights; 0 for STABLE.
    pub primal: i128,
    /// Upper bound on the value of every assignment under the same weights; 0 for STABLE.
    pub dual: i128,
    /// Number of candidates: pairs that the hard rules allow.
    pub candidates: u64,
    /// Number of blocking pairs, for STABLE only; see [`certify::stability`].
    pub blocking_pairs: u64,
    /// Mentees with a mentor by whom a better assignment could exceed this one at most: 0 if proved. `None` if the evidence
    /// shows no such bound; then the assignment must not be used.
    pub people_gap: Option<u64>,
}

/// Solves a problem. Without `preferences`, both sides rank each other by the scores of the problem.
pub fn solve(
    problem: &Problem<'_>,
    objective: Objective,
    preferences: Option<PreferenceLists<'_>>,
    observer: &dyn Observer,
) -> Result<Solution, Stopped> {
    solve_following(problem, objective, preferences, None, observer)
}

/// Solves a problem like [`solve`], where kept pairs count with the scores. For STABLE they change nothing: its result is
/// determined by the preferences alone.
pub(super) fn solve_following(
    problem: &Problem<'_>,
    objective: Objective,
    preferences: Option<PreferenceLists<'_>>,
    following: Option<&Following>,
    observer: &dyn Observer,
) -> Result<Solution, Stopped> {
    let observer = &CumulativeProgress::new(observer);
    let followed = following
        .filter(|_| objective == Objective::BestTotal)
        .map(|following| following.scores(problem.scores));
    let scores: &dyn PairScores = followed.as_ref().map_or(problem.scores, |followed| followed);
    let problem = &problem.with_scores(scores);
    if let Some(solution) = directions::solve(problem, objective, following, observer)? {
        return Ok(solution);
    }
    match objective {
        Objective::BestTotal => {
            let start = following.and_then(|following| following.start(problem));
            let found = match start {
                Some(start) => assign_from(problem, &start, observer)?,
                None => assign(problem, observer)?,
            };
            Ok(found.into())
        }
        Objective::Fairest => {
            let Fairest { pairs, fairness, frontier, counters } =
                fairest_following(problem, following, observer)?;
            let evidence = Evidence::Fairest(Box::new(fairness));
            Ok(Solution { pairs, evidence, frontier, stable_size: None, counters })
        }
        Objective::Stable => {
            let Stable { pairs, proposals, size } =
                stable(problem, preferences.unwrap_or_else(|| same(problem)), observer)?;
            let counters = SolverStatistics { bids: proposals, ..SolverStatistics::default() };
            let (evidence, frontier) = (Evidence::Stable, Vec::new());
            Ok(Solution { pairs, evidence, frontier, stable_size: Some(size), counters })
        }
    }
}

/// Checks a solution from scratch, over all pairs.
pub fn check(
    problem: &Problem<'_>,
    pairs: &[(u32, u32)],
    evidence: &Evidence,
    preferences: Option<PreferenceLists<'_>>,
    observer: &dyn Observer,
) -> Result<Check, Stopped> {
    check_within(problem, &Quotas::default(), pairs, evidence, preferences, observer)
}

/// Checks a solution that [`solve_following`] computes.
pub(super) fn check_following(
    problem: &Problem<'_>,
    pairs: &[(u32, u32)],
    evidence: &Evidence,
    preferences: Option<PreferenceLists<'_>>,
    (following, bounds): (Option<&Following>, &MatchBounds),
    observer: &dyn Observer,
) -> Result<Check, Stopped> {
    let followed = following
        .filter(|_| evidence.objective() == Objective::BestTotal)
        .map(|following| following.scores(problem.scores));
    let scores: &dyn PairScores = followed.as_ref().map_or(problem.scores, |followed| followed);
    let problem = &problem.with_scores(scores);
    check_parts(problem, (bounds, following), pairs, evidence, preferences, observer)
}

/// Checks a solution of a problem with quotas. Only BEST_TOTAL supports quotas.
pub(super) fn check_within(
    problem: &Problem<'_>,
    quotas: &Quotas,
    pairs: &[(u32, u32)],
    evidence: &Evidence,
    preferences: Option<PreferenceLists<'_>>,
    observer: &dyn Observer,
) -> Result<Check, Stopped> {
    let bounds = MatchBounds { quotas: quotas.clone(), ..MatchBounds::default() };
    check_parts(problem, (&bounds, None), pairs, evidence, preferences, observer)
}

/// Checks a solution. `following` is for FAIREST; for BEST_TOTAL the scores of the problem count the kept pairs already.
fn check_parts(
    problem: &Problem<'_>,
    (bounds, following): (&MatchBounds, Option<&Following>),
    pairs: &[(u32, u32)],
    evidence: &Evidence,
    preferences: Option<PreferenceLists<'_>>,
    observer: &dyn Observer,
) -> Result<Check, Stopped> {
    let mut blocking_pairs = 0;
    let opposites = problem.scores.opposites();
    let quotas = &bounds.quotas;
    let (verdict, proved) = match evidence {
        Evidence::Limited(limited) => {
            return check_limited(problem, (bounds, following), pairs, limited, observer);
        }
        Evidence::Bounded(bounded) => {
            let Bounded { evidence, people } = &**bounded;
            let inner = check_parts(problem, (bounds, following), pairs, evidence, preferences, observer)?;
            let most = match opposites {
                Some(opposites) => certify::most_people(problem, opposites, people, observer)?,
                None => None,
            };
            let has: BTreeSet<u32> = pairs.iter().map(|pair| pair.0).collect();
            let gap = most.and_then(|most| most.checked_sub(has.len() as u64));
            let holds = inner.feasible.is_ok() && inner.gap >= 0;
            let people_gap = inner.people_gap.or(gap.filter(|_| holds));
            return Ok(Check { people_gap, ..inner });
        }
        Evidence::Branches(tree) => {
            let verdict = match opposites {
                Some(opposites) => certify::certify_branches(problem, opposites, pairs, tree, observer)?,
                None => certify_within(problem, quotas, &[], &Certificate::default(), observer)?,
            };
            let proved = opposites.is_some() && verdict.proved();
            (verdict, proved)
        }
        Evidence::BestTotal(certificate) => {
            let verdict = certify_within(problem, quotas, pairs, certificate, observer)?;
            let feasible = verdict.feasible.and_then(|()| certify::keeps_limits(bounds, pairs));
            let verdict = CertificateVerdict { feasible, ..verdict };
            let proved = verdict.proved();
            (verdict, proved)
        }
        Evidence::FairBranches(fairness) => {
            let opposites = opposites.cloned().unwrap_or_default();
            check_fairness((problem, following), pairs, fairness, observer, &|part, pairs, tree| {
                certify::certify_branches(part, &opposites, pairs, tree, observer)
            })?
        }
        Evidence::Fairest(fairness) => {
            check_fairness((problem, following), pairs, fairness, observer, &|part, pairs, one| {
                certify(part, pairs, one, observer)
            })?
        }
        Evidence::Stable => {
            let broken = certify::broken_rule(problem, pairs, observer)?;
            let broken = broken.or(certify::keeps_limits(bounds, pairs).err());
            // Blocking pairs are undefined for an assignment that breaks a rule.
            let pairs = if broken.is_none() { pairs } else { &[] };
            let seen = stability(problem, pairs, preferences, observer)?;
            if broken.is_none() {
                blocking_pairs = seen.blocking_pairs;
            }
            let proved = broken.is_none() && blocking_pairs == 0;
            let feasible = broken.map_or(Ok(()), Err);
            (CertificateVerdict { feasible, primal: 0, dual: 0, candidates: seen.candidates }, proved)
        }
    };
    let CertificateVerdict { feasible, primal, dual, candidates } = verdict;
    let people_gap = proved.then_some(0);
    Ok(Check { feasible, proved, gap: dual - primal, primal, dual, candidates, blocking_pairs, people_gap })
}

/// Checks a result under quotas or limits of exchange.
fn check_limited(
    problem: &Problem<'_>,
    (bounds, following): (&MatchBounds, Option<&Following>),
    pairs: &[(u32, u32)],
    Limited { proof, people }: &Limited,
    observer: &dyn Observer,
) -> Result<Check, Stopped> {
    let opposites = problem.scores.opposites();
    let (verdict, is_best) = match proof {
        LimitedProof::BestTotal(tree) => {
            let verdict = certify::certify_limited(problem, (bounds, opposites), pairs, tree, observer)?;
            let proved = verdict.proved();
            (verdict, proved)
        }
        LimitedProof::Fairest(fairness) => {
            check_fairness((problem, following), pairs, fairness, observer, &|part, pairs, tree| {
                certify::certify_limited(part, (bounds, opposites), pairs, tree, observer)
            })?
        }
    };
    let kept = certify::keeps_quotas(&bounds.quotas, pairs)
        .and_then(|()| certify::keeps_limits(bounds, pairs))
        .and_then(|()| certify::keeps_directions(problem, pairs));
    let CertificateVerdict { feasible, primal, dual, candidates } = verdict;
    let feasible = feasible.and(kept);
    let proved = is_best && feasible.is_ok();
    let people_gap = match people {
        _ if proved => Some(0),
        Some(tree) if feasible.is_ok() && dual >= primal && dual < i128::MAX => {
            let most = certify::most_people_limited(problem, bounds, tree, observer)?;
            let free = |pair: &&(u32, u32)| problem.mentees[pair.0 as usize].pinned == 0;
            let has: BTreeSet<u32> = pairs.iter().filter(free).map(|pair| pair.0).collect();
            most.and_then(|most| most.checked_sub(has.len() as u64))
        }
        _ => None,
    };
    let blocking_pairs = 0;
    Ok(Check {
        feasible,
        proved,
        gap: dual.saturating_sub(primal),
        primal,
        dual,
        candidates,
        blocking_pairs,
        people_gap,
    })
}

/// Number of blocking pairs of an assignment.
pub fn blocking_pairs(
    problem: &Problem<'_>,
    pairs: &[(u32, u32)],
    preferences: Option<PreferenceLists<'_>>,
    observer: &dyn Observer,
) -> Result<u64, Stopped> {
    // This pass follows the check of the assignment, which reports the same number of rows.
    let rows = problem.mentees.len() as u64;
    let observer = &OffsetProgress { observer, done: rows, total: rows };
    if let Some(opposites) = problem.scores.opposites() {
        // The opposite of a pair of the assignment may not be used, so it blocks nothing.
        let open = MaskedScores::new(problem.scores, opposites.barred(pairs), observer)?;
        return stability(&problem.with_scores(&open), pairs, preferences, observer)
            .map(|stability| stability.blocking_pairs);
    }
    stability(problem, pairs, preferences, observer).map(|stability| stability.blocking_pairs)
}

fn stability(
    problem: &Problem<'_>,
    pairs: &[(u32, u32)],
    preferences: Option<PreferenceLists<'_>>,
    observer: &dyn Observer,
) -> Result<Stability, Stopped> {
    let preferences = preferences.unwrap_or_else(|| same(problem));
    certify::stability(problem, preferences.mentees, preferences.mentors, pairs, observer)
}

/// Checks an assignment of a problem against a proof.
type Certifier<'a, C> = dyn Fn(&Problem<'_>, &[(u32, u32)], &C) -> Result<CertificateVerdict, Stopped> + 'a;

/// Checks three conditions of a fairest assignment: (1) no assignment whose pairs all score at least `floor` has a
/// greater total; (2) no assignment serves more people; (3) pairs that score more than `floor` cannot serve as many
/// people. Conditions 2 and 3 use a score of 0 for every candidate. Condition 3 holds if the bound is less than the
/// value of the assignment under the same weights.
fn check_fairness<C>(
    (problem, following): (&Problem<'_>, Option<&Following>),
    pairs: &[(u32, u32)],
    fairness: &Fairness<C>,
    observer: &dyn Observer,
    certify: &Certifier<'_, C>,
) -> Result<(CertificateVerdict, bool), Stopped> {
    let problem = &Problem { coverage_first: true, ..*problem };
    let floored = ThresholdedScores::new(problem.scores, fairness.floor, observer)?;
    let followed = following.map(|following| following.scores(&floored));
    let floored: &dyn PairScores = followed.as_ref().map_or(&floored, |followed| followed);
    let total = certify(&problem.with_scores(floored), pairs, &fairness.total)?;
    let everybody = ThresholdedScores::levelled(problem.scores, FORBIDDEN + 1, observer)?;
    let everybody = problem.with_scores(&everybody);
    let coverage = certify(&everybody, pairs, &fairness.coverage)?;
    let floor_is_met = pairs.is_empty() || {
        let higher = ThresholdedScores::levelled(problem.scores, fairness.floor.saturating_add(1), observer)?;
        let above = certify(&problem.with_scores(&higher), &[], &fairness.above)?;
        let here = certify(&everybody, pairs, &fairness.above)?;
        fairness.floor == i32::MAX
            || above.feasible.is_ok() && here.feasible.is_ok() && above.dual < here.primal
    };
    let feasible = total.feasible.and_then(|()| certify::keeps_directions(problem, pairs));
    let proved = feasible.is_ok() && total.primal == total.dual && coverage.proved() && floor_is_met;
    Ok((CertificateVerdict { candidates: coverage.candidates, feasible, ..total }, proved))
}

fn same<'a>(problem: &Problem<'a>) -> PreferenceLists<'a> {
    PreferenceLists { mentees: problem.scores, mentors: None }
}
