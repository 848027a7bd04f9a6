//! The closed set of reasons for which a call or a run fails. The contract's `ErrorReason` describes each of them.

macro_rules! reasons {
    ($($(#[$doc:meta])* $reason:ident = $code:literal;)+) => {
        /// Why a call or a run failed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason { $($(#[$doc])* $reason,)+ }

        impl Reason {
            /// All reasons, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$reason),+];

            /// Name of the reason in `ErrorReason`, without its prefix.
            pub fn code(self) -> &'static str {
                match self { $(Self::$reason => $code,)+ }
            }
        }
    };
}

reasons! {
    /// Fields of the request are wrong.
    InvalidFields = "INVALID_FIELDS";
    /// The page token belongs to another list, filter or caller.
    InvalidPageToken = "INVALID_PAGE_TOKEN";
    /// The bytes of the request are not a message of the method.
    Undecodable = "UNDECODABLE";
    /// A message is larger than the limit.
    MessageTooLarge = "MESSAGE_TOO_LARGE";
    /// The call has no credential, or an unknown one.
    Unauthenticated = "UNAUTHENTICATED";
    /// The caller's role does not allow the method.
    PermissionDenied = "PERMISSION_DENIED";
    /// The resource does not exist, or the caller has no access to it.
    NotFound = "NOT_FOUND";
    /// A resource of this name exists.
    AlreadyExists = "ALREADY_EXISTS";
    /// The `request_id` belongs to another request.
    RequestIdReused = "REQUEST_ID_REUSED";
    /// The resource has changed since its etag was read.
    EtagMismatch = "ETAG_MISMATCH";
    /// The round's state does not allow the call.
    RoundState = "ROUND_STATE";
    /// The round has no enrolments.
    RoundEmpty = "ROUND_EMPTY";
    /// A run of the round is queued or running.
    RunActive = "RUN_ACTIVE";
    /// The run's state does not allow the call.
    RunState = "RUN_STATE";
    /// The deadline of the call has passed.
    DeadlineExceeded = "DEADLINE_EXCEEDED";
    /// The method or the message encoding does not exist.
    Unimplemented = "UNIMPLEMENTED";
    /// The database is unreachable or busy.
    StoreUnavailable = "STORE_UNAVAILABLE";
    /// The service is shutting down.
    ShuttingDown = "SHUTTING_DOWN";
    /// The service has a defect.
    Internal = "INTERNAL";
    /// A run was interrupted too often.
    RunInterrupted = "RUN_INTERRUPTED";
    /// The caller cancelled the call.
    Cancelled = "CANCELLED";
    /// The request is no gRPC call.
    NotGrpc = "NOT_GRPC";
    /// A message did not arrive in time.
    ReceiveTimeout = "RECEIVE_TIMEOUT";
    /// The peer holds as much as the service allows at a time.
    Overloaded = "OVERLOADED";
    /// The caller, an organisation or all callers together call too often.
    RateLimited = "RATE_LIMITED";
    /// Events after the cursor were deleted.
    EventsExpired = "EVENTS_EXPIRED";
    /// The consent's state does not allow the call.
    ConsentState = "CONSENT_STATE";
    /// A person whom the call or the run needs was erased.
    InputErased = "INPUT_ERASED";
    /// The engine of the run is not the one of this service.
    EngineChanged = "ENGINE_CHANGED";
    /// The pair cannot be decided on like this.
    DecisionRefused = "DECISION_REFUSED";
    /// The decision was released already.
    DecisionReleased = "DECISION_RELEASED";
    /// Something has changed since the run was started.
    RunStale = "RUN_STALE";
    /// The submission's state does not allow the call.
    SubmissionState = "SUBMISSION_STATE";
    /// Somebody else has to approve.
    SecondPerson = "SECOND_PERSON";
    /// The run cannot be published yet.
    PublicationBlocked = "PUBLICATION_BLOCKED";
    /// Decisions of the round cannot be kept.
    DecisionsConflict = "DECISIONS_CONFLICT";
    /// No result keeps the quotas of the policy.
    QuotasUnmet = "QUOTAS_UNMET";
    /// A repair needs more changes than its budget.
    RepairBudget = "REPAIR_BUDGET";
    /// The mentorship's state does not allow the call.
    MentorshipState = "MENTORSHIP_STATE";
    /// The consultation's state does not allow the call.
    ConsultationState = "CONSULTATION_STATE";
    /// Too few people take part for a report.
    ReportBase = "REPORT_BASE";
}

impl Reason {
    /// Reads a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.code() == code)
    }
}
