//! What `doctor` and health ask of the store: does the database answer, and does it accept every statement.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, SqlSafeStr as _};

use super::backend::{Backend, Store};
use super::dialect::values;
use super::fault;
use super::scope::Scope;
use super::statement::{self, statements};
use crate::error::Result;

statements! {
    query PING = shared("ping", "SELECT 1 AS answer");
    // SQLite has no roles and no policies.
    query BOUND = hidden("role.bound",
        sqlite: "SELECT 1 AS bound",
        postgres: "SELECT CAST(CASE WHEN rolsuper OR rolbypassrls THEN 0 ELSE 1 END AS BIGINT) AS bound FROM pg_roles \
            WHERE rolname = current_user");
}

impl Store {
    /// `Ok` if the database answers.
    pub async fn ping(&self, scope: &Scope) -> Result<()> {
        self.reach().await?;
        let mut session = self.reader(scope).await?;
        session.one(PING, values![]).await?;
        session.end().await
    }

    /// Whether the policies of the tables bind the role of the service. They bind neither a superuser of PostgreSQL nor a role with
    /// BYPASSRLS.
    pub async fn is_bound(&self, scope: &Scope) -> Result<bool> {
        let mut session = self.reader(scope).await?;
        let bound = session.one(BOUND, values![]).await?.flag("bound")?;
        session.end().await?;
        Ok(bound)
    }

    /// Has the database parse and check every statement of the store, and returns their names and texts. The check takes a
    /// connection of its own, because prepared statements last as long as their connection.
    ///
    /// Fails at the first statement that does not fit the schema or the dialect.
    pub async fn prepare_statements(&self) -> Result<Vec<(&'static str, String)>> {
        match &self.backend {
            Backend::Sqlite { readers, .. } | Backend::SqliteToRead { readers } => {
                let mut own = readers.connect().await.map_err(|error| fault::of("begin", error))?;
                let prepared = prepare(&mut own, false).await;
                own.close().await.map_err(|error| fault::of("end", error))?;
                prepared
            }
            Backend::Postgres { pool, .. } => {
                let mut own = pool.connect().await.map_err(|error| fault::of("begin", error))?;
                let prepared = prepare(&mut own, true).await;
                own.close().await.map_err(|error| fault::of("end", error))?;
                prepared
            }
        }
    }
}

async fn prepare<C>(connection: &mut C, postgres: bool) -> Result<Vec<(&'static str, String)>>
where
    for<'c> &'c mut C: sqlx::Executor<'c>,
{
    let mut prepared = Vec::new();
    for statement in statement::every() {
        let (name, text) = (statement.name(), statement.text(postgres));
        let known = connection.prepare(AssertSqlSafe(text.clone()).into_sql_str()).await;
        known.map(drop).map_err(|error| fault::of(name, error))?;
        prepared.push((name, text));
    }
    Ok(prepared)
}

#[cfg(test)]
mod tests {
    use sqlx::Row as _;

    use super::*;

    /// How a database runs a statement.
    struct Plan {
        statement: &'static str,
        lines: Vec<String>,
    }

    /// The plans of SQLite, over a fresh schema. PostgreSQL plans by the rows that it holds.
    async fn plans() -> Vec<Plan> {
        let home = tempfile::tempdir().expect("a directory");
        let store = Store::open(home.path().join("wim.db").to_str().expect("UTF-8")).await.expect("opens");
        store.migrate().await.expect("migrates");
        let Backend::Sqlite { readers, .. } = &store.backend else { panic!("is SQLite") };
        let mut held = readers.connect().await.expect("a reader");
        let mut plans = Vec::new();
        for statement in statement::every() {
            let text = statement.text(false);
            if text.starts_with("CREATE") {
                continue;
            }
            let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
            let rows = sqlx::raw_sql(explain).fetch_all(&mut held).await.expect("a plan");
            let lines = rows.iter().map(|row| row.try_get("detail").expect("a line")).collect();
            plans.push(Plan { statement: statement.name(), lines });
        }
        drop(held);
        store.close().await;
        plans
    }

    /// Walks of a whole table and sorts that stay: small by nature, all rows wanted, or of one page.
    const REVIEWED: &[(&str, &str)] = &[
        ("migration.exists", "SCAN sqlite_schema"),
        ("content.columns", "SCAN"),
        ("credential.count", "SCAN credential"),
        ("credential.count_of_role", "SCAN c"),
        ("credential.find", "SCAN c"),
        ("credential.list", "SCAN c"),
        ("credential.list", "USE TEMP B-TREE FOR"),
        ("idempotency.erase", "SCAN idempotency"),
        ("enrolment.named", "SCAN json_each"),
        ("enrolment.by_id", "SCAN json_each"),
        ("enrolment.withdraw", "SCAN json_each"),
        ("enrolment.take_out", "SCAN json_each"),
        ("profile.existing", "SCAN json_each"),
        ("profile.named", "SCAN json_each"),
        ("profile_import.documents", "SCAN json_each"),
        ("profile_import.versions", "SCAN json_each"),
        ("pair_review.named", "SCAN json_each"),
        ("mentorship.named", "SCAN json_each"),
        ("check_in.of_named", "SCAN json_each"),
        ("decision.live", "SCAN json_each"),
        ("approval.list", "USE TEMP B-TREE FOR ORDER BY"),
        ("submission.missing", "SCAN told"),
        ("submission.missing", "SCAN missing"),
        ("journal.seal", "SCAN s"),
        ("run_match.run_before", "SCAN b"),
        ("submission.losing", "SCAN l VIRTUAL TABLE"),
        ("waiting.list", "SCAN q"),
        ("waiting.list", "SCAN e"),
        ("waiting.list", "USE TEMP B-TREE FOR"),
        ("snapshot.participants", "SCAN q"),
        ("run_match.list_of_organisation", "SCAN ment"),
        ("run_match.list_of_organisation", "USE TEMP B-TREE FOR ORDER BY"),
        ("run_match.list_basic_of_organisation", "SCAN ment"),
        ("run_match.list_basic_of_organisation", "USE TEMP B-TREE FOR ORDER BY"),
        ("mentorship.list_of_organisation", "SCAN ment"),
        ("mentorship.list_of_organisation", "USE TEMP B-TREE FOR ORDER BY"),
        ("mentorship.may_be_due", "SCAN ment"),
        // Groups of a subquery, and all organisations, once for each report.
        ("report.answers", "SCAN c"),
        ("report.names", "SCAN organisation"),
        // Her own rows of both sides.
        ("participant.proposed", "SCAN hers"),
        // At most six of each side.
        ("check_in.list", "USE TEMP B-TREE FOR ORDER BY"),
    ];

    #[tokio::test]
    async fn every_statement_finds_its_rows_by_an_index() {
        let mut walks = Vec::new();
        for plan in plans().await {
            for line in &plan.lines {
                // A check of the whole database reads whole tables.
                if plan.statement.starts_with("check.") {
                    continue;
                }
                let whole =
                    line.starts_with("SCAN") && !line.contains(" USING ") && line != "SCAN CONSTANT ROW";
                let inserted = line == "SCAN 2 CONSTANT ROWS" || line.contains("-ROW VALUES CLAUSE");
                let sorted = line.contains("TEMP B-TREE") && plan.statement.contains("list");
                let reviewed =
                    REVIEWED.iter().any(|(name, text)| plan.statement == *name && line.starts_with(text));
                if (whole || sorted) && !inserted && !reviewed {
                    walks.push(format!("{}: {line}", plan.statement));
                }
            }
        }
        assert_eq!(walks, [""; 0]);
    }

    #[tokio::test]
    async fn the_plans_of_the_lists_are_as_reviewed() {
        let plans = plans().await;
        let lists = plans.iter().filter(|plan| plan.statement.contains("list"));
        let text: Vec<String> =
            lists.map(|plan| format!("{}\n    {}", plan.statement, plan.lines.join("\n    "))).collect();
        insta::assert_snapshot!(text.join("\n"));
    }
}
