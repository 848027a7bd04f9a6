//! The pages for contributors name files, tests and profiles that exist. CI checks the links themselves.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use prost::Message as _;
use prost_types::FileDescriptorSet;
use wim_match::api::proto::DESCRIPTORS;
use wim_match::api::status::code_of;
use wim_match::error::Reason;

use crate::refusal::metadata_keys;

/// Pages that name places in the code.
const PAGES: &[&str] = &[
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/architecture.md",
    "docs/contract.md",
    "docs/edge.md",
    "docs/errors.md",
    "docs/objectives.md",
    "deploy/README.md",
    "deploy/postgresql/README.md",
    "deploy/runbooks/README.md",
    "deploy/runbooks/restore.md",
    "fuzz/README.md",
];

/// Folders at the top, whose names begin a path.
const FOLDERS: &[&str] = &[
    "src/",
    "tests/",
    "data/",
    "docs/",
    "proto/",
    "migrations/",
    "benches/",
    "fuzz/",
    "deploy/",
    "clients/",
    "sample/",
];

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = package().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Texts between single backquotes, code blocks left out.
fn quoted(page: &str) -> Vec<&str> {
    let prose = page.split("```").step_by(2);
    prose.flat_map(|text| text.split('`').skip(1).step_by(2)).collect()
}

/// Whether a quoted text is a path without a placeholder.
fn is_path(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "/._-".contains(c);
    FOLDERS.iter().any(|folder| text.starts_with(folder)) && text.chars().all(is_plain)
}

/// Whether a quoted text is the name of a test: a sentence in words, and no metric.
fn is_test(text: &str) -> bool {
    let is_metric = ["wim_match_", "rpc_", "db_", "process_"].iter().any(|family| text.starts_with(family));
    !is_metric && text.matches('_').count() >= 4 && text.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![package().join("src"), package().join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}

#[test]
fn every_path_that_a_page_names_exists() {
    let mut absent = Vec::new();
    for page in PAGES {
        for path in quoted(&read(page)).into_iter().filter(|text| is_path(text)) {
            // Files that a run makes.
            let is_made =
                ["fuzz/artifacts", "fuzz/corpus", "deploy/secrets"].iter().any(|made| path.starts_with(made));
            if !is_made && !package().join(path).exists() {
                absent.push(format!("{page}: `{path}`"));
            }
        }
    }
    assert!(absent.is_empty(), "these paths do not exist:\n  {}", absent.join("\n  "));
}

#[test]
fn every_test_that_a_page_names_exists() {
    let code: Vec<String> = sources().iter().filter_map(|path| std::fs::read_to_string(path).ok()).collect();
    let named: BTreeSet<(&str, String)> = PAGES
        .iter()
        .flat_map(|page| {
            quoted(&read(page)).into_iter().map(|text| (*page, text.to_owned())).collect::<Vec<_>>()
        })
        .filter(|(_, text)| is_test(text))
        .collect();
    assert!(!named.is_empty(), "docs/architecture.md names tests");
    for (page, test) in named {
        assert!(
            code.iter().any(|text| text.contains(&format!("fn {test}("))),
            "{page}: there is no test `{test}`"
        );
    }
}

#[test]
fn every_profile_that_a_page_names_exists() {
    let manifest = read("Cargo.toml");
    for page in PAGES {
        for (at, flag) in read(page).match_indices("--profile ") {
            let text = read(page);
            let name: String =
                text[at + flag.len()..].chars().take_while(char::is_ascii_alphanumeric).collect();
            assert!(manifest.contains(&format!("[profile.{name}]")), "{page}: there is no profile `{name}`");
        }
    }
}

#[test]
fn every_build_that_a_page_or_script_names_keeps_to_the_lock_file() {
    let scripts = [
        "benches/README.md",
        "benches/peers/README.md",
        "docs/engine.md",
        "docs/wording.md",
        "sample/README.md",
    ];
    let scripts = scripts.into_iter().chain([".ci/run", "fuzz/run", "fuzz/memory", "deploy/release"]);
    let (mut loose, mut read) = (Vec::new(), 0);
    for page in PAGES.iter().copied().chain(scripts) {
        for line in read_joined(page).lines() {
            for command in ["build", "run", "test", "bench", "check", "clippy", "install", "deny"] {
                // With an option: a name of a command in the prose has none.
                for (at, start) in line.match_indices(&format!("cargo {command} ")) {
                    let rest =
                        line[at + start.len()..].split(['`', '|', ';', '#']).next().unwrap_or_default();
                    let is_command = rest.starts_with(['-', 'c']) && !rest.starts_with("--version");
                    read += usize::from(is_command);
                    if is_command && !rest.contains("--locked") {
                        loose.push(format!("{page}: {}", line.trim()));
                    }
                }
            }
        }
    }
    assert!(read > 20, "the commands were read: {read}");
    assert!(loose.is_empty(), "these commands may build other versions:\n  {}", loose.join("\n  "));
}

/// A file whose lines that end with a backslash are joined with the next.
fn read_joined(path: &str) -> String {
    read(path).replace("\\\n", " ")
}

#[test]
fn the_map_shows_every_part_of_the_house() {
    let page = read("docs/architecture.md");
    let map = page.split("```").nth(1).expect("a map");
    for entry in std::fs::read_dir(package().join("src")).expect("src/") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let is_shown = map.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == name);
        assert!(is_shown || name == "lib", "docs/architecture.md: the map does not show `{name}`");
    }
}

#[test]
fn paths_and_tests_are_found_in_the_prose_of_a_page() {
    let page =
        "See `src/a.rs`, `src/NAME.rs`, `a_test_that_has_five_words`.\n```sh\ncat `src/b.rs`\n```\n`docs/`";
    assert_eq!(quoted(page), ["src/a.rs", "src/NAME.rs", "a_test_that_has_five_words", "docs/"]);
    assert_eq!(
        quoted(page).into_iter().filter(|text| is_path(text)).collect::<Vec<_>>(),
        ["src/a.rs", "docs/"]
    );
    assert_eq!(
        quoted(page).into_iter().filter(|text| is_test(text)).collect::<Vec<_>>(),
        ["a_test_that_has_five_words"]
    );
}

/// The page of errors, from the comments of the contract and the table of codes.
fn page_of_errors() -> String {
    let set = FileDescriptorSet::decode(DESCRIPTORS).expect("descriptors");
    let file = set.file.iter().find(|file| file.name().ends_with("/error.proto")).expect("the reasons");
    let locations = &file.source_code_info.as_ref().expect("comments").location;
    let mut page = "# Errors\n\n\
        This page is made from `proto/wim/mentorship/v1/error.proto` and `src/api/status.rs` by \
        `the_page_of_errors_says_what_the_contract_says` in `tests/it/docs.rs`.\n\n\
        Every answer other than OK carries one `google.rpc.ErrorInfo` of the domain `mentorship.wim` with one of these reasons.\n"
        .to_owned();
    for (at, value) in file.enum_type[0].value.iter().enumerate().skip(1) {
        let reason = value.name().trim_start_matches("ERROR_REASON_");
        let code = code_of(Reason::from_code(reason).expect("a reason of the service"));
        let path = [5, 0, 2, i32::try_from(at).expect("few reasons")];
        let location = locations.iter().find(|location| location.path == path).expect("a comment");
        let comment: Vec<&str> = location.leading_comments().lines().map(str::trim).collect();
        let (cause, action) = comment.join(" ").split_once("Action: ").map_or_else(
            || panic!("{reason} has no action"),
            |(cause, action)| (cause.trim().replace("Cause: ", ""), action.trim().to_owned()),
        );
        let sentence = |text: &str| text[..1].to_uppercase() + &text[1..];
        writeln!(page, "\n## {reason}\n\ngRPC code: {code:?}\n").expect("a string grows");
        writeln!(page, "- Cause: {}\n- What to do: {}", sentence(&cause), sentence(&action))
            .expect("a string grows");
        let keys = metadata_keys(reason);
        if !keys.is_empty() {
            writeln!(page, "- Metadata: `{}`", keys.join("`, `")).expect("a string grows");
        }
    }
    page
}

#[test]
fn the_page_of_errors_says_what_the_contract_says() {
    let (file, page) = (package().join("docs/errors.md"), page_of_errors());
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(&file, &page).expect("is written");
    }
    assert!(
        std::fs::read_to_string(&file).unwrap_or_default() == page,
        "docs/errors.md is old: write it anew with `INSTA_UPDATE=always cargo test --test it docs`"
    );
}
