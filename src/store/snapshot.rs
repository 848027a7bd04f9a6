//! Frozen snapshots: a run refers to the number of its round's enrolments and to the newest import of each organisation, and the people
//! are read in the versions of that moment.
//!
//! Input: the name of a run. Output: the whole snapshot for the engine, or the part of it that explains one pair.

use std::collections::VecDeque;

use jiff::Timestamp;
use jiff::civil::Date;
use sha2::{Digest as _, Sha256};
use tokio::task::JoinHandle;

use super::backend::Store;
use super::decision;
use super::dialect::{self, Row, values};
use super::enrolment;
use super::organisation;
use super::read::ReadSession;
use super::round;
use super::run;
use super::scope::Scope;
use super::statement::statements;
use crate::domain::leaf::{Leaf, LeafSalt, Part, Seals};
use crate::domain::name::{OrganisationId, ProfileRef, RoundId, RunRef};
use crate::domain::organisation::OrganisationRules;
use crate::domain::round::RoundContent;
use crate::domain::run::Follow;
use crate::domain::snapshot::{FollowedRun, Participant, Snapshot};
use crate::error::{Error, Result};

/// The condition that the import of a version was frozen with the run. The subqueries of these statements walk over one
/// index, newest version first, whatever the statistics of the database are.
macro_rules! is_frozen {
    () => {
        "(SELECT i.number FROM profile_import i WHERE i.id = v.import_id) <= $5"
    };
}

/// A person with her frozen version and its document, before which the frozen digest stands if there is one.
macro_rules! frozen_columns {
    () => {
        concat!(
            "q.own_id, q.salt, q.waiting_since, q.waiting_cause, q.version, (SELECT COALESCE(v.frozen_digest, '') || v.document FROM profile_version v \
             WHERE v.organisation_id = $2 AND v.own_id = q.own_id AND v.version = q.version AND ",
            is_frozen!(),
            ") AS document"
        )
    };
}

/// Enrolments that a run covers, each with the newest version of the profile up to the frozen import.
macro_rules! frozen_enrolments {
    () => {
        concat!(
            "SELECT e.own_id, e.salt, e.waiting_since, e.waiting_cause, (SELECT v.version FROM profile_version v WHERE v.organisation_id = $2 \
             AND v.own_id = e.own_id AND ",
            is_frozen!(),
            " ORDER BY v.version DESC LIMIT 1) AS version \
             FROM enrolment e WHERE e.round_id = $1 AND e.organisation_id = $2 AND e.enrol_number <= $4 \
             AND (e.withdraw_number IS NULL OR e.withdraw_number > $4)"
        )
    };
}

statements! {
    query FROZEN_ROUND = hidden("snapshot.round",
        "SELECT run.start_date, run.end_date, run.freeze_micros, run.enrolment_number, run.decision_number, run.first_days, run.follows, \
         run.follows_digest, run.repairs, p.document FROM run \
         JOIN policy p ON p.round_id = run.round_id AND p.version = run.policy_version \
         WHERE run.round_id = $1 AND run.number = $2 AND run.purge_micros IS NULL");
    query FROZEN_ORGANISATIONS = hidden("snapshot.organisations",
        "SELECT organisation_id, rules, most_given, most_taken, import_number FROM run_organisation WHERE round_id = $1 \
         AND run_number = $2 ORDER BY organisation_id");
    query PRESENT_NUMBER = hidden("snapshot.present_number", "SELECT enrolment_number FROM round WHERE id = $1");
    query PRESENT_ORGANISATIONS = hidden("snapshot.present_organisations",
        "SELECT o.id, o.rules, o.most_given, o.most_taken, (SELECT COALESCE(MAX(i.number), 0) FROM profile_import i WHERE i.organisation_id = o.id) \
         AS import_number FROM organisation o \
         WHERE o.id IN (SELECT c.organisation_id FROM enrolment_count c WHERE c.round_id = $1) ORDER BY o.id");
    query FROZEN_ORGANISATION = hidden("snapshot.organisation",
        "SELECT rules, import_number FROM run_organisation WHERE round_id = $1 AND run_number = $2 \
         AND organisation_id = $3");
    // The order of the rows is left open, which spares a sort of documents. With wrong statistics PostgreSQL would otherwise
    // join and sort all remaining people for every page.
    query FROZEN_PARTICIPANTS = hidden("snapshot.participants",
        concat!("SELECT ", frozen_columns!(), " FROM (", frozen_enrolments!(), " AND e.own_id > $3 \
            ORDER BY e.own_id LIMIT $6) AS q"));
    query PAIRS = hidden("snapshot.followed_pairs",
        "SELECT ordinal, mentee_organisation_id, mentee_own_id, mentor_organisation_id, mentor_own_id FROM run_match \
         WHERE round_id = $1 AND run_number = $2 AND ordinal > $3 ORDER BY ordinal LIMIT $4");
    query FOLLOWED_EXISTS = hidden("snapshot.followed",
        "SELECT number FROM run WHERE round_id = $1 AND number = $2 AND purge_micros IS NULL");
    query DESTROYED = hidden("run_leaf.list",
        "SELECT part, leaf FROM run_leaf WHERE round_id = $1 AND run_number = $2 ORDER BY part, leaf");
    query FROZEN_PARTICIPANT = hidden("snapshot.participant",
        concat!("SELECT ", frozen_columns!(), " FROM (", frozen_enrolments!(), " AND e.own_id = $3 LIMIT 1) AS q"));
}

/// Participants read at a time: bounds the memory in which they are held twice, as rows and as profiles. Pages are parsed
/// while the next ones are read.
const SNAPSHOT_PAGE: u32 = 5_000;
/// Pairs of the followed run read at a time.
const PAIRS_PAGE: u32 = 10_000;
/// Rows from which a task parses them. Pages of small organisations are parsed together.
const ROWS_PER_TASK: usize = 500;
/// Tasks that parse at the same time.
const TASKS: usize = 3;

impl Store {
    /// The frozen input of a run, in its one order. The snapshot holds profiles of every organisation, so for an
    /// organisation it does not exist.
    pub async fn load_snapshot(&self, scope: &Scope, name: &RunRef) -> Result<LoadedSnapshot> {
        let mut session = self.snapshot_reader(scope).await?;
        let loaded = load(&mut session, name).await?;
        session.end().await?;
        Ok(loaded)
    }

    /// A round as a run that starts at `now` would freeze it. Nothing is written.
    pub async fn present_snapshot(&self, scope: &Scope, round: &RoundId, now: Timestamp) -> Result<Snapshot> {
        let mut session = self.snapshot_reader(scope).await?;
        let present = present(&mut session, round, now).await;
        session.end().await?;
        present
    }

    /// What explains one pair of a run that has succeeded. Its cost does not depend on the size of the round.
    pub async fn frozen_pair(
        &self,
        scope: &Scope,
        name: &RunRef,
        mentee: &ProfileRef,
        mentor: &ProfileRef,
    ) -> Result<FrozenPair> {
        let mut session = self.snapshot_reader(scope).await?;
        let pair = load_pair(&mut session, name, [mentee, mentor]).await?;
        session.end().await?;
        Ok(pair)
    }
}

/// A part of a snapshot: the people of a pair, the rules of their organisations, and the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrozenPair {
    /// The part. A person who does not take part is missing.
    pub snapshot: Snapshot,
    /// First days of the calendar of the whole round.
    pub first_days: Vec<Date>,
}

/// A snapshot as it was stored, with its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedSnapshot {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// The salts of its people, and the leaves of those who were erased since.
    pub seals: Seals,
    /// Its digest, computed from the stored documents.
    pub digest: String,
    /// Whether the run that it follows was purged since: then its pairs are missing, and the run cannot be solved or proved
    /// again.
    pub lacks_followed: bool,
}

/// Pages that are parsed while the next page is read.
type Parsing = JoinHandle<Result<Vec<Parsed>>>;
/// A participant, her salt, and the digest of the stored document.
type Parsed = (Participant, LeafSalt, [u8; 32]);

/// The snapshot of a run without organisations and people, and the row that it was read from.
async fn begin(session: &mut ReadSession, name: &RunRef) -> Result<(Snapshot, Row)> {
    let found = session.row(FROZEN_ROUND, values![&name.round, name.number]).await?;
    let frozen = found.ok_or_else(|| Error::NotFound(name.name()))?;
    let snapshot = Snapshot {
        start_date: frozen.id("run", "start_date")?,
        end_date: frozen.id("run", "end_date")?,
        freeze_time: frozen.time("freeze_micros")?,
        policy: frozen.json("policy", name, "document")?,
        organisations: Vec::new(),
        participants: Vec::new(),
        decisions: Vec::new(),
        follows: None,
    };
    Ok((snapshot, frozen))
}

async fn load_pair(session: &mut ReadSession, name: &RunRef, pair: [&ProfileRef; 2]) -> Result<FrozenPair> {
    let (mut snapshot, frozen) = begin(session, name).await?;
    let number = frozen.int("enrolment_number")?;
    let first_days = match frozen.opt_text("first_days")? {
        None => Vec::new(),
        Some(_) => frozen.json("run", name, "first_days")?,
    };
    for profile in pair {
        let id = &profile.organisation;
        let values = values![&name.round, name.number, id];
        let Some(row) = session.row(FROZEN_ORGANISATION, values).await? else { continue };
        let (rules, import_number) = (row.json("run_organisation", id, "rules")?, row.int("import_number")?);
        if snapshot.organisations.iter().all(|(known, _)| known != id) {
            snapshot.organisations.push((id.clone(), rules));
        }
        let values = values![&name.round, id, &profile.id, number, import_number];
        if let Some(row) = session.row(FROZEN_PARTICIPANT, values).await? {
            let (person, ..) = participant(id, &row)?.ok_or_else(|| Error::InputErased(name.name()))?;
            snapshot.participants.push(person);
        }
    }
    let mut decisions = decision::frozen(session, &name.round, frozen.int("decision_number")?).await?;
    decisions.retain(|one| one.pair() == (pair[0], pair[1]));
    snapshot.decisions = decisions;
    snapshot.sort();
    Ok(FrozenPair { snapshot, first_days })
}

async fn load(session: &mut ReadSession, name: &RunRef) -> Result<LoadedSnapshot> {
    let keys = || values![&name.round, name.number];
    let (mut snapshot, frozen) = begin(session, name).await?;
    let number = frozen.int("enrolment_number")?;
    let mut people = ParsedPages::default();
    for row in session.rows(FROZEN_ORGANISATIONS, keys()).await? {
        let id: OrganisationId = row.id("run_organisation", "organisation_id")?;
        let limits = organisation::limits(&row)?;
        let rules = OrganisationRules { limits, ..row.json("run_organisation", &id, "rules")? };
        let up_to = (number, row.int("import_number")?);
        read_people(session, &mut people, (&name.round, &id), up_to).await?;
        snapshot.organisations.push((id, rules));
    }
    let people = people.finish().await?;
    let (mut salts, mut contents) = (Vec::with_capacity(people.len()), Vec::with_capacity(people.len()));
    // Both lists are sorted: organisations by the statement, people by page.
    for (participant, salt, content) in people {
        snapshot.participants.push(participant);
        salts.push(salt);
        contents.push(content);
    }
    let mut lacks_followed = false;
    if let Some(number) = frozen.opt_int("follows")? {
        let result_digest = frozen.opt_text("follows_digest")?.unwrap_or_default();
        lacks_followed = session.row(FOLLOWED_EXISTS, values![&name.round, number]).await?.is_none();
        let pairs = pairs_of(session, &name.round, number).await?;
        let repaired = frozen.flag("repairs")?;
        snapshot.follows = Some(FollowedRun { number, result_digest, repaired, pairs });
    }
    snapshot.decisions = decision::frozen(session, &name.round, frozen.int("decision_number")?).await?;
    let seals = Seals { salts, destroyed: destroyed(session, name).await? };
    let digest = snapshot.digest(&contents, &seals);
    Ok(LoadedSnapshot { snapshot, seals, digest, lacks_followed })
}

/// The snapshot that a run would have if it were started now.
async fn present(session: &mut ReadSession, id: &RoundId, now: Timestamp) -> Result<Snapshot> {
    let round = round::of(session, id).await?;
    let number = session.one(PRESENT_NUMBER, values![id]).await?.int("enrolment_number")?;
    let mut organisations = Vec::new();
    let mut people = ParsedPages::default();
    for row in session.rows(PRESENT_ORGANISATIONS, values![id]).await? {
        let own: OrganisationId = row.id("organisation", "id")?;
        let limits = organisation::limits(&row)?;
        let rules = OrganisationRules { limits, ..row.json("organisation", &own, "rules")? };
        let up_to = (number, row.int("import_number")?);
        read_people(session, &mut people, (id, &own), up_to).await?;
        organisations.push((own, rules));
    }
    let participants = people.finish().await?.into_iter().map(|(participant, ..)| participant).collect();
    let follows = match run::followed(session, id, Follow::Newest).await? {
        None => None,
        Some((number, result_digest)) => {
            let pairs = pairs_of(session, id, number).await?;
            Some(FollowedRun { number, result_digest, repaired: false, pairs })
        }
    };
    let RoundContent { start_date, end_date, policy, .. } = round.content;
    let decided = decision::last(session, id).await?;
    let decisions = decision::frozen(session, id, decided).await?;
    Ok(Snapshot {
        start_date,
        end_date,
        freeze_time: now,
        policy,
        organisations,
        participants,
        decisions,
        follows,
    })
}

/// The pairs of a run that succeeded, sorted.
async fn pairs_of(
    session: &mut ReadSession,
    round: &RoundId,
    number: i64,
) -> Result<Vec<(ProfileRef, ProfileRef)>> {
    let (mut pairs, mut after) = (Vec::new(), 0);
    loop {
        let rows = session.rows(PAIRS, values![round, number, after, PAIRS_PAGE]).await?;
        for row in &rows {
            let person = |organisation: &str, own_id: &str| {
                let organisation = row.id("run_match", organisation)?;
                Ok::<_, Error>(ProfileRef { organisation, id: row.id("run_match", own_id)? })
            };
            after = row.int("ordinal")?;
            pairs.push((
                person("mentee_organisation_id", "mentee_own_id")?,
                person("mentor_organisation_id", "mentor_own_id")?,
            ));
        }
        if rows.len() < PAIRS_PAGE as usize {
            pairs.sort_unstable();
            return Ok(pairs);
        }
    }
}

/// Reads the people of an organisation whom the enrolments of a round up to a number cover, each in her version up to the
/// number of an import.
async fn read_people(
    session: &mut ReadSession,
    people: &mut ParsedPages,
    (round, organisation): (&RoundId, &OrganisationId),
    (number, import_number): (i64, i64),
) -> Result<()> {
    let mut after = String::new();
    loop {
        let values = values![round, organisation, after.as_str(), number, import_number, SNAPSHOT_PAGE];
        let page = session.rows(FROZEN_PARTICIPANTS, values).await?;
        let read = page.len();
        for row in &page {
            after = after.max(row.text("own_id")?);
        }
        people.parse(organisation.clone(), page).await?;
        if read < SNAPSHOT_PAGE as usize {
            return Ok(());
        }
    }
}

/// Pages of participants, parsed on blocking threads, some at a time and in the order in which they were read.
#[derive(Default)]
struct ParsedPages {
    parsed: Vec<Parsed>,
    /// Tasks, the oldest first.
    parsing: VecDeque<Parsing>,
    /// Pages that no task parses yet, and the number of their rows.
    pages: Vec<(OrganisationId, Vec<Row>)>,
    rows: usize,
}

impl ParsedPages {
    /// Adds a page, and begins to parse the pages once there are enough rows.
    async fn parse(&mut self, organisation: OrganisationId, page: Vec<Row>) -> Result<()> {
        self.rows += page.len();
        self.pages.push((organisation, page));
        if self.rows >= ROWS_PER_TASK {
            self.begin().await?;
        }
        Ok(())
    }

    /// Begins to parse the pages that wait, when fewer tasks than [`TASKS`] are left.
    async fn begin(&mut self) -> Result<()> {
        while self.parsing.len() >= TASKS {
            self.wait().await?;
        }
        let pages = std::mem::take(&mut self.pages);
        let rows = std::mem::take(&mut self.rows);
        let parse = move || {
            let mut parsed = Vec::with_capacity(rows);
            for (organisation, page) in pages {
                let first = parsed.len();
                for row in &page {
                    // A person who was erased since has no profile: her leaves stand for her.
                    parsed.extend(participant(&organisation, row)?);
                }
                parsed[first..].sort_unstable_by(|(a, ..), (b, ..): &Parsed| a.profile.id.cmp(&b.profile.id));
            }
            Ok(parsed)
        };
        self.parsing.push_back(tokio::task::spawn_blocking(parse));
        Ok(())
    }

    /// Waits for the oldest task.
    async fn wait(&mut self) -> Result<()> {
        if let Some(parsing) = self.parsing.pop_front() {
            let page = parsing.await.map_err(|_| Error::internal("the reading of a snapshot panicked"))?;
            self.parsed.append(&mut page?);
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<Vec<Parsed>> {
        self.begin().await?;
        while !self.parsing.is_empty() {
            self.wait().await?;
        }
        Ok(self.parsed)
    }
}

/// A participant; `None` if she was erased since.
fn participant(organisation: &OrganisationId, row: &Row) -> Result<Option<Parsed>> {
    let profile = ProfileRef { organisation: organisation.clone(), id: row.id("enrolment", "own_id")? };
    let Some(salt) = LeafSalt::from_hex(&row.text("salt")?) else { return Ok(None) };
    let column = row.text("document")?;
    let (frozen, document) = column.split_at(column.find('{').unwrap_or_default());
    let digest = leaf_of(frozen).unwrap_or_else(|| Sha256::digest(document).into());
    let participant = Participant {
        version: row.int("version")?,
        waiting: enrolment::read_waiting(row)?,
        content: dialect::parsed("profile_version", &profile, "document", document)?,
        profile,
    };
    Ok(Some((participant, salt, digest)))
}

/// The leaves of a person in the input of a run; none if she was erased before.
pub(super) async fn leaves_of(
    session: &mut ReadSession,
    name: &RunRef,
    person: &ProfileRef,
) -> Result<Vec<(Part, Leaf)>> {
    let (snapshot, frozen) = begin(session, name).await?;
    let id = &person.organisation;
    let found = session.row(FROZEN_ORGANISATION, values![&name.round, name.number, id]).await?;
    let Some(organisation) = found else { return Ok(Vec::new()) };
    let (number, imported) = (frozen.int("enrolment_number")?, organisation.int("import_number")?);
    let found =
        session.row(FROZEN_PARTICIPANT, values![&name.round, id, &person.id, number, imported]).await?;
    let Some((person, salt, content)) = found.map(|row| participant(id, &row)).transpose()?.flatten() else {
        return Ok(Vec::new());
    };
    Ok(vec![
        (Part::Input, snapshot.leaf(&person, &content, salt)),
        (Part::OpenInput, snapshot.open_leaf(&person, salt)),
    ])
}

/// The leaves of a run whose content was destroyed.
async fn destroyed(session: &mut ReadSession, name: &RunRef) -> Result<Vec<(Part, Leaf)>> {
    let rows = session.rows(DESTROYED, values![&name.round, name.number]).await?;
    let read = |row: &Row| {
        let part = row.parse("run_leaf", name, "part", Part::from_name)?;
        Ok((part, row.parse("run_leaf", name, "leaf", leaf_of)?))
    };
    rows.iter().map(read).collect()
}

fn leaf_of(text: &str) -> Option<Leaf> {
    hex::decode(text).ok()?.try_into().ok()
}
