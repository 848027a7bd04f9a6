//! Authentication: the caller of the credential in the call's metadata.

use tonic::Status;
use tonic::metadata::MetadataMap;

use crate::domain::caller::Caller;
use crate::error::Error;
use crate::service::Service;

/// The caller of the token in `authorization: Bearer <token>`.
pub(super) async fn caller_of(service: &Service, metadata: &MetadataMap) -> Result<Caller, Status> {
    let token = metadata
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or(Error::Unauthenticated)?;
    Ok(service.authenticate(token).await?)
}
