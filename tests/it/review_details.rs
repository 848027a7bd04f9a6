//! What a decision keeps of its cost, what organisations learn of the review, and who still takes part.

use std::time::Duration;

use tonic::Request;
use wim_match::api::proto::v1;
use wim_match::client::{Client, request_id};

use crate::refusal::{refused, wrong_fields};
use crate::review::{Cast, approve, cast, publish, submission_of, submit, two_people};
use crate::world::{World, matches, mentee, mentor, on_both_databases, soon};

on_both_databases! {
    a_decision_keeps_what_it_cost_at_the_time,
    an_organisation_learns_nothing_of_decisions_and_of_how_much_was_said,
    who_has_left_the_alliance_enrols_nobody_in_a_published_round,
    an_objection_is_about_the_run_that_is_proposed,
    matches_are_listed_page_by_page_and_by_region,
    a_published_match_that_has_lost_somebody_calls_for_a_repair,
    an_expert_reads_and_comments_on_what_she_is_asked_about,
    an_ask_ends_with_its_round_and_with_a_person_of_its_pair,
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
    // The numbers are about the whole round: the person does not read them, and they go with her.
    let request = v1::ExportPersonalDataRequest { name: cast.kenya.member("c"), ..Default::default() };
    let mut privacy = cast.kenya.client.privacy.clone();
    let data = privacy.export_personal_data(request).await.expect("exports").into_inner().data;
    let told = data.expect("all of her").decisions.remove(0);
    assert_eq!((told.cost, told.release.expect("an end").cost), (None, None));
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

async fn matches_are_listed_page_by_page_and_by_region(world: World) {
    let round = world.open_round("r").await.name;
    let mut peru = world.manager("wim-peru").await;
    let mut kenya = world.manager("wim-kenya").await;
    peru.import((0..12).map(|at| mentor(&format!("m{at}"), 1)).collect()).await;
    let of = |at: usize| {
        let mut person = mentee(&format!("p{at}"));
        let country = if at < 3 { "KE" } else { "PE" };
        country.clone_into(&mut person.country);
        person
    };
    kenya.import((0..12).map(of).collect()).await;
    peru.enrol_all(&round).await;
    kenya.enrol_all(&round).await;
    let run = soon(world.run_to_the_end(&round)).await;
    let client = world.coordinator();
    let read = async |filter: v1::ReviewFilter, page_size: i32| {
        let (mut all, mut page_token) = (Vec::new(), String::new());
        loop {
            let (parent, filter) = (run.name.clone(), Some(filter.clone()));
            let request = v1::ListReviewedMatchesRequest { parent, filter, page_size, page_token };
            let page =
                client.reviews.clone().list_reviewed_matches(request).await.expect("lists").into_inner();
            assert!(page.matches.len() <= 100.min(usize::try_from(page_size).expect("positive")).max(1));
            all.extend(page.matches);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return all;
            }
        }
    };
    let all = read(v1::ReviewFilter::default(), 100).await;
    let score = |one: &v1::ReviewedMatch| one.r#match.as_ref().expect("a match").score;
    assert_eq!((all.len(), all.is_sorted_by_key(score)), (12, true), "the lowest score comes first");
    let worst = |one: &v1::ReviewedMatch| one.attention.contains(&v1::Attention::Worst.into());
    assert_eq!(all.iter().map(worst).collect::<Vec<_>>(), [&[true; 2][..], &[false; 10]].concat());
    for size in [1, 5, 12] {
        assert_eq!(read(v1::ReviewFilter::default(), size).await, all, "pages of {size}");
    }
    let region = |code: &str| v1::ReviewFilter { region: code.to_owned(), ..Default::default() };
    let home = |one: &&v1::ReviewedMatch| {
        let pair = one.r#match.as_ref().expect("a match");
        (0..3).any(|at| pair.mentee == kenya.member(&format!("p{at}")))
    };
    let expected: Vec<_> = all.iter().filter(home).cloned().collect();
    for size in [1, 2, 100] {
        assert_eq!(read(region("014"), size).await, expected, "Eastern Africa, pages of {size}");
    }
    assert_eq!(read(region("005"), 7).await, all, "every mentor lives in South America");
    assert_eq!(read(region("155"), 7).await, []);
    let wrong = v1::ListReviewedMatchesRequest {
        parent: run.name.clone(),
        filter: Some(region("PE")),
        ..v1::ListReviewedMatchesRequest::default()
    };
    assert_eq!(wrong_fields(client.reviews.clone().list_reviewed_matches(wrong).await), ["filter.region"]);
    // Bounds of the score, beside the whole list.
    let bound = score(&all[5]);
    for filter in [
        v1::ReviewFilter { min_score: Some(bound), ..Default::default() },
        v1::ReviewFilter { max_score: Some(bound), ..Default::default() },
        v1::ReviewFilter { organisation: peru.name(), ..Default::default() },
        v1::ReviewFilter { reviewed: Some(false), ..Default::default() },
        v1::ReviewFilter { attention: vec![v1::Attention::Worst.into()], ..Default::default() },
    ] {
        let takes = |one: &&v1::ReviewedMatch| {
            filter.min_score.is_none_or(|least| score(one) >= least)
                && filter.max_score.is_none_or(|most| score(one) <= most)
                && (filter.attention.is_empty() || worst(one))
        };
        let expected: Vec<_> = all.iter().filter(takes).cloned().collect();
        assert_eq!(read(filter.clone(), 3).await, expected, "{filter:?}");
    }
    world.stop().await;
}

async fn a_published_match_that_has_lost_somebody_calls_for_a_repair(world: World) {
    let mut cast = cast(world, v1::Policy::default()).await;
    let [first, second] = two_people(&cast.world).await;
    let submission = submit(&first, submission_of(&cast.run)).await.expect("submits");
    approve(&second, &submission).await.expect("approves");
    publish(&first, &submission.name).await.expect("publishes");
    let calls = async |client: &Client| {
        let request = v1::GetRoundRequest { name: cast.round.clone() };
        let round = client.rounds.clone().get_round(request).await.expect("reads").into_inner().round;
        round.expect("a round").calls_for_repair
    };
    let left = v1::ReviewFilter { attention: vec![v1::Attention::Left.into()], ..Default::default() };
    assert_eq!((calls(&first).await, cast.reviewed(left.clone()).await), (false, vec![]));
    let all = cast.kenya.client.all_consents(&cast.kenya.member("c")).await.expect("lists");
    let consent =
        all.into_iter().find(|one| one.purpose() == v1::ConsentPurpose::Matching).expect("one").name;
    let withdraw = v1::WithdrawConsentRequest { name: consent, ..Default::default() };
    cast.kenya.client.privacy.clone().withdraw_consent(withdraw).await.expect("withdraws");
    let found = cast.reviewed(left).await;
    let [flagged] = &found[..] else { panic!("one match: {found:?}") };
    assert_eq!(flagged.r#match.as_ref().expect("a match").mentee, cast.kenya.member("c"));
    assert!(calls(&first).await);
    // The organisation of the other person reads nothing of it.
    assert!(!calls(&cast.peru.client).await);
    let kind = v1::EventKind::RunCallsForRepair;
    let told = async |client: &Client| {
        let request = v1::StreamEventsRequest { from_oldest: true, ..Default::default() };
        let mut stream = client.events.clone().stream_events(request).await.expect("opens").into_inner();
        let mut seen = Vec::new();
        while let Ok(message) = tokio::time::timeout(Duration::from_millis(1_500), stream.message()).await {
            seen.extend(message.expect("goes on").expect("has no end").event);
        }
        let of_kind = seen.iter().filter(|event| event.kind() == kind);
        of_kind.map(|event| event.name.clone()).collect::<Vec<_>>()
    };
    for client in [&first, &cast.kenya.client] {
        assert_eq!(soon(told(client)).await, [cast.run.name.as_str()]);
    }
    assert_eq!(soon(told(&cast.peru.client)).await, [""; 0]);
    // Of two who leave together, one had a match.
    cast.kenya.import(vec![mentee("late")]).await;
    cast.kenya.enrol(&cast.round, &["late"]).await;
    let gone = ["d", "late"].map(|id| {
        let mut gone = mentee(id);
        gone.consents[0].withdraw_time = Some("2027-01-05T00:00:00Z".parse().expect("a moment"));
        gone
    });
    cast.kenya.import(gone.to_vec()).await;
    let entries = v1::ListAuditEntriesRequest { page_size: 1_000, ..Default::default() };
    let entries =
        cast.kenya.client.admin.list_audit_entries(entries).await.expect("lists").into_inner().entries;
    let details = |action: &str| {
        let of_it = entries.iter().filter(|entry| entry.action == action);
        of_it.map(|entry| entry.detail.clone()).collect::<Vec<_>>()
    };
    assert_eq!(details("run.lose"), [r#"{"left":1}"#; 2]);
    assert!(details("round.withdraw").contains(&r#"{"withdrawn":2}"#.to_owned()));
    cast.world.stop().await;
}

async fn an_expert_reads_and_comments_on_what_she_is_asked_about(world: World) {
    let cast = cast(world, v1::Policy::default()).await;
    let mut reviews = cast.world.coordinator().reviews;
    // Her role is for an organisation that has no part in the pair.
    cast.world.manager("wim-ghana").await;
    let (expert, principal) = cast.world.caller(&["expert@wim-ghana"]).await;
    let (stranger, _) = cast.world.caller(&["expert"]).await;
    let [pair, other] = [cast.match_of("c").await, cast.match_of("d").await];
    let asks = async |client: &Client, parent: &str| {
        let request = v1::ListAsksRequest { parent: parent.to_owned(), ..Default::default() };
        client.reviews.clone().list_asks(request).await.map(|page| page.into_inner().asks)
    };
    let say = async |client: &Client, of: &v1::Match| {
        let comment = v1::CreateCommentRequest {
            round: cast.round.clone(),
            mentee: of.mentee.clone(),
            mentor: of.mentor.clone(),
            text: "A good pair: both blast.".to_owned(),
            ..v1::CreateCommentRequest::default()
        };
        client.reviews.clone().create_comment(comment).await.map(drop)
    };
    assert_eq!(asks(&expert, "rounds/-").await.expect("lists"), []);
    assert_eq!(refused(say(&expert, &pair).await), "NOT_FOUND");
    let ask = |expert: String, validate_only| v1::AskExpertRequest {
        round: cast.round.clone(),
        mentee: pair.mentee.clone(),
        mentor: pair.mentor.clone(),
        expert,
        question: "Do their fields fit?".to_owned(),
        validate_only,
        ..v1::AskExpertRequest::default()
    };
    let reviewer = cast.world.who_is(&cast.world.coordinator()).await.name;
    assert_eq!(wrong_fields(reviews.ask_expert(ask(reviewer, false)).await), ["expert"]);
    let before = cast.world.dump().await;
    let check = ask(principal.name.clone(), true);
    let checked = reviews.ask_expert(check).await.expect("can be asked").into_inner();
    assert_eq!(cast.world.dump().await, before, "a check writes nothing");
    let asked = reviews.ask_expert(ask(principal.name.clone(), false)).await.expect("asks").into_inner();
    assert_eq!(asked, checked);
    let asked = asked.ask.expect("an ask");
    assert_eq!(asked.expert, principal.name);

    let own = asks(&expert, "rounds/-").await.expect("lists");
    let [hers] = &own[..] else { panic!("one ask: {own:?}") };
    assert_eq!((&hers.name, &hers.question, &hers.mentee), (&asked.name, &asked.question, &pair.mentee));
    let seen = hers.r#match.as_ref().expect("the pair");
    assert_eq!((seen.score, seen.contributions.is_empty(), &seen.name), (pair.score, false, &String::new()));
    assert_eq!(asks(&expert, "rounds/other").await.expect("lists"), []);
    assert_eq!(asks(&stranger, "rounds/-").await.expect("lists"), []);
    assert_eq!(asks(&cast.world.coordinator(), &cast.round).await.expect("lists").len(), 1);
    say(&expert, &pair).await.expect("comments");
    assert_eq!(refused(say(&expert, &other).await), "NOT_FOUND");
    assert_eq!(refused(say(&stranger, &pair).await), "NOT_FOUND");
    // She decides nothing, and reads nobody else's words.
    let mut client = expert.reviews.clone();
    assert_eq!(refused(client.pin_pair(cast.pin("c", "a")).await), "PERMISSION_DENIED");
    let parent = asked.name.split_once("/asks/").expect("a name").0.to_owned();
    let list = v1::ListCommentsRequest { parent, ..Default::default() };
    assert_eq!(refused(client.list_comments(list.clone()).await), "PERMISSION_DENIED");
    let all = reviews.list_comments(list.clone()).await.expect("lists").into_inner().comments;
    let said: Vec<_> = all.iter().map(|one| (one.kind(), one.author.as_str())).collect();
    assert_eq!(said[1], (v1::CommentKind::Comment, principal.name.as_str()));
    assert_eq!((said[0].0, said.len()), (v1::CommentKind::Ask, 2));
    let kenya = cast.kenya.client.reviews.clone().list_comments(list).await.expect("lists").into_inner();
    assert_eq!(kenya.comments, [], "her organisation reads its own words alone");

    let withdraw = |validate_only| v1::WithdrawAskRequest {
        name: asked.name.clone(),
        request_id: String::new(),
        validate_only,
    };
    let checked = reviews.withdraw_ask(withdraw(true)).await.expect("is good").into_inner();
    say(&expert, &pair).await.expect("a check changes nothing");
    let withdrawn = reviews.withdraw_ask(withdraw(false)).await.expect("withdraws").into_inner();
    assert_eq!(withdrawn, checked);
    assert!(withdrawn.ask.expect("an ask").withdraw_time.is_some());
    assert_eq!(asks(&expert, "rounds/-").await.expect("lists"), []);
    assert_eq!(refused(say(&expert, &pair).await), "NOT_FOUND");
    reviews.ask_expert(ask(principal.name.clone(), false)).await.expect("asks again");
    say(&expert, &pair).await.expect("comments again");
    let erase = v1::EraseProfileRequest {
        name: pair.mentee.clone(),
        request_id: request_id(),
        ..v1::EraseProfileRequest::default()
    };
    cast.kenya.client.privacy.clone().erase_profile(erase).await.expect("erases");
    assert_eq!(asks(&cast.world.coordinator(), &cast.round).await.expect("lists"), []);
    assert_eq!(refused(say(&expert, &pair).await), "NOT_FOUND");
    cast.world.stop().await;
}

async fn an_ask_ends_with_its_round_and_with_a_person_of_its_pair(world: World) {
    let mut cast = cast(world, v1::Policy::default()).await;
    let mut reviews = cast.world.coordinator().reviews;
    let early = cast.world.open_round_with("q", v1::Policy::default()).await.name;
    cast.peru.enrol_all(&early).await;
    cast.kenya.enrol_all(&early).await;
    let (expert, principal) = cast.world.caller(&["expert", "coordinator"]).await;
    let mut names = Vec::new();
    for (round, mentee) in [(&early, "c"), (&early, "d"), (&cast.round, "c"), (&cast.round, "d")] {
        let ask = v1::AskExpertRequest {
            round: round.clone(),
            mentee: cast.kenya.member(mentee),
            mentor: cast.peru.member("a"),
            expert: principal.name.clone(),
            question: "Do their fields fit?".to_owned(),
            ..v1::AskExpertRequest::default()
        };
        let asked = reviews.ask_expert(ask).await.expect("asks").into_inner().ask.expect("an ask");
        names.push(asked.name);
    }
    names.sort();
    let read = async |client: &Client, role: &str, parent: &str| {
        let (mut names, mut page_token) = (Vec::new(), String::new());
        loop {
            let parent = parent.to_owned();
            let message = v1::ListAsksRequest { parent, page_size: 1, page_token, ..Default::default() };
            let mut request = Request::new(message);
            request.metadata_mut().insert("wim-acting-as", role.parse().expect("a value"));
            let page = client.reviews.clone().list_asks(request).await.expect("lists").into_inner();
            names.extend(page.asks.into_iter().map(|ask| ask.name));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return names;
            }
        }
    };
    // Her own ones, also while she coordinates.
    let coordinator = cast.world.coordinator();
    for role in ["expert", "coordinator"] {
        assert_eq!(read(&expert, role, "rounds/-").await, names, "{role}");
    }
    assert_eq!(read(&coordinator, "coordinator", "rounds/-").await, [""; 0]);
    assert_eq!(read(&expert, "expert", &cast.round).await, names[2..]);
    assert_eq!(read(&coordinator, "coordinator", &early).await, names[..2]);
    let say = async |round: &str| {
        let comment = v1::CreateCommentRequest {
            round: round.to_owned(),
            mentee: cast.kenya.member("d"),
            mentor: cast.peru.member("a"),
            text: "A good pair.".to_owned(),
            ..v1::CreateCommentRequest::default()
        };
        let mut request = Request::new(comment);
        request.metadata_mut().insert("wim-acting-as", "expert".parse().expect("a value"));
        expert.reviews.clone().create_comment(request).await.map(drop)
    };
    say(&early).await.expect("comments");
    let all = cast.kenya.client.clone().all_consents(&cast.kenya.member("c")).await.expect("lists");
    let consent = all.into_iter().find(|one| one.purpose() == v1::ConsentPurpose::Matching).expect("one");
    let withdraw = v1::WithdrawConsentRequest { name: consent.name, ..Default::default() };
    cast.kenya.client.privacy.clone().withdraw_consent(withdraw).await.expect("withdraws");
    let left = read(&expert, "expert", "rounds/-").await;
    assert_eq!(left.len(), 2, "one of each round: {left:?}");
    let cancel = v1::CancelRoundRequest { name: early.clone(), ..v1::CancelRoundRequest::default() };
    coordinator.rounds.clone().cancel_round(cancel).await.expect("is cancelled");
    assert_eq!(read(&expert, "expert", "rounds/-").await, left[1..]);
    assert_eq!(refused(say(&early).await), "NOT_FOUND");
    for validate_only in [true, false] {
        let ask = v1::AskExpertRequest {
            round: early.clone(),
            mentee: cast.kenya.member("d"),
            mentor: cast.peru.member("a"),
            expert: principal.name.clone(),
            question: "Is this too late?".to_owned(),
            validate_only,
            ..v1::AskExpertRequest::default()
        };
        assert_eq!(refused(reviews.ask_expert(ask).await), "ROUND_STATE", "{validate_only}");
    }
    say(&cast.round).await.expect("comments");
    cast.world.stop().await;
}
