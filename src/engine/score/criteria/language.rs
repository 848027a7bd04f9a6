//! Criterion `language`: the level at which the weaker of the two speaks their best common language.
//!
//! The hard rule on languages asks for a common language at a level of the policy or better, on both sides.

use super::super::aspect::{Aspect, Classifier, PointScale, Story, points};
use super::super::columns::MentorColumns;
use crate::domain::explanation::{Reason, ReasonCode};
use crate::domain::language::LanguageLevel;
use crate::domain::policy::{FULL_SCORE, HardRule};
use crate::engine::cpu::Key;
use crate::engine::eligibility::Verdict;
use crate::engine::encode::languages::{Languages, Speaks};
use crate::engine::encode::ties::Relations;
use crate::engine::encode::{Person, Round};

/// Most languages for which the levels of all mentors are laid out, a byte each.
const MOST_LANGUAGES: usize = 128;

/// Criterion and rule on common languages.
pub(super) struct CommonLanguage<'a> {
    scale: Option<PointScale>,
    required: LanguageLevel,
    languages: &'a Languages,
    /// Column of levels of every language: each mentor has as many low bits set as the number of her level, from 1.
    levels: Vec<usize>,
}

/// As many low bits set as the number of a level.
fn bits_of(level: u8) -> u8 {
    !(u8::MAX << level)
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

pub(super) fn aspect<'a>(scale: Option<PointScale>, round: &'a Round<'_>) -> Option<CommonLanguage<'a>> {
    let required = round.snapshot.policy.rules.min_language_level;
    Some(CommonLanguage { scale, required, languages: &round.languages, levels: Vec::new() })
}

impl CommonLanguage<'_> {
    fn verdict(&self, level: Option<LanguageLevel>) -> Verdict {
        points(self.scale, Some(score(level))).breaking_if(self.is_too_low(level), HardRule::Language)
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

    fn judge(&self, mentee: &Speaks, mentor: &Speaks, _: Relations) -> Verdict {
        self.verdict(mentee.best_common_level(mentor))
    }

    fn lay_out(&mut self, _: &[Speaks], mentors: &[Speaks], columns: &mut MentorColumns) -> bool {
        let languages = self.languages.count();
        if languages > MOST_LANGUAGES {
            return false;
        }
        let mut levels = vec![vec![0; mentors.len()]; languages];
        for (at, mentor) in mentors.iter().enumerate() {
            for (language, level) in mentor.levels() {
                levels[language][at] = bits_of(level);
            }
        }
        self.levels = levels.into_iter().map(|levels| columns.add(levels)).collect();
        true
    }

    fn classifier(&self, mentee: &Speaks) -> Classifier<'_> {
        // The common bits of two levels of one language are the bits of the lower level. The union over the languages has
        // the bits of the best common level.
        let masks =
            mentee.levels().map(|(language, level)| (self.levels[language], bits_of(level))).collect();
        Classifier { key: Key { masks, united: true, ..Key::default() }, own: None }
    }

    fn class_verdicts(&self, _: &Speaks, verdicts: &mut Vec<Verdict>) {
        let levels = std::iter::once(None).chain(LanguageLevel::ALL.into_iter().map(Some));
        verdicts.extend(levels.map(|level| self.verdict(level)));
    }

    fn explain(&self, mentee: &Speaks, mentor: &Speaks, _: Relations, story: &mut Story) {
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
        story.finds(self.scale, Some((score(level), reason)));
        if self.is_too_low(level) {
            let reason = Reason::new(ReasonCode::RuleLanguage).with("level", self.required.as_str());
            story.breaks(HardRule::Language, reason);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use crate::domain::language::LanguageLevel;
    use crate::engine::tests::reference::{ReferencePair, common_level};

    pub(in super::super) fn expected(pair: &ReferencePair<'_>) -> Option<u64> {
        Some(match common_level(pair.mentee, pair.mentor) {
            None => 0,
            Some(LanguageLevel::A1) => 500,
            Some(LanguageLevel::A2) => 1_000,
            Some(LanguageLevel::B1) => 2_000,
            Some(LanguageLevel::B2) => 6_000,
            Some(LanguageLevel::C1) => 8_000,
            Some(LanguageLevel::C2) => 9_000,
            Some(LanguageLevel::Native) => 10_000,
        })
    }
}
