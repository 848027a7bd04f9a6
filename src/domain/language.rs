//! Languages that people speak, by the primary subtag of their BCP 47 tag: equivalent codes, labels and levels.

use std::collections::HashMap;
use std::sync::LazyLock;

use oxilangtag::LanguageTag;
use serde::{Deserialize, Serialize};

use super::folding::words;
use super::vocabulary::{Labels, Lang, rows};

/// Longest language tag, in characters: RFC 5646, section 4.4.1 asks for at least 35.
pub const MAX_TAG_LENGTH: usize = 64;

struct Languages {
    labels: HashMap<&'static str, Labels>,
    by_words: HashMap<String, Vec<&'static str>>,
    preferred: HashMap<&'static str, &'static str>,
}

static LANGUAGES: LazyLock<Languages> = LazyLock::new(|| {
    let mut languages =
        Languages { labels: HashMap::new(), by_words: HashMap::new(), preferred: HashMap::new() };
    for [code, aliases, labels @ ..] in rows::<{ Lang::COUNT + 2 }>(include_str!("../../data/languages.csv"))
    {
        languages.labels.insert(code, labels);
        for label in labels {
            let codes = languages.by_words.entry(words(label)).or_default();
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
        languages.preferred.extend(aliases.split_whitespace().map(|alias| (alias, code)));
    }
    languages
});

/// Reads a BCP 47 tag into its one spelling: subtags in their usual case, and the shortest code of the language, so that
/// `SPA-pe` and `es-PE` are the same bytes. `None` for what is not well-formed, does not begin with a language of 2 or 3
/// letters, or is longer than [`MAX_TAG_LENGTH`].
pub fn normalise(tag: &str) -> Option<String> {
    if tag.len() > MAX_TAG_LENGTH {
        return None;
    }
    let tag = LanguageTag::parse_and_normalize(tag).ok()?.into_inner();
    let (primary, rest) = tag.split_once('-').map_or((tag.as_str(), ""), |(primary, rest)| (primary, rest));
    if !(2..=3).contains(&primary.len()) {
        return None;
    }
    match LANGUAGES.preferred.get(primary) {
        Some(preferred) if rest.is_empty() => Some((*preferred).to_owned()),
        Some(preferred) => Some(format!("{preferred}-{rest}")),
        None => Some(tag),
    }
}

/// Label of the language of `tag` in `lang`, or the tag itself if the table does not contain the language.
pub fn label(tag: &str, lang: Lang) -> &str {
    let primary = tag.split('-').next().unwrap_or_default();
    LANGUAGES.labels.get(primary).map_or(tag, |labels| labels[lang as usize])
}

/// Codes of the languages whose label in any language is `name`; several if the label is that of several.
pub fn named(name: &str) -> Vec<&'static str> {
    if name.len() > MAX_TAG_LENGTH {
        return Vec::new();
    }
    LANGUAGES.by_words.get(&words(name)).cloned().unwrap_or_default()
}

/// Level by the Common European Framework of Reference, and native; ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the framework's own")]
pub enum LanguageLevel {
    A1 = 1,
    A2,
    B1,
    B2,
    C1,
    C2,
    #[serde(rename = "native")]
    Native,
}

impl LanguageLevel {
    /// All levels, ascending.
    pub const ALL: [Self; 7] = [Self::A1, Self::A2, Self::B1, Self::B2, Self::C1, Self::C2, Self::Native];

    /// Reads the number that the API uses, 1..=7.
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|level| *level as i32 == number)
    }

    /// The name that files use.
    pub fn as_str(self) -> &'static str {
        ["A1", "A2", "B1", "B2", "C1", "C2", "native"][self as usize - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_language_has_one_spelling() {
        for (given, normal) in
            [("es", "es"), ("ES-pe", "es-PE"), ("spa-PE", "es-PE"), ("zh-hant-tw", "zh-Hant-TW")]
        {
            assert_eq!(normalise(given).as_deref(), Some(normal), "{given}");
            assert_eq!(normalise(normal).as_deref(), Some(normal), "a normal tag stays as it is");
        }
    }

    #[test]
    fn tags_without_a_language_are_refused() {
        let endless = format!("es{}", "-abcdefgh".repeat(10));
        for tag in
            ["", "e", "Spanish", "es_PE", "es-", "x-own", "i-klingon", "12", "español", endless.as_str()]
        {
            assert_eq!(normalise(tag), None, "{tag}");
        }
    }

    #[test]
    fn aliases_lead_to_languages_and_no_code_means_two() {
        for (alias, code) in &LANGUAGES.preferred {
            assert!(LANGUAGES.labels.contains_key(code), "{alias} means {code}, which has no row");
            assert!(!LANGUAGES.labels.contains_key(alias), "{alias} is a language and an alias");
        }
        assert_eq!(
            rows::<{ Lang::COUNT + 2 }>(include_str!("../../data/languages.csv")).count(),
            LANGUAGES.labels.len()
        );
    }

    #[test]
    fn languages_have_names_and_unknown_ones_keep_their_tag() {
        assert_eq!(label("es-PE", Lang::En), "Spanish");
        assert_eq!(label("qu", Lang::Pt), "quíchua");
        assert_eq!(label("qaa", Lang::Fr), "qaa");
        for (code, labels) in &LANGUAGES.labels {
            assert!(labels.iter().all(|label| !label.is_empty()), "{code}");
        }
    }
}
