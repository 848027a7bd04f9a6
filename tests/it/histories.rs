//! Random histories of a round, from enrolments to publications, beside a model that says what each step must answer. Whatever
//! the order: places and decisions hold in every run, nobody is lost, a run is published once and never by one person alone.

use std::collections::{BTreeMap, BTreeSet};

use wim_match::api::proto::v1;
use wim_match::client::{Client, request_id};

use crate::refusal::reason;
use crate::world::{Manager, World, matches, mentee, mentor, soon, unmatched};

/// Histories on every day, and the number that was asked for.
const DAILY: u64 = 12;
const ASKED: u64 = 1_000;
/// Steps of a history.
const STEPS: usize = 40;

const MENTORS: [(&str, usize); 3] = [("m1", 1), ("m2", 2), ("m3", 1)];
const MENTEES: [&str; 4] = ["a", "b", "c", "d"];

/// A stream of numbers that a seed determines (Knuth, MMIX).
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % sides as u64).expect("small")
    }
}

/// What the round should be.
#[derive(Debug, Default)]
struct Model {
    /// Pins and vetoes in force, each with the name of its decision.
    decisions: BTreeMap<(&'static str, &'static str), (v1::DecisionKind, String)>,
    /// Mentees who take part.
    enrolled: BTreeSet<&'static str>,
    /// The newest run, and whether anything has changed since.
    run: Option<(v1::Run, bool)>,
    /// The submission that is under way or published: its name, state, author and approvers.
    submission: Option<(String, v1::SubmissionState, usize, BTreeSet<usize>)>,
    published: usize,
}

impl Model {
    fn is_open(&self) -> bool {
        self.submission.is_none()
    }

    /// Whether decisions are made: in review, and to steer the repair of what is published.
    fn takes_decisions(&self) -> bool {
        self.submission.as_ref().is_none_or(|(_, state, ..)| *state == v1::SubmissionState::Published)
    }

    fn touch(&mut self) {
        if let Some((_, is_stale)) = &mut self.run {
            *is_stale = true;
        }
    }

    fn pins_of(&self, pick: impl Fn(&(&'static str, &'static str)) -> bool) -> usize {
        let is_pin = |kind: v1::DecisionKind| kind == v1::DecisionKind::Pin;
        let takes_part = |pair: &(&'static str, &'static str)| self.enrolled.contains(pair.0);
        self.decisions
            .iter()
            .filter(|(pair, (kind, _))| is_pin(*kind) && takes_part(pair) && pick(pair))
            .count()
    }
}

struct History<'w> {
    world: &'w World,
    peru: &'w mut Manager,
    people: &'w [Client; 3],
    round: String,
    model: Model,
    dice: Dice,
}

impl History<'_> {
    async fn step(&mut self) {
        match self.dice.below(14) {
            0 => self.decide(v1::DecisionKind::Pin).await,
            1 => self.decide(v1::DecisionKind::Veto).await,
            2 => self.release().await,
            3 | 4 => self.run().await,
            5 | 6 => self.submit().await,
            7..=9 => self.approve().await,
            10 | 11 => self.publish().await,
            12 => self.end().await,
            _ => self.enrol_or_withdraw().await,
        }
    }

    async fn decide(&mut self, kind: v1::DecisionKind) {
        let (mentee, (mentor, places)) = (MENTEES[self.dice.below(4)], MENTORS[self.dice.below(3)]);
        let (round, reason_of) = (self.round.clone(), "A reviewer says so.".to_owned());
        let [by_name, to_name] = [self.peru.member(mentee), self.peru.member(mentor)];
        let mut reviews = self.people[0].reviews.clone();
        let answer = if kind == v1::DecisionKind::Pin {
            let request = v1::PinPairRequest {
                round,
                mentee: by_name,
                mentor: to_name,
                reason: reason_of,
                ..v1::PinPairRequest::default()
            };
            reviews.pin_pair(request).await.map(|done| done.into_inner().decision)
        } else {
            let request = v1::VetoPairRequest {
                round,
                mentee: by_name,
                mentor: to_name,
                reason: reason_of,
                ..v1::VetoPairRequest::default()
            };
            reviews.veto_pair(request).await.map(|done| done.into_inner().decision)
        };
        let heard = answer.as_ref().map_or_else(reason, |_| "OK".to_owned());
        let known = self.model.decisions.get(&(mentee, mentor)).map(|(kind, _)| *kind);
        let is_pin = kind == v1::DecisionKind::Pin;
        let lacks_places = self.model.pins_of(|pair| pair.0 == mentee) >= 1
            || self.model.pins_of(|pair| pair.1 == mentor) >= places;
        let expected = if !self.model.enrolled.contains(mentee) {
            "DECISION_REFUSED"
        } else if !self.model.takes_decisions() {
            "ROUND_STATE"
        } else if known == Some(kind) {
            "OK"
        } else if known.is_some() || is_pin && lacks_places {
            "DECISION_REFUSED"
        } else {
            "OK"
        };
        assert_eq!(heard, expected, "{kind:?} of {mentee} and {mentor} in {:?}", self.model);
        if let (Ok(Some(decision)), None) = (answer, known) {
            self.model.decisions.insert((mentee, mentor), (kind, decision.name));
            self.model.touch();
        }
    }

    async fn release(&mut self) {
        let count = self.model.decisions.len();
        let Some((pair, (_, name))) = self.model.decisions.iter().nth(self.dice.below(count.max(1))) else {
            return;
        };
        let (pair, name) = (*pair, name.clone());
        let request =
            v1::ReleaseDecisionRequest { name, reason: "No longer.".to_owned(), ..Default::default() };
        let answer = self.people[1].reviews.clone().release_decision(request).await;
        let heard = answer.map_or_else(|status| reason(&status), |_| "OK".to_owned());
        assert_eq!(heard, if self.model.takes_decisions() { "OK" } else { "ROUND_STATE" });
        if heard == "OK" {
            self.model.decisions.remove(&pair);
            self.model.touch();
        }
    }

    async fn run(&mut self) {
        let request = v1::StartRunRequest { round: self.round.clone(), ..v1::StartRunRequest::default() };
        let started = self.people[0].runs.clone().start_run(request).await;
        if !self.model.is_open() {
            assert_eq!(reason(&started.expect_err("the round is submitted")), "ROUND_STATE");
            return;
        }
        let run = started.expect("starts").into_inner().run.expect("a run");
        let run = soon(self.world.watch(&run.name)).await.pop().expect("an ended run");
        assert_eq!(run.state(), v1::RunState::Succeeded, "{:?}", self.model);
        self.check(&run).await;
        self.model.run = Some((run, false));
    }

    /// Places and decisions hold, and everybody is in a list.
    async fn check(&self, run: &v1::Run) {
        let mut client = self.world.coordinator();
        let pairs = matches(&mut client, &run.name, 0).await;
        let alone = unmatched(&mut client, &run.name, 0).await;
        for (id, places) in MENTORS {
            let name = self.peru.member(id);
            assert!(
                pairs.iter().filter(|pair| pair.mentor == name).count() <= places,
                "{id} in {}",
                run.name
            );
            assert!(
                pairs.iter().any(|pair| pair.mentor == name) || alone.iter().any(|one| one.profile == name)
            );
        }
        for id in MENTEES {
            let name = self.peru.member(id);
            let found = pairs.iter().filter(|pair| pair.mentee == name).count();
            let listed = found + alone.iter().filter(|one| one.profile == name).count();
            assert_eq!(listed, usize::from(self.model.enrolled.contains(id)), "{id} in {}", run.name);
        }
        for ((mentee, mentor), (kind, _)) in &self.model.decisions {
            let [mentee_name, mentor_name] = [self.peru.member(mentee), self.peru.member(mentor)];
            let is_match = pairs.iter().any(|pair| pair.mentee == mentee_name && pair.mentor == mentor_name);
            let takes_part = self.model.enrolled.contains(mentee);
            assert!(!(is_match && *kind == v1::DecisionKind::Veto), "a veto is broken in {}", run.name);
            assert!(
                is_match || *kind == v1::DecisionKind::Veto || !takes_part,
                "a pin is broken in {}",
                run.name
            );
        }
    }

    async fn submit(&mut self) {
        let Some((run, is_stale)) = self.model.run.clone() else { return };
        let author = self.dice.below(3);
        let (name, result_digest) = (run.name, run.result_digest);
        let request = v1::SubmitRunRequest { name, result_digest, ..v1::SubmitRunRequest::default() };
        let answer = self.people[author].reviews.clone().submit_run(request).await;
        let heard = answer.as_ref().map_or_else(reason, |_| "OK".to_owned());
        let expected = match (self.model.is_open(), is_stale) {
            (false, _) => "ROUND_STATE",
            (true, true) => "RUN_STALE",
            (true, false) => "OK",
        };
        assert_eq!(heard, expected);
        if let Ok(done) = answer {
            let name = done.into_inner().submission.expect("a submission").name;
            self.model.submission = Some((name, v1::SubmissionState::Submitted, author, BTreeSet::new()));
        }
    }

    async fn approve(&mut self) {
        let Some((name, state, author, approvers)) = &mut self.model.submission else { return };
        let who = self.dice.below(3);
        let (run, is_stale) = self.model.run.as_ref().expect("a submission is of a run");
        let request = v1::ApproveRunRequest {
            name: name.clone(),
            result_digest: run.result_digest.clone(),
            ..v1::ApproveRunRequest::default()
        };
        let answer = self.people[who].reviews.clone().approve_run(request).await;
        let heard = answer.map_or_else(|status| reason(&status), |_| "OK".to_owned());
        let expected = if approvers.contains(&who) {
            "OK"
        } else if *state != v1::SubmissionState::Submitted {
            "SUBMISSION_STATE"
        } else if who == *author {
            "SECOND_PERSON"
        } else if *is_stale {
            "RUN_STALE"
        } else {
            "OK"
        };
        assert_eq!(heard, expected);
        if heard == "OK" && *state == v1::SubmissionState::Submitted {
            approvers.insert(who);
            *state = v1::SubmissionState::Approved;
        }
    }

    async fn publish(&mut self) {
        let Some((name, state, author, approvers)) = &mut self.model.submission else { return };
        let who = self.dice.below(3);
        let request = v1::PublishRunRequest { name: name.clone(), ..v1::PublishRunRequest::default() };
        let answer = self.people[who].reviews.clone().publish_run(request).await;
        let heard = answer.map_or_else(|status| reason(&status), |_| "OK".to_owned());
        let is_stale = self.model.run.as_ref().is_some_and(|(_, is_stale)| *is_stale);
        let expected = match (*state, is_stale) {
            (v1::SubmissionState::Published, _) | (v1::SubmissionState::Approved, false) => "OK",
            (v1::SubmissionState::Approved, true) => "RUN_STALE",
            _ => "SUBMISSION_STATE",
        };
        assert_eq!(heard, expected);
        if heard == "OK" && *state == v1::SubmissionState::Approved {
            assert!(approvers.iter().any(|one| one != author), "a second person has approved");
            *state = v1::SubmissionState::Published;
            self.model.published += 1;
        }
    }

    /// Rejects a submission, or takes its publication back.
    async fn end(&mut self) {
        let Some((name, state, ..)) = self.model.submission.clone() else { return };
        let mut reviews = self.people[2].reviews.clone();
        let (name, reason_of) = (name, "Look again.".to_owned());
        if state == v1::SubmissionState::Published {
            let request = v1::UnpublishRunRequest { name, reason: reason_of, ..Default::default() };
            reviews.unpublish_run(request).await.expect("takes back");
        } else {
            let request = v1::RejectRunRequest { name, reason: reason_of, ..Default::default() };
            reviews.reject_run(request).await.expect("rejects");
        }
        self.model.submission = None;
    }

    async fn enrol_or_withdraw(&mut self) {
        if !self.model.is_open() {
            return;
        }
        let id = MENTEES[self.dice.below(4)];
        if self.model.enrolled.remove(id) {
            let name = self.peru.member(id);
            let own = self.peru.enrolments(&self.round).await;
            let live = own.into_iter().find(|one| one.profile == name && one.withdraw_time.is_none());
            let request = v1::WithdrawEnrolmentsRequest {
                parent: self.round.clone(),
                organisation: self.peru.name(),
                enrolments: vec![live.expect("is enrolled").name],
                request_id: request_id(),
                ..v1::WithdrawEnrolmentsRequest::default()
            };
            self.peru.client.rounds.withdraw_enrolments(request).await.expect("withdraws");
        } else {
            self.peru.enrol(&self.round, &[id]).await;
            self.model.enrolled.insert(id);
        }
        self.model.touch();
    }
}

async fn histories(count: u64) {
    let world = World::sqlite().await;
    let role = v1::Role::Coordinator;
    let people = [
        world.person("rosa", role).await,
        world.person("amara", role).await,
        world.person("lena", role).await,
    ];
    let mut peru = world.manager("wim-peru").await;
    let mentors = MENTORS.map(|(id, places)| mentor(id, i32::try_from(places).expect("small")));
    peru.import(mentors.into_iter().chain(MENTEES.map(mentee)).collect()).await;
    let mut published = 0;
    for seed in 0..count {
        let round = world.open_round(&format!("r{seed}")).await.name;
        peru.enrol_all(&round).await;
        let model = Model { enrolled: MENTEES.into(), ..Model::default() };
        let dice = Dice(seed + 1);
        let mut history = History { world: &world, peru: &mut peru, people: &people, round, model, dice };
        for _ in 0..STEPS {
            history.step().await;
        }
        let request = v1::ListSubmissionsRequest { parent: history.round.clone(), ..Default::default() };
        let all = people[0].reviews.clone().list_submissions(request).await.expect("lists").into_inner();
        let once = |one: &&v1::Submission| one.publish_time.is_some();
        assert_eq!(
            all.submissions.iter().filter(once).count(),
            history.model.published,
            "each is published once"
        );
        for one in all.submissions.iter().filter(once) {
            assert!(one.approvals.iter().all(|approval| approval.author != one.author), "{one:?}");
        }
        published += history.model.published;
    }
    assert!(
        published > usize::try_from(count / 8).expect("small"),
        "{published}: the histories reach publications"
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_step_of_a_history_answers_as_the_model_says() {
    Box::pin(histories(DAILY)).await;
}

#[ignore = "takes minutes; run it with `cargo test --test it histories -- --ignored`"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_step_of_a_thousand_histories_answers_as_the_model_says() {
    Box::pin(histories(ASKED)).await;
}
