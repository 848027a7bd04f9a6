//! wim-match: mentorship matching for independent Women-in-Mining organisations.
//!
//! A gRPC service takes mentor and mentee profiles in, matches them in rounds with a provably best assignment, explains
//! every match and every non-match, and keeps it all. The contract is `proto/wim/mentorship/v1`, the way to run it is in
//! `README.md`.
//!
//! # The way of a round
//!
//! Profiles come in over gRPC ([`api`]) and are checked whole by [`domain`]; the use cases of [`service`] ask whether the
//! caller may, and let [`store`] do it in one transaction with its journal line. Starting a run freezes the round into a
//! [`domain::snapshot::Snapshot`] and queues it in one transaction; the [`worker`] claims it by lease and fence, [`engine`]
//! solves it, and the result is saved in one transaction. Problems that somebody brings from outside come in by
//! [`instance`] and go to the same engine. Reasons travel as codes and are put into words at the edge, by
//! [`wording`]. [`server`] puts it all together; [`client`] calls it, and [`cli`] and [`demo`] use [`client`]; [`report`] draws
//! results.
//!
//! # Rules of the house
//!
//! They are held by tests, above all by `tests/it/house.rs`, which reads the `use` lines.
//!
//! - Direction: `domain` <- `engine` <- `instance`; `domain` <- `store`; all of them <- `service` <- `api`, `cli`, `worker` <-
//!   `server`. Nothing names what stands
//!   to its right.
//! - `engine` knows no database, no clock and no async. Only `store` names sqlx. The generated protos stay in `api` and
//!   `client`.
//! - One place for each decision: who may do what in `service::permission`, which pairs may be in [`engine::eligibility`],
//!   what a field may hold in `domain::profile`, which status an error gets in [`api::status`].
//! - Time, ids and randomness come from [`clock`], and nowhere else. The engine computes in integers, orders people by a
//!   hash of their names, and gives the same bytes for any order of input, number of threads, and machine.
//! - No name and no e-mail address has a field anywhere. No answer, id of a person or token goes into a log or a span.

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
