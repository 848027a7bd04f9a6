//! Small rounds with an obvious outcome, each for one behaviour of the engine.

use std::collections::HashMap;
use std::sync::Mutex;

use jiff::civil::{Date, date};

use super::synthetic::{Shape, consents};
use crate::domain::explanation::ReasonCode;
use crate::domain::language::LanguageLevel;
use crate::domain::name::ProfileRef;
use crate::domain::policy::{Criterion, CriterionWeight, HardRule, HardRules, Objective, Policy};
use crate::domain::profile::{
    Language, MeetingModes, MenteeRequest, MentorOffer, Profile, Roster, RosterAvailability, WeeklySlot,
};
use crate::domain::run::{PairExplanation, Side, Stage, Unmatched, UnmatchedReason, WholeRound};
use crate::domain::snapshot::{Participant, Snapshot};
use crate::domain::suppression::PeopleCount::Exact;
use crate::domain::vocabulary::{Country, Terms};
use crate::engine::encode::{AnswersUsed, Round};
use crate::engine::observer::{Observer, Unobserved};
use crate::engine::{NoOutcome, Options, Outcome, explain_pair, solve};

pub(super) fn name(id: &str) -> ProfileRef {
    ProfileRef::from_name(&format!("organisations/wim-test/profiles/{id}")).expect("a good name")
}

/// A person who speaks English and has answered nothing else.
fn person(id: &str) -> Participant {
    let content = Profile {
        country: Country::from_code("PE").expect("Peru"),
        time_zone: "America/Lima".to_owned(),
        weekly_slots: Vec::new(),
        roster: None,
        languages: vec![Language { tag: "en".to_owned(), level: LanguageLevel::Native }],
        career_stage: None,
        functions: Terms::EMPTY,
        commodities: Terms::EMPTY,
        employer: None,
        competitor_group: None,
        reporting_line: Vec::new(),
        meeting_modes: MeetingModes::default(),
        goals: Terms::EMPTY,
        working_styles: Terms::EMPTY,
        preferred: Vec::new(),
        avoided: Vec::new(),
        previous_partners: Vec::new(),
        mentor_offer: None,
        mentee_request: None,
        identity: None,
        consents: consents(true, true),
    };
    Participant { profile: name(id), version: 1, content, waiting: None }
}

pub(super) fn mentee(id: &str) -> Participant {
    let mut person = person(id);
    person.content.mentee_request =
        Some(MenteeRequest { mentors_wanted: None, topics: Terms::EMPTY, waiting_since: None });
    person
}

pub(super) fn mentor(id: &str) -> Participant {
    let mut person = person(id);
    person.content.mentor_offer =
        Some(MentorOffer { min_mentees: None, max_mentees: 1, topics: Terms::EMPTY });
    person
}

pub(super) fn both(id: &str) -> Participant {
    let mut person = mentor(id);
    person.content.mentee_request = mentee(id).content.mentee_request;
    person
}

pub(super) fn with(mut person: Participant, change: impl FnOnce(&mut Profile)) -> Participant {
    change(&mut person.content);
    person
}

pub(super) fn round(participants: Vec<Participant>) -> Snapshot {
    Snapshot {
        start_date: date(2027, 2, 15),
        end_date: date(2027, 11, 30),
        freeze_time: "2027-01-20T12:00:00Z".parse().expect("a moment"),
        policy: Policy::default(),
        organisations: Vec::new(),
        participants,
        decisions: Vec::new(),
        follows: None,
    }
}

pub(super) fn run(snapshot: &Snapshot) -> Outcome {
    let outcome = solve(snapshot, &Options::default(), &Unobserved).expect("not stopped");
    assert!(outcome.summary.proof.proved);
    outcome
}

fn explain(snapshot: &Snapshot, mentee: &str, mentor: &str) -> PairExplanation {
    explain_pair(snapshot, None, AnswersUsed::All, &name(mentee), &name(mentor)).expect("both take part")
}

pub(super) fn whole(outcome: &Outcome) -> &WholeRound {
    outcome.summary.whole_round.as_ref().expect("numbers for coordinators")
}

pub(super) fn unmatched<'a>(outcome: &'a Outcome, id: &str, side: Side) -> &'a Unmatched {
    let found = outcome.unmatched.iter().find(|entry| entry.profile == name(id) && entry.side == Some(side));
    found.expect("an entry")
}

pub(super) fn codes(entry: &Unmatched) -> Vec<ReasonCode> {
    entry.details.iter().map(|reason| reason.code).collect()
}

/// A slot of whole hours on one day, 0 for Monday.
pub(super) fn slot(day: u8, from_hour: u8, to_hour: u8) -> WeeklySlot {
    WeeklySlot { day, start: from_hour * 2, end: to_hour * 2 }
}

/// Common minutes of a mentee and a mentor, given by zone and slots, in a round of these dates.
fn minutes(mentee_at: (&str, &[WeeklySlot]), mentor_at: (&str, &[WeeklySlot]), dates: (Date, Date)) -> u16 {
    let at = |(zone, slots): (&str, &[WeeklySlot]), person| {
        with(person, |profile| {
            profile.time_zone = zone.to_owned();
            profile.weekly_slots = slots.to_vec();
        })
    };
    let mut snapshot = round(vec![at(mentee_at, mentee("a")), at(mentor_at, mentor("b"))]);
    (snapshot.start_date, snapshot.end_date) = dates;
    overlap(&snapshot)
}

fn overlap(snapshot: &Snapshot) -> u16 {
    let pair = explain(snapshot, "a", "b").pair;
    let line = pair.contributions.iter().find(|line| line.criterion == Some(Criterion::WeeklyOverlap));
    let reason = &line.expect("a line on hours").reason;
    assert_eq!(reason.code, ReasonCode::OverlapMinutes);
    reason.parameters.get("minutes").expect("a parameter").parse().expect("a number")
}

const YEAR: (Date, Date) = (date(2027, 2, 15), date(2027, 11, 30));
const SOUTHERN_SUMMER: (Date, Date) = (date(2027, 2, 15), date(2027, 3, 26));
const SOUTHERN_WINTER: (Date, Date) = (date(2027, 6, 1), date(2027, 8, 31));

#[test]
fn lima_and_sydney_have_the_overlap_of_their_worst_season() {
    let lima = ("America/Lima", [slot(0, 18, 20)]);
    let sydney = ("Australia/Sydney", [slot(1, 10, 12)]);
    let between = |dates| minutes((lima.0, &lima.1), (sydney.0, &sydney.1), dates);
    assert_eq!(between(SOUTHERN_SUMMER), 120, "Tuesday 10:00 in Sydney is Monday 18:00 in Lima");
    assert_eq!(between(SOUTHERN_WINTER), 60, "Tuesday 10:00 in Sydney is Monday 19:00 in Lima");
    assert_eq!(between(YEAR), 60);
}

#[test]
fn santiago_and_london_change_their_clocks_on_different_days() {
    let santiago = ("America/Santiago", [slot(0, 11, 13)]);
    let london = ("Europe/London", [slot(0, 14, 17)]);
    let between = |dates| minutes((santiago.0, &santiago.1), (london.0, &london.1), dates);
    assert_eq!(between(SOUTHERN_SUMMER), 120);
    assert_eq!(between(SOUTHERN_WINTER), 60);
    assert_eq!(between(YEAR), 60);
    assert_eq!(between((date(2027, 9, 10), date(2027, 10, 25))), 120);
}

#[test]
fn a_week_between_two_clock_changes_is_not_a_season() {
    // London begins summer time on 28 March, Santiago ends it on 4 April: the overlap of the week between is different.
    let only_then = ("America/Santiago", [slot(0, 8, 9)]);
    let london = ("Europe/London", [slot(0, 12, 14)]);
    let between = |dates| minutes((only_then.0, &only_then.1), (london.0, &london.1), dates);
    assert_eq!(between((date(2027, 3, 29), date(2027, 4, 3))), 60, "11:00 UTC, alone in a round");
    assert_eq!(between((date(2027, 4, 5), date(2027, 8, 1))), 60, "12:00 UTC");
    assert_eq!(between((date(2027, 2, 15), date(2027, 3, 27))), 0, "11:00 UTC, before London's summer time");
}

#[test]
fn slots_wrap_around_the_week() {
    let sydney = [slot(0, 1, 3)];
    let london = [slot(6, 14, 16)];
    let between = minutes(("Europe/London", &london), ("Australia/Sydney", &sydney), SOUTHERN_SUMMER);
    assert_eq!(between, 120, "Monday 01:00 in Sydney is Sunday 14:00 UTC");
    let honolulu = [slot(6, 20, 22)];
    let auckland = [slot(0, 19, 21)];
    let between = minutes(("Pacific/Honolulu", &honolulu), ("Pacific/Auckland", &auckland), SOUTHERN_SUMMER);
    assert_eq!(between, 120, "Sunday 20:00 in Honolulu is Monday 06:00 UTC and Monday 19:00 in Auckland");
}

#[test]
fn with_offsets_of_half_and_quarter_hours_only_complete_half_hours_count() {
    let kolkata = ("Asia/Kolkata", &[slot(0, 18, 20)][..]);
    let adelaide = ("Australia/Adelaide", &[slot(0, 22, 24)][..]);
    let kathmandu = ("Asia/Kathmandu", &[slot(0, 18, 19), slot(0, 19, 20)][..]);
    assert_eq!(minutes(kolkata, adelaide, SOUTHERN_WINTER), 120, "12:30 to 14:30 UTC");
    assert_eq!(
        minutes(kolkata, kathmandu, SOUTHERN_WINTER),
        90,
        "12:30 to 14:00 UTC, the joint of the slots kept"
    );
    assert_eq!(minutes(kathmandu, kathmandu, SOUTHERN_WINTER), 90);
}

fn every_day() -> Vec<WeeklySlot> {
    (0..7).map(|day| slot(day, 0, 24)).collect()
}

fn works(days_on: u8, days_off: u8, first_day_on: Date, availability: RosterAvailability) -> Roster {
    Roster { days_on, days_off, first_day_on: Some(first_day_on), availability }
}

#[test]
fn opposite_rosters_never_meet_and_equal_ones_do() {
    let on_roster = |person, first_day_on| {
        with(person, |profile| {
            profile.weekly_slots = every_day();
            profile.roster = Some(works(14, 14, first_day_on, RosterAvailability::DaysOff));
        })
    };
    let first = date(2026, 12, 7);
    let opposite = round(vec![on_roster(mentee("a"), first), on_roster(mentor("b"), date(2026, 12, 21))]);
    assert_eq!(overlap(&opposite), 0);
    assert_eq!(unmatched(&run(&opposite), "a", Side::Mentee).exclusions[&HardRule::WeeklyOverlap], Exact(1));
    let equal = round(vec![on_roster(mentee("a"), first), on_roster(mentor("b"), date(2026, 11, 9))]);
    assert_eq!(overlap(&equal), 14 * 24 * 60 / 4);
    assert_eq!(run(&equal).matches.len(), 1);
}

#[test]
fn a_roster_holds_on_its_own_days_of_four_weeks() {
    let lunch: Vec<WeeklySlot> = (0..7).map(|day| slot(day, 12, 13)).collect();
    let meets = |availability| {
        let on_roster = with(mentor("b"), |profile| {
            profile.weekly_slots = lunch.clone();
            profile.roster = Some(works(8, 6, date(2026, 12, 1), availability));
        });
        let at_home = with(mentee("a"), |profile| profile.weekly_slots = lunch.clone());
        overlap(&round(vec![at_home, on_roster]))
    };
    assert_eq!(meets(RosterAvailability::DaysOff), 12 * 60 / 4);
    assert_eq!(meets(RosterAvailability::DaysOn), 16 * 60 / 4);
    assert_eq!(meets(RosterAvailability::Always), 28 * 60 / 4);
}

#[test]
fn avoid_lists_and_reporting_lines_exclude_under_the_same_rule() {
    let avoiding = with(mentee("a"), |profile| profile.avoided = vec![name("b")]);
    let avoided = with(mentor("b"), |profile| profile.avoided = vec![name("a")]);
    let below = with(mentee("a"), |profile| profile.reporting_line = vec![name("b")]);
    let above = with(mentor("b"), |profile| profile.reporting_line = vec![name("a")]);
    let rounds = [
        round(vec![avoiding, mentor("b")]),
        round(vec![mentee("a"), avoided]),
        round(vec![below.clone(), mentor("b")]),
        round(vec![mentee("a"), above]),
    ];
    let outcomes: Vec<Outcome> = rounds.iter().map(run).collect();
    for outcome in &outcomes {
        assert_eq!(outcome.unmatched, outcomes[0].unmatched);
        let entry = unmatched(outcome, "a", Side::Mentee);
        assert_eq!((entry.reason, entry.candidates), (UnmatchedReason::Outcompeted, Exact(1)));
        assert_eq!(
            codes(entry),
            [ReasonCode::Outcompeted, ReasonCode::MentorWanted],
            "the same words as if somebody else had the place"
        );
        assert!(entry.exclusions.is_empty(), "a count would reveal that somebody avoids her");
    }
    let mut allowed = round(vec![below, mentor("b")]);
    allowed.policy.rules.allow_same_reporting_line = true;
    assert_eq!(run(&allowed).matches.len(), 1);
}

#[test]
fn private_criteria_are_one_contribution_even_if_there_is_only_one() {
    let mut snapshot =
        round(vec![with(mentee("a"), |profile| profile.preferred = vec![name("b")]), mentor("b")]);
    let weigh = |criteria: &[Criterion]| -> Vec<CriterionWeight> {
        criteria
            .iter()
            .map(|criterion| CriterionWeight { criterion: *criterion, weight: 1, neutral: 0 })
            .collect()
    };
    for criteria in
        [&[Criterion::Preference][..], &[Criterion::CareerStage, Criterion::Preference, Criterion::Identity]]
    {
        snapshot.policy.criteria = weigh(criteria);
        let outcome = run(&snapshot);
        let last = outcome.matches[0].contributions.last().expect("a line");
        assert_eq!((last.criterion, last.reason.code), (None, ReasonCode::PrivateAnswers));
        assert_eq!(last.points, 0, "what is private is never shown");
        let shown = outcome.matches[0].contributions.iter().filter_map(|line| line.criterion);
        assert!(shown.clone().all(|criterion| !criterion.is_private()));
        let means = whole(&outcome).criteria.iter().filter_map(|mean| mean.criterion);
        assert!(means.clone().all(|criterion| !criterion.is_private()));
    }
}

#[test]
fn missing_answers_have_the_neutral_value_and_break_no_rule() {
    let mut snapshot = round(vec![mentee("a"), mentor("b")]);
    for weight in &mut snapshot.policy.criteria {
        weight.neutral = 3_000;
    }
    let found = explain(&snapshot, "a", "b");
    assert!(found.broken_rules.is_empty());
    let missing: Vec<_> = found
        .pair
        .contributions
        .iter()
        .filter(|line| line.reason.code == ReasonCode::MissingAnswer)
        .collect();
    assert_eq!(missing.len(), 8, "topics, functions, commodities, stage, hours, modes, goals, styles");
    for line in missing {
        assert_eq!(u32::from(line.points), u32::from(line.max_points) * 3 / 10);
    }
}

#[test]
fn of_two_people_only_one_direction_is_a_candidate_unless_allowed() {
    let mut snapshot = round(vec![both("a"), both("b")]);
    let chosen = run(&snapshot);
    assert_eq!((chosen.matches.len(), chosen.summary.proof.proved), (1, true));
    assert_eq!(whole(&chosen).candidates, 2, "the result chooses the direction");

    snapshot.policy.objective = Objective::Stable;
    let outcome = run(&snapshot);
    assert_eq!(outcome.matches.len(), 1);
    assert_eq!(whole(&outcome).exclusions[&HardRule::Mutual], 1);
    assert_eq!(whole(&outcome).exclusions[&HardRule::SamePerson], 2);
    let (one, other) = (&outcome.matches[0].mentee, &outcome.matches[0].mentor);
    let reverse = explain_pair(&snapshot, None, AnswersUsed::All, other, one).expect("both take part");
    assert_eq!(reverse.broken_rules[0].0, HardRule::Mutual);

    snapshot.policy.objective = Objective::BestTotal;
    snapshot.policy.rules.allow_mutual_mentoring = true;
    assert_eq!(run(&snapshot).matches.len(), 2);

    snapshot.policy.rules = HardRules { min_stage_gap: -6, ..HardRules::default() };
    for (id, stage) in [("a", 5), ("b", 2)] {
        let at = snapshot
            .participants
            .iter_mut()
            .find(|person| person.profile == name(id))
            .expect("a participant");
        at.content.career_stage = Some(stage);
    }
    let outcome = run(&snapshot);
    assert_eq!((&outcome.matches[0].mentee, &outcome.matches[0].mentor), (&name("b"), &name("a")));
}

#[test]
fn in_a_pool_of_peers_everybody_gets_a_mentor() {
    let offer = MentorOffer { min_mentees: None, max_mentees: 2, topics: Terms::EMPTY };
    let peer = |id: &str| with(both(id), |profile| profile.mentor_offer = Some(offer));
    let pool = ["nancy", "li-fei", "wu", "liu-yu", "song", "zhao", "zhou"].map(peer);
    for objective in [Objective::BestTotal, Objective::Fairest] {
        let mut snapshot = round(pool.to_vec());
        snapshot.policy.objective = objective;
        assert_eq!(run(&snapshot).summary.matched_mentees, 7, "{objective:?}");
    }
}

#[test]
fn everyone_without_a_match_has_a_reason() {
    let none =
        run(&round(vec![mentee("a"), with(mentee("b"), |profile| profile.consents = consents(false, true))]));
    assert_eq!(unmatched(&none, "a", Side::Mentee).reason, UnmatchedReason::NoCounterpart);
    assert_eq!(unmatched(&none, "b", Side::Mentee).reason, UnmatchedReason::NoLiveConsent);
    assert_eq!((none.summary.mentees, whole(&none).pairs), (2, 0));

    let employed =
        |person, employer: &str| with(person, |profile| profile.employer = Some(employer.to_owned()));
    let staged = |person, stage| with(person, |profile| profile.career_stage = Some(stage));
    let excluded = run(&round(vec![
        staged(employed(mentee("a"), "x"), 5),
        employed(mentor("b"), "x"),
        staged(mentor("c"), 2),
        staged(mentor("d"), 3),
    ]));
    let entry = unmatched(&excluded, "a", Side::Mentee);
    assert_eq!(entry.reason, UnmatchedReason::NoCandidate);
    assert_eq!((entry.counterparts, entry.candidates), (Exact(3), Exact(0)));
    let expected = [ReasonCode::NoCandidate, ReasonCode::SingleRuleRelaxed, ReasonCode::MentorWanted];
    assert_eq!(codes(entry), expected);
    assert_eq!(entry.details[1].parameters.get("rule"), Some("stage_gap"));
    assert_eq!(entry.details[1].parameters.get("candidates"), Some("2"));

    let doubly =
        run(&round(vec![staged(employed(mentee("a"), "x"), 5), staged(employed(mentor("b"), "x"), 2)]));
    let entry = unmatched(&doubly, "b", Side::Mentor);
    assert_eq!(codes(entry), [ReasonCode::NoCandidate, ReasonCode::SeveralRules]);
    assert_eq!(entry.exclusions.len(), 2);

    let crowded = run(&round(vec![mentee("a"), mentee("b"), mentor("c")]));
    let left = crowded.unmatched.first().expect("one mentee too many");
    assert_eq!(
        (left.side, left.reason, left.candidates),
        (Some(Side::Mentee), UnmatchedReason::Outcompeted, Exact(1))
    );

    let empty_handed = run(&round(vec![mentee("a"), mentor("b"), mentor("c")]));
    let left = empty_handed.unmatched.first().expect("one mentor too many");
    assert_eq!(
        (left.side, left.reason, left.candidates),
        (Some(Side::Mentor), UnmatchedReason::PlacesLeftOver, Exact(1))
    );
}

#[test]
fn a_person_whose_profile_lost_its_role_has_a_reason() {
    let silent = with(person("d"), |profile| profile.consents = consents(false, true));
    let outcome = run(&round(vec![mentee("a"), mentor("b"), person("c"), silent]));
    let told: Vec<_> =
        outcome.unmatched.iter().map(|entry| (&entry.profile, entry.side, entry.reason)).collect();
    let expected =
        [(&name("c"), None, UnmatchedReason::NoRole), (&name("d"), None, UnmatchedReason::NoLiveConsent)];
    assert_eq!(told, expected);
    assert_eq!(codes(&outcome.unmatched[0]), [ReasonCode::NoRole]);
    assert!(outcome.summary.proof.proved);
    assert_eq!((outcome.summary.mentees, outcome.summary.mentors), (1, 1));
}

#[test]
fn a_mentor_with_fewer_mentees_than_her_minimum_is_named_with_both_numbers() {
    let offers = |person, min, max| {
        with(person, |profile| {
            profile.mentor_offer =
                Some(MentorOffer { min_mentees: Some(min), max_mentees: max, topics: Terms::EMPTY });
        })
    };
    let of_co = |person| with(person, |profile| profile.employer = Some("co".to_owned()));
    let barred = of_co(offers(mentor("c"), 1, 1));
    let outcome = run(&round(vec![of_co(mentee("a")), offers(mentor("b"), 2, 3), barred, mentor("d")]));
    let summary = &outcome.summary;
    let told: Vec<_> =
        summary.below_minimum.iter().map(|one| (one.mentor.id.as_str(), one.matched, one.minimum)).collect();
    assert_eq!(told, [("b", 1, 2), ("c", 0, 1)]);
    assert_eq!((summary.mentors_below_minimum, summary.matched_mentees), (2, 1));
}

#[test]
fn waitlisted_mentees_are_matched_before_better_scores() {
    let waiting = with(mentee("a"), |profile| {
        profile.career_stage = Some(4);
        profile.mentee_request = Some(MenteeRequest {
            mentors_wanted: None,
            topics: Terms::EMPTY,
            waiting_since: Some(date(2026, 11, 1)),
        });
    });
    let better = with(mentee("b"), |profile| profile.career_stage = Some(2));
    let mut snapshot =
        round(vec![waiting, better, with(mentor("c"), |profile| profile.career_stage = Some(4))]);
    let outcome = run(&snapshot);
    assert_eq!(outcome.matches[0].mentee, name("a"));
    let tiers: Vec<_> =
        outcome.summary.tiers.iter().map(|tier| (tier.tier, tier.mentees, tier.matched)).collect();
    assert_eq!(tiers, [(1, 1, 1), (2, 1, 0)]);
    snapshot.policy.waitlist_after_days = None;
    assert_eq!(run(&snapshot).matches[0].mentee, name("b"));
}

#[test]
fn meeting_in_person_only_requires_one_country() {
    let meets = |person, country: &str, by_call, in_person| {
        with(person, |profile| {
            profile.country = Country::from_code(country).expect("a country");
            profile.meeting_modes = MeetingModes { by_call, in_person };
        })
    };
    let breaks = |a, b| {
        let found = explain(&round(vec![a, b]), "a", "b");
        found.broken_rules.iter().any(|(rule, _)| *rule == HardRule::MeetingMode)
    };
    assert!(breaks(meets(mentee("a"), "PE", false, true), meets(mentor("b"), "CL", true, true)));
    assert!(breaks(meets(mentee("a"), "PE", false, true), meets(mentor("b"), "PE", true, false)));
    assert!(!breaks(meets(mentee("a"), "PE", false, true), meets(mentor("b"), "PE", true, true)));
    assert!(!breaks(meets(mentee("a"), "PE", true, true), meets(mentor("b"), "CL", true, true)));
    assert!(!breaks(meets(mentee("a"), "PE", false, true), meets(mentor("b"), "CL", false, false)));
}

#[test]
fn empty_and_inconsistent_rounds_are_solved() {
    assert!(run(&round(vec![])).unmatched.is_empty());
    assert_eq!(run(&round(vec![mentor("a"), mentor("b")])).unmatched.len(), 2);
    let alone = run(&round(vec![both("a")]));
    assert_eq!(alone.unmatched.len(), 2);
    assert!(alone.unmatched.iter().all(|entry| entry.reason == UnmatchedReason::NoCounterpart));
    let mut strange = round(vec![mentee("a"), mentor("b"), person("c"), mentor("b")]);
    strange.participants[3].version = 2;
    strange.participants[3].content.career_stage = Some(1);
    strange.participants[0].content.career_stage = Some(5);
    strange.end_date = strange.start_date.yesterday().expect("a day");
    strange.policy.criteria.clear();
    strange.participants[0].content.time_zone = "Nowhere/Land".to_owned();
    strange.participants[0].content.weekly_slots = every_day();
    let outcome = run(&strange);
    assert_eq!(
        unmatched(&outcome, "b", Side::Mentor).exclusions[&HardRule::StageGap],
        Exact(1),
        "the later version counts"
    );
    strange.participants[3].version = 0;
    assert_eq!(run(&strange).matches[0].score, 0);
    assert!(
        explain_pair(&strange, None, AnswersUsed::All, &name("b"), &name("a")).is_none(),
        "not in these roles"
    );
    assert!(explain_pair(&strange, None, AnswersUsed::All, &name("a"), &name("nobody")).is_none());
}

/// Observer that records the stages, and stops the engine at one of them.
struct Recorder {
    stages: Mutex<Vec<Stage>>,
    stop_at: Option<Stage>,
}

impl Observer for Recorder {
    fn progress(&self, stage: Stage, done: u64, total: u64) {
        assert!(done <= total, "{stage:?}: {done} of {total}");
        let mut stages = self.stages.lock().expect("not poisoned");
        if stages.last() != Some(&stage) {
            stages.push(stage);
        }
    }

    fn is_cancelled(&self) -> bool {
        let stages = self.stages.lock().expect("not poisoned");
        stages.last().copied() == self.stop_at && self.stop_at.is_some()
    }
}

#[test]
fn stages_are_reported_in_order_and_the_engine_stops_at_any() {
    let snapshot = Shape::usual(60, 40).make();
    let stages = &Stage::ALL[..5];
    let watch = Recorder { stages: Mutex::default(), stop_at: None };
    let outcome = solve(&snapshot, &Options::default(), &watch).expect("not stopped");
    assert_eq!(*watch.stages.lock().expect("not poisoned"), stages);
    let timed: Vec<Stage> = whole(&outcome).stage_micros.iter().map(|(stage, _)| *stage).collect();
    assert_eq!(timed, stages);
    for stage in stages {
        let watch = Recorder { stages: Mutex::default(), stop_at: Some(*stage) };
        let stopped = solve(&snapshot, &Options::default(), &watch).err();
        assert_eq!(stopped, Some(NoOutcome::Stopped), "{stage:?}");
        assert_eq!(watch.stages.lock().expect("not poisoned").last(), Some(stage));
    }
}

/// Observer that records the last units of each stage, done and total. It asserts that they never decrease while pairs are
/// assigned.
#[derive(Default)]
struct Units(Mutex<HashMap<&'static str, (u64, u64)>>);

impl Observer for Units {
    fn progress(&self, stage: Stage, done: u64, total: u64) {
        assert!(done <= total, "{stage:?}: {done} of {total}");
        let mut units = self.0.lock().expect("not poisoned");
        let last = units.entry(stage.as_str()).or_default();
        if stage == Stage::Assign {
            assert!(done >= last.0 && total >= last.1, "{done} of {total} after {last:?}");
            *last = (done, total);
        } else {
            *last = (last.0.max(done), last.1.max(total));
        }
    }

    fn is_cancelled(&self) -> bool {
        false
    }
}

#[test]
fn every_pass_over_all_pairs_adds_to_the_total_of_a_stage() {
    for objective in [Objective::BestTotal, Objective::Fairest] {
        let mut snapshot = Shape::usual(300, 300).make();
        snapshot.policy.objective = objective;
        let watch = Units::default();
        let outcome = solve(&snapshot, &Options::default(), &watch).expect("not stopped");
        let round = Round::encode(&snapshot, &Unobserved).expect("not stopped");
        let mentees = round.mentees.len() as u64;
        let wanted: u64 = round.demands().iter().map(|demand| u64::from(demand.wanted)).sum();
        let passes = 1 + outcome.counters.pricing_rounds;
        assert!(passes > 1);
        let units = watch.0.lock().expect("not poisoned");
        let (done, total) = units[Stage::Assign.as_str()];
        assert_eq!(done, total, "{objective:?}");
        if objective == Objective::BestTotal {
            assert_eq!(total, passes * mentees + wanted);
        } else {
            // This objective solves and scans the pairs several times.
            assert!(total > passes * mentees + wanted, "{total} {passes}");
        }
        // One pass for the bound, and a later one for the blocking pairs by open answers.
        assert_eq!(units[Stage::Certify.as_str()], (mentees, mentees));
    }
}
