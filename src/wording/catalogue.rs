//! The texts of `data/wording/`, read once.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::template::Template;
use crate::domain::vocabulary::Lang;

/// A text and what it is made of.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) text: String,
    pub(super) template: Template,
}

/// The files of each language, in the order of [`Lang::ALL`].
const FILES: [&[&str]; 4] = [
    &[include_str!("../../data/wording/en.toml"), include_str!("../../data/wording/report.en.toml")],
    &[include_str!("../../data/wording/fr.toml"), include_str!("../../data/wording/report.fr.toml")],
    &[include_str!("../../data/wording/es.toml"), include_str!("../../data/wording/report.es.toml")],
    &[include_str!("../../data/wording/pt.toml"), include_str!("../../data/wording/report.pt.toml")],
];

static CATALOGUES: LazyLock<[HashMap<String, Entry>; 4]> = LazyLock::new(|| FILES.map(read_all));

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
fn read_all(files: &[&str]) -> HashMap<String, Entry> {
    let mut entries = HashMap::new();
    for file in files {
        read(file, &mut entries).unwrap_or_else(|error| panic!("data/wording: {error}"));
    }
    entries
}

fn read(file: &str, entries: &mut HashMap<String, Entry>) -> Result<(), String> {
    let tables: HashMap<String, HashMap<String, String>> =
        toml::from_str(file).map_err(|error| error.to_string())?;
    for (table, texts) in tables {
        for (name, text) in texts {
            let key = format!("{table}.{name}");
            let template = Template::parse(&text).map_err(|error| format!("{key}: {error}"))?;
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
        read("[a]\nb = \"x\"\n\"b.c\" = \"{n|y|z}\"", &mut entries).expect("a good file");
        assert_eq!(entries["a.b.c"].text, "{n|y|z}");
        assert!(read("[a]\nb = \"x\"", &mut entries).expect_err("twice").contains("two files"));
        assert!(read("[c]\nd = \"{\"", &mut entries).expect_err("broken").contains("c.d"));
    }
}
