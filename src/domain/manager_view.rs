//! What the manager of an organisation may read of a member without a match: the one list and the one decision, for the
//! entry that the engine writes and for the entry that a coordinator sends.
//!
//! Input: counts of the member's pairs, or her entry for coordinators. Output: the rules that may be told to stand in her
//! way, or the entry without counts.
//! Invariants: a reason that is not listed here is left out. An entry made from that for coordinators has no reason
//! that is not in the engine's entry for managers.

use std::collections::BTreeMap;

use super::explanation::{Reason, ReasonCode};
use super::policy::HardRule;
use super::run::{Coverage, Side, Unmatched, UnmatchedReason};
use super::suppression::Guarded;

/// The rules that a mentor of another kind would meet.
const OF_THE_MENTOR: [HardRule; 3] = [HardRule::Language, HardRule::StageGap, HardRule::MeetingMode];

/// The rules of [`OF_THE_MENTOR`] that stand in the way of a mentee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InTheWay([bool; OF_THE_MENTOR.len()]);

impl InTheWay {
    /// The rules for which `is_in_the_way` holds.
    pub fn of(is_in_the_way: impl Fn(HardRule) -> bool) -> Self {
        Self(OF_THE_MENTOR.map(is_in_the_way))
    }

    /// Whether a mentor with another language or career stage would help.
    pub fn asks_for_language_or_stage(self) -> bool {
        let [language, stage, _] = self.0;
        language || stage
    }

    /// Whether a mentor with another way of meeting would help.
    pub fn asks_for_way_of_meeting(self) -> bool {
        let [_, _, mode] = self.0;
        mode
    }
}

/// The rules that a manager may learn to stand in the way: those that exclude everybody of other organisations, and
/// `widest`, the rule without which the mentee would have the most candidates there. `people` and `excluded_by` count
/// people of other organisations. `None` if these are too few for a manager to learn anything.
pub fn tellable_rules(
    people: u64,
    excluded_by: impl Fn(HardRule) -> u64,
    widest: Option<HardRule>,
) -> Option<InTheWay> {
    let is_widest = |rule| widest == Some(rule) && Guarded::new(excluded_by(rule)).is_tellable();
    let is_in_the_way = |rule| is_widest(rule) || excluded_by(rule) == people;
    Guarded::new(people).is_tellable().then(|| InTheWay::of(is_in_the_way))
}

/// The entry of a member without counts of people, from the one for coordinators. `own` counts the members of her
/// organisation.
pub fn for_her_manager(one: &Unmatched, own: Coverage) -> Unmatched {
    let rules = rules_surely_told(one, own);
    let nothing = Guarded::new(0).for_managers();
    Unmatched {
        counterparts: nothing,
        candidates: nothing,
        exclusions: BTreeMap::new(),
        details: one.details.iter().filter_map(|reason| uncounted(reason, rules)).collect(),
        ..one.clone()
    }
}

/// The reason without a count of people. `None` unless the manager reads it in any case.
fn uncounted(reason: &Reason, rules: InTheWay) -> Option<Reason> {
    use ReasonCode as Code;
    match reason.code {
        Code::NoCandidate => Some(Reason::new(Code::NoCandidateUncounted)),
        Code::Outcompeted => Some(Reason::new(Code::OutcompetedUncounted)),
        Code::PlacesLeftOver => Some(Reason::new(Code::PlacesLeftOverUncounted)),
        Code::NoCounterpart | Code::NoLiveConsent | Code::NoRole | Code::BelowLeastPlaces => {
            Some(reason.clone())
        }
        Code::MentorWanted | Code::NoLanguageAtLevel => {
            rules.asks_for_language_or_stage().then(|| reason.clone())
        }
        Code::MentorMeetsByCall | Code::MentorMeetsInPerson => {
            rules.asks_for_way_of_meeting().then(|| reason.clone())
        }
        _ => None,
    }
}

/// The rules that the manager is told, as far as the counts for coordinators prove it: these contain her own members.
fn rules_surely_told(one: &Unmatched, own: Coverage) -> InTheWay {
    if one.reason != UnmatchedReason::NoCandidate {
        // No rule is the reason, so that everybody reads what any mentor must bring.
        return InTheWay::of(|_| true);
    }
    let none = InTheWay::of(|_| false);
    let own = if one.side == Some(Side::Mentor) { own.mentees } else { own.mentors };
    let exact = |rule: HardRule| one.exclusions.get(&rule).map_or(Some(0), |people| people.exact());
    let Some(people) = one.counterparts.exact() else { return none };
    let excluded = HardRule::ALL.map(exact);
    if excluded.contains(&None) {
        return none;
    }
    let (people, excluded_by) = (u64::from(people), |rule| u64::from(exact(rule).unwrap_or_default()));
    let widest = widest(one).filter(|(widest, alone)| {
        // Pairs that another rule excludes alone are candidates for the other rules.
        let at_most = |other| excluded_by(other).min(*alone).min(people.saturating_sub(excluded_by(*widest)));
        let at_least = alone.saturating_sub(own);
        own == 0 || HardRule::ALL.into_iter().all(|other| other == *widest || at_most(other) < at_least)
    });
    // Own members are among the counted people: without them at least so many are left.
    let foreign = |count: u64| count.saturating_sub(own);
    tellable_rules(foreign(people), |rule| foreign(excluded_by(rule)), widest.map(|(rule, _)| rule))
        .unwrap_or(none)
}

/// The rule without which the person would have the most candidates, with their number.
fn widest(one: &Unmatched) -> Option<(HardRule, u64)> {
    let relaxed = one.details.iter().find(|reason| reason.code == ReasonCode::SingleRuleRelaxed)?;
    let value = |name: &str| relaxed.parameters.get(name);
    let rule =
        HardRule::ALL.into_iter().find(|rule| value("rule").is_some_and(|name| name == rule.as_str()))?;
    Some((rule, value("candidates")?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::suppression::PeopleCount;

    fn entry(reason: UnmatchedReason, exclusions: &[(HardRule, u32)], details: Vec<Reason>) -> Unmatched {
        Unmatched {
            profile: crate::domain::name::ProfileRef::from_name("organisations/a/profiles/b")
                .expect("a name"),
            side: Some(Side::Mentee),
            reason,
            counterparts: PeopleCount::Exact(40),
            candidates: PeopleCount::Exact(0),
            exclusions: exclusions.iter().map(|(rule, n)| (*rule, PeopleCount::Exact(*n))).collect(),
            details,
        }
    }

    #[test]
    fn of_all_reasons_only_those_without_a_count_or_a_name_are_told() {
        for code in ReasonCode::ALL {
            let mut reason = Reason::new(code);
            for name in code.parameters() {
                reason = reason.with(name, 97);
            }
            for why in UnmatchedReason::ALL {
                let all = HardRule::ALL.map(|rule| (rule, 40));
                let told = for_her_manager(&entry(why, &all, vec![reason.clone()]), Coverage::default());
                for (parameter, _) in told.details.iter().flat_map(|reason| reason.parameters.iter()) {
                    let of_herself = ["any_language", "level", "from", "to", "country", "least"];
                    assert!(of_herself.contains(&parameter), "{}: {parameter}", code.as_str());
                }
                assert!(told.exclusions.is_empty() && told.counterparts.exact().is_none());
            }
        }
    }

    #[test]
    fn a_rule_is_told_only_if_the_manager_reads_it_whoever_her_own_members_are() {
        use HardRule::{Language, MeetingMode};
        let without = |rule: HardRule, candidates: u32| {
            let relaxed = Reason::new(ReasonCode::SingleRuleRelaxed)
                .with("rule", rule.as_str())
                .with("candidates", candidates);
            let wanted = Reason::new(ReasonCode::MentorWanted)
                .with("any_language", "es")
                .with("level", "B2")
                .with("from", "student")
                .with("to", "executive");
            vec![relaxed, wanted]
        };
        let told = |exclusions: &[(HardRule, u32)], candidates, mentors| {
            let one = entry(UnmatchedReason::NoCandidate, exclusions, without(Language, candidates));
            !for_her_manager(&one, Coverage { mentors, ..Coverage::default() }).details.is_empty()
        };
        assert!(told(&[(Language, 40)], 40, 30), "language excludes everybody, of whom 10 are others");
        assert!(!told(&[(Language, 40)], 40, 31), "of whom 9 may be others");
        assert!(told(&[(Language, 21), (MeetingMode, 19)], 21, 0));
        assert!(!told(&[(Language, 21), (MeetingMode, 19)], 21, 10), "of others the mode may exclude more");
        assert!(told(&[(Language, 30), (MeetingMode, 10)], 30, 10), "of others 20 by language, 10 by mode");
    }
}
