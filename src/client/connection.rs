//! The gRPC client: a channel and the caller's token.

use std::time::Duration;

use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use crate::api::proto::v1::organisation_service_client::OrganisationServiceClient;
use crate::api::proto::v1::profile_service_client::ProfileServiceClient;
use crate::api::proto::v1::round_service_client::RoundServiceClient;
use crate::api::proto::v1::solver_service_client::SolverServiceClient;

/// Time to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Largest answer accepted: a page of very long profiles.
const MAX_ANSWER_BYTES: usize = 256 << 20;

/// Puts the token into the metadata of every call.
#[derive(Debug, Clone)]
pub struct Bearer(Option<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", token.clone());
        }
        Ok(request)
    }
}

type Authenticated = InterceptedService<Channel, Bearer>;

/// Clients of all services, acting for one caller.
#[derive(Debug, Clone)]
pub struct Client {
    /// Organisations.
    pub organisations: OrganisationServiceClient<Authenticated>,
    /// Profiles.
    pub profiles: ProfileServiceClient<Authenticated>,
    /// Rounds.
    pub rounds: RoundServiceClient<Authenticated>,
    /// Problems of the caller's own.
    pub solver: SolverServiceClient<Authenticated>,
}

/// Opens a connection to the service.
pub async fn connect(server: &str) -> anyhow::Result<Channel> {
    let endpoint = Endpoint::from_shared(server.to_owned())
        .map_err(|error| anyhow::anyhow!("`{server}` is not an address of a service: {error}"))?
        .connect_timeout(CONNECT_TIMEOUT);
    Ok(endpoint.connect().await.map_err(|error| {
        let source =
            std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
        Status::unavailable(format!("{server} cannot be reached{source}"))
    })?)
}

impl Client {
    /// Clients on `channel` with `token`.
    pub fn new(channel: &Channel, token: Option<&str>) -> anyhow::Result<Self> {
        let bearer = token.map(|token| format!("Bearer {token}").parse()).transpose();
        let bearer = Bearer(bearer.map_err(|_| anyhow::anyhow!("the token has characters no token has"))?);
        let authenticated = || InterceptedService::new(channel.clone(), bearer.clone());
        Ok(Self {
            organisations: OrganisationServiceClient::new(authenticated()),
            profiles: ProfileServiceClient::new(authenticated()).max_decoding_message_size(MAX_ANSWER_BYTES),
            rounds: RoundServiceClient::new(authenticated()).max_decoding_message_size(MAX_ANSWER_BYTES),
            solver: SolverServiceClient::new(authenticated()).max_decoding_message_size(MAX_ANSWER_BYTES),
        })
    }
}

/// A new `request_id`.
pub fn request_id() -> String {
    use crate::clock::{Clock as _, SystemClock};
    SystemClock.new_id().to_string()
}
