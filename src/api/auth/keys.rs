//! The public keys of an issuer of JWTs, from a JWKS file (RFC 7517): RSA, ECDSA on P-256 and P-384, Ed25519.
//!
//! A key verifies signatures of one algorithm alone, which the file and never the JWT decides (RFC 8725, 3.1). Keys for
//! encryption and of other types are left out. A file with a private or a symmetric key is refused: it would let whoever reads
//! it sign.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Keys of a file at most.
const MOST_KEYS: usize = 64;
/// Bits of the modulus of an RSA key at least.
const RSA_BITS: usize = 2_048;
/// Bytes of a part of a point on P-256 and on P-384, and of a key of Ed25519.
const P256_BYTES: usize = 32;
const P384_BYTES: usize = 48;
const ED25519_BYTES: usize = 32;

/// The members of a JSON object. A name that stands in it twice is an error: two readers could read two values.
#[derive(Debug, PartialEq)]
pub(super) struct Members(pub(super) BTreeMap<String, Value>);

impl Members {
    /// The object that `text` is.
    pub(super) fn read(text: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(text)
    }

    /// A member that is a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Unique;
        impl<'de> Visitor<'de> for Unique {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if members.insert(name, value).is_some() {
                        return Err(de::Error::custom("a member stands twice"));
                    }
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Unique)
    }
}

/// Bytes from base64url without padding; `None` if they are written in any other way.
pub(super) fn bytes(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// The keys of an issuer by their ids.
#[derive(Debug)]
pub(super) struct KeySet(BTreeMap<String, Key>);

/// A public key, for one algorithm.
#[derive(Debug)]
pub(super) struct Key {
    /// As the header of a JWT names the algorithm.
    pub(super) algorithm: &'static str,
    public: Public,
}

enum Public {
    Rsa(&'static RsaParameters, RsaPublicKeyComponents<Vec<u8>>),
    Plain(UnparsedPublicKey<Vec<u8>>),
}

impl fmt::Debug for Public {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa(..) => "RSA",
            Self::Plain(..) => "elliptic curve",
        })
    }
}

#[derive(Deserialize)]
struct File {
    keys: Vec<Members>,
}

impl KeySet {
    /// Reads a JWKS file.
    pub(super) fn read(file: &[u8]) -> Result<Self, String> {
        let File { keys } = serde_json::from_slice(file).map_err(|error| format!("is no JWKS: {error}"))?;
        if keys.len() > MOST_KEYS {
            return Err(format!("has {} keys; at most {MOST_KEYS} are read", keys.len()));
        }
        let mut set = BTreeMap::new();
        for (number, key) in (1..).zip(&keys) {
            let read = Key::read(key).map_err(|wrong| format!("key {number} {wrong}"))?;
            let Some((id, key)) = read else { continue };
            if set.insert(id, key).is_some() {
                return Err(format!("key {number} has the `kid` of an earlier key"));
            }
        }
        if set.is_empty() { Err("has no key for signatures".to_owned()) } else { Ok(Self(set)) }
    }

    /// The key of an id.
    pub(super) fn get(&self, id: &str) -> Option<&Key> {
        self.0.get(id)
    }
}

impl Key {
    /// The id of a key, and the key; `None` if it is not for signatures, or of a type that is not used here.
    fn read(key: &Members) -> Result<Option<(String, Self)>, String> {
        let lacks = |name: &str| format!("has no `{name}`");
        let kind = key.text("kty").ok_or_else(|| lacks("kty"))?;
        if kind == "oct" || key.0.contains_key("d") {
            return Err("is secret; the file may have public keys alone".to_owned());
        }
        let is_for_signatures = key.0.get("use").is_none_or(|usage| usage == "sig")
            && key.0.get("key_ops").is_none_or(|uses| {
                uses.as_array().is_some_and(|uses| uses.iter().any(|usage| usage == "verify"))
            });
        let part = |name: &str| key.text(name).and_then(bytes).ok_or_else(|| lacks(name));
        let curve = key.text("crv").unwrap_or_default();
        let fixed = |name: &str, length: usize| {
            let bytes = part(name)?;
            if bytes.len() == length { Ok(bytes) } else { Err(format!("has a wrong length of `{name}`")) }
        };
        let point =
            |length: usize| Ok::<_, String>([&[4], &*fixed("x", length)?, &*fixed("y", length)?].concat());
        let plain = |algorithm: &'static dyn VerificationAlgorithm, bytes| {
            Public::Plain(UnparsedPublicKey::new(algorithm, bytes))
        };
        let (algorithm, public) = match (kind, curve) {
            _ if !is_for_signatures => return Ok(None),
            ("RSA", _) => {
                // Without `alg` the oldest and commonest of its algorithms.
                let Some((algorithm, parameters)) = rsa(key.text("alg").unwrap_or("RS256")) else {
                    return Ok(None);
                };
                let components = RsaPublicKeyComponents { n: part("n")?, e: part("e")? };
                if components.n.len() * 8 < RSA_BITS {
                    return Err(format!("has fewer than {RSA_BITS} bits"));
                }
                (algorithm, Public::Rsa(parameters, components))
            }
            ("EC", "P-256") => ("ES256", plain(&ECDSA_P256_SHA256_FIXED, point(P256_BYTES)?)),
            ("EC", "P-384") => ("ES384", plain(&ECDSA_P384_SHA384_FIXED, point(P384_BYTES)?)),
            ("OKP", "Ed25519") => ("EdDSA", plain(&ED25519, fixed("x", ED25519_BYTES)?)),
            _ => return Ok(None),
        };
        if key.text("alg").is_some_and(|named| named != algorithm) {
            return Err(format!("names another algorithm than {algorithm}, which its curve has"));
        }
        let id = key.text("kid").filter(|id| !id.is_empty()).ok_or_else(|| lacks("kid"))?;
        Ok(Some((id.to_owned(), Self { algorithm, public })))
    }

    /// Whether `signature` is one of this key over `message`.
    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.public {
            Public::Rsa(parameters, key) => key.verify(parameters, message, signature).is_ok(),
            Public::Plain(key) => key.verify(message, signature).is_ok(),
        }
    }
}

/// An algorithm of RSA with its parameters.
fn rsa(name: &str) -> Option<(&'static str, &'static RsaParameters)> {
    Some(match name {
        "RS256" => ("RS256", &RSA_PKCS1_2048_8192_SHA256),
        "RS384" => ("RS384", &RSA_PKCS1_2048_8192_SHA384),
        "RS512" => ("RS512", &RSA_PKCS1_2048_8192_SHA512),
        "PS256" => ("PS256", &RSA_PSS_2048_8192_SHA256),
        "PS384" => ("PS384", &RSA_PSS_2048_8192_SHA384),
        "PS512" => ("PS512", &RSA_PSS_2048_8192_SHA512),
        _ => return None,
    })
}
