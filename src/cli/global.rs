//! Options that several commands share.

use std::path::PathBuf;

use clap::Args;

use super::failure::Failure;
use crate::client::{Channel, Client, Tls, connect_with};
use crate::config::{Config, ConfigError, Overrides};
use crate::domain::vocabulary::Lang;
use crate::message;

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub(super) struct Global {
    /// Print JSON instead of tables.
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[arg(help = format!("Language of everything that is printed but the help: {}", Lang::tags_in_words()))]
    #[arg(long, global = true, env = "WIM_MATCH_LANG", default_value = tag_of_locale(), value_parser = parse_lang)]
    pub(super) lang: Lang,
    /// Address of the service.
    #[arg(long, global = true, env = "WIM_MATCH_SERVER", default_value = "http://127.0.0.1:50051")]
    pub(super) server: String,
    /// API token of the caller.
    #[arg(long, global = true, env = "WIM_MATCH_TOKEN", hide_env_values = true)]
    token: Option<String>,
    #[command(flatten)]
    tls: TlsArgs,
}

/// Files in PEM for a service whose address begins with `https://`.
#[derive(Debug, Clone, Args)]
struct TlsArgs {
    /// Authorities of the service's certificate; without the option, those that browsers trust.
    #[arg(long, global = true, value_name = "FILE", env = "WIM_MATCH_CA")]
    ca: Option<PathBuf>,
    /// Client certificate of the caller.
    #[arg(long, global = true, value_name = "FILE", env = "WIM_MATCH_CLIENT_CERTIFICATE")]
    client_certificate: Option<PathBuf>,
    /// Key of the client certificate [default: the file of --client-certificate].
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "WIM_MATCH_CLIENT_KEY",
        requires = "client_certificate"
    )]
    client_key: Option<PathBuf>,
}

impl TlsArgs {
    fn read(&self) -> Result<Tls, Failure> {
        let read = |file: &PathBuf| {
            std::fs::read(file).map_err(|error| {
                let file = file.display().to_string();
                let wrong =
                    message!("{file} cannot be read: {error}", file = file, error = error.to_string());
                Failure::input(wrong, "")
            })
        };
        let ca = self.ca.as_ref().map(read).transpose()?;
        let key = self.client_key.as_ref().or(self.client_certificate.as_ref());
        let identity = match (&self.client_certificate, key) {
            (Some(certificate), Some(key)) => Some((read(certificate)?, read(key)?)),
            _ => None,
        };
        Ok(Tls { ca, identity })
    }
}

impl Global {
    /// A client of the service, acting for the caller.
    pub(super) async fn client(&self) -> Result<Client, Failure> {
        Ok(Client::retrying(&self.connect().await?, self.token.as_deref(), self.lang)?)
    }

    /// A connection to the service.
    pub(super) async fn connect(&self) -> Result<Channel, Failure> {
        let tls = self.tls.read()?;
        if !tls.is_empty() && !self.server.starts_with("https://") {
            let wrong = message!(
                "--ca and --client-certificate need a service with TLS, and {address} has none; write https:// instead of http://",
                address = &self.server
            );
            return Err(Failure::input(wrong, ""));
        }
        Ok(connect_with(&self.server, &tls).await?)
    }
}

/// The language of the person at the terminal by her locale, for example `es_PE.UTF-8`; English for any other language.
fn tag_of_locale() -> &'static str {
    let set = |name: &&str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(set).unwrap_or_default();
    let primary = locale.split(['_', '.', '@']).next().unwrap_or_default();
    Lang::from_tag(primary).unwrap_or_default().tag()
}

fn parse_lang(tag: &str) -> Result<Lang, String> {
    Lang::from_tag(tag).ok_or_else(|| format!("use {}", Lang::tags_in_words()))
}

/// Configuration of the commands that work on the database itself: `serve`, `admin` and `doctor`.
#[derive(Debug, Clone, Args)]
pub(super) struct ConfigArgs {
    /// Configuration file (TOML).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Database: `sqlite:FILE` or `postgres://…` [default: sqlite:wim-match.sqlite3; env: WIM_MATCH_DATABASE].
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

impl ConfigArgs {
    /// Reads the configuration from all sources; `flags` has the values of the other flags.
    pub(super) fn load(&self, flags: Option<Overrides>) -> Result<Config, ConfigError> {
        let flags = flags.unwrap_or_default();
        Config::load(&Overrides { file: self.config.clone(), database: self.database.clone(), ..flags })
    }
}
