//! TLS of the port for calls: who is served, who is refused, and what changes while the service runs.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
use wim_match::api::Cause;
use wim_match::api::proto::v1;
use wim_match::client::{Client, Tls, connect, connect_with};
use wim_match::config::{Config, Overrides};
use wim_match::domain::grant::Role;
use wim_match::server::Server;

use crate::certificates::{Authority, Issued, LONG_AGO};
use crate::fixed_clock::FixedClock;
use crate::world::soon;

/// A service with TLS, and the files of its certificate.
struct Secured {
    server: Server,
    home: TempDir,
    token: String,
}

impl Secured {
    async fn start(issued: &Issued, change: impl FnOnce(&mut Config, &Path)) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        write(home.path(), issued);
        let database = format!("sqlite:{}", home.path().join("wim.sqlite3").display());
        let overrides = Overrides { database: Some(database), ..Overrides::default() };
        let mut config = Config::load(&overrides).expect("a good configuration");
        config.tls_certificate = home.path().join("tls.pem").display().to_string();
        config.tls_key = home.path().join("tls.key").display().to_string();
        change(&mut config, home.path());
        let clock = FixedClock::at("2027-01-10T12:00:00Z".parse().expect("a moment"));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let server = Server::start_with(config, listener.into(), "test", Arc::new(clock)).await;
        let server = server.expect("the server starts");
        let token = server.service().issue_token(&Role::Coordinator, "test").await.expect("a token");
        Self { server, home, token }
    }

    fn address(&self) -> String {
        format!("https://{}", self.server.address())
    }

    /// Whether a coordinator with these settings is served.
    async fn serves(&self, tls: &Tls) -> bool {
        let Ok(channel) = soon(connect_with(&self.address(), tls)).await else { return false };
        let mut client = Client::new(&channel, Some(&self.token)).expect("a client");
        soon(client.rounds.list_rounds(v1::ListRoundsRequest::default())).await.is_ok()
    }

    async fn stop(self) {
        self.server.stop().await.expect("the server stops");
    }
}

fn write(home: &Path, issued: &Issued) {
    std::fs::write(home.join("tls.pem"), &issued.certificate).expect("is written");
    std::fs::write(home.join("tls.key"), &issued.key).expect("is written");
}

fn trusting(authority: &Authority) -> Tls {
    Tls { ca: Some(authority.pem.clone().into_bytes()), identity: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_is_served_over_tls_by_the_service_that_she_means() {
    let (authority, other) = (Authority::new("Authority"), Authority::new("Authority"));
    let secured = Secured::start(&authority.issue("127.0.0.1"), |_, _| {}).await;
    assert!(secured.serves(&trusting(&authority)).await);
    assert!(!secured.serves(&trusting(&other)).await, "another authority with the same name");
    assert!(!secured.serves(&Tls::default()).await, "an authority that no browser trusts");
    let plain = secured.address().replace("https://", "http://");
    let plain = match soon(connect(&plain)).await {
        Ok(channel) => {
            let mut client = Client::new(&channel, Some(&secured.token)).expect("a client");
            soon(client.rounds.list_rounds(v1::ListRoundsRequest::default())).await.is_ok()
        }
        Err(_) => false,
    };
    assert!(!plain, "plain text");
    secured.stop().await;
    for wrong in [authority.issue("wim.example"), authority.issue_for("127.0.0.1", LONG_AGO)] {
        let secured = Secured::start(&wrong, |_, _| {}).await;
        assert!(!secured.serves(&trusting(&authority)).await, "another name, or a certificate of 2000");
        secured.stop().await;
    }
}

/// The version that a client gets which offers `version` alone.
async fn negotiated(
    secured: &Secured,
    authority: &Authority,
    version: &'static SupportedProtocolVersion,
    protocol: &[u8],
) -> std::io::Result<Option<ProtocolVersion>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).expect("PEM")).expect("an authority");
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .expect("a version")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let stream = TcpStream::connect(secured.server.address()).await?;
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    Ok(stream.get_ref().1.protocol_version())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_versions_of_tls_carry_http_2_and_nothing_else() {
    let authority = Authority::new("Authority");
    let secured = Secured::start(&authority.issue("127.0.0.1"), |_, _| {}).await;
    for version in [&TLS12, &TLS13] {
        let agreed = negotiated(&secured, &authority, version, b"h2").await.expect("a connection");
        assert_eq!(agreed, Some(version.version));
        negotiated(&secured, &authority, version, b"http/1.1").await.expect_err("another protocol");
    }
    secured.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewed_certificate_counts_without_a_restart_and_a_broken_one_does_not() {
    let (old, new) = (Authority::new("Old"), Authority::new("New"));
    let secured = Secured::start(&old.issue("127.0.0.1"), |_, _| {}).await;
    // The key of another certificate: what was read before stays in use.
    std::fs::write(secured.home.path().join("tls.key"), new.issue("127.0.0.1").key).expect("is written");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(secured.serves(&trusting(&old)).await, "a key that does not fit changes nothing");
    write(secured.home.path(), &new.issue("127.0.0.1"));
    let renewed = tokio::time::timeout(Duration::from_secs(20), async {
        while !secured.serves(&trusting(&new)).await {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    renewed.await.expect("the new certificate is shown");
    assert!(!secured.serves(&trusting(&old)).await);
    std::fs::remove_file(secured.home.path().join("tls.pem")).expect("is removed");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(secured.serves(&trusting(&new)).await, "a file that is gone changes nothing");
    secured.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handshake_that_fails_or_never_ends_is_closed_and_counted() {
    let authority = Authority::new("Authority");
    let issued = authority.issue("127.0.0.1");
    let secured = Secured::start(&issued, |config, _| config.first_call_seconds = 1).await;
    let mut silent = TcpStream::connect(secured.server.address()).await.expect("connects");
    let mut wrong = TcpStream::connect(secured.server.address()).await.expect("connects");
    wrong.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.expect("is sent");
    for stream in [&mut silent, &mut wrong] {
        let mut answer = Vec::new();
        // An alert may come first, and a reset may come instead of an end.
        drop(soon(stream.read_to_end(&mut answer)).await);
    }
    let counts = secured.server.counts();
    assert_eq!(counts.refused_for(Cause::Handshake), 2, "{counts:?}");
    // A probe that connects and leaves is no attack.
    drop(TcpStream::connect(secured.server.address()).await.expect("connects"));
    assert!(secured.serves(&trusting(&authority)).await);
    assert_eq!(secured.server.counts().refused_for(Cause::Handshake), 2);
    secured.stop().await;
}

fn program(home: &Path) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_wim-match"));
    program.env_clear().current_dir(home).env("WIM_MATCH_MONITORING_LISTEN", "");
    program
}

#[test]
fn a_service_that_other_machines_reach_has_tls_or_says_that_a_proxy_has_it() {
    let home = tempfile::tempdir().expect("a folder");
    let refused =
        program(home.path()).args(["serve", "--listen", "0.0.0.0:0"]).output().expect("the program runs");
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(3), "{told}");
    assert!(told.contains("0.0.0.0:0") && told.contains("--plain-text-behind-a-proxy"), "{told}");
    assert_eq!(std::fs::read_dir(home.path()).expect("a folder").count(), 0, "nothing was created");
    let wrong = program(home.path())
        .args(["serve", "--listen", "0.0.0.0:0"])
        .env("WIM_MATCH_TLS_CERTIFICATE", "absent.pem")
        .env("WIM_MATCH_TLS_KEY", "absent.key")
        .output()
        .expect("the program runs");
    let told = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert_eq!(wrong.status.code(), Some(3), "{told}");
    assert!(told.contains("tls_certificate") && told.contains("absent.pem"), "{told}");
}

#[test]
fn the_command_line_speaks_tls_with_a_service_that_does() {
    let home = tempfile::tempdir().expect("a folder");
    let authority = Authority::new("Authority");
    write(home.path(), &authority.issue("127.0.0.1"));
    std::fs::write(home.path().join("ca.pem"), &authority.pem).expect("is written");
    let mut service = program(home.path())
        .args(["serve", "--listen", "0.0.0.0:0"])
        .env("WIM_MATCH_TLS_CERTIFICATE", "tls.pem")
        .env("WIM_MATCH_TLS_KEY", "tls.key")
        .env("WIM_MATCH_LOG_FILTER", "warn")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the service starts");
    let lines = std::io::BufRead::lines(std::io::BufReader::new(service.stderr.take().expect("its words")));
    let said = lines.map_while(Result::ok).find_map(|line| {
        line.strip_prefix("wim-match listens on https://")
            .map(|address| address.replace("0.0.0.0", "127.0.0.1"))
    });
    let address = said.expect("the service says where it listens");
    let health = |server: &str, options: &[&str]| {
        let mut program = program(home.path());
        program.args(["health", "--live", "--server", server]).args(options).output().expect("runs")
    };
    let good = health(&format!("https://{address}"), &["--ca", "ca.pem"]);
    let strange = health(&format!("https://{address}"), &[]);
    let plain = health(&format!("http://{address}"), &["--ca", "ca.pem"]);
    service.kill().expect("is killed");
    service.wait().expect("has ended");
    assert!(good.status.success(), "{good:?}");
    assert_eq!(strange.status.code(), Some(7), "{strange:?}");
    let told = String::from_utf8_lossy(&plain.stderr).into_owned();
    assert!(told.contains("https:// instead of http://"), "{told}");
}
