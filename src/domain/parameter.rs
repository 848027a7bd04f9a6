//! The common parameters: what every report measures in the same way, for the programmes of all organisations.
//!
//! The list is `data/parameters.toml`, with one version. Reports name the version by which they count, so that numbers of two
//! years are compared only if they mean the same.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::vocabulary::Lang;

/// The file: a version, and for each parameter its unit, level, source and texts by language tag.
const FILE: &str = include_str!("../../data/parameters.toml");

#[expect(clippy::panic, reason = "the file is compiled in and tests read it")]
static LIST: LazyLock<ParameterList> =
    LazyLock::new(|| toml::from_str(FILE).unwrap_or_else(|wrong| panic!("data/parameters.toml: {wrong}")));

/// The list of the common parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParameterList {
    /// Version of the list. It grows when a parameter is counted in another way.
    pub version: u32,
    /// The parameters, in the order of the file.
    #[serde(rename = "parameter")]
    pub parameters: Vec<Parameter>,
}

impl ParameterList {
    /// The list that this program counts by.
    pub fn current() -> &'static Self {
        &LIST
    }
}

/// A commonly defined measure.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Its id, for example `match_rate`. An id is never used again for something else.
    pub id: String,
    /// The unit of its values.
    pub unit: Unit,
    /// What it says something about.
    pub level: Level,
    /// Where its definition comes from.
    pub source: String,
    /// Months after the beginning of a mentorship, for what is measured more than once; empty for all others.
    #[serde(default)]
    pub horizons: Vec<u32>,
    /// Its name, as inside a sentence.
    pub name: Texts,
    /// What it measures.
    pub definition: Texts,
    /// What is divided; `None` for what is no quotient.
    pub numerator: Option<Texts>,
    /// By what it is divided.
    pub denominator: Option<Texts>,
    /// Which rounds, mentorships or answers it covers.
    pub base: Texts,
}

/// Unit of the values of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A share of 0 to 100 percent.
    Percent,
    /// A difference of two shares.
    PercentagePoints,
    /// Days.
    Days,
    /// Hours.
    Hours,
    /// Points of a question that is answered from 1 to 5.
    #[serde(rename = "points_1_to_5")]
    Points1To5,
    /// Points from -100 to 100.
    #[serde(rename = "points_minus_100_to_100")]
    PointsMinus100To100,
}

/// What a parameter says something about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The programme.
    Programme,
    /// A pair and its mentorship.
    Pair,
    /// What became of the mentees.
    Outcome,
    /// The matching.
    Engine,
    /// Groups beside the whole.
    Equity,
}

/// A text in every language of the program.
#[derive(Debug, Deserialize)]
#[serde(try_from = "HashMap<String, String>")]
pub struct Texts([String; Lang::COUNT]);

impl Texts {
    /// The text in a language.
    pub fn text(&self, lang: Lang) -> &str {
        &self.0[lang as usize]
    }
}

impl TryFrom<HashMap<String, String>> for Texts {
    type Error = String;

    /// Takes the texts by language tag: one for each language, and no other.
    fn try_from(mut by_tag: HashMap<String, String>) -> Result<Self, String> {
        let mut texts = Self(Default::default());
        for lang in Lang::ALL {
            texts.0[lang as usize] = by_tag.remove(lang.tag()).ok_or_else(|| format!("no {}", lang.tag()))?;
        }
        match by_tag.into_keys().next() {
            Some(tag) => Err(format!("{tag} is no language of the program")),
            None => Ok(texts),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_parameter_is_defined_in_every_language() {
        let list = ParameterList::current();
        let ids: BTreeSet<&str> = list.parameters.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(ids.len(), list.parameters.len(), "an id is used once");
        for one in &list.parameters {
            assert!(
                one.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit())
            );
            assert!(!one.source.is_empty(), "{} has a source", one.id);
            assert_eq!(
                one.numerator.is_some(),
                one.denominator.is_some(),
                "{} is a quotient or none",
                one.id
            );
            let quotient = [&one.numerator, &one.denominator].into_iter().flatten();
            for texts in [&one.name, &one.definition, &one.base].into_iter().chain(quotient) {
                let all: BTreeSet<&str> = Lang::ALL.into_iter().map(|lang| texts.text(lang)).collect();
                assert!(all.iter().all(|text| !text.is_empty()), "{}: a text is empty", one.id);
                assert!(all.len() > 1, "{}: the same text in all languages", one.id);
            }
            assert!(one.horizons.is_sorted(), "{}: horizons in order", one.id);
        }
    }

    #[test]
    fn what_is_asked_later_says_when() {
        let later: Vec<&str> = (ParameterList::current().parameters.iter())
            .filter(|one| one.level == Level::Outcome)
            .map(|one| one.id.as_str())
            .collect();
        assert_eq!(later, ["promotion", "role_change", "retention_in_sector"]);
        let outcomes = ParameterList::current().parameters.iter().filter(|one| one.level == Level::Outcome);
        assert!(outcomes.clone().all(|one| one.horizons == [12, 24, 36]));
    }
}
