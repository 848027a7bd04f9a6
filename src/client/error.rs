//! Why a call or a longer procedure of the client fails.

use std::{fmt, io};

use tonic::Status;

use crate::domain::message::Message;
use crate::message;
use crate::profile_csv::{CellProblem, OpenError, RowError};

/// Why the client fails.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The address of the service is not a URL.
    Address {
        /// The address, as given.
        address: String,
        /// What is wrong with it.
        source: tonic::transport::Error,
    },
    /// No connection to the service.
    Unreachable {
        /// The address.
        address: String,
        /// Why not.
        source: tonic::transport::Error,
    },
    /// The token is not printable ASCII.
    Token,
    /// The service answered a call with an error.
    Call(Status),
    /// The header of a CSV file of profiles cannot be read.
    Header(OpenError),
    /// A CSV file of profiles cannot be read to its end.
    Row(RowError),
    /// The thread that reads a CSV file has panicked.
    Reader,
    /// The service closed the stream of an import early.
    NoSummary,
    /// The output cannot be written.
    Write(io::Error),
    /// The run has no result.
    NoResult(String),
    /// The run failed.
    RunFailed {
        /// The reason, a name of `ErrorReason` without its prefix.
        reason: String,
        /// The same for people.
        message: String,
    },
    /// The resource has contents that this version does not know.
    Newer(String),
    /// A message is not in the descriptor set, or its JSON form cannot be written.
    Json {
        /// Full name of the message type.
        message: String,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// What the reader has to know, without the sources of the error.
    pub fn message(&self) -> Message {
        match self {
            Self::Address { address, .. } => message!(
                "`{address}` is not the address of a service; write for example http://127.0.0.1:50051",
                address = address
            ),
            Self::Unreachable { address, .. } => message!("{address} cannot be reached", address = address),
            Self::Token => {
                message!("the token contains a character that no token contains; copy the token again")
            }
            Self::Call(status) => Message::verbatim(status.message()),
            Self::Header(OpenError::Header(problems)) => message!(
                "the header line is wrong: {problems}",
                problems = problems.iter().map(CellProblem::message).collect::<Vec<_>>()
            ),
            Self::Header(wrong) => Message::verbatim(wrong.to_string()),
            Self::Row(wrong) => Message::verbatim(wrong.to_string()),
            Self::Reader => {
                message!("the CSV file was not read to its end; this is a defect of the client")
            }
            Self::NoSummary => message!(
                "the service ended the import without a summary; whether the rows are stored is unknown; import the file again"
            ),
            Self::Write(source) => {
                message!("the output cannot be written: {cause}", cause = source.to_string())
            }
            Self::NoResult(run) => message!("{run} has no result, because it has not succeeded", run = run),
            Self::RunFailed { message, .. } => message!("the run failed: {cause}", cause = message),
            Self::Newer(name) => message!(
                "{name} cannot be read: the service is newer than this program; update this program",
                name = name
            ),
            Self::Json { message, .. } => {
                message!("the JSON form of {name} cannot be produced", name = message)
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message().fmt(f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Address { source, .. } | Self::Unreachable { source, .. } => Some(source),
            Self::Json { source, .. } => Some(&**source),
            Self::Header(wrong) => wrong.source(),
            Self::Row(wrong) => wrong.source(),
            _ => None,
        }
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        Self::Call(status)
    }
}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        Self::Header(error)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}
