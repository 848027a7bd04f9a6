//! Work of every kind for a process, so that every metric has something to tell: whole rounds, runs that succeed, fail and are
//! cancelled, imports with wrong rows, calls that are refused, external problems.

use sqlx::{Connection as _, SqliteConnection};
use tonic::Code;
use tonic::client::Grpc;
use tonic_prost::ProstCodec;
use wim_match::api::proto::v1;
use wim_match::client::{Client, connect};
use wim_match::demo::alliance;
use wim_match::domain::profile::ProfileDraft;

use super::process::Process;
use super::{run_to_the_end, start};
use crate::call::{Target, call, methods};
use crate::refusal::refused;
use crate::world::{
    end_message, header_message, import_of, matches, mentee, round_message, row_of, rows_message, send, soon,
};

/// Makes the next run fail as one whose process has ended three times.
const BREAK: &str = "CREATE TRIGGER break_run AFTER INSERT ON run BEGIN UPDATE run SET attempt = 3 WHERE rowid = new.rowid; END";
const MEND: &str = "DROP TRIGGER break_run";
/// Makes the database refuse new rounds, and an organisation unreadable: defects, which are failures of the service.
const REFUSE: &str = "CREATE TRIGGER break_round BEFORE INSERT ON round BEGIN SELECT RAISE(ABORT, 'broken'); END; \
    UPDATE organisation SET rules = 'x' || rules";
const TAKE: &str = "DROP TRIGGER break_round; UPDATE organisation SET rules = substr(rules, 2)";
/// As many failures of each kind as it takes to alert.
const FAILURES: usize = 10;

/// The sample alliance in the round `r`, with a run that has succeeded.
pub(super) struct Load {
    coordinator: Client,
    managers: Vec<(String, Client)>,
    database: String,
    channel: tonic::transport::Channel,
    token: String,
    run: String,
    matched: v1::Match,
}

impl Load {
    /// Brings the sample alliance in, with a third of its mentors: numbers of mentees without a match need many of them.
    pub(super) async fn begin(service: &Process) -> Self {
        let alliance = alliance::sample();
        let mut coordinator = service.coordinator().await;
        for round in ["r", "other"] {
            let request = v1::CreateRoundRequest {
                round_id: round.to_owned(),
                round: Some(round_message()),
                ..v1::CreateRoundRequest::default()
            };
            coordinator.rounds.create_round(request).await.expect("is opened");
        }
        let mut managers = Vec::new();
        for (at, organisation) in alliance.organisations.iter().enumerate() {
            let mut manager = service.manager(organisation.id.as_str()).await;
            let people = alliance.profiles_of(at).enumerate();
            let people = people.filter(|(number, person)| person.mentor_offer.is_none() || number % 3 == 0);
            let people: Vec<ProfileDraft> = people.map(|(_, person)| person).collect();
            let imported = send(&mut manager, import_of(&organisation.id, people)).await.expect("imports");
            assert_eq!(imported.rejected, []);
            for round in ["rounds/r", "rounds/other"] {
                let request = v1::EnrolProfilesRequest {
                    round: round.to_owned(),
                    organisation: organisation.id.name(),
                    all_profiles: true,
                    ..v1::EnrolProfilesRequest::default()
                };
                manager.rounds.enrol_profiles(request).await.expect("enrols");
            }
            managers.push((organisation.id.name(), manager));
        }
        let run = soon(run_to_the_end(&mut coordinator, tonic::Request::new(start("r")))).await;
        assert_eq!(run.state(), v1::RunState::Succeeded);
        let matched = matches(&mut coordinator, &run.name, 1_000).await.swap_remove(0);
        let database = format!("sqlite:{}", service.home.path().join("wim.db").display());
        let channel = soon(connect(&service.address)).await.expect("connects");
        let token = std::fs::read_to_string(service.home.path().join("wim.db.first-token")).expect("a token");
        let token = token.trim().to_owned();
        Self { coordinator, managers, database, channel, token, run: run.name, matched }
    }

    /// Work of every kind, once.
    pub(super) async fn work(&mut self) {
        let run = soon(run_to_the_end(&mut self.coordinator, tonic::Request::new(start("r")))).await;
        assert_eq!(run.state(), v1::RunState::Succeeded);
        self.call_everything().await;
        self.fail_a_run().await;
        self.fail_calls().await;
        self.be_refused().await;
    }

    /// A matched pair, and what belongs to it.
    fn target(&self) -> Target {
        Target {
            organisation: self.matched.mentee.split("/profiles/").next().unwrap_or_default().to_owned(),
            round: "rounds/r".to_owned(),
            round_to_run: "rounds/other".to_owned(),
            run: self.run.clone(),
            profile: self.matched.mentee.clone(),
            mentee: self.matched.mentee.clone(),
            mentor: self.matched.mentor.clone(),
            ..Target::default()
        }
    }

    /// Calls every method as one of the managers and as the coordinator, of whom one may do it.
    async fn call_everything(&self) {
        let target = self.target();
        let manager = self.managers.iter().find(|(name, _)| *name == target.organisation);
        for method in methods() {
            for client in [&manager.expect("a manager").1, &self.coordinator] {
                // What the other one hears is no matter here.
                let _ = soon(call(&method, client, &target)).await;
            }
        }
    }

    /// Changes the database past the service.
    async fn execute(&self, statements: &'static str) {
        let mut database = SqliteConnection::connect(&self.database).await.expect("connects");
        sqlx::raw_sql(statements).execute(&mut database).await.expect("executes");
        database.close().await.expect("closes");
    }

    async fn fail_calls(&mut self) {
        self.execute(REFUSE).await;
        let name = self.managers[0].0.clone();
        for _ in 0..FAILURES {
            let read = v1::GetOrganisationRequest { name: name.clone() };
            let read = self.coordinator.organisations.get_organisation(read).await;
            assert_eq!(refused(read), "INTERNAL");
            let written = call("RoundService/CreateRound", &self.coordinator, &self.target()).await;
            assert_eq!(refused(written), "INTERNAL");
        }
        self.execute(TAKE).await;
    }

    async fn fail_a_run(&mut self) {
        self.execute(BREAK).await;
        let run = soon(run_to_the_end(&mut self.coordinator, tonic::Request::new(start("other")))).await;
        assert_eq!(run.state(), v1::RunState::Failed);
        self.execute(MEND).await;
    }

    /// Wrong rows, a wrong token, a method that does not exist, an organisation that exists already.
    async fn be_refused(&mut self) {
        let (organisation, manager) = &mut self.managers[0];
        let header = v1::ImportHeader { parent: organisation.clone(), ..v1::ImportHeader::default() };
        let wrong = ProfileDraft { time_zone: "Mars/Olympus".to_owned(), ..mentee("wrong") };
        let messages = vec![header_message(header), rows_message(vec![row_of(2, wrong)]), end_message(1)];
        assert_eq!(send(manager, messages).await.expect("answers").rejected.len(), 1);

        let stranger = Client::new(&self.channel, Some("wimm_nobody")).expect("a client");
        let request = v1::ListRoundsRequest::default();
        assert_eq!(refused(stranger.rounds.clone().list_rounds(request).await), "UNAUTHENTICATED");

        let mut raw = Grpc::new(self.channel.clone());
        raw.ready().await.expect("is ready");
        let path = "/wim.mentorship.v1.RoundService/DeleteEverything".parse().expect("a path");
        let codec = ProstCodec::<v1::ListRoundsRequest, v1::ListRoundsResponse>::default();
        let mut request = tonic::Request::new(v1::ListRoundsRequest::default());
        let bearer = format!("Bearer {}", self.token).parse().expect("a header");
        request.metadata_mut().insert("authorization", bearer);
        let answer = raw.unary(request, path, codec).await;
        assert_eq!(answer.map(drop).map_err(|status| status.code()), Err(Code::Unimplemented));

        let id = organisation.split('/').next_back().unwrap_or_default().to_owned();
        let request = v1::CreateOrganisationRequest {
            organisation_id: id,
            organisation: Some(v1::Organisation {
                display_name: "Again".to_owned(),
                country: "PE".to_owned(),
                ..v1::Organisation::default()
            }),
            ..v1::CreateOrganisationRequest::default()
        };
        let again = self.coordinator.organisations.create_organisation(request).await;
        assert_eq!(refused(again), "ALREADY_EXISTS");
    }
}
