use proptest::prelude::*;

use super::*;
use crate::engine::assign::assign;
use crate::engine::assign::tests::case::{Case, case, score};
use crate::engine::certificate::Aim;
use crate::engine::observer::Unobserved;
use crate::engine::pair_scores::FORBIDDEN;
use crate::engine::problem::{Demand, Seats};

fn judge(case: &Case, pairs: &[(u32, u32)], certificate: &Certificate) -> CertificateVerdict {
    certify(&case.problem(), pairs, certificate, &Unobserved).unwrap()
}

/// Three mentees and three mentors, everything allowed but one pair; solved.
fn solved() -> (Case, Vec<(u32, u32)>, Certificate) {
    let case = Case {
        coverage_first: true,
        mentees: vec![
            Demand { tier: 0, wanted: 1, pinned: 0 },
            Demand { tier: 1, wanted: 2, pinned: 0 },
            Demand { tier: 1, wanted: 1, pinned: 0 },
        ],
        mentors: vec![Seats { min: 1, max: 1 }, Seats { min: 0, max: 2 }, Seats { min: 1, max: 2 }],
        scores: vec![50, 70, 10, 90, 20, FORBIDDEN, 30, 60, 40],
    };
    let best = assign(&case.problem(), &Unobserved).unwrap();
    assert!(judge(&case, &best.pairs, &best.certificate).proved());
    (case, best.pairs, best.certificate)
}

#[test]
fn a_true_proof_is_accepted_with_its_figures() {
    let (case, pairs, certificate) = solved();
    let verdict = judge(&case, &pairs, &certificate);
    assert_eq!(pairs, [(0, 1), (1, 0), (1, 1), (2, 2)]);
    let weights: i128 = certificate.tiers.iter().map(|entry| entry.weight).sum::<i128>()
        + certificate.tiers[1].weight
        + certificate.second
        + 2 * certificate.minimum;
    assert_eq!(verdict.primal, 70 + 90 + 20 + 40 + weights);
    assert_eq!(verdict.candidates, 8);
}

#[test]
fn every_broken_rule_is_named() {
    let (case, pairs, certificate) = solved();
    let broken = |pairs: &[(u32, u32)]| judge(&case, pairs, &certificate).feasible;
    let with = |pair| [pairs.as_slice(), &[pair]].concat();
    assert_eq!(broken(&with((3, 0))), Err(Infeasible::Unknown { mentee: 3, mentor: 0 }));
    assert_eq!(broken(&with((0, 3))), Err(Infeasible::Unknown { mentee: 0, mentor: 3 }));
    assert_eq!(broken(&with((1, 2))), Err(Infeasible::NotACandidate { mentee: 1, mentor: 2 }));
    assert_eq!(broken(&with((1, 0))), Err(Infeasible::UsedTwice { mentee: 1, mentor: 0 }));
    assert_eq!(broken(&with((0, 2))), Err(Infeasible::TooManyMentors { mentee: 0, has: 2, wanted: 1 }));
    let crowd = [(0, 0), (1, 0)];
    assert_eq!(broken(&crowd), Err(Infeasible::TooManyMentees { mentor: 0, has: 2, places: 1 }));
}

#[test]
fn a_lesser_assignment_is_feasible_but_not_proved() {
    let (case, pairs, certificate) = solved();
    for left_out in 0..pairs.len() {
        let mut fewer = pairs.clone();
        fewer.remove(left_out);
        let verdict = judge(&case, &fewer, &certificate);
        assert_eq!(verdict.feasible, Ok(()));
        assert!(!verdict.proved() && verdict.primal < verdict.dual);
    }
    let verdict = judge(&case, &[(0, 0), (1, 1), (2, 2)], &certificate);
    assert!(verdict.feasible.is_ok() && !verdict.proved());
}

#[test]
fn no_price_can_be_moved_far() {
    let (case, pairs, certificate) = solved();
    for by in [-1_000_000_000, 1_000_000_000] {
        for at in 0..3 {
            let mut other = certificate.clone();
            other.mentee_prices[at] += by;
            assert!(!judge(&case, &pairs, &other).proved(), "mentee {at} by {by}");
            let mut other = certificate.clone();
            other.mentor_prices[at] += by;
            assert!(!judge(&case, &pairs, &other).proved(), "mentor {at} by {by}");
        }
    }
}

#[test]
fn a_certificate_without_the_right_form_is_refused() {
    let (case, pairs, certificate) = solved();
    let refused = |change: fn(&mut Certificate)| {
        let mut other = certificate.clone();
        change(&mut other);
        judge(&case, &pairs, &other).feasible.unwrap_err()
    };
    let prices = |mentee_prices, mentor_prices| Infeasible::PricesMissing { mentee_prices, mentor_prices };
    assert_eq!(refused(|c| c.mentee_prices.push(0)), prices(4, 3));
    assert_eq!(refused(|c| c.mentor_prices.truncate(2)), prices(3, 2));
    assert_eq!(refused(|c| c.tiers.truncate(1)), Infeasible::TiersMissing);
    assert_eq!(refused(|c| c.tiers.reverse()), Infeasible::TiersMissing);
    assert_eq!(refused(|c| c.tiers[1].tier = 7), Infeasible::TiersMissing);
    assert_eq!(refused(|c| c.mentor_prices[1] = i128::MAX), Infeasible::NumberTooLarge);
    assert_eq!(refused(|c| c.mentee_prices[1] = i128::MIN), Infeasible::NumberTooLarge);
    assert_eq!(refused(|c| c.minimum /= 2), Infeasible::WeakWeight(Aim::Minimum));
    assert_eq!(refused(|c| c.second /= 2), Infeasible::WeakWeight(Aim::Second));
    assert_eq!(refused(|c| c.tiers[0].weight = c.tiers[1].weight), Infeasible::WeakWeight(Aim::Tier(0)));
    assert_eq!(refused(|c| c.tiers[1].weight = c.second), Infeasible::WeakWeight(Aim::Tier(1)));
}

#[test]
fn prices_beyond_64_bits_are_summed_without_loss() {
    let (case, pairs, mut certificate) = solved();
    let before = judge(&case, &pairs, &certificate);
    certificate.mentor_prices[0] += 1 << 70;
    let after = judge(&case, &pairs, &certificate);
    assert_eq!(after.primal, before.primal);
    assert!(after.dual - before.dual > (1 << 70) - 1_000_000 && !after.proved());
}

#[test]
fn sums_that_wrap_round_prove_nothing() {
    let many = 1 << 17;
    let case = Case {
        mentees: vec![Demand { wanted: 1, ..Demand::default() }; 2],
        mentors: vec![Seats { min: u32::MAX, max: u32::MAX }; many],
        scores: vec![FORBIDDEN; 2 * many],
        coverage_first: true,
    };
    let mut certificate = assign(&case.problem(), &Unobserved).unwrap().certificate;
    certificate.mentor_prices = vec![1 << 80; many];
    certificate.minimum = 1 << 80;
    let verdict = judge(&case, &[], &certificate);
    assert!(!verdict.proved() && verdict.dual > verdict.primal, "{verdict:?}");
}

#[test]
fn a_certificate_survives_its_export() {
    let (case, pairs, mut certificate) = solved();
    let text = serde_json::to_string(&certificate).unwrap();
    assert_eq!(serde_json::from_str::<Certificate>(&text).unwrap(), certificate);
    certificate.second = i128::MAX;
    let text = serde_json::to_string(&certificate).unwrap();
    assert_eq!(serde_json::from_str::<Certificate>(&text).unwrap(), certificate);
    assert_eq!(judge(&case, &pairs, &certificate).feasible, Err(Infeasible::NumberTooLarge));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn no_prices_whatever_prove_a_lesser_assignment(
        case in case(0..5, 0..5, score()),
        shifts in proptest::collection::vec(prop_oneof![Just(0), -3..4_i128, -20_000..20_000_i128], 10),
        taken in any::<u32>(),
    ) {
        let best = assign(&case.problem(), &Unobserved).unwrap();
        let optimum = judge(&case, &best.pairs, &best.certificate);
        prop_assert!(optimum.proved());

        let mut certificate = best.certificate;
        let prices = certificate.mentee_prices.iter_mut().chain(&mut certificate.mentor_prices);
        for (price, shift) in prices.zip(&shifts) {
            *price += shift;
        }
        let mut pairs: Vec<(u32, u32)> = best.pairs;
        let mut bit = 0;
        pairs.retain(|_| { bit += 1; taken >> bit & 3 != 0 });
        let verdict = judge(&case, &pairs, &certificate);
        prop_assert_eq!(verdict.feasible, Ok(()));
        prop_assert!(verdict.dual >= optimum.primal, "the bound holds for any prices");
        if verdict.proved() {
            prop_assert_eq!(verdict.primal, optimum.primal);
            prop_assert_eq!(case.value(&pairs), case.brute_force());
        }
    }
}
