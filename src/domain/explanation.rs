//! Reasons as codes and parameters, which `wording` renders per language.
//!
//! `build.rs` generates [`ReasonCode`] from table `[reason]` of `data/wording/en.toml`: a code exists if it has a text, and
//! its parameters are those of the text. Runs store codes, so that a code keeps its text as long as any stored run may
//! carry it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

include!(concat!(env!("OUT_DIR"), "/reason_codes.rs"));

/// A reason: a code and its parameters. The values of parameters are numbers or codes of vocabularies (several are joined by
/// `,`), never words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The code.
    pub code: ReasonCode,
    /// The parameters that the code names.
    #[serde(default, skip_serializing_if = "Parameters::is_empty")]
    pub parameters: Parameters,
}

impl Reason {
    /// A reason without parameters.
    pub fn new(code: ReasonCode) -> Self {
        Self { code, parameters: Parameters::default() }
    }

    /// Adds a parameter.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        let names = self.code.parameters();
        debug_assert!(names.contains(&name), "{:?} has no parameter {name}", self.code);
        if self.parameters.is_empty() {
            self.parameters.0.reserve_exact(names.len());
        }
        self.parameters.insert(Cow::Borrowed(name), value.to_string());
        self
    }
}

/// Reasons as the store keeps them.
pub fn stored_reasons(reasons: &[Reason]) -> String {
    serde_json::to_string(reasons).unwrap_or_default()
}

/// Reads [`stored_reasons`]. Empty if the text holds none.
pub fn read_reasons(text: &str) -> Vec<Reason> {
    serde_json::from_str(text).unwrap_or_default()
}

/// Parameters of a reason, ordered by name, each name once. A result holds some ten reasons per match, and a list of few
/// entries takes a fraction of the memory of a map.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Parameters(Vec<(Cow<'static, str>, String)>);

impl Parameters {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Names and values, ordered by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, value.as_str()))
    }

    /// Sets a parameter. The last value of a name counts.
    fn insert(&mut self, name: Cow<'static, str>, value: String) {
        match self.0.binary_search_by(|(known, _)| known.cmp(&name)) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (name, value)),
        }
    }
}

impl FromIterator<(String, String)> for Parameters {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(parameters: I) -> Self {
        let mut this = Self::default();
        for (name, value) in parameters {
            this.insert(Cow::Owned(name), value);
        }
        this
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for Parameters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Parameters;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a map of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parameters, A::Error> {
                let mut parameters = Parameters::default();
                while let Some((name, value)) = map.next_entry::<String, String>()? {
                    parameters.insert(Cow::Owned(name), value);
                }
                Ok(parameters)
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn parameters_are_stored_as_a_map_ordered_by_name() {
        let pairs = [("common", "4"), ("topics", "a,b"), ("common", "2"), ("a \"quoted\" name", "\u{e9}\n")];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let map: BTreeMap<String, String> = pairs.clone().into_iter().collect();
        let parameters: Parameters = pairs.into_iter().collect();
        let text = serde_json::to_string(&parameters).expect("serialises");
        assert_eq!(text, serde_json::to_string(&map).expect("serialises"));
        assert_eq!(serde_json::from_str::<Parameters>(&text).expect("parses"), parameters);
        assert_eq!(format!("{parameters:?}"), format!("{map:?}"));
        assert_eq!((parameters.get("common"), parameters.get("none")), (Some("2"), None));
    }
}
