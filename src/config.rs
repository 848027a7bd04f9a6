//! Configuration of the server. Each source overrides the sources before: defaults, file, environment, flags.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use toml::{Table, Value};

use crate::domain::message::Message;
use crate::message;
use crate::telemetry::LogFormat;

/// Prefix of environment variables, for example `WIM_MATCH_LISTEN`.
const ENVIRONMENT_PREFIX: &str = "WIM_MATCH";

/// Largest size of the score cache, in MiB: 1 TiB.
const MOST_KEPT_MIB: usize = 1 << 20;

/// The server's configuration, validated.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// File with the certificate of the service and its chain, in PEM; empty for no TLS.
    pub tls_certificate: String,
    /// File with the key of the certificate, in PEM.
    pub tls_key: String,
    /// File with the authorities of client certificates, in PEM; empty for none.
    pub tls_client_ca: String,
    /// File with the public keys of an issuer of JWTs (JWKS); empty for none.
    pub jwt_jwks: String,
    /// The issuer, as its JWTs name it.
    pub jwt_issuer: String,
    /// The audience that the JWTs must name.
    pub jwt_audience: String,
    /// Whether the service may listen beyond loopback without TLS, because a proxy terminates it.
    pub plain_text_behind_a_proxy: bool,
    /// `sqlite:FILE` or `postgres://…`. Secret, because the URL may have a password.
    pub database: SecretString,
    /// Log filter: levels, for targets or for all, as in `info,wim_match=debug`.
    pub log_filter: String,
    /// Form of the log.
    pub log_format: LogFormat,
    /// Threads that the engine may use; 0 means one per core.
    pub compute_threads: usize,
    /// Largest size of the score cache of a run, in MiB.
    pub kept_scores_mib: usize,
    /// Whether this process executes runs.
    pub worker: bool,
    /// Address of the second port, with metrics and health over HTTP; empty for none.
    pub monitoring_listen: String,
    /// Address of the console, the web pages; empty for none.
    pub console_listen: String,
    /// The origin under which browsers reach the console; empty for the address of the console itself.
    pub console_origin: String,
    /// Whether the console takes an API token in place of a passkey: for demonstrations and tests.
    pub console_token_sign_in: bool,
    /// Address of an OpenTelemetry collector, over gRPC; empty for none.
    pub otlp_endpoint: String,
    /// Percent of the calls that are traced, 20 a second at most unless it is 100, of those whose callers have not decided it.
    pub trace_percent: u64,
    /// Calls of one caller that read, in a second; 0 for no bound.
    pub reads_per_second: u32,
    /// Calls of one caller that change something, in a second; 0 for no bound.
    pub writes_per_second: u32,
    /// Calls of one caller that occupy the solver, in a minute; 0 for no bound.
    pub solves_per_minute: u32,
    /// How many times as much an organisation may call as one caller.
    pub rate_of_organisation: u32,
    /// How many times as much all callers together may call as one.
    pub rate_of_all: u32,
    /// The calls of this number of seconds may come at once.
    pub burst_seconds: u64,
    /// Most calls of callers that are open at a time.
    pub max_calls_in_flight: usize,
    /// Seconds after which a connection takes no further call, a tenth more or less; 0 for no end.
    pub connection_age_seconds: u64,
    /// Seconds that the open calls of such a connection have.
    pub connection_grace_seconds: u64,
    /// Origins of web pages that may call.
    pub cors_origins: Vec<Origin>,
    /// Largest message that is accepted, in bytes.
    pub max_message_bytes: usize,
    /// Most open calls of one connection.
    pub max_concurrent_streams: u32,
    /// Most open connections.
    pub max_connections: usize,
    /// Most connections of one address that have named no caller.
    pub max_connections_per_address: usize,
    /// Most connections of one caller.
    pub max_connections_per_caller: usize,
    /// Most bytes of arriving messages, in all.
    pub max_bytes_in_flight: usize,
    /// Most bytes of arriving messages on one connection.
    pub max_bytes_per_connection: usize,
    /// Seconds for the first call of a connection.
    pub first_call_seconds: u64,
    /// Seconds that a connection without a caller may stay without an open call.
    pub idle_seconds: u64,
    /// Seconds for a whole message.
    pub message_seconds: u64,
    /// Seconds without a byte of an awaited message.
    pub silence_seconds: u64,
    /// Addresses and networks of the proxies that name the address of a peer.
    pub proxies: Vec<Proxy>,
    /// The header in which the proxies name the address of a peer: `x-forwarded-for` or `forwarded`.
    pub proxy_header: String,
    /// Seconds that open calls have to end when the service stops.
    pub drain_seconds: u64,
}

/// The address or the network of a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Proxy(pub IpNet);

impl TryFrom<String> for Proxy {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let network = text.parse().or_else(|_| text.parse().map(|address: IpAddr| IpNet::from(address)));
        network.map(Self).map_err(|_| {
            format!("proxies: `{text}` is no address or network; write for example 10.0.0.7 or 10.0.0.0/8")
        })
    }
}

/// The origin of web pages, as browsers write it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Origin(pub String);

impl TryFrom<String> for Origin {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if is_origin(&text) {
            return Ok(Self(text));
        }
        Err(format!(
            "cors_origins: `{text}` is no origin; write for example https://www.example.org, without a path"
        ))
    }
}

/// Whether a text is an origin, as browsers write it.
fn is_origin(text: &str) -> bool {
    let host = ["https://", "http://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.:[]".contains(c);
    host.is_some_and(|host| !host.is_empty() && host.chars().all(is_part))
}

/// Settings from the command line.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// A TOML file.
    pub file: Option<PathBuf>,
    /// Address to listen on.
    pub listen: Option<String>,
    /// Database.
    pub database: Option<String>,
    /// Address of the console.
    pub console_listen: Option<String>,
    /// Origin of the console.
    pub console_origin: Option<String>,
}

/// The defaults in the syntax of the file, which also document the file.
pub const DEFAULTS: &str = include_str!("config/defaults.toml");

impl Config {
    /// Reads all sources and validates the result. The error lists every setting that is wrong, with its source.
    pub fn load(overrides: &Overrides) -> Result<Self, ConfigError> {
        let values = toml::from_str(DEFAULTS).map_err(|error| ConfigError::plain(&error))?;
        let mut settings = Settings { values, wrong: Vec::new() };
        if let Some(file) = &overrides.file {
            settings.set_all_of(file)?;
        }
        let names: Vec<String> = settings.values.keys().cloned().collect();
        for name in names {
            let variable = format!("{ENVIRONMENT_PREFIX}_{}", name.to_uppercase());
            if let Ok(text) = std::env::var(&variable) {
                settings.set_text(&variable, &name, text);
            }
        }
        let flags = [
            ("listen", &overrides.listen),
            ("database", &overrides.database),
            ("console_listen", &overrides.console_listen),
            ("console_origin", &overrides.console_origin),
        ];
        for (name, text) in flags {
            if let Some(text) = text {
                settings.set_text(&format!("--{}", name.replace('_', "-")), name, text.clone());
            }
        }
        settings.refuse_wrong()?;
        let read: Result<Self, toml::de::Error> = settings.values.try_into();
        let config = read.map_err(|error| ConfigError::plain(&error))?;
        config.validate()?;
        Ok(config)
    }

    fn validate(&self) -> Result<(), ConfigError> {
        let mut wrong: Vec<Message> = Vec::new();
        let database = self.database.expose_secret();
        if !["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| database.starts_with(scheme)) {
            wrong.push(message!("{name} must begin with sqlite: or postgres://", name = "database"));
        }
        if self.tls_certificate.is_empty() != self.tls_key.is_empty() {
            wrong.push(needs("tls_certificate", "tls_key"));
        }
        if !self.tls_client_ca.is_empty() && self.tls_certificate.is_empty() {
            wrong.push(needs("tls_client_ca", "tls_certificate"));
        }
        let jwt = [("jwt_issuer", &self.jwt_issuer), ("jwt_audience", &self.jwt_audience)];
        for (name, value) in jwt {
            if value.is_empty() != self.jwt_jwks.is_empty() {
                wrong.push(needs("jwt_jwks", name));
            }
        }
        if self.max_message_bytes < 64 * 1024 {
            wrong.push(at_least("max_message_bytes", 64 * 1024));
        }
        if self.max_concurrent_streams == 0 {
            wrong.push(at_least("max_concurrent_streams", 1));
        }
        let at_least_one = [
            ("max_connections", self.max_connections as u64),
            ("max_connections_per_address", self.max_connections_per_address as u64),
            ("max_connections_per_caller", self.max_connections_per_caller as u64),
            ("max_calls_in_flight", self.max_calls_in_flight as u64),
            ("rate_of_organisation", self.rate_of_organisation.into()),
            ("rate_of_all", self.rate_of_all.into()),
            ("burst_seconds", self.burst_seconds),
            ("first_call_seconds", self.first_call_seconds),
            ("idle_seconds", self.idle_seconds),
            ("message_seconds", self.message_seconds),
            ("silence_seconds", self.silence_seconds),
        ];
        let zero = at_least_one.iter().filter(|(_, value)| *value == 0);
        wrong.extend(zero.map(|(name, _)| at_least(name, 1)));
        // A message has a header of 5 bytes, and a caller alone may hold half of all bytes.
        let message = self.max_message_bytes.saturating_add(5);
        if self.max_bytes_in_flight / 2 < message {
            wrong.push(message!(
                "{name} must be more than twice {other}",
                name = "max_bytes_in_flight",
                other = "max_message_bytes"
            ));
        }
        if self.max_bytes_per_connection < message {
            wrong.push(message!(
                "{name} must be more than {other}",
                name = "max_bytes_per_connection",
                other = "max_message_bytes"
            ));
        }
        if !["x-forwarded-for", "forwarded"].contains(&self.proxy_header.as_str()) {
            wrong.push(message!(
                "{name} must be {one} or {other}",
                name = "proxy_header",
                one = "x-forwarded-for",
                other = "forwarded"
            ));
        }
        self.validate_listeners(&mut wrong);
        if let Some(endpoint) = self.collector()
            && !is_http_address(endpoint)
        {
            wrong.push(message!(
                "{name} must be an address of the form {example}, or empty",
                name = "otlp_endpoint",
                example = "http://127.0.0.1:4317"
            ));
        }
        if self.trace_percent > 100 {
            wrong.push(at_most("trace_percent", 100));
        }
        if self.compute_threads > 1_024 {
            wrong.push(at_most("compute_threads", 1_024));
        }
        if self.kept_scores_mib > MOST_KEPT_MIB {
            wrong.push(at_most("kept_scores_mib", MOST_KEPT_MIB));
        }
        if let Err(error) = self.log_filter.parse::<tracing_subscriber::filter::Targets>() {
            wrong.push(message!("{field}: {wrong}", field = "log_filter", wrong = error.to_string()));
        }
        ConfigError::unless_empty(wrong)
    }

    /// The listeners beside that for calls, and the origin of the console.
    fn validate_listeners(&self, wrong: &mut Vec<Message>) {
        for (name, text, example) in [
            ("monitoring_listen", &self.monitoring_listen, "127.0.0.1:9464"),
            ("console_listen", &self.console_listen, "127.0.0.1:8080"),
        ] {
            if !text.is_empty() && text.parse::<SocketAddr>().is_err() {
                wrong.push(message!(
                    "{name} must be an address with a port, for example {example}, or empty",
                    name = name,
                    example = example
                ));
            }
        }
        if !self.console_origin.is_empty() && !is_origin(&self.console_origin) {
            wrong.push(message!(
                "{name} must be an origin, for example {example}, without a path, or empty",
                name = "console_origin",
                example = "https://match.example.org"
            ));
        }
    }

    /// Without limits of calls: for a service whose one caller does the work of many.
    #[must_use]
    pub fn without_rates(self) -> Self {
        Self { reads_per_second: 0, writes_per_second: 0, solves_per_minute: 0, ..self }
    }

    /// Whether the port for calls speaks TLS.
    pub fn has_tls(&self) -> bool {
        !self.tls_certificate.is_empty()
    }

    /// `Ok` unless calls or pages would travel in plain text between machines.
    pub fn check_exposure(&self) -> Result<(), ConfigError> {
        let mut listening = [Some(self.listen), self.console_address()].into_iter().flatten();
        let open = listening.find(|address| !address.ip().to_canonical().is_loopback());
        let Some(open) = open.filter(|_| !self.has_tls() && !self.plain_text_behind_a_proxy) else {
            return Ok(());
        };
        Err(ConfigError::of(vec![message!(
            "other machines reach {address}, and the service has no TLS; set tls_certificate and tls_key, or give --plain-text-behind-a-proxy if a proxy in front of the service terminates TLS",
            address = open.to_string()
        )]))
    }

    /// The address of the second port, if there is one.
    pub fn monitoring_address(&self) -> Option<SocketAddr> {
        self.monitoring_listen.parse().ok()
    }

    /// The address of the console, if there is one.
    pub fn console_address(&self) -> Option<SocketAddr> {
        self.console_listen.parse().ok()
    }

    /// The address of the collector, if there is one.
    pub fn collector(&self) -> Option<&str> {
        Some(self.otlp_endpoint.as_str()).filter(|endpoint| !endpoint.is_empty())
    }

    /// The database URL without its password.
    pub fn database_for_display(&self) -> String {
        without_password(self.database.expose_secret())
    }
}

/// Settings that are wrong, or cannot be read.
#[derive(Debug)]
pub struct ConfigError(Message);

impl ConfigError {
    /// What is wrong, with every setting and its source.
    pub fn message(&self) -> Message {
        self.0.clone()
    }

    /// What a library says of the settings, in English.
    fn plain(error: &toml::de::Error) -> Self {
        Self::of(vec![Message::verbatim(error.to_string().split_whitespace().collect::<Vec<_>>().join(" "))])
    }

    /// What is wrong with the files that `setting` names.
    pub fn of_files(setting: &str, wrong: &anyhow::Error) -> Self {
        Self::of(vec![message!("{field}: {wrong}", field = setting, wrong = format!("{wrong:#}"))])
    }

    fn of(wrong: Vec<Message>) -> Self {
        Self(message!("the configuration is wrong: {wrong}", wrong = wrong))
    }

    fn unless_empty(wrong: Vec<Message>) -> Result<(), Self> {
        if wrong.is_empty() { Ok(()) } else { Err(Self::of(wrong)) }
    }
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for ConfigError {}

fn at_least(name: &str, least: u64) -> Message {
    message!("{name} must be at least {least}", name = name, least = least.to_string())
}

fn at_most(name: &str, most: usize) -> Message {
    message!("{name} must be at most {most}", name = name, most = most.to_string())
}

fn needs(name: &str, other: &str) -> Message {
    message!("{name} needs {other}: set both, or neither", name = name, other = other)
}

/// Settings by name, and what is wrong with those that were refused. The defaults define names and types.
struct Settings {
    values: Table,
    wrong: Vec<Message>,
}

impl Settings {
    /// Takes over every setting of a TOML file.
    fn set_all_of(&mut self, file: &Path) -> Result<(), ConfigError> {
        let source = file.display().to_string();
        let text = std::fs::read_to_string(file).map_err(|error| {
            ConfigError(message!("{file} cannot be read: {error}", file = &source, error = error.to_string()))
        })?;
        // The error of the parser quotes the line, which may hold the password of the database.
        let values: Table = toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            ConfigError(message!(
                "{file} is not TOML: line {line}: {error}",
                file = &source,
                line = line.to_string(),
                error = error.message()
            ))
        })?;
        for (name, value) in values {
            self.set(&source, &name, value);
        }
        Ok(())
    }

    /// Takes over a setting that `source` gives as text.
    fn set_text(&mut self, source: &str, name: &str, text: String) {
        let value = match self.values.get(name) {
            Some(Value::Integer(_)) => text.parse().map(Value::Integer).ok(),
            Some(Value::Boolean(_)) => match text.to_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => Some(Value::Boolean(true)),
                "false" | "0" | "no" | "off" => Some(Value::Boolean(false)),
                _ => None,
            },
            Some(Value::Array(_)) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                Some(Value::Array(items.map(|item| Value::String(item.to_owned())).collect()))
            }
            _ => None,
        };
        self.set(source, name, value.unwrap_or(Value::String(text)));
    }

    fn set(&mut self, source: &str, name: &str, value: Value) {
        match self.values.get_mut(name) {
            None => {
                self.wrong.push(message!("{source}: `{name}` is not a setting", source = source, name = name))
            }
            Some(known) if known.same_type(&value) => *known = value,
            Some(known) => {
                let expected = match known {
                    Value::Integer(_) => message!("{name} must be a whole number", name = name),
                    Value::Boolean(_) => message!("{name} must be true or false", name = name),
                    Value::Array(_) => {
                        message!("{name} must be a list of texts in quotation marks", name = name)
                    }
                    _ => message!("{name} must be text in quotation marks", name = name),
                };
                self.wrong.push(message!("{field}: {wrong}", field = source, wrong = expected));
            }
        }
    }

    fn refuse_wrong(&self) -> Result<(), ConfigError> {
        ConfigError::unless_empty(self.wrong.clone())
    }
}

/// Whether a text is `http://` with the name of a host and perhaps a port. Beyond its own network a collector speaks TLS itself.
fn is_http_address(text: &str) -> bool {
    let Some((host, port)) = text.strip_prefix("http://").map(|rest| {
        let rest = rest.trim_end_matches('/');
        // The port follows the last colon outside of the brackets of an IPv6 address.
        match rest.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (rest, None),
        }
    }) else {
        return false;
    };
    let is_host = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:[]".contains(c));
    is_host && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

/// `postgres://user:secret@host/db` as `postgres://user@host/db`.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    match rest.rsplit_once('@') {
        Some((login, place)) => {
            let user = login.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{}", place.split('?').next().unwrap_or_default())
        }
        None => format!("{scheme}://{}", rest.split('?').next().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests;
