//! Languages: how well the weaker of the two speaks their best common language. The hard rule asks for a common language at
//! working level on both sides.

use std::ops::Range;

use super::aspect::{Aspect, Story, Weight, points};
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::policy::{FULL_SCORE, HardRule};
use crate::domain::profile::LanguageLevel;
use crate::engine::cpu::Cpu;
use crate::engine::eligibility::Verdict;
use crate::engine::encode::Person;
use crate::engine::encode::languages::{Languages, Speaks};
use crate::engine::encode::ties::Ties;

/// Most languages for which the levels of all mentors are laid out, a byte each.
const MOST_LANGUAGES: usize = 128;

/// Criterion and rule on common languages.
pub(in crate::engine) struct CommonLanguage<'a> {
    weight: Option<Weight>,
    required: LanguageLevel,
    languages: &'a Languages,
    /// Level of every mentor by language, from 1; 0 if she does not speak it.
    levels: Vec<Vec<u8>>,
}

/// Criterion score of the best common level.
fn score(level: Option<LanguageLevel>) -> u16 {
    match level {
        None => 0,
        Some(LanguageLevel::A1) => 500,
        Some(LanguageLevel::A2) => 1_000,
        Some(LanguageLevel::B1) => 2_000,
        Some(LanguageLevel::B2) => 6_000,
        Some(LanguageLevel::C1) => 8_000,
        Some(LanguageLevel::C2) => 9_000,
        Some(LanguageLevel::Native) => FULL_SCORE,
    }
}

impl<'a> CommonLanguage<'a> {
    /// Under a policy's weight and the level it asks for.
    pub(in crate::engine) fn new(
        weight: Option<Weight>,
        required: LanguageLevel,
        languages: &'a Languages,
    ) -> Self {
        Self { weight, required, languages, levels: Vec::new() }
    }

    fn verdict(&self, level: Option<LanguageLevel>) -> Verdict {
        points(self.weight, Some(score(level))).breaking_if(self.is_too_low(level), HardRule::Language)
    }

    fn is_too_low(&self, level: Option<LanguageLevel>) -> bool {
        level.is_none_or(|level| level < self.required)
    }
}

impl Aspect for CommonLanguage<'_> {
    type Mentee = Speaks;
    type Mentor = Speaks;

    fn mentee(&self, person: &Person<'_>) -> Speaks {
        person.speaks.clone()
    }

    fn mentor(&self, person: &Person<'_>) -> Speaks {
        person.speaks.clone()
    }

    fn judge(&self, mentee: &Speaks, mentor: &Speaks, _: Ties) -> Verdict {
        self.verdict(mentee.best_common_level(mentor))
    }

    fn lay_out(&mut self, _: &[Speaks], mentors: &[Speaks]) -> bool {
        let languages = self.languages.len();
        if languages > MOST_LANGUAGES {
            return false;
        }
        self.levels = vec![vec![0; mentors.len()]; languages];
        for (at, mentor) in mentors.iter().enumerate() {
            for (language, level) in mentor.levels() {
                self.levels[language][at] = level;
            }
        }
        true
    }

    fn classify(&self, mentee: &Speaks, mentors: Range<usize>, cpu: Cpu, classes: &mut [u8]) {
        classes.fill(0);
        for (language, level) in mentee.levels() {
            cpu.raise_levels(&self.levels[language][mentors.clone()], level, classes);
        }
    }

    fn class_verdicts(&self, _: &Speaks, verdicts: &mut Vec<Verdict>) {
        let levels = std::iter::once(None).chain(LanguageLevel::ALL.into_iter().map(Some));
        verdicts.extend(levels.map(|level| self.verdict(level)));
    }

    fn explain(&self, mentee: &Speaks, mentor: &Speaks, _: Ties, story: &mut Story) {
        let level = mentee.best_common_level(mentor);
        let reason = match level {
            None => Reason::new(ReasonCode::LanguageNone),
            Some(level) => {
                let language = self.languages.common_at(mentee, mentor, level).unwrap_or_default();
                if level == LanguageLevel::Native {
                    Reason::new(ReasonCode::LanguageNative).with("language", language)
                } else {
                    Reason::new(ReasonCode::LanguageCommon)
                        .with("language", language)
                        .with("level", level.as_str())
                }
            }
        };
        story.finds(self.weight, Some((score(level), reason)));
        if self.is_too_low(level) {
            let reason = Reason::new(ReasonCode::RuleLanguage).with("level", self.required.as_str());
            story.breaks(HardRule::Language, reason);
        }
    }
}
