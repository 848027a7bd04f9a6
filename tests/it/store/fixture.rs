//! A fresh database per case, and short words for what cases do.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use sqlx::{Connection as _, Row as _};
use tempfile::TempDir;
use wim_match::domain::audit::AuditEntry;
use wim_match::domain::leaf::LeafSalt;
use wim_match::domain::name::{OrganisationId, OwnId, ProfileRef, RoundId, RunRef};
use wim_match::domain::organisation::{OrganisationContent, OrganisationDraft};
use wim_match::domain::profile::{MenteeRequest, MentorOffer, Profile};
use wim_match::domain::round::{Round, RoundContent, RoundDraft};
use wim_match::domain::run::{
    Coverage, Digests, Follow, Match, Run, RunSummary, Side, Unmatched, UnmatchedReason, WholeRound,
};
use wim_match::domain::salt::RoundSalt;
use wim_match::domain::suppression::Guarded;
use wim_match::domain::vocabulary::Terms;
use wim_match::error::Result;
use wim_match::store::{
    Begun, ClaimedRun, ImportCounts, ImportKey, JournalFilter, NewEnrolment, Receipt, RequestKey, RunOutcome,
    Scope, StagedRow, Store, WriteSession,
};

use crate::postgres::{Postgres, past_the_policies, postgres};

/// Length of every lease in this suite: no lease ends by itself while a case runs.
pub(crate) const LEASE: Duration = Duration::from_hours(1);

/// A store over a database of its own.
pub(crate) struct Fixture {
    pub(crate) store: Store,
    pub(crate) url: String,
    // Removed when the case ends.
    _home: Option<TempDir>,
}

impl Fixture {
    pub(crate) async fn sqlite() -> Self {
        let fixture = Self::empty_sqlite().await;
        fixture.store.migrate().await.expect("migrates");
        fixture
    }

    pub(crate) async fn empty_sqlite() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let path: PathBuf = home.path().join("wim.db");
        let url = path.to_str().expect("a path in UTF-8").to_owned();
        Self { store: Store::open(&url).await.expect("opens"), url, _home: Some(home) }
    }

    pub(crate) async fn postgresql() -> Option<Self> {
        let url =
            tokio::task::spawn_blocking(|| postgres().map(Postgres::migrated)).await.expect("a database");
        Self::at(url).await
    }

    pub(crate) async fn empty_postgresql() -> Option<Self> {
        let url = tokio::task::spawn_blocking(|| postgres().map(Postgres::empty)).await.expect("a database");
        Self::at(url).await
    }

    async fn at(url: Option<String>) -> Option<Self> {
        let url = url?;
        Some(Self { store: Store::open(&url).await.expect("opens"), url, _home: None })
    }

    /// A session of a coordinator, without a `request_id`.
    pub(crate) async fn write(&self) -> WriteSession {
        self.write_at(at(0), Scope::Alliance).await
    }

    pub(crate) async fn write_at(&self, now: Timestamp, scope: Scope) -> WriteSession {
        let receipt = Receipt { actor: "tok-coordinator".to_owned(), scope, now, request: None };
        fresh(self.store.begin(receipt).await)
    }

    /// The entries of the journal that exist in a scope, in the order in which they were written.
    pub(crate) async fn journal(&self, scope: &Scope) -> Vec<AuditEntry> {
        let listed = self.store.list_journal(scope, &JournalFilter::default(), None, 1_000).await;
        let mut entries = listed.expect("lists");
        entries.sort_by_key(|entry| entry.sequence);
        entries
    }

    pub(crate) async fn organisation(&self, id: &str) -> OrganisationId {
        let id: OrganisationId = id.parse().expect("an id");
        let mut session = self.write().await;
        let (_, note) = session.create_organisation(&id, &organisation(&id)).await.expect("is created");
        session.commit(note, b"").await.expect("commits");
        id
    }

    /// Brings people in as one import.
    pub(crate) async fn import(
        &self,
        organisation: &OrganisationId,
        import: &str,
        people: &[(&str, Profile)],
    ) -> ImportCounts {
        let scope = Scope::Organisations([organisation.clone()].into());
        let key = self.store.begin_import(&scope, organisation, import, at(0)).await.expect("begins");
        let rows = self.rows(organisation, people).await;
        let unstaged = people.len() - rows.len();
        self.store.stage_rows(&key, rows, at(0)).await.expect("stages");
        let counts = self.finish(&key, at(1)).await.expect("finishes");
        ImportCounts { unchanged: counts.unchanged + i64::try_from(unstaged).expect("few"), ..counts }
    }

    /// Rows to be staged: those that do not say what is stored.
    pub(crate) async fn rows(
        &self,
        organisation: &OrganisationId,
        people: &[(&str, Profile)],
    ) -> Vec<StagedRow> {
        let fresh = rows(people);
        let keys: Vec<_> = fresh.iter().map(|row| (row.id().clone(), row.digest().to_owned())).collect();
        let present = self.store.present(&only(organisation), organisation, &keys).await.expect("reads");
        let rest = |(id, content): &(&str, Profile)| {
            StagedRow::new(own_id(id), present.get(&own_id(id)), content).expect("a row")
        };
        let is_new = |row: &StagedRow| present.get(row.id()).is_none_or(|known| known.digest != row.digest());
        people.iter().map(rest).filter(is_new).collect()
    }

    /// Finishes an import while no other import of its organisation ends.
    pub(crate) async fn finish(&self, key: &ImportKey, now: Timestamp) -> Result<ImportCounts> {
        let ready = self.store.ready_import(key, now).await?;
        let mut session = self.write_at(now, Scope::Alliance).await;
        let (counts, left) = session.finish_import(key, ready).await?.expect("no other import has finished");
        session.commit(left.into_notes().expect("notes"), b"").await?;
        Ok(counts)
    }

    pub(crate) async fn round(&self, id: &str) -> Round {
        let mut session = self.write().await;
        let (round, note) =
            session.create_round(&round_id(id), &round_content(), &salt()).await.expect("is created");
        session.commit(note, b"").await.expect("commits");
        round
    }

    pub(crate) async fn enrol(&self, round: &RoundId, organisation: &OrganisationId, ids: &[&str]) -> u64 {
        let people = with_ids(ids);
        let waiting = self.store.waiting_list(&Scope::Alliance, organisation).await.expect("reads");
        let mut session = self.write().await;
        let (enrolled, note) = session.enrol(round, organisation, &people, &waiting).await.expect("enrols");
        match note {
            Some(note) => session.commit(note, b"").await.expect("commits"),
            None => session.commit_unchanged(b"").await.expect("commits"),
        }
        enrolled
    }

    pub(crate) async fn start_run(&self, round: &RoundId, now: Timestamp) -> Run {
        let mut session = self.write_at(now, Scope::Alliance).await;
        let (run, note) = session.start_run(round, Follow::Newest, None).await.expect("starts");
        session.commit(note, b"").await.expect("commits");
        run
    }

    /// Two organisations with a mentor and a mentee each, all enrolled in a round.
    pub(crate) async fn enrolled_round(&self) -> (OrganisationId, OrganisationId, RoundId) {
        let peru = self.organisation("wim-peru").await;
        let kenya = self.organisation("wim-kenya").await;
        for organisation in [&peru, &kenya] {
            let people = [("mentor", mentor(2)), ("mentee", mentee())];
            self.import(organisation, &format!("import-{organisation}"), &people).await;
        }
        let round = self.round("spring-2027").await.id;
        for organisation in [&peru, &kenya] {
            assert_eq!(self.enrol(&round, organisation, &["mentor", "mentee"]).await, 2);
        }
        (peru, kenya, round)
    }

    pub(crate) async fn claim(&self, owner: &str, now: Timestamp) -> ClaimedRun {
        self.store.claim_run(&Scope::System, owner, now, LEASE).await.expect("asks").expect("a run waits")
    }

    /// A round with one run that matched each organisation's mentee with the other's mentor.
    pub(crate) async fn succeeded_run(&self) -> (OrganisationId, OrganisationId, Run) {
        let (peru, kenya, round) = self.enrolled_round().await;
        self.start_run(&round, at(10)).await;
        let claim = self.claim("worker-1", at(11)).await;
        self.store.seal_run(&claim, &"cd".repeat(32)).await.expect("seals");
        self.store.complete_run(&claim, || at(12), &outcome(&peru, &kenya)).await.expect("completes");
        let run = self.store.run(&Scope::Alliance, &claim.run.name).await.expect("exists");
        (peru, kenya, run)
    }
}

/// A connection past the store, to look at a database and to disturb it.
pub(crate) enum Raw {
    Sqlite(sqlx::SqliteConnection),
    Postgres(sqlx::PgConnection),
}

impl Raw {
    pub(crate) async fn execute(&mut self, text: &str) {
        self.try_execute(text).await.unwrap_or_else(|error| panic!("{text}: {error}"));
    }

    pub(crate) async fn try_execute(&mut self, text: &str) -> Result<(), sqlx::Error> {
        let safe = sqlx::AssertSqlSafe(text.to_owned());
        match self {
            Self::Sqlite(connection) => sqlx::raw_sql(safe).execute(connection).await.map(drop),
            Self::Postgres(connection) => sqlx::raw_sql(safe).execute(connection).await.map(drop),
        }
    }

    /// The only value of the only row.
    pub(crate) async fn number(&mut self, text: &'static str) -> i64 {
        let found = match self {
            Self::Sqlite(connection) => sqlx::query_scalar(text).fetch_one(connection).await,
            Self::Postgres(connection) => sqlx::query_scalar(text).fetch_one(connection).await,
        };
        found.unwrap_or_else(|error| panic!("{text}: {error}"))
    }
}

impl Fixture {
    pub(crate) async fn raw(&self) -> Raw {
        if self.url.starts_with("postgres") {
            let url = past_the_policies(&self.url);
            Raw::Postgres(sqlx::PgConnection::connect(&url).await.expect("connects"))
        } else {
            let url = format!("sqlite:{}", self.url);
            Raw::Sqlite(sqlx::SqliteConnection::connect(&url).await.expect("connects"))
        }
    }

    /// Ends all leases, as time does when no worker renews them.
    pub(crate) async fn expire_leases(&self) {
        self.raw().await.execute("UPDATE run SET lease_until_micros = 1 WHERE state = 'running'").await;
    }

    /// The certificate of a run, read past the store, which has no reader of it yet.
    pub(crate) async fn stored_certificate(&self, run: &RunRef) -> Vec<u8> {
        let query = "SELECT certificate FROM run WHERE round_id = $1 AND number = $2";
        let (round, number) = (run.round.as_str().to_owned(), run.number);
        match self.raw().await {
            Raw::Postgres(mut connection) => {
                let row = sqlx::query(query).bind(round).bind(number).fetch_one(&mut connection).await;
                row.and_then(|row| row.try_get(0)).expect("a certificate")
            }
            Raw::Sqlite(mut connection) => {
                let row = sqlx::query(query).bind(round).bind(number).fetch_one(&mut connection).await;
                row.and_then(|row| row.try_get(0)).expect("a certificate")
            }
        }
    }
}

pub(crate) fn fresh(begun: Result<Begun>) -> WriteSession {
    match begun.expect("begins") {
        Begun::Fresh(session) => session,
        Begun::Repeated(answer) => panic!("was done before, with answer {answer:?}"),
    }
}

/// Runs calls at the same time, and gives their answers in the order of the calls.
#[expect(clippy::disallowed_methods, reason = "the calls of a case end with it")]
pub(crate) async fn at_once<T: Send + 'static>(
    calls: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let calls: Vec<_> = calls.into_iter().map(tokio::spawn).collect();
    let mut answers = Vec::with_capacity(calls.len());
    for call in calls {
        answers.push(call.await.expect("the call ends"));
    }
    answers
}

/// `seconds` after the suite's first moment.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).expect("a moment")
}

/// The scope of a caller who acts for several organisations.
pub(crate) fn of(organisations: &[&OrganisationId]) -> Scope {
    Scope::Organisations(organisations.iter().map(|id| (*id).clone()).collect())
}

pub(crate) fn only(organisation: &OrganisationId) -> Scope {
    Scope::Organisations([organisation.clone()].into())
}

pub(crate) fn request(actor: &str, id: &str, payload: &str) -> Receipt {
    let request =
        RequestKey { id: id.to_owned(), method: "CreateOrganisation", payload_digest: payload.to_owned() };
    Receipt { actor: actor.to_owned(), scope: Scope::Alliance, now: at(0), request: Some(request) }
}

pub(crate) fn own_id(id: &str) -> OwnId {
    id.parse().expect("an own id")
}

/// People with an id for the enrolment of each.
pub(crate) fn with_ids(ids: &[&str]) -> Vec<NewEnrolment> {
    static MADE: AtomicU64 = AtomicU64::new(1);
    let row = |own: &&str| {
        let number = MADE.fetch_add(1, Ordering::SeqCst);
        NewEnrolment {
            person: own_id(own),
            id: format!("00000000-0000-7000-8000-{number:012x}").parse().expect("an id"),
            consent: "matching-0123456789ab".parse().expect("an id"),
            salt: LeafSalt::new(u128::from(number).to_be_bytes()),
        }
    };
    ids.iter().map(row).collect()
}

pub(crate) fn round_id(id: &str) -> RoundId {
    id.parse().expect("a round id")
}

pub(crate) fn person(organisation: &OrganisationId, id: &str) -> ProfileRef {
    ProfileRef { organisation: organisation.clone(), id: own_id(id) }
}

pub(crate) fn organisation(id: &OrganisationId) -> OrganisationContent {
    let draft = OrganisationDraft {
        idle_profile_days: 0,
        most_places: [Some(2), Some(0)],
        display_name: format!("Organisation {id}"),
        country: "PE".to_owned(),
        same_organisation_only: true,
        excluded_organisations: vec!["organisations/wim-elsewhere".to_owned()],
    };
    OrganisationContent::parse(id, &draft).expect("a right draft")
}

/// The salt of every round of the suite.
pub(crate) fn salt() -> RoundSalt {
    RoundSalt::new([7; 32])
}

pub(crate) fn round_content() -> RoundContent {
    let draft = RoundDraft {
        display_name: "Spring 2027".to_owned(),
        start_date: "2027-03-01".to_owned(),
        end_date: "2027-08-31".to_owned(),
        policy: None,
        all_members: true,
        ..RoundDraft::default()
    };
    RoundContent::parse(&draft).expect("a right draft")
}

/// A profile with the least in it.
pub(crate) fn profile(country: &str) -> Profile {
    let json = format!(
        r#"{{"country":"{country}","time_zone":"America/Lima","languages":[{{"tag":"es-PE","level":"native"}}],
            "consents":[{{"purpose":"matching","give_time":"2026-01-01T00:00:00Z","text_version":"1","language":"es"}}]}}"#
    );
    serde_json::from_str(&json).expect("a profile")
}

pub(crate) fn mentor(places: u8) -> Profile {
    let offer = MentorOffer { min_mentees: None, max_mentees: places, topics: Terms::EMPTY };
    Profile { mentor_offer: Some(offer), ..profile("PE") }
}

pub(crate) fn mentee() -> Profile {
    let request = MenteeRequest { mentors_wanted: None, topics: Terms::EMPTY, waiting_since: None };
    Profile { mentee_request: Some(request), ..profile("KE") }
}

/// Rows of people without a profile.
pub(crate) fn rows(people: &[(&str, Profile)]) -> Vec<StagedRow> {
    let row = |(id, content): &(&str, Profile)| StagedRow::new(own_id(id), None, content);
    people.iter().map(row).collect::<Result<_>>().expect("rows")
}

/// Each organisation's mentee with the other's mentor, and each mentor without one of her own.
pub(crate) fn outcome(first: &OrganisationId, second: &OrganisationId) -> RunOutcome {
    let pair = |mentee: &OrganisationId, mentor: &OrganisationId, score| Match {
        mentee: person(mentee, "mentee"),
        mentor: person(mentor, "mentor"),
        score,
        contributions: Vec::new(),
        pinned: false,
    };
    let unmatched = |organisation: &OrganisationId| Unmatched {
        profile: person(organisation, "mentor"),
        side: Some(Side::Mentor),
        reason: UnmatchedReason::PlacesLeftOver,
        counterparts: Guarded::new(2).for_coordinators(),
        candidates: Guarded::new(1).for_coordinators(),
        exclusions: [].into(),
        details: Vec::new(),
    };
    let banded = |unmatched: Unmatched| Unmatched {
        counterparts: Guarded::new(2).for_managers(),
        candidates: Guarded::new(1).for_managers(),
        ..unmatched
    };
    let mut whole = WholeRound::default();
    whole.regions.insert("005".to_owned(), Coverage::default());
    for organisation in [first, second] {
        whole.organisations.insert(organisation.clone(), Coverage::default());
    }
    let own = |total_score| RunSummary { matches: 2, total_score, ..RunSummary::default() };
    RunOutcome {
        engine_version: "1.0.0".to_owned(),
        digests: Digests {
            open_input: "ef".repeat(32),
            open_result: "cd".repeat(32),
            whole_result: "ab".repeat(32),
        },
        summary: RunSummary { whole_round: Some(whole), ..own(16_500) },
        summaries: [(first.clone(), own(1)), (second.clone(), own(2))].into(),
        matches: vec![pair(first, second, 8_500), pair(second, first, 8_000)],
        unmatched: vec![unmatched(first), unmatched(second)],
        unmatched_for_managers: vec![banded(unmatched(first)), banded(unmatched(second))],
        certificate: vec![0, 159, 146, 150],
        first_days: vec!["2027-03-01".parse().expect("a date")],
    }
}
