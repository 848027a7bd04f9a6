//! Reasons as codes and parameters, which `wording` renders per language.
//!
//! `build.rs` generates [`ReasonCode`] from table `[reason]` of `data/wording/en.toml`: a code exists if it has a text, and
//! its parameters are those of the text. Runs store codes, so that a code keeps its text as long as any stored run may
//! carry it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

include!(concat!(env!("OUT_DIR"), "/reason_codes.rs"));

/// A reason: a code and its parameters. The values of parameters are numbers or codes of vocabularies (several are joined by
/// `,`), never words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The code.
    pub code: ReasonCode,
    /// The parameters that the code names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
}

impl Reason {
    /// A reason without parameters.
    pub fn new(code: ReasonCode) -> Self {
        Self { code, parameters: BTreeMap::new() }
    }

    /// Adds a parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        debug_assert!(self.code.parameters().contains(&name), "{:?} has no parameter {name}", self.code);
        self.parameters.insert(name.to_owned(), value.to_string());
        self
    }
}
