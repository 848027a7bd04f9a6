//! The gRPC API: thin services that authenticate the caller, convert the request, call the use case and convert the
//! answer. One file per service; no decision is made here.

pub mod convert;
pub mod proto;
pub mod status;

mod admin;
mod auth;
mod call_layer;
mod check_in;
mod consultation;
mod deadline;
mod edge;
mod event;
mod health;
mod incoming;
mod known_fields;
mod measure;
mod mentorship;
mod organisation;
mod page;
mod privacy;
mod profile;
mod reader;
mod report;
mod review;
mod round;
mod run;
mod solver;
mod standing;
mod streams;
mod web;

pub use admin::AdminApi;
pub use auth::{Issuer, Trusted};
pub use call_layer::{CallLayer, CallService};
pub use edge::{Cause, Connection, Counts, Edge, Limits, ProxyHeader, Rates};
pub use event::EventApi;
pub use health::HealthApi;
pub(crate) use known_fields::KnownFields;
pub use measure::Measures;
pub use mentorship::MentorshipApi;
pub use organisation::OrganisationApi;
pub use privacy::PrivacyApi;
pub use profile::ProfileApi;
pub use report::ReportApi;
pub use review::ReviewApi;
pub use round::RoundApi;
pub use run::RunApi;
pub use solver::SolverApi;
pub use streams::Streams;
pub use web::{Web, WebService};
