//! The one integration binary.

mod call;
mod docs;
mod errors;
mod health;
mod house;
mod import;
mod postgres;
mod problem;
mod refusal;
mod request_id;
mod roles;
mod round;
mod solver;
mod store;
mod telemetry;
mod wire;
mod world;
