//! What a decision keeps of its cost, what organisations learn of the review, and who still takes part.

use wim_match::api::proto::v1;
use wim_match::client::request_id;

use crate::refusal::{refused, wrong_fields};
use crate::review::{Cast, approve, cast, publish, submission_of, submit, two_people};
use crate::world::{World, matches, mentee, on_both_databases, soon};

on_both_databases! {
    a_decision_keeps_what_it_cost_at_the_time,
    an_organisation_learns_nothing_of_decisions_and_of_how_much_was_said,
    who_has_left_the_alliance_enrols_nobody_in_a_published_round,
    an_objection_is_about_the_run_that_is_proposed,
}

/// The mentor who is not matched with mentee `c`.
async fn other_mentor(cast: &Cast) -> &'static str {
    let pair = cast.match_of("c").await;
    ["a", "b"].into_iter().find(|id| cast.peru.member(id) != pair.mentor).expect("another mentor")
}

async fn a_decision_keeps_what_it_cost_at_the_time(world: World) {
    let cast = cast(world, v1::Policy::default()).await;
    let mut client = cast.world.coordinator().reviews;
    let other = other_mentor(&cast).await;
    let pin = cast.pin("c", other);
    let asked = v1::ProposedDecision {
        kind: v1::DecisionKind::Pin.into(),
        mentee: pin.mentee.clone(),
        mentor: pin.mentor.clone(),
    };
    let ask = |add, release| v1::WhatIfDecisionsRequest { name: cast.run.name.clone(), add, release };
    let effect = client.what_if_decisions(ask(vec![asked], vec![])).await.expect("answers").into_inner();
    let effect = effect.effect.expect("an effect");
    let expected = v1::DecisionCost {
        run: cast.run.name.clone(),
        before: effect.before,
        after: effect.after,
        moved_mentees: i64::try_from(effect.moves.len()).expect("few"),
        exact: effect.exact,
    };
    let check = v1::PinPairRequest { validate_only: true, ..pin.clone() };
    let checked = client.pin_pair(check).await.expect("is good").into_inner().decision.expect("one");
    assert_eq!(checked.cost.as_ref(), Some(&expected));
    let pinned = client.pin_pair(pin).await.expect("pins").into_inner().decision.expect("one");
    assert_eq!(pinned, checked);
    assert_eq!(expected.moved_mentees, 2, "the two mentees exchange their mentors");
    // A later run does not change what was known then.
    let run = soon(cast.world.run_to_the_end(&cast.round)).await;
    assert_eq!(cast.decisions(false).await[0].cost.as_ref(), Some(&expected));
    let ask = v1::WhatIfDecisionsRequest {
        name: run.name.clone(),
        add: vec![],
        release: vec![pinned.name.clone()],
    };
    let back = client.what_if_decisions(ask).await.expect("answers").into_inner().effect.expect("an effect");
    let released =
        cast.release(&pinned).await.expect("releases").release.expect("an end").cost.expect("a cost");
    assert_eq!((released.before, released.after, &released.run), (back.before, back.after, &run.name));
    // The person reads the cost of decisions on her; it goes with her.
    let request = v1::ExportPersonalDataRequest { name: cast.kenya.member("c"), ..Default::default() };
    let mut privacy = cast.kenya.client.privacy.clone();
    let data = privacy.export_personal_data(request).await.expect("exports").into_inner().data;
    assert!(data.expect("all of her").decisions[0].cost.is_some());
    let erase = v1::EraseProfileRequest {
        name: cast.kenya.member("c"),
        request_id: request_id(),
        ..v1::EraseProfileRequest::default()
    };
    privacy.erase_profile(erase).await.expect("erases");
    let kept = cast.decisions(true).await.remove(0);
    assert_eq!((kept.cost, kept.release.expect("an end").cost), (None, None));
    // Without a run that could answer there is no cost.
    let pinned = client.pin_pair(cast.pin("d", "a")).await.expect("pins").into_inner().decision.expect("one");
    assert_eq!(pinned.cost, None);
    cast.world.stop().await;
}

async fn an_organisation_learns_nothing_of_decisions_and_of_how_much_was_said(world: World) {
    let cast = cast(world, v1::Policy::default()).await;
    let mut client = cast.world.coordinator().reviews;
    let other = other_mentor(&cast).await;
    client.pin_pair(cast.pin("c", other)).await.expect("pins");
    let run = soon(cast.world.run_to_the_end(&cast.round)).await;
    let hers = |all: Vec<v1::Match>| all.into_iter().find(|pair| pair.mentee == cast.kenya.member("c"));
    let seen = hers(matches(&mut cast.world.coordinator(), &run.name, 0).await).expect("is matched");
    assert!(seen.pinned);
    let mut kenya = cast.kenya.client.clone();
    let own = hers(matches(&mut kenya, &run.name, 0).await).expect("is matched");
    assert!(!own.pinned, "a decision is the reviewers'");
    let read = v1::GetMatchRequest { name: own.name.clone(), ..Default::default() };
    let one = kenya.runs.get_match(read).await.expect("reads").into_inner().r#match.expect("a match");
    assert!(!one.pinned);
    // Whatever reviewers have said before, an organisation's own word reads the same.
    let [mentee, mentor] = [&seen.mentee, &seen.mentor].map(Clone::clone);
    for text in ["First.", "Second."] {
        let comment = v1::CreateCommentRequest {
            round: cast.round.clone(),
            mentee: mentee.clone(),
            mentor: mentor.clone(),
            text: text.to_owned(),
            ..v1::CreateCommentRequest::default()
        };
        client.create_comment(comment).await.expect("comments");
    }
    let contest = v1::ContestMatchRequest {
        name: own.name.clone(),
        organisation: cast.kenya.name(),
        reason: "She knows her already.".to_owned(),
        ..v1::ContestMatchRequest::default()
    };
    let said = kenya.reviews.contest_match(contest).await.expect("contests").into_inner().comment;
    let said = said.expect("a comment");
    let (pair, id) = said.name.split_once("/comments/").expect("a name");
    let id = id.to_owned();
    assert!(id.len() == 32 && id.bytes().all(|digit| digit.is_ascii_hexdigit()), "{id}");
    let list = v1::ListCommentsRequest { parent: pair.to_owned(), page_size: 1, ..Default::default() };
    let all = client.list_comments(list.clone()).await.expect("lists").into_inner();
    let next = v1::ListCommentsRequest { page_token: all.next_page_token, page_size: 10, ..list.clone() };
    let rest = client.list_comments(next).await.expect("lists").into_inner().comments;
    assert_eq!((all.comments[0].text.as_str(), rest[0].text.as_str(), rest.len()), ("First.", "Second.", 2));
    assert_eq!(kenya.reviews.list_comments(list).await.expect("lists").into_inner().comments, [said]);
    let entries = v1::ListAuditEntriesRequest { page_size: 1_000, ..Default::default() };
    let entries = kenya.admin.list_audit_entries(entries).await.expect("lists").into_inner().entries;
    let entry = entries.iter().find(|entry| entry.action == "pair.contest").expect("an entry");
    assert_eq!(entry.detail, format!("{{\"comment\":\"{id}\"}}"));
    cast.world.stop().await;
}

async fn who_has_left_the_alliance_enrols_nobody_in_a_published_round(world: World) {
    let mut cast = cast(world, v1::Policy::default()).await;
    let [first, second] = two_people(&cast.world).await;
    let submission = submit(&first, submission_of(&cast.run)).await.expect("submits");
    approve(&second, &submission).await.expect("approves");
    publish(&first, &submission.name).await.expect("publishes");
    cast.kenya.import(vec![mentee("late")]).await;
    let leave = v1::SetMembershipRequest {
        name: cast.kenya.name(),
        state: v1::MembershipState::Left.into(),
        ..v1::SetMembershipRequest::default()
    };
    cast.world.secretariat().organisations.set_membership(leave).await.expect("leaves");
    let enrol = |validate_only| v1::EnrolProfilesRequest {
        round: cast.round.clone(),
        organisation: cast.kenya.name(),
        profiles: vec![cast.kenya.member("late")],
        validate_only,
        ..v1::EnrolProfilesRequest::default()
    };
    let mut rounds = cast.kenya.client.rounds.clone();
    let told = rounds.enrol_profiles(enrol(true)).await.expect("says so").into_inner().violations;
    assert_eq!(told.iter().map(|one| one.field.as_str()).collect::<Vec<_>>(), ["organisation"]);
    assert_eq!(wrong_fields(rounds.enrol_profiles(enrol(false)).await), ["organisation"]);
    // It may still take its people out.
    let withdraw = v1::WithdrawEnrolmentsRequest {
        parent: cast.round.clone(),
        organisation: cast.kenya.name(),
        all_enrolments: true,
        ..v1::WithdrawEnrolmentsRequest::default()
    };
    assert_eq!(rounds.withdraw_enrolments(withdraw).await.expect("withdraws").into_inner().withdrawn, 2);
    cast.world.stop().await;
}

async fn an_objection_is_about_the_run_that_is_proposed(world: World) {
    let cast = cast(world, v1::Policy { objection_days: 3, ..v1::Policy::default() }).await;
    let pair = cast.match_of("c").await;
    let run = soon(cast.world.run_to_the_end(&cast.round)).await;
    let [first, _] = two_people(&cast.world).await;
    let objection = v1::ObjectToMatchRequest {
        name: pair.name.clone(),
        organisation: cast.kenya.name(),
        reason: "They worked together.".to_owned(),
        ..v1::ObjectToMatchRequest::default()
    };
    let mut kenya = cast.kenya.client.reviews.clone();
    assert_eq!(refused(kenya.object_to_match(objection.clone()).await), "ROUND_STATE");
    submit(&first, submission_of(&run)).await.expect("submits");
    assert_eq!(wrong_fields(kenya.object_to_match(objection.clone()).await), ["name"]);
    let name = pair.name.replace(&cast.run.name, &run.name);
    let objection = v1::ObjectToMatchRequest { name, ..objection };
    kenya.object_to_match(objection).await.expect("objects");
    cast.world.stop().await;
}
