//! Policies and their parts.

use super::timestamp;
use crate::api::proto::v1;
use crate::domain::name::{OrganisationId, PolicyRef, RoundId};
use crate::domain::policy::{
    Criterion, HardRule, HardRulesDraft, Objective, Policy, PolicyDraft, PreviousPartners,
};
use crate::domain::quota::{ExchangeLimit, ExchangeLimitDraft, Quota, QuotaDraft, QuotaSide};
use crate::domain::round::StoredPolicy;
use crate::domain::vocabulary::Region;

/// From the message, unchecked.
pub fn draft(message: v1::Policy) -> PolicyDraft {
    PolicyDraft {
        objective: message.objective,
        criteria: message.criteria.into_iter().map(|c| (c.criterion, c.weight, c.neutral)).collect(),
        rules: message.hard_rules.map(|r| HardRulesDraft {
            allow_same_employer: r.allow_same_employer,
            allow_same_competitor_group: r.allow_same_competitor_group,
            allow_same_reporting_line: r.allow_same_reporting_line,
            min_language_level: r.min_language_level,
            min_weekly_overlap_minutes: r.min_weekly_overlap_minutes,
            min_stage_gap: r.min_stage_gap,
            max_stage_gap: r.max_stage_gap,
            previous_partners: r.previous_partners,
            min_score: r.min_score,
            allow_mutual_mentoring: r.allow_mutual_mentoring,
            require_cross_border_consent: r.require_cross_border_consent,
        }),
        waitlist_after_days: message.waitlist_after_days,
        stability: message.stability,
        approvals: message.approvals,
        objection_days: message.objection_days,
        quotas: message.quotas.into_iter().map(quota_draft).collect(),
        exchange_limits: message.exchange_limits.into_iter().map(exchange_draft).collect(),
        require_least_places: message.require_least_places,
    }
}

fn quota_draft(message: v1::Quota) -> QuotaDraft {
    let v1::Quota { side, region, organisation, least, most } = message;
    QuotaDraft { side, region, organisation, least, most }
}

fn exchange_draft(message: v1::ExchangeLimit) -> ExchangeLimitDraft {
    let v1::ExchangeLimit { organisation, most_given, most_taken } = message;
    ExchangeLimitDraft { organisation, most_given, most_taken }
}

fn quota_message(quota: &Quota) -> v1::Quota {
    let side = match quota.side {
        QuotaSide::Mentees => v1::QuotaSide::Mentees,
        QuotaSide::Mentors => v1::QuotaSide::Mentors,
    };
    v1::Quota {
        side: side.into(),
        region: quota.region.map_or_else(String::new, |region: Region| region.code().to_owned()),
        organisation: quota.organisation.as_ref().map_or_else(String::new, OrganisationId::name),
        least: number(quota.least),
        most: quota.most.map(number),
    }
}

fn exchange_message(limit: &ExchangeLimit) -> v1::ExchangeLimit {
    v1::ExchangeLimit {
        organisation: limit.organisation.as_ref().map_or_else(String::new, OrganisationId::name),
        most_given: limit.most_given.map(number),
        most_taken: limit.most_taken.map(number),
    }
}

/// A number of matches, which the parser keeps within an `i32`.
fn number(matches: u32) -> i32 {
    i32::try_from(matches).unwrap_or(i32::MAX)
}

/// An objective's number in the API.
pub fn objective_message(objective: Objective) -> i32 {
    match objective {
        Objective::BestTotal => v1::Objective::BestTotal,
        Objective::Fairest => v1::Objective::Fairest,
        Objective::Stable => v1::Objective::Stable,
    }
    .into()
}

/// To the message, as a part of its round.
pub fn of_round(round: &RoundId, policy: &Policy) -> v1::Policy {
    let name = PolicyRef { round: round.clone(), version: policy.version }.name();
    v1::Policy { name, ..message(policy) }
}

/// To the message, as a resource of its own.
pub fn resource(stored: &StoredPolicy) -> v1::Policy {
    let create_time = Some(timestamp(stored.create_time));
    v1::Policy { create_time, ..of_round(&stored.name.round, &stored.policy) }
}

/// To the message, with all default values filled in.
pub fn message(policy: &Policy) -> v1::Policy {
    let rules = &policy.rules;
    v1::Policy {
        version: policy.version,
        name: String::new(),
        create_time: None,
        objective: objective_message(policy.objective),
        criteria: policy
            .criteria
            .iter()
            .map(|c| v1::CriterionWeight {
                criterion: c.criterion as i32,
                weight: c.weight.into(),
                neutral: Some(c.neutral.into()),
            })
            .collect(),
        hard_rules: Some(v1::HardRules {
            allow_same_employer: rules.allow_same_employer,
            allow_same_competitor_group: rules.allow_same_competitor_group,
            allow_same_reporting_line: rules.allow_same_reporting_line,
            min_language_level: Some(rules.min_language_level as i32),
            min_weekly_overlap_minutes: Some(rules.min_weekly_overlap_minutes.into()),
            min_stage_gap: Some(rules.min_stage_gap.into()),
            max_stage_gap: Some(rules.max_stage_gap.into()),
            previous_partners: match rules.previous_partners {
                PreviousPartners::Forbid => v1::PreviousPartners::Forbid,
                PreviousPartners::Discourage => v1::PreviousPartners::Discourage,
                PreviousPartners::Prefer => v1::PreviousPartners::Prefer,
            }
            .into(),
            min_score: rules.min_score.into(),
            allow_mutual_mentoring: rules.allow_mutual_mentoring,
            require_cross_border_consent: rules.require_cross_border_consent,
        }),
        waitlist_after_days: Some(policy.waitlist_after_days.map_or(0, i32::from)),
        stability: policy.stability.into(),
        approvals: policy.approvals.into(),
        objection_days: policy.objection_days.into(),
        quotas: policy.quotas.quotas.iter().map(quota_message).collect(),
        exchange_limits: policy.quotas.exchange.iter().map(exchange_message).collect(),
        require_least_places: policy.require_least_places,
    }
}

/// A criterion in an explanation; `None`, all private criteria together, has its own number.
pub fn criterion_message(criterion: Option<Criterion>) -> i32 {
    criterion.map_or(v1::Criterion::PrivateAnswers.into(), |criterion| criterion as i32)
}

/// Reads the number of [`criterion_message`].
pub fn criterion(number: i32) -> Option<Criterion> {
    Criterion::from_number(number)
}

/// A hard rule by the API's number.
pub fn hard_rule(number: i32) -> Option<HardRule> {
    HardRule::from_number(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_survives_the_way_out_and_back() {
        let policy = Policy::default();
        assert_eq!(Policy::parse(&draft(message(&policy))).expect("a good policy"), policy);
    }

    /// The enums of the domain are generated from the protos by `build.rs`, and those of the API by prost.
    #[test]
    fn numbers_and_names_of_the_api_and_the_domain_are_the_same() {
        for criterion in Criterion::ALL {
            let named = v1::Criterion::try_from(criterion as i32).expect("a criterion of the API");
            let name = format!("CRITERION_{}", criterion.as_str().to_uppercase());
            assert_eq!(named.as_str_name(), name);
            assert_eq!(Criterion::from_number(criterion as i32), Some(criterion));
        }
        for rule in HardRule::ALL {
            let named = v1::HardRule::try_from(rule as i32).expect("a rule of the API");
            assert_eq!(named.as_str_name(), format!("HARD_RULE_{}", rule.as_str().to_uppercase()));
            assert_eq!(HardRule::from_number(rule as i32), Some(rule));
        }
        assert_eq!(
            Criterion::from_number(v1::Criterion::PrivateAnswers.into()),
            None,
            "it cannot be weighted"
        );
    }
}
