//! The languages that the program writes in, one row of a table per language, and the columns of labels in `data/`.
//!
//! A row, two files in `data/wording/` and a column in each table of `data/` are all that a language needs.
//! `docs/wording.md` describes how to add one.

/// Test of a word, for a rule of spelling.
type WordTest = fn(&str) -> bool;

/// How a language writes counts, numbers and lists, and where its texts are.
#[derive(Debug)]
pub struct Conventions {
    /// BCP 47 tag, which is also the name of the language's column in the tables of `data/`.
    pub tag: &'static str,
    /// Contents of the two files of the language in `data/wording/`.
    pub texts: [&'static str; 2],
    /// Number of plural forms that the texts distinguish, by the cardinal rules of Unicode CLDR for whole numbers.
    pub plural_forms: usize,
    /// Plural form of a count: 0 is the first choice of a template.
    pub plural: fn(u64) -> usize,
    /// Decimal sign.
    pub decimal: char,
    /// Separator of thousands.
    pub group: char,
    /// Number of digits from which thousands are separated.
    pub group_from: usize,
    /// What follows a number to make it a percentage, with the space before the sign.
    pub percent: &'static str,
    /// Colon with the spaces around it.
    pub colon: &'static str,
    /// Semicolon with the spaces around it.
    pub semicolon: &'static str,
    /// Conjunction before the last item of a list.
    pub and: &'static str,
    /// Conjunction before certain words, and the test for these words.
    pub and_before: Option<(WordTest, &'static str)>,
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
            ],
            $($field: $value),+
        }),+];
    };
}

langs! {
    /// English.
    #[default]
    En = "en" {
        plural_forms: 2,
        plural: |count| usize::from(count != 1),
        decimal: '.',
        group: ',',
        group_from: 4,
        percent: "%",
        colon: ": ",
        semicolon: "; ",
        and: "and",
        and_before: None,
    }
    /// French. Zero takes the singular. A space that does not break stands before `%`, `:` and `;`.
    Fr = "fr" {
        plural_forms: 2,
        plural: |count| usize::from(count > 1),
        decimal: ',',
        group: '\u{202f}',
        group_from: 4,
        percent: "\u{a0}%",
        colon: "\u{a0}: ",
        semicolon: "\u{a0}; ",
        and: "et",
        and_before: None,
    }
    /// Spanish. Numbers of four digits stay whole, and a thin space groups the others (Real Academia Española): point and
    /// comma mean opposite things in Mexico and in Argentina.
    Es = "es" {
        plural_forms: 2,
        plural: |count| usize::from(count != 1),
        decimal: ',',
        group: '\u{202f}',
        group_from: 5,
        percent: "\u{a0}%",
        colon: ": ",
        semicolon: "; ",
        and: "y",
        and_before: Some((begins_with_spanish_i, "e")),
    }
    /// Portuguese of Brazil. Zero takes the singular.
    Pt = "pt" {
        plural_forms: 2,
        plural: |count| usize::from(count > 1),
        decimal: ',',
        group: '.',
        group_from: 4,
        percent: "%",
        colon: ": ",
        semicolon: "; ",
        and: "e",
        and_before: None,
    }
}

impl Lang {
    /// BCP 47 tag.
    pub fn tag(self) -> &'static str {
        self.conventions().tag
    }

    /// How the language writes counts, numbers and lists.
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

    #[test]
    fn every_plural_form_of_every_language_is_used_and_no_other() {
        for lang in Lang::ALL {
            let conventions = lang.conventions();
            let used: std::collections::BTreeSet<usize> = (0..1_000).map(conventions.plural).collect();
            assert!(used.iter().copied().eq(0..conventions.plural_forms), "{}: {used:?}", lang.tag());
        }
    }
}
