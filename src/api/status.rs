//! The one table from an error's reason to its gRPC status. Every status leaves with exactly one ErrorInfo.

use std::collections::HashMap;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::error::{Error, chain};

/// Domain of every ErrorInfo.
pub const DOMAIN: &str = "mentorship.wim";
/// Violations answered at most.
const MAX_VIOLATIONS: usize = 100;
/// When to try again after the database was away or busy.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Each reason with its gRPC code.
pub const REASONS: &[(&str, Code)] = &[
    ("INVALID_FIELDS", Code::InvalidArgument),
    ("INVALID_PAGE_TOKEN", Code::InvalidArgument),
    ("UNDECODABLE", Code::InvalidArgument),
    ("MESSAGE_TOO_LARGE", Code::ResourceExhausted),
    ("UNAUTHENTICATED", Code::Unauthenticated),
    ("PERMISSION_DENIED", Code::PermissionDenied),
    ("NOT_FOUND", Code::NotFound),
    ("ALREADY_EXISTS", Code::AlreadyExists),
    ("REQUEST_ID_REUSED", Code::InvalidArgument),
    ("ETAG_MISMATCH", Code::Aborted),
    ("ROUND_STATE", Code::FailedPrecondition),
    ("ROUND_EMPTY", Code::FailedPrecondition),
    ("RUN_ACTIVE", Code::FailedPrecondition),
    ("RUN_STATE", Code::FailedPrecondition),
    ("RUN_INTERRUPTED", Code::Aborted),
    ("DEADLINE_EXCEEDED", Code::DeadlineExceeded),
    ("UNIMPLEMENTED", Code::Unimplemented),
    ("STORE_UNAVAILABLE", Code::Unavailable),
    ("SHUTTING_DOWN", Code::Unavailable),
    ("CANCELLED", Code::Cancelled),
    ("INTERNAL", Code::Internal),
];

/// The code of a reason; unknown reasons are defects.
pub fn code_of(reason: &str) -> Code {
    REASONS.iter().find(|(name, _)| *name == reason).map_or(Code::Internal, |(_, code)| *code)
}

/// A status with its one ErrorInfo and nothing else.
pub(super) fn status(reason: &'static str, message: &str, metadata: HashMap<String, String>) -> Status {
    let mut details = ErrorDetails::with_error_info(reason, DOMAIN, metadata);
    if matches!(code_of(reason), Code::Unavailable) {
        details.set_retry_info(Some(RETRY_AFTER));
    }
    Status::with_error_details(code_of(reason), message, details)
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let reason = error.reason();
        if matches!(code_of(reason), Code::Internal | Code::Unavailable) {
            tracing::error!(error.type = reason, error = %chain(&error), "call failed");
        }
        let mut metadata = HashMap::new();
        match &error {
            Error::RoundState { state, .. } | Error::RunState { state, .. } => {
                metadata.insert("state".to_owned(), (*state).to_owned());
            }
            Error::RunActive(run) => {
                metadata.insert("run".to_owned(), run.clone());
            }
            _ => {}
        }
        let mut details = ErrorDetails::with_error_info(reason, DOMAIN, metadata);
        match &error {
            Error::InvalidFields(violations) => {
                for violation in violations.iter().take(MAX_VIOLATIONS) {
                    let hint = if violation.hint.is_empty() {
                        String::new()
                    } else {
                        format!("; {}", violation.hint)
                    };
                    let description = if violation.value.is_empty() {
                        format!("{}{hint}", violation.description)
                    } else {
                        format!("`{}` {}{hint}", violation.value, violation.description)
                    };
                    details.add_bad_request_violation(&violation.field, description);
                }
            }
            Error::StoreUnavailable(_) | Error::ShuttingDown => {
                details.set_retry_info(Some(RETRY_AFTER));
            }
            Error::RoundState { round: subject, .. }
            | Error::RunState { run: subject, .. }
            | Error::RoundEmpty(subject)
            | Error::RunActive(subject) => {
                details.add_precondition_failure_violation(reason, subject, error.to_string());
            }
            _ => {}
        }
        let message = match &error {
            Error::Internal(..) => "a defect of the service; nothing was changed".to_owned(),
            told => told.to_string(),
        };
        Self::with_error_details(code_of(reason), message, details)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::proto::v1::ErrorReason;

    #[test]
    fn the_table_and_the_contract_name_the_same_reasons() {
        let mut contract: Vec<String> = (1..)
            .map_while(|number| ErrorReason::try_from(number).ok())
            .map(|reason| reason.as_str_name().trim_start_matches("ERROR_REASON_").to_owned())
            .collect();
        let mut table: Vec<String> = REASONS.iter().map(|(name, ..)| (*name).to_owned()).collect();
        contract.sort();
        table.sort();
        assert_eq!(contract, table);
    }

    #[test]
    fn a_defect_tells_the_caller_nothing_of_its_inside() {
        let status = Status::from(Error::internal("column profile.document of row 7"));
        assert_eq!(status.code(), Code::Internal);
        assert!(!status.message().contains("document"));
        assert_eq!(status.get_details_error_info().expect("an ErrorInfo").reason, "INTERNAL");
    }
}
