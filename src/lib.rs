//! wim-match: mentorship matching for independent Women-in-Mining organisations.
//!
//! A gRPC service takes profiles of mentors and mentees, matches them in rounds with an assignment that is proved to be the
//! best, computes the reasons of every match and of every person without one, and stores the whole result. The contract is
//! `proto/wim/mentorship/v1`. `README.md` shows how to run the service; `docs/architecture.md` shows a newcomer the map of
//! the code.
//!
//! # The way of a round
//!
//! 1. [`api`] receives profiles over gRPC. [`domain`] parses each profile and reports all its violations at once.
//! 2. A use case of [`service`] checks the permission of the caller. [`store`] writes the rows and the journal line in one
//!    transaction.
//! 3. The start of a run freezes the round into a [`domain::snapshot::Snapshot`] and queues the run, in one transaction.
//! 4. The [`worker`] claims the run by a lease with a fencing number, [`engine`] solves it, and the worker saves the result,
//!    which one transaction makes visible.
//! 5. Reasons are codes with parameters. [`wording`] renders them as sentences in the language of the caller.
//!
//! [`instance`] reads external problems; the same engine solves them. [`server`] starts the service from its parts.
//! [`client`] calls the service, and [`cli`] and [`demo`] use [`client`]; [`report`] draws a result.
//!
//! # Rules
//!
//! Tests hold these rules, above all `tests/it/house.rs`, which reads every path in the code.
//!
//! - Dependencies: `domain` <- `engine` <- `instance`; `domain` <- `store`; all of them <- `service` <- `api`, `console`, `worker`
//!   <- `server` <- `cli`. No part names a part to its right, and files have no circular dependencies.
//! - `engine` does not depend on a database, a clock or async code; it measures its stages with a stopwatch. Only `store` names
//!   sqlx. Only `api`, `client` and `server` name the generated module; `cli` and `demo` take its messages from `client`.
//! - One place makes each decision: `service::permission` decides which role may call a method, [`engine::eligibility`] decides
//!   which pairs are candidates, `domain::profile` decides what a field may contain, and [`api::status`] decides which gRPC code
//!   an error has.
//! - [`clock`] alone returns the time, creates ids and draws random bytes. The engine computes in integers and orders people by
//!   a hash of their ids. It returns the same bytes for any order of input, number of threads and machine.
//! - No type has a field for a name or an e-mail address. No answer, id of a person or token is written to a log or a span. The
//!   first start of `serve` shows the first token on a terminal, or writes it to a file that only its owner may read.

pub mod api;
pub mod check_in_csv;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod console;
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
pub mod table;
pub mod telemetry;
pub mod wording;
pub mod worker;
