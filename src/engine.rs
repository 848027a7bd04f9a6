//! The engine: a frozen round in, the best assignment with its proof and its reasons out. Pure: no database, no clock,
//! no async, no input or output.

mod census;
pub mod eligibility;
pub mod encode;
mod explain;
pub mod problem;
pub mod score;
mod summary;
mod unmatched;
