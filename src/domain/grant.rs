//! Grants: a role of a principal, for one organisation or for the alliance, with a beginning and an end.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::message::Message;
use super::name::OrganisationId;
use super::violation::Violations;
use crate::message;

/// A role, with the organisation that it is for. A role without an organisation is for the alliance.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Role {
    /// The Secretariat of the alliance: registers organisations, grants and ends roles.
    Secretariat,
    /// A member of the mentorship working group, who opens, runs and reviews rounds.
    Coordinator,
    /// A manager of one organisation, who stores and enrols its members' profiles.
    OrganisationManager(OrganisationId),
    /// Somebody whom an organisation or the working group asks about pairs; she decides nothing.
    Expert(Option<OrganisationId>),
    /// A member of the Steering Committee, who reads aggregates only.
    CommitteeMember,
    /// A program, of one organisation or of the alliance.
    Service(Option<OrganisationId>),
    /// Whoever operates the service: health and metrics, no data of people.
    Operations,
}

impl Role {
    /// Names of all roles, as stored and printed, in the order of the table of permissions.
    pub const NAMES: [&'static str; 7] = [
        Self::SECRETARIAT,
        Self::COORDINATOR,
        Self::ORGANISATION_MANAGER,
        "expert",
        "committee-member",
        "service",
        "operations",
    ];
    /// Name of the role of the Secretariat.
    pub const SECRETARIAT: &'static str = "secretariat";
    /// Name of the role of a coordinator.
    pub const COORDINATOR: &'static str = "coordinator";
    /// Name of the role of a manager of an organisation.
    pub const ORGANISATION_MANAGER: &'static str = "organisation-manager";

    /// The role of this name, for an organisation or for the alliance.
    pub fn new(name: &str, organisation: Option<OrganisationId>) -> Result<Self, InvalidRole> {
        Ok(match (name, organisation) {
            (Self::SECRETARIAT, None) => Self::Secretariat,
            (Self::COORDINATOR, None) => Self::Coordinator,
            (Self::ORGANISATION_MANAGER, Some(own)) => Self::OrganisationManager(own),
            ("expert", organisation) => Self::Expert(organisation),
            ("committee-member", None) => Self::CommitteeMember,
            ("service", organisation) => Self::Service(organisation),
            ("operations", None) => Self::Operations,
            (Self::ORGANISATION_MANAGER, None) => return Err(InvalidRole::NeedsOrganisation),
            (name, Some(_)) if Self::NAMES.contains(&name) => return Err(InvalidRole::OfTheAlliance),
            _ => return Err(InvalidRole::Unknown),
        })
    }

    /// The role's name as stored and printed.
    pub fn as_str(&self) -> &'static str {
        Self::NAMES[self.number()]
    }

    /// Place of the role in [`Self::NAMES`].
    pub fn number(&self) -> usize {
        match self {
            Self::Secretariat => 0,
            Self::Coordinator => 1,
            Self::OrganisationManager(_) => 2,
            Self::Expert(_) => 3,
            Self::CommitteeMember => 4,
            Self::Service(_) => 5,
            Self::Operations => 6,
        }
    }

    /// The organisation that the role is for; `None` for a role of the alliance.
    pub fn organisation(&self) -> Option<&OrganisationId> {
        match self {
            Self::OrganisationManager(own) => Some(own),
            Self::Expert(of) | Self::Service(of) => of.as_ref(),
            Self::Secretariat | Self::Coordinator | Self::CommitteeMember | Self::Operations => None,
        }
    }
}

/// `coordinator`, or `organisation-manager@wim-peru` for a role of an organisation.
impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())?;
        self.organisation().map_or(Ok(()), |own| write!(f, "@{own}"))
    }
}

/// Reads what `Display` writes.
impl FromStr for Role {
    type Err = InvalidRole;

    fn from_str(text: &str) -> Result<Self, InvalidRole> {
        match text.split_once('@') {
            None => Self::new(text, None),
            Some((name, own)) => Self::new(name, Some(own.parse().map_err(|_| InvalidRole::Unknown)?)),
        }
    }
}

impl From<Role> for String {
    fn from(role: Role) -> Self {
        role.to_string()
    }
}

impl TryFrom<String> for Role {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        text.parse().map_err(|_: InvalidRole| "no role")
    }
}

/// Why a name and an organisation are no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidRole {
    /// No role has this name.
    Unknown,
    /// The role is always for an organisation.
    NeedsOrganisation,
    /// The role is always for the alliance.
    OfTheAlliance,
}

impl InvalidRole {
    /// What is wrong with the value.
    pub fn message(self) -> Message {
        match self {
            Self::Unknown => message!("is not a role; use one of: {roles}", roles = Role::NAMES.join(", ")),
            Self::NeedsOrganisation => message!("is a role for one organisation; name the organisation"),
            Self::OfTheAlliance => message!("is a role for the alliance; leave the organisation out"),
        }
    }
}

/// A stored grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Its id, a UUID.
    pub id: String,
    /// The role.
    pub role: Role,
    /// The role is held from this moment on.
    pub from: Timestamp,
    /// The role is held before this moment; `None` without an end.
    pub until: Option<Timestamp>,
    /// The moment at which somebody ended the grant for ever.
    pub end_time: Option<Timestamp>,
}

impl Grant {
    /// Whether the role is held at `now`. `latest` is the latest moment that was ever read from the clock: if the clock
    /// jumps back, a grant that has ended stays ended.
    pub fn is_live(&self, now: Timestamp, latest: Timestamp) -> bool {
        self.end_time.is_none() && self.from <= now && self.until.is_none_or(|until| now.max(latest) < until)
    }
}

/// A grant from outside, not parsed yet.
#[derive(Debug, Clone, Default)]
pub struct GrantDraft {
    /// Name of the role; empty if not said.
    pub role: String,
    /// Resource name of the organisation; empty for the alliance.
    pub organisation: String,
    /// Beginning; `None` means at once.
    pub from: Option<Timestamp>,
    /// End; `None` means without an end.
    pub until: Option<Timestamp>,
}

/// A parsed grant that is not stored yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// The role.
    pub role: Role,
    /// Beginning.
    pub from: Timestamp,
    /// End; `None` without one.
    pub until: Option<Timestamp>,
}

impl Term {
    /// Parses a draft at `now`, or returns all violations.
    pub fn parse(draft: &GrantDraft, now: Timestamp) -> Result<Self, Violations> {
        let mut violations = Violations::of_request();
        let organisation = match draft.organisation.as_str() {
            "" => Ok(None),
            name => OrganisationId::from_name(name).map(Some),
        };
        let role = match organisation {
            Ok(organisation) => Role::new(&draft.role, organisation).map_err(|wrong| {
                let field = if wrong == InvalidRole::Unknown { "role" } else { "organisation" };
                let value = if wrong == InvalidRole::Unknown { &draft.role } else { &draft.organisation };
                violations.push(field, value, wrong.message(), "");
            }),
            Err(error) => {
                violations.push("organisation", &draft.organisation, error.to_string(), "");
                Err(())
            }
        };
        let from = draft.from.unwrap_or(now);
        if let Some(until) = draft.until {
            if until <= from {
                violations.push(
                    "until_time",
                    until.to_string(),
                    "is not after the beginning of the grant",
                    "",
                );
            } else if until <= now {
                violations.push("until_time", until.to_string(), "is in the past", "");
            }
        }
        match role {
            Ok(role) => violations.finish(Self { role, from, until: draft.until }),
            Err(()) => Err(violations),
        }
    }

    /// The grant with its id.
    pub fn with_id(self, id: String) -> Grant {
        Grant { id, role: self.role, from: self.from, until: self.until, end_time: None }
    }
}

/// An invitation, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// Its id, a UUID.
    pub id: String,
    /// The roles of the person who redeems it.
    pub grants: Vec<Term>,
    /// When it was created.
    pub create_time: Timestamp,
    /// The moment from which it cannot be redeemed.
    pub expire_time: Timestamp,
    /// Who created it: the id of a principal, or `operator`.
    pub creator: String,
    /// When it was redeemed, and the id of the principal that it made.
    pub redeemed: Option<(Timestamp, String)>,
    /// When it was cancelled.
    pub cancel_time: Option<Timestamp>,
}

impl Invitation {
    /// Whether it can be redeemed at `latest`, the latest moment that the service has seen.
    pub fn is_open(&self, latest: Timestamp) -> bool {
        self.redeemed.is_none() && self.cancel_time.is_none() && latest < self.expire_time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_reads_back_as_it_prints() {
        let written = [
            "secretariat",
            "coordinator",
            "organisation-manager@wim-peru",
            "expert",
            "expert@wim-peru",
            "committee-member",
            "service",
            "service@wim-peru",
            "operations",
        ];
        for text in written {
            let role: Role = text.parse().expect("a role");
            assert_eq!(role.to_string(), text);
            assert_eq!(Role::NAMES[role.number()], role.as_str());
        }
        for (text, wrong) in [
            ("organisation-manager", InvalidRole::NeedsOrganisation),
            ("coordinator@wim-peru", InvalidRole::OfTheAlliance),
            ("operations@wim-peru", InvalidRole::OfTheAlliance),
            ("organisation-manager@Wim", InvalidRole::Unknown),
            ("expert@", InvalidRole::Unknown),
            ("Coordinator", InvalidRole::Unknown),
            ("admin@wim-peru", InvalidRole::Unknown),
            ("", InvalidRole::Unknown),
        ] {
            assert_eq!(text.parse::<Role>(), Err(wrong), "{text}");
        }
    }

    #[test]
    fn a_grant_is_live_between_its_beginning_and_its_end_and_never_again() {
        let at = |second| Timestamp::from_second(second).expect("a moment");
        let grant = Grant {
            id: "g".to_owned(),
            role: Role::CommitteeMember,
            from: at(10),
            until: Some(at(20)),
            end_time: None,
        };
        let live = |now| grant.is_live(at(now), at(now));
        assert_eq!([9, 10, 19, 20].map(live), [false, true, true, false]);
        assert!(!grant.is_live(at(15), at(20)), "the clock has jumped back behind the end");
        assert!(!grant.is_live(at(9), at(15)), "the clock has jumped back behind the beginning");
        let ended = Grant { end_time: Some(at(12)), ..grant };
        assert!(!ended.is_live(at(11), at(11)), "an end by hand holds whatever the clock says");
    }

    #[test]
    fn a_grant_ends_after_it_begins_and_not_in_the_past() {
        let at = |second| Timestamp::from_second(second).expect("a moment");
        let parse = |role: &str, organisation: &str, from: Option<i64>, until: Option<i64>| {
            let draft = GrantDraft {
                role: role.to_owned(),
                organisation: organisation.to_owned(),
                from: from.map(at),
                until: until.map(at),
            };
            let wrong = Term::parse(&draft, at(100)).err();
            wrong.map(|wrong| wrong.listed().iter().map(|one| one.field.clone()).collect::<Vec<_>>())
        };
        assert_eq!(parse("committee-member", "", None, Some(101)), None);
        assert_eq!(parse("organisation-manager", "organisations/wim-peru", Some(300), None), None);
        let until = Some(vec!["until_time".to_owned()]);
        assert_eq!(parse("coordinator", "", Some(200), Some(200)), until);
        assert_eq!(parse("coordinator", "", Some(200), Some(150)), until);
        assert_eq!(parse("coordinator", "", Some(50), Some(100)), until, "it would have ended already");
        let wrong = parse("admin", "wim-peru", Some(9), Some(8)).expect("is wrong");
        assert_eq!(wrong, ["organisation", "until_time"]);
        assert_eq!(parse("", "", None, None), Some(vec!["role".to_owned()]));
        let without = parse("organisation-manager", "", None, None);
        assert_eq!(without, Some(vec!["organisation".to_owned()]));
    }
}
