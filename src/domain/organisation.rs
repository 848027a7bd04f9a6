//! A Women-in-Mining organisation: the tenant, with rules of its own that no round overrides.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::field_rule::{self, FieldRule};
use super::membership::Membership;
use super::name::OrganisationId;
use super::quota;
use super::violation::Violations;
use super::vocabulary::Country;

/// The rule of a display name.
const DISPLAY_NAME: FieldRule = field_rule::ORGANISATION_DISPLAY_NAME;
/// The shortest time that people who take part in nothing are kept: shorter ones would erase people between two rounds.
const FEWEST_IDLE_DAYS: i32 = 30;
/// The longest such time.
const MOST_IDLE_DAYS: i32 = field_rule::ORGANISATION_IDLE_PROFILE_DAYS.most;

/// Rules of an organisation for its own members.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganisationRules {
    /// Its members are matched with members of the same organisation only.
    pub same_organisation_only: bool,
    /// Organisations whose members its own members are never matched with; ordered, without repeats.
    pub excluded_organisations: Vec<OrganisationId>,
    /// Its own limits of the exchange with others.
    #[serde(default, skip_serializing_if = "PlaceLimits::is_empty")]
    pub limits: PlaceLimits,
}

/// Limits of an organisation of its own. They are private: nothing that another organisation or a coordinator reads depends on
/// them, except through who is matched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceLimits {
    /// Most matches of its mentors with mentees of other organisations; `None` sets no limit.
    pub most_given: Option<u32>,
    /// Most matches of its mentees with mentors of other organisations; `None` sets no limit.
    pub most_taken: Option<u32>,
}

impl PlaceLimits {
    /// Whether there is no limit.
    pub fn is_empty(&self) -> bool {
        self.most_given.is_none() && self.most_taken.is_none()
    }
}

/// Rules of an organisation from outside, not parsed yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrganisationRulesDraft {
    /// Its members are matched with members of the same organisation only.
    pub same_organisation_only: bool,
    /// Resource names of excluded organisations.
    pub excluded_organisations: Vec<String>,
    /// Most places given to others.
    pub most_given: Option<i32>,
    /// Most places taken from others.
    pub most_taken: Option<i32>,
}

/// An organisation from outside, not parsed yet.
#[derive(Debug, Clone, Default)]
pub struct OrganisationDraft {
    /// Name that people read.
    pub display_name: String,
    /// Seat, ISO 3166-1 alpha-2.
    pub country: String,
    /// Own rules.
    pub same_organisation_only: bool,
    /// Resource names of excluded organisations.
    pub excluded_organisations: Vec<String>,
    /// Most places given to others and taken from others.
    pub most_places: [Option<i32>; 2],
    /// Days that people who take part in nothing are kept; 0 for no end.
    pub idle_profile_days: i32,
}

/// The stored content of an organisation, without version and times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganisationContent {
    /// Name that people read.
    pub display_name: String,
    /// Seat.
    pub country: Country,
    /// Own rules.
    pub rules: OrganisationRules,
    /// Days that people who take part in nothing are kept; 0 for no end.
    pub idle_profile_days: i32,
}

/// A registered organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    /// Id.
    pub id: OrganisationId,
    /// Content.
    pub content: OrganisationContent,
    /// What the organisation is to the alliance.
    pub membership: Membership,
    /// Number of the version, from 1; source of the etag.
    pub version: i64,
    /// When the organisation was registered.
    pub create_time: Timestamp,
    /// When the organisation was last changed.
    pub update_time: Timestamp,
}

/// A change of an organisation from outside, not parsed yet: the fields that change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct OrganisationPatch {
    /// Name that people read.
    pub display_name: Option<String>,
    /// Seat, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// Days that people who take part in nothing are kept; 0 for no end.
    pub idle_profile_days: Option<i32>,
    /// The organisation's own rules, parsed.
    pub rules: Option<OrganisationRules>,
}

impl OrganisationRules {
    /// The rules without the limits of the exchange, which are stored and hidden for themselves.
    #[must_use]
    pub fn without_limits(&self) -> Self {
        Self { limits: PlaceLimits::default(), ..self.clone() }
    }

    /// Parses rules of organisation `id`, or returns all violations.
    pub fn parse(id: &OrganisationId, draft: &OrganisationRulesDraft) -> Result<Self, Violations> {
        let OrganisationRulesDraft { same_organisation_only, excluded_organisations, .. } = draft;
        let same_organisation_only = *same_organisation_only;
        let mut violations = Violations::of_request();
        let limit = |given: Option<i32>, field: &str, violations: &mut Violations| {
            given.and_then(|most| quota::matches(most, field, violations))
        };
        let most_given = limit(draft.most_given, "most_places_given", &mut violations);
        let most_taken = limit(draft.most_taken, "most_places_taken", &mut violations);
        let mut excluded = Vec::with_capacity(excluded_organisations.len());
        for (i, name) in excluded_organisations.iter().enumerate() {
            let field = format!("excluded_organisations[{i}]");
            match OrganisationId::from_name(name) {
                Ok(other) if other == *id => {
                    violations.push(field, name, "is the organisation itself", "remove this entry");
                }
                Ok(other) => excluded.push(other),
                Err(error) => violations.push(field, name, error.to_string(), ""),
            }
        }
        excluded.sort();
        excluded.dedup();
        violations.finish(Self {
            same_organisation_only,
            excluded_organisations: excluded,
            limits: PlaceLimits { most_given, most_taken },
        })
    }
}

impl Organisation {
    /// The moment before which a person took part in something for the last time if her time has ended; `None` if the
    /// organisation has set no time.
    pub fn idle_limit(&self, now: Timestamp) -> Option<Timestamp> {
        let days = i64::from(self.content.idle_profile_days);
        (days > 0).then(|| now - SignedDuration::from_hours(24 * days))
    }
}

impl OrganisationContent {
    /// The content after a change, or all violations.
    pub fn patched(&self, id: &OrganisationId, patch: &OrganisationPatch) -> Result<Self, Violations> {
        let draft = OrganisationDraft {
            display_name: patch.display_name.clone().unwrap_or_else(|| self.display_name.clone()),
            country: patch.country.clone().unwrap_or_else(|| self.country.code().to_owned()),
            idle_profile_days: patch.idle_profile_days.unwrap_or(self.idle_profile_days),
            ..OrganisationDraft::default()
        };
        let rules = patch.rules.as_ref().unwrap_or(&self.rules).clone();
        Ok(Self { rules, ..Self::parse(id, &draft)? })
    }

    /// Parses a draft of organisation `id`, or returns all violations.
    pub fn parse(id: &OrganisationId, draft: &OrganisationDraft) -> Result<Self, Violations> {
        let mut violations = Violations::of_request();
        let display_name = parse_display_name(&draft.display_name, &mut violations);
        let country = Country::from_code(&draft.country);
        if country.is_none() {
            violations.push(
                "country",
                &draft.country,
                "is not an ISO 3166-1 alpha-2 country code",
                "use two capital letters, for example PE",
            );
        }
        let rules = OrganisationRulesDraft {
            same_organisation_only: draft.same_organisation_only,
            excluded_organisations: draft.excluded_organisations.clone(),
            most_given: draft.most_places[0],
            most_taken: draft.most_places[1],
        };
        let rules = OrganisationRules::parse(id, &rules)
            .map_err(|part| violations.extend(part.within("rules")))
            .unwrap_or_default();
        let idle_profile_days = draft.idle_profile_days;
        if idle_profile_days != 0 && !(FEWEST_IDLE_DAYS..=MOST_IDLE_DAYS).contains(&idle_profile_days) {
            violations.push(
                "idle_profile_days",
                idle_profile_days,
                "is neither 0 nor between 30 and 3,650 days",
                "use 0 to keep profiles until somebody erases them",
            );
        }
        match country {
            Some(country) => violations.finish(Self { display_name, country, rules, idle_profile_days }),
            None => Err(violations),
        }
    }
}

/// Parses a display name of an organisation or a round, which have the same rule.
pub fn parse_display_name(text: &str, violations: &mut Violations) -> String {
    DISPLAY_NAME.text("display_name", text, violations)
}
