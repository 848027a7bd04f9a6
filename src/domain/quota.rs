//! Quotas of a policy: floors and ceilings of regions and organisations, and the places that organisations give to each other.
//!
//! Invariants of [`PolicyQuotas`]: no entry is listed twice, no floor exceeds its ceiling, and the floors of the organisations
//! of a region do not exceed the ceiling of the region. Quotas count matches: a mentee with two mentors counts twice.

use serde::{Deserialize, Serialize};

use super::name::OrganisationId;
use super::violation::Violations;
use super::vocabulary::Region;

/// Most quotas of a policy, and most of its limits of exchange.
const MOST_LISTED: usize = 200;
/// The greatest number of matches that a quota or a limit can name.
const MOST_MATCHES: i32 = 1_000_000;

/// The side whose people a quota counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuotaSide {
    /// Mentees.
    Mentees,
    /// Mentors.
    Mentors,
}

/// The fewest and the most matches of the people of a region, of an organisation, or of an organisation within a region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// The side whose people count.
    pub side: QuotaSide,
    /// The region where they live; `None` for every region.
    pub region: Option<Region>,
    /// Their organisation; `None` for every organisation.
    pub organisation: Option<OrganisationId>,
    /// Fewest matches.
    pub least: u32,
    /// Most matches; `None` sets no ceiling.
    pub most: Option<u32>,
}

impl Quota {
    fn key(&self) -> (QuotaSide, Option<Region>, Option<&OrganisationId>) {
        (self.side, self.region, self.organisation.as_ref())
    }

    /// Code of the group in reasons: the organisation, the region, or both.
    pub fn code(&self) -> String {
        let region = self.region.map(Region::code);
        match (&self.organisation, region) {
            (Some(organisation), Some(region)) => format!("{organisation}@{region}"),
            (Some(organisation), None) => organisation.to_string(),
            (None, region) => region.unwrap_or_default().to_owned(),
        }
    }
}

/// The most places that an organisation gives to and takes from others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeLimit {
    /// The organisation; `None` for every organisation that has no entry of its own.
    pub organisation: Option<OrganisationId>,
    /// Most matches of its mentors with mentees of other organisations; `None` sets no limit.
    pub most_given: Option<u32>,
    /// Most matches of its mentees with mentors of other organisations; `None` sets no limit.
    pub most_taken: Option<u32>,
}

/// The quotas of a policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyQuotas {
    /// Floors and ceilings, ordered by side, region and organisation.
    pub quotas: Vec<Quota>,
    /// Limits of the exchange between organisations, ordered by organisation.
    pub exchange: Vec<ExchangeLimit>,
}

/// A quota as a caller sent it, not validated.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of the proto message Quota, documented there")]
pub struct QuotaDraft {
    pub side: i32,
    pub region: String,
    pub organisation: String,
    pub least: i32,
    pub most: Option<i32>,
}

/// A limit of exchange as a caller sent it, not validated.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of the proto message ExchangeLimit, documented there")]
pub struct ExchangeLimitDraft {
    pub organisation: String,
    pub most_given: Option<i32>,
    pub most_taken: Option<i32>,
}

impl PolicyQuotas {
    /// Whether the policy has no quota and no limit.
    pub fn is_empty(&self) -> bool {
        self.quotas.is_empty() && self.exchange.is_empty()
    }

    /// The limit that a policy sets for an organisation.
    pub fn exchange_of(&self, organisation: &OrganisationId) -> Option<&ExchangeLimit> {
        let of = |wanted: Option<&OrganisationId>| {
            self.exchange.iter().find(|one| one.organisation.as_ref() == wanted)
        };
        of(Some(organisation)).or_else(|| of(None))
    }

    /// Parses drafts. Everything that is wrong goes to `violations`.
    pub fn parse(
        quotas: &[QuotaDraft],
        exchange: &[ExchangeLimitDraft],
        violations: &mut Violations,
    ) -> Self {
        for (field, listed) in [("quotas", quotas.len()), ("exchange_limits", exchange.len())] {
            if listed > MOST_LISTED {
                let wrong = format!("the list has {listed} entries; at most {MOST_LISTED} are possible");
                violations.push(field, "", wrong, "shorten the list");
                return Self::default();
            }
        }
        let mut parsed = Self::default();
        for (at, draft) in quotas.iter().enumerate() {
            let field = format!("quotas[{at}]");
            let Some(quota) = parse_quota(draft, &field, violations) else { continue };
            if parsed.quotas.iter().any(|known| known.key() == quota.key()) {
                violations.push(field, quota.code(), "is listed twice", "list each group once on each side");
            } else {
                parsed.quotas.push(quota);
            }
        }
        for (at, draft) in exchange.iter().enumerate() {
            let field = format!("exchange_limits[{at}]");
            let organisation = parse_organisation(&draft.organisation, &field, violations);
            let limit = |given: Option<i32>, name: &str, violations: &mut Violations| {
                given.and_then(|number| matches(number, &format!("{field}.{name}"), violations))
            };
            let most_given = limit(draft.most_given, "most_given", violations);
            let most_taken = limit(draft.most_taken, "most_taken", violations);
            let Ok(organisation) = organisation else { continue };
            if parsed.exchange.iter().any(|known| known.organisation == organisation) {
                violations.push(
                    format!("{field}.organisation"),
                    &draft.organisation,
                    "is listed twice",
                    "list each organisation once, and give one entry without organisation for all others",
                );
            } else if draft.most_given.is_none() && draft.most_taken.is_none() {
                violations.push(field, "", "has no limit", "give most_given, most_taken or both");
            } else {
                parsed.exchange.push(ExchangeLimit { organisation, most_given, most_taken });
            }
        }
        parsed.quotas.sort_by(|a, b| a.key().cmp(&b.key()));
        parsed.exchange.sort_by(|a, b| a.organisation.cmp(&b.organisation));
        parsed.check_floors(violations);
        parsed
    }

    /// Adds a violation for each region whose organisations have floors that exceed its ceiling.
    fn check_floors(&self, violations: &mut Violations) {
        for whole in self.quotas.iter().filter(|one| one.organisation.is_none()) {
            let parts = self.quotas.iter().filter(|one| {
                (one.side, one.region) == (whole.side, whole.region) && one.organisation.is_some()
            });
            let least: u64 = parts.map(|one| u64::from(one.least)).sum();
            let (Some(most), Some(region)) = (whole.most, whole.region) else { continue };
            if least > u64::from(most) {
                violations.push(
                    "quotas",
                    region.code(),
                    format!("has a ceiling of {most}, but the floors of its organisations sum up to {least}"),
                    "raise the ceiling of the region, or lower floors of its organisations",
                );
            }
        }
    }
}

fn parse_quota(draft: &QuotaDraft, field: &str, violations: &mut Violations) -> Option<Quota> {
    let before = violations.count();
    let side = match draft.side {
        0 | 1 => QuotaSide::Mentees,
        2 => QuotaSide::Mentors,
        other => {
            let hint = "use QUOTA_SIDE_MENTEES or QUOTA_SIDE_MENTORS";
            violations.push(format!("{field}.side"), other, "is not a side of a quota", hint);
            QuotaSide::Mentees
        }
    };
    let region = Region::from_code(&draft.region);
    if region.is_none() && !draft.region.is_empty() {
        violations.push(
            format!("{field}.region"),
            &draft.region,
            "is not a sub-region of UN M49",
            "use a code of three digits, for example 005 for South America",
        );
    }
    let organisation = parse_organisation(&draft.organisation, field, violations).unwrap_or_default();
    if draft.region.is_empty() && draft.organisation.is_empty() {
        let hint = "give a region, an organisation, or both";
        violations.push(field, "", "names no group", hint);
    }
    let least = matches(draft.least, &format!("{field}.least"), violations).unwrap_or_default();
    let most = draft.most.and_then(|most| matches(most, &format!("{field}.most"), violations));
    if most.is_some_and(|most| least > most) {
        let wrong = format!("is below least, which is {least}");
        violations.push(
            format!("{field}.most"),
            draft.most.unwrap_or_default(),
            wrong,
            "raise most or lower least",
        );
    }
    if least == 0 && draft.most.is_none() && violations.count() == before {
        violations.push(field, "", "sets neither a floor nor a ceiling", "give least, most or both");
    }
    (violations.count() == before).then_some(Quota { side, region, organisation, least, most })
}

/// The organisation with a resource name, `None` for an empty name.
fn parse_organisation(
    name: &str,
    field: &str,
    violations: &mut Violations,
) -> Result<Option<OrganisationId>, WrongName> {
    if name.is_empty() {
        return Ok(None);
    }
    OrganisationId::from_name(name).map(Some).map_err(|error| {
        violations.push(format!("{field}.organisation"), name, error.to_string(), "");
        WrongName
    })
}

/// A name that is no resource name of an organisation; it is among the violations.
struct WrongName;

/// A number of matches.
pub fn matches(number: i32, field: &str, violations: &mut Violations) -> Option<u32> {
    let found = u32::try_from(number).ok().filter(|_| number <= MOST_MATCHES);
    if found.is_none() {
        let wrong = "is outside 0 to 1,000,000";
        violations.push(field, number, wrong, "give a number of matches in this range");
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(region: &str, organisation: &str, least: i32, most: Option<i32>) -> QuotaDraft {
        let (region, organisation) = (region.to_owned(), organisation.to_owned());
        QuotaDraft { side: 0, region, organisation, least, most }
    }

    #[test]
    fn everything_that_is_wrong_with_quotas_is_listed_at_once() {
        let quotas = [
            quota("005", "", 0, Some(2)),
            quota("005", "", 1, None),
            quota("", "", 1, None),
            quota("999", "nobody", -1, Some(1_000_001)),
            quota("005", "organisations/wim-peru", 3, None),
            quota("011", "", 3, Some(2)),
            quota("013", "", 0, None),
            QuotaDraft { side: 7, ..quota("014", "", 1, None) },
        ];
        let exchange = [
            ExchangeLimitDraft::default(),
            ExchangeLimitDraft { most_given: Some(-1), ..ExchangeLimitDraft::default() },
            ExchangeLimitDraft { organisation: "peru".to_owned(), ..ExchangeLimitDraft::default() },
        ];
        let mut violations = Violations::of_request();
        PolicyQuotas::parse(&quotas, &exchange, &mut violations);
        let fields: Vec<&str> = violations.listed().iter().map(|wrong| wrong.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "quotas[1]",
                "quotas[2]",
                "quotas[3].region",
                "quotas[3].organisation",
                "quotas[3].least",
                "quotas[3].most",
                "quotas[5].most",
                "quotas[6]",
                "quotas[7].side",
                "exchange_limits[0]",
                "exchange_limits[1].most_given",
                "exchange_limits[2].organisation",
                "quotas",
            ]
        );
    }

    #[test]
    fn the_limit_of_an_organisation_comes_before_the_one_of_all_others() {
        let limit = |organisation: &str, most_given| ExchangeLimitDraft {
            organisation: organisation.to_owned(),
            most_given: Some(most_given),
            most_taken: None,
        };
        let mut violations = Violations::of_request();
        let drafts = [limit("", 2), limit("organisations/wim-peru", 5)];
        let quotas = PolicyQuotas::parse(&[], &drafts, &mut violations);
        let most =
            |id: &str| quotas.exchange_of(&id.parse().expect("an id")).and_then(|limit| limit.most_given);
        assert_eq!((most("wim-peru"), most("wim-mali")), (Some(5), Some(2)));
    }
}
