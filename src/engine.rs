//! The engine: a frozen round in, the best assignment with its proof and its reasons out. Pure: no database, no clock,
//! no async, no input or output.

pub mod assign;
pub mod certify;
pub mod problem;
