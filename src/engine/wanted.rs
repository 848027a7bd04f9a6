//! The kind of mentor whom a mentee without a match needs, for recruiting one.
//!
//! Input: a mentee without a match, the policy, and the counts of her pairs per rule. Output: reasons that name languages,
//! career stages and ways of meeting. They are computed from the mentee's own open answers and the policy; answers of
//! other people decide only which rules stand in her way.
//! Invariant: a reason for managers depends on people of other organisations only through counts that may be told.

use super::exclusion_counts::RuleCounts;
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::manager_view::{InTheWay, tellable_rules};
use crate::domain::policy::{HardRule, Policy};
use crate::domain::profile::Profile;
use crate::domain::vocabulary::{Kind as _, Stage};

/// What a mentor must bring for a mentee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Language and career stage: there are possible mentors but no place, or there is no mentor at all.
    AnyMentor,
    /// What these rules ask for: they stand in the way.
    Past(InTheWay),
}

impl Need {
    /// The rules that exclude everybody, and `widest`, the rule without which the mentee would have the most candidates.
    /// `counts` are those of `people`.
    pub(super) fn of_counts(counts: &RuleCounts, people: u64, widest: Option<HardRule>) -> Self {
        Self::Past(InTheWay::of(|rule| widest == Some(rule) || counts.excluded_by(rule) == people))
    }

    /// The same for a manager, who learns nothing of a few people of other organisations: without enough of them, she
    /// reads what any mentor must bring.
    pub(super) fn for_manager(foreign: &RuleCounts, people: u64, widest: Option<HardRule>) -> Self {
        tellable_rules(people, |rule| foreign.excluded_by(rule), widest).map_or(Self::AnyMentor, Self::Past)
    }

    /// The mentor in words; nothing if other rules stand in the way.
    pub(super) fn reasons(self, mentee: &Profile, policy: &Policy) -> Vec<Reason> {
        let (speaks, meets) = match self {
            Self::AnyMentor => (true, false),
            Self::Past(rules) => (rules.asks_for_language_or_stage(), rules.asks_for_way_of_meeting()),
        };
        let speaking = speaks.then(|| speaking(mentee, policy)).flatten();
        speaking.into_iter().chain(meets.then(|| meeting(mentee)).flatten()).collect()
    }
}

/// The languages that the mentor must speak, and the career stages that the policy allows for her. `None` if no stage is
/// allowed.
fn speaking(mentee: &Profile, policy: &Policy) -> Option<Reason> {
    let level = policy.rules.min_language_level;
    let mut languages: Vec<&str> = (mentee.languages.iter())
        .filter(|language| language.level >= level)
        .map(crate::domain::profile::Language::primary)
        .collect();
    languages.sort_unstable();
    languages.dedup();
    if languages.is_empty() {
        return Some(Reason::new(ReasonCode::NoLanguageAtLevel).with("level", level.as_str()));
    }
    let stages = Stage::vocabulary().terms();
    let (first, last) = (1, i16::try_from(stages.len()).unwrap_or(i16::MAX));
    let (from, to) = match mentee.career_stage {
        Some(stage) => {
            let at = |steps: i8| i16::from(stage) + i16::from(steps);
            (at(policy.rules.min_stage_gap).max(first), at(policy.rules.max_stage_gap).min(last))
        }
        None => (first, last),
    };
    let code = |stage: i16| stages.get(usize::try_from(stage - 1).ok()?).map(|term| term.code);
    let (from, to) = code(from).zip(code(to)).filter(|_| from <= to)?;
    let wanted = Reason::new(ReasonCode::MentorWanted)
        .with("any_language", languages.join(","))
        .with("level", level.as_str())
        .with("from", from)
        .with("to", to);
    Some(wanted)
}

/// The way of meeting that the mentor must offer. `None` if the mentee gave none, so that the rule excludes nobody.
fn meeting(mentee: &Profile) -> Option<Reason> {
    let modes = mentee.meeting_modes;
    match (modes.by_call, modes.in_person) {
        (true, _) => Some(Reason::new(ReasonCode::MentorMeetsByCall)),
        (false, true) => {
            Some(Reason::new(ReasonCode::MentorMeetsInPerson).with("country", mentee.country.code()))
        }
        (false, false) => None,
    }
}
