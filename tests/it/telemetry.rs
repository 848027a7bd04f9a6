//! What the log says, and what it must never say. The subscriber is the process's, so the whole of this binary's tests
//! is listened to from the moment this test begins.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer as _, fmt};
use wim_match::api::proto::v1;
use wim_match::domain::profile::ProfileDraft;

use crate::call::{Target, call, is_absent, is_stale, methods};
use crate::refusal::refused;
use crate::world::{World, end_message, header_message, mentee, mentor, row_of, rows_message, send, soon};

/// Everything logged so far.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    fn begin() -> Self {
        let log = Self::default();
        let shown: Targets = "info,wim_match=trace".parse().expect("a filter");
        let lines = fmt::layer().with_writer(log.clone()).json().flatten_event(true).with_filter(shown);
        let subscriber = tracing_subscriber::registry().with(lines);
        tracing::subscriber::set_global_default(subscriber).expect("nobody else listens");
        log
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()).expect("UTF-8")
    }
}

const CANARY: &str = "canary-7e57ab1e";

/// A person all of whose free answers are canaries.
fn marked(person: ProfileDraft, other: &str) -> ProfileDraft {
    let name = person.name.replace("profiles/", &format!("profiles/{CANARY}-"));
    let other = || vec![format!("organisations/wim-elsewhere/profiles/{CANARY}-{other}")];
    let mut consents = person.consents.clone();
    consents[0].text_version = format!("{CANARY}-text");
    ProfileDraft {
        name,
        employer: format!("{CANARY}-employer-{other:?}", other = person.name.len()),
        competitor_group: String::new(),
        reporting_line: other(),
        preferred: Vec::new(),
        avoided: other(),
        previous_partners: other(),
        consents,
        ..person
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_tells_of_every_call_and_of_nobody() {
    let log = Log::begin();
    let world = World::sqlite().await;
    let round = world.open_round("r").await.name;
    world.open_round("other").await;
    let mut peru = world.manager("wim-peru").await;
    let mut other_employer = marked(mentee("mentee"), "b");
    other_employer.employer = format!("{CANARY}-another-employer");
    peru.import(vec![marked(mentor("mentor", 1), "a"), other_employer]).await;
    peru.enrol_all(&round).await;
    peru.enrol_all("rounds/other").await;
    let run = soon(world.run_to_the_end(&round)).await;
    let member = |id: &str| peru.member(&format!("{CANARY}-{id}"));
    let target = Target {
        organisation: peru.name(),
        round,
        round_to_run: "rounds/other".to_owned(),
        run: run.name,
        profile: member("mentor"),
        mentee: member("mentee"),
        mentor: member("mentor"),
        ..Target::default()
    };
    let (secretariat, _) = world.caller(&["secretariat"]).await;
    let target = target.with_erasure_by(&peru.client).await;
    let target = target.with_principal_of(&peru.client, &secretariat).await;
    let target = target.with_consultation_of(&secretariat).await;
    for method in methods() {
        // One of them may do it; what the others hear is no matter here.
        let manager = call(&method, &peru.client, &target).await;
        let coordinator = call(&method, &world.coordinator(), &target).await;
        let third = call(&method, &secretariat, &target).await;
        let heard = [manager, coordinator, third];
        let is_answered =
            heard.iter().any(|answer| answer.is_ok() || is_stale(answer) || is_absent(&method, answer));
        assert!(is_answered, "{method}: {heard:?}");
    }
    provoke_refusals(&world, &peru.client, &peru.name()).await;
    let queued = soon(world.watch("rounds/other/runs/1")).await;
    assert_eq!(queued.last().map(v1::Run::state), Some(v1::RunState::Succeeded));
    let tokens = [world.coordinator_token().to_owned(), peru.token.clone()];
    world.stop().await;

    let text = log.text();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a JSON object per line")).collect();
    for method in methods() {
        let path = format!("wim.mentorship.v1.{method}");
        let answered = |line: &&serde_json::Value| {
            line["message"] == "call answered"
                && line["span"]["name"] == "rpc"
                && line["span"]["rpc.method"] == *path
        };
        let line = lines.iter().find(answered).unwrap_or_else(|| panic!("no line of {method}"));
        assert!(
            line["rpc.response.status_code"].is_string()
                && line["duration.micros"].is_u64() | line["duration.micros"].is_i64(),
            "{line}"
        );
        assert_eq!(line["span"]["rpc.system.name"], "grpc");
    }
    assert!(lines.iter().any(|line| line["message"] == "run ended" && line["end"] == "succeeded"));
    for secret in [CANARY, &tokens[0][5..], &tokens[1][5..]] {
        let told = text.lines().find(|line| line.contains(secret));
        assert_eq!(told, None, "the log tells `{secret}`");
    }
}

/// Calls that are refused with what they name.
async fn provoke_refusals(world: &World, client: &wim_match::client::Client, parent: &str) {
    let mut client = client.clone();
    let name = format!("{parent}/profiles/{CANARY}-nobody");
    let absent = client.profiles.get_profile(v1::GetProfileRequest { name }).await;
    assert_eq!(refused(absent), "NOT_FOUND");
    let request = v1::ListRoundsRequest { page_token: CANARY.to_owned(), ..v1::ListRoundsRequest::default() };
    assert_eq!(refused(client.rounds.list_rounds(request).await), "INVALID_PAGE_TOKEN");
    let stranger = world.client(Some(&format!("wimm_{CANARY}")));
    let request = v1::ListRoundsRequest::default();
    assert_eq!(refused(stranger.rounds.clone().list_rounds(request).await), "UNAUTHENTICATED");
    let header = v1::ImportHeader { parent: parent.to_owned(), ..v1::ImportHeader::default() };
    let bad = ProfileDraft { time_zone: format!("{CANARY}/zone"), ..mentee(&format!("{CANARY}-bad")) };
    let messages = vec![header_message(header), rows_message(vec![row_of(2, bad)]), end_message(1)];
    let told = send(&mut client, messages).await.expect("answers");
    assert_eq!(told.rejected.len(), 1);
}
