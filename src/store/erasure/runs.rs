//! What runs say of an erased person: her answers in the input, her matches, why she has none, her numbers. The hash of each
//! of these leaves is stored before its content is destroyed, so that the digests of the run can still be checked.
//!
//! A match keeps its place with the surrogate, without score and contributions. The certificate is about everybody, so that it
//! goes with the first person. A run that has not succeeded has no digest of a result: its staged rows are deleted.

use super::super::backend::Store;
use super::super::dialect::{self, Row, Value, values};
use super::super::read::ReadSession;
use super::super::session::Housekeeping;
use super::super::statement::statements;
use super::super::{decision, result, snapshot};
use super::task::Task;
use crate::domain::erasure::ErasureCounts;
use crate::domain::leaf::{Leaf, LeafSalt, Part, Salts, Seals};
use crate::domain::name::{ProfileRef, RunRef};
use crate::domain::run::{Match, RunState, RunSummary};
use crate::domain::salt::RoundSalt;
use crate::domain::snapshot::FrozenDecision;
use crate::error::Result;

/// The enrolments of a run.
macro_rules! covered {
    ($number:literal) => {
        concat!(
            "e.enrol_number <= ",
            $number,
            " AND (e.withdraw_number IS NULL OR e.withdraw_number > ",
            $number,
            ")"
        )
    };
}

statements! {
    query NEXT = hidden("erasure.next_run",
        concat!("SELECT r.round_id, r.number, r.state, r.enrolment_number, r.decision_number FROM enrolment e JOIN run r ON r.round_id = e.round_id AND ",
            covered!("r.enrolment_number"), " WHERE e.organisation_id = $1 AND e.own_id = $2 \
            AND (r.round_id, r.number) > ($3, $4) ORDER BY r.round_id, r.number LIMIT 1"));
    query SALTS = hidden("erasure.salts",
        concat!("SELECT e.salt FROM enrolment e WHERE e.round_id = $1 AND ", covered!("$2")));
    query SALT_OF = hidden("erasure.salt_of",
        concat!("SELECT e.salt FROM enrolment e WHERE e.round_id = $1 AND e.organisation_id = $3 AND e.own_id = $4 AND ",
            covered!("$2")));
    query MATCHES = hidden("erasure.matches",
        "SELECT ordinal, id, mentee_organisation_id, mentee_own_id, mentor_organisation_id, mentor_own_id, score, pinned, contributions \
         FROM run_match WHERE round_id = $1 AND run_number = $2 AND mentee_organisation_id = $3 AND mentee_own_id = $4 \
         UNION ALL SELECT ordinal, id, mentee_organisation_id, mentee_own_id, mentor_organisation_id, mentor_own_id, score, pinned, \
         contributions FROM run_match WHERE round_id = $1 AND run_number = $2 AND mentor_organisation_id = $3 \
         AND mentor_own_id = $4");
    query UNMATCHED = hidden("erasure.unmatched",
        "SELECT ordinal, document, own_document FROM run_unmatched WHERE round_id = $1 AND run_number = $2 \
         AND organisation_id = $3 AND own_id = $4");
    query SUMMARIES = hidden("erasure.summaries",
        "SELECT r.summary, r.certificate, (SELECT s.document FROM run_own_summary s WHERE s.round_id = r.round_id \
         AND s.run_number = r.number AND s.organisation_id = $3) AS own_summary FROM run r WHERE r.round_id = $1 \
         AND r.number = $2");
    upkeep KEEP_LEAF = ("run_leaf.create",
        "INSERT INTO run_leaf (round_id, run_number, part, leaf) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (round_id, run_number, part, leaf) DO NOTHING");
    upkeep EMPTY_MATCH = ("run_match.erase",
        "UPDATE run_match SET id = $4, mentee_own_id = $5, mentor_own_id = $6, score = 0, contributions = '[]' \
         WHERE round_id = $1 AND run_number = $2 AND ordinal = $3");
    upkeep DELETE_UNMATCHED = ("run_unmatched.erase",
        "DELETE FROM run_unmatched WHERE round_id = $1 AND run_number = $2 AND organisation_id = $3 AND own_id = $4");
    upkeep DELETE_STAGED = ("run_match.erase_staged",
        "DELETE FROM run_match WHERE round_id = $1 AND run_number = $2 \
         AND ((mentee_organisation_id = $3 AND mentee_own_id = $4) OR (mentor_organisation_id = $3 AND mentor_own_id = $4))");
    upkeep EMPTY_SUMMARY = ("run.erase",
        "UPDATE run SET summary = $3, certificate = $4 WHERE round_id = $1 AND number = $2");
    upkeep EMPTY_OWN_SUMMARY = ("run_own_summary.erase",
        "UPDATE run_own_summary SET document = $4 WHERE round_id = $1 AND run_number = $2 AND organisation_id = $3");
}

/// What is to be written of one run.
#[derive(Debug, Default)]
struct Remains {
    leaves: Vec<(Part, Leaf)>,
    /// Rows of `EMPTY_MATCH`.
    matches: Vec<Vec<Value>>,
    /// The summary of a run that names her or has a certificate.
    summary: Option<String>,
    own_summary: Option<String>,
}

impl Store {
    /// Destroys what runs say of the person, one run in each transaction.
    pub(super) async fn erase_from_runs(&self, task: &Task) -> Result<()> {
        let (mut round, mut number) = (String::new(), 0);
        loop {
            let mut session = self.snapshot_reader(&task.scope).await?;
            let mut values = task.keys();
            values.extend(values![round.as_str(), number]);
            let Some(row) = session.row(NEXT, values).await? else {
                return session.end().await;
            };
            let name = RunRef { round: row.id("run", "round_id")?, number: row.int("number")? };
            (round, number) = (name.round.to_string(), name.number);
            let state = row.parse("run", &name, "state", RunState::from_name)?;
            let remains = match state {
                RunState::Succeeded => {
                    let frozen = (row.int("enrolment_number")?, row.int("decision_number")?);
                    Some(remains(&mut session, task, &name, frozen).await?)
                }
                _ => None,
            };
            session.end().await?;
            let mut held = self.hold_erasure(task).await?;
            if let Some((session, counts)) = &mut held {
                if let Some(remains) = remains {
                    write(session, task, &name, remains, counts).await?;
                } else {
                    session.execute(DELETE_STAGED, of_run(task, &name)).await?;
                    session.execute(DELETE_UNMATCHED, of_run(task, &name)).await?;
                }
            }
            self.release_erasure(task, held).await?;
        }
    }
}

fn of_run(task: &Task, name: &RunRef) -> Vec<Value> {
    let mut values = values![&name.round, name.number];
    values.extend(task.keys());
    values
}

/// The leaves of the person in a run, and what remains in the place of their content.
async fn remains(
    session: &mut ReadSession,
    task: &Task,
    name: &RunRef,
    (enrolments, decided): (i64, i64),
) -> Result<Remains> {
    let mut remains = Remains::default();
    remains.leaves.extend(snapshot::leaves_of(session, name, &task.person).await?);
    let round_salt = result::salt(session, &name.round).await?;
    let rows = session.rows(MATCHES, of_run(task, name)).await?;
    let mut people = vec![task.person.clone()];
    let mut pairs = Vec::new();
    for row in &rows {
        let pair = result::read_match(name, row)?.pair;
        people.extend([&pair.mentee, &pair.mentor].into_iter().filter(|one| **one != task.person).cloned());
        pairs.push((row.int("ordinal")?, pair));
    }
    let mut decisions = decision::frozen(session, &name.round, decided).await?;
    decisions.retain(|one| one.mentee == task.person || one.mentor == task.person);
    for FrozenDecision { mentee, mentor, .. } in &decisions {
        people.extend([mentee, mentor].into_iter().filter(|one| **one != task.person).cloned());
    }
    let known = salts_of(session, name, enrolments, &people).await?;
    let salts = known.0.by_person(known.1.iter());
    let mut text = Vec::new();
    for decision in &decisions {
        remains.leaves.extend(decision.leaf(&salts).map(|leaf| (Part::Decision, leaf)));
    }
    for (ordinal, pair) in &pairs {
        remains.leaves.extend(salts.of_match(pair, &mut text).map(|leaf| (Part::Match, leaf)));
        remains.matches.push(emptied(task, name, &round_salt, *ordinal, pair));
    }
    for row in session.rows(UNMATCHED, of_run(task, name)).await? {
        let id = format!("{name}/unmatched/{}", row.int("ordinal")?);
        for (part, column) in [(Part::Unmatched, "document"), (Part::OwnUnmatched, "own_document")] {
            let entry = row.json("run_unmatched", &id, column)?;
            remains.leaves.extend(salts.of_unmatched(part, &entry, &mut text).map(|leaf| (part, leaf)));
        }
    }
    summaries(session, task, name, enrolments, &salts, &mut remains).await?;
    Ok(remains)
}

/// The leaves in the summaries of a run, and the summaries with her surrogate.
async fn summaries(
    session: &mut ReadSession,
    task: &Task,
    name: &RunRef,
    enrolments: i64,
    salts: &Salts<'_>,
    remains: &mut Remains,
) -> Result<()> {
    let values = values![&name.round, name.number, &task.person.organisation];
    let row = session.one(SUMMARIES, values).await?;
    let mut text = Vec::new();
    for (part, column) in [(Part::BelowMinimum, "summary"), (Part::OwnBelowMinimum, "own_summary")] {
        if row.opt_text(column)?.is_none() {
            continue;
        }
        let mut summary: RunSummary = row.json("run", name, column)?;
        for entry in summary.below_minimum.iter_mut().filter(|entry| entry.mentor == task.person) {
            remains.leaves.extend(salts.of_below_minimum(part, entry, &mut text).map(|leaf| (part, leaf)));
            entry.mentor = task.surrogate.clone();
        }
        let place = if part == Part::BelowMinimum { &mut remains.summary } else { &mut remains.own_summary };
        *place = Some(dialect::json(&summary)?);
    }
    let certificate = row.blob("certificate")?;
    if !certificate.is_empty() {
        let mut everybody = Vec::new();
        for row in session.rows(SALTS, values![&name.round, enrolments]).await? {
            everybody.extend(LeafSalt::from_hex(&row.text("salt")?));
        }
        let seals = Seals { salts: everybody, destroyed: Vec::new() };
        remains.leaves.push((Part::Certificate, seals.of_everybody(&certificate)));
    }
    Ok(())
}

/// The salts of those of some people who were not erased before.
async fn salts_of(
    session: &mut ReadSession,
    name: &RunRef,
    enrolments: i64,
    people: &[ProfileRef],
) -> Result<(Seals, Vec<ProfileRef>)> {
    let (mut seals, mut known) = (Seals::default(), Vec::new());
    for person in people {
        let values = values![&name.round, enrolments, &person.organisation, &person.id];
        let found: Option<Row> = session.row(SALT_OF, values).await?;
        let salt = found.map(|row| row.text("salt")).transpose()?;
        if let Some(salt) = salt.as_deref().and_then(LeafSalt::from_hex) {
            seals.salts.push(salt);
            known.push(person.clone());
        }
    }
    Ok((seals, known))
}

/// Values of `EMPTY_MATCH`: the match of the surrogate has the id that its names give it, the same in every run of the round.
fn emptied(task: &Task, name: &RunRef, salt: &RoundSalt, ordinal: i64, pair: &Match) -> Vec<Value> {
    let of = |person: &ProfileRef| if *person == task.person { &task.surrogate } else { person }.clone();
    let (mentee, mentor) = (of(&pair.mentee), of(&pair.mentor));
    let id = salt.match_id(&mentee, &mentor);
    values![&name.round, name.number, ordinal, id.as_str(), &mentee.id, &mentor.id]
}

async fn write(
    session: &mut Housekeeping,
    task: &Task,
    name: &RunRef,
    remains: Remains,
    counts: &mut ErasureCounts,
) -> Result<()> {
    let Remains { leaves, matches, summary, own_summary } = remains;
    let mut kept = 0;
    for (part, leaf) in leaves {
        let values = values![&name.round, name.number, part.as_str(), hex::encode(leaf)];
        kept += session.execute(KEEP_LEAF, values).await?;
    }
    for values in matches {
        counts.matches += session.execute(EMPTY_MATCH, values).await?;
    }
    counts.unmatched += session.execute(DELETE_UNMATCHED, of_run(task, name)).await?;
    if let Some(summary) = summary {
        session.execute(EMPTY_SUMMARY, values![&name.round, name.number, summary, Vec::new()]).await?;
    }
    if let Some(summary) = own_summary {
        let values = values![&name.round, name.number, &task.person.organisation, summary];
        session.execute(EMPTY_OWN_SUMMARY, values).await?;
    }
    counts.runs += u64::from(kept > 0);
    Ok(())
}
