//! Retention as the operator sees it: the page that describes it, and `wim-match admin purge`.

use std::fmt::Write as _;
use std::path::Path;

use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use wim_match::service::RULES;

use crate::starts::{Machine, text};

#[test]
fn the_page_for_operations_shows_the_policy_of_retention() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/README.md");
    let page = std::fs::read_to_string(page).expect("a page");
    let mut table = String::from("| kind | what is deleted | kept | why |\n|---|---|---|---|\n");
    for rule in RULES {
        let (kind, what) = (rule.kind.as_str(), rule.kind.what());
        let (kept, why) = (rule.kept(), rule.kind.why());
        writeln!(table, "| `{kind}` | {what} | {kept} | {why} |").expect("text grows");
    }
    assert!(page.contains(&table), "deploy/README.md must have this table:\n{table}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purge_reports_what_it_would_delete_and_what_it_has_deleted() {
    let machine = Machine::new();
    let database = machine.database("wim.db");
    let admin = |arguments: &[&str]| {
        let output = machine.run(&[&["admin"], arguments, &["--database", &database]].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    admin(&["migrate"]);
    let mut raw = SqliteConnection::connect(&database).await.expect("connects");
    // 250 old answers are more than two transactions delete; one answer is of the far future.
    let fill = "INSERT INTO organisation VALUES ('wim-peru', 'Peru', 'PE', '{}', 'member', NULL, NULL, 0, NULL, NULL, 1, 1, 1); \
        INSERT INTO profile_import VALUES ('import-1', 'wim-peru', 0, 0, 0, 1, 1, NULL, NULL, NULL); \
        WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 251) \
        INSERT INTO idempotency SELECT 'token', 'request-' || n, 'M', 'd', x'00', \
        CASE n WHEN 251 THEN 9000000000000000 ELSE 1 END FROM n";
    sqlx::raw_sql(AssertSqlSafe(fill)).execute(&mut raw).await.expect("fills");
    let counts = |json: &str| -> Vec<(String, u64)> {
        let report: serde_json::Value = serde_json::from_str(json).expect("JSON");
        assert_eq!(report["failed"], serde_json::json!([]));
        let rows = report["purged"].as_array().expect("rows").iter();
        rows.map(|row| {
            (row["kind"].as_str().expect("a kind").to_owned(), row["count"].as_u64().expect("a count"))
        })
        .collect()
    };
    let row = |kind: &str, count| (kind.to_owned(), count);
    let expected = [
        row("import", 1),
        row("answer", 250),
        row("session", 0),
        row("invitation", 0),
        row("run", 0),
        row("audit", 0),
    ];
    assert_eq!(counts(&admin(&["purge", "--dry-run", "--json"])), expected);
    assert_eq!(counts(&admin(&["purge", "--dry-run", "--json"])), expected, "a dry run deletes nothing");
    let told = admin(&["purge", "--dry-run", "--lang", "es"]);
    assert!(told.contains("Se eliminaría") && told.contains("7 días después de la respuesta"), "{told}");
    assert_eq!(counts(&admin(&["purge", "--json"])), expected);
    assert_eq!(
        counts(&admin(&["purge", "--json"])),
        [
            row("import", 0),
            row("answer", 0),
            row("session", 0),
            row("invitation", 0),
            row("run", 0),
            row("audit", 0)
        ]
    );
    let left: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM idempotency").fetch_one(&mut raw).await.expect("counts");
    assert_eq!(left, 1);
    raw.close().await.expect("closes");
}
