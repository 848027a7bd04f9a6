use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::domain::explanation::{Reason, ReasonCode};
use crate::engine::assign::assign;
use crate::engine::assign::tests::case::{Case, case, score};
use crate::engine::assign::tests::{Patience, instance};
use crate::engine::certificate::{Aim, Certificate, GroupSide};
use crate::engine::certify::{CertificateVerdict, CutTerms, Infeasible, certify, certify_within, check_cut};
use crate::engine::groups::{BadForest, CutDirection, Forest, Group};
use crate::engine::observer::Unobserved;
use crate::engine::pair_scores::{FORBIDDEN, SparseScores};
use crate::engine::problem::{Demand, Seats};

/// Forests over people: parents before children, people anywhere, bounds that often bite.
fn forest(people: usize, most: u32) -> impl Strategy<Value = Forest> {
    let group = (
        any::<prop::sample::Index>(),
        0..=most,
        0..=most,
        prop::bool::weighted(0.5),
        prop::bool::weighted(0.5),
    );
    (vec(group, 0..5), vec(any::<prop::sample::Index>(), people)).prop_map(|(drawn, members)| {
        let groups: Vec<Group> = drawn
            .iter()
            .enumerate()
            .map(|(at, (parent, one, other, floored, ceiled))| {
                let parent = u32::try_from(parent.index(at + 1)).unwrap();
                Group {
                    parent: parent.checked_sub(1),
                    floor: if *floored { *one.min(other) } else { 0 },
                    ceiling: if *ceiled { *one.max(other) } else { u32::MAX },
                }
            })
            .collect();
        let innermost = members
            .iter()
            .map(|at| u32::try_from(at.index(groups.len() + 1)).unwrap().checked_sub(1))
            .collect();
        Forest::new(groups, innermost).unwrap()
    })
}

pub(in crate::engine) fn quoted(
    case: impl Strategy<Value = Case>,
    most: u32,
) -> impl Strategy<Value = (Case, Quotas)> {
    case.prop_flat_map(move |case| {
        let forests = (forest(case.mentees.len(), most), forest(case.mentors.len(), most));
        (Just(case), forests.prop_map(|(mentees, mentors)| Quotas { mentees, mentors }))
    })
}

pub(in crate::engine) fn keeps(quotas: &Quotas, pairs: &[(u32, u32)]) -> bool {
    let side = |forest: &Forest, people: Vec<u32>| {
        let within = |(at, group): (usize, &Group)| {
            let inside = |person: &&u32| {
                let mut around = forest.innermost(**person as usize);
                while around.is_some_and(|around| around as usize != at) {
                    around = forest.groups()[around.unwrap() as usize].parent;
                }
                around.is_some()
            };
            let has = people.iter().filter(inside).count();
            (group.floor as usize..=group.ceiling as usize).contains(&has)
        };
        forest.groups().iter().enumerate().all(within)
    };
    side(&quotas.mentees, pairs.iter().map(|pair| pair.0).collect())
        && side(&quotas.mentors, pairs.iter().map(|pair| pair.1).collect())
}

/// Solves, and checks the proof of whatever comes out.
fn check(case: &Case, quotas: &Quotas) -> Option<Assignment> {
    let problem = case.problem();
    match assign_within(&problem, quotas, &Unobserved).unwrap() {
        Answer::Best(best) => {
            let verdict = judge(case, quotas, &best);
            assert!(verdict.proved(), "{verdict:?} {best:?}");
            assert!(keeps(quotas, &best.pairs));
            Some(best)
        }
        Answer::Impossible(cut) => {
            let shortage = check_cut(&problem, quotas, &cut, &Unobserved).unwrap();
            assert!(shortage.proved(), "{shortage:?} {cut:?}");
            None
        }
        Answer::TooManyTiers => panic!("weights fit"),
    }
}

fn judge(case: &Case, quotas: &Quotas, best: &Assignment) -> CertificateVerdict {
    certify_within(&case.problem(), quotas, &best.pairs, &best.certificate, &Unobserved).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn nothing_within_the_quotas_beats_the_assignment((case, quotas) in quoted(case(0..6, 0..5, score()), 5)) {
        let best = check(&case, &quotas).map(|best| case.value(&best.pairs));
        prop_assert_eq!(best, case.best_of_all(|pairs| keeps(&quotas, pairs).then(|| case.value(pairs))));
    }

    #[test]
    fn nothing_beats_the_assignment_where_many_want_few((case, quotas) in quoted(case(5..8, 1..4, 0..3_i32), 4)) {
        let best = check(&case, &quotas).map(|best| case.value(&best.pairs));
        prop_assert_eq!(best, case.best_of_all(|pairs| keeps(&quotas, pairs).then(|| case.value(pairs))));
    }

    #[test]
    fn larger_cases_are_proved((case, quotas) in quoted(case(0..30, 0..25, score()), 12)) {
        check(&case, &quotas);
    }

    #[test]
    fn loose_groups_change_nothing(case in case(0..12, 0..12, score()), seed in forest(12, 5), other in forest(12, 5)) {
        let loose = |forest: &Forest| {
            let groups = forest.groups().iter().map(|group| Group { floor: 0, ceiling: u32::MAX, ..*group });
            let innermost = (0..12).map(|at| forest.innermost(at)).collect();
            Forest::new(groups.collect(), innermost).unwrap()
        };
        let quotas = Quotas { mentees: loose(&seed), mentors: loose(&other) };
        let within = check(&case, &quotas).unwrap();
        let free = assign(&case.problem(), &Unobserved).unwrap();
        prop_assert_eq!(case.value(&within.pairs), case.value(&free.pairs));
    }
}

/// The problem in which only the bounds of a cut count: no other floor, ceiling or number of places.
fn only_named(case: &Case, quotas: &Quotas, terms: &CutTerms) -> (Case, Quotas) {
    let loose = |forest: &Forest, side: GroupSide, people: usize| {
        let groups = (0_u32..).zip(forest.groups()).map(|(at, group)| Group {
            floor: if terms.floors.contains(&(side, at)) { group.floor } else { 0 },
            ceiling: if terms.ceilings.contains(&(side, at)) { group.ceiling } else { u32::MAX },
            ..*group
        });
        // A bound on a group alone: without the other bound, the floor may exceed a ceiling that is not there.
        Forest::new(groups.collect(), (0..people).map(|at| forest.innermost(at)).collect()).unwrap()
    };
    let named = Quotas {
        mentees: loose(&quotas.mentees, GroupSide::Mentees, case.mentees.len()),
        mentors: loose(&quotas.mentors, GroupSide::Mentors, case.mentors.len()),
    };
    // A mentee who wants two mentors at most stays as she is if she is named; else she may have any two.
    let mentees = (0_u32..).zip(&case.mentees).map(|(at, demand)| Demand {
        wanted: if terms.mentees.contains(&at) { demand.wanted } else { 2 },
        ..*demand
    });
    let most = u32::try_from(case.mentees.len()).unwrap();
    let mentors = (0_u32..)
        .zip(&case.mentors)
        .map(|(at, seats)| Seats { min: 0, max: if terms.mentors.contains(&at) { seats.max } else { most } });
    let other = Case { mentees: mentees.collect(), mentors: mentors.collect(), ..case.clone() };
    (other, named)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn the_bounds_that_a_cut_names_contradict_each_other_by_themselves(
        (case, quotas) in quoted(case(1..5, 1..4, 0..3_i32), 4),
    ) {
        let problem = case.problem();
        let Answer::Impossible(cut) = assign_within(&problem, &quotas, &Unobserved).unwrap() else { return Ok(()) };
        let terms = check_cut(&problem, &quotas, &cut, &Unobserved).unwrap();
        prop_assert!(!terms.floors.is_empty());
        let (alone, named) = only_named(&case, &quotas, &terms);
        // Everybody without an offer or a request takes no part in candidates either.
        prop_assert_eq!(alone.best_of_all(|pairs| {
            let open = pairs.iter().all(|pair| {
                case.mentees[pair.0 as usize].wanted > 0 && case.mentors[pair.1 as usize].max > 0
            });
            (open && keeps(&named, pairs)).then(|| case.value(pairs))
        }), None, "{:?} {:?}", cut, terms);
        let reasons = explanation::reasons(&problem, &cut, &terms, &SharedTraitNames);
        let told = |code: ReasonCode| reasons.iter().find(|reason| reason.code == code);
        prop_assert_eq!(told(ReasonCode::CeilingsReached).is_some(), !terms.ceilings.is_empty());
        prop_assert_eq!(told(ReasonCode::FloorsMentors).is_some(), !terms.mentors.is_empty());
        prop_assert_eq!(told(ReasonCode::FloorsWanted).is_some(), !terms.mentees.is_empty());
        prop_assert_eq!(told(ReasonCode::FloorsCandidates).is_some(), terms.candidates > 0);
    }
}

#[test]
fn the_ceiling_of_a_parent_that_stands_against_floors_is_named() {
    let case = Case {
        coverage_first: true,
        mentees: vec![Demand { tier: 0, wanted: 1, pinned: 0 }; 3],
        mentors: vec![Seats { min: 0, max: 2 }; 2],
        scores: vec![1; 6],
    };
    let group = |parent, floor, ceiling| Group { parent, floor, ceiling };
    let groups = vec![group(None, 0, 2), group(Some(0), 2, u32::MAX), group(Some(0), 1, u32::MAX)];
    let mentors = Forest::new(groups, vec![Some(1), Some(2)]).unwrap();
    let quotas = Quotas { mentees: Forest::default(), mentors };
    let Answer::Impossible(cut) = assign_within(&case.problem(), &quotas, &Unobserved).unwrap() else {
        panic!("a ceiling of 2 stands against floors of 3");
    };
    let terms = check_cut(&case.problem(), &quotas, &cut, &Unobserved).unwrap();
    let side = GroupSide::Mentors;
    assert_eq!((terms.floors, terms.ceilings), (vec![(side, 1), (side, 2)], vec![(side, 0)]));
    assert_eq!((terms.asked, terms.possible), (3, 2));
}

#[test]
fn one_mentee_of_an_earlier_tier_comes_before_any_number_of_later_ones() {
    // Two full groups: to serve mentee 0, mentee 1 must go, and mentee 2 has to make room for mentee 3 of a later tier.
    let demand = |tier| Demand { tier, wanted: 1, pinned: 0 };
    let case = Case {
        coverage_first: true,
        mentees: [0, 1, 1, 2].map(demand).to_vec(),
        mentors: vec![Seats { min: 0, max: 1 }; 2],
        scores: [[1, FORBIDDEN], [FORBIDDEN, 9_000], [9_000, FORBIDDEN], [FORBIDDEN, 1]].concat(),
    };
    let group = Group { parent: None, floor: 0, ceiling: 1 };
    let mentees = Forest::new(vec![group; 2], vec![Some(0), Some(0), Some(1), Some(1)]).unwrap();
    let quotas = Quotas { mentees, mentors: Forest::default() };
    assert_eq!(check(&case, &quotas).unwrap().pairs, [(0, 0), (3, 1)]);
}

/// Three French speakers of one organisation who must all be served, and one mentor who speaks French.
fn scarce(floor: u32) -> (Case, Quotas) {
    let case = Case {
        coverage_first: true,
        mentees: vec![Demand { tier: 0, wanted: 1, pinned: 0 }; 4],
        mentors: vec![Seats { min: 0, max: 2 }, Seats { min: 0, max: 4 }],
        scores: [[5, FORBIDDEN], [6, FORBIDDEN], [7, FORBIDDEN], [8, 1]].concat(),
    };
    let groups =
        vec![Group { parent: None, floor: 0, ceiling: 4 }, Group { parent: Some(0), floor, ceiling: 4 }];
    let mentees = Forest::new(groups, vec![Some(1), Some(1), Some(1), Some(0)]).unwrap();
    (case, Quotas { mentees, mentors: Forest::default() })
}

#[test]
fn a_floor_that_can_just_be_met_is_met() {
    let (case, quotas) = scarce(2);
    assert_eq!(check(&case, &quotas).unwrap().pairs, [(1, 0), (2, 0), (3, 1)]);
}

#[test]
fn a_floor_that_cannot_be_met_is_refused_with_its_cut() {
    let (case, quotas) = scarce(3);
    let Answer::Impossible(cut) = assign_within(&case.problem(), &quotas, &Unobserved).unwrap() else {
        panic!("two seats do not serve three");
    };
    let expected = Cut {
        direction: CutDirection::Inward,
        mentee_groups: vec![1],
        mentees: vec![0, 1, 2],
        mentors: vec![0],
        mentor_groups: vec![],
    };
    assert_eq!(cut, expected);
    let shortage = check_cut(&case.problem(), &quotas, &cut, &Unobserved).unwrap();
    assert_eq!((shortage.asked, shortage.possible), (3, 2));
    for smaller in [
        Cut { mentors: vec![], ..cut.clone() },
        Cut { mentees: vec![0, 1], ..cut.clone() },
        Cut { mentee_groups: vec![], ..cut.clone() },
        Cut { direction: CutDirection::Outward, ..cut },
    ] {
        assert!(!check_cut(&case.problem(), &quotas, &smaller, &Unobserved).unwrap().proved(), "{smaller:?}");
    }
}

#[test]
fn a_floor_of_mentors_that_cannot_be_met_is_refused_with_its_cut() {
    let (case, _) = scarce(0);
    let group = Group { parent: None, floor: 2, ceiling: 4 };
    let mentors = Forest::new(vec![group], vec![None, Some(0)]).unwrap();
    let quotas = Quotas { mentees: Forest::default(), mentors };
    let Answer::Impossible(cut) = assign_within(&case.problem(), &quotas, &Unobserved).unwrap() else {
        panic!("one mentee does not fill two seats");
    };
    assert_eq!(
        (cut.direction, &cut.mentors[..], &cut.mentor_groups[..]),
        (CutDirection::Outward, &[1][..], &[0][..])
    );
    let shortage = check_cut(&case.problem(), &quotas, &cut, &Unobserved).unwrap();
    assert_eq!((shortage.asked, shortage.possible), (2, 1));
}

#[test]
fn whoever_breaks_a_quota_is_named() {
    let (case, quotas) = scarce(2);
    let best = check(&case, &quotas).unwrap();
    let served = |pairs: &[(u32, u32)]| {
        let other = Assignment { pairs: pairs.to_vec(), ..best.clone() };
        judge(&case, &quotas, &other).feasible
    };
    let broken = |group, has, floor| Infeasible::OutOfQuota {
        side: GroupSide::Mentees,
        group,
        has,
        floor,
        ceiling: 4,
    };
    assert_eq!(served(&[(2, 0), (3, 1)]), Err(broken(1, 1, 2)));
    assert_eq!(served(&[(3, 1)]), Err(broken(1, 0, 2)));
    assert_eq!(served(&best.pairs), Ok(()));
    let free = certify(&case.problem(), &best.pairs, &best.certificate, &Unobserved).unwrap();
    let foreign = Infeasible::GroupPricesMissing { mentee_group_prices: 2, mentor_group_prices: 0 };
    assert_eq!(free.feasible, Err(foreign), "without quotas no group has a price");
}

#[test]
fn weights_that_do_not_keep_the_order_among_groups_are_refused() {
    let (case, quotas) = scarce(2);
    let best = check(&case, &quotas).unwrap();
    let refused = |change: fn(&mut Certificate)| {
        let mut other = best.clone();
        change(&mut other.certificate);
        judge(&case, &quotas, &other).feasible
    };
    assert_eq!(refused(|c| c.second /= 3), Err(Infeasible::WeakWeight(Aim::Second)));
    assert_eq!(refused(|c| c.minimum /= 3), Err(Infeasible::WeakWeight(Aim::Minimum)));
    assert_eq!(refused(|c| c.tiers[0].weight /= 3), Err(Infeasible::WeakWeight(Aim::Tier(0))));
    assert_eq!(refused(|c| c.mentee_group_prices[1] = i128::MAX), Err(Infeasible::NumberTooLarge));
    assert_eq!(refused(|c| c.mentee_group_prices = vec![1 << 80; 2]), Err(Infeasible::NumberTooLarge));
}

#[test]
fn a_certificate_without_groups_looks_as_it_always_did() {
    let (case, _) = scarce(0);
    let free = assign(&case.problem(), &Unobserved).unwrap().certificate;
    let text = serde_json::to_string(&free).unwrap();
    assert!(!text.contains("group"), "{text}");
    assert_eq!(serde_json::from_str::<Certificate>(&text).unwrap(), free);
    let (case, quotas) = scarce(2);
    let within = check(&case, &quotas).unwrap().certificate;
    let text = serde_json::to_string(&within).unwrap();
    assert_eq!(serde_json::from_str::<Certificate>(&text).unwrap(), within);
}

#[test]
fn groups_that_are_no_forest_are_refused() {
    let group = |parent, floor, ceiling| Group { parent, floor, ceiling };
    let forest = |groups: &[Group], member| Forest::new(groups.to_vec(), vec![member]).unwrap_err();
    assert_eq!(forest(&[group(Some(0), 0, 1)], None), BadForest::Parent(0));
    assert_eq!(forest(&[group(None, 2, 1)], None), BadForest::Bounds(0));
    assert_eq!(forest(&[group(None, 0, 1)], Some(1)), BadForest::Member(0));
}

#[test]
fn more_tiers_than_a_certificate_holds_are_refused_and_not_muddled() {
    let (mut case, quotas) = scarce(1);
    case.mentees = (0..=u8::MAX).map(|tier| Demand { tier, wanted: 1, pinned: 0 }).collect();
    case.scores = vec![1; 2 * case.mentees.len()];
    assert_eq!(assign_within(&case.problem(), &quotas, &Unobserved), Ok(Answer::TooManyTiers));
}

/// A market with organisations in regions, and bounds that bite on both sides.
fn market() -> (instance::Instance, Quotas) {
    let mut instance = instance::Instance::profile(260, 180, 2, 7);
    for (at, demand) in instance.mentees.iter_mut().enumerate() {
        *demand = Demand { tier: u8::from(at % 3 == 0), wanted: 1 + u8::from(at % 4 == 0), pinned: 0 };
    }
    let forest = |people: u64, seed, floor: u32, ceiling: u32| {
        let regions = (0..3).map(|_| Group { parent: None, floor: 0, ceiling: 4 * ceiling });
        let organisations = (0..12).map(|at| Group { parent: Some(at % 3), floor, ceiling });
        let member = |at| 3 + u32::try_from(instance::below(instance::random(seed, at, 0), 12)).unwrap();
        Forest::new(regions.chain(organisations).collect(), (0..people).map(|at| Some(member(at))).collect())
            .unwrap()
    };
    let quotas = Quotas { mentees: forest(260, 1, 6, 17), mentors: forest(180, 2, 10, 20) };
    (instance, quotas)
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let (instance, quotas) = market();
    let problem = instance.problem();
    let answers: Vec<Answer> = [1, 2, 4, 16]
        .into_iter()
        .map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| assign_within(&problem, &quotas, &Unobserved)).unwrap()
        })
        .collect();
    let Answer::Best(best) = &answers[0] else { panic!("the quotas can be met") };
    assert!(certify_within(&problem, &quotas, &best.pairs, &best.certificate, &Unobserved).unwrap().proved());
    assert!(best.certificate.mentee_group_prices.iter().any(|price| *price != 0));
    assert!(best.certificate.mentor_group_prices.iter().any(|price| *price != 0));
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn the_engine_stops_whenever_it_is_told_to() {
    let (instance, quotas) = market();
    let problem = instance.problem();
    let patient = Patience::of(u64::MAX);
    assign_within(&problem, &quotas, &patient).unwrap();
    let asked = patient.asked.into_inner();
    for times in 0..asked {
        assert_eq!(
            assign_within(&problem, &quotas, &Patience::of(times)),
            Err(Stopped),
            "{times} of {asked}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn no_prices_whatever_prove_a_lesser_assignment(
        (case, quotas) in quoted(case(1..6, 1..6, score()), 5),
        shifts in vec(prop_oneof![Just(0), -3..4_i128, -20_000..20_000_i128], 20),
    ) {
        let Some(best) = check(&case, &quotas) else { return Ok(()) };
        let optimum = judge(&case, &quotas, &best);
        let mut other = best;
        let Certificate { mentee_prices, mentor_prices, mentee_group_prices, mentor_group_prices, .. } =
            &mut other.certificate;
        let groups = mentee_group_prices.iter_mut().chain(mentor_group_prices);
        for (price, shift) in groups.chain(mentee_prices).chain(mentor_prices).zip(&shifts) {
            *price += shift;
        }
        let verdict = judge(&case, &quotas, &other);
        prop_assert_eq!(verdict.primal, optimum.primal);
        prop_assert!(verdict.dual >= optimum.primal, "the bound holds for any prices");
    }

    #[test]
    fn a_binding_groups_price_cannot_be_moved_far((case, quotas) in quoted(case(2..8, 2..8, score()), 5)) {
        let Some(best) = check(&case, &quotas) else { return Ok(()) };
        let wanted = quotas.mentees.count(case.mentees.iter().map(|demand| u32::from(demand.wanted)));
        let seats: u32 = case.mentors.iter().map(|seats| seats.max).sum();
        let all_wanted: u32 = case.mentees.iter().map(|demand| u32::from(demand.wanted)).sum();
        for (at, wanted) in wanted.into_iter().enumerate() {
            for by in [-1_i128 << 70, 1 << 70] {
                let Group { floor, ceiling, .. } = quotas.mentees.groups()[at];
                let mut other = best.clone();
                other.certificate.mentee_group_prices[at] += by;
                // A price is free where the bound takes all that is wanted, or nothing.
                let free = if by < 0 { wanted == u64::from(floor) } else { ceiling.min(seats).min(all_wanted) == 0 };
                if free { continue }
                prop_assert!(!judge(&case, &quotas, &other).proved(), "group {} by {}", at, by);
            }
        }
    }

    #[test]
    fn the_order_of_people_does_not_change_the_value((case, quotas) in quoted(case(0..12, 0..12, score()), 8), seed in any::<u64>()) {
        let shuffled = |count: usize, stream| {
            let mut order: Vec<usize> = (0..count).collect();
            order.sort_by_key(|&at| instance::random(seed, stream, at as u64));
            order
        };
        let (rows, columns) = (shuffled(case.mentees.len(), 1), shuffled(case.mentors.len(), 2));
        let moved = |forest: &Forest, order: &[usize]| {
            let innermost = order.iter().map(|&at| forest.innermost(at)).collect();
            Forest::new(forest.groups().to_vec(), innermost).unwrap()
        };
        let other = Case {
            coverage_first: case.coverage_first,
            mentees: rows.iter().map(|&i| case.mentees[i]).collect(),
            mentors: columns.iter().map(|&j| case.mentors[j]).collect(),
            scores: rows.iter().flat_map(|&i| columns.iter().map(move |&j| (i, j))).map(|(i, j)| case.score(i, j)).collect(),
        };
        let others = Quotas { mentees: moved(&quotas.mentees, &rows), mentors: moved(&quotas.mentors, &columns) };
        let (one, two) = (check(&case, &quotas), check(&other, &others));
        prop_assert_eq!(one.map(|one| case.value(&one.pairs)), two.map(|two| other.value(&two.pairs)));
    }

    #[test]
    fn wide_integers_give_the_same_answer((case, quotas) in quoted(case(0..12, 0..12, score()), 8)) {
        let problem = case.problem();
        let free = assign_before_quotas(&problem, groups_with_weight(&problem, &quotas), &Unobserved).unwrap().unwrap();
        let narrow = solve::<i64>(&problem, &quotas, free.clone(), &Unobserved);
        let wide = solve::<i128>(&problem, &quotas, free, &Unobserved);
        prop_assert!(narrow == wide || narrow == Err(FlowError::TooNarrow));
    }

    #[test]
    fn scores_written_out_as_a_list_give_the_same_value((case, quotas) in quoted(case(0..12, 0..12, score()), 8)) {
        let case = &case;
        let row = |mentee| {
            let pairs = (0..case.mentors.len()).map(move |mentor| (mentor, case.score(mentee, mentor)));
            let arcs = pairs.filter(|(_, score)| *score != FORBIDDEN);
            arcs.map(|(mentor, score)| Edge { to: u32::try_from(mentor).unwrap(), score }).collect::<Vec<Edge>>()
        };
        let rows: Vec<Vec<Edge>> = (0..case.mentees.len()).map(row).collect();
        let starts = std::iter::once(0).chain(rows.iter().scan(0, |end, row| { *end += row.len(); Some(*end) }));
        let listed = SparseScores::new(starts.collect(), rows.concat(), &Unobserved).unwrap();
        let problem = Problem { scores: &listed, ..case.problem() };
        let value = match assign_within(&problem, &quotas, &Unobserved).unwrap() {
            Answer::Best(best) => Some(case.value(&best.pairs)),
            _ => None,
        };
        prop_assert_eq!(value, check(case, &quotas).map(|best| case.value(&best.pairs)));
    }
}

/// Mentees 0 to 2 speak French and belong to one organisation; the mentors' languages differ.
struct SharedTraitNames;

impl explanation::Naming for SharedTraitNames {
    fn mentee(&self, mentee: usize) -> explanation::Traits {
        let set = |code: &str| BTreeSet::from([code.to_owned()]);
        let languages = if mentee < 3 { set("fr") } else { ["en", "fr"].map(str::to_owned).into() };
        explanation::Traits {
            organisation: set("wim-mali"),
            languages,
            modes: set("call"),
            ..Default::default()
        }
    }

    fn mentor(&self, mentor: usize) -> explanation::Traits {
        self.mentee(mentor * 3)
    }

    fn mentee_group(&self, group: usize) -> String {
        ["world", "wim-mali"].get(group).map_or_else(|| format!("mentees {group}"), |name| (*name).to_owned())
    }

    fn mentor_group(&self, group: usize) -> String {
        format!("mentors {group}")
    }
}

#[test]
fn a_cut_is_explained_by_traits_that_its_people_share_and_others_lack() {
    let (case, quotas) = scarce(3);
    let Answer::Impossible(cut) = assign_within(&case.problem(), &quotas, &Unobserved).unwrap() else {
        panic!("two seats do not serve three");
    };
    let shortage = check_cut(&case.problem(), &quotas, &cut, &Unobserved).unwrap();
    let expected = [
        Reason::new(ReasonCode::FloorsUnmet).with("groups", "wim-mali").with("asked", 3).with("possible", 2),
        Reason::new(ReasonCode::FloorsMentees).with("mentees", 3),
        Reason::new(ReasonCode::SharedLanguages).with("languages", "fr"),
        Reason::new(ReasonCode::FloorsMentors).with("mentors", 1).with("places", 2),
        Reason::new(ReasonCode::SharedLanguages).with("languages", "fr"),
    ];
    assert_eq!(explanation::reasons(&case.problem(), &cut, &shortage, &SharedTraitNames), expected);
}
