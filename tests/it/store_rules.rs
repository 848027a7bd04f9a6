//! Rules of the store's files: no public function without a scope, and no reading past a session.

use std::path::Path;

/// Functions that read and change no rows of anybody: they open, close, migrate and check the database itself. The list
/// may only shrink.
const WITHOUT_A_SCOPE: [&str; 11] = [
    "open",
    "open_with",
    "open_to_read",
    "open_copy",
    "close",
    "migrate",
    "schema",
    "pending_migrations",
    "unknown_migrations",
    "prepare_statements",
    "trouble",
];

/// Types that are given out under a scope.
const SESSIONS: [&str; 2] = ["WriteSession", "EnrolmentCheck"];

/// Parameters that bring a scope: a scope, a receipt, what was given out under a scope, or a write session itself.
const SCOPES: [&str; 4] = [": &Scope", ": Receipt", ": &ClaimedRun", ": &ImportKey"];

/// The text of every file of `src/store`, without its tests.
fn files() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("src/store") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a file in UTF-8");
            let product = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned();
            files.push((path.file_name().expect("a name").to_string_lossy().into_owned(), product));
        }
    }
    assert!(files.len() > 15, "src/store was read");
    files
}

/// The public async functions of a file, each with the type whose `impl` it stands in and its parameters.
fn public_functions(text: &str) -> Vec<(String, String, String)> {
    let (mut found, mut inside) = (Vec::new(), String::new());
    for (at, line) in
        text.match_indices('\n').map(|(at, _)| (at + 1, text[at + 1..].lines().next().unwrap_or_default()))
    {
        if let Some(named) = line.strip_prefix("impl ") {
            named.trim_end_matches(" {").clone_into(&mut inside);
        }
        let Some(rest) = line.trim_start().strip_prefix("pub async fn ") else { continue };
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let signature = text[at..].split(['{', ';']).next().unwrap_or_default();
        found.push((inside.clone(), name, signature.split_whitespace().collect::<Vec<_>>().join(" ")));
    }
    found
}

/// Whether a function of the store can be called only with a scope.
fn has_a_scope(inside: &str, name: &str, signature: &str) -> bool {
    SESSIONS.contains(&inside)
        || SCOPES.iter().any(|scope| signature.contains(scope))
        || (inside == "Store" && WITHOUT_A_SCOPE.contains(&name))
}

#[test]
fn every_public_function_of_the_store_takes_a_scope_a_receipt_or_a_session() {
    let (mut breaches, mut seen) = (Vec::new(), Vec::new());
    for (file, text) in files() {
        for (inside, name, signature) in public_functions(&text) {
            if !has_a_scope(&inside, &name, &signature) {
                breaches.push(format!("src/store/{file}: {inside}::{name}"));
            }
            seen.push(name);
        }
    }
    assert!(breaches.is_empty(), "functions without a scope:\n  {}", breaches.join("\n  "));
    assert!(seen.len() > 35, "only {} functions were read", seen.len());
    for allowed in WITHOUT_A_SCOPE {
        assert!(seen.iter().any(|name| name == allowed), "{allowed} is gone: shorten the list");
    }
}

/// Sessions alone hold connections; a file of a noun goes through them.
#[test]
fn no_file_of_a_noun_connects_to_the_database_past_a_session() {
    let may = [
        "backend.rs",
        "checkpoint.rs",
        "copy.rs",
        "dialect.rs",
        "migration.rs",
        "pool.rs",
        "read.rs",
        "session.rs",
        "writer.rs",
    ];
    let mut breaches = Vec::new();
    for (file, text) in files() {
        let past = [".connect_to_", ".connection()", "into_connection()", "sqlx::query"];
        for found in past.iter().filter(|found| text.contains(**found)) {
            if !may.contains(&file.as_str()) {
                breaches.push(format!("src/store/{file}: {found}"));
            }
        }
    }
    assert!(breaches.is_empty(), "reads past a session:\n  {}", breaches.join("\n  "));
}

/// A run finds the profile of every enrolment: only rows of an import that has not ended are ever deleted or rewritten, so a
/// finished version stays as it is, and nobody is enrolled without one (see the case of the suite on enrolments without a profile).
/// An erasure alone takes finished versions away; the enrolments of the person have a surrogate by then.
#[test]
fn an_enrolled_profile_cannot_disappear() {
    let mut changes = 0;
    for (file, text) in files().into_iter().filter(|(file, _)| !file.starts_with("erasure")) {
        let spaced = text.replace("\\\n", " ").split_whitespace().collect::<Vec<_>>().join(" ");
        for change in ["DELETE FROM profile_version", "UPDATE profile_version"] {
            for statement in spaced.split(change).skip(1) {
                let statement = statement.split('"').next().unwrap_or_default();
                assert!(statement.contains("finish_micros IS NULL"), "src/store/{file}: {statement}");
                changes += 1;
            }
        }
    }
    assert_eq!(
        changes, 3,
        "rows of an import that is not wanted, that say what is stored, or are merged again"
    );
}

/// The actions of the notes: `Note::new(owner, "noun.verb", …)`, and the ends of runs, which `commit` notes.
fn actions() -> Vec<String> {
    let mut actions = Vec::new();
    for (_, text) in files() {
        for call in ["Note::new(", ".commit(session, "] {
            for part in text.split(call).skip(1) {
                let literal =
                    part.split(';').next().unwrap_or_default().split('"').nth(1).unwrap_or_default();
                if literal.split_once('.').is_some_and(|(noun, verb)| !noun.is_empty() && !verb.is_empty()) {
                    actions.push(literal.to_owned());
                }
            }
        }
    }
    actions
}

#[test]
fn the_table_of_events_knows_the_noun_of_every_action() {
    use wim_match::domain::event::EventKind;
    let actions = actions();
    // Nouns of entries that are no events.
    let others = [
        "access",
        "principal",
        "credential",
        "grant",
        "role_grant",
        "invitation",
        "console_session",
        "journal",
        "call",
        "erasure",
        "decision",
        "pair",
        "waiting",
        "report",
    ];
    let is_known = |action: &str| {
        // What was exported has not changed.
        EventKind::of(action).is_some()
            || action.split_once('.').is_some_and(|(_, verb)| verb.starts_with("export"))
            || action.starts_with("mentorship.")
            || others.contains(&action.split('.').next().unwrap_or_default())
    };
    let unknown: Vec<&String> = actions.iter().filter(|action| !is_known(action)).collect();
    assert!(
        unknown.is_empty(),
        "add its noun to NOUNS in src/domain/event.rs, or to the others here: {unknown:?}"
    );
    assert!(actions.len() > 9, "only these were read: {actions:?}");
    for (action, is_event) in [("run.succeed", true), ("organisation.create", true), ("journal.purge", false)]
    {
        assert_eq!(EventKind::of(action).is_some(), is_event, "{action}");
    }
}

#[test]
fn the_reader_of_signatures_sees_what_it_must() {
    let text = "//! x\nimpl Store {\n    pub async fn all(\n        &self,\n        limit: u32,\n    ) -> Result<()> {\n    }\n    \
                pub async fn own(&self, scope: &Scope) -> Result<()> {\n    }\n}\nimpl WriteSession {\n    \
                pub async fn done(self) -> Result<()> {\n";
    let found = public_functions(text);
    let verdicts: Vec<_> = found
        .iter()
        .map(|(inside, name, signature)| (name.as_str(), has_a_scope(inside, name, signature)))
        .collect();
    assert_eq!(verdicts, [("all", false), ("own", true), ("done", true)]);
}
