//! How a command fails: the message, the hint and the exit code.

use std::process::ExitCode;

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::client;
use crate::client::output::say;
use crate::error::chain;

/// Commands that create a token.
const NEW_TOKEN: &str = "create a token with `wim-match admin token create --role coordinator`, or with `--role \
                         organisation-manager --organisation ID`";

/// Why a command failed.
#[derive(Debug)]
pub(super) struct Failure {
    /// Exit code, as documented in the help.
    code: u8,
    /// What is wrong, and below it, indented, the details.
    message: String,
    /// What to do; may be empty.
    hint: String,
}

impl Failure {
    /// The input is wrong.
    pub(super) fn input(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code: 3, message: message.into(), hint: hint.into() }
    }

    /// The resource does not exist.
    pub(super) fn not_found(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code: 5, message: message.into(), hint: hint.into() }
    }

    /// The state of the resource does not allow the command.
    pub(super) fn state(message: impl Into<String>) -> Self {
        Self { code: 6, message: message.into(), hint: String::new() }
    }

    /// No assignment meets the floors of all groups.
    pub(super) fn unmet(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code: 8, message: message.into(), hint: hint.into() }
    }

    /// Prints the failure and returns its exit code.
    pub(super) fn report(self) -> ExitCode {
        say(&format!("error: {}", self.message));
        if !self.hint.is_empty() {
            say(&format!("hint: {}", self.hint));
        }
        ExitCode::from(self.code)
    }

    /// No connection to the service.
    fn unreachable(message: String) -> Self {
        let hint = "start the service with `wim-match serve`, or give its address with --server";
        Self { code: 7, message, hint: hint.to_owned() }
    }

    fn other(message: String) -> Self {
        Self { code: 1, message, hint: String::new() }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        let error = match error.downcast::<client::Error>() {
            Ok(error) => return Self::from(error),
            Err(error) => error,
        };
        match error.downcast::<crate::error::Error>() {
            Ok(error) => Self::from(error),
            Err(error) => Self::other(format!("{error:#}")),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::other(error.to_string())
    }
}

impl From<crate::error::Error> for Failure {
    fn from(error: crate::error::Error) -> Self {
        Self::from(Status::from(error))
    }
}

impl From<client::Error> for Failure {
    fn from(error: client::Error) -> Self {
        match error {
            client::Error::Call(status) => Self::from(status),
            client::Error::Unreachable { .. } => Self::unreachable(chain(&error)),
            client::Error::Header(_) => Self::input(chain(&error), ""),
            _ => Self::other(chain(&error)),
        }
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        let mut message = status.message().to_owned();
        if let Some(wrong) = status.get_details_bad_request() {
            // The message quotes the first violations, and all of them follow here.
            message.truncate(message.find(": ").map_or(message.len(), |end| end + 1));
            for violation in wrong.field_violations {
                message += &["\n  ", &violation.field, ": ", &violation.description].concat();
            }
        }
        let Some(info) = status.get_details_error_info() else {
            return match status.code() {
                // Only the transport returns this code without a reason: the connection broke.
                Code::Unavailable => Self::unreachable(message),
                code => Self { code: exit_code(code), message, hint: String::new() },
            };
        };
        let hint = match info.reason.as_str() {
            "UNAUTHENTICATED" => format!("pass --token or set WIM_MATCH_TOKEN; {NEW_TOKEN}"),
            "PERMISSION_DENIED" => NEW_TOKEN.to_owned(),
            "ROUND_EMPTY" => {
                let subject = status
                    .get_details_precondition_failure()
                    .and_then(|found| found.violations.into_iter().next().map(|violation| violation.subject));
                let round = subject.unwrap_or_default();
                let round = round.strip_prefix("rounds/").unwrap_or("ROUND");
                format!("run `wim-match round enrol {round} --organisation ID`")
            }
            _ => String::new(),
        };
        Self { code: exit_code(status.code()), message, hint }
    }
}

/// The exit code of a gRPC code.
fn exit_code(code: Code) -> u8 {
    match code {
        Code::InvalidArgument | Code::OutOfRange | Code::ResourceExhausted => 3,
        Code::Unauthenticated | Code::PermissionDenied => 4,
        Code::NotFound => 5,
        Code::AlreadyExists | Code::FailedPrecondition | Code::Aborted => 6,
        Code::Unavailable | Code::DeadlineExceeded => 7,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[tokio::test]
    async fn every_error_of_the_client_has_the_exit_code_that_the_help_lists() {
        let of = |error: client::Error| Failure::from(error).code;
        for (status, code) in [
            (Status::internal("a defect"), 1),
            (Status::invalid_argument("a wrong field"), 3),
            (Status::unauthenticated("no token"), 4),
            (Status::permission_denied("the wrong role"), 4),
            (Status::not_found("no round"), 5),
            (Status::already_exists("a round"), 6),
            (Status::failed_precondition("the wrong state"), 6),
            (Status::unavailable("the database is away"), 7),
        ] {
            assert_eq!(of(status.clone().into()), code, "{status}");
        }
        assert_eq!(of(client::Error::NoSummary), 1);
        let header = crate::profile_csv::OpenError::Header(Vec::new());
        assert_eq!(of(header.into()), 3);
        // Port 1 of the loopback interface has no service.
        let unreachable = client::connect("http://127.0.0.1:1").await.expect_err("no service");
        let failure = Failure::from(anyhow::Error::from(unreachable));
        assert_eq!(failure.code, 7);
        assert!(failure.message.starts_with("http://127.0.0.1:1 cannot be reached: "), "{}", failure.message);
        assert!(failure.hint.starts_with("start the service"), "{}", failure.hint);
    }

    #[test]
    fn the_hint_belongs_to_the_reason_and_a_list_of_violations_is_printed_once() {
        let of = |error: Error| Failure::from(error);
        let busy = of(Error::StoreUnavailable("locked".into()));
        assert_eq!((busy.code, busy.hint.as_str()), (7, ""));
        let empty = of(Error::RoundEmpty("rounds/2027-spring".to_owned()));
        assert_eq!(empty.hint, "run `wim-match round enrol 2027-spring --organisation ID`");
        let wrong = of(Error::invalid_field("round_id", "R", "is not an id"));
        assert_eq!(wrong.message, "1 field of the request is wrong:\n  round_id: `R` is not an id");
    }
}
