//! Policies: criteria with weights, hard rules, and the objective of a round.
//!
//! A policy is immutable once a run has used it. `build.rs` generates [`Criterion`] and [`HardRule`] from `policy.proto`,
//! where each criterion also states its default weight and whether it is private.

use serde::{Deserialize, Serialize};

use super::language::LanguageLevel;
use super::quota::{ExchangeLimitDraft, PolicyQuotas, QuotaDraft};
use super::violation::Violations;

/// Highest score of a pair or of a criterion: shown as 100.00 %.
pub const FULL_SCORE: u16 = 10_000;
/// Highest weight of a criterion.
pub const MAX_WEIGHT: u16 = 1_000;
/// Criterion score of a missing answer if the policy does not state one.
pub const DEFAULT_NEUTRAL: u16 = 5_000;
/// Waiting days that make a mentee waitlisted if the policy does not state a number.
pub const DEFAULT_WAITLIST_AFTER_DAYS: u16 = 90;

include!(concat!(env!("OUT_DIR"), "/policy_codes.rs"));

/// The weight of a criterion in a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CriterionWeight {
    /// The criterion.
    pub criterion: Criterion,
    /// Weight relative to the other criteria, 0..=1,000.
    pub weight: u16,
    /// Criterion score of a missing answer, 0..=10,000.
    pub neutral: u16,
}

/// Objective of the assignment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// Most matched mentees by tier, then minimum places, then second mentors, then the total score.
    #[default]
    BestTotal,
    /// As many people as with `BestTotal`, then the greatest score of the worst pair, then the total score.
    Fairest,
    /// No blocking pair; among such assignments, the best one for the mentees.
    Stable,
}

impl Objective {
    /// All objectives.
    pub const ALL: [Self; 3] = [Self::BestTotal, Self::Fairest, Self::Stable];

    /// The objective with a number of the API; 0 stands for the default.
    pub fn of(number: i32) -> Option<Self> {
        match number {
            0 => Some(Self::default()),
            number => Self::ALL.into_iter().zip(1..).find(|(_, own)| *own == number).map(|(found, _)| found),
        }
    }

    /// Name: the API's name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BestTotal => "best_total",
            Self::Fairest => "fairest",
            Self::Stable => "stable",
        }
    }
}

/// Treatment of previous partners.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PreviousPartners {
    /// A hard rule forbids the pair.
    #[default]
    Forbid,
    /// The criterion favours new partners.
    Discourage,
    /// The criterion favours previous partners.
    Prefer,
}

/// The hard rules that a policy can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a rule that a policy switches by itself")]
pub struct HardRules {
    /// People of one employer may be matched.
    pub allow_same_employer: bool,
    /// People of one competitor group may be matched.
    pub allow_same_competitor_group: bool,
    /// People of one reporting line may be matched.
    pub allow_same_reporting_line: bool,
    /// Lowest level of a common language.
    pub min_language_level: LanguageLevel,
    /// Fewest common minutes per week, averaged over four weeks, in every season; 0 switches the rule off.
    pub min_weekly_overlap_minutes: u16,
    /// Fewest steps of the mentor's stage above the mentee's, -6..=6.
    pub min_stage_gap: i8,
    /// Most steps of the mentor's stage above the mentee's, `min_stage_gap`..=6.
    pub max_stage_gap: i8,
    /// Treatment of previous partners.
    pub previous_partners: PreviousPartners,
    /// Lowest pair score of a candidate, 0..=10,000.
    pub min_score: u16,
    /// Two people may mentor each other.
    pub allow_mutual_mentoring: bool,
    /// People of two countries are matched only if both have a live consent to matches across borders.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require_cross_border_consent: bool,
}

impl Default for HardRules {
    fn default() -> Self {
        Self {
            allow_same_employer: false,
            allow_same_competitor_group: false,
            allow_same_reporting_line: false,
            min_language_level: LanguageLevel::B2,
            min_weekly_overlap_minutes: 30,
            min_stage_gap: 0,
            max_stage_gap: 5,
            previous_partners: PreviousPartners::Forbid,
            min_score: 0,
            allow_mutual_mentoring: false,
            require_cross_border_consent: false,
        }
    }
}

/// A valid policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Number of the policy within the round, from 1.
    pub version: i64,
    /// Objective of the assignment.
    pub objective: Objective,
    /// Weights, ordered by criterion; at least one is above zero.
    pub criteria: Vec<CriterionWeight>,
    /// Hard rules.
    pub rules: HardRules,
    /// Days of waiting at the start of the round that make a mentee waitlisted; `None` means one tier only.
    pub waitlist_after_days: Option<u16>,
    /// Points of score that a kept pair of the followed run is worth, 0..=10,000. With 0 it decides among equal totals only.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stability: u16,
    /// Approvals that a submission needs, 1 to 5.
    #[serde(default = "one_approval", skip_serializing_if = "is_one_approval")]
    pub approvals: u8,
    /// Days after the last approval in which organisations may object, 0 to 30.
    #[serde(default, skip_serializing_if = "is_no_day")]
    pub objection_days: u8,
    /// Floors and ceilings of regions and organisations, and limits of the exchange between organisations.
    #[serde(default, skip_serializing_if = "PolicyQuotas::is_empty")]
    pub quotas: PolicyQuotas,
    /// Least places of mentors are a rule: a mentor has no mentee, or at least as many as her offer says. Otherwise they are a
    /// wish, which comes after the number of mentees.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require_least_places: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u16) -> bool {
    *number == 0
}

fn one_approval() -> u8 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_one_approval(approvals: &u8) -> bool {
    *approvals == one_approval()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_no_day(days: &u8) -> bool {
    *days == 0
}

impl Default for Policy {
    fn default() -> Self {
        let criteria = Criterion::ALL.into_iter().map(|criterion| CriterionWeight {
            criterion,
            weight: criterion.default_weight(),
            neutral: DEFAULT_NEUTRAL,
        });
        Self {
            version: 1,
            objective: Objective::BestTotal,
            criteria: criteria.collect(),
            rules: HardRules::default(),
            waitlist_after_days: Some(DEFAULT_WAITLIST_AFTER_DAYS),
            stability: 0,
            approvals: one_approval(),
            objection_days: 0,
            quotas: PolicyQuotas::default(),
            require_least_places: false,
        }
    }
}

/// A policy as a caller sent it: the numbers of the API, not validated.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of the proto message Policy, documented there")]
pub struct PolicyDraft {
    pub objective: i32,
    pub criteria: Vec<(i32, i32, Option<i32>)>,
    pub rules: Option<HardRulesDraft>,
    pub waitlist_after_days: Option<i32>,
    pub stability: i32,
    pub approvals: i32,
    pub objection_days: i32,
    pub quotas: Vec<QuotaDraft>,
    pub exchange_limits: Vec<ExchangeLimitDraft>,
    pub require_least_places: bool,
}

/// Hard rules as a caller sent them, not validated.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of the proto message HardRules, documented there")]
#[expect(clippy::struct_excessive_bools, reason = "each is a rule that a policy switches by itself")]
pub struct HardRulesDraft {
    pub allow_same_employer: bool,
    pub allow_same_competitor_group: bool,
    pub allow_same_reporting_line: bool,
    pub min_language_level: Option<i32>,
    pub min_weekly_overlap_minutes: Option<i32>,
    pub min_stage_gap: Option<i32>,
    pub max_stage_gap: Option<i32>,
    pub previous_partners: i32,
    pub min_score: i32,
    pub allow_mutual_mentoring: bool,
    pub require_cross_border_consent: bool,
}

impl Policy {
    /// Parses a draft into a policy of version 1. The error lists all violations.
    pub fn parse(draft: &PolicyDraft) -> Result<Self, Violations> {
        let mut violations = Violations::of_request();
        let objective = Objective::of(draft.objective).unwrap_or_else(|| {
            let what = "is not an objective of this service";
            violations.push("objective", draft.objective, what, "use BEST_TOTAL, FAIREST or STABLE");
            Objective::BestTotal
        });
        let criteria = parse_criteria(&draft.criteria, &mut violations);
        let rules = match &draft.rules {
            Some(rules) => parse_rules(rules, &mut violations),
            None => HardRules::default(),
        };
        let waitlist_after_days = match draft.waitlist_after_days {
            None => Some(DEFAULT_WAITLIST_AFTER_DAYS),
            // After no day of waiting everybody is in the first tier.
            Some(0) => None,
            Some(days @ 1..=3_650) => u16::try_from(days).ok(),
            Some(days) => {
                violations.push(
                    "waitlist_after_days",
                    days,
                    "is outside 0 to 3,650",
                    "use 0 for one tier, or a number of days",
                );
                None
            }
        };
        let stability = within(draft.stability, 0, i32::from(FULL_SCORE), "stability", &mut violations);
        // 0 stands for an absent number.
        let approvals =
            small(draft.approvals.max(i32::from(draft.approvals == 0)), 1, 5, "approvals", &mut violations);
        let objection_days = small(draft.objection_days, 0, 30, "objection_days", &mut violations);
        let quotas = PolicyQuotas::parse(&draft.quotas, &draft.exchange_limits, &mut violations);
        if objective == Objective::Stable && (!draft.quotas.is_empty() || !draft.exchange_limits.is_empty()) {
            violations.push(
                "objective",
                "STABLE",
                "takes no quotas, because a stable result under quotas need not exist",
                "use BEST_TOTAL or FAIREST, or leave quotas and exchange_limits empty",
            );
        }
        if objective == Objective::Stable && draft.require_least_places {
            violations.push(
                "require_least_places",
                "true",
                "does not go with STABLE, because a stable result under least places need not exist",
                "use BEST_TOTAL or FAIREST, or leave require_least_places out",
            );
        }
        violations.finish(Self {
            version: 1,
            objective,
            criteria,
            rules,
            waitlist_after_days,
            stability,
            approvals,
            objection_days,
            quotas,
            require_least_places: draft.require_least_places,
        })
    }

    /// The weights as shares of 10,000 points, in the order of `criteria`. Each share is rounded down, and the remaining
    /// points go to the largest remainders (Hamilton's method), so that the shares sum to exactly 10,000.
    pub fn max_points(&self) -> Vec<(Criterion, u16)> {
        let total: u32 = self.criteria.iter().map(|c| u32::from(c.weight)).sum();
        if total == 0 {
            return self.criteria.iter().map(|c| (c.criterion, 0)).collect();
        }
        let exact = |weight: u16| u32::from(weight) * u32::from(FULL_SCORE);
        let mut points: Vec<u32> = self.criteria.iter().map(|c| exact(c.weight) / total).collect();
        let mut order: Vec<usize> = (0..points.len()).collect();
        order.sort_by_key(|&i| (std::cmp::Reverse(exact(self.criteria[i].weight) % total), i));
        let left = u32::from(FULL_SCORE) - points.iter().sum::<u32>();
        for &i in order.iter().take(left as usize) {
            points[i] += 1;
        }
        let points = points.into_iter().map(|p| u16::try_from(p).unwrap_or(FULL_SCORE));
        self.criteria.iter().map(|c| c.criterion).zip(points).collect()
    }
}

fn parse_criteria(draft: &[(i32, i32, Option<i32>)], violations: &mut Violations) -> Vec<CriterionWeight> {
    if draft.is_empty() {
        return Policy::default().criteria;
    }
    if draft.len() > Criterion::ALL.len() {
        violations.push(
            "criteria",
            "",
            format!("the list has {} criteria; at most {} exist", draft.len(), Criterion::ALL.len()),
            "list each criterion once",
        );
        return Vec::new();
    }
    let mut given: Vec<CriterionWeight> = Vec::with_capacity(draft.len());
    for (i, (criterion, weight, neutral)) in draft.iter().enumerate() {
        let weight = within(*weight, 0, i32::from(MAX_WEIGHT), &format!("criteria[{i}].weight"), violations);
        let neutral = neutral.map_or(DEFAULT_NEUTRAL, |neutral| {
            within(neutral, 0, i32::from(FULL_SCORE), &format!("criteria[{i}].neutral"), violations)
        });
        match Criterion::from_number(*criterion) {
            None => violations.push(
                format!("criteria[{i}].criterion"),
                criterion,
                "is not a criterion that can have a weight",
                "use a value of Criterion, for example CRITERION_TOPICS, except CRITERION_PRIVATE_ANSWERS",
            ),
            Some(criterion) if given.iter().any(|other| other.criterion == criterion) => violations.push(
                format!("criteria[{i}].criterion"),
                format!("CRITERION_{}", criterion.as_str().to_uppercase()),
                "is listed twice",
                "list each criterion once",
            ),
            Some(criterion) => given.push(CriterionWeight { criterion, weight, neutral }),
        }
    }
    if violations.is_empty() && given.iter().all(|c| c.weight == 0) {
        violations.push(
            "criteria",
            "all 0",
            "gives no criterion a weight",
            "give at least one criterion a weight above 0",
        );
    }
    given.sort_by_key(|c| c.criterion);
    given
}

fn parse_rules(draft: &HardRulesDraft, violations: &mut Violations) -> HardRules {
    let default = HardRules::default();
    let field = |name: &str| format!("hard_rules.{name}");
    let level = match draft.min_language_level {
        None => default.min_language_level,
        Some(number) => LanguageLevel::from_number(number).unwrap_or_else(|| {
            violations.push(
                field("min_language_level"),
                number,
                "is not a language level",
                "use 1 to 6 for A1 to C2, or 7 for NATIVE",
            );
            default.min_language_level
        }),
    };
    let min_weekly_overlap_minutes =
        draft.min_weekly_overlap_minutes.map_or(default.min_weekly_overlap_minutes, |minutes| {
            within(minutes, 0, 7 * 24 * 60, &field("min_weekly_overlap_minutes"), violations)
        });
    let gap = |given: Option<i32>, default: i8, name: &str, violations: &mut Violations| {
        given.map_or(default, |steps| {
            i8::try_from(steps).ok().filter(|steps| (-6..=6).contains(steps)).unwrap_or_else(|| {
                violations.push(
                    field(name),
                    steps,
                    "is outside -6 to 6",
                    "give a number of steps between career stages",
                );
                default
            })
        })
    };
    let min_stage_gap = gap(draft.min_stage_gap, default.min_stage_gap, "min_stage_gap", violations);
    let max_stage_gap = gap(draft.max_stage_gap, default.max_stage_gap, "max_stage_gap", violations);
    if min_stage_gap > max_stage_gap {
        violations.push(
            field("max_stage_gap"),
            max_stage_gap,
            format!("is below min_stage_gap, which is {min_stage_gap}"),
            "raise max_stage_gap or lower min_stage_gap",
        );
    }
    let previous_partners = match draft.previous_partners {
        0 | 1 => PreviousPartners::Forbid,
        2 => PreviousPartners::Discourage,
        3 => PreviousPartners::Prefer,
        other => {
            violations.push(
                field("previous_partners"),
                other,
                "is not a treatment of previous partners",
                "use FORBID, DISCOURAGE or PREFER",
            );
            PreviousPartners::Forbid
        }
    };
    HardRules {
        allow_same_employer: draft.allow_same_employer,
        allow_same_competitor_group: draft.allow_same_competitor_group,
        allow_same_reporting_line: draft.allow_same_reporting_line,
        min_language_level: level,
        min_weekly_overlap_minutes,
        min_stage_gap,
        max_stage_gap,
        previous_partners,
        min_score: within(draft.min_score, 0, i32::from(FULL_SCORE), &field("min_score"), violations),
        allow_mutual_mentoring: draft.allow_mutual_mentoring,
        require_cross_border_consent: draft.require_cross_border_consent,
    }
}

/// Returns `value`, clamped to the bounds. Adds a violation if it lies outside.
fn within(value: i32, low: i32, high: i32, field: &str, violations: &mut Violations) -> u16 {
    if !(low..=high).contains(&value) {
        violations.push(field, value, format!("is outside {low} to {high}"), "give a number in this range");
    }
    u16::try_from(value.clamp(low, high)).unwrap_or(u16::MAX)
}

/// The same for a small number.
fn small(value: i32, low: i32, high: i32, field: &str, violations: &mut Violations) -> u8 {
    u8::try_from(within(value, low, high, field, violations)).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_the_weights_always_sum_to_ten_thousand() {
        for weights in [vec![1, 1, 1], vec![30, 12, 12, 10, 10, 8], vec![1_000, 1], vec![7]] {
            let draft = PolicyDraft {
                criteria: weights.iter().zip(1..).map(|(w, c)| (c, *w, None)).collect(),
                ..PolicyDraft::default()
            };
            let policy = Policy::parse(&draft).expect("a good policy");
            let sum: u32 = policy.max_points().iter().map(|(_, p)| u32::from(*p)).sum();
            assert_eq!(sum, 10_000, "{weights:?}");
        }
    }

    #[test]
    fn a_bad_policy_lists_everything_that_is_wrong() {
        let draft = PolicyDraft {
            objective: 9,
            criteria: vec![(1, i32::MAX, None), (1, 5, Some(-1)), (99, 5, None)],
            rules: Some(HardRulesDraft {
                min_stage_gap: Some(3),
                max_stage_gap: Some(1),
                min_language_level: Some(0),
                min_score: 10_001,
                ..HardRulesDraft::default()
            }),
            waitlist_after_days: Some(-1),
            stability: 10_001,
            approvals: 6,
            objection_days: -1,
            ..PolicyDraft::default()
        };
        let fields: Vec<String> = Policy::parse(&draft)
            .expect_err("a bad policy")
            .listed()
            .iter()
            .map(|v| v.field.clone())
            .collect();
        assert_eq!(
            fields,
            [
                "objective",
                "criteria[0].weight",
                "criteria[1].neutral",
                "criteria[1].criterion",
                "criteria[2].criterion",
                "hard_rules.min_language_level",
                "hard_rules.max_stage_gap",
                "hard_rules.min_score",
                "waitlist_after_days",
                "stability",
                "approvals",
                "objection_days",
            ]
        );
    }

    #[test]
    fn no_day_of_waiting_and_no_answer_are_two_things() {
        let after = |waitlist_after_days| {
            let draft = PolicyDraft { waitlist_after_days, ..PolicyDraft::default() };
            Policy::parse(&draft).expect("a good policy").waitlist_after_days
        };
        assert_eq!([after(None), after(Some(0)), after(Some(30))], [Some(90), None, Some(30)]);
    }

    #[test]
    fn weights_of_zero_only_are_refused() {
        let draft = PolicyDraft { criteria: vec![(1, 0, None), (2, 0, None)], ..PolicyDraft::default() };
        assert_eq!(Policy::parse(&draft).expect_err("no weight at all").listed()[0].field, "criteria");
    }
}
