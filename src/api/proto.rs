//! The generated contract, `wim.mentorship.v1`. It stays inside `api` and `client`.

#[expect(
    missing_docs,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated; the protos carry the documentation"
)]
pub mod v1 {
    tonic::include_proto!("wim.mentorship.v1");
}

/// The whole descriptor set, for reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
