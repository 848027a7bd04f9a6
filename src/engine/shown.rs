//! Everything that leaves the engine about a solved round: matches, people without a match, and summaries.
//!
//! Input: the encoded round with all answers, and the matches by position. Output: [`Shown`].
//! Invariant: a private answer changes the output only through the matches and through what is proved of them. All pairs are
//! judged again from the open answers, and what is counted or compared is counted and compared there. What is proved, and
//! the bound of a result that is only the best found, depend on all answers; a manager reads no number of them. The
//! certificate, which contains private points, is not part of the output.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::assign::assign;
use super::encode::Round;
use super::following::KeptWorth;
use super::observer::{Observer, Stopped};
use super::pinned_problem::{NoSolution, PinnedProblem, Wishes};
use super::problem::Problem;
use super::round_quotas::{OwnLimits, RoundQuotas};
use super::score::Scores;
use super::{explain, headcount, objective, summary, unmatched};
use crate::domain::name::OrganisationId;
use crate::domain::policy::Objective;
use crate::domain::run::{Match, Proof, RunSummary, Unmatched};

/// What people read of a run.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    /// The matches, best score first, then by mentee and mentor.
    pub(super) matches: Vec<Match>,
    /// Everyone without a match, as coordinators read it.
    pub(super) unmatched: Vec<Unmatched>,
    /// The same people as the manager of each person's organisation reads it.
    pub(super) unmatched_for_managers: Vec<Unmatched>,
    /// Numbers for coordinators.
    pub(super) summary: RunSummary,
    /// Numbers for the manager of each organisation that takes part.
    pub(super) summaries: BTreeMap<OrganisationId, RunSummary>,
}

/// Describes the round `solved` with its `wishes`. `matches` are the described pairs of `pairs`, and `proof` is what is proved of them; it counts
/// only if everyone enrolled ends in a match or in a reason. The caller adds the times per stage.
pub(super) fn shown(
    solved: &Round<'_>,
    (pairs, wishes): (&[(u32, u32)], &Wishes),
    matches: Vec<Match>,
    proof: Proof,
    observer: &dyn Observer,
) -> Result<Shown, Stopped> {
    let round = solved.open(observer)?;
    let snapshot = round.snapshot;
    let scores = Scores::new(&round, observer)?;
    let everyone = unmatched::unmatched(&round, &scores, pairs, observer)?;
    let adds_up = headcount::adds_up(snapshot, &matches, &everyone.for_coordinators, observer)?;
    let proof = if adds_up { proof } else { Proof::default() };
    let summaries = summary::summarise(&round, &matches, &everyone.counts, &proof, observer)?;
    let mut summary = summaries.whole;
    if let Some(whole) = &mut summary.whole_round {
        let (mentees, mentors) = (round.demands(), round.seats());
        // Limits of organisations of their own must not show.
        let bounds = RoundQuotas::of(&round, OwnLimits::Hidden).unwrap_or_default().bounds;
        let wishes = &Wishes { bounds, ..wishes.clone() };
        let problem = Problem { mentees: &mentees, mentors: &mentors, scores: &scores, coverage_first: true };
        whole.blocking_pairs = match snapshot.objective() {
            Objective::Stable => 0,
            _ => objective::blocking_pairs(&problem, pairs, None, observer)?,
        };
        whole.price_of_fairness = match snapshot.objective() {
            Objective::Fairest => {
                let free =
                    Wishes { pins: wishes.pins.clone(), bounds: wishes.bounds.clone(), ..Wishes::default() };
                let best = total(&round, &scores, &problem, (Objective::BestTotal, &free), observer)?;
                best.map(|best| best.saturating_sub(summary.total_score))
            }
            Objective::BestTotal | Objective::Stable => None,
        };
        whole.price_of_stability = price_of_stability(&round, &scores, &problem, wishes, observer)?;
        whole.most_matched_mentees = match snapshot.objective() {
            Objective::Stable => Some(most_mentees(&problem, observer)?.max(summary.matched_mentees)),
            Objective::BestTotal | Objective::Fairest => None,
        };
    }
    Ok(Shown {
        matches,
        unmatched: everyone.for_coordinators,
        unmatched_for_managers: everyone.for_managers,
        summary,
        summaries: summaries.by_organisation,
    })
}

/// The mentees of an assignment that matches as many mentees as possible. The first aim of the best total is the number of
/// mentees by tier, and the sets of mentees that can be matched together are those of a transversal matroid, so that the
/// greatest number of each tier in turn is the greatest number of all. Two people who are each other's mentor at the same time
/// are not left out, so that the number is a bound.
fn most_mentees(problem: &Problem<'_>, observer: &dyn Observer) -> Result<u64, Stopped> {
    let best = assign(problem, observer)?;
    Ok(best.pairs.chunk_by(|one, other| one.0 == other.0).count() as u64)
}

/// The shown points that stability costs: the total of the result by open answers without it, less the total with it. Both
/// follow the same run, so that the price of a stability that changes nothing is 0. `None` without anything to keep.
fn price_of_stability(
    round: &Round<'_>,
    scores: &Scores<'_>,
    problem: &Problem<'_>,
    wishes: &Wishes,
    observer: &dyn Observer,
) -> Result<Option<u64>, Stopped> {
    let objective = round.snapshot.objective();
    // A repair has no stability: its kept pairs come before the scores, whatever they cost.
    let has_price = matches!(wishes.worth, KeptWorth::Points(points) if points > 0);
    if !has_price || wishes.followed.is_empty() || objective == Objective::Stable {
        return Ok(None);
    }
    let without = Wishes { worth: KeptWorth::Points(0), ..wishes.clone() };
    let without = total(round, scores, problem, (objective, &without), observer)?;
    let with = total(round, scores, problem, (objective, wishes), observer)?;
    Ok(without.zip(with).map(|(without, with)| without.saturating_sub(with)))
}

/// The total shown score of the assignment that is best at an objective by open answers, with all pins; `None` if it is only
/// the best found, or if a pin is no candidate by open answers. Which assignment is best with the private answers must not
/// show, so that it is no measure here.
fn total(
    round: &Round<'_>,
    scores: &Scores<'_>,
    problem: &Problem<'_>,
    (objective, wishes): (Objective, &Wishes),
    observer: &dyn Observer,
) -> Result<Option<u64>, Stopped> {
    let pinned = PinnedProblem::if_possible(problem, wishes, observer)?;
    let Some(pinned) = pinned else { return Ok(None) };
    let best = match pinned.solve(objective, None, observer) {
        Ok(best) if !best.evidence.leaves_gap() => best,
        Ok(_) | Err(NoSolution::Unmet(_)) => return Ok(None),
        Err(NoSolution::Stopped) => return Err(Stopped),
    };
    let shown = |(mentee, mentor): &(u32, u32)| {
        observer.check()?;
        Ok(u64::from(explain::shown_score(round, scores, *mentee as usize, *mentor as usize)))
    };
    best.pairs.par_iter().map(shown).sum::<Result<u64, Stopped>>().map(Some)
}
