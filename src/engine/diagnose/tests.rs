use proptest::prelude::*;

use super::*;
use crate::engine::assign::tests::case::{Case, case, score};
use crate::engine::observer::Unobserved;

/// Mentees who have a candidate with seats, served at most, by trying everything.
fn most_served(case: &Case) -> usize {
    case.best_of_all(|pairs| {
        let mut served: Vec<u32> = pairs.iter().map(|pair| pair.0).collect();
        served.dedup();
        served.len()
    })
}

fn has_candidate(case: &Case, mentee: usize) -> bool {
    let open = |mentor: usize| case.mentors[mentor].max > 0 && case.score(mentee, mentor) != FORBIDDEN;
    case.mentees[mentee].wanted > 0 && (0..case.mentors.len()).any(open)
}

/// Whether a shortage is true, from the problem alone: its list has every candidate with seats, and seats are too few.
fn holds(shortage: &Shortage, problem: &Problem<'_>) -> bool {
    let seats = |mentor: &u32| u64::from(problem.mentors[*mentor as usize].max);
    let mut rows = CandidateRows::default();
    let complete = shortage.mentees.iter().all(|mentee| {
        let mut inside = true;
        rows.each(problem, *mentee, |mentor| inside &= shortage.mentors.binary_search(&mentor).is_ok());
        inside
    });
    complete && shortage.mentors.iter().map(seats).sum::<u64>() == shortage.seats && shortage.missing() > 0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn shortages_are_true_apart_and_account_for_everyone_left_out(case in case(0..7, 0..5, score())) {
        let problem = case.problem();
        let found = shortages(&problem, &Unobserved).unwrap();
        for (at, shortage) in found.iter().enumerate() {
            prop_assert!(holds(shortage, &problem), "{:?}", shortage);
            for other in &found[at + 1..] {
                prop_assert!(shortage.mentees.iter().all(|mentee| !other.mentees.contains(mentee)));
                prop_assert!(shortage.mentors.iter().all(|mentor| !other.mentors.contains(mentor)));
            }
        }
        let eligible = (0..case.mentees.len()).filter(|&mentee| has_candidate(&case, mentee)).count();
        let missing: u64 = found.iter().map(Shortage::missing).sum();
        prop_assert_eq!(missing, (eligible - most_served(&case)) as u64);
    }

    #[test]
    fn no_one_more_seat_is_better_than_the_first_recruit(case in case(1..6, 1..4, score())) {
        let problem = case.problem();
        let solved = assign(&problem, &Unobserved).unwrap();
        let plan = recruitment(&problem, &solved, 2, &Unobserved).unwrap();
        let now = ObjectiveValue::of(&problem, &solved.pairs);
        let with_seat = |mentor: usize| {
            let mut mentors = case.mentors.clone();
            for seats in &mut mentors {
                seats.min = seats.min.min(seats.max);
            }
            mentors[mentor].max += 1;
            let more = Problem { mentors: &mentors, ..problem };
            ObjectiveValue::of(&more, &assign(&more, &Unobserved).unwrap().pairs)
        };
        let tried = (0..case.mentors.len()).filter(|&mentor| case.mentors[mentor].max > 0).map(with_seat);
        let best = tried.fold(now.clone(), |best, objective_value| if objective_value.is_better(&best, &problem) { objective_value } else { best });
        match plan.first() {
            Some(first) => {
                prop_assert!(first.objective_value.is_better(&now, &problem));
                prop_assert!(!best.is_better(&first.objective_value, &problem), "{:?} {:?}", best, first);
            }
            None => prop_assert!(!best.is_better(&now, &problem)),
        }
    }
}

#[test]
fn four_who_share_one_mentor_are_named_and_others_are_not() {
    let wants = Demand { tier: 0, wanted: 1, ..Demand::default() };
    let case = Case {
        mentees: vec![wants; 6],
        mentors: vec![Seats { min: 0, max: 2 }, Seats { min: 0, max: 5 }],
        scores: [vec![[5, FORBIDDEN]; 4], vec![[FORBIDDEN, 1]; 2]].concat().concat(),
        coverage_first: true,
    };
    let found = shortages(&case.problem(), &Unobserved).unwrap();
    assert_eq!(found, [Shortage { mentees: vec![0, 1, 2, 3], mentors: vec![0], seats: 2 }]);
    assert_eq!(found[0].missing(), 2);
    let solved = assign(&case.problem(), &Unobserved).unwrap();
    let plan = recruitment(&case.problem(), &solved, 5, &Unobserved).unwrap();
    assert_eq!(plan.iter().map(|step| step.like).collect::<Vec<_>>(), [0, 0]);
}
