//! JWTs of one trusted issuer (RFC 7519), verified as RFC 8725 wants it. Input: a signed JWT in the compact form and the
//! moment. Output: the issuer and the subject, which together name a principal.
//!
//! The header names a key by its id, and the key decides the algorithm. Claims are read only below a good signature. Required
//! are the issuer, the audience, a subject, `iat` and `exp`; a JWT is good for a day at most, because it cannot be revoked by
//! itself. Which check failed is a matter of the log: every refusal looks the same from outside.

#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::keys::{KeySet, Members, bytes};

/// Bytes of a JWT at most.
const MOST_BYTES: usize = 8 * 1024;
/// Difference between the clocks of the issuer and of the service, in seconds.
const LEEWAY: f64 = 30.0;
/// Time for which a JWT may be good, in seconds.
const LONGEST: f64 = 86_400.0;
/// Characters of a subject at most.
const MOST_CHARS: usize = 255;

/// An issuer whose JWTs name callers.
#[derive(Debug)]
pub struct Issuer {
    name: String,
    audience: String,
    keys: KeySet,
}

/// What a good JWT says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verified {
    /// The claim `sub`.
    pub(super) subject: String,
    /// The JWT is good before this moment: the claim `exp` and the leeway.
    pub(super) until: Timestamp,
}

impl Issuer {
    /// The issuer `name`, whose JWTs are for `audience`, with the keys of a JWKS file.
    pub fn new(name: &str, audience: &str, file: &[u8]) -> Result<Self, String> {
        Ok(Self { name: name.to_owned(), audience: audience.to_owned(), keys: KeySet::read(file)? })
    }

    /// The name of the issuer.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What a JWT says that is good at the moment `now`, or what is wrong with it.
    pub(super) fn verify(&self, jwt: &str, now: Timestamp) -> Result<Verified, &'static str> {
        if jwt.len() > MOST_BYTES {
            return Err("too long");
        }
        let (message, signature) = jwt.rsplit_once('.').ok_or("not three parts")?;
        let (header, claims) = message.split_once('.').ok_or("not three parts")?;
        let part = |text: &str| bytes(text).ok_or("no base64url");
        let header = Members::read(&part(header)?).map_err(|_| "a header that is no object")?;
        // An extension that changes the meaning of a JWT is not understood here, and neither are encrypted or packed claims.
        if ["crit", "b64", "enc", "zip"].iter().any(|name| header.0.contains_key(*name)) {
            return Err("an extension");
        }
        let kind = header.text("typ").ok_or("no typ")?.to_ascii_lowercase();
        if !["jwt", "at+jwt"].contains(&kind.strip_prefix("application/").unwrap_or(&kind)) {
            return Err("another typ");
        }
        let key = header.text("kid").and_then(|id| self.keys.get(id)).ok_or("no known kid")?;
        if header.text("alg") != Some(key.algorithm) {
            return Err("another algorithm than that of the key");
        }
        // Claims with a further dot are no base64url.
        let (claims, signature) = (part(claims)?, part(signature)?);
        if !key.has_signed(message.as_bytes(), &signature) {
            return Err("a wrong signature");
        }
        let claims = Members::read(&claims).map_err(|_| "claims that are no object")?;
        self.judge(&claims, now)
    }

    fn judge(&self, claims: &Members, at: Timestamp) -> Result<Verified, &'static str> {
        if claims.text("iss") != Some(&self.name) {
            return Err("another issuer");
        }
        let is_meant = match claims.0.get("aud") {
            Some(Value::String(one)) => *one == self.audience,
            Some(Value::Array(all)) => {
                all.iter().all(Value::is_string) && all.iter().any(|one| *one == *self.audience)
            }
            _ => false,
        };
        if !is_meant {
            return Err("another audience");
        }
        let now = at.as_duration().as_secs_f64();
        let moment = |name: &str| claims.0.get(name).map(|value| value.as_f64().filter(|at| at.is_finite()));
        let (Some(Some(issued)), Some(Some(ends))) = (moment("iat"), moment("exp")) else {
            return Err("no iat or no exp");
        };
        if ends <= now - LEEWAY || ends <= issued {
            return Err("over");
        }
        if ends - issued > LONGEST {
            return Err("good for longer than a day");
        }
        if issued > now + LEEWAY {
            return Err("from the future");
        }
        match moment("nbf") {
            None => {}
            Some(Some(from)) if from <= now + LEEWAY => {}
            Some(_) => return Err("not good yet"),
        }
        let subject = claims.text("sub").unwrap_or_default();
        let is_name = !subject.is_empty()
            && subject.chars().count() <= MOST_CHARS
            && !subject.chars().any(char::is_control);
        // At most a day and the leeway from now.
        let left = Duration::try_from_secs_f64(ends + LEEWAY - now).map_err(|_| "over")?;
        let until = at.checked_add(left).map_err(|_| "good for longer than all time")?;
        if is_name { Ok(Verified { subject: subject.to_owned(), until }) } else { Err("no subject") }
    }
}
