//! Messages in the languages of the program. English is in the code; `data/wording/messages.toml` has the other languages,
//! under the English text as the key.
//!
//! A message without a text in the reader's language is shown in English: a text is better than none.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::catalogue;
use super::locale::{fraction, plural, whole};
use crate::domain::message::{Message, MessageValue, code_of};
use crate::domain::template::{Template, Value};
use crate::domain::vocabulary::Lang;

/// The file: the English text, then for each other language by its tag the text in that language.
const FILE: &str = include_str!("../../data/wording/messages.toml");

/// Templates of one message, in the order of the languages; `None` for English, whose text is the key.
type Translations = [Option<Template>; Lang::COUNT];

#[expect(clippy::panic, reason = "the file is compiled in and tests read it")]
static MESSAGES: LazyLock<HashMap<String, Translations>> =
    LazyLock::new(|| read(FILE).unwrap_or_else(|wrong| panic!("data/wording/messages.toml: {wrong}")));

/// The text of a message in a language, with its values.
pub fn message(message: &Message, lang: Lang) -> String {
    let template = message.key().filter(|_| lang != Lang::default()).and_then(|key| {
        let translations = MESSAGES.get(key)?;
        translations[lang as usize].as_ref()
    });
    // English words that have no translation keep the plural of English.
    let spoken = if template.is_some() { lang } else { Lang::default() };
    message.fill(template, &|count| plural(count, spoken), &|value| in_words(value, lang))
}

fn in_words(value: &MessageValue, lang: Lang) -> Value {
    match value {
        MessageValue::Text(text) => Value::same(text.clone()),
        MessageValue::Number(number) => Value { raw: number.to_string(), words: whole(*number, lang) },
        MessageValue::Decimal { units, places } => {
            // Choices compare a whole number. Languages in which 0 is singular count by the whole part (CLDR: French and
            // Portuguese); in the others a number that is not whole is plural.
            let one = 10_i128.pow((*places).into());
            let is_counted = units % one == 0 || plural(0, lang) == plural(1, lang);
            let raw = if is_counted { units / one } else { 2 };
            Value { raw: raw.to_string(), words: fraction(*units, (*places).into(), lang) }
        }
        MessageValue::Label(key) => Value { raw: code_of(key).to_owned(), words: label(key, lang) },
        MessageValue::Labels(keys) => {
            Value::same(keys.iter().map(|key| label(key, lang)).collect::<Vec<_>>().join(", "))
        }
        MessageValue::Country(country) => Value::same(country.label(lang).to_owned()),
        MessageValue::Message(inner) => Value::same(message(inner, lang)),
        MessageValue::Reasons(reasons) => {
            let texts: Vec<String> = reasons.iter().map(|reason| super::render(reason, lang)).collect();
            Value::same(texts.join(lang.conventions().semicolon))
        }
        MessageValue::Several(messages) => {
            let texts: Vec<String> = messages.iter().map(|inner| message(inner, lang)).collect();
            Value::same(texts.join(lang.conventions().semicolon))
        }
    }
}

fn label(key: &str, lang: Lang) -> String {
    catalogue::entry(key, lang).map_or_else(|| code_of(key).to_owned(), |entry| entry.text.clone())
}

fn read(file: &str) -> Result<HashMap<String, Translations>, String> {
    let texts: HashMap<String, HashMap<String, String>> =
        toml::from_str(file).map_err(|error| error.to_string())?;
    let mut messages = HashMap::with_capacity(texts.len());
    for (english, mut by_tag) in texts {
        let mut translations = Translations::default();
        for lang in Lang::ALL.into_iter().filter(|lang| *lang != Lang::default()) {
            let text = by_tag.remove(lang.tag()).ok_or_else(|| format!("{english}: no {}", lang.tag()))?;
            let template = Template::parse(&text, lang.conventions().plural_forms.len());
            translations[lang as usize] = Some(template.map_err(|wrong| format!("{text}: {wrong}"))?);
        }
        if let Some(tag) = by_tag.into_keys().next() {
            return Err(format!("{english}: {tag} is no language of the program"));
        }
        messages.insert(english, translations);
    }
    Ok(messages)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::message;

    /// The texts of all `message!("…")` in a source text.
    fn literals(source: &str) -> Vec<String> {
        let mut found = Vec::new();
        for (at, call) in source.match_indices("message!(") {
            let line = &source[source[..at].rfind('\n').map_or(0, |end| end + 1)..at];
            let Some(inside) = source[at + call.len()..].trim_start().strip_prefix('"') else { continue };
            if line.trim_start().starts_with("//") {
                continue;
            }
            let mut text = String::new();
            let mut chars = inside.chars().peekable();
            while let Some(c) = chars.next() {
                match c {
                    '"' => break,
                    '\\' => match chars.next() {
                        Some('\n') => while chars.next_if(|c| c.is_whitespace()).is_some() {},
                        Some('n') => text.push('\n'),
                        Some(other) => text.push(other),
                        None => {}
                    },
                    other => text.push(other),
                }
            }
            found.push(text);
        }
        found
    }

    #[test]
    fn a_number_that_is_not_whole_has_the_plural_of_its_language() {
        let forms = |units| {
            let raw = |lang| in_words(&MessageValue::Decimal { units, places: 1 }, lang).raw;
            Lang::ALL.map(|lang| plural(raw(lang).parse().expect("a count"), lang))
        };
        assert_eq!((forms(15), forms(5)), ([1, 0, 1, 0], [1, 0, 1, 0]), "singular in French and Portuguese");
        assert_eq!((forms(10), forms(25)), ([0; 4], [1; 4]));
    }

    /// All files of the code, without their tests, with the texts that run over several lines in one piece.
    fn code() -> String {
        files().into_values().collect()
    }

    /// The same, each by its path in `src`.
    fn files() -> BTreeMap<String, String> {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut folders = vec![root.clone()];
        let mut files = BTreeMap::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = std::fs::read_to_string(&path).expect("a file");
                    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
                    let mut pieces = code.split("\\\n");
                    let first = pieces.next().unwrap_or_default().to_owned();
                    let name =
                        path.strip_prefix(&root).expect("in the folder").to_string_lossy().into_owned();
                    files.insert(name, pieces.fold(first, |whole, piece| whole + piece.trim_start()));
                }
            }
        }
        files
    }

    /// The texts in quotation marks of a source text without those of its comments and of `reason = "…"`.
    fn quoted(source: &str) -> Vec<String> {
        let lines = source.lines().filter(|line| !line.trim_start().starts_with("//"));
        let lines = lines.filter(|line| !line.contains("reason = ")).collect::<Vec<_>>().join("\n");
        // The character `"` opens no text.
        let lines = lines.replace("'\"'", "");
        let mut found = Vec::new();
        let mut rest = lines.as_str();
        while let Some(start) = rest.find('"') {
            let mut chars = rest[start + 1..].char_indices();
            let mut text = String::new();
            let end = loop {
                match chars.next() {
                    Some((at, '"')) => break start + 1 + at + 1,
                    Some((_, '\\')) => {
                        text.extend(chars.next().map(|(_, c)| if c == 'n' { '\n' } else { c }))
                    }
                    Some((_, c)) => text.push(c),
                    None => break rest.len(),
                }
            };
            rest = &rest[end..];
            found.push(text);
        }
        found
    }

    #[test]
    fn a_command_without_a_service_and_the_solver_have_no_sentence_outside_of_the_messages() {
        let of_commands = ["cost", "diagnose", "problem", "repair", "solve", "verify", "what_if"]
            .map(|name| format!("cli/{name}.rs"));
        let is_one = |path: &str| {
            of_commands.iter().any(|one| one == path)
                || ["demo.rs", "service/solver.rs", "api/incoming.rs"].contains(&path)
                || ["instance", "api/solver", "api/convert/solver"].iter().any(|at| path.starts_with(at))
        };
        let mut read = 0;
        for (path, code) in files().into_iter().filter(|(path, _)| is_one(path)) {
            read += 1;
            // The text of a defect is for the log.
            let of_a_defect = |line: &&str| !line.to_lowercase().contains("error::internal(");
            let shown = code.lines().filter(of_a_defect).collect::<Vec<_>>().join("\n");
            for text in quoted(&shown) {
                let words = text
                    .split(' ')
                    .map(|word| word.chars().all(|c| c.is_ascii_lowercase()) && word.len() > 1);
                let mut in_a_row = 0;
                let is_sentence = words.into_iter().any(|is_word| {
                    in_a_row = if is_word { in_a_row + 1 } else { 0 };
                    in_a_row == 3
                });
                let is_usage = text.starts_with("wim-match ");
                assert!(!is_sentence || is_usage || MESSAGES.contains_key(&text), "{path}: {text}");
            }
        }
        assert!(read > 20, "{read} files");
    }

    #[test]
    fn no_message_of_three_words_is_left_in_english() {
        let left: Vec<_> = MESSAGES
            .iter()
            .filter(|(english, _)| {
                english.split(' ').filter(|word| word.chars().all(char::is_alphabetic)).count() > 2
            })
            .flat_map(|(english, others)| {
                let same =
                    |template: &&Template| **template == Template::parse(english, 2).expect("a template");
                others.iter().flatten().filter(same).map(move |_| english)
            })
            .collect();
        assert!(left.is_empty(), "{left:#?}");
    }

    #[test]
    fn every_message_of_the_code_is_in_the_file_and_every_text_of_the_file_is_in_the_code() {
        let code = code();
        let written: BTreeSet<String> = literals(&code).into_iter().collect();
        assert!(written.len() > 20, "the code was read");
        let missing: Vec<_> = written.iter().filter(|text| !MESSAGES.contains_key(*text)).collect();
        let is_in_code = |text: &str| code.contains(&format!("\"{}\"", text.replace('"', "\\\"")));
        let surplus: Vec<_> = MESSAGES.keys().filter(|text| !is_in_code(text)).collect();
        assert!(missing.is_empty() && surplus.is_empty(), "missing {missing:#?}, surplus {surplus:#?}");
    }

    #[test]
    fn every_translation_has_the_parameters_of_the_english_text() {
        for (english, translations) in &*MESSAGES {
            let parameters = |template: &Template| -> BTreeSet<String> {
                template.parameters().into_iter().map(str::to_owned).collect()
            };
            let wanted = parameters(&Template::parse(english, 2).expect("a good template"));
            for lang in Lang::ALL {
                if let Some(template) = &translations[lang as usize] {
                    assert_eq!(parameters(template), wanted, "{english} in {}", lang.tag());
                }
            }
        }
    }

    #[test]
    fn a_message_is_rendered_in_every_language_with_the_labels_and_numbers_of_that_language() {
        let error = crate::error::Error::PermissionDenied {
            role: "coordinator",
            action: "ProfileService/ImportProfiles",
            required: "organisation-manager",
        };
        let told = Lang::ALL.map(|lang| message(&error.message(), lang));
        assert_eq!(
            told[0],
            "only a manager of an organisation can import profiles; this token belongs to a coordinator"
        );
        assert!(told[1].contains("importer des profils"), "{}", told[1]);
        let large = crate::error::Error::MessageTooLarge { limit_bytes: 4_194_304 };
        assert!(message(&large.message(), Lang::Pt).contains("4.194.304 bytes"));
    }

    #[test]
    fn a_text_without_a_translation_stays_english_and_a_verbatim_text_stays_as_it_is() {
        let unknown = Message::new("{n|1 x|{n} xs} of nothing", vec![("n", 2_u8.into())]);
        assert_eq!(message(&unknown, Lang::Fr), "2 xs of nothing");
        assert_eq!(message(&Message::verbatim("{n|"), Lang::Fr), "{n|");
        let _ = message!("{name} exists already; choose another id", name = "x");
    }

    #[test]
    fn a_file_that_lacks_a_language_or_has_an_unknown_one_is_refused() {
        assert!(read("[\"a\"]\nfr = \"b\"").expect_err("two are missing").contains("no e"));
        let four = "[\"a\"]\nfr = \"b\"\nes = \"b\"\npt = \"b\"\nxx = \"b\"";
        assert!(read(four).expect_err("no language").contains("xx"));
    }
}
