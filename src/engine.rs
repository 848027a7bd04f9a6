//! The engine: a frozen round in, the best assignment with its proof and its reasons out. Pure: no database, no clock,
//! no async, no input or output.

pub mod assign;
mod census;
pub mod certify;
pub mod eligibility;
pub mod encode;
mod explain;
pub mod problem;
pub mod score;
mod summary;
mod unmatched;
