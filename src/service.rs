//! The use cases, by noun. A use case takes the caller first, checks `permission`, parses the request, and calls the
//! store, which writes the change and its journal line in one transaction. The only other writers are the worker, which
//! ends runs, and housekeeping, which purges.

mod ask;
mod audit;
mod authentication;
mod call_sums;
mod check_in;
mod compare;
mod console_session;
mod consultation;
mod credential;
mod diagnosis;
mod due;
mod enrolment;
mod erasure;
mod event;
mod idle;
mod import;
mod invitation;
mod kept_rounds;
mod live_runs;
mod masked;
mod mentorship;
mod one_profile;
mod organisation;
mod page;
mod participant;
mod permission;
mod principal;
mod privacy;
mod processing;
mod profile;
mod questions;
mod repeat;
mod replay;
mod report;
mod restriction;
mod retention;
mod review;
mod round;
mod run;
mod solver;
mod submission;
mod turns;
mod verify;
mod waiting;
mod weight_advice;

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use self::call_sums::CallSums;
use self::kept_rounds::KeptRounds;
use self::turns::Turns;
use crate::clock::{Clock, Latest};
use crate::domain::violation::Violations;
use crate::error::{Error, Result};
use crate::store::{Begun, Notes, Receipt, RequestKey, Store, WriteSession};
use crate::telemetry::Metrics;

pub use crate::domain::mentorship::schedule::Look;
pub use crate::store::ExportedCheckIn;
pub use ask::AskedPair;
pub use authentication::Revocation;
pub use call_sums::AuditedEnd;
pub use check_in::{CheckInExport, CheckInImport, CheckInImportSpec, CheckInSummary};
pub use console_session::Visitor;
pub use consultation::{ConsultationResult, ReadConsultation};
pub use credential::Issued;
pub use diagnosis::{DiagnosedRound, Diagnosing};
pub use due::DueOf;
pub use enrolment::{Enrolled, Picked, RefusedEnrolment, Withdrawn};
pub use erasure::ErasureAnswer;
pub use event::{Delivery, EventFeed};
pub use import::{
    DraftRow, Findings, Import, ImportSpec, ImportSummary, RejectedRow, RowWarning, StagedImport,
};
pub use invitation::{Invited, Redeemed};
pub use live_runs::{LiveRun, LiveRuns, Stop};
pub use masked::Masked;
pub use mentorship::Named;
pub use one_profile::WrittenProfile;
pub use page::{Page, PageRequest};
pub use permission::{Action, Permit};
pub use profile::Export;
pub use questions::AskedDecision;
pub use repeat::RepeatedErasures;
pub use replay::ReplayedRun;
pub use report::ReportDraft;
pub use retention::{Kind, Purged, RULES, Rule};
pub use review::{PairDraft, PairStanding};
pub use run::{ExplainedPair, RunToFollow, RunWatch};
pub use solver::{Diagnosed, Solved, Unmet, Work, WorkProgress};
pub use verify::VerifiedRun;
pub use weight_advice::{AdvisedWeights, Replay, ReplayOutcome, ReplayedRound};

/// The use cases. Clones share everything.
#[derive(Debug, Clone)]
pub struct Service {
    store: Store,
    clock: Arc<dyn Clock>,
    latest: Arc<Latest>,
    live_runs: Arc<LiveRuns>,
    /// Problems that callers bring are solved one at a time.
    solver_turns: Arc<Turns>,
    solver_threads: Option<usize>,
    /// Solved rounds that answer questions.
    kept_rounds: Arc<KeptRounds>,
    /// Calls that the audit adds up.
    call_sums: Arc<CallSums>,
    /// Rows of imports are checked on this number of threads at a time.
    import_turns: Arc<Semaphore>,
}

/// How a change is requested.
#[derive(Debug, Clone, Copy, Default)]
pub struct Change<'a> {
    /// The caller's `request_id`; empty without one.
    pub request_id: &'a str,
    /// Check the request, return what the change would return, and change nothing.
    pub validate_only: bool,
}

impl Service {
    /// Use cases over a store.
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            latest: Arc::default(),
            live_runs: Arc::default(),
            solver_turns: Arc::default(),
            solver_threads: None,
            kept_rounds: Arc::default(),
            call_sums: Arc::default(),
            import_turns: Arc::new(Semaphore::new(
                std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            )),
        }
    }

    /// The same use cases, with this number of threads for problems that callers bring; 0 means one per core.
    #[must_use]
    pub fn solving_on(self, threads: usize) -> Self {
        Self { solver_threads: (threads > 0).then_some(threads), ..self }
    }

    /// The store, for the worker and for health.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What measures the service.
    pub fn metrics(&self) -> &Metrics {
        self.store.metrics()
    }

    /// External problems that are being solved and that wait.
    pub fn solver_queue(&self) -> (u64, u64) {
        self.solver_turns.counts()
    }

    /// The clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The running runs of this process.
    pub fn live_runs(&self) -> &Arc<LiveRuns> {
        &self.live_runs
    }

    /// The receipt of a mutation. `payload` is the whole request without its `request_id`.
    /// The first answer to a repeated request, for a change that computes something before it begins. Nothing is reserved.
    async fn first_answer(&self, receipt: &Receipt) -> Result<Option<Vec<u8>>> {
        if receipt.request.is_none() {
            return Ok(None);
        }
        match self.store.begin(receipt.clone()).await? {
            Begun::Repeated(first) => Ok(Some(first)),
            // A session that is dropped changes nothing.
            Begun::Fresh(_) => Ok(None),
        }
    }

    fn receipt(&self, permit: &Permit, request_id: &str, payload: &impl Serialize) -> Result<Receipt> {
        let request = match request_id {
            "" => None,
            id => Some(RequestKey {
                id: parse_request_id(id)?,
                method: permit.action.method(),
                payload_digest: digest(payload)?,
            }),
        };
        Ok(Receipt {
            actor: permit.principal.clone(),
            scope: permit.scope.clone(),
            now: self.clock.now(),
            request,
        })
    }
}

/// A parsed part of a request, or its violations in `violations`.
fn taken<T>(part: Result<T>, violations: &mut Violations) -> Result<Option<T>> {
    match part {
        Ok(part) => Ok(Some(part)),
        Err(Error::InvalidFields(wrong)) => {
            violations.extend(wrong);
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

/// Makes a change last with its notes, or ends a session without a change if there are none.
async fn commit_change(session: WriteSession, notes: Option<impl Into<Notes>>, answer: &[u8]) -> Result<()> {
    match notes {
        Some(notes) => session.commit(notes, answer).await,
        None => session.commit_unchanged(answer).await,
    }
}

/// Adds the violation of a `request_id` that is no UUID. A request without one is good.
fn check_request_id(id: &str, violations: &mut Violations) {
    if !id.is_empty()
        && let Err(Error::InvalidFields(part)) = parse_request_id(id)
    {
        violations.extend(part);
    }
}

/// Characters of a UUID with hyphens.
const UUID_LENGTH: usize = 36;

/// Parses a `request_id` into its canonical spelling.
fn parse_request_id(id: &str) -> Result<String> {
    let parsed: Option<uuid::Uuid> = id.parse().ok().filter(|_| id.len() == UUID_LENGTH);
    parsed.map(|uuid| uuid.to_string()).ok_or_else(|| {
        let mut violations = Violations::default();
        violations.push("request_id", id, "is not a UUID", "create a new random UUID for every new request");
        Error::InvalidFields(violations)
    })
}

/// SHA-256 of a payload's JSON, in hexadecimal.
fn digest(payload: &impl Serialize) -> Result<String> {
    Ok(hex::encode(Sha256::digest(remembered(payload)?)))
}

/// An answer in the form that is stored for a repeated request.
fn remembered(answer: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(answer)
        .map_err(|error| Error::Internal("an answer does not serialise".into(), Some(error.into())))
}

/// Reads a stored answer.
fn recalled<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|_| Error::internal("a remembered answer cannot be read"))
}
