//! gRPC client of the service: what the command line and the demo share, and what Rust users call.
//!
//! [`Client`] holds one generated client per gRPC service. Every call carries the token of the caller. The messages of the
//! contract are in [`v1`]. On top of the calls stand the longer procedures:
//!
//! - [`Import`] streams a CSV file of profiles to the service, in memory that does not grow with the file.
//! - [`export`](fn@export) writes all profiles of an organisation as CSV or JSON.
//! - [`watch`] follows a run until it ends.
//! - [`Results`] fetches everything about a run that succeeded; [`story`] puts it into sentences and tables.
//!
//! Every function returns [`Error`] on failure. An error of the service keeps its gRPC status with all details.
//!
//! # Example
//!
//! A coordinator runs a round and prints its matches:
//!
//! ```no_run
//! use wim_match::client::{self, Client, Results, v1};
//!
//! # async fn example(token: &str) -> Result<(), client::Error> {
//! let channel = client::connect("http://127.0.0.1:50051").await?;
//! let client = Client::new(&channel, Some(token))?;
//! let request =
//!     v1::StartRunRequest { round: "rounds/2027-first".to_owned(), request_id: client::request_id(), validate_only: false, ..v1::StartRunRequest::default() };
//! let run = client.runs.clone().start_run(request).await?.into_inner().run.unwrap_or_default();
//! let run = client::watch(&client, &run.name, |run| eprintln!("{:?}", run.progress)).await?;
//! client::success(&run)?;
//! for pair in Results::fetch(&client, run).await?.matches {
//!     println!("{} is matched with {}", pair.mentee.short(), pair.mentor.short());
//! }
//! # Ok(())
//! # }
//! ```

mod admin;
mod check_in;
mod connection;
pub mod diagnosis;
mod error;
mod event;
mod export;
mod import;
pub mod json;
mod mentorship;
mod organisation;
pub mod output;
mod page;
mod privacy;
pub mod private;
pub mod progress;
mod report;
mod results;
mod retry;
mod review;
mod run;
pub mod story;

pub use check_in::{CheckInImport, export_check_ins, write_due};
pub use connection::{Authenticated, Bearer, Client, Tls, connect, connect_with, request_id};
pub use error::Error;
pub use event::follow;
pub use export::{Form, export};
pub use import::{Finding, Import, Notice, Problem};
pub use results::Results;
pub use retry::Retrying;
pub use run::{criterion, invitations_of, success, summary, watch};
pub use tonic::transport::Channel;

pub use crate::api::convert::moment;
/// Messages and generated service clients of the contract, `wim.mentorship.v1`.
pub use crate::api::convert::{field_mask, time_shown, timestamp};
pub use crate::api::proto::v1;
