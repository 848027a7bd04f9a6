//! What is wrong with a call is told whole, in one shape, and before anything is changed.

use std::collections::BTreeSet;
use std::time::Duration;

use prost::Message as _;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use wim_match::api::proto::v1;
use wim_match::clock::Stopwatch;
use wim_match::domain::grant::Role;

use crate::call::{Target, call, methods};
use crate::refusal::{reason, refused, wrong_fields};
use crate::wire::{frame, post};
use crate::world::{World, matches, mentee, mentor, round_message, soon};

/// Whether a method takes no name of anything.
fn is_nameless(method: &str) -> bool {
    let nameless = [
        "CreateOrganisation",
        "ListOrganisations",
        "CreateConsultation",
        "ListConsultations",
        "ListReports",
        "CreateRound",
        "ListRounds",
        "WhoAmI",
        "CreatePrincipal",
        "ListPrincipals",
        "RedeemInvitation",
        "StreamEvents",
        "ListParameters",
        "ListAuditEntries",
        "ListInvitations",
        "VerifyAudit",
        // Without an organisation, a role is for the alliance.
        "CreateInvitation",
    ];
    method.starts_with("SolverService/") || nameless.iter().any(|nameless| method.ends_with(nameless))
}

fn path(method: &str) -> String {
    format!("/wim.mentorship.v1.{method}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_are_no_message_are_the_callers_mistake_in_every_method() {
    let world = World::sqlite().await;
    let peru = world.manager("wim-peru").await;
    let bearer = format!("Bearer {}", peru.token);
    for method in methods() {
        let headers = [("authorization", bearer.as_str())];
        let status = post(&world, &path(&method), &headers, Some(frame(&[0xFF; 40]))).await;
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::InvalidArgument, "UNDECODABLE"),
            "{method}"
        );
    }
    let not_utf_8 = frame(&[0x0A, 2, 0xC3, 0x28]);
    let cut_off = frame(&[0x0A, 100, b'r'])[..7].to_vec();
    let unknown_flag = [&[7], &frame(b"")[1..]].concat();
    for body in [not_utf_8, cut_off, unknown_flag] {
        let headers = [("authorization", bearer.as_str())];
        let status = post(&world, &path("RoundService/GetRound"), &headers, Some(body.clone())).await;
        assert_eq!(reason(&status), "UNDECODABLE", "{body:?}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_that_the_contract_does_not_have_is_refused_wherever_it_is() {
    let world = World::sqlite().await;
    let peru = world.manager("wim-peru").await;
    let nested = |number: u8, inner: &[u8]| {
        [&[number << 3 | 2, u8::try_from(inner.len()).expect("short")], inner].concat()
    };
    // Field 99 with the number 1.
    let unknown = [0x98, 0x06, 1];
    let profile = nested(2, &[&nested(1, b"profiles/p")[..], &unknown].concat());
    let header = nested(1, &nested(1, peru.name().as_bytes()));
    for (method, token, body, field) in [
        ("RoundService/GetRound", &peru.token, [&nested(1, b"rounds/r")[..], &unknown].concat(), ""),
        ("RunService/WatchRun", &peru.token, unknown.to_vec(), ""),
        (
            "RoundService/CreateRound",
            &world.coordinator_token().to_owned(),
            nested(2, &nested(6, &unknown)),
            "round.policy",
        ),
        ("ProfileService/ImportProfiles", &peru.token, nested(2, &nested(1, &profile)), "rows.rows.profile"),
    ] {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        let mut sent = frame(&body);
        if method.ends_with("ImportProfiles") {
            sent = [frame(&header), sent].concat();
        }
        let status = post(&world, &path(method), &headers, Some(sent)).await;
        assert_eq!(wrong_fields(Err::<(), _>(status)), [field], "{method}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_oversized_message_is_refused_with_the_limit() {
    let world = World::sqlite().await;
    let peru = world.manager("wim-peru").await;
    let bearer = format!("Bearer {}", peru.token);
    let huge = v1::GetRoundRequest { name: "x".repeat(5 << 20) }.encode_to_vec();
    for method in ["RoundService/GetRound", "ProfileService/ImportProfiles", "RunService/WatchRun"] {
        let headers = [("authorization", bearer.as_str())];
        let status = post(&world, &path(method), &headers, Some(frame(&huge))).await;
        assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "MESSAGE_TOO_LARGE"));
        let told = status.get_details_error_info().expect("an ErrorInfo");
        assert_eq!(told.metadata.get("limit_bytes").map(String::as_str), Some("4194304"), "{method}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_exist_is_unimplemented() {
    let world = World::sqlite().await;
    let bearer = format!("Bearer {}", world.coordinator_token());
    let known = ("authorization", bearer.as_str());
    for path in ["/wim.mentorship.v1.RoundService/Nothing", "/wim.mentorship.v9.RoundService/GetRound", "/"] {
        let status = post(&world, path, &[known], Some(frame(b""))).await;
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::Unimplemented, "UNIMPLEMENTED"),
            "{path}"
        );
    }
    let compressed = [&[1], &frame(b"??")[1..]].concat();
    let headers = [known, ("grpc-encoding", "snappy")];
    let status = post(&world, &path("RoundService/GetRound"), &headers, Some(compressed)).await;
    assert_eq!(reason(&status), "UNIMPLEMENTED");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_whose_deadline_passes_is_told_so() {
    let world = World::sqlite().await;
    world.manager("wim-peru").await;
    let role = Role::OrganisationManager("wim-peru".parse().expect("an id"));
    let token = world.server().service().issue_token(&role, "test").await.expect("a token");
    let bearer = format!("Bearer {token}");
    for method in ["RoundService/GetRound", "ProfileService/ImportProfiles"] {
        let headers = [("authorization", bearer.as_str()), ("grpc-timeout", "150m")];
        let stopwatch = Stopwatch::start();
        let status = post(&world, &path(method), &headers, None).await;
        assert_eq!((status.code(), reason(&status).as_str()), (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"));
        assert!(stopwatch.elapsed() >= Duration::from_millis(100), "{method} was given its time");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_is_wrong_is_told_at_once() {
    let world = World::sqlite().await;
    let mut coordinator = world.coordinator();
    let organisation = v1::CreateOrganisationRequest {
        organisation_id: "Not An Id".to_owned(),
        organisation: Some(v1::Organisation {
            display_name: " ".to_owned(),
            country: "ZZ".to_owned(),
            rules: Some(v1::OrganisationRules {
                excluded_organisations: vec!["nonsense".to_owned()],
                ..v1::OrganisationRules::default()
            }),
            ..v1::Organisation::default()
        }),
        request_id: String::new(),
        validate_only: false,
    };
    let told = wrong_fields(world.secretariat().organisations.create_organisation(organisation).await);
    let fields =
        ["organisation_id", "organisation.display_name", "organisation.country", "organisation.rules"];
    assert_eq!(told.iter().map(String::as_str).collect::<BTreeSet<_>>(), fields.into());

    let weight = |criterion: v1::Criterion, weight| v1::CriterionWeight {
        criterion: criterion.into(),
        weight,
        neutral: None,
    };
    let policy = v1::Policy {
        objective: 9,
        criteria: vec![
            weight(v1::Criterion::Topics, i32::MAX),
            weight(v1::Criterion::Topics, 1),
            weight(v1::Criterion::PrivateAnswers, 1),
            weight(v1::Criterion::Goals, -1),
        ],
        hard_rules: Some(v1::HardRules {
            min_stage_gap: Some(3),
            max_stage_gap: Some(1),
            min_score: 10_001,
            ..v1::HardRules::default()
        }),
        waitlist_after_days: Some(-1),
        ..v1::Policy::default()
    };
    let round = v1::CreateRoundRequest {
        round_id: "-r".to_owned(),
        round: Some(v1::Round {
            display_name: String::new(),
            start_date: "2027-07-31".to_owned(),
            end_date: "2027-02-01".to_owned(),
            policy: Some(policy),
            ..v1::Round::default()
        }),
        request_id: String::new(),
        validate_only: false,
    };
    let told = wrong_fields(coordinator.rounds.create_round(round).await);
    let fields = [
        "round_id",
        "round.display_name",
        "round.end_date",
        "round.policy.objective",
        "round.policy.criteria[0].weight",
        "round.policy.criteria[1].criterion",
        "round.policy.criteria[2].criterion",
        "round.policy.criteria[3].weight",
        "round.policy.hard_rules.max_stage_gap",
        "round.policy.hard_rules.min_score",
        "round.policy.waitlist_after_days",
    ];
    assert_eq!(told.iter().map(String::as_str).collect::<BTreeSet<_>>(), fields.into());
    let listed = coordinator.rounds.list_rounds(v1::ListRoundsRequest::default()).await.expect("lists");
    assert_eq!(listed.into_inner().rounds, []);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_round_needs_days_and_a_policy_that_weighs_something() {
    let world = World::sqlite().await;
    let ask = async |round: v1::Round| {
        let request = v1::CreateRoundRequest {
            round_id: "r".to_owned(),
            round: Some(round),
            request_id: String::new(),
            validate_only: false,
        };
        world.coordinator().rounds.create_round(request).await
    };
    let dated = |start: &str, end: &str| v1::Round {
        start_date: start.to_owned(),
        end_date: end.to_owned(),
        ..round_message()
    };
    for (start, end, field) in [
        ("", "2027-02-01", "round.start_date"),
        ("2027-02-30", "2027-07-31", "round.start_date"),
        ("01.02.2027", "2027-07-31", "round.start_date"),
        ("2027-02-01", "2029-02-02", "round.end_date"),
        ("2027-02-02", "2027-02-01", "round.end_date"),
    ] {
        assert_eq!(wrong_fields(ask(dated(start, end)).await), [field], "{start} to {end}");
    }
    let weights = [v1::Criterion::Topics, v1::Criterion::Goals];
    let weights = weights.map(|criterion| v1::CriterionWeight {
        criterion: criterion.into(),
        weight: 0,
        neutral: None,
    });
    let policy = v1::Policy { criteria: weights.to_vec(), ..v1::Policy::default() };
    let round = v1::Round { policy: Some(policy), ..round_message() };
    assert_eq!(wrong_fields(ask(round).await), ["round.policy.criteria"]);
    let nothing = v1::CreateRoundRequest { round_id: "r".to_owned(), ..v1::CreateRoundRequest::default() };
    let told = wrong_fields(world.coordinator().rounds.create_round(nothing).await);
    assert_eq!(told, ["round.display_name", "round.start_date", "round.end_date"]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_cannot_be_one_is_told_in_every_method_that_takes_one() {
    let world = World::sqlite().await;
    let peru = world.manager("wim-peru").await;
    let bad = [
        "",
        "nonsense",
        "rounds/",
        "rounds/a b",
        "rounds/r/runs/0",
        "organisations/",
        "organisations/A/profiles/b",
    ];
    let secretariat = world.caller(&["secretariat"]).await.0;
    for name in bad {
        let name = || name.to_owned();
        let target = Target {
            organisation: name(),
            round: name(),
            round_to_run: name(),
            run: name(),
            profile: name(),
            mentee: name(),
            mentor: name(),
            principal: name(),
            grant: name(),
            credential: name(),
            secret: name(),
            invitation: name(),
            consultation: name(),
            // Empty stands for a report that there is not.
            report: if name().is_empty() { "nonsense".to_owned() } else { name() },
            ..Target::default()
        };
        for method in methods() {
            if is_nameless(&method) {
                continue;
            }
            let mut told = refused(call(&method, &world.coordinator(), &target).await);
            if told == "PERMISSION_DENIED" {
                told = refused(call(&method, &peru.client, &target).await);
            }
            if told == "PERMISSION_DENIED" {
                told = refused(call(&method, &secretariat, &target).await);
            }
            assert_eq!(told, "INVALID_FIELDS", "{method} of `{}`", target.run);
        }
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_named_well_and_does_not_exist_is_not_found() {
    let world = World::sqlite().await;
    let peru = world.manager("wim-peru").await;
    let id = "01938e0a-7c5a-7a34-9d0e-5f2b7c1d9e3a";
    let secretariat = world.caller(&["secretariat"]).await.0;
    let target = Target {
        organisation: "organisations/wim-nowhere".to_owned(),
        round: "rounds/nowhere".to_owned(),
        round_to_run: "rounds/nowhere".to_owned(),
        run: "rounds/nowhere/runs/1".to_owned(),
        profile: peru.member("nobody"),
        mentee: peru.member("nobody"),
        mentor: peru.member("nobody-else"),
        principal: format!("principals/{id}"),
        grant: format!("principals/{id}/grants/{id}"),
        credential: format!("principals/{id}/credentials/{id}"),
        secret: "wimi_of_nobody".to_owned(),
        invitation: format!("invitations/{id}"),
        consultation: "consultations/nowhere".to_owned(),
        report: format!("reports/{id}"),
        ..Target::default()
    };
    for method in methods() {
        if is_nameless(&method) {
            continue;
        }
        let mut told = refused(call(&method, &world.coordinator(), &target).await);
        if told == "PERMISSION_DENIED" {
            told = refused(call(&method, &peru.client, &target).await);
        }
        if told == "PERMISSION_DENIED" {
            told = refused(call(&method, &secretariat, &target).await);
        }
        assert_eq!(told, "NOT_FOUND", "{method}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_token_leads_on_in_its_own_list_and_nowhere_else() {
    let world = World::sqlite().await;
    for id in ["a", "b", "c", "d", "e"] {
        world.open_round(id).await;
        world.manager(&format!("wim-{id}")).await;
    }
    let manager = world.manager("wim-peru").await;
    let rounds = async |page_size, page_token: &str| {
        let request = v1::ListRoundsRequest { page_size, page_token: page_token.to_owned() };
        world.coordinator().rounds.list_rounds(request).await.map(tonic::Response::into_inner)
    };
    let (mut listed, mut token, mut first) = (Vec::new(), String::new(), String::new());
    loop {
        let page = rounds(2, &token).await.expect("a page");
        assert!(page.rounds.len() <= 2);
        listed.extend(page.rounds.into_iter().map(|round| round.name));
        token = page.next_page_token;
        if first.is_empty() {
            first.clone_from(&token);
        }
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(listed, ["rounds/a", "rounds/b", "rounds/c", "rounds/d", "rounds/e"]);

    for at in 0..first.len() {
        let mut flipped = first.clone();
        flipped.replace_range(at..=at, if &first[at..=at] == "0" { "1" } else { "0" });
        assert_eq!(refused(rounds(2, &flipped).await), "INVALID_PAGE_TOKEN", "digit {at}");
    }
    for token in ["nonsense", "é", &first[1..], &first.repeat(2)] {
        assert_eq!(refused(rounds(2, token).await), "INVALID_PAGE_TOKEN", "{token}");
    }
    let foreign = v1::ListOrganisationsRequest { page_size: 2, page_token: first.clone() };
    assert_eq!(
        refused(world.coordinator().organisations.list_organisations(foreign).await),
        "INVALID_PAGE_TOKEN"
    );
    let hers = v1::ListRoundsRequest { page_size: 2, page_token: first.clone() };
    assert_eq!(refused(manager.client.clone().rounds.list_rounds(hers).await), "INVALID_PAGE_TOKEN");
    assert_eq!(wrong_fields(rounds(-1, "").await), ["page_size"]);
    assert_eq!(rounds(i32::MAX, "").await.expect("the largest page").rounds.len(), 5);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reasons_come_in_four_languages_and_no_other() {
    let world = World::sqlite().await;
    let round = world.open_round("r").await.name;
    let mut peru = world.manager("wim-peru").await;
    peru.import(vec![mentor("mentor", 1), mentee("mentee"), mentee("other")]).await;
    peru.enrol_all(&round).await;
    let run = soon(world.run_to_the_end(&round)).await.name;
    let mut client = world.coordinator().runs;
    let (parent, mentor) = (run.clone(), peru.member("mentor"));
    let pair = matches(&mut world.coordinator(), &run, 0).await.remove(0);
    let mut texts = BTreeSet::new();
    for language in ["en", "fr", "es", "pt"] {
        let (parent, language_code) = (parent.clone(), language.to_owned());
        let request = v1::ListMatchesRequest {
            parent,
            language_code,
            view: v1::MatchView::Full.into(),
            ..v1::ListMatchesRequest::default()
        };
        let told = client.list_matches(request).await.expect("lists").into_inner().matches;
        let texts_of =
            told[0].contributions.iter().filter_map(|part| part.reason.as_ref()).map(|r| r.text.clone());
        texts.insert(texts_of.collect::<Vec<_>>());
        assert_eq!(told[0].score, pair.score);
    }
    assert_eq!(texts.len(), 4, "four renderings");
    for language_code in ["de", "english", "e", "\u{0}"] {
        let language_code = language_code.to_owned();
        let answers: [Result<(), Status>; 3] = [
            client
                .list_matches(v1::ListMatchesRequest {
                    parent: parent.clone(),
                    language_code: language_code.clone(),
                    ..v1::ListMatchesRequest::default()
                })
                .await
                .map(drop),
            client
                .list_unmatched(v1::ListUnmatchedRequest {
                    parent: parent.clone(),
                    language_code: language_code.clone(),
                    ..v1::ListUnmatchedRequest::default()
                })
                .await
                .map(drop),
            client
                .explain_pair(v1::ExplainPairRequest {
                    run: run.clone(),
                    mentee: peru.member("mentee"),
                    mentor: mentor.clone(),
                    language_code: language_code.clone(),
                })
                .await
                .map(drop),
        ];
        for answer in answers {
            assert_eq!(wrong_fields(answer), ["language_code"], "{language_code}");
        }
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pair_is_explained_only_of_a_run_that_has_succeeded() {
    let world = World::sqlite().await.restart_without_worker().await;
    let round = world.open_round("r").await.name;
    let mut peru = world.manager("wim-peru").await;
    peru.import(vec![mentor("mentor", 1), mentee("mentee")]).await;
    peru.enrol_all(&round).await;
    let run = world.start_run(&round).await.name;
    let request = v1::ExplainPairRequest {
        run: run.clone(),
        mentee: peru.member("mentee"),
        mentor: peru.member("mentor"),
        ..v1::ExplainPairRequest::default()
    };
    let answer = world.coordinator().runs.explain_pair(request).await.expect_err("is refused");
    assert_eq!(reason(&answer), "RUN_STATE");
    let info = answer.get_details_error_info().expect("an ErrorInfo");
    assert_eq!(info.metadata.get("state").map(String::as_str), Some("queued"));
    let told = answer.get_details_precondition_failure().expect("a PreconditionFailure");
    assert_eq!(told.violations[0].subject, run);
    world.cancel(&run).await;
    world.stop().await;
}
