//! The languages that the program writes in, one row of a table per language, and the columns of labels in `data/`.
//!
//! A row, three files in `data/wording/` and a column in each table of `data/` are all that a language needs.
//! `docs/wording.md` describes how to add one.

/// Test of a word, for a rule of spelling.
pub type WordTest = fn(&str) -> bool;

/// How a language writes signs and lists, which locale has its numbers, and where its texts are.
#[derive(Debug)]
pub struct Conventions {
    /// BCP 47 tag, which is also the name of the language's column in the tables of `data/`.
    pub tag: &'static str,
    /// Contents of the three files of the language in `data/wording/`.
    pub texts: [&'static str; 3],
    /// Locale of Unicode CLDR by which numbers, plural forms and dates are written.
    pub locale: &'static str,
    /// Plural forms that the texts distinguish, by their names in CLDR. The last one is that of most numbers.
    pub plural_forms: &'static [&'static str],
    /// What follows a number to make it a percentage, with the space before the sign: the pattern of CLDR, for which
    /// ICU4X has no stable crate.
    pub percent: &'static str,
    /// How the first day of a month is written, where it is an ordinal.
    pub first_day: Option<&'static str>,
    /// Colon with the spaces around it.
    pub colon: &'static str,
    /// Semicolon with the spaces around it.
    pub semicolon: &'static str,
    /// Separator of CSV files, as programs for spreadsheets expect it: not the decimal sign.
    pub csv_separator: u8,
    /// Conjunction before the last item of a list.
    pub and: &'static str,
    /// Conjunction before certain words, and the test for these words.
    pub and_before: Option<(WordTest, &'static str)>,
    /// Conjunction before the last alternative.
    pub or: &'static str,
    /// The same before certain words.
    pub or_before: Option<(WordTest, &'static str)>,
}

macro_rules! langs {
    ($($(#[$meta:meta])* $lang:ident = $tag:literal { $($field:ident: $value:expr),+ $(,)? })+) => {
        /// A language that labels and explanations are rendered in.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Lang {
            $($(#[$meta])* $lang,)+
        }

        impl Lang {
            /// Number of languages.
            pub const COUNT: usize = [$($tag),+].len();
            /// All languages, in the order of the label columns.
            pub const ALL: [Self; Self::COUNT] = [$(Self::$lang),+];
        }

        static TABLE: [Conventions; Lang::COUNT] = [$(Conventions {
            tag: $tag,
            texts: [
                include_str!(concat!("../../../data/wording/", $tag, ".toml")),
                include_str!(concat!("../../../data/wording/report.", $tag, ".toml")),
                include_str!(concat!("../../../data/wording/console.", $tag, ".toml")),
            ],
            $($field: $value),+
        }),+];
    };
}

langs! {
    /// English, with the numbers and dates of the United Kingdom: day before month.
    #[default]
    En = "en" {
        locale: "en-GB",
        plural_forms: &["one", "other"],
        percent: "%",
        first_day: None,
        colon: ": ",
        semicolon: "; ",
        csv_separator: b',',
        and: "and",
        and_before: None,
        or: "or",
        or_before: None,
    }
    /// French. A space that does not break stands before `:` and `;`, and a narrow one before `%`.
    Fr = "fr" {
        locale: "fr",
        plural_forms: &["one", "other"],
        percent: "\u{202f}%",
        first_day: Some("1er"),
        colon: "\u{a0}: ",
        semicolon: "\u{a0}; ",
        csv_separator: b';',
        and: "et",
        and_before: None,
        or: "ou",
        or_before: None,
    }
    /// Spanish.
    Es = "es" {
        locale: "es",
        plural_forms: &["one", "other"],
        percent: "\u{a0}%",
        first_day: None,
        colon: ": ",
        semicolon: "; ",
        csv_separator: b';',
        and: "y",
        and_before: Some((begins_with_spanish_i, "e")),
        or: "o",
        or_before: Some((begins_with_spanish_o, "u")),
    }
    /// Portuguese of Brazil.
    Pt = "pt" {
        locale: "pt",
        plural_forms: &["one", "other"],
        percent: "%",
        first_day: Some("1º"),
        colon: ": ",
        semicolon: "; ",
        csv_separator: b';',
        and: "e",
        and_before: None,
        or: "ou",
        or_before: None,
    }
}

impl Lang {
    /// BCP 47 tag.
    pub fn tag(self) -> &'static str {
        self.conventions().tag
    }

    /// How the language writes signs and lists, and its locale.
    pub fn conventions(self) -> &'static Conventions {
        &TABLE[self as usize]
    }

    /// Reads a BCP 47 tag by its primary subtag; the empty tag is the default language.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or_default();
        if tag.is_empty() {
            return Some(Self::default());
        }
        Self::ALL.into_iter().find(|lang| lang.tag().eq_ignore_ascii_case(primary))
    }

    /// The tags of all languages for a message in English: `en, fr, es or pt`.
    pub fn tags_in_words() -> String {
        let tags = Self::ALL.map(Self::tag);
        match tags.split_last() {
            Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
            _ => tags.concat(),
        }
    }
}

/// Labels of one row, in the order of [`Lang::ALL`].
pub(in crate::domain) type Labels = [&'static str; Lang::COUNT];

/// Rows of a table without its header: `N` columns, the last of which are the labels. Columns are separated by `;` and
/// never quoted.
///
/// # Panics
/// If the header does not end in the tags of all languages in their order, or if a row has another number of columns.
#[expect(clippy::expect_used, reason = "the file is compiled in and a test reads it")]
pub(in crate::domain) fn rows<const N: usize>(text: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    let mut lines = text.lines();
    let header = lines.next().unwrap_or_default().split(';').skip(N - Lang::COUNT);
    assert!(header.eq(Lang::ALL.map(Lang::tag)), "the columns of labels are those of the languages");
    lines.filter(|line| !line.is_empty()).map(|line| {
        let cells: Vec<&'static str> = line.split(';').collect();
        cells.try_into().expect("every row of a compiled-in table has all columns")
    })
}

/// Whether a word begins with the sound of i: `informática` and `historia`, but not `hielo`.
fn begins_with_spanish_i(word: &str) -> bool {
    let word = word.to_lowercase();
    let sounds_like_i = |word: &str| word.starts_with(['i', 'í']);
    let silent = word.strip_prefix('h').is_some_and(sounds_like_i);
    (sounds_like_i(&word) || silent) && !word.starts_with("hie")
}

/// Whether a word begins with the sound of o: `oromo` and `holandés`.
fn begins_with_spanish_o(word: &str) -> bool {
    let word = word.to_lowercase();
    word.strip_prefix('h').unwrap_or(&word).starts_with(['o', 'ó'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_found_by_its_primary_subtag() {
        for lang in Lang::ALL {
            assert_eq!(Lang::from_tag(lang.tag()), Some(lang));
            assert_eq!(Lang::from_tag(&format!("{}-XX", lang.tag().to_uppercase())), Some(lang));
        }
        assert_eq!(Lang::from_tag(""), Some(Lang::En));
        assert_eq!(Lang::from_tag("de"), None);
        assert_eq!(Lang::tags_in_words(), "en, fr, es or pt");
    }
}
