//! Mentorships over time: each due thing becomes an event once, lists of what is due have pages, an erasure leaves nothing of her
//! check-ins, and random histories end as a model says.

use std::collections::BTreeMap;
use std::time::Duration;

use wim_match::api::proto::v1;
use wim_match::api::proto::v1::MentorshipState::{
    Accepted, Active, Completed, Declined, EndedEarly, Paused, Proposed, Withdrawn,
};
use wim_match::client::{Client, request_id};
use wim_match::clock::Clock as _;

use crate::check_ins::{active, consents};
use crate::mentorships::{ACCEPTS, mentorships, published, respond};
use crate::refusal::{reason, refused, wrong_fields};
use crate::review::{Cast, approve, publish, submission_of, submit, two_people};
use crate::world::{World, mentee, mentor, on_both_databases, soon};

on_both_databases! {
    each_due_thing_becomes_an_event_once_whatever_restarts,
    what_is_due_is_listed_page_by_page,
    an_erasure_ends_a_mentorship_and_destroys_her_check_ins_alone,
    random_histories_skip_no_state_and_lose_nobody,
}

/// The mentorships of which a manager was reminded with this kind of event, up to the import with which her stream ends.
async fn reminded(client: &Client, organisation: &str, kind: v1::EventKind) -> BTreeMap<String, usize> {
    let request = v1::StreamEventsRequest { cursor: String::new(), from_oldest: true };
    let mut stream = client.events.clone().stream_events(request).await.expect("opens").into_inner();
    let (mut found, mut imports) = (BTreeMap::new(), 0);
    while imports < 2 {
        let message = soon(stream.message()).await.expect("goes on").expect("has no end");
        let Some(event) = message.event else { continue };
        let is_import = event.kind() == v1::EventKind::ProfilesChanged && event.name == organisation;
        imports += usize::from(is_import);
        if event.kind() == kind {
            *found.entry(event.name).or_default() += 1;
        }
    }
    found
}

async fn each_due_thing_becomes_an_event_once_whatever_restarts(world: World) {
    let (cast, _) = Box::pin(published(world)).await;
    let all = mentorships(&cast.kenya.client, &cast.round).await;
    let Cast { world, mut kenya, peru, .. } = cast;
    // One has accepted on both sides and never meets; of the other nobody answers.
    respond(&kenya.client, &all[0], v1::Side::Mentee, ACCEPTS).await.expect("accepts");
    respond(&peru.client, &all[0], v1::Side::Mentor, ACCEPTS).await.expect("accepts");
    assert_eq!(world.server().service().remind().await.expect("reminds").events, 0, "nothing is due yet");
    world.clock().advance(Duration::from_hours(24 * 15));
    assert_eq!(world.server().service().remind().await.expect("reminds").events, 2, "an answer of each side");
    assert_eq!(world.server().service().remind().await.expect("reminds").events, 0);
    // Two replicas repeat nothing.
    let replica = world.replica().await;
    assert_eq!(replica.server().service().remind().await.expect("reminds").events, 0);
    replica.stop().await;
    // The first meeting is overdue 30 days after the first day of the round, which is later than the acceptance.
    world.clock().set("2027-03-03T12:00:00Z".parse().expect("a moment"));
    assert_eq!(world.server().service().remind().await.expect("reminds").events, 0, "the last day");
    world.clock().set("2027-03-04T12:00:00Z".parse().expect("a moment"));
    let look = world.server().service().remind().await.expect("reminds");
    assert_eq!((look.events, look.meetings_overdue, look.check_ins_due), (2, 1, 0));
    assert_eq!(world.server().service().remind().await.expect("reminds").events, 0);
    // They meet: check-ins become due at their days, of each side that has not answered.
    let request = v1::RecordFirstMeetingRequest {
        name: all[0].name.clone(),
        date: "2027-03-04".to_owned(),
        ..Default::default()
    };
    peru.client.mentorships.clone().record_first_meeting(request).await.expect("have met");
    world.clock().set("2027-03-15T00:00:00Z".parse().expect("a moment"));
    let look = world.server().service().remind().await.expect("reminds");
    assert_eq!(
        (look.events, look.meetings_overdue, look.check_ins_due),
        (2, 0, 2),
        "six weeks after the start"
    );
    // A restart repeats nothing either, and its own look at the start does not.
    let world = world.restart().await;
    assert_eq!(world.server().service().remind().await.expect("reminds").events, 0);
    kenya.client = world.client(Some(&kenya.token));
    kenya.import(vec![mentee("sentinel")]).await;
    let once = |name: &str| BTreeMap::from([(name.to_owned(), 1)]);
    let of = kenya.name();
    let kinds = [
        (v1::EventKind::AnswerOverdue, &all[1].name),
        (v1::EventKind::FirstMeetingOverdue, &all[0].name),
        (v1::EventKind::CheckInDue, &all[0].name),
    ];
    for (kind, name) in kinds {
        assert_eq!(reminded(&kenya.client, &of, kind).await, once(name), "one for her side alone");
    }
    world.stop().await;
}

async fn what_is_due_is_listed_page_by_page(world: World) {
    let (cast, _) = Box::pin(active(world)).await;
    let whole = cast.kenya.client.all_due(&cast.kenya.name(), 366).await.expect("lists");
    // Of each of two mentees: week 6, the middle and the end; and 12 months after the start.
    assert_eq!(whole.len(), 8);
    let organisation = cast.kenya.name();
    let mut client = cast.kenya.client.mentorships.clone();
    for page_size in [1, 2, 3, 5, 8, 9] {
        let (mut all, mut page_token, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let request =
                v1::ListDueRequest { organisation: organisation.clone(), page_size, page_token, days: 366 };
            let page = client.list_due(request).await.expect("a page").into_inner();
            assert!(page.due.len() <= usize::try_from(page_size).expect("small"));
            pages += 1;
            all.extend(page.due);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(all, whole, "in pages of {page_size}");
        assert!(pages <= 8 / page_size + 1, "{pages} pages of {page_size}");
    }
    let first = v1::ListDueRequest {
        organisation: organisation.clone(),
        page_size: 1,
        days: 366,
        ..Default::default()
    };
    let token = client.list_due(first.clone()).await.expect("a page").into_inner().next_page_token;
    let other = v1::ListDueRequest { page_token: token.clone(), days: 30, ..first.clone() };
    assert_eq!(refused(client.list_due(other).await), "INVALID_PAGE_TOKEN");
    let foreign = v1::ListDueRequest { page_token: token, ..first.clone() };
    assert_eq!(refused(cast.peru.client.mentorships.clone().list_due(foreign).await), "INVALID_PAGE_TOKEN");
    assert_eq!(refused(cast.peru.client.mentorships.clone().list_due(first.clone()).await), "NOT_FOUND");
    let long = v1::ListDueRequest { days: 367, ..first };
    assert_eq!(wrong_fields(client.list_due(long).await), ["days"]);
    // A week ahead nothing but what is overdue, and the working group reads the same.
    let week = cast.kenya.client.all_due(&organisation, 7).await.expect("lists");
    assert_eq!(week.iter().map(v1::Due::point).collect::<Vec<_>>(), [v1::CheckInPoint::Week6; 2]);
    assert_eq!(cast.world.coordinator().all_due(&organisation, 7).await.expect("lists"), week);
    cast.world.stop().await;
}

/// A text that no other text contains.
const CANARY: &str = "canary-version-77a1";

async fn an_erasure_ends_a_mentorship_and_destroys_her_check_ins_alone(world: World) {
    let (cast, all) = Box::pin(active(world)).await;
    let of_c = all.iter().find(|one| one.mentee == cast.kenya.member("c")).expect("is matched");
    let mentor_id = of_c.mentor.rsplit('/').next().expect("an id").to_owned();
    consents(&cast.kenya, "c").await;
    consents(&cast.peru, &mentor_id).await;
    let sides = [
        (&cast.kenya.client, v1::Side::Mentee, CANARY, 2),
        (&cast.peru.client, v1::Side::Mentor, "of her mentor", 5),
    ];
    for (client, side, version, satisfaction) in sides {
        let check_in = v1::CheckIn {
            side: side.into(),
            point: v1::CheckInPoint::Week6.into(),
            date: "2027-03-16".to_owned(),
            answers: Some(v1::CheckInAnswers { satisfaction: Some(satisfaction), ..Default::default() }),
            measurement: Some(v1::Measurement {
                instrument: v1::Instrument::Mfq9.into(),
                version: version.to_owned(),
                score_hundredths: 425,
            }),
            ..Default::default()
        };
        let request = v1::RecordCheckInRequest {
            parent: of_c.name.clone(),
            check_in: Some(check_in),
            ..Default::default()
        };
        client.mentorships.clone().record_check_in(request).await.expect("records");
    }
    // Her access has her own check-in and answer, and nothing that her mentor has said.
    let request = v1::ExportPersonalDataRequest { name: cast.kenya.member("c"), ..Default::default() };
    let mut privacy = cast.kenya.client.privacy.clone();
    let access = privacy.export_personal_data(request).await.expect("exports").into_inner().data;
    let access = access.expect("all of her");
    assert_eq!((access.mentorships.len(), access.check_ins.len()), (1, 1));
    assert_eq!(
        (access.mentorships[0].mentor_answer.as_ref(), &access.mentorships[0].name),
        (None, &of_c.name)
    );
    let told = serde_json::to_string(&format!("{access:?}")).expect("a text");
    assert!(told.contains(CANARY) && !told.contains("of her mentor"));

    let erase = v1::EraseProfileRequest { name: cast.kenya.member("c"), ..Default::default() };
    let erased = privacy.erase_profile(erase).await.expect("is erased").into_inner().erasure;
    let erased = erased.expect("an erasure");
    let counts = erased.counts.expect("counts");
    assert_eq!((counts.mentorships, counts.check_ins), (1, 1), "{counts:?}");
    let left = mentorships(&cast.peru.client, &cast.round).await;
    let hers = left.iter().find(|one| one.mentee == erased.surrogate).expect("keeps its place");
    assert_eq!((hers.state(), hers.score), (EndedEarly, None));
    let end = hers.end.expect("has ended");
    assert_eq!(
        (end.reason(), end.side()),
        (v1::MentorshipEndReason::Erased, v1::MentorshipEndSide::Unspecified)
    );
    assert_ne!(hers.name, of_c.name, "its name would say whose it was");
    let list = v1::ListCheckInsRequest { parent: hers.name.clone() };
    let kept = cast.peru.client.mentorships.clone().list_check_ins(list).await.expect("lists").into_inner();
    assert_eq!(kept.check_ins.len(), 1, "her mentor's is her mentor's");
    let other = left.iter().find(|one| one.mentee == cast.kenya.member("d")).expect("goes on");
    assert_eq!(other.state(), Active);
    assert_eq!(cast.kenya.client.all_due(&cast.kenya.name(), 0).await.expect("lists").len(), 1, "of d alone");
    // Nobody waits under a surrogate.
    assert_eq!(cast.kenya.client.all_waiting("organisations/-", "").await.expect("lists"), []);
    cast.world.dump().await.iter().for_each(|row| assert!(!row.contains(CANARY), "{row}"));
    cast.world.server().service().rewrite_tables().await.expect("are written anew");
    cast.world.holds_nowhere(CANARY);
    cast.world.holds_nowhere_on_the_server(CANARY).await;
    cast.world.stop().await;
}

/// A stream of numbers that a seed determines (Knuth, MMIX).
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % sides as u64).expect("small")
    }
}

/// A mentorship as it should be.
#[derive(Debug, Clone)]
struct Model {
    mentorship: v1::Mentorship,
    state: v1::MentorshipState,
    /// Answers of the mentor and the mentee: whether each accepts.
    answers: [Option<bool>; 2],
    early: bool,
    changes: usize,
}

/// A step, and what is expected of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Answer(usize, bool),
    Meet,
    Pause,
    Resume,
    Complete,
    EndEarly,
}

impl Model {
    /// The state after a step: the same for one that was taken already; `None` for one that is refused.
    #[expect(clippy::match_same_arms, reason = "what was taken already, with a condition and without")]
    fn after(&mut self, step: Step) -> Option<(v1::MentorshipState, bool)> {
        let next = match (step, self.state) {
            (Step::Answer(side, accepts), _) if self.answers[side] == Some(accepts) => (self.state, false),
            (Step::Answer(side, accepts), Proposed) if self.answers[side].is_none() => {
                self.answers[side] = Some(accepts);
                let both = self.answers == [Some(true), Some(true)];
                (
                    if !accepts {
                        Declined
                    } else if both {
                        Accepted
                    } else {
                        Proposed
                    },
                    true,
                )
            }
            (Step::Meet, Accepted) => (Active, true),
            (Step::Meet, EndedEarly) if !self.early => (self.state, false),
            (Step::Pause, Active) => (Paused, true),
            (Step::Meet, Active | Paused | Completed)
            | (Step::Pause, Paused)
            | (Step::Resume, Active)
            | (Step::Complete, Completed) => (self.state, false),
            (Step::Resume, Paused) => (Active, true),
            (Step::Complete, Active | Paused) => (Completed, true),
            (Step::EndEarly, Accepted | Active | Paused) => {
                self.early = self.state == Accepted;
                (EndedEarly, true)
            }
            (Step::EndEarly, EndedEarly) => (EndedEarly, false),
            _ => return None,
        };
        Some(next)
    }
}

/// Takes a step over gRPC.
async fn take(
    cast: &[&Client; 2],
    of: &v1::Mentorship,
    step: Step,
    day: &str,
) -> Result<v1::Mentorship, tonic::Status> {
    let (name, request_id) = (of.name.clone(), request_id());
    let mut peru = cast[0].mentorships.clone();
    let done = match step {
        Step::Answer(side, accepts) => {
            let decline = if accepts { ACCEPTS } else { v1::DeclineReason::NotAFit };
            let of_side = [v1::Side::Mentor, v1::Side::Mentee][side];
            return respond(cast[side], of, of_side, decline).await;
        }
        Step::Meet => {
            let request = v1::RecordFirstMeetingRequest {
                name,
                date: day.to_owned(),
                request_id,
                ..Default::default()
            };
            peru.record_first_meeting(request).await?.into_inner().mentorship
        }
        Step::Pause => {
            let request = v1::PauseMentorshipRequest { name, request_id, ..Default::default() };
            peru.pause_mentorship(request).await?.into_inner().mentorship
        }
        Step::Resume => {
            let request = v1::ResumeMentorshipRequest { name, request_id, ..Default::default() };
            peru.resume_mentorship(request).await?.into_inner().mentorship
        }
        Step::Complete | Step::EndEarly => {
            let why = if step == Step::Complete {
                v1::MentorshipEndReason::Unspecified
            } else {
                v1::MentorshipEndReason::NotAFit
            };
            let side = v1::MentorshipEndSide::Both.into();
            let reason = why.into();
            let request = v1::CloseMentorshipRequest { name, side, reason, request_id, ..Default::default() };
            peru.close_mentorship(request).await?.into_inner().mentorship
        }
    };
    Ok(done.expect("a mentorship"))
}

/// Histories on each database: one of each pair of the round.
const PAIRS: usize = 120;
const STEPS: usize = 9;

#[expect(clippy::too_many_lines, reason = "one story: a model beside the service")]
async fn random_histories_skip_no_state_and_lose_nobody(world: World) {
    let people = two_people(&world).await;
    let (mut peru, mut kenya) = (world.manager("wim-peru").await, world.manager("wim-kenya").await);
    let round = world.open_round("r").await.name;
    peru.import((0..PAIRS).map(|at| mentor(&format!("m{at}"), 1)).collect()).await;
    // Three more seek a mentor than there are places.
    kenya.import((0..PAIRS + 3).map(|at| mentee(&format!("e{at}"))).collect()).await;
    peru.enrol_all(&round).await;
    kenya.enrol_all(&round).await;
    let run = soon(world.run_to_the_end(&round)).await;
    let submission = submit(&people[0], submission_of(&run)).await.expect("submits");
    approve(&people[1], &submission).await.expect("approves");
    publish(&people[0], &submission.name).await.expect("publishes");
    world.clock().advance(Duration::from_hours(24));
    let day = world.clock().now().strftime("%Y-%m-%d").to_string();
    let mut models: Vec<Model> = all_of(&world.coordinator(), &round)
        .await
        .into_iter()
        .map(|mentorship| Model { mentorship, state: Proposed, answers: [None; 2], early: false, changes: 0 })
        .collect();
    assert_eq!(models.len(), PAIRS);
    let cast = [&peru.client, &kenya.client];
    let mut dice = Dice(16);
    for model in &mut models {
        for _ in 0..STEPS {
            let step = match dice.below(12) {
                at @ 0..=3 => Step::Answer(at % 2, true),
                4 => Step::Answer(dice.below(2), dice.below(3) > 0),
                5 | 6 => Step::Meet,
                7 => Step::Pause,
                8 => Step::Resume,
                9 => Step::Complete,
                10 => Step::EndEarly,
                _ => Step::Answer(dice.below(2), false),
            };
            let heard = take(&cast, &model.mentorship, step, &day).await;
            let Some((state, changes)) = model.after(step) else {
                let refusal = heard.as_ref().map_or_else(reason, |_| "OK".to_owned());
                assert_eq!(refusal, "MENTORSHIP_STATE", "{step:?} of {model:?}");
                continue;
            };
            let now = heard.unwrap_or_else(|status| panic!("{step:?} of {model:?}: {status}"));
            assert_eq!(now.state(), state, "{step:?} of {model:?}");
            model.state = state;
            model.changes += usize::from(changes);
            assert_eq!(now.etag, format!("\"{}\"", model.changes + 1), "{step:?} of {model:?}");
        }
    }
    let mut seen = BTreeMap::new();
    for (now, model) in all_of(&world.coordinator(), &round).await.iter().zip(&models) {
        assert_eq!((&now.name, now.state()), (&model.mentorship.name, model.state));
        *seen.entry(now.state().as_str_name()).or_insert(0) += 1;
    }
    assert_eq!(seen.len(), 7, "every state was reached: {seen:?}");
    // A repair: who has no partner any more gets another one, no pair comes twice, and nobody has two lives of one place.
    let request = v1::StartRunRequest {
        round: round.clone(),
        follows: run.name.clone(),
        repair: true,
        request_id: request_id(),
        ..Default::default()
    };
    let started = people[0].runs.clone().start_run(request).await.expect("starts").into_inner().run;
    let repaired = soon(world.watch(&started.expect("a run").name)).await.pop().expect("has ended");
    let submission = submit(&people[0], submission_of(&repaired)).await.expect("submits");
    approve(&people[1], &submission).await.expect("approves");
    publish(&people[0], &submission.name).await.expect("publishes");
    let mut lives: BTreeMap<String, usize> = BTreeMap::new();
    let before: BTreeMap<&str, &Model> =
        models.iter().map(|one| (one.mentorship.name.as_str(), one)).collect();
    let now = all_of(&world.coordinator(), &round).await;
    for one in &now {
        let is_live = matches!(one.state(), Proposed | Accepted | Active | Paused);
        if let Some(model) = before.get(one.name.as_str()) {
            let has_ended = matches!(model.state, Declined | Completed | EndedEarly);
            assert!(!has_ended || one.state() == model.state, "an end is final: {one:?} after {model:?}");
            let kept = [model.state, Withdrawn, EndedEarly];
            assert!(kept.contains(&one.state()), "a repair keeps or ends: {one:?} after {model:?}");
        } else {
            assert_eq!(one.state(), Proposed, "a new pair begins anew");
        }
        if is_live {
            for person in [&one.mentee, &one.mentor] {
                *lives.entry(person.clone()).or_default() += 1;
            }
        }
    }
    assert!(lives.values().all(|number| *number == 1), "two lives of one place: {lives:?}");
    // Nobody is lost: everybody is matched, or is told why not and waits.
    let waiting: Vec<String> = kenya
        .client
        .all_waiting(&kenya.name(), "")
        .await
        .expect("lists")
        .into_iter()
        .map(|one| one.profile)
        .collect();
    for at in 0..PAIRS + 3 {
        let profile = kenya.member(&format!("e{at}"));
        let request = v1::GetParticipantStatusRequest { profile: profile.clone() };
        let found = kenya.client.mentorships.clone().get_participant_status(request).await.expect("reads");
        let status = found.into_inner().status.expect("a status");
        let stage = status.rounds[0].stage();
        assert!(
            [v1::ParticipationStage::Matched, v1::ParticipationStage::Unmatched].contains(&stage),
            "{status:?}"
        );
        assert_eq!(status.waiting.is_some(), waiting.contains(&profile), "{status:?}");
        assert!(!(lives.contains_key(&profile) && waiting.contains(&profile)), "{status:?}");
        let has_completed = status.rounds[0].mentorships.iter().any(|one| one.state() == Completed);
        assert!(lives.contains_key(&profile) || waiting.contains(&profile) || has_completed, "{status:?}");
    }
    world.stop().await;
}

/// All mentorships of a round, by name.
async fn all_of(client: &Client, round: &str) -> Vec<v1::Mentorship> {
    let filter = v1::ListMentorshipsRequest { parent: round.to_owned(), ..Default::default() };
    client.all_mentorships(&filter).await.expect("lists")
}
