//! The second wall: what the policies of PostgreSQL's tables hide, whatever a statement of the service asks for.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::postgres::PgArguments;
use sqlx::query::QueryScalar;
use sqlx::{
    AssertSqlSafe, Connection as _, Either, Executor as _, PgConnection, Postgres, SqlSafeStr as _,
    Statement as _, TypeInfo as _,
};
use wim_match::domain::name::OrganisationId;

use super::fixture::{Fixture, mentee, mentor, only, round_id};
use crate::postgres::past_the_policies;

/// Tables without rows of anybody: they have no policy.
const OPEN_TABLES: [&str; 2] = ["schema_migration", "write_probe"];
/// Statements that read nothing of anybody: the schema, the end of the audit, locks, the role.
const OF_NOBODY: [&str; 11] = [
    "content.columns",
    "journal_head.bounds",
    "journal_head.get",
    "journal_head.hold",
    "membership.hold",
    "membership.share",
    "migration.exists",
    "migration.list",
    "migration.lock",
    "ping",
    "role.bound",
];

/// A world with a run of two organisations, of which a third one has no part; its id.
async fn filled() -> Option<(Fixture, OrganisationId)> {
    let f = Fixture::postgresql().await?;
    let (_, _, run) = f.succeeded_run().await;
    let chad = f.organisation("wim-chad").await;
    f.import(&chad, "import-chad", &[("hers", mentor(1)), ("hers-2", mentee())]).await;
    let mut raw = f.raw().await;
    raw.execute("DELETE FROM round_organisation WHERE organisation_id = 'wim-chad'").await;
    raw.execute(
        "INSERT INTO principal VALUES ('p', 'person', 'ana', '[]', '', 1, 0, 0); \
         INSERT INTO role_grant VALUES ('g', 'p', 'organisation-manager', 'wim-peru', 0, NULL, NULL, 0); \
         INSERT INTO credential VALUES ('c', 'p', 'token', 'hash', 'wimm_', '', NULL, NULL, NULL, 0); \
         INSERT INTO invitation VALUES ('i', 'hash', '[]', 9, NULL, NULL, 'p', NULL, 0); \
         INSERT INTO service_key VALUES ('k', 'secret')",
    )
    .await;
    assert_eq!(run.name.round, round_id("spring-2027"));
    Some((f, chad))
}

/// A connection as the role of the service, past its sessions.
async fn bound(f: &Fixture) -> PgConnection {
    PgConnection::connect(&f.url).await.expect("connects")
}

/// All rows of a text as JSON, in a transaction with a setting or without one.
async fn rows(
    connection: &mut PgConnection,
    setting: Option<&str>,
    text: &str,
    bind: impl Fn(&str) -> Vec<Option<Bound>>,
) -> Vec<String> {
    let mut transaction = connection.begin().await.expect("begins");
    if let Some(organisations) = setting {
        let set = AssertSqlSafe(format!("SET LOCAL wim.organisations = '{organisations}'"));
        transaction.execute(sqlx::raw_sql(set)).await.expect("sets");
    }
    let whole = AssertSqlSafe(format!("SELECT to_jsonb(q)::text FROM ({text}) AS q")).into_sql_str();
    let mut query: QueryScalar<'_, Postgres, String, PgArguments> = sqlx::query_scalar(whole);
    for value in bind(text) {
        query = match value {
            Some(Bound::Text(value)) => query.bind(value),
            Some(Bound::Int(value)) => query.bind(value),
            None => query.bind(None::<Vec<u8>>),
        };
    }
    let found = query.fetch_all(&mut *transaction).await;
    transaction.rollback().await.expect("ends");
    match found {
        Ok(rows) => rows,
        // A subquery for the one row of an organisation finds those of all.
        Err(error) if setting == Some("*") && error.to_string().contains("more than one row") => {
            vec![error.to_string()]
        }
        Err(error) => panic!("{text}: {error}"),
    }
}

enum Bound {
    Text(String),
    Int(i64),
}

fn names_others(row: &str) -> bool {
    row.contains("wim-peru") || row.contains("wim-kenya") || row.contains("spring-2027")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_table_with_rows_of_somebody_has_a_policy_that_hides_them() {
    let Some((f, chad)) = filled().await else { return };
    let mut connection = bound(&f).await;
    let none = |_: &str| Vec::new();
    let tables = "SELECT relname::text AS name, relrowsecurity AND relforcerowsecurity AS forced FROM pg_class \
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'";
    let listed = rows(&mut connection, None, tables, none).await;
    let mut hidden = BTreeSet::new();
    for row in &listed {
        let row: serde_json::Value = serde_json::from_str(row).expect("JSON");
        let name = row["name"].as_str().expect("a name");
        if OPEN_TABLES.contains(&name) {
            continue;
        }
        assert_eq!(row["forced"], true, "{name} has no policy that binds its owner too");
        let all = format!("SELECT * FROM {name}");
        assert_eq!(rows(&mut connection, None, &all, none).await, [""; 0], "{name} without the setting");
        assert_eq!(
            rows(&mut connection, Some(""), &all, none).await,
            [""; 0],
            "{name} with an empty setting"
        );
        let seen = rows(&mut connection, Some(&format!(",{chad},")), &all, none).await;
        let seen: Vec<&String> = seen.iter().filter(|row| names_others(row)).collect();
        assert_eq!(seen, Vec::<&String>::new(), "{name} as {chad}");
        if !rows(&mut connection, Some("*"), &all, none).await.is_empty() {
            hidden.insert(name.to_owned());
        }
    }
    assert!(hidden.len() > 17, "only these tables had rows: {hidden:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_change_reaches_a_row_of_another_organisation() {
    let Some((f, chad)) = filled().await else { return };
    let mut connection = bound(&f).await;
    for change in [
        "UPDATE organisation SET rules = '{}' WHERE id <> 'wim-chad'",
        "UPDATE enrolment SET withdraw_number = 99, withdraw_micros = 1 WHERE withdraw_number IS NULL",
        "UPDATE round SET state = 'closed'",
        "UPDATE run SET state = 'failed'",
        "DELETE FROM run_match",
        "DELETE FROM profile_version WHERE organisation_id <> 'wim-chad'",
        "UPDATE credential SET revoke_micros = 1",
    ] {
        let mut transaction = connection.begin().await.expect("begins");
        let set = AssertSqlSafe(format!("SET LOCAL wim.organisations = ',{chad},'"));
        transaction.execute(sqlx::raw_sql(set)).await.expect("sets");
        let done = transaction.execute(change).await.expect("runs");
        assert_eq!(done.rows_affected(), 0, "{change}");
        transaction.rollback().await.expect("ends");
    }
    let mut transaction = connection.begin().await.expect("begins");
    transaction.execute("SET LOCAL wim.organisations = ',wim-chad,'").await.expect("sets");
    let foreign =
        "INSERT INTO round_organisation (round_id, organisation_id) VALUES ('spring-2027', 'wim-kenya-2')";
    let error = transaction.execute(foreign).await.expect_err("is refused");
    assert!(error.to_string().contains("row-level security"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_answer_exists_for_its_principal_alone_whatever_the_scope() {
    let Some((f, _)) = filled().await else { return };
    f.raw()
        .await
        .execute(
            "INSERT INTO idempotency VALUES ('p', 'r', 'M', 'd', '', 0), ('o''p', 'r', 'M', 'd', '', 0), \
             ('*', 'r', 'M', 'd', '', 0)",
        )
        .await;
    let mut connection = bound(&f).await;
    for (principal, seen) in [
        (None, [].as_slice()),
        (Some(""), &[]),
        (Some("q"), &[]),
        (Some("p"), &["p"]),
        (Some("o''p"), &["o'p"]),
        (Some("*"), &["*", "o'p", "p"]),
    ] {
        let mut transaction = connection.begin().await.expect("begins");
        let setting = principal.map(|principal| format!("SET LOCAL wim.principal = '{principal}'"));
        let set = format!("SET LOCAL wim.organisations = '*'; {}", setting.unwrap_or_default());
        transaction.execute(sqlx::raw_sql(AssertSqlSafe(set))).await.expect("sets");
        let text = "SELECT principal_id FROM idempotency WHERE request_id = 'r' ORDER BY principal_id";
        let found: Vec<String> = sqlx::query_scalar(text).fetch_all(&mut *transaction).await.expect("reads");
        assert_eq!(found, seen, "as {principal:?}");
        let written = transaction
            .execute("INSERT INTO idempotency VALUES ('p', 'another', 'M', 'd', '', 0)")
            .await
            .is_ok();
        assert_eq!(written, matches!(principal, Some("p" | "*")), "as {principal:?}");
        transaction.rollback().await.expect("ends");
    }
}

/// Takes what the service itself filters by out of a statement: the filter by the organisations of the scope, and every
/// comparison with the one organisation that a split statement takes as its last value.
fn without_predicate(name: &str, text: &str, last: usize) -> Option<String> {
    let null = format!("(CAST(${last} AS TEXT) IS NULL OR ");
    if let Some(at) = text.find(&null) {
        let mut text = text.to_owned();
        text.replace_range(at..at + null.len(), &format!("(CAST(${last} AS TEXT) IS NOT NULL OR TRUE OR "));
        return Some(text);
    }
    if !name.contains("of_organisation") {
        return None;
    }
    let (mut text, mut changed) = (text.to_owned(), false);
    for operator in ["=", "<>"] {
        let compared = format!(" {operator} ${last}");
        let mut from = 0;
        while let Some(at) = text[from..].find(&compared).map(|at| at + from) {
            let start = text[..at].rfind([' ', '(']).map_or(0, |space| space + 1);
            let ends = text[at + compared.len()..].starts_with(|next: char| next.is_ascii_digit());
            from = at + compared.len();
            if !ends {
                let whole = format!("({} OR TRUE)", &text[start..from]);
                from = start + whole.len();
                text.replace_range(start..at + compared.len(), &whole);
                changed = true;
            }
        }
    }
    changed.then_some(text)
}

/// A value for a placeholder that lets as many rows through as possible, by what the statement compares it with.
fn value(name: &str, text: &str, number: usize, kind: &str, asking: &OrganisationId) -> Option<Bound> {
    let placeholder = format!("${number}");
    let at = text
        .match_indices(&placeholder)
        .find(|(at, _)| !text[at + placeholder.len()..].starts_with(|next: char| next.is_ascii_digit()));
    let before = at.map_or("", |(at, _)| text[..at].trim_end());
    let mut words = before.rsplit([' ', '(']);
    let operator = words.next().unwrap_or_default();
    let column = words.next().unwrap_or_default().rsplit('.').next().unwrap_or_default();
    let noun = name.split('.').next().unwrap_or_default();
    Some(match (kind, operator) {
        ("INT8", ">" | ">=") => Bound::Int(-1),
        ("INT8", "<" | "<=" | "LIMIT") => Bound::Int(100_000),
        ("INT8", _) => Bound::Int(1),
        ("TEXT", ">" | ">=") => Bound::Text(String::new()),
        ("TEXT", "<" | "<=") => Bound::Text("~".to_owned()),
        ("TEXT", _) => Bound::Text(match (column, noun) {
            ("round_id", _) | ("id", "round") => "spring-2027".to_owned(),
            ("organisation_id" | "mentee_organisation_id", _) | ("id", "organisation") => {
                "wim-peru".to_owned()
            }
            ("mentor_organisation_id", _) => "wim-kenya".to_owned(),
            ("mentee_own_id", _) => "mentee".to_owned(),
            ("own_id" | "mentor_own_id", _) => "mentor".to_owned(),
            ("import_id", _) | ("id", "profile_import") => "import-wim-peru".to_owned(),
            ("principal_id", _) | ("id", "principal") => "p".to_owned(),
            ("actor", _) => "tok-coordinator".to_owned(),
            ("resource", _) => "organisations/wim-peru".to_owned(),
            ("handle", _) => "ana".to_owned(),
            ("secret_hash" | "identity", _) => "hash".to_owned(),
            ("name", _) => "k".to_owned(),
            ("kind", _) => "token".to_owned(),
            // A list of ids, or the organisations of the scope.
            _ if text.contains(&format!("CAST({placeholder} AS TEXT) AS JSON")) => {
                r#"["mentor","mentee"]"#.to_owned()
            }
            _ => format!(",{asking},"),
        }),
        _ => return None,
    })
}

/// Every statement that reads, with its own filter taken out, in the scope of an organisation that has no part in anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_without_its_own_filter_reads_no_foreign_row() {
    let Some((f, chad)) = filled().await else { return };
    let mut connection = bound(&f).await;
    let (mut narrowed, mut seen) = (Vec::new(), BTreeMap::new());
    for (name, text) in f.store.prepare_statements().await.expect("all statements fit") {
        if !text.starts_with("SELECT") && !text.starts_with("WITH") {
            continue;
        }
        let prepared = (&mut connection).prepare(AssertSqlSafe(text.clone()).into_sql_str()).await;
        let kinds: Vec<String> = match prepared.expect("fits").parameters() {
            Some(Either::Left(kinds)) => kinds.iter().map(|kind| kind.name().to_owned()).collect(),
            _ => Vec::new(),
        };
        let text = match without_predicate(name, &text, kinds.len()) {
            Some(open) => {
                narrowed.push(name);
                open
            }
            None => text,
        };
        let bind = |_: &str| {
            kinds.iter().zip(1..).map(|(kind, number)| value(name, &text, number, kind, &chad)).collect()
        };
        let own = format!(",{chad},");
        let [all, hers, nobodys] = [Some("*"), Some(own.as_str()), None];
        let all = rows(&mut connection, all, &text, bind).await;
        let hers = rows(&mut connection, hers, &text, bind).await;
        let nobodys = rows(&mut connection, nobodys, &text, bind).await;
        assert!(!hers.iter().any(|row| names_others(row)), "{name} as {chad}: {hers:?}");
        assert!(!nobodys.iter().any(|row| names_others(row)), "{name} as nobody: {nobodys:?}");
        if !all.is_empty() && !OF_NOBODY.contains(&name) {
            let is_of_zeros = |row: &String| !row.contains(|digit: char| ('1'..='9').contains(&digit));
            let nothing = all.iter().all(is_of_zeros);
            assert!(nothing || all != nobodys, "{name} reads the same without the setting: {all:?}");
            seen.insert(name, all.len());
        }
    }
    assert!(narrowed.len() > 35, "only these statements narrow: {narrowed:?}");
    let effective = narrowed.iter().filter(|name| seen.contains_key(*name)).count();
    assert!(effective > 20, "only {effective} of {narrowed:?} read rows without a limit: {seen:?}");
    // The world reads her own rows as ever.
    assert_eq!(f.store.list_organisations(&only(&chad), None, 10).await.expect("lists").len(), 1);
    assert!(past_the_policies(&f.url) != f.url);
}
