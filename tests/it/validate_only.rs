//! Changes that are only checked: the answer is the one of the real call, all wrong fields are in it, and nothing is written.

use prost::Message as _;
use prost_types::method_options::IdempotencyLevel;
use prost_types::{DescriptorProto, FieldMask, FileDescriptorSet, MethodDescriptorProto};
use tonic::Status;
use wim_match::api::proto::{DESCRIPTORS, v1};
use wim_match::client::request_id;
use wim_match::domain::profile::ProfileDraft;

use crate::call::{Target, call};
use crate::refusal::{reason, refused};
use crate::world::{
    World, header_message, import_of, member, mentee, mentor, on_both_databases, round_message, send, soon,
};

on_both_databases! {
    an_organisation_is_checked_and_not_registered,
    a_change_of_an_organisation_is_checked_and_not_made,
    a_round_is_checked_and_not_opened,
    a_change_of_a_round_is_checked_and_not_made,
    an_enrolment_is_checked_and_nobody_is_enrolled,
    a_withdrawal_is_checked_and_nobody_is_withdrawn,
    a_run_is_checked_and_not_started,
    a_cancellation_is_checked_and_the_run_goes_on,
    an_import_is_checked_and_not_stored,
    a_change_of_who_may_call_is_checked_and_not_made,
    a_method_without_side_effects_writes_nothing,
}

/// All methods of the contract, each with its service.
fn methods(set: &FileDescriptorSet) -> Vec<(String, MethodDescriptorProto)> {
    let files = set.file.iter().filter(|file| file.package() == "wim.mentorship.v1");
    let services = files.flat_map(|file| &file.service);
    services
        .flat_map(|service| service.method.iter().map(|m| (service.name().to_owned(), m.clone())))
        .collect()
}

fn descriptors() -> FileDescriptorSet {
    FileDescriptorSet::decode(DESCRIPTORS).expect("descriptors")
}

fn changes_nothing(method: &MethodDescriptorProto) -> bool {
    method.options.as_ref().is_some_and(|o| o.idempotency_level() == IdempotencyLevel::NoSideEffects)
}

fn message<'a>(set: &'a FileDescriptorSet, name: &str) -> &'a DescriptorProto {
    let simple = name.rsplit('.').next().unwrap_or_default();
    let mut all =
        set.file.iter().filter(|f| f.package() == "wim.mentorship.v1").flat_map(|f| &f.message_type);
    all.find(|message| message.name() == simple).unwrap_or_else(|| panic!("{name}"))
}

fn has(message: &DescriptorProto, field: &str) -> bool {
    message.field.iter().any(|f| f.name() == field)
}

/// A method that changes something is one that the contract does not call free of side effects; that a method is free of
/// them is tested below. A stream has the fields in its header.
#[test]
fn every_method_that_changes_something_takes_a_request_id_and_a_check() {
    let (set, mut changing) = (descriptors(), Vec::new());
    for (service, method) in methods(&set) {
        if changes_nothing(&method) {
            continue;
        }
        let mut request = message(&set, method.input_type());
        if method.client_streaming() {
            let header = request.field.iter().find(|f| f.name() == "header").expect("a stream has a header");
            request = message(&set, header.type_name());
        }
        for field in ["request_id", "validate_only"] {
            assert!(has(request, field), "{service}/{} has no `{field}`", method.name());
        }
        if !method.client_streaming() {
            assert!(has(message(&set, method.output_type()), "violations"), "{}", method.name());
        }
        changing.push(method.name().to_owned());
    }
    let expected = [
        "CreatePrincipal",
        "UpdatePrincipal",
        "CreateGrant",
        "EndGrant",
        "CreateCredential",
        "RevokeCredential",
        "CreateInvitation",
        "CancelInvitation",
        "RedeemInvitation",
        "ImportProfiles",
        "CreateProfile",
        "UpdateProfile",
        "RespondToMentorship",
        "RecordFirstMeeting",
        "PauseMentorship",
        "ResumeMentorship",
        "CloseMentorship",
        "RecordCheckIn",
        "ImportCheckIns",
        "CreateOrganisation",
        "UpdateOrganisation",
        "UpdateOrganisationRules",
        "SetMembership",
        "CreateConsultation",
        "UpdateConsultation",
        "CancelConsultation",
        "AnswerConsultation",
        "RecordConsent",
        "WithdrawConsent",
        "RestrictProfile",
        "LiftRestriction",
        "EraseProfile",
        "PurgeExpired",
        "CreateReport",
        "PinPair",
        "VetoPair",
        "ReleaseDecision",
        "MarkReviewed",
        "CreateComment",
        "AskExpert",
        "WithdrawAsk",
        "ContestMatch",
        "SubmitRun",
        "ApproveRun",
        "RejectRun",
        "ObjectToMatch",
        "PublishRun",
        "UnpublishRun",
        "CreateRound",
        "UpdateRound",
        "CloseRound",
        "CancelRound",
        "CreatePolicy",
        "EnrolProfiles",
        "WithdrawEnrolments",
        "LeaveWaitingList",
        "StartRun",
        "CancelRun",
    ];
    assert_eq!(changing, expected, "a new one needs a story here");
}

/// A status as a whole, to compare the refusal of a check with the refusal of the real call.
fn whole(status: &Status) -> (String, String, Vec<u8>) {
    (reason(status), status.message().to_owned(), status.details().to_vec())
}

fn fields(violations: &[v1::FieldViolation]) -> Vec<&str> {
    violations.iter().map(|violation| violation.field.as_str()).collect()
}

fn organisation(id: &str) -> v1::CreateOrganisationRequest {
    let content = v1::Organisation {
        display_name: "Unwritten Name".to_owned(),
        country: "PE".to_owned(),
        ..v1::Organisation::default()
    };
    v1::CreateOrganisationRequest {
        organisation_id: id.to_owned(),
        organisation: Some(content),
        request_id: request_id(),
        validate_only: true,
    }
}

async fn an_organisation_is_checked_and_not_registered(world: World) {
    let (mut client, before) = (world.secretariat().organisations, world.dump().await);
    let request = organisation("wim-peru");
    let checked = client.create_organisation(request.clone()).await.expect("is good").into_inner();
    assert_eq!(world.dump().await, before);
    world.holds_nowhere("Unwritten Name");

    let wrong = v1::CreateOrganisationRequest { request_id: "42".to_owned(), ..organisation("A b") };
    let told = client.create_organisation(wrong.clone()).await.expect("all in the body").into_inner();
    assert_eq!(told.organisation, None);
    let told = fields(&told.violations);
    assert_eq!(told, ["organisation_id", "request_id"]);
    let real = v1::CreateOrganisationRequest { validate_only: false, ..wrong };
    assert_eq!(refused(client.create_organisation(real).await), "INVALID_FIELDS");
    assert_eq!(world.dump().await, before);

    // The `request_id` of a check is free for any request.
    let real = v1::CreateOrganisationRequest { validate_only: false, ..request.clone() };
    assert_eq!(client.create_organisation(real).await.expect("registers").into_inner(), checked);
    let check = client.create_organisation(request).await.expect_err("exists");
    let real = v1::CreateOrganisationRequest { validate_only: false, ..organisation("wim-peru") };
    assert_eq!(whole(&check), whole(&client.create_organisation(real).await.expect_err("exists")));
    let mut peru = world.manager("wim-kenya").await.client.organisations;
    let denied = peru.create_organisation(organisation("x")).await;
    assert_eq!(refused(denied), "PERMISSION_DENIED");
    world.stop().await;
}

async fn a_change_of_who_may_call_is_checked_and_not_made(world: World) {
    let secretariat = world.caller(&["secretariat"]).await.0;
    let (person, _) = world.caller(&["coordinator"]).await;
    let target = Target::default().with_principal_of(&person, &secretariat).await;
    let (mut admin, before) = (secretariat.admin, world.dump().await);
    let principal = v1::Principal {
        kind: v1::PrincipalKind::Person.into(),
        handle: "unwritten-handle".to_owned(),
        ..v1::Principal::default()
    };
    let request = v1::CreatePrincipalRequest {
        principal: Some(principal.clone()),
        request_id: request_id(),
        validate_only: true,
    };
    let checked = admin.create_principal(request.clone()).await.expect("is good").into_inner();
    assert_eq!(checked.principal.map(|principal| principal.handle), Some("unwritten-handle".to_owned()));
    let bad = v1::Principal { kind: 0, handle: "Rosa Quispe".to_owned(), ..principal.clone() };
    let wrong = v1::CreatePrincipalRequest { principal: Some(bad), ..request };
    let told = admin.create_principal(wrong).await.expect("all in the body").into_inner().violations;
    assert_eq!(fields(&told), ["principal.kind", "principal.handle"]);

    let update = v1::UpdatePrincipalRequest {
        principal: Some(v1::Principal {
            name: target.principal.clone(),
            etag: "\"1\"".to_owned(),
            ..principal.clone()
        }),
        validate_only: true,
        ..v1::UpdatePrincipalRequest::default()
    };
    let checked = admin.update_principal(update).await.expect("is good").into_inner().principal;
    assert_eq!(checked.map(|changed| changed.etag), Some("\"2\"".to_owned()));
    let until = prost_types::Timestamp { seconds: 1, nanos: 0 };
    let backwards =
        v1::Grant { role: v1::Role::CommitteeMember.into(), until_time: Some(until), ..v1::Grant::default() };
    let grant = |grant| v1::CreateGrantRequest {
        parent: target.principal.clone(),
        grant: Some(grant),
        request_id: request_id(),
        validate_only: true,
    };
    let told = admin.create_grant(grant(backwards)).await.expect("all in the body").into_inner();
    assert_eq!(fields(&told.violations), ["grant.until_time"]);
    let good = v1::Grant { role: v1::Role::Operations.into(), ..v1::Grant::default() };
    let checked = admin.create_grant(grant(good.clone())).await.expect("is good").into_inner();
    assert_eq!(checked.grant.map(|grant| (grant.live, grant.name)), Some((true, String::new())));
    let end = v1::EndGrantRequest { name: target.grant.clone(), validate_only: true, ..Default::default() };
    let ended = admin.end_grant(end).await.expect("is good").into_inner().grant.expect("a grant");
    assert!(ended.end_time.is_some() && !ended.live);
    let create = v1::CreateCredentialRequest {
        parent: target.principal.clone(),
        credential: Some(v1::Credential::default()),
        validate_only: true,
        ..Default::default()
    };
    let checked = admin.create_credential(create).await.expect("is good").into_inner();
    assert_eq!((checked.token.as_str(), checked.token_shown_before), ("", false), "no token was made");
    let revoke = v1::RevokeCredentialRequest {
        name: target.credential.clone(),
        validate_only: true,
        ..Default::default()
    };
    let revoked = admin.revoke_credential(revoke).await.expect("is good").into_inner().credential;
    assert!(revoked.expect("a credential").revoke_time.is_some());
    let invite = v1::CreateInvitationRequest {
        invitation: Some(v1::Invitation { grants: vec![good], ..Default::default() }),
        validate_only: true,
        ..Default::default()
    };
    assert_eq!(admin.create_invitation(invite).await.expect("is good").into_inner().secret, "");
    let redeem = v1::RedeemInvitationRequest {
        secret: target.secret.clone(),
        principal: Some(principal),
        validate_only: true,
        ..Default::default()
    };
    let checked = admin.redeem_invitation(redeem).await.expect("is good").into_inner();
    assert_eq!((checked.token.as_str(), checked.grants.len()), ("", 1));
    assert_eq!(world.dump().await, before, "nothing was written");
    world.stop().await;
}

async fn a_change_of_an_organisation_is_checked_and_not_made(world: World) {
    let peru = world.manager("wim-peru").await;
    world.manager("wim-kenya").await;
    let mut client = peru.client.organisations.clone();
    let before = world.dump().await;
    let update = |validate_only| v1::UpdateOrganisationRequest {
        organisation: Some(v1::Organisation {
            name: peru.name(),
            display_name: "Unwritten Name".to_owned(),
            ..v1::Organisation::default()
        }),
        update_mask: Some(FieldMask { paths: vec!["display_name".to_owned()] }),
        request_id: String::new(),
        validate_only,
    };
    let updated = client.update_organisation(update(true)).await.expect("good").into_inner();
    let wrong = v1::UpdateOrganisationRequest { update_mask: None, ..update(true) };
    let told = client.update_organisation(wrong).await.expect("all in the body").into_inner();
    assert_eq!(fields(&told.violations), ["update_mask"]);
    let rules = |excluded: Vec<String>, validate_only| v1::UpdateOrganisationRulesRequest {
        name: peru.name(),
        rules: Some(v1::OrganisationRules {
            same_organisation_only: true,
            excluded_organisations: excluded,
            ..Default::default()
        }),
        validate_only,
        ..v1::UpdateOrganisationRulesRequest::default()
    };
    let kenya = || vec!["organisations/wim-kenya".to_owned()];
    let good = client.update_organisation_rules(rules(kenya(), true)).await.expect("good").into_inner();
    let many: Vec<String> = (0..3_000).map(|at| format!("wrong name {at}")).collect();
    let wrong = v1::UpdateOrganisationRulesRequest { request_id: "42".to_owned(), ..rules(many, true) };
    let told = client.update_organisation_rules(wrong).await.expect("all in the body").into_inner();
    let told = fields(&told.violations);
    assert_eq!((told.len(), told[3_000]), (3_001, "request_id"));
    assert_eq!(told[2_999], "rules.excluded_organisations[2999]");
    assert_eq!(world.dump().await, before);
    world.holds_nowhere("Unwritten Name");
    let mut secretariat = world.secretariat().organisations;
    let set = |state: v1::MembershipState, rules_version: &str| v1::SetMembershipRequest {
        name: peru.name(),
        state: state.into(),
        rules_version: rules_version.to_owned(),
        validate_only: true,
        ..v1::SetMembershipRequest::default()
    };
    let left =
        secretariat.set_membership(set(v1::MembershipState::Left, "")).await.expect("good").into_inner();
    let left = left.organisation.and_then(|one| one.membership).expect("a membership");
    assert_eq!(left.state(), v1::MembershipState::Left);
    for (wrong, field) in [
        (set(v1::MembershipState::Unspecified, ""), "state"),
        (set(v1::MembershipState::Member, ""), "rules_version"),
    ] {
        let told = secretariat.set_membership(wrong).await.expect("all in the body").into_inner();
        assert_eq!(fields(&told.violations), [field]);
    }
    assert_eq!(world.dump().await, before);
    let real = client.update_organisation_rules(rules(kenya(), false)).await.expect("sets").into_inner();
    assert_eq!(real, good);
    let real = client.update_organisation(update(false)).await.expect("updates").into_inner();
    let (real, updated) = (real.organisation.expect("one"), updated.organisation.expect("one"));
    assert_eq!(
        (real.display_name, real.rules),
        (updated.display_name, good.organisation.expect("one").rules)
    );
    world.stop().await;
}

async fn a_round_is_checked_and_not_opened(world: World) {
    let (mut client, before) = (world.coordinator().rounds, world.dump().await);
    let request = v1::CreateRoundRequest {
        round_id: "r".to_owned(),
        round: Some(v1::Round { display_name: "Unwritten Name".to_owned(), ..round_message() }),
        request_id: request_id(),
        validate_only: true,
    };
    let checked = client.create_round(request.clone()).await.expect("is good").into_inner();
    let policy = v1::Policy { objective: 9, waitlist_after_days: Some(-1), ..v1::Policy::default() };
    let wrong = v1::CreateRoundRequest {
        round_id: "-".to_owned(),
        round: Some(v1::Round { policy: Some(policy), ..v1::Round::default() }),
        request_id: "42".to_owned(),
        validate_only: true,
    };
    let told = client.create_round(wrong).await.expect("all in the body").into_inner();
    assert_eq!(told.round, None);
    let expected = [
        "round_id",
        "round.display_name",
        "round.start_date",
        "round.end_date",
        "round.policy.objective",
        "round.policy.waitlist_after_days",
        "request_id",
    ];
    assert_eq!(fields(&told.violations), expected);
    assert!(told.violations.iter().all(|violation| !violation.description.is_empty()));
    assert_eq!(world.dump().await, before);
    world.holds_nowhere("Unwritten Name");

    let real = v1::CreateRoundRequest { validate_only: false, ..request.clone() };
    assert_eq!(client.create_round(real.clone()).await.expect("opens").into_inner(), checked);
    let real = v1::CreateRoundRequest { request_id: String::new(), ..real };
    let (check, real) = (client.create_round(request).await, client.create_round(real).await);
    assert_eq!(whole(&check.expect_err("exists")), whole(&real.expect_err("exists")));
    world.stop().await;
}

async fn a_change_of_a_round_is_checked_and_not_made(world: World) {
    let round = world.open_round("r").await;
    let mut client = world.coordinator().rounds;
    let before = world.dump().await;
    let update = |name: &str, paths: &[&str], validate_only| v1::UpdateRoundRequest {
        round: Some(v1::Round {
            name: name.to_owned(),
            display_name: "Unwritten Name".to_owned(),
            etag: round.etag.clone(),
            ..v1::Round::default()
        }),
        update_mask: Some(FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() }),
        request_id: String::new(),
        validate_only,
    };
    let good = ["display_name"];
    let updated = client.update_round(update(&round.name, &good, true)).await.expect("good").into_inner();
    let wrong = v1::UpdateRoundRequest { request_id: "42".to_owned(), ..update("r", &["state"], true) };
    let told = client.update_round(wrong).await.expect("all in the body").into_inner();
    assert_eq!(fields(&told.violations), ["round.name", "update_mask.paths[0]", "request_id"]);
    let wrong = update(&round.name, &["*"], true);
    let told = client.update_round(wrong).await.expect("all in the body").into_inner();
    assert_eq!(fields(&told.violations), ["round.start_date", "round.end_date"]);

    let policy = |validate_only| v1::CreatePolicyRequest {
        parent: round.name.clone(),
        policy: Some(v1::Policy { objective: v1::Objective::Fairest.into(), ..v1::Policy::default() }),
        validate_only,
        ..v1::CreatePolicyRequest::default()
    };
    let checked = client.create_policy(policy(true)).await.expect("good").into_inner();
    let cancel = |etag: &str, validate_only| v1::CancelRoundRequest {
        name: round.name.clone(),
        etag: etag.to_owned(),
        request_id: String::new(),
        validate_only,
    };
    let cancelled = client.cancel_round(cancel(&round.etag, true)).await.expect("good").into_inner();
    assert_eq!(cancelled.round.map(|round| round.state()), Some(v1::RoundState::Cancelled));
    let close = |validate_only| v1::CloseRoundRequest {
        name: round.name.clone(),
        validate_only,
        ..v1::CloseRoundRequest::default()
    };
    let check = client.close_round(close(true)).await.expect_err("is a draft");
    assert_eq!(whole(&check), whole(&client.close_round(close(false)).await.expect_err("is a draft")));
    assert_eq!(reason(&check), "ROUND_STATE");
    assert_eq!(world.dump().await, before);
    world.holds_nowhere("Unwritten Name");

    let real = client.update_round(update(&round.name, &good, false)).await.expect("updates").into_inner();
    assert_eq!(real, updated);
    assert_eq!(client.create_policy(policy(false)).await.expect("makes").into_inner(), checked);
    let check = client.cancel_round(cancel(&round.etag, true)).await.expect_err("has changed");
    let real = client.cancel_round(cancel(&round.etag, false)).await.expect_err("has changed");
    assert_eq!((whole(&check), reason(&check)), (whole(&real), "ETAG_MISMATCH".to_owned()));
    world.stop().await;
}

async fn an_enrolment_is_checked_and_nobody_is_enrolled(world: World) {
    let round = world.open_round("r").await.name;
    let mut peru = world.manager("wim-peru").await;
    let silent = ProfileDraft { consents: Vec::new(), ..mentee("silent") };
    peru.import(vec![mentor("a", 1), mentee("b"), mentee("c"), silent, member("idle")]).await;
    peru.enrol(&round, &["c"]).await;
    let mut client = peru.client.rounds.clone();
    let before = world.dump().await;
    let request = |ids: &[&str], validate_only| v1::EnrolProfilesRequest {
        round: round.clone(),
        organisation: peru.name(),
        profiles: ids.iter().map(|id| peru.member(id)).collect(),
        all_profiles: ids.is_empty(),
        all_waiting: false,
        request_id: String::new(),
        validate_only,
    };
    let named = ["a", "b", "c", "silent", "nobody"];
    let mut checked = Vec::new();
    for ids in [&named[..], &[]] {
        checked.push(client.enrol_profiles(request(ids, true)).await.expect("is good").into_inner());
    }
    for (told, refused) in checked.iter().zip([2, 2]) {
        assert_eq!((told.enrolled, told.already_enrolled, told.refused_count), (2, 1, refused));
    }
    let wrong = v1::EnrolProfilesRequest {
        round: "r".to_owned(),
        organisation: "peru".to_owned(),
        profiles: (0..3_000).map(|at| format!("wrong name {at}")).collect(),
        request_id: "42".to_owned(),
        validate_only: true,
        all_profiles: false,
        all_waiting: false,
    };
    let told = client.enrol_profiles(wrong).await.expect("all in the body").into_inner();
    assert_eq!((told.violations.len(), told.enrolled, told.refused_count), (3_003, 0, 0));
    let told = fields(&told.violations);
    assert_eq!(
        (told[0], told[1], told[2], told[3_002]),
        ("round", "organisation", "profiles[0]", "request_id")
    );
    for (round, organisation) in [("rounds/none", peru.name()), (&round, "organisations/none".to_owned())] {
        let ask = |validate_only| v1::EnrolProfilesRequest {
            round: round.to_owned(),
            organisation: organisation.clone(),
            validate_only,
            all_profiles: true,
            ..v1::EnrolProfilesRequest::default()
        };
        let check = client.enrol_profiles(ask(true)).await.expect_err("there is none");
        assert_eq!(whole(&check), whole(&client.enrol_profiles(ask(false)).await.expect_err("none")));
        assert_eq!(reason(&check), "NOT_FOUND");
    }
    assert_eq!(world.dump().await, before);
    let real = client.enrol_profiles(request(&named, false)).await.expect("enrols").into_inner();
    assert_eq!(real, checked[0]);
    let again = client.enrol_profiles(request(&[], true)).await.expect("is good").into_inner();
    assert_eq!((again.enrolled, again.already_enrolled), (0, 3));
    world.stop().await;
}

async fn a_withdrawal_is_checked_and_nobody_is_withdrawn(world: World) {
    let round = world.open_round("r").await.name;
    let mut peru = world.manager("wim-peru").await;
    peru.import(vec![mentor("a", 1), mentee("b"), mentee("c")]).await;
    peru.enrol_all(&round).await;
    let enrolments = peru.enrolments(&round).await;
    let names = |at: &[usize]| at.iter().map(|at| enrolments[*at].name.clone()).collect::<Vec<_>>();
    let request = |enrolments: Vec<String>, validate_only| v1::WithdrawEnrolmentsRequest {
        parent: round.clone(),
        organisation: peru.name(),
        all_enrolments: enrolments.is_empty(),
        enrolments,
        request_id: String::new(),
        validate_only,
    };
    let mut client = peru.client.rounds.clone();
    client.withdraw_enrolments(request(names(&[2]), false)).await.expect("withdraws");
    let before = world.dump().await;
    let checked = client.withdraw_enrolments(request(names(&[0, 2]), true)).await.expect("good").into_inner();
    assert_eq!((checked.withdrawn, checked.already_withdrawn), (1, 1));
    let all = client.withdraw_enrolments(request(vec![], true)).await.expect("good").into_inner();
    assert_eq!((all.withdrawn, all.already_withdrawn), (2, 0));
    let wrong = v1::WithdrawEnrolmentsRequest {
        parent: "r".to_owned(),
        organisation: "peru".to_owned(),
        all_enrolments: true,
        request_id: "42".to_owned(),
        ..request(vec!["rounds/r/enrolments/1".to_owned()], true)
    };
    let told = client.withdraw_enrolments(wrong).await.expect("all in the body").into_inner();
    let expected = ["parent", "organisation", "all_enrolments", "enrolments[0]", "request_id"];
    assert_eq!(fields(&told.violations), expected);
    let none = "rounds/r/enrolments/01890a5d-ac96-774b-bcce-b302099a8057".to_owned();
    let check = client.withdraw_enrolments(request(vec![none.clone()], true)).await.expect_err("none");
    let real = client.withdraw_enrolments(request(vec![none], false)).await.expect_err("none");
    assert_eq!((whole(&check), reason(&check)), (whole(&real), "NOT_FOUND".to_owned()));
    assert_eq!(world.dump().await, before);
    let real =
        client.withdraw_enrolments(request(names(&[0, 2]), false)).await.expect("withdraws").into_inner();
    assert_eq!(real, checked);
    world.stop().await;
}

async fn a_run_is_checked_and_not_started(world: World) {
    let world = world.restart_without_worker().await;
    let round = world.open_round("r").await.name;
    let mut client = world.coordinator().runs;
    let request = |round: &str, validate_only| v1::StartRunRequest {
        round: round.to_owned(),
        request_id: String::new(),
        validate_only,
        ..v1::StartRunRequest::default()
    };
    let mut same_refusal = async |round: &str, expected: &str| {
        let before = world.dump().await;
        let check = client.start_run(request(round, true)).await.expect_err(expected);
        assert_eq!(whole(&check), whole(&client.start_run(request(round, false)).await.expect_err(expected)));
        assert_eq!(reason(&check), expected);
        assert_eq!(world.dump().await, before);
    };
    same_refusal(&round, "ROUND_EMPTY").await;
    same_refusal("rounds/none", "NOT_FOUND").await;
    let mut peru = world.manager("wim-peru").await;
    peru.import(vec![mentor("a", 1)]).await;
    peru.enrol_all(&round).await;
    let before = world.dump().await;
    let mut client = world.coordinator().runs;
    let checked = client.start_run(request(&round, true)).await.expect("is good").into_inner();
    let wrong = v1::StartRunRequest { request_id: "42".to_owned(), ..request("r", true) };
    let told = client.start_run(wrong).await.expect("all in the body").into_inner();
    assert_eq!((told.run, fields(&told.violations)), (None, vec!["round", "request_id"]));
    assert_eq!(world.dump().await, before);
    let real = client.start_run(request(&round, false)).await.expect("starts").into_inner();
    assert_eq!(real, checked);
    same_refusal(&round, "RUN_ACTIVE").await;
    world.cancel(&real.run.expect("a run").name).await;
    world.stop().await;
}

async fn a_cancellation_is_checked_and_the_run_goes_on(world: World) {
    let world = world.restart_without_worker().await;
    let round = world.open_round("r").await.name;
    let mut peru = world.manager("wim-peru").await;
    peru.import(vec![mentor("a", 1)]).await;
    peru.enrol_all(&round).await;
    let run = world.start_run(&round).await.name;
    let mut client = world.coordinator().runs;
    let request = |name: &str, validate_only| v1::CancelRunRequest {
        name: name.to_owned(),
        request_id: String::new(),
        validate_only,
    };
    let before = world.dump().await;
    let checked = client.cancel_run(request(&run, true)).await.expect("is good").into_inner();
    let wrong = v1::CancelRunRequest { request_id: "42".to_owned(), ..request("r", true) };
    let told = client.cancel_run(wrong).await.expect("all in the body").into_inner();
    assert_eq!((told.run, fields(&told.violations)), (None, vec!["name", "request_id"]));
    let none = format!("{round}/runs/7");
    let check = client.cancel_run(request(&none, true)).await.expect_err("there is none");
    assert_eq!(whole(&check), whole(&client.cancel_run(request(&none, false)).await.expect_err("none")));
    assert_eq!(world.dump().await, before);
    let real = soon(client.cancel_run(request(&run, false))).await.expect("cancels").into_inner();
    assert_eq!(real, checked);
    let ended = client.cancel_run(request(&run, true)).await.expect("stays as it ended").into_inner();
    assert_eq!(ended, real);
    world.stop().await;
}

async fn an_import_is_checked_and_not_stored(world: World) {
    let mut peru = world.manager("wim-peru").await;
    let before = world.dump().await;
    let people =
        || vec![mentor("a", 1), ProfileDraft { employer: "Unwritten Name".to_owned(), ..mentee("b") }];
    let header = v1::ImportHeader {
        parent: peru.name(),
        validate_only: true,
        request_id: request_id(),
        ..v1::ImportHeader::default()
    };
    let mut messages = import_of(&peru.organisation, people());
    messages[0] = header_message(header);
    let checked = send(&mut peru.client, messages).await.expect("is good").summary.expect("a summary");
    assert_eq!((checked.created, checked.stored), (2, false));
    assert_eq!(world.dump().await, before);
    world.holds_nowhere("Unwritten Name");
    assert_eq!(peru.import(people()).await, v1::ImportSummary { stored: true, ..checked });
    world.stop().await;
}

async fn a_method_without_side_effects_writes_nothing(world: World) {
    let round = world.open_round("r").await.name;
    let mut peru = world.manager("wim-peru").await;
    peru.import(vec![mentor("a", 1), mentee("b")]).await;
    peru.enrol_all(&round).await;
    let run = soon(world.run_to_the_end(&round)).await.name;
    let world = world.restart_without_worker().await;
    let target = Target {
        organisation: peru.name(),
        round: round.clone(),
        round_to_run: round,
        run,
        profile: peru.member("a"),
        mentee: peru.member("b"),
        mentor: peru.member("a"),
        ..Target::default()
    };
    let (both, principal) = world.caller(&["secretariat", "coordinator"]).await;
    let target = Target { principal: principal.name, ..target };
    let target = target.with_erasure_by(&world.client(Some(&peru.token))).await;
    let target = target.with_consultation_of(&both).await;
    let clients = [both, world.client(Some(&peru.token))];
    let mut before = world.dump().await;
    let mut answered = 0;
    for (service, method) in methods(&descriptors()).iter().filter(|(_, method)| changes_nothing(method)) {
        let name = format!("{service}/{}", method.name());
        for client in &clients {
            match soon(call(&name, client, &target)).await {
                Ok(()) => answered += 1,
                // A principal is foreign for the manager.
                // Nothing was said, submitted or published yet.
                Err(status)
                    if [
                        "AdminService/",
                        "ReviewService/ListComments",
                        "ReviewService/GetSubmission",
                        "MentorshipService/GetMentorship",
                        "MentorshipService/ListCheckIns",
                        "ReportService/GetReport",
                        "ReportService/DownloadReport",
                    ]
                    .iter()
                    .any(|beginning| name.starts_with(beginning)) =>
                {
                    assert!(["PERMISSION_DENIED", "NOT_FOUND"].contains(&reason(&status).as_str()), "{name}");
                }
                // The deadline is ahead.
                Err(status) if name.ends_with("GetConsultationResult") => {
                    assert_eq!(reason(&status), "CONSULTATION_STATE");
                }
                Err(status) => assert_eq!(reason(&status), "PERMISSION_DENIED", "{name}"),
            }
        }
        if ["ExportProfiles", "ExportPersonalData", "ExportCheckIns"].contains(&method.name()) {
            // An export has its entry in the audit.
            before = world.dump().await;
        }
        assert_eq!(world.dump().await, before, "{name}");
    }
    assert!(answered > 30, "{answered}");
    world.stop().await;
}
