//! The places that name one criterion: its enum value in `policy.proto`, its file in `src/engine/score/criteria/` with the
//! `mod` line that declares it, and its texts in `data/wording/`. A new criterion changes these places and no others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use wim_match::domain::explanation::ReasonCode;
use wim_match::domain::policy::Criterion;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files below a folder.
fn files(folder: &str) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![root().join(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files
}

fn stem(path: &Path) -> &str {
    path.file_stem().and_then(|stem| stem.to_str()).expect("a name in UTF-8")
}

/// Product code of `src/`, by path: neither the files and modules of tests, nor comments.
fn product() -> BTreeMap<PathBuf, String> {
    // The report's sample data are compiled for tests alone.
    let is_of_tests = |path: &Path| {
        path.ends_with("src/report/sample.rs")
            || path.iter().any(|name| name == "tests" || name == "tests.rs")
    };
    let code = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a file in UTF-8");
        let end =
            text.find("#[cfg(test)]\nmod tests {").or(text.find("#[cfg(test)]\npub(super) mod tests {"));
        let lines = text[..end.unwrap_or(text.len())].lines();
        let code = lines.filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        (path.strip_prefix(root()).expect("a path below the root").to_owned(), code)
    };
    files("src").into_iter().filter(|path| !is_of_tests(path)).map(code).collect()
}

/// Whether `code` has `path` as a path of its own: `A::B`, not `A::BC`.
fn names(code: &str, path: &str) -> bool {
    code.match_indices(path).any(|(at, _)| {
        let after = code[at + path.len()..].chars().next();
        !after.is_some_and(|next| next.is_alphanumeric() || next == '_')
    })
}

#[test]
fn every_criterion_has_one_file_and_every_file_is_a_criterion() {
    let files = files("src/engine/score/criteria");
    let found: BTreeSet<&str> = files.iter().map(|path| stem(path)).collect();
    let criteria: BTreeSet<&str> = Criterion::ALL.into_iter().map(Criterion::as_str).collect();
    assert_eq!(found, criteria);
}

#[test]
fn every_language_has_the_labels_of_all_criteria_and_no_others() {
    let mut expected: BTreeSet<&str> = Criterion::ALL.into_iter().map(Criterion::as_str).collect();
    expected.insert("private");
    let files = files("data/wording");
    // The texts of the interface; those of reports and of the console have no criteria of their own.
    let is_language = |path: &&PathBuf| !stem(path).contains('.') && stem(path) != "messages";
    let languages: Vec<_> = files.iter().filter(is_language).collect();
    assert!(languages.len() >= 4, "the files of the wording were read");
    for path in languages {
        let text = fs::read_to_string(path).expect("a file in UTF-8");
        let tables: BTreeMap<String, BTreeMap<String, String>> = toml::from_str(&text).expect("TOML");
        let labels: BTreeSet<&str> = tables["criterion"].keys().map(String::as_str).collect();
        assert_eq!(labels, expected, "{}", path.display());
    }
}

/// The engine reaches all criteria through the generated list, so that no match needs a new arm.
#[test]
fn no_product_code_names_a_single_criterion() {
    let sources = product();
    assert!(sources.len() > 100, "src/ was read");
    let mut breaches = Vec::new();
    for (path, code) in &sources {
        for criterion in Criterion::ALL {
            if names(code, &format!("Criterion::{criterion:?}")) {
                breaches.push(format!("{}: {criterion:?}", path.display()));
            }
        }
    }
    assert!(breaches.is_empty(), "product code names single criteria:\n  {}", breaches.join("\n  "));
}

/// Codes that no product code gives any more, but stored results of old runs may carry. A code moves here instead of being
/// deleted from the wording, and never leaves.
const RETIRED: &[&str] = &[];

/// The codes come from the wording, so that the compiler does not report a code that nothing uses.
#[test]
fn every_reason_code_is_the_reason_of_something() {
    let sources = product();
    let unused: Vec<_> = ReasonCode::ALL
        .into_iter()
        .filter(|code| !RETIRED.contains(&code.as_str()))
        .filter(|code| !sources.values().any(|source| names(source, &format!("ReasonCode::{code:?}"))))
        .collect();
    assert!(unused.is_empty(), "no product code gives these reasons: {unused:?}");
}

#[test]
fn a_path_is_named_only_as_a_whole() {
    assert!(names("let x = Criterion::Goals;", "Criterion::Goals"));
    assert!(!names("let x = Criterion::GoalsOfBoth;", "Criterion::Goals"));
}
