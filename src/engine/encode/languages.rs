//! Languages as bits: for every level, the set of languages that a person speaks at this level or better.
//!
//! Input: language tags with levels. Output: bit sets of any width, so that a round may have any number of languages.
//! Regional variants count as one language (the primary subtag).

use std::collections::{HashMap, HashSet};

use crate::domain::language::LanguageLevel;
use crate::domain::profile::Language;

/// Number of levels, from A1 to native.
const LEVELS: usize = LanguageLevel::ALL.len();

/// The languages of a round, ordered by primary subtag.
#[derive(Debug, Clone, Default)]
pub struct Languages {
    subtags: Vec<String>,
    index: HashMap<String, usize>,
}

/// The languages of one person: for every level, ascending, the bits of the languages that she speaks at this level or
/// better.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Speaks(Box<[u64]>);

impl Languages {
    /// Numbers the languages with these primary subtags.
    pub(super) fn of(subtags: HashSet<&str>) -> Self {
        let mut subtags: Vec<String> = subtags.into_iter().map(str::to_owned).collect();
        subtags.sort_unstable();
        let index = subtags.iter().cloned().zip(0..).collect();
        Self { subtags, index }
    }

    /// Encodes the list of one person. Of two levels of the same language, the better level counts.
    pub(super) fn encode(&self, list: &[Language]) -> Speaks {
        let words = self.words();
        let mut bits = vec![0; LEVELS * words];
        for language in list {
            if let Some(at) = self.index.get(language.primary()) {
                for level in 0..language.level as usize {
                    bits[level * words + at / 64] |= 1 << (at % 64);
                }
            }
        }
        Speaks(bits.into_boxed_slice())
    }

    /// The first language by subtag that both people speak at `level` or better.
    pub fn common_at(&self, a: &Speaks, b: &Speaks, level: LanguageLevel) -> Option<&str> {
        let words = self.words();
        let from = (level as usize - 1) * words;
        let common = (from..from + words).map(|word| a.0[word] & b.0[word]);
        let at = common.enumerate().find(|(_, bits)| *bits != 0);
        at.and_then(|(word, bits)| self.subtags.get(word * 64 + bits.trailing_zeros() as usize))
            .map(String::as_str)
    }

    /// Number of languages.
    pub fn count(&self) -> usize {
        self.subtags.len()
    }

    fn words(&self) -> usize {
        self.subtags.len().div_ceil(64).max(1)
    }
}

impl Speaks {
    /// The numbers of the languages that the person speaks, each with its level (1 is the lowest).
    pub fn levels(&self) -> impl Iterator<Item = (usize, u8)> {
        let words = self.0.len() / LEVELS;
        let any = self.0.iter().take(words).enumerate();
        let spoken = any.flat_map(|(word, bits)| ones(*bits).map(move |bit| word * 64 + bit));
        spoken.map(move |language| {
            let speaks = |level: &&[u64]| level[language / 64] >> (language % 64) & 1 == 1;
            let levels = self.0.chunks_exact(words).take_while(speaks).count();
            (language, u8::try_from(levels).unwrap_or_default())
        })
    }

    /// The best level at which both people speak a common language; `None` without a common language.
    pub fn best_common_level(&self, other: &Self) -> Option<LanguageLevel> {
        // The sets shrink with the level. Therefore the levels with a common language are the lowest levels, and their
        // number is the best of them.
        let shared = |(mine, theirs): (&u64, &u64)| mine & theirs != 0;
        let levels = if self.0.len() == LEVELS {
            self.0.iter().zip(&other.0).map(|pair| usize::from(shared(pair))).sum()
        } else {
            let words = (self.0.len() / LEVELS).max(1);
            let by_level = self.0.chunks(words).zip(other.0.chunks(words));
            by_level.filter(|(mine, theirs)| mine.iter().zip(*theirs).any(shared)).count()
        };
        levels.checked_sub(1).and_then(|level| LanguageLevel::ALL.get(level)).copied()
    }
}

/// Positions of the set bits, ascending.
pub(super) fn ones(bits: u64) -> impl Iterator<Item = usize> {
    // Each step clears the lowest set bit.
    let left = std::iter::successors(Some(bits), |bits| Some(bits & bits.wrapping_sub(1)));
    left.take_while(|bits| *bits != 0).map(|bits| bits.trailing_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speaks(tag: &str, level: LanguageLevel) -> Language {
        Language { tag: tag.to_owned(), level }
    }

    #[test]
    fn a_round_may_have_any_number_of_languages() {
        let all: Vec<Language> = (0..200).map(|n| speaks(&format!("q{n:03}"), LanguageLevel::B2)).collect();
        let languages = Languages::of(all.iter().map(Language::primary).collect());
        let a = languages.encode(&all[..150]);
        let b =
            languages.encode(&[speaks("q149-XX", LanguageLevel::Native), speaks("q180", LanguageLevel::A1)]);
        assert_eq!(a.best_common_level(&b), Some(LanguageLevel::B2));
        assert_eq!(languages.common_at(&a, &b, LanguageLevel::B2), Some("q149"));
        assert_eq!(languages.common_at(&a, &b, LanguageLevel::C1), None);
        assert_eq!(languages.encode(&all[180..181]).best_common_level(&b), Some(LanguageLevel::A1));
        assert_eq!(languages.encode(&all[181..182]).best_common_level(&b), None);
    }

    #[test]
    fn regional_variants_are_one_language_and_the_better_level_counts() {
        let list = [speaks("es-ES", LanguageLevel::B1), speaks("es-PE", LanguageLevel::C1)];
        let languages = Languages::of(list.iter().map(Language::primary).collect());
        let both = languages.encode(&list);
        assert_eq!(both.best_common_level(&both), Some(LanguageLevel::C1));
    }
}
