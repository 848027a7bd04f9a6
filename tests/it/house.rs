//! The house test: which part of `src/` may name which, no circle of files, and the size and the header of a file.
//!
//! The test parses every file (`tree`), resolves its paths (`paths`) and reports each breach by file and line. Code for
//! tests is exempt. `cargo test --test it house` runs it alone.

mod circles;
mod items;
mod paths;
mod reading;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use self::tree::Tree;

/// Lines of a file at most.
const MAX_LINES: usize = 600;

/// Lines of a file at least, unless it is a row of a family or the root of a folder.
const MIN_LINES: usize = 60;

/// Folders below `src/` whose files are rows of one family, with what one file holds.
const FAMILIES: &[(&str, &str)] = &[
    ("", "a part of the house"),
    ("api", "a gRPC service or a layer"),
    ("api/convert", "the messages of a noun"),
    ("api/edge", "a bound of the edge"),
    ("cli", "a command"),
    ("cli/admin", "a command of the operator"),
    ("console", "a page"),
    ("client", "a use of the service"),
    ("domain", "a noun"),
    ("domain/profile/parse", "a group of fields"),
    ("engine/pair_scores", "a source of scores"),
    ("engine/score/criteria", "a criterion"),
    ("report", "a section"),
    ("server", "a task of the service"),
    ("service", "the use cases of a noun"),
    ("store", "the statements of a noun"),
    ("wording", "a form of text"),
];

/// Small files outside the families, each with its reason.
const SMALL: &[(&str, &str)] = &[
    ("src/engine/pool.rs", "the one place that chooses threads"),
    ("src/engine/problem.rs", "the problem that every solver takes"),
    ("src/engine/quota/cut.rs", "the proof that floors cannot be met"),
];

/// The parts of the engine that the certifier may use: the problem and the proof, and nothing of the solver.
const CERTIFIER_USES: &[&str] = &[
    "certificate",
    "certify",
    "exchange",
    "groups",
    "limit_tree",
    "observer",
    "pair_scores",
    "pool",
    "problem",
];

/// The files that act for the service itself and not for a caller, each with its reason. The list may only shrink.
const SYSTEM_SCOPE: &[(&str, &str)] = &[
    ("src/cli/admin/backup.rs", "the operator at the machine: a copy has the rows of everybody"),
    ("src/cli/admin/check.rs", "the operator at the machine: a check reads the rows of everybody"),
    ("src/cli/admin/restore.rs", "the operator at the machine"),
    ("src/cli/doctor.rs", "the operator at the machine"),
    ("src/server.rs", "health"),
    ("src/server/gauges.rs", "the queue of the workers, for metrics"),
    (
        "src/service/audit.rs",
        "the audit is sealed and verified as a whole, and the operator at the machine reads it",
    ),
    (
        "src/service/erasure.rs",
        "an erasure reaches into the runs and the lists of other organisations, after the person was checked",
    ),
    (
        "src/service/diagnosis.rs",
        "a diagnosis looks at the profiles of everybody who is enrolled, and shows open answers",
    ),
    (
        "src/service/compare.rs",
        "a comparison looks at the profiles of whole snapshots, and shows what open answers say of a pair",
    ),
    ("src/service/idle.rs", "housekeeping, and the number of people whom it would erase"),
    ("src/service/repeat.rs", "the operator at the machine, after a restore"),
    (
        "src/service/replay.rs",
        "a replay solves a whole snapshot, and returns whether the same result came out",
    ),
    ("src/service/event.rs", "the key of cursors, which is of the service"),
    ("src/service/retention.rs", "housekeeping"),
    ("src/service/due.rs", "housekeeping: the events for what is due"),
    (
        "src/service/weight_advice.rs",
        "earlier rounds are solved again, and numbers of whole rounds are shown",
    ),
    (
        "src/service/consultation.rs",
        "housekeeping, and a result, which counts the answers of all organisations once its deadline has passed",
    ),
    (
        "src/service/ask.rs",
        "an expert reads the pairs about which she is asked, after her asks were looked up",
    ),
    (
        "src/service/review.rs",
        "the hard rules of a pin look at all profiles of the round, after the round was checked",
    ),
    (
        "src/service/run.rs",
        "the hard rules of a pair look at all profiles of its snapshot, after the pair was checked",
    ),
    ("src/service/authentication.rs", "authentication, and the operator at the machine"),
    ("src/service/console_session.rs", "a session is found by its secret, before anybody is known"),
    ("src/service/invitation.rs", "whoever shows the secret of an invitation is nobody yet"),
    ("src/store/backend.rs", "the log of SQLite has rows of everybody"),
    ("src/store/migration.rs", "the schema has rows of everybody"),
    ("src/store/queue.rs", "the queue of the workers"),
    ("src/store/completion.rs", "the end of a run, which its worker saves"),
    ("src/store/session.rs", "sessions of workers"),
    ("src/worker.rs", "the worker"),
];

/// Public items that no product code uses, each with its reason.
const OFFERED: &[(&str, &str)] = &[
    ("name_for_prometheus", "the documents and the tests of dashboards name metrics as Prometheus does"),
    ("refused_for", "refusals of one cause: whoever runs the server as a library may ask for them"),
];

/// Each part of the house with the parts it may name. `main` and `lib` are above all of them.
const PARTS: &[(&str, &[&str])] = &[
    // The ground: plain types and errors, time from one place.
    ("clock", &[]),
    ("error", &["domain"]),
    ("domain", &[]),
    // Leaves: nothing of the story in them.
    ("telemetry", &["clock"]),
    ("wording", &["domain"]),
    ("config", &["domain", "telemetry"]),
    ("table", &[]),
    ("profile_csv", &["domain", "table"]),
    ("check_in_csv", &["domain", "table", "profile_csv"]),
    ("report", &["domain", "wording"]),
    // The engine knows no database, and of time only the stopwatch.
    ("engine", &["domain", "clock"]),
    // Problems brought from outside.
    ("instance", &["domain", "engine", "table"]),
    ("store", &["domain", "error", "clock", "telemetry"]),
    ("service", &["domain", "error", "clock", "engine", "instance", "store", "telemetry"]),
    // The edges.
    ("worker", &["domain", "error", "clock", "engine", "store", "service", "telemetry"]),
    ("api", &["domain", "error", "clock", "engine", "instance", "report", "service", "telemetry", "wording"]),
    // Pages, over the same use cases as the API.
    ("console", &["domain", "error", "clock", "engine", "service", "wording"]),
    ("server", &["error", "clock", "config", "store", "service", "telemetry", "worker", "api", "console"]),
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
            "table",
            "profile_csv",
            "check_in_csv",
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
    ("demo", &["domain", "clock", "config", "wording", "profile_csv", "report", "server", "client"]),
    ("client", &["domain", "clock", "wording", "table", "profile_csv", "check_in_csv", "report", "api"]),
];

/// Macros of the ground that every part may name: the macro of messages, which is exported at the root.
const MACROS: &[&str] = &["message"];

/// Each thing from outside with the parts that may name it, or with the very files.
const OUTSIDERS: &[(&str, &[&str])] = &[
    ("sqlx::", &["store"]),
    ("icu_calendar::", &["wording"]),
    ("icu_datetime::", &["wording"]),
    ("icu_decimal::", &["wording"]),
    ("icu_locale_core::", &["wording"]),
    ("icu_plurals::", &["wording"]),
    // The server mounts the generated services; everybody else speaks the domain.
    ("api::proto", &["api", "client", "server"]),
    ("tonic::", &["api", "server", "client", "cli"]),
    ("tonic_types::", &["api", "cli"]),
    ("hyper::", &["server"]),
    ("tokio_rustls::", &["server"]),
    ("ring::", &["server", "src/api/auth/keys.rs"]),
    ("base64::", &["src/api/auth/keys.rs"]),
    ("hyper_util::", &["server"]),
    ("rustix::", &["server", "src/store/place.rs"]),
    ("prost::", &["api", "client"]),
    ("prost_types::", &["api"]),
    ("clap::", &["cli", "demo", "main"]),
    ("rayon::", &["engine"]),
    ("maud::", &["report", "console"]),
    ("axum::", &["console"]),
    ("form_urlencoded::", &["console"]),
    ("flate2::", &["console"]),
    ("csv::", &["profile_csv", "check_in_csv", "instance", "cli", "demo", "report"]),
    ("rust_xlsxwriter::", &["report"]),
    ("csv_core::", &["table"]),
    ("calamine::", &["table"]),
    ("encoding_rs::", &["table"]),
    ("anyhow::", &["cli", "demo", "config", "server", "telemetry", "main"]),
    ("tracing_subscriber::", &["telemetry", "config"]),
    ("opentelemetry::", &["telemetry"]),
    ("opentelemetry_sdk::", &["telemetry"]),
    ("opentelemetry_otlp::", &["telemetry"]),
    ("tracing_opentelemetry::", &["telemetry"]),
    ("prometheus::", &["telemetry"]),
    ("tokio::", &["store", "service", "worker", "api", "console", "server", "client", "cli", "demo", "main"]),
    ("tokio::net", &["server", "cli", "demo"]),
    (
        "std::fs",
        &[
            "config",
            "cli",
            "demo",
            "src/client/private.rs",
            "src/store/files.rs",
            "src/store/place.rs",
            "src/telemetry/process.rs",
        ],
    ),
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

fn assert_no(breaches: &[String], rule: &str) {
    // One line may break a rule several times.
    let breaches: BTreeSet<&str> = breaches.iter().map(String::as_str).collect();
    assert!(breaches.is_empty(), "{rule}:\n  {}", Vec::from_iter(breaches).join("\n  "));
}

#[test]
fn no_files_take_items_from_each_other_in_a_circle() {
    assert_no(
        &circles::report(&Tree::of_the_package()),
        "files stand in a circle; move the shared items below both",
    );
}

#[test]
fn no_modules_take_items_from_each_other_in_a_circle() {
    assert_no(
        &circles::report_modules(&Tree::of_the_package()),
        "modules stand in a circle; move the shared items below both",
    );
}

#[test]
fn every_part_of_the_house_names_only_what_it_may() {
    let tree = Tree::of_the_package();
    let mut breaches = Vec::new();
    for (file, source) in tree.product() {
        let part = source.part();
        if ["main", "lib"].contains(&part) {
            continue;
        }
        let Some((_, may)) = PARTS.iter().find(|(name, _)| *name == part) else {
            breaches.push(format!("{}: `{part}` has no row in the table of parts", source.at(1)));
            continue;
        };
        for (line, named) in paths::named_by(&tree, file).parts {
            if named != part && !may.contains(&named.as_str()) && !MACROS.contains(&named.as_str()) {
                breaches.push(format!("{}: `{part}` names `{named}`", source.at(line)));
            }
        }
    }
    assert_no(&breaches, "a part of the house names what stands above it");
}

#[test]
fn outsiders_and_ambient_things_are_named_only_where_they_may_be() {
    let mut breaches = Vec::new();
    for (_, source) in Tree::of_the_package().product() {
        for (line, text) in product_lines(&source.text) {
            for (outsider, may) in OUTSIDERS {
                let path = source.path.display().to_string();
                if names(text, outsider) && !may.contains(&source.part()) && !may.contains(&path.as_str()) {
                    breaches.push(format!("{}: `{}` names `{outsider}`", source.at(line), source.part()));
                }
            }
        }
    }
    assert_no(&breaches, "something from outside is named where it may not be");
}

/// Lines up to the tests of a file, with their numbers, comments left out.
fn product_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let tests = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    (1..).zip(text[..tests].lines()).filter(|(_, line)| !line.trim_start().starts_with("//"))
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
fn a_name_of_something_from_outside_is_a_word_of_its_own() {
    assert!(names("let now = Timestamp::now();", "Timestamp::now"));
    assert!(!names("struct MyInstant;", "Instant"));
    let text = "use a::B;\n// Instant\nfn f() {}\n#[cfg(test)]\nmod tests {\n    use Instant;\n}\n";
    assert_eq!(product_lines(text).collect::<Vec<_>>(), [(1, "use a::B;"), (3, "fn f() {}")]);
}

#[test]
fn the_certifier_uses_nothing_of_the_solver() {
    let tree = Tree::of_the_package();
    let (mut breaches, mut read) = (Vec::new(), 0);
    let is_certifier = |path: &str| path.starts_with("src/engine/certify");
    for (_, source) in tree.product().filter(|(_, source)| is_certifier(&source.path.to_string_lossy())) {
        read += 1;
        for (line, text) in product_lines(&source.text) {
            for (at, root) in text.match_indices("crate::engine::") {
                let path = &text[at + root.len()..];
                let part = path.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
                if !CERTIFIER_USES.contains(&part) {
                    breaches.push(format!("{}: `{part}`", source.at(line)));
                }
            }
        }
    }
    assert!(read > 4, "the files of the certifier were read");
    assert_no(&breaches, "the certifier shares no code with the solver");
}

#[test]
fn the_scope_of_the_service_itself_is_named_in_few_places() {
    let tree = Tree::of_the_package();
    let names_it = |text: &str| product_lines(text).any(|(_, line)| line.contains("Scope::System"));
    let named: BTreeSet<String> = tree
        .product()
        .filter(|(_, source)| names_it(&source.text))
        .map(|(_, source)| source.path.display().to_string())
        .collect();
    let listed: BTreeSet<String> = SYSTEM_SCOPE.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(named, listed, "a caller's reads and writes are limited to the caller's scope");
}

#[test]
fn every_module_says_what_it_is_for() {
    let tree = Tree::of_the_package();
    let silent: Vec<String> = tree
        .product()
        .filter(|(_, source)| !source.text.starts_with("//!"))
        .map(|(_, source)| source.at(1))
        .collect();
    assert_no(&silent, "a file of src/ begins with its `//!` doc");
}

#[test]
fn no_file_is_longer_than_a_person_reads() {
    let tree = Tree::of_the_package();
    let long: Vec<String> = tree
        .sources
        .iter()
        .filter(|source| source.text.lines().count() > MAX_LINES)
        .map(|source| source.at(MAX_LINES + 1))
        .collect();
    assert_no(&long, "a file past 600 lines is split by noun");
}

#[test]
fn nothing_is_public_that_only_tests_reach() {
    let tree = Tree::of_the_package();
    let used = items::used_names(&tree);
    let items = items::declared(&tree);
    let unused: Vec<String> = items
        .iter()
        .filter(|item| item.is_pub && !used.contains(&item.name, item.file))
        .filter(|item| OFFERED.iter().all(|(offered, _)| *offered != item.name))
        .map(|item| format!("{}: `{}`", tree.sources[item.file].at(item.line), item.name))
        .collect();
    assert_no(&unused, "no product code uses these public items");
    let needless: Vec<String> = items
        .iter()
        .filter(|item| item.is_pub && used.contains(&item.name, item.file))
        .filter(|item| OFFERED.iter().any(|(offered, _)| *offered == item.name))
        .map(|item| item.name.clone())
        .collect();
    assert_no(&needless, "product code uses these items, so they leave the list of exceptions");
}

#[test]
fn a_small_file_is_a_row_of_a_family() {
    let tree = Tree::of_the_package();
    let is_root = |module: &[String]| {
        tree.sources.iter().any(|other| other.module.split_last().is_some_and(|(_, above)| above == module))
    };
    let small: Vec<String> = tree
        .product()
        .filter(|(_, source)| source.text.lines().count() < MIN_LINES && !is_root(&source.module))
        .filter(|(_, source)| {
            let folder = source.module.split_last().map_or(String::new(), |(_, above)| above.join("/"));
            FAMILIES.iter().all(|(family, _)| *family != folder)
        })
        .map(|(_, source)| source.path.display().to_string())
        .collect();
    let is_listed = |path: &str| SMALL.iter().any(|(listed, _)| *listed == path);
    let unlisted: Vec<String> = small.iter().filter(|path| !is_listed(path)).cloned().collect();
    assert_no(&unlisted, "a file below 60 lines is folded into the file that uses it");
    let needless: Vec<String> =
        SMALL.iter().map(|(path, _)| (*path).to_owned()).filter(|path| !small.contains(path)).collect();
    assert_no(&needless, "these files are not small, so they leave the list of exceptions");
}

#[test]
fn the_engine_declares_no_type_name_twice() {
    let tree = Tree::of_the_package();
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for item in items::declared(&tree) {
        let source = &tree.sources[item.file];
        if item.is_type && source.part() == "engine" {
            places.entry(item.name).or_default().push(source.at(item.line));
        }
    }
    let twice: Vec<String> = places
        .into_iter()
        .filter(|(_, places)| places.len() > 1)
        .map(|(name, places)| format!("`{name}`: {}", places.join(", ")))
        .collect();
    assert_no(&twice, "a type name of the engine means one thing");
}
