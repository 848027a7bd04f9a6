//! Least places of mentors as a rule of the policy, in small rounds.

use super::stories::{mentee, mentor, name, round, run, unmatched, with};
use crate::domain::decision_conflict::{ConflictCause, DecisionConflict};
use crate::domain::explanation::ReasonCode;
use crate::domain::language::LanguageLevel;
use crate::domain::name::ProfileRef;
use crate::domain::profile::MentorOffer;
use crate::domain::review::DecisionKind;
use crate::domain::run::{Proof, Side, Unmatched, UnmatchedReason};
use crate::domain::snapshot::{FrozenDecision, Participant, Snapshot};
use crate::domain::vocabulary::Terms;
use crate::engine::observer::Unobserved;
use crate::engine::{NoOutcome, Options, Outcome, diagnose_round, solve, verify};

fn of_two(id: &str) -> Participant {
    let offer = MentorOffer { min_mentees: Some(2), max_mentees: 2, topics: Terms::EMPTY };
    with(mentor(id), |profile| profile.mentor_offer = Some(offer))
}

fn ruled(participants: Vec<Participant>) -> Snapshot {
    let mut snapshot = round(participants);
    snapshot.policy.require_least_places = true;
    snapshot
}

fn pin(mentee: &str, mentor: &str) -> FrozenDecision {
    let (mentee, mentor) = (name(mentee), name(mentor));
    FrozenDecision { name: format!("pin {}", mentee.id), mentee, mentor, kind: DecisionKind::Pin }
}

fn pairs(outcome: &Outcome) -> Vec<(ProfileRef, ProfileRef)> {
    outcome.matches.iter().map(|one| (one.mentee.clone(), one.mentor.clone())).collect()
}

fn codes(entry: &Unmatched) -> Vec<ReasonCode> {
    entry.details.iter().map(|reason| reason.code).collect()
}

#[test]
fn as_a_wish_everybody_is_served_and_as_a_rule_a_mentor_with_one_mentee_is_closed() {
    let people = || vec![mentee("a"), mentee("b"), mentee("c"), of_two("x"), of_two("y")];
    assert_eq!(run(&round(people())).matches.len(), 3);

    let snapshot = ruled(people());
    let outcome = run(&snapshot);
    assert_eq!(outcome.matches.len(), 2);
    assert_eq!(outcome.matches[0].mentor, outcome.matches[1].mentor);
    let check = |snapshot: &Snapshot| {
        verify(snapshot, &pairs(&outcome), &outcome.certificate, &Options::default(), &Unobserved).unwrap()
    };
    assert_eq!(check(&snapshot), outcome.summary.proof);
    let mut without_rule = snapshot.clone();
    without_rule.policy.require_least_places = false;
    assert_eq!(check(&without_rule), Proof::default(), "the proof is one of the rule");
}

/// Both the mentee whose possible mentor is closed and the closed mentor read why.
#[test]
fn who_has_no_match_because_of_the_rule_reads_so() {
    let snapshot = ruled(vec![mentee("a"), mentee("b"), mentee("c"), of_two("x"), of_two("y")]);
    let outcome = run(&snapshot);
    let [left] =
        &outcome.unmatched.iter().filter(|one| one.side == Some(Side::Mentee)).collect::<Vec<_>>()[..]
    else {
        panic!("one mentee too many")
    };
    assert_eq!(left.reason, UnmatchedReason::Outcompeted);
    assert!(codes(left).contains(&ReasonCode::LeastPlacesMissed), "{left:?}");
    let [closed] =
        &outcome.unmatched.iter().filter(|one| one.side == Some(Side::Mentor)).collect::<Vec<_>>()[..]
    else {
        panic!("one mentor is closed")
    };
    assert_eq!(codes(closed), [ReasonCode::PlacesLeftOver, ReasonCode::BelowLeastPlaces]);
    let for_managers = &outcome.unmatched_for_managers;
    let of_mentor = for_managers.iter().find(|one| one.side == Some(Side::Mentor)).expect("told too");
    assert!(codes(of_mentor).contains(&ReasonCode::BelowLeastPlaces));
    let of_mentee = for_managers.iter().find(|one| one.side == Some(Side::Mentee)).expect("told too");
    assert!(
        !codes(of_mentee).contains(&ReasonCode::LeastPlacesMissedUncounted),
        "one mentor is too few to tell"
    );

    let crowded = run(&ruled(vec![mentee("a"), mentee("b"), mentee("c"), of_two("x")]));
    let left = crowded.unmatched.first().expect("a mentee too many");
    assert_eq!(codes(left)[0], ReasonCode::Outcompeted);
    assert!(!codes(left).contains(&ReasonCode::LeastPlacesMissed), "nobody is closed");
}

#[test]
fn a_pin_opens_a_mentor_and_one_that_cannot_be_filled_is_told_before_the_run() {
    let mut snapshot = ruled(vec![mentee("a"), mentee("b"), mentee("c"), of_two("x"), of_two("y")]);
    snapshot.decisions = vec![pin("c", "y")];
    let outcome = run(&snapshot);
    assert!(outcome.matches.iter().all(|one| one.mentor == name("y")), "{:?}", pairs(&outcome));
    assert!(pairs(&outcome).contains(&(name("c"), name("y"))));

    // Only one mentee speaks a language of the mentor.
    let greek = |person: Participant| {
        with(person, |profile| {
            profile.languages[0].tag = "el".to_owned();
            profile.languages[0].level = LanguageLevel::Native;
        })
    };
    let people = vec![greek(mentee("a")), mentee("b"), mentee("c"), greek(of_two("x")), of_two("y")];
    let mut snapshot = ruled(people);
    snapshot.decisions = vec![pin("a", "x")];
    let Err(NoOutcome::Decisions(conflicts)) = solve(&snapshot, &Options::default(), &Unobserved) else {
        panic!("the mentor cannot have two")
    };
    let cause = ConflictCause::LeastPlaces { least: 2 };
    assert_eq!(conflicts, [DecisionConflict { cause, decisions: snapshot.decisions.clone() }]);
    snapshot.policy.require_least_places = false;
    assert_eq!(run(&snapshot).matches.len(), 3);
}

/// Two pins of the same two mentees: each mentor could be filled, both cannot.
#[test]
fn pins_that_cannot_be_filled_together_end_the_run_with_their_names() {
    let mut snapshot = ruled(vec![mentee("a"), mentee("b"), mentee("c"), of_two("x"), of_two("y")]);
    snapshot.decisions = vec![pin("a", "x"), pin("b", "y")];
    let Err(NoOutcome::Decisions(conflicts)) = solve(&snapshot, &Options::default(), &Unobserved) else {
        panic!("three mentees fill no two mentors")
    };
    assert_eq!(conflicts[0].cause, ConflictCause::BoundsUnmet);
    assert_eq!(conflicts[0].decisions.len(), 2);
    let diagnosis = diagnose_round(&snapshot, &Options::default(), &Unobserved).expect("not stopped");
    assert!(diagnosis.quotas_unmet.is_empty());
    assert_eq!(
        unmatched(&run(&ruled(vec![mentee("a"), of_two("x")])), "a", Side::Mentee).reason,
        UnmatchedReason::Outcompeted
    );
}
