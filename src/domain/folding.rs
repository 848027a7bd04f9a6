//! The forms by which texts of people are stored and compared.
//!
//! - [`stored`] keeps the text and chooses one encoding of it: normal form C, without blanks around it.
//! - [`key`] is equal for texts that a person reads as the same name: normal form KC, case folded, blanks folded, one kind of
//!   dash and of quotation mark, no punctuation at the end.
//! - [`words`] is equal for texts of the same words: the key without accents and punctuation.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// The text as it is stored.
pub fn stored(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}

/// The text in one kind of letters and signs: normal form KC, case folded, one kind of blank, dash and quotation mark.
fn unified(text: &str) -> String {
    let one_sign = |c: char| match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' => Some('-'),
        '‘' | '’' | '‛' | 'ʼ' | '´' | '`' | '′' => Some('\''),
        '“' | '”' | '„' | '«' | '»' | '″' => Some('"'),
        '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}' | '\u{FEFF}' => None,
        c => Some(c),
    };
    let one_sort: String = if text.is_ascii() {
        text.to_ascii_lowercase().replace('`', "'")
    } else {
        // Normal form C first: it has one sign where Unicode has several, such as the two acute accents.
        let plain: String = text.nfc().filter_map(one_sign).nfkc().filter_map(one_sign).collect();
        // Upper case first, so that `ß` is `ss`; the capital ẞ has no other upper case, and the Turkish capital İ leaves a dot behind.
        let folded = plain.replace('ẞ', "ss").to_uppercase().to_lowercase().replace("i\u{307}", "i");
        // `to_lowercase` writes the sigma at the end of a word in its own way, and what is the end depends on the signs around.
        folded.nfkc().map(|c| if c == 'ς' { 'σ' } else { c }).collect()
    };
    let mut folded = String::with_capacity(one_sort.len());
    for word in one_sort.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    folded
}

/// The text by which names are compared. It is empty only for a text without a visible character.
pub fn key(text: &str) -> String {
    let unified = unified(text);
    let bare = unified.trim_start_matches(['"', '\'', ' ']);
    let bare = bare.trim_end_matches(['.', ',', ';', ':', '!', '?', '…', '-', '_', '"', '\'', ' ']);
    if bare.is_empty() { unified } else { bare.to_owned() }
}

/// The text in one kind of letters, signs and blanks, without accents: the form in which times and dates are read.
pub fn plain(text: &str) -> String {
    unified(text).nfd().filter(|c| !is_combining_mark(*c)).collect()
}

/// The words of a text without accents and punctuation; empty for a text of signs alone.
pub fn words(text: &str) -> String {
    let key = key(text);
    let mut words = String::with_capacity(key.len());
    for c in key.nfd().filter(|c| !is_combining_mark(*c)) {
        if c.is_alphanumeric() {
            words.push(c);
        } else if !words.is_empty() && !words.ends_with(' ') {
            words.push(' ');
        }
    }
    words.truncate(words.trim_end().len());
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_name_has_one_key_however_it_is_typed() {
        for (one, other) in [
            ("BHP", "bhp"),
            ("BHP", "ＢＨＰ"),
            ("Compañía Minera", "Compan\u{303}i\u{301}a  minera"),
            ("Anglo American plc", "anglo\u{A0}american PLC."),
            ("Rio-Tinto", "Rio\u{2011}Tinto"),
            ("Rio – Tinto", "rio - tinto"),
            ("L’Or d'Afrique", "l'or d’afrique"),
            ("STRASSE", "Straße"),
            ("STRASSE", "STRAẞE"),
            ("İstanbul Maden", "istanbul maden"),
            ("“Vale”", "vale"),
            ("Vale\u{200B}", "\u{FEFF}Vale "),
            ("ΣΑΣ", "σας"),
            ("L\u{1FFD}Or", "L'Or"),
            ("L\u{1FEF}Or", "L`Or"),
        ] {
            assert_eq!(key(one), key(other), "{one:?} and {other:?}");
        }
        for (one, other) in [("company-1", "company-2"), ("Peña", "Pena"), ("BHP", "BHP Chile"), ("A", "a b")]
        {
            assert_ne!(key(one), key(other), "{one:?} and {other:?}");
        }
        assert_eq!(key("..."), "...", "a name of signs alone stays itself");
        assert_eq!(stored(" Compan\u{303}i\u{301}a "), "Compañía");
    }

    #[test]
    fn a_sigma_is_one_letter_wherever_it_stands() {
        for (one, other) in [("À𝜍'A", "à𝜎'a"), ("Σ", "ς"), ("ΑΣ.Α", "ας α")] {
            assert_eq!(words(one), words(other));
            assert_eq!(words(&words(one)), words(one));
        }
    }

    proptest! {
        #[test]
        fn a_key_is_its_own_key(text in any::<String>()) {
            prop_assert_eq!(key(&key(&text)), key(&text));
            prop_assert_eq!(words(&words(&text)), words(&text));
            prop_assert_eq!(key(&stored(&text)), key(&text));
        }
    }
}
