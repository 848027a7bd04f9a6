//! Options that several commands share.

use std::path::PathBuf;

use clap::Args;

use crate::client::{Client, Error, connect};
use crate::config::{Config, ConfigError, Overrides};
use crate::domain::vocabulary::Lang;

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
}

impl Global {
    /// A client of the service, acting for the caller.
    pub(super) async fn client(&self) -> Result<Client, Error> {
        Client::for_reader(&connect(&self.server).await?, self.token.as_deref(), self.lang)
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
    /// Reads the configuration from all sources; `listen` is the value of `--listen`.
    pub(super) fn load(&self, listen: Option<String>) -> Result<Config, ConfigError> {
        Config::load(&Overrides { file: self.config.clone(), listen, database: self.database.clone() })
    }
}
