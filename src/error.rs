//! Errors of a use case. Each has one [`Reason`] of the closed set; `api::status` alone maps a reason to a gRPC status.

use std::borrow::Cow;

pub use crate::domain::failure::Reason;
use crate::domain::violation::Violations;

/// Violations that the text of an error quotes; the field violations of the status list more.
const MAX_QUOTED: usize = 3;

/// Everything for which a call can fail.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Fields are wrong; all of them are listed.
    #[error("{}", wrong_fields(.0))]
    InvalidFields(Violations),
    /// The page token belongs to another list, filter or caller.
    #[error(
        "the page token belongs to another list, filter or caller; request the first page without a token"
    )]
    InvalidPageToken,
    /// The bytes of the request are not a message of the method.
    #[error("the request bytes are not a message of this method; check the path and the message type")]
    Undecodable,
    /// A message is larger than the limit.
    #[error("a message may have at most {limit_bytes} bytes; send the data in several messages")]
    MessageTooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// The call has no credential, or an unknown one.
    #[error("the call has no valid API token; send the header `authorization: Bearer <token>`")]
    Unauthenticated,
    /// The caller's role does not allow the method.
    #[error("the role {role} cannot {action}; use a token of the role {required}")]
    PermissionDenied {
        /// The caller's role.
        role: &'static str,
        /// What the method does, as a verb with its object.
        action: String,
        /// The role that the method requires.
        required: &'static str,
    },
    /// The resource does not exist, or the caller has no access to it.
    #[error("{0} does not exist, or this token gives no access to it; check the name and the token")]
    NotFound(String),
    /// A resource of this name exists.
    #[error("{0} exists already; choose another id")]
    AlreadyExists(String),
    /// The `request_id` belongs to another request.
    #[error("this request_id belongs to an earlier, different request; create a new request_id")]
    RequestIdReused,
    /// The round's state does not allow the call.
    #[error("{round} is in state {state}; this call requires the state {required}")]
    RoundState {
        /// The round.
        round: String,
        /// Its state.
        state: &'static str,
        /// The states that allow the call.
        required: &'static str,
    },
    /// The round has no enrolments.
    #[error("{0} has no enrolments; enrol profiles first")]
    RoundEmpty(String),
    /// A run of the round is queued or running.
    #[error("{0} is queued or running; wait for its end or cancel it first")]
    RunActive(String),
    /// The run's state does not allow the call.
    #[error("{run} is in state {state}; this call requires the state {required}")]
    RunState {
        /// The run.
        run: String,
        /// Its state.
        state: &'static str,
        /// The state that allows the call.
        required: &'static str,
    },
    /// The deadline of the call has passed.
    #[error(
        "the deadline of the call has passed, and its work was stopped; call again with a longer deadline"
    )]
    DeadlineExceeded,
    /// The method or the message encoding does not exist.
    #[error("the service has no such method or message encoding; list its methods by reflection")]
    Unimplemented,
    /// The database is unreachable or busy: nothing was changed, and a retry is safe.
    #[error("the database is unreachable or busy; try again")]
    StoreUnavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The service is shutting down.
    #[error("the service is shutting down; try again")]
    ShuttingDown,
    /// The caller cancelled the call.
    #[error("the caller cancelled the call")]
    Cancelled,
    /// A defect. Its message goes to the log, never to the caller.
    #[error("defect of the service: {0}")]
    Internal(Cow<'static, str>, #[source] Option<Box<dyn std::error::Error + Send + Sync>>),
}

/// An error with all its sources, for the log.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Result of a use case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// One wrong field.
    pub fn invalid_field(field: &str, value: &str, description: impl Into<String>) -> Self {
        let mut violations = Violations::default();
        violations.push(field, value, description, "");
        Self::InvalidFields(violations)
    }

    /// A defect without a source.
    pub fn internal(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Internal(message.into(), None)
    }

    /// The reason of the error.
    pub fn reason(&self) -> Reason {
        match self {
            Self::InvalidFields(_) => Reason::InvalidFields,
            Self::InvalidPageToken => Reason::InvalidPageToken,
            Self::Undecodable => Reason::Undecodable,
            Self::MessageTooLarge { .. } => Reason::MessageTooLarge,
            Self::Unauthenticated => Reason::Unauthenticated,
            Self::PermissionDenied { .. } => Reason::PermissionDenied,
            Self::NotFound(_) => Reason::NotFound,
            Self::AlreadyExists(_) => Reason::AlreadyExists,
            Self::RequestIdReused => Reason::RequestIdReused,
            Self::RoundState { .. } => Reason::RoundState,
            Self::RoundEmpty(_) => Reason::RoundEmpty,
            Self::RunActive(_) => Reason::RunActive,
            Self::RunState { .. } => Reason::RunState,
            Self::DeadlineExceeded => Reason::DeadlineExceeded,
            Self::Unimplemented => Reason::Unimplemented,
            Self::StoreUnavailable(_) => Reason::StoreUnavailable,
            Self::ShuttingDown => Reason::ShuttingDown,
            Self::Cancelled => Reason::Cancelled,
            Self::Internal(..) => Reason::Internal,
        }
    }
}

fn wrong_fields(violations: &Violations) -> String {
    let count = match violations.count() {
        1 => "1 field of the request is wrong".to_owned(),
        count => format!("{count} fields of the request are wrong"),
    };
    let quoted: Vec<String> = violations.listed().iter().take(MAX_QUOTED).map(ToString::to_string).collect();
    let more = if violations.count() > MAX_QUOTED as u64 { "; …" } else { "" };
    format!("{count}: {}{more}", quoted.join("; "))
}
