//! TLS of the port for calls: who is served, who is refused, and what changes while the service runs.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
use tonic_types::StatusExt as _;
use wim_match::api::Cause;
use wim_match::api::proto::v1;
use wim_match::api::proto::v1::credential::Identity;
use wim_match::client::{Client, Tls, connect, connect_with};
use wim_match::clock::Clock as _;
use wim_match::config::{Config, Overrides};
use wim_match::domain::grant::Role;
use wim_match::server::{Listeners, Server};

use crate::certificates::{Authority, Issued, LONG_AGO};
use crate::fixed_clock::FixedClock;
use crate::refusal::reason;
use crate::world::{World, mentee, mentor, soon};

/// The moment of the service's clock.
const NOW: &str = "2027-01-10T12:00:00Z";

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
        let clock = FixedClock::at(NOW.parse().expect("a moment"));
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
        self.answer(tls, Some(&self.token)).await.is_ok()
    }

    /// Whether a caller with this credential and these settings is served; the reason if not, or the failure of the connection.
    async fn answer(&self, tls: &Tls, bearer: Option<&str>) -> Result<(), String> {
        let channel = soon(connect_with(&self.address(), tls)).await.map_err(|error| error.to_string())?;
        let mut client = Client::new(&channel, bearer).expect("a client");
        let answered = soon(client.rounds.list_rounds(v1::ListRoundsRequest::default())).await;
        answered.map(drop).map_err(|status| match status.get_details_error_info() {
            Some(_) => reason(&status),
            // The connection broke: the service refused the certificate.
            None => "no connection".to_owned(),
        })
    }

    /// Changes the database past the service: gives the coordinator another credential, for example.
    async fn execute(&self, statement: String) {
        let database = format!("sqlite:{}", self.home.path().join("wim.sqlite3").display());
        let mut connection = SqliteConnection::connect(&database).await.expect("connects");
        sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.expect("executes");
        connection.close().await.expect("closes");
    }

    /// Gives the coordinator another credential, as the Secretariat does it.
    async fn also_known_by(&self, tls: &Tls, identity: Identity) {
        let role = Role::Secretariat;
        let secretariat = self.server.service().issue_token(&role, "test").await.expect("a token");
        let channel = connect_with(&self.address(), tls).await.expect("connects");
        let client = |token: &str| Client::new(&channel, Some(token)).expect("a client");
        register(&client(&secretariat), &client(&self.token), identity).await;
    }

    async fn stop(self) {
        self.server.stop().await.expect("the server stops");
    }
}

/// Registers a credential of somebody over gRPC.
async fn register(secretariat: &Client, whose: &Client, identity: Identity) {
    let who = whose.admin.clone().who_am_i(v1::WhoAmIRequest {}).await.expect("is known").into_inner();
    let request = v1::CreateCredentialRequest {
        parent: who.principal.expect("a principal").name,
        credential: Some(v1::Credential { identity: Some(identity), ..v1::Credential::default() }),
        ..v1::CreateCredentialRequest::default()
    };
    let created =
        secretariat.admin.clone().create_credential(request).await.expect("is created").into_inner();
    assert!(created.token.is_empty() && !created.token_shown_before, "no token was made");
}

fn jwt_of(subject: &str) -> Identity {
    let issuer = "https://login.example".to_owned();
    Identity::Jwt(v1::JwtIdentity { issuer, subject: subject.to_owned() })
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
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
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

/// What the alert WimMatchCertificateEnds watches.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_metrics_say_how_long_the_certificate_is_valid() {
    let home = tempfile::tempdir().expect("a folder");
    let authority = Authority::new("Authority");
    write(home.path(), &authority.issue_for("127.0.0.1", ("20200101000000Z", "20401231235959Z")));
    let database = format!("sqlite:{}", home.path().join("wim.sqlite3").display());
    let overrides = Overrides { database: Some(database), ..Overrides::default() };
    let mut config = Config::load(&overrides).expect("a good configuration");
    config.tls_certificate = home.path().join("tls.pem").display().to_string();
    config.tls_key = home.path().join("tls.key").display().to_string();
    let bind = || TcpListener::bind("127.0.0.1:0");
    let listeners = Listeners {
        calls: bind().await.expect("a free port"),
        monitoring: Some(bind().await.expect("a free port")),
        console: None,
    };
    let now: jiff::Timestamp = NOW.parse().expect("a moment");
    let server = Server::start_with(config, listeners, "test", Arc::new(FixedClock::at(now))).await;
    let server = server.expect("the server starts");
    let mut scrape =
        TcpStream::connect(server.monitoring_address().expect("a port")).await.expect("connects");
    let request = b"GET /metrics HTTP/1.1\r\nhost: wim\r\nconnection: close\r\n\r\n";
    scrape.write_all(request).await.expect("is sent");
    let mut text = String::new();
    scrape.read_to_string(&mut text).await.expect("is answered");
    let name = "wim_match_tls_certificate_remaining_seconds";
    let line = text.lines().find(|line| line.starts_with(name)).expect("a gauge");
    let seconds: f64 = line.rsplit(' ').next().expect("a value").parse().expect("a number");
    let end: jiff::Timestamp = "2040-12-31T23:59:59Z".parse().expect("a moment");
    assert!((seconds - end.duration_since(now).as_secs_f64()).abs() < 2.0, "{line}");
    server.stop().await.expect("the server stops");
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_certificate_of_the_right_authority_names_the_caller_it_was_registered_for() {
    let (authority, clients, wrong) =
        (Authority::new("A"), Authority::new("Clients"), Authority::new("Clients"));
    let secured = Secured::start(&authority.issue("127.0.0.1"), |config, home| {
        std::fs::write(home.join("clients.pem"), &clients.pem).expect("is written");
        config.tls_client_ca = home.join("clients.pem").display().to_string();
    })
    .await;
    let with = |issued: &Issued| Tls { identity: Some(issued.identity()), ..trusting(&authority) };
    let known = clients.issue("coordinator.example");
    let fingerprint = known.fingerprint();
    let identity = Identity::Certificate(v1::CertificateIdentity { fingerprint });
    secured.also_known_by(&trusting(&authority), identity).await;
    secured.answer(&with(&known), None).await.expect("the certificate names her");
    let refused = |answer: Result<(), String>| answer.expect_err("is refused");
    let unauthenticated = "UNAUTHENTICATED";
    let stranger = clients.issue("coordinator.example");
    assert_eq!(
        refused(secured.answer(&with(&stranger), None).await),
        unauthenticated,
        "the same name is not enough"
    );
    assert_eq!(refused(secured.answer(&trusting(&authority), None).await), unauthenticated, "no certificate");
    for (issued, what) in [
        (wrong.issue("coordinator.example"), "another authority of the same name"),
        (clients.issue_for("coordinator.example", LONG_AGO), "a certificate of 2000"),
        (authority.issue("coordinator.example"), "the authority of the service"),
    ] {
        // Even if somebody has registered it.
        secured
            .execute(format!(
                "UPDATE credential SET identity = '{}' WHERE kind = 'certificate'",
                issued.fingerprint()
            ))
            .await;
        let why = refused(secured.answer(&with(&issued), None).await);
        assert_ne!(why, unauthenticated, "{what} has a connection");
        let why = refused(secured.answer(&with(&issued), Some(&secured.token)).await);
        assert_ne!(why, unauthenticated, "{what} has a connection with a token");
    }
    // A header beats the certificate of the connection: a wrong one is refused, and a right one names its own caller.
    secured
        .execute(format!(
            "UPDATE credential SET identity = '{}' WHERE kind = 'certificate'",
            known.fingerprint()
        ))
        .await;
    secured.answer(&with(&known), Some(&secured.token)).await.expect("the token names her");
    let forged = format!("wimm_{}", "0".repeat(64));
    assert_eq!(refused(secured.answer(&with(&known), Some(&forged)).await), unauthenticated);
    assert_eq!(
        refused(secured.answer(&with(&known), Some("a.b.c")).await),
        unauthenticated,
        "a JWT without an issuer"
    );
    secured.execute("UPDATE credential SET revoke_micros = 1 WHERE kind = 'certificate'".to_owned()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(refused(secured.answer(&with(&known), None).await), unauthenticated, "is revoked");
    secured.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_jwt_of_the_configured_issuer_names_its_subject_and_follows_the_file_of_keys() {
    let authority = Authority::new("Authority");
    let (old, new) = (JwtSigner::new("old"), JwtSigner::new("new"));
    let secured = Secured::start(&authority.issue("127.0.0.1"), |config, home| {
        std::fs::write(home.join("keys.json"), old.jwks()).expect("is written");
        config.jwt_jwks = home.join("keys.json").display().to_string();
        config.jwt_issuer = "https://login.example".to_owned();
        config.jwt_audience = "wim-match".to_owned();
    })
    .await;
    let tls = trusting(&authority);
    secured.also_known_by(&tls, jwt_of("maria")).await;
    let answer = async |jwt: &str| secured.answer(&tls, Some(jwt)).await;
    answer(&old.signed("maria")).await.expect("she is known");
    for (jwt, what) in [
        (old.signed("ana"), "a subject that nobody has registered"),
        (new.signed("maria"), "another key"),
        (old.signed("maria") + "x", "another signature"),
    ] {
        assert_eq!(answer(&jwt).await, Err("UNAUTHENTICATED".to_owned()), "{what}");
    }
    let keys = secured.home.path().join("keys.json");
    std::fs::write(&keys, "{\"keys\": []}").expect("is written");
    tokio::time::sleep(Duration::from_secs(3)).await;
    answer(&old.signed("maria")).await.expect("a broken file changes nothing");
    std::fs::write(&keys, new.jwks()).expect("is written");
    let renewed = tokio::time::timeout(Duration::from_secs(20), async {
        while answer(&new.signed("maria")).await.is_err() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    renewed.await.expect("the new key counts without a restart");
    assert_eq!(answer(&old.signed("maria")).await, Err("UNAUTHENTICATED".to_owned()), "the old key is gone");
    secured.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_with_the_jwt_that_opened_it() {
    let (signer, home) = (JwtSigner::new("key"), tempfile::tempdir().expect("a folder"));
    let keys = home.path().join("keys.json");
    std::fs::write(&keys, signer.jwks()).expect("is written");
    let world = World::sqlite_with(|config| {
        config.worker = false;
        config.jwt_jwks = keys.display().to_string();
        "https://login.example".clone_into(&mut config.jwt_issuer);
        "wim-match".clone_into(&mut config.jwt_audience);
    })
    .await;
    let mut manager = world.manager("wim-peru").await;
    manager.import(vec![mentor("mentor", 1), mentee("mentee")]).await;
    world.open_round("r").await;
    manager.enrol_all("rounds/r").await;
    let run = world.start_run("rounds/r").await;
    let secretariat = world.caller(&["secretariat"]).await.0;
    register(&secretariat, &manager.client, jwt_of("maria")).await;
    let jwt = signer.signed_at("maria", world.clock().now());
    let request = v1::WatchRunRequest { name: run.name };
    let mut watch = world.client(Some(&jwt)).runs.watch_run(request).await.expect("watches").into_inner();
    watch.message().await.expect("goes on").expect("the run as it is");
    world.clock().advance(Duration::from_secs(329));
    let still = tokio::time::timeout(Duration::from_millis(1_500), watch.message()).await;
    assert!(still.is_err(), "the stream of a good JWT goes on");
    world.clock().advance(Duration::from_secs(1));
    let ended = soon(watch.message()).await.expect_err("ends");
    assert_eq!(reason(&ended), "UNAUTHENTICATED");
    world.cancel("rounds/r/runs/1").await;
    world.stop().await;
}

/// An issuer of JWTs with one key.
struct JwtSigner(&'static str, EcdsaKeyPair);

impl JwtSigner {
    fn new(id: &'static str) -> Self {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_ref(), &random);
        Self(id, key.expect("a key"))
    }

    fn jwks(&self) -> String {
        let point = self.1.public_key().as_ref();
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
        format!(r#"{{"keys":[{{"kty":"EC","crv":"P-256","kid":"{}","x":"{x}","y":"{y}"}}]}}"#, self.0)
    }

    fn signed(&self, subject: &str) -> String {
        self.signed_at(subject, NOW.parse().expect("a moment"))
    }

    /// Good for five minutes from `now` on.
    fn signed_at(&self, subject: &str, now: jiff::Timestamp) -> String {
        let header = format!(r#"{{"alg":"ES256","kid":"{}","typ":"JWT"}}"#, self.0);
        let now = now.as_second();
        let claims = format!(
            r#"{{"iss":"https://login.example","aud":"wim-match","sub":"{subject}","iat":{now},"exp":{}}}"#,
            now + 300
        );
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = self.1.sign(&SystemRandom::new(), message.as_bytes()).expect("is signed");
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
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
