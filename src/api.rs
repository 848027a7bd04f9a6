//! The gRPC edge: thin services that authenticate, convert, call the use case and convert back. No decision is made here.

pub mod convert;
pub mod proto;
pub mod status;

mod auth;
mod call_layer;
mod deadline;
mod health;
mod incoming;
mod organisation;
mod profile;
mod round;
mod solver;
mod streams;

pub use call_layer::CallLayer;
pub use health::HealthApi;
pub use organisation::OrganisationApi;
pub use profile::ProfileApi;
pub use round::RoundApi;
pub use solver::SolverApi;
pub use streams::Streams;
