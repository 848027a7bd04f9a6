//! TLS of the port for calls: versions 1.2 and 1.3 with authenticated encryption alone, by rustls with ring.
//!
//! Input: the files of the settings `tls_certificate`, `tls_key` and `tls_client_ca`, which are watched. No session is
//! resumed: each connection shows its client certificate anew, and the service verifies it by its own clock.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use tokio_rustls::rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use tokio_rustls::rustls::time_provider::TimeProvider;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::expiry::end_of_validity;
use super::watched::Watched;
use crate::clock::Clock;
use crate::config::{Config, ConfigError};

/// The one protocol of calls inside of TLS.
const HTTP_2: &[u8] = b"h2";
/// What browsers speak as well.
const HTTP_1_1: &[u8] = b"http/1.1";

/// What the service shows and what it accepts.
#[derive(Debug)]
pub(super) struct Shown {
    /// For connections of calls.
    pub(super) config: Arc<ServerConfig>,
    /// For connections of browsers, which show no certificate of their own.
    pub(super) web: Arc<ServerConfig>,
    /// The moment at which the first certificate of the chain ends, if it can be read.
    pub(super) until: Option<Timestamp>,
}

/// The same, as it is at present.
pub(super) type Current = watch::Receiver<Arc<Shown>>;

/// The same, with what follows the files.
pub(super) type Followed = (Current, Watched<Arc<Shown>>);

/// TLS as the settings want it; `None` without a certificate.
pub(super) async fn of(config: &Config, clock: &Arc<dyn Clock>) -> Result<Option<Followed>, ConfigError> {
    if !config.has_tls() {
        return Ok(None);
    }
    let settings = [&config.tls_certificate, &config.tls_key, &config.tls_client_ca];
    let files = settings.into_iter().filter(|file| !file.is_empty()).map(PathBuf::from).collect();
    let clock = Arc::clone(clock);
    let made = move |contents: &[Vec<u8>]| made_of(contents, Arc::clone(&clock));
    let watched = Watched::open("certificate", files, made).await;
    let watched = watched.map_err(|error| ConfigError::of_files("tls_certificate", &error))?;
    Ok(Some((watched.current(), watched)))
}

/// SHA-256 of a certificate, in hexadecimal.
pub(super) fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    hex::encode(Sha256::digest(certificate))
}

/// The moment of the service's clock.
#[derive(Debug)]
struct Now(Arc<dyn Clock>);

impl TimeProvider for Now {
    fn current_time(&self) -> Option<UnixTime> {
        let micros = u64::try_from(self.0.now().as_microsecond()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_micros(micros)))
    }
}

/// `contents`: the certificate, its key, and the authorities of client certificates, if there are any.
fn made_of(contents: &[Vec<u8>], clock: Arc<dyn Clock>) -> anyhow::Result<Arc<Shown>> {
    let (chain, key) = match contents {
        [chain, key, ..] => (certificates(chain).context("the certificate")?, key),
        _ => anyhow::bail!("the certificate or its key is missing"),
    };
    let until = chain.iter().filter_map(|certificate| end_of_validity(certificate)).min();
    let key = PrivateKeyDer::from_pem_slice(key).context("the key is no PEM")?;
    let provider = Arc::new(ring::default_provider());
    let verifier = match contents.get(2) {
        None => WebPkiClientVerifier::no_client_auth(),
        Some(authorities) => {
            let mut roots = RootCertStore::empty();
            for authority in certificates(authorities).context("the authorities of client certificates")? {
                roots.add(authority).context("an authority of client certificates")?;
            }
            // A caller may come with a token instead.
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .allow_unauthenticated()
                .build()?
        }
    };
    let clock = Arc::new(Now(clock));
    let configured = |verifier, protocols: &[&[u8]]| -> anyhow::Result<Arc<ServerConfig>> {
        let mut config = ServerConfig::builder_with_details(Arc::clone(&provider), clock.clone())
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain.clone(), key.clone_key())
            .context("the certificate and its key")?;
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    };
    let web = configured(WebPkiClientVerifier::no_client_auth(), &[HTTP_2, HTTP_1_1])?;
    Ok(Arc::new(Shown { config: configured(verifier, &[HTTP_2])?, web, until }))
}

fn certificates(pem: &[u8]) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>().context("no PEM")?;
    ensure!(!read.is_empty(), "the file has no certificate in PEM");
    Ok(read)
}
