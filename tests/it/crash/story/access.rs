//! Principals, grants, credentials, invitations and organisations.

use wim_match::api::proto::v1;
use wim_match::client::request_id;

use super::{Caller, Cast, mask};

/// Principals, grants, credentials, invitations and organisations.
pub(super) async fn access(secretariat: Caller<'_>, number: usize) -> Cast<'_> {
    let coordinators = [
        secretariat.somebody(&format!("rosa-{number}"), v1::Role::Coordinator, "").await.0,
        secretariat.somebody(&format!("amara-{number}"), v1::Role::Coordinator, "").await.0,
    ];
    let mentors = organisation(&secretariat, &format!("mentors-{number}")).await;
    let mentees = organisation(&secretariat, &format!("mentees-{number}")).await;
    let request = v1::UpdateOrganisationRequest {
        organisation: Some(v1::Organisation {
            name: mentors.1.clone(),
            display_name: "Renamed".to_owned(),
            ..v1::Organisation::default()
        }),
        update_mask: Some(mask("display_name")),
        request_id: request_id(),
        ..v1::UpdateOrganisationRequest::default()
    };
    let _: v1::UpdateOrganisationResponse =
        secretariat.change("OrganisationService/UpdateOrganisation", &request).await;
    let rules = v1::OrganisationRules::default();
    let request = v1::UpdateOrganisationRulesRequest {
        name: mentors.1.clone(),
        rules: Some(rules),
        request_id: request_id(),
        ..v1::UpdateOrganisationRulesRequest::default()
    };
    let _: v1::UpdateOrganisationRulesResponse =
        mentors.0.change("OrganisationService/UpdateOrganisationRules", &request).await;
    let expert = Box::pin(of_one_principal(&secretariat, number, &mentors.1)).await;
    Cast { number, secretariat, coordinators, expert, mentors, mentees }
}

/// A member organisation with its manager, and its name.
pub(super) async fn organisation<'a>(secretariat: &Caller<'a>, id: &str) -> (Caller<'a>, String) {
    let request = v1::CreateOrganisationRequest {
        organisation_id: id.to_owned(),
        organisation: Some(v1::Organisation {
            display_name: id.to_owned(),
            country: "PE".to_owned(),
            ..v1::Organisation::default()
        }),
        request_id: request_id(),
        validate_only: false,
    };
    let created: v1::CreateOrganisationResponse =
        secretariat.change("OrganisationService/CreateOrganisation", &request).await;
    let name = created.organisation.expect("an organisation").name;
    let request = v1::SetMembershipRequest {
        name: name.clone(),
        state: v1::MembershipState::Member.into(),
        rules_version: "2026-1".to_owned(),
        request_id: request_id(),
        ..v1::SetMembershipRequest::default()
    };
    let _: v1::SetMembershipResponse =
        secretariat.change("OrganisationService/SetMembership", &request).await;
    let (manager, _) = secretariat.somebody(id, v1::Role::OrganisationManager, &name).await;
    (manager, name)
}

/// The life of a principal who loses a grant, a credential and an invitation, and stays an expert.
async fn of_one_principal(secretariat: &Caller<'_>, number: usize, organisation: &str) -> String {
    let (_, name) = secretariat.somebody(&format!("expert-{number}"), v1::Role::Expert, organisation).await;
    let read: v1::GetPrincipalResponse =
        secretariat.read("AdminService/GetPrincipal", &v1::GetPrincipalRequest { name: name.clone() }).await;
    let principal =
        v1::Principal { handle: format!("renamed-{number}"), ..read.principal.expect("a principal") };
    let request = v1::UpdatePrincipalRequest {
        principal: Some(principal),
        update_mask: Some(mask("handle")),
        request_id: request_id(),
        validate_only: false,
    };
    let _: v1::UpdatePrincipalResponse = secretariat.change("AdminService/UpdatePrincipal", &request).await;
    let grant = secretariat.grant(&name, v1::Role::CommitteeMember, "").await;
    let request = v1::EndGrantRequest { name: grant, request_id: request_id(), validate_only: false };
    let _: v1::EndGrantResponse = secretariat.change("AdminService/EndGrant", &request).await;
    let credential = secretariat.credential(&name).await.credential.expect("a credential").name;
    let request =
        v1::RevokeCredentialRequest { name: credential, request_id: request_id(), validate_only: false };
    let _: v1::RevokeCredentialResponse = secretariat.change("AdminService/RevokeCredential", &request).await;
    let invited = invitation(secretariat).await.invitation.expect("an invitation").name;
    let request = v1::CancelInvitationRequest {
        name: invited,
        request_id: request_id(),
        ..v1::CancelInvitationRequest::default()
    };
    let _: v1::CancelInvitationResponse = secretariat.change("AdminService/CancelInvitation", &request).await;
    let secret = loop {
        let invited = invitation(secretariat).await;
        if !invited.secret.is_empty() {
            break invited.secret;
        }
    };
    let request = v1::RedeemInvitationRequest {
        secret,
        principal: Some(v1::Principal {
            kind: v1::PrincipalKind::Person.into(),
            handle: format!("invited-{number}"),
            ..v1::Principal::default()
        }),
        request_id: request_id(),
        ..v1::RedeemInvitationRequest::default()
    };
    let stranger = secretariat.with(String::new());
    let _: v1::RedeemInvitationResponse = stranger.change("AdminService/RedeemInvitation", &request).await;
    name
}

async fn invitation(secretariat: &Caller<'_>) -> v1::CreateInvitationResponse {
    let grant = v1::Grant { role: v1::Role::CommitteeMember.into(), ..v1::Grant::default() };
    let request = v1::CreateInvitationRequest {
        invitation: Some(v1::Invitation { grants: vec![grant], ..v1::Invitation::default() }),
        request_id: request_id(),
        validate_only: false,
    };
    secretariat.change("AdminService/CreateInvitation", &request).await
}
