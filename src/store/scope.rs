//! Scopes: which rows exist for a call, and who owns the rows that a call changes.

use crate::domain::caller::Caller;
use crate::domain::name::OrganisationId;
use crate::error::{Error, Result};

/// Which rows exist for a call. Every read and every write of the store takes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All rows, for the service itself: worker, housekeeping, health, authentication, the operator at the machine, and
    /// the engine, which solves over the profiles of all organisations. Never the scope of a caller.
    System,
    /// Rows of every organisation, for a caller who acts for the alliance.
    Alliance,
    /// Rows of one organisation and rows of the alliance; rows of other organisations do not exist.
    Organisation(OrganisationId),
}

impl Scope {
    /// The organisation that the scope is limited to, if the scope is limited.
    pub fn organisation(&self) -> Option<&OrganisationId> {
        match self {
            Self::System | Self::Alliance => None,
            Self::Organisation(own) => Some(own),
        }
    }

    /// `Ok` if rows of this owner may be changed. Rows of another organisation do not exist.
    pub(super) fn admit(&self, owner: Owner<'_>) -> Result<()> {
        match (owner, self.organisation()) {
            (_, None) => Ok(()),
            (Owner::Organisation(id), Some(own)) if id == own => Ok(()),
            (Owner::Organisation(id), Some(_)) => Err(Error::NotFound(id.name())),
            (Owner::Alliance, Some(own)) => {
                Err(Error::internal(format!("a session of {own} cannot change rows of the alliance")))
            }
        }
    }

    /// `Ok` in the scope of the service itself.
    pub(super) fn require_system(&self) -> Result<()> {
        match self {
            Self::System => Ok(()),
            Self::Alliance | Self::Organisation(_) => {
                Err(Error::internal("an operation of the service itself was called for a caller"))
            }
        }
    }
}

impl From<&Caller> for Scope {
    fn from(caller: &Caller) -> Self {
        caller.organisation().map_or(Self::Alliance, |own| Self::Organisation(own.clone()))
    }
}

/// The owner of rows that are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner<'a> {
    /// The alliance: rounds, runs, tokens of coordinators.
    Alliance,
    /// One organisation: its rules, profiles, enrolments, tokens of its managers.
    Organisation(&'a OrganisationId),
}

impl<'a> Owner<'a> {
    /// The organisation, if the owner is one.
    pub(super) fn organisation(self) -> Option<&'a OrganisationId> {
        match self {
            Self::Alliance => None,
            Self::Organisation(id) => Some(id),
        }
    }
}

impl<'a> From<Option<&'a OrganisationId>> for Owner<'a> {
    fn from(organisation: Option<&'a OrganisationId>) -> Self {
        organisation.map_or(Self::Alliance, Self::Organisation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_of_one_organisation_changes_its_own_rows_only() {
        let id = |id: &str| -> OrganisationId { id.parse().expect("an id") };
        let (own, other) = (id("wim-peru"), id("wim-kenya"));
        let scope = Scope::Organisation(own.clone());
        assert!(scope.admit(Owner::Organisation(&own)).is_ok());
        assert!(matches!(scope.admit(Owner::Organisation(&other)), Err(Error::NotFound(_))));
        assert!(matches!(scope.admit(Owner::Alliance), Err(Error::Internal(..))));
        for scope in [Scope::System, Scope::Alliance] {
            assert!(scope.admit(Owner::Organisation(&other)).is_ok() && scope.admit(Owner::Alliance).is_ok());
        }
        assert!(Scope::System.require_system().is_ok());
        assert!(Scope::Alliance.require_system().is_err() && scope.require_system().is_err());
    }
}
