//! The one integration binary.

mod call;
mod criteria;
mod docs;
mod edge;
mod errors;
mod faults;
mod fixed_clock;
mod health;
mod house;
mod import;
mod leaks;
mod postgres;
mod problem;
mod refusal;
mod request_id;
mod roles;
mod round;
mod solver;
mod spreadsheet;
mod store;
mod store_rules;
mod telemetry;
mod token;
mod validate_only;
mod wire;
mod world;
