//! Certificates for tests: an authority, and what it issues, with any validity. X.509 version 3 (RFC 5280) with ECDSA on P-256,
//! written as DER by hand.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};

/// An authority.
pub(crate) struct Authority {
    name: String,
    key: EcdsaKeyPair,
    /// Its own certificate, in PEM.
    pub(crate) pem: String,
}

/// A certificate and its key, in PEM.
#[derive(Clone)]
pub(crate) struct Issued {
    pub(crate) certificate: String,
    pub(crate) key: String,
    der: Vec<u8>,
}

impl Issued {
    /// SHA-256 of the certificate, in hexadecimal.
    pub(crate) fn fingerprint(&self) -> String {
        hex::encode(ring::digest::digest(&ring::digest::SHA256, &self.der))
    }

    /// Both, as the client takes them.
    pub(crate) fn identity(&self) -> (Vec<u8>, Vec<u8>) {
        (self.certificate.clone().into_bytes(), self.key.clone().into_bytes())
    }
}

/// A year that is over on the clock of the tests and on that of the machine.
pub(crate) const LONG_AGO: (&str, &str) = ("20000101000000Z", "20010101000000Z");
const FOR_LONG: (&str, &str) = ("20000101000000Z", "21000101000000Z");
/// Object identifiers, as DER.
const ECDSA_WITH_SHA256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2];
const EC_PUBLIC_KEY: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1];
const P256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7];
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 0x13];
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1D, 0x11];

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let (key, _) = new_key();
        let is_authority = sequence(&[&der(1, &[0xFF])]);
        let extension = sequence(&[&oid(BASIC_CONSTRAINTS), &der(1, &[0xFF]), &der(4, &is_authority)]);
        let certificate = certificate(name, &key, name, &key, FOR_LONG, &extension);
        Self { name: name.to_owned(), key, pem: pem("CERTIFICATE", &certificate) }
    }

    /// A certificate for a name of the network, or for 127.0.0.1.
    pub(crate) fn issue(&self, name: &str) -> Issued {
        self.issue_for(name, FOR_LONG)
    }

    /// A certificate with a validity of its own.
    pub(crate) fn issue_for(&self, name: &str, validity: (&str, &str)) -> Issued {
        let (key, pkcs8) = new_key();
        let alternative = match name {
            "127.0.0.1" => der(0x87, &[127, 0, 0, 1]),
            _ => der(0x82, name.as_bytes()),
        };
        let extension = sequence(&[&oid(ALTERNATIVE_NAMES), &der(4, &sequence(&[&alternative]))]);
        let der = certificate(&self.name, &self.key, name, &key, validity, &extension);
        Issued { certificate: pem("CERTIFICATE", &der), key: pem("PRIVATE KEY", &pkcs8), der }
    }
}

fn new_key() -> (EcdsaKeyPair, Vec<u8>) {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).expect("a key");
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random);
    (key.expect("a key"), pkcs8.as_ref().to_vec())
}

fn certificate(
    issuer: &str,
    issuer_key: &EcdsaKeyPair,
    subject: &str,
    key: &EcdsaKeyPair,
    (from, until): (&str, &str),
    extension: &[u8],
) -> Vec<u8> {
    let name =
        |text: &str| sequence(&[&der(0x31, &sequence(&[&oid(COMMON_NAME), &der(0x0C, text.as_bytes())]))]);
    let bits = |bytes: &[u8]| der(3, &[&[0], bytes].concat());
    let algorithm = sequence(&[&oid(ECDSA_WITH_SHA256)]);
    let time = |text: &str| {
        // Years from 2050 on have four digits, the others two.
        if text < "2050" { der(0x17, &text.as_bytes()[2..]) } else { der(0x18, text.as_bytes()) }
    };
    let public = sequence(&[&sequence(&[&oid(EC_PUBLIC_KEY), &oid(P256)]), &bits(key.public_key().as_ref())]);
    let serial = &ring::digest::digest(&ring::digest::SHA256, key.public_key().as_ref());
    let told = sequence(&[
        &der(0xA0, &der(2, &[2])),
        &der(2, &[&[1], &serial.as_ref()[..8]].concat()),
        &algorithm,
        &name(issuer),
        &sequence(&[&time(from), &time(until)]),
        &name(subject),
        &public,
        &der(0xA3, &sequence(&[extension])),
    ]);
    let signature = issuer_key.sign(&SystemRandom::new(), &told).expect("is signed");
    sequence(&[&told, &algorithm, &bits(signature.as_ref())])
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    der(0x30, &parts.concat())
}

fn oid(bytes: &[u8]) -> Vec<u8> {
    der(6, bytes)
}

/// A value with its tag and its length.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("is short");
    let [high, low] = length.to_be_bytes();
    let head = match length {
        0..128 => vec![tag, low],
        128..256 => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [&head[..], content].concat()
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
