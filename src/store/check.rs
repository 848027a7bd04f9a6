//! Checks of a whole database: what the database itself can tell of its files, and what must hold between the rows of
//! several tables, which no constraint of the schema ensures.
//!
//! Each check counts what is wrong; 0 is right. A check reads whole tables, so it takes time in proportion to the database.

use super::backend::Store;
use super::dialect::values;
use super::scope::Scope;
use super::statement::{Query, statements};
use crate::domain::message::Message;
use crate::error::Result;
use crate::message;

/// Damages of a SQLite file that are reported at most.
const MOST_DAMAGES: usize = 20;

statements! {
    query INTEGRITY = hidden("check.integrity",
        sqlite: "SELECT integrity_check AS damage FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
        postgres: "SELECT CONCAT('index ', CAST(indexrelid AS regclass)) AS damage FROM pg_index WHERE NOT indisvalid \
            UNION ALL SELECT CONCAT('constraint ', conname) FROM pg_constraint WHERE NOT convalidated");
    query FOREIGN_KEYS = hidden("check.foreign_keys",
        sqlite: "SELECT COUNT(*) AS wrong FROM pragma_foreign_key_check",
        // PostgreSQL checks them itself; those that were never checked are among the constraints above.
        postgres: "SELECT CAST(0 AS BIGINT) AS wrong");
    query PROFILES = hidden("check.enrolled_profiles",
        "SELECT COUNT(*) AS wrong FROM enrolment e WHERE e.salt <> '' AND NOT EXISTS (SELECT 1 FROM profile_version v \
         JOIN profile_import i ON i.id = v.import_id WHERE v.organisation_id = e.organisation_id \
         AND v.own_id = e.own_id AND i.finish_micros IS NOT NULL)");
    query IMPORTS = hidden("check.imports",
        "SELECT COUNT(*) AS wrong FROM profile_import i WHERE i.finish_micros IS NOT NULL AND i.staged - i.unchanged <> \
         (SELECT COUNT(*) FROM profile_version v WHERE v.import_id = i.id)");
    query IMPORT_NUMBERS = hidden("check.import_numbers",
        "SELECT COUNT(*) AS wrong FROM (SELECT i.organisation_id FROM profile_import i WHERE i.number IS NOT NULL \
         GROUP BY i.organisation_id HAVING MAX(i.number) <> COUNT(*)) AS gap");
    query ENROLMENTS = hidden("check.enrolment_counts",
        "SELECT COUNT(*) AS wrong FROM (SELECT e.round_id, e.organisation_id, COUNT(*) AS enrolled FROM enrolment e \
         WHERE e.withdraw_number IS NULL \
         GROUP BY e.round_id, e.organisation_id) AS found FULL JOIN enrolment_count c ON c.round_id = found.round_id \
         AND c.organisation_id = found.organisation_id WHERE COALESCE(found.enrolled, 0) <> COALESCE(c.profiles, 0)");
    query POLICIES = hidden("check.policies",
        "SELECT COUNT(*) AS wrong FROM round r WHERE NOT EXISTS (SELECT 1 FROM policy p WHERE p.round_id = r.id \
         AND p.version = r.policy_version)");
    query RESULTS = hidden("check.results",
        sqlite: "SELECT COUNT(*) AS wrong FROM run r WHERE r.state = 'succeeded' AND r.purge_micros IS NULL \
            AND COALESCE(json_extract(r.summary, '$.matches'), -1) <> (SELECT COUNT(*) FROM run_match m WHERE m.round_id = r.round_id \
            AND m.run_number = r.number)",
        postgres: "SELECT COUNT(*) AS wrong FROM run r WHERE r.state = 'succeeded' AND r.purge_micros IS NULL \
            AND COALESCE(CAST(CAST(r.summary AS JSONB) ->> 'matches' AS BIGINT), -1) <> (SELECT COUNT(*) FROM run_match m \
            WHERE m.round_id = r.round_id AND m.run_number = r.number)");
}

/// What is wrong, by the number that a query has counted.
type Told = fn(i64) -> Message;

/// One check of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// Pages, records and indexes of the file; on PostgreSQL the validity of indexes and constraints.
    Integrity,
    /// References between tables.
    ForeignKeys,
    /// The chain of the journal.
    Journal,
    /// Profiles of enrolled people, and rows and numbers of imports.
    Profiles,
    /// Counts of enrolments, and policies of rounds.
    Rounds,
    /// Matches of runs that succeeded.
    Results,
}

impl Check {
    /// All checks, in the order in which they are made.
    pub const ALL: [Self; 6] =
        [Self::Integrity, Self::ForeignKeys, Self::Journal, Self::Profiles, Self::Rounds, Self::Results];

    /// Its name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Integrity => "integrity",
            Self::ForeignKeys => "references",
            Self::Journal => "journal",
            Self::Profiles => "profiles",
            Self::Rounds => "rounds",
            Self::Results => "results",
        }
    }
}

/// Result of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckResult {
    /// The check.
    pub check: Check,
    /// What is wrong; empty if nothing is.
    pub wrong: Vec<Message>,
}

impl Store {
    /// Makes one check.
    pub async fn check(&self, scope: &Scope, check: Check) -> Result<CheckResult> {
        scope.require_system()?;
        let wrong = match check {
            Check::Integrity => self.damages(scope).await?,
            Check::ForeignKeys => {
                self.counted(scope, &[(FOREIGN_KEYS, |n| {
                    message!("{rows|1 row refers|{rows} rows refer} to a row that does not exist", rows = n)
                })])
                .await?
            }
            Check::Journal => {
                let verified = self.verify_journal(scope, None).await?;
                verified.fault.map(|fault| fault.message()).into_iter().collect()
            }
            Check::Profiles => {
                self.counted(
                    scope,
                    &[
                        (PROFILES, |n| {
                            message!("{people|1 enrolled person has|{people} enrolled people have} no profile", people = n)
                        }),
                        (IMPORTS, |n| {
                            message!(
                                "{imports|1 import has|{imports} imports have} another number of rows than were counted at its end",
                                imports = n
                            )
                        }),
                        (IMPORT_NUMBERS, |n| {
                            message!(
                                "{organisations|1 organisation lacks|{organisations} organisations lack} imports that were finished",
                                organisations = n
                            )
                        }),
                    ],
                )
                .await?
            }
            Check::Rounds => {
                self.counted(
                    scope,
                    &[
                        (ENROLMENTS, |n| {
                            message!(
                                "{counts|1 count of enrolments differs|{counts} counts of enrolments differ} from the enrolments",
                                counts = n
                            )
                        }),
                        (POLICIES, |n| {
                            message!("{rounds|1 round has|{rounds} rounds have} no policy", rounds = n)
                        }),
                    ],
                )
                .await?
            }
            Check::Results => {
                self.counted(scope, &[(RESULTS, |n| {
                    message!(
                        "{runs|1 run has|{runs} runs have} another number of matches than its summary counts",
                        runs = n
                    )
                })])
                .await?
            }
        };
        Ok(CheckResult { check, wrong })
    }

    async fn damages(&self, scope: &Scope) -> Result<Vec<Message>> {
        let mut session = self.snapshot_reader(scope).await?;
        let rows = session.rows(INTEGRITY, values![]).await?;
        session.end().await?;
        rows.iter().take(MOST_DAMAGES).map(|row| Ok(Message::verbatim(row.text("damage")?))).collect()
    }

    async fn counted(&self, scope: &Scope, queries: &[(Query, Told)]) -> Result<Vec<Message>> {
        let (mut session, mut wrong) = (self.snapshot_reader(scope).await?, Vec::new());
        for (query, told) in queries {
            let count = session.one(*query, values![]).await?.int("wrong")?;
            if count != 0 {
                wrong.push(told(count));
            }
        }
        session.end().await?;
        Ok(wrong)
    }
}
