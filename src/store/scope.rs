//! Scopes: which rows exist for a call, and who owns the rows that a call changes.

use std::collections::BTreeSet;

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
    /// Rows of these organisations and rows of the alliance; rows of other organisations do not exist.
    Organisations(BTreeSet<OrganisationId>),
}

impl Scope {
    /// The organisations that the scope is limited to, if the scope is limited.
    pub fn organisations(&self) -> Option<&BTreeSet<OrganisationId>> {
        match self {
            Self::System | Self::Alliance => None,
            Self::Organisations(own) => Some(own),
        }
    }

    /// The organisations as a filtered query takes them, `,wim-chile,wim-peru,`, if the scope is limited. No id has a comma.
    pub(super) fn list(&self) -> Option<String> {
        let own = self.organisations()?;
        Some(own.iter().fold(String::from(","), |list, id| list + id.as_str() + ","))
    }

    /// The statements that tell PostgreSQL the scope and the principal whose answers exist, for the policies of its tables. They
    /// last as long as the transaction. The service itself reads the answers of all.
    pub(super) fn settings(&self, principal: Option<&str>) -> String {
        let principal = match self {
            Self::System => "*".to_owned(),
            Self::Alliance | Self::Organisations(_) => principal.unwrap_or_default().replace('\'', "''"),
        };
        // An id of an organisation has no quote: it has lower-case letters, digits and hyphens.
        let organisations = self.list();
        let organisations = organisations.as_deref().unwrap_or("*");
        format!("SET LOCAL wim.organisations = '{organisations}'; SET LOCAL wim.principal = '{principal}'")
    }

    /// Whether rows of the organisation exist in the scope.
    pub fn covers(&self, organisation: &OrganisationId) -> bool {
        self.organisations().is_none_or(|own| own.contains(organisation))
    }

    /// `Ok` if rows of this owner may be changed. Rows of another organisation do not exist.
    pub(super) fn admit(&self, owner: Owner<'_>) -> Result<()> {
        match (owner, self.organisations()) {
            (_, None) => Ok(()),
            (Owner::Organisation(id), Some(own)) if own.contains(id) => Ok(()),
            (Owner::Organisation(id), Some(_)) => Err(Error::NotFound(id.name())),
            (Owner::Alliance, Some(_)) => {
                Err(Error::internal("a session of organisations cannot change rows of the alliance"))
            }
        }
    }

    /// `Ok` in the scope of the service itself.
    pub(super) fn require_system(&self) -> Result<()> {
        match self {
            Self::System => Ok(()),
            Self::Alliance | Self::Organisations(_) => {
                Err(Error::internal("an operation of the service itself was called for a caller"))
            }
        }
    }
}

/// The owner of rows that are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner<'a> {
    /// The alliance: rounds, runs, principals and their credentials.
    Alliance,
    /// One organisation: its rules, profiles, enrolments, roles for it.
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
    fn a_scope_of_organisations_changes_their_rows_only() {
        let id = |id: &str| -> OrganisationId { id.parse().expect("an id") };
        let (own, second, other) = (id("wim-peru"), id("wim-chile"), id("wim-kenya"));
        let scope = Scope::Organisations([own.clone(), second.clone()].into());
        for one in [&own, &second] {
            assert!(scope.admit(Owner::Organisation(one)).is_ok() && scope.covers(one));
        }
        assert!(matches!(scope.admit(Owner::Organisation(&other)), Err(Error::NotFound(_))));
        assert!(!scope.covers(&other));
        assert!(matches!(scope.admit(Owner::Alliance), Err(Error::Internal(..))));
        let none = Scope::Organisations(BTreeSet::new());
        assert!(none.admit(Owner::Organisation(&own)).is_err() && !none.covers(&own));
        for scope in [Scope::System, Scope::Alliance] {
            assert!(scope.admit(Owner::Organisation(&other)).is_ok() && scope.admit(Owner::Alliance).is_ok());
            assert!(scope.covers(&other));
        }
        for (scope, principal, organisations, told) in [
            (&scope, None, ",wim-chile,wim-peru,", ""),
            (&none, Some("p"), ",", "p"),
            (&Scope::Alliance, Some("*'; --"), "*", "*''; --"),
            (&Scope::System, Some("p"), "*", "*"),
        ] {
            let set = format!(
                "SET LOCAL wim.organisations = '{organisations}'; SET LOCAL wim.principal = '{told}'"
            );
            assert_eq!(scope.settings(principal), set);
        }
        assert!(Scope::System.require_system().is_ok());
        assert!(Scope::Alliance.require_system().is_err() && scope.require_system().is_err());
    }
}
