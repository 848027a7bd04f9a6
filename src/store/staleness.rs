//! What has changed since a run was started, so that a new run could come out differently.
//!
//! It is read, and not stored: the comparison of a run's frozen numbers with the present ones costs a few rows of an index. Only
//! the imports since the start are walked, up to the first version of a person who takes part.

use std::collections::BTreeMap;

use super::dialect::{Row, values};
use super::read::ReadSession;
use super::statement::statements;
use crate::domain::name::RoundId;
use crate::domain::run::{Run, RunState, StaleCause};
use crate::error::Result;

/// Whether a condition holds, as a number in both databases.
macro_rules! flag {
    ($condition:expr, $name:literal) => {
        concat!("CASE WHEN ", $condition, " THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END AS ", $name)
    };
}

/// Runs of a round with a flag for each cause; `$enrolments` and `$decisions` are the conditions that these have changed, and
/// `$organisation` limits the organisations that count.
macro_rules! causes {
    ($enrolments:literal, $decisions:literal, $organisation:literal) => {
        concat!(
            "SELECT run.number, ",
            flag!("run.policy_version <> r.policy_version", "policy"),
            ", ",
            flag!("run.start_date <> r.start_date OR run.end_date <> r.end_date", "dates"),
            ", ",
            flag!($enrolments, "enrolments"),
            ", ",
            flag!($decisions, "decisions"),
            ", ",
            flag!(
                concat!(
                    "EXISTS (SELECT 1 FROM run_organisation o JOIN organisation g ON g.id = o.organisation_id \
                     WHERE o.round_id = run.round_id AND o.run_number = run.number AND o.rules <> g.rules",
                    $organisation,
                    ")"
                ),
                "rules"
            ),
            ", ",
            flag!(
                concat!(
                    "EXISTS (SELECT 1 FROM run_organisation o WHERE o.round_id = run.round_id AND o.run_number = run.number",
                    $organisation,
                    " AND EXISTS (SELECT 1 FROM profile_import i WHERE i.organisation_id = o.organisation_id \
                     AND i.number > o.import_number AND EXISTS (SELECT 1 FROM profile_version v WHERE v.import_id = i.id \
                     AND EXISTS (SELECT 1 FROM enrolment e WHERE e.round_id = run.round_id \
                     AND e.organisation_id = o.organisation_id AND e.own_id = v.own_id \
                     AND e.enrol_number <= run.enrolment_number \
                     AND (e.withdraw_number IS NULL OR e.withdraw_number > run.enrolment_number)))))"
                ),
                "profiles"
            ),
            " FROM run JOIN round r ON r.id = run.round_id WHERE run.round_id = $1 AND run.number >= $2 \
             AND run.number <= $3 AND run.state = 'succeeded' \
             AND r.state IN ('draft', 'enrolling', 'review', 'submitted', 'approved', 'published')"
        )
    };
}

statements! {
    // A manager reads what concerns her own members, and what the round itself says. Decisions are for coordinators.
    query CAUSES = split("run.stale_causes",
        causes!("run.enrolment_number <> r.enrolment_number", "run.decision_number <> r.decision_number", "");
        "run.stale_causes_of_organisation",
        causes!("EXISTS (SELECT 1 FROM enrolment_count c WHERE c.round_id = run.round_id AND c.organisation_id = $4 \
            AND c.change_number > run.enrolment_number)", "1 = 0", " AND o.organisation_id = $4"));
}

/// Adds to each run of one round what has changed since its start. Only a run that has succeeded can be stale, and only before
/// its round has ended.
pub(super) async fn add_causes(session: &mut ReadSession, round: &RoundId, runs: &mut [Run]) -> Result<()> {
    let numbers = || runs.iter().filter(|run| run.state == RunState::Succeeded).map(|run| run.name.number);
    let (Some(first), Some(last)) = (numbers().min(), numbers().max()) else { return Ok(()) };
    let mut found: BTreeMap<i64, Vec<StaleCause>> = BTreeMap::new();
    for row in session.rows(CAUSES, values![round, first, last]).await? {
        let known = found.entry(row.int("number")?).or_default();
        known.extend(causes(&row)?);
    }
    for run in runs {
        if let Some(mut causes) = found.remove(&run.name.number) {
            // Each organisation of the caller has a row.
            causes.sort_unstable();
            causes.dedup();
            run.stale_causes = causes;
        }
    }
    Ok(())
}

fn causes(row: &Row) -> Result<Vec<StaleCause>> {
    let mut found = Vec::new();
    for cause in StaleCause::ALL {
        if row.int(cause.as_str())? == 1 {
            found.push(cause);
        }
    }
    Ok(found)
}
