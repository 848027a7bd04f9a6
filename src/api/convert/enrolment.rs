//! Enrolments.

use super::{timestamp, waiting};
use crate::api::proto::v1;
use crate::domain::enrolment::{Enrolment, EnrolmentFilter};
use crate::domain::name::{ConsentRef, OrganisationId};
use crate::domain::violation::Violations;
use crate::domain::vocabulary::Lang;
use crate::domain::warning::Warning;
use crate::error::Error;
use crate::wording;

/// From the message, or all its violations.
pub fn filter(message: &v1::EnrolmentFilter) -> Result<EnrolmentFilter, Error> {
    let mut violations = Violations::of_request();
    let is_live = match v1::EnrolmentState::try_from(message.state) {
        Ok(v1::EnrolmentState::Unspecified) => None,
        Ok(v1::EnrolmentState::Live) => Some(true),
        Ok(v1::EnrolmentState::Withdrawn) => Some(false),
        Err(_) => {
            violations.push("filter.state", message.state, "is no state of an enrolment", "");
            None
        }
    };
    let organisation = match &*message.organisation {
        "" => None,
        name => OrganisationId::from_name(name)
            .map_err(|error| violations.push("filter.organisation", name, error.to_string(), ""))
            .ok(),
    };
    violations.finish(EnrolmentFilter { organisation, is_live }).map_err(Error::InvalidFields)
}

/// To the message, with the consent on which the enrolment rests if the reader may see it.
pub fn message(enrolment: &Enrolment, shows_consent: bool) -> v1::Enrolment {
    let consent = enrolment.consent.clone().filter(|_| shows_consent);
    let consent = consent.map(|id| ConsentRef { profile: enrolment.profile.clone(), id }.name());
    v1::Enrolment {
        name: enrolment.name.name(),
        profile: enrolment.profile.name(),
        state: match enrolment.withdraw_time {
            None => v1::EnrolmentState::Live,
            Some(_) => v1::EnrolmentState::Withdrawn,
        }
        .into(),
        create_time: Some(timestamp(enrolment.create_time)),
        withdraw_time: enrolment.withdraw_time.map(timestamp),
        consent: consent.unwrap_or_default(),
        waiting_since: enrolment.waiting.map(|waiting| waiting.since.to_string()).unwrap_or_default(),
        waiting_cause: enrolment
            .waiting
            .map(|waiting| waiting::cause(waiting.cause).into())
            .unwrap_or_default(),
    }
}

/// A warning about a profile, by its name.
pub fn warning(profile: String, warning: Warning, lang: Lang) -> v1::ProfileWarning {
    v1::ProfileWarning {
        profile,
        code: warning.code as i32,
        description: wording::warning(&warning, lang),
        field: warning.field,
        value: warning.value,
    }
}
