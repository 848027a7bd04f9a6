//! Thin gRPC services: convert, call the use case, convert back.

pub mod proto;
