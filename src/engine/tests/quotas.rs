//! Rounds under quotas and limits, on the way of a run, against every assignment that there is.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;

use super::synthetic::Shape;
use crate::domain::explanation::ReasonCode;
use crate::domain::leaf::Seals;
use crate::domain::name::{OrganisationId, ProfileRef};
use crate::domain::organisation::{OrganisationRules, PlaceLimits};
use crate::domain::policy::Objective;
use crate::domain::quota::{ExchangeLimit, PolicyQuotas, Quota, QuotaSide};
use crate::domain::run::{Proof, Standing};
use crate::domain::snapshot::Snapshot;
use crate::engine::assign::tests::case::Case;
use crate::engine::encode::Round;
use crate::engine::observer::Unobserved;
use crate::engine::pair_scores::{FORBIDDEN, PairScores};
use crate::engine::score::Scores;
use crate::engine::{NoOutcome, Options, Outcome, solve, verify};

type Pair = (ProfileRef, ProfileRef);

fn organisation(at: usize) -> OrganisationId {
    format!("wim-{at}").parse().expect("an id")
}

/// Small rounds of three organisations under a policy with quotas. `own` are limits of organisations of their own.
fn bounded() -> impl Strategy<Value = Snapshot> {
    let bounds = (any::<bool>(), 0..3_usize, 0..3_u32, weighted(0.6, 0..3_u32));
    let limit = (weighted(0.5, 0..3_u32), weighted(0.5, 0..3_u32));
    let people = (2..6_usize, 2..5_usize, prop_oneof![3 => Just(0_usize), 1 => 1..3_usize], 0..1_000_u64);
    let exchange = (weighted(0.4, limit.clone()), weighted(0.4, limit.clone()), weighted(0.4, limit));
    (people, vec(bounds, 0..3), exchange, any::<bool>(), prop::bool::weighted(0.4)).prop_map(
        |((mentees, mentors, both, seed), drawn, (everybody, first, own), fair, ruled)| {
            let shape = Shape { both, seed, unusual: 0, missing: 30, ..Shape::usual(mentees, mentors) };
            let mut snapshot = shape.make();
            snapshot.policy.objective = if fair { Objective::Fairest } else { Objective::BestTotal };
            snapshot.organisations =
                (0..3).map(|at| (organisation(at), OrganisationRules::default())).collect();
            let mut quotas = PolicyQuotas::default();
            for (is_mentees, at, least, more) in drawn {
                let side = if is_mentees { QuotaSide::Mentees } else { QuotaSide::Mentors };
                let organisation = Some(organisation(at));
                let most = more.map(|more| least + more);
                if quotas.quotas.iter().all(|one| (one.side, &one.organisation) != (side, &organisation)) {
                    quotas.quotas.push(Quota { side, region: None, organisation, least, most });
                }
            }
            let limits = [(None, everybody), (Some(organisation(0)), first)];
            quotas.exchange = (limits.into_iter())
                .filter_map(|(organisation, limit)| {
                    let (most_given, most_taken) = limit?;
                    Some(ExchangeLimit { organisation, most_given, most_taken })
                })
                .collect();
            snapshot.policy.quotas = quotas;
            snapshot.policy.require_least_places = ruled;
            let offers = snapshot.participants.iter_mut().filter_map(|one| one.content.mentor_offer.as_mut());
            for offer in offers.filter(|offer| ruled && offer.max_mentees > 1) {
                offer.min_mentees = Some(2);
            }
            if let Some((most_given, most_taken)) = own {
                snapshot.organisations[1].1.limits = PlaceLimits { most_given, most_taken };
            }
            snapshot.sort();
            snapshot
        },
    )
}

/// Whether pairs keep every quota, every limit and the least places, judged by names alone.
fn keeps(snapshot: &Snapshot, pairs: &[Pair]) -> bool {
    let policy = &snapshot.policy.quotas;
    let own: BTreeMap<&OrganisationId, PlaceLimits> = snapshot.own_limits().collect();
    let quotas = policy.quotas.iter().all(|quota| {
        let of = |pair: &Pair| match quota.side {
            QuotaSide::Mentees => pair.0.organisation.clone(),
            QuotaSide::Mentors => pair.1.organisation.clone(),
        };
        let has = pairs.iter().filter(|pair| quota.organisation.as_ref() == Some(&of(pair))).count();
        has >= quota.least as usize && quota.most.is_none_or(|most| has <= most as usize)
    });
    let limits = snapshot.organisations.iter().all(|(id, _)| {
        let crossing = || pairs.iter().filter(|pair| pair.0.organisation != pair.1.organisation);
        let given = crossing().filter(|pair| pair.1.organisation == *id).count();
        let taken = crossing().filter(|pair| pair.0.organisation == *id).count();
        let within = |most: Option<u32>, has: usize| most.is_none_or(|most| has <= most as usize);
        let of_policy = policy
            .exchange_of(id)
            .is_none_or(|limit| within(limit.most_given, given) && within(limit.most_taken, taken));
        of_policy
            && own
                .get(id)
                .is_none_or(|limit| within(limit.most_given, given) && within(limit.most_taken, taken))
    });
    let least = snapshot.participants.iter().all(|mentor| {
        let has = pairs.iter().filter(|pair| pair.1 == mentor.profile).count();
        let least = mentor.content.mentor_offer.and_then(|offer| offer.min_mentees).unwrap_or_default();
        !snapshot.policy.require_least_places || has == 0 || has >= usize::from(least)
    });
    quotas && limits && least
}

fn pairs(outcome: &Outcome) -> Vec<Pair> {
    outcome.matches.iter().map(|one| (one.mentee.clone(), one.mentor.clone())).collect()
}

fn run(snapshot: &Snapshot) -> Result<Outcome, NoOutcome> {
    solve(snapshot, &Options::default(), &Unobserved)
}

/// The value of pairs at the objective of a round.
fn value(case: &Case, fair: bool, pairs: &[(u32, u32)]) -> Vec<i64> {
    let mut value = case.value(pairs);
    if fair {
        let scores = pairs.iter().map(|pair| i64::from(case.score(pair.0 as usize, pair.1 as usize)));
        let mut served: Vec<u32> = pairs.iter().map(|pair| pair.0).collect();
        served.sort_unstable();
        served.dedup();
        value = vec![i64::try_from(served.len()).unwrap(), scores.min().unwrap_or_default()];
    }
    value
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_run_under_quotas_is_the_best_that_keeps_them(snapshot in bounded()) {
        let round = Round::encode(&snapshot, &Unobserved).unwrap();
        let scores = Scores::new(&round, &Unobserved).unwrap();
        let mut cells = vec![FORBIDDEN; round.mentees.len() * round.mentors.len()];
        if !cells.is_empty() {
            scores.tile(0..round.mentees.len(), 0..round.mentors.len(), &mut cells);
        }
        let case = Case { mentees: round.demands(), mentors: round.seats(), scores: cells, coverage_first: true };
        let name = |pair: &(u32, u32)| {
            (round.mentee(pair.0 as usize).profile.clone(), round.mentor(pair.1 as usize).profile.clone())
        };
        let fair = snapshot.policy.objective == Objective::Fairest;
        let keeps_all = |pairs: &[(u32, u32)]| {
            let mut sorted = pairs.to_vec();
            sorted.sort_unstable();
            let directed = scores.opposites().is_none_or(|all| all.both(&sorted).is_empty());
            directed && keeps(&snapshot, &pairs.iter().map(name).collect::<Vec<_>>())
        };
        let best = case.best_of_all(|pairs| keeps_all(pairs).then(|| value(&case, fair, pairs)));
        match run(&snapshot) {
            Ok(outcome) => {
                let found = pairs(&outcome);
                prop_assert!(keeps(&snapshot, &found), "{:?}", found);
                let proof = verify(&snapshot, &found, &outcome.certificate, &Options::default(), &Unobserved).unwrap();
                prop_assert_eq!(&proof, &outcome.summary.proof);
                prop_assert_ne!(proof.standing(), Standing::Unproved);
                let at = |pair: &Pair| {
                    let mentee = (0..round.mentees.len()).find(|at| *round.mentee(*at).profile == pair.0).unwrap();
                    let mentor = (0..round.mentors.len()).find(|at| *round.mentor(*at).profile == pair.1).unwrap();
                    (u32::try_from(mentee).unwrap(), u32::try_from(mentor).unwrap())
                };
                let found: Vec<(u32, u32)> = found.iter().map(at).collect();
                // With several aims before the scores, as many people as the best total are not always the most people.
                let is_plain = !fair || case.mentees.iter().all(|one| one.tier == 1 && one.wanted < 2)
                    && case.mentors.iter().all(|one| one.min == 0);
                if proof.proved && is_plain {
                    prop_assert_eq!(Some(value(&case, fair, &found)), best);
                }
                // A result with a pair less breaks a rule or is worse.
                let fewer: Vec<Pair> = pairs(&outcome).into_iter().skip(1).collect();
                let worse = verify(&snapshot, &fewer, &outcome.certificate, &Options::default(), &Unobserved).unwrap();
                prop_assert!(fewer.len() == outcome.matches.len() || worse == Proof::default() || !worse.proved);
            }
            Err(NoOutcome::Quotas(reasons)) => {
                prop_assert!(!reasons.is_empty());
                let lost = reasons.iter().any(|reason| reason.code == ReasonCode::QuotasNotFound);
                prop_assert!(best.is_none() || lost, "{:?} {:?}", reasons, best);
            }
            Err(other) => prop_assert!(false, "{other:?}"),
        }
    }

    /// A limit of its own that an organisation does not reach changes no byte of what anybody reads.
    #[test]
    fn an_own_limit_that_does_not_bite_changes_nothing_that_is_read(snapshot in bounded()) {
        let mut free = snapshot.clone();
        free.organisations.iter_mut().for_each(|(_, rules)| rules.limits = PlaceLimits::default());
        let Ok(without) = run(&free) else { return Ok(()) };
        let mut limited = free.clone();
        limited.organisations[1].1.limits = PlaceLimits { most_given: Some(1_000), most_taken: Some(1_000) };
        let with = run(&limited).expect("a limit that is not reached");
        prop_assert_eq!(pairs(&with), pairs(&without));
        prop_assert_eq!(&with.unmatched, &without.unmatched);
        prop_assert_eq!(&with.unmatched_for_managers, &without.unmatched_for_managers);
        let numbers = |outcome: &Outcome| {
            let mut summary = outcome.summary.clone();
            summary.whole_round.iter_mut().for_each(|whole| whole.stage_micros.clear());
            (summary, outcome.summaries.clone())
        };
        prop_assert_eq!(numbers(&with), numbers(&without));
        prop_assert_eq!(limited.open_head(), free.open_head());
        let seals = Seals::default();
        prop_assert_ne!(limited.digest(&[], &seals), free.digest(&[], &seals));
    }
}
