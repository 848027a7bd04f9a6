//! A script of every mutation of the contract, in which each step needs what the steps before it have made. A step is sent until it
//! is answered, always with the same request id.

mod access;
mod mentorship;
mod people;
mod round;

use bytes::Bytes;
use prost::Message;
use prost_types::FieldMask;
use wim_match::api::proto::v1;
use wim_match::client::request_id;

use super::cluster::Cluster;
use super::ledger::Ledger;

/// Whether a method changes something: the contract does not call it free of side effects.
pub(super) fn changes(method: &str) -> bool {
    let descriptors = wim_match::api::proto::DESCRIPTORS;
    let set = prost_types::FileDescriptorSet::decode(descriptors).expect("descriptors");
    let (service, name) = method.split_once('/').expect("a method");
    let found =
        set.file.iter().filter(|file| file.package() == "wim.mentorship.v1").flat_map(|file| &file.service);
    let method = found
        .filter(|found| found.name() == service)
        .flat_map(|found| &found.method)
        .find(|method| method.name() == name)
        .expect("a method");
    let none = prost_types::method_options::IdempotencyLevel::NoSideEffects;
    method.options.as_ref().is_none_or(|options| options.idempotency_level() != none)
}

/// Somebody who calls.
struct Caller<'a> {
    cluster: &'a Cluster,
    ledger: &'a Ledger,
    token: String,
}

impl Caller<'_> {
    /// A change. It is kept in the ledger once it is answered.
    async fn change<A: Message + Default>(&self, method: &'static str, request: &impl Message) -> A {
        self.changes(method, &[Bytes::from(request.encode_to_vec())]).await
    }

    /// A change in several messages; the last answer counts.
    async fn changes<A: Message + Default>(&self, method: &'static str, messages: &[Bytes]) -> A {
        let answered = self.cluster.call(&self.token, method, messages).await;
        let answers = answered.unwrap_or_else(|status| panic!("{method}: {status:?}"));
        self.ledger.keep(&self.token, method, messages, &answers);
        A::decode(answers.last().cloned().unwrap_or_default()).expect("an answer")
    }

    /// A read.
    async fn read<A: Message + Default>(&self, method: &'static str, request: &impl Message) -> A {
        let message = Bytes::from(request.encode_to_vec());
        let answered = self.cluster.call(&self.token, method, &[message]).await;
        let answers = answered.unwrap_or_else(|status| panic!("{method}: {status:?}"));
        A::decode(answers.last().cloned().unwrap_or_default()).expect("an answer")
    }

    /// The same wires with another token.
    fn with(&self, token: String) -> Self {
        Self { cluster: self.cluster, ledger: self.ledger, token }
    }

    /// A principal with a role. A token that was lost with its answer is made again.
    async fn somebody(&self, handle: &str, role: v1::Role, organisation: &str) -> (Self, String) {
        let principal = v1::Principal {
            kind: v1::PrincipalKind::Person.into(),
            handle: handle.to_owned(),
            ..v1::Principal::default()
        };
        let request = v1::CreatePrincipalRequest {
            principal: Some(principal),
            request_id: request_id(),
            validate_only: false,
        };
        let created: v1::CreatePrincipalResponse =
            self.change("AdminService/CreatePrincipal", &request).await;
        let name = created.principal.expect("a principal").name;
        self.grant(&name, role, organisation).await;
        let token = self.token_of(&name).await;
        (self.with(token), name)
    }

    async fn grant(&self, parent: &str, role: v1::Role, organisation: &str) -> String {
        let grant =
            v1::Grant { role: role.into(), organisation: organisation.to_owned(), ..v1::Grant::default() };
        let request = v1::CreateGrantRequest {
            parent: parent.to_owned(),
            grant: Some(grant),
            request_id: request_id(),
            validate_only: false,
        };
        let created: v1::CreateGrantResponse = self.change("AdminService/CreateGrant", &request).await;
        created.grant.expect("a grant").name
    }

    async fn token_of(&self, principal: &str) -> String {
        loop {
            let created = self.credential(principal).await;
            if !created.token.is_empty() {
                return created.token;
            }
        }
    }

    async fn credential(&self, principal: &str) -> v1::CreateCredentialResponse {
        let request = v1::CreateCredentialRequest {
            parent: principal.to_owned(),
            credential: Some(v1::Credential::default()),
            request_id: request_id(),
            validate_only: false,
        };
        self.change("AdminService/CreateCredential", &request).await
    }
}

/// The people of a story.
struct Cast<'a> {
    number: usize,
    secretariat: Caller<'a>,
    coordinators: [Caller<'a>; 2],
    expert: String,
    /// Managers of two organisations, with the names of these.
    mentors: (Caller<'a>, String),
    mentees: (Caller<'a>, String),
}

/// Plays one story from its first step to its last.
pub(super) async fn play(cluster: &Cluster, ledger: &Ledger, number: usize) {
    let secretariat = Caller { cluster, ledger, token: cluster.secretariat.clone() };
    let cast = Box::pin(access::access(secretariat, number)).await;
    Box::pin(people::people(&cast)).await;
    Box::pin(people::consultation(&cast)).await;
    let round = Box::pin(round::round(&cast)).await;
    let run = Box::pin(round::review(&cast, &round)).await;
    Box::pin(round::objection(&cast)).await;
    Box::pin(round::report(&cast)).await;
    Box::pin(round::publication(&cast, &run)).await;
    Box::pin(mentorship::mentorship(&cast, &round)).await;
}

fn mask(path: &str) -> FieldMask {
    FieldMask { paths: vec![path.to_owned()] }
}
