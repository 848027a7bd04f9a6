//! What operations see of the last run that succeeded: numbers of the whole round by open answers, as coordinators read
//! them. Each number has passed the suppression gate. Operations read no number about one organisation, so a base of fewer
//! than three is none; the scores of single pairs need the base of a percentage.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::name::OrganisationId;
use crate::domain::run::{RunSummary, Side, Stage, Unmatched};
use crate::domain::suppression::{FEWEST_ORGANISATIONS, Statistic, statistic};
use crate::store::RunOutcome;
use crate::telemetry::metrics::{
    BLOCKING_PAIRS, GAP, MATCH_RATE, Metrics, PAIRS_PER_SECOND, SCORE_MEDIAN, SCORE_WORST, UNMATCHED,
};

/// Shown points of a score of 1.
const POINTS: f64 = 100.0;

/// Numbers of a run; a number that is withheld is missing.
#[derive(Debug, Clone, Default, PartialEq)]
struct Quality {
    pairs_per_second: Option<f64>,
    match_rate: Option<f64>,
    worst: Option<f64>,
    median: Option<f64>,
    blocking_pairs: Option<u64>,
    gap: Option<f64>,
    unmatched: BTreeMap<&'static str, u64>,
}

/// How a value of the last run is read.
type Value = fn(&Quality) -> Option<f64>;

/// The last run of this process that succeeded.
#[derive(Debug)]
pub(super) struct LastRun(Mutex<Quality>);

impl LastRun {
    /// No run yet; `metrics` show the numbers of the next one.
    pub(super) fn shown_by(metrics: &Metrics) -> Arc<Self> {
        let last = Arc::new(Self(Mutex::default()));
        let values: [(_, Value); 5] = [
            (&PAIRS_PER_SECOND, |quality| quality.pairs_per_second),
            (&MATCH_RATE, |quality| quality.match_rate),
            (&SCORE_WORST, |quality| quality.worst),
            (&SCORE_MEDIAN, |quality| quality.median),
            (&GAP, |quality| quality.gap),
        ];
        for (metric, value) in values {
            let last = Arc::clone(&last);
            metrics.read(metric, move |readings| {
                if let Some(value) = value(&last.lock()) {
                    readings.value(value);
                }
            });
        }
        let shown = Arc::clone(&last);
        metrics.read(&BLOCKING_PAIRS, move |readings| {
            if let Some(pairs) = shown.lock().blocking_pairs {
                readings.count(pairs);
            }
        });
        let shown = Arc::clone(&last);
        metrics.read(&UNMATCHED, move |readings| {
            for (reason, people) in &shown.lock().unmatched {
                readings.labelled(&UNMATCHED, &[reason], *people);
            }
        });
        last
    }

    /// Shows the numbers of a run that has succeeded.
    pub(super) fn show(&self, outcome: &RunOutcome, metrics: &Metrics) {
        let quality = Quality::of(&outcome.summary, &outcome.unmatched);
        if let (Some(_), Some(whole)) = (quality.blocking_pairs, &outcome.summary.whole_round) {
            metrics.pairs_matched(whole.pairs);
        }
        *self.lock() = quality;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Quality> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Quality {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a metric is read as a double; counts stay below 2 to the power of 53"
    )]
    fn of(summary: &RunSummary, unmatched: &[Unmatched]) -> Self {
        let Some(whole) = &summary.whole_round else { return Self::default() };
        let mentees = || whole.organisations.values().map(|organisation| organisation.mentees);
        let counted = |part| match of_several(part, mentees()) {
            Statistic::Withheld => None,
            Statistic::Count(part) | Statistic::CountOf(part, _) => Some(part),
        };
        let is_shown = counted(0).is_some();
        let match_rate = match of_several(summary.matched_mentees, mentees()) {
            Statistic::CountOf(part, base) => Some(part as f64 / base as f64),
            Statistic::Count(_) | Statistic::Withheld => None,
        };
        let score = |score: u16| f64::from(score) / POINTS;
        let scoring = whole.stage_micros.iter().find(|(stage, _)| *stage == Stage::Score);
        let mut reasons: BTreeMap<&'static str, BTreeMap<&OrganisationId, u64>> = BTreeMap::new();
        for person in unmatched.iter().filter(|person| person.side == Some(Side::Mentee)) {
            let organisations = reasons.entry(person.reason.as_str()).or_default();
            *organisations.entry(&person.profile.organisation).or_default() += 1;
        }
        // The people of a reason are the base of their number.
        let of_reason = |organisations: &BTreeMap<_, u64>| {
            let people = organisations.values().sum();
            let is_enough = of_several(people, organisations.values().copied()) != Statistic::Withheld;
            is_enough.then_some(people)
        };
        Self {
            pairs_per_second: scoring
                .filter(|_| is_shown)
                .map(|(_, micros)| whole.pairs as f64 * 1e6 / (*micros).max(1) as f64),
            match_rate,
            worst: summary.scores.filter(|_| match_rate.is_some()).map(|scores| score(scores.worst)),
            median: summary.scores.filter(|_| match_rate.is_some()).map(|scores| score(scores.median)),
            blocking_pairs: counted(whole.blocking_pairs),
            gap: summary
                .proof
                .gap
                .filter(|_| is_shown)
                .map(|gap| gap as f64 / summary.matched_mentees.max(1) as f64),
            unmatched: reasons
                .into_iter()
                .filter_map(|(reason, organisations)| Some((reason, of_reason(&organisations)?)))
                .collect(),
        }
    }
}

/// What is published of a number about several organisations; nothing of a number about fewer.
fn of_several(part: u64, base: impl Iterator<Item = u64> + Clone) -> Statistic {
    let organisations = base.clone().filter(|people| *people > 0).count();
    if organisations < FEWEST_ORGANISATIONS { Statistic::Withheld } else { statistic(part, base) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::run::{Coverage, Proof, ScoreRange, WholeRound};

    /// A round with so many mentees of each organisation, half of them matched.
    fn summary(mentees: &[u64]) -> RunSummary {
        let whole: u64 = mentees.iter().sum();
        let organisations = mentees.iter().enumerate().map(|(at, mentees)| {
            let coverage = Coverage { mentees: *mentees, ..Coverage::default() };
            (format!("wim-{at}").parse().expect("an id"), coverage)
        });
        RunSummary {
            matched_mentees: whole / 2,
            scores: Some(ScoreRange { worst: 4_000, median: 6_250, best: 9_000 }),
            proof: Proof::new(true, Some(0)),
            whole_round: Some(WholeRound {
                pairs: 900,
                organisations: organisations.collect(),
                blocking_pairs: 3,
                stage_micros: vec![(Stage::Score, 1_000)],
                ..WholeRound::default()
            }),
            ..RunSummary::default()
        }
    }

    #[test]
    fn a_round_of_enough_people_of_enough_organisations_has_numbers() {
        let quality = Quality::of(&summary(&[10, 10, 10]), &[]);
        assert_eq!(quality.match_rate, Some(0.5));
        assert_eq!((quality.worst, quality.median), (Some(40.0), Some(62.5)));
        assert_eq!((quality.blocking_pairs, quality.gap), (Some(3), Some(0.0)));
        assert_eq!(quality.pairs_per_second, Some(900_000.0));
    }

    #[test]
    fn a_small_round_and_one_of_mostly_one_organisation_have_none() {
        for mentees in [&[4_u64][..], &[5], &[30], &[5, 4], &[50, 50], &[3, 3, 3], &[81, 10, 9]] {
            assert_eq!(Quality::of(&summary(mentees), &[]), Quality::default(), "{mentees:?}");
        }
        let few = Quality::of(&summary(&[4, 4, 4]), &[]);
        assert_eq!(
            (few.match_rate, few.median),
            (None, None),
            "neither a percentage nor a score of 12 people"
        );
        assert_eq!(few.blocking_pairs, Some(3));
    }
}
