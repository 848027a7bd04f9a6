//! Principals: who calls, apart from the credentials. A person is known by a handle that she chose, and by nothing else.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::name::Handle;
use super::profile::zone_of;
use super::violation::Violations;
use super::{field_rule, language};

/// Most languages of a principal.
const MAX_LANGUAGES: usize = field_rule::PRINCIPAL_LANGUAGES.max_items;

/// Whether a principal is a person or a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PrincipalKind {
    /// A person, known by a handle that she chose.
    Person,
    /// A program.
    Service,
}

impl PrincipalKind {
    /// The kind as stored and printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Service => "service",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Person, Self::Service].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A principal from outside, not parsed yet.
#[derive(Debug, Clone, Default)]
pub struct PrincipalDraft {
    /// Person or program; `None` if not said.
    pub kind: Option<PrincipalKind>,
    /// The handle.
    pub handle: String,
    /// Languages, as BCP 47 tags.
    pub languages: Vec<String>,
    /// Time zone; empty if not said.
    pub time_zone: String,
}

/// The stored content of a principal, without version and times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrincipalContent {
    /// Person or program.
    pub kind: PrincipalKind,
    /// The handle, which no other principal has.
    pub handle: Handle,
    /// Languages that she reads, as BCP 47 tags, the best first.
    pub languages: Vec<String>,
    /// Name of the time zone database; empty if not said.
    pub time_zone: String,
}

/// A stored principal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// Id, a UUID.
    pub id: String,
    /// Content.
    pub content: PrincipalContent,
    /// Number of the version, from 1; source of the etag.
    pub version: i64,
    /// When the principal was created.
    pub create_time: Timestamp,
    /// When the principal was last changed.
    pub update_time: Timestamp,
}

impl PrincipalContent {
    /// Parses a draft, or returns all violations.
    pub fn parse(draft: &PrincipalDraft) -> Result<Self, Violations> {
        let mut violations = Violations::of_request();
        if draft.kind.is_none() {
            violations.push("kind", "", "is missing; say whether the principal is a person or a service", "");
        }
        let handle: Result<Handle, _> = draft.handle.parse();
        if let Err(error) = &handle {
            violations.push("handle", &draft.handle, error.to_string(), "");
        }
        if draft.languages.len() > MAX_LANGUAGES {
            let count = draft.languages.len().to_string();
            violations.push("languages", &count, "is the number of languages; give 10 at most", "");
        }
        let mut languages: Vec<String> = Vec::new();
        for (at, tag) in draft.languages.iter().take(MAX_LANGUAGES).enumerate() {
            match language::normalise(tag) {
                Some(tag) if languages.contains(&tag) => {}
                Some(tag) => languages.push(tag),
                None => {
                    let field = format!("languages[{at}]");
                    violations.push(
                        &field,
                        tag,
                        "is not a language tag (BCP 47), for example es or pt-BR",
                        "",
                    );
                }
            }
        }
        let time_zone = match draft.time_zone.as_str() {
            "" => String::new(),
            name => zone_of(name, &mut violations),
        };
        match (draft.kind, handle) {
            (Some(kind), Ok(handle)) => violations.finish(Self { kind, handle, languages, time_zone }),
            _ => Err(violations),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_is_parsed_whole_and_every_violation_is_listed() {
        let draft = PrincipalDraft {
            kind: Some(PrincipalKind::Person),
            handle: "rosa-7".to_owned(),
            languages: ["SPA-pe", "es-PE", "fr"].map(str::to_owned).to_vec(),
            time_zone: "america/lima".to_owned(),
        };
        let parsed = PrincipalContent::parse(&draft).expect("is good");
        assert_eq!(parsed.languages, ["es-PE", "fr"]);
        assert_eq!(parsed.time_zone, "America/Lima");
        let unsaid = PrincipalDraft { languages: Vec::new(), time_zone: String::new(), ..draft };
        assert!(PrincipalContent::parse(&unsaid).is_ok(), "language and zone need not be said");

        let wrong = PrincipalDraft {
            kind: None,
            handle: "Rosa Quispe".to_owned(),
            languages: ["es", "Spanish!", ""].map(str::to_owned).to_vec(),
            time_zone: "Mars/Olympus".to_owned(),
        };
        let violations = PrincipalContent::parse(&wrong).expect_err("is wrong");
        let fields: Vec<String> = violations.listed().iter().map(|one| one.field.clone()).collect();
        assert_eq!(fields, ["kind", "handle", "languages[1]", "languages[2]", "time_zone"]);
        let many = PrincipalDraft {
            kind: Some(PrincipalKind::Service),
            handle: "importer".to_owned(),
            languages: vec!["es".to_owned(); 11],
            time_zone: String::new(),
        };
        assert!(PrincipalContent::parse(&many).is_err());
    }
}
