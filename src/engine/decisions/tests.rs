use proptest::prelude::*;

use super::*;
use crate::engine::assign::assign;
use crate::engine::assign::tests::case::{Case, case, score};
use crate::engine::certify::certify;
use crate::engine::observer::Unobserved;
use crate::engine::pair_scores::{DenseScores, FORBIDDEN, PairScores};

/// The best value of a case among the assignments that keep all decisions, by trying everything.
fn brute_force(case: &Case, decisions: &Decisions) -> Option<Vec<i64>> {
    let mut best = None;
    case.each(|pairs| {
        let kept = decisions.pins.iter().all(|pin| pairs.contains(pin));
        if kept && !decisions.vetoes.iter().any(|veto| pairs.contains(veto)) {
            best = best.take().max(Some(case.value(pairs)));
        }
    });
    best
}

fn two_by_two() -> Case {
    Case {
        coverage_first: true,
        mentees: vec![Demand { tier: 0, wanted: 2, pinned: 0 }, Demand { tier: 1, wanted: 1, pinned: 0 }],
        mentors: vec![Seats { min: 1, max: 1 }, Seats { min: 0, max: 2 }],
        scores: vec![50, 70, 10, FORBIDDEN],
    }
}

#[test]
fn every_decision_that_cannot_be_kept_is_named() {
    let case = two_by_two();
    let wrong = |pins: &[(u32, u32)], vetoes: &[(u32, u32)]| {
        let decisions = Decisions { pins: pins.to_vec(), vetoes: vetoes.to_vec() };
        match ReducedProblem::new(&case.problem(), &decisions, &Unobserved) {
            Err(ReductionError::Refused(wrong)) => wrong,
            Err(error) => panic!("{error}"),
            Ok(_) => Vec::new(),
        }
    };
    assert_eq!(wrong(&[], &[(1, 1)]), []);
    assert_eq!(
        wrong(&[(2, 0), (1, 1), (0, 0), (1, 0)], &[(0, 2), (0, 0)]),
        [
            BadDecision::Unknown { mentee: 0, mentor: 2 },
            BadDecision::Unknown { mentee: 2, mentor: 0 },
            BadDecision::NotACandidate { mentee: 1, mentor: 1 },
            BadDecision::PinnedAndVetoed { mentee: 0, mentor: 0 },
            BadDecision::TooManyMentors { mentee: 1, pins: 2, wanted: 1 },
            BadDecision::TooManyMentees { mentor: 0, pins: 2, seats: 1 },
        ]
    );
}

#[test]
fn a_pinned_mentee_who_wants_two_still_wants_a_second_one() {
    let case = two_by_two();
    let decisions = Decisions { pins: vec![(0, 1), (0, 1)], vetoes: vec![] };
    let decided = ReducedProblem::new(&case.problem(), &decisions, &Unobserved).unwrap();
    let problem = decided.problem();
    assert_eq!(problem.mentees[0], Demand { tier: 0, wanted: 1, pinned: 1 });
    assert_eq!(problem.mentors[1], Seats { min: 0, max: 1 });
    // The one seat of mentor 0 covers the other mentee before it makes a second mentor.
    let solved = assign(&problem, &Unobserved).unwrap();
    assert_eq!(decided.with_pins(&solved.pairs), [(0, 1), (1, 0)]);
    assert_eq!(decided.without_pins(&[(1, 0), (0, 1)]), [(1, 0)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn the_rest_is_the_best_that_keeps_all_decisions(
        case in case(0..6, 1..5, score()),
        pins in proptest::collection::vec((0..6_u32, 0..4_u32), 0..4),
        vetoes in proptest::collection::vec((0..6_u32, 0..4_u32), 0..4),
    ) {
        let exists = |pair: &(u32, u32)| (pair.0 as usize) < case.mentees.len() && (pair.1 as usize) < case.mentors.len();
        let mut decisions = Decisions { pins, vetoes };
        decisions.pins.retain(exists);
        decisions.vetoes.retain(exists);
        let best = brute_force(&case, &decisions);
        let matrix = DenseScores::new(case.mentors.len(), case.scores.clone()).unwrap();
        let list = case.sparse_scores();
        let sources: [&dyn PairScores; 3] = [&case, &matrix, &list];
        for scores in sources {
            let problem = Problem { scores, ..case.problem() };
            let decided = ReducedProblem::new(&problem, &decisions, &Unobserved);
            prop_assert_eq!(decided.is_ok(), best.is_some());
            let Ok(decided) = decided else { continue };
            let rest = decided.problem();
            prop_assert_eq!(rest.scores.sparse().is_some(), problem.scores.sparse().is_some());
            if let Some(rows) = rest.scores.sparse() {
                prop_assert!(case.mentees.is_empty() || rows.len() == (0..case.mentees.len()).map(|i| rows.row(i).len()).sum::<usize>());
                prop_assert!(decisions.vetoes.iter().all(|veto| rows.score(veto.0 as usize, veto.1 as usize).is_none()));
            }
            let solved = assign(&rest, &Unobserved).unwrap();
            let verdict = certify(&rest, &solved.pairs, &solved.certificate, &Unobserved).unwrap();
            prop_assert!(verdict.proved(), "{:?}", verdict);
            prop_assert_eq!(Some(case.value(&decided.with_pins(&solved.pairs))), best.clone());
        }
    }
}
