//! The demonstration: an invented alliance and one whole round of it.

pub mod alliance;
