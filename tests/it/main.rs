//! The one integration binary.

mod call;
mod house;
mod postgres;
mod refusal;
mod request_id;
mod roles;
mod round;
mod store;
mod world;
