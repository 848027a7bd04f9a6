//! Who may do what, method by method and caller by caller; and that what is foreign answers as if it did not exist.

use std::collections::BTreeSet;

use tonic::Status;
use tonic_types::StatusExt as _;
use wim_match::api::proto::v1;

use crate::call::{Target, call, methods};
use crate::refusal::{reason, refused};
use crate::world::{Manager, World, matches, mentee, mentor, soon, unmatched};

const OK: &str = "OK";
const DENIED: &str = "PERMISSION_DENIED";
const ABSENT: &str = "NOT_FOUND";
/// She may do it; the call has an etag that the round does not have.
const STALE: &str = "ETAG_MISMATCH";
/// She may do it; the digest is not that of the result.
const WRONG: &str = "INVALID_FIELDS";
/// She may do it; nothing is submitted yet.
const CLOSED: &str = "ROUND_STATE";

/// She may do it; the deadline is ahead.
const OPEN: &str = "CONSULTATION_STATE";

/// What each caller hears when she asks for something of one organisation: a coordinator, that organisation's own manager,
/// the manager of another.
const TABLE: &[(&str, [&str; 3])] = &[
    ("AdminService/WhoAmI", [OK, OK, OK]),
    ("AdminService/CreatePrincipal", [DENIED, DENIED, DENIED]),
    ("AdminService/GetPrincipal", [ABSENT, OK, ABSENT]),
    ("AdminService/ListPrincipals", [DENIED, DENIED, DENIED]),
    ("AdminService/UpdatePrincipal", [ABSENT, OK, ABSENT]),
    ("AdminService/CreateGrant", [DENIED, DENIED, DENIED]),
    ("AdminService/ListGrants", [ABSENT, OK, ABSENT]),
    ("AdminService/EndGrant", [DENIED, DENIED, DENIED]),
    ("AdminService/CreateCredential", [DENIED, DENIED, DENIED]),
    ("AdminService/ListCredentials", [ABSENT, OK, ABSENT]),
    ("AdminService/RevokeCredential", [ABSENT, OK, ABSENT]),
    ("AdminService/CreateInvitation", [DENIED, OK, ABSENT]),
    ("AdminService/RedeemInvitation", [OK, OK, OK]),
    ("AdminService/ListInvitations", [OK, OK, OK]),
    ("AdminService/CancelInvitation", [ABSENT, ABSENT, ABSENT]),
    ("AdminService/ListAuditEntries", [DENIED, OK, OK]),
    ("AdminService/VerifyAudit", [DENIED, DENIED, DENIED]),
    ("OrganisationService/CreateOrganisation", [DENIED, DENIED, DENIED]),
    ("OrganisationService/GetOrganisation", [OK, OK, ABSENT]),
    ("OrganisationService/ListOrganisations", [OK, OK, OK]),
    ("OrganisationService/UpdateOrganisation", [DENIED, OK, ABSENT]),
    ("OrganisationService/UpdateOrganisationRules", [DENIED, OK, ABSENT]),
    ("OrganisationService/SetMembership", [DENIED, DENIED, DENIED]),
    ("OrganisationService/CreateConsultation", [OK, DENIED, DENIED]),
    ("OrganisationService/GetConsultation", [OK, OK, OK]),
    ("OrganisationService/ListConsultations", [OK, OK, OK]),
    ("OrganisationService/UpdateConsultation", [STALE, DENIED, DENIED]),
    ("OrganisationService/CancelConsultation", [STALE, DENIED, DENIED]),
    ("OrganisationService/AnswerConsultation", [DENIED, OK, ABSENT]),
    ("OrganisationService/GetConsultationResult", [OPEN, OPEN, OPEN]),
    ("ProfileService/ImportProfiles", [DENIED, OK, ABSENT]),
    ("ProfileService/GetProfile", [DENIED, OK, ABSENT]),
    ("ProfileService/BatchGetProfiles", [DENIED, OK, ABSENT]),
    ("ProfileService/CreateProfile", [DENIED, OK, ABSENT]),
    ("ProfileService/UpdateProfile", [DENIED, OK, ABSENT]),
    ("ProfileService/ListProfiles", [DENIED, OK, ABSENT]),
    ("ProfileService/ExportProfiles", [DENIED, OK, ABSENT]),
    ("PrivacyService/RecordConsent", [DENIED, OK, ABSENT]),
    ("PrivacyService/WithdrawConsent", [DENIED, OK, ABSENT]),
    ("PrivacyService/ListConsents", [DENIED, OK, ABSENT]),
    ("PrivacyService/EraseProfile", [DENIED, OK, ABSENT]),
    ("PrivacyService/PurgeExpired", [DENIED, OK, ABSENT]),
    ("PrivacyService/ExportPersonalData", [DENIED, OK, ABSENT]),
    ("PrivacyService/GetErasure", [DENIED, OK, ABSENT]),
    ("PrivacyService/RestrictProfile", [DENIED, OK, ABSENT]),
    ("PrivacyService/LiftRestriction", [DENIED, OK, ABSENT]),
    ("PrivacyService/ListRestrictions", [DENIED, OK, ABSENT]),
    ("PrivacyService/GetParticipantNotice", [OK, OK, OK]),
    ("PrivacyService/ListAffectedPeople", [DENIED, OK, ABSENT]),
    ("PrivacyService/GetProcessingRecord", [DENIED, OK, ABSENT]),
    ("RoundService/CreateRound", [OK, DENIED, DENIED]),
    ("RoundService/GetRound", [OK, OK, OK]),
    ("RoundService/ListRounds", [OK, OK, OK]),
    ("RoundService/UpdateRound", [OK, DENIED, DENIED]),
    ("RoundService/CloseRound", [STALE, DENIED, DENIED]),
    ("RoundService/CancelRound", [STALE, DENIED, DENIED]),
    ("RoundService/CreatePolicy", [OK, DENIED, DENIED]),
    ("RoundService/GetPolicy", [OK, OK, OK]),
    ("RoundService/ListPolicies", [OK, OK, OK]),
    ("RoundService/EnrolProfiles", [DENIED, OK, ABSENT]),
    ("RoundService/ListEnrolments", [OK, OK, OK]),
    ("RoundService/WithdrawEnrolments", [DENIED, OK, ABSENT]),
    ("RoundService/ListWaitingMentees", [OK, OK, ABSENT]),
    ("RoundService/LeaveWaitingList", [DENIED, ABSENT, ABSENT]),
    ("RoundService/DiagnoseRound", [OK, OK, OK]),
    ("RoundService/SuggestWeights", [OK, DENIED, DENIED]),
    ("ReviewService/WhatIfDecisions", [OK, DENIED, DENIED]),
    ("ReviewService/ListAlternates", [OK, DENIED, DENIED]),
    ("ReviewService/PinPair", [STALE, DENIED, DENIED]),
    ("ReviewService/VetoPair", [STALE, DENIED, DENIED]),
    ("ReviewService/ReleaseDecision", [ABSENT, DENIED, DENIED]),
    ("ReviewService/ListDecisions", [OK, DENIED, DENIED]),
    ("ReviewService/ListReviewedMatches", [OK, DENIED, DENIED]),
    ("ReviewService/MarkReviewed", [STALE, DENIED, DENIED]),
    ("ReviewService/CreateComment", [OK, DENIED, DENIED]),
    ("ReviewService/ListComments", [ABSENT, ABSENT, ABSENT]),
    ("ReviewService/AskExpert", [WRONG, DENIED, DENIED]),
    ("ReviewService/WithdrawAsk", [ABSENT, DENIED, DENIED]),
    ("ReviewService/ListAsks", [OK, DENIED, DENIED]),
    ("ReviewService/ContestMatch", [DENIED, OK, ABSENT]),
    ("ReviewService/SubmitRun", [WRONG, DENIED, DENIED]),
    ("ReviewService/ApproveRun", [ABSENT, DENIED, DENIED]),
    ("ReviewService/RejectRun", [ABSENT, DENIED, DENIED]),
    ("ReviewService/ObjectToMatch", [DENIED, CLOSED, ABSENT]),
    ("ReviewService/PublishRun", [ABSENT, DENIED, DENIED]),
    ("ReviewService/UnpublishRun", [ABSENT, DENIED, DENIED]),
    ("ReviewService/GetSubmission", [ABSENT, ABSENT, ABSENT]),
    ("ReviewService/ListSubmissions", [OK, OK, OK]),
    ("MentorshipService/GetMentorship", [ABSENT, ABSENT, ABSENT]),
    ("MentorshipService/ListMentorships", [OK, OK, OK]),
    ("MentorshipService/RespondToMentorship", [DENIED, ABSENT, ABSENT]),
    ("MentorshipService/RecordFirstMeeting", [DENIED, ABSENT, ABSENT]),
    ("MentorshipService/PauseMentorship", [ABSENT, ABSENT, ABSENT]),
    ("MentorshipService/ResumeMentorship", [ABSENT, ABSENT, ABSENT]),
    ("MentorshipService/CloseMentorship", [ABSENT, ABSENT, ABSENT]),
    ("MentorshipService/RecordCheckIn", [DENIED, ABSENT, ABSENT]),
    ("MentorshipService/ListCheckIns", [DENIED, ABSENT, ABSENT]),
    ("MentorshipService/ImportCheckIns", [DENIED, OK, ABSENT]),
    ("MentorshipService/ExportCheckIns", [DENIED, OK, ABSENT]),
    ("MentorshipService/ListDue", [OK, OK, ABSENT]),
    ("MentorshipService/GetParticipantStatus", [DENIED, OK, ABSENT]),
    ("RunService/StartRun", [OK, DENIED, DENIED]),
    ("RunService/GetRun", [OK, OK, OK]),
    ("RunService/ListRuns", [OK, OK, OK]),
    ("RunService/WatchRun", [OK, OK, OK]),
    ("RunService/CancelRun", [OK, DENIED, DENIED]),
    ("RunService/VerifyRun", [OK, DENIED, DENIED]),
    ("RunService/ReplayRun", [OK, DENIED, DENIED]),
    ("RunService/CompareRuns", [OK, DENIED, DENIED]),
    ("RunService/ListMatches", [OK, OK, OK]),
    ("RunService/GetMatch", [OK, OK, ABSENT]),
    ("RunService/ListUnmatched", [OK, OK, OK]),
    ("RunService/ExplainPair", [OK, OK, ABSENT]),
    ("ReportService/ListParameters", [OK, OK, OK]),
    ("ReportService/CreateReport", [CLOSED, DENIED, DENIED]),
    ("ReportService/GetReport", [ABSENT, ABSENT, ABSENT]),
    ("ReportService/ListReports", [OK, OK, OK]),
    ("ReportService/DownloadReport", [ABSENT, ABSENT, ABSENT]),
    ("EventService/StreamEvents", [OK, OK, OK]),
    ("SolverService/Solve", [OK, OK, OK]),
    ("SolverService/SolveStream", [OK, OK, OK]),
    ("SolverService/Verify", [OK, OK, OK]),
    ("SolverService/VerifyStream", [OK, OK, OK]),
    ("SolverService/WhatIf", [OK, OK, OK]),
    ("SolverService/Repair", [OK, OK, OK]),
    ("SolverService/Diagnose", [OK, OK, OK]),
];

/// Three organisations in a round that has been run. Peru and Kenya have a match across, since their places are just as many
/// as their mentees and Kenya offers too few; wim-chile matches within itself only, so that a pair of hers is
/// foreign to the other two.
struct Cast {
    world: World,
    peru: Manager,
    kenya: Manager,
    chile: Manager,
    run: v1::Run,
    /// The match of wim-chile, within itself.
    pair: String,
    /// The principal of the manager of wim-chile.
    principal: Target,
}

async fn cast() -> Cast {
    let world = World::sqlite().await;
    let alone = v1::OrganisationRules { same_organisation_only: true, ..v1::OrganisationRules::default() };
    let mut peru = world.manager("wim-peru").await;
    let mut kenya = world.manager("wim-kenya").await;
    let mut chile = world.manager_of("wim-chile", alone).await;
    peru.import(vec![mentor("mentor", 2), mentee("mentee")]).await;
    kenya.import(vec![mentor("mentor", 1), mentee("mentee-1"), mentee("mentee-2")]).await;
    chile.import(vec![mentor("mentor", 1), mentee("mentee-1"), mentee("mentee-2")]).await;
    // A manager whose organisation is not invited.
    world.manager("wim-ghana").await;
    let invited = [&peru, &kenya, &chile];
    let rounds =
        [world.open_round_for("r", &invited).await.name, world.open_round_for("other", &invited).await.name];
    for manager in [&mut peru, &mut kenya, &mut chile] {
        for round in &rounds {
            manager.enrol_all(round).await;
        }
    }
    let run = soon(world.run_to_the_end(&rounds[0])).await;
    assert_eq!(run.state(), v1::RunState::Succeeded);
    let secretariat = world.caller(&["secretariat"]).await.0;
    let principal = Target { organisation: chile.name(), ..Target::default() };
    let principal = principal.with_erasure_by(&chile.client).await;
    let principal = principal.with_principal_of(&chile.client, &secretariat).await;
    let principal = principal.with_consultation_of(&secretariat).await;
    let own = format!("{}/profiles/", chile.name());
    let pairs = matches(&mut world.coordinator(), &run.name, 0).await;
    let pair = pairs.into_iter().find(|pair| pair.mentee.starts_with(&own)).expect("a match of her own").name;
    Cast { world, peru, kenya, chile, run, pair, principal }
}

/// Names of things that do not exist.
fn absent() -> Target {
    let id = "01938e0a-7c5a-7a34-9d0e-5f2b7c1d9e3a";
    Target {
        organisation: "organisations/wim-nowhere".to_owned(),
        round: "rounds/nowhere".to_owned(),
        round_to_run: "rounds/nowhere".to_owned(),
        run: "rounds/nowhere/runs/1".to_owned(),
        profile: "organisations/wim-nowhere/profiles/nobody".to_owned(),
        mentee: "organisations/wim-nowhere/profiles/nobody-1".to_owned(),
        mentor: "organisations/wim-nowhere/profiles/nobody-2".to_owned(),
        principal: format!("principals/{id}"),
        grant: format!("principals/{id}/grants/{id}"),
        credential: format!("principals/{id}/credentials/{id}"),
        secret: "wimi_of_nobody".to_owned(),
        invitation: format!("invitations/{id}"),
        erasure: format!("erasures/{id}"),
        pair: format!("rounds/nowhere/runs/1/matches/{}", "0".repeat(32)),
        consultation: "consultations/nowhere".to_owned(),
        report: format!("reports/{id}"),
    }
}

impl Cast {
    /// Things of wim-chile.
    fn target(&self) -> Target {
        Target {
            organisation: self.chile.name(),
            round: "rounds/r".to_owned(),
            round_to_run: "rounds/other".to_owned(),
            run: self.run.name.clone(),
            pair: self.pair.clone(),
            profile: self.chile.member("mentor"),
            mentee: self.chile.member("mentee-1"),
            mentor: self.chile.member("mentor"),
            ..self.principal.clone()
        }
    }

    async fn stop(self) {
        let runs =
            v1::ListRunsRequest { parent: "rounds/other".to_owned(), ..v1::ListRunsRequest::default() };
        let runs = self.world.coordinator().runs.list_runs(runs).await.expect("lists runs").into_inner().runs;
        for run in runs {
            soon(self.world.watch(&run.name)).await;
        }
        self.world.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_method_answers_every_caller_as_the_table_says() {
    let cast = Box::pin(cast()).await;
    let mut contract = methods();
    let mut table: Vec<&str> = TABLE.iter().map(|(method, _)| *method).collect();
    contract.sort();
    table.sort_unstable();
    assert_eq!(contract, table, "the table has a row for every method");

    let clients = [cast.world.coordinator(), cast.chile.client.clone(), cast.kenya.client.clone()];
    let who = ["the coordinator", "her own manager", "another manager"];
    let mut wrong = Vec::new();
    for (method, expected) in TABLE {
        for ((client, who), expected) in clients.iter().zip(who).zip(expected) {
            let answer = soon(call(method, client, &cast.target())).await;
            let heard = answer.map_or_else(|status| reason(&status), |()| OK.to_owned());
            if heard != *expected {
                wrong.push(format!("{method}: {who} hears {heard}, not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Box::pin(cast.stop()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gets_in_without_a_token_of_this_service() {
    let cast = Box::pin(cast()).await;
    let mut unknown = cast.world.coordinator_token().to_owned();
    unknown.replace_range(unknown.len() - 1.., if unknown.ends_with('0') { "1" } else { "0" });
    let tokens = [None, Some(""), Some("wimm_"), Some("no token at all"), Some(unknown.as_str())];
    for token in tokens {
        let client = cast.world.client(token);
        for method in methods() {
            let answer = call(&method, &client, &cast.target()).await;
            if method == "AdminService/RedeemInvitation" {
                answer.expect("the secret of an invitation is a credential of its own");
                let wrong = call(&method, &client, &absent()).await;
                assert_eq!(refused(wrong), ABSENT);
                continue;
            }
            assert_eq!(refused(answer), "UNAUTHENTICATED", "{method} with {token:?}");
        }
    }
    Box::pin(cast.stop()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_foreign_answers_exactly_as_what_does_not_exist() {
    let cast = Box::pin(cast()).await;
    let foreign = cast.target();
    // What every caller may see is the same for both.
    let Target { round, round_to_run, run, consultation, .. } = foreign.clone();
    let pair = format!("{run}/matches/{}", "0".repeat(32));
    let absent = Target { round, round_to_run, run, pair, consultation, ..absent() };
    let mut compared = 0;
    for (method, [.., other]) in TABLE {
        if *other != ABSENT {
            continue;
        }
        let told = async |target: &Target| {
            let status = call(method, &cast.kenya.client, target).await.expect_err("is refused");
            without_names(&status, target)
        };
        assert_eq!(told(&foreign).await, told(&absent).await, "{method}");
        compared += 1;
    }
    assert_eq!(compared, 54);
    Box::pin(cast.stop()).await;
}

/// Who calls, in the golden table: a role for wim-chile whose things are asked for, or for wim-kenya, which takes part in the
/// same round, or for wim-ghana, which is not invited to it, or for the alliance.
const CALLERS: [&str; 12] = [
    "secretariat",
    "coordinator",
    "organisation-manager@wim-chile",
    "organisation-manager@wim-kenya",
    "organisation-manager@wim-ghana",
    "expert@wim-chile",
    "expert",
    "committee-member",
    "service@wim-chile",
    "service@wim-kenya",
    "service@wim-ghana",
    "operations",
];

/// Every method, role by role, for what exists and for what does not. The answers about foreign things and about absent
/// things are the same bytes for whoever has no role of the alliance.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_role_answers_as_the_golden_table_says() {
    let cast = Box::pin(cast()).await;
    let mut lines = vec![format!("{:<36} asked for  {}", "", CALLERS.join("  "))];
    let mut clients = Vec::new();
    for role in CALLERS {
        clients.push(cast.world.caller(&[role]).await.0);
    }
    let (target, nothing) = (cast.target(), absent());
    for method in methods() {
        let mut told: [Vec<String>; 2] = Default::default();
        for (role, client) in CALLERS.iter().zip(&clients) {
            let mut answers = Vec::new();
            for (asked, row) in [&target, &nothing].into_iter().zip(&mut told) {
                let answer = soon(call(&method, client, asked)).await;
                let heard = answer.as_ref().map_or_else(reason, |()| OK.to_owned());
                row.push(format!("{heard:<width$}", width = role.len()));
                answers.push(answer.map_err(|status| without_names(&status, asked)));
            }
            // Rounds and runs are those of the invited organisations, whose roles read their names.
            let is_of_a_round = method.starts_with("RoundService/")
                || method.starts_with("RunService/")
                || method.ends_with("Submission")
                || method.ends_with("Submissions")
                || method.ends_with("ParticipantNotice");
            let is_invited = role.ends_with("wim-kenya") || !role.contains('@');
            let is_own = role.ends_with("wim-chile") || *role == "secretariat" || *role == "coordinator";
            // Every organisation reads the consultations.
            let is_of_all = method.contains("Consultation") && !method.ends_with("AnswerConsultation");
            let is_foreign = !(is_own || is_of_all || is_of_a_round && is_invited);
            let [exists, absent] = &answers[..] else { panic!("two answers") };
            if is_foreign && exists.is_err() {
                assert_eq!(exists, absent, "{method} as {role}");
            }
        }
        for (asked, row) in ["exists", "absent"].iter().zip(told) {
            lines.push(format!("{method:<36} {asked:<9}  {}", row.join("  ")).trim_end().to_owned());
        }
    }
    insta::assert_snapshot!(lines.join("\n"));
    Box::pin(cast.stop()).await;
}

/// The whole status as text, with the names that the caller herself has given taken out.
fn without_names(status: &Status, target: &Target) -> String {
    let mut text = format!("{:?} {} {:?}", status.code(), status.message(), status.get_error_details_vec());
    // The name of a mentee on the waiting list is made of that of her profile.
    text = text.replace("/waitingMentees/", "/profiles/");
    // The names of the round and of the run are parts of other names.
    let pair = Some(&target.pair).filter(|name| !name.is_empty());
    let names = [&target.mentee, &target.mentor, &target.profile, &target.organisation];
    let others = [&target.grant, &target.credential, &target.principal, &target.invitation, &target.erasure];
    let last = [&target.run, &target.round_to_run, &target.round, &target.consultation];
    for name in pair.into_iter().chain(names).chain(others).chain(last).filter(|name| !name.is_empty()) {
        text = text.replace(name.as_str(), "…");
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manager_sees_of_a_run_what_concerns_her_own_members() {
    let mut cast = Box::pin(cast()).await;
    let run = cast.run.name.clone();
    let all_matches = matches(&mut cast.world.coordinator(), &run, 0).await;
    let all_unmatched = unmatched(&mut cast.world.coordinator(), &run, 0).await;
    let (mut seen_matches, mut seen_unmatched) = (BTreeSet::new(), 0);
    for manager in [&mut cast.peru, &mut cast.kenya, &mut cast.chile] {
        let own = format!("{}/profiles/", manager.name());
        let concerns = |pair: &&v1::Match| pair.mentee.starts_with(&own) || pair.mentor.starts_with(&own);
        let seen = matches(&mut manager.client, &run, 1).await;
        assert_eq!(seen, all_matches.iter().filter(concerns).cloned().collect::<Vec<_>>());
        // One by one they read the same; a match that concerns others alone does not exist.
        for pair in &all_matches {
            let request = v1::GetMatchRequest { name: pair.name.clone(), ..Default::default() };
            let read = manager.client.runs.get_match(request).await;
            if !concerns(&pair) {
                assert_eq!(refused(read), ABSENT);
                continue;
            }
            let full = read.expect("reads").into_inner().r#match.expect("a match");
            assert!(!full.contributions.is_empty());
            assert_eq!(&full, pair);
        }
        seen_matches.extend(seen.into_iter().map(|pair| pair.name));
        let seen = unmatched(&mut manager.client, &run, 1).await;
        assert!(seen.iter().all(|person| person.profile.starts_with(&own)), "{seen:?}");
        seen_unmatched += seen.len();

        let request = v1::GetRunRequest { name: run.clone() };
        let summary = manager.client.runs.get_run(request).await.expect("reads").into_inner();
        let summary = summary.run.and_then(|run| run.summary).expect("a summary");
        assert_eq!(summary.whole_round, None, "numbers about all organisations are absent");
        assert_eq!(usize::try_from(summary.matches), Ok(all_matches.iter().filter(concerns).count()));

        let request = v1::GetRoundRequest { name: "rounds/r".to_owned() };
        let round = manager.client.rounds.get_round(request).await.expect("reads").into_inner().round;
        let counts = round.and_then(|round| round.enrolment).expect("counts");
        let profiles =
            v1::ListProfilesRequest { parent: manager.name(), ..v1::ListProfilesRequest::default() };
        let profiles = manager.client.profiles.list_profiles(profiles).await.expect("lists").into_inner();
        assert_eq!(usize::try_from(counts.profiles), Ok(profiles.profiles.len()));

        let request = v1::ListOrganisationsRequest::default();
        let listed = manager.client.organisations.list_organisations(request).await.expect("lists");
        let listed: Vec<String> = listed.into_inner().organisations.into_iter().map(|o| o.name).collect();
        assert_eq!(listed, [manager.name()]);
    }
    assert_eq!(seen_matches.len(), all_matches.len(), "every match concerns somebody");
    assert_eq!(seen_unmatched, all_unmatched.len());
    assert!(!all_matches.is_empty() && !all_unmatched.is_empty());
    Box::pin(cast.stop()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manager_may_ask_about_a_pair_with_a_member_of_hers_and_about_no_other() {
    let mut cast = Box::pin(cast()).await;
    let all = matches(&mut cast.world.coordinator(), &cast.run.name, 100).await;
    let organisation = |profile: &str| profile.split("/profiles/").next().map(str::to_owned);
    let across = all.iter().find(|pair| organisation(&pair.mentee) != organisation(&pair.mentor));
    let across = across.expect("a match of two organisations");
    let ask = |mentee: &str, mentor: &str| v1::ExplainPairRequest {
        run: cast.run.name.clone(),
        mentee: mentee.to_owned(),
        mentor: mentor.to_owned(),
        ..v1::ExplainPairRequest::default()
    };
    let across = ask(&across.mentee, &across.mentor);
    let foreign = ask(&cast.kenya.member("mentee-1"), &cast.kenya.member("mentor"));
    for client in [&mut cast.peru.client, &mut cast.kenya.client, &mut cast.world.coordinator()] {
        client.runs.explain_pair(across.clone()).await.expect("a pair of either side");
    }
    assert_eq!(refused(cast.peru.client.runs.explain_pair(foreign.clone()).await), ABSENT);
    assert_eq!(refused(cast.chile.client.runs.explain_pair(across).await), ABSENT);
    cast.kenya.client.runs.explain_pair(foreign).await.expect("a pair of her own");
    Box::pin(cast.stop()).await;
}
