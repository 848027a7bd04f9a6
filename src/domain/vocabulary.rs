//! Controlled vocabularies, countries and regions, with labels in every language of the program.
//!
//! The tables are in `data/`. A code that is not in its table is rejected where it comes in, so the engine works on bits.

mod lang;

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::LazyLock;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::lang::{Conventions, Lang, WordTest};
pub(super) use self::lang::{Labels, rows};
use super::folding::words;
use super::spelling;

/// Longest name that is looked up, in bytes.
const MAX_NAME: usize = 128;

/// A code with its labels.
#[derive(Debug)]
pub struct Term {
    /// The code in files and messages.
    pub code: &'static str,
    labels: Labels,
}

impl Term {
    /// The label in `lang`.
    pub fn label(&self, lang: Lang) -> &'static str {
        self.labels[lang as usize]
    }
}

/// An ordered list of terms.
#[derive(Debug)]
pub struct Vocabulary {
    name: &'static str,
    terms: Vec<Term>,
    index: HashMap<&'static str, u8>,
    /// Positions of the terms whose code or label in any language has these words.
    by_words: HashMap<String, Vec<u8>>,
}

impl Vocabulary {
    /// Name, for example `topic`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Terms in order.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Position of a code.
    pub fn position(&self, code: &str) -> Option<u8> {
        self.index.get(code).copied()
    }

    /// The term of a code.
    pub fn term(&self, code: &str) -> Option<&Term> {
        self.position(code).map(|at| &self.terms[usize::from(at)])
    }

    /// The codes whose own words, or the words of whose label in any language, are those of `text`; several if the text has
    /// several meanings.
    pub fn named(&self, text: &str) -> Vec<&'static str> {
        if text.len() > MAX_NAME {
            return Vec::new();
        }
        let found = self.by_words.get(&words(text)).into_iter().flatten();
        found.map(|at| self.terms[usize::from(*at)].code).collect()
    }

    /// The codes that contain all words of `text`, for a hint.
    pub fn containing(&self, text: &str) -> Vec<&'static str> {
        let wanted = if text.len() > MAX_NAME { String::new() } else { words(text) };
        let contains = |code: &&str| wanted.split(' ').all(|word| code.split('_').any(|part| part == word));
        self.terms.iter().map(|term| term.code).filter(contains).collect()
    }

    /// The code nearest to a misspelt one, for a hint.
    pub fn nearest(&self, code: &str) -> Option<&'static str> {
        let wanted = code.to_ascii_lowercase().replace([' ', '-'], "_");
        let most = wanted.chars().count() / 3;
        spelling::nearest(&wanted, self.terms.iter().map(|term| term.code), most).map(|(_, nearest)| nearest)
    }

    fn read(name: &'static str, text: &'static str) -> Self {
        let terms: Vec<Term> =
            rows(text).map(|[code, labels @ ..]: [_; Lang::COUNT + 1]| Term { code, labels }).collect();
        assert!(terms.len() <= 64, "a vocabulary has at most 64 terms, so that a set of them is one word");
        let index = terms.iter().zip(0..).map(|(term, at)| (term.code, at)).collect();
        let mut by_words: HashMap<String, Vec<u8>> = HashMap::new();
        for (term, at) in terms.iter().zip(0..) {
            for name in term.labels.into_iter().chain([term.code]) {
                let positions = by_words.entry(words(name)).or_default();
                if !positions.contains(&at) {
                    positions.push(at);
                }
            }
        }
        Self { name, terms, index, by_words }
    }
}

/// Names one vocabulary in a type.
pub trait Kind: fmt::Debug + Clone + Copy + PartialEq + Eq + Default + Send + Sync + 'static {
    /// The vocabulary.
    fn vocabulary() -> &'static Vocabulary;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal;)+) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
            pub struct $kind;

            impl Kind for $kind {
                fn vocabulary() -> &'static Vocabulary {
                    static READ: LazyLock<Vocabulary> = LazyLock::new(|| {
                        Vocabulary::read($name, include_str!(concat!("../../data/vocabulary/", $name, ".csv")))
                    });
                    &READ
                }
            }
        )+

        /// Every vocabulary, for listing.
        pub fn all() -> Vec<&'static Vocabulary> {
            vec![$($kind::vocabulary()),+]
        }
    };
}

kinds! {
    /// Career stages, from student to executive: an ordered scale.
    Stage = "career_stage";
    /// Professional functions.
    Function = "function";
    /// Commodities mined or processed.
    Commodity = "commodity";
    /// Topics of mentoring, sought and offered.
    Topic = "topic";
    /// Goals of a mentorship.
    Goal = "goal";
    /// Styles of working together.
    WorkingStyle = "working_style";
    /// Lived experience that people may share or wish for, opt-in.
    IdentityTerm = "identity";
}

/// A set of terms of one vocabulary, as one machine word: bit `i` is the vocabulary's `i`-th term.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Terms<K>(u64, PhantomData<K>);

impl<K: Kind> Terms<K> {
    /// The set without terms.
    pub const EMPTY: Self = Self(0, PhantomData);

    /// The set as bits.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// The set of the given bits; bits beyond the vocabulary are dropped.
    pub fn from_bits(bits: u64) -> Self {
        let len = K::vocabulary().terms.len();
        Self(if len == 64 { bits } else { bits & ((1 << len) - 1) }, PhantomData)
    }

    /// Adds the term of a code; `false` if the vocabulary has none.
    pub fn insert(&mut self, code: &str) -> bool {
        let position = K::vocabulary().position(code);
        if let Some(at) = position {
            self.0 |= 1 << at;
        }
        position.is_some()
    }

    /// Whether there are no terms.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Number of terms.
    pub fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Terms in both sets.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0, PhantomData)
    }

    /// Codes in the vocabulary's order.
    pub fn codes(self) -> impl Iterator<Item = &'static str> {
        let terms = K::vocabulary().terms();
        (0..terms.len()).filter(move |at| self.0 >> at & 1 == 1).map(move |at| terms[at].code)
    }
}

impl<K: Kind> fmt::Debug for Terms<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.codes()).finish()
    }
}

impl<K: Kind> Serialize for Terms<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.codes())
    }
}

impl<'de, K: Kind> Deserialize<'de> for Terms<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let codes = Vec::<std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        let mut set = Self::EMPTY;
        for code in codes {
            if !set.insert(&code) {
                return Err(serde::de::Error::custom(format!("no `{code}` in {}", K::vocabulary().name)));
            }
        }
        Ok(set)
    }
}

/// A UN M49 sub-region, by its numeric code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(u16);

impl Region {
    /// Reads a three-digit M49 code of a sub-region.
    pub fn from_code(code: &str) -> Option<Self> {
        let number = code.parse().ok()?;
        (code.len() == 3 && REGIONS.contains_key(&number)).then_some(Self(number))
    }

    /// The numeric code.
    pub fn number(self) -> u16 {
        self.0
    }

    /// The three-digit code.
    pub fn code(self) -> &'static str {
        REGIONS[&self.0].0.code
    }

    /// M49 code of the continental region that contains this region.
    pub fn parent(self) -> u16 {
        REGIONS[&self.0].1
    }

    /// The region's label.
    pub fn label(self, lang: Lang) -> &'static str {
        REGIONS[&self.0].0.label(lang)
    }

    /// All regions, by code.
    pub fn all() -> Vec<Self> {
        let mut all: Vec<Self> = REGIONS.keys().map(|code| Self(*code)).collect();
        all.sort_unstable();
        all
    }
}

impl Serialize for Region {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Region {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::from_code(&code).ok_or_else(|| serde::de::Error::custom(format!("no region `{code}`")))
    }
}

/// A country or territory of ISO 3166-1, by its position in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country(u16);

impl Country {
    /// Reads an alpha-2 code.
    pub fn from_code(code: &str) -> Option<Self> {
        COUNTRIES.index.get(code).map(|at| Self(*at))
    }

    /// The countries whose alpha-2 or alpha-3 code, label in any language or usual name is `text`; several if the name has
    /// several meanings, such as `Congo`.
    pub fn named(text: &str) -> Vec<Self> {
        if text.len() > MAX_NAME {
            return Vec::new();
        }
        let found = COUNTRIES.by_words.get(&words(text)).into_iter().flatten();
        found.map(|at| Self(*at)).collect()
    }

    /// The alpha-2 code.
    pub fn code(self) -> &'static str {
        self.row().0.code
    }

    /// Position in the table: dense, for bit tests and arrays.
    pub fn position(self) -> u16 {
        self.0
    }

    /// The sub-region of the country.
    pub fn region(self) -> Region {
        self.row().1
    }

    /// The country's label.
    pub fn label(self, lang: Lang) -> &'static str {
        self.row().0.label(lang)
    }

    fn row(self) -> &'static (Term, Region) {
        &COUNTRIES.rows[usize::from(self.0)]
    }
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::from_code(&code).ok_or_else(|| serde::de::Error::custom(format!("no country `{code}`")))
    }
}

struct Countries {
    rows: Vec<(Term, Region)>,
    index: HashMap<&'static str, u16>,
    by_words: HashMap<String, Vec<u16>>,
}

static REGIONS: LazyLock<HashMap<u16, (Term, u16)>> = LazyLock::new(|| {
    rows(include_str!("../../data/regions.csv"))
        .map(|[code, parent, labels @ ..]: [_; Lang::COUNT + 2]| {
            (number_of(code), (Term { code, labels }, number_of(parent)))
        })
        .collect()
});

static COUNTRIES: LazyLock<Countries> = LazyLock::new(|| {
    let rows: Vec<_> = rows(include_str!("../../data/countries.csv"))
        .map(|[code, region, labels @ ..]: [_; Lang::COUNT + 2]| {
            (Term { code, labels }, Region(number_of(region)))
        })
        .collect();
    let index: HashMap<_, u16> = rows.iter().zip(0..).map(|((term, _), at)| (term.code, at)).collect();
    let usual = include_str!("../../data/country_names.csv").lines().filter_map(|line| line.split_once(';'));
    let usual = usual.flat_map(|(code, names)| names.split(',').map(move |name| (name, code)));
    let labels = rows.iter().flat_map(|(term, _)| term.labels.into_iter().map(|label| (label, term.code)));
    let codes = rows.iter().map(|(term, _)| (term.code, term.code));
    let mut by_words: HashMap<String, Vec<u16>> = HashMap::new();
    for (name, code) in labels.chain(usual).chain(codes) {
        if let Some(at) = index.get(code) {
            let positions = by_words.entry(words(name)).or_default();
            if !positions.contains(at) {
                positions.push(*at);
            }
        }
    }
    Countries { rows, index, by_words }
});

#[expect(clippy::expect_used, reason = "the file is compiled in and a test reads it")]
fn number_of(code: &str) -> u16 {
    code.parse().expect("an M49 code is a number")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_reads_and_has_labels_in_all_languages() {
        for vocabulary in all() {
            assert!(!vocabulary.terms().is_empty(), "{}", vocabulary.name());
            assert_eq!(
                vocabulary.terms().len(),
                vocabulary.index.len(),
                "repeated code in {}",
                vocabulary.name()
            );
            for term in vocabulary.terms() {
                assert!(term.code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
                assert!(Lang::ALL.iter().all(|lang| !term.label(*lang).trim().is_empty()), "{}", term.code);
            }
        }
        assert_eq!(COUNTRIES.rows.len(), 249, "ISO 3166-1 has 249 entries");
        assert_eq!(COUNTRIES.index.len(), 249);
        for (term, region) in &COUNTRIES.rows {
            assert!(REGIONS.contains_key(&region.0), "{} is in no region", term.code);
            assert!(Lang::ALL.iter().all(|lang| !term.label(*lang).is_empty()), "{}", term.code);
        }
        assert_eq!(Country::from_code("PE").expect("Peru").region().code(), "005");
        assert_eq!(Stage::vocabulary().terms().len(), 7, "the career scale has seven steps");
    }

    #[test]
    fn sets_of_terms_survive_serialisation_in_vocabulary_order() {
        let codes: Vec<&str> = Topic::vocabulary().terms().iter().map(|term| term.code).take(3).collect();
        let json = format!("[\"{}\",\"{}\"]", codes[2], codes[0]);
        let set: Terms<Topic> = serde_json::from_str(&json).expect("known codes");
        assert_eq!(set.codes().collect::<Vec<_>>(), [codes[0], codes[2]]);
        assert!(serde_json::from_str::<Terms<Topic>>("[\"no such topic\"]").is_err());
    }

    #[test]
    fn a_misspelt_code_gets_the_nearest_one_as_a_hint() {
        let code = Topic::vocabulary().terms()[0].code;
        let misspelt = format!("{}x", code.to_uppercase());
        assert_eq!(Topic::vocabulary().nearest(&misspelt), Some(code));
        assert_eq!(Topic::vocabulary().nearest("zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"), None);
    }
}
