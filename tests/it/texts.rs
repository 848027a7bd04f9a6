//! Texts in every string field of every request: each is stored in normal form C of Unicode, or refused as the caller's mistake.
//! And the rules of fields that the protos state are kept.
//!
//! The fields are found in the descriptors, so that a new field is tested without a line here. Requests of methods that store
//! texts begin as good ones, so that a text gets as far as it can.

mod naughty;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use prost::Message as _;
use prost::bytes::{Buf as _, BufMut as _};
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, Value,
};
use tokio::task::JoinSet;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;
use unicode_normalization::is_nfc;
use wim_match::api::convert::profile::message_of_draft;
use wim_match::api::proto::{DESCRIPTORS, v1};
use wim_match::client::Client;

use self::naughty::{NUMBER, texts};
use crate::refusal::reason;
use crate::world::{
    World, end_message, header_message, mentee, mentor, on_both_databases, round_message, row_of,
    rows_message, soon,
};

on_both_databases! {
    a_text_in_any_field_is_stored_in_normal_form_or_refused,
    the_rules_of_the_protos_are_kept,
}

/// Every text of 512 is tried in each field by the test of all; the everyday test takes one of so many.
const ONE_OF: usize = 24;
/// Calls at a time.
const AT_ONCE: usize = 8;
/// The package of the contract.
const PACKAGE: &str = "wim.mentorship.v1";

fn pool() -> DescriptorPool {
    DescriptorPool::decode(DESCRIPTORS).expect("descriptors")
}

fn methods(pool: &DescriptorPool) -> Vec<MethodDescriptor> {
    let services = pool.services().filter(|service| service.package_name() == PACKAGE);
    services.flat_map(|service| service.methods().collect::<Vec<_>>()).collect()
}

/// The way to a field through the messages of a request.
type Path = Vec<FieldDescriptor>;

/// The ways to the fields that `wanted` accepts. A message within itself is entered once.
fn paths(message: &MessageDescriptor, wanted: &dyn Fn(&FieldDescriptor) -> bool) -> Vec<Path> {
    let (mut found, mut open) = (Vec::new(), vec![(Path::new(), message.clone())]);
    while let Some((path, message)) = open.pop() {
        for field in message.fields() {
            let mut longer = path.clone();
            longer.push(field.clone());
            if wanted(&field) {
                found.push(longer.clone());
            }
            if let Kind::Message(inner) = field.kind()
                && inner.package_name() == PACKAGE
                && !field.is_map()
                && !path.iter().any(|before| before.kind() == field.kind())
            {
                open.push((longer, inner));
            }
        }
    }
    found.sort_by_key(|path| name_of(path));
    found
}

fn name_of(path: &[FieldDescriptor]) -> String {
    path.iter().map(|field| field.name().to_owned()).collect::<Vec<_>>().join(".")
}

fn is_text(field: &FieldDescriptor) -> bool {
    field.kind() == Kind::String
}

/// Sets the field at the end of a path; lists get one element, or change their first.
fn set(message: &mut DynamicMessage, path: &[FieldDescriptor], value: &Value) {
    let (field, rest) = path.split_first().expect("a field");
    let present = message.get_field(field).into_owned();
    let of_inner = |inner: Option<DynamicMessage>| match field.kind() {
        Kind::Message(kind) if !rest.is_empty() => {
            let mut inner = inner.unwrap_or_else(|| DynamicMessage::new(kind));
            set(&mut inner, rest, value);
            Value::Message(inner)
        }
        _ => value.clone(),
    };
    let new = match present {
        Value::List(mut list) if !matches!(value, Value::List(_)) || !rest.is_empty() => {
            let first = list.first().and_then(|first| first.as_message().cloned());
            let element = of_inner(first);
            if list.is_empty() {
                list.push(element)
            } else {
                list[0] = element
            }
            Value::List(list)
        }
        Value::Message(inner) => of_inner(Some(inner)),
        _ => of_inner(None),
    };
    message.set_field(field, new);
}

/// Messages as bytes, both ways.
#[derive(Debug, Clone, Copy, Default)]
struct Bytes;

impl Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buf: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buf.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut bytes = vec![0; buf.remaining()];
        buf.copy_to_slice(&mut bytes);
        Ok(Some(bytes))
    }
}

/// Calls a method with these messages, and returns the first answer.
async fn call(
    world: &World,
    token: &str,
    method: &MethodDescriptor,
    messages: Vec<Vec<u8>>,
) -> Result<Vec<u8>, Status> {
    let mut grpc = tonic::client::Grpc::new(world.channel().clone());
    grpc.ready().await.map_err(|error| Status::unknown(error.to_string()))?;
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let path: PathAndQuery = path.parse().expect("a path");
    let mut request = Request::new(tokio_stream::iter(messages));
    let bearer = format!("Bearer {token}").parse().expect("a header");
    request.metadata_mut().insert("authorization", bearer);
    let answers = grpc.streaming(request, path, Bytes).await?;
    Ok(answers.into_inner().message().await?.unwrap_or_default())
}

/// A world with something of every kind, and a caller who may do everything.
struct Stage {
    world: World,
    token: String,
    principal: String,
    number: AtomicUsize,
}

impl Stage {
    async fn new(world: World) -> Self {
        let mut peru = world.manager("wim-peru").await;
        world.open_round("r").await;
        peru.import(vec![mentor("mentor", 1), mentee("mentee")]).await;
        peru.enrol_all("rounds/r").await;
        let service = world.server().service();
        let role = "secretariat".parse().expect("a role");
        let token = service.issue_token(&role, "test").await.expect("a token");
        let client = Client::new(world.channel(), Some(&token)).expect("a client");
        let principal = world.who_is(&client).await.name;
        for (role, organisation) in
            [(v1::Role::Coordinator, ""), (v1::Role::OrganisationManager, "organisations/wim-peru")]
        {
            let grant = v1::Grant {
                role: role.into(),
                organisation: organisation.to_owned(),
                ..v1::Grant::default()
            };
            let request = v1::CreateGrantRequest {
                parent: principal.clone(),
                grant: Some(grant),
                ..Default::default()
            };
            client.admin.clone().create_grant(request).await.expect("is granted");
        }
        Self { world, token, principal, number: AtomicUsize::new(0) }
    }

    /// A good request of a method that stores texts; an empty one of any other.
    fn base(&self, method: &str) -> Vec<u8> {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let (organisation, id) = ("organisations/wim-peru".to_owned(), format!("n{number}"));
        let slot = v1::WeeklySlot { day: 1, start_minute: Some(600), end_minute: 660 };
        let profile = v1::Profile { weekly_slots: vec![slot], ..message_of_draft(mentee("new")) };
        let mask = |path: &str| Some(prost_types::FieldMask { paths: vec![path.to_owned()] });
        let expert = || v1::Grant { role: v1::Role::Expert.into(), ..v1::Grant::default() };
        match method {
            "CreateOrganisation" => v1::CreateOrganisationRequest {
                organisation_id: id,
                organisation: Some(v1::Organisation {
                    display_name: "New".to_owned(),
                    country: "PE".to_owned(),
                    ..Default::default()
                }),
                ..Default::default()
            }
            .encode_to_vec(),
            "UpdateOrganisation" => v1::UpdateOrganisationRequest {
                organisation: Some(v1::Organisation {
                    name: organisation,
                    display_name: "P".to_owned(),
                    country: "PE".to_owned(),
                    ..Default::default()
                }),
                update_mask: mask("*"),
                ..Default::default()
            }
            .encode_to_vec(),
            "CreateProfile" => v1::CreateProfileRequest {
                parent: organisation,
                profile_id: id,
                profile: Some(profile),
                ..Default::default()
            }
            .encode_to_vec(),
            "UpdateProfile" => v1::UpdateProfileRequest {
                profile: Some(v1::Profile { name: format!("{organisation}/profiles/mentee"), ..profile }),
                update_mask: mask("*"),
                ..Default::default()
            }
            .encode_to_vec(),
            "CreateRound" => {
                v1::CreateRoundRequest { round_id: id, round: Some(round_message()), ..Default::default() }
                    .encode_to_vec()
            }
            "UpdateRound" => v1::UpdateRoundRequest {
                round: Some(v1::Round {
                    name: "rounds/r".to_owned(),
                    display_name: "R".to_owned(),
                    ..Default::default()
                }),
                update_mask: Some(prost_types::FieldMask {
                    paths: vec!["display_name".to_owned(), "agreement".to_owned()],
                }),
                ..Default::default()
            }
            .encode_to_vec(),
            "CreatePrincipal" => v1::CreatePrincipalRequest {
                principal: Some(v1::Principal {
                    kind: v1::PrincipalKind::Person.into(),
                    handle: id,
                    ..Default::default()
                }),
                ..Default::default()
            }
            .encode_to_vec(),
            "CreateGrant" => v1::CreateGrantRequest {
                parent: self.principal.clone(),
                grant: Some(expert()),
                ..Default::default()
            }
            .encode_to_vec(),
            "CreateCredential" => {
                let jwt = v1::JwtIdentity { issuer: "https://id".to_owned(), subject: id };
                v1::CreateCredentialRequest {
                    parent: self.principal.clone(),
                    credential: Some(v1::Credential {
                        identity: Some(v1::credential::Identity::Jwt(jwt)),
                        ..Default::default()
                    }),
                    ..Default::default()
                }
                .encode_to_vec()
            }
            "CreateInvitation" => v1::CreateInvitationRequest {
                invitation: Some(v1::Invitation { grants: vec![expert()], ..Default::default() }),
                ..Default::default()
            }
            .encode_to_vec(),
            "EnrolProfiles" => v1::EnrolProfilesRequest {
                round: "rounds/r".to_owned(),
                organisation: organisation.clone(),
                profiles: vec![format!("{organisation}/profiles/mentee")],
                ..Default::default()
            }
            .encode_to_vec(),
            _ => Vec::new(),
        }
    }

    /// The messages of a call with a value at a path of the request.
    fn messages(&self, method: &MethodDescriptor, path: &[FieldDescriptor], value: &Value) -> Vec<Vec<u8>> {
        if method.name() == "ImportProfiles" {
            let header =
                v1::ImportHeader { parent: "organisations/wim-peru".to_owned(), ..Default::default() };
            let good = [
                header_message(v1::ImportHeader { accept_good_rows: true, ..header }),
                rows_message(vec![row_of(2, mentee("imported"))]),
                end_message(1),
            ];
            let place =
                ["header", "rows", "end"].iter().position(|part| *part == path[0].name()).unwrap_or(0);
            let with = |at: usize, bytes: Vec<u8>| {
                if at == place { changed(method, &bytes, path, value) } else { bytes }
            };
            return good.iter().enumerate().map(|(at, message)| with(at, message.encode_to_vec())).collect();
        }
        vec![changed(method, &self.base(method.name()), path, value)]
    }
}

fn changed(method: &MethodDescriptor, bytes: &[u8], path: &[FieldDescriptor], value: &Value) -> Vec<u8> {
    let mut message = DynamicMessage::decode(method.input(), bytes).expect("a request");
    set(&mut message, path, value);
    message.encode_to_vec()
}

/// What is wrong with an answer to a call with a naughty text.
fn wrong(method: &MethodDescriptor, answer: &Result<Vec<u8>, Status>) -> Option<String> {
    match answer {
        Ok(bytes) => {
            let message = DynamicMessage::decode(method.output(), &bytes[..]).expect("an answer");
            let json = serde_json::to_string(&message).expect("JSON");
            // The answers to an import repeat what is wrong as it was sent, and the solver, which stores nothing, returns the ids
            // of its callers as they are.
            let repeats = method.name().starts_with("Import") || is_of_solver(method);
            (!repeats && !is_nfc(&json)).then(|| format!("an answer that is not in normal form C: {json}"))
        }
        Err(status) => {
            // Every refusal has its one reason of the closed set.
            let told = reason(status);
            let own = [
                Code::InvalidArgument,
                Code::NotFound,
                Code::AlreadyExists,
                Code::FailedPrecondition,
                Code::Aborted,
                Code::PermissionDenied,
            ];
            // The solver takes few problems of one caller at a time.
            let is_busy = is_of_solver(method) && told == "OVERLOADED";
            // A stranger's message is refused by its size before it is read.
            let is_large = method.name() == "RedeemInvitation" && told == "MESSAGE_TOO_LARGE";
            (!own.contains(&status.code()) && !is_busy && !is_large)
                .then(|| format!("{told}: {}", status.message()))
        }
    }
}

fn is_of_solver(method: &MethodDescriptor) -> bool {
    method.parent_service().name() == "SolverService"
}

async fn try_texts(stage: Arc<Stage>, one_of: usize) {
    let (pool, texts) = (pool(), texts());
    assert_eq!(texts.iter().collect::<BTreeSet<_>>().len(), NUMBER);
    let mut calls = JoinSet::new();
    let (mut fields, mut tried, mut found) = (0, 0, Vec::new());
    for method in methods(&pool) {
        for path in paths(&method.input(), &is_text) {
            fields += 1;
            for text in texts.iter().skip(fields % one_of).step_by(one_of) {
                let (stage, method, path, text) =
                    (Arc::clone(&stage), method.clone(), path.clone(), text.clone());
                calls.spawn(async move {
                    let messages = stage.messages(&method, &path, &Value::String(text.clone()));
                    let answer = soon(call(&stage.world, &stage.token, &method, messages)).await;
                    wrong(&method, &answer)
                        .map(|why| format!("{} {} {text:?}: {why}", method.name(), name_of(&path)))
                });
                tried += 1;
                if calls.len() >= AT_ONCE {
                    found.extend(calls.join_next().await.and_then(|done| done.expect("ends")));
                }
            }
        }
    }
    while let Some(done) = calls.join_next().await {
        found.extend(done.expect("ends"));
    }
    assert!(fields > 150, "only {fields} fields of requests are texts");
    assert!(tried >= fields * (NUMBER / one_of), "{tried}");
    assert!(found.is_empty(), "{} of {tried}:\n{}", found.len(), found[..found.len().min(40)].join("\n"));
    // What was stored is in normal form C, and has no control character.
    for row in stage.world.dump().await {
        assert!(is_nfc(&row), "{row:?}");
        assert!(!row.chars().any(char::is_control), "{row:?}");
    }
}

async fn a_text_in_any_field_is_stored_in_normal_form_or_refused(world: World) {
    let stage = Arc::new(Stage::new(world).await);
    Box::pin(try_texts(Arc::clone(&stage), ONE_OF)).await;
    Arc::into_inner(stage).expect("all calls have ended").world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "all 512 texts in every field take minutes"]
async fn all_texts_in_every_field() {
    let stage = Arc::new(Stage::new(World::sqlite().await).await);
    Box::pin(try_texts(Arc::clone(&stage), 1)).await;
    Arc::into_inner(stage).expect("all calls have ended").world.stop().await;
}

/// The rule of a field, from its options.
fn rules_of(pool: &DescriptorPool, field: &FieldDescriptor) -> Option<DynamicMessage> {
    let extension = pool.get_extension_by_name(&format!("{PACKAGE}.rules")).expect("the option");
    let options = field.options();
    if !options.has_extension(&extension) {
        return None;
    }
    options.get_extension(&extension).as_message().cloned()
}

/// Values of a field that break its rule, each with the part of the rule.
fn breaking(field: &FieldDescriptor, rules: &DynamicMessage) -> Vec<(&'static str, Value)> {
    let number = |rule: &str| {
        let stated = rules
            .has_field_by_name(rule)
            .then(|| rules.get_field_by_name(rule).map(std::borrow::Cow::into_owned));
        stated.flatten().and_then(|value| value.as_i64().or_else(|| value.as_i32().map(i64::from)))
    };
    let count = |number: i64| usize::try_from(number).expect("a length");
    let small = |number: i64| Value::I32(i32::try_from(number).expect("a number of a field"));
    let element = || match field.kind() {
        Kind::String => Value::String("x".to_owned()),
        Kind::Message(kind) => Value::Message(DynamicMessage::new(kind)),
        Kind::Enum(_) => Value::EnumNumber(1),
        other => panic!("a list of {other:?}"),
    };
    let mut values = Vec::new();
    if let Some(most) = number("max_characters") {
        values.push(("max_characters", Value::String("\u{e9}".repeat(count(most) + 1))));
    }
    if number("min_characters").is_some_and(|least| least > 0) {
        values.push(("min_characters", Value::String(String::new())));
    }
    if let Some(most) = number("max_items") {
        values.push(("max_items", Value::List(vec![element(); count(most) + 1])));
    }
    if number("min_items").is_some_and(|least| least > 0) {
        values.push(("min_items", Value::List(Vec::new())));
    }
    values.extend(
        number("least").filter(|least| *least > i64::from(i32::MIN)).map(|least| ("least", small(least - 1))),
    );
    values.extend(number("most").map(|most| ("most", small(most + 1))));
    if rules.has_field_by_name("pattern") {
        values.push(("pattern", Value::String("!?".to_owned())));
    }
    values
}

async fn the_rules_of_the_protos_are_kept(world: World) {
    let (pool, stage) = (pool(), Stage::new(world).await);
    let (mut broken, mut tried) = (Vec::new(), 0);
    for method in methods(&pool) {
        for path in paths(&method.input(), &|field| rules_of(&pool, field).is_some()) {
            if method.name() == "UpdateRound" && name_of(&path).starts_with("round.policy") {
                // CreatePolicy gives a round its next policy.
                continue;
            }
            let field = path.last().expect("a field");
            let rules = rules_of(&pool, field).expect("rules");
            for (rule, value) in breaking(field, &rules) {
                tried += 1;
                let messages = stage.messages(&method, &path, &value);
                let answer = soon(call(&stage.world, &stage.token, &method, messages)).await;
                let refused = match &answer {
                    // An import rejects the row.
                    Ok(bytes) if method.name() == "ImportProfiles" => {
                        v1::ImportProfilesResponse::decode(&bytes[..])
                            .expect("an answer")
                            .content
                            .is_some_and(|content| {
                                matches!(content, v1::import_profiles_response::Content::RejectedRow(_))
                            })
                    }
                    Ok(_) => false,
                    Err(status) => {
                        let told = status.get_details_bad_request().map(|told| told.field_violations);
                        let names = |told: &tonic_types::FieldViolation| told.field.contains(field.name());
                        // An empty request may be refused before this field is read.
                        let is_named = stage.base(method.name()).is_empty()
                            || told.is_some_and(|told| told.iter().any(names));
                        status.code() == Code::InvalidArgument && is_named
                    }
                };
                if !refused {
                    broken.push(format!("{} {} {rule}: {answer:?}", method.name(), name_of(&path)));
                }
            }
        }
    }
    assert!(broken.is_empty(), "these rules of the protos are not kept:\n{}", broken.join("\n"));
    assert!(tried > 100, "{tried}");
    stage.world.stop().await;
}

/// A field whose comment says that it is a resource name states which resource. A reference names a resource of the contract.
#[test]
fn every_resource_name_states_its_resource() {
    let pool = pool();
    let option = |name: &str| pool.get_extension_by_name(name).expect("an option of Google's API");
    let (resource, reference) = (option("google.api.resource"), option("google.api.resource_reference"));
    let text = |message: &DynamicMessage, field: &str| {
        let value = message.get_field_by_name(field).expect("a field").into_owned();
        value.as_str().unwrap_or_default().to_owned()
    };
    let messages: Vec<MessageDescriptor> =
        pool.all_messages().filter(|message| message.package_name() == PACKAGE).collect();
    let is_resource = |message: &MessageDescriptor| message.options().has_extension(&resource);
    let types: BTreeSet<String> = messages
        .iter()
        .filter(|message| is_resource(message))
        .map(|message| {
            text(message.options().get_extension(&resource).as_message().expect("a resource"), "type")
        })
        .collect();
    let (mut silent, mut references) = (Vec::new(), 0);
    for message in &messages {
        for field in message.fields().filter(is_text) {
            let options = field.options();
            if options.has_extension(&reference) {
                let stated = options.get_extension(&reference).into_owned();
                let stated = stated.as_message().expect("a reference");
                let of = [text(stated, "type"), text(stated, "child_type")].concat();
                assert!(of == "*" || types.contains(&of), "{}: {of}", field.full_name());
                references += 1;
                continue;
            }
            let file = field.parent_file();
            let locations =
                file.file_descriptor_proto().source_code_info.iter().flat_map(|info| &info.location);
            let comment = locations
                .filter(|location| location.path == field.path())
                .map(|location| location.leading_comments.clone().unwrap_or_default());
            let says_so = comment.collect::<String>().contains("Resource name");
            let is_own = field.name() == "name" && is_resource(message);
            if says_so && !is_own {
                silent.push(field.full_name().to_owned());
            }
        }
    }
    assert!(silent.is_empty(), "these fields need a `resource_reference`: {silent:?}");
    assert!(references > 50, "{references}");
}
