//! Texts of callers, each a canary of its own, through every string field of every method, in good calls and bad ones, and
//! in headers: none of them is in the log, in a span, in a metric or in a line that a collector receives.

use bytes::{Buf as _, BufMut as _, Bytes};
use prost_reflect::prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, Kind, MessageDescriptor, Value};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Request, Status};
use wim_match::api::proto::{DESCRIPTORS, v1};
use wim_match::client::connect;
use wim_match::domain::profile::ProfileDraft;

use super::collector::Collector;
use super::process::Process;
use super::{run_to_the_end, start};
use crate::call::{Target, call, is_absent, is_stale, methods};
use crate::world::{mentee, mentor, round_message, soon};

const MARK: &str = "canary7e57";
/// Depth of the messages that are filled.
const DEPTH: usize = 7;

/// Makes canaries, each with a number of its own.
#[derive(Default)]
struct Canaries(usize);

impl Canaries {
    fn next(&mut self) -> String {
        self.0 += 1;
        format!("{MARK}-{:05}", self.0)
    }
}

/// A way to a string field: the numbers of the fields from the request on.
type Way = Vec<u32>;

fn ways(message: &MessageDescriptor, depth: usize) -> Vec<Way> {
    let mut found = Vec::new();
    for field in message.fields() {
        match field.kind() {
            Kind::String => found.push(vec![field.number()]),
            Kind::Message(inner) if depth > 1 => {
                found.extend(
                    ways(&inner, depth - 1).into_iter().map(|way| [&[field.number()], &way[..]].concat()),
                );
            }
            _ => {}
        }
    }
    found
}

/// A message with `text` at the end of `way`. Names that lead to people and rounds are good elsewhere, so that a call gets
/// further than to its first check.
fn filled(message: &MessageDescriptor, way: &[u32], text: &str, target: &Target) -> DynamicMessage {
    let mut made = DynamicMessage::new(message.clone());
    for field in message.fields() {
        let good = match field.name() {
            "parent" | "organisation" => &target.organisation,
            "round" => &target.round,
            "run" => &target.run,
            "mentee" => &target.mentee,
            "mentor" => &target.mentor,
            _ => continue,
        };
        if field.kind() == Kind::String && !field.is_list() {
            made.set_field(&field, Value::String(good.clone()));
        }
    }
    let field = message.get_field(way[0]).expect("a field of the way");
    let value = match (field.kind(), &way[1..]) {
        (Kind::Message(inner), rest @ [_, ..]) => Value::Message(filled(&inner, rest, text, target)),
        _ => Value::String(text.to_owned()),
    };
    if field.is_map() {
        let Value::Message(entry) = &value else { panic!("an entry of a map") };
        let Kind::Message(kind) = field.kind() else { panic!("an entry of a map") };
        let part = |name| entry.get_field(&kind.get_field_by_name(name).expect("a part")).into_owned();
        let key = match part("key") {
            Value::String(key) => prost_reflect::MapKey::String(key),
            Value::I32(key) => prost_reflect::MapKey::I32(key),
            other => panic!("a key {other:?}"),
        };
        made.set_field(&field, Value::Map([(key, part("value"))].into()));
    } else if field.is_list() {
        made.set_field(&field, Value::List(vec![value]));
    } else {
        made.set_field(&field, value);
    }
    made
}

/// Messages as bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}

/// Sends one message to a method, with headers, and reads the answer to its end, whatever it says.
async fn post(channel: &Channel, path: &str, message: Bytes, headers: &[(&'static str, String)]) {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.expect("is connected");
    let mut request = Request::new(tokio_stream::once(message));
    for (name, value) in headers {
        let value: MetadataValue<Ascii> = value.parse().expect("a header");
        request.metadata_mut().append(*name, value);
    }
    let path = path.parse().expect("a path");
    if let Ok(answers) = soon(client.streaming(request, path, Raw)).await {
        let mut answers = answers.into_inner();
        while let Ok(Some(_)) = soon(answers.message()).await {}
    }
}

/// A person all of whose free answers are canaries.
fn marked(person: ProfileDraft, canaries: &mut Canaries) -> ProfileDraft {
    let mut next = || canaries.next();
    let name = person.name.replace("profiles/", &format!("profiles/{}-", next()));
    let elsewhere = |id: String| vec![format!("organisations/wim-elsewhere/profiles/{id}")];
    let mut consents = person.consents.clone();
    consents[0].text_version = next();
    ProfileDraft {
        name,
        employer: next(),
        reporting_line: elsewhere(next()),
        avoided: elsewhere(next()),
        previous_partners: elsewhere(next()),
        consents,
        ..person
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::too_many_lines, reason = "one story: what was sent, and where it must not be")]
async fn no_text_of_a_caller_leaves_with_the_telemetry() {
    let collector = Collector::start().await;
    let service = Process::start(&[
        ("OTLP_ENDPOINT", &collector.endpoint()),
        ("TRACE_PERCENT", "100"),
        ("LOG_FILTER", "info,wim_match=trace"),
    ]);
    let mut canaries = Canaries::default();
    // An organisation and a round with canaries for names, and good calls over people whose answers are canaries.
    let request = v1::CreateOrganisationRequest {
        organisation_id: "wim-named".to_owned(),
        organisation: Some(v1::Organisation {
            display_name: canaries.next(),
            country: "PE".to_owned(),
            ..v1::Organisation::default()
        }),
        ..v1::CreateOrganisationRequest::default()
    };
    service.coordinator().await.organisations.create_organisation(request).await.expect("is registered");
    let round = v1::Round { display_name: canaries.next(), ..round_message() };
    let request = v1::CreateRoundRequest {
        round_id: "named".to_owned(),
        round: Some(round),
        ..v1::CreateRoundRequest::default()
    };
    service.coordinator().await.rounds.create_round(request).await.expect("is opened");
    let mut manager = service.manager("wim-peru").await;
    let people: Vec<ProfileDraft> = [mentee("ana"), mentor("xan", 2), mentee("bea")]
        .into_iter()
        .map(|person| marked(person, &mut canaries))
        .collect();
    let names: Vec<String> =
        people.iter().map(|person| format!("organisations/wim-peru/{}", person.name)).collect();
    service.enrol("r", &mut manager, "wim-peru", people).await;
    let mut coordinator = service.coordinator().await;
    let run = soon(run_to_the_end(&mut coordinator, Request::new(start("r")))).await;
    let target = Target {
        organisation: "organisations/wim-peru".to_owned(),
        round: "rounds/r".to_owned(),
        round_to_run: "rounds/r".to_owned(),
        run: run.name,
        profile: names[0].clone(),
        mentee: names[0].clone(),
        mentor: names[1].clone(),
        ..Target::default()
    };
    let target = target.with_erasure_by(&manager).await.with_principal_of(&manager, &coordinator).await;
    let target = target.with_consultation_of(&coordinator).await;
    for method in methods() {
        let (one, other) =
            (call(&method, &manager, &target).await, call(&method, &coordinator, &target).await);
        let is_answered = |answer| is_stale(answer) || is_absent(&method, answer);
        assert!(
            one.is_ok() || other.is_ok() || is_answered(&other) || is_answered(&one),
            "{method}: {one:?}, {other:?}"
        );
    }

    // Each string field of each request, four kinds of texts, by both roles.
    let pool = DescriptorPool::decode(DESCRIPTORS).expect("descriptors");
    let token = std::fs::read_to_string(service.home.path().join("wim.db.first-token")).expect("a token");
    let other =
        service.admin(&["token", "create", "--role", "organisation-manager", "--organisation", "wim-peru"]);
    let channel = connect(&service.address).await.expect("connects");
    let ours = pool.services().filter(|service| service.full_name().starts_with("wim."));
    for method in ours.flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        for way in ways(&method.input(), DEPTH) {
            for form in 0..4 {
                let canary = canaries.next();
                let text = match form {
                    0 => canary,
                    1 => format!("organisations/{canary}/profiles/{canary}"),
                    2 => format!("rounds/{canary}/runs/1"),
                    _ => format!("{}\u{7}\"{canary}\n{}", "é".repeat(200), "x".repeat(200)),
                };
                let message = Bytes::from(filled(&method.input(), &way, &text, &target).encode_to_vec());
                let caller = if form == 1 { &other } else { token.trim() };
                let headers = [("authorization", format!("Bearer {caller}"))];
                post(&channel, &path, message, &headers).await;
            }
        }
    }
    assert!(canaries.0 >= 1_000, "{} canaries", canaries.0);

    // Headers, credentials, and methods that are none.
    let names = [
        "traceparent",
        "tracestate",
        "baggage",
        "user-agent",
        "x-forwarded-for",
        "x-other",
        "accept-language",
    ];
    for name in names {
        let headers =
            [("authorization", format!("Bearer {}", token.trim())), (name, format!("a={}", canaries.next()))];
        post(&channel, "/wim.mentorship.v1.RoundService/ListRounds", Bytes::new(), &headers).await;
    }
    let states = [
        ("authorization", format!("Bearer {}", token.trim())),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
        ("tracestate", format!("vendor={}", canaries.next())),
        ("baggage", format!("who={}", canaries.next())),
    ];
    post(&channel, "/wim.mentorship.v1.RoundService/ListRounds", Bytes::new(), &states).await;
    for credential in ["Bearer wimm_", "Basic ", ""] {
        let headers = [("authorization", format!("{credential}{}", canaries.next()))];
        post(&channel, "/wim.mentorship.v1.RoundService/ListRounds", Bytes::new(), &headers).await;
    }
    let headers = [("authorization", format!("Bearer {}", token.trim()))];
    post(&channel, &format!("/{}.Service/{}", canaries.next(), canaries.next()), Bytes::new(), &headers)
        .await;
    let undecodable = Bytes::from(format!("\u{a}\u{7f}{}", canaries.next()));
    post(&channel, "/wim.mentorship.v1.RoundService/GetRound", undecodable, &headers).await;
    let (_, scrape) = service.ask("GET", &format!("/{}", canaries.next()));
    let (_, metrics) = service.ask("GET", "/metrics");
    let request = v1::ListRoundsRequest::default();
    coordinator.rounds.list_rounds(request).await.expect("the service still answers");
    let (ended, log) = service.stop();
    assert!(ended.success(), "{log}");

    let received = String::from_utf8_lossy(&collector.received.bytes()).into_owned();
    assert!(collector.received.spans().len() > 1_000 && !collector.received.metrics().is_empty());
    assert!(collector.received.lines().len() > 1_000, "the log was sent");
    for (place, text) in [("log", &log), ("collector", &received), ("metrics", &metrics), ("answer", &scrape)]
    {
        let found = text.match_indices(MARK).next().map(|(at, _)| {
            let from = text[..at].char_indices().rev().nth(300).map_or(0, |(at, _)| at);
            let to = text[at..].char_indices().nth(80).map_or(text.len(), |(to, _)| at + to);
            text[from..to].to_owned()
        });
        assert_eq!(found, None, "a canary is in the {place}");
    }
    for token in [token.trim(), &other] {
        assert!(!log.contains(&token[5..]) && !received.contains(&token[5..]), "a token");
    }
}
