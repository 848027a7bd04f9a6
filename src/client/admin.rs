//! Principals: who the caller is, and invitations.

use super::connection::{Client, request_id};
use super::error::Error;
use crate::api::convert::timestamp;
use crate::api::proto::v1;
use crate::domain::grant::{GrantDraft, Role};

impl Client {
    /// Who the caller is, with the roles of her calls.
    pub async fn who_am_i(&self) -> Result<v1::WhoAmIResponse, Error> {
        Ok(self.admin.clone().who_am_i(v1::WhoAmIRequest {}).await?.into_inner())
    }

    /// Invites somebody to a role. The answer has the secret, which the service cannot show again.
    pub async fn invite(&self, grant: &GrantDraft) -> Result<v1::CreateInvitationResponse, Error> {
        let grants = vec![message_of_grant(grant)];
        let request = v1::CreateInvitationRequest {
            invitation: Some(v1::Invitation { grants, ..v1::Invitation::default() }),
            request_id: request_id(),
            validate_only: false,
        };
        Ok(self.admin.clone().create_invitation(request).await?.into_inner())
    }

    /// Redeems an invitation under a handle, with the languages and the time zone of its new principal. The answer has her
    /// first token, which the service cannot show again.
    pub async fn redeem(
        &self,
        secret: &str,
        (handle, languages, time_zone): (&str, Vec<String>, &str),
        label: &str,
    ) -> Result<v1::RedeemInvitationResponse, Error> {
        let principal = v1::Principal {
            handle: handle.to_owned(),
            languages,
            time_zone: time_zone.to_owned(),
            ..v1::Principal::default()
        };
        let request = v1::RedeemInvitationRequest {
            secret: secret.to_owned(),
            principal: Some(principal),
            label: label.to_owned(),
            request_id: request_id(),
            validate_only: false,
        };
        Ok(self.admin.clone().redeem_invitation(request).await?.into_inner())
    }
}

/// A grant as a client sends it. A role that the contract does not have becomes the unspecified one, which the service
/// refuses.
fn message_of_grant(draft: &GrantDraft) -> v1::Grant {
    // The number of a role is one more than its place among the names.
    let place = Role::NAMES.iter().position(|name| *name == draft.role);
    v1::Grant {
        role: place.and_then(|place| i32::try_from(place + 1).ok()).unwrap_or_default(),
        organisation: draft.organisation.clone(),
        from_time: draft.from.map(timestamp),
        until_time: draft.until.map(timestamp),
        ..v1::Grant::default()
    }
}
