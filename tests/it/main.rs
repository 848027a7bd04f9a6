//! The one integration binary.

mod postgres;
mod store;
