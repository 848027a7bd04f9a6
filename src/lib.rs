//! wim-match: mentorship matching for independent Women-in-Mining organisations.
//!
//! A gRPC service takes profiles of mentors and mentees, matches them in rounds with an assignment that is proved to be the
//! best, gives the reasons of every match and of every person without one, and stores all of it. The contract is
//! `proto/wim/mentorship/v1`. `README.md` shows how to run the service, `docs/architecture.md` the map for a newcomer.
//!
//! # The way of a round
//!
//! 1. Profiles arrive over gRPC in [`api`]. [`domain`] parses each one whole and lists all violations at once.
//! 2. A use case of [`service`] checks the permission of the caller. [`store`] writes the rows and the journal line in one
//!    transaction.
//! 3. The start of a run freezes the round into a [`domain::snapshot::Snapshot`] and queues the run, in one transaction.
//! 4. The [`worker`] claims the run by a lease with a fencing number, [`engine`] solves it, and the worker saves the result in
//!    one transaction.
//! 5. Reasons are codes with parameters; [`wording`] makes sentences of them where a caller reads them.
//!
//! [`instance`] reads problems that a caller brings; the same engine solves them. [`server`] puts the service together.
//! [`client`] calls the service, and [`cli`] and [`demo`] use [`client`]; [`report`] draws a result.
//!
//! # Rules
//!
//! Tests hold these rules, above all `tests/it/house.rs`, which reads every path in the code.
//!
//! - Direction: `domain` <- `engine` <- `instance`; `domain` <- `store`; all of them <- `service` <- `api`, `worker` <- `server` <-
//!   `cli`. No part names a part to its right, and no files take items from each other in a circle.
//! - `engine` knows no database, no clock and no async code. Only `store` names sqlx. The generated messages stay in `api` and
//!   `client`.
//! - One place for each decision: `service::permission` decides which role may call a method, [`engine::eligibility`] which pairs
//!   are candidates, `domain::profile` what a field may hold, [`api::status`] which gRPC code an error has.
//! - Time, ids and random bytes come from [`clock`] alone. The engine computes in integers and orders people by a hash of
//!   their names. It gives the same bytes for any order of input, number of threads and machine.
//! - No type has a field for a name or an e-mail address. No answer, id of a person or token is written to a log or a span.

pub mod api;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod demo;
pub mod domain;
pub mod engine;
pub mod error;
pub mod instance;
pub mod profile_csv;
pub mod report;
pub mod server;
pub mod service;
pub mod store;
pub mod telemetry;
pub mod wording;
pub mod worker;
