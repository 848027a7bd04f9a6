//! Everyday words of every language that are an answer or none: "no answer", "no employer", "yes" and "no". The words are in
//! `data/everyday_words.csv`, and are compared without accents and punctuation.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::folding::words;
use super::vocabulary::{Lang, rows};

/// Longest everyday word, in characters; a longer text is none.
const LONGEST_WORD: usize = 64;

/// What an everyday word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Everyday {
    /// No answer was given: `n/a`, `none`, `-`.
    NoAnswer,
    /// The person has no employer: `self-employed`, `retired`.
    NoEmployer,
    /// Yes.
    Yes,
    /// No. The word alone counts as [`Everyday::No`], although it also means no answer.
    No,
}

static EVERYDAY: LazyLock<HashMap<String, Vec<Everyday>>> = LazyLock::new(|| {
    let mut meanings: HashMap<String, Vec<Everyday>> = HashMap::new();
    for [code, labels @ ..] in rows::<{ Lang::COUNT + 1 }>(include_str!("../../data/everyday_words.csv")) {
        let meaning = match code {
            "no_answer" => Everyday::NoAnswer,
            "no_employer" => Everyday::NoEmployer,
            "yes" => Everyday::Yes,
            _ => Everyday::No,
        };
        for word in labels.iter().flat_map(|labels| labels.split(',')) {
            let meant = meanings.entry(words(word)).or_default();
            if !meant.contains(&meaning) {
                meant.push(meaning);
            }
        }
    }
    meanings
});

/// Whether a text is an everyday word with this meaning. A text of signs alone (`-`, `?`, `…`) is no answer.
pub fn means(text: &str, meaning: Everyday) -> bool {
    if text.chars().nth(LONGEST_WORD).is_some() {
        return false;
    }
    let words = words(text);
    if words.is_empty() {
        return meaning == Everyday::NoAnswer && !text.trim().is_empty();
    }
    EVERYDAY.get(&words).is_some_and(|meant| meant.contains(&meaning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_are_no_answer_are_known_in_every_language() {
        for word in
            ["N/A", "n.a.", "#N/A", "-", "—", "None", " NINGUNA ", "néant", "não se aplica", "?", "(none)"]
        {
            assert!(means(word, Everyday::NoAnswer), "{word}");
        }
        for word in
            ["Self-employed", "AUTÔNOMA", "autonoma", "sans emploi", "Jubilada", "indépendante", "student"]
        {
            assert!(means(word, Everyday::NoEmployer), "{word}");
        }
        for word in ["Oui", "sí", "SI", "sim", "TRUE", "x", "yes!"] {
            assert!(means(word, Everyday::Yes), "{word}");
        }
        for word in ["non", "no", "NÃO", "false", "0", "retirado"] {
            assert!(means(word, Everyday::No), "{word}");
        }
        for name in ["Nonesuch Mining", "Vale", "company-17", "Student Loans Ltd", "1", "2026-1", ""] {
            let all = [Everyday::NoAnswer, Everyday::NoEmployer, Everyday::Yes, Everyday::No];
            assert!(all.into_iter().all(|meaning| !means(name, meaning)), "{name}");
        }
    }
}
