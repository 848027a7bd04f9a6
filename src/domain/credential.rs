//! Credentials: what a principal shows to be known. The service stores nothing by which a credential could be used.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::field_rule;
use super::violation::Violations;

/// The beginning of every API token, by which secret scanners find it.
pub const TOKEN_PREFIX: &str = "wimm_";
/// Characters of a token that are shown to distinguish tokens.
pub const VISIBLE: usize = TOKEN_PREFIX.len() + 6;
/// Characters of a whole token.
pub const WHOLE: usize = TOKEN_PREFIX.len() + 64;

/// Kind of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CredentialKind {
    /// An API token.
    Token,
    /// A JWT of an issuer that the configuration names.
    Jwt,
    /// A TLS client certificate.
    Certificate,
}

impl CredentialKind {
    /// The kind as stored and printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Jwt => "jwt",
            Self::Certificate => "certificate",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Token, Self::Jwt, Self::Certificate].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A credential that a caller has shown. Signatures and chains of certificates are checked before.
#[derive(Clone, PartialEq, Eq)]
pub enum Presented {
    /// An API token, unchecked.
    Token(String),
    /// A JWT whose signature, audience and times are right.
    Jwt {
        /// The claim `iss`.
        issuer: String,
        /// The claim `sub`.
        subject: String,
    },
    /// A client certificate with a chain to the configured authority.
    Certificate {
        /// SHA-256 of the certificate, in lower-case hexadecimal.
        fingerprint: String,
    },
}

impl Presented {
    /// The kind of the credential.
    pub fn kind(&self) -> CredentialKind {
        match self {
            Self::Token(_) => CredentialKind::Token,
            Self::Jwt { .. } => CredentialKind::Jwt,
            Self::Certificate { .. } => CredentialKind::Certificate,
        }
    }

    /// What the store finds the credential by: the hash of a token, issuer and subject of a JWT, the fingerprint of a
    /// certificate. `None` for what cannot be a token of this service.
    pub fn identity(&self) -> Option<String> {
        match self {
            Self::Token(token) => {
                let is_token = token.starts_with(TOKEN_PREFIX) && token.len() == WHOLE;
                is_token.then(|| hash_of_token(token))
            }
            // JSON keeps the two apart, whatever characters they have.
            Self::Jwt { issuer, subject } => serde_json::to_string(&[issuer, subject]).ok(),
            Self::Certificate { fingerprint } => Some(fingerprint.clone()),
        }
    }
}

/// Without the token.
impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Presented({})", self.kind().as_str())
    }
}

/// SHA-256 of a token, in hexadecimal. A token has 256 random bits, so it needs no slow hash.
pub fn hash_of_token(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}

/// A credential from outside, not parsed yet.
#[derive(Debug, Clone, Default)]
pub struct CredentialDraft {
    /// What is to be shown.
    pub identity: IdentityDraft,
    /// What the credential is for.
    pub label: String,
    /// The moment from which it opens nothing.
    pub expire: Option<Timestamp>,
}

/// What is to be shown.
#[derive(Debug, Clone, Default)]
pub enum IdentityDraft {
    /// A new API token.
    #[default]
    Token,
    /// A JWT with these claims `iss` and `sub`.
    Jwt(String, String),
    /// A client certificate with this fingerprint.
    Certificate(String),
}

impl CredentialDraft {
    /// The identity and the label of the draft at `now`, or all violations. `None` as the identity means a new token.
    pub fn parse(&self, now: Timestamp) -> Result<(Option<Presented>, String), Violations> {
        let mut violations = Violations::of_request();
        let label = parse_label(&self.label, &mut violations);
        if let Some(expire) = self.expire
            && expire <= now
        {
            violations.push("expire_time", expire.to_string(), "is not in the future", "");
        }
        let identity = match &self.identity {
            IdentityDraft::Token => None,
            IdentityDraft::Jwt(issuer, subject) => {
                // A claim is compared byte by byte, so it is taken as it is or not at all.
                for (field, rule, claim) in [
                    ("jwt.issuer", field_rule::JWT_IDENTITY_ISSUER, issuer),
                    ("jwt.subject", field_rule::JWT_IDENTITY_SUBJECT, subject),
                ] {
                    let before = violations.count();
                    if rule.text(field, claim, &mut violations) != *claim && violations.count() == before {
                        let wrong = "has blanks around it, or is not in normal form C of Unicode";
                        violations.push(field, claim, wrong, "");
                    }
                }
                Some(Presented::Jwt { issuer: issuer.clone(), subject: subject.clone() })
            }
            IdentityDraft::Certificate(text) => {
                let fingerprint = text.replace(':', "").to_ascii_lowercase();
                let is_digest = text.len() <= field_rule::CERTIFICATE_IDENTITY_FINGERPRINT.max_characters
                    && fingerprint.len() == 64
                    && fingerprint.bytes().all(|b| b.is_ascii_hexdigit());
                if !is_digest {
                    let wrong =
                        "is no fingerprint; give the SHA-256 of the certificate, 64 hexadecimal digits";
                    violations.push("certificate.fingerprint", text, wrong, "");
                }
                Some(Presented::Certificate { fingerprint })
            }
        };
        violations.finish((identity, label))
    }
}

/// Parses what a credential is for.
pub fn parse_label(label: &str, violations: &mut Violations) -> String {
    field_rule::CREDENTIAL_LABEL.text("label", label, violations)
}

/// What people may see of what is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shown {
    /// An API token.
    Token {
        /// Its first characters.
        prefix: String,
    },
    /// A JWT.
    Jwt {
        /// The claim `iss`.
        issuer: String,
        /// The claim `sub`.
        subject: String,
    },
    /// A client certificate.
    Certificate {
        /// SHA-256 of the certificate, in lower-case hexadecimal.
        fingerprint: String,
    },
}

impl Shown {
    /// The kind of the credential.
    pub fn kind(&self) -> CredentialKind {
        match self {
            Self::Token { .. } => CredentialKind::Token,
            Self::Jwt { .. } => CredentialKind::Jwt,
            Self::Certificate { .. } => CredentialKind::Certificate,
        }
    }
}

/// A credential, without what it is found by if that is a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Its id, a UUID.
    pub id: String,
    /// Id of its principal.
    pub principal: String,
    /// What people may see of what is shown.
    pub shown: Shown,
    /// What it is for.
    pub label: String,
    /// The moment of its creation.
    pub create_time: Timestamp,
    /// The moment from which it opens nothing; `None` without one.
    pub expire_time: Option<Timestamp>,
    /// The moment of its revocation; `None` if it was not revoked.
    pub revoke_time: Option<Timestamp>,
    /// When it last opened a call, to the minute; written some minutes late.
    pub use_time: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_by_its_hash_and_shown_nowhere() {
        let token = format!("{TOKEN_PREFIX}{}", "7".repeat(64));
        let shown = Presented::Token(token.clone());
        assert_eq!(shown.identity(), Some(hash_of_token(&token)));
        assert!(!format!("{shown:?}").contains('7'));
        for wrong in ["", TOKEN_PREFIX, &token[1..], &token[..WHOLE - 1], &format!("{token}7")] {
            assert_eq!(Presented::Token(wrong.to_owned()).identity(), None, "{wrong}");
        }
    }

    #[test]
    fn issuer_and_subject_of_two_people_are_never_the_same_identity() {
        let of = |issuer: &str, subject: &str| {
            Presented::Jwt { issuer: issuer.to_owned(), subject: subject.to_owned() }.identity()
        };
        assert_ne!(of("a\",\"b", "c"), of("a", "b\",\"c"));
        assert_ne!(of("a", ""), of("", "a"));
        for kind in [CredentialKind::Token, CredentialKind::Jwt, CredentialKind::Certificate] {
            assert_eq!(CredentialKind::from_name(kind.as_str()), Some(kind));
        }
    }
}
