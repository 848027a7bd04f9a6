//! A connection to the service, and the generated clients that act on it for one caller.

use std::time::Duration;

use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Request, Status};

use super::error::Error;
use super::retry::Retrying;
use crate::api::proto::v1::admin_service_client::AdminServiceClient;
use crate::api::proto::v1::event_service_client::EventServiceClient;
use crate::api::proto::v1::mentorship_service_client::MentorshipServiceClient;
use crate::api::proto::v1::organisation_service_client::OrganisationServiceClient;
use crate::api::proto::v1::privacy_service_client::PrivacyServiceClient;
use crate::api::proto::v1::profile_service_client::ProfileServiceClient;
use crate::api::proto::v1::report_service_client::ReportServiceClient;
use crate::api::proto::v1::review_service_client::ReviewServiceClient;
use crate::api::proto::v1::round_service_client::RoundServiceClient;
use crate::api::proto::v1::run_service_client::RunServiceClient;
use crate::api::proto::v1::solver_service_client::SolverServiceClient;
use crate::clock::{Clock as _, SystemClock};
use crate::domain::vocabulary::Lang;

/// Time to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Largest answer accepted: a page of very long profiles.
const MAX_ANSWER_BYTES: usize = 256 << 20;

/// Puts the token and the language of the reader into the metadata of every call.
#[derive(Debug, Clone)]
pub struct Bearer {
    token: Option<MetadataValue<Ascii>>,
    lang: Lang,
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("accept-language", MetadataValue::from_static(self.lang.tag()));
        if let Some(token) = &self.token {
            request.metadata_mut().insert("authorization", token.clone());
        }
        Ok(request)
    }
}

/// A connection whose calls carry the token of the caller.
pub type Authenticated = InterceptedService<Retrying, Bearer>;

/// Clients of all services, acting for one caller. A clone shares the connection.
#[derive(Debug, Clone)]
pub struct Client {
    /// Principals, their roles and their credentials.
    pub admin: AdminServiceClient<Authenticated>,
    /// Mentorships.
    pub mentorships: MentorshipServiceClient<Authenticated>,
    /// Organisations.
    pub organisations: OrganisationServiceClient<Authenticated>,
    /// The rights of people: consents.
    pub privacy: PrivacyServiceClient<Authenticated>,
    /// Profiles.
    pub profiles: ProfileServiceClient<Authenticated>,
    /// Rounds.
    pub rounds: RoundServiceClient<Authenticated>,
    /// Runs and their results.
    pub runs: RunServiceClient<Authenticated>,
    /// ReviewService.
    pub reviews: ReviewServiceClient<Authenticated>,
    /// Reports, and the parameters by which they count.
    pub reports: ReportServiceClient<Authenticated>,
    /// Events.
    pub events: EventServiceClient<Authenticated>,
    /// Problems that the caller brings.
    pub solver: SolverServiceClient<Authenticated>,
    /// Language of the reader, for texts that the client writes itself.
    pub lang: Lang,
}

/// TLS of a connection to an address that begins with `https://`. Texts are in PEM.
#[derive(Clone, Default)]
pub struct Tls {
    /// Authorities of the service's certificate; without them, those that browsers trust.
    pub ca: Option<Vec<u8>>,
    /// Client certificate of the caller, and its key.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl Tls {
    /// Whether everything is as without any setting.
    pub fn is_empty(&self) -> bool {
        self.ca.is_none() && self.identity.is_none()
    }

    fn config(&self) -> ClientTlsConfig {
        let config = match &self.ca {
            Some(ca) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca)),
            None => ClientTlsConfig::new().with_webpki_roots(),
        };
        match &self.identity {
            Some((certificate, key)) => config.identity(Identity::from_pem(certificate, key)),
            None => config,
        }
    }
}

/// The key is secret.
impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls")
            .field("ca", &self.ca.is_some())
            .field("identity", &self.identity.is_some())
            .finish()
    }
}

/// Opens a connection to the service at `server`, for example `http://127.0.0.1:50051`. With `https://` the service shows a
/// certificate of an authority that browsers trust.
pub async fn connect(server: &str) -> Result<Channel, Error> {
    connect_with(server, &Tls::default()).await
}

/// Opens a connection to the service at `server`, with TLS if its address begins with `https://`.
pub async fn connect_with(server: &str, tls: &Tls) -> Result<Channel, Error> {
    let address = || server.to_owned();
    let endpoint = Endpoint::from_shared(address())
        .and_then(|endpoint| match endpoint.uri().scheme_str() {
            Some("https") => endpoint.tls_config(tls.config()),
            _ => Ok(endpoint),
        })
        .map_err(|source| Error::Address { address: address(), source })?
        .connect_timeout(CONNECT_TIMEOUT);
    endpoint.connect().await.map_err(|source| Error::Unreachable { address: address(), source })
}

impl Client {
    /// Clients on `channel` that send `token`, if there is one, with every call. Texts of the service are in English.
    pub fn new(channel: &Channel, token: Option<&str>) -> Result<Self, Error> {
        Self::for_reader(channel, token, Lang::default())
    }

    /// The same, with the texts of the service in the language of the reader.
    pub fn for_reader(channel: &Channel, token: Option<&str>, lang: Lang) -> Result<Self, Error> {
        Self::over(&Retrying::never(channel.clone()), token, lang)
    }

    /// The same, and calls that the service refuses for now are repeated by the published policy
    /// (`clients/service-config.json`). A change needs a `request_id`: with it a repetition has no second effect.
    pub fn retrying(channel: &Channel, token: Option<&str>, lang: Lang) -> Result<Self, Error> {
        Self::over(&Retrying::as_published(channel.clone()), token, lang)
    }

    fn over(channel: &Retrying, token: Option<&str>, lang: Lang) -> Result<Self, Error> {
        let token = token.map(|token| format!("Bearer {token}").parse()).transpose();
        let bearer = Bearer { token: token.map_err(|_| Error::Token)?, lang };
        let authenticated = || InterceptedService::new(channel.clone(), bearer.clone());
        Ok(Self {
            lang,
            admin: AdminServiceClient::new(authenticated()),
            mentorships: MentorshipServiceClient::new(authenticated())
                .max_decoding_message_size(MAX_ANSWER_BYTES),
            organisations: OrganisationServiceClient::new(authenticated()),
            privacy: PrivacyServiceClient::new(authenticated()),
            profiles: ProfileServiceClient::new(authenticated()).max_decoding_message_size(MAX_ANSWER_BYTES),
            rounds: RoundServiceClient::new(authenticated()).max_decoding_message_size(MAX_ANSWER_BYTES),
            runs: RunServiceClient::new(authenticated()).max_decoding_message_size(MAX_ANSWER_BYTES),
            reviews: ReviewServiceClient::new(authenticated()).max_decoding_message_size(MAX_ANSWER_BYTES),
            reports: ReportServiceClient::new(authenticated()),
            events: EventServiceClient::new(authenticated()),
            solver: SolverServiceClient::new(authenticated()).max_decoding_message_size(MAX_ANSWER_BYTES),
        })
    }
}

/// A new `request_id`: the same id sent again makes a retry safe.
pub fn request_id() -> String {
    SystemClock.new_id().to_string()
}
