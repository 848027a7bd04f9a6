//! The real server on a free port over a database of its own, clients typed by role, and short words for what a round
//! needs. A story ends with [`World::stop`], which asserts that nothing is left behind.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tonic::Status;
use tonic::transport::Channel;
use wim_match::api::convert::profile::message_of_draft;
use wim_match::api::proto::v1;
use wim_match::api::proto::v1::import_profiles_request::Content as Ask;
use wim_match::api::proto::v1::import_profiles_response::Content as Answer;
use wim_match::client::{Client, connect};
use wim_match::clock::Clock;
use wim_match::config::{Config, Overrides};
use wim_match::demo::alliance::Alliance;
use wim_match::domain::caller::Caller;
use wim_match::domain::grant::{GrantDraft, Role};
use wim_match::domain::name::{OrganisationId, ProfileRef};
use wim_match::domain::profile::{ConsentDraft, MenteeRequestDraft, MentorOfferDraft, ProfileDraft};
use wim_match::server::{Listeners, Server};
use wim_match::service::{Change, PageRequest};
use wim_match::store::Scope;

use crate::fixed_clock::FixedClock;
use crate::postgres::{Postgres, past_the_policies, postgres};

/// Emits every story for both databases.
macro_rules! on_both_databases {
    ($($story:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                super::$story($crate::world::World::sqlite().await).await;
            })+
        }

        mod postgresql {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                // Without PostgreSQL, `postgres` has said so aloud.
                if let Some(world) = $crate::world::World::postgresql().await {
                    super::$story(world).await;
                }
            })+
        }
    };
}

pub(crate) use on_both_databases;

/// Rows per message of an import.
const ROWS_PER_MESSAGE: usize = 250;

/// A running service and the means to call it.
pub(crate) struct World {
    server: Server,
    channel: Channel,
    coordinator: String,
    secretariat: String,
    clock: Arc<FixedClock>,
    database: String,
    // Removed when the story ends.
    home: Option<TempDir>,
}

/// A manager's clients, and what she manages.
pub(crate) struct Manager {
    pub(crate) client: Client,
    pub(crate) organisation: OrganisationId,
    pub(crate) token: String,
}

impl World {
    /// Over a fresh SQLite file.
    pub(crate) async fn sqlite() -> Self {
        Self::sqlite_with(|_| {}).await
    }

    /// With other settings than the defaults.
    pub(crate) async fn sqlite_with(change: impl FnOnce(&mut Config)) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let database = format!("sqlite:{}", home.path().join("wim.sqlite3").display());
        Self::over_with(database, Some(home), clock(), change).await
    }

    /// Over a SQLite file that is there already.
    pub(crate) async fn sqlite_at(file: &std::path::Path) -> Self {
        Self::over(format!("sqlite:{}", file.display()), None, clock(), true).await
    }

    /// Over a fresh database of the tests' PostgreSQL, where there is one.
    pub(crate) async fn postgresql() -> Option<Self> {
        let url =
            tokio::task::spawn_blocking(|| postgres().map(Postgres::migrated)).await.expect("a database");
        Some(Self::over(url?, None, clock(), true).await)
    }

    /// The same, as behind a pooler that gives a connection to another client after each transaction.
    pub(crate) async fn pooled() -> Option<Self> {
        let url =
            tokio::task::spawn_blocking(|| postgres().map(Postgres::migrated)).await.expect("a database");
        Some(Self::over(url? + "&pooler=transaction", None, clock(), true).await)
    }

    async fn over(database: String, home: Option<TempDir>, clock: Arc<FixedClock>, worker: bool) -> Self {
        Self::over_with(database, home, clock, |config| config.worker = worker).await
    }

    async fn over_with(
        database: String,
        home: Option<TempDir>,
        clock: Arc<FixedClock>,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let overrides = Overrides {
            listen: Some("127.0.0.1:0".to_owned()),
            database: Some(database.clone()),
            ..Overrides::default()
        };
        // A story has one caller who does the work of many.
        let mut config = Config::load(&overrides).expect("a good configuration").without_rates();
        config.console_token_sign_in = true;
        change(&mut config);
        let bind = || TcpListener::bind("127.0.0.1:0");
        let listeners = Listeners {
            calls: bind().await.expect("a free port"),
            monitoring: Some(bind().await.expect("a free port")),
            console: Some(bind().await.expect("a free port")),
        };
        let clock_of_server = Arc::clone(&clock) as Arc<dyn Clock>;
        let server = Server::start_with(config, listeners, "test", clock_of_server).await;
        let server = server.expect("the server starts");
        let channel = connect(&format!("http://{}", server.address())).await.expect("connects");
        let coordinator = server.service().issue_token(&Role::Coordinator, "test").await.expect("a token");
        let secretariat = server.service().issue_token(&Role::Secretariat, "test").await.expect("a token");
        Self { server, channel, coordinator, secretariat, clock, database, home }
    }

    /// Stops the server and starts another over the same database.
    pub(crate) async fn restart(self) -> Self {
        self.restart_with(true).await
    }
    /// The new server executes no runs: they stay queued.
    pub(crate) async fn restart_without_worker(self) -> Self {
        self.restart_with(false).await
    }

    /// A second server over the same database, which executes runs.
    pub(crate) async fn replica(&self) -> Self {
        Self::over(self.database.clone(), None, Arc::clone(&self.clock), true).await
    }

    async fn restart_with(self, worker: bool) -> Self {
        let Self { server, channel, clock, database, home, .. } = self;
        drop(channel);
        server.stop().await.expect("the server stops");
        Self::over(database, home, clock, worker).await
    }

    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    pub(crate) fn channel(&self) -> &Channel {
        &self.channel
    }

    pub(crate) fn coordinator_token(&self) -> &str {
        &self.coordinator
    }

    /// The folder of a SQLite database.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.home.as_ref().expect("is SQLite").path()
    }

    pub(crate) fn clock(&self) -> &FixedClock {
        &self.clock
    }

    /// A coordinator of the working group.
    pub(crate) fn coordinator(&self) -> Client {
        self.client(Some(&self.coordinator))
    }

    /// The Secretariat.
    pub(crate) fn secretariat(&self) -> Client {
        self.client(Some(&self.secretariat))
    }

    /// Somebody with a token that may be none.
    pub(crate) fn client(&self, token: Option<&str>) -> Client {
        Client::new(&self.channel, token).expect("a client")
    }

    /// Registers an organisation, and gives its manager.
    pub(crate) async fn manager(&self, id: &str) -> Manager {
        self.manager_of(id, v1::OrganisationRules::default()).await
    }

    pub(crate) async fn manager_of(&self, id: &str, rules: v1::OrganisationRules) -> Manager {
        let request = v1::CreateOrganisationRequest {
            organisation_id: id.to_owned(),
            organisation: Some(v1::Organisation {
                display_name: format!("Organisation {id}"),
                country: "PE".to_owned(),
                ..v1::Organisation::default()
            }),
            request_id: String::new(),
            validate_only: false,
        };
        self.secretariat().organisations.create_organisation(request).await.expect("is registered");
        let organisation: OrganisationId = id.parse().expect("an id");
        let role = Role::OrganisationManager(organisation.clone());
        let token = self.server.service().issue_token(&role, "test").await.expect("a token");
        let client = self.client(Some(&token));
        if rules != v1::OrganisationRules::default() {
            client.set_rules(&organisation, rules).await.expect("her own rules");
        }
        Manager { client, organisation, token }
    }

    /// The principal of a client, by her own word.
    pub(crate) async fn who_is(&self, client: &Client) -> v1::Principal {
        let answer = client.admin.clone().who_am_i(v1::WhoAmIRequest {}).await.expect("is known");
        answer.into_inner().principal.expect("a principal")
    }

    /// Somebody with these roles, each as `role` or `role@organisation`.
    pub(crate) async fn caller(&self, roles: &[&str]) -> (Client, v1::Principal) {
        let (operator, service) = (Caller::operator(), self.server.service());
        let mut roles = roles.iter().map(|role| role.parse::<Role>().expect("a role"));
        let first = roles.next().expect("a role");
        let token = service.issue_token(&first, "test").await.expect("a token");
        let client = self.client(Some(&token));
        let principal = self.who_is(&client).await;
        for role in roles {
            let organisation = role.organisation().map(OrganisationId::name).unwrap_or_default();
            let draft = GrantDraft { role: role.as_str().to_owned(), organisation, ..GrantDraft::default() };
            let granted =
                Box::pin(service.create_grant(&operator, &principal.name, &draft, Change::default()));
            granted.await.expect("is granted");
        }
        (client, principal)
    }

    /// A person with a role of the alliance. A token that the service issues by itself is that of a program.
    pub(crate) async fn person(&self, handle: &str, role: v1::Role) -> Client {
        let mut admin = self.secretariat().admin;
        let principal = v1::Principal {
            handle: handle.to_owned(),
            kind: v1::PrincipalKind::Person.into(),
            ..v1::Principal::default()
        };
        let request = v1::CreatePrincipalRequest { principal: Some(principal), ..Default::default() };
        let created = admin.create_principal(request).await.expect("is created").into_inner().principal;
        let parent = created.expect("a principal").name;
        let grant = Some(v1::Grant { role: role.into(), ..v1::Grant::default() });
        let request = v1::CreateGrantRequest { parent: parent.clone(), grant, ..Default::default() };
        admin.create_grant(request).await.expect("is granted");
        let credential = Some(v1::Credential::default());
        let request = v1::CreateCredentialRequest { parent, credential, ..Default::default() };
        let token = admin.create_credential(request).await.expect("is created").into_inner().token;
        self.client(Some(&token))
    }

    /// Opens a round with the default policy.
    pub(crate) async fn open_round(&self, id: &str) -> v1::Round {
        self.open(id, round_message()).await
    }

    /// Opens a round with a policy of its own.
    pub(crate) async fn open_round_with(&self, id: &str, policy: v1::Policy) -> v1::Round {
        self.open(id, v1::Round { policy: Some(policy), ..round_message() }).await
    }

    /// Opens a round for some organisations, with the default policy.
    pub(crate) async fn open_round_for(&self, id: &str, invited: &[&Manager]) -> v1::Round {
        let organisations = invited.iter().map(|manager| manager.name()).collect();
        self.open(id, v1::Round { organisations, all_members: false, ..round_message() }).await
    }

    async fn open(&self, id: &str, round: v1::Round) -> v1::Round {
        let request = v1::CreateRoundRequest {
            round_id: id.to_owned(),
            round: Some(round),
            request_id: String::new(),
            validate_only: false,
        };
        let opened = self.coordinator().rounds.create_round(request).await.expect("is opened").into_inner();
        opened.round.expect("a round")
    }

    /// Changes the SQLite database past the service, as somebody with access to the file could.
    pub(crate) async fn execute(&self, statement: &'static str) {
        let mut connection = SqliteConnection::connect(&self.database).await.expect("connects");
        sqlx::query(statement).execute(&mut connection).await.expect("executes");
        connection.close().await.expect("closes");
    }

    /// Changes either database past the service.
    pub(crate) async fn change(&self, statement: &'static str) {
        if self.home.is_some() {
            return self.execute(statement).await;
        }
        let mut connection =
            PgConnection::connect(&past_the_policies(&self.database)).await.expect("connects");
        sqlx::query(statement).execute(&mut connection).await.expect("executes");
        connection.close().await.expect("closes");
    }

    /// All rows of all tables, as text, without those by which readiness tries whether writing works, and without the seals of
    /// the journal, which come later than its entries.
    pub(crate) async fn dump(&self) -> Vec<String> {
        // What was written before is sealed now, and not between two dumps.
        self.server().service().seal_audit().await.expect("seals");
        let mut dumped: Vec<String> = Vec::new();
        if self.home.is_some() {
            let columns = "SELECT 'SELECT ' || quote(m.name) || group_concat(' || '' '' || quote(' || c.name || ')', '') \
                || ' FROM ' || m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c \
                WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' \
                AND m.name NOT IN ('write_probe', 'journal_head') \
                AND NOT (m.name = 'journal' AND c.name IN ('position', 'hash')) GROUP BY m.name";
            let mut connection = SqliteConnection::connect(&self.database).await.expect("connects");
            let tables: Result<Vec<String>, _> = sqlx::query_scalar(columns).fetch_all(&mut connection).await;
            for table in tables.expect("lists tables") {
                let rows = sqlx::query_scalar(AssertSqlSafe(table)).fetch_all(&mut connection).await;
                dumped.extend::<Vec<String>>(rows.expect("reads a table"));
            }
            connection.close().await.expect("closes");
        } else {
            let tables = "SELECT format('SELECT %L || (to_jsonb(t) - ''position'' - ''hash'')::text FROM %I t', \
                tablename, tablename) FROM pg_tables WHERE schemaname = 'public' \
                AND tablename NOT IN ('write_probe', 'journal_head')";
            let mut connection =
                PgConnection::connect(&past_the_policies(&self.database)).await.expect("connects");
            let tables: Result<Vec<String>, _> = sqlx::query_scalar(tables).fetch_all(&mut connection).await;
            for table in tables.expect("lists tables") {
                let rows = sqlx::query_scalar(AssertSqlSafe(table)).fetch_all(&mut connection).await;
                dumped.extend::<Vec<String>>(rows.expect("reads a table"));
            }
            connection.close().await.expect("closes");
        }
        assert!(dumped.len() > 2, "tables were read: {dumped:?}");
        dumped.sort_unstable();
        dumped
    }

    /// Asserts that no file of a SQLite database contains a text.
    pub(crate) fn holds_nowhere(&self, text: &str) {
        let Some(home) = &self.home else { return };
        let mut read = 0;
        for entry in std::fs::read_dir(home.path()).expect("a folder") {
            let bytes = std::fs::read(entry.expect("an entry").path()).expect("a file");
            assert!(!bytes.windows(text.len()).any(|part| part == text.as_bytes()), "`{text}` was written");
            read += bytes.len();
        }
        assert!(read > 0);
    }

    /// Asserts that no file of a PostgreSQL database contains a text. The log of the server is not of the database.
    pub(crate) async fn holds_nowhere_on_the_server(&self, text: &str) {
        if self.home.is_some() {
            return;
        }
        let url = past_the_policies(&self.database);
        let mut connection = PgConnection::connect(&url).await.expect("connects");
        let folder = "SELECT current_setting('data_directory') || '/base/' || oid FROM pg_database \
            WHERE datname = current_database()";
        let folder: String = sqlx::query_scalar(folder).fetch_one(&mut connection).await.expect("a folder");
        connection.close().await.expect("closes");
        let mut read = 0;
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let Ok(bytes) = std::fs::read(entry.expect("an entry").path()) else { continue };
            assert!(!bytes.windows(text.len()).any(|part| part == text.as_bytes()), "`{text}` was written");
            read += bytes.len();
        }
        assert!(read > 0);
    }

    /// Registers every organisation of an alliance; each manager brings her members in and enrols them. Answers whom the
    /// enrolment has refused.
    pub(crate) async fn bring_in(
        &self,
        alliance: &Alliance,
        round: &str,
    ) -> (Vec<Manager>, Vec<v1::RefusedEnrolment>) {
        let (mut managers, mut refused) = (Vec::new(), Vec::new());
        for organisation in &alliance.organisations {
            let rules = v1::OrganisationRules {
                same_organisation_only: organisation.draft.same_organisation_only,
                excluded_organisations: organisation.draft.excluded_organisations.clone(),
                ..v1::OrganisationRules::default()
            };
            managers.push(self.manager_of(organisation.id.as_str(), rules).await);
        }
        for (at, manager) in managers.iter_mut().enumerate() {
            let people: Vec<ProfileDraft> = alliance.profiles_of(at).collect();
            let summary = manager.import(people).await;
            assert_eq!(summary.rejected, 0, "{}", manager.organisation);
            refused.extend(manager.enrol_all(round).await.refused);
        }
        (managers, refused)
    }

    pub(crate) async fn start_run(&self, round: &str) -> v1::Run {
        let request = v1::StartRunRequest {
            round: round.to_owned(),
            request_id: String::new(),
            validate_only: false,
            ..v1::StartRunRequest::default()
        };
        let started = self.coordinator().runs.start_run(request).await.expect("starts").into_inner();
        started.run.expect("a run")
    }

    /// Everything that a run told until it ended, the ended run last.
    pub(crate) async fn watch(&self, run: &str) -> Vec<v1::Run> {
        let request = v1::WatchRunRequest { name: run.to_owned() };
        let whole = wim_match::clock::Stopwatch::start();
        let mut told = self.coordinator().runs.watch_run(request).await.expect("watches").into_inner();
        let mut runs = Vec::new();
        while let Some(answer) = told.message().await.expect("the watch ends well") {
            runs.push(answer.run.expect("a run"));
        }
        let most = whole.elapsed().as_millis() / 20 + 2;
        assert!(runs.len() as u128 <= most, "{} messages in {:?}: a flood", runs.len(), whole.elapsed());
        runs
    }

    /// Waits until the engine is at a run.
    pub(crate) async fn until_solving(&self, run: &str) {
        let request = v1::WatchRunRequest { name: run.to_owned() };
        let mut told = self.coordinator().runs.watch_run(request).await.expect("watches").into_inner();
        loop {
            let told = told.message().await.expect("the watch goes on").expect("the run goes on");
            let run = told.run.expect("a run");
            assert!(!is_final(&run), "the run ended before it could be interrupted: {:?}", run.state());
            if run.progress.is_some_and(|progress| progress.stage() >= v1::RunStage::Score) {
                return;
            }
        }
    }

    pub(crate) async fn cancel(&self, run: &str) -> v1::Run {
        let request =
            v1::CancelRunRequest { name: run.to_owned(), request_id: String::new(), validate_only: false };
        let cancelled = self.coordinator().runs.cancel_run(request).await.expect("is cancelled").into_inner();
        cancelled.run.expect("a run")
    }

    /// A run of a round, from its start to its end.
    pub(crate) async fn run_to_the_end(&self, round: &str) -> v1::Run {
        let run = self.start_run(round).await;
        self.watch(&run.name).await.pop().expect("an ended run")
    }

    /// Stops the server, after asserting that no run is under way and that no import left rows behind.
    pub(crate) async fn stop(self) {
        let caller = Caller { principal: "the end of a story".to_owned(), roles: vec![Role::Coordinator] };
        let (service, first) = (self.server.service(), PageRequest { size: 1_000, token: String::new() });
        let rounds = Box::pin(service.list_rounds(&caller, &first)).await;
        for round in rounds.expect("lists rounds").items {
            let runs = Box::pin(service.list_runs(&caller, &round.id.name(), &first)).await;
            for run in runs.expect("lists runs").items {
                assert!(run.state.is_final(), "{} is left {}", run.name, run.state.as_str());
            }
        }
        let later = self.clock.now() + jiff::SignedDuration::from_hours(1);
        let left = Box::pin(service.store().purge_stale_imports(&Scope::System, later)).await;
        assert_eq!(left.expect("asks for imports"), 0, "imports left behind");
        drop(self.channel);
        Box::pin(self.server.stop()).await.expect("the server stops");
    }
}

/// All matches of a run that a caller sees, page by page.
pub(crate) async fn matches(client: &mut Client, run: &str, page_size: i32) -> Vec<v1::Match> {
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListMatchesRequest {
            parent: run.to_owned(),
            page_size,
            page_token,
            view: v1::MatchView::Full.into(),
            ..v1::ListMatchesRequest::default()
        };
        let page = client.runs.list_matches(request).await.expect("lists matches").into_inner();
        all.extend(page.matches);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return all;
        }
    }
}

/// Everybody without a match whom a caller sees, page by page.
pub(crate) async fn unmatched(client: &mut Client, run: &str, page_size: i32) -> Vec<v1::Unmatched> {
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListUnmatchedRequest {
            parent: run.to_owned(),
            page_size,
            page_token,
            ..v1::ListUnmatchedRequest::default()
        };
        let page = client.runs.list_unmatched(request).await.expect("lists the unmatched").into_inner();
        all.extend(page.unmatched);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return all;
        }
    }
}

impl Manager {
    pub(crate) fn name(&self) -> String {
        self.organisation.name()
    }

    /// The resource name of one of her members.
    pub(crate) fn member(&self, id: &str) -> String {
        let id = id.parse().expect("an own id");
        ProfileRef { organisation: self.organisation.clone(), id }.name()
    }

    /// Brings people in; every one of them must be right.
    pub(crate) async fn import(&mut self, people: Vec<ProfileDraft>) -> v1::ImportSummary {
        let imported = send(&mut self.client, import_of(&self.organisation, people)).await.expect("imports");
        assert_eq!(imported.rejected, [], "nobody is rejected");
        imported.summary.expect("a summary")
    }

    pub(crate) async fn enrol(&mut self, round: &str, ids: &[&str]) -> v1::EnrolProfilesResponse {
        let request = v1::EnrolProfilesRequest {
            round: round.to_owned(),
            organisation: self.name(),
            profiles: ids.iter().map(|id| self.member(id)).collect(),
            all_profiles: ids.is_empty(),
            ..v1::EnrolProfilesRequest::default()
        };
        self.client.rounds.enrol_profiles(request).await.expect("enrols").into_inner()
    }

    /// All enrolments of her organisation in a round, by profile.
    pub(crate) async fn enrolments(&mut self, round: &str) -> Vec<v1::Enrolment> {
        let (parent, page_size) = (round.to_owned(), 1_000);
        let request = v1::ListEnrolmentsRequest { parent, page_size, ..Default::default() };
        self.client.rounds.list_enrolments(request).await.expect("lists").into_inner().enrolments
    }

    pub(crate) async fn enrol_all(&mut self, round: &str) -> v1::EnrolProfilesResponse {
        self.enrol(round, &[]).await
    }
}

/// What an import answered.
#[derive(Debug)]
pub(crate) struct Imported {
    pub(crate) rejected: Vec<v1::RejectedRow>,
    pub(crate) warnings: Vec<v1::RowWarning>,
    pub(crate) summary: Option<v1::ImportSummary>,
}

/// Sends the messages of an import and reads everything it answers.
pub(crate) async fn send(
    client: &mut Client,
    messages: Vec<v1::ImportProfilesRequest>,
) -> Result<Imported, Status> {
    let mut answers = client.profiles.import_profiles(tokio_stream::iter(messages)).await?.into_inner();
    let mut imported = Imported { rejected: Vec::new(), warnings: Vec::new(), summary: None };
    while let Some(answer) = answers.message().await? {
        match answer.content.expect("an answer says something") {
            Answer::RejectedRow(row) => imported.rejected.push(row),
            Answer::Summary(summary) => imported.summary = Some(summary),
            Answer::Warning(warning) => imported.warnings.push(warning),
            Answer::Progress(_) => {}
        }
    }
    Ok(imported)
}

/// A whole import; rows are numbered from 2 as in a file with a header.
pub(crate) fn import_of(
    organisation: &OrganisationId,
    people: Vec<ProfileDraft>,
) -> Vec<v1::ImportProfilesRequest> {
    let number = i64::try_from(people.len()).expect("few");
    let header = v1::ImportHeader { parent: organisation.name(), ..v1::ImportHeader::default() };
    let mut messages = vec![header_message(header)];
    let rows: Vec<v1::ImportRow> =
        people.into_iter().zip(2..).map(|(draft, row)| row_of(row, draft)).collect();
    messages.extend(rows.chunks(ROWS_PER_MESSAGE).map(|part| rows_message(part.to_vec())));
    messages.push(end_message(number));
    messages
}

pub(crate) fn header_message(header: v1::ImportHeader) -> v1::ImportProfilesRequest {
    v1::ImportProfilesRequest { content: Some(Ask::Header(header)) }
}

pub(crate) fn rows_message(rows: Vec<v1::ImportRow>) -> v1::ImportProfilesRequest {
    v1::ImportProfilesRequest { content: Some(Ask::Rows(v1::ImportRows { rows })) }
}

pub(crate) fn end_message(rows: i64) -> v1::ImportProfilesRequest {
    v1::ImportProfilesRequest { content: Some(Ask::End(v1::ImportEnd { rows })) }
}

pub(crate) fn row_of(row: i64, draft: ProfileDraft) -> v1::ImportRow {
    v1::ImportRow { row, profile: Some(message_of_draft(draft)), unreadable: false }
}

/// A consultation of two questions in two languages, whose deadline no test clock reaches by itself.
pub(crate) fn consultation_message() -> v1::Consultation {
    let text = |tag: &str, text: &str| v1::ConsultationLabel {
        language_code: tag.to_owned(),
        text: text.to_owned(),
    };
    let option = |id: &str, en: &str, es: &str| v1::ConsultationOption {
        option_id: id.to_owned(),
        texts: vec![text("en", en), text("es", es)],
    };
    let title = |tag: &str, title: &str| v1::ConsultationText {
        language_code: tag.to_owned(),
        title: title.to_owned(),
        paragraphs: vec![title.to_owned()],
    };
    let fee = v1::ConsultationQuestion {
        question_id: "fee".to_owned(),
        kind: v1::QuestionKind::Single.into(),
        texts: vec![text("en", "Shall there be a fee?"), text("es", "¿Debe haber una cuota?")],
        options: vec![option("yes", "Yes", "Sí"), option("no", "No", "No")],
    };
    let topics = v1::ConsultationQuestion {
        question_id: "topics".to_owned(),
        kind: v1::QuestionKind::Multiple.into(),
        texts: vec![text("en", "Which topics come first?"), text("es", "¿Qué temas van primero?")],
        options: vec![option("safety", "Safety", "Seguridad"), option("data", "Data", "Datos")],
    };
    v1::Consultation {
        texts: vec![title("en", "First quarter"), title("es", "Primer trimestre")],
        questions: vec![fee, topics],
        deadline: Some(prost_types::Timestamp { seconds: 4_000_000_000, nanos: 0 }),
        result_grouping: v1::ResultGrouping::ByOrganisation.into(),
        ..v1::Consultation::default()
    }
}

pub(crate) fn round_message() -> v1::Round {
    v1::Round {
        display_name: "First round".to_owned(),
        start_date: "2027-02-01".to_owned(),
        end_date: "2027-07-31".to_owned(),
        all_members: true,
        ..v1::Round::default()
    }
}

/// A member who has answered what she must, consents to matching, and has no role yet.
pub(crate) fn member(id: &str) -> ProfileDraft {
    ProfileDraft {
        name: format!("profiles/{id}"),
        country: "PE".to_owned(),
        time_zone: "America/Lima".to_owned(),
        languages: vec![("es".to_owned(), 7), ("en".to_owned(), 5)],
        career_stage: "professional".to_owned(),
        consents: vec![ConsentDraft {
            purpose: 1,
            text_version: "2026-1".to_owned(),
            language: "es".to_owned(),
            give_time: Some("2026-10-02T14:05:00Z".parse().expect("a moment")),
            withdraw_time: None,
        }],
        ..ProfileDraft::default()
    }
}

pub(crate) fn mentor(id: &str, places: i32) -> ProfileDraft {
    let offer = MentorOfferDraft {
        max_mentees: Some(places),
        topics: vec!["leadership".to_owned()],
        min_mentees: None,
    };
    ProfileDraft { career_stage: "senior_manager".to_owned(), mentor_offer: Some(offer), ..member(id) }
}

pub(crate) fn mentee(id: &str) -> ProfileDraft {
    let request =
        MenteeRequestDraft { topics: vec!["leadership".to_owned()], ..MenteeRequestDraft::default() };
    ProfileDraft { mentee_request: Some(request), ..member(id) }
}

pub(crate) fn is_final(run: &v1::Run) -> bool {
    matches!(run.state(), v1::RunState::Succeeded | v1::RunState::Failed | v1::RunState::Cancelled)
}

/// Ends what should have ended long ago.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_mins(1), what).await.expect("it ends within a minute")
}

fn clock() -> Arc<FixedClock> {
    Arc::new(FixedClock::at("2027-01-10T12:00:00Z".parse().expect("a moment")))
}
