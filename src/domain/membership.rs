//! The membership of an organisation: what it is to the alliance, and which rules of the Alliance it has accepted.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::violation::Violations;

/// Longest name of a version of the Alliance's rules, in characters.
const MAX_VERSION: usize = 64;

/// State of a membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MembershipState {
    /// The organisation has applied and is not admitted yet.
    Applicant,
    /// The organisation is a member: it can be invited to rounds.
    Member,
    /// The alliance has suspended the membership.
    Suspended,
    /// The organisation has left the alliance. Its data is kept until it is exported and erased.
    Left,
}

impl MembershipState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Applicant, Self::Member, Self::Suspended, Self::Left];

    /// The state's name as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applicant => "applicant",
            Self::Member => "member",
            Self::Suspended => "suspended",
            Self::Left => "left",
        }
    }

    /// Reads a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// The version of the Alliance's rules that an organisation has accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedRules {
    /// Name of the version, for example `2026-1`.
    pub version: String,
    /// When the organisation accepted it.
    pub time: Timestamp,
}

/// A membership.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// State.
    pub state: MembershipState,
    /// The accepted rules; `None` while no acceptance is recorded.
    pub accepted: Option<AcceptedRules>,
}

impl Membership {
    /// The membership of an organisation that has just been registered.
    pub const NEW: Self = Self { state: MembershipState::Member, accepted: None };

    /// Whether the organisation can be invited to rounds.
    pub fn is_member(&self) -> bool {
        self.state == MembershipState::Member
    }

    /// The membership after a change at `now`, or its violation: a member has accepted a version of the Alliance's rules.
    pub fn changed(&self, change: &MembershipChange, now: Timestamp) -> Result<Self, Violations> {
        let MembershipChange { state, rules_version: version, accept_time } = change;
        let accepted = if version.is_empty() {
            self.accepted.clone()
        } else {
            let same = self.accepted.as_ref().filter(|accepted| accepted.version == *version);
            let time = accept_time.or(same.map(|accepted| accepted.time)).unwrap_or(now);
            Some(AcceptedRules { version: version.clone(), time })
        };
        let mut violations = Violations::of_request();
        if *state == MembershipState::Member && accepted.is_none() {
            let hint = "give the version that the organisation has accepted";
            violations.push("rules_version", "", "is missing for a member", hint);
        }
        violations.finish(Self { state: *state, accepted })
    }
}

/// A change of a membership from outside, not parsed yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MembershipDraft {
    /// The new state; `None` if it was not given.
    pub state: Option<MembershipState>,
    /// The version of the Alliance's rules that was accepted; empty keeps the recorded one.
    pub rules_version: String,
    /// When the version was accepted; `None` means now, or the recorded moment of the same version.
    pub accept_time: Option<Timestamp>,
}

/// A change of a membership.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MembershipChange {
    state: MembershipState,
    rules_version: String,
    accept_time: Option<Timestamp>,
}

impl MembershipDraft {
    /// Parses a change at `now`, or returns all violations.
    pub fn parse(&self, now: Timestamp) -> Result<MembershipChange, Violations> {
        let mut violations = Violations::of_request();
        if self.state.is_none() {
            violations.push("state", "", "is not set", "use APPLICANT, MEMBER, SUSPENDED or LEFT");
        }
        let version = self.rules_version.trim();
        if version.chars().count() > MAX_VERSION || version.chars().any(char::is_control) {
            let hint = "use 1 to 64 characters, for example 2026-1";
            violations.push("rules_version", version.escape_debug(), "is not the name of a version", hint);
        }
        match self.accept_time {
            Some(time) if version.is_empty() => {
                violations.push("accept_time", time, "has no version beside it", "give `rules_version` too");
            }
            Some(time) if time > now => {
                violations.push("accept_time", time, "is in the future", "give the moment of the acceptance");
            }
            _ => {}
        }
        let state = self.state.unwrap_or(MembershipState::Applicant);
        let rules_version = version.to_owned();
        violations.finish(MembershipChange { state, rules_version, accept_time: self.accept_time })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_has_accepted_rules_and_an_acceptance_lies_in_the_past() {
        let at = |second| Timestamp::from_second(second).expect("a moment");
        let set = |state, version: &str, time| MembershipDraft {
            state,
            rules_version: version.to_owned(),
            accept_time: time,
        };
        let fields = |wrong: Violations| {
            wrong.listed().iter().map(|violation| violation.field.clone()).collect::<Vec<_>>()
        };
        let wrong = |draft: MembershipDraft| fields(draft.parse(at(100)).expect_err("is wrong"));
        let change = |before: &Membership, draft: MembershipDraft, now| {
            before.changed(&draft.parse(at(now)).expect("is good"), at(now))
        };
        let member = Some(MembershipState::Member);
        assert_eq!(wrong(set(None, "2026-1", Some(at(101)))), ["state", "accept_time"]);
        assert_eq!(wrong(set(member, &"x".repeat(65), None)), ["rules_version"]);
        assert_eq!(wrong(set(member, "", Some(at(1)))), ["accept_time"]);
        let missing = change(&Membership::NEW, set(member, "", None), 100);
        assert_eq!(fields(missing.expect_err("has accepted nothing")), ["rules_version"]);
        let accepted = change(&Membership::NEW, set(member, "2026-1", Some(at(90))), 100).expect("is good");
        let left = change(&accepted, set(Some(MembershipState::Left), "", None), 200).expect("is good");
        assert_eq!((left.is_member(), &left.accepted), (false, &accepted.accepted), "the acceptance stays");
        let again = change(&left, set(member, "2026-1", None), 300).expect("is good");
        assert_eq!(again, accepted, "the moment of the same version stays");
    }
}
