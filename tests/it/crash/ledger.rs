//! What was acknowledged, kept outside of the service, and its check after the last fault.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use bytes::Bytes;
use prost::Message as _;
use wim_match::api::proto::v1;

use super::cluster::Cluster;

/// Methods whose repeated call does not give the very bytes of the first answer: a secret is shown once, a cancelled run and an
/// erasure are told as they are now, and an import tells its progress.
const TELL_ANEW: [&str; 7] = [
    "AdminService/CreateCredential",
    "AdminService/CreateInvitation",
    "AdminService/RedeemInvitation",
    "MentorshipService/ImportCheckIns",
    "PrivacyService/EraseProfile",
    "ProfileService/ImportProfiles",
    "RunService/CancelRun",
];

/// How many rows of a table some calls make.
const ROWS: [(&str, &[&str]); 11] = [
    ("SELECT COUNT(*) FROM report", &["ReportService/CreateReport"]),
    ("SELECT COUNT(*) FROM organisation", &["OrganisationService/CreateOrganisation"]),
    ("SELECT COUNT(*) FROM round", &["RoundService/CreateRound"]),
    ("SELECT COUNT(*) FROM policy", &["RoundService/CreateRound", "RoundService/CreatePolicy"]),
    ("SELECT COUNT(*) FROM run", &["RunService/StartRun"]),
    ("SELECT COUNT(*) FROM decision", &["ReviewService/PinPair", "ReviewService/VetoPair"]),
    ("SELECT COUNT(*) FROM submission", &["ReviewService/SubmitRun"]),
    (
        "SELECT COUNT(*) FROM check_in",
        &["MentorshipService/RecordCheckIn", "MentorshipService/ImportCheckIns"],
    ),
    ("SELECT COUNT(*) FROM consultation", &["OrganisationService/CreateConsultation"]),
    ("SELECT COUNT(*) FROM consultation_answer", &["OrganisationService/AnswerConsultation"]),
    (
        "SELECT COUNT(*) FROM submission WHERE state = 'published'",
        &["ReviewService/PublishRun", "-ReviewService/UnpublishRun"],
    ),
];

/// A call that was answered.
#[derive(Debug, Clone)]
struct Entry {
    token: String,
    method: &'static str,
    messages: Vec<Bytes>,
    answers: Vec<Bytes>,
}

/// All calls that were answered.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    entries: Mutex<Vec<Entry>>,
    /// Profiles that were erased. The answers about them are gone with them.
    erased: Mutex<BTreeSet<String>>,
}

impl Ledger {
    pub(super) fn keep(&self, token: &str, method: &'static str, messages: &[Bytes], answers: &[Bytes]) {
        let entry =
            Entry { token: token.to_owned(), method, messages: messages.to_vec(), answers: answers.to_vec() };
        self.entries.lock().expect("is kept").push(entry);
    }

    pub(super) fn forget(&self, profile: &str) {
        self.erased.lock().expect("is kept").insert(profile.to_owned());
    }

    pub(super) fn len(&self) -> usize {
        self.entries.lock().expect("is kept").len()
    }

    /// The methods of all calls.
    pub(super) fn methods(&self) -> BTreeSet<String> {
        self.entries.lock().expect("is kept").iter().map(|entry| entry.method.to_owned()).collect()
    }

    /// Everything that was acknowledged and is not there, or is there twice.
    pub(super) async fn check(&self, cluster: &mut Cluster) -> Vec<String> {
        cluster.until_ready().await;
        let entries = self.entries.lock().expect("is kept").clone();
        let mut losses = Vec::new();
        if let Err(told) = cluster.integrity() {
            losses.push(format!("admin check: {told}"));
        }
        losses.extend(self.counted(cluster, &entries).await);
        for entry in &entries {
            if !self.is_erased(entry) {
                losses.extend(repeated(cluster, entry).await);
            }
        }
        losses.extend(audit(cluster).await);
        for entry in entries.iter().filter(|entry| entry.method == "RunService/StartRun") {
            losses.extend(replayed(cluster, entry).await);
        }
        // The repeated calls have made nothing twice.
        losses.extend(self.counted(cluster, &entries).await);
        losses
    }

    fn is_erased(&self, entry: &Entry) -> bool {
        let names = |message: &Bytes, profile: &String| {
            message.windows(profile.len()).any(|part| part == profile.as_bytes())
        };
        let erased = self.erased.lock().expect("is kept");
        erased
            .iter()
            .any(|profile| entry.messages.iter().chain(&entry.answers).any(|message| names(message, profile)))
    }

    async fn counted(&self, cluster: &Cluster, entries: &[Entry]) -> Vec<String> {
        let mut calls: BTreeMap<&str, i64> = BTreeMap::new();
        for entry in entries {
            *calls.entry(entry.method).or_default() += 1;
        }
        let mut losses = Vec::new();
        for (statement, methods) in ROWS {
            let expected: i64 = methods
                .iter()
                .map(|method| match method.strip_prefix('-') {
                    Some(method) => -calls.get(method).copied().unwrap_or_default(),
                    None => calls.get(method).copied().unwrap_or_default(),
                })
                .sum();
            let found = cluster.number(statement).await;
            if found != expected {
                losses.push(format!("{statement}: {found}, and {expected} were acknowledged"));
            }
        }
        losses
    }
}

/// A call that is sent again gives its first answer.
async fn repeated(cluster: &Cluster, entry: &Entry) -> Option<String> {
    match cluster.call(&entry.token, entry.method, &entry.messages).await {
        Err(status) => Some(format!("{} was acknowledged, and now: {status:?}", entry.method)),
        Ok(_) if TELL_ANEW.contains(&entry.method) => None,
        Ok(answers) if answers == entry.answers => None,
        Ok(_) => Some(format!("{} gives another answer than the first one", entry.method)),
    }
}

/// The chain of the audit is whole.
async fn audit(cluster: &Cluster) -> Option<String> {
    let request = Bytes::from(v1::VerifyAuditRequest::default().encode_to_vec());
    let answers = cluster.call(&cluster.secretariat, "AdminService/VerifyAudit", &[request]).await;
    let answers = answers.expect("the audit is verified");
    let verified = v1::VerifyAuditResponse::decode(answers[0].clone()).expect("an answer");
    (verified.fault() != v1::AuditFault::Unspecified).then(|| format!("the audit is broken: {verified:?}"))
}

/// A run that has succeeded gives the same bytes again.
async fn replayed(cluster: &Cluster, entry: &Entry) -> Option<String> {
    let started = v1::StartRunResponse::decode(entry.answers[0].clone()).expect("an answer");
    let name = started.run.expect("a run").name;
    let request = Bytes::from(v1::GetRunRequest { name: name.clone() }.encode_to_vec());
    let answers = cluster.call(&entry.token, "RunService/GetRun", &[request]).await.expect("a run");
    let run = v1::GetRunResponse::decode(answers[0].clone()).expect("an answer").run.expect("a run");
    match run.state() {
        v1::RunState::Cancelled => return None,
        v1::RunState::Succeeded => {}
        state => return Some(format!("{name} is {state:?}")),
    }
    let request = Bytes::from(v1::ReplayRunRequest { name: name.clone() }.encode_to_vec());
    match cluster.call(&entry.token, "RunService/ReplayRun", &[request]).await {
        // Somebody who took part was erased since.
        Err(status) if crate::refusal::reason(&status) == "INPUT_ERASED" => None,
        Err(status) => Some(format!("{name} cannot be replayed: {status:?}")),
        Ok(answers) => {
            let replayed = v1::ReplayRunResponse::decode(answers[0].clone()).expect("an answer");
            (!replayed.same).then(|| format!("{name} gives other bytes: {replayed:?}"))
        }
    }
}
