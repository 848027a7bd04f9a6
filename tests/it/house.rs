//! The house test: which part of `src/` may name which, read off the paths in the files. A breach is told by file and
//! line. Tests inside the files may name anything.

use std::path::{Path, PathBuf};

/// Lines of a file at most.
const MAX_LINES: usize = 600;

/// Each part of the house with the parts it may name. `main` and `lib` are above all of them.
const PARTS: &[(&str, &[&str])] = &[
    // The ground: plain types and errors, time from one place.
    ("clock", &[]),
    ("error", &["domain"]),
    ("domain", &[]),
    // Leaves: nothing of the story in them.
    ("telemetry", &[]),
    ("wording", &["domain"]),
    ("config", &["telemetry"]),
    ("profile_csv", &["domain"]),
    ("report", &["domain", "wording"]),
    // The engine knows no database, and of time only the stopwatch.
    ("engine", &["domain", "clock"]),
    // Problems brought from outside.
    ("instance", &["domain", "engine"]),
    ("store", &["domain", "error", "clock"]),
    ("service", &["domain", "error", "clock", "engine", "instance", "store"]),
    // The edges.
    ("worker", &["domain", "error", "clock", "engine", "store", "service"]),
    ("api", &["domain", "error", "clock", "engine", "instance", "service", "wording"]),
    ("server", &["error", "clock", "config", "store", "service", "worker", "api"]),
    // `admin` and `doctor` work at the machine itself, on the store and through the service.
    (
        "cli",
        &[
            "domain",
            "error",
            "clock",
            "config",
            "telemetry",
            "wording",
            "profile_csv",
            "report",
            "engine",
            "instance",
            "store",
            "service",
            "server",
            "client",
            "demo",
        ],
    ),
    ("demo", &["domain", "clock", "config", "profile_csv", "report", "server", "client"]),
    ("client", &["domain", "clock", "wording", "profile_csv", "report", "api"]),
];

/// Each thing from outside with the parts that may name it, or with the very files.
const OUTSIDERS: &[(&str, &[&str])] = &[
    ("sqlx::", &["store"]),
    // The server mounts the generated services; everybody else speaks the domain.
    ("api::proto", &["api", "client", "server"]),
    ("tonic::", &["api", "server", "client", "cli"]),
    ("tonic_types::", &["api", "cli"]),
    ("prost::", &["api", "client"]),
    ("prost_types::", &["api"]),
    ("clap::", &["cli", "demo", "main"]),
    ("rayon::", &["engine"]),
    ("maud::", &["report"]),
    ("csv::", &["profile_csv", "instance", "cli", "demo"]),
    ("csv_core::", &["profile_csv"]),
    ("anyhow::", &["cli", "demo", "config", "server", "telemetry", "main"]),
    ("tracing_subscriber::", &["telemetry", "config"]),
    ("tokio::", &["store", "service", "worker", "api", "server", "client", "cli", "demo", "main"]),
    ("tokio::net", &["server", "cli", "demo"]),
    ("std::fs", &["config", "cli", "demo"]),
    ("std::env::", &["config", "client", "cli"]),
    // What is ambient comes from the clock.
    ("SystemTime", &["clock"]),
    ("Instant", &["clock"]),
    ("Timestamp::now", &["clock"]),
    ("Zoned::now", &["clock"]),
    ("now_v7", &["clock"]),
    ("new_v4", &["clock"]),
    ("getrandom::", &["clock"]),
];

/// A file of `src/` as far as rules are concerned: no comments, no tests.
struct Source {
    path: PathBuf,
    /// Names of its module and those around it, from the root: `["engine", "assign", "core"]`.
    module: Vec<String>,
    lines: Vec<String>,
    whole: String,
}

impl Source {
    fn part(&self) -> &str {
        &self.module[0]
    }

    fn at(&self, line: usize) -> String {
        format!("{}:{}", self.path.display(), line + 1)
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder of src/") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(source(&root, &path));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.len() > 100, "src/ was read");
    found
}

fn source(root: &Path, path: &Path) -> Source {
    let inside = path.strip_prefix(root).expect("a path below src/");
    let module = inside.with_extension("").iter().map(|name| name.to_string_lossy().into_owned()).collect();
    let whole = std::fs::read_to_string(path).expect("a file in UTF-8");
    let lines: Vec<&str> = whole.lines().collect();
    let tests = (0..lines.len()).find(|at| {
        lines[*at].trim() == "#[cfg(test)]"
            && lines.get(at + 1).is_some_and(|next| next.trim().ends_with("mod tests {"))
    });
    let lines = lines[..tests.unwrap_or(lines.len())].iter().map(|line| without_comment(line)).collect();
    Source { path: Path::new("src").join(inside), module, lines, whole }
}

fn without_comment(line: &str) -> String {
    if line.trim_start().starts_with("//") { String::new() } else { line.to_owned() }
}

fn is_test_file(source: &Source) -> bool {
    source.module.iter().any(|name| name == "tests")
}

/// Names of the root's modules that a file names, each with its line: `crate::x`, `crate::{x, y::z}`, and paths of
/// `super` that lead up to the root.
fn named_parts(source: &Source) -> Vec<(usize, String)> {
    let text = source.lines.join("\n");
    let mut named = Vec::new();
    let up = "super::".repeat(source.module.len());
    for root in ["crate::", up.as_str()] {
        for (at, _) in text.match_indices(root) {
            let before = text[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let line = text[..at].matches('\n').count();
            let rest = &text[at + root.len()..];
            match rest.strip_prefix('{') {
                Some(group) => named.extend(first_names(group).into_iter().map(|name| (line, name))),
                None => named.push((line, identifier(rest))),
            }
        }
    }
    named
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// First names of the items of a group, whose opening brace is passed.
fn first_names(group: &str) -> Vec<String> {
    let (mut names, mut depth, mut begins) = (Vec::new(), 1, true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => break,
            '}' => depth -= 1,
            ',' if depth == 1 => begins = true,
            c if c.is_whitespace() => {}
            _ if begins && depth == 1 => {
                names.push(identifier(&group[at..]));
                begins = false;
            }
            _ => {}
        }
    }
    names
}

fn assert_no(breaches: &[String], rule: &str) {
    assert!(breaches.is_empty(), "{rule}:\n  {}", breaches.join("\n  "));
}

#[test]
fn every_part_of_the_house_names_only_what_it_may() {
    let mut breaches = Vec::new();
    for source in sources().iter().filter(|source| !is_test_file(source)) {
        let part = source.part();
        if ["main", "lib"].contains(&part) {
            continue;
        }
        let Some((_, may)) = PARTS.iter().find(|(name, _)| *name == part) else {
            breaches.push(format!("{}: `{part}` has no row in the table of parts", source.at(0)));
            continue;
        };
        for (line, named) in named_parts(source) {
            if named != part && !may.contains(&named.as_str()) {
                breaches.push(format!("{}: `{part}` names `{named}`", source.at(line)));
            }
        }
    }
    assert_no(&breaches, "the direction rules of the house are broken");
}

#[test]
fn outsiders_and_ambient_things_are_named_only_where_they_may_be() {
    let mut breaches = Vec::new();
    for source in sources().iter().filter(|source| !is_test_file(source)) {
        for (line, text) in source.lines.iter().enumerate() {
            for (outsider, may) in OUTSIDERS {
                if names(text, outsider) && !may.contains(&source.part()) {
                    breaches.push(format!("{}: `{}` names `{outsider}`", source.at(line), source.part()));
                }
            }
        }
    }
    assert_no(&breaches, "something from outside is named where it may not be");
}

/// Whether a line names `outsider` as a word of its own.
fn names(line: &str, outsider: &str) -> bool {
    line.match_indices(outsider).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + outsider.len()..].chars().next();
        let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !word(before) && (outsider.ends_with([':', ')']) || !word(after))
    })
}

#[test]
fn every_module_says_what_it_is_for() {
    let silent: Vec<String> = sources()
        .iter()
        .filter(|source| !is_test_file(source) && !source.whole.starts_with("//!"))
        .map(|source| source.at(0))
        .collect();
    assert_no(&silent, "a file of src/ begins with its `//!` doc");
}

#[test]
fn no_file_is_longer_than_a_person_reads() {
    let long: Vec<String> = sources()
        .iter()
        .filter(|source| source.whole.lines().count() > MAX_LINES)
        .map(|source| source.at(MAX_LINES))
        .collect();
    assert_no(&long, "a file past 600 lines is split by noun");
}

#[test]
fn the_reader_of_paths_sees_every_form() {
    let source = |text: &str| Source {
        path: PathBuf::from("src/engine/assign.rs"),
        module: vec!["engine".to_owned(), "assign".to_owned()],
        lines: text.lines().map(without_comment).collect(),
        whole: text.to_owned(),
    };
    let named = |text: &str| named_parts(&source(text)).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
    assert_eq!(named("use crate::store::Store;"), ["store"]);
    assert_eq!(named("use crate::{\n    domain::{a, b},\n    store,\n};"), ["domain", "store"]);
    assert_eq!(named("let x = crate::clock::Stopwatch::start();"), ["clock"]);
    assert_eq!(named("use super::super::store::Store;"), ["store"]);
    assert_eq!(named("use super::core::x; // crate-like\n/// [`crate::store`]"), Vec::<String>::new());
    assert!(names("let now = Timestamp::now();", "Timestamp::now"));
    assert!(!names("struct MyInstant;", "Instant"));
}
