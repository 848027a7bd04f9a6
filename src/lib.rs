//! wim-match: mentorship matching for independent Women-in-Mining organisations.

pub mod api;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod domain;
pub mod engine;
pub mod error;
pub mod profile_csv;
pub mod report;
pub mod server;
pub mod service;
pub mod store;
pub mod telemetry;
pub mod wording;
pub mod worker;
