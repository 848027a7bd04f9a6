//! Least places of mentors as a rule, against everything there is.

use proptest::sample::Index;

use super::*;
use crate::engine::pinned_problem::{NoSolution, PinnedProblem, Wishes};

/// A case whose mentors have least places, with quotas or without, and nothing else.
fn ruled() -> impl Strategy<Value = Bounded> {
    quoted(case(0..6, 1..5, score()), 5).prop_flat_map(|(case, quotas)| {
        let mentors = case.mentors.len();
        let rest = (vec(0..4_u32, mentors), prop::bool::weighted(0.3));
        (Just(case), Just(quotas), rest).prop_map(|(case, quotas, (least, has_quotas))| {
            let quotas = if has_quotas { quotas } else { Quotas::default() };
            let least = LeastPlaces::new(least);
            Bounded { case, bounds: MatchBounds { quotas, least, ..MatchBounds::default() }, opposites: None }
        })
    })
}

/// The best value with every set of mentors who are open: they have at least their least places, and the others have nobody.
fn best_of_every_set(one: &Bounded) -> Option<Vec<i64>> {
    let mentors = one.case.mentors.len();
    let sets = 0..1_u32 << mentors;
    let of_set = |open: u32| {
        let is_open = |mentor: usize| open >> mentor & 1 == 1;
        let fits = |pairs: &[Pair]| {
            let load = |mentor: usize| pairs.iter().filter(|pair| pair.1 as usize == mentor).count();
            let least =
                |mentor: usize| one.bounds.least.of(u32::try_from(mentor).unwrap()).unwrap_or(0) as usize;
            (0..mentors)
                .all(|mentor| if is_open(mentor) { load(mentor) >= least(mentor) } else { load(mentor) == 0 })
                && keeps(&one.bounds.quotas, pairs)
        };
        one.case.best_of_all(|pairs| fits(pairs).then(|| one.case.value(pairs)))
    };
    sets.map(of_set).max().flatten()
}

fn tree_of(found: &Solution) -> Option<&LimitTree> {
    let Evidence::Limited(limited) = &found.evidence else { return None };
    match &limited.proof {
        LimitedProof::BestTotal(tree) => Some(tree),
        LimitedProof::Fairest(_) => None,
    }
}

fn with_tree(found: &Solution, tree: LimitTree) -> Solution {
    let proof = LimitedProof::BestTotal(tree);
    Solution { evidence: Evidence::Limited(Box::new(Limited { proof, people: None })), ..found.clone() }
}

/// What a forger might change in a tree.
fn forged(tree: &LimitTree, (kind, at, by): (u8, Index, i64)) -> LimitTree {
    let mut nodes = tree.0.clone();
    let at = at.index(nodes.len());
    match kind {
        0 => drop(nodes.remove(at)),
        1 => nodes.truncate(at + 1),
        2 => nodes = vec![nodes[at].clone()],
        3 => nodes.reverse(),
        _ => match &mut nodes[at] {
            LimitNode::Division(division) => {
                *division = Division::LeastPlaces(u32::try_from(by.unsigned_abs() % 5).unwrap())
            }
            LimitNode::Leaf { certificate, .. } => {
                let prices = match kind {
                    4 => &mut certificate.mentor_group_prices,
                    5 => &mut certificate.mentor_prices,
                    _ => &mut certificate.mentee_prices,
                };
                match prices.last_mut() {
                    Some(price) => *price += i128::from(by),
                    None => prices.push(by.into()),
                }
            }
            LimitNode::Empty(cut) => {
                cut.mentors.pop();
            }
        },
    }
    LimitTree(nodes)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_best_set_of_open_mentors_is_found_and_proved(one in ruled()) {
        let best = best_of_every_set(&one);
        match solved(&one, Objective::BestTotal) {
            Ok(found) => {
                let check = one.check(&found);
                prop_assert!(one.keeps_all(&found.pairs));
                prop_assert!(check.proved, "{:?}", check);
                prop_assert_eq!(Some(one.case.value(&found.pairs)), best);
            }
            Err(unmet) => {
                prop_assert!(matches!(unmet, Unmet::Cut(..) | Unmet::Together), "{:?}", unmet);
                prop_assert_eq!(best, None);
            }
        }
    }

    #[test]
    fn the_fairest_result_keeps_the_rule_and_is_proved(mut one in ruled()) {
        one.case.coverage_first = true;
        for demand in &mut one.case.mentees {
            *demand = Demand { tier: 0, wanted: demand.wanted.min(1), pinned: 0 };
        }
        one.case.mentors.iter_mut().for_each(|seats| seats.min = 0);
        let value = |pairs: &[Pair]| {
            let scores: Vec<i64> = pairs.iter().map(|pair| one.case.score(pair.0 as usize, pair.1 as usize).into()).collect();
            (pairs.len(), scores.iter().min().copied(), scores.iter().sum::<i64>())
        };
        let best = one.case.best_of_all(|pairs| one.keeps_all(pairs).then(|| value(pairs)));
        if let Ok(found) = solved(&one, Objective::Fairest) {
            prop_assert!(one.check(&found).proved);
            prop_assert_eq!(Some(value(&found.pairs)), best);
        } else {
            prop_assert_eq!(best, None);
        }
    }

    /// A pin counts as one of the least places, and a mentor with a pin is open.
    #[test]
    fn pins_and_the_rule_hold_together(mut one in ruled(), chosen in vec(any::<Index>(), 1..4)) {
        one.case.coverage_first = true;
        let candidates: Vec<Pair> = (0..one.case.mentees.len()).flat_map(|mentee| (0..one.case.mentors.len()).map(move |mentor| (mentee, mentor)))
            .filter(|(mentee, mentor)| one.case.score(*mentee, *mentor) != FORBIDDEN)
            .map(|(mentee, mentor)| (u32::try_from(mentee).unwrap(), u32::try_from(mentor).unwrap()))
            .collect();
        prop_assume!(!candidates.is_empty());
        let mut pins: Vec<Pair> = chosen.iter().map(|at| candidates[at.index(candidates.len())]).collect();
        pins.sort_unstable();
        pins.dedup();
        let wishes = Wishes { pins: pins.clone(), bounds: one.bounds.clone(), ..Wishes::default() };
        let problem = one.problem();
        let Some(pinned) = PinnedProblem::if_possible(&problem, &wishes, &Unobserved).unwrap() else { return Ok(()) };
        let has_pins = |pairs: &[Pair]| pins.iter().all(|pin| pairs.contains(pin));
        let best = one.case.best_of_all(|pairs| (has_pins(pairs) && one.keeps_all(pairs)).then(|| one.case.value(pairs)));
        match pinned.solve(Objective::BestTotal, None, &Unobserved) {
            Ok(found) => {
                let check = pinned.check(&found.pairs, &found.evidence, None, &Unobserved).unwrap();
                prop_assert!(has_pins(&found.pairs) && one.keeps_all(&found.pairs), "{:?}", found.pairs);
                prop_assert!(check.proved, "{:?}", check);
                prop_assert_eq!(Some(one.case.value(&found.pairs)), best);
            }
            Err(NoSolution::Unmet(_)) => prop_assert_eq!(best, None),
            Err(NoSolution::Stopped) => prop_assert!(false, "nobody stopped it"),
        }
    }

    /// Whatever is changed in a tree, it proves nothing that is not the best.
    #[test]
    fn no_forged_tree_proves_a_lesser_result(one in ruled(), forgery in (0..7_u8, any::<Index>(), -20_000..20_000_i64), gives_up in any::<Index>()) {
        let Ok(found) = solved(&one, Objective::BestTotal) else { return Ok(()) };
        let Some(tree) = tree_of(&found) else { return Ok(()) };
        let best = one.case.value(&found.pairs);
        let mut lesser = with_tree(&found, forged(tree, forgery));
        let check = one.check(&lesser);
        prop_assert!(!check.proved || one.case.value(&lesser.pairs) == best);
        if !lesser.pairs.is_empty() {
            lesser.pairs.remove(gives_up.index(lesser.pairs.len()));
            prop_assert!(!one.check(&lesser).proved || one.case.value(&lesser.pairs) == best);
            prop_assert!(!one.check(&with_tree(&lesser, tree.clone())).proved || one.case.value(&lesser.pairs) == best);
        }
    }
}

/// Two mentors who take two or nobody, and three mentees: one mentor is closed, and one mentee has nobody.
fn two_of_three(rule: bool) -> Bounded {
    let case = Case {
        mentees: vec![Demand { tier: 0, wanted: 1, pinned: 0 }; 3],
        mentors: vec![Seats { min: 2, max: 2 }; 2],
        scores: vec![90, 10, 80, 20, 10, 70],
        coverage_first: true,
    };
    let least = if rule { LeastPlaces::new(vec![2, 2]) } else { LeastPlaces::default() };
    Bounded { case, bounds: MatchBounds { least, ..MatchBounds::default() }, opposites: None }
}

#[test]
fn a_mentor_with_too_few_mentees_is_closed_and_as_a_wish_she_is_not() {
    let ruled = solved(&two_of_three(true), Objective::BestTotal).unwrap();
    assert_eq!(ruled.pairs, [(0, 0), (1, 0)]);
    let tree = tree_of(&ruled).expect("a tree");
    assert!(tree.0.iter().any(|node| matches!(node, LimitNode::Division(Division::LeastPlaces(_)))));
    let wish = two_of_three(false);
    let found = objective_of(&wish);
    assert_eq!(found, [(0, 0), (1, 0), (2, 1)]);
}

fn objective_of(one: &Bounded) -> Vec<Pair> {
    crate::engine::objective::solve(&one.problem(), Objective::BestTotal, None, &Unobserved).unwrap().pairs
}

/// The tree of a problem with the rule says nothing of one without: its divisions do not cover what is allowed there.
#[test]
fn a_division_by_a_rule_that_the_problem_does_not_have_is_refused() {
    let ruled = two_of_three(true);
    let found = solved(&ruled, Objective::BestTotal).unwrap();
    assert!(ruled.check(&found).proved);
    let check = two_of_three(false).check(&found);
    assert!(!check.proved && check.people_gap.is_none(), "{check:?}");
}

#[test]
fn a_mentor_below_her_least_places_is_named() {
    let one = two_of_three(true);
    let found = solved(&one, Objective::BestTotal).unwrap();
    let broken = Solution { pairs: vec![(0, 0), (1, 0), (2, 1)], ..found };
    let below = crate::engine::certify::Infeasible::BelowLeast { mentor: 1, has: 1, least: 2 };
    assert_eq!(one.check(&broken).feasible, Err(below));
}

/// A middle-sized round: the result keeps the rule, and its bound on people holds.
#[test]
fn a_round_of_a_hundred_keeps_the_rule_and_serves_nearly_everybody() {
    let (mentees, mentors) = (100_u32, 70_u32);
    let cell = |mentee: u32, mentor: u32| match (mentee * 37 + mentor * 101 + mentee * mentor * 13) % 97 {
        low if low < 60 => FORBIDDEN,
        high => i32::try_from(high).unwrap() * 100,
    };
    let case = Case {
        mentees: vec![Demand { tier: 0, wanted: 1, pinned: 0 }; mentees as usize],
        mentors: vec![Seats { min: 2, max: 3 }; mentors as usize],
        scores: (0..mentees)
            .flat_map(|mentee| (0..mentors).map(move |mentor| cell(mentee, mentor)))
            .collect(),
        coverage_first: true,
    };
    let least = LeastPlaces::new(vec![2; mentors as usize]);
    let one = Bounded { case, bounds: MatchBounds { least, ..MatchBounds::default() }, opposites: None };
    let found = solved(&one, Objective::BestTotal).unwrap();
    let check = one.check(&found);
    assert!(one.keeps_all(&found.pairs) && check.feasible.is_ok(), "{check:?}");
    // One mentee has no candidate.
    assert_eq!((one.people(&found.pairs), check.people_gap), (99, Some(0)));
}
