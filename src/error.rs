//! The closed set of reasons for which a call can fail. Their mapping to gRPC statuses is in `api::status`, and only
//! there.

use std::borrow::Cow;

use crate::domain::violation::Violation;

/// Everything that can go wrong in a use case, as the caller will hear it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Fields are wrong; all of them are listed.
    #[error("{} of the request {} wrong: {}", count(.0.len()), if .0.len() == 1 { "is" } else { "are" }, list(.0))]
    InvalidFields(Vec<Violation>),
    /// The page token is not one of this list and caller.
    #[error("the page token does not belong to this list; begin again without one")]
    InvalidPageToken,
    /// No credential, or an unknown one.
    #[error("no valid API token; send `authorization: Bearer <token>`")]
    Unauthenticated,
    /// The caller's role does not allow the method.
    #[error("the role {role} may not call {action}")]
    PermissionDenied {
        /// The caller's role.
        role: &'static str,
        /// What she tried.
        action: &'static str,
    },
    /// The resource does not exist, or the caller may not know that it does.
    #[error("{0} does not exist, or you may not see it")]
    NotFound(String),
    /// A resource of this name exists.
    #[error("{0} exists already")]
    AlreadyExists(String),
    /// The request_id was used with another payload or method.
    #[error("this request_id was used before with another request; make a new one")]
    RequestIdReused,
    /// The round's state does not allow this.
    #[error("{round} is in state {state}, which does not allow this")]
    RoundState {
        /// The round.
        round: String,
        /// Its state.
        state: &'static str,
    },
    /// Nobody is enrolled.
    #[error("nobody is enrolled in {0}; call EnrolProfiles first")]
    RoundEmpty(String),
    /// A run of the round is queued or running.
    #[error("{0} is still under way; watch or cancel it first")]
    RunActive(String),
    /// The run's state does not allow this.
    #[error("{run} is in state {state}, which does not allow this")]
    RunState {
        /// The run.
        run: String,
        /// Its state.
        state: &'static str,
    },
    /// The database cannot be reached or is busy: nothing was changed, and a retry is safe.
    #[error("the database cannot be reached or is busy; try again")]
    StoreUnavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The service is stopping.
    #[error("the service is stopping; try again")]
    ShuttingDown,
    /// The caller went away.
    #[error("the call was cancelled")]
    Cancelled,
    /// A defect. The message may go to the log, never to the caller.
    #[error("a defect of the service: {0}")]
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
    /// A single wrong field.
    pub fn invalid_field(field: &str, value: &str, description: impl Into<String>) -> Self {
        let mut violations = crate::domain::violation::Violations::default();
        violations.push(field, value, description, "");
        Self::InvalidFields(violations.into_inner())
    }

    /// A defect without a source.
    pub fn internal(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Internal(message.into(), None)
    }

    /// The name of the reason in `ErrorReason`, without its prefix.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::InvalidFields(_) => "INVALID_FIELDS",
            Self::InvalidPageToken => "INVALID_PAGE_TOKEN",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::PermissionDenied { .. } => "PERMISSION_DENIED",
            Self::NotFound(_) => "NOT_FOUND",
            Self::AlreadyExists(_) => "ALREADY_EXISTS",
            Self::RequestIdReused => "REQUEST_ID_REUSED",
            Self::RoundState { .. } => "ROUND_STATE",
            Self::RoundEmpty(_) => "ROUND_EMPTY",
            Self::RunActive(_) => "RUN_ACTIVE",
            Self::RunState { .. } => "RUN_STATE",
            Self::StoreUnavailable(_) => "STORE_UNAVAILABLE",
            Self::ShuttingDown => "SHUTTING_DOWN",
            Self::Cancelled => "CANCELLED",
            Self::Internal(..) => "INTERNAL",
        }
    }
}

fn count(fields: usize) -> String {
    if fields == 1 { "1 field".to_owned() } else { format!("{fields} fields") }
}

fn list(violations: &[Violation]) -> String {
    let shown: Vec<String> = violations.iter().take(3).map(ToString::to_string).collect();
    let more = if violations.len() > 3 { "; …" } else { "" };
    format!("{}{more}", shown.join("; "))
}
