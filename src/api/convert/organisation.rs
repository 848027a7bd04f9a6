//! Organisations.

use jiff::Timestamp;

use super::{etag, moment, timestamp};
use crate::api::proto::v1;
use crate::domain::membership::{Membership, MembershipDraft, MembershipState};
use crate::domain::name::OrganisationId;
use crate::domain::organisation::{
    Organisation, OrganisationDraft, OrganisationPatch, OrganisationRulesDraft,
};
use crate::service::Masked;

/// From the message, unchecked.
pub fn draft(message: v1::Organisation) -> OrganisationDraft {
    let rules = message.rules.unwrap_or_default();
    OrganisationDraft {
        display_name: message.display_name,
        country: message.country,
        same_organisation_only: rules.same_organisation_only,
        excluded_organisations: rules.excluded_organisations,
        most_places: [rules.most_places_given, rules.most_places_taken],
        idle_profile_days: message.idle_profile_days,
    }
}

/// From the message, unchecked.
pub fn rules_draft(message: v1::OrganisationRules) -> OrganisationRulesDraft {
    let v1::OrganisationRules {
        same_organisation_only,
        excluded_organisations,
        most_places_given,
        most_places_taken,
    } = message;
    OrganisationRulesDraft {
        same_organisation_only,
        excluded_organisations,
        most_given: most_places_given,
        most_taken: most_places_taken,
    }
}

/// A number of places, which the parser keeps within an `i32`.
fn places(most: u32) -> i32 {
    i32::try_from(most).unwrap_or(i32::MAX)
}

/// To the message, from a draft: what a client sends to register an organisation, which sets its rules itself.
pub fn message_of_draft(draft: OrganisationDraft) -> v1::Organisation {
    v1::Organisation {
        display_name: draft.display_name,
        country: draft.country,
        idle_profile_days: draft.idle_profile_days,
        ..v1::Organisation::default()
    }
}

/// The fields of an organisation that a mask names.
pub fn patch(message: &v1::Organisation, paths: &[String]) -> Masked<OrganisationPatch> {
    let fields = ["display_name", "country", "idle_profile_days"];
    Masked::read(paths, &fields, |patch: &mut OrganisationPatch, path| {
        match path {
            "display_name" => patch.display_name = Some(message.display_name.clone()),
            "country" => patch.country = Some(message.country.clone()),
            "idle_profile_days" => patch.idle_profile_days = Some(message.idle_profile_days),
            _ => return false,
        }
        true
    })
}

/// The change of the time after which people of an organisation who take part in nothing are erased.
pub fn idle_days_of(name: &str, days: i32) -> v1::UpdateOrganisationRequest {
    let organisation =
        v1::Organisation { name: name.to_owned(), idle_profile_days: days, ..v1::Organisation::default() };
    let update_mask = Some(prost_types::FieldMask { paths: vec!["idle_profile_days".to_owned()] });
    v1::UpdateOrganisationRequest {
        organisation: Some(organisation),
        update_mask,
        ..v1::UpdateOrganisationRequest::default()
    }
}

/// A change of a membership, unchecked. A moment outside the possible years counts as one of the future.
pub fn membership_draft(message: &v1::SetMembershipRequest) -> MembershipDraft {
    MembershipDraft {
        state: match message.state() {
            v1::MembershipState::Unspecified => None,
            v1::MembershipState::Applicant => Some(MembershipState::Applicant),
            v1::MembershipState::Member => Some(MembershipState::Member),
            v1::MembershipState::Suspended => Some(MembershipState::Suspended),
            v1::MembershipState::Left => Some(MembershipState::Left),
        },
        rules_version: message.rules_version.clone(),
        accept_time: message.accept_time.as_ref().map(|at| moment(at).unwrap_or(Timestamp::MAX)),
    }
}

fn membership(membership: &Membership) -> v1::Membership {
    let accepted = membership.accepted.as_ref();
    v1::Membership {
        state: match membership.state {
            MembershipState::Applicant => v1::MembershipState::Applicant,
            MembershipState::Member => v1::MembershipState::Member,
            MembershipState::Suspended => v1::MembershipState::Suspended,
            MembershipState::Left => v1::MembershipState::Left,
        }
        .into(),
        rules_version: accepted.map(|accepted| accepted.version.clone()).unwrap_or_default(),
        accept_time: accepted.map(|accepted| timestamp(accepted.time)),
    }
}

/// To the message, with its rules or without.
pub fn message(organisation: &Organisation, with_rules: bool) -> v1::Organisation {
    let content = &organisation.content;
    v1::Organisation {
        name: organisation.id.name(),
        display_name: content.display_name.clone(),
        country: content.country.code().to_owned(),
        region: content.country.region().code().to_owned(),
        rules: with_rules.then(|| v1::OrganisationRules {
            same_organisation_only: content.rules.same_organisation_only,
            excluded_organisations: content
                .rules
                .excluded_organisations
                .iter()
                .map(OrganisationId::name)
                .collect(),
            most_places_given: content.rules.limits.most_given.map(places),
            most_places_taken: content.rules.limits.most_taken.map(places),
        }),
        etag: etag(organisation.version),
        create_time: Some(timestamp(organisation.create_time)),
        update_time: Some(timestamp(organisation.update_time)),
        membership: Some(membership(&organisation.membership)),
        idle_profile_days: content.idle_profile_days,
    }
}
