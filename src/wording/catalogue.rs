//! The texts of `data/wording/`, read once at their first use.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::LazyLock;

use super::locale::plural;
use crate::domain::template::{Template, Value};
use crate::domain::vocabulary::{Conventions, Lang};

/// A text with its parsed form.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) text: String,
    pub(super) template: Template,
}

/// Text in the place of a missing value.
pub(super) const NO_VALUE: &str = "–";

static CATALOGUES: LazyLock<[HashMap<String, Entry>; Lang::COUNT]> =
    LazyLock::new(|| Lang::ALL.map(|lang| read_all(lang.conventions())));

/// The text of a key `table.key`, as in the files. A missing key is a defect and gives the empty text.
pub fn text(key: &str, lang: Lang) -> &'static str {
    let entry = entry(key, lang);
    debug_assert!(entry.is_some(), "no text `{key}` in {}", lang.tag());
    entry.map_or("", |entry| entry.text.as_str())
}

/// The text of a key with its parameters replaced by `values`, which also decide its choices.
pub fn fill(key: &str, lang: Lang, values: &[(&str, &dyn Display)]) -> String {
    fill_with(key, lang, &|name| match values.iter().find(|(known, _)| *known == name) {
        Some((_, value)) => Value::same(value.to_string()),
        None => Value::same(NO_VALUE.to_owned()),
    })
}

/// The text of a key with its parameters replaced by what `value` returns for their names.
pub(super) fn fill_with(key: &str, lang: Lang, value: &dyn Fn(&str) -> Value) -> String {
    let entry = entry(key, lang);
    debug_assert!(entry.is_some(), "no text `{key}` in {}", lang.tag());
    entry.map_or_else(String::new, |entry| entry.template.fill(&|count| plural(count, lang), value))
}

/// The entry of a key, `table.key` as in the files.
pub(super) fn entry(key: &str, lang: Lang) -> Option<&'static Entry> {
    CATALOGUES[lang as usize].get(key)
}

/// All keys of a language.
#[cfg(test)]
pub(super) fn keys(lang: Lang) -> std::collections::BTreeSet<&'static str> {
    CATALOGUES[lang as usize].keys().map(String::as_str).collect()
}

#[expect(clippy::panic, reason = "the files are compiled in and tests read them")]
fn read_all(conventions: &Conventions) -> HashMap<String, Entry> {
    let mut entries = HashMap::new();
    for file in conventions.texts {
        read(file, conventions.plural_forms.len(), &mut entries)
            .unwrap_or_else(|error| panic!("data/wording, {}: {error}", conventions.tag));
    }
    entries
}

fn read(file: &str, plural_forms: usize, entries: &mut HashMap<String, Entry>) -> Result<(), String> {
    let tables: HashMap<String, HashMap<String, String>> =
        toml::from_str(file).map_err(|error| error.to_string())?;
    for (table, texts) in tables {
        for (name, text) in texts {
            let key = format!("{table}.{name}");
            let template = Template::parse(&text, plural_forms).map_err(|error| format!("{key}: {error}"))?;
            if entries.insert(key, Entry { text, template }).is_some() {
                return Err(format!("`{table}.{name}` is in two files"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_two_files_and_a_broken_template_are_refused() {
        let mut entries = HashMap::new();
        read("[a]\nb = \"x\"\n\"b.c\" = \"{n|y|z}\"", 2, &mut entries).expect("a good file");
        assert_eq!(entries["a.b.c"].text, "{n|y|z}");
        assert!(read("[a]\nb = \"x\"", 2, &mut entries).expect_err("twice").contains("two files"));
        assert!(read("[c]\nd = \"{\"", 2, &mut entries).expect_err("broken").contains("c.d"));
    }
}
