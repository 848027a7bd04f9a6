//! Who is calling, in which role, for which organisation. It comes from the credential, never from the request.

use std::fmt;

use super::name::OrganisationId;

/// What a caller may act as.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// A member of the mentorship working group: opens rounds, runs and reviews them.
    Coordinator,
    /// A manager of one organisation: keeps and enrols that organisation's members.
    OrganisationManager(OrganisationId),
}

impl Role {
    /// The role's name as stored and printed.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Coordinator => "coordinator",
            Self::OrganisationManager(_) => "organisation-manager",
        }
    }
}

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Id of her token: what the journal names as the actor.
    pub token_id: String,
    /// Her role.
    pub role: Role,
}

impl Caller {
    /// The organisation she acts for; a coordinator acts for none.
    pub fn organisation(&self) -> Option<&OrganisationId> {
        match &self.role {
            Role::Coordinator => None,
            Role::OrganisationManager(organisation) => Some(organisation),
        }
    }

    /// Whether she may see rows of `organisation`.
    pub fn sees(&self, organisation: &OrganisationId) -> bool {
        self.organisation().is_none_or(|own| own == organisation)
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.role.as_str(), self.token_id)
    }
}
