//! Consultations: who is asked, who answers until when, and who reads what of it.

use std::time::Duration;

use jiff::Timestamp;
use tonic::Status;
use wim_match::api::proto::v1;
use wim_match::client::{Client, request_id};
use wim_match::clock::Clock as _;

use crate::refusal::{refused, wrong_fields};
use crate::world::{Manager, World, consultation_message, on_both_databases};

on_both_databases! {
    a_member_answers_once_and_revises_until_the_deadline,
    nobody_reads_the_answers_of_others_before_the_deadline,
    a_result_by_region_picks_no_organisation_out,
    everything_that_is_wrong_is_named_at_once,
    a_deadline_moves_on_only_and_a_cancelled_consultation_has_no_result,
}

const DAY: Duration = Duration::from_hours(24);
const NAME: &str = "consultations/2027-q1";

/// The moment so many days after now, by the clock of the world.
fn in_days(world: &World, days: i64) -> prost_types::Timestamp {
    let at: Timestamp = world.clock().now();
    prost_types::Timestamp { seconds: at.as_second() + days * 24 * 60 * 60, nanos: 0 }
}

async fn open(world: &World, grouping: v1::ResultGrouping) -> v1::Consultation {
    let consultation = v1::Consultation {
        deadline: Some(in_days(world, 10)),
        result_grouping: grouping.into(),
        ..consultation_message()
    };
    let request = v1::CreateConsultationRequest {
        consultation_id: "2027-q1".to_owned(),
        consultation: Some(consultation),
        request_id: request_id(),
        validate_only: false,
    };
    let opened = world.secretariat().organisations.create_consultation(request).await.expect("opens");
    opened.into_inner().consultation.expect("a consultation")
}

fn answer_of(manager: &Manager, options: &[&str], comment: &str) -> v1::AnswerConsultationRequest {
    let answer = v1::QuestionAnswer {
        question_id: "fee".to_owned(),
        option_ids: options.iter().map(|id| (*id).to_owned()).collect(),
        comment: comment.to_owned(),
    };
    v1::AnswerConsultationRequest {
        name: NAME.to_owned(),
        organisation: manager.name(),
        answers: vec![answer],
        ..v1::AnswerConsultationRequest::default()
    }
}

async fn answer(
    manager: &Manager,
    request: v1::AnswerConsultationRequest,
) -> Result<v1::ConsultationAnswer, Status> {
    let given = manager.client.organisations.clone().answer_consultation(request).await?.into_inner();
    Ok(given.answer.expect("an answer"))
}

async fn result(client: &Client) -> Result<v1::ConsultationResult, Status> {
    let request = v1::GetConsultationResultRequest { name: NAME.to_owned() };
    let found = client.organisations.clone().get_consultation_result(request).await?.into_inner();
    Ok(found.result.expect("a result"))
}

async fn read(client: &Client) -> v1::Consultation {
    let request = v1::GetConsultationRequest { name: NAME.to_owned() };
    let found = client.organisations.clone().get_consultation(request).await.expect("reads").into_inner();
    found.consultation.expect("a consultation")
}

async fn leave(world: &World, organisation: String) {
    let request = v1::SetMembershipRequest {
        name: organisation,
        state: v1::MembershipState::Left.into(),
        ..v1::SetMembershipRequest::default()
    };
    world.secretariat().organisations.set_membership(request).await.expect("leaves");
}

async fn a_member_answers_once_and_revises_until_the_deadline(world: World) {
    let (peru, ghana) = (world.manager("wim-peru").await, world.manager("wim-ghana").await);
    let opened = open(&world, v1::ResultGrouping::ByOrganisation).await;
    assert_eq!(opened.state(), v1::ConsultationState::Open);
    assert_eq!(read(&ghana.client).await, opened, "every organisation reads it");

    let first = answer(&peru, answer_of(&peru, &["yes"], "")).await.expect("answers");
    assert_eq!(first.principal, world.who_is(&peru.client).await.name);
    let again = answer(&peru, answer_of(&peru, &["yes"], "")).await.expect("nothing changes");
    assert_eq!(again, first);
    let revised = v1::AnswerConsultationRequest { etag: first.etag.clone(), ..answer_of(&peru, &["no"], "") };
    let second = answer(&peru, revised.clone()).await.expect("revises");
    assert_ne!(second.etag, first.etag);
    assert_eq!(refused(answer(&peru, revised).await), "ETAG_MISMATCH");
    assert_eq!(read(&peru.client).await.own_answers, [second], "one answer, the last one");
    let foreign = answer_of(&peru, &["yes"], "");
    assert_eq!(refused(answer(&ghana, foreign).await), "NOT_FOUND");

    // An answer of an organisation that is no member any more stays, and there is no other.
    leave(&world, peru.name()).await;
    assert_eq!(wrong_fields(answer(&peru, answer_of(&peru, &["yes"], "")).await), ["organisation"]);
    world.clock().advance(10 * DAY);
    assert_eq!(refused(answer(&ghana, answer_of(&ghana, &["yes"], "")).await), "CONSULTATION_STATE");
    assert_eq!(read(&ghana.client).await.state(), v1::ConsultationState::Closed);
    let found = result(&ghana.client).await.expect("a member reads the result");
    assert_eq!((found.answered_count, found.answers[0].organisation.clone()), (1, peru.name()));
    assert_eq!((found.answers[0].principal.as_str(), found.answers[0].etag.as_str()), ("", ""));
    assert_eq!(refused(result(&peru.client).await), "NOT_FOUND", "whoever has left reads no result");
    world.stop().await;
}

async fn nobody_reads_the_answers_of_others_before_the_deadline(world: World) {
    let (peru, ghana) = (world.manager("wim-peru").await, world.manager("wim-ghana").await);
    open(&world, v1::ResultGrouping::ByOrganisation).await;
    answer(&peru, answer_of(&peru, &["yes"], "a secret word")).await.expect("answers");
    let committee = world.caller(&["committee-member"]).await.0;
    for client in [&world.secretariat(), &world.coordinator(), &ghana.client, &peru.client, &committee] {
        assert_eq!(refused(result(client).await), "CONSULTATION_STATE");
    }
    for (client, sees) in [(&world.secretariat(), true), (&world.coordinator(), true), (&ghana.client, false)]
    {
        let seen = read(client).await;
        assert_eq!(seen.answered_organisations == [peru.name()], sees);
        assert!(!format!("{seen:?}").contains("secret"));
    }
    assert!(read(&ghana.client).await.answered_organisations.is_empty());
    world.stop().await;
}

async fn a_result_by_region_picks_no_organisation_out(world: World) {
    let mut managers = Vec::new();
    for id in ["wim-peru", "wim-chile", "wim-ghana", "wim-kenya"] {
        managers.push(world.manager(id).await);
    }
    open(&world, v1::ResultGrouping::ByRegion).await;
    for manager in &managers[..2] {
        answer(manager, answer_of(manager, &["yes"], "words of ours")).await.expect("answers");
    }
    let committee = world.caller(&["committee-member"]).await.0;
    answer(&managers[2], answer_of(&managers[2], &["no"], "")).await.expect("answers");
    world.clock().advance(10 * DAY);
    for (client, comments) in [(&managers[3].client, 0), (&committee, 0), (&world.coordinator(), 2)] {
        let found = result(client).await.expect("a result");
        assert_eq!((found.answered_count, found.member_count, found.answers.len()), (3, 4, 0));
        let fee = &found.questions[0];
        assert!(fee.regions.iter().all(|group| group.organisation_count >= 3), "{:?}", fee.regions);
        let total = fee.total.as_ref().expect("numbers");
        assert_eq!((total.options[0].organisation_count, total.options[1].organisation_count), (2, 1));
        assert_eq!(found.questions[1].total.as_ref().expect("numbers").unanswered_count, 3);
        assert_eq!(fee.comments.len(), comments);
    }
    // The service writes down the end once.
    let service = world.server().service();
    let closed = service.close_consultations().await.expect("closes");
    assert!(closed <= 1, "housekeeping may have been first");
    assert_eq!(service.close_consultations().await.expect("nothing to close"), 0);
    world.stop().await;
}

async fn everything_that_is_wrong_is_named_at_once(world: World) {
    let peru = world.manager("wim-peru").await;
    let good = consultation_message();
    let mut wrong = v1::Consultation { deadline: Some(in_days(&world, -1)), ..good.clone() };
    wrong.result_grouping = 0;
    wrong.texts[1].language_code = String::from("Spanish");
    wrong.questions[0].options.pop();
    wrong.questions[1].question_id = String::from("fee");
    let request = |consultation: v1::Consultation, validate_only: bool| v1::CreateConsultationRequest {
        consultation_id: "2027-q1".to_owned(),
        consultation: Some(consultation),
        validate_only,
        ..v1::CreateConsultationRequest::default()
    };
    let mut secretariat = world.secretariat().organisations;
    let fields = wrong_fields(secretariat.create_consultation(request(wrong.clone(), false)).await);
    for field in [
        "consultation.texts[1].language_code",
        "consultation.questions[0].options",
        "consultation.questions[1].question_id",
        "consultation.deadline",
        "consultation.result_grouping",
    ] {
        assert!(fields.iter().any(|one| one == field), "{field} of {fields:?}");
    }
    let checked =
        secretariat.create_consultation(request(wrong, true)).await.expect("is checked").into_inner();
    assert_eq!(checked.violations.len(), fields.len());
    let checked = secretariat.create_consultation(request(good, true)).await.expect("is good").into_inner();
    assert!(checked.violations.is_empty());
    let missing = v1::GetConsultationRequest { name: NAME.to_owned() };
    assert_eq!(refused(secretariat.get_consultation(missing).await), "NOT_FOUND", "only checked");

    open(&world, v1::ResultGrouping::ByOrganisation).await;
    let mut bad = answer_of(&peru, &["yes", "no"], &"x".repeat(2_001));
    let unknown = |question: &str, option: &str| v1::QuestionAnswer {
        question_id: question.to_owned(),
        option_ids: vec![option.to_owned()],
        comment: String::new(),
    };
    bad.answers.extend([unknown("topics", "gold"), unknown("nothing", "yes"), unknown("fee", "yes")]);
    let expected = [
        "answers[0].option_ids",
        "answers[0].comment",
        "answers[1].option_ids[0]",
        "answers[2].question_id",
        "answers[3].question_id",
    ];
    assert_eq!(wrong_fields(answer(&peru, bad).await), expected);
    let empty = v1::AnswerConsultationRequest { answers: Vec::new(), ..answer_of(&peru, &[], "") };
    assert_eq!(wrong_fields(answer(&peru, empty).await), ["answers"]);
    assert!(read(&peru.client).await.own_answers.is_empty());
    world.stop().await;
}

async fn a_deadline_moves_on_only_and_a_cancelled_consultation_has_no_result(world: World) {
    let peru = world.manager("wim-peru").await;
    let opened = open(&world, v1::ResultGrouping::ByOrganisation).await;
    let mut coordinator = world.coordinator().organisations;
    let update = |deadline: Option<prost_types::Timestamp>| v1::UpdateConsultationRequest {
        consultation: Some(v1::Consultation {
            deadline,
            name: NAME.to_owned(),
            ..v1::Consultation::default()
        }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["deadline".to_owned()] }),
        ..v1::UpdateConsultationRequest::default()
    };
    let earlier = coordinator.update_consultation(update(Some(in_days(&world, 9)))).await;
    assert_eq!(wrong_fields(earlier), ["consultation.deadline"]);
    let later =
        coordinator.update_consultation(update(Some(in_days(&world, 12)))).await.expect("moves").into_inner();
    assert_ne!(later.consultation.expect("one").etag, opened.etag);
    world.clock().advance(11 * DAY);
    answer(&peru, answer_of(&peru, &["yes"], "")).await.expect("it is still open");
    let cancel = v1::CancelConsultationRequest {
        name: NAME.to_owned(),
        reason: "asked anew".to_owned(),
        ..v1::CancelConsultationRequest::default()
    };
    let ended = coordinator.cancel_consultation(cancel.clone()).await.expect("cancels").into_inner();
    assert_eq!(ended.consultation.expect("one").state(), v1::ConsultationState::Cancelled);
    assert_eq!(refused(coordinator.cancel_consultation(cancel).await), "CONSULTATION_STATE");
    world.clock().advance(2 * DAY);
    assert_eq!(read(&peru.client).await.cancel_reason, "asked anew");
    for client in [&peru.client, &world.secretariat()] {
        assert_eq!(refused(result(client).await), "CONSULTATION_STATE");
    }
    assert_eq!(
        refused(peru.client.clone().organisations.update_consultation(update(None)).await),
        "PERMISSION_DENIED"
    );
    world.stop().await;
}
