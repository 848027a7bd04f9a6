//! Why a call or a longer procedure of the client fails.

use std::io;

use tonic::Status;

use crate::profile_csv::{OpenError, RowError};

/// Why the client fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address of the service is not a URL.
    #[error("`{address}` is not the address of a service; write for example http://127.0.0.1:50051")]
    Address {
        /// The address, as given.
        address: String,
        /// What is wrong with it.
        #[source]
        source: tonic::transport::Error,
    },
    /// No connection to the service.
    #[error("{address} cannot be reached")]
    Unreachable {
        /// The address.
        address: String,
        /// Why not.
        #[source]
        source: tonic::transport::Error,
    },
    /// The token is not printable ASCII.
    #[error("the token contains a character that no token contains; copy the token again")]
    Token,
    /// The service answered a call with an error.
    #[error("{}", .0.message())]
    Call(#[from] Status),
    /// The header of a CSV file of profiles cannot be read.
    #[error(transparent)]
    Header(#[from] OpenError),
    /// A CSV file of profiles cannot be read to its end.
    #[error(transparent)]
    Row(RowError),
    /// The thread that reads a CSV file has panicked.
    #[error("the CSV file was not read to its end; this is a defect of the client")]
    Reader,
    /// The service closed the stream of an import early.
    #[error("the service ended the import without a summary; whether the rows are stored is unknown")]
    NoSummary,
    /// The output cannot be written.
    #[error("the output cannot be written")]
    Write(#[from] io::Error),
    /// The run has no result.
    #[error("{0} has no result, because it has not succeeded")]
    NoResult(String),
    /// The run failed.
    #[error("{reason}: {message}")]
    RunFailed {
        /// The reason, a name of `ErrorReason` without its prefix.
        reason: String,
        /// The same for people.
        message: String,
    },
    /// The resource has contents that this version does not know.
    #[error("{0} cannot be read: the service is newer than this program; update this program")]
    Newer(String),
    /// A message is not in the descriptor set, or its JSON form cannot be written.
    #[error("the JSON form of {message} cannot be produced")]
    Json {
        /// Full name of the message type.
        message: String,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
