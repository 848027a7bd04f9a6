//! Why the quotas of a round cannot be met, in reasons.
//!
//! Input: a round whose bounds no assignment keeps. Output: reasons for coordinators.
//! Invariant: no reason depends on a private answer or on an organisation's own limit. The quotas are judged again by open answers
//! and by the policy alone; what these do not explain was stated in confidence, and one reason says so.

use std::collections::BTreeSet;

use super::{OwnLimits, RoundQuotas};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::policy::Objective;
use crate::domain::profile::{Language, Profile};
use crate::domain::snapshot::Snapshot;
use crate::engine::encode::Round;
use crate::engine::exchange::MatchBounds;
use crate::engine::limited::{self, Unmet};
use crate::engine::observer::{Observer, Stopped};
use crate::engine::pair_scores::{FORBIDDEN, ThresholdedScores};
use crate::engine::problem::Problem;
use crate::engine::quota::explanation::{Naming, Traits, reasons};
use crate::engine::score::Scores;

/// Reasons why the quotas of a round cannot be met; the decisions of the round count. Empty if they can be met by open answers
/// and by the policy alone.
pub(in crate::engine) fn by_open_answers(
    solved: &Round<'_>,
    observer: &dyn Observer,
) -> Result<Vec<Reason>, Stopped> {
    let round = solved.open(observer)?;
    let quotas = match RoundQuotas::of(&round, OwnLimits::Hidden) {
        Ok(quotas) => quotas,
        Err(overlap) => return Ok(vec![overlap.reason()]),
    };
    // Without floors the empty result keeps all bounds.
    if quotas.bounds.quotas.is_empty() {
        return Ok(Vec::new());
    }
    let scores = Scores::new(&round, observer)?;
    let (mentees, mentors) = (round.demands(), round.seats());
    let problem = Problem { mentees: &mentees, mentors: &mentors, scores: &scores, coverage_first: true };
    let Some(unmet) = unmet(&problem, &quotas.bounds, observer)? else { return Ok(Vec::new()) };
    Ok(match unmet {
        Unmet::Cut(cut) => {
            let (cut, terms) = *cut;
            reasons(&problem, &cut, &terms, &RoundNaming { round: &round, quotas: &quotas })
        }
        Unmet::Together => vec![Reason::new(ReasonCode::QuotasTogether)],
        Unmet::NotFound | Unmet::TooLarge | Unmet::Stable => vec![Reason::new(ReasonCode::QuotasNotFound)],
    })
}

/// Why a round has no result, for coordinators. At least one reason.
pub(in crate::engine) fn reasons_of(
    round: &Round<'_>,
    unmet: &Unmet,
    observer: &dyn Observer,
) -> Result<Vec<Reason>, Stopped> {
    if *unmet == Unmet::Stable {
        return Ok(vec![Reason::new(ReasonCode::QuotasStable)]);
    }
    let mut reasons = by_open_answers(round, observer)?;
    if reasons.is_empty() {
        let code = match unmet {
            Unmet::Cut(..) | Unmet::Together => ReasonCode::QuotasConfidential,
            Unmet::NotFound | Unmet::TooLarge | Unmet::Stable => ReasonCode::QuotasNotFound,
        };
        reasons.push(Reason::new(code));
    }
    Ok(reasons)
}

/// Whether the bounds of a round can be met without its decisions.
pub(in crate::engine) fn possible_without_decisions(
    snapshot: &Snapshot,
    observer: &dyn Observer,
) -> Result<bool, Stopped> {
    let free = Snapshot { decisions: Vec::new(), follows: None, ..snapshot.clone() };
    let round = Round::encode(&free, observer)?;
    let Ok(quotas) = RoundQuotas::of(&round, OwnLimits::Counted) else { return Ok(false) };
    let scores = Scores::new(&round, observer)?;
    let (mentees, mentors) = (round.demands(), round.seats());
    let problem = Problem { mentees: &mentees, mentors: &mentors, scores: &scores, coverage_first: true };
    Ok(unmet(&problem, &quotas.bounds, observer)?.is_none())
}

/// Why the bounds of a problem cannot be met, if they cannot. All candidates count alike.
fn unmet(
    problem: &Problem<'_>,
    bounds: &MatchBounds,
    observer: &dyn Observer,
) -> Result<Option<Unmet>, Stopped> {
    let level = ThresholdedScores::levelled(problem.scores, FORBIDDEN + 1, observer)?;
    let level = problem.with_scores(&level);
    let found = limited::solve(&level, bounds, Objective::BestTotal, None, observer)?;
    Ok(found.err())
}

/// Supplies what people of a round have in common, by open answers, and the codes of the groups.
struct RoundNaming<'a, 'r> {
    round: &'a Round<'r>,
    quotas: &'a RoundQuotas,
}

impl RoundNaming<'_, '_> {
    fn traits(&self, organisation: String, profile: &Profile) -> Traits {
        let level = self.round.snapshot.policy.rules.min_language_level;
        let languages = profile.languages.iter().filter(|language| language.level >= level);
        let modes = profile.meeting_modes;
        let modes = [("virtual", modes.by_call), ("in_person", modes.in_person)];
        Traits {
            organisation: BTreeSet::from([organisation]),
            region: BTreeSet::from([profile.country.region().code().to_owned()]),
            languages: languages.map(Language::primary).map(str::to_owned).collect(),
            modes: modes.into_iter().filter(|mode| mode.1).map(|mode| mode.0.to_owned()).collect(),
        }
    }
}

impl Naming for RoundNaming<'_, '_> {
    fn mentee(&self, mentee: usize) -> Traits {
        let person = self.round.mentee(mentee);
        self.traits(person.profile.organisation.to_string(), person.content)
    }

    fn mentor(&self, mentor: usize) -> Traits {
        let person = self.round.mentor(mentor);
        self.traits(person.profile.organisation.to_string(), person.content)
    }

    fn mentee_group(&self, group: usize) -> String {
        self.quotas.mentee_groups.get(group).cloned().unwrap_or_default()
    }

    fn mentor_group(&self, group: usize) -> String {
        self.quotas.mentor_groups.get(group).cloned().unwrap_or_default()
    }
}
