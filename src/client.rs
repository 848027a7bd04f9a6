//! gRPC client of the service: what the command line and the demo share, and what Rust users call.

pub mod connection;
pub mod output;
pub mod results;
pub mod story;
