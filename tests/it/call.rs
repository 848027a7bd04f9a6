//! One call of every method of the contract, for tests that go through all of them. A new method without a call here
//! fails every such test.

use prost::Message as _;
use tonic::Status;
use wim_match::api::proto::v1::admin_service_client::AdminServiceClient;
use wim_match::api::proto::v1::event_service_client::EventServiceClient;
use wim_match::api::proto::v1::organisation_service_client::OrganisationServiceClient;
use wim_match::api::proto::v1::solve_response::Outcome;
use wim_match::api::proto::v1::solve_stream_request::Content as Ask;
use wim_match::api::proto::v1::solver_service_client::SolverServiceClient;
use wim_match::api::proto::v1::verify_stream_request::Content as Claim;
use wim_match::api::proto::v1::what_if_question::Question as Asked;
use wim_match::api::proto::{DESCRIPTORS, v1};
use wim_match::client::{Authenticated, Client, request_id};
use wim_match::domain::name::OrganisationId;

use crate::world::{
    consultation_message, end_message, header_message, import_of, member, mentee, round_message, send,
};

mod mentorship;
pub(crate) mod privacy;
mod review;

/// What the calls are about.
#[derive(Debug, Clone, Default)]
pub(crate) struct Target {
    pub(crate) organisation: String,
    pub(crate) round: String,
    /// A round for `StartRun`, so that a run of `round` is left alone.
    pub(crate) round_to_run: String,
    pub(crate) run: String,
    /// A match of the run; empty for the first one, or for one that does not exist.
    pub(crate) pair: String,
    pub(crate) profile: String,
    pub(crate) mentee: String,
    pub(crate) mentor: String,
    /// A principal that may lose its grant and its credential.
    pub(crate) principal: String,
    pub(crate) grant: String,
    pub(crate) credential: String,
    /// The secret of an invitation that nobody has redeemed.
    pub(crate) secret: String,
    /// Another invitation.
    pub(crate) invitation: String,
    /// An erasure that has ended; empty for one that does not exist.
    pub(crate) erasure: String,
    /// An open consultation; empty for one that does not exist.
    pub(crate) consultation: String,
    /// A report; empty for one that does not exist.
    pub(crate) report: String,
}

impl Target {
    /// With the principal of a client, and with a grant, a credential and an invitation that nothing depends on.
    pub(crate) async fn with_principal_of(self, client: &Client, secretariat: &Client) -> Self {
        let mut admin = secretariat.admin.clone();
        let answer = client.admin.clone().who_am_i(v1::WhoAmIRequest {}).await.expect("is known");
        let principal = answer.into_inner().principal.expect("a principal").name;
        let grant = v1::Grant { role: v1::Role::CommitteeMember.into(), ..v1::Grant::default() };
        let request = v1::CreateGrantRequest {
            parent: principal.clone(),
            grant: Some(grant.clone()),
            ..v1::CreateGrantRequest::default()
        };
        let granted = admin.create_grant(request).await.expect("is granted").into_inner().grant;
        let request = v1::CreateCredentialRequest {
            parent: principal.clone(),
            credential: Some(v1::Credential::default()),
            ..v1::CreateCredentialRequest::default()
        };
        let created = admin.create_credential(request).await.expect("is created").into_inner().credential;
        let request = v1::CreateInvitationRequest {
            invitation: Some(v1::Invitation { grants: vec![grant], ..v1::Invitation::default() }),
            ..v1::CreateInvitationRequest::default()
        };
        let secret = admin.create_invitation(request.clone()).await.expect("is created").into_inner().secret;
        let other = admin.create_invitation(request).await.expect("is created").into_inner().invitation;
        Self {
            principal,
            grant: granted.expect("a grant").name,
            credential: created.expect("a credential").name,
            secret,
            invitation: other.expect("an invitation").name,
            ..self
        }
    }

    /// With a consultation that is open.
    pub(crate) async fn with_consultation_of(self, secretariat: &Client) -> Self {
        let request = v1::CreateConsultationRequest {
            consultation_id: "of-all".to_owned(),
            consultation: Some(consultation_message()),
            ..v1::CreateConsultationRequest::default()
        };
        let created = secretariat.organisations.clone().create_consultation(request).await.expect("opens");
        Self { consultation: created.into_inner().consultation.expect("one").name, ..self }
    }

    /// With the erasure of one more person of the organisation, whom nothing depends on.
    pub(crate) async fn with_erasure_by(self, manager: &Client) -> Self {
        let organisation = OrganisationId::from_name(&self.organisation).expect("an organisation");
        let gone = import_of(&organisation, vec![member("gone")]);
        send(&mut manager.clone(), gone).await.expect("imports");
        let name = format!("{}/profiles/gone", self.organisation);
        let request = v1::EraseProfileRequest { name, ..v1::EraseProfileRequest::default() };
        let erased = manager.privacy.clone().erase_profile(request).await.expect("erases").into_inner();
        Self { erasure: erased.erasure.expect("an erasure").name, ..self }
    }
}

/// An etag that no round has. What would end a round is called with it, so that the round lives on for the other calls.
const STALE_ETAG: &str = "\"0\"";

/// Whether a call was refused for its stale etag alone: the caller may do it. The calls of ReviewService that would decide on the
/// pair of other calls, or move the round, are refused for what they name.
pub(crate) fn is_stale(answer: &Result<(), Status>) -> bool {
    answer.as_ref().is_err_and(|status| {
        ["ETAG_MISMATCH", "DECISION_REFUSED", "ROUND_STATE", "CONSULTATION_STATE"]
            .contains(&crate::refusal::reason(status).as_str())
    })
}

/// Whether whoever may call the method hears that what `call` names is not there.
pub(crate) fn is_absent(method: &str, answer: &Result<(), Status>) -> bool {
    let names_nothing = [
        "ReleaseDecision",
        "ListComments",
        "SubmitRun",
        "ApproveRun",
        "RejectRun",
        "PublishRun",
        "UnpublishRun",
        "GetSubmission",
        "ContestMatch",
        "ObjectToMatch",
        "AskExpert",
        "WithdrawAsk",
    ];
    let is_of_review = names_nothing.iter().any(|name| method.strip_prefix("ReviewService/") == Some(name));
    // Nobody waits there.
    // Nothing is published there.
    let is_of_mentorship = method.starts_with("MentorshipService/")
        && !["ListMentorships", "ListDue", "GetParticipantStatus", "ImportCheckIns", "ExportCheckIns"]
            .iter()
            .any(|name| method.ends_with(name));
    // No report was made there.
    let is_of_report = ["ReportService/GetReport", "ReportService/DownloadReport"].contains(&method);
    (is_of_review || is_of_mentorship || is_of_report || method == "RoundService/LeaveWaitingList")
        && answer.as_ref().is_err_and(|status| {
            ["NOT_FOUND", "INVALID_FIELDS"].contains(&crate::refusal::reason(status).as_str())
        })
}

/// All methods of the contract, as `Service/Method`.
pub(crate) fn methods() -> Vec<String> {
    let set = prost_types::FileDescriptorSet::decode(DESCRIPTORS).expect("descriptors");
    let files = set.file.iter().filter(|file| file.package() == "wim.mentorship.v1");
    let services = files.flat_map(|file| &file.service);
    services
        .flat_map(|service| service.method.iter().map(|m| format!("{}/{}", service.name(), m.name())))
        .collect()
}

/// Calls a method with a good request about `target`, and reads the whole answer.
pub(crate) async fn call(method: &str, client: &Client, target: &Target) -> Result<(), Status> {
    let (client, t) = (client.clone(), target.clone());
    match method.split_once('/').map_or(method, |(service, _)| service) {
        "MentorshipService" => Box::pin(mentorship::call(method, client, t)).await,
        "OrganisationService" => Box::pin(call_organisations(method, client, t)).await,
        "PrivacyService" => Box::pin(privacy::call(method, client, t)).await,
        "ProfileService" => Box::pin(call_profiles(method, client, t)).await,
        "ReviewService" => Box::pin(review::call(method, client, t)).await,
        "RoundService" => Box::pin(call_rounds(method, client, t)).await,
        "RunService" => Box::pin(call_runs(method, client, t)).await,
        "EventService" => call_events(method, client.events).await,
        "ReportService" => Box::pin(call_reports(method, client, t)).await,
        "AdminService" => Box::pin(call_admin(method, client.admin, t)).await,
        _ => Box::pin(call_solver(method, client.solver)).await,
    }
}

/// The same for the methods about organisations.
async fn call_organisations(method: &str, client: Client, t: Target) -> Result<(), Status> {
    let Client { mut organisations, .. } = client;
    match method {
        "OrganisationService/CreateOrganisation" => {
            let organisation = v1::Organisation {
                display_name: "New".to_owned(),
                country: "PE".to_owned(),
                ..Default::default()
            };
            let request = v1::CreateOrganisationRequest {
                organisation_id: format!("new-{}", request_id()),
                organisation: Some(organisation),
                request_id: request_id(),
                validate_only: false,
            };
            organisations.create_organisation(request).await.map(drop)
        }
        "OrganisationService/GetOrganisation" => organisations
            .get_organisation(v1::GetOrganisationRequest { name: t.organisation })
            .await
            .map(drop),
        "OrganisationService/ListOrganisations" => {
            organisations.list_organisations(v1::ListOrganisationsRequest::default()).await.map(drop)
        }
        "OrganisationService/UpdateOrganisation" => {
            let organisation = v1::Organisation {
                name: t.organisation,
                display_name: "Renamed".to_owned(),
                ..Default::default()
            };
            let request = v1::UpdateOrganisationRequest {
                organisation: Some(organisation),
                update_mask: Some(prost_types::FieldMask { paths: vec!["display_name".to_owned()] }),
                ..Default::default()
            };
            organisations.update_organisation(request).await.map(drop)
        }
        "OrganisationService/UpdateOrganisationRules" => {
            let rules = v1::OrganisationRules { same_organisation_only: true, ..Default::default() };
            let request = v1::UpdateOrganisationRulesRequest {
                name: t.organisation,
                rules: Some(rules),
                ..Default::default()
            };
            organisations.update_organisation_rules(request).await.map(drop)
        }
        "OrganisationService/SetMembership" => {
            let request = v1::SetMembershipRequest {
                name: t.organisation,
                state: v1::MembershipState::Member.into(),
                rules_version: "2026-1".to_owned(),
                ..Default::default()
            };
            organisations.set_membership(request).await.map(drop)
        }
        _ => Box::pin(call_consultations(method, organisations, t)).await,
    }
}

/// The same for the methods about consultations.
async fn call_consultations(
    method: &str,
    mut organisations: OrganisationServiceClient<Authenticated>,
    t: Target,
) -> Result<(), Status> {
    let name = t.consultation;
    match method {
        "OrganisationService/CreateConsultation" => {
            let request = v1::CreateConsultationRequest {
                consultation_id: format!("new-{}", request_id()),
                consultation: Some(consultation_message()),
                request_id: request_id(),
                validate_only: false,
            };
            organisations.create_consultation(request).await.map(drop)
        }
        "OrganisationService/GetConsultation" => {
            organisations.get_consultation(v1::GetConsultationRequest { name }).await.map(drop)
        }
        "OrganisationService/ListConsultations" => {
            organisations.list_consultations(v1::ListConsultationsRequest::default()).await.map(drop)
        }
        "OrganisationService/UpdateConsultation" => {
            let etag = STALE_ETAG.to_owned();
            let consultation = v1::Consultation { name, etag, ..consultation_message() };
            let request = v1::UpdateConsultationRequest {
                consultation: Some(consultation),
                update_mask: Some(prost_types::FieldMask { paths: vec!["deadline".to_owned()] }),
                ..Default::default()
            };
            organisations.update_consultation(request).await.map(drop)
        }
        "OrganisationService/CancelConsultation" => {
            let (etag, reason) = (STALE_ETAG.to_owned(), "superseded".to_owned());
            let request = v1::CancelConsultationRequest { name, reason, etag, ..Default::default() };
            organisations.cancel_consultation(request).await.map(drop)
        }
        "OrganisationService/AnswerConsultation" => {
            let answer = v1::QuestionAnswer {
                question_id: "fee".to_owned(),
                option_ids: vec!["yes".to_owned()],
                comment: String::new(),
            };
            let request = v1::AnswerConsultationRequest {
                name,
                organisation: t.organisation,
                answers: vec![answer],
                ..Default::default()
            };
            organisations.answer_consultation(request).await.map(drop)
        }
        "OrganisationService/GetConsultationResult" => {
            let request = v1::GetConsultationResultRequest { name };
            organisations.get_consultation_result(request).await.map(drop)
        }
        unknown => panic!("{unknown} has no call in `call_consultations`"),
    }
}

/// The same for the methods about profiles.
async fn call_profiles(method: &str, client: Client, t: Target) -> Result<(), Status> {
    let Client { mut profiles, .. } = client;
    match method {
        "ProfileService/ImportProfiles" => {
            let header = v1::ImportHeader { parent: t.organisation, ..Default::default() };
            let messages = vec![header_message(header), end_message(0)];
            drain(profiles.import_profiles(tokio_stream::iter(messages)).await?.into_inner()).await
        }
        "ProfileService/GetProfile" => {
            profiles.get_profile(v1::GetProfileRequest { name: t.profile }).await.map(drop)
        }
        "ProfileService/BatchGetProfiles" => {
            let parent = t.profile.split("/profiles/").next().unwrap_or_default().to_owned();
            let request = v1::BatchGetProfilesRequest { parent, names: vec![t.profile] };
            profiles.batch_get_profiles(request).await.map(drop)
        }
        "ProfileService/CreateProfile" => {
            let request = v1::CreateProfileRequest {
                parent: t.organisation,
                profile_id: request_id(),
                profile: Some(wim_match::api::convert::profile::message_of_draft(mentee("new"))),
                request_id: request_id(),
                validate_only: false,
            };
            profiles.create_profile(request).await.map(drop)
        }
        "ProfileService/UpdateProfile" => {
            let paths = vec!["working_styles".to_owned()];
            let request = v1::UpdateProfileRequest {
                profile: Some(v1::Profile { name: t.profile, ..Default::default() }),
                update_mask: Some(prost_types::FieldMask { paths }),
                request_id: request_id(),
                validate_only: false,
            };
            profiles.update_profile(request).await.map(drop)
        }
        "ProfileService/ListProfiles" => {
            let request = v1::ListProfilesRequest { parent: t.organisation, ..Default::default() };
            profiles.list_profiles(request).await.map(drop)
        }
        "ProfileService/ExportProfiles" => {
            let request = v1::ExportProfilesRequest { parent: t.organisation };
            drain(profiles.export_profiles(request).await?.into_inner()).await
        }
        unknown => panic!("{unknown} has no call in `call_profiles`"),
    }
}

/// The same for the methods about rounds.
async fn call_rounds(method: &str, client: Client, t: Target) -> Result<(), Status> {
    let Client { mut rounds, .. } = client;
    match method {
        "RoundService/CreateRound" => {
            let request = v1::CreateRoundRequest {
                round_id: format!("new-{}", request_id()),
                round: Some(round_message()),
                request_id: request_id(),
                validate_only: false,
            };
            rounds.create_round(request).await.map(drop)
        }
        "RoundService/GetRound" => rounds.get_round(v1::GetRoundRequest { name: t.round }).await.map(drop),
        "RoundService/ListRounds" => rounds.list_rounds(v1::ListRoundsRequest::default()).await.map(drop),
        "RoundService/UpdateRound" => {
            let request = v1::UpdateRoundRequest {
                round: Some(v1::Round { name: t.round, ..round_message() }),
                update_mask: Some(prost_types::FieldMask { paths: vec!["display_name".to_owned()] }),
                ..Default::default()
            };
            rounds.update_round(request).await.map(drop)
        }
        "RoundService/CloseRound" => {
            let etag = STALE_ETAG.to_owned();
            let request = v1::CloseRoundRequest { name: t.round, etag, ..Default::default() };
            rounds.close_round(request).await.map(drop)
        }
        "RoundService/CancelRound" => {
            let etag = STALE_ETAG.to_owned();
            let request = v1::CancelRoundRequest { name: t.round, etag, ..Default::default() };
            rounds.cancel_round(request).await.map(drop)
        }
        "RoundService/CreatePolicy" => {
            let request = v1::CreatePolicyRequest {
                parent: t.round,
                policy: Some(v1::Policy::default()),
                ..Default::default()
            };
            rounds.create_policy(request).await.map(drop)
        }
        "RoundService/GetPolicy" => {
            let request = v1::GetPolicyRequest { name: format!("{}/policies/1", t.round) };
            rounds.get_policy(request).await.map(drop)
        }
        "RoundService/ListPolicies" => {
            let request = v1::ListPoliciesRequest { parent: t.round, ..Default::default() };
            rounds.list_policies(request).await.map(drop)
        }
        "RoundService/EnrolProfiles" => {
            let request = v1::EnrolProfilesRequest {
                round: t.round,
                organisation: t.organisation,
                all_profiles: true,
                ..Default::default()
            };
            rounds.enrol_profiles(request).await.map(drop)
        }
        "RoundService/ListEnrolments" => {
            let request = v1::ListEnrolmentsRequest { parent: t.round, ..Default::default() };
            rounds.list_enrolments(request).await.map(drop)
        }
        "RoundService/WithdrawEnrolments" => {
            let request = v1::WithdrawEnrolmentsRequest {
                parent: t.round_to_run,
                organisation: t.organisation,
                all_enrolments: true,
                ..Default::default()
            };
            let (round, organisation) = (request.parent.clone(), request.organisation.clone());
            rounds.withdraw_enrolments(request).await?;
            // The round is to be run by another call.
            let again =
                v1::EnrolProfilesRequest { round, organisation, all_profiles: true, ..Default::default() };
            rounds.enrol_profiles(again).await.map(drop)
        }
        "RoundService/ListWaitingMentees" => {
            let request = v1::ListWaitingMenteesRequest { parent: t.organisation, ..Default::default() };
            rounds.list_waiting_mentees(request).await.map(drop)
        }
        "RoundService/LeaveWaitingList" => {
            let name = t.profile.replacen("/profiles/", "/waitingMentees/", 1);
            let request = v1::LeaveWaitingListRequest { name, ..Default::default() };
            rounds.leave_waiting_list(request).await.map(drop)
        }
        "RoundService/DiagnoseRound" => {
            let request = v1::DiagnoseRoundRequest { name: t.round_to_run, ..Default::default() };
            rounds.diagnose_round(request).await.map(drop)
        }
        "RoundService/SuggestWeights" => {
            let request = v1::SuggestWeightsRequest { name: t.round_to_run, ..Default::default() };
            rounds.suggest_weights(request).await.map(drop)
        }
        unknown => panic!("{unknown} has no call in `call_rounds`"),
    }
}

/// The same for the methods about runs.
async fn call_runs(method: &str, client: Client, t: Target) -> Result<(), Status> {
    let Client { mut runs, .. } = client;
    match method {
        "RunService/StartRun" => {
            let request = v1::StartRunRequest {
                round: t.round_to_run,
                request_id: request_id(),
                validate_only: false,
                ..v1::StartRunRequest::default()
            };
            runs.start_run(request).await.map(drop)
        }
        "RunService/GetRun" => runs.get_run(v1::GetRunRequest { name: t.run }).await.map(drop),
        "RunService/ListRuns" => {
            let request = v1::ListRunsRequest { parent: t.round, ..Default::default() };
            runs.list_runs(request).await.map(drop)
        }
        "RunService/WatchRun" => {
            drain(runs.watch_run(v1::WatchRunRequest { name: t.run }).await?.into_inner()).await
        }
        "RunService/CancelRun" => {
            let request =
                v1::CancelRunRequest { name: t.run, request_id: request_id(), validate_only: false };
            runs.cancel_run(request).await.map(drop)
        }
        "RunService/ReplayRun" => runs.replay_run(v1::ReplayRunRequest { name: t.run }).await.map(drop),
        "RunService/CompareRuns" => {
            // Of a run there is one: two of them are the same.
            let runs_named = vec![t.run.clone(), t.run];
            let request = v1::CompareRunsRequest { parent: t.round, runs: runs_named, ..Default::default() };
            runs.compare_runs(request).await.map(drop)
        }
        "RunService/VerifyRun" => runs.verify_run(v1::VerifyRunRequest { name: t.run }).await.map(drop),
        "RunService/ListMatches" => {
            let request = v1::ListMatchesRequest { parent: t.run, ..Default::default() };
            runs.list_matches(request).await.map(drop)
        }
        "RunService/GetMatch" => {
            let request = v1::ListMatchesRequest { parent: t.run.clone(), ..Default::default() };
            let name = match runs.list_matches(request).await.map(|page| page.into_inner().matches) {
                _ if !t.pair.is_empty() => t.pair,
                Ok(pairs) if !pairs.is_empty() => pairs[0].name.clone(),
                _ => format!("{}/matches/{}", t.run, "0".repeat(32)),
            };
            runs.get_match(v1::GetMatchRequest { name, ..Default::default() }).await.map(drop)
        }
        "RunService/ListUnmatched" => {
            let request = v1::ListUnmatchedRequest { parent: t.run, ..Default::default() };
            runs.list_unmatched(request).await.map(drop)
        }
        "RunService/ExplainPair" => {
            let request = v1::ExplainPairRequest {
                run: t.run,
                mentee: t.mentee,
                mentor: t.mentor,
                ..Default::default()
            };
            runs.explain_pair(request).await.map(drop)
        }
        unknown => panic!("{unknown} has no call in `call_runs`"),
    }
}

/// The same for the methods about events.
async fn call_events(method: &str, mut events: EventServiceClient<Authenticated>) -> Result<(), Status> {
    assert_eq!(method, "EventService/StreamEvents", "it has no call in `call_events`");
    // The stream has no end; its first message comes at once.
    let mut stream = events.stream_events(v1::StreamEventsRequest::default()).await?.into_inner();
    stream.message().await.map(drop)
}

/// The same for the methods about reports.
async fn call_reports(method: &str, mut client: Client, t: Target) -> Result<(), Status> {
    let absent = "reports/01938e0a-7c5a-7a34-9d0e-5f2b7c1d9e3a".to_owned();
    let name = Some(t.report).filter(|name| !name.is_empty()).unwrap_or(absent);
    match method {
        "ReportService/CreateReport" => {
            let kind = v1::ReportKind::Round.into();
            let report = v1::Report { kind, round: t.round, ..v1::Report::default() };
            let request = v1::CreateReportRequest { report: Some(report), ..Default::default() };
            client.reports.create_report(request).await.map(drop)
        }
        "ReportService/GetReport" => client.reports.get_report(v1::GetReportRequest { name }).await.map(drop),
        "ReportService/ListReports" => {
            client.reports.list_reports(v1::ListReportsRequest::default()).await.map(drop)
        }
        "ReportService/DownloadReport" => {
            let format = v1::ReportFormat::Csv.into();
            let request = v1::DownloadReportRequest { name, format, ..Default::default() };
            client.reports.download_report(request).await.map(drop)
        }
        "ReportService/ListParameters" => {
            client.reports.list_parameters(v1::ListParametersRequest::default()).await.map(drop)
        }
        _ => panic!("{method} has no call in `call_reports`"),
    }
}

/// The same for the methods about principals.
#[expect(clippy::too_many_lines, reason = "a row for each method")]
async fn call_admin(
    method: &str,
    mut admin: AdminServiceClient<Authenticated>,
    t: Target,
) -> Result<(), Status> {
    let expert = || v1::Grant {
        role: v1::Role::Expert.into(),
        organisation: t.organisation.clone(),
        ..v1::Grant::default()
    };
    let person = || v1::Principal {
        kind: v1::PrincipalKind::Person.into(),
        handle: format!("new-{}", request_id()),
        ..v1::Principal::default()
    };
    match method {
        "AdminService/WhoAmI" => admin.who_am_i(v1::WhoAmIRequest {}).await.map(drop),
        "AdminService/CreatePrincipal" => {
            let request = v1::CreatePrincipalRequest {
                principal: Some(person()),
                request_id: request_id(),
                validate_only: false,
            };
            admin.create_principal(request).await.map(drop)
        }
        "AdminService/GetPrincipal" => {
            admin.get_principal(v1::GetPrincipalRequest { name: t.principal }).await.map(drop)
        }
        "AdminService/ListPrincipals" => {
            admin.list_principals(v1::ListPrincipalsRequest::default()).await.map(drop)
        }
        "AdminService/UpdatePrincipal" => {
            let etag = "\"1\"".to_owned();
            let request = v1::UpdatePrincipalRequest {
                principal: Some(v1::Principal { name: t.principal, etag, ..person() }),
                update_mask: None,
                request_id: request_id(),
                validate_only: false,
            };
            admin.update_principal(request).await.map(drop)
        }
        "AdminService/CreateGrant" => {
            let request = v1::CreateGrantRequest {
                parent: t.principal.clone(),
                grant: Some(expert()),
                request_id: request_id(),
                validate_only: false,
            };
            admin.create_grant(request).await.map(drop)
        }
        "AdminService/ListGrants" => {
            let request = v1::ListGrantsRequest { parent: t.principal, ..Default::default() };
            admin.list_grants(request).await.map(drop)
        }
        "AdminService/EndGrant" => {
            let request =
                v1::EndGrantRequest { name: t.grant, request_id: request_id(), validate_only: false };
            admin.end_grant(request).await.map(drop)
        }
        "AdminService/CreateCredential" => {
            let request = v1::CreateCredentialRequest {
                parent: t.principal,
                credential: Some(v1::Credential::default()),
                request_id: request_id(),
                validate_only: false,
            };
            admin.create_credential(request).await.map(drop)
        }
        "AdminService/ListCredentials" => {
            let request = v1::ListCredentialsRequest { parent: t.principal, ..Default::default() };
            admin.list_credentials(request).await.map(drop)
        }
        "AdminService/RevokeCredential" => {
            let request = v1::RevokeCredentialRequest {
                name: t.credential,
                request_id: request_id(),
                validate_only: false,
            };
            admin.revoke_credential(request).await.map(drop)
        }
        "AdminService/CreateInvitation" => {
            let request = v1::CreateInvitationRequest {
                invitation: Some(v1::Invitation { grants: vec![expert()], ..Default::default() }),
                request_id: request_id(),
                validate_only: false,
            };
            admin.create_invitation(request).await.map(drop)
        }
        "AdminService/ListInvitations" => {
            admin.list_invitations(v1::ListInvitationsRequest::default()).await.map(drop)
        }
        "AdminService/CancelInvitation" => {
            let request = v1::CancelInvitationRequest { name: t.invitation, ..Default::default() };
            admin.cancel_invitation(request).await.map(drop)
        }
        "AdminService/RedeemInvitation" => {
            let request = v1::RedeemInvitationRequest {
                secret: t.secret,
                principal: Some(person()),
                validate_only: true,
                ..Default::default()
            };
            admin.redeem_invitation(request).await.map(drop)
        }
        "AdminService/ListAuditEntries" => {
            admin.list_audit_entries(v1::ListAuditEntriesRequest::default()).await.map(drop)
        }
        "AdminService/VerifyAudit" => admin.verify_audit(v1::VerifyAuditRequest::default()).await.map(drop),
        unknown => panic!("{unknown} has no call in `call_admin`"),
    }
}

/// The same for the methods about problems of the caller's own.
async fn call_solver(method: &str, mut solver: SolverServiceClient<Authenticated>) -> Result<(), Status> {
    match method {
        "SolverService/Solve" => {
            let request = v1::SolveRequest { problem: Some(two_by_two()), ..Default::default() };
            solver.solve(request).await.map(drop)
        }
        "SolverService/SolveStream" => {
            let parts = [
                Ask::Aim(v1::AssignmentAim::default()),
                Ask::Part(two_by_two()),
                Ask::End(v1::SolveEnd { candidates: 3, ..Default::default() }),
            ];
            let parts = parts.map(|content| v1::SolveStreamRequest { content: Some(content) });
            drain(solver.solve_stream(tokio_stream::iter(parts)).await?.into_inner()).await
        }
        "SolverService/Verify" => {
            let aim = v1::AssignmentAim { objective: v1::Objective::Stable.into(), total_only: false };
            let problem = v1::AssignmentProblem { aim: Some(aim), ..two_by_two() };
            let request =
                v1::VerifyRequest { problem: Some(problem), pairs: vec![pair("a", "y", 7)], proof: None };
            solver.verify(request).await.map(drop)
        }
        "SolverService/VerifyStream" => {
            let aim = v1::AssignmentAim { objective: v1::Objective::Stable.into(), total_only: false };
            let result = v1::AssignmentResult { pairs: vec![pair("a", "y", 7)], ..Default::default() };
            let parts = [
                Claim::Aim(aim),
                Claim::Part(two_by_two()),
                Claim::Result(result),
                Claim::End(v1::VerifyEnd { candidates: 3, pairs: 1 }),
            ];
            let parts = parts.map(|content| v1::VerifyStreamRequest { content: Some(content) });
            drain(solver.verify_stream(tokio_stream::iter(parts)).await?.into_inner()).await
        }
        "SolverService/WhatIf" => {
            let request = v1::SolveRequest { problem: Some(two_by_two()), ..Default::default() };
            let Some(Outcome::Result(result)) = solver.solve(request).await?.into_inner().outcome else {
                panic!("no result")
            };
            let question = Asked::AlternatesOfMentee("a".to_owned());
            let request = v1::WhatIfRequest {
                problem: Some(two_by_two()),
                pairs: result.pairs,
                proof: result.proof,
                questions: vec![v1::WhatIfQuestion { question: Some(question) }],
                max_alternates: 0,
            };
            solver.what_if(request).await.map(drop)
        }
        "SolverService/Repair" => {
            let published = vec![pair("a", "y", 7)];
            let request = v1::RepairRequest { problem: Some(two_by_two()), published, budget: Some(0) };
            solver.repair(request).await.map(drop)
        }
        "SolverService/Diagnose" => {
            let request = v1::DiagnoseRequest { problem: Some(two_by_two()), ..Default::default() };
            solver.diagnose(request).await.map(drop)
        }
        unknown => panic!("{unknown} has no call in `call`"),
    }
}

/// Two mentees and two mentors; together they do best with the two lesser pairs.
pub(crate) fn two_by_two() -> v1::AssignmentProblem {
    let mentee = |id: &str| v1::AssignmentMentee { id: id.to_owned(), ..Default::default() };
    let mentor = |id: &str| v1::AssignmentMentor { id: id.to_owned(), ..Default::default() };
    v1::AssignmentProblem {
        mentees: vec![mentee("a"), mentee("b")],
        mentors: vec![mentor("x"), mentor("y")],
        candidates: vec![pair("a", "x", 4), pair("a", "y", 7), pair("b", "y", 5)],
        ..Default::default()
    }
}

/// A pair of a problem.
pub(crate) fn pair(mentee: &str, mentor: &str, score: i32) -> v1::AssignmentPair {
    v1::AssignmentPair { mentee: mentee.to_owned(), mentor: mentor.to_owned(), score }
}

async fn drain<T>(mut answers: tonic::Streaming<T>) -> Result<(), Status> {
    while answers.message().await?.is_some() {}
    Ok(())
}
