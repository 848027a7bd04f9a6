//! How a command fails: what is printed and with which exit code.

use std::process::ExitCode;

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::output::say;

/// Why a command failed.
#[derive(Debug)]
pub struct Failure {
    /// Exit code, as documented in the help.
    code: u8,
    /// What happened, and below it, indented, the details.
    message: String,
    /// What to do; may be empty.
    hint: String,
}

impl Failure {
    /// Input that was refused.
    pub fn input(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code: 3, message: message.into(), hint: hint.into() }
    }

    /// Floors of groups that no assignment meets.
    pub fn unmet(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code: 8, message: message.into(), hint: hint.into() }
    }

    /// Prints the failure and gives its exit code.
    pub fn report(self) -> ExitCode {
        say(&format!("error: {}", self.message));
        if !self.hint.is_empty() {
            say(&format!("hint: {}", self.hint));
        }
        ExitCode::from(self.code)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<Status>() {
            Ok(status) => Self::from(status),
            Err(error) => match error.downcast::<crate::error::Error>() {
                Ok(error) => Self::from(Status::from(error)),
                Err(error) => Self { code: 1, message: format!("{error:#}"), hint: String::new() },
            },
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self { code: 1, message: error.to_string(), hint: String::new() }
    }
}

impl From<crate::error::Error> for Failure {
    fn from(error: crate::error::Error) -> Self {
        Self::from(Status::from(error))
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        let mut message = status.message().to_owned();
        if let Some(wrong) = status.get_details_bad_request() {
            for violation in wrong.field_violations {
                message += &["\n  ", &violation.field, ": ", &violation.description].concat();
            }
        }
        let (code, hint) = match status.code() {
            Code::InvalidArgument | Code::OutOfRange | Code::ResourceExhausted => (3, ""),
            Code::Unauthenticated => {
                (4, "pass --token or set WIM_MATCH_TOKEN; `wim-match admin token create` creates one")
            }
            Code::PermissionDenied => {
                (4, "use a token of the other role; `wim-match admin token create` creates one")
            }
            Code::NotFound => (5, ""),
            Code::AlreadyExists | Code::FailedPrecondition | Code::Aborted => (6, ""),
            Code::Unavailable | Code::DeadlineExceeded => {
                (7, "is the service running? `wim-match serve` starts it, --server says where it is")
            }
            _ => (1, ""),
        };
        Self { code, message, hint: hint.to_owned() }
    }
}
