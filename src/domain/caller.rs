//! The caller: role and organisation, from the credential and never from the request.

use std::fmt;

use super::name::OrganisationId;

/// Role of a caller.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// A member of the mentorship working group, who opens, runs and reviews rounds.
    Coordinator,
    /// A manager of one organisation, who stores and enrols its members' profiles.
    OrganisationManager(OrganisationId),
}

impl Role {
    /// Name of the role of a coordinator, as stored and printed.
    pub const COORDINATOR: &'static str = "coordinator";
    /// Name of the role of a manager of an organisation.
    pub const ORGANISATION_MANAGER: &'static str = "organisation-manager";

    /// The role's name as stored and printed.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Coordinator => Self::COORDINATOR,
            Self::OrganisationManager(_) => Self::ORGANISATION_MANAGER,
        }
    }
}

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Id of the caller's token, which the journal records as the actor.
    pub token_id: String,
    /// Role.
    pub role: Role,
}

impl Caller {
    /// The organisation of a manager; `None` for a coordinator.
    pub fn organisation(&self) -> Option<&OrganisationId> {
        match &self.role {
            Role::Coordinator => None,
            Role::OrganisationManager(organisation) => Some(organisation),
        }
    }

    /// Whether the caller has access to rows of `organisation`.
    pub fn sees(&self, organisation: &OrganisationId) -> bool {
        self.organisation().is_none_or(|own| own == organisation)
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.role.as_str(), self.token_id)
    }
}
