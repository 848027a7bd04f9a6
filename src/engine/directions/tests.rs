use std::collections::BTreeSet;
use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::engine::assign::tests::case::Case;
use crate::engine::certificate::{BranchProof, Certificate};
use crate::engine::certify::{Infeasible, certify_branches};
use crate::engine::objective::{Check, check};
use crate::engine::observer::Unobserved;
use crate::engine::pair_scores::PairScores;

/// A case in which some people have both roles and may not mentor each other.
#[derive(Debug, Clone)]
struct Pool {
    case: Case,
    opposites: Opposites,
}

impl PairScores for Pool {
    fn tile(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [i32]) {
        self.case.tile(rows, cols, out);
    }

    fn opposites(&self) -> Option<&Opposites> {
        Some(&self.opposites)
    }
}

impl Pool {
    /// Mentee `i` and mentor `i` are the same person for the first `same` positions; nobody mentors herself.
    fn new(mut case: Case, same: usize, stages: &[u8]) -> Self {
        let both = same.min(case.mentees.len()).min(case.mentors.len());
        for person in 0..both {
            let at = person * case.mentors.len() + person;
            case.scores[at] = FORBIDDEN;
        }
        let position = |at: usize| u32::try_from(at).unwrap();
        let people =
            (0..both).map(|at| (position(at), position(at), stages.get(at).copied().unwrap_or_default()));
        let opposites = Opposites::new(case.mentees.len(), case.mentors.len(), people);
        Self { case, opposites }
    }

    /// Peers with equal scores who each want one mentor and take `places` mentees.
    fn equal(people: usize, places: u32, is_candidate: impl Fn(usize, usize) -> bool) -> Self {
        let cells = (0..people).flat_map(|i| (0..people).map(move |j| (i, j)));
        let case = Case {
            mentees: vec![Demand { tier: 0, wanted: 1, pinned: 0 }; people],
            mentors: vec![Seats { min: 0, max: places }; people],
            scores: cells.map(|(i, j)| if is_candidate(i, j) { 5_000 } else { FORBIDDEN }).collect(),
            coverage_first: true,
        };
        Self::new(case, people, &[])
    }

    fn problem(&self) -> Problem<'_> {
        Problem { scores: self, ..self.case.problem() }
    }

    fn keeps_the_rule(&self, pairs: &[(u32, u32)]) -> bool {
        pairs.iter().all(|pair| self.opposites.of(*pair).is_none_or(|other| !pairs.contains(&other)))
    }

    fn solved(&self, objective: Objective) -> (Solution, Check) {
        let solution = solve(&self.problem(), objective, None, &Unobserved).unwrap().unwrap();
        (solution.clone(), self.checked(&solution))
    }

    /// The solution of searches with at most `solves` further solves.
    fn solved_within(&self, objective: Objective, solves: usize) -> (Solution, Check) {
        let (problem, opposites) = (&self.problem(), &self.opposites);
        let solution = if objective == Objective::Fairest {
            solve_fairest(problem, None, opposites, solves, &Unobserved)
        } else {
            solve_best_total(problem, opposites, solves, &Unobserved)
        };
        let solution = solution.unwrap();
        (solution.clone(), self.checked(&solution))
    }

    fn checked(&self, solution: &Solution) -> Check {
        let problem = self.problem();
        let checked = check(&problem, &solution.pairs, &solution.evidence, None, &Unobserved).unwrap();
        assert_eq!(checked.feasible, Ok(()), "{solution:?}");
        assert!(checked.people_gap.is_some(), "proved, or with a bound: {checked:?} {solution:?}");
        assert!(self.keeps_the_rule(&solution.pairs));
        checked
    }

    /// Value for FAIREST: people, then the worst pair, then the total.
    fn fairness(&self, pairs: &[(u32, u32)]) -> Vec<i64> {
        let mut value = self.case.value(pairs);
        let worst = pairs.iter().map(|&(i, j)| i64::from(self.case.score(i as usize, j as usize))).min();
        value.insert(value.len() - 1, worst.unwrap_or(i64::MIN));
        value
    }

    fn searched(&self, solves: usize) -> Directed {
        best_total(&self.problem(), &self.opposites, solves, &Unobserved).unwrap()
    }

    /// The best value of an assignment that keeps the rule.
    fn best<V: Ord>(&self, value: impl Fn(&[(u32, u32)]) -> V) -> V {
        let best = self.case.best_of_all(|pairs| self.keeps_the_rule(pairs).then(|| value(pairs)));
        best.expect("no pairs keep the rule")
    }

    fn value_at(&self, objective: Objective, pairs: &[(u32, u32)]) -> Vec<i64> {
        if objective == Objective::Fairest { self.fairness(pairs) } else { self.case.value(pairs) }
    }
}

/// Pools of a few people, most of them in both roles, with ties, forbidden pairs, tiers, minimums and second mentors. The
/// numbers are weights: of second mentors, and of forbidden pairs.
fn pool(people: Range<usize>, second: u32, forbidden: u32) -> impl Strategy<Value = Pool> {
    (people, 0..3_usize).prop_flat_map(move |(people, fewer)| {
        let demand = (0..2_u8, prop_oneof![1 => Just(0_u8), 12 => Just(1), second => Just(2)]);
        let demand = demand.prop_map(|(tier, wanted)| Demand { tier, wanted, pinned: 0 });
        let seats = (prop_oneof![3 => Just(0_u32), 1 => 0..3_u32], 0..3_u32);
        let seats = seats.prop_map(|(min, max)| Seats { min, max });
        let score = prop_oneof![Just(5_000), 0..4_i32, 0..10_000_i32];
        let cell = prop_oneof![forbidden => Just(FORBIDDEN), 2 => score];
        let one_tier = any::<bool>();
        (vec(demand, people), vec(seats, people), vec(cell, people * people), vec(0..3_u8, people), one_tier)
            .prop_map(move |(mut mentees, mentors, scores, stages, one_tier)| {
                if one_tier {
                    for demand in &mut mentees {
                        demand.tier = 0;
                    }
                }
                let case = Case { mentees, mentors, scores, coverage_first: true };
                Pool::new(case, people - fewer.min(people), &stages)
            })
    })
}

/// Objectives that choose directions.
const OBJECTIVES: [Objective; 2] = [Objective::BestTotal, Objective::Fairest];

/// Asserts that nothing is better than a proved solution, and that no more people than its bound have a mentor otherwise.
fn no_choice_is_better(pool: &Pool, objective: Objective, (solution, checked): &(Solution, Check)) {
    let best = pool.best(|pairs| pool.value_at(objective, pairs));
    let value = pool.value_at(objective, &solution.pairs);
    assert!(value <= best);
    assert!(!checked.proved || value == best, "{value:?} {best:?} {checked:?}");
    let matched =
        |pairs: &[(u32, u32)]| pairs.iter().map(|pair| pair.0).collect::<BTreeSet<_>>().len() as u64;
    let most = matched(&solution.pairs) + checked.people_gap.expect("a bound");
    // An optimum may match fewer people than possible: the first tier comes first.
    assert!(checked.proved || pool.best(matched) <= most, "{checked:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_choice_of_directions_is_better(pool in pool(2..6, 1, 1)) {
        for objective in OBJECTIVES {
            let found = pool.solved(objective);
            no_choice_is_better(&pool, objective, &found);
            // Five people have at most 10 pairs to divide; the limit of solves is not reached.
            prop_assert!(found.1.proved, "{:?}", found);
        }
    }

    #[test]
    fn a_result_at_the_limit_of_solves_has_a_bound_that_holds(pool in pool(2..6, 1, 1), solves in 0..4_usize) {
        for objective in OBJECTIVES {
            let found = pool.solved_within(objective, solves);
            no_choice_is_better(&pool, objective, &found);
        }
    }

    #[test]
    fn a_search_that_ends_early_has_a_bound_that_holds(pool in pool(2..6, 0, 1), solves in 0..6_usize) {
        let problem = pool.problem();
        let best = pool.case.best_of_all(|pairs| pool.keeps_the_rule(pairs).then(|| pool.case.value(pairs)));
        let found = pool.searched(solves);
        prop_assert!(pool.keeps_the_rule(&found.pairs));
        let verdict = certify_branches(&problem, &pool.opposites, &found.pairs, &found.proof, &Unobserved).unwrap();
        prop_assert!(verdict.primal <= verdict.dual, "{:?}", verdict);
        // A single certificate of the problem without the rule needs no stronger weights.
        let has_tree = !matches!(&found.proof.0[..], [BranchNode::Leaf { prices, .. }] if prices.is_empty());
        prop_assert!(!has_tree || verdict.feasible.is_ok(), "{:?}", verdict);
        if verdict.feasible.is_ok() && verdict.primal == verdict.dual {
            prop_assert_eq!(Some(pool.case.value(&found.pairs)), best);
        }
    }

    #[test]
    fn no_tree_whatever_proves_less_than_the_optimum(pool in pool(3..6, 0, 1), at in any::<usize>(), by in -20_000..20_000_i32) {
        let problem = pool.problem();
        let found = pool.searched(1_000);
        let optimum = certify_branches(&problem, &pool.opposites, &found.pairs, &found.proof, &Unobserved).unwrap();
        let mut other = found.proof.clone();
        bend(&mut other, at, by);
        let verdict = certify_branches(&problem, &pool.opposites, &found.pairs, &other, &Unobserved).unwrap();
        let same_weights = verdict.primal == optimum.primal;
        prop_assert!(verdict.feasible.is_err() || !same_weights || verdict.dual >= optimum.primal);
    }
}

/// Changes one number of a leaf: a price of a person or of a direction.
fn bend(tree: &mut BranchProof, at: usize, by: i32) {
    let leaves = tree.0.iter_mut().filter_map(|node| match node {
        BranchNode::Leaf { certificate, prices } => Some((certificate, prices)),
        BranchNode::Split { .. } => None,
    });
    let mut leaves: Vec<_> = leaves.collect();
    let leaf = at % leaves.len();
    let (Certificate { mentee_prices, mentor_prices, .. }, prices) = &mut leaves[leaf];
    let people = mentee_prices.len() + mentor_prices.len();
    let at = at / 7 % (people + prices.len()).max(1);
    if let Some(price) = mentee_prices.iter_mut().chain(mentor_prices.iter_mut()).nth(at) {
        *price += i128::from(by);
    } else if let Some(price) = prices.get_mut(at - people) {
        price.price += by;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn no_choice_of_directions_is_better_among_six_or_seven(pool in pool(6..8, 0, 5)) {
        for objective in OBJECTIVES {
            no_choice_is_better(&pool, objective, &pool.solved(objective));
        }
    }
}

#[test]
fn a_deep_tree_is_written_read_and_checked() {
    let pool = Pool::equal(40, 1, |_, _| true);
    let problem = pool.problem();
    let found = pool.searched(1_000);
    let BranchProof(leaf) = found.proof;
    // Every division is answered by the same bound, which holds for any part.
    let splits = (0..500).map(|at| BranchNode::Split { pair: (at % 20, 20 + at % 20) });
    let leaves = leaf.iter().cycle().take(501).cloned();
    let tree = BranchProof(splits.chain(leaves).collect());
    let text = serde_json::to_string(&tree).unwrap();
    let read: BranchProof = serde_json::from_str(&text).unwrap();
    assert_eq!(read, tree);
    let certify =
        |tree| certify_branches(&problem, &pool.opposites, &found.pairs, &tree, &Unobserved).unwrap();
    let verdict = certify(read);
    assert!(verdict.proved(), "{verdict:?}");
    let nodes = tree.0;
    assert_eq!(
        certify(BranchProof(nodes[1..].to_vec())).feasible,
        Err(Infeasible::NoBound),
        "a leaf too many"
    );
    let short = BranchProof(nodes[..nodes.len() - 1].to_vec());
    assert_eq!(certify(short).feasible, Err(Infeasible::NoBound), "a leaf too few");
    assert!(certify(BranchProof(Vec::new())).feasible.is_err());
}

#[test]
fn seven_equal_peers_all_get_a_mentor() {
    for people in 3..=7 {
        let pool = Pool::equal(people, 2, |_, _| true);
        let (solution, checked) = pool.solved(Objective::BestTotal);
        assert_eq!(solution.pairs.len(), people);
        assert!(checked.proved, "{checked:?}");
        let (solution, checked) = pool.solved(Objective::Fairest);
        assert_eq!((solution.pairs.len(), checked.proved), (people, true));
    }
}

#[test]
fn two_peers_who_have_only_each_other_are_one_pair() {
    let pool = Pool::equal(2, 1, |_, _| true);
    let (solution, checked) = pool.solved(Objective::BestTotal);
    assert_eq!((solution.pairs.len(), checked.proved), (1, true));
    // Twenty couples: without prices a search would need a million branches.
    let couples = Pool::equal(40, 1, |i, j| i / 2 == j / 2);
    let (solution, checked) = couples.solved(Objective::BestTotal);
    assert_eq!((solution.pairs.len(), checked.proved), (20, true));
}

#[test]
fn trios_in_which_one_person_suits_two_others_are_proved() {
    // The price of one pair alone lowers no bound. Without prices a search would need a thousand branches.
    let trios = Pool::equal(30, 2, |i, j| i / 3 == j / 3 && (i % 3 == 1) != (j % 3 == 1));
    for objective in OBJECTIVES {
        let (solution, checked) = trios.solved(objective);
        assert_eq!((solution.pairs.len(), checked.proved), (20, true));
    }
}

#[test]
fn a_hundred_equal_peers_are_proved() {
    let pool = Pool::equal(100, 1, |_, _| true);
    let (solution, checked) = pool.solved(Objective::BestTotal);
    assert_eq!((solution.pairs.len(), checked.proved), (100, true));
}

#[test]
fn of_two_equal_directions_the_mentor_has_the_higher_career_stage() {
    for (stages, expected) in [([5, 2], (1, 0)), ([2, 5], (0, 1))] {
        let pool = Pool::new(Pool::equal(2, 1, |_, _| true).case, 2, &stages);
        assert_eq!(pool.solved(Objective::BestTotal).0.pairs, [expected]);
    }
    let mut better = Pool::new(Pool::equal(2, 1, |_, _| true).case, 2, &[5, 2]);
    better.case.scores[1] += 1;
    assert_eq!(better.solved(Objective::BestTotal).0.pairs, [(0, 1)], "the score comes first");
}

#[test]
fn an_assignment_in_both_directions_breaks_a_rule() {
    let pool = Pool::equal(2, 1, |_, _| true);
    let (solution, _) = pool.solved(Objective::BestTotal);
    let both = [(0, 1), (1, 0)];
    let checked = check(&pool.problem(), &both, &solution.evidence, None, &Unobserved).unwrap();
    assert!(checked.feasible.is_err() && !checked.proved && checked.people_gap.is_none());
}

#[test]
fn what_is_not_proved_has_a_bound_on_people() {
    let pool = Pool::equal(7, 2, |_, _| true);
    let (solution, _) = pool.solved(Objective::BestTotal);
    // Six of seven are matched: the bound still says seven.
    let evidence = bounded(&pool.problem(), &pool.opposites, solution.evidence, 1_000, &Unobserved).unwrap();
    let checked = check(&pool.problem(), &solution.pairs[..6], &evidence, None, &Unobserved).unwrap();
    assert_eq!((checked.proved, checked.people_gap), (false, Some(1)));
}
